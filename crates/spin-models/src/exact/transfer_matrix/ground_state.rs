//! Lowest energy by the same operations in the maximum-and-sum arithmetic.

use super::compiled::Compiled;
use super::engine::{Engine, Watch};
use super::params::TransferMatrixParams;
use super::schedule::Schedule;
use super::semiring::{Best, MaxPlus, Semiring};
use crate::Result;

/// The configuration found and the number of configurations of its energy.
pub(super) struct Lowest {
    pub spins: Vec<i8>,
    pub degeneracy: Option<f64>,
}

impl Compiled {
    pub(super) fn lowest(&self, params: &TransferMatrixParams, watch: Watch<'_>) -> Result<Lowest> {
        let weights = &self.interactions.weights;
        // Maxima do not grow out of range: no scaling anywhere.
        let schedule = Schedule::new(&self.program, &vec![0.0; weights.len()]);
        let plan = self.checkpoints::<Best>(&schedule, params)?;
        let factors: Vec<[Best; 2]> =
            weights.iter().map(|&w| [MaxPlus.exponential(w), MaxPlus.exponential(-w)]).collect();
        let mut engine = Engine {
            program: &self.program,
            semiring: MaxPlus,
            schedule: &schedule,
            factors: &factors,
            flips: None,
            held: None,
            steps: Vec::new(),
            block: Vec::new(),
            watch,
        };
        let mut vector = Vec::with_capacity(1 << self.program.width);
        let (best, _) = engine.forward("ground state", &mut vector)?;
        drop(vector);
        let mut rows = self.trace_back(engine, 1, &plan, &mut || 0.5)?;
        let mut spins = rows.pop().unwrap_or_default();
        let mut twofold = self.program.ordering.pinned.len() as i32;
        for scalar in &self.program.scalars {
            let field: f64 = scalar.terms.iter().map(|&a| weights[a as usize]).sum();
            spins[scalar.site as usize] = if field < 0.0 { -1 } else { 1 };
            twofold += i32::from(field == 0.0);
        }
        let degeneracy =
            sums_are_exact(weights).then(|| best.count * 2f64.powi(twofold)).filter(|count| count.is_finite());
        Ok(Lowest { spins, degeneracy })
    }
}

/// Whether all sums and differences of these numbers are exact in `f64`, so that equal energies compare equal:
/// they are multiples of one power of two and their total fits in 53 bits of it.
pub(in crate::exact) fn sums_are_exact(weights: &[f64]) -> bool {
    let unit = weights
        .iter()
        .filter(|&&w| w != 0.0)
        .map(|w| {
            let bits = w.to_bits();
            let biased = (bits >> 52 & 0x7ff) as i32;
            let fraction = bits & ((1 << 52) - 1);
            let (mantissa, exponent) =
                if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
            exponent + mantissa.trailing_zeros() as i32
        })
        .min();
    let total: f64 = weights.iter().map(|w| w.abs()).sum();
    match unit {
        None => true,
        Some(unit) => total <= 2f64.powi(unit.saturating_add(53).min(1023)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sums() {
        assert!(sums_are_exact(&[]));
        assert!(sums_are_exact(&[1.0, -1.0, 0.0, 7.0]));
        assert!(sums_are_exact(&[0.5, 0.25, -3.75]));
        assert!(!sums_are_exact(&[0.1, 0.2]));
        assert!(!sums_are_exact(&[1e300, 1.0]));
        assert!(sums_are_exact(&[f64::MIN_POSITIVE]));
    }
}
