//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use coldbridge::{Code, Refusal};

/// Build, review and sign ZKsync L1<->L2 transactions on a machine without a network
#[derive(Parser)]
#[command(
    name = "coldbridge",
    version,
    after_help = "\
Documents are JSON, one to a file or one a line (JSON Lines); `-` or nothing reads standard input.
Answers go to standard output or with -o to a new file; reviews, questions and errors to standard error.

Exit codes: 0 done, 1 bug, 2 usage, 3 unreadable input, 4 false or doomed, 5 policy, 6 declined, 7 key,
8 fault (stop using this machine), 9 guard, 10 file I/O.

Examples:
  coldbridge review request.json
  coldbridge sign request.json --key account.key -o signed.json
  coldbridge verify signed.json
  cat requests.jsonl | coldbridge sign --key-fd 3 --yes 3< account.key > signed.jsonl"
)]
pub struct Cli {
    /// Describe a network of your own (coldbridge/network/1); can be given several times
    #[arg(long, global = true, value_name = "FILE")]
    pub network_file: Vec<PathBuf>,

    /// Write refusals as JSON: {"error":{"code","exit","at","message","expected","actual","remedy"}}
    #[arg(long, global = true)]
    pub json_errors: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Turn a request into an unsigned document: every field final, everything recomputed
    #[command(after_help = "Example:\n  coldbridge build request.json -o unsigned.json")]
    Build {
        #[command(flatten)]
        document: DocumentArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Say what a document will do, decoded from its encoded bytes
    #[command(after_help = "Examples:\n  coldbridge review signed.json\n  echo 0x02f8... | coldbridge review --json")]
    Review {
        #[command(flatten)]
        document: DocumentArgs,
        /// Write coldbridge/review/1 in place of text
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Sign a request or an unsigned document; shows the review and asks first
    #[command(after_help = "\
The key is 64 hex digits in a regular file that only its owner can read (chmod 600), or comes through an
open file descriptor. It is never taken from the command line or the environment.

Examples:
  coldbridge sign request.json --key account.key -o signed.json
  coldbridge sign request.json --key-fd 3 --yes 3< account.key")]
    Sign {
        #[command(flatten)]
        document: DocumentArgs,
        #[command(flatten)]
        key: KeyArgs,
        /// Do not ask: for pipelines that have reviewed before
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        guard: GuardArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Write the plan of a contract sender as a batch for its owners
    #[command(after_help = "\
For requests with \"fromKind\": \"contract\": a Safe has no key, its owners sign what the Transaction Builder proposes.

Example:
  coldbridge export request.json --safe-batch -o batch.json")]
    Export {
        #[command(flatten)]
        document: DocumentArgs,
        /// As Safe Transaction Builder JSON
        #[arg(long, required = true)]
        safe_batch: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Prove a signed document: decode the raw bytes, recover the signer, compare every member
    #[command(after_help = "Examples:\n  coldbridge verify signed.json\n  coldbridge verify signed.json --raw")]
    Verify {
        /// A signed document; `-` is standard input
        #[arg(default_value = "-", value_name = "SIGNED")]
        document: PathBuf,
        /// Print only the raw transactions, one 0x... a line
        #[arg(long)]
        raw: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Compute base cost, gas bounds, mintValue and fees; needs no nonce and no key
    #[command(after_help = "Example:\n  coldbridge quote request.json")]
    Quote {
        #[command(flatten)]
        document: DocumentArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Work with the record of what was signed, which keeps a nonce or an intent from being signed twice
    #[command(subcommand)]
    Guard(GuardCommand),
    /// Work with keys (they are never generated here)
    #[command(subcommand)]
    Key(KeyCommand),
    /// Show the networks that are known
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Print the JSON Schema of a document, or the names of all
    Schema {
        /// intent, request, unsigned, signed, verified, review, quote, receipt, relay-config, network, guard or error
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Print the account address of a key
    Address {
        #[command(flatten)]
        key: KeyArgs,
    },
}

#[derive(Subcommand)]
pub enum GuardCommand {
    /// Print what was signed, retired and set, in words
    #[command(after_help = "Example:\n  coldbridge guard show account.key.guard")]
    Show {
        /// The guard
        #[arg(value_name = "GUARD")]
        guard: PathBuf,
    },
    /// Write a checked copy (coldbridge/guard/1, JSON Lines) for another stick or a backup
    #[command(after_help = "Example:\n  coldbridge guard export account.key.guard -o backup.guard")]
    Export {
        /// The guard
        #[arg(value_name = "GUARD")]
        guard: PathBuf,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Add what another guard knows; nothing is forgotten, and two that contradict each other are refused
    #[command(after_help = "Example:\n  coldbridge guard import account.key.guard backup.guard")]
    Import {
        /// The guard to add to; made if there is none
        #[arg(value_name = "GUARD")]
        guard: PathBuf,
        /// The other one
        #[arg(value_name = "FROM")]
        other: PathBuf,
    },
    /// After a loss: count every nonce of an account below a number as used
    #[command(after_help = "\
Set it for each chain that the account has signed for, to the number of transactions that it has sent there
(eth_getTransactionCount, pending), or higher if signed payloads may still be on their way. It is never lowered.

Example:
  coldbridge guard repair account.key.guard --from 0x36615Cf349d7F6344891B1e7CA7C72883F5dc049 --chain 1 --min-nonce 18")]
    Repair {
        /// The guard; made if there is none
        #[arg(value_name = "GUARD")]
        guard: PathBuf,
        /// The account
        #[arg(long, value_name = "ADDRESS")]
        from: String,
        /// The chain id
        #[arg(long, value_name = "ID")]
        chain: u64,
        /// The first nonce that may be used
        #[arg(long, value_name = "N")]
        min_nonce: u64,
    },
    /// Declare an intent's signed payloads dead, so that it may be paid again
    #[command(after_help = "\
Only when they can never be mined: another transaction has taken the nonce. The reason is kept.

Example:
  coldbridge guard retire account.key.guard PAY-2026-0042 --because \"nonce 17 was taken by 0x1234...\"")]
    Retire {
        /// The guard
        #[arg(value_name = "GUARD")]
        guard: PathBuf,
        /// The intent's id
        #[arg(value_name = "INTENT")]
        intent: String,
        /// Why it can not be paid by what was signed before
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
}

#[derive(Subcommand)]
pub enum NetworkCommand {
    /// List their names, chains and where they come from
    List,
    /// Print one as a document
    Show {
        /// Its name
        name: String,
    },
}

#[derive(Args)]
pub struct DocumentArgs {
    /// The document; `-` is standard input
    #[arg(default_value = "-", value_name = "DOC")]
    pub document: PathBuf,
    /// Take all-lower-case addresses in the intent, in which no typo can be seen
    #[arg(long)]
    pub allow_unchecksummed: bool,
}

#[derive(Args)]
pub struct OutputArgs {
    /// Write to a new file (0600, never overwritten) in place of standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Args)]
pub struct GuardArgs {
    /// Keep the record of what was signed here, or nowhere: `none` [default: beside the key file, KEY.guard]
    #[arg(long, value_name = "FILE")]
    pub guard: Option<PathBuf>,
    /// Take the place of what was signed before with the same nonces: of these the chain takes one
    #[arg(long)]
    pub replace: bool,
}

impl KeyArgs {
    /// The descriptor's number. It is read here and not by clap, which would print a key that was passed in its place.
    pub fn descriptor(&self) -> Result<Option<u32>, Refusal> {
        let number = self.key_fd.as_ref().map(|text| text.parse::<u32>());
        number.transpose().map_err(|_| {
            Refusal::new(Code::USAGE, "", "--key-fd takes the number of a file descriptor", "write --key-fd 3 3< FILE")
        })
    }
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct KeyArgs {
    /// Read the key from a regular file that only its owner can read
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Read the key from an open file descriptor
    #[arg(long, value_name = "N")]
    pub key_fd: Option<String>,
}
