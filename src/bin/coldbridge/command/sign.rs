//! `sign`: the review is shown and the question asked before the key is used; nothing leaves before it is proved.

use coldbridge::guard::Replacement;
use coldbridge::{Code, Document, Key, Networks, Ready, Refusal, Review, Unsigned, json};

use super::document::each;
use super::{Outcome, spelling};
use crate::cli::{DocumentArgs, GuardArgs, KeyArgs, KeySource, OutputArgs};
use crate::guard_file::Place;
use crate::output::Errors;
use crate::{key_file, terminal};

/// Whether a person still has to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Show the review and ask.
    Ask,
    /// `--yes`.
    Given,
}

/// How signing is done, whatever the document is.
pub struct How<'a> {
    /// Where the key comes from.
    pub key: &'a KeyArgs,
    /// Where the record of what was signed stands.
    pub guard: &'a GuardArgs,
    /// Whether a person still has to agree.
    pub consent: Consent,
    /// How notes are written.
    pub errors: Errors,
}

pub fn sign(
    arguments: &DocumentArgs,
    how: &How<'_>,
    output: &OutputArgs,
    networks: &Networks,
) -> Result<Outcome, Refusal> {
    let from_stdin = how.key.sources()?.iter().any(|source| matches!(source, KeySource::Descriptor(0)));
    if from_stdin && arguments.document.as_os_str() == "-" {
        return Err(Refusal::new(
            Code::USAGE,
            "",
            "standard input can not be both the document and the key",
            "name the document, or open the key on another descriptor: --key-fd 3 3< FILE",
        ));
    }
    let keys = key_file::read_all(how.key)?;
    let keys: Vec<&Key> = keys.iter().collect();
    let owners = keys.iter().map(|key| key.address().to_string()).collect::<Vec<_>>().join(" and ");
    let mut guard = Place::named(how.guard, Some(how.key), how.errors)?;
    let spelling = spelling(arguments);
    each(&arguments.document, output, |bytes| {
        let unsigned = Document::read(&json::parse(bytes)?, networks, spelling)?.plan()?;
        let review = match how.consent {
            Consent::Ask => Some(Review::of_unsigned(&unsigned)?.to_text()),
            Consent::Given => None,
        };
        let replacement = replacement(how.guard, &unsigned);
        let ready = ready(unsigned)?;
        ready.judge_keys(&keys)?;
        let reservation = ready.reservation()?;
        let said = guard.foresee(&reservation, replacement)?;
        if let Some(review) = review {
            terminal::confirm(&format!("{review}{said}"), &format!("Sign this with the key of {owners}?"))?;
        }
        guard.reserve(&reservation, replacement, how.errors)?;
        Ok(format!("{}\n", ready.sign(&keys)?.text()))
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

/// Whether this plan may take the place of what was signed before.
fn replacement(guard: &GuardArgs, _unsigned: &Unsigned) -> Replacement {
    if guard.replace { Replacement::Allowed } else { Replacement::Undeclared }
}
