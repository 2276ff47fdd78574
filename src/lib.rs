//! Builds, reviews and signs ZKsync L1<->L2 transactions on a machine that has no network.
//!
//! The straight line. Each arrow consumes its left side and never looks back:
//! ```text
//! bytes -> json::parse -> Request -> Unsigned (a plan of 1..n transactions) -> Signed -> (relay) Receipt
//!          refuse syntax  types,     every field final, calldata built by us,  verified before
//!          with position  units      recomputed, checked against the network   it is released
//! ```
//! The library does no I/O and reads no clock, no environment and no randomness: the same request gives the same bytes
//! on every machine. Files, prompts and sockets live in the programs.
//!
//! ```
//! use coldbridge::{Key, Networks, Request, Spelling, json};
//!
//! let text = include_str!("../fixtures/example/deposit.request.json");
//! let key = Key::from_hex(include_bytes!("../fixtures/example/public-test.key"))?;
//! let request = Request::read(&json::parse(text.as_bytes())?, &Networks::pinned(), Spelling::Checksummed)?;
//! let signed = request.plan()?.sign(&key)?;
//! assert_eq!(signed.transactions()[0].purpose(), "deposit");
//! # Ok::<(), coldbridge::Refusal>(())
//! ```

// small vocabulary
pub mod abi;
pub mod address;
pub mod hash;
pub mod json;
pub mod refusal;
pub mod units;

// the chain: who, how much, which rules
pub mod asset;
pub mod bytecode;
pub mod canonical;
pub mod fees;
pub mod network;
pub mod paymaster;
pub mod priority;

// the way back: what L2 told L1, and that it did
pub mod message;
pub mod proof;

// what is called, and how it is signed: these two never import each other
pub mod operation;
pub mod transaction;

// keys, here and elsewhere, and what was signed with them
pub mod external;
pub mod guard;
pub mod key;

// the documents, along the line
pub mod digest;
pub mod document;
pub mod inclusion;
pub mod policy;
pub mod request;
pub mod review;
pub mod signed;
pub mod unsigned;

// from a plan to what leaves: the signing order, its second encoding, and where tests corrupt it
pub mod fault;
pub mod release;
pub mod second_encoding;

pub use address::{Address, Spelling};
pub use document::Document;
pub use external::External;
pub use guard::Guard;
pub use hash::{Digest, TxHash};
pub use json::Json;
pub use key::{DerivationPath, Key, KeyKind, Keystore, Signature};
pub use network::{Layer, Network, Networks};
pub use policy::Policy;
pub use refusal::{Code, Exit, Refusal};
pub use release::{Ready, Released};
pub use request::Request;
pub use review::Review;
pub use signed::Signed;
pub use transaction::{Decoded, Transaction};
pub use unsigned::Unsigned;
