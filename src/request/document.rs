//! The request as a document: which members it has, what each of them is, and the same members again.

use super::{Bridge, Facts, Intent, Request, SCHEMA};
use crate::address::{Address, Spelling};
use crate::fees::TransactionFacts;
use crate::json::{Cursor, Json};
use crate::network::{Network, Networks};
use crate::operation::claim_failed_deposit::FailedDepositFacts;
use crate::operation::finalize_withdrawal::WithdrawalFacts;
use crate::operation::{self, AccountKind, Allowance};
use crate::paymaster::Sponsor;
use crate::priority::PriorityRequestFacts;
use crate::refusal::{Code, Refusal};
use crate::transaction::Envelope;
use crate::units::BaseTokenUnits;

impl Request {
    /// Reads the document. `spelling` says how strictly the sender and the recipients are judged.
    pub fn read(json: &Json, networks: &Networks, spelling: Spelling) -> Result<Self, Refusal> {
        let root = Cursor::root(json);
        let members = root.document(SCHEMA, &["intent", "facts"], &[])?;
        Self::read_parts(&members.required("intent")?, &members.required("facts")?, networks, spelling)
    }

    /// Reads the two halves wherever they stand.
    pub(crate) fn read_parts(
        intent: &Cursor<'_>,
        facts: &Cursor<'_>,
        networks: &Networks,
        spelling: Spelling,
    ) -> Result<Self, Refusal> {
        let (intent, network) = read_intent(intent, networks, spelling)?;
        let used = intent.body.uses().map_or(intent.operation.facts, |uses| uses.facts);
        let facts = read_facts(facts, intent.operation.name, used)?;
        Ok(Self { intent, facts, network })
    }

    /// The intent again, in canonical form.
    pub fn intent_json(&self) -> Json {
        let intent = &self.intent;
        let mut members = Vec::new();
        members.extend(intent.id.as_ref().map(|id| ("id", Json::text(id.as_str()))));
        members.push(("network", Json::text(self.network.name.as_str())));
        members.push(("from", Json::display(intent.from)));
        members.extend(intent.from_kind.map(|kind| ("fromKind", Json::text(kind.name()))));
        members.extend(
            intent
                .signers
                .as_ref()
                .map(|signers| ("signers", Json::Array(signers.iter().map(Json::display).collect()))),
        );
        members.push(("operation", Json::object([(intent.operation.name, intent.body.to_json())])));
        members.extend(intent.refund_recipient.map(|recipient| ("refundRecipient", Json::display(recipient))));
        members.extend(intent.refund_recipient_kind.map(|kind| ("refundRecipientKind", Json::text(kind.name()))));
        members.extend(intent.base_cost_margin_percent.map(|percent| ("baseCostMarginPercent", Json::count(percent))));
        members.extend(intent.operator_tip.map(|tip| ("operatorTip", tip.to_json())));
        members.extend(intent.envelope.map(|envelope| ("envelope", Json::text(envelope.name()))));
        members.extend(intent.paymaster.as_ref().map(|paymaster| ("paymaster", paymaster.to_json())));
        if let Some(bridge) = &intent.bridge {
            members.push(("bridge", Json::text(bridge.name.as_str())));
            members.extend(bridge.data.as_ref().map(|data| ("bridgeData", Json::bytes(data))));
        }
        Json::object(members)
    }

    /// The facts again, in canonical form.
    pub fn facts_json(&self) -> Json {
        let mut members = vec![("transaction", self.facts.transaction.to_json())];
        members.extend(self.facts.priority_request.map(|facts| ("priorityRequest", facts.to_json())));
        members.extend(self.facts.allowances.as_ref().map(|rows| {
            let row = |row: &Allowance| {
                Json::object([
                    ("token", Json::display(row.token)),
                    ("spender", Json::display(row.spender)),
                    ("amount", Json::display(row.amount)),
                ])
            };
            ("allowances", Json::Array(rows.iter().map(row).collect()))
        }));
        members.extend(
            self.facts.approval_gas_limit.map(|limit| ("approval", Json::object([("gasLimit", Json::count(limit))]))),
        );
        members.extend(self.facts.withdrawal.as_ref().map(|facts| ("withdrawal", facts.to_json())));
        members.extend(self.facts.failed_deposit.as_ref().map(|facts| ("failedDeposit", facts.to_json())));
        members.extend(
            self.facts
                .deployment_nonce
                .map(|nonce| ("deployment", Json::object([("deploymentNonce", Json::count(nonce))]))),
        );
        Json::object(members)
    }
}

fn read_intent(cursor: &Cursor<'_>, networks: &Networks, spelling: Spelling) -> Result<(Intent, Network), Refusal> {
    const OPTIONS: &[&str] =
        &["refundRecipient", "refundRecipientKind", "baseCostMarginPercent", "operatorTip", "bridge", "bridgeData"];
    const OF_THE_SENDER: &[&str] = &["id", "fromKind", "signers", "envelope", "paymaster"];
    let members = cursor.members(&["network", "from", "operation"], &[OF_THE_SENDER, OPTIONS].concat())?;
    let network = networks.named(&members.required("network")?)?.clone();
    let (operation, body) = operation::read(&members.required("operation")?, spelling)?;
    let used = body.uses().map_or(operation.options, |uses| uses.options);
    for name in OPTIONS.iter().filter(|name| !used.contains(name)) {
        if let Some(member) = members.optional(name) {
            return Err(member.refuse(
                Code::INTENT_UNUSED,
                format!("{name} means nothing in the operation {}", operation.name),
                "leave it out: an option that does nothing is a misunderstanding",
            ));
        }
    }
    if let (Some(kind), None) = (members.optional("refundRecipientKind"), members.optional("refundRecipient")) {
        return Err(kind.refuse(
            Code::INTENT_UNUSED,
            "there is no refundRecipient whose kind this could be",
            "name the refundRecipient too; of the sender fromKind speaks",
        ));
    }
    let intent = Intent {
        id: members.optional("id").map(|id| id.label().map(str::to_owned)).transpose()?,
        from: members.required("from")?.address(spelling)?,
        operation,
        body,
        from_kind: members.optional("fromKind").map(|kind| kind.choice(AccountKind::WORDS)).transpose()?,
        refund_recipient: members.optional("refundRecipient").map(|r| r.address(spelling)).transpose()?,
        refund_recipient_kind: members
            .optional("refundRecipientKind")
            .map(|kind| kind.choice(AccountKind::WORDS))
            .transpose()?,
        base_cost_margin_percent: members.optional("baseCostMarginPercent").map(|p| p.count(u64::MAX)).transpose()?,
        operator_tip: members.optional("operatorTip").map(|tip| tip.amount().map(BaseTokenUnits::new)).transpose()?,
        bridge: read_bridge(members.optional("bridge"), members.optional("bridgeData"), &network)?,
        envelope: members.optional("envelope").map(|envelope| envelope.choice(Envelope::WORDS)).transpose()?,
        paymaster: members.optional("paymaster").map(|paymaster| Sponsor::read(&paymaster, spelling)).transpose()?,
        signers: members.optional("signers").map(|signers| read_signers(&signers, spelling)).transpose()?,
    };
    Ok((intent, network))
}

fn read_signers(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Vec<Address>, Refusal> {
    let signers = cursor.items()?;
    if signers.is_empty() {
        return Err(cursor.refuse(
            Code::SIGNERS_NONE,
            "a smart account whose signers are nobody",
            "name its owners in the order in which it reads their signatures, or leave signers out and attach its bytes",
        ));
    }
    signers.iter().map(|signer| signer.address(spelling)).collect()
}

fn read_bridge(
    name: Option<Cursor<'_>>,
    data: Option<Cursor<'_>>,
    network: &Network,
) -> Result<Option<Bridge>, Refusal> {
    let Some(name) = name else {
        return match data {
            None => Ok(None),
            Some(data) => Err(data.refuse(
                Code::INTENT_UNUSED,
                "there is no bridge that these bytes are for",
                "name the bridge too, or leave them out",
            )),
        };
    };
    let text = name.label()?;
    let address = network.custom_bridge(text).ok_or_else(|| {
        let known: Vec<&str> = network.custom_bridges.iter().map(|(known, _)| known.as_str()).collect();
        name.refuse(
            Code::BRIDGE_UNKNOWN,
            format!("{} pins no second bridge \"{text}\"", network.name),
            "pin it in customBridges of a network file: the second bridge is a call that carries the money away",
        )
        .values(known.join(", "), text)
    })?;
    let data = data.map(|data| data.bytes()).transpose()?;
    Ok(Some(Bridge { name: text.to_owned(), address, data }))
}

fn read_facts(cursor: &Cursor<'_>, operation: &str, used: &[&str]) -> Result<Facts, Refusal> {
    const USES: &[&str] = &["priorityRequest", "allowances", "approval", "deployment", "withdrawal", "failedDeposit"];
    let members = cursor.members(&["transaction"], USES)?;
    for name in USES.iter().filter(|name| !used.contains(name)) {
        if let Some(member) = members.optional(name) {
            return Err(member.refuse(
                Code::FACTS_UNUSED,
                format!("this {operation} uses no {name}"),
                "leave it out: a fact that nothing checks must not look as if it counted",
            ));
        }
    }
    Ok(Facts {
        transaction: TransactionFacts::read(&members.required("transaction")?)?,
        priority_request: members
            .optional("priorityRequest")
            .map(|facts| PriorityRequestFacts::read(&facts))
            .transpose()?,
        allowances: members.optional("allowances").map(|rows| read_allowances(&rows)).transpose()?,
        approval_gas_limit: match members.optional("approval") {
            Some(approval) => Some(approval.members(&["gasLimit"], &[])?.required("gasLimit")?.count(u64::MAX)?),
            None => None,
        },
        withdrawal: members.optional("withdrawal").map(|facts| WithdrawalFacts::read(&facts)).transpose()?,
        failed_deposit: members.optional("failedDeposit").map(|facts| FailedDepositFacts::read(&facts)).transpose()?,
        deployment_nonce: match members.optional("deployment") {
            Some(deployment) => {
                Some(deployment.members(&["deploymentNonce"], &[])?.required("deploymentNonce")?.count(u64::MAX)?)
            }
            None => None,
        },
    })
}

fn read_allowances(rows: &Cursor<'_>) -> Result<Vec<Allowance>, Refusal> {
    rows.items()?
        .iter()
        .map(|row| {
            let members = row.members(&["token", "spender", "amount"], &[])?;
            Ok(Allowance {
                token: members.required("token")?.address(Spelling::AnyCase)?,
                spender: members.required("spender")?.address(Spelling::AnyCase)?,
                amount: members.required("amount")?.amount()?,
            })
        })
        .collect()
}
