//! Type 1: a gas price and an access list (<https://eips.ethereum.org/EIPS/eip-2930>).
//!
//! L1 only: the EraVM node refuses every type 1 transaction (`AccessListsNotSupported`).

use ethabi::ethereum_types::U256;
use rlp::RlpStream;

use super::{
    AccessList, Authorization, Decoded, Items, Malformed, Parsed, Transaction, append_access_list, append_bytes,
    append_to, append_uint, typed,
};
use crate::address::Address;
use crate::key::Signature;
use crate::units::{Gas, Wei, WeiPerGas};

/// A type 1 transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eip2930 {
    /// The chain that it is valid on.
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// What each gas costs.
    pub gas_price: WeiPerGas,
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

impl Eip2930 {
    fn append_fields(&self, stream: &mut RlpStream) {
        append_uint(stream, self.chain_id);
        append_uint(stream, self.nonce);
        append_uint(stream, self.gas_price.get());
        append_uint(stream, self.gas_limit.get());
        append_to(stream, self.to);
        append_uint(stream, self.value.get());
        append_bytes(stream, &self.data);
        append_access_list(stream, &self.access_list);
    }

    pub(super) fn unsigned_bytes(&self) -> Vec<u8> {
        let mut stream = RlpStream::new_list(8);
        self.append_fields(&mut stream);
        typed(0x01, stream)
    }

    pub(super) fn raw(&self, signature: &Signature) -> Vec<u8> {
        let mut stream = RlpStream::new_list(11);
        self.append_fields(&mut stream);
        append_uint(&mut stream, signature.y_parity());
        append_uint(&mut stream, U256::from_big_endian(&signature.r()));
        append_uint(&mut stream, U256::from_big_endian(&signature.s()));
        typed(0x01, stream)
    }
}

pub(super) fn decode(body: &[u8]) -> Parsed {
    let items = Items::read(body)?;
    let count = items.count()?;
    if count != 11 && count != 8 {
        return Err(Malformed(format!("a type 1 transaction has 11 items (8 unsigned), this has {count}")));
    }
    let tx = Eip2930 {
        chain_id: items.word64(0, "chainId")?,
        nonce: items.word64(1, "nonce")?,
        gas_price: WeiPerGas::new(items.uint(2, "gasPrice")?),
        gas_limit: Gas::new(items.uint(3, "gasLimit")?),
        to: items.address(4, "to")?,
        value: Wei::new(items.uint(5, "value")?),
        data: items.bytes(6, "data")?.to_vec(),
        access_list: items.access_list(7)?,
    };
    let (authorization, canonical) = if count == 8 {
        (Authorization::Unsigned, tx.unsigned_bytes())
    } else {
        let signature = items.signature(8)?;
        let canonical = tx.raw(&signature);
        (Authorization::Signature(signature), canonical)
    };
    Ok((Decoded { transaction: Transaction::Eip2930(tx), authorization }, canonical))
}
