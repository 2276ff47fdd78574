//! Every operation fixture through the library: the first difference from what the other implementations gave is the report.
//! `tests/cli.rs` replays the same files through the program.

mod common;

use std::collections::BTreeSet;

use coldbridge::refusal::ContractError;
use coldbridge::{Code, Document, Networks, Refusal, Request, Signed, Spelling, Unsigned, json, operation};
use common::{Failures, Fixture, operation_fixtures};
use serde_json::Value;

fn spelling(fixture: &Fixture) -> Spelling {
    if fixture.allows_unchecksummed() { Spelling::AnyCase } else { Spelling::Checksummed }
}

fn plan(fixture: &Fixture) -> Result<Unsigned, Refusal> {
    let text = fixture.request_text();
    Request::read(&json::parse(text.as_bytes())?, &fixture.networks(), spelling(fixture))?.plan()
}

fn sign(fixture: &Fixture) -> Result<Signed, Refusal> {
    fixture.sign(plan(fixture)?)
}

fn value(document: &json::Json) -> Value {
    serde_json::from_str(&document.to_string()).expect("our output is JSON")
}

#[test]
fn signed_cases_give_the_bytes_of_the_other_implementations() {
    let mut failures = Failures::default();
    let mut count = 0;
    for fixture in operation_fixtures() {
        let Some(expected) = fixture.signed() else { continue };
        count += 1;
        if let Err(refusal) = compare(&fixture, expected, &mut failures) {
            failures.fail(&fixture.name, refusal);
        }
    }
    assert!(count >= 25, "only {count} signed cases");
    failures.finish();
}

/// In order: fields, digests, signature, raw, hash; the first difference ends the case.
fn compare(fixture: &Fixture, expected: &Value, failures: &mut Failures) -> Result<(), Refusal> {
    let unsigned = value(&plan(fixture)?.to_json());
    let signed = sign(fixture)?;
    let document = value(&signed.to_json());
    for (name, derived) in expected["derived"].as_object().expect("derived") {
        failures.check(&fixture.name, &format!("derived {name}"), &unsigned["derived"][name], derived);
    }
    let transactions = expected["transactions"].as_array().expect("transactions");
    failures.check(&fixture.name, "count", &signed.transactions().len(), &transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        let (plan, signed) = (&unsigned["transactions"][index], &document["transactions"][index]);
        let fields = transaction["unsigned"].as_object().expect("unsigned");
        let compared = fields
            .iter()
            .map(|(name, expected)| (name.as_str(), &plan[name], expected))
            .chain(
                ["calldataDigest", "domainSeparator", "structHash", "signingDigest"]
                    .into_iter()
                    .filter(|name| transaction.get(name).is_some())
                    .map(|name| (name, &plan[name], &transaction[name])),
            )
            .chain(["signature", "raw", "hash"].into_iter().map(|name| (name, &signed[name], &transaction[name])));
        for (name, actual, expected) in compared {
            // `to` and `from` are compared as printed: checksummed.
            if !failures.check(&fixture.name, name, actual, expected) {
                break;
            }
        }
        let known: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
        let ours: BTreeSet<&str> = plan.as_object().expect("a transaction").keys().map(String::as_str).collect();
        let digests = BTreeSet::from(["calldataDigest", "domainSeparator", "structHash", "signingDigest"]);
        failures.check(
            &fixture.name,
            "members",
            &ours.difference(&digests).collect::<Vec<_>>(),
            &known.iter().collect::<Vec<_>>(),
        );
    }
    Ok(())
}

#[test]
fn contract_senders_get_a_safe_batch_and_no_signature() {
    let mut failures = Failures::default();
    for fixture in operation_fixtures() {
        let Some(expected) = fixture.exported() else { continue };
        let unsigned = plan(&fixture).unwrap_or_else(|refusal| panic!("{}: {refusal}", fixture.name));
        let document = value(&unsigned.to_json());
        for (name, derived) in expected["derived"].as_object().into_iter().flatten() {
            failures.check(&fixture.name, &format!("derived {name}"), &document["derived"][name], derived);
        }
        let batch = unsigned.safe_batch().expect("a contract's plan");
        failures.check(&fixture.name, "safe batch", &value(&batch), &expected["safeBatch"]);
        let refusal = sign(&fixture).expect_err("a contract can not sign");
        failures.check(
            &fixture.name,
            "sign",
            &(refusal.code(), refusal.at()),
            &(Code::SIGN_CONTRACT_SENDER, "/intent/fromKind"),
        );
    }
    failures.finish();
    let own = plan(&common::fixture("deposit", "local_typical")).expect("a plan");
    assert_eq!(own.safe_batch().expect_err("signs for itself").code(), Code::EXPORT_NOT_CONTRACT);
}

#[test]
fn refused_cases_are_refused_for_their_reason() {
    let mut failures = Failures::default();
    let mut count = 0;
    for fixture in operation_fixtures() {
        let Some(expected) = fixture.refused() else { continue };
        count += 1;
        match sign(&fixture) {
            Ok(_) => failures.fail(&fixture.name, "was signed"),
            Err(refusal) => {
                let actual = (refusal.code().name, refusal.exit().code(), refusal.at());
                let expected = (
                    expected["code"].as_str().expect("a code"),
                    u8::try_from(expected["exit"].as_u64().expect("an exit code")).expect("small"),
                    expected["at"].as_str().expect("a place"),
                );
                failures.check(&fixture.name, "code, exit, at", &actual, &expected);
                if refusal.problem().is_empty() || refusal.remedy().is_empty() {
                    failures.fail(&fixture.name, "a refusal says what is wrong and what to do");
                }
                // Custom errors came with v26: the contracts before it reverted with strings.
                let (networks, name) = (fixture.networks(), &fixture.json["request"]["intent"]["network"]);
                let network = name.as_str().and_then(|name| networks.find(name));
                if network.is_some_and(|network| !network.has_asset_router()) {
                    failures.check(&fixture.name, "contract error", &refusal.contract_error(), &None::<ContractError>);
                }
                if refusal.contract_error().is_some_and(|error| !refusal.code().contract_errors().contains(&error)) {
                    failures.fail(
                        &fixture.name,
                        "src/refusal/advice.rs does not have the contract's error beside the code",
                    );
                }
            }
        }
    }
    assert!(count >= 25, "only {count} refused cases");
    failures.finish();
}

/// Signing an unsigned document gives the same bytes; and every member of it is checked.
#[test]
fn unsigned_documents_read_back_and_hide_no_change() {
    let mut failures = Failures::default();
    for fixture in operation_fixtures().iter().filter(|fixture| fixture.signed().is_some()) {
        let networks = fixture.networks();
        let document = plan(fixture).expect("a signed case").to_json();
        let again = Unsigned::read(&document, &networks, Spelling::Checksummed).expect("its own document");
        failures.check(&fixture.name, "unsigned", &again.to_json().to_string(), &document.to_string());
        let signed = sign(fixture).expect("a signed case");
        failures.check(&fixture.name, "signed", &fixture.sign(again), &Ok::<_, Refusal>(signed.clone()));
        let read = Signed::read(&signed.to_json(), &networks);
        failures.check(&fixture.name, "verify", &read, &Ok::<_, Refusal>(signed));
    }
    let networks = Networks::pinned();
    for name in ["local_typical", "envelope_legacy"] {
        let document = plan(&common::fixture("deposit", name)).expect("a signed case").to_json();
        each_change(&document, &mut |at, changed| match Unsigned::read(&changed, &networks, Spelling::Checksummed) {
            Ok(_) => failures.fail(name, format!("a change at {at} was not seen")),
            // What intent and facts do not say is compared.
            Err(refusal) if ["/transactions/", "/derived/", "/checks/"].iter().any(|part| at.starts_with(part)) => {
                failures.check(name, at, &refusal.code(), &Code::UNSIGNED_DIFFERS);
            }
            Err(_) => failures.passed += 1,
        });
    }
    failures.finish();
}

/// Whatever member of a signed document is changed, it is refused.
#[test]
fn signed_documents_hide_no_change() {
    let mut failures = Failures::default();
    let networks = Networks::pinned();
    for (folder, name) in
        [("deposit", "local_typical"), ("deposit", "envelope_eip2930"), ("withdraw", "withdraw_local_typical")]
    {
        let document = sign(&common::fixture(folder, name)).expect("a signed case").to_json();
        each_change(&document, &mut |at, changed| {
            // The owner's own name for the intent is not part of what is signed.
            match Signed::read(&changed, &networks) {
                Ok(_) if at == "/intentId" => {}
                Ok(_) => failures.fail(name, format!("a change at {at} was not seen")),
                Err(refusal) if refusal.at().is_empty() => failures.fail(name, format!("{at}: no place: {refusal}")),
                Err(_) => failures.passed += 1,
            }
        });
    }
    failures.finish();
}

/// Calls back with each variant of a document in which one leaf is changed or one member is missing.
fn each_change(document: &json::Json, found: &mut dyn FnMut(&str, json::Json)) {
    use json::Json;
    fn walk(value: &Json, at: &str, rebuild: &dyn Fn(Option<Json>) -> Json, found: &mut dyn FnMut(&str, Json)) {
        match value {
            Json::Object(members) => {
                for (index, (name, member)) in members.iter().enumerate() {
                    let at = format!("{at}/{name}");
                    let with = |new: Option<Json>| {
                        let mut members = members.clone();
                        match new {
                            Some(new) => members[index].1 = new,
                            None => drop(members.remove(index)),
                        }
                        rebuild(Some(Json::Object(members)))
                    };
                    found(&at, with(None));
                    walk(member, &at, &with, found);
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let at = format!("{at}/{index}");
                    let with = |new: Option<Json>| {
                        let mut items = items.clone();
                        match new {
                            Some(new) => items[index] = new,
                            None => drop(items.remove(index)),
                        }
                        rebuild(Some(Json::Array(items)))
                    };
                    found(&at, with(None));
                    walk(item, &at, &with, found);
                }
            }
            Json::Integer(number) => found(at, rebuild(Some(Json::Integer(number + 1)))),
            Json::Text(text) if text.ends_with('0') => {
                found(at, rebuild(Some(Json::text(format!("{}1", &text[..text.len() - 1])))));
            }
            Json::Text(text) => {
                let cut = text.char_indices().last().map_or(0, |(at, _)| at);
                found(at, rebuild(Some(Json::text(format!("{}0", &text[..cut])))));
            }
            Json::Bool(flag) => found(at, rebuild(Some(Json::Bool(!flag)))),
            Json::Null => found(at, rebuild(Some(Json::text("x")))),
        }
    }
    walk(document, "", &|new| new.expect("the root stays"), found);
}

/// Each operation has a signed and a refused case. That each code has one somewhere is `tests/codes.rs`'s.
#[test]
fn the_fixtures_cover_the_list() {
    let fixtures = operation_fixtures();
    for operation in operation::ALL {
        let of = |signed: bool| {
            fixtures.iter().any(|fixture| {
                fixture.signed().is_some() == signed
                    && fixture.json["request"]["intent"]["operation"].get(operation.name).is_some()
            })
        };
        assert!(of(true) && of(false), "{} has no signed or no refused fixture", operation.name);
    }
    for refused in fixtures.iter().filter_map(|fixture| fixture.refused()) {
        let name = refused["code"].as_str().expect("a code");
        let code = Code::named(name).unwrap_or_else(|| panic!("fixtures name an unknown code {name}"));
        assert_eq!(refused["exit"], code.exit.code(), "{name}");
    }
}

#[test]
fn documents_are_told_apart_by_their_schema() {
    let fixture = common::fixture("deposit", "local_typical");
    let networks = Networks::pinned();
    let request = json::parse(fixture.request_text().as_bytes()).expect("JSON");
    assert!(matches!(Document::read(&request, &networks, Spelling::Checksummed), Ok(Document::Request(_))));
    let unsigned = plan(&fixture).expect("a plan").to_json();
    assert!(matches!(Document::read(&unsigned, &networks, Spelling::Checksummed), Ok(Document::Unsigned(_))));
    let signed = sign(&fixture).expect("signed").to_json();
    assert!(matches!(Document::read(&signed, &networks, Spelling::Checksummed), Ok(Document::Signed(_))));
}
