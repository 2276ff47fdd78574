//! A deployment found in decoded bytes: the inverse of planning one.

use ethabi::ethereum_types::U256;

use super::{ACCOUNT_VERSION_1, Kind, OPERATION, words};
use crate::abi::{self, Token};
use crate::address::Address;
use crate::asset::create2_address;
use crate::bytecode::bytecode_hash;
use crate::json::Json;
use crate::network::{Layer, Vm};
use crate::operation::request_execute::Decoded;
use crate::operation::{Recognised, Seen};

/// What the ContractDeployer or the Create2Factory is asked for.
struct Found<'a> {
    kind: Kind,
    salt: [u8; 32],
    hash: [u8; 32],
    input: Vec<u8>,
    bytecode: &'a [u8],
    others: &'a [Vec<u8>],
}

impl<'a> Found<'a> {
    fn read(to: Address, calldata: &[u8], factory_deps: &'a [Vec<u8>]) -> Option<Self> {
        let (kind, arguments) = Kind::ALL
            .iter()
            .filter(|kind| kind.contract() == to)
            .find_map(|kind| Some((*kind, kind.function().arguments(calldata)?)))?;
        let [Token::FixedBytes(salt), Token::FixedBytes(hash), Token::Bytes(input), version @ ..] =
            arguments.as_slice()
        else {
            return None;
        };
        let known_version = version.iter().all(|version| abi::as_uint(version) == Some(U256::from(ACCOUNT_VERSION_1)));
        let (bytecode, others) = factory_deps.split_first()?;
        let hash = <[u8; 32]>::try_from(hash.as_slice()).ok()?;
        if bytecode_hash(bytecode) != hash || !known_version {
            return None;
        }
        let salt = <[u8; 32]>::try_from(salt.as_slice()).ok()?;
        Some(Self { kind, salt, hash, input: input.clone(), bytecode, others })
    }

    fn words(&self, layer: Layer) -> Json {
        let salt = Some(self.salt).filter(|salt| self.kind.is_salted() || *salt != [0; 32]);
        words(layer, self.kind, self.bytecode, &self.input, salt, self.others)
    }

    fn lines(&self, seen: &Seen<'_>) -> Vec<(&'static str, String)> {
        let network = seen.network;
        let mut lines = vec![
            (
                "deploys",
                format!(
                    "{} bytes of EraVM bytecode on {} (chain {})",
                    self.bytecode.len(),
                    network.name,
                    network.l2_chain_id
                ),
            ),
            ("bytecode hash", format!("0x{}", hex::encode(self.hash))),
            ("constructor", format!("{} bytes of arguments", self.input.len())),
            ("kind", self.kind.name().to_owned()),
        ];
        if self.kind.is_salted() {
            lines.push(("salt", format!("0x{}", hex::encode(self.salt))));
        }
        lines
    }
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    match seen.layer {
        Layer::L1 => recognise_request(seen),
        Layer::L2 => recognise_transaction(seen),
    }
}

fn recognise_request(seen: &Seen<'_>) -> Option<Recognised> {
    let request = Decoded::direct(seen)?;
    let found = Found::read(request.to, &request.calldata, &request.factory_deps)
        .filter(|found| matches!(found.kind, Kind::Create2 | Kind::Create2Account) && request.value.is_zero())?;
    let network = seen.network;
    let mut lines = found.lines(seen);
    lines.extend(request.fee_lines(network));
    Some(Recognised {
        name: OPERATION.name,
        body: found.words(Layer::L1),
        call: request.call_json(network),
        debits: request.debits(network),
        warnings: request.warnings(network),
        lines,
    })
}

fn recognise_transaction(seen: &Seen<'_>) -> Option<Recognised> {
    let found = Found::read(seen.to, seen.data, seen.factory_deps)?;
    if !seen.value.is_zero() || seen.network.vm != Vm::EraVm {
        return None;
    }
    let mut lines = found.lines(seen);
    let deployer = seen.from.map(|from| found.kind.deployer(from));
    lines.push((
        "address",
        match deployer {
            Some(deployer) if found.kind.is_salted() => {
                create2_address(deployer, found.salt, found.hash, &found.input).to_string()
            }
            _ => "follows from the deployment nonce of the sender".to_owned(),
        },
    ));
    let mut arguments = vec![
        ("_salt", Json::bytes(found.salt)),
        ("_bytecodeHash", Json::bytes(found.hash)),
        ("_input", Json::bytes(&found.input)),
    ];
    if found.kind.is_account() {
        arguments.push(("_aaVersion", Json::count(ACCOUNT_VERSION_1)));
    }
    let function = found.kind.function().signature.split('(').next().unwrap_or_default();
    Some(Recognised {
        name: OPERATION.name,
        body: found.words(Layer::L2),
        call: Json::object([("function", Json::text(function)), ("arguments", Json::object(arguments))]),
        debits: Vec::new(),
        warnings: Vec::new(),
        lines,
    })
}
