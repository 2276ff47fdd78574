//! The receipt document: a change of state of a payload.

use coldbridge::Json;
use coldbridge::refusal::printable;

use crate::answer::Receipt;
use crate::payload::Payload;
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
    ])
}
