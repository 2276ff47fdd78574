//! `facts.transaction`: nonce, gas and fees of the plan's transactions, and what nodes and chains make of them.
//!
//! The limits of an EraVM node are those of `TransactionRequest::from_bytes` and `L2Tx::from_request`
//! (<https://github.com/matter-labs/zksync-era/blob/3e29e4a0/core/lib/types/src/transaction_request.rs>).

use ethabi::ethereum_types::U256;

use crate::bytecode::judge_bytecode;
use crate::json::{Cursor, Json};
use crate::network::{Layer, Vm};
use crate::refusal::{Code, Refusal};
use crate::transaction::{Envelope, Transaction, eip712};
use crate::units::{Gas, Wei, WeiPerGas};

const AT: &str = "/facts/transaction";
/// `max_allowed_l2_tx_gas_limit`: the code's default; operators may set less.
const ERA_MAX_GAS_LIMIT: u64 = 4_000_000_000;
/// 2^24 (<https://eips.ethereum.org/EIPS/eip-7825>).
const L1_MAX_GAS_LIMIT: u64 = 1 << 24;

/// What the online side says about nonce, gas and fees. Every member may be absent: a quote needs fewer than a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionFacts {
    nonce: Option<u64>,
    gas_limit: Option<u64>,
    max_fee_per_gas: Option<WeiPerGas>,
    max_priority_fee_per_gas: Option<WeiPerGas>,
    gas_price: Option<WeiPerGas>,
    gas_per_pubdata: Option<Gas>,
}

/// The members that an envelope needs, all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The nonce of the plan's first transaction.
    pub nonce: u64,
    /// The gas limit of its main transaction.
    pub gas_limit: Gas,
    /// The fees, in the envelope's terms.
    pub fee: Fee,
}

/// Fees in the terms of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// Types 0 and 1.
    GasPrice(WeiPerGas),
    /// Type 2.
    Dynamic {
        /// The most that one gas can cost.
        max_fee_per_gas: WeiPerGas,
        /// The most of it that goes to the block's producer.
        max_priority_fee_per_gas: WeiPerGas,
    },
    /// Type 0x71.
    Pubdata {
        /// The most that one gas can cost.
        max_fee_per_gas: WeiPerGas,
        /// Must not be above it; pays nothing.
        max_priority_fee_per_gas: WeiPerGas,
        /// The most gas that one byte of published data may cost.
        gas_per_pubdata: Gas,
    },
}

impl TransactionFacts {
    const MEMBERS: &'static [&'static str] =
        &["nonce", "gasLimit", "maxFeePerGas", "maxPriorityFeePerGas", "gasPrice", "gasPerPubdata"];

    /// Reads whatever is there.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&[], Self::MEMBERS)?;
        let price = |name: &str| members.optional(name).map(|cursor| cursor.amount().map(WeiPerGas::new)).transpose();
        Ok(Self {
            // EIP-2681: the highest nonce that can be used is 2^64-2.
            nonce: members.optional("nonce").map(|cursor| cursor.count(u64::MAX - 1)).transpose()?,
            gas_limit: members.optional("gasLimit").map(|cursor| cursor.count(u64::MAX)).transpose()?,
            max_fee_per_gas: price("maxFeePerGas")?,
            max_priority_fee_per_gas: price("maxPriorityFeePerGas")?,
            gas_price: price("gasPrice")?,
            gas_per_pubdata: members
                .optional("gasPerPubdata")
                .map(|cursor| cursor.wide_count().map(Gas::new))
                .transpose()?,
        })
    }

    fn present(&self) -> Vec<(&'static str, Json)> {
        let price = |price: Option<WeiPerGas>| price.map(WeiPerGas::to_json);
        [
            ("nonce", self.nonce.map(Json::count)),
            ("gasLimit", self.gas_limit.map(Json::count)),
            ("maxFeePerGas", price(self.max_fee_per_gas)),
            ("maxPriorityFeePerGas", price(self.max_priority_fee_per_gas)),
            ("gasPrice", price(self.gas_price)),
            ("gasPerPubdata", self.gas_per_pubdata.map(Gas::to_json_count)),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }

    /// The same members again.
    pub fn to_json(&self) -> Json {
        Json::object(self.present())
    }

    /// The highest price of one gas, with its place. A quote takes `gasPrice` in place of `maxFeePerGas`.
    pub fn price_cap(&self) -> Option<(WeiPerGas, &'static str)> {
        self.max_fee_per_gas
            .map(|price| (price, "/facts/transaction/maxFeePerGas"))
            .or(self.gas_price.map(|price| (price, "/facts/transaction/gasPrice")))
    }

    /// The lowest price of one gas that the transaction can be included at: a dynamic fee follows the block's base fee, which
    /// is never 0, with the priority fee on top.
    pub fn price_floor(&self) -> Option<WeiPerGas> {
        let priority = self.max_priority_fee_per_gas.unwrap_or(WeiPerGas::from(0)).max(WeiPerGas::from(1));
        self.max_fee_per_gas.map(|cap| cap.min(priority)).or(self.gas_price)
    }

    /// The refusal of a member that this envelope does not have, for a quote: one price, under whatever name, is enough.
    pub fn judge_quote(&self, envelope: Envelope) -> Option<Refusal> {
        let only_price = self.gas_price.is_none() || self.max_fee_per_gas.is_none();
        self.superfluous(envelope, if only_price { &["gasPrice", "maxFeePerGas"] } else { &[] })
    }

    /// The gas limit of the plan's main transaction.
    pub fn gas_limit(&self) -> Option<u64> {
        self.gas_limit
    }

    /// What this much gas costs at most, if a price is there and the product fits.
    pub fn worst_fee(&self, gas_limit: u64) -> Option<Wei> {
        let (price, _) = self.price_cap()?;
        Gas::from(gas_limit).checked_cost(price)
    }

    /// The refusal of a member that an envelope does not have and that is not excused.
    fn superfluous(&self, envelope: Envelope, excused: &[&str]) -> Option<Refusal> {
        let (wanted, defaulted) = members_of(envelope);
        let present = self.present();
        let known = |name: &str| wanted.contains(&name) || defaulted.contains(&name) || excused.contains(&name);
        let (name, _) = present.iter().find(|(name, _)| !known(name))?;
        Some(Refusal::new(
            Code::FACTS_NOT_FOR_ENVELOPE,
            format!("{AT}/{name}"),
            format!("{name} means nothing in a transaction of envelope {}", envelope.name()),
            format!("delete it (this envelope takes {}), or choose another intent.envelope", wanted.join(", ")),
        ))
    }

    /// Exactly the members that an envelope takes.
    ///
    /// # Errors
    /// `facts.not_for_envelope` for a member too many, `json.missing_member` for all that are missing.
    pub fn settle(&self, envelope: Envelope) -> Result<Settled, Refusal> {
        if let Some(refusal) = self.superfluous(envelope, &[]) {
            return Err(refusal);
        }
        let (wanted, _) = members_of(envelope);
        let present = self.present();
        let missing: Vec<&str> =
            wanted.iter().copied().filter(|name| !present.iter().any(|(key, _)| key == name)).collect();
        let absent = || {
            Refusal::new(
                Code::JSON_MISSING_MEMBER,
                format!("{AT}/{}", missing.first().unwrap_or(&"")),
                format!("missing: {}", missing.join(", ")),
                format!("add {}; envelope {} needs them", missing.join(", "), envelope.name()),
            )
        };
        let price = |price: Option<WeiPerGas>| price.ok_or_else(absent);
        Ok(Settled {
            nonce: self.nonce.ok_or_else(absent)?,
            gas_limit: self.gas_limit.map(Gas::from).ok_or_else(absent)?,
            fee: match envelope {
                Envelope::Legacy | Envelope::Eip2930 => Fee::GasPrice(price(self.gas_price)?),
                Envelope::Eip1559 => Fee::Dynamic {
                    max_fee_per_gas: price(self.max_fee_per_gas)?,
                    max_priority_fee_per_gas: price(self.max_priority_fee_per_gas)?,
                },
                Envelope::Eip712 => Fee::Pubdata {
                    max_fee_per_gas: price(self.max_fee_per_gas)?,
                    max_priority_fee_per_gas: price(self.max_priority_fee_per_gas)?,
                    gas_per_pubdata: self.gas_per_pubdata.unwrap_or(Gas::from(eip712::DEFAULT_GAS_PER_PUBDATA)),
                },
            },
        })
    }

    /// Everything that a node or the chain would hold against these numbers, whatever the call is.
    pub fn judge(&self, layer: Layer, vm: Vm) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if let Some((price, at)) = self.price_cap() {
            if price.is_zero() {
                refusals.push(Refusal::new(
                    Code::FEES_ZERO_MAX_FEE,
                    at,
                    "a maximum fee of 0 is below every base fee: the transaction would never be included",
                    "set the most that you would pay for one gas, in wei",
                ));
            }
            let (code, limit, reader) = match (layer, vm) {
                (Layer::L2, Vm::EraVm) => {
                    (Code::L2_FEE_RANGE, U256::from(u64::MAX), "the ZKsync node (MaxFeePerGasNotU64)")
                }
                _ => (Code::FEES_RANGE, U256::from(u128::MAX), "Ethereum nodes"),
            };
            if price.get() > limit {
                refusals.push(
                    Refusal::new(
                        code,
                        at,
                        format!("{price} wei for one gas is above {limit}, the most that {reader} can read"),
                        "check the unit: fees are in wei",
                    )
                    .values(format!("at most {limit}"), price),
                );
            }
        }
        if let (Some(priority), Some(max)) = (self.max_priority_fee_per_gas, self.max_fee_per_gas)
            && priority > max
        {
            refusals.push(
                Refusal::new(
                    Code::FEES_PRIORITY_ABOVE_MAX,
                    format!("{AT}/maxPriorityFeePerGas"),
                    format!("maxPriorityFeePerGas {priority} is above maxFeePerGas {max}: every node refuses that"),
                    format!("lower maxPriorityFeePerGas to at most {max}, or raise maxFeePerGas"),
                )
                .values(format!("at most {max}"), priority),
            );
        }
        if (layer, vm) == (Layer::L2, Vm::EraVm) {
            self.judge_era(&mut refusals);
        }
        refusals
    }

    /// What an EraVM node would hold against the numbers of a plan of this many transactions: each has a nonce of its own,
    /// and approvals their own gas limit. The other limits of the node can not be met here: the access list is always empty,
    /// `to` is always there, and a request of 1 MiB makes no transaction of 2^24 bytes.
    pub fn judge_era_plan(&self, transactions: usize, approval_gas_limit: Option<u64>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let others = u64::try_from(transactions.saturating_sub(1)).unwrap_or(u64::MAX);
        let last = self.nonce.map(|nonce| nonce.saturating_add(others));
        if let Some(nonce) = last.filter(|nonce| *nonce > u32::MAX.into()) {
            refusals.push(
                Refusal::new(
                    Code::L2_NONCE_RANGE,
                    format!("{AT}/nonce"),
                    format!("nonce {nonce} is above {}, the most that the ZKsync node takes (TooBigNonce)", u32::MAX),
                    "read the nonce again with eth_getTransactionCount on the L2 node",
                )
                .values(format!("at most {}", u32::MAX), nonce),
            );
        }
        let limits =
            [(format!("{AT}/gasLimit"), self.gas_limit), ("/facts/approval/gasLimit".to_owned(), approval_gas_limit)];
        for (at, limit) in limits {
            let Some(gas_limit) = limit.filter(|limit| *limit == 0 || *limit > ERA_MAX_GAS_LIMIT) else { continue };
            refusals.push(
                Refusal::new(
                    Code::L2_GAS_LIMIT_RANGE,
                    at,
                    format!("gasLimit {gas_limit} is not from 1 to {ERA_MAX_GAS_LIMIT}, which ZKsync nodes take"),
                    "ask the L2 node again (zks_estimateFee or eth_estimateGas)",
                )
                .values(format!("1 to {ERA_MAX_GAS_LIMIT}"), gas_limit),
            );
        }
        refusals
    }

    fn judge_era(&self, refusals: &mut Vec<Refusal>) {
        if let Some(gas_per_pubdata) = self.gas_per_pubdata {
            let at = format!("{AT}/gasPerPubdata");
            if gas_per_pubdata.is_zero() {
                refusals.push(Refusal::new(
                    Code::L2_GAS_PER_PUBDATA_ZERO,
                    at,
                    "the ZKsync node refuses a gasPerPubdata of 0",
                    "leave it out for the default of 50000",
                ));
            } else if gas_per_pubdata.get() > u64::MAX.into() {
                refusals.push(
                    Refusal::new(
                        Code::L2_GAS_PER_PUBDATA_RANGE,
                        at,
                        format!("gasPerPubdata {gas_per_pubdata} is above 2^64-1, the most that the ZKsync node takes"),
                        "leave it out for the default of 50000",
                    )
                    .values(format!("at most {}", u64::MAX), gas_per_pubdata),
                );
            }
        }
    }

    /// Whether a gas limit is one that L1 takes: it must pay for the transaction's own bytes before anything is executed
    /// (21000 and the calldata, EIP-2028, or the floor of EIP-7623 if that is higher), and stay below the cap of EIP-7825.
    pub fn judge_gas(&self, at: &str, gas_limit: Option<u64>, calldata: &[u8]) -> Option<Refusal> {
        let gas_limit = gas_limit?;
        if gas_limit > L1_MAX_GAS_LIMIT {
            return Some(
                Refusal::new(
                    Code::FEES_GAS_ABOVE_CAP,
                    at,
                    format!("gasLimit {gas_limit} is above {L1_MAX_GAS_LIMIT}, the most that one transaction may have (EIP-7825)"),
                    format!("lower gasLimit to at most {L1_MAX_GAS_LIMIT}; a deposit takes less than a tenth of it"),
                )
                .values(format!("at most {L1_MAX_GAS_LIMIT}"), gas_limit),
            );
        }
        let zeros: u64 = calldata.iter().map(|byte| u64::from(*byte == 0)).sum();
        let others = u64::try_from(calldata.len()).ok()?.checked_sub(zeros)?;
        let intrinsic = 21_000 + (zeros * 4 + others * 16).max((zeros + others * 4) * 10);
        (gas_limit < intrinsic).then(|| {
            Refusal::new(
                Code::FEES_GAS_BELOW_INTRINSIC,
                at,
                format!("gasLimit {gas_limit} is below {intrinsic}, which the transaction's own bytes cost"),
                "raise gasLimit: estimate it on a node, with a margin",
            )
            .values(format!("at least {intrinsic}"), gas_limit)
        })
    }
}

/// The members that an envelope needs, and those that have a default.
fn members_of(envelope: Envelope) -> (&'static [&'static str], &'static [&'static str]) {
    match envelope {
        Envelope::Legacy | Envelope::Eip2930 => (&["nonce", "gasLimit", "gasPrice"], &[]),
        Envelope::Eip1559 => (&["nonce", "gasLimit", "maxFeePerGas", "maxPriorityFeePerGas"], &[]),
        Envelope::Eip712 => (&["nonce", "gasLimit", "maxFeePerGas", "maxPriorityFeePerGas"], &["gasPerPubdata"]),
    }
}

/// What an EraVM node holds against a transaction that is encoded already, ours or not: its own words for it.
pub fn judge_era_transaction(transaction: &Transaction) -> Vec<String> {
    let u64_max = U256::from(u64::MAX);
    let mut problems = Vec::new();
    let mut judge = |broken: bool, problem: &str| {
        if broken {
            problems.push(problem.to_owned());
        }
    };
    judge(matches!(transaction, Transaction::Eip2930(_)), "type 1 (AccessListsNotSupported)");
    judge(
        matches!(transaction, Transaction::Eip1559(_)) && transaction.has_access_list(),
        "an access list (AccessListsNotSupported)",
    );
    judge(transaction.nonce() > u32::MAX.into(), "a nonce above 2^32-1 (TooBigNonce)");
    judge(transaction.gas_price_cap().get() > u64_max, "a fee above 2^64-1 (MaxFeePerGasNotU64)");
    judge(transaction.value().get() > U256::from(u128::MAX), "a value above 2^128-1, which EraVM can not move");
    if let Transaction::Eip712(tx) = transaction {
        judge(tx.to.is_none(), "no called account (ToAddressIsNull)");
        judge(tx.gas_per_pubdata.is_zero(), "a gasPerPubdata of 0 (GasPerPubDataLimitZero)");
        judge(tx.gas_per_pubdata.get() > u64_max, "a gasPerPubdata above 2^64-1 (MaxFeePerPubdataByteNotU64)");
        judge(
            tx.factory_deps.iter().any(|code| judge_bytecode(code, "").is_some()),
            "a factory dependency that is no bytecode (InvalidFactoryDependencies)",
        );
    }
    problems
}

/// Whether EraVM can move a value: `msg.value` is at most 2^128-1.
pub fn judge_era_value(value: Wei, at: &str) -> Option<Refusal> {
    (value.get() > U256::from(u128::MAX)).then(|| {
        Refusal::new(
            Code::L2_VALUE_RANGE,
            at,
            format!("{value} is above 2^128-1, the most that EraVM can move in one call"),
            "check the amount and its unit",
        )
        .values(format!("at most {}", u128::MAX), value)
    })
}
