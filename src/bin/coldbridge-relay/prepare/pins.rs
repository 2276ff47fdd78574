//! The contracts that the network pins, compared with what the chain says of them.
//!
//! A signed call goes to a pinned address whatever a node says. But a chain that names other contracts is not that network, or
//! has been upgraded: what would be signed for it is refused here, and not found out by a revert.

use coldbridge::asset::AssetId;
use coldbridge::network::{BaseToken, Network};
use coldbridge::{Address, Code, Refusal};
use serde_json::json;

use crate::answer::address;
use crate::contract::{Contract, word_of, word_of_count};
use crate::number::{address_of, count_of};
use crate::quorum::Quorum;

/// L2AssetRouter and L2NativeTokenVault, built in since v26.
const L2_ASSET_ROUTER: Address = user_space(0x03);
const L2_NATIVE_TOKEN_VAULT: Address = user_space(0x04);
/// Storage slots 40 and 41 of the diamond: its chain id and Bridgehub. They also show that slots 38 and 45 are the fee
/// parameters and the multiplier: the layout is one.
const CHAIN_ID_SLOT: u8 = 0x28;
const BRIDGEHUB_SLOT: u8 = 0x29;

const fn user_space(low: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[17] = 1;
    bytes[19] = low;
    Address::from_bytes(bytes)
}

/// The L1 contracts, as far as the pinned protocol version has them.
///
/// # Errors
/// `relay.pinned` at the first difference, `relay.protocol_version` for another minor version.
pub fn judge_l1(nodes: &Quorum, network: &Network, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    let bridgehub = Contract { nodes, name: "Bridgehub", address: network.bridgehub };
    let diamond = Contract { nodes, name: "diamond", address: network.diamond_proxy };
    let router = Contract { nodes, name: "asset router", address: network.l1_asset_router };
    let chain = word_of_count(network.l2_chain_id);
    let base_token = match network.base_token {
        BaseToken::Eth => Address::ETH_TOKEN,
        BaseToken::Erc20(token) => token,
    };
    let mut pinned = vec![(bridgehub, "baseToken(uint256)", Some(chain), base_token)];
    if network.has_asset_router() {
        pinned.extend([
            (bridgehub, "getZKChain(uint256)", Some(chain), network.diamond_proxy),
            (bridgehub, "assetRouter()", None, network.l1_asset_router),
            (router, "L1_NULLIFIER()", None, network.l1_nullifier),
            (router, "nativeTokenVault()", None, network.l1_native_token_vault),
        ]);
    } else {
        pinned.extend([
            (bridgehub, "getHyperchain(uint256)", Some(chain), network.diamond_proxy),
            (bridgehub, "sharedBridge()", None, network.second_bridge()),
        ]);
    }
    for (contract, getter, argument, expected) in pinned {
        let word = contract.word(getter, argument.as_slice())?;
        let actual = address_of(word).ok_or_else(|| contract.strange(getter, "returns no address"))?;
        judge(contract.name, getter, expected, actual, network)?;
    }
    // A node that says nothing here gains nothing: it could as well repeat what is pinned.
    let mut silent = Silent(Vec::new());
    let mut more = vec![
        (diamond.name, "getChainId()", word_of_count(network.l2_chain_id), diamond.try_word("getChainId()", &[])?),
        (diamond.name, "storage slot 0x28", word_of_count(network.l2_chain_id), diamond.try_storage(CHAIN_ID_SLOT)?),
        (diamond.name, "storage slot 0x29", word_of(network.bridgehub), diamond.try_storage(BRIDGEHUB_SLOT)?),
    ];
    if network.has_asset_router() {
        let getter = "L1_CHAIN_ID()";
        more.push((bridgehub.name, getter, word_of_count(network.l1_chain_id), bridgehub.try_word(getter, &[])?));
        let getter = "legacyBridge()";
        if let Some(bridge) = network.l1_erc20_bridge {
            more.push((router.name, getter, word_of(bridge), router.try_word(getter, &[])?));
        }
    }
    for (name, getter, expected, actual) in more {
        if let Some(actual) = silent.heard(name, getter, actual) {
            judge(name, getter, in_words(expected), in_words(actual), network)?;
        }
    }
    let getter = "getProtocolVersion()";
    if let Some(word) = silent.heard(diamond.name, getter, diamond.try_word(getter, &[])?) {
        let packed = count_of(word).ok_or_else(|| diamond.strange(getter, "returns no version"))?;
        judge_version(packed, network, remarks)?;
    }
    silent.report(nodes, remarks);
    Ok(())
}

/// What the L2 chain says of its L1: a chain of another ecosystem, or the wrong URL.
///
/// # Errors
/// `relay.pinned` at the first difference.
pub fn judge_l2(nodes: &Quorum, network: &Network, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    let mut silent = Silent(Vec::new());
    let (name, method) = ("node", "zks_getBridgehubContract");
    if let Some(actual) = silent.heard(name, method, nodes.ask(method, &json!([]), address)?.ok()) {
        judge(name, method, network.bridgehub, actual, network)?;
    }
    if network.has_asset_router() {
        let router = Contract { nodes, name: "L2AssetRouter", address: L2_ASSET_ROUTER };
        let mut more = vec![(router, "L1_ASSET_ROUTER()", word_of(network.l1_asset_router))];
        // A base token may itself be native to another chain; ETH is native to L1.
        if network.base_token == BaseToken::Eth {
            let vault = Contract { nodes, name: "L2NativeTokenVault", address: L2_NATIVE_TOKEN_VAULT };
            let eth = AssetId::native_token_vault(network.l1_chain_id, Address::ETH_TOKEN);
            more.push((vault, "BASE_TOKEN_ASSET_ID()", eth.0));
        }
        for (contract, getter, expected) in more {
            if let Some(actual) = silent.heard(contract.name, getter, contract.try_word(getter, &[])?) {
                judge(contract.name, getter, in_words(expected), in_words(actual), network)?;
            }
        }
    }
    silent.report(nodes, remarks);
    Ok(())
}

/// What was asked for and not answered.
pub struct Silent(pub Vec<String>);

impl Silent {
    /// Takes down what is not there.
    pub fn heard<T>(&mut self, contract: &str, getter: &str, answer: Option<T>) -> Option<T> {
        if answer.is_none() {
            self.0.push(format!("{getter} of the {contract}"));
        }
        answer
    }

    /// Says what was not there.
    pub fn report(self, nodes: &Quorum, remarks: &mut Vec<String>) {
        if !self.0.is_empty() {
            remarks.push(format!("not answered by {}, and so not compared: {}", nodes.layer(), self.0.join(", ")));
        }
    }
}

/// A word as an address or a number, if it looks like one.
fn in_words(word: [u8; 32]) -> String {
    match (count_of(word), address_of(word)) {
        (Some(count), _) => count.to_string(),
        (None, Some(address)) => address.to_string(),
        (None, None) => format!("0x{}", hex::encode(word)),
    }
}

/// The refusal of a read that the nodes answered with an error.
pub fn refused(nodes: &Quorum, method: &str, message: &str) -> Refusal {
    Refusal::new(
        Code::RELAY_NETWORK,
        "",
        format!("{method} of {} at {}: {message}", nodes.layer(), nodes.hosts()),
        "check the endpoint and run the same command again",
    )
}

fn judge<T: PartialEq + std::fmt::Display>(
    contract: &str,
    getter: &str,
    expected: T,
    actual: T,
    network: &Network,
) -> Result<(), Refusal> {
    if expected == actual {
        return Ok(());
    }
    Err(Refusal::new(
        Code::RELAY_PINNED,
        "/intent/network",
        format!("{getter} of the {contract} says {actual}, {} pins {expected}", network.name),
        "check that the endpoint serves this network; if it does, the chain was upgraded: use a coldbridge that knows it",
    )
    .values(expected, actual))
}

/// `getProtocolVersion()` is minor << 32 | patch. The rules of another minor version are other rules.
fn judge_version(packed: u64, network: &Network, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    let (minor, patch) = (packed >> 32, packed & u64::from(u32::MAX));
    let pinned = network.protocol_version;
    if minor != u64::from(pinned.minor) {
        return Err(Refusal::new(
            Code::RELAY_PROTOCOL_VERSION,
            "/intent/network",
            format!("the chain runs protocol 0.{minor}.{patch}, the rules of {} are those of {pinned}", network.name),
            "use a coldbridge, or a network file, of the chain's version",
        )
        .values(pinned, format!("0.{minor}.{patch}")));
    }
    if patch != u64::from(pinned.patch) {
        remarks.push(format!("the chain runs protocol 0.{minor}.{patch}; {} pins {pinned}", network.name));
    }
    Ok(())
}
