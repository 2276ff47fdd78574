//! Broadcasting to nodes that lie or break.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json as value};

use crate::common;
use crate::support::*;

#[test]
fn an_l2_withdrawal_goes_to_the_l2_node_and_its_0x71_hash_is_looked_up() {
    let signed = withdrawal();
    let (told, receipt) = honest(&signed);
    let raw = format!("0x{}", hex::encode(signed.transactions()[0].raw()));
    let hash = signed.transactions()[0].hash().to_string();
    let sent = Arc::new(AtomicUsize::new(0));
    let node = Scripted::start(move |method, params, _| match method {
        "eth_chainId" => result(&value!("0x104")),
        "eth_sendRawTransaction" => {
            assert_eq!(params[0], value!(raw));
            sent.store(1, Ordering::SeqCst);
            result(&value!(hash))
        }
        "eth_getTransactionCount" => result(&value!("0x0")),
        _ if sent.load(Ordering::SeqCst) == 0 => result(&Value::Null),
        "eth_getTransactionByHash" => result(&told),
        "eth_getTransactionReceipt" => result(&receipt),
        other => panic!("{other}"),
    });
    let said = Relay::new().broadcast(&signed, &["--l2", &node.url]);
    assert_eq!((said.exit, said.states()), (0, vec!["recorded", "sent", "included"]), "{}", said.stderr);
    assert_eq!(said.receipts[2]["layer"], value!("l2"));
    assert_eq!(said.receipts[2]["effectiveGasPrice"], value!("100000000"));
    assert_eq!(said.receipts[1]["reportedBy"], Value::Null, "it is in no block");
    assert_eq!(said.receipts[2]["reportedBy"], value!([host(&node)]));
    assert_eq!(node.count("eth_sendRawTransaction"), 1);
}

/// Nothing is named: the documents come from standard input, as for every command of the offline program.
#[test]
fn documents_come_from_standard_input_where_none_is_named() {
    let signed = withdrawal();
    let node = Script::honest(&signed).start();
    let relay = Relay::new();
    let document = relay.folder.join("signed.json");
    std::fs::write(&document, signed.to_json().to_string()).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
        .args(["broadcast", "--json-errors", "--l2", &node.url, "--journal"])
        .arg(relay.journal())
        .stdin(std::fs::File::open(&document).expect("there"))
        .output()
        .expect("the relay runs");
    let said = Said::of(&output);
    assert_eq!((said.exit, said.states()), (0, vec!["recorded", "sent", "included"]), "{}", said.stderr);
}

/// A node, as what it told is put down to it.
fn host(node: &Scripted) -> String {
    node.url.trim_start_matches("http://").to_owned()
}

/// A row: what a node does, how the relay is called, what it must say, and how it must end.
struct Row(&'static str, Script, &'static [&'static str], &'static [&'static str], i32, &'static str);

const OTHER: &str = "0x1111111111111111111111111111111111111111";
const PAGE: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html";

fn rows(node: impl Fn() -> Script) -> Vec<Row> {
    use Reply::{Body, Endless, Error, Half, HangUp, Honest, Http, Late, Result};
    let (tx, receipt, nonce) = ("eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getTransactionCount");
    let (send, chain) = ("eth_sendRawTransaction", "eth_chainId");
    let null = || Result(Value::Null);
    let used = || Result(value!("0x9"));
    let free = || Result(value!("0x0"));
    // A node that takes everything and knows nothing.
    let blank = || node().on(tx, &[null()]).on(receipt, &[null()]).on(nonce, &[free()]);
    // A node that has it in its pool, and mines nothing.
    let pool = || node().on(receipt, &[null()]).on(nonce, &[free()]);
    let refusing = |words: &'static str| blank().on(send, &[Error(-32000, words)]);
    let zeros = || value!(format!("0x{}", "00".repeat(32)));
    let busy = || Http("429 Too Many Requests\r\nretry-after: 1", "");
    let soon = &["--timeout", "1"];
    let (taken, done) = (&["recorded", "sent"], &["recorded", "sent", "included"]);
    vec![
        Row("honest", node(), &[], done, 0, ""),
        Row("has it already", node().knowing(), &[], &["recorded", "included"], 0, ""),
        // What a node says of a send, and what it knows.
        Row(
            "already known, and it is",
            node().on(tx, &[null(), Honest]).on(send, &[Error(-32000, "already known")]).knowing(),
            &[],
            done,
            0,
            "",
        ),
        Row(
            "already known, and it is not",
            refusing("already known"),
            soon,
            &["recorded", "sent", "pending"],
            25,
            "relay.pending",
        ),
        Row(
            "nonce too low, and it was ours",
            node().on(tx, &[null(), Honest]).on(send, &[Error(-32000, "nonce too low")]).knowing(),
            &[],
            done,
            0,
            "",
        ),
        Row(
            "nonce too low, and it was another's",
            refusing("nonce too low").on(nonce, &[used()]),
            &[],
            &["recorded", "replaced"],
            23,
            "relay.replaced",
        ),
        Row(
            "nonce too low, and it is not",
            refusing("nonce too low"),
            &[],
            &["recorded", "rejected"],
            21,
            "relay.rejected",
        ),
        Row(
            "an error in words nobody knows, and it has it",
            node().on(tx, &[null(), Honest]).on(send, &[Error(1, "\u{fc}bel")]).knowing(),
            &[],
            done,
            0,
            "",
        ),
        Row("another hash", blank().on(send, &[Result(zeros())]), &[], &["recorded"], 20, "relay.answer"),
        Row(
            "another hash, but ours is mined",
            node().on(tx, &[null(), Honest]).on(send, &[Result(zeros())]).knowing(),
            &[],
            done,
            0,
            "",
        ),
        Row(
            "fees below the base fee",
            refusing("max fee per gas less than block base fee"),
            &[],
            &["recorded", "underpriced"],
            21,
            "relay.underpriced",
        ),
        Row(
            "another with its nonce in the pool",
            refusing("replacement transaction underpriced"),
            &[],
            &["recorded", "underpriced"],
            21,
            "relay.underpriced",
        ),
        Row(
            "no funds",
            refusing("insufficient funds for gas * price + value"),
            &[],
            &["recorded", "insufficientFunds"],
            21,
            "relay.insufficient_funds",
        ),
        Row(
            "no reason that is known",
            refusing("computer says no\u{1b}[2J\u{7}"),
            &[],
            &["recorded", "rejected"],
            21,
            "relay.rejected",
        ),
        Row(
            "a reason in error.data",
            blank().on(
                send,
                &[Body(value!({"jsonrpc": "2.0", "id": 1, "error":
            {"code": -32003, "message": "transaction rejected", "data": "insufficient funds"}}))],
            ),
            &[],
            &["recorded", "insufficientFunds"],
            21,
            "relay.insufficient_funds",
        ),
        // Chains and garbage.
        Row("wrong chain", node().on(chain, &[Result(value!("0x1"))]), &[], &[], 22, "relay.wrong_chain"),
        Row(
            "a chain id that is no number",
            node().on(chain, &[Result(value!("mainnet"))]),
            &[],
            &[],
            20,
            "relay.answer",
        ),
        Row("no result", node().on(chain, &[Body(value!({}))]), &[], &[], 20, "relay.answer"),
        Row(
            "another request's result",
            node().on(chain, &[Body(value!({"jsonrpc": "2.0", "id": 7, "result": "0x104"}))]),
            &[],
            &[],
            20,
            "relay.answer",
        ),
        Row("no JSON", node().on(chain, &[Http("200 OK", "<html>")]), &[], &[], 20, "relay.answer"),
        Row(
            "a redirect",
            node().on(chain, &[Http("302 Found\r\nlocation: http://127.0.0.1:1/", "{}")]),
            &[],
            &[],
            20,
            "relay.answer",
        ),
        Row("no HTTP", node().on(chain, &[Http(PAGE, "")]), &[], &[], 20, "relay.network"),
        Row("1 GiB", node().on(chain, &[Endless]), &[], &[], 20, "relay.answer"),
        Row("1 GiB in place of a receipt", node().on(receipt, &[Endless]), soon, taken, 20, "relay.answer"),
        Row(
            "a method it does not have",
            node().on(nonce, &[Error(-32601, "the method does not exist")]).on(tx, &[null()]),
            soon,
            taken,
            20,
            "relay.network",
        ),
        // Trouble on the way.
        Row("hangs up", node().on(chain, &[HangUp]), &[], &[], 20, "relay.network"),
        Row(
            "hangs up once at each call",
            node().on(chain, &[HangUp, Honest]).on(send, &[HangUp, Honest]).on(receipt, &[HangUp, Honest]),
            &[],
            done,
            0,
            "",
        ),
        Row("hangs up on every send", blank().on(send, &[HangUp]), &[], &["recorded"], 20, "relay.network"),
        Row("takes it, and hangs up", node().on(tx, &[null(), Honest]).on(send, &[HangUp]).knowing(), &[], done, 0, ""),
        Row("half an answer, once", node().on(send, &[Half, Honest]), &[], done, 0, ""),
        Row("half a receipt, always", node().on(receipt, &[Half]), soon, taken, 20, "relay.network"),
        Row(
            "never answers",
            node().on(chain, &[Late(Duration::from_secs(20))]),
            &["--request-timeout", "1"],
            &[],
            20,
            "relay.network",
        ),
        Row(
            "takes it, and answers too late",
            node().on(send, &[Late(Duration::from_secs(3)), Error(-32000, "already known")]),
            &["--request-timeout", "1"],
            done,
            0,
            "",
        ),
        Row("429 for a while", node().on(send, &[busy(), Honest]), &[], done, 0, ""),
        Row(
            "429 for an hour",
            node().on(chain, &[Http("429 Too Many Requests\r\nretry-after: 3600", "")]),
            &[],
            &[],
            20,
            "relay.network",
        ),
        Row("503 once", node().on(chain, &[Http("503 Service Unavailable", "<html>"), Honest]), &[], done, 0, ""),
        Row(
            "limit exceeded, always",
            blank().on(send, &[Error(-32005, "limit exceeded")]),
            &[],
            &["recorded"],
            20,
            "relay.network",
        ),
        Row("limit exceeded, once", node().on(send, &[Error(-32005, "limit exceeded"), Honest]), &[], done, 0, ""),
        // Time.
        Row(
            "lags behind itself",
            node().knowing().on(receipt, &[null(), null(), null(), Honest]),
            &[],
            &["recorded", "included"],
            0,
            "",
        ),
        Row(
            "has the receipt before the transaction",
            node().knowing().on(tx, &[null(), null(), null(), Honest]),
            &[],
            done,
            0,
            "",
        ),
        Row("never mines", pool(), soon, &["recorded", "sent", "pending"], 25, "relay.pending"),
        Row("takes it, and does not know it", blank(), soon, &["recorded", "sent", "pending"], 25, "relay.pending"),
        Row(
            "takes it, and mines another",
            blank().on(nonce, &[used()]),
            &[],
            &["recorded", "sent", "replaced"],
            23,
            "relay.replaced",
        ),
        Row(
            "forgets it, and again",
            blank().on(tx, &[null(), Honest, null()]),
            &["--timeout", "14"],
            &["recorded", "sent", "sent", "dropped"],
            25,
            "relay.dropped",
        ),
        // Forgeries.
        Row("receipt of another", node().giving("transactionHash", zeros()), &[], taken, 26, "relay.disagree"),
        Row("receipt from another", node().giving("from", value!(OTHER)), &[], taken, 26, "relay.disagree"),
        Row("another value", node().telling("value", value!("0x1")), &[], taken, 26, "relay.disagree"),
        Row("another input", node().telling("input", value!("0x")), &[], taken, 26, "relay.disagree"),
        Row("another nonce", node().telling("nonce", value!("0x63")), &[], taken, 26, "relay.disagree"),
        Row("another recipient", node().telling("to", value!(OTHER)), &[], taken, 26, "relay.disagree"),
        Row("another hash of the transaction", node().telling("hash", zeros()), &[], taken, 26, "relay.disagree"),
        Row("a status that is none", node().giving("status", value!("0x2")), soon, taken, 20, "relay.answer"),
        Row(
            "reverted",
            node().giving("status", value!("0x0")),
            &[],
            &["recorded", "sent", "reverted"],
            24,
            "relay.reverted",
        ),
    ]
}

/// One broken node a row: what it does, and what the relay must make of it.
#[test]
fn broken_nodes_are_told_apart() {
    let signed = withdrawal();
    let rows = Mutex::new(rows(|| Script::honest(&signed)).into_iter());
    let failures = Mutex::new(common::Failures::default());
    // Most of a row is waiting.
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                loop {
                    let Some(Row(name, script, arguments, states, exit, code)) = rows.lock().expect("no panic").next()
                    else {
                        return;
                    };
                    let node = script.start();
                    let mut all = vec!["--l2", &node.url, "--retries", "2"];
                    all.extend(arguments);
                    let said = Relay::new().broadcast(&signed, &all);
                    let mut failures = failures.lock().expect("no panic");
                    failures.check(name, "exit and code", &(said.exit, said.code()), &(exit, code.to_owned()));
                    failures.check(name, "states", &said.states(), &states.to_vec());
                    let printed = format!("{:?}{}", said.receipts, said.stderr);
                    if printed.contains(['\u{1b}', '\u{7}']) {
                        failures.fail(name, "a node's text moved the cursor");
                    }
                }
            });
        }
    });
    failures.into_inner().expect("no panic").finish();
}

#[test]
fn nothing_is_opened_for_a_false_document_or_a_wrong_command() {
    let relay = Relay::new();
    let signed = deposit(|_| {});
    let url = "http://127.0.0.1:9"; // nobody listens: a connection would give 20
    let cases: Vec<(String, Vec<&str>, i32)> = vec![
        (signed.to_json().to_string().replace("\"nonce\":0", "\"nonce\":1"), vec!["--l1", url], 4),
        (
            signed
                .to_json()
                .to_string()
                .replace("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
            vec!["--l1", url],
            7,
        ),
        ("{".to_owned(), vec!["--l1", url], 3),
        (signed.to_json().to_string(), vec![], 2),
        (signed.to_json().to_string(), vec!["--l2", url], 2),
        (signed.to_json().to_string(), vec!["--l1", "http://user:SECRET@rpc.example/v2/SECRET"], 20),
        (signed.to_json().to_string(), vec!["--l1", url, "--timeout", "18446744073709551615"], 2),
        (signed.to_json().to_string(), vec!["--l1", url, "--retries", "0"], 20),
        (signed.to_json().to_string(), vec!["--l1", url, "--l1", url], 2),
        (signed.to_json().to_string(), vec!["--l1", url, "--quorum", "2"], 2),
        (signed.to_json().to_string(), vec!["--l1", url, "--quorum", "0"], 2),
        (signed.to_json().to_string(), vec!["--config", "/nowhere"], 10),
    ];
    for (text, arguments, exit) in cases {
        let said = relay.broadcast_text(&text, &arguments);
        assert_eq!(said.exit, exit, "{arguments:?} {}", said.stderr);
        assert!(said.receipts.is_empty());
        assert!(!relay.journal().exists(), "the journal was opened");
        assert!(!said.stderr.contains("SECRET"), "{}", said.stderr);
    }
}

#[test]
fn several_nodes_must_agree() {
    let signed = withdrawal();
    let node = || Script::honest(&signed);
    let honest = || node().start();
    let liar = || node().giving("status", value!("0x0")).start();
    let dead = || node().on("eth_chainId", &[Reply::HangUp]).start();
    let dies = || {
        node().on("eth_sendRawTransaction", &[Reply::HangUp]).on("eth_getTransactionReceipt", &[Reply::HangUp]).start()
    };
    // It knows nothing of the payload, but that its nonce is used.
    let forgets = || {
        node()
            .on("eth_getTransactionByHash", &[Reply::Result(Value::Null)])
            .on("eth_getTransactionReceipt", &[Reply::Result(Value::Null)])
            .on("eth_getTransactionCount", &[Reply::Result(value!("0x9"))])
            .start()
    };
    let elsewhere = || node().on("eth_chainId", &[Reply::Result(value!("0x1"))]).start();
    let withholds = || node().on("eth_getTransactionReceipt", &[Reply::Result(Value::Null)]).start();
    let lower = signed.from().to_string().to_lowercase();
    let other_spelling = || node().giving("from", value!(lower)).giving("aMemberOfItsOwn", value!(true)).start();
    let in_a_batch = || node().giving("l1BatchNumber", value!("0x5")).start();
    let takes_nothing = || node().on("eth_sendRawTransaction", &[Reply::Error(-32000, "read only")]).start();
    let rows: Vec<(&str, Vec<Scripted>, &[&str], i32)> = vec![
        ("two honest ones", vec![honest(), honest()], &[], 0),
        ("another spelling, another member", vec![honest(), other_spelling()], &[], 0),
        ("one of two knows the batch already", vec![honest(), in_a_batch()], &[], 0),
        ("one of two takes nothing", vec![honest(), takes_nothing()], &["--quorum", "1"], 0),
        ("one of two withholds the receipt", vec![withholds(), honest()], &[], 26),
        ("one of three withholds the receipt", vec![withholds(), honest(), honest()], &["--quorum", "2"], 0),
        ("one of three dies", vec![dies(), honest(), honest()], &["--quorum", "2"], 0),
        ("one of two lies", vec![honest(), liar()], &[], 26),
        ("one of three lies", vec![honest(), liar(), honest()], &["--quorum", "2"], 0),
        ("one of three lies, all must agree", vec![honest(), liar(), honest()], &[], 26),
        ("one of three forgets", vec![forgets(), honest(), honest()], &["--quorum", "2"], 0),
        ("one of two forgets, and is enough", vec![forgets(), honest()], &["--quorum", "1", "--timeout", "20"], 26),
        ("both forget", vec![forgets(), forgets()], &["--timeout", "20"], 23),
        ("one of two is dead", vec![dead(), honest()], &["--quorum", "1"], 0),
        ("one of two is dead, both must agree", vec![dead(), honest()], &[], 20),
        ("one of two serves another chain", vec![honest(), elsewhere()], &["--quorum", "1"], 22),
    ];
    let mut failures = common::Failures::default();
    for (name, nodes, arguments, exit) in rows {
        let mut arguments: Vec<&str> = arguments.to_vec();
        arguments.extend(["--retries", "1"]);
        if !arguments.contains(&"--timeout") {
            arguments.extend(["--timeout", "2"]);
        }
        arguments.extend(nodes.iter().flat_map(|node| ["--l2", &node.url]));
        let said = Relay::new().broadcast(&signed, &arguments);
        failures.check(name, "exit", &said.exit, &exit);
        // Those that told of it are named, and nobody else.
        let told = said.receipts.last().map_or(Value::Null, |receipt| receipt["reportedBy"].clone());
        match name {
            "two honest ones" => failures.check(name, "told by", &told, &value!([host(&nodes[0]), host(&nodes[1])])),
            "one of three lies" => failures.check(name, "told by", &told, &value!([host(&nodes[0]), host(&nodes[2])])),
            "both forget" => failures.check(name, "told by", &told, &Value::Null),
            _ => true,
        };
        if exit == 22 {
            failures.check(
                name,
                "sends",
                &nodes.iter().map(|node| node.count("eth_sendRawTransaction")).sum::<usize>(),
                &0,
            );
        }
    }
    failures.finish();
}

/// Whoever waits for a payload whose earlier nonces nobody sends is told so.
#[test]
fn an_earlier_nonce_that_is_missing_is_named() {
    let signed = signed_withdrawal(|request| request["facts"]["transaction"]["nonce"] = value!(2));
    for (mined, words) in [("0x0", "0 is not mined yet"), ("0x2", "was not mined within 1 seconds\"")] {
        let pool = Script::honest(&signed)
            .on("eth_getTransactionReceipt", &[Reply::Result(Value::Null)])
            .on("eth_getTransactionCount", &[Reply::Result(value!(mined))])
            .start();
        let said = Relay::new().broadcast(&signed, &["--l2", &pool.url, "--timeout", "1"]);
        assert_eq!((said.exit, said.code().as_str()), (25, "relay.pending"), "{}", said.stderr);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

/// A node that answers with the address by which it was asked: what of it may be a secret is nowhere in what the relay says.
#[test]
fn what_a_node_answers_with_does_not_tell_the_address() {
    let signed = withdrawal();
    let (key, token) = ("0123456789abcdef0123", "topsecretvalue");
    let answer = format!("no such route /v3/{key}?token={token}{}", "a".repeat(100_000));
    for method in ["eth_chainId", "eth_sendRawTransaction", "eth_getTransactionByHash", "eth_getTransactionCount"] {
        let node = Script::honest(&signed).on(method, &[Reply::Result(value!(answer))]).start();
        let url = format!("{}/v3/{key}?token={token}", node.url);
        let said = Relay::new().broadcast(&signed, &["--l2", &url, "--retries", "0", "--timeout", "1"]);
        let printed = format!("{:?}{}", said.receipts, said.stderr);
        assert!(said.exit == 20 || method == "eth_getTransactionCount", "{method} {printed}");
        assert!(!printed.contains(key) && !printed.contains(token), "{method}: {printed}");
        assert!(printed.len() < 4_000, "{method}: {} bytes", printed.len());
    }
}

#[test]
fn nodes_are_named_in_a_file() {
    let signed = withdrawal();
    let node = Script::honest(&signed).start();
    let good = value!({
        "schema": "coldbridge/relay-config/1",
        "networks": {"local": {"l2": {"urls": [node.url], "quorum": 1}}},
    });
    let set = |pointer: &str, new: Value| {
        let mut config = good.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a member");
        config.pointer_mut(parent).expect("the parent")[name] = new;
        config
    };
    let rows = [
        (good.clone(), 0, ""),
        (set("/schema", value!("coldbridge/relay-config/2")), 3, "/schema"),
        (set("/key", value!(1)), 3, "/key"),
        (set("/networks/nowhere", value!({})), 4, "/networks/nowhere"),
        (set("/networks/local/l3", value!({})), 3, "/networks/local/l3"),
        (set("/networks/local/l2/urls", value!([])), 2, "/networks/local/l2/urls"),
        (set("/networks/local/l2/urls", value!([node.url, node.url])), 2, "/networks/local/l2/urls/1"),
        (set("/networks/local/l2/urls", value!(["http://rpc.example/SECRET"])), 20, "/networks/local/l2/urls/0"),
        (set("/networks/local/l2/urls", value!(["https://\u{7f}/SECRET"])), 20, ""),
        (set("/networks/local/l2/quorum", value!(0)), 2, ""),
        (set("/networks/local/l2/quorum", value!(1.5)), 3, "/networks/local/l2/quorum"),
        (set("/networks/local", value!({})), 2, ""),
    ];
    let relay = Relay::new();
    let path = relay.folder.join("relay.json");
    for (config, exit, at) in rows {
        std::fs::write(&path, config.to_string()).expect("written");
        let said = relay.broadcast(&signed, &["--config", path.to_str().expect("plain"), "--retries", "0"]);
        assert_eq!(said.exit, exit, "{config} {}", said.stderr);
        assert!(!said.stderr.contains("SECRET"), "{}", said.stderr);
        assert!(said.stderr.contains(&format!("\"at\":\"{at}\"")) || exit == 0, "{at} {}", said.stderr);
    }
    // The command line comes before the file.
    std::fs::write(&path, good.to_string()).expect("written");
    let other = Scripted::start(|_, _, _| result(&value!("0x1")));
    let said = relay.broadcast(&signed, &["--config", path.to_str().expect("plain"), "--l2", &other.url]);
    assert_eq!(said.exit, 22, "{}", said.stderr);
}
