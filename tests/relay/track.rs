//! `track` and `status`: what real nodes answered (recorded), at every moment of a deposit's and a withdrawal's way.

use std::process::{Command, Stdio};

use coldbridge::Signed;
use serde_json::{Value, json as value};

use crate::common;
use crate::support::*;

/// Both nodes of a recorded flow, as they answered up to one of its exchanges.
struct Recorded {
    l1: Scripted,
    l2: Scripted,
}

/// How hex is spelt is no difference.
fn key(method: &str, params: &Value) -> String {
    format!("{method} {params}").to_lowercase()
}

impl Recorded {
    fn at(flow: &str, moment: usize) -> Self {
        Self::changed(flow, moment, |_, answer| answer)
    }

    /// `change` makes another node of it: it gets each call and its whole answer.
    fn changed(
        flow: &str,
        moment: usize,
        change: impl Fn(&str, Value) -> Value + Clone + Send + Sync + 'static,
    ) -> Self {
        let exchanges = common::fixture("rpc_recorded", flow).json["expect"]["exchanges"].clone();
        let exchanges = exchanges.as_array().expect("exchanges").clone();
        let node = |layer: &'static str| {
            let (exchanges, change) = (exchanges.clone(), change.clone());
            Scripted::start(move |method, params, _| {
                let call = key(method, params);
                let of_call: Vec<(usize, &Value)> = exchanges
                    .iter()
                    .enumerate()
                    .filter(|(_, exchange)| {
                        exchange["layer"] == value!(layer)
                            && key(exchange["method"].as_str().expect("a method"), &exchange["params"]) == call
                    })
                    .collect();
                // What was never asked before that moment is answered as it was later, but for a transaction.
                let later = of_call.first().filter(|_| !method.starts_with("eth_getTransaction"));
                let known = of_call.iter().rev().find(|(at, _)| *at <= moment).or(later);
                let mut answer = match (known, method) {
                    (Some((_, exchange)), _) if exchange.get("error").is_some() => value!({"error": exchange["error"]}),
                    (Some((_, exchange)), _) => value!({"result": exchange["result"]}),
                    (None, "eth_chainId") => value!({"result": if layer == "l1" { "0x7a69" } else { "0x104" }}),
                    (None, "eth_getTransactionByHash" | "eth_getTransactionReceipt") => value!({ "result": null }),
                    (None, "eth_call") if call.contains("0x9fa8826b") => {
                        value!({"result": format!("0x{}", "0".repeat(64))})
                    }
                    (None, _) => value!({"error": {"code": -32601, "message": format!("not recorded: {call}")}}),
                };
                answer["jsonrpc"] = value!("2.0");
                answer["id"] = value!(1);
                Some(change(&call, answer).to_string())
            })
        };
        Self { l1: node("l1"), l2: node("l2") }
    }

    fn track(&self, arguments: &[&str]) -> Said {
        track(&[&["--l1", &self.l1.url, "--l2", &self.l2.url, "--retries", "0"], arguments].concat())
    }
}

fn track(arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
        .args(["track", "--json-errors"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the relay runs");
    Said::of(&output)
}

const DEPOSIT: &str = "0xe151fef41962bfafa40ca8c96940cffd4280f5d1ee9a175584927e5c5c6e0158";
const DEPOSIT_ON_L2: &str = "0x0ed8d520fd02154d954abfa1ca219e30d1ebe3795e9161db2dfa6e31058e51eb";
const WITHDRAWAL: &str = "0xc71c4bb77e6c361c42f825e5886c9d2696ef38b28ba372e32c857df43b1472f0";
const TWO: &str = "0x2229d13e96d665dcf824e9f7551ec4330b0a5e6b3081297ece031fb6a5bdbb84";
const FAILED: &str = "0x52fec0dd58ae53a23005fca9f62c4b14b2e25ddf597899e7a93d4a6e5e86e6f9";
const FAILED_ON_L2: &str = "0xcae1764a8eb42e498b40dffdfd07e602ff9cf088baa81d35ce3e3f14b8e27fe2";
const DIRECT: &str = "0x120123380e4a342603978cd1b2cea09324744393cbea2ccf6f065bb636b2b63b";

#[test]
fn every_moment_of_the_recorded_flows_is_told() {
    // flow, exchange, hash, stage, exit, hash on L2, stages of the messages
    type Row = (&'static str, usize, &'static str, &'static str, i32, Option<&'static str>, &'static [&'static str]);
    let deposit = "eth_deposit_broadcast_and_track";
    let rows: &[Row] = &[
        (deposit, 5, DEPOSIT, "unknown", 25, None, &[]),
        (deposit, 10, DEPOSIT, "pending", 25, None, &[]),
        (deposit, 29, DEPOSIT, "included", 25, Some(DEPOSIT_ON_L2), &[]),
        (deposit, 31, DEPOSIT, "executed", 0, Some(DEPOSIT_ON_L2), &[]),
        ("eth_withdrawal", 8, WITHDRAWAL, "unknown", 25, None, &[]),
        ("eth_withdrawal", 24, WITHDRAWAL, "included", 25, None, &["included"]),
        ("eth_withdrawal", 35, WITHDRAWAL, "included", 25, None, &["included"]),
        ("eth_withdrawal", 50, WITHDRAWAL, "proofReady", 0, None, &["proofReady"]),
        ("eth_withdrawal", 60, WITHDRAWAL, "finalized", 0, None, &["finalized"]),
        ("two_withdrawals_in_one_tx", 20, TWO, "included", 25, None, &["included", "included"]),
        ("two_withdrawals_in_one_tx", 50, TWO, "proofReady", 0, None, &["proofReady", "proofReady"]),
        ("two_withdrawals_in_one_tx", 56, TWO, "proofReady", 0, None, &["finalized", "proofReady"]),
        ("two_withdrawals_in_one_tx", 70, TWO, "finalized", 0, None, &["finalized", "finalized"]),
        ("failed_erc20_deposit", 5, FAILED, "included", 25, Some(FAILED_ON_L2), &[]),
        ("failed_erc20_deposit", 10, FAILED, "failed", 24, Some(FAILED_ON_L2), &[]),
        ("failed_erc20_deposit", 10, FAILED_ON_L2, "reverted", 24, None, &[]),
        ("direct_request_failed_on_l2", 9, DIRECT, "failed", 24, None, &[]),
    ];
    let mut failures = common::Failures::default();
    for (flow, moment, hash, stage, exit, on_l2, messages) in rows {
        let name = format!("{flow} at {moment}");
        let said = Recorded::at(flow, *moment).track(&[hash]);
        let Some(told) = said.receipts.first() else {
            failures.fail(&name, &said.stderr);
            continue;
        };
        failures.check(&name, "stage and exit", &(told["stage"].as_str(), said.exit), &(Some(*stage), *exit));
        if let Some(on_l2) = on_l2 {
            failures.check(&name, "L2 hash", &told["l2TxHash"], &value!(on_l2));
        }
        let stages: Vec<&str> = told["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|message| message["stage"].as_str().expect("a word"))
            .collect();
        failures.check(&name, "messages", &stages, &messages.to_vec());
    }
    failures.finish();
}

/// What a claim needs is said where there is something to claim, and only there.
#[test]
fn a_failed_deposit_says_how_it_is_claimed() {
    let said = Recorded::at("failed_erc20_deposit", 10).track(&[FAILED]);
    let message = said.receipts[0]["message"].as_str().expect("what to do");
    assert!(message.contains(&format!("coldbridge-relay proof {FAILED_ON_L2} --network local")), "{message}");
    let claimed = Recorded::at("failed_erc20_deposit", 27).track(&[FAILED]);
    let message = claimed.receipts[0]["message"].as_str().expect("what happened");
    assert!(message.contains("nothing to claim"), "{message}");
    let direct = Recorded::at("direct_request_failed_on_l2", 9).track(&[DIRECT]);
    assert!(direct.receipts[0]["message"].as_str().expect("what happened").contains("nothing to claim"));
}

/// ZKsync OS: an error in place of null before the batch is executed, and snake_case.
#[test]
fn zksync_os_shapes_are_read() {
    let early = Recorded::changed("eth_withdrawal", 24, |call, answer| {
        if call.starts_with("zks_getl2tol1logproof") {
            return value!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "L1 batch is not executed yet"}});
        }
        answer
    });
    let said = early.track(&[WITHDRAWAL]);
    assert_eq!((said.exit, &said.receipts[0]["stage"]), (25, &value!("included")), "{}", said.stderr);
    let snake = |call: &str, mut answer: Value| {
        let result = &mut answer["result"];
        if call.starts_with("zks_getl2tol1logproof") && result.is_object() {
            result["batch_number"] = value!(8);
        }
        if call.starts_with("eth_gettransactionreceipt") && result.is_object() {
            for log in result["l2ToL1Logs"].as_array_mut().into_iter().flatten() {
                let (sender, key, word) = (log["sender"].clone(), log["key"].clone(), log["value"].clone());
                *log = value!({"l2_shard_id": 0, "is_service": true, "tx_number_in_block": 0, "sender": sender, "key": key, "value": word});
            }
            result.as_object_mut().expect("an object").remove("l1BatchNumber");
        }
        answer
    };
    for (moment, stage) in [(24, "included"), (50, "proofReady"), (60, "finalized")] {
        let said = Recorded::changed("eth_withdrawal", moment, snake).track(&[WITHDRAWAL]);
        assert_eq!(said.receipts[0]["stage"], value!(stage), "{}", said.stderr);
        assert_eq!(said.receipts[0]["messages"][0]["l2BatchNumber"], value!(8));
    }
    // A proof of another batch than the receipt's is no proof.
    let other = |call: &str, mut answer: Value| {
        if call.starts_with("zks_getl2tol1logproof") {
            answer["result"]["batchNumber"] = value!(9);
        }
        answer
    };
    let said = Recorded::changed("eth_withdrawal", 50, other).track(&[WITHDRAWAL]);
    assert_eq!((said.exit, said.code().as_str()), (26, "relay.disagree"), "{}", said.stderr);
}

#[test]
fn what_can_not_be_is_not_told() {
    let deposit = "eth_deposit_broadcast_and_track";
    let change_of = |method: &'static str, from: &'static str, to: &'static str| {
        move |call: &str, answer: Value| {
            if !call.starts_with(method) {
                return answer;
            }
            serde_json::from_str(&answer.to_string().replace(from, to)).expect("JSON")
        }
    };
    // The announced hash is changed: it is not the hash of what was announced.
    let bad = change_of("eth_gettransactionreceipt", &DEPOSIT_ON_L2[2..], &WITHDRAWAL[2..]);
    let said = Recorded::changed(deposit, 31, bad).track(&[DEPOSIT]);
    assert_eq!((said.exit, said.code().as_str()), (26, "relay.disagree"), "{}", said.stderr);
    // Another transaction's receipt.
    let other = change_of("eth_gettransactionreceipt", &DEPOSIT[2..], &WITHDRAWAL[2..]);
    let said = Recorded::changed(deposit, 31, other).track(&[DEPOSIT]);
    assert_eq!((said.exit, said.code().as_str()), (26, "relay.disagree"), "{}", said.stderr);
    // The same event of another diamond, as a Gateway's would be, announces nothing here.
    let elsewhere = change_of(
        "eth_gettransactionreceipt",
        "\"address\":\"0x85592567f1a242cad2b14528fe2de7864b60f751\"",
        "\"address\":\"0x1111111111111111111111111111111111111111\"",
    );
    let said = Recorded::changed(deposit, 31, elsewhere).track(&[DEPOSIT]);
    assert_eq!((said.exit, &said.receipts[0]["stage"]), (0, &value!("done")), "{}", said.stderr);
    let wrong_chain = change_of("eth_chainid", "0x104", "0x144");
    let said = Recorded::changed(deposit, 31, wrong_chain).track(&[DEPOSIT, "--network", "local"]);
    assert_eq!((said.exit, said.code().as_str()), (22, "relay.wrong_chain"), "{}", said.stderr);
    let said = Recorded::changed(deposit, 31, wrong_chain).track(&[DEPOSIT]);
    assert_eq!((said.exit, said.code().as_str()), (4, "network.unknown"), "{}", said.stderr);
    assert_eq!(track(&[]).exit, 2);
    assert_eq!(track(&[DEPOSIT, "--network", "local"]).exit, 2);
    assert_eq!(track(&["0x12", "--l1", "http://127.0.0.1:9"]).exit, 10, "no hash, and no file");
}

/// With a file of endpoints and no other word, a hash is of the network that the file is for.
#[test]
fn a_hash_is_of_the_network_whose_endpoints_the_file_has() {
    let recorded = Recorded::at("eth_deposit_broadcast_and_track", 31);
    let relay = Relay::new();
    let file = relay.folder.join("relay.json");
    let path = file.to_str().expect("plain");
    let local = value!({"l1": {"urls": [recorded.l1.url]}, "l2": {"urls": [recorded.l2.url]}});
    let mut config = value!({"schema": "coldbridge/relay-config/1", "networks": {"local": local}});
    std::fs::write(&file, config.to_string()).expect("written");
    let said = track(&[DEPOSIT, "--config", path]);
    assert_eq!((said.exit, &said.receipts[0]["stage"]), (0, &value!("executed")), "{}", said.stderr);
    // Of several the caller says which.
    config["networks"]["era-mainnet"] = value!({"l1": {"urls": ["https://rpc.example"]}});
    std::fs::write(&file, config.to_string()).expect("written");
    let said = track(&[DEPOSIT, "--config", path]);
    assert_eq!((said.exit, said.code().as_str()), (2, "usage.command"), "{}", said.stderr);
    let said = track(&[DEPOSIT, "--config", path, "--network", "local"]);
    assert_eq!((said.exit, &said.receipts[0]["stage"]), (0, &value!("executed")), "{}", said.stderr);
}

/// A payload of which nodes tell what can not be is told so, and hides nothing of those that come after it.
#[test]
fn a_lie_about_one_payload_does_not_hide_the_others() {
    let payloads: Vec<Signed> = (0..3)
        .map(|nonce| signed_withdrawal(|request| request["facts"]["transaction"]["nonce"] = value!(nonce)))
        .collect();
    let hash = |at: usize| payloads[at].transactions()[0].hash().to_string();
    let lied_about = hash(1);
    let told: Vec<(Value, Value)> = payloads.iter().map(honest).collect();
    let node = Scripted::start(move |method, params, _| {
        let known = told.iter().find(|(told, _)| told["hash"] == params[0]);
        match (method, known) {
            ("eth_chainId", _) => result(&value!("0x104")),
            ("eth_getTransactionReceipt", Some((told, receipt))) => {
                let mut receipt = receipt.clone();
                if told["hash"] == lied_about.as_str() {
                    receipt["transactionHash"] = value!(DEPOSIT);
                }
                result(&receipt)
            }
            (_, known) => result(&known.map_or(Value::Null, |(told, _)| told.clone())),
        }
    });
    let relay = Relay::new();
    let document = relay.folder.join("signed.jsonl");
    let lines: String = payloads.iter().map(|signed| format!("{}\n", signed.to_json())).collect();
    std::fs::write(&document, lines).expect("written");
    let said = track(&[document.to_str().expect("plain"), "--l2", &node.url]);
    let hashes: Vec<&Value> = said.receipts.iter().map(|told| &told["hash"]).collect();
    assert_eq!(hashes, [&value!(hash(0)), &value!(hash(2))], "{}", said.stderr);
    assert_eq!((said.exit, said.code().as_str()), (25, "relay.disagree"), "the first that is not through");
    assert!(said.stderr.contains(&hash(1)), "{}", said.stderr);
    // Named alone it is all there is to tell.
    let alone = relay.folder.join("alone.json");
    std::fs::write(&alone, payloads[1].to_json().to_string()).expect("written");
    assert_eq!(track(&[alone.to_str().expect("plain"), "--l2", &node.url]).exit, 26);
}

fn status(relay: &Relay, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
        .args(["status", "--json-errors", "--journal"])
        .arg(relay.journal())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the relay runs");
    if arguments.contains(&"--table") {
        let text = String::from_utf8(output.stdout).expect("text");
        return Said {
            exit: output.status.code().expect("a code"),
            receipts: vec![value!(text)],
            stderr: String::new(),
        };
    }
    Said::of(&output)
}

/// From the signed document through the journal to the end, and what the journal alone says of it.
#[test]
fn a_broadcast_withdrawal_is_tracked_and_its_status_is_known() {
    let signed = withdrawal();
    let hash = signed.transactions()[0].hash().to_string();
    let relay = Relay::new();
    let missing = status(&relay, &[]);
    assert_eq!((missing.exit, missing.code().as_str()), (10, "io.read"));
    let node = Script::honest(&signed).start();
    assert_eq!(relay.broadcast(&signed, &["--l2", &node.url]).exit, 0);

    let digest = signed.transactions()[0].signing_digest().to_string();
    let document = relay.folder.join("signed.json");
    for name in [hash.as_str(), digest.as_str(), document.to_str().expect("plain")] {
        let said = status(&relay, &[name]);
        assert_eq!((said.exit, said.states()), (0, vec!["included"]), "{}", said.stderr);
        assert_eq!((&said.receipts[0]["hash"], &said.receipts[0]["blockNumber"]), (&value!(hash), &value!(7)));
    }
    let table = status(&relay, &["--table"]).receipts[0].as_str().expect("text").to_owned();
    assert!(
        table.contains(&hash) && table.contains("included") && table.ends_with("1 payload: 1 included\n"),
        "{table}"
    );
    let unknown = status(&relay, &[DEPOSIT]);
    assert_eq!((unknown.exit, unknown.code().as_str()), (3, "relay.unknown"), "{}", unknown.stderr);

    // Read while another relay has it open.
    let open = rusqlite::Connection::open(relay.journal()).expect("SQLite");
    open.execute_batch("BEGIN IMMEDIATE").expect("locked");
    assert_eq!(status(&relay, &[]).exit, 0);
    drop(open);

    // A node that tells of no message knows no withdrawal.
    let recorded = Recorded::at("eth_withdrawal", 50);
    let journal = relay.journal();
    let said = track(&["--journal", journal.to_str().expect("plain"), "--l2", &node.url, "--l1", &recorded.l1.url]);
    assert_eq!(
        (said.exit, &said.receipts[0]["stage"]),
        (25, &value!("included")),
        "{:?} {}",
        said.receipts,
        said.stderr
    );
    assert_eq!(said.receipts[0]["purpose"], value!("withdraw"));
    // What the chain does not know any more is said.
    let blank = Script::honest(&signed).start();
    let said = track(&["--journal", journal.to_str().expect("plain"), "--l2", &blank.url]);
    assert_eq!((said.exit, &said.receipts[0]["stage"]), (25, &value!("unknown")), "{}", said.stderr);
    assert!(said.receipts[0]["message"].as_str().expect("why").contains("broadcast it again"));
}
