//! `guard`: look at the record of what was signed, move it, mend it.

use std::fmt::Write as _;
use std::path::Path;

use coldbridge::guard::{Guard, Record, Slot};
use coldbridge::json::Cursor;
use coldbridge::{Code, Json, Refusal, Spelling};

use super::{Outcome, print};
use crate::cli::GuardCommand;
use crate::guard_file::{Access, GuardFile};
use crate::output::{Errors, Output};
use crate::terminal::wrapped;

pub fn run(command: GuardCommand, errors: Errors) -> Result<Outcome, Refusal> {
    let append = |path: &Path| GuardFile::new(path, Access::Append, errors);
    match command {
        GuardCommand::Show { guard } => existing(&guard, Access::Read, errors)?.read(|guard| print(&shown(guard))),
        GuardCommand::Export { guard, output } => {
            let text = existing(&guard, Access::Read, errors)?.text()?;
            let mut output = Output::open(output.output.as_deref())?;
            output.write(&String::from_utf8_lossy(&text))?;
            output.finish()?;
            Ok(Outcome::DONE)
        }
        GuardCommand::Import { guard, other } => {
            // Read first and given back: two that import from each other do not wait for one another.
            let other = existing(&other, Access::Read, errors)?.read(|other| Ok(other.clone()))?;
            let mut added = 0;
            append(&guard).update(|guard| {
                let missing = guard.missing(&other)?;
                added = missing.len();
                Ok(missing)
            })?;
            print(&format!("{added} records added\n"))
        }
        GuardCommand::Repair { guard, from, chain, min_nonce } => {
            let json = Json::text(from);
            let from = Cursor::root(&json).address(Spelling::Checksummed)?;
            let slot = Slot { from, chain_id: chain, nonce: min_nonce };
            let mut before = 0;
            append(&guard).update(|guard| {
                before = guard.watermark(from, chain);
                Ok(if before < min_nonce { vec![Record::Watermark(slot)] } else { Vec::new() })
            })?;
            print(&format!("watermark of {from} on chain {chain}: {}\n", before.max(min_nonce)))
        }
        GuardCommand::Retire { guard, intent, because } => {
            let label = |text: &str| Cursor::root(&Json::text(text)).label().map(str::to_owned);
            let (intent, because) = (label(&intent)?, label(&because)?);
            existing(&guard, Access::Append, errors)?.update(|guard| Ok(vec![guard.retire(&intent, &because)?]))?;
            print(&format!("\"{intent}\" may be signed again\n"))
        }
    }
}

/// A guard that must be there: asking one that is not would say that nothing was signed.
fn existing(path: &Path, access: Access, errors: Errors) -> Result<GuardFile, Refusal> {
    if path.symlink_metadata().is_ok() {
        return Ok(GuardFile::new(path, access, errors));
    }
    Err(Refusal::new(
        Code::IO_READ,
        "",
        format!("there is no guard {}", coldbridge::refusal::printable(&path.to_string_lossy())),
        "check the path: the guard of a key file is KEY.guard",
    ))
}

fn shown(guard: &Guard) -> String {
    let mut text = String::new();
    for record in guard.records() {
        let _ = match record {
            Record::Signed(plan) => {
                text.push_str(&wrapped("signed     ", "           ", plan.intent_id().unwrap_or("(no intent id)")));
                plan.entries().try_for_each(|entry| {
                    let Slot { from, chain_id, nonce } = entry.slot;
                    writeln!(text, "           {}, nonce {nonce} on chain {chain_id} of", entry.purpose)?;
                    writeln!(text, "           {from}, digest")?;
                    writeln!(text, "           {}", entry.digest)
                })
            }
            Record::Retired { intent_id, because, .. } => {
                text.push_str(&wrapped("retired    ", "           ", &format!("{intent_id}: {because}")));
                Ok(())
            }
            Record::Watermark(Slot { from, chain_id, nonce }) => {
                writeln!(text, "watermark  nonce {nonce} of {from} on chain {chain_id}")
            }
        };
    }
    text
}
