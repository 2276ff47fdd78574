//! What the test programs share: walking the fixture folders and reading their files.

#![allow(dead_code, missing_docs)] // each test program uses a part of this

pub mod chain;
#[cfg(feature = "relay")]
pub mod desk;
pub mod program;
pub mod rpc;
pub mod screen;
pub mod vector;

use std::fs;
use std::path::{Path, PathBuf};

use coldbridge::external::Form;
use coldbridge::{External, Key, Networks, Refusal, Signed, Unsigned, json};
use serde_json::Value;

/// One fixture file.
pub struct Fixture {
    /// Folder and file name without `.json`.
    pub name: String,
    pub json: Value,
}

impl Fixture {
    /// The request's text, well formed or not.
    pub fn request_text(&self) -> String {
        match &self.json["requestText"] {
            Value::String(text) => text.clone(),
            _ => self.json["request"].to_string(),
        }
    }

    /// The key file's text: of a smart account, its first signer's.
    pub fn key(&self) -> String {
        key_text(&self.json["privateKey"])
    }

    /// The texts of all key files: of a smart account, one for each signer.
    pub fn keys(&self) -> Vec<String> {
        let others = self.json["otherKeys"].as_array().map(Vec::as_slice).unwrap_or_default();
        [vec![self.key()], others.iter().map(key_text).collect()].concat()
    }

    /// The signature that a smart account itself would take, where no signer is stated.
    pub fn account_signature(&self) -> Option<Vec<u8>> {
        let text = self.json["accountSignature"].as_str()?;
        Some(hex::decode(text.strip_prefix("0x").expect("hex")).expect("hex"))
    }

    /// Signs its plan as the case says: with its keys, or with the account's own bytes.
    pub fn sign(&self, plan: Unsigned) -> Result<Signed, Refusal> {
        if let Some(bytes) = self.account_signature() {
            let given = vec![External::new(bytes, Form::Custom); plan.transactions().len()];
            return plan.attach(&given);
        }
        let keys = self.keys().iter().map(|key| Key::from_hex(key.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        plan.sign_with(&keys.iter().collect::<Vec<_>>())
    }

    pub fn allows_unchecksummed(&self) -> bool {
        self.json["options"].as_array().is_some_and(|list| list.iter().any(|option| option == "allow-unchecksummed"))
    }

    /// The plan of a contract sender, which is exported in place of signed.
    pub fn exported(&self) -> Option<&Value> {
        self.json["expect"].get("exported")
    }

    /// The network files that it needs.
    pub fn network_files(&self) -> Vec<PathBuf> {
        let names = self.json["networkFiles"].as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().map(|name| root().join("fixtures").join(name.as_str().expect("a path"))).collect()
    }

    /// The pinned networks and those of its files.
    pub fn networks(&self) -> Networks {
        self.network_files().iter().fold(Networks::pinned(), |networks, path| {
            let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            networks
                .with(&json::parse(&text).expect("JSON"))
                .unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()))
        })
    }

    pub fn signed(&self) -> Option<&Value> {
        self.json["expect"].get("signed")
    }

    pub fn refused(&self) -> Option<&Value> {
        self.json["expect"].get("refused")
    }
}

fn key_text(key: &Value) -> String {
    let key = key.as_str().expect("a key").strip_suffix(" (PUBLIC TEST KEY)").expect("marked as public");
    format!("{key}\n")
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All fixtures of a folder, in the order of their names. A folder without any fails the test.
pub fn fixtures(folder: &str) -> Vec<Fixture> {
    let path = root().join("fixtures").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no fixture in {}", path.display());
    files.iter().map(|path| read(folder, path)).collect()
}

pub fn fixture(folder: &str, name: &str) -> Fixture {
    read(folder, &root().join("fixtures").join(folder).join(format!("{name}.json")))
}

fn read(folder: &str, path: &Path) -> Fixture {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
    Fixture { name: format!("{folder}/{stem}"), json }
}

/// The folders of operation cases.
pub fn operation_fixtures() -> Vec<Fixture> {
    [
        "deposit",
        "request_execute",
        "request_execute_mailbox",
        "deploy",
        "approve",
        "cancel",
        "withdraw",
        "finalize_withdrawal",
        "claim_failed_deposit",
        "transfer",
        "call",
        "paymaster",
        "smart_account",
        "json",
    ]
    .iter()
    .flat_map(|folder| fixtures(folder))
    .collect()
}

/// Collects failures and fails once, with all of them.
#[derive(Default)]
pub struct Failures {
    list: Vec<String>,
    pub passed: usize,
}

impl Failures {
    pub fn check(
        &mut self,
        name: &str,
        what: &str,
        actual: &dyn std::fmt::Debug,
        expected: &dyn std::fmt::Debug,
    ) -> bool {
        let (actual, expected) = (format!("{actual:?}"), format!("{expected:?}"));
        if actual == expected {
            self.passed += 1;
            return true;
        }
        self.list.push(format!("{name}: {what}\n    expected {expected}\n    actual   {actual}"));
        false
    }

    pub fn fail(&mut self, name: &str, what: impl std::fmt::Display) {
        self.list.push(format!("{name}: {what}"));
    }

    /// What another collection has found.
    pub fn add(&mut self, other: Self) {
        self.list.extend(other.list);
        self.passed += other.passed;
    }

    pub fn finish(self) {
        assert!(self.list.is_empty(), "{} failures:\n{}", self.list.len(), self.list.join("\n"));
        assert!(self.passed > 0, "nothing was checked");
    }
}

/// Why a row does not hold.
pub type Outcome<T = ()> = Result<T, String>;

#[allow(clippy::print_stderr)] // how much was checked is part of the test's answer
pub fn report(line: &str) {
    eprintln!("{line}");
}

/// Checks every file of a folder, and that there is no other.
pub fn walk(folder: &str, check: impl Fn(&Fixture, &mut Failures) -> Outcome) {
    let mut failures = Failures::default();
    let mut checked = 0;
    for case in fixtures(folder) {
        let before = failures.passed;
        match check(&case, &mut failures) {
            Err(problem) => failures.fail(&case.name, problem),
            Ok(()) if failures.passed == before => failures.fail(&case.name, "nothing of it holds"),
            Ok(()) => checked += 1,
        }
    }
    let (facts, path) = (failures.passed, root().join("fixtures").join(folder));
    failures.finish();
    let files = std::fs::read_dir(path).expect("the folder").count();
    assert_eq!(checked, files, "files of {folder}/ that were checked, and all there are");
    report(&format!("{folder}/: {checked} of {files} files, {facts} facts"));
}
