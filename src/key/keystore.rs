//! Encrypted key files: Web3 Secret Storage, version 3, as geth, ethers and cast write them.
//!
//! <https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/>
//! Whoever can change the file chooses how much work it costs to open it: the parameters are bounded before any work.

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use ethabi::ethereum_types::U256;
use k256::ecdsa::SigningKey;
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::hash::keccak256_concat;
use crate::json::{self, Cursor, Json, Members};
use crate::key::{Key, memory};
use crate::refusal::{Code, Refusal, shown};

/// The most memory that a key derivation may ask for.
const MAX_MEMORY: u64 = 1 << 30;
/// The most times that scrypt may go through its memory.
const MAX_PASSES: u64 = 16;
/// The most memory that is gone through in all: about ten seconds of work.
const MAX_WORK: u64 = 4 << 30;
/// The most rounds of PBKDF2: some seconds of work.
const MAX_ROUNDS: u64 = 10_000_000;
/// The longest salt; 32 bytes are usual.
const MAX_SALT: usize = 1024;
/// What `key import` writes, as geth does: N = 2^18, r = 8, p = 1, which takes 256 MiB and about a second.
const SEALED_LOG_N: u8 = 18;
const SEALED_R: u32 = 8;
const SEALED_P: u32 = 1;
/// scrypt below N = 2^17 and PBKDF2 below 600,000 rounds are what today's advice calls weak (OWASP).
const STRONG_LOG_N: u8 = 17;
const STRONG_ROUNDS: u32 = 600_000;

/// An encrypted key whose form and cost have been checked. It holds nothing secret.
pub struct Keystore {
    address: Option<Address>,
    kdf: Kdf,
    salt: Vec<u8>,
    iv: [u8; 16],
    ciphertext: Vec<u8>,
    mac: [u8; 32],
}

/// How the password becomes a key.
enum Kdf {
    Scrypt { log_n: u8, r: u32, p: u32 },
    Pbkdf2 { rounds: u32 },
}

/// What an encryption needs that must never be used twice. The caller has it from the system's random numbers.
pub struct Randomness {
    /// Salt of the key derivation.
    pub salt: [u8; 32],
    /// Where the counter of the cipher starts.
    pub iv: [u8; 16],
    /// Names the file.
    pub id: [u8; 16],
}

impl Keystore {
    /// Reads a keystore. Members beside `version`, `crypto` and `address` are other programs' and are ignored; what
    /// decides the key is read strictly.
    ///
    /// # Errors
    /// `key.keystore` for what is no version 3 keystore, `key.kdf` for one that would cost too much to open.
    pub fn read(text: &[u8]) -> Result<Self, Refusal> {
        let json = json::parse(text).map_err(|refusal| not_a_keystore(&refusal))?;
        Self::of(&Cursor::root(&json)).map_err(|refusal| match refusal.code() {
            Code::KEY_KDF | Code::KEY_KEYSTORE => refusal,
            _ => not_a_keystore(&refusal),
        })
    }

    fn of(root: &Cursor<'_>) -> Result<Self, Refusal> {
        match member(root, "version")? {
            Some(version) if *version.value() == Json::Integer(3) => {}
            Some(version) => {
                let remedy = "open it with the program that wrote it, and import the key";
                return Err(refused(&version, "the version is not 3", remedy));
            }
            None => return Err(refused(root, "there is no version", "a keystore has \"version\": 3")),
        }
        let address = member(root, "address")?.filter(|address| *address.value() != Json::Null);
        let address = address.map(|address| fixed(&address)).transpose()?.map(Address::from_bytes);
        let crypto = match (member(root, "crypto")?, member(root, "Crypto")?) {
            (Some(crypto), None) | (None, Some(crypto)) => crypto,
            (Some(crypto), Some(_)) => {
                return Err(refused(&crypto, "\"crypto\" and \"Crypto\" are both there", "keep the one that is meant"));
            }
            (None, None) => {
                return Err(refused(
                    root,
                    "there is no member \"crypto\"",
                    "hand over the keystore file as it was written",
                ));
            }
        };
        let crypto = crypto.members(&["cipher", "cipherparams", "ciphertext", "kdf", "kdfparams", "mac"], &[])?;
        crypto.required("cipher")?.choice(&[("aes-128-ctr", ())])?;
        let place = crypto.required("cipherparams")?;
        let iv = fixed(&place.members(&["iv"], &[])?.required("iv")?)?;
        let place = crypto.required("ciphertext")?;
        let ciphertext = hex_bytes(&place)?;
        if ciphertext.is_empty() || ciphertext.len() > 32 {
            let problem = format!("{} encrypted bytes where a key has up to 32", ciphertext.len());
            return Err(refused(&place, &problem, "this keystore holds no Ethereum key"));
        }
        let parameters = crypto.required("kdfparams")?;
        let read = crypto.required("kdf")?.choice::<ReadKdf>(&[("scrypt", scrypt_of), ("pbkdf2", pbkdf2_of)])?;
        let (kdf, salt) = read(&parameters)?;
        Ok(Self { address, kdf, salt, iv, ciphertext, mac: fixed(&crypto.required("mac")?)? })
    }

    /// The account that the file claims to hold the key of. It is proved by [`Keystore::unlock`].
    pub fn address(&self) -> Option<Address> {
        self.address
    }

    /// Whether the password is stretched less than is advised today, so that a stolen file is cheaply searched.
    pub fn is_weak(&self) -> bool {
        match self.kdf {
            Kdf::Scrypt { log_n, .. } => log_n < STRONG_LOG_N,
            Kdf::Pbkdf2 { rounds } => rounds < STRONG_ROUNDS,
        }
    }

    /// Decrypts the key.
    ///
    /// # Errors
    /// `key.password` if the password is not the one (or the file is damaged), `key.address` if the key is not the
    /// account's that the file names, `key.format` if there is no key inside.
    pub fn unlock(&self, password: &[u8]) -> Result<Key, Refusal> {
        let secret = memory::wiped(|| self.decrypt(password))?;
        let key = Key::of(secret);
        match self.address {
            Some(address) if address != key.address() => Err(Refusal::new(
                Code::KEY_ADDRESS,
                "/address",
                format!(
                    "the keystore says that it holds the key of {address}, but it holds the key of {}",
                    key.address()
                ),
                "find out who changed the file; restore it from a backup",
            )
            .values(address, key.address())),
            _ => Ok(key),
        }
    }

    fn decrypt(&self, password: &[u8]) -> Result<Box<SigningKey>, Refusal> {
        let derived = self.derive(password)?;
        let (cipher_key, mac_key) = derived.split_at(16);
        let mac = keccak256_concat(&[mac_key, &self.ciphertext]);
        if !bool::from(mac.ct_eq(&self.mac)) {
            return Err(Refusal::new(
                Code::KEY_PASSWORD,
                "",
                "the password does not open this keystore, or the file is damaged",
                "try the password again; nothing tells the two apart",
            ));
        }
        // Keys with leading zeros were written shorter by early clients; geth reads them so too.
        let mut bytes = Zeroizing::new([0; 32]);
        let start = 32 - self.ciphertext.len();
        bytes[start..].copy_from_slice(&self.ciphertext);
        apply(cipher_key, &self.iv, &mut bytes[start..])?;
        SigningKey::from_slice(bytes.as_slice()).map(Box::new).map_err(|_| {
            Refusal::new(
                Code::KEY_FORMAT,
                "/crypto/ciphertext",
                "what the keystore holds is no private key",
                "this keystore belongs to something else than an Ethereum account",
            )
        })
    }

    fn derive(&self, password: &[u8]) -> Result<Zeroizing<[u8; 32]>, Refusal> {
        let mut derived = Zeroizing::new([0; 32]);
        match self.kdf {
            Kdf::Scrypt { log_n, r, p } => scrypt::Params::new(log_n, r, p)
                .ok()
                .and_then(|parameters| scrypt::scrypt(password, &self.salt, &parameters, derived.as_mut_slice()).ok())
                .ok_or_else(bug)?,
            Kdf::Pbkdf2 { rounds } => pbkdf2_hmac::<Sha256>(password, &self.salt, rounds, derived.as_mut_slice()),
        }
        Ok(derived)
    }

    /// Encrypts a key with scrypt (N = 2^18, r = 8, p = 1) and writes the file's text, as geth does.
    pub fn seal(key: &Key, password: &[u8], randomness: &Randomness) -> Result<String, Refusal> {
        let keystore = memory::wiped(|| {
            let mut keystore = Self {
                address: Some(key.address()),
                kdf: Kdf::Scrypt { log_n: SEALED_LOG_N, r: SEALED_R, p: SEALED_P },
                salt: randomness.salt.to_vec(),
                iv: randomness.iv,
                ciphertext: Vec::new(),
                mac: [0; 32],
            };
            let derived = keystore.derive(password)?;
            let (cipher_key, mac_key) = derived.split_at(16);
            let mut bytes = Zeroizing::new(<[u8; 32]>::from(key.secret.to_bytes()));
            apply(cipher_key, &keystore.iv, bytes.as_mut_slice())?;
            keystore.ciphertext = bytes.to_vec();
            keystore.mac = keccak256_concat(&[mac_key, &keystore.ciphertext]);
            Ok(keystore)
        })?;
        Ok(format!("{}\n", keystore.to_json(&randomness.id)))
    }

    fn to_json(&self, id: &[u8; 16]) -> Json {
        let text = |bytes: &[u8]| Json::text(hex::encode(bytes));
        let parameters = match self.kdf {
            Kdf::Scrypt { log_n, r, p } => Json::object([
                ("dklen", Json::Integer(32)),
                ("n", Json::Integer(1 << log_n)),
                ("p", Json::Integer(p.into())),
                ("r", Json::Integer(r.into())),
                ("salt", text(&self.salt)),
            ]),
            Kdf::Pbkdf2 { rounds } => Json::object([
                ("c", Json::Integer(rounds.into())),
                ("dklen", Json::Integer(32)),
                ("prf", Json::text("hmac-sha256")),
                ("salt", text(&self.salt)),
            ]),
        };
        let kdf = match self.kdf {
            Kdf::Scrypt { .. } => "scrypt",
            Kdf::Pbkdf2 { .. } => "pbkdf2",
        };
        Json::object([
            ("address", self.address.map_or(Json::Null, |address| text(address.as_bytes()))),
            (
                "crypto",
                Json::object([
                    ("cipher", Json::text("aes-128-ctr")),
                    ("cipherparams", Json::object([("iv", text(&self.iv))])),
                    ("ciphertext", text(&self.ciphertext)),
                    ("kdf", Json::text(kdf)),
                    ("kdfparams", parameters),
                    ("mac", text(&self.mac)),
                ]),
            ),
            ("id", Json::text(uuid(id))),
            ("version", Json::Integer(3)),
        ])
    }
}

fn apply(key: &[u8], iv: &[u8; 16], bytes: &mut [u8]) -> Result<(), Refusal> {
    Ctr128BE::<Aes128>::new_from_slices(key, iv).map_err(|_| bug())?.apply_keystream(bytes);
    Ok(())
}

type ReadKdf = fn(&Cursor<'_>) -> Result<(Kdf, Vec<u8>), Refusal>;

fn scrypt_of(parameters: &Cursor<'_>) -> Result<(Kdf, Vec<u8>), Refusal> {
    let members = parameters.members(&["dklen", "n", "p", "r", "salt"], &[])?;
    derived_length(&members)?;
    let place = members.required("n")?;
    let n = place.wide_count()?;
    if n < U256::from(2) || n & (n - U256::one()) != U256::zero() {
        return Err(costly(&place, "N is not a power of two above 1", "a power of two", n));
    }
    let r = bounded(&members.required("r")?, MAX_MEMORY)?;
    // Every factor is below 2^30 from here on, so that the products fit.
    let n = bounded(&place, MAX_MEMORY)?;
    let memory = U256::from(n) * U256::from(r) * U256::from(128);
    if memory > U256::from(MAX_MEMORY) {
        let problem = format!("N * r * 128 = {memory} bytes of memory are more than {MAX_MEMORY}");
        return Err(costly(&place, &problem, &format!("at most {MAX_MEMORY}"), memory));
    }
    let place = members.required("p")?;
    let p = bounded(&place, MAX_PASSES)?;
    let work = memory * U256::from(p);
    if work > U256::from(MAX_WORK) {
        let problem = format!("N * r * p * 128 = {work} bytes of work are more than {MAX_WORK}");
        return Err(costly(&place, &problem, &format!("at most {MAX_WORK}"), work));
    }
    let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| bug())?;
    let narrow = |value: u64| u32::try_from(value).map_err(|_| bug());
    Ok((Kdf::Scrypt { log_n, r: narrow(r)?, p: narrow(p)? }, salt(&members)?))
}

fn pbkdf2_of(parameters: &Cursor<'_>) -> Result<(Kdf, Vec<u8>), Refusal> {
    let members = parameters.members(&["c", "dklen", "prf", "salt"], &[])?;
    derived_length(&members)?;
    members.required("prf")?.choice(&[("hmac-sha256", ())])?;
    let rounds = bounded(&members.required("c")?, MAX_ROUNDS)?;
    Ok((Kdf::Pbkdf2 { rounds: u32::try_from(rounds).map_err(|_| bug())? }, salt(&members)?))
}

fn derived_length(members: &Members<'_>) -> Result<(), Refusal> {
    let place = members.required("dklen")?;
    let length = place.wide_count()?;
    if length == U256::from(32) {
        return Ok(());
    }
    Err(costly(&place, &format!("dklen is {length}, and version 3 has 32"), "32", length))
}

fn salt(members: &Members<'_>) -> Result<Vec<u8>, Refusal> {
    let place = members.required("salt")?;
    let salt = hex_bytes(&place)?;
    if salt.len() > MAX_SALT {
        return Err(refused(&place, &format!("a salt of {} bytes", salt.len()), "32 bytes are usual"));
    }
    Ok(salt)
}

/// A member of a document that may have others.
fn member<'a>(root: &'a Cursor<'a>, name: &'static str) -> Result<Option<Cursor<'a>>, Refusal> {
    Ok(root.entries()?.iter().find(|(key, _)| key == name).map(|(_, value)| root.member(name, value)))
}

/// A number from 1 to a limit.
fn bounded(place: &Cursor<'_>, limit: u64) -> Result<u64, Refusal> {
    let value = place.wide_count()?;
    if value.is_zero() || value > U256::from(limit) {
        return Err(costly(place, &format!("{value} is not from 1 to {limit}"), &format!("1 to {limit}"), value));
    }
    Ok(value.low_u64())
}

fn costly(place: &Cursor<'_>, problem: &str, expected: &str, actual: U256) -> Refusal {
    place
        .refuse(
            Code::KEY_KDF,
            format!("the key derivation is out of bounds: {problem}"),
            "open the file with the program that wrote it, and write it with usual parameters (scrypt: n 262144, r 8, p 1)",
        )
        .values(expected, actual)
}

/// Hex digits, 0x before them allowed.
fn hex_bytes(place: &Cursor<'_>) -> Result<Vec<u8>, Refusal> {
    let text = place.text()?;
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| {
        refused(
            place,
            &format!("\"{}\" is not an even number of hex digits", shown(text)),
            "restore the file from a backup",
        )
    })
}

fn fixed<const N: usize>(place: &Cursor<'_>) -> Result<[u8; N], Refusal> {
    let bytes = hex_bytes(place)?;
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| refused(place, &format!("{length} bytes where {N} belong"), "restore the file from a backup"))
}

fn refused(place: &Cursor<'_>, problem: &str, remedy: &str) -> Refusal {
    place.refuse(Code::KEY_KEYSTORE, format!("this is not a keystore of version 3: {problem}"), remedy)
}

fn not_a_keystore(refusal: &Refusal) -> Refusal {
    Refusal::new(
        Code::KEY_KEYSTORE,
        refusal.at(),
        format!("this is not a keystore of version 3: {}", refusal.problem()),
        "hand over the keystore file as it was written",
    )
}

fn bug() -> Refusal {
    Refusal::new(Code::BUG, "", "parameters that were checked are refused by the cipher", "report it")
}

/// Sixteen bytes as a random UUID (RFC 9562, version 4).
fn uuid(bytes: &[u8; 16]) -> String {
    let mut bytes = *bytes;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
