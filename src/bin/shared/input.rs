//! Documents in: one to a file, or one a line. A batch is read line by line, so that its length costs no memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use coldbridge::json::{MAX_BYTES, too_large};
use coldbridge::{Code, Refusal};

use crate::usage::path_name;

/// The documents of one input.
pub struct Input {
    source: Box<dyn BufRead>,
    name: String,
    state: State,
}

/// How far an input has been read.
enum State {
    /// A first line that is a whole document. What follows is not waited for until it is asked for.
    First(Vec<u8>),
    /// The first line has been handed out.
    AfterFirst,
    /// A line that has been read to see whether this is a batch.
    Next(Vec<u8>),
    /// A batch whose next line has not been read.
    Lines,
    /// One document over many lines.
    Document(Vec<u8>),
    /// Nothing more.
    End,
}

/// How the input is divided.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The whole input is one document.
    Document,
    /// Each line that is not empty is one.
    Lines,
}

impl Input {
    /// Opens a file, or standard input for `-`, and looks at its first line.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let name = path_name(path);
        if path.as_os_str() == "-" {
            return Self::new(Box::new(io::stdin().lock()), "standard input".to_owned());
        }
        let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
        Self::new(Box::new(BufReader::new(file)), name)
    }

    /// The documents of a text that was read before.
    #[allow(dead_code)] // the relay asks nobody about a batch, and reads none twice
    pub fn of(text: Vec<u8>) -> Result<Self, Refusal> {
        Self::new(Box::new(io::Cursor::new(text)), "the batch".to_owned())
    }

    /// The whole text of an input, for whoever looks at a batch twice.
    #[allow(dead_code)] // as above
    pub fn text(path: &Path) -> Result<Vec<u8>, Refusal> {
        const MAX_BATCH: u64 = 64 * 1024 * 1024;
        let name = path_name(path);
        let mut text = Vec::new();
        let source: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(|error| unreadable(&name, &error))?)
        };
        source.take(MAX_BATCH + 1).read_to_end(&mut text).map_err(|error| unreadable(&name, &error))?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BATCH {
            let error = io::Error::other(format!("a batch that a person agrees to has at most {MAX_BATCH} bytes"));
            return Err(unreadable(&name, &error));
        }
        Ok(text)
    }

    fn new(mut source: Box<dyn BufRead>, name: String) -> Result<Self, Refusal> {
        let unreadable = |error| unreadable(&name, &error);
        let mut first = line(&mut source, Overlong::Stop).map_err(unreadable)?;
        let mut leading = Vec::new();
        while first.as_deref().is_some_and(is_blank) && leading.len() <= MAX_BYTES {
            leading.extend(first.take().into_iter().flatten());
            first = line(&mut source, Overlong::Stop).map_err(unreadable)?;
        }
        let state = match first {
            None => State::Document(leading),
            // If more lines follow, this is a batch.
            Some(first) if is_whole(&first) => State::First(first),
            Some(first) => {
                let mut document = leading;
                document.extend(first);
                let room = u64::try_from((MAX_BYTES + 1).saturating_sub(document.len())).unwrap_or(0);
                source.by_ref().take(room).read_to_end(&mut document).map_err(unreadable)?;
                State::Document(document)
            }
        };
        Ok(Self { source, name, state })
    }

    /// One document or a batch. After the first document this waits for a second line, or for the end.
    pub fn shape(&mut self) -> Result<Shape, Refusal> {
        if let State::AfterFirst = self.state {
            self.state = match self.next_line()? {
                Some(line) => State::Next(line),
                None => State::End,
            };
        }
        Ok(match self.state {
            State::Next(_) | State::Lines => Shape::Lines,
            State::First(_) | State::AfterFirst | State::Document(_) | State::End => Shape::Document,
        })
    }

    /// The next document, if there is one.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        match std::mem::replace(&mut self.state, State::End) {
            State::First(document) => {
                self.state = State::AfterFirst;
                Ok(Some(document))
            }
            State::Next(document) => {
                self.state = State::Lines;
                Ok(Some(document))
            }
            State::AfterFirst | State::Lines => {
                let line = self.next_line()?;
                self.state = if line.is_some() { State::Lines } else { State::End };
                Ok(line)
            }
            State::Document(document) => Ok(Some(document)),
            State::End => Ok(None),
        }
    }

    fn next_line(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        loop {
            match line(&mut self.source, Overlong::Skip).map_err(|error| unreadable(&self.name, &error))? {
                Some(text) if is_blank(&text) => {}
                text => return Ok(text),
            }
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Refusal {
    Refusal::new(
        Code::IO_READ,
        "",
        format!("{name} can not be read: {error}"),
        "check the path and its permissions, or hand the document over on standard input",
    )
}

fn is_blank(line: &[u8]) -> bool {
    line.len() <= MAX_BYTES && line.iter().all(u8::is_ascii_whitespace)
}

/// Whether a line is a document by itself: JSON of any kind, or a raw transaction.
fn is_whole(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"0x") || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// What becomes of the rest of a line that is too long. Only so much of it is kept that it is refused for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overlong {
    /// Nothing more is read: there will be no next line.
    Stop,
    /// It is read and forgotten: the next line comes after it.
    Skip,
}

/// Reads a line with its end.
fn line(source: &mut impl BufRead, overlong: Overlong) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let limit = u64::try_from(MAX_BYTES + 2).unwrap_or(u64::MAX);
    source.by_ref().take(limit).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() > MAX_BYTES && overlong == Overlong::Skip {
        loop {
            let buffer = source.fill_buf()?;
            let (length, is_end) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            source.consume(length);
            if is_end {
                break;
            }
        }
        line.push(b'\n');
    }
    Ok(Some(line))
}

/// The document of a line: without its end, and not too large.
pub fn trimmed(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.len() > MAX_BYTES { Err(too_large()) } else { Ok(bytes) }
}
