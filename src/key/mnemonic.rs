//! Words to a seed: BIP-39, English.
//!
//! <https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki>

use bip39::{Error, Language, Mnemonic};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha512;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::refusal::{Code, Refusal};

/// What the standard stretches a sentence with.
const ROUNDS: u32 = 2048;
/// 24 words of up to 8 letters and the spaces between them.
const MAX_SENTENCE: usize = 24 * 9;
/// NFKD turns one character into at most 18; a passphrase of more bytes than this is refused rather than moved about.
const MAX_PASSPHRASE: usize = 1024;

/// The seed of a sentence and a passphrase.
pub fn seed(words: &str, passphrase: &str) -> Result<Zeroizing<[u8; 64]>, Refusal> {
    // One space between words, whatever the file has: the spelling is what is stretched.
    let mut sentence = Zeroizing::new(String::with_capacity(MAX_SENTENCE));
    for word in words.split_whitespace() {
        if sentence.len() + 1 + word.len() > MAX_SENTENCE {
            return Err(refused("these are more than 24 words of the list"));
        }
        if !sentence.is_empty() {
            sentence.push(' ');
        }
        sentence.push_str(word);
    }
    // Judged here and wiped; the words are in `sentence`.
    drop(Mnemonic::parse_in_normalized(Language::English, &sentence).map_err(|error| problem(&error))?);
    if passphrase.len() > MAX_PASSPHRASE {
        return Err(refused(&format!("its passphrase is longer than {MAX_PASSPHRASE} bytes")));
    }
    let mut salt = Zeroizing::new(String::with_capacity("mnemonic".len() + 18 * MAX_PASSPHRASE));
    salt.push_str("mnemonic");
    salt.extend(passphrase.nfkd());
    let mut seed = Zeroizing::new([0; 64]);
    pbkdf2_hmac::<Sha512>(sentence.as_bytes(), salt.as_bytes(), ROUNDS, seed.as_mut_slice());
    Ok(seed)
}

/// Says what is wrong without repeating a word.
fn problem(error: &Error) -> Refusal {
    refused(&match error {
        Error::BadWordCount(count) => format!("{count} words; there are 12, 15, 18, 21 or 24"),
        Error::UnknownWord(at) => format!("word {} is not in the English list of BIP-39, in lower case", at + 1),
        Error::InvalidChecksum => {
            "the checksum in its last word is wrong: a word is not the right one, or not in its place".to_owned()
        }
        _ => "it can not be read".to_owned(),
    })
}

fn refused(problem: &str) -> Refusal {
    Refusal::new(
        Code::KEY_MNEMONIC,
        "",
        format!("this is not a mnemonic: {problem}"),
        "compare the words with your backup: English, lower case, in order, separated by spaces or line ends",
    )
}
