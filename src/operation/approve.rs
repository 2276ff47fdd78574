//! Approve an exact amount of an ERC-20 to one of the network's bridges: `approve(address,uint256)` of EIP-20.
//!
//! The spender is one of the contracts that take tokens on L1 (`transferFundsToNTV`): the asset router, the native token
//! vault, the legacy ERC-20 bridge. Never the Bridgehub or the Nullifier, which never pull what they are approved for. On L2 the
//! native token vault takes what is native there; a withdrawal approves it by itself, and only so.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridge/asset-router/L1AssetRouter.sol>

use ethabi::ethereum_types::U256;

use super::{
    Body, Call, CallGas, Check, Context, Operation, Plan, Recognised, Seen, TokenName, amount_in_words, judge_l1_token,
};
use crate::abi::{self, Function, ParamType};
use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::network::{Layer, Network};
use crate::refusal::{Code, Refusal};
use crate::units::Wei;

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "approve",
    layers: &[Layer::L1, Layer::L2],
    summary: "Let one of the network's bridges take an exact amount of an ERC-20",
    functions: &[&APPROVE],
    options: &[],
    facts: &[],
    read,
    recognise,
};

/// `IERC20.approve`.
pub const APPROVE: Function = Function {
    signature: "approve(address,uint256)",
    selector: [0x09, 0x5e, 0xa7, 0xb3],
    parameters: || vec![ParamType::Address, ParamType::Uint(256)],
};

struct Approve {
    token: Address,
    spender: Address,
    amount: U256,
}

fn read(cursor: &Cursor<'_>, _: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["token", "spender", "amount"], &[])?;
    Ok(Box::new(Approve {
        token: members.required("token")?.address(Spelling::AnyCase)?,
        spender: members.required("spender")?.address(Spelling::AnyCase)?,
        amount: members.required("amount")?.amount()?,
    }))
}

/// The calldata of an approval.
pub fn calldata(spender: Address, amount: U256) -> Vec<u8> {
    APPROVE.call(&[abi::address(spender), abi::uint(amount)])
}

/// The body of an approval.
pub fn words(token: Address, spender: Address, amount: U256) -> Json {
    Json::object([
        ("token", Json::display(token)),
        ("spender", Json::display(spender)),
        ("amount", Json::display(amount)),
    ])
}

/// The contracts of a network that take approved tokens, by their field names.
fn spenders(network: &Network, layer: Layer) -> Vec<(&'static str, Address)> {
    if layer == Layer::L2 {
        let vault = ("L2NativeTokenVault", Address::L2_NATIVE_TOKEN_VAULT);
        return network.has_asset_router().then_some(vault).into_iter().collect();
    }
    let taking: &[&str] = if network.has_asset_router() {
        &["l1AssetRouter", "l1NativeTokenVault", "l1Erc20Bridge", "customBridge"]
    } else {
        &["l1Nullifier", "l1Erc20Bridge", "customBridge"]
    };
    network.contracts().into_iter().filter(|(field, _)| taking.contains(field)).collect()
}

/// Whether an address can be an ERC-20 at all: not zero, not one of the ways to write ETH, not the system's.
pub(super) fn judge_token(token: Address, at: &str, network: &Network) -> Option<Refusal> {
    let bridges = network.contracts().into_iter().filter(|(_, address)| Some(*address) != network.l1_weth);
    if let Some((field, _)) = bridges.into_iter().find(|(_, address)| *address == token) {
        return Some(Refusal::new(
            Code::TOKEN_SYSTEM,
            at,
            format!("{token} is the {field} of {}, no ERC-20", network.name),
            "write the address of the ERC-20",
        ));
    }
    token.is_system().then(|| {
        Refusal::new(
            Code::TOKEN_SYSTEM,
            at,
            format!(
                "{token} is no ERC-20: the zero address, 0x...01 and 0x...800A are ways to write ETH or the base token"
            ),
            "write \"eth\" for ETH, \"base\" for the chain's base token, or the address of the ERC-20",
        )
    })
}

impl Body for Approve {
    fn to_json(&self) -> Json {
        words(self.token, self.spender, self.amount)
    }

    fn layer(&self) -> Layer {
        Layer::L1
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/approve";
        let mut plan = Plan::default();
        let spenders = spenders(context.network, Layer::L1);
        plan.refusals.extend(judge_l1_token(self.token, &format!("{AT}/token"), context.network));
        if let Some((field, _)) = spenders.iter().find(|(_, known)| *known == self.spender) {
            plan.checks.push(Check {
                name: "spender",
                result: format!("pinned: {} is the {field} of {}", self.spender, context.network.name),
            });
        } else {
            let known: Vec<String> = spenders.iter().map(|(field, known)| format!("{known} ({field})")).collect();
            plan.refusals.push(
                Refusal::new(
                    Code::APPROVE_SPENDER,
                    format!("{AT}/spender"),
                    format!("{} is no contract of {} that takes tokens", self.spender, context.network.name),
                    format!("approve one of: {}", known.join(", ")),
                )
                .values(known.join(", "), self.spender),
            );
        }
        plan.calls.push(Call {
            purpose: OPERATION.name,
            to: self.token,
            value: Wei::zero(),
            calldata: calldata(self.spender, self.amount),
            factory_deps: Vec::new(),
            gas: CallGas::Main,
            words: self.to_json(),
        });
        plan
    }
}

fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    let arguments = APPROVE.arguments(seen.data)?;
    let [spender, amount] = arguments.as_slice() else { return None };
    let (spender, amount) = (abi::as_address(spender)?, abi::as_uint(amount)?);
    let (field, _) = spenders(seen.network, seen.layer).into_iter().find(|(_, known)| *known == spender)?;
    if !seen.value.is_zero() {
        return None;
    }
    Some(Recognised {
        name: OPERATION.name,
        body: words(seen.to, spender, amount),
        call: Json::object([
            ("function", Json::text("approve")),
            ("arguments", Json::object([("spender", Json::display(spender)), ("amount", Json::display(amount))])),
        ]),
        debits: Vec::new(),
        warnings: (amount == U256::MAX).then(|| "the allowance is without limit".to_owned()).into_iter().collect(),
        lines: vec![
            ("approve", amount_in_words(seen.network, seen.layer, TokenName::Erc20(seen.to), amount)),
            ("spender", format!("{spender} ({field} of {})", seen.network.name)),
        ],
    })
}
