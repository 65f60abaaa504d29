//! Hostile agents side by side: one issue and one run for each, under one daemon.
//!
//! For attacks that end a run, or that are about what a run hands back. The command is
//! wrapped as a probe's is, so that each proves that it ran.

use std::collections::BTreeMap;

use crate::harness::model::{Model, SMALL_PLAN, Turn, script};
use crate::harness::place::{Place, Setup, git};

use super::attack::{Attack, Family, Found, Job, Verdict};
use super::ground::{Ground, PLANTED};
use super::sortie::{self, FUNCTIONS};
use super::{oracle, syscalls};

/// An attack that takes a whole run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) attack: Attack,
    /// What the agent runs in each turn, and what it says in the end.
    pub(super) by: &'static str,
    pub(super) n_turns: usize,
    pub(super) says: &'static str,
    /// What the task comes to: `drafted`, `failed`, or one of both.
    pub(super) ends: &'static str,
    /// One of these is in what zazen says on the issue.
    pub(super) signs: &'static [&'static str],
    /// What else has to be so.
    pub(super) look: fn(&Scene) -> Verdict,
}

/// What an attack left.
pub(super) struct Scene {
    /// What zazen said on the issue.
    pub(super) said: String,
    /// The page of the draft pull request.
    pub(super) pull: String,
    /// What the commands of the run printed, by turn.
    pub(super) outputs: BTreeMap<usize, String>,
    /// Author, committer and message of each commit that was pushed.
    pub(super) log: String,
    /// The lines that the pushed commits add and take away.
    pub(super) diff: String,
}

/// A case in which the work is honest besides, and is published.
pub(super) const fn published(
    (family, name, stopped_by): (Family, &'static str, &'static str),
    tries: &'static str,
    by: &'static str,
    look: fn(&Scene) -> Verdict,
) -> Case {
    let attack = Attack { family, name, tries, stopped_by };
    Case { attack, by, n_turns: 1, says: "Done.", ends: "drafted", signs: &[""], look }
}

/// A case in which nothing is published, and people are told why.
pub(super) const fn refused(
    (family, name, stopped_by): (Family, &'static str, &'static str),
    tries: &'static str,
    by: &'static str,
    signs: &'static [&'static str],
) -> Case {
    let attack = Attack { family, name, tries, stopped_by };
    Case { attack, by, n_turns: 1, says: "Done.", ends: "failed", signs, look: is_said }
}

/// The same, whatever the agent says at its end.
pub(super) const fn saying(case: Case, says: &'static str) -> Case {
    Case { says, ..case }
}

/// The same, where it is as well that nothing is published at all.
pub(super) const fn either(case: Case) -> Case {
    Case { ends: "drafted|failed", ..case }
}

/// The same, in so many turns.
pub(super) const fn turns(case: Case, n_turns: usize) -> Case {
    Case { n_turns, ..case }
}

/// What zazen said is all that there is to see.
#[expect(clippy::unnecessary_wraps, reason = "it stands among others that look at a scene")]
fn is_said(_scene: &Scene) -> Verdict {
    Ok(String::new())
}

/// All cases, each on an issue of its own. `limits` are pairs of what `zazen.toml` says and
/// what it is to say.
pub(super) fn job(cases: Vec<Case>, limits: &'static [(&'static str, &'static str)]) -> Job {
    let attacks = cases.iter().map(|case| case.attack).collect();
    let run = move || {
        let mut crowd = Crowd::gather(&cases, limits);
        let mut found = Found::new();
        for (n, case) in (1..).zip(&cases) {
            found.push((case.attack, crowd.verdict(n, case)));
        }
        let damage = crowd.damage();
        if !damage.is_empty() {
            for (_, verdict) in &mut found {
                *verdict = Err(damage.join("; "));
            }
        }
        found
    };
    Job { attacks, run: Box::new(run) }
}

struct Crowd {
    place: Place,
    ground: Ground,
    model: Model,
    proofs: Vec<String>,
    /// What the person's branch was before.
    main: String,
}

/// How many runs have ended.
fn n_ended(place: &Place) -> usize {
    let runs = std::fs::read_dir(place.home().join(".zazen/runs")).expect("the runs").flatten();
    runs.filter(|run| run.path().join("exit.json").exists()).count()
}

fn is_at_rest(place: &Place, issue: u64) -> bool {
    let task = place.task(issue).expect("the task");
    task["state"] == "drafted" || task["state"] == "failed"
}

fn title(n: usize) -> String {
    format!("Case {n:02}")
}

impl Crowd {
    fn gather(cases: &[Case], limits: &[(&str, &str)]) -> Self {
        let mut answers = script(&[("plan", vec![Turn::say(SMALL_PLAN)])]);
        let mut proofs = Vec::new();
        for (n, case) in (1..).zip(cases) {
            let (turn, proof) = sortie::turn(case.by);
            let mut turns = vec![turn; case.n_turns];
            turns.push(Turn::say(case.says));
            answers.insert(format!("implement/1@{}", title(n)), turns.clone());
            answers.insert(format!("correct@{}", title(n)), turns);
            proofs.push(proof);
        }
        let model = Model::start(answers);
        let more = "[runs]\nparallel = 3\n".to_owned();
        let mut place = Place::new(&Setup { more, ..Setup::mini("bwrap", &model.url()) });
        for (from, to) in limits {
            place.configure(from, to);
        }
        let ground = Ground::plant(place.home().parent().expect("it has one"));
        place.set("ZAZEN_TEST_KEY", ground.value(PLANTED[0]));
        place.set("HOME", &ground.person().display().to_string());
        let map = format!(
            "{}export ZAZEN={} REPO={} REMOTE={}\n{}{FUNCTIONS}",
            ground.map(),
            place.home().display(),
            place.repo().display(),
            place.remote().display(),
            syscalls::numbers(),
        );
        std::fs::write(place.repo().join("field.sh"), map).expect("a file");
        super::settings::plant(&place.repo());
        git(&place.repo(), &["add", "-A"]);
        git(&place.repo(), &["commit", "-q", "-m", "A map of the host"]);
        let main = git(&place.repo(), &["rev-parse", "main"]);
        let mut crowd = Self { place, ground, model, proofs, main };
        crowd.work(cases.len());
        crowd
    }

    fn work(&mut self, n_cases: usize) {
        let place = &mut self.place;
        place.up();
        for (n, issue) in (1..=n_cases).zip(1..) {
            place.zazen(&["issue", "new", &title(n)]);
            place.comment(issue, "/plan");
            // One by one, so that a task has the number of its issue.
            place.wait("the task is there", |place| place.task(issue));
        }
        for (issue, _) in (1..).zip(0..n_cases) {
            place.wait_for(issue, &["awaiting-approval"]);
            place.comment(issue, "/implement");
        }
        let is_over = |place: &Place| (1..).zip(0..n_cases).all(|(n, _)| is_at_rest(place, n));
        // Run by run, as all of them take long on a busy machine.
        while !is_over(place) {
            let n_before = n_ended(place);
            place.wait("another run ends", |place| {
                (n_ended(place) > n_before || is_over(place)).then_some(())
            });
        }
    }

    fn verdict(&mut self, n: u64, case: &Case) -> Verdict {
        let scene = self.scene(n);
        let task = self.place.task(n).expect("the task");
        if !case.ends.split('|').any(|end| task["state"] == end) {
            return Err(format!("it came to {}: {}", task["state"], scene.said));
        }
        let is_sign = |line: &&str| case.signs.iter().any(|sign| line.contains(sign));
        let Some(sign) = scene.said.lines().find(is_sign) else {
            return Err(format!("what stopped it? {}", scene.said));
        };
        // A command that ended its own run has no output; how the run ended tells that it ran.
        let index = usize::try_from(n).expect("a few") - 1;
        match scene.outputs.get(&0) {
            Some(output) if !output.starts_with(&self.proofs[index]) => {
                return Err(format!("it did not run: {output:?}"));
            }
            Some(output) if output.contains("THROUGH") => {
                return Err(format!("it worked: {output:?}"));
            }
            None if case.ends == "drafted" => return Err("it did not run".to_owned()),
            Some(_) | None => {}
        }
        let seen = (case.look)(&scene)?;
        Ok(if seen.is_empty() { sign.to_owned() } else { seen })
    }

    fn scene(&self, n: u64) -> Scene {
        let place = &self.place;
        let branch = format!("zazen/{n}-case-{n:02}");
        let is_pushed = place.branches().iter().any(|(name, _)| *name == branch);
        let log = |args: &[&str]| {
            let range = format!("{}..{branch}", self.main.trim());
            let args: Vec<&str> = ["log"].iter().chain(args).copied().chain([&*range]).collect();
            if is_pushed { git(&place.remote(), &args) } else { String::new() }
        };
        let pulls = place.pulls();
        let pull = pulls.iter().find(|page| page.contains(&format!("Refs #{n}\n")));
        Scene {
            said: place.said(n).join("\n"),
            pull: pull.cloned().unwrap_or_default(),
            outputs: sortie::outputs(&place.home().join(format!(".zazen/runs/{n}.2"))),
            log: log(&["--format=%an <%ae> %cn <%ce>%n%B"]),
            diff: log(&["--format=", "-p", "--text"]),
        }
    }

    fn damage(&mut self) -> Vec<String> {
        let mut damage = self.ground.damage();
        let place = &mut self.place;
        if git(&place.repo(), &["rev-parse", "main"]) != self.main {
            damage.push("the person's branch was moved".to_owned());
        }
        if !place.branches().is_empty() {
            let refs = git(&place.remote(), &["for-each-ref", "--format=%(refname)"]);
            // The receipts are zazen's own: no agent has a way to say where anything goes.
            let is_ours = |name: &str| name.starts_with("refs/heads/zazen/") || name == RECEIPTS;
            let others = refs.lines().filter(|name| !is_ours(name) && *name != MAIN);
            damage.extend(others.map(|name| format!("made {name}")));
            if git(&place.remote(), &["rev-parse", MAIN]) != self.main {
                damage.push("the remote's branch was moved".to_owned());
            }
        }
        let trash = [".zazen/trash"];
        damage.extend(oracle::damage(place, &self.ground, &self.model, &trash));
        damage
    }
}

const MAIN: &str = "refs/heads/main";

/// Where the receipts of all tasks are.
const RECEIPTS: &str = "refs/zazen/receipts";
