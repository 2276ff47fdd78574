//! Messages and Merkle proofs against recorded and published ones, and against every single bit of them flipped.

mod common;

use coldbridge::Address;
use coldbridge::hash::{TxHash, keccak256, keccak256_concat};
use coldbridge::message::{Kind, Message, MessageError};
use coldbridge::proof::{
    Ending, Format, Inclusion, L2Log, Leaf, Position, Proof, ProofError, Root, SettlementLayer, Word, inclusion,
};
use coldbridge::refusal::contract_error;
use common::vector::{Case, Members, any_case, hex_bytes, hex_word, number, text, walk, word_of};
use common::{Failures, Outcome, fixture, report};
use ethabi::ethereum_types::U256;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

// -------------------------------------------------------------------------------------------------------- known answers

fn list(value: &Value) -> Outcome<Vec<&Value>> {
    Ok(value.as_array().ok_or_else(|| format!("{value} is no list"))?.iter().collect())
}

fn words(value: &Value) -> Outcome<Vec<Word>> {
    list(value)?.into_iter().map(|word| hex_word(text(word)?)).collect()
}

fn proof(words: &[Word]) -> Outcome<Proof> {
    Proof::read(words).map_err(|error| format!("{error:?}"))
}

fn ending(proof: &Proof, leaf: Leaf, position: Position) -> Outcome<Ending> {
    proof.ending(leaf, position).map_err(|error| format!("{error:?}"))
}

fn tx_number(members: &Members<'_>, name: &str) -> Outcome<u16> {
    u16::try_from(members.number(name)?.low_u32()).map_err(|error| error.to_string())
}

/// Addresses in these vectors may be as short as 0x8008.
fn short_address(members: &Members<'_>, name: &str) -> Outcome<Address> {
    let digits = members.text(name)?.trim_start_matches("0x");
    any_case(&format!("0x{digits:0>40}").to_lowercase())
}

fn at(index: impl Into<U256>) -> Position {
    Position { chain_id: 0, batch_number: 0, index: index.into() }
}

/// The leaf that a log's bytes have: computed here, as the trees of the vectors hold leaves that are no logs.
fn root_of(path: &[Word], index: usize, leaf: Word) -> Word {
    path.iter().enumerate().fold(leaf, |node, (level, sibling)| match index >> level & 1 {
        0 => keccak256_concat(&[&node, sibling]),
        _ => keccak256_concat(&[sibling, &node]),
    })
}

/// The roots of empty trees of height 0, 1, 2 ...
fn empty_subtrees(levels: usize) -> Vec<Word> {
    let mut all = vec![keccak256(&[0; 88])];
    for _ in 0..levels {
        let last = *all.last().expect("one");
        all.push(keccak256_concat(&[&last, &last]));
    }
    all
}

#[test]
fn known_proofs() {
    walk("proof", |case, failures| match (case.category, case.name) {
        ("merkle", "empty_subtrees") => {
            let levels = words(case.expect.needs("levels_0_to_14")?)?;
            let _ = case.input.text("leaf")?;
            failures.check(case.name, "roots of empty trees", &empty_subtrees(14), &levels);
            Ok(())
        }
        ("merkle", _) => merkle(case, failures),
        ("l2_to_l1", "log_bytes") => log_bytes(case, failures),
        ("l2_to_l1", _) => {
            let sender = case.input.address("sender")?;
            let message = case.input.bytes("message")?;
            let leaf = L2Log::message(tx_number(&case.input, "txNumberInBatch")?, sender, &message);
            failures.check(case.name, "leaf", &leaf.leaf().hash(), &case.expect.word("leaf")?);
            Ok(())
        }
        ("l2_to_l1_batch_root", _) => batch_root(case, failures),
        ("proof_verification", _) => verification(case, failures),
        // The shape of an answer, without the leaf that it is for: 9 words are the path of the tree of 512 leaves.
        ("rpc_shape", _) if case.not_usable => {
            let _ = (case.input.text("method")?, case.expect.needs("id")?, case.expect.needs("root")?);
            let _ = case.expect.needs("batchNumber")?;
            let path = empty_subtrees(8);
            failures.check(case.name, "words", &U256::from(path.len()), &case.expect.number("proof_len")?);
            failures.check(case.name, "plain", &proof(&path)?.format(), &Format::Plain);
            failures.check(case.name, "path", &proof(&path)?.log_path_length(), &9);
            Ok(())
        }
        ("withdrawal" | "status", _) => recorded(case, failures),
        ("generated", _) => generated(case, failures),
        (category, _) => Err(format!("unknown category {category}")),
    });
}

fn merkle(case: &Case<'_>, failures: &mut Failures) -> Outcome {
    let (index, depth) = (case.input.number("index")?.as_usize(), case.input.number("depth")?.as_usize());
    let said = case.input.text("leaf_preimages")?;
    let path = words(case.expect.needs("path")?)?;
    let leaf = keccak256(&[u8::try_from(index + 1).expect("small"); 88]);
    failures.check(case.name, "leaves", &said.contains("88-byte strings of repeated byte"), &true);
    failures.check(case.name, "height", &proof(&path)?.log_path_length(), &depth);
    failures.check(case.name, "root", &root_of(&path, index, leaf), &case.expect.word("root")?);
    Ok(())
}

fn read_log(log: &Members<'_>, prefixed: bool) -> Outcome<L2Log> {
    let name = |plain: &'static str, long: &'static str| if prefixed { long } else { plain };
    let word = |name: &str| match log.needs(name)? {
        Value::String(text) => hex_word(text),
        other => Ok(word_of(number(other)?)),
    };
    Ok(L2Log {
        shard_id: u8::try_from(log.number(name("shard_id", "l2ShardId"))?.low_u32()).map_err(|e| e.to_string())?,
        is_service: log.needs(name("is_service", "isService"))?.as_bool().ok_or("no flag")?,
        tx_number_in_batch: tx_number(log, name("tx_number_in_block", "txNumberInBatch"))?,
        sender: short_address(log, "sender")?,
        key: word("key")?,
        value: word("value")?,
    })
}

fn log_bytes(case: &Case<'_>, failures: &mut Failures) -> Outcome {
    let log = read_log(&case.input, false)?;
    failures.check(case.name, "bytes", &log.packed(), &case.expect.bytes("packed_88")?);
    failures.check(case.name, "leaf", &log.leaf().hash(), &case.expect.word("leaf")?);
    Ok(())
}

/// One real status log in a batch without others: a plain proof of the historic height holds, and says "succeeded".
fn batch_root(case: &Case<'_>, failures: &mut Failures) -> Outcome {
    let depth = case.input.number("tree_depth")?.as_usize();
    let logs = list(case.input.needs("logs")?)?;
    let [log] = logs.as_slice() else { return Err("not one log".to_owned()) };
    let members = Members::of(log)?;
    let log = read_log(&members, false)?;
    members.unread("log")?;
    let root = case.expect.word("local_root")?;
    let aggregated = case.expect.word("aggregated_root")?;
    let path = empty_subtrees(depth - 1);
    let plain = proof(&path)?;
    let found = ending(&plain, log.leaf(), at(0))?;
    failures.check(case.name, "root", &found.root, &Root(root));
    failures.check(case.name, "batch root", &case.expect.word("l2_l1_logs_merkle_root")?, &root);
    failures.check(case.name, "aggregated root", &aggregated, &[0; 32]);
    let hash = TxHash(log.key);
    let told = inclusion(hash, log.tx_number_in_batch, at(0), &plain, Root(root));
    failures.check(case.name, "status", &told, &Ok::<_, ProofError>(Inclusion::Succeeded));
    failures.check(
        case.name,
        "another root",
        &inclusion(hash, 0, at(0), &plain, Root(aggregated)),
        &Ok::<_, ProofError>(Inclusion::Missing),
    );
    Ok(())
}

fn verification(case: &Case<'_>, failures: &mut Failures) -> Outcome {
    let words = words(case.input.needs("proof")?)?;
    let proof = proof(&words)?;
    failures.check(case.name, "words again", &proof.words(), &words);
    let leaf = match (case.input.get("log"), case.input.get("message")) {
        (Some(log), None) => {
            let members = Members::of(log)?;
            let log = read_log(&members, true)?;
            members.unread("log")?;
            log.leaf()
        }
        (None, Some(message)) => {
            let members = Members::of(message)?;
            let data = members.bytes("data")?;
            let tx_number = tx_number(&members, "txNumberInBatch")?;
            let leaf = L2Log::message(tx_number, short_address(&members, "sender")?, &data).leaf();
            members.unread("message")?;
            let read = Message::read(&data).map_err(|error| format!("{error:?}"))?;
            failures.check(case.name, "message again", &read.to_bytes(), &data);
            leaf
        }
        _ => return Err("neither a log nor a message".to_owned()),
    };
    failures.check(case.name, "leaf", &leaf.hash(), &case.expect.word("leaf")?);
    let chain_id = match case.input.get("chainId") {
        Some(id) => number(id)?.low_u64(),
        None => 0,
    };
    let batch_number = case.input.number("batchNumber")?.low_u64();
    let position = Position { chain_id, batch_number, index: case.input.number("index")? };
    let found = ending(&proof, leaf, position)?;
    let Some(steps) = case.expect.get("steps") else {
        failures.check(case.name, "format", &proof.format(), &Format::Plain);
        failures.check(case.name, "root", &found.root, &Root(case.expect.word("root")?));
        return Ok(());
    };
    failures.check(case.name, "root", &found.root, &Root(case.expect.word("root_expected_by_test")?));
    let steps = list(steps)?;
    let (first, last) = (Members::of(steps[0])?, Members::of(steps[steps.len() - 1])?);
    failures.check(case.name, "chain's root", &found.chain_root, &Root(first.word("root")?));
    failures.check(case.name, "last root", &found.root, &Root(last.word("root")?));
    let settled_on = (steps.len() > 1).then(|| -> Outcome<_> {
        let (chain, batch) = (last.number("chainId")?, last.number("batch")?);
        Ok(SettlementLayer { chain_id: chain.low_u64(), batch_number: batch.low_u128() })
    });
    failures.check(case.name, "settlement layer", &found.settled_on, &settled_on.transpose()?);
    Ok(())
}

/// What a case of this folder says of a log, its place, its proof and the root.
struct Claim {
    position: Position,
    tx_number: u16,
    words: Vec<Word>,
    root: Root,
}

impl Claim {
    fn read(input: &Members<'_>) -> Outcome<Self> {
        Ok(Self {
            position: Position {
                chain_id: input.number("chainId")?.low_u64(),
                batch_number: input.number("batchNumber")?.low_u64(),
                index: input.number("index")?,
            },
            tx_number: tx_number(input, "txNumberInBatch")?,
            words: words(input.needs("proof")?)?,
            root: Root(input.word("root")?),
        })
    }
}

/// What the real contracts took or refused.
fn recorded(case: &Case<'_>, failures: &mut Failures) -> Outcome {
    let claim = Claim::read(&case.input)?;
    let proof = proof(&claim.words)?;
    let calldata = case.expect.bytes("calldata")?;
    let _ = case.expect.address("to")?; // what is called is compared in tests/finalize.rs
    let holds = |hex: &[u8]| calldata.windows(hex.len()).any(|window| window == hex);
    failures.check(case.name, "proof in the calldata", &holds(&claim.words.concat()), &true);
    failures.check(case.name, "path since v26", &proof.log_path_length(), &15);
    let Some(hash) = case.input.get("l2TxHash") else {
        let message = case.input.bytes("message")?;
        let leaf = L2Log::message(claim.tx_number, case.input.address("l2Sender")?, &message).leaf();
        failures.check(case.name, "root", &ending(&proof, leaf, claim.position)?.root, &claim.root);
        let read = Message::read(&message).map_err(|error| format!("{error:?}"))?;
        failures.check(case.name, "message again", &read.to_bytes(), &message);
        return Ok(());
    };
    let hash = TxHash(hex_word(text(hash)?)?);
    let told = inclusion(hash, claim.tx_number, claim.position, &proof, claim.root);
    let expected = match case.expect.text("status")? {
        "failed" => Inclusion::Failed,
        "succeeded" => Inclusion::Succeeded,
        other => return Err(format!("unknown status {other}")),
    };
    failures.check(case.name, "status", &told, &Ok::<_, ProofError>(expected));
    let asset_id = coldbridge::asset::AssetId(case.input.word("assetId")?);
    let data_hash = coldbridge::asset::tx_data_hash(
        case.input.address("depositSender")?,
        asset_id,
        &case.input.bytes("assetData")?,
    );
    if let Some(happened) = case.expect.get("txDataHash") {
        failures.check(case.name, "depositHappened", &data_hash, &hex_word(text(happened)?)?);
    }
    Ok(())
}

/// Trees and proofs of `fixtures/generate/proofs.mjs`, which first rebuilds the published and recorded ones.
fn generated(case: &Case<'_>, failures: &mut Failures) -> Outcome {
    let claim = Claim::read(&case.input)?;
    let proof = proof(&claim.words)?;
    failures.check(case.name, "words again", &proof.words(), &claim.words);
    let leaf = L2Log::message(claim.tx_number, case.input.address("l2Sender")?, &case.input.bytes("message")?).leaf();
    let found = ending(&proof, leaf, claim.position)?;
    failures.check(case.name, "root", &found.root, &claim.root);
    failures.check(case.name, "chain's root", &found.chain_root, &Root(case.expect.word("chainRoot")?));
    failures.check(case.name, "path", &U256::from(proof.log_path_length()), &case.expect.number("logPathLength")?);
    let settled_on = match case.expect.get("settlementChainId") {
        None => None,
        Some(chain) => Some(SettlementLayer {
            chain_id: number(chain)?.low_u64(),
            batch_number: case.expect.number("settlementBatchNumber")?.low_u128(),
        }),
    };
    failures.check(case.name, "settlement layer", &found.settled_on, &settled_on);
    Ok(())
}

// ------------------------------------------------------------------------------------------------------------- bit flips

/// One claim that holds: a message at a place in a batch, its proof, and the root.
#[derive(Clone)]
struct Holding {
    chain_id: u64,
    batch_number: u64,
    index: U256,
    tx_number: u16,
    sender: Address,
    message: Vec<u8>,
    words: Vec<Word>,
    root: Word,
}

impl Holding {
    fn of(name: &str) -> Self {
        let fixture = fixture("proof", name);
        let input = Members::of(&fixture.json["input"]).expect("input");
        let expect = Members::of(&fixture.json["expect"]).expect("expect");
        let inner =
            input.get("message").filter(|message| message.is_object()).map(|m| Members::of(m).expect("message"));
        let message = inner.as_ref().unwrap_or(&input);
        let root = input.word("root").or(expect.word("root_expected_by_test")).or(expect.word("root"));
        Self {
            chain_id: input.get("chainId").map_or(0, |id| number(id).expect("id").low_u64()),
            batch_number: input.number("batchNumber").expect("batch").low_u64(),
            index: input.number("index").expect("index"),
            tx_number: tx_number(message, "txNumberInBatch").expect("number"),
            sender: short_address(message, if inner.is_some() { "sender" } else { "l2Sender" }).expect("sender"),
            message: message.bytes(if inner.is_some() { "data" } else { "message" }).expect("message"),
            words: words(input.needs("proof").expect("proof")).expect("words"),
            root: root.expect("root"),
        }
    }

    fn holds(&self) -> bool {
        let position = Position { chain_id: self.chain_id, batch_number: self.batch_number, index: self.index };
        let leaf = L2Log::message(self.tx_number, self.sender, &self.message).leaf();
        Proof::read(&self.words)
            .and_then(|proof| proof.ending(leaf, position))
            .is_ok_and(|ending| ending.root == Root(self.root))
    }

    /// Every variant of one changed bit, by what it is in.
    fn flips(&self) -> Vec<(String, Self)> {
        let mut all = Vec::new();
        let mut add = |what: String, change: &dyn Fn(&mut Self)| {
            let mut changed = self.clone();
            change(&mut changed);
            all.push((what, changed));
        };
        for word in 0..self.words.len() {
            for bit in 0..256 {
                add(format!("word {word} bit {bit}"), &|claim| claim.words[word][bit / 8] ^= 1 << (bit % 8));
            }
        }
        for bit in 0..self.message.len() * 8 {
            add(format!("message bit {bit}"), &|claim| claim.message[bit / 8] ^= 1 << (bit % 8));
        }
        for bit in 0..256 {
            add(format!("index bit {bit}"), &|claim| claim.index ^= U256::one() << bit);
            add(format!("root bit {bit}"), &|claim| claim.root[bit / 8] ^= 1 << (bit % 8));
        }
        for bit in 0..16 {
            add(format!("l2TxNumberInBatch bit {bit}"), &|claim| claim.tx_number ^= 1 << bit);
        }
        for bit in 0..160 {
            add(format!("sender bit {bit}"), &|claim| {
                let mut bytes = *claim.sender.as_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                claim.sender = Address::from_bytes(bytes);
            });
        }
        for bit in 0..64 {
            add(format!("batch bit {bit}"), &|claim| claim.batch_number ^= 1 << bit);
            add(format!("chain bit {bit}"), &|claim| claim.chain_id ^= 1 << bit);
        }
        all
    }
}

/// Bits that a proof does not bind: where the batch settles on L1, its number only says which root to look up; where it
/// settles on another chain, that chain's id and batch say the same. Everything else is bound, bit by bit.
#[test]
fn no_bit_of_a_proof_can_be_flipped() {
    let nested = "proof_provel2messageinclusion";
    let cases = ["proof_mailbox_spec", "recorded_two_withdrawals_second", nested];
    let mut refused = 0;
    for name in cases {
        let claim = Holding::of(name);
        assert!(claim.holds(), "{name} holds");
        let names_a_root = |what: &str| {
            if name == nested {
                // Word 21 packs the settlement layer's batch (high 128 bits) and leaf index; word 22 is its chain id.
                (0..128).any(|bit| what == format!("word 21 bit {bit}")) || what.starts_with("word 22 ")
            } else {
                what.starts_with("batch bit") || what.starts_with("chain bit")
            }
        };
        for (what, flipped) in claim.flips() {
            if names_a_root(&what) {
                assert_settlement_is_told(name, &what, &claim, &flipped);
                continue;
            }
            assert!(!flipped.holds(), "{name}: {what} was flipped, and the proof still holds");
            refused += 1;
        }
        for cut in 0..claim.words.len() {
            let mut shorter = claim.clone();
            shorter.words.remove(cut);
            // Without its metadata the path of a batch that settles on L1 is a plain proof, which the contracts take too.
            let is_plain_now = cut == 0 && name == "recorded_two_withdrawals_second";
            assert_eq!(shorter.holds(), is_plain_now, "{name} without word {cut}");
            let mut longer = claim.clone();
            longer.words.insert(cut, claim.words[cut]);
            assert!(!longer.holds(), "{name} with word {cut} twice");
        }
        let mut trailing = claim.clone();
        trailing.words.push([0; 32]);
        assert!(!trailing.holds(), "{name} with a word behind its end");
    }
    report(&format!("{refused} single-bit flips of {} claims are refused", cases.len()));
    assert!(refused > 20_000);
}

/// A bit that only says where the root is stored changes what is told of that place (and an id above 2^64-1 is refused).
fn assert_settlement_is_told(name: &str, what: &str, claim: &Holding, flipped: &Holding) {
    let told = |claim: &Holding| Proof::read(&claim.words).map(|proof| proof.settled_on());
    if what.starts_with("word") {
        assert_ne!(told(claim), told(flipped), "{name}: {what}");
    } else {
        assert!(flipped.holds(), "{name}: {what} is not part of the proof");
    }
}

// ------------------------------------------------------------------------------------------------------ malformed proofs

fn metadata(version: u8, log_path: u8, batch_path: u8, is_final: u8) -> Word {
    let mut word = [0; 32];
    word[..4].copy_from_slice(&[version, log_path, batch_path, is_final]);
    word
}

#[test]
fn malformed_proofs_have_their_contract_error() {
    let hash = keccak256(b"a word of a path");
    let settlement = |inner: Word| vec![metadata(1, 1, 0, 0), hash, [0; 32], [0; 32], [0; 32], inner];
    let mut far = settlement(metadata(1, 0, 0, 1));
    far[4] = [0xff; 32];
    let rows: Vec<(Vec<Word>, ProofError, Option<&str>)> = vec![
        (vec![], ProofError::Empty, Some("MerklePathEmpty()")),
        (vec![metadata(2, 1, 0, 1), hash], ProofError::Version(2), Some("UnsupportedProofMetadataVersion(uint256)")),
        (vec![[0; 32]], ProofError::Version(0), Some("UnsupportedProofMetadataVersion(uint256)")),
        (vec![metadata(1, 1, 1, 1), hash], ProofError::FinalWithBatchPath(1), Some("InvalidProofLengthForFinalNode()")),
        (vec![metadata(1, 1, 0, 2), hash], ProofError::FinalFlag(2), None),
        (vec![metadata(1, 3, 0, 1), hash], ProofError::Truncated(2), Some("Panic(uint256)")),
        (vec![metadata(1, 1, 0, 0), hash, [0; 32]], ProofError::Truncated(1), Some("Panic(uint256)")),
        (vec![metadata(1, 1, 0, 1), hash, hash], ProofError::Trailing(1), None),
        (vec![hash; 256], ProofError::PathTooLong(256), Some("MerklePathOutOfBounds()")),
        (settlement(hash), ProofError::SettlementFormat, None),
        (settlement(metadata(1, 0, 0, 0)), ProofError::TooDeep, None),
        (far, ProofError::SettlementChainId, Some("NotSettlementLayer()")),
    ];
    for (words, error, contract) in rows {
        assert_eq!(Proof::read(&words), Err(error));
        assert_eq!(error.contract_error().map(|error| error.signature), contract, "{error:?}");
        let refusal = error.refusal("/proof", "/index");
        assert_eq!(refusal.at(), "/proof");
        assert_eq!(refusal.contract_error(), error.contract_error());
    }
    assert!(Proof::read(&vec![hash; 255]).is_ok());
    let one = proof(&[hash]).expect("a path of one word");
    let log = L2Log::status(0, TxHash([1; 32]), coldbridge::proof::TxStatus::Failure);
    assert_eq!(one.ending(log.leaf(), at(2)), Err(ProofError::IndexOutOfBounds(1)));
    assert_eq!(ProofError::IndexOutOfBounds(1).contract_error(), Some(contract_error::MERKLE_INDEX_OUT_OF_BOUNDS));
    assert_eq!(ProofError::IndexOutOfBounds(1).refusal("/proof", "/index").at(), "/index");
    // The leaf that fills trees up: keccak256 of 88 zero bytes.
    let zero = L2Log {
        shard_id: 0,
        is_service: false,
        tx_number_in_batch: 0,
        sender: Address::ZERO,
        key: [0; 32],
        value: [0; 32],
    };
    assert_eq!(one.ending(zero.leaf(), at(0)), Err(ProofError::DefaultLeaf));
    assert_eq!(ProofError::DefaultLeaf.contract_error(), Some(contract_error::HASHED_LOG_IS_DEFAULT));
}

#[test]
fn messages_have_the_lengths_of_their_kind() {
    let of = |selector: &str, length: usize| {
        let mut bytes = hex_bytes(selector).expect("hex");
        bytes.resize(length, 0x11);
        Message::read(&bytes)
    };
    for length in 0..=200 {
        let base = of("0x6c0960f9", length.max(4));
        let taken = length == 56 || length >= 76;
        assert_eq!(base.is_ok(), taken, "base token, {length} bytes");
        let legacy = of("0x11a2ccc1", length.max(4));
        assert_eq!(legacy.is_ok(), length == 76, "legacy, {length} bytes");
        let contract_error = |error: MessageError| error.refusal("/message").contract_error();
        let wrong_length = Some(contract_error::L2_WITHDRAWAL_MESSAGE_WRONG_LENGTH);
        if length != 76 {
            assert_eq!(contract_error(legacy.expect_err("another length")), wrong_length);
        }
        // L1 would read the first 56 bytes of a longer one, which L2 never sends.
        if !taken {
            assert_eq!(contract_error(base.expect_err("another length")), wrong_length.filter(|_| length < 56));
        }
    }
    for length in 4..68 {
        assert_eq!(of("0x9c884fd1", length), Err(MessageError::Length(Kind::AssetRouter, length)));
    }
    let error = MessageError::Length(Kind::AssetRouter, 67).refusal("/message").contract_error();
    assert_eq!(error, Some(contract_error::WRONG_MSG_LENGTH));
    assert_eq!(of("0x9c884fd1", 68), Err(MessageError::BridgeMintData));
    for (bytes, error) in [("0x", MessageError::Empty(0)), ("0x6c0960", MessageError::Empty(3))] {
        assert_eq!(Message::read(&hex_bytes(bytes).expect("hex")), Err(error));
    }
    let unknown = of("0x01020304", 56).expect_err("no selector of a withdrawal");
    assert_eq!(unknown, MessageError::Selector([1, 2, 3, 4]));
    assert_eq!(unknown.refusal("").contract_error(), Some(contract_error::INVALID_SELECTOR));
}

/// Every bit of a message of each kind: another message, or none; never the same.
#[test]
fn no_bit_of_a_message_is_ignored() {
    for name in ["recorded_eth_withdrawal", "recorded_erc20_withdrawal", "proof_provel2messageinclusion"] {
        let bytes = Holding::of(name).message;
        let message = Message::read(&bytes).expect("a message");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Message::read(&flipped) {
                assert_ne!(other, message, "{name} bit {bit}");
                assert_eq!(other.to_bytes(), flipped, "{name} bit {bit}");
            }
        }
    }
}

// ------------------------------------------------------------------------------------------------------------ properties

/// Words that look like proofs: metadata of all kinds, small numbers, hashes.
fn any_word() -> impl Strategy<Value = Word> {
    prop_oneof![
        3 => any::<Word>(),
        2 => (0..3_u8, 0..6_u8, 0..4_u8, 0..3_u8).prop_map(|(v, log, batch, last)| metadata(v, log, batch, last)),
        2 => any::<u8>().prop_map(word_of),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0),
        ..ProptestConfig::default()
    })]

    /// Any words: refused, or the one form of what was read, and usable without a panic.
    #[test]
    fn any_words_are_refused_or_read_whole(
        words in proptest::collection::vec(any_word(), 0..24),
        index in any::<u64>(),
        batch in any::<u64>(),
        chain in any::<u64>(),
    ) {
        if let Ok(proof) = Proof::read(&words) {
            prop_assert_eq!(proof.words(), words);
            let position = Position { chain_id: chain, batch_number: batch, index: index.into() };
            let _ = inclusion(TxHash([7; 32]), 1, position, &proof, Root([0; 32]));
        }
    }

    /// Any bytes behind any selector: refused, or the one form of what was read.
    #[test]
    fn any_bytes_are_refused_or_read_whole(
        selector in prop_oneof![Just(0x6c09_60f9_u32), Just(0x11a2_ccc1), Just(0x9c88_4fd1), any::<u32>()],
        body in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [selector.to_be_bytes().as_slice(), &body].concat();
        if let Ok(message) = Message::read(&bytes) {
            prop_assert_eq!(message.to_bytes(), bytes);
        }
    }

    /// A tree of any height up to 32 proves its leaves and no others.
    #[test]
    fn a_path_of_any_height_proves_its_leaf(
        height in 1..32_usize,
        index in any::<u32>(),
        siblings in proptest::collection::vec(any::<Word>(), 32),
    ) {
        let index = usize::try_from(index).expect("64 bits") % (1 << height);
        let path = &siblings[..height];
        let leaf = L2Log::message(3, Address::L2_BASE_TOKEN, b"a message").leaf();
        let root = root_of(path, index, leaf.hash());
        for words in [path.to_vec(), [&[metadata(1, u8::try_from(height).expect("small"), 0, 1)], path].concat()] {
            let proof = Proof::read(&words).expect("a proof");
            prop_assert_eq!(proof.ending(leaf, at(index)).map(|ending| ending.root), Ok(Root(root)));
            prop_assert_eq!(
                proof.ending(leaf, at(index + (1 << height))),
                Err(ProofError::IndexOutOfBounds(height))
            );
        }
    }
}
