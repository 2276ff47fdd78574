//! Raw transactions of type 0x71 in the forms of all peers, with the hash that the node gives them (tests/node-parser reads
//! the same files): through the decoder, the review and `verify`.

mod common;

use coldbridge::transaction::Authorization;
use coldbridge::units::{Gas, Wei, WeiPerGas};
use coldbridge::{Address, Code, Decoded, Networks, Refusal, Review, signed};
use common::{Failures, Fixture, fixture, fixtures};
use ethabi::ethereum_types::U256;
use serde_json::Value;

fn raw(fixture: &Fixture) -> Vec<u8> {
    hex::decode(fixture.json["raw"].as_str().expect("raw").strip_prefix("0x").expect("0x")).expect("hex")
}

fn cases(expect: &str) -> impl Iterator<Item = Fixture> {
    fixtures("decode").into_iter().filter(move |fixture| fixture.json["expect"].get(expect).is_some())
}

fn review(raw: &[u8]) -> Result<Value, Refusal> {
    let review = Review::of_raw(raw, &Networks::pinned())?;
    assert!(review.to_text().lines().all(|line| line.len() <= 80), "80 columns");
    Ok(serde_json::from_str(&review.to_json().to_string()).expect("our output is JSON"))
}

#[test]
fn every_form_is_read_with_the_nodes_hash() {
    let mut failures = Failures::default();
    let mut count = 0;
    for case in cases("decoded") {
        let expected = &case.json["expect"]["decoded"];
        let document = match review(&raw(&case)) {
            Ok(document) => document,
            Err(refusal) => {
                failures.fail(&case.name, refusal);
                continue;
            }
        };
        let reviewed = &document["transactions"][0];
        for (name, value) in expected.as_object().expect("members") {
            failures.check(&case.name, name, &reviewed[name], value);
        }
        for name in ["customSignature", "customSigners"] {
            failures.check(&case.name, name, &reviewed.get(name), &expected.get(name));
        }
        count += 1;
    }
    failures.finish();
    assert!(count >= 50, "only {count}");
}

/// What is said of each form beside its fields.
#[test]
fn every_form_has_its_warnings() {
    let mut failures = Failures::default();
    for case in cases("decoded") {
        let document = review(&raw(&case)).expect("read");
        let names: Vec<&str> = document["warnings"]
            .as_array()
            .expect("warnings")
            .iter()
            .map(|warning| warning["name"].as_str().expect("a name"))
            .collect();
        let expected = &case.json["expect"]["decoded"];
        let name = case.name.as_str();
        let has = |part: &str| name.contains(part);
        let declared_otherwise = expected["signer"].is_string() && expected["signer"] != expected["from"];
        let warned = [
            ("signer_is_not_from", declared_otherwise),
            ("custom_signature", expected.get("customSignature").is_some()),
            ("signature_v", has("vrs_27")),
            ("unread_bytes", has("vrs_and_custom")),
            ("paymaster", !expected["paymaster"].is_null()),
            ("node_refuses", false),
        ];
        for (warning, expected) in warned {
            failures.check(name, warning, &names.contains(&warning), &expected);
        }
        let other = !has("sdk") && !has("custom") && !has("unsigned") || has("string") || has("beside");
        failures.check(name, "other_form", &names.contains(&"other_form"), &(other || has("unsigned_v_zero")));
        // With a paymaster that is one, the account pays only the value; the zero address is none.
        let debit = |of: &Value| of["worstCaseDebit"][0]["amount"].as_str().expect("an amount").to_owned();
        let price: u128 = expected["maxFeePerGas"].as_str().expect("a fee").parse().expect("a number");
        let fee = u128::from(expected["gasLimit"].as_u64().expect("gas")) * price;
        let value: u128 = expected["value"].as_str().expect("a value").parse().expect("a number");
        let sponsored = expected["paymaster"].as_str().is_some_and(|paymaster| paymaster != Address::ZERO.to_string());
        let most = if sponsored { value } else { value + fee };
        failures.check(name, "worst case", &debit(&document), &most.to_string());
    }
    failures.finish();
}

/// `verify` of raw bytes: what the sender signed is proved, what only an account can judge is left open, the rest refused.
#[test]
fn what_the_sender_signed_is_proved() {
    let (mut proved, mut open, mut refused) = (0, 0, 0);
    for case in cases("decoded") {
        let expected = &case.json["expect"]["decoded"];
        let outcome = signed::prove_raw(&raw(&case));
        match (&expected["hash"], &expected["signer"]) {
            (Value::Null, _) => {
                assert_eq!(outcome.expect_err(&case.name).code(), Code::SIGNED_UNSIGNED, "{}", case.name);
                refused += 1;
            }
            (_, Value::Null) => {
                let decoded = outcome.expect(&case.name);
                assert!(matches!(decoded.authorization, Authorization::Custom(_)) && decoded.signer().is_none());
                open += 1;
            }
            (_, signer) if *signer == expected["from"] => {
                assert_eq!(outcome.expect(&case.name).signer().map(|s| s.to_string()).as_deref(), signer.as_str());
                proved += 1;
            }
            _ => {
                assert_eq!(outcome.expect_err(&case.name).code(), Code::SIGNATURE_NOT_FROM, "{}", case.name);
                refused += 1;
            }
        }
    }
    assert!(proved >= 20 && open >= 10 && refused >= 8, "{proved} {open} {refused}");
}

#[test]
fn what_is_no_transaction_is_refused() {
    let mut failures = Failures::default();
    for case in cases("refused") {
        let expected = &case.json["expect"]["refused"];
        match Decoded::read(&raw(&case), "") {
            Ok(decoded) => failures.fail(&case.name, format!("was read: {decoded:?}")),
            Err(refusal) => {
                let actual = (refusal.code().name, u64::from(refusal.exit().code()), refusal.at());
                let expected = (
                    expected["code"].as_str().expect("a code"),
                    expected["exit"].as_u64().expect("an exit code"),
                    expected["at"].as_str().expect("a place"),
                );
                failures.check(&case.name, "code, exit, at", &actual, &expected);
            }
        }
    }
    failures.finish();
}

/// In foreign bytes an L1 receiver that can not be paid is a warning: the money would be gone.
#[test]
fn unpayable_receivers_and_what_nodes_refuse_are_said() {
    let case = fixture("decode", "usual_unsigned");
    let bytes = raw(&case);
    let text = hex::encode(&bytes);
    let receiver = "a61464658afeaf65cccaafd3a512b69a83b77618";
    for (other, warned) in [
        ("32400084c286cf3e17e7b677ea9583e60a000324", true), // the diamond proxy: the withdrawal-finalizer's own README example
        ("303a465b659cbb0ab36ee643ea362c509eeb5213", true),
        ("0000000000000000000000000000000000000000", true),
        ("000000000000000000000000000000000000800a", true),
        (receiver, false),
    ] {
        let changed = hex::decode(text.replacen(receiver, other, 1)).expect("hex");
        let document = review(&changed).expect("read");
        let warnings = document["warnings"].to_string();
        assert_eq!(warnings.contains("\"recipient\""), warned, "{other}: {warnings}");
    }
    let decoded = Decoded::read(&bytes, "").expect("read");
    let coldbridge::Transaction::Eip712(tx) = decoded.transaction else { panic!("not of type 0x71") };
    let with = |change: &dyn Fn(&mut coldbridge::transaction::Eip712)| {
        let mut tx = tx.clone();
        change(&mut tx);
        review(&coldbridge::Transaction::Eip712(tx).unsigned_bytes()).expect("read")["warnings"].to_string()
    };
    for (said, warnings) in [
        ("TooBigNonce", with(&|tx| tx.nonce = 1 << 32)),
        ("MaxFeePerGasNotU64", with(&|tx| tx.max_fee_per_gas = WeiPerGas::new(U256::from(1) << 64))),
        ("GasPerPubDataLimitZero", with(&|tx| tx.gas_per_pubdata = Gas::from(0))),
        ("MaxFeePerPubdataByteNotU64", with(&|tx| tx.gas_per_pubdata = Gas::new(U256::from(1) << 64))),
        ("ToAddressIsNull", with(&|tx| tx.to = None)),
        ("InvalidFactoryDependencies", with(&|tx| tx.factory_deps = vec![vec![0; 64]])),
        ("2^128-1", with(&|tx| tx.value = Wei::new(U256::from(1) << 128))),
    ] {
        assert!(warnings.contains("node_refuses") && warnings.contains(said), "{said}: {warnings}");
    }
    assert!(!with(&|_| {}).contains("node_refuses"));
}
