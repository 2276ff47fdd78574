//! The facts of a request, as far as they are found out, and what the caller chose in their place.

use coldbridge::operation::Allowance;
use coldbridge::priority::PriorityRequestFacts;
use coldbridge::transaction::Envelope;
use coldbridge::{Code, Json, Refusal};
use ethabi::ethereum_types::U256;

/// `DEFAULT_GAS_PER_PUBDATA_LIMIT` of the EraVM node.
pub const ERA_GAS_PER_PUBDATA: u64 = 50_000;

/// What the caller states, and how much is added to what the nodes say.
#[derive(Debug, Clone, Copy)]
pub struct Choices {
    /// `--nonce`
    pub nonce: Option<u64>,
    /// `--max-fee-per-gas`
    pub max_fee_per_gas: Option<U256>,
    /// `--priority-fee`
    pub priority_fee: Option<U256>,
    /// `--gas-price`
    pub gas_price: Option<U256>,
    /// `--base-fee-multiplier`, in percent.
    pub base_fee_percent: u64,
    /// `--gas-limit`
    pub gas_limit: Option<u64>,
    /// `--l2-gas-limit`
    pub l2_gas_limit: Option<u64>,
    /// `--gas-margin`, in percent.
    pub margin_percent: u64,
}

impl Choices {
    /// An estimate of gas with the margin on top.
    pub fn with_margin(&self, gas: u64) -> u64 {
        let hundred = u128::from(gas) * u128::from(100 + self.margin_percent.min(10_000));
        u64::try_from(hundred.div_ceil(100)).unwrap_or(u64::MAX)
    }

    /// Refuses a price that an envelope has no place for.
    pub fn judge(&self, envelope: Envelope) -> Result<(), Refusal> {
        let is_flat = matches!(envelope, Envelope::Legacy | Envelope::Eip2930);
        let flags = [
            ("--gas-price", self.gas_price.is_some(), !is_flat),
            ("--max-fee-per-gas", self.max_fee_per_gas.is_some(), is_flat),
            ("--priority-fee", self.priority_fee.is_some(), is_flat && self.gas_price.is_some()),
        ];
        match flags.into_iter().find(|(_, is_given, is_misplaced)| *is_given && *is_misplaced) {
            None => Ok(()),
            Some((flag, ..)) => Err(Refusal::new(
                Code::USAGE,
                "/intent/envelope",
                format!("{flag} means nothing for a transaction of envelope {}", envelope.name()),
                "leave it out, or choose another envelope in the intent",
            )),
        }
    }
}

/// Fees in the terms of an envelope.
#[derive(Debug, Clone, Copy)]
pub enum Fee {
    /// Types 0 and 1.
    Flat(U256),
    /// Type 2, and type 0x71 with a limit for pubdata.
    Dynamic {
        /// `maxFeePerGas`
        max: U256,
        /// `maxPriorityFeePerGas`
        priority: U256,
        /// `gasPerPubdata`
        gas_per_pubdata: Option<u64>,
    },
}

impl Fee {
    /// A price and a tip in the terms of an envelope.
    pub fn of(envelope: Envelope, max: U256, priority: U256) -> Self {
        match envelope {
            Envelope::Legacy | Envelope::Eip2930 => Self::Flat(max),
            Envelope::Eip1559 => Self::Dynamic { max, priority, gas_per_pubdata: None },
            Envelope::Eip712 => Self::Dynamic { max, priority, gas_per_pubdata: Some(ERA_GAS_PER_PUBDATA) },
        }
    }

    /// The highest price of one gas.
    pub fn cap(self) -> U256 {
        match self {
            Self::Flat(price) => price,
            Self::Dynamic { max, .. } => max,
        }
    }
}

/// `facts` of a request.
pub struct Facts {
    /// The nonce of the plan's first transaction.
    pub nonce: u64,
    /// The gas limit of its main transaction.
    pub gas_limit: u64,
    /// Its fees.
    pub fee: Fee,
    /// For requests to L2.
    pub priority: Option<PriorityRequestFacts>,
    /// For plans that need approvals.
    pub allowances: Vec<Allowance>,
    /// The gas limit of each approval, where there is one.
    pub approval: Option<u64>,
    /// The deployments that the account has made, where an address follows from their number.
    pub deployment: Option<u64>,
    /// Members that were found out before: `withdrawal`, `failedDeposit`.
    pub given: Vec<(String, Json)>,
}

impl Facts {
    /// The document's member.
    pub fn to_json(&self) -> Json {
        let mut transaction = vec![("nonce", Json::count(self.nonce)), ("gasLimit", Json::count(self.gas_limit))];
        match self.fee {
            Fee::Flat(price) => transaction.push(("gasPrice", Json::display(price))),
            Fee::Dynamic { max, priority, gas_per_pubdata } => {
                transaction.push(("maxFeePerGas", Json::display(max)));
                transaction.push(("maxPriorityFeePerGas", Json::display(priority)));
                transaction.extend(gas_per_pubdata.map(|gas| ("gasPerPubdata", Json::count(gas))));
            }
        }
        let mut members = vec![("transaction", Json::object(transaction))];
        members.extend(self.priority.map(|priority| ("priorityRequest", priority.to_json())));
        if !self.allowances.is_empty() {
            let rows = self.allowances.iter().map(|row| {
                Json::object([
                    ("token", Json::display(row.token)),
                    ("spender", Json::display(row.spender)),
                    ("amount", Json::display(row.amount)),
                ])
            });
            members.push(("allowances", Json::Array(rows.collect())));
        }
        members.extend(self.approval.map(|limit| ("approval", Json::object([("gasLimit", Json::count(limit))]))));
        let deployment = |nonce| Json::object([("deploymentNonce", Json::count(nonce))]);
        members.extend(self.deployment.map(|nonce| ("deployment", deployment(nonce))));
        members.extend(self.given.iter().map(|(name, value)| (name.as_str(), value.clone())));
        Json::object(members)
    }
}
