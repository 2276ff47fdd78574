//! `status`: what the journal says, without asking anybody.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use coldbridge::refusal::printable;
use coldbridge::{Code, Networks, Refusal};

use crate::cli::StatusArgs;
use crate::journal::{Reader, Selection};
use crate::named::for_each_hash;
use crate::output::{print_line, print_text};
use crate::payload::Row;
use crate::receipt;

/// Runs the command.
pub fn run(arguments: &StatusArgs, networks: &Networks) -> Result<(), Refusal> {
    let journal = Reader::open(&arguments.journal)?;
    let mut table = Table { is_json: arguments.json, counts: BTreeMap::new() };
    if arguments.payloads.is_empty() {
        let selection = if arguments.open { Selection::Open } else { Selection::All };
        journal.each(&selection, |row| table.row(&row))?;
    } else {
        for_each_hash(&arguments.payloads, networks, |hash| {
            match journal.each(&Selection::Hash(hash), |row| table.row(&row))? {
                0 => Err(unknown(hash)),
                _ => Ok(()),
            }
        })?;
    }
    table.end()
}

/// The refusal of a hash that the journal does not have.
pub fn unknown(hash: &str) -> Refusal {
    Refusal::new(
        Code::RELAY_UNKNOWN,
        "",
        format!("the journal has no payload {hash}"),
        "name the journal that it was broadcast with, or broadcast it",
    )
}

/// Rows for people, each as it comes: the journal may be longer than memory.
struct Table {
    is_json: bool,
    counts: BTreeMap<String, u64>,
}

impl Table {
    fn row(&mut self, row: &Row) -> Result<(), Refusal> {
        if self.is_json {
            return print_line(&receipt::of_row(row));
        }
        if self.counts.is_empty() {
            print_text(&line("STATE", "NETWORK", "FROM", "NONCE", "PURPOSE", "BLOCK", "HASH", "INTENT"))?;
        }
        *self.counts.entry(row.state.clone()).or_default() += 1;
        let block = row.block_number.map_or("-".to_owned(), |number| number.to_string());
        let network = format!("{} {}", row.network, row.layer);
        let (nonce, hash) = (row.nonce.to_string(), short(&row.hash));
        let intent = row.intent_id.as_deref().unwrap_or("-");
        print_text(&line(&row.state, &network, &row.sender, &nonce, &row.purpose, &block, &hash, intent))?;
        if let Some(l2) = &row.l2_tx_hash {
            print_text(&format!("{:17}  became {l2} on L2\n", ""))?;
        }
        match &row.message {
            Some(message) => print_text(&format!("{:17}  {}\n", "", printable(message))),
            None => Ok(()),
        }
    }

    fn end(&self) -> Result<(), Refusal> {
        if self.is_json {
            return Ok(());
        }
        let total: u64 = self.counts.values().sum();
        let mut text = format!("{total} payload{}", if total == 1 { "" } else { "s" });
        for (at, (state, count)) in self.counts.iter().enumerate() {
            let _ = write!(text, "{} {count} {}", if at == 0 { ":" } else { "," }, printable(state));
        }
        print_text(&format!("{text}\n"))
    }
}

#[allow(clippy::too_many_arguments)] // one for each column
fn line(
    state: &str,
    network: &str,
    from: &str,
    nonce: &str,
    purpose: &str,
    block: &str,
    hash: &str,
    intent: &str,
) -> String {
    let text =
        format!("{state:17}  {network:16}  {from:42}  {nonce:>7}  {purpose:19}  {block:>9}  {hash:17}  {intent}");
    format!("{}\n", printable(text.trim_end()))
}

/// Enough of a hash to find it by. Addresses are never shortened, hashes are asked for with `--json`.
fn short(hash: &str) -> String {
    match (hash.get(..10), hash.get(hash.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) => format!("{head}...{tail}"),
        _ => hash.to_owned(),
    }
}
