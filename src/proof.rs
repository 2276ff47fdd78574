//! Merkle proofs of L2 -> L1 logs: that a message was sent, or how an L1 -> L2 transaction ended.
//!
//! `MessageHashing` and `Merkle` of the L1 contracts
//! (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/libraries/MessageHashing.sol>):
//! a log is a leaf of its batch's tree, whose root L1 stores (`l2LogsRootHash(batch)` of the chain's diamond). A chain that
//! settles on a Gateway has its batches in a tree of their own, that tree in the Gateway's tree of chains, and only the
//! root of the Gateway's batch stands on L1 (at the Gateway's diamond): then *that* root is where a proof ends.
//!
//! Stricter than the contracts where they are lenient: every word of a proof is used exactly once, and the flag of a final
//! node is 0 or 1. A [`Proof`] that was read has the one form of its words.

use std::fmt;

use ethabi::ethereum_types::U256;

use crate::address::Address;
use crate::hash::{TxHash, keccak256, keccak256_concat};
use crate::json::Json;
use crate::refusal::{Code, ContractError, Refusal, contract_error};

/// A word of a proof.
pub type Word = [u8; 32];

/// `L2Log`: what L2 tells L1, 88 bytes that are hashed to a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct L2Log {
    /// Always 0 so far.
    pub shard_id: u8,
    /// Whether a system contract sent it.
    pub is_service: bool,
    /// The transaction's position in its *batch*, not in its block.
    pub tx_number_in_batch: u16,
    /// The contract that sent it.
    pub sender: Address,
    /// Its key.
    pub key: Word,
    /// Its value.
    pub value: Word,
}

/// How an L1 -> L2 transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxStatus {
    /// Its call was reverted; whatever it carried went to the refund recipient or can be claimed.
    Failure,
    /// Its call was executed.
    Success,
}

impl L2Log {
    /// `_l2MessageToLog`: a message that an account on L2 sent through the L1Messenger.
    pub fn message(tx_number_in_batch: u16, sender: Address, message: &[u8]) -> Self {
        let mut key = [0; 32];
        key[12..].copy_from_slice(sender.as_bytes());
        Self {
            shard_id: 0,
            is_service: true,
            tx_number_in_batch,
            sender: Address::L1_MESSENGER,
            key,
            value: keccak256(message),
        }
    }

    /// `getL2LogFromL1ToL2Transaction`: what the bootloader says when it has processed an L1 -> L2 transaction.
    pub fn status(tx_number_in_batch: u16, l2_tx_hash: TxHash, status: TxStatus) -> Self {
        let mut value = [0; 32];
        value[31] = match status {
            TxStatus::Failure => 0,
            TxStatus::Success => 1,
        };
        Self {
            shard_id: 0,
            is_service: true,
            tx_number_in_batch,
            sender: Address::BOOTLOADER,
            key: l2_tx_hash.0,
            value,
        }
    }

    /// Its 88 bytes.
    pub fn packed(&self) -> Vec<u8> {
        [
            [self.shard_id, u8::from(self.is_service)].as_slice(),
            &self.tx_number_in_batch.to_be_bytes(),
            self.sender.as_bytes(),
            &self.key,
            &self.value,
        ]
        .concat()
    }

    /// Its leaf.
    pub fn leaf(&self) -> Leaf {
        Leaf(keccak256(&self.packed()))
    }
}

/// A leaf of a tree of logs or of chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf(Word);

impl Leaf {
    /// Its hash.
    pub const fn hash(self) -> Word {
        self.0
    }
}

/// `L2_L1_LOGS_TREE_DEFAULT_LEAF_HASH`: what fills a tree up, keccak256 of 88 zero bytes.
fn default_leaf() -> Leaf {
    Leaf(keccak256(&[0; 88]))
}

/// The root of a tree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Root(pub Word);

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({self})")
    }
}

/// Where in which batch of which chain a log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The chain.
    pub chain_id: u64,
    /// `l2BatchNumber`: the number of the batch, not of a block.
    pub batch_number: u64,
    /// `l2MessageIndex`: the leaf's index in the batch's tree, which the node calls the proof's `id`.
    pub index: U256,
}

/// A proof whose words have been told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    format: Format,
    path: Vec<Word>,
    settlement: Option<Settlement>,
}

/// The two ways to write a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The path alone: all there was before v26.
    Plain,
    /// A word of metadata first.
    Metadata,
}

/// What follows the log's path where the chain settles on another chain than L1.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settlement {
    batch_index: U256,
    batch_path: Vec<Word>,
    batch_number: u128,
    chain_index: u128,
    chain_id: u64,
    path: Vec<Word>,
}

/// Where a proof ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// The root of the log's own batch.
    pub chain_root: Root,
    /// The root that L1 must have stored: the same, or that of the settlement layer's batch.
    pub root: Root,
    /// The settlement layer, if it is not L1.
    pub settled_on: Option<SettlementLayer>,
}

/// A chain that batches are settled on in place of L1, and which of its batches holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettlementLayer {
    /// Its chain id.
    pub chain_id: u64,
    /// Its batch.
    pub batch_number: u128,
}

impl SettlementLayer {
    /// `{"chainId","batchNumber"}`
    pub fn to_json(self) -> Json {
        let batch = Json::count(U256::from(self.batch_number));
        Json::object([("chainId", Json::count(self.chain_id)), ("batchNumber", batch)])
    }
}

/// Why words are no proof, or none of this leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofError {
    /// There is no word.
    Empty,
    /// The leaf is the one that fills trees up.
    DefaultLeaf,
    /// A metadata version other than 1.
    Version(u8),
    /// A final-node flag other than 0 and 1.
    FinalFlag(u8),
    /// A final node with a batch leaf path.
    FinalWithBatchPath(u8),
    /// The metadata announce more words than there are.
    Truncated(usize),
    /// Words that nothing reads.
    Trailing(usize),
    /// A path of 256 words and more.
    PathTooLong(usize),
    /// An index that a path of this length does not have.
    IndexOutOfBounds(usize),
    /// The same within the settlement layer's part.
    SettlementIndexOutOfBounds(usize),
    /// The settlement layer's own proof has no metadata.
    SettlementFormat,
    /// The settlement layer settles on yet another chain.
    TooDeep,
    /// The settlement layer's chain id is above 2^64-1.
    SettlementChainId,
}

/// The version byte of metadata.
const METADATA_VERSION: u8 = 1;

/// The four bytes of a word of metadata.
struct Metadata {
    log_path: usize,
    batch_path: usize,
    is_final: bool,
}

impl Metadata {
    /// The metadata in a word, or none if it is a hash: metadata end in 28 zero bytes.
    fn read(word: &Word) -> Result<Option<Self>, ProofError> {
        let [version, log_path, batch_path, flag, zeros @ ..] = word;
        if zeros.iter().any(|byte| *byte != 0) {
            return Ok(None);
        }
        if *version != METADATA_VERSION {
            return Err(ProofError::Version(*version));
        }
        let is_final = match flag {
            0 => false,
            1 => true,
            other => return Err(ProofError::FinalFlag(*other)),
        };
        if is_final && *batch_path != 0 {
            return Err(ProofError::FinalWithBatchPath(*batch_path));
        }
        Ok(Some(Self { log_path: usize::from(*log_path), batch_path: usize::from(*batch_path), is_final }))
    }

    fn write(log_path: usize, batch_path: usize, is_final: bool) -> Word {
        let mut word = [0; 32];
        let length = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
        word[..4].copy_from_slice(&[METADATA_VERSION, length(log_path), length(batch_path), u8::from(is_final)]);
        word
    }
}

/// The words of a proof that nobody has read yet.
struct Words<'a>(&'a [Word]);

impl Words<'_> {
    fn take(&mut self, count: usize) -> Result<Vec<Word>, ProofError> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or_else(|| ProofError::Truncated(count.saturating_sub(self.0.len())))?;
        self.0 = rest;
        Ok(taken.to_vec())
    }

    fn next(&mut self) -> Result<Word, ProofError> {
        let (first, rest) = self.0.split_first().ok_or(ProofError::Truncated(1))?;
        self.0 = rest;
        Ok(*first)
    }

    fn end(self) -> Result<(), ProofError> {
        if self.0.is_empty() { Ok(()) } else { Err(ProofError::Trailing(self.0.len())) }
    }
}

impl Proof {
    /// Tells the words apart.
    pub fn read(words: &[Word]) -> Result<Self, ProofError> {
        let mut rest = Words(words);
        let first = words.first().ok_or(ProofError::Empty)?;
        let Some(metadata) = Metadata::read(first)? else {
            // A path of 256 words has an index of 256 bits: `MerklePathOutOfBounds`.
            let path =
                if words.len() < 256 { words.to_vec() } else { return Err(ProofError::PathTooLong(words.len())) };
            return Ok(Self { format: Format::Plain, path, settlement: None });
        };
        rest.next()?;
        let path = rest.take(metadata.log_path)?;
        let settlement = if metadata.is_final { None } else { Some(Settlement::read(&mut rest, metadata.batch_path)?) };
        rest.end()?;
        Ok(Self { format: Format::Metadata, path, settlement })
    }

    /// The words again.
    pub fn words(&self) -> Vec<Word> {
        let mut words = Vec::new();
        if self.format == Format::Metadata {
            let batch_path = self.settlement.as_ref().map_or(0, |settlement| settlement.batch_path.len());
            words.push(Metadata::write(self.path.len(), batch_path, self.settlement.is_none()));
        }
        words.extend_from_slice(&self.path);
        if let Some(settlement) = &self.settlement {
            settlement.write(&mut words);
        }
        words
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many words lead from the log to its batch's root: 15 since v26 (the last is the aggregated root), before that
    /// the height of the tree.
    pub fn log_path_length(&self) -> usize {
        self.path.len()
    }

    /// The chain that it says the batch was settled on; none: L1.
    pub fn settled_on(&self) -> Option<SettlementLayer> {
        self.settlement
            .as_ref()
            .map(|settlement| SettlementLayer { chain_id: settlement.chain_id, batch_number: settlement.batch_number })
    }

    /// Where it ends for a leaf at this position: whoever knows that root knows that the leaf is in it.
    pub fn ending(&self, leaf: Leaf, position: Position) -> Result<Ending, ProofError> {
        if leaf == default_leaf() {
            return Err(ProofError::DefaultLeaf);
        }
        let out_of_bounds = ProofError::IndexOutOfBounds(self.path.len());
        let chain_root = calculate_root(&self.path, position.index, leaf.0).ok_or(out_of_bounds)?;
        let root = match &self.settlement {
            None => chain_root,
            Some(settlement) => settlement.root(chain_root, position)?,
        };
        Ok(Ending { chain_root: Root(chain_root), root: Root(root), settled_on: self.settled_on() })
    }
}

impl Settlement {
    fn read(rest: &mut Words<'_>, batch_path: usize) -> Result<Self, ProofError> {
        let batch_index = U256::from_big_endian(&rest.next()?);
        let batch_path = rest.take(batch_path)?;
        let packed = U256::from_big_endian(&rest.next()?);
        let chain_id = U256::from_big_endian(&rest.next()?);
        let metadata = Metadata::read(&rest.next()?)?.ok_or(ProofError::SettlementFormat)?;
        if !metadata.is_final {
            return Err(ProofError::TooDeep);
        }
        Ok(Self {
            batch_index,
            batch_path,
            batch_number: (packed >> 128).low_u128(),
            chain_index: packed.low_u128(),
            chain_id: u64::try_from(chain_id).map_err(|_| ProofError::SettlementChainId)?,
            path: rest.take(metadata.log_path)?,
        })
    }

    fn write(&self, words: &mut Vec<Word>) {
        words.push(word(self.batch_index));
        words.extend_from_slice(&self.batch_path);
        words.push(word((U256::from(self.batch_number) << 128) | U256::from(self.chain_index)));
        words.push(word(self.chain_id.into()));
        words.push(Metadata::write(self.path.len(), 0, true));
        words.extend_from_slice(&self.path);
    }

    /// The batch's root is a leaf of the chain's tree, whose root is a leaf of the settlement layer's tree of chains.
    fn root(&self, chain_root: Word, position: Position) -> Result<Word, ProofError> {
        let out_of_bounds = |path: &[Word]| ProofError::SettlementIndexOutOfBounds(path.len());
        let padding = keccak256(b"zkSync:BatchLeaf");
        let batch_leaf = keccak256_concat(&[&padding, &chain_root, &word(position.batch_number.into())]);
        let chain_id_root = calculate_root(&self.batch_path, self.batch_index, batch_leaf)
            .ok_or_else(|| out_of_bounds(&self.batch_path))?;
        let padding = keccak256(b"zkSync:ChainIdLeaf");
        let chain_leaf = keccak256_concat(&[&padding, &chain_id_root, &word(position.chain_id.into())]);
        calculate_root(&self.path, self.chain_index.into(), chain_leaf).ok_or_else(|| out_of_bounds(&self.path))
    }
}

/// `Merkle.calculateRoot`: a 0 bit of the index (the lowest first) has the sibling on the right. None for an index that a
/// tree of this height does not have.
fn calculate_root(path: &[Word], index: U256, leaf: Word) -> Option<Word> {
    if index.bits() > path.len() {
        return None;
    }
    let climb = |(node, index): (Word, U256), sibling: &Word| {
        let pair = if index.bit(0) { [sibling, &node] } else { [&node, sibling] };
        (keccak256_concat(&[pair[0], pair[1]]), index >> 1)
    };
    Some(path.iter().fold((leaf, index), climb).0)
}

fn word(value: U256) -> Word {
    let mut word = [0; 32];
    value.to_big_endian(&mut word);
    word
}

/// How an L1 -> L2 transaction ended, as far as a proof and a root tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inclusion {
    /// The bootloader said that it succeeded.
    Succeeded,
    /// The bootloader said that it failed.
    Failed,
    /// The proof holds for neither: no such log is shown.
    Missing,
}

impl Inclusion {
    /// The word of documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

/// `proveL1ToL2TransactionStatus` for both statuses.
pub fn inclusion(
    l2_tx_hash: TxHash,
    tx_number_in_batch: u16,
    position: Position,
    proof: &Proof,
    root: Root,
) -> Result<Inclusion, ProofError> {
    let ends_in_root = |status| {
        let leaf = L2Log::status(tx_number_in_batch, l2_tx_hash, status).leaf();
        proof.ending(leaf, position).map(|ending| ending.root == root)
    };
    Ok(match (ends_in_root(TxStatus::Success)?, ends_in_root(TxStatus::Failure)?) {
        (true, _) => Inclusion::Succeeded,
        (false, true) => Inclusion::Failed,
        (false, false) => Inclusion::Missing,
    })
}

impl ProofError {
    /// What the chain would have answered, if not with a wrong root.
    pub fn contract_error(self) -> Option<ContractError> {
        match self {
            Self::Empty => Some(contract_error::MERKLE_PATH_EMPTY),
            Self::DefaultLeaf => Some(contract_error::HASHED_LOG_IS_DEFAULT),
            Self::Version(_) => Some(contract_error::UNSUPPORTED_PROOF_METADATA_VERSION),
            Self::FinalWithBatchPath(_) => Some(contract_error::INVALID_PROOF_LENGTH_FOR_FINAL_NODE),
            Self::Truncated(_) => Some(contract_error::PANIC),
            Self::PathTooLong(_) => Some(contract_error::MERKLE_PATH_OUT_OF_BOUNDS),
            Self::IndexOutOfBounds(_) | Self::SettlementIndexOutOfBounds(_) => {
                Some(contract_error::MERKLE_INDEX_OUT_OF_BOUNDS)
            }
            Self::SettlementChainId => Some(contract_error::NOT_SETTLEMENT_LAYER),
            Self::FinalFlag(_) | Self::Trailing(_) | Self::SettlementFormat | Self::TooDeep => None,
        }
    }

    /// The refusal, of the words of a proof at `proof_at` or of an index at `index_at`.
    pub fn refusal(self, proof_at: &str, index_at: &str) -> Refusal {
        const AGAIN: &str = "copy the words that zks_getL2ToL1LogProof answers, all of them and in order";
        let (code, at, problem) = match self {
            Self::Empty => (Code::PROOF_FORMAT, proof_at, "a proof without a word proves nothing".to_owned()),
            Self::DefaultLeaf => (Code::PROOF_FORMAT, proof_at, "the leaf is the one that fills trees up".to_owned()),
            Self::Version(version) => (
                Code::PROOF_FORMAT,
                proof_at,
                format!("the first word says metadata version {version}, only 1 is known"),
            ),
            Self::FinalFlag(flag) => (
                Code::PROOF_FORMAT,
                proof_at,
                format!("the final-node flag of the metadata is {flag}, neither 0 nor 1"),
            ),
            Self::FinalWithBatchPath(length) => (
                Code::PROOF_FORMAT,
                proof_at,
                format!("the metadata announce {length} words for a settlement layer, and that there is none"),
            ),
            Self::Truncated(missing) => {
                (Code::PROOF_FORMAT, proof_at, format!("{missing} of the words that the metadata announce are missing"))
            }
            Self::Trailing(count) => (
                Code::PROOF_TRAILING,
                proof_at,
                format!("{count} words follow the end of the proof, and nothing reads them"),
            ),
            Self::PathTooLong(length) => {
                (Code::PROOF_FORMAT, proof_at, format!("a path of {length} words; no tree is that high"))
            }
            Self::IndexOutOfBounds(length) => (
                Code::PROOF_INDEX,
                index_at,
                format!("a path of {length} words leads to the leaves 0 to 2^{length}-1, not to that one"),
            ),
            Self::SettlementIndexOutOfBounds(length) => (
                Code::PROOF_FORMAT,
                proof_at,
                format!("an index in the settlement layer's part is above 2^{length}-1, the last one of its path"),
            ),
            Self::SettlementFormat => {
                (Code::PROOF_FORMAT, proof_at, "the settlement layer's part has no metadata of its own".to_owned())
            }
            Self::TooDeep => (
                Code::PROOF_FORMAT,
                proof_at,
                "the settlement layer itself settles on a third chain: no chain does that".to_owned(),
            ),
            Self::SettlementChainId => {
                (Code::PROOF_FORMAT, proof_at, "the settlement layer's chain id is above 2^64-1".to_owned())
            }
        };
        let remedy = if code == Code::PROOF_INDEX { "write the id that zks_getL2ToL1LogProof answers" } else { AGAIN };
        let refusal = Refusal::new(code, at, problem, remedy);
        match self.contract_error() {
            Some(error) => refusal.reverts(error),
            None => refusal,
        }
    }
}
