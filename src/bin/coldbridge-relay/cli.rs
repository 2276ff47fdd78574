//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Submit signed ZKsync L1<->L2 payloads from a machine that has a network
#[derive(Parser)]
#[command(
    name = "coldbridge-relay",
    version,
    after_help = "\
The relay holds no key and can not sign. It verifies a payload before it opens a socket, writes it into the journal
before it sends it, and always sends the same bytes: running a command again is harmless.

Receipts go to standard output, one JSON line for each change of state; progress and errors to standard error.

Exit codes: 0 done, 1-10 as coldbridge (a false payload is 3, 4 or 7), 20 network, 21 rejected by the node,
22 wrong chain, 23 replaced, 24 reverted, 25 still pending, 26 endpoints disagree.

Example:
  coldbridge-relay broadcast signed.json --l1 https://rpc.example --journal relay.db"
)]
pub struct Cli {
    /// Describe a network of your own (coldbridge/network/1); can be given several times
    #[arg(long, global = true, value_name = "FILE")]
    pub network_file: Vec<PathBuf>,

    /// Write errors as JSON: {"error":{"code","exit","at","message","expected","actual","remedy"}}
    #[arg(long, global = true)]
    pub json_errors: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Send signed documents and wait until they are mined
    #[command(after_help = "\
Sending the same document again changes nothing: it ends with 0 as soon as its transactions are mined.

Examples:
  coldbridge-relay broadcast signed.json --l1 https://rpc.example --journal relay.db
  coldbridge-relay broadcast withdraw.json --l2 https://mainnet.era.example --journal relay.db")]
    Broadcast(BroadcastArgs),
    /// Make a request of an intent: ask the nodes for everything that `coldbridge build` needs
    #[command(after_help = crate::prepare::arguments::EXAMPLES)]
    Prepare(Box<crate::prepare::arguments::PrepareArgs>),
    /// Make the request that finalizes a withdrawal or claims a failed deposit, from an L2 transaction
    #[command(after_help = crate::proof::arguments::EXAMPLES)]
    Proof(Box<crate::proof::arguments::ProofArgs>),
}

/// The nodes to ask, for all commands that ask one.
#[derive(Args)]
#[command(next_help_heading = "Endpoints")]
pub struct EndpointArgs {
    /// An L1 node, https, or http to this machine; repeat it to name several
    #[arg(long, value_name = "URL")]
    pub l1: Vec<String>,
    /// An L2 node; repeat it to name several
    #[arg(long, value_name = "URL")]
    pub l2: Vec<String>,
    /// So many of the nodes of a layer must agree on what is read [default: all]
    #[arg(long, value_name = "N")]
    pub quorum: Option<usize>,
    /// Nodes of each network (coldbridge/relay-config/1), so that no address with a key stands on a command line
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How long one exchange with a node may take
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub request_timeout: u64,
    /// How often a node that does not answer is asked again, with growing pauses
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=10))]
    pub retries: u32,
}

#[derive(Args)]
pub struct BroadcastArgs {
    /// Signed documents; `-` is standard input
    #[arg(required = true, value_name = "SIGNED")]
    pub documents: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: EndpointArgs,
    /// The journal, an SQLite database; made if it is not there
    #[arg(long, value_name = "FILE")]
    pub journal: PathBuf,
    /// So many accounts at the same time; the payloads of one account go one after the other
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = parallel)]
    pub parallel: usize,
    /// So many blocks, its own included, make a transaction mined for good
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub confirmations: u64,
    /// Also send a payload whose nonce another payload of the journal has that can still be mined, a cancellation for example
    #[arg(long)]
    pub replace: bool,
    /// How long to wait for each transaction to be mined, up to a week
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub timeout: u64,
}

fn parallel(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (1..=64).contains(count)).ok_or_else(|| "give a number from 1 to 64".to_owned())
}
