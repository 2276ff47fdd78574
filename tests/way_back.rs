//! Finalizing and claiming, against the calls that the real v29 contracts took, and what no fixture file can show.

mod common;

use coldbridge::inclusion::Question;
use coldbridge::{Decoded, Networks, Refusal, Request, Review, Spelling, Unsigned, json};
use common::{Failures, Fixture, fixture, fixtures};
use serde_json::{Value, json as value};

const FROM: &str = "0xAF2f7f00Dfdb610B5125b3DF25db98d80A120Bf7";

fn plan(request: &Value) -> Result<Unsigned, Refusal> {
    let document = json::parse(request.to_string().as_bytes())?;
    Request::read(&document, &Networks::pinned(), Spelling::AnyCase)?.plan()
}

fn request(operation: &Value, facts: &str, evidence: &Value) -> Value {
    let mut request = value!({
        "schema": "coldbridge/request/1",
        "intent": {"network": "local", "from": FROM, "operation": operation},
        "facts": {"transaction": {"nonce": 7, "gasLimit": 500_000, "maxFeePerGas": "1500000000", "maxPriorityFeePerGas": "100000000"}},
    });
    request["facts"][facts] = evidence.clone();
    request
}

/// The recorded fact as `facts.withdrawal` or `facts.failedDeposit`.
fn evidence(input: &Value) -> Value {
    value!({
        "l2BatchNumber": input["batchNumber"], "l2MessageIndex": input["index"],
        "l2TxNumberInBatch": input["txNumberInBatch"], "merkleProof": input["proof"], "batchRoot": input["root"],
    })
}

/// The request for a recorded fact, with the intent that its real message or deposit says.
fn recorded(fixture: &Fixture) -> Option<Value> {
    let (input, mut facts) = (&fixture.json["input"], evidence(&fixture.json["input"]));
    let bytes = |name: &str| input[name].as_str().expect("hex")[2..].to_owned();
    let number = |hex: &str| ethabi::ethereum_types::U256::from_str_radix(hex, 16).expect("hex").to_string();
    match fixture.json["flags"].as_array()?.last()?.as_str()? {
        "withdrawal" => {
            facts["l2Sender"] = input["l2Sender"].clone();
            facts["message"] = input["message"].clone();
            let message = bytes("message");
            let operation = if message.starts_with("6c0960f9") {
                value!({"token": "eth", "amount": number(&message[48..112]), "to": format!("0x{}", &message[8..48])})
            } else {
                // selector, chain, asset id, then caller, receiver, token, amount
                let word = |index: usize| &message[8 + 64 * index..72 + 64 * index];
                let address = |index: usize| format!("0x{}", &word(index)[24..]);
                value!({"token": address(4), "amount": number(word(5)), "to": address(3)})
            };
            Some(request(&value!({"finalizeWithdrawal": operation}), "withdrawal", &facts))
        }
        "status" => {
            let data = bytes("assetData");
            facts["l2TxHash"] = input["l2TxHash"].clone();
            facts["deposit"] =
                value!({"form": "assetId", "transferData": input["assetData"], "assetId": input["assetId"]});
            if let Some(hash) = fixture.json["expect"].get("txDataHash") {
                facts["deposit"]["txDataHash"] = hash.clone();
            }
            let operation = value!({
                "token": format!("0x{}", &data[152..192]), "amount": number(&data[..64]), "depositor": input["depositSender"],
            });
            Some(request(&value!({"claimFailedDeposit": operation}), "failedDeposit", &facts))
        }
        _ => None,
    }
}

#[test]
fn the_calls_that_the_real_contracts_took_are_made_again() {
    let mut failures = Failures::default();
    let mut count = 0;
    for fixture in fixtures("proof") {
        let Some(request) = recorded(&fixture) else { continue };
        count += 1;
        let expect = &fixture.json["expect"];
        if expect["status"] == "succeeded" {
            // Recorded: a claim for a deposit that succeeded reverts with InvalidProof.
            let refusal = plan(&request).err().expect("a success can not be claimed");
            failures.check(&fixture.name, "code", &refusal.code().name, &"claim.succeeded");
            let error = refusal.contract_error().map(|error| error.selector);
            failures.check(&fixture.name, "contract error", &error, &Some("0x09bde339"));
            continue;
        }
        let unsigned = match plan(&request) {
            Ok(unsigned) => unsigned,
            Err(refusal) => {
                failures.fail(&fixture.name, refusal);
                continue;
            }
        };
        let transaction = &unsigned.transactions()[0].transaction;
        let calldata = format!("0x{}", hex::encode(transaction.data()));
        failures.check(&fixture.name, "calldata", &calldata.as_str(), &expect["calldata"].as_str().expect("hex"));
        let to = transaction.to().expect("a contract").to_string().to_lowercase();
        failures.check(&fixture.name, "to", &to.as_str(), &expect["to"].as_str().expect("an address"));
        failures.check(&fixture.name, "warnings", &unsigned.warnings().len(), &0);
        // The bytes alone say the same again.
        let raw = transaction.unsigned_bytes();
        let review = Review::of_raw(&raw, &Networks::pinned()).expect("its own bytes");
        let review: Value = serde_json::from_str(&review.to_json().to_string()).expect("JSON");
        let action = &review["transactions"][0]["action"];
        let (name, body) = request["intent"]["operation"].as_object().expect("one").iter().next().expect("one");
        for (member, stated) in body.as_object().expect("a body") {
            let found = action[name][member].as_str().unwrap_or_default().to_lowercase();
            failures.check(&fixture.name, member, &found, &stated.as_str().expect("a text").to_lowercase());
        }
        let again = Decoded::read(&raw, "").expect("its own bytes");
        failures.check(&fixture.name, "decoded again", &again.transaction, transaction);
    }
    failures.finish();
    assert_eq!(count, 6, "recorded withdrawals and claims");
}

/// Succeeded, failed and not shown are three answers, and a zero root is none of them.
#[test]
fn what_became_of_a_transaction() {
    let question = |name: &str| {
        let input = &fixture("proof", name).json["input"];
        let mut question = evidence(input);
        question["schema"] = value!("coldbridge/inclusion/1");
        question["network"] = value!("local");
        question["l2TxHash"] = input["l2TxHash"].clone();
        question
    };
    let answer = |question: &Value| -> Result<Value, Refusal> {
        let document = json::parse(question.to_string().as_bytes())?;
        let answer = Question::read(&document, &Networks::pinned())?.answer()?;
        Ok(serde_json::from_str(&answer.to_string()).expect("JSON"))
    };
    for (name, status) in [("recorded_failed_deposit", "failed"), ("recorded_succeeded_deposit", "succeeded")] {
        let asked = question(name);
        let said = answer(&asked).expect("an answer");
        assert_eq!(said["status"], status);
        assert_eq!(said["batchRoot"], asked["batchRoot"]);
        assert!(said["logLeaf"].is_string());
        // Whatever else is changed, the proof says nothing of that transaction.
        for (member, other) in [
            ("l2TxHash", value!(format!("0x{}", "aa".repeat(32)))),
            ("l2MessageIndex", value!(1)),
            ("l2TxNumberInBatch", value!(1)),
            ("batchRoot", value!(format!("0x{}", "aa".repeat(32)))),
        ] {
            let mut changed = asked.clone();
            changed[member] = other;
            let said = answer(&changed).expect("an answer");
            assert_eq!((&said["status"], &said["logLeaf"]), (&value!("missing"), &Value::Null), "{member}");
        }
        for (member, other, code) in [
            ("l2MessageIndex", value!(32768), "proof.index"),
            ("l2BatchNumber", value!(0), "proof.batch"),
            ("batchRoot", value!(format!("0x{}", "00".repeat(32))), "proof.not_executed"),
            ("merkleProof", value!([]), "proof.format"),
            ("network", value!("nowhere"), "network.unknown"),
        ] {
            let mut changed = asked.clone();
            changed[member] = other;
            let refusal = answer(&changed).expect_err(member);
            assert_eq!((refusal.code().name, refusal.at()), (code, format!("/{member}").as_str()));
        }
    }
}

/// Without batchRoot nothing shows that L2 said it: the plan and the review say so in capitals.
#[test]
fn without_a_root_the_review_shouts() {
    for (name, fact) in [("recorded_eth_withdrawal", "withdrawal"), ("recorded_failed_deposit", "failedDeposit")] {
        let mut request = recorded(&fixture("proof", name)).expect("a recorded fact");
        request["facts"][fact].as_object_mut().expect("evidence").remove("batchRoot");
        let unsigned = plan(&request).expect("a plan");
        let shout = "THE PROOF IS NOT VERIFIED";
        assert!(unsigned.warnings().iter().any(|warning| warning.starts_with(shout)), "{name}");
        assert!(
            unsigned.checks().iter().any(|check| check.name == "proof" && check.result.starts_with(shout)),
            "{name}"
        );
        let text = Review::of_unsigned(&unsigned).expect("a review").to_text();
        assert!(text.contains("WARNING       THE PROOF IS NOT VERIFIED"), "{text}");
        let review = Review::of_unsigned(&unsigned).expect("a review").to_json().to_string();
        assert!(review.contains("\"not_verified\""), "{review}");
    }
}
