//! Refusals that no fixture file can show, and the table of all of them.

mod common;

use std::fmt::Write as _;

use coldbridge::refusal::contract_error;
use coldbridge::{Code, Decoded, Document, Json, Key, Networks, Refusal, Request, Signed, Spelling, json};
use common::{Failures, fixture};
use serde_json::{Value, json as value};

fn request(folder: &str, name: &str, change: impl FnOnce(&mut Value)) -> Result<Signed, Refusal> {
    let fixture = fixture(folder, name);
    let mut request = fixture.json["request"].clone();
    change(&mut request);
    let request = json::parse(request.to_string().as_bytes())?;
    Request::read(&request, &Networks::pinned(), Spelling::Checksummed)?
        .plan()?
        .sign(&Key::from_hex(fixture.key().as_bytes())?)
}

#[test]
fn requests_that_no_fixture_holds() {
    type Change = Box<dyn Fn(&mut Value)>;
    let set = |pointer: &'static str, new: Value| -> Change {
        Box::new(move |request| {
            let (parent, name) = pointer.rsplit_once('/').expect("a member");
            request.pointer_mut(parent).expect("the parent")[name] = new.clone();
        })
    };
    let above_u64 = "18446744073709551616";
    let rows: Vec<(&str, Change, Code, &str)> = vec![
        (
            "withdraw",
            set("/intent/operation/withdraw/to", value!("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2")),
            Code::RECIPIENT_NETWORK_CONTRACT,
            "/intent/operation/withdraw/to",
        ),
        ("deposit", set("/intent/fromKind", value!("robot")), Code::JSON_CHOICE, "/intent/fromKind"),
        ("withdraw", set("/intent/fromKind", value!("delegated")), Code::INTENT_UNSUPPORTED, "/intent/fromKind"),
        ("deposit", set("/intent/bridge", value!("usdc")), Code::BRIDGE_UNKNOWN, "/intent/bridge"),
        ("withdraw", set("/intent/paymaster", value!({})), Code::JSON_MISSING_MEMBER, "/intent/paymaster/address"),
        ("withdraw", set("/intent/operatorTip", value!("0")), Code::INTENT_UNUSED, "/intent/operatorTip"),
        (
            "withdraw",
            set("/intent/baseCostMarginPercent", value!(1)),
            Code::INTENT_UNUSED,
            "/intent/baseCostMarginPercent",
        ),
        (
            "withdraw",
            set("/intent/refundRecipient", value!("0x36615Cf349d7F6344891B1e7CA7C72883F5dc049")),
            Code::INTENT_UNUSED,
            "/intent/refundRecipient",
        ),
        ("deposit", set("/intent/id", value!("")), Code::JSON_TEXT, "/intent/id"),
        ("deposit", set("/intent/id", value!("PAY\u{202e}42")), Code::JSON_TEXT, "/intent/id"),
        ("deposit", set("/intent/id", value!("x".repeat(129))), Code::JSON_TEXT, "/intent/id"),
        ("deposit", set("/intent/envelope", value!("eip4844")), Code::JSON_CHOICE, "/intent/envelope"),
        (
            "deposit",
            set("/intent/baseCostMarginPercent", value!(1001)),
            Code::PRIORITY_MARGIN,
            "/intent/baseCostMarginPercent",
        ),
        (
            "deposit",
            set("/facts/transaction/maxFeePerGas", value!("340282366920938463463374607431768211456")),
            Code::FEES_RANGE,
            "/facts/transaction/maxFeePerGas",
        ),
        (
            "deposit",
            set("/facts/transaction/gasLimit", value!(above_u64)),
            Code::QUANTITY_RANGE,
            "/facts/transaction/gasLimit",
        ),
        (
            "deposit",
            set("/facts/transaction/nonce", value!("18446744073709551615")),
            Code::QUANTITY_RANGE,
            "/facts/transaction/nonce",
        ),
        (
            "deposit",
            set("/facts/priorityRequest/feeParams/batchOverheadL1Gas", value!(4_294_967_296_u64)),
            Code::QUANTITY_RANGE,
            "/facts/priorityRequest/feeParams/batchOverheadL1Gas",
        ),
        (
            "deposit",
            set("/facts/priorityRequest/feeParams/minimalL2GasPrice", value!(250_000_000)),
            Code::JSON_WRONG_TYPE,
            "/facts/priorityRequest/feeParams/minimalL2GasPrice",
        ),
        (
            "deposit",
            set("/facts/priorityRequest/feeParams/minimalL2GasPrice", value!(above_u64)),
            Code::QUANTITY_RANGE,
            "/facts/priorityRequest/feeParams/minimalL2GasPrice",
        ),
        (
            "deposit",
            set("/facts/priorityRequest/feeParams/pubdataPricingMode", value!("Rollup")),
            Code::JSON_CHOICE,
            "/facts/priorityRequest/feeParams/pubdataPricingMode",
        ),
        (
            "deposit",
            set("/facts/priorityRequest/feeParams/maxPubdataPerBatch", value!(98_999)),
            Code::PRIORITY_FEE_PARAMS,
            "/facts/priorityRequest/feeParams/maxPubdataPerBatch",
        ),
        (
            "deposit",
            set(
                "/intent/operatorTip",
                value!("115792089237316195423570985008687907853269984665640564039457584007913129639935"),
            ),
            Code::FEES_OVERFLOW,
            "/intent",
        ),
        (
            "withdraw",
            set("/facts/transaction/gasPerPubdata", value!(above_u64)),
            Code::L2_GAS_PER_PUBDATA_RANGE,
            "/facts/transaction/gasPerPubdata",
        ),
        (
            "deposit",
            set("/intent/from", value!("0x303a465B659cBB0ab36eE643eA362c509EEb5213")),
            Code::RECIPIENT_NETWORK_CONTRACT,
            "/intent/from",
        ),
        (
            "deposit",
            set("/intent/from", value!("0x0000000000000000000000000000000000000000")),
            Code::RECIPIENT_ZERO,
            "/intent/from",
        ),
        (
            "deposit",
            set("/facts/transaction/gasLimit", value!(16_777_217)),
            Code::FEES_GAS_ABOVE_CAP,
            "/facts/transaction/gasLimit",
        ),
    ];
    let mut failures = Failures::default();
    for (operation, change, code, at) in rows {
        let name = if operation == "deposit" { "era_mainnet_typical" } else { "withdraw_era_mainnet_typical" };
        match request(operation, name, change) {
            Ok(_) => failures.fail(at, format!("{} was signed", code.name)),
            Err(refusal) => {
                failures.check(at, "code and place", &(refusal.code().name, refusal.at()), &(code.name, at));
            }
        }
    }
    // An account with code is not depositing by default; a plain one may say so.
    failures.check(
        "eoa",
        "signed",
        &request("deposit", "era_mainnet_typical", |r| r["intent"]["fromKind"] = value!("eoa")).is_ok(),
        &true,
    );
    failures.finish();
}

/// Value and fees that fit one by one, and not together.
#[test]
fn a_debit_above_uint256_is_refused() {
    let half = "57896044618658097711785492504343953926634992332820282019728792003956564819968";
    let refusal = request("deposit", "era_mainnet_typical", |request| {
        request["intent"]["operatorTip"] = value!(half);
        request["intent"]["operation"]["deposit"]["amount"] =
            value!("57896044618658097711785492504343953926634992332820282019728792003956184439967");
        request["facts"]["transaction"]["maxFeePerGas"] = value!("340282366920938463463374607431768211455");
        request["facts"]["transaction"]["gasLimit"] = value!("18446744073709551615");
        request["facts"]["transaction"]["maxPriorityFeePerGas"] = value!("0");
    })
    .expect_err("too much");
    assert_eq!((refusal.code(), refusal.at()), (Code::FEES_OVERFLOW, "/intent"), "{refusal}");
    // With a base cost of next to nothing the sum of value and fees is what overflows.
    let refusal = request("deposit", "price_minimal_branch", |request| {
        let almost = "115792089237316195423570985008687907853269984665640564039457583007913129639935";
        request["intent"]["operation"]["deposit"]["amount"] = value!(almost);
        request["facts"]["transaction"]["gasLimit"] = value!(16_777_216);
    })
    .expect_err("too much");
    assert_eq!((refusal.code(), refusal.at()), (Code::FEES_OVERFLOW, "/facts/transaction"), "{refusal}");
}

fn signed_document() -> Value {
    let signed = request("deposit", "local_typical", |_| {}).expect("signed");
    serde_json::from_str(&signed.to_json().to_string()).expect("JSON")
}

fn read_signed(document: &Value) -> Refusal {
    let document = json::parse(document.to_string().as_bytes()).expect("JSON");
    Signed::read(&document, &Networks::pinned()).expect_err("must be refused")
}

#[test]
fn signed_documents_are_proved() {
    let raw_at = "/transactions/0/raw";
    let with_raw = |raw: String| {
        let mut document = signed_document();
        document["transactions"][0]["raw"] = value!(raw);
        read_signed(&document)
    };
    let check = |refusal: &Refusal, code: Code, at: &str| {
        assert_eq!((refusal.code().name, refusal.at()), (code.name, at), "{refusal}");
    };
    check(&with_raw("0x0".into()), Code::BYTES_FORMAT, raw_at);
    check(&with_raw("02f8".into()), Code::BYTES_FORMAT, raw_at);
    check(&with_raw("0x".into()), Code::RAW_FORMAT, raw_at);
    check(&with_raw("0x02c0".into()), Code::RAW_FORMAT, raw_at);
    let honest = signed_document()["transactions"][0]["raw"].as_str().expect("hex").to_owned();
    check(&with_raw(format!("{honest}00")), Code::RAW_FORMAT, raw_at);

    // Unsigned bytes, and a signature that every chain would take.
    let fixture = fixture("deposit", "local_typical");
    let decoded = Decoded::read(&hex::decode(&honest[2..]).expect("hex"), "").expect("our own");
    let unsigned = decoded.transaction.unsigned_bytes();
    check(&with_raw(format!("0x{}", hex::encode(unsigned))), Code::SIGNED_UNSIGNED, raw_at);
    let key = Key::from_hex(fixture.key().as_bytes()).expect("a key");
    let coldbridge::Transaction::Eip1559(dynamic) = &decoded.transaction else { panic!("type 2") };
    let replayable = coldbridge::Transaction::Legacy(coldbridge::transaction::Legacy {
        chain_id: None,
        nonce: dynamic.nonce,
        gas_price: dynamic.max_fee_per_gas,
        gas_limit: dynamic.gas_limit,
        to: dynamic.to,
        value: dynamic.value,
        data: dynamic.data.clone(),
    });
    let signature = key.sign(&replayable.signing_digest()).expect("signed");
    check(&with_raw(format!("0x{}", hex::encode(replayable.raw(&signature)))), Code::SIGNED_REPLAYABLE, raw_at);

    // Somebody else's signature on the same transaction.
    let other = Key::from_hex(&[b'1'; 64]).expect("a key");
    let signature = other.sign(&decoded.transaction.signing_digest()).expect("signed");
    let refusal = with_raw(format!("0x{}", hex::encode(decoded.transaction.raw(&signature))));
    check(&refusal, Code::SIGNATURE_NOT_FROM, raw_at);
    assert_eq!(refusal.exit().code(), 7);

    // The document of another network, and of nobody.
    let mut document = signed_document();
    document["network"] = value!("era-mainnet");
    check(&read_signed(&document), Code::SIGNED_DIFFERS, raw_at);
    document["network"] = value!("nowhere");
    check(&read_signed(&document), Code::NETWORK_UNKNOWN, "/network");
    let mut document = signed_document();
    document["transactions"] = value!([]);
    check(&read_signed(&document), Code::SIGNED_DIFFERS, "/transactions");
    // The same nonce twice.
    let mut document = signed_document();
    let twice = document["transactions"][0].clone();
    document["transactions"].as_array_mut().expect("a list").push(twice);
    check(&read_signed(&document), Code::SIGNED_DIFFERS, "/transactions/1/nonce");
}

#[test]
fn networks_must_make_sense() {
    let pinned = Networks::pinned().find("local").expect("pinned").to_json().to_string();
    let mut own: Value = serde_json::from_str(&pinned).expect("JSON");
    own["name"] = value!("mine");
    own["l2ChainId"] = value!(271);
    let rows: Vec<(&str, Value, Code)> = vec![
        ("name", value!("Mine!"), Code::NETWORK_INVALID),
        ("name", value!("x".repeat(41)), Code::NETWORK_INVALID),
        ("l1ChainId", value!(0), Code::NETWORK_INVALID),
        ("l2ChainId", value!(31337), Code::NETWORK_INVALID),
        ("l2ChainId", value!(260), Code::NETWORK_INVALID), // the chains of the pinned network `local`
        ("l2ChainId", value!(281_474_976_710_656_u64), Code::QUANTITY_RANGE),
        ("vm", value!("evm"), Code::JSON_CHOICE),
        ("protocolVersion", value!("29"), Code::NETWORK_INVALID),
        ("protocolVersion", value!("0.23.0"), Code::NETWORK_INVALID),
        ("protocolVersion", value!("0.029.0"), Code::NETWORK_INVALID),
        ("bridgehub", value!("0x000000000000000000000000000000000000800A"), Code::NETWORK_INVALID),
        ("diamondProxy", value!("0x7bDED30253d9dd63cd1ca574d1dbc4985d88b404"), Code::ADDRESS_CHECKSUM),
        ("baseToken", value!("ether"), Code::ADDRESS_FORMAT),
        ("schema", value!("coldbridge/network/2"), Code::JSON_SCHEMA),
    ];
    for (member, new, code) in rows {
        let mut network = own.clone();
        network[member] = new;
        let json = json::parse(network.to_string().as_bytes()).expect("JSON");
        let refusal = Networks::pinned().with(&json).expect_err(member);
        assert_eq!((refusal.code().name, refusal.at()), (code.name, format!("/{member}").as_str()), "{refusal}");
    }
    let json = json::parse(own.to_string().as_bytes()).expect("JSON");
    assert!(Networks::pinned().with(&json).is_ok());
}

/// `local` with another name and chain id, and whatever else is changed.
fn own_network(change: impl FnOnce(&mut Value)) -> Networks {
    let pinned = Networks::pinned().find("local").expect("pinned").to_json().to_string();
    let mut own: Value = serde_json::from_str(&pinned).expect("JSON");
    own["name"] = value!("own");
    own["l2ChainId"] = value!(271);
    change(&mut own);
    Networks::pinned().with(&json::parse(own.to_string().as_bytes()).expect("JSON")).expect("a network")
}

/// On ZKsync OS v31 the derived price may be 0, and with it everything that would be minted.
#[test]
fn a_request_that_mints_nothing_is_refused() {
    let networks = own_network(|own| {
        own["vm"] = value!("zksync-os");
        own["protocolVersion"] = value!("0.31.0");
    });
    let mut request = fixture("request_execute", "execute_era_mainnet").json["request"].clone();
    request["intent"]["network"] = value!("own");
    request["intent"]["operation"]["requestExecute"]["l2Value"] = value!("0");
    request["facts"]["priorityRequest"]["feeParams"]["minimalL2GasPrice"] = value!("0");
    request["facts"]["priorityRequest"]["feeParams"]["batchOverheadL1Gas"] = value!(0);
    request["facts"]["priorityRequest"]["feeParams"]["pubdataPricingMode"] = value!("validium");
    let json = json::parse(request.to_string().as_bytes()).expect("JSON");
    let refusal = Request::read(&json, &networks, Spelling::Checksummed).and_then(Request::plan).err().expect("empty");
    assert_eq!((refusal.code(), refusal.at()), (Code::PRIORITY_EMPTY_DEPOSIT, "/facts/transaction/maxFeePerGas"));
}

#[test]
fn the_base_token_of_a_custom_chain_is_never_mistaken_for_eth() {
    let networks = own_network(|own| own["baseToken"] = value!("0x66A5cFB2e9c529f14FE6364Ad1075dF3a649C0A5"));
    let plan = |token: &str| {
        let mut request = fixture("withdraw", "withdraw_local_typical").json["request"].clone();
        request["intent"]["network"] = value!("own");
        request["intent"]["operation"]["withdraw"]["token"] = value!(token);
        let json = json::parse(request.to_string().as_bytes()).expect("JSON");
        Request::read(&json, &networks, Spelling::Checksummed)?.plan().map(|unsigned| unsigned.to_json())
    };
    assert_eq!(plan("eth").expect_err("not ETH").code(), Code::TOKEN_UNSUPPORTED);
    let document = plan("base").expect("the base token's own withdrawal");
    let debit = document.get("derived").and_then(|derived| derived.get("worstCaseDebit")).expect("a debit").to_string();
    assert!(debit.contains("\"token\":\"base\""), "{debit}");
}

/// What a red team signed before these rules were here: each a request that is well formed and loses money.
#[test]
fn well_formed_requests_that_lose_money() {
    type Changes = Vec<(&'static str, Value)>;
    const FROM: &str = "0x36615Cf349d7F6344891B1e7CA7C72883F5dc049";
    const USDC: &str = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
    const ROUTER: &str = "0x8829AD80E425C646DAB305381ff105169FeEcE56";
    const HUB: &str = "0x303a465B659cBB0ab36eE643eA362c509EEb5213";
    let erc20 = "erc20_eth_based_era_mainnet";
    let deposit_to = "/intent/operation/deposit/to";
    let token = "/intent/operation/deposit/token";
    let origin = "/intent/operation/deposit/tokenOrigin";
    let rows: Vec<(&str, &str, Changes, Code, &str)> = vec![
        (
            "deposit",
            erc20,
            vec![("/facts/transaction/nonce", value!("18446744073709551614"))],
            Code::QUANTITY_RANGE,
            "/facts/transaction/nonce",
        ),
        (
            "deposit",
            "era_mainnet_typical",
            vec![("/intent/refundRecipient", value!(FROM)), ("/intent/refundRecipientKind", value!("delegated"))],
            Code::REFUND_UNSAFE,
            "/intent/refundRecipientKind",
        ),
        ("deposit", erc20, vec![(deposit_to, value!(USDC))], Code::RECIPIENT_CONTRACT_SENDER, deposit_to),
        ("deposit", erc20, vec![(token, value!(ROUTER))], Code::TOKEN_SYSTEM, token),
        (
            "deposit",
            erc20,
            vec![(origin, value!({"chainId": 388, "address": "0x000000000000000000000000000000000000800A"}))],
            Code::TOKEN_ORIGIN,
            origin,
        ),
        (
            "deposit",
            erc20,
            vec![(origin, value!({"chainId": "1152921504606846976", "address": USDC}))],
            Code::TOKEN_ORIGIN,
            origin,
        ),
        (
            "request_execute",
            "execute_calldata_10000_floor",
            vec![
                ("/intent/operation/requestExecute/l2Calldata", value!("0x")),
                ("/intent/operation/requestExecute/l2Value", value!("1")),
                ("/intent/operation/requestExecute/l2Contract", value!(HUB)),
            ],
            Code::RECIPIENT_NETWORK_CONTRACT,
            "/intent/operation/requestExecute/l2Contract",
        ),
        (
            "cancel",
            "cancel_l1_era_mainnet",
            vec![("/intent/fromKind", value!("contract"))],
            Code::INTENT_UNSUPPORTED,
            "/intent/fromKind",
        ),
    ];
    let mut failures = Failures::default();
    for (folder, name, changes, code, at) in rows {
        let change = |request: &mut Value| {
            for (pointer, new) in &changes {
                let (parent, name) = pointer.rsplit_once('/').expect("a member");
                request.pointer_mut(parent).expect("the parent")[name] = new.clone();
            }
        };
        match request(folder, name, change) {
            Ok(_) => failures.fail(at, format!("{} was signed", code.name)),
            Err(refusal) => {
                failures.check(at, "code and place", &(refusal.code().name, refusal.at()), &(code.name, at));
            }
        }
    }
    failures.finish();
}

/// And the networks that would have led there.
#[test]
fn networks_that_lead_astray() {
    let read = |base: &str, change: &dyn Fn(&mut Value)| {
        let pinned = Networks::pinned().find(base).expect("pinned").to_json().to_string();
        let mut own: Value = serde_json::from_str(&pinned).expect("JSON");
        own["name"] = value!("own");
        own["l2ChainId"] = value!(271);
        change(&mut own);
        let json = json::parse(own.to_string().as_bytes()).expect("JSON");
        let refusal = Networks::pinned().with(&json).expect_err("must be refused");
        (refusal.code().name, refusal.at().to_owned())
    };
    let nullifier = "0xD7f9f54194C633F36CCD5F3da84ad4a1c38cB2cB";
    let invalid = |at: &str| ("network.invalid", at.to_owned());
    assert_eq!(
        read("era-mainnet", &|own| own["l1AssetRouter"] = value!("0x0202020202020202020202020202020202020202")),
        invalid("/l1AssetRouter")
    );
    assert_eq!(read("era-mainnet", &|own| own["l1AssetRouter"] = value!(nullifier)), invalid("/l1Nullifier"));
    assert_eq!(
        read("era-mainnet", &|own| own["customBridges"] = value!({ "usdc": own["l1AssetRouter"] })),
        invalid("/customBridges")
    );
    assert_eq!(
        read("local", &|own| own["baseToken"] = value!("0x0000000000000000000000000000000000000001")),
        invalid("/baseToken")
    );
    assert_eq!(read("era-mainnet", &|own| own["baseToken"] = own["l1Weth"].clone()), invalid("/baseToken"));
    assert_eq!(read("local", &|own| own["vm"] = value!("zksync-os")), invalid("/protocolVersion"));
    // Nodes write the zero address for a bridge that a chain has not got: a call to it would do nothing, or be lost.
    for field in ["l1Erc20Bridge", "l2LegacySharedBridge", "l1Weth"] {
        for nobody in ["0x0000000000000000000000000000000000000000", "0x0000000000000000000000000000000000010003"] {
            assert_eq!(
                read("era-mainnet", &|own| own[field] = value!(nobody)),
                invalid(&format!("/{field}")),
                "{nobody}"
            );
        }
    }
}

/// A chain can have a legacy bridge on L2 and no L1ERC20Bridge: only the Era chain has that one.
#[test]
fn the_legacy_bridge_on_l1_is_the_era_chains() {
    let pinned = Networks::pinned().find("era-mainnet").expect("pinned").to_json().to_string();
    let mut own: Value = serde_json::from_str(&pinned).expect("JSON");
    (own["name"], own["l2ChainId"]) = (value!("own"), value!(271));
    let networks = Networks::pinned().with(&json::parse(own.to_string().as_bytes()).expect("JSON")).expect("a network");
    let mut request = fixture("finalize_withdrawal", "finalize_era_mainnet_form_legacy_bridge").json["request"].clone();
    request["intent"]["network"] = value!("own");
    let json = json::parse(request.to_string().as_bytes()).expect("JSON");
    let refusal = Request::read(&json, &networks, Spelling::Checksummed).and_then(Request::plan).err().expect("none");
    assert_eq!((refusal.code(), refusal.at()), (Code::WITHDRAWAL_FORM, "/intent/operation/finalizeWithdrawal/form"));
}

/// A second bridge of a token's own is a call that carries the money away: only a pinned one, and only with bytes that say
/// what the operation says.
#[test]
fn custom_second_bridges_are_pinned_by_name() {
    let bridge = "0xb7De1a5eAC5F7AF3B2Bf3A5aA0bCdD2E3a4F5a6b".to_lowercase();
    for version in ["0.29.0", "0.25.0"] {
        custom_second_bridge(&bridge, version);
    }
}

fn custom_second_bridge(bridge: &str, version: &str) {
    let networks = own_network(|own| {
        own["customBridges"] = value!({ "usdc": bridge });
        own["protocolVersion"] = value!(version);
    });
    let own = networks.find("own").expect("own");
    let shared = fixture("deposit", "erc20_eth_based_era_mainnet").json["request"].clone();
    let plan = |change: &dyn Fn(&mut Value)| {
        let mut request = shared.clone();
        request["intent"]["network"] = value!("own");
        change(&mut request);
        let json = json::parse(request.to_string().as_bytes()).expect("JSON");
        let unsigned = Request::read(&json, &networks, Spelling::Checksummed)?.plan()?;
        let document: Value = serde_json::from_str(&unsigned.to_json().to_string()).expect("JSON");
        let key = Key::from_hex(fixture("deposit", "erc20_eth_based_era_mainnet").key().as_bytes())?;
        let signed = unsigned.sign(&key)?;
        Signed::read(&signed.to_json(), &networks)?;
        Ok::<Value, Refusal>(document)
    };
    let last = |document: &Value| {
        document["transactions"].as_array().and_then(|list| list.last()).expect("a plan")["data"].clone()
    };

    // The same calldata as of the shared bridge in the legacy form, with the other bridge in its place.
    let legacy = plan(&|request| request["intent"]["operation"]["deposit"]["form"] = value!("legacy")).expect("legacy");
    let custom = plan(&|request| request["intent"]["bridge"] = value!("usdc")).expect("custom");
    let router = own.second_bridge().to_string().to_lowercase();
    let replaced = last(&legacy).as_str().expect("hex").replace(&router[2..], &bridge[2..]);
    assert_eq!(last(&custom), value!(replaced));
    let approval = custom["transactions"][0]["data"].as_str().expect("hex");
    assert!(approval.contains(&bridge[2..]), "the custom bridge is the spender: {approval}");
    // Bytes of its own are handed over as they are, unless they contradict the operation.
    let opaque = plan(&|request| {
        request["intent"]["bridge"] = value!("usdc");
        request["intent"]["bridgeData"] = value!("0xc0ffee");
    });
    assert!(last(&opaque.expect("opaque")).as_str().expect("hex").contains("c0ffee"));
    let refused = |change: &dyn Fn(&mut Value)| {
        let refusal = plan(change).expect_err("must be refused");
        (refusal.code().name, refusal.at().to_owned())
    };
    let lying = format!("0x{}{:0>64x}{:0>64}", "0".repeat(24) + &"11".repeat(20), 7, "22".repeat(20));
    let cases: Vec<(Value, Value, &str, &str)> = vec![
        (value!("nobody"), Value::Null, "bridge.unknown", "/intent/bridge"),
        (value!("usdc"), value!(lying), "bridge.data", "/intent/bridgeData"),
        (Value::Null, value!("0x01"), "intent.unused", "/intent/bridgeData"),
    ];
    for (name, data, code, at) in cases {
        let found = refused(&|request| {
            let intent = request["intent"].as_object_mut().expect("an intent");
            intent.extend((!name.is_null()).then(|| ("bridge".to_owned(), name.clone())));
            intent.extend((!data.is_null()).then(|| ("bridgeData".to_owned(), data.clone())));
        });
        assert_eq!(found, (code, at.to_owned()));
    }
    let found = refused(&|request| {
        request["intent"]["bridge"] = value!("usdc");
        request["intent"]["operation"]["deposit"]["token"] = value!("eth");
        request["facts"].as_object_mut().expect("facts").retain(|name, _| name != "approval" && name != "allowances");
    });
    assert_eq!(found, ("bridge.route", "/intent/bridge".to_owned()));
}

#[test]
fn refusals_from_the_library_have_places_for_text_that_is_no_document() {
    let refused = |bytes: &[u8]| json::parse(bytes).expect_err("must be refused").code().name;
    assert_eq!(refused(b"\xff"), "json.encoding");
    assert_eq!(refused(&vec![b' '; json::MAX_BYTES + 1]), "json.too_large");
    let networks = Networks::pinned();
    let read = |text: &str| match Document::read(
        &json::parse(text.as_bytes()).expect("JSON"),
        &networks,
        Spelling::Checksummed,
    ) {
        Ok(_) => panic!("must be refused"),
        Err(refusal) => (refusal.code().name, refusal.at().to_owned()),
    };
    assert_eq!(read("[]"), ("json.wrong_type", String::new()));
    assert_eq!(read("{}"), ("json.missing_member", "/schema".into()));
    assert_eq!(read("{\"schema\":1}"), ("json.wrong_type", "/schema".into()));
    assert_eq!(read("{\"schema\":\"coldbridge/request/2\"}"), ("json.schema", "/schema".into()));
}

#[test]
fn codes_are_unique_and_documented() {
    let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Code::ALL.len(), "a code stands twice");

    let mut table = String::from("| code | exit | rule |\n|---|---|---|\n");
    for code in Code::ALL {
        let _ = writeln!(table, "| `{}` | {} |{} |", code.name, code.exit.code(), code.meaning());
    }
    let path = common::root().join("docs/refusals.md");
    let page = std::fs::read_to_string(path).expect("docs/refusals.md");
    assert!(page.contains(&table), "docs/refusals.md should hold this table:\n{table}");
    for error in contract_error::ALL {
        assert!(page.contains(error.signature) && page.contains(error.selector), "docs/refusals.md lacks {error:?}");
    }
}

#[test]
fn what_is_printed_is_printable() {
    let refusal = Refusal::new(Code::JSON_SYNTAX, "/\u{1b}[2J", "a\u{202e}b\nrefused: nothing", "\u{7}");
    let text = refusal.to_string();
    assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte) || byte == b'\n'), "{text}");
    assert_eq!(text.lines().count(), 2);
    let document = refusal.to_document().to_string();
    assert!(document.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{document}");
    assert_eq!(
        json::parse(document.as_bytes()).expect("JSON").get("error").and_then(|error| error.get("at")),
        Some(&Json::text("/\u{1b}[2J"))
    );
}
