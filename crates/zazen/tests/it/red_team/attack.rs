//! An attack, and what came of it. Nothing here knows how attacks are made.
//!
//! A family makes its attacks in jobs, which a few threads carry out. Each attack
//! ends as a row of one table, or in words on how it got through; an attack that
//! did not run counts as one that got through.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// One attack, in the words of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attack {
    pub(super) family: Family,
    pub(super) name: &'static str,
    /// What it tries.
    pub(super) tries: &'static str,
    /// The layer or the rule that is to stop it.
    pub(super) stopped_by: &'static str,
}

/// What attacks are after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Secrets,
    Network,
    Gateway,
    Files,
    Processes,
    Limits,
    Results,
    Texts,
    Settings,
    Triggers,
    Records,
}

/// What was seen of an attack that was stopped, or how it got through.
pub(super) type Verdict = Result<String, String>;

/// What a job found.
pub(super) type Found = Vec<(Attack, Verdict)>;

/// Several attacks that share a daemon.
pub(super) struct Job {
    /// What all of these are lost with, should it panic.
    pub(super) attacks: Vec<Attack>,
    pub(super) run: Box<dyn FnOnce() -> Found + Send>,
}

/// How many jobs are carried out at once. Each has a daemon and some sandboxes,
/// and the machines of most people have a few cores.
const N_AT_ONCE: usize = 3;

/// How much of what was seen is printed.
const SEEN_CHARS_MAX: usize = 60;

impl Family {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Secrets => "Secrets",
            Self::Network => "Network",
            Self::Gateway => "Gateway",
            Self::Files => "Files and the kernel",
            Self::Processes => "Processes",
            Self::Limits => "Limits",
            Self::Results => "What is handed back",
            Self::Texts => "Texts",
            Self::Settings => "Settings of agents",
            Self::Triggers => "Triggers",
            Self::Records => "Records",
        }
    }
}

/// Carries out all jobs, and returns what they found in the order of the families.
pub(super) fn carry_out(jobs: Vec<Job>) -> Found {
    let waiting = Mutex::new(jobs);
    let found = Mutex::new(Vec::new());
    let work = || {
        while let Some(job) = waiting.lock().expect("no job panics with it").pop() {
            let of_job = attempt(job);
            found.lock().expect("no job panics with it").extend(of_job);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..N_AT_ONCE {
            scope.spawn(work);
        }
    });
    let mut found: Found = found.into_inner().expect("no job panics with it");
    found.sort_by_key(|(attack, _)| (attack.family, attack.name));
    found
}

/// Carries out a job. One that breaks off loses all of its attacks.
fn attempt(job: Job) -> Found {
    let Job { attacks, run } = job;
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let lost = || Err("the job broke off: see above".to_owned());
        attacks.iter().map(|attack| (*attack, lost())).collect()
    })
}

/// The table of a run of the suite: what each attack tried and what stopped it.
pub(super) fn print(found: &Found) -> String {
    let mut table = String::new();
    for (attack, verdict) in found {
        let (word, seen) = match verdict {
            Ok(seen) => ("stopped", seen.chars().take(SEEN_CHARS_MAX).collect()),
            Err(how) => ("THROUGH", how.clone()),
        };
        let Attack { name, tries, stopped_by, family } = attack;
        let family = family.title();
        let _infallible = writeln!(
            table,
            "{word} | {family:<20} | {name:<34} | {tries} | {stopped_by} | {seen:?}"
        );
    }
    table
}

/// The same as a page that stays the same from run to run.
pub(super) fn page(found: &Found, canaries: &[&str]) -> String {
    let mut page = format!(
        "# Attacks\n\n\
         What hostile agents and people try in the test `every_attack_is_stopped`, and what stops\n\
         them. The agent is a script that does the worst on command, in the real sandbox, against\n\
         the real daemon, gateway and git; only the model's service is played. This page is printed\n\
         by that test, which fails if an attack gets through or if one did not run. What is\n\
         promised, and what is not, is in [SECURITY.md](../SECURITY.md).\n\n\
         {} attacks. Planted on the host, and searched for afterwards, plain and encoded, in all\n\
         that the model's service was sent, in traces, recordings, logs, pages, comments, drafts and\n\
         pushed objects:\n\n- {}\n\nNone of them was found.\n",
        found.len(),
        canaries.join("\n- ")
    );
    let mut family = None;
    for (attack, _) in found {
        if family != Some(attack.family) {
            family = Some(attack.family);
            let _infallible = writeln!(
                page,
                "\n## {}\n\n| attack | tries to | is stopped by |\n|---|---|---|",
                attack.family.title()
            );
        }
        let Attack { name, tries, stopped_by, .. } = attack;
        let _infallible = writeln!(page, "| {name} | {tries} | {stopped_by} |");
    }
    page
}
