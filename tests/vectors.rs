//! Addresses and hashes on both layers, calldata and storage words against the known answers of other implementations, and
//! the contract errors that refusals name.

mod common;

use std::collections::BTreeMap;

use coldbridge::abi::{self, Token, selector};
use coldbridge::asset::{
    AssetId, apply_l1_to_l2_alias, create_address, create2_address, evm_create_address, evm_create2_address,
    legacy_tx_data_hash, tx_data_hash, undo_l1_to_l2_alias,
};
use coldbridge::bytecode::{bytecode_hash, judge_bytecode};
use coldbridge::canonical::{CanonicalTransaction, NEW_PRIORITY_REQUEST, PriorityRequested};
use coldbridge::hash::{keccak256, keccak256_concat};
use coldbridge::message::Message;
use coldbridge::network::{BaseToken, Vm};
use coldbridge::operation::claim_failed_deposit::{BRIDGE_RECOVER_FAILED_TRANSFER, CLAIM_FAILED_DEPOSIT};
use coldbridge::operation::deposit::REQUEST_L2_TRANSACTION_TWO_BRIDGES;
use coldbridge::operation::finalize_withdrawal::FINALIZE_DEPOSIT;
use coldbridge::operation::mailbox::REQUEST_L2_TRANSACTION_DIRECT;
use coldbridge::operation::request_execute::REQUEST_L2_TRANSACTION;
use coldbridge::paymaster::{Flow, Sponsor};
use coldbridge::priority::{BaseTokenGasPriceMultiplier, FeeParams, PubdataPricingMode};
use coldbridge::refusal::contract_error;
use coldbridge::{Address, Networks, Refusal, Request, Spelling, Unsigned, json};
use common::vector::{Case, Members, any_case, hex_bytes, hex_word, number, padded, said, text, walk, word_of};
use common::{Failures, Fixture, Outcome, operation_fixtures, report};
use ethabi::ethereum_types::U256;
use serde_json::{Value, json};

// --------------------------------------------------------------------------------------------- addresses and asset ids

#[test]
fn aliases() {
    walk("alias", |case, failures| {
        let (l1, l2) = match case.category {
            "alias_apply" => (case.input.address("l1")?, case.expect.address("l2")?),
            "alias_undo" => (case.expect.address("l1")?, case.input.address("l2")?),
            category => return Err(format!("unknown category {category}")),
        };
        failures.check(case.name, "alias", &apply_l1_to_l2_alias(l1), &l2);
        failures.check(case.name, "undone", &undo_l1_to_l2_alias(l2), &l1);
        Ok(())
    });
}

#[test]
fn asset_ids() {
    walk("asset_id", |case, failures| {
        let id = AssetId::native_token_vault(case.input.narrow("originChainId")?, case.input.address("token")?);
        failures.check(case.name, "asset id", &id, &AssetId(case.expect.word("assetId")?));
        failures.check(case.name, "printed", &id.to_string().as_str(), &case.expect.text("assetId")?);
        Ok(())
    });
}

#[test]
fn derived_addresses() {
    walk("address_derivation", |case, failures| {
        let input = &case.input;
        let sender = input.address("sender")?;
        let expected = case.expect.address("address")?;
        if case.not_usable {
            return unpadded_salt(case, sender, expected, failures);
        }
        let (address, domain) = if let Some(scheme) = input.get("scheme") {
            if scheme != "EVM keccak(rlp([sender,nonce]))" {
                return Err(format!("unknown scheme {scheme}"));
            }
            (evm_create_address(sender, input.narrow("nonce")?), None)
        } else if input.get("deployment_nonce").is_some() {
            (create_address(sender, input.narrow("deployment_nonce")?), Some("zksyncCreate"))
        } else {
            let arguments = constructor_input(input.text("constructor_input")?)?;
            let salt = salt(input.text("salt")?)?;
            (create2_address(sender, salt, input.word("bytecodeHash")?, &arguments), Some("zksyncCreate2"))
        };
        failures.check(case.name, "address", &address, &expected);
        match (domain, case.expect.get("prefix")) {
            (_, None) => {}
            (Some(domain), Some(prefix)) => {
                let prefix = hex_word(text(prefix)?)?;
                failures.check(case.name, "prefix", &keccak256(domain.as_bytes()), &prefix);
            }
            (None, Some(_)) => return Err("the EVM has no prefix".to_owned()),
        }
        Ok(())
    });
}

/// The SDK took a salt of one byte as it was. On chain a salt has 32 bytes, and so it has here: that preimage can not be
/// written, and the padded salt gives another address.
fn unpadded_salt(case: &Case<'_>, sender: Address, wrong: Address, failures: &mut Failures) -> Outcome {
    let (short, arguments) = (case.input.bytes("salt_raw_1_byte")?, case.input.bytes("constructor_input")?);
    let ([byte], hash) = (short.as_slice(), case.input.word("bytecodeHash")?) else {
        return Err("the salt is not one byte".to_owned());
    };
    let ours = create2_address(sender, word_of(*byte), hash, &arguments);
    failures.check(case.name, "padded", &ours, &case.expect.address("address_with_salt_left_padded_to_32")?);
    if ours == wrong {
        return Err("what must not be reproduced is".to_owned());
    }
    let preimage =
        keccak256_concat(&[&keccak256(b"zksyncCreate2"), &padded(sender), &short, &hash, &keccak256(&arguments)]);
    failures.check(case.name, "the mistake", &&preimage[12..], &wrong.as_bytes());
    Ok(())
}

/// 32 bytes, or an address as a number.
fn salt(said: &str) -> Outcome<[u8; 32]> {
    match said.strip_prefix("bytes32(uint160(").and_then(|rest| rest.strip_suffix("))")) {
        Some(address) => any_case(address).map(padded),
        None => hex_word(said),
    }
}

/// Bytes, or the encoding of an address and no bytes.
fn constructor_input(said: &str) -> Outcome<Vec<u8>> {
    match said.strip_prefix("abi.encode(").and_then(|rest| rest.strip_suffix(", \"\")")) {
        Some(address) => Ok([padded(any_case(address)?), word_of(64), word_of(0)].concat()),
        None => hex_bytes(said),
    }
}

/// What zksync-ethers tells a paymaster, both ways.
#[test]
fn paymaster_inputs() {
    walk("paymaster_input", |case, failures| {
        let address = Address::CONTRACT_DEPLOYER; // whose input it is, is no part of it
        let inner = case.input.bytes("innerInput")?;
        let flow = match case.input.text("type")? {
            "General" => Flow::General { input: inner },
            "ApprovalBased" => Flow::ApprovalBased {
                token: case.input.address("token")?,
                min_allowance: case.input.number("minimalAllowance")?,
                inner_input: inner,
            },
            other => return Err(format!("unknown type {other}")),
        };
        let (sponsor, input) = (Sponsor { address, flow }, case.expect.bytes("paymasterInput")?);
        failures.check(case.name, "encoded", &sponsor.input(), &input);
        failures.check(case.name, "decoded", &Sponsor::decode(address, &input), &Some(sponsor));
        Ok(())
    });
}

/// The examples of EIP-1014: sender, salt, init code, address.
#[test]
fn create2_of_the_evm() {
    let (none, beef) = ("0000000000000000000000000000000000000000", "deadbeef");
    let elsewhere = "deadbeef00000000000000000000000000000000";
    let last = "00000000000000000000000000000000deadbeef";
    let feed = U256::from(0xfeed) << 144;
    let examples: [(&str, U256, String, &str); 7] = [
        (none, U256::zero(), "00".to_owned(), "0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"),
        (elsewhere, U256::zero(), "00".to_owned(), "0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3"),
        (elsewhere, feed, "00".to_owned(), "0xD04116cDd17beBE565EB2422F2497E06cC1C9833"),
        (none, U256::zero(), beef.to_owned(), "0x70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"),
        (last, U256::from(0xcafe_babe_u64), beef.to_owned(), "0x60f3f640a8508fC6a86d45DF051962668E1e8AC7"),
        (last, U256::from(0xcafe_babe_u64), beef.repeat(11), "0x1d8bfDC5D46DC4f61D6b6115972536eBE6A8854C"),
        (none, U256::zero(), String::new(), "0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"),
    ];
    for (sender, salt, code, address) in examples {
        let sender = any_case(&format!("0x{sender}")).expect("an address");
        let code = hex::decode(code).expect("hex");
        assert_eq!(evm_create2_address(sender, word_of(salt), &code).to_string(), address);
    }
}

// -------------------------------------------------------------------------------------------------- bytecode and hashes

#[test]
fn bytecode_hashes() {
    walk("bytecode_hash", |case, failures| {
        let expected = case.expect.word("hash")?;
        let said = case.input.text("bytecode")?;
        if said.starts_with("0x") {
            let bytecode = hex_bytes(said)?;
            failures.check(case.name, "hash", &bytecode_hash(&bytecode), &expected);
            failures.check(case.name, "judged", &judge_bytecode(&bytecode, ""), &None::<Refusal>);
            return Ok(());
        }
        // Of one bytecode only length and SHA-256 are told: the first four bytes are the length's, the others the hash's.
        let told = said.strip_prefix("see source file (").and_then(|rest| {
            let (length, digest) = rest.split_once(" bytes); sha256 prefix enough: ")?;
            Some((length.parse::<usize>().ok()?, hex::decode(digest).ok()?))
        });
        let (length, digest) = told.ok_or_else(|| format!("unknown form: {said}"))?;
        let of_zeros = bytecode_hash(&vec![0; length]);
        failures.check(case.name, "length", &&of_zeros[..4], &&expected[..4]);
        failures.check(case.name, "digest", &digest.get(4..), &Some(&expected[4..]));
        failures.check(case.name, "judged", &judge_bytecode(&vec![0; length], ""), &None::<Refusal>);
        Ok(())
    });
}

#[test]
fn canonical_transactions() {
    walk("canonical_tx_hash", |case, failures| {
        let input = &case.input;
        for name in ["maxPriorityFeePerGas", "paymaster"] {
            if input.get(name).is_some_and(|value| number(value) != Ok(U256::zero())) {
                return Err(format!("{name} is not 0"));
            }
        }
        let hashes = input.get("factoryDeps_hashes").or(input.get("factoryDeps"));
        let hashes = hashes.and_then(Value::as_array).into_iter().flatten();
        let transaction = CanonicalTransaction {
            tx_type: input.number("txType")?,
            from: input.address("from")?,
            to: input.address("to")?,
            gas_limit: input.number("gasLimit")?,
            gas_per_pubdata_byte_limit: input.number("gasPerPubdataByteLimit")?,
            max_fee_per_gas: input.number("maxFeePerGas")?,
            nonce: input.number("nonce")?,
            value: input.number("value")?,
            mint_value: input.number("mintValue")?,
            refund_recipient: input.address("refundRecipient")?,
            data: input.bytes("data")?,
            factory_deps: hashes
                .map(|hash| Ok(U256::from_big_endian(&hex_word(text(hash)?)?)))
                .collect::<Outcome<_>>()?,
        };
        let (hash, encoded) = (case.expect.word("canonicalTxHash")?, case.expect.bytes("encoded")?);
        failures.check(case.name, "hash", &transaction.hash().0, &hash);
        failures.check(case.name, "hash of the encoding", &keccak256(&encoded), &hash);
        // The encoding itself, as it stands in the event that announces it: five words, the transaction, no dependencies.
        let (topics, body) = ([keccak256(NEW_PRIORITY_REQUEST.as_bytes())], &encoded[32..]);
        let deps_at = 160 + body.len();
        let head = [word_of(transaction.nonce), hash, word_of(1), word_of(160), word_of(deps_at)].concat();
        let log = [head.as_slice(), body, &word_of(0)].concat();
        let announced = PriorityRequested::read(&topics, &log).map(|event| (event.hash.0, event.transaction));
        failures.check(case.name, "encoding", &announced, &Ok::<_, ()>((hash, transaction)));
        Ok(())
    });
}

#[test]
fn storage_words() {
    walk("storage", |case, failures| {
        let input = &case.input;
        match case.name {
            "feeparams_slot" => {
                let word = case.expect.word("word")?;
                let given = Members::of(input.needs("feeParams")?)?;
                let params = FeeParams {
                    pubdata_pricing_mode: match given.narrow::<u8>("mode")? {
                        0 => PubdataPricingMode::Rollup,
                        mode => return Err(format!("unknown mode {mode}")),
                    },
                    batch_overhead_l1_gas: given.narrow("batchOverheadL1Gas")?,
                    max_pubdata_per_batch: given.narrow("maxPubdataPerBatch")?,
                    max_l2_gas_per_batch: given.narrow("maxL2GasPerBatch")?,
                    priority_tx_max_pubdata: given.narrow("priorityTxMaxPubdata")?,
                    minimal_l2_gas_price: given.narrow("minimalL2GasPrice")?,
                };
                given.unread("feeParams")?;
                failures.check(case.name, "slot", &input.text("slot")?, &format!("0x{:x}", 38).as_str());
                failures.check(case.name, "word", &FeeParams::from_storage_word(word), &Some(params));
                for mode in 1..=u8::MAX {
                    let mut other = word;
                    other[31] = mode;
                    let validium = FeeParams { pubdata_pricing_mode: PubdataPricingMode::Validium, ..params };
                    let expected = (mode == 1).then_some(validium);
                    failures.check(case.name, "mode", &FeeParams::from_storage_word(other), &expected);
                }
                // The fields fill the low 25 bytes: a word with anything above them is another slot's.
                for above in 0..7 {
                    let mut other = word;
                    other[above] = 1;
                    failures.check(case.name, "above", &FeeParams::from_storage_word(other), &None::<FeeParams>);
                }
            }
            "basetoken_multiplier_slot" => {
                let expected = BaseTokenGasPriceMultiplier {
                    nominator: input.narrow("nominator")?,
                    denominator: input.narrow("denominator")?,
                };
                let word = BaseTokenGasPriceMultiplier::from_storage_word(case.expect.word("word")?);
                failures.check(case.name, "word", &word, &expected);
            }
            // No ERC-20 is read by the library: this is the layout that relays and tests rely on.
            name if name.starts_with("erc20_balance_slot_") => {
                let key = keccak256_concat(&[&padded(input.address("address")?), &word_of(input.number("slot")?)]);
                failures.check(case.name, "key", &key, &case.expect.word("key")?);
            }
            name => return Err(format!("unknown vector {name}")),
        }
        Ok(())
    });
}

// ------------------------------------------------------------------------------------------------------------- calldata

// The accounts and contracts of all descriptions.
const FROM: &str = "0x36615Cf349d7F6344891B1e7CA7C72883F5dc049";
const TO: &str = "0xa61464658AfeAf65CccaaFD3a512b69A83B77618";
const USDC: &str = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
const ASSET_ROUTER: &str = "0x8829AD80E425C646DAB305381ff105169FeEcE56";
const ETHER: u64 = 1_000_000_000_000_000_000;
/// The base cost of 500000 gas at 30 gwei with the usual fee parameters.
const BASE_COST: u64 = 475_000_000_000_000;

fn address(text: &str) -> Token {
    abi::address(any_case(text).expect("an address"))
}

/// A request whose base cost is `BASE_COST`.
fn request(network: &str, operation: &Value) -> Value {
    let mut request = json!({
        "schema": "coldbridge/request/1",
        "intent": { "network": network, "from": FROM, "operation": operation },
        "facts": {
            "transaction": {
                "nonce": 0, "gasLimit": 1_000_000, "maxFeePerGas": "30000000000", "maxPriorityFeePerGas": "0",
            },
            "priorityRequest": {
                "l2GasLimit": 500_000,
                "feeParams": {
                    "pubdataPricingMode": "rollup", "batchOverheadL1Gas": 1_000_000, "maxPubdataPerBatch": 120_000,
                    "maxL2GasPerBatch": 80_000_000, "priorityTxMaxPubdata": 99_000, "minimalL2GasPrice": "250000000",
                },
                "baseTokenGasPriceMultiplier": { "nominator": "1", "denominator": "1" },
            },
        },
    });
    let takes_token = operation["deposit"]["token"].as_str().is_some_and(|token| token.starts_with("0x"));
    if takes_token || network == "custom-era" {
        request["facts"]["approval"] = json!({ "gasLimit": 100_000 });
    }
    request
}

fn plan(request: &Value) -> Result<Unsigned, Refusal> {
    let networks = if request["intent"]["network"] == "custom-era" {
        let path = common::root().join("fixtures/networks/custom-era.json");
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Networks::pinned().with(&json::parse(&text)?)?
    } else {
        Networks::pinned()
    };
    Request::read(&json::parse(request.to_string().as_bytes())?, &networks, Spelling::Checksummed)?.plan()
}

fn planned(network: &str, operation: &Value) -> Outcome<Unsigned> {
    plan(&request(network, operation)).map_err(said)
}

fn usdc_deposit(form: Option<&str>) -> Outcome<Unsigned> {
    let mut deposit = json!({ "token": USDC, "amount": "1000000", "to": TO });
    if let Some(form) = form {
        deposit["form"] = json!(form);
    }
    planned("era-mainnet", &json!({ "deposit": deposit }))
}

/// The calldata of a plan's last transaction: the operation itself.
fn calldata_of(plan: &Unsigned) -> Outcome<Vec<u8>> {
    Ok(plan.transactions().last().ok_or("no transaction")?.transaction.data().to_vec())
}

fn derived(plan: &Unsigned, member: &str) -> Outcome<Vec<u8>> {
    let document: Value = serde_json::from_str(&plan.to_json().to_string()).map_err(said)?;
    hex_bytes(text(&document["derived"][member])?)
}

/// What a plan hands to the second bridge.
fn second_bridge_data(plan: &Unsigned) -> Outcome<Vec<u8>> {
    match REQUEST_L2_TRANSACTION_TWO_BRIDGES.arguments(&calldata_of(plan)?).as_deref() {
        Some([Token::Tuple(request)]) => match request.last() {
            Some(Token::Bytes(data)) => Ok(data.clone()),
            _ => Err("the last member is not bytes".to_owned()),
        },
        _ => Err("not a request through two bridges".to_owned()),
    }
}

/// `requestL2TransactionTwoBridges` by the function alone: 500000 gas, l2Value 0, refunds to the sender.
fn two_bridges(chain_id: u64, mint_value: U256, second_value: u64, data: Vec<u8>) -> Vec<u8> {
    REQUEST_L2_TRANSACTION_TWO_BRIDGES.call(&[Token::Tuple(vec![
        abi::uint(chain_id),
        abi::uint(mint_value),
        abi::uint(0),
        abi::uint(500_000),
        abi::uint(800),
        address(FROM),
        address(ASSET_ROUTER),
        abi::uint(second_value),
        Token::Bytes(data),
    ])])
}

fn eth_to_custom_chain() -> Outcome<Unsigned> {
    let tip: U256 = U256::from(ETHER) * U256::from(1000) - U256::from(BASE_COST);
    let deposit = json!({ "token": "eth", "amount": "500000000000000000", "to": TO, "form": "legacy" });
    let mut request = request("custom-era", &json!({ "deposit": deposit }));
    request["intent"]["operatorTip"] = json!(tip.to_string());
    plan(&request).map_err(said)
}

/// What the library gives for a description, each way by which it can be asked.
fn answers(name: &str) -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let usdc = AssetId::native_token_vault(1, any_case(USDC)?);
    let (from, transfer) = (any_case(FROM)?, derived(&usdc_deposit(None)?, "transferData")?);
    let encoded = |tokens: &[Token]| ethabi::encode(tokens);
    let legacy = encoded(&[address(USDC), abi::uint(1_000_000), address(TO)]);
    let asset_id = {
        let asset = Token::FixedBytes(usdc.0.to_vec());
        [vec![1], encoded(&[asset, Token::Bytes(transfer.clone())])].concat()
    };
    Ok(match name {
        "calldata_direct_eth_deposit" => {
            let deposit = json!({ "deposit": { "token": "eth", "amount": ETHER.to_string(), "to": TO } });
            let arguments = [Token::Tuple(vec![
                abi::uint(324),
                abi::uint(ETHER + BASE_COST),
                address(TO),
                abi::uint(ETHER),
                Token::Bytes(Vec::new()),
                abi::uint(500_000),
                abi::uint(800),
                Token::Array(Vec::new()),
                address(FROM),
            ])];
            vec![
                ("plan", calldata_of(&planned("era-mainnet", &deposit)?)?),
                ("function", REQUEST_L2_TRANSACTION_DIRECT.call(&arguments)),
            ]
        }
        "calldata_legacy_request" => {
            let body = json!({ "l2Contract": TO, "l2Value": ETHER.to_string(), "l2Calldata": "0x" });
            let arguments = [
                address(TO),
                abi::uint(ETHER),
                Token::Bytes(Vec::new()),
                abi::uint(500_000),
                abi::uint(800),
                Token::Array(Vec::new()),
                address(FROM),
            ];
            let plan = planned("era-mainnet", &json!({ "requestExecuteMailbox": body }))?;
            vec![("plan", calldata_of(&plan)?), ("function", REQUEST_L2_TRANSACTION.call(&arguments))]
        }
        "calldata_ntv_transfer_data" => {
            vec![("derived", transfer), ("encoded", encoded(&[abi::uint(1_000_000), address(TO), address(USDC)]))]
        }
        "calldata_second_bridge_legacy" => {
            vec![("plan", second_bridge_data(&usdc_deposit(Some("legacy"))?)?), ("encoded", legacy)]
        }
        "calldata_second_bridge_v1" => vec![
            ("plan", second_bridge_data(&usdc_deposit(None)?)?),
            ("plan of the form", second_bridge_data(&usdc_deposit(Some("assetId"))?)?),
            ("encoded", asset_id),
        ],
        "calldata_two_bridges_legacy" => vec![
            ("plan", calldata_of(&usdc_deposit(Some("legacy"))?)?),
            ("function", two_bridges(324, BASE_COST.into(), 0, legacy)),
        ],
        "calldata_two_bridges_v1" => vec![
            ("plan", calldata_of(&usdc_deposit(None)?)?),
            ("function", two_bridges(324, BASE_COST.into(), 0, asset_id)),
        ],
        "calldata_two_bridges_eth_to_custom" => {
            let eth = encoded(&[abi::address(Address::ETH_TOKEN), abi::uint(ETHER / 2), address(TO)]);
            vec![
                ("plan", calldata_of(&eth_to_custom_chain()?)?),
                ("function", two_bridges(388, U256::from(ETHER) * U256::from(1000), ETHER / 2, eth)),
            ]
        }
        // A view of the Bridgehub: an eth_call of the online side, never signed.
        "calldata_base_cost_call" => {
            let signature = "l2TransactionBaseCost(uint256,uint256,uint256,uint256)";
            let numbers = [324, 30_000_000_000, 500_000, 800_u64].map(abi::uint);
            let made = coldbridge::operation::ALL.iter().flat_map(|operation| operation.functions);
            if made.into_iter().any(|function| function.selector == selector(signature)) {
                return Err("an operation signs a view".to_owned());
            }
            vec![("call", [selector(signature).to_vec(), encoded(&numbers)].concat())]
        }
        "calldata_tx_data_hash_legacy" => vec![
            ("hash", legacy_tx_data_hash(from, any_case(USDC)?, U256::from(1_000_000)).to_vec()),
            ("derived", derived(&usdc_deposit(Some("legacy"))?, "txDataHash")?),
        ],
        "calldata_tx_data_hash_v1" => vec![
            ("hash", tx_data_hash(from, usdc, &transfer).to_vec()),
            ("derived", derived(&usdc_deposit(None)?, "txDataHash")?),
        ],
        _ => return Err(format!("unknown vector {name}")),
    })
}

/// What a claim and a finalization of these vectors show: transaction 42 of batch 123456, leaf 7, made-up words.
fn shown(words: &[[u8; 32]]) -> [Token; 4] {
    let proof = words.iter().map(|word| Token::FixedBytes(word.to_vec())).collect();
    [abi::uint(123_456), abi::uint(7), abi::uint(42), Token::Array(proof)]
}

/// The refusal of a request whose proof is one of these: paths of one and two words have no leaf 7.
fn refused_for_its_index(operation: &Value, facts: &Value, words: &[[u8; 32]]) -> Outcome {
    let proof: Vec<String> = words.iter().map(|word| format!("0x{}", hex::encode(word))).collect();
    let mut request = request("era-mainnet", operation);
    let name = if facts.get("message").is_some() { "withdrawal" } else { "failedDeposit" };
    let mut facts = facts.clone();
    for (member, value) in
        [("l2BatchNumber", json!(123_456)), ("l2MessageIndex", json!(7)), ("l2TxNumberInBatch", json!(42))]
    {
        facts[member] = value;
    }
    facts["merkleProof"] = json!(proof);
    let members = request["facts"].as_object_mut().ok_or("no facts")?;
    members.remove("priorityRequest");
    members.insert(name.to_owned(), facts);
    match plan(&request) {
        Ok(_) => Err("a path that has no such leaf was taken".to_owned()),
        Err(refusal) if refusal.contract_error() == Some(contract_error::MERKLE_INDEX_OUT_OF_BOUNDS) => Ok(()),
        Err(refusal) => Err(said(refusal)),
    }
}

/// The calls of the way back: the function gives their bytes, and the plan refuses them, as their made-up proofs are none.
fn way_back(name: &str) -> Outcome<Option<Vec<u8>>> {
    let (from, usdc) = (address(FROM), any_case(USDC)?);
    let asset = AssetId::native_token_vault(1, usdc);
    let (hash, words) = (Token::FixedBytes(vec![0xaa; 32]), [[0x11; 32], [0x22; 32]]);
    let claim = json!({ "claimFailedDeposit": { "token": USDC, "amount": "1000000", "depositor": FROM } });
    let claimed = |deposit: Value| json!({ "l2TxHash": format!("0x{}", "aa".repeat(32)), "deposit": deposit });
    Ok(Some(match name {
        "calldata_claim_failed" => {
            refused_for_its_index(&claim, &claimed(json!({ "form": "legacy" })), &words[..1])?;
            let [batch, index, number, proof] = shown(&words[..1]);
            let amount = abi::uint(1_000_000);
            CLAIM_FAILED_DEPOSIT.call(&[abi::uint(324), from, address(USDC), amount, hash, batch, index, number, proof])
        }
        "calldata_recover_failed" => {
            let data = ethabi::encode(&[abi::uint(1_000_000), address(TO), address(USDC)]);
            let deposit = json!({ "form": "assetId", "transferData": format!("0x{}", hex::encode(&data)) });
            refused_for_its_index(&claim, &claimed(deposit), &words[..1])?;
            let [batch, index, number, proof] = shown(&words[..1]);
            let asset = Token::FixedBytes(asset.0.to_vec());
            let data = Token::Bytes(data);
            BRIDGE_RECOVER_FAILED_TRANSFER.call(&[abi::uint(324), from, asset, data, hash, batch, index, number, proof])
        }
        "calldata_finalize_deposit" => {
            let message = Message::BaseToken { receiver: any_case(FROM)?, amount: U256::from(ETHER), extra: None };
            let sender = abi::address(Address::L2_BASE_TOKEN);
            let facts = json!({
                "l2Sender": Address::L2_BASE_TOKEN.to_string(),
                "message": format!("0x{}", hex::encode(message.to_bytes())),
            });
            let finalize = json!({ "finalizeWithdrawal": { "token": "eth", "amount": ETHER.to_string(), "to": FROM } });
            refused_for_its_index(&finalize, &facts, &words)?;
            let [batch, index, number, proof] = shown(&words);
            let message = Token::Bytes(message.to_bytes());
            FINALIZE_DEPOSIT.call(&[Token::Tuple(vec![abi::uint(324), batch, index, sender, number, message, proof])])
        }
        _ => return Ok(None),
    }))
}

#[test]
fn calldata() {
    walk("calldata", |case, failures| {
        if case.category != "calldata" || case.input.text("description")?.is_empty() {
            return Err("unknown form".to_owned());
        }
        let expected = case.expect.bytes("hex")?;
        let ways = match way_back(case.name)? {
            Some(calldata) => vec![("function", calldata)],
            None => answers(case.name)?,
        };
        for (way, actual) in ways {
            failures.check(case.name, way, &hex::encode(actual), &hex::encode(&expected));
        }
        Ok(())
    });
}

// ------------------------------------------------------------------------------------------------------ contract errors

const NONE: &[&str] = &[];

/// The contract errors that a refusal of each code may name. A code that is not here is not the contracts'.
fn allowed(code: &str) -> &'static [&'static str] {
    match code {
        "priority.gas_floor" => {
            &["TxnBodyGasLimitNotEnoughGas()", "ValidateTxnNotEnoughGas()", "ZeroGasPriceL1TxZKsyncOS()"]
        }
        "priority.gas_ceiling" => &["TooMuchGas()", "PubdataGreaterThanLimit(uint256,uint256)"],
        "priority.gas_per_pubdata" => &["GasPerPubdataMismatch()"],
        "priority.denominator_zero" => &["BaseTokenGasPriceDenominatorNotSet()"],
        "priority.fee_params" | "priority.overflow" => &["Panic(uint256)"],
        "priority.empty_deposit" => &["EmptyDeposit()"],
        "factory_deps.count" => &["TooManyFactoryDeps()"],
        "factory_deps.length" => &["LengthIsNotDivisibleBy32(uint256)"],
        "factory_deps.words" => &["MalformedBytecode(uint8)"],
        "operation.network" => &["OnlyEraSupported()"],
        "token.weth" => &["BurningNativeWETHNotSupported()", "TokenNotSupported(address)"],
        "token.origin" => &["AssetIdMismatch(bytes32,bytes32)"],
        "deposit.form" => {
            &["LegacyEncodingUsedForNonL1Token()", "ETHDepositNotSupported()", "AssetIdNotSupported(bytes32)"]
        }
        "message.selector" => &["InvalidSelector(bytes4)"],
        "message.length" => &["L2WithdrawalMessageWrongLength(uint256)", "WrongMsgLength(uint256,uint256)"],
        "withdrawal.l2_sender" => &["WrongL2Sender(address)", "InvalidProof()"],
        "withdrawal.form" => &["InvalidProof()", "LegacyBridgeNotSet()", "OnlyEraSupported()"],
        "withdrawal.unprovable" | "proof.root" | "claim.succeeded" => &["InvalidProof()"],
        "claim.encoding" => &["LegacyMethodForNonL1Token()"],
        "claim.transfer_data" | "claim.asset_id" | "claim.tx_data_hash" => {
            &["DepositDoesNotExist()", "DepositDoesNotExist(bytes32,bytes32)"]
        }
        "proof.batch" => &["LocalRootIsZero()"],
        "proof.not_executed" => &["BatchNotExecuted(uint256)"],
        "proof.index" => &["MerkleIndexOutOfBounds()"],
        "proof.settlement_layer" => &["NotSettlementLayer()"],
        "proof.format" => &[
            "MerklePathEmpty()",
            "MerklePathOutOfBounds()",
            "MerkleIndexOutOfBounds()",
            "UnsupportedProofMetadataVersion(uint256)",
            "InvalidProofLengthForFinalNode()",
            "NotSettlementLayer()",
            "Panic(uint256)",
        ],
        "withdraw.form" => &["TokenNotLegacy()"],
        _ => NONE,
    }
}

/// What the contracts of the way back would answer: read off the request's message, proof and network.
fn way_back_error(fixture: &Fixture, code: &str) -> Outcome<Option<Vec<Option<&'static str>>>> {
    let request = &fixture.json["request"];
    let facts = &request["facts"];
    let (Some(facts), Some(name)) =
        (facts.get("withdrawal").or(facts.get("failedDeposit")), request["intent"]["network"].as_str())
    else {
        return Ok(None);
    };
    let networks = fixture.networks();
    let network = networks.find(name).ok_or("no network")?;
    let minor = network.protocol_version.minor;
    let message = facts["message"].as_str().unwrap_or_default();
    let has_bridge = network.l2_legacy_shared_bridge.is_some();
    let error = match code {
        "message.selector" => Some("InvalidSelector(bytes4)"),
        // L1 reads the first 56 bytes of a longer message of the base token.
        "message.length" => match (message.get(2..10), message.len() / 2 - 1) {
            (Some("6c0960f9"), 57..) => None,
            (Some("9c884fd1"), _) => Some("WrongMsgLength(uint256,uint256)"),
            _ => Some("L2WithdrawalMessageWrongLength(uint256)"),
        },
        "withdrawal.l2_sender" => {
            let sender = any_case(text(&facts["l2Sender"])?)?;
            let taken = [Address::L2_BASE_TOKEN, Address::L2_ASSET_ROUTER].contains(&sender)
                || Some(sender) == network.l2_legacy_shared_bridge;
            match message.get(2..10) {
                // Without a bridge that is pinned nothing is said of what L1 would do.
                Some("11a2ccc1") if !has_bridge => None,
                _ if !taken => Some("WrongL2Sender(address)"),
                // Before v31 L1 overrides the sender of a message of the base token.
                Some("6c0960f9") => (minor >= 31).then_some("WrongL2Sender(address)"),
                _ => Some("InvalidProof()"),
            }
        }
        "withdrawal.form" => {
            let form = text(&request["intent"]["operation"]["finalizeWithdrawal"]["form"])?;
            let is_era = [324, 300, 270].contains(&network.l2_chain_id);
            match (form, message.get(2..10)) {
                (_, Some("9c884fd1")) if has_bridge => Some("InvalidProof()"),
                ("legacyEth", Some("6c0960f9" | "11a2ccc1")) if !is_era => Some("OnlyEraSupported()"),
                (_, Some("9c884fd1")) | ("legacy", Some("6c0960f9")) => Some("LegacyBridgeNotSet()"),
                _ => None,
            }
        }
        "withdrawal.unprovable" | "proof.root" | "claim.succeeded" => Some("InvalidProof()"),
        // Only a token from elsewhere is judged by a contract; the others are contracts that are not there.
        "claim.encoding" => {
            let origin = &request["intent"]["operation"]["claimFailedDeposit"]["tokenOrigin"];
            origin.is_object().then_some("LegacyMethodForNonL1Token()")
        }
        // 96 bytes are not even read before the network is known.
        "claim.transfer_data" if facts["deposit"]["transferData"].as_str().is_some_and(|data| data.len() != 194) => {
            None
        }
        "claim.transfer_data" | "claim.asset_id" | "claim.tx_data_hash" => {
            Some(if minor >= 31 { "DepositDoesNotExist(bytes32,bytes32)" } else { "DepositDoesNotExist()" })
        }
        "proof.format" => proof_format_error(facts, minor)?,
        // The id is hashed here: L1 never sees the origin.
        "token.origin" => None,
        _ => return Ok(None),
    };
    Ok(Some(vec![error.filter(|_| minor >= 26)]))
}

/// What reading the words of a malformed proof would come to in `MessageHashing`.
fn proof_format_error(facts: &Value, minor: u32) -> Outcome<Option<&'static str>> {
    let words: Vec<&str> = facts["merkleProof"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(first) = words.first() else { return Ok(Some("MerklePathEmpty()")) };
    let byte = |at: usize| usize::from_str_radix(&first[2 + 2 * at..4 + 2 * at], 16).map_err(said);
    if first[10..].bytes().any(|digit| digit != b'0') {
        return Ok((words.len() >= 256).then_some("MerklePathOutOfBounds()"));
    }
    if minor < 26 {
        return Ok(None);
    }
    let (version, log_path, batch_path, is_final) = (byte(0)?, byte(1)?, byte(2)?, byte(3)?);
    Ok(match (version, is_final) {
        (1, 0) => {
            // batch index, batch path, packed batch, chain id, metadata, path
            let at = 1 + log_path + 1 + batch_path;
            match (words.get(1 + log_path), words.get(at), words.get(at + 1)) {
                (Some(index), Some(packed), Some(chain)) => {
                    let number = |word: &str| U256::from_str_radix(word, 16).map_err(|error| error.to_string());
                    let low = number(packed)? & U256::from(u128::MAX);
                    if number(index)? >= U256::one() << batch_path || low >= U256::from(16) {
                        Some("MerkleIndexOutOfBounds()")
                    } else {
                        (number(chain)? > U256::from(u64::MAX)).then_some("NotSettlementLayer()")
                    }
                }
                _ => Some("Panic(uint256)"),
            }
        }
        (1, 1) if batch_path != 0 => Some("InvalidProofLengthForFinalNode()"),
        (1, 1) => Some("Panic(uint256)"),
        (1, _) => None,
        _ => Some("UnsupportedProofMetadataVersion(uint256)"),
    })
}

/// Errors that are shown by a test, whether or not a fixture meets them too.
const SHOWN_HERE: &[&str] = &[
    "EmptyDeposit()",       // a_request_that_mints_nothing_is_refused
    "HashedLogIsDefault()", // tests/proofs.rs: no message and no status is the leaf that fills trees up
];

/// Errors that no refused request can meet, each with its reason.
fn unmeetable(signature: &str) -> Option<&'static str> {
    Some(match signature {
        "MsgValueTooLow(uint256,uint256)" => {
            "mintValue is never stated: it is derived from the base cost at the highest gas price and l2Value, and covers both"
        }
        "AssetIdNotSupported(bytes32)" => {
            "the answer to a base token through two bridges: the route follows from the token, and the base token's is Direct"
        }
        "MsgValueMismatch(uint256,uint256)"
        | "TransactionNotAllowed()"
        | "DepositsPaused()"
        | "AssetHandlerDoesNotExist(bytes32)"
        | "TokensWithFeesNotSupported()"
        | "InsufficientChainBalance()"
        | "WithdrawalAlreadyFinalized()" => {
            "it follows from what the chain is or has become, of which no request tells: the relay names it, and help explains it"
        }
        _ => return None,
    })
}

/// What the contracts would answer to a refused request, as far as its code leaves a choice. Several where both can be said.
fn expected_errors(fixture: &Fixture, code: &str) -> Outcome<Vec<Option<&'static str>>> {
    let one = |signature| Ok(vec![Some(signature)]);
    let choices = allowed(code);
    let request = &fixture.json["request"];
    let facts = &request["facts"]["priorityRequest"];
    let network = || {
        let document = json::parse(fixture.request_text().as_bytes()).map_err(said)?;
        Request::read(&document, &fixture.networks(), Spelling::AnyCase).map_err(said)
    };
    let deposit = &request["intent"]["operation"]["deposit"];
    if let Some(errors) = way_back_error(fixture, code)? {
        return Ok(errors);
    }
    let (form, is_eth) = (deposit["form"].as_str().unwrap_or_default(), deposit["token"] == "eth");
    let withdraw = &request["intent"]["operation"]["withdraw"];
    let is_on_l2 =
        ["withdraw", "transfer", "call"].iter().any(|name| request["intent"]["operation"].get(name).is_some())
            || request["intent"]["operation"]["deploy"]["layer"] == "l2";
    match code {
        // On L2 the node refuses bytecodes, not a contract.
        _ if code.starts_with("factory_deps.") && is_on_l2 => Ok(vec![None]),
        // The base token has no asset id to be wrong.
        "token.origin" if ["eth", "base"].iter().any(|word| withdraw["token"] == *word) => Ok(vec![None]),
        "withdraw.form" => {
            let has_router = network()?.network().has_asset_router();
            let is_native = withdraw["tokenOrigin"]["chainId"] == network()?.network().l1_chain_id;
            let is_legacy = ["legacyAssetRouter", "legacyBridge"].iter().any(|form| withdraw["form"] == *form);
            let error = has_router && is_legacy && !is_native && withdraw.get("tokenOrigin").is_some();
            Ok(vec![error.then_some("TokenNotLegacy()")])
        }
        "priority.gas_floor" | "priority.gas_ceiling" => {
            let read = network()?;
            let quote: Value = serde_json::from_str(&read.quote().to_string()).map_err(said)?;
            let (limit, network) = (number(&facts["l2GasLimit"])?, read.network());
            let overhead = match network.vm {
                Vm::EraVm => (number(&quote["encodedLength"])? * U256::from(10)).max(U256::from(10_000)),
                Vm::ZkSyncOs => U256::zero(),
            };
            let is_free = network.vm == Vm::ZkSyncOs
                && network.protocol_version.minor == 30
                && number(&quote["l2GasPrice"])?.is_zero();
            let body = limit.checked_sub(overhead);
            one(match body {
                None => "TxnBodyGasLimitNotEnoughGas()",
                Some(body) if body > network.priority_tx_max_gas_limit.into() => "TooMuchGas()",
                Some(body) if body / U256::from(800) > number(&facts["feeParams"]["priorityTxMaxPubdata"])? => {
                    "PubdataGreaterThanLimit(uint256,uint256)"
                }
                Some(_) if is_free => "ZeroGasPriceL1TxZKsyncOS()",
                Some(_) => "ValidateTxnNotEnoughGas()",
            })
        }
        // What changeFeeParams forbids is no division by zero.
        "priority.fee_params" => {
            let zero = |name: &str| facts["feeParams"][name] == 0;
            Ok(vec![(zero("maxPubdataPerBatch") || zero("maxL2GasPerBatch")).then_some("Panic(uint256)")])
        }
        // A ContractDeployer that is missing answers nothing.
        "operation.network" if request["intent"]["operation"].get("deploy").is_some() => Ok(vec![None]),
        "token.weth" if form == "legacyBridge" => one("TokenNotSupported(address)"),
        "token.weth" => one("BurningNativeWETHNotSupported()"),
        // A Direct request names no asset, nor does one before v26: there the error would be another or none.
        "token.origin" => {
            let read = network()?;
            let network = read.network();
            let names_asset = network.has_asset_router() && !is_direct(deposit, network.base_token);
            let error = Some("AssetIdMismatch(bytes32,bytes32)");
            Ok(if names_asset { vec![error] } else { vec![None, error] })
        }
        "deposit.form" => {
            let read = network()?;
            let is_direct = is_direct(deposit, read.network().base_token);
            match form {
                "legacy" if deposit.get("tokenOrigin").is_some() => one("LegacyEncodingUsedForNonL1Token()"),
                "legacyBridge" if is_eth && !is_direct => one("ETHDepositNotSupported()"),
                "legacyBridge" if is_eth => Ok(vec![None, Some("ETHDepositNotSupported()")]),
                _ if is_direct => Ok(vec![None, Some("AssetIdNotSupported(bytes32)")]),
                _ => Ok(vec![None]),
            }
        }
        _ => match choices {
            [] => Ok(vec![None]),
            [single] => one(single),
            _ => Err(format!("{code}: which of {choices:?} is not said")),
        },
    }
}

/// Whether the token of a deposit is the chain's base token.
fn is_direct(deposit: &Value, base_token: BaseToken) -> bool {
    match (deposit["token"].as_str().unwrap_or_default(), base_token) {
        ("base", _) | ("eth", BaseToken::Eth) => true,
        ("eth", BaseToken::Erc20(_)) | (_, BaseToken::Eth) => false,
        (token, BaseToken::Erc20(base)) => any_case(token) == Ok(base),
    }
}

fn refusal_of(fixture: &Fixture) -> Outcome<Refusal> {
    let spelling = if fixture.allows_unchecksummed() { Spelling::AnyCase } else { Spelling::Checksummed };
    let outcome = json::parse(fixture.request_text().as_bytes())
        .and_then(|document| Request::read(&document, &fixture.networks(), spelling)?.plan())
        .and_then(|plan| fixture.sign(plan));
    outcome.err().ok_or_else(|| "was signed".to_owned())
}

fn is_before_v26(fixture: &Fixture) -> bool {
    let name = fixture.json["request"]["intent"]["network"].as_str().unwrap_or_default();
    fixture.networks().find(name).is_some_and(|network| !network.has_asset_router())
}

/// Each refusal names the error with which the chain would have answered, and every error that is known is named by one.
#[test]
fn refusals_name_the_contracts_own_error() {
    let mut failures = Failures::default();
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for fixture in operation_fixtures() {
        let Some(refused) = fixture.refused() else { continue };
        let code = refused["code"].as_str().expect("a code");
        let refusal = match refusal_of(&fixture) {
            Ok(refusal) => refusal,
            Err(problem) => {
                failures.fail(&fixture.name, problem);
                continue;
            }
        };
        failures.check(&fixture.name, "code", &refusal.code().name, &code);
        let error = refusal.contract_error();
        let named = error.map(|error| error.signature);
        match expected_errors(&fixture, code) {
            Err(problem) => failures.fail(&fixture.name, problem),
            // Before v26 the Mailbox reverted with strings ("qp", "my", "ui" ...): there is no error to name.
            Ok(_) if named.is_none() && is_before_v26(&fixture) => {
                failures.passed += 1;
            }
            Ok(expected) if expected.contains(&named) => failures.passed += 1,
            Ok(expected) => {
                failures.fail(&fixture.name, format!("{code} names {named:?}, which is none of {expected:?}"));
            }
        }
        let Some(error) = error else { continue };
        *met.entry(error.signature).or_default() += 1;
        let is_allowed = allowed(code).contains(&error.signature) && contract_error::ALL.contains(&error);
        failures.check(&fixture.name, "an error of this code", &is_allowed, &true);
        if !refusal.problem().contains(error.signature) || !refusal.problem().contains(error.selector) {
            failures.fail(&fixture.name, "the sentence does not name the error");
        }
    }
    for error in contract_error::ALL {
        failures.check(
            error.signature,
            "selector",
            &error.selector,
            &format!("0x{}", hex::encode(selector(error.signature))),
        );
        match (met.get(error.signature), unmeetable(error.signature)) {
            (None, None) if SHOWN_HERE.contains(&error.signature) => failures.passed += 1,
            (None, None) => failures.fail(error.signature, "no refused fixture meets it, and no reason says why"),
            (Some(_), Some(reason)) => failures.fail(error.signature, format!("is met, against its reason: {reason}")),
            _ => failures.passed += 1,
        }
    }
    let (count, facts) = (met.values().sum::<usize>(), failures.passed);
    failures.finish();
    report(&format!(
        "contract errors: {} of {} met by {count} refused fixtures, {facts} facts",
        met.len(),
        contract_error::ALL.len()
    ));
}

/// A base cost of 0 and nothing beside it: the asset router refuses an empty deposit. One unit of anything is enough.
#[test]
fn a_request_that_mints_nothing_is_refused() {
    let call = |value: &str| json!({ "requestExecute": { "l2Contract": TO, "l2Value": value, "l2Calldata": "0x" } });
    let free = |value: &str, tip: &str| {
        let mut request = request("era-mainnet", &call(value));
        let params = &mut request["facts"]["priorityRequest"]["feeParams"];
        params["pubdataPricingMode"] = json!("validium");
        params["batchOverheadL1Gas"] = json!(0);
        params["minimalL2GasPrice"] = json!("0");
        request["intent"]["operatorTip"] = json!(tip);
        plan(&request).map(|plan| plan.transactions()[0].transaction.value().get())
    };
    let refusal = free("0", "0").expect_err("nothing would be minted");
    assert_eq!(refusal.code().name, "priority.empty_deposit");
    assert_eq!(refusal.contract_error(), Some(contract_error::EMPTY_DEPOSIT));
    assert_eq!(free("0", "1"), Ok(U256::one()));
    assert_eq!(free("1", "0"), Ok(U256::one()));
}
