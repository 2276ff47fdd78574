//! The guard: what was signed before decides what may be signed now.
//!
//! A nonce carries one payload, an intent is paid once. The rules, all of them:
//! 1. The same digest for the same nonce again is fine: whoever has one payload of it has them all.
//! 2. Another digest for a used nonce is refused (`guard.nonce_used`), unless it is a declared replacement that is allowed.
//! 3. An intent's payment is the last transaction of its plan. Another payment of a used intent id is refused
//!    (`guard.intent_used`), unless it stands at the very nonce of every payment before it: of these the chain takes one.
//!    An intent is free again when its payments are retired: declared dead, with a reason.
//! 4. Below a watermark an unknown nonce is refused (`guard.nonce_below`). A watermark is set by hand after a loss. Without
//!    one a nonce that was skipped may be used later: the guard forgets nothing, so nothing was signed with it.
//!
//! Nothing is ever taken out: there are records of what was signed, of what was retired and of watermarks, and each of them
//! means the same whatever stands before it.

mod log;

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::hash::Digest;
use crate::refusal::{Code, Refusal};

pub use log::{Log, SCHEMA, Tail};

/// A nonce of an account on a chain: the chain takes one transaction for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The account.
    pub from: Address,
    /// The chain.
    pub chain_id: u64,
    /// The nonce.
    pub nonce: u64,
}

/// One transaction that is or was to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The nonce that it uses.
    pub slot: Slot,
    /// The operation that it belongs to.
    pub purpose: String,
    /// What is signed.
    pub digest: Digest,
}

/// All transactions of a plan: they are reserved together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    intent_id: Option<String>,
    before: Vec<Entry>,
    payment: Entry,
}

impl Reservation {
    /// A plan's transactions in nonce order; none if there are no transactions. The last one is the payment.
    pub fn new(intent_id: Option<String>, mut entries: Vec<Entry>) -> Option<Self> {
        let payment = entries.pop()?;
        Some(Self { intent_id, before: entries, payment })
    }

    /// The owner's name for the intent.
    pub fn intent_id(&self) -> Option<&str> {
        self.intent_id.as_deref()
    }

    /// Its transactions in nonce order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.before.iter().chain([&self.payment])
    }
}

/// What a guard remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// These were reserved, and may have been signed.
    Signed(Reservation),
    /// Payments of an intent that can not happen any more.
    Retired {
        /// The intent.
        intent_id: String,
        /// Why they can not, in the owner's words.
        because: String,
        /// What was signed for them.
        digests: Vec<Digest>,
    },
    /// Below this nonce everything counts as used.
    Watermark(Slot),
}

/// Whether other transactions may take the place of signed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// Nobody said that this is one.
    Undeclared,
    /// It is declared, and the policy does not allow it.
    Forbidden,
    /// It is declared and allowed.
    Allowed,
}

/// What a guard says to a plan that it lets pass.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is recorded already: these payloads are out.
    Known,
    /// It must be recorded before it is signed. What it takes the place of is listed.
    New {
        /// What was signed before for the same nonces.
        replaces: Vec<Entry>,
    },
}

/// Everything that is remembered, ready for a decision.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    records: Vec<Record>,
    slots: BTreeMap<Slot, Vec<Entry>>,
    payments: BTreeMap<String, Vec<Entry>>,
    retired: BTreeSet<(String, Digest)>,
    watermarks: BTreeMap<(Address, u64), u64>,
}

impl Guard {
    /// The records in the order in which they were made.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Remembers.
    pub fn remember(&mut self, record: Record) {
        match &record {
            Record::Signed(reservation) => {
                for entry in reservation.entries() {
                    push_new(self.slots.entry(entry.slot).or_default(), entry);
                }
                if let Some(id) = &reservation.intent_id {
                    push_new(self.payments.entry(id.clone()).or_default(), &reservation.payment);
                }
            }
            Record::Retired { intent_id, digests, .. } => {
                self.retired.extend(digests.iter().map(|digest| (intent_id.clone(), *digest)));
            }
            Record::Watermark(Slot { from, chain_id, nonce }) => {
                let watermark = self.watermarks.entry((*from, *chain_id)).or_default();
                *watermark = (*watermark).max(*nonce);
            }
        }
        self.records.push(record);
    }

    /// Decides about a plan.
    ///
    /// # Errors
    /// `guard.nonce_used`, `guard.nonce_below` and `guard.intent_used`.
    pub fn decide(&self, plan: &Reservation, replacement: Replacement) -> Result<Verdict, Refusal> {
        let mut replaces = Vec::new();
        for entry in plan.entries() {
            let before = self.signed_for(entry.slot);
            if before.iter().any(|known| known.digest == entry.digest) {
                continue;
            }
            if let Some(first) = before.first() {
                if replacement != Replacement::Allowed {
                    return Err(nonce_used(entry, first, replacement));
                }
                replaces.extend(before.iter().cloned());
            } else {
                self.judge_watermark(entry)?;
            }
        }
        let Some(id) = &plan.intent_id else {
            let is_known = plan.entries().all(|entry| self.knows(entry));
            return Ok(if is_known { Verdict::Known } else { Verdict::New { replaces } });
        };
        let payments = self.payments_of(id);
        let is_paid = payments.iter().any(|known| known.is_same(&plan.payment));
        if !is_paid && let Some(other) = self.live(id).find(|known| known.slot != plan.payment.slot) {
            return Err(intent_used(id, &plan.payment, other));
        }
        let is_known = is_paid && plan.entries().all(|entry| self.knows(entry));
        Ok(if is_known { Verdict::Known } else { Verdict::New { replaces } })
    }

    /// Declares an intent's payments dead, so that it may be paid again.
    ///
    /// # Errors
    /// `guard.intent_unknown` if there is nothing to retire.
    pub fn retire(&self, intent_id: &str, because: &str) -> Result<Record, Refusal> {
        let digests: Vec<Digest> = self.live(intent_id).map(|entry| entry.digest).collect();
        if digests.is_empty() {
            return Err(Refusal::new(
                Code::GUARD_INTENT_UNKNOWN,
                "",
                format!("the guard knows no payment of \"{intent_id}\" that is not retired"),
                "check the intent's id (coldbridge guard show) and which guard this is",
            ));
        }
        Ok(Record::Retired { intent_id: intent_id.to_owned(), because: because.to_owned(), digests })
    }

    /// What is missing here and remembered elsewhere.
    ///
    /// # Errors
    /// `guard.conflict` where both signed and neither knows what the other did.
    pub fn missing(&self, other: &Self) -> Result<Vec<Record>, Refusal> {
        for (slot, theirs) in &other.slots {
            let ours = self.signed_for(*slot);
            if let Some((ours, theirs)) = diverging(ours, theirs) {
                return Err(conflict(
                    &format!("nonce {} of {} on chain {}", slot.nonce, slot.from, slot.chain_id),
                    ours,
                    theirs,
                ));
            }
        }
        let is_live = |id: &String, entry: &Entry| {
            let row = (id.clone(), entry.digest);
            !self.retired.contains(&row) && !other.retired.contains(&row)
        };
        for (id, theirs) in &other.payments {
            let ours: Vec<Entry> = self.payments_of(id).iter().filter(|entry| is_live(id, entry)).cloned().collect();
            let theirs: Vec<Entry> = theirs.iter().filter(|entry| is_live(id, entry)).cloned().collect();
            if let Some((ours, theirs)) = diverging(&ours, &theirs).filter(|(ours, theirs)| ours.slot != theirs.slot) {
                return Err(conflict(&format!("intent \"{id}\""), ours, theirs));
            }
        }
        Ok(other.records.iter().filter(|record| !self.records.contains(record)).cloned().collect())
    }

    /// The nonce from which on an account's nonces are judged by the records alone.
    pub fn watermark(&self, from: Address, chain_id: u64) -> u64 {
        self.watermarks.get(&(from, chain_id)).copied().unwrap_or(0)
    }

    /// What was signed, by nonce.
    pub fn slots(&self) -> impl Iterator<Item = (&Slot, &[Entry])> {
        self.slots.iter().map(|(slot, entries)| (slot, entries.as_slice()))
    }

    fn signed_for(&self, slot: Slot) -> &[Entry] {
        self.slots.get(&slot).map(Vec::as_slice).unwrap_or_default()
    }

    fn payments_of(&self, intent_id: &str) -> &[Entry] {
        self.payments.get(intent_id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The payments of an intent that may still happen.
    fn live<'a>(&'a self, intent_id: &'a str) -> impl Iterator<Item = &'a Entry> {
        let is_live = move |entry: &&Entry| !self.retired.contains(&(intent_id.to_owned(), entry.digest));
        self.payments_of(intent_id).iter().filter(is_live)
    }

    fn knows(&self, entry: &Entry) -> bool {
        self.signed_for(entry.slot).iter().any(|known| known.is_same(entry))
    }

    fn judge_watermark(&self, entry: &Entry) -> Result<(), Refusal> {
        let Slot { from, chain_id, nonce } = entry.slot;
        let watermark = self.watermark(from, chain_id);
        if nonce >= watermark {
            return Ok(());
        }
        Err(Refusal::new(
            Code::GUARD_NONCE_BELOW,
            "/facts/transaction/nonce",
            format!("nonce {nonce} of {from} on chain {chain_id} is below the watermark {watermark}, and unknown"),
            "read the nonce again; what was signed before the guard was repaired can be imported (coldbridge guard import)",
        )
        .values(format!("at least {watermark}"), nonce))
    }
}

impl Entry {
    fn is_same(&self, other: &Self) -> bool {
        self.slot == other.slot && self.digest == other.digest
    }
}

fn push_new(known: &mut Vec<Entry>, entry: &Entry) {
    if !known.iter().any(|known| known.is_same(entry)) {
        known.push(entry.clone());
    }
}

/// One of each that the other side does not have. If one side has all that the other has, it is the same story told longer.
fn diverging<'a>(ours: &'a [Entry], theirs: &'a [Entry]) -> Option<(&'a Entry, &'a Entry)> {
    let only = |these: &'a [Entry], those: &[Entry]| {
        these.iter().find(|entry| !those.iter().any(|known| known.is_same(entry)))
    };
    Some((only(ours, theirs)?, only(theirs, ours)?))
}

fn nonce_used(entry: &Entry, before: &Entry, replacement: Replacement) -> Refusal {
    let Slot { from, chain_id, nonce } = entry.slot;
    let remedy = match replacement {
        Replacement::Forbidden => "the policy does not allow a replacement; read the nonce again for another payment",
        _ => {
            "read the nonce again (eth_getTransactionCount, pending); if this is to take the place of what was signed \
             before, and of nothing else, say so with --replace"
        }
    };
    Refusal::new(
        Code::GUARD_NONCE_USED,
        "/facts/transaction/nonce",
        format!(
            "nonce {nonce} of {from} on chain {chain_id} was signed before: {} with digest {}",
            before.purpose, before.digest
        ),
        remedy,
    )
    .values(before.digest, entry.digest)
}

fn intent_used(id: &str, payment: &Entry, before: &Entry) -> Refusal {
    Refusal::new(
        Code::GUARD_INTENT_USED,
        "/intent/id",
        format!(
            "\"{id}\" was signed before with nonce {} on chain {}, digest {}: both could be mined, and it would be paid twice",
            before.slot.nonce, before.slot.chain_id, before.digest
        ),
        "broadcast what was signed, or replace it at its own nonce; if it can never be mined, say why: \
         coldbridge guard retire ID --because TEXT",
    )
    .values(before.digest, payment.digest)
}

fn conflict(what: &str, ours: &Entry, theirs: &Entry) -> Refusal {
    Refusal::new(
        Code::GUARD_CONFLICT,
        "",
        format!(
            "two machines signed for {what}, and neither knew of the other: {} here, {} there",
            ours.digest, theirs.digest
        ),
        "find out which of them was mined; then set a watermark above both nonces (coldbridge guard repair)",
    )
    .values(ours.digest, theirs.digest)
}
