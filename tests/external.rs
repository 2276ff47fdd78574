//! Signatures from elsewhere: every form of them for every signed fixture gives what the key itself gives; smart accounts;
//! a real external signer (openssl) in a pipeline; and the digest document against the fixtures.

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use coldbridge::external::Form;
use coldbridge::{
    Code, Digest, External, Json, Key, Networks, Refusal, Request, Signed, Spelling, Unsigned, digest, json, signed,
};
use common::program::run;
use common::{Failures, Fixture, fixture, operation_fixtures};
use ethabi::ethereum_types::U256;
use serde_json::Value;

/// The order of secp256k1 (SEC 2).
const ORDER: &str = "115792089237316195423570985008687907852837564279074904382605163141518161494337";

fn plan(fixture: &Fixture) -> Result<Unsigned, Refusal> {
    let spelling = if fixture.allows_unchecksummed() { Spelling::AnyCase } else { Spelling::Checksummed };
    Request::read(&json::parse(fixture.request_text().as_bytes())?, &fixture.networks(), spelling)?.plan()
}

fn value(document: &Json) -> Value {
    serde_json::from_str(&document.to_string()).expect("our output is JSON")
}

fn bytes(text: &Value) -> Vec<u8> {
    hex::decode(text.as_str().expect("hex").strip_prefix("0x").expect("0x")).expect("hex")
}

fn order_minus(s: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    (U256::from_dec_str(ORDER).expect("a number") - U256::from_big_endian(s)).to_big_endian(&mut bytes);
    bytes
}

/// ASN.1 by hand: what openssl and a KMS write.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let stripped: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let padded = if stripped[0] >= 0x80 { [vec![0], stripped].concat() } else { stripped };
        [vec![2, u8::try_from(padded.len()).expect("short")], padded].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).expect("short")], body].concat()
}

/// Every way to write one signature, with the form that it may be called.
fn ways(r: &[u8], s: &[u8], parity: u8) -> Vec<(&'static str, Form, Vec<u8>)> {
    let high = order_minus(s);
    let turned = parity ^ 1;
    let mut compact = s.to_vec();
    compact[0] |= parity << 7;
    vec![
        ("der", Form::Der, der(r, s)),
        ("der, high s", Form::Der, der(r, &high)),
        ("r s", Form::Rs, [r, s].concat()),
        ("r s, high s", Form::Rs, [r, &high].concat()),
        ("r s v", Form::Rsv, [r, s, &[parity]].concat()),
        ("r s v 27", Form::Rsv, [r, s, &[27 + parity]].concat()),
        ("r s v, high s", Form::Rsv, [r, &high, &[turned]].concat()),
        ("r s v 27, high s", Form::Rsv, [r, &high, &[27 + turned]].concat()),
        ("compact", Form::Compact, [r, &compact].concat()),
    ]
}

/// digest -> attach is sign, byte for byte, for every fixture that a plain account signs, in the forms by turns; for some
/// of each folder in every form.
#[test]
fn attached_signatures_give_what_the_key_gives() {
    let mut failures = Failures::default();
    let mut count = 0;
    for (index, fixture) in operation_fixtures().into_iter().enumerate() {
        let Some(expected) = fixture.signed() else { continue };
        let expected = expected["transactions"].as_array().expect("transactions");
        if expected[0]["signature"].get("custom").is_some() {
            continue;
        }
        let made = fixture.sign(plan(&fixture).expect("a plan")).expect("signed").to_json().to_string();
        let parts = expected.iter().map(|transaction| {
            let signature = &transaction["signature"];
            let parity = u8::try_from(signature["yParity"].as_u64().expect("a parity")).expect("0 or 1");
            ways(&bytes(&signature["r"]), &bytes(&signature["s"]), parity)
        });
        let parts: Vec<_> = parts.collect();
        let turn = index % parts[0].len();
        for way in (0..parts[0].len()).filter(|way| *way == turn || index % 50 == 0) {
            let (name, form, _) = parts[0][way];
            for form in [Form::Any, form] {
                let given: Vec<_> = parts.iter().map(|ways| External::new(ways[way].2.clone(), form)).collect();
                let attached = plan(&fixture).expect("a plan").attach(&given);
                let attached = attached.map(|signed| signed.to_json().to_string());
                failures.check(&fixture.name, name, &attached, &Ok::<_, Refusal>(made.clone()));
                count += 1;
            }
        }
    }
    failures.finish();
    assert!(count > 900, "only {count}");
}

/// The document says what the fixture says, and its typed data hashes to the digest (ethers and viem say so in
/// fixtures/generate/schemas.mjs).
#[test]
fn digests_are_those_of_the_fixtures() {
    let mut failures = Failures::default();
    let mut typed = 0;
    for fixture in operation_fixtures() {
        let Some(expected) = fixture.signed() else { continue };
        let document = value(&digest::digests(&plan(&fixture).expect("a plan")).expect("digests"));
        let listed = document["transactions"].as_array().expect("transactions");
        let expected = expected["transactions"].as_array().expect("transactions");
        failures.check(&fixture.name, "count", &listed.len(), &expected.len());
        failures.check(&fixture.name, "signers", &document["signers"], &fixture.json["request"]["intent"]["signers"]);
        for (listed, expected) in listed.iter().zip(expected) {
            for name in ["signingDigest", "calldataDigest"] {
                failures.check(&fixture.name, name, &listed[name], &expected[name]);
            }
            for name in ["layer", "chainId", "nonce", "purpose", "type"] {
                failures.check(&fixture.name, name, &listed[name], &expected["unsigned"][name]);
            }
            let is_typed = expected["unsigned"]["type"] == "0x71";
            failures.check(&fixture.name, "typed data", &listed.get("typedData").is_some(), &is_typed);
            typed += usize::from(is_typed);
        }
    }
    failures.finish();
    assert!(typed > 150, "only {typed} of type 0x71");
}

/// Whatever bit of a signature or of the digest that was signed is turned, nothing is released: 65 * 8 + 256 bits.
#[test]
fn no_bit_of_a_signature_or_digest_can_be_turned() {
    let case = fixture("withdraw", "withdraw_era_mainnet_typical");
    let key = Key::from_hex(case.key().as_bytes()).expect("a key");
    let document = digest::digests(&plan(&case).expect("a plan")).expect("digests");
    let text = &value(&document)["transactions"][0]["signingDigest"];
    let own: [u8; 32] = bytes(text).try_into().expect("32 bytes");
    let signature = key.sign(&Digest(own)).expect("a signature").to_bytes();
    let attach = |given: &[u8]| plan(&case).expect("a plan").attach(&[External::new(given.to_vec(), Form::Any)]);
    assert!(attach(&signature).is_ok());
    let mut refused = 0;
    for bit in 0..signature.len() * 8 {
        let mut other = signature;
        other[bit / 8] ^= 1 << (bit % 8);
        let refusal = attach(&other).expect_err("another signature");
        assert_eq!(refusal.exit().code(), 7, "bit {bit}: {refusal}");
        refused += 1;
    }
    for bit in 0..256 {
        let mut other = own;
        other[bit / 8] ^= 1 << (bit % 8);
        let signature = key.sign(&Digest(other)).expect("a signature");
        let refusal = attach(&signature.to_bytes()).expect_err("of another digest");
        assert_eq!((refusal.code(), refusal.at()), (Code::SIGNATURE_NOT_FROM, "/transactions/0"), "bit {bit}");
        refused += 1;
    }
    assert_eq!(refused, 776);
}

#[test]
fn signatures_that_are_none_are_refused() {
    let case = fixture("withdraw", "withdraw_era_mainnet_typical");
    let expected = &case.signed().expect("signed")["transactions"][0]["signature"];
    let (r, s) = (bytes(&expected["r"]), bytes(&expected["s"]));
    let parity = u8::try_from(expected["yParity"].as_u64().expect("a parity")).expect("0 or 1");
    let order = bytes(&Value::from("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
    let zero = [0; 32];
    let stranger = Key::from_hex(&[b'7'; 64]).expect("a key").sign(&Digest([1; 32])).expect("a signature").to_bytes();
    let rows: Vec<(&str, Vec<u8>, Form, Code)> = vec![
        ("nothing", Vec::new(), Form::Any, Code::SIGNATURE_FORMAT),
        ("63 bytes", vec![1; 63], Form::Any, Code::SIGNATURE_FORMAT),
        ("66 bytes", vec![1; 66], Form::Any, Code::SIGNATURE_FORMAT),
        ("v = 29", [r.as_slice(), &s, &[29]].concat(), Form::Any, Code::SIGNATURE_FORMAT),
        ("v = 37", [r.as_slice(), &s, &[37]].concat(), Form::Any, Code::SIGNATURE_FORMAT),
        ("v = 2", [r.as_slice(), &s, &[2]].concat(), Form::Any, Code::SIGNATURE_FORMAT),
        ("the other parity", [r.as_slice(), &s, &[28 - parity]].concat(), Form::Any, Code::SIGNATURE_NOT_FROM),
        (
            "high s, parity not turned",
            [r.as_slice(), &order_minus(&s), &[parity]].concat(),
            Form::Any,
            Code::SIGNATURE_NOT_FROM,
        ),
        ("r = 0", [zero.as_slice(), &s].concat(), Form::Any, Code::SIGNATURE_NOT_FROM),
        ("s = 0", [r.as_slice(), &zero].concat(), Form::Any, Code::SIGNATURE_NOT_FROM),
        ("r = n", [order.as_slice(), &s].concat(), Form::Any, Code::SIGNATURE_NOT_FROM),
        ("s = n", [r.as_slice(), &order].concat(), Form::Any, Code::SIGNATURE_NOT_FROM),
        ("all ones", vec![0xff; 64], Form::Any, Code::SIGNATURE_NOT_FROM),
        ("somebody else's", stranger.to_vec(), Form::Any, Code::SIGNATURE_NOT_FROM),
        ("called DER", [r.as_slice(), &s].concat(), Form::Der, Code::SIGNATURE_FORMAT),
        ("DER called r s", der(&r, &s), Form::Rs, Code::SIGNATURE_FORMAT),
        ("DER and a byte", [der(&r, &s), vec![0]].concat(), Form::Any, Code::SIGNATURE_FORMAT),
        (
            "a plain account's own bytes",
            [r.as_slice(), &s, &[27 + parity]].concat(),
            Form::Custom,
            Code::SIGNATURE_FORMAT,
        ),
    ];
    let mut failures = Failures::default();
    for (name, given, form, code) in rows {
        let refusal = plan(&case).expect("a plan").attach(&[External::new(given, form)]).expect_err(name);
        failures.check(
            name,
            "code, exit, at",
            &(refusal.code(), refusal.exit().code(), refusal.at()),
            &(code, 7, "/transactions/0"),
        );
    }
    failures.finish();
    let one = External::new([r.as_slice(), &s].concat(), Form::Any);
    for given in [vec![], vec![one.clone(), one]] {
        let refusal = plan(&case).expect("a plan").attach(&given).expect_err("not one signature");
        assert_eq!((refusal.code(), refusal.at()), (Code::SIGNATURE_COUNT, "/transactions"));
    }
}

// ------------------------------------------------------------------------------------------------------ smart accounts

fn of_accounts(signers: bool) -> impl Iterator<Item = Fixture> {
    operation_fixtures().into_iter().filter(move |fixture| {
        let custom =
            fixture.signed().is_some_and(|signed| signed["transactions"][0]["signature"]["custom"].is_string());
        custom && fixture.account_signature().is_none() == signers
    })
}

/// One signature for each owner, apart or together, gives what their keys give; in another order, or with one of another
/// owner, nothing.
#[test]
fn owners_sign_in_the_stated_order() {
    let mut failures = Failures::default();
    let mut orders = 0;
    for fixture in of_accounts(true) {
        let made = fixture.sign(plan(&fixture).expect("a plan")).expect("signed");
        let document = made.to_json().to_string();
        let whole: Vec<Vec<u8>> = fixture.signed().expect("signed")["transactions"]
            .as_array()
            .expect("transactions")
            .iter()
            .map(|transaction| bytes(&transaction["signature"]["custom"]))
            .collect();
        let together: Vec<_> = whole.iter().map(|bytes| External::new(bytes.clone(), Form::Any)).collect();
        let apart: Vec<_> =
            whole.iter().flat_map(|bytes| bytes.chunks(65)).map(|one| External::new(one.to_vec(), Form::Any)).collect();
        for given in [&together, &apart] {
            let attached = plan(&fixture).expect("a plan").attach(given).map(|signed| signed.to_json().to_string());
            failures.check(&fixture.name, "attached", &attached, &Ok::<_, Refusal>(document.clone()));
        }
        // The keys may come in any order: the signatures do not.
        let keys: Vec<Key> = fixture.keys().iter().map(|key| Key::from_hex(key.as_bytes()).expect("a key")).collect();
        let turned: Vec<&Key> = keys.iter().rev().collect();
        let signed = plan(&fixture).expect("a plan").sign_with(&turned).map(|signed| signed.to_json().to_string());
        failures.check(&fixture.name, "keys turned round", &signed, &Ok::<_, Refusal>(document.clone()));
        if keys.len() > 1 {
            let swapped: Vec<_> = apart.chunks(keys.len()).flat_map(|group| group.iter().rev().cloned()).collect();
            let refusal = plan(&fixture).expect("a plan").attach(&swapped).expect_err("in another order");
            failures.check(&fixture.name, "swapped", &refusal.code(), &Code::SIGNATURE_NOT_FROM);
            let refusal = plan(&fixture).expect("a plan").sign_with(&turned[1..]).expect_err("a key is missing");
            failures.check(&fixture.name, "missing", &refusal.code(), &Code::KEY_MISSING);
            orders += 1;
        }
        failures.check(
            &fixture.name,
            "read back",
            &Signed::read(&made.to_json(), &fixture.networks()),
            &Ok::<_, Refusal>(made),
        );
    }
    failures.finish();
    assert!(orders >= 10, "only {orders}");
}

/// In a signed document of owners nothing can be changed either: another owner, another order, no owners, other bytes.
#[test]
fn signed_documents_of_owners_are_proved() {
    let case = fixture("smart_account", "account_two_owners");
    let document = value(&case.sign(plan(&case).expect("a plan")).expect("signed").to_json());
    let read = |change: &dyn Fn(&mut Value)| {
        let mut document = document.clone();
        change(&mut document);
        Signed::read(&json::parse(document.to_string().as_bytes())?, &Networks::pinned())
    };
    assert!(read(&|_| {}).is_ok());
    let code = |change: &dyn Fn(&mut Value)| read(change).expect_err("changed").code();
    assert_eq!(code(&|d| d["signers"].as_array_mut().expect("signers").swap(0, 1)), Code::SIGNATURE_NOT_FROM);
    assert_eq!(code(&|d| drop(d["signers"].as_array_mut().expect("signers").pop())), Code::SIGNATURE_NOT_FROM);
    assert_eq!(code(&|d| d["signers"][1] = d["from"].clone()), Code::SIGNATURE_NOT_FROM);
    assert_eq!(code(&|d| d["from"] = d["signers"][0].clone()), Code::SIGNATURE_NOT_FROM);
    assert_eq!(code(&|d| d["transactions"][0]["signature"]["custom"] = "0x01".into()), Code::SIGNED_DIFFERS);
    let plain = fixture("withdraw", "withdraw_era_mainnet_typical");
    let parts = plain.signed().expect("signed")["transactions"][0]["signature"].clone();
    assert_eq!(code(&|d| d["transactions"][0]["signature"] = parts.clone()), Code::SIGNATURE_NOT_FROM);
    let raw = document["transactions"][0]["raw"].as_str().expect("hex").to_owned();
    let cut = |d: &mut Value| {
        let custom = bytes(&d["transactions"][0]["signature"]["custom"]);
        let forged = raw.replace(&hex::encode(&custom[65..]), &hex::encode(&custom[..65]));
        d["transactions"][0]["raw"] = forged.into();
    };
    assert_eq!(code(&cut), Code::SIGNATURE_NOT_FROM);
}

/// An account's own bytes go as they are, and every form that is not bytes is refused.
#[test]
fn an_accounts_own_bytes_go_as_they_are() {
    let mut count = 0;
    for fixture in of_accounts(false) {
        let own = fixture.account_signature().expect("bytes");
        let made = value(&fixture.sign(plan(&fixture).expect("a plan")).expect("signed").to_json());
        assert_eq!(bytes(&made["transactions"][0]["signature"]["custom"]), own, "{}", fixture.name);
        assert!(made.get("signers").is_none());
        let refusal = plan(&fixture).expect("a plan").attach(&[External::new(own, Form::Rsv)]).expect_err("of no form");
        assert_eq!(refusal.code(), Code::SIGNATURE_FORMAT);
        let nothing = External::new(Vec::new(), Form::Any);
        assert_eq!(
            plan(&fixture).expect("a plan").attach(&[nothing]).expect_err("empty").code(),
            Code::SIGNATURE_FORMAT
        );
        count += 1;
    }
    assert!(count >= 8, "only {count}");
}

// --------------------------------------------------------------------------------------------------------- the program

fn temporary(name: &str, content: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("coldbridge-external-{}-{name}", std::process::id()));
    std::fs::write(&path, content).expect("a file");
    path
}

fn path(path: &std::path::Path) -> &str {
    path.to_str().expect("text")
}

/// In a batch signatures are found by their digest, in whatever order they come.
#[test]
fn a_batch_takes_signatures_by_digest() {
    let cases: Vec<Fixture> = operation_fixtures()
        .into_iter()
        .filter(|fixture| {
            let pinned = fixture.network_files().is_empty() && !fixture.allows_unchecksummed();
            // A call is signed only under a policy: tests/policy.rs.
            let is_call = fixture.json["request"]["intent"]["operation"].get("call").is_some();
            pinned && !is_call && fixture.signed().is_some() && fixture.account_signature().is_none()
        })
        .step_by(5)
        .collect();
    let requests: String = cases.iter().map(|fixture| format!("{}\n", fixture.request_text())).collect();
    let digests = run(&["digest"], requests.as_bytes());
    assert_eq!(digests.exit, 0, "{}", digests.stderr);
    let mut rows = BTreeSet::new();
    let mut signed = Vec::new();
    for (fixture, line) in cases.iter().zip(digests.stdout.lines()) {
        let document: Value = serde_json::from_str(line).expect("JSON");
        for transaction in document["transactions"].as_array().expect("transactions") {
            let digest = &transaction["signingDigest"];
            for key in fixture.keys() {
                let own: [u8; 32] = bytes(digest).try_into().expect("32 bytes");
                let made = Key::from_hex(key.as_bytes()).expect("a key").sign(&Digest(own)).expect("a signature");
                let signature = format!("0x{}", hex::encode(made.to_bytes()));
                rows.insert(format!("{{\"signingDigest\":{digest},\"signature\":\"{signature}\"}}\n"));
            }
        }
        let made = fixture.sign(plan(fixture).expect("a plan")).expect("signed");
        signed.push(made.to_json().to_string());
    }
    let file = temporary("batch.jsonl", rows.into_iter().collect::<String>().as_bytes());
    let said = run(&["attach", "-", "--signatures", path(&file)], requests.as_bytes());
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!((said.exit, lines), (0, signed.iter().map(String::as_str).collect()), "{}", said.stderr);
    assert!(cases.len() > 60, "only {}", cases.len());
    let wrong = temporary("wrong.jsonl", b"{\"signingDigest\":\"0x00\",\"signature\":\"0x\"}\n");
    assert_eq!(run(&["attach", "-", "--signatures", path(&wrong)], requests.as_bytes()).exit, 3);
    let none = temporary("none.jsonl", b"");
    let said = run(&["attach", "-", "--signatures", path(&none), "--json-errors"], cases[0].request_text().as_bytes());
    assert!(said.exit == 7 && said.stderr.contains("signature.count"), "{}", said.stderr);
}

/// A signature is hex digits, a file of bytes, a file of hex lines, or comes from standard input.
#[test]
fn signatures_come_in_as_arguments_files_and_standard_input() {
    let case = fixture("withdraw", "withdraw_era_mainnet_typical");
    let request = temporary("request.json", case.request_text().as_bytes());
    let expected = &case.signed().expect("signed")["transactions"][0]["signature"];
    let (r, s) = (bytes(&expected["r"]), bytes(&expected["s"]));
    let (plain, coded) = (hex::encode([r.as_slice(), &s].concat()), der(&r, &s));
    let made = format!("{}\n", case.sign(plan(&case).expect("a plan")).expect("signed").to_json());
    let file = temporary("signature.der", &coded);
    let lines = temporary("signature.hex", format!("\n0x{plain}\n").as_bytes());
    let with_0x = format!("0x{plain}");
    let at_file = format!("@{}", path(&file));
    let request = path(&request);
    for (arguments, input) in [
        (vec![request, &with_0x], Vec::new()),
        (vec![request, &plain], Vec::new()),
        (vec![request, path(&file)], Vec::new()),
        (vec![request, &at_file], Vec::new()),
        (vec![request, path(&lines)], Vec::new()),
        (vec![request, "-"], coded.clone()),
        (vec![request, "--format", "der", "@-"], coded.clone()),
        (vec![&with_0x], case.request_text().into_bytes()),
        (vec![path(&file)], case.request_text().into_bytes()),
        (vec!["-", &with_0x], case.request_text().into_bytes()),
    ] {
        let said = run(&[&["attach"], arguments.as_slice()].concat(), &input);
        assert_eq!((said.exit, said.stdout), (0, made.clone()), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains("NO GUARD"), "{}", said.stderr);
    }
    for (arguments, exit) in [
        (vec![], 2),
        (vec![request, &with_0x, "--signatures", path(&lines)], 2),
        (vec!["-", "-"], 2),
        (vec![request, &with_0x, "--format", "pem"], 2),
        (vec![request, "0x123"], 3),
        (vec![request, "no-such-file"], 10),
        (vec![request, &with_0x, &with_0x], 7),
        (vec![request, &with_0x, "--format", "compact", "--json-errors"], 7),
    ] {
        let said = run(&[&["attach"], arguments.as_slice()].concat(), b"");
        // r || s without the parity's bit is compact for one of the two parities.
        let is_compact = arguments.contains(&"compact") && expected["yParity"] == 0;
        assert_eq!(
            (said.exit, said.stdout.is_empty()),
            if is_compact { (0, false) } else { (exit, true) },
            "{arguments:?}"
        );
    }
    // The guard knows what was attached: the same again is the same, another payload of the nonce is not.
    let guard = temporary("attach.guard", b"");
    std::fs::remove_file(&guard).expect("a name");
    let guarded = ["attach", request, &with_0x, "--guard", path(&guard)];
    assert_eq!(run(&guarded, b"").exit, 0);
    assert_eq!(run(&guarded, b"").exit, 0);
    let other = fixture("withdraw", "withdraw_priority_zero");
    let digest = bytes(&other.signed().expect("signed")["transactions"][0]["signingDigest"]);
    let key = Key::from_hex(other.key().as_bytes()).expect("a key");
    let signature = key.sign(&Digest(digest.try_into().expect("32 bytes"))).expect("a signature").to_bytes();
    let signature = format!("0x{}", hex::encode(signature));
    let said = run(&["attach", "-", &signature, "--guard", path(&guard)], other.request_text().as_bytes());
    assert_eq!((said.exit, said.stdout.as_str()), (9, ""), "{}", said.stderr);
}

#[test]
fn digest_writes_one_thing_a_line_where_it_is_asked_to() {
    let withdrawal = fixture("withdraw", "withdraw_era_mainnet_typical");
    let deposit = fixture("deposit", "era_mainnet_typical");
    for (only, member) in [("digests", "signingDigest"), ("unsigned", "unsigned"), ("typed-data", "typedData")] {
        let whole = run(&["digest"], withdrawal.request_text().as_bytes());
        let document: Value = serde_json::from_str(&whole.stdout).expect("JSON");
        let said = run(&["digest", "--only", only], withdrawal.request_text().as_bytes());
        let expected = match &document["transactions"][0][member] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let same = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|_| line.into());
        assert_eq!(same(said.stdout.trim_end()), same(&expected), "{only}");
    }
    let said = run(&["digest", "--only", "typed-data"], deposit.request_text().as_bytes());
    assert!(said.exit == 4 && said.stderr.contains("envelope.unsupported"), "{}", said.stderr);
    let safe = fixture("deposit", "safe_erc20");
    let said = run(&["digest"], safe.request_text().as_bytes());
    assert!(said.exit == 4 && said.stderr.contains("sign.contract_sender"), "{}", said.stderr);
}

/// A signer that knows nothing of us: openssl, as documented in docs/external-signers.md. It signs with another nonce each
/// time, in DER, with a high s as often as not.
#[test]
fn openssl_signs_in_a_pipeline() {
    let missing = "openssl and xxd are needed: apt-get install openssl xxd";
    let program = env!("CARGO_BIN_EXE_coldbridge");
    for (folder, name, rounds) in [
        ("withdraw", "withdraw_era_mainnet_typical", 8),
        ("deposit", "era_mainnet_typical", 8),
        ("withdraw", "withdraw_envelope_legacy", 2),
    ] {
        let case = fixture(folder, name);
        let request = temporary(&format!("{name}.json"), case.request_text().as_bytes());
        let key = temporary(&format!("{name}.key"), case.key().as_bytes());
        let pem = temporary(&format!("{name}.pem"), b"");
        // SEC 1: the key as DER, with the curve's name.
        let script = format!(
            "set -eo pipefail\n\
             printf '302e0201010420%sa00706052b8104000a' \"$(sed s/^0x// {key})\" | xxd -r -p | openssl ec -inform DER -out {pem} 2>/dev/null\n\
             for round in $(seq {rounds}); do\n\
             {program} digest {request} --only digests | xxd -r -p | openssl pkeyutl -sign -inkey {pem} | {program} attach {request} - 2>/dev/null\n\
             done\n",
            key = path(&key),
            pem = path(&pem),
            request = path(&request),
        );
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
        assert!(output.status.success(), "{missing}\n{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).expect("text");
        assert_eq!(lines.lines().count(), rounds);
        let mut seen = BTreeSet::new();
        for line in lines.lines() {
            let document: Value = serde_json::from_str(line).expect("JSON");
            let (ours, expected) = (&document["transactions"][0], &case.signed().expect("signed")["transactions"][0]);
            assert_eq!(ours["signingDigest"], expected["signingDigest"]);
            seen.insert(ours["hash"].to_string());
            assert!(Signed::read(&json::parse(line.as_bytes()).expect("JSON"), &Networks::pinned()).is_ok());
        }
        assert!(seen.len() > 1, "another signature each time: never compare hashes, but digests");
    }
}

// ------------------------------------------------------------------------------------------------------- raw bytes

/// `verify` of raw bytes: what is proved, and what no bytes can prove.
#[test]
fn raw_transactions_are_proved_by_themselves() {
    let case = fixture("withdraw", "withdraw_era_mainnet_typical");
    let expected = &case.signed().expect("signed")["transactions"][0];
    let raw = expected["raw"].as_str().expect("hex");
    let said = run(&["verify"], raw.as_bytes());
    let document: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let transaction = &document["transactions"][0];
    assert_eq!((said.exit, document["network"].as_str()), (0, Some("era-mainnet")));
    for (member, value) in [
        ("hash", &expected["hash"]),
        ("signingDigest", &expected["signingDigest"]),
        ("signer", &expected["unsigned"]["from"]),
        ("purpose", &expected["unsigned"]["purpose"]),
        ("layer", &expected["unsigned"]["layer"]),
        ("nonce", &expected["unsigned"]["nonce"]),
    ] {
        assert_eq!(&transaction[member], value, "{member}");
    }
    assert_eq!(run(&["verify", "--raw"], raw.as_bytes()).stdout, format!("{raw}\n"));
    let given = fixture("smart_account", "account_given_130_bytes");
    let given = &given.signed().expect("signed")["transactions"][0];
    let said = run(&["verify"], given["raw"].as_str().expect("hex").as_bytes());
    let document: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(
        (&document["transactions"][0]["hash"], &document["transactions"][0]["signer"]),
        (&given["hash"], &Value::Null)
    );
    let owner = fixture("smart_account", "account_one_owner");
    let raw = bytes(&owner.signed().expect("signed")["transactions"][0]["raw"]);
    assert_eq!(signed::prove_raw(&raw).expect_err("not from's").code(), Code::SIGNATURE_NOT_FROM);
    let unsigned = plan(&case).expect("a plan").transactions()[0].transaction.unsigned_bytes();
    assert_eq!(signed::prove_raw(&unsigned).expect_err("unsigned").code(), Code::SIGNED_UNSIGNED);
}
