//! The judgement: rule by rule, each refusal with its place in the request, both values and what to do.

use std::collections::BTreeMap;

use ethabi::ethereum_types::U256;

use super::effect::{Counts, Effect, Effects, names_of};
use super::{Demand, Party, Policy, Selectors, TokenLimit};
use crate::address::Address;
use crate::hash::Digest;
use crate::network::{Layer, Origin};
use crate::operation::TokenName;
use crate::paymaster::Sponsor;
use crate::refusal::{Code, Refusal};
use crate::request::Request;
use crate::transaction::Transaction;
use crate::units::Wei;
use crate::unsigned::Unsigned;

const ASK: &str = "correct the request, or have the policy's owner allow it and pin the new hash";

/// What a run has been allowed to move so far: the totals of a policy are those of a whole batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By the place of its token in the policy's list.
    amounts: BTreeMap<usize, U256>,
    fees: BTreeMap<Layer, Wei>,
}

/// What a policy says to a plan that it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its owner's name for it.
    pub policy: Option<String>,
    /// Which policy it was.
    pub hash: Digest,
    /// The facts that the policy bounds on the plan's layer.
    pub bounded: Vec<&'static str>,
    /// The accounts that the policy knows, with their labels.
    pub labels: Vec<(Address, String)>,
}

/// What holds without any policy: nobody calls an arbitrary contract.
///
/// # Errors
/// `policy.call_target`.
pub fn judge_without(unsigned: &Unsigned) -> Result<(), Refusal> {
    if unsigned.transactions().iter().all(|planned| planned.purpose != "call") {
        return Ok(());
    }
    Err(Refusal::new(
        Code::POLICY_CALL_TARGET,
        "/intent/operation/call/to",
        "a call of an arbitrary contract is signed only if a policy names its target",
        "pass --policy FILE with the target and the selector in callTargets",
    )
    .values("a target in callTargets of a policy", "no policy"))
}

/// One plan before one policy.
struct Case<'a> {
    policy: &'a Policy,
    request: &'a Request,
    purpose: &'static str,
}

impl Policy {
    /// Judges a plan, decoded from its encoded bytes. An allowed plan is added to the tally.
    ///
    /// # Errors
    /// The `policy.*` codes, the first rule first.
    pub fn judge(&self, unsigned: &Unsigned, tally: &mut Tally) -> Result<Verdict, Refusal> {
        let request = unsigned.request();
        let case = Case { policy: self, request, purpose: "" };
        case.place()?;
        let mut after = tally.clone();
        for planned in unsigned.transactions() {
            let case = Case { purpose: planned.purpose, ..case };
            let effects = Effects::of(planned, request.network(), request.from())?;
            case.operations(&effects)?;
            for effect in &effects.of {
                case.parties(effect)?;
            }
            for effect in &effects.of {
                case.amounts(effect)?;
            }
            case.paymaster(&effects, planned.layer, &mut after)?;
            case.totals(&effects, &mut after)?;
            case.fees(&effects, planned.layer, &mut after)?;
        }
        *tally = after;
        let mut labels = Vec::new();
        for (address, label) in self.known() {
            if let Some(label) = label
                && !labels.iter().any(|(known, _)| *known == address)
            {
                labels.push((address, label.to_owned()));
            }
        }
        let layer = request.layer();
        let limits = [
            ("maxFeePerGas", self.max_fee_per_gas.of(layer).is_some()),
            ("maxGasLimit", self.max_gas_limit.of(layer).is_some()),
        ];
        let bounded = limits.into_iter().filter_map(|(name, is_limited)| is_limited.then_some(name)).collect();
        Ok(Verdict { policy: self.name.clone(), hash: self.hash(), bounded, labels })
    }
}

impl Verdict {
    /// The label of an address.
    pub fn label(&self, address: Address) -> Option<&str> {
        self.labels.iter().find(|(known, _)| *known == address).map(|(_, label)| label.as_str())
    }
}

impl<'a> Case<'a> {
    /// Where the request says what an effect is.
    fn at_of(&self, effect: &Effect, member: &str) -> String {
        self.at(effect.calldata.unwrap_or(member))
    }

    /// The place of a member of the operation in the request. Approvals that come first have no member of their own there.
    fn at(&self, member: &str) -> String {
        let operation = self.request.operation();
        if operation == self.purpose {
            format!("/intent/operation/{operation}/{member}")
        } else {
            format!("/intent/operation/{operation}")
        }
    }

    fn refuse(&self, code: Code, at: impl Into<String>, problem: impl std::fmt::Display) -> Refusal {
        let policy = self.policy.name().map_or("the policy".to_owned(), |name| format!("the policy \"{name}\""));
        Refusal::new(code, at, format!("{problem}, which {policy} does not allow"), ASK)
    }

    /// Network and sender.
    fn place(&self) -> Result<(), Refusal> {
        let (policy, network, from) = (self.policy, self.request.network(), self.request.from());
        if let Some(allowed) = &policy.networks
            && !allowed.contains(&network.name)
        {
            return Err(self
                .refuse(Code::POLICY_NETWORK, "/intent/network", format!("the network is {}", network.name))
                .values(any_of(allowed), &network.name));
        }
        if policy.pinning == Some(Demand::Required) && network.origin != Origin::Pinned {
            let problem = format!("the network {} comes from a file and is not pinned", network.name);
            return Err(self
                .refuse(Code::POLICY_NETWORK_UNPINNED, "/intent/network", problem)
                .values("a network that is compiled in", &network.name));
        }
        if let Some(allowed) = &policy.senders
            && !allowed.iter().any(|party| party.is(from, from))
        {
            return Err(self
                .refuse(Code::POLICY_SENDER, "/intent/from", format!("the sender is {from}"))
                .values(in_words(allowed), from));
        }
        Ok(())
    }

    fn operations(&self, effects: &Effects) -> Result<(), Refusal> {
        let itself = self.purpose;
        if let Some(allowed) = &self.policy.operations
            && !allowed.contains(&itself)
        {
            let at = format!("/intent/operation/{}", self.request.operation());
            let problem = if itself == self.request.operation() {
                format!("the operation is {itself}")
            } else {
                format!("the plan holds the operation {itself}")
            };
            return Err(self.refuse(Code::POLICY_OPERATION, at, problem).values(any_of(allowed), itself));
        }
        for (target, selector, member) in effects.of.iter().filter_map(|effect| effect.call.as_ref()) {
            self.call(*target, selector, &self.at(member))?;
        }
        Ok(())
    }

    /// A call by the will of the intent. `call` itself always needs an entry, L2 calls from L1 only where there is a list.
    fn call(&self, target: Address, selector: &[u8], at: &str) -> Result<(), Refusal> {
        if self.policy.call_targets.is_none() && self.purpose != "call" {
            return Ok(());
        }
        self.lookalike(target, at)?;
        let targets = self.policy.call_targets.as_deref().unwrap_or_default();
        let Some(entry) = targets.iter().find(|entry| entry.address == target) else {
            let known: Vec<String> = targets.iter().map(|entry| entry.address.to_string()).collect();
            return Err(self
                .refuse(Code::POLICY_CALL_TARGET, at, format!("it calls {target}"))
                .values(any_of(&known), target));
        };
        let Selectors::Of(selectors) = &entry.selectors else { return Ok(()) };
        if selectors.iter().any(|known| known == selector) {
            return Ok(());
        }
        let known: Vec<String> = selectors.iter().map(|known| format!("0x{}", hex::encode(known))).collect();
        let selector = format!("0x{}", hex::encode(selector));
        Err(self
            .refuse(Code::POLICY_CALL_SELECTOR, at, format!("it calls the function {selector} of {target}"))
            .values(any_of(&known), selector))
    }

    /// Recipient and refund recipient.
    fn parties(&self, effect: &Effect) -> Result<(), Refusal> {
        if effect.hides_recipient
            && let Some(allowed) = &self.policy.recipients
        {
            let at = format!("/intent/operation/{}", self.request.operation());
            let problem = "the bytes do not say who gets it";
            return Err(self.refuse(Code::POLICY_RECIPIENT, at, problem).values(in_words(allowed), "not known"));
        }
        // Where there is a list of targets, what the intent calls is one of them and not a recipient.
        let is_target = effect.call.is_some() && self.policy.call_targets.is_some();
        if let Some((recipient, member)) = effect.recipient.filter(|_| !is_target) {
            let at = self.at_of(effect, member);
            self.lookalike(recipient, &at)?;
            self.member_of(self.policy.recipients.as_deref(), recipient, Code::POLICY_RECIPIENT, &at, "the recipient")?;
        }
        if let Some(recipient) = effect.refund_recipient {
            const AT: &str = "/intent/refundRecipient";
            self.lookalike(recipient, AT)?;
            let what = "what is not used, and everything if the L2 side fails, goes to the refund recipient, which";
            self.member_of(
                self.policy.refund_recipients.as_deref(),
                recipient,
                Code::POLICY_REFUND_RECIPIENT,
                AT,
                what,
            )?;
        }
        Ok(())
    }

    fn member_of(
        &self,
        allowed: Option<&[Party]>,
        party: Address,
        code: Code,
        at: &str,
        what: &str,
    ) -> Result<(), Refusal> {
        let Some(allowed) = allowed else { return Ok(()) };
        if allowed.iter().any(|known| known.is(party, self.request.from())) {
            return Ok(());
        }
        Err(self.refuse(code, at, format!("{what} is {party}")).values(in_words(allowed), party))
    }

    /// An address that begins and ends like a known one is made to be taken for it: nobody compares the middle.
    fn lookalike(&self, address: Address, at: &str) -> Result<(), Refusal> {
        let ends = |address: Address| {
            let bytes = address.as_bytes();
            (bytes[..2].to_vec(), bytes[18..].to_vec())
        };
        let sender = [(self.request.from(), Some("the sender"))];
        let known: Vec<(Address, Option<&str>)> = self.policy.known().chain(sender).collect();
        if known.iter().any(|(known, _)| *known == address) {
            return Ok(());
        }
        let Some((known, label)) = known.iter().find(|(known, _)| ends(*known) == ends(address)) else { return Ok(()) };
        let named = label.map_or(String::new(), |label| format!(" ({label})"));
        Err(Refusal::new(
            Code::POLICY_LOOKALIKE,
            at,
            format!(
                "{address} begins and ends like {known}{named}, and is another address: it was made to be taken for it"
            ),
            "find out where the address came from before anything else; copy the right one from the policy",
        )
        .values(known, address))
    }

    /// Tokens and amounts of one transaction.
    fn amounts(&self, effect: &Effect) -> Result<(), Refusal> {
        if effect.hides_movement
            && let Some(listed) = &self.policy.tokens
        {
            let at = format!("/intent/operation/{}", self.request.operation());
            let known: Vec<String> = listed.iter().map(|limit| name(limit.token)).collect();
            let problem = "the bytes name no token that is known here, or no amount";
            return Err(self.refuse(Code::POLICY_TOKEN, at, problem).values(any_of(&known), "not known"));
        }
        if let Some(movement) = &effect.movement
            && !movement.amount.is_zero()
        {
            self.amount(movement.token, movement.amount, effect.layer, &self.at_of(effect, movement.member))?;
        }
        let (Some(surplus), Some(limit)) = (effect.surplus_mint, self.policy.max_surplus_mint) else { return Ok(()) };
        if surplus <= limit.get() {
            return Ok(());
        }
        Err(self
            .refuse(
                Code::POLICY_SURPLUS_MINT,
                "/facts/priorityRequest",
                format!("the request mints {surplus} base units of the base token beyond the amount, above {limit}"),
            )
            .values(format!("at most {limit}"), surplus))
    }

    fn limit(&self, token: TokenName, layer: Layer) -> Option<(usize, &'a TokenLimit)> {
        let names = names_of(token, layer, self.request.network());
        self.policy.tokens.as_ref()?.iter().enumerate().find(|(_, limit)| names.contains(&limit.token))
    }

    fn amount(&self, token: TokenName, amount: U256, layer: Layer, at: &str) -> Result<(), Refusal> {
        let Some(listed) = &self.policy.tokens else { return Ok(()) };
        let Some((_, limit)) = self.limit(token, layer) else {
            let known: Vec<String> = listed.iter().map(|limit| name(limit.token)).collect();
            return Err(self
                .refuse(Code::POLICY_TOKEN, at, format!("it moves the token {}", name(token)))
                .values(any_of(&known), name(token)));
        };
        match limit.max_per_transaction {
            Some(limit) if amount > limit => Err(self
                .refuse(
                    Code::POLICY_AMOUNT,
                    at,
                    format!("one transaction moves {amount} base units of {}, above {limit}", name(token)),
                )
                .values(format!("at most {limit}"), amount)),
            _ => Ok(()),
        }
    }

    /// What leaves the account, added to what has left before in this run.
    fn totals(&self, effects: &Effects, tally: &mut Tally) -> Result<(), Refusal> {
        for effect in &effects.of {
            if let Some(movement) = effect.movement.as_ref().filter(|movement| movement.counts == Counts::Leaves) {
                let at = self.at_of(effect, movement.member);
                self.total(movement.token, movement.amount, effect.layer, &at, tally)?;
            }
        }
        Ok(())
    }

    fn total(&self, token: TokenName, amount: U256, layer: Layer, at: &str, tally: &mut Tally) -> Result<(), Refusal> {
        let Some((index, limit)) = self.limit(token, layer) else { return Ok(()) };
        let sum = tally.amounts.entry(index).or_default();
        *sum = sum.saturating_add(amount);
        match limit.max_total {
            Some(limit) if *sum > limit => Err(self
                .refuse(
                    Code::POLICY_TOTAL,
                    at,
                    format!("with this, {sum} base units of {} move in one run, above {limit}", name(token)),
                )
                .values(format!("at most {limit}"), &sum)),
            _ => Ok(()),
        }
    }

    /// A paymaster is told things, and may take a token.
    fn paymaster(&self, effects: &Effects, layer: Layer, tally: &mut Tally) -> Result<(), Refusal> {
        const AT: &str = "/intent/paymaster";
        let Some(paymaster) = effects.transaction.paymaster() else { return Ok(()) };
        self.lookalike(paymaster.paymaster, &format!("{AT}/address"))?;
        self.member_of(
            self.policy.paymasters.as_deref(),
            paymaster.paymaster,
            Code::POLICY_PAYMASTER,
            &format!("{AT}/address"),
            "the paymaster",
        )?;
        let taken = Sponsor::decode(paymaster.paymaster, &paymaster.input).and_then(|sponsor| sponsor.debit());
        if let Some((token, amount)) = taken {
            let at = format!("{AT}/approvalBased/minAllowance");
            self.amount(TokenName::Erc20(token), amount, layer, &at)?;
            self.total(TokenName::Erc20(token), amount, layer, &at, tally)?;
        }
        Ok(())
    }

    /// Gas and what it may cost.
    fn fees(&self, effects: &Effects, layer: Layer, tally: &mut Tally) -> Result<(), Refusal> {
        let (policy, transaction) = (self.policy, &effects.transaction);
        let is_approval = self.purpose != self.request.operation();
        let (price, gas) = (transaction.gas_price_cap(), transaction.gas_limit());
        let gas_at = if is_approval { "/facts/approval/gasLimit" } else { "/facts/transaction/gasLimit" };
        if let Some(limit) = policy.max_fee_per_gas.of(layer)
            && price > limit
        {
            let member = match transaction {
                Transaction::Legacy(_) | Transaction::Eip2930(_) => "gasPrice",
                Transaction::Eip1559(_) | Transaction::Eip712(_) => "maxFeePerGas",
            };
            let at = format!("/facts/transaction/{member}");
            return Err(self
                .refuse(Code::POLICY_FEE_PER_GAS, at, format!("each {layer} gas may cost {price} wei, above {limit}"))
                .values(format!("at most {limit}"), price));
        }
        if let Some(limit) = policy.max_gas_limit.of(layer)
            && gas > limit
        {
            return Err(self
                .refuse(Code::POLICY_GAS_LIMIT, gas_at, format!("the {layer} gas limit is {gas}, above {limit}"))
                .values(format!("at most {limit}"), gas));
        }
        for l2_gas in effects.of.iter().filter_map(|effect| effect.l2_gas_limit) {
            if let Some(limit) = policy.max_l2_gas_limit
                && l2_gas > limit.get()
            {
                let problem = format!("the L2 gas limit of the request is {l2_gas}, above {limit}");
                return Err(self
                    .refuse(Code::POLICY_L2_GAS_LIMIT, "/facts/priorityRequest/l2GasLimit", problem)
                    .values(format!("at most {limit}"), l2_gas));
            }
        }
        // Whoever pays it: a paymaster asks for it again in its own way.
        let fee = gas.checked_cost(price).unwrap_or(Wei::new(U256::MAX));
        if let Some(limit) = policy.max_transaction_fee.of(layer)
            && fee > limit
        {
            return Err(self
                .refuse(
                    Code::POLICY_TRANSACTION_FEE,
                    gas_at,
                    format!("the fee of one {layer} transaction may be {fee}, above {limit}"),
                )
                .values(format!("at most {limit}"), fee));
        }
        let sum = tally.fees.entry(layer).or_insert(Wei::zero());
        *sum = sum.checked_add(fee).unwrap_or(Wei::new(U256::MAX));
        if let Some(limit) = policy.max_total_fee.of(layer)
            && *sum > limit
        {
            return Err(self
                .refuse(
                    Code::POLICY_TOTAL_FEE,
                    gas_at,
                    format!("with this, the {layer} fees of one run may be {sum}, above {limit}"),
                )
                .values(format!("at most {limit}"), &sum));
        }
        Ok(())
    }
}

fn any_of(list: &[impl AsRef<str>]) -> String {
    match list {
        [] => "none".to_owned(),
        list => list.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "),
    }
}

fn in_words(list: &[Party]) -> String {
    let words: Vec<String> = list
        .iter()
        .map(|party| match party {
            Party::Sender => "the sender".to_owned(),
            Party::Account { address, label: None } => address.to_string(),
            Party::Account { address, label: Some(label) } => format!("{address} ({label})"),
        })
        .collect();
    any_of(&words)
}

fn name(token: TokenName) -> String {
    match token {
        TokenName::Eth => "eth".to_owned(),
        TokenName::Base => "base".to_owned(),
        TokenName::Erc20(token) => token.to_string(),
    }
}
