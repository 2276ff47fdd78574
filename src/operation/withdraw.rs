//! Withdraw the base token: one call of L2BaseToken.withdraw with the amount attached as value.
//!
//! The L1 receiver is fixed in the message that the call sends; nobody can change it later, so one that L1 can never pay
//! is refused here. `_burnMsgValue` accepts 0 and emits an empty withdrawal: gas spent for nothing, refused too.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/L2BaseToken.sol>

use super::{Body, Call, Check, Context, GasToken, Operation, Plan, Recognised, Seen, judge_amount, judge_recipient};
use crate::abi::{self, Function, ParamType};
use crate::address::{Address, Spelling};
use crate::fees::judge_era_value;
use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Layer, Vm};
use crate::refusal::{Code, Refusal};
use crate::units::{Wei, with_decimals};

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "withdraw",
    layer: Layer::L2,
    summary: "Start a withdrawal of the chain's base token from L2 to an account on L1",
    functions: &[&WITHDRAW],
    options: &[],
    facts: &[],
    read,
    recognise,
};

/// `L2BaseToken.withdraw`.
pub const WITHDRAW: Function = Function {
    signature: "withdraw(address)",
    selector: [0x51, 0xcf, 0xf8, 0xd9],
    parameters: || vec![ParamType::Address],
};

struct Withdraw {
    token: GasToken,
    amount: Wei,
    to: Address,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["token", "amount", "to"], &[])?;
    Ok(Box::new(Withdraw {
        token: GasToken::read(&members.required("token")?)?,
        amount: Wei::new(members.required("amount")?.amount()?),
        to: members.required("to")?.address(spelling)?,
    }))
}

impl Body for Withdraw {
    fn to_json(&self) -> Json {
        Json::object([
            ("token", self.token.to_json()),
            ("amount", self.amount.to_json()),
            ("to", Json::display(self.to)),
        ])
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/withdraw";
        let network = context.network;
        let mut plan = Plan::default();
        if let (GasToken::Eth, BaseToken::Erc20(token)) = (self.token, network.base_token) {
            plan.refusals.push(Refusal::new(
                Code::TOKEN_UNSUPPORTED,
                format!("{AT}/token"),
                format!(
                    "the base token of {} is ERC-20 {token}, not ETH: that route is not built by this version",
                    network.name
                ),
                "write \"base\" for the chain's base token",
            ));
        }
        plan.refusals.extend(judge_recipient(self.to, &format!("{AT}/to"), network));
        plan.refusals.extend(judge_amount(self.amount, &format!("{AT}/amount")));
        if network.vm == Vm::EraVm {
            plan.refusals.extend(judge_era_value(self.amount, &format!("{AT}/amount")));
        }
        plan.checks.push(Check {
            name: "to",
            result: format!("recomputed: {} is no zero, system or bridge address, so that L1 can pay it", self.to),
        });
        plan.calls.push(Call {
            purpose: OPERATION.name,
            to: Address::L2_BASE_TOKEN,
            value: self.amount,
            calldata: WITHDRAW.call(&[abi::address(self.to)]),
        });
        plan
    }
}

fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let arguments = WITHDRAW.arguments(seen.data)?;
    let to = abi::as_address(arguments.first()?)?;
    if seen.to != Address::L2_BASE_TOKEN {
        return None;
    }
    let (word, amount) = match network.base_token {
        BaseToken::Eth => ("eth", format!("{} ETH ({} wei)", with_decimals(seen.value.get(), 18), seen.value)),
        BaseToken::Erc20(token) => ("base", format!("{} base units of token {token}", seen.value)),
    };
    Some(Recognised {
        name: OPERATION.name,
        body: Json::object([("token", Json::text(word)), ("amount", seen.value.to_json()), ("to", Json::display(to))]),
        call: Json::object([
            ("function", Json::text("withdraw")),
            ("arguments", Json::object([("_l1Receiver", Json::display(to))])),
        ]),
        lines: vec![
            ("withdraw", amount),
            ("to (on L1)", format!("{to} on chain {} (fixed for good once this is mined)", network.l1_chain_id)),
            ("then", "finalize on L1 when the batch is executed".to_owned()),
        ],
    })
}
