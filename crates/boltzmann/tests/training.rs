//! What machines learn, and estimates of ln Z, against exact sums.

use boltzmann::partition::{AnnealedImportance, Tap, annealed_importance, bennett, exact_ln_z};
use boltzmann::train::{DenseMethod, DenseParams, DenseTrainer, Schedule, monitor};
use boltzmann::units::{Bernoulli, Gaussian, Relu, Spin};
use boltzmann::{BitRows, GibbsChains, JointTempering, PackedRbm, Rbm};
use linalg_core::Streams;
use linalg_core::logspace::log_sum_exp;
use linalg_core::rng::standard_normal;

fn machine(nv: usize, nh: usize, scale: f64, seed: u64) -> Rbm<Bernoulli, Bernoulli> {
    let mut rng = Streams::new(seed).stream(0);
    let mut normals = |n: usize, scale: f64| (0..n).map(|_| scale * standard_normal(&mut rng)).collect::<Vec<_>>();
    let (w, a, b) = (normals(nv * nh, scale), normals(nv, 0.5), normals(nh, 0.5));
    Rbm::new(Bernoulli, Bernoulli, w, a, b).unwrap()
}

fn bits(state: usize, n: usize) -> Vec<f64> {
    (0..n).map(|k| (state >> k & 1) as f64).collect()
}

/// The law of the visible units at β.
fn law(rbm: &Rbm<Bernoulli, Bernoulli>, beta: f64) -> Vec<f64> {
    let n = rbm.n_visible();
    let ln_weights: Vec<f64> = (0..1 << n).map(|s| -beta * rbm.free_energy(&bits(s, n), beta)).collect();
    let ln_z = log_sum_exp(&ln_weights);
    ln_weights.into_iter().map(|w| (w - ln_z).exp()).collect()
}

fn distance(law: &[f64], counts: &[f64]) -> f64 {
    let total: f64 = counts.iter().sum();
    law.iter().zip(counts).map(|(p, count)| 0.5 * (p - count / total).abs()).sum()
}

fn state(v: &[f64]) -> usize {
    v.iter().enumerate().map(|(k, &x)| (x as usize) << k).sum()
}

#[test]
fn tempering_targets_the_joint_law() {
    let rbm = machine(4, 3, 1.5, 1);
    let betas = [0.3, 0.65, 1.0];
    let mut chains = JointTempering::new(&rbm, betas.to_vec(), 20, Streams::new(2)).unwrap();
    chains.advance(&rbm, 100);
    let mut counts = vec![vec![0.0; 16]; 3];
    for _ in 0..10_000 {
        chains.advance(&rbm, 1);
        for (r, counts) in counts.iter_mut().enumerate() {
            (0..20).for_each(|c| counts[state(chains.visible(r, c))] += 1.0);
        }
    }
    for (beta, counts) in betas.iter().zip(&counts) {
        // 2·10⁵ samples at each temperature.
        assert!(distance(&law(&rbm, *beta), counts) < 0.01, "{beta}");
    }
    assert!(chains.exchange_rates().iter().all(|rate| (0.05..1.0).contains(rate)));
}

#[test]
fn gibbs_chains_have_the_law_on_any_number_of_threads() {
    let rbm = machine(5, 70, 0.3, 3);
    let packed = PackedRbm::new(&rbm).unwrap();
    let mut chains = GibbsChains::new(&packed, 200, Streams::new(4)).unwrap();
    chains.advance(&packed, 50, 1);
    let mut counts = vec![0.0; 32];
    for _ in 0..1000 {
        chains.advance(&packed, 1, 1);
        let rows = chains.visible();
        (0..200).for_each(|c| counts[rows.row(c)[0] as usize] += 1.0);
    }
    assert!(distance(&law(&rbm, 1.0), &counts) < 0.01);
    let run = |threads: usize| {
        let mut chains = GibbsChains::new(&packed, 70, Streams::new(5)).unwrap();
        chains.advance(&packed, 20, threads);
        chains.visible()
    };
    assert_eq!(run(1), run(4));
}

/// All bars and all stripes of a square, each once; the two full patterns are counted once, too.
fn bars_and_stripes(n: usize) -> Vec<Vec<u8>> {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for mask in 0..1 << n {
        let bar = (0..n * n).map(|k| (mask >> (k / n) & 1) as u8).collect::<Vec<_>>();
        let stripe = (0..n * n).map(|k| (mask >> (k % n) & 1) as u8).collect::<Vec<_>>();
        for row in [bar, stripe] {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

/// KL of the uniform law of the patterns to the machine.
fn divergence(rbm: &Rbm<Bernoulli, Bernoulli>, patterns: &[Vec<u8>]) -> f64 {
    let ln_z = exact_ln_z(rbm, 1.0).unwrap();
    let n = patterns.len() as f64;
    let mean: f64 = patterns
        .iter()
        .map(|row| -rbm.free_energy(&row.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), 1.0) - ln_z)
        .sum::<f64>()
        / n;
    -n.ln() - mean
}

#[test]
fn bars_and_stripes_by_the_exact_gradient() {
    let patterns = bars_and_stripes(3);
    assert_eq!(patterns.len(), 14);
    let data: Vec<f64> = patterns.concat().iter().map(|&x| f64::from(x)).collect();
    let start = Rbm::random(Bernoulli, Bernoulli, 9, 16, 0.1, &mut Streams::new(1).stream(0)).unwrap();
    let before = divergence(&start, &patterns);
    let params = DenseParams::default().learning_rate(1.0, Schedule::Constant).momentum(0.5, 0.0).updates(3000);
    let mut trainer = DenseTrainer::new(start, &data, params, Streams::new(2)).unwrap();
    trainer.run().unwrap();
    let after = divergence(trainer.machine(), &patterns);
    assert!(before > 3.0 && after > -1e-12 && after < 0.004, "{before} {after}");
}

#[test]
fn dense_training_of_other_units() {
    // Two numbers around a common ±1 with standard deviation 1/2, a spin behind them; every method comes to what the exact
    // gradient comes to.
    let mut rng = Streams::new(6).stream(0);
    let mut data = Vec::new();
    for _ in 0..200 {
        let common = if standard_normal(&mut rng) > 0.0 { 1.0 } else { -1.0 };
        (0..2).for_each(|_| data.push(common + 0.5 * standard_normal(&mut rng)));
    }
    let likelihood = |rbm: &Rbm<Gaussian, Spin>| {
        let sum: f64 = data.chunks(2).map(|v| -rbm.free_energy(v, 1.0)).sum();
        sum / 200.0 - exact_ln_z(rbm, 1.0).unwrap()
    };
    let units = Gaussian::new(vec![4.0; 2]).unwrap();
    let start = Rbm::random(units, Spin, 2, 1, 0.5, &mut rng).unwrap();
    let methods = [
        DenseMethod::Exact,
        DenseMethod::ContrastiveDivergence { sweeps: 3 },
        DenseMethod::Persistent { sweeps: 3 },
        DenseMethod::ParallelTempering { betas: vec![0.3, 0.6, 1.0] },
    ];
    let mut best = None;
    for method in methods {
        let params = DenseParams::default().method(method.clone()).learning_rate(0.2, Schedule::Linear { end: 0.0 });
        let mut trainer = DenseTrainer::new(start.clone(), &data, params.updates(2000), Streams::new(7)).unwrap();
        trainer.run().unwrap();
        let (before, after) = (likelihood(&start), likelihood(trainer.machine()));
        let best = *best.get_or_insert(after);
        assert!(
            after > before + 0.5 && after > best - 0.1 && after < best + 1e-3,
            "{method:?} {before} {after} {best}"
        );
    }
}

#[test]
fn errors_of_plefka_expansions_have_their_powers() {
    let mut rbm = machine(4, 3, 1.0, 9);
    // Strong biases: the odd cumulants of the leading terms are not small.
    rbm.parameters_mut().1.copy_from_slice(&[1.5, -1.2, 1.0, -2.0]);
    rbm.parameters_mut().2.copy_from_slice(&[1.3, -1.6, 0.9]);
    let error = |order: u8, scale: f64| {
        let mut scaled = rbm.clone();
        scaled.parameters_mut().0.iter_mut().for_each(|w| *w *= scale);
        let report = Tap::new(order).unwrap().solve(&scaled, 1.0).unwrap();
        assert!(report.converged && report.residual < 1e-9);
        (report.ln_z - exact_ln_z(&scaled, 1.0).unwrap()).abs()
    };
    for (order, scale) in [(1, 0.02), (2, 0.01), (3, 0.04)] {
        let slope = (error(order, scale) / error(order, scale / 2.0)).log2();
        assert!((slope - f64::from(order) - 1.0).abs() < 0.2, "order {order}: {slope}");
    }
    // The same machine in ±1 units.
    let spins = rbm.to_spin();
    let both = [Tap::new(2).unwrap().solve(&rbm, 0.3).unwrap(), Tap::new(2).unwrap().solve(&spins, 0.3).unwrap()];
    assert!((both[0].ln_z - both[1].ln_z).abs() < 1e-9);
    let relu = Rbm::new(Bernoulli, Relu::new(1.0, 0.0).unwrap(), vec![0.1], vec![0.0], vec![0.0]).unwrap();
    assert!(Tap::new(2).unwrap().solve(&relu, 1.0).is_err() && Tap::new(4).is_err());
}

#[test]
fn annealed_importance_sampling_brackets_the_truth() {
    let rbm = machine(70, 12, 0.5, 10);
    let packed = PackedRbm::new(&rbm).unwrap();
    let exact = exact_ln_z(&packed.to_rbm().unwrap(), 1.0).unwrap();
    let base = vec![0.1; 70];
    let ais = AnnealedImportance::new(1000, 200).unwrap();
    let forward = ais.run(&packed, &base, Streams::new(11), &mut ()).unwrap();
    // A fair start: long chains.
    let mut chains = GibbsChains::new(&packed, 200, Streams::new(12)).unwrap();
    chains.advance(&packed, 2000, 1);
    let reverse = ais.run_reverse(&packed, &base, &chains.visible(), Streams::new(13), &mut ()).unwrap();
    for run in [&forward, &reverse] {
        let estimate = run.estimate();
        let error = estimate.std_error.unwrap();
        assert!(error < 0.1 && (estimate.value - exact).abs() < 3.0 * error + 1e-3, "{estimate:?} {exact}");
        assert!(run.effective_sample_size() > 50.0);
    }
    // Means of log-weights lie on their sides of the truth; on a short path by far more than their errors.
    let mean = |weights: &[f64]| weights.iter().sum::<f64>() / weights.len() as f64;
    let short = AnnealedImportance::new(20, 200).unwrap();
    let forward_short = short.run(&packed, &base, Streams::new(16), &mut ()).unwrap();
    let reverse_short = short.run_reverse(&packed, &base, &chains.visible(), Streams::new(17), &mut ()).unwrap();
    assert!(mean(&forward_short.ln_weights) < exact && exact < mean(&reverse_short.ln_weights));
    let both = bennett(&forward, &reverse).unwrap();
    let error = both.std_error.unwrap();
    assert!((both.value - exact).abs() < 3.0 * error + 1e-3 && error < forward.estimate().std_error.unwrap());
    assert!(bennett(&reverse, &forward).is_err());
    // The numbers do not depend on threads, and the generic version agrees.
    assert_eq!(ais.clone().threads(3).run(&packed, &base, Streams::new(11), &mut ()).unwrap(), forward);
    // Nor on how chains are divided into units, forward or back.
    let part = AnnealedImportance::new(40, 48).unwrap();
    for start in [None, Some(chains.visible())] {
        let run = |ais: AnnealedImportance| match &start {
            None => ais.run(&packed, &base, Streams::new(18), &mut ()).unwrap().ln_weights,
            Some(rows) => ais.run_reverse(&packed, &base, rows, Streams::new(18), &mut ()).unwrap().ln_weights,
        };
        let of = |units| run(part.clone().threads(2).units(units).unwrap());
        assert_eq!([of(0..1), of(1..3)].concat(), run(part.clone()));
    }
    let of = |units| {
        annealed_importance(&rbm, &base, &part.clone().units(units).unwrap(), Streams::new(18)).unwrap().ln_weights
    };
    assert_eq!([of(0..1), of(1..3)].concat(), of(0..3));
    assert_eq!(
        part.units(3..3).unwrap_err().to_string(),
        "range of units is 3..3, expected A..B with A < B, and 16 (B - A) below 2^64"
    );
    let short = AnnealedImportance::new(300, 50).unwrap();
    let generic = annealed_importance(&rbm, &base, &short, Streams::new(14)).unwrap().estimate();
    assert!((generic.value - exact).abs() < 4.0 * generic.std_error.unwrap());
    // Other units, against the closed form and the exact sum.
    let hopfield = Rbm::from_patterns(&[1, -1, 1, 1, 1, -1], 3).unwrap();
    let estimate = annealed_importance(&hopfield, &[0.0; 3], &short, Streams::new(15)).unwrap().estimate();
    assert!((estimate.value - exact_ln_z(&hopfield, 1.0).unwrap()).abs() < 4.0 * estimate.std_error.unwrap());
    let stopped =
        ais.run(&packed, &base, Streams::new(1), &mut |_: &spin_models::Progress| std::ops::ControlFlow::Break(()));
    assert!(stopped.unwrap_err().to_string().contains("stopped after 256 of 1000"));
    assert!(AnnealedImportance::with_path(vec![0.0, 0.5], 1).is_err() && AnnealedImportance::new(10, 0).is_err());
    assert!(ais.run(&packed, &[0.0; 3], Streams::new(1), &mut ()).is_err());
}

#[test]
fn monitors_against_their_definitions() {
    let rbm = machine(6, 70, 0.3, 20);
    let packed = PackedRbm::new(&rbm).unwrap();
    // Every state of the visible units, many times over.
    let bytes: Vec<u8> = (0..64 * 200).flat_map(|s| bits(s % 64, 6)).map(|x| x as u8).collect();
    let data = BitRows::from_bytes(&bytes, 6).unwrap();
    let mut exact = 0.0;
    let mut squares = 0.0;
    for s in 0..64 {
        let v = bits(s, 6);
        for i in 0..6 {
            let mut w = v.clone();
            w[i] = 1.0 - w[i];
            exact += linalg_core::logspace::ln_sigmoid(rbm.free_energy(&w, 1.0) - rbm.free_energy(&v, 1.0)) / 64.0;
        }
        let mut h = vec![0.0; 70];
        let mut mean = vec![0.0; 6];
        let mut rng = Streams::new(21).stream(s as u64);
        for _ in 0..400 {
            rbm.sample_hidden(&v, 1.0, &mut h, &mut rng);
            rbm.visible_mean(&h, 1.0, &mut mean);
            squares += mean.iter().zip(&v).map(|(m, v)| (m - v) * (m - v)).sum::<f64>() / (64.0 * 400.0);
        }
    }
    let estimate = monitor::pseudo_log_likelihood(&packed, &data, Streams::new(22));
    assert!((estimate.value - exact).abs() < 4.5 * estimate.std_error.unwrap());
    // 12 800 and 25 600 rows of at most 6, standard deviations below 1.5: 4.5 of both errors together.
    assert!((monitor::reconstruction_error(&packed, &data, Streams::new(23)) - squares).abs() < 0.075);
    let ones = BitRows::from_bytes(&[1; 6], 6).unwrap();
    let zeros = BitRows::from_bytes(&[0; 6], 6).unwrap();
    let gap = rbm.free_energy(&[1.0; 6], 1.0) - rbm.free_energy(&[0.0; 6], 1.0);
    assert!((monitor::free_energy_gap(&packed, &zeros, &ones) - gap).abs() < 2e-5 * gap.abs().max(10.0));
}
