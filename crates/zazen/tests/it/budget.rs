//! What happens when there is nothing left to spend.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use crate::harness::model::{Model, Turn, demo_script, script, small_script};
use crate::harness::place::{KEY, Place, Setup};

/// A home whose configuration ends with these lines.
fn place(model: &Model, more: &str) -> Place {
    Place::new(&Setup { more: more.to_owned(), ..Setup::mini("none", &model.url()) })
}

#[test]
fn a_task_at_its_budget_says_so_and_goes_on_from_its_commits_when_it_is_raised() {
    let model = Model::start(demo_script());
    // The plan and the first step fit into it, and nothing more.
    let mut place = place(&model, "[budget]\nreserve = \"0%\"\n[budget.tokens]\ntask = \"10k\"\n");
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["failed", "drafted"]);
    let said = place.wait_said(1, "I gave up: a budget is used up.");
    assert!(said.contains("the budget of this task is used up: 1"), "{said}");
    assert!(said.contains("of 10.0k tokens (`budget.tokens.task`)"), "{said}");
    assert!(said.contains("The finished commits are kept"), "{said}");
    let shown = place.zazen(&["task", "show", "1"]);
    assert!(shown.contains("of 10.0k tokens"), "{shown}");
    assert_eq!(model.prompts("implement/2").len(), 0, "nothing is begun that would be refused");

    place.down();
    place.configure("task = \"10k\"", "task = \"1M\"");
    place.up();
    place.zazen(&["issue", "comment", "1", "/retry"]);
    place.wait_for(1, &["drafted"]);
    assert_eq!(place.pulls().len(), 1);
    assert_eq!(model.prompts("implement/1").len(), 1, "the finished step is not done again");
    place.down();
}

#[test]
fn a_run_at_its_budget_is_not_tried_again_and_what_it_did_is_kept() {
    let model = Model::start(small_script());
    let mut place = place(&model, "[budget]\nrun = \"$0.0001\"\n");
    place.carry_out();
    place.wait_for(1, &["failed", "drafted"]);
    let said = place.wait_said(1, "I gave up: a budget is used up.");
    assert!(said.contains("of $0.0001 (`budget.run`)"), "{said}");
    assert!(said.contains("Raise that limit in `zazen.toml`"), "{said}");
    assert_eq!(model.calls().len(), 2, "the second call of the step was not made");
    place.down();
    let recording = place.home().join(".zazen/runs/1.2/recording.jsonl");
    let recording = std::fs::read_to_string(recording).expect("a recording");
    assert!(recording.contains("\"refused\":{\"scope\":\"run\",\"unit\":\"money\""), "{recording}");
    assert_eq!(place.branches(), Vec::new(), "nothing was published");
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn what_was_spent_in_a_day_counts_after_a_restart_and_for_other_tasks() {
    let model = Model::start(small_script());
    let mut place = place(&model, "[budget.tokens]\nday = \"900\"\nrepo_month = \"5M\"\n");
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.down();
    let status = place.zazen(&["status"]);
    assert!(status.contains("of 900 tokens\n"), "{status}");
    assert!(status.contains("budget local/tally this month: 966 of 5.0M tokens"), "{status}");

    place.up();
    place.zazen(&["issue", "new", "Say more", "--body", "/ask What does it say?"]);
    place.wait_for(2, &["parked", "failed", "closed"]);
    let said = place.wait_said(2, "This waits: the budget of this day is used up.");
    assert!(said.contains("00:00 UTC. It then goes on by itself."), "{said}");
    let status = place.zazen(&["status"]);
    assert!(status.contains("parked (budget of the day) until"), "{status}");
    assert_eq!(model.calls().len(), 1, "nobody asked the model again");
    place.down();
}

#[test]
fn a_model_without_a_price_counts_at_the_worst_case_and_is_shown_as_unknown() {
    let model = Model::start(small_script());
    let setup = Setup {
        harness: "use = \"mini\"\nmodel = \"house-1\"\n".to_owned(),
        more: "[budget]\nrun = \"$0.01\"\nunknown = { input = 100, output = 100 }\n".to_owned(),
        ..Setup::mini("none", &model.url())
    };
    let mut place = Place::new(&setup);
    place.carry_out();
    place.wait_for(1, &["failed", "drafted"]);
    let said = place.wait_said(1, "I gave up: a budget is used up.");
    assert!(said.contains("of it are assumed, as a price"), "{said}");
    let shown = place.zazen(&["task", "show", "1"]);
    assert!(shown.contains("cost: unknown ("), "{shown}");
    place.down();
}

#[test]
fn mending_red_checks_may_use_the_reserve() {
    let red = "echo nothing > other.md";
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(crate::harness::model::SMALL_PLAN)]),
        ("implement/1", vec![Turn::run(red), Turn::say("Done.")]),
        ("correct", vec![Turn::run("echo hello >> README.md"), Turn::say("Mended.")]),
    ]));
    // The plan and the step take some 3,700 tokens, the mending as many again.
    let mut place = place(&model, "[budget]\nreserve = \"60%\"\n[budget.tokens]\ntask = \"8k\"\n");
    place.carry_out();
    place.wait_for(1, &["failed", "drafted"]);
    assert_eq!(place.pulls().len(), 1, "{:?}", place.said(1));
    let shown = place.zazen(&["task", "show", "1"]);
    assert!(shown.contains("of 8.0k tokens"), "{shown}");
    assert!(!shown.contains(KEY));
    place.down();
}

/// A service that leaves its first call without an answer, and answers the others.
struct Sluggish {
    url: String,
    /// Says that the first call is there.
    first: mpsc::Receiver<()>,
}

impl Sluggish {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let (came, first) = mpsc::channel();
        // It ends with the test's process.
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming().flatten() {
                if kept.is_empty() {
                    read_request(&stream);
                    kept.push(stream);
                    came.send(()).expect("the test waits");
                } else {
                    std::thread::spawn(move || answer(&stream));
                }
            }
        });
        Self { url, first }
    }
}

/// Reads one request, whose length is in its head.
fn read_request(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut n_bytes = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).expect("a head") > 2 {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            n_bytes = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; n_bytes]).expect("a body");
}

fn answer(mut stream: &TcpStream) {
    read_request(stream);
    let choice = "{\"index\":0,\"finish_reason\":\"stop\",\"delta\":{\"content\":\"It sums.\"}}";
    let usage = "{\"prompt_tokens\":100,\"completion_tokens\":10}";
    let body = format!(
        "data: {{\"choices\":[{choice}]}}\n\ndata: {{\"choices\":[],\"usage\":{usage}}}\n\n\
         data: [DONE]\n\n"
    );
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("it is read");
}

#[test]
fn a_call_under_way_when_the_daemon_is_killed_counts_at_its_worst_case() {
    let service = Sluggish::start();
    let mut place = Place::new(&Setup {
        harness: "use = \"mini\"\nmodel = \"gpt-4o\"\nroute = \"house\"\n".to_owned(),
        more: format!("[models.house]\napi = \"openai\"\nbase_url = \"{}\"\n", service.url),
        ..Setup::mini("none", "http://127.0.0.1:1")
    });
    place.up();
    place.zazen(&["issue", "new", "Sums", "--body", "/ask What does it do?"]);
    service.first.recv().expect("a call");
    place.kill();
    place.up();
    place.wait_for(1, &["closed", "failed"]);
    place.down();
    let shown = place.zazen(&["task", "show", "1"]);
    // 100 x 2.5 + 10 x 10 millionths are known.
    assert!(shown.contains("cost: unknown, at least $0.0004 (110 tokens, 2 calls)"), "{shown}");
    assert!(shown.contains("budget this task: $1.2"), "128,000 tokens out are assumed: {shown}");
}
