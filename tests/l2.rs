//! What is signed for L2, beyond its fixtures: tokens that networks pin, what is recognised in bytes and what is not.

mod common;

use coldbridge::address::Spelling;
use coldbridge::asset::{AssetId, create2_address};
use coldbridge::network::PinnedToken;
use coldbridge::operation::{self, Seen, recognise, recognise_as};
use coldbridge::units::Wei;
use coldbridge::{
    Address, Code, Json, Key, Layer, Network, Networks, Refusal, Request, Review, Signed, Transaction, json,
};

use common::{Failures, Fixture, fixture, fixtures, operation_fixtures};
use serde_json::{Value, json as value};

fn address(text: &str) -> Address {
    Address::parse(text, Spelling::AnyCase).expect("an address")
}

fn request(fixture: &Fixture, change: impl FnOnce(&mut Value)) -> Result<Request, Refusal> {
    let mut request = fixture.json["request"].clone();
    change(&mut request);
    let spelling = if fixture.allows_unchecksummed() { Spelling::AnyCase } else { Spelling::Checksummed };
    Request::read(&json::parse(request.to_string().as_bytes())?, &fixture.networks(), spelling)
}

fn sign(fixture: &Fixture) -> Signed {
    let key = Key::from_hex(fixture.key().as_bytes()).expect("a key");
    request(fixture, |_| {}).and_then(Request::plan).and_then(|plan| plan.sign(&key)).expect("a signed case")
}

fn review(fixture: &Fixture) -> (String, Value) {
    let plan = request(fixture, |_| {}).and_then(Request::plan).expect("a plan");
    let review = Review::of_unsigned(&plan).expect("a review");
    (review.to_text(), serde_json::from_str(&review.to_json().to_string()).expect("JSON"))
}

/// The signed cases of what runs on L2, but those of smart accounts: their signatures are another file's matter.
fn on_l2() -> Vec<Fixture> {
    let runs_there = |fixture: &Fixture| {
        fixture.signed().is_some_and(|signed| signed["transactions"][0]["unsigned"]["layer"] == "l2")
            && fixture.json["request"]["intent"]["fromKind"] != "contract"
    };
    operation_fixtures().into_iter().filter(runs_there).collect()
}

// Pinned tokens -------------------------------------------------------------------------------------------------------

#[test]
fn pinned_tokens_have_the_asset_ids_that_are_known() {
    let networks = Networks::pinned();
    let mainnet = networks.find("era-mainnet").expect("pinned");
    let mut found = 0;
    for known in fixtures("asset_id") {
        let input = &known.json["input"];
        let token = address(input["token"].as_str().expect("an address"));
        let Some(pinned) = mainnet.tokens.iter().find(|pinned| pinned.origin.token == token) else { continue };
        assert_eq!(input["originChainId"], pinned.origin.chain_id);
        let id = AssetId::native_token_vault(pinned.origin.chain_id, pinned.origin.token);
        assert_eq!(id.to_string(), known.json["expect"]["assetId"], "{}", pinned.symbol);
        found += 1;
    }
    // ZK is no token of L1: what its representation there answers to assetId(), as the zkstack tool of matter-labs/zksync-era
    // has it (zkstack_cli/crates/types/src/l1_network.rs, `zk_token_asset_id`). The formula over the L1 address gives another.
    let zk = mainnet.tokens.iter().find(|pinned| pinned.symbol == "ZK").expect("pinned");
    let id = AssetId::native_token_vault(zk.origin.chain_id, zk.origin.token);
    assert_eq!(id.to_string(), "0x83e2fbc0a739b3c765de4c2b4bf8072a71ea8fbb09c8cf579c71425d8bc8804a");
    assert_eq!((found + 1, mainnet.tokens.len()), (4, 4), "each pinned token has a known asset id");
}

/// `L2SharedBridgeLegacy` deployed the tokens of L1 by create2: with the L1 address as salt, the hash of the beacon proxy and its
/// beacon as only argument. era-contracts' own test has them for DAI.
#[test]
fn pinned_l2_addresses_are_those_that_the_legacy_bridge_deployed() {
    let known = fixture("address_derivation", "dai_l2_address").json;
    let (input, beacon) = (&known["input"], "0x1Eb710030273e529A6aD7E1e14D4e601765Ba3c6");
    assert!(input["constructor_input"].as_str().is_some_and(|text| text.contains(beacon)));
    let hash = hex::decode(&input["bytecodeHash"].as_str().expect("hex")[2..]).expect("hex");
    let arguments =
        ethabi::encode(&[ethabi::Token::Address(address(beacon).as_bytes().into()), ethabi::Token::Bytes(Vec::new())]);
    let networks = Networks::pinned();
    let mainnet = networks.find("era-mainnet").expect("pinned");
    let bridge = mainnet.l2_legacy_shared_bridge.expect("pinned");
    assert_eq!(bridge.to_string(), input["sender"]);
    // What is native to L2 is there at its origin, which its asset id proves.
    let of_l1 = |token: &&PinnedToken| token.l2_address.is_some_and(|address| address != token.origin.token);
    let with_l2: Vec<&PinnedToken> = mainnet.tokens.iter().filter(of_l1).collect();
    assert_eq!(with_l2.len(), 3);
    for token in with_l2 {
        let mut salt = [0; 32];
        salt[12..].copy_from_slice(token.l1_address.expect("of L1").as_bytes());
        let derived = create2_address(bridge, salt, hash.as_slice().try_into().expect("32 bytes"), &arguments);
        assert_eq!(Some(derived), token.l2_address, "{}", token.symbol);
    }
    for network in networks.iter().filter(|network| network.name != "era-mainnet") {
        assert!(
            network.tokens.iter().all(|token| token.l2_address.is_none()),
            "{}: prove its L2 address here",
            network.name
        );
    }
}

#[test]
fn network_files_pin_tokens_strictly() {
    let text = std::fs::read_to_string(common::root().join("fixtures/networks/custom-tokens.json")).expect("a file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let read = |network: &Value| Networks::pinned().with(&json::parse(network.to_string().as_bytes()).expect("JSON"));
    let networks = read(&file).expect("as the fixtures use it");
    let shown = networks.find("custom-tokens").expect("read").to_json();
    let shown: Value = serde_json::from_str(&shown.to_string()).expect("JSON");
    assert_eq!(shown["tokens"], file["tokens"], "network show is what was read");
    // In order: zkCRO (the base token), USDC of L1, NATIVE, THIRD.
    let of = |index: usize, member: &str| file["tokens"][index][member].clone();
    let eth = value!("0x0000000000000000000000000000000000000001");
    let rows: Vec<(&str, Value, &str)> = vec![
        ("/tokens/1/symbol", value!("ETH"), "/tokens/1/symbol"),
        ("/tokens/1/symbol", value!("base"), "/tokens/1/symbol"),
        ("/tokens/1/symbol", value!("US DC"), "/tokens/1/symbol"),
        ("/tokens/1/symbol", value!("ABCDEFGHIJKLMNOPQ"), "/tokens/1/symbol"),
        ("/tokens/1/symbol", value!("zkcro"), "/tokens/1/symbol"),
        // What the contract on L1 says is pinned for every network on that L1.
        ("/tokens/1/symbol", value!("USDT"), "/tokens/1/l1Address"),
        ("/tokens/1/decimals", value!(18), "/tokens/1/l1Address"),
        ("/tokens/1/l1Address", Value::Null, "/tokens/1/origin"),
        ("/tokens/1/l1Address", file["bridgehub"].clone(), "/tokens/1/l1Address"),
        ("/tokens/1/l2Address", eth.clone(), "/tokens/1/l2Address"),
        ("/tokens/1/l2Address", of(2, "l2Address"), "/tokens/2/l2Address"),
        ("/tokens/0/l2Address", of(2, "l2Address"), "/tokens/0/l2Address"),
        ("/tokens/1/origin/chainId", value!(389), "/tokens/1/origin"),
        ("/tokens/1/origin/address", of(2, "l1Address"), "/tokens/1/origin"),
        ("/tokens/2/origin/chainId", value!(0), "/tokens/2/origin"),
        ("/tokens/2/origin/chainId", value!(281_474_976_710_656_u64), "/tokens/2/origin"),
        ("/tokens/2/l2Address", Value::Null, "/tokens/2/origin"),
        ("/tokens/3/l2Address", Value::Null, "/tokens/3/l1Address"),
        ("/tokens/3/origin/address", eth, "/tokens/3/origin"),
    ];
    for (pointer, new, at) in rows {
        let mut network = file.clone();
        *network.pointer_mut(pointer).expect(pointer) = new.clone();
        let refusal = read(&network).expect_err(pointer);
        assert_eq!((refusal.code().name, refusal.at()), ("network.invalid", at), "{pointer} = {new}: {refusal}");
    }
    let mut network = file.clone();
    network["tokens"][1]["decimals"] = value!(78);
    assert_eq!(read(&network).expect_err("78 decimals").code(), Code::QUANTITY_RANGE);
    network["tokens"][1]["decimals"] = value!(6);
    network["tokens"][1]["logo"] = value!("x");
    assert_eq!(read(&network).expect_err("a member").code(), Code::JSON_UNKNOWN_MEMBER);
}

#[test]
fn reviews_show_pinned_tokens_with_their_decimals_on_their_own_layer_only() {
    for (folder, name, expected) in [
        ("withdraw", "withdraw_erc20_pinned_dai", "1.5 DAI (1500000000000000000 base units of ERC-20"),
        ("withdraw", "withdraw_erc20_pinned_usdt", "0.000001 USDT (1 base units of ERC-20"),
        ("transfer", "transfer_pinned", "2.5 USDC (2500000 base units of ERC-20"),
        ("deposit", "erc20_eth_based_era_mainnet", "1 USDC (1000000 base units of ERC-20"),
        ("withdraw", "withdraw_erc20_of_l1_era_mainnet", "1000000 base units of ERC-20"),
    ] {
        let (text, _) = review(&fixture(folder, name));
        assert!(text.contains(expected), "{name}: {text}");
    }
    // The contract of USDC on L1 is no USDC at the same address of L2.
    let usdc_on_l1 = address("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
    let template = sign(&fixture("transfer", "transfer_erc20_era_mainnet"));
    let Transaction::Eip712(transfer) = template.transactions()[0].transaction() else { panic!("type 0x71") };
    let foreign = coldbridge::transaction::Eip712 { to: Some(usdc_on_l1), ..transfer.clone() };
    let review = Review::of_raw(&Transaction::Eip712(foreign).unsigned_bytes(), &Networks::pinned()).expect("a review");
    assert!(!review.to_text().contains("USDC"), "{}", review.to_text());
}

#[test]
fn deposits_take_the_origin_that_is_pinned() {
    let stated = fixture("deposit", "erc20_eth_based_era_mainnet");
    let contradicts = |chain_id: u64| {
        request(&stated, |request| {
            let token = request["intent"]["operation"]["deposit"]["token"].clone();
            request["intent"]["operation"]["deposit"]["tokenOrigin"] = value!({"chainId": chain_id, "address": token});
        })
        .and_then(Request::plan)
    };
    assert!(contradicts(1).is_ok());
    let refusal = contradicts(324).err().expect("USDC is pinned as native to L1");
    assert_eq!((refusal.code(), refusal.at()), (Code::TOKEN_ORIGIN, "/intent/operation/deposit/tokenOrigin"));
    // A token that is pinned as native to the L2: its asset id without a word of the owner.
    let custom = fixture("withdraw", "withdraw_erc20_pinned_file");
    let networks = custom.networks();
    let network = networks.find("custom-tokens").expect("its file");
    let native = network.tokens.iter().find(|token| token.symbol == "NATIVE").expect("in the file");
    let deposit = fixture("deposit", "origin_custom_chain");
    let mut document = deposit.json["request"].clone();
    document["intent"]["network"] = value!("custom-tokens");
    let body = &mut document["intent"]["operation"]["deposit"];
    body["token"] = value!(native.l1_address.expect("an address").to_string());
    body["tokenOrigin"] = value!({"chainId": native.origin.chain_id, "address": native.origin.token.to_string()});
    let plan = |document: &Value| {
        let json = json::parse(document.to_string().as_bytes()).expect("JSON");
        Request::read(&json, &networks, Spelling::Checksummed).and_then(Request::plan).expect("a plan")
    };
    let with = plan(&document);
    document["intent"]["operation"]["deposit"].as_object_mut().expect("a body").remove("tokenOrigin");
    let without = plan(&document);
    assert_eq!(with.transactions(), without.transactions());
}

/// The review of a fixture's raw transaction in which one word of the calldata is another.
fn review_with_word(folder: &str, name: &str, word: &str, other: &str) -> (String, Value) {
    let fixture = fixture(folder, name);
    let signed = fixture.signed().expect("a signed case")["transactions"].as_array().expect("a list").clone();
    let raw = signed.last().and_then(|last| last["raw"].as_str()).expect("raw bytes");
    // The last of its places is the address beside the asset id.
    let at = raw.rfind(word).expect("the word stands there");
    let raw = format!("{}{other}{}", &raw[2..at], &raw[at + word.len()..]);
    let review = Review::of_raw(&hex::decode(raw).expect("hex"), &Networks::pinned()).expect("a review");
    (review.to_text(), serde_json::from_str(&review.to_json().to_string()).expect("JSON"))
}

/// The vaults go by the asset id: whoever writes another address beside it, or none, must not hide what is taken.
#[test]
fn reviews_show_the_token_of_the_asset_id_whatever_stands_beside_it() {
    let word = |address: &str| format!("{:0>64}", address[2..].to_lowercase());
    let (zero, tether) = ("0".repeat(64), word("0xdAC17F958D2ee523a2206206994597C13D831ec7"));
    let (usdc, usdc_on_era) =
        ("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "0x3355df6D4c9C3035724Fd0e3914dE96A5a83aaf4");
    for (folder, name, token, other, amount, refused) in [
        ("deposit", "erc20_eth_based_era_mainnet", usdc, &zero, "1 USDC", false),
        ("deposit", "erc20_eth_based_era_mainnet", usdc, &tether, "1 USDC", true),
        ("withdraw", "withdraw_erc20_pinned_usdc", usdc_on_era, &zero, "1 USDC", false),
        ("withdraw", "withdraw_erc20_pinned_usdc", usdc_on_era, &tether, "1 USDC", true),
    ] {
        let (text, document) = review_with_word(folder, name, &word(token), other);
        assert!(text.contains(amount) && !text.contains("native to another chain"), "{name}: {text}");
        assert_eq!(text.contains("AssetIdMismatch"), refused, "{name}: {text}");
        assert_eq!(document["worstCaseDebit"][1], value!({"token": token, "amount": "1000000"}), "{name}");
        // The action is what the bytes say: the address, and beside it the asset id.
        let body = &document["transactions"][0]["action"][folder];
        assert_eq!(body["token"], address(&format!("0x{}", &other[24..])).to_string(), "{name}");
        assert_eq!(body["assetId"], "0x79272c08dbfbb367e07f7607be00657ae4a9c15ba0b08b12aa00fb77a0a4aa83", "{name}");
    }
    // Where no network knows the asset, nothing can be shown in place of the zero address.
    let (text, _) = review_with_word("deposit", "origin_is_target_chain", &word(&bridged_on_l1()), &zero);
    assert!(text.contains("without its token"), "{text}");
    // A pinned token beside the asset id of another that nobody pins.
    let (text, _) = review_with_word("deposit", "origin_is_target_chain", &word(&bridged_on_l1()), &tether);
    assert!(text.contains("not that of USDT"), "{text}");
}

/// Calls of other tools for a token that the chain takes only in another way.
#[test]
fn reviews_tell_what_the_chain_refuses_of_a_pinned_token() {
    let word = |address: &str| format!("{:0>64}", address[2..].to_lowercase());
    let usdc = word("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
    let (zk, weth) = ("0x66A5cFB2e9c529f14FE6364Ad1075dF3a649C0A5", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2");
    let usdc_on_era = word("0x3355df6D4c9C3035724Fd0e3914dE96A5a83aaf4");
    let legacy = "erc20_eth_based_era_mainnet_form_legacy";
    // ZK as if it were a token of L1: keccak256(abi.encode(1, 0x10004, its L1 address)), of vectors/protocol.json.
    let (of_era, of_l1) = (
        "83e2fbc0a739b3c765de4c2b4bf8072a71ea8fbb09c8cf579c71425d8bc8804a",
        "3a38577a86db1c11f5d17ced1d0c3757370aed1b14a1829de6fef58c6d0741d2",
    );
    for (folder, name, old, new, said) in [
        ("deposit", "origin_is_pinned", of_era, of_l1.to_owned(), "is not that of ZK"),
        ("deposit", legacy, &usdc, word(zk), "LegacyEncodingUsedForNonL1Token"),
        ("deposit", legacy, &usdc, word(weth), "BurningNativeWETHNotSupported"),
        (
            "withdraw",
            "withdraw_erc20_pinned_form_legacy_asset_router",
            &usdc_on_era,
            word("0x5A7d6b2F92C77FAD6CCaBd7EE0624E64907Eaf3E"),
            "TokenNotLegacy",
        ),
    ] {
        let text = review_with_word(folder, name, old, &new).1["warnings"].to_string();
        assert!(text.contains(said), "{name}: {text}");
        let text = review_with_word(folder, name, old, old).1["warnings"].to_string();
        assert!(!text.contains(said), "{name}: {text}");
    }
}

fn bridged_on_l1() -> String {
    let request = &fixture("deposit", "origin_is_target_chain").json["request"];
    request["intent"]["operation"]["deposit"]["token"].as_str().expect("an address").to_owned()
}

/// A request whose mintValue is not what its l2Value needs: a deposit that never arrives, or arrives elsewhere.
#[test]
fn reviews_tell_what_of_mint_value_reaches_l2() {
    let signed = sign(&fixture("deposit", "era_mainnet_typical"));
    let Transaction::Eip1559(deposit) = signed.transactions()[0].transaction() else { panic!("type 0x02") };
    // The words of the calldata after the selector: the offset, chainId, mintValue, l2Contract, l2Value ...
    let words = |data: &[u8], index: usize| data[4 + 32 * index..][..32].to_vec();
    let review = |mint_value: u64, l2_value: u64, chain: &str| {
        let mut data = deposit.data.clone();
        for (index, value) in [(2, mint_value), (4, l2_value)] {
            let word = [vec![0; 24], value.to_be_bytes().to_vec()].concat();
            data[4 + 32 * index..][..32].copy_from_slice(&word);
        }
        assert_eq!(words(&data, 1)[30..], 324_u16.to_be_bytes());
        let networks = fixture("deposit", chain).networks();
        let network = networks.find(if chain == "eth_direct_era_v31" { "era-v31" } else { "era-mainnet" });
        let network = network.expect("known");
        data[4 + 32..][..32].copy_from_slice(&[vec![0; 24], network.l2_chain_id.to_be_bytes().to_vec()].concat());
        let changed = coldbridge::transaction::Eip1559 {
            chain_id: network.l1_chain_id,
            to: Some(network.bridgehub),
            value: Wei::from(mint_value),
            data,
            ..deposit.clone()
        };
        let review = Review::of_raw(&Transaction::Eip1559(changed).unsigned_bytes(), &networks).expect("a review");
        let json: Value = serde_json::from_str(&review.to_json().to_string()).expect("JSON");
        let said: Vec<String> =
            json["warnings"].as_array().expect("a list").iter().map(|w| w["message"].to_string()).collect();
        said.join(" ")
    };
    let ether = 1_000_000_000_000_000_000;
    for mint_value in [1, ether - 1, ether] {
        assert!(review(mint_value, ether, "era_mainnet_typical").contains("MsgValueTooLow"), "{mint_value}");
        assert!(review(mint_value, ether, "eth_direct_era_v31").contains("the L2 side fails"), "{mint_value}");
    }
    assert!(!review(ether + 1, ether, "era_mainnet_typical").contains("does not pay"));
    assert!(review(ether, 0, "era_mainnet_typical").contains("neither value nor calldata reach"));
}

/// The origin of a pinned token is that token's alone.
#[test]
fn an_origin_that_is_pinned_for_another_address_is_refused() {
    let zk = value!({"chainId": 324, "address": "0x5A7d6b2F92C77FAD6CCaBd7EE0624E64907Eaf3E"});
    let zk_on_l1 = value!({"chainId": 1, "address": "0x66A5cFB2e9c529f14FE6364Ad1075dF3a649C0A5"});
    let usdc = value!({"chainId": 1, "address": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"});
    for (folder, operation, name, origin) in [
        ("deposit", "deposit", "origin_is_target_chain", &zk),
        ("withdraw", "withdraw", "withdraw_erc20_of_l1_era_mainnet", &usdc),
        ("withdraw", "withdraw", "withdraw_erc20_of_l1_era_mainnet", &zk_on_l1),
        ("finalize_withdrawal", "finalizeWithdrawal", "finalize_era_mainnet_zk", &zk),
        ("claim_failed_deposit", "claimFailedDeposit", "claim_era_mainnet_zk", &zk),
    ] {
        let refusal = request(&fixture(folder, name), |request| {
            let body = &mut request["intent"]["operation"][operation];
            body["tokenOrigin"] = origin.clone();
            if folder != "withdraw" {
                body["token"] = value!(bridged_on_l1());
            }
        })
        .and_then(Request::plan)
        .err()
        .unwrap_or_else(|| panic!("{name}: another token has that origin"));
        assert_eq!(refusal.code(), Code::TOKEN_ORIGIN, "{name}");
        assert_eq!(refusal.at(), format!("/intent/operation/{operation}/tokenOrigin"), "{name}");
    }
}

/// What the vault of L1 minted itself it burns: a base token from another chain needs no approval, and in a claim or a
/// finalization it has the asset id of its origin.
#[test]
fn a_base_token_of_another_chain_is_burned_on_l1() {
    let path = common::root().join("fixtures/networks/custom-era.json");
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    let zk = Networks::pinned().find("era-mainnet").expect("pinned").tokens[3].clone();
    let on_l1 = zk.l1_address.expect("on L1").to_string();
    file["name"] = value!("on-zk");
    file["baseToken"] = value!(on_l1);
    file["tokens"] = value!([{"symbol": "ZK", "decimals": 18, "l1Address": on_l1, "l2Address": null,
        "origin": {"chainId": zk.origin.chain_id, "address": zk.origin.token.to_string()}}]);
    let networks =
        Networks::pinned().with(&json::parse(file.to_string().as_bytes()).expect("JSON")).expect("a network");
    let plan = |folder: &str, name: &str| {
        let mut request = fixture(folder, name).json["request"].clone();
        request["intent"]["network"] = value!("on-zk");
        let json = json::parse(request.to_string().as_bytes()).expect("JSON");
        Request::read(&json, &networks, Spelling::Checksummed).and_then(Request::plan).expect("a plan")
    };
    let purposes = |folder: &str, name: &str| -> Vec<&str> {
        plan(folder, name).transactions().iter().map(|planned| planned.purpose).collect()
    };
    assert_eq!(purposes("deposit", "base_direct_custom_era"), ["deposit"]);
    assert_eq!(purposes("deposit", "erc20_custom_custom_era"), ["approve", "deposit"], "the token alone");
    let finalized: Value =
        serde_json::from_str(&plan("finalize_withdrawal", "finalize_custom_era_base").to_json().to_string())
            .expect("JSON");
    assert_eq!(finalized["derived"]["assetId"], "0x83e2fbc0a739b3c765de4c2b4bf8072a71ea8fbb09c8cf579c71425d8bc8804a");
}

/// A bridge of its own is no vault: it takes what it is approved for, wherever that is native.
#[test]
fn a_custom_bridge_is_approved_for_a_pinned_token_of_another_chain() {
    let path = common::root().join("fixtures/networks/custom-tokens.json");
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    file["name"] = value!("bridged");
    file["customBridges"] = value!({"own": "0x1111111111111111111111111111111111111119"});
    let networks =
        Networks::pinned().with(&json::parse(file.to_string().as_bytes()).expect("JSON")).expect("a network");
    let mut request = fixture("deposit", "erc20_custom_custom_era").json["request"].clone();
    request["intent"]["network"] = value!("bridged");
    request["intent"]["bridge"] = value!("own");
    // NATIVE, of the chain itself.
    request["intent"]["operation"]["deposit"]["token"] = file["tokens"][2]["l1Address"].clone();
    let json = json::parse(request.to_string().as_bytes()).expect("JSON");
    let plan = Request::read(&json, &networks, Spelling::Checksummed).and_then(Request::plan).expect("a plan");
    let called: Vec<String> =
        plan.transactions().iter().filter_map(|p| p.transaction.to()).map(|to| to.to_string()).collect();
    let expected = [&file["baseToken"], &file["tokens"][2]["l1Address"], &file["bridgehub"]].map(|to| to.as_str());
    assert_eq!(called.iter().map(|to| Some(to.as_str())).collect::<Vec<_>>(), expected);
}

// What is recognised --------------------------------------------------------------------------------------------------

/// What a signed transaction says, with pieces of it changed.
struct Changed<'a> {
    network: &'a Network,
    from: Address,
    to: Address,
    value: Wei,
    data: Vec<u8>,
    factory_deps: Vec<Vec<u8>>,
}

impl<'a> Changed<'a> {
    fn of(network: &'a Network, from: Address, transaction: &Transaction) -> Self {
        Self {
            network,
            from,
            to: transaction.to().expect("a call"),
            value: transaction.value(),
            data: transaction.data().to_vec(),
            factory_deps: transaction.factory_deps().to_vec(),
        }
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            network: self.network,
            layer: Layer::L2,
            from: Some(self.from),
            to: self.to,
            value: self.value,
            data: &self.data,
            factory_deps: &self.factory_deps,
        }
    }
}

/// Every call is found again as what it is, no byte more or less of its calldata is, and no bytecode that it did not bring.
#[test]
fn operations_on_l2_are_recognised_to_the_last_byte() {
    let mut failures = Failures::default();
    for fixture in on_l2() {
        let (networks, signed) = (fixture.networks(), sign(&fixture));
        let network = networks.find(&signed.network().name).expect("its network");
        for transaction in signed.transactions() {
            let purpose = transaction.purpose();
            let mut changed = Changed::of(network, signed.from(), transaction.transaction());
            let body = |changed: &Changed<'_>| recognise_as(purpose, &changed.seen()).map(|found| found.body);
            let expected = body(&changed);
            failures.check(&fixture.name, "recognised", &expected.is_some(), &true);
            if purpose != "call" {
                let any = recognise(&changed.seen()).map(|found| found.name);
                failures.check(&fixture.name, "recognised without a purpose", &any, &Some(purpose));
                changed.factory_deps.push(vec![0; 32]);
                let brought = body(&changed);
                let is_deploy = purpose == "deploy";
                failures.check(
                    &fixture.name,
                    "another bytecode",
                    &(brought.is_some() && brought != expected),
                    &is_deploy,
                );
                changed.factory_deps.pop();
            }
            if purpose == "deploy" {
                changed.factory_deps.swap_remove(0);
                failures.check(&fixture.name, "its bytecode missing", &body(&changed), &None::<Json>);
                continue;
            }
            if changed.data.is_empty() || purpose == "call" {
                continue;
            }
            for at in 0..changed.data.len() {
                changed.data[at] ^= 1;
                let found = body(&changed);
                failures.check(&fixture.name, &format!("byte {at} changed"), &(found == expected), &false);
                changed.data[at] ^= 1;
            }
            changed.data.push(0);
            failures.check(&fixture.name, "a byte more", &body(&changed), &None::<Json>);
            changed.data.truncate(changed.data.len() - 2);
            failures.check(&fixture.name, "a byte less", &body(&changed), &None::<Json>);
        }
    }
    failures.finish();
}

/// The purpose is what the bytes say; only "call" says no more than that somebody is called, and its review then says the rest.
#[test]
fn a_purpose_can_not_be_swapped() {
    let mut failures = Failures::default();
    let mut shown = 0;
    for fixture in on_l2() {
        let (networks, signed) = (fixture.networks(), sign(&fixture));
        let document: Value = serde_json::from_str(&signed.to_json().to_string()).expect("JSON");
        let last = signed.transactions().len() - 1;
        let purpose = signed.transactions()[last].purpose().to_owned();
        let network = networks.find(&signed.network().name).expect("its network");
        let changed = Changed::of(network, signed.from(), signed.transactions()[last].transaction());
        let same = recognise(&changed.seen()).map(|found| found.name.to_owned());
        for other in operation::ALL.iter().map(|operation| operation.name).filter(|name| *name != purpose) {
            let mut swapped = document.clone();
            swapped["transactions"][last]["purpose"] = value!(other);
            let read = Signed::read(&json::parse(swapped.to_string().as_bytes()).expect("JSON"), &networks);
            match read {
                Ok(read) if other == "call" => {
                    let text = Review::of_signed(&read).expect("a review").to_text();
                    let says = text.contains(&format!("the operation {purpose}:"));
                    failures.check(&fixture.name, "the review of a call", &says, &true);
                    shown += 1;
                }
                // A call may be another operation too, and then it can say so.
                Ok(_) if purpose == "call" && same.as_deref() == Some(other) => shown += 1,
                Ok(_) => failures.fail(&fixture.name, format!("passes for {other}")),
                Err(refusal) => {
                    failures.check(&fixture.name, other, &refusal.code(), &Code::SIGNED_DIFFERS);
                }
            }
        }
    }
    assert!(shown > 50, "{shown}");
    failures.finish();
}

/// Of raw bytes nobody says that they are meant as a call: what is not known stays unknown, and what is known gets its name.
#[test]
fn raw_bytes_are_no_calls_by_themselves() {
    let networks = Networks::pinned();
    for (name, action) in [
        ("call_era_mainnet", value!({"unknown": {"selector": "0x60fe47b1"}})),
        ("call_short_calldata", value!({"unknown": {"selector": null}})),
        ("call_factory_deps_one", value!({"unknown": {"selector": "0x60fe47b1"}})),
        (
            "call_empty_value",
            value!({"transfer": {"token": "eth", "amount": "1", "to": "0x702942B8205E5dEdCD3374E5f4419843adA76Eeb"}}),
        ),
    ] {
        let signed = sign(&fixture("call", name));
        let review = Review::of_raw(signed.transactions()[0].raw(), &networks).expect("a review").to_json();
        let review: Value = serde_json::from_str(&review.to_string()).expect("JSON");
        assert_eq!(review["transactions"][0]["action"], action, "{name}");
    }
    let (text, document) = review(&fixture("call", "call_erc20_transfer"));
    assert!(text.contains("the operation transfer:"), "{text}");
    assert_eq!(document["transactions"][0]["action"]["call"]["value"], "0");
    assert_eq!(document["worstCaseDebit"][1]["amount"], "5", "the token's amount counts");
}

/// An amount of nothing and a nonce of the largest kind: the limits of the node are those of the plan's last transaction.
#[test]
fn the_nodes_limits_hold_for_every_transaction_of_a_plan() {
    let native = fixture("withdraw", "withdraw_erc20_native_allowance_one_below");
    let plan = |nonce: u64| {
        request(&native, |request| request["facts"]["transaction"]["nonce"] = value!(nonce)).and_then(Request::plan)
    };
    // approve(0), approve(amount), withdraw
    assert_eq!(plan(u64::from(u32::MAX) - 2).expect("a plan").transactions().len(), 3);
    let refusal = plan(u64::from(u32::MAX) - 1).err().expect("the third has nonce 2^32");
    assert_eq!((refusal.code(), refusal.at()), (Code::L2_NONCE_RANGE, "/facts/transaction/nonce"));
}

/// A transaction that coldbridge never makes, but other tools do: a salt where it is ignored.
#[test]
fn an_ignored_salt_is_shown() {
    let signed = sign(&fixture("deploy", "deploy_l2_create_era_mainnet"));
    let Transaction::Eip712(deploy) = signed.transactions()[0].transaction() else { panic!("type 0x71") };
    let mut salted = deploy.clone();
    salted.data[4] = 0x5a;
    let review = Review::of_raw(&Transaction::Eip712(salted).unsigned_bytes(), &Networks::pinned()).expect("a review");
    let review: Value = serde_json::from_str(&review.to_json().to_string()).expect("JSON");
    let body = &review["transactions"][0]["action"]["deploy"];
    assert_eq!((&body["kind"], &body["salt"]), (&value!("create"), &value!(format!("0x5a{}", "00".repeat(31)))));
}
