//! The closed list of what coldbridge can sign. An auditor reads [`ALL`]; each row is one file.
//!
//! An operation says *what is called*: it turns typed fields into contract calls and recognises its own calls again in
//! decoded bytes. It knows nothing of envelopes, keys or documents.

pub mod deposit;
pub mod withdraw;

use crate::abi::Function;
use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::network::{Layer, Network};
use crate::priority::{Assessment, PriorityRequestFacts};
use crate::refusal::{Code, Refusal, printable};
use crate::units::{BaseTokenUnits, Wei, WeiPerGas};

/// One kind of operation.
pub struct Operation {
    /// Its member name in `intent.operation`.
    pub name: &'static str,
    /// Where its transactions run.
    pub layer: Layer,
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

/// Every operation there is.
pub const ALL: &[&Operation] = &[&deposit::OPERATION, &withdraw::OPERATION];

/// The fields of an operation that has been read.
pub trait Body {
    /// The body as a document has it.
    fn to_json(&self) -> Json;
    /// The calls, as far as they can be computed, and everything that is wrong with them.
    fn plan(&self, context: &Context<'_>) -> Plan;
}

/// What an operation may know beside its own fields.
pub struct Context<'a> {
    /// The network.
    pub network: &'a Network,
    /// The sender.
    pub from: Address,
    /// Who gets on L2 what is not used; none: the sender.
    pub refund_recipient: Option<Address>,
    /// What is added to the base cost, in percent of it.
    pub base_cost_margin_percent: u64,
    /// What the operator gets on top.
    pub operator_tip: BaseTokenUnits,
    /// `facts.priorityRequest`.
    pub priority_request: Option<&'a PriorityRequestFacts>,
    /// The highest gas price, and its place in the request.
    pub gas_price_cap: Option<(WeiPerGas, &'static str)>,
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
    /// What was checked, as sentences.
    pub checks: Vec<Check>,
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
    /// The called account.
    pub to: Address,
    /// The value that moves with the call.
    pub value: Wei,
    /// The calldata.
    pub data: &'a [u8],
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
    ALL.iter().filter(|operation| operation.layer == seen.layer).find_map(|operation| (operation.recognise)(seen))
}

/// The one token that the first two operations move: the asset that both chains' gas is paid in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GasToken {
    /// Named "eth".
    Eth,
    /// Named "base".
    Base,
}

impl GasToken {
    const WORDS: &'static [(&'static str, Self)] = &[("eth", Self::Eth), ("base", Self::Base)];

    /// Reads `token`.
    ///
    /// # Errors
    /// `token.unsupported` for the address of an ERC-20.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        if cursor.text()?.starts_with("0x") {
            let token = cursor.address(Spelling::AnyCase)?;
            return Err(cursor.refuse(
                Code::TOKEN_UNSUPPORTED,
                format!("ERC-20 {token} takes a route that this version does not build"),
                "use \"eth\" or \"base\"",
            ));
        }
        cursor.choice(Self::WORDS)
    }

    /// The word again.
    pub fn to_json(self) -> Json {
        Json::text(match self {
            Self::Eth => "eth",
            Self::Base => "base",
        })
    }
}

/// Whether money may be sent to an account: nobody owns the zero, system and bridge addresses.
pub fn judge_recipient(recipient: Address, at: &str, network: &Network) -> Option<Refusal> {
    if recipient == Address::ZERO {
        return Some(Refusal::new(
            Code::RECIPIENT_ZERO,
            at,
            "the zero address: what arrives there is gone",
            "write the address of the account that is to receive it",
        ));
    }
    if recipient.is_system() {
        return Some(Refusal::new(
            Code::RECIPIENT_SYSTEM,
            at,
            format!("{recipient} is a system address (up to 0x1ffff): nobody has a key for it"),
            "write the address of the account that is to receive it",
        ));
    }
    let (field, _) = network.contracts().into_iter().find(|(_, contract)| *contract == recipient)?;
    Some(Refusal::new(
        Code::RECIPIENT_NETWORK_CONTRACT,
        at,
        format!("{recipient} is the {field} of {}: what it is sent can not be got back", network.name),
        "write the address of the account that is to receive it",
    ))
}

/// Whether there is an amount at all.
pub fn judge_amount(amount: Wei, at: &str) -> Option<Refusal> {
    amount.is_zero().then(|| {
        Refusal::new(
            Code::AMOUNT_ZERO,
            at,
            "the amount is 0: only fees would be spent",
            "state the amount in base units (wei)",
        )
    })
}
