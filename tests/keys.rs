//! Keys against the published vectors of others: BIP-39, BIP-32, keystore version 3, RFC 6979, Wycheproof; and every
//! single bit of a signature. Each test prints how many vectors passed.

#![allow(clippy::print_stdout, clippy::type_complexity)] // it prints how many vectors passed; a table of cases

mod common;

use std::fs;

use coldbridge::key::Randomness;
use coldbridge::{Address, DerivationPath, Digest, Key, Keystore, Refusal, Signature};
use common::{Failures, Fixture, fixtures, root};
use k256::ecdsa::VerifyingKey;
use k256::elliptic_curve::PrimeField as _;
use k256::elliptic_curve::sec1::ToSec1Point as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tiny_keccak::Hasher as _;

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a string");
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).expect("hex")
}

fn word(text: &Value) -> [u8; 32] {
    hex(text).try_into().expect("32 bytes")
}

fn key(text: &Value) -> Key {
    Key::from_hex(text.as_str().expect("a string").as_bytes()).expect("a key")
}

fn address(result: Result<Key, Refusal>) -> String {
    result.map_or_else(|refusal| refusal.code().name.to_owned(), |key| key.address().to_string())
}

#[test]
fn mnemonics_have_the_published_seeds_and_keys() {
    let mut failures = Failures::default();
    let vectors = fixtures("mnemonic");
    for Fixture { name, json } in &vectors {
        let (input, expect) = (&json["input"], &json["expect"]);
        let path = DerivationPath::parse(input["path"].as_str().expect("a path")).expect("a path");
        let (words, passphrase) =
            (input["mnemonic"].as_str().expect("words"), input["passphrase"].as_str().expect("text"));
        let expected = key(&expect["privateKey"]).address().to_string();
        failures.check(name, "words", &address(Key::from_mnemonic(words, passphrase, &path)), &expected);
        failures.check(name, "seed", &address(Key::from_seed(&hex(&expect["seed"]), &path)), &expected);
        // However a file breaks its lines.
        let spaced = format!("\n {}\r\n", words.replace(' ', "\n\t "));
        failures.check(name, "spaces", &address(Key::from_mnemonic(&spaced, passphrase, &path)), &expected);
        // Another word in the last place has another checksum, 15 times of 16 or more.
        let last = words.rsplit(' ').next().expect("a word");
        let other = if last == "abandon" { "zoo" } else { "abandon" };
        let changed = format!("{}{other}", words.strip_suffix(last).expect("its end"));
        let code = address(Key::from_mnemonic(&changed, passphrase, &path));
        if code != "key.mnemonic" {
            println!("{name}: {other} is another right checksum");
        }
    }
    failures.finish();
    println!("BIP-39: {} of 24 English vectors passed", vectors.len());
    assert_eq!(vectors.len(), 24);
}

#[test]
fn derivation_follows_bip_32() {
    let mut failures = Failures::default();
    let vectors = fixtures("derivation");
    for Fixture { name, json } in &vectors {
        let (input, expect) = (&json["input"], &json["expect"]);
        let text = input["path"].as_str().expect("a path");
        let expected = key(&expect["privateKey"]).address().to_string();
        for spelling in [text.to_owned(), text.replace('\'', "h"), text.replace('\'', "H")] {
            let path = DerivationPath::parse(&spelling).unwrap_or_else(|refusal| panic!("{spelling}: {refusal}"));
            failures.check(name, "path", &path.to_string().as_str(), &text);
            failures.check(name, &spelling, &address(Key::from_seed(&hex(&input["seed"]), &path)), &expected);
        }
        // An extended key is not a key file of ours.
        let xprv = expect["xprv"].as_str().expect("a string");
        failures.check(name, "xprv", &address(Key::from_hex(xprv.as_bytes())), &"key.format".to_owned());
    }
    failures.finish();
    println!("BIP-32: {} of 17 chains of the test vectors 1 to 4 passed", vectors.len());
    assert_eq!(vectors.len(), 17);
}

/// The account that every test suite for Ethereum knows: anvil's, hardhat's and ganache's first one, and the next.
#[test]
fn the_first_accounts_of_the_test_mnemonic() {
    let words = "test test test test test test test test test test test junk";
    for (path, expected) in [
        ("m/44'/60'/0'/0/0", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        ("m/44h/60h/0h/0/1", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ] {
        let path = DerivationPath::parse(path).expect("a path");
        assert_eq!(address(Key::from_mnemonic(words, "", &path)), expected);
    }
}

/// BIP-39 asks for NFKD: the same passphrase in two spellings of Unicode is the same.
#[test]
fn passphrases_are_normalised() {
    let words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let path = DerivationPath::parse("m").expect("a path");
    let one = address(Key::from_mnemonic(words, "caf\u{e9} \u{212b}", &path));
    let other = address(Key::from_mnemonic(words, "cafe\u{301} A\u{30a}", &path));
    assert_eq!(one, other);
    assert_ne!(one, address(Key::from_mnemonic(words, "cafe A", &path)));
}

#[test]
fn wrong_words_and_paths_are_refused_without_repeating_them() {
    let good = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let path = DerivationPath::parse("m").expect("a path");
    for words in [
        "",
        "legal",
        "legal winner thank year wave sausage worth useful legal winner thank",
        "legal winner thank year wave sausage worth useful legal winner thank thank",
        "legal winner thank year wave sausage worth useful legal winner thank yelow",
        "Legal winner thank year wave sausage worth useful legal winner thank yellow",
        "winner legal thank year wave sausage worth useful legal winner thank yellow",
        &format!("{good} {good} {good}"),
        &format!("{good} {}", "legal".repeat(1000)),
    ] {
        let refusal = Key::from_mnemonic(words, "", &path).err().unwrap_or_else(|| panic!("{words} was taken"));
        assert_eq!(refusal.code().name, "key.mnemonic", "{words}");
        let said = refusal.to_string();
        assert!(["legal", "winner", "yelow", "useful"].iter().all(|word| !said.contains(word)), "{said}");
    }
    let long = "p".repeat(1025);
    assert_eq!(address(Key::from_mnemonic(good, &long, &path)), "key.mnemonic");
    for path in [
        "",
        "44'/60'/0'/0/0",
        "M/44'/60'/0'/0/0",
        "m/",
        "m//0",
        "m/44'/60'/0'/0/0/",
        "m/44''/60'/0'/0/0",
        "m/44'/60'/0'/0/-1",
        "m/44'/60'/0'/0/+1",
        "m/44'/60'/0'/0/01",
        "m/44'/60'/0'/0/0x1",
        "m/44'/60'/0'/0/2147483648",
        "m/44'/60'/0'/0/4294967296",
        "m/44'/60'/0'/0/ 0",
        "m/44/60/0/0/0",
        "m/44'/60'/0/0/0",
        "m/44'/60/0'/0/0",
        "m/44/60'/0'",
        "m/44\u{2019}/60\u{2019}/0\u{2019}/0/0",
        &format!("m{}", "/0".repeat(256)),
        good,
    ] {
        let refusal = DerivationPath::parse(path).err().unwrap_or_else(|| panic!("{path} was taken"));
        assert_eq!((refusal.code().name, refusal.exit().code()), ("key.derivation_path", 2), "{path}");
        assert!(!refusal.to_string().contains("legal"));
    }
    for path in ["m", "m/0", "m/44'/60'/0'/7", "m/44'/60'/3'/0/0", "m/45/60/0/0/0", &format!("m{}", "/0".repeat(255))] {
        assert!(DerivationPath::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn keystores_open_to_the_published_keys() {
    let mut failures = Failures::default();
    let vectors = fixtures("keystore");
    for Fixture { name, json } in &vectors {
        let (input, expect) = (&json["input"], &json["expect"]);
        let password = input["password"].as_str().expect("text").as_bytes();
        let result = Key::from_keystore(input["keystore"].to_string().as_bytes(), password);
        if let Some(refused) = expect.get("refused") {
            let refusal = result.err().unwrap_or_else(|| panic!("{name} was opened"));
            failures.check(name, "code", &refused["code"].as_str(), &Some(refusal.code().name));
            failures.check(name, "at", &refused["at"].as_str(), &Some(refusal.at()));
            continue;
        }
        let expected =
            expect["address"].as_str().map_or_else(|| key(&expect["privateKey"]).address().to_string(), str::to_owned);
        failures.check(name, "account", &address(result), &expected);
        let wrong = Key::from_keystore(input["keystore"].to_string().as_bytes(), &[password, b"x"].concat());
        failures.check(name, "wrong password", &address(wrong), &"key.password".to_owned());
    }
    failures.finish();
    println!("keystore version 3: {} of 8 published files passed", vectors.len());
    assert_eq!(vectors.len(), 8);
}

fn light() -> Value {
    let found = fixtures("keystore").into_iter().find(|fixture| fixture.name.ends_with("geth_very_light_scrypt"));
    found.expect("the light one").json["input"]["keystore"].clone()
}

/// What a hostile or damaged file asks for is refused before any work is done for it.
#[test]
fn keystores_out_of_bounds_are_refused_at_their_place() {
    let mut failures = Failures::default();
    let started = std::time::Instant::now();
    let pbkdf2 = |rounds: Value| json!({"c": rounds, "dklen": 32, "prf": "hmac-sha256", "salt": "00"});
    let n = "/crypto/kdfparams/n";
    let cases: &[(&str, &[(&str, Value)], &str)] = &[
        (n, &[(n, json!(1 << 21))], "key.kdf"),
        (n, &[(n, json!(1_u64 << 40))], "key.kdf"),
        (n, &[(n, json!((1_u64 << 53) - 1))], "key.kdf"),
        (
            n,
            &[(n, json!("115792089237316195423570985008687907853269984665640564039457584007913129639936"))],
            "key.keystore",
        ),
        (n, &[(n, json!("57896044618658097711785492504343953926634992332820282019728792003956564819968"))], "key.kdf"),
        (n, &[(n, json!(0))], "key.kdf"),
        (n, &[(n, json!(1))], "key.kdf"),
        (n, &[(n, json!(3))], "key.kdf"),
        (n, &[(n, json!("0x2"))], "key.keystore"),
        (n, &[(n, json!(true))], "key.keystore"),
        (n, &[("/crypto/kdfparams/r", json!(1 << 23))], "key.kdf"),
        ("/crypto/kdfparams/r", &[("/crypto/kdfparams/r", json!(0))], "key.kdf"),
        ("/crypto/kdfparams/r", &[("/crypto/kdfparams/r", json!((1_u64 << 30) + 1))], "key.kdf"),
        ("/crypto/kdfparams/p", &[("/crypto/kdfparams/p", json!(0))], "key.kdf"),
        ("/crypto/kdfparams/p", &[("/crypto/kdfparams/p", json!(17))], "key.kdf"),
        ("/crypto/kdfparams/p", &[(n, json!(1 << 20)), ("/crypto/kdfparams/p", json!(5))], "key.kdf"),
        ("/crypto/kdfparams/dklen", &[("/crypto/kdfparams/dklen", json!(31))], "key.kdf"),
        ("/crypto/kdfparams/dklen", &[("/crypto/kdfparams/dklen", json!(64))], "key.kdf"),
        ("/crypto/kdfparams/salt", &[("/crypto/kdfparams/salt", json!("00".repeat(1025)))], "key.keystore"),
        ("/crypto/kdfparams/salt", &[("/crypto/kdfparams/salt", json!("0"))], "key.keystore"),
        ("/crypto/kdfparams/extra", &[("/crypto/kdfparams/extra", json!(1))], "key.keystore"),
        (
            "/crypto/kdfparams/c",
            &[("/crypto/kdf", json!("pbkdf2")), ("/crypto/kdfparams", pbkdf2(json!(0)))],
            "key.kdf",
        ),
        (
            "/crypto/kdfparams/c",
            &[("/crypto/kdf", json!("pbkdf2")), ("/crypto/kdfparams", pbkdf2(json!(10_000_001)))],
            "key.kdf",
        ),
        (
            "/crypto/kdfparams/prf",
            &[
                ("/crypto/kdf", json!("pbkdf2")),
                ("/crypto/kdfparams", json!({"c": 1, "dklen": 32, "prf": "hmac-sha512", "salt": "00"})),
            ],
            "key.keystore",
        ),
        ("/crypto/kdf", &[("/crypto/kdf", json!("argon2"))], "key.keystore"),
        ("/crypto/cipher", &[("/crypto/cipher", json!("aes-128-cbc"))], "key.keystore"),
        ("/crypto/cipherparams/iv", &[("/crypto/cipherparams/iv", json!("00"))], "key.keystore"),
        ("/crypto/ciphertext", &[("/crypto/ciphertext", json!(""))], "key.keystore"),
        ("/crypto/ciphertext", &[("/crypto/ciphertext", json!("00".repeat(33)))], "key.keystore"),
        ("/crypto/mac", &[("/crypto/mac", json!("00"))], "key.keystore"),
        ("/crypto", &[("/Crypto", json!({}))], "key.keystore"),
        ("/version", &[("/version", json!(1))], "key.keystore"),
        ("/version", &[("/version", json!("3"))], "key.keystore"),
        ("/address", &[("/address", json!("45dea0fb0bba44f4fcf290bba71fd57d7117cbb9"))], "key.address"),
        ("/address", &[("/address", json!("45dea0fb"))], "key.keystore"),
    ];
    for (at, changes, code) in cases {
        let mut document = light();
        for (place, value) in *changes {
            let (parent, name) = place.rsplit_once('/').expect("a place");
            document.pointer_mut(parent).expect("there")[name] = value.clone();
        }
        let name = format!("{changes:?}");
        match Key::from_keystore(document.to_string().as_bytes(), b"") {
            Ok(_) => failures.fail(&name, "was opened"),
            Err(refusal) => {
                failures.check(&name, "code", &refusal.code().name, code);
                failures.check(&name, "at", &refusal.at(), at);
                failures.check(&name, "exit", &refusal.exit().code(), &7);
            }
        }
    }
    for (text, code) in [
        ("{", "key.keystore"),
        ("{} {}", "key.keystore"),
        ("{\"version\":3,\"version\":3}", "key.keystore"),
        ("[]", "key.keystore"),
        ("{}", "key.keystore"),
    ] {
        failures.check(text, "code", &address(Key::from_keystore(text.as_bytes(), b"")), &code.to_owned());
    }
    // What other programs add beside it is theirs.
    let mut document = light();
    document["x-ethers"] = json!({"client": "ethers"});
    document["address"] = json!("0x45DeA0FB0bBA44f4fcF290bbA71Fd57d7117Cbb8");
    document["Crypto"] = document.as_object_mut().expect("an object").remove("crypto").expect("there");
    failures.check(
        "ethers",
        "account",
        &address(Key::from_keystore(document.to_string().as_bytes(), b"")),
        &"0x45DeA0FB0bBA44f4fcF290bbA71Fd57d7117Cbb8".to_owned(),
    );
    failures.finish();
    println!("{} keystores out of bounds refused in {:?}", cases.len(), started.elapsed());
}

/// One flipped bit anywhere in what the MAC covers, or in the MAC, and nothing opens.
#[test]
fn every_bit_of_a_keystore_is_covered() {
    let document = light();
    let mut flips = 0;
    for member in ["ciphertext", "mac"] {
        let bytes = hex(&document["crypto"][member]);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut document = document.clone();
            document["crypto"][member] = json!(hex::encode(changed));
            assert_eq!(address(Key::from_keystore(document.to_string().as_bytes(), b"")), "key.password");
            flips += 1;
        }
    }
    // The start of the counter is not under the MAC: the address is what finds it out.
    let bytes = hex(&document["crypto"]["cipherparams"]["iv"]);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut document = document.clone();
        document["crypto"]["cipherparams"]["iv"] = json!(hex::encode(changed));
        let code = address(Key::from_keystore(document.to_string().as_bytes(), b""));
        assert!(["key.address", "key.format"].contains(&code.as_str()), "{code}");
        flips += 1;
    }
    println!("keystore: {flips} single-bit flips caught");
}

#[test]
fn a_sealed_key_opens_with_its_password_only() {
    let key = Key::from_hex(&[b'1'; 64]).expect("a key");
    let text = Keystore::seal(&key, b"correct horse", &Randomness { salt: [1; 32], iv: [2; 16], id: [0xff; 16] })
        .expect("sealed");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        document["crypto"]["kdfparams"],
        json!({"dklen": 32, "n": 262_144, "p": 1, "r": 8, "salt": "01".repeat(32)})
    );
    assert_eq!(document["id"], "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(document["address"], hex::encode(key.address().as_bytes()));
    assert!(!text.contains("11111111"));
    let keystore = Keystore::read(text.as_bytes()).expect("a keystore");
    assert!(!keystore.is_weak());
    assert_eq!(keystore.address(), Some(key.address()));
    assert_eq!(address(keystore.unlock(b"correct horse")), key.address().to_string());
    assert_eq!(address(keystore.unlock(b"correct horse\n")), "key.password");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in a key file, reading it ends with a key or a refusal.
    #[test]
    fn no_text_makes_the_readers_panic(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Keystore::read(&text).map(|_| ());
        let _ = Key::from_hex(&text).map(|_| ());
        let text = String::from_utf8_lossy(&text);
        let _ = DerivationPath::parse(&text);
        let _ = DerivationPath::parse(&format!("m/{text}"));
        let _ = Key::from_mnemonic(&text, &text, &DerivationPath::parse("m").expect("a path")).map(|_| ());
    }

    /// A keystore with any bytes exchanged is read, refused, or the same.
    #[test]
    fn no_damage_makes_the_keystore_reader_panic(at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 0..12), length in 0_usize..12) {
        let mut text = light().to_string().into_bytes();
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        text.splice(start..end, with);
        // Read only: what was bounded may still be a minute of work.
        if let Err(refusal) = Keystore::read(&text) {
            prop_assert_eq!(refusal.exit().code(), 7);
        }
    }
}

#[test]
fn signatures_are_those_of_rfc_6979() {
    let mut failures = Failures::default();
    let vectors = fixtures("rfc6979");
    for Fixture { name, json } in &vectors {
        let (input, expect) = (&json["input"], &json["expect"]);
        let key = key(&input["privateKey"]);
        let digest = Digest(word(&input["digest"]));
        let signature = key.sign(&digest).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let r = expect.get("nonce").map_or_else(|| word(&expect["r"]), |nonce| x_of(word(nonce)));
        failures.check(name, "r", &hex::encode(signature.r()), &hex::encode(r));
        if let Some(s) = expect.get("s") {
            failures.check(name, "s", &hex::encode(signature.s()), &hex::encode(word(s)));
        }
        failures.check(name, "signer", &signature.recover(&digest), &Some(key.address()));
        // libsecp256k1's own nonce for a digest above the order: another signature, which verifies all the same.
        if let Some(other) = expect.get("libsecp256k1") {
            let verifies = (0..2).any(|parity| {
                Signature::from_parts(word(&other["r"]), word(&other["s"]), parity).and_then(|one| one.recover(&digest))
                    == Some(key.address())
            });
            failures.check(name, "libsecp256k1", &verifies, &true);
        }
    }
    failures.finish();
    println!("RFC 6979 on secp256k1: {} of 24 vectors passed", vectors.len());
    assert_eq!(vectors.len(), 24);
}

/// The x coordinate of k times the generator.
fn x_of(nonce: [u8; 32]) -> [u8; 32] {
    let scalar = Option::<k256::Scalar>::from(k256::Scalar::from_repr(nonce.into())).expect("below the order");
    let point = (k256::ProjectivePoint::GENERATOR * scalar).to_affine().to_sec1_point(true);
    point.as_bytes()[1..].try_into().expect("32 bytes")
}

#[test]
fn every_flipped_bit_of_a_signature_and_a_digest_is_caught() {
    let mut flips = 0;
    for seed in 0_u8..4 {
        let key = Key::from_hex(hex::encode([seed + 7; 32]).as_bytes()).expect("a key");
        let digest = [seed.wrapping_mul(77).wrapping_add(1); 32];
        let signature = key.sign(&Digest(digest)).expect("signed").to_bytes();
        let signer = |signature: &[u8; 65], digest: [u8; 32]| {
            Signature::from_bytes(signature).and_then(|signature| signature.recover(&Digest(digest)))
        };
        assert_eq!(signer(&signature, digest), Some(key.address()));
        for bit in 0..256 {
            let mut digest = digest;
            digest[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(signer(&signature, digest), Some(key.address()), "bit {bit} of the digest");
            flips += 1;
        }
        // r, s and v
        for bit in 0..65 * 8 {
            let mut signature = signature;
            signature[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(signer(&signature, digest), Some(key.address()), "bit {bit} of the signature");
            flips += 1;
        }
    }
    println!("{flips} single-bit flips caught: 4 times 256 of the digest, 512 of r and s, 8 of v");
    assert_eq!(flips, 4 * (256 + 512 + 8));
}

/// The scalars of a DER signature, read as strictly as Wycheproof asks.
fn der(bytes: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let signature = k256::ecdsa::Signature::from_der(bytes).ok()?;
    let (r, s) = signature.split_bytes();
    Some((r.into(), s.into()))
}

fn p1363(bytes: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let bytes: [u8; 64] = bytes.try_into().ok()?;
    let (r, s) = bytes.split_first_chunk()?;
    Some((*r, s.try_into().ok()?))
}

fn sha3_256(message: &[u8]) -> [u8; 32] {
    let mut hasher = tiny_keccak::Sha3::v256();
    hasher.update(message);
    let mut digest = [0; 32];
    hasher.finalize(&mut digest);
    digest
}

fn account_of(public_key: &[u8]) -> Address {
    let hash = coldbridge::hash::keccak256(&public_key[1..]);
    Address::from_bytes(hash[12..].try_into().expect("20 bytes"))
}

/// Whether a signature recovers to the account only with recovery ids 2 and 3: r is the x coordinate less the order.
/// Ethereum has no v for these; one signature in 2^127 is like that.
fn is_above_order(r: [u8; 32], s: [u8; 32], digest: &[u8; 32], account: Address) -> bool {
    let Ok(signature) = k256::ecdsa::Signature::from_scalars(r, s) else { return false };
    (2..4).filter_map(k256::ecdsa::RecoveryId::from_byte).any(|id| {
        VerifyingKey::recover_from_prehash(digest, &signature, id)
            .is_ok_and(|key| account_of(key.to_sec1_point(false).as_bytes()) == account)
    })
}

/// Wycheproof against our way of verifying: does (r, s) with either recovery bit recover to the account? Where Wycheproof
/// takes a signature with a high s, we do not (EIP-2): such a one is refused, and its low twin recovers.
#[test]
fn wycheproof() {
    let mut failures = Failures::default();
    let (mut valid, mut invalid, mut high, mut above) = (0, 0, 0, 0);
    for file in ["sha256_bitcoin", "sha256", "sha256_p1363", "sha3_256"] {
        let path = root().join(format!("fixtures/wycheproof/ecdsa_secp256k1_{file}_test.json"));
        let document: Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
        let parse = if file.ends_with("p1363") { p1363 } else { der };
        let mut count = 0;
        for group in document["testGroups"].as_array().expect("groups") {
            let account = account_of(&hex(&group["publicKey"]["uncompressed"]));
            for case in group["tests"].as_array().expect("tests") {
                let name = format!("{file} {}", case["tcId"]);
                let message = hex(&case["msg"]);
                let digest =
                    Digest(if file == "sha3_256" { sha3_256(&message) } else { Sha256::digest(&message).into() });
                let recovers = |(r, s)| {
                    (0..2).any(|parity| {
                        Signature::from_parts(r, s, parity).and_then(|one| one.recover(&digest)) == Some(account)
                    })
                };
                let parts = parse(&hex(&case["sig"]));
                let taken = parts.is_some_and(recovers);
                let is_high = parts.is_some_and(|(r, s)| {
                    k256::ecdsa::Signature::from_scalars(r, s)
                        .is_ok_and(|signature| signature.normalize_s() != signature)
                });
                let needs_more = parts.is_some_and(|(r, s)| is_above_order(r, s, &digest.0, account));
                match case["result"].as_str() {
                    Some("valid") if needs_more => {
                        failures.check(&name, "x above the order", &taken, &false);
                        above += 1;
                    }
                    Some("valid") if is_high => {
                        let (r, s) = k256::ecdsa::Signature::from_der(&hex(&case["sig"]))
                            .or_else(|_| k256::ecdsa::Signature::from_slice(&hex(&case["sig"])))
                            .expect("a signature")
                            .normalize_s()
                            .split_bytes();
                        failures.check(&name, "high s", &(taken, recovers((r.into(), s.into()))), &(false, true));
                        high += 1;
                    }
                    Some("valid") => {
                        failures.check(&name, "valid", &taken, &true);
                        valid += 1;
                    }
                    Some("invalid") => {
                        failures.check(&name, "invalid", &taken, &false);
                        invalid += 1;
                    }
                    result => failures.fail(&name, format!("{result:?} is no result")),
                }
                count += 1;
            }
        }
        failures.check(file, "numberOfTests", &document["numberOfTests"].as_u64(), &Some(count));
    }
    failures.finish();
    let passed = valid + invalid + high + above;
    println!(
        "Wycheproof: {passed} of 1665 vectors passed: {valid} valid, {invalid} invalid, {high} with a high s and {above} with a point \
         above the order, which are valid but which Ethereum and we refuse"
    );
    assert_eq!(passed, 1665);
}
