//! Withdraw the base token: one call of L2BaseToken.withdraw with the amount attached as value.
//!
//! The L1 receiver is fixed in the message that the call sends; nobody can change it later, so one that L1 can never pay
//! is refused here. `_burnMsgValue` accepts 0 and emits an empty withdrawal: gas spent for nothing, refused too.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/L2BaseToken.sol>

use super::{
    Body, Call, CallGas, Check, Context, Movement, Operation, Plan, Recognised, Seen, TokenName, amount_in_words,
};
use crate::abi::{self, Function, ParamType};
use crate::address::{Address, Spelling};
use crate::fees::judge_era_value;
use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Layer, Network, Vm};
use crate::refusal::{Code, Refusal};
use crate::units::Wei;

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "withdraw",
    layers: &[Layer::L2],
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
    movement: Movement,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(Movement::MEMBERS, &[])?;
    Ok(Box::new(Withdraw { movement: Movement::read(&members, spelling)? }))
}

/// The name of the base token: ETH is called by its name.
fn base_token_name(network: &Network) -> TokenName {
    match network.base_token {
        BaseToken::Eth => TokenName::Eth,
        BaseToken::Erc20(_) => TokenName::Base,
    }
}

impl Body for Withdraw {
    fn to_json(&self) -> Json {
        Json::object(self.movement.members(self.movement.token.to_json()))
    }

    fn layer(&self) -> Layer {
        Layer::L2
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/withdraw";
        let network = context.network;
        let Movement { token, amount, to } = self.movement;
        let mut plan = Plan::default();
        let other = match (token, network.base_token) {
            (TokenName::Erc20(token), _) => Some(format!("ERC-20 {token} is not the base token")),
            (TokenName::Eth, BaseToken::Erc20(base)) => {
                Some(format!("the base token of {} is ERC-20 {base}, not ETH", network.name))
            }
            _ => None,
        };
        plan.refusals.extend(other.map(|problem| {
            Refusal::new(
                Code::TOKEN_UNSUPPORTED,
                format!("{AT}/token"),
                format!("{problem}: its withdrawal is not built by this version"),
                "write \"base\" for the chain's base token",
            )
        }));
        plan.refusals.extend(self.movement.judge(AT, network));
        if network.vm == Vm::EraVm {
            plan.refusals.extend(judge_era_value(Wei::new(amount), &format!("{AT}/amount")));
        }
        plan.checks.push(Check {
            name: "to",
            result: format!("recomputed: {to} is no zero, system or bridge address, so that L1 can pay it"),
        });
        plan.calls.push(Call {
            purpose: OPERATION.name,
            to: Address::L2_BASE_TOKEN,
            value: Wei::new(amount),
            calldata: WITHDRAW.call(&[abi::address(to)]),
            gas: CallGas::Main,
            words: Json::object(self.movement.members(base_token_name(network).to_json())),
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
    let token = base_token_name(network);
    let movement = Movement { token, amount: seen.value.get(), to };
    Some(Recognised {
        name: OPERATION.name,
        body: Json::object(movement.members(token.to_json())),
        call: Json::object([
            ("function", Json::text("withdraw")),
            ("arguments", Json::object([("_l1Receiver", Json::display(to))])),
        ]),
        debits: Vec::new(),
        warnings: Vec::new(),
        lines: vec![
            ("withdraw", amount_in_words(network, token, seen.value.get())),
            ("to (on L1)", format!("{to} on chain {} (fixed for good once this is mined)", network.l1_chain_id)),
            ("then", "finalize on L1 when the batch is executed".to_owned()),
        ],
    })
}
