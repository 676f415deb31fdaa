//! Dense networks and those with couplings built in: normalisation, sampling, gradients.

mod common;

use approx::assert_abs_diff_eq;
use common::{check, check_gradient, configurations, stir, table};
use linalg_core::Streams;
use spin_models::rand::RngExt;
use spin_models::{Boundary, EnergyModel, Enumeration, Ising, LogPartition};
use variational::autoregressive::{Activation, Autoregressive, Made, MadeParams, Symmetric, TwoBody, TwoBodyParams};
use variational::autoregressive::{PixelCnn, PixelCnnParams, SiteGroup, Symmetrized, Transformer, TransformerParams};
use variational::{Error, Normalized};

fn variants() -> Vec<MadeParams> {
    let base = MadeParams::default();
    vec![
        base,
        base.layers(2, 3),
        base.layers(3, 4),
        base.layers(3, 11),
        base.layers(4, 2).residual(true),
        base.layers(3, 2).activation(Activation::Tanh).bias(false),
        base.layers(4, 9).activation(Activation::Tanh).residual(true),
    ]
}

#[test]
fn made_is_normalised_and_samples_itself() {
    for params in variants() {
        check(&stir(Made::<f64>::new(9, params).unwrap(), 1), 1e-11);
        check(&stir(Made::<f32>::new(9, params).unwrap(), 1), 2e-5);
        check(&Symmetric::new(stir(Made::<f64>::new(8, params).unwrap(), 2)), 1e-11);
        check(&Symmetric::new(stir(Made::<f32>::new(8, params).unwrap(), 2)), 2e-5);
    }
    check(&stir(Made::<f64>::new(1, MadeParams::default()).unwrap(), 3), 1e-12);
    check(&stir(Made::<f64>::new(12, MadeParams::default().layers(2, 2)).unwrap(), 3), 1e-11);
}

#[test]
fn made_gradients_are_derivatives() {
    for params in variants() {
        check_gradient(&stir(Made::<f64>::new(9, params).unwrap(), 4));
        check_gradient(&Symmetric::new(stir(Made::<f64>::new(6, params).unwrap(), 5)));
    }
}

#[test]
fn sampling_over_many_blocks_agrees_with_evaluation() {
    for (n, depth, width) in [(150, 1, 1), (70, 2, 3), (65, 3, 4), (33, 3, 20)] {
        let network = stir(Made::<f64>::new(n, MadeParams::default().layers(depth, width)).unwrap(), 6);
        let (mut rows, mut ln_q, mut again) = (vec![0; 300 * n], vec![0.0; 300], vec![0.0; 300]);
        network.sample_batch(Streams::new(1), &mut rows, &mut ln_q);
        network.ln_prob_batch(&rows, &mut again);
        for (a, b) in ln_q.iter().zip(&again) {
            assert_abs_diff_eq!(a, b, epsilon = 1e-9);
        }
    }
}

#[test]
fn the_logarithm_of_many_sites_is_folded() {
    // 1500 sites with biases alone: ln q is a sum of independent terms.
    let mut network = Made::<f64>::new(1500, MadeParams::default()).unwrap();
    let mut parameters = vec![0.0; network.parameters().len()];
    let first = parameters.len() - 1500;
    parameters[first..].iter_mut().enumerate().for_each(|(i, b)| *b = (i as f64).sin() * 40.0);
    network.set_parameters(&parameters).unwrap();
    let mut s = vec![0; 1500];
    let ln_q = network.sample(&mut s, &mut Streams::new(2).stream(0));
    let direct: f64 =
        parameters[first..].iter().zip(&s).map(|(b, &s)| linalg_core::logspace::ln_sigmoid(b * f64::from(s))).sum();
    assert_abs_diff_eq!(ln_q, direct, epsilon = 1e-10);
}

#[test]
fn an_odd_network_is_its_own_mirror_image() {
    let params = MadeParams::default().layers(3, 3).activation(Activation::Tanh).bias(false);
    let plain = stir(Made::<f64>::new(7, params).unwrap(), 8);
    assert!(plain.is_odd());
    let symmetric = Symmetric::new(plain.clone());
    for (a, b) in table(&plain).iter().zip(table(&symmetric)) {
        assert_abs_diff_eq!(a, &b, epsilon = 1e-15);
    }
    assert!(!Made::<f64>::new(7, params.bias(true)).unwrap().is_odd());
}

#[test]
fn bad_input_is_named() {
    let refuse = |n, params| Made::<f64>::new(n, params).unwrap_err().to_string();
    assert_eq!(refuse(0, MadeParams::default()), "number of spins is 0, expected at least 1");
    assert_eq!(refuse(3, MadeParams::default().layers(0, 1)), "depth is 0, expected at least 1");
    assert_eq!(refuse(3, MadeParams::default().layers(2, 0)), "width is 0, expected at least 1");
    assert!(refuse(1 << 20, MadeParams::default()).starts_with("made: number of weights is 1099511627776, at most"));
    let mut made = Made::<f64>::new(3, MadeParams::default()).unwrap();
    assert!(matches!(made.set_parameters(&[0.0; 3]), Err(Error::WrongLength { got: 3, expected: 12, .. })));
    let mut parameters = [0.0; 12];
    parameters[5] = f64::NAN;
    assert_eq!(
        made.set_parameters(&parameters).unwrap_err().to_string(),
        "parameter 5 is NaN, expected a finite number"
    );
}

#[test]
#[should_panic(expected = "4 spins for 1 rows of 3")]
fn a_row_of_the_wrong_length_panics() {
    Made::<f64>::new(3, MadeParams::default()).unwrap().ln_prob_batch(&[1; 4], &mut [0.0]);
}

/// No samples: every step of a pass is done, and nothing comes of it.
fn check_empty<N: Autoregressive>(network: &N) {
    let mut pass = network.new_pass(0);
    network.sample_pass(&mut pass, &mut Streams::new(1).stream(0));
    network.evaluate(&[], &mut pass);
    let mut other = network.new_pass(0);
    network.evaluate_reversed(&pass, &mut other);
    let mut gradient = vec![N::Scalar::default(); network.parameters().len()];
    network.accumulate_gradient(&mut pass, &[], &mut gradient);
    network.sample_gradients(&mut pass, &mut []);
    network.write_spins(&pass, &mut []);
    assert!(network.ln_q(&pass).is_empty() && gradient.iter().all(|&g| g == N::Scalar::default()));
    network.sample_batch(Streams::new(1), &mut [], &mut []);
    network.ln_prob_batch(&[], &mut []);
}

#[test]
fn passes_of_no_samples_are_served() {
    for params in variants() {
        check_empty(&Made::<f64>::new(9, params).unwrap());
        check_empty(&Symmetric::new(Made::<f32>::new(9, params).unwrap()));
    }
    for terms in [1, 2] {
        let params = TwoBodyParams::default().terms(terms);
        [false, true]
            .iter()
            .for_each(|&fields| check_empty(&TwoBody::<f64>::new(&glass(fields), 0.9, params).unwrap()));
    }
    let cnn = PixelCnn::<f64>::new(3, 3, PixelCnnParams::default()).unwrap();
    check_empty(&Symmetrized::new(cnn, SiteGroup::translations(3, 3).unwrap()).unwrap());
    [false, true].iter().for_each(|&tied| {
        check_empty(&Transformer::<f32>::new(5, TransformerParams::default().tied(tied)).unwrap());
    });
}

/// A glass on a 3 x 3 lattice and one more site, with or without fields.
fn glass(fields: bool) -> Ising {
    let lattice = Ising::square(3, Boundary::Free, 1.0).unwrap();
    let mut rng = Streams::new(6).stream(0);
    let mut uniform = || 2.0 * rng.random::<f64>() - 1.0;
    let couplings: Vec<_> = lattice.couplings().map(|(i, j, _)| (i, j, uniform())).collect();
    let fields: Vec<f64> = (0..9).map(|_| if fields { uniform() } else { 0.0 }).collect();
    Ising::builder(9).couplings(couplings).fields(fields).build().unwrap()
}

#[test]
fn two_body_is_normalised_samples_itself_and_has_its_gradient() {
    for fields in [false, true] {
        for terms in [1, 2, 3] {
            let params = TwoBodyParams::default().terms(terms).noise(0.3);
            let wide = TwoBody::<f64>::new(&glass(fields), 0.9, params).unwrap();
            assert_eq!(wide.is_odd(), !fields);
            check(&stir(wide.clone(), 3), 1e-11);
            check(&TwoBody::<f32>::new(&glass(fields), 0.9, params).unwrap(), 2e-5);
            check_gradient(&stir(wide.clone(), 4));
            let q = table(&stir(wide, 5));
            let mirrored: Vec<f64> = q.iter().rev().copied().collect();
            let asymmetry = q.iter().zip(&mirrored).map(|(a, b)| (a - b).abs()).sum::<f64>();
            assert_eq!(asymmetry < 1e-12, !fields, "{asymmetry}");
        }
    }
}

#[test]
fn the_untrained_two_body_form_is_exact_on_chains_and_stars() {
    let star = Ising::builder(6).couplings((1..6).map(|j| (0, j, 0.3 * j as f64 - 0.8))).build().unwrap();
    let chain = Ising::builder(6).couplings((1..6).map(|j| (j - 1, j, 0.4 * j as f64 - 1.0))).build().unwrap();
    let hub_first = Ising::builder(6)
        .couplings((1..6).map(|j| (0, j, 0.5)))
        .fields([0.2, -0.4, 0.1, 0.9, 0.0, 0.3])
        .build()
        .unwrap();
    for model in [star, chain, hub_first] {
        let beta = 0.7;
        let network = TwoBody::<f64>::new(&model, beta, TwoBodyParams::default().noise(0.0)).unwrap();
        let ln_z = Enumeration::default().ln_z(&model, beta).unwrap().value;
        for row in configurations(6).chunks_exact(6) {
            assert_abs_diff_eq!(network.ln_prob(row), -beta * model.energy(row) - ln_z, epsilon = 1e-9);
        }
    }
}
