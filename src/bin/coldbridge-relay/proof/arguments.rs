//! The command line of `proof`.

use clap::Args;

use crate::cli::EndpointArgs;
use crate::prepare::arguments::FactArgs;

/// The end of `proof --help`.
pub const EXAMPLES: &str = "\
A withdrawal becomes a request for finalizeWithdrawal: message, sender, place and proof come from L2, the root that the proof
must end in from L1. An L1 -> L2 transaction that failed becomes one for claimFailedDeposit, if L1 remembers a deposit for it.
The intent is filled from what L2 says: who is paid, how much of what. Compare it with your own records before you sign.
--from is the account that pays for gas on L1; anybody can, and only the receiver or the depositor is paid.

Until the batch is executed on L1 the exit code is 25, with what is missing. Nothing is changed anywhere: ask again later.

Examples:
  coldbridge-relay proof 0x6a97...3dc3 --network era-mainnet --from 0x... --l1 https://l1.example --l2 https://l2.example
  coldbridge-relay proof 0x3dd0...d1ce --network era-mainnet --from 0x... --all --config relay.json > requests.jsonl";

/// The arguments of `proof`.
#[derive(Args)]
pub struct ProofArgs {
    /// The hash of the L2 transaction that withdrew, or that a deposit became
    #[arg(value_name = "L2_TX_HASH")]
    pub hash: String,
    /// The network [default: by the endpoints' chain ids]
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// The L1 account that is to send the request's transaction
    #[arg(long, value_name = "ADDRESS")]
    pub from: String,
    /// Which of the transaction's messages, counted from 0 [default: the only one]
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub index: Option<usize>,
    /// All messages of the transaction that L1 pays for, one request a line
    #[arg(long)]
    pub all: bool,
    /// The intent's id
    #[arg(long, value_name = "TEXT", conflicts_with = "all")]
    pub id: Option<String>,
    #[command(flatten)]
    pub facts: FactArgs,
    #[command(flatten)]
    pub endpoints: EndpointArgs,
}
