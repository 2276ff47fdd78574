//! The digest document: what an external signer needs, for each transaction of a plan. It only leaves; what comes back are
//! signatures, which [`Unsigned::attach`] takes for the same request or unsigned document.
//!
//! `typedData` is type 0x71 as `eth_signTypedData_v4`, Fireblocks' typed messages and hardware wallets take it: numbers are
//! decimal strings, which every reader takes, and its hash is the signing digest.

use crate::address::Address;
use crate::bytecode::bytecode_hash;
use crate::hash::Digest;
use crate::json::Json;
use crate::refusal::Refusal;
use crate::transaction::{Eip712, Transaction};
use crate::unsigned::{Planned, Unsigned};

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/digest/1";

/// The members of the EIP-712 struct, in its order.
const STRUCT: &[(&str, &str)] = &[
    ("txType", "uint256"),
    ("from", "uint256"),
    ("to", "uint256"),
    ("gasLimit", "uint256"),
    ("gasPerPubdataByteLimit", "uint256"),
    ("maxFeePerGas", "uint256"),
    ("maxPriorityFeePerGas", "uint256"),
    ("paymaster", "uint256"),
    ("nonce", "uint256"),
    ("value", "uint256"),
    ("data", "bytes"),
    ("factoryDeps", "bytes32[]"),
    ("paymasterInput", "bytes"),
];

/// The digests of a plan, as a document.
///
/// # Errors
/// `sign.contract_sender` for a contract that signs nothing.
pub fn digests(unsigned: &Unsigned) -> Result<Json, Refusal> {
    let request = unsigned.request();
    let mut members = vec![
        ("schema", Json::text(SCHEMA)),
        ("intentId", request.id().map_or(Json::Null, Json::text)),
        ("network", Json::text(request.network().name.as_str())),
        ("from", Json::display(request.from())),
    ];
    members.extend(match unsigned.signers()? {
        Some(signers) if signers != [request.from()] => {
            Some(("signers", Json::Array(signers.iter().map(Json::display).collect())))
        }
        _ => None,
    });
    members.push(("transactions", Json::Array(unsigned.transactions().iter().map(digest).collect())));
    Ok(Json::object(members))
}

fn digest(planned: &Planned) -> Json {
    let transaction = &planned.transaction;
    let mut members = vec![
        ("layer", Json::text(planned.layer.name())),
        ("chainId", transaction.chain_id().map_or(Json::Null, Json::count)),
        ("nonce", Json::count(transaction.nonce())),
        ("purpose", Json::text(planned.purpose)),
        ("type", Json::text(transaction.type_name())),
        ("signingDigest", Json::display(transaction.signing_digest())),
        ("unsigned", Json::bytes(transaction.unsigned_bytes())),
        ("calldataDigest", Json::display(Digest::of_calldata(transaction.data()))),
    ];
    if let Transaction::Eip712(tx) = transaction {
        members.push(("typedData", typed_data(tx)));
    }
    Json::object(members)
}

/// A type 0x71 transaction as EIP-712 typed data.
pub fn typed_data(tx: &Eip712) -> Json {
    let fields = |fields: &[(&str, &str)]| {
        let field =
            |(name, kind): &(&str, &str)| Json::object([("name", Json::text(*name)), ("type", Json::text(*kind))]);
        Json::Array(fields.iter().map(field).collect())
    };
    let (paymaster, paymaster_input) = match &tx.paymaster {
        Some(params) => (params.paymaster, params.input.as_slice()),
        None => (Address::ZERO, [].as_slice()),
    };
    let number = |address: Address| Json::display(ethabi::ethereum_types::U256::from_big_endian(address.as_bytes()));
    let dependencies = tx.factory_deps.iter().map(|code| Json::bytes(bytecode_hash(code)));
    Json::object([
        (
            "types",
            Json::object([
                ("EIP712Domain", fields(&[("name", "string"), ("version", "string"), ("chainId", "uint256")])),
                ("Transaction", fields(STRUCT)),
            ]),
        ),
        ("primaryType", Json::text("Transaction")),
        (
            "domain",
            Json::object([
                ("name", Json::text("zkSync")),
                ("version", Json::text("2")),
                ("chainId", Json::count(tx.chain_id)),
            ]),
        ),
        (
            "message",
            Json::object([
                ("txType", Json::display(0x71)),
                ("from", number(tx.from)),
                ("to", number(tx.to.unwrap_or(Address::ZERO))),
                ("gasLimit", Json::display(tx.gas_limit)),
                ("gasPerPubdataByteLimit", Json::display(tx.gas_per_pubdata)),
                ("maxFeePerGas", Json::display(tx.max_fee_per_gas)),
                ("maxPriorityFeePerGas", Json::display(tx.max_priority_fee_per_gas)),
                ("paymaster", number(paymaster)),
                ("nonce", Json::display(tx.nonce)),
                ("value", Json::display(tx.value)),
                ("data", Json::bytes(&tx.data)),
                ("factoryDeps", Json::Array(dependencies.collect())),
                ("paymasterInput", Json::bytes(paymaster_input)),
            ]),
        ),
    ])
}
