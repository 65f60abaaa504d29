//! The client with real processes: agents that are a few lines of shell, and end in all
//! the ways that an agent can.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;
use zazen_acp::event::{Claim, Event};
use zazen_acp::{Limits, Options, Order, Policy, run};

/// Opens a session, as far as a prompt.
const OPENS: &str = r#"
    read -r hello; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}'
    read -r open; echo '{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s"}}'
    read -r prompt
"#;

/// Ends a turn.
const ENDS: &str = r#"echo '{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}'"#;

fn options(script: &str, dir: &Path) -> Options {
    Options {
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        prompt: "Do it.".to_owned(),
        cwd: dir.to_owned(),
        resume: None,
        modes: Vec::new(),
        login: None,
        policy: Policy::default(),
        servers: Vec::new(),
        limits: Limits {
            start: Duration::from_secs(30),
            stop: Duration::from_secs(30),
            line_bytes_max: 1 << 20,
        },
    }
}

/// Runs an agent to its end.
async fn ran(options: Options, orders: mpsc::Receiver<Order>) -> (Option<Claim>, Vec<Event>) {
    let mut out = Vec::new();
    let claim = run(options, orders, &mut out).await;
    let lines = String::from_utf8(out).expect("text");
    (claim, lines.lines().map(|line| serde_json::from_str(line).expect("an event")).collect())
}

async fn end_of(script: &str) -> (Claim, String) {
    let dir = TempDir::new().expect("a folder");
    let (claim, events) = ran(options(script, dir.path()), mpsc::channel(1).1).await;
    let Some(Event::End { claim: told, text, .. }) = events.last() else {
        panic!("no end: {events:?}");
    };
    assert_eq!(claim, Some(*told));
    (*told, text.clone())
}

#[tokio::test]
async fn each_end_of_a_process_is_told_apart() {
    let said = |text: &str| text.to_owned();
    for (script, expected) in [
        (format!("{OPENS} {ENDS}; cat > /dev/null"), (Claim::Finished, said(""))),
        (format!("{OPENS} {ENDS}"), (Claim::Finished, said(""))),
        (format!("{OPENS} exit 3"), (Claim::Exited, said("it ended with status 3"))),
        (said("exit 0"), (Claim::Exited, said("it ended with status 0"))),
        (format!("{OPENS} kill -9 $$"), (Claim::Crashed, said("it was ended by signal 9"))),
        // A process that it left behind holds its output open.
        (format!("{OPENS} sleep 300 & exit 4"), (Claim::Exited, said("it ended with status 4"))),
    ] {
        assert_eq!(end_of(&script).await, expected, "{script}");
    }
}

#[tokio::test]
async fn an_agent_that_says_nothing_at_its_start_is_given_up() {
    let dir = TempDir::new().unwrap();
    let mut silent = options("read -r hello; cat > /dev/null", dir.path());
    silent.limits.start = Duration::from_millis(50);
    let (claim, _) = ran(silent, mpsc::channel(1).1).await;
    assert_eq!(claim, Some(Claim::Silent));
    let mut cut = options(&format!("{OPENS} exec >&-; cat > /dev/null"), dir.path());
    cut.limits.stop = Duration::from_millis(50);
    assert_eq!(ran(cut, mpsc::channel(1).1).await.0, Some(Claim::Cut));
}

#[tokio::test]
async fn what_cannot_be_started_is_said() {
    let dir = TempDir::new().unwrap();
    let mut missing = options("", dir.path());
    missing.argv = vec!["/nowhere/agent".to_owned()];
    let (claim, events) = ran(missing, mpsc::channel(1).1).await;
    assert_eq!(claim, Some(Claim::NotStarted));
    assert!(format!("{events:?}").contains("`/nowhere/agent` cannot be started"), "{events:?}");
    for wrong in [
        Options { argv: vec![], ..options("", dir.path()) },
        Options { prompt: " \n".to_owned(), ..options("", dir.path()) },
        Options { cwd: "elsewhere".into(), ..options("", dir.path()) },
    ] {
        let (claim, events) = ran(wrong, mpsc::channel(1).1).await;
        assert_eq!(claim, None);
        assert!(matches!(events[..], [Event::Error { .. }]), "{events:?}");
    }
}

#[tokio::test]
async fn a_long_prompt_reaches_an_agent_that_talks_before_it_reads() {
    let dir = TempDir::new().unwrap();
    let noise = "head -c 300000 /dev/zero | tr '\\0' x; echo";
    let script = format!("{noise}; {OPENS} printf %s \"$prompt\" > prompt; {noise}; {ENDS}");
    let mut long = options(&script, dir.path());
    long.prompt = "wörd ".repeat(100_000);
    let expected = long.prompt.clone();
    assert_eq!(ran(long, mpsc::channel(1).1).await.0, Some(Claim::Finished));
    let sent = fs::read_to_string(dir.path().join("prompt")).unwrap();
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["params"]["prompt"][0]["text"], expected);
}

#[tokio::test]
async fn a_stop_is_told_to_the_agent_and_nothing_of_it_is_left() {
    let dir = TempDir::new().unwrap();
    // It leaves a child behind that does not listen to anybody.
    let script = format!(
        "{OPENS} sh -c 'trap \"\" TERM; echo $$ > left; exec sleep 300' & \
         echo '{{\"method\":\"ready\"}}'; read -r cancel; printf %s \"$cancel\" > cancel; \
         echo '{{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{{\"stopReason\":\"cancelled\"}}}}'; wait"
    );
    let (orders, taken) = mpsc::channel(1);
    let mut stopped = options(&script, dir.path());
    stopped.limits.stop = Duration::from_millis(200);
    let told = async {
        let left = dir.path().join("left");
        while !fs::read_to_string(&left).is_ok_and(|pid| pid.ends_with('\n')) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        orders.send(Order::Stop).await.unwrap();
    };
    let ((claim, _), ()) = tokio::join!(ran(stopped, taken), told);
    assert_eq!(claim, Some(Claim::Cancelled));
    assert!(fs::read_to_string(dir.path().join("cancel")).unwrap().contains("session/cancel"));
    let left = fs::read_to_string(dir.path().join("left")).unwrap();
    assert!(is_gone(left.trim()), "{left} is left");
}

/// Whether a process is gone, or about to be.
fn is_gone(pid: &str) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(120) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return true;
        }
        std::thread::yield_now();
    }
    false
}
