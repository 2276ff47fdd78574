//! The policy: what its owner allows to be signed, as a document that is judged, explained in sentences and pinned by a hash.
//!
//! Every member is optional and a missing one limits nothing, with one exception: a `call` of an arbitrary contract is
//! refused unless `callTargets` names it. A member that nobody knows is refused, so that no rule is misspelt away.
//!
//! What is judged is the plan, decoded from its encoded bytes, and never the text of the request: [`Policy::judge`] in
//! `policy/judge.rs`, in the words of `policy/effect.rs`.

mod effect;
mod explain;
mod judge;

use ethabi::ethereum_types::U256;

use crate::address::{Address, Spelling};
use crate::hash::{Digest, keccak256};
use crate::json::{Cursor, Json, Members};
use crate::network::Layer;
use crate::operation::{self, TokenName};
use crate::refusal::{Code, Refusal, printable};
use crate::units::{BaseTokenUnits, Gas, Wei, WeiPerGas};

pub use effect::{Payment, Typed};
pub use judge::{Tally, Verdict, judge_without};

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/policy/1";

/// What its owner allows to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: Option<String>,
    networks: Option<Vec<String>>,
    pinning: Option<Demand>,
    senders: Option<Vec<Party>>,
    operations: Option<Vec<&'static str>>,
    recipients: Option<Vec<Party>>,
    refund_recipients: Option<Vec<Party>>,
    tokens: Option<Vec<TokenLimit>>,
    max_fee_per_gas: PerLayer<WeiPerGas>,
    max_transaction_fee: PerLayer<Wei>,
    max_total_fee: PerLayer<Wei>,
    max_surplus_mint: Option<BaseTokenUnits>,
    max_gas_limit: PerLayer<Gas>,
    max_l2_gas_limit: Option<Gas>,
    call_targets: Option<Vec<CallTarget>>,
    paymasters: Option<Vec<Party>>,
    replacement: Option<Permission>,
    confirmation: Option<Confirmation>,
    guard: Option<Demand>,
    airgap: Option<Demand>,
}

/// Who has to agree before something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmation {
    /// Nobody: a pipeline may sign.
    Unattended,
    /// A person who answers yes.
    Yes,
    /// A person who types the amount or the end of the recipient.
    Typed,
}

/// Whether something that is asked for by switch is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It is.
    Allowed,
    /// It is not.
    Refused,
}

/// Whether something must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// It must.
    Required,
    /// It need not.
    Optional,
}

/// An account that a list allows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Party {
    /// Whoever sends.
    Sender,
    /// This one.
    Account { address: Address, label: Option<String> },
}

/// What may move of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TokenLimit {
    token: TokenName,
    label: Option<String>,
    max_per_transaction: Option<U256>,
    max_total: Option<U256>,
}

/// What may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CallTarget {
    address: Address,
    label: Option<String>,
    selectors: Selectors,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Selectors {
    Any,
    /// The first four bytes of the calldata; no byte: no calldata at all.
    Of(Vec<Vec<u8>>),
}

/// A limit for each layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PerLayer<T> {
    l1: Option<T>,
    l2: Option<T>,
}

impl<T: Copy> PerLayer<T> {
    const NONE: Self = Self { l1: None, l2: None };

    fn of(self, layer: Layer) -> Option<T> {
        match layer {
            Layer::L1 => self.l1,
            Layer::L2 => self.l2,
        }
    }
}

impl Confirmation {
    const WORDS: &'static [(&'static str, Self)] =
        &[("unattended", Self::Unattended), ("yes", Self::Yes), ("typed", Self::Typed)];
}

impl Permission {
    const WORDS: &'static [(&'static str, Self)] = &[("allowed", Self::Allowed), ("refused", Self::Refused)];
}

impl Demand {
    const WORDS: &'static [(&'static str, Self)] = &[("required", Self::Required), ("optional", Self::Optional)];

    /// `true` or `false`.
    fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        match cursor.value() {
            Json::Bool(true) => Ok(Self::Required),
            Json::Bool(false) => Ok(Self::Optional),
            _ => Err(cursor.refuse(Code::JSON_WRONG_TYPE, "this is neither true nor false", "write true or false")),
        }
    }

    fn to_json(self) -> Json {
        Json::Bool(self == Self::Required)
    }
}

/// The word of a choice.
fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], choice: T) -> Json {
    words.iter().find(|(_, known)| *known == choice).map_or(Json::Null, |(word, _)| Json::text(*word))
}

impl Policy {
    /// Reads the document.
    ///
    /// # Errors
    /// The `json.*`, `quantity.*` and `address.*` codes; `policy.invalid` where it says a thing twice or contradicts itself.
    pub fn read(json: &Json) -> Result<Self, Refusal> {
        const MEMBERS: &[&str] = &[
            "name",
            "networks",
            "requirePinnedNetwork",
            "senders",
            "operations",
            "recipients",
            "refundRecipients",
            "tokens",
            "maxFeePerGas",
            "maxTransactionFee",
            "maxTotalFee",
            "maxSurplusMint",
            "maxGasLimit",
            "maxL2GasLimit",
            "callTargets",
            "paymasters",
            "replacement",
            "confirmation",
            "guard",
            "requireAirgap",
        ];
        let root = Cursor::root(json);
        let members = root.document(SCHEMA, &[], MEMBERS)?;
        let policy = Self {
            name: optional(&members, "name", |name| name.label().map(str::to_owned))?,
            networks: list(&members, "networks", |name| name.label().map(str::to_owned))?,
            pinning: optional(&members, "requirePinnedNetwork", Demand::read)?,
            senders: list(&members, "senders", Party::read)?,
            operations: list(&members, "operations", read_operation)?,
            recipients: list(&members, "recipients", Party::read)?,
            refund_recipients: list(&members, "refundRecipients", Party::read)?,
            tokens: list(&members, "tokens", TokenLimit::read)?,
            max_fee_per_gas: per_layer(&members, "maxFeePerGas", |price| price.amount().map(WeiPerGas::new))?,
            max_transaction_fee: per_layer(&members, "maxTransactionFee", |fee| fee.amount().map(Wei::new))?,
            max_total_fee: per_layer(&members, "maxTotalFee", |fee| fee.amount().map(Wei::new))?,
            max_surplus_mint: optional(&members, "maxSurplusMint", |amount| amount.amount().map(BaseTokenUnits::new))?,
            max_gas_limit: per_layer(&members, "maxGasLimit", |gas| gas.wide_count().map(Gas::new))?,
            max_l2_gas_limit: optional(&members, "maxL2GasLimit", |gas| gas.wide_count().map(Gas::new))?,
            call_targets: list(&members, "callTargets", CallTarget::read)?,
            paymasters: list(&members, "paymasters", Party::read)?,
            replacement: optional(&members, "replacement", |choice| choice.choice(Permission::WORDS))?,
            confirmation: optional(&members, "confirmation", |choice| choice.choice(Confirmation::WORDS))?,
            guard: optional(&members, "guard", |demand| demand.choice(Demand::WORDS))?,
            airgap: optional(&members, "requireAirgap", Demand::read)?,
        };
        policy.refuse_repetitions()?;
        Ok(policy)
    }

    /// The document in canonical form: members in a fixed order, addresses checksummed.
    pub fn to_json(&self) -> Json {
        let texts = |list: &Vec<String>| Json::Array(list.iter().map(|text| Json::text(text.as_str())).collect());
        let parties = |list: &Vec<Party>| Json::Array(list.iter().map(Party::to_json).collect());
        let mut members = vec![("schema", Json::text(SCHEMA))];
        let mut add = |name, value: Option<Json>| members.extend(value.map(|value| (name, value)));
        add("name", self.name.as_ref().map(|name| Json::text(name.as_str())));
        add("networks", self.networks.as_ref().map(texts));
        add("requirePinnedNetwork", self.pinning.map(Demand::to_json));
        add("senders", self.senders.as_ref().map(parties));
        let names = |list: &Vec<&'static str>| Json::Array(list.iter().map(|name| Json::text(*name)).collect());
        add("operations", self.operations.as_ref().map(names));
        add("recipients", self.recipients.as_ref().map(parties));
        add("refundRecipients", self.refund_recipients.as_ref().map(parties));
        let tokens = |list: &Vec<TokenLimit>| Json::Array(list.iter().map(TokenLimit::to_json).collect());
        add("tokens", self.tokens.as_ref().map(tokens));
        add("maxFeePerGas", self.max_fee_per_gas.to_json(WeiPerGas::to_json));
        add("maxTransactionFee", self.max_transaction_fee.to_json(Wei::to_json));
        add("maxTotalFee", self.max_total_fee.to_json(Wei::to_json));
        add("maxSurplusMint", self.max_surplus_mint.map(BaseTokenUnits::to_json));
        add("maxGasLimit", self.max_gas_limit.to_json(Gas::to_json_count));
        add("maxL2GasLimit", self.max_l2_gas_limit.map(Gas::to_json_count));
        let targets = |list: &Vec<CallTarget>| Json::Array(list.iter().map(CallTarget::to_json).collect());
        add("callTargets", self.call_targets.as_ref().map(targets));
        add("paymasters", self.paymasters.as_ref().map(parties));
        add("replacement", self.replacement.map(|choice| word(Permission::WORDS, choice)));
        add("confirmation", self.confirmation.map(|choice| word(Confirmation::WORDS, choice)));
        add("guard", self.guard.map(|demand| word(Demand::WORDS, demand)));
        add("requireAirgap", self.airgap.map(Demand::to_json));
        Json::object(members)
    }

    /// The Keccak-256 of the canonical text: white space, the order of members and the spelling of addresses do not count,
    /// everything else does.
    pub fn hash(&self) -> Digest {
        Digest(keccak256(self.to_json().to_string().as_bytes()))
    }

    /// Whether this is the policy that was pinned.
    ///
    /// # Errors
    /// `policy.hash`.
    pub fn judge_hash(&self, pinned: Digest) -> Result<(), Refusal> {
        let hash = self.hash();
        if hash == pinned {
            return Ok(());
        }
        Err(Refusal::new(
            Code::POLICY_HASH,
            "",
            format!("the policy has the hash {hash}, pinned is {pinned}"),
            "use the policy that was pinned; or read this one (coldbridge policy explain) before pinning it",
        )
        .values(pinned, hash))
    }

    /// Its owner's name for it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Who has to agree; none: as without a policy.
    pub fn confirmation(&self) -> Option<Confirmation> {
        self.confirmation
    }

    /// Whether a payload may take the place of another one with the same nonce; none: as without a policy.
    pub fn replacement(&self) -> Option<Permission> {
        self.replacement
    }

    /// Whether there must be a guard; none: as without a policy.
    pub fn guard(&self) -> Option<Demand> {
        self.guard
    }

    /// Whether no network interface may be up; none: as without a policy.
    pub fn airgap(&self) -> Option<Demand> {
        self.airgap
    }

    /// Every account that the policy names.
    fn known(&self) -> impl Iterator<Item = (Address, Option<&str>)> {
        let parties = [&self.senders, &self.recipients, &self.refund_recipients, &self.paymasters];
        let parties = parties.into_iter().flatten().flatten().filter_map(|party| match party {
            Party::Sender => None,
            Party::Account { address, label } => Some((*address, label.as_deref())),
        });
        let targets = self.call_targets.iter().flatten().map(|target| (target.address, target.label.as_deref()));
        parties.chain(targets)
    }

    fn refuse_repetitions(&self) -> Result<(), Refusal> {
        fn twice<T: PartialEq>(
            list: Option<&Vec<T>>,
            name: &str,
            same: impl Fn(&T, &T) -> bool,
        ) -> Result<(), Refusal> {
            let list = list.map(Vec::as_slice).unwrap_or_default();
            let found = (0..list.len()).find(|index| list[..*index].iter().any(|before| same(before, &list[*index])));
            let Some(index) = found else { return Ok(()) };
            Err(Refusal::new(
                Code::POLICY_INVALID,
                format!("/{name}/{index}"),
                "it stands in the list twice: of two rules for one thing nobody knows which counts",
                "delete one of the two",
            ))
        }
        let party = |one: &Party, other: &Party| match (one, other) {
            (Party::Sender, Party::Sender) => true,
            (Party::Account { address: one, .. }, Party::Account { address: other, .. }) => one == other,
            _ => false,
        };
        twice(self.networks.as_ref(), "networks", PartialEq::eq)?;
        twice(self.senders.as_ref(), "senders", party)?;
        twice(self.operations.as_ref(), "operations", PartialEq::eq)?;
        twice(self.recipients.as_ref(), "recipients", party)?;
        twice(self.refund_recipients.as_ref(), "refundRecipients", party)?;
        twice(self.tokens.as_ref(), "tokens", |one, other| one.token == other.token)?;
        twice(self.call_targets.as_ref(), "callTargets", |one, other| one.address == other.address)?;
        twice(self.paymasters.as_ref(), "paymasters", party)
    }
}

fn optional<'a, T>(
    members: &Members<'a>,
    name: &str,
    read: impl Fn(&Cursor<'a>) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    members.optional(name).map(|member| read(&member)).transpose()
}

fn list<T>(
    members: &Members<'_>,
    name: &str,
    read: impl Fn(&Cursor<'_>) -> Result<T, Refusal>,
) -> Result<Option<Vec<T>>, Refusal> {
    members.optional(name).map(|list| list.items()?.iter().map(&read).collect()).transpose()
}

/// One limit for both layers, or an object with one for each.
fn per_layer<T: Copy>(
    members: &Members<'_>,
    name: &str,
    read: impl Fn(&Cursor<'_>) -> Result<T, Refusal>,
) -> Result<PerLayer<T>, Refusal> {
    let Some(member) = members.optional(name) else { return Ok(PerLayer::NONE) };
    if let Json::Object(_) = member.value() {
        let layers = member.members(&[], &["l1", "l2"])?;
        if member.entries()?.is_empty() {
            return Err(member.refuse(
                Code::POLICY_INVALID,
                "a limit for no layer is no limit",
                "name a layer (l1, l2), write one limit for both, or leave the member out",
            ));
        }
        let read = |name| layers.optional(name).map(|limit| read(&limit)).transpose();
        return Ok(PerLayer { l1: read("l1")?, l2: read("l2")? });
    }
    let both = read(&member)?;
    Ok(PerLayer { l1: Some(both), l2: Some(both) })
}

impl<T: Copy> PerLayer<T> {
    fn to_json(self, write: impl Fn(T) -> Json) -> Option<Json> {
        if self.l1.is_none() && self.l2.is_none() {
            return None;
        }
        let layers = [("l1", self.l1), ("l2", self.l2)];
        Some(Json::object(layers.into_iter().filter_map(|(name, limit)| Some((name, write(limit?))))))
    }
}

fn read_operation(cursor: &Cursor<'_>) -> Result<&'static str, Refusal> {
    let words: Vec<(&str, &'static str)> = operation::ALL.iter().map(|row| (row.name, row.name)).collect();
    cursor.choice(&words)
}

fn read_label(members: &Members<'_>) -> Result<Option<String>, Refusal> {
    optional(members, "label", |label| label.label().map(str::to_owned))
}

impl Party {
    /// `"sender"`, an address, or an address and its label.
    fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        if let Json::Object(_) = cursor.value() {
            let members = cursor.members(&["address"], &["label"])?;
            let address = members.required("address")?.address(Spelling::AnyCase)?;
            return Ok(Self::Account { address, label: read_label(&members)? });
        }
        match cursor.text()? {
            "sender" => Ok(Self::Sender),
            _ => Ok(Self::Account { address: cursor.address(Spelling::AnyCase)?, label: None }),
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Sender => Json::text("sender"),
            Self::Account { address, label: None } => Json::display(address),
            Self::Account { address, label: Some(label) } => {
                Json::object([("address", Json::display(address)), ("label", Json::text(label.as_str()))])
            }
        }
    }

    fn is(&self, address: Address, sender: Address) -> bool {
        match self {
            Self::Sender => address == sender,
            Self::Account { address: known, .. } => address == *known,
        }
    }
}

impl TokenLimit {
    fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&["token"], &["label", "maxPerTransaction", "maxTotal"])?;
        Ok(Self {
            token: TokenName::read(&members.required("token")?)?,
            label: read_label(&members)?,
            max_per_transaction: optional(&members, "maxPerTransaction", Cursor::amount)?,
            max_total: optional(&members, "maxTotal", Cursor::amount)?,
        })
    }

    fn to_json(&self) -> Json {
        let mut members = vec![("token", self.token.to_json())];
        members.extend(self.label.as_ref().map(|label| ("label", Json::text(label.as_str()))));
        members.extend(self.max_per_transaction.map(|amount| ("maxPerTransaction", Json::display(amount))));
        members.extend(self.max_total.map(|amount| ("maxTotal", Json::display(amount))));
        Json::object(members)
    }
}

impl CallTarget {
    fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&["address", "selectors"], &["label"])?;
        let selectors = members.required("selectors")?;
        Ok(Self {
            address: members.required("address")?.address(Spelling::AnyCase)?,
            label: read_label(&members)?,
            selectors: match selectors.value() {
                Json::Text(_) => selectors.choice(&[("any", ())]).map(|()| Selectors::Any)?,
                _ => Selectors::Of(selectors.items()?.iter().map(read_selector).collect::<Result<_, _>>()?),
            },
        })
    }

    fn to_json(&self) -> Json {
        let mut members = vec![("address", Json::display(self.address))];
        members.extend(self.label.as_ref().map(|label| ("label", Json::text(label.as_str()))));
        members.push((
            "selectors",
            match &self.selectors {
                Selectors::Any => Json::text("any"),
                Selectors::Of(list) => Json::Array(list.iter().map(Json::bytes).collect()),
            },
        ));
        Json::object(members)
    }
}

/// Four bytes, a function's signature, or `0x` for no calldata.
fn read_selector(cursor: &Cursor<'_>) -> Result<Vec<u8>, Refusal> {
    let text = cursor.text()?;
    if text == "0x" {
        return Ok(Vec::new());
    }
    if text.starts_with("0x") {
        return cursor.fixed_bytes::<4>().map(Vec::from);
    }
    let is_signature = text.ends_with(')') && text.contains('(') && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_signature {
        return Ok(keccak256(text.as_bytes())[..4].to_vec());
    }
    Err(cursor.refuse(
        Code::BYTES_FORMAT,
        format!("\"{}\" is no selector", printable(text)),
        "write four bytes (0xa9059cbb), a signature without spaces (transfer(address,uint256)), or 0x for no calldata",
    ))
}
