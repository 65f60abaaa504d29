use std::path::PathBuf;
use std::time::Duration;

use zazen_core::id::{RunId, TaskId};

use super::*;
use crate::sandbox::{Access, EngineKind, Limits, SPEC_VERSION, Work};

fn spec(env: &[(&str, String)]) -> LaunchSpec {
    LaunchSpec {
        v: SPEC_VERSION,
        run: RunId { task: TaskId(1), n: 1 },
        engine: EngineKind::None,
        task_marker: String::new(),
        work: Work::Check { command: "true".to_owned() },
        env: env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        files: BTreeMap::new(),
        workspace: PathBuf::new(),
        access: Access::ReadOnly,
        objects: PathBuf::new(),
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
    }
}

#[test]
fn both_tokens_of_a_run_are_renewed_and_nothing_else() {
    let (old, new) = (Token::random().unwrap(), Token::random().unwrap());
    let other = "f".repeat(65);
    let mut spec = spec(&[
        ("KEY", old.to_string()),
        ("PROXY", format!("http://run:{}@host", old.for_hosts())),
        ("OTHER", other.clone()),
        ("EXPORTED", "{token} {hosts_token}".to_owned()),
    ]);
    spec.files.insert("settings".to_owned(), format!("Bearer {}", old.for_hosts()));
    renew(&mut spec, &new);
    assert_eq!(spec.env["KEY"], new.to_string());
    assert_eq!(spec.env["PROXY"], format!("http://run:{}@host", new.for_hosts()));
    assert_eq!(spec.env["OTHER"], other);
    assert_eq!(spec.env["EXPORTED"], format!("{new} {}", new.for_hosts()));
    assert_eq!(spec.files["settings"], format!("Bearer {}", new.for_hosts()));
}

#[test]
fn a_token_for_hosts_alone_stays_one_for_hosts() {
    let (old, new) = (Token::random().unwrap(), Token::random().unwrap());
    let mut spec = spec(&[("PROXY", format!("http://run:{}@host", old.for_hosts()))]);
    renew(&mut spec, &new);
    assert_eq!(spec.env["PROXY"], format!("http://run:{}@host", new.for_hosts()));
}
