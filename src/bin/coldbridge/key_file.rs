//! Keys in: a regular file that only its owner can read, or an open file descriptor. Nothing else.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{IsTerminal, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use coldbridge::refusal::printable;
use coldbridge::{Code, Key, Refusal};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::cli::KeyArgs;

/// Longer than any key file of 64 hex digits; a longer file is refused unread.
const MAX_KEY_FILE: u64 = 128;

/// Reads the key that the command line points to.
pub fn read(arguments: &KeyArgs) -> Result<Key, Refusal> {
    let (file, name) = match (&arguments.key, arguments.descriptor()?) {
        (Some(path), _) => (open_private(path)?, path_name(path)),
        (None, Some(number @ (1 | 2))) => {
            return Err(Refusal::new(
                Code::USAGE,
                "",
                format!("file descriptor {number} is for output"),
                "open the key on another one: --key-fd 3 3< FILE",
            ));
        }
        (None, Some(number)) => (descriptor(number)?, format!("file descriptor {number}")),
        (None, None) => {
            return Err(Refusal::new(Code::USAGE, "", "there is no key", "pass --key FILE or --key-fd N"));
        }
    };
    if file.is_terminal() {
        return Err(unreadable(&name, "it is a terminal, which would show the key"));
    }
    // One allocation of the final size: a growing buffer would leave copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(256));
    file.take(MAX_KEY_FILE + 1).read_to_end(&mut text).map_err(|error| unreadable(&name, &error.to_string()))?;
    Key::from_hex(&text)
}

/// The file behind a descriptor that the caller opened for us: a file, a pipe or a socket.
fn descriptor(number: u32) -> Result<File, Refusal> {
    let name = format!("file descriptor {number}");
    let raw = i32::try_from(number).map_err(|_| unreadable(&name, "there is no such descriptor"))?;
    if std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_err() {
        return Err(unreadable(&name, "it is not open: --key-fd 3 goes with 3< FILE"));
    }
    // SAFETY: the descriptor is open (just looked up), was inherited for this purpose, and nothing else in this process
    // owns it: this runs once, before any other file is opened, and 1 and 2 are refused before.
    #[allow(unsafe_code)]
    let file = unsafe { <File as std::os::fd::FromRawFd>::from_raw_fd(raw) };
    Ok(file)
}

fn open_private(path: &Path) -> Result<File, Refusal> {
    let name = path_name(path);
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)
        .map_err(|error| unreadable(&name, &error.to_string()))?;
    let metadata = file.metadata().map_err(|error| unreadable(&name, &error.to_string()))?;
    match judge(&metadata) {
        None => Ok(file),
        Some(problem) => Err(Refusal::new(
            Code::KEY_PERMISSIONS,
            "",
            format!("{name} {problem}"),
            "keep the key in a regular file of your own: chmod 600 FILE",
        )),
    }
}

/// The path for a message. Whoever passes the key itself in place of its path shall not find it in a log.
fn path_name(path: &Path) -> String {
    let name = printable(&path.to_string_lossy());
    let mut digits = 0;
    let holds_key = name.chars().any(|character| {
        digits = if character.is_ascii_hexdigit() { digits + 1 } else { 0 };
        digits >= 32
    });
    if holds_key { "the path (not shown: it looks like a key)".to_owned() } else { name }
}

fn judge(metadata: &Metadata) -> Option<String> {
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_file() {
        Some("is not a regular file".to_owned())
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        Some("belongs to another user".to_owned())
    } else if mode & 0o077 != 0 {
        Some(format!("has mode {mode:04o}: others than its owner can read or change it"))
    } else {
        None
    }
}

fn unreadable(name: &str, error: &str) -> Refusal {
    Refusal::new(
        Code::KEY_UNREADABLE,
        "",
        format!("{name} can not be read as a key file: {error}"),
        "check the path; a symbolic link is not followed, name the file itself",
    )
}
