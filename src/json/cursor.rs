//! A value together with its place in the document, and what documents are made of: names, numbers, addresses, bytes.

use ethabi::ethereum_types::U256;

use super::Json;
use crate::address::{Address, Spelling};
use crate::refusal::{Code, Refusal, shown};

/// The place of a member of the object at a place.
pub fn child(at: &str, name: &str) -> String {
    let mut out = at.to_owned();
    push_name(&mut out, name);
    out
}

pub(super) fn push_name(out: &mut String, name: &str) {
    out.push('/');
    out.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

pub(super) fn push_index(out: &mut String, index: usize) {
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
