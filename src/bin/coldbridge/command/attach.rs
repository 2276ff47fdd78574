//! `digest` and `attach`: what an external signer needs goes out, what it made comes in and is proved before it leaves.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use coldbridge::external::Form;
use coldbridge::json::Cursor;
use coldbridge::refusal::printable;
use coldbridge::{Code, Document, External, Json, Networks, Refusal, Unsigned, digest, json};

use super::document::{each, line};
use super::{Outcome, spelling};
use crate::cli::{AttachArgs, DocumentArgs, Only, OutputArgs, PolicyArgs};
use crate::guard_file::Place;
use crate::hardening::Filter;
use crate::output::Errors;
use crate::policy_file::Rules;

/// What signers write is short; a batch of them is not read beyond this.
const MAX_SIGNATURES: u64 = 16 * 1024 * 1024;

pub fn digest(
    arguments: &DocumentArgs,
    only: Option<Only>,
    policy: &PolicyArgs,
    output: &OutputArgs,
    networks: &Networks,
) -> Result<Outcome, Refusal> {
    let spelling = spelling(arguments);
    let mut rules = Rules::named(policy)?;
    each(&arguments.document, output, |bytes| {
        let unsigned = Document::read(&json::parse(bytes)?, networks, spelling)?.plan()?;
        rules.judge(&unsigned)?;
        let document = digest::digests(&unsigned)?;
        let Some(only) = only else { return Ok(line(&document)) };
        let member = match only {
            Only::Digests => "signingDigest",
            Only::Unsigned => "unsigned",
            Only::TypedData => "typedData",
        };
        let Some(Json::Array(transactions)) = document.get("transactions") else { return Ok(String::new()) };
        let lines = transactions.iter().enumerate().map(|(index, transaction)| match transaction.get(member) {
            Some(Json::Text(text)) => Ok(format!("{text}\n")),
            Some(other) => Ok(line(other)),
            None => Err(Refusal::new(
                Code::ENVELOPE_UNSUPPORTED,
                format!("/transactions/{index}"),
                "only a transaction of type 0x71 is typed data",
                "sign its digest, or send it as \"eip712\" where the chain takes that",
            )),
        });
        lines.collect()
    })
}

/// Every check comes before the guard writes the payload down, and that before it leaves.
pub fn attach(
    arguments: &AttachArgs,
    output: &OutputArgs,
    errors: Errors,
    filter: Filter,
    networks: &Networks,
) -> Result<Outcome, Refusal> {
    let (document, given) = arguments.parts()?;
    let mut rules = Rules::named(&arguments.policy)?;
    rules.judge_airgap(filter)?;
    let mut guard = Place::named(&arguments.guard, None, errors)?;
    rules.judge_guard(&guard)?;
    let by_digest = match &arguments.signatures {
        Some(path) => Some(ByDigest::read(path)?),
        None => None,
    };
    let mut signatures = Vec::new();
    for text in given {
        signatures.extend(read(text, arguments.format)?);
    }
    let spelling = arguments.spelling();
    let mut attach_under = |rules: &mut Rules, bytes: &[u8]| {
        let unsigned = Document::read(&json::parse(bytes)?, networks, spelling)?.plan()?;
        rules.judge(&unsigned)?;
        let replacement = rules.replacement(&arguments.guard, &unsigned);
        let by_digest = by_digest.as_ref().map(|by_digest| by_digest.of(&unsigned)).transpose()?;
        let ready = unsigned.ready()?.under(rules.hash());
        let reservation = ready.reservation()?;
        let released = ready.attach(by_digest.as_ref().unwrap_or(&signatures))?;
        guard.reserve(&reservation, replacement, errors)?;
        Ok(format!("{}\n", released.text()))
    };
    each(document, output, |bytes| {
        let used = rules.used();
        attach_under(&mut rules, bytes).inspect_err(|_| rules.take_back(used))
    })
}

/// A signature of the command line: hex digits, or a file of hex lines or of the bytes themselves.
fn read(text: &str, form: Form) -> Result<Vec<External>, Refusal> {
    let is_hex = !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.starts_with("0x") || is_hex {
        return Ok(vec![hex_signature(text, form)?]);
    }
    let bytes = read_file(Path::new(text.strip_prefix('@').unwrap_or(text)))?;
    let lines =
        std::str::from_utf8(&bytes).ok().map(|text| text.lines().map(str::trim).filter(|line| !line.is_empty()));
    let hex_lines =
        lines.and_then(|lines| lines.map(|line| hex_signature(line, form).ok()).collect::<Option<Vec<_>>>());
    Ok(hex_lines.unwrap_or_else(|| vec![External::new(bytes, form)]))
}

fn hex_signature(text: &str, form: Form) -> Result<External, Refusal> {
    let digits = if text.starts_with("0x") { text.to_owned() } else { format!("0x{text}") };
    Ok(External::new(Cursor::root(&Json::text(digits)).bytes()?, form))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let unreadable = |problem: String| {
        Refusal::new(
            Code::IO_READ,
            "",
            format!("{} can not be read as a signature: {problem}", printable(&path.to_string_lossy())),
            "write a signature as hex digits, or name a file that holds it; - is standard input",
        )
    };
    let source: Box<dyn std::io::Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| unreadable(error.to_string()))?)
    };
    source.take(MAX_SIGNATURES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_SIGNATURES {
        return Err(unreadable(format!("it is larger than {MAX_SIGNATURES} bytes")));
    }
    Ok(bytes)
}

/// Signatures of many documents, each with the digest that it is for.
struct ByDigest {
    rows: Vec<(String, External)>,
}

impl ByDigest {
    /// Reads JSON Lines of `{"signingDigest","signature"}`.
    fn read(path: &Path) -> Result<Self, Refusal> {
        let bytes = read_file(path)?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let rows = lines.map(|line| {
            let row = json::parse(line)?;
            let root = Cursor::root(&row);
            let members = root.members(&["signingDigest", "signature"], &["format"])?;
            let digest: [u8; 32] = members.required("signingDigest")?.fixed_bytes()?;
            let form = members.optional("format").map(|form| form.choice(Form::WORDS)).transpose()?;
            let signature = External::new(members.required("signature")?.bytes()?, form.unwrap_or(Form::Any));
            Ok((coldbridge::Digest(digest).to_string(), signature))
        });
        Ok(Self { rows: rows.collect::<Result<_, Refusal>>()? })
    }

    /// Those for a plan: for each transaction, and for each of its signers.
    fn of(&self, unsigned: &Unsigned) -> Result<Vec<External>, Refusal> {
        let signers = unsigned.signers()?;
        let mut found = Vec::new();
        for (index, planned) in unsigned.transactions().iter().enumerate() {
            let digest = planned.transaction.signing_digest();
            let at = format!("/transactions/{index}");
            let name = digest.to_string();
            let here: Vec<&External> = self.rows.iter().filter(|(known, _)| *known == name).map(|(_, s)| s).collect();
            match &signers {
                Some(signers) if here.len() > 1 => {
                    for signer in signers {
                        let own = here.iter().find(|one| one.resolve(&digest, *signer, &at).is_ok());
                        found.extend(own.or(here.first()).map(|one| (*one).clone()));
                    }
                }
                _ => found.extend(here.first().map(|one| (*one).clone())),
            }
        }
        Ok(found)
    }
}
