//! Deploy an EraVM contract: an L2 transaction to the ContractDeployer or the Create2Factory that brings its bytecode along, or
//! the same call asked for and paid on L1.
//!
//! The address is known beforehand. `create` counts the deployer's deployments, so that it follows from the deployment nonce
//! of the NonceHolder, which is not the transaction nonce; `create2` follows from salt, bytecode hash and constructor
//! arguments. The deployer is the sender on L2, or the Create2Factory where that is called. The bootloader (for L1) and the
//! DefaultAccount (for L2) make the call a system call if it is one of these functions.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/ContractDeployer.sol>
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/Create2Factory.sol>

mod recognise;

use ethabi::ethereum_types::U256;

use super::mailbox::{self, REQUEST_L2_TRANSACTION_DIRECT};
use super::request_execute::{self, L2Call};
use super::{Body, Call, CallGas, Check, Context, Operation, Plan, Uses};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::asset::{create_address, create2_address};
use crate::bytecode::{bytecode_hash, judge_bytecode};
use crate::json::{Cursor, Json};
use crate::network::{Layer, Vm};
use crate::refusal::{Code, Refusal};
use crate::units::Wei;
use recognise::recognise;

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "deploy",
    layers: &[Layer::L1, Layer::L2],
    summary: "Deploy an EraVM contract by an L2 transaction, or paid for on L1",
    functions: &[&REQUEST_L2_TRANSACTION_DIRECT, &CREATE, &CREATE2, &CREATE_ACCOUNT, &CREATE2_ACCOUNT],
    options: mailbox::OPTIONS,
    facts: &["priorityRequest", "allowances", "approval", "deployment"],
    read,
    recognise,
};

/// `ContractDeployer.create`, which ignores the salt.
pub const CREATE: Function = Function {
    signature: "create(bytes32,bytes32,bytes)",
    selector: [0x9c, 0x4d, 0x53, 0x5b],
    parameters: || vec![ParamType::FixedBytes(32), ParamType::FixedBytes(32), ParamType::Bytes],
};

/// `ContractDeployer.create2` and `Create2Factory.create2`.
pub const CREATE2: Function = Function {
    signature: "create2(bytes32,bytes32,bytes)",
    selector: [0x3c, 0xda, 0x33, 0x51],
    parameters: || vec![ParamType::FixedBytes(32), ParamType::FixedBytes(32), ParamType::Bytes],
};

/// `ContractDeployer.createAccount`, which ignores the salt.
pub const CREATE_ACCOUNT: Function = Function {
    signature: "createAccount(bytes32,bytes32,bytes,uint8)",
    selector: [0xec, 0xf9, 0x5b, 0x8a],
    parameters: || vec![ParamType::FixedBytes(32), ParamType::FixedBytes(32), ParamType::Bytes, ParamType::Uint(8)],
};

/// `ContractDeployer.create2Account` and `Create2Factory.create2Account`.
pub const CREATE2_ACCOUNT: Function = Function {
    signature: "create2Account(bytes32,bytes32,bytes,uint8)",
    selector: [0x5d, 0x38, 0x27, 0x00],
    parameters: || vec![ParamType::FixedBytes(32), ParamType::FixedBytes(32), ParamType::Bytes, ParamType::Uint(8)],
};

const AT: &str = "/intent/operation/deploy";
/// `AccountAbstractionVersion.Version1`.
const ACCOUNT_VERSION_1: u64 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Create,
    Create2,
    CreateAccount,
    Create2Account,
    Create2Factory,
    Create2AccountFactory,
}

impl Kind {
    const ALL: &'static [Self] = &[
        Self::Create,
        Self::Create2,
        Self::CreateAccount,
        Self::Create2Account,
        Self::Create2Factory,
        Self::Create2AccountFactory,
    ];
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Create.name(), Self::Create),
        (Self::Create2.name(), Self::Create2),
        (Self::CreateAccount.name(), Self::CreateAccount),
        (Self::Create2Account.name(), Self::Create2Account),
        (Self::Create2Factory.name(), Self::Create2Factory),
        (Self::Create2AccountFactory.name(), Self::Create2AccountFactory),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Create2 => "create2",
            Self::CreateAccount => "createAccount",
            Self::Create2Account => "create2Account",
            Self::Create2Factory => "create2Factory",
            Self::Create2AccountFactory => "create2AccountFactory",
        }
    }

    /// Whether the address follows from the salt, and not from the deployment nonce.
    const fn is_salted(self) -> bool {
        !matches!(self, Self::Create | Self::CreateAccount)
    }

    const fn function(self) -> &'static Function {
        match self {
            Self::Create => &CREATE,
            Self::CreateAccount => &CREATE_ACCOUNT,
            Self::Create2 | Self::Create2Factory => &CREATE2,
            Self::Create2Account | Self::Create2AccountFactory => &CREATE2_ACCOUNT,
        }
    }

    const fn is_account(self) -> bool {
        matches!(self, Self::CreateAccount | Self::Create2Account | Self::Create2AccountFactory)
    }

    /// The called contract.
    const fn contract(self) -> Address {
        match self {
            Self::Create2Factory | Self::Create2AccountFactory => Address::CREATE2_FACTORY,
            _ => Address::CONTRACT_DEPLOYER,
        }
    }

    /// Who the address is derived from when `sender` deploys.
    fn deployer(self, sender: Address) -> Address {
        match self {
            Self::Create2Factory | Self::Create2AccountFactory => Address::CREATE2_FACTORY,
            _ => sender,
        }
    }
}

struct Deploy {
    layer: Layer,
    bytecode: Vec<u8>,
    constructor_args: Vec<u8>,
    salt: Option<[u8; 32]>,
    kind: Kind,
    factory_deps: Vec<Vec<u8>>,
}

fn read(cursor: &Cursor<'_>, _: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["bytecode", "constructorArgs", "kind"], &["layer", "salt", "factoryDeps"])?;
    let kind = members.required("kind")?.choice(Kind::WORDS)?;
    let salt = if kind.is_salted() { Some(members.required("salt")?) } else { members.optional("salt") };
    Ok(Box::new(Deploy {
        layer: members.optional("layer").map_or(Ok(Layer::L2), |layer| layer.choice(Layer::WORDS))?,
        bytecode: members.required("bytecode")?.bytes()?,
        constructor_args: members.required("constructorArgs")?.bytes()?,
        salt: salt.map(|salt| salt.fixed_bytes()).transpose()?,
        kind,
        factory_deps: match members.optional("factoryDeps") {
            Some(list) => request_execute::read_factory_deps(&list)?,
            None => Vec::new(),
        },
    }))
}

/// The body in canonical words: a salt that is ignored only where it is not zero.
fn words(
    layer: Layer,
    kind: Kind,
    bytecode: &[u8],
    arguments: &[u8],
    salt: Option<[u8; 32]>,
    factory_deps: &[Vec<u8>],
) -> Json {
    let mut members = vec![
        ("layer", Json::text(layer.name())),
        ("bytecode", Json::bytes(bytecode)),
        ("constructorArgs", Json::bytes(arguments)),
    ];
    members.extend(salt.map(|salt| ("salt", Json::bytes(salt))));
    members.push(("kind", Json::text(kind.name())));
    if !factory_deps.is_empty() {
        members.push(("factoryDeps", Json::Array(factory_deps.iter().map(Json::bytes).collect())));
    }
    Json::object(members)
}

impl Body for Deploy {
    fn to_json(&self) -> Json {
        words(self.layer, self.kind, &self.bytecode, &self.constructor_args, self.salt, &self.factory_deps)
    }

    fn layer(&self) -> Layer {
        self.layer
    }

    fn uses(&self) -> Option<Uses> {
        Some(match self.layer {
            Layer::L1 => Uses { options: mailbox::OPTIONS, facts: mailbox::FACTS },
            Layer::L2 => Uses { options: &[], facts: if self.kind.is_salted() { &[] } else { &["deployment"] } },
        })
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        let mut plan = Plan::default();
        if context.network.vm != Vm::EraVm {
            plan.refusals.push(Refusal::new(
                Code::OPERATION_NETWORK,
                AT,
                format!("{} runs ZKsync OS, which has no ContractDeployer for users", context.network.name),
                "on L2 use the operation call with the deterministic create2 proxy of the EVM, \
                 0x4e59b44847b379578588920cA78FbF26c0B4956C: its calldata is the salt and the init code",
            ));
            return plan;
        }
        plan.refusals.extend(self.judge_kind());
        self.judge_bytecodes(context, &mut plan.refusals);
        let hash = bytecode_hash(&self.bytecode);
        let sender = match self.layer {
            Layer::L1 => mailbox::l2_sender(context),
            Layer::L2 => context.from,
        };
        let deployer = self.kind.deployer(sender);
        plan.derived.push(("bytecodeHash", Json::bytes(hash)));
        let address = match (self.kind.is_salted(), context.deployment_nonce) {
            (true, _) => Some(create2_address(deployer, self.salt(), hash, &self.constructor_args)),
            (false, nonce) => nonce.map(|nonce| create_address(deployer, nonce)),
        };
        match (self.layer, address, context.deployment_nonce) {
            (Layer::L2, Some(address), Some(nonce)) => plan.checks.push(Check {
                name: "deployedAddress",
                result: format!("claimed: {deployer} has made {nonce} deployments before, so that the contract is at {address}"),
            }),
            (Layer::L2, Some(address), None) => plan.checks.push(Check {
                name: "deployedAddress",
                result: format!("recomputed: the contract is at {address}, by deployer {deployer}, salt, bytecode hash and arguments"),
            }),
            (Layer::L2, None, _) => plan.refusals.push(missing_deployment_nonce()),
            (Layer::L1, _, _) => {}
        }
        plan.derived.extend(address.map(|address| ("deployedAddress", Json::display(address))));
        let calldata = self.calldata(hash);
        let mut factory_deps = vec![self.bytecode.clone()];
        factory_deps.extend(self.factory_deps.iter().cloned());
        let words = self.canonical_words();
        let to = self.kind.contract();
        match self.layer {
            Layer::L1 => {
                let call = L2Call { to, value: U256::zero(), calldata, factory_deps };
                let bridgehub = context.network.bridgehub;
                call.plan(context, &mut plan, |request| (OPERATION.name, bridgehub, request.direct(), words));
            }
            Layer::L2 => {
                let (purpose, value, gas) = (OPERATION.name, Wei::zero(), CallGas::Main);
                plan.calls.push(Call { purpose, to, value, calldata, factory_deps, gas, words });
            }
        }
        plan
    }
}

impl Deploy {
    fn salt(&self) -> [u8; 32] {
        self.salt.unwrap_or_default()
    }

    fn canonical_words(&self) -> Json {
        let salt = Some(self.salt()).filter(|salt| self.kind.is_salted() || *salt != [0; 32]);
        words(self.layer, self.kind, &self.bytecode, &self.constructor_args, salt, &self.factory_deps)
    }

    fn judge_kind(&self) -> Option<Refusal> {
        if self.layer == Layer::L1 && !matches!(self.kind, Kind::Create2 | Kind::Create2Account) {
            return Some(Refusal::new(
                Code::DEPLOY_KIND,
                format!("{AT}/kind"),
                format!("{} is built as an L2 transaction only", self.kind.name()),
                "write \"layer\": \"l2\"; or deploy from L1 with create2 or create2Account",
            ));
        }
        let is_idle = !self.kind.is_salted() && self.salt() != [0; 32];
        is_idle.then(|| {
            Refusal::new(
                Code::INTENT_UNUSED,
                format!("{AT}/salt"),
                format!("the ContractDeployer ignores the salt of {}", self.kind.name()),
                "leave it out, or deploy with create2, whose address follows from it",
            )
        })
    }

    fn judge_bytecodes(&self, context: &Context<'_>, refusals: &mut Vec<Refusal>) {
        // The bytecode is a dependency too.
        let count = self.factory_deps.len() + 1;
        let judged = judge_bytecode(&self.bytecode, &format!("{AT}/bytecode"))
            .into_iter()
            .chain(request_execute::judge_count(context.network, count, &format!("{AT}/factoryDeps")))
            .chain(
                self.factory_deps
                    .iter()
                    .enumerate()
                    .filter_map(|(index, code)| judge_bytecode(code, &format!("{AT}/factoryDeps/{index}"))),
            );
        match self.layer {
            Layer::L1 => refusals.extend(judged),
            // Here it is the node that refuses.
            Layer::L2 => refusals.extend(judged.map(Refusal::without_contract_error)),
        }
    }

    fn calldata(&self, hash: [u8; 32]) -> Vec<u8> {
        let mut arguments = vec![
            Token::FixedBytes(self.salt().to_vec()),
            Token::FixedBytes(hash.to_vec()),
            Token::Bytes(self.constructor_args.clone()),
        ];
        if self.kind.is_account() {
            arguments.push(abi::uint(ACCOUNT_VERSION_1));
        }
        self.kind.function().call(&arguments)
    }
}

fn missing_deployment_nonce() -> Refusal {
    Refusal::new(
        Code::JSON_MISSING_MEMBER,
        "/facts/deployment",
        "missing: deployment",
        "add {\"deploymentNonce\"}: NonceHolder(0x8003).getDeploymentNonce(from), which is not the transaction nonce",
    )
}
