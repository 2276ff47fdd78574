//! The command line of `prepare`, and what it has in common with `proof`.

use std::path::PathBuf;

use clap::Args;
use coldbridge::Spelling;
use ethabi::ethereum_types::U256;

use crate::cli::EndpointArgs;
use crate::prepare::facts::Choices;

/// The end of `prepare --help`.
pub const EXAMPLES: &str = "\
INTENT is {\"schema\":\"coldbridge/intent/1\",\"intent\":{...}}, the bare object that is its intent, or a request whose facts
are to be read anew; one, or one a line. The intent is not changed. The facts are what the nodes say, with margins: compared
with the network's pinned contracts and with each other, and judged by the same rules as `coldbridge build`.

L1 operations ask --l1, requests to L2 also --l2 (what the L2 side takes); L2 operations ask --l2, and --l1 if it is given.

Examples:
  coldbridge-relay prepare intent.json --l1 https://l1.example --l2 https://l2.example -o request.json
  coldbridge-relay prepare request.json --l1 https://a.example --l1 https://b.example --l2 https://l2.example
  coldbridge-relay prepare intents.jsonl --config relay.json --max-fee-per-gas 30000000000 > requests.jsonl";

/// The arguments of `prepare`.
#[derive(Args)]
pub struct PrepareArgs {
    /// The intent; `-` is standard input
    #[arg(default_value = "-", value_name = "INTENT")]
    pub document: PathBuf,
    #[command(flatten)]
    pub facts: FactArgs,
    /// The price of one gas, for the envelopes legacy and eip2930
    #[arg(long, value_name = "WEI", help_heading = "Facts", value_parser = wei)]
    pub gas_price: Option<U256>,
    /// The gas limit of the L2 side of a request [default: the estimate and the margin, not below the floor of L1]
    #[arg(long, value_name = "GAS", help_heading = "Facts")]
    pub l2_gas_limit: Option<u64>,
    #[command(flatten)]
    pub endpoints: EndpointArgs,
}

impl PrepareArgs {
    /// What the caller chose.
    pub fn choices(&self) -> Choices {
        Choices { gas_price: self.gas_price, l2_gas_limit: self.l2_gas_limit, ..self.facts.choices() }
    }
}

/// What is stated in place of what the nodes say, and where the answer goes.
#[derive(Args)]
pub struct FactArgs {
    /// Write to a new file (0600, never overwritten) in place of standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Take all-lower-case addresses in the intent, in which no typo can be seen
    #[arg(long)]
    pub allow_unchecksummed: bool,
    /// The nonce of the first transaction [default: the account's next one]
    #[arg(long, value_name = "N", help_heading = "Facts")]
    pub nonce: Option<u64>,
    /// The most that one gas may cost [default: the base fee times the multiplier, and the tip]
    #[arg(long, value_name = "WEI", help_heading = "Facts", value_parser = wei)]
    pub max_fee_per_gas: Option<U256>,
    /// The tip for the block's producer [default: what the node proposes]
    #[arg(long, value_name = "WEI", help_heading = "Facts", value_parser = wei)]
    pub priority_fee: Option<U256>,
    /// How far the base fee may rise until the transaction is mined
    #[arg(long, value_name = "FACTOR", help_heading = "Facts", default_value = "1.5", value_parser = percent)]
    pub base_fee_multiplier: u64,
    /// The gas limit of the operation's transaction [default: the estimate and the margin, not below what was measured]
    #[arg(long, value_name = "GAS", help_heading = "Facts")]
    pub gas_limit: Option<u64>,
    /// What is added to estimates of gas
    #[arg(long, value_name = "PERCENT", help_heading = "Facts", default_value_t = 35, value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub gas_margin: u64,
}

impl FactArgs {
    /// What the caller chose.
    pub fn choices(&self) -> Choices {
        Choices {
            nonce: self.nonce,
            max_fee_per_gas: self.max_fee_per_gas,
            priority_fee: self.priority_fee,
            gas_price: None,
            base_fee_percent: self.base_fee_multiplier,
            gas_limit: self.gas_limit,
            l2_gas_limit: None,
            margin_percent: self.gas_margin,
        }
    }

    /// How strictly addresses of the intent are judged.
    pub fn spelling(&self) -> Spelling {
        if self.allow_unchecksummed { Spelling::AnyCase } else { Spelling::Checksummed }
    }
}

/// A plain decimal number of wei.
fn wei(text: &str) -> Result<U256, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { U256::from_dec_str(text).ok() } else { None }.ok_or_else(|| "not a plain number of wei".to_owned())
}

/// A factor from 1 to 100 with up to two decimals, in percent.
fn percent(text: &str) -> Result<u64, String> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let hundredths = format!("{whole}{decimals:0<2}");
    let fits = !whole.is_empty() && decimals.len() <= 2 && is_plain(whole) && is_plain(decimals);
    let percent = if fits { hundredths.parse::<u64>().ok() } else { None };
    percent.filter(|percent| (100..=10_000).contains(percent)).ok_or_else(|| "not a factor from 1 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_and_prices_are_plain_decimals() {
        for (text, value) in [("1", 100), ("1.5", 150), ("1.05", 105), ("2.", 200), ("100", 10_000)] {
            assert_eq!(percent(text), Ok(value), "{text}");
        }
        for text in ["", ".5", "0.99", "100.01", "1.505", "1e2", "-2", "+2", "1,5"] {
            assert!(percent(text).is_err(), "{text}");
        }
        assert_eq!(wei("30000000000"), Ok(U256::from(30_000_000_000_u64)));
        for text in ["", "0x10", "-1", "+1", "1.5", "1e9"] {
            assert!(wei(text).is_err(), "{text}");
        }
    }
}
