use expect_test::expect;
use zazen_core::trace::Claim;

use super::*;
use crate::{Dialect, Facts, Kit, Reader};

fn launched(api: Api, task: Task) -> Launch {
    let aider = Aider {
        program: "/opt/aider/bin/aider".into(),
        folders: vec!["/opt/aider".into()],
        model: "large".to_owned(),
        api,
    };
    let kit = Kit::default();
    launch(
        &aider,
        Order { task, prompt: "Do it.", route: "r", token: "t0ken", session: None, kit: &kit },
    )
}

#[test]
fn it_finds_the_gateway_asks_nobody_and_commits_nothing() {
    let launch = launched(Api::OpenAi, Task::Write);
    assert_eq!(launch.files[PROMPT_FILE], "Do it.");
    let line = launch.argv.join(" ");
    assert!(!line.contains("t0ken"), "arguments can be read by everybody");
    expect![[r#"
        /opt/aider/bin/aider
        --model
        openai/large
        --message-file
        {home}/prompt.md
        --yes-always
        --no-pretty
        --no-stream
        --no-fancy-input
        --no-auto-commits
        --no-dirty-commits
        --no-auto-lint
        --no-auto-test
        --no-check-update
        --no-analytics
        --no-gitignore
        --no-show-model-warnings
        --no-show-release-notes
        --no-suggest-shell-commands
        --no-detect-urls
        --disable-playwright
        --map-tokens
        2048
        --no-restore-chat-history
        --chat-history-file
        {home}/.aider/chat
        --input-history-file
        {home}/.aider/input"#]]
    .assert_eq(&launch.argv.join("\n"));
    assert_eq!(launch.env["OPENAI_API_BASE"], "{gateway}/r/v1");
    assert_eq!(launch.env["OPENAI_API_KEY"], "t0ken");
    let launch = launched(Api::Anthropic, Task::Read);
    assert_eq!(launch.argv[2], "anthropic/large");
    assert!(launch.argv.join(" ").contains("--chat-mode ask"));
    assert_eq!(launch.env["ANTHROPIC_API_BASE"], "{gateway}/r");
}

fn concluded(text: &str) -> (Claim, String) {
    let mut reader = Reader::of(Dialect::Aider);
    for line in text.lines() {
        reader.read(line);
    }
    let facts = Facts { code: Some(0), ..Facts::default() };
    (reader.conclude(&facts).claim, reader.answer().to_owned())
}

#[test]
fn an_answer_is_what_was_said_before_it_says_what_that_used() {
    let text = "Aider v0.86.2\nModel: openai/x with ask edit format\n\
        Repo-map: using 2048 tokens\n\nLet me see.\n\nTokens: 1.2k sent, 57 received.\n\n\
        ## Summary\n\nIt is so.\n\n\
        Tokens: 4.6k sent, 1,234 cache hit, 12 received. Cost: $0.01 message, $0.02 session.\n\n";
    let answer = "## Summary\n\nIt is so.".to_owned();
    assert_eq!(concluded(text), (Claim::Finished, answer));
}

#[test]
fn what_ends_without_an_answer_is_no_success() {
    let begun = "Aider v0.86.2\nRepo-map: disabled\n\nIt is do";
    assert_eq!(concluded(begun).0, Claim::Crashed);
    let refused = format!("{begun}\nTokens: 9 sent, 9 received.\nlitellm.Timeout: it took long\n");
    assert_eq!(concluded(&refused).0, Claim::Crashed);
    let over = format!("{refused}So.\nTokens: 9 sent, 9 received.\n");
    assert_eq!(concluded(&over), (Claim::Finished, "So.".to_owned()));
}

#[test]
fn what_was_used_is_read_as_it_is_printed_for_people() {
    let tokens = |line| used(line).map(|it| (it.input, it.output, it.cache_read, it.cache_write));
    assert_eq!(tokens("Tokens: 900 sent, 50 received."), Some((900, 50, 0, 0)));
    let line = "Tokens: 4.6k sent, 12 cache write, 1,234 cache hit, 1.5M received. Cost: $0.10 x";
    assert_eq!(tokens(line), Some((3354, 1_500_000, 1234, 12)));
    for line in ["Tokens: many", "Tokens: ", "Tokens", "tokens: 1 sent", "Tokens: 1 sent, x y."] {
        assert_eq!(tokens(line), None, "{line}");
    }
    let mut memory = Memory::default();
    let said = read(&mut memory, "Tokens: many, I would think");
    assert!(matches!(said.as_slice(), [Event::Text { .. }]), "{said:?}");
}
