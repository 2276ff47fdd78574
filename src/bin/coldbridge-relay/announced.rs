//! What L1 announced for a request to the Mailbox: read from the chain's diamond, computed again, compared with what was
//! signed (PROTOCOL 5.2, 5.3).

use coldbridge::canonical::{CanonicalTransaction, EventError, PriorityRequested};
use coldbridge::operation::{Seen, recognise};
use coldbridge::{Code, Json, Network, Refusal};

use crate::answer::Receipt;
use crate::payload::Payload;

/// What is said where nothing was announced.
pub const NO_REQUEST: &str =
    "mined, but the chain's diamond announced no priority request: is this the right L1, and are the contracts there?";
/// The chain id of anvil and hardhat.
const DEVELOPMENT_CHAIN: u64 = 31337;

/// The refusal of a node that contradicts what was signed, itself or the journal.
pub fn disagree(problem: impl Into<String>) -> Refusal {
    Refusal::new(
        Code::RELAY_DISAGREE,
        "",
        problem,
        "do not trust this endpoint alone: run the same command with another one",
    )
}

/// Whether a transaction is a request to the Mailbox, which its diamond announces.
pub fn announces(payload: &Payload<'_>) -> bool {
    matches!(payload.purpose.as_str(), "deposit" | "requestExecute" | "requestExecuteMailbox" | "deploy")
        && payload.layer == coldbridge::Layer::L1
}

/// For a request to the Mailbox: the L2 transaction that the target chain's diamond announced, its hash computed again.
/// None of other transactions, and of a development chain without a bridge.
pub fn request(payload: &Payload<'_>, receipt: &Receipt) -> Result<Option<PriorityRequested>, Refusal> {
    if !announces(payload) {
        return Ok(None);
    }
    let mut requests = requests(payload.network, receipt)?;
    match (requests.pop(), requests.len()) {
        // A development chain may have no bridge at all; on any other, a request that nobody announced is lost.
        (None, _) if payload.network.l1_chain_id == DEVELOPMENT_CHAIN => Ok(None),
        (None, _) => Err(disagree(NO_REQUEST)),
        (Some(request), 0) => {
            judge(payload, &request.transaction)?;
            Ok(Some(request))
        }
        (Some(_), others) => Err(disagree(format!("{} priority requests in the receipt of one deposit", others + 1))),
    }
}

/// All requests that the target chain's diamond announced in a transaction, their hashes computed again.
pub fn requests(network: &Network, receipt: &Receipt) -> Result<Vec<PriorityRequested>, Refusal> {
    receipt
        .logs
        .iter()
        .filter(|log| log.address == network.diamond_proxy)
        .filter_map(|log| match PriorityRequested::read(&log.topics, &log.data) {
            Err(EventError::OtherEvent) => None,
            read => Some(read),
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| disagree(format!("a NewPriorityRequest of the diamond does not hold: {error:?}")))
}

/// What L1 announced must be what was signed, argument by argument.
fn judge(payload: &Payload<'_>, announced: &CanonicalTransaction) -> Result<(), Refusal> {
    let ours = &payload.transaction;
    let call = ours.to().and_then(|to| {
        let (network, layer, from) = (payload.network, payload.layer, Some(payload.from));
        let (value, data, factory_deps) = (ours.value(), ours.data(), ours.factory_deps());
        recognise(&Seen { network, layer, from, to, value, data, factory_deps })
    });
    let asked = |name: &str| call.as_ref().and_then(|found| found.call.get("arguments")?.get(name));
    let announced_mint = announced.mint_value;
    let announced = [
        ("mintValue", Json::display(announced.mint_value)),
        ("l2Contract", Json::display(announced.to)),
        ("l2Value", Json::display(announced.value)),
        ("l2Calldata", Json::bytes(&announced.data)),
        ("l2GasLimit", Json::count(announced.gas_limit)),
        ("l2GasPerPubdataByteLimit", Json::count(announced.gas_per_pubdata_byte_limit)),
    ];
    // A request through a second bridge names no call: the bridge makes it.
    let paid = ours.value().get() == announced_mint || asked("mintValue").is_some();
    if !paid {
        return Err(disagree(format!("L1 announced mintValue {announced_mint}, but {} was attached", ours.value())));
    }
    match announced.iter().find(|(name, value)| asked(name).is_some_and(|asked| asked != value)) {
        None => Ok(()),
        Some((name, value)) => Err(disagree(format!("L1 announced {name} {value}, which is not what was signed"))),
    }
}
