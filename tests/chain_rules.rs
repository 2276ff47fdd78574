//! What the L1 contracts answered to prices and gas limits, row by row; and the rules at random, against a model in 512 bits.

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;

use coldbridge::abi::{self, ParamType, Token};
use coldbridge::hash::keccak256;
use coldbridge::network::{Network, ProtocolVersion, Vm};
use coldbridge::operation::{self, mailbox};
use coldbridge::priority::{
    BaseTokenGasPriceMultiplier, FeeParams, GasBounds, GasError, GasRule, Limits, PriceError, PriorityRequest,
    PriorityRequestFacts, PubdataPricingMode, REQUIRED_GAS_PER_PUBDATA, Shape, base_cost, derive_l2_gas_price,
};
use coldbridge::proof::Proof;
use coldbridge::refusal::{ContractError, contract_error};
use coldbridge::units::{BaseTokenPerGas, BaseTokenUnits, Gas, WeiPerGas};
use coldbridge::{Address, Code, Json, Networks, Refusal, Request, Spelling, Transaction, Unsigned, json};
use common::{Failures, Fixture, Outcome, report, walk};
use ethabi::ethereum_types::{U256, U512};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json as value};

/// What a row leaves to say, or why it can not be read.
type Object = Map<String, Value>;

const FROM: &str = "0x36615Cf349d7F6344891B1e7CA7C72883F5dc049";
const TO: &str = "0xa61464658AfeAf65CccaaFD3a512b69A83B77618";
/// `priorityTxMaxGasLimit` and `priorityTxMaxPubdata` where a known answer does not state them.
const MAX_GAS_LIMIT: u64 = 72_000_000;
const MAX_PUBDATA: u64 = 99_000;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x636f_6c64_6272_6964),
        ..ProptestConfig::default()
    }
}

// ------------------------------------------------------------------------------------------------------- reading rows

fn text(value: &Value) -> Outcome<&str> {
    value.as_str().ok_or_else(|| format!("{value} is not a text"))
}

fn number(value: &Value) -> Outcome<U256> {
    match value {
        Value::Number(number) => number.as_u64().map(U256::from).ok_or_else(|| format!("{number} is no count")),
        _ => U256::from_dec_str(text(value)?).map_err(|error| format!("{value}: {error}")),
    }
}

fn narrow<T: TryFrom<U256>>(value: U256) -> Outcome<T> {
    T::try_from(value).map_err(|_| format!("{value} is too large"))
}

fn object(value: &Value) -> Outcome<&Object> {
    value.as_object().ok_or_else(|| format!("{value} is not an object"))
}

/// The members of an object. Who reads a member says so, and what nobody read makes the form unknown.
struct Members<'a> {
    all: &'a Object,
    read: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value) -> Outcome<Self> {
        Ok(Self { all: object(value)?, read: RefCell::default() })
    }

    fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(name);
        self.all.get(name)
    }

    fn needs(&self, name: &'static str) -> Outcome<&'a Value> {
        self.get(name).ok_or_else(|| format!("no {name}"))
    }

    fn number(&self, name: &'static str) -> Outcome<U256> {
        number(self.needs(name)?)
    }

    fn narrow<T: TryFrom<U256>>(&self, name: &'static str) -> Outcome<T> {
        narrow(self.number(name)?)
    }

    fn unread(&self) -> Outcome {
        let read = self.read.borrow();
        let unread: Vec<&String> = self.all.keys().filter(|name| !read.contains(name.as_str())).collect();
        if unread.is_empty() { Ok(()) } else { Err(format!("unknown form: nothing read {unread:?}")) }
    }
}

/// The parameters of a row, and what a request says of itself as far as the row tells.
struct Row {
    params: FeeParams,
    multiplier: BaseTokenGasPriceMultiplier,
    gas_price: U256,
    gas_per_pubdata: U256,
    l2_gas_limit: Option<U256>,
}

impl Row {
    fn read(input: &Members<'_>) -> Outcome<Self> {
        let params = Members::of(input.needs("feeParams")?)?;
        let mode = params.get("pubdataPricingMode").or_else(|| params.get("mode")).ok_or("no mode")?;
        let row = Self {
            params: FeeParams {
                pubdata_pricing_mode: match mode.as_u64() {
                    Some(0) => PubdataPricingMode::Rollup,
                    Some(1) => PubdataPricingMode::Validium,
                    _ => return Err(format!("mode {mode}")),
                },
                batch_overhead_l1_gas: params.narrow("batchOverheadL1Gas")?,
                max_pubdata_per_batch: params.narrow("maxPubdataPerBatch")?,
                max_l2_gas_per_batch: params.narrow("maxL2GasPerBatch")?,
                priority_tx_max_pubdata: params.narrow("priorityTxMaxPubdata")?,
                minimal_l2_gas_price: params.narrow("minimalL2GasPrice")?,
            },
            multiplier: BaseTokenGasPriceMultiplier {
                nominator: input.narrow("nominator")?,
                denominator: input.narrow("denominator")?,
            },
            gas_price: number(input.get("gasPrice").or_else(|| input.get("l1GasPrice")).ok_or("no gas price")?)?,
            gas_per_pubdata: input.number("gasPerPubdata")?,
            l2_gas_limit: input.get("l2GasLimit").map(number).transpose()?,
        };
        params.unread()?;
        Ok(row)
    }

    /// As facts of a request: every number a decimal string.
    fn facts(&self, l2_gas_limit: U256) -> Value {
        let params = &self.params;
        value!({
            "transaction": {
                "nonce": "0",
                "gasLimit": "350000",
                "maxFeePerGas": self.gas_price.to_string(),
                "maxPriorityFeePerGas": "0",
            },
            "priorityRequest": {
                "l2GasLimit": l2_gas_limit.to_string(),
                "l2GasPerPubdataByteLimit": self.gas_per_pubdata.to_string(),
                "feeParams": {
                    "pubdataPricingMode": match params.pubdata_pricing_mode {
                        PubdataPricingMode::Rollup => "rollup",
                        PubdataPricingMode::Validium => "validium",
                    },
                    "batchOverheadL1Gas": params.batch_overhead_l1_gas.to_string(),
                    "maxPubdataPerBatch": params.max_pubdata_per_batch.to_string(),
                    "maxL2GasPerBatch": params.max_l2_gas_per_batch.to_string(),
                    "priorityTxMaxPubdata": params.priority_tx_max_pubdata.to_string(),
                    "minimalL2GasPrice": params.minimal_l2_gas_price.to_string(),
                },
                "baseTokenGasPriceMultiplier": {
                    "nominator": self.multiplier.nominator.to_string(),
                    "denominator": self.multiplier.denominator.to_string(),
                },
            },
        })
    }

    fn deposit(&self, l2_gas_limit: U256, amount: U256) -> Value {
        value!({
            "schema": "coldbridge/request/1",
            "intent": {
                "network": "local",
                "from": FROM,
                "operation": { "deposit": { "token": "eth", "amount": amount.to_string(), "to": TO } },
            },
            "facts": self.facts(l2_gas_limit),
        })
    }
}

fn request(document: &Value, networks: &Networks) -> Result<Request, Refusal> {
    Request::read(&json::parse(document.to_string().as_bytes())?, networks, Spelling::Checksummed)
}

fn quote_on(document: &Value, networks: &Networks) -> Outcome<Value> {
    let quote = request(document, networks).map_err(|refusal| refusal.to_string())?.quote();
    serde_json::from_str(&quote.to_string()).map_err(|error| error.to_string())
}

fn quote(document: &Value) -> Outcome<Value> {
    quote_on(document, &Networks::pinned())
}

fn plan(document: &Value) -> Outcome<Unsigned> {
    request(document, &Networks::pinned()).and_then(Request::plan).map_err(|refusal| refusal.to_string())
}

/// `local` again, as an operator's network called `row`, with an L2 chain id of its own: a pinned network's is taken.
fn network(changes: &[(&str, Json)]) -> Networks {
    let Json::Object(mut members) = local().to_json() else { panic!("a network is an object") };
    let own = [("name", Json::text("row")), ("l2ChainId", Json::count(271))];
    for (name, new) in own.iter().chain(changes) {
        let member = members.iter_mut().find(|(member, _)| member == name).expect("a member of a network");
        member.1 = new.clone();
    }
    Networks::pinned().with(&Json::Object(members)).expect("a network")
}

fn local() -> Network {
    Networks::pinned().find("local").expect("pinned").clone()
}

/// The arguments of the one call that a deposit's plan makes.
struct Deposited {
    value: U256,
    chain_id: U256,
    mint_value: U256,
    l2_value: U256,
    factory_deps: usize,
    refund_recipient: Address,
}

fn deposited(plan: &Unsigned) -> Outcome<Deposited> {
    let [planned] = plan.transactions() else { return Err("not exactly one transaction".to_owned()) };
    let Transaction::Eip1559(tx) = &planned.transaction else { return Err("not of type 2".to_owned()) };
    if tx.to != Some(local().bridgehub) {
        return Err("not a call of the Bridgehub".to_owned());
    }
    let arguments = mailbox::REQUEST_L2_TRANSACTION_DIRECT.arguments(&tx.data).ok_or("another call")?;
    let [Token::Tuple(members)] = arguments.as_slice() else { return Err("not one tuple".to_owned()) };
    let uint = |index: usize| members.get(index).and_then(abi::as_uint).ok_or("not a number");
    Ok(Deposited {
        value: tx.value.get(),
        chain_id: uint(0)?,
        mint_value: uint(1)?,
        l2_value: uint(3)?,
        factory_deps: match &members[7] {
            Token::Array(deps) => deps.len(),
            _ => return Err("factoryDeps is no list".to_owned()),
        },
        refund_recipient: abi::as_address(&members[8]).ok_or("no refund recipient")?,
    })
}

/// The refusal of this code in a quote.
fn refused(quote: &Value, code: Code) -> Outcome<&Value> {
    quote["refusals"]
        .as_array()
        .and_then(|refusals| refusals.iter().find(|refusal| refusal["code"] == code.name))
        .ok_or_else(|| format!("the quote has no refusal {}: {}", code.name, quote["refusals"]))
}

/// The category of a copied fact, and the flags that follow it.
fn category(case: &Fixture) -> Outcome<(&str, Vec<&str>)> {
    let members: BTreeSet<&str> = object(&case.json)?.keys().map(String::as_str).collect();
    if members != BTreeSet::from(["schema", "comment", "source", "flags", "input", "expect"]) {
        return Err(format!("unknown form: members {members:?}"));
    }
    if case.json["schema"] != "coldbridge/fixture/1" {
        return Err(format!("unknown schema {}", case.json["schema"]));
    }
    let flags = case.json["flags"].as_array().ok_or("no flags")?;
    let flags: Vec<&str> = flags.iter().map(text).collect::<Outcome<_>>()?;
    let (category, more) = flags.split_first().ok_or("no category")?;
    Ok((category, more.to_vec()))
}

// ---------------------------------------------------------------------------------------------------------- base cost

#[test]
fn base_cost_rows() {
    walk("base_cost", |case, failures| {
        match category(case)? {
            ("measured" | "base_cost", more) if more.is_empty() => {}
            other => return Err(format!("unknown flags {other:?}")),
        }
        let input = Members::of(&case.json["input"])?;
        let row = Row::read(&input)?;
        let l2_gas_limit = row.l2_gas_limit.ok_or("no l2GasLimit")?;
        let expect = Members::of(&case.json["expect"])?;
        // Rows with a name repeat their answers beside it.
        let _ = input.get("name");
        for name in ["baseCost", "l2GasPrice"] {
            if let Some(repeated) = input.get(name) {
                failures.check(&case.name, name, &Some(repeated), &expect.get(name));
            }
        }
        let derived =
            derive_l2_gas_price(WeiPerGas::new(row.gas_price), &row.params, row.multiplier, row.gas_per_pubdata);
        let cost = derived.and_then(|price| base_cost(price, Gas::new(l2_gas_limit)));
        let quote = quote(&row.deposit(l2_gas_limit, U256::one()))?;
        match (expect.get("baseCost"), expect.get("revert")) {
            (Some(expected), None) => {
                let expected = number(expected)?;
                failures.check(&case.name, "base cost", &cost.map(BaseTokenUnits::get), &Ok::<_, PriceError>(expected));
                failures.check(&case.name, "quote", &quote["baseCost"], &value!(expected.to_string()));
                if let Some(price) = expect.get("l2GasPrice") {
                    let price = number(price)?;
                    failures.check(
                        &case.name,
                        "price",
                        &derived.map(BaseTokenPerGas::get),
                        &Ok::<_, PriceError>(price),
                    );
                    failures.check(&case.name, "quoted price", &quote["l2GasPrice"], &value!(price.to_string()));
                }
                accepted_or_refused(case, &row, l2_gas_limit, expected, &quote, failures)?;
            }
            (None, Some(revert)) => {
                let error = cost.map_or_else(Some, |_| None).ok_or("has a base cost, but reverts")?;
                reverts(case, error, revert, &quote, failures)?;
            }
            _ => return Err("unknown form: expect".to_owned()),
        }
        expect.unread()?;
        input.unread()
    });
}

/// A quote without refusals leads to a plan that mints the base cost and the amount; nothing else does.
fn accepted_or_refused(
    case: &Fixture,
    row: &Row,
    l2_gas_limit: U256,
    cost: U256,
    quote: &Value,
    failures: &mut Failures,
) -> Outcome {
    let plan = plan(&row.deposit(l2_gas_limit, U256::one()));
    let refusals = quote["refusals"].as_array().ok_or("no refusals")?;
    failures.check(&case.name, "planned only if the quote has no refusal", &plan.is_ok(), &refusals.is_empty());
    failures.check(&case.name, "quoted mintValue", &quote["mintValue"], &value!((cost + 1).to_string()));
    if let Ok(plan) = plan {
        failures.check(&case.name, "mintValue", &deposited(&plan)?.mint_value, &(cost + 1));
    }
    if row.gas_per_pubdata != U256::from(REQUIRED_GAS_PER_PUBDATA) {
        refused(quote, Code::PRIORITY_GAS_PER_PUBDATA)?;
    }
    if row.multiplier.nominator != row.multiplier.denominator {
        refused(quote, Code::PRIORITY_MULTIPLIER)?;
    }
    Ok(())
}

fn reverts(case: &Fixture, error: PriceError, revert: &Value, quote: &Value, failures: &mut Failures) -> Outcome {
    let revert = Members::of(revert)?;
    let _ = revert.get("message"); // the node's own words
    let expected = (text(revert.needs("selector")?)?, text(revert.needs("name")?)?);
    let ContractError { signature, selector } = error.contract_error();
    failures.check(&case.name, "revert", &(selector, signature), &expected);
    let (arguments, code) = match error {
        PriceError::DenominatorZero => (value!([]), Code::PRIORITY_DENOMINATOR_ZERO),
        PriceError::Overflow => (value!(["17"]), Code::PRIORITY_OVERFLOW),
        PriceError::MaxPubdataPerBatchZero | PriceError::MaxL2GasPerBatchZero => {
            (value!(["18"]), Code::PRIORITY_FEE_PARAMS)
        }
        PriceError::GasPerPubdataZero => (value!(["18"]), Code::PRIORITY_GAS_PER_PUBDATA),
    };
    failures.check(&case.name, "arguments", &arguments, revert.needs("args")?);
    failures.check(&case.name, "quoted base cost", &quote["baseCost"], &Value::Null);
    failures.check(&case.name, "quoted mintValue", &quote["mintValue"], &Value::Null);
    let quoted = &refused(quote, code)?["contractError"];
    failures.check(&case.name, "quote", quoted, &value!({ "name": expected.1, "selector": expected.0 }));
    revert.unread()
}

/// Panic 0x12 for each divisor, which no row shows for the two others; and in the contract's order.
#[test]
fn each_zero_has_its_error() {
    let params = FeeParams {
        pubdata_pricing_mode: PubdataPricingMode::Rollup,
        batch_overhead_l1_gas: 1_000_000,
        max_pubdata_per_batch: 120_000,
        max_l2_gas_per_batch: 80_000_000,
        priority_tx_max_pubdata: 99_000,
        minimal_l2_gas_price: 250_000_000,
    };
    let one = BaseTokenGasPriceMultiplier { nominator: 1, denominator: 1 };
    let none = BaseTokenGasPriceMultiplier { denominator: 0, ..one };
    let no_pubdata = FeeParams { max_pubdata_per_batch: 0, ..params };
    let no_gas = FeeParams { max_l2_gas_per_batch: 0, ..params };
    let derive = |price: U256, params: &FeeParams, multiplier, per_pubdata: u64| {
        derive_l2_gas_price(WeiPerGas::new(price), params, multiplier, per_pubdata.into()).map(BaseTokenPerGas::get)
    };
    let gwei = U256::exp10(9);
    assert_eq!(derive(gwei, &no_pubdata, one, 800), Err(PriceError::MaxPubdataPerBatchZero));
    assert_eq!(derive(gwei, &no_gas, one, 800), Err(PriceError::MaxL2GasPerBatchZero));
    assert_eq!(derive(gwei, &params, one, 0), Err(PriceError::GasPerPubdataZero));
    assert_eq!(derive(U256::zero(), &params, one, 0), Err(PriceError::GasPerPubdataZero), "0 + 0 - 1");
    assert_eq!(
        derive(U256::MAX, &no_pubdata, none, 0),
        Err(PriceError::DenominatorZero),
        "the first that is looked at"
    );
    assert_eq!(derive(U256::MAX, &no_pubdata, one, 0), Err(PriceError::Overflow), "before the division");
    for error in [PriceError::MaxPubdataPerBatchZero, PriceError::MaxL2GasPerBatchZero, PriceError::Overflow] {
        assert_eq!(error.contract_error(), contract_error::PANIC);
    }
}

// --------------------------------------------------------------------------------------------------------- gas limits

#[test]
fn priority_validation_rows() {
    walk("priority_validation", |case, failures| {
        let input = Members::of(&case.json["input"])?;
        let expect = Members::of(&case.json["expect"])?;
        let (category, more) = category(case)?;
        match (category, more.as_slice()) {
            ("priority_validation", []) => known_answer(case, &input, &expect, failures)?,
            ("measured", [bound @ ("minGas" | "maxGas")]) => measured_bound(case, bound, &input, &expect, failures)?,
            ("measured", ["cases" | "modifiedStorageCases"]) => measured_case(case, &input, &expect, failures)?,
            ("measured", ["cases" | "modifiedStorageCases", "outsideFormula"]) => {
                outside_formula(case, &input, &expect, failures)?;
            }
            other => return Err(format!("unknown flags {other:?}")),
        }
        expect.unread()?;
        input.unread()
    });
}

fn shape_of(input: &Members<'_>, calldata: &'static str) -> Outcome<Shape> {
    Ok(Shape { calldata_length: input.narrow(calldata)?, factory_deps: input.narrow("factoryDeps")? })
}

/// Rows that all are of chain 260, which is what `local` is.
fn measured_row(input: &Members<'_>) -> Outcome<(Row, Limits)> {
    if input.number("chainId")? != U256::from(local().l2_chain_id) {
        return Err("not of the chain that `local` is".to_owned());
    }
    let row = Row::read(input)?;
    let limits = Limits {
        priority_tx_max_gas_limit: input.narrow("priorityTxMaxGasLimit")?,
        priority_tx_max_pubdata: row.params.priority_tx_max_pubdata.into(),
        gas_per_pubdata: row.gas_per_pubdata,
    };
    Ok((row, limits))
}

fn error_of(bounds: &GasBounds, l2_gas_limit: U256) -> Option<(&'static str, &'static str)> {
    let error = bounds.check(Gas::new(l2_gas_limit)).err()?.contract_error();
    Some((error.signature, error.selector))
}

/// The least or the most that the contracts took, and what they said to one less or more.
fn measured_bound(
    case: &Fixture,
    bound: &str,
    input: &Members<'_>,
    expect: &Members<'_>,
    failures: &mut Failures,
) -> Outcome {
    let name = case.name.as_str();
    let (row, limits) = measured_row(input)?;
    let shape = shape_of(input, "calldataBytes")?;
    failures.check(name, "encodedLength", &U256::from(shape.encoded_length()), &expect.number("encodedLength")?);
    let bounds = GasRule::EraVm.bounds(shape, limits);
    let (accepted, rejected) = (expect.number("accepted")?, expect.number("rejected")?);
    let with = Members::of(expect.needs("rejectedWith")?)?;
    let error = (text(with.needs("name")?)?, text(with.needs("selector")?)?);
    failures.check(name, "accepted", &error_of(&bounds, accepted), &None::<()>);
    failures.check(name, "rejected", &error_of(&bounds, rejected), &Some(error));
    failures.check(name, "arguments", with.needs("args")?, &value!([]));
    with.unread()?;
    if bound == "maxGas" {
        failures.check(name, "ceiling", &bounds.ceiling.get(), &accepted);
        failures.check(name, "one above", &rejected, &(accepted + 1));
    } else {
        failures.check(name, "floor", &bounds.floor.get(), &accepted);
        failures.check(name, "one below", &rejected, &(accepted - 1));
        let overhead = expect.number("overhead")?;
        for (limit, member) in [(overhead - 1, "atOverheadMinus1"), (overhead, "atOverhead")] {
            let error = error_of(&bounds, limit).map(|(signature, _)| signature);
            failures.check(name, member, &error, &Some(text(expect.needs(member)?)?));
        }
    }
    if shape == (Shape { calldata_length: 0, factory_deps: 0 }) {
        // The one shape that our requests have.
        for (limit, taken) in [(accepted, true), (rejected, false)] {
            let document = row.deposit(limit, U256::one());
            let quote = quote(&document)?;
            let quoted = &quote[if bound == "maxGas" { "maxL2GasLimit" } else { "minL2GasLimit" }];
            failures.check(name, "quoted bound", &number(quoted)?, &accepted);
            failures.check(name, "planned", &plan(&document).is_ok(), &taken);
        }
    }
    Ok(())
}

/// One request, with everything that its outcome depends on.
fn measured_case(case: &Fixture, input: &Members<'_>, expect: &Members<'_>, failures: &mut Failures) -> Outcome {
    let name = case.name.as_str();
    let (row, limits) = measured_row(input)?;
    let shape = shape_of(input, "calldataBytes")?;
    if shape != (Shape { calldata_length: 0, factory_deps: 0 }) {
        return Err("unknown form: a case with calldata or dependencies".to_owned());
    }
    let l2_gas_limit = row.l2_gas_limit.ok_or("no l2GasLimit")?;
    let l2_value = input.get("l2Value").map(number).transpose()?.unwrap_or_default();
    let mint_value = input.get("mintValue").map(number).transpose()?;
    let answer = Answer::read(expect, name, failures)?;
    let check = GasRule::EraVm.bounds(shape, limits).check(Gas::new(l2_gas_limit));
    // What the row's storage says of priorityTxMaxGasLimit is a member of the network, the rest is facts.
    let networks = network(&[("priorityTxMaxGasLimit", Json::count(limits.priority_tx_max_gas_limit))]);
    let quote_of = |amount: U256| {
        let mut document = row.deposit(l2_gas_limit, amount);
        document["intent"]["network"] = "row".into();
        quote_on(&document, &networks)
    };
    let quote = quote_of(U256::one())?;
    let gas_error = check.err().map(GasError::contract_error);
    match (answer.error, check) {
        (None, Ok(())) => {
            failures.check(name, "refusals", &quote["refusals"], &value!([]));
        }
        (Some("GasPerPubdataMismatch()"), _) => {
            let error = &refused(&quote, Code::PRIORITY_GAS_PER_PUBDATA)?["contractError"]["name"];
            failures.check(name, "quote", error, &value!("GasPerPubdataMismatch()"));
        }
        // Nothing is minted: no base cost for no gas, and no l2Value. Ours always has one, and then it is the gas that is
        // missing.
        (Some("EmptyDeposit()"), _) => {
            failures.check(name, "gas", &check, &Err::<(), _>(GasError::BelowOverhead));
            let empty = quote_of(U256::zero())?;
            failures.check(name, "mintValue", &empty["mintValue"], &value!("0"));
            refused(&empty, Code::AMOUNT_ZERO)?;
            refused(&empty, Code::PRIORITY_GAS_FLOOR)?;
            refused(&quote, Code::PRIORITY_GAS_FLOOR)?;
        }
        // What the contract asked for is what we mint; the row had less.
        (Some("MsgValueTooLow(uint256,uint256)"), Ok(())) => {
            let [required, provided] = answer.arguments.as_slice() else { return Err("not two arguments".to_owned()) };
            let required = number(required)?;
            failures.check(name, "provided", &Some(number(provided)?), &mint_value);
            failures.check(name, "less than required", &mint_value.is_some_and(|minted| minted < required), &true);
            let quote = quote_of(l2_value)?;
            failures.check(name, "quoted mintValue", &number(&quote["mintValue"])?, &required);
            let planned = deposited(&plan(&row.deposit(l2_gas_limit, l2_value + 1))?)?;
            failures.check(name, "mintValue for one wei more", &planned.mint_value, &(required + 1));
        }
        (Some(error), Err(gas)) => {
            failures.check(name, "gas", &gas_error.map(|error| error.signature), &Some(error));
            let (code, actual) = match gas {
                GasError::TooMuchGas => (Code::PRIORITY_GAS_CEILING, None),
                GasError::PubdataGreaterThanLimit { actual } => (Code::PRIORITY_GAS_CEILING, Some(actual)),
                _ => (Code::PRIORITY_GAS_FLOOR, None),
            };
            let arguments: Vec<Value> = actual.map_or_else(Vec::new, |actual| {
                vec![limits.priority_tx_max_pubdata.to_string().into(), actual.to_string().into()]
            });
            failures.check(name, "arguments", &arguments, answer.arguments);
            let quoted = &refused(&quote, code)?["contractError"];
            failures.check(name, "quote", quoted, &value!({ "name": error, "selector": answer.selector }));
        }
        (error, check) => return Err(format!("the contracts gave {error:?}, our gas rule {check:?}")),
    }
    Ok(())
}

/// What the contracts answered to a case.
struct Answer<'a> {
    error: Option<&'a str>,
    selector: Option<&'a str>,
    arguments: &'a Vec<Value>,
}

impl<'a> Answer<'a> {
    fn read(expect: &Members<'a>, name: &str, failures: &mut Failures) -> Outcome<Self> {
        static NONE: Vec<Value> = Vec::new();
        let _ = expect.get("message"); // the node's own words
        let ok = expect.needs("ok")?.as_bool().ok_or("ok is no boolean")?;
        let answer = Self {
            error: expect.needs("error")?.as_str(),
            selector: expect.needs("selector")?.as_str(),
            arguments: expect.needs("args")?.as_array().unwrap_or(&NONE),
        };
        if ok && answer.error.is_some() {
            return Err("accepted, and an error".to_owned());
        }
        if let (Some(error), Some(selector)) = (answer.error, answer.selector) {
            let computed = format!("0x{}", hex::encode(abi::selector(error)));
            failures.check(name, "selector", &computed, &selector);
            if let Some(foreseen) = contract_error::ALL.iter().find(|foreseen| foreseen.signature == error) {
                failures.check(name, "foreseen", &foreseen.selector, &selector);
            }
        }
        Ok(answer)
    }
}

/// Rows whose outcome something else decides. Each is named, with what of it holds for us; an unknown one fails.
fn outside_formula(case: &Fixture, input: &Members<'_>, expect: &Members<'_>, failures: &mut Failures) -> Outcome {
    let name = case.name.as_str();
    let (row, limits) = measured_row(input)?;
    let answer = Answer::read(expect, name, failures)?;
    let ok = answer.error.is_none() && expect.needs("ok")?.as_bool() == Some(true);
    let gas = U256::from(1_000_000);
    let planned = deposited(&plan(&row.deposit(gas, U256::one()))?)?;
    let what = text(input.needs("case")?)?;
    let (accepted, reason) = match what {
        "msg.value = mintValue-1" | "msg.value = mintValue+1" => {
            let [mint_value, value] = answer.arguments.as_slice() else { return Err("not two arguments".to_owned()) };
            let (mint_value, value) = (number(mint_value)?, number(value)?);
            failures.check(name, "the row is off", &(mint_value == value), &false);
            failures.check(
                name,
                "mintValue",
                &number(&quote(&row.deposit(gas, U256::zero()))?["mintValue"])?,
                &mint_value,
            );
            failures.check(name, "value is mintValue", &planned.value, &planned.mint_value);
            failures.check(name, "for a wei", &(planned.mint_value, planned.l2_value), &(mint_value + 1, U256::one()));
            (false, "not expressible: the value is mintValue by construction")
        }
        "chainId 0" | "chainId 270 (not registered)" => {
            failures.check(name, "chainId", &planned.chain_id, &U256::from(local().l2_chain_id));
            (false, "not expressible: the chain id comes from the pinned network, never from a request")
        }
        "l2GasLimit=2^64" => {
            // The node looked at the balance first.
            let limit = U256::one() << 64;
            let bounds = GasRule::EraVm.bounds(Shape { calldata_length: 0, factory_deps: 0 }, limits);
            failures.check(name, "gas", &bounds.check(Gas::new(limit)), &Err::<(), _>(GasError::TooMuchGas));
            refused(&quote(&row.deposit(limit, U256::one()))?, Code::PRIORITY_GAS_CEILING)?;
            (false, "the sender's balance, which nobody knows offline; the gas limit is refused before")
        }
        "insufficient sender balance" => {
            let quote = quote(&row.deposit(gas, U256::one()))?;
            let fee = U256::from(350_000) * row.gas_price;
            let debit = value!([{ "token": "eth", "amount": (planned.value + fee).to_string() }]);
            failures.check(name, "worstCaseDebit", &quote["worstCaseDebit"], &debit);
            (false, "the sender's balance, which nobody knows offline: the document says what must be there")
        }
        "factoryDeps 64" | "factoryDep 2^16+1 words" => {
            failures.check(name, "factoryDeps", &planned.factory_deps, &0);
            if ok {
                let bounds = GasRule::EraVm.bounds(Shape { calldata_length: 0, factory_deps: 64 }, limits);
                failures.check(name, "64 have room", &(bounds.floor <= bounds.ceiling), &true);
                failures.check(name, "at the floor", &bounds.check(bounds.floor), &Ok::<_, GasError>(()));
            }
            (what == "factoryDeps 64", "not expressible: a deposit has no dependencies")
        }
        "refundRecipient zero" => {
            let mut document = row.deposit(gas, U256::one());
            document["intent"]["refundRecipient"] = Address::ZERO.to_string().into();
            refused(&quote(&document)?, Code::RECIPIENT_ZERO)?;
            failures.check(name, "left out", &planned.refund_recipient.to_string(), &FROM);
            (true, "refused by us: who leaves it out gets the sender, spelled out")
        }
        "refundRecipient is an L1 contract" => {
            let mut document = row.deposit(gas, U256::one());
            document["intent"]["refundRecipient"] = TO.into();
            let planned = deposited(&plan(&document)?)?;
            failures.check(name, "as stated", &planned.refund_recipient.to_string(), &TO);
            (true, "code on L1 is not known offline; the network's own contracts are, and are refused")
        }
        "Bridgehub receives plain ETH" => {
            // `deposited` has found the calldata.
            failures.check(name, "a call", &planned.l2_value, &U256::one());
            (false, "not expressible: every transaction is a contract call")
        }
        "finalizeDeposit with garbage proof (batch not executed)" => {
            // A proof of one word, zero, which says metadata version 0: the contracts' own error before the batch is asked for.
            let refusal = Proof::read(&[[0; 32]]).err().ok_or("a proof of zeros")?.refusal("/proof", "/index");
            let error = refusal.contract_error().map(|error| error.signature);
            failures.check(name, "error", &error, &Some("UnsupportedProofMetadataVersion(uint256)"));
            failures.check(
                name,
                "selector",
                &refusal.contract_error(),
                &Some(contract_error::UNSUPPORTED_PROOF_METADATA_VERSION),
            );
            (false, "a proof's own error")
        }
        "transactionFilterer set to an address without code" => {
            failures.check(name, "no fact", &row.facts(gas).to_string().contains("ilterer"), &false);
            (false, "who may use a chain is its own storage, which no request states")
        }
        other => return Err(format!("unknown form: case {other:?}")),
    };
    failures.check(name, "accepted", &ok, &accepted);
    report(&format!("outside the formula: {what}: {reason}"));
    Ok(())
}

/// A known answer of a public project, or one computed beside it.
fn known_answer(case: &Fixture, input: &Members<'_>, expect: &Members<'_>, failures: &mut Failures) -> Outcome {
    let name = case.name.as_str();
    let shape = shape_of(input, "dataLen")?;
    let stated = |name: &'static str, default: u64| input.get(name).map_or(Ok(default), |value| narrow(number(value)?));
    let limits = Limits {
        priority_tx_max_gas_limit: stated("priorityTxMaxGasLimit", MAX_GAS_LIMIT)?,
        priority_tx_max_pubdata: stated("priorityTxMaxPubdata", MAX_PUBDATA)?,
        gas_per_pubdata: input.number("gasPerPubdata")?,
    };
    if let Some(length) = input.get("encodedLength") {
        failures.check(name, "encodedLength", &U256::from(shape.encoded_length()), &number(length)?);
    }
    let bounds = GasRule::EraVm.bounds(shape, limits);
    match (expect.get("min_l2GasLimit"), expect.get("result")) {
        (Some(floor), None) => {
            let floor = number(floor)?;
            failures.check(name, "floor", &bounds.floor.get(), &floor);
            failures.check(name, "at the floor", &error_of(&bounds, floor), &None::<()>);
            let below = error_of(&bounds, floor - 1).map(|(signature, _)| signature);
            failures.check(name, "below the floor", &below, &Some("ValidateTxnNotEnoughGas()"));
            if let Some(buffered) = expect.get("zksync_js_buffered") {
                failures.check(name, "40 % more", &(floor * 140_u64 / 100_u64), &number(buffered)?);
            }
        }
        (None, Some(result)) => {
            let error = error_of(&bounds, input.number("gasLimit")?);
            let error = error.map_or("ok", |(signature, _)| signature.split('(').next().unwrap_or_default());
            failures.check(name, "result", &error, &text(result)?);
        }
        _ => return Err("unknown form: expect".to_owned()),
    }
    Ok(())
}

// --------------------------------------------------------------------------------------------------------- ZKsync OS

const EMPTY: Shape = Shape { calldata_length: 0, factory_deps: 0 };

fn zksync_os(minor: u32, price: u64, shape: Shape) -> GasBounds {
    let version = ProtocolVersion { minor, patch: 0 };
    let limits = Limits {
        priority_tx_max_gas_limit: MAX_GAS_LIMIT,
        priority_tx_max_pubdata: MAX_PUBDATA,
        gas_per_pubdata: REQUIRED_GAS_PER_PUBDATA.into(),
    };
    GasRule::ZkSyncOs { version, l2_gas_price: BaseTokenPerGas::from(price) }.bounds(shape, limits)
}

/// The floors for empty data at 800 gas per pubdata byte: 88 or 351 bytes, and the native part, which is nothing once ten
/// times it is below the price. (v30: 237 500 native, v31: 2 980 420, so that at exactly 10^7 two gas are left of it.)
#[test]
fn zksync_os_floors() {
    let floor = |minor, price| zksync_os(minor, price, EMPTY).floor.get().as_u64();
    for price in [10_000_000, 10_000_001, 29_804_201, 250_000_000, 10_u64.pow(12), u64::MAX] {
        assert_eq!(floor(30, price), 70_400, "v30 at {price}");
    }
    for price in [29_804_201, 250_000_000, 10_u64.pow(12), u64::MAX] {
        assert_eq!(floor(31, price), 280_800, "v31 at {price}");
    }
    for (minor, price, expected) in [
        (30, 2_375_001, 70_400),
        (30, 2_375_000, 70_401),
        (30, 1, 70_400 + 2_375_000),
        (30, 0, 70_400 + 23),
        (31, 29_804_200, 280_801),
        (31, 10_000_000, 280_802),
        (31, 1, 280_800 + 29_804_200),
        (31, 0, 280_800 + 298),
    ] {
        assert_eq!(floor(minor, price), expected, "v{minor} at {price}");
    }
    // With data: a block of 136 bytes more, its bytes, and 21000 + 16 a byte where that is more.
    let data = |calldata_length| Shape { calldata_length, factory_deps: 0 };
    assert_eq!(zksync_os(30, 1, data(32)).floor.get().as_u64(), 70_400 + 10 * (132_500 + 7 * 17_500 + 32));
    assert_eq!(zksync_os(30, 1 << 40, data(100_000)).floor.get().as_u64(), 21_000 + 1_600_000);
    // At price 0 the native part counts by the 10 000: 3 280 097 of 2177 bytes, 3 209 679 of 1759.
    assert_eq!(zksync_os(31, 0, data(2177)).floor.get().as_u64(), 280_800 + 328);
    assert_eq!(zksync_os(31, 0, data(1759)).floor.get().as_u64(), 280_800 + 320);
    for minor in [30, 31] {
        let bounds = zksync_os(minor, 250_000_000, EMPTY);
        let check = |limit: U256| bounds.check(Gas::new(limit));
        assert_eq!(check(bounds.floor.get()), Ok(()));
        assert_eq!(check(bounds.floor.get() - 1), Err(GasError::NotEnoughGas));
        assert_eq!(check(U256::zero()), Err(GasError::NotEnoughGas), "there is no overhead");
        assert_eq!(check(MAX_GAS_LIMIT.into()), Ok(()));
        assert_eq!(check(U256::from(MAX_GAS_LIMIT) + 1), Err(GasError::TooMuchGas));
    }
}

/// v30 takes nothing at price 0, after it has looked at the ceiling; v31 does.
#[test]
fn zksync_os_takes_no_zero_price_before_v31() {
    let check = |minor, limit: u64| zksync_os(minor, 0, EMPTY).check(Gas::from(limit));
    for limit in [0, 70_422, 70_423, 1_000_000, MAX_GAS_LIMIT] {
        assert_eq!(check(30, limit), Err(GasError::ZeroGasPrice), "{limit}");
    }
    assert_eq!(check(30, MAX_GAS_LIMIT + 1), Err(GasError::TooMuchGas));
    assert_eq!(check(31, 281_098), Ok(()));
    assert_eq!(check(31, 281_097), Err(GasError::NotEnoughGas));
    assert_eq!(GasError::ZeroGasPrice.contract_error(), contract_error::ZERO_GAS_PRICE_L1_TX_ZKSYNC_OS);
}

/// The same through an operator's network and a quote.
#[test]
fn zksync_os_floors_in_a_quote() {
    let row = |minimal_l2_gas_price, batch_overhead_l1_gas| Row {
        params: FeeParams {
            pubdata_pricing_mode: PubdataPricingMode::Validium,
            batch_overhead_l1_gas,
            max_pubdata_per_batch: 120_000,
            max_l2_gas_per_batch: 80_000_000,
            priority_tx_max_pubdata: 99_000,
            minimal_l2_gas_price,
        },
        multiplier: BaseTokenGasPriceMultiplier { nominator: 1, denominator: 1 },
        gas_price: U256::exp10(9),
        gas_per_pubdata: U256::from(800),
        l2_gas_limit: None,
    };
    for (version, floor, free) in [("0.30.2", 70_400, false), ("0.31.0", 280_800, true)] {
        let networks = network(&[("vm", Json::text("zksync-os")), ("protocolVersion", Json::text(version))]);
        let quote = |row: &Row, limit: u64| {
            let mut document = row.deposit(limit.into(), U256::one());
            document["intent"]["network"] = "row".into();
            quote_on(&document, &networks).expect("a quote")
        };
        let usual = row(250_000_000, 1_000_000);
        assert_eq!(quote(&usual, floor)["refusals"], value!([]), "{version}");
        assert_eq!(quote(&usual, floor)["minL2GasLimit"], value!(floor), "{version}");
        assert_eq!(quote(&usual, floor)["maxL2GasLimit"], value!(MAX_GAS_LIMIT), "{version}");
        let below = quote(&usual, floor - 1);
        let error = &refused(&below, Code::PRIORITY_GAS_FLOOR).expect("below the floor")["contractError"]["name"];
        assert_eq!(error, "ValidateTxnNotEnoughGas()", "{version}");
        let at_nothing = quote(&row(0, 0), 1_000_000);
        assert_eq!(at_nothing["l2GasPrice"], value!("0"), "{version}");
        assert_eq!(at_nothing["refusals"] == value!([]), free, "{version}");
        if !free {
            let error = &refused(&at_nothing, Code::PRIORITY_GAS_FLOOR).expect("price 0")["contractError"];
            assert_eq!(error, &value!({ "name": "ZeroGasPriceL1TxZKsyncOS()", "selector": "0xdb60e600" }));
        }
    }
}

// ---------------------------------------------------------------------------------------------------------- selectors

#[test]
fn selectors_are_those_of_their_signatures() {
    let of = |signature: &str| format!("0x{}", hex::encode(&keccak256(signature.as_bytes())[..4]));
    let mut seen = BTreeSet::new();
    for error in contract_error::ALL {
        assert_eq!(error.selector, of(error.signature), "{}", error.signature);
        assert!(seen.insert(error.selector), "{} stands twice", error.signature);
    }
    let mut functions = 0;
    for operation in operation::ALL {
        for function in operation.functions {
            assert_eq!(function.selector, abi::selector(function.signature), "{}", function.signature);
            assert_eq!(format!("0x{}", hex::encode(function.selector)), of(function.signature));
            // The types that are encoded are those of the signature.
            let (name, types) = function.signature.split_once('(').expect("a signature");
            let parameters: Vec<String> = (function.parameters)().iter().map(spelled).collect();
            assert_eq!(types, format!("{})", parameters.join(",")), "{name}");
            functions += 1;
        }
    }
    report(&format!("{} contract errors and {functions} functions", contract_error::ALL.len()));
}

/// A type as Solidity spells it in a signature.
fn spelled(kind: &ParamType) -> String {
    match kind {
        ParamType::Tuple(items) => format!("({})", items.iter().map(spelled).collect::<Vec<_>>().join(",")),
        ParamType::Array(item) => format!("{}[]", spelled(item)),
        ParamType::FixedArray(item, length) => format!("{}[{length}]", spelled(item)),
        other => other.to_string(),
    }
}

// ------------------------------------------------------------------------------------------------------------ at random

/// Numbers of every size up to `bits`.
fn any_number(bits: usize) -> impl Strategy<Value = U256> {
    (any::<[u8; 32]>(), 256 - bits..=256).prop_map(|(bytes, shift)| U256::from_big_endian(&bytes) >> shift)
}

fn any_params() -> impl Strategy<Value = FeeParams> {
    let u32_of_any_size = || (any::<u32>(), 0..32_u32).prop_map(|(number, shift)| (number >> shift).max(1));
    (
        any::<bool>(),
        prop_oneof![1 => Just(0), 8 => u32_of_any_size()],
        (u32_of_any_size(), u32_of_any_size(), u32_of_any_size()),
        (any::<u64>(), 0..=64_u32),
    )
        .prop_map(|(rollup, batch_overhead_l1_gas, (one, two, max_l2_gas_per_batch), (minimal, shift))| {
            FeeParams {
                pubdata_pricing_mode: if rollup { PubdataPricingMode::Rollup } else { PubdataPricingMode::Validium },
                batch_overhead_l1_gas,
                // As changeFeeParams asks for it.
                max_pubdata_per_batch: one.max(two),
                max_l2_gas_per_batch,
                priority_tx_max_pubdata: one.min(two),
                minimal_l2_gas_price: minimal.checked_shr(shift).unwrap_or(0),
            }
        })
}

fn any_multiplier() -> impl Strategy<Value = BaseTokenGasPriceMultiplier> {
    let part = || (any::<u128>(), 0..128_u32).prop_map(|(number, shift)| (number >> shift).max(1));
    (part(), part()).prop_map(|(nominator, denominator)| BaseTokenGasPriceMultiplier { nominator, denominator })
}

/// Gas per pubdata byte: mostly what the Mailbox asks for.
fn any_per_pubdata() -> impl Strategy<Value = U256> {
    prop_oneof![2 => Just(U256::from(800)), 1 => any_number(256).prop_map(|number| number.max(U256::one()))]
}

/// The same formula in 512 bits: none if any step is above 2^256-1.
fn model(
    gas_price: U256,
    params: &FeeParams,
    multiplier: BaseTokenGasPriceMultiplier,
    gas_per_pubdata: U256,
    l2_gas_limit: U256,
) -> Option<(U512, U512)> {
    let fits = |number: U512| (number <= U512::from(U256::MAX)).then_some(number);
    let price = fits(U512::from(gas_price) * U512::from(multiplier.nominator))? / U512::from(multiplier.denominator);
    let per_byte = match params.pubdata_pricing_mode {
        PubdataPricingMode::Rollup => fits(U512::from(17) * price)?,
        PubdataPricingMode::Validium => U512::zero(),
    };
    let batch = fits(U512::from(params.batch_overhead_l1_gas) * price)?;
    let pubdata_price = fits(per_byte + batch / U512::from(params.max_pubdata_per_batch))?;
    let by_gas = fits(U512::from(params.minimal_l2_gas_price) + batch / U512::from(params.max_l2_gas_per_batch))?;
    let per_pubdata = U512::from(gas_per_pubdata);
    let by_pubdata = (fits(pubdata_price + per_pubdata)? - 1) / per_pubdata;
    let l2_gas_price = by_gas.max(by_pubdata);
    Some((l2_gas_price, fits(l2_gas_price * U512::from(l2_gas_limit))?))
}

fn cost(
    gas_price: U256,
    params: &FeeParams,
    multiplier: BaseTokenGasPriceMultiplier,
    gas_per_pubdata: U256,
    l2_gas_limit: U256,
) -> Result<U256, PriceError> {
    let price = derive_l2_gas_price(WeiPerGas::new(gas_price), params, multiplier, gas_per_pubdata)?;
    base_cost(price, Gas::new(l2_gas_limit)).map(BaseTokenUnits::get)
}

proptest! {
    #![proptest_config(config())]

    /// More gas or a higher price never costs less, and what is too much stays too much.
    #[test]
    fn base_cost_is_monotone(
        params in any_params(),
        multiplier in any_multiplier(),
        per_pubdata in any_per_pubdata(),
        prices in (any_number(256), any_number(256)),
        limits in (any_number(256), any_number(256)),
    ) {
        let of = |price, limit| cost(price, &params, multiplier, per_pubdata, limit);
        let (low, high) = (prices.0.min(prices.1), prices.0.max(prices.1));
        let (less, more) = (limits.0.min(limits.1), limits.0.max(limits.1));
        for (one, other) in [
            (of(low, less), of(high, less)),
            (of(low, less), of(low, more)),
            (of(low, less), of(high, more)),
            (of(low, less), of(low.saturating_add(U256::one()), less)),
            (of(low, less), of(low, less.saturating_add(U256::one()))),
        ] {
            match (one, other) {
                (Ok(one), Ok(other)) => prop_assert!(one <= other),
                (Ok(_), Err(error)) | (Err(error), Err(_)) => prop_assert_eq!(error, PriceError::Overflow),
                (Err(error), Ok(other)) => prop_assert!(false, "{:?}, but {} for more", error, other),
            }
        }
    }

    /// An overflow anywhere on the way is an error, and never a smaller number.
    #[test]
    fn base_cost_is_the_models(
        params in any_params(),
        multiplier in any_multiplier(),
        per_pubdata in any_per_pubdata(),
        price in any_number(256),
        limit in any_number(256),
    ) {
        let derived = derive_l2_gas_price(WeiPerGas::new(price), &params, multiplier, per_pubdata);
        let exact = model(price, &params, multiplier, per_pubdata, U256::one()).map(|(price, _)| price);
        prop_assert_eq!(derived.map(|price| U512::from(price.get())), exact.ok_or(PriceError::Overflow));
        let exact = model(price, &params, multiplier, per_pubdata, limit).map(|(_, cost)| cost);
        let cost = cost(price, &params, multiplier, per_pubdata, limit);
        prop_assert_eq!(cost.map(U512::from), exact.ok_or(PriceError::Overflow));
    }

    /// mintValue with margin and tip is exact, or the request is refused for it.
    #[test]
    fn mint_value_is_exact_or_refused(
        fee_params in any_params(),
        price in any_number(256),
        limit in any_number(256),
        l2_value in any_number(256),
        operator_tip in any_number(256),
        margin_percent in 0..=1000_u64,
    ) {
        let multiplier = BaseTokenGasPriceMultiplier { nominator: 1, denominator: 1 };
        let gas_per_pubdata = U256::from(REQUIRED_GAS_PER_PUBDATA);
        let facts = PriorityRequestFacts {
            l2_gas_limit: Gas::new(limit),
            gas_per_pubdata: Gas::new(gas_per_pubdata),
            fee_params,
            multiplier,
        };
        let assessment = PriorityRequest {
            network: &local(),
            facts: &facts,
            shape: EMPTY,
            l2_value: BaseTokenUnits::new(l2_value),
            operator_tip: BaseTokenUnits::new(operator_tip),
            margin_percent,
            gas_price_cap: Some((WeiPerGas::new(price), "/facts/transaction/maxFeePerGas")),
            gas_price_floor: None,
        }
        .assess();
        let cost = model(price, &fee_params, multiplier, gas_per_pubdata, limit).map(|(_, cost)| cost);
        let exact = cost.and_then(|cost| {
            let percents = cost * U512::from(margin_percent) + 99;
            let sum = cost + percents / 100 + U512::from(l2_value) + U512::from(operator_tip);
            // The percents are a step of their own, which may be too large where the sum is not.
            (sum.max(percents) <= U512::from(U256::MAX)).then_some(sum)
        });
        prop_assert_eq!(assessment.base_cost.map(|cost| U512::from(cost.get())), cost);
        prop_assert_eq!(assessment.mint_value.map(|minted| U512::from(minted.get())), exact);
        let overflows: Vec<(Code, &str)> = assessment
            .refusals
            .iter()
            .map(|refusal| (refusal.code(), refusal.at()))
            .filter(|(code, _)| [Code::PRIORITY_OVERFLOW, Code::FEES_OVERFLOW].contains(code))
            .collect();
        let expected = match (cost, exact) {
            (None, _) => vec![(Code::PRIORITY_OVERFLOW, "/facts/transaction/maxFeePerGas")],
            (Some(_), None) => vec![(Code::FEES_OVERFLOW, "/intent")],
            (Some(_), Some(_)) => Vec::new(),
        };
        prop_assert_eq!(overflows, expected);
    }

    /// What is signed pays for every price up to the cap, and without margin and tip for not a wei more at the cap.
    #[test]
    fn mint_value_covers_every_price_up_to_the_cap(
        params in any_params(),
        cap in any_number(128),
        fractions in prop::collection::vec(any::<u32>(), 8),
        l2_value in any_number(128),
        (operator_tip, margin) in (prop_oneof![Just(U256::zero()), any_number(128)], prop_oneof![Just(0), 0..=1000_u64]),
        place in any::<u32>(),
    ) {
        let multiplier = BaseTokenGasPriceMultiplier { nominator: 1, denominator: 1 };
        let (cap, l2_value) = (cap.max(U256::one()), l2_value.max(U256::one()));
        let per_pubdata = U256::from(REQUIRED_GAS_PER_PUBDATA);
        let bounds = GasRule::EraVm.bounds(EMPTY, Limits {
            priority_tx_max_gas_limit: MAX_GAS_LIMIT,
            priority_tx_max_pubdata: params.priority_tx_max_pubdata.into(),
            gas_per_pubdata: per_pubdata,
        });
        prop_assume!(bounds.floor <= bounds.ceiling);
        let room = bounds.ceiling.get() - bounds.floor.get();
        let limit = bounds.floor.get() + room * U256::from(place) / U256::from(u32::MAX);
        let row = Row { params, multiplier, gas_price: cap, gas_per_pubdata: per_pubdata, l2_gas_limit: None };
        let mut document = row.deposit(limit, l2_value);
        document["intent"]["operatorTip"] = operator_tip.to_string().into();
        document["intent"]["baseCostMarginPercent"] = margin.into();
        let planned = deposited(&plan(&document).map_err(TestCaseError::fail)?).map_err(TestCaseError::fail)?;
        prop_assert_eq!(planned.value, planned.mint_value);
        prop_assert_eq!(planned.l2_value, l2_value);
        let at = |price| cost(price, &params, multiplier, per_pubdata, limit).expect("below 2^256");
        let within = fractions.iter().map(|fraction| cap * U256::from(*fraction) / U256::from(u32::MAX));
        for price in within.chain([U256::zero(), U256::one(), cap - 1, cap]) {
            prop_assert!(at(price) + l2_value <= planned.mint_value, "at {}", price);
        }
        let margin = (at(cap) * margin + 99) / 100;
        prop_assert_eq!(planned.mint_value, at(cap) + margin + l2_value + operator_tip);
    }

    /// ZKsync OS asks for more gas when the L1 gas price falls: the floor that is given holds wherever it falls to.
    #[test]
    fn the_floor_of_zksync_os_holds_at_every_price(
        mut params in any_params(),
        minimal in 0..100_u64,
        multiplier in any_multiplier(),
        (cap, floor) in (1..u64::from(u32::MAX) * 64, any::<u32>()),
        fractions in prop::collection::vec(any::<u32>(), 8),
        minor in prop::sample::select(vec![30, 31]),
        shape in any_shape(),
    ) {
        params.minimal_l2_gas_price = minimal;
        let version = ProtocolVersion { minor, patch: 0 };
        let mut network = local();
        (network.vm, network.protocol_version) = (Vm::ZkSyncOs, version);
        let gas_per_pubdata = Gas::from(REQUIRED_GAS_PER_PUBDATA);
        let facts = PriorityRequestFacts { l2_gas_limit: Gas::from(1), gas_per_pubdata, fee_params: params, multiplier };
        let floor = u64::from(floor).clamp(1, cap);
        let assessment = PriorityRequest {
            network: &network,
            facts: &facts,
            shape,
            l2_value: BaseTokenUnits::from(1),
            operator_tip: BaseTokenUnits::zero(),
            margin_percent: 0,
            gas_price_cap: Some((WeiPerGas::from(cap), "/facts/transaction/maxFeePerGas")),
            gas_price_floor: Some(WeiPerGas::from(floor)),
        }
        .assess();
        prop_assume!(assessment.bounds.is_some());
        let bounds = assessment.bounds.expect("assumed");
        prop_assume!(bounds.floor <= bounds.ceiling);
        let limits = Limits {
            priority_tx_max_gas_limit: network.priority_tx_max_gas_limit,
            priority_tx_max_pubdata: params.priority_tx_max_pubdata.into(),
            gas_per_pubdata: gas_per_pubdata.get(),
        };
        let within = fractions.iter().map(|fraction| floor + (cap - floor) / u64::from(u32::MAX) * u64::from(*fraction));
        for price in within.chain([floor, cap]) {
            let price = derive_l2_gas_price(WeiPerGas::from(price), &params, multiplier, gas_per_pubdata.get());
            let Ok(l2_gas_price) = price else { continue };
            // Whether v30 gets a price of 0 is no matter of the limit.
            if minor == 30 && l2_gas_price.is_zero() { continue }
            let there = GasRule::ZkSyncOs { version, l2_gas_price }.bounds(shape, limits);
            prop_assert_eq!(there.check(bounds.floor), Ok(()), "at the L2 gas price {}", l2_gas_price);
        }
    }

    /// `check` takes exactly what is from floor to ceiling, whatever the shape, the limits and the rule.
    #[test]
    fn checks_agree_with_the_bounds(
        rule in any_rule(),
        shape in any_shape(),
        max_gas in prop_oneof![Just(MAX_GAS_LIMIT), any_number(64).prop_map(|number| number.as_u64())],
        max_pubdata in prop_oneof![Just(MAX_PUBDATA), any_number(32).prop_map(|number| number.as_u64())],
        gas_per_pubdata in any_per_pubdata(),
        other in any_number(256),
    ) {
        let limits = Limits { priority_tx_max_gas_limit: max_gas, priority_tx_max_pubdata: max_pubdata, gas_per_pubdata };
        let bounds = rule.bounds(shape, limits);
        let (floor, ceiling) = (bounds.floor.get(), bounds.ceiling.get());
        let overhead = match rule {
            GasRule::EraVm => U256::from(10_000).max(U256::from(shape.encoded_length()) * 10),
            GasRule::ZkSyncOs { .. } => U256::zero(),
        };
        let free = matches!(
            rule,
            GasRule::ZkSyncOs { version: ProtocolVersion { minor: 30, .. }, l2_gas_price } if l2_gas_price.is_zero()
        );
        let edges = [floor, ceiling, overhead, overhead + max_gas, other, U256::zero(), U256::MAX];
        for limit in edges.into_iter().flat_map(|edge| {
            [edge.saturating_sub(U256::one()), edge, edge.saturating_add(U256::one())]
        }) {
            let check = bounds.check(Gas::new(limit));
            prop_assert_eq!(check.is_ok(), !free && floor <= limit && limit <= ceiling, "{} is {:?}", limit, check);
            // And the error is the first that the contract would find.
            let body = limit.checked_sub(overhead);
            let expected = match body {
                None => Err(GasError::BelowOverhead),
                Some(body) if body > max_gas.into() => Err(GasError::TooMuchGas),
                Some(body) if body / gas_per_pubdata > max_pubdata.into() => {
                    Err(GasError::PubdataGreaterThanLimit { actual: body / gas_per_pubdata })
                }
                Some(_) if free => Err(GasError::ZeroGasPrice),
                Some(_) if limit < floor => Err(GasError::NotEnoughGas),
                Some(_) => Ok(()),
            };
            prop_assert_eq!(check, expected);
        }
    }

    /// With the limits that chains have, every shape that fits a transaction has room between floor and ceiling.
    #[test]
    fn floor_is_not_above_the_ceiling(
        rule in any_rule(),
        calldata_length in 0..=128_000_u64,
        factory_deps in 0..=64_u64,
        more in 1..=1000_u64,
    ) {
        if let GasRule::ZkSyncOs { l2_gas_price, .. } = rule {
            prop_assume!(l2_gas_price >= BaseTokenPerGas::from(10_000));
        }
        let limits = Limits {
            priority_tx_max_gas_limit: MAX_GAS_LIMIT,
            priority_tx_max_pubdata: MAX_PUBDATA,
            gas_per_pubdata: REQUIRED_GAS_PER_PUBDATA.into(),
        };
        let shape = Shape { calldata_length, factory_deps };
        let bounds = rule.bounds(shape, limits);
        prop_assert!(bounds.floor <= bounds.ceiling, "{:?}", bounds);
        // More data never needs less gas.
        let longer = rule.bounds(Shape { calldata_length: calldata_length + more, ..shape }, limits);
        prop_assert!(bounds.floor <= longer.floor);
        let heavier = rule.bounds(Shape { factory_deps: factory_deps + more, ..shape }, limits);
        prop_assert!(bounds.floor <= heavier.floor);
    }
}

fn any_rule() -> impl Strategy<Value = GasRule> {
    let price = prop_oneof![1 => Just(U256::zero()), 3 => any_number(64), 1 => any_number(256)];
    prop_oneof![
        Just(GasRule::EraVm),
        (prop::sample::select(vec![30, 31]), price).prop_map(|(minor, price)| GasRule::ZkSyncOs {
            version: ProtocolVersion { minor, patch: 0 },
            l2_gas_price: BaseTokenPerGas::new(price),
        }),
    ]
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let calldata = prop_oneof![Just(0), 0..1000_u64, any_number(40).prop_map(|number| number.as_u64())];
    (calldata, prop_oneof![Just(0), 0..=64_u64, any_number(32).prop_map(|number| number.as_u64())])
        .prop_map(|(calldata_length, factory_deps)| Shape { calldata_length, factory_deps })
}
