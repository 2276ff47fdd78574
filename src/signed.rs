//! The signed document: everything that broadcasting needs, and nothing secret.
//!
//! Reading one proves it: the raw bytes are decoded strictly, hash, digest and signer are computed again, and every
//! member is compared with what the bytes say. A payload is a bearer instrument: whoever holds it can broadcast it.

use crate::address::{Address, Spelling};
use crate::hash::{Digest, TxHash};
use crate::json::{Cursor, Json};
use crate::network::{Layer, Network, Networks};
use crate::operation::{Seen, recognise, recognise_as};
use crate::refusal::{Code, Refusal, shown};
use crate::transaction::{Authorization, Decoded, Transaction};

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/signed/1";

/// Signed transactions of one account, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    intent_id: Option<String>,
    network: Network,
    from: Address,
    /// The owners of a smart account who signed, in its order; empty for a plain account and where none were stated.
    signers: Vec<Address>,
    /// The hash of the policy that allowed it, as the signer states it: nothing in the bytes can prove that.
    policy_hash: Option<Digest>,
    transactions: Vec<SignedTransaction>,
}

/// One signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    layer: Layer,
    purpose: String,
    decoded: Decoded,
    from: Address,
    /// Who signed, recovered once; none for bytes that only a smart account can judge.
    owners: Option<Vec<Address>>,
    raw: Vec<u8>,
    hash: TxHash,
    signing_digest: Digest,
}

/// Proves raw bytes by themselves, ours or not: signed, for one chain, and by the sender that they name. What a smart
/// account would have to judge is left open: then there is no signer.
///
/// # Errors
/// `raw.format`, `signed.unsigned`, `signed.replayable`, `signature.not_from`.
pub fn prove_raw(raw: &[u8]) -> Result<Decoded, Refusal> {
    let decoded = Decoded::read(raw, "")?;
    judge_signed(&decoded, "")?;
    match (decoded.transaction.declared_from(), decoded.signer()) {
        (Some(declared), Some(signer)) if declared != signer => Err(Refusal::new(
            Code::SIGNATURE_NOT_FROM,
            "",
            format!("the raw bytes are a transaction of {declared} with a signature of {signer}"),
            format!("do not broadcast it, unless {declared} is a smart account that {signer} owns: review shows it"),
        )
        .values(declared, signer)),
        (None, None) => Err(Refusal::new(
            Code::SIGNATURE_NOT_FROM,
            "",
            "the raw bytes carry a signature of nobody",
            "sign the transaction again",
        )),
        _ => Ok(decoded),
    }
}

/// Whether it is signed, and for one chain only. Gives that chain's id.
fn judge_signed(decoded: &Decoded, at: &str) -> Result<u64, Refusal> {
    if decoded.authorization == Authorization::Unsigned {
        return Err(Refusal::new(
            Code::SIGNED_UNSIGNED,
            at,
            "the raw bytes carry no signature",
            "sign the request; an unsigned transaction can not be broadcast",
        ));
    }
    decoded.transaction.chain_id().ok_or_else(|| {
        Refusal::new(
            Code::SIGNED_REPLAYABLE,
            at,
            "a signature from before EIP-155 is valid on every chain",
            "sign the request again; coldbridge never makes such a signature",
        )
    })
}

impl Signed {
    pub(crate) fn new(
        intent_id: Option<String>,
        network: Network,
        from: Address,
        signers: Vec<Address>,
        transactions: Vec<SignedTransaction>,
    ) -> Self {
        Self { intent_id, network, from, signers, policy_hash: None, transactions }
    }

    pub(crate) fn set_policy(&mut self, policy: Option<Digest>) {
        self.policy_hash = policy;
    }

    /// Reads the document and proves every member of it.
    ///
    /// # Errors
    /// `signature.not_from` (exit 7) for a signature that is not the sender's, `signed.differs` (exit 4) for a member
    /// that does not say what the raw bytes say.
    pub fn read(json: &Json, networks: &Networks) -> Result<Self, Refusal> {
        Self::read_on(json, |name| networks.named(name).cloned())
    }

    /// Reads a document that was just written for this network.
    pub(crate) fn read_back(json: &Json, network: &Network) -> Result<Self, Refusal> {
        Self::read_on(json, |_| Ok(network.clone()))
    }

    fn read_on(json: &Json, named: impl Fn(&Cursor<'_>) -> Result<Network, Refusal>) -> Result<Self, Refusal> {
        let root = Cursor::root(json);
        let members =
            root.document(SCHEMA, &["intentId", "network", "from", "transactions"], &["signers", "policyHash"])?;
        let intent_id = members.required("intentId")?;
        let intent_id = match intent_id.value() {
            Json::Null => None,
            _ => Some(intent_id.label()?.to_owned()),
        };
        let network = named(&members.required("network")?)?;
        let from = members.required("from")?.address(Spelling::AnyCase)?;
        let signers = match members.optional("signers") {
            Some(signers) => {
                let items = signers.items()?;
                items.iter().map(|signer| signer.address(Spelling::AnyCase)).collect::<Result<Vec<_>, _>>()?
            }
            None => Vec::new(),
        };
        let policy_hash = members.optional("policyHash").map(|hash| hash.fixed_bytes().map(Digest)).transpose()?;
        let list = members.required("transactions")?;
        let items = list.items()?;
        if items.is_empty() {
            return Err(list.refuse(Code::SIGNED_DIFFERS, "there is no transaction", "sign the request again"));
        }
        let mut transactions: Vec<SignedTransaction> = Vec::with_capacity(items.len());
        for item in &items {
            let transaction = SignedTransaction::read(item, &network, from, &signers)?;
            let before = transactions.iter().rev().find(|before| before.layer == transaction.layer);
            if let Some(before) = before
                && before.nonce().checked_add(1) != Some(transaction.nonce())
            {
                return Err(differs(item, "nonce", before.nonce().saturating_add(1), transaction.nonce()));
            }
            transactions.push(transaction);
        }
        Ok(Self { intent_id, network, from, signers, policy_hash, transactions })
    }

    /// The whole document.
    pub fn to_json(&self) -> Json {
        let mut members = vec![
            ("schema", Json::text(SCHEMA)),
            ("intentId", self.intent_id.as_ref().map_or(Json::Null, |id| Json::text(id.as_str()))),
            ("network", Json::text(self.network.name.as_str())),
            ("from", Json::display(self.from)),
        ];
        if !self.signers.is_empty() {
            members.push(("signers", Json::Array(self.signers.iter().map(Json::display).collect())));
        }
        members.extend(self.policy_hash.map(|hash| ("policyHash", Json::display(hash))));
        members.push(("transactions", Json::Array(self.transactions.iter().map(SignedTransaction::to_json).collect())));
        Json::object(members)
    }

    /// Corrupts one of its values.
    #[cfg(feature = "fault-injection")]
    pub(crate) fn inject(&mut self, bit: usize) {
        for transaction in self.transactions.iter_mut().take(1) {
            let length = transaction.raw.len().max(1);
            match bit % 3 {
                0 => transaction.raw.iter_mut().skip(bit % length).take(1).for_each(|byte| *byte ^= 1),
                1 => transaction.hash.0.iter_mut().take(1).for_each(|byte| *byte ^= 1),
                _ => transaction.signing_digest.0.iter_mut().take(1).for_each(|byte| *byte ^= 1),
            }
        }
    }

    /// The owner's name for the intent.
    pub fn intent_id(&self) -> Option<&str> {
        self.intent_id.as_deref()
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The sender.
    pub fn from(&self) -> Address {
        self.from
    }

    /// The owners of a smart account who signed, in its order; empty for a plain account and where none were stated.
    pub fn signers(&self) -> &[Address] {
        &self.signers
    }

    /// The hash of the policy under which the signer says that it was signed.
    pub fn policy_hash(&self) -> Option<Digest> {
        self.policy_hash
    }

    /// The transactions, in nonce order.
    pub fn transactions(&self) -> &[SignedTransaction] {
        &self.transactions
    }
}

impl SignedTransaction {
    pub(crate) fn new(layer: Layer, purpose: &str, decoded: Decoded, from: Address, raw: Vec<u8>) -> Self {
        let hash = decoded.hash().unwrap_or(TxHash([0; 32]));
        let signing_digest = decoded.transaction.signing_digest();
        let owners = decoded.owners();
        Self { layer, purpose: purpose.to_owned(), decoded, from, owners, raw, hash, signing_digest }
    }

    fn read(cursor: &Cursor<'_>, network: &Network, from: Address, signers: &[Address]) -> Result<Self, Refusal> {
        let members = cursor
            .members(&["layer", "chainId", "nonce", "purpose", "raw", "hash", "signingDigest", "signature"], &[])?;
        let layer = members.required("layer")?.choice(Layer::WORDS)?;
        let raw_cursor = members.required("raw")?;
        let raw = raw_cursor.bytes()?;
        let decoded = Decoded::read(&raw, &raw_cursor.at())?;
        let chain_id = judge_signed(&decoded, &raw_cursor.at())?;
        if chain_id != network.chain_id(layer) {
            return Err(differs(
                cursor,
                "raw",
                format!("chain id {}", network.chain_id(layer)),
                format!("chain id {chain_id}"),
            ));
        }
        if decoded.has_unread_bytes(&raw) {
            return Err(raw_cursor.refuse(
                Code::SIGNED_DIFFERS,
                "items 8 and 9 (r, s) hold something beside the custom signature, which no node reads",
                "sign the request again: nothing may hide in a signed transaction",
            ));
        }
        let is_account_signature = members.required("signature")?.value().get("custom").is_some();
        let purpose = members.required("purpose")?.label()?.to_owned();
        let proved = Self::new(layer, &purpose, decoded, from, raw);
        proved.judge_sender(is_account_signature, signers, &raw_cursor)?;
        let transaction = proved.transaction();
        let found = transaction.to().and_then(|to| {
            let (value, data) = (transaction.value(), transaction.data());
            let factory_deps = transaction.factory_deps();
            let seen = Seen { network, layer, from: Some(from), to, value, data, factory_deps };
            recognise_as(&purpose, &seen).or_else(|| recognise(&seen))
        });
        // What no operation of ours carries makes it another transaction than its call says.
        let does = found.filter(|_| !transaction.has_access_list()).map(|found| found.name);
        if does != Some(purpose.as_str()) {
            return Err(differs(cursor, "purpose", does.unwrap_or("no operation that coldbridge knows"), purpose));
        }
        // Everything else the document says must be what the bytes give.
        for (name, expected) in proved.members() {
            let member = members.required(name)?;
            if let Some((at, expected, actual)) =
                crate::unsigned::first_difference(member.value(), &expected, member.at())
            {
                return Err(Refusal::new(
                    Code::SIGNED_DIFFERS,
                    at,
                    format!("the document says {}, the raw bytes give {}", shown(&actual), shown(&expected)),
                    "do not broadcast it: the document was changed after signing",
                )
                .values(shown(&expected), shown(&actual)));
            }
        }
        Ok(proved)
    }

    /// Whether this is a transaction of that account: signed by it, or declared as its own with a smart account's signature
    /// that is, where its owners are stated, exactly theirs.
    fn judge_sender(&self, is_account_signature: bool, signers: &[Address], raw: &Cursor<'_>) -> Result<(), Refusal> {
        let from = self.from;
        let declared = self.transaction().declared_from();
        let actual = if let Some(declared) = declared.filter(|declared| *declared != from) {
            format!("a transaction of {declared}")
        } else if is_account_signature && declared.is_some() && self.signer() != Some(from) {
            let owners = self.owners().unwrap_or_default();
            if signers.is_empty() || owners == signers {
                return Ok(());
            }
            let owners = owners.iter().map(Address::to_string).collect::<Vec<_>>().join(", ");
            format!("a signature of {}", if owners.is_empty() { "nobody".to_owned() } else { owners })
        } else {
            match self.signer() {
                Some(signer) if signer == from && signers.is_empty() => return Ok(()),
                Some(signer) => format!("a signature of {signer}"),
                None => "a signature of nobody".to_owned(),
            }
        };
        let wanted = match signers {
            [] => from.to_string(),
            _ => signers.iter().map(Address::to_string).collect::<Vec<_>>().join(", "),
        };
        Err(raw
            .refuse(
                Code::SIGNATURE_NOT_FROM,
                format!("the raw bytes are {actual}, the document is from {wanted}"),
                "do not broadcast it: sign the request again with the key of that account",
            )
            .values(wanted, actual))
    }

    fn members(&self) -> Vec<(&'static str, Json)> {
        let signature = match &self.decoded.authorization {
            Authorization::Signature(signature) if self.signer() == Some(self.from) => Json::object([
                ("r", Json::bytes(signature.r())),
                ("s", Json::bytes(signature.s())),
                ("yParity", Json::Integer(signature.y_parity().into())),
            ]),
            other => Json::object([("custom", other.to_bytes().map_or(Json::Null, Json::bytes))]),
        };
        vec![
            ("layer", Json::text(self.layer.name())),
            ("chainId", self.transaction().chain_id().map_or(Json::Null, Json::count)),
            ("nonce", Json::count(self.nonce())),
            ("purpose", Json::text(self.purpose.as_str())),
            ("raw", Json::bytes(&self.raw)),
            ("hash", Json::display(self.hash)),
            ("signingDigest", Json::display(self.signing_digest)),
            ("signature", signature),
        ]
    }

    fn to_json(&self) -> Json {
        Json::object(self.members())
    }

    /// Where it runs.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The operation that it belongs to.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The transaction that was signed.
    pub fn transaction(&self) -> &Transaction {
        &self.decoded.transaction
    }

    /// The account that the signature recovers to; none for bytes that only a smart account can judge.
    pub fn signer(&self) -> Option<Address> {
        match (&self.decoded.authorization, self.owners.as_deref()) {
            (Authorization::Signature(_), Some([signer])) => Some(*signer),
            _ => None,
        }
    }

    /// Who signed, in order; none for bytes that only a smart account can judge.
    pub(crate) fn owners(&self) -> Option<&[Address]> {
        self.owners.as_deref()
    }

    /// The sender's nonce.
    pub fn nonce(&self) -> u64 {
        self.transaction().nonce()
    }

    /// The bytes for `eth_sendRawTransaction`.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The hash by which a node knows it.
    pub fn hash(&self) -> TxHash {
        self.hash
    }

    /// What was signed. External signers are not deterministic: this, and not the hash, says whether it is the same payload.
    pub fn signing_digest(&self) -> Digest {
        self.signing_digest
    }
}

fn differs(
    cursor: &Cursor<'_>,
    member: &str,
    expected: impl std::fmt::Display,
    actual: impl std::fmt::Display,
) -> Refusal {
    let (expected, actual) = (expected.to_string(), actual.to_string());
    Refusal::new(
        Code::SIGNED_DIFFERS,
        format!("{}/{member}", cursor.at()),
        format!("{actual} where {expected} belongs"),
        "do not broadcast it: sign the request again",
    )
    .values(expected, actual)
}
