//! The relay as its users run it, real nodes (anvil), and nodes that answer from a script.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coldbridge::{Key, Networks, Request, Signed, Spelling, json};
use serde_json::{Value, json as value};

use crate::common;

/// A folder of this test's own.
pub fn scratch() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("relay-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).expect("a scratch folder");
    path
}

/// Signs a fixture's request after `change` was made to it.
pub fn signed(folder: &str, name: &str, change: impl FnOnce(&mut Value)) -> Signed {
    let fixture = common::fixture(folder, name);
    let mut request = fixture.json["request"].clone();
    change(&mut request);
    let request = json::parse(request.to_string().as_bytes()).expect("JSON");
    let request = Request::read(&request, &Networks::pinned(), Spelling::Checksummed).expect("a request");
    request.plan().expect("a plan").sign(&Key::from_hex(fixture.key().as_bytes()).expect("a key")).expect("signed")
}

pub fn deposit(change: impl FnOnce(&mut Value)) -> Signed {
    signed("deposit", "local_typical", change)
}

pub struct Relay {
    pub folder: PathBuf,
}

pub struct Said {
    pub exit: i32,
    pub receipts: Vec<Value>,
    pub stderr: String,
}

impl Relay {
    pub fn new() -> Self {
        Self { folder: scratch() }
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.join("relay.db")
    }

    pub fn broadcast(&self, signed: &Signed, arguments: &[&str]) -> Said {
        self.broadcast_text(&format!("{}\n", signed.to_json()), arguments)
    }

    pub fn broadcast_text(&self, text: &str, arguments: &[&str]) -> Said {
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
    pub fn of(output: &Output) -> Self {
        let stdout = String::from_utf8(output.stdout.clone()).expect("text");
        Self {
            exit: output.status.code().expect("an exit code"),
            receipts: stdout.lines().map(|line| serde_json::from_str(line).expect("a receipt a line")).collect(),
            stderr: String::from_utf8(output.stderr.clone()).expect("text"),
        }
    }

    pub fn states(&self) -> Vec<&str> {
        self.receipts.iter().map(|receipt| receipt["state"].as_str().expect("a state")).collect()
    }

    pub fn code(&self) -> String {
        let line = self.stderr.lines().rev().find(|line| line.starts_with('{')).unwrap_or("{}");
        let error: Value = serde_json::from_str(line).expect("an error document");
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A port that is free now.
pub fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port().to_string()
}

/// A real L1 node.
pub struct Anvil {
    pub process: Child,
    pub url: String,
}

impl Anvil {
    pub fn start(arguments: &[&str]) -> Self {
        Self::on_port("0", arguments)
    }

    pub fn on_port(port: &str, arguments: &[&str]) -> Self {
        let binary = common::root().join("fixtures/generate/node_modules/.bin/anvil");
        assert!(binary.exists(), "anvil is missing; install it: (cd fixtures/generate && npm ci --ignore-scripts)");
        let mut process = Command::new(binary)
            .args(["--host", "127.0.0.1", "--port", port])
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

    /// Lets it write its state down (`--state`) and waits for its end. It mines no more by then: a block that is made while anvil
    /// writes is lost in one part of its state and not in another (nonces of transactions that are in no block).
    pub fn stop(&mut self) {
        self.call("evm_setIntervalMining", &value!([0]));
        let stopped = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().expect("kill");
        assert!(stopped.success());
        self.process.wait().expect("it ends");
    }

    pub fn call(&self, method: &str, params: &Value) -> Value {
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

pub fn quantity(value: &Value) -> String {
    u128::from_str_radix(value.as_str().expect("hex").trim_start_matches("0x"), 16).expect("a number").to_string()
}

pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What an honest L2 node tells of a withdrawal once it has it.
pub fn honest(signed: &Signed) -> (Value, Value) {
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

pub fn withdrawal() -> Signed {
    signed_withdrawal(|_| {})
}

pub fn signed_withdrawal(change: impl FnOnce(&mut Value)) -> Signed {
    signed("withdraw", "withdraw_local_typical", change)
}

/// What a scripted node does with one request.
#[derive(Clone)]
pub enum Reply {
    /// What an honest node answers.
    Honest,
    /// `result`
    Result(Value),
    /// `error`
    Error(i64, &'static str),
    /// Another body of JSON-RPC.
    Body(Value),
    /// A whole HTTP answer: status line and headers, and a body.
    Http(&'static str, &'static str),
    /// As many bytes as somebody is ready to read, up to a GiB.
    Endless,
    /// Half of an honest answer.
    Half,
    /// An honest answer, but after that long.
    Late(Duration),
    /// The connection is closed.
    HangUp,
}

/// A node that has one payload, and mines it when it is sent, unless its script says otherwise.
#[derive(Clone)]
pub struct Script {
    chain_id: &'static str,
    hash: Value,
    told: Value,
    receipt: Value,
    replies: BTreeMap<&'static str, Vec<Reply>>,
    is_sent: Arc<AtomicUsize>,
}

impl Script {
    /// An honest L2 node for a signed document of one transaction.
    pub fn honest(signed: &Signed) -> Self {
        let (told, receipt) = honest(signed);
        let hash = told["hash"].clone();
        Self { chain_id: "0x104", hash, told, receipt, replies: BTreeMap::new(), is_sent: Arc::default() }
    }

    /// The n-th call of a method gets the n-th reply, all later ones the last.
    pub fn on(mut self, method: &'static str, replies: &[Reply]) -> Self {
        self.replies.insert(method, replies.to_vec());
        self
    }

    /// It knows the payload before anybody sends it here.
    pub fn knowing(self) -> Self {
        self.is_sent.store(1, Ordering::SeqCst);
        self
    }

    /// It tells one member of the transaction otherwise.
    pub fn telling(mut self, member: &str, other: Value) -> Self {
        self.told[member] = other;
        self
    }

    /// It gives one member of the receipt otherwise.
    pub fn giving(mut self, member: &str, other: Value) -> Self {
        self.receipt[member] = other;
        self
    }

    fn reply(&self, method: &str, nth: usize) -> Reply {
        let replies = self.replies.get(method).map(Vec::as_slice).unwrap_or_default();
        replies.get(nth - 1).or(replies.last()).cloned().unwrap_or(Reply::Honest)
    }

    fn honestly(&self, method: &str) -> Value {
        let is_sent = self.is_sent.load(Ordering::SeqCst) > 0;
        match method {
            "eth_chainId" => value!(self.chain_id),
            "eth_sendRawTransaction" => {
                self.is_sent.store(1, Ordering::SeqCst);
                self.hash.clone()
            }
            "eth_getTransactionCount" => value!(if is_sent { "0x9" } else { "0x0" }),
            "eth_getTransactionByHash" if is_sent => self.told.clone(),
            "eth_getTransactionReceipt" if is_sent => self.receipt.clone(),
            "eth_getTransactionByHash" | "eth_getTransactionReceipt" | "eth_getBlockByNumber" => Value::Null,
            "eth_blockNumber" => value!("0x9"),
            other => panic!("{other}"),
        }
    }

    pub fn start(self) -> Scripted {
        Scripted::serve(move |method, _, nth, stream| {
            let wrapped = |result: &Value| value!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
            let honest = || wrapped(&self.honestly(method));
            match self.reply(method, nth) {
                Reply::Honest => respond(stream, &honest()),
                Reply::Result(value) => respond(stream, &wrapped(&value)),
                Reply::Error(code, message) => {
                    let error = value!({"code": code, "message": message});
                    respond(stream, &value!({"jsonrpc": "2.0", "id": 1, "error": error}).to_string());
                }
                Reply::Body(body) => respond(stream, &body.to_string()),
                Reply::Http(head, body) => {
                    let _ = write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                }
                Reply::Endless => {
                    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n\"", 1 << 30);
                    let chunk = vec![b'a'; 1 << 20];
                    while stream.write_all(&chunk).is_ok() {}
                }
                Reply::Half => {
                    let body = honest();
                    let (half, _) = body.split_at(body.len() / 2);
                    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{half}", body.len());
                }
                Reply::Late(wait) => {
                    let body = honest();
                    std::thread::sleep(wait);
                    respond(stream, &body);
                }
                Reply::HangUp => {}
            }
        })
    }
}

fn respond(stream: &mut TcpStream, body: &str) {
    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
}

/// A node that answers from a script.
pub struct Scripted {
    pub url: String,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// `answer` gives the body for a method, or nothing to drop the connection.
    pub fn start(answer: impl Fn(&str, &Value, usize) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::serve(move |method, params, nth, stream| {
            if let Some(body) = answer(method, params, nth) {
                respond(stream, &body);
            }
        })
    }

    /// `answer` writes what it likes. Each connection has a thread, and one request.
    fn serve(answer: impl Fn(&str, &Value, usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&calls), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = read_request(&stream) else { return };
                    let method = request["method"].as_str().expect("a method").to_owned();
                    let nth = {
                        let mut seen = seen.lock().expect("no panic");
                        seen.push(method.clone());
                        seen.iter().filter(|known| **known == method).count()
                    };
                    answer(&method, &request["params"], nth, &mut stream);
                });
            }
        });
        Self { url, calls }
    }

    pub fn count(&self, method: &str) -> usize {
        self.calls.lock().expect("no panic").iter().filter(|known| *known == method).count()
    }
}

fn read_request(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

#[allow(clippy::unnecessary_wraps)] // what a script answers: something
pub fn result(value: &Value) -> Option<String> {
    Some(value!({"jsonrpc": "2.0", "id": 1, "result": value}).to_string())
}
