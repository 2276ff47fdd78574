//! Claim a failed deposit: get a token back on L1 whose deposit was included on L2 and failed there.
//!
//! L1 remembers a hash of each deposit (`depositHappened`), and the claim must show again what was hashed. What that was
//! follows from how the deposit was encoded:
//!
//! | deposit | txDataHash is keccak256 of | call |
//! |---|---|---|
//! | assetId | 0x01 and abi.encode(caller, assetId, transferData) | L1Nullifier.bridgeRecoverFailedTransfer |
//! | legacy | abi.encode(caller, token, amount) | claimFailedDeposit of L1Nullifier, before v26 L1SharedBridge |
//! | legacyBridge | abi.encode(caller, token, amount) | L1ERC20Bridge.claimFailedDeposit, which remembers the amount |
//!
//! v31 also has bridgeConfirmTransferResult (form "transferResult"). Anyone may claim; the tokens go to the depositor. A
//! deposit of the base token leaves nothing on L1: what L2 did not spend was minted there to the refund recipient.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridge/L1Nullifier.sol>

mod facts;
mod recognise;

use ethabi::ethereum_types::U256;

use super::evidence::{judge_origin, origin_of};
use super::{Body, Call, CallGas, Check, Context, Operation, Plan, TokenName, judge_l1_token, judge_recipient};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::asset::{AssetId, legacy_tx_data_hash, tx_data_hash};
use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Layer, Network, TokenOrigin};
use crate::proof::{Inclusion, L2Log, TxStatus, inclusion};
use crate::refusal::{Code, Refusal, contract_error};
use crate::units::Wei;
use facts::{Encoding, Transfer};
use recognise::{recognise, words};

pub use facts::FailedDepositFacts;

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "claimFailedDeposit",
    layers: &[Layer::L1],
    summary: "Get a token back on L1 whose deposit failed on L2",
    functions: &[
        &BRIDGE_RECOVER_FAILED_TRANSFER,
        &CLAIM_FAILED_DEPOSIT,
        &CLAIM_FAILED_ERC20_DEPOSIT,
        &BRIDGE_CONFIRM_TRANSFER_RESULT,
    ],
    options: &[],
    facts: &["failedDeposit"],
    read,
    recognise,
};

/// `L1Nullifier.bridgeRecoverFailedTransfer`, since v26.
pub const BRIDGE_RECOVER_FAILED_TRANSFER: Function = Function {
    signature: "bridgeRecoverFailedTransfer(uint256,address,bytes32,bytes,bytes32,uint256,uint256,uint16,bytes32[])",
    selector: [0x36, 0x01, 0xe6, 0x3e],
    parameters: || {
        vec![
            ParamType::Uint(256),                                  // _chainId
            ParamType::Address,                                    // _depositSender
            ParamType::FixedBytes(32),                             // _assetId
            ParamType::Bytes,                                      // _assetData
            ParamType::FixedBytes(32),                             // _l2TxHash
            ParamType::Uint(256),                                  // _l2BatchNumber
            ParamType::Uint(256),                                  // _l2MessageIndex
            ParamType::Uint(16),                                   // _l2TxNumberInBatch
            ParamType::Array(Box::new(ParamType::FixedBytes(32))), // _merkleProof
        ]
    },
};

/// `L1Nullifier.claimFailedDeposit`; before v26 `L1SharedBridge.claimFailedDeposit`, at the same address.
pub const CLAIM_FAILED_DEPOSIT: Function = Function {
    signature: "claimFailedDeposit(uint256,address,address,uint256,bytes32,uint256,uint256,uint16,bytes32[])",
    selector: [0xc0, 0x99, 0x15, 0x25],
    parameters: || {
        vec![
            ParamType::Uint(256),                                  // _chainId
            ParamType::Address,                                    // _depositSender
            ParamType::Address,                                    // _l1Token
            ParamType::Uint(256),                                  // _amount
            ParamType::FixedBytes(32),                             // _l2TxHash
            ParamType::Uint(256),                                  // _l2BatchNumber
            ParamType::Uint(256),                                  // _l2MessageIndex
            ParamType::Uint(16),                                   // _l2TxNumberInBatch
            ParamType::Array(Box::new(ParamType::FixedBytes(32))), // _merkleProof
        ]
    },
};

/// `L1ERC20Bridge.claimFailedDeposit`, of the Era chain.
pub const CLAIM_FAILED_ERC20_DEPOSIT: Function = Function {
    signature: "claimFailedDeposit(address,address,bytes32,uint256,uint256,uint16,bytes32[])",
    selector: [0x19, 0xfa, 0x7f, 0x62],
    parameters: || {
        vec![
            ParamType::Address,                                    // _depositSender
            ParamType::Address,                                    // _l1Token
            ParamType::FixedBytes(32),                             // _l2TxHash
            ParamType::Uint(256),                                  // _l2BatchNumber
            ParamType::Uint(256),                                  // _l2MessageIndex
            ParamType::Uint(16),                                   // _l2TxNumberInBatch
            ParamType::Array(Box::new(ParamType::FixedBytes(32))), // _merkleProof
        ]
    },
};

/// `L1Nullifier.bridgeConfirmTransferResult`, of draft-v31
/// (<https://github.com/matter-labs/era-contracts/blob/4859b6fd4/l1-contracts/contracts/bridge/L1Nullifier.sol>).
pub const BRIDGE_CONFIRM_TRANSFER_RESULT: Function = Function {
    signature: "bridgeConfirmTransferResult((uint256,address,uint16,uint8,bytes32,bytes,bytes32,uint256,uint256,bytes32[]))",
    selector: [0xc6, 0xc7, 0xaf, 0x56],
    parameters: || {
        vec![ParamType::Tuple(vec![
            ParamType::Uint(256),                                  // _chainId
            ParamType::Address,                                    // _depositSender
            ParamType::Uint(16),                                   // _l2TxNumberInBatch
            ParamType::Uint(8),                                    // _txStatus
            ParamType::FixedBytes(32),                             // _assetId
            ParamType::Bytes,                                      // _assetData
            ParamType::FixedBytes(32),                             // _l2TxHash
            ParamType::Uint(256),                                  // _l2BatchNumber
            ParamType::Uint(256),                                  // _l2MessageIndex
            ParamType::Array(Box::new(ParamType::FixedBytes(32))), // _merkleProof
        ])]
    },
};

const FACTS: &str = "/facts/failedDeposit";

/// Which function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Recover,
    TransferResult,
    Legacy,
    LegacyBridge,
}

impl Entry {
    /// What the words say where it is not the one that deposits of today lead to.
    const fn form(self) -> Option<&'static str> {
        match self {
            Self::Recover => None,
            Self::TransferResult => Some("transferResult"),
            Self::Legacy => Some("legacy"),
            Self::LegacyBridge => Some("legacyBridge"),
        }
    }

    /// The called contract; none where the network has not got it.
    fn target(self, network: &Network) -> Option<Address> {
        match self {
            Self::Recover => network.has_asset_router().then_some(network.l1_nullifier),
            Self::TransferResult => (network.protocol_version.minor >= 31).then_some(network.l1_nullifier),
            Self::Legacy => Some(network.l1_nullifier),
            Self::LegacyBridge => network.l1_erc20_bridge.filter(|_| network.is_era()),
        }
    }
}

/// The one form that an intent can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TransferResult;

impl TransferResult {
    const WORDS: &'static [(&'static str, Self)] = &[("transferResult", Self)];
}

struct ClaimFailedDeposit {
    token: TokenName,
    amount: U256,
    depositor: Address,
    origin: Option<TokenOrigin>,
    form: Option<TransferResult>,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["token", "amount", "depositor"], &["tokenOrigin", "form"])?;
    Ok(Box::new(ClaimFailedDeposit {
        token: TokenName::read(&members.required("token")?)?,
        amount: members.required("amount")?.amount()?,
        depositor: members.required("depositor")?.address(spelling)?,
        origin: members.optional("tokenOrigin").map(|origin| TokenOrigin::read(&origin)).transpose()?,
        form: members.optional("form").map(|form| form.choice(TransferResult::WORDS)).transpose()?,
    }))
}

impl Body for ClaimFailedDeposit {
    fn to_json(&self) -> Json {
        let mut members = vec![
            ("token", self.token.to_json()),
            ("amount", Json::display(self.amount)),
            ("depositor", Json::display(self.depositor)),
        ];
        members.extend(self.origin.map(|origin| ("tokenOrigin", origin.to_json())));
        members.extend(self.form.map(|_| ("form", Json::text("transferResult"))));
        Json::object(members)
    }

    fn layer(&self) -> Layer {
        Layer::L1
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/claimFailedDeposit";
        let network = context.network;
        let mut plan = Plan::default();
        let Some(facts) = context.failed_deposit else {
            plan.refusals.push(Refusal::new(
                Code::JSON_MISSING_MEMBER,
                FACTS,
                "missing: failedDeposit",
                "add the L2 transaction's status proof and the deposit (coldbridge-relay proof L2_TX_HASH)",
            ));
            return plan;
        };
        let Some(claimed) = self.claimed(network, AT, &mut plan) else { return plan };
        plan.refusals.extend(
            self.origin.and_then(|origin| judge_origin(self.token, origin, network, &format!("{AT}/tokenOrigin"))),
        );
        plan.refusals.extend(judge_recipient(self.depositor, &format!("{AT}/depositor"), network));
        if self.amount.is_zero() {
            plan.refusals.push(Refusal::new(
                Code::AMOUNT_ZERO,
                format!("{AT}/amount"),
                "the amount is 0: a deposit of nothing leaves nothing to claim",
                "state the amount of the deposit in base units (wei)",
            ));
        }
        let entry = self.entry(&facts.deposit.encoding);
        plan.refusals.extend(self.judge_entry(entry, network, AT));
        plan.refusals.extend(self.judge_deposit(&facts.deposit.encoding, claimed, network));
        plan.refusals.extend(facts.deposit.judge(self.depositor, claimed, self.amount, network));
        let hash = facts.deposit.tx_data_hash(self.depositor, claimed, self.amount);
        plan.checks.push(Check {
            name: "txDataHash",
            result: format!(
                "recomputed: {} is paid back if L1's depositHappened of chain {} and L2 transaction {} is 0x{}",
                self.depositor,
                network.l2_chain_id,
                facts.l2_tx_hash,
                hex::encode(hash)
            ),
        });
        plan.derived.push(("assetId", Json::display(claimed.asset_id)));
        plan.derived.push(("txDataHash", Json::bytes(hash)));
        judge_status(facts, network, &mut plan);
        plan.calls.extend(entry.target(network).map(|to| {
            let claim = Claim { depositor: self.depositor, claimed, amount: self.amount, facts };
            Call {
                purpose: OPERATION.name,
                to,
                value: Wei::zero(),
                calldata: claim.calldata(entry, network),
                factory_deps: Vec::new(),
                gas: CallGas::Main,
                words: claim.words(entry, network),
            }
        }));
        plan
    }
}

/// What is claimed: the asset, and its address on L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claimed {
    asset_id: AssetId,
    token: Address,
}

impl ClaimFailedDeposit {
    /// What the intent means; none, with the reason in the plan, for what no claim gives back.
    fn claimed(&self, network: &Network, at: &str, plan: &mut Plan) -> Option<Claimed> {
        let token = match (self.token, network.base_token) {
            (TokenName::Eth, BaseToken::Erc20(_)) => Address::ETH_TOKEN,
            (TokenName::Erc20(token), base) if base != BaseToken::Erc20(token) => {
                if let Some(refusal) = judge_l1_token(token, &format!("{at}/token"), network) {
                    plan.refusals.push(refusal);
                    return None;
                }
                token
            }
            _ => {
                plan.refusals.push(Refusal::new(
                    Code::CLAIM_BASE_TOKEN,
                    format!("{at}/token"),
                    format!(
                        "a deposit of the base token of {} leaves nothing on L1: when it fails, everything but the fee is \
                         minted on L2 to the refund recipient of the deposit (the depositor, if it named none)",
                        network.name
                    ),
                    "look at the balance of the refund recipient on L2",
                ));
                return None;
            }
        };
        let origin = self.origin.unwrap_or_else(|| origin_of(token, network));
        Some(Claimed { asset_id: AssetId::native_token_vault(origin.chain_id, origin.token), token })
    }

    fn entry(&self, encoding: &Encoding) -> Entry {
        match (encoding, self.form) {
            (Encoding::LegacyBridge, _) => Entry::LegacyBridge,
            (Encoding::Legacy, None) => Entry::Legacy,
            (Encoding::AssetId(_), None) => Entry::Recover,
            (Encoding::Legacy | Encoding::AssetId(_), Some(TransferResult)) => Entry::TransferResult,
        }
    }

    fn judge_entry(&self, entry: Entry, network: &Network, at: &str) -> Option<Refusal> {
        let (code, at, problem, remedy) = match (entry, self.form) {
            (Entry::LegacyBridge, Some(TransferResult)) => (
                Code::CLAIM_FORM,
                format!("{at}/form"),
                "a deposit of the legacy bridge is claimed at the legacy bridge".to_owned(),
                "leave form out",
            ),
            (Entry::TransferResult, _) if entry.target(network).is_none() => (
                Code::CLAIM_FORM,
                format!("{at}/form"),
                format!(
                    "bridgeConfirmTransferResult came with v31, and {} has protocol {}",
                    network.name, network.protocol_version
                ),
                "leave form out: the function follows from the deposit",
            ),
            (Entry::Recover, _) if entry.target(network).is_none() => (
                Code::CLAIM_ENCODING,
                format!("{FACTS}/deposit/form"),
                format!("asset ids came with v26, and {} has protocol {}", network.name, network.protocol_version),
                "write \"legacy\", the only encoding of that time, or name the network with its present version",
            ),
            (Entry::LegacyBridge, _) if entry.target(network).is_none() => (
                Code::CLAIM_ENCODING,
                format!("{FACTS}/deposit/form"),
                format!("{} has no L1ERC20Bridge: only the Era chain has", network.name),
                "write the form that the deposit was made in",
            ),
            _ => return None,
        };
        Some(Refusal::new(code, at, problem, remedy))
    }

    /// The legacy encodings name a token of L1 by its address there.
    fn judge_deposit(&self, encoding: &Encoding, claimed: Claimed, network: &Network) -> Option<Refusal> {
        let at = || format!("{FACTS}/deposit/form");
        let origin = self.origin.unwrap_or_else(|| origin_of(claimed.token, network));
        let is_foreign = origin.chain_id != network.l1_chain_id;
        match encoding {
            Encoding::LegacyBridge if claimed.token == Address::ETH_TOKEN => Some(Refusal::new(
                Code::CLAIM_ENCODING,
                at(),
                "the legacy bridge took no ETH",
                "write the form that the deposit was made in",
            )),
            Encoding::Legacy | Encoding::LegacyBridge if is_foreign => Some(
                Refusal::new(
                    Code::CLAIM_ENCODING,
                    at(),
                    "the legacy encodings are for tokens of L1, and this one is native to another chain",
                    "write \"assetId\" and the transferData of the deposit",
                )
                .reverts(contract_error::LEGACY_METHOD_FOR_NON_L1_TOKEN),
            ),
            _ => None,
        }
    }
}

/// That the transaction failed, as far as the proof and the root tell: a success and a missing log are other answers.
fn judge_status(facts: &FailedDepositFacts, network: &Network, plan: &mut Plan) {
    let evidence = &facts.evidence;
    let leaf = L2Log::status(evidence.tx_number_in_batch, facts.l2_tx_hash, TxStatus::Failure).leaf();
    let proof = match evidence.proof(network, FACTS) {
        Ok(proof) => proof,
        Err(refusal) => return plan.refusals.push(refusal),
    };
    match evidence.ending(network, &proof, leaf, FACTS) {
        Ok(ending) => evidence.report(network, leaf, ending, "the log that the transaction failed", plan),
        Err(refusal) => {
            let position = evidence.position(network);
            let told = evidence
                .batch_root
                .map(|root| inclusion(facts.l2_tx_hash, evidence.tx_number_in_batch, position, &proof, root));
            plan.refusals.push(match told {
                Some(Ok(Inclusion::Succeeded)) => Refusal::new(
                    Code::CLAIM_SUCCEEDED,
                    format!("{FACTS}/l2TxHash"),
                    format!("{} succeeded on L2: the proof holds for the log of its success", facts.l2_tx_hash),
                    "look for the tokens at the receiver on L2: there is nothing to claim",
                )
                .reverts(contract_error::INVALID_PROOF),
                _ => refusal,
            });
        }
    }
}

/// A claim whose parts are known.
struct Claim<'a> {
    depositor: Address,
    claimed: Claimed,
    amount: U256,
    facts: &'a FailedDepositFacts,
}

impl Claim<'_> {
    /// `_assetData`: byte for byte what the deposit was made with; for a legacy one only its amount counts.
    fn asset_data(&self) -> Vec<u8> {
        match &self.facts.deposit.encoding {
            Encoding::AssetId(transfer) => transfer.encode(),
            Encoding::Legacy | Encoding::LegacyBridge => {
                Transfer { amount: self.amount, receiver: Address::ZERO, token: Address::ZERO }.encode()
            }
        }
    }

    fn words(&self, entry: Entry, network: &Network) -> Json {
        match entry {
            Entry::Recover | Entry::TransferResult => {
                words(entry, self.claimed.asset_id, Transfer::read(&self.asset_data()), None, self.depositor, network)
            }
            Entry::Legacy => words(
                entry,
                self.claimed.asset_id,
                None,
                Some((self.claimed.token, Some(self.amount))),
                self.depositor,
                network,
            ),
            Entry::LegacyBridge => {
                words(entry, self.claimed.asset_id, None, Some((self.claimed.token, None)), self.depositor, network)
            }
        }
    }

    fn calldata(&self, entry: Entry, network: &Network) -> Vec<u8> {
        let facts = self.facts;
        let chain = abi::uint(network.l2_chain_id);
        let depositor = abi::address(self.depositor);
        let hash = Token::FixedBytes(facts.l2_tx_hash.0.to_vec());
        let [batch, index, number] = facts.evidence.place_tokens();
        let proof = facts.evidence.proof_token();
        let asset = Token::FixedBytes(self.claimed.asset_id.0.to_vec());
        let data = Token::Bytes(self.asset_data());
        let token = abi::address(self.claimed.token);
        match entry {
            Entry::Recover => {
                BRIDGE_RECOVER_FAILED_TRANSFER.call(&[chain, depositor, asset, data, hash, batch, index, number, proof])
            }
            Entry::TransferResult => {
                let status = abi::uint(0); // TxStatus.Failure: the native token vault takes no other
                BRIDGE_CONFIRM_TRANSFER_RESULT.call(&[Token::Tuple(vec![
                    chain, depositor, number, status, asset, data, hash, batch, index, proof,
                ])])
            }
            Entry::Legacy => CLAIM_FAILED_DEPOSIT.call(&[
                chain,
                depositor,
                token,
                abi::uint(self.amount),
                hash,
                batch,
                index,
                number,
                proof,
            ]),
            Entry::LegacyBridge => {
                CLAIM_FAILED_ERC20_DEPOSIT.call(&[depositor, token, hash, batch, index, number, proof])
            }
        }
    }
}
