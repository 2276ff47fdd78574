//! What can be corrupted, and how.

use super::{Faults, Moment, Step};
use crate::hash::{Digest, TxHash};
use crate::signed::Signed;
use crate::transaction::{Authorization, Transaction};
use crate::units::{Gas, Wei, WeiPerGas};
use crate::unsigned::Planned;

/// One place in the order, one transaction of the plan, and the bit that flips there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The step.
    pub step: Step,
    /// Before or after it.
    pub moment: Moment,
    /// Which transaction of the plan.
    pub transaction: usize,
    /// Which bit, counted over the value; taken modulo its length.
    pub bit: usize,
}

impl Step {
    /// All of them, in order.
    pub const ALL: &'static [Self] = &[
        Self::Plan,
        Self::Encode,
        Self::Decode,
        Self::EncodeAgain,
        Self::Digest,
        Self::DigestAgain,
        Self::Sign,
        Self::LowS,
        Self::Verify,
        Self::Recover,
        Self::Serialize,
        Self::DecodeRaw,
        Self::Compare,
        Self::Hash,
        Self::Document,
    ];
}

impl Point {
    /// Reads `STEP:before|after:TRANSACTION:BIT`, the step in the words of [`Step`].
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (step, moment) = (parts.next()?, parts.next()?);
        Some(Self {
            step: *Step::ALL.iter().find(|known| format!("{known:?}") == step)?,
            moment: if moment == "before" { Moment::Before } else { Moment::After },
            transaction: parts.next()?.parse().ok()?,
            bit: parts.next()?.parse().ok()?,
        })
    }
}

impl Faults {
    /// Corrupts there.
    pub fn at(point: Point) -> Self {
        Self { point: Some(point) }
    }

    pub(crate) fn pass<T: Corrupt>(self, step: Step, moment: Moment, transaction: usize, value: &mut T) {
        if let Some(point) = self.point
            && (point.step, point.moment, point.transaction) == (step, moment, transaction)
        {
            value.corrupt(point.bit);
        }
    }
}

/// A value in which a bit can flip.
pub(crate) trait Corrupt {
    fn corrupt(&mut self, bit: usize);
}

impl Corrupt for [u8] {
    fn corrupt(&mut self, bit: usize) {
        let bits = self.len() * 8;
        if let Some(byte) = bit.checked_rem(bits).and_then(|bit| self.get_mut(bit / 8)) {
            *byte ^= 1 << (bit % 8);
        }
    }
}

impl Corrupt for Vec<u8> {
    fn corrupt(&mut self, bit: usize) {
        self.as_mut_slice().corrupt(bit);
    }
}

impl Corrupt for String {
    fn corrupt(&mut self, bit: usize) {
        let mut bytes = std::mem::take(self).into_bytes();
        bytes.corrupt(bit);
        *self = String::from_utf8_lossy(&bytes).into_owned();
    }
}

impl Corrupt for Digest {
    fn corrupt(&mut self, bit: usize) {
        self.0.corrupt(bit);
    }
}

impl Corrupt for TxHash {
    fn corrupt(&mut self, bit: usize) {
        self.0.corrupt(bit);
    }
}

impl Corrupt for Authorization {
    fn corrupt(&mut self, bit: usize) {
        match self {
            Self::Unsigned => {}
            Self::Custom(bytes) => bytes.corrupt(bit),
            Self::Signature(signature) => *signature = signature.corrupted(bit),
        }
    }
}

impl Corrupt for Planned {
    fn corrupt(&mut self, bit: usize) {
        self.transaction.corrupt(bit);
    }
}

impl Corrupt for Signed {
    fn corrupt(&mut self, bit: usize) {
        self.inject(bit);
    }
}

impl Corrupt for Transaction {
    /// Another field for each bit.
    fn corrupt(&mut self, bit: usize) {
        let data = |data: &mut Vec<u8>| if data.is_empty() { data.push(0) } else { data.corrupt(bit) };
        let wei = |wei: &mut Wei| *wei = Wei::new(wei.get() ^ 1.into());
        let gas = |gas: &mut Gas| *gas = Gas::new(gas.get() ^ 1.into());
        let price = |price: &mut WeiPerGas| *price = WeiPerGas::new(price.get() ^ 1.into());
        macro_rules! common {
            ($tx:ident) => {
                match bit % 6 {
                    0 => data(&mut $tx.data),
                    1 => wei(&mut $tx.value),
                    2 => gas(&mut $tx.gas_limit),
                    3 => $tx.nonce ^= 1,
                    _ => $tx.to = None,
                }
            };
        }
        match self {
            Self::Legacy(tx) if bit % 6 == 5 => price(&mut tx.gas_price),
            Self::Eip2930(tx) if bit % 6 == 5 => price(&mut tx.gas_price),
            Self::Eip1559(tx) if bit % 6 == 5 => price(&mut tx.max_fee_per_gas),
            Self::Eip712(tx) if bit % 6 == 5 => price(&mut tx.max_fee_per_gas),
            Self::Legacy(tx) => common!(tx),
            Self::Eip2930(tx) => common!(tx),
            Self::Eip1559(tx) => common!(tx),
            Self::Eip712(tx) => common!(tx),
        }
    }
}
