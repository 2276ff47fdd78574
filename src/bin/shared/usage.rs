//! A command line that is not understood, and what of a command line is never repeated.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use coldbridge::refusal::printable;
use coldbridge::{Code, Refusal};

/// In the place of an argument that is a key or a mnemonic: whoever passes it where a file belongs shall not find it in a log.
const HIDDEN: &str = "(not shown: it looks like a key)";

/// The path of a document for a message.
pub fn path_name(path: &Path) -> String {
    let name = path.to_string_lossy();
    if is_secret(&name) { HIDDEN.to_owned() } else { printable(&name) }
}

/// Whether an argument, or what it sets an option to, is 32 bytes in hex or at least 12 words.
fn is_secret(argument: &str) -> bool {
    let digits = argument.strip_prefix("0x").unwrap_or(argument);
    let is_key = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_key || argument.split_whitespace().count() >= 12
}

/// Prints what clap has to say, help and version included, and gives the exit code.
pub fn answer(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let mut secrets =
        arguments.iter().map(|argument| argument.split_once('=').map_or(argument.as_str(), |(_, set)| set));
    let text =
        secrets.clone().filter(|text| is_secret(text)).fold(error.to_string(), |text, one| text.replace(one, HIDDEN));
    // The switch itself could not be parsed; its word is enough.
    if arguments.iter().any(|argument| argument == "--json-errors") {
        // The first paragraph: which arguments are missing, and which values there are, stands on lines of their own.
        let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let paragraph = paragraph.join(" ");
        let problem = paragraph.trim_start_matches("error: ");
        let refusal = Refusal::new(Code::USAGE, "", problem, "see --help");
        let _ = std::io::stderr().write_all(format!("{}\n", refusal.to_document()).as_bytes());
    } else if secrets.any(is_secret) {
        let _ = std::io::stderr().write_all(text.as_bytes());
    } else {
        let _ = error.print();
    }
    ExitCode::from(Code::USAGE.exit.code())
}
