//! `coldbridge`: build, review, sign and verify on a machine without a network.
//!
//! This program holds every file, prompt and exit code; the library holds every rule.

mod cli;
mod command;
mod guard_file;
mod hardening;
#[path = "../shared/input.rs"]
mod input;
mod key_file;
#[path = "../shared/networks.rs"]
mod networks;
#[path = "../shared/new_file.rs"]
mod new_file;
mod output;
mod policy_file;
mod secret_file;
mod terminal;
#[path = "../shared/usage.rs"]
mod usage;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::output::Errors;

fn main() -> ExitCode {
    let filter = hardening::begin();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::answer(&error),
    };
    let errors = if cli.json_errors { Errors::Json } else { Errors::Text };
    let result = hardening::without_panic(|| {
        if cli.require_airgap {
            hardening::require_airgap(filter, Path::new("/"))?;
        }
        command::run(cli, errors, filter)
    });
    match result {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(refusal) => {
            errors.print(&refusal);
            ExitCode::from(refusal.exit().code())
        }
    }
}
