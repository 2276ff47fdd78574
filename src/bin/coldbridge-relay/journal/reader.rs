//! Reading the journal, also while a relay writes it.

use std::path::{Path, PathBuf};

use coldbridge::refusal::printable;
use coldbridge::{Code, Refusal};
use rusqlite::{Connection, params_from_iter};

use crate::payload::Row;
use crate::state::State;

use super::schema::{self, Kind};
use super::{COLUMNS, Journal, connect, failed, newer, refuse, row};

/// A journal that is only read.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// Which payloads.
pub enum Selection<'a> {
    /// All of them.
    All,
    /// Those that may still change: not yet mined, or a request whose other side may not have happened.
    Open,
    /// Those that a hash names: of the transaction, of its signing digest, or of the L2 transaction that it became.
    Hash(&'a str),
}

impl Reader {
    /// Opens a journal that is there. An older one becomes one of this version first.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        if !path.exists() {
            return Err(Refusal::new(
                Code::IO_READ,
                "",
                format!("there is no journal {}", printable(&path.to_string_lossy())),
                "name the journal that was broadcast with",
            ));
        }
        let connection = connect(path).map_err(|error| refuse(path, error))?;
        match schema::kind(&connection).map_err(|error| refuse(path, error))? {
            Kind::Current => {}
            Kind::Old(_) => drop(Journal::open(path)?),
            Kind::New(version) => return Err(refuse(path, newer(version))),
            Kind::Empty | Kind::Foreign => return Err(refuse(path, "it is no journal of a relay")),
        }
        connection.execute_batch("PRAGMA query_only = ON").map_err(|error| refuse(path, error))?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Hands over the payloads one by one, in the order of their accounts. Gives how many there were.
    pub fn each(
        &self,
        selection: &Selection<'_>,
        mut work: impl FnMut(Row) -> Result<(), Refusal>,
    ) -> Result<u64, Refusal> {
        let final_words = [State::Replaced.name(), State::Reverted.name()];
        let (condition, values): (&str, Vec<&str>) = match selection {
            Selection::All => ("1", Vec::new()),
            Selection::Open => ("state NOT IN (?1, ?2)", final_words.to_vec()),
            Selection::Hash(hash) => ("hash = ?1 OR signing_digest = ?1 OR l2_tx_hash = ?1", vec![hash]),
        };
        let query = format!("SELECT {COLUMNS} FROM payload WHERE {condition} ORDER BY chain_id, sender, nonce, hash");
        let failed = |error: rusqlite::Error| failed(&self.path, error);
        let mut query = self.connection.prepare(&query).map_err(failed)?;
        let mut rows = query.query(params_from_iter(values)).map_err(failed)?;
        let mut count = 0;
        while let Some(next) = rows.next().map_err(failed)? {
            work(row(next).map_err(failed)?)?;
            count += 1;
        }
        Ok(count)
    }
}
