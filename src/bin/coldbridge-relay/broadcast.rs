//! `broadcast`: every document proved, every endpoint's chain compared, everything written down; then the accounts at the
//! same time, each in the order of its nonces.
//!
//! Documents are read one by one into the journal and payloads out of it one by one, so that their number costs no memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coldbridge::refusal::printable;
use coldbridge::{Exit, Layer, Network, Networks, Refusal, Signed, json};

use crate::cli::BroadcastArgs;
use crate::delivery::{Delivery, Terms};
use crate::endpoints::Endpoints;
use crate::input::{Input, Shape, trimmed};
use crate::journal::{Account, Journal, Recording, Rivals, Run};
use crate::output::{Errors, print_note, print_refusal};
use crate::payload::Payload;
use crate::progress::Board;

/// Runs the command.
pub fn run(arguments: &BroadcastArgs, networks: &Networks, errors: Errors) -> Result<(), Refusal> {
    let endpoints = Endpoints::read(&arguments.endpoints, arguments.parallel, networks)?;
    let rivals = if arguments.replace { Rivals::Allowed } else { Rivals::Refused };
    let mut recording = None;
    let mut chains = BTreeMap::new();
    // Everything is read and proved before a socket is opened, and all of it is written down or nothing.
    let recorded = record(arguments, networks, rivals, &mut recording, &mut chains).and_then(|()| {
        // Each layer that is used must be there and serve the chain that the payloads are signed for.
        chains.values().try_for_each(|(network, layer)| endpoints.of(network, *layer).map(|_| ()))
    });
    let run = match (recorded, recording) {
        (Ok(()), Some(recording)) => recording.commit()?,
        (Ok(()), None) => return Ok(()),
        (Err(refusal), recording) => {
            if let Some(recording) = recording {
                recording.discard();
            }
            return Err(refusal);
        }
    };
    let terms = Terms { timeout: Duration::from_secs(arguments.timeout), confirmations: arguments.confirmations };
    let fleet = Fleet {
        board: Board::new(run.count()?),
        run,
        networks,
        endpoints,
        terms,
        errors,
        cursor: Mutex::new(Cursor::Start),
        failure: Mutex::new(None),
        stop: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.parallel {
            scope.spawn(|| fleet.work());
        }
    });
    let failure = fleet.failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failure.map_or(Ok(()), |(_, refusal)| Err(refusal))
}

/// The chains that the documents are for, by network and layer.
type Chains = BTreeMap<(String, &'static str), (Network, Layer)>;

fn record(
    arguments: &BroadcastArgs,
    networks: &Networks,
    rivals: Rivals,
    recording: &mut Option<Recording>,
    chains: &mut Chains,
) -> Result<(), Refusal> {
    let mut position = 0;
    for path in &arguments.documents {
        for_each_document(path, networks, |signed| {
            // The journal is opened when there is something to write.
            let recording = match recording {
                Some(recording) => recording,
                None => recording.insert(Journal::open(&arguments.journal)?.recording(rivals)?),
            };
            for transaction in signed.transactions() {
                let key = (signed.network().name.clone(), transaction.layer().name());
                chains.entry(key).or_insert_with(|| (signed.network().clone(), transaction.layer()));
                recording.record(position, signed, transaction)?;
            }
            position += 1;
            Ok(())
        })
        .inspect_err(|refusal| {
            if arguments.documents.len() > 1 && refusal.exit() != Exit::Io {
                print_note(&format!("in {}:", printable(&path.to_string_lossy())));
            }
        })?;
    }
    Ok(())
}

/// Reads and proves the documents of an input, one by one.
pub fn for_each_document(
    path: &Path,
    networks: &Networks,
    mut work: impl FnMut(&Signed) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut input = Input::open(path)?;
    let mut number: u64 = 0;
    while let Some(bytes) = input.next()? {
        number += 1;
        let read = trimmed(&bytes).and_then(json::parse).and_then(|document| Signed::read(&document, networks));
        if let Err(refusal) = read.and_then(|signed| work(&signed)) {
            // The document does not say where it stands; the journal's own trouble is not its.
            if refusal.exit() != Exit::Io && matches!(input.shape(), Ok(Shape::Lines)) {
                print_note(&format!("document {number} of {}:", printable(&path.to_string_lossy())));
            }
            return Err(refusal);
        }
    }
    Ok(())
}

/// Which account comes next.
enum Cursor {
    Start,
    After(Account),
    End,
}

/// The threads that deliver a run.
struct Fleet<'a> {
    run: Run,
    networks: &'a Networks,
    endpoints: Endpoints,
    terms: Terms,
    errors: Errors,
    board: Board,
    cursor: Mutex<Cursor>,
    /// The failure of the first document, in the order of the documents.
    failure: Mutex<Option<(u64, Refusal)>>,
    stop: AtomicBool,
}

impl Fleet<'_> {
    /// What each thread does: one account after the other.
    fn work(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            match self.next_account() {
                Ok(Some(account)) => self.deliver(&account),
                Ok(None) => return,
                Err(refusal) => return self.end(u64::MAX, refusal),
            }
        }
    }

    fn next_account(&self) -> Result<Option<Account>, Refusal> {
        let mut cursor = self.cursor.lock().map_err(|_| crate::output::bug("another thread died"))?;
        let next = match &*cursor {
            Cursor::Start => self.run.next_account(None)?,
            Cursor::After(account) => self.run.next_account(Some(account))?,
            Cursor::End => None,
        };
        *cursor = next.clone().map_or(Cursor::End, Cursor::After);
        Ok(next)
    }

    /// One account's payloads, in the order of their nonces.
    fn deliver(&self, account: &Account) {
        let mut last = None;
        let mut failed_document = None;
        // A nonce that nothing has used: only another payload with it can be mined, no later one.
        let mut missing = None;
        while !self.stop.load(Ordering::Relaxed) {
            let payload = match self.run.next_payload(account, last.as_ref()) {
                Ok(None) => return,
                Ok(Some(row)) => Payload::read(row, self.networks),
                Err(refusal) => return self.end(u64::MAX, refusal),
            };
            let payload = match payload {
                Ok(payload) => payload,
                Err(refusal) => return self.end(u64::MAX, refusal),
            };
            if missing.is_some_and(|nonce| nonce != payload.nonce()) {
                return;
            }
            last = Some(payload.place());
            // What needs an approval that failed is not sent.
            if failed_document == Some(payload.position) {
                if payload.inclusion.is_none() {
                    missing = Some(payload.nonce());
                }
                continue;
            }
            let result = self.deliver_one(&payload);
            self.board.done();
            missing = None;
            let Err(refusal) = result else { continue };
            failed_document = Some(payload.position);
            match refusal.exit() {
                // The nonce is used up: the next document can be mined.
                Exit::Reverted | Exit::Replaced => {}
                // Without a journal or a reader nothing is sent any more.
                Exit::Io | Exit::Bug => return self.end(payload.position, refusal),
                _ => missing = Some(payload.nonce()),
            }
            self.fail(payload.position, refusal);
        }
    }

    fn deliver_one(&self, payload: &Payload<'_>) -> Result<(), Refusal> {
        let quorum = self.endpoints.of(payload.network, payload.layer)?;
        let line = self.board.line();
        let delivery = Delivery {
            payload,
            run: &self.run,
            quorum: &quorum,
            terms: self.terms,
            line: &line,
            stop: &self.stop,
            inclusion: payload.inclusion.into(),
        };
        delivery.deliver()
    }

    fn end(&self, position: u64, refusal: Refusal) {
        self.stop.store(true, Ordering::Relaxed);
        self.fail(position, refusal);
    }

    /// Keeps the failure of the first document, which is told last, and tells the others at once.
    fn fail(&self, position: u64, refusal: Refusal) {
        let mut first = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let told = match first.take() {
            Some((known, kept)) if known <= position => {
                *first = Some((known, kept));
                Some(refusal)
            }
            other => {
                *first = Some((position, refusal));
                other.map(|(_, refusal)| refusal)
            }
        };
        if let Some(refusal) = told {
            self.board.suspend(|| print_refusal(&refusal, self.errors));
        }
    }
}
