//! The guard: a nonce carries one payload and an intent is paid once, whatever is asked of the program.

mod common;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use coldbridge::guard::{Log, Tail};
use common::program::{Said, keyed, run, scratch, text};
use common::{Failures, fixture};
use serde_json::{Value, json as value};

/// A folder with a key, and requests that differ in what a guard looks at.
struct Desk {
    folder: PathBuf,
    key: PathBuf,
    guard: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let (folder, key, guard) = keyed(&fixture("deposit", "era_mainnet_typical"));
        Self { folder, key, guard }
    }

    fn sign(&self, request: &Value, more: &[&str]) -> Said {
        let sign = ["sign", "--yes", "--json-errors", "--key", text(&self.key)];
        run(&[&sign, more].concat(), request.to_string())
    }

    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.guard).expect("a guard");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn payment(id: Option<&str>, nonce: u64, amount: u64) -> Value {
    changed("era_mainnet_typical", id, nonce, |request| {
        request["intent"]["operation"]["deposit"]["amount"] = value!(amount.to_string());
    })
}

fn changed(name: &str, id: Option<&str>, nonce: u64, change: impl FnOnce(&mut Value)) -> Value {
    let mut request = fixture("deposit", name).json["request"].clone();
    request["facts"]["transaction"]["nonce"] = value!(nonce);
    let intent = request["intent"].as_object_mut().expect("an intent");
    intent.remove("id");
    intent.extend(id.map(|id| ("id".to_owned(), value!(id))));
    change(&mut request);
    request
}

fn refused(said: &Said, code: &str, at: &str) {
    let error = said.error();
    assert_eq!((said.exit, error["code"].as_str(), error["at"].as_str()), (9, Some(code), Some(at)), "{}", said.stderr);
    assert_eq!(said.stdout, "", "a signature is out");
}

#[test]
fn a_nonce_carries_one_payload() {
    let desk = Desk::new();
    let first = desk.sign(&payment(Some("A"), 17, 1), &[]);
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""));
    assert_eq!(fs::metadata(&desk.guard).expect("a guard").permissions().mode() & 0o777, 0o600);
    let entry = &desk.lines()[1]["signed"];
    let signed = &first.json()["transactions"][0];
    assert_eq!(entry["intentId"], "A");
    for member in ["chainId", "nonce", "purpose", "signingDigest"] {
        assert_eq!(entry["transactions"][0][member], signed[member], "{member}");
    }
    // The same again is the same bytes, and nothing new to remember.
    let before = fs::read(&desk.guard).expect("a guard");
    assert_eq!(desk.sign(&payment(Some("A"), 17, 1), &[]).stdout, first.stdout);
    assert_eq!(fs::read(&desk.guard).expect("a guard"), before);
    // Anything else with that nonce is refused, named or not, cancel included, and leaves no trace.
    let nonce = "/facts/transaction/nonce";
    refused(&desk.sign(&payment(Some("A"), 17, 2), &[]), "guard.nonce_used", nonce);
    refused(&desk.sign(&payment(Some("B"), 17, 2), &[]), "guard.nonce_used", nonce);
    refused(&desk.sign(&payment(None, 17, 2), &[]), "guard.nonce_used", nonce);
    let mut cancel = fixture("cancel", "cancel_l1_era_mainnet").json["request"].clone();
    cancel["facts"]["transaction"]["nonce"] = value!(17);
    refused(&desk.sign(&cancel, &[]), "guard.nonce_used", nonce);
    assert_eq!(fs::read(&desk.guard).expect("a guard"), before);
    // Other nonces are free, skipped ones too, and the same nonce on another chain.
    for nonce in [18, 20, 19, 3] {
        assert_eq!(desk.sign(&payment(None, nonce, 1), &[]).exit, 0, "{nonce}");
    }
    let elsewhere =
        changed("era_mainnet_typical", None, 17, |request| request["intent"]["network"] = value!("era-sepolia"));
    assert_eq!(desk.sign(&elsewhere, &[]).exit, 0);
    // A declared replacement is allowed, said, and remembered: afterwards both digests are known and no third one.
    let said = desk.sign(&cancel, &["--replace"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stderr.contains(signed["signingDigest"].as_str().expect("a digest")), "{}", said.stderr);
    assert_eq!(desk.sign(&cancel, &[]).exit, 0);
    assert_eq!(desk.sign(&payment(Some("A"), 17, 1), &[]).stdout, first.stdout);
    refused(&desk.sign(&payment(None, 17, 3), &[]), "guard.nonce_used", nonce);
}

#[test]
fn an_intent_is_paid_once() {
    let desk = Desk::new();
    assert_eq!(desk.sign(&payment(Some("A"), 17, 1), &[]).exit, 0);
    // With another nonce it would be paid twice, declared or not, on whichever chain.
    for more in [&[][..], &["--replace"]] {
        refused(&desk.sign(&payment(Some("A"), 18, 1), more), "guard.intent_used", "/intent/id");
    }
    let elsewhere = changed("era_mainnet_typical", Some("A"), 17, |r| r["intent"]["network"] = value!("era-sepolia"));
    refused(&desk.sign(&elsewhere, &[]), "guard.intent_used", "/intent/id");
    // At its own nonce the chain takes one of them.
    assert_eq!(desk.sign(&payment(Some("A"), 17, 2), &["--replace"]).exit, 0);
    // Somebody else's payload under this name is this intent's second payment too.
    assert_eq!(desk.sign(&payment(Some("B"), 30, 9), &[]).exit, 0);
    refused(&desk.sign(&payment(Some("A"), 30, 9), &[]), "guard.intent_used", "/intent/id");
    // Retired with a reason it may be paid again, once; the dead payloads stay known.
    let retire = |intent: &str, because: &str| {
        run(&["guard", "retire", text(&desk.guard), intent, "--because", because, "--json-errors"], "")
    };
    refused(&retire("C", "never signed"), "guard.intent_unknown", "");
    assert_eq!(retire("A", "").error()["code"], "json.text");
    assert_eq!(retire("A", "nonce 17 was taken by 0x12").exit, 0);
    refused(&retire("A", "again"), "guard.intent_unknown", "");
    assert_eq!(desk.sign(&payment(Some("A"), 18, 1), &[]).exit, 0);
    refused(&desk.sign(&payment(Some("A"), 19, 1), &[]), "guard.intent_used", "/intent/id");
    assert_eq!(desk.sign(&payment(Some("A"), 17, 1), &[]).exit, 0);
    let shown = run(&["guard", "show", text(&desk.guard)], "").stdout;
    assert!(shown.contains("retired    A: nonce 17 was taken by 0x12"), "{shown}");
}

/// The payment of a plan is its last transaction: a replacement that moves it would leave the old one alive.
#[test]
fn plans_are_reserved_as_one() {
    let desk = Desk::new();
    let token = "erc20_eth_based_era_mainnet";
    let plan = changed(token, Some("A"), 17, |_| {});
    let signed = desk.sign(&plan, &[]);
    let count = signed.json()["transactions"].as_array().expect("a plan").len();
    assert_eq!((signed.exit, count), (0, 2));
    let lines = desk.lines();
    assert_eq!(lines.len(), 2, "one line for all of it");
    assert_eq!(lines[1]["signed"]["transactions"].as_array().expect("a list").len(), 2);
    // One nonce of the two is enough to refuse all.
    refused(&desk.sign(&payment(Some("B"), 18, 1), &[]), "guard.nonce_used", "/facts/transaction/nonce");
    refused(&desk.sign(&changed(token, None, 16, |_| {}), &[]), "guard.nonce_used", "/facts/transaction/nonce");
    assert_eq!(desk.lines().len(), 2);
    // The approval is on the chain: what remains is known.
    let allowance = value!([{"token": plan["intent"]["operation"]["deposit"]["token"],
        "spender": signed_spender(&signed), "amount": plan["intent"]["operation"]["deposit"]["amount"]}]);
    let rest = |nonce: u64| {
        changed(token, Some("A"), nonce, |request| {
            request["facts"]["allowances"] = allowance.clone();
            request["facts"].as_object_mut().expect("facts").remove("approval");
        })
    };
    let said = desk.sign(&rest(18), &[]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_eq!(said.json()["transactions"][0], signed.json()["transactions"][1]);
    assert_eq!(desk.lines().len(), 2);
    // In the approval's place the payment would stand beside the old one.
    refused(&desk.sign(&rest(17), &["--replace"]), "guard.intent_used", "/intent/id");
}

fn signed_spender(signed: &Said) -> Value {
    let raw = run(&["review", "--json"], &signed.stdout).json();
    raw["transactions"][0]["action"]["approve"]["spender"].clone()
}

#[test]
fn after_a_loss_a_watermark_stands_for_what_is_not_known() {
    let desk = Desk::new();
    let from = "0x36615Cf349d7F6344891B1e7CA7C72883F5dc049";
    let repair = |nonce: &str| {
        let arguments = ["guard", "repair", text(&desk.guard), "--from", from, "--chain", "1", "--min-nonce", nonce];
        run(&arguments, "").stdout
    };
    assert_eq!(repair("18"), format!("watermark of {from} on chain 1: 18\n"));
    refused(&desk.sign(&payment(None, 17, 1), &["--replace"]), "guard.nonce_below", "/facts/transaction/nonce");
    assert_eq!(desk.sign(&payment(None, 18, 1), &[]).exit, 0);
    assert_eq!(repair("12"), format!("watermark of {from} on chain 1: 18\n"), "never lowered");
    assert_eq!(desk.lines().len(), 3);
    assert_eq!(repair("19"), format!("watermark of {from} on chain 1: 19\n"));
    // What is known stays so.
    assert_eq!(desk.sign(&payment(None, 18, 1), &[]).exit, 0);
    let typo =
        ["guard", "repair", text(&desk.guard), "--from", &from.to_lowercase(), "--chain", "1", "--min-nonce", "9"];
    assert_eq!(run(&typo, "").exit, 3);
}

#[test]
fn a_guard_moves_to_another_stick_and_forgets_nothing() {
    let (ours, theirs) = (Desk::new(), Desk::new());
    for (nonce, id) in [(1, "A"), (2, "B")] {
        assert_eq!(ours.sign(&payment(Some(id), nonce, 1), &[]).exit, 0);
    }
    let backup = ours.folder.join("backup.guard");
    assert_eq!(run(&["guard", "export", text(&ours.guard), "-o", text(&backup)], "").exit, 0);
    assert_eq!(fs::read(&backup).expect("a copy"), fs::read(&ours.guard).expect("a guard"));
    let import = |to: &Desk, from: &Path| run(&["guard", "import", text(&to.guard), text(from), "--json-errors"], "");
    assert_eq!(import(&theirs, &backup).stdout, "2 records added\n");
    assert_eq!(import(&theirs, &backup).stdout, "0 records added\n");
    assert_eq!(import(&theirs, &theirs.guard.clone()).stdout, "0 records added\n");
    refused(&theirs.sign(&payment(None, 1, 2), &[]), "guard.nonce_used", "/facts/transaction/nonce");
    // One goes on, replacements and retirements included, and the other learns of it.
    assert_eq!(theirs.sign(&payment(Some("A"), 1, 2), &["--replace"]).exit, 0);
    assert_eq!(run(&["guard", "retire", text(&theirs.guard), "B", "--because", "lost"], "").exit, 0);
    assert_eq!(theirs.sign(&payment(Some("B"), 3, 1), &[]).exit, 0);
    assert_eq!(import(&ours, &theirs.guard).stdout, "3 records added\n");
    refused(&ours.sign(&payment(Some("B"), 4, 1), &[]), "guard.intent_used", "/intent/id");
    // Both signed for one nonce, or for one intent, and neither knew: that is for a person to find out.
    assert_eq!(ours.sign(&payment(None, 5, 1), &[]).exit, 0);
    assert_eq!(theirs.sign(&payment(None, 5, 2), &[]).exit, 0);
    let before = fs::read(&ours.guard).expect("a guard");
    refused(&import(&ours, &theirs.guard), "guard.conflict", "");
    let (ours, theirs) = (Desk::new(), Desk::new());
    assert_eq!(ours.sign(&payment(Some("A"), 6, 1), &[]).exit, 0);
    assert_eq!(theirs.sign(&payment(Some("A"), 7, 1), &[]).exit, 0);
    refused(&import(&ours, &theirs.guard), "guard.conflict", "");
    assert_ne!(fs::read(&ours.guard).expect("a guard"), before);
    assert_eq!(ours.lines().len(), 2, "nothing was added");
    // A guard that is not there is no empty one.
    assert_eq!(run(&["guard", "show", text(&ours.folder.join("nothing"))], "").exit, 10);
}

/// A crash leaves the beginning of a line, cut anywhere, or room that was never written.
#[test]
fn a_torn_last_line_is_cut_off() {
    let desk = Desk::new();
    assert_eq!(desk.sign(&payment(Some("A"), 1, 1), &[]).exit, 0);
    let whole = fs::read(&desk.guard).expect("a guard");
    assert_eq!(desk.sign(&payment(Some("B"), 2, 1), &[]).exit, 0);
    let longer = fs::read(&desk.guard).expect("a guard");
    let first = whole.iter().position(|byte| *byte == b'\n').expect("a line");
    // Every length, by the library.
    for length in 0..=longer.len() {
        let (text, mut log) = (&longer[..length], Log::default());
        let read = log.read(text).expect("whole lines");
        let tail = log.end(&text[read..]).expect("a beginning");
        let is_end = |at: usize| longer.get(at) == Some(&b'\n');
        let expected = match length {
            0 => Tail::None,
            _ if is_end(length - 1) => Tail::None,
            _ if is_end(length) => Tail::Unended,
            _ => Tail::Torn,
        };
        assert_eq!(tail, expected, "{length}");
        let zeros = [text, &[0; 7]].concat();
        let mut log = Log::default();
        let read = log.read(&zeros).expect("whole lines");
        let tail = log.end(&zeros[read..]);
        if expected == Tail::Unended {
            assert!(tail.is_err(), "a line that may have been released is never cut off");
        } else {
            assert_eq!(tail, Ok(Tail::Torn), "{length}");
        }
    }
    // Some of them by the program, which says so and goes on.
    for length in [0, 1, first, whole.len() + 1, whole.len() + 100, longer.len() - 2] {
        fs::write(&desk.guard, &longer[..length]).expect("torn");
        let said = desk.sign(&payment(Some("C"), 2, 2), &[]);
        let is_torn = ![0, first].contains(&length);
        assert_eq!((said.exit, said.stderr.contains("unfinished line")), (0, is_torn), "{length}: {}", said.stderr);
        let kept = if length >= whole.len() { 3 } else { 2 };
        assert_eq!(desk.lines().len(), kept, "{length}");
        assert_eq!(run(&["guard", "show", text(&desk.guard)], "").exit, 0);
    }
    // The end of the last line is missing: the entry counts.
    fs::write(&desk.guard, &longer[..longer.len() - 1]).expect("unended");
    refused(&desk.sign(&payment(Some("C"), 2, 2), &[]), "guard.nonce_used", "/facts/transaction/nonce");
    assert_eq!(desk.sign(&payment(Some("C"), 3, 2), &[]).exit, 0);
    assert_eq!(desk.lines().len(), 4);
    // Looking changes nothing.
    fs::write(&desk.guard, &longer[..longer.len() - 9]).expect("torn");
    let said = run(&["guard", "show", text(&desk.guard)], "");
    assert!(said.exit == 0 && said.stderr.contains("not counted"), "{}", said.stderr);
    assert_eq!(fs::metadata(&desk.guard).expect("there").len(), u64::try_from(longer.len() - 9).expect("small"));
    assert_eq!(run(&["guard", "export", text(&desk.guard)], "").stdout.into_bytes(), whole);
}

/// Anything else that is wrong refuses: every bit of a guard, every line taken out, put twice or moved.
#[test]
fn a_guard_that_was_changed_is_refused() {
    let desk = Desk::new();
    assert_eq!(desk.sign(&payment(Some("A"), 1, 1), &[]).exit, 0);
    assert_eq!(desk.sign(&payment(None, 2, 1), &[]).exit, 0);
    assert_eq!(run(&["guard", "retire", text(&desk.guard), "A", "--because", "a test"], "").exit, 0);
    let repair = ["guard", "repair", text(&desk.guard), "--from", "0x36615Cf349d7F6344891B1e7CA7C72883F5dc049"];
    assert_eq!(run(&[&repair[..], &["--chain", "1", "--min-nonce", "1"]].concat(), "").exit, 0);
    let honest = fs::read(&desk.guard).expect("a guard");
    let judge = |text: &[u8]| {
        let mut log = Log::default();
        let read = log.read(text)?;
        log.end(&text[read..])
    };
    assert_eq!(judge(&honest), Ok(Tail::None));
    let mut flips = 0;
    for at in 0..honest.len() {
        for bit in 0..8 {
            let mut changed = honest.clone();
            changed[at] ^= 1 << bit;
            assert!(judge(&changed).is_err(), "bit {bit} of byte {at}");
            flips += 1;
        }
    }
    assert!(flips > 8_000, "{flips}");
    let lines: Vec<&[u8]> = honest.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() {
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        assert!(judge(&twice.concat()).is_err(), "line {at} twice");
        // Lines that are missing at the end can not be noticed.
        if at + 1 < lines.len() {
            let mut gone = lines.clone();
            gone.remove(at);
            assert!(judge(&gone.concat()).is_err(), "line {at} taken out");
            let mut moved = lines.clone();
            moved.swap(at, at + 1);
            assert!(judge(&moved.concat()).is_err(), "line {at} moved");
        }
    }
    // By the program: nothing is signed, nothing is mended.
    let mut failures = Failures::default();
    let cut = |from: usize, to: usize| [&honest[..from], &honest[to..]].concat();
    let end = honest.len();
    for (name, text) in [
        ("a line without its middle", cut(300, 320)),
        ("an empty line", [&honest[..], b"\n"].concat()),
        ("a second document", [&honest[..], b"{}\n"].concat()),
        ("text behind the last line", [&honest[..], b"oops"].concat()),
        ("a whole line and more", [&honest[..end - 1], b" x"].concat()),
        ("another file", b"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80".to_vec()),
        ("another file of lines", b"one\ntwo\n".to_vec()),
    ] {
        fs::write(&desk.guard, &text).expect("written");
        let said = desk.sign(&payment(None, 9, 1), &[]);
        failures.check(name, "code", &(said.exit, said.error()["code"].as_str()), &(9, Some("guard.corrupt")));
        failures.check(name, "file", &fs::read(&desk.guard).expect("there"), &text);
        failures.check(name, "show", &run(&["guard", "show", text_of(&desk)], "").exit, &9);
    }
    failures.finish();
}

fn text_of(desk: &Desk) -> &str {
    text(&desk.guard)
}

#[test]
fn a_guard_is_a_private_regular_file() {
    let desk = Desk::new();
    let sign = |guard: &Path| desk.sign(&payment(None, 1, 1), &["--guard", text(guard)]);
    let other = desk.folder.join("other.guard");
    assert_eq!(sign(&other).exit, 0);
    assert!(!desk.guard.exists(), "it is kept where it was said");
    for mode in [0o640, 0o606, 0o620] {
        fs::set_permissions(&other, fs::Permissions::from_mode(mode)).expect("public");
        refused(&sign(&other), "guard.permissions", "");
    }
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).expect("private");
    let link = desk.folder.join("link.guard");
    symlink(&other, &link).expect("a link");
    refused(&sign(&link), "guard.permissions", "");
    fs::remove_file(&link).expect("gone");
    symlink(desk.folder.join("nowhere"), &link).expect("a dangling link");
    refused(&sign(&link), "guard.permissions", "");
    assert!(!desk.folder.join("nowhere").exists());
    refused(&sign(&desk.folder), "guard.permissions", "");
    refused(&sign(Path::new("/dev/null")), "guard.permissions", "");
    // Where none can be made nothing is signed.
    let said = sign(&desk.folder.join("no/such/folder/guard"));
    assert_eq!((said.exit, said.error()["code"].as_str(), said.stdout.as_str()), (10, Some("io.write"), ""));
    // Held by somebody for too long.
    let holder = OpenOptions::new().write(true).open(&other).expect("there");
    holder.lock().expect("locked");
    let said = sign(&other);
    assert_eq!((said.exit, said.error()["code"].as_str()), (10, Some("guard.locked")));
    holder.unlock().expect("unlocked");
    assert_eq!(sign(&other).exit, 0);
}

#[test]
fn without_a_guard_it_is_said_once_and_only_when_something_is_signed() {
    let desk = Desk::new();
    let two = format!("{}\n{}\n", payment(None, 1, 1), payment(None, 1, 2));
    let sign = ["sign", "--yes", "--key", text(&desk.key), "--guard", "none"];
    let said = run(&sign, &two);
    assert_eq!((said.exit, said.stdout.lines().count(), said.stderr.matches("NO GUARD").count()), (0, 2, 1));
    assert!(!desk.guard.exists());
    let script = format!("{} sign --yes --key-fd 3 3< {}", common::program::PROGRAM, text(&desk.key));
    let shell = |input: &str| common::program::run_program("sh", &["-c", &script], input);
    let said = shell(&payment(None, 1, 1).to_string());
    assert!(said.exit == 0 && said.stderr.contains("NO GUARD (there is no key file"), "{}", said.stderr);
    assert!(!shell("{}").stderr.contains("GUARD"), "nothing would have been signed");
    // A file of that name is a file.
    let said = run(&["sign", "--yes", "--key", text(&desk.key), "--guard", text(&desk.folder.join("none"))], &two);
    assert_eq!((said.exit, desk.folder.join("none").exists()), (9, true));
}

#[test]
fn a_refused_request_or_key_leaves_no_entry() {
    let desk = Desk::new();
    let mut request = payment(None, 1, 1);
    request["facts"]["priorityRequest"]["l2GasLimit"] = value!(1);
    assert_eq!(desk.sign(&request, &[]).exit, 4);
    let mut request = payment(None, 1, 1);
    request["intent"]["from"] = value!("0xa61464658AfeAf65CccaaFD3a512b69A83B77618");
    request["intent"]["operation"]["deposit"]["to"] = value!("0x36615Cf349d7F6344891B1e7CA7C72883F5dc049");
    assert_eq!(desk.sign(&request, &[]).exit, 7);
    assert!(!desk.guard.exists(), "{:?}", fs::read_to_string(&desk.guard));
    // In a batch every line is asked for by itself.
    let batch = format!("{}\n{}\n{}\n", payment(None, 1, 1), payment(None, 1, 2), payment(None, 2, 1));
    let said = run(&["sign", "--yes", "--key", text(&desk.key)], &batch);
    let codes: Vec<Value> = said
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["error"]["code"].clone())
        .collect();
    assert_eq!((said.exit, codes), (9, vec![Value::Null, value!("guard.nonce_used"), Value::Null]));
    assert_eq!(desk.lines().len(), 3);
    // A file that grows while it is used is read on; one that is exchanged is refused.
    let mut child = common::program::start(&["sign", "--yes", "--key", text(&desk.key)]);
    let mut answers = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    let mut input = child.stdin.take().expect("piped");
    let mut ask = |request: &Value| {
        writeln!(input, "{request}").expect("it listens");
        let line = answers.next().expect("an answer").expect("text");
        serde_json::from_str::<Value>(&line).expect("JSON")
    };
    assert!(ask(&payment(None, 3, 1))["transactions"].is_array());
    assert_eq!(desk.sign(&payment(None, 4, 1), &[]).exit, 0);
    let answer = ask(&payment(None, 5, 1));
    assert!(answer["transactions"].is_array(), "{answer}");
    assert_eq!(ask(&payment(None, 4, 2))["error"]["code"], "guard.nonce_used");
    let copy = fs::read(&desk.guard).expect("a guard");
    fs::remove_file(&desk.guard).expect("gone");
    File::create(&desk.guard).expect("new").write_all(&copy).expect("written");
    fs::set_permissions(&desk.guard, fs::Permissions::from_mode(0o600)).expect("private");
    assert_eq!(ask(&payment(None, 6, 1))["error"]["code"], "guard.corrupt");
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(9));
}

/// Of several keys one has the guard, whichever is named first: another order is no way round it.
#[test]
fn the_order_of_the_keys_is_no_way_round_the_guard() {
    let folder = scratch();
    let two_owners = fixture("smart_account", "account_two_owners");
    let files: Vec<PathBuf> = ["first.key", "second.key"].iter().map(|name| folder.join(name)).collect();
    for (file, key) in files.iter().zip(two_owners.keys()) {
        fs::write(file, key).expect("written");
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("private");
    }
    let sign = |request: &Value, order: [usize; 2]| {
        let [first, second] = order.map(|index| text(&files[index]));
        run(&["sign", "--yes", "--json-errors", "--key", first, "--key", second], request.to_string())
    };
    let request = two_owners.json["request"].clone();
    let said = sign(&request, [0, 1]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let mut other = request.clone();
    other["intent"]["operation"]["withdraw"]["amount"] = value!("5");
    for order in [[1, 0], [0, 1]] {
        refused(&sign(&other, order), "guard.nonce_used", "/facts/transaction/nonce");
    }
    assert_eq!(sign(&request, [1, 0]).stdout, said.stdout);
}

/// An id that is longer than its line begins no line that looks like another record.
#[test]
fn a_long_id_looks_like_no_record() {
    let desk = Desk::new();
    let id = format!("PAY-1{}retired    PAY-2: never mined", " ".repeat(64));
    let said = desk.sign(&payment(Some(&id), 17, 5), &[]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let because = format!("x{}signed     PAY-3", "-".repeat(66));
    let retired = run(&["guard", "retire", text(&desk.guard), &id, "--because", &because], "");
    assert_eq!(retired.exit, 0, "{}", retired.stderr);
    let said = run(&["guard", "show", text(&desk.guard)], "");
    let records: Vec<&str> = said.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(records.len(), 2, "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.len() <= 80), "{}", said.stdout);
}

/// A request that can be read gives documents that can be read, or is refused for that before anything is written down.
#[test]
fn what_could_not_be_read_back_is_not_signed() {
    let desk = Desk::new();
    let fixture = fixture("policy", "call_any_function");
    let policy = desk.folder.join("policy.json");
    fs::write(&policy, fixture.json["policy"].to_string()).expect("written");
    let of_bytes = |count: usize| {
        let mut request = fixture.json["requests"][0].clone();
        request["intent"]["id"] = value!(format!("CALL-{count}"));
        request["facts"]["transaction"]["gasLimit"] = value!(70_000_000);
        request["intent"]["operation"]["call"]["calldata"] = value!(format!("0x{}", "ab".repeat(count)));
        request
    };
    let largest = of_bytes(524_000);
    assert!(largest.to_string().len() < 1024 * 1024, "the request is not too large");
    let said = desk.sign(&largest, &["--policy", text(&policy)]);
    assert_eq!((said.exit, said.error()["code"].as_str()), (3, Some("json.too_large")), "{}", said.stderr);
    assert!(!desk.guard.exists(), "no nonce is used up");
    let said = run(&["build", "--json-errors"], of_bytes(300_000).to_string());
    assert_eq!((said.exit, said.error()["code"].as_str()), (3, Some("json.too_large")), "{}", said.stderr);
    // What build writes is read, and what sign writes too.
    let said = run(&["build"], of_bytes(250_000).to_string());
    assert_eq!((said.exit, run(&["review", "--json"], said.stdout).exit), (0, 0), "{}", said.stderr);
    let said = desk.sign(&of_bytes(520_000), &["--policy", text(&policy)]);
    assert_eq!((said.exit, run(&["verify"], said.stdout).exit), (0, 0), "{}", said.stderr);
}
