//! `broadcast`: verified, compared with the chain, written down, sent, and waited for.
//!
//! Whether a transaction is sent or mined is decided by looking up our own hash, never by the wording of an error: "already
//! known", "already imported" and "nonce too low" are all one lookup. The bytes never change, so that doing anything again
//! is harmless.

use std::path::Path;
use std::time::{Duration, Instant};

use coldbridge::canonical::{CanonicalTransaction, EventError, PriorityRequested};
use coldbridge::operation::{Seen, recognise};
use coldbridge::refusal::printable;
use coldbridge::signed::SignedTransaction;
use coldbridge::{Code, Json, Networks, Refusal, Signed, json};
use indicatif::{ProgressBar, ProgressStyle};

use crate::answer::{Receipt, Status, Transaction as Told};
use crate::cli::BroadcastArgs;
use crate::endpoints::Endpoints;
use crate::input::{Input, trimmed};
use crate::journal::{Journal, Recorded, State};
use crate::output::{print_line, print_note};
use crate::quorum::Quorum;
use crate::rpc::Answer;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const NO_REQUEST: &str =
    "mined, but the chain's diamond announced no priority request: is this the right L1, and are the contracts there?";
/// So many looks in a row, with growing pauses between them (7 seconds together), must find the nonce used by another.
const MISSES_THAT_MEAN_REPLACED: u32 = 5;
/// How nodes say that they have the transaction: not believed, but a reason to go on looking.
const KNOWN_WORDINGS: &[&str] =
    &["already known", "already imported", "known transaction", "already exists", "alreadyknown"];
/// The chain id of anvil and hardhat.
const DEVELOPMENT_CHAIN: u64 = 31337;
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Runs the command.
pub fn run(arguments: &BroadcastArgs, networks: &Networks) -> Result<(), Refusal> {
    // Everything is read and proved before a socket or the journal is opened.
    let mut documents = Vec::new();
    for path in &arguments.documents {
        read_documents(path, networks, &mut documents)?;
    }
    // The payloads of one account go in nonce order, whatever order they came in.
    documents.sort_by_key(|signed| {
        (signed.from(), signed.transactions().first().map(|first| (first.layer(), first.nonce())))
    });
    // Each layer that is used must be there and serve the chain that the payload is signed for.
    let endpoints = Endpoints::read(&arguments.endpoints, 1, networks)?;
    for signed in &documents {
        for transaction in signed.transactions() {
            endpoints.of(signed.network(), transaction.layer())?;
        }
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
            endpoint: &*endpoints.of(signed.network(), transaction.layer())?,
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

/// What one look at the chain showed.
enum Sight {
    /// Our transaction in a block.
    Mined(Receipt),
    /// Nothing yet, or not all of it.
    Waiting,
    /// Our hash is unknown, and its nonce is used.
    Gone,
}

fn disagree(problem: String) -> Refusal {
    Refusal::new(
        Code::RELAY_DISAGREE,
        "",
        problem,
        "do not trust this endpoint alone: run the same command with another one",
    )
}

/// One transaction on its way.
struct Step<'a> {
    signed: &'a Signed,
    transaction: &'a SignedTransaction,
    journal: &'a Journal,
    endpoint: &'a Quorum,
    progress: &'a ProgressBar,
}

impl Step<'_> {
    fn run(&mut self, timeout: Duration) -> Result<(), Refusal> {
        let hash = self.transaction.hash();
        if !self.is_known()? {
            if let Some(block) = self.journal.mined_block(self.transaction)? {
                return Err(disagree(format!(
                    "the journal saw {hash} mined in block {block}, {} does not know it",
                    self.endpoint.hosts()
                )));
            }
            self.send()?;
        }
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut misses = 0;
        loop {
            let is_late = started.elapsed() >= timeout;
            match self.look() {
                Ok(Sight::Mined(receipt)) => return self.mined(&receipt),
                Ok(Sight::Waiting) => misses = 0,
                Ok(Sight::Gone) => misses += 1,
                // A read that fails is asked again until the time is over.
                Err(refusal) if is_late || refusal.code() == Code::RELAY_DISAGREE => return Err(refusal),
                Err(_) => {}
            }
            if misses >= MISSES_THAT_MEAN_REPLACED {
                return self.replaced();
            }
            if is_late {
                return self.pending(timeout);
            }
            self.progress.tick();
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One look at the chain. The nonce is asked for first: if it is used by then and our hash is still unknown after that,
    /// another transaction may have used it. Nodes lag, so one such look proves nothing.
    fn look(&self) -> Result<Sight, Refusal> {
        let hash = self.transaction.hash();
        let nonce_is_used = self.endpoint.mined_nonces(self.signed.from())? > self.transaction.nonce();
        let receipt = self.endpoint.receipt(hash)?;
        let told = self.endpoint.transaction(hash)?;
        if let Some(told) = &told {
            self.judge(told)?;
        }
        Ok(match (receipt, told) {
            // Both must have arrived: a node behind a balancer may know one before the other.
            (Some(receipt), Some(_)) => Sight::Mined(receipt),
            (None, None) if nonce_is_used => Sight::Gone,
            _ => Sight::Waiting,
        })
    }

    /// What the node tells of our transaction must be what was signed.
    fn judge(&self, told: &Told) -> Result<(), Refusal> {
        let hash = self.transaction.hash();
        let ours = self.transaction.transaction();
        let value = format!("{:x}", ours.value().get());
        let same = told.hash == hash
            && told.from == self.signed.from()
            && told.to == ours.to()
            && told.nonce == ours.nonce()
            && told.value == value.trim_start_matches('0')
            && told.input == ours.data();
        if same {
            return Ok(());
        }
        Err(disagree(format!("{} tells {hash} with other fields than were signed", self.endpoint.hosts())))
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
        self.progress.set_message(format!("sending {hash}"));
        let (mut refused, mut failed) = (None, None);
        for (endpoint, answer) in self.endpoint.send(self.transaction.raw()) {
            match answer {
                Ok(Answer::Result(answer))
                    if answer.as_str().is_some_and(|text| text.eq_ignore_ascii_case(&hash.to_string())) =>
                {
                    return self.report(State::Sent, None, None, None);
                }
                Ok(Answer::Result(answer)) => {
                    failed = Some(endpoint.garbage("eth_sendRawTransaction", &answer).values(hash, answer));
                }
                Ok(Answer::Error(error)) => refused = Some((endpoint.host(), error.message)),
                // It may have arrived: the same bytes again do no harm.
                Err(lost) => failed = failed.or_else(|| Some(endpoint.unreachable("eth_sendRawTransaction", &lost))),
            }
        }
        let Some((host, message)) = refused else {
            return failed.map_or(Ok(()), Err);
        };
        // Does the node know our hash, or say in its own words that it does, or that the nonce is used? Then it is
        // looked for: "nonce too low" may be our own transaction, mined.
        let says_known = KNOWN_WORDINGS.iter().any(|words| message.to_lowercase().contains(words));
        let nonce_is_used = self.endpoint.mined_nonces(self.signed.from())? > self.transaction.nonce();
        if says_known || nonce_is_used || self.is_known()? {
            return self.report(State::Sent, None, None, Some(&message));
        }
        self.report(State::Rejected, None, None, Some(&message))?;
        Err(Refusal::new(
            Code::RELAY_REJECTED,
            "",
            format!("{host} did not take {hash}: {message}"),
            "mend what the node names (funds, fees, an earlier nonce) and run the same command again",
        ))
    }

    fn mined(&self, receipt: &Receipt) -> Result<(), Refusal> {
        let hash = self.transaction.hash();
        if receipt.hash != hash || receipt.from != self.signed.from() {
            return Err(disagree(format!("{} gives another transaction's receipt for {hash}", self.endpoint.hosts())));
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
        matches!(self.transaction.purpose(), "deposit" | "requestExecute" | "requestExecuteMailbox" | "deploy")
    }

    /// For a request to the Mailbox: the L2 hash that the target chain's diamond announced, computed again.
    fn l2_hash(&self, receipt: &Receipt) -> Result<Option<String>, Refusal> {
        if !self.announces() {
            return Ok(None);
        }
        let network = self.signed.network();
        let requests = receipt
            .logs
            .iter()
            .filter(|log| log.address == network.diamond_proxy)
            .filter_map(|log| match PriorityRequested::read(&log.topics, &log.data) {
                Err(EventError::OtherEvent) => None,
                read => Some(read),
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| disagree(format!("a NewPriorityRequest of the diamond does not hold: {error:?}")))?;
        match requests.as_slice() {
            // A development chain may have no bridge at all; on any other, a request that nobody announced is lost.
            [] if network.l1_chain_id == DEVELOPMENT_CHAIN => Ok(None),
            [] => Err(disagree(NO_REQUEST.to_owned())),
            [request] => {
                self.judge_request(&request.transaction)?;
                Ok(Some(request.hash.to_string()))
            }
            several => Err(disagree(format!("{} priority requests in the receipt of one deposit", several.len()))),
        }
    }

    /// What L1 announced must be what was signed, argument by argument.
    fn judge_request(&self, announced: &CanonicalTransaction) -> Result<(), Refusal> {
        let ours = self.transaction.transaction();
        let call = ours.to().and_then(|to| {
            let (network, layer) = (self.signed.network(), self.transaction.layer());
            let from = Some(self.signed.from());
            let (value, data, factory_deps) = (ours.value(), ours.data(), ours.factory_deps());
            recognise(&Seen { network, layer, from, to, value, data, factory_deps })
        });
        let asked = |name: &str| call.as_ref().and_then(|found| found.call.get("arguments")?.get(name));
        let announced_mint = announced.mint_value;
        let announced = [
            ("mintValue", Json::display(announced.mint_value)),
            ("l2Contract", Json::display(announced.to)),
            ("l2Value", Json::display(announced.value)),
            ("l2Calldata", Json::bytes(&announced.data)),
            ("l2GasLimit", Json::count(announced.gas_limit)),
            ("l2GasPerPubdataByteLimit", Json::count(announced.gas_per_pubdata_byte_limit)),
        ];
        // A request through a second bridge names no call: the bridge makes it.
        let paid = ours.value().get() == announced_mint || asked("mintValue").is_some();
        if !paid {
            return Err(disagree(format!(
                "L1 announced mintValue {announced_mint}, but {} was attached",
                ours.value()
            )));
        }
        match announced.iter().find(|(name, value)| asked(name).is_some_and(|asked| asked != value)) {
            None => Ok(()),
            Some((name, value)) => Err(disagree(format!("L1 announced {name} {value}, which is not what was signed"))),
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
