//! Call any contract on L2 with any calldata.
//!
//! Nothing is known of what the contract does, so every call would be one: it is recognised only where a document says that it
//! is meant as one, and what another operation would have made of the same bytes is then said too.

use ethabi::ethereum_types::U256;

use super::request_execute::{calldata_in_words, judge_factory_deps, read_factory_deps};
use super::{
    Body, Call, CallGas, Check, Context, Operation, Plan, Recognised, Seen, TokenName, amount_in_words,
    judge_recipient, judge_token_contract,
};
use crate::address::{Address, Spelling};
use crate::fees::judge_era_value;
use crate::json::{Cursor, Json};
use crate::network::{Layer, Vm};
use crate::refusal::{Code, Refusal};
use crate::units::Wei;

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "call",
    layers: &[Layer::L2],
    summary: "Call any contract on L2",
    functions: &[],
    options: &[],
    facts: &[],
    read,
    recognise: |seen| Some(recognise(seen)),
};

struct AnyCall {
    to: Address,
    value: U256,
    calldata: Vec<u8>,
    factory_deps: Vec<Vec<u8>>,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&["to", "value", "calldata"], &["factoryDeps"])?;
    Ok(Box::new(AnyCall {
        to: members.required("to")?.address(spelling)?,
        value: members.required("value")?.amount()?,
        calldata: members.required("calldata")?.bytes()?,
        factory_deps: match members.optional("factoryDeps") {
            Some(list) => read_factory_deps(&list)?,
            None => Vec::new(),
        },
    }))
}

fn words(to: Address, value: U256, calldata: &[u8], factory_deps: &[Vec<u8>]) -> Json {
    Json::object([
        ("to", Json::display(to)),
        ("value", Json::display(value)),
        ("calldata", Json::bytes(calldata)),
        ("factoryDeps", Json::Array(factory_deps.iter().map(Json::bytes).collect())),
    ])
}

impl Body for AnyCall {
    fn to_json(&self) -> Json {
        words(self.to, self.value, &self.calldata, &self.factory_deps)
    }

    fn layer(&self) -> Layer {
        Layer::L2
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/call";
        let network = context.network;
        let mut plan = Plan::default();
        let at = format!("{AT}/to");
        if self.to == Address::ZERO {
            plan.refusals.push(Refusal::new(
                Code::RECIPIENT_ZERO,
                at.as_str(),
                "the zero address: there is nothing to call",
                "write the address of the contract",
            ));
        } else if self.calldata.is_empty() {
            // With nothing to call it is a transfer, and keeps the rules of one.
            plan.refusals.extend(judge_recipient(self.to, &at, network));
            plan.refusals.extend(judge_token_contract(self.to, TokenName::Base, &at, network));
        }
        if network.vm == Vm::EraVm {
            plan.refusals.extend(judge_era_value(Wei::new(self.value), &format!("{AT}/value")));
        }
        let mut judged = Vec::new();
        judge_factory_deps(network, &self.factory_deps, &format!("{AT}/factoryDeps"), &mut judged);
        // Here it is the node that refuses.
        plan.refusals.extend(judged.into_iter().map(Refusal::without_contract_error));
        plan.checks.push(Check {
            name: "to",
            result: format!("claimed: {} does with this call what its owner expects; nothing here can tell", self.to),
        });
        let value = Wei::new(self.value);
        let same = super::recognise(&Seen {
            network,
            layer: Layer::L2,
            from: Some(context.from),
            to: self.to,
            value,
            data: &self.calldata,
            factory_deps: &self.factory_deps,
        });
        plan.debits = same.map(|same| same.debits).unwrap_or_default();
        plan.calls.push(Call {
            purpose: OPERATION.name,
            to: self.to,
            value,
            calldata: self.calldata.clone(),
            factory_deps: self.factory_deps.clone(),
            gas: CallGas::Main,
            words: self.to_json(),
        });
        plan
    }
}

fn recognise(seen: &Seen<'_>) -> Recognised {
    let network = seen.network;
    let value = seen.value.get();
    let same = super::recognise(seen);
    let mut lines = vec![
        ("call", format!("{} on {} (chain {})", seen.to, network.name, network.l2_chain_id)),
        ("call value", amount_in_words(network, Layer::L2, TokenName::Base, value)),
        ("calldata", calldata_in_words(seen.data)),
    ];
    let mut warnings = Vec::new();
    let (mut call, mut debits) = (Json::Null, Vec::new());
    match same {
        Some(same) => {
            lines.push(("which is", format!("the operation {}:", same.name)));
            lines.extend(same.lines);
            (call, debits, warnings) = (same.call, same.debits, same.warnings);
        }
        None => warnings.push("only the called contract knows what this call does".to_owned()),
    }
    Recognised {
        name: OPERATION.name,
        body: words(seen.to, value, seen.data, seen.factory_deps),
        call,
        debits,
        warnings,
        lines,
    }
}
