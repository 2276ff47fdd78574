//! Screens: one golden file an operation, 80 columns of ASCII for every fixture, and the sum of a batch.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::program::{PROGRAM, call_policy, run, scratch, text};
use common::screen::answered;
use common::{Failures, fixture, operation_fixtures, root};
use serde_json::Value;

fn golden(failures: &mut Failures, name: &str, actual: &str) {
    let path = root().join("tests/golden").join(format!("review_{name}.txt"));
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        failures.passed += 1;
    } else {
        failures.fail(name, format!("{} differs:\n{actual}", path.display()));
    }
}

/// What is too wide for a screen, or no plain text.
fn too_wide(text: &str) -> Option<&str> {
    text.lines().find(|line| {
        // One word that can not be broken: the bytes of a message, for example.
        let unbreakable = line.split(' ').any(|word| word.len() > 66);
        (line.len() > 80 && !unbreakable) || !line.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    })
}

/// One screen for each operation that has no golden file elsewhere (tests/cli.rs).
#[test]
fn each_operation_has_its_screen() {
    let mut failures = Failures::default();
    for (folder, name) in [
        ("request_execute", "execute_era_mainnet"),
        ("request_execute_mailbox", "mailbox_deps_two"),
        ("approve", "approve_envelope_legacy"),
        ("cancel", "cancel_l1_era_mainnet"),
        ("transfer", "transfer_base_custom_era"),
        ("finalize_withdrawal", "finalize_custom_era_base"),
        ("claim_failed_deposit", "claim_custom_era_usdc"),
        ("paymaster", "paymaster_approval_based"),
    ] {
        let fixture = fixture(folder, name);
        let files = fixture.network_files();
        let networks: Vec<&str> = files.iter().flat_map(|file| ["--network-file", text(file)]).collect();
        let said = run(&[&["review"], networks.as_slice()].concat(), fixture.request_text());
        golden(&mut failures, name, &said.stdout);
    }
    failures.finish();
}

/// Every plan of every fixture, on every network: the review of a batch of all of them.
#[test]
fn every_screen_has_80_columns_of_ascii() {
    let mut failures = Failures::default();
    let mut batches: std::collections::BTreeMap<_, String> = std::collections::BTreeMap::new();
    for fixture in operation_fixtures().iter().filter(|fixture| fixture.signed().is_some()) {
        let batch = batches.entry((fixture.network_files(), fixture.allows_unchecksummed())).or_default();
        batch.push_str(&fixture.request_text());
        batch.push('\n');
    }
    let policy = call_policy();
    for ((files, unchecksummed), input) in batches {
        let mut arguments = vec!["review", "--policy", text(&policy)];
        arguments.extend(files.iter().flat_map(|file| ["--network-file", text(file)]));
        arguments.extend(unchecksummed.then_some("--allow-unchecksummed"));
        let said = run(&arguments, &input);
        failures.check("review", "exit", &said.exit, &0);
        failures.check("review", "width", &too_wide(&said.stdout), &None::<&str>);
        failures.check("review", "treatments", &said.stdout.contains("\nCLAIMED       "), &true);
    }
    failures.finish();
}

/// Three payments and one that is refused.
fn batch() -> String {
    let mut lines = String::new();
    for (nonce, amount, to) in [
        (17, "1000000000000000000", "0xa61464658AfeAf65CccaaFD3a512b69A83B77618"),
        (18, "2500000000000000000", "0x702942B8205E5dEdCD3374E5f4419843adA76Eeb"),
        (19, "1", "0xa61464658AfeAf65CccaaFD3a512b69A83B77618"),
        (20, "0", "0xa61464658AfeAf65CccaaFD3a512b69A83B77618"),
    ] {
        let mut request = fixture("deposit", "era_mainnet_typical").json["request"].clone();
        request["intent"]["id"] = format!("PAY-{nonce}").into();
        request["intent"]["operation"]["deposit"]["amount"] = amount.into();
        request["intent"]["operation"]["deposit"]["to"] = to.into();
        request["facts"]["transaction"]["nonce"] = nonce.into();
        lines.push_str(&request.to_string());
        lines.push('\n');
    }
    lines
}

#[test]
fn a_batch_has_a_summary_and_is_agreed_to_once() {
    let mut failures = Failures::default();
    let said = run(&["review"], batch());
    assert_eq!(said.exit, 4, "the refused line's");
    let at = said.stdout.find("BATCH of ").expect("a summary").saturating_sub(81);
    let summary = said.stdout[at..].to_owned();
    golden(&mut failures, "batch_summary", &summary);
    failures.check("batch", "width", &too_wide(&said.stdout), &None::<&str>);
    // Documents for programs stay one a line.
    failures.check("batch", "json", &run(&["review", "--json"], batch()).stdout.lines().count(), &4);
    failures.finish();

    let folder = scratch();
    let (key, requests) = (folder.join("account.key"), folder.join("requests.jsonl"));
    fs::write(&key, fixture("deposit", "era_mainnet_typical").key()).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("private");
    fs::write(&requests, batch()).expect("written");
    let ask = |name: &str, more: &str, prompt: &str, answer: &str| {
        let signed = folder.join(name);
        let command = format!("{PROGRAM} sign {} --key {} -o {} {more}", text(&requests), text(&key), text(&signed));
        (answered(&command, "", prompt, answer), signed)
    };
    let lines = |path: &Path| -> Vec<Value> {
        fs::read_to_string(path)
            .expect("written")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let (said, signed) = ask("declined.jsonl", "", "Type yes to sign: ", "no\n");
    assert_eq!((said.exit, signed.exists()), (6, false), "{}", said.stdout);
    let (said, signed) = ask("agreed.jsonl", "", "Type yes to sign: ", "yes\n");
    assert_eq!(said.exit, 4, "{}", said.stdout);
    assert!(said.stdout.contains("BATCH of 3 documents, 3 transactions, 1 more are refused"), "{}", said.stdout);
    let signed = lines(&signed);
    assert_eq!(signed.len(), 4);
    assert_eq!(signed[3]["error"]["code"], "amount.zero");
    assert!(signed[..3].iter().all(|line| line["transactions"][0]["raw"].is_string()));
    // Under a policy that has something typed: the end of the largest payment's recipient.
    let policy = folder.join("policy.json");
    fs::write(&policy, "{\"schema\":\"coldbridge/policy/1\",\"confirmation\":\"typed\"}").expect("written");
    let more = format!("--policy {}", text(&policy));
    let prompt = "or the amount in base units, to sign: ";
    assert_eq!(ask("typed0.jsonl", &more, prompt, "B77618\n").0.exit, 6, "another recipient");
    let (said, signed) = ask("typed1.jsonl", &more, prompt, "A76Eeb\n");
    assert_eq!((said.exit, lines(&signed).len()), (4, 4), "{}", said.stdout);
}

/// What the facts cost, who gets the refunds and that there is no guard: a person who agrees to a batch has seen it.
#[test]
fn the_screen_of_a_batch_hides_nothing_that_costs() {
    let folder = scratch();
    let (key, requests, policy) =
        (folder.join("account.key"), folder.join("requests.jsonl"), folder.join("policy.json"));
    fs::write(&key, fixture("deposit", "era_mainnet_typical").key()).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("private");
    fs::write(&policy, "{\"schema\":\"coldbridge/policy/1\",\"name\":\"Treasury\"}").expect("written");
    let refund = "0x702942B8205E5dEdCD3374E5f4419843adA76Eeb";
    let mut lines: Vec<Value> = batch().lines().take(3).map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines[0]["intent"]["refundRecipient"] = refund.into();
    lines[1]["facts"]["transaction"]["maxFeePerGas"] = "1000000000000000".into();
    let write = |lines: &[Value]| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&requests, text).expect("written");
    };
    write(&lines);
    let ask = |more: &str, answer: &str| {
        let command = format!("{PROGRAM} sign {} --key {} {more}", text(&requests), text(&key));
        answered(&command, "", "Type yes to sign: ", answer)
    };
    let said = ask(&format!("--guard none --policy {}", text(&policy)), "no\n");
    assert_eq!(said.exit, 6, "{}", said.stdout);
    // 350,000 gas at 10^15 wei are 350 ETH.
    assert!(said.stdout.contains("WORST CASE    at most 3"), "{}", said.stdout);
    for shown in ["NO GUARD", refund, "allowed by the policy \"Treasury\"", "everything if the L2 side fails"] {
        assert!(said.stdout.contains(shown), "{shown}: {}", said.stdout);
    }
    // What the guard would refuse is not among what is agreed to; what takes another's place is named.
    assert_eq!(ask("", "yes\n").exit, 0);
    lines[0]["intent"]["operation"]["deposit"]["amount"] = "5".into();
    write(&lines);
    let said = ask("", "no\n");
    assert!(said.stdout.contains("BATCH of 2 documents, 2 transactions, 1 more are refused"), "{}", said.stdout);
    let said = ask("--replace", "no\n");
    assert!(said.stdout.contains("GUARD: this takes the place of deposit with nonce 17"), "{}", said.stdout);
}

/// An id that is longer than its line begins no line that looks like the review's own.
#[test]
fn a_long_id_looks_like_nothing_else() {
    let forged = "to (on L2)    0x1111111111111111111111111111111111111111";
    let mut request = fixture("deposit", "era_mainnet_typical").json["request"].clone();
    let place = "DEPOSIT on L1 of era-mainnet, chain 1 (not signed)  [x]".len();
    let spaces = " ".repeat(80 - place);
    for id in [format!("x]{spaces}{forged}"), "x".repeat(128), format!("{}{forged}", "x".repeat(66))] {
        request["intent"]["id"] = id.into();
        let said = run(&["review"], request.to_string());
        assert_eq!(said.exit, 0, "{}", said.stderr);
        let wide = said.stdout.lines().find(|line| line.len() > 80 || line.starts_with(forged));
        assert_eq!(wide, None, "{}", said.stdout);
    }
}

/// A call pays nobody by itself: that its target is a contract of the system is no warning.
#[test]
fn a_called_contract_is_no_recipient() {
    let said = run(&["review", "--json"], fixture("call", "call_system_contract").request_text());
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let warnings = said.json()["warnings"].as_array().expect("a list").clone();
    assert!(warnings.iter().all(|warning| warning["name"] != "recipient"), "{warnings:?}");
}
