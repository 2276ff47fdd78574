//! Networks: which contracts on which chains. Pinned and embedded, keyed by name; addresses never come from a request.
//!
//! A chain id alone does not name a network (three ecosystems live on Sepolia), so a request names one. An operator's own
//! networks come from files and can not take the name or the chains of a pinned one.

mod file;
mod known;
mod token;

use std::fmt;

use crate::address::Address;
use crate::json::Json;

pub use known::Networks;
pub use token::{PinnedToken, TokenOrigin};

/// Which side of the bridge a transaction runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Ethereum, or whatever the chain settles its bridge on.
    L1,
    /// The ZKsync chain.
    L2,
}

impl Layer {
    /// `l1` or `l2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::L2 => "l2",
        }
    }

    /// The words of documents.
    pub const WORDS: &'static [(&'static str, Self)] = &[("l1", Self::L1), ("l2", Self::L2)];
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
        })
    }
}

/// The virtual machine of the L2 chain: it decides the envelopes and the gas rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vm {
    /// EraVM: type 0x71 transactions, factory deps, pubdata gas.
    EraVm,
    /// ZKsync OS: standard Ethereum transactions only.
    ZkSyncOs,
}

impl Vm {
    const WORDS: &'static [(&'static str, Self)] = &[("eravm", Self::EraVm), ("zksync-os", Self::ZkSyncOs)];
}

/// What the L2 chain pays its gas in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseToken {
    /// Ether.
    Eth,
    /// The ERC-20 at this L1 address.
    Erc20(Address),
}

/// A protocol version `0.minor.patch`, as `getSemverProtocolVersion` gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolVersion {
    /// 29 in 0.29.4.
    pub minor: u32,
    /// 4 in 0.29.4.
    pub patch: u32,
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0.{}.{}", self.minor, self.patch)
    }
}

/// Where a network's description came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Compiled in.
    Pinned,
    /// An operator's file.
    File,
}

/// One L2 chain, the L1 it is bridged to, and the contracts between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its name in requests.
    pub name: String,
    /// The chain id that L1 transactions are signed for.
    pub l1_chain_id: u64,
    /// The chain id that L2 transactions are signed for and that Bridgehub knows the chain by.
    pub l2_chain_id: u64,
    /// The L2 virtual machine.
    pub vm: Vm,
    /// The protocol version of its contracts.
    pub protocol_version: ProtocolVersion,
    /// What L2 gas is paid in.
    pub base_token: BaseToken,
    /// L1 Bridgehub.
    pub bridgehub: Address,
    /// L1AssetRouter (since v26), the second bridge and the spender of ERC-20 deposits.
    pub l1_asset_router: Address,
    /// L1Nullifier (since v26; the L1SharedBridge proxy before).
    pub l1_nullifier: Address,
    /// L1NativeTokenVault.
    pub l1_native_token_vault: Address,
    /// The chain's diamond proxy on L1.
    pub diamond_proxy: Address,
    /// The legacy L1ERC20Bridge, where the chain has one.
    pub l1_erc20_bridge: Option<Address>,
    /// The legacy shared bridge on L2, where the chain has one.
    pub l2_legacy_shared_bridge: Option<Address>,
    /// Wrapped ether on L1, which the native token vault refuses (`BurningNativeWETHNotSupported`).
    pub l1_weth: Option<Address>,
    /// Second bridges of tokens that have their own (USDC for example), by the names that an intent calls them.
    pub custom_bridges: Vec<(String, Address)>,
    /// The chains that its Bridgehub lets chains settle on in place of L1 (`whitelistedSettlementLayers`): the Gateways.
    pub settlement_layers: Vec<u64>,
    /// Tokens that it knows by symbol, decimals, addresses and origin.
    pub tokens: Vec<PinnedToken>,
    /// `priorityTxMaxGasLimit` of the diamond (slot 26; 72,000,000 unless the ChainTypeManager changed it).
    pub priority_tx_max_gas_limit: u64,
    /// Where these facts were read.
    pub source: String,
    /// Whether it is compiled in.
    pub origin: Origin,
}

/// Bridgehub takes chain ids up to 2^48-1.
pub const MAX_CHAIN_ID: u64 = (1 << 48) - 1;

impl Network {
    /// The chain id of a layer.
    pub fn chain_id(&self, layer: Layer) -> u64 {
        match layer {
            Layer::L1 => self.l1_chain_id,
            Layer::L2 => self.l2_chain_id,
        }
    }

    /// The token that pays gas on a layer, in the words of a request.
    pub fn gas_token(&self, layer: Layer) -> &'static str {
        match (layer, self.base_token) {
            (Layer::L1, _) | (Layer::L2, BaseToken::Eth) => "eth",
            (Layer::L2, BaseToken::Erc20(_)) => "base",
        }
    }

    /// The second bridge of `requestL2TransactionTwoBridges`, which is also the spender of every ERC-20 that L1 takes in:
    /// L1AssetRouter since v26, before it L1SharedBridge, whose proxy is the L1Nullifier of today.
    pub fn second_bridge(&self) -> Address {
        if self.has_asset_router() { self.l1_asset_router } else { self.l1_nullifier }
    }

    /// Whether assets go through the asset router and have asset ids: since v26.
    pub fn has_asset_router(&self) -> bool {
        self.protocol_version.minor >= 26
    }

    /// `ERA_CHAIN_ID`: the one chain of an ecosystem that keeps the entry points from before Bridgehub. All others answer
    /// `OnlyEraSupported`.
    pub fn is_era(&self) -> bool {
        self.vm == Vm::EraVm && matches!(self.l2_chain_id, 324 | 300 | 270) && self.base_token == BaseToken::Eth
    }

    /// Where what the chain pays its gas in is native: on L1, unless a pinned token says otherwise.
    pub fn base_token_origin(&self) -> TokenOrigin {
        let token = match self.base_token {
            BaseToken::Eth => Address::ETH_TOKEN,
            BaseToken::Erc20(token) => token,
        };
        let native = TokenOrigin { chain_id: self.l1_chain_id, token };
        self.token_at(Layer::L1, token).map_or(native, |known| known.origin)
    }

    /// Whether a token of this origin is what the chain pays its gas in: no ERC-20 on L2, and no asset of the bridges there.
    pub fn is_base_token(&self, origin: TokenOrigin) -> bool {
        origin == self.base_token_origin()
    }

    /// The network's own contracts, by their field names: money sent *to* one of them as a recipient is lost.
    pub fn contracts(&self) -> Vec<(&'static str, Address)> {
        let mut contracts = vec![
            ("bridgehub", self.bridgehub),
            ("l1AssetRouter", self.l1_asset_router),
            ("l1Nullifier", self.l1_nullifier),
            ("l1NativeTokenVault", self.l1_native_token_vault),
            ("diamondProxy", self.diamond_proxy),
        ];
        contracts.extend(self.l1_erc20_bridge.map(|address| ("l1Erc20Bridge", address)));
        contracts.extend(self.l1_weth.map(|address| ("l1Weth", address)));
        contracts.extend(self.custom_bridges.iter().map(|(_, address)| ("customBridge", *address)));
        contracts.extend(self.l2_legacy_shared_bridge.map(|address| ("l2LegacySharedBridge", address)));
        contracts
    }

    /// The second bridge of this name.
    pub fn custom_bridge(&self, name: &str) -> Option<Address> {
        self.custom_bridges.iter().find(|(known, _)| known == name).map(|(_, address)| *address)
    }

    /// The three members by which other documents name a network.
    pub fn to_json_brief(&self) -> Json {
        Json::object([
            ("name", Json::text(self.name.as_str())),
            ("l1ChainId", Json::count(self.l1_chain_id)),
            ("l2ChainId", Json::count(self.l2_chain_id)),
        ])
    }
}
