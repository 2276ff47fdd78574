//! `status`: what the journal says, without asking anybody.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;

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
    let is_json = arguments.json || (!arguments.table && !std::io::stdout().is_terminal());
    let mut table = Table { is_json, account: None, counts: BTreeMap::new() };
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
fn unknown(hash: &str) -> Refusal {
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
    /// The account of the rows above.
    account: Option<(u64, String)>,
    counts: BTreeMap<String, u64>,
}

impl Table {
    fn row(&mut self, row: &Row) -> Result<(), Refusal> {
        if self.is_json {
            return print_line(&receipt::of_row(row));
        }
        let account = Some((row.chain_id, row.sender.clone()));
        let mut text = String::new();
        if self.account != account {
            let _ = writeln!(text, "{} on {} of {} (chain {})", row.sender, row.layer, row.network, row.chain_id);
            self.account = account;
        }
        *self.counts.entry(row.state.clone()).or_default() += 1;
        let block = row.block_number.map_or(String::new(), |number| format!("block {number}"));
        let intent = row.intent_id.as_deref().unwrap_or_default();
        let line =
            format!("{:>9}  {:17}  {:20}  {block:15}  {}  {intent}", row.nonce, row.state, row.purpose, row.hash);
        let _ = writeln!(text, "{}", printable(line.trim_end()));
        if let Some(l2) = &row.l2_tx_hash {
            let _ = writeln!(text, "{:>9}  on L2 {}", "", printable(l2));
        }
        if let Some(message) = &row.message {
            let _ = writeln!(text, "{:>9}  {}", "", printable(message));
        }
        print_text(&text)
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
