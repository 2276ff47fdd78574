//! The receipt document: a change of state of a payload.

use coldbridge::Json;
use coldbridge::refusal::printable;

use crate::answer::Receipt;
use crate::payload::{Payload, Row};
use crate::state::State;

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/receipt/1";

/// What is known of a change beside the payload itself.
#[derive(Clone, Copy, Default)]
pub struct Details<'a> {
    /// The chain's receipt.
    pub receipt: Option<&'a Receipt>,
    /// The hash of the L2 transaction that it became.
    pub l2_hash: Option<&'a str>,
    /// What a node said.
    pub message: Option<&'a str>,
}

/// One line.
pub fn document(payload: &Payload<'_>, state: State, details: &Details<'_>) -> Json {
    let receipt = details.receipt;
    Json::object([
        ("schema", Json::text(SCHEMA)),
        ("intentId", payload.intent_id.as_deref().map_or(Json::Null, Json::text)),
        ("network", Json::text(payload.network.name.as_str())),
        ("layer", Json::text(payload.layer.name())),
        ("chainId", payload.transaction.chain_id().map_or(Json::Null, Json::count)),
        ("from", Json::display(payload.from)),
        ("nonce", Json::count(payload.nonce())),
        ("purpose", Json::text(payload.purpose.as_str())),
        ("hash", Json::display(payload.hash)),
        ("signingDigest", Json::display(payload.signing_digest)),
        ("state", Json::text(state.name())),
        ("blockNumber", receipt.map_or(Json::Null, |receipt| Json::count(receipt.block_number))),
        ("blockHash", receipt.map_or(Json::Null, |receipt| Json::bytes(receipt.block_hash))),
        ("gasUsed", receipt.map_or(Json::Null, |receipt| Json::count(receipt.gas_used))),
        (
            "effectiveGasPrice",
            receipt.and_then(|receipt| receipt.effective_gas_price).map_or(Json::Null, Json::display),
        ),
        ("l2TxHash", details.l2_hash.map_or(Json::Null, Json::text)),
        ("message", details.message.map_or(Json::Null, |message| Json::text(printable(message)))),
        (
            "reportedBy",
            receipt.map_or(Json::Null, |receipt| Json::Array(receipt.reported_by.iter().map(Json::display).collect())),
        ),
    ])
}

/// A row of the journal: what only the chain knows is null.
pub fn of_row(row: &Row) -> Json {
    let text = |text: &Option<String>| text.as_deref().map_or(Json::Null, |text| Json::text(printable(text)));
    Json::object([
        ("schema", Json::text(SCHEMA)),
        ("intentId", text(&row.intent_id)),
        ("network", Json::text(row.network.as_str())),
        ("layer", Json::text(row.layer.as_str())),
        ("chainId", Json::count(row.chain_id)),
        ("from", Json::text(row.sender.as_str())),
        ("nonce", Json::count(row.nonce)),
        ("purpose", Json::text(row.purpose.as_str())),
        ("hash", Json::text(row.hash.as_str())),
        ("signingDigest", Json::text(row.signing_digest.as_str())),
        ("state", Json::text(row.state.as_str())),
        ("blockNumber", row.block_number.map_or(Json::Null, Json::count)),
        ("blockHash", text(&row.block_hash)),
        ("gasUsed", Json::Null),
        ("effectiveGasPrice", Json::Null),
        ("l2TxHash", text(&row.l2_tx_hash)),
        ("message", text(&row.message)),
        ("reportedBy", Json::Null),
    ])
}
