//! The description of a network as a document: read strictly, judged by itself, written again.

use super::{BaseToken, MAX_CHAIN_ID, Network, Origin, PinnedToken, ProtocolVersion, Vm};
use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::refusal::{Code, Refusal, printable, shown};

const SCHEMA: &str = "coldbridge/network/1";

impl Network {
    /// Reads a description. A pinned network and one of a file are told apart by `origin`.
    pub(super) fn read(json: &Json, origin: Origin) -> Result<Self, Refusal> {
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

    /// Two roles at one address: a call meant for one would be taken for the other.
    pub(super) fn judge_roles(&self) -> Result<(), Refusal> {
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
