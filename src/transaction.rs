//! Transactions: every field final, one envelope per file, the field order written out.
//!
//! [`Transaction`] is what a key signs; [`Decoded`] is what raw bytes say. Decoding is strict: the bytes must be the one
//! encoding of what was read (decode -> re-encode -> equal), so that nothing hides in them.

pub mod eip1559;
pub mod eip2930;
pub mod eip712;
pub mod legacy;

use ethabi::ethereum_types::U256;
use rlp::{Rlp, RlpStream};

use crate::address::Address;
use crate::hash::{Digest, TxHash, keccak256};
use crate::json::Json;
use crate::key::Signature;
use crate::refusal::{Code, Refusal};
use crate::units::{Gas, Wei, WeiPerGas};

pub use eip712::Eip712;
pub use eip1559::Eip1559;
pub use eip2930::Eip2930;
pub use legacy::Legacy;

/// The kinds of envelope, in the words of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// Type 0 with EIP-155 replay protection.
    Legacy,
    /// Type 1.
    Eip2930,
    /// Type 2.
    Eip1559,
    /// Type 0x71, EraVM only.
    Eip712,
}

impl Envelope {
    /// The words of documents.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("legacy", Self::Legacy), ("eip2930", Self::Eip2930), ("eip1559", Self::Eip1559), ("eip712", Self::Eip712)];

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Eip2930 => "eip2930",
            Self::Eip1559 => "eip1559",
            Self::Eip712 => "eip712",
        }
    }
}

/// A transaction without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// Type 0.
    Legacy(Legacy),
    /// Type 1.
    Eip2930(Eip2930),
    /// Type 2.
    Eip1559(Eip1559),
    /// Type 0x71.
    Eip712(Eip712),
}

/// The addresses and storage slots that a transaction declares (EIP-2930).
pub type AccessList = Vec<(Address, Vec<[u8; 32]>)>;

/// What stands in the place of the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// Nothing: the transaction is not signed.
    Unsigned,
    /// An ECDSA signature.
    Signature(Signature),
    /// Bytes that only a smart account can judge (type 0x71).
    Custom(Vec<u8>),
}

impl Authorization {
    /// What a `customSignature` holds: an ECDSA signature as DefaultAccount takes it, or bytes for a smart account.
    pub fn of_custom(bytes: &[u8]) -> Self {
        Signature::from_bytes(bytes).map_or_else(|| Self::Custom(bytes.to_vec()), Self::Signature)
    }

    /// The bytes that a node hashes as the signature of a type 0x71 transaction; none where nothing is signed.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Unsigned => None,
            Self::Signature(signature) => Some(signature.to_bytes().to_vec()),
            Self::Custom(bytes) => Some(bytes.clone()),
        }
    }
}

/// What raw bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The transaction.
    pub transaction: Transaction,
    /// Its signature, if it has one.
    pub authorization: Authorization,
}

impl Transaction {
    /// The type byte as documents write it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Legacy(_) => "0x00",
            Self::Eip2930(_) => "0x01",
            Self::Eip1559(_) => "0x02",
            Self::Eip712(_) => "0x71",
        }
    }

    /// The chain that it is valid on; none for a legacy transaction from before EIP-155.
    pub const fn chain_id(&self) -> Option<u64> {
        match self {
            Self::Legacy(tx) => tx.chain_id,
            Self::Eip2930(tx) => Some(tx.chain_id),
            Self::Eip1559(tx) => Some(tx.chain_id),
            Self::Eip712(tx) => Some(tx.chain_id),
        }
    }

    /// The sender's nonce.
    pub const fn nonce(&self) -> u64 {
        match self {
            Self::Legacy(tx) => tx.nonce,
            Self::Eip2930(tx) => tx.nonce,
            Self::Eip1559(tx) => tx.nonce,
            Self::Eip712(tx) => tx.nonce,
        }
    }

    /// The called account; none for a contract creation.
    pub const fn to(&self) -> Option<Address> {
        match self {
            Self::Legacy(tx) => tx.to,
            Self::Eip2930(tx) => tx.to,
            Self::Eip1559(tx) => tx.to,
            Self::Eip712(tx) => tx.to,
        }
    }

    /// The value that moves with the call.
    pub const fn value(&self) -> Wei {
        match self {
            Self::Legacy(tx) => tx.value,
            Self::Eip2930(tx) => tx.value,
            Self::Eip1559(tx) => tx.value,
            Self::Eip712(tx) => tx.value,
        }
    }

    /// The gas limit.
    pub const fn gas_limit(&self) -> Gas {
        match self {
            Self::Legacy(tx) => tx.gas_limit,
            Self::Eip2930(tx) => tx.gas_limit,
            Self::Eip1559(tx) => tx.gas_limit,
            Self::Eip712(tx) => tx.gas_limit,
        }
    }

    /// The most that one gas can cost.
    pub const fn gas_price_cap(&self) -> WeiPerGas {
        match self {
            Self::Legacy(tx) => tx.gas_price,
            Self::Eip2930(tx) => tx.gas_price,
            Self::Eip1559(tx) => tx.max_fee_per_gas,
            Self::Eip712(tx) => tx.max_fee_per_gas,
        }
    }

    /// The calldata.
    pub fn data(&self) -> &[u8] {
        match self {
            Self::Legacy(tx) => &tx.data,
            Self::Eip2930(tx) => &tx.data,
            Self::Eip1559(tx) => &tx.data,
            Self::Eip712(tx) => &tx.data,
        }
    }

    /// The sender that the transaction itself names: only type 0x71 does.
    pub const fn declared_from(&self) -> Option<Address> {
        match self {
            Self::Eip712(tx) => Some(tx.from),
            _ => None,
        }
    }

    /// The bytecodes that it makes known to the chain: part of its call.
    pub fn factory_deps(&self) -> &[Vec<u8>] {
        match self {
            Self::Eip712(tx) => &tx.factory_deps,
            Self::Legacy(_) | Self::Eip2930(_) | Self::Eip1559(_) => &[],
        }
    }

    /// Whether it declares addresses and storage slots, which no operation of ours does.
    pub fn has_access_list(&self) -> bool {
        match self {
            Self::Legacy(_) | Self::Eip712(_) => false,
            Self::Eip2930(tx) => !tx.access_list.is_empty(),
            Self::Eip1559(tx) => !tx.access_list.is_empty(),
        }
    }

    /// The contract that pays the fee in the sender's place. The zero address is none, however it is written.
    pub fn paymaster(&self) -> Option<&eip712::Paymaster> {
        match self {
            Self::Eip712(tx) => tx.paymaster.as_ref().filter(|paymaster| paymaster.paymaster != Address::ZERO),
            _ => None,
        }
    }

    /// Everything that leaves the account in the worst case: the value and all gas at its highest price, or the value
    /// alone where a paymaster pays for gas. What that may take for it is no part of this.
    pub fn worst_case(&self) -> Option<Wei> {
        if self.paymaster().is_some() {
            return Some(self.value());
        }
        self.gas_limit().checked_cost(self.gas_price_cap())?.checked_add(self.value())
    }

    /// What a key signs.
    pub fn signing_digest(&self) -> Digest {
        match self {
            Self::Eip712(tx) => tx.signing_digest(),
            _ => Digest(keccak256(&self.unsigned_bytes())),
        }
    }

    /// The wire form without a signature.
    pub fn unsigned_bytes(&self) -> Vec<u8> {
        match self {
            Self::Legacy(tx) => tx.unsigned_bytes(),
            Self::Eip2930(tx) => tx.unsigned_bytes(),
            Self::Eip1559(tx) => tx.unsigned_bytes(),
            Self::Eip712(tx) => tx.unsigned_bytes(),
        }
    }

    /// The bytes for `eth_sendRawTransaction`.
    pub fn raw(&self, signature: &Signature) -> Vec<u8> {
        match self {
            Self::Legacy(tx) => tx.raw(signature),
            Self::Eip2930(tx) => tx.raw(signature),
            Self::Eip1559(tx) => tx.raw(signature),
            Self::Eip712(tx) => tx.raw(&signature.to_bytes()),
        }
    }

    /// The same with whatever stands in the place of the signature; none where this type can not carry it.
    pub fn authorized(&self, authorization: &Authorization) -> Option<Vec<u8>> {
        match (self, authorization) {
            (_, Authorization::Signature(signature)) => Some(self.raw(signature)),
            (Self::Eip712(tx), Authorization::Custom(bytes)) => Some(tx.raw(bytes)),
            _ => None,
        }
    }

    /// The hash by which a node knows the signed transaction.
    pub fn hash(&self, signature: &Signature) -> TxHash {
        match self {
            Self::Eip712(tx) => tx.hash(&signature.to_bytes()),
            _ => TxHash(keccak256(&self.raw(signature))),
        }
    }

    /// The members of a document that hold its fields, from `type` on; `from` is the declared or recovered sender.
    pub fn fields(&self, from: Option<Address>) -> Vec<(&'static str, Json)> {
        let optional = |address: Option<Address>| address.map_or(Json::Null, Json::display);
        let mut fields = vec![
            ("type", Json::text(self.type_name())),
            ("chainId", self.chain_id().map_or(Json::Null, Json::count)),
            ("nonce", Json::count(self.nonce())),
            ("from", optional(from)),
            ("to", optional(self.to())),
            ("value", self.value().to_json()),
            ("gasLimit", self.gas_limit().to_json_count()),
        ];
        match self {
            Self::Legacy(tx) => fields.push(("gasPrice", tx.gas_price.to_json())),
            Self::Eip2930(tx) => fields.push(("gasPrice", tx.gas_price.to_json())),
            Self::Eip1559(tx) => {
                fields.push(("maxFeePerGas", tx.max_fee_per_gas.to_json()));
                fields.push(("maxPriorityFeePerGas", tx.max_priority_fee_per_gas.to_json()));
            }
            Self::Eip712(tx) => {
                fields.push(("maxFeePerGas", tx.max_fee_per_gas.to_json()));
                fields.push(("maxPriorityFeePerGas", tx.max_priority_fee_per_gas.to_json()));
                fields.push(("gasPerPubdata", tx.gas_per_pubdata.to_json_count()));
            }
        }
        fields.push(("data", Json::bytes(self.data())));
        match self {
            Self::Legacy(_) => {}
            Self::Eip2930(tx) => fields.push(("accessList", access_list_json(&tx.access_list))),
            Self::Eip1559(tx) => fields.push(("accessList", access_list_json(&tx.access_list))),
            Self::Eip712(tx) => {
                fields.push(("factoryDeps", Json::Array(tx.factory_deps.iter().map(Json::bytes).collect())));
                let (paymaster, input) = match &tx.paymaster {
                    Some(params) => (Json::display(params.paymaster), params.input.as_slice()),
                    None => (Json::Null, [].as_slice()),
                };
                fields.push(("paymaster", paymaster));
                fields.push(("paymasterInput", Json::bytes(input)));
            }
        }
        fields
    }
}

impl Decoded {
    /// Reads raw bytes, signed or not, of type 0, 1, 2 or 0x71.
    ///
    /// # Errors
    /// `raw.format` at `at`.
    pub fn read(raw: &[u8], at: &str) -> Result<Self, Refusal> {
        let refuse = |problem: String| {
            Refusal::new(
                Code::RAW_FORMAT,
                at,
                problem,
                "copy the whole payload again; it must be one canonical transaction of type 0, 1, 2 or 0x71",
            )
        };
        let (decoded, canonical) = match raw {
            [0x71, body @ ..] => eip712::decode(body),
            [0x02, body @ ..] => eip1559::decode(body),
            [0x01, body @ ..] => eip2930::decode(body),
            [0xc0..=0xff, ..] => legacy::decode(raw),
            [_, ..] => {
                return Err(refuse("the first byte is none of the types 0x01, 0x02 and 0x71, nor a list".to_owned()));
            }
            [] => return Err(refuse("no bytes".to_owned())),
        }
        .map_err(|Malformed(problem)| refuse(problem))?;
        if canonical != raw {
            return Err(refuse("the bytes are not the canonical encoding of what they say".to_owned()));
        }
        Ok(decoded)
    }

    /// The account that signed, recovered from the signature; none where there is none to recover from.
    pub fn signer(&self) -> Option<Address> {
        match &self.authorization {
            Authorization::Signature(signature) => signature.recover(&self.transaction.signing_digest()),
            _ => None,
        }
    }

    /// The owners whose signatures stand one after the other in a smart account's, 65 bytes each; none if it is anything
    /// else. Which of them the account asks for, and in which order, only the account can tell.
    pub fn owners(&self) -> Option<Vec<Address>> {
        let Authorization::Custom(bytes) = &self.authorization else { return self.signer().map(|signer| vec![signer]) };
        let digest = self.transaction.signing_digest();
        let (parts, rest) = bytes.as_chunks::<65>();
        let owner = |part: &[u8; 65]| Signature::from_bytes(part)?.recover(&digest);
        parts.iter().map(owner).collect::<Option<Vec<_>>>().filter(|owners| rest.is_empty() && !owners.is_empty())
    }

    /// Whether the bytes that it was read from hold r and s beside a custom signature: the node reads only the latter.
    pub fn has_unread_bytes(&self, raw: &[u8]) -> bool {
        matches!(raw, [0x71, body @ ..] if eip712::has_two_signatures(body))
    }

    /// The hash by which a node knows it; none where nothing is signed.
    pub fn hash(&self) -> Option<TxHash> {
        match (&self.authorization, &self.transaction) {
            (Authorization::Signature(signature), transaction) => Some(transaction.hash(signature)),
            (Authorization::Custom(bytes), Transaction::Eip712(tx)) => Some(tx.hash(bytes)),
            (Authorization::Unsigned | Authorization::Custom(_), _) => None,
        }
    }
}

/// Why bytes are no transaction.
#[derive(Debug)]
pub(crate) struct Malformed(String);

type Parsed = Result<(Decoded, Vec<u8>), Malformed>;

impl From<rlp::DecoderError> for Malformed {
    fn from(error: rlp::DecoderError) -> Self {
        Self(format!("not RLP: {error}"))
    }
}

/// The items of the one list that the bytes are.
struct Items<'a> {
    list: Rlp<'a>,
}

impl<'a> Items<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let list = Rlp::new(bytes);
        let info = list.payload_info()?;
        if !list.is_list() {
            return Err(Malformed("not an RLP list".to_owned()));
        }
        if info.header_len.checked_add(info.value_len) != Some(bytes.len()) {
            return Err(Malformed("bytes follow the transaction".to_owned()));
        }
        Ok(Self { list })
    }

    fn count(&self) -> Result<usize, Malformed> {
        Ok(self.list.item_count()?)
    }

    fn bytes(&self, index: usize, name: &str) -> Result<&'a [u8], Malformed> {
        let item = self.list.at(index)?;
        if !item.is_data() {
            return Err(Malformed(format!("item {index} ({name}) is a list, not bytes")));
        }
        Ok(item.data()?)
    }

    fn uint(&self, index: usize, name: &str) -> Result<U256, Malformed> {
        let bytes = self.bytes(index, name)?;
        if bytes.len() > 32 || bytes.first() == Some(&0) {
            return Err(Malformed(format!("item {index} ({name}) is not a canonical integer")));
        }
        Ok(U256::from_big_endian(bytes))
    }

    fn word64(&self, index: usize, name: &str) -> Result<u64, Malformed> {
        u64::try_from(self.uint(index, name)?).map_err(|_| Malformed(format!("item {index} ({name}) is above 2^64-1")))
    }

    fn address(&self, index: usize, name: &str) -> Result<Option<Address>, Malformed> {
        let bytes = self.bytes(index, name)?;
        match <[u8; 20]>::try_from(bytes) {
            Ok(bytes) => Ok(Some(Address::from_bytes(bytes))),
            Err(_) if bytes.is_empty() => Ok(None),
            Err(_) => Err(Malformed(format!("item {index} ({name}) has {} bytes, not 20", bytes.len()))),
        }
    }

    fn access_list(&self, index: usize) -> Result<AccessList, Malformed> {
        let list = self.list.at(index)?;
        if !list.is_list() {
            return Err(Malformed(format!("item {index} (accessList) is not a list")));
        }
        list.iter()
            .map(|entry| {
                let address = entry.at(0)?;
                let address = <[u8; 20]>::try_from(address.data()?)
                    .map_err(|_| Malformed("an access list address has not 20 bytes".to_owned()))?;
                let slots = entry
                    .at(1)?
                    .iter()
                    .map(|slot| {
                        <[u8; 32]>::try_from(slot.data()?)
                            .map_err(|_| Malformed("an access list slot has not 32 bytes".to_owned()))
                    })
                    .collect::<Result<_, _>>()?;
                Ok((Address::from_bytes(address), slots))
            })
            .collect()
    }

    /// The signature in three items: a parity, r and s.
    fn signature(&self, first: usize) -> Result<Signature, Malformed> {
        let parity = self.uint(first, "yParity")?;
        self.signature_with(parity, first + 1)
    }

    fn signature_with(&self, parity: U256, first: usize) -> Result<Signature, Malformed> {
        let mut r = [0; 32];
        let mut s = [0; 32];
        self.uint(first, "r")?.to_big_endian(&mut r);
        self.uint(first + 1, "s")?.to_big_endian(&mut s);
        u8::try_from(parity).ok().and_then(|parity| Signature::from_parts(r, s, parity)).ok_or_else(|| {
            Malformed("the signature is out of range (r and s must be in 1..n, s low, yParity 0 or 1)".to_owned())
        })
    }
}

/// Appends an integer: minimal big-endian, zero as the empty string.
fn append_uint(stream: &mut RlpStream, value: impl Into<U256>) {
    let mut bytes = [0; 32];
    let value = value.into();
    value.to_big_endian(&mut bytes);
    let leading = usize::try_from(value.leading_zeros() / 8).unwrap_or(32).min(32);
    stream.append(&&bytes[leading..]);
}

fn append_bytes(stream: &mut RlpStream, bytes: &[u8]) {
    stream.append(&bytes);
}

/// Appends an address, or the empty string for a contract creation.
fn append_to(stream: &mut RlpStream, to: Option<Address>) {
    append_bytes(stream, to.as_ref().map_or(&[], |address| address.as_bytes().as_slice()));
}

fn append_access_list(stream: &mut RlpStream, list: &AccessList) {
    stream.begin_list(list.len());
    for (address, slots) in list {
        stream.begin_list(2);
        append_bytes(stream, address.as_bytes());
        stream.begin_list(slots.len());
        for slot in slots {
            append_bytes(stream, slot);
        }
    }
}

fn access_list_json(list: &AccessList) -> Json {
    Json::Array(
        list.iter()
            .map(|(address, slots)| {
                Json::object([
                    ("address", Json::display(address)),
                    ("storageKeys", Json::Array(slots.iter().map(Json::bytes).collect())),
                ])
            })
            .collect(),
    )
}

/// A typed transaction: its type byte, then the list.
fn typed(kind: u8, stream: RlpStream) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&stream.out());
    bytes
}
