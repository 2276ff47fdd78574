//! Broadcasting to a real L1 node.

use std::time::{Duration, Instant};

use serde_json::{Value, json as value};

use crate::common;
use crate::support::*;

/// Compares what was mined with what another implementation said must be signed.
fn assert_mined(anvil: &Anvil, expected: &Value, signature: &Value, hash: &str, price_members: &[(&str, &str)]) {
    let mined = anvil.call("eth_getTransactionByHash", &value!([hash]));
    assert_eq!(mined["hash"], value!(hash));
    for (ours, theirs) in [("from", "from"), ("to", "to"), ("data", "input")] {
        assert_eq!(text(&expected[ours]).to_lowercase(), text(&mined[theirs]).to_lowercase(), "{ours}");
    }
    let numbers = [("nonce", "nonce"), ("value", "value"), ("gasLimit", "gas"), ("chainId", "chainId")];
    for (ours, theirs) in numbers.iter().chain(price_members) {
        assert_eq!(text(&expected[*ours]), quantity(&mined[*theirs]), "{ours}");
    }
    for member in ["r", "s"] {
        let digits = |value: &Value| text(value).trim_start_matches("0x").trim_start_matches('0').to_owned();
        assert_eq!(digits(&signature[member]), digits(&mined[member]), "{member}");
    }
    let receipt = anvil.call("eth_getTransactionReceipt", &value!([hash]));
    assert_eq!(receipt["status"], value!("0x1"));
}

#[test]
fn a_deposit_is_mined_as_signed_and_sending_it_again_is_harmless() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let relay = Relay::new();
    let fixture = common::fixture("deposit", "local_typical");
    let expected = &fixture.signed().expect("signed")["transactions"][0];
    let signed = deposit(|_| {});

    let said = relay.broadcast(&signed, &["--l1", &anvil.url]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_eq!(said.states(), ["recorded", "sent", "included"]);
    let hash = expected["hash"].as_str().expect("a hash");
    assert!(said.receipts.iter().all(|receipt| receipt["hash"] == value!(hash)));
    assert_eq!(said.receipts[2]["blockNumber"], value!(1));
    let prices = [("maxFeePerGas", "maxFeePerGas"), ("maxPriorityFeePerGas", "maxPriorityFeePerGas")];
    assert_mined(&anvil, &expected["unsigned"], &expected["signature"], hash, &prices);
    assert!(said.stderr.contains("announced no priority request"), "a bare node has no bridge: {}", said.stderr);

    let again = relay.broadcast(&signed, &["--l1", &anvil.url]);
    assert_eq!((again.exit, again.states()), (0, vec!["included"]), "{}", again.stderr);
    let other_journal = Relay::new().broadcast(&signed, &["--l1", &anvil.url]);
    assert_eq!((other_journal.exit, other_journal.states()), (0, vec!["recorded", "included"]));
    assert_eq!(quantity(&anvil.call("eth_getTransactionCount", &value!([signed.from().to_string(), "latest"]))), "1");
    assert_eq!(quantity(&anvil.call("eth_blockNumber", &value!([]))), "1");
}

#[test]
fn a_legacy_transaction_is_mined_as_signed() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let signed = deposit(|request| {
        request["intent"]["envelope"] = value!("legacy");
        request["facts"]["transaction"] = value!({"nonce": 0, "gasLimit": 350_000, "gasPrice": "3000000000"});
    });
    let said = Relay::new().broadcast(&signed, &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["recorded", "sent", "included"]), "{}", said.stderr);
    let document: Value = serde_json::from_str(&signed.to_json().to_string()).expect("JSON");
    let expected = value!({
        "from": signed.from().to_string(),
        "to": signed.network().bridgehub.to_string(),
        "data": format!("0x{}", hex::encode(signed.transactions()[0].transaction().data())),
        "nonce": 0,
        "value": signed.transactions()[0].transaction().value().to_string(),
        "gasLimit": 350_000,
        "chainId": 31337,
        "gasPrice": "3000000000",
    });
    let transaction = &document["transactions"][0];
    let hash = transaction["hash"].as_str().expect("a hash");
    assert_mined(&anvil, &expected, &transaction["signature"], hash, &[("gasPrice", "gasPrice")]);
    assert_eq!(anvil.call("eth_getTransactionByHash", &value!([hash]))["type"], value!("0x0"));
}

/// A plan of several transactions goes in nonce order: the approval is mined before the deposit is sent.
#[test]
fn approvals_are_mined_before_the_deposit() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let signed = deposit(|request| {
        request["intent"]["operation"]["deposit"]["token"] = value!("0x5FbDB2315678afecb367f032d93F642f64180aa3");
        request["facts"]["approval"] = value!({ "gasLimit": 60_000 });
    });
    let said = Relay::new().broadcast(&signed, &["--l1", &anvil.url]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let told: Vec<(&str, &str, u64)> = said
        .receipts
        .iter()
        .map(|receipt| {
            let text = |name: &str| receipt[name].as_str().expect("text");
            (text("purpose"), text("state"), receipt["nonce"].as_u64().expect("a nonce"))
        })
        .collect();
    let expected = [
        ("approve", "recorded", 0),
        ("approve", "sent", 0),
        ("approve", "included", 0),
        ("deposit", "recorded", 1),
        ("deposit", "sent", 1),
        ("deposit", "included", 1),
    ];
    assert_eq!(told, expected);
    assert_eq!(quantity(&anvil.call("eth_blockNumber", &value!([]))), "2");
}

/// A deposit is not sent without its approval, and what comes after a nonce that nothing uses is not sent into a pool to wait.
#[test]
fn nothing_is_sent_behind_a_nonce_that_is_left_out() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let token = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    // PUSH0 PUSH0 REVERT
    anvil.call("anvil_setCode", &value!([token, "0x5f5ffd"]));
    let first = deposit(|request| {
        request["intent"]["operation"]["deposit"]["token"] = value!(token);
        request["facts"]["approval"] = value!({ "gasLimit": 60_000 });
    });
    let second = deposit(|request| request["facts"]["transaction"]["nonce"] = value!(2));
    let both = format!("{}\n{}\n", first.to_json(), second.to_json());
    let said = Relay::new().broadcast_text(&both, &["--l1", &anvil.url, "--timeout", "5"]);
    assert_eq!((said.exit, said.code().as_str()), (24, "relay.reverted"), "{}", said.stderr);
    assert_eq!(said.states(), ["recorded", "sent", "reverted"]);
    let waiting = anvil.call("txpool_status", &value!([]));
    assert_eq!(waiting, value!({"pending": "0x0", "queued": "0x0"}), "{}", said.stderr);
}

/// The diamond's event, encoded by ethers and viem, emitted by a contract that stands where the diamond stands.
#[test]
fn the_l2_hash_is_read_from_the_target_diamonds_event() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let event = common::fixture("rpc", "local_deposit_event").json;
    let data = hex::decode(text(&event["log"]["data"]).trim_start_matches("0x")).expect("hex");
    let topic = text(&event["log"]["topics"][0]).trim_start_matches("0x").to_owned();
    let length = format!("{:04x}", data.len());
    // PUSH size, PUSH offset, PUSH 0, CODECOPY; PUSH topic, PUSH size, PUSH 0, LOG1; STOP; then the data.
    let head = |offset: usize| format!("61{length}61{offset:04x}6000397f{topic}61{length}6000a100");
    let code = format!("0x{}{}", head(head(0).len() / 2), hex::encode(&data));
    let set = |address: &Value, code: &str| anvil.call("anvil_setCode", &value!([address, code]));
    let diamond = text(&event["diamondProxy"]).trim_start_matches("0x").to_lowercase();
    set(&event["diamondProxy"], &code);
    // The Bridgehub calls the diamond, and another contract that emits the same event (as a Gateway's diamond would).
    let call = |address: &str| format!("6000600060006000600073{address}5af150");
    let other = "00000000000000000000000000000000000abcde";
    set(&value!(format!("0x{other}")), &code);
    set(&event["bridgehub"], &format!("0x{}{}00", call(&diamond), call(other)));

    let said = Relay::new().broadcast(&deposit(|_| {}), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["recorded", "sent", "included"]), "{}", said.stderr);
    assert_eq!(said.receipts[2]["l2TxHash"], event["l2TxHash"]);

    // The same event for another deposit is a lie.
    let other_amount = deposit(|request| {
        request["intent"]["operation"]["deposit"]["amount"] = value!("1000000000000000001");
        request["facts"]["transaction"]["nonce"] = value!(1);
    });
    let said = Relay::new().broadcast(&other_amount, &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.code().as_str()), (26, "relay.disagree"), "{}", said.stderr);
}

#[test]
fn a_wrong_chain_is_refused_before_anything_is_sent_or_written() {
    let anvil = Anvil::start(&["--chain-id", "1"]);
    let relay = Relay::new();
    let said = relay.broadcast(&deposit(|_| {}), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.code().as_str()), (22, "relay.wrong_chain"), "{}", said.stderr);
    assert!(said.receipts.is_empty());
    assert!(!relay.journal().exists());
    let account = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_eq!(quantity(&anvil.call("eth_getTransactionCount", &value!([account, "pending"]))), "0");
}

#[test]
fn reverted_replaced_rejected_and_pending_have_their_exit_codes() {
    let anvil = Anvil::start(&["--chain-id", "31337"]);
    let bridgehub = "0x7bded30253D9Dd63CD1Ca574D1Dbc4985D88b404";
    anvil.call("anvil_setCode", &value!([bridgehub, "0x60006000fd"]));
    let relay = Relay::new();
    let said = relay.broadcast(&deposit(|_| {}), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.code().as_str()), (24, "relay.reverted"), "{}", said.stderr);
    assert_eq!(said.states(), ["recorded", "sent", "reverted"]);
    anvil.call("anvil_setCode", &value!([bridgehub, "0x"]));

    // Nonce 0 is used by the reverted one: another transaction with it can never be mined.
    let rival = deposit(|request| request["intent"]["operation"]["deposit"]["amount"] = value!("5"));
    let said = relay.broadcast(&rival, &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.code().as_str()), (23, "relay.replaced"), "{}", said.stderr);
    assert_eq!(said.states(), ["recorded", "replaced"]);

    let at_nonce = |nonce: u64| move |request: &mut Value| request["facts"]["transaction"]["nonce"] = value!(nonce);
    anvil.call("anvil_setBalance", &value!(["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x1"]));
    let said = relay.broadcast(&deposit(at_nonce(1)), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.code().as_str()), (21, "relay.insufficient_funds"), "{}", said.stderr);
    assert_eq!(said.states(), ["recorded", "insufficientFunds"]);
    assert!(said.receipts[1]["message"].as_str().is_some_and(|message| !message.is_empty()));

    // Funded again, the same command sends the same bytes; without a block it is pending.
    anvil.call("anvil_setBalance", &value!(["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x8ac7230489e80000"]));
    anvil.call("evm_setAutomine", &value!([false]));
    let started = Instant::now();
    let said = relay.broadcast(&deposit(at_nonce(1)), &["--l1", &anvil.url, "--timeout", "1"]);
    assert_eq!((said.exit, said.code().as_str()), (25, "relay.pending"), "{}", said.stderr);
    assert_eq!(said.states(), ["sent", "pending"]);
    assert!(started.elapsed() < Duration::from_secs(30));

    // Already known to the node: nothing is sent again, and when it is mined the end is 0.
    anvil.call("anvil_mine", &value!([]));
    let said = relay.broadcast(&deposit(at_nonce(1)), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["included"]), "{}", said.stderr);
}
