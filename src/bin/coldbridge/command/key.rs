//! `key import`: a key into an encrypted file that is proved to open before it gets its name.

use std::path::Path;

use coldbridge::key::Randomness;
use coldbridge::{Code, Key, Keystore, Refusal};
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

use super::{Outcome, print};
use crate::cli::KeyArgs;
use crate::output::Output;
use crate::{key_file, terminal};

pub fn import(arguments: &KeyArgs, path: &Path) -> Result<Outcome, Refusal> {
    let mut output = Output::open(Some(path))?;
    let key = key_file::read_plain(arguments)?;
    let address = key.address();
    let password = new_password(arguments, &key)?;
    output.write(&Keystore::seal(&key, &password, &randomness()?)?)?;
    drop(key);
    output.finish_proved(|written| {
        let read_back = Key::from_keystore(written, &password)?;
        if read_back.address() == address {
            return Ok(());
        }
        Err(Refusal::new(
            Code::FAULT_ENCODING,
            "",
            format!("the file that was written opens to {}, not to {address}", read_back.address()),
            "stop using this machine for signing; nothing was left behind",
        ))
    })?;
    print(&format!("{address}\n"))
}

fn new_password(arguments: &KeyArgs, key: &Key) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let refused = |problem: &str| {
        Refusal::new(Code::KEY_NO_PASSWORD, "", problem, "choose a long one: it is all that protects the file")
    };
    let password = key_file::password(arguments, &format!("New password for the key of {}: ", key.address()))?;
    if password.is_empty() {
        return Err(refused("the new password is empty"));
    }
    if arguments.password_file.is_none() && *terminal::password("The same again: ")? != *password {
        return Err(refused("the two passwords differ"));
    }
    Ok(password)
}

/// The only place that asks the system for random numbers: salt, counter and name of a new keystore.
fn randomness() -> Result<Randomness, Refusal> {
    let mut randomness = Randomness { salt: [0; 32], iv: [0; 16], id: [0; 16] };
    for bytes in [&mut randomness.salt[..], &mut randomness.iv, &mut randomness.id] {
        // Up to 256 bytes come in one piece, and only once the system has gathered enough.
        match getrandom(&mut *bytes, GetRandomFlags::empty()) {
            Ok(length) if length == bytes.len() => {}
            _ => {
                return Err(Refusal::new(
                    Code::IO_READ,
                    "",
                    "the system gives no random numbers",
                    "import the key on a machine whose kernel has getrandom",
                ));
            }
        }
    }
    Ok(randomness)
}
