//! `policy explain` and `policy hash`: read before pinning, pin before signing.

use coldbridge::Refusal;

use super::{Outcome, print};
use crate::cli::PolicyCommand;
use crate::policy_file;

pub fn run(command: &PolicyCommand) -> Result<Outcome, Refusal> {
    match command {
        PolicyCommand::Explain { policy } => {
            let policy = policy_file::read(policy)?;
            let mut text = wrapped("", "  ", policy.name().unwrap_or("A policy without a name"));
            for sentence in policy.explain() {
                text.push_str(&point(&sentence));
            }
            print(&format!("{text}Hash: {}\n", policy.hash()))
        }
        PolicyCommand::Hash { policy } => print(&format!("{}\n", policy_file::read(policy)?.hash())),
    }
}

/// The columns of a screen.
const WIDTH: usize = 80;

/// A point of a list. What is indented belongs to the point before it.
fn point(sentence: &str) -> String {
    match sentence.strip_prefix("  ") {
        Some(item) => wrapped("    ", "      ", item),
        None => wrapped("- ", "  ", sentence),
    }
}

/// A text wrapped at spaces; an address is never broken. No line of it but the first begins where a point does, whatever
/// names and labels hold: a terminal would begin one in the middle of what is too long.
fn wrapped(first: &str, rest: &str, text: &str) -> String {
    let (mut out, mut line, mut is_empty) = (String::new(), first.to_owned(), true);
    for mut word in text.split(' ') {
        loop {
            if !is_empty && line.len() + 1 + word.len() > WIDTH {
                out.push_str(line.trim_end());
                out.push('\n');
                (line, is_empty) = (rest.to_owned(), true);
            }
            if !is_empty {
                line.push(' ');
            }
            let (piece, more) = word.split_at_checked(WIDTH - line.len()).unwrap_or((word, ""));
            line.push_str(piece);
            (word, is_empty) = (more, false);
            if word.is_empty() {
                break;
            }
        }
    }
    format!("{out}{}\n", line.trim_end())
}
