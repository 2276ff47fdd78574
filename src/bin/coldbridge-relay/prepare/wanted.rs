//! What is asked for: an intent, bare or in a document, or a request whose facts are to be found out anew.

use coldbridge::json::{self, Cursor};
use coldbridge::{Json, Networks, Refusal, Request, Spelling, request};

/// The document that holds an intent alone.
pub const SCHEMA: &str = "coldbridge/intent/1";
/// Facts that stay as they are: they prove something of the past.
const LASTING: &[&str] = &["withdrawal", "failedDeposit"];

/// An intent, and the facts that stay.
pub struct Wanted {
    intent: Json,
    given: Vec<(String, Json)>,
}

impl Wanted {
    /// An intent with facts of the past.
    pub fn new(intent: Json, given: Vec<(String, Json)>) -> Self {
        Self { intent, given }
    }

    /// Reads `coldbridge/intent/1`, `coldbridge/request/1`, or the object that is their member `intent`.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let document = json::parse(bytes)?;
        let root = Cursor::root(&document);
        let schema = root.entries()?.iter().find(|(name, _)| name == "schema").map(|(_, value)| value);
        match schema {
            None => Ok(Self::new(document, Vec::new())),
            Some(Json::Text(schema)) if schema == request::SCHEMA => {
                let members = root.document(request::SCHEMA, &["intent", "facts"], &[])?;
                let facts = members.required("facts")?;
                let given = facts.entries()?.iter().filter(|(name, _)| LASTING.contains(&name.as_str())).cloned();
                Ok(Self::new(members.required("intent")?.value().clone(), given.collect()))
            }
            Some(_) => {
                let members = root.document(SCHEMA, &["intent"], &[])?;
                Ok(Self::new(members.required("intent")?.value().clone(), Vec::new()))
            }
        }
    }

    /// The facts that stay.
    pub fn given(&self) -> &[(String, Json)] {
        &self.given
    }

    /// The intent with nothing found out yet: it can be asked for its network, layer and accounts.
    pub fn probe(&self, networks: &Networks, spelling: Spelling) -> Result<Request, Refusal> {
        let transaction = [("transaction".to_owned(), Json::Object(Vec::new()))];
        let facts = Json::Object(transaction.into_iter().chain(self.given.iter().cloned()).collect());
        self.request(facts, networks, spelling)
    }

    /// The request with these facts.
    pub fn request(&self, facts: Json, networks: &Networks, spelling: Spelling) -> Result<Request, Refusal> {
        Request::read(&self.document(facts), networks, spelling)
    }

    fn document(&self, facts: Json) -> Json {
        Json::object([("schema", Json::text(request::SCHEMA)), ("intent", self.intent.clone()), ("facts", facts)])
    }
}
