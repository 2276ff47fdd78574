//! The command line of the relay.

use std::process::Command;

use crate::common;

/// A golden file is written by hand: run the command into it, and read the difference before committing it.
#[test]
fn help_texts_are_golden() {
    let mut failures = common::Failures::default();
    for command in ["broadcast", "track", "status"] {
        let output = Command::new(env!("CARGO_BIN_EXE_coldbridge-relay"))
            .args([command, "--help"])
            .output()
            .expect("the relay runs");
        let name = format!("relay_{command}");
        let path = common::root().join(format!("tests/golden/help_{name}.txt"));
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        let said = String::from_utf8(output.stdout).expect("text");
        failures.check(&name, "help", &said.lines().collect::<Vec<_>>(), &golden.lines().collect::<Vec<_>>());
    }
    failures.finish();
}
