//! What the offline program denies itself, shown: the filter kills, it is there in every command, nothing is dumped, a
//! panic says nothing, and a machine with a network is refused where that was asked for.

#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // a child of this test opens a socket, and dies of it

mod common;

#[path = "../src/bin/coldbridge/hardening.rs"]
#[allow(dead_code)]
mod hardening;

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::fixture;
use hardening::{DENIED, Filter, SECOND_NUMBER};

const PROGRAM: &str = env!("CARGO_BIN_EXE_coldbridge");
const SIGSYS: i32 = 31;

/// Runs `hardened_child` in a process of its own, which hardens itself as the program does and then does as it is told.
fn child(deed: &str) -> Output {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "hardened_child", "--ignored", "--nocapture", "--test-threads=1"])
        .env("DEED", deed)
        .output()
        .expect("this test runs")
}

#[test]
#[ignore = "what the other tests run in a process of its own"]
fn hardened_child() {
    let deed = std::env::var("DEED").expect("a deed");
    assert!(hardening::begin() == Filter::InPlace, "no filter");
    match deed.as_str() {
        "nothing" => {}
        "a socket" => drop(std::net::UdpSocket::bind("127.0.0.1:0")),
        "a connection" => drop(std::net::TcpStream::connect("127.0.0.1:9")),
        "a local socket" => drop(std::os::unix::net::UnixStream::pair()),
        "a program" => drop(std::os::unix::process::CommandExt::exec(&mut Command::new("true"))),
        "a panic" => {
            let said = hardening::without_panic(|| -> Result<(), coldbridge::Refusal> {
                let secret = "hunter2".to_owned();
                panic!("the secret is {secret}");
            });
            let refusal = said.expect_err("a refusal");
            assert_eq!((refusal.code().name, refusal.exit().code()), ("bug.internal", 1));
            assert!(refusal.problem().contains("tests/hardening.rs:"), "{refusal}");
            assert!(!refusal.to_string().contains("hunter2"));
        }
        "a look" => {
            assert_eq!(rustix::process::dumpable_behavior(), Ok(rustix::process::DumpableBehavior::NotDumpable));
            let core = rustix::process::getrlimit(rustix::process::Resource::Core);
            assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        }
        number => {
            let number: i64 = number.parse().expect("a number");
            // SAFETY: it does not come to the call: the process ends before. If it came, nothing of it is valid.
            #[allow(unsafe_code)]
            unsafe {
                libc::syscall(number, -1_i64, 0, 0, 0, 0, 0);
            }
        }
    }
    // Not by the test's own way out, whose messages would be the parent's to read.
    std::process::exit(0);
}

#[test]
fn a_socket_or_another_program_is_the_end_of_the_process() {
    let harmless = child("nothing");
    assert_eq!(harmless.status.code(), Some(0), "{}", String::from_utf8_lossy(&harmless.stdout));
    for deed in ["a socket", "a connection", "a local socket", "a program"] {
        assert_eq!(child(deed).status.signal(), Some(SIGSYS), "{deed}");
    }
    for number in DENIED {
        assert_eq!(child(&number.to_string()).status.signal(), Some(SIGSYS), "system call {number}");
        let second = number | SECOND_NUMBER;
        assert_eq!(child(&second.to_string()).status.signal(), Some(SIGSYS), "system call {second:#x}");
    }
    // What is not denied goes on: a number that no kernel has is an error and no death.
    assert_eq!(child("100000").status.code(), Some(0));
}

#[test]
fn nothing_is_dumped_and_a_panic_says_nothing() {
    let look = child("a look");
    assert_eq!(look.status.code(), Some(0), "{}", String::from_utf8_lossy(&look.stderr));
    let panic = child("a panic");
    assert_eq!(panic.status.code(), Some(0), "{}", String::from_utf8_lossy(&panic.stderr));
    let said = [panic.stdout, panic.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains("hunter2"));
}

fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hardening-{}-{name}", std::process::id()));
    fs::create_dir_all(&path).expect("a folder");
    path
}

/// The state of the real program while it waits for its input, as the kernel tells it.
#[test]
fn every_command_that_reads_runs_under_the_filter() {
    use std::os::unix::fs::PermissionsExt as _;
    let key = scratch("waiting").join("key");
    fs::write(&key, fixture("deposit", "local_typical").key()).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("private");
    let key = key.to_str().expect("text");
    for command in [
        &["build"][..],
        &["review"],
        &["quote"],
        &["verify"],
        &["export", "--safe-batch"],
        &["digest"],
        &["attach", "-", "0x00"],
        &["key", "address", "--key-fd", "0"],
        &["sign", "--key", key, "--yes", "--guard", "none"],
    ] {
        let mut child = Command::new(PROGRAM)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let process = child.id();
        let deadline = Instant::now() + Duration::from_secs(20);
        let status = loop {
            let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a status");
            let member = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
                line.trim().to_owned()
            };
            let call = fs::read_to_string(format!("/proc/{process}/syscall")).unwrap_or_default();
            // Asleep in read(0, ...).
            if call.starts_with(&format!("{} 0x0 ", libc::SYS_read)) {
                break [member("Seccomp:"), member("NoNewPrivs:"), member("VmLck:"), member("Threads:")];
            }
            assert!(child.try_wait().expect("known").is_none(), "{command:?} did not wait for its input");
            assert!(Instant::now() < deadline, "{command:?}: {call}");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!([&status[0], &status[1], &status[3]], ["2", "1", "1"], "{command:?}");
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).expect("limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
        // The key of `sign` is in memory, in a page that can not be swapped out.
        assert_eq!(status[2] != "0 kB", command[0] == "sign", "{command:?} has locked {}", status[2]);
        drop(child.stdin.take());
        child.wait().expect("it ends");
    }
}

/// Sockets that others opened are only files here: they are read and written.
#[test]
fn inherited_sockets_still_work() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let (answer, writes) = std::os::unix::net::UnixStream::pair().expect("a pair");
    (&ours).write_all(fixture("deposit", "local_typical").request_text().as_bytes()).expect("written");
    drop(ours);
    let status = Command::new(PROGRAM)
        .arg("build")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
        .stdout(Stdio::from(std::os::fd::OwnedFd::from(writes)))
        .status()
        .expect("it runs");
    assert!(status.success());
    let mut said = String::new();
    std::io::Read::read_to_string(&mut { answer }, &mut said).expect("an answer");
    assert!(said.contains("coldbridge/unsigned/1"), "{said}");
}

/// A machine as its files describe it: interfaces with their flags and states.
fn machine(name: &str, interfaces: &[(&str, Option<&str>, &str)]) -> PathBuf {
    let root = scratch(name);
    let mut list =
        "Inter-|   Receive                |  Transmit\n face |bytes    packets|bytes    packets\n".to_owned();
    fs::create_dir_all(root.join("proc/self/net")).expect("a folder");
    for (interface, flags, state) in interfaces {
        list.extend([interface, ":       0       0    0    0\n"]);
        let folder = root.join("sys/class/net").join(interface);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("operstate"), format!("{state}\n")).expect("written");
        if let Some(flags) = flags {
            fs::write(folder.join("flags"), format!("{flags}\n")).expect("written");
        }
    }
    fs::write(root.join("proc/self/net/dev"), list).expect("written");
    root
}

#[test]
fn a_machine_with_a_network_is_refused_where_that_was_asked_for() {
    const LOOPBACK: (&str, Option<&str>, &str) = ("lo", Some("0x9"), "unknown");
    let judged = |name: &str, interfaces: &[(&str, Option<&str>, &str)]| {
        hardening::require_airgap(Filter::InPlace, &machine(name, interfaces))
    };
    for (name, interfaces) in [
        ("none", &[][..]),
        ("loopback", &[LOOPBACK]),
        ("unplugged and off", &[LOOPBACK, ("eth0", Some("0x1002"), "down")]),
        ("driver without state, off", &[LOOPBACK, ("tun0", Some("0x1090"), "unknown")]),
    ] {
        assert_eq!(judged(name, interfaces), Ok(()), "{name}");
    }
    for (name, interfaces, up) in [
        ("ethernet", &[LOOPBACK, ("eth0", Some("0x1003"), "up")][..], "eth0"),
        ("on without a cable", &[LOOPBACK, ("eth0", Some("0x1003"), "down")], "eth0"),
        ("wireless, asleep", &[LOOPBACK, ("wlan0", Some("0x1003"), "dormant")], "wlan0"),
        ("driver without state, on", &[LOOPBACK, ("tun0", Some("0x1091"), "unknown")], "tun0"),
        ("the second one", &[LOOPBACK, ("eth0", Some("0x1002"), "down"), ("wwan0", Some("0x1043"), "up")], "wwan0"),
        ("nobody can tell", &[LOOPBACK, ("odd0", None, "")], "odd0"),
        ("a state without the flag", &[LOOPBACK, ("odd0", Some("0x1002"), "up")], "odd0"),
        ("a name that moves the cursor", &[LOOPBACK, ("e\u{1b}[2J", Some("0x1003"), "up")], "e\\u{1b}[2J"),
    ] {
        let refusal = judged(name, interfaces).expect_err(name);
        assert_eq!((refusal.code().name, refusal.exit().code()), ("airgap.interface", 5), "{name}");
        assert!(refusal.problem().contains(up), "{name}: {refusal}");
    }
    assert_eq!(
        hardening::require_airgap(Filter::InPlace, &scratch("no lists")).expect_err("refused").code().name,
        "airgap.interface"
    );
    let unproved =
        hardening::require_airgap(Filter::Unavailable, &machine("no filter", &[LOOPBACK])).expect_err("refused");
    assert_eq!((unproved.code().name, unproved.exit().code()), ("airgap.filter", 5));
}
