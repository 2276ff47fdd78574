//! What a transaction will do, in words: decoded from the encoded bytes, never from the request.
//!
//! A review says nothing that is not in the bytes, except which account a transaction without a signature is meant to be
//! sent from. Everything printed is ASCII, so that no text can move the cursor or hide.

mod screen;
mod summary;

use ethabi::ethereum_types::U256;

use crate::address::{Address, Spelling};
use crate::fees::judge_era_transaction;
use crate::hash::Digest;
use crate::json::Json;
use crate::network::{Layer, Network, Networks, Origin, Vm};
use crate::operation::{
    Recognised, Seen, TokenName, judge_recipient, judge_token_contract, recognise, recognise_as, recognise_on_l2,
};
use crate::paymaster::Sponsor;
use crate::policy::Verdict;
use crate::refusal::Refusal;
use crate::signed::Signed;
use crate::transaction::eip712::Paymaster;
use crate::transaction::{Authorization, Decoded, Eip712, Transaction};
use crate::units::{Wei, with_decimals};
use crate::unsigned::Unsigned;

pub use summary::Summary;

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/review/1";
/// The highest that an ETH deposit was measured to take on L1 (the priority tree grows at powers of two).
const DEPOSIT_L1_GAS: u64 = 263_000;
/// The same for a token's first deposit (later ones took up to 351,000).
const ERC20_DEPOSIT_L1_GAS: u64 = 541_000;

/// Where a transaction runs, as far as its bytes tell.
#[derive(Clone, Copy)]
struct Place<'a> {
    network: Option<&'a Network>,
    layer: Option<Layer>,
    purpose: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(network: &'a Network, layer: Layer, purpose: &'a str) -> Self {
        Self { network: Some(network), layer: Some(layer), purpose: Some(purpose) }
    }
}

/// The review of one document.
pub struct Review {
    intent_id: Option<String>,
    transactions: Vec<Reviewed>,
    /// What a plan was checked for; bytes alone do not say.
    checks: Vec<String>,
    /// Whether this is of a plan, and not of what is signed or raw.
    is_plan: bool,
    /// What the policy says, where there is one.
    verdict: Option<Verdict>,
}

struct Reviewed {
    decoded: Decoded,
    network: Option<Network>,
    layer: Option<Layer>,
    sender: Option<Address>,
    action: Option<Recognised>,
    warnings: Vec<Warning>,
}

struct Warning {
    name: &'static str,
    text: String,
}

impl Review {
    /// The review of a plan.
    pub fn of_unsigned(unsigned: &Unsigned) -> Result<Self, Refusal> {
        let request = unsigned.request();
        let mut transactions = unsigned
            .transactions()
            .iter()
            .map(|planned| {
                let decoded = Decoded::read(&planned.transaction.unsigned_bytes(), "")?;
                Ok(Reviewed::new(
                    decoded,
                    Place::of(request.network(), planned.layer, planned.purpose),
                    Some(request.from()),
                ))
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        if let Some(last) = transactions.last_mut() {
            let not_verified = |text: &String| Warning { name: "not_verified", text: text.clone() };
            last.warnings.extend(unsigned.warnings().iter().map(not_verified));
        }
        let checks = unsigned.checks().iter().map(|check| check.result.clone()).collect();
        Ok(Self { intent_id: request.id().map(str::to_owned), transactions, checks, is_plan: true, verdict: None })
    }

    /// The review of a signed document.
    pub fn of_signed(signed: &Signed) -> Result<Self, Refusal> {
        let transactions = signed
            .transactions()
            .iter()
            .map(|transaction| {
                let decoded = Decoded::read(transaction.raw(), "")?;
                Ok(Reviewed::new(
                    decoded,
                    Place::of(signed.network(), transaction.layer(), transaction.purpose()),
                    None,
                ))
            })
            .collect::<Result<_, Refusal>>()?;
        Ok(Self {
            intent_id: signed.intent_id().map(str::to_owned),
            transactions,
            checks: Vec::new(),
            is_plan: false,
            verdict: None,
        })
    }

    /// The review of raw bytes, ours or not. The network is found by the chain id and the called contract.
    pub fn of_raw(raw: &[u8], networks: &Networks) -> Result<Self, Refusal> {
        let decoded = Decoded::read(raw, "")?;
        let candidates: Vec<(&Network, Layer)> =
            decoded.transaction.chain_id().map(|id| networks.with_chain_id(id).collect()).unwrap_or_default();
        let sender = decoded.transaction.declared_from().or(decoded.signer());
        let recognised = candidates.iter().copied().find(|(network, layer)| {
            seen(&decoded, network, *layer, sender).is_some_and(|seen| recognise(&seen).is_some())
        });
        let place = match (recognised, candidates.as_slice()) {
            (Some((network, layer)), _) => Place { network: Some(network), layer: Some(layer), purpose: None },
            // An L2 chain id names its network; any transaction of L1 may be on an L1 chain.
            (None, [(network, Layer::L2)]) => Place { network: Some(network), layer: Some(Layer::L2), purpose: None },
            (None, [(_, first), rest @ ..]) if rest.iter().all(|(_, layer)| layer == first) => {
                Place { network: None, layer: Some(*first), purpose: None }
            }
            (None, _) => Place { network: None, layer: None, purpose: None },
        };
        let mut reviewed = Reviewed::new(decoded, place, None);
        reviewed.warnings.extend(foreign_form(&reviewed.decoded, raw));
        Ok(Self { intent_id: None, transactions: vec![reviewed], checks: Vec::new(), is_plan: false, verdict: None })
    }

    /// The same with what the policy said.
    #[must_use]
    pub fn under(self, verdict: Option<Verdict>) -> Self {
        Self { verdict, ..self }
    }

    /// The review as a document.
    pub fn to_json(&self) -> Json {
        let warnings = self.transactions.iter().enumerate().flat_map(|(index, reviewed)| {
            reviewed.warnings.iter().map(move |warning| {
                Json::object([
                    ("name", Json::text(warning.name)),
                    ("transaction", Json::count(u64::try_from(index).unwrap_or(u64::MAX))),
                    ("message", Json::text(warning.text.as_str())),
                ])
            })
        });
        let policy = self.verdict.as_ref().map(|verdict| {
            let name = verdict.policy.as_ref().map_or(Json::Null, |name| Json::text(name.as_str()));
            let members = [("result", Json::text("allowed")), ("name", name), ("hash", Json::display(verdict.hash))];
            ("policy", Json::object(members))
        });
        let mut document = vec![
            ("schema", Json::text(SCHEMA)),
            ("intentId", self.intent_id.as_ref().map_or(Json::Null, |id| Json::text(id.as_str()))),
            ("transactions", Json::Array(self.transactions.iter().map(Reviewed::to_json).collect())),
            (
                "worstCaseDebit",
                Json::Array(
                    self.worst_case()
                        .into_iter()
                        .map(|(token, amount)| {
                            Json::object([
                                ("token", Json::text(token)),
                                ("amount", amount.map_or(Json::Null, Json::display)),
                            ])
                        })
                        .collect(),
                ),
            ),
            ("warnings", Json::Array(warnings.collect())),
        ];
        document.extend(policy);
        Json::object(document)
    }

    /// Per token: everything that can leave the account. None where the sum is above 2^256-1.
    fn worst_case(&self) -> Vec<(String, Option<U256>)> {
        let mut debits: Vec<(String, Option<U256>)> = Vec::new();
        let mut add = |token: String, amount: Option<U256>| match debits.iter_mut().find(|(known, _)| *known == token) {
            Some((_, sum)) => *sum = sum.zip(amount).and_then(|(sum, amount)| sum.checked_add(amount)),
            None => debits.push((token, amount)),
        };
        for reviewed in &self.transactions {
            add(reviewed.gas_token().to_owned(), reviewed.decoded.transaction.worst_case().map(Wei::get));
        }
        for (token, amount) in
            self.transactions.iter().filter_map(|reviewed| reviewed.action.as_ref()).flat_map(|a| &a.debits)
        {
            add(token.to_string(), Some(*amount));
        }
        for (token, amount) in self.transactions.iter().filter_map(Reviewed::paymaster_debit) {
            add(token.to_string(), Some(amount));
        }
        debits
    }
}

fn seen<'a>(decoded: &'a Decoded, network: &'a Network, layer: Layer, from: Option<Address>) -> Option<Seen<'a>> {
    let transaction = &decoded.transaction;
    let (to, value) = (transaction.to()?, transaction.value());
    Some(Seen { network, layer, from, to, value, data: transaction.data(), factory_deps: transaction.factory_deps() })
}

/// What is unusual about how the bytes are written, beside what they say.
fn foreign_form(decoded: &Decoded, raw: &[u8]) -> Option<Warning> {
    let ours = match &decoded.authorization {
        Authorization::Unsigned => Some(decoded.transaction.unsigned_bytes()),
        authorization => decoded.transaction.authorized(authorization),
    };
    if decoded.has_unread_bytes(raw) {
        let text = "items 8 and 9 (r, s) hold something that no node reads: the custom signature counts";
        return Some(Warning { name: "unread_bytes", text: text.to_owned() });
    }
    (ours.as_deref() != Some(raw)).then(|| Warning {
        name: "other_form",
        text: "written in another tool's form of this type; the node reads the same, with the same hash".to_owned(),
    })
}

fn joined(addresses: &[Address]) -> String {
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}

fn in_token(token: &str, amount: Wei) -> String {
    match token {
        "eth" => format!("{} ETH ({amount} wei)", with_decimals(amount.get(), 18)),
        _ => format!("{amount} base units of {token}"),
    }
}

/// Who pays for gas in the account's place and what that may take for it, in words.
fn paymaster_in_words(paymaster: &Paymaster) -> String {
    let Paymaster { paymaster: address, input } = paymaster;
    match Sponsor::decode(*address, input) {
        _ if *address == Address::ZERO => {
            format!("the zero address is no paymaster: the account pays the fee itself ({} bytes for it)", input.len())
        }
        Some(sponsor) => sponsor.in_words(),
        None => format!(
            "paymaster {address} pays the fee and is told {} bytes of no flow that plain accounts know: they would revert",
            input.len()
        ),
    }
}

impl Reviewed {
    fn new(decoded: Decoded, place: Place<'_>, sender: Option<Address>) -> Self {
        let sender = decoded.transaction.declared_from().or(decoded.signer()).or(sender);
        let action = place
            .network
            .zip(place.layer)
            .and_then(|(network, layer)| seen(&decoded, network, layer, sender))
            .and_then(|seen| place.purpose.and_then(|name| recognise_as(name, &seen)).or_else(|| recognise(&seen)));
        let mut reviewed =
            Self { network: place.network.cloned(), layer: place.layer, sender, decoded, action, warnings: Vec::new() };
        reviewed.warnings = reviewed.warnings();
        reviewed
    }

    /// What a paymaster may take in a token.
    fn paymaster_debit(&self) -> Option<(Address, U256)> {
        let params = self.decoded.transaction.paymaster()?;
        Sponsor::decode(params.paymaster, &params.input)?.debit()
    }

    fn gas_token(&self) -> &'static str {
        match (&self.network, self.layer) {
            (Some(network), Some(layer)) => network.gas_token(layer),
            (None, Some(Layer::L1)) => "eth",
            _ => "native",
        }
    }

    fn warnings(&self) -> Vec<Warning> {
        let transaction = &self.decoded.transaction;
        let mut warnings = Vec::new();
        let mut warn = |name, text: String| warnings.push(Warning { name, text });
        match (transaction.chain_id(), &self.network) {
            (None, _) => {
                warn("replayable", "no chain id (before EIP-155): anyone can repeat it on every chain".to_owned());
            }
            (Some(id), None) if self.layer.is_none() => {
                warn("unknown_chain", format!("chain {id} belongs to no network that is known here"));
            }
            (Some(_), Some(network)) if network.origin == Origin::File => {
                warn("unpinned_network", format!("network {} is not pinned: it comes from a file", network.name));
            }
            _ => {}
        }
        let era = matches!((&self.network, self.layer), (Some(network), Some(Layer::L2)) if network.vm == Vm::EraVm);
        if era || matches!(transaction, Transaction::Eip712(_)) {
            for problem in judge_era_transaction(transaction) {
                warn("node_refuses", format!("ZKsync nodes do not take {problem}"));
            }
        }
        if transaction.to().is_none() {
            warn("creates_contract", "it calls nobody: it would create a contract".to_owned());
        }
        if self.action.is_none() && !transaction.data().is_empty() {
            warn("unknown_call", "the calldata is not of an operation that coldbridge knows".to_owned());
        }
        if let (Some(declared), Some(signer)) = (transaction.declared_from(), self.decoded.signer())
            && declared != signer
        {
            warn(
                "signer_is_not_from",
                format!("signed by {signer}, not by {declared}: valid only for a smart account"),
            );
        }
        if let Authorization::Custom(signature) = &self.decoded.authorization {
            let owners = match self.decoded.owners() {
                Some(owners) => format!(" (ECDSA signatures of {})", joined(&owners)),
                None => String::new(),
            };
            warn(
                "custom_signature",
                format!("{} bytes that only a smart account can judge as a signature{owners}", signature.len()),
            );
            if let Some(v @ (54 | 55)) = signature.get(64).filter(|_| signature.len() == 65) {
                warn(
                    "signature_v",
                    format!(
                        "its last byte is {v}, of a v of {} to which the node adds 27: no plain account takes that",
                        v - 27
                    ),
                );
            }
        }
        let (max_fee, priority_fee) = match transaction {
            Transaction::Eip1559(tx) => (tx.max_fee_per_gas, tx.max_priority_fee_per_gas),
            Transaction::Eip712(tx) => (tx.max_fee_per_gas, tx.max_priority_fee_per_gas),
            Transaction::Legacy(tx) => (tx.gas_price, tx.gas_price),
            Transaction::Eip2930(tx) => (tx.gas_price, tx.gas_price),
        };
        if priority_fee > max_fee {
            warn("priority_above_max", "the priority fee is above the maximum fee: every node refuses that".to_owned());
        }
        if let Transaction::Eip712(Eip712 { paymaster: Some(params), .. }) = transaction {
            warn("paymaster", paymaster_in_words(params));
        }
        if let Some(action) = &self.action {
            for warning in &action.warnings {
                warn("call", warning.clone());
            }
            let member = |name: &str| match action.body.get(name) {
                Some(Json::Text(text)) => Some(text.clone()),
                _ => None,
            };
            if let (Some(to), Some(sender)) = (member("to"), self.sender)
                && to != sender.to_string()
                && action.name != "call"
            {
                warn("recipient_is_not_sender", format!("the money goes to {to}, another account than the sender"));
            }
            let unpayable = member("to")
                .filter(|_| action.name != "call" || transaction.data().is_empty())
                .and_then(|to| Address::parse(&to, Spelling::AnyCase).ok())
                .zip(self.network.as_ref())
                .and_then(|(to, network)| {
                    let token = || judge_token_contract(to, TokenName::Base, "", network);
                    judge_recipient(to, "", network).or_else(|| token().filter(|_| action.name != "call"))
                });
            if let Some(refusal) = unpayable {
                warn("recipient", format!("nobody can be paid there: {}", refusal.problem()));
            }
            let refund = action
                .call
                .get("arguments")
                .and_then(|arguments| arguments.get("refundRecipient").or(arguments.get("_refundRecipient")));
            if let (Some(Json::Text(refund)), Some(sender)) = (refund, self.sender)
                && *refund != sender.to_string()
            {
                warn(
                    "refund_is_not_sender",
                    format!("what is not used, and everything if the L2 side fails, goes to {refund}"),
                );
            }
            let erc20 = member("token").is_some_and(|token| token.starts_with("0x"));
            let measured = if erc20 { ERC20_DEPOSIT_L1_GAS } else { DEPOSIT_L1_GAS };
            if action.name == "deposit" && transaction.gas_limit() < measured.into() {
                let limit = transaction.gas_limit();
                warn(
                    "gas_limit_low",
                    format!("such deposits took up to {measured} gas; with {limit} this one may run out"),
                );
            }
        }
        warnings
    }

    fn action_json(&self) -> Json {
        let transaction = &self.decoded.transaction;
        if let Some(action) = &self.action {
            return Json::object([(action.name, action.body.clone())]);
        }
        if let (Some(to), true) = (transaction.to(), transaction.data().is_empty()) {
            return Json::object([(
                "transfer",
                Json::object([
                    ("token", Json::text(self.gas_token())),
                    ("amount", transaction.value().to_json()),
                    ("to", Json::display(to)),
                ]),
            )]);
        }
        let selector = transaction.data().first_chunk::<4>().filter(|_| transaction.to().is_some());
        Json::object([("unknown", Json::object([("selector", selector.map_or(Json::Null, Json::bytes))]))])
    }

    fn to_json(&self) -> Json {
        let transaction = &self.decoded.transaction;
        let mut members = vec![
            ("layer", self.layer.map_or(Json::Null, |layer| Json::text(layer.name()))),
            ("network", self.network.as_ref().map_or(Json::Null, |network| Json::text(network.name.as_str()))),
        ];
        members.extend(transaction.fields(self.sender));
        members.push(("hash", self.decoded.hash().map_or(Json::Null, Json::display)));
        members.push(("signingDigest", Json::display(transaction.signing_digest())));
        members.push(("calldataDigest", Json::display(Digest::of_calldata(transaction.data()))));
        members.push(("signer", self.decoded.signer().map_or(Json::Null, Json::display)));
        if let Authorization::Custom(signature) = &self.decoded.authorization {
            members.push(("customSignature", Json::bytes(signature)));
        }
        if let (Authorization::Custom(_), Some(owners)) = (&self.decoded.authorization, self.decoded.owners()) {
            members.push(("customSigners", Json::Array(owners.iter().map(Json::display).collect())));
        }
        members.push(("action", self.action_json()));
        members.push(("call", self.action.as_ref().map_or(Json::Null, |action| action.call.clone())));
        Json::object(members)
    }

    fn title(&self) -> String {
        let does = match (&self.action, self.decoded.transaction.data().is_empty()) {
            (Some(action), _) => action.name.to_uppercase(),
            (None, true) => "TRANSFER".to_owned(),
            (None, false) => "UNKNOWN CALL".to_owned(),
        };
        let place = match (&self.network, self.layer, self.decoded.transaction.chain_id()) {
            (Some(network), Some(layer), _) => {
                format!("{layer} of {}, chain {}", network.name, network.chain_id(layer))
            }
            (None, Some(layer), Some(id)) => format!("{layer} chain {id}"),
            (_, _, Some(id)) => format!("chain {id}"),
            _ => "any chain".to_owned(),
        };
        let signed = match self.decoded.authorization {
            Authorization::Unsigned => "not signed",
            _ => "signed",
        };
        format!("{does} on {place} ({signed})")
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let transaction = &self.decoded.transaction;
        let token = self.gas_token();
        let mut lines = Vec::new();
        match &self.action {
            Some(action) => {
                lines.extend(action.lines.iter().cloned());
                let inside = self.network.as_ref().and_then(|network| recognise_on_l2(action, network, self.sender));
                if let Some(inside) = inside {
                    lines.push(("which is", format!("the operation {} on L2:", inside.name)));
                    lines.extend(inside.lines);
                }
            }
            None if transaction.data().is_empty() => lines.push(("transfer", in_token(token, transaction.value()))),
            None => {
                let selector = transaction.data().first_chunk::<4>().map_or("none".to_owned(), hex::encode);
                lines.push(("selector", format!("0x{selector}, {} bytes of calldata", transaction.data().len())));
            }
        }
        lines.push(("from", self.sender.map_or("nobody yet: not signed".to_owned(), |sender| sender.to_string())));
        let called = transaction.to().map_or("nobody: creates a contract".to_owned(), |to| {
            let known = self.network.as_ref().and_then(|network| {
                network
                    .contracts()
                    .into_iter()
                    .find(|(_, address)| *address == to)
                    .map(|(field, _)| format!(" ({field})"))
            });
            let built_in = to.built_in().filter(|_| self.layer != Some(Layer::L1)).map(|name| format!(" ({name})"));
            let token = self.network.as_ref().zip(self.layer).and_then(|(network, layer)| network.token_at(layer, to));
            let known = known.or(built_in).or(token.map(|token| format!(" ({})", token.symbol)));
            format!("{to}{}", known.unwrap_or_default())
        });
        lines.push(("calls", called));
        lines.push(("value", in_token(token, transaction.value())));
        let price = transaction.gas_price_cap();
        let fee =
            transaction.gas_limit().checked_cost(price).map_or("above 2^256-1".to_owned(), |fee| in_token(token, fee));
        let payer = transaction.paymaster().map_or("", |_| ", paid by the paymaster");
        lines.push(("fee at most", format!("{fee} = {} gas at {price} wei{payer}", transaction.gas_limit())));
        match transaction {
            Transaction::Eip1559(tx) => lines.push(("priority fee", format!("{} wei", tx.max_priority_fee_per_gas))),
            Transaction::Eip712(tx) => {
                lines.push(("priority fee", format!("{} wei", tx.max_priority_fee_per_gas)));
                lines.push(("pubdata gas", tx.gas_per_pubdata.to_string()));
                if let Some(params) = &tx.paymaster {
                    lines.push(("paymaster", paymaster_in_words(params)));
                }
                if !tx.factory_deps.is_empty() {
                    lines.push(("factory deps", tx.factory_deps.len().to_string()));
                }
            }
            Transaction::Legacy(_) | Transaction::Eip2930(_) => {}
        }
        let accesses = match transaction {
            Transaction::Eip2930(tx) => tx.access_list.len(),
            Transaction::Eip1559(tx) => tx.access_list.len(),
            Transaction::Legacy(_) | Transaction::Eip712(_) => 0,
        };
        if accesses > 0 {
            lines.push(("access list", format!("{accesses} addresses")));
        }
        lines.push(("nonce, type", format!("{}, {}", transaction.nonce(), transaction.type_name())));
        lines.push(("sign digest", transaction.signing_digest().to_string()));
        lines.push(("data digest", Digest::of_calldata(transaction.data()).to_string()));
        if let Some(hash) = self.decoded.hash() {
            lines.push(("hash", hash.to_string()));
        }
        if let Some(owners) = self.decoded.owners() {
            lines.push(("signed by", joined(&owners)));
        }
        lines
    }
}
