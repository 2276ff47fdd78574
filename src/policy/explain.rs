//! The policy in sentences, for the person who pins its hash.

use super::{Confirmation, Demand, Party, PerLayer, Permission, Policy, Selectors};
use crate::operation::TokenName;

impl Policy {
    /// One sentence a rule, and at the end what the policy does not limit.
    pub fn explain(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut unlimited = Vec::new();
        let mut say = |member: &'static str, said: Vec<String>| {
            if said.is_empty() { unlimited.push(member) } else { sentences.extend(said) }
        };
        let some = |text: Option<String>| text.into_iter().collect::<Vec<_>>();
        say("networks", some(self.networks.as_ref().map(|list| format!("Networks, these only: {}.", words(list)))));
        say(
            "requirePinnedNetwork",
            some(self.pinning.map(|demand| match demand {
                Demand::Required => "The network must be compiled in, not described by a file.".to_owned(),
                Demand::Optional => "The network may be described by a file.".to_owned(),
            })),
        );
        say("senders", parties("Senders", self.senders.as_deref()));
        say(
            "operations",
            some(self.operations.as_ref().map(|list| format!("Operations, these only: {}.", words(list)))),
        );
        say("recipients", parties("Recipients", self.recipients.as_deref()));
        say("refundRecipients", parties("Refund recipients", self.refund_recipients.as_deref()));
        say("tokens", self.tokens_in_words());
        let wei = |limit: &dyn std::fmt::Display| format!("{limit} wei");
        say(
            "maxFeePerGas",
            layers(self.max_fee_per_gas, |layer, limit| format!("Each {layer} gas may cost at most {}.", wei(limit))),
        );
        say(
            "maxTransactionFee",
            layers(self.max_transaction_fee, |layer, limit| {
                format!("The fee of one {layer} transaction may be at most {}.", wei(limit))
            }),
        );
        say(
            "maxTotalFee",
            layers(self.max_total_fee, |layer, limit| {
                format!(
                    "The {layer} fees of one run, a document or a whole batch, may be at most {} together.",
                    wei(limit)
                )
            }),
        );
        say(
            "maxSurplusMint",
            some(self.max_surplus_mint.map(|limit| {
                format!(
                    "A request to L2 may mint at most {limit} base units of the base token beyond its amount \
                     (mintValue - l2Value): that pays for L2 gas, and what is left of it goes to the refund recipient."
                )
            })),
        );
        say(
            "maxGasLimit",
            layers(self.max_gas_limit, |layer, limit| {
                format!("The gas limit of an {layer} transaction may be at most {limit}.")
            }),
        );
        say(
            "maxL2GasLimit",
            some(
                self.max_l2_gas_limit.map(|limit| format!("The l2GasLimit of a request to L2 may be at most {limit}.")),
            ),
        );
        say("callTargets", self.targets_in_words());
        say("paymasters", parties("Paymasters", self.paymasters.as_deref()));
        say(
            "replacement",
            some(self.replacement.map(|choice| match choice {
                Permission::Allowed => "A payload may take the place of another one with the same nonce.".to_owned(),
                Permission::Refused => "No payload may take the place of another one with the same nonce.".to_owned(),
            })),
        );
        say(
            "confirmation",
            some(self.confirmation.map(|choice| match choice {
                Confirmation::Unattended => "A pipeline may sign: nobody has to be asked (--yes).".to_owned(),
                Confirmation::Yes => "A person must agree to each signing: --yes is refused.".to_owned(),
                Confirmation::Typed => {
                    "A person must type the amount or the last 6 digits of the recipient: --yes is refused.".to_owned()
                }
            })),
        );
        say(
            "guard",
            some(self.guard.map(|demand| match demand {
                Demand::Required => "There must be a guard: signing without one is refused.".to_owned(),
                Demand::Optional => "Signing without a guard is allowed.".to_owned(),
            })),
        );
        say(
            "requireAirgap",
            some(self.airgap.map(|demand| match demand {
                Demand::Required => "No network interface but the loopback may be up.".to_owned(),
                Demand::Optional => "Network interfaces may be up.".to_owned(),
            })),
        );
        sentences.push(
            "An address that begins and ends like one of these (4 digits each) and is another one is refused."
                .to_owned(),
        );
        sentences.push(match unlimited.as_slice() {
            [] => "Every rule there is is stated.".to_owned(),
            list => format!("Not limited: {}.", list.join(", ")),
        });
        sentences
    }

    fn tokens_in_words(&self) -> Vec<String> {
        let Some(tokens) = &self.tokens else { return Vec::new() };
        if tokens.is_empty() {
            return vec!["Tokens: none may move.".to_owned()];
        }
        let one = |limit: &super::TokenLimit| {
            let token = match limit.token {
                TokenName::Eth => "ETH".to_owned(),
                TokenName::Base => "the chain's base token".to_owned(),
                TokenName::Erc20(address) => format!("the ERC-20 {address}"),
            };
            let label = limit.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
            let bound = |amount: Option<_>, each: &str| match amount {
                Some(amount) => format!("at most {amount} base units {each}"),
                None => format!("any amount {each}"),
            };
            format!(
                "Token: {token}{label}, {} and {}.",
                bound(limit.max_per_transaction, "a transaction"),
                bound(limit.max_total, "in one run, a document or a whole batch")
            )
        };
        tokens.iter().map(one).chain(["No other token may move.".to_owned()]).collect()
    }

    fn targets_in_words(&self) -> Vec<String> {
        let Some(targets) = &self.call_targets else {
            return vec![
                "The operation call is refused: there are no call targets. What a request of L1 calls on L2 \
                 (requestExecute) is not limited, but for the tokens and recipients that it names."
                    .to_owned(),
            ];
        };
        let one = |target: &super::CallTarget| {
            let label = target.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
            let functions = match &target.selectors {
                Selectors::Any => "any function".to_owned(),
                Selectors::Of(list) if list.is_empty() => "no function".to_owned(),
                Selectors::Of(list) => {
                    let names: Vec<String> = list
                        .iter()
                        .map(|selector| match selector.as_slice() {
                            [] => "without calldata".to_owned(),
                            selector => format!("function 0x{}", hex::encode(selector)),
                        })
                        .collect();
                    names.join(", ")
                }
            };
            format!("Calls: {}{label}, {functions}.", target.address)
        };
        let rest = if targets.is_empty() { "No contract" } else { "No other contract" };
        targets.iter().map(one).chain([format!("{rest} may be called by an intent's own calldata.")]).collect()
    }
}

fn words(list: &[impl AsRef<str>]) -> String {
    match list {
        [] => "none".to_owned(),
        list => list.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "),
    }
}

fn parties(what: &str, list: Option<&[Party]>) -> Vec<String> {
    let Some(list) = list else { return Vec::new() };
    if list.is_empty() {
        return vec![format!("{what}: none.")];
    }
    let one = |party: &Party| match party {
        Party::Sender => "the sender itself".to_owned(),
        Party::Account { address, label: None } => address.to_string(),
        Party::Account { address, label: Some(label) } => format!("{address} ({label})"),
    };
    let (first, rest) = (format!("{what}, these only:"), list.iter().map(|party| format!("  {}", one(party))));
    std::iter::once(first).chain(rest).collect()
}

fn layers<T: Copy + std::fmt::Display>(
    limit: PerLayer<T>,
    say: impl Fn(&str, &dyn std::fmt::Display) -> String,
) -> Vec<String> {
    let layers = [("L1", limit.l1), ("L2", limit.l2)];
    layers.into_iter().filter_map(|(layer, limit)| Some(say(layer, &limit?))).collect()
}
