//! The networks that a program knows: those that are pinned, and those of an operator's files, which can not take their place.

use super::{Layer, Network, Origin};
use crate::json::{Cursor, Json, parse};
use crate::refusal::{Code, Refusal};

const PINNED: &[&str] =
    &[include_str!("era-mainnet.json"), include_str!("era-sepolia.json"), include_str!("local.json")];

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
