//! What the online host shows of a log of L2: where it stands, its Merkle proof, and the root that L1 is said to have.
//!
//! Everything but the root is recomputed to where it ends; the root is what the owner compares with L1.

use ethabi::ethereum_types::U256;

use super::{Check, Plan, TokenName};
use crate::abi::{self, Token};
use crate::address::Address;
use crate::asset::AssetId;
use crate::json::{Cursor, Json, Members};
use crate::network::{Layer, Network, TokenOrigin};
use crate::proof::{Ending, Format, Leaf, Position, Proof, Root, SettlementLayer, Word};
use crate::refusal::{Code, Refusal, contract_error};

/// The members that `facts.withdrawal` and `facts.failedDeposit` have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The batch: not the block.
    pub batch_number: u64,
    /// The leaf's index among all logs of the batch.
    pub index: U256,
    /// The transaction's number in the batch: not in the block.
    pub tx_number_in_batch: u16,
    /// The words of the proof.
    pub words: Vec<Word>,
    /// The root that L1 is said to have stored.
    pub batch_root: Option<Root>,
}

impl Evidence {
    /// Its members.
    pub const REQUIRED: &'static [&'static str] =
        &["l2BatchNumber", "l2MessageIndex", "l2TxNumberInBatch", "merkleProof"];
    /// Its member that may be absent.
    pub const OPTIONAL: &'static [&'static str] = &["batchRoot"];

    /// Reads them.
    pub fn read(members: &Members<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            batch_number: members.required("l2BatchNumber")?.count(u64::MAX)?,
            index: members.required("l2MessageIndex")?.wide_count()?,
            tx_number_in_batch: members.required("l2TxNumberInBatch")?.count(u16::MAX)?,
            words: members
                .required("merkleProof")?
                .items()?
                .iter()
                .map(Cursor::fixed_bytes)
                .collect::<Result<_, _>>()?,
            batch_root: members.optional("batchRoot").map(|root| root.fixed_bytes().map(Root)).transpose()?,
        })
    }

    /// The first three members again.
    pub fn place_members(&self) -> [(&'static str, Json); 3] {
        [
            ("l2BatchNumber", Json::count(self.batch_number)),
            ("l2MessageIndex", Json::count(self.index)),
            ("l2TxNumberInBatch", Json::count(u64::from(self.tx_number_in_batch))),
        ]
    }

    /// The proof and the root again.
    pub fn proof_members(&self) -> Vec<(&'static str, Json)> {
        let mut members = vec![("merkleProof", Json::Array(self.words.iter().map(Json::bytes).collect()))];
        members.extend(self.batch_root.map(|root| ("batchRoot", Json::display(root))));
        members
    }

    /// The proof as an argument.
    pub fn proof_token(&self) -> Token {
        Token::Array(self.words.iter().map(|word| Token::FixedBytes(word.to_vec())).collect())
    }

    /// The batch, the index and the transaction's number as arguments.
    pub fn place_tokens(&self) -> [Token; 3] {
        [abi::uint(self.batch_number), abi::uint(self.index), abi::uint(u64::from(self.tx_number_in_batch))]
    }

    /// The log's place.
    pub fn position(&self, network: &Network) -> Position {
        Position { chain_id: network.l2_chain_id, batch_number: self.batch_number, index: self.index }
    }

    /// The proof, as far as this network takes it. `at` is where the evidence stands in the request.
    pub fn proof(&self, network: &Network, at: &str) -> Result<Proof, Refusal> {
        let proof_at = format!("{at}/merkleProof");
        if self.batch_number == 0 {
            return Err(Refusal::new(
                Code::PROOF_BATCH,
                format!("{at}/l2BatchNumber"),
                "batch 0 is the genesis: it has no logs",
                "write the number of the batch (batchNumber of the proof, or l1BatchNumber of the receipt), not of a block",
            )
            .reverts(contract_error::LOCAL_ROOT_IS_ZERO));
        }
        let proof = Proof::read(&self.words).map_err(|error| error.refusal(&proof_at, &proof_at))?;
        if proof.format() == Format::Metadata && !network.has_asset_router() {
            return Err(Refusal::new(
                Code::PROOF_FORMAT,
                proof_at,
                format!(
                    "the first word describes the proof, which came with v26, and {} has protocol {}",
                    network.name, network.protocol_version
                ),
                "copy the proof as a node of that version answers it: the path alone",
            ));
        }
        if let Some(layer) = proof.settled_on()
            && !network.settlement_layers.contains(&layer.chain_id)
        {
            let known = network.settlement_layers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            return Err(Refusal::new(
                Code::PROOF_SETTLEMENT_LAYER,
                proof_at,
                format!(
                    "the proof says that the batch was settled on chain {}, no Gateway of {}",
                    layer.chain_id, network.name
                ),
                format!(
                    "known settlement layers: {known}; another one is pinned with settlementLayers of a network file"
                ),
            )
            .values(known, layer.chain_id)
            .reverts(contract_error::NOT_SETTLEMENT_LAYER));
        }
        Ok(proof)
    }

    /// Where the proof ends for a leaf, and that the given root is that one.
    pub fn ending(&self, network: &Network, proof: &Proof, leaf: Leaf, at: &str) -> Result<Ending, Refusal> {
        let proof_at = format!("{at}/merkleProof");
        let ending = proof
            .ending(leaf, self.position(network))
            .map_err(|error| error.refusal(&proof_at, &format!("{at}/l2MessageIndex")))?;
        self.judge_root(network, ending.settled_on, at)?;
        let Some(root) = self.batch_root else { return Ok(ending) };
        if root == ending.root {
            return Ok(ending);
        }
        let place = stored_at(network, self.batch_number, ending.settled_on);
        let remedy = if root == ending.chain_root {
            format!(
                "batchRoot is the chain's own root, which L1 does not have for a batch that was settled elsewhere: write {place}"
            )
        } else {
            format!("write {place} as batchRoot; if it is, copy message, numbers and proof again")
        };
        Err(Refusal::new(
            Code::PROOF_ROOT,
            proof_at,
            format!("the proof ends in {}, not in batchRoot {root}", ending.root),
            remedy,
        )
        .values(root, ending.root)
        .reverts(contract_error::INVALID_PROOF))
    }

    /// A root of zero is what L1 answers for a batch that it does not have.
    pub fn judge_root(&self, network: &Network, settled_on: Option<SettlementLayer>, at: &str) -> Result<(), Refusal> {
        if self.batch_root != Some(Root([0; 32])) {
            return Ok(());
        }
        let place = stored_at(network, self.batch_number, settled_on);
        Err(Refusal::new(
            Code::PROOF_NOT_EXECUTED,
            format!("{at}/batchRoot"),
            format!("batchRoot is zero: L1 has no root of batch {} yet", self.batch_number),
            format!("wait until the batch is executed, then write {place}"),
        )
        .reverts(contract_error::BATCH_NOT_EXECUTED))
    }

    /// Says in the plan where the proof ends, and in capitals if nothing shows that L1 has that root.
    pub fn report(&self, network: &Network, leaf: Leaf, ending: Ending, what: &str, plan: &mut Plan) {
        let place = stored_at(network, self.batch_number, ending.settled_on);
        if let Some(layer) = ending.settled_on {
            plan.checks.push(Check {
                name: "settlementLayer",
                result: format!(
                    "pinned: the batch was settled on chain {} (in its batch {}), a settlement layer of {}",
                    layer.chain_id, layer.batch_number, network.name
                ),
            });
        }
        let root = ending.root;
        let result = if self.batch_root.is_some() {
            format!(
                "verified: {what} is leaf {} of batch {}, as the proof ends in batchRoot {root} which must be {place}",
                self.index, self.batch_number
            )
        } else {
            let text = format!(
                "THE PROOF IS NOT VERIFIED: THERE IS NO batchRoot. Nothing shows that L2 said this; the proof ends in {root} \
                 which must be {place}: look there before you pay for gas"
            );
            plan.warnings.push(text.clone());
            text
        };
        plan.checks.push(Check { name: "proof", result });
        plan.derived.push(("logLeaf", Json::bytes(leaf.hash())));
        plan.derived.push(("proofRoot", Json::display(root)));
        plan.derived.extend(ending.settled_on.map(|layer| ("settlementLayer", layer.to_json())));
    }
}

/// Where L1 stores the root that a proof ends in.
pub fn stored_at(network: &Network, batch_number: u64, settled_on: Option<SettlementLayer>) -> String {
    match (settled_on, network.protocol_version.minor >= 31) {
        (None, false) => format!("l2LogsRootHash({batch_number}) of the diamond {}", network.diamond_proxy),
        (Some(layer), false) => {
            format!("l2LogsRootHash({}) of the L1 diamond of chain {}", layer.batch_number, layer.chain_id)
        }
        (None, true) => format!("chainBatchRoots({}, {batch_number}) of the MessageRoot", network.l2_chain_id),
        (Some(layer), true) => {
            format!("chainBatchRoots({}, {}) of the MessageRoot", layer.chain_id, layer.batch_number)
        }
    }
}

/// Where a token at this address of L1 is native: where the network says, otherwise there.
pub fn origin_of(token: Address, network: &Network) -> TokenOrigin {
    let native = TokenOrigin { chain_id: network.l1_chain_id, token };
    network.token_at(Layer::L1, token).map_or(native, |known| known.origin)
}

/// Whether a token that L1 pays out can be native where the intent says.
pub fn judge_origin(token: TokenName, origin: TokenOrigin, network: &Network, at: &str) -> Option<Refusal> {
    let problem = match token {
        TokenName::Eth | TokenName::Base => "ETH and the base token have no other origin".to_owned(),
        TokenName::Erc20(token) if origin.chain_id == network.l1_chain_id && origin.token != token => {
            format!("on L1 (chain {}) the token is {token} itself, not {}", origin.chain_id, origin.token)
        }
        TokenName::Erc20(token) if network.token_at(Layer::L1, token).is_some_and(|known| known.origin != origin) => {
            format!("{} pins another origin of {token}", network.name)
        }
        TokenName::Erc20(token) if let Some((symbol, pinned)) = network.token_elsewhere(Layer::L1, token, origin) => {
            format!("that is the origin of {symbol}, which is {pinned} on L1, not {token}")
        }
        TokenName::Erc20(_) => return None,
    };
    Some(Refusal::new(
        Code::TOKEN_ORIGIN,
        at,
        problem,
        "leave it out for a token of L1, or name the chain where the token is native and its address there",
    ))
}

/// The token on L1 of an asset, as far as it is said: at the address that the bytes name, or one that the network pins.
pub fn token_of_asset(asset: AssetId, named: Option<Address>, network: &Network) -> Option<Address> {
    let id_of = |origin: TokenOrigin| AssetId::native_token_vault(origin.chain_id, origin.token);
    let named = named.filter(|token| id_of(origin_of(*token, network)) == asset);
    named.or_else(|| network.tokens.iter().find(|token| id_of(token.origin) == asset)?.l1_address)
}

/// What is wrong with the address that a call names beside an asset id, where `token` is the one that the asset is shown as.
pub fn judge_name(network: &Network, layer: Layer, asset: AssetId, named: Address, token: Address) -> Option<String> {
    let id_of = |origin: TokenOrigin| AssetId::native_token_vault(origin.chain_id, origin.token);
    let refused = "the chain refuses that (AssetIdMismatch)";
    match network.token_at(layer, named) {
        _ if named == Address::ZERO && token == Address::ZERO => {
            Some(format!("the call names asset {asset} without its token: nothing here tells what is taken"))
        }
        _ if named != token && named != Address::ZERO => {
            Some(format!("the call names {named} beside the asset id of {token}: {refused}"))
        }
        Some(known) if id_of(known.origin) != asset => {
            Some(format!("the asset id is not that of {}, which {named} is: {refused}", known.symbol))
        }
        _ => None,
    }
}

/// The words of a proof in a decoded call.
pub fn proof_words(token: &Token) -> Option<Vec<Word>> {
    let Token::Array(words) = token else { return None };
    words
        .iter()
        .map(|word| match word {
            Token::FixedBytes(bytes) => bytes.as_slice().try_into().ok(),
            _ => None,
        })
        .collect()
}
