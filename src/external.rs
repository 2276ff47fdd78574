//! Signatures that other machines made: an HSM, a KMS, an MPC service, a hardware wallet.
//!
//! They come in several forms, some without a recovery id and some with a high s. Whatever the form, the bytes mean a
//! signature only if it verifies and recovers to the account that is to have signed; that also tells the forms apart.

use k256::Secp256k1;

use crate::address::Address;
use crate::hash::Digest;
use crate::key::Signature;
use crate::refusal::{Code, Refusal};

/// How the bytes of a signature are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Whichever of the ECDSA forms recovers to the account; for a smart account without stated signers, its own bytes.
    Any,
    /// ASN.1 DER, as OpenSSL and KMS write it.
    Der,
    /// r || s, 64 bytes, as PKCS#11 writes it.
    Rs,
    /// r || s || v, 65 bytes, v 0, 1, 27 or 28.
    Rsv,
    /// EIP-2098: 64 bytes with the parity in the highest bit of s.
    Compact,
    /// Bytes that only a smart account can judge.
    Custom,
}

impl Form {
    /// The words of the command line.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("any", Self::Any),
        ("der", Self::Der),
        ("rs", Self::Rs),
        ("rsv", Self::Rsv),
        ("compact", Self::Compact),
        ("custom", Self::Custom),
    ];

    fn may_be(self, form: Self) -> bool {
        self == Self::Any || self == form
    }
}

/// A signature as it was handed over: nothing about it is known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    bytes: Vec<u8>,
    form: Form,
}

/// r and s as they were written, and the parity where the form has one.
struct Candidate {
    r: [u8; 32],
    s: [u8; 32],
    y_parity: Option<u8>,
}

impl External {
    /// Bytes of a stated form.
    pub fn new(bytes: Vec<u8>, form: Form) -> Self {
        Self { bytes, form }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The form.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The signatures of several owners, one after the other, 65 bytes each.
    ///
    /// # Errors
    /// `signature.format` if they are not that many.
    pub fn split(&self, owners: usize, at: &str) -> Result<Vec<Self>, Refusal> {
        let (parts, rest) = self.bytes.as_chunks::<65>();
        if parts.len() != owners || !rest.is_empty() || self.form != Form::Any {
            return Err(Refusal::new(
                Code::SIGNATURE_FORMAT,
                at,
                format!("{} bytes are not the signatures of {owners} owners, 65 bytes each", self.bytes.len()),
                "hand over one signature for each owner, in the order of intent.signers, or all of them in one",
            )
            .values(format!("{} bytes", owners.saturating_mul(65)), format!("{} bytes", self.bytes.len())));
        }
        Ok(parts.iter().map(|part| Self::new(part.to_vec(), Form::Rsv)).collect())
    }

    /// The signature of `signer` that these bytes are, with a low s.
    ///
    /// # Errors
    /// `signature.format` for bytes of no form; `signature.not_from` if none of what they can mean is that account's.
    pub fn resolve(&self, digest: &Digest, signer: Address, at: &str) -> Result<Signature, Refusal> {
        let candidates = self.candidates();
        if candidates.is_empty() {
            return Err(Refusal::new(
                Code::SIGNATURE_FORMAT,
                at,
                format!("{} bytes that are no ECDSA signature in a form that is known here", self.bytes.len()),
                "hand over DER, r || s (64 bytes), r || s || v (65 bytes, v 0, 1, 27 or 28) or compact (64 bytes)",
            ));
        }
        let found = candidates
            .iter()
            .flat_map(Candidate::signatures)
            .find(|signature| signature.recover(digest) == Some(signer));
        found.ok_or_else(|| {
            let stated: Vec<String> = candidates
                .iter()
                .flat_map(Candidate::signatures)
                .filter_map(|signature| signature.recover(digest))
                .map(|address| address.to_string())
                .collect();
            let actual = if stated.is_empty() { "nobody".to_owned() } else { stated.join(" or ") };
            Refusal::new(
                Code::SIGNATURE_NOT_FROM,
                at,
                format!("this is no signature of {signer} on {digest}: it would be one of {actual}"),
                "sign exactly this digest, as it is (no prefix, no further hash), with the key of that account",
            )
            .values(signer, actual)
        })
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if self.form.may_be(Form::Der)
            && let Ok(signature) = ecdsa::der::Signature::<Secp256k1>::from_bytes(&self.bytes)
            && let Ok(signature) = k256::ecdsa::Signature::try_from(signature)
        {
            let (r, s) = signature.split_bytes();
            candidates.push(Candidate { r: r.into(), s: s.into(), y_parity: None });
        }
        let Some((r, rest)) = self.bytes.split_first_chunk::<32>() else { return candidates };
        let Some((s, rest)) = rest.split_first_chunk::<32>() else { return candidates };
        match rest {
            [] => {
                if self.form.may_be(Form::Rs) {
                    candidates.push(Candidate { r: *r, s: *s, y_parity: None });
                }
                // Without the highest bit it says no more than r || s does.
                if self.form.may_be(Form::Compact) {
                    let mut low = *s;
                    low[0] &= 0x7f;
                    candidates.push(Candidate { r: *r, s: low, y_parity: Some(s[0] >> 7) });
                }
            }
            [v] if self.form.may_be(Form::Rsv) => {
                let y_parity = match v {
                    0 | 1 => Some(*v),
                    27 | 28 => Some(*v - 27),
                    _ => None,
                };
                candidates.extend(y_parity.map(|parity| Candidate { r: *r, s: *s, y_parity: Some(parity) }));
            }
            _ => {}
        }
        candidates
    }
}

impl Candidate {
    /// What it can mean: with the stated parity, or with either.
    fn signatures(&self) -> impl Iterator<Item = Signature> {
        let parities: &[u8] = match self.y_parity {
            None => &[0, 1],
            Some(0) => &[0],
            Some(_) => &[1],
        };
        parities.iter().filter_map(|parity| Signature::normalized(self.r, self.s, *parity))
    }
}
