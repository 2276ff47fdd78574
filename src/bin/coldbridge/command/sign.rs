//! `sign`: the review is shown and the question asked before the key is used; nothing leaves before it is proved.

use std::collections::BTreeSet;

use coldbridge::guard::Replacement;
use coldbridge::policy::{Confirmation, Payment, Typed};
use coldbridge::review::Summary;
use coldbridge::{Address, Code, Document, Key, Networks, Ready, Refusal, Review, Unsigned, json};

use super::document::each_of;
use super::{Outcome, spelling};
use crate::cli::{DocumentArgs, GuardArgs, KeyArgs, KeySource, OutputArgs, PolicyArgs};
use crate::guard_file::Place;
use crate::hardening::Filter;
use crate::input::{Input, trimmed};
use crate::output::Errors;
use crate::policy_file::Rules;
use crate::terminal::Expected;
use crate::{key_file, terminal};

/// Whether a person still has to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Show the review and ask.
    Ask,
    /// Show the review and have its recipient or amount typed.
    Typed,
    /// `--yes`.
    Given,
}

/// How signing is done, whatever the document is.
pub struct How<'a> {
    /// Where the key comes from.
    pub key: &'a KeyArgs,
    /// What is allowed.
    pub policy: &'a PolicyArgs,
    /// Where the record of what was signed stands.
    pub guard: &'a GuardArgs,
    /// Whether a person still has to agree.
    pub consent: Consent,
    /// How notes are written.
    pub errors: Errors,
    /// Whether the process has denied itself the network.
    pub filter: Filter,
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
    let mut rules = Rules::named(how.policy)?;
    rules.judge_airgap(how.filter)?;
    let consent = consent(how.consent, &rules)?;
    let keys = key_file::read_all(how.key)?;
    // Of several keys the one with the lowest address has the guard, in whichever order they are handed over.
    let first = how.key.key.iter().zip(&keys).min_by_key(|(_, key)| key.address()).map(|(path, _)| path.as_path());
    let keys: Vec<&Key> = keys.iter().collect();
    let owners = keys.iter().map(|key| key.address().to_string()).collect::<Vec<_>>().join(" and ");
    let mut guard = Place::named(how.guard, first, how.errors)?;
    rules.judge_guard(&guard)?;
    let spelling = spelling(arguments);
    let mut input = None;
    let (mut consent, mut refused) = (consent, BTreeSet::new());
    if consent != Consent::Given {
        // What a person agrees to is read once, and is what is signed.
        let text = Input::text(&arguments.document)?;
        let plan = |bytes: &[u8]| Document::read(&json::parse(trimmed(bytes)?)?, networks, spelling)?.plan();
        let guarded = |unsigned: Unsigned, replacement| {
            let ready = ready(unsigned)?;
            ready.judge_keys(&keys)?;
            guard.foresee(&ready.reservation()?, replacement)
        };
        if let Some(batch) = summary(text.clone(), &rules, how.guard, plan, guarded)? {
            let question = format!("Sign all of them with the key of {owners}?");
            let text = format!("{}{}", batch.summary.to_text(), batch.said);
            terminal::confirm(&text, &question, &expected_of(&batch.summary, consent))?;
            (consent, refused) = (Consent::Given, batch.refused);
        }
        input = Some(Input::of(text)?);
    }
    let input = input.map_or_else(|| Input::open(&arguments.document), Ok)?;
    let mut sign_under = |rules: &mut Rules, bytes: &[u8]| {
        let unsigned = Document::read(&json::parse(bytes)?, networks, spelling)?.plan()?;
        let verdict = rules.judge(&unsigned)?;
        let replacement = rules.replacement(how.guard, &unsigned);
        let question = match consent {
            Consent::Ask => Some((Review::of_unsigned(&unsigned)?.under(verdict), Expected::Yes)),
            Consent::Typed => Some((Review::of_unsigned(&unsigned)?.under(verdict), expected(unsigned.typed()?))),
            Consent::Given => None,
        };
        let ready = ready(unsigned)?.under(rules.hash());
        ready.judge_keys(&keys)?;
        let reservation = ready.reservation()?;
        let said = guard.foresee(&reservation, replacement)?;
        if refused.contains(bytes) {
            return Err(Refusal::new(
                Code::SIGN_DECLINED,
                "",
                "this was refused when the batch was shown, and nobody has agreed to it",
                "sign it by itself",
            ));
        }
        if let Some((review, expected)) = question {
            let text = format!("{}{said}", review.to_text());
            terminal::confirm(&text, &format!("Sign this with the key of {owners}?"), &expected)?;
        }
        guard.reserve(&reservation, replacement, how.errors)?;
        Ok(format!("{}\n", ready.sign(&keys)?.text()))
    };
    let answer = |bytes: &[u8]| {
        let used = rules.used();
        sign_under(&mut rules, bytes).inspect_err(|_| rules.take_back(used))
    };
    each_of(input, output, answer, |_| String::new())
}

/// What a person agrees to at once.
struct Batch {
    summary: Summary,
    /// What the guard says to it.
    said: String,
    /// The documents that are not part of it.
    refused: BTreeSet<Vec<u8>>,
}

/// The sum of a batch; nothing for one document, which is reviewed by itself.
fn summary(
    text: Vec<u8>,
    rules: &Rules,
    guard: &GuardArgs,
    plan: impl Fn(&[u8]) -> Result<Unsigned, Refusal>,
    mut guarded: impl FnMut(Unsigned, Replacement) -> Result<String, Refusal>,
) -> Result<Option<Batch>, Refusal> {
    let (mut input, mut rules, mut summary) = (Input::of(text)?, rules.clone(), Summary::default());
    let (mut count, mut said, mut refused) = (0_u64, BTreeSet::new(), BTreeSet::new());
    while let Some(bytes) = input.next()? {
        count += 1;
        let used = rules.used();
        let judged = plan(&bytes).and_then(|unsigned| {
            let verdict = rules.judge(&unsigned)?;
            let said = guarded(plan(&bytes)?, rules.replacement(guard, &unsigned))?;
            summary.add(&unsigned, verdict)?;
            Ok(said)
        });
        if let Ok(text) = judged {
            said.insert(text);
        } else {
            rules.take_back(used);
            summary.add_refused();
            refused.extend(trimmed(&bytes).map(<[u8]>::to_vec));
        }
    }
    let said = said.into_iter().collect();
    Ok((count > 1 && summary.documents() > 0).then_some(Batch { summary, said, refused }))
}

/// What is typed for a batch: of its largest payment, or where nothing is paid of who sends.
fn expected_of(summary: &Summary, consent: Consent) -> Expected {
    let typed = |what, whole: Address, amount: Option<String>| Expected::Typed {
        what,
        end: end_of(&whole.to_string()),
        amount,
    };
    match (consent, summary.largest(), summary.account()) {
        (Consent::Typed, Some(Payment { recipient: Some(recipient), amount, .. }), _) => {
            typed("largest payment's recipient", recipient, Some(amount.to_string()))
        }
        (Consent::Typed, _, Some(account)) => typed("account", account, None),
        _ => Expected::Yes,
    }
}

fn end_of(whole: &str) -> String {
    whole.chars().skip(whole.len().saturating_sub(6)).collect()
}

/// What the command line and the policy together ask of a person.
fn consent(asked: Consent, rules: &Rules) -> Result<Consent, Refusal> {
    match (asked, rules.confirmation()) {
        (Consent::Given, Some(Confirmation::Yes | Confirmation::Typed)) => Err(Refusal::new(
            Code::POLICY_CONFIRMATION,
            "",
            "--yes asks nobody, and the policy asks for a person",
            "sign at a terminal, without --yes",
        )),
        (_, Some(Confirmation::Typed)) => Ok(Consent::Typed),
        (asked, _) => Ok(asked),
    }
}

/// What is typed for a plan.
fn expected(typed: Typed) -> Expected {
    let (what, whole) = match typed.recipient {
        Some(recipient) => ("recipient", recipient.to_string()),
        None => ("sign digest", typed.digest.to_string()),
    };
    let amount = typed.amount.map(|amount| amount.to_string());
    Expected::Typed { what, end: end_of(&whole), amount }
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
