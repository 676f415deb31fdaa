//! Update rules on words of spins.

use super::decide::CLASSES;
use super::simd::{Simd, Word};
use crate::mcmc::{Dynamics, heat_bath_acceptance, metropolis_acceptance};

/// Largest sum of `|J_ij|` and `|h_i|` at a site, in units of the smallest of them.
pub(super) const MAX_DEGREE: usize = 16;

/// Probability of the less likely outcome where the neighbours pull with `pull > 0` units of strength `unit`: that of
/// a flip against the field for Metropolis, that of ending against it for the heat bath.
pub(super) fn probability(dynamics: Dynamics, beta: f64, unit: f64, pull: usize) -> f64 {
    let x = 2.0 * beta * unit * pull as f64;
    match dynamics {
        Dynamics::Metropolis => metropolis_acceptance(x),
        Dynamics::HeatBath => heat_bath_acceptance(x),
    }
}

/// The dynamics with which to work at `beta`, for couplings of this strength.
///
/// Where nothing pulls both flip every spin with probability 1/2. The blocks of Metropolis would flip for certain along the
/// neighbours.
pub(super) fn effective(dynamics: Dynamics, beta: f64, unit: f64) -> Dynamics {
    if pulls(beta, unit) { dynamics } else { Dynamics::HeatBath }
}

/// Whether couplings of this strength make a difference: 0 is also what an underflow leaves.
pub(super) fn pulls(beta: f64, unit: f64) -> bool {
    2.0 * beta * unit > 0.0
}

/// Number of classes with a probability other than 1/2 and 1 at a site of this degree.
pub(super) const fn n_classes(degree: usize) -> usize {
    degree.div_ceil(2)
}

/// Number of classes in which sites of this degree are decided, where the last ones may be empty.
pub(super) const fn compiled_classes(degree: usize) -> usize {
    match n_classes(degree) {
        0..=2 => 2,
        n @ 3..=4 => n,
        _ => CLASSES,
    }
}

/// What may become of the spins of a part of a block.
pub(super) struct Candidates<W> {
    /// The spins if nothing is accepted.
    pub(super) refused: W,
    /// Spins that are inverted with probability 1/2 then.
    pub(super) even: W,
    /// Spins that are inverted with the probability of their class; those beyond [`n_classes`] are not set.
    pub(super) classes: [W; CLASSES],
}

impl<W: Word> Candidates<W> {
    /// Spins that keep their value.
    #[inline(always)]
    pub(super) fn none<S: Simd<Word = W>>(simd: S, old: W) -> Self {
        Self { refused: old, even: simd.zero(), classes: [simd.zero(); CLASSES] }
    }

    /// The same, but the spins of `mask` are inverted with probability 1/2.
    #[inline(always)]
    pub(super) fn or_even(mut self, mask: W, old: W) -> Self {
        self.refused = mask.select(old, self.refused);
        self.even = self.even | mask;
        for class in &mut self.classes {
            *class = class.and_not(mask);
        }
        self
    }

    /// The same, but spins that are inverted with probability 1/2 are inverted for certain.
    #[inline(always)]
    pub(super) fn even_for_sure<S: Simd<Word = W>>(mut self, simd: S) -> Self {
        self.refused = self.refused ^ self.even;
        self.even = simd.zero();
        self
    }

    /// The same for the spins of `mask`; all others keep their value.
    #[inline(always)]
    pub(super) fn only(mut self, mask: W, old: W) -> Self {
        self.refused = mask.select(self.refused, old);
        self.even = self.even & mask;
        for class in &mut self.classes {
            *class = *class & mask;
        }
        self
    }
}

/// The candidates for spins `old` with `degree` neighbours, for Metropolis or for the heat bath.
///
/// A set bit of a vote pulls its spin down; for Metropolis, away from where it is. Only the first `degree` votes are
/// read. A literal degree unrolls everything.
#[inline(always)]
pub(super) fn candidates<S: Simd, const METROPOLIS: bool>(
    simd: S,
    degree: usize,
    old: S::Word,
    votes: &[S::Word; MAX_DEGREE],
) -> Candidates<S::Word> {
    let sum = Sum::of(simd, degree, votes);
    let mut classes = [simd.zero(); CLASSES];
    for (c, class) in classes.iter_mut().enumerate().take(n_classes(degree)) {
        *class = sum.equals(simd, c);
        if !METROPOLIS {
            *class = *class | sum.equals(simd, degree - c);
        }
    }
    let even = if degree.is_multiple_of(2) { sum.equals(simd, degree / 2) } else { simd.zero() };
    let most = sum.at_least(simd, degree / 2 + 1);
    Candidates { refused: if METROPOLIS { old ^ most } else { most }, even, classes }
}

/// What a vote is relative to: the spin itself for Metropolis, up for the heat bath.
#[inline(always)]
pub(super) fn reference<S: Simd, const METROPOLIS: bool>(simd: S, old: S::Word) -> S::Word {
    if METROPOLIS { old } else { simd.zero() }
}

/// Numbers from 0 to 16, one a bit position, by binary digits.
#[derive(Clone, Copy)]
pub(super) struct Sum<W> {
    digits: [W; 5],
    n_digits: usize,
}

impl<W: Word> Sum<W> {
    /// How many of the first `n` words have each bit set.
    #[inline(always)]
    pub(super) fn of<S: Simd<Word = W>>(simd: S, n: usize, x: &[W; MAX_DEGREE]) -> Self {
        let mut digits = [simd.zero(); 5];
        match n {
            0 => {}
            1 => digits[0] = x[0],
            2 => (digits[0], digits[1]) = x[0].half_adder(x[1]),
            3 => (digits[0], digits[1]) = x[0].full_adder(x[1], x[2]),
            4 => {
                let (a, ca) = x[0].full_adder(x[1], x[2]);
                let (b, cb) = a.half_adder(x[3]);
                digits[0] = b;
                (digits[1], digits[2]) = ca.half_adder(cb);
            }
            5 => {
                let (a, ca) = x[0].full_adder(x[1], x[2]);
                let (b, cb) = a.full_adder(x[3], x[4]);
                digits[0] = b;
                (digits[1], digits[2]) = ca.half_adder(cb);
            }
            6 => {
                let (a, ca) = x[0].full_adder(x[1], x[2]);
                let (b, cb) = x[3].full_adder(x[4], x[5]);
                let (c, cc) = a.half_adder(b);
                digits[0] = c;
                (digits[1], digits[2]) = ca.full_adder(cb, cc);
            }
            7 => {
                let (a, ca) = x[0].full_adder(x[1], x[2]);
                let (b, cb) = x[3].full_adder(x[4], x[5]);
                let (c, cc) = a.full_adder(b, x[6]);
                digits[0] = c;
                (digits[1], digits[2]) = ca.full_adder(cb, cc);
            }
            _ => {
                for &bit in x.iter().take(n) {
                    let mut carry = bit;
                    for digit in &mut digits {
                        (*digit, carry) = digit.half_adder(carry);
                    }
                }
            }
        }
        Self { digits, n_digits: (usize::BITS - n.leading_zeros()) as usize }
    }

    /// Where the number is `value`.
    #[inline(always)]
    pub(super) fn equals<S: Simd<Word = W>>(&self, simd: S, value: usize) -> W {
        let mut equal = simd.ones();
        for (k, &digit) in self.digits.iter().enumerate().take(self.n_digits) {
            equal = if value >> k & 1 == 1 { equal & digit } else { equal.and_not(digit) };
        }
        equal
    }

    /// Where the number is `value` or more.
    #[inline(always)]
    fn at_least<S: Simd<Word = W>>(&self, simd: S, value: usize) -> W {
        if value >> self.n_digits != 0 {
            return simd.zero();
        }
        let mut reached = simd.ones();
        for (k, &digit) in self.digits.iter().enumerate().take(self.n_digits) {
            reached = if value >> k & 1 == 1 { reached & digit } else { reached | digit };
        }
        reached
    }
}
