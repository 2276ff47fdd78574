//! The person at the terminal.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};

use coldbridge::{Code, Refusal};

/// Shows a text on the terminal and asks whether to sign. Standard input and output may be pipes: the terminal is
/// opened by itself.
///
/// # Errors
/// `sign.declined` if there is no terminal or the answer is not `yes`.
pub fn confirm(text: &str, question: &str) -> Result<(), Refusal> {
    let declined = |problem: String, remedy: &str| Refusal::new(Code::SIGN_DECLINED, "", problem, remedy);
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| {
        declined(
            "there is no terminal to ask on".to_owned(),
            "review the document, then pass --yes to sign without a question",
        )
    })?;
    // What was typed before the question was shown is no answer to it.
    rustix::termios::tcflush(&terminal, rustix::termios::QueueSelector::IFlush)
        .map_err(|error| declined(format!("the terminal can not be used: {error}"), "try again on another terminal"))?;
    let mut answer = String::new();
    write!(terminal, "{text}{question} Type yes to sign: ")
        .and_then(|()| terminal.flush())
        .and_then(|()| BufReader::new(&terminal).read_line(&mut answer))
        .map_err(|error| declined(format!("the terminal can not be used: {error}"), "try again on another terminal"))?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(declined("the answer was not yes".to_owned(), "nothing was signed; correct the request and try again"))
}
