//! Secrets in: from a regular file that only its owner can read. Each is read into one allocation, which is wiped.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{IsTerminal as _, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use coldbridge::refusal::printable;
use coldbridge::{Code, Refusal};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// More than any password or passphrase that is typed.
pub const MAX_PASSWORD: usize = 1024;

/// Reads a password or passphrase: the whole file without one line end after it.
pub fn password(path: &Path) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let name = path_name(path);
    let mut text = read(open(path)?, &name, MAX_PASSWORD)?;
    for end in [b'\n', b'\r'] {
        if text.last() == Some(&end) {
            text.pop();
        } else {
            break;
        }
    }
    Ok(text)
}

/// Opens a file that nobody else can read or change.
pub fn open(path: &Path) -> Result<File, Refusal> {
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
            "keep secrets in a regular file of your own: chmod 600 FILE",
        )),
    }
}

/// Reads all of a file, up to a limit.
pub fn read(mut file: File, name: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if file.is_terminal() {
        return Err(unreadable(name, "it is a terminal, which would show the secret"));
    }
    // One allocation of the final size: a growing buffer would leave copies behind.
    let mut text = Zeroizing::new(vec![0; limit + 1]);
    let mut length = 0;
    while length < text.len() {
        match file.read(&mut text[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error.to_string())),
        }
    }
    if length > limit {
        return Err(unreadable(name, &format!("it is longer than {limit} bytes")));
    }
    text.truncate(length);
    Ok(text)
}

/// The path for a message. Whoever passes the key itself in place of its path shall not find it in a log.
pub fn path_name(path: &Path) -> String {
    let name = printable(&path.to_string_lossy());
    let mut digits = 0;
    let holds_key = name.chars().any(|character| {
        digits = if character.is_ascii_hexdigit() { digits + 1 } else { 0 };
        digits >= 32
    });
    let holds_words = name.split(' ').count() >= 12;
    if holds_key || holds_words { "the path (not shown: it looks like a key)".to_owned() } else { name }
}

/// What is wrong with a file that only its owner may read or change.
pub fn judge(metadata: &Metadata) -> Option<String> {
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

pub fn unreadable(name: &str, error: &str) -> Refusal {
    Refusal::new(
        Code::KEY_UNREADABLE,
        "",
        format!("{name} can not be read as a key or password file: {error}"),
        "check the path; a symbolic link is not followed, name the file itself",
    )
}
