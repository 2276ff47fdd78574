//! The key and what it makes: RFC 6979 signatures on secp256k1, low-S, verified and recovered before anyone sees them.

use std::fmt;

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::hash::{Digest, keccak256};
use crate::refusal::{Code, Refusal};

/// A private key. It is wiped when dropped and can be neither printed, copied nor compared.
///
/// ```compile_fail
/// fn print(key: &coldbridge::Key) { println!("{key:?}"); }
/// ```
/// ```compile_fail
/// fn print(key: &coldbridge::Key) { println!("{key}"); }
/// ```
/// ```compile_fail
/// fn copy(key: &coldbridge::Key) -> coldbridge::Key { key.clone() }
/// ```
pub struct Key {
    signing: SigningKey,
    address: Address,
}

impl Key {
    /// Reads a key file: 32 bytes as 64 hex digits, 0x before and one line end after them allowed.
    ///
    /// # Errors
    /// `key.format`. The refusal never repeats anything of the file.
    pub fn from_hex(text: &[u8]) -> Result<Self, Refusal> {
        let digits = text.strip_suffix(b"\n").unwrap_or(text);
        let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
        let digits = digits.strip_prefix(b"0x").unwrap_or(digits);
        let mut bytes = Zeroizing::new([0; 32]);
        let signing = hex::decode_to_slice(digits, bytes.as_mut_slice())
            .ok()
            .and_then(|()| SigningKey::from_slice(bytes.as_slice()).ok())
            .ok_or_else(|| {
                Refusal::new(
                    Code::KEY_FORMAT,
                    "",
                    "this is not a private key: 64 hex digits of a number from 1 to the order of secp256k1 minus 1",
                    "hand over a file that holds the key as one line of hex and nothing else",
                )
            })?;
        let address = address_of(signing.verifying_key());
        Ok(Self { signing, address })
    }

    /// The account of this key.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a digest (RFC 6979, low-S) and proves the signature before returning it.
    ///
    /// # Errors
    /// `fault.signature` if the signature does not verify or does not recover to this key's account.
    pub fn sign(&self, digest: &Digest) -> Result<Signature, Refusal> {
        let (signature, recovery) = self.signing.sign_prehash_recoverable(&digest.0);
        let verifies = self.signing.verifying_key().verify_prehash(&digest.0, &signature).is_ok();
        let (r, s) = signature.split_bytes();
        let signature = Signature::from_parts(r.into(), s.into(), recovery.to_byte())
            .ok_or_else(|| fault("the signature is out of range"))?;
        if !verifies || signature.recover(digest) != Some(self.address) {
            return Err(fault("the signature does not verify against the key that made it"));
        }
        Ok(signature)
    }
}

fn fault(problem: &str) -> Refusal {
    Refusal::new(
        Code::FAULT_SIGNATURE,
        "",
        problem,
        "stop using this machine for signing: a fault like this can give the key away. Nothing was released",
    )
}

fn address_of(key: &VerifyingKey) -> Address {
    let point = key.to_sec1_point(false);
    let hash = keccak256(&point.as_bytes()[1..]);
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&hash[12..]);
    Address::from_bytes(bytes)
}

/// An ECDSA signature with r and s in range, s low (EIP-2) and a recovery bit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    r: [u8; 32],
    s: [u8; 32],
    y_parity: u8,
}

impl Signature {
    /// A signature from its parts; none if they are out of range or s is high.
    pub fn from_parts(r: [u8; 32], s: [u8; 32], y_parity: u8) -> Option<Self> {
        let signature = k256::ecdsa::Signature::from_scalars(r, s).ok()?;
        let low = signature.normalize_s() == signature;
        (low && y_parity <= 1).then_some(Self { r, s, y_parity })
    }

    /// The signature with a low s that says the same: turning s into n - s turns the parity around. None if r, s or the
    /// parity is out of range.
    pub fn normalized(r: [u8; 32], s: [u8; 32], y_parity: u8) -> Option<Self> {
        let signature = k256::ecdsa::Signature::from_scalars(r, s).ok()?;
        let low = signature.normalize_s();
        let turned = u8::from(low != signature);
        let (r, s) = low.split_bytes();
        (y_parity <= 1).then(|| Self::from_parts(r.into(), s.into(), y_parity ^ turned)).flatten()
    }

    /// A signature from r || s || v with v 27 or 28, as DefaultAccount asks for it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 65] = bytes.try_into().ok()?;
        let (r, rest) = bytes.split_first_chunk()?;
        let (s, v) = rest.split_first_chunk()?;
        Self::from_parts(*r, *s, v.first()?.checked_sub(27)?)
    }

    /// r || s || 27 + yParity.
    pub fn to_bytes(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes[..32].copy_from_slice(&self.r);
        bytes[32..64].copy_from_slice(&self.s);
        bytes[64] = 27 + self.y_parity;
        bytes
    }

    /// r, big-endian.
    pub const fn r(&self) -> [u8; 32] {
        self.r
    }

    /// s, big-endian.
    pub const fn s(&self) -> [u8; 32] {
        self.s
    }

    /// The recovery bit: 0 or 1.
    pub const fn y_parity(&self) -> u8 {
        self.y_parity
    }

    /// The account whose key signed this digest.
    pub fn recover(&self, digest: &Digest) -> Option<Address> {
        let signature = k256::ecdsa::Signature::from_scalars(self.r, self.s).ok()?;
        let recovery = RecoveryId::from_byte(self.y_parity)?;
        let key = VerifyingKey::recover_from_prehash(&digest.0, &signature, recovery).ok()?;
        Some(address_of(&key))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.to_bytes()))
    }
}
