//! Cluster kernels against exact distributions, enumeration, and the finite square torus.
//!
//! Seeds are fixed; every bound is stated as a number of standard errors with the sample that gave them.

use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};
use linalg_core::stats::{Binning, Estimate};
use spin_models::mcmc::cluster::{
    Houdayer, Niedermayer, SwendsenWang, TorusSwendsenWang, TorusWolff, UniformTorus, Wolff,
};
use spin_models::mcmc::{Chain, Metropolis, Observables};
use spin_models::{CachedModel, Duplicates, EnergyModel, Error, Ising, MarkovKernel, Simulation, Spins};

/// The critical coupling of the square lattice, ½ ln(1 + √2).
const CRITICAL: f64 = 0.440_686_793_509_771_5;

fn state_of(s: &[i8]) -> usize {
    s.iter().enumerate().map(|(i, &spin)| usize::from(spin < 0) << i).sum()
}

fn boltzmann<M: EnergyModel>(model: &M, beta: f64) -> Vec<f64> {
    let n = model.n_spins();
    let energies: Vec<f64> = (0..1u64 << n).map(|state| model.energy(&Spins::from_state(state, n))).collect();
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|energy| (-beta * (energy - lowest)).exp()).collect();
    let z: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / z).collect()
}

/// Draws a state from a cumulative distribution.
fn draw<R: Rng + ?Sized>(cumulative: &[f64], rng: &mut R) -> usize {
    let u: f64 = rng.random();
    cumulative.partition_point(|&c| c <= u).min(cumulative.len() - 1)
}

fn cumulative(distribution: &[f64]) -> Vec<f64> {
    distribution
        .iter()
        .scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        })
        .collect()
}

/// `(χ² - df) / √(2 df)` of counts against probabilities; rare states are pooled to an expectation of at least 10.
fn chi_squared_z(counts: &[u64], probabilities: &[f64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let (mut chi2, mut cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
    let mut add = |observed: f64, expected: f64| {
        chi2 += (observed - expected).powi(2) / expected;
        cells += 1.0;
    };
    for (&count, p) in counts.iter().zip(probabilities) {
        let expected = p * total as f64;
        if expected >= 10.0 {
            add(count as f64, expected);
        } else {
            rest = (rest.0 + count as f64, rest.1 + expected);
        }
    }
    if rest.1 > 1e-6 * total as f64 {
        add(rest.0, rest.1);
    } else {
        assert!(rest.0 <= rest.1.max(1.0) + 5.0, "{} counts where {} were expected", rest.0, rest.1);
    }
    let df: f64 = cells - 1.0;
    if df > 0.0 { (chi2 - df) / (2.0 * df).sqrt() } else { 0.0 }
}

/// Independent starts drawn from the exact law, `sweeps` sweeps each: the law of the ends must be the same.
fn assert_stationary<M: CachedModel, K: MarkovKernel<M>>(
    name: &str,
    model: &M,
    beta: f64,
    mut kernel: K,
    samples: u64,
) {
    let n = model.n_spins();
    let law = boltzmann(model, beta);
    let cumulative = cumulative(&law);
    let mut rng = Streams::new(20).fast_stream(0);
    let (mut counts, mut moved) = (vec![0u64; law.len()], 0);
    for _ in 0..samples {
        let start = draw(&cumulative, &mut rng);
        let mut s = Spins::from_state(start as u64, n);
        let mut cache = model.cache(&s);
        for _ in 0..2 {
            let before = s.clone();
            let stats = kernel.sweep(model, beta, &mut s, &mut cache, &mut rng);
            assert_eq!(stats.flipped, (0..n).filter(|&i| s[i] != before[i]).count() as u64);
            assert!(stats.accepted <= stats.attempted && stats.attempted <= stats.clusters);
            for i in 0..n {
                let delta = model.delta_energy(&s, i);
                assert!((model.delta_cached(&cache, &s, i) - delta).abs() < 1e-12);
            }
        }
        moved += u64::from(state_of(&s) != start);
        counts[state_of(&s)] += 1;
    }
    let z = chi_squared_z(&counts, &law);
    assert!(z < 4.0, "{name}: z = {z}");
    assert!(moved * 10 > samples, "{name} moved in {moved} of {samples} samples");
}

fn small_models() -> Vec<(Ising, f64)> {
    let pair = Ising::builder(2).coupling(0, 1, -0.7).fields([0.3, 0.1]);
    let triangle = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0)]);
    let complete = Ising::builder(4)
        .couplings([(0, 1, 0.6), (0, 2, -0.9), (0, 3, 0.3), (1, 2, 0.0), (1, 3, -0.4), (2, 3, 1.1)])
        .fields([0.5, 0.0, -0.7, 0.2]);
    let isolated = Ising::builder(4).couplings([(0, 1, -0.8), (1, 3, 0.5)]);
    let torus = Ising::builder(4)
        .couplings([
            (0, 1, 1.0),
            (1, 0, 1.0),
            (2, 3, 1.0),
            (3, 2, 1.0),
            (0, 2, 1.0),
            (2, 0, 1.0),
            (1, 3, 1.0),
            (3, 1, 1.0),
        ])
        .duplicates(Duplicates::Sum);
    [(pair, 1.0), (triangle, 0.7), (complete, 0.8), (isolated, 1.3), (torus, 0.3)]
        .into_iter()
        .map(|(builder, beta)| (builder.build().unwrap(), beta))
        .collect()
}

/// χ² of 10⁵ samples, z < 4.
#[test]
fn graph_kernels_keep_the_law_of_small_models() {
    for (k, (model, beta)) in small_models().into_iter().enumerate() {
        let samples = 100_000;
        assert_stationary(&format!("wolff {k}"), &model, beta, Wolff::new(&model, beta).unwrap(), samples);
        let kernel = SwendsenWang::new(&model, beta).unwrap();
        assert_stationary(&format!("swendsen-wang {k}"), &model, beta, kernel, samples);
        for e0 in [-0.5, 0.4, 1.0] {
            let kernel = Niedermayer::new(&model, beta, e0).unwrap();
            assert_stationary(&format!("niedermayer {k} {e0}"), &model, beta, kernel, samples);
        }
    }
}

/// χ² of 10⁵ samples, z < 4. Lengths below, at and above those of a tile and of a word.
#[test]
fn torus_kernels_keep_the_law_of_small_lattices() {
    let shapes: [(&[usize], f64); 7] =
        [(&[2], 0.4), (&[9], 0.6), (&[2, 2], 0.3), (&[3, 3], 0.4), (&[2, 5], 0.35), (&[5, 2], 0.35), (&[2, 2, 2], 0.2)];
    for (lengths, beta) in shapes {
        let model = UniformTorus::new(lengths, 1.0).unwrap();
        let kernel = TorusWolff::new(&model, beta).unwrap();
        assert_stationary(&format!("wolff {lengths:?}"), &model, beta, kernel, 100_000);
        let kernel = TorusSwendsenWang::new(&model, beta).unwrap();
        assert_stationary(&format!("swendsen-wang {lengths:?}"), &model, beta, kernel, 100_000);
    }
}

/// Two replicas drawn from the exact law, one exchange: χ² of the joint law over 2·10⁵ samples, z < 4.
#[test]
fn exchanges_keep_the_joint_law() {
    for (k, (model, beta)) in small_models().into_iter().enumerate() {
        let n = model.n_spins();
        let law = boltzmann(&model, beta);
        let joint: Vec<f64> = law.iter().flat_map(|p| law.iter().map(move |q| p * q)).collect();
        let cumulative = cumulative(&joint);
        for mut kernel in [Houdayer::new(), Houdayer::isoenergetic()] {
            let mut rng = Streams::new(21).fast_stream(k as u64);
            let mut counts = vec![0u64; joint.len()];
            for _ in 0..200_000 {
                let start = draw(&cumulative, &mut rng);
                let mut replicas: Vec<Vec<i8>> = [start / law.len(), start % law.len()]
                    .into_iter()
                    .map(|state| Spins::from_state(state as u64, n).into_vec())
                    .collect();
                let mut caches: Vec<Vec<f64>> = replicas.iter().map(|s| model.cache(s)).collect();
                kernel.replicas(&model, &mut replicas, &mut caches, &mut rng);
                counts[state_of(&replicas[0]) * law.len() + state_of(&replicas[1])] += 1;
            }
            let z = chi_squared_z(&counts, &joint);
            assert!(z < 4.0, "model {k}: z = {z}");
        }
    }
}

/// Means over all states: energy per spin, m², |m|.
fn enumerated<M: CachedModel>(model: &M, beta: f64) -> [f64; 3] {
    let n = model.n_spins();
    let mut s = vec![1i8; n];
    let mut energy = model.energy(&s);
    let lowest = energy;
    let (mut m, mut z, mut sums) = (n as i64, 0.0, [0.0; 3]);
    for k in 0..1u64 << n {
        if k > 0 {
            let i = k.trailing_zeros() as usize;
            energy += model.delta_energy(&s, i);
            s[i] = -s[i];
            m += 2 * i64::from(s[i]);
        }
        let (weight, per_spin) = ((-beta * (energy - lowest)).exp(), m as f64 / n as f64);
        z += weight;
        for (sum, x) in sums.iter_mut().zip([energy / n as f64, per_spin * per_spin, per_spin.abs()]) {
            *sum += weight * x;
        }
    }
    sums.map(|sum| sum / z)
}

fn assert_within(name: &str, estimate: Estimate, exact: f64, bound: f64) {
    let error = estimate.std_error.unwrap();
    let z = (estimate.value - exact) / error;
    assert!(z.abs() < bound, "{name}: {} ± {error} for {exact}, z = {z}", estimate.value);
    assert!(error < 0.02 * exact.abs().max(0.1), "{name}: an error of {error} shows nothing about {exact}");
}

/// Lattices with narrow last tiles and rows that end within a word, against all their states; 40000 sweeps, 4σ.
#[test]
fn torus_kernels_agree_with_enumeration() {
    let shapes: [(&[usize], f64); 6] =
        [(&[2, 9], 0.4), (&[9, 2], 0.4), (&[3, 6], 0.42), (&[2, 3, 3], 0.2), (&[5, 2, 2], 0.2), (&[2, 2, 2, 2], 0.12)];
    for (lengths, beta) in shapes {
        let model = UniformTorus::new(lengths, 1.0).unwrap();
        let n = model.n_spins();
        let [energy, m2, abs_m] = enumerated(&model, beta);
        let check = |name: &str, averages: &Observables, improved: &Binning| {
            assert_within(&format!("{name} {lengths:?} energy"), averages.energy_per_spin(), energy, 4.0);
            assert_within(&format!("{name} {lengths:?} |m|"), averages.abs_magnetization(), abs_m, 4.0);
            assert_within(&format!("{name} {lengths:?} m2"), improved.estimate(), m2, 4.0);
        };
        let mut rng = Streams::new(22).fast_stream(0);
        let mut averages = Observables::new(n, 1);
        let mut improved = Binning::new();
        let mut kernel = TorusSwendsenWang::new(&model, beta).unwrap();
        let mut s = Spins::up(n);
        for sweep in 0..40_000 {
            kernel.sweep(&model, beta, &mut s, &mut (), &mut rng);
            if sweep >= 100 {
                averages.record(0, model.energy(&s), &s);
                improved.push(kernel.estimate().m2);
            }
        }
        check("swendsen-wang", &averages, &improved);
        averages.clear();
        improved = Binning::new();
        let mut kernel = TorusWolff::new(&model, beta).unwrap();
        for _ in 0..40_000 {
            let stats = kernel.sweep(&model, beta, &mut s, &mut (), &mut rng);
            averages.record(0, model.energy(&s), &s);
            improved.push(stats.flipped as f64 / n as f64);
        }
        check("wolff", &averages, &improved);
    }
}

/// One Kaufman check: energy and specific heat per spin within 4σ of the exact torus.
fn assert_kaufman<M: CachedModel, K: MarkovKernel<M> + Clone>(
    name: &str,
    model: M,
    kernel: K,
    beta: f64,
    (measurements, interval): (u64, u64),
    [energy, specific_heat]: [f64; 2],
) {
    let mut averages = Observables::new(model.n_spins(), 1);
    let mut chain = Chain::new(model, kernel, beta, Streams::new(23), 0).unwrap();
    chain.advance(measurements / 10 * interval, &mut ());
    chain.run(measurements, interval, &mut averages, &mut ());
    assert_within(&format!("{name} K = {beta} energy"), averages.energy_per_spin(), energy, 4.0);
    let c = averages.specific_heat(beta);
    let z = (c.value - specific_heat) / c.std_error.unwrap();
    assert!(z.abs() < 4.0, "{name} K = {beta} specific heat: {c:?} for {specific_heat}, z = {z}");
    assert!(c.std_error.unwrap() < 0.04 * specific_heat, "{name}: {c:?}");
}

/// Kaufman's energy and specific heat per spin of the L x L torus.
const KAUFMAN: [(usize, f64, [f64; 2]); 6] = [
    (16, 0.4, [-1.131_317_984_410_729, 1.064_976_882_85]),
    (16, CRITICAL, [-1.453_064_852_813_477, 1.498_704_959_4]),
    (16, 0.5, [-1.745_530_668_990_919, 0.725_508_767_737]),
    (32, 0.4, [-1.107_291_660_977_511, 0.885_812_501_066]),
    (32, CRITICAL, [-1.433_658_466_146_248, 1.846_767_590_04]),
    (32, 0.5, [-1.745_564_527_034_574, 0.724_873_978_199]),
];

/// 20000 decompositions or 100000 clusters, 4σ.
#[test]
fn torus_kernels_agree_with_kaufman() {
    for (l, beta, exact) in KAUFMAN {
        let model = UniformTorus::new(&[l, l], 1.0).unwrap();
        let kernel = TorusSwendsenWang::new(&model, beta).unwrap();
        assert_kaufman(&format!("swendsen-wang L = {l}"), &model, kernel, beta, (20_000, 1), exact);
        let kernel = TorusWolff::new(&model, beta).unwrap();
        assert_kaufman(&format!("wolff L = {l}"), &model, kernel, beta, (100_000, 1), exact);
    }
}

/// Rows of more than a word and tiles that do not fit, where the infinite lattice is as good as exact: the finite-size
/// terms are e^(-L/ξ) < 10⁻⁷ with ξ = 5.96. 3000 decompositions or 600000 clusters, 4σ.
#[test]
fn long_rows_agree_with_onsager() {
    let beta = 0.4;
    let exact = [-1.106_079_203_745_791, 0.861_698_356_830_763_6];
    for lengths in [[100, 130], [130, 100]] {
        let model = UniformTorus::new(&lengths, 1.0).unwrap();
        let kernel = TorusSwendsenWang::new(&model, beta).unwrap();
        assert_kaufman(&format!("swendsen-wang {lengths:?}"), &model, kernel, beta, (3000, 1), exact);
        let kernel = TorusWolff::new(&model, beta).unwrap();
        assert_kaufman(&format!("wolff {lengths:?}"), &model, kernel, beta, (30_000, 20), exact);
    }
}

/// 20000 decompositions or 60000 clusters, 4σ.
#[test]
fn graph_kernels_agree_with_kaufman() {
    for (l, beta, exact) in KAUFMAN.into_iter().filter(|&(l, ..)| l == 16) {
        let model = UniformTorus::new(&[l, l], 1.0).unwrap().to_ising().unwrap();
        let kernel = SwendsenWang::new(&model, beta).unwrap();
        assert_kaufman("swendsen-wang", &model, kernel, beta, (20_000, 1), exact);
        let kernel = Wolff::new(&model, beta).unwrap();
        assert_kaufman("wolff", &model, kernel, beta, (60_000, 1), exact);
        let kernel = Niedermayer::new(&model, beta, 0.9).unwrap();
        assert_kaufman("niedermayer", &model, kernel, beta, (100_000, 1), exact);
    }
}

/// The full statistics of the reference comparison: 2·10⁵ sweeps of every kernel, 4σ.
#[test]
#[ignore = "2·10⁵ sweeps of every kernel at L = 32; run by .ci/long"]
fn all_kernels_agree_with_kaufman_at_length() {
    for (l, beta, exact) in KAUFMAN.into_iter().filter(|&(l, ..)| l == 32) {
        let torus = UniformTorus::new(&[l, l], 1.0).unwrap();
        let graph = torus.to_ising().unwrap();
        let sweeps = (200_000, 1);
        assert_kaufman(
            "torus swendsen-wang",
            &torus,
            TorusSwendsenWang::new(&torus, beta).unwrap(),
            beta,
            sweeps,
            exact,
        );
        assert_kaufman("torus wolff", &torus, TorusWolff::new(&torus, beta).unwrap(), beta, sweeps, exact);
        assert_kaufman("swendsen-wang", &graph, SwendsenWang::new(&graph, beta).unwrap(), beta, sweeps, exact);
        assert_kaufman("wolff", &graph, Wolff::new(&graph, beta).unwrap(), beta, sweeps, exact);
    }
}

/// Moments of m on the 4 x 4 torus at the critical coupling, from all its states: |m|, m², m⁴. 100000 sweeps, 4σ;
/// the improved estimators must have the smaller error.
#[test]
fn moments_of_the_magnetization() {
    let exact = [0.843_860_444_813_420_2, 0.761_358_908_568_672_6, 0.665_691_213_267_369_6];
    let model = UniformTorus::new(&[4, 4], 1.0).unwrap();
    let mut kernel = TorusSwendsenWang::new(&model, CRITICAL).unwrap();
    let mut rng = Streams::new(24).fast_stream(0);
    let mut s = Spins::up(16);
    let mut series: [Binning; 5] = Default::default();
    let mut averages = Observables::new(16, 1);
    for sweep in 0..100_000 {
        kernel.sweep(&model, CRITICAL, &mut s, &mut (), &mut rng);
        if sweep < 100 {
            continue;
        }
        let m = s.magnetization_per_spin();
        let improved = kernel.estimate();
        for (binning, x) in series.iter_mut().zip([m.abs(), m * m, m.powi(4), improved.m2, improved.m4]) {
            binning.push(x);
        }
        averages.record(0, model.energy(&s), &s);
    }
    for (binning, exact) in series.iter().zip([exact[0], exact[1], exact[2], exact[1], exact[2]]) {
        assert_within("4 x 4", binning.estimate(), exact, 4.0);
    }
    assert!(series[3].std_error() < series[1].std_error() && series[4].std_error() < series[2].std_error());
    assert_within("binder", averages.binder_cumulant(), 0.617_199_318_412_458_9, 4.0);
}

/// Improved two-point function and structure factor of the ring, `⟨s_0 s_r⟩ = (t^r + t^(L-r)) / (1 + t^L)` with
/// `t = tanh β`; 20000 sweeps, 4σ.
#[test]
fn correlations_of_the_ring() {
    let (l, beta) = (70usize, 1.0f64);
    let t = beta.tanh();
    let exact = |r: usize| (t.powi(r as i32) + t.powi((l - r) as i32)) / (1.0 + t.powi(l as i32));
    let model = UniformTorus::new(&[l], 1.0).unwrap();
    let graph = model.to_ising().unwrap();
    let mut rng = Streams::new(25).fast_stream(0);
    let distances = [1usize, 2, 5, 10];
    let mut fast: [Binning; 4] = Default::default();
    let mut slow: [Binning; 4] = Default::default();
    let mut structure = Binning::new();
    let mut s = Spins::up(l);
    let mut kernel = TorusSwendsenWang::new(&model, beta).unwrap();
    for _ in 0..20_000 {
        kernel.sweep(&model, beta, &mut s, &mut (), &mut rng);
        distances.iter().zip(&mut fast).for_each(|(&r, binning)| binning.push(kernel.correlation(0, r)));
        structure.push(kernel.structure_factor(0, 1));
    }
    let mut kernel = SwendsenWang::new(&graph, beta).unwrap();
    let mut cache = graph.cache(&s);
    for _ in 0..20_000 {
        kernel.sweep(&graph, beta, &mut s, &mut cache, &mut rng);
        for (&r, binning) in distances.iter().zip(&mut slow) {
            let pairs = (0..l).map(|i| (i, (i + r) % l));
            binning.push(kernel.correlations(&s, pairs).sum::<f64>() / l as f64);
        }
    }
    for (k, &r) in distances.iter().enumerate() {
        assert_within(&format!("torus, distance {r}"), fast[k].estimate(), exact(r), 4.0);
        assert_within(&format!("graph, distance {r}"), slow[k].estimate(), exact(r), 4.0);
    }
    let wave = std::f64::consts::TAU / l as f64;
    let factor: f64 = (0..l).map(|r| exact(r) * (wave * r as f64).cos()).sum();
    assert_within("structure factor", structure.estimate(), factor, 4.0);
}

/// A spin glass with fields on 12 sites: exchanges with single flips give the energy of enumeration; 4·10⁴ sweeps, 4σ.
#[test]
fn exchanges_among_five_replicas() {
    let mut rng = Streams::new(26).fast_stream(0);
    let n = 12;
    let couplings = (0..n)
        .flat_map(|i| [(i, (i + 1) % n), (i, (i + 4) % n)])
        .map(|(i, j)| (i, j, 1.0 - 2.0 * f64::from(rng.random::<bool>())));
    let couplings: Vec<(usize, usize, f64)> = couplings.collect();
    for (k, fields) in [[0.0; 12], [0.2; 12]].into_iter().enumerate() {
        let model = Ising::builder(n).couplings(couplings.iter().copied()).fields(fields).build().unwrap();
        let beta = 0.8;
        let [energy, m2, _] = enumerated(&model, beta);
        let mut replicas: Vec<Vec<i8>> = (0..5).map(|_| Spins::random(n, &mut rng).into_vec()).collect();
        let mut caches: Vec<Vec<f64>> = replicas.iter().map(|s| model.cache(s)).collect();
        let mut metropolis = Metropolis::default();
        let mut houdayer = if k == 0 { Houdayer::isoenergetic() } else { Houdayer::new() };
        let (mut energies, mut squares) = (Binning::new(), Binning::new());
        for sweep in 0..40_000 {
            for (s, cache) in replicas.iter_mut().zip(&mut caches) {
                metropolis.sweep(&model, beta, s, cache, &mut rng);
            }
            let before: f64 = replicas.iter().map(|s| model.energy(s)).sum();
            houdayer.replicas(&model, &mut replicas, &mut caches, &mut rng);
            let after: f64 = replicas.iter().map(|s| model.energy(s)).sum();
            assert!((before - after).abs() < 1e-9);
            if sweep >= 100 {
                energies.push(after / (5 * n) as f64);
                let m = |s: &Vec<i8>| (s.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64).powi(2);
                squares.push(replicas.iter().map(m).sum::<f64>() / 5.0);
            }
        }
        assert_within("energy", energies.estimate(), energy, 4.0);
        assert_within("m2", squares.estimate(), m2, 4.0);
    }
}

#[test]
fn bad_temperatures_are_refused_at_construction() {
    let model = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    let torus = UniformTorus::new(&[4, 4], 1.0).unwrap();
    for beta in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1] {
        let is_beta = |error: Option<Error>| matches!(error, Some(Error::Beta { .. }));
        assert!(is_beta(Wolff::new(&model, beta).err()));
        assert!(is_beta(SwendsenWang::new(&model, beta).err()));
        assert!(is_beta(Niedermayer::new(&model, beta, 0.0).err()));
        assert!(is_beta(TorusWolff::new(&torus, beta).err()));
        assert!(is_beta(TorusSwendsenWang::new(&torus, beta).err()));
    }
}

/// β = 0: every cluster is one site. β huge: every satisfied bond is active.
#[test]
fn ends_of_the_temperature_scale() {
    let mut rng = Streams::new(27).fast_stream(0);
    let torus = UniformTorus::new(&[20, 12], 1.0).unwrap();
    let graph = torus.to_ising().unwrap();
    let n = torus.n_spins();
    let mut s = Spins::random(n, &mut rng);
    let mut cache = graph.cache(&s);
    let mut graph_sw = SwendsenWang::new(&graph, 0.0).unwrap();
    let mut graph_wolff = Wolff::new(&graph, 0.0).unwrap();
    let mut torus_sw = TorusSwendsenWang::new(&torus, 0.0).unwrap();
    let mut torus_wolff = TorusWolff::new(&torus, 0.0).unwrap();
    for _ in 0..20 {
        assert_eq!(graph_sw.sweep(&graph, 0.0, &mut s, &mut cache, &mut rng).clusters, n as u64);
        assert_eq!(graph_wolff.sweep(&graph, 0.0, &mut s, &mut cache, &mut rng).flipped, 1);
        assert_eq!(torus_sw.sweep(&torus, 0.0, &mut s, &mut (), &mut rng).clusters, n as u64);
        assert_eq!(torus_wolff.sweep(&torus, 0.0, &mut s, &mut (), &mut rng).flipped, 1);
        cache = graph.cache(&s);
    }
    // Domains only merge until one is left.
    for beta in [1e6, 1e300] {
        s = Spins::random(n, &mut rng);
        cache = graph.cache(&s);
        for _ in 0..200 {
            let energy = torus.energy(&s);
            let a = torus_sw.sweep(&torus, beta, &mut s, &mut (), &mut rng);
            cache.copy_from_slice(&graph.cache(&s));
            let b = graph_sw.sweep(&graph, beta, &mut s, &mut cache, &mut rng);
            assert!(b.clusters <= a.clusters);
            assert!(torus.energy(&s) <= energy);
        }
        assert_eq!(torus_sw.n_clusters(), 1);
        assert_eq!(torus_wolff.sweep(&torus, beta, &mut s, &mut (), &mut rng).flipped, n as u64);
        cache = graph.cache(&s);
        assert_eq!(graph_wolff.sweep(&graph, beta, &mut s, &mut cache, &mut rng).flipped, n as u64);
    }
}

/// One kernel serves other models and temperatures than it was made for.
#[test]
fn kernels_follow_the_model_they_are_given() {
    let small = UniformTorus::new(&[3, 3], 1.0).unwrap();
    let kernel = TorusWolff::new(&UniformTorus::new(&[20, 20, 20], 2.0).unwrap(), 1.0).unwrap();
    assert_stationary("wolff", &small, 0.4, kernel, 50_000);
    let kernel = TorusSwendsenWang::new(&UniformTorus::new(&[7], 2.0).unwrap(), 1.0).unwrap();
    assert_stationary("swendsen-wang", &small, 0.4, kernel, 50_000);
    let [first, .., last] = &small_models()[..] else { unreachable!() };
    assert_stationary("graph wolff", &last.0, last.1, Wolff::new(&first.0, 3.0).unwrap(), 50_000);
    assert_stationary("graph swendsen-wang", &last.0, last.1, SwendsenWang::new(&first.0, 3.0).unwrap(), 50_000);
}
