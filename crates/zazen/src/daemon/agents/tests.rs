use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use zazen_core::trace::Event;
use zazen_harness::Name;

use super::{Acting, FILE};
use crate::sandbox::{Access, EngineKind, LaunchSpec, Limits, RunDir, SPEC_VERSION, Work};

fn deep() -> Acting {
    Acting {
        agent: "deep".parse().unwrap(),
        harness: Name::Claude,
        model: String::new(),
        effort: "high".to_owned(),
        route: "work".to_owned(),
        version: None,
        lines: None,
        patterns: None,
    }
}

fn started(model: Option<&str>, version: Option<&str>) -> Event {
    let [model, version] = [model, version].map(|word| word.map(str::to_owned));
    Event::Started { session: None, model, version }
}

#[test]
fn who_acts_is_kept_in_the_runs_folder_with_what_the_harness_says_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path().to_owned());
    let mut acting = deep();
    acting.write(&dir).unwrap();
    assert_eq!(Acting::read(&dir), Some(deep()));
    acting.note(&dir, &Event::Text { text: "hello".to_owned() }).unwrap();
    assert_eq!(Acting::read(&dir), Some(deep()));
    acting.note(&dir, &started(Some("opus"), Some("2.1.329"))).unwrap();
    acting.note(&dir, &started(None, None)).unwrap();
    let read = Acting::read(&dir).unwrap();
    assert_eq!((read.model.as_str(), read.version.as_deref()), ("opus", Some("2.1.329")));
    assert_eq!(read, acting);
}

#[test]
fn what_a_later_zazen_adds_does_not_hide_who_acted() {
    let folder = tempfile::tempdir().unwrap();
    let text = json!({ "agent": "deep", "harness": "claude", "effort": "high", "route": "work",
        "temperature": 0.5 });
    std::fs::write(folder.path().join(FILE), text.to_string()).unwrap();
    assert_eq!(Acting::read(&RunDir::new(folder.path().to_owned())), Some(deep()));
}

/// A run's folder as the release before wrote it.
fn old(folder: &Path, argv: &[&str], env: BTreeMap<String, String>) -> Option<Acting> {
    let argv = argv.iter().map(|arg| (*arg).to_owned()).collect();
    let spec = LaunchSpec {
        v: SPEC_VERSION,
        run: "7.1".parse().unwrap(),
        engine: EngineKind::Bwrap,
        task_marker: "7".to_owned(),
        work: Work::Harness { argv, stdin: String::new(), open_until: None },
        env,
        workspace: folder.to_owned(),
        access: Access::ReadOnly,
        objects: folder.to_owned(),
        files: BTreeMap::new(),
        tools: Vec::new(),
        gateway_socket: None,
        collect: None,
        limits: Limits {
            memory_bytes: 1,
            n_processes_max: 1,
            wall: Duration::ZERO,
            silence: Duration::ZERO,
            disk_bytes: 1,
            output_bytes: 1,
        },
        container: None,
    };
    let dir = RunDir::new(folder.to_owned());
    std::fs::write(dir.spec(), serde_json::to_vec(&spec).unwrap()).unwrap();
    Acting::read(&dir)
}

#[test]
fn a_run_of_before_there_were_several_agents_is_read_by_what_it_was_started_with() {
    let folder = tempfile::tempdir().unwrap();
    let url = "{gateway}/house/v1";
    let argv = ["{zazen}", "mini", "--api", "openai", "--base-url", url, "--model", "large"];
    let mini = old(folder.path(), &argv, BTreeMap::new()).unwrap();
    assert_eq!((mini.agent.as_str(), mini.harness), ("default", Name::Mini));
    assert_eq!((mini.route.as_str(), mini.model.as_str()), ("house", "large"));
    let env = BTreeMap::from([("ANTHROPIC_BASE_URL".to_owned(), "{gateway}/plan".to_owned())]);
    let claude = old(folder.path(), &["/opt/claude", "-p", "--verbose"], env).unwrap();
    assert_eq!((claude.harness, claude.route.as_str()), (Name::Claude, "plan"));
    assert_eq!(Acting::read(&RunDir::new(folder.path().join("gone"))), None);
}
