//! Quantities that can not be mixed: each carries its unit in its type. All arithmetic is checked; none wraps.

use std::fmt;
use std::marker::PhantomData;

use ethabi::ethereum_types::U256;

use crate::json::Json;

/// A 256-bit quantity of one unit.
pub struct Quantity<Unit>(U256, PhantomData<Unit>);

/// The units.
pub mod unit {
    /// Base units of the token that pays for gas on a layer and is attached as a transaction's value (wei on L1).
    #[derive(Debug)]
    pub enum Wei {}
    /// Base units of the L2 chain's base token, as `mintValue` and the base cost are counted.
    #[derive(Debug)]
    pub enum BaseToken {}
    /// Gas.
    #[derive(Debug)]
    pub enum Gas {}
    /// Wei for one gas.
    #[derive(Debug)]
    pub enum WeiPerGas {}
    /// Base units of the L2 chain's base token for one L2 gas.
    #[derive(Debug)]
    pub enum BaseTokenPerGas {}
}

/// Wei (or the base units of whatever a layer pays gas in).
pub type Wei = Quantity<unit::Wei>;
/// Base units of the L2 chain's base token.
pub type BaseTokenUnits = Quantity<unit::BaseToken>;
/// Gas.
pub type Gas = Quantity<unit::Gas>;
/// Wei for one gas.
pub type WeiPerGas = Quantity<unit::WeiPerGas>;
/// Base-token units for one L2 gas.
pub type BaseTokenPerGas = Quantity<unit::BaseTokenPerGas>;

impl<Unit> Quantity<Unit> {
    /// This many.
    pub const fn new(value: U256) -> Self {
        Self(value, PhantomData)
    }

    /// Nothing.
    pub const fn zero() -> Self {
        Self::new(U256::zero())
    }

    /// The bare number.
    pub const fn get(self) -> U256 {
        self.0
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum, unless it is above 2^256-1.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self::new)
    }

    /// The difference, unless it is below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self::new)
    }

    /// An amount or price in a document: a decimal string.
    pub fn to_json(self) -> Json {
        Json::display(self)
    }

    /// A count in a document: an integer below 2^53, otherwise a decimal string.
    pub fn to_json_count(self) -> Json {
        Json::count(self.0)
    }
}

impl Gas {
    /// What this much gas costs at a price, unless it is above 2^256-1.
    pub fn checked_cost(self, price: WeiPerGas) -> Option<Wei> {
        self.0.checked_mul(price.0).map(Wei::new)
    }

    /// What this much L2 gas costs at a price in base-token units, unless it is above 2^256-1.
    pub fn checked_base_cost(self, price: BaseTokenPerGas) -> Option<BaseTokenUnits> {
        self.0.checked_mul(price.0).map(BaseTokenUnits::new)
    }
}

impl BaseTokenUnits {
    /// The same number as the value of an L1 transaction: right only where the base token is ETH.
    pub const fn as_l1_value(self) -> Wei {
        Wei::new(self.0)
    }
}

// Written out because a derive would ask the same of the unit.
impl<Unit> Clone for Quantity<Unit> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Unit> Copy for Quantity<Unit> {}
impl<Unit> PartialEq for Quantity<Unit> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<Unit> Eq for Quantity<Unit> {}
impl<Unit> PartialOrd for Quantity<Unit> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<Unit> Ord for Quantity<Unit> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<Unit> From<u64> for Quantity<Unit> {
    fn from(value: u64) -> Self {
        Self::new(U256::from(value))
    }
}
impl<Unit> fmt::Display for Quantity<Unit> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl<Unit> fmt::Debug for Quantity<Unit> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A decimal rendering with a point, for people: `1.5` for 1500000000000000000 at 18 decimals. Nothing is rounded.
pub fn with_decimals(value: U256, decimals: u8) -> String {
    let digits = format!("{:0>width$}", value.to_string(), width = usize::from(decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let render = |text: &str, decimals| with_decimals(U256::from_dec_str(text).expect("a number"), decimals);
        assert_eq!(render("0", 18), "0");
        assert_eq!(render("1", 18), "0.000000000000000001");
        assert_eq!(render("1500000000000000000", 18), "1.5");
        assert_eq!(render("30000000000", 9), "30");
        assert_eq!(render("12345", 0), "12345");
    }
}
