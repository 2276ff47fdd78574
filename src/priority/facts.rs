//! What the online side says about the fees of a chain.

use super::{BaseTokenGasPriceMultiplier, FeeParams, PubdataPricingMode, REQUIRED_GAS_PER_PUBDATA};
use crate::json::{Cursor, Json};
use crate::refusal::Refusal;
use crate::units::Gas;

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
