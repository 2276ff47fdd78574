//! The person at the terminal.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};

use coldbridge::{Code, Refusal};

/// What a person has to type.
pub enum Expected {
    /// The word yes.
    Yes,
    /// The last digits of something that is on the screen, or an amount from it: what nobody types without reading.
    Typed {
        /// What it is the end of, in words.
        what: &'static str,
        /// Its last 6 digits.
        end: String,
        /// The amount in base units.
        amount: Option<String>,
    },
}

impl Expected {
    fn prompt(&self) -> String {
        match self {
            Self::Yes => "Type yes to sign: ".to_owned(),
            Self::Typed { what, amount: None, .. } => format!("Type the last 6 digits of the {what} to sign: "),
            Self::Typed { what, amount: Some(_), .. } => {
                format!("Type the last 6 digits of the {what}, or the amount in base units, to sign: ")
            }
        }
    }

    fn is(&self, answer: &str) -> bool {
        match self {
            Self::Yes => answer == "yes",
            Self::Typed { end, amount, .. } => {
                answer.eq_ignore_ascii_case(end) || amount.as_deref().is_some_and(|amount| answer == amount)
            }
        }
    }
}

/// Shows a text on the terminal and asks whether to sign. Standard input and output may be pipes: the terminal is
/// opened by itself.
///
/// # Errors
/// `sign.declined` if there is no terminal or the answer is another one.
pub fn confirm(text: &str, question: &str, expected: &Expected) -> Result<(), Refusal> {
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
    write!(terminal, "{text}{question} {}", expected.prompt())
        .and_then(|()| terminal.flush())
        .and_then(|()| BufReader::new(&terminal).read_line(&mut answer))
        .map_err(|error| declined(format!("the terminal can not be used: {error}"), "try again on another terminal"))?;
    if expected.is(answer.trim()) {
        return Ok(());
    }
    let problem = match expected {
        Expected::Yes => "the answer was not yes".to_owned(),
        Expected::Typed { what, .. } => format!("the answer was not the end of the {what}"),
    };
    Err(declined(problem, "nothing was signed; correct the request and try again"))
}
