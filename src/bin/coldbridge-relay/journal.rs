//! The journal: one row a payload in an embedded database, written before the socket is.
//!
//! Its key is the signing digest. External signers are not deterministic, so the same payload may come with another
//! signature and hash: what was recorded first is what is sent, always the same bytes.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use coldbridge::refusal::printable;
use coldbridge::signed::SignedTransaction;
use coldbridge::{Code, Refusal, Signed};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// "coldbrdg" as a number: marks the file as ours.
const APPLICATION_ID: i32 = 0x636f_6c64;
const VERSION: i32 = 1;

/// The states of a payload, as the receipts name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Written down, not sent.
    Recorded,
    /// Handed to the node, or about to be.
    Sent,
    /// Mined, and succeeded.
    Included,
    /// Mined, and failed.
    Reverted,
    /// Another transaction took its nonce.
    Replaced,
    /// The node did not take it.
    Rejected,
    /// Not mined in time.
    Pending,
}

impl State {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Sent => "sent",
            Self::Included => "included",
            Self::Reverted => "reverted",
            Self::Replaced => "replaced",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
        }
    }
}

/// The open journal. While it is open no other relay can open it.
pub struct Journal {
    connection: Connection,
    path: String,
}

impl Journal {
    /// Opens the journal, or makes one.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let name = printable(&path.to_string_lossy());
        let refuse = |problem: String| {
            Refusal::new(
                Code::RELAY_JOURNAL,
                "",
                format!("the journal {name}: {problem}"),
                "name a journal of this relay, or a new file, that no other relay has open",
            )
        };
        let failed = |error: rusqlite::Error| refuse(printable(&error.to_string()));
        // Payloads are bearer instruments: the file is the owner's alone, and a file it must be.
        let private = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        private.map_err(|error| refuse(printable(&error.to_string())))?;
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        // A path with a folder is never one of SQLite's special names.
        let named = if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) };
        let connection = Connection::open_with_flags(named, flags).map_err(failed)?;
        // Whose file it is comes first: a database of something else is left as it is.
        let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(failed)?;
        let kind = (pragma("application_id").map_err(failed)?, pragma("user_version").map_err(failed)?, tables);
        match kind {
            (0, 0, 0) | (APPLICATION_ID, VERSION, _) => {}
            (APPLICATION_ID, version, _) => {
                return Err(refuse(format!("it has version {version}, this relay writes version {VERSION}")));
            }
            _ => return Err(refuse("it is a database of something else".to_owned())),
        }
        connection
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
            .map_err(failed)?;
        if kind == (0, 0, 0) {
            connection
                .execute_batch(&format!(
                    "BEGIN EXCLUSIVE;
                     CREATE TABLE payload (
                         signing_digest TEXT PRIMARY KEY NOT NULL,
                         hash TEXT NOT NULL,
                         intent_id TEXT,
                         network TEXT NOT NULL,
                         layer TEXT NOT NULL,
                         chain_id TEXT NOT NULL,
                         sender TEXT NOT NULL,
                         nonce TEXT NOT NULL,
                         purpose TEXT NOT NULL,
                         raw TEXT NOT NULL,
                         state TEXT NOT NULL,
                         block_number TEXT,
                         l2_tx_hash TEXT
                     ) STRICT;
                     PRAGMA application_id = {APPLICATION_ID};
                     PRAGMA user_version = {VERSION};
                     COMMIT;"
                ))
                .map_err(failed)?;
        } else {
            // Takes the lock that the exclusive mode then keeps.
            connection.execute_batch("BEGIN IMMEDIATE; COMMIT;").map_err(failed)?;
        }
        Ok(Self { connection, path: name })
    }

    /// Writes a payload down, unless it is there. Gives the bytes to send and their hash: those recorded first.
    pub fn record(&self, signed: &Signed, transaction: &SignedTransaction) -> Result<Recorded, Refusal> {
        let digest = transaction.signing_digest().to_string();
        let changed = self
            .connection
            .execute(
                "INSERT INTO payload (signing_digest, hash, intent_id, network, layer, chain_id, sender, nonce, purpose,
                                      raw, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                 ON CONFLICT (signing_digest) DO NOTHING",
                params![
                    digest,
                    transaction.hash().to_string(),
                    signed.intent_id(),
                    signed.network().name,
                    transaction.layer().name(),
                    transaction.transaction().chain_id().unwrap_or_default().to_string(),
                    signed.from().to_string(),
                    transaction.nonce().to_string(),
                    transaction.purpose(),
                    format!("0x{}", hex::encode(transaction.raw())),
                    State::Recorded.name(),
                ],
            )
            .map_err(|error| self.failed(&error))?;
        if changed == 1 {
            return Ok(Recorded::New);
        }
        let hash: Option<String> = self
            .connection
            .query_row("SELECT hash FROM payload WHERE signing_digest = ?1", [&digest], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(&error))?;
        let ours = transaction.hash().to_string();
        match hash {
            Some(hash) if hash == ours => Ok(Recorded::Known),
            other => Err(Refusal::new(
                Code::RELAY_JOURNAL,
                "",
                format!("the journal {} holds this transaction with another signature", self.path),
                "broadcast the document that was recorded first: two signatures of one transaction would be told as two",
            )
            .values(other.unwrap_or_default(), ours)),
        }
    }

    /// The block in which the journal has seen a transaction mined.
    pub fn mined_block(&self, transaction: &SignedTransaction) -> Result<Option<String>, Refusal> {
        self.connection
            .query_row(
                "SELECT block_number FROM payload WHERE signing_digest = ?1 AND state IN ('included', 'reverted')",
                [transaction.signing_digest().to_string()],
                |row| row.get(0),
            )
            .optional()
            .map(Option::flatten)
            .map_err(|error| self.failed(&error))
    }

    /// Writes a state down. What has been seen mined stays mined, unless it is seen mined again.
    pub fn advance(
        &self,
        transaction: &SignedTransaction,
        state: State,
        block_number: Option<u64>,
        l2_tx_hash: Option<&str>,
    ) -> Result<(), Refusal> {
        self.connection
            .execute(
                "UPDATE payload SET state = ?2, block_number = coalesce(?3, block_number),
                                    l2_tx_hash = coalesce(?4, l2_tx_hash)
                 WHERE signing_digest = ?1
                       AND (state NOT IN ('included', 'reverted') OR ?2 IN ('included', 'reverted'))",
                params![
                    transaction.signing_digest().to_string(),
                    state.name(),
                    block_number.map(|number| number.to_string()),
                    l2_tx_hash,
                ],
            )
            .map(|_| ())
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &rusqlite::Error) -> Refusal {
        Refusal::new(
            Code::RELAY_JOURNAL,
            "",
            format!("the journal {}: {}", self.path, printable(&error.to_string())),
            "check the file system and its free space, and run the same command again",
        )
    }
}

/// Whether a payload was in the journal before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    New,
    /// The same bytes were there.
    Known,
}
