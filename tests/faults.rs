//! A fault before and after each step of the signing order releases nothing: exit 8, an empty standard output, no file.
//!
//! Run with `cargo test --features fault-injection --test faults`. That the program as it ships can not be asked to corrupt
//! anything is shown in `tests/architecture.rs`.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coldbridge::fault::{Faults, Moment, Point, Step};
use coldbridge::{Key, Refusal, Released, Request, Spelling, Unsigned, json};
use common::{Failures, Fixture, fixture};

const PROGRAM: &str = env!("CARGO_BIN_EXE_coldbridge");

/// Each envelope, with and without extras, and a plan of two transactions.
fn plans() -> Vec<Fixture> {
    [
        ("deposit", "era_mainnet_typical"),
        ("deposit", "erc20_eth_based_era_mainnet"),
        ("approve", "approve_envelope_legacy"),
        ("approve", "approve_envelope_eip2930"),
        ("withdraw", "withdraw_era_mainnet_typical"),
    ]
    .map(|(folder, name)| fixture(folder, name))
    .into_iter()
    .chain([smart_account()])
    .collect()
}

/// The owners of a smart account.
fn owners() -> Vec<Key> {
    [b'1', b'2'].map(|digit| Key::from_hex(&[digit; 64]).expect("a key")).into()
}

/// A withdrawal from a smart account of two owners.
fn smart_account() -> Fixture {
    let mut fixture = fixture("withdraw", "withdraw_era_mainnet_typical");
    let intent = &mut fixture.json["request"]["intent"];
    let owners: Vec<String> = owners().iter().map(|key| key.address().to_string()).collect();
    intent["from"] = "0x8ba1f109551bD432803012645Ac136ddd64DBA72".into();
    intent["fromKind"] = "contract".into();
    intent["signers"] = owners.into();
    fixture.name.push_str(" of a smart account");
    fixture
}

fn plan(fixture: &Fixture) -> Unsigned {
    let text = fixture.request_text();
    let request = json::parse(text.as_bytes()).expect("JSON");
    Request::read(&request, &fixture.networks(), Spelling::Checksummed).and_then(Request::plan).expect("a plan")
}

fn sign(fixture: &Fixture, faults: Faults) -> Result<Released, Refusal> {
    let has_owners = fixture.json["request"]["intent"]["signers"].is_array();
    let keys = if has_owners { owners() } else { vec![Key::from_hex(fixture.key().as_bytes()).expect("a key")] };
    plan(fixture).ready_with(faults)?.sign(&keys.iter().collect::<Vec<_>>())
}

/// Every step, both moments, every transaction of the plan, and bits all over the value.
#[test]
fn a_fault_at_any_step_releases_nothing() {
    let mut failures = Failures::default();
    let mut codes = BTreeSet::new();
    for fixture in plans() {
        assert!(sign(&fixture, Faults::default()).is_ok(), "{}: signed without a fault", fixture.name);
        let count = plan(&fixture).transactions().len();
        for &step in Step::ALL {
            for moment in [Moment::Before, Moment::After] {
                for transaction in 0..if step == Step::Document { 1 } else { count } {
                    for bit in [0, 1, 2, 3, 4, 5, 77, 255, 256, 300, 511, 1000, 1603, 2405] {
                        let point = Point { step, moment, transaction, bit };
                        match sign(&fixture, Faults::at(point)) {
                            Ok(_) => failures.fail(&fixture.name, format!("released after {point:?}")),
                            Err(refusal) => {
                                failures.check(&fixture.name, &format!("{point:?}"), &refusal.exit().code(), &8);
                                codes.insert(refusal.code().name);
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(codes, BTreeSet::from(["fault.encoding", "fault.plan", "fault.signature"]));
    assert!(failures.passed > 2000, "only {} faults were injected", failures.passed);
    failures.finish();
}

/// All 768 bits of signature and digest: r, s and the digest that the key is given.
#[test]
fn each_bit_of_signature_and_digest() {
    let mut failures = Failures::default();
    let fixture = fixture("deposit", "era_mainnet_typical");
    for (step, moment, bits) in [(Step::Sign, Moment::After, 512), (Step::Sign, Moment::Before, 256)] {
        for bit in 0..bits {
            let point = Point { step, moment, transaction: 0, bit };
            let refused = sign(&fixture, Faults::at(point)).err().map(|refusal| refusal.code().name);
            failures.check(&fixture.name, &format!("{point:?}"), &refused, &Some("fault.signature"));
        }
    }
    assert_eq!(failures.passed, 768);
    failures.finish();
}

/// The program: exit 8, nothing on standard output, no file.
#[test]
fn the_program_writes_nothing() {
    let mut failures = Failures::default();
    let fixture = fixture("deposit", "erc20_eth_based_era_mainnet");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a scratch folder");
    let key = folder.join("account.key");
    fs::write(&key, fixture.key()).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("private");
    let request = folder.join("request.json");
    fs::write(&request, fixture.request_text()).expect("written");
    let run = |fault: Option<&str>, output: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["sign", "--yes", "--json-errors", "--key"]).args([&key, &request]).args(output);
        command.envs(fault.map(|fault| ("COLDBRIDGE_INJECT_FAULT", fault))).stdin(Stdio::null());
        command.output().expect("the program runs")
    };
    let program = fs::read(PROGRAM).expect("the program");
    let asked = b"COLDBRIDGE_INJECT_FAULT";
    assert!(program.windows(asked.len()).any(|window| window == asked), "what tests/architecture.rs looks for");
    let honest = run(None, &[]);
    assert_eq!(honest.status.code(), Some(0), "{}", String::from_utf8_lossy(&honest.stderr));
    assert!(!honest.stdout.is_empty());
    let names = || {
        let mut names: Vec<PathBuf> =
            fs::read_dir(&folder).expect("there").map(|entry| entry.expect("it").path()).collect();
        names.sort();
        names
    };
    let guard = folder.join("account.key.guard");
    assert!(guard.exists(), "the honest run wrote its record");
    fs::remove_file(&guard).expect("removed");
    let before = names();
    let output = folder.join("signed.json");
    for &step in Step::ALL {
        for moment in ["before", "after"] {
            let last = usize::from(step != Step::Document);
            let fault = format!("{step:?}:{moment}:{last}:3");
            for arguments in [&[][..], &["-o", output.to_str().expect("plain")]] {
                let said = run(Some(&fault), arguments);
                failures.check(&fault, "exit", &said.status.code(), &Some(8));
                failures.check(&fault, "stdout", &said.stdout, &Vec::<u8>::new());
                // The record may be there, from the moment where the key is used on: it says what might have left.
                let signs = Step::ALL.iter().position(|other| *other == step)
                    >= Step::ALL.iter().position(|other| *other == Step::Sign);
                failures.check(&fault, "record", &guard.exists(), &signs);
                let _ = fs::remove_file(&guard);
                failures.check(&fault, "files", &names(), &before);
                let text = String::from_utf8(said.stderr).expect("text");
                failures.check(&fault, "code", &text.contains("\"code\":\"fault."), &true);
            }
        }
    }
    failures.finish();
}
