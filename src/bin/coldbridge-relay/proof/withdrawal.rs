//! A message of L2 that L1 pays for becomes the intent to finalize it.

use coldbridge::asset::AssetId;
use coldbridge::message::Message;
use coldbridge::network::{BaseToken, Network};
use coldbridge::{Address, Json, Refusal};

use crate::contract::{Contract, word_of_count};
use crate::number::address_of;
use crate::prepare::Wanted;
use crate::proof::Case;
use crate::proof::receipt::{L2Receipt, Sent};

/// The intent and the facts.
///
/// # Errors
/// `relay.not_provable` for a message that L1 does not pay for, `relay.already_done`, and those of the evidence.
pub fn wanted(case: &Case<'_>, receipt: &L2Receipt, sent: &Sent, remarks: &mut Vec<String>) -> Result<Wanted, Refusal> {
    let message = Message::read(&sent.message).map_err(|error| {
        case.not_provable(&format!("the message is no withdrawal: {}", error.refusal("").problem()))
    })?;
    let evidence = case.evidence(receipt, &sent.log, remarks)?;
    let nullifier = Contract { nodes: &case.l1, name: "L1Nullifier", address: case.network.l1_nullifier };
    let place = [case.network.l2_chain_id, evidence.batch_number, evidence.index].map(word_of_count);
    if nullifier.word("isWithdrawalFinalized(uint256,uint256,uint256)", &place)? != [0; 32] {
        return Err(case.already_done("the withdrawal is finalized"));
    }
    let named = name(case, &message)?;
    let mut body = vec![
        ("token", named.token),
        ("amount", Json::display(message.amount())),
        ("to", Json::display(message.receiver())),
    ];
    body.extend(named.origin.map(|origin| ("tokenOrigin", origin)));
    remarks.push(format!(
        "filled from the message of {}: L1 pays {} of {} to {}; compare it with your own records",
        sent.sender,
        message.amount(),
        named.words,
        message.receiver()
    ));
    let mut facts = evidence.members();
    facts.push(("l2Sender", Json::display(sent.sender)));
    facts.push(("message", Json::bytes(&sent.message)));
    let intent = case.intent("finalizeWithdrawal", Json::object(body));
    Ok(Wanted::new(intent, vec![("withdrawal".to_owned(), Json::object(facts))]))
}

/// A token in the words of an intent.
pub struct Named {
    /// `token`
    pub token: Json,
    /// `tokenOrigin`
    pub origin: Option<Json>,
    words: String,
}

fn name(case: &Case<'_>, message: &Message) -> Result<Named, Refusal> {
    let plain = |token: Json, words: &str| Named { token, origin: None, words: words.to_owned() };
    Ok(match message {
        Message::BaseToken { .. } => match case.network.base_token {
            BaseToken::Eth => plain(Json::text("eth"), "wei"),
            BaseToken::Erc20(_) => plain(Json::text("base"), "the base token"),
        },
        Message::LegacyErc20 { token, .. } => plain(Json::display(token), &token.to_string()),
        Message::AssetRouter { asset_id, transfer, .. } => asset(case, *asset_id, transfer.origin_token)?,
    })
}

/// The token of an asset id, whose address at home is known: of L1, or of another chain and then with its origin.
///
/// # Errors
/// `relay.not_provable` for an asset of another handler than the native token vault.
pub fn asset(case: &Case<'_>, asset_id: AssetId, at_home: Address) -> Result<Named, Refusal> {
    let network = case.network;
    let is_of = |chain_id: u64| AssetId::native_token_vault(chain_id, at_home) == asset_id;
    if is_of(network.l1_chain_id) {
        let (token, words) = if at_home == Address::ETH_TOKEN {
            (Json::text("eth"), "wei".to_owned())
        } else {
            (Json::display(at_home), at_home.to_string())
        };
        return Ok(Named { token, origin: None, words });
    }
    let vault = Contract { nodes: &case.l1, name: "L1NativeTokenVault", address: network.l1_native_token_vault };
    let origin = origin(&vault, network, asset_id, is_of)?
        .ok_or_else(|| case.not_provable(&format!("asset {asset_id} is no token of the native token vault")))?;
    let on_l1 = address_of(vault.word("tokenAddress(bytes32)", &[asset_id.0])?);
    // The first withdrawal of a token makes its contract on L1: until then it is only known by its home.
    let token = on_l1.filter(|token| *token != Address::ZERO).unwrap_or(at_home);
    Ok(Named {
        token: Json::display(token),
        origin: Some(Json::object([("chainId", Json::count(origin)), ("address", Json::display(at_home))])),
        words: format!("the token {at_home} of chain {origin} (on L1 {token})"),
    })
}

fn origin(
    vault: &Contract<'_>,
    network: &Network,
    asset_id: AssetId,
    is_of: impl Fn(u64) -> bool,
) -> Result<Option<u64>, Refusal> {
    if is_of(network.l2_chain_id) {
        return Ok(Some(network.l2_chain_id));
    }
    let told = crate::number::count_of(vault.word("originChainId(bytes32)", &[asset_id.0])?);
    Ok(told.filter(|chain_id| is_of(*chain_id)))
}
