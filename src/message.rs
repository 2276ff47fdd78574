//! L2 -> L1 messages of withdrawals: what L1 will pay, to whom, decoded strictly.
//!
//! Three kinds, told apart by their first four bytes as `L1Nullifier._parseL2WithdrawalMessage` does
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridge/L1Nullifier.sol>):
//!
//! | kind | bytes |
//! |---|---|
//! | base token | 0x6c0960f9, receiver (20), amount (32); `withdrawWithMessage` adds the L2 sender (20) and data |
//! | legacy ERC-20 | 0x11a2ccc1, receiver (20), L1 token (20), amount (32) |
//! | asset router | 0x9c884fd1, L2 chain id (32), asset id (32), abi.encode(caller, receiver, token, amount, metadata) |
//!
//! Whoever finalizes can not change a message, and nobody but its receiver is paid: so it is shown, and compared with the
//! intent, before gas is spent on it.

use ethabi::ethereum_types::U256;

use crate::abi::{self, ParamType, Token};
use crate::address::Address;
use crate::asset::AssetId;
use crate::refusal::{Code, Refusal, contract_error};

/// `IMailbox.finalizeEthWithdrawal.selector`
const BASE_TOKEN: [u8; 4] = [0x6c, 0x09, 0x60, 0xf9];
/// `IL1ERC20Bridge.finalizeWithdrawal.selector`
const LEGACY_ERC20: [u8; 4] = [0x11, 0xa2, 0xcc, 0xc1];
/// `IAssetRouterBase.finalizeDeposit.selector`
const ASSET_ROUTER: [u8; 4] = [0x9c, 0x88, 0x4f, 0xd1];

/// The message of a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Of the chain's base token, sent by L2BaseToken (0x800a).
    BaseToken {
        /// Who is paid on L1.
        receiver: Address,
        /// How much.
        amount: U256,
        /// What `withdrawWithMessage` adds; L1 does not look at it.
        extra: Option<Extra>,
    },
    /// Of an ERC-20 of L1, sent by the chain's legacy bridge.
    LegacyErc20 {
        /// Who is paid on L1.
        receiver: Address,
        /// The token on L1.
        token: Address,
        /// How much.
        amount: U256,
    },
    /// Of any asset, sent by the L2 asset router (0x10003) since v26.
    AssetRouter {
        /// The chain that the message says it comes from.
        chain_id: U256,
        /// The asset.
        asset_id: AssetId,
        /// What the native token vault makes of it.
        transfer: BridgeMint,
    },
}

/// Who called `withdrawWithMessage`, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// `_sender`
    pub l2_sender: Address,
    /// `_additionalData`
    pub data: Vec<u8>,
}

/// `DataEncoding.encodeBridgeMintData`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeMint {
    /// Who withdrew on L2.
    pub original_caller: Address,
    /// Who is paid on L1.
    pub receiver: Address,
    /// The token on the chain where it is native.
    pub origin_token: Address,
    /// How much.
    pub amount: U256,
    /// Name, symbol and decimals as L2 tells them.
    pub erc20_metadata: Vec<u8>,
}

/// Which of the three kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Message::BaseToken`]
    BaseToken,
    /// [`Message::LegacyErc20`]
    LegacyErc20,
    /// [`Message::AssetRouter`]
    AssetRouter,
}

impl Kind {
    /// The word of documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BaseToken => "baseToken",
            Self::LegacyErc20 => "legacyErc20",
            Self::AssetRouter => "assetRouter",
        }
    }
}

/// Why bytes are no message that L1 pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageError {
    /// The first four bytes are of none of the three kinds.
    Selector([u8; 4]),
    /// There are not even four bytes.
    Empty(usize),
    /// A length that the kind does not have.
    Length(Kind, usize),
    /// What follows the asset id is not abi.encode(address, address, address, uint256, bytes) to the last bit.
    BridgeMintData,
}

impl Message {
    /// Reads a message, to the last bit.
    pub fn read(bytes: &[u8]) -> Result<Self, MessageError> {
        let (selector, body) = bytes.split_first_chunk::<4>().ok_or(MessageError::Empty(bytes.len()))?;
        match *selector {
            BASE_TOKEN => read_base_token(body).ok_or(MessageError::Length(Kind::BaseToken, bytes.len())),
            LEGACY_ERC20 => read_legacy(body).ok_or(MessageError::Length(Kind::LegacyErc20, bytes.len())),
            ASSET_ROUTER => read_asset_router(body, bytes.len()),
            other => Err(MessageError::Selector(other)),
        }
    }

    /// The bytes again.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::BaseToken { receiver, amount, extra } => {
                let mut bytes = [BASE_TOKEN.as_slice(), receiver.as_bytes(), &word(*amount)].concat();
                if let Some(extra) = extra {
                    bytes.extend_from_slice(extra.l2_sender.as_bytes());
                    bytes.extend_from_slice(&extra.data);
                }
                bytes
            }
            Self::LegacyErc20 { receiver, token, amount } => {
                [LEGACY_ERC20.as_slice(), receiver.as_bytes(), token.as_bytes(), &word(*amount)].concat()
            }
            Self::AssetRouter { chain_id, asset_id, transfer } => {
                [ASSET_ROUTER.as_slice(), &word(*chain_id), &asset_id.0, &transfer.encode()].concat()
            }
        }
    }

    /// Which kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::BaseToken { .. } => Kind::BaseToken,
            Self::LegacyErc20 { .. } => Kind::LegacyErc20,
            Self::AssetRouter { .. } => Kind::AssetRouter,
        }
    }

    /// Who is paid on L1.
    pub fn receiver(&self) -> Address {
        match self {
            Self::BaseToken { receiver, .. } | Self::LegacyErc20 { receiver, .. } => *receiver,
            Self::AssetRouter { transfer, .. } => transfer.receiver,
        }
    }

    /// How much.
    pub fn amount(&self) -> U256 {
        match self {
            Self::BaseToken { amount, .. } | Self::LegacyErc20 { amount, .. } => *amount,
            Self::AssetRouter { transfer, .. } => transfer.amount,
        }
    }
}

impl BridgeMint {
    const TYPES: [ParamType; 5] =
        [ParamType::Address, ParamType::Address, ParamType::Address, ParamType::Uint(256), ParamType::Bytes];

    fn encode(&self) -> Vec<u8> {
        ethabi::encode(&[
            abi::address(self.original_caller),
            abi::address(self.receiver),
            abi::address(self.origin_token),
            abi::uint(self.amount),
            Token::Bytes(self.erc20_metadata.clone()),
        ])
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let tokens = abi::decode(&Self::TYPES, bytes)?;
        let [caller, receiver, token, amount, Token::Bytes(metadata)] = tokens.as_slice() else { return None };
        Some(Self {
            original_caller: abi::as_address(caller)?,
            receiver: abi::as_address(receiver)?,
            origin_token: abi::as_address(token)?,
            amount: abi::as_uint(amount)?,
            erc20_metadata: metadata.clone(),
        })
    }
}

/// L1 takes 56 bytes and more, but L2BaseToken sends 56, or the caller's 20 bytes with them.
fn read_base_token(body: &[u8]) -> Option<Message> {
    let (receiver, rest) = body.split_first_chunk::<20>()?;
    let (amount, rest) = rest.split_first_chunk::<32>()?;
    let extra = match rest.split_first_chunk::<20>() {
        Some((sender, data)) => Some(Extra { l2_sender: Address::from_bytes(*sender), data: data.to_vec() }),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Message::BaseToken { receiver: Address::from_bytes(*receiver), amount: U256::from_big_endian(amount), extra })
}

fn read_legacy(body: &[u8]) -> Option<Message> {
    let (receiver, rest) = body.split_first_chunk::<20>()?;
    let (token, amount) = rest.split_first_chunk::<20>()?;
    let amount: &[u8; 32] = amount.try_into().ok()?;
    Some(Message::LegacyErc20 {
        receiver: Address::from_bytes(*receiver),
        token: Address::from_bytes(*token),
        amount: U256::from_big_endian(amount),
    })
}

fn read_asset_router(body: &[u8], length: usize) -> Result<Message, MessageError> {
    let head = body.split_first_chunk::<32>().and_then(|(chain_id, rest)| {
        let (asset_id, data) = rest.split_first_chunk::<32>()?;
        Some((chain_id, asset_id, data))
    });
    let (chain_id, asset_id, data) = head.ok_or(MessageError::Length(Kind::AssetRouter, length))?;
    let transfer = BridgeMint::read(data).ok_or(MessageError::BridgeMintData)?;
    Ok(Message::AssetRouter { chain_id: U256::from_big_endian(chain_id), asset_id: AssetId(*asset_id), transfer })
}

fn word(value: U256) -> [u8; 32] {
    let mut word = [0; 32];
    value.to_big_endian(&mut word);
    word
}

impl MessageError {
    /// The refusal of a message at this place.
    pub fn refusal(self, at: impl Into<String>) -> Refusal {
        const REMEDY: &str = "copy the bytes of the L1MessageSent event whole: they are abi.decode(bytes) of its data";
        match self {
            Self::Selector(selector) => Refusal::new(
                Code::MESSAGE_SELECTOR,
                at,
                format!("a message that begins with 0x{} is no withdrawal that L1 knows", hex::encode(selector)),
                "take the message that the withdrawal itself sent, not another one of its transaction",
            )
            .values("0x6c0960f9, 0x11a2ccc1 or 0x9c884fd1", format!("0x{}", hex::encode(selector)))
            .reverts(contract_error::INVALID_SELECTOR),
            Self::Empty(length) => {
                let problem = format!("{length} bytes are not even a selector");
                Refusal::new(Code::MESSAGE_SELECTOR, at, problem, REMEDY).reverts(contract_error::INVALID_SELECTOR)
            }
            Self::Length(kind, length) => {
                let (name, lengths, error) = match kind {
                    // L1 reads the first 56 bytes of a longer one; but L2 never sent one like that.
                    Kind::BaseToken if length > 56 => ("base token", "56, or 76 and more", None),
                    Kind::BaseToken => {
                        let error = contract_error::L2_WITHDRAWAL_MESSAGE_WRONG_LENGTH;
                        ("base token", "56, or 76 and more", Some(error))
                    }
                    Kind::LegacyErc20 => {
                        ("legacy ERC-20", "76", Some(contract_error::L2_WITHDRAWAL_MESSAGE_WRONG_LENGTH))
                    }
                    Kind::AssetRouter => ("asset router", "68 and more", Some(contract_error::WRONG_MSG_LENGTH)),
                };
                let problem = format!("{length} bytes, but a {name} withdrawal has {lengths}");
                let refusal = Refusal::new(Code::MESSAGE_LENGTH, at, problem, REMEDY).values(lengths, length);
                match error {
                    Some(error) => refusal.reverts(error),
                    None => refusal,
                }
            }
            Self::BridgeMintData => Refusal::new(
                Code::MESSAGE_FORMAT,
                at,
                "what follows the asset id is not abi.encode(address, address, address, uint256, bytes), to the last bit",
                "finalize a token of the native token vault; only a custom asset's own handler knows other bytes",
            ),
        }
    }
}
