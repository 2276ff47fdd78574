//! L1 -> L2 priority requests: what they cost and what the Mailbox accepts, computed without a network.
//!
//! The formulas are the contracts', integer division by integer division:
//! `MailboxFacet._deriveL2GasPrice` and `_requestL2Transaction`
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/state-transition/chain-deps/facets/Mailbox.sol>),
//! `TransactionValidator.validateL1ToL2Transaction`
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/state-transition/libraries/TransactionValidator.sol>).
//! The same on EraVM and ZKsync OS since v23 except for the gas rules, which are given for each.

use ethabi::ethereum_types::U256;

use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Network, ProtocolVersion, Vm};
use crate::refusal::{Code, ContractError, Refusal, contract_error};
use crate::units::{BaseTokenPerGas, BaseTokenUnits, Gas, WeiPerGas};

/// `REQUIRED_L2_GAS_PRICE_PER_PUBDATA`. The Mailbox warns that nobody should rely on it to stay fixed: it is a member of
/// the facts with this default, checked, and not a literal in the calldata.
pub const REQUIRED_GAS_PER_PUBDATA: u64 = 800;
/// `L1_GAS_PER_PUBDATA_BYTE`: calldata gas of one byte of published data.
const L1_GAS_PER_PUBDATA_BYTE: u64 = 17;
/// The largest margin on the base cost that is taken for meant, in percent.
const MAX_MARGIN_PERCENT: u64 = 1000;

/// How the chain pays for its published data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PubdataPricingMode {
    /// Published on L1 and paid for.
    Rollup,
    /// Kept elsewhere; costs nothing on L1.
    Validium,
}

/// `FeeParams` of the diamond (storage slot 38).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeParams {
    /// Rollup or validium.
    pub pubdata_pricing_mode: PubdataPricingMode,
    /// L1 gas that committing, proving and executing a batch takes.
    pub batch_overhead_l1_gas: u32,
    /// Bytes that a batch can publish.
    pub max_pubdata_per_batch: u32,
    /// L2 gas that a batch can use.
    pub max_l2_gas_per_batch: u32,
    /// Bytes that one priority transaction may publish.
    pub priority_tx_max_pubdata: u32,
    /// The lowest L2 gas price, in base-token units.
    pub minimal_l2_gas_price: u64,
}

impl FeeParams {
    /// Reads the packed word of storage slot 38 (0x26) of the diamond: the first field in the lowest byte. None for a pricing
    /// mode that does not exist, or where something stands above the fields: then it is the word of another slot.
    pub fn from_storage_word(word: [u8; 32]) -> Option<Self> {
        if word[..7] != [0; 7] {
            return None;
        }
        let small = |from: usize| Some(u32::from_be_bytes(word.get(from..from + 4)?.try_into().ok()?));
        Some(Self {
            pubdata_pricing_mode: match word[31] {
                0 => PubdataPricingMode::Rollup,
                1 => PubdataPricingMode::Validium,
                _ => return None,
            },
            batch_overhead_l1_gas: small(27)?,
            max_pubdata_per_batch: small(23)?,
            max_l2_gas_per_batch: small(19)?,
            priority_tx_max_pubdata: small(15)?,
            minimal_l2_gas_price: u64::from_be_bytes(word.get(7..15)?.try_into().ok()?),
        })
    }
}

/// Base-token units for one wei, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseTokenGasPriceMultiplier {
    /// Above the line.
    pub nominator: u128,
    /// Below the line.
    pub denominator: u128,
}

impl BaseTokenGasPriceMultiplier {
    /// Reads the word of storage slot 45 (0x2d) of the diamond: the nominator in the low half, the denominator in the high.
    pub fn from_storage_word(word: [u8; 32]) -> Self {
        let (mut high, mut low) = ([0; 16], [0; 16]);
        high.copy_from_slice(&word[..16]);
        low.copy_from_slice(&word[16..]);
        Self { nominator: u128::from_be_bytes(low), denominator: u128::from_be_bytes(high) }
    }
}

/// Why the L2 gas price or the base cost can not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceError {
    /// `BaseTokenGasPriceDenominatorNotSet()`.
    DenominatorZero,
    /// Panic 0x12: `maxPubdataPerBatch` is zero.
    MaxPubdataPerBatchZero,
    /// Panic 0x12: `maxL2GasPerBatch` is zero.
    MaxL2GasPerBatchZero,
    /// Panic 0x12: gas per pubdata is zero.
    GasPerPubdataZero,
    /// Panic 0x11.
    Overflow,
}

impl PriceError {
    /// What the contract answers.
    pub const fn contract_error(self) -> ContractError {
        match self {
            Self::DenominatorZero => contract_error::BASE_TOKEN_DENOMINATOR_NOT_SET,
            _ => contract_error::PANIC,
        }
    }
}

/// The L2 gas price that the Mailbox derives from an L1 gas price: `_deriveL2GasPrice`.
///
/// It is monotone in the L1 gas price: a price derived from maxFeePerGas covers every price that the transaction can be
/// included at.
pub fn derive_l2_gas_price(
    l1_gas_price: WeiPerGas,
    params: &FeeParams,
    multiplier: BaseTokenGasPriceMultiplier,
    gas_per_pubdata: U256,
) -> Result<BaseTokenPerGas, PriceError> {
    use PriceError::{DenominatorZero, GasPerPubdataZero, MaxL2GasPerBatchZero, MaxPubdataPerBatchZero, Overflow};
    let multiply = |left: U256, right: U256| left.checked_mul(right).ok_or(Overflow);
    let add = |left: U256, right: U256| left.checked_add(right).ok_or(Overflow);

    if multiplier.denominator == 0 {
        return Err(DenominatorZero);
    }
    let gas_price = multiply(l1_gas_price.get(), multiplier.nominator.into())? / U256::from(multiplier.denominator);
    let pubdata_price = match params.pubdata_pricing_mode {
        PubdataPricingMode::Rollup => multiply(L1_GAS_PER_PUBDATA_BYTE.into(), gas_price)?,
        PubdataPricingMode::Validium => U256::zero(),
    };
    let batch_overhead = multiply(params.batch_overhead_l1_gas.into(), gas_price)?;
    let overhead_per_byte =
        batch_overhead.checked_div(params.max_pubdata_per_batch.into()).ok_or(MaxPubdataPerBatchZero)?;
    let full_pubdata_price = add(pubdata_price, overhead_per_byte)?;
    let overhead_per_gas =
        batch_overhead.checked_div(params.max_l2_gas_per_batch.into()).ok_or(MaxL2GasPerBatchZero)?;
    let l2_gas_price = add(params.minimal_l2_gas_price.into(), overhead_per_gas)?;
    let rounded_up = add(full_pubdata_price, gas_per_pubdata)?.checked_sub(U256::one()).ok_or(GasPerPubdataZero)?;
    let min_l2_gas_price = rounded_up.checked_div(gas_per_pubdata).ok_or(GasPerPubdataZero)?;
    Ok(BaseTokenPerGas::new(l2_gas_price.max(min_l2_gas_price)))
}

/// `l2TransactionBaseCost`: the derived L2 gas price times the L2 gas limit, in base-token units.
pub fn base_cost(l2_gas_price: BaseTokenPerGas, l2_gas_limit: Gas) -> Result<BaseTokenUnits, PriceError> {
    l2_gas_limit.checked_base_cost(l2_gas_price).ok_or(PriceError::Overflow)
}

/// What of a request counts for the Mailbox's gas rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of L2 calldata.
    pub calldata_length: u64,
    /// Number of factory dependencies.
    pub factory_deps: u64,
}

impl Shape {
    /// `abi.encode(L2CanonicalTransaction).length`: 25 words, the calldata in words, one word a dependency.
    pub const fn encoded_length(self) -> u64 {
        32 * (25 + self.calldata_length.div_ceil(32) + self.factory_deps)
    }
}

/// The limits that the chain's storage and the request set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `priorityTxMaxGasLimit` (storage slot 26).
    pub priority_tx_max_gas_limit: u64,
    /// `priorityTxMaxPubdata` of the fee parameters.
    pub priority_tx_max_pubdata: u64,
    /// Gas per pubdata byte of the request.
    pub gas_per_pubdata: U256,
}

/// The gas rules of a virtual machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GasRule {
    /// EraVM, every version.
    EraVm,
    /// ZKsync OS: the constants changed with v31, and the floor depends on the derived L2 gas price.
    ZkSyncOs {
        /// Whether the constants are v31's.
        version: ProtocolVersion,
        /// The derived L2 gas price.
        l2_gas_price: BaseTokenPerGas,
    },
}

/// Why the Mailbox refuses an L2 gas limit, in the order in which it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GasError {
    /// `TxnBodyGasLimitNotEnoughGas()`: below the overhead alone.
    BelowOverhead,
    /// `TooMuchGas()`.
    TooMuchGas,
    /// `PubdataGreaterThanLimit(limit, actual)`.
    PubdataGreaterThanLimit {
        /// What the limit would pay for.
        actual: U256,
    },
    /// `ZeroGasPriceL1TxZKsyncOS()`, v30 only.
    ZeroGasPrice,
    /// `ValidateTxnNotEnoughGas()`: above the overhead, below the floor.
    NotEnoughGas,
}

impl GasError {
    /// What the contract answers.
    pub const fn contract_error(self) -> ContractError {
        match self {
            Self::BelowOverhead => contract_error::TXN_BODY_GAS_LIMIT_NOT_ENOUGH_GAS,
            Self::TooMuchGas => contract_error::TOO_MUCH_GAS,
            Self::PubdataGreaterThanLimit { .. } => contract_error::PUBDATA_GREATER_THAN_LIMIT,
            Self::ZeroGasPrice => contract_error::ZERO_GAS_PRICE_L1_TX_ZKSYNC_OS,
            Self::NotEnoughGas => contract_error::VALIDATE_TXN_NOT_ENOUGH_GAS,
        }
    }
}

/// The L2 gas limits that the Mailbox accepts for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasBounds {
    overhead: U256,
    /// The lowest.
    pub floor: Gas,
    /// The highest.
    pub ceiling: Gas,
    limits: Limits,
    zero_price: bool,
}

impl GasRule {
    /// The bounds for a request of this shape.
    pub fn bounds(self, shape: Shape, limits: Limits) -> GasBounds {
        let encoded = U256::from(shape.encoded_length());
        let length = U256::from(shape.calldata_length);
        let deps = U256::from(shape.factory_deps);
        let pubdata_gas = |bytes: U256| bytes.saturating_mul(limits.gas_per_pubdata);
        let (overhead, floor, zero_price) = match self {
            // TX_SLOT_OVERHEAD_L2_GAS 10000, MEMORY_OVERHEAD_GAS 10, L1_TX_INTRINSIC_L2_GAS 167157,
            // L1_TX_DELTA_544_ENCODING_BYTES 1656, L1_TX_DELTA_FACTORY_DEPS_L2_GAS 2473, L1_TX_MIN_L2_GAS_BASE 173484,
            // L1_TX_INTRINSIC_PUBDATA 88, L1_TX_DELTA_FACTORY_DEPS_PUBDATA 64 (Config.sol of the same commit).
            Self::EraVm => {
                let overhead = U256::from(10_000).max(encoded * 10);
                let computation = U256::from(167_157) + ceil_div(encoded * 1656, 544) + deps * 2_473;
                let computation = computation.max(U256::from(173_484));
                let floor = (overhead + computation).saturating_add(pubdata_gas(deps * 64 + 88));
                (overhead, floor, false)
            }
            // ZKSYNC_OS_L1_TX_STATIC_NATIVE_PRICE and the intrinsic pubdata: zkos-v0.30.2 and draft-v31.
            Self::ZkSyncOs { version, l2_gas_price } => {
                let (static_native, intrinsic_pubdata) =
                    if version.minor >= 31 { (2_875_420, 351) } else { (132_500, 88) };
                let blocks = ceil_div(encoded, 136).max(U256::one());
                let native = U256::from(static_native) + blocks * 17_500 + length;
                let native_cost: U256 = native * 10;
                let native_gas = native_cost.checked_div(l2_gas_price.get()).unwrap_or(native / 10_000);
                let execution = U256::from(21_000) + length * 16;
                let floor = execution.max(native_gas.saturating_add(pubdata_gas(intrinsic_pubdata.into())));
                (U256::zero(), floor, l2_gas_price.is_zero() && version.minor == 30)
            }
        };
        let ceiling = overhead.saturating_add(limits.priority_tx_max_gas_limit.into());
        // floor(body / gasPerPubdata) <= priorityTxMaxPubdata, as a bound on the limit.
        let pubdata_ceiling = U256::from(limits.priority_tx_max_pubdata + 1)
            .saturating_mul(limits.gas_per_pubdata)
            .saturating_sub(U256::one())
            .saturating_add(overhead);
        GasBounds {
            overhead,
            floor: Gas::new(floor),
            ceiling: Gas::new(ceiling.min(pubdata_ceiling)),
            limits,
            zero_price,
        }
    }
}

impl GasBounds {
    /// Judges a limit in the contract's order.
    pub fn check(&self, l2_gas_limit: Gas) -> Result<(), GasError> {
        let limit = l2_gas_limit.get();
        let body = limit.checked_sub(self.overhead).ok_or(GasError::BelowOverhead)?;
        if body > self.limits.priority_tx_max_gas_limit.into() {
            return Err(GasError::TooMuchGas);
        }
        let pubdata = body.checked_div(self.limits.gas_per_pubdata).unwrap_or_default();
        if pubdata > self.limits.priority_tx_max_pubdata.into() {
            return Err(GasError::PubdataGreaterThanLimit { actual: pubdata });
        }
        if self.zero_price {
            return Err(GasError::ZeroGasPrice);
        }
        if l2_gas_limit < self.floor {
            return Err(GasError::NotEnoughGas);
        }
        Ok(())
    }
}

fn ceil_div(numerator: U256, denominator: u64) -> U256 {
    (numerator + (denominator - 1)) / denominator
}

/// `facts.priorityRequest`: what the online side found out about the chain's fees. Claims, every one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorityRequestFacts {
    /// The L2 gas limit of the request.
    pub l2_gas_limit: Gas,
    /// `l2GasPerPubdataByteLimit`.
    pub gas_per_pubdata: Gas,
    /// The diamond's fee parameters.
    pub fee_params: FeeParams,
    /// The diamond's multiplier.
    pub multiplier: BaseTokenGasPriceMultiplier,
}

impl PriorityRequestFacts {
    const MODES: &'static [(&'static str, PubdataPricingMode)] =
        &[("rollup", PubdataPricingMode::Rollup), ("validium", PubdataPricingMode::Validium)];

    /// Reads them.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor
            .members(&["l2GasLimit", "feeParams", "baseTokenGasPriceMultiplier"], &["l2GasPerPubdataByteLimit"])?;
        let fee_params = members.required("feeParams")?;
        let params = fee_params.members(
            &[
                "pubdataPricingMode",
                "batchOverheadL1Gas",
                "maxPubdataPerBatch",
                "maxL2GasPerBatch",
                "priorityTxMaxPubdata",
                "minimalL2GasPrice",
            ],
            &[],
        )?;
        let multiplier = members.required("baseTokenGasPriceMultiplier")?;
        let fraction = multiplier.members(&["nominator", "denominator"], &[])?;
        let minimal_l2_gas_price = params.required("minimalL2GasPrice")?;
        minimal_l2_gas_price.amount()?;
        Ok(Self {
            l2_gas_limit: Gas::new(members.required("l2GasLimit")?.wide_count()?),
            gas_per_pubdata: match members.optional("l2GasPerPubdataByteLimit") {
                Some(cursor) => Gas::new(cursor.wide_count()?),
                None => Gas::from(REQUIRED_GAS_PER_PUBDATA),
            },
            fee_params: FeeParams {
                pubdata_pricing_mode: params.required("pubdataPricingMode")?.choice(Self::MODES)?,
                batch_overhead_l1_gas: params.required("batchOverheadL1Gas")?.count(u32::MAX)?,
                max_pubdata_per_batch: params.required("maxPubdataPerBatch")?.count(u32::MAX)?,
                max_l2_gas_per_batch: params.required("maxL2GasPerBatch")?.count(u32::MAX)?,
                priority_tx_max_pubdata: params.required("priorityTxMaxPubdata")?.count(u32::MAX)?,
                minimal_l2_gas_price: minimal_l2_gas_price.count(u64::MAX)?,
            },
            multiplier: BaseTokenGasPriceMultiplier {
                nominator: fraction.required("nominator")?.count(u128::MAX)?,
                denominator: fraction.required("denominator")?.count(u128::MAX)?,
            },
        })
    }

    /// The fee parameters as a sentence to compare with the chain's.
    pub fn in_words(&self) -> String {
        let params = &self.fee_params;
        let mode = match params.pubdata_pricing_mode {
            PubdataPricingMode::Rollup => "rollup",
            PubdataPricingMode::Validium => "validium",
        };
        format!(
            "{mode}, batchOverheadL1Gas {}, maxPubdataPerBatch {}, maxL2GasPerBatch {}, priorityTxMaxPubdata {}, \
             minimalL2GasPrice {}, multiplier {}/{}",
            params.batch_overhead_l1_gas,
            params.max_pubdata_per_batch,
            params.max_l2_gas_per_batch,
            params.priority_tx_max_pubdata,
            params.minimal_l2_gas_price,
            self.multiplier.nominator,
            self.multiplier.denominator
        )
    }

    /// The same document again, with the defaults written out.
    pub fn to_json(&self) -> Json {
        let params = &self.fee_params;
        Json::object([
            ("l2GasLimit", self.l2_gas_limit.to_json_count()),
            ("l2GasPerPubdataByteLimit", self.gas_per_pubdata.to_json_count()),
            (
                "feeParams",
                Json::object([
                    (
                        "pubdataPricingMode",
                        Json::text(match params.pubdata_pricing_mode {
                            PubdataPricingMode::Rollup => "rollup",
                            PubdataPricingMode::Validium => "validium",
                        }),
                    ),
                    ("batchOverheadL1Gas", Json::count(params.batch_overhead_l1_gas)),
                    ("maxPubdataPerBatch", Json::count(params.max_pubdata_per_batch)),
                    ("maxL2GasPerBatch", Json::count(params.max_l2_gas_per_batch)),
                    ("priorityTxMaxPubdata", Json::count(params.priority_tx_max_pubdata)),
                    ("minimalL2GasPrice", Json::display(params.minimal_l2_gas_price)),
                ]),
            ),
            (
                "baseTokenGasPriceMultiplier",
                Json::object([
                    ("nominator", Json::display(self.multiplier.nominator)),
                    ("denominator", Json::display(self.multiplier.denominator)),
                ]),
            ),
        ])
    }
}

/// What a request asks of the Mailbox, beside the facts.
pub struct PriorityRequest<'a> {
    /// The chain.
    pub network: &'a Network,
    /// The facts.
    pub facts: &'a PriorityRequestFacts,
    /// Calldata and dependencies.
    pub shape: Shape,
    /// The value that the L2 call moves.
    pub l2_value: BaseTokenUnits,
    /// What the operator gets on top.
    pub operator_tip: BaseTokenUnits,
    /// What is added to the base cost, in percent of it.
    pub margin_percent: u64,
    /// The highest L1 gas price that the transaction can be included at, and its place in the request.
    pub gas_price_cap: Option<(WeiPerGas, &'static str)>,
    /// The lowest that it can be included at.
    pub gas_price_floor: Option<WeiPerGas>,
}

/// What follows from a request, as far as it can be computed, and everything that is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Assessment {
    /// The L2 gas price at the highest L1 gas price.
    pub l2_gas_price: Option<BaseTokenPerGas>,
    /// The base cost at the highest L1 gas price, without margin.
    pub base_cost: Option<BaseTokenUnits>,
    /// l2Value + base cost + margin + operatorTip.
    pub mint_value: Option<BaseTokenUnits>,
    /// The L2 gas limits that are accepted at every L1 gas price.
    pub bounds: Option<GasBounds>,
    /// `abi.encode(L2CanonicalTransaction).length`.
    pub encoded_length: u64,
    /// In the order in which the contracts would look.
    pub refusals: Vec<Refusal>,
}

impl PriorityRequest<'_> {
    /// Computes the cost and judges the request.
    pub fn assess(&self) -> Assessment {
        let mut out = self.assess_all();
        if !self.network.has_asset_router() {
            // Before v26 the contracts revert with strings ("qp", "my", "ui" ...), not with these errors.
            out.refusals = out.refusals.into_iter().map(Refusal::without_contract_error).collect();
        }
        out
    }

    fn assess_all(&self) -> Assessment {
        let mut out = Assessment { encoded_length: self.shape.encoded_length(), ..Assessment::default() };
        self.judge_facts(&mut out.refusals);
        if let Some((gas_price, price_at)) = self.gas_price_cap {
            match self.price(gas_price) {
                Ok((l2_gas_price, base_cost)) => {
                    out.l2_gas_price = Some(l2_gas_price);
                    out.base_cost = base_cost;
                    out.mint_value = base_cost.and_then(|base_cost| self.mint_value(base_cost));
                    match (base_cost, out.mint_value) {
                        (None, _) => out.refusals.push(overflow(price_at)),
                        (Some(_), None) => out.refusals.push(Refusal::new(
                            Code::FEES_OVERFLOW,
                            "/intent",
                            "amount, base cost, margin and operatorTip together are above 2^256-1",
                            "check the amounts and their units (wei)",
                        )),
                        (Some(_), Some(mint_value)) if mint_value.is_zero() => {
                            let refusal = Refusal::new(
                                Code::PRIORITY_EMPTY_DEPOSIT,
                                price_at,
                                "the base cost is 0, and nothing else would be minted on L2",
                                "raise the maximum fee, or give the operator a tip",
                            );
                            let since_v26 = self.network.has_asset_router();
                            out.refusals.push(if since_v26 {
                                refusal.reverts(contract_error::EMPTY_DEPOSIT)
                            } else {
                                refusal
                            });
                        }
                        (Some(_), Some(_)) => {}
                    }
                }
                // The zeros have been named as facts; what is left is an overflow.
                Err(PriceError::Overflow) => out.refusals.push(overflow(price_at)),
                Err(_) => {}
            }
        }
        let rule = match (self.network.vm, out.l2_gas_price) {
            (Vm::EraVm, _) => Some(GasRule::EraVm),
            (Vm::ZkSyncOs, price) => price.map(|price| GasRule::ZkSyncOs {
                version: self.network.protocol_version,
                l2_gas_price: self.price_of_the_floor(price),
            }),
        };
        if let Some(bounds) = rule.map(|rule| rule.bounds(self.shape, self.limits())) {
            out.bounds = Some(bounds);
            if let Err(error) = bounds.check(self.facts.l2_gas_limit) {
                out.refusals.push(self.gas_refusal(&bounds, error));
            }
        }
        out
    }

    fn limits(&self) -> Limits {
        Limits {
            priority_tx_max_gas_limit: self.network.priority_tx_max_gas_limit,
            priority_tx_max_pubdata: self.facts.fee_params.priority_tx_max_pubdata.into(),
            gas_per_pubdata: self.facts.gas_per_pubdata.get(),
        }
    }

    fn price(&self, gas_price: WeiPerGas) -> Result<(BaseTokenPerGas, Option<BaseTokenUnits>), PriceError> {
        let facts = self.facts;
        let price = derive_l2_gas_price(gas_price, &facts.fee_params, facts.multiplier, facts.gas_per_pubdata.get())?;
        Ok((price, base_cost(price, facts.l2_gas_limit).ok()))
    }

    /// On ZKsync OS the floor falls as the L2 gas price rises: what holds at the highest price need not hold at the lowest.
    fn price_of_the_floor(&self, highest: BaseTokenPerGas) -> BaseTokenPerGas {
        let lowest = self.gas_price_floor.and_then(|price| self.price(price).ok()).map_or(highest, |(price, _)| price);
        // At 0 the rule is another and the floor lower, so that 1 is the worst of the prices between.
        lowest.max(BaseTokenPerGas::from(1)).min(highest)
    }

    fn mint_value(&self, base_cost: BaseTokenUnits) -> Option<BaseTokenUnits> {
        let margin = base_cost.get().checked_mul(self.margin_percent.into())?;
        let margin = BaseTokenUnits::new(margin.checked_add(99.into())? / 100);
        self.l2_value.checked_add(base_cost)?.checked_add(margin)?.checked_add(self.operator_tip)
    }

    fn judge_facts(&self, refusals: &mut Vec<Refusal>) {
        const AT: &str = "/facts/priorityRequest";
        let facts = self.facts;
        let params = &facts.fee_params;
        if self.margin_percent > MAX_MARGIN_PERCENT {
            refusals.push(
                Refusal::new(
                    Code::PRIORITY_MARGIN,
                    "/intent/baseCostMarginPercent",
                    format!("a margin of {} % is above {MAX_MARGIN_PERCENT} %", self.margin_percent),
                    "leave it out: mintValue covers every L1 gas price up to the maximum fee without a margin",
                )
                .values(format!("at most {MAX_MARGIN_PERCENT}"), self.margin_percent),
            );
        }
        if facts.gas_per_pubdata.get() != U256::from(REQUIRED_GAS_PER_PUBDATA) {
            refusals.push(
                Refusal::new(
                    Code::PRIORITY_GAS_PER_PUBDATA,
                    format!("{AT}/l2GasPerPubdataByteLimit"),
                    format!("{} gas per pubdata byte, but L1 -> L2 requests take exactly 800", facts.gas_per_pubdata),
                    "leave l2GasPerPubdataByteLimit out, or set it to 800 (50000 is for L2 transactions)",
                )
                .values(REQUIRED_GAS_PER_PUBDATA, facts.gas_per_pubdata)
                .reverts(contract_error::GAS_PER_PUBDATA_MISMATCH),
            );
        }
        let mut fee_param = |name: &str, problem: String, remedy: &str| {
            refusals.push(
                Refusal::new(Code::PRIORITY_FEE_PARAMS, format!("{AT}/feeParams/{name}"), problem, remedy)
                    .reverts(contract_error::PANIC),
            );
        };
        let again = "read the fee parameters again from storage slot 38 of the diamond proxy";
        if params.max_pubdata_per_batch == 0 {
            fee_param("maxPubdataPerBatch", "0 bytes per batch: the contract would divide by zero".to_owned(), again);
        } else if params.max_pubdata_per_batch < params.priority_tx_max_pubdata {
            let problem = format!(
                "{} bytes per batch is less than the {} of one priority transaction, which changeFeeParams forbids",
                params.max_pubdata_per_batch, params.priority_tx_max_pubdata
            );
            refusals.push(
                Refusal::new(Code::PRIORITY_FEE_PARAMS, format!("{AT}/feeParams/maxPubdataPerBatch"), problem, again)
                    .values(format!("at least {}", params.priority_tx_max_pubdata), params.max_pubdata_per_batch),
            );
        }
        if params.max_l2_gas_per_batch == 0 {
            refusals.push(
                Refusal::new(
                    Code::PRIORITY_FEE_PARAMS,
                    format!("{AT}/feeParams/maxL2GasPerBatch"),
                    "0 gas per batch: the contract would divide by zero",
                    again,
                )
                .reverts(contract_error::PANIC),
            );
        }
        self.judge_multiplier(refusals);
    }

    fn judge_multiplier(&self, refusals: &mut Vec<Refusal>) {
        const AT: &str = "/facts/priorityRequest/baseTokenGasPriceMultiplier";
        let multiplier = self.facts.multiplier;
        if multiplier.denominator == 0 {
            refusals.push(
                Refusal::new(
                    Code::PRIORITY_DENOMINATOR_ZERO,
                    format!("{AT}/denominator"),
                    "the denominator is 0",
                    "read the multiplier again from the diamond proxy (storage slot 45)",
                )
                .reverts(contract_error::BASE_TOKEN_DENOMINATOR_NOT_SET),
            );
        } else if self.network.base_token == BaseToken::Eth && multiplier.nominator != multiplier.denominator {
            let actual = format!("{}/{}", multiplier.nominator, multiplier.denominator);
            refusals.push(
                Refusal::new(
                    Code::PRIORITY_MULTIPLIER,
                    AT,
                    format!("{actual}, but {} pays its gas in ETH, where one wei is one wei", self.network.name),
                    "set nominator and denominator to \"1\"; another ratio only moves money to the refund recipient",
                )
                .values("1/1", actual),
            );
        }
    }

    fn gas_refusal(&self, bounds: &GasBounds, error: GasError) -> Refusal {
        let limit = self.facts.l2_gas_limit;
        let at = "/facts/priorityRequest/l2GasLimit";
        let (floor, ceiling) = (bounds.floor, bounds.ceiling);
        let (code, problem, remedy, expected) = match error {
            GasError::BelowOverhead | GasError::NotEnoughGas => (
                Code::PRIORITY_GAS_FLOOR,
                match self.network.vm {
                    Vm::EraVm => {
                        format!(
                            "l2GasLimit {limit} is below {floor}, the least that the Mailbox accepts for this request"
                        )
                    }
                    Vm::ZkSyncOs => format!(
                        "l2GasLimit {limit} is below {floor}, the least that the Mailbox accepts for this request at every \
                         L1 gas price that it can be included at"
                    ),
                },
                format!("raise l2GasLimit to at least {floor}; executing may need more (zks_estimateGasL1ToL2)"),
                format!("at least {floor}"),
            ),
            GasError::ZeroGasPrice => (
                Code::PRIORITY_GAS_FLOOR,
                "the derived L2 gas price is 0".to_owned(),
                "raise the maximum fee: ZKsync OS takes no L1 transaction at price 0".to_owned(),
                "a price above 0".to_owned(),
            ),
            GasError::TooMuchGas => (
                Code::PRIORITY_GAS_CEILING,
                format!("l2GasLimit {limit} is above {ceiling}, the most that the Mailbox accepts for this request"),
                format!("lower l2GasLimit to at most {ceiling}"),
                format!("at most {ceiling}"),
            ),
            GasError::PubdataGreaterThanLimit { actual } => (
                Code::PRIORITY_GAS_CEILING,
                format!(
                    "l2GasLimit {limit} would pay for {actual} bytes of pubdata, above the {} that a priority transaction may publish",
                    self.facts.fee_params.priority_tx_max_pubdata
                ),
                format!("lower l2GasLimit to at most {ceiling}"),
                format!("at most {ceiling}"),
            ),
        };
        Refusal::new(code, at, problem, remedy).values(expected, limit).reverts(error.contract_error())
    }
}

fn overflow(price_at: &str) -> Refusal {
    Refusal::new(
        Code::PRIORITY_OVERFLOW,
        price_at,
        "at this gas price the base cost is above 2^256-1",
        "lower the maximum fee; check that it is in wei",
    )
    .reverts(contract_error::PANIC)
}
