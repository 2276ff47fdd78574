//! How fast documents are signed and proved, beside what no signer can avoid: one signature and its verification by the same
//! library (k256), in the same run.
//!
//! `cargo bench --bench signing [-- PAYLOADS]` prints a table; nothing is asserted about time.

#![allow(clippy::print_stdout, clippy::expect_used, missing_docs)] // a program for people

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use coldbridge::{Key, Networks, Request, Signed, Spelling, json};
use k256::ecdsa::SigningKey;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use serde_json::{Value, json as value};

/// Each is timed so often, in turn with the others: the machine is not alone.
const ROUNDS: usize = 7;
const SECRET: [u8; 32] = [0x46; 32];

/// What is timed.
const PARTS: [&str; 6] =
    ["sign", "sign, verify", "sign, verify, recover 3 times", "plan", "sign a request", "prove a document"];

fn requests(fixture: &str, count: usize, from: &str) -> Vec<String> {
    let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture)).expect("the fixture");
    let fixture: Value = serde_json::from_slice(&text).expect("JSON");
    let numbered = |number: usize| {
        let mut request = fixture["request"].clone();
        request["intent"]["id"] = value!(format!("PAY-{number}"));
        request["intent"]["from"] = value!(from);
        request["facts"]["transaction"]["nonce"] = value!(number);
        request.to_string()
    };
    (0..count).map(numbered).collect()
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

/// The raw limit: a signature of each digest, and what is asked of it.
fn raw(secret: &SigningKey, digests: &[[u8; 32]], verifies: bool, recoveries: usize) {
    for digest in digests {
        let (signature, id) = secret.sign_prehash_recoverable(black_box(digest));
        if verifies {
            secret.verifying_key().verify_prehash(black_box(digest), &signature).expect("its own");
        }
        for _ in 0..recoveries {
            let key = k256::ecdsa::VerifyingKey::recover_from_prehash(black_box(digest), &signature, id);
            black_box(key.expect("a key"));
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() {
    let count = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(2_000_usize);
    let networks = Networks::pinned();
    let key = Key::from_hex(hex::encode(SECRET).as_bytes()).expect("a key");
    let secret = SigningKey::from_slice(&SECRET).expect("a key");
    println!("one thread; microseconds of one, median of {ROUNDS} rounds of {count}\n");
    println!("| | {} |", PARTS.join(" | "));
    println!("|---|{}", "---|".repeat(PARTS.len()));
    for (name, fixture) in [
        ("deposit of ETH (L1, type 2)", "fixtures/deposit/local_typical.json"),
        ("withdrawal of ETH (L2, type 0x71)", "fixtures/withdraw/withdraw_era_mainnet_typical.json"),
    ] {
        let texts = requests(fixture, count, &key.address().to_string());
        let read = |text: &str| {
            let json = json::parse(text.as_bytes()).expect("JSON");
            Request::read(&json, &networks, Spelling::Checksummed).expect("a request")
        };
        let sign = |text: &String| {
            read(text).plan().and_then(coldbridge::unsigned::Unsigned::ready).and_then(|ready| ready.sign(&[&key]))
        };
        let signed: Vec<_> = texts.iter().map(|text| sign(text).expect("signed")).collect();
        let digest = |signed: &coldbridge::Released| signed.signed().transactions()[0].signing_digest().0;
        let digests: Vec<[u8; 32]> = signed.iter().map(digest).collect();
        let documents: Vec<&str> = signed.iter().map(coldbridge::Released::text).collect();
        let mut times = vec![Vec::new(); PARTS.len()];
        for _ in 0..ROUNDS {
            let round = [
                timed(|| raw(&secret, &digests, false, 0)),
                timed(|| raw(&secret, &digests, true, 0)),
                timed(|| raw(&secret, &digests, true, 3)),
                timed(|| texts.iter().for_each(|text| drop(black_box(read(text).plan().expect("a plan"))))),
                timed(|| texts.iter().for_each(|text| drop(black_box(sign(text).expect("signed"))))),
                timed(|| {
                    for text in &documents {
                        let json = json::parse(text.as_bytes()).expect("JSON");
                        drop(black_box(Signed::read(&json, &networks).expect("proved")));
                    }
                }),
            ];
            times.iter_mut().zip(round).for_each(|(times, took)| times.push(took));
        }
        let medians: Vec<Duration> = times.into_iter().map(median).collect();
        #[allow(clippy::cast_precision_loss, clippy::as_conversions)] // numbers for people
        let each: Vec<f64> = medians.iter().map(|time| time.as_secs_f64() * 1e6 / count as f64).collect();
        let row: Vec<String> = each.iter().map(|time| format!("{time:.0}")).collect();
        println!("| {name} | {} |", row.join(" | "));
        let of_limit: Vec<String> = each.iter().map(|time| format!("{:.2}", each[1] / time)).collect();
        println!("| as a part of sign, verify | {} |", of_limit.join(" | "));
    }
}
