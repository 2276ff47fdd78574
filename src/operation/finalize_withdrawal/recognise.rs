//! A finalization found in decoded bytes: what its message says L1 pays, and what L1 would hold against it.

use ethabi::ethereum_types::U256;

use super::{
    FINALIZE_DEPOSIT, FINALIZE_ERC20_WITHDRAWAL, FINALIZE_ETH_WITHDRAWAL, FINALIZE_WITHDRAWAL, Form, OPERATION,
    WithdrawalFacts, asset_of, base_asset, judge_form, judge_message, judge_sender, sender_of,
};
use crate::abi::{self, Token};
use crate::address::Address;
use crate::asset::AssetId;
use crate::json::Json;
use crate::message::Message;
use crate::network::{Layer, Network};
use crate::operation::evidence::{Evidence, proof_words, stored_at, token_of_asset};
use crate::operation::{Recognised, Seen, TokenName, amount_in_words, judge_recipient};

/// What a message says its token is.
enum Said {
    /// A token of L1, or the base token.
    Token(TokenName),
    /// An asset that is native to another chain, or whose token the message does not tell.
    Asset(AssetId),
}

fn token_of(message: &Message, network: &Network) -> Said {
    let base = TokenName::base_of(network);
    match message {
        Message::BaseToken { .. } => Said::Token(base),
        Message::LegacyErc20 { token, .. } => Said::Token(TokenName::Erc20(*token)),
        Message::AssetRouter { asset_id, transfer, .. } => {
            if *asset_id == base_asset(network) {
                return Said::Token(base);
            }
            match token_of_asset(*asset_id, Some(transfer.origin_token), network) {
                None => Said::Asset(*asset_id),
                Some(Address::ETH_TOKEN) => Said::Token(TokenName::Eth),
                Some(token) => Said::Token(TokenName::Erc20(token)),
            }
        }
    }
}

/// The body in canonical words: the asset id where no token of L1 is named, the form where it is not the network's own.
pub(super) fn words(message: &Message, form: Form, network: &Network) -> Json {
    let mut members = match token_of(message, network) {
        Said::Token(token) => vec![("token", token.to_json())],
        Said::Asset(asset) => vec![("assetId", Json::display(asset))],
    };
    members.push(("amount", Json::display(message.amount())));
    members.push(("to", Json::display(message.receiver())));
    if form != Form::default_of(network) {
        members.push(("form", Json::text(form.name())));
    }
    Json::object(members)
}

/// The arguments of a finalization, whichever function it is.
struct Call {
    form: Form,
    facts: WithdrawalFacts,
    names: &'static [&'static str],
}

impl Call {
    fn read(seen: &Seen<'_>) -> Option<Self> {
        const LEGACY: &[&str] =
            &["_l2BatchNumber", "_l2MessageIndex", "_l2TxNumberInBatch", "_message", "_merkleProof"];
        const WITH_CHAIN: &[&str] =
            &["_chainId", "_l2BatchNumber", "_l2MessageIndex", "_l2TxNumberInBatch", "_message", "_merkleProof"];
        const STRUCT: &[&str] =
            &["chainId", "l2BatchNumber", "l2MessageIndex", "l2Sender", "l2TxNumberInBatch", "message", "merkleProof"];
        let chain = U256::from(seen.network.l2_chain_id);
        let of_chain = |id: &Token| (abi::as_uint(id)? == chain).then_some(());
        if let Some(arguments) = FINALIZE_DEPOSIT.arguments(seen.data) {
            let [Token::Tuple(items)] = arguments.as_slice() else { return None };
            let [id, batch, index, sender, number, message, proof] = items.as_slice() else { return None };
            of_chain(id)?;
            let facts =
                facts_of(&[batch, index, number, message, proof], Some(abi::as_address(sender)?), seen.network)?;
            return Some(Self { form: Form::FinalizeDeposit, facts, names: STRUCT });
        }
        let (form, arguments, names) = if let Some(arguments) = FINALIZE_WITHDRAWAL.arguments(seen.data) {
            of_chain(arguments.first()?)?;
            (Form::Legacy, arguments.get(1..)?.to_vec(), WITH_CHAIN)
        } else if let Some(arguments) = FINALIZE_ETH_WITHDRAWAL.arguments(seen.data) {
            (Form::LegacyEth, arguments, LEGACY)
        } else {
            (Form::LegacyBridge, FINALIZE_ERC20_WITHDRAWAL.arguments(seen.data)?, LEGACY)
        };
        let [batch, index, number, message, proof] = arguments.as_slice() else { return None };
        let facts = facts_of(&[batch, index, number, message, proof], None, seen.network)?;
        Some(Self { form, facts, names })
    }

    fn to_json(&self, network: &Network) -> Json {
        let evidence = &self.facts.evidence;
        let value = |name: &str| match name.trim_start_matches('_') {
            "chainId" => Json::count(network.l2_chain_id),
            "l2BatchNumber" => Json::count(evidence.batch_number),
            "l2MessageIndex" => Json::count(evidence.index),
            "l2TxNumberInBatch" => Json::count(u64::from(evidence.tx_number_in_batch)),
            "l2Sender" => Json::display(self.facts.l2_sender),
            "message" => Json::bytes(&self.facts.message),
            _ => Json::Array(evidence.words.iter().map(Json::bytes).collect()),
        };
        let function = match self.form {
            Form::FinalizeDeposit => "finalizeDeposit",
            Form::Legacy | Form::LegacyBridge => "finalizeWithdrawal",
            Form::LegacyEth => "finalizeEthWithdrawal",
        };
        Json::object([
            ("function", Json::text(function)),
            ("arguments", Json::object(self.names.iter().map(|name| (*name, value(name))))),
        ])
    }
}

/// The facts that the arguments come from; the legacy functions put the sender of the message's kind in its place.
fn facts_of(arguments: &[&Token; 5], sender: Option<Address>, network: &Network) -> Option<WithdrawalFacts> {
    let [batch, index, number, Token::Bytes(message), proof] = arguments else { return None };
    let kind = Message::read(message).ok()?.kind();
    Some(WithdrawalFacts {
        evidence: Evidence {
            batch_number: abi::as_uint(batch)?.try_into().ok()?,
            index: abi::as_uint(index)?,
            tx_number_in_batch: abi::as_uint(number)?.try_into().ok()?,
            words: proof_words(proof)?,
            batch_root: None,
        },
        l2_sender: sender.or_else(|| sender_of(kind, network)).unwrap_or(Address::ZERO),
        message: message.clone(),
    })
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let call = Call::read(seen)?;
    let (form, facts) = (call.form, &call.facts);
    if form.target(network) != Some(seen.to) || !seen.value.is_zero() {
        return None;
    }
    let message = Message::read(&facts.message).ok()?;
    let held_against = [
        judge_message(&message, network),
        judge_sender(&message, facts.l2_sender, network),
        judge_form(form, &message, network, ""),
        judge_recipient(message.receiver(), "", network),
    ];
    let mut warnings: Vec<String> = held_against.into_iter().flatten().map(|refusal| refusal.problem()).collect();
    let paid = match token_of(&message, network) {
        Said::Token(token) => amount_in_words(network, Layer::L1, token, message.amount()),
        Said::Asset(asset) => format!("{} base units of asset {asset}", message.amount()),
    };
    let evidence = &facts.evidence;
    let ending = evidence.proof(network, "").and_then(|proof| evidence.ending(network, &proof, facts.log().leaf(), ""));
    let mut lines = vec![
        ("finalize", paid),
        ("to (on L1)", format!("{} (the message says so; nobody can change it)", message.receiver())),
        ("sent on L2", format!("by {} on {} (chain {})", facts.l2_sender, network.name, network.l2_chain_id)),
        ("asset id", asset_of(&message, network).to_string()),
        (
            "batch, leaf",
            format!("{}, {}, transaction {}", evidence.batch_number, evidence.index, evidence.tx_number_in_batch),
        ),
    ];
    match ending {
        Ok(ending) => lines.push((
            "proof root",
            format!("{} must be {}", ending.root, stored_at(network, evidence.batch_number, ending.settled_on)),
        )),
        Err(refusal) => warnings.push(refusal.problem()),
    }
    Some(Recognised {
        name: OPERATION.name,
        body: words(&message, form, network),
        call: call.to_json(network),
        debits: Vec::new(),
        warnings,
        lines,
    })
}
