//! JSON-RPC over HTTP: the only file of the project that can reach a network.
//!
//! TLS, or plain HTTP to this machine. No redirects, no proxy from the environment, bounded bodies, times and retries. An
//! answer is a claim: whoever asks checks its type, and what counts is looked up by our own hash. The address of an endpoint
//! often holds a secret: of it only the host is ever told.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use coldbridge::refusal::printable;
use coldbridge::{Code, Layer, Refusal};
use serde_json::{Value, json};

/// The largest answer that is read.
const MAX_BODY: u64 = 8 * 1024 * 1024;
/// The longest text of a node that is passed on.
const MAX_TEXT: usize = 400;
/// "Limit exceeded" (EIP-1474), and the HTTP status that some nodes give as a code.
const BUSY_CODES: &[i64] = &[-32005, 429];
const BUSY_STATUS: &[u16] = &[429, 503];
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A node that wants to be left alone for longer is given up.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The shortest part of an address that can be a secret.
const SHORTEST_SECRET: usize = 6;

/// How long and how often a node is asked.
#[derive(Clone, Copy)]
pub struct Limits {
    /// For one exchange, from resolving the name to the last byte.
    pub timeout: Duration,
    /// After the first attempt that came to nothing.
    pub retries: u32,
    /// Connections that are kept open.
    pub connections: usize,
}

/// How patient one call is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// All retries.
    Full,
    /// One attempt: there are other nodes to ask.
    Once,
}

/// A node.
pub struct Endpoint {
    layer: Layer,
    url: String,
    agent: ureq::Agent,
    limits: Limits,
    is_failing: AtomicBool,
    /// When a node that was too busy may be asked again, by any thread.
    busy_until: Mutex<Option<Instant>>,
}

/// What a node answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// `result`
    Result(Value),
    /// `error`
    Error(NodeError),
}

/// An error that the node itself gave.
#[derive(Debug, Clone)]
pub struct NodeError {
    /// `code`, where it is a number.
    pub code: Option<i64>,
    /// `message` and, where it is a text, `data`: printable, and not long.
    pub message: String,
    /// `data`: of a call that reverted, what the contract said.
    pub data: Option<Value>,
}

/// Why there is no answer. The request may or may not have arrived.
#[derive(Debug, Clone)]
pub struct Lost {
    code: Code,
    text: String,
}

impl Lost {
    /// A thread of ours that did not come back.
    pub fn bug() -> Self {
        Self { code: Code::BUG, text: "the call was not finished".to_owned() }
    }
}

/// One attempt that came to nothing.
enum Failure {
    /// It may go better, after so long if the node said so.
    Again { text: String, wait: Option<Duration> },
    /// It will not.
    Final(Lost),
}

impl Endpoint {
    /// A node at an address, which stands at a place of a document or on the command line.
    ///
    /// # Errors
    /// `relay.network` for an address that is neither https nor http to this machine.
    pub fn new(layer: Layer, url: &str, at: &str, limits: Limits) -> Result<Self, Refusal> {
        if !is_allowed(url) {
            return Err(Refusal::new(
                Code::RELAY_NETWORK,
                at,
                format!(
                    "the {layer} endpoint at {} is neither https:// nor http:// to this machine",
                    printable(authority(url))
                ),
                "use an https endpoint: over plain http anybody on the way can answer in the node's place",
            ));
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(limits.timeout))
            .timeout_connect(Some(limits.timeout.min(CONNECT_TIMEOUT)))
            .max_idle_connections(limits.connections)
            .max_idle_connections_per_host(limits.connections)
            .user_agent("coldbridge-relay")
            .build()
            .new_agent();
        let (is_failing, busy_until) = (AtomicBool::new(false), Mutex::new(None));
        Ok(Self { layer, url: url.to_owned(), agent, limits, is_failing, busy_until })
    }

    /// The host, for messages: the path of an endpoint is often a secret.
    pub fn host(&self) -> String {
        printable(authority(&self.url))
    }

    /// Whether its last call came to nothing.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Calls a method, again and again with growing pauses if nothing comes back. Repeating is harmless: reads change nothing,
    /// and a send sends the same bytes.
    pub fn call(&self, method: &str, params: &Value, patience: Patience) -> Result<Answer, Lost> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let retries = if patience == Patience::Full { self.limits.retries } else { 0 };
        let mut pause = FIRST_PAUSE;
        let mut attempt = 0;
        let result = loop {
            self.wait_while_busy();
            let (text, wait) = match self.exchange(&request) {
                Ok(answer) => break Ok(answer),
                Err(Failure::Final(lost)) => break Err(lost),
                Err(Failure::Again { text, wait }) => (text, wait),
            };
            let is_too_long = wait.is_some_and(|wait| wait > LONGEST_RETRY_AFTER);
            if attempt >= retries || is_too_long {
                break Err(Lost { code: Code::RELAY_NETWORK, text });
            }
            attempt += 1;
            match wait {
                Some(wait) => self.busy(wait.max(pause)),
                None => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        self.is_failing.store(result.is_err(), Ordering::Relaxed);
        result
    }

    /// Remembers for all threads that the node wants a pause.
    fn busy(&self, wait: Duration) {
        if let Ok(mut until) = self.busy_until.lock() {
            let proposed = Instant::now() + wait;
            *until = Some(until.map_or(proposed, |known| known.max(proposed)));
        }
    }

    fn wait_while_busy(&self) {
        let until = self.busy_until.lock().ok().and_then(|until| *until);
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            std::thread::sleep(left);
        }
    }

    fn exchange(&self, request: &str) -> Result<Answer, Failure> {
        let lost = |error: &ureq::Error| Failure::Again { text: self.scrubbed(&told(error)), wait: None };
        let mut response = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .send(request)
            .map_err(|error| lost(&error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let is_busy = BUSY_STATUS.contains(&status);
        let wait = is_busy.then(|| Duration::from_secs(retry_after.unwrap_or_default()));
        let body = response.body_mut().with_config().limit(MAX_BODY).read_to_string().map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => self.garbage_body(&format!("more than {} MiB", MAX_BODY >> 20)),
            error => lost(&error),
        })?;
        if (300..400).contains(&status) {
            return Err(self.garbage_body(&format!("HTTP {status}, a redirect, which is not followed")));
        }
        let Ok(mut answer) = serde_json::from_str::<Value>(&body) else {
            // A server that is down or too busy answers with a page; one that is well does not speak JSON-RPC.
            return Err(if is_busy || status >= 400 {
                Failure::Again { text: format!("HTTP {status} and no JSON"), wait }
            } else {
                self.garbage_body(&format!("HTTP {status} and no JSON"))
            });
        };
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let error = self.node_error(error);
            let says_busy = is_busy || error.code.is_some_and(|code| BUSY_CODES.contains(&code));
            // A node that is too busy has not judged the transaction: it is asked again like one that did not answer.
            return if says_busy {
                Err(Failure::Again { text: error.message, wait: Some(wait.unwrap_or_default()) })
            } else {
                Ok(Answer::Error(error))
            };
        }
        if is_busy || status >= 400 {
            return Err(Failure::Again { text: format!("HTTP {status} and no error of JSON-RPC"), wait });
        }
        let is_ours = answer.get("id").is_none_or(|id| *id == json!(1));
        match answer.get_mut("result").filter(|_| is_ours) {
            Some(result) => Ok(Answer::Result(result.take())),
            None => Err(self.garbage_body(&format!("HTTP {status} and no result of this request"))),
        }
    }

    fn garbage_body(&self, text: &str) -> Failure {
        Failure::Final(Lost { code: Code::RELAY_ANSWER, text: self.scrubbed(text) })
    }

    fn node_error(&self, error: &Value) -> NodeError {
        let data = error.get("data").filter(|data| !data.is_null()).cloned();
        let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
        let told = match data.as_ref().and_then(Value::as_str).filter(|data| !message.contains(data)) {
            Some(data) => format!("{message} (data: {data})"),
            None => message.to_owned(),
        };
        NodeError { code: error.get("code").and_then(Value::as_i64), message: self.scrubbed(&told), data }
    }

    /// A text from outside: printable, not long, and without what may be a secret of the address.
    fn scrubbed(&self, text: &str) -> String {
        let mut text = printable(text);
        for secret in secrets(&self.url) {
            text = text.replace(secret, "...");
        }
        text.chars().take(MAX_TEXT).collect()
    }

    /// The refusal of a call that gave no answer.
    pub fn unreachable(&self, method: &str, lost: &Lost) -> Refusal {
        let problem = format!("{method} of {} at {}: {}", self.layer, self.host(), lost.text);
        let remedy = "check the endpoint and run the same command again: it sends nothing twice";
        Refusal::new(lost.code, "", problem, remedy)
    }

    /// The refusal of a read that the node answered with an error.
    pub fn failed(&self, method: &str, error: &NodeError) -> Refusal {
        self.unreachable(method, &Lost { code: Code::RELAY_NETWORK, text: error.message.clone() })
    }

    /// The refusal of an answer of a wrong type.
    pub fn garbage(&self, method: &str, answer: &Value) -> Refusal {
        Refusal::new(
            Code::RELAY_ANSWER,
            "",
            format!("{method} of {} at {} answered {}", self.layer, self.host(), self.shown(answer)),
            "use another endpoint",
        )
    }

    /// The beginning of an answer, to be told.
    pub fn shown(&self, answer: &Value) -> String {
        self.scrubbed(&answer.to_string()).chars().take(120).collect()
    }
}

/// What went wrong, in words that never hold the address.
fn told(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => "the address is no URL".to_owned(),
        ureq::Error::HostNotFound => "the host was not found".to_owned(),
        error => error.to_string(),
    }
}

/// The parts of an address that can be secrets: user and password, path segments, values of the query.
fn secrets(url: &str) -> Vec<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let parts = user.split(':').chain(path.split(['/', '?', '#', '&', '=']));
    parts.filter(|part| part.len() >= SHORTEST_SECRET).collect()
}

/// What stands between the scheme and the path, without user and password.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

fn is_allowed(url: &str) -> bool {
    if url.starts_with("https://") {
        return !authority(url).is_empty();
    }
    let authority = authority(url);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    url.starts_with("http://") && matches!(host, "localhost" | "127.0.0.1" | "::1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for url in ["https://rpc.example/key", "http://127.0.0.1:8545", "http://localhost", "http://[::1]:8545/"] {
            assert!(is_allowed(url), "{url}");
        }
        for url in [
            "http://rpc.example",
            "http://127.0.0.1.example/",
            "http://localhost@rpc.example/",
            "http://rpc.example/?http://localhost",
            "ftp://localhost",
            "localhost:8545",
            "https://",
            "http://127.0.0.2#@localhost",
        ] {
            assert!(!is_allowed(url), "{url}");
        }
        assert_eq!(authority("https://user:secret@rpc.example:8545/key?x=1"), "rpc.example:8545");
    }

    #[test]
    fn secrets_of_an_address_are_taken_out_of_every_text() {
        let url = "https://someone:passw0rd@rpc.example/v3/0123456789abcdef?token=topsecret";
        assert_eq!(secrets(url), ["someone", "passw0rd", "0123456789abcdef", "topsecret"]);
        let limits = Limits { timeout: Duration::from_secs(1), retries: 0, connections: 1 };
        let endpoint = Endpoint::new(Layer::L1, url, "", limits).expect("https");
        let page = "no such key 0123456789abcdef\u{1b}[2J (topsecret) of rpc.example";
        assert_eq!(endpoint.scrubbed(page), "no such key ...\\u{1b}[2J (...) of rpc.example");
        assert_eq!(endpoint.host(), "rpc.example");
    }
}
