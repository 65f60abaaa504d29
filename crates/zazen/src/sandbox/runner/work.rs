//! Starts the work and waits for its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use super::files;
use super::report::{read_lines, report_event};
use super::stdin::Stdin;
use super::tree::Tree;
use crate::exec::{Command, PATH_DEFAULT};
use crate::sandbox::container;
use crate::sandbox::event::{Ev, Frame};
use crate::sandbox::inside::{Inside, Paths};
use crate::sandbox::spec::{EngineKind, Work};

/// How long the last words are waited for once the work is dead. They are in
/// the pipe already; only a process that escaped holds it open longer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs the work to its end, and ends what it leaves behind.
pub(super) fn run(
    inside: &Inside,
    port: Option<u16>,
    tree: &Tree,
    stdin: &Arc<Stdin>,
) -> anyhow::Result<Frame> {
    let image = of_image(inside.engine);
    let path = image.get("PATH").map_or(PATH_DEFAULT, String::as_str);
    let places = Places::new(&inside.paths, port, path);
    files::write(inside, &places)?;
    let command = command(inside, &image, &places)?;
    let Some(child) = tree.start(|| command.spawn_piped()) else {
        return Ok(Frame::Work { code: None, signal: None, n_killed_for_memory: 0 });
    };
    let mut child = child.context("start the work")?;
    report_event(Ev::Started { pid: child.id() });
    let (prompt, open_until) = match &inside.work {
        Work::Harness { stdin, open_until, .. } => (stdin.clone(), open_until.clone()),
        Work::Check { .. } => (String::new(), None),
    };
    if let Some(pipe) = child.stdin.take() {
        stdin.open(pipe, prompt, open_until.is_some());
    }
    let drained = drain(&mut child, open_until, stdin);
    let status = wait_for(Pid::from_child(&child))?;
    // The end is the end of the process, not of its output: a child that it
    // left behind may hold the pipe for ever.
    tree.end();
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    for _ in 0..2 {
        drained.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok();
    }
    Ok(Frame::Work {
        code: status.exit_status(),
        signal: status.terminating_signal(),
        // Elsewhere the supervisor has the control groups, and counts itself.
        n_killed_for_memory: match inside.engine {
            EngineKind::Container => container::n_killed_for_memory(),
            EngineKind::Bwrap | EngineKind::None => 0,
        },
    })
}

fn drain(child: &mut Child, open_until: Option<String>, stdin: &Arc<Stdin>) -> mpsc::Receiver<()> {
    let (sender, drained) = mpsc::sync_channel(2);
    if let Some(stdout) = child.stdout.take() {
        let (sender, stdin) = (sender.clone(), Arc::clone(stdin));
        thread::spawn(move || {
            read_lines(stdout, |line| {
                if open_until.as_deref().is_some_and(|sign| line.contains(sign)) {
                    stdin.close();
                }
                report_event(Ev::Out { line });
            });
            sender.send(()).ok();
        });
    }
    if let Some(stderr) = child.stderr.take() {
        thread::spawn(move || {
            read_lines(stderr, |line| report_event(Ev::Err { line }));
            sender.send(()).ok();
        });
    }
    drained
}

/// Waits for one child, and takes note of all orphans that die meanwhile.
fn wait_for(child: Pid) -> anyhow::Result<WaitStatus> {
    // Without a limit: the supervisor has the limits, and kills us with the work.
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => return Ok(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(err) => return Err(err).context("wait for the work"),
        }
    }
}

fn command(
    inside: &Inside,
    image: &BTreeMap<String, String>,
    places: &Places,
) -> anyhow::Result<Command> {
    let argv = match &inside.work {
        Work::Harness { argv, .. } => {
            argv.iter().map(|arg| places.fill(arg)).collect::<anyhow::Result<Vec<_>>>()?
        }
        Work::Check { command } => vec![shell().to_owned(), "-c".to_owned(), command.clone()],
    };
    let Some((program, rest)) = argv.split_first() else { bail!("the work has no program") };
    if inside.engine == EngineKind::None {
        std::fs::create_dir_all(&inside.paths.tmp).context("make the private `tmp`")?;
    }
    let mut command = Command::new(program).args(rest).cwd(&inside.paths.workspace);
    for (key, value) in environment(inside, image) {
        command = command.env(key, places.fill(&value)?);
    }
    Ok(command)
}

/// What an image puts into the environment: where its tools are, mostly.
///
/// A container's first process has it, and nothing else but its markers.
fn of_image(engine: EngineKind) -> BTreeMap<String, String> {
    let is_text = |(key, value): (OsString, OsString)| {
        Some((key.into_string().ok()?, value.into_string().ok()?))
    };
    match engine {
        EngineKind::Container => std::env::vars_os().filter_map(is_text).collect(),
        EngineKind::Bwrap | EngineKind::None => BTreeMap::new(),
    }
}

/// What the work finds in its environment: what it was given, on top of the
/// little that every program expects, on top of what its image says.
fn environment(inside: &Inside, image: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let home = inside.paths.home.to_string_lossy();
    let tmp = inside.paths.tmp.to_string_lossy();
    let mut env = image.clone();
    env.entry("PATH".to_owned()).or_insert_with(|| PATH_DEFAULT.to_owned());
    let own: [(&str, &str); 10] = [
        ("HOME", &home),
        ("TMPDIR", &tmp),
        ("USER", "agent"),
        ("LOGNAME", "agent"),
        ("SHELL", shell()),
        ("LANG", "C.UTF-8"),
        ("GIT_TERMINAL_PROMPT", "0"),
        // The checkout may belong to another user, and is what we run for.
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "safe.directory"),
        ("GIT_CONFIG_VALUE_0", "*"),
    ];
    env.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
    if let Some(collect) = &inside.collect {
        let (name, email) = collect.name_and_email();
        for who in ["AUTHOR", "COMMITTER"] {
            env.insert(format!("GIT_{who}_NAME"), name.to_owned());
            env.insert(format!("GIT_{who}_EMAIL"), email.to_owned());
        }
    }
    env.extend(inside.env.clone());
    env
}

fn shell() -> &'static str {
    if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" }
}

/// What the placeholders stand for.
pub(super) struct Places {
    /// Like `127.0.0.1:40123`.
    gateway: Option<String>,
    others: [(&'static str, String); 4],
}

impl Places {
    fn new(paths: &Paths, port: Option<u16>, programs: &str) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            gateway: port.map(|port| format!("127.0.0.1:{port}")),
            others: [
                ("{zazen}", text(&paths.zazen)),
                ("{home}", text(&paths.home)),
                ("{workspace}", text(&paths.workspace)),
                ("{path}", programs.to_owned()),
            ],
        }
    }

    pub(super) fn fill(&self, text: &str) -> anyhow::Result<String> {
        let mut filled = text.to_owned();
        for (place, value) in &self.others {
            filled = filled.replace(place, value);
        }
        match &self.gateway {
            Some(gateway) => {
                let filled = filled.replace("{gateway}", &format!("http://{gateway}"));
                Ok(filled.replace("{gateway_host}", gateway))
            }
            None if filled.contains("{gateway}") || filled.contains("{gateway_host}") => {
                bail!("`{text}` names the gateway, and this run has none")
            }
            None => Ok(filled),
        }
    }
}
