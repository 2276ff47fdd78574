//! Finalize a withdrawal: have L1 pay what a message of L2 says, to whom the message says.
//!
//! | call | for | since |
//! |---|---|---|
//! | L1Nullifier.finalizeDeposit | every message | v26 |
//! | finalizeWithdrawal (form "legacy") of L1Nullifier, before v26 L1SharedBridge | not what the asset router sent | v24 |
//! | diamond.finalizeEthWithdrawal (form "legacyEth") | the base token of the Era chain | v24 |
//! | L1ERC20Bridge.finalizeWithdrawal (form "legacyBridge") | legacy ERC-20 messages of the Era chain | v24 |
//!
//! The three legacy functions do not take the message's sender: they put 0x800a or the legacy bridge in its place, so that a
//! message of the asset router (0x10003) is never found there (`InvalidProof`, or `LegacyBridgeNotSet`).
//! Anyone may finalize, and only the message's receiver is paid: a wrong message costs gas, not the withdrawal.
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/bridge/L1Nullifier.sol>

mod recognise;

use super::evidence::{Evidence, judge_origin, origin_of};
use super::{Body, Call, CallGas, Check, Context, Movement, Operation, Plan, TokenName};
use crate::abi::{self, Function, ParamType, Token};
use crate::address::{Address, Spelling};
use crate::asset::AssetId;
use crate::json::{Cursor, Json};
use crate::message::{Kind, Message};
use crate::network::{Layer, Network, TokenOrigin};
use crate::proof::L2Log;
use crate::refusal::{Code, Refusal, contract_error};
use crate::units::Wei;
use recognise::{recognise, words};

/// The row of the list.
pub const OPERATION: Operation = Operation {
    name: "finalizeWithdrawal",
    layers: &[Layer::L1],
    summary: "Have L1 pay a withdrawal that L2 has sent a message about",
    functions: &[&FINALIZE_DEPOSIT, &FINALIZE_WITHDRAWAL, &FINALIZE_ETH_WITHDRAWAL, &FINALIZE_ERC20_WITHDRAWAL],
    options: &[],
    facts: &["withdrawal"],
    read,
    recognise,
};

/// `L1Nullifier.finalizeDeposit`, since v26.
pub const FINALIZE_DEPOSIT: Function = Function {
    signature: "finalizeDeposit((uint256,uint256,uint256,address,uint16,bytes,bytes32[]))",
    selector: [0x74, 0xbe, 0xea, 0x82],
    parameters: || {
        vec![ParamType::Tuple(vec![
            ParamType::Uint(256),                                  // chainId
            ParamType::Uint(256),                                  // l2BatchNumber
            ParamType::Uint(256),                                  // l2MessageIndex
            ParamType::Address,                                    // l2Sender
            ParamType::Uint(16),                                   // l2TxNumberInBatch
            ParamType::Bytes,                                      // message
            ParamType::Array(Box::new(ParamType::FixedBytes(32))), // merkleProof
        ])]
    },
};

/// `L1Nullifier.finalizeWithdrawal`; before v26 `L1SharedBridge.finalizeWithdrawal`, at the same address.
pub const FINALIZE_WITHDRAWAL: Function = Function {
    signature: "finalizeWithdrawal(uint256,uint256,uint256,uint16,bytes,bytes32[])",
    selector: [0xc8, 0x73, 0x25, 0xf1],
    parameters: || {
        let mut parameters = vec![ParamType::Uint(256)]; // _chainId
        parameters.extend((FINALIZE_ETH_WITHDRAWAL.parameters)());
        parameters
    },
};

/// `Mailbox.finalizeEthWithdrawal`, on the diamond of chain `ERA_CHAIN_ID` only.
pub const FINALIZE_ETH_WITHDRAWAL: Function = Function {
    signature: "finalizeEthWithdrawal(uint256,uint256,uint16,bytes,bytes32[])",
    selector: [0x6c, 0x09, 0x60, 0xf9],
    parameters: || {
        vec![
            ParamType::Uint(256),                                  // _l2BatchNumber
            ParamType::Uint(256),                                  // _l2MessageIndex
            ParamType::Uint(16),                                   // _l2TxNumberInBatch
            ParamType::Bytes,                                      // _message
            ParamType::Array(Box::new(ParamType::FixedBytes(32))), // _merkleProof
        ]
    },
};

/// `L1ERC20Bridge.finalizeWithdrawal`, of the Era chain.
pub const FINALIZE_ERC20_WITHDRAWAL: Function = Function {
    signature: "finalizeWithdrawal(uint256,uint256,uint16,bytes,bytes32[])",
    selector: [0x11, 0xa2, 0xcc, 0xc1],
    parameters: FINALIZE_ETH_WITHDRAWAL.parameters,
};

const FACTS: &str = "/facts/withdrawal";

/// `facts.withdrawal`: what L2 said, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalFacts {
    /// Where the message stands, and its proof.
    pub evidence: Evidence,
    /// Who sent it: the first topic of the L1MessageSent event.
    pub l2_sender: Address,
    /// Its bytes.
    pub message: Vec<u8>,
}

impl WithdrawalFacts {
    /// Reads `facts.withdrawal`.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&[Evidence::REQUIRED, &["l2Sender", "message"]].concat(), Evidence::OPTIONAL)?;
        Ok(Self {
            evidence: Evidence::read(&members)?,
            l2_sender: members.required("l2Sender")?.address(Spelling::AnyCase)?,
            message: members.required("message")?.bytes()?,
        })
    }

    /// The facts again.
    pub fn to_json(&self) -> Json {
        let mut members = self.evidence.place_members().to_vec();
        members.push(("l2Sender", Json::display(self.l2_sender)));
        members.push(("message", Json::bytes(&self.message)));
        members.extend(self.evidence.proof_members());
        Json::object(members)
    }

    fn log(&self) -> L2Log {
        L2Log::message(self.evidence.tx_number_in_batch, self.l2_sender, &self.message)
    }
}

/// Which function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    FinalizeDeposit,
    Legacy,
    LegacyEth,
    LegacyBridge,
}

impl Form {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("finalizeDeposit", Self::FinalizeDeposit),
        ("legacy", Self::Legacy),
        ("legacyEth", Self::LegacyEth),
        ("legacyBridge", Self::LegacyBridge),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::FinalizeDeposit => "finalizeDeposit",
            Self::Legacy => "legacy",
            Self::LegacyEth => "legacyEth",
            Self::LegacyBridge => "legacyBridge",
        }
    }

    /// The one that takes every message of a network.
    fn default_of(network: &Network) -> Self {
        if network.has_asset_router() { Self::FinalizeDeposit } else { Self::Legacy }
    }

    /// The called contract; none where the network has not got it.
    fn target(self, network: &Network) -> Option<Address> {
        match self {
            Self::FinalizeDeposit => network.has_asset_router().then_some(network.l1_nullifier),
            Self::Legacy => Some(network.l1_nullifier),
            Self::LegacyEth => network.is_era().then_some(network.diamond_proxy),
            Self::LegacyBridge => network.l1_erc20_bridge.filter(|_| network.is_era()),
        }
    }
}

struct FinalizeWithdrawal {
    movement: Movement,
    origin: Option<TokenOrigin>,
    form: Option<Form>,
}

fn read(cursor: &Cursor<'_>, spelling: Spelling) -> Result<Box<dyn Body>, Refusal> {
    let members = cursor.members(Movement::MEMBERS, &["tokenOrigin", "form"])?;
    Ok(Box::new(FinalizeWithdrawal {
        movement: Movement::read(&members, spelling)?,
        origin: members.optional("tokenOrigin").map(|origin| TokenOrigin::read(&origin)).transpose()?,
        form: members.optional("form").map(|form| form.choice(Form::WORDS)).transpose()?,
    }))
}

impl Body for FinalizeWithdrawal {
    fn to_json(&self) -> Json {
        let mut members = self.movement.members(self.movement.token.to_json());
        members.extend(self.origin.map(|origin| ("tokenOrigin", origin.to_json())));
        members.extend(self.form.map(|form| ("form", Json::text(form.name()))));
        Json::object(members)
    }

    fn layer(&self) -> Layer {
        Layer::L1
    }

    fn plan(&self, context: &Context<'_>) -> Plan {
        const AT: &str = "/intent/operation/finalizeWithdrawal";
        let network = context.network;
        let mut plan = Plan::default();
        let Some(facts) = context.withdrawal else {
            plan.refusals.push(Refusal::new(
                Code::JSON_MISSING_MEMBER,
                FACTS,
                "missing: withdrawal",
                "add the message, its sender and its proof (coldbridge-relay proof L2_TX_HASH)",
            ));
            return plan;
        };
        plan.refusals.extend(self.movement.judge(AT, network));
        plan.refusals.extend(
            self.origin
                .and_then(|origin| judge_origin(self.movement.token, origin, network, &format!("{AT}/tokenOrigin"))),
        );
        let message = match Message::read(&facts.message) {
            Ok(message) => message,
            Err(error) => {
                plan.refusals.push(error.refusal(format!("{FACTS}/message")));
                return plan;
            }
        };
        let form = self.form.unwrap_or(Form::default_of(network));
        plan.refusals.extend(judge_message(&message, network));
        plan.refusals.extend(self.judge_movement(&message, network));
        plan.refusals.extend(judge_sender(&message, facts.l2_sender, network));
        plan.refusals.extend(judge_form(form, &message, network, &format!("{AT}/form")));
        plan.checks.push(Check {
            name: "message",
            result: format!(
                "decoded: the message ({}) that {} sent has L1 pay {} to {}, as the intent says",
                message.kind().name(),
                facts.l2_sender,
                message.amount(),
                message.receiver()
            ),
        });
        plan.derived.push(("messageKind", Json::text(message.kind().name())));
        plan.derived.push(("assetId", Json::display(asset_of(&message, network))));
        let leaf = facts.log().leaf();
        let ending =
            facts.evidence.proof(network, FACTS).and_then(|proof| facts.evidence.ending(network, &proof, leaf, FACTS));
        match ending {
            Ok(ending) => facts.evidence.report(network, leaf, ending, "the message", &mut plan),
            Err(refusal) => plan.refusals.push(refusal),
        }
        plan.calls.extend(form.target(network).map(|to| Call {
            purpose: OPERATION.name,
            to,
            value: Wei::zero(),
            calldata: calldata(form, facts, network),
            factory_deps: Vec::new(),
            gas: CallGas::Main,
            words: words(&message, form, network),
        }));
        plan
    }
}

impl FinalizeWithdrawal {
    /// The asset that the intent means.
    fn asset_meant(&self, network: &Network) -> AssetId {
        match self.movement.token {
            TokenName::Eth => AssetId::native_token_vault(network.l1_chain_id, Address::ETH_TOKEN),
            TokenName::Base => base_asset(network),
            TokenName::Erc20(token) => {
                let origin = self.origin.unwrap_or_else(|| origin_of(token, network));
                AssetId::native_token_vault(origin.chain_id, origin.token)
            }
        }
    }

    /// What the message says must be what the intent says.
    fn judge_movement(&self, message: &Message, network: &Network) -> Vec<Refusal> {
        let at = format!("{FACTS}/message");
        let remedy = "finalize the message of that withdrawal, or correct the intent: L1 pays what the message says";
        let mut refusals = Vec::new();
        if message.receiver() != self.movement.to {
            let problem = format!("the message has L1 pay {}, not {}", message.receiver(), self.movement.to);
            refusals.push(
                Refusal::new(Code::WITHDRAWAL_RECEIVER, at.as_str(), problem, remedy)
                    .values(self.movement.to, message.receiver()),
            );
        }
        let (meant, said) = (self.asset_meant(network), asset_of(message, network));
        if meant != said {
            let problem = format!("the message is of asset {said}, the intent's token is asset {meant}");
            refusals.push(Refusal::new(Code::WITHDRAWAL_TOKEN, at.as_str(), problem, remedy).values(meant, said));
        }
        if message.amount() != self.movement.amount {
            let problem = format!("the message has L1 pay {}, not {}", message.amount(), self.movement.amount);
            refusals.push(
                Refusal::new(Code::WITHDRAWAL_AMOUNT, at, problem, remedy)
                    .values(self.movement.amount, message.amount()),
            );
        }
        refusals
    }
}

/// The asset id of the chain's base token.
fn base_asset(network: &Network) -> AssetId {
    let origin = network.base_token_origin();
    AssetId::native_token_vault(origin.chain_id, origin.token)
}

/// The asset that a message speaks of.
fn asset_of(message: &Message, network: &Network) -> AssetId {
    match message {
        Message::BaseToken { .. } => base_asset(network),
        Message::LegacyErc20 { token, .. } => AssetId::native_token_vault(network.l1_chain_id, *token),
        Message::AssetRouter { asset_id, .. } => *asset_id,
    }
}

/// Whether L1 could ever pay a message of this network.
fn judge_message(message: &Message, network: &Network) -> Option<Refusal> {
    let at = format!("{FACTS}/message");
    let refuse = |code, problem: String, remedy: &str| Some(Refusal::new(code, at.as_str(), problem, remedy));
    match message {
        Message::AssetRouter { .. } if !network.has_asset_router() => refuse(
            Code::WITHDRAWAL_UNPROVABLE,
            format!(
                "the asset router came with v26, and {} has protocol {}: its contracts do not know such a message",
                network.name, network.protocol_version
            ),
            "name the network with its present protocol version",
        ),
        Message::AssetRouter { chain_id, .. } if *chain_id != network.l2_chain_id.into() => refuse(
            Code::WITHDRAWAL_CHAIN,
            format!("the message says that it comes from chain {chain_id}, not from {}", network.l2_chain_id),
            "name the network that the withdrawal was made on",
        )
        .map(|refusal| refusal.values(network.l2_chain_id, chain_id)),
        Message::BaseToken { .. } => None,
        // L1 takes every message of the base token's asset for one of 0x800a.
        _ if asset_of(message, network) == base_asset(network) => refuse(
            Code::WITHDRAWAL_UNPROVABLE,
            format!(
                "a message of kind {} about the base token, for which L1 looks among those of {} alone",
                message.kind().name(),
                Address::L2_BASE_TOKEN
            ),
            "finalize the message that L2BaseToken sent",
        )
        .map(|refusal| refusal.reverts(contract_error::INVALID_PROOF)),
        _ => None,
    }
}

/// The account that sends messages of a kind; none where the network pins none.
fn sender_of(kind: Kind, network: &Network) -> Option<Address> {
    match kind {
        Kind::BaseToken => Some(Address::L2_BASE_TOKEN),
        Kind::AssetRouter => Some(Address::L2_ASSET_ROUTER),
        Kind::LegacyErc20 => network.l2_legacy_shared_bridge,
    }
}

/// Before v31 L1 takes a message of the base token for 0x800a's whatever l2Sender says; here it never passes.
fn judge_sender(message: &Message, l2_sender: Address, network: &Network) -> Option<Refusal> {
    let at = format!("{FACTS}/l2Sender");
    let kind = message.kind();
    let Some(expected) = sender_of(kind, network) else {
        return Some(Refusal::new(
            Code::WITHDRAWAL_L2_SENDER,
            at,
            format!(
                "a message of kind {} comes from the legacy bridge on L2, and {} pins none",
                kind.name(),
                network.name
            ),
            "pin l2LegacySharedBridge in a network file",
        ));
    };
    if l2_sender == expected {
        return None;
    }
    let taken = [Some(Address::L2_BASE_TOKEN), Some(Address::L2_ASSET_ROUTER), network.l2_legacy_shared_bridge];
    let version = network.protocol_version.minor;
    let error = match kind {
        _ if !taken.contains(&Some(l2_sender)) => Some(contract_error::WRONG_L2_SENDER),
        Kind::BaseToken => (version >= 31).then_some(contract_error::WRONG_L2_SENDER),
        Kind::LegacyErc20 | Kind::AssetRouter => Some(contract_error::INVALID_PROOF),
    };
    let refusal = Refusal::new(
        Code::WITHDRAWAL_L2_SENDER,
        at,
        format!("messages of kind {} are sent by {expected}, not by {l2_sender}", kind.name()),
        "write the sender topic of the L1MessageSent event, which is not the account that withdrew",
    )
    .values(expected, l2_sender);
    Some(match error {
        Some(error) => refusal.reverts(error),
        None => refusal,
    })
}

fn judge_form(form: Form, message: &Message, network: &Network, at: &str) -> Option<Refusal> {
    let (kind, version) = (message.kind(), network.protocol_version.minor);
    let (problem, error) = match (form, kind) {
        (Form::FinalizeDeposit, _) if !network.has_asset_router() => (
            format!("finalizeDeposit came with v26, and {} has protocol {}", network.name, network.protocol_version),
            None,
        ),
        (Form::FinalizeDeposit, _) => return None,
        // Before v26 such a message is refused by itself.
        (_, Kind::AssetRouter) => (
            "the legacy functions look for a message of the legacy bridge, not of the asset router".to_owned(),
            Some(if network.l2_legacy_shared_bridge.is_some() {
                contract_error::INVALID_PROOF
            } else {
                contract_error::LEGACY_BRIDGE_NOT_SET
            }),
        ),
        (Form::LegacyEth, _) if !network.is_era() => (
            format!("{} is not the Era chain: its diamond finalizes nothing", network.name),
            Some(contract_error::ONLY_ERA_SUPPORTED),
        ),
        (Form::LegacyBridge, _) if Form::LegacyBridge.target(network).is_none() => {
            (format!("{} has no L1ERC20Bridge: only the Era chain has", network.name), None)
        }
        (Form::LegacyEth, Kind::LegacyErc20) => ("finalizeEthWithdrawal is for the base token".to_owned(), None),
        (Form::LegacyBridge, Kind::BaseToken) => ("the legacy bridge is for ERC-20s of L1".to_owned(), None),
        // L1Nullifier.finalizeWithdrawal wants a legacy bridge, even for a message that is not the bridge's; v31 only for those.
        (_, Kind::BaseToken) if (26..31).contains(&version) && network.l2_legacy_shared_bridge.is_none() => (
            format!("{} pins no legacy bridge on L2, without which L1 refuses the legacy functions", network.name),
            Some(contract_error::LEGACY_BRIDGE_NOT_SET),
        ),
        _ => return None,
    };
    let refusal = Refusal::new(
        Code::WITHDRAWAL_FORM,
        at,
        problem,
        "leave form out: the network's own function finalizes every message",
    );
    Some(match error {
        Some(error) => refusal.reverts(error),
        None => refusal,
    })
}

fn calldata(form: Form, facts: &WithdrawalFacts, network: &Network) -> Vec<u8> {
    let [batch, index, tx_number] = facts.evidence.place_tokens();
    let chain = abi::uint(network.l2_chain_id);
    let message = Token::Bytes(facts.message.clone());
    let proof = facts.evidence.proof_token();
    match form {
        Form::FinalizeDeposit => FINALIZE_DEPOSIT.call(&[Token::Tuple(vec![
            chain,
            batch,
            index,
            abi::address(facts.l2_sender),
            tx_number,
            message,
            proof,
        ])]),
        Form::Legacy => FINALIZE_WITHDRAWAL.call(&[chain, batch, index, tx_number, message, proof]),
        Form::LegacyEth => FINALIZE_ETH_WITHDRAWAL.call(&[batch, index, tx_number, message, proof]),
        Form::LegacyBridge => FINALIZE_ERC20_WITHDRAWAL.call(&[batch, index, tx_number, message, proof]),
    }
}
