//! What gas costs: base fee times a factor and a tip on chains with Ethereum's fee market, the node's own price on EraVM.
//!
//! What a node says here moves from block to block: of several nodes the middle one counts. It is money all the same, so that
//! a price out of all reason is refused; the policy of the signing side has the last word.

use coldbridge::transaction::Envelope;
use coldbridge::{Code, Refusal};
use ethabi::ethereum_types::U256;
use serde_json::{Value, json};

use crate::number::amount;
use crate::prepare::facts::{Choices, Fee};
use crate::quorum::Quorum;

/// The highest base fee in ETH that is taken for true, and the highest tip: 10,000 gwei, several times what any block has had.
const HIGHEST_FEE: u64 = 10_000_000_000_000;

/// Which market a chain has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Market {
    /// L1.
    Ethereum,
    /// An L2 with the same rules, in its own base token.
    ZkSyncOs,
    /// The bootloader charges the base fee whatever else is offered.
    EraVm,
}

/// Fees for an envelope.
pub fn settle(
    nodes: &Quorum,
    market: Market,
    is_in_eth: bool,
    envelope: Envelope,
    choices: &Choices,
    remarks: &mut Vec<String>,
) -> Result<Fee, Refusal> {
    let (max, priority) = match (market, choices.max_fee_per_gas, choices.priority_fee, choices.gas_price) {
        (_, _, _, Some(price)) => (price, U256::zero()),
        (_, Some(max), Some(priority), _) => (max, priority),
        (Market::EraVm, max, priority, _) => {
            let price = moving(nodes, "eth_gasPrice", &json!([]), amount)?;
            (max.unwrap_or(scaled(price, choices)), priority.unwrap_or_default())
        }
        (_, max, priority, _) => {
            // Where the caller states the most, it is the most of the tip, too.
            let is_absurd = |fee: U256| is_in_eth && max.is_none() && fee > U256::from(HIGHEST_FEE);
            let base = base_fee(nodes)?;
            if is_absurd(base) {
                return Err(absurd(nodes, "maxFeePerGas", "a base fee", base));
            }
            let tip = match priority {
                Some(tip) => tip,
                None => tip(nodes, base)?,
            };
            if priority.is_none() && is_absurd(tip) {
                return Err(absurd(nodes, "maxPriorityFeePerGas", "a tip", tip));
            }
            let max = max.unwrap_or(scaled(base, choices).saturating_add(tip));
            remarks
                .push(format!("{} base fee {base} wei, tip {tip} wei: at most {max} wei for one gas", nodes.layer()));
            if max < base {
                remarks.push(format!("{max} wei is below the base fee of now: the transaction waits until it falls"));
            }
            (max, priority.unwrap_or(tip.min(max)))
        }
    };
    Ok(Fee::of(envelope, max, priority))
}

/// A price times the factor.
pub fn scaled(price: U256, choices: &Choices) -> U256 {
    price.saturating_mul(choices.base_fee_percent.into()) / 100
}

/// The base fee of the next block, else of the last one.
fn base_fee(nodes: &Quorum) -> Result<U256, Refusal> {
    let history = moving(nodes, "eth_feeHistory", &json!(["0x1", "latest", []]), |answer| {
        amount(answer.get("baseFeePerGas")?.as_array()?.last()?)
    });
    match history {
        Ok(fee) => Ok(fee),
        Err(_) => moving(nodes, "eth_getBlockByNumber", &json!(["latest", false]), |answer| {
            amount(answer.get("baseFeePerGas")?)
        }),
    }
}

/// The priority fee that the node proposes, else what its gas price has above the base fee.
fn tip(nodes: &Quorum, base: U256) -> Result<U256, Refusal> {
    match moving(nodes, "eth_maxPriorityFeePerGas", &json!([]), amount) {
        Ok(tip) => Ok(tip),
        Err(_) => Ok(moving(nodes, "eth_gasPrice", &json!([]), amount)?.saturating_sub(base)),
    }
}

/// A value that moves: of several nodes' the middle one, the lower of two.
fn moving<T: Ord>(
    nodes: &Quorum,
    method: &str,
    params: &Value,
    decode: impl Fn(&Value) -> Option<T>,
) -> Result<T, Refusal> {
    let mut values = nodes.read_each(method, params, decode)?;
    values.sort_unstable();
    let middle = values.len().saturating_sub(1) / 2;
    values.into_iter().nth(middle).ok_or_else(|| Refusal::new(Code::BUG, "", "no node was asked", "report it"))
}

fn absurd(nodes: &Quorum, member: &str, what: &str, fee: U256) -> Refusal {
    Refusal::new(
        Code::RELAY_ANSWER,
        format!("/facts/transaction/{member}"),
        format!("{what} of {fee} wei at {}: more than any block ever had", nodes.hosts()),
        "use another endpoint, or state --max-fee-per-gas and --priority-fee yourself",
    )
    .values(format!("at most {HIGHEST_FEE}"), fee)
}
