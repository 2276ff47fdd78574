//! What the node makes of raw bytes, compared with what a document says of them.

use std::fmt::Display;

use serde_json::{json, Value};
use zksync_types::{
    l2::L2Tx,
    transaction_request::{SerializationTransactionError, TransactionRequest},
    web3::Bytes,
    Address, EIP712TypedStructure, Eip712Domain, L2ChainId, PackedEthSignature, H256,
};

use crate::{Fallible, Source};

/// The node's default limit for the ABI-encoded size of a transaction, in bytes.
const MAX_TX_SIZE: usize = 1 << 24;

/// Turns a recovery byte 27 (0x1b) into 28 (0x1c) and back: the forged signature is well formed, and somebody else's.
const FLIP: u8 = 0x1b ^ 0x1c;

/// A chain that no document names.
const OTHER_CHAIN: u32 = 999_999_999;

/// Answers with one line for each field that the node reads otherwise, and for each forgery that passes.
pub fn check(claim: &Value, source: Source) -> Fallible<Vec<String>> {
    let chain: L2ChainId = spelled(claim.get("chainId")).parse()?;
    let Bytes(raw) = serde_json::from_value(claim["raw"].clone())?;
    let parsed = Parsed::read(&raw, chain)?;
    let mut readings = parsed.identity(claim);
    if source == Source::Fixtures {
        readings.extend(parsed.fields(chain));
    }
    let mut failures = parsed.accepted_forgeries(&raw, chain);
    failures.extend(differences(readings, claim));
    let (said, found) = (&claim["signature"]["custom"], hex(&parsed.tx.common_data.signature));
    if !said.is_null() && spelled(Some(said)) != found {
        failures.push(format!("signature: said to be {said}, the node reads {found}"));
    }
    Ok(failures)
}

/// The same of raw bytes in whatever form a peer writes them. What nobody signed has no hash, and the node has nothing to say.
pub fn check_decoded(claim: &Value) -> Fallible<Vec<String>> {
    let chain: L2ChainId = spelled(claim.get("chainId")).parse()?;
    let Bytes(raw) = serde_json::from_value(claim["raw"].clone())?;
    if claim["hash"].is_null() {
        return Ok(Vec::new());
    }
    let parsed = Parsed::read(&raw, chain)?;
    let mut readings = vec![
        ("hash", hex(parsed.hash)),
        ("chainId", optional(parsed.request.chain_id)),
        ("nonce", parsed.tx.nonce().to_string()),
        ("from", hex(parsed.tx.initiator_account())),
    ];
    readings.extend(parsed.fields(chain));
    // The two hashes on the way are no members here.
    readings.retain(|(field, _)| !["domainSeparator", "structHash"].contains(field));
    // The zero address is a paymaster on the wire and none to the node.
    readings.retain(|(field, found)| *field != "paymaster" || found != "null");
    // More than what a plain account takes is a signature to the node's recovery: a parity as last byte, a high s.
    if claim["signer"].is_string() {
        readings.push(("signer", optional(signer(&parsed.request).map(hex))));
    } else {
        readings.push(("customSignature", hex(&parsed.tx.common_data.signature)));
    }
    Ok(differences(readings, claim))
}

fn differences(readings: Vec<Reading>, claim: &Value) -> Vec<String> {
    let mut failures = Vec::new();
    for (field, found) in readings {
        let said = spelled(claim.get(field));
        if said != found {
            failures.push(format!("{field}: said to be {said}, the node reads {found}"));
        }
    }
    failures
}

/// A member of the document, and what the node reads for it.
type Reading = (&'static str, String);

struct Parsed {
    request: TransactionRequest,
    hash: H256,
    tx: L2Tx,
}

impl Parsed {
    fn read(raw: &[u8], chain: L2ChainId) -> Result<Self, SerializationTransactionError> {
        let (request, hash) = TransactionRequest::from_bytes(raw, chain)?;
        let mut tx = L2Tx::from_request(request.clone(), MAX_TX_SIZE, false)?;
        // The node does this next; without it an L2Tx has neither hash nor chain.
        tx.set_input(raw.to_vec(), hash);
        Ok(Self { request, hash, tx })
    }

    /// What every document says of a signed transaction.
    fn identity(&self, claim: &Value) -> Vec<Reading> {
        let l2_tx = TransactionRequest::from(self.tx.clone());
        let mut readings = vec![
            ("hash", hex(self.hash)),
            ("hash", optional(encoded_hash(l2_tx).map(hex))),
            ("chainId", optional(self.request.chain_id)),
            ("nonce", self.tx.nonce().to_string()),
            ("from", hex(self.tx.initiator_account())),
        ];
        // A smart account signs in a form of its own, with the keys of others; whose they are is not from.
        if claim["signature"]["custom"].is_null() {
            readings.push(("from", optional(signer(&self.request).map(hex))));
        }
        readings
    }

    /// What only a fixture says: the other fields, and the hashes on the way to the signature.
    fn fields(&self, chain: L2ChainId) -> Vec<Reading> {
        let (execute, fee) = (&self.tx.execute, &self.tx.common_data.fee);
        let kind = self.request.transaction_type.unwrap_or_default().as_u64();
        let digest = self.request.get_default_signed_message().ok();
        let (mut max_fee, mut max_priority_fee) = ("maxFeePerGas", "maxPriorityFeePerGas");
        if self.request.is_legacy_tx() {
            (max_fee, max_priority_fee) = ("gasPrice", "gasPrice");
        }
        let mut readings = vec![
            ("type", format!("{kind:#04x}")),
            ("to", optional(execute.contract_address.map(hex))),
            ("value", execute.value.to_string()),
            ("gasLimit", fee.gas_limit.to_string()),
            (max_fee, fee.max_fee_per_gas.to_string()),
            (max_priority_fee, fee.max_priority_fee_per_gas.to_string()),
            ("data", hex(&execute.calldata)),
            ("signingDigest", optional(digest.map(hex))),
        ];
        if self.request.is_eip712_tx() {
            let domain = Eip712Domain::new(chain);
            let paymaster = &self.tx.common_data.paymaster_params;
            let address = Some(paymaster.paymaster).filter(|address| !address.is_zero());
            let dependencies: Vec<String> = execute.factory_deps.iter().map(hex).collect();
            readings.extend([
                ("gasPerPubdata", fee.gas_per_pubdata_limit.to_string()),
                ("factoryDeps", json!(dependencies).to_string()),
                ("paymaster", optional(address.map(hex))),
                ("paymasterInput", hex(&paymaster.paymaster_input)),
                ("domainSeparator", hex(domain.hash_struct())),
                ("structHash", hex(self.request.hash_struct())),
            ]);
        }
        readings
    }

    /// Forges the signature, then the chain, and names each forgery that keeps the hash or the signer.
    fn accepted_forgeries(&self, raw: &[u8], chain: L2ChainId) -> Vec<String> {
        let keeps = |request: &TransactionRequest, hash: Option<H256>| {
            let found = signer(request);
            hash == Some(self.hash) || (found.is_some() && found == signer(&self.request))
        };
        let mut failures = Vec::new();
        let mut forged = raw.to_vec();
        match self.end_of_signature(raw) {
            Some(end) => forged[end] ^= FLIP,
            None => failures.push("raw: holds no signature that could be forged".into()),
        }
        let passes = |forged: Self| keeps(&forged.request, Some(forged.hash));
        if Self::read(&forged, chain).is_ok_and(passes) {
            failures.push("raw: passes with a flipped signature too".into());
        }
        let mut forged = TransactionRequest::from(self.tx.clone());
        forged.chain_id = Some(OTHER_CHAIN.into());
        let passes = keeps(&forged, encoded_hash(forged.clone()));
        if passes || Self::read(raw, OTHER_CHAIN.into()).is_ok() {
            failures.push(format!("chainId: passes on chain {OTHER_CHAIN} too"));
        }
        failures
    }

    /// Finds the signature's last byte: the last of all, but in 0x71 that of the `customSignature`.
    fn end_of_signature(&self, raw: &[u8]) -> Option<usize> {
        if !self.request.is_eip712_tx() {
            return raw.len().checked_sub(1);
        }
        let signature = self.request.get_custom_signature()?;
        let mut windows = raw.windows(signature.len().max(1));
        Some(windows.rposition(|window| window == signature)? + signature.len() - 1)
    }
}

/// Hashes the fields encoded anew, where `get_tx_hash` alone would hash the bytes that were read.
fn encoded_hash(mut request: TransactionRequest) -> Option<H256> {
    request.raw = None;
    request.get_tx_hash().ok()
}

fn signer(request: &TransactionRequest) -> Option<Address> {
    let digest = request.get_default_signed_message().ok()?;
    let signature = PackedEthSignature::deserialize_packed(&request.get_signature().ok()?).ok()?;
    signature.signature_recover_signer(&digest).ok()
}

/// A member in the one spelling that is compared: decimal digits, or lower-case hex.
fn spelled(member: Option<&Value>) -> String {
    match member {
        None => "nothing".into(),
        Some(Value::String(text)) => text.to_lowercase(),
        Some(other) => other.to_string(),
    }
}

fn optional(found: Option<impl Display>) -> String {
    found.map_or_else(|| "null".into(), |found| found.to_string())
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    spelled(Some(&json!(Bytes(bytes.as_ref().to_vec()))))
}
