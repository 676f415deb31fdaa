//! Noise channels as independent errors.

use super::frontier::Frontier;
use super::set::Set;
use crate::circuit::{Gate, Operation, Target};
use crate::pauli::Pauli;

/// What happens in an elementary error of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Pauli matrices on the target with this number, and on the one after it for pairs.
    Paulis(usize, [Pauli; 2]),
    /// The product of all targets.
    Product,
    /// The record of the target or product with this number is wrong.
    Record(usize),
    /// A herald, with a Pauli matrix on the target with this number.
    Herald(usize, Pauli),
    /// A random outcome.
    Random,
}

/// Takes the elementary errors of operations.
pub(super) trait Errors {
    /// An independent error with what it flips, and pieces of that.
    fn error(&mut self, set: &Set, probability: f64, fault: Fault, parts: &[&Set]);

    /// A heralded channel: the sets of its record, of X and of Z, and the probabilities of I, X, Y and Z up to a factor.
    /// Returns whether that is all that is to be known of it.
    fn herald(&mut self, _sets: [&Set; 3], _cases: [f64; 4]) -> bool {
        false
    }
}

/// What to say about a channel.
pub(super) enum Verdict {
    Exact,
    /// Disjoint cases were taken for independent.
    Approximated,
    /// No independent errors do the same.
    Refused(String),
}

/// Single-qubit Pauli matrices that are errors, in the order of arguments.
const PAULIS: [Pauli; 4] = [Pauli::I, Pauli::X, Pauli::Y, Pauli::Z];

/// X, Y and Z as masks over the two generators.
const MASKS: [usize; 4] = [0, 1, 3, 2];

/// Sums over all subsets of generators.
struct Sums<'a> {
    generators: &'a [&'a Set],
    sums: &'a [Set],
}

impl<'a> Sums<'a> {
    fn new(generators: &'a [&'a Set], scratch: &'a mut Vec<Set>) -> Self {
        let n = 1 << generators.len();
        if scratch.len() < n {
            scratch.resize_with(n, Set::default);
        }
        scratch[0].clear();
        for mask in 1..n {
            let (head, tail) = scratch.split_at_mut(mask);
            tail[0].set_to_sum(&head[mask & (mask - 1)], generators[mask.trailing_zeros() as usize]);
        }
        Self { generators, sums: &scratch[..n] }
    }

    fn emit(&self, mask: usize, probability: f64, fault: Fault, errors: &mut impl Errors) {
        let set = &self.sums[mask];
        if set.is_empty() || probability == 0.0 {
            return;
        }
        let mut parts = [set; 4];
        let mut n = 0;
        for (k, part) in self.generators.iter().enumerate() {
            if mask >> k & 1 == 1 {
                parts[n] = part;
                n += 1;
            }
        }
        errors.error(set, probability, fault, &parts[..n]);
    }
}

/// Disjoint cases: those with equal sets add up, the others are taken for independent.
fn disjoint(cases: impl Iterator<Item = (usize, f64, Fault)>, sums: &Sums<'_>, errors: &mut impl Errors) -> Verdict {
    let mut merged: Vec<(usize, f64, Fault)> = Vec::new();
    for (mask, p, fault) in cases.filter(|&(mask, p, _)| p > 0.0 && !sums.sums[mask].is_empty()) {
        match merged.iter_mut().find(|(other, _, _)| sums.sums[*other] == sums.sums[mask]) {
            // Sums of arguments may exceed 1 by rounded digits.
            Some((_, q, _)) => *q = (*q + p).min(1.0),
            None => merged.push((mask, p, fault)),
        }
    }
    for &(mask, p, fault) in &merged {
        sums.emit(mask, p, fault, errors);
    }
    if merged.len() > 1 { Verdict::Approximated } else { Verdict::Exact }
}

/// Independent X, Y, Z that do the same as disjoint ones, where there are such; of several solutions one with at most one
/// rate above 1/2.
pub(super) fn independent(disjoint: [f64; 3]) -> Option<[f64; 3]> {
    let [x, y, z] = disjoint;
    // How often X, Y, Z anticommute with the error, and the means λ of their signs.
    let flips = [y + z, z + x, x + y];
    let signs = flips.map(|q| 1.0 - 2.0 * q);
    // Decimal probabilities that add up to 1/2 do so but for rounding.
    let zero = signs.map(|sign| sign.abs() < 4.0 * f64::EPSILON);
    match zero.iter().filter(|zero| **zero).count() {
        0 => {}
        // A rate of 1/2 makes two means vanish. The third one is the product of two factors, of which one may be 1.
        2 => {
            let half = zero.iter().position(|zero| !zero)?;
            let mut rates = [0.0; 3];
            rates[half] = 0.5;
            rates[if half == 0 { 2 } else { 0 }] = flips[half].min(1.0);
            return Some(rates);
        }
        3 => return Some([0.5; 3]),
        _ => return None,
    }
    if signs.iter().filter(|sign| **sign < 0.0).count() % 2 == 1 {
        return None;
    }
    let logs = flips.map(|q| if q < 0.5 { libm::log1p(-2.0 * q) } else { libm::log(2.0 * q - 1.0) });
    let sum: f64 = logs.iter().sum();
    // For X: (1 - 2q)² = λY λZ / λX, and 1 - 2q is a factor of λY and λZ.
    let rates: [f64; 3] = std::array::from_fn(|i| {
        let half = 0.5 * (sum - 2.0 * logs[i]);
        let negative = signs[(i + 1) % 3] < 0.0 && signs[(i + 2) % 3] < 0.0;
        if negative { 0.5 * (1.0 + libm::exp(half)) } else { -0.5 * libm::expm1(half) }
    });
    // A rate that is zero comes out with rounded digits, the more of them the smaller a mean is.
    let least = signs.iter().fold(1.0f64, |least, sign| least.min(sign.abs()));
    let tolerance = (8.0 * f64::EPSILON * (x + y + z) / least).clamp(1e-15, 1e-12);
    // Below this a rate is what rounding leaves of 0.
    let rounding = f64::EPSILON * (x + y + z);
    let rate = |q: f64| if q.abs() < rounding { 0.0 } else { q.clamp(0.0, 1.0) };
    rates.iter().all(|q| (-tolerance..=1.0 + tolerance).contains(q)).then(|| rates.map(rate))
}

/// Sends the elementary errors of a channel on; the records that heralds make are taken from the frontier.
/// `scratch` is overwritten.
pub(super) fn channel(
    frontier: &mut Frontier,
    operation: &Operation,
    scratch: &mut Vec<Set>,
    errors: &mut impl Errors,
) -> Verdict {
    let p = operation.arguments.first().copied().unwrap_or(0.0);
    let mut verdict = Verdict::Exact;
    let targets = || {
        let qubit = |(k, target): (usize, &Target)| target.qubit_number().map(|qubit| (k, 2 * qubit as usize));
        operation.targets.iter().enumerate().rev().filter_map(qubit)
    };
    match operation.gate {
        Gate::XError | Gate::YError | Gate::ZError => {
            let (mask, pauli) = match operation.gate {
                Gate::XError => (1, Pauli::X),
                Gate::YError => (3, Pauli::Y),
                _ => (2, Pauli::Z),
            };
            for (k, at) in targets() {
                let fault = Fault::Paulis(k, [pauli, Pauli::I]);
                match mask {
                    3 => {
                        let generators = [&frontier.sets[at], &frontier.sets[at + 1]];
                        Sums::new(&generators, scratch).emit(mask, p, fault, errors);
                    }
                    _ => {
                        let set = &frontier.sets[at + mask - 1];
                        if !set.is_empty() && p > 0.0 {
                            errors.error(set, p, fault, &[set]);
                        }
                    }
                }
            }
        }
        Gate::Depolarize1 | Gate::PauliChannel1 => {
            let rates = match operation.gate {
                Gate::Depolarize1 if p > 0.75 => {
                    return Verdict::Refused(format!(
                        "the probability {p} is above 3/4, which no independent errors have"
                    ));
                }
                Gate::Depolarize1 => Some([-0.5 * libm::expm1(0.5 * libm::log1p(-4.0 * p / 3.0)); 3]),
                _ => independent([operation.arguments[0], operation.arguments[1], operation.arguments[2]]),
            };
            for (k, at) in targets() {
                let generators = [&frontier.sets[at], &frontier.sets[at + 1]];
                let sums = Sums::new(&generators, scratch);
                let fault = |i: usize| Fault::Paulis(k, [PAULIS[i], Pauli::I]);
                match rates {
                    Some(rates) => (1..4).for_each(|i| sums.emit(MASKS[i], rates[i - 1], fault(i), errors)),
                    None => {
                        let cases = (1..4).map(|i| (MASKS[i], operation.arguments[i - 1], fault(i)));
                        verdict = worse(verdict, disjoint(cases, &sums, errors));
                    }
                }
            }
        }
        Gate::Depolarize2 | Gate::PauliChannel2 => {
            if operation.gate == Gate::Depolarize2 && p > 0.9375 {
                return Verdict::Refused(format!(
                    "the probability {p} is above 15/16, which no independent errors have"
                ));
            }
            let rate = -0.5 * libm::expm1(0.125 * libm::log1p(-16.0 * p / 15.0));
            for (k, (a, b)) in operation.pairs().enumerate().collect::<Vec<_>>().into_iter().rev() {
                let (Some(a), Some(b)) = (a.qubit_number(), b.qubit_number()) else { continue };
                let (a, b) = (2 * a as usize, 2 * b as usize);
                let s = &frontier.sets;
                let generators = [&s[a], &s[a + 1], &s[b], &s[b + 1]];
                let sums = Sums::new(&generators, scratch);
                let case = |i: usize| {
                    let fault = Fault::Paulis(2 * k, [PAULIS[i / 4], PAULIS[i % 4]]);
                    (MASKS[i / 4] | MASKS[i % 4] << 2, fault)
                };
                if operation.gate == Gate::Depolarize2 {
                    (1..16).map(case).for_each(|(mask, fault)| sums.emit(mask, rate, fault, errors));
                } else {
                    let cases = (1..16).map(|i| {
                        let (mask, fault) = case(i);
                        (mask, operation.arguments[i - 1], fault)
                    });
                    verdict = worse(verdict, disjoint(cases, &sums, errors));
                }
            }
        }
        Gate::HeraldedErase | Gate::HeraldedPauliChannel1 => {
            for (k, at) in targets() {
                let herald = frontier.pop_record();
                let generators = [&herald, &frontier.sets[at], &frontier.sets[at + 1]];
                let erase = operation.gate == Gate::HeraldedErase;
                let probabilities = std::array::from_fn(|i| if erase { p / 4.0 } else { operation.arguments[i] });
                // An erasure is one even if its probability is 0.
                if errors.herald(generators, if erase { [0.25; 4] } else { probabilities }) {
                    continue;
                }
                let sums = Sums::new(&generators, scratch);
                let cases = (0..4).map(|i| (1 | MASKS[i] << 1, probabilities[i], Fault::Herald(k, PAULIS[i])));
                verdict = worse(verdict, disjoint(cases, &sums, errors));
            }
        }
        // I_ERROR and II_ERROR do nothing; correlated errors depend on their neighbours.
        _ => {}
    }
    verdict
}

/// What the product of all targets flips, and what the X and the Z of its factors flip.
pub(super) fn product(frontier: &mut Frontier, operation: &Operation) -> (Set, Vec<Set>) {
    let mut parts: Vec<Set> = Vec::new();
    for product in operation.products() {
        for factor in product.factors {
            let (x, z) = factor.1.bits();
            let single = |pauli| (factor.0, pauli);
            for (_, pauli) in [(x, Pauli::X), (z, Pauli::Z)].into_iter().filter(|(present, _)| *present) {
                parts.push(frontier.flipped_by(&[single(pauli)]));
            }
        }
    }
    let mut scratch = Vec::new();
    let mut sum = Set::default();
    parts.iter().for_each(|part| sum.xor(part, &mut scratch));
    (sum, parts)
}

/// A product of Pauli matrices with a probability.
pub(super) fn correlated(frontier: &mut Frontier, operation: &Operation, probability: f64, errors: &mut impl Errors) {
    if probability > 0.0 {
        let (sum, parts) = product(frontier, operation);
        if sum.is_empty() {
            return;
        }
        let parts: Vec<&Set> = parts.iter().filter(|part| !part.is_empty()).collect();
        errors.error(&sum, probability, Fault::Product, &parts);
    }
}

fn worse(a: Verdict, b: Verdict) -> Verdict {
    if matches!(a, Verdict::Exact) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_errors_give_the_channel_back() {
        for disjoint in [
            [0.1, 0.02, 0.03],
            [1e-9, 2e-9, 3e-9],
            [0.25, 0.0, 0.0],
            [0.0, 0.0, 0.4],
            // Two means below 0: X with 0.9 and Z with 0.1, X alone, Y with 0.7 and X with 0.2.
            [0.81, 0.09, 0.01],
            [0.7, 0.0, 0.0],
            [0.06, 0.56, 0.14],
            // Two means that vanish, and all of them.
            [0.1, 0.1, 0.4],
            [0.4, 0.1, 0.1],
            [0.1, 0.4, 0.1],
            [0.4, 0.4, 0.1],
            [0.5, 0.5, 0.0],
            [0.5, 0.0, 0.0],
            [0.25, 0.25, 0.25],
        ] {
            let [a, b, c] = independent(disjoint).unwrap();
            let none = [1.0 - a, 1.0 - b, 1.0 - c];
            // X alone, or Y and Z.
            let x = a * none[1] * none[2] + none[0] * b * c;
            let y = none[0] * b * none[2] + a * none[1] * c;
            let z = none[0] * none[1] * c + a * b * none[2];
            for (found, p) in [x, y, z].into_iter().zip(disjoint) {
                assert!((found - p).abs() < 1e-15 + 1e-12 * p, "{disjoint:?}: {x} {y} {z}");
            }
        }
        // A rate below 0, a mean below 0, all of them below 0, one that vanishes, two means and a rate below 0.
        for disjoint in
            [[0.1, 0.0, 0.1], [0.1, 0.1, 0.0], [0.4, 0.4, 0.05], [0.3, 0.3, 0.3], [0.25, 0.25, 0.2], [0.6, 0.0, 0.1]]
        {
            assert_eq!(independent(disjoint), None);
        }
    }
}
