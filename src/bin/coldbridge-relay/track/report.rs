//! What is told of one transaction: the track document, and its line for people.

use coldbridge::refusal::printable;
use coldbridge::{Json, Layer, Network, TxHash};

use crate::answer::Receipt;

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/track/1";

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// No node knows it.
    Unknown,
    /// A node knows it; it is in no block.
    Pending,
    /// It is in a block and failed.
    Reverted,
    /// It is in a block and did what it was meant to; what follows on the other layer has not happened yet.
    Included,
    /// A request to L2: executed there.
    Executed,
    /// A request to L2: failed there.
    Failed,
    /// A message to L1: its batch is executed there, it can be finalized.
    ProofReady,
    /// A message to L1: finalized there.
    Finalized,
    /// It is in a block, did what it was meant to, and nothing follows.
    Done,
}

impl Stage {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Reverted => "reverted",
            Self::Included => "included",
            Self::Executed => "executed",
            Self::Failed => "failed",
            Self::ProofReady => "proofReady",
            Self::Finalized => "finalized",
            Self::Done => "done",
        }
    }
}

/// One message to L1.
#[derive(Debug, Clone)]
pub struct Message {
    /// Which of the transaction's messages.
    pub index: u64,
    /// Its batch.
    pub batch_number: Option<u64>,
    /// Its position among all logs of the batch.
    pub place_in_batch: Option<u64>,
    /// How far it has come: included, proofReady or finalized.
    pub stage: Stage,
}

/// What is told.
pub struct Report<'a> {
    pub network: &'a Network,
    pub layer: Layer,
    pub hash: TxHash,
    pub intent_id: Option<&'a str>,
    pub purpose: Option<&'a str>,
    pub stage: Stage,
    pub receipt: Option<Receipt>,
    /// The L2 transaction that a request became, and its block.
    pub l2_hash: Option<TxHash>,
    pub l2_block: Option<u64>,
    pub messages: Vec<Message>,
    /// What it means and what to do.
    pub message: Option<String>,
}

impl<'a> Report<'a> {
    /// Of a transaction that nothing is known of.
    pub fn new(network: &'a Network, layer: Layer, hash: TxHash) -> Self {
        let (stage, messages) = (Stage::Unknown, Vec::new());
        let (intent_id, purpose, receipt, l2_hash, l2_block, message) = (None, None, None, None, None, None);
        Self { network, layer, hash, intent_id, purpose, stage, receipt, l2_hash, l2_block, messages, message }
    }

    /// The document.
    pub fn to_json(&self) -> Json {
        let count = |count: Option<u64>| count.map_or(Json::Null, Json::count);
        let text = |text: Option<&str>| text.map_or(Json::Null, |text| Json::text(printable(text)));
        let receipt = self.receipt.as_ref();
        let messages = self.messages.iter().map(|message| {
            Json::object([
                ("index", Json::count(message.index)),
                ("l2BatchNumber", count(message.batch_number)),
                ("l2MessageIndex", count(message.place_in_batch)),
                ("stage", Json::text(message.stage.name())),
            ])
        });
        Json::object([
            ("schema", Json::text(SCHEMA)),
            ("intentId", text(self.intent_id)),
            ("network", Json::text(self.network.name.as_str())),
            ("layer", Json::text(self.layer.name())),
            ("purpose", text(self.purpose)),
            ("hash", Json::display(self.hash)),
            ("stage", Json::text(self.stage.name())),
            ("blockNumber", count(receipt.map(|receipt| receipt.block_number))),
            ("blockHash", receipt.map_or(Json::Null, |receipt| Json::bytes(receipt.block_hash))),
            ("l2TxHash", self.l2_hash.map_or(Json::Null, Json::display)),
            ("l2BlockNumber", count(self.l2_block)),
            ("messages", Json::Array(messages.collect())),
            ("message", text(self.message.as_deref())),
        ])
    }

    /// Lines for a person.
    pub fn to_text(&self) -> String {
        let what = self.purpose.unwrap_or("transaction");
        let intent = self.intent_id.map_or(String::new(), |id| format!("  ({id})"));
        let mut lines =
            vec![format!("{:11} {what} on {} of {}{intent}", self.stage.name(), self.layer, self.network.name)];
        lines.push(format!("            {}", self.hash));
        if let Some(receipt) = &self.receipt {
            lines.push(format!("            in block {}", receipt.block_number));
        }
        if let Some(hash) = self.l2_hash {
            let block = self.l2_block.map_or("not there yet".to_owned(), |block| format!("block {block}"));
            lines.push(format!("            on L2 {hash}, {block}"));
        }
        for message in &self.messages {
            let place = match (message.batch_number, message.place_in_batch) {
                (Some(batch), Some(index)) => format!(" (batch {batch}, index {index})"),
                (Some(batch), None) => format!(" (batch {batch})"),
                _ => String::new(),
            };
            lines.push(format!("            message {}: {}{place}", message.index, message.stage.name()));
        }
        lines.extend(self.message.iter().map(|message| format!("            {message}")));
        lines.iter().map(|line| format!("{}\n", printable(line))).collect()
    }
}
