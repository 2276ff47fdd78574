//! The key and what it makes: RFC 6979 signatures on secp256k1, low-S, verified and recovered before anyone sees them.
//!
//! A key comes from hex, from words and a path (BIP-39, BIP-32) or from an encrypted file (keystore version 3).

mod derivation;
mod keystore;
mod memory;
mod mnemonic;

use std::fmt;
use std::ops::Range;

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::hash::{Digest, keccak256};
use crate::refusal::{Code, Refusal};

pub use derivation::DerivationPath;
pub use keystore::{Keystore, Randomness};

/// A private key. It has one place in memory, is wiped when dropped and can be neither printed, copied nor compared.
///
/// ```compile_fail,E0277
/// fn print(key: &coldbridge::Key) { println!("{key:?}"); }
/// ```
/// ```compile_fail,E0277
/// fn print(key: &coldbridge::Key) { println!("{key}"); }
/// ```
/// ```compile_fail,E0599
/// fn copy(key: coldbridge::Key) -> coldbridge::Key { key.clone() }
/// ```
/// ```compile_fail,E0369
/// fn compare(one: &coldbridge::Key, other: &coldbridge::Key) -> bool { one == other }
/// ```
/// ```compile_fail,E0277
/// fn write(key: &coldbridge::Key) -> String { serde_json::to_string(key).unwrap() }
/// ```
/// ```compile_fail,E0616
/// fn take(key: &coldbridge::Key) { let _ = &key.secret; }
/// ```
pub struct Key {
    secret: Box<SigningKey>,
    address: Address,
}

/// What a key file holds, told by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `{`: an encrypted key, opened by a password.
    Keystore,
    /// Several words: a mnemonic, which needs a derivation path.
    Mnemonic,
    /// Everything else: the key itself in hex, or nothing that is known.
    Hex,
}

impl KeyKind {
    /// The kind of a file's text.
    pub fn of(text: &[u8]) -> Self {
        let text = text.trim_ascii();
        let mut words = text.split(u8::is_ascii_whitespace);
        let first = words.next().unwrap_or_default();
        if text.starts_with(b"{") {
            Self::Keystore
        } else if words.next().is_some() && first.iter().all(u8::is_ascii_alphabetic) {
            Self::Mnemonic
        } else {
            Self::Hex
        }
    }
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
        let secret = memory::wiped(|| {
            let mut bytes = Zeroizing::new([0; 32]);
            hex::decode_to_slice(digits, bytes.as_mut_slice()).ok()?;
            SigningKey::from_slice(bytes.as_slice()).map(Box::new).ok()
        });
        secret.map(Self::of).ok_or_else(|| {
            Refusal::new(
                Code::KEY_FORMAT,
                "",
                "this is not a private key: 64 hex digits of a number from 1 to the order of secp256k1 minus 1",
                "hand over a file that holds the key as one line of hex and nothing else, a keystore (version 3), \
                 or a mnemonic with --derivation-path",
            )
        })
    }

    /// The key of a mnemonic (BIP-39: 12, 15, 18, 21 or 24 English words and a passphrase, mostly empty) at the end of a
    /// path (BIP-32).
    ///
    /// # Errors
    /// `key.mnemonic`. The refusal never repeats a word.
    pub fn from_mnemonic(words: &str, passphrase: &str, path: &DerivationPath) -> Result<Self, Refusal> {
        memory::wiped(|| path.derive(mnemonic::seed(words, passphrase)?.as_slice())).map(Self::of)
    }

    /// The key of a BIP-32 seed at the end of a path.
    ///
    /// # Errors
    /// `key.derivation_path` where BIP-32 has no key (one index in 2^127).
    pub fn from_seed(seed: &[u8], path: &DerivationPath) -> Result<Self, Refusal> {
        memory::wiped(|| path.derive(seed)).map(Self::of)
    }

    /// The key of an encrypted file ([`Keystore::read`], then [`Keystore::unlock`]).
    ///
    /// # Errors
    /// `key.keystore`, `key.kdf`, `key.password`, `key.address` or `key.format`.
    pub fn from_keystore(text: &[u8], password: &[u8]) -> Result<Self, Refusal> {
        Keystore::read(text)?.unlock(password)
    }

    fn of(secret: Box<SigningKey>) -> Self {
        let address = address_of(secret.verifying_key());
        Self { secret, address }
    }

    /// The account of this key.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Where the key is in memory, for a program that can keep the system from writing that page to a disk.
    pub fn memory(&self) -> Range<usize> {
        let start = std::ptr::from_ref::<SigningKey>(&self.secret).addr();
        start..start + size_of::<SigningKey>()
    }

    /// Signs a digest (RFC 6979, low-S) and proves the signature before returning it.
    ///
    /// # Errors
    /// `fault.signature` if the signature does not verify or does not recover to this key's account.
    pub fn sign(&self, digest: &Digest) -> Result<Signature, Refusal> {
        let signature = self.sign_unproved(digest)?;
        if !self.verifies(digest, &signature) || signature.recover(digest) != Some(self.address) {
            return Err(fault("the signature does not verify against the key that made it"));
        }
        Ok(signature)
    }

    /// Signs a digest (RFC 6979, low-S). Only for the signing order, which proves what it gets against the second digest.
    pub(crate) fn sign_unproved(&self, digest: &Digest) -> Result<Signature, Refusal> {
        let (signature, recovery) = memory::wiped(|| self.secret.sign_prehash_recoverable(&digest.0));
        let (r, s) = signature.split_bytes();
        Signature::from_parts(r.into(), s.into(), recovery.to_byte())
            .ok_or_else(|| fault("the signature is out of range"))
    }

    /// Whether this is a signature of this key on this digest.
    pub(crate) fn verifies(&self, digest: &Digest, signature: &Signature) -> bool {
        signature.verifies(digest, self.secret.verifying_key())
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
        self.recover_key(digest).map(|key| address_of(&key))
    }

    /// Whether the key behind the signature, recovered from it, verifies it: for signatures from elsewhere.
    pub(crate) fn verifies_by_itself(&self, digest: &Digest) -> bool {
        self.recover_key(digest).is_some_and(|key| self.verifies(digest, &key))
    }

    fn recover_key(&self, digest: &Digest) -> Option<VerifyingKey> {
        let signature = k256::ecdsa::Signature::from_scalars(self.r, self.s).ok()?;
        let recovery = RecoveryId::from_byte(self.y_parity)?;
        VerifyingKey::recover_from_prehash(&digest.0, &signature, recovery).ok()
    }

    fn verifies(&self, digest: &Digest, key: &VerifyingKey) -> bool {
        k256::ecdsa::Signature::from_scalars(self.r, self.s)
            .is_ok_and(|signature| key.verify_prehash(&digest.0, &signature).is_ok())
    }

    /// The same with a bit flipped, in range or not.
    #[cfg(feature = "fault-injection")]
    pub(crate) fn corrupted(mut self, bit: usize) -> Self {
        let bytes = if bit % 512 < 256 { &mut self.r } else { &mut self.s };
        bytes[bit % 256 / 8] ^= 1 << (bit % 8);
        self
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.to_bytes()))
    }
}
