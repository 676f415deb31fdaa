//! Samples with the words of a spin side by side, and the loss of many spins at once.

use linalg_core::gemm::{Matrix, MatrixMut, gemm};
use linalg_core::simd::{Work, widest};

use super::super::Samples;
use super::Loss;
use super::real::Real;

const WORD: usize = 64;
/// Numbers of a block of samples that stay in the second cache.
const BLOCK_NUMBERS: usize = 1 << 16;

/// Different samples in an order that has nothing to do with their bits, so that the first of them are a fair choice.
#[derive(Debug)]
pub(in super::super) struct Columns {
    pub n_spins: usize,
    pub n_samples: usize,
    /// Words of a spin; what is beyond the last sample has weight 0.
    words_per_spin: usize,
    words: Vec<u64>,
    /// Sum 1.
    pub weights: Vec<f64>,
    /// The same, rounded.
    pub weights_single: Vec<f32>,
}

/// Mixes the bits of a word (D. Stafford's 13th variant, as in SplitMix64).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Columns {
    pub fn new(samples: &Samples) -> Self {
        let merged = samples.merged();
        let (n_spins, n_samples) = (merged.n_spins(), merged.len());
        let key = |k: usize| merged.row(k).iter().fold(0, |hash: u64, &word| mix(hash.rotate_left(7) ^ word));
        let mut order: Vec<(u64, usize)> = (0..n_samples).map(|k| (key(k), k)).collect();
        order.sort_unstable();
        let words_per_spin = n_samples.div_ceil(WORD);
        let mut words = vec![0; n_spins * words_per_spin];
        let mut weights = vec![0.0; words_per_spin * WORD];
        let total: f64 = merged.weights().iter().sum();
        for (place, &(_, k)) in order.iter().enumerate() {
            weights[place] = merged.weights()[k] / total;
            let row = merged.row(k);
            for spin in 0..n_spins {
                let bit = (row[spin / WORD] >> (spin % WORD)) & 1;
                words[spin * words_per_spin + place / WORD] |= bit << (place % WORD);
            }
        }
        let weights_single = weights.iter().map(|&w| w as f32).collect();
        Self { n_spins, n_samples, words_per_spin, words, weights, weights_single }
    }

    /// Products of spins as if they were spins.
    pub fn products(&self, sets: &[Vec<usize>]) -> Self {
        let mut words = Vec::with_capacity(sets.len() * self.words_per_spin);
        for set in sets {
            for k in 0..self.words_per_spin {
                // Bit 1 is +1: a product is +1 if an even number of bits are 0.
                words.push(set.iter().fold(u64::MAX, |word, &i| word ^ !self.words[i * self.words_per_spin + k]));
            }
        }
        let (weights, weights_single) = (self.weights.clone(), self.weights_single.clone());
        Self { n_spins: sets.len(), words, weights, weights_single, ..*self }
    }

    /// Samples of a block: a multiple of 64.
    pub fn block(&self) -> usize {
        let fitting = BLOCK_NUMBERS / self.n_spins / WORD * WORD;
        fitting.clamp(WORD, 1024).min(self.words_per_spin * WORD)
    }

    /// Where blocks begin and end, over the first `n_samples`.
    pub fn blocks(&self, n_samples: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (block, end) = (self.block(), n_samples.min(self.n_samples).div_ceil(WORD) * WORD);
        (0..end).step_by(block).map(move |from| (from, (from + block).min(end)))
    }

    /// The spins of samples `from .. to`, both multiples of 64: a row for each of `spins`, of length `to - from`.
    pub fn unpack<T: Real>(&self, spins: impl IntoIterator<Item = usize>, (from, to): (usize, usize), out: &mut [T]) {
        for (spin, row) in spins.into_iter().zip(out.chunks_exact_mut(to - from)) {
            let words = &self.words[spin * self.words_per_spin + from / WORD..];
            super::super::samples::unpack_row(T::spins_of_byte(), words, row);
        }
    }
}

/// A spin with the others that it may be coupled to; its own number stands for its field.
#[derive(Debug, Clone)]
pub(in super::super) struct Neighborhood {
    pub spin: usize,
    /// Variables in ascending order; `spin` among them unless there is no field.
    pub variables: Vec<usize>,
}

/// Loss, gradient and smallest margin of a spin.
#[derive(Debug, Clone)]
pub(in super::super) struct Evaluation {
    pub value: f64,
    pub gradient: Vec<f64>,
    /// The smallest `s_i (Σ J s + h)` over the samples.
    pub margin: f64,
}

/// Losses of several spins at parameters, one list of values of the variables for each.
///
/// `O(M N k)` in two products of matrices for k spins.
pub(in super::super) fn evaluate(
    columns: &Columns,
    loss: Loss,
    problems: &[(&Neighborhood, &[f64])],
) -> Vec<Evaluation> {
    evaluate_first::<f64>(columns, loss, problems, columns.n_samples)
}

/// The values of the losses alone, in one product of matrices.
pub(super) fn values(columns: &Columns, loss: Loss, problems: &[(&Neighborhood, &[f64])]) -> Vec<f64> {
    let found = run::<f64>(columns, loss, problems, columns.n_samples, false);
    found.into_iter().map(|evaluation| evaluation.value).collect()
}

/// The same as [`evaluate`] from the first `n_samples` samples, a multiple of 64 or all, in single or double precision.
pub(super) fn evaluate_first<T: Real>(
    columns: &Columns,
    loss: Loss,
    problems: &[(&Neighborhood, &[f64])],
    n_samples: usize,
) -> Vec<Evaluation> {
    run::<T>(columns, loss, problems, n_samples, true)
}

/// Blocks are summed in the precision of T, the blocks in double precision.
fn run<T: Real>(
    columns: &Columns,
    loss: Loss,
    problems: &[(&Neighborhood, &[f64])],
    n_samples: usize,
    with_gradient: bool,
) -> Vec<Evaluation> {
    let (n, count) = (columns.n_spins, problems.len());
    let block = columns.block();
    let mut weights = vec![T::ZERO; count * n];
    let mut fields = vec![T::ZERO; count];
    for (c, (neighborhood, point)) in problems.iter().enumerate() {
        for (&j, &x) in neighborhood.variables.iter().zip(*point) {
            if j == neighborhood.spin {
                fields[c] = T::of(x);
            } else {
                weights[c * n + j] = T::of(x);
            }
        }
    }
    let mut spins = vec![T::ZERO; n * block];
    let mut local = vec![T::ZERO; count * block];
    let size = if with_gradient { count * n } else { 0 };
    let mut part = vec![T::ZERO; size];
    let mut gradient = vec![0.0; size];
    let mut sums = vec![Sums { margin: f64::INFINITY, ..Sums::default() }; count];
    let mut total = 0.0;
    let mut scratch = [vec![T::ZERO; block], vec![T::ZERO; block]];
    for (from, to) in columns.blocks(n_samples) {
        let length = to - from;
        let (spins, local) = (&mut spins[..n * length], &mut local[..count * length]);
        columns.unpack(0..n, (from, to), spins);
        let s = Matrix::row_major(spins, n, length);
        let w = Matrix::row_major(&weights, count, n);
        gemm(T::ONE, w, s, T::ZERO, MatrixMut::row_major(local, count, length));
        let valid = length.min(columns.n_samples - from);
        total += columns.weights[from..to].iter().sum::<f64>();
        let [exponentials, losses] = &mut scratch;
        let (exponentials, losses) = (&mut exponentials[..length], &mut losses[..length]);
        for (c, row) in local.chunks_exact_mut(length).enumerate() {
            let spin = &spins[problems[c].0.spin * length..][..length];
            let weights = &T::weights(columns)[from..to];
            let field = fields[c];
            sums[c].add(widest(Kernel { loss, field, spin, weights, row, valid, exponentials, losses }));
        }
        if with_gradient {
            let r = Matrix::row_major(local, count, length);
            gemm(T::ONE, r, s.transposed(), T::ZERO, MatrixMut::row_major(&mut part, count, n));
            gradient.iter_mut().zip(&part).for_each(|(sum, x)| *sum += x.widen());
        }
    }
    let finish = |(c, (neighborhood, _)): (usize, &(&Neighborhood, &[f64]))| {
        let Sums { value, score, margin } = sums[c];
        let derivative = |&j: &usize| if j == neighborhood.spin { score } else { gradient[c * n + j] };
        let asked = if with_gradient { &neighborhood.variables[..] } else { &[] };
        let mut gradient: Vec<f64> = asked.iter().map(derivative).collect();
        if loss == Loss::LogInteractionScreening {
            gradient.iter_mut().for_each(|g| *g /= value);
            return Evaluation { value: (value / total).ln(), gradient, margin };
        }
        if n_samples < columns.n_samples {
            gradient.iter_mut().for_each(|g| *g /= total);
            return Evaluation { value: value / total, gradient, margin };
        }
        Evaluation { value, gradient, margin }
    };
    problems.iter().enumerate().map(finish).collect()
}

/// The Hessian of one spin from the first `n_samples` samples, in single or double precision.
pub(in super::super) fn hessian<T: Real>(
    columns: &Columns,
    loss: Loss,
    neighborhood: &Neighborhood,
    point: &[f64],
    n_samples: usize,
) -> Vec<f64> {
    let variables = &neighborhood.variables;
    let d = variables.len();
    let block = columns.block();
    let own = variables.iter().position(|&j| j == neighborhood.spin);
    let point: Vec<T> = point.iter().map(|&x| T::of(x)).collect();
    let mut spins = vec![T::ZERO; d * block];
    let mut scaled = spins.clone();
    let mut own_spins = vec![T::ZERO; block];
    let mut local = vec![T::ZERO; block];
    let mut hessian = vec![T::ZERO; d * d];
    let mut mean = vec![0.0; d];
    let (mut total, mut value) = (0.0, 0.0);
    for (from, to) in columns.blocks(n_samples) {
        let length = to - from;
        let (spins, scaled) = (&mut spins[..d * length], &mut scaled[..d * length]);
        let (own_spins, local) = (&mut own_spins[..length], &mut local[..length]);
        columns.unpack(variables.iter().copied(), (from, to), spins);
        columns.unpack([neighborhood.spin], (from, to), own_spins);
        if let Some(own) = own {
            spins[own * length..(own + 1) * length].fill(T::ONE);
        }
        let x = Matrix::row_major(spins, d, length);
        gemm(T::ONE, Matrix::row_major(&point, 1, d), x, T::ZERO, MatrixMut::row_major(local, 1, length));
        let weights = &T::weights(columns)[from..to];
        total += columns.weights[from..to].iter().sum::<f64>();
        value += widest(Curvature { loss, spin: own_spins, weights, row: local });
        for ((scaled, row), mean) in scaled.chunks_exact_mut(length).zip(spins.chunks_exact(length)).zip(&mut mean) {
            *mean += widest(Scale { scaled, row, by: local, signs: own_spins });
        }
        let y = Matrix::row_major(scaled, d, length).transposed();
        gemm(T::ONE, x, y, T::ONE, MatrixMut::row_major(&mut hessian, d, d));
    }
    let entry = |(k, h): (usize, &T)| {
        if loss == Loss::LogInteractionScreening {
            h.widen() / value - mean[k / d] * mean[k % d] / (value * value)
        } else {
            h.widen() / total
        }
    };
    hessian.iter().enumerate().map(entry).collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    value: f64,
    score: f64,
    margin: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.value += other.value;
        self.score += other.score;
        self.margin = self.margin.min(other.margin);
    }
}

/// Numbers side by side in sums.
const LANES: usize = 16;

/// Replaces local fields without the own one by `w ℓ'(u) s` and sums `w ℓ(u)` and them.
///
/// Pass after pass over slices without sums, which the compiler turns into vector instructions; the sums come last.
struct Kernel<'a, T> {
    loss: Loss,
    field: T,
    spin: &'a [T],
    weights: &'a [T],
    row: &'a mut [T],
    /// So many samples are there; the rest is padding.
    valid: usize,
    exponentials: &'a mut [T],
    losses: &'a mut [T],
}

impl<T: Real> Work for Kernel<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn run(self) -> Sums {
        let Self { loss, field, spin, weights, row, valid, exponentials, losses } = self;
        for (x, s) in row.iter_mut().zip(spin) {
            *x = *s * (*x + field);
        }
        let margin = smallest(&row[..valid]);
        if loss == Loss::PseudoLikelihood {
            for (t, u) in exponentials.iter_mut().zip(&*row) {
                *t = (-T::TWO * u.abs()).exp();
            }
            for (((l, t), u), w) in losses.iter_mut().zip(&*exponentials).zip(&*row).zip(weights) {
                // max(-2u, 0) + ln(1 + t).
                *l = *w * ((u.abs() - *u) + t.ln_1p());
            }
            for (((u, t), s), w) in row.iter_mut().zip(&*exponentials).zip(spin).zip(weights) {
                let share = if *u < T::ZERO { T::ONE } else { *t };
                *u = -T::TWO * (*w * *s) * share / (T::ONE + *t);
            }
        } else {
            for ((l, u), w) in losses.iter_mut().zip(&*row).zip(weights) {
                *l = *w * exponent(*u).exp();
            }
            for ((u, l), s) in row.iter_mut().zip(&*losses).zip(spin) {
                *u = -*s * *l;
            }
        }
        Sums { value: sum(losses), score: sum(row), margin }
    }
}

/// `-u`, within what can be summed.
#[inline(always)]
fn exponent<T: Real>(u: T) -> T {
    if u < -T::LARGEST_EXPONENT { T::LARGEST_EXPONENT } else { -u }
}

/// The sum in lanes.
#[inline(always)]
fn sum<T: Real>(x: &[T]) -> f64 {
    let mut lanes = [T::ZERO; LANES];
    let (rows, rest) = x.as_chunks::<LANES>();
    for row in rows {
        for k in 0..LANES {
            lanes[k] = lanes[k] + row[k];
        }
    }
    lanes.iter().chain(rest).map(|x| x.widen()).sum()
}

/// The smallest number in lanes.
#[inline(always)]
fn smallest<T: Real>(x: &[T]) -> f64 {
    let mut lanes = [T::INFINITY; LANES];
    let (rows, rest) = x.as_chunks::<LANES>();
    for row in rows {
        for k in 0..LANES {
            lanes[k] = if row[k] < lanes[k] { row[k] } else { lanes[k] };
        }
    }
    lanes.iter().chain(rest).map(|x| x.widen()).fold(f64::INFINITY, f64::min)
}

/// Replaces local fields by `w ℓ''(u)` and sums `w ℓ''(u)`, for the screening losses `w e^{-u}`.
struct Curvature<'a, T> {
    loss: Loss,
    spin: &'a [T],
    weights: &'a [T],
    row: &'a mut [T],
}

impl<T: Real> Work for Curvature<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let rows = self.row.iter_mut().zip(self.spin).zip(self.weights);
        if self.loss == Loss::PseudoLikelihood {
            for ((x, s), w) in rows {
                let t = (-T::TWO * (*s * *x).abs()).exp();
                let root = T::TWO / (T::ONE + t);
                *x = *w * t * (root * root);
            }
        } else {
            for ((x, s), w) in rows {
                *x = *w * exponent(*s * *x).exp();
            }
        }
        sum(self.row)
    }
}

/// `scaled = row by`, and the sum of that with signs.
struct Scale<'a, T> {
    scaled: &'a mut [T],
    row: &'a [T],
    by: &'a [T],
    signs: &'a [T],
}

impl<T: Real> Work for Scale<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [T::ZERO; LANES];
        let (scaled, _) = self.scaled.as_chunks_mut::<LANES>();
        let (row, _) = self.row.as_chunks::<LANES>();
        let (by, _) = self.by.as_chunks::<LANES>();
        let (signs, _) = self.signs.as_chunks::<LANES>();
        for (((scaled, row), by), signs) in scaled.iter_mut().zip(row).zip(by).zip(signs) {
            for k in 0..LANES {
                scaled[k] = row[k] * by[k];
                sums[k] = sums[k] + scaled[k] * signs[k];
            }
        }
        sums.iter().map(|x| x.widen()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::optim::finite_difference;

    fn columns(n: usize) -> Columns {
        let spins: Vec<i8> = (0..300 * n).map(|k| if (k * k + k / 7) % 11 < 6 { 1 } else { -1 }).collect();
        let weights = (0..300).map(|k| f64::from(k % 3 + 1)).collect();
        Columns::new(&Samples::from_spins(n, &spins).unwrap().with_weights(weights).unwrap())
    }

    #[test]
    fn derivatives_agree_with_differences() {
        let columns = columns(7);
        for loss in [Loss::PseudoLikelihood, Loss::InteractionScreening, Loss::LogInteractionScreening] {
            for variables in [vec![0, 1, 2, 3, 4, 5, 6], vec![1, 3, 6], vec![0, 5]] {
                let neighborhood = Neighborhood { spin: 3, variables };
                let d = neighborhood.variables.len();
                let point: Vec<f64> = (0..d).map(|k| 0.3 - 0.1 * k as f64).collect();
                let check = finite_difference::check_gradient(
                    |x, g| {
                        let found = evaluate(&columns, loss, &[(&neighborhood, x)]).remove(0);
                        g.copy_from_slice(&found.gradient);
                        found.value
                    },
                    &point,
                )
                .unwrap();
                assert!(check.relative_error < 1e-9, "{loss:?} {check:?}");
                let hessian = hessian::<f64>(&columns, loss, &neighborhood, &point, columns.n_samples);
                for j in 0..d {
                    let row = finite_difference::gradient(
                        |x| evaluate(&columns, loss, &[(&neighborhood, x)])[0].gradient[j],
                        &point,
                    );
                    for (k, expected) in row.iter().enumerate() {
                        approx::assert_abs_diff_eq!(hessian[j * d + k], expected, epsilon = 1e-9);
                    }
                }
            }
        }
    }

    #[test]
    fn single_precision_agrees() {
        let columns = columns(7);
        let neighborhood = Neighborhood { spin: 3, variables: (0..7).collect() };
        let point = [0.4, -0.2, 0.7, 0.1, -0.3, 1.2, 0.5];
        for loss in [Loss::PseudoLikelihood, Loss::InteractionScreening, Loss::LogInteractionScreening] {
            let problems = [(&neighborhood, &point[..])];
            let exact = evaluate(&columns, loss, &problems).remove(0);
            let single = evaluate_first::<f32>(&columns, loss, &problems, columns.n_samples).remove(0);
            approx::assert_relative_eq!(values(&columns, loss, &problems)[0], exact.value, max_relative = 1e-15);
            approx::assert_relative_eq!(single.value, exact.value, max_relative = 1e-6);
            for (a, b) in single.gradient.iter().zip(&exact.gradient) {
                approx::assert_abs_diff_eq!(a, b, epsilon = 1e-6);
            }
            let exact = hessian::<f64>(&columns, loss, &neighborhood, &point, columns.n_samples);
            let single = hessian::<f32>(&columns, loss, &neighborhood, &point, columns.n_samples);
            for (a, b) in single.iter().zip(&exact) {
                approx::assert_abs_diff_eq!(a, b, epsilon = 1e-5);
            }
        }
    }

    #[test]
    fn losses_are_their_definitions() {
        let columns = columns(3);
        let mut spins = vec![0.0; 3 * columns.block()];
        let (from, to) = columns.blocks(columns.n_samples).next().unwrap();
        columns.unpack(0..3, (from, to), &mut spins);
        let neighborhood = Neighborhood { spin: 1, variables: vec![0, 1, 2] };
        let point = [0.4, -0.2, 0.7];
        let (mut logistic, mut screening) = (0.0, 0.0);
        for m in 0..columns.n_samples {
            let s = |i: usize| spins[i * (to - from) + m];
            let u: f64 = s(1) * (0.4 * s(0) - 0.2 + 0.7 * s(2));
            logistic += columns.weights[m] * (-2.0 * u).exp().ln_1p();
            screening += columns.weights[m] * (-u).exp();
        }
        for (loss, expected) in [
            (Loss::PseudoLikelihood, logistic),
            (Loss::InteractionScreening, screening),
            (Loss::LogInteractionScreening, screening.ln()),
        ] {
            let found = evaluate(&columns, loss, &[(&neighborhood, &point)]).remove(0);
            approx::assert_relative_eq!(found.value, expected, max_relative = 1e-13);
        }
    }
}
