//! The guard as text: JSON Lines that are only ever added to.
//!
//! The first line names the format. Every line ends with `chain`, the Keccak-256 of the `chain` of the line before (nothing
//! before the first) and its own text without that member: a line that was changed, taken out, put in or moved does not fit.
//! Lines that are missing at the end can not be noticed.
//!
//! A line is released only when it is whole and on the disk. So a beginning of a line at the end of the file, which a crash
//! leaves, was followed by no signature and may be cut off; anything else that does not fit is refused.

use crate::address::Spelling;
use crate::guard::{Entry, Guard, Record, Reservation, Slot};
use crate::hash::{Digest, keccak256_concat};
use crate::json::{self, Cursor, Json};
use crate::refusal::{Code, Refusal};

/// The document's name and version.
pub const SCHEMA: &str = "coldbridge/guard/1";

/// A guard that has been read so far.
#[derive(Debug, Default)]
pub struct Log {
    guard: Guard,
    head: Option<Digest>,
    lines: usize,
}

/// What stands behind the last line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    None,
    /// A whole line whose end is missing: it counts.
    Unended,
    /// The beginning of a line: it was never released.
    Torn,
}

impl Log {
    /// What it says.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Reads all whole lines and gives their length in bytes.
    ///
    /// # Errors
    /// `guard.corrupt` at the first line that does not fit.
    pub fn read(&mut self, text: &[u8]) -> Result<usize, Refusal> {
        let mut length = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let Some(body) = line.strip_suffix(b"\n") else { break };
            self.take(body)?;
            length += line.len();
        }
        Ok(length)
    }

    /// Judges what stands behind the last line end, and takes it in if it is whole.
    ///
    /// # Errors
    /// `guard.corrupt` if it is not the beginning of a line.
    pub fn end(&mut self, tail: &[u8]) -> Result<Tail, Refusal> {
        // Where the power went, a file system may have made room for a line and not written it: zeros.
        let written = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let (text, zeros) = tail.split_at(written);
        if text.is_empty() {
            return Ok(if zeros.is_empty() { Tail::None } else { Tail::Torn });
        }
        let first = Self::first_line();
        let is_beginning = match (self.head, serde_json::from_slice::<serde::de::IgnoredAny>(text)) {
            // Of the first line every byte is known: another file is never cut off.
            (None, Err(_)) => first.as_bytes().starts_with(text),
            (Some(_), Err(error)) => error.is_eof() && (text == b"{" || text.starts_with(b"{\"")),
            (_, Ok(_)) if zeros.is_empty() => return self.take(text).map(|()| Tail::Unended),
            (_, Ok(_)) => false,
        };
        if is_beginning {
            Ok(Tail::Torn)
        } else {
            Err(self.corrupt("what follows the last line is no beginning of a line"))
        }
    }

    /// The lines to be added for these records: all of them, or none, must reach the disk. The log remembers the records.
    pub fn add(&mut self, records: Vec<Record>) -> String {
        let mut text = String::new();
        if self.head.is_none() {
            text.push_str(&self.line(Self::first_members()));
        }
        for record in records {
            text.push_str(&self.line(members(&record)));
            self.guard.remember(record);
        }
        text
    }

    fn line(&mut self, members: Vec<(&'static str, Json)>) -> String {
        let (text, head) = chained(self.head, members);
        self.head = Some(head);
        self.lines += 1;
        text
    }

    fn first_members() -> Vec<(&'static str, Json)> {
        vec![("schema", Json::text(SCHEMA))]
    }

    fn first_line() -> String {
        chained(None, Self::first_members()).0
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let corrupt = |problem: &str| self.corrupt(problem);
        let (expected, record) = if self.head.is_none() {
            (Self::first_members(), None)
        } else {
            let json = json::parse(line).map_err(|refusal| corrupt(&refusal.problem()))?;
            let record = record(&json).map_err(|refusal| corrupt(&refusal.problem()))?;
            (members(&record), Some(record))
        };
        let (text, head) = chained(self.head, expected);
        if text.trim_end().as_bytes() != line {
            return Err(corrupt(match record {
                None => "it is not the first line of a guard",
                Some(_) => "it does not follow from the line before it, or was changed",
            }));
        }
        self.head = Some(head);
        self.lines += 1;
        if let Some(record) = record {
            self.guard.remember(record);
        }
        Ok(())
    }

    fn corrupt(&self, problem: &str) -> Refusal {
        Refusal::new(
            Code::GUARD_CORRUPT,
            "",
            format!("line {} of the guard: {problem}", self.lines + 1),
            "do not delete it: use a copy of it that fits, or set it aside and set watermarks in a new one \
             (coldbridge guard repair)",
        )
    }
}

/// A line with its end, and what the next one is chained to.
fn chained(head: Option<Digest>, mut members: Vec<(&'static str, Json)>) -> (String, Digest) {
    let before = head.map(|head| head.0);
    let body = Json::object(members.iter().cloned()).to_string();
    let head = Digest(keccak256_concat(&[before.as_ref().map_or(&[][..], |head| head), body.as_bytes()]));
    members.push(("chain", Json::display(head)));
    (format!("{}\n", Json::object(members)), head)
}

fn members(record: &Record) -> Vec<(&'static str, Json)> {
    let member = match record {
        Record::Signed(reservation) => {
            let transactions = reservation.entries().map(|entry| {
                Json::object([
                    ("from", Json::display(entry.slot.from)),
                    ("chainId", Json::count(entry.slot.chain_id)),
                    ("nonce", Json::count(entry.slot.nonce)),
                    ("purpose", Json::text(entry.purpose.as_str())),
                    ("signingDigest", Json::display(entry.digest)),
                ])
            });
            let members = [
                ("intentId", reservation.intent_id().map_or(Json::Null, Json::text)),
                ("transactions", Json::Array(transactions.collect())),
            ];
            ("signed", Json::object(members))
        }
        Record::Retired { intent_id, because, digests } => {
            let members = [
                ("intentId", Json::text(intent_id.as_str())),
                ("because", Json::text(because.as_str())),
                ("signingDigests", Json::Array(digests.iter().map(Json::display).collect())),
            ];
            ("retired", Json::object(members))
        }
        Record::Watermark(slot) => {
            let members = [
                ("from", Json::display(slot.from)),
                ("chainId", Json::count(slot.chain_id)),
                ("minNonce", Json::count(slot.nonce)),
            ];
            ("watermark", Json::object(members))
        }
    };
    vec![member]
}

fn record(json: &Json) -> Result<Record, Refusal> {
    let root = Cursor::root(json);
    let members = root.members(&["chain"], &["signed", "retired", "watermark"])?;
    let digest = |cursor: &Cursor<'_>| cursor.fixed_bytes().map(Digest);
    let slot = |cursor: &Cursor<'_>, nonce: &'static str, others: &[&str]| {
        let members = cursor.members(&[&["from", "chainId", nonce], others].concat(), &[])?;
        Ok(Slot {
            from: members.required("from")?.address(Spelling::Checksummed)?,
            chain_id: members.required("chainId")?.count(u64::MAX)?,
            nonce: members.required(nonce)?.count(u64::MAX)?,
        })
    };
    if let Some(signed) = members.optional("signed") {
        let members = signed.members(&["intentId", "transactions"], &[])?;
        let id = members.required("intentId")?;
        let id = if *id.value() == Json::Null { None } else { Some(id.label()?.to_owned()) };
        let list = members.required("transactions")?;
        let entries = list.items()?;
        let entries = entries.iter().map(|item| {
            let slot = slot(item, "nonce", &["purpose", "signingDigest"])?;
            let members = item.members(&["from", "chainId", "nonce", "purpose", "signingDigest"], &[])?;
            let purpose = members.required("purpose")?.label()?.to_owned();
            Ok(Entry { slot, purpose, digest: digest(&members.required("signingDigest")?)? })
        });
        let entries = entries.collect::<Result<Vec<Entry>, Refusal>>()?;
        return Reservation::new(id, entries).map(Record::Signed).ok_or_else(|| {
            list.refuse(Code::GUARD_CORRUPT, "a plan without a transaction", "a guard holds none like this")
        });
    }
    if let Some(retired) = members.optional("retired") {
        let members = retired.members(&["intentId", "because", "signingDigests"], &[])?;
        let list = members.required("signingDigests")?;
        return Ok(Record::Retired {
            intent_id: members.required("intentId")?.label()?.to_owned(),
            because: members.required("because")?.label()?.to_owned(),
            digests: list.items()?.iter().map(digest).collect::<Result<_, _>>()?,
        });
    }
    Ok(Record::Watermark(slot(&members.required("watermark")?, "minNonce", &[])?))
}
