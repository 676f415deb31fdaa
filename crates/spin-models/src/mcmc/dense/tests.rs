use super::couplings::{BLOCK, Row};
use super::*;
use crate::{EnergyModel, SherringtonKirkpatrick};
use linalg_core::simd::Work;

fn glass(n: usize) -> SherringtonKirkpatrick {
    let mut rng = Streams::new(n as u64).stream(0);
    let fields = (0..n).map(|i| 0.3 * (1.0 + i as f64 * 0.7).sin()).collect();
    SherringtonKirkpatrick::gaussian(n, &mut rng).unwrap().with_fields(fields).unwrap()
}

/// β from 0.1 to 4 and, in the end, β = 0.
fn schedule(sweeps: usize) -> Vec<f64> {
    let mut betas: Vec<f64> = (0..sweeps).map(|k| 0.1 + 3.9 * k as f64 / sweeps as f64).collect();
    betas.push(0.0);
    betas
}

#[test]
fn same_spins_as_a_plain_sequential_sweep() {
    // The same thresholds, fields in 64 bits from the definition. Sizes around the borders of blocks.
    for (n, sweeps) in [(1, 300), (5, 300), (63, 100), (64, 100), (65, 100), (150, 60)] {
        let model = glass(n);
        let dense = DenseModel::new(&model, 4.0).unwrap();
        for dynamics in [Dynamics::Metropolis, Dynamics::HeatBath] {
            let betas = schedule(sweeps);
            let mut replicas = DenseReplicas::new(&dense, dynamics, Streams::new(9), 3..4);
            let mut rng = Streams::new(9).fast_stream(3);
            let mut s = Spins::random(n, &mut rng);
            assert_eq!(replicas.replicas[0].spins(n), s);
            let mut thresholds = vec![Row::ZERO; n.div_ceil(BLOCK)];
            let mut lowest = model.energy(&s);
            for &beta in &betas {
                replicas.sweep(&dense, &[beta]);
                thresholds::fill(&mut thresholds, dynamics, 1.0, &mut rng);
                for i in 0..n {
                    // ΔE = 2 s h.
                    let x = beta * model.delta_energy(&s, i);
                    if x < f64::from(thresholds[i / BLOCK].0[i % BLOCK]) {
                        s[i] = -s[i];
                    }
                }
                lowest = lowest.min(model.energy(&s));
                assert_eq!(replicas.replicas[0].spins(n), s, "{dynamics:?}, n = {n}, beta = {beta}");
                let energy = replicas.replicas[0].energy * dense.couplings.unit;
                approx::assert_abs_diff_eq!(energy, model.energy(&s), epsilon = 2e-5 * n as f64);
            }
            approx::assert_abs_diff_eq!(replicas.lowest(&dense), lowest, epsilon = 2e-5 * n as f64);
            let best = replicas.into_best(&dense).next().unwrap();
            approx::assert_abs_diff_eq!(model.energy(&best), lowest, epsilon = 4e-5 * n as f64);
        }
    }
}

#[test]
fn wide_vectors_give_the_same_bits() {
    let model = glass(150);
    let dense = DenseModel::new(&model, 4.0).unwrap();
    let betas = schedule(2 * REFRESH as usize);
    for dynamics in [Dynamics::Metropolis, Dynamics::HeatBath] {
        let mut wide = DenseReplicas::new(&dense, dynamics, Streams::new(9), 0..5);
        let mut plain = wide.clone();
        wide.sweep(&dense, &betas);
        let replicas = &mut plain.replicas;
        Sweeps { couplings: &dense.couplings, replicas, dynamics, betas: &betas, done: 0 }.run();
        for (a, b) in wide.replicas.iter().zip(&plain.replicas) {
            assert_eq!(a.bits(), b.bits());
        }
    }
}

#[test]
fn boltzmann_averages_against_enumeration() {
    let model = glass(8);
    let beta = 1.2;
    let (mut z, mut exact) = (0.0, 0.0);
    for state in 0..256 {
        let energy = model.energy(&Spins::from_state(state, 8));
        z += (-beta * energy).exp();
        exact += energy * (-beta * energy).exp();
    }
    exact /= z;
    let dense = DenseModel::new(&model, beta).unwrap();
    for dynamics in [Dynamics::Metropolis, Dynamics::HeatBath] {
        let mut replicas = DenseReplicas::new(&dense, dynamics, Streams::new(2), 0..64);
        replicas.sweep(&dense, &[beta; 100]);
        // Means of 64 independent replicas over 2000 sweeps.
        let mut means = vec![0.0; 64];
        for _ in 0..2000 {
            replicas.sweep(&dense, &[beta]);
            for (mean, replica) in means.iter_mut().zip(&replicas.replicas) {
                *mean += replica.energy * dense.couplings.unit / 2000.0;
            }
        }
        let mean = means.iter().sum::<f64>() / 64.0;
        let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 63.0;
        let z = (mean - exact) / (variance / 64.0).sqrt();
        assert!(z.abs() < 4.0, "{dynamics:?}: {mean} for {exact}, z = {z}");
    }
}

#[test]
fn scales_do_not_matter() {
    for factor in [1e-200, 1e-30, 1e30, 1e200] {
        let matrix: Vec<f64> = (0..25).map(|k| if k % 6 == 0 { 0.0 } else { factor }).collect();
        let model = SherringtonKirkpatrick::from_couplings(5, &matrix).unwrap();
        let dense = DenseModel::new(&model, 3.0 / factor).unwrap();
        let mut replicas = DenseReplicas::new(&dense, Dynamics::Metropolis, Streams::new(2), 0..1);
        replicas.sweep(&dense, &[3.0 / factor; 50]);
        approx::assert_relative_eq!(replicas.lowest(&dense), -10.0 * factor, max_relative = 1e-6);
    }
}
