//! The guard's rules under any history: whatever is signed, retired, lost and moved, no nonce gets a second digest that was
//! not declared, and no intent can be paid twice.

use std::collections::{BTreeMap, BTreeSet};

use coldbridge::guard::{Entry, Guard, Log, Record, Replacement, Reservation, Slot, Tail, Verdict};
use coldbridge::{Address, Digest, Spelling};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(0x6a4d),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn slot(nonce: u64) -> Slot {
    let from = Address::parse("0x36615Cf349d7F6344891B1e7CA7C72883F5dc049", Spelling::Checksummed).expect("an address");
    Slot { from, chain_id: 1, nonce }
}

/// What can happen to one of two guards. Few ids, nonces and digests, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Sign { id: Option<u8>, first: u64, digests: Vec<u8>, replacement: Replacement },
    Retire { id: u8 },
    Watermark { nonce: u64 },
    ImportFromTheOther,
}

fn any_step() -> impl Strategy<Value = (bool, Step)> {
    let replacement = prop_oneof![
        4 => Just(Replacement::Undeclared),
        1 => Just(Replacement::Forbidden),
        2 => Just(Replacement::Allowed),
    ];
    let sign = (proptest::option::of(0..3_u8), 0..6_u64, proptest::collection::vec(0..3_u8, 1..3), replacement)
        .prop_map(|(id, first, digests, replacement)| Step::Sign { id, first, digests, replacement });
    let step = prop_oneof![
        8 => sign,
        1 => (0..3_u8).prop_map(|id| Step::Retire { id }),
        1 => (0..4_u64).prop_map(|nonce| Step::Watermark { nonce }),
        1 => Just(Step::ImportFromTheOther),
    ];
    (any::<bool>(), step)
}

/// Payments of an intent that may still be mined, from the records alone.
fn live(guard: &Guard) -> BTreeMap<String, BTreeSet<(u64, Digest)>> {
    let retired: BTreeSet<(&String, Digest)> = guard
        .records()
        .iter()
        .flat_map(|record| match record {
            Record::Retired { intent_id, digests, .. } => digests.iter().map(|digest| (intent_id, *digest)).collect(),
            _ => Vec::new(),
        })
        .collect();
    let mut live: BTreeMap<String, BTreeSet<(u64, Digest)>> = BTreeMap::new();
    for record in guard.records() {
        let Record::Signed(plan) = record else { continue };
        let (Some(id), Some(payment)) = (plan.intent_id().map(str::to_owned), plan.entries().last()) else { continue };
        if !retired.contains(&(&id, payment.digest)) {
            live.entry(id).or_default().insert((payment.slot.nonce, payment.digest));
        }
    }
    live
}

/// Every digest of every nonce, from the records alone.
fn signed(guard: &Guard) -> BTreeMap<u64, BTreeSet<Digest>> {
    let mut signed: BTreeMap<u64, BTreeSet<Digest>> = BTreeMap::new();
    for record in guard.records() {
        let Record::Signed(plan) = record else { continue };
        for entry in plan.entries() {
            signed.entry(entry.slot.nonce).or_default().insert(entry.digest);
        }
    }
    signed
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_history_pays_twice(steps in proptest::collection::vec(any_step(), 1..40)) {
        let mut guards = [Guard::default(), Guard::default()];
        let mut declared = BTreeSet::new();
        for (second, step) in steps {
            let at = usize::from(second);
            match step {
                Step::Sign { id, first, digests, replacement } => {
                    let entries: Vec<Entry> = (first..)
                        .zip(&digests)
                        .map(|(nonce, digest)| Entry { slot: slot(nonce), purpose: "deposit".into(), digest: Digest([*digest; 32]) })
                        .collect();
                    let plan = Reservation::new(id.map(|id| id.to_string()), entries).expect("transactions");
                    let before = signed(&guards[at]);
                    let Ok(verdict) = guards[at].decide(&plan, replacement) else { continue };
                    let replaced: BTreeSet<u64> = plan
                        .entries()
                        .filter(|entry| before.get(&entry.slot.nonce).is_some_and(|known| !known.contains(&entry.digest)))
                        .map(|entry| entry.slot.nonce)
                        .collect();
                    prop_assert!(replaced.is_empty() || replacement == Replacement::Allowed);
                    declared.extend(replaced.iter().copied());
                    match verdict {
                        Verdict::Known => prop_assert!(replaced.is_empty()),
                        Verdict::New { replaces } => {
                            let said: BTreeSet<u64> = replaces.iter().map(|entry| entry.slot.nonce).collect();
                            prop_assert_eq!(said, replaced);
                            guards[at].remember(Record::Signed(plan.clone()));
                        }
                    }
                    // What was allowed once is known, and needs no declaration.
                    prop_assert_eq!(guards[at].decide(&plan, Replacement::Undeclared), Ok(Verdict::Known));
                }
                Step::Retire { id } => {
                    if let Ok(record) = guards[at].retire(&id.to_string(), "a test") {
                        guards[at].remember(record);
                    }
                }
                Step::Watermark { nonce } => guards[at].remember(Record::Watermark(slot(nonce))),
                Step::ImportFromTheOther => {
                    let other = guards[1 - at].clone();
                    let Ok(missing) = guards[at].missing(&other) else { continue };
                    for record in missing {
                        guards[at].remember(record);
                    }
                    prop_assert_eq!(guards[at].missing(&other), Ok(Vec::new()), "all of it came");
                    let (ours, theirs) = (signed(&guards[at]), signed(&other));
                    for (nonce, digests) in theirs {
                        prop_assert!(digests.is_subset(&ours[&nonce]));
                    }
                }
            }
            for guard in &guards {
                for (nonce, digests) in signed(guard) {
                    prop_assert!(digests.len() == 1 || declared.contains(&nonce), "nonce {} of {:?}", nonce, guard);
                }
                for (id, payments) in live(guard) {
                    let nonces: BTreeSet<u64> = payments.iter().map(|(nonce, _)| *nonce).collect();
                    prop_assert_eq!(nonces.len(), 1, "intent {} can be paid twice: {:?}", id, guard);
                }
            }
        }
        // What is written is what is read, also when the end is missing.
        for guard in &guards {
            let mut log = Log::default();
            let text: String = guard.records().iter().map(|record| log.add(vec![record.clone()])).collect();
            let cut = text.len() * 2 / 3;
            for part in [&text[..], &text[..cut]] {
                let mut read = Log::default();
                let whole = read.read(part.as_bytes()).expect("whole lines");
                let tail = read.end(&part.as_bytes()[whole..]).expect("a beginning");
                let records = read.guard().records();
                prop_assert!(guard.records().starts_with(records));
                if part.len() == text.len() {
                    prop_assert_eq!((records, tail), (guard.records(), Tail::None));
                }
            }
        }
    }
}
