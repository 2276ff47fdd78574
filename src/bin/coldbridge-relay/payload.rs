//! One signed transaction as the journal holds it, proved again from its bytes.

use coldbridge::refusal::printable;
use coldbridge::signed::SignedTransaction;
use coldbridge::{
    Address, Code, Decoded, Digest, Layer, Network, Networks, Refusal, Signed, Spelling, Transaction, TxHash,
};

use crate::state::State;

/// Where a transaction was mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inclusion {
    /// The block's number.
    pub number: u64,
    /// The block's hash; not known of payloads that an older relay recorded.
    pub hash: Option<[u8; 32]>,
}

/// What the journal holds of a payload, as it stands there.
#[derive(Debug, Clone)]
pub struct Row {
    /// `signing_digest`, the key.
    pub signing_digest: String,
    /// `hash`
    pub hash: String,
    /// `intent_id`
    pub intent_id: Option<String>,
    /// `network`, by name.
    pub network: String,
    /// `layer`
    pub layer: String,
    /// `chain_id`
    pub chain_id: u64,
    /// `sender`
    pub sender: String,
    /// `nonce`
    pub nonce: u64,
    /// `purpose`
    pub purpose: String,
    /// `raw`
    pub raw: String,
    /// `state`
    pub state: String,
    /// `block_number`
    pub block_number: Option<u64>,
    /// `block_hash`
    pub block_hash: Option<String>,
    /// `l2_tx_hash`
    pub l2_tx_hash: Option<String>,
    /// `message`
    pub message: Option<String>,
    /// Which document of the run it belongs to.
    pub position: u64,
    /// Whether this run wrote it down first.
    pub is_new: bool,
}

/// Where a payload stands among those of its account: by nonce, and where several have one, as they were handed over.
#[derive(Debug, Clone)]
pub struct Place {
    /// The nonce.
    pub nonce: u64,
    /// Which document of the run it belongs to.
    pub position: u64,
    /// Its key.
    pub signing_digest: String,
}

/// A payload of the journal.
#[derive(Debug, Clone)]
pub struct Payload<'a> {
    /// `intent.id` of its request.
    pub intent_id: Option<String>,
    /// The network.
    pub network: &'a Network,
    /// Where it runs.
    pub layer: Layer,
    /// The sender.
    pub from: Address,
    /// The operation that it belongs to.
    pub purpose: String,
    /// The bytes to send.
    pub raw: Vec<u8>,
    /// What they say.
    pub transaction: Transaction,
    /// By which a node knows it: computed from the bytes.
    pub hash: TxHash,
    /// What was signed: computed from the bytes.
    pub signing_digest: Digest,
    /// Where it stands.
    pub state: State,
    /// Where it was seen mined.
    pub inclusion: Option<Inclusion>,
    /// Which document of the run it belongs to.
    pub position: u64,
    /// Whether this run wrote it down first.
    pub is_new: bool,
}

impl<'a> Payload<'a> {
    /// Reads a row. Everything that counts is computed from the bytes and compared.
    ///
    /// # Errors
    /// `relay.journal` for a row that does not say what its bytes say, `network.unknown` for a network that is not given.
    pub fn read(row: Row, networks: &'a Networks) -> Result<Self, Refusal> {
        let network = networks.find(&row.network).ok_or_else(|| {
            Refusal::new(
                Code::NETWORK_UNKNOWN,
                "",
                format!("the journal has a payload of the network {}, which is not known", printable(&row.network)),
                "add the --network-file that it was broadcast with",
            )
        })?;
        let damaged = |what: &str| {
            Refusal::new(
                Code::RELAY_JOURNAL,
                "",
                format!("the journal's {what} of {} is not what its bytes say", printable(&row.hash)),
                "the journal was changed by something else: start a new one and broadcast the document again",
            )
        };
        let raw = row.raw.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
        let raw = raw.ok_or_else(|| damaged("raw"))?;
        let decoded = Decoded::read(&raw, "").map_err(|_| damaged("raw"))?;
        let hash = decoded.hash().filter(|hash| hash.to_string() == row.hash).ok_or_else(|| damaged("hash"))?;
        let signing_digest = decoded.transaction.signing_digest();
        if signing_digest.to_string() != row.signing_digest {
            return Err(damaged("signing digest"));
        }
        let layer = [Layer::L1, Layer::L2].into_iter().find(|layer| layer.name() == row.layer);
        let layer = layer.ok_or_else(|| damaged("layer"))?;
        let chain_id = network.chain_id(layer);
        if decoded.transaction.chain_id() != Some(chain_id) || row.chain_id != chain_id {
            return Err(damaged("chain id"));
        }
        let from = Address::parse(&row.sender, Spelling::AnyCase).map_err(|_| damaged("sender"))?;
        let is_senders = decoded.signer().is_none_or(|signer| signer == from);
        if !is_senders || decoded.transaction.nonce() != row.nonce {
            return Err(damaged("sender or nonce"));
        }
        let word = |text: &Option<String>| {
            text.as_ref().map(|text| hex::decode(text.trim_start_matches("0x")).ok()?.try_into().ok())
        };
        let block_hash = word(&row.block_hash).map(|hash| hash.ok_or_else(|| damaged("block hash"))).transpose()?;
        let state = State::named(&row.state).ok_or_else(|| damaged("state"))?;
        Ok(Self {
            network,
            layer,
            from,
            raw,
            transaction: decoded.transaction,
            hash,
            signing_digest,
            state,
            inclusion: row.block_number.map(|number| Inclusion { number, hash: block_hash }),
            intent_id: row.intent_id,
            purpose: row.purpose,
            position: row.position,
            is_new: row.is_new,
        })
    }

    /// A transaction of a signed document, of which no journal knows.
    pub fn of(signed: &Signed, transaction: &SignedTransaction, network: &'a Network) -> Self {
        Self {
            intent_id: signed.intent_id().map(str::to_owned),
            network,
            layer: transaction.layer(),
            from: signed.from(),
            purpose: transaction.purpose().to_owned(),
            raw: transaction.raw().to_vec(),
            transaction: transaction.transaction().clone(),
            hash: transaction.hash(),
            signing_digest: transaction.signing_digest(),
            state: State::Recorded,
            inclusion: None,
            position: 0,
            is_new: false,
        }
    }

    /// Its place among the payloads of its account.
    pub fn place(&self) -> Place {
        Place { nonce: self.nonce(), position: self.position, signing_digest: self.signing_digest.to_string() }
    }

    /// The sender's nonce.
    pub fn nonce(&self) -> u64 {
        self.transaction.nonce()
    }
}
