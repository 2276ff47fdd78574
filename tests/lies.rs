//! What becomes of requests whose facts lie (`fixtures/lies`): each row ends as its reason says; a lie that nobody can see
//! offline is shown, and moves no money.

mod common;

use common::program::{Said, run, text};
use common::{Failures, Fixture, fixture, fixtures};
use serde_json::Value;

struct Matrix {
    base: Fixture,
    rows: Vec<Value>,
}

impl Matrix {
    fn all() -> Vec<Self> {
        let files = fixtures("lies").into_iter();
        files
            .map(|file| {
                let name = file.json["input"]["fixture"].as_str().expect("a name").to_owned();
                let (folder, name) = name.split_once('/').expect("a folder");
                Self {
                    base: fixture(folder, name),
                    rows: file.json["expect"]["rows"].as_array().expect("rows").clone(),
                }
            })
            .collect()
    }

    fn ask(&self, command: &[&str], request: &Value) -> Said {
        let files = self.base.network_files();
        let networks: Vec<&str> = files.iter().flat_map(|file| ["--network-file", text(file)]).collect();
        run(&[command, &networks].concat(), request.to_string())
    }

    fn told(&self, row: &Value) -> Value {
        let mut request = self.base.json["request"].clone();
        let at = row["at"].as_str().expect("a pointer");
        *request.pointer_mut(at).unwrap_or_else(|| panic!("{} has no {at}", self.base.name)) = row["value"].clone();
        request
    }
}

/// The numbers that stand in a text.
fn numbers(text: &str) -> Vec<&str> {
    text.split(|character: char| !character.is_ascii_digit()).filter(|digits| !digits.is_empty()).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn every_lie_ends_as_its_reason_says() {
    let matrices = Matrix::all();
    let failures: Vec<Failures> = std::thread::scope(|scope| {
        let workers: Vec<_> = matrices.iter().map(|matrix| scope.spawn(move || judge(matrix))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a judgement")).collect()
    });
    let rows: usize = matrices.iter().map(|matrix| matrix.rows.len()).sum();
    assert!(rows > 1_700, "only {rows} lies");
    let mut all = Failures::default();
    for some in failures {
        all.add(some);
    }
    all.finish();
}

fn judge(matrix: &Matrix) -> Failures {
    let mut failures = Failures::default();
    let honest = &matrix.base.json["request"];
    let honest_plan = matrix.ask(&["build"], honest).json();
    let honest_action = action(&matrix.ask(&["review", "--json"], honest).json());
    for row in &matrix.rows {
        let name = format!("{} {} {} ({})", matrix.base.name, row["at"], row["lie"], plain(&row["value"]));
        let request = matrix.told(row);
        let said = matrix.ask(&["build", "--json-errors"], &request);
        let why = row["why"].as_str().expect("a reason");
        if !failures.check(&name, why, &i64::from(said.exit), &row["exit"].as_i64().expect("an exit code")) {
            continue;
        }
        if said.exit != 0 {
            let error = said.error();
            if let Some(contract) = row["contractError"].as_str() {
                failures.check(&name, why, &error["contractError"]["name"].as_str(), &Some(contract));
            }
            let at = error["at"].as_str().expect("a place");
            failures.check(&name, "a place in the facts", &at.starts_with("/facts"), &true);
            continue;
        }
        let plan = said.json();
        for (at, shown) in row["shows"].as_object().expect("what is shown") {
            failures.check(&name, at, &plan.pointer(at), &Some(shown));
        }
        let transactions = plan["transactions"].as_array().expect("a plan");
        let purposes: Vec<&Value> = transactions.iter().map(|transaction| &transaction["purpose"]).collect();
        let expected: Vec<&Value> = row["purposes"].as_array().expect("a plan").iter().collect();
        failures.check(&name, "purposes", &purposes, &expected);
        // Whom it calls, what it asks for and who gets what comes back are the owner's, whatever the facts say.
        let last = |plan: &Value| plan["transactions"].as_array().and_then(|list| list.last()).expect("a plan").clone();
        for member in ["layer", "type", "chainId", "from", "to", "purpose"] {
            failures.check(&name, member, &last(&plan)[member], &last(&honest_plan)[member]);
        }
        for member in ["refundRecipient", "l2RefundRecipient", "l2Sender", "assetId"] {
            failures.check(&name, member, &plan["derived"][member], &honest_plan["derived"][member]);
        }
        failures.check(&name, "intent", &plan["intent"], &honest_plan["intent"]);
        failures.check(&name, "action", &action(&matrix.ask(&["review", "--json"], &request).json()), &honest_action);
        // And a person sees it: every number of the row stands in the review.
        let review = matrix.ask(&["review"], &request).stdout;
        let digits = numbers(&review);
        for (at, shown) in row["shows"].as_object().expect("what is shown") {
            failures.check(
                &name,
                &format!("review of {at}: {review}"),
                &digits.contains(&plain(shown).as_str()),
                &true,
            );
        }
    }
    failures
}

/// What the last transaction does, in the words of the operation.
fn action(review: &Value) -> Value {
    review["transactions"].as_array().and_then(|list| list.last()).expect("a plan")["action"].clone()
}
