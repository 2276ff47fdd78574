//! The facts of a request to L2: the diamond's fee parameters and multiplier, and the gas that the L2 side takes.
//!
//! There is no getter for `FeeParams`: storage slot 38 holds it. Where getters tell parts of it they must agree, and the
//! Bridgehub's own base cost must be the one that follows.

use coldbridge::network::{Network, Vm};
use coldbridge::priority::{
    BaseTokenGasPriceMultiplier, FeeParams, PriorityRequestFacts, PubdataPricingMode, REQUIRED_GAS_PER_PUBDATA,
};
use coldbridge::units::Gas;
use coldbridge::{Code, Refusal};
use ethabi::ethereum_types::U256;
use serde_json::{Map, Value, json};

use crate::contract::{Contract, hex_text, is_missing, is_revert, word_of_count};
use crate::prepare::facts::Choices;
use crate::prepare::l2_call::{L2Call, L2Side};
use crate::prepare::pins::Silent;
use crate::prepare::way::would_revert;
use crate::quorum::Quorum;

/// Storage slot 38 of the diamond.
const FEE_PARAMS_SLOT: u8 = 0x26;
/// Storage slot 45 of the diamond.
const MULTIPLIER_SLOT: u8 = 0x2d;
/// What a call gets on L2 that nobody estimates: a bridge's first deposit of a token took 1,605,643, its later ones less.
const FALLBACK: u64 = 3_000_000;

/// Reads fee parameters and multiplier.
///
/// # Errors
/// `relay.answer` for words that can not be those, `relay.disagree` where getters say something else, `relay.pinned` for
/// another gas ceiling.
pub fn read(nodes: &Quorum, network: &Network, remarks: &mut Vec<String>) -> Result<PriorityRequestFacts, Refusal> {
    let diamond = Contract { nodes, name: "diamond", address: network.diamond_proxy };
    let slot = "storage slot 0x26";
    let params = FeeParams::from_storage_word(diamond.storage(FEE_PARAMS_SLOT)?)
        .ok_or_else(|| diamond.strange(slot, "holds no fee parameters"))?;
    if [params.max_pubdata_per_batch, params.max_l2_gas_per_batch, params.priority_tx_max_pubdata].contains(&0) {
        return Err(diamond.strange(slot, "holds fee parameters of zero"));
    }
    let multiplier = BaseTokenGasPriceMultiplier::from_storage_word(diamond.storage(MULTIPLIER_SLOT)?);
    if multiplier.nominator == 0 || multiplier.denominator == 0 {
        return Err(diamond.strange("storage slot 0x2d", "holds a multiplier of zero"));
    }
    let mode = match params.pubdata_pricing_mode {
        PubdataPricingMode::Rollup => 0,
        PubdataPricingMode::Validium => 1,
    };
    let told = [
        ("getPubdataPricingMode()", U256::from(mode)),
        ("baseTokenGasPriceMultiplierNominator()", U256::from(multiplier.nominator)),
        ("baseTokenGasPriceMultiplierDenominator()", U256::from(multiplier.denominator)),
    ];
    let mut silent = Silent(Vec::new());
    for (getter, stored) in told {
        let Some(word) = silent.heard(diamond.name, getter, diamond.try_word(getter, &[])?) else { continue };
        let actual = U256::from_big_endian(&word);
        if actual != stored {
            return Err(disagree(nodes, &format!("{getter} of the diamond"), stored, actual));
        }
    }
    let getter = "getPriorityTxMaxGasLimit()";
    let pinned = network.priority_tx_max_gas_limit;
    if let Some(word) = silent.heard(diamond.name, getter, diamond.try_word(getter, &[])?) {
        let ceiling = U256::from_big_endian(&word);
        if ceiling != U256::from(pinned) {
            return Err(Refusal::new(
                Code::RELAY_PINNED,
                "/intent/network",
                format!("{getter} of the diamond says {ceiling}, {} pins {pinned}", network.name),
                "use a coldbridge, or a network file, that knows the chain as it is",
            )
            .values(pinned, ceiling));
        }
    }
    silent.report(nodes, remarks);
    Ok(PriorityRequestFacts {
        l2_gas_limit: Gas::from(1),
        gas_per_pubdata: Gas::from(REQUIRED_GAS_PER_PUBDATA),
        fee_params: params,
        multiplier,
    })
}

/// The parameters that chains are created with, for a plan that is only looked at.
pub fn provisional() -> PriorityRequestFacts {
    PriorityRequestFacts {
        l2_gas_limit: Gas::from(1),
        gas_per_pubdata: Gas::from(REQUIRED_GAS_PER_PUBDATA),
        fee_params: FeeParams {
            pubdata_pricing_mode: PubdataPricingMode::Rollup,
            batch_overhead_l1_gas: 1_000_000,
            max_pubdata_per_batch: 120_000,
            max_l2_gas_per_batch: 80_000_000,
            priority_tx_max_pubdata: 99_000,
            minimal_l2_gas_price: 250_000_000,
        },
        multiplier: BaseTokenGasPriceMultiplier { nominator: 1, denominator: 1 },
    }
}

/// Compares the base cost that follows from the facts with the one that the Bridgehub states for them.
///
/// # Errors
/// `relay.disagree`.
pub fn judge_base_cost(
    nodes: &Quorum,
    network: &Network,
    (cap, gas): (U256, Gas),
    base_cost: U256,
    remarks: &mut Vec<String>,
) -> Result<(), Refusal> {
    let bridgehub = Contract { nodes, name: "Bridgehub", address: network.bridgehub };
    let arguments =
        [word_of_count(network.l2_chain_id), word(cap), word(gas.get()), word_of_count(REQUIRED_GAS_PER_PUBDATA)];
    let getter = "l2TransactionBaseCost(uint256,uint256,uint256,uint256)";
    let Some(stated) = bridgehub.try_word(getter, &arguments)? else {
        remarks.push("the Bridgehub does not state the base cost: it was not compared".to_owned());
        return Ok(());
    };
    let stated = U256::from_big_endian(&stated);
    if stated == base_cost {
        return Ok(());
    }
    Err(disagree(nodes, "l2TransactionBaseCost of the Bridgehub", base_cost, stated))
}

fn word(value: U256) -> [u8; 32] {
    let mut word = [0; 32];
    value.to_big_endian(&mut word);
    word
}

fn disagree(nodes: &Quorum, what: &str, stored: U256, actual: U256) -> Refusal {
    Refusal::new(
        Code::RELAY_DISAGREE,
        "/facts/priorityRequest",
        format!("{what} says {actual}, the storage words that the same nodes ({}) gave say {stored}", nodes.hosts()),
        "run the same command again, in case the chain changed them just now; else use another endpoint",
    )
    .values(stored, actual)
}

/// The gas limit of the L2 side: what the node estimates with the margin on top, and never below the floor of L1.
///
/// The floor is no promise: a first deposit of a token with 1,000,000 gas passed L1 and failed on L2, where 1,605,643 were
/// needed. So without an estimate a call gets what was measured, with room, and the caller is told in capitals.
pub fn l2_gas_limit(
    nodes: &Quorum,
    network: &Network,
    side: &L2Side,
    (floor, ceiling): (u64, u64),
    choices: &Choices,
    remarks: &mut Vec<String>,
) -> Result<u64, Refusal> {
    let answer = match side {
        L2Side::Call(call) | L2Side::Bridge(call) => ask(nodes, network, call)?,
        L2Side::Unknown(why) => Err((*why).to_owned()),
    };
    let is_plain = |call: &L2Call| call.data.is_empty() && call.factory_deps.is_empty();
    match (answer, side) {
        // The margin does not carry it over what the Mailbox takes.
        (Ok(gas), _) => Ok(choices.with_margin(gas.max(floor)).min(ceiling.max(gas))),
        (Err(why), L2Side::Call(call)) if is_plain(call) => {
            remarks.push(format!(
                "what a transfer takes on L2 is not estimated ({why}): l2GasLimit is the floor of L1 with room"
            ));
            Ok(choices.with_margin(floor))
        }
        (Err(why), _) => {
            let limit = FALLBACK.max(choices.with_margin(floor)).min(ceiling);
            remarks.push(format!(
                "WHAT THE CALL TAKES ON L2 IS NOT ESTIMATED ({why}): l2GasLimit is {limit}. If that is not enough, it fails on L2, \
                 and only a token's deposit can be claimed; --l2-gas-limit states another"
            ));
            Ok(limit)
        }
    }
}

/// `zks_estimateGasL1ToL2`, else `eth_estimateGas` of the same call: on ZKsync OS there is nothing else.
fn ask(nodes: &Quorum, network: &Network, call: &L2Call) -> Result<Result<u64, String>, Refusal> {
    let plain = json!({
        "from": call.from.to_string(),
        "to": call.to.to_string(),
        "value": format!("{:#x}", call.value),
        "data": hex_text(&call.data),
    });
    if network.vm == Vm::EraVm {
        let mut meta = Map::new();
        meta.insert("gasPerPubdata".to_owned(), json!(format!("{REQUIRED_GAS_PER_PUBDATA:#x}")));
        if !call.factory_deps.is_empty() {
            // Arrays of numbers, not hex.
            meta.insert("factoryDeps".to_owned(), json!(call.factory_deps));
        }
        let mut with_meta = plain.clone();
        if let Some(members) = with_meta.as_object_mut() {
            members.insert("eip712Meta".to_owned(), Value::Object(meta));
        }
        match nodes.gas("zks_estimateGasL1ToL2", &json!([with_meta]))? {
            Ok(gas) => return Ok(Ok(gas)),
            Err(error) if is_missing(&error) && call.factory_deps.is_empty() => {}
            Err(error) if is_revert(&error) => return Err(would_revert(nodes, "the L2 side of the request", &error)),
            Err(error) => return Ok(Err(error.message)),
        }
    }
    Ok(match nodes.gas("eth_estimateGas", &json!([plain]))? {
        Ok(gas) => Ok(gas),
        // The account need not have on L2 what the request brings there: that is no verdict.
        Err(error) if is_revert(&error) && call.value.is_zero() => {
            return Err(would_revert(nodes, "the L2 side of the request", &error));
        }
        Err(error) => Err(error.message),
    })
}
