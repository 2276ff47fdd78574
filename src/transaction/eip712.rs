//! Type 0x71: the EraVM transaction, signed as EIP-712 typed data.
//!
//! The struct and its order: `TransactionHelper._encodeHashEIP712Transaction`
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/libraries/TransactionHelper.sol>).
//! The wire form, 16 items: `TransactionRequest::from_bytes` of the node
//! (<https://github.com/matter-labs/zksync-era/blob/3e29e4a0/core/lib/types/src/transaction_request.rs>).
//! Mind the order of the two fees: the struct has maxFeePerGas first, the wire maxPriorityFeePerGas.

use ethabi::ethereum_types::U256;
use rlp::RlpStream;

use super::{
    Authorization, Decoded, Items, Malformed, Parsed, Transaction, append_bytes, append_to, append_uint, typed,
};
use crate::address::Address;
use crate::bytecode::bytecode_hash;
use crate::hash::{Digest, TxHash, keccak256, keccak256_concat};
use crate::units::{Gas, Wei, WeiPerGas};

/// `DEFAULT_GAS_PER_PUBDATA_LIMIT`: what every SDK writes for an L2 transaction.
pub const DEFAULT_GAS_PER_PUBDATA: u64 = 50_000;

const DOMAIN_TYPE: &[u8] = b"EIP712Domain(string name,string version,uint256 chainId)";
const TRANSACTION_TYPE: &[u8] = b"Transaction(uint256 txType,uint256 from,uint256 to,uint256 gasLimit,\
uint256 gasPerPubdataByteLimit,uint256 maxFeePerGas,uint256 maxPriorityFeePerGas,uint256 paymaster,uint256 nonce,\
uint256 value,bytes data,bytes32[] factoryDeps,bytes paymasterInput)";

/// A type 0x71 transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eip712 {
    /// The chain that it is valid on.
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// Must not be above maxFeePerGas; pays nothing.
    pub max_priority_fee_per_gas: WeiPerGas,
    /// The most that each gas can cost.
    pub max_fee_per_gas: WeiPerGas,
    /// The gas limit.
    pub gas_limit: Gas,
    /// The called account. The node refuses none (`ToAddressIsNull`).
    pub to: Option<Address>,
    /// The value that moves with the call.
    pub value: Wei,
    /// The calldata.
    pub data: Vec<u8>,
    /// The account that pays and acts. Part of the digest; for a smart account it is not the signer.
    pub from: Address,
    /// The most gas that one byte of published data may cost (`gasPerPubdataByteLimit` in the struct).
    pub gas_per_pubdata: Gas,
    /// Bytecodes that the transaction makes known: whole on the wire, by hash in the digest.
    pub factory_deps: Vec<Vec<u8>>,
    /// Who pays the fee, if not `from`.
    pub paymaster: Option<Paymaster>,
}

/// A paymaster and what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paymaster {
    /// The paymaster contract.
    pub paymaster: Address,
    /// Its input.
    pub input: Vec<u8>,
}

/// The places of the wire form that peers fill differently for the same transaction.
struct Slots {
    v: U256,
    r: U256,
    s: U256,
    custom_signature: Vec<u8>,
    no_paymaster: NoPaymaster,
}

/// How an absent paymaster is written.
enum NoPaymaster {
    /// 0xc0: the SDKs and we.
    List,
    /// 0x80: alloy-zksync; the node takes it.
    String,
}

impl Eip712 {
    /// The EIP-712 domain separator of a chain: name "zkSync", version "2", no contract.
    pub fn domain_separator(chain_id: u64) -> [u8; 32] {
        keccak256_concat(&[&keccak256(DOMAIN_TYPE), &keccak256(b"zkSync"), &keccak256(b"2"), &word(chain_id)])
    }

    /// The EIP-712 struct hash.
    pub fn struct_hash(&self) -> [u8; 32] {
        let dependencies: Vec<[u8; 32]> = self.factory_deps.iter().map(|code| bytecode_hash(code)).collect();
        let (paymaster, paymaster_input) = match &self.paymaster {
            Some(paymaster) => (paymaster.paymaster, paymaster.input.as_slice()),
            None => (Address::ZERO, [].as_slice()),
        };
        keccak256_concat(&[
            &keccak256(TRANSACTION_TYPE),
            &word(0x71),
            &address_word(self.from),
            &address_word(self.to.unwrap_or(Address::ZERO)),
            &word(self.gas_limit.get()),
            &word(self.gas_per_pubdata.get()),
            &word(self.max_fee_per_gas.get()),
            &word(self.max_priority_fee_per_gas.get()),
            &address_word(paymaster),
            &word(self.nonce),
            &word(self.value.get()),
            &keccak256(&self.data),
            &keccak256(dependencies.as_flattened()),
            &keccak256(paymaster_input),
        ])
    }

    /// keccak256(0x1901 || domain separator || struct hash).
    pub fn signing_digest(&self) -> Digest {
        Digest(keccak256_concat(&[&[0x19, 0x01], &Self::domain_separator(self.chain_id), &self.struct_hash()]))
    }

    /// keccak256(digest || keccak256(signature)), where an ECDSA signature is r || s || 27 + yParity in every wire form.
    pub fn hash(&self, signature: &[u8]) -> TxHash {
        TxHash(keccak256_concat(&[&self.signing_digest().0, &keccak256(signature)]))
    }

    fn encode(&self, slots: &Slots) -> Vec<u8> {
        let mut stream = RlpStream::new_list(16);
        append_uint(&mut stream, self.nonce);
        append_uint(&mut stream, self.max_priority_fee_per_gas.get());
        append_uint(&mut stream, self.max_fee_per_gas.get());
        append_uint(&mut stream, self.gas_limit.get());
        append_to(&mut stream, self.to);
        append_uint(&mut stream, self.value.get());
        append_bytes(&mut stream, &self.data);
        append_uint(&mut stream, slots.v);
        append_uint(&mut stream, slots.r);
        append_uint(&mut stream, slots.s);
        append_uint(&mut stream, self.chain_id);
        append_bytes(&mut stream, self.from.as_bytes());
        append_uint(&mut stream, self.gas_per_pubdata.get());
        stream.begin_list(self.factory_deps.len());
        for bytecode in &self.factory_deps {
            append_bytes(&mut stream, bytecode);
        }
        append_bytes(&mut stream, &slots.custom_signature);
        match (&self.paymaster, &slots.no_paymaster) {
            (Some(params), _) => {
                stream.begin_list(2);
                append_bytes(&mut stream, params.paymaster.as_bytes());
                append_bytes(&mut stream, &params.input);
            }
            (None, NoPaymaster::List) => {
                stream.begin_list(0);
            }
            (None, NoPaymaster::String) => append_bytes(&mut stream, &[]),
        }
        typed(0x71, stream)
    }

    /// The form of the SDKs: chainId, nothing, nothing in the places of v, r and s.
    fn slots(&self, custom_signature: Vec<u8>) -> Slots {
        Slots {
            v: U256::from(self.chain_id),
            r: U256::zero(),
            s: U256::zero(),
            custom_signature,
            no_paymaster: NoPaymaster::List,
        }
    }

    pub(super) fn unsigned_bytes(&self) -> Vec<u8> {
        self.encode(&self.slots(Vec::new()))
    }

    pub(super) fn raw(&self, signature: &[u8]) -> Vec<u8> {
        self.encode(&self.slots(signature.to_vec()))
    }
}

fn word(value: impl Into<U256>) -> [u8; 32] {
    let mut bytes = [0; 32];
    value.into().to_big_endian(&mut bytes);
    bytes
}

fn address_word(address: Address) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[12..].copy_from_slice(address.as_bytes());
    bytes
}

pub(super) fn decode(body: &[u8]) -> Parsed {
    let items = Items::read(body)?;
    let count = items.count()?;
    if count != 16 {
        return Err(Malformed(format!("a type 0x71 transaction has 16 items, this has {count}")));
    }
    let factory_deps = items.list.at(13)?;
    if !factory_deps.is_list() {
        return Err(Malformed("item 13 (factoryDeps) is not a list".to_owned()));
    }
    let paymaster = items.list.at(15)?;
    let (paymaster, no_paymaster) = match (paymaster.is_list(), paymaster.item_count()) {
        (true, Ok(0)) => (None, NoPaymaster::List),
        (true, Ok(2)) => {
            let address = <[u8; 20]>::try_from(paymaster.at(0)?.data()?)
                .map_err(|_| Malformed("the paymaster has not 20 bytes".to_owned()))?;
            let input = paymaster.at(1)?.data()?.to_vec();
            (Some(Paymaster { paymaster: Address::from_bytes(address), input }), NoPaymaster::List)
        }
        (false, _) if paymaster.data()?.is_empty() => (None, NoPaymaster::String),
        _ => return Err(Malformed("item 15 (paymaster) is neither empty nor a pair".to_owned())),
    };
    let tx = Eip712 {
        nonce: items.word64(0, "nonce")?,
        max_priority_fee_per_gas: WeiPerGas::new(items.uint(1, "maxPriorityFeePerGas")?),
        max_fee_per_gas: WeiPerGas::new(items.uint(2, "maxFeePerGas")?),
        gas_limit: Gas::new(items.uint(3, "gasLimit")?),
        to: items.address(4, "to")?,
        value: Wei::new(items.uint(5, "value")?),
        data: items.bytes(6, "data")?.to_vec(),
        chain_id: items.word64(10, "chainId")?,
        from: items.address(11, "from")?.ok_or_else(|| Malformed("item 11 (from) is empty".to_owned()))?,
        gas_per_pubdata: Gas::new(items.uint(12, "gasPerPubdata")?),
        factory_deps: factory_deps.iter().map(|code| Ok(code.data()?.to_vec())).collect::<Result<_, Malformed>>()?,
        paymaster,
    };
    let slots = Slots {
        v: items.uint(7, "v")?,
        r: items.uint(8, "r")?,
        s: items.uint(9, "s")?,
        custom_signature: items.bytes(14, "customSignature")?.to_vec(),
        no_paymaster,
    };
    let usual = [0, 1, 27, 28, tx.chain_id].map(U256::from);
    if !usual.contains(&slots.v) {
        return Err(Malformed("item 7 (v) is neither a parity nor the chain id".to_owned()));
    }
    // The node takes the custom signature wherever there is one, also beside v, r and s.
    let authorization = if !slots.custom_signature.is_empty() {
        Authorization::of_custom(&slots.custom_signature)
    } else if slots.r.is_zero() && slots.s.is_zero() {
        Authorization::Unsigned
    } else if slots.v == U256::from(27) || slots.v == U256::from(28) {
        // The node adds 27 to whatever stands here (`into_electrum`): of 27 it makes 54, which no plain account takes.
        let signature = items.signature_with(slots.v - 27, 8)?;
        let mut bytes = signature.to_bytes();
        bytes[64] += 27;
        Authorization::Custom(bytes.to_vec())
    } else {
        Authorization::Signature(items.signature_with(slots.v, 8)?)
    };
    let canonical = tx.encode(&slots);
    Ok((Decoded { transaction: Transaction::Eip712(tx), authorization }, canonical))
}

/// Whether a transaction that decodes holds r and s beside a custom signature.
pub(super) fn has_two_signatures(body: &[u8]) -> bool {
    let filled = |items: &Items<'_>, index| items.bytes(index, "").is_ok_and(|bytes| !bytes.is_empty());
    Items::read(body).is_ok_and(|items| filled(&items, 14) && (filled(&items, 8) || filled(&items, 9)))
}
