//! What stands in the place of the signature: made here with local keys, or handed over from elsewhere. Either goes through
//! the same order ([`Ready`]).

use super::{Ready, Released};
use crate::address::Address;
use crate::external::{External, Form};
use crate::hash::Digest;
use crate::key::{Key, Signature};
use crate::refusal::{Code, Refusal};
use crate::request::{Authority, Request};
use crate::signed::Signed;
use crate::transaction::Authorization;
use crate::unsigned::Unsigned;

impl Unsigned {
    /// Signs every transaction with the key of the sender, or of the one signer of a smart account.
    ///
    /// # Errors
    /// Those of [`Ready::sign`].
    pub fn sign(self, key: &Key) -> Result<Signed, Refusal> {
        self.sign_with(&[key])
    }

    /// Signs every transaction with local keys: [`Unsigned::ready`] and [`Ready::sign`] in one.
    ///
    /// # Errors
    /// Those of [`Ready::sign`].
    pub fn sign_with(self, keys: &[&Key]) -> Result<Signed, Refusal> {
        Ok(self.ready()?.sign(keys)?.into_signed())
    }

    /// Takes signatures that were made elsewhere: [`Unsigned::ready`] and [`Ready::attach`] in one.
    ///
    /// # Errors
    /// Those of [`Ready::attach`].
    pub fn attach(self, signatures: &[External]) -> Result<Signed, Refusal> {
        Ok(self.ready()?.attach(signatures)?.into_signed())
    }

    /// Who has to sign each transaction, in this order; none where only the account itself can tell.
    ///
    /// # Errors
    /// `sign.contract_sender` for a contract that signs nothing.
    pub fn signers(&self) -> Result<Option<Vec<Address>>, Refusal> {
        signers(self.request())
    }
}

impl Ready {
    /// Signs every transaction with local keys: the sender's, or those of a smart account's signers, whose signatures are
    /// put in the stated order whatever the order of the keys. Nothing is released unless everything holds for every
    /// transaction.
    ///
    /// # Errors
    /// `key.not_from` or `key.missing` before anything is signed; `fault.*` if a check of the result fails.
    pub fn sign(self, keys: &[&Key]) -> Result<Released, Refusal> {
        let keys = self.signing_keys(keys)?;
        self.release(&keys, |request, digest, _| {
            let signatures = keys.iter().map(|key| key.sign_unproved(digest)).collect::<Result<Vec<_>, _>>()?;
            authorization(request, &signatures)
        })
    }

    /// Takes signatures that were made elsewhere, in the order of the transactions: one for each, or for a smart account
    /// one for each of its signers in their order (apart, or one after the other in one). Where no signers are stated,
    /// they are the bytes that the account itself judges.
    ///
    /// # Errors
    /// `signature.count`, `signature.format`, `signature.not_from`; `fault.*` if a check of the result fails.
    pub fn attach(self, signatures: &[External]) -> Result<Released, Refusal> {
        let groups = self.grouped(signatures)?;
        self.release(&[], |request, digest, index| {
            let at = format!("/transactions/{index}");
            let given = groups.get(index).map_or(&[][..], Vec::as_slice);
            match request.authority() {
                Authority::SmartAccount(None) => account_bytes(request, given, &at),
                Authority::SmartAccount(Some(signers)) => {
                    authorization(request, &resolve_all(given, digest, signers, &at)?)
                }
                Authority::Sender | Authority::Nobody => {
                    authorization(request, &resolve_all(given, digest, &[request.from()], &at)?)
                }
            }
        })
    }

    /// Whether these keys are the sender's or the signers', before anything is written down or signed.
    ///
    /// # Errors
    /// `key.not_from`, `key.missing`, `sign.contract_sender`.
    pub fn judge_keys(&self, keys: &[&Key]) -> Result<(), Refusal> {
        self.signing_keys(keys).map(|_| ())
    }

    /// The keys that sign, in the order of the signers.
    fn signing_keys<'k>(&self, keys: &[&'k Key]) -> Result<Vec<&'k Key>, Refusal> {
        let from = self.request().from();
        let Some(signers) = signers(self.request())? else {
            return Err(Refusal::new(
                Code::SIGN_CONTRACT_SENDER,
                "/intent/fromKind",
                format!("{from} is a smart account whose signers are not stated"),
                "name them in intent.signers, or hand over the account's own signature with coldbridge attach",
            ));
        };
        let of_signer = |key: &&&Key| signers.contains(&key.address());
        if let Some(other) = keys.iter().find(|key| !of_signer(key)) {
            let wanted = signers.iter().map(Address::to_string).collect::<Vec<_>>().join(", ");
            let (at, problem) = match self.request().authority() {
                Authority::SmartAccount(_) => (
                    "/intent/signers",
                    format!("the key is the key of {}, which is none of the signers", other.address()),
                ),
                _ => ("/intent/from", format!("the key is the key of {}, the intent is from {from}", other.address())),
            };
            return Err(Refusal::new(
                Code::KEY_NOT_FROM,
                at,
                problem,
                "use the key of that account, or correct intent.from",
            )
            .values(wanted, other.address()));
        }
        let key_of = |(index, signer): (usize, &Address)| {
            keys.iter().copied().find(|key| key.address() == *signer).ok_or_else(|| {
                Refusal::new(
                    Code::KEY_MISSING,
                    match self.request().authority() {
                        Authority::SmartAccount(_) => format!("/intent/signers/{index}"),
                        _ => "/intent/from".to_owned(),
                    },
                    format!("there is no key of {signer}, whose signature the account asks for"),
                    "hand over one key for each signer (--key can be given several times), or use digest and attach",
                )
                .values(signer, "no key")
            })
        };
        signers.iter().enumerate().map(key_of).collect()
    }

    /// The given signatures, by transaction.
    fn grouped(&self, given: &[External]) -> Result<Vec<Vec<External>>, Refusal> {
        let owners = signers(self.request())?.map_or(1, |signers| signers.len());
        let count = self.agreed.len();
        if given.len() == count && owners > 1 {
            let split = |(index, all): (usize, &External)| all.split(owners, &format!("/transactions/{index}"));
            return given.iter().enumerate().map(split).collect();
        }
        if given.len() != count.saturating_mul(owners) {
            let wanted = match owners {
                1 => format!("{count}, one for each transaction"),
                _ => format!("{count} for each transaction, or {owners} for each, one a signer"),
            };
            return Err(Refusal::new(
                Code::SIGNATURE_COUNT,
                "/transactions",
                format!("{} signatures where {wanted} belong", given.len()),
                "hand over the signatures in the order of the transactions (and of the signers)",
            )
            .values(wanted, given.len()));
        }
        Ok(given.chunks(owners).map(<[External]>::to_vec).collect())
    }
}

/// Who has to sign each transaction, in this order; none where only the account itself can tell.
pub(super) fn signers(request: &Request) -> Result<Option<Vec<Address>>, Refusal> {
    match request.authority() {
        Authority::Sender => Ok(Some(vec![request.from()])),
        Authority::SmartAccount(signers) => Ok(signers.map(<[Address]>::to_vec)),
        Authority::Nobody => Err(Refusal::new(
            Code::SIGN_CONTRACT_SENDER,
            "/intent/fromKind",
            format!("{} is a contract: it has no key to sign with", request.from()),
            "export the plan (coldbridge export --safe-batch) and propose it to the contract's owners",
        )),
    }
}

/// The bytes of a smart account whose signers are not stated: nobody here can judge them.
fn account_bytes(request: &Request, given: &[External], at: &str) -> Result<Authorization, Refusal> {
    let refuse = |problem: String, remedy: &str| Err(Refusal::new(Code::SIGNATURE_FORMAT, at, problem, remedy));
    match given {
        [one] if one.bytes().is_empty() => {
            refuse("an empty signature: no node takes that as signed".to_owned(), "hand over the account's signature")
        }
        [one] if matches!(one.form(), Form::Any | Form::Custom) => Ok(Authorization::of_custom(one.bytes())),
        _ => refuse(
            format!(
                "{} is a smart account without stated signers: nobody can check an ECDSA form for it",
                request.from()
            ),
            "name its owners in intent.signers, or hand over the account's bytes as they are",
        ),
    }
}

/// One signature of a plain sender, or those of a smart account's owners one after the other.
fn authorization(request: &Request, signatures: &[Signature]) -> Result<Authorization, Refusal> {
    match (request.authority(), signatures) {
        (_, [one]) => Ok(Authorization::Signature(*one)),
        (Authority::SmartAccount(_), _) => {
            let bytes: Vec<u8> = signatures.iter().flat_map(Signature::to_bytes).collect();
            Ok(Authorization::of_custom(&bytes))
        }
        _ => Err(Refusal::new(Code::BUG, "", "several signatures for one sender", "report it")),
    }
}

fn resolve_all(given: &[External], digest: &Digest, signers: &[Address], at: &str) -> Result<Vec<Signature>, Refusal> {
    given.iter().zip(signers).map(|(one, signer)| one.resolve(digest, *signer, at)).collect()
}
