//! Receipts to standard output, everything for people to standard error.

use std::io::{self, Write};

use coldbridge::{Code, Json, Refusal};

/// Writes one line and hands it over at once: another program may be waiting for it.
pub fn print_line(document: &Json) -> Result<(), Refusal> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{document}").and_then(|()| stdout.flush()).map_err(|error| {
        Refusal::new(
            Code::IO_WRITE,
            "",
            format!("standard output can not be written: {error}"),
            "run the same command again: it sends nothing twice",
        )
    })
}

/// Writes a sentence for a person.
#[allow(clippy::print_stderr)] // one of two places that do
pub fn print_note(text: &str) {
    eprintln!("note: {text}");
}

/// Writes a refusal, for a person or as a document.
#[allow(clippy::print_stderr)] // one of two places that do
pub fn print_refusal(refusal: &Refusal, errors: Errors) {
    match errors {
        Errors::Text => eprintln!("{refusal}"),
        Errors::Json => eprintln!("{}", refusal.to_document()),
    }
}

/// How refusals are written.
#[derive(Clone, Copy)]
pub enum Errors {
    /// Two lines for a person.
    Text,
    /// The error document.
    Json,
}
