//! Where a run happens.
//!
//! ```text
//! daemon ──submit──► supervisor ──bwrap──► runner ──► canary, relay, work, bundle
//!    └────────────────── reads ──────► <run_dir>/events.jsonl, exit.json
//! ```
//!
//! A [`LaunchSpec`] says what to run. [`submit`] starts a supervisor, a small
//! process that outlives the daemon; it starts the sandbox, whose first
//! process is the runner. The two are this same program. All that is known of
//! a run is in its folder, so that a restarted daemon finds it again with
//! [`observe`] and [`RunDir::read_new`]. Engines are a closed set,
//! [`EngineKind`]. What the work may ask of the world is not here: its only
//! way out is the socket of the `gateway`.

mod bwrap;
mod carry;
mod cause;
mod cgroup;
pub mod container;
mod disk;
mod engine;
mod etc;
mod event;
mod filter;
mod inside;
mod message;
mod once;
mod probe;
mod process;
mod reach;
mod run_dir;
mod runner;
mod spec;
mod supervisor;
mod sweep;
mod tools;
mod words;

pub use carry::{has_session, make_in_home, put_in, take_out};
pub use engine::{DidNotStart, Zazen, observe, stop, submit};
pub use event::{
    Achieved, Collected, EndReason, Ev, EventLine, Exit, LINE_BYTES_MAX, Level, LimitedBy, Outcome,
    TRUNCATED, Tried,
};
pub use message::say;
pub use once::{Once, once};
pub use probe::{Axis, Probe, probe, probe_container};
pub use process::ProcessId;
pub use reach::{SANDBOX_UID, check_reachable, hand_over, sandbox_ids};
pub use run_dir::{Phase, RunDir};
pub use runner::runner;
pub use spec::{
    Access, Collect, Container, EngineKind, LaunchSpec, Limits, OBJECTS_INSIDE, RESULT_REF,
    SPEC_VERSION, WORKSPACE_INSIDE, Work,
};
pub use supervisor::supervise;
pub use sweep::{Swept, sweep};
pub use tools::filter_tools;
