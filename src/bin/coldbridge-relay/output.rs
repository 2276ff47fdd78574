//! Receipts to standard output, everything for people to standard error.

use std::io::{self, Write};

use coldbridge::{Code, Json, Refusal};

/// Writes one line and hands it over at once: another program may be waiting for it.
pub fn print_line(document: &Json) -> Result<(), Refusal> {
    print_text(&format!("{document}\n"))
}

/// Writes text and hands it over at once.
pub fn print_text(text: &str) -> Result<(), Refusal> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| {
        Refusal::new(
            Code::IO_WRITE,
            "",
            format!("standard output can not be written: {error}"),
            "run the same command again: it sends nothing twice",
        )
    })
}

/// The refusal of what can not be.
pub fn bug(problem: &str) -> Refusal {
    Refusal::new(Code::BUG, "", problem, "tell the authors; running the same command again sends nothing twice")
}

/// Writes a sentence for a person.
pub fn print_note(text: &str) {
    let _ = io::stderr().write_all(format!("note: {text}\n").as_bytes());
}

/// Writes a refusal, for a person or as a document.
pub fn print_refusal(refusal: &Refusal, errors: Errors) {
    let text = match errors {
        Errors::Text => format!("{refusal}\n"),
        Errors::Json => format!("{}\n", refusal.to_document()),
    };
    // Where it can not be written there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// How refusals are written.
#[derive(Clone, Copy)]
pub enum Errors {
    /// Two lines for a person.
    Text,
    /// The error document.
    Json,
}
