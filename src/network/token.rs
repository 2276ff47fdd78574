//! Pinned tokens: what a network knows of an ERC-20 on both of its layers, and where it is native.
//!
//! The origin gives the token's asset id (`DataEncoding.encodeNTVAssetId`); symbol and decimals are for people alone. An L2
//! address is pinned only where it can be proved: for a token of L1 on a chain with a legacy shared bridge it is the create2
//! address of `L2SharedBridgeLegacy` (`L2ContractHelper.computeCreate2Address`), which a test computes again.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/libraries/DataEncoding.sol>

use super::{Layer, MAX_CHAIN_ID, Network};
use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::refusal::{Code, Refusal, printable};

/// The most decimals with which a whole unit fits 256 bits.
const MAX_DECIMALS: u8 = 77;

/// Where a token is native.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenOrigin {
    /// The chain.
    pub chain_id: u64,
    /// Its address there.
    pub token: Address,
}

impl TokenOrigin {
    /// Reads `{"chainId","address"}`.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&["chainId", "address"], &[])?;
        Ok(Self {
            chain_id: members.required("chainId")?.count(u64::MAX)?,
            token: members.required("address")?.address(Spelling::AnyCase)?,
        })
    }

    /// The same members again.
    pub fn to_json(self) -> Json {
        Json::object([("chainId", Json::count(self.chain_id)), ("address", Json::display(self.token))])
    }
}

/// A token that a network pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedToken {
    /// What people call it.
    pub symbol: String,
    /// How many of its digits stand behind the point.
    pub decimals: u8,
    /// Its address on L1.
    pub l1_address: Option<Address>,
    /// Its address on L2.
    pub l2_address: Option<Address>,
    /// Where it is native.
    pub origin: TokenOrigin,
}

impl PinnedToken {
    /// Its address on a layer.
    pub const fn address_on(&self, layer: Layer) -> Option<Address> {
        match layer {
            Layer::L1 => self.l1_address,
            Layer::L2 => self.l2_address,
        }
    }

    pub(super) fn read_list(cursor: &Cursor<'_>) -> Result<Vec<Self>, Refusal> {
        cursor.items()?.iter().map(Self::read).collect()
    }

    fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&["symbol", "decimals", "origin"], &["l1Address", "l2Address"])?;
        let symbol = members.required("symbol")?;
        let text = symbol.label()?;
        let plain = text.len() <= 16 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-$".contains(&b));
        if !plain || ["eth", "wei", "base"].contains(&text.to_ascii_lowercase().as_str()) {
            return Err(symbol.refuse(
                Code::NETWORK_INVALID,
                format!("\"{}\" is no token's symbol: up to 16 letters, digits and ._-$, and not ETH", printable(text)),
                "write the token's own symbol",
            ));
        }
        let address = |name: &str| match members.optional(name) {
            Some(cursor) if *cursor.value() != Json::Null => cursor.address(Spelling::AnyCase).map(Some),
            _ => Ok(None),
        };
        Ok(Self {
            symbol: text.to_owned(),
            decimals: members.required("decimals")?.count(MAX_DECIMALS)?,
            l1_address: address("l1Address")?,
            l2_address: address("l2Address")?,
            origin: TokenOrigin::read(&members.required("origin")?)?,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let optional = |address: Option<Address>| address.map_or(Json::Null, Json::display);
        Json::object([
            ("symbol", Json::text(self.symbol.as_str())),
            ("decimals", Json::count(self.decimals)),
            ("l1Address", optional(self.l1_address)),
            ("l2Address", optional(self.l2_address)),
            ("origin", self.origin.to_json()),
        ])
    }

    /// What contradicts itself or the network: (member, problem).
    fn contradiction(&self, network: &Network) -> Option<(&'static str, String)> {
        let layers = [("l1Address", Layer::L1), ("l2Address", Layer::L2)];
        let held = || layers.into_iter().filter_map(|(name, layer)| Some((name, layer, self.address_on(layer)?)));
        if held().next().is_none() {
            return Some(("l1Address", "a token without an address on either layer".to_owned()));
        }
        let contract = |address: Address| network.contracts().into_iter().find(|(_, known)| *known == address);
        for (name, layer, address) in held() {
            if address.is_system() {
                return Some((name, format!("{address} is a system address, no token")));
            }
            if let Some((field, _)) = contract(address) {
                return Some((name, format!("{address} is the {field}, no token")));
            }
            if layer == Layer::L2 && network.is_base_token(self.origin) {
                return Some((name, "the base token is no ERC-20 on L2".to_owned()));
            }
        }
        let TokenOrigin { chain_id, token } = self.origin;
        if chain_id == 0 || chain_id > MAX_CHAIN_ID {
            return Some(("origin", format!("{chain_id} is no chain id that a Bridgehub takes (1 to 2^48-1)")));
        }
        let home = layers.into_iter().find(|(_, layer)| network.chain_id(*layer) == chain_id);
        match home {
            Some((_, layer)) if self.address_on(layer) != Some(token) => {
                Some(("origin", format!("native to {layer} at {token}, but that is not its address there")))
            }
            None if token.is_system() => Some(("origin", format!("{token} is a system address, no token"))),
            _ => None,
        }
    }
}

impl Network {
    /// The pinned token at an address of a layer.
    pub fn token_at(&self, layer: Layer, address: Address) -> Option<&PinnedToken> {
        self.tokens.iter().find(|token| token.address_on(layer) == Some(address))
    }

    /// The pinned token of an origin whose address on a layer is another than this one.
    pub fn token_elsewhere(&self, layer: Layer, address: Address, origin: TokenOrigin) -> Option<(&str, Address)> {
        let known = self.tokens.iter().find(|known| known.origin == origin)?;
        known.address_on(layer).filter(|pinned| *pinned != address).map(|pinned| (known.symbol.as_str(), pinned))
    }

    /// Tokens that contradict themselves, the network or each other.
    pub(super) fn judge_tokens(&self) -> Result<(), Refusal> {
        for (index, token) in self.tokens.iter().enumerate() {
            let twice = || {
                let known = self.tokens.iter().take(index);
                let same = |one: Option<Address>, other: Option<Address>| one.is_some() && one == other;
                known.into_iter().find_map(|known| match token {
                    _ if known.symbol.eq_ignore_ascii_case(&token.symbol) => Some("symbol"),
                    _ if same(known.l1_address, token.l1_address) => Some("l1Address"),
                    _ if same(known.l2_address, token.l2_address) => Some("l2Address"),
                    _ if known.origin == token.origin => Some("origin"),
                    _ => None,
                })
            };
            let wrong = token
                .contradiction(self)
                .or_else(|| twice().map(|member| (member, format!("another token has the same {member}"))));
            if let Some((member, problem)) = wrong {
                return Err(Refusal::new(
                    Code::NETWORK_INVALID,
                    format!("/tokens/{index}/{member}"),
                    problem,
                    "copy symbol, decimals, addresses and origin from the token's own documentation and the vault's registry",
                ));
            }
        }
        Ok(())
    }

    /// What is pinned for a token of L1 holds for every network on it: symbol and decimals are the contract's own.
    pub(super) fn judge_tokens_against(&self, pinned: &Self) -> Result<(), Refusal> {
        for (index, token) in self.tokens.iter().enumerate() {
            let Some(known) = token.l1_address.and_then(|address| pinned.token_at(Layer::L1, address)) else {
                continue;
            };
            if (&known.symbol, known.decimals) != (&token.symbol, token.decimals) {
                let (own, other) = (
                    format!("{} with {} decimals", token.symbol, token.decimals),
                    format!("{} with {} decimals", known.symbol, known.decimals),
                );
                return Err(Refusal::new(
                    Code::NETWORK_INVALID,
                    format!("/tokens/{index}/l1Address"),
                    format!("{own}, but the pinned network {} knows it as {other}", pinned.name),
                    format!("write {other}"),
                )
                .values(other, own));
            }
        }
        Ok(())
    }
}
