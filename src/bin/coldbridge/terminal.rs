//! The person at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Write};

use coldbridge::{Code, Refusal};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::secret_file::MAX_PASSWORD;

/// The columns of a screen.
const WIDTH: usize = 80;

/// Writes a line for a person to standard error.
pub fn tell(text: &str) {
    // Where it can not be written there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A text behind a label, wrapped at spaces; an address is never broken. No line of it but the first begins where a label
/// does, whatever names in it hold: a terminal would begin one in the middle of what is too long.
pub fn wrapped(first: &str, rest: &str, text: &str) -> String {
    let (mut out, mut line, mut is_empty) = (String::new(), first.to_owned(), true);
    for mut word in text.split(' ') {
        loop {
            if !is_empty && line.len() + 1 + word.len() > WIDTH {
                out.push_str(line.trim_end());
                out.push('\n');
                (line, is_empty) = (rest.to_owned(), true);
            }
            if !is_empty {
                line.push(' ');
            }
            let (piece, more) = word.split_at_checked(WIDTH - line.len()).unwrap_or((word, ""));
            line.push_str(piece);
            (word, is_empty) = (more, false);
            if word.is_empty() {
                break;
            }
        }
    }
    format!("{out}{}\n", line.trim_end())
}

/// Asks for a password without showing it. Standard input and output may be pipes.
///
/// # Errors
/// `key.no_password` if there is no terminal, `sign.declined` if the person gives up (Ctrl-C, or Ctrl-D at the start).
pub fn password(question: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| {
        let remedy = "pass --password-file FILE, a file that only its owner can read";
        Refusal::new(Code::KEY_NO_PASSWORD, "", "there is no terminal to ask for the password on", remedy)
    })?;
    let read = Quiet::new(&terminal).and_then(|_quiet| {
        (&terminal).write_all(question.as_bytes())?;
        let typed = typed(&terminal);
        (&terminal).write_all(b"\n")?;
        typed
    });
    match read {
        Ok(Some(password)) => Ok(password),
        Ok(None) => {
            Err(Refusal::new(Code::SIGN_DECLINED, "", "no password was given", "nothing was signed or written"))
        }
        Err(error) => Err(Refusal::new(
            Code::KEY_NO_PASSWORD,
            "",
            format!("the terminal can not be used: {error}"),
            "try again on another terminal, or pass --password-file FILE",
        )),
    }
}

/// A terminal that shows nothing and hands over every key at once, until this is dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        // Without line editing by the system, which would hold the password in its own line; without signals, after
        // which the terminal would stay quiet.
        quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        // What was typed before the question was shown is no answer to it.
        tcflush(terminal, QueueSelector::IFlush)?;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Reads a line key by key; nothing if the person gives up.
fn typed(mut terminal: &File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_PASSWORD));
    let mut key = Zeroizing::new([0]);
    loop {
        if terminal.read(key.as_mut_slice())? == 0 {
            return Ok(None);
        }
        match key[0] {
            b'\n' | b'\r' => return Ok(Some(line)),
            // Ctrl-C, and Ctrl-D on an empty line
            0x03 => return Ok(None),
            0x04 => return Ok(if line.is_empty() { None } else { Some(line) }),
            // Ctrl-U
            0x15 => line.clear(),
            // Backspace, over a whole character
            0x08 | 0x7f => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            byte if line.len() < MAX_PASSWORD => line.push(byte),
            _ => return Err(io::Error::other(format!("a password has at most {MAX_PASSWORD} bytes"))),
        }
    }
}

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
    tcflush(&terminal, QueueSelector::IFlush)
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
