//! Envelopes, hashes and keys against the known answers of public projects, and how strictly raw bytes are decoded.

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;

use coldbridge::abi::selector;
use coldbridge::bytecode::bytecode_hash;
use coldbridge::hash::{keccak256, keccak256_concat};
use coldbridge::transaction::eip712::{DEFAULT_GAS_PER_PUBDATA, Paymaster};
use coldbridge::transaction::{AccessList, Authorization, Eip712, Eip1559, Eip2930, Legacy};
use coldbridge::units::{Gas, Wei, WeiPerGas};
use coldbridge::{Address, Code, Decoded, Digest, Key, Refusal, Signature, Spelling, Transaction};
use common::{Failures, Fixture, Outcome, fixture, fixtures, operation_fixtures, report, walk};
use ethabi::ethereum_types::U256;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rlp::Rlp;
use serde_json::{Map, Value};

/// What a vector leaves to say, or why it can not be read.
type Object = Map<String, Value>;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x636f_6c64_6272_6964),
        ..ProptestConfig::default()
    }
}

// ---------------------------------------------------------------------------------------------------- reading vectors

fn hexed(bytes: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn text(value: &Value) -> Outcome<&str> {
    value.as_str().ok_or_else(|| format!("{value} is not a text"))
}

fn number(value: &Value) -> Outcome<U256> {
    match value {
        Value::Number(number) => number.as_u64().map(U256::from).ok_or_else(|| format!("{number} is no count")),
        _ => U256::from_dec_str(text(value)?).map_err(|error| format!("{value}: {error}")),
    }
}

fn bytes(value: &Value) -> Outcome<Vec<u8>> {
    let digits = text(value)?.strip_prefix("0x").ok_or_else(|| format!("{value} is not 0x hex"))?;
    hex::decode(digits).map_err(|error| format!("{value}: {error}"))
}

fn word(value: &Value) -> Outcome<[u8; 32]> {
    bytes(value)?.try_into().map_err(|_| format!("{value} has not 32 bytes"))
}

fn address(value: &Value) -> Outcome<Address> {
    Address::parse(text(value)?, Spelling::AnyCase).map_err(|error| format!("{value}: {error:?}"))
}

fn key(value: &Value) -> Outcome<Key> {
    match text(value)? {
        "keccak256(\"cow\")" => Key::from_hex(hex::encode(keccak256(b"cow")).as_bytes()),
        digits => Key::from_hex(digits.as_bytes()),
    }
    .map_err(said)
}

fn list(value: &Value) -> Outcome<&Vec<Value>> {
    value.as_array().ok_or_else(|| format!("{value} is not a list"))
}

fn object(value: &Value) -> Outcome<&Object> {
    value.as_object().ok_or_else(|| format!("{value} is not an object"))
}

fn said(refusal: impl std::fmt::Display) -> String {
    refusal.to_string()
}

/// A vector's input. Who reads a member says so, and what nobody read makes the form unknown.
struct Input<'a> {
    own: &'a Object,
    /// The input of the vector that `same_as` names.
    base: Option<Object>,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Input<'a> {
    fn of(case: &'a Fixture, folder: &str) -> Outcome<Self> {
        let own = object(&case.json["input"])?;
        let input = Self { own, base: None, read: RefCell::default() };
        let base = match input.get("same_as") {
            Some(name) => Some(object(&fixture(folder, &text(name)?.replace('-', "_")).json["input"])?.clone()),
            None => None,
        };
        Ok(Self { base, ..input })
    }

    /// A member, unless it is null.
    fn get(&self, name: &str) -> Option<&Value> {
        self.read.borrow_mut().insert(name.to_owned());
        self.own.get(name).or_else(|| self.base.as_ref()?.get(name)).filter(|value| !value.is_null())
    }

    fn needs(&self, name: &str) -> Outcome<&Value> {
        self.get(name).ok_or_else(|| format!("no {name}"))
    }

    /// The first of these members that is there; 0 if none is.
    fn number(&self, names: &[&str]) -> Outcome<U256> {
        let found: Vec<&Value> = names.iter().filter_map(|name| self.get(name)).collect();
        found.first().map_or(Ok(U256::zero()), |value| number(value))
    }

    fn word64(&self, name: &str) -> Outcome<u64> {
        u64::try_from(self.number(&[name])?).map_err(|_| format!("{name} is above 2^64-1"))
    }

    fn address(&self, name: &str) -> Outcome<Option<Address>> {
        self.get(name).map(address).transpose()
    }

    /// Calldata as hex, or as a function of one address and its argument.
    fn calldata(&self) -> Outcome<Vec<u8>> {
        let Some(value) = self.get("data") else { return Ok(Vec::new()) };
        let Some((signature, argument)) = text(value)?.split_once(' ') else { return bytes(value) };
        let argument = Address::parse(argument, Spelling::AnyCase).map_err(|error| format!("{argument}: {error:?}"))?;
        Ok([selector(signature).as_slice(), &[0; 12], argument.as_bytes()].concat())
    }

    fn keys(&self) -> Outcome<Vec<Key>> {
        match (self.get("private_key"), self.get("private_keys")) {
            (Some(one), None) => Ok(vec![key(one)?]),
            (None, Some(many)) => list(many)?.iter().map(key).collect(),
            (None, None) => Ok(Vec::new()),
            (Some(_), Some(_)) => Err("private_key and private_keys".to_owned()),
        }
    }

    fn unread(&self) -> Outcome {
        let read = self.read.borrow();
        let unread: Vec<&String> = self.own.keys().filter(|name| !read.contains(*name)).collect();
        if unread.is_empty() { Ok(()) } else { Err(format!("unknown form: nothing read the input's {unread:?}")) }
    }
}

/// The category of a copied fact, and whether it documents a mistake of its source.
fn category(case: &Fixture) -> Outcome<(&str, bool)> {
    let members: BTreeSet<&str> = object(&case.json)?.keys().map(String::as_str).collect();
    if members != BTreeSet::from(["schema", "comment", "source", "flags", "input", "expect"]) {
        return Err(format!("unknown form: members {members:?}"));
    }
    if case.json["schema"] != "coldbridge/fixture/1" {
        return Err(format!("unknown schema {}", case.json["schema"]));
    }
    match list(&case.json["flags"])?.as_slice() {
        [category] => Ok((text(category)?, false)),
        [category, mark] if mark == "notUsable" => Ok((text(category)?, true)),
        flags => Err(format!("unknown flags {flags:?}")),
    }
}

// --------------------------------------------------------------------------------------------------- the known answers

#[test]
fn envelope_vectors() {
    walk("envelope", |case, failures| {
        let (category, not_usable) = category(case)?;
        let input = Input::of(case, "envelope")?;
        let expect = object(&case.json["expect"])?;
        if not_usable != (expect.contains_key("sdk_hash") && expect.contains_key("correct_hash")) {
            return Err("a mistake of the source is flagged notUsable and says what is correct".to_owned());
        }
        match category {
            "l1_envelope" => l1_envelope(case, &input, expect, failures),
            "eip712" | "eip712_txhash" | "eip712_rlp" => eip712(case, &input, expect, failures),
            "eip712_rlp_decode" => eip712_items(case, &input, expect, failures),
            "signature_v" => legacy_v(case, &input, expect, failures),
            _ => Err(format!("unknown category {category}")),
        }?;
        input.unread()
    });
}

/// Types 0, 1 and 2.
fn l1_envelope(case: &Fixture, input: &Input<'_>, expect: &Object, failures: &mut Failures) -> Outcome {
    let decoded = if let Some(raw) = input.get("raw") {
        Decoded::read(&bytes(raw)?, "").map_err(said)?
    } else {
        let transaction = l1_transaction(input)?;
        let (key, digest) = (key(input.needs("private_key")?)?, transaction.signing_digest());
        let signature = key.sign(&digest).map_err(said)?;
        failures.check(&case.name, "signer", &signature.recover(&digest), &Some(key.address()));
        Decoded { transaction, authorization: Authorization::Signature(signature) }
    };
    let Authorization::Signature(signature) = &decoded.authorization else { return Err("no signature".to_owned()) };
    let transaction = &decoded.transaction;
    let raw = transaction.raw(signature);
    if let Some(given) = input.get("raw") {
        failures.check(&case.name, "raw, written again", &hexed(&raw), &text(given)?);
    }
    failures.check(&case.name, "raw, read back", &Decoded::read(&raw, ""), &Ok::<_, Refusal>(decoded.clone()));
    failures.check(&case.name, "hash", &decoded.hash().map(|hash| hash.0), &Some(keccak256(&raw)));
    for (name, value) in expect {
        match name.as_str() {
            "raw" => failures.check(&case.name, name, &hexed(&raw), &text(value)?),
            "signing_hash" => {
                failures.check(&case.name, name, &transaction.signing_digest().to_string(), &text(value)?)
            }
            "tx_hash" => failures.check(&case.name, name, &hexed(transaction.hash(signature).0), &text(value)?),
            "signer" | "from" => failures.check(&case.name, name, &decoded.signer(), &Some(address(value)?)),
            "to" => failures.check(&case.name, name, &transaction.to(), &Some(address(value)?)),
            "chainId" => failures.check(&case.name, name, &transaction.chain_id(), &value.as_u64()),
            _ => return Err(format!("unknown form: expect.{name}")),
        };
    }
    Ok(())
}

fn l1_transaction(input: &Input<'_>) -> Outcome<Transaction> {
    let (chain_id, nonce) = (input.word64("chainId")?, input.word64("nonce")?);
    let gas_limit = Gas::new(input.number(&["gas", "gasLimit"])?);
    let (to, value, data) = (input.address("to")?, Wei::new(input.number(&["value"])?), input.calldata()?);
    let Some(gas_price) = input.get("gasPrice") else {
        return Ok(Transaction::Eip1559(Eip1559 {
            chain_id,
            nonce,
            max_priority_fee_per_gas: WeiPerGas::new(number(input.needs("maxPriorityFeePerGas")?)?),
            max_fee_per_gas: WeiPerGas::new(number(input.needs("maxFeePerGas")?)?),
            gas_limit,
            to,
            value,
            data,
            access_list: Vec::new(),
        }));
    };
    let gas_price = WeiPerGas::new(number(gas_price)?);
    let Some(declared) = input.get("accessList") else {
        if input.get("eip155").is_some_and(|eip155| *eip155 != true) {
            return Err("not EIP-155".to_owned());
        }
        return Ok(Transaction::Legacy(Legacy {
            chain_id: Some(chain_id),
            nonce,
            gas_price,
            gas_limit,
            to,
            value,
            data,
        }));
    };
    if input.get("type").is_some_and(|kind| *kind != 1) {
        return Err("an access list, but not type 1".to_owned());
    }
    let mut access_list = AccessList::new();
    for entry in list(declared)? {
        let [account, slots] = list(entry)?.as_slice() else { return Err(format!("{entry} is no entry")) };
        access_list.push((address(account)?, list(slots)?.iter().map(word).collect::<Outcome<_>>()?));
    }
    Ok(Transaction::Eip2930(Eip2930 { chain_id, nonce, gas_price, gas_limit, to, value, data, access_list }))
}

/// Type 0x71: digests, signatures, wire forms and hashes.
fn eip712(case: &Fixture, input: &Input<'_>, expect: &Object, failures: &mut Failures) -> Outcome {
    let name = case.name.as_str();
    let (decoded, keys) = match input.get("raw") {
        Some(raw) => (eip712_raw(name, &bytes(raw)?, input, failures)?, Vec::new()),
        None => eip712_built(name, input, expect, failures)?,
    };
    let Transaction::Eip712(tx) = &decoded.transaction else { return Err("not of type 0x71".to_owned()) };
    let digest = decoded.transaction.signing_digest();
    let signature = match &decoded.authorization {
        Authorization::Signature(signature) => Some(signature),
        _ => None,
    };
    // Ours is the SDKs' form: it must say the same, whatever form the vector is in.
    let ours = signature.map_or_else(Vec::new, |signature| decoded.transaction.raw(signature));
    if signature.is_some() {
        failures.check(name, "our form, read back", &Decoded::read(&ours, ""), &Ok::<_, Refusal>(decoded.clone()));
    }
    let hash = decoded.hash().map(|hash| hash.to_string()).unwrap_or_default();
    for (member, value) in expect {
        match member.as_str() {
            "digest" | "strict_digest" => failures.check(name, member, &digest.to_string(), &text(value)?),
            "domain_separator" => {
                failures.check(name, member, &hexed(Eip712::domain_separator(tx.chain_id)), &text(value)?)
            }
            "struct_hash" => failures.check(name, member, &hexed(tx.struct_hash()), &text(value)?),
            "bytecode_hash" => {
                let hashes: Vec<String> = tx.factory_deps.iter().map(|code| hexed(bytecode_hash(code))).collect();
                failures.check(name, member, &hashes, &[text(value)?])
            }
            "zksync_ethers_digest" => {
                // Its known mistake: a priority fee of zero is replaced by the maximum fee.
                let theirs = Eip712 { max_priority_fee_per_gas: tx.max_fee_per_gas, ..tx.clone() };
                failures.check(name, "digest is not", &(text(value)? != digest.to_string()), &true);
                failures.check(name, member, &theirs.signing_digest().to_string(), &text(value)?)
            }
            "recovered" => failures.check(name, member, &decoded.signer(), &Some(address(value)?)),
            "signature" | "signature_key1" => {
                failures.check(name, member, &signature.map(|s| hexed(s.to_bytes())), &Some(text(value)?))
            }
            "multisig_concat" => failures.check(name, member, &multisig(&keys, &digest)?, &text(value)?),
            "tx_hash" | "strict_tx_hash" | "correct_hash" => failures.check(name, member, &hash, &text(value)?),
            "sdk_hash" => failures.check(name, "not the sdk_hash", &(hash != text(value)?), &true),
            "raw" | "raw_vrs_form" => {
                let raw = bytes(value)?;
                let read = Decoded::read(&raw, "").map_err(said)?;
                let unsigned = matches!(decoded.authorization, Authorization::Unsigned);
                let same = if unsigned { raw == decoded.transaction.unsigned_bytes() } else { raw != ours };
                failures.check(name, "its form: ours if unsigned, v r s if signed", &same, &true);
                failures.check(name, "hash of the other form", &read.hash(), &decoded.hash());
                failures.check(name, "signer of the other form", &read.signer(), &decoded.signer());
                failures.check(name, member, &read, &decoded)
            }
            "raw_customSignature_form" | "strict_raw" => failures.check(name, member, &hexed(&ours), &text(value)?),
            _ => return Err(format!("unknown form: expect.{member}")),
        };
    }
    Ok(())
}

/// A vector that starts from bytes.
fn eip712_raw(name: &str, raw: &[u8], input: &Input<'_>, failures: &mut Failures) -> Outcome<Decoded> {
    let decoded = Decoded::read(raw, "").map_err(said)?;
    if input.get("chainId").is_some() {
        failures.check(name, "chainId", &decoded.transaction.chain_id(), &Some(input.word64("chainId")?));
    }
    if let Some(custom) = input.get("customSignature") {
        failures.check(name, "customSignature", &decoded.authorization, &Authorization::Custom(bytes(custom)?));
        failures.check(name, "signer", &decoded.signer(), &None::<Address>);
    }
    Ok(decoded)
}

/// A vector that starts from fields: the transaction, signed with the vector's key, or with its signature if it has none.
fn eip712_built(
    name: &str,
    input: &Input<'_>,
    expect: &Object,
    failures: &mut Failures,
) -> Outcome<(Decoded, Vec<Key>)> {
    let (tx, from_key) = eip712_transaction(input)?;
    if let Some(key) = from_key {
        failures.check(name, "address of the key", &key.address(), &tx.from);
    }
    let transaction = Transaction::Eip712(tx);
    let digest = transaction.signing_digest();
    let keys = input.keys()?;
    let stated = match (input.get("r"), expect.get("signature")) {
        (Some(r), _) => {
            let (r, s) = (word(r)?, word(input.needs("s")?)?);
            let parity = match (input.get("v"), input.get("yParity")) {
                (Some(v), None) => v.as_u64().and_then(|v| v.checked_sub(27)),
                (None, Some(parity)) => parity.as_u64(),
                _ => None,
            };
            let parity = parity.and_then(|parity| u8::try_from(parity).ok()).ok_or("neither v nor yParity")?;
            if let Some(compact) = input.get("compact_signature") {
                // EIP-2098: the parity is the highest bit of s, which a low s leaves free.
                let mut s = s;
                s[0] |= parity << 7;
                failures.check(name, "compact_signature", &hexed([r, s].concat()), &text(compact)?);
            }
            Some(Signature::from_parts(r, s, parity).ok_or("r, s or the parity is out of range")?)
        }
        (None, Some(signature)) if keys.is_empty() => {
            Some(Signature::from_bytes(&bytes(signature)?).ok_or("signature is no r || s || v")?)
        }
        (None, _) => None,
    };
    let authorization = match (stated, keys.first()) {
        (Some(signature), None) => Authorization::Signature(signature),
        (None, Some(key)) => Authorization::Signature(key.sign(&digest).map_err(said)?),
        (None, None) => Authorization::Unsigned,
        (Some(_), Some(_)) => return Err("a key and a signature".to_owned()),
    };
    let decoded = Decoded { transaction, authorization };
    if let Some(key) = keys.first() {
        failures.check(name, "signer", &decoded.signer(), &Some(key.address()));
        failures.check(name, "from", &decoded.transaction.declared_from(), &Some(key.address()));
    }
    Ok((decoded, keys))
}

fn multisig(keys: &[Key], digest: &Digest) -> Outcome<String> {
    let signatures: Vec<[u8; 65]> =
        keys.iter().map(|key| Ok(key.sign(digest).map_err(said)?.to_bytes())).collect::<Outcome<_>>()?;
    if signatures.len() < 2 {
        return Err("multisig_concat with fewer than two keys".to_owned());
    }
    Ok(hexed(signatures.concat()))
}

/// The transaction, and the key that `from` mentions in passing. Missing members are what the SDKs take them for.
fn eip712_transaction(input: &Input<'_>) -> Outcome<(Eip712, Option<Key>)> {
    if let Some(defaults) = input.get("defaults") {
        let ours = "nonce 0, gasLimit 0, fees 0, gasPerPubdata 50000, data 0x, no deps, no paymaster";
        if defaults != ours || DEFAULT_GAS_PER_PUBDATA != 50_000 {
            return Err(format!("other defaults: {defaults}"));
        }
    }
    if input.get("txType").is_some_and(|kind| *kind != 0x71) {
        return Err("another txType".to_owned());
    }
    // Null in every vector but those that start from bytes.
    for name in ["paymaster", "paymasterParams"] {
        if let Some(paymaster) = input.get(name) {
            return Err(format!("unknown form: {name} {paymaster}"));
        }
    }
    if input.get("paymasterInput").is_some_and(|bytes| bytes != "0x") {
        return Err("an input without a paymaster".to_owned());
    }
    let from = text(input.needs("from")?)?;
    let (from, key) = match from.strip_suffix(')').and_then(|from| from.split_once(" (key ")) {
        Some((from, digits)) => (from, Some(Key::from_hex(digits.as_bytes()).map_err(said)?)),
        None => (from, None),
    };
    let gas_per_pubdata = match (input.get("gasPerPubdata"), input.get("gasPerPubdataByteLimit")) {
        (None, None) => U256::from(DEFAULT_GAS_PER_PUBDATA),
        (Some(stated), None) | (None, Some(stated)) => number(stated)?,
        (Some(_), Some(_)) => return Err("two gasPerPubdata".to_owned()),
    };
    let factory_deps = match (input.get("factoryDeps"), input.get("factoryDeps_bytecode")) {
        (None, None) => Vec::new(),
        (Some(Value::Array(many)), None) | (None, Some(Value::Array(many))) => {
            many.iter().map(bytes).collect::<Outcome<_>>()?
        }
        (None, Some(one)) => vec![bytes(one)?],
        _ => return Err("unknown form: factoryDeps".to_owned()),
    };
    let tx = Eip712 {
        chain_id: input.word64("chainId")?,
        nonce: input.word64("nonce")?,
        max_priority_fee_per_gas: WeiPerGas::new(input.number(&["maxPriorityFeePerGas"])?),
        max_fee_per_gas: WeiPerGas::new(input.number(&["maxFeePerGas"])?),
        gas_limit: Gas::new(input.number(&["gasLimit"])?),
        to: input.address("to")?,
        value: Wei::new(input.number(&["value"])?),
        data: input.calldata()?,
        from: Address::parse(from, Spelling::AnyCase).map_err(|error| format!("{from}: {error:?}"))?,
        gas_per_pubdata: Gas::new(gas_per_pubdata),
        factory_deps,
        paymaster: None,
    };
    Ok((tx, key))
}

/// The 16 items of the wire form.
fn eip712_items(case: &Fixture, input: &Input<'_>, expect: &Object, failures: &mut Failures) -> Outcome {
    let name = case.name.as_str();
    let raw = [vec![0x71], bytes(input.needs("rlp_without_type_byte")?)?].concat();
    let Decoded { transaction, authorization } = Decoded::read(&raw, "").map_err(said)?;
    let Transaction::Eip712(tx) = &transaction else { return Err("not of type 0x71".to_owned()) };
    let (Some(items), 1) = (expect.get("items"), expect.len()) else {
        return Err("unknown form: expect is not items".to_owned());
    };
    let items = list(items)?;
    // v, r and s are not members of a decoded transaction that has a custom signature: those are read beside it.
    let wire = Rlp::new(&raw[1..]);
    let slot = |index: usize| Ok::<_, String>(Value::from(hexed(wire.at(index).and_then(|i| i.data()).map_err(said)?)));
    let uint = |number: U256| {
        let mut bytes = [0; 32];
        number.to_big_endian(&mut bytes);
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Value::from(hexed(&bytes[zeros..]))
    };
    let custom = match &authorization {
        Authorization::Custom(bytes) => hexed(bytes),
        Authorization::Unsigned => "0x".to_owned(),
        Authorization::Signature(_) => return Err("an ECDSA signature".to_owned()),
    };
    let paymaster = tx
        .paymaster
        .as_ref()
        .map_or_else(Vec::new, |Paymaster { paymaster, input }| vec![hexed(paymaster.as_bytes()), hexed(input)]);
    let read = [
        uint(tx.nonce.into()),
        uint(tx.max_priority_fee_per_gas.get()),
        uint(tx.max_fee_per_gas.get()),
        uint(tx.gas_limit.get()),
        Value::from(tx.to.map_or_else(|| "0x".to_owned(), |to| hexed(to.as_bytes()))),
        uint(tx.value.get()),
        Value::from(hexed(&tx.data)),
        slot(7)?,
        slot(8)?,
        slot(9)?,
        uint(tx.chain_id.into()),
        Value::from(hexed(tx.from.as_bytes())),
        uint(tx.gas_per_pubdata.get()),
        Value::from(tx.factory_deps.iter().map(hexed).collect::<Vec<_>>()),
        Value::from(custom),
        Value::from(paymaster),
    ];
    failures.check(name, "number of items", &items.len(), &read.len());
    for (index, (read, item)) in read.iter().zip(items).enumerate() {
        failures.check(name, &format!("item {index}"), read, item);
    }
    Ok(())
}

/// v of a legacy transaction: `[yParity, chain id]`, or an error.
fn legacy_v(case: &Fixture, input: &Input<'_>, expect: &Object, failures: &mut Failures) -> Outcome {
    let v = number(input.needs("v")?)?;
    let (1, Some(expected)) = (expect.len(), expect.get("recovery_id_and_chain")) else {
        return Err("unknown form: expect is not recovery_id_and_chain".to_owned());
    };
    let (raw, signature) = legacy_with_v(v);
    match (Decoded::read(&raw, "/raw"), expected) {
        (Err(refusal), Value::String(error)) if error == "error" => {
            let refused = (refusal.code(), refusal.at());
            failures.check(&case.name, "refused", &refused, &(Code::RAW_FORMAT, "/raw"));
        }
        (Ok(decoded), Value::Array(expected)) => {
            let Authorization::Signature(read) = decoded.authorization else { return Err("no signature".to_owned()) };
            let found = [Value::from(read.y_parity()), decoded.transaction.chain_id().map_or(Value::Null, Value::from)];
            failures.check(&case.name, "recovery_id_and_chain", &found, expected);
            failures.check(&case.name, "r and s", &(read.r(), read.s()), &(signature.r(), signature.s()));
        }
        (decoded, expected) => return Err(format!("{decoded:?}, expected {expected}")),
    }
    Ok(())
}

/// A legacy transaction with this v beside the r and s of a real signature.
fn legacy_with_v(v: U256) -> (Vec<u8>, Signature) {
    let key = Key::from_hex(&[b'1'; 64]).expect("a key");
    let signature = key.sign(&Digest(keccak256(b"any digest"))).expect("a signature");
    let uint = |stream: &mut rlp::RlpStream, number: U256| {
        let mut bytes = [0; 32];
        number.to_big_endian(&mut bytes);
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        stream.append(&&bytes[zeros..]);
    };
    let mut stream = rlp::RlpStream::new_list(9);
    for number in [3, 1_000_000_000, 21_000] {
        uint(&mut stream, number.into());
    }
    stream.append(&[0x35_u8; 20].as_slice());
    uint(&mut stream, 1.into());
    stream.append(&[].as_slice());
    uint(&mut stream, v);
    uint(&mut stream, U256::from_big_endian(&signature.r()));
    uint(&mut stream, U256::from_big_endian(&signature.s()));
    (stream.out().to_vec(), signature)
}

/// All the small v, and the largest that names a chain id of 64 bits.
#[test]
fn legacy_v_is_27_28_or_a_chains() {
    let read = |v: U256| {
        Decoded::read(&legacy_with_v(v).0, "").map(|decoded| {
            let Authorization::Signature(signature) = decoded.authorization else { panic!("no signature at v {v}") };
            (decoded.transaction.chain_id(), signature.y_parity())
        })
    };
    let refused = |v: U256| assert_eq!(read(v).map_err(|refusal| refusal.code()), Err(Code::RAW_FORMAT), "v {v}");
    for v in (0..35).filter(|v| *v != 27 && *v != 28) {
        refused(v.into());
    }
    assert_eq!(read(27.into()), Ok((None, 0)));
    assert_eq!(read(28.into()), Ok((None, 1)));
    let largest = U256::from(u64::MAX) * 2 + 36;
    assert_eq!(read(largest), Ok((Some(u64::MAX), 1)));
    refused(largest + 1);
    refused(U256::MAX);
}

// -------------------------------------------------------------------------------------------- keys and EIP-712 at large

#[test]
fn signing_vectors() {
    walk("signing", |case, failures| {
        let (category, not_usable) = category(case)?;
        let input = Input::of(case, "signing")?;
        let expect = object(&case.json["expect"])?;
        match (category, not_usable) {
            ("keys", false) => known_key(case, &input, expect, failures),
            ("signing", false) => typed_data(case, &input, expect, failures),
            _ => Err(format!("unknown category {category}")),
        }?;
        input.unread()
    });
}

fn known_key(case: &Fixture, input: &Input<'_>, expect: &Object, failures: &mut Failures) -> Outcome {
    let key = key(input.needs("private_key")?)?;
    for (name, value) in expect {
        match name.as_str() {
            "address" => failures.check(&case.name, name, &key.address(), &address(value)?),
            // The API shows no public key, but the address is the tail of its hash.
            "public_key" => {
                let tail = &keccak256(&bytes(value)?)[12..];
                failures.check(&case.name, name, &hexed(key.address().as_bytes()), &hexed(tail))
            }
            _ => return Err(format!("unknown form: expect.{name}")),
        };
    }
    Ok(())
}

/// EIP-712 data that is no transaction: the hashes are the test's, the signatures ours.
fn typed_data(case: &Fixture, input: &Input<'_>, expect: &Object, failures: &mut Failures) -> Outcome {
    let separator = domain_separator(object(input.needs("domain")?)?)?;
    let (type_hash, struct_hash) = if let Some(types) = input.get("types") {
        flat_struct(object(types)?, object(input.needs("value")?)?)?
    } else {
        let example = "EIP-712 Mail example Cow->Bob \"Hello, Bob!\"";
        if input.get("message").is_some_and(|message| message != example) {
            return Err("another message".to_owned());
        }
        if input.get("note").is_some_and(|note| note != "no verifyingContract") {
            return Err("another note".to_owned());
        }
        mail()
    };
    let digest = Digest(keccak256_concat(&[&[0x19, 0x01], &separator, &struct_hash]));
    let keys = input.keys()?;
    for (name, value) in expect {
        match name.as_str() {
            "type_hash" => failures.check(&case.name, name, &hexed(type_hash), &text(value)?),
            "domain_separator" => failures.check(&case.name, name, &hexed(separator), &text(value)?),
            "struct_hash" => failures.check(&case.name, name, &hexed(struct_hash), &text(value)?),
            "digest" => failures.check(&case.name, name, &digest.to_string(), &text(value)?),
            "signature" | "signature_key1" => {
                let key = keys.first().ok_or("a signature, but no key")?;
                let signature = key.sign(&digest).map_err(said)?;
                failures.check(&case.name, "signer", &signature.recover(&digest), &Some(key.address()));
                failures.check(&case.name, name, &hexed(signature.to_bytes()), &text(value)?)
            }
            "multisig_concat" => failures.check(&case.name, name, &multisig(&keys, &digest)?, &text(value)?),
            _ => return Err(format!("unknown form: expect.{name}")),
        };
    }
    Ok(())
}

/// `encodeData` of one member that is no struct.
fn encoded(kind: &str, value: &Value) -> Outcome<[u8; 32]> {
    let mut word = [0; 32];
    match kind {
        "string" => return Ok(keccak256(text(value)?.as_bytes())),
        "address" => word[12..].copy_from_slice(address(value)?.as_bytes()),
        "uint8" | "uint256" => number(value)?.to_big_endian(&mut word),
        _ => return Err(format!("unknown form: type {kind}")),
    }
    Ok(word)
}

/// The hash of a type's name and the hash of a value of it.
fn struct_of(name: &str, members: &[(&str, &str, &Value)]) -> Outcome<([u8; 32], [u8; 32])> {
    let list: Vec<String> = members.iter().map(|(name, kind, _)| format!("{kind} {name}")).collect();
    let type_hash = keccak256(format!("{name}({})", list.join(",")).as_bytes());
    let mut data = type_hash.to_vec();
    for (_, kind, value) in members {
        data.extend(encoded(kind, value)?);
    }
    Ok((type_hash, keccak256(&data)))
}

fn domain_separator(domain: &Object) -> Outcome<[u8; 32]> {
    const KINDS: [(&str, &str); 4] =
        [("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address")];
    let members: Vec<_> =
        KINDS.iter().filter_map(|(name, kind)| domain.get(*name).map(|value| (*name, *kind, value))).collect();
    if members.len() != domain.len() {
        return Err(format!("unknown form: domain {domain:?}"));
    }
    Ok(struct_of("EIP712Domain", &members)?.1)
}

/// A struct without structs in it, as the vector describes it.
fn flat_struct(types: &Object, value: &Object) -> Outcome<([u8; 32], [u8; 32])> {
    let (Some((name, kinds)), 1) = (types.iter().next(), types.len()) else {
        return Err("unknown form: not exactly one type".to_owned());
    };
    let mut members = Vec::new();
    for pair in list(kinds)? {
        let [name, kind] = list(pair)?.as_slice() else { return Err(format!("{pair} is no member")) };
        let name = text(name)?;
        members.push((name, text(kind)?, value.get(name).ok_or_else(|| format!("no {name}"))?));
    }
    if members.len() != value.len() {
        return Err("the value has other members than its type".to_owned());
    }
    struct_of(name, &members)
}

/// The example of EIP-712 (<https://eips.ethereum.org/EIPS/eip-712>).
fn mail() -> ([u8; 32], [u8; 32]) {
    let type_hash = keccak256(b"Mail(Person from,Person to,string contents)Person(string name,address wallet)");
    let person = |name: &str, wallet: &str| {
        struct_of("Person", &[("name", "string", &name.into()), ("wallet", "address", &wallet.into())])
            .expect("a person")
            .1
    };
    let struct_hash = keccak256_concat(&[
        &type_hash,
        &person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
        &person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"),
        &keccak256(b"Hello, Bob!"),
    ]);
    (type_hash, struct_hash)
}

// ------------------------------------------------------------------------------------- what we sign, bit by bit

/// A transaction of a signed operation fixture.
struct Signed {
    name: String,
    key: Key,
    raw: Vec<u8>,
    expected: Value,
}

impl Signed {
    fn decoded(&self) -> Decoded {
        Decoded::read(&self.raw, "").expect("a signed fixture")
    }

    fn kind(&self) -> &str {
        self.expected["unsigned"]["type"].as_str().expect("a type")
    }
}

/// All that a plain account signed; those of smart accounts are in tests/external.rs.
fn all_signed() -> Vec<Signed> {
    let mut all = Vec::new();
    for fixture in operation_fixtures() {
        let Some(signed) = fixture.signed() else { continue };
        for expected in signed["transactions"].as_array().expect("transactions") {
            if expected["signature"].get("custom").is_some() {
                continue;
            }
            all.push(Signed {
                name: fixture.name.clone(),
                key: Key::from_hex(fixture.key().as_bytes()).expect("a key"),
                raw: bytes(&expected["raw"]).expect("bytes"),
                expected: expected.clone(),
            });
        }
    }
    all
}

/// The shortest of each type: 0x00, 0x01, 0x02, 0x71.
fn one_of_each() -> [Signed; 4] {
    ["0x00", "0x01", "0x02", "0x71"].map(|kind| {
        let of_kind = all_signed().into_iter().filter(|signed| signed.kind() == kind);
        of_kind.min_by_key(|signed| signed.raw.len()).unwrap_or_else(|| panic!("no signed fixture of type {kind}"))
    })
}

fn refused(raw: &[u8]) -> bool {
    match Decoded::read(raw, "/raw") {
        Ok(_) => false,
        Err(refusal) => {
            assert_eq!((refusal.code(), refusal.at()), (Code::RAW_FORMAT, "/raw"), "{}", hexed(raw));
            true
        }
    }
}

#[test]
fn signed_fixtures_decode_to_what_was_signed() {
    let mut failures = Failures::default();
    let mut count = 0;
    for signed in all_signed() {
        let (name, expected) = (signed.name.as_str(), &signed.expected);
        let decoded = signed.decoded();
        let Authorization::Signature(signature) = decoded.authorization else {
            failures.fail(name, "no signature");
            continue;
        };
        let transaction = &decoded.transaction;
        failures.check(name, "encoded again", &hexed(transaction.raw(&signature)), &hexed(&signed.raw));
        failures.check(name, "type", &transaction.type_name(), &signed.kind());
        let (r, s, parity) = (hexed(signature.r()), hexed(signature.s()), signature.y_parity());
        let parts = serde_json::json!({ "r": r, "s": s, "yParity": parity });
        failures.check(name, "signature", &parts, &expected["signature"]);
        failures.check(name, "signer", &decoded.signer(), &Some(signed.key.address()));
        failures.check(name, "hash", &decoded.hash().map(|hash| hash.to_string()), &expected["hash"].as_str());
        let digest = transaction.signing_digest();
        failures.check(name, "signingDigest", &Value::from(digest.to_string()), &expected["signingDigest"]);
        failures.check(name, "made again", &signed.key.sign(&digest), &Ok::<_, Refusal>(signature));
        let calldata = Digest::of_calldata(transaction.data()).to_string();
        failures.check(name, "calldataDigest", &Value::from(calldata), &expected["calldataDigest"]);
        if let Transaction::Eip712(tx) = transaction {
            let separator = Value::from(hexed(Eip712::domain_separator(tx.chain_id)));
            failures.check(name, "domainSeparator", &separator, &expected["domainSeparator"]);
            failures.check(name, "structHash", &Value::from(hexed(tx.struct_hash())), &expected["structHash"]);
        }
        let unsigned = transaction.unsigned_bytes();
        let alone = Decoded { transaction: transaction.clone(), authorization: Authorization::Unsigned };
        failures.check(name, "unsigned", &Decoded::read(&unsigned, ""), &Ok::<_, Refusal>(alone.clone()));
        failures.check(name, "nobody signed", &(alone.signer(), alone.hash()), &(None::<Address>, None::<()>));
        count += 1;
    }
    failures.finish();
    assert!(count >= 60, "only {count} signed transactions");
    report(&format!("{count} signed transactions decode and encode to the same bytes"));
}

/// Bytes are missing at the end, or one follows, signed or not: refused.
#[test]
fn truncated_and_extended_bytes_are_refused() {
    let (mut truncations, mut extensions) = (0, 0);
    for signed in all_signed() {
        for raw in [signed.raw.clone(), signed.decoded().transaction.unsigned_bytes()] {
            for length in 0..raw.len() {
                assert!(refused(&raw[..length]), "{} of length {length}", signed.name);
                truncations += 1;
            }
            for byte in 0..=u8::MAX {
                assert!(refused(&[raw.as_slice(), &[byte]].concat()), "{} and {byte:#04x}", signed.name);
                extensions += 1;
            }
        }
    }
    report(&format!("{truncations} truncations and {extensions} appended bytes are refused"));
}

/// What a flip of one bit does to signed bytes.
#[derive(Default)]
struct Flips {
    refused: usize,
    changed: usize,
    unseen: BTreeSet<(usize, u8)>,
}

/// Every single bit, on one transaction of each type. Each flip is refused, or the bytes say something else, and then the
/// signer is not the original one *and* the hash is another.
///
/// Type 0x71 can be written in other ways that its hash does not tell apart. One bit makes one of them: no paymaster as an
/// empty string. There, and nowhere else, a flip leaves transaction, signature, hash and signer as they were; that `raw()`
/// gives other bytes is how `Signed::read` refuses it.
#[test]
fn no_single_bit_can_be_changed() {
    for signed in one_of_each() {
        let flips = flip_every_bit(&signed);
        let count = signed.raw.len() * 8;
        assert_eq!(flips.refused + flips.changed + flips.unseen.len(), count);
        assert!(flips.refused > 0 && flips.changed > 0);
        assert_eq!(flips.unseen, uncovered_bits(&signed), "{}: bits that change nothing", signed.name);
        let (refused, changed, unseen) = (flips.refused, flips.changed, flips.unseen.len());
        report(&format!(
            "type {} {}: {count} flips, {refused} refused, {changed} of another signer and hash, {unseen} outside the hash",
            signed.kind(),
            signed.name
        ));
    }
}

fn flip_every_bit(signed: &Signed) -> Flips {
    let original = signed.decoded();
    let (account, hash) = (original.signer(), original.hash());
    assert_eq!(account, Some(signed.key.address()));
    assert!(hash.is_some());
    let mut flips = Flips::default();
    for at in 0..signed.raw.len() {
        for bit in 0..8 {
            let place = format!("{}: bit {bit} of byte {at}", signed.name);
            let mut raw = signed.raw.clone();
            raw[at] ^= 1 << bit;
            if refused(&raw) {
                flips.refused += 1;
                continue;
            }
            let other = Decoded::read(&raw, "").expect("not refused");
            match (&other.authorization, &other.transaction) {
                // The bytes are the one encoding of what they say.
                (
                    Authorization::Signature(signature),
                    Transaction::Legacy(_) | Transaction::Eip2930(_) | Transaction::Eip1559(_),
                ) => {
                    assert_eq!(other.transaction.raw(signature), raw, "{place}");
                }
                (Authorization::Signature(_) | Authorization::Custom(_), Transaction::Eip712(_)) => {}
                (authorization, _) => panic!("{place}: {authorization:?}"),
            }
            if other == original {
                let Authorization::Signature(signature) = &other.authorization else { panic!("{place}") };
                assert_ne!(other.transaction.raw(signature), raw, "{place}: {hash:?} in one form only");
                flips.unseen.insert((at, bit));
                continue;
            }
            assert_ne!(other.signer(), account, "{place}: another transaction or signature, and the same signer");
            assert_ne!(other.hash(), hash, "{place}: another transaction or signature, and the same hash");
            assert!(other.hash().is_some(), "{place}");
            flips.changed += 1;
        }
    }
    flips
}

/// The bits of our own form that no hash covers: the one that makes the empty list at the end an empty string.
fn uncovered_bits(signed: &Signed) -> BTreeSet<(usize, u8)> {
    if signed.kind() != "0x71" {
        return BTreeSet::new();
    }
    assert_eq!(signed.raw.last(), Some(&0xc0));
    BTreeSet::from([(signed.raw.len() - 1, 6)])
}

// -------------------------------------------------------------------------------------------------- other bytes for it

/// RLP, written by hand so that it can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Bytes(Vec<u8>),
    List(Vec<Item>),
    /// Bytes of an encoding, as they are.
    Verbatim(Vec<u8>),
}

impl Item {
    fn read(rlp: &Rlp<'_>) -> Self {
        if rlp.is_list() {
            Self::List(rlp.iter().map(|item| Self::read(&item)).collect())
        } else {
            Self::Bytes(rlp.data().expect("bytes").to_vec())
        }
    }

    fn payload(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) | Self::Verbatim(bytes) => bytes.clone(),
            Self::List(items) => items.iter().flat_map(Self::write).collect(),
        }
    }

    fn write(&self) -> Vec<u8> {
        let payload = self.payload();
        match self {
            Self::Verbatim(_) => payload,
            Self::Bytes(_) if payload.len() == 1 && payload[0] < 0x80 => payload,
            Self::Bytes(_) => [header(0x80, payload.len()), payload].concat(),
            Self::List(_) => [header(0xc0, payload.len()), payload].concat(),
        }
    }

    fn at(&self, path: &[usize]) -> &Self {
        match (self, path) {
            (item, []) => item,
            (Self::List(items), [index, rest @ ..]) => items[*index].at(rest),
            _ => panic!("no item at {path:?}"),
        }
    }

    fn with(&self, path: &[usize], new: Self) -> Self {
        match (self, path) {
            (_, []) => new,
            (Self::List(items), [index, rest @ ..]) => {
                let mut items = items.clone();
                items[*index] = items[*index].with(rest, new);
                Self::List(items)
            }
            _ => panic!("no item at {path:?}"),
        }
    }

    fn paths(&self) -> Vec<Vec<usize>> {
        let mut paths = vec![Vec::new()];
        if let Self::List(items) = self {
            for (index, item) in items.iter().enumerate() {
                paths.extend(item.paths().into_iter().map(|rest| [vec![index], rest].concat()));
            }
        }
        paths
    }
}

fn short(length: usize) -> u8 {
    u8::try_from(length).expect("short")
}

/// The header of a string (0x80) or a list (0xc0).
fn header(kind: u8, length: usize) -> Vec<u8> {
    if length < 56 {
        return vec![kind + short(length)];
    }
    let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    [vec![kind + 55 + short(digits.len())], digits].concat()
}

/// The length in one byte more than it needs.
fn long_header(kind: u8, length: usize) -> Vec<u8> {
    if length < 56 {
        return vec![kind + 56, short(length)];
    }
    let mut header = header(kind, length);
    header[0] += 1;
    header.insert(1, 0);
    header
}

/// Signed bytes as a type byte and items.
fn taken_apart(raw: &[u8]) -> (&[u8], Item) {
    let (kind, list) = if raw[0] < 0x80 { raw.split_at(1) } else { raw.split_at(0) };
    (kind, Item::read(&Rlp::new(list)))
}

fn put_together(kind: &[u8], item: &Item) -> Vec<u8> {
    [kind, &item.write()].concat()
}

/// The items that are integers or accounts, which a leading zero makes longer but not different.
fn padded_items(kind: &[u8]) -> &'static [usize] {
    match kind {
        [] => &[0, 1, 2, 3, 4, 6, 7, 8],
        [0x01] => &[0, 1, 2, 3, 4, 5, 8, 9, 10],
        [0x02] => &[0, 1, 2, 3, 4, 5, 6, 9, 10, 11],
        [0x71] => &[0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12],
        _ => panic!("no type {kind:?}"),
    }
}

/// Every raw transaction in the fixtures: ours, and those of public projects with access lists, dependencies, paymasters.
fn every_raw() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for signed in all_signed() {
        all.push((format!("{} unsigned", signed.name), signed.decoded().transaction.unsigned_bytes()));
        all.push((signed.name, signed.raw));
    }
    for case in fixtures("envelope") {
        for half in ["input", "expect"] {
            for (name, value) in case.json[half].as_object().expect("an object") {
                let prefix: &[u8] = if name == "rlp_without_type_byte" { &[0x71] } else { &[] };
                if name == "rlp_without_type_byte" || name.split('_').any(|word| word == "raw") {
                    let raw = [prefix, &bytes(value).expect("bytes")].concat();
                    all.push((format!("{} {name}", case.name), raw));
                }
            }
        }
    }
    all
}

/// The same values in any other encoding: refused, at every item at every depth.
#[test]
fn other_encodings_of_the_same_are_refused() {
    let mut failures = Failures::default();
    let mut count = 0;
    let mut check = |name: &str, what: String, raw: &[u8]| {
        count += 1;
        match Decoded::read(raw, "/raw") {
            Ok(decoded) => failures.fail(name, format!("{what} was read: {decoded:?}")),
            Err(refusal) => {
                failures.check(name, &what, &(refusal.code(), refusal.at()), &(Code::RAW_FORMAT, "/raw"));
            }
        }
    };
    for (name, raw) in every_raw() {
        let (kind, whole) = taken_apart(&raw);
        assert_eq!(put_together(kind, &whole), raw, "{name}: the test writes RLP");
        for path in whole.paths() {
            let item = whole.at(&path);
            let with = |new: Item| put_together(kind, &whole.with(&path, new));
            let long = |kind: u8, payload: &[u8]| Item::Verbatim([&long_header(kind, payload.len()), payload].concat());
            let payload = item.payload();
            match item {
                Item::Bytes(bytes) => {
                    check(&name, format!("{path:?} with a long length"), &with(long(0x80, bytes)));
                    if let [byte @ ..0x80] = bytes.as_slice() {
                        check(&name, format!("{path:?} with a header"), &with(Item::Verbatim(vec![0x81, *byte])));
                    }
                    let listed = Item::Verbatim([header(0xc0, bytes.len()), bytes.clone()].concat());
                    check(&name, format!("{path:?} as a list of its bytes"), &with(listed));
                    check(&name, format!("{path:?} in a list"), &with(Item::List(vec![item.clone()])));
                    if path.len() == 1 && padded_items(kind).contains(&path[0]) {
                        let padded = Item::Bytes([&[0], bytes.as_slice()].concat());
                        check(&name, format!("{path:?} with a leading zero"), &with(padded));
                    }
                }
                Item::List(items) => {
                    check(&name, format!("{path:?} with a long length"), &with(long(0xc0, &payload)));
                    let no_paymaster = kind == [0x71] && path == [15] && items.is_empty();
                    if !no_paymaster && !path.is_empty() {
                        check(&name, format!("{path:?} as bytes"), &with(Item::Bytes(payload)));
                    }
                }
                Item::Verbatim(_) => panic!("read as it is"),
            }
        }
        let Item::List(items) = &whole else { panic!("{name} is no list") };
        let more = Item::List([items.as_slice(), &[Item::Bytes(Vec::new())]].concat());
        check(&name, "one item more".to_owned(), &put_together(kind, &more));
        let fewer = Item::List(items[..items.len() - 1].to_vec());
        check(&name, "one item fewer".to_owned(), &put_together(kind, &fewer));
    }
    failures.finish();
    report(&format!("{count} other encodings of {} raw transactions are refused", every_raw().len()));
}

/// The one other form of the same that is taken: no paymaster as an empty string, which a public project writes.
#[test]
fn no_paymaster_as_an_empty_string_is_the_same_transaction() {
    let mut count = 0;
    for (name, raw) in every_raw().into_iter().filter(|(_, raw)| raw[0] == 0x71) {
        let (kind, whole) = taken_apart(&raw);
        if *whole.at(&[15]) == Item::List(Vec::new()) {
            let other = put_together(kind, &whole.with(&[15], Item::Bytes(Vec::new())));
            assert_eq!(Decoded::read(&other, ""), Decoded::read(&raw, ""), "{name}");
            count += 1;
        }
    }
    assert!(count > 40, "only {count}");
}

/// Type 0x71 with v, r and s in their places: the same transaction, signature, hash and signer where v is the parity. Where it
/// is 27 more, the node adds another 27 (tests/node-parser compares the hash): bytes that are nobody's signature.
#[test]
fn v_r_s_of_type_0x71_is_the_same_signature() {
    let mut count = 0;
    for signed in all_signed().into_iter().filter(|signed| signed.kind() == "0x71") {
        let decoded = signed.decoded();
        let Authorization::Signature(signature) = decoded.authorization else { continue };
        let (kind, whole) = taken_apart(&signed.raw);
        let number = |bytes: &[u8]| Item::Bytes(bytes.iter().copied().skip_while(|byte| *byte == 0).collect());
        let whole = whole.with(&[14], Item::Bytes(Vec::new()));
        let whole = whole.with(&[8], number(&signature.r())).with(&[9], number(&signature.s()));
        for v in 0..=400_u16 {
            let raw = put_together(kind, &whole.with(&[7], number(&v.to_be_bytes())));
            if ![0, 1, 27, 28].contains(&v) {
                assert!(refused(&raw), "{}: v {v}", signed.name);
                continue;
            }
            let other = Decoded::read(&raw, "").expect("a parity");
            assert_eq!(other.transaction, decoded.transaction, "{}: v {v}", signed.name);
            let same = v == u16::from(signature.y_parity());
            assert_eq!(other == decoded, same, "{}: v {v}", signed.name);
            assert_eq!(other.hash() == decoded.hash(), same, "{}: v {v}", signed.name);
            assert_eq!(other.signer() == decoded.signer(), same, "{}: v {v}", signed.name);
            if v >= 27 {
                let last = u8::try_from(v + 27).expect("54 or 55");
                let bytes = [signature.r().as_slice(), &signature.s(), &[last]].concat();
                assert_eq!(other.authorization, Authorization::Custom(bytes), "{}: v {v}", signed.name);
                assert_eq!(other.signer(), None, "{}: v {v}", signed.name);
            }
            count += 1;
        }
    }
    assert!(count > 80, "only {count}");
}

/// Beside a custom signature, or none, v says nothing: it must be a parity or the chain id, and nothing hides in it.
#[test]
fn unused_v_of_type_0x71_is_a_parity_or_the_chain_id() {
    for signed in all_signed().into_iter().filter(|signed| signed.kind() == "0x71") {
        let transaction = signed.decoded().transaction;
        let chain_id = transaction.chain_id().expect("a chain id");
        for raw in [signed.raw, transaction.unsigned_bytes()] {
            let (kind, whole) = taken_apart(&raw);
            let with = |v: u64| {
                let bytes = v.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
                put_together(kind, &whole.with(&[7], Item::Bytes(bytes)))
            };
            assert_eq!(with(chain_id), raw, "{}: our form", signed.name);
            for v in (0..=400).chain([chain_id + 1, chain_id * 2 + 35, chain_id * 2 + 36, u64::MAX]) {
                if [0, 1, 27, 28, chain_id].contains(&v) {
                    assert_eq!(Decoded::read(&with(v), ""), Decoded::read(&raw, ""), "{}: v {v}", signed.name);
                } else {
                    assert!(refused(&with(v)), "{}: v {v}", signed.name);
                }
            }
        }
    }
}

#[test]
fn other_types_and_no_bytes_are_refused() {
    assert!(refused(&[]));
    for known in one_of_each() {
        let (own, whole) = taken_apart(&known.raw);
        for kind in 0..=u8::MAX {
            assert!(refused(&[kind]), "{kind:#04x} alone");
            if own != [kind] {
                assert!(refused(&put_together(&[kind], &whole)), "{}: its items under type {kind:#04x}", known.name);
            }
        }
        if !own.is_empty() {
            assert!(refused(&whole.write()), "{}: its items without a type", known.name);
        }
    }
    for kind in [0x03, 0x04, 0x7e, 0x7f, 0xfe, 0xff_u8] {
        let refusal = Decoded::read(&[kind, 0xc0], "/transactions/0/raw").expect_err("an unknown type");
        assert_eq!((refusal.code(), refusal.at()), (Code::RAW_FORMAT, "/transactions/0/raw"), "{kind:#04x}");
    }
}

/// The order of secp256k1 (SEC 2).
const ORDER: &str = "115792089237316195423570985008687907852837564279074904382605163141518161494337";

#[test]
fn signatures_out_of_range_are_refused() {
    let order = U256::from_dec_str(ORDER).expect("a number");
    let bytes = |number: U256| {
        let mut bytes = [0; 32];
        number.to_big_endian(&mut bytes);
        bytes
    };
    let item = |number: U256| Item::Bytes(bytes(number).into_iter().skip_while(|byte| *byte == 0).collect());
    for known in one_of_each() {
        let decoded = known.decoded();
        let Authorization::Signature(signature) = decoded.authorization else { panic!("{}", known.name) };
        let (r, s) = (U256::from_big_endian(&signature.r()), U256::from_big_endian(&signature.s()));
        assert!(s <= order / 2, "{}: s is low", known.name);
        // Both are 0: nothing is signed, which is judged below.
        let wrong = [
            ("high s", r, order - s),
            ("s just high", r, order / 2 + 1),
            ("r = 0", U256::zero(), s),
            ("s = 0", r, U256::zero()),
            ("r = n", order, s),
            ("s = n", r, order),
            ("r above n", U256::MAX, s),
            ("s above n", r, U256::MAX),
        ];
        let (kind, whole) = taken_apart(&known.raw);
        let with = |first: usize, parity: Option<u64>, r: U256, s: U256| {
            let whole = parity.map_or(whole.clone(), |parity| whole.with(&[first - 1], item(parity.into())));
            put_together(kind, &whole.with(&[first], item(r)).with(&[first + 1], item(s)))
        };
        for (what, r, s) in wrong {
            for parity in [0, 1] {
                let place = format!("{}: {what}, parity {parity}", known.name);
                assert_eq!(Signature::from_parts(bytes(r), bytes(s), parity), None, "{place}");
                let joined = [bytes(r).as_slice(), &bytes(s), &[27 + parity]].concat();
                assert_eq!(Signature::from_bytes(&joined), None, "{place}");
                match kind {
                    [] => assert!(refused(&with(7, None, r, s)), "{place}"),
                    [0x71] => {
                        let whole = whole.with(&[14], Item::Bytes(Vec::new()));
                        let raw = put_together(
                            kind,
                            &whole.with(&[7], item(parity.into())).with(&[8], item(r)).with(&[9], item(s)),
                        );
                        assert!(refused(&raw), "{place}, as v r s");
                        // As custom signature they are bytes that only a smart account could judge: nobody's signature.
                        let raw =
                            put_together(kind, &taken_apart(&known.raw).1.with(&[14], Item::Bytes(joined.clone())));
                        let read = Decoded::read(&raw, "").expect("a custom signature");
                        assert_eq!(read.authorization, Authorization::Custom(joined), "{place}");
                        assert_eq!(read.signer(), None, "{place}");
                    }
                    _ => {
                        let first = padded_items(kind)[padded_items(kind).len() - 2];
                        assert!(refused(&with(first, Some(parity.into()), r, s)), "{place}");
                    }
                }
            }
        }
        let nothing = U256::zero();
        match kind {
            // EIP-155 writes the unsigned transaction so, with the chain id where v was.
            [] => {
                let read = Decoded::read(&with(7, None, nothing, nothing), "").expect("unsigned");
                assert_eq!((read.authorization.clone(), read.signer()), (Authorization::Unsigned, None));
            }
            [0x71] => {
                let raw = put_together(kind, &whole.with(&[14], Item::Bytes(Vec::new())));
                let read = Decoded::read(&raw, "").expect("unsigned");
                assert_eq!((read.authorization.clone(), read.signer()), (Authorization::Unsigned, None));
            }
            _ => {
                let first = padded_items(kind)[padded_items(kind).len() - 2];
                assert!(refused(&with(first, Some(0), nothing, nothing)), "{}: r and s are 0", known.name);
                for parity in [2, 27, 28, 0x100] {
                    assert!(refused(&with(first, Some(parity), r, s)), "{}: parity {parity}", known.name);
                }
            }
        }
    }
    assert!(Signature::from_bytes(&[1; 64]).is_none() && Signature::from_bytes(&[1; 66]).is_none());
    for v in (0..=u8::MAX).filter(|v| *v != 27 && *v != 28) {
        let parts = [[1; 32], [1; 32]].concat();
        assert!(Signature::from_bytes(&[parts.as_slice(), &[v]].concat()).is_none(), "v {v}");
    }
}

// ----------------------------------------------------------------------------------------------------- any transaction

fn any_number() -> impl Strategy<Value = U256> {
    (any::<[u8; 32]>(), 0..=256_usize).prop_map(|(bytes, shift)| U256::from_big_endian(&bytes) >> shift)
}

fn any_word64() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift)
}

fn any_address() -> impl Strategy<Value = Address> {
    prop_oneof![4 => any::<[u8; 20]>(), 1 => Just([0; 20])].prop_map(Address::from_bytes)
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => Just(Vec::new()), 2 => prop::collection::vec(any::<u8>(), 1..3), 4 => prop::collection::vec(any::<u8>(), 0..300)]
}

fn any_access_list() -> impl Strategy<Value = AccessList> {
    prop::collection::vec((any_address(), prop::collection::vec(any::<[u8; 32]>(), 0..4)), 0..4)
}

fn any_signature() -> impl Strategy<Value = Signature> {
    (any::<[u8; 32]>(), any::<[u8; 32]>(), 0..=1_u8).prop_filter_map("in range", |(r, mut s, parity)| {
        s[0] &= 0x3f;
        Signature::from_parts(r, s, parity)
    })
}

fn any_transaction() -> impl Strategy<Value = Transaction> {
    let common = (
        (any_word64(), any_word64(), any_number(), any_number(), any_number()),
        (prop::option::weighted(0.9, any_address()), any_number(), any_bytes(), any_access_list(), any_address()),
        (any_number(), prop::collection::vec(any_bytes(), 0..4), prop::option::of((any_address(), any_bytes()))),
    );
    (0..5, common).prop_map(|(kind, (numbers, call, era))| {
        let (chain_id, nonce, priority, fee, gas) = numbers;
        let (to, value, data, access_list, from) = call;
        let (gas_per_pubdata, factory_deps, paymaster) = era;
        let (gas_price, max_fee_per_gas) = (WeiPerGas::new(fee), WeiPerGas::new(fee));
        let max_priority_fee_per_gas = WeiPerGas::new(priority);
        let (gas_limit, value) = (Gas::new(gas), Wei::new(value));
        match kind {
            0 => Transaction::Legacy(Legacy { chain_id: None, nonce, gas_price, gas_limit, to, value, data }),
            1 => Transaction::Legacy(Legacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, data }),
            2 => Transaction::Eip2930(Eip2930 { chain_id, nonce, gas_price, gas_limit, to, value, data, access_list }),
            3 => Transaction::Eip1559(Eip1559 {
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
                gas_per_pubdata: Gas::new(gas_per_pubdata),
                factory_deps,
                paymaster: paymaster.map(|(paymaster, input)| Paymaster { paymaster, input }),
            }),
        }
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_transaction_reads_back(transaction in any_transaction(), signature in any_signature()) {
        let raw = transaction.raw(&signature);
        let signed = Decoded { transaction: transaction.clone(), authorization: Authorization::Signature(signature) };
        prop_assert_eq!(Decoded::read(&raw, ""), Ok(signed));
        let unsigned = Decoded { transaction: transaction.clone(), authorization: Authorization::Unsigned };
        prop_assert_eq!(Decoded::read(&transaction.unsigned_bytes(), ""), Ok(unsigned));
    }

    /// Whatever other bytes are read say something else, or (type 0x71 only) the same in another form, which is not ours.
    #[test]
    fn changed_bytes_do_not_read_the_same(
        transaction in any_transaction(),
        signature in any_signature(),
        at in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
    ) {
        let raw = transaction.raw(&signature);
        let mut other = raw.clone();
        let at = at.index(raw.len());
        other[at] ^= change;
        if let Ok(read) = Decoded::read(&other, "") {
            let same = read == Decoded { transaction, authorization: Authorization::Signature(signature) };
            prop_assert!(!same || raw[0] == 0x71);
            match (&read.authorization, &read.transaction) {
                (_, Transaction::Eip712(_)) => {}
                (Authorization::Signature(signature), transaction) => prop_assert_eq!(transaction.raw(signature), other),
                (_, transaction) => prop_assert_eq!(transaction.unsigned_bytes(), other),
            }
        }
    }

    #[test]
    fn no_bytes_panic(kind in prop::sample::select(vec![None, Some(0x01), Some(0x02), Some(0x71)]), bytes in any_bytes()) {
        let raw: Vec<u8> = kind.into_iter().chain(bytes).collect();
        let _ = Decoded::read(&raw, "");
    }

    /// Random items in a well-formed list of a plausible length: past the first checks.
    #[test]
    fn no_items_panic(
        kind in prop::sample::select(vec![None, Some(0x01), Some(0x02), Some(0x71)]),
        items in prop::collection::vec(any_item(), 5..18),
    ) {
        let raw: Vec<u8> = kind.into_iter().chain(Item::List(items).write()).collect();
        if let Ok(decoded) = Decoded::read(&raw, "") {
            let _ = (decoded.signer(), decoded.hash());
        }
    }

    /// Bytes of a signed transaction, cut out, doubled or overwritten.
    #[test]
    fn no_splice_panics(
        transaction in any_transaction(),
        signature in any_signature(),
        (from, to) in any::<(prop::sample::Index, prop::sample::Index)>(),
        new in any_bytes(),
    ) {
        let mut raw = transaction.raw(&signature);
        let (from, to) = (from.index(raw.len()), to.index(raw.len()));
        raw.splice(from.min(to)..from.max(to), new);
        if let Ok(decoded) = Decoded::read(&raw, "") {
            let _ = (decoded.signer(), decoded.hash());
        }
    }
}

fn any_item() -> impl Strategy<Value = Item> {
    let leaf = prop_oneof![
        3 => Just(Item::Bytes(Vec::new())),
        3 => prop::collection::vec(any::<u8>(), 1..9).prop_map(Item::Bytes),
        2 => any::<[u8; 20]>().prop_map(|bytes| Item::Bytes(bytes.to_vec())),
        2 => any::<[u8; 32]>().prop_map(|bytes| Item::Bytes(bytes.to_vec())),
        1 => any_bytes().prop_map(Item::Verbatim),
    ];
    leaf.prop_recursive(3, 16, 4, |item| prop::collection::vec(item, 0..4).prop_map(Item::List))
}
