//! Withdraw: start a withdrawal of the base token or of an ERC-20 from L2 to an account on L1.
//!
//! | token | form | call |
//! |---|---|---|
//! | base token | - | `L2BaseToken.withdraw(address)`, with a `message` `withdrawWithMessage(address,bytes)` |
//! | ERC-20, since v26 | `assetRouter` | `L2AssetRouter.withdraw(bytes32,bytes)`: any asset, by its id |
//! | ERC-20 of L1, since v26 | `legacyAssetRouter` | `L2AssetRouter.withdraw(address,address,uint256)` |
//! | ERC-20 of L1 | `legacyBridge` | `L2SharedBridgeLegacy.withdraw(address,address,uint256)`; all there is before v26 |
//!
//! The asset id follows from where the token is native, never from the current chain alone. What is native to L2 itself is
//! taken by the native token vault, which must be approved first; everything else is burned. The L1 receiver is fixed in the
//! message that the call sends; nobody can change it later, so one that L1 can never pay is refused here.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridge/asset-router/L2AssetRouter.sol>
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/L2BaseToken.sol>

mod recognise;

use super::mailbox::{self, Need};
use super::{
    AccountKind, Body, Call, CallGas, Check, Context, Movement, Operation, Plan, TokenName, approve, judge_l2_token,
    judge_token_contract,
};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::asset::AssetId;
use crate::fees::judge_era_value;
use crate::json::{Cursor, Json};
use crate::network::{Layer, MAX_CHAIN_ID, Network, TokenOrigin, Vm};
use crate::refusal::{Code, Refusal, contract_error};
use crate::units::Wei;
use recognise::{recognise, words};

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "withdraw",
    layers: &[Layer::L2],
    summary: "Start a withdrawal of the base token or of an ERC-20 from L2 to an account on L1",
    functions: &[&WITHDRAW, &WITHDRAW_WITH_MESSAGE, &WITHDRAW_ASSET, &WITHDRAW_LEGACY, &approve::APPROVE],
    options: &[],
    facts: &["allowances", "approval"],
    read,
    recognise,
};

/// `L2BaseToken.withdraw`.
pub const WITHDRAW: Function = Function {
    signature: "withdraw(address)",
    selector: [0x51, 0xcf, 0xf8, 0xd9],
    parameters: || vec![ParamType::Address],
};

/// `L2BaseToken.withdrawWithMessage`.
pub const WITHDRAW_WITH_MESSAGE: Function = Function {
    signature: "withdrawWithMessage(address,bytes)",
    selector: [0x84, 0xbc, 0x3e, 0xb0],
    parameters: || vec![ParamType::Address, ParamType::Bytes],
};

/// `L2AssetRouter.withdraw`.
pub const WITHDRAW_ASSET: Function = Function {
    signature: "withdraw(bytes32,bytes)",
    selector: [0x4a, 0x2e, 0x35, 0xba],
    parameters: || vec![ParamType::FixedBytes(32), ParamType::Bytes],
};

/// `L2AssetRouter.withdraw` for tokens of L1, and `L2SharedBridgeLegacy.withdraw`.
pub const WITHDRAW_LEGACY: Function = Function {
    signature: "withdraw(address,address,uint256)",
    selector: [0xd9, 0xca, 0xed, 0x12],
    parameters: || vec![ParamType::Address, ParamType::Address, ParamType::Uint(256)],
};

/// What the native token vault burns by: `DataEncoding.encodeBridgeBurnData`.
const BURN_DATA: &[ParamType] = &[ParamType::Uint(256), ParamType::Address, ParamType::Address];

const AT: &str = "/intent/operation/withdraw";

/// Which contract an ERC-20 is handed to, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `withdraw(bytes32,bytes)` of the asset router.
    AssetRouter,
    /// `withdraw(address,address,uint256)` of the asset router.
    LegacyAssetRouter,
    /// The chain's legacy shared bridge.
    LegacyBridge,
}

impl Form {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("assetRouter", Self::AssetRouter),
        ("legacyAssetRouter", Self::LegacyAssetRouter),
        ("legacyBridge", Self::LegacyBridge),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::AssetRouter => "assetRouter",
            Self::LegacyAssetRouter => "legacyAssetRouter",
            Self::LegacyBridge => "legacyBridge",
        }
    }

    /// What a network takes by itself.
    fn default_of(network: &Network) -> Self {
        if network.has_asset_router() { Self::AssetRouter } else { Self::LegacyBridge }
    }
}

struct Withdraw {
    movement: Movement,
    form: Option<Form>,
    message: Option<Vec<u8>>,
    origin: Option<TokenOrigin>,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(Movement::MEMBERS, &["form", "message", "tokenOrigin"])?;
    Ok(Box::new(Withdraw {
        movement: Movement::read(&members, spelling)?,
        form: members.optional("form").map(|form| form.choice(Form::WORDS)).transpose()?,
        message: members.optional("message").map(|message| message.bytes()).transpose()?,
        origin: members.optional("tokenOrigin").map(|origin| TokenOrigin::read(&origin)).transpose()?,
    }))
}

impl Body for Withdraw {
    fn to_json(&self) -> Json {
        let mut members = self.movement.members(self.movement.token.to_json());
        members.extend(self.form.map(|form| ("form", Json::text(form.name()))));
        members.extend(self.message.as_ref().map(|message| ("message", Json::bytes(message))));
        members.extend(self.origin.map(|origin| ("tokenOrigin", origin.to_json())));
        Json::object(members)
    }

    fn layer(&self) -> Layer {
        Layer::L2
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        let network = context.network;
        let Movement { token, to, .. } = self.movement;
        let mut plan = Plan::default();
        plan.refusals.extend(judge_l2_token(token, &format!("{AT}/token"), network));
        plan.refusals.extend(self.movement.judge(AT, network));
        plan.refusals.extend(self.judge_receiver(network));
        plan.refusals.extend((context.from_kind == AccountKind::Contract && self.movement.to == context.from).then(
            || {
                Refusal::new(
                    Code::RECIPIENT_CONTRACT_SENDER,
                    format!("{AT}/to"),
                    format!("{} is a contract on L2: on L1 nobody holds that address", context.from),
                    "write the address of an account that you hold on L1",
                )
            },
        ));
        plan.checks.push(Check {
            name: "to",
            result: format!("recomputed: {to} is no zero, system, bridge or token address, so that L1 can pay it"),
        });
        match token {
            TokenName::Eth | TokenName::Base => self.plan_base_token(context, &mut plan),
            TokenName::Erc20(token) => self.plan_erc20(context, &mut plan, token),
        }
        plan
    }
}

impl Withdraw {
    /// The message pays an account of L1: the token's own contracts are none.
    fn judge_receiver(&self, network: &Network) -> Option<Refusal> {
        let at = format!("{AT}/to");
        let home = self.origin.filter(|origin| origin.chain_id == network.l1_chain_id);
        judge_token_contract(self.movement.to, self.movement.token, &at, network)
            .or_else(|| judge_token_contract(self.movement.to, TokenName::Erc20(home?.token), &at, network))
    }

    fn plan_base_token(&self, context: &Context<'_>, plan: &mut Plan) {
        let network = context.network;
        let Movement { amount, to, .. } = self.movement;
        if self.form.is_some() {
            plan.refusals.push(Refusal::new(
                Code::WITHDRAW_FORM,
                format!("{AT}/form"),
                "the base token is withdrawn by its own contract: there is no form to choose",
                "leave form out",
            ));
        }
        if self.origin.is_some() {
            plan.refusals.push(Refusal::new(
                Code::TOKEN_ORIGIN,
                format!("{AT}/tokenOrigin"),
                "ETH and the base token have no other origin",
                "leave it out",
            ));
        }
        if network.vm == Vm::EraVm {
            plan.refusals.extend(judge_era_value(Wei::new(amount), &format!("{AT}/amount")));
        }
        mailbox::judge_no_approvals(context, plan);
        let calldata = match &self.message {
            None => WITHDRAW.call(&[abi::address(to)]),
            Some(message) => WITHDRAW_WITH_MESSAGE.call(&[abi::address(to), Token::Bytes(message.clone())]),
        };
        let mut words = self.movement.members(TokenName::base_of(network).to_json());
        words.extend(self.message.as_ref().map(|message| ("message", Json::bytes(message))));
        plan.calls.push(Call {
            purpose: OPERATION.name,
            to: Address::L2_BASE_TOKEN,
            value: Wei::new(amount),
            calldata,
            factory_deps: Vec::new(),
            gas: CallGas::Main,
            words: Json::object(words),
        });
    }

    fn plan_erc20(&self, context: &Context<'_>, plan: &mut Plan, token: Address) {
        let network = context.network;
        let Movement { amount, to, .. } = self.movement;
        if self.message.is_some() {
            plan.refusals.push(Refusal::new(
                Code::WITHDRAW_MESSAGE,
                format!("{AT}/message"),
                "only the base token's contract takes a message along (withdrawWithMessage)",
                "leave message out",
            ));
        }
        let form = self.form.unwrap_or(Form::default_of(network));
        plan.refusals.extend(self.judge_origin(token, network));
        let pinned = network.token_at(Layer::L2, token).map(|known| known.origin);
        let origin = self.origin.or(pinned);
        plan.refusals.extend(judge_form(form, origin, network));
        mailbox::debit(plan, token, amount);
        let (bridge, calldata, asset) = match form {
            Form::AssetRouter => {
                let Some(origin) = origin else {
                    plan.refusals.push(Refusal::new(
                        Code::JSON_MISSING_MEMBER,
                        format!("{AT}/tokenOrigin"),
                        format!("missing: tokenOrigin ({} pins no token {token}, and the asset id follows from where it is native)", network.name),
                        format!("add {{\"chainId\",\"address\"}}: {} and its L1 address, {} and {token}, or a third chain's", network.l1_chain_id, network.l2_chain_id),
                    ));
                    return;
                };
                let asset = AssetId::native_token_vault(origin.chain_id, origin.token);
                plan.derived.push(("assetId", Json::display(asset)));
                plan.checks.push(origin_check(token, origin, asset, pinned.is_some(), network));
                let data = ethabi::encode(&[abi::uint(amount), abi::address(to), abi::address(token)]);
                let id = Token::FixedBytes(asset.0.to_vec());
                (Address::L2_ASSET_ROUTER, WITHDRAW_ASSET.call(&[id, Token::Bytes(data)]), Some(asset))
            }
            Form::LegacyAssetRouter | Form::LegacyBridge => {
                let bridge = match (form, network.l2_legacy_shared_bridge) {
                    (Form::LegacyBridge, Some(bridge)) => bridge,
                    _ => Address::L2_ASSET_ROUTER,
                };
                if origin.is_none() {
                    plan.checks.push(Check {
                        name: "token",
                        result: format!("claimed: {token} is native to L1; the chain refuses others in this form"),
                    });
                }
                (bridge, WITHDRAW_LEGACY.call(&[abi::address(to), abi::address(token), abi::uint(amount)]), None)
            }
        };
        plan.calls.push(Call {
            purpose: OPERATION.name,
            to: bridge,
            value: Wei::zero(),
            calldata,
            factory_deps: Vec::new(),
            gas: CallGas::Main,
            words: words(self.movement, asset, form, network),
        });
        // The vault takes what is native to the chain itself, and burns everything else.
        if form == Form::AssetRouter && origin.is_some_and(|origin| origin.chain_id == network.l2_chain_id) {
            let spender = Address::L2_NATIVE_TOKEN_VAULT;
            mailbox::add_approvals(context, plan, &[Need { token, spender, amount }]);
        } else {
            mailbox::judge_no_approvals(context, plan);
        }
    }

    fn judge_origin(&self, token: Address, network: &Network) -> Option<Refusal> {
        let origin = self.origin?;
        let pinned = network.token_at(Layer::L2, token);
        let problem = if origin.chain_id == 0 || origin.chain_id > MAX_CHAIN_ID {
            format!("{} is no chain id that a Bridgehub takes (1 to 2^48-1)", origin.chain_id)
        } else if let Some(known) = pinned.filter(|known| known.origin != origin) {
            format!(
                "{token} is {}, native to chain {} at {}, not to chain {} at {}",
                known.symbol, known.origin.chain_id, known.origin.token, origin.chain_id, origin.token
            )
        } else if let Some(known) = network
            .token_at(Layer::L1, origin.token)
            .filter(|known| origin.chain_id == network.l1_chain_id && known.origin != origin)
        {
            format!(
                "{} on L1 is {}, native to chain {} at {}",
                origin.token, known.symbol, known.origin.chain_id, known.origin.token
            )
        } else if let Some((symbol, known)) = network.token_elsewhere(Layer::L2, token, origin) {
            format!("that is the origin of {symbol}, which is {known} on L2, not {token}")
        } else if network.is_base_token(origin) {
            format!("{} on chain {} is the chain's base token, no ERC-20 on L2", origin.token, origin.chain_id)
        } else if origin.token.is_system()
            && (origin.token != Address::ETH_TOKEN || origin.chain_id != network.l1_chain_id)
        {
            format!("{} is a system address, no token", origin.token)
        } else if origin.chain_id == network.l2_chain_id && origin.token != token {
            format!("on L2 (chain {}) the token is {token} itself, not {}", origin.chain_id, origin.token)
        } else {
            return None;
        };
        let refusal = Refusal::new(
            Code::TOKEN_ORIGIN,
            format!("{AT}/tokenOrigin"),
            problem,
            "name the chain where the token is native and its address there; leave it out for a pinned token",
        );
        let names_asset = network.has_asset_router() && self.form.is_none_or(|form| form == Form::AssetRouter);
        Some(if names_asset { refusal.reverts(contract_error::ASSET_ID_MISMATCH) } else { refusal })
    }
}

fn judge_form(form: Form, origin: Option<TokenOrigin>, network: &Network) -> Option<Refusal> {
    let is_of_l1 = origin.is_none_or(|origin| origin.chain_id == network.l1_chain_id);
    let (problem, error) = match form {
        Form::AssetRouter | Form::LegacyAssetRouter if !network.has_asset_router() => (
            format!("{} has protocol {}: the L2 asset router came with v26", network.name, network.protocol_version),
            None,
        ),
        Form::LegacyBridge if network.l2_legacy_shared_bridge.is_none() => {
            (format!("{} has no legacy shared bridge on L2", network.name), None)
        }
        Form::LegacyAssetRouter | Form::LegacyBridge if !is_of_l1 => (
            "this form names the token by its L2 address alone and takes tokens of L1 only".to_owned(),
            Some(contract_error::TOKEN_NOT_LEGACY),
        ),
        _ => return None,
    };
    let remedy = match (network.has_asset_router(), network.l2_legacy_shared_bridge) {
        (true, _) => "leave form out: the asset router takes every token",
        (false, Some(_)) => "leave form out: the legacy shared bridge takes the tokens of L1",
        (false, None) => "pin l2LegacySharedBridge in the network file, if the chain has one",
    };
    let refusal = Refusal::new(Code::WITHDRAW_FORM, format!("{AT}/form"), problem, remedy);
    Some(match error {
        Some(error) => refusal.reverts(error),
        None => refusal,
    })
}

fn origin_check(token: Address, origin: TokenOrigin, asset: AssetId, is_pinned: bool, network: &Network) -> Check {
    let who = if is_pinned { "pinned" } else { "claimed by the intent" };
    let TokenOrigin { chain_id, token: home } = origin;
    Check {
        name: "assetId",
        result: format!(
            "recomputed: {asset} is the asset id of {home} on chain {chain_id}, which is where {token} on {} is native ({who})",
            network.name
        ),
    }
}
