//! What nodes answer, read into types: hex quantities, words, transactions and receipts.
//!
//! Members that nodes add are ignored, those that are used must be there and be well formed. The types compare what counts,
//! so that two honest nodes of different kinds agree.

use coldbridge::{Address, Spelling, TxHash};
use serde_json::Value;

/// A transaction as a node tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// An answer to `eth_getTransactionByHash` that is not null.
    pub fn read(answer: &Value) -> Option<Self> {
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The hosts that told it; empty until enough of them agreed.
    pub reported_by: Vec<String>,
}

/// Whether a mined transaction did what it was meant to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0x1
    Succeeded,
    /// 0x0
    Reverted,
}

/// One log of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Who emitted it.
    pub address: Address,
    /// Its topics.
    pub topics: Vec<[u8; 32]>,
    /// Its data.
    pub data: Vec<u8>,
}

impl Receipt {
    /// An answer to `eth_getTransactionReceipt` that is not null.
    pub fn read(answer: &Value) -> Option<Self> {
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
            reported_by: Vec::new(),
        })
    }

    /// Whether an answer tells of no receipt: null, or one without a block, which is none yet.
    pub fn is_absent(answer: &Value) -> bool {
        answer.is_null() || answer.get("blockHash").is_none_or(Value::is_null)
    }
}

impl Log {
    /// A log of a receipt.
    pub fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            address: address(answer.get("address")?)?,
            topics: answer.get("topics")?.as_array()?.iter().map(word).collect::<Option<_>>()?,
            data: bytes(answer.get("data")?)?,
        })
    }
}

/// A hex quantity that fits 64 bits.
pub fn quantity(value: &Value) -> Option<u64> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    // `from_str_radix` would take a sign.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, 16).ok())?
}

/// Bytes in hex.
pub fn bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?.strip_prefix("0x")?).ok()
}

/// 32 bytes in hex.
pub fn word(value: &Value) -> Option<[u8; 32]> {
    bytes(value)?.try_into().ok()
}

/// An address, however it is spelt.
pub fn address(value: &Value) -> Option<Address> {
    Address::parse(&value.as_str()?.to_lowercase(), Spelling::AnyCase).ok()
}

/// The same answer for comparing: hex in lower case, whoever spelt it.
pub fn normal(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("0x") => Value::String(text.to_lowercase()),
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), normal(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_are_plain_hex() {
        assert_eq!(quantity(&json!("0x1f")), Some(31));
        for wrong in [json!("1f"), json!("0x"), json!("0x+1"), json!("0x10000000000000000"), json!(31), json!(null)] {
            assert_eq!(quantity(&wrong), None, "{wrong}");
        }
    }
}
