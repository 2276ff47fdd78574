//! Type 0: the legacy transaction, signed with EIP-155 replay protection.
//!
//! <https://eips.ethereum.org/EIPS/eip-155>: the digest covers nine items, the last three being chainId, 0, 0; the signed
//! form has v = 35 + 2 * chainId + yParity in their place. A transaction from before EIP-155 (v = 27 or 28) is valid on
//! every chain: it is decoded, so that it can be shown, and never built.

use ethabi::ethereum_types::U256;
use rlp::RlpStream;

use super::{Authorization, Decoded, Items, Malformed, Parsed, Transaction, append_bytes, append_to, append_uint};
use crate::address::Address;
use crate::key::Signature;
use crate::units::{Gas, Wei, WeiPerGas};

/// A legacy transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legacy {
    /// None only in a decoded transaction from before EIP-155.
    pub chain_id: Option<u64>,
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
}

impl Legacy {
    fn append_fields(&self, stream: &mut RlpStream) {
        append_uint(stream, self.nonce);
        append_uint(stream, self.gas_price.get());
        append_uint(stream, self.gas_limit.get());
        append_to(stream, self.to);
        append_uint(stream, self.value.get());
        append_bytes(stream, &self.data);
    }

    pub(super) fn unsigned_bytes(&self) -> Vec<u8> {
        let mut stream = RlpStream::new_list(if self.chain_id.is_some() { 9 } else { 6 });
        self.append_fields(&mut stream);
        if let Some(chain_id) = self.chain_id {
            append_uint(&mut stream, chain_id);
            append_uint(&mut stream, 0);
            append_uint(&mut stream, 0);
        }
        stream.out().to_vec()
    }

    pub(super) fn raw(&self, signature: &Signature) -> Vec<u8> {
        let parity = U256::from(signature.y_parity());
        let v = match self.chain_id {
            Some(chain_id) => U256::from(chain_id) * 2 + 35 + parity,
            None => parity + 27,
        };
        let mut stream = RlpStream::new_list(9);
        self.append_fields(&mut stream);
        append_uint(&mut stream, v);
        append_uint(&mut stream, U256::from_big_endian(&signature.r()));
        append_uint(&mut stream, U256::from_big_endian(&signature.s()));
        stream.out().to_vec()
    }
}

/// What v says: the chain (none before EIP-155) and yParity.
///
/// # Errors
/// For values between 29 and 34, which nobody may write.
fn unpack_v(v: U256) -> Result<(Option<u64>, U256), Malformed> {
    if v == U256::from(27) || v == U256::from(28) {
        return Ok((None, v - 27));
    }
    let rest =
        v.checked_sub(U256::from(35)).ok_or_else(|| Malformed(format!("v = {v} is neither 27, 28 nor above 34")))?;
    let chain_id = u64::try_from(rest / 2).map_err(|_| Malformed("v names a chain id above 2^64-1".to_owned()))?;
    Ok((Some(chain_id), rest % 2))
}

pub(super) fn decode(bytes: &[u8]) -> Parsed {
    let items = Items::read(bytes)?;
    let count = items.count()?;
    if count != 9 && count != 6 {
        return Err(Malformed(format!(
            "a legacy transaction has 9 items (6 unsigned without EIP-155), this has {count}"
        )));
    }
    let mut tx = Legacy {
        nonce: items.word64(0, "nonce")?,
        gas_price: WeiPerGas::new(items.uint(1, "gasPrice")?),
        gas_limit: Gas::new(items.uint(2, "gasLimit")?),
        to: items.address(3, "to")?,
        value: Wei::new(items.uint(4, "value")?),
        data: items.bytes(5, "data")?.to_vec(),
        chain_id: None,
    };
    let unsigned = count == 6 || (items.uint(7, "r")?.is_zero() && items.uint(8, "s")?.is_zero());
    if unsigned {
        if count == 9 {
            tx.chain_id = Some(items.word64(6, "chainId")?);
        }
        let canonical = tx.unsigned_bytes();
        return Ok((
            Decoded { transaction: Transaction::Legacy(tx), authorization: Authorization::Unsigned },
            canonical,
        ));
    }
    let (chain_id, parity) = unpack_v(items.uint(6, "v")?)?;
    tx.chain_id = chain_id;
    let signature = items.signature_with(parity, 7)?;
    let canonical = tx.raw(&signature);
    Ok((
        Decoded { transaction: Transaction::Legacy(tx), authorization: Authorization::Signature(signature) },
        canonical,
    ))
}
