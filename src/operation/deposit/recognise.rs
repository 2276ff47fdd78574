//! A deposit found in decoded bytes: the inverse of planning one.
//!
//! The words that it gives are what the plan promised, so that the two can be compared before a signature leaves.

use ethabi::ethereum_types::U256;

use super::{
    FINALIZE_DEPOSIT_FOREIGN_LENGTH, FINALIZE_DEPOSIT_LENGTH, Form, LEGACY_DEPOSIT, OPERATION,
    REQUEST_L2_TRANSACTION_TWO_BRIDGES,
};
use crate::abi::{self, ParamType, Token};
use crate::address::Address;
use crate::asset::AssetId;
use crate::json::Json;
use crate::network::{BaseToken, Layer, Network};
use crate::operation::evidence::{judge_name, token_of_asset};
use crate::operation::request_execute::{Decoded, fee_lines, warnings};
use crate::operation::{Movement, Recognised, Seen, TokenName, amount_in_words};
use crate::priority::Shape;
use crate::refusal::contract_error;

/// The body in canonical words: the asset id where the token is not native to L1, the form where it is not the network's own.
pub(super) fn words(movement: Movement, token: Json, form: Form, asset: Option<AssetId>, network: &Network) -> Json {
    let mut members = movement.members(token);
    members.extend(asset.map(|asset| ("assetId", Json::display(asset))));
    if form != Form::default_of(network) {
        members.push(("form", Json::text(form.name())));
    }
    Json::object(members)
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
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
    let mut lines = vec![
        ("deposit", amount_in_words(network, Layer::L1, token, request.value)),
        recipient_line(network, request.to),
    ];
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
    let name = |token| if token == Address::ETH_TOKEN { TokenName::Eth } else { TokenName::Erc20(token) };
    let token = name(handed.token);
    // The asset id decides what is taken; the address beside it may be zero.
    let moved =
        handed.asset.and_then(|asset| token_of_asset(asset, Some(handed.token), network)).unwrap_or(handed.token);
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
        debits.push((moved, handed.amount));
    }
    let foreign = handed.asset.filter(|asset| *asset != AssetId::native_token_vault(network.l1_chain_id, moved));
    let mut lines = vec![
        ("deposit", amount_in_words(network, Layer::L1, name(moved), handed.amount)),
        recipient_line(network, handed.to),
    ];
    lines.extend(foreign.map(|asset| ("asset id", format!("{asset} (native to another chain)"))));
    lines.extend(fee_lines(network, refund, mint_value, gas, per_pubdata));
    let mut warnings = bridge_warnings(network, foreign.is_some(), refund, gas, per_pubdata);
    warnings.extend(handed.judge_token(network, moved));
    Some(Recognised {
        name: OPERATION.name,
        body: words(movement, token.to_json(), handed.form, handed.asset, network),
        call,
        debits,
        warnings,
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
            lines.insert(0, ("deposit", amount_in_words(network, Layer::L1, token, handed.amount)));
            lines.push(recipient_line(network, handed.to));
            debits.push((handed.token, handed.amount));
        }
        None => {
            warnings.push(format!("only the bridge {name} knows what the {} bytes that it is handed mean: it can take what it is approved for", data.len()));
        }
    }
    lines.extend(fee_lines(network, refund, mint_value, gas, per_pubdata));
    Recognised { name: OPERATION.name, body: handed.custom_words(name, data), call, debits, warnings, lines }
}

/// The words for a bridge of its own: what its bytes say, or the bytes.
pub(super) trait CustomWords {
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
pub(super) struct Handed {
    form: Form,
    pub(super) token: Address,
    pub(super) amount: U256,
    pub(super) to: Address,
    /// The asset id, where it is not that of the named token of L1.
    asset: Option<AssetId>,
}

impl Handed {
    /// abi.encode(token, amount, receiver)
    pub(super) fn read_legacy(data: &[u8]) -> Option<Self> {
        let legacy = abi::decode(&[ParamType::Address, ParamType::Uint(256), ParamType::Address], data)?;
        let [token, amount, to] = legacy.as_slice() else { return None };
        let (token, amount, to) = (abi::as_address(token)?, abi::as_uint(amount)?, abi::as_address(to)?);
        Some(Self { form: Form::Legacy, token, amount, to, asset: None })
    }

    /// What the chain would hold against the token: `moved` is the one that its asset id says.
    fn judge_token(&self, network: &Network, moved: Address) -> Option<String> {
        if network.l1_weth == Some(moved) {
            let error = contract_error::BURNING_NATIVE_WETH_NOT_SUPPORTED.signature;
            return Some(format!("{moved} is wrapped ether: the chain refuses that ({error})"));
        }
        if self.form == Form::AssetId {
            let of_l1 = || AssetId::native_token_vault(network.l1_chain_id, self.token);
            return judge_name(network, Layer::L1, self.asset.unwrap_or_else(of_l1), self.token, moved);
        }
        let known = network.token_at(Layer::L1, moved).filter(|known| known.origin.chain_id != network.l1_chain_id)?;
        let error = contract_error::LEGACY_ENCODING_USED_FOR_NON_L1_TOKEN.signature;
        Some(format!("{} is native to chain {}: the chain refuses that ({error})", known.symbol, known.origin.chain_id))
    }

    fn read(data: &[u8], network: &Network, value: U256) -> Option<Self> {
        if let Some(body) = data.strip_prefix(&[0x01]) {
            let handed = abi::decode(&[ParamType::FixedBytes(32), ParamType::Bytes], body)?;
            let [Token::FixedBytes(id), Token::Bytes(transfer)] = handed.as_slice() else { return None };
            let transfer = abi::decode(&[ParamType::Uint(256), ParamType::Address, ParamType::Address], transfer)?;
            let [amount, to, token] = transfer.as_slice() else { return None };
            let named = abi::as_address(token)?;
            let id = AssetId(id.as_slice().try_into().ok()?);
            let is_native = id == AssetId::native_token_vault(network.l1_chain_id, named);
            return network.has_asset_router().then_some(Self {
                form: Form::AssetId,
                token: named,
                amount: abi::as_uint(amount)?,
                to: abi::as_address(to)?,
                asset: (!is_native).then_some(id),
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
    let mut lines = vec![("deposit", amount_in_words(network, Layer::L1, name, amount)), recipient_line(network, to)];
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
