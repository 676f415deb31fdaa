//! Interactions as bit masks, and their weights in forms whose sums are exact.

use crate::models::{InteractionModel, Ising};

/// `E(s) = offset - Σ_a w_a Π_{i∈a} s_i` with products as bit masks of at most 64 spins.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub n: usize,
    pub offset: f64,
    pub masks: Vec<u64>,
    pub weights: Vec<f64>,
}

impl Terms {
    /// The terms of a model of at most 64 spins, in its order.
    pub fn of_interactions(model: &InteractionModel) -> Self {
        use crate::model::EnergyModel;
        let (masks, weights) =
            model.terms().map(|(sites, weight)| (sites.iter().fold(0, |mask, &i| mask | 1u64 << i), weight)).unzip();
        Self { n: model.n_spins(), offset: model.offset(), masks, weights }
    }

    /// The couplings, then all fields: the interactions of the model as it counts them itself.
    pub fn of_ising(model: &Ising) -> Self {
        let couplings = model.couplings().map(|(i, j, coupling)| (1u64 << i | 1 << j, coupling));
        let fields = model.fields().iter().enumerate().map(|(i, &field)| (1 << i, field));
        let (masks, weights) = couplings.chain(fields).unzip();
        Self { n: model.fields().len(), offset: model.offset(), masks, weights }
    }

    /// The part of the energy that no spin changes.
    pub fn constant(&self) -> f64 {
        let constants = self.masks.iter().zip(&self.weights).filter(|(mask, _)| **mask == 0);
        self.offset - constants.map(|(_, w)| w).sum::<f64>()
    }

    /// `Σ|w|` over the terms with sites.
    pub fn total_weight(&self) -> f64 {
        self.masks.iter().zip(&self.weights).filter(|(mask, _)| **mask != 0).map(|(_, w)| w.abs()).sum()
    }
}

/// `2^exponent`, down to the subnormal numbers.
fn power_of_two(exponent: i32) -> f64 {
    let half = exponent / 2;
    2f64.powi(half) * 2f64.powi(exponent - half)
}

/// A finite number other than 0 as odd mantissa and exponent.
fn decompose(x: f64) -> (i64, i32) {
    let bits = x.to_bits();
    let field = (bits >> 52 & 0x7ff) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (mantissa, exponent) = if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
    let shift = mantissa.trailing_zeros();
    let odd = mantissa >> shift;
    (if x < 0.0 { -odd } else { odd }, exponent + shift as i32)
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Weights as integers times a unit: then all energies are integers, and ties are ties.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exact) struct Commensurate {
    pub unit: f64,
    /// Integers, as floats.
    pub weights: Vec<f64>,
    /// Sum of their absolute values; below 2^51.
    pub total: u64,
}

/// Finds the largest unit of which all weights are integer multiples, if their sums then fit in 51 bits.
///
/// True for integers, for dyadic fractions, and for ± one number such as `±1/√N`.
pub(in crate::exact) fn commensurate(weights: &[f64]) -> Option<Commensurate> {
    let parts: Vec<Option<(i64, i32)>> = weights.iter().map(|&w| (w != 0.0).then(|| decompose(w))).collect();
    let Some(lowest) = parts.iter().flatten().map(|part| part.1).min() else {
        return Some(Commensurate { unit: 1.0, weights: weights.to_vec(), total: 0 });
    };
    let mut integers = Vec::with_capacity(weights.len());
    let mut divisor = 0u64;
    for part in &parts {
        let Some((odd, exponent)) = part else {
            integers.push(0);
            continue;
        };
        let shift = exponent - lowest;
        if shift >= odd.unsigned_abs().leading_zeros() as i32 - 1 {
            return None;
        }
        let integer = odd << shift;
        divisor = greatest_common_divisor(integer.unsigned_abs(), divisor);
        integers.push(integer);
    }
    let total = integers.iter().try_fold(0u64, |sum, k| sum.checked_add(k.unsigned_abs() / divisor))?;
    if total >= 1 << 51 {
        return None;
    }
    // The divisor is odd and divides a mantissa: it is below 2^53.
    let unit = divisor as f64 * power_of_two(lowest);
    Some(Commensurate { unit, weights: integers.iter().map(|&k| (k / divisor as i64) as f64).collect(), total })
}

/// Splits weights into multiples of a common power of two and small remainders.
///
/// Sums of the first parts are exact in any order; the sums of the second are so small that their rounding is
/// some 2^-90 of the whole.
pub(super) fn split(weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let total: f64 = weights.iter().map(|w| w.abs()).sum();
    if total < f64::MIN_POSITIVE {
        return (weights.to_vec(), vec![0.0; weights.len()]);
    }
    // |sums| stay below 2^51 quanta, those of twice the total below 2^53.
    let exponent = (total.to_bits() >> 52) as i32 - 1023;
    let quantum = power_of_two((exponent - 50).max(-1074));
    let high: Vec<f64> = weights.iter().map(|w| (w / quantum).round_ties_even() * quantum).collect();
    let low = weights.iter().zip(&high).map(|(w, high)| w - high).collect();
    (high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_fractions_and_one_number_are_commensurate() {
        let of = |weights: &[f64]| commensurate(weights).unwrap();
        assert_eq!(
            of(&[1.0, -1.0, 0.0, 3.0]),
            Commensurate { unit: 1.0, weights: vec![1.0, -1.0, 0.0, 3.0], total: 5 }
        );
        assert_eq!(of(&[6.0, -4.0]), Commensurate { unit: 2.0, weights: vec![3.0, -2.0], total: 5 });
        assert_eq!(of(&[0.75, 2.5]), Commensurate { unit: 0.25, weights: vec![3.0, 10.0], total: 13 });
        let x = 1.0 / 30f64.sqrt();
        assert_eq!(of(&[x, -x, x]), Commensurate { unit: x, weights: vec![1.0, -1.0, 1.0], total: 3 });
        assert_eq!(of(&[5e-324, -1.5e-323]), Commensurate { unit: 5e-324, weights: vec![1.0, -3.0], total: 4 });
        assert_eq!(of(&[0.0]).total, 0);
        assert_eq!(of(&[]).total, 0);
    }

    #[test]
    fn other_numbers_are_not() {
        assert_eq!(commensurate(&[0.1, 0.2, 0.3]), None);
        assert_eq!(commensurate(&[1.0, 1e-30]), None);
        assert_eq!(commensurate(&[1e300, 1e-300]), None);
        assert_eq!(commensurate(&[std::f64::consts::PI, std::f64::consts::E]), None);
    }

    #[test]
    fn parts_add_up_and_the_first_is_a_multiple() {
        let weights = [1e8 + 0.1, -3.7e-5, 1.0 / 3.0, 0.0, 2e-300];
        let (high, low) = split(&weights);
        for (k, w) in weights.iter().enumerate() {
            approx::assert_abs_diff_eq!(high[k] + low[k], *w, epsilon = 0.0);
            assert!(low[k].abs() <= 1e8 * 2f64.powi(-50));
            approx::assert_abs_diff_eq!((high[k] * 2f64.powi(24)).fract(), 0.0, epsilon = 0.0);
        }
        for tiny in [0.0, 5e-324, 1e-310, 1e-300] {
            let (high, low) = split(&[tiny, -tiny]);
            approx::assert_abs_diff_eq!(high[0] + low[0], tiny, epsilon = 0.0);
        }
    }
}
