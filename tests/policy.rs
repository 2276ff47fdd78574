//! The policy: what it allows and refuses, its hash, its sentences, and who has to agree.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use coldbridge::policy::{Tally, judge_without};
use coldbridge::{Networks, Policy, Refusal, Request, Spelling, json};
use common::program::{PROGRAM, Said, run, scratch, text};
use common::screen::answered;
use common::{Failures, Fixture, fixture, fixtures, operation_fixtures, root};
use serde_json::{Value, json as value};

fn policy(document: &Value) -> Result<Policy, Refusal> {
    Policy::read(&json::parse(document.to_string().as_bytes())?)
}

fn requests(fixture: &Fixture) -> Vec<Value> {
    fixture.json["requests"].as_array().expect("requests").clone()
}

/// Where the first refusal is: which request, code, exit code, place.
fn judged(fixture: &Fixture, networks: &Networks) -> Result<String, (usize, Refusal)> {
    let policy = policy(&fixture.json["policy"]).map_err(|refusal| (0, refusal))?;
    let mut tally = Tally::default();
    for (index, request) in requests(fixture).iter().enumerate() {
        let request = json::parse(request.to_string().as_bytes()).expect("JSON");
        let unsigned = Request::read(&request, networks, Spelling::Checksummed).and_then(Request::plan);
        let unsigned = unsigned.unwrap_or_else(|refusal| panic!("{}: {refusal}", fixture.name));
        policy.judge(&unsigned, &mut tally).map_err(|refusal| (index, refusal))?;
    }
    Ok(policy.hash().to_string())
}

#[test]
fn policies_judge_as_the_fixtures_say() {
    let mut failures = Failures::default();
    for fixture in fixtures("policy") {
        let expect = &fixture.json["expect"];
        let found = judged(&fixture, &fixture.networks());
        match found {
            Ok(hash) => {
                failures.check(
                    &fixture.name,
                    "hash",
                    &hash.as_str(),
                    &expect["allowed"]["hash"].as_str().unwrap_or("refused"),
                );
            }
            Err((line, refusal)) => {
                let expected = &expect["refused"];
                let found = value!({
                    "code": refusal.code().name, "exit": refusal.exit().code(), "at": refusal.at(), "line": line,
                });
                failures.check(&fixture.name, "refused", &found, expected);
                failures.check(&fixture.name, "remedy", &refusal.remedy().is_empty(), &false);
                let document = refusal.to_json();
                let has_values = document.get("expected").is_some_and(|expected| *expected != json::Json::Null);
                failures.check(&fixture.name, "both values", &(has_values || refusal.exit().code() == 3), &true);
            }
        }
    }
    failures.finish();
}

/// A desk with a key, a policy and a request.
struct Desk {
    folder: PathBuf,
    key: PathBuf,
    policy: PathBuf,
}

impl Desk {
    fn new(policy: &Value) -> Self {
        let folder = scratch();
        let key = folder.join("account.key");
        fs::write(&key, fixture("deposit", "era_mainnet_typical").key()).expect("written");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("private");
        let path = folder.join("policy.json");
        let mut policy = policy.clone();
        policy["schema"] = value!("coldbridge/policy/1");
        fs::write(&path, policy.to_string()).expect("written");
        Self { folder, key, policy: path }
    }

    fn sign(&self, input: &str, more: &[&str]) -> Said {
        let sign = ["sign", "--json-errors", "--key", text(&self.key), "--policy", text(&self.policy)];
        run(&[&sign, more].concat(), input)
    }

    fn hash(&self) -> String {
        run(&["policy", "hash", text(&self.policy)], "").stdout.trim().to_owned()
    }
}

fn typical() -> String {
    fixture("deposit", "era_mainnet_typical").request_text()
}

/// The same fixtures through the program: one batch each, `line` is the line that is refused.
#[test]
fn the_program_judges_as_the_library_does() {
    let mut failures = Failures::default();
    for fixture in fixtures("policy") {
        let name = &fixture.name;
        let desk = Desk::new(&fixture.json["policy"]);
        let files = fixture.network_files();
        let networks: Vec<&str> = files.iter().flat_map(|file| ["--network-file", text(file)]).collect();
        let lines = requests(&fixture);
        let input: String = lines.iter().map(|request| format!("{request}\n")).collect();
        // Each request has the same nonce: a guard of its own would refuse what the policy allows.
        let guard = ["--yes", "--guard", "none"];
        let guard = if fixture.json["policy"]["guard"].is_null() { &guard[..] } else { &guard[..1] };
        let said = desk.sign(&input, &[guard, &networks].concat());
        let refused = &fixture.json["expect"]["refused"];
        if refused.is_null() {
            failures.check(name, "exit", &said.exit, &0);
            for line in said.stdout.lines() {
                let signed: Value = serde_json::from_str(line).expect("JSON");
                failures.check(name, "policyHash", &signed["policyHash"], &fixture.json["expect"]["allowed"]["hash"]);
            }
            failures.check(name, "verify", &run(&[&["verify"], networks.as_slice()].concat(), &said.stdout).exit, &0);
            continue;
        }
        failures.check(name, "exit", &i64::from(said.exit), &refused["exit"].as_i64().expect("a code"));
        let line = usize::try_from(refused["line"].as_u64().expect("a line")).expect("small");
        let error = match said.stdout.lines().nth(line) {
            Some(line) => serde_json::from_str::<Value>(line).expect("JSON")["error"].clone(),
            None => said.error(),
        };
        for member in ["code", "exit", "at"] {
            failures.check(name, member, &error[member], &refused[member]);
        }
    }
    failures.finish();
}

#[test]
fn a_call_needs_a_policy() {
    let mut failures = Failures::default();
    for fixture in fixtures("call").iter().filter(|fixture| fixture.signed().is_some()) {
        let request = json::parse(fixture.request_text().as_bytes()).expect("JSON");
        let unsigned = Request::read(&request, &fixture.networks(), Spelling::Checksummed).and_then(Request::plan);
        let refusal = judge_without(&unsigned.expect("a plan")).expect_err("must be refused");
        let found = (refusal.code().name, refusal.exit().code(), refusal.at());
        failures.check(&fixture.name, "refused", &found, &("policy.call_target", 5, "/intent/operation/call/to"));
    }
    let desk = Desk::new(&value!({}));
    let call = fixture("call", "call_era_mainnet").request_text();
    let said = run(&["sign", "--yes", "--json-errors", "--key", text(&desk.key)], &call);
    failures.check("program", "refused", &(said.exit, said.error()["code"].as_str()), &(5, Some("policy.call_target")));
    // It can be looked at: only signing needs the policy.
    for command in ["build", "review", "quote"] {
        failures.check(command, "exit", &run(&[command], &call).exit, &0);
    }
    failures.finish();
}

#[test]
fn the_hash_is_of_what_the_policy_says() {
    let full = fixture("policy", "full");
    let expected = full.json["expect"]["allowed"]["hash"].as_str().expect("a hash").to_owned();
    let hash = |text: &str| {
        let path = scratch().join("policy.json");
        fs::write(&path, text).expect("written");
        run(&["policy", "hash", text_of(&path)], "").stdout.trim().to_owned()
    };
    let document = &full.json["policy"];
    assert_eq!(hash(&document.to_string()), expected);
    assert_eq!(hash(&serde_json::to_string_pretty(document).expect("JSON")), expected, "white space");
    let members = document.as_object().expect("an object");
    let reversed: Vec<String> = members.iter().rev().map(|(name, member)| format!("\"{name}\":{member}")).collect();
    assert_eq!(hash(&format!("{{{}}}", reversed.join(","))), expected, "the order of members");
    assert_eq!(run(&["policy", "hash", "-"], document.to_string()).stdout.trim(), expected, "standard input");
    let explained = run(&["policy", "explain", "-"], document.to_string());
    assert!(explained.stdout.ends_with(&format!("Hash: {expected}\n")), "{}", explained.stdout);
    let mut lower = document.clone();
    lower["senders"][0] = value!(lower["senders"][0].as_str().expect("an address").to_lowercase());
    assert_eq!(hash(&lower.to_string()), expected, "the spelling of addresses");
    let mut both = document.clone();
    both["maxFeePerGas"] = value!({ "l2": "30000000000", "l1": "30000000000" });
    assert_eq!(hash(&both.to_string()), expected, "one limit for both layers");
    // Every member counts.
    for name in members.keys().filter(|name| *name != "schema") {
        let mut less = document.clone();
        less.as_object_mut().expect("an object").remove(name);
        assert_ne!(hash(&less.to_string()), expected, "without {name}");
    }
    // An empty list is another policy than none: it allows nothing.
    let mut none = document.clone();
    none["callTargets"] = value!([{ "address": "0x702942B8205E5dEdCD3374E5f4419843adA76Eeb", "selectors": [] }]);
    assert_ne!(hash(&none.to_string()), expected);
}

fn text_of(path: &Path) -> &str {
    text(path)
}

#[test]
fn a_pinned_policy_is_the_only_one() {
    let desk = Desk::new(&fixture("policy", "full").json["policy"]);
    let (request, hash) = (typical(), desk.hash());
    let said = desk.sign(&request, &["--yes", "--policy-hash", &hash]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert_eq!(said.json()["policyHash"], value!(hash));
    assert_eq!(run(&["verify"], &said.stdout).json()["policyHash"], value!(hash));
    // A policy that was loosened on the way is another one.
    let loose = Desk::new(&value!({}));
    let said = loose.sign(&request, &["--yes", "--policy-hash", &hash]);
    assert_eq!((said.exit, said.error()["code"].as_str(), said.stdout.as_str()), (5, Some("policy.hash"), ""));
    for wrong in ["0x12", "nothing", &hash[2..]] {
        let said = loose.sign(&request, &["--yes", "--policy-hash", wrong]);
        assert_eq!((said.exit, said.error()["code"].as_str()), (2, Some("usage.command")), "{wrong}");
    }
    let said = run(&["sign", "--yes", "--key", text(&desk.key), "--policy-hash", &hash], &request);
    assert_eq!(said.exit, 2, "a hash without a policy");
    let said =
        run(&["sign", "--yes", "--json-errors", "--key", text(&desk.key), "--policy", "/no/such/file"], &request);
    assert_eq!((said.exit, said.error()["code"].as_str()), (10, Some("io.read")));
    // Without a policy nothing is said of one.
    let said = run(&["sign", "--yes", "--key", text(&desk.key)], &request);
    assert_eq!((said.exit, &said.json()["policyHash"]), (0, &Value::Null));
}

#[test]
fn policies_are_explained_in_sentences() {
    let mut failures = Failures::default();
    for name in ["full", "empty", "call_target", "paymaster"] {
        let desk = Desk::new(&fixture("policy", name).json["policy"]);
        let said = run(&["policy", "explain", text(&desk.policy)], "");
        let path = root().join(format!("tests/golden/policy_explain_{name}.txt"));
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if !failures.check(name, "golden", &said.stdout, &expected) {
            failures.fail(name, format!("{}:\n{}", path.display(), said.stdout));
        }
        for line in said.stdout.lines().filter(|line| line.len() > 80) {
            failures.fail(name, format!("longer than 80 columns: {line}"));
        }
    }
    failures.finish();
}

#[test]
fn what_the_policy_asks_of_the_run() {
    let request = typical();
    let refused = |policy: Value, more: &[&str]| {
        let said = Desk::new(&policy).sign(&request, more);
        (said.exit, said.error()["code"].as_str().map(str::to_owned), said.stdout)
    };
    let is = |code: &str, exit| (exit, Some(code.to_owned()), String::new());
    for words in ["yes", "typed"] {
        assert_eq!(refused(value!({ "confirmation": words }), &["--yes"]), is("policy.confirmation", 5));
    }
    assert_eq!(refused(value!({ "guard": "required" }), &["--yes", "--guard", "none"]), is("policy.guard", 5));
    assert_eq!(Desk::new(&value!({ "guard": "required" })).sign(&request, &["--yes"]).exit, 0);
    assert_eq!(Desk::new(&value!({ "guard": "optional" })).sign(&request, &["--yes", "--guard", "none"]).exit, 0);
    // Whatever the machine of this test has, asking for it is the same as --require-airgap.
    let desk = Desk::new(&value!({ "requireAirgap": true }));
    let asked = run(&["--require-airgap", "network", "list"], "").exit;
    assert_eq!(desk.sign(&request, &["--yes"]).exit, asked);

    // A replacement is declared by switch and allowed by the policy.
    let mut other: Value = serde_json::from_str(&request).expect("JSON");
    other["intent"]["id"] = value!("PAY-2026-0043");
    for (policy, exit) in
        [(value!({ "replacement": "refused" }), 9), (value!({ "replacement": "allowed" }), 0), (value!({}), 0)]
    {
        let desk = Desk::new(&policy);
        let mut second = other.clone();
        second["intent"]["operation"]["deposit"]["amount"] = value!("2");
        assert_eq!(desk.sign(&other.to_string(), &["--yes"]).exit, 0);
        assert_eq!(desk.sign(&second.to_string(), &["--yes"]).exit, 9, "not declared");
        assert_eq!(desk.sign(&second.to_string(), &["--yes", "--replace"]).exit, exit, "{policy}");
        // A cancel says by itself what it is; the policy that says nothing leaves it to the switch.
        let mut cancel = fixture("cancel", "cancel_l1_era_mainnet").json["request"].clone();
        cancel["intent"]["from"] = other["intent"]["from"].clone();
        cancel["facts"]["transaction"]["nonce"] = other["facts"]["transaction"]["nonce"].clone();
        let by_itself = if policy["replacement"] == "allowed" { 0 } else { 9 };
        assert_eq!(desk.sign(&cancel.to_string(), &["--yes"]).exit, by_itself, "{policy}");
        assert_eq!(desk.sign(&cancel.to_string(), &["--yes", "--replace"]).exit, exit, "{policy}");
    }
}

/// An empty list allows nobody and nothing, for every operation there is: no form of a call hides from a policy.
#[test]
fn nothing_hides_from_an_empty_list() {
    let mut failures = Failures::default();
    let limits = |member: &str| policy(&value!({ "schema": "coldbridge/policy/1", member: [] })).expect("a policy");
    let (recipients, tokens, operations, targets) =
        (limits("recipients"), limits("tokens"), limits("operations"), limits("callTargets"));
    let nothing = policy(&value!({ "schema": "coldbridge/policy/1" })).expect("a policy");
    for fixture in operation_fixtures().iter().filter(|fixture| fixture.signed().is_some()) {
        let request = json::parse(fixture.request_text().as_bytes()).expect("JSON");
        let spelling = if fixture.allows_unchecksummed() { Spelling::AnyCase } else { Spelling::Checksummed };
        let plan = || Request::read(&request, &fixture.networks(), spelling).and_then(Request::plan).expect("a plan");
        let says = |policy: &Policy| match policy.judge(&plan(), &mut Tally::default()) {
            Ok(_) => "allowed",
            Err(refusal) => refusal.code().name,
        };
        let operation = fixture.json["request"]["intent"]["operation"].as_object().expect("one");
        let (operation, body) = operation.iter().next().expect("one");
        let is_call = operation == "call";
        failures.check(&fixture.name, "no operation", &says(&operations), &"policy.operation");
        failures.check(
            &fixture.name,
            "no limit",
            &says(&nothing),
            &if is_call { "policy.call_target" } else { "allowed" },
        );
        if is_call || operation.starts_with("requestExecute") {
            failures.check(&fixture.name, "no target", &says(&targets), &"policy.call_target");
        }
        let pays = !matches!(operation.as_str(), "call" | "deploy" | "cancel" | "approve");
        if pays {
            failures.check(&fixture.name, "no recipient", &says(&recipients), &"policy.recipient");
        }
        let amount = body.get("amount").or(body.get("l2Value")).and_then(Value::as_str);
        if pays && amount != Some("0") {
            failures.check(&fixture.name, "no token", &says(&tokens), &"policy.token");
        }
    }
    failures.finish();
}

/// Bytes of a bridge's own say neither who is paid nor what: under a policy that asks, that is refused.
#[test]
fn opaque_bridge_data_hides_from_nobody() {
    let pinned = Networks::pinned().find("local").expect("pinned").to_json().to_string();
    let mut own: Value = serde_json::from_str(&pinned).expect("JSON");
    own["name"] = value!("own");
    own["l2ChainId"] = value!(271);
    own["customBridges"] = value!({ "usdc": "0x1111111111111111111111111111111111111111" });
    let networks = Networks::pinned().with(&json::parse(own.to_string().as_bytes()).expect("JSON")).expect("a network");
    let mut request = fixture("deposit", "erc20_eth_based_era_mainnet").json["request"].clone();
    request["intent"]["network"] = value!("own");
    request["intent"]["bridge"] = value!("usdc");
    request["intent"]["bridgeData"] = value!("0xc0ffee");
    let request = json::parse(request.to_string().as_bytes()).expect("JSON");
    let plan = || Request::read(&request, &networks, Spelling::Checksummed).and_then(Request::plan).expect("a plan");
    for (member, code) in [("recipients", "policy.recipient"), ("tokens", "policy.token")] {
        let all = value!({ "schema": "coldbridge/policy/1", member: match member {
            "tokens" => value!([{ "token": "eth" }, { "token": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48" }]),
            _ => value!(["sender", "0xa61464658AfeAf65CccaaFD3a512b69A83B77618"]),
        } });
        let policy = policy(&all).expect("a policy");
        let refusal = policy.judge(&plan(), &mut Tally::default()).expect_err("must be refused");
        assert_eq!((refusal.code().name, refusal.at()), (code, "/intent/operation/deposit"));
    }
}

/// Signing with a key elsewhere asks the same policy twice: before the digest leaves, and before the signature does.
#[test]
fn digest_and_attach_ask_the_policy_too() {
    let desk =
        Desk::new(&value!({ "recipients": ["0xa61464658AfeAf65CccaaFD3a512b69A83B77618"], "guard": "required" }));
    let (policy, guard) = (text(&desk.policy).to_owned(), desk.folder.join("signer.guard"));
    let request = typical();
    let signed = desk.sign(&request, &["--yes"]).json();
    let signature = &signed["transactions"][0]["signature"];
    let member = |name: &str| signature[name].as_str().expect("hex").trim_start_matches("0x").to_owned();
    let signature = format!("0x{}{}", member("r"), member("s"));
    let document = desk.folder.join("request.json");
    let with = |request: &str, command: &[&str]| {
        fs::write(&document, request).expect("written");
        run(&[command, &["--json-errors", "--policy", &policy]].concat(), "")
    };
    let path = text(&document).to_owned();
    assert_eq!(with(&request, &["digest", &path]).exit, 0);
    let attached = with(&request, &["attach", &path, &signature, "--guard", text(&guard)]);
    assert_eq!((attached.exit, attached.json()), (0, signed), "{}", attached.stderr);
    let said = with(&request, &["attach", &path, &signature]);
    assert_eq!((said.exit, said.error()["code"].as_str()), (5, Some("policy.guard")));
    let mut other: Value = serde_json::from_str(&request).expect("JSON");
    other["intent"]["operation"]["deposit"]["to"] = value!("0x702942B8205E5dEdCD3374E5f4419843adA76Eeb");
    let guard = text(&guard).to_owned();
    for command in [&["digest", &path][..], &["attach", &path, &signature, "--guard", &guard]] {
        let said = with(&other.to_string(), command);
        assert_eq!((said.exit, said.error()["code"].as_str(), said.stdout.as_str()), (5, Some("policy.recipient"), ""));
    }
    // Without a policy a call gets neither.
    let call = fixture("call", "call_era_mainnet").request_text();
    for command in [&["digest", "-"][..], &["attach", "-", &signature]] {
        let said = run(&[command, &["--json-errors"]].concat(), &call);
        assert_eq!((said.exit, said.error()["code"].as_str()), (5, Some("policy.call_target")), "{command:?}");
    }
}

/// The whole line of a person who types the end of the recipient, or the amount; `yes` is not enough.
#[test]
fn typed_confirmation_reads_the_screen() {
    let label = "Exchange hot wallet";
    let desk = Desk::new(&value!({
        "confirmation": "typed",
        "recipients": [{ "address": "0xa61464658AfeAf65CccaaFD3a512b69A83B77618", "label": label }],
    }));
    let request = desk.folder.join("request.json");
    fs::write(&request, typical()).expect("written");
    let ask = |name: &str, prompt: &str, answer: &str| {
        let signed = desk.folder.join(name);
        let (key, policy) = (text(&desk.key), text(&desk.policy));
        let command = format!("{PROGRAM} sign {} --key {key} --policy {policy} -o {}", text(&request), text(&signed));
        (answered(&command, "B77618\n", prompt, answer), signed)
    };
    let prompt = "or the amount in base units, to sign: ";
    for (index, answer) in ["B77618\n", "b77618\n", "1000000000000000000\n"].into_iter().enumerate() {
        let (said, signed) = ask(&format!("agreed{index}.json"), prompt, answer);
        assert_eq!(said.exit, 0, "{answer:?}: {}", said.stdout);
        assert!(said.stdout.contains(label), "the label is on the screen: {}", said.stdout);
        assert_eq!(run(&["verify", text(&signed)], "").exit, 0);
    }
    for answer in ["yes\n", "\n", "77618\n", "1\n", "1000000000000000001\n", "0xa614\n", "B77619\n"] {
        let (said, signed) = ask("declined.json", prompt, answer);
        assert_eq!(said.exit, 6, "{answer:?}");
        assert!(!signed.exists());
    }
}

#[test]
fn a_review_names_the_policy_and_the_labels() {
    let fixture = fixture("policy", "full");
    let desk = Desk::new(&fixture.json["policy"]);
    let (policy, hash) = (text(&desk.policy).to_owned(), desk.hash());
    let said = run(&["review", "--policy", &policy], typical());
    assert_eq!(said.exit, 0, "{}", said.stderr);
    for shown in
        ["0xa61464658AfeAf65CccaaFD3a512b69A83B77618", "\"Exchange hot wallet\"", &hash, "\"Treasury, deposits\""]
    {
        assert!(said.stdout.contains(shown), "{shown}: {}", said.stdout);
    }
    assert!(said.stdout.lines().all(|line| line.len() <= 80), "{}", said.stdout);
    let json = run(&["review", "--json", "--policy", &policy], typical()).json();
    assert_eq!(json["policy"], value!({ "result": "allowed", "name": "Treasury, deposits", "hash": hash }));
    assert_eq!(run(&["review", "--json"], typical()).json()["policy"], Value::Null);
    let said = run(
        &["review", "--json-errors", "--policy", &policy],
        common::fixture("withdraw", "withdraw_era_mainnet_typical").request_text(),
    );
    assert_eq!((said.exit, said.error()["code"].as_str(), said.stdout.as_str()), (5, Some("policy.operation"), ""));
}

/// The value that a call hands over is counted once, as whatever its calldata is recognised.
#[test]
fn the_value_of_a_call_moves_once() {
    let mut request = fixture("call", "call_empty_value").json["request"].clone();
    let body = request["intent"]["operation"]["call"].clone();
    for (calldata, selector) in [
        ("0x".to_owned(), "0x"),
        // withdraw(address) of the base token
        (format!("0x51cff8d9{:0>64}", "a61464658afeaf65cccaafd3a512b69a83b77618"), "0x51cff8d9"),
    ] {
        let to =
            if selector == "0x" { body["to"].clone() } else { value!("0x000000000000000000000000000000000000800A") };
        request["intent"]["operation"]["call"] = value!({ "to": to, "value": "7", "calldata": calldata });
        let limited = |limit: &str| {
            policy(&value!({
                "schema": "coldbridge/policy/1",
                "callTargets": [{ "address": to, "selectors": [selector] }],
                "tokens": [{ "token": "base", "maxTotal": limit }],
            }))
            .expect("a policy")
        };
        let plan = || {
            let request = json::parse(request.to_string().as_bytes()).expect("JSON");
            Request::read(&request, &Networks::pinned(), Spelling::Checksummed).and_then(Request::plan).expect("a plan")
        };
        let judged = |limit: &str| limited(limit).judge(&plan(), &mut Tally::default()).err().map(|r| r.code().name);
        assert_eq!((judged("7"), judged("6")), (None, Some("policy.total")), "{selector}");
        let amounts: Vec<String> = plan().payments().expect("known").iter().map(|one| one.amount.to_string()).collect();
        assert_eq!(amounts, ["7"], "{selector}");
    }
}

/// What a request of L1 calls on L2 is judged as what it is there.
#[test]
fn a_request_that_pays_on_l2_is_a_payment() {
    let paying =
        fixture("policy", "call_that_is_a_transfer").json["requests"][0]["intent"]["operation"]["call"].clone();
    let mut request = fixture("policy", "execute_target").json["requests"][0].clone();
    request["intent"]["operation"]["requestExecute"]["l2Contract"] = paying["to"].clone();
    request["intent"]["operation"]["requestExecute"]["l2Calldata"] = paying["calldata"].clone();
    let (token, recipient) = (&paying["to"], "0x702942B8205E5dEdCD3374E5f4419843adA76Eeb");
    let at = "/intent/operation/requestExecute/l2Calldata";
    for (limits, refused) in [
        (value!({ "tokens": [{ "token": "eth" }] }), Some("policy.token")),
        (value!({ "tokens": [{ "token": token, "maxPerTransaction": "4" }] }), Some("policy.amount")),
        (value!({ "tokens": [{ "token": token, "maxTotal": "4" }] }), Some("policy.total")),
        (value!({ "tokens": [{ "token": token, "maxPerTransaction": "5", "maxTotal": "5" }] }), None),
        (value!({ "recipients": [token] }), Some("policy.recipient")),
        (value!({ "recipients": [token, recipient] }), None),
    ] {
        let mut document = limits.clone();
        document["schema"] = value!("coldbridge/policy/1");
        let json = json::parse(request.to_string().as_bytes()).expect("JSON");
        let plan = Request::read(&json, &Networks::pinned(), Spelling::Checksummed).and_then(Request::plan);
        let judged = policy(&document).expect("a policy").judge(&plan.expect("a plan"), &mut Tally::default());
        let judged = judged.err().map(|refusal| (refusal.code().name, refusal.at().to_owned()));
        assert_eq!(judged, refused.map(|code| (code, at.to_owned())), "{limits}");
    }
    // And the screen says so.
    let screen = run(&["review"], request.to_string()).stdout;
    assert!(screen.contains("which is      the operation transfer on L2:"), "{screen}");
    assert!(screen.contains(recipient), "{screen}");
}

/// Where nothing is paid there is still something to be read and typed: `yes` never does, nor does a zero.
#[test]
fn typed_confirmation_is_never_a_yes() {
    let desk = Desk::new(&value!({ "confirmation": "typed" }));
    let input = desk.folder.join("requests.jsonl");
    let ask = |name: &str, prompt: &str, answer: &str| {
        let (key, policy, signed) = (text(&desk.key), text(&desk.policy), desk.folder.join(name));
        let command = format!("{PROGRAM} sign {} --key {key} --policy {policy} -o {}", text(&input), text(&signed));
        answered(&command, "", prompt, answer).exit
    };
    let mut cancel = fixture("cancel", "cancel_l1_era_mainnet").json["request"].clone();
    let mut batch = String::new();
    for nonce in [30, 31] {
        cancel["facts"]["transaction"]["nonce"] = value!(nonce);
        batch.push_str(&cancel.to_string());
        batch.push('\n');
    }
    fs::write(&input, batch).expect("written");
    let prompt = "Type the last 6 digits of the account to sign: ";
    assert_eq!(ask("no.jsonl", prompt, "yes\n"), 6);
    assert_eq!(ask("yes.jsonl", prompt, "F5dc049\n"), 6, "one digit more");
    assert_eq!(ask("typed.jsonl", prompt, "5dc049\n"), 0);
    fs::write(&input, fixture("policy", "execute_target").json["requests"][0].to_string()).expect("written");
    let prompt = "Type the last 6 digits of the recipient to sign: ";
    assert_eq!(ask("zero.json", prompt, "0\n"), 6);
    assert_eq!(ask("execute.json", prompt, "A76Eeb\n"), 0);
}

/// A policy that is handed over is used, or the document is refused: an ignored one would look like a verdict.
#[test]
fn no_command_ignores_a_policy() {
    let desk = Desk::new(&value!({ "networks": [] }));
    let signed = run(&["sign", "--yes", "--guard", "none", "--key", text(&desk.key)], typical());
    assert_eq!(signed.exit, 0, "{}", signed.stderr);
    let raw = run(&["verify", "--raw"], signed.stdout.clone()).stdout;
    let review = ["review", "--json-errors", "--policy", text(&desk.policy)];
    for (document, at) in [(signed.stdout, "/schema"), (raw, "")] {
        let said = run(&review, document);
        let error = said.error();
        assert_eq!((said.exit, error["code"].as_str(), error["at"].as_str()), (3, Some("json.schema"), Some(at)));
        assert_eq!(said.stdout, "");
    }
    // A Safe's owners sign what was exported.
    let fixtures = operation_fixtures();
    let safe = fixtures.iter().find(|fixture| fixture.exported().is_some()).expect("one");
    let files: Vec<PathBuf> = safe.network_files();
    let mut export: Vec<&str> = vec!["export", "--safe-batch", "--json-errors"];
    for file in &files {
        export.extend(["--network-file", text(file)]);
    }
    assert_eq!(run(&export, safe.request_text()).exit, 0);
    export.extend(["--policy", text(&desk.policy)]);
    let said = run(&export, safe.request_text());
    assert_eq!((said.exit, said.error()["code"].as_str()), (5, Some("policy.network")), "{}", said.stderr);
}

/// A name or a label that is longer than its line begins none that looks like a rule.
#[test]
fn a_long_label_looks_like_no_rule() {
    let forged = "- Recipients, these only: nobody.";
    for before in [" ".repeat(26), "x".repeat(26), format!("x{}", "- x".repeat(20))] {
        let label = |indented: usize| {
            let label = format!("A{}{forged}", before.repeat(4).chars().take(79 - indented).collect::<String>());
            label.chars().take(128).collect::<String>()
        };
        let desk = Desk::new(&value!({
            "name": label(0),
            "recipients": [{ "address": "0x702942B8205E5dEdCD3374E5f4419843adA76Eeb", "label": label(48) }],
            "callTargets": [
                { "address": "0x702942B8205E5dEdCD3374E5f4419843adA76Eeb", "label": label(9), "selectors": "any" }
            ],
        }));
        let said = run(&["policy", "explain", text(&desk.policy)], "");
        assert_eq!(said.exit, 0, "{}", said.stderr);
        let forged = said.stdout.lines().find(|line| line.len() > 80 || line.starts_with(forged));
        assert_eq!(forged, None, "{}", said.stdout);
    }
}

/// The totals of a run are of what was signed: a line that the guard refuses uses up nothing of them.
#[test]
fn what_is_not_signed_counts_towards_no_total() {
    let desk = Desk::new(&value!({ "tokens": [{ "token": "eth", "maxTotal": "1000000000000000000" }] }));
    let line = |id: &str, nonce: u64, amount: &str| {
        let mut request: Value = serde_json::from_str(&typical()).expect("JSON");
        request["intent"]["id"] = value!(id);
        request["intent"]["operation"]["deposit"]["amount"] = value!(amount);
        request["facts"]["transaction"]["nonce"] = value!(nonce);
        format!("{request}\n")
    };
    let sign = |text: &str| desk.sign(text, &["--yes"]);
    let (half, whole) = ("500000000000000000", "1000000000000000000");
    let said = sign(&line("A", 17, half));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    // The first is refused by the guard, the second is all that the policy allows, the third is too much.
    let said = sign(&[line("B", 17, "400000000000000000"), line("C", 18, whole), line("D", 19, half)].concat());
    let answers: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let codes: Vec<&Value> = answers.iter().map(|answer| &answer["error"]["code"]).collect();
    assert_eq!(codes, [&value!("guard.nonce_used"), &Value::Null, &value!("policy.total")], "{}", said.stdout);
}
