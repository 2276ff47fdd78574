//! What a transaction does, in the words that a policy has rules for: read from its encoded bytes.

use ethabi::ethereum_types::U256;

use crate::address::{Address, Spelling};
use crate::hash::Digest;
use crate::json::Json;
use crate::network::{BaseToken, Layer, Network};
use crate::operation::{Recognised, Seen, TokenName, recognise, recognise_as, recognise_on_l2};
use crate::refusal::{Code, Refusal};
use crate::transaction::{Decoded, Transaction};
use crate::unsigned::{Planned, Unsigned};

/// One transaction of a plan, decoded.
pub(super) struct Effects {
    /// What the bytes say.
    pub transaction: Transaction,
    /// Which operation it is, and what else the same bytes would be: a `call`, here or on L2, may be a transfer.
    pub of: Vec<Effect>,
}

/// What an operation does.
pub(super) struct Effect {
    /// Where what it moves is: a request of L1 may move a token on L2.
    pub layer: Layer,
    /// The member with the intent's own calldata, if that says it and no member of the intent.
    pub calldata: Option<&'static str>,
    /// Who gets something, and the member that says so.
    pub recipient: Option<(Address, &'static str)>,
    /// Whether somebody gets something, and the bytes do not say who.
    pub hides_recipient: bool,
    /// What moves, and the member that says so.
    pub movement: Option<Movement>,
    /// Whether something moves, and the bytes do not say what token or how much: an asset id of a token that nobody
    /// pins, bytes of a bridge's own.
    pub hides_movement: bool,
    /// What is called by the will of the intent, and the member that says so.
    pub call: Option<(Address, Vec<u8>, &'static str)>,
    /// Who gets on L2 what is not used.
    pub refund_recipient: Option<Address>,
    /// What is minted on L2 beyond what the recipient gets.
    pub surplus_mint: Option<U256>,
    /// The gas limit of the L2 side.
    pub l2_gas_limit: Option<U256>,
}

/// An amount of a token.
pub(super) struct Movement {
    pub token: TokenName,
    pub amount: U256,
    pub member: &'static str,
    pub counts: Counts,
}

/// Whether an amount counts towards a total.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// It leaves the account.
    Leaves,
    /// It does not leave: an allowance for a payment that counts by itself, or money that comes.
    Stays,
}

impl Effects {
    /// Encodes the transaction, decodes the bytes and finds in them what they do.
    pub fn of(planned: &Planned, network: &Network, from: Address) -> Result<Self, Refusal> {
        let bug = |problem: &str| Refusal::new(Code::BUG, "", problem, "report it; nothing was signed");
        let transaction = Decoded::read(&planned.transaction.unsigned_bytes(), "")?.transaction;
        let to = transaction.to().ok_or_else(|| bug("a plan that calls nobody"))?;
        let (value, data, layer) = (transaction.value(), transaction.data(), planned.layer);
        let factory_deps = transaction.factory_deps();
        let seen = Seen { network, layer, from: Some(from), to, value, data, factory_deps };
        let itself = recognise_as(planned.purpose, &seen).ok_or_else(|| bug("a plan that is not its own operation"))?;
        let inside = match planned.purpose {
            "call" => recognise(&seen).map(|found| (found, layer, "calldata")),
            _ => recognise_on_l2(&itself, network, Some(from)).map(|found| (found, Layer::L2, "l2Calldata")),
        };
        let mut itself = Effect::of(&itself, layer, &transaction);
        let Some((found, place, calldata)) = inside else { return Ok(Self { transaction, of: vec![itself] }) };
        let mut inside = Effect { calldata: Some(calldata), ..Effect::of(&found, place, &transaction) };
        // The value that a call hands over is what its calldata pays: it moves once.
        let pays = |movement: &Movement| matches!(movement.token, TokenName::Eth | TokenName::Base);
        let paid = inside.movement.as_ref().filter(|paid| pays(paid)).map(|paid| paid.amount);
        if let Some(handed_over) = itself.movement.as_mut().filter(|movement| Some(movement.amount) == paid) {
            if place == layer { handed_over.counts = Counts::Stays } else { inside.movement = None }
        }
        Ok(Self { transaction, of: vec![itself, inside] })
    }
}

impl Effect {
    fn of(found: &Recognised, layer: Layer, transaction: &Transaction) -> Self {
        let body = &found.body;
        let argument = |names: &[&str]| {
            let arguments = found.call.get("arguments")?;
            names.iter().find_map(|name| arguments.get(name))
        };
        let value = transaction.value().get();
        let minted = match argument(&["mintValue"]) {
            Some(minted) => number(minted),
            // The diamond's own function and the legacy bridge mint what is attached.
            None => argument(&["_refundRecipient"]).map(|_| value),
        };
        let l2_value = argument(&["l2Value", "_l2Value"]).and_then(number).unwrap_or_default();
        let party = |member: &'static str| Some((address(body.get(member)?)?, member));
        let moves = |token: TokenName, member: &'static str, counts| {
            Some(Movement { token, amount: number(body.get(member)?)?, member, counts })
        };
        let stated = |counts| moves(token(body.get("token")?)?, "amount", counts);
        let calls = |target: &'static str, calldata: &'static str| {
            Some((address(body.get(target)?)?, selector(body.get(calldata)?)?, target))
        };
        let (recipient, movement, call) = match found.name {
            "requestExecute" | "requestExecuteMailbox" => (
                party("l2Contract"),
                moves(TokenName::Base, "l2Value", Counts::Leaves),
                calls("l2Contract", "l2Calldata"),
            ),
            // Whom a call pays is a question of its target; a call that is a transfer is judged as one too.
            "call" => (None, moves(TokenName::Base, "value", Counts::Leaves), calls("to", "calldata")),
            "approve" => (None, stated(Counts::Stays), None),
            "finalizeWithdrawal" => (party("to"), stated(Counts::Stays), None),
            "claimFailedDeposit" => (party("depositor"), stated(Counts::Stays), None),
            "cancel" => (None, None, None),
            _ => (party("to"), stated(Counts::Leaves), None),
        };
        let pays_nobody = matches!(found.name, "cancel" | "deploy" | "approve" | "call");
        Self {
            layer,
            calldata: None,
            hides_recipient: recipient.is_none() && !pays_nobody,
            hides_movement: movement.is_none() && !matches!(found.name, "cancel" | "deploy"),
            recipient,
            movement,
            call,
            refund_recipient: argument(&["refundRecipient", "_refundRecipient"]).and_then(address),
            surplus_mint: minted.map(|minted| minted.saturating_sub(l2_value)),
            l2_gas_limit: argument(&["l2GasLimit", "_l2GasLimit", "_l2TxGasLimit"]).and_then(number),
        }
    }
}

/// What a person types to show that the screen was read: the end of the one, or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// Who gets it, or whom the intent calls.
    pub recipient: Option<Address>,
    /// How much of it, in base units.
    pub amount: Option<U256>,
    /// What is signed, where nobody gets anything.
    pub digest: Digest,
}

/// What one transaction of a plan pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// Who gets it, or whom the intent calls.
    pub recipient: Option<Address>,
    /// Where it moves.
    pub layer: Layer,
    /// What token, by its name on that layer.
    pub token: TokenName,
    /// How much, in base units.
    pub amount: U256,
}

impl Unsigned {
    /// Everything that the plan pays, read from its encoded bytes. Allowances and claims are no payments.
    pub fn payments(&self) -> Result<Vec<Payment>, Refusal> {
        let request = self.request();
        let mut payments = Vec::new();
        for planned in self.transactions() {
            let effects = Effects::of(planned, request.network(), request.from())?;
            payments.extend(effects.of.iter().filter_map(|effect| {
                let movement = effect.movement.as_ref().filter(|movement| movement.counts == Counts::Leaves)?;
                let target = effect.call.as_ref().map(|(target, _, _)| *target);
                let recipient = effect.recipient.map(|(recipient, _)| recipient).or(target);
                Some(Payment { recipient, layer: effect.layer, token: movement.token, amount: movement.amount })
            }));
        }
        payments.retain(|payment| !payment.amount.is_zero());
        Ok(payments)
    }

    /// Recipient and amount of the plan's payment, its last transaction, read from its encoded bytes.
    pub fn typed(&self) -> Result<Typed, Refusal> {
        let request = self.request();
        let bug = || Refusal::new(Code::BUG, "", "a plan without a transaction", "report it; nothing was signed");
        let payment = self.transactions().last().ok_or_else(bug)?;
        let effects = Effects::of(payment, request.network(), request.from())?;
        // What a call does by its own words comes after the call itself, and says more.
        let last = effects.of.iter().rfind(|effect| effect.layer == payment.layer);
        let target = effects.of.iter().find_map(|effect| effect.call.as_ref().map(|(target, _, _)| *target));
        // A zero is typed without reading.
        let amount = last.and_then(|effect| effect.movement.as_ref()).map(|movement| movement.amount);
        Ok(Typed {
            recipient: last.and_then(|effect| effect.recipient.map(|(recipient, _)| recipient)).or(target),
            amount: amount.filter(|amount| !amount.is_zero()),
            digest: effects.transaction.signing_digest(),
        })
    }
}

/// The names by which a policy may know a token of a layer.
pub(super) fn names_of(token: TokenName, layer: Layer, network: &Network) -> Vec<TokenName> {
    match (token, network.base_token, layer) {
        (TokenName::Eth | TokenName::Base, BaseToken::Eth, _) => vec![TokenName::Eth, TokenName::Base],
        (TokenName::Base, BaseToken::Erc20(base), Layer::L1) => vec![TokenName::Base, TokenName::Erc20(base)],
        (TokenName::Erc20(token), BaseToken::Erc20(base), Layer::L1) if token == base => {
            vec![TokenName::Erc20(base), TokenName::Base]
        }
        (TokenName::Erc20(token), _, layer) => {
            let pinned = network.tokens.iter().find(|pinned| pinned.address_on(layer) == Some(token));
            let both = pinned.map_or(vec![], |pinned| vec![pinned.l1_address, pinned.l2_address]);
            std::iter::once(token).chain(both.into_iter().flatten()).map(TokenName::Erc20).collect()
        }
        (token, _, _) => vec![token],
    }
}

fn number(json: &Json) -> Option<U256> {
    match json {
        Json::Integer(number) => Some(U256::from(*number)),
        Json::Text(text) => U256::from_dec_str(text).ok(),
        _ => None,
    }
}

fn address(json: &Json) -> Option<Address> {
    match json {
        Json::Text(text) => Address::parse(text, Spelling::AnyCase).ok(),
        _ => None,
    }
}

fn token(json: &Json) -> Option<TokenName> {
    match json {
        Json::Text(text) if text == "eth" => Some(TokenName::Eth),
        Json::Text(text) if text == "base" => Some(TokenName::Base),
        other => address(other).map(TokenName::Erc20),
    }
}

/// The first four bytes of calldata, or as many as there are.
fn selector(json: &Json) -> Option<Vec<u8>> {
    let Json::Text(text) = json else { return None };
    let mut bytes = hex::decode(text.strip_prefix("0x")?).ok()?;
    bytes.truncate(4);
    Some(bytes)
}
