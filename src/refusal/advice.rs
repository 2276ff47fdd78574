//! What to do about each code, and which errors of the contracts it foresees: what `coldbridge help CODE` says without a
//! network. A refusal's own remedy knows the numbers; this is for whoever meets a code in a log.

use super::contract_error as error;
use super::{Code, ContractError};

macro_rules! advice {
    ($($code:literal $([$($error:ident),+])? $text:literal;)+) => {
        fn find(name: &str) -> Option<(&'static str, &'static [ContractError])> {
            match name {
                $($code => Some(($text, &[$($(error::$error),+)?])),)+
                _ => None,
            }
        }

        /// The codes that there is advice for.
        pub(super) const NAMES: &[&str] = &[$($code),+];
    };
}

impl Code {
    /// The code of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name == name)
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        find(self.name).map_or("", |(text, _)| text)
    }

    /// The contracts' errors that the chain would answer with, where it would.
    pub fn contract_errors(self) -> &'static [ContractError] {
        find(self.name).map_or(&[], |(_, errors)| errors)
    }

    /// Advice that belongs to no code: there is none.
    pub fn stray_advice() -> impl Iterator<Item = &'static str> {
        NAMES.iter().copied().filter(|name| Self::named(name).is_none())
    }
}

impl ContractError {
    /// What to do where no request leads to it by itself, but what the chain is or has become since its facts were read.
    pub fn advice(self) -> Option<&'static str> {
        OF_THE_CHAIN.iter().find(|(error, _)| *error == self).map(|(_, text)| *text)
    }
}

const OF_THE_CHAIN: &[(ContractError, &str)] = &[
    (
        error::MSG_VALUE_TOO_LOW,
        "mintValue does not cover the base cost any more: the chain's fee parameters or its multiplier have changed since the \
         facts were read. Prepare the request again.",
    ),
    (
        error::MSG_VALUE_MISMATCH,
        "The ETH that was sent is not what the route takes: the chain has another base token than its description says, or the \
         Bridgehub does not know the chain. Compare the network with the chain.",
    ),
    (
        error::TRANSACTION_NOT_ALLOWED,
        "The chain filters who may send it requests (transactionFilterer): ask its operator to let the sender in.",
    ),
    (
        error::DEPOSITS_PAUSED,
        "The chain takes no deposits now, before it moves to another settlement layer for example. Wait, and prepare the \
         request again.",
    ),
    (
        error::ASSET_ID_NOT_SUPPORTED,
        "The token is the chain's own base token, which goes through no second bridge: the chain has another base token than \
         its description says.",
    ),
    (
        error::ASSET_HANDLER_DOES_NOT_EXIST,
        "No vault knows the asset: the token was never registered, or it is native to another chain than tokenOrigin says.",
    ),
    (
        error::TOKENS_WITH_FEES_NOT_SUPPORTED,
        "The token keeps a part of each transfer, or its balances move by themselves: the bridges carry no such token.",
    ),
    (
        error::INSUFFICIENT_CHAIN_BALANCE,
        "The bridge holds less of the token for this chain than is to be paid out. Ask the chain's operator; do not try again \
         with another amount.",
    ),
    (
        error::WITHDRAWAL_ALREADY_FINALIZED,
        "L1 has paid this withdrawal before, by whoever finalized it: look at the receiver's balance. Nothing is lost.",
    ),
];

advice! {
    // documents
    "json.encoding" "Save the document as UTF-8. Editors that write UTF-16 or a legacy code page are the usual cause.";
    "json.syntax" "Mend the JSON at the line and column that the message names: a missing comma, a quote, a comment.";
    "json.trailing" "Keep one document to a file, or one document to a line (JSON Lines).";
    "json.too_large" "Split a batch into lines, one document each; a single document of that size is not a transaction.";
    "json.too_deep" "Nothing that coldbridge reads is nested like that: look at what wrote the document.";
    "json.duplicate_member" "Delete one of the two: readers differ in which one they take.";
    "json.unknown_member" "Delete the member or correct its spelling; `coldbridge schema NAME` lists those that there are.";
    "json.missing_member" "Add the member that the message names; `coldbridge schema NAME` describes it.";
    "json.wrong_type" "Write amounts, prices and bytes as strings, counts as integers; `coldbridge schema NAME` says which.";
    "json.number" "Write a whole number without sign, point or exponent; from 2^53 on as a decimal string.";
    "json.schema" "Hand over the document that the command reads, in this version; relay and signer must be of one version.";
    "json.choice" "Use one of the words that the message lists, in that spelling.";
    "json.text" "Use 1 to 128 printable ASCII characters: other text can hide or move what a terminal shows.";
    "quantity.format" "Write digits only, in base units (wei): no sign, point, exponent, separator, space or leading zero.";
    "quantity.hex" "Write the number in decimal: 0x10 and 10 are easily confused.";
    "quantity.range" "Check the number and its unit; an amount of ether is given in wei.";
    "address.format" "Write 0x and 40 hex digits.";
    "address.checksum" "Copy the address again from its source in its mixed-case spelling. Where only lower case is to be had, \
compare it by other means and pass --allow-unchecksummed.";
    "bytes.format" "Write 0x and two hex digits for each byte, as many as the member asks for.";
    "raw.format" "Hand over the bytes exactly as eth_sendRawTransaction takes them: type 0, 1, 2 or 0x71.";
    "operation.unknown" "Use one of the operations that the message lists.";
    "operation.count" "Write one request for each operation; several requests go into one JSON Lines file.";
    "facts.not_for_envelope" "Give the fees of the envelope that intent.envelope names: gasPrice for legacy and eip2930, \
maxFeePerGas and maxPriorityFeePerGas otherwise.";
    "facts.unused" "Delete it. A fact that is not used may be meant for another operation: check which one is asked for.";
    "intent.unused" "Delete it. An option that is not used may be meant for another operation: check which one is asked for.";
    "network.invalid" "Correct the network file; start from the output of `coldbridge network show local`.";

    // the chain and what is called
    "network.unknown" "Name a network of `coldbridge network list`, or describe your own with --network-file.";
    "intent.unsupported" "Leave the option out; it is refused by name because leaving it out silently could lose money.";
    "operation.network" [ONLY_ERA_SUPPORTED] "Use the operation that this network has: Bridgehub's requestExecute in place of the Era \
diamond's own.";
    "token.system" "Name ETH as \"eth\", the chain's base token as \"base\", an ERC-20 by its own address on the operation's layer.";
    "token.weth" [BURNING_NATIVE_WETH_NOT_SUPPORTED, TOKEN_NOT_SUPPORTED] "Unwrap it first and deposit \"eth\".";
    "token.origin" [ASSET_ID_MISMATCH] "State tokenOrigin only for a token whose home is another chain, with that chain's id and the \
token's address there.";
    "token.unsupported" "Choose a token that this operation moves on this network.";
    "deposit.form" [LEGACY_ENCODING_USED_FOR_NON_L1_TOKEN, ETH_DEPOSIT_NOT_SUPPORTED]
"Leave form out: the right one follows from token and network.";
    "withdraw.form" [TOKEN_NOT_LEGACY] "Leave form out: the asset router takes every token.";
    "withdraw.message" "Leave message out, or withdraw the base token.";
    "deploy.kind" "Use a kind that the message lists for that layer, or leave it out.";
    "bridge.unknown" "Use a bridge that the network pins by name, or leave intent.bridge out for the shared one.";
    "bridge.data" "Leave bridgeData out, or write bytes that say the same token, amount and recipient as the operation.";
    "bridge.route" "Leave intent.bridge out: on this route there is no second bridge.";
    "refund.unsafe" "Name a refundRecipient whose account exists on L2: a plain account without code on L1, or accept the alias by \
saying what stands behind it (refundRecipientKind).";
    "recipient.contract_sender" "Name another recipient: the address of a contract on L1 belongs to nobody on L2.";
    "recipient.token" "Name the account that is to be paid: what is sent to a token's own contract is lost.";
    "recipient.zero" "Name the account that is to be paid.";
    "recipient.system" "Name an account of a person or a contract: what is sent to a system address is lost.";
    "recipient.network_contract" "Name the account that is to be paid: what is sent to the bridge's own contracts is lost.";
    "amount.zero" "State the amount in base units (wei).";
    "factory_deps.count" [TOO_MANY_FACTORY_DEPS] "Publish the rest with an earlier request.";
    "factory_deps.length" [LENGTH_IS_NOT_DIVISIBLE_BY_32] "Hand over the bytecode that the ZKsync compiler wrote, whole.";
    "factory_deps.words" [MALFORMED_BYTECODE] "Hand over the bytecode that the ZKsync compiler wrote: an odd number of words, below 2^16.";
    "factory_deps.envelope" "Use the envelope eip712, which carries them, or publish the bytecode from L1.";
    "factory_deps.vm" "Leave factoryDeps out: ZKsync OS takes contracts as EVM bytecode.";
    "approve.spender" "Approve one of the network's contracts that the message names; any other would be able to take the tokens.";
    "allowances.unused" "Delete the row, or correct its token or spender.";
    "allowances.twice" "Keep one row for each token and spender.";
    "export.not_contract" "Sign the plan; or write \"fromKind\": \"contract\" if the sender is a Safe.";

    // fees and gas
    "envelope.unsupported" "Leave intent.envelope out, or use one that the message lists for that chain.";
    "fees.priority_above_max" "Lower maxPriorityFeePerGas, or raise maxFeePerGas: nodes refuse the one above the other.";
    "fees.zero_max_fee" "Set the fee that the chain asks for (eth_gasPrice, eth_feeHistory).";
    "fees.range" "Check the unit: fees are in wei for one gas.";
    "fees.gas_below_intrinsic" "Raise gasLimit to what the message names, and by what execution takes (eth_estimateGas).";
    "fees.gas_above_cap" "Lower gasLimit: a transaction may have 2^24 gas on L1 (EIP-7825).";
    "fees.overflow" "Check amount, gasLimit and fees, and their units.";

    // requests from L1 to L2
    "priority.margin" "Use a margin from 0 to 1000 percent; the surplus goes to the refund recipient.";
    "priority.fee_params" [PANIC] "Read slot 38 (0x26) of the diamond proxy again; the fee parameters are one word of it.";
    "priority.multiplier" "Read slot 45 (0x2d) of the diamond proxy again; a chain that runs on ETH has 1/1.";
    "priority.denominator_zero" [BASE_TOKEN_DENOMINATOR_NOT_SET] "Read slot 45 (0x2d) of the diamond proxy again; no chain that works \
has 0 there.";
    "priority.empty_deposit" [EMPTY_DEPOSIT] "Give a maxFeePerGas at which the request costs something.";
    "priority.overflow" [PANIC] "Check maxFeePerGas and l2GasLimit, and their units.";
    "priority.gas_per_pubdata" [GAS_PER_PUBDATA_MISMATCH] "Leave l2GasPerPubdataByteLimit out: L1 takes 800 and nothing else.";
    "priority.gas_floor" [TXN_BODY_GAS_LIMIT_NOT_ENOUGH_GAS, VALIDATE_TXN_NOT_ENOUGH_GAS, ZERO_GAS_PRICE_L1_TX_ZKSYNC_OS] "Raise l2GasLimit \
to what the message names. Execution may need more (zks_estimateGasL1ToL2): where it fails on L2 everything but the fee goes to \
the refund recipient.";
    "priority.gas_ceiling" [TOO_MUCH_GAS, PUBDATA_GREATER_THAN_LIMIT] "Lower l2GasLimit to what the message names.";

    // transactions on L2
    "l2.nonce_range" "Read the nonce again (eth_getTransactionCount on L2).";
    "l2.fee_range" "Check the unit: fees are in wei for one gas.";
    "l2.gas_per_pubdata_zero" "Leave gasPerPubdata out (50000).";
    "l2.gas_per_pubdata_range" "Leave gasPerPubdata out (50000).";
    "l2.gas_limit_range" "Estimate the gas again (eth_estimateGas on L2).";
    "l2.value_range" "Check the amount and its unit.";

    // from L2 to L1
    "message.selector" [INVALID_SELECTOR] "Take the message of the withdrawal's own log (L1MessageSent), whole.";
    "message.length" [L2_WITHDRAWAL_MESSAGE_WRONG_LENGTH, WRONG_MSG_LENGTH] "Take the message of the withdrawal's own log (L1MessageSent), \
whole.";
    "message.format" "Take the message of the withdrawal's own log (L1MessageSent), whole.";
    "proof.format" [MERKLE_PATH_EMPTY, HASHED_LOG_IS_DEFAULT, UNSUPPORTED_PROOF_METADATA_VERSION, INVALID_PROOF_LENGTH_FOR_FINAL_NODE,
        MERKLE_PATH_OUT_OF_BOUNDS, MERKLE_INDEX_OUT_OF_BOUNDS, NOT_SETTLEMENT_LAYER, PANIC] "Ask zks_getL2ToL1LogProof again and hand its \
words over as they are.";
    "proof.trailing" "Ask zks_getL2ToL1LogProof again and hand its words over as they are.";
    "proof.index" [MERKLE_INDEX_OUT_OF_BOUNDS] "Write the id that zks_getL2ToL1LogProof answers, not the position of the log.";
    "proof.batch" [LOCAL_ROOT_IS_ZERO] "Write the number of the batch: batchNumber of the proof, or l1BatchNumber of the receipt.";
    "proof.settlement_layer" [NOT_SETTLEMENT_LAYER] "Check the network. A Gateway that is not pinned goes into settlementLayers of a network \
file, after Bridgehub.whitelistedSettlementLayers(chainId) was read as true.";
    "proof.not_executed" [BATCH_NOT_EXECUTED] "Wait until the batch is executed on L1; then read its root again.";
    "proof.root" [INVALID_PROOF] "Compare batchRoot with L1 (the message says where), then copy message, sender, numbers and proof again. \
Do not finalize: it would revert.";
    "withdrawal.receiver" "Do not finalize it for this intent: the message pays somebody else, and nobody can change a message.";
    "withdrawal.token" "Name the token that was withdrawn; one that is not native to L1 needs its tokenOrigin.";
    "withdrawal.amount" "State the amount that was withdrawn, in base units.";
    "withdrawal.chain" "Name the network that the withdrawal was made on.";
    "withdrawal.l2_sender" [WRONG_L2_SENDER, INVALID_PROOF] "Write the first topic of the L1MessageSent event: 0x...800A for the base token, \
0x...10003 for the asset router, else the chain's legacy bridge.";
    "withdrawal.form" [INVALID_PROOF, LEGACY_BRIDGE_NOT_SET, ONLY_ERA_SUPPORTED] "Leave form out: the network's own function finalizes every \
message.";
    "withdrawal.unprovable" [INVALID_PROOF] "Look for the message that the base token's contract (0x...800A) sent; no function takes this one.";
    "claim.base_token" "Look at the refund recipient's balance on L2: a failed deposit of the base token is minted there, less the fee.";
    "claim.encoding" [LEGACY_METHOD_FOR_NON_L1_TOKEN] "Write the form that the deposit was made in, as its own document says.";
    "claim.form" "Leave form out: the function follows from the deposit's encoding.";
    "claim.transfer_data" [DEPOSIT_DOES_NOT_EXIST, DEPOSIT_DOES_NOT_EXIST_V31] "Copy derived.transferData of the deposit's unsigned document, \
or take it out of the deposit's calldata, byte for byte.";
    "claim.asset_id" [DEPOSIT_DOES_NOT_EXIST, DEPOSIT_DOES_NOT_EXIST_V31] "Name the token that was deposited, with its tokenOrigin if it is not \
native to L1.";
    "claim.tx_data_hash" [DEPOSIT_DOES_NOT_EXIST, DEPOSIT_DOES_NOT_EXIST_V31] "Claim with the deposit's own depositor (a Safe, not its owner), \
token, amount and encoding; zero means that it was claimed already.";
    "claim.succeeded" [INVALID_PROOF] "Look for the tokens at the receiver on L2: the deposit did not fail.";

    // paymasters and smart accounts
    "paymaster.flow" "Give the paymaster one flow: general or approvalBased.";
    "paymaster.envelope" "Use the envelope eip712: no other carries a paymaster.";
    "paymaster.address" "Name the paymaster's contract.";
    "paymaster.token" "Name the token that the paymaster takes.";
    "signers.none" "Name at least one signer, or leave signers out and attach the account's own signature.";
    "signers.twice" "Name each signer once.";
    "signers.account" "Name the accounts that sign for the smart account, not the account itself.";

    // documents that were made before
    "unsigned.differs" "Build it again from the request. If nobody edited it, find out where it was changed.";
    "signed.differs" "Do not broadcast it: it was changed after signing. Sign the request again.";
    "signed.unsigned" "Sign it first (coldbridge sign).";
    "signed.replayable" "Do not broadcast it: every chain with that account would take it. Sign with a chain id.";

    // people, keys, signatures
    "policy.invalid" "Keep one of the two rules at that place of the policy.";
    "policy.hash" "Use the policy that was pinned. If it was changed on purpose, read it with coldbridge policy explain and pin the new hash.";
    "policy.network" "Name a network that the policy allows in intent.network.";
    "policy.network_unpinned" "Use a network that is compiled in: a file describes where the money goes, and anybody can write one.";
    "policy.sender" "Send from an account that the policy allows.";
    "policy.operation" "Ask for an operation that the policy allows. Approvals that come first are operations of their own: list approve too.";
    "policy.recipient" "Find out who asked for this recipient. If it is right, have the policy's owner add it and pin the new hash.";
    "policy.lookalike" "Take it for an attack: somebody made an address that looks like a known one. Copy the right one from the policy, never from a history.";
    "policy.refund_recipient" "Leave refundRecipient out, so that the sender is refunded, or name one that the policy allows.";
    "policy.token" "Move a token that the policy lists, by its address on the operation's layer.";
    "policy.amount" "Lower the amount, or have the policy's owner raise maxPerTransaction.";
    "policy.total" "Sign the rest in another run if that is meant: maxTotal counts one document or one whole batch.";
    "policy.fee_per_gas" "Wait for a lower gas price, or have the policy's owner raise maxFeePerGas.";
    "policy.transaction_fee" "Lower the gas limit or the price per gas: their product is the most that one transaction can cost.";
    "policy.total_fee" "Split the batch, or have the policy's owner raise maxTotalFee: it counts one document or one whole batch.";
    "policy.surplus_mint" "Read the chain's fee parameters and the gas price again on another endpoint: what they inflate is minted to the refund recipient.";
    "policy.gas_limit" "Estimate the gas again, or have the policy's owner raise maxGasLimit.";
    "policy.l2_gas_limit" "Estimate the L2 gas again, or have the policy's owner raise maxL2GasLimit.";
    "policy.call_target" "Pass a policy whose callTargets names the contract. Without one no arbitrary contract is called.";
    "policy.call_selector" "Call a function that the policy lists for this contract.";
    "policy.paymaster" "Leave the paymaster out, or name one that the policy allows.";
    "policy.confirmation" "Sign at a terminal without --yes: the policy asks for a person.";
    "policy.guard" "Name the guard's file with --guard: the policy asks for one.";
    "sign.declined" "Nothing was signed. Correct the request and try again, or pass --yes where the review was done before.";
    "sign.contract_sender" "Export the plan for the contract's owners: coldbridge export --safe-batch.";
    "key.format" "Hand over a file that holds one line of 64 hex digits and nothing else.";
    "key.permissions" "Keep the key in a regular file of your own: chmod 600 FILE.";
    "key.unreadable" "Check the path. A symbolic link is not followed: name the file itself.";
    "key.not_from" "Use the key of intent.from, or correct intent.from.";
    "key.missing" "Hand over one key for each signer, or use digest and attach.";
    "key.keystore" "Hand over a keystore of version 3, as geth, ethers and cast write it.";
    "key.kdf" "Encrypt the key again with common parameters (coldbridge key import): these would take the machine's memory, or protect \
nothing.";
    "key.password" "Type the password again; a file for --password-file ends with one line end at most.";
    "key.no_password" "Run it on a terminal, or pass --password-file FILE.";
    "key.address" "Do not use it before you know why: the file was changed, or mixed from two.";
    "key.mnemonic" "Check the words, their order and their number: 12 to 24 words of BIP-39's English list, with one checksum.";
    "key.derivation_path" "Write a path such as m/44'/60'/0'/0/0.";
    "airgap.interface" "Take the network interfaces down, or sign on a machine that has none.";
    "airgap.filter" "Use a Linux kernel with seccomp, or leave --require-airgap out and unplug the machine.";
    "signature.format" "Hand over DER, r || s or r || s || v as hex, one for each transaction.";
    "signature.count" "Hand over one signature for each transaction, in their order; for a smart account one for each signer.";
    "signature.not_from" "Do not broadcast it. Have the digest signed again by the key of that account.";
    "fault.signature" "Stop using this machine for signing: one faulty signature can give the key away. Nothing was released.";
    "fault.encoding" "Stop using this machine for signing: it does not compute what it should. Nothing was released.";

    "fault.plan" "Stop using this machine for signing: it does not compute the same twice. Nothing was released.";

    // the guard
    "guard.nonce_used" "Read the nonce again (eth_getTransactionCount, pending). To take the place of what was signed before, and of \
nothing else, pass --replace.";
    "guard.nonce_below" "Read the nonce again; records from before the loss can be added with coldbridge guard import.";
    "guard.intent_used" "Broadcast what was signed, or replace it at its own nonce. If it can never be mined, say why: coldbridge guard \
retire GUARD ID --because TEXT.";
    "guard.intent_unknown" "Check the intent's id and which guard it is (coldbridge guard show).";
    "guard.conflict" "Find out which of the two payloads was mined; then set a watermark above both nonces (coldbridge guard repair).";
    "guard.corrupt" "Do not delete it. Use a copy that fits, or set it aside and set watermarks in a new one (coldbridge guard repair).";
    "guard.permissions" "Keep the guard in a regular file of your own: chmod 600 FILE.";
    "guard.locked" "Look for a coldbridge that hangs, and try again.";

    // the command line and files
    "usage.command" "See --help of the command.";
    "io.read" "Check the path and its permissions.";
    "io.write" "Check the folder, its permissions and the free space.";
    "io.exists" "Choose another name: a signed payload is never overwritten.";

    // the relay
    "relay.network" "Check the URL and the network; http:// is taken for this machine only.";
    "relay.answer" "Ask another endpoint: this one does not speak JSON-RPC as its method has it.";
    "relay.rejected" "Read what the node says. The payload is unchanged and can be sent again, or be replaced by one that is signed anew.";
    "relay.wrong_chain" "Use an endpoint of the chain that the payload is signed for.";
    "relay.replaced" "Another transaction has the nonce. If it was not yours, find out who holds the key; else sign with the next nonce.";
    "relay.reverted" "Look at the transaction in an explorer; its nonce is used and its fee paid.";
    "relay.pending" "Run the command again: it sends the same bytes and goes on waiting. If the fee is too low, sign a replacement.";
    "relay.disagree" "Ask other endpoints. What one of them says is false; nothing it says counts until they agree.";
    "relay.pinned" "Do not sign for that network: endpoint or network file are wrong, or the chain moved. See an upgrade notice first.";
    "relay.protocol_version" "Upgrade coldbridge, or describe the network anew with --network-file: other versions have other rules.";
    "relay.deposits_paused" "Wait until the chain takes requests again; nothing was prepared.";
    "relay.account_kind" "Correct fromKind or refundRecipientKind to what the chain says: whom L2 sees and refunds depends on it.";
    "relay.would_revert" "Read what the node says of the revert (coldbridge help SELECTOR) and correct the intent; nothing was prepared.";
    "relay.no_estimate" "State the gas limit by hand, or ask a node that estimates.";
    "relay.not_provable" "Name the L2 transaction that sent the withdrawal, or the failed deposit, and the index of its message.";
    "relay.already_done" "Nothing is left to do: finalizing or claiming again would revert.";
    "relay.not_ready" "Wait until the batch is executed on L1, and run the command again.";
    "relay.underpriced" "Sign a replacement with higher fees (at least a tenth more than the payload that has the nonce).";
    "relay.insufficient_funds" "Fund the account, then run the command again: the same bytes are sent.";
    "relay.dropped" "Run the command again, with another endpoint if it goes on; the same bytes are sent.";
    "relay.unknown" "Check the hash, and name the journal that the payload was broadcast with.";
    "relay.rival" "Decide which of the two is to be mined, and broadcast that one alone.";
    "relay.journal" "Use the journal that this relay wrote, and one relay for each journal.";
    "bug.internal" "Report it with the request that led to it and without any key. Nothing was signed.";
}
