//! Have an L2 call executed from L1: Bridgehub.requestL2TransactionDirect, or the Era diamond's own requestL2Transaction.
//!
//! `mintValue >= baseCost + l2Value` is enforced here for every version: v31 checks the base cost alone, and a shortfall
//! of l2Value would only make the L2 side fail. The Era diamond takes mintValue from msg.value.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/state-transition/chain-deps/facets/Mailbox.sol>

use ethabi::ethereum_types::U256;

use super::mailbox::{self, REQUEST_L2_TRANSACTION_DIRECT, Refund};
use super::{
    Body, Call, CallGas, Context, Operation, Plan, Recognised, Seen, TokenName, amount_in_words, judge_recipient,
};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::bytecode::judge_bytecode;
use crate::json::{Cursor, Json};
use crate::network::{BaseToken, Layer, Network, Vm};
use crate::priority::{GasRule, Limits, REQUIRED_GAS_PER_PUBDATA, Shape};
use crate::refusal::{Code, Refusal, contract_error};
use crate::units::{BaseTokenUnits, Gas};

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "requestExecute",
    layers: &[Layer::L1],
    summary: "Have a call executed on L2, paid for on L1, through the Bridgehub",
    functions: &[&REQUEST_L2_TRANSACTION_DIRECT],
    options: mailbox::OPTIONS,
    facts: mailbox::FACTS,
    read: |cursor, spelling| read(cursor, spelling, Entry::Bridgehub),
    recognise: recognise_direct,
};

/// The row of the list.
pub const MAILBOX_OPERATION: Operation = Operation {
    name: "requestExecuteMailbox",
    layers: &[Layer::L1],
    summary: "Have a call executed on L2, paid for on L1, through the Era diamond itself",
    functions: &[&REQUEST_L2_TRANSACTION],
    options: mailbox::OPTIONS,
    facts: &["priorityRequest"],
    read: |cursor, spelling| read(cursor, spelling, Entry::Mailbox),
    recognise: recognise_mailbox,
};

/// `Mailbox.requestL2Transaction`, on the diamond of chain `ERA_CHAIN_ID` only.
pub const REQUEST_L2_TRANSACTION: Function = Function {
    signature: "requestL2Transaction(address,uint256,bytes,uint256,uint256,bytes[],address)",
    selector: [0xeb, 0x67, 0x24, 0x19],
    parameters: || {
        vec![
            ParamType::Address,                           // _contractL2
            ParamType::Uint(256),                         // _l2Value
            ParamType::Bytes,                             // _calldata
            ParamType::Uint(256),                         // _l2GasLimit
            ParamType::Uint(256),                         // _l2GasPerPubdataByteLimit
            ParamType::Array(Box::new(ParamType::Bytes)), // _factoryDeps
            ParamType::Address,                           // _refundRecipient
        ]
    },
};

/// Where the request enters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Bridgehub,
    Mailbox,
}

impl Entry {
    const fn name(self) -> &'static str {
        match self {
            Self::Bridgehub => OPERATION.name,
            Self::Mailbox => MAILBOX_OPERATION.name,
        }
    }
}

struct Execute {
    entry: Entry,
    call: L2Call,
}

/// The call that L2 is to execute.
pub(super) struct L2Call {
    pub(super) to: Address,
    pub(super) value: U256,
    pub(super) calldata: Vec<u8>,
    pub(super) factory_deps: Vec<Vec<u8>>,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling, entry: Entry) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["l2Contract", "l2Value", "l2Calldata"], &["factoryDeps"])?;
    Ok(Box::new(Execute {
        entry,
        call: L2Call {
            to: members.required("l2Contract")?.address(spelling)?,
            value: members.required("l2Value")?.amount()?,
            calldata: members.required("l2Calldata")?.bytes()?,
            factory_deps: match members.optional("factoryDeps") {
                Some(list) => read_factory_deps(&list)?,
                None => Vec::new(),
            },
        },
    }))
}

pub(super) fn read_factory_deps(list: &Cursor<'_>) -> Result<Vec<Vec<u8>>, Refusal> {
    list.items()?.iter().map(Cursor::bytes).collect()
}

impl Body for Execute {
    fn to_json(&self) -> Json {
        self.call.words()
    }

    fn layer(&self) -> Layer {
        Layer::L1
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        let at = format!("/intent/operation/{}", self.entry.name());
        let mut plan = Plan::default();
        if self.entry == Entry::Mailbox && !context.network.is_era() {
            plan.refusals.push(
                Refusal::new(
                    Code::OPERATION_NETWORK,
                    at.as_str(),
                    format!(
                        "the diamond of {} is not the Era chain's: only that one still takes requests itself",
                        context.network.name
                    ),
                    "use requestExecute, which goes through the Bridgehub",
                )
                .reverts(contract_error::ONLY_ERA_SUPPORTED),
            );
        }
        if self.call.to == Address::ZERO {
            plan.refusals.push(Refusal::new(
                Code::RECIPIENT_ZERO,
                format!("{at}/l2Contract"),
                "the zero address: there is nothing to call",
                "write the address of the L2 contract",
            ));
        }
        // With a value and nothing to call it is a transfer, and keeps the rules of one.
        if self.call.calldata.is_empty() && !self.call.value.is_zero() {
            let at = format!("{at}/l2Contract");
            let recipient = Some(self.call.to).filter(|to| *to != Address::ZERO);
            plan.refusals.extend(recipient.and_then(|to| judge_recipient(to, &at, context.network)));
            plan.refusals.extend(mailbox::judge_known_contract(context, self.call.to, TokenName::Base, &at));
        }
        judge_factory_deps(context.network, &self.call.factory_deps, &format!("{at}/factoryDeps"), &mut plan.refusals);
        let words = self.call.words();
        self.call.plan(context, &mut plan, |request| {
            let (to, calldata) = match self.entry {
                Entry::Bridgehub => (context.network.bridgehub, request.direct()),
                Entry::Mailbox => (context.network.diamond_proxy, request.mailbox()),
            };
            (self.entry.name(), to, calldata, words.clone())
        });
        plan
    }
}

/// A request whose every argument is known.
pub(super) struct Request<'a> {
    network: &'a Network,
    call: &'a L2Call,
    mint_value: BaseTokenUnits,
    l2_gas_limit: U256,
    gas_per_pubdata: U256,
    refund_recipient: Address,
}

impl Request<'_> {
    pub(super) fn direct(&self) -> Vec<u8> {
        REQUEST_L2_TRANSACTION_DIRECT.call(&[Token::Tuple(vec![
            abi::uint(self.network.l2_chain_id),
            abi::uint(self.mint_value.get()),
            abi::address(self.call.to),
            abi::uint(self.call.value),
            Token::Bytes(self.call.calldata.clone()),
            abi::uint(self.l2_gas_limit),
            abi::uint(self.gas_per_pubdata),
            Token::Array(self.call.factory_deps.iter().cloned().map(Token::Bytes).collect()),
            abi::address(self.refund_recipient),
        ])])
    }

    fn mailbox(&self) -> Vec<u8> {
        REQUEST_L2_TRANSACTION.call(&[
            abi::address(self.call.to),
            abi::uint(self.call.value),
            Token::Bytes(self.call.calldata.clone()),
            abi::uint(self.l2_gas_limit),
            abi::uint(self.gas_per_pubdata),
            Token::Array(self.call.factory_deps.iter().cloned().map(Token::Bytes).collect()),
            abi::address(self.refund_recipient),
        ])
    }
}

impl L2Call {
    pub(super) fn words(&self) -> Json {
        words(self.to, self.value, &self.calldata, &self.factory_deps)
    }

    /// Prices the request, and has `encode` write it down: (purpose, called contract, calldata, words).
    pub(super) fn plan(
        &self,
        context: &Context<'_>,
        plan: &mut Plan,
        encode: impl FnOnce(&Request<'_>) -> (&'static str, Address, Vec<u8>, Json),
    ) {
        let refund = Refund::settle(context, &mut plan.refusals);
        mailbox::derive_accounts(context, plan, mailbox::l2_sender(context), refund);
        if context.network.base_token == BaseToken::Eth {
            mailbox::judge_no_approvals(context, plan);
        }
        let shape = Shape {
            calldata_length: u64::try_from(self.calldata.len()).unwrap_or(u64::MAX),
            factory_deps: match context.network.vm {
                Vm::EraVm => u64::try_from(self.factory_deps.len()).unwrap_or(u64::MAX),
                Vm::ZkSyncOs => 0,
            },
        };
        let Some((facts, assessment)) = mailbox::assess(context, plan, shape, self.value) else { return };
        let Some(mint_value) = assessment.mint_value else { return };
        let (value, need) = mailbox::pay_mint_value(context, plan, mint_value);
        let (purpose, to, calldata, words) = encode(&Request {
            network: context.network,
            call: self,
            mint_value,
            l2_gas_limit: facts.l2_gas_limit.get(),
            gas_per_pubdata: facts.gas_per_pubdata.get(),
            refund_recipient: refund.recipient,
        });
        let (factory_deps, gas) = (Vec::new(), CallGas::Main);
        plan.calls.push(Call { purpose, to, value, calldata, factory_deps, gas, words });
        mailbox::add_approvals(context, plan, need.as_slice());
    }
}

fn words(to: Address, value: U256, calldata: &[u8], factory_deps: &[Vec<u8>]) -> Json {
    Json::object([
        ("l2Contract", Json::display(to)),
        ("l2Value", Json::display(value)),
        ("l2Calldata", Json::bytes(calldata)),
        ("factoryDeps", Json::Array(factory_deps.iter().map(Json::bytes).collect())),
    ])
}

/// `MAX_NEW_FACTORY_DEPS` and `L2ContractHelper.hashL2Bytecode`: at most 64 (32 before v26), each an odd number of words
/// below 2^16. ZKsync OS ignores them, so that whoever passes one is mistaken.
pub(super) fn judge_factory_deps(network: &Network, deps: &[Vec<u8>], at: &str, refusals: &mut Vec<Refusal>) {
    if deps.is_empty() {
        return;
    }
    if network.vm == Vm::ZkSyncOs {
        refusals.push(Refusal::new(
            Code::FACTORY_DEPS_VM,
            at,
            format!("{} runs ZKsync OS, which ignores factory dependencies", network.name),
            "leave them out",
        ));
        return;
    }
    refusals.extend(judge_count(network, deps.len(), at));
    for (index, bytecode) in deps.iter().enumerate() {
        refusals.extend(judge_bytecode(bytecode, &format!("{at}/{index}")));
    }
}

/// `MAX_NEW_FACTORY_DEPS`
pub(super) fn judge_count(network: &Network, count: usize, at: &str) -> Option<Refusal> {
    let most = if network.has_asset_router() { 64 } else { 32 };
    (count > most).then(|| {
        Refusal::new(
            Code::FACTORY_DEPS_COUNT,
            at,
            format!("{count} dependencies, but one request takes at most {most}"),
            "spread them over several requests",
        )
        .values(format!("at most {most}"), count)
        .reverts(contract_error::TOO_MANY_FACTORY_DEPS)
    })
}

/// The arguments of a decoded request.
pub(super) struct Decoded {
    pub(super) mint_value: U256,
    pub(super) to: Address,
    pub(super) value: U256,
    pub(super) calldata: Vec<u8>,
    pub(super) gas: U256,
    pub(super) per_pubdata: U256,
    pub(super) factory_deps: Vec<Vec<u8>>,
    pub(super) refund: Address,
}

impl Decoded {
    /// A Direct request to this network's Bridgehub that its value rule accepts.
    pub(super) fn direct(seen: &Seen<'_>) -> Option<Self> {
        let arguments = REQUEST_L2_TRANSACTION_DIRECT.arguments(seen.data)?;
        let [Token::Tuple(request)] = arguments.as_slice() else { return None };
        let [chain_id, mint_value, rest @ ..] = request.as_slice() else { return None };
        let decoded = Self::read(rest, abi::as_uint(mint_value)?)?;
        let value = match seen.network.base_token {
            BaseToken::Eth => decoded.mint_value,
            BaseToken::Erc20(_) => U256::zero(),
        };
        let fits = seen.to == seen.network.bridgehub
            && abi::as_uint(chain_id)? == U256::from(seen.network.l2_chain_id)
            && seen.value.get() == value;
        fits.then_some(decoded)
    }

    fn read(arguments: &[Token], mint_value: U256) -> Option<Self> {
        let [to, value, Token::Bytes(calldata), gas, per_pubdata, Token::Array(deps), refund] = arguments else {
            return None;
        };
        Some(Self {
            mint_value,
            to: abi::as_address(to)?,
            value: abi::as_uint(value)?,
            calldata: calldata.clone(),
            gas: abi::as_uint(gas)?,
            per_pubdata: abi::as_uint(per_pubdata)?,
            factory_deps: deps
                .iter()
                .map(|dep| match dep {
                    Token::Bytes(bytes) => Some(bytes.clone()),
                    _ => None,
                })
                .collect::<Option<_>>()?,
            refund: abi::as_address(refund)?,
        })
    }

    pub(super) fn call_json(&self, network: &Network) -> Json {
        Json::object([
            ("function", Json::text("requestL2TransactionDirect")),
            (
                "arguments",
                Json::object([
                    ("chainId", Json::count(network.l2_chain_id)),
                    ("mintValue", Json::display(self.mint_value)),
                    ("l2Contract", Json::display(self.to)),
                    ("l2Value", Json::display(self.value)),
                    ("l2Calldata", Json::bytes(&self.calldata)),
                    ("l2GasLimit", Json::count(self.gas)),
                    ("l2GasPerPubdataByteLimit", Json::count(self.per_pubdata)),
                    ("factoryDeps", Json::Array(self.factory_deps.iter().map(Json::bytes).collect())),
                    ("refundRecipient", Json::display(self.refund)),
                ]),
            ),
        ])
    }

    /// What mintValue takes from the account, where it is an ERC-20.
    pub(super) fn debits(&self, network: &Network) -> Vec<(Address, U256)> {
        match network.base_token {
            BaseToken::Eth => Vec::new(),
            BaseToken::Erc20(token) => vec![(token, self.mint_value)],
        }
    }

    /// What the Mailbox would refuse, and what it would do otherwise than it looks.
    pub(super) fn warnings(&self, network: &Network) -> Vec<String> {
        let shape = Shape {
            calldata_length: u64::try_from(self.calldata.len()).unwrap_or(u64::MAX),
            factory_deps: u64::try_from(self.factory_deps.len()).unwrap_or(u64::MAX),
        };
        let fee = self.mint_value.saturating_sub(self.value);
        let mut warnings = warnings(network, shape, self.refund, fee, self.value, self.gas, self.per_pubdata);
        // On ZKsync OS a price of 0 is possible, and then mintValue may be the value alone.
        if self.mint_value < self.value || (fee.is_zero() && network.vm == Vm::EraVm) {
            let what = format!("mintValue {} does not pay for the L2 value {} and a fee", self.mint_value, self.value);
            warnings.push(if network.protocol_version.minor >= 31 {
                format!(
                    "{what}: if it covers the fee, L1 takes it, the L2 side fails and all goes to the refund recipient"
                )
            } else {
                format!("{what}: the chain refuses that ({})", contract_error::MSG_VALUE_TOO_LOW.signature)
            });
        }
        if self.value.is_zero() && self.calldata.is_empty() && self.factory_deps.is_empty() {
            warnings.push(format!(
                "neither value nor calldata reach {}: whatever the fee leaves of mintValue goes to the refund recipient",
                self.to
            ));
        }
        warnings
    }

    /// Refunds, fee and gas, for a person.
    pub(super) fn fee_lines(&self, network: &Network) -> Vec<(&'static str, String)> {
        fee_lines(network, self.refund, self.mint_value.saturating_sub(self.value), self.gas, self.per_pubdata)
    }

    fn lines(&self, network: &Network) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("calls on L2", format!("{} on {} (chain {})", self.to, network.name, network.l2_chain_id)),
            ("L2 value", amount_in_words(network, Layer::L2, TokenName::Base, self.value)),
            ("L2 calldata", calldata_in_words(&self.calldata)),
        ];
        if !self.factory_deps.is_empty() {
            lines.push(("factory deps", self.factory_deps.len().to_string()));
        }
        lines.extend(self.fee_lines(network));
        lines
    }
}

pub(super) fn calldata_in_words(calldata: &[u8]) -> String {
    match calldata.first_chunk::<4>() {
        Some(selector) => format!("selector 0x{}, {} bytes", hex::encode(selector), calldata.len()),
        None => format!("{} bytes", calldata.len()),
    }
}

/// Refunds, fee and gas of a request, for a person.
pub(super) fn fee_lines(
    network: &Network,
    refund: Address,
    fee: U256,
    gas: U256,
    per_pubdata: U256,
) -> Vec<(&'static str, String)> {
    let refunds = if refund == Address::ZERO {
        "nobody is named: to the sender, or to its alias on L2 if it has code on L1".to_owned()
    } else {
        format!(
            "{refund} on L2 if it has no code on L1, else to its alias: everything but the fee, if the L2 side fails"
        )
    };
    vec![
        ("refunds go to", refunds),
        ("L2 fee max", amount_in_words(network, Layer::L2, TokenName::Base, fee)),
        ("L2 gas limit", format!("{gas}, {per_pubdata} per pubdata byte")),
    ]
}

/// What the Mailbox would refuse, and a fee that is more than what it is paid for.
pub(super) fn warnings(
    network: &Network,
    shape: Shape,
    refund: Address,
    fee: U256,
    value: U256,
    gas: U256,
    per_pubdata: U256,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if per_pubdata != U256::from(REQUIRED_GAS_PER_PUBDATA) {
        warnings.push(format!("the Mailbox refuses {per_pubdata} gas per pubdata byte (GasPerPubdataMismatch)"));
    }
    if network.vm == Vm::EraVm {
        let limits = Limits {
            priority_tx_max_gas_limit: network.priority_tx_max_gas_limit,
            priority_tx_max_pubdata: u32::MAX.into(),
            gas_per_pubdata: U256::from(REQUIRED_GAS_PER_PUBDATA),
        };
        if let Err(error) = GasRule::EraVm.bounds(shape, limits).check(Gas::new(gas)) {
            warnings.push(format!("the Mailbox refuses the L2 gas limit {gas} ({})", error.contract_error().signature));
        }
    }
    if refund == Address::ZERO {
        warnings.push("no refund recipient is named".to_owned());
    }
    if !value.is_zero() && fee > value {
        warnings.push("the L2 fee is more than the value that reaches L2".to_owned());
    }
    warnings
}

fn recognise_direct(seen: &Seen<'_>) -> Option<Recognised> {
    let request = Decoded::direct(seen)?;
    let network = seen.network;
    Some(Recognised {
        name: OPERATION.name,
        body: words(request.to, request.value, &request.calldata, &request.factory_deps),
        call: request.call_json(network),
        debits: request.debits(network),
        warnings: request.warnings(network),
        lines: request.lines(network),
    })
}

fn recognise_mailbox(seen: &Seen<'_>) -> Option<Recognised> {
    let network = seen.network;
    let arguments = REQUEST_L2_TRANSACTION.arguments(seen.data)?;
    let request = Decoded::read(&arguments, seen.value.get())?;
    if seen.to != network.diamond_proxy || !network.is_era() {
        return None;
    }
    Some(Recognised {
        name: MAILBOX_OPERATION.name,
        body: words(request.to, request.value, &request.calldata, &request.factory_deps),
        call: Json::object([
            ("function", Json::text("requestL2Transaction")),
            (
                "arguments",
                Json::object([
                    ("_contractL2", Json::display(request.to)),
                    ("_l2Value", Json::display(request.value)),
                    ("_calldata", Json::bytes(&request.calldata)),
                    ("_l2GasLimit", Json::count(request.gas)),
                    ("_l2GasPerPubdataByteLimit", Json::count(request.per_pubdata)),
                    ("_factoryDeps", Json::Array(request.factory_deps.iter().map(Json::bytes).collect())),
                    ("_refundRecipient", Json::display(request.refund)),
                ]),
            ),
        ]),
        debits: Vec::new(),
        warnings: request.warnings(network),
        lines: request.lines(network),
    })
}
