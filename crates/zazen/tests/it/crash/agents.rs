//! Agents go on working while there is no daemon.

use std::fs;
use std::time::{Duration, Instant};

use super::oracle::{check, see_through, undisturbed};
use super::work::{begin, let_go, script, wait_for_ticks, waiting_script};
use crate::harness::model::Model;
use crate::harness::place::{Place, Setup};

/// What the daemon's log says when it takes up its one task.
const READY: &str = ", 1 task";

/// How the daemon goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Killed,
    Asked,
}

#[test]
fn an_agent_goes_on_while_the_daemon_is_killed_without_a_sandbox() {
    an_agent_goes_on("none", End::Killed);
}

#[test]
fn an_agent_goes_on_while_the_daemon_is_killed_in_bwrap() {
    an_agent_goes_on("bwrap", End::Killed);
}

#[test]
fn an_agent_goes_on_while_the_daemon_is_killed_in_a_container() {
    an_agent_goes_on("container", End::Killed);
}

#[test]
fn an_agent_goes_on_while_the_daemon_is_stopped_without_a_sandbox() {
    an_agent_goes_on("none", End::Asked);
}

#[test]
fn an_agent_goes_on_while_the_daemon_is_stopped_in_bwrap() {
    an_agent_goes_on("bwrap", End::Asked);
}

fn an_agent_goes_on(engine: &'static str, end: End) {
    let Some(setup) = super::setup(engine) else { return };
    let expected = undisturbed(&Model::start(script()), &setup);
    let model = Model::start(waiting_script());
    let mut place = Place::new(&Setup { route: Setup::mini(engine, &model.url()).route, ..setup });
    begin(&mut place);
    let n_calls = model.calls().len();
    match end {
        End::Killed => place.kill(),
        End::Asked => place.down(),
    }
    // It works, is let go, works on, and asks the model, all without a daemon.
    wait_for_ticks(&mut place, 2);
    let_go(&place, 2);
    place.wait("the agent has gone on", |place| says(place, 2, "went on").then_some(()));
    assert_eq!(model.calls().len(), n_calls, "there is no way to the model but the daemon");

    let began = Instant::now();
    place.up();
    place.wait("the run is found again", |place| {
        place.log().contains("run 1.2 (implement/1) of task 1 is found again").then_some(())
    });
    println!("{engine}, {end:?}: found again after {:?}", began.elapsed());
    see_through(&mut place, &[]);
    let wrong = check(&mut place, &expected);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), place.log());
    let mut calls: Vec<_> = model.calls().into_iter().map(|call| (call.label, call.turn)).collect();
    let n_calls = calls.len();
    calls.sort();
    calls.dedup();
    assert_eq!(calls.len(), n_calls, "no call was made twice");
}

/// Whether a line of the run's trace holds this text.
fn says(place: &Place, n: u32, text: &str) -> bool {
    let events = place.home().join(format!(".zazen/runs/1.{n}/events.jsonl"));
    // The command itself, which has the text in it, is in an earlier line.
    let events = fs::read_to_string(events).unwrap_or_default();
    events.lines().filter(|line| line.contains(text) && !line.contains("while [")).count() > 0
}

#[test]
fn a_daemon_that_starts_again_is_ready_at_once() {
    let model = Model::start(waiting_script());
    let mut place = Place::new(&Setup::mini("none", &model.url()));
    begin(&mut place);
    let mut took = Vec::new();
    for _ in 0..5 {
        place.kill();
        let n_ready = place.log().matches(READY).count();
        let began = Instant::now();
        place.up();
        while place.log().matches(READY).count() == n_ready {
            std::thread::sleep(Duration::from_millis(1));
        }
        took.push(began.elapsed());
    }
    took.sort();
    println!("ready after a kill: median {:?}, worst {:?}", took[2], took[4]);
    let_go(&place, 2);
    see_through(&mut place, &[]);
}
