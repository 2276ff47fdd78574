//! `policy explain` and `policy hash`: read before pinning, pin before signing.

use coldbridge::Refusal;

use super::{Outcome, print};
use crate::cli::PolicyCommand;
use crate::policy_file;

pub fn run(command: &PolicyCommand) -> Result<Outcome, Refusal> {
    match command {
        PolicyCommand::Explain { policy } => {
            let policy = policy_file::read(policy)?;
            let mut text = format!("{}\n", policy.name().unwrap_or("A policy without a name"));
            for sentence in policy.explain() {
                text.push_str(&format!("- {sentence}\n"));
            }
            print(&format!("{text}Hash: {}\n", policy.hash()))
        }
        PolicyCommand::Hash { policy } => print(&format!("{}\n", policy_file::read(policy)?.hash())),
    }
}
