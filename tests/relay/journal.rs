//! The journal.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json as value};

use crate::common;
use crate::support::*;

#[test]
fn the_journal_is_one_relays_and_holds_one_row_a_payload() {
    let signed = withdrawal();
    let (told, receipt) = honest(&signed);
    let node = Scripted::start(move |method, _, _| match method {
        "eth_chainId" => result(&value!("0x104")),
        "eth_getTransactionByHash" => result(&told),
        "eth_getTransactionCount" => result(&value!("0x1")),
        _ => result(&receipt),
    });
    let relay = Relay::new();
    assert_eq!(relay.broadcast(&signed, &["--l2", &node.url]).exit, 0);
    assert_eq!(relay.broadcast(&signed, &["--l2", &node.url]).exit, 0);
    {
        let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
        let rows: Vec<(String, String, String, String)> = journal
            .prepare("SELECT signing_digest, hash, state, raw FROM payload")
            .expect("the table")
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .expect("rows")
            .collect::<Result<_, _>>()
            .expect("text");
        let transaction = &signed.transactions()[0];
        let raw = format!("0x{}", hex::encode(transaction.raw()));
        let digest = transaction.signing_digest().to_string();
        assert_eq!(rows, [(digest, transaction.hash().to_string(), "included".to_owned(), raw)]);

        // While somebody writes, no relay starts.
        journal.execute_batch("BEGIN EXCLUSIVE").expect("locked");
        let said = relay.broadcast(&signed, &["--l2", &node.url]);
        assert_eq!((said.exit, said.code().as_str()), (10, "relay.journal"), "{}", said.stderr);
        journal.execute_batch("ROLLBACK").expect("free again");
    }
    // It is the owner's alone, and what was seen mined stays mined, whatever another node says.
    assert_eq!(std::fs::metadata(relay.journal()).expect("there").permissions().mode() & 0o777, 0o600);
    let forgetful = Scripted::start(|method, _, _| match method {
        "eth_chainId" => result(&value!("0x104")),
        "eth_getTransactionCount" => result(&value!("0x9")),
        _ => result(&Value::Null),
    });
    let said = relay.broadcast(&signed, &["--l2", &forgetful.url]);
    assert_eq!((said.exit, said.code().as_str()), (26, "relay.disagree"), "{}", said.stderr);
    assert_eq!(forgetful.count("eth_sendRawTransaction"), 0);
    assert_eq!(relay.broadcast(&signed, &["--l2", &node.url]).exit, 0);
    // No name is special: a journal is a file.
    let special = Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
        .args(["broadcast", "../signed.json", "--journal", ":memory:", "--l2", &node.url])
        .current_dir({
            let folder = relay.folder.join("special");
            std::fs::create_dir_all(&folder).expect("made");
            folder
        })
        .output()
        .expect("the relay runs");
    assert_eq!(special.status.code(), Some(0));
    assert!(relay.folder.join("special/:memory:").exists());
    // A database of something else, and a newer journal, are left alone.
    let foreign = Relay::new();
    let database = rusqlite::Connection::open(foreign.journal()).expect("SQLite");
    database.execute_batch("CREATE TABLE mine (x); PRAGMA user_version = 7;").expect("made");
    drop(database);
    let before = std::fs::read(foreign.journal()).expect("bytes");
    let said = foreign.broadcast(&signed, &["--l2", &node.url]);
    assert_eq!((said.exit, said.code().as_str()), (10, "relay.journal"), "{}", said.stderr);
    assert!(std::fs::read(foreign.journal()).expect("bytes") == before, "a foreign database was changed");
}

/// The event of a real deposit on the real v29 contracts.
#[test]
fn a_recorded_deposits_event_gives_the_l2_hash_that_the_l2_node_knew() {
    use coldbridge::canonical::{EventError, PriorityRequested};
    let recorded = common::fixture("rpc", "eth_deposit_receipt").json;
    let diamond = text(&recorded["input"]["diamondProxy"]).to_lowercase();
    let bytes = |value: &Value| hex::decode(text(value).trim_start_matches("0x")).expect("hex");
    let mut found = Vec::new();
    for log in recorded["input"]["receipt"]["logs"].as_array().expect("logs") {
        if text(&log["address"]).to_lowercase() != diamond {
            continue;
        }
        let topics: Vec<[u8; 32]> = log["topics"]
            .as_array()
            .expect("topics")
            .iter()
            .map(|topic| bytes(topic).try_into().expect("32 bytes"))
            .collect();
        let data = bytes(&log["data"]);
        match PriorityRequested::read(&topics, &data) {
            Ok(request) => {
                found.push(request.hash.to_string());
                // Any flipped bit is seen: as another encoding, another hash or another number.
                for at in 0..data.len() * 8 {
                    let mut flipped = data.clone();
                    flipped[at / 8] ^= 1 << (at % 8);
                    let read = PriorityRequested::read(&topics, &flipped);
                    // The expiration timestamp is announced, but not part of the transaction.
                    let in_expiration = (64..96).contains(&(at / 8));
                    assert!(read.is_err() || in_expiration, "bit {at}");
                }
            }
            Err(error) => assert_eq!(error, EventError::OtherEvent),
        }
    }
    assert_eq!(found, [text(&recorded["expect"]["l2TxHash"])]);
}

/// Version 1, as the first relay wrote it.
const VERSION_1: &str = "
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
    PRAGMA application_id = 1668246628;
    PRAGMA user_version = 1;";

#[test]
fn a_journal_of_version_1_becomes_one_of_version_2() {
    let signed = withdrawal();
    let transaction = &signed.transactions()[0];
    let relay = Relay::new();
    let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
    journal.execute_batch(VERSION_1).expect("made");
    journal
        .execute(
            "INSERT INTO payload VALUES (?1, ?2, NULL, 'local', 'l2', '260', ?3, ?4, 'withdraw', ?5, 'included', '7', NULL)",
            [
                transaction.signing_digest().to_string(),
                transaction.hash().to_string(),
                signed.from().to_string(),
                transaction.nonce().to_string(),
                format!("0x{}", hex::encode(transaction.raw())),
            ],
        )
        .expect("a row");
    drop(journal);
    let node = Script::honest(&signed).knowing().start();
    let said = relay.broadcast(&signed, &["--l2", &node.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["included"]), "{}", said.stderr);
    let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
    let row: (i64, i64, i64, i64, String) = journal
        .query_row("SELECT chain_id, nonce, block_number, sends, block_hash FROM payload", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .expect("one row");
    let nonce = i64::try_from(transaction.nonce()).expect("small");
    assert_eq!(row, (260, nonce, 7, 0, format!("0x{}", "ab".repeat(32))));
    let version: i64 = journal.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number");
    assert_eq!(version, 2);
    // One from the future is left alone.
    journal.execute_batch("PRAGMA user_version = 3").expect("set");
    drop(journal);
    let said = relay.broadcast(&signed, &["--l2", &node.url]);
    assert_eq!((said.exit, said.code().as_str()), (10, "relay.journal"), "{}", said.stderr);
    assert!(said.stderr.contains("version 3"), "{}", said.stderr);
}

#[test]
fn two_payloads_with_one_nonce_are_not_sent_by_accident() {
    let signed = withdrawal();
    let rival = signed_withdrawal(|request| request["intent"]["operation"]["withdraw"]["amount"] = value!("5"));
    let relay = Relay::new();
    let stuck = Script::honest(&signed)
        .on("eth_getTransactionReceipt", &[Reply::Result(Value::Null)])
        .on("eth_getTransactionCount", &[Reply::Result(value!("0x0"))])
        .start();
    assert_eq!(relay.broadcast(&signed, &["--l2", &stuck.url, "--timeout", "1"]).exit, 25);
    let node = Script::honest(&rival).start();
    let said = relay.broadcast(&rival, &["--l2", &node.url]);
    assert_eq!((said.exit, said.code().as_str()), (9, "relay.rival"), "{}", said.stderr);
    assert_eq!((said.receipts.len(), node.count("eth_sendRawTransaction")), (0, 0));
    // Both in one input, too.
    let both = format!("{}\n{}\n", signed.to_json(), rival.to_json());
    let fresh = Relay::new();
    let said = fresh.broadcast_text(&both, &["--l2", &node.url]);
    assert_eq!((said.exit, said.code().as_str()), (9, "relay.rival"), "{}", said.stderr);
    assert!(!fresh.journal().exists());
    // Whoever knows what he does lets the chain decide.
    let said = relay.broadcast(&rival, &["--l2", &node.url, "--replace"]);
    assert_eq!((said.exit, said.states()), (0, vec!["recorded", "sent", "included"]), "{}", said.stderr);
    // Once a nonce is used there is nothing to be afraid of: the chain says what became of the other.
    let blank = Script::honest(&signed)
        .on("eth_getTransactionByHash", &[Reply::Result(Value::Null)])
        .on("eth_getTransactionReceipt", &[Reply::Result(Value::Null)])
        .on("eth_getTransactionCount", &[Reply::Result(value!("0x9"))])
        .on("eth_sendRawTransaction", &[Reply::Error(-32000, "nonce too low")])
        .start();
    let said = relay.broadcast(&signed, &["--l2", &blank.url]);
    assert_eq!((said.exit, said.states()), (23, vec!["replaced"]), "{}", said.stderr);
}

/// What another program did to the journal is found before anything is sent.
#[test]
fn a_damaged_journal_sends_nothing() {
    let signed = withdrawal();
    let changes = [
        "hash = '0x' || hex(zeroblob(32))",
        "raw = substr(raw, 1, length(raw) - 2)",
        "raw = replace(raw, 'f', 'e')",
        "nonce = nonce + 1",
        "state = 'mined'",
        "chain_id = 1",
        "layer = 'l3'",
        "block_number = 1, block_hash = '0x12'",
    ];
    for change in changes {
        let relay = Relay::new();
        let refusing = Script::honest(&signed).on("eth_sendRawTransaction", &[Reply::HangUp]).start();
        assert_eq!(relay.broadcast(&signed, &["--l2", &refusing.url, "--retries", "0"]).exit, 20);
        let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
        journal.execute(&format!("UPDATE payload SET {change}"), []).expect("changed");
        drop(journal);
        let node = Script::honest(&signed).start();
        let said = relay.broadcast(&signed, &["--l2", &node.url]);
        assert_eq!((said.exit, said.code().as_str()), (10, "relay.journal"), "{change} {}", said.stderr);
        assert_eq!(node.count("eth_sendRawTransaction"), 0, "{change}");
    }
}
