//! The contracts that the network pins, compared with what the chain says of them.
//!
//! A signed call goes to a pinned address whatever a node says. But a chain that names other contracts is not that network, or
//! has been upgraded: what would be signed for it is refused here, and not found out by a revert.

use coldbridge::asset::AssetId;
use coldbridge::network::{BaseToken, Network};
use coldbridge::{Address, Code, Refusal};
use serde_json::json;

use crate::answer::address;
use crate::contract::{Contract, is_missing, word_of_count};
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
        pinned.extend(network.l1_erc20_bridge.map(|bridge| (router, "legacyBridge()", None, bridge)));
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
    let mut numbers = vec![(diamond.name, "getChainId()", network.l2_chain_id, diamond.word("getChainId()", &[])?)];
    numbers.push((diamond.name, "storage slot 0x28", network.l2_chain_id, diamond.storage(CHAIN_ID_SLOT)?));
    if network.has_asset_router() {
        let word = bridgehub.word("L1_CHAIN_ID()", &[])?;
        numbers.push((bridgehub.name, "L1_CHAIN_ID()", network.l1_chain_id, word));
    }
    for (name, getter, expected, word) in numbers {
        let actual = count_of(word).map_or_else(|| format!("0x{}", hex::encode(word)), |count| count.to_string());
        judge(name, getter, expected.to_string(), actual, network)?;
    }
    let stored = diamond.storage(BRIDGEHUB_SLOT)?;
    let stored = address_of(stored).map_or_else(|| format!("0x{}", hex::encode(stored)), |address| address.to_string());
    judge(diamond.name, "storage slot 0x29", network.bridgehub.to_string(), stored, network)?;
    judge_version(&diamond, network, remarks)
}

/// What the L2 chain says of its L1: a chain of another ecosystem, or the wrong URL.
///
/// # Errors
/// `relay.pinned` at the first difference.
pub fn judge_l2(nodes: &Quorum, network: &Network, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    match nodes.ask("zks_getBridgehubContract", &json!([]), address)? {
        Ok(actual) => judge("L2 node", "zks_getBridgehubContract", network.bridgehub, actual, network)?,
        Err(error) if is_missing(&error) => {
            remarks.push("the L2 node has no zks_getBridgehubContract: its Bridgehub was not compared".to_owned());
        }
        Err(error) => return Err(refused(nodes, "zks_getBridgehubContract", &error.message)),
    }
    if !network.has_asset_router() {
        return Ok(());
    }
    let router = Contract { nodes, name: "L2AssetRouter", address: L2_ASSET_ROUTER };
    let getter = "L1_ASSET_ROUTER()";
    let actual = address_of(router.word(getter, &[])?).ok_or_else(|| router.strange(getter, "returns no address"))?;
    judge(router.name, getter, network.l1_asset_router, actual, network)?;
    // A base token may itself be native to another chain; ETH is native to L1.
    if network.base_token == BaseToken::Eth {
        let vault = Contract { nodes, name: "L2NativeTokenVault", address: L2_NATIVE_TOKEN_VAULT };
        let getter = "BASE_TOKEN_ASSET_ID()";
        let expected = AssetId::native_token_vault(network.l1_chain_id, Address::ETH_TOKEN);
        judge(vault.name, getter, expected, AssetId(vault.word(getter, &[])?), network)?;
    }
    Ok(())
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
fn judge_version(diamond: &Contract<'_>, network: &Network, remarks: &mut Vec<String>) -> Result<(), Refusal> {
    let getter = "getProtocolVersion()";
    let packed = count_of(diamond.word(getter, &[])?).ok_or_else(|| diamond.strange(getter, "returns no version"))?;
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
