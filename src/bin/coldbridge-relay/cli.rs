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

A receipt line says recorded, sent, included (and confirmed, with --confirmations above 1), or why not: underpriced,
insufficientFunds, rejected (21), replaced (23), reverted (24), pending, dropped (25). One failing account does not stop the
others; every failure is told, the first document's last, and its code is the exit code.

Examples:
  coldbridge-relay broadcast signed.json --l1 https://rpc.example --journal relay.db
  coldbridge-relay broadcast day.jsonl --config relay.json --journal relay.db --confirmations 12
  coldbridge-relay broadcast signed.json --l1 https://a.example --l1 https://b.example --journal relay.db
  coldbridge-relay broadcast withdraw.json --l2 https://mainnet.era.example --journal relay.db")]
    Broadcast(BroadcastArgs),
    /// Show how far transactions have come on both layers
    #[command(after_help = "\
A deposit: included on L1, then executed or failed on L2, by the canonical hash of the transaction that it became. A withdrawal:
included on L2, then proofReady when its batch is executed on L1, then finalized. Without a name: all open payloads of the
journal. On a terminal a table, otherwise one coldbridge/track/1 a line. Nothing is sent.

Exit codes: 0 through (executed, proofReady, finalized, done), 25 not yet, 24 reverted or failed on L2; of several the first.

Examples:
  coldbridge-relay track signed.json --l1 https://l1.example --l2 https://l2.example
  coldbridge-relay track 0x6a97...3dc3 --l1 https://l1.example --l2 https://l2.example
  coldbridge-relay track --journal relay.db --config relay.json")]
    Track(TrackArgs),
    /// Show what the journal says of payloads, without a network
    #[command(after_help = "\
Also while a relay is broadcasting. On a terminal a table, otherwise one coldbridge/receipt/1 a line, in which what only the
chain knows is null. `track` asks the chain.

Examples:
  coldbridge-relay status --journal relay.db
  coldbridge-relay status --journal relay.db --open --json
  coldbridge-relay status --journal relay.db signed.json 0x6a97...3dc3")]
    Status(StatusArgs),
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
pub struct StatusArgs {
    /// Transaction hashes, signing digests, hashes of L2 transactions that requests became, or signed documents [default: all]
    #[arg(value_name = "HASH|SIGNED")]
    pub payloads: Vec<String>,
    /// The journal
    #[arg(long, value_name = "FILE")]
    pub journal: PathBuf,
    /// Only payloads that are not replaced or reverted
    #[arg(long, conflicts_with = "payloads")]
    pub open: bool,
    /// Write one document a line, also on a terminal
    #[arg(long, conflicts_with = "table")]
    pub json: bool,
    /// Write a table, also where no terminal is
    #[arg(long)]
    pub table: bool,
}

#[derive(Args)]
pub struct TrackArgs {
    /// Transaction hashes of L1 or L2, or signed documents [default: all open payloads of the journal]
    #[arg(value_name = "HASH|SIGNED")]
    pub payloads: Vec<String>,
    /// The journal; it is only read
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// The network of hashes that the journal does not know [default: by the endpoints' chain ids]
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// Write one document a line, also on a terminal
    #[arg(long, conflicts_with = "table")]
    pub json: bool,
    /// Write a table, also where no terminal is
    #[arg(long)]
    pub table: bool,
    #[command(flatten)]
    pub endpoints: EndpointArgs,
}

#[derive(Args)]
pub struct BroadcastArgs {
    /// Signed documents; `-` is standard input
    #[arg(default_value = "-", value_name = "SIGNED")]
    pub documents: Vec<PathBuf>,
    /// The journal, an SQLite database; made if it is not there
    #[arg(long, value_name = "FILE")]
    pub journal: PathBuf,
    /// So many accounts at the same time; the payloads of one account go one after the other
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = parallel)]
    pub parallel: usize,
    /// So many blocks, its own included, make a transaction mined for good
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub confirmations: u64,
    /// Also send a payload whose nonce another payload of the journal has that can still be mined, a cancellation for example, or
    /// whose intent was broadcast with another nonce
    #[arg(long)]
    pub replace: bool,
    /// How long to wait for each transaction to be mined, up to a week
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub timeout: u64,
    #[command(flatten)]
    pub endpoints: EndpointArgs,
}

fn parallel(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (1..=64).contains(count)).ok_or_else(|| "give a number from 1 to 64".to_owned())
}
