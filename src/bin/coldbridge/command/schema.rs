//! `schema`: the JSON Schemas of the documents, embedded.

use coldbridge::refusal::printable;
use coldbridge::{Code, Refusal};

use super::{Outcome, print};

const SCHEMAS: &[(&str, &str)] = &[
    ("intent", include_str!("../../../schema/intent.json")),
    ("request", include_str!("../../../schema/request.json")),
    ("unsigned", include_str!("../../../schema/unsigned.json")),
    ("digest", include_str!("../../../schema/digest.json")),
    ("signed", include_str!("../../../schema/signed.json")),
    ("verified", include_str!("../../../schema/verified.json")),
    ("review", include_str!("../../../schema/review.json")),
    ("quote", include_str!("../../../schema/quote.json")),
    ("inclusion", include_str!("../../../schema/inclusion.json")),
    ("included", include_str!("../../../schema/included.json")),
    ("receipt", include_str!("../../../schema/receipt.json")),
    ("track", include_str!("../../../schema/track.json")),
    ("relay-config", include_str!("../../../schema/relay-config.json")),
    ("network", include_str!("../../../schema/network.json")),
    ("policy", include_str!("../../../schema/policy.json")),
    ("guard", include_str!("../../../schema/guard.json")),
    ("error", include_str!("../../../schema/error.json")),
];

pub fn schema(name: Option<&str>) -> Result<Outcome, Refusal> {
    let Some(name) = name else {
        return print(&format!("{}\n", names("\n")));
    };
    if let Some((_, text)) = SCHEMAS.iter().find(|(known, _)| *known == name) {
        return print(text);
    }
    Err(Refusal::new(
        Code::USAGE,
        "",
        format!("there is no schema \"{}\"", printable(name)),
        format!("name one of: {}", names(", ")),
    ))
}

fn names(separator: &str) -> String {
    SCHEMAS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(separator)
}
