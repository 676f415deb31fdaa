//! What a temperature means for the decisions in 32 bits.

use super::couplings::RealModel;
use crate::mcmc::Dynamics;
use crate::mcmc::multispin::simd::{FLOATS, Float, Floats, Simd};

/// Relative error of the power of two in 32 bits and of the comparison with it: 3.5·10⁻⁶ of the polynomial and a few
/// rounding errors of 6·10⁻⁸.
const POWER_ERROR: f64 = 1e-5;

/// Coefficients of 2^f for |f| ≤ ½, from the interpolation at five Chebyshev points. Highest power first.
const POWER: [f32; 5] = [0.009_666_368, 0.055_921_976, 0.240_223_5, 0.693_121_1, 1.0];

/// Larger exponents are taken as this one, whose power of two is below all uniform numbers.
const LARGEST_EXPONENT: f32 = 100.0;

/// Added to a number below 2²², this leaves its nearest integer in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// The numbers of one temperature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) beta: f64,
    /// From a local field in the unit of the model to `2βh / ln 2`.
    slope: f32,
    /// Below this multiple of the approximate probability a uniform number is below the probability itself.
    low: f32,
    /// Above this multiple it is above.
    high: f32,
    /// Metropolis: bound of what may be a tie, in the unit of the exponent.
    tie: f32,
    /// Metropolis: the probability there, NaN if it may be none.
    at_tie: f32,
    /// From 31 random bits to the uniform number that is compared.
    scale: f32,
}

impl Rate {
    pub(super) fn new(model: &RealModel, dynamics: Dynamics, beta: f64) -> Self {
        const BITS: f64 = 1.0 / (1u64 << 31) as f64;
        let slope = 2.0 * beta * model.unit * std::f64::consts::LOG2_E;
        // The absolute part is for slopes and fields that underflow.
        let error = slope * model.rounding + 1e-30;
        // Metropolis at β = 0 is nothing but ties: `2u < 1`.
        let all_ties = beta == 0.0 && dynamics == Dynamics::Metropolis;
        let tie = if !(slope as f32).is_normal() {
            f32::INFINITY
        } else if model.is_exact {
            0.0
        } else {
            error as f32 * (1.0 + f32::EPSILON)
        };
        Self {
            beta,
            slope: slope as f32,
            low: ((-error).exp2() * (1.0 - POWER_ERROR)) as f32,
            high: (error.exp2() * (1.0 + POWER_ERROR)) as f32,
            tie: if all_ties { -1.0 } else { tie },
            at_tie: if tie == 0.0 { 0.5 } else { f32::NAN },
            scale: if all_ties { 2.0 * BITS } else { BITS } as f32,
        }
    }
}

/// The temperatures of a group of replicas.
#[derive(Debug, Clone)]
pub(super) struct Rates {
    pub(super) betas: [f64; FLOATS],
    slope: Floats,
    low: Floats,
    high: Floats,
    tie: Floats,
    scale: Floats,
    at_tie: Floats,
}

impl Rates {
    pub(super) fn new(of_lane: impl Fn(usize) -> Rate) -> Self {
        let rates: [Rate; FLOATS] = std::array::from_fn(of_lane);
        let floats = |number: fn(&Rate) -> f32| Floats(std::array::from_fn(|lane| number(&rates[lane])));
        Self {
            betas: rates.map(|rate| rate.beta),
            slope: floats(|rate| rate.slope),
            low: floats(|rate| rate.low),
            high: floats(|rate| rate.high),
            tie: floats(|rate| rate.tie),
            scale: floats(|rate| rate.scale),
            at_tie: floats(|rate| rate.at_tie),
        }
    }
}

/// The rates of a part of the lanes in registers.
#[derive(Clone, Copy)]
pub(super) struct Rule<S: Simd> {
    simd: S,
    slope: S::Float,
    low: S::Float,
    high: S::Float,
    tie: S::Float,
    scale: S::Float,
    at_tie: S::Float,
}

type Mask<S> = <<S as Simd>::Float as Float>::Mask;

/// What is decided, with a bit for every lane.
#[derive(Clone, Copy)]
pub(super) struct Decision<S: Simd> {
    /// The uniform number is certainly below the probability.
    pub(super) yes: Mask<S>,
    /// Whether 32 bits are enough to say so, or the opposite.
    pub(super) certain: Mask<S>,
}

impl<S: Simd> Rule<S> {
    #[inline(always)]
    pub(super) fn load(simd: S, rates: &Rates, part: usize) -> Self {
        Self {
            simd,
            slope: simd.load_floats(&rates.slope, part),
            low: simd.load_floats(&rates.low, part),
            high: simd.load_floats(&rates.high, part),
            tie: simd.load_floats(&rates.tie, part),
            scale: simd.load_floats(&rates.scale, part),
            at_tie: simd.load_floats(&rates.at_tie, part),
        }
    }

    /// `2^-x`, x between 0 and [`LARGEST_EXPONENT`].
    #[inline(always)]
    fn power(self, x: S::Float) -> S::Float {
        let simd = self.simd;
        let shifted = x.add(simd.splat_float(ROUND));
        let f = shifted.sub(simd.splat_float(ROUND)).sub(x);
        let mut p = simd.splat_float(POWER[0]);
        for c in &POWER[1..] {
            p = p.mul(f).add(simd.splat_float(*c));
        }
        p.lower_exponent(shifted)
    }

    /// A uniform number; it differs from the full one by at most 2⁻²⁴ of it and 2⁻³⁰.
    #[inline(always)]
    fn uniform(self, random: S::Word) -> S::Float {
        self.simd.whole_numbers(random).mul(self.scale)
    }

    /// Compares `u` with the probability, both multiplied by the same number.
    #[inline(always)]
    fn compare(self, u: S::Float, p: S::Float) -> (Mask<S>, Mask<S>) {
        // More than the random bits that are not there yet, and than twice as much.
        let margin = self.simd.splat_float(1.0 / (1u64 << 28) as f32);
        let yes = u.add(margin).below(p.mul(self.low));
        let no = p.mul(self.high).below(u.sub(margin));
        (yes, yes | no)
    }

    /// Metropolis: whether `u < min(1, e^{-2βsh})`.
    #[inline(always)]
    pub(super) fn metropolis(self, spin: S::Float, field: S::Float, random: S::Word) -> Decision<S> {
        let simd = self.simd;
        let x = self.slope.mul(spin.mul(field));
        let p = self.power(x.max(simd.splat_float(0.0)).min(simd.splat_float(LARGEST_EXPONENT)));
        let p = p.or_where_not(self.tie.below(x.abs()), self.at_tie);
        // Nothing is certain about a NaN.
        let (yes, certain) = self.compare(self.uniform(random), p);
        Decision { yes, certain }
    }

    /// Heat bath: whether `u < 1 / (1 + e^{2β|h|})`, the probability of a spin against the sign of `field`.
    #[inline(always)]
    pub(super) fn heat_bath(self, field: S::Float, random: S::Word) -> Decision<S> {
        let x = self.slope.mul(field).abs();
        // A NaN becomes the largest exponent; it must not count as certain.
        let e = self.power(x.min(self.simd.splat_float(LARGEST_EXPONENT)));
        let u = self.uniform(random);
        let (yes, certain) = self.compare(u.add(u.mul(e)), e);
        Decision { yes, certain: certain & x.below(self.simd.splat_float(f32::INFINITY)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcmc::multispin::simd::{InstructionSet, Kernel};

    struct Powers<'a>(&'a Rates, &'a Floats);

    impl Kernel for Powers<'_> {
        type Output = Floats;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Floats {
            let mut powers = Floats([0.0; FLOATS]);
            for part in 0..S::PARTS {
                let rule = Rule::load(simd, self.0, part);
                simd.store_floats(&mut powers, part, rule.power(simd.load_floats(self.1, part)));
            }
            powers
        }
    }

    #[test]
    fn powers_are_within_their_error() {
        let model = RealModel::new(&crate::Ising::builder(1).build().unwrap());
        let rates = Rates::new(|_| Rate::new(&model, Dynamics::HeatBath, 1.0));
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            for k in 0..4000 {
                let x = Floats(std::array::from_fn(|lane| (k * FLOATS + lane) as f32 * (100.0 / 64_000.0)));
                let powers = set.run(Powers(&rates, &x));
                for (x, power) in x.0.into_iter().zip(powers.0) {
                    let exact = (-f64::from(x)).exp2();
                    let error = (f64::from(power) / exact - 1.0).abs();
                    assert!(error < 4e-6, "{set:?}: 2^-{x} is {power}, error {error:e}");
                }
            }
        }
    }
}
