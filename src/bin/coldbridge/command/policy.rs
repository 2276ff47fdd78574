//! `policy explain` and `policy hash`: read before pinning, pin before signing.

use std::path::Path;

use coldbridge::{Policy, Refusal, json};

use super::{Outcome, print};
use crate::cli::PolicyCommand;
use crate::input::Input;
use crate::terminal::wrapped;

pub fn run(command: &PolicyCommand) -> Result<Outcome, Refusal> {
    match command {
        PolicyCommand::Explain { policy } => {
            let policy = read(policy)?;
            let mut text = wrapped("", "  ", policy.name().unwrap_or("A policy without a name"));
            for sentence in policy.explain() {
                text.push_str(&point(&sentence));
            }
            print(&format!("{text}Hash: {}\n", policy.hash()))
        }
        PolicyCommand::Hash { policy } => print(&format!("{}\n", read(policy)?.hash())),
    }
}

/// Reads the policy from its file or from standard input.
fn read(path: &Path) -> Result<Policy, Refusal> {
    json::parse(&Input::text(path)?).and_then(|json| Policy::read(&json))
}

/// A point of a list. What is indented belongs to the point before it.
fn point(sentence: &str) -> String {
    match sentence.strip_prefix("  ") {
        Some(item) => wrapped("    ", "      ", item),
        None => wrapped("- ", "  ", sentence),
    }
}
