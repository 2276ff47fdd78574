//! Which document is it? `schema` says, and each is read by its own file.

use crate::address::Spelling;
use crate::json::{Cursor, Json};
use crate::network::Networks;
use crate::refusal::{Code, Refusal, printable};
use crate::request::{self, Request};
use crate::signed::{self, Signed};
use crate::unsigned::{self, Unsigned};

/// A document that a program may be handed.
#[allow(clippy::large_enum_variant)] // one lives at a time
pub enum Document {
    /// `coldbridge/request/1`
    Request(Request),
    /// `coldbridge/unsigned/1`
    Unsigned(Unsigned),
    /// `coldbridge/signed/1`
    Signed(Signed),
}

impl Document {
    /// Reads whichever document this is.
    pub fn read(json: &Json, networks: &Networks, spelling: Spelling) -> Result<Self, Refusal> {
        let root = Cursor::root(json);
        let schema = root.entries()?.iter().find(|(name, _)| name == "schema");
        let Some((name, value)) = schema else {
            return Err(Refusal::new(
                Code::JSON_MISSING_MEMBER,
                "/schema",
                "missing: schema",
                format!("add it: {}, {} or {}", request::SCHEMA, unsigned::SCHEMA, signed::SCHEMA),
            ));
        };
        let schema = root.member(name, value);
        match schema.text()? {
            request::SCHEMA => Request::read(json, networks, spelling).map(Self::Request),
            unsigned::SCHEMA => Unsigned::read(json, networks, spelling).map(Self::Unsigned),
            signed::SCHEMA => Signed::read(json, networks).map(Self::Signed),
            other => {
                let known = [request::SCHEMA, unsigned::SCHEMA, signed::SCHEMA].join(", ");
                Err(schema
                    .refuse(
                        Code::JSON_SCHEMA,
                        format!("\"{}\" is none of {known}", printable(other)),
                        "hand over one of these documents",
                    )
                    .values(known, printable(other)))
            }
        }
    }

    /// The plan of a request or of an unsigned document; a signed one is not planned again.
    pub fn plan(self) -> Result<Unsigned, Refusal> {
        match self {
            Self::Request(request) => request.plan(),
            Self::Unsigned(unsigned) => Ok(unsigned),
            Self::Signed(_) => Err(Refusal::new(
                Code::JSON_SCHEMA,
                "/schema",
                "this document is signed already",
                "hand over a request or an unsigned document",
            )
            .values(format!("{} or {}", request::SCHEMA, unsigned::SCHEMA), signed::SCHEMA)),
        }
    }
}
