//! Answers and refusals out: documents to standard output or a new file, everything for people to standard error.

use std::io::{self, Read as _, Seek as _, Write as _};

use coldbridge::{Json, Refusal};

use crate::new_file::failed;

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

impl Output {
    /// Hands over a file whose content, read back from the disk, passes a proof. One that does not is never named.
    pub fn finish_proved(mut self, proof: impl FnOnce(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
        if let Self::File { path, file, .. } = &mut self {
            let mut read_back = || {
                file.flush()?;
                let file = file.get_mut();
                file.sync_all()?;
                // What was written is dropped from memory where the system allows it, so that the disk answers.
                let _ = rustix::fs::fadvise(&*file, 0, None, rustix::fs::Advice::DontNeed);
                file.rewind()?;
                let mut written = Vec::new();
                file.read_to_end(&mut written)?;
                Ok(written)
            };
            let written = read_back().map_err(|error| failed(path, &error))?;
            proof(&written)?;
        }
        self.finish()
    }
}
