use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use expect_test::expect;

use crate::{At, Codex, Harness, Kit, Launch, Name, Order, Server, Session, Task};

fn codex(effort: &str) -> Harness {
    Harness::Codex(Codex {
        program: PathBuf::from("/opt/codex/bin/codex"),
        folder: PathBuf::from("/opt/codex"),
        model: "gpt-5.5".to_owned(),
        effort: effort.to_owned(),
    })
}

fn launch(task: Task, session: Option<Session<'_>>, denied: &[&str]) -> Launch {
    let mut kit = Kit::default();
    kit.denied.commands = denied.iter().map(|words| words.parse().unwrap()).collect();
    let (prompt, route, token) = ("Plan it.", "openai", "t0ken");
    codex("high").launch(Order { task, prompt, route, token, session, kit: &kit })
}

#[test]
fn codex_is_started_with_the_token_and_the_gateway_and_nothing_of_ours() {
    let launch = launch(Task::Write, Some(Session::New("an-id")), &["git push", "curl"]);
    assert_eq!(launch.stdin, "Plan it.");
    assert_eq!(launch.open_until, None, "its input is closed, or it waits for ever");
    assert_eq!(launch.tools, [PathBuf::from("/opt/codex")]);
    let mut text = launch.argv.join(" ").replace(" -c ", "\n  -c ");
    assert!(!text.contains("t0ken"), "arguments can be read by everybody");
    for (name, value) in &launch.env {
        write!(text, "\n{name}={value}").unwrap();
    }
    for (path, content) in &launch.files {
        write!(text, "\n{path}:\n{content}").unwrap();
    }
    expect![[r#"
        /opt/codex/bin/codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox
          -c model_provider="zazen"
          -c model_providers.zazen.name="zazen"
          -c model_providers.zazen.wire_api="responses"
          -c check_for_update_on_startup=false
          -c analytics.enabled=false
          -c otel.metrics_exporter="none"
          -c features.plugins=false
          -c features.apps=false
          -c web_search="disabled"
          -c project_doc_max_bytes=0
          -c skills.include_instructions=false
          -c features.hooks=false
          -c model_providers.zazen.base_url="{gateway}/openai/v1"
          -c model_providers.zazen.env_key="ZAZEN_CODEX_TOKEN"
          -c model_providers.zazen.request_max_retries=2
          -c model_providers.zazen.stream_max_retries=2
          -c model_reasoning_effort="high" --model gpt-5.5 -
        CODEX_HOME={home}/codex
        ZAZEN_CODEX_TOKEN=t0ken
        codex/config.toml:

        codex/rules/zazen.rules:
        prefix_rule(pattern=["git", "push"], decision="forbidden", justification="The owner of this machine denies it.")
        prefix_rule(pattern=["curl"], decision="forbidden", justification="The owner of this machine denies it.")
    "#]].assert_eq(&text);
}

#[test]
fn a_run_of_codex_that_may_only_read_is_told_so() {
    let launch = launch(Task::Read, None, &[]);
    assert_eq!(launch.stdin, "Change no file: the directory is read-only.\n\nPlan it.");
    assert_eq!(launch.files.keys().collect::<Vec<_>>(), ["codex/config.toml"]);
}

#[test]
fn a_session_of_codex_that_is_resumed_gets_every_setting_again() {
    let new = launch(Task::Write, Some(Session::New("an-id")), &[]);
    let resumed = launch(Task::Write, Some(Session::Resumed("an-id")), &[]);
    assert!(!new.argv.contains(&"an-id".to_owned()), "it names a new one itself");
    assert_eq!(resumed.argv[1..3], ["exec", "resume"]);
    assert!(resumed.argv.ends_with(&["an-id".to_owned(), "-".to_owned()]));
    let others = resumed.argv.into_iter().filter(|arg| arg != "resume" && arg != "an-id");
    assert_eq!(others.collect::<Vec<_>>(), new.argv);
}

#[test]
fn servers_are_settings_of_codex_and_their_token_is_in_no_argument() {
    let mut kit = Kit::default();
    let (url, token) = ("{gateway}/mcp/issues".to_owned(), "serv3r".to_owned());
    let issues = Server { at: At::Gateway { url, token }, tools: Vec::new() };
    let argv = ["owls", "--say", "\"hoot\""].map(str::to_owned).into();
    let env = BTreeMap::from([("OWLS".to_owned(), "two".to_owned())]);
    let owls = Server { at: At::Program { argv, env }, tools: vec!["count".parse().unwrap()] };
    kit.servers = BTreeMap::from([("issues".to_owned(), issues), ("owls".to_owned(), owls)]);
    let (task, prompt, route, token) = (Task::Write, "", "openai", "t0ken");
    let launch = codex("").launch(Order { task, prompt, route, token, session: None, kit: &kit });
    let argv = launch.argv.iter().filter(|arg| arg.starts_with("mcp_servers."));
    expect![[r#"
        mcp_servers.issues.url="{gateway}/mcp/issues"
        mcp_servers.issues.bearer_token_env_var="ZAZEN_SERVERS_TOKEN"
        mcp_servers.issues.default_tools_approval_mode="approve"
        mcp_servers.owls.command="{zazen}"
        mcp_servers.owls.args=["mcp-filter", "--only", "count", "--", "owls", "--say", "\"hoot\""]
        mcp_servers.owls.env={OWLS="two"}
        mcp_servers.owls.default_tools_approval_mode="approve""#]]
    .assert_eq(&argv.cloned().collect::<Vec<_>>().join("\n"));
    assert_eq!(launch.env["ZAZEN_SERVERS_TOKEN"], "serv3r");
}

#[test]
fn codex_thinks_as_much_as_it_likes_where_nobody_says() {
    let kit = Kit::default();
    let (task, prompt, route, token) = (Task::Write, "", "openai", "t0ken");
    let launch = codex("").launch(Order { task, prompt, route, token, session: None, kit: &kit });
    assert!(!launch.argv.join(" ").contains("effort"), "{:?}", launch.argv);
    assert!(Name::Codex.knows_effort());
}
