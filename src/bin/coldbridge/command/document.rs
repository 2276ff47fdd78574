//! `build`, `review`, `quote` and `verify`: a document in, an answer out, one a line in a batch.

use std::path::Path;

use coldbridge::json::{self, Cursor};
use coldbridge::{Code, Document, Json, Networks, Refusal, Request, Review, Signed, Unsigned};

use super::{Outcome, spelling};
use crate::cli::{DocumentArgs, OutputArgs, PolicyArgs};
use crate::input::{Input, Shape, trimmed};
use crate::output::Output;
use crate::policy_file::Rules;

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
    mut answer: impl FnMut(&[u8]) -> Result<String, Refusal>,
) -> Result<Outcome, Refusal> {
    let mut input = Input::open(input)?;
    let mut output = Output::open(output.output.as_deref())?;
    let mut outcome = Outcome::DONE;
    while let Some(bytes) = input.next()? {
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
    output.finish()?;
    Ok(outcome)
}

fn line(document: &Json) -> String {
    format!("{document}\n")
}

pub fn build(arguments: &DocumentArgs, output: &OutputArgs, networks: &Networks) -> Result<Outcome, Refusal> {
    let spelling = spelling(arguments);
    each(&arguments.document, output, |bytes| {
        Ok(line(&Request::read(&json::parse(bytes)?, networks, spelling)?.plan()?.to_json()))
    })
}

pub fn export(arguments: &DocumentArgs, output: &OutputArgs, networks: &Networks) -> Result<Outcome, Refusal> {
    let spelling = spelling(arguments);
    each(&arguments.document, output, |bytes| {
        Ok(line(&Document::read(&json::parse(bytes)?, networks, spelling)?.plan()?.safe_batch()?))
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
    each(&arguments.document, output, |bytes| {
        let text = bytes.trim_ascii();
        let mut of_plan = |unsigned: Unsigned| {
            // Without a policy a review says what is so; it allows nothing.
            let verdict = if rules.hash().is_some() { rules.judge(&unsigned)? } else { None };
            Ok::<_, Refusal>(Review::of_unsigned(&unsigned)?.under(verdict))
        };
        let review = if text.starts_with(b"0x") {
            Review::of_raw(&raw(text)?, networks)?
        } else {
            match Document::read(&json::parse(bytes)?, networks, spelling)? {
                Document::Request(request) => of_plan(request.plan()?)?,
                Document::Unsigned(unsigned) => of_plan(unsigned)?,
                Document::Signed(signed) => Review::of_signed(&signed)?,
            }
        };
        Ok(match form {
            Form::Text => review.to_text(),
            Form::Json => line(&review.to_json()),
        })
    })
}

fn raw(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text = std::str::from_utf8(text).map_err(|_| {
        Refusal::new(Code::BYTES_FORMAT, "", "the raw transaction is not text", "write it as 0x and hex digits")
    })?;
    Cursor::root(&Json::text(text)).bytes()
}

pub fn verify(document: &Path, form: VerifyForm, output: &OutputArgs, networks: &Networks) -> Result<Outcome, Refusal> {
    each(document, output, |bytes| {
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
    Json::object([
        ("schema", Json::text("coldbridge/verified/1")),
        ("intentId", signed.intent_id().map_or(Json::Null, Json::text)),
        ("network", Json::text(signed.network().name.as_str())),
        ("from", Json::display(signed.from())),
        ("policyHash", signed.policy_hash().map_or(Json::Null, Json::display)),
        (
            "transactions",
            Json::Array(
                signed
                    .transactions()
                    .iter()
                    .map(|transaction| {
                        Json::object([
                            ("layer", Json::text(transaction.layer().name())),
                            ("chainId", transaction.transaction().chain_id().map_or(Json::Null, Json::count)),
                            ("nonce", Json::count(transaction.nonce())),
                            ("purpose", Json::text(transaction.purpose())),
                            ("hash", Json::display(transaction.hash())),
                            ("signingDigest", Json::display(transaction.signing_digest())),
                            ("signer", Json::display(signed.from())),
                        ])
                    })
                    .collect(),
            ),
        ),
    ])
}
