//! Numbers and accounts in a node's answers, each with a range; what does not fit is none.
//!
//! Nonces, gas and batch numbers are below 2^53, as documents have them: an answer above it is no answer.

use coldbridge::Address;
use ethabi::ethereum_types::U256;
use serde_json::Value;

use crate::answer::quantity;

/// The first integer that JSON readers do not agree on (2^53): no nonce, index or batch number comes near it.
const COUNT_LIMIT: u64 = coldbridge::json::INTEGER_LIMIT;

/// An amount or a price: up to 256 bits.
pub fn amount(value: &Value) -> Option<U256> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    let fits = (1..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { U256::from_str_radix(digits, 16).ok() } else { None }
}

/// A nonce, a number of gas, a block or batch number, an index.
pub fn count(value: &Value) -> Option<u64> {
    amount(value)?;
    quantity(value).filter(|count| *count < COUNT_LIMIT)
}

/// A word below 2^53.
pub fn count_of(word: [u8; 32]) -> Option<u64> {
    u64::try_from(U256::from_big_endian(&word)).ok().filter(|count| *count < COUNT_LIMIT)
}

/// The account in the low 20 bytes of a word whose others are zero.
pub fn address_of(word: [u8; 32]) -> Option<Address> {
    let (high, low) = word.split_first_chunk::<12>()?;
    if *high == [0; 12] { low.try_into().ok().map(Address::from_bytes) } else { None }
}

/// Estimates differ from node to node and from block to block: so many of them that are no more than a quarter apart agree,
/// and the highest of those is taken. Of several such groups the middle one.
pub fn near(mut values: Vec<U256>, needed: usize) -> Option<U256> {
    values.sort_unstable();
    let mut agreed = values.windows(needed.max(1)).filter_map(|group| {
        let (low, high) = (group.first()?, group.last()?);
        (high.saturating_sub(*low) <= *low / 4).then_some(*high)
    });
    let middle = agreed.clone().count() / 2;
    agreed.nth(middle)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_has_one_type_and_a_range() {
        assert_eq!(amount(&json!("0x0")), Some(U256::zero()));
        assert_eq!(amount(&json!("0xfF")), Some(U256::from(255)));
        assert_eq!(count(&json!("0x1fffffffffffff")), Some(COUNT_LIMIT - 1));
        let zeros = format!("0x{}", "0".repeat(65));
        for text in ["", "0", "0x", "10", "0x-1", "0x+1", "0x1.5", "0x 1", "0X1", "-0x1", "0x1e+3", &zeros] {
            assert_eq!((amount(&json!(text)), count(&json!(text))), (None, None), "{text}");
        }
        for value in [json!(null), json!(1), json!(1.5), json!(["0x1"]), json!({"0x1": 1}), json!(true)] {
            assert_eq!((amount(&value), count(&value)), (None, None), "{value}");
        }
        assert_eq!(count(&json!("0x20000000000000")), None, "2^53");
    }

    #[test]
    fn estimates_agree_where_they_are_near_each_other() {
        let near = |values: &[u64], needed| near(values.iter().map(|value| U256::from(*value)).collect(), needed);
        let rows: [(&[u64], usize, Option<u64>); 9] = [
            (&[100], 1, Some(100)),
            (&[100, 125], 2, Some(125)),
            (&[126, 100], 2, None),
            (&[1, 100, 99], 2, Some(100)),
            (&[u64::MAX, 100, 99], 2, Some(100)),
            (&[1, 100, u64::MAX], 2, None),
            (&[1, 100, u64::MAX], 1, Some(100)),
            (&[0, 0], 2, Some(0)),
            (&[100], 2, None),
        ];
        for (values, needed, expected) in rows {
            assert_eq!(near(values, needed), expected.map(U256::from), "{values:?} {needed}");
        }
    }

    #[test]
    fn an_address_in_a_word_leaves_the_rest_zero() {
        let mut word = [0; 32];
        word[31] = 7;
        assert!(address_of(word).is_some());
        word[11] = 1;
        assert_eq!(address_of(word), None);
        assert_eq!(count_of(word), None);
    }
}
