//! One intent on its way to a request: which facts it needs, in the order in which one follows from the other.

use std::sync::Arc;

use coldbridge::abi::{as_address, as_uint};
use coldbridge::json::Cursor;
use coldbridge::network::{BaseToken, Vm};
use coldbridge::operation::{ALL, Allowance, approve};
use coldbridge::priority::PriorityRequestFacts;
use coldbridge::transaction::{Envelope, Transaction};
use coldbridge::units::Gas;
use coldbridge::{Address, Code, Json, Layer, Refusal, Request, Spelling, Unsigned, request};
use ethabi::ethereum_types::U256;

use crate::contract::{Contract, word_of};
use crate::prepare::facts::{Choices, Facts, Fee};
use crate::prepare::fees::{self, Market};
use crate::prepare::{Desk, Wanted, l1_gas, l2_call, l2_gas, pins, priority, way};
use crate::quorum::Quorum;

/// The gas limits of a plan that is only looked at.
const PROVISIONAL_GAS: u64 = l1_gas::L1_CAP;
const PROVISIONAL_APPROVAL: u64 = 1_000_000;
const PROVISIONAL_PRICE: u64 = 1_000_000_000;

/// The nodes are open, and what they say of the network is what is pinned.
pub struct Job<'a> {
    desk: &'a Desk<'a>,
    wanted: &'a Wanted,
    probe: &'a Request,
    envelope: Envelope,
    /// Of the layer that the plan runs on.
    nodes: Arc<Quorum>,
    /// Of L2, for a request whose gas there is to be estimated.
    l2: Option<Arc<Quorum>>,
    is_request: bool,
    /// The next nonces of the account, after the plans that were made before.
    after: After,
}

/// What comes after the plans that an account has been made so far.
#[derive(Debug, Clone, Default)]
pub struct After {
    /// The next nonce.
    pub nonce: Option<u64>,
    /// The next deployment nonce.
    pub deployments: Option<u64>,
    /// What is left of the allowances that they use or set.
    pub allowances: Vec<Allowance>,
}

impl After {
    /// An allowance of the chain, as these plans leave it.
    fn of(&self, row: Allowance) -> Allowance {
        Allowance { amount: of_pair(&self.allowances, &row).unwrap_or(row.amount), ..row }
    }
}

impl<'a> Job<'a> {
    /// Opens the nodes that the operation needs and compares the chains with the network.
    pub fn open(
        desk: &'a Desk<'a>,
        wanted: &'a Wanted,
        probe: &'a Request,
        after: After,
        remarks: &mut Vec<String>,
    ) -> Result<Self, Refusal> {
        let (network, layer) = (probe.network(), probe.layer());
        let operation = ALL.iter().find(|operation| operation.name == probe.operation());
        let uses = |fact: &str| operation.is_some_and(|operation| operation.facts.contains(&fact));
        let is_request = layer == Layer::L1 && uses("priorityRequest");
        let is_bridged = probe.operation() != "cancel";
        let envelope = probe.envelope()?;
        desk.choices.judge(envelope)?;
        rehearse(desk, wanted, envelope, is_request)?;
        let nodes = desk.endpoints.of(network, layer)?;
        let l2 = if is_request && desk.choices.l2_gas_limit.is_none() {
            Some(desk.endpoints.of(network, Layer::L2)?)
        } else {
            None
        };
        if is_bridged {
            let other = match layer {
                Layer::L1 => Some(Arc::clone(&nodes)),
                Layer::L2 => match desk.endpoints.of(network, Layer::L1) {
                    Ok(l1) => Some(l1),
                    Err(refusal) if refusal.code() == Code::USAGE => {
                        remarks.push("without --l1 the contracts of L1 are not compared with the network's".to_owned());
                        None
                    }
                    Err(refusal) => return Err(refusal),
                },
            };
            if let Some(l1) = other {
                pins::judge_l1(&l1, network, remarks)?;
            }
            let l2_nodes = if layer == Layer::L2 { Some(&nodes) } else { l2.as_ref() };
            if let Some(l2) = l2_nodes {
                pins::judge_l2(l2, network, remarks)?;
            }
        }
        if is_request {
            way::judge_open(&nodes, network, remarks)?;
        }
        if layer == Layer::L1 {
            way::judge_accounts(&nodes, probe, receiver(probe), remarks)?;
        }
        Ok(Self { desk, wanted, probe, envelope, nodes, l2, is_request, after })
    }

    fn choices(&self) -> &Choices {
        &self.desk.choices
    }

    /// Finds out the facts. Gives the request, and what comes after its plan.
    pub fn run(&self, remarks: &mut Vec<String>) -> Result<(Json, After), Refusal> {
        let network = self.probe.network();
        let market = match (self.probe.layer(), network.vm) {
            (Layer::L1, _) => Market::Ethereum,
            (Layer::L2, Vm::ZkSyncOs) => Market::ZkSyncOs,
            (Layer::L2, Vm::EraVm) => Market::EraVm,
        };
        let is_in_eth = market == Market::Ethereum || network.base_token == BaseToken::Eth;
        let mut facts = Facts {
            nonce: self.nonce(remarks)?,
            gas_limit: PROVISIONAL_GAS,
            fee: fees::settle(&self.nodes, market, is_in_eth, self.envelope, self.choices(), remarks)?,
            priority: None,
            allowances: Vec::new(),
            approval: None,
            deployment: None,
            given: self.wanted.given().to_vec(),
        };
        if self.is_request {
            facts.priority = Some(priority::read(&self.nodes, network, remarks)?);
            self.settle_l2_gas(&mut facts, remarks)?;
        }
        let draft = self.draft(&mut facts)?;
        // Nothing is allowed yet in this draft: it approves all that the operation takes.
        let needed = allowed(&approvals(&draft))?;
        let mined = self.allowances(&needed)?;
        facts.allowances = mined.iter().map(|row| self.after.of(*row)).collect();
        let draft = self.draft(&mut facts)?;
        // The chain can not execute yet what counts on approvals of this plan, or of one before it.
        let is_early = mined.iter().any(|row| of_pair(&needed, row).is_some_and(|needed| row.amount < needed));
        self.settle_gas(&draft, is_early, market, &mut facts, remarks)?;
        let unsigned = self.request(&facts)?.plan()?;
        self.weigh(&unsigned, remarks);
        let count = u64::try_from(unsigned.transactions().len()).unwrap_or(u64::MAX);
        let document = Json::object([
            ("schema", Json::text(request::SCHEMA)),
            ("intent", unsigned.request().intent_json()),
            ("facts", unsigned.request().facts_json()),
        ]);
        let after = After {
            nonce: Some(facts.nonce.saturating_add(count)),
            deployments: facts.deployment.map(|made| made.saturating_add(1)).or(self.after.deployments),
            allowances: self.left(&unsigned, &needed, &facts.allowances)?,
        };
        Ok((document, after))
    }

    fn nonce(&self, remarks: &mut Vec<String>) -> Result<u64, Refusal> {
        match (self.after.nonce, self.choices().nonce) {
            // A batch: the plans of one account follow each other.
            (Some(after), _) => Ok(after),
            (None, Some(nonce)) => Ok(nonce),
            (None, None) => way::nonce(&self.nodes, self.probe.from(), self.probe.operation() == "cancel", remarks),
        }
    }

    fn request(&self, facts: &Facts) -> Result<Request, Refusal> {
        self.wanted.request(facts.to_json(), self.desk.networks, self.desk.spelling)
    }

    fn draft(&self, facts: &mut Facts) -> Result<Unsigned, Refusal> {
        draft(
            facts,
            |facts| self.request(facts),
            || match self.after.deployments {
                // A batch: this account deploys again.
                Some(after) => Ok(after),
                None => way::deployments(&self.nodes, self.probe.from()),
            },
        )
    }

    /// The L2 gas limit of a request: first the floor, so that there is a plan to ask the L2 node about.
    fn settle_l2_gas(&self, facts: &mut Facts, remarks: &mut Vec<String>) -> Result<(), Refusal> {
        let network = self.probe.network();
        let quote = self.request(facts)?.quote();
        // Where no floor can be computed, the plan says why.
        let floor = count_in(&quote, "minL2GasLimit").unwrap_or(1);
        let ceiling = count_in(&quote, "maxL2GasLimit").unwrap_or(u64::MAX);
        set_l2_gas(facts, floor);
        let limit = match (self.choices().l2_gas_limit, &self.l2) {
            (Some(limit), _) => limit,
            (None, Some(l2)) => {
                let draft = self.draft(facts)?;
                let main = main(&draft)?;
                let side = l2_call::of_plan(&draft, main, &self.nodes)?;
                priority::l2_gas_limit(l2, network, &side, (floor, ceiling), self.choices(), remarks)?
            }
            (None, None) => return Err(bug("no L2 node was opened")),
        };
        set_l2_gas(facts, limit);
        let quote = self.request(facts)?.quote();
        let base_cost = quote.get("baseCost").and_then(|cost| Cursor::root(cost).amount().ok());
        if let Some(base_cost) = base_cost {
            let at = (facts.fee.cap(), Gas::from(limit));
            priority::judge_base_cost(&self.nodes, network, at, base_cost, remarks)?;
        }
        Ok(())
    }

    /// The allowances of exactly the tokens and spenders that the plan approves, as the chain has them.
    fn allowances(&self, needed: &[Allowance]) -> Result<Vec<Allowance>, Refusal> {
        let owner = word_of(self.probe.from());
        let read = |&Allowance { token, spender, .. }: &Allowance| {
            let contract = Contract { nodes: &self.nodes, name: "token", address: token };
            let word = contract.word("allowance(address,address)", &[owner, word_of(spender)])?;
            Ok(Allowance { token, spender, amount: U256::from_big_endian(&word) })
        };
        needed.iter().map(read).collect()
    }

    /// What is left of allowances when this plan is mined, too.
    fn left(&self, plan: &Unsigned, needed: &[Allowance], before: &[Allowance]) -> Result<Vec<Allowance>, Refusal> {
        let given = allowed(&approvals(plan))?;
        let mut left =
            if self.probe.operation() == approve::OPERATION.name { allowed(&[main(plan)?])? } else { Vec::new() };
        for row in before {
            let held = of_pair(&given, row).unwrap_or(row.amount);
            let taken = of_pair(needed, row).unwrap_or_default();
            left.push(Allowance { amount: held.saturating_sub(taken), ..*row });
        }
        let others: Vec<Allowance> =
            self.after.allowances.iter().filter(|row| of_pair(&left, row).is_none()).copied().collect();
        left.extend(others);
        Ok(left)
    }

    fn settle_gas(
        &self,
        draft: &Unsigned,
        waits: bool,
        market: Market,
        facts: &mut Facts,
        remarks: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let (from, purpose, nodes) = (self.probe.from(), self.probe.operation(), &*self.nodes);
        let (approvals, main) = (approvals(draft), main(draft)?);
        facts.approval = {
            let is_changed = |token| self.after.allowances.iter().any(|row| Some(row.token) == token);
            l1_gas::approval_limit(nodes, from, &approvals, is_changed, self.choices(), remarks)?
        };
        facts.gas_limit = if market == Market::EraVm {
            let call = l2_gas::Call { from, main, purpose, waits };
            l2_gas::settle(nodes, &call, &mut facts.fee, self.choices(), remarks)?
        } else {
            l1_gas::main_limit(nodes, from, main, purpose, waits, self.choices(), remarks)?
        };
        Ok(())
    }

    /// Says where the account does not hold what the plan can take from it: it may be funded later.
    fn weigh(&self, unsigned: &Unsigned, remarks: &mut Vec<String>) {
        let from = self.probe.from();
        let document = unsigned.to_json();
        let Some(Json::Array(rows)) = document.get("derived").and_then(|derived| derived.get("worstCaseDebit")) else {
            return;
        };
        for row in rows {
            let amount = row.get("amount").and_then(|amount| Cursor::root(amount).amount().ok()).unwrap_or_default();
            let Some(Json::Text(token)) = row.get("token") else { continue };
            let held = match Address::parse(token, Spelling::AnyCase) {
                Ok(address) => {
                    let contract = Contract { nodes: &self.nodes, name: "token", address };
                    let word = contract.try_word("balanceOf(address)", &[word_of(from)]);
                    word.map(|word| word.map(|word| U256::from_big_endian(&word)))
                }
                Err(_) => way::balance(&self.nodes, from).map(Some),
            };
            match held {
                Ok(Some(held)) if held < amount => {
                    remarks.push(format!("{from} holds {held} of {token}, the plan can take {amount}"));
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => remarks.push(format!("what {from} holds of {token} is not known")),
            }
        }
    }
}

/// The plan as it stands: the calls, whatever gas they get. What only some plans need is added when the plan asks for it: gas
/// for approvals, and the deployment nonce.
fn draft(
    facts: &mut Facts,
    request: impl Fn(&Facts) -> Result<Request, Refusal>,
    deployments: impl Fn() -> Result<u64, Refusal>,
) -> Result<Unsigned, Refusal> {
    facts.approval = None;
    loop {
        match request(facts)?.plan() {
            Err(refusal) if is_missing(&refusal, "/facts/approval") && facts.approval.is_none() => {
                facts.approval = Some(PROVISIONAL_APPROVAL);
            }
            Err(refusal) if is_missing(&refusal, "/facts/deployment") && facts.deployment.is_none() => {
                facts.deployment = Some(deployments()?);
            }
            other => return other,
        }
    }
}

fn is_missing(refusal: &Refusal, at: &str) -> bool {
    refusal.at() == at && refusal.code() == Code::JSON_MISSING_MEMBER
}

/// Plans the intent with facts out of the air: what is wrong with the intent itself is said before anybody is asked.
fn rehearse(desk: &Desk<'_>, wanted: &Wanted, envelope: Envelope, is_request: bool) -> Result<(), Refusal> {
    let request = |facts: &Facts| wanted.request(facts.to_json(), desk.networks, desk.spelling);
    let mut facts = Facts {
        nonce: 0,
        gas_limit: PROVISIONAL_GAS,
        fee: Fee::of(envelope, U256::from(PROVISIONAL_PRICE), U256::zero()),
        priority: is_request.then(priority::provisional),
        allowances: Vec::new(),
        approval: None,
        deployment: None,
        given: wanted.given().to_vec(),
    };
    if is_request {
        let floor = count_in(&request(&facts)?.quote(), "minL2GasLimit").unwrap_or(1);
        set_l2_gas(&mut facts, floor);
    }
    match draft(&mut facts, request, || Ok(0)) {
        Err(refusal) if refusal.at().starts_with("/intent") => Err(refusal),
        // What is wrong with made-up facts is nobody's fault.
        _ => Ok(()),
    }
}

fn set_l2_gas(facts: &mut Facts, limit: u64) {
    if let Some(PriorityRequestFacts { l2_gas_limit, .. }) = &mut facts.priority {
        *l2_gas_limit = Gas::from(limit);
    }
}

fn count_in(document: &Json, name: &str) -> Option<u64> {
    Cursor::root(document.get(name)?).count(u64::MAX).ok()
}

/// Who gets what a deposit moves.
fn receiver(probe: &Request) -> Option<Address> {
    let intent = probe.intent_json();
    Cursor::root(intent.get("operation")?.get("deposit")?.get("to")?).address(Spelling::AnyCase).ok()
}

/// The operation's own transaction is the last one; what stands before it are its approvals.
fn main(plan: &Unsigned) -> Result<&Transaction, Refusal> {
    plan.transactions().last().map(|planned| &planned.transaction).ok_or_else(|| bug("a plan without a transaction"))
}

fn approvals(plan: &Unsigned) -> Vec<&Transaction> {
    let count = plan.transactions().len().saturating_sub(1);
    plan.transactions().iter().take(count).map(|planned| &planned.transaction).collect()
}

/// What approvals allow in the end, each pair of token and spender once: of two of one pair the later one counts.
fn allowed(approvals: &[&Transaction]) -> Result<Vec<Allowance>, Refusal> {
    let mut rows: Vec<Allowance> = Vec::new();
    for approval in approvals {
        let arguments = approve::APPROVE.arguments(approval.data()).unwrap_or_default();
        let spender = arguments.first().and_then(as_address);
        let amount = arguments.get(1).and_then(as_uint);
        let (Some(token), Some(spender), Some(amount)) = (approval.to(), spender, amount) else {
            return Err(bug("an approval is none"));
        };
        match rows.iter_mut().find(|row| (row.token, row.spender) == (token, spender)) {
            Some(row) => row.amount = amount,
            None => rows.push(Allowance { token, spender, amount }),
        }
    }
    Ok(rows)
}

/// The amount of the row for the same token and spender.
fn of_pair(rows: &[Allowance], pair: &Allowance) -> Option<U256> {
    rows.iter().find(|row| (row.token, row.spender) == (pair.token, pair.spender)).map(|row| row.amount)
}

fn bug(problem: &str) -> Refusal {
    Refusal::new(Code::BUG, "", problem, "report it")
}
