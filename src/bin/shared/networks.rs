//! The pinned networks and those of `--network-file`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use coldbridge::refusal::printable;
use coldbridge::{Code, Networks, Refusal, json};

/// Reads each file on top of the pinned networks.
pub fn known(files: &[PathBuf]) -> Result<Networks, Refusal> {
    let mut networks = Networks::pinned();
    for path in files {
        let text = read_bounded(path).map_err(|error| {
            Refusal::new(
                Code::IO_READ,
                "",
                format!("{} can not be read: {error}", printable(&path.to_string_lossy())),
                "check the path of --network-file",
            )
        })?;
        networks = networks.with(&json::parse(&text)?)?;
    }
    Ok(networks)
}

/// One byte more than a document may have is enough to refuse it.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(json::MAX_BYTES + 1).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut text)?;
    Ok(text)
}
