//! The receipt of an L2 transaction, with what a proof needs: its place in a batch, its messages, and its logs to L1.
//!
//! EraVM nodes write camelCase and place a transaction in its batch (`l1BatchNumber`, `l1BatchTxIndex`); ZKsync OS nodes write
//! the logs' members in snake_case and number the transaction in its block, which is its batch.

#![allow(clippy::option_option)] // no value of the type, or one that says: nothing yet

use coldbridge::abi::{self, ParamType, Token};
use coldbridge::hash::keccak256;
use coldbridge::{Address, TxHash};
use serde_json::Value;

use crate::answer::{Log, Status, address, bytes, quantity, word};
use crate::contract::word_of;
use crate::number::{address_of, count};

/// `L1Messenger` and `BOOTLOADER_FORMAL_ADDRESS`: who sends messages and status logs.
pub const L1_MESSENGER: Address = system(0x08);
const BOOTLOADER: Address = system(0x01);
/// What the messenger emits for each message; it also emits L2ToL1LogSent for each log.
const L1_MESSAGE_SENT: &str = "L1MessageSent(address,bytes32,bytes)";

const fn system(low: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[18] = 0x80;
    bytes[19] = low;
    Address::from_bytes(bytes)
}

/// A receipt.
#[derive(Debug, PartialEq, Eq)]
pub struct L2Receipt {
    hash: TxHash,
    /// Whether it did what it was meant to.
    pub status: Status,
    /// `blockNumber`
    pub block_number: u64,
    /// `l1BatchNumber`; none before it is in a batch, and where the node knows no batches.
    pub batch_number: Option<u64>,
    tx_number_in_batch: Option<u16>,
    logs: Vec<Log>,
    l2_to_l1_logs: Vec<L2ToL1Log>,
}

/// One of `l2ToL1Logs`.
#[derive(Debug, PartialEq, Eq)]
struct L2ToL1Log {
    sender: Address,
    name: [u8; 32],
    value: [u8; 32],
    tx_number: Option<u16>,
}

/// A log of the transaction that L1 can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provable {
    /// Its position among all logs to L1 of the transaction: what the node is asked by.
    pub index: usize,
    /// The transaction's number in its batch; none before it is in one.
    pub tx_number_in_batch: Option<u16>,
}

/// A message to L1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Who sent it: the event's first topic.
    pub sender: Address,
    /// Its bytes.
    pub message: Vec<u8>,
    /// Its log.
    pub log: Provable,
}

/// Why a receipt does not hold together.
pub type Contradiction = &'static str;

impl L2Receipt {
    /// Reads a receipt, or nothing where there is none yet.
    pub fn read_optional(answer: &Value) -> Option<Option<Self>> {
        if answer.is_null() || answer.get("blockHash").is_none_or(Value::is_null) {
            return Some(None);
        }
        Self::read(answer).map(Some)
    }

    fn read(answer: &Value) -> Option<Self> {
        let logs = answer.get("l2ToL1Logs").or_else(|| answer.get("l2_to_l1_logs"));
        Some(Self {
            hash: TxHash(word(answer.get("transactionHash")?)?),
            status: match answer.get("status")?.as_str()? {
                "0x1" => Status::Succeeded,
                "0x0" => Status::Reverted,
                _ => return None,
            },
            block_number: count(answer.get("blockNumber")?)?,
            batch_number: optional(answer, &["l1BatchNumber"], count)?,
            tx_number_in_batch: optional(answer, &["l1BatchTxIndex"], small)?,
            logs: answer.get("logs")?.as_array()?.iter().map(Log::read).collect::<Option<_>>()?,
            l2_to_l1_logs: logs?.as_array()?.iter().map(L2ToL1Log::read).collect::<Option<_>>()?,
        })
    }

    /// Whether it is the receipt of this transaction.
    pub fn is_of(&self, hash: TxHash) -> bool {
        self.hash == hash
    }

    /// The messages in their order, each with its log.
    ///
    /// # Errors
    /// A message that is not among the logs, or not the one whose hash was emitted.
    pub fn messages(&self) -> Result<Vec<Sent>, Contradiction> {
        let emitted = keccak256(L1_MESSAGE_SENT.as_bytes());
        let mut taken = Vec::new();
        let mut messages = Vec::new();
        for log in &self.logs {
            if log.address != L1_MESSENGER || log.topics.first() != Some(&emitted) {
                continue;
            }
            let [_, sender, hash] = log.topics.as_slice() else { return Err("a message's event has other topics") };
            let (sender, message) = address_of(*sender)
                .zip(message_of(&log.data))
                .ok_or("a message's event is not encoded as L1Messenger does")?;
            if keccak256(&message) != *hash {
                return Err("a message has not the hash that was emitted with it");
            }
            // The same message can be sent twice: each has a log of its own.
            let index = self
                .l2_to_l1_logs
                .iter()
                .enumerate()
                .position(|(at, log)| {
                    let is_it = (log.sender, log.name, log.value) == (L1_MESSENGER, word_of(sender), *hash);
                    is_it && !taken.contains(&at)
                })
                .ok_or("a message is not among the transaction's logs to L1")?;
            taken.push(index);
            messages.push(Sent { sender, message, log: self.provable(index)? });
        }
        Ok(messages)
    }

    /// The log that says how an L1 -> L2 transaction ended, and whether it failed; none for other transactions.
    ///
    /// # Errors
    /// A log that says something else than the receipt.
    pub fn status_log(&self) -> Result<Option<(Provable, Status)>, Contradiction> {
        let is_status = |log: &L2ToL1Log| (log.sender, log.name) == (BOOTLOADER, self.hash.0);
        let Some(index) = self.l2_to_l1_logs.iter().position(is_status) else { return Ok(None) };
        let mut success = [0; 32];
        success[31] = 1;
        let said = match self.l2_to_l1_logs.get(index).map(|log| log.value) {
            Some(value) if value == success => Status::Succeeded,
            Some(value) if value == [0; 32] => Status::Reverted,
            _ => return Err("the status log holds no status"),
        };
        if said != self.status {
            return Err("the status log says something else than the receipt");
        }
        Ok(Some((self.provable(index)?, said)))
    }

    fn provable(&self, index: usize) -> Result<Provable, Contradiction> {
        let of_log = self.l2_to_l1_logs.get(index).and_then(|log| log.tx_number);
        match (of_log, self.tx_number_in_batch) {
            (Some(log), Some(receipt)) if log != receipt => {
                Err("the log and the receipt number the transaction differently")
            }
            (log, receipt) => Ok(Provable { index, tx_number_in_batch: log.or(receipt) }),
        }
    }
}

impl L2ToL1Log {
    fn read(answer: &Value) -> Option<Self> {
        Some(Self {
            sender: address(answer.get("sender")?)?,
            name: word(answer.get("key")?)?,
            value: word(answer.get("value")?)?,
            tx_number: optional(answer, &["txIndexInL1Batch", "tx_number_in_block", "txNumberInBlock"], small)?,
        })
    }
}

/// A member that may be absent or null, under the first of its names; none at all where it is not of its type.
fn optional<T>(answer: &Value, names: &[&str], decode: fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match names.iter().find_map(|name| answer.get(*name)) {
        None | Some(Value::Null) => Some(None),
        Some(value) => decode(value).map(Some),
    }
}

/// A number below 2^16, in hex or, as ZKsync OS writes it, plain.
fn small(value: &Value) -> Option<u16> {
    value.as_u64().or_else(|| quantity(value)).and_then(|number| u16::try_from(number).ok())
}

fn message_of(data: &[u8]) -> Option<Vec<u8>> {
    match abi::decode(&[ParamType::Bytes], data)?.pop()? {
        Token::Bytes(message) => Some(message),
        _ => None,
    }
}

/// The answer to `zks_getL2ToL1LogProof`.
#[derive(Debug, PartialEq, Eq)]
pub struct LogProof {
    /// The words, the first of which may describe the others.
    pub words: Vec<[u8; 32]>,
    /// The leaf's index among all logs of the batch.
    pub id: u64,
    /// The batch, where the node says it.
    pub batch_number: Option<u64>,
}

impl LogProof {
    /// Reads it, or nothing where there is none yet.
    pub fn read_optional(answer: &Value) -> Option<Option<Self>> {
        if answer.is_null() {
            return Some(None);
        }
        let plain = |value: &Value| value.as_u64().or_else(|| count(value));
        word(answer.get("root")?)?;
        Some(Some(Self {
            words: answer.get("proof")?.as_array()?.iter().map(word).collect::<Option<_>>()?,
            id: plain(answer.get("id")?)?,
            batch_number: optional(answer, &["batchNumber", "batch_number"], plain)?,
        }))
    }
}

/// The call that an L2 transaction made.
#[derive(Debug, PartialEq, Eq)]
pub struct L2Transaction {
    /// `to`
    pub to: Option<Address>,
    /// `input`
    pub input: Vec<u8>,
}

impl L2Transaction {
    /// Reads it, or nothing where there is none.
    pub fn read_optional(answer: &Value) -> Option<Option<Self>> {
        if answer.is_null() {
            return Some(None);
        }
        let to = optional(answer, &["to"], address)?;
        Some(Some(Self { to, input: bytes(answer.get("input")?)? }))
    }
}
