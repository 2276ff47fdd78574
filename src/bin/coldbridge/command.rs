//! The commands, one file each where they are more than a line.

mod attach;
mod document;
mod explain;
mod guard;
mod key;
mod policy;
mod schema;
mod sign;

use std::fmt::Write as _;

use clap::CommandFactory as _;
use coldbridge::json::Cursor;
use coldbridge::network::Origin;
use coldbridge::{Json, Networks, Refusal, Spelling};

use crate::cli::{Cli, Command, DocumentArgs, KeyCommand, NetworkCommand};
use crate::hardening::Filter;
use crate::output::{Errors, Output};
use crate::{key_file, networks};

/// The exit code that a command that ran to its end leaves with: a batch may hold refused lines.
#[derive(Clone, Copy)]
pub struct Outcome(u8);

impl Outcome {
    /// Everything was done.
    pub const DONE: Self = Self(0);

    /// The exit code.
    pub const fn code(self) -> u8 {
        self.0
    }
}

/// Runs the command that was asked for.
pub fn run(cli: Cli, errors: Errors, filter: Filter) -> Result<Outcome, Refusal> {
    let networks = networks::known(&cli.network_file)?;
    match cli.command {
        Command::Build { document, output } => document::build(&document, &output, &networks),
        Command::Review { document, json, policy, output } => {
            let form = if json { document::Form::Json } else { document::Form::Text };
            document::review(&document, form, &policy, &output, &networks)
        }
        Command::Sign { document, key, yes, policy, guard, output } => {
            let consent = if yes { sign::Consent::Given } else { sign::Consent::Ask };
            let how = sign::How { key: &key, policy: &policy, guard: &guard, consent, errors, filter };
            sign::sign(&document, &how, &output, &networks)
        }
        Command::Digest { document, only, policy, output } => {
            attach::digest(&document, only, &policy, &output, &networks)
        }
        Command::Attach { attach, output } => attach::attach(&attach, &output, errors, filter, &networks),
        Command::Export { document, policy, output, .. } => document::export(&document, &policy, &output, &networks),
        Command::Verify { document, raw, output } => {
            let form = if raw { document::VerifyForm::Raw } else { document::VerifyForm::Document };
            document::verify(&document, form, &output, &networks)
        }
        Command::Quote { document, output } => document::quote(&document, &output, &networks),
        Command::Inclusion { document, output } => document::inclusion(&document, &output, &networks),
        Command::Guard(command) => guard::run(command, errors),
        Command::Policy(command) => policy::run(&command),
        Command::Key(KeyCommand::Address { key }) => print(&format!("{}\n", key_file::read(&key)?.address())),
        Command::Key(KeyCommand::Import { key, output }) => key::import(&key, &output),
        Command::Network(NetworkCommand::List) => network_list(&networks),
        Command::Network(NetworkCommand::Show { name }) => network_show(&name, &networks),
        Command::Schema { name } => schema::schema(name.as_deref()),
        Command::Help { topic } => explain::explain(&topic),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "coldbridge", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// Writes a text to standard output.
fn print(text: &str) -> Result<Outcome, Refusal> {
    let mut output = Output::open(None)?;
    output.write(text)?;
    output.finish()?;
    Ok(Outcome::DONE)
}

fn network_list(networks: &Networks) -> Result<Outcome, Refusal> {
    let mut text = String::new();
    for network in networks.iter() {
        let origin = match network.origin {
            Origin::Pinned => "pinned",
            Origin::File => "from a file",
        };
        let _ = writeln!(
            text,
            "{:<20} L1 chain {:<10} L2 chain {:<10} protocol {:<8} {origin}",
            network.name,
            network.l1_chain_id,
            network.l2_chain_id,
            network.protocol_version.to_string()
        );
    }
    print(&text)
}

fn network_show(name: &str, networks: &Networks) -> Result<Outcome, Refusal> {
    let name = Json::text(name);
    let network = networks.named(&Cursor::root(&name))?;
    print(&format!("{}\n", network.to_json()))
}

/// How strictly addresses in an intent are judged.
fn spelling(arguments: &DocumentArgs) -> Spelling {
    if arguments.allow_unchecksummed { Spelling::AnyCase } else { Spelling::Checksummed }
}
