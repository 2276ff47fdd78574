//! How nodes say why they do not take a transaction.
//!
//! Wordings differ by client and change. They never decide whether a transaction was sent or mined, our hash does; they only
//! choose the state and the remedy of one that was not taken.

use crate::state::State;

/// What a node's sentence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It says that it has the transaction. Not believed, but a reason to go on looking.
    Known,
    /// It did not take it.
    Refused(Reason),
}

/// Why it did not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The account can not pay for it.
    Funds,
    /// The fees are below what the node or the block asks.
    Fees,
    /// Another transaction with its nonce waits there, with higher fees.
    Rival,
    /// Something else.
    Other,
}

const KNOWN: &[&str] = &["already known", "already imported", "known transaction", "already exists", "alreadyknown"];
const RIVAL: &[&str] = &["replacement transaction underpriced", "replacement underpriced", "replacement fee too low"];
const FUNDS: &[&str] = &[
    "insufficient funds",
    "insufficient balance",
    "insufficientfunds",
    "not enough balance",
    "enough funds",
    "lack of funds",
    "exceeds account balance",
    "exceeds balance",
];
const FEES: &[&str] = &[
    "underpriced",
    "less than block base fee",
    "fee cap less than",
    "feetoolow",
    "fee too low",
    "price too low",
    "below the minimum",
    "below minimum",
];

impl Meaning {
    /// Reads a sentence.
    pub fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        if says(KNOWN) {
            Self::Known
        } else if says(RIVAL) {
            Self::Refused(Reason::Rival)
        } else if says(FUNDS) {
            Self::Refused(Reason::Funds)
        } else if says(FEES) {
            Self::Refused(Reason::Fees)
        } else {
            Self::Refused(Reason::Other)
        }
    }
}

impl Reason {
    /// The state of a payload that was not taken for it.
    pub const fn state(self) -> State {
        match self {
            Self::Funds => State::InsufficientFunds,
            Self::Fees | Self::Rival => State::Underpriced,
            Self::Other => State::Rejected,
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Funds => "fund the account and run the same command again",
            Self::Fees => {
                "run the same command again when fees have fallen, or sign the request again with higher fees and the same nonce"
            }
            Self::Rival => {
                "another transaction with this nonce waits in the node's pool: find out which, before anything is signed again"
            }
            Self::Other => "mend what the node names (an earlier nonce, the gas limit) and run the same command again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sentences of geth, reth, nethermind, besu, erigon, anvil, hardhat and the ZKsync node.
    #[test]
    fn sentences_of_nodes_are_told_apart() {
        let rows = [
            ("already known", Meaning::Known),
            ("transaction already imported", Meaning::Known),
            ("Known transaction", Meaning::Known),
            ("AlreadyKnown", Meaning::Known),
            ("known transaction. transaction with hash 0x11 is already in the system", Meaning::Known),
            ("insufficient funds for gas * price + value: balance 1, tx cost 2", Meaning::Refused(Reason::Funds)),
            ("Insufficient funds for gas * price + value", Meaning::Refused(Reason::Funds)),
            ("InsufficientFunds, Account balance: 1, cumulative cost: 2", Meaning::Refused(Reason::Funds)),
            ("Upfront cost exceeds account balance", Meaning::Refused(Reason::Funds)),
            ("Sender doesn't have enough funds to send tx", Meaning::Refused(Reason::Funds)),
            (
                "Not enough balance to cover the fee + value, balance: 1, fee: 2, value: 3",
                Meaning::Refused(Reason::Funds),
            ),
            ("transaction underpriced: gas tip cap 0, minimum needed 1", Meaning::Refused(Reason::Fees)),
            ("max fee per gas less than block base fee", Meaning::Refused(Reason::Fees)),
            ("FeeTooLow, EffectivePriorityFeePerGas too low 0 < 1", Meaning::Refused(Reason::Fees)),
            ("max fee per gas is below the minimum", Meaning::Refused(Reason::Fees)),
            ("replacement transaction underpriced", Meaning::Refused(Reason::Rival)),
            ("nonce too high", Meaning::Refused(Reason::Other)),
            ("intrinsic gas too low", Meaning::Refused(Reason::Other)),
        ];
        for (message, meaning) in rows {
            assert_eq!(Meaning::of(message), meaning, "{message}");
        }
    }
}
