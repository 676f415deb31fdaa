//! Directions in which parameters grow without bound.

use linalg_core::walsh_hadamard;

use super::dual::fisher_factor;
use super::exact;
use crate::{Error, Result};

/// Rounding of averages, as a part of the sum of absolute coefficients: what is closer to a face counts as on it.
const ROUNDING: f64 = 1e-13;
/// Configurations of a face, for a direction with the largest coefficient 1 that is nearly normal to it.
const NEARLY: f64 = 1e-4;
/// What is left of components within the face, relative.
const WITHIN: f64 = 1e-9;
/// Largest common denominator that coefficients are tried with, and the difference from whole numbers that is let pass.
const DENOMINATORS: std::ops::RangeInclusive<u32> = 1..=12;
const NEARLY_WHOLE: f64 = 1e-6;

/// A combination `v · ⟨f⟩` of averages beside the largest that a configuration has.
///
/// The averages that distributions have form the marginal polytope, the convex hull of the vectors `f(s)`. If `v · ⟨f⟩` equals
/// `max_s v · f(s)`, the averages are on a face of it: only distributions on the configurations of the maximum have them, and
/// `λ + t v` approaches their law as `t → ∞`. If it is larger, no distribution has them, and the dual falls for ever along v.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Face {
    /// v, with small whole numbers where there are such.
    pub direction: Vec<f64>,
    /// `v · ⟨f⟩`.
    pub value: f64,
    /// `max_s v · f(s)`.
    pub bound: f64,
}

impl Face {
    /// The face that a direction, known to some digits, is normal to: `None` if averages are inside by more than rounding. Three
    /// or four transforms of `n 2^n` operations and a factorisation.
    ///
    /// # Errors
    /// Those of the factorisation.
    pub fn normal_to(direction: &[f64], n_spins: usize, masks: &[u32], averages: &[f64]) -> Result<Option<Self>> {
        let Some(raw) = scaled(direction) else { return Ok(None) };
        let values = values(&raw, n_spins, masks);
        let bound = largest(&values);
        // Along the face the uniform law on it fluctuates, normal to it nothing does: its Fisher information tells them apart.
        let on_face = |x: f64| if x >= bound - NEARLY { 1.0 } else { 0.0 };
        let mut uniform: Vec<f64> = values.into_iter().map(on_face).collect();
        let count: f64 = uniform.iter().sum();
        uniform.iter_mut().for_each(|p| *p /= count);
        let mut normal = raw.clone();
        fisher_factor(masks, &exact::moments(uniform), &vec![WITHIN; masks.len()])?.solve(&mut normal);
        let normal = scaled(&normal).unwrap_or_else(|| raw.clone());
        for candidate in whole(&normal).into_iter().chain([normal, raw]) {
            let face = Self::along(candidate, n_spins, masks, averages);
            let size: f64 = face.direction.iter().map(|x| x.abs()).sum();
            if face.value >= face.bound - ROUNDING * size {
                return Ok(Some(face));
            }
        }
        Ok(None)
    }

    /// The same numbers for any direction.
    pub fn along(direction: Vec<f64>, n_spins: usize, masks: &[u32], averages: &[f64]) -> Self {
        let bound = largest(&values(&direction, n_spins, masks));
        let value = direction.iter().zip(averages).map(|(v, average)| v * average).sum();
        Self { direction, value, bound }
    }

    /// The error that names the products of spins with their signs, `set` being the spins of a statistic.
    pub fn error(&self, solver: &'static str, set: impl Fn(usize) -> Vec<usize>) -> Error {
        let smallest = WITHIN * self.direction.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        let terms = self.direction.iter().enumerate().filter(|term| term.1.abs() > smallest);
        let terms = terms.map(|(a, &x)| (set(a), x)).collect();
        Error::Divergent { solver, terms, value: self.value, bound: self.bound }
    }
}

/// `v · f(s)` of all configurations.
fn values(direction: &[f64], n_spins: usize, masks: &[u32]) -> Vec<f64> {
    let mut table = vec![0.0; 1 << n_spins];
    for (&mask, x) in masks.iter().zip(direction) {
        table[mask as usize] += x;
    }
    walsh_hadamard(&mut table);
    table
}

/// The difference of the largest and the smallest `v · f(s)`.
pub(super) fn spread(direction: &[f64], n_spins: usize, masks: &[u32]) -> f64 {
    let values = values(direction, n_spins, masks);
    largest(&values) - values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// With the largest coefficient ±1; `None` for what has no direction.
fn scaled(direction: &[f64]) -> Option<Vec<f64>> {
    let largest = direction.iter().fold(0.0f64, |largest, x| if x.is_nan() { *x } else { largest.max(x.abs()) });
    (largest > 0.0 && largest.is_finite()).then(|| direction.iter().map(|x| x / largest).collect())
}

/// The smallest multiple of coefficients of at most 1 that are nearly whole numbers, rounded.
fn whole(direction: &[f64]) -> Option<Vec<f64>> {
    let nearly = |q: f64| direction.iter().all(|x| (x * q - (x * q).round()).abs() <= NEARLY_WHOLE);
    let q = DENOMINATORS.map(f64::from).find(|&q| nearly(q))?;
    // No -0.
    Some(direction.iter().map(|x| (x * q).round() + 0.0).collect())
}
