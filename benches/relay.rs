//! How fast the relay hands payloads over, and how much memory it takes: against a node that does nothing, beside a bare client
//! that only posts the same bytes, in the same run.
//!
//! `cargo bench --features relay --bench relay [-- ROWS...]` prints a table; nothing is asserted about time.

#![allow(clippy::disallowed_types, clippy::print_stdout, clippy::expect_used, missing_docs)] // the node's side of the socket

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coldbridge::hash::keccak256;
use coldbridge::{Key, Networks, Request, Signed, Spelling, json};
use serde_json::{Value, json as value};

const ACCOUNTS: u64 = 64;

fn payloads(count: u64) -> Vec<Signed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(root.join("fixtures/deposit/local_typical.json")).expect("the fixture");
    let fixture: Value = serde_json::from_slice(&text).expect("JSON");
    let networks = Networks::pinned();
    let accounts = ACCOUNTS.min(count);
    let keys: Vec<Key> =
        (1..=accounts).map(|key| Key::from_hex(format!("{key:064x}\n").as_bytes()).expect("a key")).collect();
    let mut payloads = Vec::new();
    for number in 0..count {
        let key = &keys[usize::try_from(number % accounts).expect("small")];
        let mut request = fixture["request"].clone();
        request["intent"]["id"] = value!(format!("PAY-{number}"));
        request["intent"]["from"] = value!(key.address().to_string());
        request["facts"]["transaction"]["nonce"] = value!(number / accounts);
        let request = json::parse(request.to_string().as_bytes()).expect("JSON");
        let request = Request::read(&request, &networks, Spelling::Checksummed).expect("a request");
        payloads.push(request.plan().expect("a plan").sign(key).expect("signed"));
    }
    payloads
}

/// A node that has everything ready and checks nothing.
struct Node {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// By hash: the transaction, the receipt, and whether it was sent.
    known: Mutex<BTreeMap<String, (String, String, bool)>>,
    now: AtomicUsize,
    most: AtomicUsize,
    /// The sum of what was in flight at each request, and the number of requests.
    sum: AtomicU64,
    requests: AtomicU64,
    /// Milliseconds before each answer.
    delay: AtomicU64,
}

impl Node {
    fn start(payloads: &[Signed]) -> Self {
        let mut known = BTreeMap::new();
        for signed in payloads {
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
                "transactionHash": hash, "from": signed.from().to_string(), "blockNumber": "0x7",
                "blockHash": format!("0x{}", "ab".repeat(32)), "status": "0x1", "gasUsed": "0x5208", "logs": [],
            });
            known.insert(hash, (told.to_string(), receipt.to_string(), false));
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State { known: Mutex::new(known), ..State::default() });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), state) = (stream, Arc::clone(&shared)) else { return };
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { url, state }
    }

    /// In flight, on average and at most, and the requests, since the last time.
    fn counts(&self) -> (f64, usize, u64) {
        let state = &self.state;
        let requests = state.requests.swap(0, Ordering::SeqCst);
        let sum = state.sum.swap(0, Ordering::SeqCst);
        (ratio(sum, requests.max(1)), state.most.swap(0, Ordering::SeqCst), requests)
    }

    fn forget(&self) {
        self.state.known.lock().expect("no panic").values_mut().for_each(|known| known.2 = false);
    }
}

#[allow(clippy::cast_precision_loss, clippy::as_conversions)] // numbers for people
fn ratio(one: u64, another: u64) -> f64 {
    one as f64 / another as f64
}

fn serve(mut stream: TcpStream, state: &State) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    while let Some(body) = read_request(&mut reader) {
        let now = state.now.fetch_add(1, Ordering::SeqCst) + 1;
        state.most.fetch_max(now, Ordering::SeqCst);
        state.sum.fetch_add(u64::try_from(now).expect("small"), Ordering::SeqCst);
        state.requests.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(state.delay.load(Ordering::SeqCst)));
        let request: Value = serde_json::from_slice(&body).expect("JSON");
        let parameter = request["params"][0].as_str().unwrap_or_default();
        let result = {
            let mut known = state.known.lock().expect("no panic");
            match request["method"].as_str().expect("a method") {
                "eth_chainId" => "\"0x7a69\"".to_owned(),
                "eth_sendRawTransaction" => {
                    let raw = hex::decode(parameter.trim_start_matches("0x")).expect("hex");
                    let hash = format!("0x{}", hex::encode(keccak256(&raw)));
                    known.get_mut(&hash).expect("one of ours").2 = true;
                    format!("\"{hash}\"")
                }
                "eth_getTransactionByHash" => {
                    known.get(parameter).filter(|known| known.2).map_or("null".to_owned(), |known| known.0.clone())
                }
                "eth_getTransactionReceipt" => {
                    known.get(parameter).filter(|known| known.2).map_or("null".to_owned(), |known| known.1.clone())
                }
                _ => "\"0x0\"".to_owned(),
            }
        };
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{result}}}");
        state.now.fetch_sub(1, Ordering::SeqCst);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = None;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
    }
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

/// The bare client: so many threads that post each payload once over a connection of their own, and look at nothing.
fn post_all(url: &str, payloads: &[Signed], threads: usize) -> Duration {
    let address = url.trim_start_matches("http://").to_owned();
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let stream = TcpStream::connect(&address).expect("the node");
                stream.set_nodelay(true).expect("a socket");
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                let mut stream = stream;
                while let Some(signed) = payloads.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let raw = hex::encode(signed.transactions()[0].raw());
                    let body = format!(
                        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x{raw}\"]}}"
                    );
                    let head = format!("POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    stream.write_all(head.as_bytes()).expect("sent");
                    read_request(&mut reader).expect("an answer");
                }
            });
        }
    });
    started.elapsed()
}

/// Runs a command of the relay. Gives how long it took and the most memory that it had (VmHWM).
fn relay(arguments: &[&str]) -> (Duration, u64) {
    let started = Instant::now();
    let mut run = Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the relay runs");
    let status = format!("/proc/{}/status", run.id());
    let mut most = 0;
    let code = loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|digits| digits.parse().ok());
            most = most.max(kib.unwrap_or(0));
        }
        if let Some(code) = run.try_wait().expect("asked") {
            break code;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(code.success(), "the relay ended with {code}");
    (started.elapsed(), most)
}

fn per_second(count: usize, took: Duration) -> f64 {
    ratio(u64::try_from(count).expect("small"), 1) / took.as_secs_f64()
}

fn main() {
    let sizes: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000] } else { sizes };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    println!("throughput: payloads a second against a node that does nothing\n");
    println!(
        "| payloads | an answer takes | at the same time | relay | bare client | ratio | calls a payload | in flight, mean / most |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut memory = String::from("| rows | broadcast, VmHWM | status --json, VmHWM | journal |\n|---|---|---|---|\n");
    for size in sizes {
        let payloads = payloads(size);
        let node = Node::start(&payloads);
        let (document, journal) = (folder.join(format!("bench-{size}.jsonl")), folder.join(format!("bench-{size}.db")));
        let text = payloads.iter().fold(String::new(), |mut text, signed| {
            let _ = writeln!(text, "{}", signed.to_json());
            text
        });
        std::fs::write(&document, text).expect("written");
        let plain = |path: &Path| path.to_str().expect("a plain path").to_owned();
        let ways = if size <= 1_000 { vec![(1, 0), (8, 0), (32, 0), (8, 20), (32, 20)] } else { vec![(8, 0)] };
        for (parallel, delay) in ways {
            node.state.delay.store(delay, Ordering::SeqCst);
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{end}", plain(&journal)));
            }
            node.forget();
            node.counts();
            // Before and after: the machine is not alone.
            let before = post_all(&node.url, &payloads, parallel);
            node.forget();
            node.counts();
            let threads = parallel.to_string();
            let (document, journal) = (plain(&document), plain(&journal));
            let (took, most) =
                relay(&["broadcast", &document, "--l1", &node.url, "--journal", &journal, "--parallel", &threads]);
            let (mean, in_flight, calls) = node.counts();
            let bare = (before + post_all(&node.url, &payloads, parallel)) / 2;
            let (ours, theirs) = (per_second(payloads.len(), took), per_second(payloads.len(), bare));
            println!(
                "| {size} | {delay} ms | {parallel} | {ours:.0} | {theirs:.0} | {:.3} | {:.1} | {mean:.1} / {in_flight} |",
                ours / theirs,
                ratio(calls, size)
            );
            if (parallel, delay) == (8, 0) {
                let (_, read) = relay(&["status", "--json", "--journal", &journal]);
                let bytes = std::fs::metadata(&journal).expect("a journal").len();
                let _ = writeln!(memory, "| {size} | {most} KiB | {read} KiB | {} MiB |", bytes >> 20);
            }
        }
        let _ = std::fs::remove_file(document);
        let _ = std::fs::remove_file(journal);
    }
    println!("\nmemory\n\n{memory}");
}
