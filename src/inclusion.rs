//! What became of an L1 -> L2 transaction: succeeded, failed, or not shown by this proof. A document in, a document out.
//!
//! The bootloader logs the status of each L1 -> L2 transaction (`Mailbox.proveL1ToL2TransactionStatus`,
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/state-transition/chain-deps/facets/Mailbox.sol>).
//! A proof that holds for neither status is a third answer: it says nothing of the transaction, and is not a failure.

use crate::hash::TxHash;
use crate::json::{Cursor, Json};
use crate::network::{Network, Networks};
use crate::operation::evidence::{Evidence, stored_at};
use crate::proof::{Inclusion, L2Log, Root, SettlementLayer, TxStatus, inclusion};
use crate::refusal::Refusal;

/// The name and version of the question.
pub const SCHEMA: &str = "coldbridge/inclusion/1";
/// The name and version of the answer.
pub const ANSWER: &str = "coldbridge/included/1";

/// A question whose text has been read.
pub struct Question {
    network: Network,
    l2_tx_hash: TxHash,
    evidence: Evidence,
    batch_root: Root,
}

impl Question {
    /// Reads the document.
    ///
    /// # Errors
    /// Those of JSON, and `network.unknown`.
    pub fn read(json: &Json, networks: &Networks) -> Result<Self, Refusal> {
        let root = Cursor::root(json);
        let required = [&["network", "l2TxHash"], Evidence::REQUIRED, Evidence::OPTIONAL].concat();
        let members = root.document(SCHEMA, &required, &[])?;
        Ok(Self {
            network: networks.named(&members.required("network")?)?.clone(),
            l2_tx_hash: TxHash(members.required("l2TxHash")?.fixed_bytes()?),
            evidence: Evidence::read(&members)?,
            batch_root: Root(members.required("batchRoot")?.fixed_bytes()?),
        })
    }

    /// Verifies the proof for both statuses.
    ///
    /// # Errors
    /// `proof.*` for words that are no proof on that network, and for a root that L1 does not have yet.
    pub fn answer(&self) -> Result<Json, Refusal> {
        let (network, evidence) = (&self.network, &self.evidence);
        let proof = evidence.proof(network, "")?;
        evidence.judge_root(network, proof.settled_on(), "")?;
        let refusal = |error: crate::proof::ProofError| error.refusal("/merkleProof", "/l2MessageIndex");
        let (number, position) = (evidence.tx_number_in_batch, evidence.position(network));
        let told = inclusion(self.l2_tx_hash, number, position, &proof, self.batch_root).map_err(refusal)?;
        let status = match told {
            Inclusion::Succeeded => Some(TxStatus::Success),
            Inclusion::Failed => Some(TxStatus::Failure),
            Inclusion::Missing => None,
        };
        let leaf = status.map(|status| L2Log::status(number, self.l2_tx_hash, status).leaf());
        let mut members = vec![
            ("schema", Json::text(ANSWER)),
            ("network", network.to_json_brief()),
            ("l2TxHash", Json::display(self.l2_tx_hash)),
            ("status", Json::text(told.name())),
        ];
        members.extend(evidence.place_members());
        members.push(("logLeaf", leaf.map_or(Json::Null, |leaf| Json::bytes(leaf.hash()))));
        members.push(("batchRoot", Json::display(self.batch_root)));
        members.push(("settlementLayer", proof.settled_on().map_or(Json::Null, SettlementLayer::to_json)));
        members.push(("ifStoredAt", Json::text(stored_at(network, evidence.batch_number, proof.settled_on()))));
        Ok(Json::object(members))
    }
}
