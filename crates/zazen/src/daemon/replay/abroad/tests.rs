//! Tests of what is left of another machine. Whole bundles are in `tests/it/replay`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::super::super::apart::bare_spec;
use super::*;
use crate::config;
use crate::sandbox::Container;

/// A home of its own, with an agent that is `codex`.
struct Here {
    dir: tempfile::TempDir,
    config: Config,
    environment: Environment,
}

fn here() -> Here {
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().canonicalize().unwrap().join("bin");
    fs::create_dir(&bin).unwrap();
    // A native program, as far as anybody looks.
    fs::write(bin.join("codex"), "\x7fELF").unwrap();
    fs::set_permissions(bin.join("codex"), fs::Permissions::from_mode(0o755)).unwrap();
    let environment = Environment {
        home: dir.path().to_owned(),
        user: "ada".to_owned(),
        path: vec![bin],
        zazen_home: None,
        container_sockets: Vec::new(),
        crash: None,
    };
    let text = "version = 1\n[harness]\nuse = \"codex\"\nmodel = \"m\"\nroute = \"openai\"\n\
                [models.openai]\napi = \"openai\"\nkey_env = \"KEY\"\n\
                [sandbox]\nengine = \"bwrap\"\n";
    let path = Path::new("/zazen/zazen.toml");
    let config = config::parse(path, text, Path::new("/zazen"), &environment).unwrap();
    Here { dir, config, environment }
}

impl Here {
    /// A spec as a hostile bundle may have it.
    fn theirs(&self, engine: EngineKind, argv: &[&str]) -> LaunchSpec {
        let run = "1.2".parse().unwrap();
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let mut spec = bare_spec(&self.config, (engine, None), run, PathBuf::new());
        spec.work = Work::Harness { argv, stdin: String::new(), open_until: None };
        spec.tools = vec!["/".into(), "/home/ada/.ssh".into()];
        spec.limits.memory_bytes = u64::MAX;
        spec.env.insert(PATH.to_owned(), "/theirs/bin".to_owned());
        spec
    }

    fn fit(&self, spec: &mut LaunchSpec, harness: Name) -> Result<(), String> {
        let repo = "local/tally".parse().unwrap();
        let here = (&self.config, &self.environment);
        fit(here, &repo, (spec, Some(harness))).map_err(|err| format!("{err:#}"))
    }
}

fn argv(spec: &LaunchSpec) -> &[String] {
    match &spec.work {
        Work::Harness { argv, .. } => argv,
        Work::Check { .. } => &[],
    }
}

#[test]
fn nothing_of_another_machine_is_left_in_a_spec() {
    let here = here();
    let codex = here.environment.path[0].join("codex").display().to_string();
    for theirs in [&["/theirs/codex", "exec"][..], &["/usr/bin/node", "/theirs/codex", "exec"]] {
        let mut spec = here.theirs(EngineKind::Bwrap, theirs);
        here.fit(&mut spec, Name::Codex).unwrap();
        assert_eq!(argv(&spec), [codex.as_str(), "exec"]);
        assert!(
            spec.tools.iter().all(|tool| tool.starts_with(here.dir.path().canonicalize().unwrap()))
        );
        assert_eq!(spec.limits, launch::limits(&here.config));
        assert_eq!(spec.env[PATH], "{path}");
    }
    let mut spec = here.theirs(EngineKind::Bwrap, &["{zazen}", "mini", "--turns", "9"]);
    here.fit(&mut spec, Name::Mini).unwrap();
    assert_eq!(spec.tools, Vec::<PathBuf>::new());
    let mut spec = here.theirs(EngineKind::Bwrap, &["/bin/sh", "-c", "true"]);
    assert_eq!(here.fit(&mut spec, Name::Mini).unwrap_err(), "it was not begun as `mini` is");
}

#[test]
fn what_cannot_be_had_here_is_said() {
    let here = here();
    let refusal = |spec: &mut LaunchSpec, harness| here.fit(spec, harness).unwrap_err();
    let mut spec = here.theirs(EngineKind::None, &["{zazen}", "mini"]);
    let said = refusal(&mut spec, Name::Mini);
    assert!(said.contains("the engine `none`, and this home has `bwrap`"), "{said}");
    let mut spec = here.theirs(EngineKind::Bwrap, &["/theirs/claude", "-p"]);
    assert_eq!(refusal(&mut spec, Name::Claude), "no agent of this home is claude");
    // The socket of an engine is never one that a bundle names.
    let theirs =
        Container { socket: "/theirs.sock".into(), image: "tools".to_owned(), cpus_milli: None };
    let mut spec = here.theirs(EngineKind::Bwrap, &["{zazen}", "mini"]);
    spec.container = Some(theirs);
    let said = refusal(&mut spec, Name::Mini);
    assert!(said.contains("find a container engine"), "{said}");
}
