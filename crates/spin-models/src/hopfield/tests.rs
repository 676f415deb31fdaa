//! The Hopfield model and its dynamics against enumeration, published laws and Gaussian machines.

use linalg_core::quadrature::GaussHermite;
use linalg_core::special::{erfc, normal_cdf};
use linalg_core::stats::Running;
use linalg_core::{Streams, logspace::log_sum_exp};

use super::*;
use crate::model::{CachedModel, EnergyModel};
use crate::{Enumeration, LogPartition, Spins};

/// Energies, differences and caches against the pair sums of Hebb's matrix, for both normalisations.
#[test]
fn energies_are_those_of_hebbs_matrix() {
    let mut rng = Streams::new(30).stream(0);
    for (n, p) in [(1, 3), (9, 4), (70, 5), (20, 40)] {
        let patterns = Patterns::random(n, p, &mut rng).unwrap();
        for (hebb, c) in [(Hebb::PerNeuron, 1.0 / n as f64), (Hebb::PerPattern, 1.0 / p as f64)] {
            let model = Hopfield::new(&patterns).unwrap().with_hebb(hebb);
            let coupling = |i: usize, j: usize| c * patterns.iter().map(|x| f64::from(x[i] * x[j])).sum::<f64>();
            let ising = model.to_ising().unwrap();
            let mut s = Spins::random(n, &mut rng);
            let mut cache = model.cache(&s);
            for i in (0..n).cycle().step_by(7).take(40) {
                let others = (0..n).filter(|&j| j != i);
                let field: f64 = others.map(|j| coupling(i, j) * f64::from(s[j])).sum();
                approx::assert_abs_diff_eq!(model.local_field(&cache, &s, i), field, epsilon = 1e-12);
                approx::assert_abs_diff_eq!(
                    model.delta_cached(&cache, &s, i),
                    ising.delta_energy(&s, i),
                    epsilon = 1e-11
                );
                approx::assert_abs_diff_eq!(model.energy(&s), ising.energy(&s), epsilon = 1e-11);
                approx::assert_abs_diff_eq!(model.energy_cached(&cache, &s), ising.energy(&s), epsilon = 1e-11);
                model.flip(&mut cache, &mut s, i);
                assert_eq!(cache, model.cache(&s));
            }
            let mut fields = vec![0.0; n];
            model.local_fields(&cache, &s, &mut fields);
            (0..n).for_each(|i| {
                approx::assert_abs_diff_eq!(fields[i], model.local_field(&cache, &s, i), epsilon = 1e-12)
            });
        }
    }
}

/// `T_PerPattern = T_PerNeuron / α` on ln Z.
#[test]
fn normalisations_differ_by_the_load_in_temperature() {
    let patterns = Patterns::random(10, 3, &mut Streams::new(31).stream(0)).unwrap();
    let model = Hopfield::new(&patterns).unwrap();
    let exact = Enumeration::default();
    let beta = 0.7;
    let per_neuron = exact.ln_z(&model.to_ising().unwrap(), beta).unwrap().value;
    let other = model.with_hebb(Hebb::PerPattern);
    let per_pattern = exact.ln_z(&other.to_ising().unwrap(), beta * 0.3).unwrap().value;
    approx::assert_abs_diff_eq!(per_neuron, per_pattern, epsilon = 1e-12);
}

/// The marginal of a machine with Gaussian hidden units, P integrals of
/// `√(β/2π) exp(-βλ²/2 + βλ μ)` with `μ = Σ_i ξ_i s_i/√N`, is the Hopfield model with its diagonal: equal probabilities of all
/// configurations, N = 12, and ln Z larger by βP/2 (A. Barra et al., Neural Netw. 34, 1 (2012)).
#[test]
fn gaussian_hidden_units_give_the_same_law() {
    let (n, beta) = (12usize, 0.6f64);
    // With λ = x/√β an average of exp(√β μ x) over a standard Gaussian: exact to rounding with 60 points for √β μ ≤ 2.7.
    let rule = GaussHermite::new(60).unwrap();
    for p in [1, 3, 5] {
        let patterns = Patterns::random(n, p, &mut Streams::new(32).stream(p as u64)).unwrap();
        let model = Hopfield::new(&patterns).unwrap();
        let states: Vec<Spins> = (0..1 << n).map(|k| Spins::from_state(k, n)).collect();
        let machine = |s: &Spins| {
            let integral = |mu: usize| {
                let field = beta.sqrt() * patterns.overlap(mu, s) * (n as f64).sqrt();
                rule.average(|x| (field * x).exp()).ln()
            };
            (0..p).map(integral).sum::<f64>()
        };
        let by_integrals: Vec<f64> = states.iter().map(machine).collect();
        let by_energy: Vec<f64> = states.iter().map(|s| -beta * model.energy(s)).collect();
        let (ln_z_machine, ln_z) = (log_sum_exp(&by_integrals), log_sum_exp(&by_energy));
        approx::assert_abs_diff_eq!(ln_z_machine, ln_z + 0.5 * beta * p as f64, epsilon = 1e-11);
        for (a, b) in by_integrals.iter().zip(&by_energy) {
            approx::assert_abs_diff_eq!(a - ln_z_machine, b - ln_z, epsilon = 1e-11);
        }
    }
}

/// ½ erfc(1/√2α) = 7.83e-4 at α = 0.1. N = 2000, 8 networks, seed 33. At finite N the field is
/// (N - 1)/N plus (N - 1)(P - 1) signs over N: the same law with (P - 1)/(N - 1), 3 % lower. Within 4σ of that, σ from the networks.
#[test]
fn fraction_of_unstable_bits() {
    let limit = 0.5 * erfc(1.0 / (0.2f64).sqrt());
    approx::assert_abs_diff_eq!(limit, 7.83e-4, epsilon = 5e-7);
    let finite = normal_cdf(-(1999.0f64 / 199.0).sqrt());
    let fraction = |k: u64| {
        let patterns = Patterns::random(2000, 200, &mut Streams::new(33).stream(k)).unwrap();
        Hopfield::new(&patterns).unwrap().unstable_fraction()
    };
    let measured: Running = (0..8).map(fraction).collect();
    let z = (measured.mean() - finite) / measured.std_error();
    assert!(z.abs() < 4.0 && measured.std_error() < 0.05 * finite, "{} for {finite}", measured.estimate());
    assert!((measured.mean() / limit - 1.0).abs() < 0.1);
}

/// Sequential dynamics has the measure of Gibbs, parallel dynamics that of Peretto: 5·10⁵ sweeps of 5 spins against both laws, seed 34.
#[test]
fn stationary_measures_of_both_dynamics() {
    let patterns = Patterns::random(5, 2, &mut Streams::new(34).stream(0)).unwrap();
    let model = Hopfield::new(&patterns).unwrap();
    let beta = 0.9;
    let states: Vec<Spins> = (0..32).map(|k| Spins::from_state(k, 5)).collect();
    let peretto = |s: &Spins| {
        let cache = model.prepare(s);
        (0..5).map(|i| linalg_core::logspace::ln_cosh(beta * model.local_field(&cache, s, i))).sum::<f64>()
    };
    let law = |weight: &dyn Fn(&Spins) -> f64| {
        let mut ln_weights: Vec<f64> = states.iter().map(weight).collect();
        linalg_core::logspace::log_normalize(&mut ln_weights);
        ln_weights.iter().map(|x| x.exp()).collect::<Vec<f64>>()
    };
    let gibbs = law(&|s| -beta * model.energy(s));
    for (update, exact) in
        [(Update::Sequential, &gibbs), (Update::RandomSequential, &gibbs), (Update::Parallel, &law(&peretto))]
    {
        let dynamics = Glauber::new(update, beta).unwrap();
        let mut rng = Streams::new(35).fast_stream(update as u64);
        let mut s = Spins::up(5);
        let mut cache = model.prepare(&s);
        // Blocks of 2500 sweeps, far longer than the memory of the chain, give the errors.
        let mut blocks = vec![Running::new(); 32];
        for _ in 0..200 {
            let mut counts = [0u32; 32];
            for _ in 0..2500 {
                dynamics.sweep(&model, &mut s, &mut cache, &mut rng);
                counts[s.iter().enumerate().map(|(i, &s)| usize::from(s < 0) << i).sum::<usize>()] += 1;
            }
            blocks.iter_mut().zip(counts).for_each(|(block, count)| block.push(f64::from(count) / 2500.0));
        }
        for (k, (block, exact)) in blocks.iter().zip(exact).enumerate() {
            let z = (block.mean() - exact) / block.std_error();
            assert!(z.abs() < 4.5, "{update:?}, state {k}: {} for {exact}", block.estimate());
        }
    }
}

/// At T = 0 the energy never rises one spin after another, and every end is a fixed point.
#[test]
fn sequential_recall_goes_downhill() {
    let mut rng = Streams::new(36).stream(0);
    let patterns = Patterns::random(200, 30, &mut rng).unwrap();
    let model = Hopfield::new(&patterns).unwrap();
    for update in [Update::Sequential, Update::RandomSequential] {
        let cold = Glauber::zero_temperature(update);
        let mut s = Spins::random(200, &mut rng);
        let run = overlap_trajectory(&model, &cold, 3, &mut s, 60, &mut rng).unwrap();
        assert!(run.windows(2).all(|pair| pair[1].energy_per_spin <= pair[0].energy_per_spin));
        let end = cold.recall(&model, &s, 60, &mut rng);
        assert_eq!((end.ending, &end.spins), (Ending::FixedPoint, &s));
        assert!((0..200).all(|i| model.delta_energy(&s, i) >= 0.0));
        let last = run[60];
        approx::assert_abs_diff_eq!(last.energy_per_spin, model.energy(&s) / 200.0, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(last.overlap, patterns.overlap(3, &s), epsilon = 1e-12);
        // Energy from both order parameters: -(m² + α r)/2 + α/2.
        let of_parameters = -0.5 * (last.overlap.powi(2) + 0.15 * last.crosstalk) + 0.5 * 0.15;
        approx::assert_abs_diff_eq!(last.energy_per_spin, of_parameters, epsilon = 1e-12);
    }
}

/// A long chain at a finite temperature has the retrieval overlap m = tanh(βm) of few patterns: T = 0.5, m = 0.9575; N = 20000, P = 3.
#[test]
fn overlap_of_few_patterns_at_finite_temperature() {
    let mut rng = Streams::new(37).stream(0);
    let patterns = Patterns::random(20_000, 3, &mut rng).unwrap();
    let model = Hopfield::new(&patterns).unwrap();
    let exact = crate::theory::CurieWeissLimit::new(1.0, 0.0).unwrap().magnetization(2.0).unwrap();
    for update in [Update::Parallel, Update::Sequential] {
        let mut s = patterns.pattern(1).to_vec();
        let run = overlap_trajectory(&model, &Glauber::new(update, 2.0).unwrap(), 1, &mut s, 60, &mut rng).unwrap();
        let mean: Running = run[20..].iter().map(|at| at.overlap).collect();
        // Other overlaps of 1/√N each push by as much: 4 standard deviations of a single configuration.
        assert!((mean.mean() - exact).abs() < 4.0 / 20_000f64.sqrt(), "{update:?}: {} for {exact}", mean.estimate());
    }
}

#[test]
fn bad_input_is_refused() {
    assert!(Glauber::new(Update::Parallel, f64::NAN).is_err() && Glauber::new(Update::Parallel, -1.0).is_err());
    let none = Hopfield::new(&Patterns::new(3, vec![]).unwrap()).unwrap().with_hebb(Hebb::PerPattern);
    assert_eq!(none.energy(&[1, -1, 1]).abs().to_bits(), 0);
    let mut rng = Streams::new(0).stream(0);
    let cold = Glauber::zero_temperature(Update::Parallel);
    assert_eq!(cold.recall(&none, &[1, -1, 1], 5, &mut rng).ending, Ending::FixedPoint);
    assert!(overlap_trajectory(&none, &cold, 0, &mut [1, 1, 1], 5, &mut rng).is_err());
    assert!(none.unstable_fraction().is_nan());
}

#[test]
fn types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<(Patterns, Hopfield, DenseMemory, ModernHopfield, Synapses)>();
    check::<(Glauber, Recall, Basin, Survey, CapacityParams, CapacityMeasurement)>();
}

/// 10⁵ neurons, 1000 patterns: recall without the matrix, and the time of a sweep.
#[test]
#[ignore = "the network of 10⁵ neurons, 250 MB and seconds; run by .ci/long"]
fn large_network_recalls_without_its_matrix() {
    let mut rng = Streams::new(38).fast_stream(0);
    let patterns = Patterns::random(100_000, 1000, &mut rng).unwrap();
    let model = Hopfield::new(&patterns).unwrap();
    let start = patterns.with_overlap(17, 0.5, &mut rng).unwrap();
    for (update, beta) in [
        (Update::Parallel, f64::INFINITY),
        (Update::Parallel, 5.0),
        (Update::Sequential, f64::INFINITY),
        (Update::Sequential, 5.0),
    ] {
        let dynamics = Glauber::new(update, beta).unwrap();
        let mut s = start.clone();
        let mut cache = model.prepare(&s);
        let mut times = Vec::new();
        for _ in 0..12 {
            let clock = std::time::Instant::now();
            dynamics.sweep(&model, &mut s, &mut cache, &mut rng);
            times.push(clock.elapsed().as_secs_f64() * 1e3);
        }
        let shortest = times.iter().copied().fold(f64::INFINITY, f64::min);
        println!("{update:?}, beta = {beta}: first {:.1} ms, shortest {shortest:.1} ms", times[0]);
        assert!(patterns.overlap(17, &s) > if beta.is_infinite() { 0.9999 } else { 0.99 });
    }
}
