//! `coldbridge-relay`: submits signed payloads. It holds no key and can not sign.
//!
//! The only program of the project that opens a socket, and `rpc.rs` is its only file that does.

mod announced;
#[allow(dead_code)] // until `prepare` reads them all
mod answer;
mod broadcast;
mod cli;
mod contract;
mod delivery;
mod endpoints;
#[allow(dead_code)] // the relay reads documents, but does not answer them line by line
#[path = "../shared/input.rs"]
mod input;
mod journal;
mod named;
#[path = "../shared/networks.rs"]
mod networks;
#[path = "../shared/new_file.rs"]
mod new_file;
mod number;
mod output;
mod payload;
mod prepare;
mod progress;
mod proof;
#[allow(dead_code)] // raw answers are for commands that pass them on
mod quorum;
mod receipt;
mod rpc;
mod state;
mod status;
mod track;
#[path = "../shared/usage.rs"]
mod usage;
mod wording;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::output::{Errors, print_refusal};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error),
    };
    let errors = if cli.json_errors { Errors::Json } else { Errors::Text };
    let result = networks::known(&cli.network_file).and_then(|networks| match &cli.command {
        Command::Broadcast(arguments) => broadcast::run(arguments, &networks, errors).map(|()| 0),
        Command::Track(arguments) => track::run(arguments, &networks, errors),
        Command::Status(arguments) => status::run(arguments, &networks).map(|()| 0),
        Command::Prepare(arguments) => prepare::run(arguments, &networks),
        Command::Proof(arguments) => proof::run(arguments, &networks),
    });
    match result {
        Ok(code) => ExitCode::from(code),
        Err(refusal) => {
            print_refusal(&refusal, errors);
            ExitCode::from(refusal.exit().code())
        }
    }
}
