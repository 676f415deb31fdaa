use linalg_core::Streams;
use linalg_core::optim::finite_difference;

use super::*;

/// Three sites in a row with shared weights, a number for all, three bits.
fn local() -> ConditionalShape {
    let mut links = Vec::new();
    for to in 0..3usize {
        for from in 0..3usize {
            if to.abs_diff(from) < 2 {
                links.push(SiteLink { to, from, class: 1 + to - from.min(to + 1) + 2 * usize::from(from > to) });
            }
        }
    }
    let view = |sites: &[usize], bits: &[usize]| BitView { sites: sites.to_vec(), bits: bits.to_vec() };
    let bits = vec![view(&[0, 1], &[]), view(&[2, 0], &[0]), view(&[1, 2], &[1])];
    ConditionalShape::local(vec![1; 3], links, bits).channels(4, 3).width(3, 2).globals(1)
}

fn all(n: usize) -> Vec<i8> {
    (0..1usize << n).flat_map(|x| (0..n).map(move |i| if x >> i & 1 == 1 { -1 } else { 1 })).collect()
}

fn shapes() -> Vec<ConditionalShape> {
    vec![
        local(),
        ConditionalShape::dense(3, 3).channels(5, 2).width(2, 2),
        ConditionalShape::dense(0, 3).width(4, 1),
        ConditionalShape::dense(0, 3).width(4, 2).globals(1),
    ]
}

/// Larger weights than a new network has, so that the conditionals differ.
fn network(shape: ConditionalShape) -> Conditional<f64> {
    let mut network = Conditional::<f64>::new(shape, 3).unwrap();
    let mut rng = Streams::new(5).stream(0);
    let parameters: Vec<f64> = network.parameters().iter().map(|p| p + 0.6 * (rng.random::<f64>() - 0.5)).collect();
    network.set_parameters(&parameters).unwrap();
    network
}

#[test]
fn probabilities_add_up_and_samples_follow_them() {
    for shape in shapes() {
        let network = network(shape);
        let (n, g) = (network.n_context(), network.shape().globals);
        for context in all(n).chunks(n.max(1)).take(1 << n) {
            let mut pass = network.new_pass(8);
            let context = if n == 0 { Vec::new() } else { context.repeat(8) };
            network.set_context(&context, &vec![0.7; 8 * g], &mut pass);
            network.evaluate(&all(3), &mut pass);
            let probabilities: Vec<f64> = network.ln_q(&pass).iter().map(|x| x.exp()).collect();
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(probabilities.iter().any(|p| (p - 0.125).abs() > 0.01));
        }
        // The last context: 4σ of 4000 samples.
        let (b, mut rng) = (4000, Streams::new(1).stream(0));
        let mut pass = network.new_pass(b);
        network.set_context(&vec![-1; n * b], &vec![0.7; g * b], &mut pass);
        network.sample(&mut pass, &mut rng);
        let mut bits = vec![0; 3 * b];
        network.write_bits(&pass, &mut bits);
        let drawn = network.ln_q(&pass).to_vec();
        network.evaluate(&bits, &mut pass);
        assert!(drawn.iter().zip(network.ln_q(&pass)).all(|(a, b)| (a - b).abs() < 1e-12));
        let mut exact = network.new_pass(8);
        network.set_context(&vec![-1; n * 8], &vec![0.7; g * 8], &mut exact);
        network.evaluate(&all(3), &mut exact);
        for (row, ln_q) in all(3).chunks(3).zip(network.ln_q(&exact)) {
            let p = ln_q.exp();
            let count = bits.chunks(3).filter(|bits| *bits == row).count() as f64;
            let sigma = (p * (1.0 - p) * b as f64).sqrt();
            assert!((count - p * b as f64).abs() < 4.0 * sigma, "{count} {p}");
        }
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for shape in shapes() {
        let network = network(shape);
        let (n, g, b) = (network.n_context(), network.shape().globals, 5);
        let mut rng = Streams::new(26).stream(0);
        let mut spins = |len: usize| (0..len).map(|_| if rng.random::<bool>() { 1 } else { -1 }).collect::<Vec<i8>>();
        let (contexts, bits) = (spins(n * b), spins(3 * b));
        let globals: Vec<f64> = (0..g * b).map(|k| 0.3 * k as f64 - 0.3).collect();
        let weights = [0.5, -1.0, 2.0, 0.1, 1.0];
        let mut pass = network.new_pass(b);
        network.set_context(&contexts, &globals, &mut pass);
        network.evaluate(&bits, &mut pass);
        // Differences across the bend of a unit are no derivatives; those here reach to 0.002.
        assert!(pass.context_z.iter().chain(&pass.z).flatten().all(|z| z.abs() > 0.004));
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
            assert!((a - b).abs() < 1e-6, "{k}: {a} {b}");
            moved += usize::from(b.abs() > 1e-4);
        }
        assert!(2 * moved > gradient.len(), "{moved} of {}", gradient.len());
    }
}

#[test]
fn one_conditional_after_the_other() {
    for shape in shapes() {
        let network = network(shape);
        let (n, g, b) = (network.n_context(), network.shape().globals, 3);
        let contexts: Vec<i8> = (0..n * b).map(|k| if k % 3 == 0 { -1 } else { 1 }).collect();
        let globals: Vec<f64> = (0..g * b).map(|k| k as f64).collect();
        let mut pass = network.new_pass(b);
        network.set_context(&contexts, &globals, &mut pass);
        // The samples in another order, and twice.
        let order = [2, 0, 1, 2];
        let mut selected = network.select(&pass, &order);
        let mut ln_q = [0.0; 4];
        let mut rows = vec![Vec::new(); 4];
        for j in 0..3 {
            let spins: Vec<i8> = (0..4).map(|k| if (k + j) % 2 == 0 { 1 } else { -1 }).collect();
            for (k, &x) in network.logits(j, &mut selected).iter().enumerate() {
                ln_q[k] -= linalg_core::logspace::softplus(-f64::from(spins[k]) * x);
                rows[k].push(spins[k]);
            }
            network.set_bit(j, &spins, &mut selected);
            if j == 1 {
                selected = network.select(&selected, &[0, 1, 2, 3]);
            }
        }
        for (k, &of) in order.iter().enumerate() {
            network.evaluate(&rows[k].repeat(b), &mut pass);
            assert!((network.ln_q(&pass)[of] - ln_q[k]).abs() < 1e-12);
        }
    }
}

#[test]
fn a_pass_of_no_samples_is_served() {
    for shape in shapes() {
        let network = network(shape);
        let mut pass = network.new_pass(0);
        network.set_context(&[], &[], &mut pass);
        network.evaluate(&[], &mut pass);
        network.sample(&mut pass, &mut Streams::new(1).stream(0));
        for j in 0..3 {
            assert!(network.logits(j, &mut pass).is_empty());
            network.set_bit(j, &[], &mut pass);
        }
        let mut gradient = vec![0.0; network.parameters().len()];
        network.accumulate_gradient(&mut pass, &[], &mut gradient);
        assert!(network.ln_q(&pass).is_empty() && gradient.iter().all(|g| g.abs() < 1e-300));
        network.write_bits(&network.select(&pass, &[]), &mut []);
    }
}

#[test]
fn bad_shapes_are_refused() {
    let message = |shape| Conditional::<f32>::new(shape, 1).unwrap_err().to_string();
    assert_eq!(message(ConditionalShape::dense(2, 0)), "number of bits is 0, expected at least 1");
    let mut shape = local();
    shape.links[0].to = 7;
    assert_eq!(message(shape), "site of a link is 7, expected a site of the context");
    let mut shape = local();
    shape.bits[1].bits = vec![1];
    assert_eq!(message(shape), "bit that a bit sees is 1, expected an earlier bit");
    let mut shape = local();
    shape.bits[1].sites = vec![3];
    assert_eq!(message(shape), "site that a bit sees is 3, expected a site of the context");
    let mut shape = local();
    shape.sites = vec![1, 2, 1];
    assert!(message(shape).starts_with("class of a link is "));
    assert_eq!(message(local().width(0, 1)), "width is 0, expected at least 1");
    assert_eq!(message(local().channels(3, 0)), "context depth is 0, expected at least 1");
    let mut network = Conditional::<f32>::new(local(), 1).unwrap();
    assert!(matches!(network.set_parameters(&[0.0]), Err(Error::WrongLength { .. })));
    let other = Conditional::<f32>::new(ConditionalShape::dense(3, 3), 1).unwrap();
    assert_ne!(network.architecture(), other.architecture());
}

/// Units that are off for every sample pass derivatives on, so that a training can bring them back.
#[test]
fn units_below_zero_learn() {
    let shape = ConditionalShape::dense(3, 2).channels(5, 2).width(4, 2);
    let mut network = Conditional::<f64>::new(shape, 3).unwrap();
    let mut parameters = network.parameters().to_vec();
    let biases: Vec<usize> =
        network.context.iter().chain([&network.enter]).filter_map(|layer| layer.bias()).flatten().collect();
    biases.iter().for_each(|&k| parameters[k] = -100.0);
    network.set_parameters(&parameters).unwrap();
    let (contexts, mut pass) = ([1, -1, 1, -1, -1, 1], network.new_pass(2));
    network.set_context(&contexts, &[], &mut pass);
    network.evaluate(&[1, -1, -1, -1], &mut pass);
    assert!(pass.context_z.iter().chain(&pass.z).flatten().all(|&z| z < 0.0));
    let mut gradient = vec![0.0; parameters.len()];
    network.accumulate_gradient(&mut pass, &[1.0, 0.5], &mut gradient);
    assert!(biases.iter().all(|&k| gradient[k].abs() > 1e-9), "{gradient:?}");
}
