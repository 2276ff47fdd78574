//! Deposit ETH to an ETH-based chain: one call of Bridgehub.requestL2TransactionDirect.
//!
//! Route 1 of five. `_requestL2TransactionDirect` asks for msg.value == mintValue on an ETH-based chain
//! (`MsgValueMismatch`), and the Mailbox for mintValue >= baseCost + l2Value (`MsgValueTooLow`). l2Value is exactly the
//! amount: with less, the difference would silently be minted to the refund recipient.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridgehub/Bridgehub.sol>

use ethabi::ethereum_types::U256;

use super::{Body, Call, Check, Context, GasToken, Operation, Plan, Recognised, Seen, judge_amount, judge_recipient};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Layer};
use crate::priority::{Assessment, PriorityRequest, PriorityRequestFacts, Shape};
use crate::refusal::{Code, Refusal};
use crate::units::{BaseTokenUnits, Wei, with_decimals};

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "deposit",
    layer: Layer::L1,
    summary: "Move ETH from L1 to an account on the L2 chain",
    functions: &[&REQUEST_L2_TRANSACTION_DIRECT],
    options: &["refundRecipient", "baseCostMarginPercent", "operatorTip"],
    facts: &["priorityRequest"],
    read,
    recognise,
};

/// `Bridgehub.requestL2TransactionDirect`.
pub const REQUEST_L2_TRANSACTION_DIRECT: Function = Function {
    signature: "requestL2TransactionDirect((uint256,uint256,address,uint256,bytes,uint256,uint256,bytes[],address))",
    selector: [0xd5, 0x24, 0x71, 0xc1],
    parameters: || {
        vec![ParamType::Tuple(vec![
            ParamType::Uint(256),                         // chainId
            ParamType::Uint(256),                         // mintValue
            ParamType::Address,                           // l2Contract
            ParamType::Uint(256),                         // l2Value
            ParamType::Bytes,                             // l2Calldata
            ParamType::Uint(256),                         // l2GasLimit
            ParamType::Uint(256),                         // l2GasPerPubdataByteLimit
            ParamType::Array(Box::new(ParamType::Bytes)), // factoryDeps
            ParamType::Address,                           // refundRecipient
        ])]
    },
};

struct Deposit {
    token: GasToken,
    amount: Wei,
    to: Address,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["token", "amount", "to"], &[])?;
    Ok(Box::new(Deposit {
        token: GasToken::read(&members.required("token")?)?,
        amount: Wei::new(members.required("amount")?.amount()?),
        to: members.required("to")?.address(spelling)?,
    }))
}

impl Body for Deposit {
    fn to_json(&self) -> Json {
        Json::object([
            ("token", self.token.to_json()),
            ("amount", self.amount.to_json()),
            ("to", Json::display(self.to)),
        ])
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/deposit";
        let network = context.network;
        let refund_recipient = context.refund_recipient.unwrap_or(context.from);
        let mut plan = Plan::default();
        if let BaseToken::Erc20(token) = network.base_token {
            plan.refusals.push(Refusal::new(
                Code::TOKEN_UNSUPPORTED,
                format!("{AT}/token"),
                format!(
                    "the base token of {} is ERC-20 {token}: that route is not built by this version",
                    network.name
                ),
                "choose a network whose base token is ETH",
            ));
        }
        plan.refusals.extend(judge_recipient(self.to, &format!("{AT}/to"), network));
        plan.refusals.extend(judge_amount(self.amount, &format!("{AT}/amount")));
        if let Some(explicit) = context.refund_recipient {
            plan.refusals.extend(judge_recipient(explicit, "/intent/refundRecipient", network));
        }
        let Some(facts) = context.priority_request else {
            plan.refusals.push(Refusal::new(
                Code::JSON_MISSING_MEMBER,
                "/facts/priorityRequest",
                "missing: priorityRequest",
                "add the chain's fee parameters, multiplier and an l2GasLimit",
            ));
            return plan;
        };
        let mut assessment = PriorityRequest {
            network,
            facts,
            shape: Shape { calldata_length: 0, factory_deps: 0 },
            l2_value: BaseTokenUnits::new(self.amount.get()),
            operator_tip: context.operator_tip,
            margin_percent: context.base_cost_margin_percent,
            gas_price_cap: context.gas_price_cap,
        }
        .assess();
        plan.refusals.append(&mut assessment.refusals);
        plan.derived.push(("refundRecipient", Json::display(refund_recipient)));
        if let (Some(mint_value), BaseToken::Eth) = (assessment.mint_value, network.base_token) {
            plan.checks = checks(context, facts, &assessment);
            plan.calls.push(Call {
                purpose: OPERATION.name,
                to: network.bridgehub,
                value: mint_value.as_l1_value(),
                calldata: REQUEST_L2_TRANSACTION_DIRECT.call(&[Token::Tuple(vec![
                    abi::uint(network.l2_chain_id),
                    abi::uint(mint_value.get()),
                    abi::address(self.to),
                    abi::uint(self.amount.get()),
                    Token::Bytes(Vec::new()),
                    abi::uint(facts.l2_gas_limit.get()),
                    abi::uint(facts.gas_per_pubdata.get()),
                    Token::Array(Vec::new()),
                    abi::address(refund_recipient),
                ])]),
            });
        }
        plan.priority = Some(assessment);
        plan
    }
}

fn checks(context: &Context<'_>, facts: &PriorityRequestFacts, assessment: &Assessment) -> Vec<Check> {
    let mut checks = Vec::new();
    if let (Some((cap, _)), Some(base_cost), Some(mint_value)) =
        (context.gas_price_cap, assessment.base_cost, assessment.mint_value)
    {
        checks.push(Check {
            name: "mintValue",
            result: format!(
                "recomputed: mintValue {mint_value} covers the base cost {base_cost} and l2Value at every L1 gas price up to \
                 {cap} wei, if the chain's fee parameters still are {}",
                facts.in_words()
            ),
        });
    }
    if let Some(bounds) = assessment.bounds {
        checks.push(Check {
            name: "l2GasLimit",
            result: format!(
                "bounded: l2GasLimit {} is from {} to {}, which the Mailbox accepts; what executing needs is the facts' claim",
                facts.l2_gas_limit, bounds.floor, bounds.ceiling
            ),
        });
    }
    checks.push(Check {
        name: "l2GasPerPubdataByteLimit",
        result: format!("recomputed: it is {}, the only value that the Mailbox accepts", facts.gas_per_pubdata),
    });
    checks
}

fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let arguments = REQUEST_L2_TRANSACTION_DIRECT.arguments(seen.data)?;
    let [Token::Tuple(request)] = arguments.as_slice() else { return None };
    let [chain_id, mint_value, to, amount, Token::Bytes(calldata), gas, per_pubdata, Token::Array(deps), refund] =
        request.as_slice()
    else {
        return None;
    };
    let (mint_value, amount) = (abi::as_uint(mint_value)?, abi::as_uint(amount)?);
    let (to, refund) = (abi::as_address(to)?, abi::as_address(refund)?);
    let (gas, per_pubdata) = (abi::as_uint(gas)?, abi::as_uint(per_pubdata)?);
    let is_ours = seen.to == network.bridgehub
        && network.base_token == BaseToken::Eth
        && abi::as_uint(chain_id)? == U256::from(network.l2_chain_id)
        && calldata.is_empty()
        && deps.is_empty()
        && seen.value.get() == mint_value;
    if !is_ours {
        return None;
    }
    let eth = |value: U256| format!("{} ETH ({value} wei)", with_decimals(value, 18));
    Some(Recognised {
        name: OPERATION.name,
        body: Json::object([
            ("token", Json::text("eth")),
            ("amount", Json::display(amount)),
            ("to", Json::display(to)),
        ]),
        call: Json::object([
            ("function", Json::text("requestL2TransactionDirect")),
            (
                "arguments",
                Json::object([
                    ("chainId", Json::count(network.l2_chain_id)),
                    ("mintValue", Json::display(mint_value)),
                    ("l2Contract", Json::display(to)),
                    ("l2Value", Json::display(amount)),
                    ("l2Calldata", Json::text("0x")),
                    ("l2GasLimit", Json::count(gas)),
                    ("l2GasPerPubdataByteLimit", Json::count(per_pubdata)),
                    ("factoryDeps", Json::Array(Vec::new())),
                    ("refundRecipient", Json::display(refund)),
                ]),
            ),
        ]),
        lines: vec![
            ("deposit", eth(amount)),
            ("to (on L2)", format!("{to} on {} (chain {})", network.name, network.l2_chain_id)),
            ("refunds go to", format!("{refund} on L2: everything but the fee, if the L2 side fails")),
            ("L2 fee max", eth(mint_value.checked_sub(amount)?)),
            ("L2 gas limit", format!("{gas}, {per_pubdata} per pubdata byte")),
        ],
    })
}
