//! What belongs to a run is killed at its work: the run has failed, and is tried again.

use super::oracle::{check, see_through_with, undisturbed};
use super::work::{begin, kill, let_all_go, marked, processes, script, waiting_script};
use crate::harness::model::Model;
use crate::harness::place::{Place, Setup};

macro_rules! kills {
    ($($name:ident = $engine:literal, $victim:literal;)*) => {$(
        #[test]
        fn $name() {
            a_killed_part_is_a_failed_run($engine, $victim);
        }
    )*};
}

kills! {
    a_killed_supervisor_is_a_failed_run_without_a_sandbox = "none", "supervise";
    a_killed_supervisor_is_a_failed_run_in_bwrap = "bwrap", "supervise";
    a_killed_supervisor_is_a_failed_run_in_a_container = "container", "supervise";
    a_killed_runner_is_a_failed_run_without_a_sandbox = "none", "runner";
    a_killed_runner_is_a_failed_run_in_bwrap = "bwrap", "runner";
    a_killed_harness_is_a_failed_run_without_a_sandbox = "none", "mini";
    a_killed_harness_is_a_failed_run_in_bwrap = "bwrap", "mini";
    a_killed_bwrap_is_a_failed_run = "bwrap", "bwrap";
}

fn a_killed_part_is_a_failed_run(engine: &'static str, victim: &str) {
    let Some(setup) = super::setup(engine) else { return };
    let expected = undisturbed(&Model::start(script()), &setup);
    let model = Model::start(waiting_script());
    let mut place = Place::new(&Setup { route: Setup::mini(engine, &model.url()).route, ..setup });
    begin(&mut place);
    let all = processes(&place, 2);
    let is_victim =
        |args: &[String]| args[0].ends_with(victim) || args.get(1).is_some_and(|arg| arg == victim);
    let found = all.iter().find(|process| is_victim(&process.args));
    kill(found.unwrap_or_else(|| panic!("there is no `{victim}` among {all:#?}")));

    see_through_with(&mut place, &[], let_all_go);
    let retried = model.calls().into_iter().filter(|call| call.label == "implement/1");
    let told = retried.filter(|call| call.turn == 0 && call.body.contains("This was tried before"));
    assert_eq!(told.count(), 1, "the next agent is told\n{}", place.log());
    let expected = expected.with_day_of(&place);
    let wrong = check(&mut place, &expected);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), place.log());
    assert_eq!(marked(&place), Vec::<String>::new());
}
