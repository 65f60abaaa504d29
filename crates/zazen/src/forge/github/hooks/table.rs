//! Which events of GitHub mean something here, and why the others do not.
//!
//! One table, read from the top: the first row whose event and action fit
//! counts. docs/github-events.md is printed from it by a test. What is hinted at
//! is found in the payload by `payload`.

/// What an event comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// The issue or the pull request is looked at.
    Item,
    /// The checks of the commit are looked at.
    Checks,
    /// The branch is looked at.
    Branch,
    /// The App's tokens and permissions are asked again.
    Installation,
    /// It is ignored, for this reason.
    Nothing(&'static str),
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub event: &'static str,
    /// The actions that it is about; none means every one that no row above names.
    pub actions: &'static [&'static str],
    pub gives: Gives,
}

/// Every action, and none.
const ANY: &[&str] = &[];

const fn row(event: &'static str, actions: &'static [&'static str], gives: Gives) -> Rule {
    Rule { event, actions, gives }
}

const NO_TEXT: Gives = Gives::Nothing("changes neither a text nor who is asked to do something");
const NOT_ENDED: Gives = Gives::Nothing("only checks that have ended say something");
const BRANCH_SAYS: Gives = Gives::Nothing("`push` says it, too");
const ASKED_LIVE: Gives = Gives::Nothing("permissions are asked when somebody commands");
const LABELS: Gives = Gives::Nothing("a label counts where it is put on an issue");
const ELSEWHERE: Gives = Gives::Nothing("zazen works on issues and pull requests only");
const BOARDS: Gives = Gives::Nothing("boards and milestones are for people");
const ACCOUNT: Gives = Gives::Nothing("is about an account, not about a repository's work");
const ALERTS: Gives = Gives::Nothing("alerts start nothing; a person opens an issue");
const RELEASES: Gives = Gives::Nothing("zazen neither releases nor deploys");
const SETTINGS: Gives = Gives::Nothing("settings are asked when they are needed");

/// What each event comes to. An event that is not in it is unknown, and ignored.
pub const RULES: &[Rule] = &[
    row("issues", &["pinned", "unpinned", "typed", "untyped"], NO_TEXT),
    row("issues", &["milestoned", "demilestoned"], BOARDS),
    row("issues", ANY, Gives::Item),
    row("issue_comment", &["pinned", "unpinned"], NO_TEXT),
    row("issue_comment", ANY, Gives::Item),
    row("pull_request", &["milestoned", "demilestoned"], BOARDS),
    row("pull_request", &["auto_merge_enabled", "auto_merge_disabled"], NO_TEXT),
    row("pull_request", &["enqueued", "dequeued"], NO_TEXT),
    row("pull_request", ANY, Gives::Item),
    row("pull_request_review", ANY, Gives::Item),
    row("pull_request_review_comment", ANY, Gives::Item),
    row("pull_request_review_thread", ANY, NO_TEXT),
    row("check_run", &["completed"], Gives::Checks),
    row("check_run", ANY, NOT_ENDED),
    row("check_suite", &["completed"], Gives::Checks),
    row("check_suite", ANY, NOT_ENDED),
    row("workflow_run", &["completed"], Gives::Checks),
    row("workflow_run", ANY, NOT_ENDED),
    row("workflow_job", ANY, Gives::Nothing("its run and its checks say it, too")),
    row("status", ANY, Gives::Checks),
    row("push", ANY, Gives::Branch),
    row("delete", ANY, Gives::Branch),
    row("create", ANY, BRANCH_SAYS),
    row("installation", ANY, Gives::Installation),
    row("installation_repositories", ANY, Gives::Installation),
    row("installation_target", ANY, Gives::Installation),
    row("repository", &["created", "edited"], SETTINGS),
    row("repository", ANY, Gives::Installation),
    row("public", ANY, Gives::Installation),
    row("ping", ANY, Gives::Nothing("only says that the webhook works")),
    row("meta", ANY, Gives::Nothing("the webhook itself was removed; polling goes on")),
    row("member", ANY, ASKED_LIVE),
    row("membership", ANY, ASKED_LIVE),
    row("team", ANY, ASKED_LIVE),
    row("team_add", ANY, ASKED_LIVE),
    row("organization", ANY, ASKED_LIVE),
    row("org_block", ANY, ASKED_LIVE),
    row("label", ANY, LABELS),
    row("commit_comment", ANY, ELSEWHERE),
    row("discussion", ANY, ELSEWHERE),
    row("discussion_comment", ANY, ELSEWHERE),
    row("fork", ANY, ELSEWHERE),
    row("gollum", ANY, ELSEWHERE),
    row("merge_group", ANY, Gives::Nothing("a merge queue is for people; the checks are heard of")),
    row("repository_dispatch", ANY, ELSEWHERE),
    row("repository_import", ANY, ELSEWHERE),
    row("workflow_dispatch", ANY, ELSEWHERE),
    row("sub_issues", ANY, ELSEWHERE),
    row("issue_dependencies", ANY, ELSEWHERE),
    row("milestone", ANY, BOARDS),
    row("project", ANY, BOARDS),
    row("project_card", ANY, BOARDS),
    row("project_column", ANY, BOARDS),
    row("projects_v2", ANY, BOARDS),
    row("projects_v2_item", ANY, BOARDS),
    row("projects_v2_status_update", ANY, BOARDS),
    row("custom_property", ANY, SETTINGS),
    row("custom_property_values", ANY, SETTINGS),
    row("branch_protection_configuration", ANY, SETTINGS),
    row("branch_protection_rule", ANY, SETTINGS),
    row("repository_ruleset", ANY, SETTINGS),
    row("repository_advisory", ANY, ALERTS),
    row("deploy_key", ANY, SETTINGS),
    row("personal_access_token_request", ANY, ACCOUNT),
    row("code_scanning_alert", ANY, ALERTS),
    row("dependabot_alert", ANY, ALERTS),
    row("repository_vulnerability_alert", ANY, ALERTS),
    row("secret_scanning_alert", ANY, ALERTS),
    row("secret_scanning_alert_location", ANY, ALERTS),
    row("secret_scanning_scan", ANY, ALERTS),
    row("security_advisory", ANY, ALERTS),
    row("security_and_analysis", ANY, SETTINGS),
    row("deployment", ANY, RELEASES),
    row("deployment_protection_rule", ANY, RELEASES),
    row("deployment_review", ANY, RELEASES),
    row("deployment_status", ANY, RELEASES),
    row("package", ANY, RELEASES),
    row("registry_package", ANY, RELEASES),
    row("page_build", ANY, RELEASES),
    row("release", ANY, RELEASES),
    row("github_app_authorization", ANY, ACCOUNT),
    row("marketplace_purchase", ANY, ACCOUNT),
    row("sponsorship", ANY, ACCOUNT),
    row("star", ANY, ACCOUNT),
    row("watch", ANY, ACCOUNT),
];

/// Why an event that is in no row is ignored.
pub(super) const UNKNOWN: &str = "zazen does not know this event";

/// Says what an event comes to.
pub fn gives(event: &str, action: Option<&str>) -> Gives {
    let fits = |rule: &&Rule| {
        rule.event == event
            && (rule.actions.is_empty()
                || action.is_some_and(|action| rule.actions.contains(&action)))
    };
    RULES.iter().find(fits).map_or(Gives::Nothing(UNKNOWN), |rule| rule.gives)
}
