//! The closed list of what coldbridge can sign. An auditor reads [`ALL`]; each row is one file.
//!
//! An operation says *what is called*: it turns typed fields into contract calls and recognises its own calls again in
//! decoded bytes. It knows nothing of envelopes, keys or documents.

pub mod approve;
pub mod call;
pub mod cancel;
pub mod claim_failed_deposit;
pub mod deploy;
pub mod deposit;
pub mod evidence;
pub mod finalize_withdrawal;
pub mod mailbox;
pub mod request_execute;
mod token;
pub mod transfer;
pub mod withdraw;

use ethabi::ethereum_types::U256;

use crate::abi::Function;
use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::network::{Layer, Network};
use crate::priority::{Assessment, PriorityRequestFacts};
use crate::refusal::{Code, Refusal, printable};
use crate::units::{BaseTokenUnits, Wei, WeiPerGas};

pub(crate) use token::amount_in_words;
pub use token::{Movement, TokenName, judge_l1_token, judge_l2_token, judge_recipient, judge_token_contract};

/// One kind of operation.
pub struct Operation {
    /// Its member name in `intent.operation`.
    pub name: &'static str,
    /// Where its transactions can run.
    pub layers: &'static [Layer],
    /// What it does, in one line.
    pub summary: &'static str,
    /// The contract functions that it calls.
    pub functions: &'static [&'static Function],
    /// The options of the intent that it uses.
    pub options: &'static [&'static str],
    /// The facts that it uses, beside `transaction`.
    pub facts: &'static [&'static str],
    /// Reads its body.
    pub read: ReadBody,
    /// Finds it in a decoded call.
    pub recognise: fn(&Seen<'_>) -> Option<Recognised>,
}

/// Reads the body of an operation.
pub type ReadBody = fn(&Cursor<'_>, Spelling) -> Result<Box<dyn Body>, Refusal>;

/// Every operation there is. A call that several could have made is recognised as the first of them; as [`call`], which could
/// have made any, only where a document says so.
pub const ALL: &[&Operation] = &[
    &deposit::OPERATION,
    &deploy::OPERATION,
    &request_execute::OPERATION,
    &request_execute::MAILBOX_OPERATION,
    &approve::OPERATION,
    &cancel::OPERATION,
    &withdraw::OPERATION,
    &transfer::OPERATION,
    &finalize_withdrawal::OPERATION,
    &claim_failed_deposit::OPERATION,
    &call::OPERATION,
];

/// The fields of an operation that has been read.
pub trait Body {
    /// The body as a document has it.
    fn to_json(&self) -> Json;
    /// Where its transactions run.
    fn layer(&self) -> Layer;
    /// The options of the intent and the facts that it uses, where these are fewer than its operation's on all layers.
    fn uses(&self) -> Option<Uses> {
        None
    }
    /// The calls, as far as they can be computed, and everything that is wrong with them.
    fn plan(&self, context: &Context<'_>) -> Plan;
}

/// What a body uses of the intent and the facts, beside `transaction`.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// The options of the intent.
    pub options: &'static [&'static str],
    /// The facts.
    pub facts: &'static [&'static str],
}

/// What an operation may know beside its own fields.
pub struct Context<'a> {
    /// The network.
    pub network: &'a Network,
    /// The sender.
    pub from: Address,
    /// What kind of account the sender is.
    pub from_kind: AccountKind,
    /// Who gets on L2 what is not used; none: the sender.
    pub refund_recipient: Option<Address>,
    /// What kind of account on L1 that is; none: a plain one.
    pub refund_recipient_kind: Option<AccountKind>,
    /// What is added to the base cost, in percent of it.
    pub base_cost_margin_percent: u64,
    /// What the operator gets on top.
    pub operator_tip: BaseTokenUnits,
    /// The custom second bridge that the intent names.
    pub custom_bridge: Option<CustomBridge<'a>>,
    /// `facts.priorityRequest`.
    pub priority_request: Option<&'a PriorityRequestFacts>,
    /// `facts.allowances`; none where the facts do not speak of them.
    pub allowances: Option<&'a [Allowance]>,
    /// `facts.approval.gasLimit`
    pub approval_gas_limit: Option<u64>,
    /// `facts.withdrawal`
    pub withdrawal: Option<&'a finalize_withdrawal::WithdrawalFacts>,
    /// `facts.failedDeposit`
    pub failed_deposit: Option<&'a claim_failed_deposit::FailedDepositFacts>,
    /// `facts.deployment.deploymentNonce`
    pub deployment_nonce: Option<u64>,
    /// The highest gas price, and its place in the request.
    pub gas_price_cap: Option<(WeiPerGas, &'static str)>,
    /// The lowest gas price that a transaction of the request can be included at.
    pub gas_price_floor: Option<WeiPerGas>,
}

/// A second bridge other than the asset router.
#[derive(Clone, Copy)]
pub struct CustomBridge<'a> {
    /// Its pinned name.
    pub name: &'a str,
    /// Its pinned address.
    pub address: Address,
    /// What it is handed; none: token, amount and receiver as the shared bridges take them.
    pub data: Option<&'a [u8]>,
}

/// What kind of account stands behind an address on L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// A plain account.
    Eoa,
    /// A plain account with an EIP-7702 delegation: it signs, and it has code.
    Delegated,
    /// A contract, a Safe for example.
    Contract,
}

impl AccountKind {
    /// The words of documents.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("eoa", Self::Eoa), ("delegated", Self::Delegated), ("contract", Self::Contract)];

    /// The word for a sentence.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Eoa => "a plain account",
            Self::Delegated => "a delegated account (EIP-7702)",
            Self::Contract => "a contract",
        }
    }

    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eoa => "eoa",
            Self::Delegated => "delegated",
            Self::Contract => "contract",
        }
    }
}

/// One row of `facts.allowances`: what a spender may already take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The ERC-20.
    pub token: Address,
    /// Who may take it.
    pub spender: Address,
    /// How much.
    pub amount: U256,
}

/// One contract call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The operation that it belongs to.
    pub purpose: &'static str,
    /// The called contract.
    pub to: Address,
    /// The value that moves with it.
    pub value: Wei,
    /// The calldata.
    pub calldata: Vec<u8>,
    /// The bytecodes that it makes known to the chain (EraVM, type 0x71).
    pub factory_deps: Vec<Vec<u8>>,
    /// Which of the facts' gas limits it gets.
    pub gas: CallGas,
    /// What [`recognise`] must find in the encoded call: the operation's body in canonical words.
    pub words: Json,
}

/// Which of the facts' gas limits a call gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallGas {
    /// `facts.transaction.gasLimit`
    Main,
    /// `facts.approval.gasLimit`
    Approval,
}

/// What an operation comes to.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The calls, in nonce order.
    pub calls: Vec<Call>,
    /// What the Mailbox makes of it, for L1 -> L2 requests.
    pub priority: Option<Assessment>,
    /// What was derived beside that, as members of `derived`.
    pub derived: Vec<(&'static str, Json)>,
    /// What leaves the account in ERC-20 tokens.
    pub debits: Vec<(Address, U256)>,
    /// What was checked, as sentences.
    pub checks: Vec<Check>,
    /// What was not checked, and can not be without the owner.
    pub warnings: Vec<String>,
    /// What is wrong, the first lie first.
    pub refusals: Vec<Refusal>,
}

/// A rule that holds, and the numbers with which it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about: a member of the request or of the calldata.
    pub name: &'static str,
    /// A sentence to check.
    pub result: String,
}

/// A call found in decoded bytes.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The network that is tried.
    pub network: &'a Network,
    /// Its layer that the transaction runs on.
    pub layer: Layer,
    /// The sender, if the bytes or their document tell.
    pub from: Option<Address>,
    /// The called account.
    pub to: Address,
    /// The value that moves with the call.
    pub value: Wei,
    /// The calldata.
    pub data: &'a [u8],
    /// The bytecodes that come with it.
    pub factory_deps: &'a [Vec<u8>],
}

/// An operation found in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// Which one.
    pub name: &'static str,
    /// Its body, in the words of a request.
    pub body: Json,
    /// The called function and its arguments under the contract's own names.
    pub call: Json,
    /// What leaves the account in ERC-20 tokens.
    pub debits: Vec<(Address, U256)>,
    /// What the chain would hold against it, and what is unusual about it.
    pub warnings: Vec<String>,
    /// What a person must see: label and text.
    pub lines: Vec<(&'static str, String)>,
}

/// Reads `intent.operation`: exactly one member, the name of an operation.
pub fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<(&'static Operation, Box<dyn Body>), Refusal> {
    let names = || ALL.iter().map(|operation| operation.name).collect::<Vec<_>>().join(", ");
    let [(name, value)] = cursor.entries()? else {
        return Err(cursor.refuse(
            Code::OPERATION_COUNT,
            format!("{} members, but an intent is exactly one operation", cursor.entries()?.len()),
            format!("keep one of: {}", names()),
        ));
    };
    let body = cursor.member(name, value);
    let operation = ALL.iter().find(|operation| operation.name == name).ok_or_else(|| {
        body.refuse(
            Code::OPERATION_UNKNOWN,
            format!("there is no operation \"{}\"", printable(name)),
            format!("use one of: {}", names()),
        )
    })?;
    Ok((operation, (operation.read)(&body, spelling)?))
}

/// Finds the operation that a call belongs to.
pub fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    ALL.iter()
        .filter(|operation| operation.name != call::OPERATION.name)
        .find_map(|operation| recognise_with(operation, seen))
}

/// Finds an operation of this name in a call, also where another could have made the same call.
pub fn recognise_as(name: &str, seen: &Seen<'_>) -> Option<Recognised> {
    recognise_with(ALL.iter().find(|operation| operation.name == name)?, seen)
}

/// Finds the operation that a request of L1 calls on L2, where it runs as the sender.
pub fn recognise_on_l2(found: &Recognised, network: &Network, from: Option<Address>) -> Option<Recognised> {
    let member = |name| match found.body.get(name) {
        Some(Json::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let to = Address::parse(member("l2Contract")?, Spelling::AnyCase).ok()?;
    let value = U256::from_dec_str(member("l2Value")?).map(Wei::new).ok()?;
    let data = hex::decode(member("l2Calldata")?.strip_prefix("0x")?).ok()?;
    recognise(&Seen { network, layer: Layer::L2, from, to, value, data: &data, factory_deps: &[] })
}

fn recognise_with(operation: &Operation, seen: &Seen<'_>) -> Option<Recognised> {
    let brings = [deploy::OPERATION.name, call::OPERATION.name].contains(&operation.name);
    let fits = operation.layers.contains(&seen.layer) && (brings || seen.factory_deps.is_empty());
    if fits { (operation.recognise)(seen) } else { None }
}
