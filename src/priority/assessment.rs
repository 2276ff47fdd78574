//! What follows from a request and the facts, and everything that the Mailbox would not accept, in its own order.

use ethabi::ethereum_types::U256;

use super::{
    GasBounds, GasError, GasRule, Limits, PriceError, PriorityRequestFacts, REQUIRED_GAS_PER_PUBDATA, Shape, base_cost,
    derive_l2_gas_price,
};
use crate::network::{BaseToken, Network, Vm};
use crate::refusal::{Code, Refusal, contract_error};
use crate::units::{BaseTokenPerGas, BaseTokenUnits, WeiPerGas};

/// The largest margin on the base cost that is taken for meant, in percent.
const MAX_MARGIN_PERCENT: u64 = 1000;

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
                        (Some(_), Some(mint_value)) if mint_value.is_zero() => out.refusals.push(
                            Refusal::new(
                                Code::PRIORITY_EMPTY_DEPOSIT,
                                price_at,
                                "the base cost is 0, and nothing else would be minted on L2",
                                "raise the maximum fee, or give the operator a tip",
                            )
                            .reverts(contract_error::EMPTY_DEPOSIT),
                        ),
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
