//! `build`, `review`, `quote` and `verify`: a document in, an answer out, one a line in a batch.

use std::cell::RefCell;
use std::path::Path;

use coldbridge::inclusion::Question;
use coldbridge::json::{self, Cursor};
use coldbridge::review::Summary;
use coldbridge::signed::prove_raw;
use coldbridge::{Address, Code, Decoded, Document, Json, Networks, Refusal, Request, Review, Signed, Unsigned};

use super::{Outcome, spelling};
use crate::cli::{DocumentArgs, OutputArgs, PolicyArgs};
use crate::input::{Input, Shape, trimmed};
use crate::output::Output;
use crate::policy_file::Rules;

/// The name and version of what `verify` writes.
const VERIFIED: &str = "coldbridge/verified/1";

/// How a review is written.
#[derive(Clone, Copy)]
pub enum Form {
    /// For a person.
    Text,
    /// As a document.
    Json,
}

/// What `verify` writes.
#[derive(Clone, Copy)]
pub enum VerifyForm {
    /// What was proved.
    Document,
    /// The raw transactions.
    Raw,
}

/// Answers each document of an input. In a batch every line is answered in order, a refused one with its error document,
/// and the exit code is the first refused line's.
pub fn each(
    input: &Path,
    output: &OutputArgs,
    answer: impl FnMut(&[u8]) -> Result<String, Refusal>,
) -> Result<Outcome, Refusal> {
    each_of(Input::open(input)?, output, answer, |_| String::new())
}

/// The same with something to say at the end.
pub fn each_of(
    mut input: Input,
    output: &OutputArgs,
    mut answer: impl FnMut(&[u8]) -> Result<String, Refusal>,
    end: impl FnOnce(Shape) -> String,
) -> Result<Outcome, Refusal> {
    let mut output = Output::open(output.output.as_deref())?;
    let (mut outcome, mut count) = (Outcome::DONE, 0_u64);
    while let Some(bytes) = input.next()? {
        count += 1;
        match trimmed(&bytes).and_then(&mut answer) {
            // Written at once: whoever feeds the batch may wait for each answer.
            Ok(text) => output.write(&text)?,
            Err(refusal) if input.shape()? == Shape::Document => return Err(refusal),
            Err(refusal) => {
                output.write_document(&refusal.to_document())?;
                if outcome.code() == 0 {
                    outcome = Outcome(refusal.exit().code());
                }
            }
        }
    }
    output.write(&end(if count > 1 { Shape::Lines } else { Shape::Document }))?;
    output.finish()?;
    Ok(outcome)
}

/// A document and a line end.
pub fn line(document: &Json) -> String {
    format!("{document}\n")
}

pub fn build(arguments: &DocumentArgs, output: &OutputArgs, networks: &Networks) -> Result<Outcome, Refusal> {
    let spelling = spelling(arguments);
    each(&arguments.document, output, |bytes| {
        let text = line(&Request::read(&json::parse(bytes)?, networks, spelling)?.plan()?.to_json());
        // Whoever builds wants to hand it on.
        json::judge_size("the unsigned document", text.trim_end().len())?;
        Ok(text)
    })
}

pub fn inclusion(document: &Path, output: &OutputArgs, networks: &Networks) -> Result<Outcome, Refusal> {
    each(document, output, |bytes| Ok(line(&Question::read(&json::parse(bytes)?, networks)?.answer()?)))
}

pub fn export(
    arguments: &DocumentArgs,
    policy: &PolicyArgs,
    output: &OutputArgs,
    networks: &Networks,
) -> Result<Outcome, Refusal> {
    let spelling = spelling(arguments);
    let mut rules = Rules::named(policy)?;
    each(&arguments.document, output, |bytes| {
        let unsigned = Document::read(&json::parse(bytes)?, networks, spelling)?.plan()?;
        let batch = unsigned.safe_batch()?;
        rules.judge(&unsigned)?;
        Ok(line(&batch))
    })
}

pub fn quote(arguments: &DocumentArgs, output: &OutputArgs, networks: &Networks) -> Result<Outcome, Refusal> {
    let spelling = spelling(arguments);
    each(&arguments.document, output, |bytes| {
        Ok(line(&Request::read(&json::parse(bytes)?, networks, spelling)?.quote()))
    })
}

pub fn review(
    arguments: &DocumentArgs,
    form: Form,
    policy: &PolicyArgs,
    output: &OutputArgs,
    networks: &Networks,
) -> Result<Outcome, Refusal> {
    let spelling = spelling(arguments);
    let mut rules = Rules::named(policy)?;
    let summary = RefCell::new(Summary::default());
    let mut answer = |bytes: &[u8]| {
        let text = bytes.trim_ascii();
        let mut of_plan = |unsigned: Unsigned| {
            // Without a policy a review says what is so; it allows nothing.
            let verdict = if rules.hash().is_some() { rules.judge(&unsigned)? } else { None };
            summary.borrow_mut().add(&unsigned, verdict.clone())?;
            Ok::<_, Refusal>(Review::of_unsigned(&unsigned)?.under(verdict))
        };
        let review = if text.starts_with(b"0x") {
            no_verdict(policy, "")?;
            Review::of_raw(&raw(text)?, networks)?
        } else {
            match Document::read(&json::parse(bytes)?, networks, spelling)? {
                Document::Request(request) => of_plan(request.plan()?)?,
                Document::Unsigned(unsigned) => of_plan(unsigned)?,
                Document::Signed(signed) => {
                    no_verdict(policy, "/schema")?;
                    Review::of_signed(&signed)?
                }
            }
        };
        Ok(match form {
            Form::Text => review.to_text(),
            Form::Json => line(&review.to_json()),
        })
    };
    let answer = |bytes: &[u8]| answer(bytes).inspect_err(|_| summary.borrow_mut().add_refused());
    // A person gets the sum of a batch at its end.
    each_of(Input::open(&arguments.document)?, output, answer, |shape| match (form, shape) {
        (Form::Text, Shape::Lines) if summary.borrow().documents() > 0 => summary.borrow().to_text(),
        _ => String::new(),
    })
}

/// What is signed is not judged: a review of it must not look as if it had been.
fn no_verdict(policy: &PolicyArgs, at: &str) -> Result<(), Refusal> {
    if policy.policy.is_none() {
        return Ok(());
    }
    Err(Refusal::new(
        Code::JSON_SCHEMA,
        at,
        "a policy judges a plan, and this is no plan: it is signed, or raw",
        "review the request or the unsigned document under the policy, or leave --policy out",
    ))
}

fn raw(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text = std::str::from_utf8(text).map_err(|_| {
        Refusal::new(Code::BYTES_FORMAT, "", "the raw transaction is not text", "write it as 0x and hex digits")
    })?;
    Cursor::root(&Json::text(text)).bytes()
}

pub fn verify(document: &Path, form: VerifyForm, output: &OutputArgs, networks: &Networks) -> Result<Outcome, Refusal> {
    each(document, output, |bytes| {
        let text = bytes.trim_ascii();
        if text.starts_with(b"0x") {
            let bytes = raw(text)?;
            let decoded = prove_raw(&bytes)?;
            return Ok(match form {
                VerifyForm::Document => line(&verified_raw(&decoded, &Review::of_raw(&bytes, networks)?)),
                VerifyForm::Raw => line_of_hex(&bytes),
            });
        }
        let signed = Signed::read(&json::parse(bytes)?, networks)?;
        Ok(match form {
            VerifyForm::Document => line(&verified(&signed)),
            VerifyForm::Raw => signed.transactions().iter().map(|transaction| line_of_hex(transaction.raw())).collect(),
        })
    })
}

fn line_of_hex(bytes: &[u8]) -> String {
    format!("0x{}\n", hex::encode(bytes))
}

/// What has been proved, as a document.
fn verified(signed: &Signed) -> Json {
    let mut members = vec![
        ("schema", Json::text(VERIFIED)),
        ("intentId", signed.intent_id().map_or(Json::Null, Json::text)),
        ("network", Json::text(signed.network().name.as_str())),
        ("from", Json::display(signed.from())),
    ];
    if !signed.signers().is_empty() {
        members.push(("signers", Json::Array(signed.signers().iter().map(Json::display).collect())));
    }
    members.extend(signed.policy_hash().map(|hash| ("policyHash", Json::display(hash))));
    let transactions = signed.transactions().iter().map(|transaction| {
        Json::object([
            ("layer", Json::text(transaction.layer().name())),
            ("chainId", transaction.transaction().chain_id().map_or(Json::Null, Json::count)),
            ("nonce", Json::count(transaction.nonce())),
            ("purpose", Json::text(transaction.purpose())),
            ("hash", Json::display(transaction.hash())),
            ("signingDigest", Json::display(transaction.signing_digest())),
            ("signer", transaction.signer().map_or(Json::Null, Json::display)),
        ])
    });
    members.push(("transactions", Json::Array(transactions.collect())));
    Json::object(members)
}

/// The same of raw bytes: what no document states is looked up by the review, or null.
fn verified_raw(decoded: &Decoded, review: &Review) -> Json {
    let review = review.to_json();
    let reviewed = match review.get("transactions") {
        Some(Json::Array(transactions)) => transactions.first(),
        _ => None,
    };
    let looked_up = |name: &str| reviewed.and_then(|reviewed| reviewed.get(name)).cloned().unwrap_or(Json::Null);
    let purpose = match looked_up("action") {
        Json::Object(action) => action.first().map(|(name, _)| name.clone()).filter(|name| name != "unknown"),
        _ => None,
    };
    let transaction = &decoded.transaction;
    let optional = |address: Option<Address>| address.map_or(Json::Null, Json::display);
    Json::object([
        ("schema", Json::text(VERIFIED)),
        ("intentId", Json::Null),
        ("network", looked_up("network")),
        ("from", optional(transaction.declared_from().or(decoded.signer()))),
        (
            "transactions",
            Json::Array(vec![Json::object([
                ("layer", looked_up("layer")),
                ("chainId", transaction.chain_id().map_or(Json::Null, Json::count)),
                ("nonce", Json::count(transaction.nonce())),
                ("purpose", purpose.map_or(Json::Null, Json::text)),
                ("hash", decoded.hash().map_or(Json::Null, Json::display)),
                ("signingDigest", Json::display(transaction.signing_digest())),
                ("signer", optional(decoded.signer())),
            ])]),
        ),
    ])
}
