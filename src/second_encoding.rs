//! The second encoding: bytes, digests and hashes of a transaction once more, by other code, only to be compared.
//!
//! It shares nothing with `transaction` but the fields: RLP, typed data and Keccak (of another crate) are written here
//! from the specifications, so that neither a slip in one of the two nor a bit that flips in one of them goes unseen.
//! RLP: the Yellow Paper's appendix B; typed data: <https://eips.ethereum.org/EIPS/eip-712>; the order of the fields:
//! EIP-155, EIP-2930, EIP-1559 and, for 0x71, `TransactionRequest::from_bytes` of the node
//! (<https://github.com/matter-labs/zksync-era/blob/3e29e4a0/core/lib/types/src/transaction_request.rs>).

use ethabi::ethereum_types::U256;
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use crate::address::Address;
use crate::hash::{Digest, TxHash};
use crate::transaction::{AccessList, Authorization, Eip712, Transaction};

/// The wire form without a signature.
pub fn unsigned_bytes(transaction: &Transaction) -> Vec<u8> {
    match transaction {
        Transaction::Legacy(tx) => {
            let replay_protection = tx.chain_id.map_or(vec![], |id| vec![number(id), number(0), number(0)]);
            List([fields(transaction), replay_protection].concat()).encoded()
        }
        Transaction::Eip712(tx) => wire_712(tx, Vec::new()),
        Transaction::Eip2930(_) | Transaction::Eip1559(_) => typed(transaction, fields(transaction)),
    }
}

/// What a key signs.
pub fn signing_digest(transaction: &Transaction) -> Digest {
    match transaction {
        Transaction::Eip712(tx) => Digest(keccak(
            &[&[0x19, 0x01], typed_struct("EIP712Domain", &domain(tx)).as_slice(), &struct_hash(tx)].concat(),
        )),
        _ => Digest(keccak(&unsigned_bytes(transaction))),
    }
}

/// The signed wire form; none where nothing authorizes it, or what does has no place in this envelope.
pub fn raw(transaction: &Transaction, authorization: &Authorization) -> Option<Vec<u8>> {
    let (tx, signature) = match (transaction, authorization) {
        (Transaction::Eip712(tx), _) => return Some(wire_712(tx, custom_signature(authorization)?)),
        (tx, Authorization::Signature(signature)) => (tx, signature),
        (_, Authorization::Unsigned | Authorization::Custom(_)) => return None,
    };
    let parity = U256::from(signature.y_parity());
    let v = match tx {
        Transaction::Legacy(tx) => {
            tx.chain_id.map_or(U256::from(27), |id| U256::from(id) + U256::from(id) + 35) + parity
        }
        _ => parity,
    };
    let signature =
        [v, U256::from_big_endian(&signature.r()), U256::from_big_endian(&signature.s())].map(number).to_vec();
    Some(typed(transaction, [fields(transaction), signature].concat()))
}

/// The hash by which a node knows it; none where nothing authorizes it.
pub fn hash(transaction: &Transaction, authorization: &Authorization) -> Option<TxHash> {
    let Transaction::Eip712(_) = transaction else {
        return Some(TxHash(keccak(&raw(transaction, authorization)?)));
    };
    let signature = keccak(&custom_signature(authorization)?);
    Some(TxHash(keccak(&[signing_digest(transaction).0, signature].concat())))
}

/// The fields that every envelope but 0x71 signs, in the order of its EIP.
fn fields(transaction: &Transaction) -> Vec<Item> {
    match transaction {
        Transaction::Legacy(tx) => vec![
            number(tx.nonce),
            number(tx.gas_price.get()),
            number(tx.gas_limit.get()),
            account(tx.to),
            number(tx.value.get()),
            bytes(&tx.data),
        ],
        Transaction::Eip2930(tx) => vec![
            number(tx.chain_id),
            number(tx.nonce),
            number(tx.gas_price.get()),
            number(tx.gas_limit.get()),
            account(tx.to),
            number(tx.value.get()),
            bytes(&tx.data),
            accesses(&tx.access_list),
        ],
        Transaction::Eip1559(tx) => vec![
            number(tx.chain_id),
            number(tx.nonce),
            number(tx.max_priority_fee_per_gas.get()),
            number(tx.max_fee_per_gas.get()),
            number(tx.gas_limit.get()),
            account(tx.to),
            number(tx.value.get()),
            bytes(&tx.data),
            accesses(&tx.access_list),
        ],
        Transaction::Eip712(_) => Vec::new(),
    }
}

/// The type byte, where there is one, and the list.
fn typed(transaction: &Transaction, items: Vec<Item>) -> Vec<u8> {
    let kind: &[u8] = match transaction {
        Transaction::Legacy(_) => &[],
        Transaction::Eip2930(_) => &[1],
        Transaction::Eip1559(_) => &[2],
        Transaction::Eip712(_) => &[0x71],
    };
    [kind, &List(items).encoded()].concat()
}

/// Type 0x71: v, r and s are chainId and twice nothing; the signature stands in the custom one's place.
fn wire_712(tx: &Eip712, signature: Vec<u8>) -> Vec<u8> {
    let paymaster =
        tx.paymaster.as_ref().map_or(vec![], |with| vec![bytes(with.paymaster.as_bytes()), bytes(&with.input)]);
    let list = List(vec![
        number(tx.nonce),
        number(tx.max_priority_fee_per_gas.get()),
        number(tx.max_fee_per_gas.get()),
        number(tx.gas_limit.get()),
        account(tx.to),
        number(tx.value.get()),
        bytes(&tx.data),
        number(tx.chain_id),
        bytes(&[]),
        bytes(&[]),
        number(tx.chain_id),
        bytes(tx.from.as_bytes()),
        number(tx.gas_per_pubdata.get()),
        List(tx.factory_deps.iter().map(|code| bytes(code)).collect()),
        Bytes(signature),
        List(paymaster),
    ]);
    [&[0x71], list.encoded().as_slice()].concat()
}

/// The custom signature of type 0x71: what a smart account judges, or r || s || v.
fn custom_signature(authorization: &Authorization) -> Option<Vec<u8>> {
    match authorization {
        Authorization::Unsigned => None,
        Authorization::Custom(bytes) => Some(bytes.clone()),
        Authorization::Signature(signature) => {
            Some([signature.r().as_slice(), &signature.s(), &[27 + signature.y_parity()]].concat())
        }
    }
}

/// An RLP item.
#[derive(Clone)]
enum Item {
    Bytes(Vec<u8>),
    List(Vec<Item>),
}
use Item::{Bytes, List};

impl Item {
    fn encoded(&self) -> Vec<u8> {
        match self {
            Bytes(bytes) => match bytes.as_slice() {
                [single @ ..0x80] => vec![*single],
                bytes => headed(0x80, bytes),
            },
            List(items) => headed(0xc0, &items.iter().map(Item::encoded).collect::<Vec<_>>().concat()),
        }
    }
}

/// A payload behind its length: one byte up to 55, otherwise the length of the length and the length.
fn headed(offset: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len().to_be_bytes();
    let [.., low] = length;
    if payload.len() <= 55 {
        return [&[offset + low], payload].concat();
    }
    let length = without_leading_zeros(&length);
    let [.., digits] = length.len().to_be_bytes();
    [&[offset + 55 + digits], length, payload].concat()
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0, rest @ ..] => without_leading_zeros(rest),
        bytes => bytes,
    }
}

fn number(value: impl Into<U256>) -> Item {
    Bytes(without_leading_zeros(&word(value.into())).to_vec())
}

fn bytes(bytes: &[u8]) -> Item {
    Bytes(bytes.to_vec())
}

fn account(address: Option<Address>) -> Item {
    Bytes(address.map_or(vec![], |address| address.as_bytes().to_vec()))
}

fn accesses(list: &AccessList) -> Item {
    let entry = |(address, slots): &(Address, Vec<[u8; 32]>)| {
        List(vec![bytes(address.as_bytes()), List(slots.iter().map(|slot| bytes(slot)).collect())])
    };
    List(list.iter().map(entry).collect())
}

/// A member of a typed struct: its type, its name, and the word that stands for it in the hash.
type Member = (&'static str, &'static str, [u8; 32]);

fn domain(tx: &Eip712) -> Vec<Member> {
    vec![
        ("string", "name", keccak(b"zkSync")),
        ("string", "version", keccak(b"2")),
        ("uint256", "chainId", word(tx.chain_id.into())),
    ]
}

fn struct_hash(tx: &Eip712) -> [u8; 32] {
    let (paymaster, input) =
        tx.paymaster.as_ref().map_or((Address::ZERO, [].as_slice()), |with| (with.paymaster, &with.input));
    let dependencies: Vec<u8> = tx.factory_deps.iter().flat_map(|code| code_hash(code)).collect();
    typed_struct(
        "Transaction",
        &[
            ("uint256", "txType", word(U256::from(0x71))),
            ("uint256", "from", address_word(tx.from)),
            ("uint256", "to", address_word(tx.to.unwrap_or(Address::ZERO))),
            ("uint256", "gasLimit", word(tx.gas_limit.get())),
            ("uint256", "gasPerPubdataByteLimit", word(tx.gas_per_pubdata.get())),
            ("uint256", "maxFeePerGas", word(tx.max_fee_per_gas.get())),
            ("uint256", "maxPriorityFeePerGas", word(tx.max_priority_fee_per_gas.get())),
            ("uint256", "paymaster", address_word(paymaster)),
            ("uint256", "nonce", word(tx.nonce.into())),
            ("uint256", "value", word(tx.value.get())),
            ("bytes", "data", keccak(&tx.data)),
            ("bytes32[]", "factoryDeps", keccak(&dependencies)),
            ("bytes", "paymasterInput", keccak(input)),
        ],
    )
}

/// `hashStruct`: the hash of the type's own text, then one word a member.
fn typed_struct(name: &str, members: &[Member]) -> [u8; 32] {
    let types: Vec<String> = members.iter().map(|(kind, name, _)| format!("{kind} {name}")).collect();
    let mut encoded = keccak(format!("{name}({})", types.join(",")).as_bytes()).to_vec();
    encoded.extend(members.iter().flat_map(|(_, _, word)| word));
    keccak(&encoded)
}

/// `hashL2Bytecode`: version 1, nothing, the number of words in two bytes, then the end of SHA-256
/// (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/libraries/L2ContractHelper.sol>).
fn code_hash(code: &[u8]) -> [u8; 32] {
    let [.., high, low] = (code.len() / 32).to_be_bytes();
    let mut hash: [u8; 32] = Sha256::digest(code).into();
    hash[..4].copy_from_slice(&[1, 0, high, low]);
    hash
}

fn word(value: U256) -> [u8; 32] {
    std::array::from_fn(|index| value.byte(31 - index))
}

fn address_word(address: Address) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[12..].copy_from_slice(address.as_bytes());
    bytes
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    <Keccak256 as sha3::Digest>::digest(bytes).into()
}
