//! `track`: how far a transaction has come on both layers.
//!
//! A deposit: included on L1, the L2 transaction that its diamond announced, its hash computed again, and how that ended on
//! L2. A withdrawal: included on L2, its batch executed on L1, finalized. Nothing is sent, and the journal is only read.

mod deposit;
mod report;
mod withdrawal;

use std::io::IsTerminal as _;

use coldbridge::{Code, Exit, Layer, Network, Networks, Refusal, TxHash};

use crate::announced;
use crate::answer::{Receipt, Status};
use crate::broadcast::for_each_document;
use crate::cli::TrackArgs;
use crate::endpoints::Endpoints;
use crate::journal::{Reader, Selection};
use crate::named::as_hash;
use crate::output::{Errors, print_line, print_refusal, print_text};
use crate::payload::Payload;

use report::{Report, Stage};

/// Reads are few: one connection a node is enough.
const CONNECTIONS: usize = 2;

/// Runs the command. Gives the exit code: that of the first transaction that is not through.
pub fn run(arguments: &TrackArgs, networks: &Networks, errors: Errors) -> Result<u8, Refusal> {
    let endpoints = Endpoints::read(&arguments.endpoints, CONNECTIONS, networks)?;
    let journal = arguments.journal.as_deref().map(Reader::open).transpose()?;
    let is_json = arguments.json || (!arguments.table && !std::io::stdout().is_terminal());
    let mut tracker = Tracker { networks, endpoints, is_json, errors, exit: 0 };
    if arguments.payloads.is_empty() {
        let journal = journal.as_ref().ok_or_else(|| {
            Refusal::new(
                Code::USAGE,
                "",
                "nothing to track is named",
                "name a hash or a signed document, or a --journal to track all that is open in it",
            )
        })?;
        journal.each(&Selection::Open, |row| tracker.ours(&Payload::read(row, networks)?))?;
        return Ok(tracker.exit);
    }
    for name in &arguments.payloads {
        let Some(hash) = as_hash(name) else {
            for_each_document(name.as_ref(), networks, |signed| {
                signed.transactions().iter().try_for_each(|transaction| {
                    let network = networks.find(&signed.network().name).unwrap_or(signed.network());
                    tracker.ours(&Payload::of(signed, transaction, network))
                })
            })?;
            continue;
        };
        let found = match &journal {
            Some(journal) => {
                journal.each(&Selection::Hash(&hash), |row| tracker.ours(&Payload::read(row, networks)?))?
            }
            None => 0,
        };
        if found == 0 {
            tracker.any(&hash, arguments.network.as_deref())?;
        }
    }
    Ok(tracker.exit)
}

struct Tracker<'a> {
    networks: &'a Networks,
    endpoints: Endpoints,
    is_json: bool,
    errors: Errors,
    exit: u8,
}

impl Tracker<'_> {
    fn tell(&mut self, report: &Report<'_>) -> Result<(), Refusal> {
        let exit = match report.stage {
            Stage::Unknown | Stage::Pending | Stage::Included => Exit::Pending.code(),
            Stage::Reverted | Stage::Failed => Exit::Reverted.code(),
            Stage::Executed | Stage::ProofReady | Stage::Finalized | Stage::Done => 0,
        };
        if self.exit == 0 {
            self.exit = exit;
        }
        if self.is_json { print_line(&report.to_json()) } else { print_text(&report.to_text()) }
    }

    /// A payload whose bytes are known. What nodes say of it and can not be is told, and hides nothing of the others.
    fn ours(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        match self.follow(payload) {
            Err(refusal) if refusal.exit() == Exit::Disagree => {
                print_refusal(&refusal, self.errors);
                if self.exit == 0 {
                    self.exit = refusal.exit().code();
                }
                Ok(())
            }
            other => other,
        }
    }

    /// What L1 announced is compared with what was signed.
    fn follow(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        let mut report = Report::new(payload.network, payload.layer, payload.hash);
        report.intent_id = payload.intent_id.as_deref();
        report.purpose = Some(payload.purpose.as_str());
        if let Some(receipt) = self.included(&mut report)? {
            let request = announced::request(payload, &receipt)?;
            report.receipt = Some(receipt);
            match request {
                Some(request) => deposit::follow(&mut report, &request, payload.network, &self.endpoints)?,
                None if payload.layer == Layer::L2 => {
                    withdrawal::follow(&mut report, payload.network, &self.endpoints)?;
                }
                None => report.stage = Stage::Done,
            }
        } else if let (Stage::Unknown, Some(inclusion)) = (report.stage, payload.inclusion) {
            report.message = Some(format!(
                "the journal saw it in block {}, the chain does not know it: broadcast it again, the same bytes are sent",
                inclusion.number
            ));
        }
        self.tell(&report)
    }

    /// A transaction of which only the hash is known.
    fn any(&mut self, hash: &str, network: Option<&str>) -> Result<(), Refusal> {
        let mut bytes = [0; 32];
        // `as_hash` has looked at every digit.
        let _ = hex::decode_to_slice(hash.trim_start_matches("0x"), &mut bytes);
        let hash = TxHash(bytes);
        let networks = self.networks;
        let network: &Network = match network {
            Some(name) => networks.find(name).ok_or_else(|| {
                Refusal::new(
                    Code::NETWORK_UNKNOWN,
                    "",
                    format!("no network \"{}\" is known", coldbridge::refusal::printable(name)),
                    "spell a name of `coldbridge network list`, or add its --network-file",
                )
            })?,
            None => self.endpoints.network(networks)?,
        };
        let mut pending = None;
        for layer in [Layer::L1, Layer::L2] {
            if !self.endpoints.has(network, layer) {
                continue;
            }
            let mut report = Report::new(network, layer, hash);
            let Some(receipt) = self.included(&mut report)? else {
                if report.stage != Stage::Unknown {
                    return self.tell(&report);
                }
                pending = Some(report);
                continue;
            };
            if report.stage == Stage::Reverted || layer == Layer::L2 {
                report.receipt = Some(receipt);
                if report.stage != Stage::Reverted {
                    withdrawal::follow(&mut report, network, &self.endpoints)?;
                }
                return self.tell(&report);
            }
            let requests = announced::requests(network, &receipt)?;
            if requests.is_empty() {
                (report.receipt, report.stage) = (Some(receipt), Stage::Done);
                return self.tell(&report);
            }
            for request in requests {
                let mut report = Report::new(network, layer, hash);
                report.receipt = Some(receipt.clone());
                deposit::follow(&mut report, &request, network, &self.endpoints)?;
                self.tell(&report)?;
            }
            return Ok(());
        }
        match pending {
            Some(report) => self.tell(&report),
            None => Err(Refusal::new(
                Code::USAGE,
                "",
                "there is no endpoint to ask",
                "pass --l1 URL and --l2 URL, or a --config FILE",
            )),
        }
    }

    /// The receipt, if it is in a block; the stage says the rest.
    fn included(&self, report: &mut Report<'_>) -> Result<Option<Receipt>, Refusal> {
        let quorum = self.endpoints.of(report.network, report.layer)?;
        let hash = report.hash;
        let Some(receipt) = quorum.receipt(hash)? else {
            if quorum.transaction(hash)?.is_some() {
                report.stage = Stage::Pending;
            }
            return Ok(None);
        };
        if receipt.hash != hash {
            let problem = format!("{} gives another transaction's receipt for {hash}", quorum.hosts());
            return Err(announced::disagree(problem));
        }
        report.stage = if receipt.status == Status::Reverted { Stage::Reverted } else { Stage::Included };
        if receipt.status == Status::Reverted {
            report.receipt = Some(receipt);
            return Ok(None);
        }
        Ok(Some(receipt))
    }
}
