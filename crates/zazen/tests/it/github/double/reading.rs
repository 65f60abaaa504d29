//! What a test reads of the double: texts, reactions, pull requests, checks, branches.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Double;
use super::answers::{items, pulls};
use super::deliveries::Delivery;
use super::state::{NAME, OWNER};

impl Double {
    /// One issue or pull request, as the issues' part of the API shows it.
    pub(crate) fn item(&self, number: u64) -> Value {
        let found = self.block_on(items::get(&self.shared, number));
        found.unwrap_or_else(|| panic!("there is no #{number}"))
    }

    /// The comments on an item, as `(author, body)`.
    pub(crate) fn comments(&self, number: u64) -> Vec<(String, String)> {
        let all = self.comments_whole(number).into_iter();
        all.map(|c| (text(&c["user"]["login"]), text(&c["body"]))).collect()
    }

    /// The comments on an item, as the API shows them.
    pub(crate) fn comments_whole(&self, number: u64) -> Vec<Value> {
        self.block_on(self.shared.read_all(&format!("/issues/{number}/comments")))
    }

    /// What `login` wrote on an item.
    pub(crate) fn said(&self, login: &str, number: u64) -> Vec<String> {
        let all = self.comments(number).into_iter();
        all.filter(|(author, _)| author == login).map(|(_, body)| body).collect()
    }

    /// The reactions to an item (`issue`), a comment (`comment`) or a comment at a line
    /// (`review-comment`), as `(login, content)`.
    pub(crate) fn reactions(&self, on: &str, id: u64) -> Vec<(String, String)> {
        let state = self.shared.state();
        let all = state.reactions.iter().filter(|((kind, of), _)| kind == on && *of == id);
        all.map(|(_, r)| (text(&r["user"]["login"]), text(&r["content"]))).collect()
    }

    /// Every issue, pull requests left out, the oldest first.
    pub(crate) fn issues(&self) -> Vec<Value> {
        let all = self.block_on(items::all(&self.shared)).into_iter();
        all.filter(|item| item["pull_request"].is_null()).collect()
    }

    /// The numbers of the issues that are parts of an issue.
    pub(crate) fn sub_issues(&self, number: u64) -> Vec<u64> {
        self.shared.state().sub_issues.get(&number).cloned().unwrap_or_default()
    }

    /// The labels of an item.
    pub(crate) fn labels(&self, number: u64) -> Vec<String> {
        let labels = self.block_on(self.shared.read_all(&format!("/issues/{number}/labels")));
        labels.iter().map(|label| text(&label["name"])).collect()
    }

    /// Every pull request, the oldest first.
    pub(crate) fn pulls(&self) -> Vec<Value> {
        let numbers: Vec<u64> = self.shared.state().pulls.keys().copied().collect();
        let one = |number| self.block_on(pulls::get(&self.shared, number));
        numbers.into_iter().filter_map(one).collect()
    }

    /// The reviews of a pull request.
    pub(crate) fn reviews(&self, number: u64) -> Vec<Value> {
        self.block_on(self.shared.read_all(&format!("/pulls/{number}/reviews")))
    }

    /// The comments at lines of a pull request.
    pub(crate) fn review_comments(&self, number: u64) -> Vec<Value> {
        let state = self.shared.state();
        let all = state.review_comments.iter().filter(|(of, _)| *of == number);
        all.map(|(_, comment)| comment.clone()).collect()
    }

    /// The check runs on a commit, the oldest first.
    pub(crate) fn checks(&self, commit: &str) -> Vec<Value> {
        let state = self.shared.state();
        state.check_runs.iter().filter(|run| run["head_sha"] == commit).cloned().collect()
    }

    /// The statuses of a commit, the oldest first.
    pub(crate) fn statuses(&self, commit: &str) -> Vec<Value> {
        let state = self.shared.state();
        let of = state.statuses.iter().filter(|(of, _)| of == commit);
        of.map(|(_, status)| status.clone()).collect()
    }

    /// One run of CI.
    pub(crate) fn ci_run(&self, id: u64) -> Value {
        let state = self.shared.state();
        state.runs.iter().find(|run| run["id"] == id).cloned().expect("it has begun")
    }

    /// The events of an item, as `(event, login)`.
    pub(crate) fn events(&self, number: u64) -> Vec<(String, String)> {
        let state = self.shared.state();
        let all = state.events.iter().filter(|(of, _)| *of == number);
        all.map(|(_, event)| (text(&event["event"]), text(&event["actor"]["login"]))).collect()
    }

    /// The branches with their commits.
    pub(crate) fn branches(&self) -> BTreeMap<String, String> {
        self.shared.git.heads(OWNER, NAME)
    }

    /// Runs git in the bare repository.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.shared.git.run(&self.shared.git.bare(OWNER, NAME), args)
    }

    /// The subjects of the commits in a range, the newest first.
    pub(crate) fn subjects(&self, range: &str) -> Vec<String> {
        let log = self.git(&["log", "--format=%s", range]);
        log.lines().map(str::to_owned).collect()
    }

    /// Every webhook so far.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state().deliveries.clone()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
