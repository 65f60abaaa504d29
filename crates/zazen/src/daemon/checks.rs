//! What the validation command came to, read again from what its runs printed.
//!
//! The runs are read from their folders, by any daemon, at any later time: what a pull
//! request says of them is never kept apart from what they printed.

use zazen_core::check::{self, Checks, Ran};
use zazen_core::id::RunId;
use zazen_core::task::{self, Proof};
use zazen_core::words;

use super::evidence;
use super::world::World;

/// How much of an output is read, in bytes. The rest of a longer one is left out in the middle,
/// and its tests are then not all named.
const OUTPUT_BYTES_MAX: usize = 4 << 20;

/// What the checks came to before a change and after it, and what they printed after it.
/// `green` is the run that they passed in.
pub(super) fn of(world: &World, proof: &Proof, green: RunId) -> anyhow::Result<(Checks, String)> {
    let (after, output) = ran(world, green, true)?;
    let before = before(world, proof)?;
    Ok((Checks { before, after, is_flaky: proof.is_flaky() }, output))
}

/// How the checks were before the change, in words. Nothing, where that is not known.
pub(super) fn told(world: &World, proof: &Proof) -> anyhow::Result<String> {
    Ok(before(world, proof)?.as_ref().map(words::checks_before).unwrap_or_default())
}

/// What the checks came to before the change, where they could be run to their end.
fn before(world: &World, proof: &Proof) -> anyhow::Result<Option<Ran>> {
    let Some(before) = proof.before.filter(|it| it.result != task::Checks::Unknown) else {
        return Ok(None);
    };
    let is_green = before.result == task::Checks::Green;
    Ok(Some(ran(world, before.run, is_green)?.0))
}

/// What one run of the checks came to, and what they printed.
fn ran(world: &World, run: RunId, is_green: bool) -> anyhow::Result<(Ran, String)> {
    let output = evidence::output(world, run, OUTPUT_BYTES_MAX)?;
    let (checks, coverage) = check::parts(&output);
    Ok((Ran { is_green, found: check::read(checks), coverage }, checks.to_owned()))
}
