//! The program, as its users run it: the same fixtures as `tests/fixtures.rs`, files, keys, batches and exit codes.

#![allow(clippy::disallowed_types)] // one test hands a key over a socket

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::program::{PROGRAM, Said, call_policy, run, run_program, scratch, text};
use common::{Failures, Fixture, fixture, operation_fixtures};
use serde_json::Value;

/// A key file that the program takes.
fn key_file(text: &str) -> PathBuf {
    let path = scratch().join("account.key");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("private");
    path
}

fn typical() -> Fixture {
    fixture("deposit", "era_mainnet_typical")
}

/// What only a smart account can judge comes from elsewhere: tests/external.rs.
fn signed_by_its_key(fixture: &Fixture) -> bool {
    fixture.signed().is_some() && fixture.account_signature().is_none()
}

#[test]
fn signed_cases_in_one_batch_give_the_bytes_of_the_other_implementations() {
    let mut failures = Failures::default();
    // One run for each key and each set of switches; the documents of a run are the lines of its input.
    let mut batches: BTreeMap<(Vec<String>, bool, Vec<PathBuf>), Vec<Fixture>> = BTreeMap::new();
    for fixture in operation_fixtures().into_iter().filter(signed_by_its_key) {
        let switches = (fixture.keys(), fixture.allows_unchecksummed(), fixture.network_files());
        batches.entry(switches).or_default().push(fixture);
    }
    let calls = call_policy();
    for ((keys, unchecksummed, files), fixtures) in batches {
        let keys: Vec<PathBuf> = keys.iter().map(|key| key_file(key)).collect();
        let input: String = fixtures.iter().map(|fixture| format!("{}\n", fixture.request_text())).collect();
        let networks: Vec<&str> = files.iter().flat_map(|file| ["--network-file", text(file)]).collect();
        let with = |command: &[&str], input: &str| run(&[command, &networks].concat(), input);
        let switch: &[&str] = if unchecksummed { &["--allow-unchecksummed"] } else { &[] };
        // These are cases and no history: the same nonces again and again.
        let keys = keys.iter().flat_map(|key| ["--key", text(key)]);
        let sign: Vec<&str> =
            ["sign", "--yes", "--guard", "none", "--policy", text(&calls)].into_iter().chain(keys).collect();
        let said = with(&[&sign, switch].concat(), &input);
        assert_eq!(said.exit, 0, "{} {}", said.stderr, said.stdout);
        let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), fixtures.len());
        let list = |value: &Value| value["transactions"].as_array().expect("a list").clone();
        for (fixture, signed) in fixtures.iter().zip(&lines) {
            let expected = list(fixture.signed().expect("signed"));
            failures.check(&fixture.name, "count", &list(signed).len(), &expected.len());
            for (signed, expected) in list(signed).iter().zip(&expected) {
                for member in ["raw", "hash", "signingDigest", "signature"] {
                    failures.check(&fixture.name, member, &signed[member], &expected[member]);
                }
            }
        }
        // build -> sign is the same as sign.
        let built = with(&[&["build"], switch].concat(), &input);
        assert_eq!(built.exit, 0, "{}", built.stderr);
        let from_unsigned = with(&sign, &built.stdout);
        failures.check("build | sign", "stdout", &from_unsigned.stdout, &said.stdout);
        // and what was signed verifies.
        failures.check("verify", "exit", &with(&["verify"], &said.stdout).exit, &0);
        let raw = with(&["verify", "--raw"], &said.stdout);
        let expected: String = lines
            .iter()
            .flat_map(list)
            .map(|transaction| format!("{}\n", transaction["raw"].as_str().expect("hex")))
            .collect();
        failures.check("verify --raw", "stdout", &raw.stdout, &expected);
        // The review of the raw bytes recovers the same hash and signer, and every field.
        let named = fixtures.iter().flat_map(|fixture| {
            list(fixture.signed().expect("signed")).into_iter().map(|expected| (fixture.name.clone(), expected))
        });
        let reviews = with(&["review", "--json"], &raw.stdout);
        for ((name, expected), line) in named.zip(reviews.stdout.lines()) {
            let review: Value = serde_json::from_str(line).expect("JSON");
            let reviewed = &review["transactions"][0];
            failures.check(&name, "review hash", &reviewed["hash"], &expected["hash"]);
            let is_own = expected["signature"]["r"].is_string();
            let signer = if is_own { &expected["unsigned"]["from"] } else { &reviewed["signer"] };
            failures.check(&name, "review signer", &reviewed["signer"], signer);
            for (member, expected) in expected["unsigned"].as_object().expect("fields") {
                if member != "purpose" {
                    failures.check(&name, member, &reviewed[member], expected);
                }
            }
        }
    }
    failures.finish();
}

/// The plan of a contract goes to its owners as a batch, and is signed by nobody here.
#[test]
fn contract_senders_get_a_safe_batch() {
    let mut failures = Failures::default();
    for fixture in operation_fixtures().iter().filter(|fixture| fixture.exported().is_some()) {
        let files = fixture.network_files();
        let networks: Vec<&str> = files.iter().flat_map(|file| ["--network-file", text(file)]).collect();
        let exported = run(&[&["export", "--safe-batch"], networks.as_slice()].concat(), fixture.request_text());
        let expected = &fixture.exported().expect("exported")["safeBatch"];
        failures.check(&fixture.name, "batch", &exported.json(), expected);
        let key = key_file(&fixture.key());
        let sign = ["sign", "--yes", "--json-errors", "--key", text(&key)];
        let said = run(&[&sign, networks.as_slice()].concat(), fixture.request_text());
        failures.check(&fixture.name, "sign", &said.error()["code"], &Value::from("sign.contract_sender"));
    }
    failures.finish();
    let said = run(&["export", "--safe-batch", "--json-errors"], typical().request_text());
    assert_eq!((said.exit, said.error()["code"].as_str()), (4, Some("export.not_contract")));
}

#[test]
fn refused_cases_have_their_exit_code_and_error_document() {
    let mut failures = Failures::default();
    for fixture in operation_fixtures().iter().filter(|fixture| fixture.refused().is_some()) {
        let expected = fixture.refused().expect("refused");
        let keys: Vec<PathBuf> = fixture.keys().iter().map(|key| key_file(key)).collect();
        let keys = keys.iter().flat_map(|key| ["--key", text(key)]);
        let files = fixture.network_files();
        let networks: Vec<&str> = files.iter().flat_map(|file| ["--network-file", text(file)]).collect();
        let sign: Vec<&str> = ["sign", "--yes", "--json-errors"].into_iter().chain(keys).collect();
        let said = run(&[&sign, networks.as_slice()].concat(), fixture.request_text());
        failures.check(&fixture.name, "exit", &i64::from(said.exit), &expected["exit"].as_i64().expect("a code"));
        failures.check(&fixture.name, "stdout", &said.stdout, &String::new());
        let error = said.error();
        for member in ["code", "exit", "at"] {
            failures.check(&fixture.name, member, &error[member], &expected[member]);
        }
        for member in ["message", "remedy"] {
            failures.check(&fixture.name, member, &error[member].as_str().is_some_and(|text| !text.is_empty()), &true);
        }
    }
    failures.finish();
}

#[test]
fn a_batch_answers_every_line_in_order_and_ends_with_the_first_refused_lines_code() {
    let good = typical().request_text();
    let late = fixture("deposit", "l2_gas_below_floor_refused").request_text();
    let unreadable = "{\"schema\":1.5}";
    let input = format!("{good}\n\n{late}\n{unreadable}\n   \n{good}\n");
    let said = run(&["build"], &input);
    assert_eq!(said.exit, 4, "the first refused line's");
    let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], lines[3]);
    assert_eq!(lines[1]["error"]["code"], "priority.gas_floor");
    assert_eq!(lines[2]["error"]["code"], "json.number");

    // One document, however its line ends; and one document over many lines.
    for input in [good.clone(), format!("\n{good}\n\n"), format!("{good}\r\n")] {
        assert_eq!(run(&["build"], &input).exit, 0);
    }
    let pretty = serde_json::to_string_pretty(&typical().json["request"]).expect("JSON");
    assert_eq!(run(&["build"], &pretty).stdout, format!("{}\n", said.stdout.lines().next().expect("a line")));
    // What follows a document in many lines is not a batch.
    assert_eq!(run(&["build", "--json-errors"], format!("{pretty}\n{good}\n")).error()["code"], "json.trailing");
    // An error in the first line of many is the error of one document.
    assert_eq!(run(&["build"], "{\n").exit, 3);
    assert_eq!(run(&["build"], "").exit, 3);
}

#[test]
fn sizes_and_depths_have_exact_limits() {
    let limit = 1024 * 1024;
    let request = typical().request_text();
    let padded = |length: usize| format!("{}{request}", " ".repeat(length - request.len()));
    assert_eq!(run(&["build"], padded(limit)).exit, 0);
    let said = run(&["build", "--json-errors"], padded(limit + 1));
    assert_eq!((said.exit, said.error()["code"].as_str()), (3, Some("json.too_large")));
    // Also spread over lines, and as a line of a batch.
    let said = run(&["build", "--json-errors"], format!("{}{request}", " \n".repeat(limit)));
    assert_eq!((said.exit, said.error()["code"].as_str()), (3, Some("json.too_large")), "{}", said.stdout);
    let said = run(&["build"], format!("{request}\n{}\n{request}\n", padded(3 * limit)));
    assert_eq!(said.exit, 3);
    let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[1]["error"]["code"]), (3, &Value::from("json.too_large")));
    assert_eq!(lines[0], lines[2]);
    // An endless line is refused, not waited for.
    assert_eq!(run(&["build", "/dev/zero"], "").exit, 3);
    let bomb = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let said = run(&["build", "--json-errors"], &bomb);
    assert_eq!((said.exit, said.error()["code"].as_str()), (3, Some("json.too_deep")));
    let said = run(&["build", "--json-errors"], b"{\"schema\":\"\xff\"}");
    assert_eq!((said.exit, said.error()["code"].as_str()), (3, Some("json.encoding")));
}

#[test]
fn an_output_file_is_private_complete_and_never_overwritten() {
    let folder = scratch();
    let output = folder.join("unsigned.json");
    let said = run(&["build", "-o", text(&output)], typical().request_text());
    assert_eq!((said.exit, said.stdout.as_str()), (0, ""), "{}", said.stderr);
    let written = fs::read_to_string(&output).expect("written");
    assert_eq!(written, run(&["build"], typical().request_text()).stdout);
    assert_eq!(fs::metadata(&output).expect("there").permissions().mode() & 0o777, 0o600);

    let said =
        run(&["build", "--json-errors", "-o", text(&output)], fixture("deposit", "local_typical").request_text());
    assert_eq!((said.exit, said.error()["code"].as_str()), (10, Some("io.exists")));
    assert_eq!(fs::read_to_string(&output).expect("there"), written);
    // Also not through a symbolic link, dangling or not.
    let link = folder.join("link.json");
    symlink(folder.join("nowhere"), &link).expect("a link");
    assert_eq!(run(&["build", "-o", text(&link)], typical().request_text()).exit, 10);
    // A refusal leaves nothing behind.
    let refused = folder.join("refused.json");
    assert_eq!(run(&["build", "-o", text(&refused)], fixture("deposit", "amount_zero_refused").request_text()).exit, 4);
    assert_eq!(run(&["build", "-o", text(&folder.join("no/such/folder"))], typical().request_text()).exit, 10);
    let mut names: Vec<_> =
        fs::read_dir(&folder).expect("there").map(|entry| entry.expect("entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["link.json", "unsigned.json"]);
    // A full disk is an error, not a short answer.
    let full = Command::new(PROGRAM)
        .args(["network", "show", "local", "--json-errors"])
        .stdout(fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux"))
        .output()
        .expect("runs");
    let full = Said::of(full);
    assert_eq!((full.exit, full.error()["code"].as_str()), (10, Some("io.write")));
}

/// A machine without /proc has no way to name a file that has no name: there it has one from the beginning.
#[test]
fn an_output_file_needs_no_proc() {
    let folder = scratch();
    let (request, output) = (folder.join("request.json"), folder.join("unsigned.json"));
    fs::write(&request, typical().request_text()).expect("written");
    let arguments =
        ["--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh", PROGRAM];
    let build = ["build", text(&request), "-o", text(&output)];
    let said = run_program("unshare", &[&arguments[..], &build].concat(), "");
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_eq!(fs::metadata(&output).expect("written").permissions().mode() & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(&folder).expect("there").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!(names.len(), 2, "nothing else stays behind: {names:?}");
    assert_eq!(run_program("unshare", &[&arguments[..], &build].concat(), "").exit, 10, "never overwritten");
}

#[test]
fn keys_come_from_private_regular_files_or_descriptors_only() {
    let secret = typical().key();
    let digits = secret.trim().trim_start_matches("0x");
    let private = key_file(&secret);
    let folder = private.parent().expect("a folder");
    let address = |arguments: &[&str]| run(&[&["key", "address"], arguments].concat(), "");
    let expected = "0x36615Cf349d7F6344891B1e7CA7C72883F5dc049\n";
    assert_eq!(address(&["--key", text(&private)]).stdout, expected);
    for form in [digits.to_owned(), format!("{digits}\n"), format!("0x{digits}\r\n"), digits.to_uppercase()] {
        assert_eq!(address(&["--key", text(&key_file(&form))]).stdout, expected);
    }
    // Through a descriptor no permission is asked for: whoever opened it has been asked.
    fs::set_permissions(&private, fs::Permissions::from_mode(0o644)).expect("public");
    let script = format!("{PROGRAM} key address --key-fd 3 3< {}", text(&private));
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert_eq!(Said::of(output).stdout, expected);
    let script = format!("cat {} | {PROGRAM} key address --key-fd 0", text(&private));
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert_eq!(Said::of(output).stdout, expected);

    // Node's pipes to a child are sockets.
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a pair");
    (&ours).write_all(secret.as_bytes()).expect("written");
    drop(ours);
    let output = Command::new(PROGRAM)
        .args(["key", "address", "--key-fd", "0"])
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
        .output()
        .expect("the program runs");
    assert_eq!(Said::of(output).stdout, expected);

    let mut failures = Failures::default();
    let mut refused = |name: &str, arguments: &[&str], code: &str, exit: i32| {
        let said = run(&[&["key", "address", "--json-errors"], arguments].concat(), "");
        failures.check(name, "code", &(said.exit, said.error()["code"].as_str()), &(exit, Some(code)));
        if said.stderr.contains(&digits[..16]) || said.stdout.contains(&digits[..16]) {
            failures.fail(name, "the key was printed");
        }
    };
    refused("readable by others", &["--key", text(&private)], "key.permissions", 7);
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).expect("private");
    let link = folder.join("link");
    symlink(&private, &link).expect("a link");
    refused("symbolic link", &["--key", text(&link)], "key.unreadable", 7);
    refused("a folder", &["--key", text(folder)], "key.permissions", 7);
    refused("not there", &["--key", text(&folder.join("nothing"))], "key.unreadable", 7);
    refused("a device", &["--key", "/dev/zero"], "key.permissions", 7);
    refused("closed descriptor", &["--key-fd", "77"], "key.unreadable", 7);
    refused("standard output", &["--key-fd", "1"], "usage.command", 2);
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for (name, content) in [
        ("short", &digits[1..]),
        ("long", &format!("{digits}0")),
        ("two lines", &format!("{digits}\n{digits}\n")),
        ("two line ends", &format!("{digits}\n\n")),
        ("a space", &format!(" {digits}")),
        ("not hex", &format!("{}g", &digits[1..])),
        ("zero", &"0".repeat(64)),
        ("the order", order),
        ("empty", ""),
        ("much too long", &digits.repeat(100)),
    ] {
        refused(name, &["--key", text(&key_file(content))], "key.format", 7);
    }
    failures.finish();
    // Neither the command line nor the environment can hold a key.
    for arguments in
        [&["sign", "--private-key", "0x1"][..], &["sign", "--key"], &["sign"], &["sign", "--key", "a", "--key-fd", "3"]]
    {
        assert_eq!(run(arguments, "").exit, 2, "{arguments:?}");
    }
}

#[test]
fn the_document_and_the_key_can_not_both_be_standard_input() {
    let said = run(&["sign", "--key-fd", "0", "--yes", "--json-errors"], typical().request_text());
    assert_eq!((said.exit, said.error()["code"].as_str()), (2, Some("usage.command")));
}

#[test]
fn signing_asks_on_the_terminal() {
    let folder = scratch();
    let key = key_file(&typical().key());
    let request = folder.join("request.json");
    fs::write(&request, typical().request_text()).expect("written");
    // Without a terminal nobody can agree. A session of its own has none.
    let output = Command::new("setsid")
        .args(["--wait", PROGRAM, "sign", text(&request), "--json-errors", "--key", text(&key)])
        .stdin(Stdio::null())
        .output()
        .expect("setsid of util-linux: apt-get install util-linux");
    let said = Said::of(output);
    assert_eq!((said.exit, said.error()["code"].as_str(), said.stdout.as_str()), (6, Some("sign.declined"), ""));

    let ask = |typed_ahead: &str, answer: &str, name: &str| {
        let signed = folder.join(name);
        // What is typed ahead is there before the program is.
        let command = format!("sleep 0.4; {PROGRAM} sign {} --key {} -o {}", text(&request), text(&key), text(&signed));
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script of util-linux: apt-get install bsdutils");
        let mut terminal = child.stdin.take().expect("piped");
        let mut screen = child.stdout.take().expect("piped");
        terminal.write_all(typed_ahead.as_bytes()).expect("typed ahead");
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains("Type yes to sign: ") {
            let mut byte = [0];
            assert_eq!(screen.read(&mut byte).expect("a screen"), 1, "{}", String::from_utf8_lossy(&shown));
            shown.push(byte[0]);
        }
        terminal.write_all(answer.as_bytes()).expect("typed");
        screen.read_to_end(&mut shown).expect("the rest");
        let mut output = child.wait_with_output().expect("it ends");
        output.stdout = shown;
        (Said::of(output), signed)
    };
    let (said, signed) = ask("no\n", "yes\n", "agreed.json");
    assert_eq!(said.exit, 0, "{}", said.stdout);
    for shown in ["DEPOSIT on L1 of era-mainnet", "0xa61464658AfeAf65CccaaFD3a512b69A83B77618", "Type yes to sign"] {
        assert!(said.stdout.contains(shown), "{shown}: {}", said.stdout);
    }
    assert_eq!(run(&["verify", text(&signed)], "").exit, 0);
    for answer in ["y\n", "no\n", "\n", "yess\n", "YES\n"] {
        let (said, signed) = ask("yes\nyes\n", answer, "declined.json");
        assert_eq!(said.exit, 6, "{answer:?}");
        assert!(!signed.exists());
    }
}

#[test]
fn reviews_say_what_the_bytes_say_in_80_columns_of_ascii() {
    let mut failures = Failures::default();
    for (folder, name) in [
        ("deposit", "era_mainnet_typical"),
        ("deposit", "refund_recipient_other"),
        ("deposit", "erc20_eth_based_era_mainnet"),
        ("withdraw", "withdraw_era_sepolia_typical"),
        ("withdraw", "withdraw_erc20_native_era_mainnet"),
        ("withdraw", "withdraw_message_era_mainnet"),
        ("finalize_withdrawal", "finalize_era_mainnet_gateway_usdc"),
        ("finalize_withdrawal", "finalize_era_mainnet_without_root"),
        ("claim_failed_deposit", "claim_era_mainnet_typical"),
        ("call", "call_erc20_transfer"),
        ("deploy", "deploy_l2_create2_dependencies"),
    ] {
        let said = run(&["review"], fixture(folder, name).request_text());
        let golden = common::root().join("tests/golden").join(format!("review_{name}.txt"));
        compare_golden(&mut failures, &golden, &said.stdout);
        for line in said.stdout.lines() {
            if line.len() > 80 || !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                failures.fail(name, format!("not 80 columns of ASCII: {line}"));
            }
        }
    }
    // Gas that was measured to be too little is said to be: 263000 for ETH, 541000 for the first deposit of a token.
    for (name, limit, warned) in [
        ("era_mainnet_typical", 262_999, true),
        ("era_mainnet_typical", 263_000, false),
        ("erc20_eth_based_era_mainnet", 540_999, true),
        ("erc20_eth_based_era_mainnet", 541_000, false),
    ] {
        let mut request = fixture("deposit", name).json["request"].clone();
        request["facts"]["transaction"]["gasLimit"] = limit.into();
        let review = run(&["review", "--json"], request.to_string()).json();
        failures.check(name, "gas warning", &review["warnings"].to_string().contains("gas_limit_low"), &warned);
    }
    // An id that would move the cursor is refused, and no member name reaches the terminal as it is.
    let hostile = typical().request_text().replacen("PAY-2026-0042", "\\u001b[2JPAY", 1);
    let said = run(&["review"], &hostile);
    failures.check("hostile id", "exit", &said.exit, &3);
    failures.check("hostile id", "escape", &said.stderr.contains('\u{1b}'), &false);
    let hostile = typical().request_text().replacen("\"network\"", "\"net\\u001b[2Jwork\"", 1);
    let said = run(&["review"], &hostile);
    failures.check("hostile name", "exit", &said.exit, &3);
    failures.check("hostile name", "escape", &said.stderr.contains('\u{1b}'), &false);
    failures.finish();
}

#[test]
fn a_quote_needs_no_nonce_and_answers_for_what_build_would_refuse() {
    let mut request = typical().json["request"].clone();
    request["facts"]["transaction"] = serde_json::json!({ "gasPrice": "30000000000" });
    let quote = run(&["quote"], request.to_string()).json();
    let whole = run(&["quote"], typical().request_text()).json();
    for member in ["baseCost", "l2GasPrice", "mintValue", "minL2GasLimit", "maxL2GasLimit", "encodedLength"] {
        assert_eq!(quote[member], whole[member], "{member}");
    }
    let expected = &typical().signed().expect("signed")["derived"].clone();
    for member in
        ["baseCost", "l2GasPrice", "mintValue", "minL2GasLimit", "maxL2GasLimit", "encodedLength", "worstCaseDebit"]
    {
        assert_eq!(whole[member], expected[member], "{member}");
    }
    assert_eq!(quote["refusals"], Value::Array(vec![]));
    assert_eq!(quote["worstCaseDebit"], Value::Null, "without a gas limit nobody knows");
    request["facts"]["transaction"] = serde_json::json!({ "gasPrice": "30000000000", "maxFeePerGas": "1" });
    let refusals = run(&["quote"], request.to_string()).json()["refusals"].clone();
    assert_eq!(refusals[0]["at"], "/facts/transaction/gasPrice", "two prices are one too many: {refusals}");
    // 253883 is one below the floor: priced, and told.
    let said = run(&["quote"], fixture("deposit", "l2_gas_below_floor_refused").request_text());
    assert_eq!(said.exit, 0);
    let quote = said.json();
    assert_eq!(quote["minL2GasLimit"], 253_884);
    assert!(quote["baseCost"].is_string());
    assert_eq!(quote["refusals"][0]["code"], "priority.gas_floor");
    assert_eq!(quote["refusals"][0]["contractError"]["name"], "ValidateTxnNotEnoughGas()");
}

#[test]
fn networks_and_schemas_are_shown_and_files_add_networks() {
    let list = run(&["network", "list"], "").stdout;
    for name in ["era-mainnet", "era-sepolia", "local"] {
        assert!(list.contains(name));
        let shown = run(&["network", "show", name], "");
        assert_eq!((shown.exit, &shown.json()["name"]), (0, &Value::from(name)));
    }
    assert_eq!(run(&["network", "show", "nowhere"], "").exit, 4);
    let mut own = run(&["network", "show", "local"], "").json();
    own["name"] = "mine".into();
    own["l2ChainId"] = 271.into();
    let file = scratch().join("mine.json");
    fs::write(&file, own.to_string()).expect("written");
    let with = |arguments: &[&str], input: &str| run(&[arguments, &["--network-file", text(&file)]].concat(), input);
    let request = fixture("deposit", "local_typical").request_text().replace("\"local\"", "\"mine\"");
    let review = with(&["review", "--json"], &request).json();
    assert_eq!(review["transactions"][0]["call"]["arguments"]["chainId"], 271);
    assert!(review["warnings"].to_string().contains("unpinned_network"));
    assert_eq!(run(&["review"], &request).exit, 4, "not known without the file");
    // The same name again, pinned or not, is refused.
    let said = with(&["network", "list", "--json-errors", "--network-file", text(&file)], "");
    assert_eq!((said.exit, said.error()["code"].as_str()), (3, Some("network.invalid")));
    fs::write(&file, own.to_string().replace("\"mine\"", "\"local\"")).expect("written");
    assert_eq!(with(&["network", "list"], "").exit, 3);

    let names = run(&["schema"], "").stdout;
    assert!(names.lines().count() >= 9);
    for name in names.lines() {
        let schema = run(&["schema", name], "").json();
        assert_eq!(schema["$id"], Value::from(format!("coldbridge/{name}/1")), "{name}");
    }
    assert_eq!(run(&["schema", "nothing"], "").exit, 2);
}

#[test]
fn help_texts_are_golden() {
    let mut failures = Failures::default();
    for command in [
        "",
        "build",
        "review",
        "sign",
        "digest",
        "attach",
        "export",
        "verify",
        "quote",
        "policy",
        "policy explain",
        "policy hash",
        "inclusion",
        "guard",
        "guard show",
        "guard export",
        "guard import",
        "guard repair",
        "guard retire",
        "key",
        "key address",
        "key import",
        "network",
        "schema",
        "help",
    ] {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let said = run(&arguments, "");
        assert_eq!(said.exit, 0);
        let name = if command.is_empty() { "coldbridge".to_owned() } else { command.replace(' ', "_") };
        compare_golden(&mut failures, &common::root().join(format!("tests/golden/help_{name}.txt")), &said.stdout);
    }
    for arguments in [&[][..], &["nothing"], &["build", "--nothing"], &["sign", "--yes"]] {
        assert_eq!(run(arguments, "").exit, 2, "{arguments:?}");
    }
    let said = run(&["build", "--nothing", "--json-errors"], "");
    assert_eq!((said.exit, said.error()["code"].as_str()), (2, Some("usage.command")));
    // What is missing stands on lines of its own, and in the error document too.
    for (arguments, named) in
        [(&["sign"][..], "--key <FILE>"), (&["export"], "--safe-batch"), (&["completions", "x"], "zsh")]
    {
        let said = run(&[arguments, &["--json-errors"]].concat(), "");
        let error = said.error();
        assert!(error["message"].as_str().is_some_and(|message| message.contains(named)), "{error}");
    }
    assert_eq!(run(&["--version"], "").stdout, format!("coldbridge {}\n", env!("CARGO_PKG_VERSION")));
    assert!(run(&["completions", "bash"], "").stdout.contains("coldbridge"));
    failures.finish();
}

/// A golden file is written by hand: run the command into it, and read the difference before committing it.
fn compare_golden(failures: &mut Failures, path: &Path, actual: &str) {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        failures.passed += 1;
        return;
    }
    failures.fail(&path.display().to_string(), format!("differs from what the program says:\n{actual}"));
}

#[test]
fn an_input_that_is_not_there_is_a_file_error() {
    let said = run(&["build", "--json-errors", "/no/such/file"], "");
    assert_eq!((said.exit, said.error()["code"].as_str()), (10, Some("io.read")));
    assert_eq!(run(&["build", "/"], "").exit, 10);
}
