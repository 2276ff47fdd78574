//! The command line.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use coldbridge::external::Form;
use coldbridge::{Code, Refusal, Spelling};

/// Build, review and sign ZKsync L1<->L2 transactions on a machine without a network
#[derive(Parser)]
#[command(
    name = "coldbridge",
    version,
    disable_help_subcommand = true,
    after_help = "\
Documents are JSON, one to a file or one a line (JSON Lines); `-` or nothing reads standard input.
Answers go to standard output or with -o to a new file; reviews, questions and errors to standard error.

Exit codes: 0 done, 1 bug, 2 usage, 3 unreadable input, 4 false or doomed, 5 policy, 6 declined, 7 key,
8 fault (stop using this machine), 9 guard, 10 file I/O.

Examples:
  coldbridge review request.json
  coldbridge sign request.json --key account.key -o signed.json
  coldbridge verify signed.json
  cat requests.jsonl | coldbridge sign --key-fd 3 --yes 3< account.key > signed.jsonl
  coldbridge help priority.gas_floor"
)]
pub struct Cli {
    /// Describe a network of your own (coldbridge/network/1); can be given several times
    #[arg(long, global = true, value_name = "FILE")]
    pub network_file: Vec<PathBuf>,

    /// Write refusals as JSON: {"error":{"code","exit","at","message","expected","actual","remedy"}}
    #[arg(long, global = true)]
    pub json_errors: bool,

    /// Refuse to run while a network interface other than the loopback is up
    #[arg(long, global = true)]
    pub require_airgap: bool,

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
        policy: PolicyArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Sign a request or an unsigned document; shows the review and asks first
    #[command(after_help = "\
The key comes from a regular file that only its owner can read (chmod 600), or through an open file
descriptor: a keystore (version 3), a mnemonic with --derivation-path, or 64 hex digits; which of them is
seen from its content. No secret is taken from the command line or the environment.

Examples:
  coldbridge sign request.json --key account.json -o signed.json
  coldbridge sign request.json --key account.json --policy treasury.json --policy-hash 0x5b1d... -o signed.json
  coldbridge sign request.json --key words.txt --derivation-path \"m/44'/60'/0'/0/0\" -o signed.json
  coldbridge sign request.json --key-fd 3 --password-file password.txt --yes 3< account.json")]
    Sign {
        #[command(flatten)]
        document: DocumentArgs,
        #[command(flatten)]
        key: KeyArgs,
        /// Do not ask: for pipelines that have reviewed before
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        guard: GuardArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Write what an external signer needs: digests, unsigned bytes, EIP-712 typed data for type 0x71
    #[command(after_help = "\
The signing digest is signed as it is: no prefix, no further hash. Typed data is for signers that take
eth_signTypedData_v4; its hash is the digest. Read the review first: it shows the same digests.

Examples:
  coldbridge digest request.json
  coldbridge digest request.json --only digests
  coldbridge digest request.json --only typed-data | wallet-that-signs-typed-data")]
    Digest {
        #[command(flatten)]
        document: DocumentArgs,
        /// Write only this of each transaction, one a line
        #[arg(long, value_name = "WHAT")]
        only: Option<Only>,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a signed document out of a plan and the signatures of an external signer
    #[command(after_help = "\
Forms: DER, r || s (64 bytes), r || s || v (65 bytes, v 0, 1, 27 or 28), compact (EIP-2098). A high s is made
low, a missing recovery id is found; what does not recover to the account is refused (exit 7). A smart account
gets one signature for each of intent.signers, in that order, or without signers its own bytes as they are.
A file holds one signature as bytes, or one or more as lines of hex digits.

Examples:
  coldbridge attach request.json 0x30440220...
  coldbridge attach request.json signature.der -o signed.json
  coldbridge attach requests.jsonl --signatures signatures.jsonl > signed.jsonl")]
    Attach {
        #[command(flatten)]
        attach: AttachArgs,
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
        policy: PolicyArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Prove a signed document: decode the raw bytes, recover the signer, compare every member
    #[command(after_help = "\
A raw transaction is proved by itself: signed, for one chain, by the sender that it names. Where only a smart
account can judge the signature, \"signer\" is null.

Examples:
  coldbridge verify signed.json
  coldbridge verify signed.json --raw
  echo 0x71f8... | coldbridge verify")]
    Verify {
        /// A signed document or a raw transaction `0x...`; `-` is standard input
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
    /// Tell from a proof and a root whether an L1 -> L2 transaction succeeded, failed, or is not shown
    #[command(after_help = "\
The document (coldbridge/inclusion/1) names network, l2TxHash, l2BatchNumber, l2MessageIndex, l2TxNumberInBatch,
merkleProof and batchRoot. The answer's status is succeeded, failed or missing: missing says nothing of the
transaction. It holds if L1 stores that root where the answer says.

Example:
  coldbridge inclusion status.json")]
    Inclusion {
        /// The document; `-` is standard input
        #[arg(default_value = "-", value_name = "DOC")]
        document: PathBuf,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Work with the record of what was signed, which keeps a nonce or an intent from being signed twice
    #[command(subcommand)]
    Guard(GuardCommand),
    /// Say what a policy allows, and which policy it is
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Work with keys (they are never generated here)
    #[command(subcommand)]
    Key(KeyCommand),
    /// Show the networks that are known
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Print the JSON Schema of a document, or the names of all
    Schema {
        /// intent, request, unsigned, digest, signed, verified, review, quote, inclusion, included, receipt, track, relay-config, network, policy, guard or error
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Explain a command, a refusal's code, an exit code or an error of the contracts
    #[command(after_help = "\
Examples:
  coldbridge help sign
  coldbridge help priority.gas_floor
  coldbridge help priority
  coldbridge help 4
  coldbridge help exit
  coldbridge help 0x47b3b145")]
    Help {
        /// A command, a code (`area.slug`), an area, an exit code, `exit`, `codes`, or the name or selector of a contract's error
        #[arg(value_name = "TOPIC")]
        topic: Vec<String>,
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
    #[command(after_help = "Example:\n  coldbridge key address --key words.txt --derivation-path \"m/44'/60'/0'/0/0\"")]
    Address {
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Encrypt a key into a new keystore, which is opened once before it is named; prints the address
    #[command(after_help = "\
Reads a mnemonic or 64 hex digits and writes a keystore of version 3 (scrypt, n 262144, r 8, p 1) that geth,
ethers and cast open too. The password is asked for twice, or read from --password-file.

Examples:
  coldbridge key import --key words.txt --derivation-path \"m/44'/60'/0'/0/0\" -o account.json
  coldbridge key import --key-fd 3 --password-file password.txt -o account.json 3< account.key")]
    Import {
        #[command(flatten)]
        key: KeyArgs,
        /// The new keystore file (0600, never overwritten)
        #[arg(short = 'o', long = "output", value_name = "FILE")]
        output: PathBuf,
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
pub enum PolicyCommand {
    /// Print the policy in sentences, and its hash
    #[command(after_help = "Example:\n  coldbridge policy explain treasury.json")]
    Explain {
        /// The policy; `-` is standard input
        #[arg(value_name = "POLICY")]
        policy: PathBuf,
    },
    /// Print the hash that pins the policy: Keccak-256 of its canonical text
    #[command(after_help = "\
White space, the order of members and the spelling of addresses do not count; everything else does.

Example:
  coldbridge policy hash treasury.json")]
    Hash {
        /// The policy; `-` is standard input
        #[arg(value_name = "POLICY")]
        policy: PathBuf,
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

/// The part of each transaction that `digest` writes alone.
#[derive(Clone, Copy, ValueEnum)]
pub enum Only {
    /// The signing digests
    Digests,
    /// The unsigned bytes
    Unsigned,
    /// EIP-712 typed data
    TypedData,
}

#[derive(Args)]
pub struct AttachArgs {
    /// The request or unsigned document (`-` or left out: standard input), then for each transaction its signature: hex
    /// digits or a file
    #[arg(value_name = "DOC] [SIGNATURE", hide_default_value = true)]
    arguments: Vec<PathBuf>,
    /// Take the signatures by digest: JSON Lines of {"signingDigest","signature"}, in any order, for a batch
    #[arg(long, value_name = "FILE")]
    pub signatures: Option<PathBuf>,
    /// The form of the signatures: any, der, rs, rsv, compact or custom
    #[arg(long, value_name = "FORM", default_value = "any", value_parser = form)]
    pub format: Form,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub guard: GuardArgs,
    /// Take all-lower-case addresses in the intent, in which no typo can be seen
    #[arg(long)]
    allow_unchecksummed: bool,
}

fn form(word: &str) -> Result<Form, String> {
    let words = || Form::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let found = Form::WORDS.iter().find(|(known, _)| *known == word);
    found.map(|(_, form)| *form).ok_or_else(|| format!("one of {}", words()))
}

impl AttachArgs {
    /// The document and the signatures. One argument alone is a signature, unless signatures come by digest.
    pub fn parts(&self) -> Result<(&Path, Vec<&str>), Refusal> {
        let usage = |problem: &str| Refusal::new(Code::USAGE, "", problem, "write coldbridge attach DOC SIGNATURE...");
        let texts: Option<Vec<&str>> = self.arguments.iter().map(|argument| argument.to_str()).collect();
        let texts = texts.ok_or_else(|| usage("an argument is not text"))?;
        let (document, signatures) = match texts.as_slice() {
            [first, rest @ ..] if self.signatures.is_some() => (*first, rest),
            [] if self.signatures.is_some() => ("-", &[][..]),
            [] => return Err(usage("there is no signature")),
            [first, ..] if first.starts_with("0x") => ("-", texts.as_slice()),
            [_] => ("-", texts.as_slice()),
            [first, rest @ ..] => (*first, rest),
        };
        if self.signatures.is_some() && !signatures.is_empty() {
            return Err(usage("signatures come as arguments or with --signatures, not both"));
        }
        let from_stdin = signatures.iter().filter(|text| ["-", "@-"].contains(*text)).count()
            + usize::from(self.signatures.as_deref() == Some(Path::new("-")));
        if from_stdin > usize::from(document != "-") {
            return Err(usage("standard input can not be two things at once"));
        }
        Ok((Path::new(document), signatures.to_vec()))
    }

    /// How strictly addresses in the intent are judged.
    pub fn spelling(&self) -> Spelling {
        if self.allow_unchecksummed { Spelling::AnyCase } else { Spelling::Checksummed }
    }
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
pub struct PolicyArgs {
    /// Refuse what this policy does not allow (coldbridge/policy/1)
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Refuse any other policy than the one with this hash (coldbridge policy hash)
    #[arg(long, value_name = "HEX", requires = "policy")]
    pub policy_hash: Option<String>,
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

/// Where a key comes from.
#[derive(Clone, Copy)]
pub enum KeySource<'a> {
    /// A file that only its owner can read.
    File(&'a Path),
    /// An open file descriptor.
    Descriptor(u32),
}

impl KeyArgs {
    /// Where the keys come from, files first. Descriptors are read here and not by clap, which would print a key that was
    /// passed in a number's place.
    pub fn sources(&self) -> Result<Vec<KeySource<'_>>, Refusal> {
        let descriptors = self.key_fd.iter().map(|text| {
            text.parse().map(KeySource::Descriptor).map_err(|_| {
                Refusal::new(
                    Code::USAGE,
                    "",
                    "--key-fd takes the number of a file descriptor",
                    "write --key-fd 3 3< FILE",
                )
            })
        });
        self.key.iter().map(|path| Ok(KeySource::File(path))).chain(descriptors).collect()
    }
}

#[derive(Args)]
#[command(group(ArgGroup::new("source").required(true).multiple(false)))]
pub struct KeyArgs {
    /// Read the key from a regular file that only its owner can read; again for each signer of a smart account
    #[arg(long, value_name = "FILE", group = "source")]
    pub key: Vec<PathBuf>,
    /// Read the key from an open file descriptor
    #[arg(long, value_name = "N", group = "source")]
    pub key_fd: Vec<String>,
    /// The key of a mnemonic that is meant, such as "m/44'/60'/0'/0/0"; h may stand for '
    #[arg(long, value_name = "PATH")]
    pub derivation_path: Option<String>,
    /// Read the passphrase of a mnemonic from such a file, without one line end after it (default: none)
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Read the password of a keystore from such a file, without one line end after it (default: ask)
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}
