//! Several nodes of one layer: a read counts when enough of them agree, a send goes to all.
//!
//! A [`Quorum`] can only be opened on nodes that serve the chain in question.

use std::sync::Arc;

use coldbridge::refusal::printable;
use coldbridge::{Address, Code, Layer, Refusal, TxHash};
use ethabi::ethereum_types::U256;
use serde_json::{Value, json};

use crate::answer::{Receipt, Transaction, normal, quantity, word};
use crate::number::{count, near};
use crate::output::print_note;
use crate::rpc::{Answer, Endpoint, Lost, NodeError, Patience};

/// What came of a call of one node.
pub type Answered = Result<Answer, Lost>;

/// Nodes of one layer of one chain.
pub struct Quorum {
    layer: Layer,
    endpoints: Vec<Arc<Endpoint>>,
    needed: usize,
}

/// What one node answered, read.
enum Vote<T> {
    Value(T),
    Error(NodeError),
}

impl<T: PartialEq> PartialEq for Vote<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(another)) => one == another,
            // Wordings differ from node to node.
            (Self::Error(one), Self::Error(another)) => one.code == another.code,
            _ => false,
        }
    }
}

/// A raw answer that compares by what it says.
struct Raw(Value);

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        normal(&self.0) == normal(&other.0)
    }
}

impl Quorum {
    /// Opens the nodes on a chain. Nodes that do not answer are left out, as long as enough are there.
    ///
    /// # Errors
    /// `relay.wrong_chain` if any node serves another chain, otherwise why too few answered.
    pub fn open(layer: Layer, endpoints: Vec<Arc<Endpoint>>, needed: usize, chain_id: u64) -> Result<Self, Refusal> {
        let mut quorum = Self { layer, endpoints, needed };
        let mut failures = Vec::new();
        let mut serving = Vec::new();
        for (endpoint, answer) in quorum.call(&quorum.endpoints, "eth_chainId", &json!([])) {
            match read(&endpoint, "eth_chainId", answer, &quantity) {
                Ok(Vote::Value(actual)) if actual != chain_id => {
                    return Err(Refusal::new(
                        Code::RELAY_WRONG_CHAIN,
                        "",
                        format!("{} serves chain {actual}, not chain {chain_id}. Nothing was sent", endpoint.host()),
                        format!("pass an endpoint of chain {chain_id} as --{}", layer.name()),
                    )
                    .values(chain_id, actual));
                }
                Ok(Vote::Value(_)) => serving.push(endpoint),
                Ok(Vote::Error(error)) => failures.push(endpoint.failed("eth_chainId", &error)),
                Err(refusal) => failures.push(refusal),
            }
        }
        let mut failures = failures.into_iter();
        match failures.next() {
            Some(refusal) if serving.len() < needed => Err(refusal),
            failed => {
                for left_out in failed.into_iter().chain(failures) {
                    print_note(&format!("an endpoint is left out: {}", left_out.problem()));
                }
                quorum.endpoints = serving;
                Ok(quorum)
            }
        }
    }

    /// The chain that the first of these nodes serves. Whether all do is seen when a quorum is opened on it.
    pub fn chain_id_of(layer: Layer, endpoints: &[Arc<Endpoint>]) -> Result<u64, Refusal> {
        let quorum = Self { layer, endpoints: endpoints.iter().take(1).cloned().collect(), needed: 1 };
        quorum.read_as("eth_chainId", &json!([]), quantity)
    }

    /// Asks these nodes at the same time. One that did not answer last time gets one attempt, if there are others.
    fn call(&self, endpoints: &[Arc<Endpoint>], method: &str, params: &Value) -> Vec<(Arc<Endpoint>, Answered)> {
        let ask = |endpoint: &Endpoint| {
            let has_others = self.endpoints.len() > 1;
            let patience = if has_others && endpoint.is_failing() { Patience::Once } else { Patience::Full };
            endpoint.call(method, params, patience)
        };
        if let [only] = endpoints {
            return vec![(Arc::clone(only), ask(only))];
        }
        std::thread::scope(|scope| {
            let calls: Vec<_> =
                endpoints.iter().map(|endpoint| (endpoint, scope.spawn(move || ask(endpoint)))).collect();
            calls
                .into_iter()
                .map(|(endpoint, call)| (Arc::clone(endpoint), call.join().unwrap_or_else(|_| Err(Lost::bug()))))
                .collect()
        })
    }

    /// The hosts, for messages.
    pub fn hosts(&self) -> String {
        self.endpoints.iter().map(|endpoint| endpoint.host()).collect::<Vec<_>>().join(", ")
    }

    /// The layer that they serve.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// An answer on which enough nodes agree. A node's error is a refusal.
    pub fn read(&self, method: &str, params: &Value) -> Result<Value, Refusal> {
        self.read_as(method, params, |answer| Some(Raw(answer.clone()))).map(|raw| raw.0)
    }

    /// The same, read into a type. `decode` gives nothing for an answer that is not of the method's type.
    pub fn read_as<T: PartialEq>(
        &self,
        method: &str,
        params: &Value,
        decode: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Refusal> {
        self.ask(method, params, decode)?.map_err(|error| self.failed(method, &error))
    }

    /// The refusal of a read that the nodes answered with an error.
    fn failed(&self, method: &str, error: &NodeError) -> Refusal {
        let problem = format!("{method} of {} at {}: {}", self.layer, self.hosts(), error.message);
        let remedy = "check the endpoint and run the same command again: it sends nothing twice";
        Refusal::new(Code::RELAY_NETWORK, "", problem, remedy)
    }

    /// The same, where the node's own error is an answer too: -32601 for a method that it lacks, a call that reverts.
    pub fn ask<T: PartialEq>(
        &self,
        method: &str,
        params: &Value,
        decode: impl Fn(&Value) -> Option<T>,
    ) -> Result<Result<T, NodeError>, Refusal> {
        self.ask_all(method, params, decode).map(|(answer, _)| answer)
    }

    /// The same, and the hosts that said so.
    fn ask_all<T: PartialEq>(
        &self,
        method: &str,
        params: &Value,
        decode: impl Fn(&Value) -> Option<T>,
    ) -> Result<(Result<T, NodeError>, Vec<String>), Refusal> {
        // Those that answered last time are asked first.
        let mut order = self.endpoints.clone();
        order.sort_by_key(|endpoint| endpoint.is_failing());
        let (first, rest) = order.split_at(self.needed.min(order.len()));
        let mut votes: Vec<(String, String, Vote<T>)> = Vec::new();
        let mut failures = Vec::new();
        for wave in [first, rest] {
            if wave.is_empty() {
                continue;
            }
            for (endpoint, answer) in self.call(wave, method, params) {
                let shown = shown(&answer);
                match read(&endpoint, method, answer, &decode) {
                    Ok(vote) => votes.push((endpoint.host(), shown, vote)),
                    Err(refusal) => failures.push(refusal),
                }
            }
            let agreed = votes
                .iter()
                .position(|(.., vote)| votes.iter().filter(|(.., other)| other == vote).count() >= self.needed);
            if let Some(at) = agreed {
                let same = |other: &&(String, String, Vote<T>)| Some(&other.2) == votes.get(at).map(|(.., vote)| vote);
                let hosts = votes.iter().filter(same).map(|(host, ..)| host.clone()).collect();
                let answer = match votes.swap_remove(at).2 {
                    Vote::Value(value) => Ok(value),
                    Vote::Error(error) => Err(error),
                };
                return Ok((answer, hosts));
            }
        }
        match failures.into_iter().next() {
            Some(refusal) if votes.len() < self.needed => Err(refusal),
            _ => Err(self.disagreement(method, &votes)),
        }
    }

    /// The same for a node's estimates, which differ a little by its kind and by the block: enough nodes must be near each other,
    /// number by number.
    pub fn estimate<const N: usize>(
        &self,
        method: &str,
        params: &Value,
        decode: impl Fn(&Value) -> Option<[U256; N]>,
    ) -> Result<Result<[U256; N], NodeError>, Refusal> {
        let mut votes = Vec::new();
        let mut failures = Vec::new();
        for (endpoint, answer) in self.call(&self.endpoints, method, params) {
            let shown = shown(&answer);
            match read(&endpoint, method, answer, &decode) {
                Ok(vote) => votes.push((endpoint.host(), shown, vote)),
                Err(refusal) => failures.push(refusal),
            }
        }
        let values = votes.iter().filter_map(|(.., vote)| match vote {
            Vote::Value(value) => Some(value),
            Vote::Error(_) => None,
        });
        let agreed: Vec<U256> = (0..N)
            .filter_map(|at| near(values.clone().filter_map(|value| value.get(at).copied()).collect(), self.needed))
            .collect();
        let errors = votes.len() - values.count();
        if let Ok(agreed) = agreed.try_into()
            && errors <= votes.len() - errors
        {
            return Ok(Ok(agreed));
        }
        if errors >= self.needed {
            let error = votes.into_iter().find_map(|(.., vote)| match vote {
                Vote::Value(_) => None,
                Vote::Error(error) => Some(error),
            });
            return error.map(Err).ok_or_else(|| crate::output::bug("an error is none"));
        }
        match failures.into_iter().next() {
            Some(refusal) if votes.len() < self.needed => Err(refusal),
            _ => Err(self.disagreement(method, &votes)),
        }
    }

    /// An estimate of gas.
    pub fn gas(&self, method: &str, params: &Value) -> Result<Result<u64, NodeError>, Refusal> {
        let gas = self.estimate(method, params, |answer| Some([U256::from(count(answer)?)]))?;
        Ok(gas.map(|[gas]| u64::try_from(gas).unwrap_or(u64::MAX)))
    }

    fn disagreement<T: PartialEq>(&self, method: &str, votes: &[(String, String, Vote<T>)]) -> Refusal {
        let told: Vec<String> = votes.iter().map(|(host, shown, _)| format!("{host} says {shown}")).collect();
        let first = votes.first();
        let other = votes.iter().find(|(.., vote)| first.is_some_and(|(.., first)| first != vote));
        Refusal::new(
            Code::RELAY_DISAGREE,
            "",
            format!("{method} of {}: no {} endpoints agree: {}", self.layer, self.needed, told.join("; ")),
            "find out which endpoint is wrong or behind, and run the same command again without it",
        )
        .values(first.map_or("", |vote| &vote.1), other.map_or("", |vote| &vote.1))
    }

    /// The answers of all nodes that give one, at least as many as must agree: for what moves, as heads and gas prices do.
    pub fn read_each<T>(
        &self,
        method: &str,
        params: &Value,
        decode: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, Refusal> {
        let mut values = Vec::new();
        let mut failures = Vec::new();
        for (endpoint, answer) in self.call(&self.endpoints, method, params) {
            match read(&endpoint, method, answer, &decode) {
                Ok(Vote::Value(value)) => values.push(value),
                Ok(Vote::Error(error)) => failures.push(endpoint.failed(method, &error)),
                Err(refusal) => failures.push(refusal),
            }
        }
        match failures.into_iter().next() {
            Some(refusal) if values.len() < self.needed => Err(refusal),
            _ => Ok(values),
        }
    }

    /// `eth_getTransactionCount` at the latest block: the first nonce that is not mined, as the node that is furthest behind
    /// of those that must agree knows it. Nodes lag: this is no disagreement.
    pub fn mined_nonces(&self, account: Address) -> Result<u64, Refusal> {
        let params = json!([account.to_string(), "latest"]);
        let counts = self.read_each("eth_getTransactionCount", &params, quantity)?;
        Ok(self.reached_by_enough(counts))
    }

    /// `eth_getTransactionByHash`
    pub fn transaction(&self, hash: TxHash) -> Result<Option<Transaction>, Refusal> {
        self.lookup("eth_getTransactionByHash", &json!([hash.to_string()]), Value::is_null, Transaction::read)
    }

    /// The nodes that know a transaction, whatever the others say.
    pub fn knowing(&self, hash: TxHash) -> Vec<String> {
        let method = "eth_getTransactionByHash";
        let answers = self.call(&self.endpoints, method, &json!([hash.to_string()]));
        let knows = |endpoint: &Endpoint, answer| match read(endpoint, method, answer, &Transaction::read) {
            Ok(Vote::Value(told)) => told.hash == hash,
            _ => false,
        };
        answers.into_iter().filter_map(|(endpoint, answer)| knows(&endpoint, answer).then(|| endpoint.host())).collect()
    }

    /// `eth_getTransactionReceipt`, with the hosts that told it.
    pub fn receipt(&self, hash: TxHash) -> Result<Option<Receipt>, Refusal> {
        let decode =
            |answer: &Value| if Receipt::is_absent(answer) { Some(None) } else { Receipt::read(answer).map(Some) };
        let method = "eth_getTransactionReceipt";
        let (answer, hosts) = self.ask_all(method, &json!([hash.to_string()]), decode)?;
        let receipt = answer.map_err(|error| self.failed(method, &error))?;
        Ok(receipt.map(|receipt| Receipt { reported_by: hosts, ..receipt }))
    }

    /// `eth_blockNumber`, as the node that is furthest behind of those that must agree knows it.
    pub fn head(&self) -> Result<u64, Refusal> {
        let heads = self.read_each("eth_blockNumber", &json!([]), quantity)?;
        Ok(self.reached_by_enough(heads))
    }

    /// The hash of a block of the chain, if it has one of this number.
    pub fn block_hash(&self, number: u64) -> Result<Option<[u8; 32]>, Refusal> {
        let params = json!([format!("{number:#x}"), false]);
        self.lookup("eth_getBlockByNumber", &params, Value::is_null, |answer| word(answer.get("hash")?))
    }

    /// The highest number that enough nodes have reached.
    fn reached_by_enough(&self, mut numbers: Vec<u64>) -> u64 {
        numbers.sort_unstable_by(|one, another| another.cmp(one));
        numbers.get(self.needed - 1).copied().unwrap_or_default()
    }

    /// A read whose answer may be that there is nothing.
    pub fn lookup<T: PartialEq>(
        &self,
        method: &str,
        params: &Value,
        is_absent: impl Fn(&Value) -> bool,
        decode: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        self.read_as(method, params, |answer| if is_absent(answer) { Some(None) } else { decode(answer).map(Some) })
    }

    /// `eth_sendRawTransaction` to all nodes: what each said.
    pub fn send(&self, raw: &[u8]) -> Vec<(Arc<Endpoint>, Answered)> {
        self.call(&self.endpoints, "eth_sendRawTransaction", &json!([format!("0x{}", hex::encode(raw))]))
    }
}

fn read<T>(
    endpoint: &Endpoint,
    method: &str,
    answer: Answered,
    decode: &impl Fn(&Value) -> Option<T>,
) -> Result<Vote<T>, Refusal> {
    match answer.map_err(|lost| endpoint.unreachable(method, &lost))? {
        Answer::Error(error) => Ok(Vote::Error(error)),
        Answer::Result(value) => decode(&value).map(Vote::Value).ok_or_else(|| endpoint.garbage(method, &value)),
    }
}

fn shown(answer: &Answered) -> String {
    let text = match answer {
        Ok(Answer::Result(value)) => printable(&value.to_string()),
        Ok(Answer::Error(error)) => error.message.clone(),
        Err(_) => "nothing".to_owned(),
    };
    text.chars().take(120).collect()
}
