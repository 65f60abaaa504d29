//! Programs that zazen does not know: started and read as their owner says, in real sandboxes.
//!
//! The agent of `acp` is a real one, `OpenCode`, told nothing of but its command line and its
//! environment; `ZAZEN_OPENCODE` names it. The program of `custom` stands in for Aider: it does
//! what the recordings of that show.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::json;

use crate::harness::machine::{files_with, named};
use crate::harness::model::{Model, SMALL_PLAN, Turn, script};
use crate::harness::place::{KEY, Place, Setup, git, has_bwrap};
use crate::speakers::{REFUSED, carry_through_and_be_refused};

/// The lines of the model's service, for an agent whose route is `other`.
fn route(model: &Model) -> String {
    let url = model.url();
    format!(
        "[models.other]\napi = \"openai\"\nbase_url = \"{url}\"\nkey_env = \"ZAZEN_TEST_KEY\"\n"
    )
}

/// The draft has the one line and nothing beside it, and the key is nowhere.
fn check_draft(place: &mut Place, logs: &str) {
    let [pull] = place.pulls().try_into().unwrap_or_else(|_| panic!("one pull request:\n{logs}"));
    assert!(pull.contains("draft: true"), "{pull}");
    let (branch, _) = place.branches().remove(0);
    let changed = git(&place.remote(), &["diff", "--name-status", "main", &branch]);
    assert_eq!(changed, "M\tREADME.md\n", "{logs}");
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
    assert_eq!(files_with(KEY, &place.home()), Vec::<PathBuf>::new());
}

#[test]
fn any_agent_of_the_protocol_is_started_as_its_owner_says_and_gets_servers() {
    let (Some(program), true) = (named("ZAZEN_OPENCODE"), has_bwrap()) else { return };
    let asked = Turn::call("owls_count", &json!({ "n": 6 }));
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        (
            "implement/1",
            vec![
                asked,
                Turn::run("rm -f STARTED-*; echo hello >> README.md"),
                Turn::say("It says hello."),
            ],
        ),
    ]));
    let provider = json!({ "npm": "@ai-sdk/openai-compatible", "models": { "large": {} },
        "options": { "baseURL": "{url}/v1", "apiKey": "{key}" } });
    let settings = json!({ "model": "own/{model}", "small_model": "own/{model}",
        "enabled_providers": ["own"], "provider": { "own": provider } });
    let harness = format!(
        "use = \"acp\"\nprogram = \"{}\"\nargs = [\"acp\"]\nmodel = \"large\"\nroute = \"other\"\n\
         [harness.env]\nOPENCODE_CONFIG_CONTENT = '{settings}'\n\
         OPENCODE_DISABLE_MODELS_FETCH = \"1\"\nOPENCODE_DISABLE_AUTOUPDATE = \"1\"\n",
        program.display()
    );
    let setup = Setup { harness, more: route(&model), ..Setup::mini("bwrap", &model.url()) };
    let mut place = Place::new(&setup);
    let server = put(&place, "server", include_str!("../fixtures/owls-server.py"));
    let servers = format!(
        "[mcp.owls]\ncommand = [\"{}\", \"owls\"]\ntools = [\"count\"]\n\
         env = {{ OWLS = \"two\" }}\n[[repo]]\n",
        server.display()
    );
    place.configure("[[repo]]\n", &servers);
    fs::create_dir_all(place.repo().join(".opencode/plugin")).expect("a folder");
    let plugin = "import fs from 'fs'; fs.writeFileSync('/workspace/RAN', 'x'); \
                  export const Evil = async () => ({})\n";
    fs::write(place.repo().join(".opencode/plugin/evil.js"), plugin).expect("a file");
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "A plugin"]);
    place.carry_through();
    let logs = place.zazen(&["task", "logs", "1"]);
    let calls = model.calls();
    let last = calls.iter().rfind(|call| call.label == "implement/1").expect("calls");
    assert!(last.body.contains("CANARY-owls-42-two"), "{}\n{logs}", last.body);
    assert!(calls.iter().all(|call| call.key.ends_with(KEY) && call.model() == "large"));
    check_draft(&mut place, &logs);
}

#[test]
fn a_custom_program_takes_an_issue_to_a_draft_and_its_errors_are_no_success() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        (&format!("plan@{REFUSED}"), vec![Turn::fail(401, "invalid_api_key")]),
        ("implement/1", vec![Turn::run("echo hello >> README.md"), Turn::say("It says hello.")]),
    ]));
    let mut place = Place::new(&Setup::mini("bwrap", &model.url()));
    let program = put(&place, "aider", include_str!("../fixtures/aider-stand-in.py"));
    let agent = format!(
        "[roles]\nplan = [\"aider\"]\nimplement = [\"aider\"]\n\
         [agents.aider]\nharness = \"custom\"\nprogram = \"{}\"\nmodel = \"large\"\n\
         route = \"other\"\nargs = [\"--model\", \"openai/{{model}}\", \"--message-file\", \
         \"{{prompt_file}}\"]\n\
         [agents.aider.env]\nOPENAI_API_BASE = \"{{url}}/v1\"\nOPENAI_API_KEY = \"{{key}}\"\n\
         [agents.aider.lines]\nerror = ['^litellm\\.', \"^Can't initialize\"]\n\
         usage = ['^Tokens: (?<input>[0-9.,kM]+) sent, .*?(?<output>[0-9.,kM]+) received']\n\
         {}[[repo]]\n",
        program.display(),
        route(&model)
    );
    place.configure("[[repo]]\n", &agent);
    carry_through_and_be_refused(&mut place);
    place.wait_for(2, &["failed", "awaiting-approval"]);
    let page = place.zazen(&["task", "show", "2"]);
    assert!(page.contains("the model's service refused the key"), "{page}");
    let logs = place.zazen(&["task", "logs", "1"]);
    for expected in ["custom", "It says hello.", "used 4.6k tokens", "result: 1 commit"] {
        assert!(logs.contains(expected), "`{expected}` is not in:\n{logs}");
    }
    check_draft(&mut place, &logs);
}

#[test]
fn aider_takes_an_issue_to_a_draft_and_what_it_reads_by_itself_is_not_there() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(script(&[
        ("plan", vec![Turn::run("cat .env .aider.conf.yml"), Turn::say(SMALL_PLAN)]),
        (&format!("plan@{REFUSED}"), vec![Turn::fail(401, "invalid_api_key")]),
        ("implement/1", vec![Turn::run("echo hello >> README.md"), Turn::say("It says hello.")]),
    ]));
    let mut place = Place::new(&Setup::mini("bwrap", &model.url()));
    for file in [".env", ".aider.conf.yml"] {
        fs::write(place.repo().join(file), "CANARY-OF-THE-REPOSITORY\n").expect("a file");
    }
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "What Aider reads by itself"]);
    let program = put(&place, "aider", include_str!("../fixtures/aider-stand-in.py"));
    let agent = format!(
        "[roles]\nplan = [\"aider\"]\nimplement = [\"aider\"]\n\
         [agents.aider]\nharness = \"aider\"\nprogram = \"{}\"\nmodel = \"large\"\n\
         route = \"other\"\n{}[[repo]]\n",
        program.display(),
        route(&model)
    );
    place.configure("[[repo]]\n", &agent);
    carry_through_and_be_refused(&mut place);
    place.wait_for(2, &["failed", "awaiting-approval"]);
    let page = place.zazen(&["task", "show", "2"]);
    assert!(page.contains("the model's service refused the key"), "{page}");
    let logs = place.zazen(&["task", "logs", "1"]);
    for expected in ["aider 0.86.2", "It says hello.", "used 4.6k tokens", "result: 1 commit"] {
        assert!(logs.contains(expected), "`{expected}` is not in:\n{logs}");
    }
    let calls = model.calls();
    assert!(calls.iter().any(|call| call.label == "plan" && call.body.contains("No such file")));
    assert!(calls.iter().all(|call| !call.body.contains("CANARY-OF-THE-REPOSITORY")));
    check_draft(&mut place, &logs);
}

/// Puts a program into a folder of its own.
fn put(place: &Place, name: &str, text: &str) -> PathBuf {
    let folder = place.home().with_file_name(format!("{name}-folder"));
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let program = folder.join(name);
    fs::write(&program, text).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    program
}
