//! `prepare`: an intent and what the chain says make a request that `coldbridge build` takes.
//!
//! Nothing here decides what moves: the intent goes into the request as it came. The facts are read, checked for type and
//! range, compared with what is pinned and with each other; then the library's own build judges the whole, so that no request
//! is handed over that would be refused on the other side of the air gap.

pub mod arguments;
mod facts;
mod fees;
mod job;
mod l1_gas;
mod l2_call;
mod l2_gas;
pub mod pins;
mod priority;
mod wanted;
pub mod way;

use std::collections::BTreeMap;
use std::path::Path;

use coldbridge::{Address, Json, Networks, Refusal, Spelling};

use crate::endpoints::Endpoints;
use crate::input::{Input, Shape, trimmed};
use crate::new_file::Output;
use crate::output::print_note;
use crate::prepare::arguments::PrepareArgs;
use crate::prepare::job::{After, Job};

pub use facts::Choices;
pub use wanted::Wanted;

/// One connection: the questions of an intent follow from each other.
pub const CONNECTIONS: usize = 1;

/// Runs the command. Gives the exit code: in a batch, the first refused line's.
pub fn run(arguments: &PrepareArgs, networks: &Networks) -> Result<u8, Refusal> {
    let endpoints = Endpoints::read(&arguments.endpoints, CONNECTIONS, networks)?;
    let facts = &arguments.facts;
    let mut desk = Desk::new(networks, &endpoints, facts.spelling(), arguments.choices());
    each(&arguments.document, facts.output.as_deref(), |bytes, remarks| desk.prepare(&Wanted::read(bytes)?, remarks))
}

/// Answers each document of an input. In a batch every line is answered in order, a refused one with its error document.
fn each(
    input: &Path,
    output: Option<&Path>,
    mut answer: impl FnMut(&[u8], &mut Vec<String>) -> Result<Json, Refusal>,
) -> Result<u8, Refusal> {
    let mut input = Input::open(input)?;
    let mut output = Output::open(output)?;
    let mut code = 0;
    while let Some(bytes) = input.next()? {
        let is_one = || input.shape().map(|shape| shape == Shape::Document);
        answer_one(&mut output, &mut code, is_one, |remarks| answer(trimmed(&bytes)?, remarks))?;
    }
    output.finish()?;
    Ok(code)
}

/// Writes one answer, what a person should know about it first. The refusal of the only one is the program's; one of several
/// is written in its place, and the first of them is the exit code.
pub fn answer_one(
    output: &mut Output,
    code: &mut u8,
    is_one: impl FnOnce() -> Result<bool, Refusal>,
    answer: impl FnOnce(&mut Vec<String>) -> Result<Json, Refusal>,
) -> Result<(), Refusal> {
    let mut remarks = Vec::new();
    let answered = answer(&mut remarks);
    for remark in &remarks {
        print_note(remark);
    }
    match answered {
        Ok(document) => output.write_document(&document),
        Err(refusal) if is_one()? => Err(refusal),
        Err(refusal) => {
            if *code == 0 {
                *code = refusal.exit().code();
            }
            output.write_document(&refusal.to_document())
        }
    }
}

/// What one run of the program knows while it answers document after document.
pub struct Desk<'a> {
    /// The networks.
    pub networks: &'a Networks,
    /// The nodes.
    pub endpoints: &'a Endpoints,
    /// How strictly addresses of the intent are judged.
    pub spelling: Spelling,
    /// What the caller chose.
    pub choices: Choices,
    /// What the plans so far leave each account on each chain: networks can share their L1.
    after: BTreeMap<(u64, Address), After>,
}

impl<'a> Desk<'a> {
    /// A desk where nothing has been prepared yet.
    pub fn new(networks: &'a Networks, endpoints: &'a Endpoints, spelling: Spelling, choices: Choices) -> Self {
        Self { networks, endpoints, spelling, choices, after: BTreeMap::new() }
    }

    /// Makes the request, and says what a person should know about it.
    pub fn prepare(&mut self, wanted: &Wanted, remarks: &mut Vec<String>) -> Result<Json, Refusal> {
        let probe = wanted.probe(self.networks, self.spelling)?;
        let account = (probe.network().chain_id(probe.layer()), probe.from());
        let after = self.after.get(&account).cloned().unwrap_or_default();
        let (request, after) = Job::open(self, wanted, &probe, after, remarks)?.run(remarks)?;
        self.after.insert(account, after);
        Ok(request)
    }
}
