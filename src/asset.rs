//! Assets and accounts across the bridge: asset ids, L1 -> L2 aliases, derived contract addresses.
//!
//! Each formula is a contract's: `DataEncoding.encodeNTVAssetId`, `AddressAliasHelper.applyL1ToL2Alias`
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/libraries/DataEncoding.sol>,
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/vendor/AddressAliasHelper.sol>),
//! `Utils.getNewAddressCreate2` of the EraVM ContractDeployer, and EIP-1014 on chains with the EVM.

use std::fmt;

use ethabi::ethereum_types::U256;

use crate::abi;
use crate::address::Address;
use crate::hash::{keccak256, keccak256_concat};

/// The name of an asset on every chain: keccak256(abi.encode(originChainId, handler, assetData)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AssetId(pub [u8; 32]);

impl AssetId {
    /// The id of a token that the native token vault handles, by the chain where it is native and its address there.
    pub fn native_token_vault(origin_chain_id: u64, token: Address) -> Self {
        Self(keccak256(&ethabi::encode(&[
            abi::uint(origin_chain_id),
            abi::address(Address::L2_NATIVE_TOKEN_VAULT),
            abi::address(token),
        ])))
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What L1 remembers of a deposit in the 0x01 encoding (`depositHappened`), and what a claim must show again byte for byte:
/// keccak256(0x01 || abi.encode(caller, assetId, transferData)).
pub fn tx_data_hash(caller: Address, asset_id: AssetId, transfer_data: &[u8]) -> [u8; 32] {
    let id = abi::Token::FixedBytes(asset_id.0.to_vec());
    let encoded = ethabi::encode(&[abi::address(caller), id, abi::Token::Bytes(transfer_data.to_vec())]);
    keccak256_concat(&[&[0x01], &encoded])
}

/// The same for a deposit in the legacy encoding: keccak256(abi.encode(caller, token, amount)).
pub fn legacy_tx_data_hash(caller: Address, token: Address, amount: U256) -> [u8; 32] {
    keccak256(&ethabi::encode(&[abi::address(caller), abi::address(token), abi::uint(amount)]))
}

/// The L2 sender for an L1 sender that has code: the address plus 0x1111...1111, modulo 2^160.
pub fn apply_l1_to_l2_alias(account: Address) -> Address {
    shifted(account, U256::overflowing_add)
}

/// The L1 sender behind an alias.
pub fn undo_l1_to_l2_alias(account: Address) -> Address {
    shifted(account, U256::overflowing_sub)
}

fn shifted(account: Address, shift: fn(U256, U256) -> (U256, bool)) -> Address {
    /// `offset` of AddressAliasHelper: 0x1111000000000000000000000000000000001111.
    const OFFSET: [u8; 20] = [0x11, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x11];
    let (sum, _) = shift(U256::from_big_endian(account.as_bytes()), U256::from_big_endian(&OFFSET));
    let mut word = [0; 32];
    sum.to_big_endian(&mut word);
    last_20(word)
}

/// The address of an EraVM deployment with `create`, by the deployer's deployment nonce (not its transaction nonce).
pub fn create_address(deployer: Address, deployment_nonce: u64) -> Address {
    let mut nonce = [0; 32];
    U256::from(deployment_nonce).to_big_endian(&mut nonce);
    last_20(keccak256_concat(&[&keccak256(b"zksyncCreate"), &padded(deployer), &nonce]))
}

/// The address of an EraVM deployment with `create2`.
pub fn create2_address(
    deployer: Address,
    salt: [u8; 32],
    bytecode_hash: [u8; 32],
    constructor_input: &[u8],
) -> Address {
    last_20(keccak256_concat(&[
        &keccak256(b"zksyncCreate2"),
        &padded(deployer),
        &salt,
        &bytecode_hash,
        &keccak256(constructor_input),
    ]))
}

/// The address of an EVM deployment, by the deployer's nonce.
pub fn evm_create_address(deployer: Address, nonce: u64) -> Address {
    let mut stream = rlp::RlpStream::new_list(2);
    stream.append(&deployer.as_bytes().as_slice()).append(&nonce);
    last_20(keccak256(&stream.out()))
}

/// The address of an EVM deployment with CREATE2 (EIP-1014).
pub fn evm_create2_address(deployer: Address, salt: [u8; 32], init_code: &[u8]) -> Address {
    last_20(keccak256_concat(&[&[0xff], deployer.as_bytes(), &salt, &keccak256(init_code)]))
}

fn padded(address: Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address.as_bytes());
    word
}

fn last_20(word: [u8; 32]) -> Address {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&word[12..]);
    Address::from_bytes(bytes)
}
