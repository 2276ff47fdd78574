//! Strict JSON in, canonical JSON out.
//!
//! Strict: UTF-8, at most [`MAX_BYTES`] and [`MAX_DEPTH`], no duplicate members, no trailing bytes, and the only numbers
//! are integers from 0 to 2^53-1. `serde_json::Value` would keep the last of two equal members and round large integers.
//! Canonical: member order as built, no white space, so that the same document is the same bytes everywhere.
//! A [`Cursor`] reads a document and always knows its place, as a JSON Pointer.

mod cursor;
mod strict;

use std::fmt::{self, Write as _};

use ethabi::ethereum_types::U256;

use crate::refusal::{Code, Refusal};

pub use cursor::{Cursor, Members, child};
pub use strict::parse;

/// The largest document that is read.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The deepest nesting that is read; the document itself is level 1.
pub const MAX_DEPTH: usize = 64;
/// The first integer that JSON readers do not agree on (2^53).
pub const INTEGER_LIMIT: u64 = 1 << 53;

/// A JSON value whose members keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer from 0 to 2^53-1.
    Integer(u64),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A string value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The string that a value prints.
    pub fn display(value: impl fmt::Display) -> Self {
        Self::Text(value.to_string())
    }

    /// A count: an integer below 2^53, otherwise a decimal string.
    pub fn count(count: impl Into<U256>) -> Self {
        let count = count.into();
        if count < U256::from(INTEGER_LIMIT) { Self::Integer(count.low_u64()) } else { Self::Text(count.to_string()) }
    }

    /// Bytes as lower-case 0x hex.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Text(format!("0x{}", hex::encode(bytes)))
    }

    /// An object with its members in the given order.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl fmt::Display for Json {
    /// Canonical text without a line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Text(text) => write_text(f, text),
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    f.write_char(if index == 0 { '[' } else { ',' })?;
                    write!(f, "{item}")?;
                }
                f.write_str(if items.is_empty() { "[]" } else { "]" })
            }
            Self::Object(members) => {
                for (index, (name, value)) in members.iter().enumerate() {
                    f.write_char(if index == 0 { '{' } else { ',' })?;
                    write_text(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str(if members.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            ' '..='~' => f.write_char(character)?,
            // Everything else as \uXXXX: the output is ASCII, whatever a member name or a message holds.
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
        }
    }
    f.write_char('"')
}

/// The refusal of a document that is too large, however large it is: the rest of it is not read.
pub fn too_large() -> Refusal {
    Refusal::new(
        Code::JSON_TOO_LARGE,
        "",
        format!("the document has more than {MAX_BYTES} bytes"),
        "split the batch into one document a line (JSON Lines)",
    )
    .values(format!("at most {MAX_BYTES} bytes"), "more")
}

/// Whether a document that is about to be written can be read again.
///
/// # Errors
/// `json.too_large`.
pub fn judge_size(what: &str, length: usize) -> Result<(), Refusal> {
    if length <= MAX_BYTES {
        return Ok(());
    }
    Err(Refusal::new(
        Code::JSON_TOO_LARGE,
        "",
        format!("{what} would have up to {length} bytes, and no document of more than {MAX_BYTES} is read"),
        "hand over less bytecode or calldata at once; an unsigned document says twice what its request says, which can be \
         signed by itself",
    )
    .values(format!("at most {MAX_BYTES} bytes"), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (String, String) {
        let refusal = parse(text.as_bytes()).expect_err("must be refused");
        (refusal.code().name.to_owned(), refusal.at().to_owned())
    }

    #[test]
    fn places_are_json_pointers() {
        assert_eq!(refused(r#"{"a":{"b":1,"b":2}}"#), ("json.duplicate_member".into(), "/a/b".into()));
        assert_eq!(refused(r#"{"a":[0,1.5]}"#), ("json.number".into(), "/a/1".into()));
        assert_eq!(refused(r#"{"a/b~":-1}"#), ("json.number".into(), "/a~1b~0".into()));
        assert_eq!(refused(r#"{"a":1e3}"#), ("json.number".into(), "/a".into()));
        assert_eq!(refused(r#"{"a":9007199254740992}"#), ("json.number".into(), "/a".into()));
        assert_eq!(refused(r#"{"a":-0}"#), ("json.number".into(), "/a".into()));
        assert_eq!(refused(r#"{"a":1"#), ("json.syntax".into(), String::new()));
        assert_eq!(refused(r#"{"a":1} x"#), ("json.trailing".into(), String::new()));
        assert_eq!(refused("\u{feff}{}"), ("json.syntax".into(), String::new()));
        assert_eq!(refused(r#""\ud800""#), ("json.syntax".into(), String::new()));
    }

    #[test]
    fn depth_and_size_have_exact_limits() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(refused(&nested(MAX_DEPTH + 1)), ("json.too_deep".into(), "/0".repeat(MAX_DEPTH)));
        assert_eq!(refused(&nested(100_000)).0, "json.too_deep");
        let filled = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
        assert!(parse(filled(MAX_BYTES).as_bytes()).is_ok());
        assert_eq!(refused(&filled(MAX_BYTES + 1)), ("json.too_large".into(), String::new()));
    }

    #[test]
    fn output_is_ascii_and_reads_back() {
        let value = Json::object([("na\u{1b}[2Jme", Json::text("\"\\\u{202e}\u{1f600}\n"))]);
        let text = value.to_string();
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
        assert_eq!(parse(text.as_bytes()), Ok(value));
    }
}
