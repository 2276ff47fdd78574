//! A batch on one screen: how many, how much of what, to how many, the largest, and which nonces.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ethabi::ethereum_types::U256;

use super::Review;
use super::screen::{rule, write_line};
use crate::address::{Address, Spelling};
use crate::network::{Layer, Network};
use crate::operation::{TokenName, amount_in_words};
use crate::policy::{Payment, Verdict};
use crate::refusal::Refusal;
use crate::unsigned::Unsigned;

/// The sum of the plans of a batch, read from their encoded bytes.
#[derive(Default)]
pub struct Summary {
    documents: usize,
    transactions: usize,
    refused: usize,
    recipients: BTreeSet<Address>,
    totals: BTreeMap<String, Total>,
    debits: BTreeMap<String, Debit>,
    nonces: BTreeMap<(Address, String), (u64, u64, usize)>,
    /// What each review warns of, and of how many transactions.
    warnings: BTreeMap<String, usize>,
    verdict: Option<Verdict>,
}

/// What moves of one token of one layer of one network.
struct Total {
    network: Network,
    layer: Layer,
    sum: Option<U256>,
    largest: Payment,
}

/// What can leave the accounts of one token of one layer of one network, value and fees together.
struct Debit {
    network: Network,
    layer: Layer,
    token: TokenName,
    sum: Option<U256>,
}

impl Summary {
    /// Adds a plan, and what the policy said to it.
    pub fn add(&mut self, unsigned: &Unsigned, verdict: Option<Verdict>) -> Result<(), Refusal> {
        let request = unsigned.request();
        let (network, layer) = (request.network(), request.layer());
        self.documents += 1;
        self.transactions += unsigned.transactions().len();
        for planned in unsigned.transactions() {
            let nonce = planned.transaction.nonce();
            let place = (request.from(), format!("{layer} chain {}", network.chain_id(layer)));
            let (lowest, highest, count) = self.nonces.entry(place).or_insert((nonce, nonce, 0));
            (*lowest, *highest, *count) = ((*lowest).min(nonce), (*highest).max(nonce), *count + 1);
        }
        for payment in unsigned.payments()? {
            self.recipients.extend(payment.recipient);
            let key = format!("{} {} {}", network.name, payment.layer, payment.token.to_json());
            let total = self.totals.entry(key).or_insert_with(|| Total {
                network: network.clone(),
                layer: payment.layer,
                sum: Some(U256::zero()),
                largest: payment,
            });
            total.sum = total.sum.and_then(|sum| sum.checked_add(payment.amount));
            if payment.amount > total.largest.amount {
                total.largest = payment;
            }
        }
        let review = Review::of_unsigned(unsigned)?;
        for (name, amount) in review.worst_case() {
            let token = match (name.as_str(), Address::parse(&name, Spelling::AnyCase)) {
                (_, Ok(address)) => TokenName::Erc20(address),
                ("base", _) => TokenName::Base,
                _ => TokenName::Eth,
            };
            let debit = self.debits.entry(format!("{} {layer} {name}", network.name)).or_insert_with(|| Debit {
                network: network.clone(),
                layer,
                token,
                sum: Some(U256::zero()),
            });
            debit.sum = debit.sum.zip(amount).and_then(|(sum, amount)| sum.checked_add(amount));
        }
        // That money goes to others is what a batch is for: the totals say it.
        let warnings = review.transactions.into_iter().flat_map(|reviewed| reviewed.warnings);
        for warning in warnings.filter(|warning| warning.name != "recipient_is_not_sender") {
            *self.warnings.entry(warning.text).or_default() += 1;
        }
        self.verdict = verdict.or(self.verdict.take());
        Ok(())
    }

    /// Counts a document that was refused.
    pub fn add_refused(&mut self) {
        self.refused += 1;
    }

    /// How many plans it holds.
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// The largest payment there is, to be typed for the whole: of the token with the first name.
    pub fn largest(&self) -> Option<Payment> {
        self.totals.values().next().map(|total| total.largest)
    }

    /// The first account that sends, to be typed where nothing is paid.
    pub fn account(&self) -> Option<Address> {
        self.nonces.keys().next().map(|(account, _)| *account)
    }

    /// The summary for a person: 80 columns of ASCII.
    pub fn to_text(&self) -> String {
        let mut out = rule('=');
        let refused = if self.refused == 0 { String::new() } else { format!(", {} more are refused", self.refused) };
        let _ = writeln!(out, "BATCH of {} documents, {} transactions{refused}", self.documents, self.transactions);
        out.push_str(&rule('-'));
        for total in self.totals.values() {
            let Total { network, layer, sum, largest } = total;
            let sum =
                sum.map_or("above 2^256-1".to_owned(), |sum| amount_in_words(network, *layer, largest.token, sum));
            write_line(&mut out, "TOTAL", &format!("{sum} on {layer} of {}", network.name));
            let recipient = largest.recipient.map_or(String::new(), |recipient| format!(" to {recipient}"));
            let amount = amount_in_words(network, *layer, largest.token, largest.amount);
            write_line(&mut out, "largest", &format!("{amount}{recipient}"));
        }
        write_line(&mut out, "recipients", &format!("{} different ones", self.recipients.len()));
        for ((account, place), (lowest, highest, count)) in &self.nonces {
            let span = highest - lowest;
            let is_whole = usize::try_from(span).is_ok_and(|span| span.checked_add(1) == Some(*count));
            let gaps = if is_whole { "" } else { ", NOT EACH ONCE" };
            write_line(&mut out, "nonces", &format!("{lowest} to {highest} of {account} on {place}{gaps}"));
        }
        out.push_str(&rule('-'));
        for Debit { network, layer, token, sum } in self.debits.values() {
            let sum = sum.map_or("above 2^256-1".to_owned(), |sum| amount_in_words(network, *layer, *token, sum));
            let text = format!("at most {sum} leaves on {layer} of {}, value and fees together", network.name);
            write_line(&mut out, "WORST CASE", &text);
        }
        if let Some(verdict) = &self.verdict {
            let name = verdict.policy.as_deref().map_or(String::new(), |name| format!(" \"{name}\""));
            write_line(&mut out, "POLICY", &format!("allowed by the policy{name}"));
            write_line(&mut out, "policy hash", &verdict.hash.to_string());
        }
        for (text, count) in &self.warnings {
            write_line(&mut out, "WARNING", &format!("{text} ({count} of {} transactions)", self.transactions));
        }
        out.push_str(&rule('='));
        out
    }
}
