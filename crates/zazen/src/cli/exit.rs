//! How the program ends: with a status that scripts can rely on, and a sentence.

use std::fmt;
use std::process::ExitCode;

/// The result of a subcommand.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a subcommand failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: ErrorKind,
    error: anyhow::Error,
}

/// What kind of failure it is: the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// What was asked for failed.
    Failed = 1,
    /// It was asked for in a wrong way.
    Usage = 2,
    /// `zazen.toml` or the home cannot be used.
    Config = 3,
    /// Something outside is not there: a program, a sandbox, a lock that another holds.
    Unavailable = 4,
    /// Something could not be checked; what could be is as it should be.
    Partial = 5,
}

/// Gives an error a kind.
pub(crate) fn kinded(kind: ErrorKind) -> impl FnOnce(anyhow::Error) -> Failure {
    move |error| Failure { kind, error }
}

/// Prints a failure, and says with which status to end.
pub(super) fn print(failure: &Failure) -> ExitCode {
    super::say(&format!("error: {failure}"));
    ExitCode::from(failure.kind as u8)
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { kind: ErrorKind::Failed, error: error.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Errors quote what came from outside.
        f.write_str(&zazen_core::text::plain(&format!("{:#}", self.error)))
    }
}
