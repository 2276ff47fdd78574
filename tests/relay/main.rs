//! The relay against a real L1 node (anvil) and against scripted nodes that break.

#![allow(clippy::disallowed_types)] // the tests are the node's side of the socket

#[path = "../common/mod.rs"]
mod common;
mod support;

mod anvil;
mod cli;
mod fleet;
mod journal;
mod nodes;
mod track;
