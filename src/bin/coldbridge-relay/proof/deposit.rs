//! A deposit that failed on L2 becomes the intent to claim it.
//!
//! What L1 remembers of it is a hash (`depositHappened`). The L2 transaction holds what was hashed: caller, token and amount in
//! its call of `finalizeDeposit`. Which of the encodings it was follows from the hash itself, so that nothing has to be
//! remembered or believed: a wrong guess does not give that hash.

use coldbridge::abi::{ParamType, Token, as_address, as_uint, decode, selector};
use coldbridge::asset::{AssetId, legacy_tx_data_hash, tx_data_hash};
use coldbridge::{Address, Json, Refusal};
use ethabi::ethereum_types::U256;
use serde_json::json;

use crate::contract::{Contract, word_of, word_of_count};
use crate::prepare::Wanted;
use crate::proof::Case;
use crate::proof::receipt::{L2Receipt, L2Transaction, Provable};
use crate::proof::withdrawal::asset;

/// The intent and the facts.
///
/// # Errors
/// `relay.not_provable` where there is nothing to claim, `relay.already_done`, and those of the evidence.
pub fn wanted(
    case: &Case<'_>,
    receipt: &L2Receipt,
    log: &Provable,
    remarks: &mut Vec<String>,
) -> Result<Wanted, Refusal> {
    let params = json!([case.hash.to_string()]);
    let transaction = case
        .l2
        .read_as("eth_getTransactionByHash", &params, L2Transaction::read_optional)?
        .ok_or_else(|| case.contradiction("the receipt is there, the transaction is not"))?;
    let Some(handed) = Handed::read(&transaction.input, case.network.l1_chain_id) else {
        let what = "it failed, but it is no deposit of a token: what it carried went to its refund recipient on L2";
        return Err(case.not_provable(what));
    };
    let nullifier = Contract { nodes: &case.l1, name: "L1Nullifier", address: case.network.l1_nullifier };
    let remembered =
        nullifier.word("depositHappened(uint256,bytes32)", &[word_of_count(case.network.l2_chain_id), case.hash.0])?;
    if remembered == [0; 32] {
        return Err(case.already_done("L1 remembers no deposit for it: it is claimed"));
    }
    let evidence = case.evidence(receipt, log, remarks)?;
    let deposit = handed.encoding(case, remembered)?;
    let named = asset(case, handed.asset_id, handed.at_home)?;
    let mut body = vec![
        ("token", named.token),
        ("amount", Json::display(handed.amount)),
        ("depositor", Json::display(handed.caller)),
    ];
    body.extend(named.origin.map(|origin| ("tokenOrigin", origin)));
    remarks.push(format!(
        "filled from the deposit's own call on L2: {} of {} go back to {}; compare it with your own records",
        handed.amount, handed.at_home, handed.caller
    ));
    let mut facts = vec![("l2TxHash", Json::display(case.hash))];
    facts.extend(evidence.members());
    facts.push(("deposit", deposit));
    let intent = case.intent("claimFailedDeposit", Json::object(body));
    Ok(Wanted::new(intent, vec![("failedDeposit".to_owned(), Json::object(facts))]))
}

/// What a bridge handed over to L2.
struct Handed {
    caller: Address,
    receiver: Address,
    /// The token on the chain where it is native.
    at_home: Address,
    amount: U256,
    asset_id: AssetId,
}

impl Handed {
    /// Reads `finalizeDeposit` in its two forms.
    fn read(input: &[u8], l1_chain_id: u64) -> Option<Self> {
        let (head, body) = input.split_first_chunk::<4>()?;
        let moved =
            [ParamType::Address, ParamType::Address, ParamType::Address, ParamType::Uint(256), ParamType::Bytes];
        if *head == selector("finalizeDeposit(address,address,address,uint256,bytes)") {
            let (caller, receiver, token, amount) = accounts(&decode(&moved, body)?)?;
            let asset_id = AssetId::native_token_vault(l1_chain_id, token);
            return Some(Self { caller, receiver, at_home: token, amount, asset_id });
        }
        if *head != selector("finalizeDeposit(uint256,bytes32,bytes)") {
            return None;
        }
        let tokens = decode(&[ParamType::Uint(256), ParamType::FixedBytes(32), ParamType::Bytes], body)?;
        let [_, Token::FixedBytes(asset_id), Token::Bytes(mint)] = tokens.as_slice() else { return None };
        let (caller, receiver, at_home, amount) = accounts(&decode(&moved, mint)?)?;
        Some(Self { caller, receiver, at_home, amount, asset_id: AssetId(asset_id.as_slice().try_into().ok()?) })
    }

    /// `facts.failedDeposit.deposit`: the encoding that gives the hash that L1 remembers.
    fn encoding(&self, case: &Case<'_>, remembered: [u8; 32]) -> Result<Json, Refusal> {
        let hash = ("txDataHash", Json::bytes(remembered));
        let on_l1 = self.on_l1(case)?;
        // The depositor may have left the token out, as soon as the asset was registered.
        for token in [on_l1, Address::ZERO] {
            let data = ethabi::encode(&[
                coldbridge::abi::uint(self.amount),
                coldbridge::abi::address(self.receiver),
                coldbridge::abi::address(token),
            ]);
            if tx_data_hash(self.caller, self.asset_id, &data) == remembered {
                let form = [("form", Json::text("assetId")), ("transferData", Json::bytes(&data)), hash];
                return Ok(Json::object(form));
            }
        }
        if legacy_tx_data_hash(self.caller, on_l1, self.amount) != remembered {
            let what = "L1 remembers another deposit for it than the one that its call on L2 tells of";
            return Err(case.contradiction(what));
        }
        let form = if self.is_of_legacy_bridge(case, on_l1)? { "legacyBridge" } else { "legacy" };
        Ok(Json::object([("form", Json::text(form)), hash]))
    }

    /// The token on L1.
    fn on_l1(&self, case: &Case<'_>) -> Result<Address, Refusal> {
        if AssetId::native_token_vault(case.network.l1_chain_id, self.at_home) == self.asset_id {
            return Ok(self.at_home);
        }
        let vault =
            Contract { nodes: &case.l1, name: "L1NativeTokenVault", address: case.network.l1_native_token_vault };
        let word = vault.word("tokenAddress(bytes32)", &[self.asset_id.0])?;
        Ok(crate::number::address_of(word).unwrap_or(Address::ZERO))
    }

    /// The legacy bridge remembers the amount of each of its own deposits.
    fn is_of_legacy_bridge(&self, case: &Case<'_>, on_l1: Address) -> Result<bool, Refusal> {
        let Some(bridge) = case.network.l1_erc20_bridge.filter(|_| case.network.is_era()) else { return Ok(false) };
        let bridge = Contract { nodes: &case.l1, name: "L1ERC20Bridge", address: bridge };
        let arguments = [word_of(self.caller), word_of(on_l1), case.hash.0];
        Ok(bridge.word("depositAmount(address,address,bytes32)", &arguments)? != [0; 32])
    }
}

/// Caller, receiver, token and amount.
fn accounts(tokens: &[Token]) -> Option<(Address, Address, Address, U256)> {
    let [caller, receiver, token, amount, _] = tokens else { return None };
    Some((as_address(caller)?, as_address(receiver)?, as_address(token)?, as_uint(amount)?))
}
