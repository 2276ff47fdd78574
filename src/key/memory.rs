//! Memory that held a secret: what ran on the stack is overwritten before anyone else's frame stands there.
//!
//! A moved value stays where it was moved from, and the crates below spill scalars and cipher states into frames of their
//! own. Wiping on drop does not reach those copies. So all work with secrets runs in a call of its own, hands back only
//! what is public or boxed, and its part of the stack is overwritten.

use std::hint::black_box;

/// Deeper than the frames of any work with secrets here.
const DEPTH: usize = 64 * 1024;

/// Runs work with secrets and overwrites the stack that it used. What it hands back must not hold a secret by value.
pub fn wiped<T>(work: impl FnOnce() -> T) -> T {
    let result = below(work);
    overwrite();
    result
}

#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Not `Zeroize`, which writes byte by byte and would take longer than a signature. That the compiler keeps this is
/// proved on the release build (tests/memory.rs).
#[inline(never)]
#[allow(clippy::large_stack_arrays)] // its place is the point
fn overwrite() {
    black_box(&mut [0_u8; DEPTH]);
}
