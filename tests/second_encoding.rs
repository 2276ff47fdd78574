//! The second encoding by itself: against the bytes of the other implementations, and against the first on random fields.

mod common;

use coldbridge::transaction::{Authorization, Eip712, Eip1559, Eip2930, Legacy, Transaction, eip712::Paymaster};
use coldbridge::units::{Gas, Wei, WeiPerGas};
use coldbridge::{Address, Decoded, Key, second_encoding};
use common::{Failures, fixtures, operation_fixtures};
use ethabi::ethereum_types::U256;
use proptest::collection::vec;
use proptest::prelude::*;

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.trim_start_matches("0x")).expect("hex")
}

/// Every signed transaction of the operation fixtures: unsigned bytes, digest, raw bytes and hash.
#[test]
fn gives_the_bytes_of_the_other_implementations() {
    let mut failures = Failures::default();
    for fixture in operation_fixtures() {
        let Some(signed) = fixture.signed() else { continue };
        for expected in signed["transactions"].as_array().expect("a list") {
            let raw = unhex(expected["raw"].as_str().expect("raw"));
            let Decoded { transaction, authorization } = Decoded::read(&raw, "").expect("canonical");
            let digest = second_encoding::signing_digest(&transaction).to_string();
            failures.check(&fixture.name, "digest", &digest.as_str(), &expected["signingDigest"].as_str().expect("it"));
            failures.check(&fixture.name, "raw", &second_encoding::raw(&transaction, &authorization), &Some(raw));
            let hash = second_encoding::hash(&transaction, &authorization).expect("signed").to_string();
            failures.check(&fixture.name, "hash", &hash.as_str(), &expected["hash"].as_str().expect("it"));
        }
    }
    failures.finish();
}

/// What other implementations wrote, with access lists, paymasters, dependencies and custom signatures.
#[test]
fn gives_the_envelopes_of_the_other_implementations() {
    let mut failures = Failures::default();
    for fixture in fixtures("envelope") {
        let texts: Vec<String> = all_texts(&fixture.json).into_iter().filter(|text| text.starts_with("0x")).collect();
        for raw in texts.iter().filter_map(|text| hex::decode(&text[2..]).ok()).filter(|raw| raw.len() > 80) {
            let Ok(Decoded { transaction, authorization }) = Decoded::read(&raw, "") else { continue };
            let unsigned = second_encoding::unsigned_bytes(&transaction);
            failures.check(&fixture.name, "unsigned", &unsigned, &transaction.unsigned_bytes());
            let digest = second_encoding::signing_digest(&transaction);
            failures.check(&fixture.name, "digest", &digest, &transaction.signing_digest());
            let decoded = Decoded { transaction: transaction.clone(), authorization: authorization.clone() };
            let hash = second_encoding::hash(&transaction, &authorization);
            failures.check(&fixture.name, "hash", &hash, &decoded.hash());
        }
    }
    failures.finish();
}

fn all_texts(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(items) => items.iter().flat_map(all_texts).collect(),
        serde_json::Value::Object(members) => members.values().flat_map(all_texts).collect(),
        _ => Vec::new(),
    }
}

fn number() -> impl Strategy<Value = U256> {
    (any::<[u64; 4]>(), 0..=256_usize)
        .prop_map(|(words, bits)| if bits == 0 { U256::zero() } else { U256(words) >> (256 - bits) })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    // Around each length at which RLP changes its form: 1, 56, 256 and 65536 bytes.
    let some = |lengths| vec(any::<u8>(), lengths);
    prop_oneof![20 => some(0..4), 20 => some(50..60), 20 => some(250..300), 1 => some(65_530..65_545)]
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from_bytes)
}

fn transaction() -> impl Strategy<Value = Transaction> {
    let head = (any::<u64>(), any::<u64>(), number(), number(), number(), number());
    let accesses = vec((address(), vec(any::<[u8; 32]>(), 0..3)), 0..3);
    let code = (0..3_usize).prop_flat_map(|half| vec(any::<u8>(), 32 * (2 * half + 1)));
    let paymaster = proptest::option::of((address(), bytes()));
    let tail = (proptest::option::of(address()), bytes(), address(), accesses, vec(code, 0..3), paymaster);
    (0..4_u8, head, tail).prop_map(|(kind, head, tail)| {
        let (chain_id, nonce, fee, tip, gas, value) = head;
        let (to, data, from, access_list, factory_deps, paymaster) = tail;
        let (max_fee_per_gas, max_priority_fee_per_gas) = (WeiPerGas::new(fee), WeiPerGas::new(tip));
        let (gas_price, gas_limit, value) = (max_fee_per_gas, Gas::new(gas), Wei::new(value));
        match kind {
            0 => Transaction::Legacy(Legacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, data }),
            1 => Transaction::Eip2930(Eip2930 { chain_id, nonce, gas_price, gas_limit, to, value, data, access_list }),
            2 => Transaction::Eip1559(Eip1559 {
                chain_id,
                nonce,
                max_priority_fee_per_gas,
                max_fee_per_gas,
                gas_limit,
                to,
                value,
                data,
                access_list,
            }),
            _ => Transaction::Eip712(Eip712 {
                chain_id,
                nonce,
                max_priority_fee_per_gas,
                max_fee_per_gas,
                gas_limit,
                to,
                value,
                data,
                from,
                gas_per_pubdata: Gas::new(tip),
                factory_deps,
                paymaster: paymaster.map(|(paymaster, input)| Paymaster { paymaster, input }),
            }),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_encodings_agree_on_random_fields(transaction in transaction()) {
        let key = Key::from_hex(&[b'1'; 64]).expect("a key");
        prop_assert_eq!(second_encoding::unsigned_bytes(&transaction), transaction.unsigned_bytes());
        let digest = transaction.signing_digest();
        prop_assert_eq!(second_encoding::signing_digest(&transaction), digest);
        let signature = key.sign(&digest).expect("signed");
        let authorization = Authorization::Signature(signature);
        prop_assert_eq!(second_encoding::raw(&transaction, &authorization), Some(transaction.raw(&signature)));
        prop_assert_eq!(second_encoding::hash(&transaction, &authorization), Some(transaction.hash(&signature)));
    }
}
