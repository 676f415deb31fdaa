//! Training, importance sampling and Markov chains against enumeration.

use std::ops::ControlFlow;

use approx::assert_abs_diff_eq;
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::stats::Estimate;
use proptest::prelude::*;
use spin_models::io::{Format, Sign, read_instance};
use spin_models::{
    EnergyModel, Enumeration, Ising, Kind, LogPartition, Progress, Quantities, SherringtonKirkpatrick, Solve,
};
use variational::autoregressive::{
    Autoregressive, Made, MadeParams, PixelCnn, PixelCnnParams, Symmetric, Transformer, TransformerParams,
};
use variational::van::{
    Annealing, NaturalParams, NeuralMcmc, Step, Trainer, TrainerParams, Van, VanParams, importance,
};
use variational::{Error, NaiveMeanField, Normalized, ProductState};

fn sk20() -> Ising {
    let text: &[u8] = include_bytes!("data/sk20_seed1.txt");
    read_instance(text, Format::EdgeList, Sign::Coupling).unwrap().model
}

/// ln Z of that instance by enumeration.
const SK20: [(f64, f64); 4] =
    [(0.5, 14.830417218710), (1.0, 17.810251402397), (2.0, 27.918760248215), (3.0, 39.507156077196)];

/// An open chain in no field, with the one-layer network that is its Boltzmann distribution:
/// `x_i = 2 β J_{i-1,i} s_{i-1}`.
fn exact_chain(beta: f64) -> (Ising, Made<f64>) {
    let couplings = [0.7, -1.1, 0.4, 1.5, -0.3, 0.9];
    let n = couplings.len() + 1;
    let chain = Ising::builder(n).couplings(couplings.iter().enumerate().map(|(i, &j)| (i, i + 1, j))).build().unwrap();
    let mut made = Made::new(n, MadeParams::default()).unwrap();
    let mut parameters = vec![0.0; made.parameters().len()];
    for (i, j) in couplings.iter().enumerate() {
        parameters[(i + 1) * n + i] = 2.0 * beta * j;
    }
    made.set_parameters(&parameters).unwrap();
    (chain, made)
}

#[test]
fn the_gradient_vanishes_sample_by_sample_when_q_is_p() {
    let beta = 0.8;
    let (chain, made) = exact_chain(beta);
    let exact = Enumeration::default().ln_z(&chain, beta).unwrap().value;
    let mut trainer = Trainer::new(&chain, made.clone(), TrainerParams::default().batch(300)).unwrap();
    let step = trainer.step(beta).unwrap();
    // βE + ln q = -ln Z for every sample, hence no spread and no gradient.
    assert!(step.spread < 1e-13 && step.gradient_norm < 1e-12, "{step:?}");
    assert_abs_diff_eq!(step.ln_z.value, exact, epsilon = 1e-13);
    assert_abs_diff_eq!(step.ess, 1.0, epsilon = 1e-12);
    // At another temperature it does not vanish.
    let mut other = Trainer::new(&chain, made, TrainerParams::default().batch(300)).unwrap();
    let step = other.step(0.5 * beta).unwrap();
    assert!(step.spread > 0.1 && step.gradient_norm > 0.01, "{step:?}");
}

#[test]
fn the_gradient_is_that_of_the_free_energy() {
    // The mean of many batches against the derivative of Σ q (βE + ln q) over all configurations.
    let model = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, -0.5), (0, 2, 0.8)]).field(1, 0.3).build().unwrap();
    let beta = 0.7;
    let network = Made::<f64>::new(3, MadeParams::default().layers(2, 2).seed(5)).unwrap();
    let free_energy = |parameters: &[f64]| {
        let mut moved = network.clone();
        moved.set_parameters(parameters).unwrap();
        (0..8u64)
            .map(|state| {
                let s = spin_models::Spins::from_state(state, 3);
                let ln_q = moved.ln_prob(&s);
                ln_q.exp() * (beta * model.energy(&s) + ln_q)
            })
            .sum::<f64>()
    };
    let exact = linalg_core::optim::finite_difference::gradient(free_energy, network.parameters());
    // A step of Adam with a huge epsilon is proportional to the gradient.
    let adam = linalg_core::optim::AdamParams::default().epsilon(1e12).learning_rate(1e6);
    let mut sums = vec![linalg_core::stats::Running::new(); exact.len()];
    for seed in 0..400 {
        let params = TrainerParams::default().batch(64).seed(seed).adam(adam).clip(f64::INFINITY);
        let mut trainer = Trainer::new(&model, network.clone(), params).unwrap();
        trainer.step(beta).unwrap();
        let moved = trainer.network().parameters().iter().zip(network.parameters());
        sums.iter_mut().zip(moved).for_each(|(sum, (new, old))| sum.push((old - new) * 1e6));
    }
    for (k, (sum, exact)) in sums.iter().zip(&exact).enumerate() {
        let z = (sum.mean() - exact) / sum.std_error().max(1e-12);
        // 400 batches of 64; 4.5 standard errors over about 30 parameters.
        assert!(z.abs() < 4.5, "parameter {k}: {} ± {}, exactly {exact}", sum.mean(), sum.std_error());
    }
}

#[test]
fn threads_and_interruptions_change_nothing() {
    let model = sk20();
    let params = TrainerParams::default().batch(600).seed(7);
    // Enough parameters for a step to be shared by threads.
    let made = || Symmetric::new(Made::<f32>::new(20, MadeParams::default().layers(2, 4)).unwrap());
    let schedule = Annealing::Exponential { beta: 1.0, rate: 0.9 };
    let bits = |p: &[f64]| p.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let mut reference = Trainer::new(&model, made(), params).unwrap();
    reference.train(schedule, 12, &mut ()).unwrap();
    let mut threaded = Trainer::new(&model, made(), params.threads(3)).unwrap();
    let mut seen = 0;
    let mut stop_at_5 = |step: &Step| {
        seen += 1;
        if step.step == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    threaded.train(schedule, 12, &mut stop_at_5).unwrap();
    assert_eq!(seen, 5);
    let saved = Checkpoint::from_bytes(&threaded.checkpoint().to_bytes()).unwrap();
    let mut resumed = Trainer::new(&model, made(), params).unwrap();
    resumed.restore(&saved).unwrap();
    assert_eq!(resumed.steps(), 5);
    let last = resumed.train(schedule, 12, &mut ()).unwrap().unwrap();
    assert_eq!(last.step, 12);
    assert_eq!(bits(resumed.network().parameters()), bits(reference.network().parameters()));
    assert_eq!(resumed.checkpoint(), reference.checkpoint());
}

#[test]
fn natural_gradients_resume_and_reach_the_exact_chain() {
    // The Boltzmann distribution of an open chain is one of one layer: few natural steps find it from far away.
    let beta = 0.8;
    let (chain, exact) = exact_chain(beta);
    let natural = NaturalParams::default().learning_rate(0.5).damping(1e-3);
    let params = TrainerParams::default().batch(500).natural(natural).clip(f64::INFINITY);
    let start = || Made::<f64>::new(7, MadeParams::default().seed(3)).unwrap();
    let mut trainer = Trainer::new(&chain, start(), params).unwrap();
    trainer.train(Annealing::Constant { beta }, 30, &mut ()).unwrap();
    let step = trainer.step(beta).unwrap();
    let adam = TrainerParams::default().batch(500).learning_rate(0.01);
    let mut slow = Trainer::new(&chain, start(), adam).unwrap();
    slow.train(Annealing::Constant { beta }, 30, &mut ()).unwrap();
    let slow = slow.step(beta).unwrap();
    let ln_z = Enumeration::default().ln_z(&chain, beta).unwrap().value;
    assert!(step.spread < 1e-3 && step.spread < 1e-2 * slow.spread, "{} and {}", step.spread, slow.spread);
    assert_abs_diff_eq!(step.ln_z.value, ln_z, epsilon = 1e-4);
    for (mine, exact) in trainer.network().parameters().iter().zip(exact.parameters()) {
        assert_abs_diff_eq!(mine, exact, epsilon = 2e-2);
    }

    let schedule = Annealing::Exponential { beta, rate: 0.9 };
    let run = |steps, params| {
        let mut trainer = Trainer::new(&chain, start(), params).unwrap();
        trainer.train(schedule, steps, &mut ()).unwrap();
        trainer
    };
    let reference = run(6, params);
    let saved = run(3, params.threads(3)).checkpoint();
    let mut resumed = run(0, params);
    resumed.restore(&saved).unwrap();
    resumed.train(schedule, 6, &mut ()).unwrap();
    assert_eq!(resumed.checkpoint(), reference.checkpoint());
    // Adam cannot go on from natural gradients.
    assert!(run(0, adam).restore(&saved).is_err());
    let refuse = |natural| Trainer::new(&chain, start(), params.natural(natural)).unwrap_err().to_string();
    assert_eq!(refuse(natural.damping(0.0)), "damping is 0, expected a finite number > 0");
    assert!(refuse(natural.learning_rate(f64::NAN)).starts_with("learning rate is NaN"));
}

#[test]
fn attention_and_convolutions_learn_a_torus() {
    let (torus, beta) = (Ising::square(4, spin_models::Boundary::Periodic, 1.0).unwrap(), 0.35);
    let exact = Enumeration::default().ln_z(&torus, beta).unwrap().value;
    fn gap<N: Autoregressive>(model: &Ising, network: N, beta: f64, exact: f64) -> f64 {
        let params = TrainerParams::default().batch(200).learning_rate(0.01).threads(2);
        let mut trainer = Trainer::new(model, Symmetric::new(network), params).unwrap();
        trainer.train(Annealing::Exponential { beta, rate: 0.97 }, 200, &mut ()).unwrap();
        let estimate = importance(trainer.network(), model, beta, 5000, Streams::new(3), 2, &[], &mut ()).unwrap();
        assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 4.0, "{} against {exact}", estimate.ln_z);
        1.0 - estimate.ln_z_variational.value / exact
    }
    let attention = Transformer::<f32>::new(16, TransformerParams::default().size(8, 1)).unwrap();
    let convolution = PixelCnn::<f32>::new(4, 4, PixelCnnParams::default().layers(2, 6, 5)).unwrap();
    let gaps = [gap(&torus, attention, beta, exact), gap(&torus, convolution, beta, exact)];
    println!("4 x 4 torus: relative gaps {gaps:?}");
    // Untrained networks are close to uniform: 0.15.
    assert!(gaps.iter().all(|gap| (0.0..0.01).contains(gap)), "{gaps:?}");
}

#[test]
fn the_checkpoint_has_the_bytes_it_had() {
    // What is in the file, field by field: a change of any breaks checkpoints of earlier versions.
    let pair = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    let params = TrainerParams::default().batch(8).seed(3);
    let mut network = Made::<f64>::new(2, MadeParams::default()).unwrap();
    network.set_parameters(&[0.0, 0.0, 1.5, 0.0, 0.4, -0.2]).unwrap();
    let saved = Trainer::new(&pair, network, params).unwrap().checkpoint();
    let mut reader = saved.open("variational training 1", pair.content_hash()).unwrap();
    assert_eq!(reader.read_str().unwrap(), "made:1:1:prelu:bias:f64 of 2 spins");
    assert_eq!((reader.read_u64().unwrap(), reader.read_usize().unwrap(), reader.read_u64().unwrap()), (3, 8, 0));
    let mut parameters = [0.0; 6];
    reader.read_f64s_into(&mut parameters).unwrap();
    assert!(parameters.iter().zip([0.0, 0.0, 1.5, 0.0, 0.4, -0.2]).all(|(a, b)| a.to_bits() == f64::to_bits(b)));
    assert!((reader.read_f64().unwrap() - 1e-3).abs() < 1e-18 && reader.read_u64().unwrap() == 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any damage to the file is an error or gives back a state that can be trained; nothing panics.
    #[test]
    fn damaged_checkpoints_do_no_harm(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        payload in any::<bool>(),
    ) {
        let ring = Ising::ring(4, 1.0).unwrap();
        let params = TrainerParams::default().batch(4);
        let made = || Made::<f32>::new(4, MadeParams::default().layers(2, 2)).unwrap();
        let mut trainer = Trainer::new(&ring, made(), params).unwrap();
        let saved = trainer.checkpoint();
        let mut bytes = if payload { saved.payload.clone() } else { saved.to_bytes() };
        for (at, byte) in &damage {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if damage.len() < 3 {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        let damaged = if payload {
            // Behind the checksum: what the reader itself must survive.
            let mut damaged = saved.clone();
            damaged.payload = bytes;
            Some(damaged)
        } else {
            Checkpoint::from_bytes(&bytes).ok()
        };
        if let Some(damaged) = damaged {
            match trainer.restore(&damaged) {
                Ok(()) => prop_assert!(trainer.network().parameters().iter().all(|p| p.is_finite())),
                Err(_) => prop_assert_eq!(trainer.checkpoint(), saved),
            }
        }
    }
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let model = sk20();
    let params = TrainerParams::default().batch(50);
    let made = |depth| Made::<f32>::new(20, MadeParams::default().layers(depth, 2)).unwrap();
    let saved = Trainer::new(&model, made(2), params).unwrap().checkpoint();
    let refuse = |mut trainer: Trainer<'_, Ising, Made<f32>>| trainer.restore(&saved).unwrap_err();
    let error = refuse(Trainer::new(&model, made(3), params).unwrap());
    assert_eq!(
        error.to_string(),
        "weights of made:2:2:prelu:bias:f32 of 20 spins, expected made:3:2:prelu:bias:f32 of 20 spins"
    );
    assert!(matches!(error, Error::Architecture { .. }));
    let error = refuse(Trainer::new(&model, made(2), params.seed(9)).unwrap()).to_string();
    assert!(error.contains("seed"), "{error}");
    let error = refuse(Trainer::new(&model, made(2), params.batch(51)).unwrap()).to_string();
    assert!(error.contains("batch"), "{error}");
    let other = Ising::ring(20, 1.0).unwrap();
    let error = refuse(Trainer::new(&other, made(2), params).unwrap()).to_string();
    assert!(error.contains("hash"), "{error}");
    // Damage of any kind is an error, and changes nothing.
    let mut trainer = Trainer::new(&model, made(2), params).unwrap();
    let before = trainer.checkpoint();
    for cut in [0, 1, 60, 200] {
        let mut damaged = saved.clone();
        damaged.payload.truncate(saved.payload.len() - cut - 1);
        assert!(trainer.restore(&damaged).is_err());
    }
    assert_eq!(trainer.checkpoint(), before);
}

#[test]
fn an_untrained_network_reweights_to_the_exact_values() {
    let model = SherringtonKirkpatrick::gaussian(10, &mut Streams::new(3).stream(0)).unwrap();
    let ising = model.to_ising().unwrap();
    let beta = 0.5;
    let exact = Enumeration::default().solve(&ising, beta, Quantities::all(), &mut ()).unwrap();
    let network = Symmetric::new(Made::<f32>::new(10, MadeParams::default().layers(2, 2)).unwrap());
    let product = |s: &[i8]| f64::from(s[0] * s[1]);
    let run =
        |threads| importance(&network, &model, beta, 30_000, Streams::new(8), threads, &[&product], &mut ()).unwrap();
    let estimate = run(1);
    assert!(estimate.ess > 0.01 && estimate.ess < 0.9 && estimate.samples == 30_000);
    let (pairs, reference) = (exact.correlations.as_ref().unwrap(), exact.ln_z.unwrap().value);
    assert_eq!(pairs.pairs[0], (0, 1));
    // Seed 8, 30 000 samples, 4 standard errors.
    for (mine, exact) in [
        (estimate.ln_z, reference),
        (estimate.energy, exact.energy.unwrap().value),
        (estimate.observables[0], pairs.values[0].value),
    ] {
        assert!(mine.z_score(&Estimate::exact(exact)).abs() < 4.0, "{mine} against {exact}");
    }
    assert!(estimate.ln_z_variational.value < reference);
    // Another number of threads cuts the rounds elsewhere: equal up to the rounding of sums.
    let threaded = run(2);
    assert_abs_diff_eq!(threaded.ln_z.value, estimate.ln_z.value, epsilon = 1e-10);

    let streams = Streams::new(12);
    let mut chain = NeuralMcmc::new(&network, &model, beta, &mut streams.stream(0)).unwrap();
    let mut product_sum = 0.0;
    let run = chain.run(&network, &model, beta, 30_000, streams, &mut |s| product_sum += product(s)).unwrap();
    let energy = run.energy.unwrap();
    assert!(
        energy.estimate().z_score(&Estimate::exact(exact.energy.unwrap().value)).abs() < 4.0,
        "{}",
        energy.estimate()
    );
    assert!(run.acceptance > 0.1 && run.acceptance < 0.95 && energy.tau > 0.5, "{} {}", run.acceptance, energy.tau);
    assert_abs_diff_eq!(product_sum / 30_000.0, pairs.values[0].value, epsilon = 0.05);
}

#[test]
fn mean_field_can_be_sampled_and_reweighted() {
    let model = Ising::builder(5)
        .couplings([(0, 1, 0.3), (1, 2, -0.4), (2, 3, 0.2), (3, 4, 0.5), (0, 4, 0.1)])
        .fields([0.4, -0.2, 0.1, 0.3, -0.5])
        .build()
        .unwrap();
    let beta = 0.8;
    let fit = NaiveMeanField::default().fit(&model, beta, &mut ()).unwrap();
    let state = ProductState::new(fit.magnetizations).unwrap();
    let total: f64 = (0..32).map(|k| state.ln_prob(&spin_models::Spins::from_state(k, 5)).exp()).sum();
    assert_abs_diff_eq!(total, 1.0, epsilon = 1e-14);
    let estimate = importance(&state, &model, beta, 50_000, Streams::new(6), 1, &[], &mut ()).unwrap();
    let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
    // Seed 6, 50 000 samples, 4 standard errors; the bound is that of the fit.
    assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 4.0, "{} against {exact}", estimate.ln_z);
    assert!(estimate.ln_z_variational.z_score(&Estimate::exact(fit.ln_z)).abs() < 4.0);
    let error = ProductState::new(vec![0.0, 1.5]).unwrap_err().to_string();
    assert_eq!(error, "magnetization is 1.5 at site 1, expected a number from -1 to 1");
}

/// Trains one layer on the 20-spin instance; returns the last estimate.
fn one_layer(beta: f64, steps: u64, rate: f64, samples: usize) -> variational::van::Importance {
    let model = sk20();
    let network = Symmetric::new(Made::<f32>::new(20, MadeParams::default()).unwrap());
    let params = TrainerParams::default().seed(1).threads(2);
    let mut trainer = Trainer::new(&model, network, params).unwrap();
    trainer.train(Annealing::Exponential { beta, rate }, steps, &mut ()).unwrap();
    importance(trainer.network(), &model, beta, samples, Streams::new(99), 2, &[], &mut ()).unwrap()
}

#[test]
fn one_layer_learns_a_spin_glass_of_20_spins() {
    let (beta, exact) = SK20[0];
    let estimate = one_layer(beta, 700, 0.99, 50_000);
    let relative = (exact - estimate.ln_z_variational.value) / exact;
    assert!((0.0..1e-3).contains(&relative), "relative error {relative}");
    assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 4.0, "{} against {exact}", estimate.ln_z);
    assert!(estimate.ess > 0.95, "{}", estimate.ess);
}

#[test]
#[ignore = "four trainings of 3000 steps, minutes; run by .ci/long"]
fn the_table_of_20_spins() {
    // Bounds on the variational relative error at β = 0.5, 1, 2; importance sampling within 1e-4 and 3 errors at 1e6.
    for ((beta, exact), bound) in SK20.into_iter().zip([2e-4, 7e-4, 3e-3, 1.0]) {
        let estimate = one_layer(beta, 3000, 0.998, 1_000_000);
        let relative = (exact - estimate.ln_z_variational.value) / exact;
        println!(
            "beta {beta}: variational {relative:.2e}, importance {} ({exact}), ess {:.3}",
            estimate.ln_z, estimate.ess
        );
        assert!(relative < bound, "beta {beta}: {relative} above {bound}");
        assert!((estimate.ln_z.value / exact - 1.0).abs() < 1e-4, "beta {beta}: {}", estimate.ln_z);
        assert!(estimate.ln_z.z_score(&Estimate::exact(exact)).abs() < 3.0, "beta {beta}: {}", estimate.ln_z);
    }
}

#[test]
fn the_solver_says_what_its_value_is() {
    let model = Ising::builder(4).couplings([(2, 3, 1.0), (0, 1, -0.7), (1, 2, 0.4)]).field(0, 0.6).build().unwrap();
    let exact = Enumeration::default().solve(&model, 0.6, Quantities::all(), &mut ()).unwrap();
    let van = Van::new(VanParams::default().steps(150).samples(20_000)).with_threads(2);
    let answer = van.solve(&model, 0.6, Quantities::all(), &mut ()).unwrap();
    let ln_z = answer.ln_z.unwrap();
    assert_eq!(ln_z.kind, Kind::Estimate);
    let near = |a: Estimate, b: f64| assert!(a.z_score(&Estimate::exact(b)).abs() < 4.5, "{a} against {b}");
    near(Estimate { value: ln_z.value, std_error: ln_z.std_error }, exact.ln_z.unwrap().value);
    near(answer.energy.unwrap(), exact.energy.unwrap().value);
    for (a, b) in answer.magnetizations.unwrap().into_iter().zip(exact.magnetizations.unwrap()) {
        near(a, b.value);
    }
    let (a, b) = (answer.correlations.unwrap(), exact.correlations.unwrap());
    assert_eq!(a.pairs, b.pairs);
    for (a, b) in a.values.into_iter().zip(b.values) {
        near(a, b.value);
    }
    // Few samples cannot be reweighted with confidence: the bound is given.
    let few = Van::new(VanParams::default().steps(2).samples(50)).ln_z(&model, 0.6).unwrap();
    assert_eq!(few.kind, Kind::Lower);
    // A stop leaves no answer.
    let mut stop = |_: &Progress| ControlFlow::Break(());
    let error = van.ln_z_observed(&model, 0.6, &mut stop).unwrap_err().to_string();
    assert_eq!(error, "van was stopped after 1 of 150 steps");
}

/// Infinite where all spins are up.
struct Wall;

impl EnergyModel for Wall {
    fn n_spins(&self) -> usize {
        2
    }
    fn energy(&self, s: &[i8]) -> f64 {
        if s == [1, 1] { f64::INFINITY } else { 0.0 }
    }
    fn delta_energy(&self, _s: &[i8], _i: usize) -> f64 {
        0.0
    }
}

#[test]
fn bad_input_is_named() {
    let model = Ising::ring(4, 1.0).unwrap();
    let made = |n| Made::<f64>::new(n, MadeParams::default()).unwrap();
    let refuse = |params| Trainer::new(&model, made(4), params).unwrap_err().to_string();
    assert_eq!(refuse(TrainerParams::default().batch(0)), "batch is 0, expected at least 2");
    assert_eq!(refuse(TrainerParams::default().threads(0)), "threads is 0, expected at least 1");
    assert_eq!(refuse(TrainerParams::default().clip(0.0)), "clip is 0, expected a positive number");
    assert!(refuse(TrainerParams::default().learning_rate(f64::NAN)).contains("NaN"));
    let error = Trainer::new(&model, made(3), TrainerParams::default()).unwrap_err().to_string();
    assert_eq!(error, "spins of the network: 3 given, 4 expected");
    let mut trainer = Trainer::new(&model, made(4), TrainerParams::default().batch(10)).unwrap();
    for beta in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(trainer.step(beta).unwrap_err().to_string().starts_with("beta is"));
        assert!(importance(trainer.network(), &model, beta, 10, Streams::new(1), 1, &[], &mut ()).is_err());
    }
    let none = importance(trainer.network(), &model, 1.0, 0, Streams::new(1), 1, &[], &mut ()).unwrap_err();
    assert_eq!(none.to_string(), "samples is 0, expected at least 1");
    let mut walled = Trainer::new(&Wall, made(2), TrainerParams::default().batch(100)).unwrap();
    let before = walled.network().parameters().to_vec();
    let error = walled.step(1.0).unwrap_err().to_string();
    assert!(
        error.starts_with("β E + ln q of sample") && error.ends_with("is inf, expected a finite number"),
        "{error}"
    );
    assert_eq!(before, walled.network().parameters());
    let error =
        importance(walled.network(), &Wall, 1.0, 100, Streams::new(1), 1, &[], &mut ()).unwrap_err().to_string();
    assert!(error.contains("-inf"), "{error}");
}

#[test]
fn a_chain_goes_on_at_another_temperature() {
    use spin_models::Boundary;
    // A network that knows nothing, and a chain that is cold: at a high temperature it has to move.
    let model = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    let network = Made::<f64>::new(16, MadeParams::default()).unwrap();
    let streams = Streams::new(3);
    let mut chain = NeuralMcmc::new(&network, &model, 2.0, &mut streams.stream(0)).unwrap();
    chain.run(&network, &model, 2.0, 20_000, streams.child(1), &mut |_| ()).unwrap();
    let hot = chain.run(&network, &model, 0.05, 4000, streams.child(2), &mut |_| ()).unwrap();
    assert!(hot.acceptance > 0.3, "{}", hot.acceptance);
    let exact = Enumeration::default().solve(&model, 0.05, Quantities::all(), &mut ()).unwrap().energy.unwrap().value;
    let mean = hot.energies.iter().sum::<f64>() / 4000.0;
    // Seed 3, 4000 steps: an error of about 0.2.
    assert!((mean - exact).abs() < 1.0, "{mean} {exact}");
    let other = Ising::square(3, Boundary::Periodic, 1.0).unwrap();
    assert!(chain.run(&network, &other, 1.0, 1, streams, &mut |_| ()).is_err());
}
