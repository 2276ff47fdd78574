//! L1 -> L2 priority requests: what they cost and what the Mailbox accepts, computed without a network.
//!
//! The formulas are the contracts', integer division by integer division:
//! `MailboxFacet._deriveL2GasPrice` and `_requestL2Transaction`
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/state-transition/chain-deps/facets/Mailbox.sol>),
//! `TransactionValidator.validateL1ToL2Transaction`
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/state-transition/libraries/TransactionValidator.sol>).
//! The same on EraVM and ZKsync OS since v23 except for the gas rules, which are given for each.
//!
//! Here are the rules; `facts` reads what they are applied to, `assessment` applies them to a request.

mod assessment;
mod facts;

use ethabi::ethereum_types::U256;

use crate::network::ProtocolVersion;
use crate::refusal::{ContractError, contract_error};
use crate::units::{BaseTokenPerGas, BaseTokenUnits, Gas, WeiPerGas};

pub use assessment::{Assessment, PriorityRequest};
pub use facts::PriorityRequestFacts;

/// `REQUIRED_L2_GAS_PRICE_PER_PUBDATA`. The Mailbox warns that nobody should rely on it to stay fixed: it is a member of
/// the facts with this default, checked, and not a literal in the calldata.
pub const REQUIRED_GAS_PER_PUBDATA: u64 = 800;
/// `L1_GAS_PER_PUBDATA_BYTE`: calldata gas of one byte of published data.
const L1_GAS_PER_PUBDATA_BYTE: u64 = 17;

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
