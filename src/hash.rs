//! Keccak-256, and hashes that can not be taken for one another.

use std::fmt;

use tiny_keccak::{Hasher, Keccak};

/// The Keccak-256 of bytes.
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    keccak256_concat(&[bytes])
}

/// The Keccak-256 of several byte strings, one after the other.
pub fn keccak256_concat(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak::v256();
    for part in parts {
        hasher.update(part);
    }
    let mut hash = [0; 32];
    hasher.finalize(&mut hash);
    hash
}

/// What a key signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// What a node knows a transaction by. For type 0x71 it is neither the hash of the raw bytes nor the digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TxHash(pub [u8; 32]);

impl Digest {
    /// The ERC-8213 calldata digest: the Keccak-256 of the calldata's length (a 32-byte word) and the calldata.
    pub fn of_calldata(calldata: &[u8]) -> Self {
        let mut length = [0; 32];
        length[24..].copy_from_slice(&calldata.len().to_be_bytes());
        Self(keccak256_concat(&[&length, calldata]))
    }
}

macro_rules! hex_display {
    ($($name:ident)+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )+};
}
hex_display!(Digest TxHash);
