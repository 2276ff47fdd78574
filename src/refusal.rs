//! Why a request is not signed, and what to change: code, place, problem, remedy.
//!
//! Every failure of this crate is a [`Refusal`]. Its [`Code`] and its place are stable and are what fixtures and other
//! people's programs compare; its sentences are for people and may change.

mod advice;

use std::fmt;

use crate::json::Json;

/// What a program ends with: the kind of a refusal decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// A bug of coldbridge.
    Bug,
    /// The command line was wrong.
    Usage,
    /// The input is not readable as that document.
    Input,
    /// The document is well formed, but false or doomed.
    Mismatch,
    /// The policy forbids it.
    Policy,
    /// A person (or the absence of one) said no.
    Declined,
    /// The key is unreadable or is not the key of `from`.
    Key,
    /// A signature failed its own check: this machine must not be used any more.
    Fault,
    /// The nonce or the intent was signed differently before.
    Guard,
    /// A file could not be read or written.
    Io,
    /// Relay: an endpoint could not be reached or did not answer in the protocol.
    Network,
    /// Relay: the node did not take the transaction.
    Rejected,
    /// Relay: the endpoint serves another chain.
    WrongChain,
    /// Relay: another transaction took the nonce.
    Replaced,
    /// Relay: mined, and failed.
    Reverted,
    /// Relay: not mined yet.
    Pending,
    /// Relay: endpoints contradict each other or themselves.
    Disagree,
}

impl Exit {
    /// All of them, by number.
    pub const ALL: &'static [Self] = &[
        Self::Bug,
        Self::Usage,
        Self::Input,
        Self::Mismatch,
        Self::Policy,
        Self::Declined,
        Self::Key,
        Self::Fault,
        Self::Guard,
        Self::Io,
        Self::Network,
        Self::Rejected,
        Self::WrongChain,
        Self::Replaced,
        Self::Reverted,
        Self::Pending,
        Self::Disagree,
    ];

    /// What it says, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Bug => "a bug of coldbridge",
            Self::Usage => "the command line is wrong",
            Self::Input => "the input is not readable as that document",
            Self::Mismatch => "well formed, but false or doomed",
            Self::Policy => "the policy forbids it",
            Self::Declined => "a person, or the absence of one, said no",
            Self::Key => "the key is unreadable, not that of the sender, or a signature is not the sender's",
            Self::Fault => "a signature failed its own check: stop using this machine",
            Self::Guard => "the nonce or the intent was signed differently before",
            Self::Io => "a file could not be read or written",
            Self::Network => "relay: an endpoint could not be reached, or did not answer in the protocol",
            Self::Rejected => "relay: the node did not take the transaction",
            Self::WrongChain => "relay: the endpoint serves another chain",
            Self::Replaced => "relay: another transaction took the nonce",
            Self::Reverted => "relay: mined, and failed",
            Self::Pending => "relay: not mined yet",
            Self::Disagree => "relay: endpoints contradict each other, or what was signed",
        }
    }

    /// The process exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Mismatch => 4,
            Self::Policy => 5,
            Self::Declined => 6,
            Self::Key => 7,
            Self::Fault => 8,
            Self::Guard => 9,
            Self::Io => 10,
            Self::Network => 20,
            Self::Rejected => 21,
            Self::WrongChain => 22,
            Self::Replaced => 23,
            Self::Reverted => 24,
            Self::Pending => 25,
            Self::Disagree => 26,
        }
    }
}

/// The stable name of a rule, `area.slug`, and the exit code that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `area.slug`.
    pub name: &'static str,
    /// The exit code of a program that stops for it.
    pub exit: Exit,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:literal, $exit:ident;)+) => {
        impl Code {
            $($(#[doc = $doc])+ pub const $constant: Self = Self { name: $name, exit: Exit::$exit };)+

            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$constant),+];

            /// One sentence on the rule behind the code.
            pub fn meaning(self) -> &'static str {
                match self.name {
                    $($name => concat!($($doc),+),)+
                    _ => "",
                }
            }
        }
    };
}

codes! {
    /// The bytes are not UTF-8.
    JSON_ENCODING = "json.encoding", Input;
    /// The text is not JSON.
    JSON_SYNTAX = "json.syntax", Input;
    /// Something follows the document.
    JSON_TRAILING = "json.trailing", Input;
    /// The document is larger than 1 MiB.
    JSON_TOO_LARGE = "json.too_large", Input;
    /// The document is nested deeper than 64 levels.
    JSON_TOO_DEEP = "json.too_deep", Input;
    /// A member stands twice in one object.
    JSON_DUPLICATE_MEMBER = "json.duplicate_member", Input;
    /// A member that this document does not have.
    JSON_UNKNOWN_MEMBER = "json.unknown_member", Input;
    /// A member that must be there is not.
    JSON_MISSING_MEMBER = "json.missing_member", Input;
    /// The value has another JSON type than the member asks for.
    JSON_WRONG_TYPE = "json.wrong_type", Input;
    /// A number that is not an integer from 0 to 2^53-1 (floats, exponents and negative numbers included).
    JSON_NUMBER = "json.number", Input;
    /// `schema` names another document or another major version.
    JSON_SCHEMA = "json.schema", Input;
    /// A text is not one of the words that are allowed there.
    JSON_CHOICE = "json.choice", Input;
    /// A text is empty, too long or holds characters outside printable ASCII.
    JSON_TEXT = "json.text", Input;
    /// A quantity is not a plain decimal number.
    QUANTITY_FORMAT = "quantity.format", Input;
    /// A quantity is written in hex.
    QUANTITY_HEX = "quantity.hex", Input;
    /// A quantity is larger than its field.
    QUANTITY_RANGE = "quantity.range", Input;
    /// Not an address of 20 bytes in hex.
    ADDRESS_FORMAT = "address.format", Input;
    /// An address whose EIP-55 checksum is wrong or, where a typo would lose money, missing.
    ADDRESS_CHECKSUM = "address.checksum", Input;
    /// Not 0x and an even number of hex digits (of the length that the member asks for).
    BYTES_FORMAT = "bytes.format", Input;
    /// The raw bytes are no transaction of type 0, 1, 2 or 0x71, or not canonically encoded.
    RAW_FORMAT = "raw.format", Input;
    /// No operation has this name.
    OPERATION_UNKNOWN = "operation.unknown", Input;
    /// `operation` must have exactly one member.
    OPERATION_COUNT = "operation.count", Input;
    /// A fact that belongs to another envelope.
    FACTS_NOT_FOR_ENVELOPE = "facts.not_for_envelope", Input;
    /// A fact that this operation does not use.
    FACTS_UNUSED = "facts.unused", Input;
    /// An option of the intent that this operation does not use.
    INTENT_UNUSED = "intent.unused", Input;
    /// A paymaster is told exactly one of `general` and `approvalBased`.
    PAYMASTER_FLOW = "paymaster.flow", Input;
    /// A smart account with an empty list of signers.
    SIGNERS_NONE = "signers.none", Input;
    /// A network description that contradicts itself or a pinned one.
    NETWORK_INVALID = "network.invalid", Input;

    /// No network of this name is pinned or given.
    NETWORK_UNKNOWN = "network.unknown", Mismatch;
    /// An option of the intent that coldbridge does not build yet.
    INTENT_UNSUPPORTED = "intent.unsupported", Mismatch;
    /// The operation does not exist on this network.
    OPERATION_NETWORK = "operation.network", Mismatch;
    /// Not an ERC-20: an address that the system keeps, or a way to write ETH.
    TOKEN_SYSTEM = "token.system", Mismatch;
    /// Wrapped ether, which the bridge refuses.
    TOKEN_WETH = "token.weth", Mismatch;
    /// The origin of the token contradicts the token.
    TOKEN_ORIGIN = "token.origin", Mismatch;
    /// This form of deposit does not exist for the token or the network.
    DEPOSIT_FORM = "deposit.form", Mismatch;
    /// This form of withdrawal does not exist for the token or the network.
    WITHDRAW_FORM = "withdraw.form", Mismatch;
    /// Only a withdrawal of the base token takes a message along.
    WITHDRAW_MESSAGE = "withdraw.message", Mismatch;
    /// This kind of deployment is not built on that layer.
    DEPLOY_KIND = "deploy.kind", Mismatch;
    /// The network pins no second bridge of this name.
    BRIDGE_UNKNOWN = "bridge.unknown", Mismatch;
    /// The bytes for a custom second bridge contradict the operation.
    BRIDGE_DATA = "bridge.data", Mismatch;
    /// A custom second bridge on a route that has none.
    BRIDGE_ROUTE = "bridge.route", Mismatch;
    /// Refunds would go to an address on L2 that nobody may hold.
    REFUND_UNSAFE = "refund.unsafe", Mismatch;
    /// A contract's own L1 address is nobody's on L2.
    RECIPIENT_CONTRACT_SENDER = "recipient.contract_sender", Mismatch;
    /// More factory dependencies than one request takes.
    FACTORY_DEPS_COUNT = "factory_deps.count", Mismatch;
    /// Bytecode that is no whole number of words.
    FACTORY_DEPS_LENGTH = "factory_deps.length", Mismatch;
    /// Bytecode with an even number of words, or too many.
    FACTORY_DEPS_WORDS = "factory_deps.words", Mismatch;
    /// Factory dependencies where the virtual machine ignores them.
    FACTORY_DEPS_VM = "factory_deps.vm", Mismatch;
    /// Factory dependencies in an envelope that has no place for them.
    FACTORY_DEPS_ENVELOPE = "factory_deps.envelope", Mismatch;
    /// The spender is none of the network's contracts that take tokens.
    APPROVE_SPENDER = "approve.spender", Mismatch;
    /// An allowance that the plan does not use.
    ALLOWANCES_UNUSED = "allowances.unused", Mismatch;
    /// An allowance that stands twice.
    ALLOWANCES_TWICE = "allowances.twice", Mismatch;
    /// A contract can not sign: its plan is exported.
    SIGN_CONTRACT_SENDER = "sign.contract_sender", Mismatch;
    /// Only a contract's plan is exported.
    EXPORT_NOT_CONTRACT = "export.not_contract", Mismatch;
    /// The token can not take this route.
    TOKEN_UNSUPPORTED = "token.unsupported", Mismatch;
    /// The recipient is the zero address.
    RECIPIENT_ZERO = "recipient.zero", Mismatch;
    /// The recipient is a system or precompile address.
    RECIPIENT_SYSTEM = "recipient.system", Mismatch;
    /// The recipient is one of the network's own contracts.
    RECIPIENT_NETWORK_CONTRACT = "recipient.network_contract", Mismatch;
    /// The recipient is a token's own contract.
    RECIPIENT_TOKEN = "recipient.token", Mismatch;
    /// The amount is zero.
    AMOUNT_ZERO = "amount.zero", Mismatch;
    /// The envelope does not exist on that chain.
    ENVELOPE_UNSUPPORTED = "envelope.unsupported", Mismatch;
    /// Only a type 0x71 transaction has a paymaster.
    PAYMASTER_ENVELOPE = "paymaster.envelope", Mismatch;
    /// The paymaster is the zero or a system address.
    PAYMASTER_ADDRESS = "paymaster.address", Mismatch;
    /// The token that a paymaster may take is no ERC-20.
    PAYMASTER_TOKEN = "paymaster.token", Mismatch;
    /// A smart account's signer stands twice.
    SIGNERS_TWICE = "signers.twice", Mismatch;
    /// A smart account's signer is nobody with a key: the account itself, the zero or a system address.
    SIGNERS_ACCOUNT = "signers.account", Mismatch;
    /// The priority fee is above the maximum fee.
    FEES_PRIORITY_ABOVE_MAX = "fees.priority_above_max", Mismatch;
    /// The maximum fee is zero.
    FEES_ZERO_MAX_FEE = "fees.zero_max_fee", Mismatch;
    /// A fee is larger than nodes can read.
    FEES_RANGE = "fees.range", Mismatch;
    /// The gas limit does not even pay for the transaction's own bytes.
    FEES_GAS_BELOW_INTRINSIC = "fees.gas_below_intrinsic", Mismatch;
    /// The gas limit is above what one transaction may have (EIP-7825).
    FEES_GAS_ABOVE_CAP = "fees.gas_above_cap", Mismatch;
    /// Value and fees together are above 2^256-1.
    FEES_OVERFLOW = "fees.overflow", Mismatch;
    /// The margin on the base cost is out of bounds.
    PRIORITY_MARGIN = "priority.margin", Mismatch;
    /// The fee parameters can not be a chain's.
    PRIORITY_FEE_PARAMS = "priority.fee_params", Mismatch;
    /// The base token gas price multiplier can not be this chain's.
    PRIORITY_MULTIPLIER = "priority.multiplier", Mismatch;
    /// The denominator of the multiplier is zero.
    PRIORITY_DENOMINATOR_ZERO = "priority.denominator_zero", Mismatch;
    /// mintValue would be 0, which the asset router refuses.
    PRIORITY_EMPTY_DEPOSIT = "priority.empty_deposit", Mismatch;
    /// The base cost is above 2^256-1.
    PRIORITY_OVERFLOW = "priority.overflow", Mismatch;
    /// L1 -> L2 requests must pay for 800 gas per pubdata byte.
    PRIORITY_GAS_PER_PUBDATA = "priority.gas_per_pubdata", Mismatch;
    /// The L2 gas limit is below what the Mailbox accepts.
    PRIORITY_GAS_FLOOR = "priority.gas_floor", Mismatch;
    /// The L2 gas limit is above what the Mailbox accepts, or could pay for more pubdata than it accepts.
    PRIORITY_GAS_CEILING = "priority.gas_ceiling", Mismatch;
    /// The ZKsync node takes nonces up to 2^32-1.
    L2_NONCE_RANGE = "l2.nonce_range", Mismatch;
    /// The ZKsync node takes fees up to 2^64-1.
    L2_FEE_RANGE = "l2.fee_range", Mismatch;
    /// The ZKsync node refuses a gasPerPubdata of zero.
    L2_GAS_PER_PUBDATA_ZERO = "l2.gas_per_pubdata_zero", Mismatch;
    /// The ZKsync node takes a gasPerPubdata up to 2^64-1.
    L2_GAS_PER_PUBDATA_RANGE = "l2.gas_per_pubdata_range", Mismatch;
    /// The L2 gas limit is zero or above what nodes take.
    L2_GAS_LIMIT_RANGE = "l2.gas_limit_range", Mismatch;
    /// EraVM moves values up to 2^128-1.
    L2_VALUE_RANGE = "l2.value_range", Mismatch;
    /// The message is of no withdrawal that L1 knows.
    MESSAGE_SELECTOR = "message.selector", Mismatch;
    /// The message has not the length of its kind.
    MESSAGE_LENGTH = "message.length", Mismatch;
    /// The message's transfer data are not the canonical encoding of a transfer.
    MESSAGE_FORMAT = "message.format", Mismatch;
    /// The message has L1 pay another account than the intent says.
    WITHDRAWAL_RECEIVER = "withdrawal.receiver", Mismatch;
    /// The message is of another token than the intent says.
    WITHDRAWAL_TOKEN = "withdrawal.token", Mismatch;
    /// The message is of another amount than the intent says.
    WITHDRAWAL_AMOUNT = "withdrawal.amount", Mismatch;
    /// The message says that it comes from another chain.
    WITHDRAWAL_CHAIN = "withdrawal.chain", Mismatch;
    /// Messages of that kind are sent by another account.
    WITHDRAWAL_L2_SENDER = "withdrawal.l2_sender", Mismatch;
    /// This function does not finalize that message on the network.
    WITHDRAWAL_FORM = "withdrawal.form", Mismatch;
    /// No function of the network finalizes that message.
    WITHDRAWAL_UNPROVABLE = "withdrawal.unprovable", Mismatch;
    /// A base token deposit leaves nothing on L1 to claim.
    CLAIM_BASE_TOKEN = "claim.base_token", Mismatch;
    /// The deposit can not have been encoded like that on the network.
    CLAIM_ENCODING = "claim.encoding", Mismatch;
    /// This function does not claim that deposit on the network.
    CLAIM_FORM = "claim.form", Mismatch;
    /// The transfer data are not those of the claimed deposit.
    CLAIM_TRANSFER_DATA = "claim.transfer_data", Mismatch;
    /// The asset id is not that of the claimed token.
    CLAIM_ASSET_ID = "claim.asset_id", Mismatch;
    /// What L1 remembers is not the hash of the claimed deposit.
    CLAIM_TX_DATA_HASH = "claim.tx_data_hash", Mismatch;
    /// The proof shows that the deposit succeeded.
    CLAIM_SUCCEEDED = "claim.succeeded", Mismatch;
    /// The words are no Merkle proof.
    PROOF_FORMAT = "proof.format", Mismatch;
    /// Words follow the end of the Merkle proof.
    PROOF_TRAILING = "proof.trailing", Mismatch;
    /// The proof's path leads to no leaf of that index.
    PROOF_INDEX = "proof.index", Mismatch;
    /// There is no such batch.
    PROOF_BATCH = "proof.batch", Mismatch;
    /// The proof ends on a settlement layer that the network does not know.
    PROOF_SETTLEMENT_LAYER = "proof.settlement_layer", Mismatch;
    /// L1 has no root of the batch yet.
    PROOF_NOT_EXECUTED = "proof.not_executed", Mismatch;
    /// The proof does not end in batchRoot.
    PROOF_ROOT = "proof.root", Mismatch;
    /// The document differs from what its own intent and facts give.
    UNSIGNED_DIFFERS = "unsigned.differs", Mismatch;
    /// The signed document does not say what its raw bytes say.
    SIGNED_DIFFERS = "signed.differs", Mismatch;
    /// A raw transaction without a signature where a signed one is needed.
    SIGNED_UNSIGNED = "signed.unsigned", Mismatch;
    /// A signature that any chain accepts (before EIP-155).
    SIGNED_REPLAYABLE = "signed.replayable", Mismatch;

    /// The policy contradicts itself or says a thing twice.
    POLICY_INVALID = "policy.invalid", Input;
    /// The policy is not the one that was pinned.
    POLICY_HASH = "policy.hash", Policy;
    /// The policy does not allow the network.
    POLICY_NETWORK = "policy.network", Policy;
    /// The policy asks for a network that is compiled in.
    POLICY_NETWORK_UNPINNED = "policy.network_unpinned", Policy;
    /// The policy does not allow the sender.
    POLICY_SENDER = "policy.sender", Policy;
    /// The policy does not allow the operation.
    POLICY_OPERATION = "policy.operation", Policy;
    /// The policy does not allow the recipient.
    POLICY_RECIPIENT = "policy.recipient", Policy;
    /// An address that begins and ends like one that the policy knows, and is another one.
    POLICY_LOOKALIKE = "policy.lookalike", Policy;
    /// The policy does not allow the refund recipient.
    POLICY_REFUND_RECIPIENT = "policy.refund_recipient", Policy;
    /// The policy does not allow the token.
    POLICY_TOKEN = "policy.token", Policy;
    /// One transaction moves more of a token than the policy allows.
    POLICY_AMOUNT = "policy.amount", Policy;
    /// One run moves more of a token than the policy allows.
    POLICY_TOTAL = "policy.total", Policy;
    /// Each gas may cost more than the policy allows.
    POLICY_FEE_PER_GAS = "policy.fee_per_gas", Policy;
    /// The fee of one transaction may be above what the policy allows.
    POLICY_TRANSACTION_FEE = "policy.transaction_fee", Policy;
    /// The fees of one run may be above what the policy allows.
    POLICY_TOTAL_FEE = "policy.total_fee", Policy;
    /// More is minted on L2 beyond the amount than the policy allows.
    POLICY_SURPLUS_MINT = "policy.surplus_mint", Policy;
    /// The gas limit is above what the policy allows.
    POLICY_GAS_LIMIT = "policy.gas_limit", Policy;
    /// The L2 gas limit of an L1 -> L2 request is above what the policy allows.
    POLICY_L2_GAS_LIMIT = "policy.l2_gas_limit", Policy;
    /// No policy, or not this one, allows a call of the target.
    POLICY_CALL_TARGET = "policy.call_target", Policy;
    /// The policy allows the target, but not this function of it.
    POLICY_CALL_SELECTOR = "policy.call_selector", Policy;
    /// The policy does not allow the paymaster.
    POLICY_PAYMASTER = "policy.paymaster", Policy;
    /// The policy asks for a person.
    POLICY_CONFIRMATION = "policy.confirmation", Policy;
    /// The policy asks for a guard.
    POLICY_GUARD = "policy.guard", Policy;
    /// A network interface is up where `--require-airgap` was given.
    AIRGAP_INTERFACE = "airgap.interface", Policy;
    /// The program can not deny itself the network where `--require-airgap` was given.
    AIRGAP_FILTER = "airgap.filter", Policy;

    /// There is nobody to ask, or the answer was not yes.
    SIGN_DECLINED = "sign.declined", Declined;
    /// The key file can not be read as a key.
    KEY_FORMAT = "key.format", Key;
    /// Others than the owner can read the key file, or it is no regular file.
    KEY_PERMISSIONS = "key.permissions", Key;
    /// The key file can not be read.
    KEY_UNREADABLE = "key.unreadable", Key;
    /// The file is not a keystore of version 3.
    KEY_KEYSTORE = "key.keystore", Key;
    /// A keystore whose key derivation would cost too much, or is none.
    KEY_KDF = "key.kdf", Key;
    /// The password does not open the keystore.
    KEY_PASSWORD = "key.password", Key;
    /// There is nobody to ask for a password, or it is empty.
    KEY_NO_PASSWORD = "key.no_password", Key;
    /// The keystore holds another key than the one of the address that it names.
    KEY_ADDRESS = "key.address", Key;
    /// The words are not a mnemonic of BIP-39 in English.
    KEY_MNEMONIC = "key.mnemonic", Key;
    /// The derivation path is not one of BIP-32, or not hardened as BIP-44 has it.
    KEY_DERIVATION_PATH = "key.derivation_path", Usage;
    /// The key is not the key of `from`.
    KEY_NOT_FROM = "key.not_from", Key;
    /// The key of one of the smart account's signers is missing.
    KEY_MISSING = "key.missing", Key;
    /// A signature from outside that is of no form that is known, or of one that this sender can not have.
    SIGNATURE_FORMAT = "signature.format", Key;
    /// Not one signature for each transaction (and each signer of a smart account).
    SIGNATURE_COUNT = "signature.count", Key;
    /// The signature is not a signature of `from`.
    SIGNATURE_NOT_FROM = "signature.not_from", Key;
    /// Planning the same request twice gave two plans.
    FAULT_PLAN = "fault.plan", Fault;
    /// A signature failed the check that follows each signing.
    FAULT_SIGNATURE = "fault.signature", Fault;
    /// The bytes that were about to leave do not say what was asked.
    FAULT_ENCODING = "fault.encoding", Fault;
    /// The nonce was signed before, with another digest.
    GUARD_NONCE_USED = "guard.nonce_used", Guard;
    /// The nonce is below the guard's watermark, and nothing is known of it.
    GUARD_NONCE_BELOW = "guard.nonce_below", Guard;
    /// The intent was signed before with another nonce: both could be mined.
    GUARD_INTENT_USED = "guard.intent_used", Guard;
    /// The guard knows no payment of this intent that could be retired.
    GUARD_INTENT_UNKNOWN = "guard.intent_unknown", Guard;
    /// Two guards hold different payloads for one nonce or one intent.
    GUARD_CONFLICT = "guard.conflict", Guard;
    /// The guard was changed by something else than coldbridge.
    GUARD_CORRUPT = "guard.corrupt", Guard;
    /// Others than the owner can read or change the guard, or it is no regular file.
    GUARD_PERMISSIONS = "guard.permissions", Guard;
    /// Another process holds the guard.
    GUARD_LOCKED = "guard.locked", Io;
    /// The command line is wrong.
    USAGE = "usage.command", Usage;
    /// A file can not be read.
    IO_READ = "io.read", Io;
    /// A file can not be written.
    IO_WRITE = "io.write", Io;
    /// A file of that name is there already.
    IO_EXISTS = "io.exists", Io;
    /// An endpoint could not be reached, or its address is not allowed.
    RELAY_NETWORK = "relay.network", Network;
    /// An endpoint's answer is not JSON-RPC, or not of the type that the method has.
    RELAY_ANSWER = "relay.answer", Network;
    /// The node did not take the transaction, and does not know it.
    RELAY_REJECTED = "relay.rejected", Rejected;
    /// The node did not take the transaction: its fees are too low, or lower than those of another one with its nonce.
    RELAY_UNDERPRICED = "relay.underpriced", Rejected;
    /// The node did not take the transaction: the account can not pay for it.
    RELAY_INSUFFICIENT_FUNDS = "relay.insufficient_funds", Rejected;
    /// The endpoint serves another chain than the payload is signed for.
    RELAY_WRONG_CHAIN = "relay.wrong_chain", WrongChain;
    /// The nonce was used by another transaction.
    RELAY_REPLACED = "relay.replaced", Replaced;
    /// The transaction was mined and reverted.
    RELAY_REVERTED = "relay.reverted", Reverted;
    /// The transaction was not mined within the time that was given.
    RELAY_PENDING = "relay.pending", Pending;
    /// A node had the transaction and forgot it, each time that it was sent.
    RELAY_DROPPED = "relay.dropped", Pending;
    /// Endpoints contradict each other, or what one says of our transaction is not what was signed.
    RELAY_DISAGREE = "relay.disagree", Disagree;
    /// The journal, or the chain, has no transaction of this hash.
    RELAY_UNKNOWN = "relay.unknown", Input;
    /// Another payload of the journal has this nonce and can still be mined, or the same intent with another nonce.
    RELAY_RIVAL = "relay.rival", Guard;
    /// The journal is not a journal of this relay, or another relay is using it.
    RELAY_JOURNAL = "relay.journal", Io;
    /// The chain names other contracts than the network pins.
    RELAY_PINNED = "relay.pinned", Mismatch;
    /// The chain runs another minor version of the protocol than the network pins.
    RELAY_PROTOCOL_VERSION = "relay.protocol_version", Mismatch;
    /// The chain takes no requests from L1 at the moment.
    RELAY_DEPOSITS_PAUSED = "relay.deposits_paused", Mismatch;
    /// An account is no plain account, no delegated one or no contract on L1, as the intent says it is.
    RELAY_ACCOUNT_KIND = "relay.account_kind", Mismatch;
    /// The node executed the call, and it reverted.
    RELAY_WOULD_REVERT = "relay.would_revert", Mismatch;
    /// No node estimates the gas of a call, and nothing else says what it takes.
    RELAY_NO_ESTIMATE = "relay.no_estimate", Network;
    /// The L2 transaction is not one that leads to the asked request: no message, another index, or no failed deposit.
    RELAY_NOT_PROVABLE = "relay.not_provable", Mismatch;
    /// The withdrawal is finalized, or the deposit claimed, already.
    RELAY_ALREADY_DONE = "relay.already_done", Mismatch;
    /// The batch of the L2 transaction is not executed on L1 yet, or its proof is not there.
    RELAY_NOT_READY = "relay.not_ready", Pending;
    /// A bug of coldbridge.
    BUG = "bug.internal", Bug;
}

/// A custom error of the chain's contracts: what the chain would have answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContractError {
    /// The error's Solidity signature.
    pub signature: &'static str,
    /// The first four bytes of its Keccak-256.
    pub selector: &'static str,
}

/// The custom errors that coldbridge foresees, or that the state of a chain may lead to
/// (<https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/L1ContractErrors.sol>).
pub mod contract_error {
    use crate::refusal::ContractError;

    macro_rules! contract_errors {
        ($($name:ident = $signature:literal $selector:literal;)+) => {
            $(#[doc = concat!("`", $signature, "`")]
              pub const $name: ContractError = ContractError { signature: $signature, selector: $selector };)+
            /// All of them.
            pub const ALL: &[ContractError] = &[$($name),+];
        };
    }
    contract_errors! {
        TXN_BODY_GAS_LIMIT_NOT_ENOUGH_GAS = "TxnBodyGasLimitNotEnoughGas()" "0x2e311df8";
        VALIDATE_TXN_NOT_ENOUGH_GAS = "ValidateTxnNotEnoughGas()" "0x47b3b145";
        TOO_MUCH_GAS = "TooMuchGas()" "0xf0b4e88f";
        PUBDATA_GREATER_THAN_LIMIT = "PubdataGreaterThanLimit(uint256,uint256)" "0x959f26fb";
        GAS_PER_PUBDATA_MISMATCH = "GasPerPubdataMismatch()" "0xc91cf3b1";
        TOO_MANY_FACTORY_DEPS = "TooManyFactoryDeps()" "0x76da24b9";
        MSG_VALUE_TOO_LOW = "MsgValueTooLow(uint256,uint256)" "0xb385a3da";
        BASE_TOKEN_DENOMINATOR_NOT_SET = "BaseTokenGasPriceDenominatorNotSet()" "0x6ef9a972";
        ZERO_GAS_PRICE_L1_TX_ZKSYNC_OS = "ZeroGasPriceL1TxZKsyncOS()" "0xdb60e600";
        PANIC = "Panic(uint256)" "0x4e487b71";
        EMPTY_DEPOSIT = "EmptyDeposit()" "0x95b66fe9";
        LENGTH_IS_NOT_DIVISIBLE_BY_32 = "LengthIsNotDivisibleBy32(uint256)" "0xe37d2c02";
        MALFORMED_BYTECODE = "MalformedBytecode(uint8)" "0x43e266b0";
        ONLY_ERA_SUPPORTED = "OnlyEraSupported()" "0xf3ed9dfa";
        BURNING_NATIVE_WETH_NOT_SUPPORTED = "BurningNativeWETHNotSupported()" "0xaa5f6180";
        TOKEN_NOT_SUPPORTED = "TokenNotSupported(address)" "0x06439c6b";
        ETH_DEPOSIT_NOT_SUPPORTED = "ETHDepositNotSupported()" "0x627e0872";
        LEGACY_ENCODING_USED_FOR_NON_L1_TOKEN = "LegacyEncodingUsedForNonL1Token()" "0xfade089a";
        ASSET_ID_MISMATCH = "AssetIdMismatch(bytes32,bytes32)" "0x1294e9e1";
        TOKEN_NOT_LEGACY = "TokenNotLegacy()" "0x1850b46b";
        ASSET_ID_NOT_SUPPORTED = "AssetIdNotSupported(bytes32)" "0x04a0b7e9";
        INVALID_SELECTOR = "InvalidSelector(bytes4)" "0x12ba286f";
        L2_WITHDRAWAL_MESSAGE_WRONG_LENGTH = "L2WithdrawalMessageWrongLength(uint256)" "0x97e1359e";
        WRONG_MSG_LENGTH = "WrongMsgLength(uint256,uint256)" "0x61cdb17e";
        MERKLE_PATH_EMPTY = "MerklePathEmpty()" "0x8e23ac1a";
        HASHED_LOG_IS_DEFAULT = "HashedLogIsDefault()" "0xd356e6ba";
        UNSUPPORTED_PROOF_METADATA_VERSION = "UnsupportedProofMetadataVersion(uint256)" "0x79274f04";
        INVALID_PROOF_LENGTH_FOR_FINAL_NODE = "InvalidProofLengthForFinalNode()" "0x48c5fa28";
        MERKLE_PATH_OUT_OF_BOUNDS = "MerklePathOutOfBounds()" "0x1c500385";
        MERKLE_INDEX_OUT_OF_BOUNDS = "MerkleIndexOutOfBounds()" "0x9bb54c35";
        NOT_SETTLEMENT_LAYER = "NotSettlementLayer()" "0xd0266e26";
        LOCAL_ROOT_IS_ZERO = "LocalRootIsZero()" "0xa969e486";
        BATCH_NOT_EXECUTED = "BatchNotExecuted(uint256)" "0x2078a6a0";
        INVALID_PROOF = "InvalidProof()" "0x09bde339";
        WRONG_L2_SENDER = "WrongL2Sender(address)" "0x636c90db";
        LEGACY_BRIDGE_NOT_SET = "LegacyBridgeNotSet()" "0x8efef97a";
        LEGACY_METHOD_FOR_NON_L1_TOKEN = "LegacyMethodForNonL1Token()" "0x767eed08";
        DEPOSIT_DOES_NOT_EXIST = "DepositDoesNotExist()" "0xc7c9660f";
        DEPOSIT_DOES_NOT_EXIST_V31 = "DepositDoesNotExist(bytes32,bytes32)" "0x42bce528";
        MSG_VALUE_MISMATCH = "MsgValueMismatch(uint256,uint256)" "0x4a094431";
        TRANSACTION_NOT_ALLOWED = "TransactionNotAllowed()" "0x00c5a6a9";
        DEPOSITS_PAUSED = "DepositsPaused()" "0xdeeb6943";
        ASSET_HANDLER_DOES_NOT_EXIST = "AssetHandlerDoesNotExist(bytes32)" "0xfde974f4";
        TOKENS_WITH_FEES_NOT_SUPPORTED = "TokensWithFeesNotSupported()" "0x23830e28";
        INSUFFICIENT_CHAIN_BALANCE = "InsufficientChainBalance()" "0x826fb11e";
        WITHDRAWAL_ALREADY_FINALIZED = "WithdrawalAlreadyFinalized()" "0xae899454";
    }
}

/// Why something is not built, signed, read or released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    inner: Box<Inner>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    at: String,
    problem: String,
    remedy: String,
    expected: Option<String>,
    actual: Option<String>,
    contract_error: Option<ContractError>,
}

impl Refusal {
    /// A refusal: which rule, where (a JSON Pointer; empty for the whole document), what is wrong, what to do.
    pub fn new(code: Code, at: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                code,
                at: at.into(),
                problem: problem.into(),
                remedy: remedy.into(),
                expected: None,
                actual: None,
                contract_error: None,
            }),
        }
    }

    /// States both values: what was expected and what was found.
    #[must_use]
    pub fn values(mut self, expected: impl fmt::Display, actual: impl fmt::Display) -> Self {
        self.inner.expected = Some(expected.to_string());
        self.inner.actual = Some(actual.to_string());
        self
    }

    /// Names the error that the chain's contract would have answered with.
    #[must_use]
    pub fn reverts(mut self, error: ContractError) -> Self {
        self.inner.contract_error = Some(error);
        self
    }

    /// The same where the chain would answer, but not with that error.
    #[must_use]
    pub fn without_contract_error(mut self) -> Self {
        self.inner.contract_error = None;
        self
    }

    /// The rule.
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// The place: a JSON Pointer (RFC 6901), empty for the whole document.
    pub fn at(&self) -> &str {
        &self.inner.at
    }

    /// What is wrong, with the contract's error where the chain would revert.
    pub fn problem(&self) -> String {
        match self.inner.contract_error {
            Some(error) => {
                format!("{}; the chain would revert with {} {}", self.inner.problem, error.signature, error.selector)
            }
            None => self.inner.problem.clone(),
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        &self.inner.remedy
    }

    /// The contract error that the chain would have answered with.
    pub fn contract_error(&self) -> Option<ContractError> {
        self.inner.contract_error
    }

    /// The process exit code.
    pub fn exit(&self) -> Exit {
        self.inner.code.exit
    }

    /// The members of the `error` object.
    pub fn to_json(&self) -> Json {
        let inner = &*self.inner;
        let optional = |text: &Option<String>| text.as_ref().map_or(Json::Null, |text| Json::text(text.as_str()));
        let mut members = vec![
            ("code", Json::text(inner.code.name)),
            ("exit", Json::Integer(u64::from(inner.code.exit.code()))),
            ("at", Json::text(inner.at.as_str())),
            ("message", Json::text(self.problem())),
            ("expected", optional(&inner.expected)),
            ("actual", optional(&inner.actual)),
            ("remedy", Json::text(inner.remedy.as_str())),
        ];
        if let Some(error) = inner.contract_error {
            members.push((
                "contractError",
                Json::object([("name", Json::text(error.signature)), ("selector", Json::text(error.selector))]),
            ));
        }
        Json::object(members)
    }

    /// The whole error document: `{"error":{...}}`.
    pub fn to_document(&self) -> Json {
        Json::object([("error", self.to_json())])
    }
}

impl fmt::Display for Refusal {
    /// Two lines: `refused: <code> at <path>: <problem>` and `to fix: <remedy>`. Untrusted text is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = match (self.inner.at.as_str(), self.exit()) {
            ("", Exit::Input | Exit::Mismatch) => " at the document".to_owned(),
            ("", _) => String::new(),
            (at, _) => format!(" at {}", printable(at)),
        };
        writeln!(f, "refused: {}{at}: {}", self.inner.code.name, printable(&self.problem()))?;
        write!(f, "to fix:  {}", printable(&self.inner.remedy))
    }
}

impl std::error::Error for Refusal {}

/// The beginning of untrusted text, safe to print: enough to recognise it.
pub fn shown(text: &str) -> String {
    let mut out = printable(&text.chars().take(64).collect::<String>());
    if text.chars().nth(64).is_some() {
        out.push_str("...");
    }
    out
}

/// Makes untrusted text safe to print: everything outside printable ASCII is written as an escape.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => out.push(character),
            _ => out.extend(character.escape_unicode()),
        }
    }
    out
}
