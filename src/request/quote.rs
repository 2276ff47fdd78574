//! What a request would cost, without a nonce and a key, and everything that is wrong with it.

use ethabi::ethereum_types::U256;

use super::Request;
use crate::address::Address;
use crate::json::Json;
use crate::network::Layer;
use crate::operation::CallGas;
use crate::refusal::{Code, Refusal};
use crate::units::{BaseTokenUnits, Wei};

impl Request {
    /// Everything that follows from the request without a nonce or a key, and everything that is wrong with it.
    pub fn quote(&self) -> Json {
        let envelope = self.envelope();
        let mut assessed = self.assess();
        if self.facts.priority_request.is_some() && self.facts.transaction.price_cap().is_none() {
            assessed.refusals.push(Refusal::new(
                Code::JSON_MISSING_MEMBER,
                "/facts/transaction/maxFeePerGas",
                "missing: maxFeePerGas",
                "add maxFeePerGas or gasPrice: the base cost follows from it",
            ));
        }
        match envelope {
            Ok(envelope) => assessed.refusals.extend(self.facts.transaction.judge_quote(envelope)),
            Err(refusal) => assessed.refusals.insert(0, refusal),
        }
        let layer = self.layer();
        let fee = assessed.calls.iter().try_fold(Wei::zero(), |sum, call| {
            let gas_limit = match call.gas {
                CallGas::Main => self.facts.transaction.gas_limit(),
                CallGas::Approval => self.facts.approval_gas_limit,
            };
            sum.checked_add(self.facts.transaction.worst_fee(gas_limit?)?)
        });
        let fee = fee.filter(|_| !assessed.calls.is_empty());
        let value = assessed.calls.iter().try_fold(Wei::zero(), |sum, call| sum.checked_add(call.value));
        let debit = match self.intent.paymaster {
            Some(_) => value.filter(|_| !assessed.calls.is_empty()),
            None => fee.zip(value).and_then(|(fee, value)| fee.checked_add(value)),
        };
        let amount = |amount: Option<Wei>| amount.map_or(Json::Null, Wei::to_json);
        let priority = assessed.priority.take();
        let priority = priority.as_ref();
        Json::object([
            ("schema", Json::text("coldbridge/quote/1")),
            ("intentId", self.id().map_or(Json::Null, Json::text)),
            ("baseCost", priority.and_then(|p| p.base_cost).map_or(Json::Null, BaseTokenUnits::to_json)),
            ("l2GasPrice", priority.and_then(|p| p.l2_gas_price).map_or(Json::Null, Json::display)),
            ("mintValue", priority.and_then(|p| p.mint_value).map_or(Json::Null, BaseTokenUnits::to_json)),
            ("minL2GasLimit", priority.and_then(|p| p.bounds).map_or(Json::Null, |b| b.floor.to_json_count())),
            ("maxL2GasLimit", priority.and_then(|p| p.bounds).map_or(Json::Null, |b| b.ceiling.to_json_count())),
            ("encodedLength", priority.map_or(Json::Null, |p| Json::count(p.encoded_length))),
            ("l1Fee", amount(fee.filter(|_| layer == Layer::L1))),
            ("l2Fee", amount(fee.filter(|_| layer == Layer::L2))),
            ("worstCaseDebit", debit.map_or(Json::Null, |debit| self.debits_json(debit, &assessed.debits))),
            ("derived", Json::object(assessed.derived.drain(..))),
            ("refusals", Json::Array(assessed.refusals.iter().map(Refusal::to_json).collect())),
        ])
    }

    /// `worstCaseDebit`: what pays for gas first, then one row an ERC-20.
    pub(crate) fn debits_json(&self, debit: Wei, erc20: &[(Address, U256)]) -> Json {
        let gas_token = ("token", Json::text(self.network.gas_token(self.layer())));
        let mut rows = vec![Json::object([gas_token, ("amount", debit.to_json())])];
        rows.extend(
            erc20.iter().map(|(token, amount)| {
                Json::object([("token", Json::display(token)), ("amount", Json::display(amount))])
            }),
        );
        Json::Array(rows)
    }
}
