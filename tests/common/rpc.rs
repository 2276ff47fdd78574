//! The node's side of the socket: a JSON-RPC server in a thread, answers out of recorded exchanges, and a made-up L1 for any
//! network.

#![allow(clippy::disallowed_types)] // this is what the relay talks to

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::fixture;

/// What a node answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Result(Value),
    Error(Value),
    /// A body that need not be JSON-RPC.
    Body(String),
    HangUp,
}

impl Reply {
    pub fn error(code: i64, message: &str) -> Self {
        Self::Error(json!({"code": code, "message": message}))
    }

    pub fn missing() -> Self {
        Self::error(-32601, "Method not found")
    }

    fn body(self, id: &Value) -> Option<String> {
        match self {
            Self::Result(result) => Some(json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()),
            Self::Error(error) => Some(json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string()),
            Self::Body(body) => Some(body),
            Self::HangUp => None,
        }
    }
}

/// A node that listens. It ends with the test program.
pub struct Node {
    pub url: String,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Node {
    pub fn start(answer: impl Fn(&str, &Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                let (mut length, mut line) = (0, String::new());
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
                let reply = answer(&method, &request["params"]);
                seen.lock().expect("no panic").push((method, request["params"].clone()));
                if let Some(body) = reply.body(&request["id"]) {
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
                }
            }
        });
        Self { url, calls }
    }

    pub fn calls(&self) -> Vec<(String, Value)> {
        self.calls.lock().expect("no panic").clone()
    }

    pub fn asked(&self, method: &str) -> usize {
        self.params(method).len()
    }

    /// What it was asked, in lower case.
    pub fn params(&self, method: &str) -> Vec<Value> {
        self.calls().iter().filter(|(known, _)| known == method).map(|(_, params)| lower(params)).collect()
    }
}

struct Exchange {
    layer: String,
    method: String,
    params: Value,
    about: String,
    reply: Reply,
}

/// Recorded exchanges, in their order: a question is answered as it was the last time.
#[derive(Default)]
pub struct Recorded {
    exchanges: Vec<Exchange>,
    always: Vec<(&'static str, &'static str, Reply)>,
    asker: Option<String>,
}

/// The account of the recordings, whose key nobody published.
pub const ACTOR: &str = "0xAF2f7f00Dfdb610B5125b3DF25db98d80A120Bf7";

impl Recorded {
    /// The facts of the chains and then these flows.
    pub fn flows(names: &[&str]) -> Self {
        let mut recorded = Self::default();
        for name in ["eth_deposit_facts"].iter().chain(names) {
            for exchange in fixture("rpc_recorded", name).json["expect"]["exchanges"].as_array().expect("exchanges") {
                let text = |name: &str| exchange[name].as_str().unwrap_or_default().to_owned();
                recorded.exchanges.push(Exchange {
                    layer: text("layer"),
                    method: text("method"),
                    params: lower(&exchange["params"]),
                    about: text("about"),
                    reply: match exchange.get("error") {
                        Some(error) => Reply::Error(error.clone()),
                        None => Reply::Result(exchange["result"].clone()),
                    },
                });
            }
        }
        recorded
    }

    /// Only what happened up to the last exchange about something.
    pub fn until(mut self, about: &str) -> Self {
        let last = self.exchanges.iter().rposition(|exchange| exchange.about == about);
        self.exchanges.truncate(last.unwrap_or_else(|| panic!("nothing is about {about:?}")) + 1);
        self
    }

    /// The same story with another account in the recorded one's place.
    pub fn of_account(mut self, account: &str) -> Self {
        let (from, to) = (&ACTOR.to_lowercase()[2..], &account.to_lowercase()[2..]);
        let renamed = |value: &Value| {
            let text = value.to_string().replace(&ACTOR[2..], &account[2..]).replace(from, to);
            serde_json::from_str::<Value>(&text).expect("still JSON")
        };
        for exchange in &mut self.exchanges {
            exchange.params = renamed(&exchange.params);
            exchange.reply = match &exchange.reply {
                Reply::Result(value) => Reply::Result(renamed(value)),
                other => other.clone(),
            };
        }
        self
    }

    /// Another account asks what the recorded one asked.
    pub fn asked_by(mut self, account: &str) -> Self {
        self.asker = Some(account.to_lowercase()[2..].to_owned());
        self
    }

    /// An answer to a method, whatever was recorded.
    pub fn always(&mut self, layer: &'static str, method: &'static str, reply: Reply) {
        self.always.push((layer, method, reply));
    }

    pub fn answer(&self, layer: &str, method: &str, params: &Value) -> Option<Reply> {
        if let Some((.., reply)) = self.always.iter().find(|row| (row.0, row.1) == (layer, method)) {
            return Some(reply.clone());
        }
        let mut params = lower(params);
        if let Some(asker) = &self.asker {
            let text = params.to_string().replace(asker, &ACTOR.to_lowercase()[2..]);
            params = serde_json::from_str(&text).expect("still JSON");
        }
        let known = self
            .exchanges
            .iter()
            .rev()
            .find(|exchange| exchange.layer == layer && exchange.method == method && exchange.params == params);
        known.map(|exchange| exchange.reply.clone())
    }

    /// The answer of an exchange.
    pub fn result(&self, layer: &str, method: &str, about: &str) -> Value {
        let found = self
            .exchanges
            .iter()
            .find(|exchange| exchange.layer == layer && exchange.method == method && exchange.about == about);
        match found.map(|exchange| &exchange.reply) {
            Some(Reply::Result(value)) => value.clone(),
            other => panic!("{method} about {about:?}: {other:?}"),
        }
    }

    /// The parameters of an exchange, as they were recorded but for the case of letters.
    pub fn params(&self, layer: &str, method: &str, about: &str) -> Value {
        let found = self
            .exchanges
            .iter()
            .find(|exchange| exchange.layer == layer && exchange.method == method && exchange.about == about);
        found.unwrap_or_else(|| panic!("no {method} about {about:?}")).params.clone()
    }
}

/// The same with every text in lower case: nodes do not care how an address is spelt.
pub fn lower(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.to_lowercase()),
        Value::Array(items) => Value::Array(items.iter().map(lower).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), lower(value))).collect())
        }
        other => other.clone(),
    }
}
