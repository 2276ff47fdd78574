//! `proof`: an L2 transaction becomes a request that finalizes its withdrawal, or claims the deposit that failed in it.
//!
//! The L2 node says what was sent and where it stands; L1 says whether the batch is executed, which root it has, and whether it
//! is all done already. The request is then prepared like any other, and the library verifies the proof against that root.

pub mod arguments;
mod deposit;
mod receipt;
mod root;
mod withdrawal;

use std::sync::Arc;

use coldbridge::json::Cursor;
use coldbridge::network::Network;
use coldbridge::proof::Proof;
use coldbridge::{Address, Code, Json, Layer, Networks, Refusal, TxHash};
use serde_json::json;

use crate::answer::Status;
use crate::contract::is_missing;
use crate::endpoints::Endpoints;
use crate::new_file::Output;
use crate::prepare::{CONNECTIONS, Desk, Wanted, answer_one};
use crate::proof::arguments::ProofArgs;
use crate::proof::receipt::{L2Receipt, LogProof, Provable, Sent};
use crate::quorum::Quorum;

/// Runs the command. Gives the exit code: of several messages, the first one's that gives no request.
pub fn run(arguments: &ProofArgs, networks: &Networks) -> Result<u8, Refusal> {
    let hash = TxHash(Cursor::root(&Json::text(arguments.hash.as_str())).fixed_bytes()?);
    let from = Cursor::root(&Json::text(arguments.from.as_str())).address(arguments.facts.spelling())?;
    let endpoints = Endpoints::read(&arguments.endpoints, CONNECTIONS, networks)?;
    let network = match &arguments.network {
        Some(name) => networks.named(&Cursor::root(&Json::text(name.as_str())))?,
        None => endpoints.network(networks)?,
    };
    let network = network.clone();
    let (l1, l2) = (endpoints.of(&network, Layer::L1)?, endpoints.of(&network, Layer::L2)?);
    let case = Case { network: &network, hash, from, id: arguments.id.as_deref(), l1, l2 };
    let mut desk = Desk::new(networks, &endpoints, arguments.facts.spelling(), arguments.facts.choices());

    let receipt = case.receipt()?;
    let chosen = case.choose(&receipt, arguments)?;
    let mut output = Output::open(arguments.facts.output.as_deref())?;
    let mut code = 0;
    for chosen in &chosen {
        answer_one(
            &mut output,
            &mut code,
            || Ok(!arguments.all),
            |remarks| {
                let wanted = case.wanted(&receipt, chosen, remarks)?;
                desk.prepare(&wanted, remarks)
            },
        )?;
    }
    output.finish()?;
    Ok(code)
}

/// What is to be proved.
enum Chosen {
    Withdrawal(Sent),
    FailedDeposit(Provable),
}

/// One L2 transaction and who asks about it.
struct Case<'a> {
    network: &'a Network,
    hash: TxHash,
    from: Address,
    id: Option<&'a str>,
    l1: Arc<Quorum>,
    l2: Arc<Quorum>,
}

impl Case<'_> {
    fn receipt(&self) -> Result<L2Receipt, Refusal> {
        let params = json!([self.hash.to_string()]);
        match self.l2.read_as("eth_getTransactionReceipt", &params, L2Receipt::read_optional)? {
            None => Err(self.not_ready("L2 has no receipt of it yet")),
            Some(receipt) if receipt.is_of(self.hash) => Ok(receipt),
            Some(_) => Err(self.contradiction("the receipt is another transaction's")),
        }
    }

    /// The messages or the deposit that are asked for.
    fn choose(&self, receipt: &L2Receipt, arguments: &ProofArgs) -> Result<Vec<Chosen>, Refusal> {
        let status = receipt.status_log().map_err(|what| self.contradiction(what))?;
        if let Some((log, Status::Reverted)) = status {
            return Ok(vec![Chosen::FailedDeposit(log)]);
        }
        if receipt.status == Status::Reverted {
            return Err(self.not_provable("it failed, and is no request of L1: nothing left L2"));
        }
        let mut messages = receipt.messages().map_err(|what| self.contradiction(what))?;
        let count = messages.len();
        let chosen = match (arguments.index, count) {
            (None, 0) if status.is_some() => {
                return Err(self.not_provable("it is a request of L1 that succeeded: there is nothing to claim"));
            }
            (_, 0) => return Err(self.not_provable("it sent no message to L1")),
            (None, _) if arguments.all => messages,
            (None, 1) | (Some(0), _) => vec![messages.swap_remove(0)],
            (None, _) => {
                return Err(Refusal::new(
                    Code::USAGE,
                    "",
                    format!("{} sent {count} messages to L1", self.hash),
                    format!("say which with --index 0 to {}, or --all", count - 1),
                ));
            }
            (Some(index), _) if index < count => vec![messages.swap_remove(index)],
            (Some(index), _) => {
                return Err(self
                    .not_provable(&format!("it sent {count} messages to L1: there is none with index {index}"))
                    .values(format!("0 to {}", count - 1), index));
            }
        };
        Ok(chosen.into_iter().map(Chosen::Withdrawal).collect())
    }

    fn wanted(&self, receipt: &L2Receipt, chosen: &Chosen, remarks: &mut Vec<String>) -> Result<Wanted, Refusal> {
        match chosen {
            Chosen::Withdrawal(sent) => withdrawal::wanted(self, receipt, sent, remarks),
            Chosen::FailedDeposit(log) => deposit::wanted(self, receipt, log, remarks),
        }
    }

    /// The intent of a request.
    fn intent(&self, operation: &str, body: Json) -> Json {
        let mut members = Vec::new();
        members.extend(self.id.map(|id| ("id", Json::text(id))));
        members.push(("network", Json::text(self.network.name.as_str())));
        members.push(("from", Json::display(self.from)));
        members.push(("operation", Json::object([(operation, body)])));
        Json::object(members)
    }

    /// The proof of a log, its place, and the root that L1 has: members of `withdrawal` and `failedDeposit`.
    fn evidence(&self, receipt: &L2Receipt, log: &Provable, remarks: &mut Vec<String>) -> Result<Evidence, Refusal> {
        let in_no_batch = || self.not_ready("it is in no batch yet");
        let tx_number_in_batch = log.tx_number_in_batch.ok_or_else(in_no_batch)?;
        let method = "zks_getL2ToL1LogProof";
        let params = json!([self.hash.to_string(), log.index]);
        let proof = match self.l2.ask(method, &params, LogProof::read_optional)? {
            Ok(Some(proof)) => proof,
            Ok(None) => return Err(self.not_ready("L2 has no proof of it yet")),
            Err(error) if is_missing(&error) => {
                return Err(crate::prepare::pins::refused(&self.l2, method, &error.message));
            }
            // ZKsync OS says with an error what EraVM says with null.
            Err(error) => return Err(self.not_ready(&format!("L2 has no proof of it: {}", error.message))),
        };
        let batch_number = match (proof.batch_number, receipt.batch_number) {
            (Some(proof), Some(receipt)) if proof != receipt => {
                return Err(self.contradiction("proof and receipt name different batches"));
            }
            (Some(number), _) | (None, Some(number)) => number,
            (None, None) if self.network.vm == coldbridge::network::Vm::ZkSyncOs => {
                remarks.push("the L2 node names no batch: on ZKsync OS each block is one".to_owned());
                receipt.block_number
            }
            (None, None) => return Err(in_no_batch()),
        };
        let read =
            Proof::read(&proof.words).map_err(|error| error.refusal("/facts/merkleProof", "/facts/l2MessageIndex"))?;
        let root = root::read(self, batch_number, read.settled_on())?;
        Ok(Evidence { batch_number, index: proof.id, tx_number_in_batch, words: proof.words, root })
    }

    fn not_ready(&self, what: &str) -> Refusal {
        let problem = format!("{} on {}: {what}", self.hash, self.network.name);
        Refusal::new(Code::RELAY_NOT_READY, "", problem, "run the same command again later")
    }

    fn not_provable(&self, what: &str) -> Refusal {
        let problem = format!("{} on {}: {what}", self.hash, self.network.name);
        Refusal::new(
            Code::RELAY_NOT_PROVABLE,
            "",
            problem,
            "name the L2 transaction that withdrew, or that a deposit became",
        )
    }

    fn already_done(&self, what: &str) -> Refusal {
        let problem = format!("{} on {}: {what}", self.hash, self.network.name);
        Refusal::new(
            Code::RELAY_ALREADY_DONE,
            "",
            problem,
            "there is nothing more to do; look at the receiver's balance on L1",
        )
    }

    fn contradiction(&self, what: &str) -> Refusal {
        Refusal::new(
            Code::RELAY_DISAGREE,
            "",
            format!("{} of {} at {}: {what}", self.hash, self.network.name, self.l2.hosts()),
            "do not trust this endpoint: use another one",
        )
    }
}

/// Where a log stands, and what shows it.
struct Evidence {
    batch_number: u64,
    index: u64,
    tx_number_in_batch: u16,
    words: Vec<[u8; 32]>,
    root: [u8; 32],
}

impl Evidence {
    fn members(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("l2BatchNumber", Json::count(self.batch_number)),
            ("l2MessageIndex", Json::count(self.index)),
            ("l2TxNumberInBatch", Json::count(u64::from(self.tx_number_in_batch))),
            ("merkleProof", Json::Array(self.words.iter().map(Json::bytes).collect())),
            ("batchRoot", Json::bytes(self.root)),
        ]
    }
}
