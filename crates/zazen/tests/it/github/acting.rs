//! A task on GitHub from nothing to its draft, disturbed or not, and what people see then.
//!
//! People do what they would: they open an issue, ask for a plan, and approve it once they
//! can read it. The daemon is started again whenever it is gone.

use super::double::Double;
use super::double::state::Permission;
use super::place::{Hears, OnGitHub};
use crate::crash::oracle::{ask_to_end, check_inside, keep_up, without_ids};
use crate::harness::model::small_script;
use crate::harness::place::Place;

/// What a daemon says when it has begun.
const UP: &str = " INFO up in ";

/// What each of zazen's comments begins with.
const MARK: &str = "<!-- zazen:";

/// A daemon that does not come up is not started more often than this.
const N_STARTS_MAX: usize = 12;

/// What people see on GitHub, without what differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    state: String,
    comments: Vec<(String, String)>,
    /// On each of the comments, and on the issue first.
    reactions: Vec<Vec<(String, String)>>,
    branches: Vec<String>,
    messages: String,
    tree: String,
    /// Each with whether it is a draft, and its labels.
    pulls: Vec<(bool, Vec<String>)>,
    checks: Vec<(String, String)>,
}

/// A flow of one issue. See the module.
#[derive(Debug, Default)]
pub(super) struct Flow {
    issue: Option<u64>,
    commands: Vec<u64>,
    crashes: Vec<String>,
    n_starts: usize,
}

impl OnGitHub {
    /// A place with the smallest work, for flows that are compared.
    pub(super) fn small(hears: Hears) -> Option<Self> {
        Self::start(hears, small_script())
    }

    /// Sees an issue of its own through to the draft: the issue's number.
    pub(super) fn see_through(&mut self, crashes: &[String]) -> u64 {
        self.see_through_with(crashes, |_, _| ())
    }

    /// As [`Self::see_through`], and does something else at every look.
    pub(super) fn see_through_with(
        &mut self,
        crashes: &[String],
        mut also: impl FnMut(&Double, &mut Place),
    ) -> u64 {
        let mut flow = Flow { crashes: crashes.to_vec(), ..Flow::default() };
        let Self { github, place, .. } = self;
        place.wait("the task is drafted", |place| {
            also(github, place);
            flow.step(github, place).then_some(())
        });
        flow.issue.expect("it was opened")
    }

    /// What people see of an issue and of all that came of it.
    pub(super) fn seen(&self, issue: u64) -> Seen {
        let github = &self.github;
        let comments = github.comments_whole(issue);
        let ids = comments.iter().filter_map(|comment| comment["id"].as_u64());
        let mut reactions = vec![github.reactions("issue", issue)];
        reactions.extend(ids.map(|id| github.reactions("comment", id)));
        let branches: Vec<String> =
            github.branches().into_keys().filter(|name| name.starts_with("zazen/")).collect();
        let branch = branches.first().map_or("main", String::as_str);
        let pulls = github.pulls();
        let numbers = pulls.iter().filter_map(|pull| pull["number"].as_u64());
        let heads = pulls.iter().filter_map(|pull| pull["head"]["sha"].as_str());
        let checks = heads.flat_map(|head| github.checks(head));
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        Seen {
            state: self.place.task(1).map(|task| word(&task["state"])).unwrap_or_default(),
            comments: github
                .comments(issue)
                .into_iter()
                .map(|(author, body)| (author, without_ids(&body)))
                .collect(),
            reactions,
            messages: github.git(&["log", "--format=%B%x00", &format!("main..{branch}")]),
            tree: github.git(&["rev-parse", &format!("{branch}^{{tree}}")]),
            branches,
            pulls: pulls
                .iter()
                .zip(numbers)
                .map(|(pull, number)| (pull["draft"] == true, github.labels(number)))
                .collect(),
            checks: checks
                .map(|check| (word(&check["name"]), word(&check["conclusion"])))
                .collect(),
        }
    }

    /// Ends the daemon; says what is wrong on GitHub, in the home and on the machine.
    pub(super) fn wrong(&mut self, issue: u64, expected: &Seen) -> Vec<String> {
        self.place.down();
        let mut wrong = check_inside(&self.place);
        let seen = self.seen(issue);
        if seen != *expected {
            wrong.push(format!("people see\n{seen:#?}\ninstead of\n{expected:#?}"));
        }
        wrong
    }

    /// Ends everything, and everything has to be as it would be undisturbed.
    pub(super) fn finish_as(mut self, issue: u64, expected: &Seen) {
        let wrong = self.wrong(issue, expected);
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), self.place.log());
        self.finish();
    }

    /// Waits until all that was said so far is read: asks for the standing on an issue, and
    /// waits for the answer. Returns all that zazen said there before.
    pub(super) fn catch_up(&mut self, issue: u64) -> Vec<String> {
        self.github.settle();
        let id = self.github.owner().comments(issue, "/status");
        let key = mark(&format!("reply/{id}"));
        let Self { github, place, .. } = self;
        place.wait("it says how things stand", |_| {
            let said = said(github, issue);
            let is_answer = |body: &String| body.starts_with(&key);
            let rest = said.iter().filter(|body| !is_answer(body)).cloned().collect();
            said.iter().any(is_answer).then_some(rest)
        })
    }

    /// How many tasks there are.
    pub(super) fn n_tasks(&self) -> usize {
        self.place.json(&["task", "list", "--json"]).as_array().map_or(0, Vec::len)
    }
}

/// What people see of a flow that nobody disturbs.
pub(super) fn undisturbed() -> Option<Seen> {
    let mut on = OnGitHub::small(Hears::Both)?;
    let issue = on.see_through(&[]);
    let seen = on.seen(issue);
    on.finish();
    Some(seen)
}

impl Flow {
    /// Does what people do now, and says whether all is done.
    fn step(&mut self, github: &Double, place: &mut Place) -> bool {
        let state = place.task(1).map(|task| task["state"].as_str().unwrap_or_default().to_owned());
        let state = state.unwrap_or_default();
        assert_ne!(state, "failed", "{}", place.log());
        self.act(github, place, &state);
        let is_over = state == "drafted" && self.is_told(github);
        let n_starts = self.crashes.len() + usize::from(!self.crashes.is_empty());
        if is_over && !place.is_down() {
            if self.n_starts >= n_starts {
                return true;
            }
            // The last crash may be one in which the daemon ends.
            ask_to_end(place);
        }
        keep_up(place, &self.crashes, (&mut self.n_starts, N_STARTS_MAX));
        false
    }

    fn act(&mut self, github: &Double, place: &Place, state: &str) {
        let Some(issue) = self.issue else {
            // What was there before it is none of its business.
            if place.log().contains(UP) {
                let alice = github.person("alice", Permission::Write);
                let issue = alice.opens_issue("Say hello", "The README should say hello.");
                self.commands.push(alice.comments(issue, "/plan"));
                self.issue = Some(issue);
            }
            return;
        };
        let can_read = || said(github, issue).iter().any(|body| body.contains("/implement"));
        if self.commands.len() == 1 && state == "awaiting-approval" && can_read() {
            let alice = github.person("alice", Permission::Write);
            self.commands.push(alice.comments(issue, "Yes, please.\n\n/implement"));
        }
    }

    /// Whether people were told all that there is to tell.
    fn is_told(&self, github: &Double) -> bool {
        let said = self.issue.map(|issue| said(github, issue)).unwrap_or_default();
        let is_marked = |id: &u64| !github.reactions("comment", *id).is_empty();
        said.len() >= 2
            && said[0].contains("**Draft pull request #")
            && self.commands.len() == 2
            && self.commands.iter().all(is_marked)
    }
}

/// What zazen wrote on an issue, by whichever account.
pub(super) fn said(github: &Double, issue: u64) -> Vec<String> {
    let comments = github.comments(issue).into_iter();
    comments.map(|(_, body)| body).filter(|body| body.starts_with(MARK)).collect()
}

/// What zazen's comment with this key begins with.
pub(super) fn mark(key: &str) -> String {
    format!("{MARK}{key} by ")
}
