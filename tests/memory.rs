//! After its last use a key is nowhere in the memory of the process: the release build is stopped at its end, just before
//! the system takes it apart, and every mapping is searched for the key, its halves and everything that leads to it.
//!
//! `strace` stops it (apt-get install strace). That the search can find anything is shown first, on the same command
//! stopped at its first write, while the key is in use. Needs the right to read another process's memory: of root, or of
//! the owner of a user namespace, in which the program is then run.

#![allow(clippy::print_stdout)] // it says how much was searched

mod common;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::fixture;
use k256::elliptic_curve::PrimeField as _;
use memchr::memmem;
use serde_json::Value;

/// A key that stands in no other test, so that nothing else has it in memory.
const KEY: &str = "7b1f5c0d9e3a48261db7c6f40e52a98873fd1046be8952c73106edaf58b4c92d";
const WORDS: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const PASSWORD: &str = "Zq7-a-password-of-this-test";

/// The release build, made once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--locked", "--offline", "--bin", "coldbridge"])
            .current_dir(common::root())
            .status()
            .expect("cargo");
        assert!(status.success());
        // target/tmp, target/release
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target").join("release/coldbridge")
    })
}

fn private(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("memory-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    fs::write(&path, content).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("private");
    path
}

/// When the process is stopped.
#[derive(Clone, Copy)]
enum Moment {
    /// It locks the page of the key that it has just read or derived.
    Read,
    /// It writes its answer (or the guard its line): the key has been read and is still needed.
    InUse,
    /// It has done everything and says goodbye.
    End,
}

impl Moment {
    fn call(self) -> (&'static str, i64) {
        match self {
            Self::Read => ("mlock", libc::SYS_mlock),
            Self::InUse => ("write", libc::SYS_write),
            Self::End => ("exit_group", libc::SYS_exit_group),
        }
    }
}

/// A process that strace holds at a system call.
struct Held {
    strace: Child,
    /// 0 until it is known.
    process: u32,
}

impl Held {
    fn at(moment: Moment, arguments: &[&str]) -> Self {
        let (name, number) = moment.call();
        let mut command = Command::new(if rustix::process::geteuid().is_root() { "strace" } else { "unshare" });
        if !rustix::process::geteuid().is_root() {
            command.args(["--map-root-user", "strace"]);
        }
        let command = command
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={name}")])
            .args(["-e", &format!("inject={name}:delay_enter=600000000")])
            .arg(program())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut held = Self { strace: command.spawn().expect("strace: apt-get install strace"), process: 0 };
        let deadline = Instant::now() + Duration::from_secs(180);
        loop {
            assert!(Instant::now() < deadline, "{arguments:?} did not come to {name}");
            std::thread::sleep(Duration::from_millis(20));
            let children =
                fs::read_to_string(format!("/proc/{0}/task/{0}/children", held.strace.id())).unwrap_or_default();
            let Some(process) = children.split_whitespace().next().and_then(|text| text.parse().ok()) else { continue };
            let call = fs::read_to_string(format!("/proc/{process}/syscall")).unwrap_or_default();
            let status = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
            if status.trim() == "coldbridge" && call.split_whitespace().next() == Some(&number.to_string()) {
                held.process = process;
                return held;
            }
        }
    }

    /// Everything that the process can read: where, and what.
    fn memory(&self) -> Vec<(String, Vec<u8>)> {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.process)).expect("the mappings");
        let mut memory = File::open(format!("/proc/{}/mem", self.process)).expect("the memory: run the tests as root");
        let mut found = Vec::new();
        for line in maps.lines() {
            let mut columns = line.split_whitespace();
            let (range, access) = (columns.next().expect("a range"), columns.next().expect("access"));
            if !access.starts_with('r')
                || line.ends_with("[vvar]")
                || line.ends_with("[vvar_vclock]")
                || line.ends_with("[vsyscall]")
            {
                continue;
            }
            let (start, end) = range.split_once('-').expect("a range");
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).expect("an address"));
            let mut bytes = vec![0; usize::try_from(end - start).expect("it fits")];
            memory.seek(SeekFrom::Start(start)).expect("there");
            memory.read_exact(&mut bytes).unwrap_or_else(|error| panic!("{line}: {error}"));
            found.push((line.to_owned(), bytes));
        }
        assert!(
            found.iter().any(|(line, _)| line.ends_with("[stack]"))
                && found.iter().any(|(line, _)| line.ends_with("[heap]"))
        );
        found
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(process) = i32::try_from(self.process).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
        // strace itself would go on waiting.
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

/// What leads to a secret: its bytes in both orders (the words of a number in this machine's memory are the reverse of
/// its bytes), each half of them, and its hex digits.
fn traces(name: &str, secret: &[u8]) -> Vec<(String, Vec<u8>)> {
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let mut traces = vec![
        (format!("{name} in hex"), hex::encode(secret).into_bytes()),
        (format!("{name} in upper-case hex"), hex::encode_upper(secret).into_bytes()),
    ];
    for (order, bytes) in [("big-endian", secret.to_vec()), ("little-endian", reversed)] {
        for (part, bytes) in bytes.chunks(16).enumerate() {
            traces.push((format!("{name}, {order}, part {part}"), bytes.to_vec()));
        }
        for (word, bytes) in bytes
            .chunks(4)
            .map(|word| word.iter().rev().copied().collect::<Vec<u8>>())
            .collect::<Vec<_>>()
            .chunks(4)
            .enumerate()
        {
            traces.push((format!("{name}, {order} words of 32 bits, part {word}"), bytes.concat()));
        }
    }
    traces
}

fn search(memory: &[(String, Vec<u8>)], traces: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, trace) in traces {
        let finder = memmem::Finder::new(trace);
        for (place, bytes) in memory {
            for at in finder.find_iter(bytes) {
                found.push(format!("{name} at {at:#x} of {place}"));
            }
        }
    }
    found
}

/// Stops a signature while the key is in use and at its end. In use the key must be found (or the search is blind), once:
/// its two halves, as words. At the end there must be nothing.
fn nothing_is_left(name: &str, arguments: &dyn Fn() -> Vec<String>, key: &[u8], others: Vec<(String, Vec<u8>)>) {
    let key = traces("the key", key);
    let held = |moment| {
        let arguments = arguments();
        Held::at(moment, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    for (moment, when) in [(Moment::Read, "has been read"), (Moment::InUse, "has signed")] {
        let found = search(&held(moment).memory(), &key);
        assert_eq!(found.len(), 2, "{name}: when it {when}, the key is at {found:#?}");
    }
    println!("{name}: the key is at one place when it has been read and when it has signed");
    nothing_is_left_at_the_end(name, arguments, key, others);
}

fn nothing_is_left_at_the_end(
    name: &str,
    arguments: &dyn Fn() -> Vec<String>,
    key: Vec<(String, Vec<u8>)>,
    others: Vec<(String, Vec<u8>)>,
) {
    let all = [key, others].concat();
    let arguments = arguments();
    let memory = Held::at(Moment::End, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).memory();
    let left = search(&memory, &all);
    let bytes: usize = memory.iter().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "{name}: at the end {} places of {} traces in {} mappings of {bytes} bytes",
        left.len(),
        all.len(),
        memory.len()
    );
    assert!(left.is_empty(), "{name}: left at the end:\n{}", left.join("\n"));
}

/// A request of the account of a key.
fn request(name: &str, key: &coldbridge::Key) -> PathBuf {
    let fixture = fixture("deposit", "local_typical");
    let from = fixture.json["request"]["intent"]["from"].as_str().expect("an address").to_owned();
    private(name, fixture.request_text().replace(&from, &key.address().to_string()))
}

fn text(path: &Path) -> String {
    path.to_str().expect("text").to_owned()
}

fn bytes(hex_digits: &str) -> Vec<u8> {
    hex::decode(hex_digits).expect("hex")
}

/// The nonce of a signature, which is as good as the key: k = (z + r d) / s, and its negative.
fn nonces(signed: &Value, key: &[u8]) -> Vec<(String, Vec<u8>)> {
    let scalar = |bytes: &[u8]| {
        let bytes: [u8; 32] = bytes.try_into().expect("32 bytes");
        Option::<k256::Scalar>::from(k256::Scalar::from_repr(bytes.into())).expect("below the order")
    };
    let member = |value: &Value| scalar(&bytes(value.as_str().expect("a string").trim_start_matches("0x")));
    let mut found = Vec::new();
    for transaction in signed["transactions"].as_array().expect("transactions") {
        let (r, s) = (member(&transaction["signature"]["r"]), member(&transaction["signature"]["s"]));
        let nonce = (member(&transaction["signingDigest"]) + r * scalar(key)) * s.invert().expect("not zero");
        for (name, nonce) in
            [("the nonce", nonce), ("the negative nonce", -nonce), ("its inverse", nonce.invert().expect("not zero"))]
        {
            found.extend(traces(name, &nonce.to_repr()));
        }
    }
    found
}

#[test]
fn a_hex_key_is_nowhere_after_signing() {
    let file = private("hex.key", format!("0x{KEY}\n"));
    let request = request("hex.request", &coldbridge::Key::from_hex(KEY.as_bytes()).expect("a key"));
    let arguments =
        || ["sign", &text(&request), "--key", &text(&file), "--yes", "--guard", "none"].map(str::to_owned).to_vec();
    let output = Command::new(program()).args(arguments()).output().expect("it runs");
    let signed: Value = serde_json::from_slice(&output.stdout).expect("a signed document");
    nothing_is_left("sign with hex", &arguments, &bytes(KEY), nonces(&signed, &bytes(KEY)));
    // The same when it goes wrong: the key is not the request's.
    let stranger = fixture("deposit", "local_typical").request_text();
    let stranger = private("stranger.request", stranger);
    let arguments =
        || ["sign", &text(&stranger), "--key", &text(&file), "--yes", "--guard", "none"].map(str::to_owned).to_vec();
    nothing_is_left_at_the_end("a refused signature", &arguments, traces("the key", &bytes(KEY)), Vec::new());
}

#[test]
fn a_keystore_its_password_and_its_cipher_key_are_nowhere_after_signing() {
    let key = coldbridge::Key::from_hex(KEY.as_bytes()).expect("a key");
    let randomness = coldbridge::key::Randomness { salt: [7; 32], iv: [8; 16], id: [9; 16] };
    let keystore = coldbridge::Keystore::seal(&key, PASSWORD.as_bytes(), &randomness).expect("sealed");
    let (file, password) = (private("account.json", keystore), private("password", format!("{PASSWORD}\n")));
    let request = request("keystore.request", &key);
    let mut derived = [0; 32];
    let parameters = scrypt::Params::new(18, 8, 1).expect("parameters");
    scrypt::scrypt(PASSWORD.as_bytes(), &[7; 32], &parameters, &mut derived).expect("derived");
    let others =
        [traces("the derived key", &derived), vec![("the password".to_owned(), PASSWORD.as_bytes().to_vec())]].concat();
    let arguments = || {
        [
            "sign",
            &text(&request),
            "--key",
            &text(&file),
            "--password-file",
            &text(&password),
            "--yes",
            "--guard",
            "none",
        ]
        .map(str::to_owned)
        .to_vec()
    };
    nothing_is_left("sign with a keystore", &arguments, &bytes(KEY), others);
}

#[test]
fn a_mnemonic_and_its_seed_are_nowhere_after_signing() {
    let vector = fixture("mnemonic", "english_02").json;
    let member = |name: &str| bytes(vector["expect"][name].as_str().expect("a string").trim_start_matches("0x"));
    let (words, passphrase) = (private("words", format!("{WORDS}\n")), private("passphrase", "TREZOR"));
    let key = coldbridge::Key::from_seed(&member("seed"), &coldbridge::DerivationPath::parse("m").expect("a path"))
        .expect("a key");
    let request = request("words.request", &key);
    let others = [
        traces("the seed", &member("seed")),
        vec![
            ("the words".to_owned(), WORDS.as_bytes()[..40].to_vec()),
            ("the last words".to_owned(), b"useful legal winner thank yellow".to_vec()),
        ],
    ]
    .concat();
    let arguments = || {
        [
            "sign",
            &text(&request),
            "--key",
            &text(&words),
            "--derivation-path",
            "m",
            "--passphrase-file",
            &text(&passphrase),
            "--yes",
            "--guard",
            "none",
        ]
        .map(str::to_owned)
        .to_vec()
    };
    nothing_is_left("sign with a mnemonic", &arguments, &member("privateKey"), others);
}

#[test]
fn an_imported_key_is_nowhere_after_its_import() {
    let file = private("import.key", KEY);
    let password = private("import.password", PASSWORD);
    let number = std::cell::Cell::new(0);
    let arguments = || {
        number.set(number.get() + 1);
        let target = password.with_file_name(format!("imported-{}.json", number.get()));
        ["key", "import", "--key", &text(&file), "--password-file", &text(&password), "-o", &text(&target)]
            .map(str::to_owned)
            .to_vec()
    };
    // When the file is written the key has been wiped already; the password will be needed once more.
    let secret = vec![("the password".to_owned(), PASSWORD.as_bytes().to_vec())];
    let before = arguments();
    let held = Held::at(Moment::InUse, &before.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(search(&held.memory(), &secret).len(), 1);
    assert_eq!(search(&held.memory(), &traces("the key", &bytes(KEY))), Vec::<String>::new());
    drop(held);
    nothing_is_left_at_the_end("key import", &arguments, traces("the key", &bytes(KEY)), secret);
}
