//! JSON-RPC over HTTP: the only file of the project that can reach a network.
//!
//! TLS, or plain HTTP to this machine. No redirects, no proxy from the environment, bounded bodies and times. An answer is
//! a claim: whoever asks checks its type, and what counts is looked up by our own hash.

use std::time::Duration;

use coldbridge::refusal::printable;
use coldbridge::{Address, Code, Layer, Refusal, Spelling, TxHash};
use serde_json::{Value, json};

/// The largest answer that is read.
const MAX_BODY: u64 = 8 * 1024 * 1024;
/// "Limit exceeded" (EIP-1474).
const LIMIT_EXCEEDED: i64 = -32005;
const TIMEOUT: Duration = Duration::from_secs(30);

/// A node.
pub struct Endpoint {
    layer: Layer,
    url: String,
    agent: ureq::Agent,
}

/// What a call came to, if it gave no result.
#[derive(Debug)]
pub enum CallError {
    /// No answer: the request may or may not have arrived.
    Transport(String),
    /// The node answered with an error.
    Answer(String),
}

impl Endpoint {
    /// A node at an address.
    ///
    /// # Errors
    /// `relay.network` for an address that is neither https nor http to this machine.
    pub fn new(layer: Layer, url: &str) -> Result<Self, Refusal> {
        if !is_allowed(url) {
            return Err(Refusal::new(
                Code::RELAY_NETWORK,
                "",
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
            .max_redirects_will_error(true)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .user_agent("coldbridge-relay")
            .build()
            .new_agent();
        Ok(Self { layer, url: url.to_owned(), agent })
    }

    /// The host, for messages: the path of an endpoint is often a secret.
    pub fn host(&self) -> String {
        printable(authority(&self.url))
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, CallError> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let transport = |error: &dyn std::fmt::Display| CallError::Transport(printable(&error.to_string()));
        let mut response = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .send(request)
            .map_err(|error| transport(&error))?;
        let status = response.status();
        let body =
            response.body_mut().with_config().limit(MAX_BODY).read_to_string().map_err(|error| transport(&error))?;
        let mut answer: Value = serde_json::from_str(&body)
            .map_err(|_| CallError::Transport(format!("HTTP {} and no JSON", status.as_u16())))?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
            let message: String = printable(message).chars().take(400).collect();
            // A node that is too busy has not judged the transaction: it is asked again like one that did not answer.
            let is_busy = status.as_u16() == 429 || error.get("code").and_then(Value::as_i64) == Some(LIMIT_EXCEEDED);
            return Err(if is_busy { CallError::Transport(message) } else { CallError::Answer(message) });
        }
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(CallError::Transport(format!("HTTP {} and no result", status.as_u16()))),
        }
    }

    /// A read: an error of the node is an error of the read.
    fn read(&self, method: &str, params: &Value) -> Result<Value, Refusal> {
        self.call(method, params).map_err(|error| self.unreachable(method, error))
    }

    /// The refusal of a call that gave no result.
    pub fn unreachable(&self, method: &str, error: CallError) -> Refusal {
        let (CallError::Transport(text) | CallError::Answer(text)) = error;
        Refusal::new(
            Code::RELAY_NETWORK,
            "",
            format!("{} of {} at {}: {text}", method, self.layer, self.host()),
            "check the endpoint and run the same command again: it sends nothing twice",
        )
    }

    /// The refusal of an answer of a wrong type.
    pub fn garbage(&self, method: &str, answer: &Value) -> Refusal {
        let shown: String = printable(&answer.to_string()).chars().take(120).collect();
        Refusal::new(
            Code::RELAY_ANSWER,
            "",
            format!("{method} of {} at {} answered {shown}", self.layer, self.host()),
            "use another endpoint",
        )
    }

    /// `eth_chainId`
    pub fn chain_id(&self) -> Result<u64, Refusal> {
        let answer = self.read("eth_chainId", &json!([]))?;
        quantity(&answer).ok_or_else(|| self.garbage("eth_chainId", &answer))
    }

    /// `eth_getTransactionCount` at the latest block: the first nonce that is not mined.
    pub fn mined_nonces(&self, account: Address) -> Result<u64, Refusal> {
        let answer = self.read("eth_getTransactionCount", &json!([account.to_string(), "latest"]))?;
        quantity(&answer).ok_or_else(|| self.garbage("eth_getTransactionCount", &answer))
    }

    /// `eth_getTransactionByHash`
    pub fn transaction(&self, hash: TxHash) -> Result<Option<Transaction>, Refusal> {
        let answer = self.read("eth_getTransactionByHash", &json!([hash.to_string()]))?;
        if answer.is_null() {
            return Ok(None);
        }
        Transaction::read(&answer).map(Some).ok_or_else(|| self.garbage("eth_getTransactionByHash", &answer))
    }

    /// `eth_getTransactionReceipt`
    pub fn receipt(&self, hash: TxHash) -> Result<Option<Receipt>, Refusal> {
        let answer = self.read("eth_getTransactionReceipt", &json!([hash.to_string()]))?;
        // A receipt without a block is not one yet.
        if answer.is_null() || answer.get("blockHash").is_none_or(Value::is_null) {
            return Ok(None);
        }
        Receipt::read(&answer).map(Some).ok_or_else(|| self.garbage("eth_getTransactionReceipt", &answer))
    }

    /// `eth_sendRawTransaction`: the hash that the node answers with, or its error.
    pub fn send(&self, raw: &[u8]) -> Result<Value, CallError> {
        self.call("eth_sendRawTransaction", &json!([format!("0x{}", hex::encode(raw))]))
    }
}

/// A transaction as a node tells it.
pub struct Transaction {
    /// `hash`
    pub hash: TxHash,
    /// `from`
    pub from: Address,
    /// `to`
    pub to: Option<Address>,
    /// `nonce`
    pub nonce: u64,
    /// `value`, in hex digits without leading zeros
    pub value: String,
    /// `input`
    pub input: Vec<u8>,
}

impl Transaction {
    fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            hash: TxHash(word(answer.get("hash")?)?),
            from: address(answer.get("from")?)?,
            to: match answer.get("to") {
                None | Some(Value::Null) => None,
                Some(to) => Some(address(to)?),
            },
            nonce: quantity(answer.get("nonce")?)?,
            value: answer.get("value")?.as_str()?.strip_prefix("0x")?.trim_start_matches('0').to_lowercase(),
            input: bytes(answer.get("input")?)?,
        })
    }
}

/// A receipt as a node tells it.
pub struct Receipt {
    /// `transactionHash`
    pub hash: TxHash,
    /// `from`
    pub from: Address,
    /// `blockNumber`
    pub block_number: u64,
    /// `blockHash`
    pub block_hash: [u8; 32],
    /// `status`
    pub status: Status,
    /// `gasUsed`
    pub gas_used: u64,
    /// `effectiveGasPrice`, where the node tells it
    pub effective_gas_price: Option<u128>,
    /// `logs`
    pub logs: Vec<Log>,
}

/// Whether a mined transaction did what it was meant to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0x1
    Succeeded,
    /// 0x0
    Reverted,
}

/// One log of a receipt.
pub struct Log {
    /// Who emitted it.
    pub address: Address,
    /// Its topics.
    pub topics: Vec<[u8; 32]>,
    /// Its data.
    pub data: Vec<u8>,
}

impl Receipt {
    fn read(answer: &Value) -> Option<Self> {
        let price = answer.get("effectiveGasPrice").and_then(Value::as_str).and_then(|text| text.strip_prefix("0x"));
        Some(Self {
            hash: TxHash(word(answer.get("transactionHash")?)?),
            from: address(answer.get("from")?)?,
            block_number: quantity(answer.get("blockNumber")?)?,
            block_hash: word(answer.get("blockHash")?)?,
            status: match answer.get("status")?.as_str()? {
                "0x1" => Status::Succeeded,
                "0x0" => Status::Reverted,
                _ => return None,
            },
            gas_used: quantity(answer.get("gasUsed")?)?,
            effective_gas_price: price.and_then(|digits| u128::from_str_radix(digits, 16).ok()),
            logs: answer.get("logs")?.as_array()?.iter().map(Log::read).collect::<Option<_>>()?,
        })
    }
}

impl Log {
    fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            address: address(answer.get("address")?)?,
            topics: answer.get("topics")?.as_array()?.iter().map(word).collect::<Option<_>>()?,
            data: bytes(answer.get("data")?)?,
        })
    }
}

fn quantity(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?.strip_prefix("0x")?).ok()
}

fn word(value: &Value) -> Option<[u8; 32]> {
    bytes(value)?.try_into().ok()
}

fn address(value: &Value) -> Option<Address> {
    Address::parse(&value.as_str()?.to_lowercase(), Spelling::AnyCase).ok()
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
}
