//! `broadcast`: verified, compared with the chain, written down, sent, and waited for.
//!
//! Whether a transaction is sent or mined is decided by looking up our own hash, never by the wording of an error: "already
//! known", "already imported" and "nonce too low" are all one lookup. The bytes never change, so that doing anything again
//! is harmless.

use std::path::Path;
use std::time::{Duration, Instant};

use coldbridge::canonical::PriorityRequested;
use coldbridge::refusal::printable;
use coldbridge::signed::SignedTransaction;
use coldbridge::{Code, Json, Layer, Networks, Refusal, Signed, json};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::BroadcastArgs;
use crate::input::{Input, trimmed};
use crate::journal::{Journal, Recorded, State};
use crate::output::{print_line, print_note};
use crate::rpc::{CallError, Endpoint, Receipt, Status};

const SEND_ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const NO_REQUEST: &str =
    "mined, but the chain's diamond announced no priority request: is this the right L1, and are the contracts there?";
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

struct Endpoints {
    l1: Option<Endpoint>,
    l2: Option<Endpoint>,
}

/// Runs the command.
pub fn run(arguments: &BroadcastArgs, networks: &Networks) -> Result<(), Refusal> {
    // Everything is read and proved before a socket or the journal is opened.
    let mut documents = Vec::new();
    for path in &arguments.documents {
        read_documents(path, networks, &mut documents)?;
    }
    let endpoints = Endpoints {
        l1: arguments.l1.as_deref().map(|url| Endpoint::new(Layer::L1, url)).transpose()?,
        l2: arguments.l2.as_deref().map(|url| Endpoint::new(Layer::L2, url)).transpose()?,
    };
    for signed in &documents {
        endpoints.judge(signed)?;
    }
    let journal = Journal::open(&arguments.journal)?;
    let mut recorded = Vec::new();
    for signed in &documents {
        for transaction in signed.transactions() {
            recorded.push((signed, transaction, journal.record(signed, transaction)?));
        }
    }
    let total = u64::try_from(recorded.len()).unwrap_or(u64::MAX);
    let progress = ProgressBar::new(total).with_style(
        ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg} {elapsed}")
            .unwrap_or(ProgressStyle::default_bar()),
    );
    for (signed, transaction, known) in recorded {
        let mut step = Step {
            signed,
            transaction,
            journal: &journal,
            endpoint: endpoints.of(transaction.layer())?,
            progress: &progress,
        };
        if known == Recorded::New {
            step.report(State::Recorded, None, None, None)?;
        }
        step.run(Duration::from_secs(arguments.timeout))?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

fn read_documents(path: &Path, networks: &Networks, documents: &mut Vec<Signed>) -> Result<(), Refusal> {
    let mut input = Input::open(path)?;
    while let Some(bytes) = input.next()? {
        documents.push(Signed::read(&json::parse(trimmed(&bytes)?)?, networks)?);
    }
    Ok(())
}

impl Endpoints {
    fn of(&self, layer: Layer) -> Result<&Endpoint, Refusal> {
        let endpoint = match layer {
            Layer::L1 => self.l1.as_ref(),
            Layer::L2 => self.l2.as_ref(),
        };
        endpoint.ok_or_else(|| {
            Refusal::new(
                Code::USAGE,
                "",
                format!("the document has an {layer} transaction, but there is no --{}", layer.name()),
                format!("pass the {layer} endpoint: --{} URL", layer.name()),
            )
        })
    }

    /// Each layer that is used must be there and serve the chain that the payload is signed for.
    fn judge(&self, signed: &Signed) -> Result<(), Refusal> {
        for layer in [Layer::L1, Layer::L2] {
            if !signed.transactions().iter().any(|transaction| transaction.layer() == layer) {
                continue;
            }
            let endpoint = self.of(layer)?;
            let (expected, actual) = (signed.network().chain_id(layer), endpoint.chain_id()?);
            if expected != actual {
                return Err(Refusal::new(
                    Code::RELAY_WRONG_CHAIN,
                    "",
                    format!(
                        "{} serves chain {actual}, the payload is for chain {expected} ({layer} of {}). Nothing was sent",
                        endpoint.host(),
                        signed.network().name
                    ),
                    format!("pass an endpoint of chain {expected} as --{}", layer.name()),
                )
                .values(expected, actual));
            }
        }
        Ok(())
    }
}

/// One transaction on its way.
struct Step<'a> {
    signed: &'a Signed,
    transaction: &'a SignedTransaction,
    journal: &'a Journal,
    endpoint: &'a Endpoint,
    progress: &'a ProgressBar,
}

impl Step<'_> {
    fn run(&mut self, timeout: Duration) -> Result<(), Refusal> {
        let hash = self.transaction.hash();
        if !self.is_known()? {
            self.send()?;
        }
        let deadline = Instant::now() + timeout;
        let mut pause = FIRST_PAUSE;
        let mut nonce_was_taken = false;
        loop {
            match self.endpoint.receipt(hash) {
                Ok(Some(receipt)) => return self.mined(&receipt),
                // A read that fails is asked again until the time is over.
                Err(refusal) if Instant::now() >= deadline => return Err(refusal),
                Ok(None) | Err(_) => {}
            }
            // The nonce is looked up before the receipt is asked for once more, so that a block in between is not taken
            // for a replacement.
            if nonce_was_taken {
                return self.replaced();
            }
            nonce_was_taken =
                self.endpoint.mined_nonces(self.signed.from()).is_ok_and(|next| next > self.transaction.nonce());
            if Instant::now() >= deadline && !nonce_was_taken {
                return self.pending(timeout);
            }
            self.progress.tick();
            std::thread::sleep(if nonce_was_taken { FIRST_PAUSE } else { pause });
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether the node knows our hash, mined or not.
    fn is_known(&self) -> Result<bool, Refusal> {
        let hash = self.transaction.hash();
        Ok(self.endpoint.transaction(hash)?.is_some() || self.endpoint.receipt(hash)?.is_some())
    }

    /// Sends the bytes until the node has them.
    fn send(&mut self) -> Result<(), Refusal> {
        let hash = self.transaction.hash();
        self.journal.advance(self.transaction, State::Sent, None, None)?;
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=SEND_ATTEMPTS {
            self.progress.set_message(format!("sending {hash}"));
            match self.endpoint.send(self.transaction.raw()) {
                Ok(answer) => {
                    if answer.as_str().is_none_or(|text| !text.eq_ignore_ascii_case(&hash.to_string())) {
                        return Err(self.endpoint.garbage("eth_sendRawTransaction", &answer).values(hash, answer));
                    }
                    return self.report(State::Sent, None, None, None);
                }
                Err(CallError::Answer(message)) => {
                    // Whatever the sentence: does the node know our hash? A block may come in between, so a nonce
                    // that is used is a replacement only if our hash is still unknown after that was seen.
                    let nonce_is_used = self.endpoint.mined_nonces(self.signed.from())? > self.transaction.nonce();
                    if self.is_known()? {
                        return self.report(State::Sent, None, None, Some(&message));
                    }
                    if nonce_is_used {
                        return self.replaced();
                    }
                    self.report(State::Rejected, None, None, Some(&message))?;
                    return Err(Refusal::new(
                        Code::RELAY_REJECTED,
                        "",
                        format!("{} did not take {hash}: {message}", self.endpoint.host()),
                        "mend what the node names (funds, fees, nonce) and run the same command again, or sign anew",
                    ));
                }
                // It may have arrived: the same bytes again do no harm.
                Err(error) if attempt == SEND_ATTEMPTS => {
                    return Err(self.endpoint.unreachable("eth_sendRawTransaction", error));
                }
                Err(_) => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
            }
        }
        Ok(())
    }

    fn mined(&self, receipt: &Receipt) -> Result<(), Refusal> {
        let hash = self.transaction.hash();
        let ours = self.transaction.transaction();
        let mined = self.endpoint.transaction(hash)?;
        let value = format!("{:x}", ours.value().get());
        let same = receipt.hash == hash
            && receipt.from == self.signed.from()
            && mined.as_ref().is_some_and(|mined| {
                mined.hash == hash
                    && mined.from == self.signed.from()
                    && mined.to == ours.to()
                    && mined.nonce == ours.nonce()
                    && mined.value == value.trim_start_matches('0')
                    && mined.input == ours.data()
            });
        if !same {
            return Err(Refusal::new(
                Code::RELAY_DISAGREE,
                "",
                format!("{} tells {hash} with other fields than were signed", self.endpoint.host()),
                "do not trust this endpoint; run the same command with another one",
            ));
        }
        if receipt.status == Status::Reverted {
            self.report(State::Reverted, Some(receipt), None, None)?;
            return Err(Refusal::new(
                Code::RELAY_REVERTED,
                "",
                format!("{hash} was mined in block {} and reverted: only the fee was paid", receipt.block_number),
                "look the transaction up for the contract's error, correct the request and sign again",
            ));
        }
        let l2_hash = self.l2_hash(receipt)?;
        let message = (l2_hash.is_none() && self.announces()).then_some(NO_REQUEST);
        if let Some(message) = message {
            self.progress.suspend(|| print_note(message));
        }
        self.report(State::Included, Some(receipt), l2_hash.as_deref(), message)
    }

    /// Whether the transaction is a request to the Mailbox, which its diamond announces.
    fn announces(&self) -> bool {
        self.transaction.purpose() == "deposit"
    }

    /// For a request to the Mailbox: the L2 hash that the target chain's diamond announced, computed again.
    fn l2_hash(&self, receipt: &Receipt) -> Result<Option<String>, Refusal> {
        if !self.announces() {
            return Ok(None);
        }
        let network = self.signed.network();
        let disagree = |problem: String| {
            Refusal::new(
                Code::RELAY_DISAGREE,
                "",
                problem,
                "do not trust this endpoint; run the same command with another one",
            )
        };
        let requests = receipt
            .logs
            .iter()
            .filter(|log| log.address == network.diamond_proxy)
            .filter_map(|log| match PriorityRequested::read(&log.topics, &log.data) {
                Err(coldbridge::canonical::EventError::OtherEvent) => None,
                read => Some(read),
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| disagree(format!("a NewPriorityRequest of the diamond does not hold: {error:?}")))?;
        match requests.as_slice() {
            [] => Ok(None),
            [request] => {
                let paid = request.transaction.mint_value == self.transaction.transaction().value().get();
                if !paid {
                    return Err(disagree("the announced mintValue is not the one that was signed".to_owned()));
                }
                Ok(Some(request.hash.to_string()))
            }
            several => Err(disagree(format!("{} priority requests in the receipt of one deposit", several.len()))),
        }
    }

    fn replaced(&self) -> Result<(), Refusal> {
        self.report(State::Replaced, None, None, None)?;
        Err(Refusal::new(
            Code::RELAY_REPLACED,
            "",
            format!(
                "nonce {} of {} was used by another transaction: {} can never be mined",
                self.transaction.nonce(),
                self.signed.from(),
                self.transaction.hash()
            ),
            "find out what used the nonce before anything is signed again",
        ))
    }

    fn pending(&self, timeout: Duration) -> Result<(), Refusal> {
        self.report(State::Pending, None, None, None)?;
        Err(Refusal::new(
            Code::RELAY_PENDING,
            "",
            format!("{} was not mined within {} seconds", self.transaction.hash(), timeout.as_secs()),
            "run the same command again to go on waiting (--timeout SECONDS)",
        ))
    }

    /// Writes the state down, then says it.
    fn report(
        &self,
        state: State,
        receipt: Option<&Receipt>,
        l2_hash: Option<&str>,
        message: Option<&str>,
    ) -> Result<(), Refusal> {
        self.journal.advance(self.transaction, state, receipt.map(|receipt| receipt.block_number), l2_hash)?;
        let transaction = self.transaction;
        self.progress.set_message(format!("{} {}", state.name(), transaction.hash()));
        let receipt_json = Json::object([
            ("schema", Json::text("coldbridge/receipt/1")),
            ("intentId", self.signed.intent_id().map_or(Json::Null, Json::text)),
            ("network", Json::text(self.signed.network().name.as_str())),
            ("layer", Json::text(transaction.layer().name())),
            ("chainId", transaction.transaction().chain_id().map_or(Json::Null, Json::count)),
            ("from", Json::display(self.signed.from())),
            ("nonce", Json::count(transaction.nonce())),
            ("purpose", Json::text(transaction.purpose())),
            ("hash", Json::display(transaction.hash())),
            ("signingDigest", Json::display(transaction.signing_digest())),
            ("state", Json::text(state.name())),
            ("blockNumber", receipt.map_or(Json::Null, |receipt| Json::count(receipt.block_number))),
            ("blockHash", receipt.map_or(Json::Null, |receipt| Json::bytes(receipt.block_hash))),
            ("gasUsed", receipt.map_or(Json::Null, |receipt| Json::count(receipt.gas_used))),
            (
                "effectiveGasPrice",
                receipt.and_then(|receipt| receipt.effective_gas_price).map_or(Json::Null, Json::display),
            ),
            ("l2TxHash", l2_hash.map_or(Json::Null, Json::text)),
            ("message", message.map_or(Json::Null, |message| Json::text(printable(message)))),
        ]);
        self.progress.suspend(|| print_line(&receipt_json))
    }
}
