//! A batch on one screen: how many, how much of what, to how many, the largest, and which nonces.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ethabi::ethereum_types::U256;

use super::screen::{rule, write_line};
use crate::address::Address;
use crate::network::{Layer, Network};
use crate::operation::amount_in_words;
use crate::policy::Payment;
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
    nonces: BTreeMap<(Address, String), (u64, u64, usize)>,
}

/// What moves of one token of one layer of one network.
struct Total {
    network: Network,
    layer: Layer,
    sum: Option<U256>,
    largest: Payment,
}

impl Summary {
    /// Adds a plan.
    pub fn add(&mut self, unsigned: &Unsigned) -> Result<(), Refusal> {
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
            let key = format!("{} {layer} {}", network.name, payment.token.to_json());
            let total = self.totals.entry(key).or_insert_with(|| Total {
                network: network.clone(),
                layer,
                sum: Some(U256::zero()),
                largest: payment,
            });
            total.sum = total.sum.and_then(|sum| sum.checked_add(payment.amount));
            if payment.amount > total.largest.amount {
                total.largest = payment;
            }
        }
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
        out.push_str(&rule('='));
        out
    }
}
