//! The journal: one row a payload in an embedded database, written before the socket is.
//!
//! Its key is the signing digest. External signers are not deterministic, so the same payload may come with another
//! signature and hash: what was recorded first is what is sent, always the same bytes.

mod reader;
mod schema;
mod writer;

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use coldbridge::refusal::printable;
use coldbridge::signed::SignedTransaction;
use coldbridge::{Code, Refusal, Signed};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::output::print_note;
use crate::payload::{Inclusion, Place, Row};
use crate::state::State;
pub use reader::{Reader, Selection};
use schema::Kind;
use writer::Writer;

const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
const COLUMNS: &str = "signing_digest, hash, intent_id, network, layer, chain_id, sender, nonce, purpose, raw, state,
                       block_number, block_hash, l2_tx_hash, message, position, first_run = run";

/// An open journal. While one relay has it open to write, no other can.
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    /// Held until the connection is closed: closing another handle of the file would free SQLite's own locks.
    lock: File,
    is_new: bool,
}

/// Whether a payload may share its nonce with another that can still be mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rivals {
    /// It is refused.
    Refused,
    /// Whoever runs the command knows.
    Allowed,
}

/// A change of a payload.
#[derive(Debug, Clone)]
pub struct Change {
    /// Where it stands now.
    pub state: State,
    /// Where it was seen mined.
    pub inclusion: Option<Inclusion>,
    /// The L2 transaction that it became.
    pub l2_hash: Option<String>,
    /// What a node said.
    pub message: Option<String>,
}

fn refuse(path: &Path, problem: impl std::fmt::Display) -> Refusal {
    let (name, problem) = (printable(&path.to_string_lossy()), printable(&problem.to_string()));
    let remedy = "name a journal of this relay, or a new file, that no other relay has open";
    Refusal::new(Code::RELAY_JOURNAL, "", format!("the journal {name}: {problem}"), remedy)
}

fn failed(path: &Path, problem: impl std::fmt::Display) -> Refusal {
    let (name, problem) = (printable(&path.to_string_lossy()), printable(&problem.to_string()));
    let remedy = "check the file system and its free space, and run the same command again";
    Refusal::new(Code::RELAY_JOURNAL, "", format!("the journal {name}: {problem}"), remedy)
}

/// A path with a folder is never one of SQLite's special names.
fn named(path: &Path) -> PathBuf {
    if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(named(path), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

impl Journal {
    /// Opens the journal to write, or makes one. An older one becomes one of this version.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        // Payloads are bearer instruments: the file is the owner's alone, and a file it must be.
        let is_new = !path.exists();
        let private = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let lock = private.map_err(|error| refuse(path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(refuse(path, "another relay has it open")),
            Err(TryLockError::Error(error)) => return Err(refuse(path, error)),
        }
        let mut connection = connect(path).map_err(|error| refuse(path, error))?;
        // Whose file it is comes first: a database of something else is left as it is.
        let kind = schema::kind(&connection).map_err(|error| refuse(path, error))?;
        let prepared = match kind {
            Kind::New(version) => return Err(refuse(path, newer(version))),
            Kind::Foreign => return Err(refuse(path, "it is a database of something else")),
            Kind::Empty | Kind::Old(_) | Kind::Current => {
                if kind == Kind::Empty {
                    // It may have been there before, for everybody to read.
                    lock.set_permissions(Permissions::from_mode(0o600)).map_err(|error| refuse(path, error))?;
                }
                let durable =
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;";
                connection.execute_batch(durable).and_then(|()| match kind {
                    Kind::Empty => schema::create(&mut connection),
                    Kind::Old(_) => schema::migrate(&mut connection),
                    // Whoever else writes it is found out now.
                    _ => connection.execute_batch(&format!("BEGIN IMMEDIATE; {} COMMIT;", schema::LATER)),
                })
            }
        };
        prepared.map_err(|error| refuse(path, error))?;
        Ok(Self { connection, path: path.to_owned(), lock, is_new })
    }

    /// Starts to write a run down: all of it, or nothing.
    pub fn recording(self, rivals: Rivals) -> Result<Recording, Refusal> {
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE").and_then(|()| {
            self.connection.query_row("SELECT coalesce(max(run), 0) + 1 FROM payload", [], |row| row.get(0))
        });
        let run = begun.map_err(|error| failed(&self.path, error))?;
        Ok(Recording { journal: self, run, rivals })
    }
}

fn newer(version: i32) -> String {
    format!("it has version {version}, this relay writes version {}", schema::VERSION)
}

/// A run that is being written down.
pub struct Recording {
    journal: Journal,
    run: i64,
    rivals: Rivals,
}

impl Recording {
    /// Writes a payload down, unless it is there.
    pub fn record(&self, position: u64, signed: &Signed, transaction: &SignedTransaction) -> Result<(), Refusal> {
        let path = &self.journal.path;
        let digest = transaction.signing_digest().to_string();
        let (hash, sender) = (transaction.hash().to_string(), signed.from().to_string());
        let number = |number: u64, name: &str| {
            i64::try_from(number).map_err(|_| failed(path, format!("the {name} {number} does not fit")))
        };
        let chain_id = number(transaction.transaction().chain_id().unwrap_or_default(), "chain id")?;
        let nonce = number(transaction.nonce(), "nonce")?;
        let position = number(position, "position")?;
        let known: Option<String> = self
            .journal
            .connection
            .prepare_cached("SELECT hash FROM payload WHERE signing_digest = ?1")
            .and_then(|mut query| query.query_row([&digest], |row| row.get(0)).optional())
            .map_err(|error| failed(path, error))?;
        if let Some(known) = known.filter(|known| *known != hash) {
            print_note(&format!(
                "{hash} is in the journal with another signature, as {known}: those bytes are sent, and told of"
            ));
        }
        self.judge_rival(&digest, chain_id, &sender, nonce)?;
        self.judge_intent(signed, transaction, &sender, nonce)?;
        self.journal
            .connection
            .prepare_cached(
                "INSERT INTO payload (signing_digest, hash, intent_id, network, layer, chain_id, sender, nonce, purpose,
                                      raw, state, first_run, run, position)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13)
                 ON CONFLICT (signing_digest) DO UPDATE SET run = ?12, position = ?13 WHERE run != ?12",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    digest,
                    hash,
                    signed.intent_id(),
                    signed.network().name,
                    transaction.layer().name(),
                    chain_id,
                    sender,
                    nonce,
                    transaction.purpose(),
                    format!("0x{}", hex::encode(transaction.raw())),
                    State::Recorded.name(),
                    self.run,
                    position,
                ])
            })
            .map(|_| ())
            .map_err(|error| failed(path, error))
    }

    /// Of two transactions with one nonce only one can be mined: the other is lost without a word.
    fn judge_rival(&self, digest: &str, chain_id: i64, sender: &str, nonce: i64) -> Result<(), Refusal> {
        if self.rivals == Rivals::Allowed {
            return Ok(());
        }
        let rivals = self.journal.connection.prepare_cached(
            "SELECT hash, state FROM payload
             WHERE chain_id = ?1 AND sender = ?2 AND nonce = ?3 AND signing_digest != ?4",
        );
        let rivals = rivals.and_then(|mut query| {
            let rows =
                query.query_map(params![chain_id, sender, nonce, digest], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<(String, String)>>>()
        });
        let rivals = rivals.map_err(|error| failed(&self.journal.path, error))?;
        let open = rivals.iter().find(|(_, state)| State::named(state).is_none_or(State::is_open));
        let Some((hash, state)) = open else { return Ok(()) };
        Err(Refusal::new(
            Code::RELAY_RIVAL,
            "",
            format!(
                "nonce {nonce} of {sender} is already used by {hash} ({state}) of the journal, which can still be mined"
            ),
            "only one of them can be mined: find out which, or pass --replace to let the chain decide",
        ))
    }

    /// An intent that was broadcast with another nonce would be carried out twice. What can not be mined any more, or failed, did
    /// not carry it out; approvals move nothing.
    fn judge_intent(
        &self,
        signed: &Signed,
        transaction: &SignedTransaction,
        sender: &str,
        nonce: i64,
    ) -> Result<(), Refusal> {
        let Some(intent) = signed.intent_id() else { return Ok(()) };
        if self.rivals == Rivals::Allowed || transaction.purpose() == "approve" {
            return Ok(());
        }
        let known = self.journal.connection.prepare_cached(
            "SELECT hash, state, nonce FROM payload
             WHERE intent_id = ?1 AND network = ?2 AND sender = ?3 AND purpose = ?4 AND nonce != ?5
             AND state NOT IN (?6, ?7) LIMIT 1",
        );
        let known: Option<(String, String, i64)> = known
            .and_then(|mut query| {
                let (replaced, reverted) = (State::Replaced.name(), State::Reverted.name());
                let purpose = transaction.purpose();
                let values = params![intent, signed.network().name, sender, purpose, nonce, replaced, reverted];
                query.query_row(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
            })
            .map_err(|error| failed(&self.journal.path, error))?;
        let Some((hash, state, other)) = known else { return Ok(()) };
        let intent = printable(intent);
        Err(Refusal::new(
            Code::RELAY_RIVAL,
            "/intentId",
            format!(
                "the intent {intent} is already in the journal with nonce {other}, as {hash} ({state}): with nonce {nonce} it would be \
                 carried out twice"
            ),
            "look that one up first; pass --replace if it can not be carried out any more, or give another intent another id",
        )
        .values(other, nonce))
    }

    /// Keeps what was written down.
    pub fn commit(self) -> Result<Run, Refusal> {
        let Journal { connection, path, lock, .. } = self.journal;
        connection.execute_batch("COMMIT").map_err(|error| failed(&path, error))?;
        Ok(Run { writer: Writer::start(connection), path, number: self.run, _lock: lock })
    }

    /// Forgets it, and the file too if there was none before.
    pub fn discard(self) {
        let Journal { connection, path, lock, is_new } = self.journal;
        // Closing undoes what was not committed.
        drop(connection);
        if is_new {
            // A journal that stays is an empty one: nothing is lost.
            let _ = std::fs::remove_file(path);
        }
        drop(lock);
    }
}

/// A run that is written down, for all threads.
pub struct Run {
    writer: Writer,
    path: PathBuf,
    number: i64,
    _lock: File,
}

/// An account of a chain, as the journal spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    chain_id: i64,
    sender: String,
}

impl Run {
    /// The next account of the run, in an order of the journal's own.
    pub fn next_account(&self, after: Option<&Account>) -> Result<Option<Account>, Refusal> {
        let run = self.number;
        let (chain_id, sender) = after.map_or((-1, String::new()), |known| (known.chain_id, known.sender.clone()));
        self.write(move |connection| {
            let mut query = connection.prepare_cached(
                "SELECT chain_id, sender FROM payload WHERE run = ?1 AND (chain_id, sender) > (?2, ?3)
                 ORDER BY chain_id, sender LIMIT 1",
            )?;
            query
                .query_row(params![run, chain_id, sender], |row| {
                    Ok(Account { chain_id: row.get(0)?, sender: row.get(1)? })
                })
                .optional()
        })
    }

    /// The account's next payload of the run, in nonce order.
    pub fn next_payload(&self, account: &Account, after: Option<&Place>) -> Result<Option<Row>, Refusal> {
        let (run, account) = (self.number, account.clone());
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (nonce, position, digest) = after.map_or((-1, -1, String::new()), |place| {
            (number(place.nonce), number(place.position), place.signing_digest.clone())
        });
        self.write(move |connection| {
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM payload WHERE run = ?1 AND chain_id = ?2 AND sender = ?3
                 AND (nonce, position, signing_digest) > (?4, ?5, ?6) ORDER BY nonce, position, signing_digest LIMIT 1"
            ))?;
            query.query_row(params![run, account.chain_id, account.sender, nonce, position, digest], row).optional()
        })
    }

    /// How many payloads the run has.
    pub fn count(&self) -> Result<u64, Refusal> {
        let run = self.number;
        self.write(move |connection| {
            connection.query_row("SELECT count(*) FROM payload WHERE run = ?1", [run], |row| number(row, 0))
        })
    }

    /// Writes a change down, and comes back when it is on the disk.
    pub fn advance(&self, signing_digest: String, change: Change) -> Result<(), Refusal> {
        self.write(move |connection| {
            let mut update = connection.prepare_cached(
                "UPDATE payload SET state = ?2, block_number = ?3, block_hash = ?4, l2_tx_hash = coalesce(?5, l2_tx_hash),
                                    message = ?6, sends = sends + (?2 = 'sending')
                 WHERE signing_digest = ?1",
            )?;
            let number = change.inclusion.map(|inclusion| i64::try_from(inclusion.number).unwrap_or(i64::MAX));
            let hash = change.inclusion.and_then(|inclusion| inclusion.hash).map(|hash| format!("0x{}", hex::encode(hash)));
            update.execute(params![signing_digest, change.state.name(), number, hash, change.l2_hash, change.message])
        })
        .map(|_| ())
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.writer.run(work).map_err(|problem| failed(&self.path, problem))
    }
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        signing_digest: row.get(0)?,
        hash: row.get(1)?,
        intent_id: row.get(2)?,
        network: row.get(3)?,
        layer: row.get(4)?,
        chain_id: number(row, 5)?,
        sender: row.get(6)?,
        nonce: number(row, 7)?,
        purpose: row.get(8)?,
        raw: row.get(9)?,
        state: row.get(10)?,
        block_number: row.get::<_, Option<i64>>(11)?.map(|value| unsigned(11, value)).transpose()?,
        block_hash: row.get(12)?,
        l2_tx_hash: row.get(13)?,
        message: row.get(14)?,
        position: number(row, 15)?,
        is_new: row.get(16)?,
    })
}

fn number(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<u64> {
    unsigned(index, row.get(index)?)
}

fn unsigned(index: usize, value: i64) -> rusqlite::Result<u64> {
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
}
