//! Servers of tools and lists of what is denied, with the real Claude Code in bubblewrap.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::claude;
use crate::harness::machine::files_with;
use crate::harness::model::{Call, Model, SMALL_PLAN, Turn, script, small_script};
use crate::harness::place::{Place, git};

/// The key of the service, which no sandbox may ever hold.
const KEY: &str = "mcp-canary-5b1d7e90aa42c3f6";

/// Puts the test's server into a folder of its own, and returns the program.
fn write_server(place: &Place) -> PathBuf {
    let folder = place.home().with_file_name("owls");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let program = folder.join("server");
    fs::write(&program, include_str!("../fixtures/owls-server.py")).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    program
}

/// Takes the issue to its draft, and returns the files of the branch.
fn files_after(place: &mut Place) -> String {
    place.carry_through();
    let (branch, _) = place.branches().remove(0);
    let files = git(&place.remote(), &["ls-tree", "-r", "--name-only", &branch]);
    place.down();
    files
}

/// The names of the tools that a call offered the model.
fn tools(call: &Call) -> Vec<String> {
    let request: Value = serde_json::from_str(&call.body).expect("JSON");
    let tools = request["tools"].as_array().cloned().unwrap_or_default();
    tools.iter().map(|tool| tool["name"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The calls of one phase.
fn calls(model: &Model, label: &str) -> Vec<Call> {
    model.calls().into_iter().filter(|call| call.label == label).collect()
}

/// A step in which the agent asks for two tools, then writes its line.
fn asking(tools: [(&str, Value); 2]) -> Model {
    let [first, second] = tools.map(|(name, input)| Turn::call(name, &input));
    Model::start(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        (
            "implement/1",
            vec![first, second, Turn::run("echo hello >> README.md"), Turn::say("It says hello.")],
        ),
    ]))
}

#[test]
fn a_server_is_started_in_the_sandbox_and_only_its_listed_tools_are_called() {
    let model =
        asking([("mcp__owls__count", json!({ "n": 6 })), ("mcp__owls__delete", json!({ "n": 1 }))]);
    let Some(setup) = claude::setup(&model, "") else { return };
    let mut place = Place::new(&setup);
    let program = write_server(&place);
    let servers = format!(
        "[mcp.owls]\ncommand = [\"{0}\", \"owls\"]\ntools = [\"count\"]\n\
         env = {{ OWLS = \"two\" }}\n\
         [mcp.cats]\ncommand = [\"{0}\", \"cats\"]\nrepos = []\n[[repo]]\n",
        program.display()
    );
    place.configure("[[repo]]\n", &servers);
    let files = files_after(&mut place);
    assert!(files.contains("STARTED-owls"), "{files}");
    assert!(!files.contains("STARTED-cats"), "a server that is for no repository: {files}");
    let calls = calls(&model, "implement/1");
    let offered = tools(&calls[0]);
    assert!(offered.contains(&"mcp__owls__count".to_owned()), "{offered:?}");
    assert!(!offered.contains(&"mcp__owls__delete".to_owned()), "{offered:?}");
    let last = &calls.last().expect("calls").body;
    assert!(last.contains("CANARY-owls-42-two"), "{last}");
    assert!(!last.contains("CANARY-DELETED"), "{last}");
}

/// What a service was asked: the tool, and the credential that came with it.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// A service with two tools, which wants the key, and says it back.
struct Service {
    url: String,
    asked: Asked,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Service {
    fn start() -> Self {
        let asked = Asked::default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listener).expect("a port on loopback");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(serve).with_state(Arc::clone(&asked));
        runtime.handle().spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        Self { url, asked, runtime: Some(runtime) }
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().expect("no test panics with it").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(
    State(asked): State<Asked>,
    headers: axum::http::HeaderMap,
    body: String,
) -> Response {
    let Ok(message) = serde_json::from_str::<Value>(&body) else {
        return axum::http::StatusCode::METHOD_NOT_ALLOWED.into_response();
    };
    if message["id"].is_null() {
        return axum::http::StatusCode::ACCEPTED.into_response();
    }
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    let shown = shown.unwrap_or_default().to_owned();
    let result = match message["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "issues", "version": "1" },
        }),
        "tools/list" => {
            let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
            let tool = |name: &str| {
                let text = "Of issues.";
                json!({ "name": name, "description": text, "inputSchema": schema })
            };
            json!({ "tools": [tool("find"), tool("close")] })
        }
        "tools/call" => {
            let tool = message["params"]["name"].as_str().unwrap_or_default().to_owned();
            let n = message["params"]["arguments"]["n"].as_u64().unwrap_or_default() * 7;
            asked.lock().expect("no test panics with it").push((tool, shown.clone()));
            json!({ "content": [{ "type": "text", "text": format!("CANARY-ISSUE-{n} {shown}") }] })
        }
        _ => json!({}),
    };
    let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
    ([("content-type", "application/json")], answer.to_string()).into_response()
}

#[test]
fn a_service_is_asked_by_the_gateway_and_its_key_is_nowhere_else() {
    let service = Service::start();
    let model = asking([
        ("mcp__issues__find", json!({ "n": 6 })),
        ("mcp__issues__close", json!({ "n": 1 })),
    ]);
    let Some(setup) = claude::setup(&model, "") else { return };
    let mut place = Place::new(&setup);
    let servers = format!(
        "[mcp.issues]\nurl = \"{}\"\nkey_env = \"ZAZEN_TEST_MCP_KEY\"\ntools = [\"find\"]\n\
         [[repo]]\n",
        service.url
    );
    place.configure("[[repo]]\n", &servers);
    place.set("ZAZEN_TEST_MCP_KEY", KEY);
    files_after(&mut place);
    let calls = calls(&model, "implement/1");
    let offered = tools(&calls[0]);
    assert!(offered.contains(&"mcp__issues__find".to_owned()), "{offered:?}");
    assert!(!offered.contains(&"mcp__issues__close".to_owned()), "{offered:?}");
    let last = &calls.last().expect("calls").body;
    assert!(last.contains("CANARY-ISSUE-42"), "{last}");
    assert_eq!(service.asked(), [("find".to_owned(), format!("Bearer {KEY}"))]);
    assert!(model.calls().iter().all(|call| !call.body.contains(KEY)), "the service said it back");
    assert_eq!(files_with(KEY, &place.home()), Vec::<PathBuf>::new());
    let egress = place.home().join(".zazen/runs/1.2/egress.jsonl");
    let egress = fs::read_to_string(egress).expect("the log of the run");
    assert!(egress.contains(r#""rule":"mcp.issues""#), "{egress}");
}

#[test]
fn claude_code_does_not_run_what_is_denied() {
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        (
            "implement/1",
            vec![
                Turn::run("git tag CANARY-TAG"),
                Turn::run("echo hello >> README.md"),
                Turn::say("It says hello."),
            ],
        ),
    ]));
    let Some(mut setup) = claude::setup(&model, "") else { return };
    setup
        .more
        .push_str("[policy]\ncommands_denied = [\"git tag\"]\ntools_denied = [\"NotebookEdit\"]\n");
    let mut place = Place::new(&setup);
    files_after(&mut place);
    let calls = calls(&model, "implement/1");
    let offered = tools(&calls[0]);
    assert!(!offered.contains(&"NotebookEdit".to_owned()), "{offered:?}");
    assert!(offered.contains(&"Edit".to_owned()), "{offered:?}");
    let second = &calls[1].body;
    assert!(second.contains("has been denied"), "{second}");
}

#[test]
fn mini_does_not_run_what_is_denied_and_says_that_it_has_no_servers() {
    let model = Model::start(script(&[(
        "plan",
        vec![Turn::run("touch /tmp/x; git tag CANARY-TAG"), Turn::say(SMALL_PLAN)],
    )]));
    let setup = crate::harness::place::Setup::mini("none", &model.url());
    let more = "[policy]\ncommands_denied = [\"git tag\"]\n\
                [mcp.owls]\ncommand = [\"owls\"]\n";
    let mut place = Place::new(&crate::harness::place::Setup { more: more.to_owned(), ..setup });
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval", "failed"]);
    let second = &calls(&model, "plan")[1].body;
    assert!(second.contains("`git tag` is denied here"), "{second}");
    assert!(place.log().contains("the server `owls` is not given: `mini` takes none"));
    let doctor = String::from_utf8(place.try_zazen(&["doctor"]).stdout).expect("text");
    assert!(doctor.contains("mcp.owls") && doctor.contains("takes no servers"), "{doctor}");
    place.down();
}

#[test]
fn a_server_whose_program_is_gone_is_named_before_an_agent_starts() {
    let model = Model::start(small_script());
    let Some(mut setup) = claude::setup(&model, "") else { return };
    setup.more.push_str("[mcp.owls]\ncommand = [\"/nowhere/owls\"]\n");
    let mut place = Place::new(&setup);
    let doctor = String::from_utf8(place.try_zazen(&["doctor"]).stdout).expect("text");
    assert!(doctor.contains("mcp.owls") && doctor.contains("/nowhere/owls"), "{doctor}");
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["failed"]);
    place.wait("the page says it", |place| {
        let page = place.zazen(&["task", "show", "1"]);
        page.contains("the program of the server `owls`").then_some(())
    });
    assert_eq!(model.calls().len(), 0);
    place.down();
}
