//! Every formula against sums over all configurations, done here by plain loops.

use approx::assert_relative_eq;
use boltzmann::partition::{exact, exact_ln_z};
use boltzmann::rand::Rng;
use boltzmann::units::{Bernoulli, Binomial, DoubleRelu, Gaussian, Potts, Relu, Spin, Unit, UnitKind};
use boltzmann::{BitRows, BoltzmannMachine, PackedRbm, PositivePhase, Rbm};
use linalg_core::Streams;
use linalg_core::logspace::log_sum_exp;
use linalg_core::rng::{standard_normal, uniform_open01};
use spin_models::{CachedModel, EnergyModel, Enumeration, LogPartition, Spins};

const BETAS: [f64; 3] = [0.5, 1.0, 1.7];

fn normals<R: Rng + ?Sized>(n: usize, scale: f64, rng: &mut R) -> Vec<f64> {
    (0..n).map(|_| scale * standard_normal(rng)).collect()
}

fn machine(v: UnitKind, h: UnitKind, nv: usize, nh: usize, seed: u64) -> Rbm<UnitKind, UnitKind> {
    let mut rng = Streams::new(seed).stream(0);
    let (lv, lh) = (nv * v.width(), nh * h.width());
    let (weights, a, b) = (normals(lv * lh, 0.4, &mut rng), normals(lv, 0.5, &mut rng), normals(lh, 0.5, &mut rng));
    Rbm::new(v, h, weights, a, b).unwrap().with_offset(0.3).unwrap()
}

/// All configurations of a layer of discrete units.
fn configurations(units: &UnitKind, n: usize) -> Vec<Vec<f64>> {
    let (q, width) = (units.n_states().unwrap(), units.width());
    (0..q.pow(n as u32))
        .map(|mut index| {
            let mut x = vec![0.0; n * width];
            for x in x.chunks_exact_mut(width) {
                units.state(index % q, x);
                index /= q;
            }
            x
        })
        .collect()
}

fn ln_multiplicity(units: &UnitKind, x: &[f64]) -> f64 {
    x.chunks_exact(units.width()).enumerate().map(|(i, x)| units.ln_multiplicity(i, x)).sum()
}

fn discrete() -> Vec<UnitKind> {
    vec![
        UnitKind::Bernoulli(Bernoulli),
        UnitKind::Spin(Spin),
        UnitKind::Potts(Potts::new(3).unwrap()),
        UnitKind::Binomial(Binomial::new(2).unwrap()),
    ]
}

fn continuous(n: usize) -> Vec<UnitKind> {
    vec![
        UnitKind::Gaussian(Gaussian::new((0..n).map(|k| 1.0 + 0.5 * k as f64).collect()).unwrap()),
        UnitKind::Relu(Relu::new(1.2, 0.3).unwrap()),
        UnitKind::DoubleRelu(DoubleRelu::new([0.8, 1.5], [-0.6, 0.4]).unwrap()),
    ]
}

#[test]
fn discrete_pairs_against_enumeration() {
    for (a, v) in discrete().into_iter().enumerate() {
        for (b, h) in discrete().into_iter().enumerate() {
            for (nv, nh) in [(3, 2), (2, 3)] {
                let rbm = machine(v.clone(), h.clone(), nv, nh, 10 * a as u64 + b as u64);
                for beta in BETAS {
                    check_discrete(&rbm, beta);
                }
            }
        }
    }
}

fn check_discrete(rbm: &Rbm<UnitKind, UnitKind>, beta: f64) {
    let visible = configurations(rbm.visible(), rbm.n_visible());
    let hidden = configurations(rbm.hidden(), rbm.n_hidden());
    let ln_weight = |v: &[f64], h: &[f64]| {
        -beta * rbm.energy(v, h) + ln_multiplicity(rbm.visible(), v) + ln_multiplicity(rbm.hidden(), h)
    };
    let mut all = Vec::new();
    for v in &visible {
        let terms: Vec<f64> = hidden.iter().map(|h| ln_weight(v, h)).collect();
        assert_relative_eq!(-beta * rbm.free_energy(v, beta), log_sum_exp(&terms), epsilon = 1e-10);
        let mut mean = vec![0.0; rbm.hidden_len()];
        rbm.hidden_mean(v, beta, &mut mean);
        for (j, mean) in mean.iter().enumerate() {
            let total = log_sum_exp(&terms);
            let sum: f64 = hidden.iter().zip(&terms).map(|(h, t)| h[j] * (t - total).exp()).sum();
            assert_relative_eq!(*mean, sum, epsilon = 1e-10);
        }
        all.extend(terms);
    }
    for h in &hidden {
        let terms: Vec<f64> = visible.iter().map(|v| ln_weight(v, h)).collect();
        assert_relative_eq!(-beta * rbm.free_energy_hidden(h, beta), log_sum_exp(&terms), epsilon = 1e-10);
        let mut mean = vec![0.0; rbm.visible_len()];
        rbm.visible_mean(h, beta, &mut mean);
        let sum: f64 = visible.iter().zip(&terms).map(|(v, t)| v[0] * (t - log_sum_exp(&terms)).exp()).sum();
        assert_relative_eq!(mean[0], sum, epsilon = 1e-10);
    }
    let ln_z = log_sum_exp(&all);
    assert_relative_eq!(exact_ln_z(rbm, beta).unwrap(), ln_z, epsilon = 1e-10);
    let sums = exact(rbm, beta).unwrap();
    assert_relative_eq!(sums.ln_z, ln_z, epsilon = 1e-10);
    let nv = rbm.visible_len();
    let mut moments = vec![0.0; nv * rbm.hidden_len()];
    for (v, terms) in visible.iter().zip(all.chunks_exact(hidden.len())) {
        for (h, term) in hidden.iter().zip(terms) {
            let p = (term - ln_z).exp();
            for (j, row) in moments.chunks_exact_mut(nv).enumerate() {
                row.iter_mut().zip(v).for_each(|(sum, v)| *sum += p * h[j] * v);
            }
        }
    }
    for (got, expected) in sums.statistics.weights.iter().zip(&moments) {
        assert_relative_eq!(got, expected, epsilon = 1e-10);
    }
    // The gradient of ln Z is β times the means: by central differences in two parameters of each kind.
    let step = 1e-5;
    let derivative = |change: &dyn Fn(&mut Rbm<UnitKind, UnitKind>, f64)| {
        let shifted = |step: f64| {
            let mut other = rbm.clone();
            change(&mut other, step);
            exact_ln_z(&other, beta).unwrap()
        };
        (shifted(step) - shifted(-step)) / (2.0 * step)
    };
    let means = &sums.statistics;
    assert!((derivative(&|rbm, d| rbm.parameters_mut().0[1] += d) - beta * means.weights[1]).abs() < 1e-8);
    assert!((derivative(&|rbm, d| rbm.parameters_mut().1[0] += d) - beta * means.visible[0]).abs() < 1e-8);
    assert!((derivative(&|rbm, d| rbm.parameters_mut().2[1] += d) - beta * means.hidden[1]).abs() < 1e-8);
}

/// `ln ∫ e^{β(f x - U(x))} dx` and the mean by the trapezoidal rule: exponentially accurate for smooth functions, so each side
/// of 0 is mapped by x = ±e^{y - e^{-y}} to one that is.
fn integrals(units: &UnitKind, f: f64, beta: f64) -> (f64, f64) {
    let (mut total, mut first) = (0.0, 0.0);
    for k in -3000..3000 {
        let y = f64::from(k) / 500.0;
        let x = (y - (-y).exp()).exp();
        let jacobian = x * (1.0 + (-y).exp()) / 500.0;
        for x in [x, -x] {
            if units.contains(&[x]) {
                let weight = jacobian * (beta * (f * x - units.energy(1, &[x]))).exp();
                total += weight;
                first += weight * x;
            }
        }
    }
    (total.ln(), first / total)
}

#[test]
fn continuous_units_against_quadrature() {
    for units in continuous(2) {
        for beta in BETAS {
            for f in [-5.0, -1.0, 0.0, 0.7, 4.0] {
                let (ln_z, mean) = integrals(&units, f, beta);
                let mut got = [0.0];
                units.mean(1, &[f], beta, &mut got);
                assert!((units.ln_z(1, &[f], beta) - ln_z).abs() < 1e-10, "{} {f} {beta}", units.name());
                assert!((got[0] - mean).abs() < 1e-10, "{} {f} {beta}", units.name());
                // The mode is where the gain f x - U(x) is largest.
                units.mode(1, &[f], &mut got);
                let gain = |x: f64| f * x - units.energy(1, &[x]);
                let steps = [-0.01, 0.01].map(|step| got[0] + step).into_iter().filter(|x| units.contains(&[*x]));
                assert!(steps.map(gain).all(|near| near <= gain(got[0]) + 1e-12));
            }
        }
    }
    // Far out in the tail nothing overflows, and the mean goes as 1/|f|.
    let relu = Relu::new(1.0, 0.0).unwrap();
    let mut mean = [0.0];
    relu.mean(0, &[-1e4], 1.0, &mut mean);
    assert_relative_eq!(mean[0], 1e-4, max_relative = 1e-7);
    assert!(relu.ln_z(0, &[-1e4], 1.0).is_finite() && relu.ln_z(0, &[1e4], 1.0).is_finite());
    // Both ways to the mean agree where they meet.
    for f in [-29.999_999, -30.000_001] {
        relu.mean(0, &[f], 1.0, &mut mean);
        let series = 1.0 / 30.0 * (1.0 - 2.0 / 900.0 + 10.0 / 810_000.0);
        assert!((mean[0] - series).abs() < 1e-8);
    }
}

#[test]
fn samples_have_the_means() {
    let mut rng = Streams::new(5).stream(0);
    let samples = 40_000;
    for units in discrete().into_iter().chain(continuous(2)) {
        for beta in [0.7, 2.0] {
            for f in [-2.5, 0.4, 3.0] {
                let field = vec![f, 0.3, -0.2][..units.width()].to_vec();
                let (mut mean, mut x) = (vec![0.0; units.width()], vec![0.0; units.width()]);
                units.mean(1, &field, beta, &mut mean);
                let mut running = linalg_core::stats::Running::new();
                for _ in 0..samples {
                    units.sample(1, &field, beta, &mut rng, &mut x);
                    assert!(units.contains(&x));
                    running.push(x[0]);
                }
                // 42 means, each within 4.5 standard errors with probability 1 - 7e-6; a unit that never moves has none.
                let bound = 4.5 * running.std_error()
                    + 1e-3 * mean[0].abs().min(1.0) * f64::from(u8::from(running.variance() < 1e-4));
                assert!((running.mean() - mean[0]).abs() <= bound, "{} {f} {beta}", units.name());
            }
        }
    }
}

#[test]
fn mixed_pairs_against_sums_of_integrals() {
    for (a, v) in discrete().into_iter().enumerate() {
        for (b, h) in continuous(2).into_iter().enumerate() {
            let rbm = machine(v.clone(), h.clone(), 3, 2, 100 + 10 * a as u64 + b as u64);
            let beta = 0.9;
            let mut terms = Vec::new();
            for v in configurations(rbm.visible(), 3) {
                let mut fields = [0.0; 2];
                rbm.hidden_fields(&v, &mut fields);
                let inner: f64 = (0..2).map(|j| rbm.hidden().ln_z(j, &fields[j..=j], beta)).sum();
                let zero = rbm.hidden().energy(0, &[0.0]);
                assert!(zero.abs() < 1e-300);
                let term = inner - beta * rbm.energy(&v, &[0.0, 0.0]) + ln_multiplicity(rbm.visible(), &v);
                assert_relative_eq!(term, -beta * rbm.free_energy(&v, beta), epsilon = 1e-10);
                terms.push(term);
            }
            assert_relative_eq!(exact_ln_z(&rbm, beta).unwrap(), log_sum_exp(&terms), epsilon = 1e-10);
            // The continuous layer visible: the same machine turned round.
            let nv = rbm.visible_len();
            let weights = (0..nv).flat_map(|k| rbm.weights().iter().skip(k).step_by(nv).copied()).collect();
            let turned =
                Rbm::new(h, v.clone(), weights, rbm.hidden_bias().to_vec(), rbm.visible_bias().to_vec()).unwrap();
            let turned = turned.with_offset(rbm.offset()).unwrap();
            let (one, two) = (exact(&rbm, beta).unwrap(), exact(&turned, beta).unwrap());
            assert_relative_eq!(one.ln_z, two.ln_z, epsilon = 1e-10);
            assert_relative_eq!(one.statistics.weights[nv + 1], two.statistics.weights[3], epsilon = 1e-10);
        }
    }
}

#[test]
fn two_gaussian_layers_in_closed_form() {
    let gaussian = |precision: &[f64]| Gaussian::new(precision.to_vec()).unwrap();
    let rbm = |w: f64| Rbm::new(gaussian(&[2.0]), gaussian(&[0.5]), vec![w], vec![0.3], vec![-0.2]).unwrap();
    for beta in BETAS {
        // det [[2, -w], [-w, 1/2]] = 1 - w², the inverse by hand.
        let w: f64 = 0.6;
        let det = 1.0 - w * w;
        let quadratic = (0.5 * 0.09 + 2.0 * w * 0.3 * -0.2 + 2.0 * 0.04) / det;
        let ln_z = (2.0 * std::f64::consts::PI / beta).ln() - 0.5 * det.ln() + 0.5 * beta * quadratic;
        assert_relative_eq!(exact_ln_z(&rbm(w), beta).unwrap(), ln_z, epsilon = 1e-12);
    }
    assert_relative_eq!(rbm(0.9).normalisability().unwrap().unwrap(), 0.81, epsilon = 1e-12);
    let error = exact_ln_z(&rbm(1.1), 1.0).unwrap_err();
    assert!(matches!(error, boltzmann::Error::Unbounded { eigenvalue } if (eigenvalue - 1.21).abs() < 1e-12));
    assert!(exact_ln_z(&rbm(1.0), 1.0).is_err());
    // Three by two: integrate the visible layer by hand, one precision at a time.
    let mut rng = Streams::new(3).stream(0);
    let (w, a, b) = (normals(6, 0.3, &mut rng), normals(3, 1.0, &mut rng), normals(2, 1.0, &mut rng));
    let full = Rbm::new(gaussian(&[1.0, 2.0, 1.5]), gaussian(&[1.0, 3.0]), w, a, b).unwrap();
    let step = 0.02;
    let mut total = 0.0;
    for i in -500..500 {
        for j in -500..500 {
            let h = [step * f64::from(i), step * f64::from(j)];
            total += step * step * (-full.free_energy_hidden(&h, 1.0)).exp();
        }
    }
    assert_relative_eq!(exact_ln_z(&full, 1.0).unwrap(), total.ln(), epsilon = 1e-10);
}

#[test]
fn alphabets_agree() {
    let mut rng = Streams::new(8).stream(0);
    let (w, a, b) = (normals(12, 0.7, &mut rng), normals(4, 0.5, &mut rng), normals(3, 0.5, &mut rng));
    let spins = Rbm::new(Spin, Spin, w, a, b).unwrap().with_offset(0.7).unwrap();
    let bits = spins.to_bernoulli();
    let back = bits.to_spin();
    assert_eq!(back.weights(), spins.weights());
    for beta in BETAS {
        assert_relative_eq!(exact_ln_z(&spins, beta).unwrap(), exact_ln_z(&bits, beta).unwrap(), epsilon = 1e-12);
        assert_relative_eq!(exact_ln_z(&spins, beta).unwrap(), exact_ln_z(&back, beta).unwrap(), epsilon = 1e-12);
        // The machine as an Ising model, and its two marginals.
        let ising = spins.to_boltzmann_machine().unwrap();
        let ln_z =
            |model: &dyn EnergyModel| Enumeration::default().ln_z(&spin_models::Uncached(model), beta).unwrap().value;
        assert_relative_eq!(ln_z(&ising), exact_ln_z(&spins, beta).unwrap(), epsilon = 1e-12);
        assert_relative_eq!(ln_z(&spins.marginal(beta).unwrap()), ln_z(&ising), epsilon = 1e-12);
        assert_relative_eq!(ln_z(&bits.marginal(beta).unwrap()), ln_z(&ising), epsilon = 1e-12);
        for state in 0..16 {
            let s = Spins::from_state(state, 4);
            let v: Vec<f64> = s.iter().map(|&s| f64::from(s)).collect();
            let likelihood = -beta * spins.free_energy(&v, beta) - exact_ln_z(&spins, beta).unwrap();
            assert_relative_eq!(ising.log_likelihood(&s, beta).unwrap(), likelihood, epsilon = 1e-12);
        }
    }
}

#[test]
fn marginals_keep_their_caches() {
    for kind in discrete().into_iter().chain(continuous(2)) {
        let width = kind.width();
        let mut rng = Streams::new(9).stream(0);
        let (w, a, b) =
            (normals(8 * width, 0.7, &mut rng), normals(4, 0.5, &mut rng), normals(2 * width, 0.5, &mut rng));
        let rbm = Rbm::new(Bernoulli, kind, w, a, b).unwrap();
        let marginal = rbm.marginal(1.3).unwrap();
        let mut s = Spins::up(4).to_vec();
        let mut cache = marginal.cache(&s);
        for step in 0..40 {
            let i = (7 * step + step / 3) % 4;
            let before = marginal.energy(&s);
            let delta = marginal.delta_cached(&cache, &s, i);
            assert_relative_eq!(delta, marginal.delta_energy(&s, i), epsilon = 1e-12);
            marginal.flip(&mut cache, &mut s, i);
            assert_relative_eq!(marginal.energy(&s) - before, delta, epsilon = 1e-12);
        }
    }
}

#[test]
fn hopfield_is_a_gaussian_machine() {
    for (n, p, seed) in [(6, 2, 1), (9, 3, 2), (12, 5, 3)] {
        let patterns = Spins::random(n * p, &mut Streams::new(seed).stream(0)).to_vec();
        let rbm = Rbm::from_patterns(&patterns, n).unwrap();
        let hopfield = rbm.to_hopfield().unwrap();
        let again = Rbm::from_ising(&hopfield).unwrap();
        for beta in BETAS {
            let gauss = |hidden: usize| 0.5 * hidden as f64 * (2.0 * std::f64::consts::PI / beta).ln();
            let ln_z = Enumeration::default().ln_z(&hopfield, beta).unwrap().value;
            assert_relative_eq!(exact_ln_z(&rbm, beta).unwrap() - gauss(p), ln_z, epsilon = 1e-12 * ln_z.abs());
            let from_ising = exact_ln_z(&again, beta).unwrap() - gauss(again.n_hidden());
            assert_relative_eq!(from_ising, ln_z, epsilon = 1e-12 * ln_z.abs().max(1.0) * 10.0);
            // The diagonal: Hebb's couplings without it have a ln Z smaller by βP/2.
            let mut hebb = spin_models::Ising::builder(n);
            for i in 0..n {
                for k in i + 1..n {
                    let sum: i32 = patterns.chunks(n).map(|xi| i32::from(xi[i]) * i32::from(xi[k])).sum();
                    hebb = hebb.coupling(i, k, f64::from(sum) / n as f64);
                }
            }
            let without = Enumeration::default().ln_z(&hebb.build().unwrap(), beta).unwrap().value;
            assert_relative_eq!(ln_z - without, 0.5 * beta * p as f64, epsilon = 1e-12 * ln_z.abs());
            for state in [0, 5, 17, 33] {
                let s = Spins::from_state(state, n);
                let v: Vec<f64> = s.iter().map(|&s| f64::from(s)).collect();
                let energy = rbm.free_energy(&v, beta) + gauss(p) / beta;
                assert_relative_eq!(energy, hopfield.energy(&s), epsilon = 1e-12 * n as f64);
            }
        }
        // ⟨λ²⟩ = 1/β + ⟨μ²⟩ given the spins: the variance of a Gaussian unit.
        let (beta, samples) = (1.7, 100_000);
        let v: Vec<f64> = Spins::from_state(11, n).iter().map(|&s| f64::from(s)).collect();
        let (mut mu, mut lambda) = (vec![0.0; p], vec![0.0; p]);
        rbm.hidden_fields(&v, &mut mu);
        let mut rng = Streams::new(4).stream(0);
        let mut squares = linalg_core::stats::Running::new();
        for _ in 0..samples {
            rbm.sample_hidden(&v, beta, &mut lambda, &mut rng);
            squares.push(lambda[0] * lambda[0]);
        }
        assert!((squares.mean() - 1.0 / beta - mu[0] * mu[0]).abs() < 4.5 * squares.std_error());
    }
}

#[test]
fn gauges_of_potts_and_of_centring() {
    let potts = UnitKind::Potts(Potts::new(3).unwrap());
    let rbm = machine(potts, UnitKind::Bernoulli(Bernoulli), 3, 2, 77);
    let mut gauged = rbm.clone();
    let (weights, visible, hidden) = gauged.parameters_mut();
    // A constant on all states of visible unit 1, in its bias and its weights with hidden unit 0.
    visible[3..6].iter_mut().for_each(|a| *a += 0.8);
    weights[3..6].iter_mut().for_each(|w| *w += 0.5);
    hidden[0] -= 0.5;
    assert_relative_eq!(exact_ln_z(&gauged, 1.0).unwrap() - 0.8, exact_ln_z(&rbm, 1.0).unwrap(), epsilon = 1e-10);
    // The centred gradient does not change when 0 and 1 of a visible unit change places: data, machine and offset turned.
    let mut rng = Streams::new(21).stream(0);
    let (w, a, b) = (normals(6, 0.7, &mut rng), normals(3, 0.5, &mut rng), normals(2, 0.5, &mut rng));
    let rbm = Rbm::new(Bernoulli, Bernoulli, w.clone(), a.clone(), b.clone()).unwrap();
    let turned = {
        let (mut w2, mut a2, mut b2) = (w.clone(), a.clone(), b.clone());
        for j in 0..2 {
            b2[j] += w[3 * j + 1];
            w2[3 * j + 1] = -w[3 * j + 1];
        }
        a2[1] = -a[1];
        Rbm::new(Bernoulli, Bernoulli, w2.split_off(0), a2.split_off(0), b2.split_off(0)).unwrap()
    };
    let data = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0];
    let mut turned_data = data;
    turned_data.iter_mut().skip(1).step_by(3).for_each(|x| *x = 1.0 - *x);
    let gradient = |rbm: &Rbm<Bernoulli, Bernoulli>, data: &[f64], c: &[f64]| {
        let difference = rbm.statistics(data, 1.0).minus(&exact(rbm, 1.0).unwrap().statistics);
        (difference.centred(c, &[0.4, 0.3]), difference)
    };
    let (one, plain) = gradient(&rbm, &data, &[0.2, 0.6, 0.7]);
    let (two, plain_turned) = gradient(&turned, &turned_data, &[0.2, 0.4, 0.7]);
    for k in 0..6 {
        let sign = if k % 3 == 1 { -1.0 } else { 1.0 };
        assert_relative_eq!(one.weights[k], sign * two.weights[k], epsilon = 1e-10);
    }
    // The plain gradient does change: the test could fail.
    assert!((plain.weights[1] + plain_turned.weights[1]).abs() > 1e-3);
}

#[test]
fn packed_machines_agree() {
    for (nv, nh) in [(3, 5), (64, 64), (70, 65), (130, 20)] {
        let mut rng = Streams::new(31).stream(nv as u64);
        let (w, a, b) = (normals(nv * nh, 0.2, &mut rng), normals(nv, 0.5, &mut rng), normals(nh, 0.5, &mut rng));
        let rbm = Rbm::new(Bernoulli, Bernoulli, w, a, b).unwrap();
        let packed = PackedRbm::new(&rbm).unwrap();
        let bytes: Vec<u8> = (0..40 * nv).map(|_| u8::from(uniform_open01(&mut rng) < 0.4)).collect();
        let data = BitRows::from_bytes(&bytes, nv).unwrap();
        let values: Vec<f64> = bytes.iter().map(|&x| f64::from(x)).collect();
        let mut exact = vec![0.0; 40];
        rbm.free_energies(&values, 1.0, &mut exact);
        for (row, (got, exact)) in packed.free_energies(&data).iter().zip(&exact).enumerate() {
            // Weights rounded to f32, fields summed in f32: 2e-5 relative to sums of some ten.
            assert_relative_eq!(got, exact, max_relative = 2e-5);
            let single = rbm.free_energy(&values[row * nv..(row + 1) * nv], 1.0);
            assert_relative_eq!(single, exact, epsilon = 1e-10 * exact.abs());
        }
    }
}

#[test]
fn large_fields_take_the_careful_way() {
    // 800 beyond the range of e^x: ln Z = ln(1 + 1 + 1 + e^{800}) = 800.
    let rbm = Rbm::new(Bernoulli, Bernoulli, vec![800.0], vec![0.0], vec![0.0]).unwrap();
    assert_relative_eq!(exact_ln_z(&rbm, 1.0).unwrap(), 800.0, epsilon = 1e-9);
    let moderate = Rbm::new(Bernoulli, Bernoulli, vec![500.0], vec![0.0], vec![0.0]).unwrap();
    assert_relative_eq!(exact_ln_z(&moderate, 1.0).unwrap(), 500.0, epsilon = 1e-9);
}

#[test]
fn gray_code_of_several_blocks() {
    // 13 hidden units: eight blocks; against the generic walk, which knows nothing of Gray codes.
    let mut rng = Streams::new(61).stream(0);
    let (w, a, b) = (normals(13 * 40, 1.0, &mut rng), normals(40, 1.0, &mut rng), normals(13, 1.0, &mut rng));
    let rbm = Rbm::new(Bernoulli, Spin, w, a, b).unwrap();
    for beta in [0.3, 1.0] {
        let (fast, slow) = (exact_ln_z(&rbm, beta).unwrap(), exact(&rbm, beta).unwrap().ln_z);
        assert_relative_eq!(fast, slow, max_relative = 1e-13);
    }
}

#[test]
fn general_machines() {
    let mut rng = Streams::new(41).stream(0);
    let mut builder = spin_models::Ising::builder(6).offset(0.2);
    for i in 0..6 {
        for k in i + 1..6 {
            builder = builder.coupling(i, k, 0.4 * standard_normal(&mut rng));
        }
    }
    let machine = BoltzmannMachine::new(builder.fields(normals(6, 0.4, &mut rng)).build().unwrap(), 3).unwrap();
    let beta = 0.8;
    let data = [1, 1, -1, 1, -1, -1, 1, 1, -1];
    let total = |machine: &BoltzmannMachine| -> f64 {
        data.chunks(3).map(|v| machine.log_likelihood(v, beta).unwrap()).sum::<f64>() / 3.0
    };
    // The likelihood is a sum over the hidden spins.
    let ln_z = Enumeration::default().ln_z(machine.ising(), beta).unwrap().value;
    let sum: Vec<f64> =
        (0..8).map(|state| -beta * machine.energy(&[&data[..3], &Spins::from_state(state, 3)[..]].concat())).collect();
    assert_relative_eq!(machine.log_likelihood(&data[..3], beta).unwrap(), log_sum_exp(&sum) - ln_z, epsilon = 1e-12);
    let positive = machine.data_statistics(&data, beta, PositivePhase::Exact, &mut rng).unwrap();
    let negative = machine.model_statistics(beta).unwrap();
    // A small step raises the likelihood by its length squared.
    let squares = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let norm =
        beta * beta * (squares(&positive.couplings, &negative.couplings) + squares(&positive.fields, &negative.fields));
    let rate = 1e-6;
    let gain = total(&machine.stepped(rate, beta, &positive, &negative).unwrap()) - total(&machine);
    assert_relative_eq!(gain / rate, norm, max_relative = 1e-4);
    // Gibbs sampling has the same means; 30 means of correlated samples within 0.03.
    let gibbs = PositivePhase::Gibbs { discard: 100, sweeps: 40_000 };
    let sampled = machine.data_statistics(&data, beta, gibbs, &mut rng).unwrap();
    let pairs = sampled.couplings.iter().zip(&positive.couplings).chain(sampled.fields.iter().zip(&positive.fields));
    assert!(pairs.clone().all(|(got, exact)| (got - exact).abs() < 0.03));
    assert!(pairs.clone().any(|(got, exact)| (got - exact).abs() > 0.0));
    // Mean field is exact where the hidden units do not interact.
    let free = spin_models::Ising::builder(4).coupling(0, 2, 0.5).coupling(1, 3, -0.3).field(2, 0.2).build().unwrap();
    let free = BoltzmannMachine::new(free, 2).unwrap();
    let field = PositivePhase::MeanField { tolerance: 1e-12, max_iterations: 100 };
    let (one, two) = (
        free.data_statistics(&[1, -1], beta, field, &mut rng).unwrap(),
        free.data_statistics(&[1, -1], beta, PositivePhase::Exact, &mut rng).unwrap(),
    );
    one.fields.iter().zip(&two.fields).for_each(|(a, b)| assert_relative_eq!(a, b, epsilon = 1e-12));
}

#[test]
fn bad_machines_are_refused() {
    let message = |weights: usize, a: usize, b: usize| {
        Rbm::new(Bernoulli, Bernoulli, vec![0.0; weights], vec![0.0; a], vec![0.0; b]).unwrap_err().to_string()
    };
    assert_eq!(message(0, 0, 1), "visible bias is empty");
    assert_eq!(message(5, 2, 2), "weights: 5 values, expected 4");
    let potts = Potts::new(3).unwrap();
    assert_eq!(
        Rbm::new(potts, Bernoulli, vec![0.0; 4], vec![0.0; 4], vec![0.0]).unwrap_err().to_string(),
        "visible bias: 4 values, expected 6"
    );
    let nan = Rbm::new(Bernoulli, Bernoulli, vec![f64::NAN], vec![0.0], vec![0.0]).unwrap_err();
    assert_eq!(nan.to_string(), "weights[0] is NaN, expected a finite number");
    let rbm = Rbm::new(Spin, Spin, vec![0.0; 2], vec![0.0; 2], vec![0.0]).unwrap();
    assert_eq!(
        rbm.check_data(&[1.0, 1.0, -1.0, 0.5]).unwrap_err().to_string(),
        "row 1, entry 1 is 0.5, expected -1 or 1"
    );
    assert_eq!(rbm.check_data(&[1.0; 3]).unwrap_err().to_string(), "data: 3 values, expected 4");
    assert!(rbm.check_data(&[]).is_err());
    assert!(exact_ln_z(&rbm, f64::NAN).is_err() && exact_ln_z(&rbm, 0.0).is_err());
    let large = Rbm::new(Bernoulli, Bernoulli, vec![0.0; 900], vec![0.0; 30], vec![0.0; 30]).unwrap();
    assert!(exact_ln_z(&large, 1.0).unwrap_err().to_string().contains("at most"));
    let relu = Relu::new(1.0, 0.0).unwrap();
    let mixed = Rbm::new(relu, Gaussian::unit_variance(1), vec![0.1], vec![0.0], vec![0.0]).unwrap();
    assert!(exact_ln_z(&mixed, 1.0).unwrap_err().to_string().contains("both layers are continuous"));
    assert!(PackedRbm::new(&Rbm::new(Bernoulli, Bernoulli, vec![1e300], vec![0.0], vec![0.0]).unwrap()).is_err());
    assert!(BoltzmannMachine::new(spin_models::Ising::builder(2).build().unwrap(), 3).is_err());
}
