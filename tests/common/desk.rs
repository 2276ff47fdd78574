//! Both programs as an operator uses them: the relay asks nodes, the offline one builds and signs.

use std::process::Command;

use serde_json::Value;

use super::chain::Chain;
use super::program::{PROGRAM, Said, run, run_program, scratch};
use super::root;
use super::rpc::{Node, Recorded, Reply};

/// The account of the published test key in fixtures/example.
pub const ACCOUNT: &str = "0x36615Cf349d7F6344891B1e7CA7C72883F5dc049";

pub fn relay(arguments: &[&str], input: &str) -> Said {
    run_program(env!("CARGO_BIN_EXE_coldbridge-relay"), &[arguments, &["--json-errors"]].concat(), input)
}

/// The code of the error document that follows the remarks.
pub fn refusal_of(said: &Said) -> String {
    let line = said.stderr.lines().rev().find(|line| line.starts_with('{')).unwrap_or("{}");
    let error: Value = serde_json::from_str(line).expect("an error document");
    error["error"]["code"].as_str().unwrap_or_default().to_owned()
}

pub fn build(request: &Value, more: &[&str]) -> Value {
    run(&[&["build"], more].concat(), request.to_string()).json()
}

/// Signs with the account's key and proves the signed document.
pub fn sign(request: &Value, more: &[&str]) -> Value {
    let folder = scratch();
    let file = folder.join("request.json");
    std::fs::write(&file, request.to_string()).expect("written");
    let script = "exec 3<\"$1\"; shift; exec \"$@\"";
    let key = root().join("fixtures/example/public-test.key");
    let output = Command::new("sh")
        .args(["-c", script, "sh", key.to_str().expect("a path"), PROGRAM, "sign", file.to_str().expect("a path")])
        .args(["--key-fd", "3", "--yes"])
        .args(more)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let signed = String::from_utf8(output.stdout).expect("text");
    run(&[&["verify"], more].concat(), &signed).json();
    serde_json::from_str(&signed).expect("a signed document")
}

/// A pair of nodes that tell a recorded story.
pub fn recorded(story: fn() -> Recorded) -> (Node, Node) {
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

pub fn local() -> Value {
    let text = std::fs::read_to_string(root().join("src/network/local.json")).expect("the network");
    serde_json::from_str(&text).expect("JSON")
}

pub fn network(name: &str) -> (Value, String) {
    let path = root().join(format!("fixtures/networks/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (serde_json::from_str(&text).expect("JSON"), path.to_str().expect("a path").to_owned())
}

/// A pair of nodes of a made-up chain.
pub fn made_up(chain: &Chain) -> (Node, Node) {
    let node = |layer: &'static str| {
        let chain = chain.clone();
        Node::start(move |method, params| chain.answer(layer, method, params))
    };
    (node("l1"), node("l2"))
}
