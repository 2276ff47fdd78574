//! A command line that is not understood.

use std::io::Write as _;
use std::process::ExitCode;

use coldbridge::{Code, Refusal};

/// Prints what clap has to say, help and version included, and gives the exit code.
pub fn answer(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // The switch itself could not be parsed; its word is enough.
    if std::env::args_os().any(|argument| argument == "--json-errors") {
        let text = error.to_string();
        let problem = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let refusal = Refusal::new(Code::USAGE, "", problem, "see --help");
        let _ = std::io::stderr().write_all(format!("{}\n", refusal.to_document()).as_bytes());
    } else {
        let _ = error.print();
    }
    ExitCode::from(Code::USAGE.exit.code())
}
