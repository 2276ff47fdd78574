//! The policy of a run: read from its file, compared with the pinned hash, asked about each document.

use std::path::Path;

use coldbridge::guard::Replacement;
use coldbridge::json::Cursor;
use coldbridge::operation::cancel;
use coldbridge::policy::{Confirmation, Demand, Permission, Tally, Verdict, judge_without};
use coldbridge::{Code, Digest, Json, Policy, Refusal, Unsigned, json};

use crate::cli::{GuardArgs, PolicyArgs};
use crate::guard_file::Place;
use crate::hardening::{Filter, require_airgap};
use crate::networks::read_document;

/// What is allowed in this run, and how much of it has been used.
#[derive(Clone)]
pub struct Rules {
    policy: Option<Policy>,
    tally: Tally,
}

/// Reads a policy.
fn read(path: &Path) -> Result<Policy, Refusal> {
    let text = read_document(path, "the policy")?;
    json::parse(&text).and_then(|json| Policy::read(&json))
}

impl Rules {
    /// The policy that the command line names, if it is the one that is pinned.
    pub fn named(arguments: &PolicyArgs) -> Result<Self, Refusal> {
        let policy = arguments.policy.as_deref().map(read).transpose()?;
        if let (Some(policy), Some(pinned)) = (&policy, &arguments.policy_hash) {
            let pinned = Json::text(pinned.as_str());
            let pinned = Cursor::root(&pinned).fixed_bytes::<32>().map_err(|_| {
                Refusal::new(
                    Code::USAGE,
                    "",
                    "--policy-hash takes 0x and 64 hex digits",
                    "print the hash with coldbridge policy hash FILE, and compare it with what was agreed on",
                )
            })?;
            policy.judge_hash(Digest(pinned))?;
        }
        Ok(Self { policy, tally: Tally::default() })
    }

    /// Judges a plan; without a policy too, where there is little that is refused.
    pub fn judge(&mut self, unsigned: &Unsigned) -> Result<Option<Verdict>, Refusal> {
        match &self.policy {
            Some(policy) => policy.judge(unsigned, &mut self.tally).map(Some),
            None => judge_without(unsigned).map(|()| None),
        }
    }

    /// What has been used of it so far.
    pub fn used(&self) -> Tally {
        self.tally.clone()
    }

    /// Takes back what was counted since: a document that was allowed, and was refused for something else.
    pub fn take_back(&mut self, used: Tally) {
        self.tally = used;
    }

    /// What the signed document will name.
    pub fn hash(&self) -> Option<Digest> {
        self.policy.as_ref().map(Policy::hash)
    }

    /// Who has to agree, if the policy says so.
    pub fn confirmation(&self) -> Option<Confirmation> {
        self.policy.as_ref().and_then(Policy::confirmation)
    }

    /// Whether this plan may take the place of what was signed before. A replacement is declared by switch; a cancel is one
    /// by itself where a policy allows it, and without a policy needs the switch too.
    pub fn replacement(&self, guard: &GuardArgs, unsigned: &Unsigned) -> Replacement {
        let is_cancel = unsigned.request().operation() == cancel::OPERATION.name;
        match self.policy.as_ref().and_then(Policy::replacement) {
            Some(Permission::Refused) if guard.replace || is_cancel => Replacement::Forbidden,
            Some(Permission::Allowed) if guard.replace || is_cancel => Replacement::Allowed,
            None if guard.replace => Replacement::Allowed,
            _ => Replacement::Undeclared,
        }
    }

    /// Whether no network interface is up, where the policy asks for that.
    ///
    /// # Errors
    /// `airgap.interface`, `airgap.filter`.
    pub fn judge_airgap(&self, filter: Filter) -> Result<(), Refusal> {
        match self.policy.as_ref().and_then(Policy::airgap) {
            Some(Demand::Required) => require_airgap(filter, Path::new("/")),
            Some(Demand::Optional) | None => Ok(()),
        }
    }

    /// Whether there is a guard where the policy asks for one.
    ///
    /// # Errors
    /// `policy.guard`.
    pub fn judge_guard(&self, place: &Place) -> Result<(), Refusal> {
        let demand = self.policy.as_ref().and_then(Policy::guard);
        match (demand, place) {
            (Some(Demand::Required), Place::Nowhere { because, .. }) => Err(Refusal::new(
                Code::POLICY_GUARD,
                "",
                format!("there is no guard ({because}), and the policy asks for one"),
                "name its file: --guard FILE",
            )
            .values("a guard", "none")),
            _ => Ok(()),
        }
    }
}
