//! `sign` killed at random moments, and many of them at once: no signature is out without its entry in the guard, no entry
//! is lost, no file is half written, and a nonce never gets two digests.

#![allow(clippy::print_stdout)] // the seed, and what was counted

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use coldbridge::guard::{Log, Record};
use common::fixture;
use common::program::{PROGRAM, keyed, run, text};
use serde_json::{Value, json as value};

/// How often `sign` is killed.
const KILLS: usize = 1_000;
/// After so many a new guard is begun: reading a long one would take the time in which there is something to kill.
const ROUND: usize = 50;
/// So many killers work side by side: a signer waits for the disk most of the time.
const KILLERS: usize = 4;
/// The payments of one batch.
const BATCH: u64 = 4;
/// Signers at once, and how often.
const SIGNERS: u64 = 8;
const RACES: u64 = 50;

/// Xorshift: the moments differ from run to run, the seed is printed.
struct Random(u64);

impl Random {
    fn new(killer: usize) -> Self {
        let seed = (u64::from(std::process::id()) << 20) | 0x5eed0 | u64::try_from(killer).expect("small");
        println!("seed {seed:#x}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct Desk {
    folder: PathBuf,
    key: PathBuf,
    guard: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let (folder, key, guard) = keyed(&fixture("deposit", "local_typical"));
        Self { folder, key, guard }
    }

    fn sign(&self, input: &str, output: Option<&Path>) -> Child {
        let mut command = Command::new(PROGRAM);
        command.args(["sign", "--yes", "--key", text(&self.key)]);
        command.args(output.iter().flat_map(|path| ["-o", text(path)]));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program runs");
        // Small enough for the pipe: nobody has to read it.
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input.as_bytes()).expect("written");
        child
    }

    /// The guard's text and what is in it. It must always be readable.
    fn guard(&self) -> (Vec<u8>, BTreeSet<(u64, String)>) {
        let text = fs::read(&self.guard).unwrap_or_default();
        let mut log = Log::default();
        let whole = log.read(&text).unwrap_or_else(|refusal| panic!("{refusal}"));
        log.end(&text[whole..]).unwrap_or_else(|refusal| panic!("{refusal}"));
        let entries = log.guard().records().iter().flat_map(|record| match record {
            Record::Signed(plan) => {
                plan.entries().map(|entry| (entry.slot.nonce, entry.digest.to_string())).collect::<Vec<_>>()
            }
            _ => panic!("nothing else was recorded"),
        });
        let entries = entries.collect();
        (text[..whole].to_vec(), entries)
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

fn payment(nonce: u64, amount: u64) -> String {
    let mut request = fixture("deposit", "local_typical").json["request"].clone();
    request["facts"]["transaction"]["nonce"] = value!(nonce);
    request["intent"]["id"] = value!(format!("PAY-{nonce}-{amount}"));
    request["intent"]["operation"]["deposit"]["amount"] = value!(amount.to_string());
    request.to_string()
}

fn ended(mut child: Child) -> (ExitStatus, String) {
    let status = child.wait().expect("it ends");
    let mut out = Vec::new();
    child.stdout.take().expect("piped").read_to_end(&mut out).expect("readable");
    (status, String::from_utf8(out).expect("text"))
}

/// What a line of answers released: (nonce, digest). A line that was cut off has released its raw bytes all the same.
fn released(line: &str) -> Option<(u64, String)> {
    let signed: Value = serde_json::from_str(line).ok()?;
    let transaction = &signed["transactions"][0];
    Some((transaction["nonce"].as_u64()?, transaction["signingDigest"].as_str()?.to_owned()))
}

/// What was counted.
#[derive(Default)]
struct Count {
    killed: usize,
    between: usize,
    files: usize,
    signatures: usize,
}

#[test]
fn a_thousand_kills_lose_no_entry_and_leave_no_partial_file() {
    let started = Instant::now();
    let counts: Vec<Count> = std::thread::scope(|scope| {
        let killers: Vec<_> = (0..KILLERS).map(|killer| scope.spawn(move || kills(killer))).collect();
        killers.into_iter().map(|killer| killer.join().expect("what a killer saw")).collect()
    });
    let sum = |of: fn(&Count) -> usize| counts.iter().map(of).sum::<usize>();
    let (killed, between) = (sum(|count| count.killed), sum(|count| count.between));
    let (files, signatures) = (sum(|count| count.files), sum(|count| count.signatures));
    println!(
        "{KILLS} runs of {BATCH} payments in {:?}: {killed} killed before their end, {between} between two payments; \
         {files} files and {signatures} signatures were out",
        started.elapsed()
    );
    // The moments were where something happens.
    assert!(killed > KILLS / 3 && between > KILLS / 20 && files > 0, "{killed} {between} {files}");
}

fn kills(killer: usize) -> Count {
    let mut random = Random::new(killer);
    let mut desk = Desk::new();
    let mut count = Count::default();
    let mut longest = Duration::ZERO;
    for kill in 0..KILLS / KILLERS {
        if kill % ROUND == 0 {
            desk = Desk::new();
            // How long it takes when it is left alone, the new guard included; and again for the next kills.
            for nonce in [1_000_000, 1_000_010] {
                let input: String = (0..BATCH).map(|step| payment(nonce + step, 1) + "\n").collect();
                let begun = Instant::now();
                let (status, _) = ended(desk.sign(&input, Some(&desk.folder.join(format!("whole-{nonce}.jsonl")))));
                assert!(status.success());
                longest = begun.elapsed();
            }
        }
        let first = u64::try_from(kill).expect("small") * BATCH;
        let input: String = (first..first + BATCH).map(|nonce| payment(nonce, 1) + "\n").collect();
        let output = desk.folder.join(format!("{kill}.jsonl"));
        let output = (kill % 2 == 0).then_some(output.as_path());
        let (names, (before, _)) = (desk.names(), desk.guard());

        let mut child = desk.sign(&input, output);
        let limit = u64::try_from(longest.as_micros()).expect("short") * 5 / 4;
        std::thread::sleep(Duration::from_micros(random.below(limit.max(1))));
        child.kill().expect("SIGKILL");
        let (status, stdout) = ended(child);
        count.killed += usize::from(status.code().is_none());

        let (after, entries) = desk.guard();
        assert!(after.starts_with(&before), "kill {kill}: the guard has forgotten something");
        let new = entries.iter().filter(|(nonce, _)| (first..first + BATCH).contains(nonce)).count();
        count.between += usize::from(0 < new && new < usize::try_from(BATCH).expect("small"));
        let answers = match output.map(fs::read_to_string) {
            Some(Ok(answers)) => {
                count.files += 1;
                assert_eq!(answers.lines().count(), usize::try_from(BATCH).expect("small"), "kill {kill}: half a file");
                assert!(answers.ends_with('\n'), "kill {kill}: half a line");
                answers
            }
            Some(Err(_)) => String::new(),
            None => stdout,
        };
        // Every answer that is out, whole or not, has an entry.
        assert!(answers.lines().count() <= new, "kill {kill}: a signature is out without its entry");
        for entry in answers.lines().filter_map(released) {
            count.signatures += 1;
            assert!(entries.contains(&entry), "kill {kill}: {entry:?} is out without its entry");
        }
        // Nothing else has appeared.
        let mut expected = names;
        expected.insert("account.key.guard".to_owned());
        expected.extend(output.filter(|path| path.exists()).map(|_| format!("{kill}.jsonl")));
        let mut found = desk.names();
        found.insert("account.key.guard".to_owned());
        assert_eq!(found, expected, "kill {kill}");

        // Now and then: what was killed is done again, and what is in the guard is used up.
        if kill % ROUND == ROUND - 1 {
            let (status, stdout) = ended(desk.sign(&input, None));
            assert!(status.success(), "kill {kill}: the guard can not be used any more");
            assert_eq!(stdout.lines().count(), usize::try_from(BATCH).expect("small"));
            let other: String = entries.iter().map(|(nonce, _)| payment(*nonce, 2) + "\n").collect();
            let said = run(&["sign", "--yes", "--key", text(&desk.key)], other);
            assert_eq!(said.exit, 9);
            assert_eq!(said.stdout.matches("\"guard.nonce_used\"").count(), entries.len(), "kill {kill}");
        }
    }
    count
}

#[test]
fn signers_that_share_a_guard_never_sign_two_digests_for_one_nonce() {
    let desk = Desk::new();
    let mut winners = BTreeSet::new();
    for race in 0..RACES {
        // Every other time the guard itself has to be made.
        if race % 2 == 0 {
            let _ = fs::remove_file(&desk.guard);
        }
        let signers: Vec<Child> = (1..=SIGNERS).map(|amount| desk.sign(&payment(race, amount), None)).collect();
        let ends: Vec<(ExitStatus, String)> = signers.into_iter().map(ended).collect();
        let codes: Vec<Option<i32>> = ends.iter().map(|(status, _)| status.code()).collect();
        let won: Vec<usize> = (0..codes.len()).filter(|index| codes[*index] == Some(0)).collect();
        let lost = codes.iter().filter(|code| **code == Some(9)).count();
        assert_eq!((won.len(), lost), (1, codes.len() - 1), "race {race}: {codes:?}");
        winners.insert(won[0]);
        let (_, entries) = desk.guard();
        let of_race: Vec<_> = entries.into_iter().filter(|(nonce, _)| *nonce == race).collect();
        assert_eq!(of_race, [released(&ends[won[0]].1).expect("signed")], "race {race}");
    }
    println!("winners were {winners:?}");
    // Different nonces: they wait for one another, and all of them sign.
    let signers: Vec<Child> = (100..100 + SIGNERS)
        .map(|start| {
            let input: String = (0..20).map(|step| payment(start + step * SIGNERS, 1) + "\n").collect();
            desk.sign(&input, None)
        })
        .collect();
    for (status, stdout) in signers.into_iter().map(ended) {
        assert!(status.success());
        assert_eq!(stdout.lines().count(), 20);
    }
    let (_, entries) = desk.guard();
    assert_eq!(entries.iter().filter(|(nonce, _)| *nonce >= 100).count(), 160);
}
