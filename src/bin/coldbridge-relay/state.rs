//! The states of a payload on its way, as the journal and the receipts name them.

/// Where a payload stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Written down, not sent.
    Recorded,
    /// About to be handed to a node, or handed without an answer. Only in the journal: written before the socket is.
    Sending,
    /// A node took it, or had it already.
    Sent,
    /// Not mined in time; a node still has it.
    Pending,
    /// Mined, and succeeded.
    Included,
    /// Mined, succeeded, and as deep in the chain as was asked for.
    Confirmed,
    /// Mined, and failed.
    Reverted,
    /// Another transaction took its nonce.
    Replaced,
    /// The node did not take it.
    Rejected,
    /// The node did not take it: its fees are too low, or lower than those of another transaction with its nonce.
    Underpriced,
    /// The node did not take it: the account can not pay for it.
    InsufficientFunds,
    /// A node had it and forgot it, again and again.
    Dropped,
}

impl State {
    /// All of them, in the order of a payload's life.
    pub const ALL: &'static [Self] = &[
        Self::Recorded,
        Self::Sending,
        Self::Sent,
        Self::Pending,
        Self::Included,
        Self::Confirmed,
        Self::Reverted,
        Self::Replaced,
        Self::Rejected,
        Self::Underpriced,
        Self::InsufficientFunds,
        Self::Dropped,
    ];

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Pending => "pending",
            Self::Included => "included",
            Self::Confirmed => "confirmed",
            Self::Reverted => "reverted",
            Self::Replaced => "replaced",
            Self::Rejected => "rejected",
            Self::Underpriced => "underpriced",
            Self::InsufficientFunds => "insufficientFunds",
            Self::Dropped => "dropped",
        }
    }

    /// The state of a word.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }

    /// Whether it was seen in a block.
    pub const fn is_mined(self) -> bool {
        matches!(self, Self::Included | Self::Confirmed | Self::Reverted)
    }

    /// Whether it can still be mined: whoever has the bytes can send them.
    pub const fn is_open(self) -> bool {
        !self.is_mined() && !matches!(self, Self::Replaced)
    }
}
