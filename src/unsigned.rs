//! The unsigned document: a plan of transactions in which every field is final.
//!
//! It repeats the intent and the facts it was made from, so that whoever reads it can make it again: reading one *is*
//! making it again and comparing. Signing therefore never trusts an earlier `build` or `review`.

use crate::address::Spelling;
use crate::hash::Digest;
use crate::json::{Cursor, Json, child};
use crate::network::{Layer, Networks};
use crate::operation::{Check, Plan};
use crate::refusal::{Code, Refusal, shown};
use crate::request::{Authority, Request};
use crate::transaction::Transaction;
use crate::units::{BaseTokenUnits, Wei};

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/unsigned/1";

/// A plan whose fields are final.
pub struct Unsigned {
    request: Request,
    transactions: Vec<Planned>,
    plan: Plan,
    worst_case: Wei,
}

/// One transaction of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Where it runs.
    pub layer: Layer,
    /// The operation that it belongs to.
    pub purpose: &'static str,
    /// The operation's body in canonical words, which the encoded call must say again.
    pub words: Json,
    /// The transaction.
    pub transaction: Transaction,
}

impl Unsigned {
    pub(crate) fn new(request: Request, transactions: Vec<Planned>, plan: Plan) -> Result<Self, Refusal> {
        let worst_case = transactions
            .iter()
            .try_fold(Wei::zero(), |sum, planned| sum.checked_add(planned.transaction.worst_case()?))
            .ok_or_else(|| {
                Refusal::new(
                    Code::FEES_OVERFLOW,
                    "/facts/transaction",
                    "value and fees together are above 2^256-1",
                    "check the amount, gasLimit and the fees, and their units",
                )
            })?;
        Ok(Self { request, transactions, plan, worst_case })
    }

    /// Reads the document: plans its intent and facts again and compares every member.
    ///
    /// # Errors
    /// Those of the request, and `unsigned.differs` at the first member that is not what intent and facts give.
    pub fn read(json: &Json, networks: &Networks, spelling: Spelling) -> Result<Self, Refusal> {
        let root = Cursor::root(json);
        let members =
            root.document(SCHEMA, &["intent", "facts", "network", "transactions", "derived", "checks"], &[])?;
        let unsigned =
            Request::read_parts(&members.required("intent")?, &members.required("facts")?, networks, spelling)?
                .plan()?;
        match first_difference(json, &unsigned.to_json(), String::new()) {
            None => Ok(unsigned),
            Some((at, expected, actual)) => Err(Refusal::new(
                Code::UNSIGNED_DIFFERS,
                at,
                format!("the document says {}, its intent and facts give {}", shown(&actual), shown(&expected)),
                "build it again from the request; do not edit an unsigned document",
            )
            .values(shown(&expected), shown(&actual))),
        }
    }

    /// The whole document.
    pub fn to_json(&self) -> Json {
        Json::object([
            ("schema", Json::text(SCHEMA)),
            ("intent", self.request.intent_json()),
            ("facts", self.request.facts_json()),
            ("network", self.request.network().to_json_brief()),
            ("transactions", Json::Array(self.transactions.iter().map(|planned| self.planned_json(planned)).collect())),
            ("derived", self.derived_json()),
            (
                "checks",
                Json::Array(
                    self.plan
                        .checks
                        .iter()
                        .map(|check| {
                            Json::object([
                                ("name", Json::text(check.name)),
                                ("result", Json::text(check.result.as_str())),
                            ])
                        })
                        .collect(),
                ),
            ),
        ])
    }

    fn planned_json(&self, planned: &Planned) -> Json {
        let mut members = vec![("layer", Json::text(planned.layer.name())), ("purpose", Json::text(planned.purpose))];
        members.extend(planned.transaction.fields(Some(self.request.from())));
        if let Transaction::Eip712(tx) = &planned.transaction {
            members.push(("domainSeparator", Json::bytes(crate::transaction::Eip712::domain_separator(tx.chain_id))));
            members.push(("structHash", Json::bytes(tx.struct_hash())));
        }
        members.push(("signingDigest", Json::display(planned.transaction.signing_digest())));
        members.push(("calldataDigest", Json::display(Digest::of_calldata(planned.transaction.data()))));
        Json::object(members)
    }

    fn derived_json(&self) -> Json {
        let mut members = Vec::new();
        if let Some(priority) = &self.plan.priority {
            members.extend(priority.base_cost.map(|cost| ("baseCost", cost.to_json())));
            members.extend(priority.l2_gas_price.map(|price| ("l2GasPrice", price.to_json())));
            members.extend(priority.mint_value.map(|value: BaseTokenUnits| ("mintValue", value.to_json())));
            members.extend(priority.bounds.map(|bounds| ("minL2GasLimit", bounds.floor.to_json_count())));
            members.extend(priority.bounds.map(|bounds| ("maxL2GasLimit", bounds.ceiling.to_json_count())));
            members.push(("encodedLength", Json::count(priority.encoded_length)));
        }
        members.extend(self.plan.derived.iter().cloned());
        members.push(("worstCaseDebit", self.request.debits_json(self.worst_case, &self.plan.debits)));
        Json::object(members)
    }

    /// The request and the transactions, for the signing order.
    pub(crate) fn into_parts(self) -> (Request, Vec<Planned>) {
        (self.request, self.transactions)
    }

    /// The request that it was made from.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What was checked, as sentences.
    pub fn checks(&self) -> &[Check] {
        &self.plan.checks
    }

    /// What was not checked, and can not be without the owner.
    pub fn warnings(&self) -> &[String] {
        &self.plan.warnings
    }

    /// The plan as a batch of the Safe Transaction Builder, for a contract that others call.
    ///
    /// # Errors
    /// `export.not_contract` for a sender that signs for itself.
    pub fn safe_batch(&self) -> Result<Json, Refusal> {
        let request = &self.request;
        if request.authority() != Authority::Nobody {
            return Err(Refusal::new(
                Code::EXPORT_NOT_CONTRACT,
                "/intent/fromKind",
                format!("{} signs for itself", request.from()),
                "sign the plan; or write \"fromKind\": \"contract\" if it is a Safe, which changes who L2 sees and refunds",
            ));
        }
        let transactions = self.transactions.iter().map(|planned| {
            Json::object([
                ("to", planned.transaction.to().map_or(Json::Null, Json::display)),
                ("value", planned.transaction.value().to_json()),
                ("data", Json::bytes(planned.transaction.data())),
                ("contractMethod", Json::Null),
                ("contractInputsValues", Json::Null),
            ])
        });
        let chain_id = request.network().chain_id(request.layer());
        Ok(Json::object([
            ("version", Json::text("1.0")),
            ("chainId", Json::display(chain_id)),
            ("createdAt", Json::Integer(0)),
            (
                "meta",
                Json::object([
                    ("name", Json::text(format!("coldbridge {}", request.id().unwrap_or(request.operation())))),
                    ("description", Json::text("")),
                    ("txBuilderVersion", Json::text("")),
                    ("createdFromSafeAddress", Json::display(request.from())),
                    ("createdFromOwnerAddress", Json::text("")),
                ]),
            ),
            ("transactions", Json::Array(transactions.collect())),
        ]))
    }

    /// Its transactions, in nonce order.
    pub fn transactions(&self) -> &[Planned] {
        &self.transactions
    }
}

/// The first place where two documents differ, and what stands there: (at, expected, actual).
pub(crate) fn first_difference(actual: &Json, expected: &Json, at: String) -> Option<(String, String, String)> {
    match (actual, expected) {
        (Json::Object(left), Json::Object(right)) => {
            for (name, expected) in right {
                let at = child(&at, name);
                match actual.get(name) {
                    Some(actual) => {
                        if let Some(found) = first_difference(actual, expected, at) {
                            return Some(found);
                        }
                    }
                    None => return Some((at, expected.to_string(), "nothing".to_owned())),
                }
            }
            left.iter()
                .find(|(name, _)| expected.get(name).is_none())
                .map(|(name, value)| (child(&at, name), "nothing".to_owned(), value.to_string()))
        }
        (Json::Array(left), Json::Array(right)) => {
            for (index, (actual, expected)) in left.iter().zip(right).enumerate() {
                if let Some(found) = first_difference(actual, expected, format!("{at}/{index}")) {
                    return Some(found);
                }
            }
            (left.len() != right.len()).then(|| (at, format!("{} items", right.len()), format!("{} items", left.len())))
        }
        _ if actual == expected => None,
        _ => Some((at, expected.to_string(), actual.to_string())),
    }
}
