//! Gas and fees of L2 transactions: `zks_estimateFee` on EraVM, the standard methods where it is missing and on ZKsync OS.

use coldbridge::transaction::Transaction;
use coldbridge::{Address, Code, Refusal};
use ethabi::ethereum_types::U256;
use serde_json::{Map, Value, json};

use crate::contract::{is_missing, is_revert};
use crate::number::{amount, count};
use crate::prepare::facts::{Choices, ERA_GAS_PER_PUBDATA, Fee};
use crate::prepare::fees::scaled;
use crate::prepare::l1_gas::call_object;
use crate::prepare::way::would_revert;
use crate::quorum::Quorum;

/// What `zks_estimateFee` answers.
#[derive(PartialEq, Eq)]
struct EraFee {
    gas_limit: u64,
    max_fee_per_gas: U256,
    gas_per_pubdata: u64,
}

impl EraFee {
    /// Its members are snake_case; `max_priority_fee_per_gas` pays nothing and is not used.
    fn read(answer: &Value) -> Option<Self> {
        amount(answer.get("max_priority_fee_per_gas")?)?;
        Some(Self {
            gas_limit: count(answer.get("gas_limit")?)?,
            max_fee_per_gas: amount(answer.get("max_fee_per_gas")?)?,
            gas_per_pubdata: count(answer.get("gas_per_pubdata_limit")?)?,
        })
    }

    fn numbers(self) -> [U256; 3] {
        [self.gas_limit.into(), self.max_fee_per_gas, self.gas_per_pubdata.into()]
    }

    fn of([gas_limit, max_fee_per_gas, gas_per_pubdata]: [U256; 3]) -> Self {
        let count = |number: U256| u64::try_from(number).unwrap_or(u64::MAX);
        Self { gas_limit: count(gas_limit), max_fee_per_gas, gas_per_pubdata: count(gas_per_pubdata) }
    }
}

/// What a call gets whose approvals are not mined yet, so that the node can not execute it: a withdrawal took 596,000.
const WAITING: u64 = 3_000_000;

/// What is to be estimated.
pub struct Call<'a> {
    /// Who sends it.
    pub from: Address,
    /// The plan's main transaction.
    pub main: &'a Transaction,
    /// What it is for.
    pub purpose: &'a str,
    /// Whether its approvals are not mined yet.
    pub waits: bool,
}

/// The gas limit of an L2 transaction; on EraVM the fees follow what the node says of exactly this call.
pub fn settle(
    nodes: &Quorum,
    &Call { from, main, purpose, waits }: &Call<'_>,
    fee: &mut Fee,
    choices: &Choices,
    remarks: &mut Vec<String>,
) -> Result<u64, Refusal> {
    if let Some(limit) = choices.gas_limit.or(waits.then_some(WAITING)) {
        if choices.gas_limit.is_none() {
            remarks.push(format!("{purpose} can not be estimated before its approvals are mined: gasLimit is {limit}"));
        }
        return Ok(limit);
    }
    let call = era_call(from, main);
    match nodes.estimate("zks_estimateFee", &json!([call]), |answer| EraFee::read(answer).map(EraFee::numbers))? {
        Ok(numbers) => {
            let answer = EraFee::of(numbers);
            raise(fee, &answer, choices, remarks);
            Ok(choices.with_margin(answer.gas_limit))
        }
        Err(error) if is_missing(&error) => {
            remarks
                .push("the L2 node has no zks_estimateFee: gas by eth_estimateGas, price by eth_gasPrice".to_owned());
            match nodes.gas("eth_estimateGas", &json!([call]))? {
                Ok(gas) => Ok(choices.with_margin(gas)),
                Err(error) => Err(refusal_of(nodes, purpose, &error)),
            }
        }
        Err(error) => Err(refusal_of(nodes, purpose, &error)),
    }
}

fn refusal_of(nodes: &Quorum, purpose: &str, error: &crate::rpc::NodeError) -> Refusal {
    if is_revert(error) {
        return would_revert(nodes, purpose, error);
    }
    Refusal::new(
        Code::RELAY_NO_ESTIMATE,
        "/facts/transaction/gasLimit",
        format!("{} does not estimate the gas of {purpose}: {}", nodes.hosts(), error.message),
        "mend what it names, or state --gas-limit yourself",
    )
}

/// Raises the fees to what the node asks for this call; what the caller stated stays.
fn raise(fee: &mut Fee, answer: &EraFee, choices: &Choices, remarks: &mut Vec<String>) {
    let price = scaled(answer.max_fee_per_gas, choices);
    match fee {
        Fee::Flat(known) if choices.gas_price.is_none() => *known = price.max(*known),
        Fee::Flat(_) => {}
        Fee::Dynamic { max, gas_per_pubdata, .. } => {
            if choices.max_fee_per_gas.is_none() {
                *max = price.max(*max);
            }
            if let Some(limit) = gas_per_pubdata.as_mut().filter(|limit| **limit < answer.gas_per_pubdata) {
                remarks.push(format!(
                    "a byte of pubdata costs {} gas now, above the usual limit of {ERA_GAS_PER_PUBDATA}",
                    answer.gas_per_pubdata
                ));
                *limit = choices.with_margin(answer.gas_per_pubdata);
            }
        }
    }
}

/// A call with what type 0x71 has beside Ethereum's members. Byte strings in `eip712Meta` are arrays of numbers.
fn era_call(from: Address, transaction: &Transaction) -> Value {
    let mut call = match call_object(from, transaction) {
        Value::Object(call) => call,
        _ => Map::new(),
    };
    if let Transaction::Eip712(tx) = transaction {
        let mut meta = Map::new();
        meta.insert("gasPerPubdata".to_owned(), json!(format!("{:#x}", tx.gas_per_pubdata.get())));
        if !tx.factory_deps.is_empty() {
            meta.insert("factoryDeps".to_owned(), json!(tx.factory_deps));
        }
        if let Some(paymaster) = &tx.paymaster {
            let params = json!({"paymaster": paymaster.paymaster.to_string(), "paymasterInput": paymaster.input});
            meta.insert("paymasterParams".to_owned(), params);
        }
        call.insert("type".to_owned(), json!("0x71"));
        call.insert("eip712Meta".to_owned(), Value::Object(meta));
    } else {
        // The node prices these itself.
        call.remove("maxFeePerGas");
        call.remove("maxPriorityFeePerGas");
        call.remove("gasPrice");
    }
    Value::Object(call)
}
