//! `policy explain` and `policy hash`: read before pinning, pin before signing.

use std::path::Path;

use coldbridge::{Policy, Refusal, json};

use super::{Outcome, print};
use crate::cli::PolicyCommand;
use crate::input::Input;

pub fn run(command: &PolicyCommand) -> Result<Outcome, Refusal> {
    match command {
        PolicyCommand::Explain { policy } => {
            let policy = read(policy)?;
            let mut text = format!("{}\n", policy.name().unwrap_or("A policy without a name"));
            for sentence in policy.explain() {
                text.push_str(&wrapped(&sentence));
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

/// A point of a list, wrapped at spaces to 80 columns; an address is never broken. What is indented belongs to the point
/// before it.
fn wrapped(sentence: &str) -> String {
    if sentence.starts_with(' ') {
        return format!("  {sentence}\n");
    }
    let (mut text, mut column) = (String::from("-"), 1);
    for word in sentence.split(' ') {
        if column + 1 + word.len() > 80 {
            text.push_str("\n ");
            column = 1;
        }
        text.push(' ');
        text.push_str(word);
        column += 1 + word.len();
    }
    text.push('\n');
    text
}
