//! The journal.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use coldbridge::external::Form;
use coldbridge::{External, Networks, Request, Spelling, json};
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
    // Also where an empty file was there before, for everybody to read.
    let made = Relay::new();
    std::fs::write(made.journal(), "").expect("made");
    std::fs::set_permissions(made.journal(), std::fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(made.broadcast(&signed, &["--l2", &node.url]).exit, 0);
    assert_eq!(std::fs::metadata(made.journal()).expect("there").permissions().mode() & 0o777, 0o600);
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

/// Both are answered: the one that is mined, and the one that it replaced. Neither is passed over without a word.
#[test]
fn of_two_payloads_with_one_nonce_in_one_command_none_is_passed_over() {
    let signed = withdrawal();
    let rival = signed_withdrawal(|request| request["intent"]["operation"]["withdraw"]["amount"] = value!("5"));
    // The chain takes the first that is handed over, and knows nothing of another.
    for (first, second) in [(&signed, &rival), (&rival, &signed)] {
        let hashes = [first, second].map(|signed| value!(signed.transactions()[0].hash().to_string()));
        let (told, receipt) = honest(first);
        let sent = AtomicUsize::new(0);
        let node = Scripted::start(move |method, params, _| {
            let is_taken = sent.load(Ordering::SeqCst) > 0;
            match method {
                "eth_chainId" => result(&value!("0x104")),
                "eth_getTransactionCount" => result(&value!(if is_taken { "0x1" } else { "0x0" })),
                "eth_sendRawTransaction" if is_taken => {
                    let error = value!({"code": -32000, "message": "nonce too low"});
                    Some(value!({"jsonrpc": "2.0", "id": 1, "error": error}).to_string())
                }
                "eth_sendRawTransaction" => {
                    sent.store(1, Ordering::SeqCst);
                    result(&told["hash"])
                }
                "eth_getTransactionByHash" if is_taken && params[0] == told["hash"] => result(&told),
                "eth_getTransactionReceipt" if is_taken && params[0] == told["hash"] => result(&receipt),
                _ => result(&Value::Null),
            }
        });
        let both = format!("{}\n{}\n", first.to_json(), second.to_json());
        let said = Relay::new().broadcast_text(&both, &["--l2", &node.url, "--replace"]);
        let told: Vec<(&Value, &Value)> =
            said.receipts.iter().map(|receipt| (&receipt["hash"], &receipt["state"])).collect();
        let expected = [(0, "recorded"), (0, "sent"), (0, "included"), (1, "recorded"), (1, "replaced")];
        let expected = expected.map(|(at, state)| (hashes[at].clone(), value!(state)));
        assert_eq!(told, expected.iter().map(|(hash, state)| (hash, state)).collect::<Vec<_>>(), "{}", said.stderr);
        assert_eq!((said.exit, said.code().as_str()), (23, "relay.replaced"), "{}", said.stderr);
    }
}

/// One intent is carried out once, whatever nonces it was signed with.
#[test]
fn an_intent_is_not_broadcast_with_a_second_nonce_by_accident() {
    let pay = |id: &'static str, nonce: u64| {
        signed_withdrawal(move |request| {
            request["intent"]["id"] = value!(id);
            request["facts"]["transaction"]["nonce"] = value!(nonce);
        })
    };
    let (first, again, other) = (pay("PAY-1", 0), pay("PAY-1", 1), pay("PAY-2", 1));
    let relay = Relay::new();
    let node = Script::honest(&first).start();
    assert_eq!(relay.broadcast(&first, &["--l2", &node.url]).exit, 0);
    assert_eq!(relay.broadcast(&first, &["--l2", &node.url]).exit, 0, "the same again");
    let node = Script::honest(&again).start();
    let said = relay.broadcast(&again, &["--l2", &node.url]);
    assert_eq!((said.exit, said.code().as_str()), (9, "relay.rival"), "{}", said.stderr);
    assert_eq!((said.receipts.len(), node.count("eth_sendRawTransaction")), (0, 0));
    // Both in one input, too; and which line it is, is said.
    let both = format!("{}\n{}\n", first.to_json(), again.to_json());
    let said = Relay::new().broadcast_text(&both, &["--l2", &node.url]);
    assert_eq!((said.exit, said.code().as_str()), (9, "relay.rival"), "{}", said.stderr);
    assert!(said.stderr.contains("note: document 2 of "), "{}", said.stderr);
    // Whoever knows that the first will not be carried out says so; another intent is none of this.
    assert_eq!(relay.broadcast(&other, &["--l2", &Script::honest(&other).start().url]).exit, 0);
    let third = pay("PAY-1", 2);
    assert_eq!(relay.broadcast(&third, &["--l2", &Script::honest(&third).start().url, "--replace"]).exit, 0);
    // What failed did not carry it out.
    let relay = Relay::new();
    let reverting = Script::honest(&first).giving("status", value!("0x0")).start();
    assert_eq!(relay.broadcast(&first, &["--l2", &reverting.url]).exit, 24);
    assert_eq!(relay.broadcast(&again, &["--l2", &node.url]).exit, 0);
}

/// A journal of before the index on intents gets it, and is judged like any other.
#[test]
fn a_journal_without_the_index_on_intents_gets_it() {
    let signed = withdrawal();
    let relay = Relay::new();
    let node = Script::honest(&signed).start();
    assert_eq!(relay.broadcast(&signed, &["--l2", &node.url]).exit, 0);
    let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
    journal.execute_batch("DROP INDEX payload_intent").expect("it has one");
    drop(journal);
    assert_eq!(relay.broadcast(&signed, &["--l2", &node.url]).exit, 0);
    let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
    journal.execute_batch("DROP INDEX payload_intent").expect("it has one again");
}

/// An external signer gives another signature each time. It is the same payload: what was recorded first is what is sent.
#[test]
fn another_signature_of_the_same_payload_sends_what_was_recorded_first() {
    let first = withdrawal();
    let fixture = common::fixture("withdraw", "withdraw_local_typical");
    let request = json::parse(fixture.json["request"].to_string().as_bytes()).expect("JSON");
    let request = Request::read(&request, &Networks::pinned(), Spelling::Checksummed).expect("a request");
    // The same key with a nonce that is not the one of RFC 6979, as a KMS draws it.
    let key = hex::decode(fixture.key().trim().trim_start_matches("0x")).expect("a key");
    let secret = k256::SecretKey::from_slice(&key).expect("a key");
    let digest = hex::decode(&first.transactions()[0].signing_digest().to_string()[2..]).expect("a digest");
    let other_nonce = k256::NonZeroScalar::new(k256::Scalar::from(7_u64)).expect("not zero");
    let (signature, _) =
        ecdsa::hazmat::sign_prehashed::<k256::Secp256k1>(&secret.to_nonzero_scalar(), &other_nonce, &digest)
            .expect("a signature");
    let given = External::new(signature.normalize_s().to_bytes().to_vec(), Form::Any);
    let second = request.plan().expect("a plan").attach(&[given]).expect("a valid signature");
    assert_eq!(second.transactions()[0].signing_digest(), first.transactions()[0].signing_digest());
    assert_ne!(second.transactions()[0].hash(), first.transactions()[0].hash());

    let relay = Relay::new();
    let refusing = Script::honest(&first).on("eth_sendRawTransaction", &[Reply::HangUp]).start();
    assert_eq!(relay.broadcast(&first, &["--l2", &refusing.url, "--retries", "0"]).exit, 20);
    let raw = value!(format!("0x{}", hex::encode(first.transactions()[0].raw())));
    let (told, receipt) = honest(&first);
    let sent = AtomicUsize::new(0);
    let node = Scripted::start(move |method, params, _| match method {
        "eth_chainId" => result(&value!("0x104")),
        "eth_sendRawTransaction" => {
            assert_eq!(params[0], raw);
            sent.store(1, Ordering::SeqCst);
            result(&told["hash"])
        }
        _ if sent.load(Ordering::SeqCst) == 0 => result(&Value::Null),
        "eth_getTransactionByHash" => result(&told),
        _ => result(&receipt),
    });
    let said = relay.broadcast(&second, &["--l2", &node.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["sent", "included"]), "{}", said.stderr);
    assert_eq!(said.receipts[0]["hash"], value!(first.transactions()[0].hash().to_string()));
    assert!(said.stderr.contains("with another signature"), "{}", said.stderr);
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
