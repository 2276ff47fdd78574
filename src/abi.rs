//! Contract calls: calldata out of typed values and, for whatever a person or a check relies on, strictly back.
//!
//! `ethabi` encodes. Decoding is ours, because `ethabi` takes trailing bytes, dirty padding, `bool = 2` and offsets that
//! point anywhere: here every byte is read exactly once, in the one place where the encoder puts it.

pub use ethabi::{ParamType, Token};

use ethabi::ethereum_types::U256;

use crate::address::Address;
use crate::hash::keccak256;

/// A contract function.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The Solidity signature.
    pub signature: &'static str,
    /// The first four bytes of its Keccak-256.
    pub selector: [u8; 4],
    /// The parameters.
    pub parameters: fn() -> Vec<ParamType>,
}

impl Function {
    /// The calldata of a call.
    pub fn call(&self, arguments: &[Token]) -> Vec<u8> {
        let mut calldata = self.selector.to_vec();
        calldata.extend(ethabi::encode(arguments));
        calldata
    }

    /// The arguments of a call, if the calldata is this function's and canonical to the last bit.
    pub fn arguments(&self, calldata: &[u8]) -> Option<Vec<Token>> {
        let body = calldata.strip_prefix(&self.selector)?;
        decode(&(self.parameters)(), body)
    }
}

/// The first four bytes of a signature's Keccak-256.
pub fn selector(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature.as_bytes());
    [hash[0], hash[1], hash[2], hash[3]]
}

/// An address argument.
pub fn address(address: Address) -> Token {
    Token::Address(address.as_bytes().into())
}

/// A uint256 argument.
pub fn uint(value: impl Into<U256>) -> Token {
    Token::Uint(value.into())
}

/// The address in a token.
pub fn as_address(token: &Token) -> Option<Address> {
    match token {
        Token::Address(address) => Some(Address::from_bytes(address.0)),
        _ => None,
    }
}

/// The integer in a token.
pub fn as_uint(token: &Token) -> Option<U256> {
    match token {
        Token::Uint(value) => Some(*value),
        _ => None,
    }
}

/// Decodes values of these types, if the bytes are their one canonical encoding.
pub fn decode(types: &[ParamType], bytes: &[u8]) -> Option<Vec<Token>> {
    let (tokens, length) = sequence(types, bytes)?;
    (length == bytes.len()).then_some(tokens)
}

const WORD: usize = 32;

fn is_dynamic(kind: &ParamType) -> bool {
    match kind {
        ParamType::Bytes | ParamType::String | ParamType::Array(_) => true,
        ParamType::FixedArray(item, _) => is_dynamic(item),
        ParamType::Tuple(items) => items.iter().any(is_dynamic),
        _ => false,
    }
}

fn head_length(kind: &ParamType) -> usize {
    match kind {
        _ if is_dynamic(kind) => WORD,
        ParamType::FixedArray(item, length) => head_length(item) * length,
        ParamType::Tuple(items) => items.iter().map(head_length).sum(),
        _ => WORD,
    }
}

/// A head of static values and offsets, then the dynamic values in order and without gaps. Returns the length read.
fn sequence(types: &[ParamType], bytes: &[u8]) -> Option<(Vec<Token>, usize)> {
    let mut head = 0;
    let mut tail = types.iter().map(head_length).sum::<usize>();
    let mut tokens = Vec::with_capacity(types.len().min(bytes.len() / WORD + 1));
    for kind in types {
        if is_dynamic(kind) {
            if small(word(bytes, head)?)? != tail {
                return None;
            }
            let (token, length) = dynamic(kind, bytes.get(tail..)?)?;
            tokens.push(token);
            head += WORD;
            tail += length;
        } else {
            let length = head_length(kind);
            tokens.push(fixed(kind, bytes.get(head..head + length)?)?);
            head += length;
        }
    }
    (tail <= bytes.len()).then_some((tokens, tail))
}

fn dynamic(kind: &ParamType, bytes: &[u8]) -> Option<(Token, usize)> {
    match kind {
        ParamType::Bytes => {
            let length = small(word(bytes, 0)?)?;
            let padded = length.checked_next_multiple_of(WORD)?;
            let body = bytes.get(WORD..WORD.checked_add(padded)?)?;
            let (content, padding) = body.split_at(length);
            padding.iter().all(|byte| *byte == 0).then(|| (Token::Bytes(content.to_vec()), WORD + padded))
        }
        ParamType::Array(item) => {
            let count = small(word(bytes, 0)?)?;
            let body = bytes.get(WORD..)?;
            // Each item takes at least one word: a longer count can not be true, and is not allocated for.
            if count > body.len() / WORD {
                return None;
            }
            let (items, length) = sequence(&vec![(**item).clone(); count], body)?;
            Some((Token::Array(items), WORD + length))
        }
        ParamType::Tuple(items) => {
            let (tokens, length) = sequence(items, bytes)?;
            Some((Token::Tuple(tokens), length))
        }
        // Strings and dynamic fixed arrays stand in no call that coldbridge knows.
        _ => None,
    }
}

fn fixed(kind: &ParamType, bytes: &[u8]) -> Option<Token> {
    let zeros = |range: &[u8]| range.iter().all(|byte| *byte == 0);
    match kind {
        ParamType::Address => {
            let (padding, address) = word(bytes, 0)?.split_at(12);
            zeros(padding).then(|| Token::Address(ethabi::Address::from_slice(address)))
        }
        ParamType::Uint(bits) => {
            let value = U256::from_big_endian(word(bytes, 0)?);
            (value.bits() <= *bits).then_some(Token::Uint(value))
        }
        ParamType::Bool => match small(word(bytes, 0)?)? {
            0 => Some(Token::Bool(false)),
            1 => Some(Token::Bool(true)),
            _ => None,
        },
        ParamType::FixedBytes(length) => {
            let (content, padding) = word(bytes, 0)?.split_at_checked(*length)?;
            zeros(padding).then(|| Token::FixedBytes(content.to_vec()))
        }
        ParamType::Tuple(items) => Some(Token::Tuple(sequence(items, bytes)?.0)),
        ParamType::FixedArray(item, length) => {
            Some(Token::FixedArray(sequence(&vec![(**item).clone(); *length], bytes)?.0))
        }
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(WORD)?)
}

fn small(word: &[u8]) -> Option<usize> {
    let (high, low) = word.split_at(WORD - 4);
    if high.iter().any(|byte| *byte != 0) {
        return None;
    }
    usize::try_from(u32::from_be_bytes(low.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    fn request_type() -> Vec<ParamType> {
        vec![ParamType::Tuple(vec![
            ParamType::Uint(256),
            ParamType::Address,
            ParamType::Bytes,
            ParamType::Uint(16),
            ParamType::Bool,
            ParamType::Array(Box::new(ParamType::Bytes)),
            ParamType::Array(Box::new(ParamType::FixedBytes(32))),
            ParamType::FixedBytes(4),
        ])]
    }

    fn request() -> impl Strategy<Value = Vec<Token>> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..70);
        (
            any::<[u8; 32]>(),
            any::<[u8; 20]>(),
            bytes(),
            any::<u16>(),
            any::<bool>(),
            proptest::collection::vec(bytes(), 0..4),
        )
            .prop_map(|(number, account, data, small, flag, list)| {
                vec![Token::Tuple(vec![
                    Token::Uint(U256::from_big_endian(&number)),
                    Token::Address(account.into()),
                    Token::Bytes(data),
                    Token::Uint(small.into()),
                    Token::Bool(flag),
                    Token::Array(list.into_iter().map(Token::Bytes).collect()),
                    Token::Array(vec![Token::FixedBytes(number.to_vec())]),
                    Token::FixedBytes(number[..4].to_vec()),
                ])]
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 512,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(0),
            ..ProptestConfig::default()
        })]

        /// What ethabi encodes, the strict decoder reads back.
        #[test]
        fn reads_what_ethabi_writes(tokens in request()) {
            let encoded = ethabi::encode(&tokens);
            prop_assert_eq!(decode(&request_type(), &encoded), Some(tokens));
        }

        /// Whatever is read is the one encoding of its values: so a flipped bit gives other values or none.
        #[test]
        fn nothing_else_reads_the_same(tokens in request(), at in any::<proptest::sample::Index>(), bit in 0..8_u8) {
            let mut encoded = ethabi::encode(&tokens);
            let at = at.index(encoded.len());
            encoded[at] ^= 1 << bit;
            if let Some(other) = decode(&request_type(), &encoded) {
                prop_assert_ne!(&other, &tokens);
                prop_assert_eq!(ethabi::encode(&other), encoded);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode(&request_type(), &bytes);
        }
    }

    #[test]
    fn trailing_bytes_and_shared_tails_are_refused() {
        let types = [ParamType::Bytes, ParamType::Bytes];
        let mut encoded = ethabi::encode(&[Token::Bytes(vec![1]), Token::Bytes(vec![1])]);
        assert!(decode(&types, &encoded).is_some());
        encoded.push(0);
        assert_eq!(decode(&types, &encoded), None);
        let mut shared = ethabi::encode(&[Token::Bytes(vec![1])]);
        shared.splice(0..0, [[0; 31].as_slice(), &[0x40]].concat());
        shared[63] = 0x40;
        assert_eq!(decode(&types, &shared), None, "two offsets to one tail");
        assert!(ethabi::decode(&types, &shared).is_ok(), "which ethabi takes");
    }
}
