//! One payload on its way: looked for, written down, sent, waited for, and sent again if the chain forgets it.
//!
//! Whether a transaction is sent or mined is decided by looking up our own hash, never by the wording of an error: "already
//! known", "already imported" and "nonce too low" are all one lookup. The bytes never change, so that doing anything again
//! is harmless.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use coldbridge::{Code, Refusal};

use crate::announced::{self, NO_REQUEST, disagree};
use crate::answer::{Receipt, Status, Transaction as Told};
use crate::journal::{Change, Run};
use crate::output::print_line;
use crate::payload::{Inclusion, Payload};
use crate::progress::Line;
use crate::quorum::Quorum;
use crate::receipt::{self, Details};
use crate::rpc::Answer;
use crate::state::State;
use crate::wording::Meaning;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// So many looks in a row, with growing pauses between them (7 seconds together), must find the same before it counts: that
/// the nonce was used by another, or that our transaction is not there any more. Nodes lag.
const LOOKS_THAT_COUNT: u32 = 6;
/// So often the same bytes are handed over in one run.
const MOST_SENDS: u32 = 5;
/// Nodes may be so long of different opinion before it is told.
const QUARREL: Duration = Duration::from_secs(60);

/// How long and how deep.
#[derive(Clone, Copy)]
pub struct Terms {
    /// For a payload to be mined.
    pub timeout: Duration,
    /// Blocks that count as mined, its own included.
    pub confirmations: u64,
}

/// One payload on its way.
pub struct Delivery<'a> {
    pub payload: &'a Payload<'a>,
    pub run: &'a Run,
    pub quorum: &'a Quorum,
    pub terms: Terms,
    pub line: &'a Line,
    /// Set when the whole run is to end.
    pub stop: &'a AtomicBool,
    /// Where it was last seen mined.
    pub inclusion: Cell<Option<Inclusion>>,
}

/// What one look at the chain showed.
enum Sight {
    /// Our transaction in a block.
    Mined(Box<Receipt>),
    /// Known, but not all of it yet.
    Waiting,
    /// Our hash is unknown.
    Unknown(Nonce),
}

/// Whether a nonce is used by something in a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nonce {
    Used,
    Free,
    NotAsked,
}

/// What is asked in a look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    Hash,
    HashAndNonce,
}

/// Why a look showed nothing.
enum Trouble {
    /// What was told can not be: it is not asked again.
    Lie(Refusal),
    /// It may be asked again.
    Read(Refusal),
}

/// What came of handing the bytes over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handed {
    /// A node has them, or says so.
    Taken,
    /// Refused, and the nonce is used: it may be ours, or another's.
    NonceUsed,
}

impl Delivery<'_> {
    /// Goes on until it is mined, or can not be, or the time is over.
    pub fn deliver(&self) -> Result<(), Refusal> {
        if self.payload.is_new && self.payload.state == State::Recorded {
            self.report(State::Recorded, &Details::default())?;
        }
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let (mut looks_used, mut looks_free, mut sends) = (0, 0, 0);
        let (mut was_known, mut is_told) = (false, false);
        let mut quarrel: Option<Instant> = None;
        // Of a new payload the hash is enough: its sending shows the rest.
        let mut question = if self.inclusion.get().is_none() { Question::Hash } else { Question::HashAndNonce };
        loop {
            let is_late = started.elapsed() >= self.terms.timeout;
            let sight = self.look(question);
            if sight.is_ok() {
                quarrel = None;
            }
            match sight {
                Ok(Sight::Mined(receipt)) => {
                    (looks_used, looks_free, was_known) = (0, 0, true);
                    let seen = Inclusion { number: receipt.block_number, hash: Some(receipt.block_hash) };
                    if !is_told || self.inclusion.get() != Some(seen) {
                        self.mined(&receipt)?;
                        self.inclusion.set(Some(seen));
                        is_told = true;
                    }
                    match self.is_deep_enough(receipt.block_number) {
                        Ok(true) => return self.finished(&receipt),
                        Err(refusal) if is_late => return Err(refusal),
                        _ => {}
                    }
                }
                Ok(Sight::Waiting) => (looks_used, looks_free, was_known) = (0, 0, true),
                Ok(Sight::Unknown(Nonce::Used)) => {
                    (looks_used, looks_free) = (looks_used + 1, 0);
                    if looks_used >= LOOKS_THAT_COUNT {
                        return Err(self.lost()?);
                    }
                }
                Ok(Sight::Unknown(_)) => {
                    (looks_used, looks_free) = (0, looks_free + 1);
                    // After the first time it must be missing for a while: nodes lag behind themselves.
                    let is_missing = (sends == 0 && !was_known) || looks_free >= LOOKS_THAT_COUNT;
                    if is_missing && sends < MOST_SENDS {
                        sends += 1;
                        let handed = self.send()?;
                        (looks_free, pause, is_told) = (0, FIRST_PAUSE, false);
                        if handed == Handed::Taken {
                            // Many chains have it in a block at once.
                            question = Question::Hash;
                            continue;
                        }
                    }
                }
                Err(Trouble::Lie(refusal)) => return Err(refusal),
                Err(Trouble::Read(refusal)) => {
                    let is_quarrel = refusal.code() == Code::RELAY_DISAGREE;
                    let since = *quarrel.get_or_insert_with(Instant::now);
                    let is_enough = is_late || (is_quarrel && since.elapsed() >= QUARREL);
                    if is_enough || (sends == 0 && !was_known && !is_quarrel) {
                        return Err(refusal);
                    }
                }
            }
            if is_late {
                return Err(self.late(was_known, looks_free > 0)?);
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            question = Question::HashAndNonce;
            self.line.tick();
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One look at the chain. If the nonce is asked for, it is asked for first: if it is used by then and our hash is still
    /// unknown after that, another transaction may have used it. One such look proves nothing.
    fn look(&self, question: Question) -> Result<Sight, Trouble> {
        let hash = self.payload.hash;
        let nonce = match question {
            Question::Hash => Nonce::NotAsked,
            Question::HashAndNonce
                if self.quorum.mined_nonces(self.payload.from).map_err(Trouble::Read)? > self.payload.nonce() =>
            {
                Nonce::Used
            }
            Question::HashAndNonce => Nonce::Free,
        };
        let told = self.quorum.transaction(hash).map_err(Trouble::Read)?;
        if let Some(told) = &told {
            self.judge(told).map_err(Trouble::Lie)?;
        } else if nonce == Nonce::NotAsked {
            return Ok(Sight::Unknown(nonce));
        }
        let receipt = self.quorum.receipt(hash).map_err(Trouble::Read)?;
        Ok(match (receipt, told) {
            // Both must have arrived: a node behind a balancer may know one before the other.
            (Some(receipt), Some(_)) => {
                if receipt.hash != hash || receipt.from != self.payload.from {
                    let problem = format!("{} gives another transaction's receipt for {hash}", self.quorum.hosts());
                    return Err(Trouble::Lie(disagree(problem)));
                }
                Sight::Mined(Box::new(receipt))
            }
            (None, None) => Sight::Unknown(nonce),
            _ => Sight::Waiting,
        })
    }

    /// What the node tells of our transaction must be what was signed.
    fn judge(&self, told: &Told) -> Result<(), Refusal> {
        let (hash, ours) = (self.payload.hash, &self.payload.transaction);
        let value = format!("{:x}", ours.value().get());
        let same = told.hash == hash
            && told.from == self.payload.from
            && told.to == ours.to()
            && told.nonce == ours.nonce()
            && told.value == value.trim_start_matches('0')
            && told.input == ours.data();
        if same {
            return Ok(());
        }
        Err(disagree(format!("{} tells {hash} with other fields than were signed", self.quorum.hosts())))
    }

    /// Hands the bytes over: written down before, and again when a node has them.
    fn send(&self) -> Result<Handed, Refusal> {
        let hash = self.payload.hash;
        let forgotten = match self.inclusion.get() {
            None => None,
            Some(Inclusion { number, hash: known }) => {
                if known.is_some() && self.quorum.block_hash(number)? == known {
                    let hosts = self.quorum.hosts();
                    return Err(disagree(format!(
                        "{hosts} has block {number}, in which {hash} was mined, and not {hash}"
                    )));
                }
                Some(format!(
                    "block {number}, in which it was mined, is not on the chain any more: the same bytes are sent again"
                ))
            }
        };
        self.inclusion.set(None);
        self.advance(State::Sending, &Details::default())?;
        self.line.says(&format!("sending {hash}"));
        let (mut refused, mut failed) = (None, None);
        for (endpoint, answer) in self.quorum.send(&self.payload.raw) {
            match answer {
                Ok(Answer::Result(answer))
                    if answer.as_str().is_some_and(|text| text.eq_ignore_ascii_case(&hash.to_string())) =>
                {
                    self.report(State::Sent, &Details { message: forgotten.as_deref(), ..Details::default() })?;
                    return Ok(Handed::Taken);
                }
                Ok(Answer::Result(answer)) => {
                    let garbage = endpoint.garbage("eth_sendRawTransaction", &answer);
                    failed = Some(garbage.values(hash, endpoint.shown(&answer)));
                }
                Ok(Answer::Error(error)) => refused = Some((endpoint.host(), error.message)),
                // It may have arrived: the same bytes again do no harm.
                Err(lost) => failed = failed.or_else(|| Some(endpoint.unreachable("eth_sendRawTransaction", &lost))),
            }
        }
        // What the node knows counts, not what it says: "nonce too low" may be our own transaction, mined.
        let message = refused.as_ref().map(|(_, message)| message.as_str());
        let meaning = message.map(Meaning::of);
        let sight = match self.look(Question::HashAndNonce) {
            Err(Trouble::Lie(refusal)) => return Err(refusal),
            Err(Trouble::Read(refusal)) => return Err(failed.unwrap_or(refusal)),
            Ok(sight) => sight,
        };
        match (sight, meaning, refused.as_ref(), failed) {
            (Sight::Mined(_) | Sight::Waiting, ..) | (_, Some(Meaning::Known), ..) => {
                self.report(State::Sent, &Details { message, ..Details::default() })?;
                Ok(Handed::Taken)
            }
            (Sight::Unknown(Nonce::Used), Some(_), ..) => Ok(Handed::NonceUsed),
            (Sight::Unknown(_), Some(Meaning::Refused(reason)), Some((host, message)), _) => {
                self.report(reason.state(), &Details { message: Some(message), ..Details::default() })?;
                let code = match reason.state() {
                    State::InsufficientFunds => Code::RELAY_INSUFFICIENT_FUNDS,
                    State::Underpriced => Code::RELAY_UNDERPRICED,
                    _ => Code::RELAY_REJECTED,
                };
                Err(Refusal::new(code, "", format!("{host} did not take {hash}: {message}"), reason.remedy()))
            }
            (.., failed) => Err(failed.unwrap_or_else(|| crate::output::bug("no node was asked"))),
        }
    }

    /// Says that it is in a block.
    fn mined(&self, receipt: &Receipt) -> Result<(), Refusal> {
        if receipt.status == Status::Reverted {
            return self.report(State::Reverted, &Details { receipt: Some(receipt), ..Details::default() });
        }
        let request = announced::request(self.payload, receipt)?;
        let message = (request.is_none() && announced::announces(self.payload)).then_some(NO_REQUEST);
        if let Some(message) = message {
            self.line.note(message);
        }
        let l2_hash = request.map(|request| request.hash.to_string());
        let details = Details { receipt: Some(receipt), l2_hash: l2_hash.as_deref(), message };
        self.report(State::Included, &details)
    }

    fn is_deep_enough(&self, block: u64) -> Result<bool, Refusal> {
        if self.terms.confirmations <= 1 {
            return Ok(true);
        }
        let depth = self.quorum.head()?.checked_sub(block).map_or(0, |above| above.saturating_add(1));
        Ok(depth >= self.terms.confirmations)
    }

    fn finished(&self, receipt: &Receipt) -> Result<(), Refusal> {
        if receipt.status == Status::Reverted {
            return Err(Refusal::new(
                Code::RELAY_REVERTED,
                "",
                format!(
                    "{} was mined in block {} and reverted: only the fee was paid",
                    self.payload.hash, receipt.block_number
                ),
                "look the transaction up for the contract's error, correct the request and sign again",
            ));
        }
        if self.terms.confirmations > 1 {
            let l2_hash = announced::request(self.payload, receipt)?.map(|request| request.hash.to_string());
            let details = Details { receipt: Some(receipt), l2_hash: l2_hash.as_deref(), message: None };
            self.report(State::Confirmed, &details)?;
        }
        Ok(())
    }

    /// Our hash is unknown and the nonce is used.
    fn lost(&self) -> Result<Refusal, Refusal> {
        let (hash, hosts) = (self.payload.hash, self.quorum.hosts());
        if let Some(Inclusion { number, hash: known }) = self.inclusion.get() {
            // If its block is another one now, the chain has changed its mind; if not, the node contradicts itself.
            let now = self.quorum.block_hash(number)?;
            if now.is_none() || now == known || known.is_none() {
                return Ok(disagree(format!(
                    "the journal saw {hash} mined in block {number}, {hosts} does not know it, and its nonce is used"
                )));
            }
        }
        // Whoever takes it for lost signs again: one node that knows it is enough for a doubt.
        let knowing = self.quorum.knowing(hash);
        if !knowing.is_empty() {
            return Ok(disagree(format!(
                "the nonce of {hash} is used, and {} knows it, while as many nodes as must agree do not",
                knowing.join(", ")
            )));
        }
        self.report(State::Replaced, &Details::default())?;
        let problem = format!(
            "nonce {} of {} was used by another transaction: {hash} can never be mined",
            self.payload.nonce(),
            self.payload.from
        );
        let remedy = "find out what used the nonce before anything is signed again";
        Ok(Refusal::new(Code::RELAY_REPLACED, "", problem, remedy))
    }

    /// The time is over.
    fn late(&self, was_known: bool, is_gone: bool) -> Result<Refusal, Refusal> {
        let (hash, seconds) = (self.payload.hash, self.terms.timeout.as_secs());
        if let Some(inclusion) = self.inclusion.get() {
            return Ok(Refusal::new(
                Code::RELAY_PENDING,
                "",
                format!(
                    "{hash} is in block {}, which did not get {} confirmations within {seconds} seconds",
                    inclusion.number, self.terms.confirmations
                ),
                "run the same command again to go on waiting (--timeout SECONDS)",
            ));
        }
        if was_known && is_gone {
            self.report(State::Dropped, &Details::default())?;
            return Ok(Refusal::new(
                Code::RELAY_DROPPED,
                "",
                format!("{} knew {hash} and forgot it, each time that it was sent", self.quorum.hosts()),
                "look at its gas limit, fees and the account's funds; run the same command again to send the same bytes, or sign \
                 the request again with higher fees and the same nonce",
            ));
        }
        self.report(State::Pending, &Details::default())?;
        // Waiting does not help where an earlier nonce is missing.
        let next = self.quorum.mined_nonces(self.payload.from).ok().filter(|next| *next < self.payload.nonce());
        let (why, remedy) = match next {
            Some(next) => (
                format!(": its nonce is {}, and {next} is not mined yet", self.payload.nonce()),
                "find out what has the earlier nonces and whether it was broadcast; then run the same command again",
            ),
            None => (String::new(), "run the same command again to go on waiting (--timeout SECONDS)"),
        };
        Ok(Refusal::new(Code::RELAY_PENDING, "", format!("{hash} was not mined within {seconds} seconds{why}"), remedy))
    }

    fn advance(&self, state: State, details: &Details<'_>) -> Result<(), Refusal> {
        let seen =
            details.receipt.map(|receipt| Inclusion { number: receipt.block_number, hash: Some(receipt.block_hash) });
        let change = Change {
            state,
            inclusion: seen,
            l2_hash: details.l2_hash.map(str::to_owned),
            message: details.message.map(coldbridge::refusal::printable),
        };
        self.run.advance(self.payload.signing_digest.to_string(), change)
    }

    /// Writes a state down, then says it.
    fn report(&self, state: State, details: &Details<'_>) -> Result<(), Refusal> {
        if state != State::Recorded {
            self.advance(state, details)?;
        }
        self.line.says(&format!("{} {}", state.name(), self.payload.hash));
        let document = receipt::document(self.payload, state, details);
        self.line.suspend(|| print_line(&document))
    }
}
