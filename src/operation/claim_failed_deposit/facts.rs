//! `facts.failedDeposit`: the L2 transaction, what shows that it failed, and how its deposit was encoded.
//!
//! `deposit` can be copied from the `derived` of the deposit's own unsigned document: `form`, and for form "assetId" the
//! exact `transferData`; `assetId` and `txDataHash` may stand beside them and must then be what is recomputed.

use ethabi::ethereum_types::U256;

use super::{AssetId, Claimed, FACTS, legacy_tx_data_hash, tx_data_hash};
use crate::abi::{self, ParamType};
use crate::address::Address;
use crate::hash::TxHash;
use crate::json::{Cursor, Json};
use crate::network::Network;
use crate::operation::evidence::Evidence;
use crate::refusal::{Code, Refusal, contract_error};

/// `facts.failedDeposit`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedDepositFacts {
    /// The L2 transaction that the deposit became.
    pub l2_tx_hash: TxHash,
    /// Where its status log stands, and its proof.
    pub evidence: Evidence,
    /// How the deposit was encoded.
    pub(super) deposit: Deposit,
}

impl FailedDepositFacts {
    /// Reads `facts.failedDeposit`.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&[Evidence::REQUIRED, &["l2TxHash", "deposit"]].concat(), Evidence::OPTIONAL)?;
        Ok(Self {
            l2_tx_hash: TxHash(members.required("l2TxHash")?.fixed_bytes()?),
            evidence: Evidence::read(&members)?,
            deposit: Deposit::read(&members.required("deposit")?)?,
        })
    }

    /// The facts again.
    pub fn to_json(&self) -> Json {
        let mut members = vec![("l2TxHash", Json::display(self.l2_tx_hash))];
        members.extend(self.evidence.place_members());
        members.extend(self.evidence.proof_members());
        members.push(("deposit", self.deposit.to_json()));
        Json::object(members)
    }
}

/// How a deposit was handed to the bridge, and what is said to follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deposit {
    pub(super) encoding: Encoding,
    asset_id: Option<AssetId>,
    tx_data_hash: Option<[u8; 32]>,
}

/// The three encodings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encoding {
    /// abi.encode(token, amount, receiver)
    Legacy,
    /// 0x01 || abi.encode(assetId, transferData)
    AssetId(Transfer),
    /// L1ERC20Bridge.deposit
    LegacyBridge,
}

/// `transferData` of the native token vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) amount: U256,
    pub(super) receiver: Address,
    /// The token on L1, or zero.
    pub(super) token: Address,
}

impl Transfer {
    pub(super) fn encode(self) -> Vec<u8> {
        ethabi::encode(&[abi::uint(self.amount), abi::address(self.receiver), abi::address(self.token)])
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let tokens = abi::decode(&[ParamType::Uint(256), ParamType::Address, ParamType::Address], bytes)?;
        let [amount, receiver, token] = tokens.as_slice() else { return None };
        Some(Self {
            amount: abi::as_uint(amount)?,
            receiver: abi::as_address(receiver)?,
            token: abi::as_address(token)?,
        })
    }
}

#[derive(Clone, Copy)]
enum Form {
    Legacy,
    AssetId,
    LegacyBridge,
}

impl Deposit {
    fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        const WORDS: &[(&str, Form)] =
            &[("legacy", Form::Legacy), ("assetId", Form::AssetId), ("legacyBridge", Form::LegacyBridge)];
        let members = cursor.members(&["form"], &["transferData", "assetId", "txDataHash"])?;
        let form = members.required("form")?.choice(WORDS)?;
        let encoding = match (form, members.optional("transferData")) {
            (Form::AssetId, _) => {
                let data = members.required("transferData")?;
                Encoding::AssetId(Transfer::read(&data.bytes()?).ok_or_else(|| {
                    data.refuse(
                        Code::CLAIM_TRANSFER_DATA,
                        "not abi.encode(amount, receiver, token), 96 bytes to the last bit",
                        "copy the transferData of the deposit: derived.transferData of its unsigned document",
                    )
                })?)
            }
            (_, Some(data)) => {
                return Err(data.refuse(
                    Code::FACTS_UNUSED,
                    "a deposit in a legacy encoding has no transferData",
                    "leave it out, or write form \"assetId\"",
                ));
            }
            (Form::Legacy, None) => Encoding::Legacy,
            (Form::LegacyBridge, None) => Encoding::LegacyBridge,
        };
        Ok(Self {
            encoding,
            asset_id: members.optional("assetId").map(|id| id.fixed_bytes().map(AssetId)).transpose()?,
            tx_data_hash: members.optional("txDataHash").map(|hash| hash.fixed_bytes()).transpose()?,
        })
    }

    fn to_json(&self) -> Json {
        let mut members = vec![match self.encoding {
            Encoding::Legacy => ("form", Json::text("legacy")),
            Encoding::AssetId(_) => ("form", Json::text("assetId")),
            Encoding::LegacyBridge => ("form", Json::text("legacyBridge")),
        }];
        if let Encoding::AssetId(transfer) = self.encoding {
            members.push(("transferData", Json::bytes(transfer.encode())));
        }
        members.extend(self.asset_id.map(|id| ("assetId", Json::display(id))));
        members.extend(self.tx_data_hash.map(|hash| ("txDataHash", Json::bytes(hash))));
        Json::object(members)
    }

    /// What L1 remembers of the deposit.
    pub(super) fn tx_data_hash(&self, depositor: Address, claimed: Claimed, amount: U256) -> [u8; 32] {
        match self.encoding {
            Encoding::AssetId(transfer) => tx_data_hash(depositor, claimed.asset_id, &transfer.encode()),
            Encoding::Legacy | Encoding::LegacyBridge => legacy_tx_data_hash(depositor, claimed.token, amount),
        }
    }

    /// What the deposit says must be what the intent says: L1 knows no other deposit.
    pub(super) fn judge(&self, depositor: Address, claimed: Claimed, amount: U256, network: &Network) -> Vec<Refusal> {
        let error = if network.protocol_version.minor >= 31 {
            contract_error::DEPOSIT_DOES_NOT_EXIST_V31
        } else {
            contract_error::DEPOSIT_DOES_NOT_EXIST
        };
        let mut refusals = Vec::new();
        let mut refuse = |code, name: &str, problem: String, expected: String, actual: String| {
            let remedy = "claim that deposit with its own token, amount and depositor, as they were signed";
            let refusal = Refusal::new(code, format!("{FACTS}/deposit/{name}"), problem, remedy);
            refusals.push(refusal.values(expected, actual).reverts(error));
        };
        if let Encoding::AssetId(transfer) = self.encoding {
            if transfer.amount != amount {
                refuse(
                    Code::CLAIM_TRANSFER_DATA,
                    "transferData",
                    format!("the deposit was of {}, the intent claims {amount}", transfer.amount),
                    amount.to_string(),
                    transfer.amount.to_string(),
                );
            }
            if transfer.token != claimed.token && transfer.token != Address::ZERO {
                refuse(
                    Code::CLAIM_TRANSFER_DATA,
                    "transferData",
                    format!("the deposit was of token {}, the intent claims {}", transfer.token, claimed.token),
                    claimed.token.to_string(),
                    transfer.token.to_string(),
                );
            }
        }
        if let Some(id) = self.asset_id.filter(|id| *id != claimed.asset_id) {
            refuse(
                Code::CLAIM_ASSET_ID,
                "assetId",
                format!("the deposit was of asset {id}, the intent's token is asset {}", claimed.asset_id),
                claimed.asset_id.to_string(),
                id.to_string(),
            );
        }
        let hash = self.tx_data_hash(depositor, claimed, amount);
        if let Some(stated) = self.tx_data_hash.filter(|stated| *stated != hash) {
            let (stated, hash) = (hex::encode(stated), hex::encode(hash));
            refuse(
                Code::CLAIM_TX_DATA_HASH,
                "txDataHash",
                format!("L1 is said to remember 0x{stated}, but depositor, token, amount and encoding give 0x{hash}"),
                format!("0x{hash}"),
                format!("0x{stated}"),
            );
        }
        refusals
    }
}
