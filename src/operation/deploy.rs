//! Deploy an EraVM contract from L1: a request to the ContractDeployer that brings its bytecode along.
//!
//! The address is known beforehand: it follows from the L2 sender (a contract's is aliased), the salt, the bytecode hash and
//! the constructor arguments. For an L1 -> L2 transaction the bootloader makes the call a system call if it is one of these
//! functions (`shouldMsgValueMimicCallBeSystem`).
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/ContractDeployer.sol>

use ethabi::ethereum_types::U256;

use super::mailbox::{self, REQUEST_L2_TRANSACTION_DIRECT};
use super::request_execute::{self, Decoded, L2Call};
use super::{Body, Context, Operation, Plan, Recognised, Seen};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::asset::create2_address;
use crate::bytecode::{bytecode_hash, judge_bytecode};
use crate::json::{Cursor, Json};
use crate::network::{Layer, Vm};
use crate::refusal::{Code, Refusal};

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "deploy",
    layers: &[Layer::L1],
    summary: "Deploy an EraVM contract on L2, paid for on L1",
    functions: &[&REQUEST_L2_TRANSACTION_DIRECT, &CREATE2, &CREATE2_ACCOUNT],
    options: mailbox::OPTIONS,
    facts: mailbox::FACTS,
    read,
    recognise,
};

/// `ContractDeployer.create2`.
pub const CREATE2: Function = Function {
    signature: "create2(bytes32,bytes32,bytes)",
    selector: [0x3c, 0xda, 0x33, 0x51],
    parameters: || vec![ParamType::FixedBytes(32), ParamType::FixedBytes(32), ParamType::Bytes],
};

/// `ContractDeployer.create2Account`.
pub const CREATE2_ACCOUNT: Function = Function {
    signature: "create2Account(bytes32,bytes32,bytes,uint8)",
    selector: [0x5d, 0x38, 0x27, 0x00],
    parameters: || vec![ParamType::FixedBytes(32), ParamType::FixedBytes(32), ParamType::Bytes, ParamType::Uint(8)],
};

/// `AccountAbstractionVersion.Version1`.
const ACCOUNT_VERSION_1: u64 = 1;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create2,
    Create2Account,
}

impl Kind {
    const WORDS: &'static [(&'static str, Self)] =
        &[("create2", Self::Create2), ("create2Account", Self::Create2Account)];

    const fn name(self) -> &'static str {
        match self {
            Self::Create2 => "create2",
            Self::Create2Account => "create2Account",
        }
    }
}

struct Deploy {
    bytecode: Vec<u8>,
    constructor_args: Vec<u8>,
    salt: [u8; 32],
    kind: Kind,
    factory_deps: Vec<Vec<u8>>,
}

fn read(cursor: &Cursor<'_>, _: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["layer", "bytecode", "constructorArgs", "salt", "kind"], &["factoryDeps"])?;
    let layer = members.required("layer")?;
    if layer.choice(Layer::WORDS)? == Layer::L2 {
        return Err(layer.refuse(
            Code::INTENT_UNSUPPORTED,
            "deployments by an L2 transaction are not built by this version",
            "write \"l1\" to deploy with a request from L1",
        ));
    }
    Ok(Box::new(Deploy {
        bytecode: members.required("bytecode")?.bytes()?,
        constructor_args: members.required("constructorArgs")?.bytes()?,
        salt: members.required("salt")?.fixed_bytes()?,
        kind: members.required("kind")?.choice(Kind::WORDS)?,
        factory_deps: match members.optional("factoryDeps") {
            Some(list) => request_execute::read_factory_deps(&list)?,
            None => Vec::new(),
        },
    }))
}

fn words(bytecode: &[u8], arguments: &[u8], salt: [u8; 32], kind: Kind, factory_deps: &[Vec<u8>]) -> Json {
    let mut members = vec![
        ("layer", Json::text("l1")),
        ("bytecode", Json::bytes(bytecode)),
        ("constructorArgs", Json::bytes(arguments)),
        ("salt", Json::bytes(salt)),
        ("kind", Json::text(kind.name())),
    ];
    if !factory_deps.is_empty() {
        members.push(("factoryDeps", Json::Array(factory_deps.iter().map(Json::bytes).collect())));
    }
    Json::object(members)
}

impl Body for Deploy {
    fn to_json(&self) -> Json {
        words(&self.bytecode, &self.constructor_args, self.salt, self.kind, &self.factory_deps)
    }

    fn layer(&self) -> Layer {
        Layer::L1
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/deploy";
        let mut plan = Plan::default();
        if context.network.vm != Vm::EraVm {
            plan.refusals.push(Refusal::new(
                Code::OPERATION_NETWORK,
                AT,
                format!("{} runs ZKsync OS, which has no ContractDeployer for users", context.network.name),
                "deploy with a transaction to the deterministic create2 proxy of the EVM",
            ));
            return plan;
        }
        plan.refusals.extend(judge_bytecode(&self.bytecode, &format!("{AT}/bytecode")));
        // The bytecode is a dependency too.
        let count = self.factory_deps.len() + 1;
        plan.refusals.extend(request_execute::judge_count(context.network, count, &format!("{AT}/factoryDeps")));
        for (index, dependency) in self.factory_deps.iter().enumerate() {
            plan.refusals.extend(judge_bytecode(dependency, &format!("{AT}/factoryDeps/{index}")));
        }
        let hash = bytecode_hash(&self.bytecode);
        let mut arguments = vec![
            Token::FixedBytes(self.salt.to_vec()),
            Token::FixedBytes(hash.to_vec()),
            Token::Bytes(self.constructor_args.clone()),
        ];
        let calldata = match self.kind {
            Kind::Create2 => CREATE2.call(&arguments),
            Kind::Create2Account => {
                arguments.push(abi::uint(ACCOUNT_VERSION_1));
                CREATE2_ACCOUNT.call(&arguments)
            }
        };
        let mut factory_deps = vec![self.bytecode.clone()];
        factory_deps.extend(self.factory_deps.iter().cloned());
        let address = create2_address(mailbox::l2_sender(context), self.salt, hash, &self.constructor_args);
        plan.derived.push(("bytecodeHash", Json::bytes(hash)));
        plan.derived.push(("deployedAddress", Json::display(address)));
        let call = L2Call { to: Address::CONTRACT_DEPLOYER, value: U256::zero(), calldata, factory_deps };
        let words = self.to_json();
        call.plan(context, &mut plan, |request| (OPERATION.name, context.network.bridgehub, request.direct(), words));
        plan
    }
}

fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    let request = Decoded::direct(seen)?;
    if request.to != Address::CONTRACT_DEPLOYER || !request.value.is_zero() {
        return None;
    }
    let (kind, arguments) = match (CREATE2.arguments(&request.calldata), CREATE2_ACCOUNT.arguments(&request.calldata)) {
        (Some(arguments), _) => (Kind::Create2, arguments),
        (None, Some(arguments)) => (Kind::Create2Account, arguments),
        (None, None) => return None,
    };
    let [Token::FixedBytes(salt), Token::FixedBytes(hash), Token::Bytes(input), version @ ..] = arguments.as_slice()
    else {
        return None;
    };
    let known_version = version.iter().all(|version| abi::as_uint(version) == Some(U256::from(ACCOUNT_VERSION_1)));
    let (bytecode, others) = request.factory_deps.split_first()?;
    if bytecode_hash(bytecode).as_slice() != hash.as_slice() || !known_version {
        return None;
    }
    let salt = <[u8; 32]>::try_from(salt.as_slice()).ok()?;
    let network = seen.network;
    let mut lines = vec![
        (
            "deploys",
            format!("{} bytes of EraVM bytecode on {} (chain {})", bytecode.len(), network.name, network.l2_chain_id),
        ),
        ("bytecode hash", format!("0x{}", hex::encode(hash))),
        ("constructor", format!("{} bytes of arguments", input.len())),
        ("salt", format!("0x{}", hex::encode(salt))),
    ];
    lines.extend(request.fee_lines(network));
    Some(Recognised {
        name: OPERATION.name,
        body: words(bytecode, input, salt, kind, others),
        call: request.call_json(network),
        debits: request.debits(network),
        warnings: request.warnings(network),
        lines,
    })
}
