//! Whether the way into L2 is open, and who it takes the accounts for: paused, filtered, contracts and plain accounts.
//!
//! The Mailbox reverts while it is closed, after approvals have been paid for. Whether an account has code decides its address
//! on L2 (`AddressAliasHelper`), and the offline side can only take the intent's word for it.

use coldbridge::network::Network;
use coldbridge::operation::AccountKind;
use coldbridge::{Address, Code, Json, Refusal, Request, Spelling};
use ethabi::ethereum_types::U256;
use serde_json::json;

use crate::answer::bytes;
use crate::contract::{Contract, revert_words, word_of, word_of_count};
use crate::number::{address_of, amount, count, count_of};
use crate::prepare::pins::Silent;
use crate::quorum::Quorum;
use crate::rpc::NodeError;

/// `pausedDepositsTimestamp` of the diamond, since v31; the pause begins at once (`PAUSE_DEPOSITS_TIME_WINDOW_START` is 0).
const PAUSED_DEPOSITS_SLOT: u8 = 62;
/// NonceHolder of EraVM, 0x8003.
const NONCE_HOLDER: Address = Address::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x03]);
/// EIP-7702: the code of a delegated account is 0xef0100 and the address that it is delegated to.
const DELEGATION: &[u8] = &[0xef, 0x01, 0x00];

/// Refuses what the Mailbox would not take now.
///
/// # Errors
/// `relay.deposits_paused`.
pub fn judge_open(nodes: &Quorum, network: &Network, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    let bridgehub = Contract { nodes, name: "Bridgehub", address: network.bridgehub };
    let diamond = Contract { nodes, name: "diamond", address: network.diamond_proxy };
    let mut silent = Silent(Vec::new());
    let getter = "paused()";
    let mut pauses = vec![(bridgehub.name, getter, bridgehub.try_word(getter, &[])?)];
    if network.protocol_version.minor >= 31 {
        let slot = diamond.try_storage(PAUSED_DEPOSITS_SLOT)?;
        pauses.push((diamond.name, "pausedDepositsTimestamp (DepositsPaused)", slot));
    }
    if network.has_asset_router() {
        for (name, address) in
            [("asset router", network.l1_asset_router), ("native token vault", network.l1_native_token_vault)]
        {
            let contract = Contract { nodes, name, address };
            pauses.push((name, getter, contract.try_word(getter, &[])?));
        }
        let chain = word_of_count(network.l2_chain_id);
        let layer = bridgehub.try_word("settlementLayer(uint256)", &[chain])?.and_then(count_of);
        if let Some(layer) = layer.filter(|layer| *layer != network.l1_chain_id) {
            remarks.push(format!("{} settles on chain {layer}, which has to relay the request", network.name));
        }
    }
    for (name, what, word) in pauses {
        if silent.heard(name, what, word).is_some_and(|word| word != [0; 32]) {
            return Err(Refusal::new(
                Code::RELAY_DEPOSITS_PAUSED,
                "/intent/operation",
                format!("{} takes no requests at the moment: {what} of the {name} is set", network.name),
                "wait until the chain takes deposits again, then prepare anew",
            ));
        }
    }
    let getter = "getTransactionFilterer()";
    if let Some(word) = silent.heard(diamond.name, getter, diamond.try_word(getter, &[])?) {
        let filterer = address_of(word).ok_or_else(|| diamond.strange(getter, "returns no address"))?;
        if filterer != Address::ZERO {
            remarks
                .push(format!("the chain asks {filterer} which requests it takes (TransactionNotAllowed otherwise)"));
        }
    }
    silent.report(nodes, remarks);
    Ok(())
}

/// Compares what stands behind the sender and the refund recipient with what the intent says of them, and looks at who
/// receives.
///
/// # Errors
/// `relay.account_kind`.
pub fn judge_accounts(
    nodes: &Quorum,
    request: &Request,
    to: Option<Address>,
    remarks: &mut Vec<String>,
) -> Result<(), Refusal> {
    judge_kind(nodes, request.from(), request.from_kind(), "/intent/fromKind")?;
    let intent = request.intent_json();
    let text = |name: &str| match intent.get(name) {
        Some(Json::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let refund = text("refundRecipient").and_then(|text| Address::parse(text, Spelling::AnyCase).ok());
    if let Some(refund) = refund.filter(|refund| *refund != request.from()) {
        let said = text("refundRecipientKind").unwrap_or(AccountKind::Eoa.name());
        let kind =
            AccountKind::WORDS.iter().find(|(word, _)| *word == said).map_or(AccountKind::Eoa, |(_, kind)| *kind);
        judge_kind(nodes, refund, kind, "/intent/refundRecipientKind")?;
    }
    // Of the receiver nothing is said, so that nothing can be wrong; but it is told.
    if let Some(to) = to.filter(|to| *to != request.from())
        && kind_of(nodes, to).is_ok_and(|kind| kind == AccountKind::Contract)
    {
        remarks.push(format!("{to} is a contract on L1: on L2 its owners do not hold that address unless they say so"));
    }
    Ok(())
}

fn judge_kind(nodes: &Quorum, account: Address, said: AccountKind, at: &str) -> Result<(), Refusal> {
    let actual = kind_of(nodes, account)?;
    if actual == said {
        return Ok(());
    }
    Err(Refusal::new(
        Code::RELAY_ACCOUNT_KIND,
        at,
        format!("{account} is {} on L1, the intent takes it for {}", actual.in_words(), said.in_words()),
        format!(
            "write \"{}\", and read what that changes on L2: another sender, another refund address",
            actual.name()
        ),
    )
    .values(actual.name(), said.name()))
}

fn kind_of(nodes: &Quorum, account: Address) -> Result<AccountKind, Refusal> {
    let code = nodes.read_as("eth_getCode", &json!([account.to_string(), "latest"]), bytes)?;
    Ok(match code {
        code if code.is_empty() => AccountKind::Eoa,
        code if code.starts_with(DELEGATION) && code.len() == DELEGATION.len() + 20 => AccountKind::Delegated,
        _ => AccountKind::Contract,
    })
}

/// The account's next nonce, transactions that wait in the node's pool included.
///
/// # Errors
/// `relay.disagree` for a pool that is behind the chain, `usage.command` for a cancellation while transactions wait: which one is
/// meant only the caller knows.
pub fn nonce(nodes: &Quorum, account: Address, is_cancel: bool, remarks: &mut Vec<String>) -> Result<u64, Refusal> {
    let method = "eth_getTransactionCount";
    let pending = nodes.read_as(method, &json!([account.to_string(), "pending"]), count)?;
    let Ok(mined) = nodes.ask(method, &json!([account.to_string(), "latest"]), count)? else { return Ok(pending) };
    if pending < mined {
        return Err(Refusal::new(
            Code::RELAY_DISAGREE,
            "/facts/transaction/nonce",
            format!("{mined} transactions of {account} are mined, but its next nonce is said to be {pending}"),
            "use another endpoint",
        )
        .values(format!("at least {mined}"), pending));
    }
    if pending > mined {
        let waiting = format!("{} transactions of {account} wait to be mined", pending - mined);
        if is_cancel {
            return Err(Refusal::new(
                Code::USAGE,
                "/facts/transaction/nonce",
                format!("{waiting}: a cancellation with the next nonce would cancel none of them"),
                format!(
                    "say what is cancelled with --nonce: {mined} to {} wait, {pending} comes after them",
                    pending - 1
                ),
            ));
        }
        remarks.push(format!(
            "{waiting}: the plan's nonces come after theirs; what they take of balances and allowances is not counted"
        ));
    }
    Ok(pending)
}

/// The deployments that an account of EraVM has made: `NonceHolder.getDeploymentNonce`.
pub fn deployments(nodes: &Quorum, account: Address) -> Result<u64, Refusal> {
    let holder = Contract { nodes, name: "NonceHolder", address: NONCE_HOLDER };
    let getter = "getDeploymentNonce(address)";
    count_of(holder.word(getter, &[word_of(account)])?).ok_or_else(|| holder.strange(getter, "returns no nonce"))
}

/// The account's balance of what pays for gas.
pub fn balance(nodes: &Quorum, account: Address) -> Result<U256, Refusal> {
    nodes.read_as("eth_getBalance", &json!([account.to_string(), "latest"]), amount)
}

/// The refusal of something that the chain says would revert.
pub fn would_revert(nodes: &Quorum, what: &str, error: &NodeError) -> Refusal {
    Refusal::new(
        Code::RELAY_WOULD_REVERT,
        "/intent/operation",
        format!("{what} would revert on {}, says {}: {}", nodes.layer(), nodes.hosts(), revert_words(error)),
        "mend what the contract names, then prepare again; to insist, state the gas limit yourself",
    )
}
