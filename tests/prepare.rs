//! `coldbridge-relay prepare` against recorded exchanges of real nodes, against made-up chains, and against liars.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::Failures;
use common::chain::Chain;
use common::rpc::{ACTOR, Node, Recorded, Reply};
use serde_json::{Value, json};

/// The account of anvil's first published test key.
const ACCOUNT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const TOKEN: &str = "0x003b7C5dC32677F379D8dCADF693f56ce95Da294";

fn scratch() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("prepare-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).expect("a scratch folder");
    path
}

struct Said {
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Said {
    fn json(&self) -> Value {
        assert_eq!(self.exit, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).expect("a document")
    }

    fn code(&self) -> String {
        let line = self.stderr.lines().rev().find(|line| line.starts_with('{')).unwrap_or("{}");
        let error: Value = serde_json::from_str(line).expect("an error document");
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn run(program: &str, arguments: &[&str], input: &str) -> Said {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(arguments)
        .arg("--json-errors")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join();
    Said {
        exit: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

fn relay(arguments: &[&str], input: &str) -> Said {
    run(env!("CARGO_BIN_EXE_coldbridge-relay"), arguments, input)
}

fn build(request: &Value, more: &[&str]) -> Value {
    run(env!("CARGO_BIN_EXE_coldbridge"), &[&["build"], more].concat(), &request.to_string()).json()
}

/// Signs with the account's key and proves the signed document.
fn sign(request: &Value, more: &[&str]) -> Value {
    let folder = scratch();
    let file = folder.join("request.json");
    std::fs::write(&file, request.to_string()).expect("written");
    let script = "exec 3<\"$1\"; shift; exec \"$@\"";
    let key = common::root().join("fixtures/example/public-test.key");
    let program = env!("CARGO_BIN_EXE_coldbridge");
    let output = Command::new("sh")
        .args(["-c", script, "sh", key.to_str().expect("a path"), program, "sign", file.to_str().expect("a path")])
        .args(["--key-fd", "3", "--yes"])
        .args(more)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let signed = String::from_utf8(output.stdout).expect("text");
    run(program, &[&["verify"], more].concat(), &signed).json();
    serde_json::from_str(&signed).expect("a signed document")
}

/// A pair of nodes that tell a recorded story.
fn recorded(story: fn() -> Recorded) -> (Node, Node) {
    let node = |layer: &'static str| {
        let (story, chain) = (story(), Chain::of(&local()));
        Node::start(move |method, params| match story.answer(layer, method, params) {
            Some(reply) => reply,
            // What nobody asked when it was recorded: the base cost of other numbers, by the contract's formula.
            None if method == "eth_call" => chain.answer(layer, method, params),
            None => Reply::error(-32000, &format!("not recorded: {method} {params}")),
        })
    };
    (node("l1"), node("l2"))
}

fn local() -> Value {
    let text = std::fs::read_to_string(common::root().join("src/network/local.json")).expect("the network");
    serde_json::from_str(&text).expect("JSON")
}

fn intent(from: &str, operation: Value) -> String {
    json!({"network": "local", "from": from, "operation": operation}).to_string()
}

fn eth_deposit(account: &str) -> String {
    intent(account, json!({"deposit": {"token": "eth", "amount": "1000000000000000000", "to": account}}))
}

/// With the numbers of the recording, the calldata is the recorded one to the last byte: of the estimate, of the transaction
/// that was sent, and the base cost is what the Bridgehub said.
#[test]
fn a_recorded_eth_deposit_is_prepared_and_built_as_it_was_sent() {
    let (l1, _) = recorded(|| Recorded::flows(&[]));
    let flags = ["--max-fee-per-gas", "1500000000", "--priority-fee", "100000000", "--l2-gas-limit", "1000000"];
    let said = relay(&[&["prepare", "--l1", &l1.url][..], &flags].concat(), &eth_deposit(ACTOR));
    let request = said.json();
    let facts = &request["facts"];
    assert_eq!(facts["transaction"], json!({"nonce": 1, "gasLimit": 350_000, "maxFeePerGas": "1500000000", "maxPriorityFeePerGas": "100000000"}));
    let params = json!({"pubdataPricingMode": "rollup", "batchOverheadL1Gas": 1_000_000, "maxPubdataPerBatch": 120_000,
        "maxL2GasPerBatch": 80_000_000, "priorityTxMaxPubdata": 99_000, "minimalL2GasPrice": "250000000"});
    assert_eq!(facts["priorityRequest"]["feeParams"], params);
    assert_eq!(facts["priorityRequest"]["l2GasLimit"], json!(1_000_000));
    assert_eq!(facts["priorityRequest"]["baseTokenGasPriceMultiplier"], json!({"nominator": "1", "denominator": "1"}));

    let unsigned = build(&request, &[]);
    let story = Recorded::flows(&["eth_deposit_broadcast_and_track"]);
    let estimate = story.params("l1", "eth_estimateGas", "requestL2TransactionDirect with fees");
    assert_eq!(unsigned["transactions"][0]["data"], estimate[0]["data"]);
    assert_eq!(unsigned["transactions"][0]["value"], json!("1000268750000000000"));
    assert_eq!(estimate[0]["value"], json!(format!("{:#x}", 1_000_268_750_000_000_000_u64)));
    // It was asked about exactly that.
    let asked: Vec<Value> = l1.calls().into_iter().filter(|(method, _)| method == "eth_estimateGas").map(|(_, params)| params).collect();
    assert_eq!(asked.iter().map(common::rpc::lower).collect::<Vec<_>>(), [estimate]);
}
