//! Answers and refusals out: documents to standard output or a new file, everything for people to standard error.

use std::io::{self, Write};

use coldbridge::{Json, Refusal};

pub use crate::new_file::Output;

/// How refusals are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// Two lines for a person.
    Text,
    /// The error document.
    Json,
}

impl Errors {
    /// Writes a refusal to standard error.
    pub fn print(self, refusal: &Refusal) {
        let text = match self {
            Self::Text => format!("{refusal}\n"),
            Self::Json => format!("{}\n", refusal.to_document()),
        };
        // One write for the whole line; where it can not be written there is nobody to tell.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Writes to standard error what is no refusal and must be known.
    pub fn note(self, text: &str) {
        let text = match self {
            Self::Text => format!("note:    {text}\n"),
            Self::Json => format!("{}\n", Json::object([("note", Json::text(text))])),
        };
        let _ = io::stderr().write_all(text.as_bytes());
    }
}
