//! What a command line names: hashes, or signed documents.

use std::path::Path;

use coldbridge::{Networks, Refusal};

use crate::broadcast::for_each_document;

/// The hash that a text is, in lower case.
pub fn as_hash(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x")?;
    let is_hash = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_lowercase())
}

/// Hands over the hash of each transaction that is named.
pub fn for_each_hash(
    names: &[String],
    networks: &Networks,
    mut work: impl FnMut(&str) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for name in names {
        if let Some(hash) = as_hash(name) {
            work(&hash)?;
            continue;
        }
        for_each_document(Path::new(name), networks, |signed| {
            signed.transactions().iter().try_for_each(|transaction| work(&transaction.hash().to_string()))
        })?;
    }
    Ok(())
}
