//! Keys in: a keystore and its password, a mnemonic and its path, or hex; from a private file or an open descriptor.

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::Path;

use coldbridge::{Code, DerivationPath, Key, KeyKind, Keystore, Refusal};
use zeroize::Zeroizing;

use crate::cli::{KeyArgs, KeySource};
use crate::secret_file::{self, path_name, unreadable};
use crate::{hardening, terminal};

/// More than any keystore; what wallets add to theirs included.
const MAX_KEY_FILE: usize = 64 * 1024;

/// Reads the one key that the command line points to.
pub fn read(arguments: &KeyArgs) -> Result<Key, Refusal> {
    read_from(arguments, one(arguments)?)
}

/// Reads all keys that the command line points to: one for each signer of a smart account.
pub fn read_all(arguments: &KeyArgs) -> Result<Vec<Key>, Refusal> {
    arguments.sources()?.into_iter().map(|source| read_from(arguments, source)).collect()
}

fn one(arguments: &KeyArgs) -> Result<KeySource<'_>, Refusal> {
    match arguments.sources()?.as_slice() {
        [source] => Ok(*source),
        _ => Err(Refusal::new(Code::USAGE, "", "this works with one key", "pass one --key FILE or --key-fd N")),
    }
}

fn read_from(arguments: &KeyArgs, source: KeySource<'_>) -> Result<Key, Refusal> {
    let (text, name) = text(source)?;
    let key = match KeyKind::of(&text) {
        KeyKind::Keystore => {
            refuse_words(arguments)?;
            let keystore = Keystore::read(&text)?;
            if keystore.is_weak() && std::io::stderr().is_terminal() {
                terminal::tell(&format!(
                    "warning: {name} stretches its password little; decrypt it where it was made and write it again with\n\
                     scrypt at n = 262144, or import the key with `coldbridge key import`\n"
                ));
            }
            keystore.unlock(&password(arguments, &format!("Password of {name}: "))?)?
        }
        kind => {
            if arguments.password_file.is_some() {
                return Err(unused("--password-file", "the key is not in an encrypted keystore"));
            }
            plain(arguments, kind, &text)?
        }
    };
    drop(text);
    Ok(locked(key))
}

/// Reads a key that is to be encrypted. The password on the command line is the new file's.
pub fn read_plain(arguments: &KeyArgs) -> Result<Key, Refusal> {
    let (text, name) = text(one(arguments)?)?;
    match KeyKind::of(&text) {
        KeyKind::Keystore => Err(Refusal::new(
            Code::USAGE,
            "",
            format!("{name} is a keystore already"),
            "use it as it is: --key FILE; or import the mnemonic or the hex key that it was made from",
        )),
        kind => {
            let key = plain(arguments, kind, &text)?;
            drop(text);
            Ok(locked(key))
        }
    }
}

/// The password of `--password-file`, or else the person's.
pub fn password(arguments: &KeyArgs, question: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    match &arguments.password_file {
        Some(path) => secret_file::password(path),
        None => terminal::password(question),
    }
}

fn plain(arguments: &KeyArgs, kind: KeyKind, text: &[u8]) -> Result<Key, Refusal> {
    if kind != KeyKind::Mnemonic {
        refuse_words(arguments)?;
        return Key::from_hex(text);
    }
    let Some(path) = &arguments.derivation_path else {
        return Err(Refusal::new(
            Code::USAGE,
            "",
            "a mnemonic has many keys",
            "say which: --derivation-path \"m/44'/60'/0'/0/0\" is the first of most Ethereum wallets",
        ));
    };
    let path = DerivationPath::parse(path)?;
    let passphrase = match &arguments.passphrase_file {
        Some(file) => secret_file::password(file)?,
        None => Zeroizing::new(Vec::new()),
    };
    let utf8 = |text| {
        std::str::from_utf8(text).map_err(|_| {
            Refusal::new(Code::KEY_MNEMONIC, "", "the mnemonic or its passphrase is not UTF-8", "save it as UTF-8")
        })
    };
    Key::from_mnemonic(utf8(text)?, utf8(&passphrase)?, &path)
}

fn refuse_words(arguments: &KeyArgs) -> Result<(), Refusal> {
    if arguments.derivation_path.is_some() {
        return Err(unused("--derivation-path", "the key is not in a mnemonic"));
    }
    if arguments.passphrase_file.is_some() {
        return Err(unused("--passphrase-file", "the key is not in a mnemonic"));
    }
    Ok(())
}

fn unused(option: &str, problem: &str) -> Refusal {
    Refusal::new(
        Code::USAGE,
        "",
        format!("{option} has no use: {problem}"),
        format!("leave {option} out, or hand over the other file"),
    )
}

/// Keeps the key's memory out of the swap file where the system allows it.
fn locked(key: Key) -> Key {
    hardening::keep_in_memory(key.memory());
    key
}

/// The key file's text and its name for messages.
fn text(source: KeySource<'_>) -> Result<(Zeroizing<Vec<u8>>, String), Refusal> {
    let (file, name) = match source {
        KeySource::File(path) => named(path)?,
        KeySource::Descriptor(number @ (1 | 2)) => {
            return Err(Refusal::new(
                Code::USAGE,
                "",
                format!("file descriptor {number} is for output"),
                "open the key on another one: --key-fd 3 3< FILE",
            ));
        }
        KeySource::Descriptor(number) => descriptor(number)?,
    };
    Ok((secret_file::read(file, &name, MAX_KEY_FILE)?, name))
}

fn named(path: &Path) -> Result<(File, String), Refusal> {
    Ok((secret_file::open(path)?, path_name(path)))
}

/// The file behind a descriptor that the caller opened for us: a file, a pipe or a socket.
fn descriptor(number: u32) -> Result<(File, String), Refusal> {
    let name = format!("file descriptor {number}");
    match hardening::inherited(number) {
        Some(file) => Ok((file, name)),
        None => Err(unreadable(&name, "it is not open: --key-fd 3 goes with 3< FILE")),
    }
}
