//! Networks: which contracts on which chains. Pinned and embedded, keyed by name; addresses never come from a request.
//!
//! A chain id alone does not name a network (three ecosystems live on Sepolia), so a request names one. An operator's own
//! networks come from files and can not take the name or the chains of a pinned one.

mod token;

use std::fmt;

use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json, parse};
use crate::refusal::{Code, Refusal, printable, shown};

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

const SCHEMA: &str = "coldbridge/network/1";
/// Bridgehub takes chain ids up to 2^48-1.
pub const MAX_CHAIN_ID: u64 = (1 << 48) - 1;
const PINNED: &[&str] = &[
    include_str!("network/era-mainnet.json"),
    include_str!("network/era-sepolia.json"),
    include_str!("network/local.json"),
];

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

    fn read(json: &Json, origin: Origin) -> Result<Self, Refusal> {
        let root = Cursor::root(json);
        let members = root.document(
            SCHEMA,
            &[
                "name",
                "l1ChainId",
                "l2ChainId",
                "vm",
                "protocolVersion",
                "baseToken",
                "bridgehub",
                "l1AssetRouter",
                "l1Nullifier",
                "l1NativeTokenVault",
                "diamondProxy",
            ],
            &[
                "l1Erc20Bridge",
                "l2LegacySharedBridge",
                "l1Weth",
                "customBridges",
                "settlementLayers",
                "tokens",
                "priorityTxMaxGasLimit",
                "source",
            ],
        )?;
        let contract = |cursor: &Cursor<'_>, remedy: &str| {
            let address = cursor.address(Spelling::AnyCase)?;
            if address.is_system() {
                let problem = format!("{address} is a system address, no contract of a bridge");
                return Err(cursor.refuse(Code::NETWORK_INVALID, problem, remedy));
            }
            Ok(address)
        };
        let address =
            |name: &str| contract(&members.required(name)?, "copy the address from the chain's own documentation");
        // Nodes answer the zero address for a bridge that the chain has not got (`zks_getBridgeContracts`).
        let optional_address = |name: &str| match members.optional(name) {
            Some(cursor) if *cursor.value() != Json::Null => {
                contract(&cursor, "write null where the chain has none").map(Some)
            }
            _ => Ok(None),
        };
        let chain_id = |name: &str| {
            let cursor = members.required(name)?;
            let id = cursor.count(MAX_CHAIN_ID)?;
            if id == 0 {
                return Err(cursor.refuse(
                    Code::NETWORK_INVALID,
                    "0 is no chain id",
                    "write the chain id that eth_chainId answers",
                ));
            }
            Ok(id)
        };
        let vm = members.required("vm")?.choice(Vm::WORDS)?;
        let (l1_chain_id, l2_chain_id) = (chain_id("l1ChainId")?, chain_id("l2ChainId")?);
        if l1_chain_id == l2_chain_id {
            return Err(members.required("l2ChainId")?.refuse(
                Code::NETWORK_INVALID,
                format!("both layers have chain id {l1_chain_id}: a signature for one would be valid on the other"),
                "write the chain id of each layer",
            ));
        }
        let base_token = members.required("baseToken")?;
        let version = members.required("protocolVersion")?;
        Ok(Self {
            name: name(&members.required("name")?)?,
            l1_chain_id,
            l2_chain_id,
            vm,
            protocol_version: protocol_version(&version, vm)?,
            base_token: match base_token.text()? {
                "eth" => BaseToken::Eth,
                _ => BaseToken::Erc20(address("baseToken").map_err(|refusal| match refusal.code() {
                    Code::NETWORK_INVALID => base_token.refuse(
                        Code::NETWORK_INVALID,
                        "the contracts write ETH as 0x...01, and the zero address and 0x...800A are no ERC-20 either",
                        "write \"eth\" for a chain that runs on ETH",
                    ),
                    _ => refusal,
                })?),
            },
            bridgehub: address("bridgehub")?,
            l1_asset_router: address("l1AssetRouter")?,
            l1_nullifier: address("l1Nullifier")?,
            l1_native_token_vault: address("l1NativeTokenVault")?,
            diamond_proxy: address("diamondProxy")?,
            l1_erc20_bridge: optional_address("l1Erc20Bridge")?,
            l2_legacy_shared_bridge: optional_address("l2LegacySharedBridge")?,
            l1_weth: optional_address("l1Weth")?,
            custom_bridges: match members.optional("customBridges") {
                Some(bridges) => read_bridges(&bridges)?,
                None => Vec::new(),
            },
            settlement_layers: match members.optional("settlementLayers") {
                Some(layers) => {
                    layers.items()?.iter().map(|layer| layer.count(MAX_CHAIN_ID)).collect::<Result<_, _>>()?
                }
                None => Vec::new(),
            },
            tokens: match members.optional("tokens") {
                Some(tokens) => PinnedToken::read_list(&tokens)?,
                None => Vec::new(),
            },
            priority_tx_max_gas_limit: match members.optional("priorityTxMaxGasLimit") {
                Some(cursor) => cursor.count(u64::MAX)?,
                None => 72_000_000,
            },
            source: match members.optional("source") {
                Some(cursor) => cursor.text()?.to_owned(),
                None => String::new(),
            },
            origin,
        })
    }

    /// The second bridge of this name.
    pub fn custom_bridge(&self, name: &str) -> Option<Address> {
        self.custom_bridges.iter().find(|(known, _)| known == name).map(|(_, address)| *address)
    }

    /// Two roles at one address: a call meant for one would be taken for the other.
    fn judge_roles(&self) -> Result<(), Refusal> {
        let contracts = self.contracts();
        for (index, (field, address)) in contracts.iter().enumerate() {
            if let Some((other, _)) = contracts.iter().take(index).find(|(_, known)| known == address) {
                return Err(Refusal::new(
                    Code::NETWORK_INVALID,
                    if *field == "customBridge" { "/customBridges".to_owned() } else { format!("/{field}") },
                    format!("{address} is the {other} and the {field} at once"),
                    "copy each address from the chain's own documentation",
                ));
            }
        }
        match self.base_token {
            BaseToken::Erc20(token) if contracts.iter().any(|(_, contract)| *contract == token) => Err(Refusal::new(
                Code::NETWORK_INVALID,
                "/baseToken",
                format!("{token} is a contract of the bridge or wrapped ether, no base token"),
                "write \"eth\" for a chain that runs on ETH, or the address of its ERC-20",
            )),
            _ => Ok(()),
        }
    }

    /// The whole description, as a document that `--network-file` reads (under another name).
    pub fn to_json(&self) -> Json {
        let optional = |address: Option<Address>| address.map_or(Json::Null, Json::display);
        let mut members = vec![
            ("schema", Json::text(SCHEMA)),
            ("name", Json::text(self.name.as_str())),
            ("l1ChainId", Json::count(self.l1_chain_id)),
            ("l2ChainId", Json::count(self.l2_chain_id)),
            (
                "vm",
                Json::text(match self.vm {
                    Vm::EraVm => "eravm",
                    Vm::ZkSyncOs => "zksync-os",
                }),
            ),
            ("protocolVersion", Json::display(self.protocol_version)),
            (
                "baseToken",
                match self.base_token {
                    BaseToken::Eth => Json::text("eth"),
                    BaseToken::Erc20(token) => Json::display(token),
                },
            ),
            ("bridgehub", Json::display(self.bridgehub)),
            ("l1AssetRouter", Json::display(self.l1_asset_router)),
            ("l1Nullifier", Json::display(self.l1_nullifier)),
            ("l1NativeTokenVault", Json::display(self.l1_native_token_vault)),
            ("diamondProxy", Json::display(self.diamond_proxy)),
            ("l1Erc20Bridge", optional(self.l1_erc20_bridge)),
            ("l2LegacySharedBridge", optional(self.l2_legacy_shared_bridge)),
            ("l1Weth", optional(self.l1_weth)),
        ];
        if !self.custom_bridges.is_empty() {
            let bridges = self.custom_bridges.iter().map(|(name, address)| (name.as_str(), Json::display(address)));
            members.push(("customBridges", Json::object(bridges)));
        }
        if !self.tokens.is_empty() {
            members.push(("tokens", Json::Array(self.tokens.iter().map(PinnedToken::to_json).collect())));
        }
        if !self.settlement_layers.is_empty() {
            let layers = self.settlement_layers.iter().map(|layer| Json::count(*layer));
            members.push(("settlementLayers", Json::Array(layers.collect())));
        }
        members.extend([
            ("priorityTxMaxGasLimit", Json::count(self.priority_tx_max_gas_limit)),
            ("source", Json::text(self.source.as_str())),
        ]);
        Json::object(members)
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

fn read_bridges(cursor: &Cursor<'_>) -> Result<Vec<(String, Address)>, Refusal> {
    let entries = cursor.entries()?;
    entries
        .iter()
        .map(|(name, value)| {
            let bridge = cursor.member(name, value);
            let address = bridge.address(Spelling::AnyCase)?;
            let plain = (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            // Bridgehub: SecondBridgeAddressTooLow up to 0xffff.
            if address.is_system() || !plain {
                return Err(bridge.refuse(
                    Code::NETWORK_INVALID,
                    format!("{} at {address} is no bridge", shown(name)),
                    "name it with up to 40 letters, digits and hyphens, and copy its address from its own documentation",
                ));
            }
            Ok((name.clone(), address))
        })
        .collect()
}

fn name(cursor: &Cursor<'_>) -> Result<String, Refusal> {
    let name = cursor.label()?;
    let plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if plain {
        return Ok(name.to_owned());
    }
    Err(cursor.refuse(
        Code::NETWORK_INVALID,
        format!("\"{}\" is not a name of up to 40 lower-case letters, digits and hyphens", printable(name)),
        "choose a plain name, for example my-chain-mainnet",
    ))
}

fn protocol_version(cursor: &Cursor<'_>, vm: Vm) -> Result<ProtocolVersion, Refusal> {
    // ZKsync OS came with v30; before it the contracts know EraVM's gas rule alone.
    let first = match vm {
        Vm::EraVm => 24,
        Vm::ZkSyncOs => 30,
    };
    let text = cursor.text()?;
    let mut parts = text.split('.').map(|part| part.parse::<u32>().ok().filter(|number| number.to_string() == part));
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Some(0)), Some(Some(minor)), Some(Some(patch)), None) if (first..=31).contains(&minor) => {
            Ok(ProtocolVersion { minor, patch })
        }
        _ => Err(cursor
            .refuse(
                Code::NETWORK_INVALID,
                format!("\"{}\" is not a protocol version from 0.{first}.0 to 0.31.x", printable(text)),
                "write the version that getSemverProtocolVersion answers; a newer one needs a newer coldbridge",
            )
            .values(format!("0.{first}.0 to 0.31.x"), printable(text))),
    }
}

/// The networks that a program knows.
#[derive(Debug, Clone)]
pub struct Networks {
    known: Vec<Network>,
}

impl Networks {
    /// The pinned ones.
    #[allow(clippy::missing_panics_doc)] // the files are compiled in, and a test reads them
    pub fn pinned() -> Self {
        let known = PINNED
            .iter()
            .map(|text| {
                parse(text.as_bytes())
                    .and_then(|json| Network::read(&json, Origin::Pinned))
                    .expect("the embedded networks are read by a test")
            })
            .collect();
        Self { known }
    }

    /// These and the one that an operator describes.
    ///
    /// # Errors
    /// Also `network.invalid` for one that takes the name of a known network or the chains of a pinned one.
    pub fn with(mut self, json: &Json) -> Result<Self, Refusal> {
        let mut network = Network::read(json, Origin::File)?;
        network.judge_roles()?;
        network.judge_tokens()?;
        if let Some(known) = self.known.iter().find(|known| known.name == network.name) {
            return Err(Refusal::new(
                Code::NETWORK_INVALID,
                "/name",
                format!("the name \"{}\" is taken", known.name),
                "choose another name: what a name means must not depend on a file",
            ));
        }
        let chains = |network: &Network| (network.l1_chain_id, network.l2_chain_id);
        if let Some(known) =
            self.known.iter().find(|known| known.origin == Origin::Pinned && chains(known) == chains(&network))
        {
            return Err(Refusal::new(
                Code::NETWORK_INVALID,
                "/l2ChainId",
                format!(
                    "chains {} and {} are those of the pinned network {}",
                    known.l1_chain_id, known.l2_chain_id, known.name
                ),
                "use the pinned network: other contracts on the same chains are how money is led astray",
            ));
        }
        // What is pinned for an L1 holds for every network on it: its Bridgehub has one set of bridges, and its ether one wrapper.
        for known in
            self.known.iter().filter(|known| known.origin == Origin::Pinned && known.l1_chain_id == network.l1_chain_id)
        {
            network.l1_weth = network.l1_weth.or(known.l1_weth);
            if known.bridgehub == network.bridgehub && network.settlement_layers.is_empty() {
                network.settlement_layers.clone_from(&known.settlement_layers);
            }
            network.judge_tokens_against(known)?;
            let shared = [
                ("/l1AssetRouter", known.l1_asset_router, network.l1_asset_router),
                ("/l1Nullifier", known.l1_nullifier, network.l1_nullifier),
                ("/l1NativeTokenVault", known.l1_native_token_vault, network.l1_native_token_vault),
            ];
            let other =
                shared.into_iter().find(|(_, pinned, own)| known.bridgehub == network.bridgehub && pinned != own);
            if let Some((at, pinned, own)) = other {
                return Err(Refusal::new(
                    Code::NETWORK_INVALID,
                    at,
                    format!("{own}, but the Bridgehub of the pinned network {} works with {pinned}", known.name),
                    format!("write {pinned}, or the Bridgehub of the other ecosystem"),
                )
                .values(pinned, own));
            }
        }
        // A signature for one layer of a network must never be valid on another layer of another.
        let crossed = self.known.iter().filter(|known| known.origin == Origin::Pinned).find_map(|known| {
            let ids = [
                ("/l2ChainId", network.l2_chain_id, known.l1_chain_id),
                ("/l1ChainId", network.l1_chain_id, known.l2_chain_id),
            ];
            ids.into_iter().find(|(_, own, other)| own == other).map(|(at, id, _)| (at, id, &known.name))
        });
        if let Some((at, id, known)) = crossed {
            return Err(Refusal::new(
                Code::NETWORK_INVALID,
                at,
                format!("chain {id} is on the other layer of the pinned network {known}"),
                "write the chain id that eth_chainId answers on that layer",
            ));
        }
        self.known.push(network);
        Ok(self)
    }

    /// All of them, pinned ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.known.iter()
    }

    /// The network of this name.
    pub fn named(&self, cursor: &Cursor<'_>) -> Result<&Network, Refusal> {
        let name = cursor.label()?;
        self.find(name).ok_or_else(|| {
            let known = self.known.iter().map(|network| network.name.as_str()).collect::<Vec<_>>().join(", ");
            cursor
                .refuse(
                    Code::NETWORK_UNKNOWN,
                    format!("no network is called \"{name}\""),
                    format!("name one of {known}, or describe your own with --network-file"),
                )
                .values(known, name)
        })
    }

    /// The network of this name, if there is one.
    pub fn find(&self, name: &str) -> Option<&Network> {
        self.known.iter().find(|network| network.name == name)
    }

    /// Every network and layer with this chain id.
    pub fn with_chain_id(&self, chain_id: u64) -> impl Iterator<Item = (&Network, Layer)> {
        self.known.iter().flat_map(move |network| {
            [Layer::L1, Layer::L2]
                .into_iter()
                .filter(move |layer| network.chain_id(*layer) == chain_id)
                .map(move |layer| (network, layer))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_networks_read_back() {
        let networks = Networks::pinned();
        assert_eq!(networks.known.len(), PINNED.len());
        for (network, text) in networks.iter().zip(PINNED) {
            let json = parse(text.as_bytes()).expect("embedded");
            assert_eq!(network.to_json(), json, "{}: checksummed, every member, in order", network.name);
            network.judge_roles().expect("one role an address");
            network.judge_tokens().expect("no contradiction");
            for (field, address) in network.contracts() {
                assert!(text.contains(&address.to_string()), "{}: {field}", network.name);
            }
        }
    }

    #[test]
    fn a_file_can_not_redefine_a_pinned_network() {
        let json = parse(PINNED[0].as_bytes()).expect("embedded");
        let refusal = Networks::pinned().with(&json).expect_err("the name is taken");
        assert_eq!((refusal.code(), refusal.at()), (Code::NETWORK_INVALID, "/name"));
    }
}
