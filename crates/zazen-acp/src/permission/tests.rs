use super::*;

fn judge(policy: &Policy, kind: ToolKind, text: &str, path: &str) -> String {
    let paths = if path.is_empty() { vec![] } else { vec![Path::new(path)] };
    let wish = Wish { kind, name: "a_tool", texts: vec![text], paths };
    denied_by(policy, Path::new("/workspace"), &wish).unwrap_or_else(|| "allowed".to_owned())
}

#[test]
fn what_stays_in_the_workspace_is_allowed() {
    let policy = Policy { roots: vec![PathBuf::from("/tmp")], ..Policy::default() };
    for (kind, path, expected) in [
        (ToolKind::Edit, "/workspace/src/a.rs", "allowed"),
        (ToolKind::Edit, "src/a.rs", "allowed"),
        (ToolKind::Edit, "/tmp/a", "allowed"),
        (ToolKind::Edit, "", "allowed"),
        (ToolKind::Read, "/etc/hosts", "allowed"),
        (ToolKind::Execute, "/etc", "allowed"),
        (ToolKind::Edit, "/etc/hosts", "`/etc/hosts` is outside of the workspace"),
        (ToolKind::Delete, "/workspace/../a", "`/workspace/../a` is outside of the workspace"),
        (ToolKind::Move, "../a", "`../a` is outside of the workspace"),
        (ToolKind::Edit, "/workspacea/b", "`/workspacea/b` is outside of the workspace"),
    ] {
        assert_eq!(judge(&policy, kind, "", path), expected, "{kind:?} {path}");
    }
}

#[test]
fn a_run_that_only_looks_changes_nothing() {
    let policy = Policy { read_only: true, ..Policy::default() };
    for kind in [ToolKind::Edit, ToolKind::Delete, ToolKind::Move, ToolKind::SwitchMode] {
        assert_eq!(judge(&policy, kind, "", "a"), "nothing is to be changed in this run");
    }
    for kind in [ToolKind::Read, ToolKind::Search, ToolKind::Execute, ToolKind::Other] {
        assert_eq!(judge(&policy, kind, "ls", ""), "allowed");
    }
}

#[test]
fn what_the_list_names_is_denied() {
    let deny = ["fetch", "execute:git push", "*:secret", "a_tool:xyz"].map(str::to_owned);
    let policy = Policy { deny: deny.to_vec(), ..Policy::default() };
    for (kind, text, expected) in [
        (ToolKind::Fetch, "anything", "rule `fetch`"),
        (ToolKind::Execute, "cd a && git push origin", "rule `execute:git push`"),
        (ToolKind::Execute, "git commit", "allowed"),
        (ToolKind::Edit, "git push", "allowed"),
        (ToolKind::Other, "xyz", "rule `a_tool:xyz`"),
        (ToolKind::Read, "the secret", "rule `*:secret`"),
    ] {
        assert_eq!(judge(&policy, kind, text, ""), expected, "{kind:?} {text}");
    }
}

#[test]
fn the_option_that_holds_once_is_taken_first() {
    use PermissionOptionKind::{AllowAlways, AllowOnce, RejectAlways, RejectOnce};
    let options: Vec<PermissionOption> =
        [("a", AllowAlways), ("b", AllowOnce), ("c", AllowOnce), ("d", RejectAlways)]
            .into_iter()
            .map(|(id, kind)| PermissionOption::new(id, id, kind))
            .collect();
    let taken =
        |options: &[PermissionOption], allowed| option(options, allowed).map(|id| id.0.to_string());
    assert_eq!(taken(&options, true), Some("b".to_owned()));
    assert_eq!(taken(&options, false), Some("d".to_owned()));
    assert_eq!(taken(&options[..1], true), Some("a".to_owned()));
    assert_eq!(taken(&options[3..], true), None);
    let more = [PermissionOption::new("e", "e", RejectOnce)];
    assert_eq!(taken(&[&options[..], &more].concat(), false), Some("e".to_owned()));
}
