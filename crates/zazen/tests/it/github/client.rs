//! zazen's own client against the double: what it asks is as GitHub describes it, and what
//! it hears is understood.

use zazen::forge::github::client::{
    AppKey, CallError, CheckState, Client, Conclusion, Inline, Limits, Login, NewCheck, NewPull,
    NewReview, Options, Purpose, ReviewEvent, ReviewState, Side, Target,
};
use zazen_core::id::{CommitId, IssueNumber, PullNumber, RepoName};
use zazen_core::secret::Secret;
use zazen_core::trust;

use super::double::Double;
use super::double::faults::Fault;
use super::double::state::Permission;

/// The client, and where it asks.
struct Asking<'d> {
    double: &'d Double,
    client: Client,
    repo: RepoName,
}

impl<'d> Asking<'d> {
    fn new(double: &'d Double, login: Login) -> Self {
        let api = double.url().parse().expect("an address");
        let options = Options { api, login, limits: Limits::AsTold };
        let client = Client::new(options).expect("a client");
        Self { double, client, repo: double.repo().parse().expect("a name") }
    }

    fn app(double: &'d Double) -> Self {
        let key = AppKey::from_pem(double.app_key()).expect("a key");
        Self::new(double, Login::App { id: double.app_id(), key })
    }

    fn machine(double: &'d Double) -> Self {
        Self::new(double, Login::Token(Secret::new(double.token())))
    }

    fn ok<T>(&self, call: impl Future<Output = Result<T, CallError>>) -> T {
        match self.double.block_on(call) {
            Ok(answer) => answer,
            Err(err) => panic!("{err}"),
        }
    }
}

#[test]
fn the_client_talks_on_an_issue() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Write);
    let number = alice.opens_issue("Sum by month", "Please.");
    let id = alice.comments(number, "/plan");
    alice.labels(number, "zazen:plan");
    let app = Asking::app(&double);
    for asking in [&app, &Asking::machine(&double)] {
        let (client, repo, n) = (&asking.client, &asking.repo, IssueNumber(number));
        let me = asking.ok(client.me());
        let item = asking.ok(client.issue(repo, n));
        assert_eq!((&*item.title, &*item.author.login), ("Sum by month", "alice"));
        assert_eq!(asking.ok(client.comments(repo, n))[0].id, id);
        let events = asking.ok(client.events(repo, n));
        assert_eq!((&*events[0].event, &*events[0].by.login), ("labeled", "alice"));
        assert_eq!(asking.ok(client.permission(repo, "alice")), trust::Permission::Write);
        assert_eq!(asking.ok(client.permission(repo, "bob")), trust::Permission::Read);
        let own = asking.ok(client.create_comment(repo, n, "A plan."));
        asking.ok(client.edit_comment(repo, own, "A better plan."));
        assert_eq!(double.said(&me.login, number), ["A better plan."]);
        let comment = asking.ok(client.comment(repo, own));
        assert_eq!(comment.author.login, me.login);
        asking.ok(client.react(repo, Target::Comment(id), "eyes"));
        asking.ok(client.add_labels(repo, n, &["zazen:working"]));
        asking.ok(client.remove_label(repo, n, "zazen:working"));
        let changed = asking.ok(client.changed_items(repo, None, None));
        assert_eq!(changed.items.map(|items| items.len()), Some(1));
        let etag = changed.etag.expect("an ETag");
        let changed = asking.ok(client.changed_items(repo, None, Some(&etag)));
        assert_eq!(changed.items, None, "nothing has changed");
    }
    assert_eq!(double.reactions("comment", id).len(), 2);
    double.finish();
}

#[test]
fn the_client_hears_of_deliveries_that_failed() {
    let Some(double) = Double::start() else { return };
    let asking = Asking::app(&double);
    assert_eq!(asking.ok(asking.client.failed_delivery()), None);
    // Nobody listens.
    double.owner().opens_issue("One", "");
    double.settle();
    let first = asking.ok(asking.client.failed_delivery());
    assert_eq!(first, double.deliveries().iter().map(|delivery| delivery.id).max());
    double.owner().opens_issue("Two", "");
    double.settle();
    assert!(asking.ok(asking.client.failed_delivery()) > first);
    double.finish();
}

#[test]
fn the_client_proposes_reviews_and_reports() {
    let Some(double) = Double::start() else { return };
    let commit = double.owner().pushes_commit("zazen/1-sum", "new.txt", "one\ntwo\n");
    let asking = Asking::app(&double);
    let (client, repo) = (&asking.client, &asking.repo);
    asking.ok(client.git_auth(repo, Purpose::Push));
    let new = NewPull {
        title: "Sum".to_owned(),
        body: "Refs #1".to_owned(),
        head: "zazen/1-sum".to_owned(),
        base: "main".to_owned(),
        draft: true,
    };
    let pull = asking.ok(client.create_pull(repo, &new));
    assert_eq!((pull.head.as_str(), pull.draft), (&*commit, true));
    let again = double.block_on(client.create_pull(repo, &new));
    assert!(again.is_err(), "there is one already");
    assert_eq!(asking.ok(client.pulls_of_branch(repo, "zazen/1-sum")).len(), 1);
    let bob = double.person("bob", Permission::Write);
    asking.ok(client.request_reviewers(repo, pull.number, &["bob"]));
    bob.reviews(pull.number.0, "changes_requested", "No.", &[]);
    let reviews = asking.ok(client.reviews(repo, pull.number));
    assert_eq!(reviews[0].state, ReviewState::ChangesRequested);

    let head: CommitId = commit.parse().expect("a commit");
    let check = |state| NewCheck {
        name: "zazen/evidence".to_owned(),
        head: head.clone(),
        external_id: "1".to_owned(),
        state,
        title: "Checked".to_owned(),
        summary: "All is well.".to_owned(),
        url: None,
    };
    let id = asking.ok(client.create_check_run(repo, &check(CheckState::Running)));
    let ended = check(CheckState::Ended(Conclusion::Success));
    asking.ok(client.update_check_run(repo, id, &ended));
    let run = double.ci_begins("zazen/1-sum", &commit, "test");
    double.ci_ends(run, "failure", "it broke\n");
    let runs = asking.ok(client.check_runs(repo, &head));
    assert_eq!(runs.len(), 2);
    let red = runs.iter().find(|run| run.name == "test").expect("CI's check");
    assert_eq!(red.state, CheckState::Ended(Conclusion::Failure));
    assert_eq!(asking.ok(client.job_log(repo, red.id)), "it broke\n");
    asking.ok(client.rerun_failed(repo, run));
    assert_eq!(double.ci_run(run)["status"], "queued");
    double.finish();
}

#[test]
fn the_client_reviews_somebody_elses_work() {
    let Some(double) = Double::start() else { return };
    let commit = double.owner().pushes_commit("work", "new.txt", "one\ntwo\n");
    let number = PullNumber(double.owner().opens_pull("Work", "work"));
    let asking = Asking::app(&double);
    let (client, repo) = (&asking.client, &asking.repo);
    let inline = Inline {
        path: "new.txt".to_owned(),
        line: 2,
        side: Side::New,
        body: "Why two?".to_owned(),
    };
    let new = NewReview {
        commit: commit.parse().expect("a commit"),
        event: ReviewEvent::Comment,
        body: "I looked.".to_owned(),
        inline: vec![inline],
    };
    asking.ok(client.create_review(repo, number, &new));
    let comments = asking.ok(client.review_comments(repo, number));
    assert_eq!((comments[0].line, &*comments[0].body), (Some(2), "Why two?"));
    asking.ok(client.react(repo, Target::ReviewComment(comments[0].id), "eyes"));
    let id = comments[0].id;
    asking.ok(client.reply_to_review_comment(repo, number, (id, "Because.")));
    assert_eq!(double.review_comments(number.0).len(), 2);
    double.finish();
}

#[test]
fn the_client_sends_an_act_once_and_gets_a_new_token() {
    const COMMENTS: &str = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
    let Some(double) = Double::start() else { return };
    let number = double.owner().opens_issue("One", "");
    let asking = Asking::app(&double);
    let (client, repo, n) = (&asking.client, &asking.repo, IssueNumber(number));
    double.fault("POST", COMMENTS, Fault::ReplyLost);
    let lost = double.block_on(client.create_comment(repo, n, "once"));
    let may_have = matches!(lost, Err(CallError::Unreachable { may_have_acted: true, .. }));
    assert!(may_have, "{lost:?}");
    assert_eq!(double.comments(number).len(), 1);
    double.fault("GET", COMMENTS, Fault::Unheard);
    assert_eq!(asking.ok(client.comments(repo, n)).len(), 1, "a look is repeated");
    double.expire_tokens();
    asking.ok(client.create_comment(repo, n, "with a new token"));
    assert_eq!(double.comments(number).len(), 2);
    let wide: Vec<_> = double.minted();
    assert!(wide.iter().all(|token| token["permissions"]["contents"].is_null()), "{wide:?}");
    double.finish();
}
