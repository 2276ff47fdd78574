//! `coldbridge-relay`: submits signed payloads. It holds no key and can not sign.
//!
//! The only program of the project that opens a socket, and `rpc.rs` is its only file that does.

#[allow(dead_code)] // until `prepare` reads them all
mod answer;
mod broadcast;
mod cli;
mod endpoints;
#[allow(dead_code)] // the relay reads documents, but does not answer them line by line
#[path = "../shared/input.rs"]
mod input;
mod journal;
#[path = "../shared/networks.rs"]
mod networks;
mod output;
#[allow(dead_code)] // until `prepare` reads raw answers
mod quorum;
#[allow(dead_code)] // until `prepare` reads what a revert says
mod rpc;
#[path = "../shared/usage.rs"]
mod usage;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::output::{Errors, print_refusal};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error),
    };
    let result = networks::known(&cli.network_file).and_then(|networks| match &cli.command {
        Command::Broadcast(arguments) => broadcast::run(arguments, &networks),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            print_refusal(&refusal, if cli.json_errors { Errors::Json } else { Errors::Text });
            ExitCode::from(refusal.exit().code())
        }
    }
}
