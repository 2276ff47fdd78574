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

use ethabi::ethereum_types::U256;

use super::mailbox::{self, Need, REQUEST_L2_TRANSACTION_DIRECT, Refund};
use super::request_execute::{Decoded, L2Call, fee_lines, warnings};
use super::{
    AccountKind, Body, Call, CallGas, Context, Movement, Operation, Plan, Recognised, Seen, TokenName, amount_in_words,
    approve,
};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::asset::{AssetId, apply_l1_to_l2_alias, legacy_tx_data_hash, tx_data_hash};
use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Layer, Network};
use crate::priority::{PriorityRequestFacts, Shape};
use crate::refusal::{Code, Refusal, contract_error};
use crate::units::{BaseTokenUnits, Wei};

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

/// Where a token is native.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    chain_id: u64,
    token: Address,
}

struct Deposit {
    movement: Movement,
    origin: Option<Origin>,
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
    let origin = match members.optional("tokenOrigin") {
        Some(origin) => {
            let origin = origin.members(&["chainId", "address"], &[])?;
            Some(Origin {
                chain_id: origin.required("chainId")?.count(u64::MAX)?,
                token: origin.required("address")?.address(Spelling::AnyCase)?,
            })
        }
        None => None,
    };
    Ok(Box::new(Deposit {
        movement: Movement::read(&members, spelling)?,
        origin,
        form: members.optional("form").map(|form| form.choice(Form::WORDS)).transpose()?,
    }))
}

impl Body for Deposit {
    fn to_json(&self) -> Json {
        let mut members = self.movement.members(self.movement.token.to_json());
        members.extend(self.origin.map(|origin| {
            let origin = [("chainId", Json::count(origin.chain_id)), ("address", Json::display(origin.token))];
            ("tokenOrigin", Json::object(origin))
        }));
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
        if context.from_kind == AccountKind::Contract && self.movement.to == context.from {
            plan.refusals.push(Refusal::new(
                Code::RECIPIENT_CONTRACT_SENDER,
                format!("{AT}/to"),
                format!("{} is a contract on L1: on L2 nobody holds that address", context.from),
                "write the address of an account that you hold on L2",
            ));
        }
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

    /// Where the token that a bridge takes is native.
    fn origin(&self, route: Route, network: &Network) -> Origin {
        let native = Origin { chain_id: network.l1_chain_id, token: route.erc20().unwrap_or(Address::ETH_TOKEN) };
        self.origin.unwrap_or(native)
    }

    fn is_foreign(&self, network: &Network) -> bool {
        self.origin.is_some_and(|origin| origin.chain_id != network.l1_chain_id)
    }

    fn judge_token(&self, route: Route, network: &Network, at: &str) -> Option<Refusal> {
        if let TokenName::Erc20(token) = self.movement.token {
            let system = approve::judge_token(token, &format!("{at}/token"));
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
        let origin = self.origin?;
        let problem = match route.erc20() {
            None => "ETH and the base token have no other origin".to_owned(),
            Some(_) if origin.chain_id == 0 => "0 is no chain id".to_owned(),
            Some(token) if origin.chain_id == network.l1_chain_id && origin.token != token => {
                format!("on L1 (chain {}) the token is {token} itself, not {}", origin.chain_id, origin.token)
            }
            Some(_) if self.is_foreign(network) && !network.has_asset_router() => {
                format!("{} has no asset ids: before v26 only tokens of L1 can be deposited", network.name)
            }
            Some(_) => return None,
        };
        Some(
            Refusal::new(
                Code::TOKEN_ORIGIN,
                format!("{at}/tokenOrigin"),
                problem,
                "leave it out for a token of L1, or name the chain where the token is native and its address there",
            )
            .reverts(contract_error::ASSET_ID_MISMATCH),
        )
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
        let foreign = self.is_foreign(network);
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
                .values(format!("{asked:?}"), format!("{:?}", (said.token, said.amount, said.to))),
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
        plan.calls.push(Call { purpose: OPERATION.name, to, value, calldata, gas: CallGas::Main, words });
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

/// The body in canonical words: the asset id where the token is not native to L1, the form where it is not the network's own.
fn words(movement: Movement, token: Json, form: Form, asset: Option<AssetId>, network: &Network) -> Json {
    let mut members = movement.members(token);
    members.extend(asset.map(|asset| ("assetId", Json::display(asset))));
    if form != Form::default_of(network) {
        members.push(("form", Json::text(form.name())));
    }
    Json::object(members)
}

fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    recognise_direct(seen).or_else(|| recognise_two_bridges(seen)).or_else(|| recognise_legacy_bridge(seen))
}

fn recipient_line(network: &Network, to: Address) -> (&'static str, String) {
    ("to (on L2)", format!("{to} on {} (chain {})", network.name, network.l2_chain_id))
}

fn recognise_direct(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let request = Decoded::direct(seen)?;
    if !request.calldata.is_empty() || !request.factory_deps.is_empty() || request.value.is_zero() {
        return None;
    }
    let token = match network.base_token {
        BaseToken::Eth => TokenName::Eth,
        BaseToken::Erc20(_) => TokenName::Base,
    };
    let movement = Movement { token, amount: request.value, to: request.to };
    let mut lines =
        vec![("deposit", amount_in_words(network, token, request.value)), recipient_line(network, request.to)];
    lines.extend(request.fee_lines(network));
    Some(Recognised {
        name: OPERATION.name,
        body: words(movement, token.to_json(), Form::default_of(network), None, network),
        call: request.call_json(network),
        debits: request.debits(network),
        warnings: request.warnings(network),
        lines,
    })
}

fn recognise_two_bridges(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let arguments = REQUEST_L2_TRANSACTION_TWO_BRIDGES.arguments(seen.data)?;
    let [Token::Tuple(request)] = arguments.as_slice() else { return None };
    let [chain_id, mint_value, l2_value, gas, per_pubdata, refund, second_bridge, second_value, Token::Bytes(data)] =
        request.as_slice()
    else {
        return None;
    };
    let (mint_value, second_value) = (abi::as_uint(mint_value)?, abi::as_uint(second_value)?);
    let (gas, per_pubdata, refund) = (abi::as_uint(gas)?, abi::as_uint(per_pubdata)?, abi::as_address(refund)?);
    let second_bridge = abi::as_address(second_bridge)?;
    let value = match network.base_token {
        BaseToken::Eth => mint_value.checked_add(second_value)?,
        BaseToken::Erc20(_) => second_value,
    };
    let custom = network.custom_bridges.iter().find(|(_, address)| *address == second_bridge);
    let fits = seen.to == network.bridgehub
        && (second_bridge == network.second_bridge() || custom.is_some())
        && abi::as_uint(chain_id)? == U256::from(network.l2_chain_id)
        && abi::as_uint(l2_value)?.is_zero()
        && seen.value.get() == value;
    if !fits {
        return None;
    }
    let call = two_bridges_json(network, [mint_value, gas, per_pubdata, second_value], [refund, second_bridge], data);
    if let Some((name, _)) = custom {
        return second_value
            .is_zero()
            .then(|| recognised_custom(network, name, data, call, [mint_value, gas, per_pubdata], refund));
    }
    let handed = Handed::read(data, network, second_value)?;
    let token = if handed.token == Address::ETH_TOKEN { TokenName::Eth } else { TokenName::Erc20(handed.token) };
    // ETH comes as value and an ERC-20 without; ETH and the base token of an ETH-based chain do not come this way.
    let is_eth = token == TokenName::Eth;
    if is_eth == second_value.is_zero()
        || (is_eth && (network.base_token == BaseToken::Eth || second_value != handed.amount))
    {
        return None;
    }
    let movement = Movement { token, amount: handed.amount, to: handed.to };
    let mut debits = match network.base_token {
        BaseToken::Eth => Vec::new(),
        BaseToken::Erc20(base) => vec![(base, mint_value)],
    };
    if !is_eth {
        debits.push((handed.token, handed.amount));
    }
    let mut lines =
        vec![("deposit", amount_in_words(network, token, handed.amount)), recipient_line(network, handed.to)];
    lines.extend(handed.foreign.map(|asset| ("asset id", format!("{asset} (native to another chain)"))));
    lines.extend(fee_lines(network, refund, mint_value, gas, per_pubdata));
    Some(Recognised {
        name: OPERATION.name,
        body: words(movement, token.to_json(), handed.form, handed.foreign, network),
        call,
        debits,
        warnings: bridge_warnings(network, handed.foreign.is_some(), refund, gas, per_pubdata),
        lines,
    })
}

fn two_bridges_json(network: &Network, numbers: [U256; 4], accounts: [Address; 2], data: &[u8]) -> Json {
    let [mint_value, gas, per_pubdata, second_value] = numbers;
    let [refund, second_bridge] = accounts;
    Json::object([
        ("function", Json::text("requestL2TransactionTwoBridges")),
        (
            "arguments",
            Json::object([
                ("chainId", Json::count(network.l2_chain_id)),
                ("mintValue", Json::display(mint_value)),
                ("l2Value", Json::text("0")),
                ("l2GasLimit", Json::count(gas)),
                ("l2GasPerPubdataByteLimit", Json::count(per_pubdata)),
                ("refundRecipient", Json::display(refund)),
                ("secondBridgeAddress", Json::display(second_bridge)),
                ("secondBridgeValue", Json::display(second_value)),
                ("secondBridgeCalldata", Json::bytes(data)),
            ]),
        ),
    ])
}

/// A request to a bridge that is pinned by name: what it does is said as far as its bytes have the usual form.
fn recognised_custom(
    network: &Network,
    name: &str,
    data: &[u8],
    call: Json,
    [mint_value, gas, per_pubdata]: [U256; 3],
    refund: Address,
) -> Recognised {
    let handed = Handed::read_legacy(data);
    let mut lines = vec![("bridge", format!("{name} of {}", network.name))];
    let mut warnings = bridge_warnings(network, false, refund, gas, per_pubdata);
    let mut debits = match network.base_token {
        BaseToken::Eth => Vec::new(),
        BaseToken::Erc20(base) => vec![(base, mint_value)],
    };
    match &handed {
        Some(handed) => {
            let token = TokenName::Erc20(handed.token);
            lines.insert(0, ("deposit", amount_in_words(network, token, handed.amount)));
            lines.push(recipient_line(network, handed.to));
            debits.push((handed.token, handed.amount));
        }
        None => {
            warnings.push(format!("only the bridge {name} knows what the {} bytes that it is handed mean", data.len()));
        }
    }
    lines.extend(fee_lines(network, refund, mint_value, gas, per_pubdata));
    Recognised { name: OPERATION.name, body: handed.custom_words(name, data), call, debits, warnings, lines }
}

/// The words for a bridge of its own: what its bytes say, or the bytes.
trait CustomWords {
    fn custom_words(&self, bridge: &str, data: &[u8]) -> Json;
}

impl CustomWords for Option<Handed> {
    fn custom_words(&self, bridge: &str, data: &[u8]) -> Json {
        let mut members = match self {
            Some(handed) => vec![
                ("token", Json::display(handed.token)),
                ("amount", Json::display(handed.amount)),
                ("to", Json::display(handed.to)),
            ],
            None => vec![("bridgeData", Json::bytes(data))],
        };
        members.push(("bridge", Json::text(bridge)));
        Json::object(members)
    }
}

fn bridge_warnings(network: &Network, foreign: bool, refund: Address, gas: U256, per_pubdata: U256) -> Vec<String> {
    let calldata_length = if foreign { FINALIZE_DEPOSIT_FOREIGN_LENGTH } else { FINALIZE_DEPOSIT_LENGTH };
    let shape = Shape { calldata_length, factory_deps: 0 };
    // The token's amount and the fee are in different tokens: they are not compared.
    warnings(network, shape, refund, U256::zero(), U256::zero(), gas, per_pubdata)
}

/// What the second bridge is handed.
struct Handed {
    form: Form,
    token: Address,
    amount: U256,
    to: Address,
    foreign: Option<AssetId>,
}

impl Handed {
    /// abi.encode(token, amount, receiver)
    fn read_legacy(data: &[u8]) -> Option<Self> {
        let legacy = abi::decode(&[ParamType::Address, ParamType::Uint(256), ParamType::Address], data)?;
        let [token, amount, to] = legacy.as_slice() else { return None };
        let (token, amount, to) = (abi::as_address(token)?, abi::as_uint(amount)?, abi::as_address(to)?);
        Some(Self { form: Form::Legacy, token, amount, to, foreign: None })
    }

    fn read(data: &[u8], network: &Network, value: U256) -> Option<Self> {
        if let Some(body) = data.strip_prefix(&[0x01]) {
            let handed = abi::decode(&[ParamType::FixedBytes(32), ParamType::Bytes], body)?;
            let [Token::FixedBytes(id), Token::Bytes(transfer)] = handed.as_slice() else { return None };
            let transfer = abi::decode(&[ParamType::Uint(256), ParamType::Address, ParamType::Address], transfer)?;
            let [amount, to, token] = transfer.as_slice() else { return None };
            let token = abi::as_address(token)?;
            let id = AssetId(id.as_slice().try_into().ok()?);
            let is_native = id == AssetId::native_token_vault(network.l1_chain_id, token);
            return network.has_asset_router().then_some(Self {
                form: Form::AssetId,
                token,
                amount: abi::as_uint(amount)?,
                to: abi::as_address(to)?,
                foreign: (!is_native).then_some(id),
            });
        }
        let handed = Self::read_legacy(data)?;
        let takes_value = handed.token == Address::ETH_TOKEN && handed.amount.is_zero() && !network.has_asset_router();
        Some(Self { amount: if takes_value { value } else { handed.amount }, ..handed })
    }
}

fn recognise_legacy_bridge(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let arguments = LEGACY_DEPOSIT.arguments(seen.data)?;
    let [to, token, amount, gas, per_pubdata, refund] = arguments.as_slice() else { return None };
    let (to, token, amount) = (abi::as_address(to)?, abi::as_address(token)?, abi::as_uint(amount)?);
    let (gas, per_pubdata, refund) = (abi::as_uint(gas)?, abi::as_uint(per_pubdata)?, abi::as_address(refund)?);
    if Some(seen.to) != network.l1_erc20_bridge || !network.is_era() {
        return None;
    }
    let name = TokenName::Erc20(token);
    let movement = Movement { token: name, amount, to };
    let mut lines = vec![("deposit", amount_in_words(network, name, amount)), recipient_line(network, to)];
    lines.extend(fee_lines(network, refund, seen.value.get(), gas, per_pubdata));
    Some(Recognised {
        name: OPERATION.name,
        body: words(movement, Json::display(token), Form::LegacyBridge, None, network),
        call: Json::object([
            ("function", Json::text("deposit")),
            (
                "arguments",
                Json::object([
                    ("_l2Receiver", Json::display(to)),
                    ("_l1Token", Json::display(token)),
                    ("_amount", Json::display(amount)),
                    ("_l2TxGasLimit", Json::count(gas)),
                    ("_l2TxGasPerPubdataByte", Json::count(per_pubdata)),
                    ("_refundRecipient", Json::display(refund)),
                ]),
            ),
        ]),
        debits: vec![(token, amount)],
        warnings: bridge_warnings(network, false, refund, gas, per_pubdata),
        lines,
    })
}
