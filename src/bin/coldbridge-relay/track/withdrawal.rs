//! The other side of messages to L1: their batch, whether L1 has executed it, and whether they are finalized.
//!
//! A proof that is there says nothing: nodes answer one before the batch is committed. Ready means that
//! `getTotalBatchesExecuted` has reached the batch; earlier the Nullifier reverts with `BatchNotExecuted`.

use coldbridge::network::Vm;
use coldbridge::proof::Proof;
use coldbridge::{Address, Layer, Network, Refusal, TxHash};
use serde_json::{Value, json};

use crate::announced::disagree;
use crate::answer::{address, word};
use crate::contract::{Contract, word_of_count};
use crate::endpoints::Endpoints;
use crate::number::{address_of, count, count_of};
use crate::quorum::Quorum;

use super::report::{Message, Report, Stage};

/// `L1Messenger`, the sender of all messages.
const L1_MESSENGER: Address = {
    let mut bytes = [0; 20];
    bytes[18] = 0x80;
    bytes[19] = 0x08;
    Address::from_bytes(bytes)
};

/// Says of each message of the transaction how far it has come, and of the transaction what the slowest has reached.
pub fn follow(report: &mut Report<'_>, network: &Network, endpoints: &Endpoints) -> Result<(), Refusal> {
    let l2 = endpoints.of(network, Layer::L2)?;
    let hash = report.hash;
    let logs = l2.lookup("eth_getTransactionReceipt", &json!([hash.to_string()]), Value::is_null, Logs::read)?;
    let Some(logs) = logs else { return Ok(()) };
    let positions = logs.senders.iter().enumerate().filter(|(_, sender)| **sender == L1_MESSENGER);
    for (index, (position, _)) in positions.enumerate() {
        let mut message = one(hash, position, &logs, network, endpoints, &l2)?;
        message.index = u64::try_from(index).unwrap_or(u64::MAX);
        report.messages.push(message);
    }
    let order = [Stage::Included, Stage::ProofReady, Stage::Finalized];
    let slowest = order.into_iter().find(|stage| report.messages.iter().any(|message| message.stage == *stage));
    let is_mute = report.messages.is_empty() && report.purpose == Some("withdraw");
    report.stage = slowest.unwrap_or(if is_mute { Stage::Included } else { Stage::Done });
    report.message = match slowest {
        None if is_mute => {
            Some("L2 tells of no message to L1: ask a ZKsync node, not one that only speaks eth_*".to_owned())
        }
        Some(Stage::Included) => Some("its batch is not executed on L1 yet (hours, not minutes)".to_owned()),
        Some(Stage::ProofReady) => Some(format!(
            "ready to be finalized on L1: coldbridge-relay proof {hash} --network {} --from ACCOUNT",
            network.name
        )),
        _ => None,
    };
    Ok(())
}

fn one(
    hash: TxHash,
    position: usize,
    logs: &Logs,
    network: &Network,
    endpoints: &Endpoints,
    l2: &Quorum,
) -> Result<Message, Refusal> {
    let mut message =
        Message { index: 0, batch_number: logs.batch_number, place_in_batch: None, stage: Stage::Included };
    let params = json!([hash.to_string(), position]);
    // EraVM says with null what ZKsync OS says with an error: not yet.
    let place = l2.ask("zks_getL2ToL1LogProof", &params, |answer| {
        if answer.is_null() { Some(None) } else { Place::read(answer).map(Some) }
    })?;
    let Ok(Some(place)) = place else { return Ok(message) };
    message.place_in_batch = Some(place.id);
    message.batch_number = match (place.batch_number, logs.batch_number) {
        (Some(proof), Some(receipt)) if proof != receipt => {
            let problem = format!("{} proves {hash} in batch {proof}, its receipt names batch {receipt}", l2.hosts());
            return Err(disagree(problem));
        }
        // On ZKsync OS each block is a batch.
        (None, None) if network.vm == Vm::ZkSyncOs => Some(logs.block_number),
        (proof, receipt) => proof.or(receipt),
    };
    let Some(batch) = message.batch_number else { return Ok(message) };
    let l1 = endpoints.of(network, Layer::L1)?;
    let nullifier = Contract { nodes: &l1, name: "L1Nullifier", address: network.l1_nullifier };
    let key = [network.l2_chain_id, batch, place.id].map(word_of_count);
    if nullifier.word("isWithdrawalFinalized(uint256,uint256,uint256)", &key)? != [0; 32] {
        message.stage = Stage::Finalized;
    } else if is_executed(&place, batch, network, &l1)? {
        message.stage = Stage::ProofReady;
    }
    Ok(message)
}

/// Whether L1 has executed the batch that the proof ends in: the chain's own, or one of the Gateway that it settled on.
fn is_executed(place: &Place, batch: u64, network: &Network, l1: &Quorum) -> Result<bool, Refusal> {
    let proof = Proof::read(&place.words).map_err(|_| disagree(format!("{} proves with no proof", l1.hosts())))?;
    let (diamond, batch) = match proof.settled_on() {
        None => (network.diamond_proxy, u128::from(batch)),
        Some(layer) => {
            let bridgehub = Contract { nodes: l1, name: "Bridgehub", address: network.bridgehub };
            let getter = "getZKChain(uint256)";
            let diamond = address_of(bridgehub.word(getter, &[word_of_count(layer.chain_id)])?);
            (diamond.ok_or_else(|| bridgehub.strange(getter, "returns no address"))?, layer.batch_number)
        }
    };
    let diamond = Contract { nodes: l1, name: "diamond", address: diamond };
    let getter = "getTotalBatchesExecuted()";
    let executed = count_of(diamond.word(getter, &[])?).ok_or_else(|| diamond.strange(getter, "returns no number"))?;
    Ok(u128::from(executed) >= batch)
}

/// What a ZKsync node adds to a receipt: the batch, and who sent which log to L1.
#[derive(PartialEq)]
struct Logs {
    block_number: u64,
    batch_number: Option<u64>,
    senders: Vec<Address>,
}

impl Logs {
    fn read(answer: &Value) -> Option<Self> {
        let logs = answer.get("l2ToL1Logs").or_else(|| answer.get("l2_to_l1_logs")).filter(|logs| !logs.is_null());
        let senders = match logs {
            None => Vec::new(),
            Some(logs) => {
                logs.as_array()?.iter().map(|log| address(log.get("sender")?)).collect::<Option<Vec<Address>>>()?
            }
        };
        let batch_number = answer.get("l1BatchNumber").filter(|number| !number.is_null());
        let block_number = count(answer.get("blockNumber")?)?;
        Some(Self { block_number, batch_number: batch_number.and_then(count), senders })
    }
}

/// What `zks_getL2ToL1LogProof` says of a message's place. ZKsync OS nodes write `batch_number`.
#[derive(PartialEq)]
struct Place {
    id: u64,
    batch_number: Option<u64>,
    words: Vec<[u8; 32]>,
}

impl Place {
    fn read(answer: &Value) -> Option<Self> {
        let plain = |value: &Value| value.as_u64().or_else(|| count(value));
        let batch = answer.get("batchNumber").or_else(|| answer.get("batch_number")).filter(|batch| !batch.is_null());
        Some(Self {
            id: plain(answer.get("id")?)?,
            batch_number: match batch {
                None => None,
                Some(batch) => Some(plain(batch)?),
            },
            words: answer.get("proof")?.as_array()?.iter().map(word).collect::<Option<_>>()?,
        })
    }
}
