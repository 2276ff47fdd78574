//! Many payloads of many accounts, and everything that can end a run in the middle: kills, a node that goes away and comes
//! back, blocks that are not on the chain any more.

#![allow(clippy::print_stdout)] // how long it took, for whoever asks with --nocapture

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coldbridge::{Key, Networks, Request, Signed, Spelling, json};
use serde_json::{Value, json as value};

use crate::common;
use crate::support::*;

/// Numbers that look random and are the same in every run (a 64-bit LCG of Knuth's).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// So many deposits each of so many accounts, shuffled.
fn payloads(accounts: u64, each: u64, dice: &mut Dice) -> Vec<Signed> {
    let fixture = common::fixture("deposit", "local_typical");
    let mut payloads = Vec::new();
    for account in 1..=accounts {
        let key = Key::from_hex(format!("{account:064x}\n").as_bytes()).expect("a key");
        for nonce in 0..each {
            let mut request = fixture.json["request"].clone();
            request["intent"]["id"] = value!(format!("PAY-{account}-{nonce}"));
            request["intent"]["from"] = value!(key.address().to_string());
            request["facts"]["transaction"]["nonce"] = value!(nonce);
            let request = json::parse(request.to_string().as_bytes()).expect("JSON");
            let request = Request::read(&request, &Networks::pinned(), Spelling::Checksummed).expect("a request");
            payloads.push(request.plan().expect("a plan").sign(&key).expect("signed"));
        }
    }
    for at in (1..payloads.len()).rev() {
        let other = usize::try_from(dice.below(u64::try_from(at).expect("small") + 1)).expect("small");
        payloads.swap(at, other);
    }
    payloads
}

fn fund(anvil: &Anvil, payloads: &[Signed]) {
    let senders: BTreeSet<String> = payloads.iter().map(|signed| signed.from().to_string()).collect();
    for sender in senders {
        anvil.call("anvil_setBalance", &value!([sender, "0x3635c9adc5dea00000"]));
    }
}

fn lines(payloads: &[Signed]) -> String {
    payloads.iter().fold(String::new(), |mut text, signed| {
        let _ = writeln!(text, "{}", signed.to_json());
        text
    })
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().expect("hex").trim_start_matches("0x"), 16).expect("a number")
}

/// Every payload is mined exactly once, in nonce order, nothing else is, and the journal says the same.
fn assert_all_mined_once(anvil: &Anvil, relay: &Relay, payloads: &[Signed]) {
    let mut on_chain: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut order: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for block in 1..=number(&anvil.call("eth_blockNumber", &value!([]))) {
        let block = anvil.call("eth_getBlockByNumber", &value!([format!("{block:#x}"), true]));
        for transaction in block["transactions"].as_array().expect("transactions") {
            let hash = text(&transaction["hash"]);
            let twice = on_chain.insert(hash.clone(), (number(&block["number"]), text(&block["hash"])));
            assert!(twice.is_none(), "{hash} is mined twice");
            order.entry(text(&transaction["from"]).to_lowercase()).or_default().push(number(&transaction["nonce"]));
        }
    }
    assert_eq!(on_chain.len(), payloads.len());
    for (from, nonces) in order {
        assert!(nonces.iter().copied().zip(0..).all(|(nonce, place)| nonce == place), "{from}: {nonces:?}");
    }
    let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
    let mut query = journal.prepare("SELECT hash, state, block_number, block_hash FROM payload").expect("the table");
    let rows: BTreeMap<String, (String, (u64, String))> = query
        .query_map([], |row| {
            let block = u64::try_from(row.get::<_, i64>(2)?).expect("a block");
            Ok((row.get(0)?, (row.get(1)?, (block, row.get(3)?))))
        })
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("a journal");
    assert_eq!(rows.len(), payloads.len());
    for signed in payloads {
        let hash = signed.transactions()[0].hash().to_string();
        assert_eq!(rows[&hash], ("included".to_owned(), on_chain[&hash].clone()), "{hash}");
    }
    let check: String = journal.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(check, "ok");
}

fn spawn(relay: &Relay, url: &str, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
        .arg("broadcast")
        .arg(relay.folder.join("signed.json"))
        .args(["--l1", url, "--journal"])
        .arg(relay.journal())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the relay runs")
}

#[test]
fn a_thousand_payloads_of_twenty_accounts_are_mined_once_in_nonce_order() {
    let anvil = Anvil::start(&["--chain-id", "31337", "--gas-limit", "300000000"]);
    let payloads = payloads(20, 50, &mut Dice(1));
    fund(&anvil, &payloads);
    let relay = Relay::new();
    let started = Instant::now();
    let said = relay.broadcast_text(&lines(&payloads), &["--l1", &anvil.url]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    println!("1,000 payloads: {:?}", started.elapsed());
    assert_eq!(said.receipts.len(), 3000);
    assert_all_mined_once(&anvil, &relay, &payloads);
}

/// One account that can not pay does not stop the others; the exit code is the first failing document's.
#[test]
fn a_failing_account_stops_itself_alone() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let mut all = payloads(4, 3, &mut Dice(2));
    fund(&anvil, &all);
    all.sort_by_key(|signed| signed.transactions()[0].nonce());
    let poor = all[0].from();
    anvil.call("anvil_setBalance", &value!([poor.to_string(), "0x1"]));
    let relay = Relay::new();
    let said = relay.broadcast_text(&lines(&all), &["--l1", &anvil.url, "--parallel", "2"]);
    assert_eq!((said.exit, said.code().as_str()), (21, "relay.insufficient_funds"), "{}", said.stderr);
    let state_of = |receipt: &Value, state: &str| receipt["state"] == value!(state);
    assert_eq!(said.receipts.iter().filter(|receipt| state_of(receipt, "included")).count(), 9);
    let failed: Vec<&Value> = said.receipts.iter().filter(|receipt| state_of(receipt, "insufficientFunds")).collect();
    assert_eq!(failed.len(), 1, "its later nonces are not even tried");
    assert_eq!((failed[0]["from"].clone(), failed[0]["nonce"].clone()), (value!(poor.to_string()), value!(0)));
    fund(&anvil, &all);
    let said = relay.broadcast_text(&lines(&all), &["--l1", &anvil.url]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_all_mined_once(&anvil, &relay, &all);
}

/// What can be set for a longer run: COLDBRIDGE_RELAY_KILLS=200 kills as often among 1,000 payloads.
#[allow(clippy::disallowed_methods)] // the environment of the tests, not of the program
fn kills() -> u64 {
    std::env::var("COLDBRIDGE_RELAY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[test]
fn killed_at_random_moments_every_payload_is_mined_once() {
    let kills = kills();
    let each = if kills >= 100 { 50 } else { 5 };
    let mut dice = Dice(3);
    let payloads = payloads(20, each, &mut dice);
    let relay = Relay::new();
    std::fs::write(relay.folder.join("signed.json"), lines(&payloads)).expect("written");
    let (port, state) = (free_port(), relay.folder.join("anvil.json"));
    let state = state.to_str().expect("a plain path");
    let node = || Anvil::on_port(&port, &["--chain-id", "31337", "--block-time", "0.3", "--state", state]);
    let mut anvil = node();
    fund(&anvil, &payloads);
    let url = anvil.url.clone();
    let started = Instant::now();
    let (mut in_the_middle, mut restarts) = (0, 0);
    for kill in 0..kills {
        // Every fourth time the node goes away too, and forgets its pool.
        let is_restarted = kill % 4 == 3;
        let mut run = spawn(&relay, &url, &["--parallel", "20"]);
        std::thread::sleep(Duration::from_millis(dice.below(900)));
        if is_restarted {
            anvil.stop();
            std::thread::sleep(Duration::from_millis(dice.below(300)));
            restarts += 1;
        }
        if run.try_wait().expect("asked").is_none() {
            in_the_middle += 1;
        }
        run.kill().expect("SIGKILL");
        run.wait().expect("gone");
        if is_restarted {
            anvil = node();
        }
    }
    println!(
        "{in_the_middle} of {kills} kills were in the middle of a run, {restarts} restarts: {:?}",
        started.elapsed()
    );
    let said = relay.broadcast_text(&lines(&payloads), &["--l1", &url, "--parallel", "20"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_all_mined_once(&anvil, &relay, &payloads);
    assert!(in_the_middle * 2 > kills, "{in_the_middle} of {kills}");
}

/// A node that goes away while the relay runs, and comes back.
#[test]
fn a_node_that_is_restarted_in_between_loses_nothing() {
    let payloads = payloads(4, 5, &mut Dice(4));
    let relay = Relay::new();
    std::fs::write(relay.folder.join("signed.json"), lines(&payloads)).expect("written");
    let (port, state) = (free_port(), relay.folder.join("anvil.json"));
    let state = state.to_str().expect("a plain path");
    let node = || Anvil::on_port(&port, &["--chain-id", "31337", "--block-time", "0.3", "--state", state]);
    let mut anvil = node();
    fund(&anvil, &payloads);
    let mut run = spawn(&relay, &anvil.url, &[]);
    let mut said = BufReader::new(run.stdout.take().expect("piped")).lines();
    let mut wait_for_included = || said.by_ref().map(|line| line.expect("text")).find(|line| line.contains("included"));
    wait_for_included().expect("one is included");
    anvil.stop();
    std::thread::sleep(Duration::from_millis(1500));
    anvil = node();
    while wait_for_included().is_some() {}
    assert_eq!(run.wait().expect("an end").code(), Some(0));
    assert_all_mined_once(&anvil, &relay, &payloads);
}

#[test]
fn what_a_reorganisation_throws_out_is_sent_again() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let payloads = payloads(1, 1, &mut Dice(5));
    fund(&anvil, &payloads);
    let relay = Relay::new();
    std::fs::write(relay.folder.join("signed.json"), lines(&payloads)).expect("written");
    // While the relay waits for more blocks on top.
    let mut run = spawn(&relay, &anvil.url, &["--confirmations", "3", "--timeout", "60"]);
    let mut said = BufReader::new(run.stdout.take().expect("piped")).lines();
    let mut next = || -> Value { serde_json::from_str(&said.next().expect("a line").expect("text")).expect("JSON") };
    let states: Vec<Value> = (0..3).map(|_| next()["state"].clone()).collect();
    assert_eq!(states, ["recorded", "sent", "included"]);
    anvil.call("anvil_mine", &value!(["0x1"]));
    anvil.call("anvil_reorg", &value!([2, []]));
    let hash = payloads[0].transactions()[0].hash().to_string();
    assert!(anvil.call("eth_getTransactionReceipt", &value!([hash])).is_null(), "the reorganisation threw it out");
    let sent = next();
    assert_eq!(sent["state"], value!("sent"));
    assert!(sent["message"].as_str().expect("why").contains("is not on the chain any more"), "{sent}");
    let again = next();
    assert_eq!((again["state"].clone(), again["blockNumber"].clone()), (value!("included"), value!(3)));
    anvil.call("anvil_mine", &value!(["0x2"]));
    assert_eq!(next()["state"], value!("confirmed"));
    assert_eq!(run.wait().expect("an end").code(), Some(0));

    // After the relay has ended: the same command finds out, and sends the same bytes.
    let (port, other) = (free_port(), Relay::new());
    let anvil = Anvil::on_port(&port, &["--chain-id", "31337"]);
    fund(&anvil, &payloads);
    let snapshot = anvil.call("evm_snapshot", &value!([]));
    let said = other.broadcast_text(&lines(&payloads), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["recorded", "sent", "included"]), "{}", said.stderr);
    anvil.call("evm_revert", &value!([snapshot]));
    anvil.call("anvil_mine", &value!(["0x5"]));
    let said = other.broadcast_text(&lines(&payloads), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["sent", "included"]), "{}", said.stderr);
    assert_all_mined_once(&anvil, &other, &payloads);
}

/// One journal, one relay; and whoever reads the receipts is needed.
#[test]
fn a_second_relay_and_a_lost_reader_stop_before_anything_is_sent_unseen() {
    let anvil = Anvil::start(&["--chain-id", "31337", "--no-mining"]);
    let payloads = payloads(1, 2, &mut Dice(6));
    fund(&anvil, &payloads);
    let relay = Relay::new();
    std::fs::write(relay.folder.join("signed.json"), lines(&payloads)).expect("written");
    let mut first = spawn(&relay, &anvil.url, &[]);
    let mut said = BufReader::new(first.stdout.take().expect("piped")).lines();
    assert!(said.any(|line| line.expect("text").contains("sent")));
    let second = relay.broadcast_text(&lines(&payloads), &["--l1", &anvil.url, "--timeout", "1"]);
    assert_eq!((second.exit, second.code().as_str()), (10, "relay.journal"), "{}", second.stderr);
    assert!(second.stderr.contains("another relay has it open"), "{}", second.stderr);
    // Its reader goes away: the first ends with what it can not say, and sends no second payload.
    drop(said);
    anvil.call("anvil_mine", &value!(["0x1"]));
    assert_eq!(first.wait().expect("an end").code(), Some(10));
    let sender = payloads[0].from().to_string();
    assert_eq!(anvil.call("eth_getTransactionCount", &value!([sender, "pending"])), value!("0x1"));
    // What it could not say is in the journal.
    let journal = rusqlite::Connection::open(relay.journal()).expect("SQLite");
    let states: Vec<String> = journal
        .prepare("SELECT state FROM payload ORDER BY nonce")
        .expect("the table")
        .query_map([], |row| row.get(0))
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("states");
    assert_eq!(states, ["included", "recorded"]);
}
