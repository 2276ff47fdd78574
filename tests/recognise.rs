//! What the bytes of an L1 transaction are taken for: every signed fixture, and what a stranger would make of it.

mod common;

use std::collections::BTreeSet;

use coldbridge::operation::{Seen, recognise, recognise_as};
use coldbridge::units::Wei;
use coldbridge::{Address, Layer, Request, Spelling, Transaction, json};
use common::{Failures, fixture, operation_fixtures};
use serde_json::{Value, json as value};

/// A transaction of a plan as whoever has only its bytes sees it.
fn seen<'a>(request: &'a Request, transaction: &'a Transaction) -> Seen<'a> {
    Seen {
        network: request.network(),
        layer: Layer::L1,
        from: Some(request.from()),
        to: transaction.to().expect("a call"),
        value: transaction.value(),
        data: transaction.data(),
        factory_deps: transaction.factory_deps(),
    }
}

/// What runs on L1 is found again by its function, its target and its value, and every word of its calldata is shown: a call
/// of a stranger that looks like one of ours is none.
#[test]
fn operations_on_l1_are_recognised_whole() {
    let stranger = Address::parse("0xa61464658AfeAf65CccaaFD3a512b69A83B77618", Spelling::Checksummed).expect("one");
    let mut failures = Failures::default();
    let mut changed = BTreeSet::new();
    for fixture in operation_fixtures().iter().filter(|fixture| fixture.signed().is_some()) {
        let networks = fixture.networks();
        let request = json::parse(fixture.request_text().as_bytes()).expect("JSON");
        let plan = Request::read(&request, &networks, Spelling::AnyCase).and_then(Request::plan).expect("a plan");
        for planned in plan.transactions().iter().filter(|planned| planned.layer == Layer::L1) {
            let purpose = planned.purpose;
            let own = seen(plan.request(), &planned.transaction);
            let found = recognise_as(purpose, &own);
            failures.check(&fixture.name, "recognised", &found.is_some(), &true);
            let intent = &fixture.json["request"]["intent"]["operation"][purpose];
            // A request that calls nothing and brings nothing is a deposit; any other is never shown as one.
            let is_empty = |member: &Value| member.as_str().is_none_or(|bytes| bytes == "0x");
            let calls_nothing =
                is_empty(&intent["l2Calldata"]) && intent["factoryDeps"].as_array().is_none_or(Vec::is_empty);
            let name = recognise(&own).map(|found| found.name);
            let is_deposit = purpose == "requestExecute" && calls_nothing && name == Some("deposit");
            failures.check(&fixture.name, "name", &(name == Some(purpose) || is_deposit), &true);
            if purpose == "deposit" {
                let said = found.as_ref().map(|found| found.body.to_string()).unwrap_or_default();
                let said: Value = serde_json::from_str(&said).expect("JSON");
                let usual = if own.network.has_asset_router() { "assetId" } else { "legacy" };
                let form = intent["form"].as_str().filter(|form| *form != usual);
                failures.check(&fixture.name, "form", &said["form"].as_str(), &form);
            }
            if ["finalizeWithdrawal", "claimFailedDeposit"].contains(&purpose) {
                let stated = &fixture.json["request"]["intent"]["operation"][purpose];
                let said = found.as_ref().map(|found| found.body.to_string()).unwrap_or_default();
                let said: Value = serde_json::from_str(&said).expect("JSON");
                let word = |body: &Value, member: &str| body[member].as_str().map(str::to_lowercase);
                for member in ["token", "amount", "to", "depositor"] {
                    // The base token has two names, and a call that does not name the token or the amount says nothing.
                    let told = word(&said, member).filter(|told| told != "base");
                    if let (Some(told), Some(meant)) = (told, word(stated, member).filter(|meant| meant != "base")) {
                        failures.check(&fixture.name, member, &told, &meant);
                    }
                }
                let deposit = &fixture.json["request"]["facts"]["failedDeposit"]["deposit"];
                let usual = match purpose {
                    "claimFailedDeposit" => "assetid",
                    _ if own.network.has_asset_router() => "finalizedeposit",
                    _ => "legacy",
                };
                let form = word(stated, "form").or(word(deposit, "form")).filter(|form| form != usual);
                failures.check(&fixture.name, "form", &word(&said, "form"), &form);
            }
            if purpose == "cancel" {
                continue;
            }
            // Any token can be approved of.
            let elsewhere = recognise(&Seen { to: stranger, ..own });
            failures.check(&fixture.name, "at a stranger", &elsewhere.is_some(), &(purpose == "approve"));
            let more = recognise_as(purpose, &Seen { value: Wei::new(own.value.get() + 1), ..own });
            failures.check(&fixture.name, "with a wei more", &(more == found), &false);
            if ["approve", "finalizeWithdrawal", "claimFailedDeposit"].contains(&purpose) {
                failures.check(&fixture.name, "no function that takes ether", &more.is_some(), &false);
            }
            if !changed.insert((purpose, own.data[..4].to_vec(), own.data.len())) {
                continue;
            }
            // The selector, and of each word its first byte, the first of an address in it, and its last.
            for at in (0..own.data.len()).filter(|at| *at < 4 || [0, 12, 31].contains(&((at - 4) % 32))) {
                let mut data = own.data.to_vec();
                data[at] ^= 1;
                if recognise_as(purpose, &Seen { data: &data, ..own }) == found {
                    failures.fail(&fixture.name, format!("byte {at} can be changed unseen"));
                }
            }
        }
    }
    failures.finish();
}

/// A claim pays the depositor: who claims for another is told. Data that are not the native token vault's are another claim.
#[test]
fn claims_tell_who_is_paid_and_know_the_vaults_data() {
    let mut failures = Failures::default();
    let fixture = fixture("claim_failed_deposit", "claim_era_mainnet_typical");
    let networks = fixture.networks();
    let request = json::parse(fixture.request_text().as_bytes()).expect("JSON");
    let plan = Request::read(&request, &networks, Spelling::Checksummed).and_then(Request::plan).expect("a plan");
    let transaction = &plan.transactions()[0].transaction;
    let found = |from: Address, data: &[u8]| {
        recognise(&Seen {
            network: plan.request().network(),
            layer: Layer::L1,
            from: Some(from),
            to: transaction.to().expect("a call"),
            value: transaction.value(),
            data,
            factory_deps: &[],
        })
    };
    for (from, told) in [(plan.request().from(), false), (Address::L2_BASE_TOKEN, true)] {
        let warnings = found(from, transaction.data()).expect("a claim").warnings;
        let said = warnings.iter().any(|warning| warning.contains("not to the sender"));
        failures.check(&from.to_string(), "told", &said, &told);
    }
    let transfer = fixture.json["request"]["facts"]["failedDeposit"]["deposit"]["transferData"].as_str().expect("hex");
    let transfer = hex::decode(&transfer[2..]).expect("hex");
    let mut data = transaction.data().to_vec();
    let at = data.windows(transfer.len()).position(|window| window == transfer).expect("its own data");
    data[at + 32] = 1; // above an address
    failures.check("another handler's data", "recognised", &found(plan.request().from(), &data).is_some(), &false);
    failures.finish();
}

/// What the Mailbox refuses of a request that is not ours, and a refund that is left to it.
#[test]
fn requests_of_others_are_held_against_the_mailbox() {
    let mut failures = Failures::default();
    let fixture = fixture("deposit", "era_mainnet_typical");
    let request = json::parse(fixture.request_text().as_bytes()).expect("JSON");
    let plan = Request::read(&request, &fixture.networks(), Spelling::Checksummed).and_then(Request::plan);
    let plan = plan.expect("a plan");
    let transaction = &plan.transactions()[0].transaction;
    // The members of L2TransactionRequestDirect, one word each, follow the selector and the offset of the tuple.
    let warned = |member: usize, value: u64, part: &str| {
        let mut data = transaction.data().to_vec();
        let at = 4 + 32 * (1 + member);
        data[at..at + 24].fill(0);
        data[at + 24..at + 32].copy_from_slice(&value.to_be_bytes());
        let found = recognise(&Seen {
            network: plan.request().network(),
            layer: Layer::L1,
            from: Some(plan.request().from()),
            to: transaction.to().expect("a call"),
            value: transaction.value(),
            data: &data,
            factory_deps: &[],
        });
        found.expect("a deposit").warnings.iter().any(|warning| warning.contains(part))
    };
    let (gas_limit, per_pubdata, refund) = (5, 6, 8);
    for (member, value, part, expected) in [
        (per_pubdata, 800, "GasPerPubdataMismatch", false),
        (per_pubdata, 50_000, "GasPerPubdataMismatch", true),
        (gas_limit, 400_000, "the Mailbox refuses the L2 gas limit", false),
        (gas_limit, 9_999, "TxnBodyGasLimitNotEnoughGas", true),
        (gas_limit, 72_010_001, "TooMuchGas", true),
        (refund, 1, "no refund recipient", false),
        (refund, 0, "no refund recipient", true),
    ] {
        failures.check(part, &value.to_string(), &warned(member, value, part), &expected);
    }
    failures.finish();
}

/// Bytecode alone makes a request more than a deposit.
#[test]
fn a_request_that_brings_bytecode_is_no_deposit() {
    let fixture = fixture("request_execute", "execute_value_one");
    for (deps, name) in [(value!([]), "deposit"), (value!([format!("0x{}", "00".repeat(32))]), "requestExecute")] {
        let mut request = fixture.json["request"].clone();
        request["intent"]["operation"]["requestExecute"]["factoryDeps"] = deps;
        request["facts"]["priorityRequest"]["l2GasLimit"] = value!(1_000_000);
        let request = json::parse(request.to_string().as_bytes()).expect("JSON");
        let plan = Request::read(&request, &fixture.networks(), Spelling::Checksummed).and_then(Request::plan);
        let plan = plan.expect("a plan");
        let transaction = &plan.transactions()[0].transaction;
        let found = recognise(&seen(plan.request(), transaction));
        assert_eq!(found.map(|found| found.name), Some(name));
    }
}
