//! The program `coldbridge`, run as its users run it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_coldbridge");

/// A folder of this test's own.
pub fn scratch() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let program = std::env::current_exe().expect("a test program");
    let program = program.file_name().and_then(|name| name.to_str()).expect("a plain name").to_owned();
    let name = format!("{program}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).expect("a scratch folder");
    path
}

pub struct Said {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn of(output: Output) -> Self {
        Self {
            exit: output.status.code().expect("an exit code, not a signal"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    pub fn error(&self) -> Value {
        let error: Value =
            serde_json::from_str(&self.stderr).unwrap_or_else(|_| panic!("no error document: {}", self.stderr));
        error["error"].clone()
    }
}

/// Runs `coldbridge`.
pub fn run(arguments: &[&str], input: impl AsRef<[u8]>) -> Said {
    run_program(PROGRAM, arguments, input)
}

/// Runs another program.
pub fn run_program(program: &str, arguments: &[&str], input: impl AsRef<[u8]>) -> Said {
    let mut child = spawn(program, arguments);
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.as_ref().to_vec();
    // A program that refuses early closes the pipe.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic");
    Said::of(output)
}

/// Starts `coldbridge` with pipes.
pub fn start(arguments: &[&str]) -> Child {
    spawn(PROGRAM, arguments)
}

fn spawn(program: &str, arguments: &[&str]) -> Child {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A policy that limits nothing, and without which no call is signed: every contract that a fixture calls is a target.
pub fn call_policy() -> PathBuf {
    let called = |fixture: super::Fixture| {
        let operation = &fixture.json["request"]["intent"]["operation"];
        ["/call/to", "/requestExecute/l2Contract", "/requestExecuteMailbox/l2Contract"]
            .iter()
            .find_map(|place| operation.pointer(place)?.as_str().map(str::to_lowercase))
    };
    let targets: std::collections::BTreeSet<String> =
        super::operation_fixtures().into_iter().filter_map(called).filter(|target| target.len() == 42).collect();
    let targets: Vec<Value> =
        targets.iter().map(|target| serde_json::json!({ "address": target, "selectors": "any" })).collect();
    let path = scratch().join("calls.policy.json");
    let policy = serde_json::json!({ "schema": "coldbridge/policy/1", "callTargets": targets });
    fs::write(&path, policy.to_string()).expect("written");
    path
}

/// A folder of its own with the key file of a fixture, private as it must be, and the place of the guard beside it.
pub fn keyed(fixture: &super::Fixture) -> (PathBuf, PathBuf, PathBuf) {
    let folder = scratch();
    let key = folder.join("account.key");
    fs::write(&key, fixture.key()).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("private");
    (folder.clone(), key, folder.join("account.key.guard"))
}
