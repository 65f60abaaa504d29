//! The engines that the suite is run with: the one list.
//!
//! A new engine is a line in each of the two macros that it belongs to, an
//! entry of [`ENGINES`], and an arm in `setup::had`, which says why it
//! cannot be had on a machine.

use zazen::sandbox::EngineKind;

/// Every engine.
pub(in crate::sandbox) const ENGINES: [EngineKind; 3] =
    [EngineKind::Bwrap, EngineKind::Container, EngineKind::None];

/// Makes a test of each function for every engine. Each gets its own machine.
macro_rules! in_every_engine {
    ($($what:ident),* $(,)?) => {
        in_engine!(in_bwrap, Bwrap, $($what),*);
        in_engine!(in_a_container, Container, $($what),*);
        in_engine!(on_the_host, None, $($what),*);
    };
}

/// The same, for the engines that shut a run in.
macro_rules! in_every_sandbox {
    ($($what:ident),* $(,)?) => {
        in_engine!(shut_in_bwrap, Bwrap, $($what),*);
        in_engine!(shut_in_a_container, Container, $($what),*);
    };
}

/// The tests of one engine.
macro_rules! in_engine {
    ($name:ident, $engine:ident, $($what:ident),*) => {
        mod $name {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $what() {
                let engine = zazen::sandbox::EngineKind::$engine;
                let Some(machine) = crate::sandbox::setup::machine(engine) else { return };
                super::$what(machine).await;
            })*
        }
    };
}
