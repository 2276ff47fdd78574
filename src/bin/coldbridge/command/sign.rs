//! `sign`: the review is shown and the question asked before the key is used; nothing leaves before it is proved.

use coldbridge::{Document, Networks, Ready, Refusal, Review, Unsigned, json};

use super::document::each;
use super::{Outcome, spelling};
use crate::cli::{DocumentArgs, KeyArgs, OutputArgs};
use crate::{key_file, terminal};

/// Whether a person still has to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Show the review and ask.
    Ask,
    /// `--yes`.
    Given,
}

pub fn sign(
    arguments: &DocumentArgs,
    key: &KeyArgs,
    consent: Consent,
    output: &OutputArgs,
    networks: &Networks,
) -> Result<Outcome, Refusal> {
    if key.descriptor()? == Some(0) && arguments.document.as_os_str() == "-" {
        return Err(Refusal::new(
            coldbridge::Code::USAGE,
            "",
            "standard input can not be both the document and the key",
            "name the document, or open the key on another descriptor: --key-fd 3 3< FILE",
        ));
    }
    let key = key_file::read(key)?;
    let spelling = spelling(arguments);
    each(&arguments.document, output, |bytes| {
        let unsigned = Document::read(&json::parse(bytes)?, networks, spelling)?.plan()?;
        if consent == Consent::Ask {
            let review = Review::of_unsigned(&unsigned)?.to_text();
            terminal::confirm(&review, &format!("Sign this with the key of {}?", key.address()))?;
        }
        let ready = ready(unsigned)?;
        ready.judge_keys(&[&key])?;
        Ok(format!("{}\n", ready.sign(&[&key])?.text()))
    })
}

/// The plan, encoded twice.
#[cfg(not(feature = "fault-injection"))]
fn ready(unsigned: Unsigned) -> Result<Ready, Refusal> {
    unsigned.ready()
}

/// The plan, encoded twice, with the fault in it that a test asks for.
#[cfg(feature = "fault-injection")]
#[allow(clippy::disallowed_methods)] // a test build
fn ready(unsigned: Unsigned) -> Result<Ready, Refusal> {
    use coldbridge::fault::{Faults, Point};
    let point = std::env::var("COLDBRIDGE_INJECT_FAULT").ok();
    let point = point.map(|text| Point::parse(&text).expect("STEP:before|after:TRANSACTION:BIT"));
    unsigned.ready_with(point.map_or(Faults::default(), Faults::at))
}
