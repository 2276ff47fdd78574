//! Deposit: move ETH or an ERC-20 from L1 to an account on the L2 chain, on the one route that the chain's base token leaves.
//!
//! | | ETH-based chain | chain with an ERC-20 base token |
//! |---|---|---|
//! | ETH | Direct | TwoBridges, value = amount |
//! | base token | Direct | Direct, value 0 |
//! | other ERC-20 | TwoBridges | TwoBridges, value 0 |
//!
//! The caller never chooses: the mirror route either reverts (`AssetIdNotSupported`) or, worse, succeeds and mints the amount
//! to the refund recipient. On the Era chain an ERC-20 can also go through the legacy L1ERC20Bridge.
//! `Bridgehub.requestL2TransactionTwoBridges` has the second bridge (L1AssetRouter since v26) take the token:
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridge/asset-router/L1AssetRouter.sol>

mod recognise;

use ethabi::ethereum_types::U256;

use super::mailbox::{self, Need, REQUEST_L2_TRANSACTION_DIRECT, Refund};
use super::request_execute::L2Call;
use super::{Body, Call, CallGas, Context, Movement, Operation, Plan, TokenName, approve, judge_l1_token};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::asset::{AssetId, apply_l1_to_l2_alias, legacy_tx_data_hash, tx_data_hash};
use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Layer, MAX_CHAIN_ID, Network, TokenOrigin};
use crate::priority::{PriorityRequestFacts, Shape};
use crate::refusal::{Code, Refusal, contract_error};
use crate::units::{BaseTokenUnits, Wei};
use recognise::{CustomWords as _, Handed, recognise, words};

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "deposit",
    layers: &[Layer::L1],
    summary: "Move ETH or an ERC-20 from L1 to an account on the L2 chain",
    functions: &[
        &REQUEST_L2_TRANSACTION_DIRECT,
        &REQUEST_L2_TRANSACTION_TWO_BRIDGES,
        &LEGACY_DEPOSIT,
        &approve::APPROVE,
    ],
    options: &[
        "refundRecipient",
        "refundRecipientKind",
        "baseCostMarginPercent",
        "operatorTip",
        "bridge",
        "bridgeData",
    ],
    facts: mailbox::FACTS,
    read,
    recognise,
};

/// `Bridgehub.requestL2TransactionTwoBridges`.
pub const REQUEST_L2_TRANSACTION_TWO_BRIDGES: Function = Function {
    signature: "requestL2TransactionTwoBridges((uint256,uint256,uint256,uint256,uint256,address,address,uint256,bytes))",
    selector: [0x24, 0xfd, 0x57, 0xfb],
    parameters: || {
        vec![ParamType::Tuple(vec![
            ParamType::Uint(256), // chainId
            ParamType::Uint(256), // mintValue
            ParamType::Uint(256), // l2Value
            ParamType::Uint(256), // l2GasLimit
            ParamType::Uint(256), // l2GasPerPubdataByteLimit
            ParamType::Address,   // refundRecipient
            ParamType::Address,   // secondBridgeAddress
            ParamType::Uint(256), // secondBridgeValue
            ParamType::Bytes,     // secondBridgeCalldata
        ])]
    },
};

/// `L1ERC20Bridge.deposit` with a refund recipient.
pub const LEGACY_DEPOSIT: Function = Function {
    signature: "deposit(address,address,uint256,uint256,uint256,address)",
    selector: [0xe8, 0xb9, 0x9b, 0x1b],
    parameters: || {
        vec![
            ParamType::Address,   // _l2Receiver
            ParamType::Address,   // _l1Token
            ParamType::Uint(256), // _amount
            ParamType::Uint(256), // _l2TxGasLimit
            ParamType::Uint(256), // _l2TxGasPerPubdataByte
            ParamType::Address,   // _refundRecipient
        ]
    },
};

/// `finalizeDeposit(address,address,address,uint256,bytes)` with name, symbol and decimals, the strings up to 32 bytes.
const FINALIZE_DEPOSIT_LENGTH: u64 = 676;
/// `finalizeDeposit(uint256,bytes32,bytes)` with the same, for tokens that are not native to L1.
const FINALIZE_DEPOSIT_FOREIGN_LENGTH: u64 = 804;

/// How the token is handed to the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// abi.encode(token, amount, receiver); all there is before v26.
    Legacy,
    /// 0x01 || abi.encode(assetId, transferData).
    AssetId,
    /// L1ERC20Bridge.deposit.
    LegacyBridge,
}

impl Form {
    const WORDS: &'static [(&'static str, Self)] =
        &[("legacy", Self::Legacy), ("assetId", Self::AssetId), ("legacyBridge", Self::LegacyBridge)];

    const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::AssetId => "assetId",
            Self::LegacyBridge => "legacyBridge",
        }
    }

    /// The encoding that a network takes by itself.
    fn default_of(network: &Network) -> Self {
        if network.has_asset_router() { Self::AssetId } else { Self::Legacy }
    }
}

struct Deposit {
    movement: Movement,
    origin: Option<TokenOrigin>,
    form: Option<Form>,
}

/// The one route that token, network and form leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    EthDirect,
    BaseDirect,
    Erc20EthBased(Address),
    EthCustom,
    Erc20Custom(Address),
    LegacyBridge(Address),
}

impl Route {
    const fn name(self) -> &'static str {
        match self {
            Self::EthDirect => "eth-direct",
            Self::BaseDirect => "base-direct",
            Self::Erc20EthBased(_) => "erc20-eth-based",
            Self::EthCustom => "eth-custom",
            Self::Erc20Custom(_) => "erc20-custom",
            Self::LegacyBridge(_) => "legacy-bridge",
        }
    }

    const fn is_direct(self) -> bool {
        matches!(self, Self::EthDirect | Self::BaseDirect)
    }

    /// The ERC-20 that a bridge takes, beside the base token.
    const fn erc20(self) -> Option<Address> {
        match self {
            Self::Erc20EthBased(token) | Self::Erc20Custom(token) | Self::LegacyBridge(token) => Some(token),
            Self::EthDirect | Self::BaseDirect | Self::EthCustom => None,
        }
    }
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(Movement::MEMBERS, &["tokenOrigin", "form"])?;
    Ok(Box::new(Deposit {
        movement: Movement::read(&members, spelling)?,
        origin: members.optional("tokenOrigin").map(|origin| TokenOrigin::read(&origin)).transpose()?,
        form: members.optional("form").map(|form| form.choice(Form::WORDS)).transpose()?,
    }))
}

impl Body for Deposit {
    fn to_json(&self) -> Json {
        let mut members = self.movement.members(self.movement.token.to_json());
        members.extend(self.origin.map(|origin| ("tokenOrigin", origin.to_json())));
        members.extend(self.form.map(|form| ("form", Json::text(form.name()))));
        Json::object(members)
    }

    fn layer(&self) -> Layer {
        Layer::L1
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/deposit";
        let network = context.network;
        let mut plan = Plan::default();
        let route = self.route(network);
        plan.refusals.extend(self.judge_token(route, network, AT));
        plan.refusals.extend(self.judge_form(route, network, &format!("{AT}/form")));
        plan.refusals.extend(self.movement.judge(AT, network));
        if context.custom_bridge.is_some() && (route.erc20().is_none() || self.form.is_some() || self.origin.is_some())
        {
            plan.refusals.push(Refusal::new(
                Code::BRIDGE_ROUTE,
                "/intent/bridge",
                "a bridge of its own takes an ERC-20 of L1 by its address, without form or tokenOrigin",
                "leave bridge out: the network's own bridge takes everything else",
            ));
            return plan;
        }
        let at = format!("{AT}/to");
        plan.refusals.extend(mailbox::judge_known_contract(context, self.movement.to, self.movement.token, &at));
        plan.derived.push(("route", Json::text(route.name())));
        if route.is_direct() {
            self.plan_direct(context, &mut plan, route);
        } else {
            self.plan_bridge(context, &mut plan, route);
        }
        plan
    }
}

impl Deposit {
    fn route(&self, network: &Network) -> Route {
        match (network.base_token, self.movement.token) {
            (BaseToken::Eth, TokenName::Eth | TokenName::Base) => Route::EthDirect,
            (BaseToken::Eth, TokenName::Erc20(token)) if self.form == Some(Form::LegacyBridge) => {
                Route::LegacyBridge(token)
            }
            (BaseToken::Eth, TokenName::Erc20(token)) => Route::Erc20EthBased(token),
            (BaseToken::Erc20(_), TokenName::Eth) => Route::EthCustom,
            (BaseToken::Erc20(_), TokenName::Base) => Route::BaseDirect,
            (BaseToken::Erc20(base), TokenName::Erc20(token)) if base == token => Route::BaseDirect,
            (BaseToken::Erc20(_), TokenName::Erc20(token)) => Route::Erc20Custom(token),
        }
    }

    /// Where the intent or the network says that the token is native.
    fn stated_origin(&self, network: &Network) -> Option<TokenOrigin> {
        let pinned = || match self.movement.token {
            TokenName::Erc20(token) => network.token_at(Layer::L1, token).map(|known| known.origin),
            TokenName::Eth | TokenName::Base => None,
        };
        self.origin.or_else(pinned)
    }

    /// Where the token that a bridge takes is native: L1, if nothing else is said.
    fn origin(&self, route: Route, network: &Network) -> TokenOrigin {
        let native = TokenOrigin { chain_id: network.l1_chain_id, token: route.erc20().unwrap_or(Address::ETH_TOKEN) };
        self.stated_origin(network).unwrap_or(native)
    }

    fn is_foreign(&self, network: &Network) -> bool {
        self.stated_origin(network).is_some_and(|origin| origin.chain_id != network.l1_chain_id)
    }

    fn judge_token(&self, route: Route, network: &Network, at: &str) -> Option<Refusal> {
        if let TokenName::Erc20(token) = self.movement.token {
            let system = judge_l1_token(token, &format!("{at}/token"), network);
            if system.is_some() {
                return system;
            }
            if network.l1_weth == Some(token) {
                let error = match route {
                    Route::LegacyBridge(_) => contract_error::TOKEN_NOT_SUPPORTED,
                    _ => contract_error::BURNING_NATIVE_WETH_NOT_SUPPORTED,
                };
                return Some(
                    Refusal::new(
                        Code::TOKEN_WETH,
                        format!("{at}/token"),
                        format!("{token} is wrapped ether, which the bridge does not take"),
                        "unwrap it and deposit \"eth\"",
                    )
                    .reverts(error),
                );
            }
        }
        // Where the base token is pinned, nobody stated an origin.
        let origin = if route.erc20().is_some() { self.stated_origin(network) } else { self.origin }?;
        let problem = match route.erc20() {
            None => "ETH and the base token have no other origin".to_owned(),
            Some(_) if origin.chain_id == 0 || origin.chain_id > MAX_CHAIN_ID => {
                format!("{} is no chain id that a Bridgehub takes (1 to 2^48-1)", origin.chain_id)
            }
            Some(_) if origin.token.is_system() => format!("{} is a system address, no token", origin.token),
            Some(token) if origin.chain_id == network.l1_chain_id && origin.token != token => {
                format!("on L1 (chain {}) the token is {token} itself, not {}", origin.chain_id, origin.token)
            }
            Some(token) if network.token_at(Layer::L1, token).is_some_and(|known| known.origin != origin) => {
                format!("{} pins another origin of {token}", network.name)
            }
            Some(token) if let Some((symbol, pinned)) = network.token_elsewhere(Layer::L1, token, origin) => {
                format!("that is the origin of {symbol}, which is {pinned} on L1, not {token}")
            }
            Some(_) if self.is_foreign(network) && !network.has_asset_router() => {
                format!("{} has no asset ids: before v26 only tokens of L1 can be deposited", network.name)
            }
            Some(_) => return None,
        };
        let refusal = Refusal::new(
            Code::TOKEN_ORIGIN,
            format!("{at}/tokenOrigin"),
            problem,
            "leave it out for a token of L1, or name the chain where the token is native and its address there",
        );
        let names_asset = !route.is_direct() && network.has_asset_router();
        Some(if names_asset { refusal.reverts(contract_error::ASSET_ID_MISMATCH) } else { refusal })
    }

    fn judge_form(&self, route: Route, network: &Network, at: &str) -> Option<Refusal> {
        let form = self.form?;
        let (problem, error) = match form {
            _ if route.is_direct() => {
                ("the base token goes through the Bridgehub alone: there is no form to choose".to_owned(), None)
            }
            Form::Legacy if self.is_foreign(network) => (
                "the legacy form names the token by its L1 address, and this one is native to another chain".to_owned(),
                Some(contract_error::LEGACY_ENCODING_USED_FOR_NON_L1_TOKEN),
            ),
            Form::AssetId if !network.has_asset_router() => {
                (format!("{} has protocol {}: asset ids came with v26", network.name, network.protocol_version), None)
            }
            Form::LegacyBridge if route == Route::EthCustom => {
                ("the legacy bridge takes no ETH".to_owned(), Some(contract_error::ETH_DEPOSIT_NOT_SUPPORTED))
            }
            Form::LegacyBridge
                if network.l1_erc20_bridge.is_none() || !network.is_era() || self.is_foreign(network) =>
            {
                (
                    format!(
                        "the legacy bridge serves the Era chain and tokens of L1 only, not this deposit on {}",
                        network.name
                    ),
                    None,
                )
            }
            Form::Legacy | Form::AssetId | Form::LegacyBridge => return None,
        };
        let refusal =
            Refusal::new(Code::DEPOSIT_FORM, at, problem, "leave form out: the right one follows from the network");
        Some(match error {
            Some(error) => refusal.reverts(error),
            None => refusal,
        })
    }

    /// What the encoded call must say, in canonical words.
    fn words(&self, route: Route, form: Form, network: &Network) -> Json {
        let token = match route {
            Route::EthDirect | Route::EthCustom => Json::text("eth"),
            Route::BaseDirect => Json::text("base"),
            Route::Erc20EthBased(token) | Route::Erc20Custom(token) | Route::LegacyBridge(token) => {
                Json::display(token)
            }
        };
        let asset = self.is_foreign(network).then(|| self.asset_id(route, network));
        words(self.movement, token, form, asset, network)
    }

    fn asset_id(&self, route: Route, network: &Network) -> AssetId {
        let origin = self.origin(route, network);
        AssetId::native_token_vault(origin.chain_id, origin.token)
    }

    fn plan_direct(&self, context: &Context<'_>, plan: &mut Plan, route: Route) {
        let network = context.network;
        let words = self.words(route, Form::default_of(network), network);
        let call = L2Call {
            to: self.movement.to,
            value: self.movement.amount,
            calldata: Vec::new(),
            factory_deps: Vec::new(),
        };
        call.plan(context, plan, |request| (OPERATION.name, network.bridgehub, request.direct(), words));
    }

    fn plan_bridge(&self, context: &Context<'_>, plan: &mut Plan, route: Route) {
        let network = context.network;
        let form = match route {
            Route::LegacyBridge(_) => Form::LegacyBridge,
            _ => self.form.unwrap_or(Form::default_of(network)),
        };
        let refund = Refund::settle(context, &mut plan.refusals);
        let second_bridge = context.custom_bridge.map_or(network.second_bridge(), |bridge| bridge.address);
        mailbox::derive_accounts(context, plan, apply_l1_to_l2_alias(second_bridge), refund);
        // The vault alone knows tokens of other chains: a bridge of its own takes the ERC-20 as it is.
        let foreign = context.custom_bridge.is_none() && self.is_foreign(network);
        let calldata_length = if foreign { FINALIZE_DEPOSIT_FOREIGN_LENGTH } else { FINALIZE_DEPOSIT_LENGTH };
        let shape = Shape { calldata_length, factory_deps: 0 };
        let assessed = mailbox::assess(context, plan, shape, U256::zero());
        let second = match context.custom_bridge {
            Some(bridge) => bridge.data.map_or_else(|| self.movement_as_legacy(route), <[u8]>::to_vec),
            None => self.second_bridge_calldata(context, plan, route, form),
        };
        let asked = (route.erc20().unwrap_or(Address::ETH_TOKEN), self.movement.amount, self.movement.to);
        if let Some(said) = context.custom_bridge.and_then(|bridge| Handed::read_legacy(bridge.data?))
            && (said.token, said.amount, said.to) != asked
        {
            plan.refusals.push(
                Refusal::new(
                    Code::BRIDGE_DATA,
                    "/intent/bridgeData",
                    format!("the bytes say {} of {} to {}, the operation does not", said.amount, said.token, said.to),
                    "leave bridgeData out: token, amount and receiver are encoded from the operation",
                )
                .values(
                    format!("{} of {} to {}", asked.1, asked.0, asked.2),
                    format!("{} of {} to {}", said.amount, said.token, said.to),
                ),
            );
        }
        let words = match context.custom_bridge {
            Some(bridge) => Handed::read_legacy(&second).custom_words(bridge.name, &second),
            None => self.words(route, form, network),
        };
        let Some((facts, assessment)) = assessed else { return };
        let Some(mint_value) = assessment.mint_value else { return };
        let (base_value, base_need) = mailbox::pay_mint_value(context, plan, mint_value);
        let second_bridge_value = if route == Route::EthCustom { self.movement.amount } else { U256::zero() };
        let (to, calldata) = match (form, network.l1_erc20_bridge) {
            (Form::LegacyBridge, Some(bridge)) => (bridge, self.legacy_bridge_calldata(route, facts, refund)),
            _ => (network.bridgehub, {
                let (address, value) = (second_bridge, second_bridge_value);
                two_bridges_calldata(
                    network,
                    facts,
                    mint_value,
                    refund,
                    SecondBridge { address, value, calldata: second },
                )
            }),
        };
        let Some(value) = base_value.checked_add(Wei::new(second_bridge_value)) else { return };
        let mut needs: Vec<Need> = base_need.into_iter().collect();
        if let Some(token) = route.erc20() {
            mailbox::debit(plan, token, self.movement.amount);
            // A token of another chain is burned by the vault that minted it: nothing is pulled.
            if !foreign {
                let spender = if form == Form::LegacyBridge { to } else { second_bridge };
                needs.push(Need { token, spender, amount: self.movement.amount });
            }
        }
        let (factory_deps, gas) = (Vec::new(), CallGas::Main);
        plan.calls.push(Call { purpose: OPERATION.name, to, value, calldata, factory_deps, gas, words });
        mailbox::add_approvals(context, plan, &needs);
    }

    /// abi.encode(token, amount, receiver), which the bridges of single tokens take too.
    fn movement_as_legacy(&self, route: Route) -> Vec<u8> {
        let token = route.erc20().unwrap_or(Address::ETH_TOKEN);
        ethabi::encode(&[abi::address(token), abi::uint(self.movement.amount), abi::address(self.movement.to)])
    }

    /// The calldata for the second bridge; the plan learns what a claim of a failed deposit will need.
    fn second_bridge_calldata(&self, context: &Context<'_>, plan: &mut Plan, route: Route, form: Form) -> Vec<u8> {
        let network = context.network;
        let Movement { amount, to, .. } = self.movement;
        let token = route.erc20().unwrap_or(Address::ETH_TOKEN);
        let asset_id = self.asset_id(route, network);
        plan.derived.push(("assetId", Json::display(asset_id)));
        if form == Form::AssetId {
            let transfer_data = ethabi::encode(&[abi::uint(amount), abi::address(to), abi::address(token)]);
            let id = Token::FixedBytes(asset_id.0.to_vec());
            let data = Token::Bytes(transfer_data.clone());
            plan.derived.push(("transferData", Json::bytes(&transfer_data)));
            plan.derived.push(("txDataHash", Json::bytes(tx_data_hash(context.from, asset_id, &transfer_data))));
            return [vec![0x01], ethabi::encode(&[id, data])].concat();
        }
        plan.derived.push(("txDataHash", Json::bytes(legacy_tx_data_hash(context.from, token, amount))));
        // Before v26 the bridge takes the amount of ETH from the value alone ("ShB wrong withdraw amount" otherwise).
        let stated = if route == Route::EthCustom && !network.has_asset_router() { U256::zero() } else { amount };
        ethabi::encode(&[abi::address(token), abi::uint(stated), abi::address(to)])
    }

    fn legacy_bridge_calldata(&self, route: Route, facts: &PriorityRequestFacts, refund: Refund) -> Vec<u8> {
        LEGACY_DEPOSIT.call(&[
            abi::address(self.movement.to),
            abi::address(route.erc20().unwrap_or(Address::ETH_TOKEN)),
            abi::uint(self.movement.amount),
            abi::uint(facts.l2_gas_limit.get()),
            abi::uint(facts.gas_per_pubdata.get()),
            abi::address(refund.recipient),
        ])
    }
}

/// What the Bridgehub calls beside the chain.
struct SecondBridge {
    address: Address,
    value: U256,
    calldata: Vec<u8>,
}

fn two_bridges_calldata(
    network: &Network,
    facts: &PriorityRequestFacts,
    mint_value: BaseTokenUnits,
    refund: Refund,
    second: SecondBridge,
) -> Vec<u8> {
    REQUEST_L2_TRANSACTION_TWO_BRIDGES.call(&[Token::Tuple(vec![
        abi::uint(network.l2_chain_id),
        abi::uint(mint_value.get()),
        abi::uint(0),
        abi::uint(facts.l2_gas_limit.get()),
        abi::uint(facts.gas_per_pubdata.get()),
        abi::address(refund.recipient),
        abi::address(second.address),
        abi::uint(second.value),
        Token::Bytes(second.calldata),
    ])])
}
