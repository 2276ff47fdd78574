//! The L2 transaction that a priority request becomes, and the event that announces it on L1.
//!
//! `L2CanonicalTransaction` and `NewPriorityRequest`:
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/Messaging.sol>,
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/state-transition/chain-interfaces/IMailbox.sol>.
//! Its hash, keccak256(abi.encode(transaction)), is the hash of the L2 transaction. It can not be known before inclusion:
//! it holds the priority operation's number and a price derived from the effective gas price. So it is read from the
//! event, computed again and compared.

use ethabi::ethereum_types::U256;

use crate::abi::{self, ParamType, Token};
use crate::address::Address;
use crate::hash::{TxHash, keccak256};

/// The event of the chain's diamond proxy. No parameter is indexed.
pub const NEW_PRIORITY_REQUEST: &str = "NewPriorityRequest(uint256,bytes32,uint64,\
(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256[4],bytes,bytes,uint256[],bytes,bytes),\
bytes[])";

/// `L2CanonicalTransaction`: what the L2 chain executes for a priority request. Addresses are the aliased ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalTransaction {
    /// 255 on EraVM, 127 on ZKsync OS.
    pub tx_type: U256,
    /// The L2 sender.
    pub from: Address,
    /// The called account.
    pub to: Address,
    /// `l2GasLimit` of the request.
    pub gas_limit: U256,
    /// `l2GasPerPubdataByteLimit` of the request.
    pub gas_per_pubdata_byte_limit: U256,
    /// The derived L2 gas price at the effective L1 gas price.
    pub max_fee_per_gas: U256,
    /// The number of the priority operation.
    pub nonce: U256,
    /// `l2Value` of the request.
    pub value: U256,
    /// `mintValue` of the request.
    pub mint_value: U256,
    /// The L2 refund recipient.
    pub refund_recipient: Address,
    /// `l2Calldata` of the request.
    pub data: Vec<u8>,
    /// The hashes of the factory dependencies.
    pub factory_deps: Vec<U256>,
}

/// A priority request that L1 has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorityRequested {
    /// The hash of the L2 transaction, computed from its fields.
    pub hash: TxHash,
    /// The L2 transaction.
    pub transaction: CanonicalTransaction,
}

/// Why a log is no `NewPriorityRequest` that can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventError {
    /// Another event.
    OtherEvent,
    /// The data are not the canonical encoding of the event.
    Malformed,
    /// The announced hash is not the hash of the announced transaction.
    HashMismatch,
    /// The transaction's nonce is not the announced operation number.
    NonceMismatch,
}

impl CanonicalTransaction {
    /// keccak256(abi.encode(transaction)).
    pub fn hash(&self) -> TxHash {
        TxHash(keccak256(&ethabi::encode(&[self.token()])))
    }

    fn token(&self) -> Token {
        let word = |address: Address| Token::Uint(U256::from_big_endian(address.as_bytes()));
        let zero = || Token::Uint(U256::zero());
        Token::Tuple(vec![
            Token::Uint(self.tx_type),
            word(self.from),
            word(self.to),
            Token::Uint(self.gas_limit),
            Token::Uint(self.gas_per_pubdata_byte_limit),
            Token::Uint(self.max_fee_per_gas),
            zero(), // maxPriorityFeePerGas
            zero(), // paymaster
            Token::Uint(self.nonce),
            Token::Uint(self.value),
            Token::FixedArray(vec![Token::Uint(self.mint_value), word(self.refund_recipient), zero(), zero()]), // reserved
            Token::Bytes(self.data.clone()),
            Token::Bytes(Vec::new()), // signature
            Token::Array(self.factory_deps.iter().copied().map(Token::Uint).collect()),
            Token::Bytes(Vec::new()), // paymasterInput
            Token::Bytes(Vec::new()), // reservedDynamic
        ])
    }

    fn kind() -> ParamType {
        let uint = || ParamType::Uint(256);
        let mut items: Vec<ParamType> = (0..10).map(|_| uint()).collect();
        items.push(ParamType::FixedArray(Box::new(uint()), 4));
        items.extend([ParamType::Bytes, ParamType::Bytes]);
        items.push(ParamType::Array(Box::new(uint())));
        items.extend([ParamType::Bytes, ParamType::Bytes]);
        ParamType::Tuple(items)
    }

    fn from_token(token: &Token) -> Option<Self> {
        let Token::Tuple(items) = token else { return None };
        let [
            tx_type,
            from,
            to,
            gas_limit,
            per_pubdata,
            max_fee,
            _,
            _,
            nonce,
            value,
            Token::FixedArray(reserved),
            Token::Bytes(data),
            _,
            Token::Array(deps),
            _,
            _,
        ] = items.as_slice()
        else {
            return None;
        };
        let transaction = Self {
            tx_type: abi::as_uint(tx_type)?,
            from: as_account(from)?,
            to: as_account(to)?,
            gas_limit: abi::as_uint(gas_limit)?,
            gas_per_pubdata_byte_limit: abi::as_uint(per_pubdata)?,
            max_fee_per_gas: abi::as_uint(max_fee)?,
            nonce: abi::as_uint(nonce)?,
            value: abi::as_uint(value)?,
            mint_value: abi::as_uint(reserved.first()?)?,
            refund_recipient: as_account(reserved.get(1)?)?,
            data: data.clone(),
            factory_deps: deps.iter().map(abi::as_uint).collect::<Option<_>>()?,
        };
        // The fields that are left out must be zero or empty, as the node demands.
        (transaction.token() == *token).then_some(transaction)
    }
}

/// An address in the low 160 bits of a word.
fn as_account(token: &Token) -> Option<Address> {
    let mut word = [0; 32];
    abi::as_uint(token)?.to_big_endian(&mut word);
    let (high, low) = word.split_first_chunk::<12>()?;
    (*high == [0; 12]).then(|| Address::from_bytes(low.try_into().unwrap_or_default()))
}

impl PriorityRequested {
    /// Reads a log of the chain's diamond proxy. The caller has compared the log's address: on a chain that settles on a
    /// Gateway, the Gateway's diamond emits the same event in the same receipt.
    pub fn read(topics: &[[u8; 32]], data: &[u8]) -> Result<Self, EventError> {
        if topics != [keccak256(NEW_PRIORITY_REQUEST.as_bytes())] {
            return Err(EventError::OtherEvent);
        }
        let types = [
            ParamType::Uint(256),
            ParamType::FixedBytes(32),
            ParamType::Uint(64),
            CanonicalTransaction::kind(),
            ParamType::Array(Box::new(ParamType::Bytes)),
        ];
        let tokens = abi::decode(&types, data).ok_or(EventError::Malformed)?;
        let [Token::Uint(tx_id), Token::FixedBytes(announced), _, transaction, _] = tokens.as_slice() else {
            return Err(EventError::Malformed);
        };
        let transaction = CanonicalTransaction::from_token(transaction).ok_or(EventError::Malformed)?;
        let hash = transaction.hash();
        if hash.0.as_slice() != announced.as_slice() {
            return Err(EventError::HashMismatch);
        }
        if transaction.nonce != *tx_id {
            return Err(EventError::NonceMismatch);
        }
        Ok(Self { hash, transaction })
    }
}
