//! The pinned networks and those of `--network-file`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use coldbridge::{Code, Networks, Refusal, json};

use crate::usage::path_name;

/// Reads each file on top of the pinned networks.
pub fn known(files: &[PathBuf]) -> Result<Networks, Refusal> {
    let mut networks = Networks::pinned();
    for path in files {
        networks = networks.with(&json::parse(&read_document(path, "--network-file")?)?)?;
    }
    Ok(networks)
}

/// The text of a file that an option names. One byte more than a document may have is enough to refuse it.
pub fn read_document(path: &Path, option: &str) -> Result<Vec<u8>, Refusal> {
    let limit = u64::try_from(json::MAX_BYTES + 1).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut text));
    read.map(|_| text).map_err(|error| {
        Refusal::new(
            Code::IO_READ,
            "",
            format!("{} can not be read: {error}", path_name(path)),
            format!("check the path of {option}"),
        )
    })
}
