//! Reading known answers: whoever reads a member says so, and what nobody read makes the form unknown.

use std::cell::RefCell;
use std::collections::BTreeSet;

use coldbridge::{Address, Spelling};
use ethabi::ethereum_types::U256;
use serde_json::Value;

use super::{Failures, Fixture, Outcome};

// ---------------------------------------------------------------------------------------------------- reading vectors

pub fn said(refusal: impl std::fmt::Display) -> String {
    refusal.to_string()
}

pub fn text(value: &Value) -> Outcome<&str> {
    value.as_str().ok_or_else(|| format!("{value} is not a text"))
}

pub fn number(value: &Value) -> Outcome<U256> {
    match value {
        Value::Number(number) => number.as_u64().map(U256::from).ok_or_else(|| format!("{number} is no count")),
        _ => U256::from_dec_str(text(value)?).map_err(|error| format!("{value}: {error}")),
    }
}

pub fn hex_bytes(text: &str) -> Outcome<Vec<u8>> {
    let digits = text.strip_prefix("0x").ok_or_else(|| format!("{text} is not 0x hex"))?;
    hex::decode(digits).map_err(|error| format!("{text}: {error}"))
}

pub fn hex_word(text: &str) -> Outcome<[u8; 32]> {
    hex_bytes(text)?.try_into().map_err(|_| format!("{text} has not 32 bytes"))
}

pub fn any_case(text: &str) -> Outcome<Address> {
    Address::parse(text, Spelling::AnyCase).map_err(|error| format!("{text}: {error:?}"))
}

pub fn word_of(value: impl Into<U256>) -> [u8; 32] {
    let mut word = [0; 32];
    value.into().to_big_endian(&mut word);
    word
}

pub fn padded(address: Address) -> [u8; 32] {
    word_of(U256::from_big_endian(address.as_bytes()))
}

/// An object of a vector. Who reads a member says so, and what nobody read makes the form unknown.
pub struct Members<'a> {
    pub of: &'a serde_json::Map<String, Value>,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Members<'a> {
    pub fn of(value: &'a Value) -> Outcome<Self> {
        let of = value.as_object().ok_or_else(|| format!("{value} is not an object"))?;
        Ok(Self { of, read: RefCell::default() })
    }

    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(name.to_owned());
        self.of.get(name)
    }

    pub fn needs(&self, name: &str) -> Outcome<&'a Value> {
        self.get(name).ok_or_else(|| format!("no {name}"))
    }

    pub fn text(&self, name: &str) -> Outcome<&'a str> {
        text(self.needs(name)?)
    }

    pub fn bytes(&self, name: &str) -> Outcome<Vec<u8>> {
        hex_bytes(self.text(name)?)
    }

    pub fn word(&self, name: &str) -> Outcome<[u8; 32]> {
        hex_word(self.text(name)?)
    }

    pub fn address(&self, name: &str) -> Outcome<Address> {
        any_case(self.text(name)?)
    }

    pub fn number(&self, name: &str) -> Outcome<U256> {
        number(self.needs(name)?)
    }

    pub fn narrow<T: TryFrom<U256>>(&self, name: &str) -> Outcome<T> {
        self.number(name)?.try_into().map_err(|_| format!("{name} is too large"))
    }

    pub fn unread(&self, what: &str) -> Outcome {
        let read = self.read.borrow();
        let unread: Vec<&String> = self.of.keys().filter(|name| !read.contains(*name)).collect();
        if unread.is_empty() { Ok(()) } else { Err(format!("unknown form: nothing read the {what}'s {unread:?}")) }
    }
}

/// One vector: its input, its answers, and whether it documents a mistake of its source.
pub struct Case<'a> {
    pub name: &'a str,
    pub category: &'a str,
    pub not_usable: bool,
    pub input: Members<'a>,
    pub expect: Members<'a>,
}

impl<'a> Case<'a> {
    pub fn of(fixture: &'a Fixture) -> Outcome<Self> {
        let head = Members::of(&fixture.json)?;
        if head.text("schema")? != "coldbridge/fixture/1" {
            return Err(format!("unknown schema {}", fixture.json["schema"]));
        }
        let _ = (head.needs("comment")?, head.needs("source")?);
        let flags: Vec<&str> =
            head.needs("flags")?.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let (category, not_usable) = match flags.as_slice() {
            [category] | ["measured", category] => (*category, false),
            [category, "notUsable"] => (*category, true),
            _ => return Err(format!("unknown flags {flags:?}")),
        };
        let case = Self {
            name: fixture.name.split_once('/').map_or("", |(_, name)| name),
            category,
            not_usable,
            input: Members::of(head.needs("input")?)?,
            expect: Members::of(head.needs("expect")?)?,
        };
        head.unread("vector")?;
        Ok(case)
    }
}

/// Checks every file of a folder, and that there is no other and no member that nobody read.
pub fn walk(folder: &str, check: fn(&Case<'_>, &mut Failures) -> Outcome) {
    super::walk(folder, |fixture, failures| {
        let case = Case::of(fixture)?;
        check(&case, failures)?;
        case.input.unread("input")?;
        case.expect.unread("answer")
    });
}
