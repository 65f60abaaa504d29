//! The red team: hostile agents and people, and what stops them.
//!
//! The agent is a script that does the worst on command, in the real sandbox, under
//! the real daemon. `attack` has the table, `sortie` the run of many small probes,
//! `oracle` what is looked at afterwards; each other file is one kind of attack.
//! Add an attack where its kind is; `docs/red-team.md` is printed from all of them.

mod attack;
mod canary;
mod crowd;
mod files;
mod gateway;
mod ground;
mod limits;
mod network;
mod oracle;
mod processes;
mod records;
mod results;
mod secrets;
mod settings;
mod sortie;
mod syscalls;
mod texts;
mod triggers;

use std::collections::BTreeSet;

use crate::harness::place::has_bwrap;

use attack::{Attack, Family, Found, Job};
use sortie::Probe;

/// How many attacks there are at least.
const N_ATTACKS_MIN: usize = 60;

/// A probe that must fail in a sandbox, and cannot be tried without one.
const fn probe(
    (family, name, stopped_by): (Family, &'static str, &'static str),
    tries: &'static str,
    by: &'static str,
    signs: &'static [&'static str],
) -> Probe {
    Probe { attack: Attack { family, name, tries, stopped_by }, by, signs, works_outside: false }
}

/// The same, where it works without a sandbox.
const fn works_outside(probe: Probe) -> Probe {
    Probe { works_outside: true, ..probe }
}

fn probes() -> Vec<Probe> {
    [
        secrets::PROBES,
        network::PROBES,
        gateway::PROBES,
        gateway::LISTED,
        files::PROBES,
        processes::PROBES,
        records::PROBES,
    ]
    .concat()
}

fn jobs() -> Vec<Job> {
    // The longest is begun first: jobs are taken from the end.
    let (some, others) = results::CASES.split_at(results::CASES.len() / 2);
    vec![
        settings::job(),
        records::job(),
        triggers::job(),
        crowd::job([texts::CASES, settings::CASES].concat(), &[]),
        crowd::job(some.to_vec(), &[]),
        crowd::job(others.to_vec(), &[]),
        sortie::job(probes()),
        crowd::job(limits::TIMED.to_vec(), limits::SHORT),
        crowd::job(limits::cases(), limits::TIGHT),
    ]
}

fn check(found: &Found) {
    let through: Found = found.iter().filter(|(_, verdict)| verdict.is_err()).cloned().collect();
    assert!(
        through.is_empty(),
        "{} attacks got through:\n{}",
        through.len(),
        attack::print(&through)
    );
    let names: BTreeSet<_> = found.iter().map(|(attack, _)| (attack.family, attack.name)).collect();
    assert_eq!(names.len(), found.len(), "each attack has a name of its own");
    assert!(found.len() >= N_ATTACKS_MIN, "there are only {}", found.len());
}

#[test]
fn every_attack_is_stopped() {
    if !has_bwrap() {
        return;
    }
    let found = attack::carry_out(jobs());
    println!("{}", attack::print(&found));
    println!("{} attacks; canaries read: 0 of {}", found.len(), ground::PLANTED.len());
    check(&found);
    // The page has them all.
    if limits::holds_memory() {
        let page = attack::page(&found, &ground::PLANTED);
        expect_test::expect_file!["../../../../../docs/red-team.md"].assert_eq(&page);
    }
}

#[test]
fn the_probes_work_where_there_is_no_sandbox() {
    sortie::check_they_work_outside(&probes());
}
