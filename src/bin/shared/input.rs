//! Documents in: one to a file, or one a line. A batch is read line by line, so that its length costs no memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use coldbridge::json::{MAX_BYTES, too_large};
use coldbridge::refusal::printable;
use coldbridge::{Code, Refusal};

/// The documents of one input.
pub struct Input {
    source: Box<dyn BufRead>,
    name: String,
    first: Option<Vec<u8>>,
    shape: Shape,
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
        let name = printable(&path.to_string_lossy());
        if path.as_os_str() == "-" {
            return Self::new(Box::new(io::stdin().lock()), "standard input".to_owned());
        }
        let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
        Self::new(Box::new(BufReader::new(file)), name)
    }

    fn new(mut source: Box<dyn BufRead>, name: String) -> Result<Self, Refusal> {
        let unreadable = |error| unreadable(&name, &error);
        // If the first line that is not empty is a whole document and more follow, this is a batch.
        let mut first = line(&mut source, Overlong::Stop).map_err(unreadable)?;
        let mut leading = Vec::new();
        while first.as_deref().is_some_and(is_blank) && leading.len() <= MAX_BYTES {
            leading.extend(first.take().into_iter().flatten());
            first = line(&mut source, Overlong::Stop).map_err(unreadable)?;
        }
        let Some(first) = first else {
            return Ok(Self { source, name, first: Some(leading), shape: Shape::Document });
        };
        if is_whole(&first) {
            let mut next = line(&mut source, Overlong::Skip).map_err(unreadable)?;
            while next.as_deref().is_some_and(is_blank) {
                next = line(&mut source, Overlong::Skip).map_err(unreadable)?;
            }
            let Some(next) = next else {
                return Ok(Self { source, name, first: Some(first), shape: Shape::Document });
            };
            let source = Box::new(io::Cursor::new(next).chain(source));
            return Ok(Self { source, name, first: Some(first), shape: Shape::Lines });
        }
        let mut document = leading;
        document.extend(first);
        let room = u64::try_from((MAX_BYTES + 1).saturating_sub(document.len())).unwrap_or(0);
        source.by_ref().take(room).read_to_end(&mut document).map_err(unreadable)?;
        Ok(Self { source, name, first: Some(document), shape: Shape::Document })
    }

    /// One document or a batch.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The next document, if there is one.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.shape == Shape::Document {
            return Ok(None);
        }
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
