//! The sandbox as the supervisor holds it: started, spoken to, and killed.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::watch::Message;
use crate::exec::Command;
use crate::sandbox::container::{Gone, Held};
use crate::sandbox::event::{Frame, LimitedBy};
use crate::sandbox::inside::{GO, GO_COUNTED, Inside, markers};
use crate::sandbox::message;
use crate::sandbox::process::{self, Handle};
use crate::sandbox::run_dir::{RunDir, write_unsynced};
use crate::sandbox::spec::{EngineKind, LaunchSpec};
use crate::sandbox::{bwrap, reach};

/// How long one frame may be: a line of output with every byte escaped.
const FRAME_BYTES_MAX: u64 = 8 << 20;

/// How much of what the sandbox itself says on stderr is kept, to explain a failure.
const STDERR_BYTES_MAX: usize = 4 << 10;

/// A sandbox, and what the host keeps for it.
pub(super) struct Sandbox {
    made_of: MadeOf,
    /// A port of the host that the canary must not reach.
    _host_port: TcpListener,
}

/// What a sandbox is made of, as its engine makes it.
enum MadeOf {
    Processes(Processes),
    Container(Box<Held>),
}

/// The processes that make a sandbox.
struct Processes {
    engine: EngineKind,
    child: Child,
    stdin: ChildStdin,
    /// The runner, as the host sees it.
    runner: Option<Handle>,
}

impl Sandbox {
    /// Starts the runner in its sandbox. It waits there for [`Self::go`].
    pub(super) fn start(
        run_dir: &RunDir,
        spec: &LaunchSpec,
        messages: &SyncSender<Message>,
    ) -> anyhow::Result<Self> {
        // Linux shows an executable that was replaced as `… (deleted)`: a run
        // that is started in that very moment fails, and can be started again.
        let zazen = std::env::current_exe().context("find our own program")?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("open the canary's port")?;
        let host_port = port.local_addr().context("open the canary's port")?.port();
        prepare(run_dir, &Inside::new(run_dir, spec, &zazen, host_port))?;
        let made_of = match spec.engine {
            EngineKind::Container => {
                let held = Held::start(run_dir, spec, &zazen)?;
                let stream = held.listen()?;
                let sender = messages.clone();
                thread::spawn(move || read_frames(stream, &sender));
                MadeOf::Container(Box::new(held))
            }
            EngineKind::Bwrap | EngineKind::None => {
                MadeOf::Processes(Processes::start((run_dir, spec), &zazen, messages)?)
            }
        };
        Ok(Self { made_of, _host_port: port })
    }

    /// All processes of the sandbox by now, to be put into their limits.
    /// To be called once the runner has said hello.
    pub(super) fn members(&mut self) -> anyhow::Result<Vec<i32>> {
        match &mut self.made_of {
            MadeOf::Processes(processes) => processes.members(),
            // The engine has put it there before its first process began.
            MadeOf::Container(_) => Ok(Vec::new()),
        }
    }

    /// Lets the runner begin. It is told whether a control group counts its processes.
    pub(super) fn go(&mut self, processes: LimitedBy) -> anyhow::Result<()> {
        let word = match processes {
            LimitedBy::CgroupV2 | LimitedBy::CgroupV1 => GO_COUNTED,
            LimitedBy::Rlimit | LimitedBy::Watched | LimitedBy::Nothing => GO,
        };
        self.say(word).context("let the runner begin")
    }

    /// Asks the runner to stop the work. If it does not listen, [`Self::kill`] comes.
    pub(super) fn stop(&mut self, grace: Duration) {
        self.say(&format!("stop {}", grace.as_millis())).ok();
    }

    /// Passes a line on to the work. One that does not arrive is not heard of again.
    pub(super) fn pass_on(&mut self, line: &str) {
        self.say(&format!("say {line}")).ok();
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        match &mut self.made_of {
            MadeOf::Processes(processes) => Ok(writeln!(processes.stdin, "{line}")?),
            MadeOf::Container(held) => held.say(line),
        }
    }

    /// Kills the runner, and with it all of its process namespace.
    pub(super) fn kill(&mut self) {
        match &mut self.made_of {
            MadeOf::Processes(processes) => processes.kill(),
            MadeOf::Container(held) => held.kill(),
        }
    }

    /// Waits until the sandbox is gone, and says how it ended.
    pub(super) fn wait(self, timeout: Duration) -> anyhow::Result<Gone> {
        match self.made_of {
            MadeOf::Processes(processes) => processes.wait(timeout),
            MadeOf::Container(held) => held.wait(timeout),
        }
    }
}

impl Processes {
    fn start(
        (run_dir, spec): (&RunDir, &LaunchSpec),
        zazen: &Path,
        messages: &SyncSender<Message>,
    ) -> anyhow::Result<Self> {
        let mut command = match spec.engine {
            EngineKind::Bwrap => bwrap::command(run_dir, spec, zazen)?,
            EngineKind::Container => bail!("a container is not made of processes of ours"),
            EngineKind::None => Command::new(zazen)
                .arg("runner")
                .arg(run_dir.inside())
                .cwd(&spec.workspace)
                .user(reach::sandbox_ids()),
        };
        for (key, value) in markers(spec.run, run_dir) {
            command = command.env(key, value);
        }
        // From the main thread: the sandbox dies with the thread that started it.
        let mut child = command.spawn_piped().context("start the sandbox")?;
        let stdin = child.stdin.take().context("talk to the runner")?;
        let stdout = child.stdout.take().context("listen to the runner")?;
        let stderr = child.stderr.take().context("listen to the sandbox")?;
        let sender = messages.clone();
        thread::spawn(move || read_frames(stdout, &sender));
        let sender = messages.clone();
        thread::spawn(move || sender.send(Message::Said(read_end(stderr))).ok());
        Ok(Self { engine: spec.engine, child, stdin, runner: None })
    }

    fn members(&mut self) -> anyhow::Result<Vec<i32>> {
        let outer = self.child.id().cast_signed();
        let inner = match self.engine {
            EngineKind::Bwrap => process::children(outer).into_iter().next(),
            EngineKind::Container | EngineKind::None => Some(outer),
        };
        let runner = inner.and_then(Handle::open).context("find the runner in its sandbox")?;
        let members = if runner.id.pid == outer { vec![outer] } else { vec![outer, runner.id.pid] };
        self.runner = Some(runner);
        Ok(members)
    }

    fn kill(&mut self) {
        match &self.runner {
            Some(runner) => runner.kill(),
            None => {
                self.child.kill().ok();
            }
        }
    }

    fn wait(mut self, timeout: Duration) -> anyhow::Result<Gone> {
        if let Some(outer) = Handle::open(self.child.id().cast_signed())
            && !outer.wait(timeout)
        {
            self.kill();
            self.child.kill().ok();
            outer.wait(timeout);
        }
        if let Some(runner) = &self.runner {
            runner.wait(timeout);
        }
        let status = self.child.wait().context("wait for the sandbox")?.to_string();
        // What it said comes as a message, and who died of what its groups know.
        Ok(Gone { status, out_of_memory: false, said: String::new() })
    }
}

/// Makes the pipe on which the supervisor is asked to stop, and listens on it.
pub(super) fn listen(run_dir: &RunDir, messages: SyncSender<Message>) -> anyhow::Result<()> {
    let path = &run_dir.control();
    let run_dir = run_dir.path().to_owned();
    let context = || format!("open `{}`", path.display());
    if !path.exists() {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).with_context(context)?;
    }
    // Open for writing too, so that it never ends.
    let pipe = OpenOptions::new().read(true).write(true).open(path).with_context(context)?;
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Some(grace) = line.strip_prefix("stop ").and_then(|ms| ms.parse().ok()) {
                messages.send(Message::Stop(Duration::from_millis(grace))).ok();
            } else if let Some(name) = line.strip_prefix("say ")
                && let Ok(line) = message::read(&run_dir, name)
            {
                messages.send(Message::Say(line)).ok();
            }
        }
    });
    Ok(())
}

fn prepare(run_dir: &RunDir, inside: &Inside) -> anyhow::Result<()> {
    for folder in [run_dir.out(), run_dir.home()] {
        make_folder(&folder, 0o700)?;
        reach::give_to_runs(&folder)?;
    }
    make_folder(&run_dir.etc(), 0o755)?;
    let json = serde_json::to_vec(inside).context("print the runner's orders")?;
    write_unsynced(&run_dir.inside(), &json)?;
    reach::give_to_runs(&run_dir.inside())
}

fn make_folder(path: &Path, mode: u32) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .with_context(|| format!("make `{}`", path.display()))
}

fn read_frames(stdout: impl Read, messages: &SyncSender<Message>) {
    let mut stdout = BufReader::with_capacity(64 << 10, stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut stdout).take(FRAME_BYTES_MAX).read_until(b'\n', &mut line);
        if !matches!(read, Ok(1..)) {
            break;
        }
        let message = match serde_json::from_slice::<Frame>(&line) {
            Ok(frame) => Message::Frame(frame),
            Err(err) => Message::Broken(format!("the runner said what is no frame: {err}")),
        };
        if messages.send(message).is_err() {
            break;
        }
    }
    messages.send(Message::Closed).ok();
}

/// Reads to the end, and keeps the end.
fn read_end(mut from: impl Read) -> String {
    let mut kept: Vec<u8> = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(n_bytes @ 1..) = from.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..n_bytes]);
        kept.drain(..kept.len().saturating_sub(STDERR_BYTES_MAX));
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Asks a supervisor to stop its run. Says whether it was there to be asked.
pub(in crate::sandbox) fn ask_to_stop(control: &Path, grace: Duration) -> anyhow::Result<bool> {
    tell(control, &format!("stop {}", grace.as_millis()))
}

/// Tells a supervisor something. Says whether it was there to be told.
pub(in crate::sandbox) fn tell(control: &Path, line: &str) -> anyhow::Result<bool> {
    use rustix::fs::{OFlags, open};
    use rustix::io::Errno;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    match open(control, flags, Mode::empty()) {
        Ok(pipe) => {
            // Short enough for the pipe to take it as one.
            Ok(File::from(pipe).write_all(format!("{line}\n").as_bytes()).is_ok())
        }
        Err(Errno::NOENT | Errno::NXIO) => Ok(false),
        Err(err) => Err(err).with_context(|| format!("open `{}`", control.display())),
    }
}
