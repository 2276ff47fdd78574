//! Key files of every kind as the program's users hand them over: keystores and passwords, mnemonics and paths, `key import`.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Failures, fixture};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_coldbridge");
const WORDS: &str = "test test test test test test test test test test test junk\n";
const FIRST: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n";

/// A folder of this test's own.
fn scratch() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("keys-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).expect("a scratch folder");
    path
}

fn private(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = scratch().join(name);
    fs::write(&path, content).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("private");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a scratch path is text")
}

fn run(arguments: &[&str]) -> Output {
    // A session of its own has no terminal to ask on.
    Command::new("setsid")
        .args(["--wait", PROGRAM])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("setsid of util-linux")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn code(output: &Output) -> (Option<i32>, String) {
    let error: Value = serde_json::from_slice(&output.stderr).unwrap_or_default();
    (output.status.code(), error["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// A light keystore of ethers' making (see fixtures/keystore): its password is empty.
fn keystore() -> Value {
    fixture("keystore", "geth_aaa").json["input"]["keystore"].clone()
}

#[test]
fn the_kind_of_a_key_file_is_seen_from_its_content() {
    let address = |arguments: &[&str]| run(&[&["key", "address"], arguments].concat());
    let words = private("words", WORDS);
    let file = private("keystore", keystore().to_string());
    let password = private("password", "foobar\n");
    let path = ["--derivation-path", "m/44'/60'/0'/0/0"];
    assert_eq!(stdout(&address(&[&["--key", text(&words)][..], &path].concat())), FIRST);
    assert_eq!(
        stdout(&address(&["--key", text(&file), "--password-file", text(&password)])),
        "0xf466859eAD1932D743d622CB74FC058882E8648A\n"
    );
    // The same through a descriptor, however it ends its lines.
    let script = format!("{PROGRAM} key address --key-fd 3 --derivation-path m/44h/60h/0h/0/0 3< {}", text(&words));
    assert_eq!(stdout(&Command::new("sh").args(["-c", &script]).output().expect("a shell")), FIRST);
    for end in ["", "\n", "\r\n"] {
        let password = private("password", format!("foobar{end}"));
        let script =
            format!("cat {} | {PROGRAM} key address --key-fd 0 --password-file {}", text(&file), text(&password));
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        assert_eq!(stdout(&output), "0xf466859eAD1932D743d622CB74FC058882E8648A\n");
    }
    // A passphrase makes other keys of the same words: those of ethers.
    let passphrase = private("passphrase", "TREZOR\n");
    let vector = fixture("mnemonic", "english_02").json;
    let words = private("words", vector["input"]["mnemonic"].as_str().expect("words"));
    let key = private("key", vector["expect"]["privateKey"].as_str().expect("a key"));
    let expected = stdout(&address(&["--key", text(&key)]));
    let arguments = ["--key", text(&words), "--derivation-path", "m", "--passphrase-file", text(&passphrase)];
    assert_eq!(stdout(&address(&arguments)), expected);
    assert_ne!(stdout(&address(&arguments[..4])), expected);
}

#[test]
fn what_is_wrong_with_a_key_file_is_said_without_its_secrets() {
    let words = private("words", WORDS);
    let hex = private("hex", "11".repeat(32));
    let file = private("keystore", keystore().to_string());
    let password = private("password", "foobar");
    let wrong = private("password", "foobaz");
    let open = private("password", "foobar");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o640)).expect("open to the group");
    let long = private("password", "p".repeat(1025));
    let changed = private("keystore", {
        let mut document = keystore();
        document["address"] = json!("f466859ead1932d743d622cb74fc058882e8648b");
        document.to_string()
    });
    let costly = private("keystore", {
        let mut document = keystore();
        document["crypto"]["kdfparams"]["n"] = json!(1 << 30);
        document.to_string()
    });
    let misspelt = private("words", WORDS.replace("junk", "jumk"));
    let huge = private("huge", "a ".repeat(40_000));
    let mut failures = Failures::default();
    for (name, arguments, expected, exit) in [
        ("no path", &["--key", text(&words)][..], "usage.command", 2),
        (
            "the shell's quotes",
            &["--key", text(&words), "--derivation-path", "m/44/60/0/0/0"],
            "key.derivation_path",
            2,
        ),
        ("words as a path", &["--key", text(&words), "--derivation-path", "legal winner"], "key.derivation_path", 2),
        ("misspelt", &["--key", text(&misspelt), "--derivation-path", "m"], "key.mnemonic", 7),
        ("path of a hex key", &["--key", text(&hex), "--derivation-path", "m"], "usage.command", 2),
        ("passphrase of a hex key", &["--key", text(&hex), "--passphrase-file", text(&password)], "usage.command", 2),
        ("password of a hex key", &["--key", text(&hex), "--password-file", text(&password)], "usage.command", 2),
        ("path of a keystore", &["--key", text(&file), "--derivation-path", "m"], "usage.command", 2),
        ("nobody to ask", &["--key", text(&file)], "key.no_password", 7),
        ("wrong password", &["--key", text(&file), "--password-file", text(&wrong)], "key.password", 7),
        ("open password", &["--key", text(&file), "--password-file", text(&open)], "key.permissions", 7),
        ("long password", &["--key", text(&file), "--password-file", text(&long)], "key.unreadable", 7),
        ("no password file", &["--key", text(&file), "--password-file", "/nowhere"], "key.unreadable", 7),
        ("other address", &["--key", text(&changed), "--password-file", text(&password)], "key.address", 7),
        ("too costly", &["--key", text(&costly), "--password-file", text(&password)], "key.kdf", 7),
        ("too long", &["--key", text(&huge), "--derivation-path", "m"], "key.unreadable", 7),
        ("the words as a file name", &["--key", WORDS.trim()], "key.unreadable", 7),
    ] {
        let output = run(&[&["key", "address", "--json-errors"], arguments].concat());
        failures.check(name, "code", &code(&output), &(Some(exit), expected.to_owned()));
        let said = String::from_utf8_lossy(&output.stderr);
        if ["test test", "foobar", "foobaz", "junk", "jumk", "winner", "111111"]
            .iter()
            .any(|secret| said.contains(secret))
        {
            failures.fail(name, format!("a secret was printed: {said}"));
        }
    }
    failures.finish();
}

#[test]
fn import_writes_a_keystore_that_opens_and_nothing_else() {
    let words = private("words", WORDS);
    let password = private("password", "correct horse\n");
    let folder = scratch();
    let target = folder.join("account.json");
    let arguments = |target: &Path, password: &Path| {
        [
            "key",
            "import",
            "--json-errors",
            "--key",
            text(&words),
            "--derivation-path",
            "m/44'/60'/0'/0/0",
            "--password-file",
            text(password),
            "-o",
            text(target),
        ]
        .map(str::to_owned)
    };
    let import = |target: &Path, password: &Path| {
        let arguments = arguments(target, password);
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(stdout(&import(&target, &password)), FIRST);
    let mode = fs::metadata(&target).expect("there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let written = fs::read(&target).expect("there");
    let document: Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!((&document["version"], &document["crypto"]["kdfparams"]["n"]), (&json!(3), &json!(262_144)));
    let key = ["--key", text(&target), "--password-file", text(&password)];
    assert_eq!(stdout(&run(&[&["key", "address"], &key[..]].concat())), FIRST);
    // Never over another file, and no two alike.
    assert_eq!(code(&import(&target, &password)), (Some(10), "io.exists".to_owned()));
    assert_eq!(fs::read(&target).expect("there"), written);
    let second = folder.join("second.json");
    assert_eq!(stdout(&import(&second, &password)), FIRST);
    let other: Value = serde_json::from_slice(&fs::read(&second).expect("there")).expect("JSON");
    for place in ["/id", "/crypto/kdfparams/salt", "/crypto/cipherparams/iv", "/crypto/ciphertext", "/crypto/mac"] {
        assert_ne!(document.pointer(place), other.pointer(place), "{place}");
    }
    // What is refused leaves nothing behind.
    let none = folder.join("none.json");
    assert_eq!(code(&import(&none, &private("empty", "\n"))), (Some(7), "key.no_password".to_owned()));
    let again = run(&[
        "key",
        "import",
        "--json-errors",
        "--key",
        text(&target),
        "--password-file",
        text(&password),
        "-o",
        text(&none),
    ]);
    assert_eq!(code(&again), (Some(2), "usage.command".to_owned()));
    let mut left: Vec<String> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("text"))
        .collect();
    left.sort();
    assert_eq!(left, ["account.json", "second.json"]);

    // And it signs.
    let request = fixture("deposit", "local_typical").request_text();
    assert!(request.contains(FIRST.trim()));
    let document = private("request.json", request);
    let signed = stdout(&run(&[&["sign", text(&document), "--yes"], &key[..]].concat()));
    let signed: Value = serde_json::from_str(&signed).expect("JSON");
    assert_eq!(signed["from"], FIRST.trim());
}

/// Runs a command on a terminal of its own and answers its questions. Gives what the screen showed and the exit code.
fn on_a_terminal(command: &str, answers: &[(&str, &str)]) -> (String, i32) {
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of util-linux: apt-get install bsdutils");
    let mut keyboard = child.stdin.take().expect("piped");
    let mut screen = child.stdout.take().expect("piped");
    let mut shown = Vec::new();
    for (question, answer) in answers {
        let before = shown.len();
        while !String::from_utf8_lossy(&shown[before..]).contains(question) {
            let mut byte = [0];
            assert_eq!(screen.read(&mut byte).expect("a screen"), 1, "{}", String::from_utf8_lossy(&shown));
            shown.push(byte[0]);
        }
        keyboard.write_all(answer.as_bytes()).expect("typed");
    }
    screen.read_to_end(&mut shown).expect("the rest");
    let exit = child.wait().expect("it ends").code().expect("a code");
    (String::from_utf8_lossy(&shown).into_owned(), exit)
}

#[test]
fn passwords_are_asked_for_on_the_terminal_and_not_shown() {
    let file = private("keystore", keystore().to_string());
    let command = format!("{PROGRAM} key address --key {}; echo \"exit $?\"; stty -a", text(&file));
    let ask = "Password of ";
    for (typed, account) in [
        ("foobar\n", true),
        ("foobar\r", true),
        ("wrong\u{15}foobar\n", true),
        ("foobaz\u{7f}r\n", true),
        ("foo\u{e9}\u{7f}bar\n", true),
        ("foobaz\n", false),
    ] {
        let (screen, _) = on_a_terminal(&command, &[(ask, typed)]);
        assert_eq!(screen.contains("0xf466859eAD1932D743d622CB74FC058882E8648A"), account, "{typed:?}: {screen}");
        assert_eq!(screen.contains("exit 0"), account, "{screen}");
        assert_eq!(screen.contains("exit 7"), !account, "{screen}");
        assert!(!screen.contains("foo"), "{screen}");
        // A light file is warned of, and the terminal is as it was.
        assert!(screen.contains("stretches its password little"), "{screen}");
        assert!(screen.contains(" echo ") && screen.contains(" icanon ") && screen.contains("isig "), "{screen}");
    }
    for gives_up in ["\u{3}", "\u{4}"] {
        let (screen, _) = on_a_terminal(&command, &[(ask, gives_up)]);
        assert!(screen.contains("exit 6") && screen.contains(" echo "), "{screen}");
    }
}

#[test]
fn a_new_password_is_asked_for_twice() {
    let key = private("key", "11".repeat(32));
    let folder = scratch();
    let import = |name: &str, answers: &[(&str, &str)]| {
        let target = folder.join(name);
        let command = format!("{PROGRAM} key import --key {} -o {}", text(&key), text(&target));
        let (screen, exit) = on_a_terminal(&command, answers);
        assert!(!screen.contains("horse"), "{screen}");
        (exit, target.exists())
    };
    let (new, again) = ("New password for the key of 0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A: ", "The same again: ");
    assert_eq!(import("same.json", &[(new, "horse\n"), (again, "horse\n")]), (0, true));
    assert_eq!(import("other.json", &[(new, "horse\n"), (again, "horses\n")]), (7, false));
    assert_eq!(import("empty.json", &[(new, "\n")]), (7, false));
}

/// A key or a mnemonic in the wrong place of the command line is not repeated into a log.
#[test]
fn secrets_on_the_command_line_are_not_repeated() {
    let words = "test test test test test test test test test test test junk";
    let digits = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let key = private("argument.key", digits);
    for secret in [words, digits, &format!("0x{digits}")] {
        let set = format!("--private-key={secret}");
        for arguments in [
            &["key", "address", secret][..],
            &["key", "address", "--key", secret],
            &["key", "address", "--key-fd", secret],
            &["key", "address", "--key", text(&key), "--password-file", secret],
            &["key", "address", &set],
            &["sign", secret, "--key", text(&key)],
            &["sign", "request.json", secret, "--key", text(&key)],
            &["sign", "request.json", "--key", text(&key), "--policy", secret],
            &["attach", "--format", secret, "0x00"],
            &["review", secret],
            &["verify", secret],
            &[secret],
        ] {
            for more in [&[][..], &["--json-errors"]] {
                let said = run(&[arguments, more].concat());
                let shown =
                    format!("{}{}", String::from_utf8_lossy(&said.stderr), String::from_utf8_lossy(&said.stdout));
                assert_ne!(said.status.code(), Some(0), "{arguments:?}");
                assert!(!shown.contains(digits) && !shown.contains("junk"), "{arguments:?}: {shown}");
            }
        }
    }
}
