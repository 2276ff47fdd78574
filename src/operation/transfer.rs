//! Transfer the base token or an ERC-20 on L2: a plain value, or `transfer(address,uint256)` of EIP-20.
//!
//! The recipient is an account of L2. Nobody spends from the zero address, the system's, the bridges' or a token's own contract.
//! <https://eips.ethereum.org/EIPS/eip-20>

use super::{
    Body, Call, CallGas, Check, Context, Movement, Operation, Plan, Recognised, Seen, TokenName, amount_in_words,
    judge_l2_token, judge_token_contract,
};
use crate::abi::{self, Function, ParamType};
use crate::address::Spelling;
use crate::fees::judge_era_value;
use crate::json::{Cursor, Json};
use crate::network::{Layer, Vm};
use crate::refusal::Refusal;
use crate::units::Wei;

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "transfer",
    layers: &[Layer::L2],
    summary: "Send the base token or an ERC-20 to an account on L2",
    functions: &[&TRANSFER],
    options: &[],
    facts: &[],
    read,
    recognise,
};

/// `IERC20.transfer`.
pub const TRANSFER: Function = Function {
    signature: "transfer(address,uint256)",
    selector: [0xa9, 0x05, 0x9c, 0xbb],
    parameters: || vec![ParamType::Address, ParamType::Uint(256)],
};

struct Transfer {
    movement: Movement,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(Movement::MEMBERS, &[])?;
    Ok(Box::new(Transfer { movement: Movement::read(&members, spelling)? }))
}

impl Body for Transfer {
    fn to_json(&self) -> Json {
        Json::object(self.movement.members(self.movement.token.to_json()))
    }

    fn layer(&self) -> Layer {
        Layer::L2
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/transfer";
        let network = context.network;
        let Movement { token, amount, to } = self.movement;
        let mut plan = Plan::default();
        plan.refusals.extend(judge_l2_token(token, &format!("{AT}/token"), network));
        plan.refusals.extend(self.movement.judge(AT, network));
        plan.refusals.extend(judge_token_contract(to, token, &format!("{AT}/to"), network));
        plan.checks.push(Check {
            name: "to",
            result: format!("recomputed: {to} is no zero, system, bridge or token address of {}", network.name),
        });
        let (name, to, value, calldata) = match token {
            TokenName::Eth | TokenName::Base => {
                if network.vm == Vm::EraVm {
                    plan.refusals.extend(judge_era_value(Wei::new(amount), &format!("{AT}/amount")));
                }
                (TokenName::base_of(network), to, Wei::new(amount), Vec::new())
            }
            TokenName::Erc20(contract) => {
                super::mailbox::debit(&mut plan, contract, amount);
                (token, contract, Wei::zero(), TRANSFER.call(&[abi::address(to), abi::uint(amount)]))
            }
        };
        plan.calls.push(Call {
            purpose: OPERATION.name,
            to,
            value,
            calldata,
            factory_deps: Vec::new(),
            gas: CallGas::Main,
            words: Json::object(self.movement.members(name.to_json())),
        });
        plan
    }
}

fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let (movement, call, debits) = if seen.data.is_empty() {
        // Nothing sent to oneself is a cancellation, and to another nothing at all.
        if seen.value.is_zero() {
            return None;
        }
        let token = TokenName::base_of(network);
        (Movement { token, amount: seen.value.get(), to: seen.to }, Json::Null, Vec::new())
    } else {
        let arguments = TRANSFER.arguments(seen.data)?;
        let [to, amount] = arguments.as_slice() else { return None };
        let (to, amount) = (abi::as_address(to)?, abi::as_uint(amount)?);
        if !seen.value.is_zero() {
            return None;
        }
        let call = Json::object([
            ("function", Json::text("transfer")),
            ("arguments", Json::object([("to", Json::display(to)), ("value", Json::display(amount))])),
        ]);
        (Movement { token: TokenName::Erc20(seen.to), amount, to }, call, vec![(seen.to, amount)])
    };
    Some(Recognised {
        name: OPERATION.name,
        body: Json::object(movement.members(movement.token.to_json())),
        call,
        debits,
        warnings: Vec::new(),
        lines: vec![
            ("transfer", amount_in_words(network, Layer::L2, movement.token, movement.amount)),
            ("to (on L2)", format!("{} on {} (chain {})", movement.to, network.name, network.l2_chain_id)),
        ],
    })
}
