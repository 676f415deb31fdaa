//! Natural numbers of any size.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;

/// A natural number of any size, for counts of configurations.
///
/// ```
/// use spin_models::{Ising, exact::planar::DensityOfStates};
///
/// // 100 spins without frustration in a row: C(99, 50) ways times 2 to break 50 bonds.
/// let chain = Ising::builder(100).couplings((1..100).map(|i| (i - 1, i, 1.0))).build()?;
/// let density = DensityOfStates::of(&chain)?;
/// assert_eq!(density.count(50).to_string(), "100891344545564193334812497256");
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Vec<u64>", into = "Vec<u64>"))]
pub struct Natural {
    /// Least significant first; the last is not 0.
    limbs: Vec<u64>,
}

impl From<Vec<u64>> for Natural {
    /// From binary digits, 64 to a limb, least significant first.
    fn from(limbs: Vec<u64>) -> Self {
        let mut natural = Self { limbs };
        natural.mul_add(1, 0);
        natural
    }
}

impl From<u64> for Natural {
    fn from(number: u64) -> Self {
        Self::from(vec![number])
    }
}

impl AddAssign<&Natural> for Natural {
    fn add_assign(&mut self, other: &Natural) {
        self.limbs.resize(self.limbs.len().max(other.limbs.len()), 0);
        let mut carry = false;
        for (k, limb) in self.limbs.iter_mut().enumerate() {
            let (sum, first) = limb.overflowing_add(other.limbs.get(k).copied().unwrap_or(0));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
        if carry {
            self.limbs.push(1);
        }
    }
}

impl<'a> Sum<&'a Natural> for Natural {
    fn sum<I: Iterator<Item = &'a Natural>>(numbers: I) -> Self {
        numbers.fold(Self::default(), |mut sum, number| {
            sum += number;
            sum
        })
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let digits = || self.limbs.iter().rev().cmp(other.limbs.iter().rev());
        self.limbs.len().cmp(&other.limbs.len()).then_with(digits)
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(feature = "num-bigint")]
impl From<&Natural> for num_bigint::BigUint {
    fn from(natural: &Natural) -> Self {
        let halves = natural.limbs.iter().flat_map(|&limb| [limb as u32, (limb >> 32) as u32]);
        Self::new(halves.collect())
    }
}

impl From<Natural> for Vec<u64> {
    fn from(natural: Natural) -> Self {
        natural.limbs
    }
}

impl Natural {
    /// The binary digits, 64 to a limb, least significant first; the last limb is not 0.
    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    /// Whether this is 0.
    pub fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    /// The nearest `f64` but for the last place; infinite beyond 1.8e308.
    pub fn to_f64(&self) -> f64 {
        self.limbs.iter().rev().fold(0.0, |x, &limb| x * 2f64.powi(64) + limb as f64)
    }

    /// The natural logarithm; -∞ of 0.
    pub fn ln(&self) -> f64 {
        let above = self.limbs.len().saturating_sub(3);
        let leading = self.limbs[above..].iter().rev().fold(0.0, |x, &limb| x * 2f64.powi(64) + limb as f64);
        leading.ln() + 64.0 * above as f64 * std::f64::consts::LN_2
    }

    /// `self * factor + addend`.
    pub(super) fn mul_add(&mut self, factor: u64, addend: u64) {
        let mut carry = addend;
        for limb in &mut self.limbs {
            let x = u128::from(*limb) * u128::from(factor) + u128::from(carry);
            *limb = x as u64;
            carry = (x >> 64) as u64;
        }
        if carry > 0 {
            self.limbs.push(carry);
        }
        self.trim();
    }

    /// Divides by a number other than 0 and returns the remainder.
    pub(super) fn divide(&mut self, divisor: u64) -> u64 {
        let mut remainder = 0u64;
        for limb in self.limbs.iter_mut().rev() {
            let x = u128::from(remainder) << 64 | u128::from(*limb);
            *limb = (x / u128::from(divisor)) as u64;
            remainder = (x % u128::from(divisor)) as u64;
        }
        self.trim();
        remainder
    }

    fn trim(&mut self) {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }
}

impl fmt::Display for Natural {
    /// Decimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const GROUP: u64 = 10_000_000_000_000_000_000;
        let mut groups = Vec::new();
        let mut rest = self.clone();
        while !rest.is_zero() {
            groups.push(rest.divide(GROUP));
        }
        let mut text = groups.pop().unwrap_or(0).to_string();
        for group in groups.into_iter().rev() {
            text.push_str(&format!("{group:019}"));
        }
        f.pad_integral(true, "", &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_compare() {
        let (most, one) = (Natural::from(u64::MAX), Natural::from(1));
        let sum: Natural = [&most, &one].into_iter().sum();
        assert_eq!(sum.limbs(), [0, 1]);
        let mut double = Natural::from(vec![u64::MAX; 3]);
        double += &double.clone();
        assert_eq!(double.limbs(), [u64::MAX - 1, u64::MAX, u64::MAX, 1]);
        assert!(Natural::from(0).is_zero() && Natural::from(0) < one && one < most && most < sum && sum < double);
        assert_eq!([&sum; 0].into_iter().sum::<Natural>(), Natural::default());
        assert!(Natural::from(vec![5, 2]) > Natural::from(vec![7, 1]));
    }

    #[test]
    fn factorials() {
        let mut factorial = Natural::default();
        assert_eq!((factorial.to_string(), factorial.is_zero()), ("0".to_owned(), true));
        factorial.mul_add(1, 1);
        for k in 1..=50 {
            factorial.mul_add(k, 0);
        }
        let digits = "30414093201713378043612608166064768844377641568960512000000000000";
        assert_eq!(factorial.to_string(), digits);
        assert!((factorial.to_f64() / digits.parse::<f64>().unwrap() - 1.0).abs() < 1e-15);
        assert!((factorial.ln() - digits.parse::<f64>().unwrap().ln()).abs() < 1e-13);
        factorial.mul_add(0, 0);
        assert!(factorial.is_zero() && factorial.ln().is_infinite());
        assert_eq!(Natural::from(vec![7, 1, 0]).limbs(), [7, 1]);
        assert_eq!(Natural::from(vec![7, 1]).to_string(), "18446744073709551623");
    }
}
