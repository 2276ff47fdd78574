//! A withdrawal found in decoded bytes: the inverse of planning one.

use super::{BURN_DATA, Form, OPERATION, WITHDRAW, WITHDRAW_ASSET, WITHDRAW_LEGACY, WITHDRAW_WITH_MESSAGE};
use crate::abi::{self, Token};
use crate::address::Address;
use crate::asset::AssetId;
use crate::json::Json;
use crate::network::{Layer, Network};
use crate::operation::evidence::judge_name;
use crate::operation::{Movement, Recognised, Seen, TokenName, amount_in_words};
use crate::refusal::contract_error;

/// The body of an ERC-20's withdrawal in canonical words: its asset id where the call names it, the form where it is not the
/// network's own.
pub(super) fn words(movement: Movement, asset: Option<AssetId>, form: Form, network: &Network) -> Json {
    let mut members = movement.members(movement.token.to_json());
    members.extend(asset.map(|asset| ("assetId", Json::display(asset))));
    if form != Form::default_of(network) {
        members.push(("form", Json::text(form.name())));
    }
    Json::object(members)
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    recognise_base_token(seen).or_else(|| recognise_asset(seen)).or_else(|| recognise_legacy(seen))
}

/// What every withdrawal says: how much, to whom, and what follows.
fn lines(network: &Network, movement: Movement, sender: Address) -> Vec<(&'static str, String)> {
    let Movement { token, amount, to } = movement;
    vec![
        ("withdraw", amount_in_words(network, Layer::L2, token, amount)),
        ("to (on L1)", format!("{to} on chain {} (fixed for good once this is mined)", network.l1_chain_id)),
        ("then", format!("finalize on L1 when the batch is executed; the message is sent by {sender}")),
    ]
}

fn recognise_base_token(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let plain = WITHDRAW.arguments(seen.data);
    let (arguments, function) = match plain {
        Some(arguments) => (arguments, "withdraw"),
        None => (WITHDRAW_WITH_MESSAGE.arguments(seen.data)?, "withdrawWithMessage"),
    };
    let to = abi::as_address(arguments.first()?)?;
    let message = match arguments.get(1) {
        Some(Token::Bytes(message)) => Some(message),
        _ => None,
    };
    if seen.to != Address::L2_BASE_TOKEN {
        return None;
    }
    let token = TokenName::base_of(network);
    let movement = Movement { token, amount: seen.value.get(), to };
    let mut members = movement.members(token.to_json());
    let mut call = vec![("_l1Receiver", Json::display(to))];
    let mut lines = lines(network, movement, Address::L2_BASE_TOKEN);
    if let Some(message) = message {
        members.push(("message", Json::bytes(message)));
        call.push(("_additionalData", Json::bytes(message)));
        lines.insert(2, ("message", format!("{} bytes go along: 0x{}", message.len(), hex::encode(message))));
    }
    let arguments = Json::object(call);
    Some(Recognised {
        name: OPERATION.name,
        body: Json::object(members),
        call: Json::object([("function", Json::text(function)), ("arguments", arguments)]),
        debits: Vec::new(),
        warnings: Vec::new(),
        lines,
    })
}

fn recognise_asset(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let arguments = WITHDRAW_ASSET.arguments(seen.data)?;
    let [Token::FixedBytes(id), Token::Bytes(data)] = arguments.as_slice() else { return None };
    let burned = abi::decode(BURN_DATA, data)?;
    let [amount, to, token] = burned.as_slice() else { return None };
    let (amount, to, named) = (abi::as_uint(amount)?, abi::as_address(to)?, abi::as_address(token)?);
    if seen.to != Address::L2_ASSET_ROUTER || !network.has_asset_router() || !seen.value.is_zero() {
        return None;
    }
    let asset = AssetId(id.as_slice().try_into().ok()?);
    let id_of = |chain_id, token| AssetId::native_token_vault(chain_id, token);
    // The asset id decides what is taken; the address beside it may be zero.
    let pinned = network.tokens.iter().find(|known| asset == id_of(known.origin.chain_id, known.origin.token));
    let token = pinned.and_then(|known| known.l2_address).unwrap_or(named);
    let movement = Movement { token: TokenName::Erc20(named), amount, to };
    let is_native = asset == id_of(network.l2_chain_id, token);
    let home = match pinned {
        _ if is_native => format!("native to {}: the vault takes it by an approval", network.name),
        Some(known) => format!("{} of chain {}", known.symbol, known.origin.chain_id),
        None => "of a token that is native to another chain".to_owned(),
    };
    let shown = Movement { token: TokenName::Erc20(token), ..movement };
    let mut lines = lines(network, shown, Address::L2_ASSET_ROUTER);
    lines.insert(2, ("asset id", format!("{asset} ({home})")));
    Some(Recognised {
        name: OPERATION.name,
        body: words(movement, Some(asset), Form::AssetRouter, network),
        call: Json::object([
            ("function", Json::text("withdraw")),
            ("arguments", Json::object([("_assetId", Json::display(asset)), ("_assetData", Json::bytes(data))])),
        ]),
        debits: vec![(token, amount)],
        warnings: judge_name(network, Layer::L2, asset, named, token).into_iter().collect(),
        lines,
    })
}

fn recognise_legacy(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let arguments = WITHDRAW_LEGACY.arguments(seen.data)?;
    let [to, token, amount] = arguments.as_slice() else { return None };
    let (to, token, amount) = (abi::as_address(to)?, abi::as_address(token)?, abi::as_uint(amount)?);
    let form = if Some(seen.to) == network.l2_legacy_shared_bridge {
        Form::LegacyBridge
    } else if seen.to == Address::L2_ASSET_ROUTER && network.has_asset_router() {
        Form::LegacyAssetRouter
    } else {
        return None;
    };
    if !seen.value.is_zero() {
        return None;
    }
    let movement = Movement { token: TokenName::Erc20(token), amount, to };
    let sender = network.l2_legacy_shared_bridge.unwrap_or(Address::L2_ASSET_ROUTER);
    Some(Recognised {
        name: OPERATION.name,
        body: words(movement, None, form, network),
        call: Json::object([
            ("function", Json::text("withdraw")),
            (
                "arguments",
                Json::object([
                    ("_l1Receiver", Json::display(to)),
                    ("_l2Token", Json::display(token)),
                    ("_amount", Json::display(amount)),
                ]),
            ),
        ]),
        debits: vec![(token, amount)],
        warnings: network
            .token_at(Layer::L2, token)
            .filter(|known| known.origin.chain_id != network.l1_chain_id)
            .map(|known| {
                let error = contract_error::TOKEN_NOT_LEGACY.signature;
                format!(
                    "{} is no token of L1, and this form takes no other: the chain refuses that ({error})",
                    known.symbol
                )
            })
            .into_iter()
            .collect(),
        lines: lines(network, movement, sender),
    })
}
