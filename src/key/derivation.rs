//! From a seed down a path to one key: BIP-32, private derivation only.
//!
//! <https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki>

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use k256::ecdsa::SigningKey;
use k256::elliptic_curve::PrimeField as _;
use k256::elliptic_curve::sec1::ToSec1Point as _;
use k256::{NonZeroScalar, Scalar};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::refusal::{Code, Refusal};

/// The first index of hardened keys: those that no public key leads to.
const HARDENED: u32 = 1 << 31;
/// An extended key holds its depth in one byte.
const MAX_DEPTH: usize = 255;

/// The way from a seed to a key, `m/44'/60'/0'/0/0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivationPath(Vec<u32>);

impl DerivationPath {
    /// Reads a path: `m`, then `/` and an index for each level, hardened with `'` or `h` after it.
    ///
    /// Below purpose 44 the first three levels must be hardened, as BIP-44 has them: a shell that swallows the quotes
    /// turns a path into another one, whose account is empty.
    ///
    /// # Errors
    /// `key.derivation_path`. The refusal names the level and never repeats the text, which may be a secret in the wrong place.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut levels = text.split('/');
        if levels.next() != Some("m") {
            return Err(refused("a path starts at the seed, with m/"));
        }
        let path = levels.enumerate().map(|(at, level)| index(at + 1, level)).collect::<Result<Vec<u32>, Refusal>>()?;
        if path.len() > MAX_DEPTH {
            return Err(refused(&format!("{} levels are more than {MAX_DEPTH}", path.len())));
        }
        let purpose = path.first().map(|index| index & !HARDENED);
        let soft = path.iter().take(3).position(|index| index & HARDENED == 0);
        match (purpose, soft) {
            (Some(44), Some(at)) => Err(refused(&format!(
                "level {} is not hardened, but BIP-44 has purpose, coin type and account hardened",
                at + 1
            ))),
            _ => Ok(Self(path)),
        }
    }

    /// The key at the end of the path.
    pub(crate) fn derive(&self, seed: &[u8]) -> Result<Box<SigningKey>, Refusal> {
        let mut node = hmac(b"Bitcoin seed", &[seed])?;
        let mut secret = scalar(&node)?;
        for index in &self.0 {
            let (_, chain_code) = node.split_at(32);
            let parent = if index & HARDENED == 0 {
                Zeroizing::new(k256::PublicKey::from_secret_scalar(&secret).to_sec1_point(true).as_bytes().to_vec())
            } else {
                let mut bytes = Zeroizing::new(vec![0; 33]);
                bytes[1..].copy_from_slice(&Zeroizing::new(<[u8; 32]>::from(secret.to_repr()))[..]);
                bytes
            };
            let next = hmac(chain_code, &[&parent, &index.to_be_bytes()])?;
            let tweak = scalar(&next)?;
            let sum = Zeroizing::new(**tweak + **secret);
            secret = Zeroizing::new(Option::from(NonZeroScalar::new(*sum)).ok_or_else(unreachable_index)?);
            node = next;
        }
        Ok(Box::new(SigningKey::from(*secret)))
    }
}

impl fmt::Display for DerivationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m")?;
        for index in &self.0 {
            let mark = if index & HARDENED == 0 { "" } else { "'" };
            write!(f, "/{}{mark}", index & !HARDENED)?;
        }
        Ok(())
    }
}

fn index(at: usize, level: &str) -> Result<u32, Refusal> {
    let (digits, hardened) = match level.strip_suffix(['\'', 'h', 'H']) {
        Some(digits) => (digits, HARDENED),
        None => (level, 0),
    };
    let plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    let number = digits.parse::<u32>().ok().filter(|number| plain && *number < HARDENED);
    number.map(|number| number | hardened).ok_or_else(|| {
        refused(&format!("level {at} is not a number from 0 to 2147483647, with ' or h after it if hardened"))
    })
}

fn refused(problem: &str) -> Refusal {
    Refusal::new(
        Code::KEY_DERIVATION_PATH,
        "",
        format!("this is not a derivation path: {problem}"),
        "write it as \"m/44'/60'/0'/0/0\", in double quotes, or as m/44h/60h/0h/0/0",
    )
}

/// HMAC-SHA512. The left half is a key, the right half a chain code.
fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<Zeroizing<[u8; 64]>, Refusal> {
    // A key of any length is taken.
    let mut mac = Hmac::<Sha512>::new_from_slice(key).map_err(|_| unreachable_index())?;
    for part in parts {
        mac.update(part);
    }
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// The left half of a node as a number, which BIP-32 wants below the order and not zero.
fn scalar(node: &[u8; 64]) -> Result<Zeroizing<NonZeroScalar>, Refusal> {
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.copy_from_slice(&node[..32]);
    let scalar: Option<Scalar> = Scalar::from_repr((*bytes).into()).into();
    scalar.and_then(|scalar| NonZeroScalar::new(scalar).into()).map(Zeroizing::new).ok_or_else(unreachable_index)
}

/// One index in 2^127 has no key; BIP-32 says to take the next.
fn unreachable_index() -> Refusal {
    refused("there is no key at one of its levels; take the next index")
}
