//! The request: what the owner wants (`intent`) and what the online side found out (`facts`).
//!
//! The intent decides everything that moves money. The facts are never trusted: each is recomputed, bounded or shown.
//! This is the only place where an operation meets an envelope.

mod document;
mod quote;

use ethabi::ethereum_types::U256;

use crate::address::Address;
use crate::fees::{Fee, Settled, TransactionFacts};
use crate::network::{Layer, Network, Vm};
use crate::operation::claim_failed_deposit::FailedDepositFacts;
use crate::operation::finalize_withdrawal::WithdrawalFacts;
use crate::operation::{
    AccountKind, Allowance, Body, Call, CallGas, Check, Context, CustomBridge, Operation, Plan, judge_recipient,
};
use crate::paymaster::Sponsor;
use crate::priority::PriorityRequestFacts;
use crate::refusal::{Code, Refusal};
use crate::transaction::eip712::Paymaster;
use crate::transaction::{Eip712, Eip1559, Eip2930, Envelope, Legacy, Transaction};
use crate::units::{BaseTokenUnits, Gas};
use crate::unsigned::{Planned, Unsigned};

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/request/1";

/// A request whose text has been read: types, units, addresses and names hold; nothing has been recomputed yet.
pub struct Request {
    intent: Intent,
    facts: Facts,
    network: Network,
}

struct Intent {
    id: Option<String>,
    from: Address,
    operation: &'static Operation,
    body: Box<dyn Body>,
    from_kind: Option<AccountKind>,
    refund_recipient: Option<Address>,
    refund_recipient_kind: Option<AccountKind>,
    base_cost_margin_percent: Option<u64>,
    operator_tip: Option<BaseTokenUnits>,
    envelope: Option<Envelope>,
    paymaster: Option<Sponsor>,
    /// The owners of a smart account on L2 whose signatures it asks for, in its order.
    signers: Option<Vec<Address>>,
    bridge: Option<Bridge>,
}

struct Bridge {
    name: String,
    address: Address,
    data: Option<Vec<u8>>,
}

struct Facts {
    transaction: TransactionFacts,
    priority_request: Option<PriorityRequestFacts>,
    allowances: Option<Vec<Allowance>>,
    approval_gas_limit: Option<u64>,
    withdrawal: Option<WithdrawalFacts>,
    failed_deposit: Option<FailedDepositFacts>,
    deployment_nonce: Option<u64>,
}

/// Whose signatures a transaction of the sender needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority<'a> {
    /// The sender's own.
    Sender,
    /// Those of a smart account's owners in its order; where none are stated, bytes that only the account can judge.
    SmartAccount(Option<&'a [Address]>),
    /// A contract that signs nothing: others call it.
    Nobody,
}

impl Request {
    /// The owner's name for the intent.
    pub fn id(&self) -> Option<&str> {
        self.intent.id.as_deref()
    }

    /// The sender.
    pub fn from(&self) -> Address {
        self.intent.from
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What kind of account the sender is.
    pub fn from_kind(&self) -> AccountKind {
        self.intent.from_kind.unwrap_or(AccountKind::Eoa)
    }

    /// Who signs, as far as coldbridge can tell.
    pub fn authority(&self) -> Authority<'_> {
        match (self.from_kind(), self.layer(), self.network.vm) {
            (AccountKind::Contract, Layer::L2, Vm::EraVm) => Authority::SmartAccount(self.intent.signers.as_deref()),
            (AccountKind::Contract, _, _) => Authority::Nobody,
            (AccountKind::Eoa | AccountKind::Delegated, _, _) => Authority::Sender,
        }
    }

    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        self.intent.operation.name
    }

    /// The layer that the operation's transactions run on.
    pub fn layer(&self) -> Layer {
        self.intent.body.layer()
    }

    /// Recomputes everything and fixes every field of every transaction.
    ///
    /// # Errors
    /// The first lie.
    pub fn plan(self) -> Result<Unsigned, Refusal> {
        let (transactions, assessed) = self.transactions()?;
        Unsigned::new(self, transactions, assessed)
    }

    /// The transactions of the plan, and what else it comes to. The signing order asks twice and compares.
    pub(crate) fn transactions(&self) -> Result<(Vec<Planned>, Plan), Refusal> {
        let envelope = self.envelope()?;
        let settled = self.facts.transaction.settle(envelope)?;
        let mut assessed = self.assess();
        if !assessed.refusals.is_empty() {
            return Err(assessed.refusals.swap_remove(0));
        }
        let mut transactions = Vec::with_capacity(assessed.calls.len());
        let last = u64::try_from(assessed.calls.len()).ok().and_then(|count| settled.nonce.checked_add(count));
        if last.is_none() {
            return Err(Refusal::new(
                Code::QUANTITY_RANGE,
                "/facts/transaction/nonce",
                format!(
                    "{} transactions from nonce {} on go beyond the last nonce there is",
                    assessed.calls.len(),
                    settled.nonce
                ),
                "read the nonce again with eth_getTransactionCount",
            ));
        }
        for (call, nonce) in assessed.calls.drain(..).zip(settled.nonce..) {
            transactions.push(self.transaction(call, envelope, &settled, nonce)?);
        }
        Ok((transactions, assessed))
    }

    fn assess(&self) -> Plan {
        let intent = &self.intent;
        let transaction = &self.facts.transaction;
        let mut plan = intent.body.plan(&Context {
            network: &self.network,
            from: intent.from,
            from_kind: self.from_kind(),
            refund_recipient: intent.refund_recipient,
            refund_recipient_kind: intent.refund_recipient_kind,
            base_cost_margin_percent: intent.base_cost_margin_percent.unwrap_or(0),
            operator_tip: intent.operator_tip.unwrap_or(BaseTokenUnits::zero()),
            custom_bridge: intent.bridge.as_ref().map(|bridge| CustomBridge {
                name: &bridge.name,
                address: bridge.address,
                data: bridge.data.as_deref(),
            }),
            priority_request: self.facts.priority_request.as_ref(),
            allowances: self.facts.allowances.as_deref(),
            approval_gas_limit: self.facts.approval_gas_limit,
            withdrawal: self.facts.withdrawal.as_ref(),
            failed_deposit: self.facts.failed_deposit.as_ref(),
            deployment_nonce: self.facts.deployment_nonce,
            gas_price_cap: transaction.price_cap(),
            gas_price_floor: transaction.price_floor(),
        });
        plan.refusals.splice(0..0, self.judge_sender());
        self.add_paymaster(&mut plan);
        plan.refusals.extend(judge_recipient(intent.from, "/intent/from", &self.network));
        plan.refusals.extend(transaction.judge(self.layer(), self.network.vm));
        if self.layer() == Layer::L2 && self.network.vm == Vm::EraVm {
            plan.refusals.extend(transaction.judge_era_plan(plan.calls.len(), self.facts.approval_gas_limit));
        }
        plan.refusals.extend(self.judge_factory_deps(&plan.calls));
        if self.layer() == Layer::L1 || self.network.vm == Vm::ZkSyncOs {
            let judged = plan.calls.iter().filter_map(|call| match call.gas {
                CallGas::Main => {
                    transaction.judge_gas("/facts/transaction/gasLimit", transaction.gas_limit(), &call.calldata)
                }
                CallGas::Approval => {
                    transaction.judge_gas("/facts/approval/gasLimit", self.facts.approval_gas_limit, &call.calldata)
                }
            });
            plan.refusals.extend(judged.collect::<Vec<_>>());
        }
        let needs_approval = plan.calls.iter().any(|call| call.gas == CallGas::Approval);
        if needs_approval && self.facts.approval_gas_limit.is_none() {
            plan.refusals.push(Refusal::new(
                Code::JSON_MISSING_MEMBER,
                "/facts/approval",
                "missing: approval",
                "add {\"gasLimit\"} for the approvals that come first, or allowances that suffice",
            ));
        }
        if !self.network.has_asset_router() {
            // Before v26 the contracts revert with strings ("qp", "my", "ui" ...), not with custom errors.
            plan.refusals = plan.refusals.into_iter().map(Refusal::without_contract_error).collect();
        }
        plan
    }

    /// What is wrong with the kind of the sender and with those who sign for it.
    fn judge_sender(&self) -> Vec<Refusal> {
        let intent = &self.intent;
        let mut refusals = Vec::new();
        if (self.from_kind(), self.layer(), self.network.vm) == (AccountKind::Delegated, Layer::L2, Vm::EraVm) {
            refusals.push(Refusal::new(
                Code::INTENT_UNSUPPORTED,
                "/intent/fromKind",
                "EraVM has no delegated accounts (EIP-7702)",
                "leave it out for a plain account; a smart account is a \"contract\" with signers",
            ));
        }
        let Some(signers) = &intent.signers else { return refusals };
        if !matches!(self.authority(), Authority::SmartAccount(_)) {
            refusals.push(Refusal::new(
                Code::INTENT_UNUSED,
                "/intent/signers",
                "only a smart account on an EraVM L2 (\"fromKind\": \"contract\") has signers",
                "leave it out, or state the fromKind",
            ));
        }
        for (index, signer) in signers.iter().enumerate() {
            let at = format!("/intent/signers/{index}");
            if signers[..index].contains(signer) {
                refusals.push(Refusal::new(
                    Code::SIGNERS_TWICE,
                    at,
                    format!("{signer} stands twice: no account counts an owner's signature twice"),
                    "name each owner once, in the order in which the account reads their signatures",
                ));
            } else if *signer == intent.from || *signer == Address::ZERO || signer.is_system() {
                refusals.push(Refusal::new(
                    Code::SIGNERS_ACCOUNT,
                    at,
                    format!("{signer} has no key: it is the account itself, the zero or a system address"),
                    "name the plain account of the owner",
                ));
            }
        }
        refusals
    }

    /// What the paymaster may take, what is wrong with it, and what can be said of it.
    fn add_paymaster(&self, plan: &mut Plan) {
        let Some(paymaster) = &self.intent.paymaster else { return };
        if self.envelope().is_ok_and(|envelope| envelope != Envelope::Eip712) {
            plan.refusals.push(Refusal::new(
                Code::PAYMASTER_ENVELOPE,
                "/intent/paymaster",
                "only a transaction of type 0x71, on an EraVM L2, has a paymaster",
                "leave it out, or send the transaction as \"eip712\"",
            ));
        }
        plan.refusals.extend(paymaster.judge());
        plan.checks.push(Check { name: "paymaster", result: format!("claimed: {}", paymaster.in_words()) });
        let Some((token, amount)) = paymaster.debit() else { return };
        for _ in &plan.calls {
            let known = plan.debits.iter().position(|(known, _)| *known == token).unwrap_or_else(|| {
                plan.debits.push((token, U256::zero()));
                plan.debits.len() - 1
            });
            let added = plan.debits[known].1.checked_add(amount).map(|sum| plan.debits[known].1 = sum);
            if added.is_none() {
                plan.refusals.push(Refusal::new(
                    Code::FEES_OVERFLOW,
                    "/intent/paymaster/approvalBased/minAllowance",
                    "together with what else leaves the account in this token it is above 2^256-1",
                    "state what the paymaster may take, in the token's base units",
                ));
            }
        }
    }

    /// Only type 0x71 has a place for factory dependencies.
    fn judge_factory_deps(&self, calls: &[Call]) -> Option<Refusal> {
        let brings = self.layer() == Layer::L2 && calls.iter().any(|call| !call.factory_deps.is_empty());
        let envelope = self.envelope().ok().filter(|envelope| brings && *envelope != Envelope::Eip712)?;
        Some(
            Refusal::new(
                Code::FACTORY_DEPS_ENVELOPE,
                "/intent/envelope",
                format!("a transaction of envelope {} carries no bytecode", envelope.name()),
                "leave envelope out for eip712",
            )
            .values(Envelope::Eip712.name(), envelope.name()),
        )
    }

    /// The envelope of its transactions: what the intent says, or the default of layer and virtual machine.
    ///
    /// # Errors
    /// `envelope.unsupported` for one that the chain does not take.
    pub fn envelope(&self) -> Result<Envelope, Refusal> {
        use Envelope::{Eip712, Eip1559, Eip2930, Legacy};
        let (taken, default): (&[Envelope], Envelope) = match (self.layer(), self.network.vm) {
            (Layer::L1, _) | (Layer::L2, Vm::ZkSyncOs) => (&[Eip1559, Legacy, Eip2930], Eip1559),
            // The other types have no place for a smart account's signature: the node recovers their sender.
            (Layer::L2, Vm::EraVm) if self.from_kind() == AccountKind::Contract => (&[Eip712], Eip712),
            (Layer::L2, Vm::EraVm) => (&[Eip712, Eip1559, Legacy], Eip712),
        };
        let envelope = self.intent.envelope.unwrap_or(default);
        if taken.contains(&envelope) {
            return Ok(envelope);
        }
        let known = taken.iter().map(|envelope| envelope.name()).collect::<Vec<_>>().join(", ");
        Err(Refusal::new(
            Code::ENVELOPE_UNSUPPORTED,
            "/intent/envelope",
            format!("{} of {} takes no {} transactions", self.layer(), self.network.name, envelope.name()),
            format!("use one of: {known}; or leave it out for {}", default.name()),
        )
        .values(known, envelope.name()))
    }

    fn transaction(&self, call: Call, envelope: Envelope, settled: &Settled, nonce: u64) -> Result<Planned, Refusal> {
        let layer = self.layer();
        let chain_id = self.network.chain_id(layer);
        let gas_limit = match (call.gas, self.facts.approval_gas_limit) {
            (CallGas::Approval, Some(limit)) => Gas::from(limit),
            (CallGas::Approval, None) => {
                return Err(Refusal::new(Code::BUG, "", "an approval without gas", "report it"));
            }
            (CallGas::Main, _) => settled.gas_limit,
        };
        let (to, value, data) = (Some(call.to), call.value, call.calldata);
        let transaction = match settled.fee {
            Fee::GasPrice(gas_price) if envelope == Envelope::Legacy => {
                Transaction::Legacy(Legacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, data })
            }
            Fee::GasPrice(gas_price) => Transaction::Eip2930(Eip2930 {
                chain_id,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                data,
                access_list: Vec::new(),
            }),
            Fee::Dynamic { max_fee_per_gas, max_priority_fee_per_gas } => Transaction::Eip1559(Eip1559 {
                chain_id,
                nonce,
                max_priority_fee_per_gas,
                max_fee_per_gas,
                gas_limit,
                to,
                value,
                data,
                access_list: Vec::new(),
            }),
            Fee::Pubdata { max_fee_per_gas, max_priority_fee_per_gas, gas_per_pubdata } => {
                Transaction::Eip712(Eip712 {
                    chain_id,
                    nonce,
                    max_priority_fee_per_gas,
                    max_fee_per_gas,
                    gas_limit,
                    to,
                    value,
                    data,
                    from: self.intent.from,
                    gas_per_pubdata,
                    factory_deps: call.factory_deps,
                    paymaster: self
                        .intent
                        .paymaster
                        .as_ref()
                        .map(|paymaster| Paymaster { paymaster: paymaster.address, input: paymaster.input() }),
                })
            }
        };
        Ok(Planned { layer, purpose: call.purpose, words: call.words, transaction })
    }
}
