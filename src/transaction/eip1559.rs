//! Type 2: a maximum fee and a priority fee (<https://eips.ethereum.org/EIPS/eip-1559>).
//!
//! On an EraVM L2 the access list must be empty (`AccessListsNotSupported`); ours always is.

use ethabi::ethereum_types::U256;
use rlp::RlpStream;

use super::{
    AccessList, Authorization, Decoded, Items, Malformed, Parsed, Transaction, append_access_list, append_bytes,
    append_to, append_uint, typed,
};
use crate::address::Address;
use crate::key::Signature;
use crate::units::{Gas, Wei, WeiPerGas};

/// A type 2 transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eip1559 {
    /// The chain that it is valid on.
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// The most that goes to the block's producer for each gas.
    pub max_priority_fee_per_gas: WeiPerGas,
    /// The most that each gas can cost.
    pub max_fee_per_gas: WeiPerGas,
    /// The gas limit.
    pub gas_limit: Gas,
    /// The called account; none creates a contract.
    pub to: Option<Address>,
    /// The value that moves with the call.
    pub value: Wei,
    /// The calldata.
    pub data: Vec<u8>,
    /// The declared accesses.
    pub access_list: AccessList,
}

impl Eip1559 {
    fn append_fields(&self, stream: &mut RlpStream) {
        append_uint(stream, self.chain_id);
        append_uint(stream, self.nonce);
        append_uint(stream, self.max_priority_fee_per_gas.get());
        append_uint(stream, self.max_fee_per_gas.get());
        append_uint(stream, self.gas_limit.get());
        append_to(stream, self.to);
        append_uint(stream, self.value.get());
        append_bytes(stream, &self.data);
        append_access_list(stream, &self.access_list);
    }

    pub(super) fn unsigned_bytes(&self) -> Vec<u8> {
        let mut stream = RlpStream::new_list(9);
        self.append_fields(&mut stream);
        typed(0x02, stream)
    }

    pub(super) fn raw(&self, signature: &Signature) -> Vec<u8> {
        let mut stream = RlpStream::new_list(12);
        self.append_fields(&mut stream);
        append_uint(&mut stream, signature.y_parity());
        append_uint(&mut stream, U256::from_big_endian(&signature.r()));
        append_uint(&mut stream, U256::from_big_endian(&signature.s()));
        typed(0x02, stream)
    }
}

pub(super) fn decode(body: &[u8]) -> Parsed {
    let items = Items::read(body)?;
    let count = items.count()?;
    if count != 12 && count != 9 {
        return Err(Malformed(format!("a type 2 transaction has 12 items (9 unsigned), this has {count}")));
    }
    let tx = Eip1559 {
        chain_id: items.word64(0, "chainId")?,
        nonce: items.word64(1, "nonce")?,
        max_priority_fee_per_gas: WeiPerGas::new(items.uint(2, "maxPriorityFeePerGas")?),
        max_fee_per_gas: WeiPerGas::new(items.uint(3, "maxFeePerGas")?),
        gas_limit: Gas::new(items.uint(4, "gasLimit")?),
        to: items.address(5, "to")?,
        value: Wei::new(items.uint(6, "value")?),
        data: items.bytes(7, "data")?.to_vec(),
        access_list: items.access_list(8)?,
    };
    let (authorization, canonical) = if count == 9 {
        (Authorization::Unsigned, tx.unsigned_bytes())
    } else {
        let signature = items.signature(9)?;
        let canonical = tx.raw(&signature);
        (Authorization::Signature(signature), canonical)
    };
    Ok((Decoded { transaction: Transaction::Eip1559(tx), authorization }, canonical))
}
