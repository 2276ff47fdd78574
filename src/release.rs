//! The signing order, and the one place where a signature is released.
//!
//! ```text
//! Unsigned -> plan again: equal -> encode -> strict decode -> encode again by other code: equal -> two digests: equal
//!          -> Ready        here a guard writes the digests down
//!          -> sign -> s is low -> verify for the second digest -> recover: from
//!          -> serialize, again by other code: equal -> strict decode -> every field and the call are the plan's
//!          -> two hashes: equal -> write the document, read it back, prove it
//!          -> Released
//! ```
//! Each arrow consumes its left side. Whatever does not hold is a fault of this machine (exit 8): deterministic ECDSA gives
//! the key away to whoever sees one wrong signature beside a right one, so nothing leaves, and nothing is tried again.

mod authorize;

use authorize::signers;

use crate::address::Address;
use crate::fault::{Faults, Moment, Step};
use crate::guard::{Entry, Reservation, Slot};
use crate::hash::Digest;
use crate::json;
use crate::key::{Key, Signature};
use crate::network::Network;
use crate::operation::{Seen, recognise_as};
use crate::refusal::{Code, Refusal};
use crate::request::{Authority, Request};
use crate::second_encoding;
use crate::signed::{Signed, SignedTransaction};
use crate::transaction::{Authorization, Decoded, Transaction};
use crate::unsigned::{Planned, Unsigned};

/// Half the order of secp256k1, rounded down: EIP-2 takes no s above it.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e,
    0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// A plan of which two encodings and two digests agree: what a guard writes down and a key signs.
pub struct Ready {
    request: Request,
    agreed: Vec<Agreed>,
    policy: Option<Digest>,
    faults: Faults,
}

/// Signed transactions and the text of their document, which has been read back and proved.
pub struct Released {
    signed: Signed,
    text: String,
}

impl Unsigned {
    /// Encodes every transaction twice and makes both digests agree.
    ///
    /// # Errors
    /// `sign.contract_sender` for a plan that nobody here can sign; `fault.*` where two ways to the same thing differ.
    pub fn ready(self) -> Result<Ready, Refusal> {
        self.ready_with(Faults::default())
    }

    /// The same with a fault in it: only a test build can describe one.
    pub fn ready_with(self, faults: Faults) -> Result<Ready, Refusal> {
        let (request, mut plan) = self.into_parts();
        let owners = signers(&request)?.map_or(0, |owners| owners.len());
        judge_size(&plan, owners)?;
        let (mut again, _) = request.transactions()?;
        for (index, (planned, again)) in plan.iter_mut().zip(&mut again).enumerate() {
            faults.pass(Step::Plan, Moment::Before, index, planned);
            faults.pass(Step::Plan, Moment::After, index, again);
        }
        if plan != again {
            return Err(fault(Code::FAULT_PLAN, "the same request was planned in two different ways"));
        }
        let agreed = plan
            .into_iter()
            .zip(again)
            .enumerate()
            .map(|(index, (planned, again))| {
                Start { planned, again, index, faults }.encode().decode()?.encode_again()?.digest()
            })
            .collect::<Result<_, Refusal>>()?;
        Ok(Ready { request, agreed, policy: None, faults })
    }
}

impl Ready {
    /// The request behind the plan.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The same, to be signed under the policy of this hash, which the signed document will name.
    #[must_use]
    pub fn under(self, policy: Option<Digest>) -> Self {
        Self { policy, ..self }
    }

    /// What signing this plan uses up: its nonces, and its intent. A guard writes it down before the key is used.
    ///
    /// # Errors
    /// `bug.internal` for a plan without a transaction, or a transaction of any chain; there are none.
    pub fn reservation(&self) -> Result<Reservation, Refusal> {
        let from = self.request.from();
        let entries = self.agreed.iter().map(|agreed| {
            let transaction = &agreed.planned.transaction;
            let (chain_id, nonce) = (transaction.chain_id()?, transaction.nonce());
            let purpose = agreed.planned.purpose.to_owned();
            Some(Entry { slot: Slot { from, chain_id, nonce }, purpose, digest: agreed.digest })
        });
        let entries: Option<Vec<Entry>> = entries.collect();
        entries.and_then(|entries| Reservation::new(self.request.id().map(str::to_owned), entries)).ok_or_else(|| {
            Refusal::new(
                Code::BUG,
                "",
                "a plan without a transaction, or without a chain",
                "report it; nothing was signed",
            )
        })
    }

    /// Takes what authorizes each transaction, for the digest that it is given, and proves all of it. Nothing is released
    /// unless everything holds for every transaction.
    fn release(
        self,
        keys: &[&Key],
        authorize: impl Fn(&Request, &Digest, usize) -> Result<Authorization, Refusal>,
    ) -> Result<Released, Refusal> {
        let Self { request, agreed, policy, faults } = self;
        let owners = signers(&request)?;
        let (network, from) = (request.network(), request.from());
        let mut transactions = Vec::with_capacity(agreed.len());
        for agreed in agreed {
            let authorized = agreed.authorize(|digest, index| authorize(&request, digest, index))?;
            let proved = authorized.prove(owners.as_deref(), keys)?;
            transactions.push(proved.serialize()?.decode()?.compare(network, from)?.hash(from)?);
        }
        let stated = match request.authority() {
            Authority::SmartAccount(Some(signers)) => signers.to_vec(),
            _ => Vec::new(),
        };
        let mut signed = Signed::new(request.id().map(str::to_owned), network.clone(), from, stated, transactions);
        signed.set_policy(policy);
        faults.pass(Step::Document, Moment::Before, 0, &mut signed);
        let mut text = signed.to_json().to_string();
        faults.pass(Step::Document, Moment::After, 0, &mut text);
        // Only bytes that an account itself judges can be more than was foreseen.
        json::judge_size("the signed document", text.len())?;
        let read = json::parse(text.as_bytes()).and_then(|json| Signed::read_back(&json, network));
        let is_owned = |read: &Signed| {
            let of_owners = |transaction: &SignedTransaction| transaction.owners() == owners.as_deref();
            owners.is_none() || read.transactions().iter().all(of_owners)
        };
        if read.is_ok_and(|read| is_owned(&read) && read == signed && read.to_json().to_string() == text) {
            return Ok(Released { signed, text });
        }
        Err(fault(Code::FAULT_ENCODING, "the document does not say what was signed"))
    }
}

impl Released {
    /// The signed transactions.
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// The document, without a line end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signed transactions alone.
    pub fn into_signed(self) -> Signed {
        self.signed
    }
}

/// A transaction at the beginning: planned twice, the same.
struct Start {
    planned: Planned,
    again: Planned,
    index: usize,
    faults: Faults,
}

/// Encoded by its envelope.
struct Encoded {
    start: Start,
    bytes: Vec<u8>,
}

/// What the bytes say is what was planned.
struct Read {
    start: Start,
    bytes: Vec<u8>,
    decoded: Transaction,
}

/// The second encoding of what the bytes say is those bytes.
struct Twice {
    start: Start,
    decoded: Transaction,
}

/// Both digests are the same.
struct Agreed {
    planned: Planned,
    again: Planned,
    digest: Digest,
    second_digest: Digest,
    index: usize,
    faults: Faults,
}

/// Something stands where the signature belongs.
struct Authorized {
    agreed: Agreed,
    authorization: Authorization,
}

/// It is the sender's, for the second digest.
struct Proved {
    agreed: Agreed,
    authorization: Authorization,
}

/// Both encodings of the signed transaction are the same.
struct Serialized {
    agreed: Agreed,
    authorization: Authorization,
    raw: Vec<u8>,
}

/// The signed bytes have been decoded again.
struct ReadBack {
    agreed: Agreed,
    authorization: Authorization,
    raw: Vec<u8>,
    decoded: Decoded,
}

/// They say what was planned, in every field and in what they do.
struct Compared {
    agreed: Agreed,
    raw: Vec<u8>,
    decoded: Decoded,
}

impl Start {
    fn encode(mut self) -> Encoded {
        self.faults.pass(Step::Encode, Moment::Before, self.index, &mut self.planned);
        let mut bytes = self.planned.transaction.unsigned_bytes();
        self.faults.pass(Step::Encode, Moment::After, self.index, &mut bytes);
        Encoded { start: self, bytes }
    }

    fn fault(&self, problem: &str) -> Refusal {
        encoding_fault(problem, &self.again)
    }
}

impl Encoded {
    fn decode(self) -> Result<Read, Refusal> {
        let Self { start, mut bytes } = self;
        start.faults.pass(Step::Decode, Moment::Before, start.index, &mut bytes);
        let decoded = Decoded::read(&bytes, "").map_err(|_| start.fault("the encoded bytes do not decode"))?;
        let mut transaction = decoded.transaction;
        start.faults.pass(Step::Decode, Moment::After, start.index, &mut transaction);
        if transaction != start.again.transaction || decoded.authorization != Authorization::Unsigned {
            return Err(start.fault("the encoded bytes do not say what was planned"));
        }
        Ok(Read { start, bytes, decoded: transaction })
    }
}

impl Read {
    fn encode_again(self) -> Result<Twice, Refusal> {
        let Self { start, bytes, mut decoded } = self;
        start.faults.pass(Step::EncodeAgain, Moment::Before, start.index, &mut decoded);
        let mut second = second_encoding::unsigned_bytes(&decoded);
        start.faults.pass(Step::EncodeAgain, Moment::After, start.index, &mut second);
        if second != bytes {
            return Err(start.fault("two encodings of the transaction differ"));
        }
        Ok(Twice { start, decoded })
    }
}

impl Twice {
    fn digest(self) -> Result<Agreed, Refusal> {
        let Self { mut start, mut decoded } = self;
        start.faults.pass(Step::Digest, Moment::Before, start.index, &mut start.planned);
        let mut digest = start.planned.transaction.signing_digest();
        start.faults.pass(Step::Digest, Moment::After, start.index, &mut digest);
        start.faults.pass(Step::DigestAgain, Moment::Before, start.index, &mut decoded);
        let mut second_digest = second_encoding::signing_digest(&decoded);
        start.faults.pass(Step::DigestAgain, Moment::After, start.index, &mut second_digest);
        if digest != second_digest {
            return Err(start.fault("two computations of the signing digest differ"));
        }
        let Start { planned, again, index, faults } = start;
        Ok(Agreed { planned, again, digest, second_digest, index, faults })
    }
}

impl Agreed {
    fn authorize(
        mut self,
        authorize: impl Fn(&Digest, usize) -> Result<Authorization, Refusal>,
    ) -> Result<Authorized, Refusal> {
        self.faults.pass(Step::Sign, Moment::Before, self.index, &mut self.digest);
        let mut authorization = authorize(&self.digest, self.index)?;
        self.faults.pass(Step::Sign, Moment::After, self.index, &mut authorization);
        Ok(Authorized { agreed: self, authorization })
    }

    fn fault(&self, problem: &str) -> Refusal {
        encoding_fault(problem, &self.again)
    }
}

impl Authorized {
    /// Against the second digest, which the key has not seen. Of bytes that only the account can judge there is nothing to
    /// prove here.
    fn prove(self, owners: Option<&[Address]>, keys: &[&Key]) -> Result<Proved, Refusal> {
        let Self { mut agreed, mut authorization } = self;
        let Some(owners) = owners else { return Ok(Proved { agreed, authorization }) };
        let (faults, index) = (agreed.faults, agreed.index);
        let wrong = |problem| Err(fault(Code::FAULT_SIGNATURE, problem));
        faults.pass(Step::LowS, Moment::Before, index, &mut authorization);
        if signatures(&authorization, owners)?.iter().any(|signature| signature.s() > HALF_ORDER) {
            return wrong("s of the signature is in the upper half");
        }
        faults.pass(Step::LowS, Moment::After, index, &mut authorization);
        faults.pass(Step::Verify, Moment::Before, index, &mut agreed.second_digest);
        let digest = &agreed.second_digest;
        let verified =
            signatures(&authorization, owners)?.iter().enumerate().all(|(index, made)| match keys.get(index) {
                Some(key) => key.verifies(digest, made),
                None => made.verifies_by_itself(digest),
            });
        if !verified {
            return wrong("the signature does not verify for the digest");
        }
        faults.pass(Step::Verify, Moment::After, index, &mut authorization);
        faults.pass(Step::Recover, Moment::Before, index, &mut agreed.second_digest);
        let made = signatures(&authorization, owners)?;
        if !made.iter().zip(owners).all(|(made, owner)| made.recover(&agreed.second_digest) == Some(*owner)) {
            return wrong("the signature does not recover to the sender");
        }
        faults.pass(Step::Recover, Moment::After, index, &mut authorization);
        Ok(Proved { agreed, authorization })
    }
}

impl Proved {
    fn serialize(self) -> Result<Serialized, Refusal> {
        let Self { mut agreed, authorization } = self;
        let (faults, index) = (agreed.faults, agreed.index);
        faults.pass(Step::Serialize, Moment::Before, index, &mut agreed.planned);
        let raw = agreed.planned.transaction.authorized(&authorization);
        let mut raw = raw.ok_or_else(|| agreed.fault("this type of transaction can not carry the signature"))?;
        faults.pass(Step::Serialize, Moment::After, index, &mut raw);
        if second_encoding::raw(&agreed.again.transaction, &authorization).as_ref() != Some(&raw) {
            return Err(agreed.fault("two encodings of the signed transaction differ"));
        }
        Ok(Serialized { agreed, authorization, raw })
    }
}

impl Serialized {
    fn decode(self) -> Result<ReadBack, Refusal> {
        let Self { agreed, authorization, mut raw } = self;
        agreed.faults.pass(Step::DecodeRaw, Moment::Before, agreed.index, &mut raw);
        let mut decoded = Decoded::read(&raw, "").map_err(|_| agreed.fault("the signed bytes do not decode"))?;
        agreed.faults.pass(Step::DecodeRaw, Moment::After, agreed.index, &mut decoded.transaction);
        Ok(ReadBack { agreed, authorization, raw, decoded })
    }
}

impl ReadBack {
    fn compare(self, network: &Network, from: Address) -> Result<Compared, Refusal> {
        let Self { agreed, authorization, raw, mut decoded } = self;
        let (faults, index) = (agreed.faults, agreed.index);
        faults.pass(Step::Compare, Moment::Before, index, &mut decoded.transaction);
        let transaction = &decoded.transaction;
        if *transaction != agreed.planned.transaction || *transaction != agreed.again.transaction {
            return Err(agreed.fault("the signed bytes do not say what was planned"));
        }
        if decoded.authorization != authorization {
            return Err(agreed.fault("the signature in the signed bytes is another one"));
        }
        let (layer, purpose) = (agreed.again.layer, agreed.again.purpose);
        let found = transaction.to().and_then(|to| {
            let (value, data) = (transaction.value(), transaction.data());
            let factory_deps = transaction.factory_deps();
            recognise_as(purpose, &Seen { network, layer, from: Some(from), to, value, data, factory_deps })
        });
        if !found.is_some_and(|found| found.body == agreed.again.words) || transaction.has_access_list() {
            return Err(agreed.fault("the encoded call is not the operation that was asked for"));
        }
        if transaction.chain_id() != Some(network.chain_id(layer)) {
            return Err(agreed.fault("the encoded chain id is not the network's"));
        }
        faults.pass(Step::Compare, Moment::After, index, &mut decoded.transaction);
        Ok(Compared { agreed, raw, decoded })
    }
}

impl Compared {
    fn hash(self, from: Address) -> Result<SignedTransaction, Refusal> {
        let Self { agreed, raw, mut decoded } = self;
        let Agreed { again, second_digest, index, faults, .. } = &agreed;
        faults.pass(Step::Hash, Moment::Before, *index, &mut decoded.transaction);
        let second_hash = second_encoding::hash(&again.transaction, &decoded.authorization);
        let signed = SignedTransaction::new(again.layer, again.purpose, decoded, from, raw);
        let mut hash = signed.hash();
        faults.pass(Step::Hash, Moment::After, *index, &mut hash);
        if Some(hash) != second_hash || signed.signing_digest() != *second_digest {
            return Err(agreed.fault("two computations of the hash differ"));
        }
        Ok(signed)
    }
}

/// Whether the signed document could be read back, judged before a guard writes anything down.
fn judge_size(plan: &[Planned], owners: usize) -> Result<(), Refusal> {
    /// More than the names, hashes and signature that stand beside the raw bytes.
    const REST: usize = 2048;
    /// A signature in the raw bytes and beside them, in hex.
    const SIGNATURE: usize = 4 * 65;
    let sizes = plan.iter().map(|planned| {
        let raw = planned.transaction.unsigned_bytes().len().saturating_mul(2);
        raw.saturating_add(owners.saturating_mul(SIGNATURE)).saturating_add(REST)
    });
    json::judge_size("the signed document", sizes.fold(0, usize::saturating_add))
}

/// The ECDSA signatures in what authorizes a transaction: one for each owner.
fn signatures(authorization: &Authorization, owners: &[Address]) -> Result<Vec<Signature>, Refusal> {
    let bytes = authorization.to_bytes().unwrap_or_default();
    let (parts, rest) = bytes.as_chunks::<65>();
    let made = parts.iter().map(|part| Signature::from_bytes(part)).collect::<Option<Vec<_>>>();
    made.filter(|made| made.len() == owners.len() && rest.is_empty())
        .ok_or_else(|| fault(Code::FAULT_SIGNATURE, "what was made is no signature of each owner"))
}

fn encoding_fault(problem: &str, planned: &Planned) -> Refusal {
    fault(Code::FAULT_ENCODING, &format!("{problem} (nonce {})", planned.transaction.nonce()))
}

fn fault(code: Code, problem: &str) -> Refusal {
    Refusal::new(code, "", problem, "stop using this machine for signing. Nothing was released")
}
