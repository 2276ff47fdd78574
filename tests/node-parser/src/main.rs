//! The ZKsync node's own transaction parser as an oracle for coldbridge's L2 transactions.
//!
//! Every L2 transaction of the fixtures, and of signed documents, is read as the node reads it, must be what the document
//! says, and must no longer pass once it is forged (`node.rs`).

use std::{
    env,
    error::Error,
    fs, io,
    panic::catch_unwind,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::{Deserializer, Value};

mod node;

/// The kind of document, and so how much it says of a transaction.
#[derive(Clone, Copy, PartialEq)]
pub enum Source {
    /// `coldbridge/fixture/1`: every field.
    Fixtures,
    /// `coldbridge/signed/1`: hash, chain, nonce and sender.
    Signed,
}

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Where an L2 transaction stands (or what could not be read as one), and what failed there.
type Outcome = (String, Vec<String>);

fn main() -> ExitCode {
    let files = match files() {
        Ok(files) => files,
        Err(problem) => {
            eprintln!("{problem}\nusage: node-parser [--signed FILE]... [FIXTURES_FOLDER]...");
            return ExitCode::FAILURE;
        }
    };
    let mut outcomes = Vec::new();
    for (source, file) in files {
        if let Err(problem) = check_file(source, &file, &mut outcomes) {
            outcomes.push((file.display().to_string(), vec![problem.to_string()]));
        }
    }
    for (place, failures) in &outcomes {
        for failure in failures {
            println!("{place} {failure}");
        }
    }
    if outcomes.is_empty() {
        eprintln!("no L2 transaction was found");
    }
    let failed = outcomes.iter().filter(|(_, lines)| !lines.is_empty()).count();
    println!("{} passed, {failed} failed", outcomes.len() - failed);
    ExitCode::from(u8::from(failed > 0 || outcomes.is_empty()))
}

fn files() -> Fallible<Vec<(Source, PathBuf)>> {
    let mut files = Vec::new();
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--signed" {
            let file = arguments.next().ok_or("--signed names no file")?;
            files.push((Source::Signed, file.into()));
        } else {
            let fixtures = json_files(argument.into())?;
            files.extend(fixtures.into_iter().map(|file| (Source::Fixtures, file)));
        }
    }
    Ok(files)
}

/// Finds every `*.json` below the folder, sorted, without what npm installed there.
fn json_files(folder: PathBuf) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Checks one document, or several, one a line.
fn check_file(source: Source, file: &Path, outcomes: &mut Vec<Outcome>) -> Fallible<()> {
    let before = outcomes.len();
    let text = fs::read_to_string(file)?;
    let documents = Deserializer::from_str(&text).into_iter::<Value>();
    for (number, document) in (1..).zip(documents) {
        let document = document?;
        if source == Source::Fixtures && document.pointer("/expect/decoded").is_some() {
            // Raw bytes in a peer's form: the node must read the same fields, hash and signer.
            let mut claim = document["expect"]["decoded"].clone();
            claim["raw"] = document["raw"].clone();
            let failures = match catch_unwind(|| node::check_decoded(&claim)) {
                Ok(Ok(failures)) => failures,
                Ok(Err(problem)) => vec![format!("raw: {problem}")],
                Err(_) => vec!["raw: the parser panicked".into()],
            };
            outcomes.push((file.display().to_string(), failures));
            continue;
        }
        let signed = match source {
            Source::Fixtures => document.pointer("/expect/signed"),
            Source::Signed => Some(&document),
        };
        let Some(signed) = signed else { continue };
        if source == Source::Signed && signed["schema"] != "coldbridge/signed/1" {
            return Err("schema: expected coldbridge/signed/1".into());
        }
        let transactions = signed["transactions"].as_array();
        let transactions = transactions.ok_or("transactions: expected an array")?;
        for (index, transaction) in transactions.iter().enumerate() {
            // One flat object of everything said of the transaction.
            let mut claim = transaction.as_object().cloned().unwrap_or_default();
            match (source, claim.remove("unsigned")) {
                (Source::Fixtures, Some(Value::Object(unsigned))) => claim.extend(unsigned),
                _ => claim.extend([("from".into(), signed["from"].clone())]),
            }
            let claim = Value::Object(claim);
            let failures = match claim["layer"].as_str() {
                Some("l1") => continue,
                Some("l2") => match catch_unwind(|| node::check(&claim, source)) {
                    // Type 1 exists on ZKsync OS only: the EraVM node's parser must refuse it, and for that reason.
                    Ok(Err(problem)) if claim["type"] == "0x01" => {
                        let refused = problem.to_string().contains("access lists are not supported");
                        if refused {
                            Vec::new()
                        } else {
                            vec![format!("raw: refused for another reason: {problem}")]
                        }
                    }
                    Ok(Ok(_)) if claim["type"] == "0x01" => {
                        vec!["raw: the EraVM node takes a type 1 transaction".into()]
                    }
                    Ok(Ok(failures)) => failures,
                    Ok(Err(problem)) => vec![format!("chainId, raw: {problem}")],
                    Err(_) => vec!["raw: the parser panicked".into()],
                },
                _ => vec!["layer: expected l1 or l2".into()],
            };
            let place = format!("{} document {number} transactions[{index}]", file.display());
            outcomes.push((place, failures));
        }
    }
    if source == Source::Signed && outcomes.len() == before {
        return Err("no L2 transaction was found".into());
    }
    Ok(())
}
