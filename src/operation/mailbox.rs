//! What all L1 -> L2 requests share: their price, who they come from and who is refunded on L2, and the approvals.
//!
//! `mintValue` is in base-token units. On an ETH-based chain it is attached as value; on another the Bridgehub has the asset
//! router take it (`bridgehubDepositBaseToken`), so that it must be approved. Where the sender or the refund recipient has
//! code on L1, L2 knows it by its alias (`AddressAliasHelper.actualRefundRecipient`, applied by the Mailbox).
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/vendor/AddressAliasHelper.sol>

use ethabi::ethereum_types::U256;

use super::{
    AccountKind, Allowance, Call, CallGas, Check, Context, Plan, TokenName, approve, judge_recipient,
    judge_token_contract,
};
use crate::abi::{Function, ParamType};
use crate::address::Address;
use crate::asset::apply_l1_to_l2_alias;
use crate::json::Json;
use crate::network::BaseToken;
use crate::priority::{Assessment, PriorityRequest, PriorityRequestFacts, Shape};
use crate::refusal::{Code, Refusal};
use crate::units::{BaseTokenUnits, Wei};

/// The options of the intent that every L1 -> L2 request uses.
pub const OPTIONS: &[&str] = &["refundRecipient", "refundRecipientKind", "baseCostMarginPercent", "operatorTip"];
/// The facts that every L1 -> L2 request uses.
pub const FACTS: &[&str] = &["priorityRequest", "allowances", "approval"];

/// `Bridgehub.requestL2TransactionDirect`
/// (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridgehub/Bridgehub.sol>).
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

/// Who is named as the refund recipient, and who that is on L2.
#[derive(Debug, Clone, Copy)]
pub struct Refund {
    /// In the calldata.
    pub recipient: Address,
    /// After aliasing.
    pub l2_recipient: Address,
    /// What it is said to be on L1.
    pub kind: AccountKind,
}

impl Refund {
    /// Finds both, and what is unsafe about them.
    pub fn settle(context: &Context<'_>, refusals: &mut Vec<Refusal>) -> Self {
        const AT: &str = "/intent/refundRecipient";
        let explicit = context.refund_recipient.filter(|recipient| *recipient != context.from);
        if let Some(recipient) = context.refund_recipient {
            refusals.extend(judge_recipient(recipient, AT, context.network));
            refusals.extend(judge_token_contract(recipient, TokenName::Base, AT, context.network));
        }
        let contradicts = context.refund_recipient == Some(context.from)
            && context.refund_recipient_kind.is_some_and(|kind| kind != context.from_kind);
        if contradicts {
            refusals.push(Refusal::new(
                Code::REFUND_UNSAFE,
                "/intent/refundRecipientKind",
                format!("the refund recipient is the sender, which fromKind calls {}", context.from_kind.in_words()),
                "say the same of both, or leave refundRecipientKind out",
            ));
        }
        let recipient = explicit.unwrap_or(context.from);
        let explicit_kind = context.refund_recipient_kind.unwrap_or(AccountKind::Eoa);
        let kind = if explicit.is_some() { explicit_kind } else { context.from_kind };
        let has_code_rule = context.network.protocol_version.minor < 31;
        let is_aliased = match kind {
            AccountKind::Eoa => false,
            AccountKind::Delegated => has_code_rule,
            AccountKind::Contract => true,
        };
        let l2_recipient = if is_aliased { apply_l1_to_l2_alias(recipient) } else { recipient };
        if is_aliased && explicit.is_none() {
            refusals.push(
                Refusal::new(
                    Code::REFUND_UNSAFE,
                    AT,
                    format!(
                        "{} has code on L1 ({}), so that refunds would go to its alias {l2_recipient} on L2, and so would the whole amount if the L2 side fails",
                        context.from,
                        context.from_kind.name()
                    ),
                    "name as refundRecipient a plain account that you hold on L2",
                )
                .values("a plain account", recipient),
            );
        }
        Self { recipient, l2_recipient, kind }
    }
}

/// Whether what is said elsewhere shows that a recipient on L2 is a contract, which nobody holds there: a contract of L1 that
/// sends or is refunded, the token itself, the base token, a pinned token on either layer.
pub fn judge_known_contract(context: &Context<'_>, to: Address, token: TokenName, at: &str) -> Option<Refusal> {
    let what = if context.from_kind == AccountKind::Contract && to == context.from {
        "the sender, a contract on L1"
    } else if context.refund_recipient_kind == Some(AccountKind::Contract) && context.refund_recipient == Some(to) {
        "the refund recipient, a contract on L1"
    } else if token == TokenName::Erc20(to) || context.network.base_token == BaseToken::Erc20(to) {
        "a token's contract on L1"
    } else {
        return judge_token_contract(to, token, at, context.network);
    };
    Some(Refusal::new(
        Code::RECIPIENT_CONTRACT_SENDER,
        at,
        format!("{to} is {what}: on L2 nobody holds that address"),
        "write the address of an account that you hold on L2",
    ))
}

/// The sender that L2 sees for a request made in the account's own name: a contract's is aliased. An account with an
/// EIP-7702 delegation that sends its own transaction is `tx.origin`, and is not.
pub fn l2_sender(context: &Context<'_>) -> Address {
    match context.from_kind {
        AccountKind::Eoa | AccountKind::Delegated => context.from,
        AccountKind::Contract => apply_l1_to_l2_alias(context.from),
    }
}

/// Prices and judges a request; adds what follows to the plan. None without `facts.priorityRequest`.
pub fn assess<'a>(
    context: &Context<'a>,
    plan: &mut Plan,
    shape: Shape,
    l2_value: U256,
) -> Option<(&'a PriorityRequestFacts, Assessment)> {
    let Some(facts) = context.priority_request else {
        plan.refusals.push(Refusal::new(
            Code::JSON_MISSING_MEMBER,
            "/facts/priorityRequest",
            "missing: priorityRequest",
            "add the chain's fee parameters, multiplier and an l2GasLimit",
        ));
        return None;
    };
    let mut assessment = PriorityRequest {
        network: context.network,
        facts,
        shape,
        l2_value: BaseTokenUnits::new(l2_value),
        operator_tip: context.operator_tip,
        margin_percent: context.base_cost_margin_percent,
        gas_price_cap: context.gas_price_cap,
        gas_price_floor: context.gas_price_floor,
    }
    .assess();
    plan.refusals.append(&mut assessment.refusals);
    plan.checks.extend(checks(context, facts, &assessment));
    plan.priority = Some(assessment.clone());
    Some((facts, assessment))
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
                "bounded: l2GasLimit {} is from {} to {}, which the Mailbox accepts for {} bytes; what executing needs is the \
                 facts' claim",
                facts.l2_gas_limit, bounds.floor, bounds.ceiling, assessment.encoded_length
            ),
        });
    }
    checks.push(Check {
        name: "l2GasPerPubdataByteLimit",
        result: format!("recomputed: {} gas per pubdata byte is what the Mailbox accepts", facts.gas_per_pubdata),
    });
    checks
}

/// Says in the plan who sends and who is refunded on L2.
pub fn derive_accounts(context: &Context<'_>, plan: &mut Plan, l2_sender: Address, refund: Refund) {
    plan.checks.push(Check {
        name: "accounts",
        result: format!(
            "recomputed for protocol {}: on L2 the sender is {l2_sender} and refunds reach {}, if on L1 {} is {} and {} is {}, \
             as the intent says",
            context.network.protocol_version,
            refund.l2_recipient,
            context.from,
            context.from_kind.in_words(),
            refund.recipient,
            refund.kind.in_words(),
        ),
    });
    plan.derived.push(("refundRecipient", Json::display(refund.recipient)));
    plan.derived.push(("l2RefundRecipient", Json::display(refund.l2_recipient)));
    plan.derived.push(("l2Sender", Json::display(l2_sender)));
}

/// What an ERC-20 must be approved for, to whom.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// The ERC-20.
    pub token: Address,
    /// Who takes it.
    pub spender: Address,
    /// How much.
    pub amount: U256,
}

/// A plan that takes no ERC-20 has no use for facts about approvals; an empty list of allowances is none.
pub fn judge_no_approvals(context: &Context<'_>, plan: &mut Plan) {
    let is_some_allowed = context.allowances.is_some_and(|rows| !rows.is_empty());
    let given = [("allowances", is_some_allowed), ("approval", context.approval_gas_limit.is_some())];
    plan.refusals.extend(given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| {
        Refusal::new(
            Code::FACTS_UNUSED,
            format!("/facts/{name}"),
            "this plan approves nothing: no ERC-20 is taken from the account",
            "leave it out: a fact that nothing checks must not look as if it counted",
        )
    }));
}

/// Adds the approvals that the allowances leave open, in front of the calls of the plan: exact amounts, and approve(0) first
/// where a smaller allowance stands (USDT refuses to change one that is not zero).
pub fn add_approvals(context: &Context<'_>, plan: &mut Plan, needs: &[Need]) {
    const AT: &str = "/facts/allowances";
    let allowances = context.allowances.unwrap_or_default();
    let mut summed: Vec<Need> = Vec::new();
    for need in needs {
        match summed.iter_mut().find(|known| (known.token, known.spender) == (need.token, need.spender)) {
            Some(known) => known.amount = known.amount.saturating_add(need.amount),
            None => summed.push(*need),
        }
    }
    for (index, row) in allowances.iter().enumerate() {
        let same = |other: &Allowance| (other.token, other.spender) == (row.token, row.spender);
        if !summed.iter().any(|need| (need.token, need.spender) == (row.token, row.spender)) {
            plan.refusals.push(Refusal::new(
                Code::ALLOWANCES_UNUSED,
                format!("{AT}/{index}"),
                format!("the plan needs no allowance of {} for {}", row.token, row.spender),
                "leave it out; the plan names the tokens and spenders that it approves",
            ));
        } else if allowances.iter().take(index).any(same) {
            plan.refusals.push(Refusal::new(
                Code::ALLOWANCES_TWICE,
                format!("{AT}/{index}"),
                format!("the allowance of {} for {} stands twice", row.token, row.spender),
                "keep one, as the token's allowance(owner, spender) answers",
            ));
        }
    }
    let mut approvals = Vec::new();
    for need in summed {
        let allowed = allowances
            .iter()
            .find(|row| (row.token, row.spender) == (need.token, need.spender))
            .map_or(U256::zero(), |row| row.amount);
        plan.checks.push(Check {
            name: "allowances",
            result: format!(
                "claimed: {} may take {allowed} of {}, {} are needed",
                need.spender, need.token, need.amount
            ),
        });
        if allowed >= need.amount {
            continue;
        }
        if !allowed.is_zero() {
            approvals.push(approval(need.token, need.spender, U256::zero()));
        }
        approvals.push(approval(need.token, need.spender, need.amount));
    }
    plan.calls.splice(0..0, approvals);
}

fn approval(token: Address, spender: Address, amount: U256) -> Call {
    Call {
        purpose: approve::OPERATION.name,
        to: token,
        value: Wei::zero(),
        calldata: approve::calldata(spender, amount),
        factory_deps: Vec::new(),
        gas: CallGas::Approval,
        words: approve::words(token, spender, amount),
    }
}

/// The value that goes with a request, and what must be approved for it: mintValue as ETH, or as the base token.
pub fn pay_mint_value(context: &Context<'_>, plan: &mut Plan, mint_value: BaseTokenUnits) -> (Wei, Option<Need>) {
    match context.network.base_token {
        BaseToken::Eth => (mint_value.as_l1_value(), None),
        BaseToken::Erc20(token) => {
            debit(plan, token, mint_value.get());
            let spender = context.network.second_bridge();
            // A base token of another chain is burned by the vault that minted it: nothing is pulled.
            let is_pulled = context.network.base_token_origin().chain_id == context.network.l1_chain_id;
            (Wei::zero(), is_pulled.then_some(Need { token, spender, amount: mint_value.get() }))
        }
    }
}

/// Adds to what leaves the account in a token.
pub fn debit(plan: &mut Plan, token: Address, amount: U256) {
    match plan.debits.iter_mut().find(|(known, _)| *known == token) {
        Some((_, sum)) => *sum = sum.saturating_add(amount),
        None => plan.debits.push((token, amount)),
    }
}
