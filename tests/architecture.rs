//! What the picture in `src/lib.rs` promises, checked: the arrows between the files, a library without I/O, a program
//! without a network, a relay without a key.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which module may name which others. An arrow that is missing here fails the test: add it only with a reason that fits
/// the picture, never to make the test pass.
const ARROWS: &[(&str, &[&str])] = &[
    // small vocabulary; `json` knows how an address is spelt, `refusal` how it is written down
    ("hash", &[]),
    ("refusal", &["json"]),
    ("address", &["hash", "refusal"]),
    ("json", &["address", "refusal"]),
    ("units", &["json"]),
    ("abi", &["address", "hash"]),
    // keys, and the signatures of others
    ("key", &["address", "hash", "json", "refusal"]),
    // what was signed: records, no transactions
    ("guard", &["address", "hash", "json", "refusal"]),
    ("external", &["address", "hash", "key", "refusal"]),
    ("asset", &["abi", "address", "hash"]),
    ("bytecode", &["refusal"]),
    // the chain
    ("network", &["address", "json", "refusal"]),
    ("priority", &["json", "network", "refusal", "units"]),
    ("canonical", &["abi", "address", "hash"]),
    ("paymaster", &["abi", "address", "json", "refusal"]),
    // the way back: what L2 told L1, and that it did
    ("message", &["abi", "address", "asset", "refusal"]),
    ("proof", &["address", "hash", "json", "refusal"]),
    // envelopes know nothing of operations
    ("transaction", &["address", "bytecode", "hash", "json", "key", "refusal", "units"]),
    ("fees", &["bytecode", "json", "network", "refusal", "transaction", "units"]),
    // operations know nothing of envelopes, keys or documents
    (
        "operation",
        &[
            "abi", "address", "asset", "bytecode", "fees", "hash", "json", "message", "network", "priority", "proof",
            "refusal", "units",
        ],
    ),
    // the documents, along the line
    (
        "request",
        &[
            "address",
            "fees",
            "json",
            "network",
            "operation",
            "paymaster",
            "priority",
            "refusal",
            "transaction",
            "units",
            "unsigned",
        ],
    ),
    ("unsigned", &["address", "hash", "json", "network", "operation", "refusal", "request", "transaction", "units"]),
    ("signed", &["address", "hash", "json", "network", "operation", "refusal", "transaction", "unsigned"]),
    // leaves beside the line: what an external signer needs
    ("digest", &["address", "bytecode", "hash", "json", "refusal", "transaction", "unsigned"]),
    (
        "review",
        &[
            "address",
            "fees",
            "hash",
            "json",
            "network",
            "operation",
            "paymaster",
            "policy",
            "refusal",
            "signed",
            "transaction",
            "units",
            "unsigned",
        ],
    ),
    // what its owner allows: judges a plan, decoded from its bytes
    (
        "policy",
        &[
            "address",
            "hash",
            "json",
            "network",
            "operation",
            "paymaster",
            "refusal",
            "request",
            "transaction",
            "units",
            "unsigned",
        ],
    ),
    // the signing order: the only part that has a key and a plan; its second encoding shares nothing but the fields
    ("second_encoding", &["address", "hash", "transaction"]),
    (
        "release",
        &[
            "address",
            "external",
            "fault",
            "guard",
            "hash",
            "json",
            "key",
            "network",
            "operation",
            "refusal",
            "request",
            "second_encoding",
            "signed",
            "transaction",
            "unsigned",
        ],
    ),
    // what a test build corrupts
    ("fault", &["hash", "signed", "transaction", "units", "unsigned"]),
    // a question beside the line: what a proof shows of an L1 -> L2 transaction
    ("inclusion", &["hash", "json", "network", "operation", "proof", "refusal"]),
    ("document", &["address", "json", "network", "refusal", "request", "signed", "unsigned"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The library's files with the code above their unit tests.
fn library() -> Vec<(String, String)> {
    let src = common::root().join("src");
    files(&src)
        .into_iter()
        .filter(|path| !path.starts_with(src.join("bin")))
        .map(|path| {
            let name = path.strip_prefix(&src).expect("below src").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("text");
            let code = text.split("#[cfg(test)]").next().expect("something").to_owned();
            (name, code)
        })
        .collect()
}

#[test]
fn the_arrows_between_the_files_are_those_of_the_picture() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, code) in library() {
        let module = name.split(['/', '.']).next().expect("a module").to_owned();
        if module == "lib" {
            continue;
        }
        // Written so that every arrow is seen: no groups, and no way round through the parent.
        assert!(!code.contains("crate::{"), "{name} groups what it takes from the crate: name each module");
        assert!(name.contains('/') || !code.contains("super::"), "{name} names its parent");
        assert!(!code.contains("super::super"), "{name} names its parent's parent");
        let arrows = found.entry(module.clone()).or_default();
        for path in code.split("crate::").skip(1) {
            let target: String = path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if target != module {
                arrows.insert(target);
            }
        }
    }
    let allowed: BTreeMap<String, BTreeSet<String>> = ARROWS
        .iter()
        .map(|(module, targets)| ((*module).to_owned(), targets.iter().map(|target| (*target).to_owned()).collect()))
        .collect();
    for (module, targets) in &found {
        let known = allowed.get(module).unwrap_or_else(|| panic!("{module} is not in the picture"));
        let new: Vec<&String> = targets.difference(known).collect();
        assert!(new.is_empty(), "{module} names {new:?}, an arrow that is not in the picture");
        let gone: Vec<&String> = known.difference(targets).collect();
        assert!(gone.is_empty(), "{module} does not name {gone:?} any more: take the arrow out of the picture");
    }
}

#[test]
fn the_library_does_no_io() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::env",
        "std::io",
        "std::process",
        "std::thread",
        "std::time",
        "std::os",
        "std::{",
        "SystemTime",
        "Instant",
        "HashMap",
        "HashSet",
        "RandomState",
        "getrandom",
        "rand::",
        "println!",
        "eprintln!",
        "print!",
        "dbg!",
        "unsafe ",
    ];
    for (name, code) in library() {
        for word in forbidden {
            let line = code.lines().find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            assert!(line.is_none(), "src/{name} names {word}: {}", line.unwrap_or_default());
        }
    }
}

#[test]
fn only_one_file_can_reach_a_network_and_it_knows_no_key() {
    let programs = common::root().join("src/bin");
    for path in files(&programs) {
        let text = fs::read_to_string(&path).expect("text");
        let code = text.split("#[cfg(test)]").next().expect("something");
        let name = path.strip_prefix(&programs).expect("below src/bin").to_string_lossy().into_owned();
        if name != "coldbridge-relay/rpc.rs" {
            for word in ["ureq", "std::net", "TcpStream", "UnixStream"] {
                assert!(!code.contains(word), "{name} names {word}");
            }
        }
        if name.starts_with("coldbridge-relay") {
            // The hash function's name holds the name of the curve's crate.
            let code = code.replace("keccak256", "");
            for word in ["Key", "key::", "SigningKey", ".sign(", "zeroize", "k256"] {
                assert!(!code.contains(word), "{name} names {word}: the relay can not sign");
            }
        }
    }
}

/// One file of the programs may hold what the compiler can not prove.
#[test]
fn unsafe_code_is_in_one_file() {
    let programs = common::root().join("src/bin");
    let mut found = Vec::new();
    for path in files(&programs) {
        let text = fs::read_to_string(&path).expect("text");
        if text.contains("unsafe {") || text.contains("allow(unsafe_code)") {
            found.push(path.strip_prefix(&programs).expect("below src/bin").to_string_lossy().into_owned());
        }
    }
    assert_eq!(found, ["coldbridge/hardening.rs"]);
}

fn undefined_symbols(program: &str) -> BTreeSet<String> {
    let output = Command::new("nm")
        .args(["-D", "--undefined-only", "--format=posix", program])
        .output()
        .expect("nm of binutils: apt-get install binutils");
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(|symbol| symbol.split('@').next().expect("a name").to_owned())
        .collect()
}

const SOCKET_SYMBOLS: &[&str] = &[
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "send",
    "sendto",
    "sendmsg",
    "recv",
    "recvfrom",
    "recvmsg",
    "getaddrinfo",
    "gethostbyname",
    "getsockopt",
    "setsockopt",
    "shutdown",
];

#[test]
fn the_offline_program_has_no_socket_symbol() {
    let symbols = undefined_symbols(env!("CARGO_BIN_EXE_coldbridge"));
    assert!(symbols.contains("write"), "these are not the symbols of a program: {symbols:?}");
    let sockets: Vec<&&str> = SOCKET_SYMBOLS.iter().filter(|name| symbols.contains(**name)).collect();
    assert!(sockets.is_empty(), "coldbridge can reach {sockets:?}");
}

/// The same look at a program that has sockets finds them: the check can fail.
#[cfg(feature = "relay")]
#[test]
fn the_relay_has_socket_symbols() {
    let symbols = undefined_symbols(env!("CARGO_BIN_EXE_coldbridge-relay"));
    assert!(["socket", "connect", "getaddrinfo"].iter().all(|name| symbols.contains(*name)), "{symbols:?}");
}

/// The words by which a test build is asked to corrupt itself. `tests/faults.rs` asks a program that knows them.
#[cfg(not(feature = "fault-injection"))]
#[test]
fn the_program_can_not_be_asked_to_corrupt_anything() {
    let program = fs::read(env!("CARGO_BIN_EXE_coldbridge")).expect("the program");
    let knows = |word: &[u8]| program.windows(word.len()).any(|window| window == word);
    assert!(knows(b"fault.encoding"), "the check can fail");
    assert!(!knows(b"COLDBRIDGE_INJECT_FAULT"));
}

/// What a program that signs has in it, by the names of its functions.
#[cfg(feature = "relay")]
const SIGNING: &[&str] =
    &["coldbridge::key::Key", "ecdsa::signing", "rfc6979::", "SecretKey<", "sign_prehash", "pbkdf2", "scrypt"];

/// The names of all functions that are linked into a program.
#[cfg(feature = "relay")]
fn functions(program: &str) -> String {
    let output = Command::new("nm").args(["--demangle", program]).output().expect("nm of binutils");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    // TLS has keys of its own kind, with which no transaction is signed.
    text.lines()
        .filter(|line| !line.contains("rustls") && !line.contains("ring::"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The library that both programs share can sign; of it the linker takes into the relay what the relay calls.
#[cfg(feature = "relay")]
#[test]
fn the_relay_is_built_without_the_code_that_signs() {
    let relay = functions(env!("CARGO_BIN_EXE_coldbridge-relay"));
    assert!(relay.contains("coldbridge::key::Signature::recover"), "these are not the names of the relay's functions");
    for name in SIGNING {
        let found = relay.lines().find(|line| line.contains(name));
        assert!(found.is_none(), "the relay holds {}", found.unwrap_or_default());
    }
    // The same look at a program that signs finds them: the check can fail.
    let offline = functions(env!("CARGO_BIN_EXE_coldbridge"));
    for name in ["coldbridge::key::Key", "ecdsa::signing", "rfc6979::"] {
        assert!(offline.contains(name), "{name}");
    }
}

fn tree(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(features)
        .current_dir(common::root())
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_offline_build_has_no_http_tls_or_async_crate() {
    let network = [
        "ureq",
        "ureq-proto",
        "reqwest",
        "hyper",
        "http",
        "httparse",
        "curl",
        "isahc",
        "rustls",
        "native-tls",
        "openssl",
        "ring",
        "webpki",
        "rustls-webpki",
        "webpki-roots",
        "tokio",
        "async-std",
        "smol",
        "mio",
        "socket2",
        "futures",
        "async-io",
    ];
    let offline = tree(&[]);
    assert!(offline.contains("k256") && offline.contains("clap"), "{offline:?}");
    let found: Vec<&&str> = network.iter().filter(|name| offline.contains(**name)).collect();
    assert!(found.is_empty(), "the offline build contains {found:?}");
    let relay = tree(&["--features", "relay"]);
    assert!(relay.contains("ureq") && relay.contains("rustls"), "the check can fail: {relay:?}");
}
