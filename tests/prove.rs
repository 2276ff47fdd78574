//! `coldbridge-relay proof` against recorded exchanges of real nodes, the shapes of ZKsync OS, and liars.

mod common;

use common::Failures;
use common::chain::{Chain, number};
use common::desk::{ACCOUNT, build, local, network, recorded, refusal_of, relay, sign};
use common::rpc::{ACTOR, Node, Recorded, Reply, lower};
use serde_json::{Value, json};

/// One recorded way back to L1: the L2 transaction, the message's number in it, and the exchanges that tell the rest.
struct Way {
    flow: &'static str,
    hash: &'static str,
    index: &'static str,
    /// The last exchange before L1 knew that it was done.
    ready: &'static str,
    /// The estimate of the transaction that was then sent, and its raw bytes.
    estimate: &'static str,
    sent: &'static str,
}

const WAYS: &[Way] = &[
    Way {
        flow: "eth_withdrawal",
        hash: "0xc71c4bb77e6c361c42f825e5886c9d2696ef38b28ba372e32c857df43b1472f0",
        index: "0",
        ready: "finalizeDeposit of message 0",
        estimate: "finalizeDeposit of message 0",
        sent: "finalizeDeposit of message 0",
    },
    Way {
        flow: "erc20_withdrawal",
        hash: "0x551bdd560041d9b5800c524122a9245791375a7eb9cb4776fb990e3fd14459a6",
        index: "0",
        ready: "finalizeDeposit of message 0",
        estimate: "finalizeDeposit of message 0",
        sent: "finalizeDeposit of message 0",
    },
    Way {
        flow: "two_withdrawals_in_one_tx",
        hash: "0x2229d13e96d665dcf824e9f7551ec4330b0a5e6b3081297ece031fb6a5bdbb84",
        index: "0",
        ready: "finalizeDeposit of message 0",
        estimate: "finalizeDeposit of message 0",
        sent: "finalizeDeposit of message 0",
    },
    Way {
        flow: "two_withdrawals_in_one_tx",
        hash: "0x2229d13e96d665dcf824e9f7551ec4330b0a5e6b3081297ece031fb6a5bdbb84",
        index: "1",
        ready: "finalizeDeposit of message 1",
        estimate: "finalizeDeposit of message 1",
        sent: "finalizeDeposit of message 1",
    },
    Way {
        flow: "failed_erc20_deposit",
        hash: "0xcae1764a8eb42e498b40dffdfd07e602ff9cf088baa81d35ce3e3f14b8e27fe2",
        index: "",
        ready: "the claim",
        estimate: "bridgeRecoverFailedTransfer at the L1Nullifier",
        sent: "the claim",
    },
];

/// The story up to the moment when the way is ready, as this account asks for it.
fn ready(way: &'static Way, account: &'static str) -> (Node, Node) {
    let node = |layer: &'static str| {
        let story = Recorded::flows(&[way.flow]).until(way.ready).asked_by(account);
        let chain = Chain::of(&local());
        Node::start(move |method, params| match story.answer(layer, method, params) {
            Some(reply) => reply,
            None if method == "eth_call" => chain.answer(layer, method, params),
            None => Reply::error(-32000, &format!("not recorded: {method} {params}")),
        })
    };
    (node("l1"), node("l2"))
}

fn arguments<'a>(hash: &'a str, from: &'a str, l1: &'a Node, l2: &'a Node) -> Vec<&'a str> {
    vec!["proof", hash, "--network", "local", "--from", from, "--l1", &l1.url, "--l2", &l2.url, "--retries", "0"]
}

const FEES: &[&str] = &["--max-fee-per-gas", "1500000000", "--priority-fee", "100000000"];

/// From the L2 hash to exactly the calldata that was sent and took effect; the proof verifies against L1's own root.
#[test]
fn recorded_withdrawals_and_a_failed_deposit_become_what_was_sent() {
    for way in WAYS {
        let (l1, l2) = ready(way, ACTOR);
        let mut arguments = arguments(way.hash, ACTOR, &l1, &l2);
        arguments.extend(FEES);
        if !way.index.is_empty() {
            arguments.extend(["--index", way.index]);
        }
        let said = relay(&arguments, "");
        assert_eq!(said.exit, 0, "{} {}: {}", way.flow, way.index, said.stderr);
        assert!(said.stderr.contains("compare it with your own records"), "{}", said.stderr);
        let request = said.json();
        let unsigned = build(&request, &[]);
        let story = Recorded::flows(&[way.flow]);
        let estimate = story.params("l1", "eth_estimateGas", way.estimate);
        assert_eq!(unsigned["transactions"][0]["data"], estimate[0]["data"], "{} {}", way.flow, way.index);
        assert_eq!(lower(&unsigned["transactions"][0]["to"]), estimate[0]["to"]);
        assert_eq!(l1.params("eth_estimateGas"), [estimate], "and was asked about");
        let raw = story.params("l1", "eth_sendRawTransaction", way.sent);
        let data = unsigned["transactions"][0]["data"].as_str().expect("calldata").trim_start_matches("0x").to_owned();
        assert!(raw[0].as_str().expect("raw").contains(&data), "{} {}: what was sent", way.flow, way.index);
        let facts = &request["facts"];
        let evidence = if way.index.is_empty() { &facts["failedDeposit"] } else { &facts["withdrawal"] };
        let root = if way.index.is_empty() {
            story.result("l1", "eth_call", "l2LogsRootHash(batch)")
        } else {
            story.result("l1", "eth_call", "l2LogsRootHash(batch), batch executed")
        };
        assert_eq!(evidence["batchRoot"], root, "{}", way.flow);

        // Anybody may send it: here the account whose key is published.
        let (l1, l2) = ready(way, ACCOUNT);
        let mut arguments = arguments_of(way, &l1, &l2);
        arguments.extend(FEES);
        let request = relay(&arguments, "").json();
        let signed = sign(&request, &[]);
        assert_eq!(signed["from"], json!(ACCOUNT));

        // A changed root, message or place is seen offline.
        let name = if way.index.is_empty() { "failedDeposit" } else { "withdrawal" };
        let mut forged = request.clone();
        forged["facts"][name]["batchRoot"] = json!(number(7));
        let refused = common::program::run(&["build", "--json-errors"], forged.to_string());
        assert_eq!((refused.exit, refused.error()["code"].as_str()), (4, Some("proof.root")), "{}", way.flow);
    }
}

fn arguments_of<'a>(way: &'a Way, l1: &'a Node, l2: &'a Node) -> Vec<&'a str> {
    let mut arguments = arguments(way.hash, ACCOUNT, l1, l2);
    if !way.index.is_empty() {
        arguments.extend(["--index", way.index]);
    }
    arguments
}

/// Index in the receipt, index in the batch and number of the transaction are three numbers: here 0 and 1, 1 and 2, and 1.
#[test]
fn all_messages_of_a_transaction_become_requests() {
    let way = &WAYS[2];
    let (l1, l2) = recorded(|| {
        let about = "Bridgehub.proveL2MessageInclusion of a changed message";
        let mut story = Recorded::flows(&["two_withdrawals_in_one_tx"]).until(about).asked_by(ACCOUNT);
        story.always("l1", "eth_estimateGas", Reply::Result(json!("0x30a20")));
        story
    });
    let said = relay(&[&arguments(way.hash, ACCOUNT, &l1, &l2)[..], &["--all"]].concat(), "");
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let requests: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let places: Vec<Value> = requests
        .iter()
        .map(|request| {
            let facts = &request["facts"]["withdrawal"];
            json!([facts["l2MessageIndex"], facts["l2TxNumberInBatch"], facts["l2BatchNumber"], facts["l2Sender"]])
        })
        .collect();
    let router = "0x0000000000000000000000000000000000010003";
    assert_eq!(places, [json!([1, 1, 15, "0x000000000000000000000000000000000000800A"]), json!([2, 1, 15, router])]);
    let nonces: Vec<u64> =
        requests.iter().map(|request| request["facts"]["transaction"]["nonce"].as_u64().expect("a nonce")).collect();
    assert_eq!(nonces[1], nonces[0] + 1, "both can be sent");
    // The network is the one whose chains the endpoints serve.
    let named = arguments(way.hash, ACCOUNT, &l1, &l2);
    let unnamed: Vec<&str> = named.iter().filter(|word| !["--network", "local"].contains(word)).copied().collect();
    assert_eq!(unnamed.len(), named.len() - 2);
    let first = |words: &[&str]| relay(&[words, &["--index", "0"]].concat(), "").json();
    assert_eq!(first(&unnamed), first(&named));
    // Without saying which, there is no telling.
    let said = relay(&arguments(way.hash, ACCOUNT, &l1, &l2), "");
    assert_eq!((said.exit, refusal_of(&said).as_str()), (2, "usage.command"), "{}", said.stderr);
    let said = relay(&[&arguments(way.hash, ACCOUNT, &l1, &l2)[..], &["--index", "2"]].concat(), "");
    assert_eq!((said.exit, refusal_of(&said).as_str()), (4, "relay.not_provable"), "{}", said.stderr);
}

/// A proof that is there proves nothing about L1: as long as the batch is not executed, the answer is 25.
#[test]
fn what_is_not_ready_or_done_is_told_apart() {
    type Story = fn() -> Recorded;
    let eth: &Way = &WAYS[0];
    let failed: &Way = &WAYS[4];
    let rows: Vec<(&str, Story, &str, i32, &str)> = vec![
        (
            "no block yet",
            || Recorded::flows(&["eth_withdrawal"]).until("before its block"),
            eth.hash,
            25,
            "relay.not_ready",
        ),
        (
            "not committed",
            || Recorded::flows(&["eth_withdrawal"]).until("finalizeDeposit, batch not committed"),
            eth.hash,
            25,
            "relay.not_ready",
        ),
        (
            "not executed",
            || Recorded::flows(&["eth_withdrawal"]).until("finalizeDeposit, batch committed"),
            eth.hash,
            25,
            "relay.not_ready",
        ),
        ("finalized", || Recorded::flows(&["eth_withdrawal"]), eth.hash, 4, "relay.already_done"),
        ("claimed", || Recorded::flows(&["failed_erc20_deposit"]), failed.hash, 4, "relay.already_done"),
        (
            "a deposit that succeeded",
            || Recorded::flows(&["erc20_deposit"]),
            "0x6a970368355fb10e517b637b938768331cc1a80d2616bcc4031c5849dba23dc3",
            4,
            "relay.not_provable",
        ),
        (
            "a call from L1 that failed, and left nothing there",
            direct,
            "0xeca0935182a700fcf8804db2f386619c07e7beac936fa32478a6df5334dd6397",
            4,
            "relay.not_provable",
        ),
    ];
    let mut failures = Failures::default();
    for (name, story, hash, exit, code) in rows {
        let (l1, l2) = recorded(story);
        let said = relay(&arguments(hash, ACTOR, &l1, &l2), "");
        if !failures.check(name, "exit and code", &(said.exit, refusal_of(&said)), &(exit, code.to_owned())) {
            failures.fail(name, &said.stderr);
        }
        if !said.stdout.is_empty() {
            failures.fail(name, "something was written");
        }
    }
    failures.finish();
}

/// The transaction itself was not asked for when it was recorded.
fn direct() -> Recorded {
    let mut story = Recorded::flows(&["direct_request_failed_on_l2"]);
    let transaction = json!({"to": ACTOR, "input": "0xdeadbeef"});
    story.always("l2", "eth_getTransactionByHash", Reply::Result(transaction));
    story
}

const TOTAL_BATCHES_EXECUTED: &str = "0xb8c2f66f";
const L2_LOGS_ROOT_HASH: &str = "0x9cd939e4";
const IS_WITHDRAWAL_FINALIZED: &str = "0x8f31f052";
const CHAIN_BATCH_ROOTS: &str = "0x1496c5ce";
const MESSAGE_ROOT: &str = "0xd4b9f4fa";

fn pair(chain: &Chain) -> (Node, Node) {
    common::desk::made_up(chain)
}

/// A chain that has the recorded ETH withdrawal, executed and not finalized.
fn with_withdrawal(network: &Value) -> Chain {
    let story = Recorded::flows(&["eth_withdrawal"]);
    let at = |name: &str| network[name].as_str().expect("an address").to_owned();
    let mut chain = Chain::of(network);
    chain.set("l2", "eth_getTransactionReceipt", story.result("l2", "eth_getTransactionReceipt", "executed on L2"));
    chain.set("l2", "zks_getL2ToL1LogProof", story.result("l2", "zks_getL2ToL1LogProof", "batch executed"));
    let root = story.result("l1", "eth_call", "l2LogsRootHash(batch), batch executed");
    let of_batch = format!("{L2_LOGS_ROOT_HASH}{:064x}", 8);
    chain.set_call(&at("diamondProxy"), &of_batch, root.as_str().expect("a root"));
    chain.set_call(&at("diamondProxy"), L2_LOGS_ROOT_HASH, &number(0));
    chain.set_call(&at("diamondProxy"), TOTAL_BATCHES_EXECUTED, &number(8));
    chain.set_call(&at("l1Nullifier"), IS_WITHDRAWAL_FINALIZED, &number(0));
    chain
}

/// The same withdrawal as ZKsync OS tells of it (zksync-os-server 7a1ee546): logs in snake_case with the number in the block, no
/// batch in the receipt, `batch_number` in the proof, an error before there is one. The proof is the recorded one.
#[test]
fn zksync_os_tells_the_same_in_other_shapes() {
    let mut failures = Failures::default();
    for name in ["os-v30", "os-v31"] {
        let (network, file) = network(name);
        let mut chain = with_withdrawal(&network);
        let era = chain.methods[&("l2".to_owned(), "eth_getTransactionReceipt".to_owned())].clone();
        let Reply::Result(mut receipt) = era else { panic!("a receipt") };
        let log = receipt["l2ToL1Logs"][0].clone();
        let index = u64::from_str_radix(log["txIndexInL1Batch"].as_str().expect("hex").trim_start_matches("0x"), 16);
        receipt["l2ToL1Logs"] = json!([{"l2_shard_id": 0, "is_service": true, "tx_number_in_block": index.expect("a number"),
            "sender": log["sender"], "key": log["key"], "value": log["value"]}]);
        for member in ["l1BatchNumber", "l1BatchTxIndex"] {
            receipt.as_object_mut().expect("an object").remove(member);
        }
        let proved = chain.methods[&("l2".to_owned(), "zks_getL2ToL1LogProof".to_owned())].clone();
        let Reply::Result(mut proof) = proved else { panic!("a proof") };
        proof["batch_number"] = json!(8);
        chain.set("l2", "eth_getTransactionReceipt", receipt);
        let message_root = "0x00000000000000000000000000000000000abcde";
        if name == "os-v31" {
            let diamond = network["diamondProxy"].as_str().expect("an address");
            let of_batch = (diamond.to_lowercase(), format!("{L2_LOGS_ROOT_HASH}{:064x}", 8));
            let root = chain.calls.remove(&of_batch).expect("a root");
            let chain_id = network["l2ChainId"].as_u64().expect("a chain id");
            let of_batch = format!("{CHAIN_BATCH_ROOTS}{chain_id:064x}{:064x}", 8);
            chain.calls.insert((message_root.to_owned(), of_batch), root);
            chain.set_call(message_root, CHAIN_BATCH_ROOTS, &number(0));
            let hub = network["bridgehub"].as_str().expect("an address").to_owned();
            chain.set_call(&hub, MESSAGE_ROOT, &common::chain::word(message_root));
        }
        chain.reply("l2", "zks_getL2ToL1LogProof", Reply::error(-32603, "the batch is not executed yet"));
        let run = |chain: &Chain| {
            let (l1, l2) = pair(chain);
            relay(
                &[
                    "proof",
                    WAYS[0].hash,
                    "--network",
                    name,
                    "--from",
                    ACCOUNT,
                    "--network-file",
                    &file,
                    "--l1",
                    &l1.url,
                    "--l2",
                    &l2.url,
                ],
                "",
            )
        };
        let said = run(&chain);
        failures.check(name, "an error before", &(said.exit, refusal_of(&said)), &(25, "relay.not_ready".to_owned()));
        chain.set("l2", "zks_getL2ToL1LogProof", proof.clone());
        let said = run(&chain);
        if failures.check(name, "exit", &said.exit, &0) {
            let request = said.json();
            failures.check(name, "batch", &request["facts"]["withdrawal"]["l2BatchNumber"], &json!(8));
            sign(&request, &["--network-file", &file]);
        } else {
            failures.fail(name, &said.stderr);
        }
        // Without a batch in the proof the block is the batch: here another one, whose root is not there.
        proof.as_object_mut().expect("an object").remove("batch_number");
        chain.set("l2", "zks_getL2ToL1LogProof", proof);
        let said = run(&chain);
        failures.check(name, "block as batch", &(said.exit, refusal_of(&said)), &(25, "relay.not_ready".to_owned()));
    }
    failures.finish();
}

/// A published proof of a batch that was settled on a Gateway (era-contracts, L2MessageVerification.t.sol): the root is that of
/// the Gateway's batch, at the Gateway's diamond on L1.
#[test]
fn a_batch_that_was_settled_on_a_gateway_is_proved_by_the_gateways_root() {
    let published = common::fixture("proof", "proof_provel2messageinclusion").json;
    let (input, expect) = (&published["input"], &published["expect"]);
    let mut network = local();
    network["name"] = json!("behind-a-gateway");
    network["l1ChainId"] = json!(9);
    network["l2ChainId"] = json!(271);
    network["settlementLayers"] = json!([506]);
    let file = common::program::scratch().join("network.json");
    std::fs::write(&file, network.to_string()).expect("written");
    let at = |name: &str| network[name].as_str().expect("an address").to_owned();
    let message = &input["message"];
    let text = |value: &Value| value.as_str().expect("text").trim_start_matches("0x").to_owned();
    let data = text(&message["data"]);
    let bytes = hex::decode(&data).expect("hex");
    let hash = format!("0x{}", hex::encode(coldbridge::hash::keccak256(&bytes)));
    let sender = common::chain::word(message["sender"].as_str().expect("an address"));
    let l2_hash = format!("0x{}", "ab".repeat(32));
    let padded = format!("{data}{}", "0".repeat((64 - data.len() % 64) % 64));
    let log = json!({"address": "0x0000000000000000000000000000000000008008",
        "topics": ["0x3a36e47291f4201faf137fab081d92295bce2d53be2c6ca68ba82c7faa9ce241", sender, hash],
        "data": format!("0x{:064x}{:064x}{padded}", 32, bytes.len())});
    let receipt = json!({"transactionHash": l2_hash, "blockHash": l2_hash, "blockNumber": "0x63", "status": "0x1",
        "l1BatchNumber": "0xe", "l1BatchTxIndex": "0xe", "logs": [log],
        "l2ToL1Logs": [{"sender": "0x0000000000000000000000000000000000008008", "key": sender, "value": hash, "txIndexInL1Batch": "0xe"}]});
    let gateway = "0x00000000000000000000000000000000009a7e9a";
    let mut chain = Chain::of(&network);
    chain.set("l2", "eth_getTransactionReceipt", receipt);
    chain.set(
        "l2",
        "zks_getL2ToL1LogProof",
        json!({"proof": input["proof"], "id": input["index"], "root": hash, "batchNumber": 14}),
    );
    chain.set_call(&at("l1Nullifier"), IS_WITHDRAWAL_FINALIZED, &number(0));
    chain.set_call(gateway, TOTAL_BATCHES_EXECUTED, &number(87));
    chain.set_call(gateway, L2_LOGS_ROOT_HASH, expect["root_expected_by_test"].as_str().expect("a root"));
    // The chain's own diamond has executed nothing and has no root of that batch.
    chain.set_call(&at("diamondProxy"), TOTAL_BATCHES_EXECUTED, &number(3));
    chain.set_call(&at("diamondProxy"), L2_LOGS_ROOT_HASH, &number(0));
    let asset_id = "0x8e58414f1aa746a046df579572bd20b7a2caf396302d57c93c6e49dfdadc47f9";
    chain.zk_chains = vec![(506, gateway.to_owned())];
    chain.set_call(
        "0x0000000000000000000000000000000000010004",
        common::chain::getter::BASE_TOKEN_ASSET_ID,
        "0x52f431aa35dd80982e3c66614112503ca2c6e344745f4a2bcfc9bd7e09c75584",
    );
    let run = |chain: &Chain| {
        let (l1, l2) = pair(chain);
        let file = file.to_str().expect("a path");
        relay(
            &[
                "proof",
                &l2_hash,
                "--network",
                "behind-a-gateway",
                "--from",
                ACCOUNT,
                "--network-file",
                file,
                "--l1",
                &l1.url,
                "--l2",
                &l2.url,
            ],
            "",
        )
    };
    let said = run(&chain);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let request = said.json();
    assert_eq!(request["facts"]["withdrawal"]["batchRoot"], expect["root_expected_by_test"]);
    assert!(data.contains(asset_id.trim_start_matches("0x")));
    sign(&request, &["--network-file", file.to_str().expect("a path")]);
    // The Gateway's batch counts, not the chain's.
    chain.set_call(gateway, TOTAL_BATCHES_EXECUTED, &number(86));
    let said = run(&chain);
    assert_eq!((said.exit, refusal_of(&said).as_str()), (25, "relay.not_ready"), "{}", said.stderr);
}

/// The event of the withdrawal in a receipt.
fn message_log(receipt: &mut Value) -> &mut Value {
    let logs = receipt["logs"].as_array_mut().expect("logs");
    let topic = "0x3a36e47291f4201faf137fab081d92295bce2d53be2c6ca68ba82c7faa9ce241";
    logs.iter_mut().find(|log| log["topics"][0] == topic).expect("the message")
}

/// One lie a row, told of the recorded ETH withdrawal.
#[test]
fn lies_about_a_withdrawal_are_told_apart() {
    type Change = Box<dyn Fn(&mut Chain)>;
    let network = local();
    let diamond = network["diamondProxy"].as_str().expect("an address").to_owned();
    let receipt = |change: fn(&mut Value)| -> Change {
        Box::new(move |chain| {
            let at = ("l2".to_owned(), "eth_getTransactionReceipt".to_owned());
            if let Some(Reply::Result(receipt)) = chain.methods.get_mut(&at) {
                change(receipt);
            }
        })
    };
    let proof = |change: fn(&mut Value)| -> Change {
        Box::new(move |chain| {
            let at = ("l2".to_owned(), "zks_getL2ToL1LogProof".to_owned());
            if let Some(Reply::Result(proof)) = chain.methods.get_mut(&at) {
                change(proof);
            }
        })
    };
    let rows: Vec<(&str, Change, i32, &str)> = vec![
        ("honest", Box::new(|_| {}), 0, ""),
        ("another transaction's receipt", receipt(|r| r["transactionHash"] = json!(number(1))), 26, "relay.disagree"),
        (
            "no receipt",
            Box::new(|chain| chain.set("l2", "eth_getTransactionReceipt", Value::Null)),
            25,
            "relay.not_ready",
        ),
        ("no block yet", receipt(|r| r["blockHash"] = Value::Null), 25, "relay.not_ready"),
        ("no batch yet", receipt(|r| r["l1BatchNumber"] = Value::Null), 25, "relay.not_ready"),
        ("a batch that is no number", receipt(|r| r["l1BatchNumber"] = json!("eight")), 20, "relay.answer"),
        ("another batch", receipt(|r| r["l1BatchNumber"] = json!("0x7")), 25, "relay.not_ready"),
        (
            "another number in the batch",
            receipt(|r| {
                r["l1BatchTxIndex"] = json!("0x9");
                r["l2ToL1Logs"][0]["txIndexInL1Batch"] = json!("0x9");
            }),
            4,
            "proof.root",
        ),
        ("two numbers in the batch", receipt(|r| r["l1BatchTxIndex"] = json!("0x9")), 26, "relay.disagree"),
        (
            "no number in the batch",
            receipt(|r| {
                r["l1BatchTxIndex"] = Value::Null;
                r["l2ToL1Logs"][0]["txIndexInL1Batch"] = Value::Null;
            }),
            25,
            "relay.not_ready",
        ),
        ("no status", receipt(|r| r["status"] = Value::Null), 20, "relay.answer"),
        ("failed", receipt(|r| r["status"] = json!("0x0")), 4, "relay.not_provable"),
        ("no logs to L1", receipt(|r| r["l2ToL1Logs"] = json!([])), 26, "relay.disagree"),
        ("logs to L1 are missing", receipt(|r| r["l2ToL1Logs"] = Value::Null), 20, "relay.answer"),
        ("no message", receipt(|r| r["logs"] = json!([])), 4, "relay.not_provable"),
        (
            "a message of another hash",
            receipt(|r| message_log(r)["topics"][2] = json!(number(1))),
            26,
            "relay.disagree",
        ),
        (
            "a message with trailing bytes",
            receipt(|r| {
                let data = format!("{}00", message_log(r)["data"].as_str().expect("hex"));
                message_log(r)["data"] = json!(data);
            }),
            26,
            "relay.disagree",
        ),
        (
            "the event of another contract",
            receipt(|r| message_log(r)["address"] = json!(ACTOR)),
            4,
            "relay.not_provable",
        ),
        (
            "another log in front of the message",
            receipt(|r| {
                // A user's own log to L1: the node must be asked by the position among all of them.
                let other = json!({"sender": ACTOR, "key": number(1), "value": number(2), "txIndexInL1Batch": r["l2ToL1Logs"][0]["txIndexInL1Batch"]});
                r["l2ToL1Logs"].as_array_mut().expect("logs").insert(0, other);
            }),
            0,
            "",
        ),
        ("no proof", Box::new(|chain| chain.set("l2", "zks_getL2ToL1LogProof", Value::Null)), 25, "relay.not_ready"),
        (
            "no such method",
            Box::new(|chain| chain.reply("l2", "zks_getL2ToL1LogProof", Reply::missing())),
            20,
            "relay.network",
        ),
        ("a proof of another batch", proof(|p| p["batchNumber"] = json!(9)), 26, "relay.disagree"),
        ("another index", proof(|p| p["id"] = json!(1)), 4, "proof.root"),
        ("a negative index", proof(|p| p["id"] = json!(-1)), 20, "relay.answer"),
        ("a changed word", proof(|p| p["proof"][3] = json!(number(1))), 4, "proof.root"),
        ("half a word", proof(|p| p["proof"][3] = json!("0x00")), 20, "relay.answer"),
        ("no word", proof(|p| p["proof"] = json!([])), 4, "proof.format"),
        (
            "not executed",
            {
                let at = diamond.clone();
                Box::new(move |chain| chain.set_call(&at, TOTAL_BATCHES_EXECUTED, &number(7)))
            },
            25,
            "relay.not_ready",
        ),
        (
            "no root",
            {
                let at = diamond.clone();
                Box::new(move |chain| chain.set_call(&at, &format!("{L2_LOGS_ROOT_HASH}{:064x}", 8), &number(0)))
            },
            25,
            "relay.not_ready",
        ),
        (
            "another root",
            {
                let at = diamond.clone();
                Box::new(move |chain| chain.set_call(&at, &format!("{L2_LOGS_ROOT_HASH}{:064x}", 8), &number(7)))
            },
            4,
            "proof.root",
        ),
        (
            "a paused bridge pays all the same",
            {
                let at = network["bridgehub"].as_str().expect("an address").to_owned();
                Box::new(move |chain| chain.set_call(&at, common::chain::getter::PAUSED, &number(1)))
            },
            0,
            "",
        ),
    ];
    let mut failures = Failures::default();
    for (name, change, exit, code) in rows {
        let mut chain = with_withdrawal(&network);
        change(&mut chain);
        let (l1, l2) = pair(&chain);
        let said = relay(&arguments(WAYS[0].hash, ACCOUNT, &l1, &l2), "");
        if !failures.check(name, "exit and code", &(said.exit, refusal_of(&said)), &(exit, code.to_owned())) {
            failures.fail(name, &said.stderr);
        }
        if name.starts_with("another log in front") {
            failures.check(name, "asked for", &l2.params("zks_getL2ToL1LogProof"), &vec![json!([WAYS[0].hash, 1])]);
        }
    }
    failures.finish();
}
