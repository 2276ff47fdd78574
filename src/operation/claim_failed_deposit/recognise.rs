//! A claim found in decoded bytes: who gets what back, and what L1 would hold against it.

use ethabi::ethereum_types::U256;

use super::{
    AssetId, BRIDGE_CONFIRM_TRANSFER_RESULT, BRIDGE_RECOVER_FAILED_TRANSFER, CLAIM_FAILED_DEPOSIT,
    CLAIM_FAILED_ERC20_DEPOSIT, Entry, OPERATION, Transfer,
};
use crate::abi::{self, Token};
use crate::address::Address;
use crate::hash::TxHash;
use crate::json::Json;
use crate::network::{Layer, Network};
use crate::operation::evidence::{Evidence, proof_words, stored_at, token_of_asset};
use crate::operation::{Recognised, Seen, TokenName, amount_in_words, judge_recipient};
use crate::proof::{L2Log, TxStatus};

/// The body in canonical words: the asset id where the call names no token of L1, the form where it is not the usual one.
pub(super) fn words(
    entry: Entry,
    asset_id: AssetId,
    transfer: Option<Transfer>,
    named: Option<(Address, Option<U256>)>,
    depositor: Address,
    network: &Network,
) -> Json {
    let named = named.or_else(|| transfer.map(|transfer| (transfer.token, Some(transfer.amount))));
    let mut members = Vec::new();
    match token_of_asset(asset_id, named.map(|(token, _)| token), network) {
        Some(token) => members.push(("token", name_of(token).to_json())),
        None => members.push(("assetId", Json::display(asset_id))),
    }
    members.extend(named.and_then(|(_, amount)| amount).map(|amount| ("amount", Json::display(amount))));
    members.push(("depositor", Json::display(depositor)));
    members.extend(entry.form().map(|form| ("form", Json::text(form))));
    Json::object(members)
}

fn name_of(token: Address) -> TokenName {
    if token == Address::ETH_TOKEN { TokenName::Eth } else { TokenName::Erc20(token) }
}

/// The arguments of a claim, whichever function it is.
struct Claim {
    entry: Entry,
    depositor: Address,
    asset_id: AssetId,
    asset_data: Option<Vec<u8>>,
    named: Option<(Address, Option<U256>)>,
    l2_tx_hash: TxHash,
    evidence: Evidence,
}

fn word(token: &Token) -> Option<[u8; 32]> {
    match token {
        Token::FixedBytes(bytes) => bytes.as_slice().try_into().ok(),
        _ => None,
    }
}

fn evidence(batch: &Token, index: &Token, number: &Token, proof: &Token) -> Option<Evidence> {
    Some(Evidence {
        batch_number: abi::as_uint(batch)?.try_into().ok()?,
        index: abi::as_uint(index)?,
        tx_number_in_batch: abi::as_uint(number)?.try_into().ok()?,
        words: proof_words(proof)?,
        batch_root: None,
    })
}

impl Claim {
    fn read(seen: &Seen<'_>) -> Option<Self> {
        let network = seen.network;
        let chain = U256::from(network.l2_chain_id);
        let of_chain = |id: &Token| (abi::as_uint(id)? == chain).then_some(());
        if let Some(arguments) = BRIDGE_RECOVER_FAILED_TRANSFER.arguments(seen.data) {
            let [id, depositor, asset, Token::Bytes(data), hash, batch, index, number, proof] = arguments.as_slice()
            else {
                return None;
            };
            of_chain(id)?;
            return Self::of_asset(
                Entry::Recover,
                depositor,
                asset,
                data,
                hash,
                evidence(batch, index, number, proof)?,
            );
        }
        if let Some(arguments) = BRIDGE_CONFIRM_TRANSFER_RESULT.arguments(seen.data) {
            let [Token::Tuple(items)] = arguments.as_slice() else { return None };
            let [id, depositor, number, status, asset, Token::Bytes(data), hash, batch, index, proof] =
                items.as_slice()
            else {
                return None;
            };
            of_chain(id)?;
            let found = evidence(batch, index, number, proof)?;
            let failed = abi::as_uint(status)?.is_zero();
            return Self::of_asset(Entry::TransferResult, depositor, asset, data, hash, found).filter(|_| failed);
        }
        if let Some(arguments) = CLAIM_FAILED_DEPOSIT.arguments(seen.data) {
            let [id, depositor, token, amount, hash, batch, index, number, proof] = arguments.as_slice() else {
                return None;
            };
            of_chain(id)?;
            let named = (abi::as_address(token)?, Some(abi::as_uint(amount)?));
            return Self::of_token(
                Entry::Legacy,
                network,
                depositor,
                named,
                hash,
                evidence(batch, index, number, proof)?,
            );
        }
        let arguments = CLAIM_FAILED_ERC20_DEPOSIT.arguments(seen.data)?;
        let [depositor, token, hash, batch, index, number, proof] = arguments.as_slice() else { return None };
        let named = (abi::as_address(token)?, None);
        Self::of_token(Entry::LegacyBridge, network, depositor, named, hash, evidence(batch, index, number, proof)?)
    }

    fn of_asset(
        entry: Entry,
        depositor: &Token,
        asset: &Token,
        data: &[u8],
        hash: &Token,
        evidence: Evidence,
    ) -> Option<Self> {
        Some(Self {
            entry,
            depositor: abi::as_address(depositor)?,
            asset_id: AssetId(word(asset)?),
            asset_data: Some(data.to_vec()),
            named: None,
            l2_tx_hash: TxHash(word(hash)?),
            evidence,
        })
    }

    fn of_token(
        entry: Entry,
        network: &Network,
        depositor: &Token,
        named: (Address, Option<U256>),
        hash: &Token,
        evidence: Evidence,
    ) -> Option<Self> {
        Some(Self {
            entry,
            depositor: abi::as_address(depositor)?,
            asset_id: AssetId::native_token_vault(network.l1_chain_id, named.0),
            asset_data: None,
            named: Some(named),
            l2_tx_hash: TxHash(word(hash)?),
            evidence,
        })
    }

    fn to_json(&self, network: &Network) -> Json {
        let place = self.evidence.place_members();
        let [batch, index, number] = place.map(|(_, value)| value);
        let proof = Json::Array(self.evidence.words.iter().map(Json::bytes).collect());
        let chain = ("_chainId", Json::count(network.l2_chain_id));
        let depositor = ("_depositSender", Json::display(self.depositor));
        let hash = ("_l2TxHash", Json::display(self.l2_tx_hash));
        let asset = ("_assetId", Json::display(self.asset_id));
        let data = ("_assetData", self.asset_data.as_ref().map_or(Json::Null, Json::bytes));
        let (token, amount) = self.named.map_or((Json::Null, Json::Null), |(token, amount)| {
            (Json::display(token), amount.map_or(Json::Null, Json::display))
        });
        let (token, amount) = (("_l1Token", token), ("_amount", amount));
        let (batch, index, number) =
            (("_l2BatchNumber", batch), ("_l2MessageIndex", index), ("_l2TxNumberInBatch", number));
        let proof = ("_merkleProof", proof);
        let (function, arguments) = match self.entry {
            Entry::Recover => {
                ("bridgeRecoverFailedTransfer", vec![chain, depositor, asset, data, hash, batch, index, number, proof])
            }
            Entry::TransferResult => (
                "bridgeConfirmTransferResult",
                vec![chain, depositor, number, ("_txStatus", Json::Integer(0)), asset, data, hash, batch, index, proof],
            ),
            Entry::Legacy => {
                ("claimFailedDeposit", vec![chain, depositor, token, amount, hash, batch, index, number, proof])
            }
            Entry::LegacyBridge => ("claimFailedDeposit", vec![depositor, token, hash, batch, index, number, proof]),
        };
        Json::object([("function", Json::text(function)), ("arguments", Json::object(arguments))])
    }
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let claim = Claim::read(seen)?;
    if claim.entry.target(network) != Some(seen.to) || !seen.value.is_zero() {
        return None;
    }
    let transfer = claim.asset_data.as_ref().and_then(|data| Transfer::read(data));
    if claim.asset_data.is_some() && transfer.is_none() {
        return None; // the data of another handler than the native token vault
    }
    let body = words(claim.entry, claim.asset_id, transfer, claim.named, claim.depositor, network);
    let amount = transfer.map(|transfer| transfer.amount).or(claim.named.and_then(|(_, amount)| amount));
    let token = claim.named.map(|(token, _)| token).or(transfer.map(|transfer| transfer.token));
    let token = token_of_asset(claim.asset_id, token, network);
    let back = match (token, amount) {
        (Some(token), Some(amount)) => amount_in_words(network, Layer::L1, name_of(token), amount),
        (Some(token), None) => format!("the amount that the legacy bridge remembers of ERC-20 {token}"),
        (None, Some(amount)) => format!("{amount} base units of asset {}", claim.asset_id),
        (None, None) => format!("asset {}", claim.asset_id),
    };
    let evidence = &claim.evidence;
    let mut lines = vec![
        ("claim back", back),
        ("paid to", format!("{} (who deposited it; nobody else can be paid)", claim.depositor)),
        ("failed on L2", claim.l2_tx_hash.to_string()),
        ("asset id", claim.asset_id.to_string()),
        (
            "batch, leaf",
            format!("{}, {}, transaction {}", evidence.batch_number, evidence.index, evidence.tx_number_in_batch),
        ),
    ];
    lines.extend(transfer.filter(|transfer| transfer.receiver != Address::ZERO).map(|transfer| {
        ("was to reach", format!("{} on {} (chain {})", transfer.receiver, network.name, network.l2_chain_id))
    }));
    let mut warnings: Vec<String> =
        judge_recipient(claim.depositor, "", network).into_iter().map(|refusal| refusal.problem()).collect();
    if seen.from.is_some_and(|from| from != claim.depositor) {
        warnings.push(format!("what is claimed goes to {}, not to the sender, who only pays for gas", claim.depositor));
    }
    let leaf = L2Log::status(evidence.tx_number_in_batch, claim.l2_tx_hash, TxStatus::Failure).leaf();
    let ending = evidence.proof(network, "").and_then(|proof| evidence.ending(network, &proof, leaf, ""));
    match ending {
        Ok(ending) => lines.push((
            "proof root",
            format!("{} must be {}", ending.root, stored_at(network, evidence.batch_number, ending.settled_on)),
        )),
        Err(refusal) => warnings.push(refusal.problem()),
    }
    Some(Recognised { name: OPERATION.name, body, call: claim.to_json(network), debits: Vec::new(), warnings, lines })
}
