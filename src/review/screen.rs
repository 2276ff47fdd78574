//! The review on a screen: 80 columns of ASCII, the same width on every terminal, nothing broken that must be compared.

use std::fmt::Write as _;

use ethabi::ethereum_types::U256;

use super::{Review, Reviewed, in_token};
use crate::address::{Address, Spelling};
use crate::operation::{TokenName, amount_in_words};
use crate::refusal::printable;
use crate::units::Wei;

const WIDTH: usize = 80;
/// With a space and a hash of 66 characters this fills a line.
const LABEL: usize = 13;

impl Review {
    /// A text in which each account that the policy knows has its label behind it.
    fn labelled(&self, text: String) -> String {
        let labels = self.verdict.as_ref().map(|verdict| verdict.labels.as_slice()).unwrap_or_default();
        labels
            .iter()
            .fold(text, |text, (address, label)| text.replace(&address.to_string(), &format!("{address} \"{label}\"")))
    }

    /// What a token leaves the account for: the gas token for value and fees, unless others pay these.
    fn what_it_is_for(&self, token: &str) -> &'static str {
        let of_gas = || self.transactions.iter().filter(|reviewed| reviewed.gas_token() == token);
        let sponsored = |reviewed: &&Reviewed| reviewed.decoded.transaction.paymaster().is_some();
        if of_gas().next().is_some() && of_gas().all(|reviewed| sponsored(&reviewed)) {
            return "for the value: a paymaster pays the fees";
        }
        "value and fees together"
    }

    /// The review for a person: 80 columns of ASCII.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let count = self.transactions.len();
        for (index, reviewed) in self.transactions.iter().enumerate() {
            let _ = writeln!(out, "{}", "=".repeat(WIDTH));
            let position = if count == 1 { String::new() } else { format!("{} of {count}: ", index + 1) };
            write_title(&mut out, &format!("{position}{}", reviewed.title()), self.intent_id.as_deref());
            let _ = writeln!(out, "{}", "-".repeat(WIDTH));
            for (label, text) in reviewed.lines() {
                write_line(&mut out, label, &self.labelled(text));
            }
        }
        let _ = writeln!(out, "{}", "-".repeat(WIDTH));
        for (token, amount) in self.worst_case() {
            let amount = amount.map_or("above 2^256-1".to_owned(), |amount| self.in_words(&token, amount));
            write_line(
                &mut out,
                "WORST CASE",
                &format!("at most {amount} leaves the account, {}", self.what_it_is_for(&token)),
            );
        }
        for check in self.facts().iter().chain(&self.checks) {
            // Each fact has one treatment, which stands in front of it.
            let (word, text) = check.split_once(' ').unwrap_or((check.as_str(), ""));
            match word.trim_end_matches(':') {
                treatment @ ("recomputed" | "verified" | "decoded" | "pinned" | "bounded" | "claimed") => {
                    write_line(&mut out, &treatment.to_uppercase(), text);
                }
                _ => write_line(&mut out, "CHECKED", check),
            }
        }
        if let Some(verdict) = &self.verdict {
            let name = verdict.policy.as_deref().map_or(String::new(), |name| format!(" \"{name}\""));
            write_line(&mut out, "POLICY", &format!("allowed by the policy{name}"));
            write_line(&mut out, "policy hash", &verdict.hash.to_string());
        }
        for warning in self.transactions.iter().flat_map(|reviewed| &reviewed.warnings) {
            write_line(&mut out, "WARNING", &warning.text);
        }
        let _ = writeln!(out, "{}", "=".repeat(WIDTH));
        out
    }

    /// An amount of the sum: with the symbol and decimals of a pinned token.
    fn in_words(&self, token: &str, amount: U256) -> String {
        let place = self.transactions.iter().find_map(|reviewed| reviewed.network.as_ref().zip(reviewed.layer));
        let named = match (token, Address::parse(token, Spelling::AnyCase)) {
            ("base", _) => Some(TokenName::Base),
            (_, Ok(address)) => Some(TokenName::Erc20(address)),
            _ => None,
        };
        match (place, named) {
            (Some((network, layer)), Some(token)) => amount_in_words(network, layer, token, amount),
            _ => in_token(token, Wei::new(amount)),
        }
    }

    /// What a plan takes from the facts without being able to compute it: claimed, or bounded by the policy.
    fn facts(&self) -> Vec<String> {
        // Only of a plan are there facts; what is signed or raw speaks for itself.
        let Some(first) = self.transactions.first().filter(|_| self.is_plan) else {
            return Vec::new();
        };
        let transaction = &first.decoded.transaction;
        let bounded = |name| self.verdict.as_ref().is_some_and(|verdict| verdict.bounded.contains(&name));
        let price = transaction.gas_price_cap();
        let gas: Vec<String> =
            self.transactions.iter().map(|reviewed| reviewed.decoded.transaction.gas_limit().to_string()).collect();
        let gas = gas.join(" and ");
        vec![
            format!("claimed: {} is the account's next nonce", transaction.nonce()),
            if bounded("maxFeePerGas") {
                format!("bounded: each gas costs at most {price} wei, which the policy allows")
            } else {
                format!("claimed: {price} wei is a price worth paying for each gas")
            },
            if bounded("maxGasLimit") {
                format!("bounded: the policy allows the gas limit {gas}; that it suffices is claimed")
            } else {
                format!("claimed: the gas limit {gas} suffices and is not too much")
            },
        ]
    }
}

/// What it is, and behind that the owner's name for it. Where both do not fit into one line, none of them may look like
/// the next: a terminal would begin it in the middle of the name.
fn write_title(out: &mut String, title: &str, id: Option<&str>) {
    let line = id.map_or(title.to_owned(), |id| format!("{title}  [{}]", printable(id)));
    if line.len() <= WIDTH {
        let _ = writeln!(out, "{line}");
        return;
    }
    match title.len() {
        ..=WIDTH => _ = writeln!(out, "{title}"),
        _ => write_line(out, "", title),
    }
    if let Some(id) = id {
        write_line(out, "intent", &format!("[{id}]"));
    }
}

/// A line across the screen.
pub(super) fn rule(character: char) -> String {
    format!("{}\n", character.to_string().repeat(WIDTH))
}

/// A label and its text, wrapped at spaces. An address or hash is never broken, but what is longer than these is: a terminal
/// would do it at the beginning of a line.
pub(super) fn write_line(out: &mut String, label: &str, text: &str) {
    let mut line = format!("{label:<LABEL$} ");
    let mut is_empty = true;
    let text = printable(text);
    for word in text.split(' ').flat_map(pieces) {
        if !is_empty && line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(LABEL + 1);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// A word in pieces that fit behind a label: mostly one.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    const LONGEST: usize = WIDTH - LABEL - 1;
    let count = word.len().div_ceil(LONGEST).max(1);
    (0..count).map(move |index| {
        let rest = word.get(index * LONGEST..).unwrap_or_default();
        rest.get(..LONGEST).unwrap_or(rest)
    })
}
