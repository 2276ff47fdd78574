//! A made-up L1 for any network: it answers as the contracts would whose addresses the network pins.
//!
//! The shapes are those of the recorded node; getters, slots and the formula of the base cost stand in the contracts
//! (era-contracts 5e7d0b405), written out here once more and not taken from coldbridge.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rpc::Reply;

/// Selectors of getters, as `cast sig` gives them.
pub mod getter {
    pub const BASE_TOKEN: &str = "0x59ec65a2";
    pub const GET_ZK_CHAIN: &str = "0xe680c4c1";
    pub const GET_HYPERCHAIN: &str = "0xdead6f7f";
    pub const ASSET_ROUTER: &str = "0xbc0aac10";
    pub const SHARED_BRIDGE: &str = "0x38720778";
    pub const L1_CHAIN_ID: &str = "0x2f90b184";
    pub const SETTLEMENT_LAYER: &str = "0x671a7131";
    pub const PAUSED: &str = "0x5c975abb";
    pub const L1_NULLIFIER: &str = "0xe60ccaba";
    pub const NATIVE_TOKEN_VAULT: &str = "0x64e130cf";
    pub const LEGACY_BRIDGE: &str = "0x6e9d7899";
    pub const GET_CHAIN_ID: &str = "0x3408e470";
    pub const GET_PROTOCOL_VERSION: &str = "0x33ce93fe";
    pub const GET_PRIORITY_TX_MAX_GAS_LIMIT: &str = "0x0ec6b0b7";
    pub const GET_TRANSACTION_FILTERER: &str = "0x22c5cf23";
    pub const NOMINATOR: &str = "0xea6c029c";
    pub const DENOMINATOR: &str = "0x1de72e34";
    pub const GET_PUBDATA_PRICING_MODE: &str = "0x06d49e5b";
    pub const BASE_COST: &str = "0x71623274";
    pub const ALLOWANCE: &str = "0xdd62ed3e";
    pub const BALANCE_OF: &str = "0x70a08231";
    pub const NAME: &str = "0x06fdde03";
    pub const SYMBOL: &str = "0x95d89b41";
    pub const DECIMALS: &str = "0x313ce567";
    pub const L1_ASSET_ROUTER: &str = "0xcdf25430";
    pub const BASE_TOKEN_ASSET_ID: &str = "0xcb944dec";
}

/// The default word of slot 38: rollup, 1,000,000 / 120,000 / 80,000,000 / 99,000 / 250,000,000.
pub const FEE_PARAMS: &str = "0x00000000000000000000000ee6b280000182b804c4b4000001d4c0000f424000";

/// A word of a number or an address in hex.
pub fn word(hex: &str) -> String {
    format!("0x{:0>64}", hex.trim_start_matches("0x").to_lowercase())
}

pub fn number(value: u128) -> String {
    word(&format!("{value:x}"))
}

/// The two layers of a network.
#[derive(Clone)]
pub struct Chain {
    network: Value,
    /// (address, selector or whole calldata) to what it returns.
    pub calls: BTreeMap<(String, String), Reply>,
    /// (address, slot) to its word.
    pub slots: BTreeMap<(String, String), String>,
    /// (layer, method) to an answer for all parameters.
    pub methods: BTreeMap<(String, String), Reply>,
    /// What accounts hold as code on L1.
    pub code: BTreeMap<String, String>,
    /// Other chains of the Bridgehub and their diamonds.
    pub zk_chains: Vec<(u64, String)>,
    multiplier: (u128, u128),
}

impl Chain {
    /// An honest chain of a network document.
    pub fn of(network: &Value) -> Self {
        let mut chain = Self {
            network: network.clone(),
            calls: BTreeMap::new(),
            slots: BTreeMap::new(),
            methods: BTreeMap::new(),
            code: BTreeMap::new(),
            zk_chains: Vec::new(),
            multiplier: (1, 1),
        };
        let at = |name: &str| network[name].as_str().unwrap_or_default().to_lowercase();
        let (hub, diamond, router) = (at("bridgehub"), at("diamondProxy"), at("l1AssetRouter"));
        let version: Vec<u128> =
            at("protocolVersion").split('.').map(|part| part.parse().expect("a version")).collect();
        let base = if at("baseToken") == "eth" { "1".to_owned() } else { at("baseToken") };
        let l2 = u128::from(network["l2ChainId"].as_u64().expect("a chain id"));
        let l1 = u128::from(network["l1ChainId"].as_u64().expect("a chain id"));
        let bridge = if version[1] >= 26 { router.clone() } else { at("l1Nullifier") };
        for (address, selector, value) in [
            (&hub, getter::BASE_TOKEN, word(&base)),
            (&hub, getter::GET_ZK_CHAIN, word(&diamond)),
            (&hub, getter::GET_HYPERCHAIN, word(&diamond)),
            (&hub, getter::ASSET_ROUTER, word(&router)),
            (&hub, getter::SHARED_BRIDGE, word(&bridge)),
            (&hub, getter::L1_CHAIN_ID, number(l1)),
            (&hub, getter::PAUSED, number(0)),
            (&hub, getter::SETTLEMENT_LAYER, number(l1)),
            (&router, getter::L1_NULLIFIER, word(&at("l1Nullifier"))),
            (&router, getter::NATIVE_TOKEN_VAULT, word(&at("l1NativeTokenVault"))),
            (&router, getter::LEGACY_BRIDGE, word(&at("l1Erc20Bridge"))),
            (&diamond, getter::GET_CHAIN_ID, number(l2)),
            (&diamond, getter::GET_PROTOCOL_VERSION, number((version[1] << 32) | version[2])),
            (&diamond, getter::GET_PRIORITY_TX_MAX_GAS_LIMIT, number(72_000_000)),
            (&diamond, getter::GET_TRANSACTION_FILTERER, number(0)),
            (&diamond, getter::GET_PUBDATA_PRICING_MODE, number(0)),
        ] {
            chain.set_call(address, selector, &value);
        }
        for (slot, value) in
            [("0x26", FEE_PARAMS.to_owned()), ("0x28", number(l2)), ("0x29", word(&hub)), ("0x3e", number(0))]
        {
            chain.slots.insert((diamond.clone(), slot.to_owned()), value);
        }
        chain.set_multiplier(1, 1);
        for (layer, method, answer) in [
            ("l1", "eth_chainId", json!(format!("{l1:#x}"))),
            ("l2", "eth_chainId", json!(format!("{l2:#x}"))),
            (
                "l1",
                "eth_feeHistory",
                json!({"oldestBlock": "0x1", "baseFeePerGas": ["0x4a817c800", "0x4a817c800"], "gasUsedRatio": [0.5]}),
            ),
            ("l1", "eth_maxPriorityFeePerGas", json!("0x3b9aca00")),
            ("l1", "eth_getTransactionCount", json!("0x7")),
            ("l2", "eth_getTransactionCount", json!("0x3")),
            ("l1", "eth_getBalance", json!("0xd3c21bcecceda1000000")),
            ("l2", "eth_getBalance", json!("0xd3c21bcecceda1000000")),
            ("l1", "eth_estimateGas", json!("0x34e2a")),
            ("l2", "eth_gasPrice", json!("0x2b275d0")),
            ("l2", "zks_getBridgehubContract", json!(hub)),
        ] {
            chain.set(layer, method, answer);
        }
        if at("vm") == "eravm" {
            chain.set("l2", "zks_estimateGasL1ToL2", json!("0x66660"));
            chain.set(
                "l2",
                "zks_estimateFee",
                json!({"gas_limit": "0x4058a", "max_fee_per_gas": "0x2b275d0", "max_priority_fee_per_gas": "0x0", "gas_per_pubdata_limit": "0xa8"}),
            );
        } else {
            // No zks_ method but zks_getBridgehubContract and the proof; the standard ones.
            chain.set("l2", "eth_estimateGas", json!("0x11170"));
            chain.set("l2", "eth_maxPriorityFeePerGas", json!("0x0"));
            chain.set(
                "l2",
                "eth_feeHistory",
                json!({"oldestBlock": "0x1", "baseFeePerGas": ["0x5f5e100", "0x5f5e100"], "gasUsedRatio": [0.0]}),
            );
        }
        // The asset ids of ETH, as they were published.
        let eth = match l1 {
            1 => "0x05e1c3ae4b9732444ae25217ac7666e46fa365fee1768de00c9fcb65532b7609",
            11_155_111 => "0x6337a96bd2cd359fa0bae3bbedfca736753213c95037ae158c5fa7c048ae2112",
            _ => "0x8df3463b1850eb1d8d1847743ea155aef6b16074db8ba81d897dc30554fb2085",
        };
        chain.set_call("0x0000000000000000000000000000000000010004", getter::BASE_TOKEN_ASSET_ID, eth);
        let router = "0x0000000000000000000000000000000000010003";
        chain.set_call(router, getter::L1_ASSET_ROUTER, &word(&at("l1AssetRouter")));
        chain
    }

    pub fn set(&mut self, layer: &str, method: &str, answer: Value) {
        self.reply(layer, method, Reply::Result(answer));
    }

    pub fn reply(&mut self, layer: &str, method: &str, reply: Reply) {
        self.methods.insert((layer.to_owned(), method.to_owned()), reply);
    }

    pub fn set_call(&mut self, address: &str, selector: &str, returned: &str) {
        let at = (address.to_lowercase(), selector.to_owned());
        self.calls.insert(at, Reply::Result(json!(returned)));
    }

    /// A function of every contract that has nothing else set for it.
    pub fn any_call(&mut self, selector: &str, returned: &str) {
        self.set_call("", selector, returned);
    }

    /// Slot 45 and the getters of its halves.
    pub fn set_multiplier(&mut self, nominator: u128, denominator: u128) {
        let diamond = self.network["diamondProxy"].as_str().expect("an address").to_lowercase();
        self.multiplier = (nominator, denominator);
        self.set_call(&diamond, getter::NOMINATOR, &number(nominator));
        self.set_call(&diamond, getter::DENOMINATOR, &number(denominator));
        self.slots.insert((diamond, "0x2d".to_owned()), format!("0x{denominator:032x}{nominator:032x}"));
    }

    pub fn answer(&self, layer: &str, method: &str, params: &Value) -> Reply {
        if let Some(reply) = self.methods.get(&(layer.to_owned(), method.to_owned())) {
            return reply.clone();
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
        match method {
            "eth_call" => {
                let (to, data) = (text(&params[0]["to"]), text(&params[0]["data"]));
                let selector = data.get(..10).unwrap_or_default();
                for (chain_id, diamond) in &self.zk_chains {
                    if data == format!("{}{chain_id:064x}", getter::GET_ZK_CHAIN) {
                        return Reply::Result(json!(word(diamond)));
                    }
                }
                // Of these arguments, or whatever they are.
                let known = self.calls.get(&(to.clone(), data.clone()));
                let known = known.or_else(|| self.calls.get(&(to, selector.to_owned())));
                if let Some(reply) = known.or_else(|| self.calls.get(&(String::new(), selector.to_owned()))) {
                    return reply.clone();
                }
                if selector == getter::BASE_COST {
                    let argument = |at: usize| u128::from_str_radix(&data[10 + 64 * at + 32..10 + 64 * (at + 1)], 16);
                    let (price, gas) = (argument(1).expect("a price"), argument(2).expect("gas"));
                    return Reply::Result(json!(number(base_cost(price, self.multiplier) * gas)));
                }
                Reply::Result(json!("0x"))
            }
            "eth_getStorageAt" => {
                let at = (text(&params[0]), text(&params[1]));
                Reply::Result(json!(self.slots.get(&at).cloned().unwrap_or_else(|| number(0))))
            }
            "eth_getCode" => {
                Reply::Result(json!(self.code.get(&text(&params[0])).cloned().unwrap_or_else(|| "0x".to_owned())))
            }
            _ => Reply::missing(),
        }
    }
}

/// `_deriveL2GasPrice` with the default parameters and 800 gas for a byte of pubdata.
pub fn base_cost(l1_gas_price: u128, (nominator, denominator): (u128, u128)) -> u128 {
    let price = l1_gas_price * nominator / denominator;
    let overhead = 1_000_000 * price;
    let pubdata = 17 * price + overhead / 120_000;
    (250_000_000 + overhead / 80_000_000).max(pubdata.div_ceil(800))
}
