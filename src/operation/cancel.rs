//! Cancel: a transfer of nothing to oneself that uses up a nonce, so that another payload with it can never be mined.
//!
//! A signed payload is a bearer instrument; this is what to keep in the safe beside it.

use super::{AccountKind, Body, Call, CallGas, Check, Context, Operation, Plan, Recognised, Seen};
use crate::address::Spelling;
use crate::json::{Cursor, Json};
use crate::network::{Layer, Vm};
use crate::refusal::{Code, Refusal};
use crate::units::Wei;

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "cancel",
    layers: &[Layer::L1, Layer::L2],
    summary: "Use up a nonce with a transfer of nothing to oneself",
    functions: &[],
    options: &[],
    facts: &[],
    read,
    recognise,
};

struct Cancel {
    layer: Layer,
}

fn read(cursor: &Cursor<'_>, _: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(&[], &["layer"])?;
    Ok(Box::new(Cancel { layer: members.optional("layer").map_or(Ok(Layer::L1), |layer| layer.choice(Layer::WORDS))? }))
}

fn words(layer: Layer) -> Json {
    Json::object([("layer", Json::text(layer.name()))])
}

impl Body for Cancel {
    fn to_json(&self) -> Json {
        words(self.layer)
    }

    fn layer(&self) -> Layer {
        self.layer
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        // A smart account on an EraVM L2 has nonces of its own.
        let is_smart_account = self.layer == Layer::L2 && context.network.vm == Vm::EraVm;
        let refusal = (context.from_kind == AccountKind::Contract && !is_smart_account).then(|| {
            Refusal::new(
                Code::INTENT_UNSUPPORTED,
                "/intent/fromKind",
                "a contract's transactions have the nonces of its owners: there is nothing of its own to cancel",
                "reject the proposal in the contract itself",
            )
        });
        Plan {
            refusals: refusal.into_iter().collect(),
            calls: vec![Call {
                purpose: OPERATION.name,
                to: context.from,
                value: Wei::zero(),
                calldata: Vec::new(),
                factory_deps: Vec::new(),
                gas: CallGas::Main,
                words: words(self.layer),
            }],
            checks: vec![Check {
                name: "nonce",
                result:
                    "claimed: a payload of the same nonce is replaced only if the fees are at least 10 % above its own"
                        .to_owned(),
            }],
            ..Plan::default()
        }
    }
}

fn recognise(seen: &Seen<'_>) -> Option<Recognised> {
    (seen.from == Some(seen.to) && seen.value.is_zero() && seen.data.is_empty()).then(|| Recognised {
        name: OPERATION.name,
        body: words(seen.layer),
        call: Json::Null,
        debits: Vec::new(),
        warnings: Vec::new(),
        lines: vec![("cancel", "moves nothing; any other payload with this nonce becomes invalid".to_owned())],
    })
}
