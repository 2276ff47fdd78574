//! From a plan to bytes that may leave: with local keys, or with signatures that were made elsewhere. Both end in the same
//! checks ([`Unsigned::release`]): the one place where a signature is released.

use super::{Planned, Unsigned};
use crate::address::Address;
use crate::external::{External, Form};
use crate::hash::Digest;
use crate::key::{Key, Signature};
use crate::operation::{Seen, recognise_as};
use crate::refusal::{Code, Refusal};
use crate::request::Authority;
use crate::signed::{Signed, SignedTransaction};
use crate::transaction::{Authorization, Decoded};

impl Unsigned {
    /// Signs every transaction with the key of the sender, or of the one signer of a smart account.
    ///
    /// # Errors
    /// Those of [`Unsigned::sign_with`].
    pub fn sign(self, key: &Key) -> Result<Signed, Refusal> {
        self.sign_with(&[key])
    }

    /// Signs every transaction with local keys: the sender's, or those of a smart account's signers, whose signatures are
    /// put in the stated order whatever the order of the keys.
    ///
    /// Each signature is verified and recovered to its account; the raw bytes are decoded again and compared, field by
    /// field and in what they do, with what was asked. Nothing is released unless everything holds for every transaction.
    ///
    /// # Errors
    /// `key.not_from` or `key.missing` before anything is signed; `fault.*` if a check of the result fails.
    pub fn sign_with(self, keys: &[&Key]) -> Result<Signed, Refusal> {
        let signers = self.signing_keys(keys)?;
        self.each(|planned, _| {
            let digest = planned.transaction.signing_digest();
            let signatures = signers.iter().map(|key| key.sign(&digest)).collect::<Result<Vec<_>, _>>()?;
            self.authorization(&signatures)
        })
    }

    /// Signs every transaction with signatures that were made elsewhere, in the order of the transactions: one for each,
    /// or for a smart account one for each of its signers in their order (apart, or one after the other in one). Where no
    /// signers are stated, they are the bytes that the account itself judges.
    ///
    /// # Errors
    /// `signature.count`, `signature.format`, `signature.not_from`; `fault.*` if a check of the result fails.
    pub fn attach(self, signatures: &[External]) -> Result<Signed, Refusal> {
        let groups = self.grouped(signatures)?;
        self.each(|planned, index| {
            let at = format!("/transactions/{index}");
            let digest = planned.transaction.signing_digest();
            let given = groups.get(index).map_or(&[][..], Vec::as_slice);
            match self.request.authority() {
                Authority::SmartAccount(None) => self.account_bytes(given, &at),
                Authority::SmartAccount(Some(signers)) => {
                    self.authorization(&resolve_all(given, &digest, signers, &at)?)
                }
                Authority::Sender | Authority::Nobody => {
                    self.authorization(&resolve_all(given, &digest, &[self.request.from()], &at)?)
                }
            }
        })
    }

    /// Whether these keys can sign, before anything is done with them.
    ///
    /// # Errors
    /// `sign.contract_sender`, `key.not_from`, `key.missing`.
    pub fn judge_keys(&self, keys: &[&Key]) -> Result<(), Refusal> {
        self.signing_keys(keys).map(drop)
    }

    /// Who has to sign each transaction, in this order; none where only the account itself can tell.
    ///
    /// # Errors
    /// `sign.contract_sender` for a contract that signs nothing.
    pub fn signers(&self) -> Result<Option<Vec<Address>>, Refusal> {
        match self.request.authority() {
            Authority::Sender => Ok(Some(vec![self.request.from()])),
            Authority::SmartAccount(signers) => Ok(signers.map(<[Address]>::to_vec)),
            Authority::Nobody => Err(Refusal::new(
                Code::SIGN_CONTRACT_SENDER,
                "/intent/fromKind",
                format!("{} is a contract: it has no key to sign with", self.request.from()),
                "export the plan (coldbridge export --safe-batch) and propose it to the contract's owners",
            )),
        }
    }

    /// The keys that sign, in the order of the signers.
    fn signing_keys<'k>(&self, keys: &[&'k Key]) -> Result<Vec<&'k Key>, Refusal> {
        let from = self.request.from();
        let Some(signers) = self.signers()? else {
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
            let (at, problem) = match self.request.authority() {
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
                    match self.request.authority() {
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
        let owners = self.signers()?.map_or(1, |signers| signers.len());
        let count = self.transactions.len();
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

    /// The bytes of a smart account whose signers are not stated: nobody here can judge them.
    fn account_bytes(&self, given: &[External], at: &str) -> Result<Authorization, Refusal> {
        let refuse = |problem: String, remedy: &str| Err(Refusal::new(Code::SIGNATURE_FORMAT, at, problem, remedy));
        match given {
            [one] if one.bytes().is_empty() => refuse(
                "an empty signature: no node takes that as signed".to_owned(),
                "hand over the account's signature",
            ),
            [one] if matches!(one.form(), Form::Any | Form::Custom) => Ok(Authorization::of_custom(one.bytes())),
            _ => refuse(
                format!(
                    "{} is a smart account without stated signers: nobody can check an ECDSA form for it",
                    self.request.from()
                ),
                "name its owners in intent.signers, or hand over the account's bytes as they are",
            ),
        }
    }

    /// One signature of a plain sender, or those of a smart account's owners one after the other.
    fn authorization(&self, signatures: &[Signature]) -> Result<Authorization, Refusal> {
        match (self.request.authority(), signatures) {
            (_, [one]) => Ok(Authorization::Signature(*one)),
            (Authority::SmartAccount(_), _) => {
                let bytes: Vec<u8> = signatures.iter().flat_map(Signature::to_bytes).collect();
                Ok(Authorization::of_custom(&bytes))
            }
            _ => Err(Refusal::new(Code::BUG, "", "several signatures for one sender", "report it")),
        }
    }

    /// Authorizes and releases every transaction.
    fn each(
        &self,
        mut authorize: impl FnMut(&Planned, usize) -> Result<Authorization, Refusal>,
    ) -> Result<Signed, Refusal> {
        let mut signed = Vec::with_capacity(self.transactions.len());
        for (index, planned) in self.transactions.iter().enumerate() {
            let authorization = authorize(planned, index)?;
            signed.push(self.release(planned, &authorization)?);
        }
        let request = &self.request;
        let signers = match request.authority() {
            Authority::SmartAccount(Some(signers)) => signers.to_vec(),
            _ => Vec::new(),
        };
        Ok(Signed::new(request.id().map(str::to_owned), request.network().clone(), request.from(), signers, signed))
    }

    /// Encodes a signed transaction and proves that the bytes say what was asked.
    fn release(&self, planned: &Planned, authorization: &Authorization) -> Result<SignedTransaction, Refusal> {
        let fault = |problem: &str| {
            Refusal::new(
                Code::FAULT_ENCODING,
                "",
                format!("{problem} (nonce {})", planned.transaction.nonce()),
                "stop using this machine for signing. Nothing was released",
            )
        };
        let raw = planned
            .transaction
            .authorized(authorization)
            .ok_or_else(|| fault("this type of transaction can not carry the signature"))?;
        let decoded = Decoded::read(&raw, "").map_err(|_| fault("the encoded bytes do not decode"))?;
        if decoded.transaction != planned.transaction {
            return Err(fault("the encoded bytes do not say what was planned"));
        }
        let from = self.request.from();
        let is_authorized = match self.request.authority() {
            Authority::Sender => decoded.signer() == Some(from),
            Authority::SmartAccount(Some(signers)) => decoded.owners().as_deref() == Some(signers),
            Authority::SmartAccount(None) => decoded.hash().is_some(),
            Authority::Nobody => false,
        };
        if decoded.authorization != *authorization || !is_authorized {
            return Err(fault("the signature in the encoded bytes is not one of the sender"));
        }
        let network = self.request.network();
        let found = decoded.transaction.to().and_then(|to| {
            let seen = Seen {
                network,
                layer: planned.layer,
                from: Some(from),
                to,
                value: decoded.transaction.value(),
                data: decoded.transaction.data(),
            };
            recognise_as(planned.purpose, &seen)
        });
        if !found.is_some_and(|found| found.body == planned.words) || decoded.transaction.has_access_list() {
            return Err(fault("the encoded call is not the operation that was asked for"));
        }
        if decoded.transaction.chain_id() != Some(network.chain_id(planned.layer)) {
            return Err(fault("the encoded chain id is not the network's"));
        }
        Ok(SignedTransaction::new(planned.layer, planned.purpose, decoded, from, raw))
    }
}

fn resolve_all(given: &[External], digest: &Digest, signers: &[Address], at: &str) -> Result<Vec<Signature>, Refusal> {
    given.iter().zip(signers).map(|(one, signer)| one.resolve(digest, *signer, at)).collect()
}
