//! JSON as it must be: everything that two readers could read differently is refused, with its place.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::cursor::{push_index, push_name};
use super::{INTEGER_LIMIT, Json, MAX_BYTES, MAX_DEPTH, too_large};
use crate::refusal::{Code, Refusal};

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
