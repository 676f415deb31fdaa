//! Streams with a known law.

use linalg_core::rng::standard_normal;
use rand::{Rng, RngExt};

use crate::cluster::{Cluster, ClusterSet};
use crate::series::BitSeries;
use crate::{Error, Result};

use super::{CoulombCoupling, CoulombParams, Coupling};

/// Steps before the first that is kept.
const BURN_IN: usize = 200;
/// Most variables whose states are enumerated.
const MOST_ENUMERATED: usize = 12;

fn check_shape(h: &[f64], j: &[f64]) -> Result<()> {
    let n = h.len();
    assert_eq!(j.len(), n * n, "{} couplings for {n} variables", j.len());
    if n == 0 {
        return Err(Error::Parameter { what: "number of variables", value: 0.0, expected: "at least 1" });
    }
    for (what, values) in [("field", h), ("coupling", j)] {
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what, index, value: values[index] });
        }
    }
    Ok(())
}

fn draw<R: Rng + ?Sized>(field: f64, rng: &mut R) -> i8 {
    if rng.random::<f64>() * (1.0 + (-2.0 * field).exp()) < 1.0 { 1 } else { -1 }
}

/// Runs a parallel dynamics whose fields come from a closure of the step number and the present values.
fn simulate<R: Rng + ?Sized>(
    n: usize,
    steps: usize,
    mut fields: impl FnMut(usize, &[f64], &mut [f64]),
    rng: &mut R,
) -> Result<BitSeries> {
    let mut series = BitSeries::new(n)?;
    series.reserve(steps);
    let mut step: Vec<i8> = (0..n).map(|_| draw(0.0, rng)).collect();
    let (mut b, mut f) = (vec![0.0; n], vec![0.0; n]);
    for t in 0..BURN_IN + steps {
        b.iter_mut().zip(&step).for_each(|(b, &s)| *b = f64::from(s));
        fields(t.saturating_sub(BURN_IN), &b, &mut f);
        step.iter_mut().zip(&f).for_each(|(s, f)| *s = draw(*f, rng));
        if t >= BURN_IN {
            series.push(&step);
        }
    }
    Ok(series)
}

/// Kinetic Ising model: $`P(b_i(t+1) = \pm1) \propto e^{\pm f_i}`$, $`f_i = h_i + \sum_j J_{ij} b_j(t)`$, all variables at once.
///
/// `j[i * n + k]` is the coupling of k to i.
///
/// # Errors
/// [`Error::Parameter`] for no variables, [`Error::NotFinite`].
///
/// # Panics
/// If there are not n² couplings.
pub fn kinetic_ising_stream<R: Rng + ?Sized>(h: &[f64], j: &[f64], steps: usize, rng: &mut R) -> Result<BitSeries> {
    check_shape(h, j)?;
    let n = h.len();
    let fields = |_: usize, b: &[f64], f: &mut [f64]| {
        for (i, f) in f.iter_mut().enumerate() {
            *f = h[i] + j[i * n..(i + 1) * n].iter().zip(b).map(|(j, b)| j * b).sum::<f64>();
        }
    };
    simulate(n, steps, fields, rng)
}

/// Entropy of a variable given field f, in nats.
fn entropy(f: f64) -> f64 {
    // ln(2 cosh f) - f tanh f, without overflow and without a difference of numbers next to 1.
    let f = f.abs();
    let odds = (-2.0 * f).exp();
    odds.ln_1p() + 2.0 * f * odds / (1.0 + odds)
}

/// Entropy rate of the kinetic Ising model in nats a variable and step, by the stationary distribution over all $`2^n`$ states.
///
/// No predictor can have a lower expected log-loss on a stream of this law. Up to ten variables by elimination without subtractions,
/// $`O(8^n)`$, which keeps all digits of a chain that hardly leaves its valleys (Grassmann, Taksar and Heyman, Oper. Res. 33, 1107
/// (1985)); beyond, and where a probability is too small for a number, by iteration from three distributions, $`O(4^n)`$ each.
///
/// ```
/// use physics_inference::predict::generate::kinetic_ising_entropy_rate;
///
/// let h = [0.2, 0.0, -0.1];
/// let j = [0.2, -0.3, 0.1, 0.4, 0.1, 0.0, 0.0, 0.3, -0.2];
/// assert!((kinetic_ising_entropy_rate(&h, &j)? - 0.6239664082028948).abs() < 1e-12);
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for no or more than 12 variables, [`Error::NotFinite`]; the error of the core when the iteration ends in
/// different distributions, which needs fields so strong that the chain falls into parts.
///
/// # Panics
/// If there are not n² couplings.
pub fn kinetic_ising_entropy_rate(h: &[f64], j: &[f64]) -> Result<f64> {
    check_shape(h, j)?;
    let n = h.len();
    if n > MOST_ENUMERATED {
        let value = n as f64;
        return Err(Error::Parameter { what: "number of variables", value, expected: "at most 12 to enumerate" });
    }
    let chain = Chain::new(h, j);
    let solved = if n <= MOST_SOLVED { chain.solve() } else { None };
    let p = solved.map_or_else(|| chain.iterate(), Ok)?;
    let rate = |fields: &[f64]| fields.iter().map(|f| entropy(*f)).sum::<f64>();
    Ok(p.iter().zip(chain.fields.chunks_exact(n)).map(|(p, fields)| p * rate(fields)).sum::<f64>() / n as f64)
}

/// Most variables whose stationary distribution is solved for, a matrix of 2^20 entries.
const MOST_SOLVED: usize = 10;
/// Most steps of the iteration.
const MOST_STEPS: usize = 10_000;

/// The kinetic Ising model over all its states.
struct Chain {
    n: usize,
    /// Fields, n for each state; bit k of a state says whether variable k is up.
    fields: Vec<f64>,
}

impl Chain {
    fn new(h: &[f64], j: &[f64]) -> Self {
        let n = h.len();
        let spin = |state: usize, i: usize| if state >> i & 1 == 1 { 1.0 } else { -1.0 };
        let field = |state: usize, i: usize| h[i] + (0..n).map(|k| j[i * n + k] * spin(state, k)).sum::<f64>();
        Self { n, fields: (0..1 << n).flat_map(|s| (0..n).map(move |i| (s, i))).map(|(s, i)| field(s, i)).collect() }
    }

    /// The law of the next state, times a weight.
    fn next(&self, state: usize, weight: f64, law: &mut Vec<f64>) {
        // A product; built one variable at a time.
        law.clear();
        law.push(weight);
        for f in &self.fields[state * self.n..(state + 1) * self.n] {
            // Both from the field: 1 - q of a probability next to 1 has no digits.
            let probability = |f: f64| 1.0 / (1.0 + (-2.0 * f).exp());
            let half = law.len();
            law.extend_from_within(..);
            let (down, up) = law.split_at_mut(half);
            down.iter_mut().for_each(|x| *x *= probability(-f));
            up.iter_mut().for_each(|x| *x *= probability(*f));
        }
    }

    /// The stationary distribution by elimination of one state after the other; `None` when one has no way to those left.
    fn solve(&self) -> Option<Vec<f64>> {
        let states = 1usize << self.n;
        let (mut matrix, mut law) = (Vec::with_capacity(states * states), Vec::new());
        for state in 0..states {
            self.next(state, 1.0, &mut law);
            matrix.extend_from_slice(&law);
        }
        for last in (1..states).rev() {
            let (above, rows) = matrix.split_at_mut(last * states);
            let row = &rows[..last];
            let leaves: f64 = row.iter().sum();
            if leaves < f64::MIN_POSITIVE {
                return None;
            }
            for other in above.chunks_exact_mut(states) {
                // The way through the state that goes.
                other[last] /= leaves;
                let through = other[last];
                other[..last].iter_mut().zip(row).for_each(|(x, y)| *x += through * y);
            }
        }
        let mut p = vec![1.0];
        for state in 1..states {
            p.push((0..state).map(|from| p[from] * matrix[from * states + state]).sum());
        }
        let total: f64 = p.iter().sum();
        p.iter_mut().for_each(|x| *x /= total);
        total.is_finite().then_some(p)
    }

    /// Steps of three distributions, uniform, all down and all up, until they agree: one alone stands still in every valley.
    fn iterate(&self) -> Result<Vec<f64>> {
        let states = 1usize << self.n;
        let one = |place: usize| (0..states).map(|s| f64::from(u8::from(s == place))).collect();
        let mut starts: [Vec<f64>; 3] = [vec![1.0 / states as f64; states], one(0), one(states - 1)];
        let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
        let mut law = Vec::with_capacity(states);
        let mut done = 0;
        let mut moves = true;
        while moves && done < MOST_STEPS {
            moves = false;
            for p in &mut starts {
                let mut next = vec![0.0; states];
                for (s, weight) in p.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                    self.next(s, *weight, &mut law);
                    next.iter_mut().zip(&law).for_each(|(x, y)| *x += y);
                }
                let total: f64 = next.iter().sum();
                next.iter_mut().for_each(|x| *x /= total);
                moves |= distance(p, &next) >= 1e-15 * states as f64;
                *p = next;
            }
            done += 1;
            let [p, down, up] = &starts;
            if distance(p, down).max(distance(p, up)) < 1e-12 {
                let [p, ..] = starts;
                return Ok(p);
            }
        }
        Err(linalg_core::Error::NotConverged { what: "stationary distribution", iterations: done }.into())
    }
}

/// A stream with the mean loss of its own law along the way.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownStream {
    /// The stream.
    pub series: BitSeries,
    /// h, one a variable.
    pub h: Vec<f64>,
    /// J, n x n row-major, own couplings on the diagonal.
    pub j: Vec<f64>,
}

impl KnownStream {
    /// Mean entropy of the next step given the present one over the steps `range`, in nats a variable: what the true model loses up to
    /// the noise of the outcomes, an unbiased and less noisy estimate of the entropy rate.
    ///
    /// # Panics
    /// If the range reaches beyond the series.
    pub fn conditional_entropy(&self, range: std::ops::Range<usize>) -> f64 {
        let n = self.h.len();
        let mut step = vec![0; n];
        let count = (range.len() * n) as f64;
        let of_step = |t: usize| {
            self.series.step_into(t, &mut step);
            let field = |i: usize| {
                let row = self.j[i * n..(i + 1) * n].iter().zip(&step);
                self.h[i] + row.map(|(j, &b)| j * f64::from(b)).sum::<f64>()
            };
            (0..n).map(|i| entropy(field(i))).sum::<f64>()
        };
        range.map(of_step).sum::<f64>() / count
    }
}

/// A stream of charges in `D` dimensions: normal positions, charges and gains of random sign near 0.4, small h, s near 0.2.
///
/// # Errors
/// [`Error::Parameter`] for no variables.
pub fn coulomb_stream<const D: usize, R: Rng + ?Sized>(n: usize, steps: usize, rng: &mut R) -> Result<KnownStream> {
    let mut charges = CoulombCoupling::<D>::new(n, n, CoulombParams::default())?;
    let theta = charges.parameters_mut();
    for x in &mut theta[..2 * n] {
        *x = f64::from(draw(0.0, rng)) * (0.4 + 0.05 * standard_normal(rng)) / (n as f64 / 10.0).max(1.0).powf(0.25);
    }
    theta[2 * n..].iter_mut().for_each(|x| *x = 1.5 * standard_normal(rng));
    let h: Vec<f64> = (0..n).map(|_| 0.1 * standard_normal(rng)).collect();
    let mut j = vec![0.0; n * n];
    charges.matrix(&mut j);
    (0..n).for_each(|i| j[i * n + i] = 0.2 + 0.1 * standard_normal(rng));
    let series = kinetic_ising_stream(&h, &j, steps, rng)?;
    Ok(KnownStream { series, h, j })
}

/// A kinetic Ising model with independent normal couplings of variance `strength`² / n, in which no geometry is hidden.
///
/// # Errors
/// [`Error::Parameter`] for no variables, [`Error::NotFinite`] for the strength.
pub fn random_asymmetric_stream<R: Rng + ?Sized>(
    n: usize,
    strength: f64,
    steps: usize,
    rng: &mut R,
) -> Result<KnownStream> {
    let h: Vec<f64> = (0..n).map(|_| 0.1 * standard_normal(rng)).collect();
    let scale = strength / (n.max(1) as f64).sqrt();
    let j: Vec<f64> = (0..n * n).map(|_| scale * standard_normal(rng)).collect();
    let series = kinetic_ising_stream(&h, &j, steps, rng)?;
    Ok(KnownStream { series, h, j })
}

/// Couplings that turn: $`J(t) = J_1 \cos(2\pi t/P) + J_2 \sin(2\pi t/P)`$ with normal $`J_1, J_2`$ of variance 1/n, a full turn in
/// `period` steps.
///
/// # Errors
/// [`Error::Parameter`] for no variables or a period that is not positive.
pub fn drifting_stream<R: Rng + ?Sized>(n: usize, period: f64, steps: usize, rng: &mut R) -> Result<BitSeries> {
    if period.is_nan() || period <= 0.0 {
        return Err(Error::Parameter { what: "period", value: period, expected: "positive" });
    }
    let scale = 1.0 / (n.max(1) as f64).sqrt();
    let mut normal = || -> Vec<f64> { (0..n * n).map(|_| scale * standard_normal(rng)).collect() };
    let (first, second) = (normal(), normal());
    let fields = |t: usize, b: &[f64], f: &mut [f64]| {
        let (sine, cosine) = (std::f64::consts::TAU * t as f64 / period).sin_cos();
        for (i, f) in f.iter_mut().enumerate() {
            let rows = first[i * n..(i + 1) * n].iter().zip(&second[i * n..(i + 1) * n]);
            *f = rows.zip(b).map(|((x, y), b)| (cosine * x + sine * y) * b).sum();
        }
    };
    simulate(n, steps, fields, rng)
}

/// Each variable follows its own value of two steps ago with probability `1 - flip`, and nothing else: a chain of second order, in
/// which the present step alone says nothing about the next.
///
/// # Errors
/// [`Error::Parameter`] for no variables or a probability outside [0, 1].
pub fn second_order_stream<R: Rng + ?Sized>(n: usize, flip: f64, steps: usize, rng: &mut R) -> Result<BitSeries> {
    check_probability(flip)?;
    let mut series = BitSeries::new(n)?;
    let mut random = || -> Vec<i8> { (0..n).map(|_| draw(0.0, rng)).collect() };
    let (mut before, mut now) = (random(), random());
    for _ in 0..steps {
        let next = before.iter().map(|&b| if rng.random::<f64>() < flip { -b } else { b }).collect();
        before = std::mem::replace(&mut now, next);
        series.push(&now);
    }
    Ok(series)
}

fn check_probability(p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        Ok(())
    } else {
        Err(Error::Parameter { what: "flip probability", value: p, expected: "from 0 to 1" })
    }
}

/// A stream with clusters that are known.
#[derive(Debug, Clone, PartialEq)]
pub struct PlantedStream {
    /// The stream.
    pub series: BitSeries,
    /// The clusters, in which the mean correlation is $`(1 - 2p)^2`$ for flip probability p.
    pub clusters: ClusterSet,
}

/// Hidden spins of a kinetic Ising model with `members` noisy signed copies each: a copy shows the wrong value with probability
/// `flip`, anew in every step. Copies of one spin are next to each other.
///
/// The hidden couplings are normal with variance 1/n, the own couplings 0.5.
///
/// # Errors
/// [`Error::Parameter`] for no clusters or members, or a probability outside [0, 1].
pub fn planted_clusters<R: Rng + ?Sized>(
    clusters: usize,
    members: usize,
    flip: f64,
    steps: usize,
    rng: &mut R,
) -> Result<PlantedStream> {
    check_probability(flip)?;
    if members == 0 {
        return Err(Error::Parameter { what: "members of a cluster", value: 0.0, expected: "at least 1" });
    }
    let scale = 1.0 / (clusters.max(1) as f64).sqrt();
    let mut j: Vec<f64> = (0..clusters * clusters).map(|_| scale * standard_normal(rng)).collect();
    (0..clusters).for_each(|c| j[c * clusters + c] = 0.5);
    let hidden = kinetic_ising_stream(&vec![0.0; clusters], &j, steps, rng)?;
    let sign = |rng: &mut R, k: usize| if k == 0 { 1 } else { draw(0.0, rng) };
    let signs: Vec<i8> = (0..clusters * members).map(|i| sign(rng, i % members)).collect();
    let mut series = BitSeries::new(clusters * members)?;
    series.reserve(steps);
    let mut step = vec![0; clusters * members];
    for t in 0..steps {
        for (i, b) in step.iter_mut().enumerate() {
            let wrong = rng.random::<f64>() < flip;
            *b = signs[i] * hidden.get(i / members, t) * if wrong { -1 } else { 1 };
        }
        series.push(&step);
    }
    let cluster = |c: usize| Cluster {
        members: (c * members..(c + 1) * members).collect(),
        signs: signs[c * members..(c + 1) * members].to_vec(),
        mean_abs_rho: (1.0 - 2.0 * flip).powi(2),
    };
    let set = if members > 1 { (0..clusters).map(cluster).collect() } else { Vec::new() };
    Ok(PlantedStream { series, clusters: ClusterSet::new(clusters * members, set) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;

    #[test]
    fn the_entropy_rate_is_the_loss_of_the_true_model() {
        let h = [0.2, 0.0, -0.1];
        let j = [0.2, -0.3, 0.1, 0.4, 0.1, 0.0, 0.0, 0.3, -0.2];
        let exact = kinetic_ising_entropy_rate(&h, &j).unwrap();
        let steps = 20_000;
        let mut rng = Streams::new(1).stream(0);
        let series = kinetic_ising_stream(&h, &j, steps, &mut rng).unwrap();
        let stream = KnownStream { series, h: h.to_vec(), j: j.to_vec() };
        // The entropy of a step has a standard deviation of 0.03; five errors of 20000 correlated steps.
        assert!((stream.conditional_entropy(0..steps) - exact).abs() < 5.0 * 0.03 * (2.0 / steps as f64).sqrt());
        // Without couplings: the entropy of tanh h.
        let free = kinetic_ising_entropy_rate(&[0.3], &[0.0]).unwrap();
        let p: f64 = 1.0 / (1.0 + (-0.6f64).exp());
        assert!((free + p * p.ln() + (1.0 - p) * (1.0 - p).ln()).abs() < 1e-14);
    }

    #[test]
    fn entropy_rates_of_chains_that_hardly_leave_a_valley() {
        // The first spin leaves up with e⁻⁴⁰ and down with e⁻³⁶: it is down in a part e⁻⁴ of the steps, where the second is free. Values
        // by solving for the distribution with 60 digits.
        let rate = kinetic_ising_entropy_rate(&[1.0, 3.0], &[19.0, 0.0, 3.0, 0.0]).unwrap();
        assert!((rate / 0.006272764188580197 - 1.0).abs() < 1e-13, "{rate}");
        // Without a way out of a valley in numbers: the state that all lead to, or none.
        assert!(kinetic_ising_entropy_rate(&[1000.0], &[0.0]).unwrap().abs() < 1e-300);
        let torn = kinetic_ising_entropy_rate(&[0.0], &[1000.0]);
        assert!(matches!(torn, Err(Error::Core(linalg_core::Error::NotConverged { .. }))), "{torn:?}");
        // It alternates for ever, half of the time up.
        assert!(kinetic_ising_entropy_rate(&[0.0], &[-1000.0]).unwrap().abs() < 1e-300);
    }

    #[test]
    fn both_ways_to_the_stationary_distribution_agree() {
        let mut rng = Streams::new(5).stream(0);
        let stream = random_asymmetric_stream(6, 0.8, 2, &mut rng).unwrap();
        let chain = Chain::new(&stream.h, &stream.j);
        let (solved, iterated) = (chain.solve().unwrap(), chain.iterate().unwrap());
        assert!(solved.iter().zip(&iterated).all(|(a, b)| (a - b).abs() < 1e-13));
        // Two valleys as the sum of all spins: too many states to eliminate, and the three starts do not meet.
        let torn = Chain::new(&[0.0; 4], &[12.0; 16]).iterate();
        assert!(
            matches!(torn, Err(Error::Core(linalg_core::Error::NotConverged { iterations, .. })) if iterations < 100)
        );
    }

    #[test]
    fn second_order_streams_follow_their_past() {
        let mut rng = Streams::new(2).stream(0);
        let series = second_order_stream(2, 0.1, 5000, &mut rng).unwrap();
        let kept = (2..5000).filter(|&t| series.get(0, t) == series.get(0, t - 2)).count() as f64;
        // Binomial with p = 0.9, z = 5.
        assert!((kept - 0.9 * 4998.0).abs() < 5.0 * (4998.0f64 * 0.09).sqrt());
    }

    #[test]
    fn bad_parameters_are_named() {
        let mut rng = Streams::new(3).stream(0);
        assert!(kinetic_ising_stream(&[], &[], 5, &mut rng).is_err());
        assert!(kinetic_ising_stream(&[f64::NAN], &[0.0], 5, &mut rng).is_err());
        assert!(kinetic_ising_entropy_rate(&[0.0; 13], &[0.0; 169]).is_err());
        assert!(second_order_stream(1, 1.5, 5, &mut rng).is_err());
        assert!(planted_clusters(0, 2, 0.1, 5, &mut rng).is_err() && planted_clusters(2, 0, 0.1, 5, &mut rng).is_err());
        assert!(drifting_stream(2, 0.0, 5, &mut rng).is_err());
        assert!(random_asymmetric_stream(2, f64::NAN, 5, &mut rng).is_err());
        assert!(coulomb_stream::<3, _>(0, 5, &mut rng).is_err());
    }
}
