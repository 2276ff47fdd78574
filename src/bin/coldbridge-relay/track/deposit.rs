//! The other side of a request from L1: the L2 transaction that it became, by its canonical hash.
//!
//! A request that L1 took can fail on L2 (an l2GasLimit that was too low for the first deposit of a token, for example).
//! `zks_getTransactionDetails` is not asked: it says "included" of priority transactions for ever.

use coldbridge::canonical::PriorityRequested;
use coldbridge::{Layer, Network, Refusal};

use crate::announced::disagree;
use crate::answer::Status;
use crate::contract::{Contract, word_of_count};
use crate::endpoints::Endpoints;

use super::report::{Report, Stage};

/// Looks for the L2 transaction and says how it ended.
pub fn follow(
    report: &mut Report<'_>,
    request: &PriorityRequested,
    network: &Network,
    endpoints: &Endpoints,
) -> Result<(), Refusal> {
    let l2 = endpoints.of(network, Layer::L2)?;
    report.l2_hash = Some(request.hash);
    let Some(receipt) = l2.receipt(request.hash)? else {
        report.stage = Stage::Included;
        report.message = Some("L1 has it; L2 has not executed it yet (minutes, not seconds)".to_owned());
        return Ok(());
    };
    if receipt.hash != request.hash {
        return Err(disagree(format!("{} gives another transaction's receipt for {}", l2.hosts(), request.hash)));
    }
    report.l2_block = Some(receipt.block_number);
    if receipt.status == Status::Succeeded {
        report.stage = Stage::Executed;
        return Ok(());
    }
    report.stage = Stage::Failed;
    let refund = request.transaction.refund_recipient;
    let surplus = format!("what mintValue held above the fee is at {refund} on L2");
    report.message = Some(if is_claimable(request, network, endpoints)? {
        format!(
            "the deposit failed on L2: {surplus}; the token is claimed on L1 with claimFailedDeposit: coldbridge-relay proof {} \
             --network {} --from ACCOUNT",
            request.hash, network.name
        )
    } else {
        format!(
            "the call failed on L2: {surplus}; L1 remembers no deposit of a token for it, there is nothing to claim"
        )
    });
    Ok(())
}

/// Whether L1 remembers a deposit that a claim would pay back. The base token is never claimed: it went to the refund recipient.
fn is_claimable(request: &PriorityRequested, network: &Network, endpoints: &Endpoints) -> Result<bool, Refusal> {
    let l1 = endpoints.of(network, Layer::L1)?;
    let nullifier = Contract { nodes: &l1, name: "L1Nullifier", address: network.l1_nullifier };
    let place = [word_of_count(network.l2_chain_id), request.hash.0];
    let remembered = nullifier.try_word("depositHappened(uint256,bytes32)", &place)?;
    Ok(remembered.is_some_and(|hash| hash != [0; 32]))
}
