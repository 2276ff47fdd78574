//! The pinned networks and those of `--network-file`.

use std::path::PathBuf;

use coldbridge::refusal::printable;
use coldbridge::{Code, Networks, Refusal, json};

/// Reads each file on top of the pinned networks.
pub fn known(files: &[PathBuf]) -> Result<Networks, Refusal> {
    let mut networks = Networks::pinned();
    for path in files {
        let text = std::fs::read(path).map_err(|error| {
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
