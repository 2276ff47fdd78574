//! The root that a proof must end in, as L1 has stored it, and whether the batch is executed.
//!
//! A proof that is there says nothing about L1: nodes answer one before the batch is committed. Ready means that
//! `getTotalBatchesExecuted` has reached the batch; earlier the Nullifier reverts with `BatchNotExecuted`.

use coldbridge::proof::SettlementLayer;
use coldbridge::{Address, Refusal};

use crate::contract::{Contract, word_of_count};
use crate::number::{address_of, count_of};
use crate::proof::Case;

/// The stored root.
///
/// # Errors
/// `relay.not_ready` with what is missing.
pub fn read(case: &Case<'_>, batch_number: u64, settled_on: Option<SettlementLayer>) -> Result<[u8; 32], Refusal> {
    let network = case.network;
    let bridgehub = Contract { nodes: &case.l1, name: "Bridgehub", address: network.bridgehub };
    // A batch that was settled on a Gateway is proved by the Gateway's batch, whose root L1 has.
    let (chain_id, batch_number, diamond) = match settled_on {
        None => (network.l2_chain_id, batch_number, network.diamond_proxy),
        Some(layer) => {
            let batch = u64::try_from(layer.batch_number)
                .map_err(|_| case.contradiction("the proof names no batch of the settlement layer"))?;
            (layer.chain_id, batch, diamond_of(&bridgehub, layer.chain_id)?)
        }
    };
    let diamond = Contract { nodes: &case.l1, name: "diamond", address: diamond };
    let getter = "getTotalBatchesExecuted()";
    let executed = count_of(diamond.word(getter, &[])?).ok_or_else(|| diamond.strange(getter, "returns no number"))?;
    if executed < batch_number {
        return Err(case
            .not_ready(&format!("its batch {batch_number} of chain {chain_id} is not executed on L1, {executed} are"))
            .values(format!("at least {batch_number}"), executed));
    }
    let of_diamond = || diamond.word("l2LogsRootHash(uint256)", &[word_of_count(batch_number)]);
    let root = if network.protocol_version.minor >= 31 {
        let getter = "messageRoot()";
        let message_root =
            address_of(bridgehub.word(getter, &[])?).ok_or_else(|| bridgehub.strange(getter, "returns no address"))?;
        let message_root = Contract { nodes: &case.l1, name: "MessageRoot", address: message_root };
        let place = [word_of_count(chain_id), word_of_count(batch_number)];
        match message_root.word("chainBatchRoots(uint256,uint256)", &place)? {
            // The roots of batches from before the upgrade stayed where they were.
            root if root == [0; 32] => of_diamond()?,
            root => root,
        }
    } else {
        of_diamond()?
    };
    if root == [0; 32] {
        return Err(case.not_ready(&format!("L1 has no root of batch {batch_number} of chain {chain_id}")));
    }
    Ok(root)
}

/// The L1 diamond of a settlement layer, which is a chain of the same Bridgehub. The library knows which ones are pinned.
fn diamond_of(bridgehub: &Contract<'_>, chain_id: u64) -> Result<Address, Refusal> {
    let getter = "getZKChain(uint256)";
    let word = bridgehub.word(getter, &[word_of_count(chain_id)])?;
    match address_of(word).filter(|address| *address != Address::ZERO) {
        Some(diamond) => Ok(diamond),
        None => Err(bridgehub.strange(getter, "knows no such chain")),
    }
}
