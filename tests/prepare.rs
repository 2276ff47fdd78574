//! `coldbridge-relay prepare` against recorded exchanges of real nodes, against made-up chains, and against liars.

mod common;

use common::Failures;
use common::chain::Chain;
use common::desk::{ACCOUNT, build, local, made_up, network, recorded, refusal_of, relay, sign};
use common::program::scratch;
use common::rpc::{ACTOR, Recorded, Reply};
use serde_json::{Value, json};

const TOKEN: &str = "0x003B7C5dc32677f379D8dcaDF693f56Ce95DA294";

fn intent(from: &str, operation: &Value) -> String {
    json!({"network": "local", "from": from, "operation": operation}).to_string()
}

fn eth_deposit(account: &str) -> String {
    intent(account, &json!({"deposit": {"token": "eth", "amount": "1000000000000000000", "to": account}}))
}

/// With the numbers of the recording, the calldata is the recorded one to the last byte: of the estimate, of the transaction
/// that was sent, and the base cost is what the Bridgehub said.
#[test]
fn a_recorded_eth_deposit_is_prepared_and_built_as_it_was_sent() {
    let (l1, _) = recorded(|| Recorded::flows(&[]));
    let flags = ["--max-fee-per-gas", "1500000000", "--priority-fee", "100000000", "--l2-gas-limit", "1000000"];
    let said = relay(&[&["prepare", "--l1", &l1.url][..], &flags].concat(), &eth_deposit(ACTOR));
    let request = said.json();
    let facts = &request["facts"];
    assert_eq!(
        facts["transaction"],
        json!({"nonce": 1, "gasLimit": 350_000, "maxFeePerGas": "1500000000", "maxPriorityFeePerGas": "100000000"})
    );
    let params = json!({"pubdataPricingMode": "rollup", "batchOverheadL1Gas": 1_000_000, "maxPubdataPerBatch": 120_000,
        "maxL2GasPerBatch": 80_000_000, "priorityTxMaxPubdata": 99_000, "minimalL2GasPrice": "250000000"});
    assert_eq!(facts["priorityRequest"]["feeParams"], params);
    assert_eq!(facts["priorityRequest"]["l2GasLimit"], json!(1_000_000));
    assert_eq!(facts["priorityRequest"]["baseTokenGasPriceMultiplier"], json!({"nominator": "1", "denominator": "1"}));

    let unsigned = build(&request, &[]);
    let story = Recorded::flows(&["eth_deposit_broadcast_and_track"]);
    let estimate = story.params("l1", "eth_estimateGas", "requestL2TransactionDirect with fees");
    assert_eq!(unsigned["transactions"][0]["data"], estimate[0]["data"]);
    assert_eq!(unsigned["transactions"][0]["value"], json!("1000268750000000000"));
    assert_eq!(estimate[0]["value"], json!(format!("{:#x}", 1_000_268_750_000_000_000_u64)));
    // It was asked about exactly that.
    assert_eq!(l1.params("eth_estimateGas"), [estimate]);
}

/// The L2 side of a transfer is what the node was asked about when it was recorded, and L1 fees follow the node.
#[test]
fn fees_and_gas_follow_the_nodes() {
    let (l1, l2) = recorded(|| {
        let mut story = Recorded::flows(&[]);
        story.always("l1", "eth_estimateGas", Reply::Result(json!("0x34e2a")));
        story
    });
    let urls = ["prepare", "--l1", &l1.url, "--l2", &l2.url];
    let facts = relay(&urls, &eth_deposit(ACTOR)).json()["facts"].clone();
    // 1.5 times the base fee 0x2c9a, and the tip of 1 gwei.
    assert_eq!(facts["transaction"]["maxFeePerGas"], json!("1000017127"));
    assert_eq!(facts["transaction"]["maxPriorityFeePerGas"], json!("1000000000"));
    // zks_estimateGasL1ToL2 said 0x66660: 35 % more, rounded up.
    assert_eq!(facts["priorityRequest"]["l2GasLimit"], json!(566_223));
    let story = Recorded::flows(&[]);
    let asked = l2.params("zks_estimateGasL1ToL2");
    assert_eq!(asked, [story.params("l2", "zks_estimateGasL1ToL2", "the L2 side of the ETH deposit")]);

    let more = ["--base-fee-multiplier", "2", "--priority-fee", "7", "--gas-margin", "100", "--nonce", "9"];
    let facts = relay(&[&urls[..], &more].concat(), &eth_deposit(ACTOR)).json()["facts"].clone();
    let expected = json!({"nonce": 9, "gasLimit": 433_236, "maxFeePerGas": "22843", "maxPriorityFeePerGas": "7"});
    assert_eq!(facts["transaction"], expected);
    assert_eq!(facts["priorityRequest"]["l2GasLimit"], json!(838_848));
    // A margin of nothing does not go below what was measured, nor below the floor of L1.
    let facts = relay(&[&urls[..], &["--gas-margin", "0"]].concat(), &eth_deposit(ACTOR)).json()["facts"].clone();
    assert_eq!(facts["transaction"]["gasLimit"], json!(350_000));
}

#[test]
fn a_recorded_token_deposit_comes_with_its_approval_and_later_without() {
    let deposit =
        |account: &str| intent(account, &json!({"deposit": {"token": TOKEN, "amount": "500000000", "to": account}}));
    let flags = ["--max-fee-per-gas", "1500000000", "--priority-fee", "100000000"];
    let (l1, l2) = recorded(|| Recorded::flows(&["erc20_deposit"]).until("the approval"));
    let said = relay(&[&["prepare", "--l1", &l1.url, "--l2", &l2.url][..], &flags].concat(), &deposit(ACTOR));
    let facts = said.json()["facts"].clone();
    let row = json!({"token": TOKEN, "spender": "0x04517AdC3be3552AEB2FaC4084EE1dF91145e2CB", "amount": "0"});
    assert_eq!(facts["allowances"], json!([row]));
    assert_eq!(facts["approval"], json!({"gasLimit": 70_000}));
    assert_eq!(facts["transaction"]["nonce"], json!(9));
    assert_eq!(facts["transaction"]["gasLimit"], json!(700_000), "it can not be estimated before the approval");
    assert!(said.stderr.contains("approvals are not mined yet"), "{}", said.stderr);
    // The L2 call is the bridge's own: 0x187cf2 and 35 %.
    let story = Recorded::flows(&["erc20_deposit"]);
    let estimate =
        story.params("l2", "zks_estimateGasL1ToL2", "the L2 side of the deposit, from the aliased asset router");
    assert_eq!(l2.params("zks_estimateGasL1ToL2"), [estimate]);
    assert_eq!(facts["priorityRequest"]["l2GasLimit"], json!(2_166_548));
    assert_eq!(l1.params("eth_estimateGas"), [story.params("l1", "eth_estimateGas", "the approval")]);

    // Once the approval is mined; with the recorded gas the calldata is the recorded one.
    let more = [&flags[..], &["--l2-gas-limit", "2000000"]].concat();
    let (l1, _) =
        recorded(|| Recorded::flows(&["erc20_deposit"]).until("requestL2TransactionTwoBridges after the approval"));
    let request = relay(&[&["prepare", "--l1", &l1.url][..], &more].concat(), &deposit(ACTOR)).json();
    assert_eq!(request["facts"]["allowances"][0]["amount"], json!("500000000"));
    assert_eq!(request["facts"]["approval"], Value::Null);
    assert_eq!(request["facts"]["transaction"]["gasLimit"], json!(700_000), "689,058 with the margin");
    let unsigned = build(&request, &[]);
    assert_eq!(unsigned["transactions"].as_array().expect("a plan").len(), 1);
    let about = "requestL2TransactionTwoBridges after the approval";
    assert_eq!(unsigned["transactions"][0]["data"], story.params("l1", "eth_estimateGas", about)[0]["data"]);
    let raw = story.params("l1", "eth_sendRawTransaction", "the deposit");
    let data = unsigned["transactions"][0]["data"].as_str().expect("calldata").trim_start_matches("0x").to_owned();
    assert!(raw[0].as_str().expect("raw").contains(&data), "what was sent");
}

#[test]
fn a_recorded_withdrawal_is_prepared_with_the_era_nodes_own_estimate() {
    let (l1, l2) = recorded(|| Recorded::flows(&["eth_withdrawal"]));
    let amount = 0x0429_d069_189e_0000_u64.to_string();
    let withdraw = json!({"withdraw": {"token": "eth", "amount": amount, "to": ACTOR}});
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &intent(ACTOR, &withdraw));
    let request = said.json();
    let expected = json!({"nonce": 1, "gasLimit": 355_809, "maxFeePerGas": "67875000", "maxPriorityFeePerGas": "0", "gasPerPubdata": 50_000});
    assert_eq!(request["facts"], json!({"transaction": expected}));
    let story = Recorded::flows(&["eth_withdrawal"]);
    let asked = l2.params("zks_estimateFee");
    assert_eq!(asked, [story.params("l2", "zks_estimateFee", "")]);
    let unsigned = build(&request, &[]);
    assert_eq!(common::rpc::lower(&unsigned["transactions"][0]["data"]), asked[0][0]["data"]);
}

#[test]
fn a_recorded_token_withdrawal_is_asked_about_as_it_was_sent() {
    let (l1, l2) = recorded(|| Recorded::flows(&["erc20_withdrawal"]));
    let withdraw = json!({"withdraw": {"token": "0x17426C3DD8a78001967D974d8906ba46E2A2A375", "amount": "123456789", "to": ACTOR,
        "tokenOrigin": {"chainId": 31337, "address": TOKEN}}});
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &intent(ACTOR, &withdraw));
    let request = said.json();
    // zks_estimateFee said 0x9195c: 35 % more.
    assert_eq!(request["facts"]["transaction"]["gasLimit"], json!(805_027), "{}", said.stderr);
    let story = Recorded::flows(&["erc20_withdrawal"]);
    let asked = l2.params("zks_estimateFee");
    assert_eq!(asked, [story.params("l2", "zks_estimateFee", "")]);
    assert_eq!(build(&request, &[])["transactions"][0]["data"], asked[0][0]["data"]);
}

/// The same stories with an account whose key is published end in signatures that hold.
#[test]
fn what_is_prepared_is_signed_offline() {
    let (l1, l2) = recorded(|| Recorded::flows(&["erc20_deposit"]).until("the approval").of_account(ACCOUNT));
    let flags = ["--max-fee-per-gas", "1500000000", "--priority-fee", "100000000", "--l2-gas-limit", "2000000"];
    let deposit = intent(ACCOUNT, &json!({"deposit": {"token": TOKEN, "amount": "500000000", "to": ACCOUNT}}));
    let request = relay(&[&["prepare", "--l1", &l1.url, "--l2", &l2.url][..], &flags].concat(), &deposit).json();
    let signed = sign(&request, &[]);
    let purposes: Vec<&Value> =
        signed["transactions"].as_array().expect("two").iter().map(|tx| &tx["purpose"]).collect();
    assert_eq!(purposes, [&json!("approve"), &json!("deposit")]);

    // A request is prepared anew: the intent stays, the facts are those of now.
    let mut stale = request.clone();
    stale["facts"]["transaction"]["nonce"] = json!(1);
    stale["facts"]["priorityRequest"]["feeParams"]["minimalL2GasPrice"] = json!("1");
    let again = relay(&[&["prepare", "--l1", &l1.url][..], &flags].concat(), &stale.to_string()).json();
    assert_eq!(again, request);
    let document = json!({"schema": "coldbridge/intent/1", "intent": request["intent"]});
    assert_eq!(relay(&[&["prepare", "--l1", &l1.url][..], &flags].concat(), &document.to_string()).json(), request);
}

/// Every operation on every kind of chain is prepared, built, signed and proved.
#[test]
fn requests_of_every_operation_are_signed_on_every_kind_of_chain() {
    let erc20 = "0x66A5cFB2e9c529f14FE6364Ad1075dF3a649C0A5";
    let to = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let networks = [
        "local",
        "custom-era",
        "custom-v25",
        "custom-v31",
        "era-v24",
        "era-v26",
        "era-v31",
        "os-custom-v30",
        "os-v30",
        "os-v31",
    ];
    let operations = |network: &Value| {
        let base = network["baseToken"].as_str().expect("a token");
        let router = network["l1AssetRouter"].as_str().expect("an address");
        let mut operations = vec![
            json!({"deposit": {"token": "eth", "amount": "1000000000000000000", "to": to}}),
            json!({"deposit": {"token": "base", "amount": "1000000000000000000", "to": to}}),
            json!({"deposit": {"token": erc20, "amount": "5000000", "to": to}}),
            json!({"requestExecute": {"l2Contract": to, "l2Value": "0", "l2Calldata": "0xdeadbeef"}}),
            json!({"withdraw": {"token": "base", "amount": "1000000000000000000", "to": to}}),
            json!({"cancel": {"layer": "l1"}}),
            json!({"cancel": {"layer": "l2"}}),
        ];
        if !network["protocolVersion"].as_str().expect("a version").starts_with("0.2")
            || network["protocolVersion"].as_str() >= Some("0.26")
        {
            operations.push(json!({"approve": {"token": if base == "eth" { erc20 } else { base }, "spender": router, "amount": "7"}}));
        }
        if network["name"] == "era-v26" {
            operations
                .push(json!({"requestExecuteMailbox": {"l2Contract": to, "l2Value": "5", "l2Calldata": "0xdeadbeef"}}));
            operations
                .push(json!({"deposit": {"token": erc20, "amount": "5000000", "to": to, "form": "legacyBridge"}}));
        }
        operations
    };
    let mut failures = Failures::default();
    for name in networks {
        let (network, file) = if name == "local" { (local(), String::new()) } else { network(name) };
        let files: Vec<&str> = if file.is_empty() { vec![] } else { vec!["--network-file", &file] };
        let mut chain = Chain::of(&network);
        if network["baseToken"] != "eth" {
            chain.set_multiplier(3001, 2);
        }
        for token in [erc20, network["baseToken"].as_str().expect("a token")] {
            use common::chain::{getter, number};
            chain.set_call(token, getter::ALLOWANCE, &number(3));
            chain.set_call(token, getter::BALANCE_OF, &number(1 << 90));
            for text in [getter::NAME, getter::SYMBOL, getter::DECIMALS] {
                chain.set_call(token, text, &number(18));
            }
        }
        let (l1, l2) = made_up(&chain);
        for operation in operations(&network) {
            let row = format!("{name} {operation}");
            let document = json!({"network": name, "from": ACCOUNT, "operation": operation}).to_string();
            let said = relay(&[&["prepare", "--l1", &l1.url, "--l2", &l2.url][..], &files].concat(), &document);
            if !failures.check(&row, "exit", &(said.exit, refusal_of(&said)), &(0, String::new())) {
                failures.fail(&row, &said.stderr);
                continue;
            }
            let request = said.json();
            let signed = sign(&request, &files);
            let layer = signed["transactions"][0]["layer"].as_str().expect("a layer");
            let nonce = if layer == "l1" { 7 } else { 3 };
            failures.check(&row, "nonce", &signed["transactions"][0]["nonce"], &json!(nonce));
            let needs = request["facts"]["allowances"].as_array().map_or(0, Vec::len);
            let approvals = signed["transactions"].as_array().expect("a plan").len() - 1;
            failures.check(&row, "approve(0) and approve(amount) for each", &approvals, &(2 * needs));
        }
    }
    failures.finish();
}

/// One lie or breakdown a row: what the nodes answer, and what becomes of it.
#[test]
fn liars_and_broken_nodes_are_told_apart() {
    use common::chain::{getter, number, word};
    type Change = Box<dyn Fn(&mut Chain)>;
    let network = local();
    let at = |name: &str| network[name].as_str().expect("an address").to_lowercase();
    let (hub, diamond, router) = (at("bridgehub"), at("diamondProxy"), at("l1AssetRouter"));
    let l2_router = "0x0000000000000000000000000000000000010003";
    let wrong = word("0xdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    let call = |address: &str, selector: &'static str, returned: &str| -> Change {
        let (address, returned) = (address.to_owned(), returned.to_owned());
        Box::new(move |chain| chain.set_call(&address, selector, &returned))
    };
    let slot = |slot: &'static str, value: &str| -> Change {
        let at = (diamond.clone(), slot.to_owned());
        let value = value.to_owned();
        Box::new(move |chain| {
            chain.slots.insert(at.clone(), value.clone());
        })
    };
    let method = |layer: &'static str, name: &'static str, reply: Reply| -> Change {
        Box::new(move |chain| chain.reply(layer, name, reply.clone()))
    };
    let result = |layer, name, value: Value| method(layer, name, Reply::Result(value));
    let dirty = format!("0x01{}", &wrong[4..]);
    let reverted = |data: &str| Reply::Error(json!({"code": 3, "message": "execution reverted", "data": data}));
    let code = |account: &str, code: &'static str| -> Change {
        let account = account.to_lowercase();
        Box::new(move |chain| {
            chain.code.insert(account.clone(), code.to_owned());
        })
    };
    let rows: Vec<(&str, Change, i32, &str)> = vec![
        ("honest", Box::new(|_| {}), 0, ""),
        // other contracts than the network pins
        ("another diamond", call(&hub, getter::GET_ZK_CHAIN, &wrong), 4, "relay.pinned"),
        ("an unregistered chain", call(&hub, getter::GET_ZK_CHAIN, &number(0)), 4, "relay.pinned"),
        ("another asset router", call(&hub, getter::ASSET_ROUTER, &wrong), 4, "relay.pinned"),
        ("another base token", call(&hub, getter::BASE_TOKEN, &wrong), 4, "relay.pinned"),
        ("another L1", call(&hub, getter::L1_CHAIN_ID, &number(9)), 4, "relay.pinned"),
        ("another nullifier", call(&router, getter::L1_NULLIFIER, &wrong), 4, "relay.pinned"),
        ("another vault", call(&router, getter::NATIVE_TOKEN_VAULT, &wrong), 4, "relay.pinned"),
        ("another legacy bridge", call(&router, getter::LEGACY_BRIDGE, &wrong), 4, "relay.pinned"),
        ("a diamond of another chain", call(&diamond, getter::GET_CHAIN_ID, &number(324)), 4, "relay.pinned"),
        ("storage of another chain", slot("0x28", &number(324)), 4, "relay.pinned"),
        ("storage of another layout", slot("0x29", &wrong), 4, "relay.pinned"),
        (
            "another ceiling",
            call(&diamond, getter::GET_PRIORITY_TX_MAX_GAS_LIMIT, &number(80_000_000)),
            4,
            "relay.pinned",
        ),
        ("an L2 of another bridgehub", result("l2", "zks_getBridgehubContract", json!(ACCOUNT)), 4, "relay.pinned"),
        ("an L2 of another router", call(l2_router, getter::L1_ASSET_ROUTER, &wrong), 4, "relay.pinned"),
        (
            "a newer protocol",
            call(&diamond, getter::GET_PROTOCOL_VERSION, &number(30 << 32)),
            4,
            "relay.protocol_version",
        ),
        ("another patch", call(&diamond, getter::GET_PROTOCOL_VERSION, &number((29 << 32) | 4)), 0, ""),
        ("wrong chain", result("l1", "eth_chainId", json!("0x1")), 22, "relay.wrong_chain"),
        ("the two URLs are swapped", result("l2", "eth_chainId", json!("0x7a69")), 22, "relay.wrong_chain"),
        // a closed way, other accounts
        ("paused", call(&hub, getter::PAUSED, &number(1)), 4, "relay.deposits_paused"),
        ("a paused asset router", call(&router, getter::PAUSED, &number(1)), 4, "relay.deposits_paused"),
        ("a chain behind a Gateway", call(&hub, getter::SETTLEMENT_LAYER, &number(506)), 0, ""),
        (
            "an L2 gas whose margin is above the ceiling",
            result("l2", "zks_estimateGasL1ToL2", json!("0x44ac910")),
            0,
            "",
        ),
        ("filtered", call(&diamond, getter::GET_TRANSACTION_FILTERER, &wrong), 0, ""),
        ("the sender is a contract", code(ACCOUNT, "0x6000"), 4, "relay.account_kind"),
        (
            "the sender is delegated",
            code(ACCOUNT, "0xef01007bded30253d9dd63cd1ca574d1dbc4985d88b404"),
            4,
            "relay.account_kind",
        ),
        // words that are none
        ("no contract at the bridgehub", call(&hub, getter::BASE_TOKEN, "0x"), 20, "relay.answer"),
        ("an address with dirt above", call(&hub, getter::ASSET_ROUTER, &dirty), 20, "relay.answer"),
        ("half a word", call(&hub, getter::PAUSED, "0x00"), 20, "relay.answer"),
        ("two words", call(&hub, getter::PAUSED, &format!("{wrong}{}", &wrong[2..])), 20, "relay.answer"),
        (
            "a getter that reverts",
            Box::new({
                let (hub, reply) = (hub.clone(), reverted("0x"));
                move |chain| {
                    chain.calls.insert((hub.clone(), getter::PAUSED.to_owned()), reply.clone());
                }
            }),
            0,
            "",
        ),
        ("fee parameters with dirt above", slot("0x26", &dirty), 20, "relay.answer"),
        (
            "fee parameters of a third mode",
            slot("0x26", &common::chain::FEE_PARAMS.replace("f424000", "f424002")),
            20,
            "relay.answer",
        ),
        ("fee parameters of zero", slot("0x26", &number(0)), 20, "relay.answer"),
        (
            "fee parameters of another mode",
            slot("0x26", &common::chain::FEE_PARAMS.replace("f424000", "f424001")),
            26,
            "relay.disagree",
        ),
        ("no multiplier", slot("0x2d", &number(0)), 20, "relay.answer"),
        ("another multiplier", slot("0x2d", &format!("0x{:032x}{:032x}", 1, 2)), 26, "relay.disagree"),
        (
            "a higher overhead than the bridgehub's",
            slot("0x26", &common::chain::FEE_PARAMS.replace("f424000", "f424100")),
            26,
            "relay.disagree",
        ),
        ("a slot that is no word", slot("0x26", "0x1"), 20, "relay.answer"),
        // numbers that are none
        ("a nonce of 2^53", result("l1", "eth_getTransactionCount", json!("0x20000000000000")), 20, "relay.answer"),
        ("a negative nonce", result("l1", "eth_getTransactionCount", json!("-0x1")), 20, "relay.answer"),
        ("a nonce with a sign", result("l1", "eth_getTransactionCount", json!("0x+1")), 20, "relay.answer"),
        ("a nonce that is a number", result("l1", "eth_getTransactionCount", json!(7)), 20, "relay.answer"),
        ("no nonce", result("l1", "eth_getTransactionCount", Value::Null), 20, "relay.answer"),
        ("odd bytes", result("l1", "eth_getCode", json!("0x123")), 20, "relay.answer"),
        (
            "an absurd base fee",
            result("l1", "eth_feeHistory", json!({"baseFeePerGas": ["0x9184e72a001"]})),
            20,
            "relay.answer",
        ),
        ("the highest tip", result("l1", "eth_maxPriorityFeePerGas", json!("0x9184e72a000")), 0, ""),
        ("an absurd tip", result("l1", "eth_maxPriorityFeePerGas", json!("0x9184e72a001")), 20, "relay.answer"),
        ("no fee history, no block", result("l1", "eth_feeHistory", json!({"baseFeePerGas": []})), 20, "relay.network"),
        (
            "no proposal for the tip, no gas price",
            method("l1", "eth_maxPriorityFeePerGas", Reply::missing()),
            20,
            "relay.network",
        ),
        ("a gas estimate of 2^53", result("l1", "eth_estimateGas", json!("0x20000000000000")), 20, "relay.answer"),
        (
            "an estimate above what a transaction may have",
            result("l1", "eth_estimateGas", json!("0x1000001")),
            4,
            "fees.gas_above_cap",
        ),
        (
            "an L2 gas above the ceiling",
            result("l2", "zks_estimateGasL1ToL2", json!("0x44ac911")),
            4,
            "priority.gas_ceiling",
        ),
        ("an L2 gas below the floor", result("l2", "zks_estimateGasL1ToL2", json!("0x1")), 0, ""),
        // what the contracts say
        ("a deposit that reverts", method("l1", "eth_estimateGas", reverted("0x00c5a6a9")), 4, "relay.would_revert"),
        (
            "an L2 side that reverts",
            method("l2", "zks_estimateGasL1ToL2", reverted("0xdeadbeef")),
            4,
            "relay.would_revert",
        ),
        (
            "no funds yet",
            method("l1", "eth_estimateGas", Reply::error(-32003, "Insufficient funds for gas * price + value")),
            0,
            "",
        ),
        ("an L2 node without estimates", method("l2", "zks_estimateGasL1ToL2", Reply::missing()), 0, ""),
        (
            "an L2 node without zks_getBridgehubContract",
            method("l2", "zks_getBridgehubContract", Reply::missing()),
            0,
            "",
        ),
        // no protocol at all
        ("not JSON", method("l1", "eth_getCode", Reply::Body("<html>".to_owned())), 20, "relay.answer"),
        ("no result", method("l1", "eth_getCode", Reply::Body("{}".to_owned())), 20, "relay.answer"),
        ("an L1 that hangs up", method("l1", "eth_getCode", Reply::HangUp), 20, "relay.network"),
        ("a balance that is none", result("l1", "eth_getBalance", json!("much")), 0, ""),
        ("too little of everything", result("l1", "eth_getBalance", json!("0x1")), 0, ""),
        (
            "a chain that says no more than it must",
            Box::new(|chain| {
                let keep = [
                    getter::BASE_TOKEN,
                    getter::GET_ZK_CHAIN,
                    getter::ASSET_ROUTER,
                    getter::L1_NULLIFIER,
                    getter::NATIVE_TOKEN_VAULT,
                ];
                chain.calls.retain(|(_, selector), _| keep.contains(&selector.as_str()));
            }),
            0,
            "",
        ),
        ("control characters", method("l1", "eth_getCode", Reply::error(-32000, "\u{1b}[2Jgone")), 20, "relay.network"),
    ];
    let mut failures = Failures::default();
    for (name, change, exit, expected) in rows {
        let mut chain = Chain::of(&network);
        change(&mut chain);
        let (l1, l2) = made_up(&chain);
        let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url, "--retries", "0"], &eth_deposit(ACCOUNT));
        if !failures.check(name, "exit and code", &(said.exit, refusal_of(&said)), &(exit, expected.to_owned())) {
            failures.fail(name, &said.stderr);
        }
        if said.stderr.contains('\u{1b}') || said.stdout.contains('\u{1b}') {
            failures.fail(name, "a node's text moved the cursor");
        }
        if exit == 0 {
            sign(&said.json(), &[]);
        } else if !said.stdout.is_empty() {
            failures.fail(name, "a refused request was written all the same");
        }
    }
    failures.finish();
}

/// Of several nodes enough must agree, on each fact; prices and heads move, and are no disagreement.
#[test]
fn nodes_must_agree() {
    use common::chain::{getter, number};
    let honest = Chain::of(&local());
    let mut other = honest.clone();
    other.set_call(local()["bridgehub"].as_str().expect("an address"), getter::PAUSED, &number(1));
    let mut dearer = honest.clone();
    dearer.set("l1", "eth_maxPriorityFeePerGas", json!("0x77359400"));
    let (l1, l2) = made_up(&honest);
    let (liar, second) = made_up(&other);
    let (dear, _) = made_up(&dearer);
    let run = |urls: &[&str]| {
        relay(&[&["prepare", "--l2", &l2.url, "--l2", &second.url][..], urls].concat(), &eth_deposit(ACCOUNT))
    };
    let said = run(&["--l1", &l1.url, "--l1", &liar.url]);
    assert_eq!((said.exit, refusal_of(&said).as_str()), (26, "relay.disagree"), "{}", said.stderr);
    let said = run(&["--l1", &liar.url, "--l1", &l1.url, "--l1", &dear.url, "--quorum", "2"]);
    assert_eq!(said.json()["facts"]["transaction"]["maxPriorityFeePerGas"], json!("1000000000"), "the middle one");
    assert_eq!(run(&["--l1", &l1.url, "--l1", &dear.url]).exit, 0, "{}", said.stderr);
}

/// Two kinds of nodes, or one a block behind, do not estimate the same gas: near is enough, and far is a disagreement.
#[test]
fn estimates_need_only_be_near() {
    let honest = Chain::of(&local());
    let nodes = |change: &dyn Fn(&mut Chain)| {
        let mut chain = honest.clone();
        change(&mut chain);
        made_up(&chain)
    };
    let (l1, l2) = made_up(&honest);
    let (near_l1, near_l2) = nodes(&|chain| {
        chain.set("l1", "eth_estimateGas", json!("0x41eb0")); // 270,000, not 216,618
        chain.set("l2", "zks_estimateGasL1ToL2", json!("0x7a120")); // 500,000, not 419,424
        let fee = json!({"gas_limit": "0x41eb0", "max_fee_per_gas": "0x2b275d1", "max_priority_fee_per_gas": "0x0",
            "gas_per_pubdata_limit": "0xa9"});
        chain.set("l2", "zks_estimateFee", fee);
    });
    let (far_l1, far_l2) = nodes(&|chain| {
        chain.set("l1", "eth_estimateGas", json!("0xffffff"));
        chain.set("l2", "zks_estimateGasL1ToL2", json!("0x44aa200"));
    });
    let run = |l1: &[&str], l2: &[&str], more: &[&str], what: &str| {
        let urls = l1.iter().flat_map(|url| ["--l1", url]).chain(l2.iter().flat_map(|url| ["--l2", url]));
        relay(&["prepare"].into_iter().chain(urls).chain(more.iter().copied()).collect::<Vec<_>>(), what)
    };
    let deposit = eth_deposit(ACCOUNT);
    let facts = run(&[&l1.url, &near_l1.url], &[&l2.url, &near_l2.url], &[], &deposit).json()["facts"].clone();
    assert_eq!(facts["transaction"]["gasLimit"], json!(364_500), "270,000 and 35 %");
    assert_eq!(facts["priorityRequest"]["l2GasLimit"], json!(675_000), "500,000 and 35 %");
    let withdraw = intent(ACCOUNT, &json!({"withdraw": {"token": "base", "amount": "5", "to": ACCOUNT}}));
    let facts = run(&[], &[&l2.url, &near_l2.url], &[], &withdraw).json()["facts"].clone();
    assert_eq!(facts["transaction"]["gasLimit"], json!(364_500));
    let refused =
        [(vec![&l1.url[..], &far_l1.url], vec![&l2.url[..]]), (vec![&l1.url[..]], vec![&l2.url[..], &far_l2.url])];
    for (l1, l2) in refused {
        let said = run(&l1, &l2, &[], &deposit);
        assert_eq!((said.exit, refusal_of(&said).as_str()), (26, "relay.disagree"), "{}", said.stderr);
    }
    let three = [&far_l1.url[..], &l1.url, &near_l1.url];
    let facts = run(&three, &[&l2.url, &near_l2.url], &["--quorum", "2"], &deposit).json()["facts"].clone();
    assert_eq!(facts["transaction"]["gasLimit"], json!(364_500), "who is far away does not count");
}

/// Where gas is paid in ETH no node's tip is taken beyond what any block had; of another base token nobody knows the price.
#[test]
fn a_tip_has_a_bound_where_gas_is_paid_in_eth() {
    for (name, exit, code) in [("os-v30", 20, "relay.answer"), ("os-custom-v30", 0, "")] {
        let (network, file) = network(name);
        let mut chain = Chain::of(&network);
        chain.set("l2", "eth_maxPriorityFeePerGas", json!("0x9184e72a001"));
        let (_, l2) = made_up(&chain);
        let withdraw = json!({"withdraw": {"token": "base", "amount": "5", "to": ACCOUNT}});
        let document = json!({"network": name, "from": ACCOUNT, "operation": withdraw}).to_string();
        let said = relay(&["prepare", "--l2", &l2.url, "--network-file", &file], &document);
        assert_eq!((said.exit, refusal_of(&said).as_str()), (exit, code), "{name} {}", said.stderr);
    }
}

/// A cancellation takes the nonce of what it cancels: while transactions wait, the next nonce is none of theirs.
#[test]
fn what_is_cancelled_is_said_while_transactions_wait() {
    for layer in ["l1", "l2"] {
        let waiting = |pending: &'static str| {
            let chain = Chain::of(&local());
            let node = move |method: &str, params: &Value| match method {
                "eth_getTransactionCount" if params[1] == "pending" => Reply::Result(json!(pending)),
                "eth_getTransactionCount" => Reply::Result(json!("0x7")),
                _ => chain.answer(layer, method, params),
            };
            common::rpc::Node::start(node)
        };
        let cancel = intent(ACCOUNT, &json!({"cancel": {"layer": layer}}));
        let flag = format!("--{layer}");
        let (busy, quiet) = (waiting("0x9"), waiting("0x7"));
        let said = relay(&["prepare", &flag, &busy.url], &cancel);
        assert_eq!((said.exit, refusal_of(&said).as_str()), (2, "usage.command"), "{}", said.stderr);
        let said = relay(&["prepare", &flag, &busy.url, "--nonce", "8"], &cancel);
        assert_eq!(said.json()["facts"]["transaction"]["nonce"], json!(8), "{}", said.stderr);
        let said = relay(&["prepare", &flag, &quiet.url], &cancel);
        assert_eq!(said.json()["facts"]["transaction"]["nonce"], json!(7), "{}", said.stderr);
    }
}

/// A batch is answered line by line, and the plans of one account follow each other.
#[test]
fn a_batch_counts_nonces_and_goes_on_after_a_refusal() {
    let (l1, l2) = made_up(&Chain::of(&local()));
    let withdraw = intent(ACCOUNT, &json!({"withdraw": {"token": "eth", "amount": "5", "to": ACCOUNT}}));
    let wrong = eth_deposit(ACCOUNT).replace("\"1000000000000000000\"", "\"0\"");
    let lines = [eth_deposit(ACCOUNT), wrong, withdraw.clone(), eth_deposit(ACCOUNT), withdraw].join("\n");
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &lines);
    assert_eq!(said.exit, 4, "{}", said.stderr);
    let answers: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<Value> = answers
        .iter()
        .map(|answer| {
            if answer["error"].is_null() {
                answer["facts"]["transaction"]["nonce"].clone()
            } else {
                answer["error"]["code"].clone()
            }
        })
        .collect();
    assert_eq!(told, [json!(7), json!("amount.zero"), json!(3), json!(8), json!(4)]);
    // Into a file, which is whole and never overwritten.
    let file = scratch().join("request.json");
    let arguments = ["prepare", "--l1", &l1.url, "--l2", &l2.url, "-o", file.to_str().expect("a path")];
    let said = relay(&arguments, &eth_deposit(ACCOUNT));
    assert_eq!((said.exit, said.stdout.as_str()), (0, ""), "{}", said.stderr);
    assert!(std::fs::read_to_string(&file).expect("written").starts_with("{\"schema\":\"coldbridge/request/1\""));
    assert_eq!(relay(&arguments, &eth_deposit(ACCOUNT)).exit, 10);
}

/// The plans of a batch do not count on the same allowance twice: what one takes, the next one has to be given.
#[test]
fn a_batch_spends_an_allowance_once() {
    use common::chain::{getter, number};
    let mut chain = Chain::of(&local());
    chain.set_call(TOKEN, getter::ALLOWANCE, &number(150));
    chain.set_call(TOKEN, getter::BALANCE_OF, &number(1 << 90));
    for text in [getter::NAME, getter::SYMBOL, getter::DECIMALS] {
        chain.set_call(TOKEN, text, &number(18));
    }
    let (l1, l2) = made_up(&chain);
    let router = local()["l1AssetRouter"].clone();
    let deposit =
        |amount: &str| intent(ACCOUNT, &json!({"deposit": {"token": TOKEN, "amount": amount, "to": ACCOUNT}}));
    let approve = intent(ACCOUNT, &json!({"approve": {"token": TOKEN, "spender": router, "amount": "70"}}));
    let lines = [deposit("100"), deposit("50"), deposit("1"), approve, deposit("60"), deposit("20"), deposit("5")];
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &lines.join("\n"));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    // What ERC-20 says of the sequence: 150, 50, 0 (approved anew), 70, 10 (approved anew), 0 (approved anew).
    let mut held = 150;
    for line in said.stdout.lines() {
        let request: Value = serde_json::from_str(line).expect("JSON");
        let unsigned = build(&request, &[]);
        for transaction in unsigned["transactions"].as_array().expect("a plan") {
            let data = transaction["data"].as_str().expect("calldata");
            if transaction["purpose"] == "approve" {
                let amount = u64::from_str_radix(&data[data.len() - 16..], 16).expect("an amount");
                assert!(held == 0 || amount == 0 || request["intent"]["operation"].get("approve").is_some(), "{line}");
                held = amount;
            } else {
                let amount = request["intent"]["operation"]["deposit"]["amount"].as_str().expect("an amount");
                let amount: u64 = amount.parse().expect("a number");
                assert!(held >= amount, "{amount} of {held}: the deposit would revert: {line}");
                held -= amount;
            }
        }
    }
    assert_eq!(held, 0);
}

/// What the chain can not execute before the plans that come first is not refused for it: USDT takes no approval as long as
/// there is another, and no deposit runs before its approval.
#[test]
fn a_batch_is_not_judged_by_the_chain_of_before() {
    use common::chain::{getter, number};
    for (allowance, first) in [
        (100, json!({"deposit": {"token": TOKEN, "amount": "100", "to": ACCOUNT}})),
        (0, json!({"approve": {"token": TOKEN, "spender": local()["l1AssetRouter"], "amount": "20"}})),
    ] {
        let mut chain = Chain::of(&local());
        chain.set_call(TOKEN, getter::ALLOWANCE, &number(allowance));
        chain.set_call(TOKEN, getter::BALANCE_OF, &number(1 << 90));
        for text in [getter::NAME, getter::SYMBOL, getter::DECIMALS] {
            chain.set_call(TOKEN, text, &number(18));
        }
        let (_, l2) = made_up(&chain);
        let l1 = common::rpc::Node::start(move |method, params| {
            let data = params[0]["data"].as_str().unwrap_or_default();
            let (is_approval, is_deposit) = (data.starts_with("0x095ea7b3"), data.starts_with("0x24fd57fb"));
            let reverts = if allowance == 0 { is_deposit } else { is_approval && !data.ends_with("00") };
            if method == "eth_estimateGas" && reverts {
                return Reply::Error(json!({"code": 3, "message": "execution reverted", "data": "0x"}));
            }
            chain.answer("l1", method, params)
        });
        let second = json!({"deposit": {"token": TOKEN, "amount": "20", "to": ACCOUNT}});
        let lines = [intent(ACCOUNT, &first), intent(ACCOUNT, &second)].join("\n");
        let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &lines);
        assert_eq!(said.exit, 0, "{allowance}: {} {}", said.stdout, said.stderr);
        let last: Value = serde_json::from_str(said.stdout.lines().nth(1).expect("two")).expect("JSON");
        let left = if allowance == 0 { "20" } else { "0" };
        assert_eq!(last["facts"]["allowances"][0]["amount"], json!(left));
    }
}

/// Networks can share their L1, and so an account's nonces there.
#[test]
fn a_batch_counts_nonces_by_chain() {
    let folder = scratch();
    let file = folder.join("second.json");
    let mut second = local();
    second["name"] = json!("second");
    second["l2ChainId"] = json!(271);
    std::fs::write(&file, second.to_string()).expect("written");
    let (l1, _) = made_up(&Chain::of(&local()));
    let cancel = intent(ACCOUNT, &json!({"cancel": {"layer": "l1"}}));
    let lines = [cancel.clone(), cancel.replace("local", "second"), cancel].join("\n");
    let said = relay(&["prepare", "--l1", &l1.url, "--network-file", file.to_str().expect("a path")], &lines);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let nonces: Vec<Value> = said
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["facts"]["transaction"]["nonce"].clone())
        .collect();
    assert_eq!(nonces, [json!(7), json!(8), json!(9)]);
}

/// Nothing is asked before the intent is read, and what is not needed is not asked for.
#[test]
fn commands_that_are_not_understood_ask_nobody() {
    let (l1, l2) = made_up(&Chain::of(&local()));
    let urls = ["--l1", l1.url.as_str(), "--l2", l2.url.as_str()];
    let cases: Vec<(String, Vec<&str>, i32, &str)> = vec![
        ("{".to_owned(), urls.to_vec(), 3, "json.syntax"),
        ("{\"schema\":\"coldbridge/intent/2\",\"intent\":{}}".to_owned(), urls.to_vec(), 3, "json.schema"),
        (eth_deposit(ACCOUNT).replace("local", "nowhere"), urls.to_vec(), 4, "network.unknown"),
        (eth_deposit(&ACCOUNT.to_lowercase()), urls.to_vec(), 3, "address.checksum"),
        (eth_deposit(ACCOUNT).replace("\"1000000000000000000\"", "\"0\""), urls.to_vec(), 4, "amount.zero"),
        (
            eth_deposit(ACCOUNT).replace("\"eth\"", "\"0x0000000000000000000000000000000000000000\""),
            urls.to_vec(),
            4,
            "token.system",
        ),
        (eth_deposit(ACCOUNT), vec!["--l2", &l2.url], 2, "usage.command"),
        (eth_deposit(ACCOUNT), [&urls[..], &["--gas-price", "1"]].concat(), 2, "usage.command"),
        (eth_deposit(ACCOUNT), [&urls[..], &["--max-fee-per-gas", "0x10"]].concat(), 2, "usage.command"),
        (eth_deposit(ACCOUNT), [&urls[..], &["--base-fee-multiplier", "0.5"]].concat(), 2, "usage.command"),
    ];
    for (input, arguments, exit, code) in cases {
        let said = relay(&[&["prepare"][..], &arguments].concat(), &input);
        assert_eq!((said.exit, refusal_of(&said).as_str()), (exit, code), "{input} {arguments:?} {}", said.stderr);
    }
    let asked: Vec<(String, Value)> = [l1.calls(), l2.calls()].concat();
    assert!(asked.iter().all(|(method, _)| method == "eth_chainId"), "{asked:?}");
    // The L2 side is estimated: without --l2 there is nobody to ask, unless the caller states it.
    let alone = ["prepare", "--l1", &l1.url];
    assert_eq!(relay(&alone, &eth_deposit(ACCOUNT)).exit, 2);
    assert_eq!(relay(&[&alone[..], &["--l2-gas-limit", "400000"]].concat(), &eth_deposit(ACCOUNT)).exit, 0);
    assert_eq!(
        relay(
            &[&alone[..], &["--allow-unchecksummed", "--l2-gas-limit", "400000"]].concat(),
            &eth_deposit(&ACCOUNT.to_lowercase())
        )
        .exit,
        0
    );
    assert_eq!(l1.asked("eth_sendRawTransaction") + l2.asked("eth_sendRawTransaction"), 0);
}

/// Legacy and EIP-2930 transactions pay one price; type 2 on EraVM leaves the price to the node.
#[test]
fn every_envelope_gets_its_own_fees() {
    let (l1, l2) = made_up(&Chain::of(&local()));
    let deposit = json!({"deposit": {"token": "eth", "amount": "5", "to": ACCOUNT}});
    let withdraw = json!({"withdraw": {"token": "eth", "amount": "5", "to": ACCOUNT}});
    let rows = [
        ("legacy", &deposit, json!({"nonce": 7, "gasLimit": 350_000, "gasPrice": "31000000000"})),
        ("eip2930", &deposit, json!({"nonce": 7, "gasLimit": 350_000, "gasPrice": "31000000000"})),
        ("legacy", &withdraw, json!({"nonce": 3, "gasLimit": 355_809, "gasPrice": "67875000"})),
        (
            "eip1559",
            &withdraw,
            json!({"nonce": 3, "gasLimit": 355_809, "maxFeePerGas": "67875000", "maxPriorityFeePerGas": "0"}),
        ),
    ];
    for (envelope, operation, facts) in rows {
        let document = json!({"network": "local", "from": ACCOUNT, "envelope": envelope, "operation": operation});
        let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &document.to_string());
        assert_eq!(said.exit, 0, "{envelope}: {}", said.stderr);
        assert_eq!(said.json()["facts"]["transaction"], facts, "{envelope}");
        sign(&said.json(), &[]);
    }
    let asked = l2.params("zks_estimateFee");
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|params| params[0]["type"].is_null() && params[0]["maxfeepergas"].is_null()), "{asked:?}");
    let legacy = json!({"network": "local", "from": ACCOUNT, "envelope": "legacy", "operation": deposit}).to_string();
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url, "--gas-price", "9"], &legacy);
    assert_eq!(said.json()["facts"]["transaction"]["gasPrice"], json!("9"));
}

/// Without zks_estimateFee the standard methods are asked, with the bytes of type 0x71 as arrays of numbers.
#[test]
fn a_node_without_zks_estimate_fee_is_asked_in_the_standard_way() {
    let mut chain = Chain::of(&local());
    chain.reply("l2", "zks_estimateFee", Reply::missing());
    chain.set("l2", "eth_estimateGas", json!("0x4058a"));
    let (l1, l2) = made_up(&chain);
    let withdraw = intent(ACCOUNT, &json!({"withdraw": {"token": "eth", "amount": "5", "to": ACCOUNT}}));
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &withdraw);
    assert_eq!(said.json()["facts"]["transaction"]["gasLimit"], json!(355_809), "{}", said.stderr);
    assert!(said.stderr.contains("no zks_estimateFee"), "{}", said.stderr);
    assert_eq!(l2.params("eth_estimateGas")[0][0]["eip712Meta"], json!({"gasPerPubdata": "0xc350"}));
    // Where nobody estimates, nothing is guessed.
    chain.reply("l2", "eth_estimateGas", Reply::missing());
    let (l1, l2) = made_up(&chain);
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &withdraw);
    assert_eq!((said.exit, refusal_of(&said).as_str()), (20, "relay.no_estimate"), "{}", said.stderr);
    // A request whose bytecodes go along: numbers, not hex.
    let (l1, l2) = made_up(&Chain::of(&local()));
    let code = format!("0x{}", "ab".repeat(32));
    let execute = json!({"requestExecute": {"l2Contract": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "l2Value": "0", "l2Calldata": "0x", "factoryDeps": [code]}});
    let said = relay(&["prepare", "--l1", &l1.url, "--l2", &l2.url], &intent(ACCOUNT, &execute));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let meta = &l2.params("zks_estimateGasL1ToL2")[0][0]["eip712Meta"];
    assert_eq!(*meta, json!({"gasPerPubdata": "0x320", "factoryDeps": [vec![0xab; 32]]}));
}

#[test]
fn help_texts_are_golden() {
    let mut failures = Failures::default();
    for command in ["prepare", "proof"] {
        let path = common::root().join(format!("tests/golden/help_relay_{command}.txt"));
        let said = relay(&[command, "--help"], "");
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if !failures.check(command, "help", &(said.stdout == expected), &true) {
            failures.fail(command, &said.stdout);
        }
    }
    failures.finish();
}

/// The intents of the fixtures, one of each operation and kind on each network, are prepared from a chain that is as the network
/// says, and lead to the call that the fixture was signed for.
#[test]
fn intents_of_all_operations_lead_to_the_calls_that_others_made_of_them() {
    use common::chain::{getter, number};
    let mut seen = std::collections::BTreeSet::new();
    let mut failures = Failures::default();
    for fixture in common::operation_fixtures() {
        let Some(signed) = fixture.signed() else { continue };
        let intent = &fixture.json["request"]["intent"];
        let operation = intent["operation"].as_object().and_then(|operation| operation.iter().next()).expect("one");
        let last = signed["transactions"].as_array().and_then(|list| list.last()).expect("a transaction");
        let (to, data) = (&last["unsigned"]["to"], last["unsigned"]["data"].as_str().expect("calldata"));
        let selector = data.get(..10).unwrap_or(data);
        if !seen.insert((operation.0.clone(), intent["network"].to_string(), selector.to_owned())) {
            continue;
        }
        let name = &fixture.name;
        let files: Vec<String> =
            fixture.network_files().iter().map(|path| path.to_str().expect("a path").to_owned()).collect();
        let pinned = || format!("src/network/{}.json", intent["network"].as_str().expect("a name"));
        let file = files.first().map_or_else(|| common::root().join(pinned()), std::path::PathBuf::from);
        let network = std::fs::read_to_string(file).expect("the network");
        let mut chain = Chain::of(&serde_json::from_str(&network).expect("JSON"));
        chain.any_call(getter::ALLOWANCE, &number(0));
        chain.any_call(getter::BALANCE_OF, &number(0));
        chain.set_call("0x0000000000000000000000000000000000008003", "0xfb1a9a57", &number(5));
        // What the intent says of accounts is so.
        for (account, kind) in [("from", "fromKind"), ("refundRecipient", "refundRecipientKind")] {
            let code = match intent[kind].as_str() {
                Some("delegated") => format!("0xef0100{}", "11".repeat(20)),
                Some("contract") => "0x6000".to_owned(),
                _ => continue,
            };
            chain.code.insert(intent[account].as_str().unwrap_or_default().to_lowercase(), code);
        }
        let (l1, l2) = made_up(&chain);
        let mut arguments = vec!["prepare", "--l1", &l1.url, "--l2", &l2.url];
        if fixture.allows_unchecksummed() {
            arguments.push("--allow-unchecksummed");
        }
        let switches: Vec<&str> = files.iter().flat_map(|file| ["--network-file", file]).collect();
        arguments.extend(&switches);
        // The request, not the intent alone: what proves something of the past stays as it is.
        let said = relay(&arguments, &fixture.json["request"].to_string());
        if !failures.check(name, "exit and code", &(said.exit, refusal_of(&said)), &(0, String::new())) {
            failures.fail(name, &said.stderr);
            continue;
        }
        let unsigned = build(&said.json(), &switches);
        let built = unsigned["transactions"].as_array().and_then(|list| list.last()).expect("a transaction").clone();
        failures.check(name, "to", &built["to"], to);
        failures.check(
            name,
            "selector",
            &built["data"].as_str().map(|data| data.get(..10).unwrap_or(data)),
            &Some(selector),
        );
    }
    assert!(seen.len() > 30, "only {} kinds of intents", seen.len());
    failures.finish();
}

/// The floor of L1 is no promise of execution: what nobody estimates gets room, and is said in capitals.
#[test]
fn what_nobody_estimates_gets_room() {
    let mut chain = Chain::of(&local());
    chain.reply("l2", "zks_estimateGasL1ToL2", Reply::missing());
    let (l1, l2) = made_up(&chain);
    let urls = ["prepare", "--l1", &l1.url, "--l2", &l2.url];
    let execute = json!({"requestExecute": {"l2Contract": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "l2Value": "0", "l2Calldata": "0xdeadbeef"}});
    let said = relay(&urls, &intent(ACCOUNT, &execute));
    assert_eq!(said.json()["facts"]["priorityRequest"]["l2GasLimit"], json!(3_000_000), "{}", said.stderr);
    assert!(said.stderr.contains("NOT ESTIMATED"), "{}", said.stderr);
    // A plain transfer takes what L1 asks for, 253,884, and the margin.
    let said = relay(&urls, &eth_deposit(ACCOUNT));
    assert_eq!(said.json()["facts"]["priorityRequest"]["l2GasLimit"], json!(342_744), "{}", said.stderr);
}
