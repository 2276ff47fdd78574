//! Reading contracts: getters, storage words, and what a call that reverts says.
//!
//! Every read is of the latest block. A getter returns exactly its words: an empty answer is an address without that
//! contract.

use coldbridge::abi::selector;
use coldbridge::refusal::contract_error;
use coldbridge::{Address, Code, Refusal};
use serde_json::{Value, json};

use crate::answer::{bytes, word};
use crate::quorum::Quorum;
use crate::rpc::NodeError;

/// JSON-RPC's "method not found", and what providers answer in its place.
const METHOD_NOT_FOUND: &[i64] = &[-32601, -32004];
/// geth's code for a call that reverts.
const REVERTED: i64 = 3;

/// A contract that is read.
#[derive(Clone, Copy)]
pub struct Contract<'a> {
    /// The nodes.
    pub nodes: &'a Quorum,
    /// Its name in messages.
    pub name: &'static str,
    /// Where it is.
    pub address: Address,
}

impl Contract<'_> {
    /// The word that a getter returns.
    ///
    /// # Errors
    /// `relay.answer` where it returns something else or reverts.
    pub fn word(&self, signature: &str, arguments: &[[u8; 32]]) -> Result<[u8; 32], Refusal> {
        match self.try_word(signature, arguments)? {
            Some(word) => Ok(word),
            None => Err(self.strange(signature, "does not answer it")),
        }
    }

    /// The same for a getter that a contract of another version may lack.
    pub fn try_word(&self, signature: &str, arguments: &[[u8; 32]]) -> Result<Option<[u8; 32]>, Refusal> {
        let returned = self.call(signature, arguments, bytes)?;
        match returned {
            Err(_) => Ok(None),
            Ok(returned) if returned.is_empty() => Ok(None),
            Ok(returned) => match returned.try_into() {
                Ok(word) => Ok(Some(word)),
                Err(_) => Err(self.strange(signature, "returns more or less than one word")),
            },
        }
    }

    /// Whatever a function returns, raw; what it reverts with counts as returned, as for a Solidity `staticcall` whose success
    /// is not looked at.
    pub fn raw(&self, signature: &str) -> Result<Vec<u8>, Refusal> {
        Ok(match self.call(signature, &[], bytes)? {
            Ok(returned) => returned,
            Err(error) => revert_data(&error).unwrap_or_default(),
        })
    }

    fn call<T: PartialEq>(
        &self,
        signature: &str,
        arguments: &[[u8; 32]],
        decode: impl Fn(&Value) -> Option<T>,
    ) -> Result<Result<T, NodeError>, Refusal> {
        let data = [selector(signature).as_slice(), arguments.concat().as_slice()].concat();
        let call = json!({"to": self.address.to_string(), "data": hex_text(&data)});
        self.nodes.ask("eth_call", &json!([call, "latest"]), decode)
    }

    /// A word of its storage.
    pub fn storage(&self, slot: u8) -> Result<[u8; 32], Refusal> {
        let params = json!([self.address.to_string(), format!("{slot:#x}"), "latest"]);
        self.nodes.read_as("eth_getStorageAt", &params, word)
    }

    /// The same where the node may not tell.
    pub fn try_storage(&self, slot: u8) -> Result<Option<[u8; 32]>, Refusal> {
        let params = json!([self.address.to_string(), format!("{slot:#x}"), "latest"]);
        Ok(self.nodes.ask("eth_getStorageAt", &params, word)?.ok())
    }

    /// The refusal of a contract that is not what it should be.
    pub fn strange(&self, signature: &str, what: &str) -> Refusal {
        let problem = format!(
            "{signature} of the {} {} on {} ({}): it {what}",
            self.name,
            self.address,
            self.nodes.layer(),
            self.nodes.hosts()
        );
        Refusal::new(Code::RELAY_ANSWER, "", problem, "check that the endpoint serves that chain, or use another one")
    }
}

/// Whether the node lacks a method.
pub fn is_missing(error: &NodeError) -> bool {
    let message = error.message.to_lowercase();
    error.code.is_some_and(|code| METHOD_NOT_FOUND.contains(&code))
        || ["method not found", "unsupported method", "method not supported"]
            .iter()
            .any(|words| message.contains(words))
}

/// Whether a call was executed and reverted, as opposed to not executed.
pub fn is_revert(error: &NodeError) -> bool {
    error.code == Some(REVERTED)
        || revert_data(error).is_some_and(|data| !data.is_empty())
        || error.message.to_lowercase().contains("execution reverted")
}

/// What a revert says: the contract's error by its name where it is known, else its selector, else the node's words.
pub fn revert_words(error: &NodeError) -> String {
    let Some(selector) = revert_data(error).and_then(|data| data.get(..4).map(hex_text)) else {
        return error.message.clone();
    };
    match contract_error::ALL.iter().find(|known| known.selector == selector) {
        Some(known) => format!("{} {selector}", known.signature),
        None => error.message.clone(),
    }
}

fn revert_data(error: &NodeError) -> Option<Vec<u8>> {
    // Some nodes wrap it: {"data": {"data": "0x..."}}.
    let data = error.data.as_ref()?;
    bytes(data).or_else(|| bytes(data.get("data")?))
}

/// Bytes as JSON-RPC writes them.
pub fn hex_text(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// A word that holds an address.
pub fn word_of(address: Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address.as_bytes());
    word
}

/// A word that holds a count.
pub fn word_of_count(count: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&count.to_be_bytes());
    word
}
