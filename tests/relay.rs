//! The relay against a real L1 node (anvil) and against scripted nodes that break.

#![allow(clippy::disallowed_types)] // the tests are the node's side of the socket

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coldbridge::{Key, Networks, Request, Signed, Spelling, json};
use serde_json::{Value, json as value};

/// A folder of this test's own.
fn scratch() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("relay-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).expect("a scratch folder");
    path
}

/// Signs a fixture's request after `change` was made to it.
fn signed(folder: &str, name: &str, change: impl FnOnce(&mut Value)) -> Signed {
    let fixture = common::fixture(folder, name);
    let mut request = fixture.json["request"].clone();
    change(&mut request);
    let request = json::parse(request.to_string().as_bytes()).expect("JSON");
    let request = Request::read(&request, &Networks::pinned(), Spelling::Checksummed).expect("a request");
    request.plan().expect("a plan").sign(&Key::from_hex(fixture.key().as_bytes()).expect("a key")).expect("signed")
}

fn deposit(change: impl FnOnce(&mut Value)) -> Signed {
    signed("deposit", "local_typical", change)
}

struct Relay {
    folder: PathBuf,
}

struct Said {
    exit: i32,
    receipts: Vec<Value>,
    stderr: String,
}

impl Relay {
    fn new() -> Self {
        Self { folder: scratch() }
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("relay.db")
    }

    fn broadcast(&self, signed: &Signed, arguments: &[&str]) -> Said {
        self.broadcast_text(&format!("{}\n", signed.to_json()), arguments)
    }

    fn broadcast_text(&self, text: &str, arguments: &[&str]) -> Said {
        let document = self.folder.join("signed.json");
        std::fs::write(&document, text).expect("written");
        let output = Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
            .args(["broadcast", document.to_str().expect("a plain path"), "--json-errors", "--journal"])
            .arg(self.journal())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the relay runs");
        Said::of(&output)
    }
}

impl Said {
    fn of(output: &Output) -> Self {
        let stdout = String::from_utf8(output.stdout.clone()).expect("text");
        Self {
            exit: output.status.code().expect("an exit code"),
            receipts: stdout.lines().map(|line| serde_json::from_str(line).expect("a receipt a line")).collect(),
            stderr: String::from_utf8(output.stderr.clone()).expect("text"),
        }
    }

    fn states(&self) -> Vec<&str> {
        self.receipts.iter().map(|receipt| receipt["state"].as_str().expect("a state")).collect()
    }

    fn code(&self) -> String {
        let line = self.stderr.lines().rev().find(|line| line.starts_with('{')).unwrap_or("{}");
        let error: Value = serde_json::from_str(line).expect("an error document");
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A real L1 node.
struct Anvil {
    process: Child,
    url: String,
}

impl Anvil {
    fn start(arguments: &[&str]) -> Self {
        let binary = common::root().join("fixtures/generate/node_modules/.bin/anvil");
        assert!(binary.exists(), "anvil is missing; install it: (cd fixtures/generate && npm ci --ignore-scripts)");
        let mut process = Command::new(binary)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("anvil starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let url = loop {
            let line = lines.next().expect("anvil says where it listens").expect("text");
            if let Some(address) = line.strip_prefix("Listening on ") {
                break format!("http://{}", address.trim());
            }
        };
        // Anvil logs every call; the pipe must be emptied.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }

    fn call(&self, method: &str, params: &Value) -> Value {
        let request = value!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let body = ureq::post(&self.url)
            .header("content-type", "application/json")
            .send(request)
            .expect("anvil answers")
            .body_mut()
            .read_to_string()
            .expect("text");
        let mut answer: Value = serde_json::from_str(&body).expect("JSON");
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn quantity(value: &Value) -> String {
    u128::from_str_radix(value.as_str().expect("hex").trim_start_matches("0x"), 16).expect("a number").to_string()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

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
    assert_eq!(said.states(), ["recorded", "sent", "replaced"]);

    let at_nonce = |nonce: u64| move |request: &mut Value| request["facts"]["transaction"]["nonce"] = value!(nonce);
    anvil.call("anvil_setBalance", &value!(["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x1"]));
    let said = relay.broadcast(&deposit(at_nonce(1)), &["--l1", &anvil.url]);
    assert_eq!((said.exit, said.code().as_str()), (21, "relay.rejected"), "{}", said.stderr);
    assert_eq!(said.states(), ["recorded", "rejected"]);
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

/// A node that answers from a script.
struct Scripted {
    url: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// `answer` gives the body for a method, or nothing to drop the connection.
    fn start(answer: impl Fn(&str, &Value, usize) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                let mut length = 0;
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().expect("a length");
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                if reader.read_exact(&mut body).is_err() {
                    continue;
                }
                let request: Value = serde_json::from_slice(&body).expect("JSON");
                let method = request["method"].as_str().expect("a method").to_owned();
                let before = {
                    let mut seen = seen.lock().expect("no panic");
                    seen.push(method.clone());
                    seen.iter().filter(|known| **known == method).count()
                };
                if let Some(body) = answer(&method, &request["params"], before) {
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
                }
            }
        });
        Self { url, calls }
    }

    fn count(&self, method: &str) -> usize {
        self.calls.lock().expect("no panic").iter().filter(|known| *known == method).count()
    }
}

#[allow(clippy::unnecessary_wraps)] // what a script answers: something
fn result(value: &Value) -> Option<String> {
    Some(value!({"jsonrpc": "2.0", "id": 1, "result": value}).to_string())
}

#[allow(clippy::unnecessary_wraps)] // what a script answers: something
fn error(message: &str) -> Option<String> {
    Some(value!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": message}}).to_string())
}

/// What an honest L2 node tells of a withdrawal once it has it.
fn honest(signed: &Signed) -> (Value, Value) {
    let transaction = &signed.transactions()[0];
    let hash = transaction.hash().to_string();
    let told = value!({
        "hash": hash,
        "from": signed.from().to_string(),
        "to": transaction.transaction().to().expect("a call").to_string(),
        "nonce": format!("{:#x}", transaction.nonce()),
        "value": format!("{:#x}", transaction.transaction().value().get()),
        "input": format!("0x{}", hex::encode(transaction.transaction().data())),
    });
    let receipt = value!({
        "transactionHash": hash,
        "from": signed.from().to_string(),
        "blockNumber": "0x7",
        "blockHash": format!("0x{}", "ab".repeat(32)),
        "status": "0x1",
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x5f5e100",
        "logs": [],
    });
    (told, receipt)
}

fn withdrawal() -> Signed {
    signed("withdraw", "withdraw_local_typical", |_| {})
}

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
    assert_eq!(node.count("eth_sendRawTransaction"), 1);
}

/// One broken node a row: what it answers, and what the relay must make of it.
#[test]
fn broken_nodes_are_told_apart() {
    type Answer = Box<dyn Fn(&str, &Value, usize) -> Option<String> + Send>;
    let signed = withdrawal();
    let (told, receipt) = honest(&signed);
    let hash = signed.transactions()[0].hash().to_string();
    let with = |change: &'static str, value: Value| {
        let (mut told, mut receipt) = (told.clone(), receipt.clone());
        match change.split_once('.') {
            Some(("told", member)) => told[member] = value,
            Some(("receipt", member)) => receipt[member] = value,
            _ => {}
        }
        let answer: Answer = Box::new(move |method, _, _| match method {
            "eth_chainId" => result(&value!("0x104")),
            "eth_getTransactionByHash" => result(&told),
            "eth_getTransactionReceipt" => result(&receipt),
            _ => result(&value!("0x0")),
        });
        answer
    };
    let unknown = |send: Option<String>, nonce: &'static str| {
        let answer: Answer = Box::new(move |method, _, _| match method {
            "eth_chainId" => result(&value!("0x104")),
            "eth_getTransactionCount" => result(&value!(nonce)),
            "eth_sendRawTransaction" => send.clone(),
            _ => result(&Value::Null),
        });
        answer
    };
    let known_after_error: Answer = {
        let (told, receipt) = (told.clone(), receipt.clone());
        Box::new(move |method, _, before| match method {
            "eth_chainId" => result(&value!("0x104")),
            "eth_sendRawTransaction" => error("nonce too low"),
            "eth_getTransactionByHash" if before > 1 => result(&told),
            "eth_getTransactionReceipt" if before > 1 => result(&receipt),
            "eth_getTransactionCount" => result(&value!("0x9")),
            _ => result(&Value::Null),
        })
    };
    let busy =
        Some(value!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "limit exceeded"}}).to_string());
    // The nonce is used and the receipt is late, while the transaction is known: it is ours that used it.
    let lagging: Answer = {
        let (told, receipt) = (told.clone(), receipt.clone());
        Box::new(move |method, _, before| match method {
            "eth_chainId" => result(&value!("0x104")),
            "eth_getTransactionByHash" => result(&told),
            "eth_getTransactionReceipt" if before > 4 => result(&receipt),
            "eth_getTransactionCount" => result(&value!("0x9")),
            _ => result(&Value::Null),
        })
    };
    let early: Answer = {
        let (told, receipt) = (told.clone(), receipt.clone());
        Box::new(move |method, _, before| match method {
            "eth_chainId" => result(&value!("0x104")),
            "eth_getTransactionByHash" if before > 3 => result(&told),
            "eth_getTransactionReceipt" => result(&receipt),
            "eth_getTransactionCount" => result(&value!("0x9")),
            _ => result(&Value::Null),
        })
    };
    let zeros = format!("0x{}", "00".repeat(32));
    let rows: Vec<(&str, Answer, i32, &str)> = vec![
        ("honest", with("", Value::Null), 0, ""),
        ("nonce too low, but our hash is known", known_after_error, 0, ""),
        ("wrong chain", Box::new(|_, _, _| result(&value!("0x1"))), 22, "relay.wrong_chain"),
        ("chain id is no number", Box::new(|_, _, _| result(&value!("mainnet"))), 20, "relay.answer"),
        ("chain id is missing", Box::new(|_, _, _| Some("{}".to_owned())), 20, "relay.answer"),
        ("not JSON", Box::new(|_, _, _| Some("<html>502</html>".to_owned())), 20, "relay.answer"),
        ("hangs up", Box::new(|_, _, _| None), 20, "relay.network"),
        ("answers with another hash", unknown(result(&value!(zeros)), "0x0"), 20, "relay.answer"),
        ("refuses", unknown(error("max fee per gas less than block base fee\u{1b}[2J"), "0x0"), 21, "relay.rejected"),
        ("refuses, and the nonce is used", unknown(error("nonce too low"), "0x9"), 23, "relay.replaced"),
        ("says it knows, and does not", unknown(error("already known"), "0x0"), 25, "relay.pending"),
        ("is too busy", unknown(busy, "0x0"), 20, "relay.network"),
        ("lags behind itself", lagging, 0, ""),
        ("has the receipt before the transaction", early, 0, ""),
        ("never mines", unknown(result(&value!(hash)), "0x0"), 25, "relay.pending"),
        ("takes it, then mines another", unknown(result(&value!(hash)), "0x9"), 23, "relay.replaced"),
        ("hangs up on the send", unknown(None, "0x0"), 20, "relay.network"),
        ("receipt of another", with("receipt.transactionHash", value!(zeros)), 26, "relay.disagree"),
        ("receipt from another", with("receipt.from", value!(format!("0x{}", "11".repeat(20)))), 26, "relay.disagree"),
        ("another value", with("told.value", value!("0x1")), 26, "relay.disagree"),
        ("another input", with("told.input", value!("0x")), 26, "relay.disagree"),
        ("another nonce", with("told.nonce", value!("0x63")), 26, "relay.disagree"),
        ("another recipient", with("told.to", value!(format!("0x{}", "11".repeat(20)))), 26, "relay.disagree"),
        ("reverted", with("receipt.status", value!("0x0")), 24, "relay.reverted"),
        ("status is no status", with("receipt.status", value!("0x2")), 20, "relay.answer"),
    ];
    let mut failures = common::Failures::default();
    for (name, answer, exit, code) in rows {
        let node = Scripted::start(answer);
        let patience = if exit == 25 { "1" } else { "30" };
        let said = Relay::new().broadcast(&signed, &["--l2", &node.url, "--timeout", patience, "--retries", "2"]);
        failures.check(name, "exit and code", &(said.exit, said.code()), &(exit, code.to_owned()));
        if said.stderr.contains('\u{1b}') || said.receipts.iter().any(|receipt| receipt.to_string().contains('\u{1b}'))
        {
            failures.fail(name, "a node's text moved the cursor");
        }
    }
    failures.finish();
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

/// An honest node whose answers pass through a change.
fn node_of(signed: &Signed, change: impl Fn(&str, &mut Value) + Send + 'static) -> Scripted {
    let (told, receipt) = honest(signed);
    Scripted::start(move |method, _, _| {
        let mut answer = match method {
            "eth_chainId" => value!("0x104"),
            "eth_getTransactionByHash" => told.clone(),
            "eth_getTransactionReceipt" => receipt.clone(),
            _ => value!("0x1"),
        };
        change(method, &mut answer);
        result(&answer)
    })
}

#[test]
fn several_nodes_must_agree() {
    let signed = withdrawal();
    let honest = || node_of(&signed, |_, _| {});
    let liar = || {
        node_of(&signed, |method, answer| {
            if method == "eth_getTransactionReceipt" {
                answer["status"] = value!("0x0");
            }
        })
    };
    let dead = || Scripted::start(|_, _, _| None);
    let elsewhere = || Scripted::start(|_, _, _| result(&value!("0x1")));
    let upper = || {
        node_of(&signed, |method, answer| {
            if method == "eth_getTransactionReceipt" {
                answer["from"] = value!(answer["from"].as_str().expect("text").to_lowercase());
                answer["aMemberOfItsOwn"] = value!(true);
            }
        })
    };
    let rows: Vec<(&str, Vec<Scripted>, &[&str], i32)> = vec![
        ("two honest ones", vec![honest(), honest()], &[], 0),
        ("another spelling, another member", vec![honest(), upper()], &[], 0),
        ("one of two lies", vec![honest(), liar()], &[], 26),
        ("one of three lies", vec![honest(), liar(), honest()], &["--quorum", "2"], 0),
        ("one of three lies, all must agree", vec![honest(), liar(), honest()], &[], 26),
        ("one of two is dead", vec![dead(), honest()], &["--quorum", "1"], 0),
        ("one of two is dead, both must agree", vec![dead(), honest()], &[], 20),
        ("one of two serves another chain", vec![honest(), elsewhere()], &["--quorum", "1"], 22),
    ];
    let mut failures = common::Failures::default();
    for (name, nodes, arguments, exit) in rows {
        let mut arguments: Vec<&str> = arguments.to_vec();
        arguments.extend(["--retries", "1", "--timeout", "2"]);
        arguments.extend(nodes.iter().flat_map(|node| ["--l2", &node.url]));
        let said = Relay::new().broadcast(&signed, &arguments);
        failures.check(name, "exit", &said.exit, &exit);
    }
    failures.finish();
}

#[test]
fn nodes_are_named_in_a_file() {
    let signed = withdrawal();
    let node = node_of(&signed, |_, _| {});
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
