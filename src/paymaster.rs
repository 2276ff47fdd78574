//! Paymasters: who pays the fee of a type 0x71 transaction in the sender's place, and what that may take for it.
//!
//! The account prepares for its paymaster before the fee is taken (`TransactionHelper.processPaymasterInput`,
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/libraries/TransactionHelper.sol>):
//! in the flow `general` nothing is done; in `approvalBased` the paymaster's allowance of a token is raised to minAllowance
//! unless it is higher already. The allowance outlives the transaction. Any other input makes a plain account revert.

use ethabi::ethereum_types::U256;

use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::refusal::{Code, Refusal};

const AT: &str = "/intent/paymaster";

/// `IPaymasterFlow.general`.
pub const GENERAL: Function =
    Function { signature: "general(bytes)", selector: [0x8c, 0x5a, 0x34, 0x45], parameters: || vec![ParamType::Bytes] };

/// `IPaymasterFlow.approvalBased`.
pub const APPROVAL_BASED: Function = Function {
    signature: "approvalBased(address,uint256,bytes)",
    selector: [0x94, 0x94, 0x31, 0xdc],
    parameters: || vec![ParamType::Address, ParamType::Uint(256), ParamType::Bytes],
};

/// A paymaster and what it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sponsor {
    /// The paymaster contract.
    pub address: Address,
    /// What passes between it and the account.
    pub flow: Flow,
}

/// What passes between an account and its paymaster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// It asks for nothing.
    General {
        /// Bytes of its own, often none.
        input: Vec<u8>,
    },
    /// It may take a token.
    ApprovalBased {
        /// The ERC-20 on L2.
        token: Address,
        /// What its allowance is raised to.
        min_allowance: U256,
        /// Bytes of its own, often none.
        inner_input: Vec<u8>,
    },
}

impl Sponsor {
    /// Reads `intent.paymaster`.
    pub fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Self, Refusal> {
        let members = cursor.members(&["address"], &["general", "approvalBased"])?;
        let address = members.required("address")?.address(spelling)?;
        let flow = match (members.optional("general"), members.optional("approvalBased")) {
            (Some(general), None) => {
                Flow::General { input: general.members(&["input"], &[])?.required("input")?.bytes()? }
            }
            (None, Some(approval)) => {
                let members = approval.members(&["token", "minAllowance", "innerInput"], &[])?;
                Flow::ApprovalBased {
                    token: members.required("token")?.address(spelling)?,
                    min_allowance: members.required("minAllowance")?.amount()?,
                    inner_input: members.required("innerInput")?.bytes()?,
                }
            }
            _ => {
                return Err(cursor.refuse(
                    Code::PAYMASTER_FLOW,
                    "a paymaster is told exactly one of general and approvalBased",
                    "keep {\"general\":{\"input\"}} or {\"approvalBased\":{\"token\",\"minAllowance\",\"innerInput\"}}",
                ));
            }
        };
        Ok(Self { address, flow })
    }

    /// The members again.
    pub fn to_json(&self) -> Json {
        let flow = match &self.flow {
            Flow::General { input } => ("general", Json::object([("input", Json::bytes(input))])),
            Flow::ApprovalBased { token, min_allowance, inner_input } => (
                "approvalBased",
                Json::object([
                    ("token", Json::display(token)),
                    ("minAllowance", Json::display(min_allowance)),
                    ("innerInput", Json::bytes(inner_input)),
                ]),
            ),
        };
        Json::object([("address", Json::display(self.address)), flow])
    }

    /// `paymasterInput`.
    pub fn input(&self) -> Vec<u8> {
        match &self.flow {
            Flow::General { input } => GENERAL.call(&[Token::Bytes(input.clone())]),
            Flow::ApprovalBased { token, min_allowance, inner_input } => APPROVAL_BASED.call(&[
                abi::address(*token),
                abi::uint(*min_allowance),
                Token::Bytes(inner_input.clone()),
            ]),
        }
    }

    /// What `paymasterInput` says; none if it is of no flow that an account knows.
    pub fn decode(address: Address, input: &[u8]) -> Option<Self> {
        let flow = match (GENERAL.arguments(input).as_deref(), APPROVAL_BASED.arguments(input).as_deref()) {
            (Some([Token::Bytes(input)]), _) => Flow::General { input: input.clone() },
            (_, Some([token, amount, Token::Bytes(inner)])) => Flow::ApprovalBased {
                token: abi::as_address(token)?,
                min_allowance: abi::as_uint(amount)?,
                inner_input: inner.clone(),
            },
            _ => return None,
        };
        Some(Self { address, flow })
    }

    /// What it may take from the account beside what it might before.
    pub fn debit(&self) -> Option<(Address, U256)> {
        match &self.flow {
            Flow::General { .. } => None,
            Flow::ApprovalBased { token, min_allowance, .. } => Some((*token, *min_allowance)),
        }
    }

    /// Whom nobody can have meant.
    pub fn judge(&self) -> Vec<Refusal> {
        let nobody = |address: Address| address == Address::ZERO || address.is_system();
        let paymaster = nobody(self.address).then(|| {
            Refusal::new(
                Code::PAYMASTER_ADDRESS,
                format!("{AT}/address"),
                format!(
                    "{} is the zero or a system address: there is no paymaster, the account would pay",
                    self.address
                ),
                "write the paymaster's address, or leave the paymaster out",
            )
        });
        let token = self.debit().filter(|(token, _)| nobody(*token)).map(|(token, _)| {
            Refusal::new(
                Code::PAYMASTER_TOKEN,
                format!("{AT}/approvalBased/token"),
                format!("{token} is no ERC-20: allowances exist only for tokens"),
                "write the token's address on L2 (the base token can not be approved)",
            )
        });
        paymaster.into_iter().chain(token).collect()
    }

    /// Who pays and who may take what, for a person.
    pub fn in_words(&self) -> String {
        match &self.flow {
            Flow::General { input } => {
                format!("paymaster {} pays the fee and is told {} bytes", self.address, input.len())
            }
            Flow::ApprovalBased { token, min_allowance, inner_input } => format!(
                "paymaster {} pays the fee and may take {min_allowance} base units of ERC-20 {token} from the account \
                 (or what it may take already, if that is more), now or later: the allowance stays. It is told {} bytes",
                self.address,
                inner_input.len()
            ),
        }
    }
}
