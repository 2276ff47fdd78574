//! Gas limits of transactions, estimated by the node, with a margin, and not below what was measured.
//!
//! The same deposit costs 203,000 to 263,000 gas on L1, because the priority tree grows a level now and then, the first of a
//! token up to 541,000 (measured on the real v29 contracts): an estimate of this block is no promise for the next one.

use coldbridge::operation::deposit::{LEGACY_DEPOSIT, REQUEST_L2_TRANSACTION_TWO_BRIDGES};
use coldbridge::operation::mailbox::REQUEST_L2_TRANSACTION_DIRECT;
use coldbridge::operation::request_execute::REQUEST_L2_TRANSACTION;
use coldbridge::transaction::Transaction;
use coldbridge::{Address, Code, Layer, Refusal};
use serde_json::{Map, Value, json};

use crate::contract::{hex_text, is_revert};
use crate::prepare::facts::Choices;
use crate::prepare::way::would_revert;
use crate::quorum::Quorum;

/// EIP-7825: the most that one transaction may have.
pub const L1_CAP: u64 = 1 << 24;
const DIRECT_FLOOR: u64 = 350_000;
const BRIDGE_FLOOR: u64 = 700_000;
/// Finalizing and claiming took 148,000 to 192,000 on the real v29 contracts.
const PROOF_FLOOR: u64 = 300_000;
/// Approving took 46,000.
const APPROVAL_FLOOR: u64 = 70_000;
/// What any other call gets whose approvals are not mined yet.
const WAITING: u64 = 1_000_000;
/// Each byte of a request is paid for as calldata and as a log.
const BYTE_OF_REQUEST: u64 = 40;

/// What the nodes make of a transaction.
pub enum Estimate {
    /// It would take so much.
    Gas(u64),
    /// The node does not tell, for example because the account can not pay for it yet.
    Unknown(String),
}

/// Asks `eth_estimateGas`.
///
/// # Errors
/// `relay.would_revert` where the contract reverts.
pub fn estimate(nodes: &Quorum, from: Address, transaction: &Transaction, what: &str) -> Result<Estimate, Refusal> {
    let params = json!([call_object(from, transaction)]);
    match nodes.gas("eth_estimateGas", &params)? {
        Ok(gas) => Ok(Estimate::Gas(gas)),
        Err(error) if is_revert(&error) => Err(would_revert(nodes, what, &error)),
        Err(error) => Ok(Estimate::Unknown(error.message)),
    }
}

/// A transaction as a call of JSON-RPC.
pub fn call_object(from: Address, transaction: &Transaction) -> Value {
    let mut call = Map::new();
    let mut put = |name: &str, value: String| call.insert(name.to_owned(), Value::String(value));
    put("from", from.to_string());
    if let Some(to) = transaction.to() {
        put("to", to.to_string());
    }
    put("value", format!("{:#x}", transaction.value().get()));
    put("data", hex_text(transaction.data()));
    match transaction {
        Transaction::Legacy(tx) => put("gasPrice", format!("{:#x}", tx.gas_price.get())),
        Transaction::Eip2930(tx) => put("gasPrice", format!("{:#x}", tx.gas_price.get())),
        Transaction::Eip1559(tx) => {
            put("maxFeePerGas", format!("{:#x}", tx.max_fee_per_gas.get()));
            put("maxPriorityFeePerGas", format!("{:#x}", tx.max_priority_fee_per_gas.get()))
        }
        Transaction::Eip712(_) => None,
    };
    Value::Object(call)
}

/// The gas limit of a plan's main transaction on L1.
pub fn main_limit(
    nodes: &Quorum,
    from: Address,
    transaction: &Transaction,
    purpose: &str,
    waits_for_approvals: bool,
    choices: &Choices,
    remarks: &mut Vec<String>,
) -> Result<u64, Refusal> {
    if let Some(limit) = choices.gas_limit {
        return Ok(limit);
    }
    let floor = floor(nodes.layer(), purpose, transaction.data()).or(waits_for_approvals.then_some(WAITING));
    let estimate = if waits_for_approvals {
        Estimate::Unknown("its approvals are not mined yet".to_owned())
    } else {
        estimate(nodes, from, transaction, purpose)?
    };
    match (estimate, floor) {
        (Estimate::Gas(gas), floor) => Ok(bounded(nodes.layer(), gas, choices).max(floor.unwrap_or_default())),
        (Estimate::Unknown(why), Some(floor)) => {
            remarks.push(format!(
                "the gas of {purpose} could not be estimated ({why}): {floor} is more than such calls took"
            ));
            Ok(floor)
        }
        (Estimate::Unknown(why), None) => Err(Refusal::new(
            Code::RELAY_NO_ESTIMATE,
            "/facts/transaction/gasLimit",
            format!("{} does not estimate the gas of {purpose}: {why}", nodes.hosts()),
            "mend what it names, or state --gas-limit yourself",
        )),
    }
}

/// The gas limit that every approval of a plan gets. Plans before it may change what is allowed of a token.
pub fn approval_limit(
    nodes: &Quorum,
    from: Address,
    approvals: &[&Transaction],
    is_changed: impl Fn(Option<Address>) -> bool,
    choices: &Choices,
    remarks: &mut Vec<String>,
) -> Result<Option<u64>, Refusal> {
    let mut limit = None;
    for (index, approval) in approvals.iter().enumerate() {
        let earlier = approvals.iter().take(index).any(|other| other.to() == approval.to());
        let gas = match estimate(nodes, from, approval, "approve") {
            Ok(Estimate::Gas(gas)) => bounded(nodes.layer(), gas, choices),
            // A token that takes only approve(0) at first says no to the second one as long as the first is not mined.
            Err(_) if earlier || is_changed(approval.to()) => 0,
            Err(refusal) => return Err(refusal),
            Ok(Estimate::Unknown(why)) => {
                remarks
                    .push(format!("the gas of an approval could not be estimated ({why}): {APPROVAL_FLOOR} is usual"));
                0
            }
        };
        limit = limit.max(Some(gas.max(APPROVAL_FLOOR)));
    }
    Ok(limit)
}

/// An estimate with its margin, which does not carry it over the cap.
fn bounded(layer: Layer, gas: u64, choices: &Choices) -> u64 {
    let wanted = choices.with_margin(gas);
    if layer == Layer::L1 { wanted.min(L1_CAP.max(gas)) } else { wanted }
}

fn floor(layer: Layer, purpose: &str, data: &[u8]) -> Option<u64> {
    let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
    let of_request = |floor: u64| floor.saturating_add(length.saturating_sub(1024).saturating_mul(BYTE_OF_REQUEST));
    let starts_with = |selector: [u8; 4]| data.starts_with(&selector);
    match (layer, purpose) {
        (Layer::L2, _) => None,
        _ if starts_with(REQUEST_L2_TRANSACTION_DIRECT.selector) || starts_with(REQUEST_L2_TRANSACTION.selector) => {
            Some(of_request(DIRECT_FLOOR))
        }
        _ if starts_with(REQUEST_L2_TRANSACTION_TWO_BRIDGES.selector) || starts_with(LEGACY_DEPOSIT.selector) => {
            Some(of_request(BRIDGE_FLOOR))
        }
        (_, "finalizeWithdrawal" | "claimFailedDeposit") => Some(of_request(PROOF_FLOOR)),
        (_, "approve") => Some(APPROVAL_FLOOR),
        _ => None,
    }
}
