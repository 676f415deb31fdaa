use super::*;
use crate::PackedRbm;
use crate::partition::{AnnealedImportance, exact_ln_z};
use crate::train::Schedule;
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::logspace::log_sum_exp;

fn bits(state: usize, n: usize) -> Vec<f64> {
    (0..n).map(|k| (state >> k & 1) as f64).collect()
}

fn machine(scale: f64) -> DeepBoltzmannMachine {
    let mut rng = Streams::new(1).stream(0);
    let mut machine = DeepBoltzmannMachine::random(&[3, 2, 3, 2], scale, &mut rng).unwrap();
    machine.biases.iter_mut().flatten().for_each(|b| *b = 0.5 * standard_normal(&mut rng));
    machine
}

/// `ln Σ_h e^{-E(v, h)}`, over all 2^7 hidden states.
fn ln_weight(machine: &DeepBoltzmannMachine, v: &[f64]) -> f64 {
    let terms: Vec<f64> = (0..128)
        .map(|state| {
            let h = bits(state, 7);
            -machine.energy(&[v.to_vec(), h[..2].to_vec(), h[2..5].to_vec(), h[5..].to_vec()])
        })
        .collect();
    log_sum_exp(&terms)
}

#[test]
fn the_restricted_machine_is_the_same() {
    let machine = machine(1.0);
    let rbm = machine.to_rbm().unwrap();
    for state in 0..1 << 10 {
        let x = bits(state, 10);
        let layers = [x[..3].to_vec(), x[3..5].to_vec(), x[5..8].to_vec(), x[8..].to_vec()];
        let (v, h) = ([&x[..3], &x[5..8]].concat(), [&x[3..5], &x[8..]].concat());
        assert!((machine.energy(&layers) - rbm.energy(&v, &h)).abs() < 1e-12);
    }
    let all: Vec<f64> = (0..8).map(|state| ln_weight(&machine, &bits(state, 3))).collect();
    let ln_z = exact_ln_z(&rbm, 1.0).unwrap();
    assert!((log_sum_exp(&all) - ln_z).abs() < 1e-12);
    // Annealed importance sampling of it, in `f32`.
    let ais = AnnealedImportance::new(500, 400).unwrap();
    let run = ais.run(&PackedRbm::new(&rbm).unwrap(), &[0.0; 6], Streams::new(2), &mut ()).unwrap();
    let estimate = run.estimate();
    assert!((estimate.value - ln_z).abs() < 4.0 * estimate.std_error.unwrap());
}

#[test]
fn mean_field_solves_its_equations_and_bounds_the_likelihood() {
    for scale in [0.05, 0.8] {
        let machine = machine(scale);
        let data: Vec<f64> = (0..8).flat_map(|state| bits(state, 3)).collect();
        let means = machine.mean_field(&data, 1e-12, 10_000);
        assert!(means.converged);
        for k in 1..4 {
            let mut fields = vec![0.0; means.layers[k].len()];
            machine.fields(k, &means.layers, &mut fields);
            assert!(means.layers[k].iter().zip(fields).all(|(x, f)| (x - sigmoid(f)).abs() < 1e-9));
        }
        for (row, bound) in machine.bounds(&means).into_iter().enumerate() {
            let gap = ln_weight(&machine, &bits(row, 3)) - bound;
            // The gap is of second order in the couplings between hidden units.
            assert!(gap > 0.0 && gap < 0.5 * scale * scale, "{scale} {gap}");
        }
    }
    assert!(!machine(0.8).mean_field(&[0.0; 3], 1e-12, 1).converged);
}

#[test]
fn chains_have_the_law() {
    let machine = machine(0.8);
    let law: Vec<f64> = (0..8).map(|state| ln_weight(&machine, &bits(state, 3))).collect();
    let ln_z = log_sum_exp(&law);
    let mut rng = Streams::new(3).stream(0);
    let mut chains: Vec<Vec<f64>> = machine.sizes().iter().map(|n| vec![0.0; 100 * n]).collect();
    let mut counts = [0.0; 8];
    for sweep in 0..2050 {
        machine.gibbs_sweep(&mut chains, &mut rng);
        if sweep >= 50 {
            for v in chains[0].chunks(3) {
                counts[v.iter().enumerate().map(|(k, &x)| (x as usize) << k).sum::<usize>()] += 1.0 / 200_000.0;
            }
        }
    }
    let distance: f64 = law.iter().zip(counts).map(|(w, count)| 0.5 * ((w - ln_z).exp() - count).abs()).sum();
    assert!(distance < 0.01, "{distance}");
}

#[test]
fn training_raises_the_likelihood_with_and_without_pretraining() {
    // Three bits that are equal.
    let data: Vec<f64> = [0b000, 0b111].iter().flat_map(|&state| bits(state, 3)).collect();
    let likelihood = |machine: &DeepBoltzmannMachine| {
        let sizes = machine.sizes();
        let hidden: usize = sizes[1..].iter().sum();
        let ln_z = exact_ln_z(&machine.to_rbm().unwrap(), 1.0).unwrap();
        let row = |v: &[f64]| {
            let terms: Vec<f64> = (0..1 << hidden)
                .map(|state| {
                    let h = bits(state, hidden);
                    -machine.energy(&[v.to_vec(), h[..sizes[1]].to_vec(), h[sizes[1]..].to_vec()])
                })
                .collect();
            log_sum_exp(&terms) - ln_z
        };
        data.chunks(3).map(row).sum::<f64>() / 2.0
    };
    let params =
        DeepBoltzmannTraining::default().learning_rate(0.1, Schedule::Linear { end: 0.0 }).updates(2000).chains(100, 1);
    let start = DeepBoltzmannMachine::random(&[3, 4, 2], 0.5, &mut Streams::new(5).stream(0)).unwrap();
    let mut plain = DeepBoltzmannTrainer::new(start, &data, params.clone(), Streams::new(6)).unwrap();
    let mut pretrained = DeepBoltzmannTrainer::pretrained(&[3, 4, 2], &data, params, Streams::new(7)).unwrap();
    for trainer in [&mut plain, &mut pretrained] {
        trainer.run().unwrap();
        // Independent bits have -3 ln 2 = -2.08, the best law has -ln 2 = -0.69.
        let found = likelihood(trainer.machine());
        assert!(found > -1.1 && found < -0.693, "{found}");
    }
}

#[test]
fn a_run_goes_on_bit_by_bit() {
    let data: Vec<f64> = (0..8).flat_map(|state| bits(state, 3)).collect();
    let params = DeepBoltzmannTraining::default().updates(40).chains(20, 2).batch(5).l2(0.01);
    let new = || DeepBoltzmannTrainer::new(machine(0.5), &data, params.clone(), Streams::new(8)).unwrap();
    let (mut whole, mut first, mut second) = (new(), new(), new());
    whole.run().unwrap();
    first.advance(17).unwrap();
    let saved = first.checkpoint().to_bytes();
    second.restore(&Checkpoint::from_bytes(&saved).unwrap()).unwrap();
    assert_eq!(second.updates(), 17);
    second.run().unwrap();
    assert_eq!(second.machine(), whole.machine());
    assert_eq!(second.checkpoint(), whole.checkpoint());
    // Another run does not take it, nor does a damaged one, and both stay what they are.
    let mut other = DeepBoltzmannTrainer::new(machine(0.5), &data, params, Streams::new(9)).unwrap();
    assert!(other.restore(&Checkpoint::from_bytes(&saved).unwrap()).is_err());
    assert_eq!((other.updates(), other.machine()), (0, &machine(0.5)));
    assert!(Checkpoint::from_bytes(&saved[..saved.len() - 9]).is_err());
}

#[test]
fn bad_input_is_refused() {
    let message = |biases: Vec<Vec<f64>>, weights: Vec<Vec<f64>>| {
        DeepBoltzmannMachine::new(biases, weights).unwrap_err().to_string()
    };
    assert_eq!(message(vec![vec![0.0]], vec![]), "layer of a deep machine is empty");
    assert_eq!(message(vec![vec![0.0]; 3], vec![vec![0.0]]), "lists of weights: 1 values, expected 2");
    assert_eq!(message(vec![vec![0.0]; 2], vec![vec![]]), "weights between two layers: 0 values, expected 1");
    assert!(message(vec![vec![0.0]; 2], vec![vec![f64::NAN]]).starts_with("weights[0] is NaN"));
    let new = |data: &[f64], params: DeepBoltzmannTraining| {
        DeepBoltzmannTrainer::new(machine(0.1), data, params, Streams::new(1)).unwrap_err().to_string()
    };
    let params = DeepBoltzmannTraining::default;
    assert_eq!(new(&[], params()), "data is empty");
    assert!(new(&[0.0, 2.0, 1.0], params()).starts_with("row 0, entry 1 is 2"));
    assert!(new(&[0.0; 3], params().batch(2)).contains("rows of a batch is 2"));
    assert!(new(&[0.0; 3], params().chains(0, 1)).contains("number of chains is 0"));
    let schedule = Schedule::Exponential { end: -1.0 };
    assert!(new(&[0.0; 3], params().learning_rate(0.1, schedule)).contains("end of the learning rate is -1"));
    let params = params().learning_rate(1e3, Schedule::Constant).l2(1e3).updates(200);
    let mut trainer = DeepBoltzmannTrainer::new(machine(0.1), &[0.0; 3], params, Streams::new(1)).unwrap();
    let error = trainer.run().unwrap_err().to_string();
    assert!(error.contains("a parameter is not finite"), "{error}");
    assert!(trainer.machine().weights.iter().flatten().all(|w| w.is_finite()));
}
