//! Addresses: 20 bytes whose EIP-55 checksum has been judged, and the address ranges of the chain itself.

use std::fmt;

use crate::hash::keccak256;
use crate::refusal::{Code, Refusal, printable};

/// An account or contract on either layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

/// How strictly the spelling of an address is judged. A mixed-case address must always carry a right checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// All lower case is taken too: in facts and in files.
    AnyCase,
    /// The checksum must be there: in an intent, where a typo is gone money.
    Checksummed,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    /// Not 0x and 40 hex digits.
    Format,
    /// The checksum is wrong.
    WrongChecksum,
    /// The checksum is missing.
    NoChecksum,
}

impl AddressError {
    /// The refusal of this text at this place.
    pub fn refusal(self, at: impl Into<String>, text: &str) -> Refusal {
        // Of a text that has not the length of an address little is shown: it may be a key in the wrong place.
        let shown = match text.len() {
            42 => printable(text),
            length => format!("{}... ({length} characters)", printable(&text.chars().take(6).collect::<String>())),
        };
        match self {
            Self::Format => Refusal::new(
                Code::ADDRESS_FORMAT,
                at,
                format!("\"{shown}\" is not 0x and 40 hex digits"),
                "write the whole address: 0x and 40 hex digits",
            ),
            Self::WrongChecksum => Refusal::new(
                Code::ADDRESS_CHECKSUM,
                at,
                format!("{shown} has a wrong EIP-55 checksum: a digit or a letter's case is not what its owner wrote"),
                "copy the address again from its source and compare every character",
            ),
            Self::NoChecksum => Refusal::new(
                Code::ADDRESS_CHECKSUM,
                at,
                format!("{shown} is written in one case, so that no typo in it can be seen"),
                "copy the address in its mixed-case EIP-55 spelling, or pass --allow-unchecksummed",
            ),
        }
    }
}

impl Address {
    /// The zero address.
    pub const ZERO: Self = Self([0; 20]);
    /// The L2 base token contract, `L2_BASE_TOKEN_SYSTEM_CONTRACT_ADDR`
    /// (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/system-contracts/contracts/Constants.sol>).
    pub const L2_BASE_TOKEN: Self = Self::low(0x80, 0x0a);

    /// `ETH_TOKEN_ADDRESS` of the L1 contracts: how ETH stands in asset ids and second-bridge calldata. Not the zero address,
    /// which the contracts do not take for ETH, and not the L2 base token.
    pub const ETH_TOKEN: Self = Self::low(0x00, 0x01);
    /// The bootloader's formal address: the sender of the status logs of L1 -> L2 transactions.
    pub const BOOTLOADER: Self = Self::low(0x80, 0x01);
    /// The L1Messenger: the sender of the logs of messages.
    pub const L1_MESSENGER: Self = Self::low(0x80, 0x08);
    /// The L2 ContractDeployer.
    pub const CONTRACT_DEPLOYER: Self = Self::low(0x80, 0x06);
    /// The L2 Create2Factory, which deploys in its own name.
    pub const CREATE2_FACTORY: Self = Self::user_space(0x00);
    /// The L2AssetRouter: since v26 the sender of the messages of withdrawn assets.
    pub const L2_ASSET_ROUTER: Self = Self::user_space(0x03);
    /// The L2NativeTokenVault: also the handler in the asset ids of every chain, L1 included.
    pub const L2_NATIVE_TOKEN_VAULT: Self = Self::user_space(0x04);

    /// A built-in contract of the user space: 0x10000 and up.
    const fn user_space(low: u8) -> Self {
        let mut bytes = [0; 20];
        bytes[17] = 1;
        bytes[19] = low;
        Self(bytes)
    }

    const fn low(high: u8, low: u8) -> Self {
        let mut bytes = [0; 20];
        bytes[18] = high;
        bytes[19] = low;
        Self(bytes)
    }

    /// The address of these bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Reads 0x and 40 hex digits; a mixed-case spelling must carry a right EIP-55 checksum.
    pub fn parse(text: &str, spelling: Spelling) -> Result<Self, AddressError> {
        let digits = text.strip_prefix("0x").ok_or(AddressError::Format)?;
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| AddressError::Format)?;
        let address = Self(bytes);
        if address.checksummed().as_str() == text {
            return Ok(address);
        }
        let lower_case = !digits.bytes().any(|byte| byte.is_ascii_uppercase());
        match spelling {
            _ if !lower_case => Err(AddressError::WrongChecksum),
            Spelling::AnyCase => Ok(address),
            Spelling::Checksummed => Err(AddressError::NoChecksum),
        }
    }

    /// The EIP-55 spelling.
    pub fn checksummed(&self) -> String {
        let lower = hex::encode(self.0);
        let hash = hex::encode(keccak256(lower.as_bytes()));
        let mut out = String::with_capacity(42);
        out.push_str("0x");
        for (letter, nibble) in lower.chars().zip(hash.chars()) {
            out.push(if nibble >= '8' { letter.to_ascii_uppercase() } else { letter });
        }
        out
    }

    /// The name of a contract that every L2 has built in, of those that an operation calls.
    pub fn built_in(&self) -> Option<&'static str> {
        [
            (Self::L2_BASE_TOKEN, "L2BaseToken"),
            (Self::CONTRACT_DEPLOYER, "ContractDeployer"),
            (Self::CREATE2_FACTORY, "Create2Factory"),
            (Self::L2_ASSET_ROUTER, "L2AssetRouter"),
            (Self::L2_NATIVE_TOKEN_VAULT, "L2NativeTokenVault"),
        ]
        .into_iter()
        .find_map(|(address, name)| (address == *self).then_some(name))
    }

    /// Whether the chain keeps this address for itself: precompiles and the kernel space (up to 0xffff) and the built-in
    /// contracts of the user space (0x10000 to 0x1ffff). Nobody owns a key for one.
    pub fn is_system(&self) -> bool {
        self.0[..17].iter().all(|byte| *byte == 0) && self.0[17] <= 1
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.checksummed())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.checksummed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_eip_55() {
        // https://eips.ethereum.org/EIPS/eip-55, "Test Cases"
        for text in [
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
            "0xde709f2102306220921060314715629080e2fb77",
            "0x27b1fdb04752bbc536007a920d24acb045561c26",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            let address = Address::parse(text, Spelling::Checksummed).expect("the EIP's own example");
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn spelling_is_judged() {
        let lower = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        assert!(Address::parse(lower, Spelling::AnyCase).is_ok());
        assert_eq!(Address::parse(lower, Spelling::Checksummed), Err(AddressError::NoChecksum));
        let wrong = "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(Address::parse(wrong, Spelling::AnyCase), Err(AddressError::WrongChecksum));
        let upper = "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED";
        assert_eq!(Address::parse(upper, Spelling::AnyCase), Err(AddressError::WrongChecksum));
        let digits = "0x3535353535353535353535353535353535353535";
        assert!(Address::parse(digits, Spelling::Checksummed).is_ok(), "there is no letter to check");
        for text in ["", "0x", "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]
        {
            assert_eq!(Address::parse(text, Spelling::AnyCase), Err(AddressError::Format));
        }
    }

    #[test]
    fn system_addresses_end_at_0x1ffff() {
        let of = |value: u32| {
            let mut bytes = [0; 20];
            bytes[16..].copy_from_slice(&value.to_be_bytes());
            Address::from_bytes(bytes)
        };
        for value in [0, 1, 0x100, 0x800a, 0xffff, 0x1_0000, 0x1_0003, 0x1_ffff] {
            assert!(of(value).is_system(), "{value:#x}");
        }
        for value in [0x2_0000, 0xff_ffff, 0x100_0000] {
            assert!(!of(value).is_system(), "{value:#x}");
        }
    }
}
