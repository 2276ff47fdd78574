//! The journal's file: whose it is, its tables, and how older ones become this one.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// "coldbrdg" as a number: marks the file as ours.
pub const APPLICATION_ID: i32 = 0x636f_6c64;
/// The version that this relay writes.
pub const VERSION: i32 = 2;

/// What stands in an SQLite file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Empty,
    /// A journal of this version.
    Current,
    /// A journal of an older relay.
    Old(i32),
    /// A journal of a newer relay.
    New(i32),
    /// Something else.
    Foreign,
}

/// Version 2. Version 1 had neither block hashes, messages nor runs, and its numbers were texts.
const TABLES: &str = "
    CREATE TABLE payload (
        signing_digest TEXT PRIMARY KEY NOT NULL,
        hash TEXT NOT NULL,
        intent_id TEXT,
        network TEXT NOT NULL,
        layer TEXT NOT NULL,
        chain_id INTEGER NOT NULL,
        sender TEXT NOT NULL,
        nonce INTEGER NOT NULL,
        purpose TEXT NOT NULL,
        raw TEXT NOT NULL,
        state TEXT NOT NULL,
        block_number INTEGER,
        block_hash TEXT,
        l2_tx_hash TEXT,
        message TEXT,
        sends INTEGER NOT NULL DEFAULT 0,
        first_run INTEGER NOT NULL,
        run INTEGER NOT NULL,
        position INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX payload_account ON payload (chain_id, sender, nonce);
    CREATE INDEX payload_run ON payload (run, chain_id, sender, nonce);
    CREATE INDEX payload_hash ON payload (hash);
    CREATE INDEX payload_l2_tx_hash ON payload (l2_tx_hash) WHERE l2_tx_hash IS NOT NULL;
    CREATE INDEX payload_state ON payload (state);
    CREATE INDEX payload_intent ON payload (intent_id) WHERE intent_id IS NOT NULL;";

/// What journals of this version lack that were made before it had this index.
pub const LATER: &str = "CREATE INDEX IF NOT EXISTS payload_intent ON payload (intent_id) WHERE intent_id IS NOT NULL;";

/// Looks, and changes nothing.
pub fn kind(connection: &Connection) -> rusqlite::Result<Kind> {
    let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, i32>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_master")?;
    Ok(match (application, version, tables) {
        (0, 0, 0) => Kind::Empty,
        (APPLICATION_ID, VERSION, _) => Kind::Current,
        (APPLICATION_ID, 1, _) => Kind::Old(1),
        (APPLICATION_ID, version, _) => Kind::New(version),
        _ => Kind::Foreign,
    })
}

/// Makes the tables in an empty file.
pub fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLES)?;
    mark(&transaction)?;
    transaction.commit()
}

/// Version 1 to this one, all of it or nothing.
pub fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(&format!(
        "ALTER TABLE payload RENAME TO payload_1; {TABLES}
         INSERT INTO payload (signing_digest, hash, intent_id, network, layer, chain_id, sender, nonce, purpose, raw, state,
                              block_number, l2_tx_hash, first_run, run, position)
         SELECT signing_digest, hash, intent_id, network, layer, CAST(chain_id AS INTEGER), sender, CAST(nonce AS INTEGER),
                purpose, raw, state, CAST(block_number AS INTEGER), l2_tx_hash, 0, 0, 0
         FROM payload_1;
         DROP TABLE payload_1;"
    ))?;
    mark(&transaction)?;
    transaction.commit()
}

fn mark(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"))
}
