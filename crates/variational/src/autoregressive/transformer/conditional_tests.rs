use linalg_core::Streams;
use linalg_core::optim::finite_difference;
use rand::RngExt;

use super::ConditionalTransformer;
use crate::Error;
use crate::autoregressive::{Autoregressive, Transformer, TransformerParams};

/// Bits of the context, numbers beside the bits, blocks, tied output; three bits each.
const SHAPES: [(usize, usize, usize, bool); 5] =
    [(3, 1, 2, false), (4, 0, 1, true), (0, 0, 2, false), (0, 2, 1, false), (2, 1, 0, true)];

/// Larger weights than a new network has, so that the conditionals differ.
fn network((context, globals, layers, tied): (usize, usize, usize, bool)) -> ConditionalTransformer<f64> {
    let params = TransformerParams::default().size(8, layers).heads(2).tied(tied);
    let mut network = ConditionalTransformer::<f64>::new(context, 3, globals, params).unwrap();
    let mut rng = Streams::new(5).stream(0);
    let parameters: Vec<f64> = network.parameters().iter().map(|p| p + 1.2 * (rng.random::<f64>() - 0.5)).collect();
    network.set_parameters(&parameters).unwrap();
    network
}

fn all(n: usize) -> Vec<i8> {
    (0..1usize << n).flat_map(|x| (0..n).map(move |i| if x >> i & 1 == 1 { -1 } else { 1 })).collect()
}

fn spins(len: usize, seed: u64) -> Vec<i8> {
    let mut rng = Streams::new(seed).stream(0);
    (0..len).map(|_| if rng.random::<bool>() { 1 } else { -1 }).collect()
}

#[test]
fn probabilities_add_up_and_samples_follow_them() {
    for shape in SHAPES {
        let network = network(shape);
        let (n, g) = (network.n_context(), network.n_globals());
        let mut exact = network.new_pass(8);
        for x in 0..1usize << n {
            let context: Vec<i8> = (0..n).map(|i| if x >> i & 1 == 1 { -1 } else { 1 }).collect();
            network.set_context(&context.repeat(8), &vec![0.7; 8 * g], &mut exact);
            network.evaluate(&all(3), &mut exact);
            let sum: f64 = network.ln_q(&exact).iter().map(|x| x.exp()).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{shape:?} {x}: {sum}");
        }
        // The last context. χ² of 4000 samples (seed 1) with 7 degrees of freedom; 34.6 is exceeded with a probability of
        // 1.3e-5, as 4.2 standard deviations of a normal variable.
        let b = 4000;
        let mut pass = network.new_pass(b);
        network.set_context(&vec![-1; n * b], &vec![0.7; g * b], &mut pass);
        network.sample(&mut pass, &mut Streams::new(1).stream(0));
        let mut bits = vec![0; 3 * b];
        network.write_bits(&pass, &mut bits);
        let drawn = network.ln_q(&pass).to_vec();
        network.evaluate(&bits, &mut pass);
        assert!(drawn.iter().zip(network.ln_q(&pass)).all(|(a, b)| (a - b).abs() < 1e-12));
        let mut chi_squared = 0.0;
        for (row, ln_q) in all(3).chunks(3).zip(network.ln_q(&exact)) {
            let expected = ln_q.exp() * b as f64;
            let count = bits.chunks(3).filter(|bits| *bits == row).count() as f64;
            chi_squared += (count - expected).powi(2) / expected;
        }
        assert!(chi_squared < 34.6, "{shape:?}: {chi_squared}");
        // Not the uniform distribution: against it χ² would be far larger.
        assert!(network.ln_q(&exact).iter().any(|x| (x.exp() - 0.125).abs() > 0.02), "{shape:?}");
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for shape in SHAPES {
        let network = network(shape);
        let (n, g, b) = (network.n_context(), network.n_globals(), 5);
        let (contexts, bits) = (spins(n * b, 2), spins(3 * b, 3));
        let globals: Vec<f64> = (0..g * b).map(|k| 0.3 * k as f64 - 0.5).collect();
        let weights = [0.5, -1.0, 2.0, 0.1, 1.0];
        let mut pass = network.new_pass(b);
        network.set_context(&contexts, &globals, &mut pass);
        network.evaluate(&bits, &mut pass);
        let mut gradient = vec![0.0; network.parameters().len()];
        network.accumulate_gradient(&mut pass, &weights, &mut gradient);
        let mut other = network.clone();
        let differences = finite_difference::gradient(
            |x| {
                other.set_parameters(x).unwrap();
                other.set_context(&contexts, &globals, &mut pass);
                other.evaluate(&bits, &mut pass);
                other.ln_q(&pass).iter().zip(weights).map(|(q, w)| w * q).sum()
            },
            network.parameters(),
        );
        let mut moved = 0;
        for (k, (a, b)) in gradient.iter().zip(&differences).enumerate() {
            assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{shape:?} {k}: {a} {b}");
            moved += usize::from(b.abs() > 1e-4);
        }
        assert!(2 * moved > gradient.len(), "{shape:?}: {moved} of {}", gradient.len());
    }
}

#[test]
fn cached_steps_are_the_pass_without_a_prefix() {
    for (context, layers, tied) in [(4, 1, true), (3, 2, false), (1, 3, false), (0, 2, false), (2, 0, true)] {
        let network = network((context, 0, layers, tied));
        let n = context + 3;
        let mut whole = Transformer::<f64>::new(n, *network.params()).unwrap();
        whole.set_parameters(network.parameters()).unwrap();
        // The conditional of every bit by the network of all spins: q(s_1 .. s_i) over q(s_1 .. s_(i-1)).
        let b = 6;
        let rows = spins(n * b, 7);
        let mut pass = whole.new_pass(b);
        whole.evaluate(&rows, &mut pass);
        let mut cached = network.new_pass(b);
        let contexts: Vec<i8> = rows.chunks(n).flat_map(|row| &row[..context]).copied().collect();
        network.set_context(&contexts, &[], &mut cached);
        for j in 0..3 {
            let logits = network.logits(j, &mut cached).to_vec();
            for (k, x) in logits.iter().enumerate() {
                let up = pass.samples.up[(context + j) * b + k];
                assert!((x - (up / (1.0 - up)).ln()).abs() < 1e-11, "{context} {layers}: bit {j} of {k}");
            }
            let bits: Vec<i8> = rows.chunks(n).map(|row| row[context + j]).collect();
            network.set_bit(j, &bits, &mut cached);
        }
    }
}

#[test]
fn selected_samples_go_on_where_they_were() {
    for shape in SHAPES {
        let network = network(shape);
        let (n, g, b) = (network.n_context(), network.n_globals(), 3);
        let contexts = spins(n * b, 8);
        let globals: Vec<f64> = (0..g * b).map(|k| k as f64).collect();
        let mut pass = network.new_pass(b);
        network.set_context(&contexts, &globals, &mut pass);
        // The samples in another order, and twice.
        let order = [2, 0, 1, 2];
        let mut selected = network.select(&pass, &order);
        let mut ln_q = [0.0; 4];
        let mut rows = vec![Vec::new(); 4];
        for j in 0..3 {
            let bits: Vec<i8> = (0..4).map(|k| if (k + j) % 2 == 0 { 1 } else { -1 }).collect();
            for (k, &x) in network.logits(j, &mut selected).iter().enumerate() {
                ln_q[k] -= linalg_core::logspace::softplus(-f64::from(bits[k]) * x);
                rows[k].push(bits[k]);
            }
            network.set_bit(j, &bits, &mut selected);
            if j == 1 {
                selected = network.select(&selected, &[0, 1, 2, 3]);
            }
        }
        for (k, &of) in order.iter().enumerate() {
            network.evaluate(&rows[k].repeat(b), &mut pass);
            assert!((network.ln_q(&pass)[of] - ln_q[k]).abs() < 1e-12, "{shape:?} {k}");
        }
        // Samples of a selected pass have the probabilities that it tells.
        network.sample(&mut selected, &mut Streams::new(2).stream(0));
        let mut bits = vec![0; 12];
        network.write_bits(&selected, &mut bits);
        let told = network.ln_q(&selected).to_vec();
        network.evaluate(&bits, &mut selected);
        assert!(told.iter().zip(network.ln_q(&selected)).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}

#[test]
fn bad_sizes_are_refused() {
    let params = TransformerParams::default();
    let message =
        |context, bits, params| ConditionalTransformer::<f32>::new(context, bits, 0, params).unwrap_err().to_string();
    assert_eq!(message(3, 0, params), "number of spins is 0, expected at least 1");
    assert_eq!(message(3, 1, params.size(16, 1).heads(3)), "heads is 3, expected a divisor of dim");
    assert_eq!(message(3, 1, params.size(1, 1).heads(1)), "dim is 1, expected at least 2");
    let large = ConditionalTransformer::<f32>::new(usize::MAX, 1, 0, params).unwrap_err();
    assert!(matches!(large, Error::TooLarge { .. }), "{large}");
    let one = ConditionalTransformer::<f32>::new(3, 2, 0, params).unwrap();
    let others = [(2, 2, 0), (3, 1, 0), (3, 2, 1)];
    for (context, bits, globals) in others {
        let other = ConditionalTransformer::<f32>::new(context, bits, globals, params).unwrap();
        assert_ne!(one.architecture(), other.architecture());
    }
}
