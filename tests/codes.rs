//! Every code and every exit code: a test provokes it, `coldbridge help` explains it, the documentation lists it.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use coldbridge::refusal::contract_error;
use coldbridge::{Code, Exit};
use common::Failures;
use common::program::run;
use serde_json::Value;

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("readable").path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("node_modules" | "target") => {}
            _ if path.is_dir() => found.extend(files(&path, extension)),
            _ if path.extension().is_some_and(|found| found == extension) => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

/// What the tests say, without comments: the test programs, and the tests inside the sources.
fn tests() -> Vec<String> {
    let root = common::root();
    let programs = files(&root.join("tests"), "rs").into_iter().filter(|path| !path.ends_with("tests/codes.rs"));
    let programs = programs.map(|path| fs::read_to_string(path).expect("text"));
    let units = files(&root.join("src"), "rs").into_iter().filter_map(|path| {
        let text = fs::read_to_string(path).expect("text");
        text.split_once("#[cfg(test)]").map(|(_, tests)| tests.to_owned())
    });
    let without_comments =
        |text: String| text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    programs.chain(units).map(without_comments).collect()
}

/// The codes of the refused fixtures.
fn of_fixtures() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(&common::root().join("fixtures"), "json") {
        let text = fs::read_to_string(&path).expect("text");
        let Ok(json) = serde_json::from_str::<Value>(&text) else { continue };
        found.extend(json["expect"]["refused"]["code"].as_str().map(str::to_owned));
    }
    found
}

/// The name of a code's constant in `src/refusal.rs`.
fn constant(code: Code) -> String {
    let source = fs::read_to_string(common::root().join("src/refusal.rs")).expect("text");
    let row = format!(" = \"{}\", ", code.name);
    let line = source.lines().find(|line| line.contains(&row)).unwrap_or_else(|| panic!("no row of {}", code.name));
    line.split('=').next().expect("a name").trim().to_owned()
}

/// A code that no fixture holds and no test names is a rule that nobody has seen at work.
#[test]
fn every_code_is_provoked_by_a_test() {
    let (fixtures, tests) = (of_fixtures(), tests());
    assert!(fixtures.len() > 40 && tests.len() > 10, "{} {}", fixtures.len(), tests.len());
    let is_named = |code: &Code| {
        let (name, constant) = (format!("\"{}\"", code.name), format!("Code::{}", constant(*code)));
        let is_end = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        tests.iter().any(|text| text.contains(&name) || text.split(&constant).skip(1).any(is_end))
    };
    let unseen: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !fixtures.contains(code.name) && !is_named(code))
        .map(|code| code.name)
        .collect();
    assert!(unseen.is_empty(), "no fixture and no test for {unseen:?}");
    // The check can fail.
    let unknown = Code { name: "nobody.knows", exit: Exit::Bug };
    assert!(!fixtures.contains(unknown.name) && !tests.iter().any(|text| text.contains("\"nobody.knows\"")));
}

#[test]
fn every_exit_code_has_codes() {
    for exit in Exit::ALL {
        assert!(Code::ALL.iter().any(|code| code.exit == *exit), "no code for exit {}", exit.code());
    }
}

#[test]
fn every_code_and_every_exit_code_is_explained_offline() {
    let mut failures = Failures::default();
    for code in Code::ALL {
        let said = run(&["help", code.name], "");
        let flat = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        failures.check(code.name, "exit", &said.exit, &0);
        for part in [
            format!("{}: exit {}, {}", code.name, code.exit.code(), code.exit.meaning()),
            code.meaning().trim().to_owned(),
            format!("what to do: {}", code.advice()),
        ] {
            failures.check(code.name, &part, &flat.contains(&part), &true);
        }
        // A sentence for people, not an empty one.
        failures.check(code.name, "advice", &(code.advice().len() > 20 && code.advice().ends_with('.')), &true);
        for error in code.contract_errors() {
            failures.check(code.name, error.signature, &flat.contains(error.selector), &true);
        }
        for line in said.stdout.lines() {
            if line.len() > 80 || !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                failures.fail(code.name, format!("not 80 columns of ASCII: {line}"));
            }
        }
        let number = code.exit.code().to_string();
        failures.check(code.name, "in help EXIT", &run(&["help", &number], "").stdout.contains(code.name), &true);
    }
    let table = run(&["help", "exit"], "").stdout;
    for exit in Exit::ALL {
        let line = format!("exit {:>2}: {}\n", exit.code(), exit.meaning());
        failures.check(&line, "help exit", &table.contains(&line), &true);
    }
    failures.check("advice", "of no code", &Code::stray_advice().collect::<Vec<_>>(), &Vec::<&str>::new());
    failures.finish();
}

#[test]
fn help_knows_commands_areas_and_contract_errors() {
    for (topic, command) in [(&[][..], &[][..]), (&["sign"], &["sign"]), (&["guard", "retire"], &["guard", "retire"])] {
        let help = run(&[&["help"], topic].concat(), "");
        assert_eq!((help.exit, help.stdout), (0, run(&[command, &["--help"]].concat(), "").stdout));
    }
    assert_eq!(run(&["help", "0"], "").stdout, "exit 0: done\n");
    let all = run(&["help", "codes"], "").stdout;
    assert!(Code::ALL.iter().all(|code| all.contains(code.name)));
    let area = run(&["help", "priority"], "").stdout;
    assert!(area.contains("priority.gas_floor") && !area.contains("guard."), "{area}");
    // Whoever has only the four bytes of a revert learns which rule foresees it.
    for error in contract_error::ALL {
        let name = error.signature.split('(').next().expect("a name");
        let said = run(&["help", error.selector], "");
        assert_eq!(said.exit, 0, "{name}");
        assert_eq!(said.stdout, run(&["help", error.signature], "").stdout);
        // By its bare name too, which an error of two versions shares.
        assert_eq!(run(&["help", name], "").exit, 0, "{name}");
        // Either a rule foresees it, or it is the chain's own state, and there is something to do about it.
        let is_foreseen = Code::ALL.iter().any(|code| code.contract_errors().contains(error));
        assert_ne!(is_foreseen, error.advice().is_some(), "{name}");
        assert_eq!(Code::ALL.iter().any(|code| said.stdout.contains(code.name)), is_foreseen, "{name}");
        let words = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(error.advice().is_none_or(|advice| words.contains(advice)), "{name}: {words}");
    }
    for unknown in [&["nobody.knows"][..], &["11"], &["sign", "priority"], &["\u{1b}[2J"]] {
        let said = run(&[&["help", "--json-errors"], unknown].concat(), "");
        assert_eq!((said.exit, said.error()["code"].as_str()), (2, Some("usage.command")), "{unknown:?}");
    }
}
