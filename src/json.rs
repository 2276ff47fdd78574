//! Strict JSON in, canonical JSON out.
//!
//! Strict: UTF-8, at most [`MAX_BYTES`] and [`MAX_DEPTH`], no duplicate members, no trailing bytes, and the only numbers
//! are integers from 0 to 2^53-1. `serde_json::Value` would keep the last of two equal members and round large integers.
//! Canonical: member order as built, no white space, so that the same document is the same bytes everywhere.
//! A [`Cursor`] reads a document and always knows its place, as a JSON Pointer.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use ethabi::ethereum_types::U256;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::address::{Address, Spelling};
use crate::refusal::{Code, Refusal, shown};

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

/// Reads one document.
///
/// # Errors
/// The `json.*` codes, with the place.
pub fn parse(bytes: &[u8]) -> Result<Json, Refusal> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Refusal::new(
            Code::JSON_ENCODING,
            "",
            format!("byte {} is not UTF-8", error.valid_up_to()),
            "save the document as UTF-8 without a byte order mark",
        )
    })?;
    let state = RefCell::new(State { path: Vec::new(), refusal: None });
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Strict { state: &state }.deserialize(&mut deserializer);
    let value = match parsed {
        Ok(value) => value,
        Err(error) => {
            let state = state.into_inner();
            return Err(match state.refusal {
                Some(refusal) => refusal(&pointer(&state.path), &place(&error)),
                None if error.to_string().starts_with("number out of range") => {
                    number(&pointer(&state.path), &place(&error), "a number that no reader can hold")
                }
                None => syntax(&error),
            });
        }
    };
    deserializer.end().map_err(|error| {
        Refusal::new(
            Code::JSON_TRAILING,
            "",
            format!("something follows the document{}", place(&error)),
            "hand over one document, or one document a line (JSON Lines)",
        )
    })?;
    Ok(value)
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

/// The refusal of a number. It is not repeated: a reader that stumbles over a key file must not print its digits.
fn number(at: &str, place: &str, actual: &str) -> Refusal {
    Refusal::new(
        Code::JSON_NUMBER,
        at,
        format!("{actual} where an integer from 0 to 2^53-1 belongs{place}"),
        "write amounts, prices and large counts as decimal strings, counts as plain integers",
    )
    .values("an integer from 0 to 9007199254740991", actual)
}

fn syntax(error: &serde_json::Error) -> Refusal {
    let full = error.to_string();
    let reason = full.split(" at line ").next().unwrap_or("not JSON");
    Refusal::new(
        Code::JSON_SYNTAX,
        "",
        format!("not JSON: {reason}{}", place(error)),
        "mend the text there; a JSON checker shows the place",
    )
}

fn place(error: &serde_json::Error) -> String {
    match error.line() {
        0 => String::new(),
        line => format!(" (line {line} column {})", error.column()),
    }
}

enum Step {
    Name(String),
    Index(usize),
}

type LateRefusal = Box<dyn FnOnce(&str, &str) -> Refusal>;

struct State {
    path: Vec<Step>,
    refusal: Option<LateRefusal>,
}

/// A seed that builds [`Json`] and remembers where it is: on an error the path is left as it stands.
struct Strict<'s> {
    state: &'s RefCell<State>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(&self, refusal: impl FnOnce(&str, &str) -> Refusal + 'static) -> E {
        self.state.borrow_mut().refusal = Some(Box::new(refusal));
        E::custom("refused")
    }

    fn number<E: serde::de::Error>(&self, actual: &'static str) -> E {
        self.refuse(move |at, place| number(at, place, actual))
    }

    fn step<R, E: serde::de::Error>(&self, step: Step, inside: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        self.state.borrow_mut().path.push(step);
        let result = inside()?;
        self.state.borrow_mut().path.pop();
        Ok(result)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Json;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        let depth = self.state.borrow().path.len() + 1;
        if depth > MAX_DEPTH {
            return Err(self.refuse(|at, place| {
                Refusal::new(
                    Code::JSON_TOO_DEEP,
                    at,
                    format!("nested deeper than {MAX_DEPTH} levels{place}"),
                    "no document of coldbridge is that deep: check where this came from",
                )
            }));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Json, E> {
        if value < INTEGER_LIMIT { Ok(Json::Integer(value)) } else { Err(self.number("a larger integer")) }
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Json, E> {
        Err(self.number("a negative number"))
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Json, E> {
        Err(self.number("a float, an exponent or a larger integer"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::text(value))
    }
    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        let state = self.state;
        while let Some(item) = self.step(Step::Index(array.len()), || items.next_element_seed(Strict { state }))? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if !names.insert(name.clone()) {
                self.state.borrow_mut().path.push(Step::Name(name));
                return Err(self.refuse(|at, place| {
                    Refusal::new(
                        Code::JSON_DUPLICATE_MEMBER,
                        at,
                        format!("the member stands twice in its object{place}"),
                        "delete one of the two; readers differ in which one they take",
                    )
                }));
            }
            let state = self.state;
            let value = self.step(Step::Name(name.clone()), || entries.next_value_seed(Strict { state }))?;
            members.push((name, value));
        }
        Ok(Json::Object(members))
    }
}

fn pointer(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Name(name) => push_name(&mut out, name),
            Step::Index(index) => push_index(&mut out, *index),
        }
    }
    out
}

/// The place of a member of the object at a place.
pub fn child(at: &str, name: &str) -> String {
    let mut out = at.to_owned();
    push_name(&mut out, name);
    out
}

fn push_name(out: &mut String, name: &str) {
    out.push('/');
    out.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

fn push_index(out: &mut String, index: usize) {
    out.push('/');
    out.push_str(&index.to_string());
}

/// A value of a document together with its place.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    value: &'a Json,
    place: Place<'a>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    Name(&'a Cursor<'a>, &'a str),
    Index(&'a Cursor<'a>, usize),
}

impl<'a> Cursor<'a> {
    /// The document itself.
    pub fn root(value: &'a Json) -> Self {
        Self { value, place: Place::Root }
    }

    /// The value at this place.
    pub fn value(&self) -> &'a Json {
        self.value
    }

    /// The JSON Pointer of this place.
    pub fn at(&self) -> String {
        let mut out = String::new();
        self.write_at(&mut out);
        out
    }

    fn write_at(&self, out: &mut String) {
        match self.place {
            Place::Root => {}
            Place::Name(parent, name) => {
                parent.write_at(out);
                push_name(out, name);
            }
            Place::Index(parent, index) => {
                parent.write_at(out);
                push_index(out, index);
            }
        }
    }

    /// A refusal at this place.
    pub fn refuse(&self, code: Code, problem: impl Into<String>, remedy: impl Into<String>) -> Refusal {
        Refusal::new(code, self.at(), problem, remedy)
    }

    fn wrong_type(&self, wanted: &str, remedy: &str) -> Refusal {
        self.refuse(Code::JSON_WRONG_TYPE, format!("{} where {wanted} belongs", self.value.kind()), remedy)
            .values(wanted, self.value.kind())
    }

    /// The members of an object that has all of `required`, some of `optional` and no others.
    ///
    /// # Errors
    /// `json.wrong_type`, `json.unknown_member`, or `json.missing_member` (which names all that are missing).
    pub fn members(&'a self, required: &[&str], optional: &[&str]) -> Result<Members<'a>, Refusal> {
        let entries = self.entries()?;
        for (name, _) in entries {
            if !required.contains(&name.as_str()) && !optional.contains(&name.as_str()) {
                let known: Vec<&str> = required.iter().chain(optional).copied().collect();
                let mut at = self.at();
                push_name(&mut at, name);
                return Err(Refusal::new(
                    Code::JSON_UNKNOWN_MEMBER,
                    at,
                    format!("there is no member \"{}\" here", shown(name)),
                    format!("delete it, or spell one of: {}", known.join(", ")),
                ));
            }
        }
        let missing: Vec<&str> =
            required.iter().filter(|name| !entries.iter().any(|(key, _)| key == *name)).copied().collect();
        if let Some(first) = missing.first() {
            let mut at = self.at();
            push_name(&mut at, first);
            return Err(Refusal::new(
                Code::JSON_MISSING_MEMBER,
                at,
                format!("missing: {}", missing.join(", ")),
                format!("add {}", missing.join(", ")),
            ));
        }
        Ok(Members { cursor: self, entries })
    }

    /// The members of a document: its `schema` is judged before its other members, which another version may have changed.
    pub fn document(&'a self, schema: &str, required: &[&str], optional: &[&str]) -> Result<Members<'a>, Refusal> {
        if let Some((name, value)) = self.entries()?.iter().find(|(name, _)| name == "schema") {
            self.member(name, value).schema(schema)?;
        }
        self.members(&[&["schema"], required].concat(), optional)
    }

    /// The members of an object, whatever they are called.
    pub fn entries(&self) -> Result<&'a [(String, Json)], Refusal> {
        match self.value {
            Json::Object(entries) => Ok(entries),
            _ => Err(self.wrong_type("an object", "write an object {...}")),
        }
    }

    /// The cursor of a member that is known to be there.
    #[must_use]
    pub fn member(&'a self, name: &'a str, value: &'a Json) -> Cursor<'a> {
        Cursor { value, place: Place::Name(self, name) }
    }

    /// The items of an array.
    pub fn items(&'a self) -> Result<Vec<Cursor<'a>>, Refusal> {
        match self.value {
            Json::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, value)| Cursor { value, place: Place::Index(self, index) })
                .collect()),
            _ => Err(self.wrong_type("an array", "write an array [...]")),
        }
    }

    /// A string.
    pub fn text(&self) -> Result<&'a str, Refusal> {
        match self.value {
            Json::Text(text) => Ok(text),
            _ => Err(self.wrong_type("a string", "write a string in quotes")),
        }
    }

    /// A short text for people: 1 to 128 printable ASCII characters, so that it can not move a terminal's cursor.
    pub fn label(&self) -> Result<&'a str, Refusal> {
        let text = self.text()?;
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if fits {
            return Ok(text);
        }
        Err(self.refuse(
            Code::JSON_TEXT,
            format!("\"{}\" is not 1 to 128 printable ASCII characters", shown(text)),
            "use letters, digits and punctuation only",
        ))
    }

    /// `schema` and its version.
    pub fn schema(&self, expected: &str) -> Result<(), Refusal> {
        let actual = self.text()?;
        if actual == expected {
            return Ok(());
        }
        Err(self
            .refuse(
                Code::JSON_SCHEMA,
                format!("this is \"{}\", not \"{expected}\"", shown(actual)),
                "hand over that document, or use the version of coldbridge that writes this one",
            )
            .values(expected, shown(actual)))
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Refusal> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        Err(self
            .refuse(
                Code::JSON_CHOICE,
                format!("\"{}\" is none of: {known}", shown(text)),
                format!("write one of: {known}"),
            )
            .values(known, shown(text)))
    }

    /// An amount, a price or a fee: a decimal string in base units, without sign, leading zeros or exponent.
    pub fn amount(&self) -> Result<U256, Refusal> {
        match self.value {
            Json::Text(text) => self.decimal(text),
            _ => {
                Err(self.wrong_type("a decimal string", "write the amount in base units (wei), as a string in quotes"))
            }
        }
    }

    /// A count: an integer below 2^53 or a decimal string.
    pub fn wide_count(&self) -> Result<U256, Refusal> {
        match self.value {
            Json::Integer(value) => Ok(U256::from(*value)),
            Json::Text(text) => self.decimal(text),
            _ => Err(self.wrong_type("an integer", "write an integer, or a decimal string in quotes")),
        }
    }

    /// A count up to `max`.
    pub fn count<T: TryFrom<U256>>(&self, max: T) -> Result<T, Refusal>
    where
        U256: From<T>,
    {
        let value = self.wide_count()?;
        let max = U256::from(max);
        T::try_from(value).ok().filter(|_| value <= max).ok_or_else(|| self.out_of_range(max, value))
    }

    fn out_of_range(&self, max: U256, value: U256) -> Refusal {
        self.refuse(
            Code::QUANTITY_RANGE,
            format!("{value} is above {max}, the largest number that this field holds"),
            "check the number and its unit",
        )
        .values(format!("at most {max}"), value)
    }

    fn decimal(&self, text: &str) -> Result<U256, Refusal> {
        if text.starts_with("0x") || text.starts_with("0X") {
            return Err(self.refuse(
                Code::QUANTITY_HEX,
                format!("\"{}\" is written in hex", shown(text)),
                "write the number in decimal: 0x10 and 10 are easily confused",
            ));
        }
        let plain = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        if !plain {
            return Err(self.refuse(
                Code::QUANTITY_FORMAT,
                format!("\"{}\" is not a plain decimal number", shown(text)),
                "write digits only, in base units: no sign, point, exponent, separator, space or leading zero",
            ));
        }
        U256::from_dec_str(text).map_err(|_| {
            self.refuse(
                Code::QUANTITY_RANGE,
                format!("a number of {} digits is above 2^256-1", text.len()),
                "check the number and its unit",
            )
        })
    }

    /// An address.
    pub fn address(&self, spelling: Spelling) -> Result<Address, Refusal> {
        let text = self.text()?;
        Address::parse(text, spelling).map_err(|error| error.refusal(self.at(), text))
    }

    /// Bytes: 0x and an even number of hex digits.
    pub fn bytes(&self) -> Result<Vec<u8>, Refusal> {
        let text = self.text()?;
        text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok()).ok_or_else(|| {
            self.refuse(
                Code::BYTES_FORMAT,
                format!("\"{}\" is not 0x and an even number of hex digits", shown(text)),
                "write bytes as 0x and two hex digits a byte",
            )
        })
    }

    /// Bytes of exactly this length.
    pub fn fixed_bytes<const N: usize>(&self) -> Result<[u8; N], Refusal> {
        let bytes = self.bytes()?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| {
            self.refuse(Code::BYTES_FORMAT, format!("{length} bytes where {N} belong"), format!("write {N} bytes"))
                .values(N, length)
        })
    }
}

/// The members of an object whose names have been checked.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    cursor: &'a Cursor<'a>,
    entries: &'a [(String, Json)],
}

impl<'a> Members<'a> {
    /// A member that may be absent.
    pub fn optional(&self, name: &str) -> Option<Cursor<'a>> {
        self.entries
            .iter()
            .find(|(key, _)| key == name)
            .map(|(key, value)| Cursor { value, place: Place::Name(self.cursor, key) })
    }

    /// A member that must be there.
    pub fn required(&self, name: &str) -> Result<Cursor<'a>, Refusal> {
        self.optional(name).ok_or_else(|| {
            let mut at = self.cursor.at();
            push_name(&mut at, name);
            Refusal::new(Code::JSON_MISSING_MEMBER, at, format!("missing: {name}"), format!("add {name}"))
        })
    }
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
