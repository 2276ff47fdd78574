//! EraVM bytecode: its hash and the rules that it must keep to be made known to the chain.
//!
//! `L2ContractHelper.hashL2Bytecode`
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/libraries/L2ContractHelper.sol>).

use sha2::{Digest as _, Sha256};

use crate::refusal::{Code, Refusal, contract_error};

/// The versioned hash: version 1, the length in words, and the tail of the SHA-256. The length rules are not judged here.
pub fn bytecode_hash(bytecode: &[u8]) -> [u8; 32] {
    let mut hash: [u8; 32] = Sha256::digest(bytecode).into();
    let words = (bytecode.len() / 32).to_be_bytes();
    hash[0] = 1;
    hash[1] = 0;
    hash[2..4].copy_from_slice(&words[words.len() - 2..]);
    hash
}

/// Whether the contracts hash it at all: whole words, an odd number of them, below 2^16.
pub fn judge_bytecode(bytecode: &[u8], at: &str) -> Option<Refusal> {
    let remedy = "pass the EraVM bytecode as the compiler wrote it";
    let length = bytecode.len();
    let words = length / 32;
    if !length.is_multiple_of(32) {
        return Some(
            Refusal::new(
                Code::FACTORY_DEPS_LENGTH,
                at,
                format!("{length} bytes are not a whole number of 32-byte words"),
                remedy,
            )
            .values("a multiple of 32", length)
            .reverts(contract_error::LENGTH_IS_NOT_DIVISIBLE_BY_32),
        );
    }
    (words.is_multiple_of(2) || words >= 1 << 16).then(|| {
        Refusal::new(
            Code::FACTORY_DEPS_WORDS,
            at,
            format!("{words} words: EraVM bytecode has an odd number of words below 65536"),
            remedy,
        )
        .values("an odd number of words below 65536", words)
        .reverts(contract_error::MALFORMED_BYTECODE)
    })
}
