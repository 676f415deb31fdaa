use num_complex::Complex64;
use rand::{Rng, RngExt};

use super::entry::Sealed;
use super::*;
use crate::rng::Streams;

/// Sums over all index combinations of all legs.
fn brute_force<T: Entry>(network: &Network, tensors: &[Tensor<T>]) -> Vec<T> {
    let dims = network.dims();
    let total: usize = dims.iter().product();
    let open: Vec<usize> = network.open().iter().map(|&leg| leg as usize).collect();
    let size: usize = open.iter().map(|&leg| dims[leg]).product();
    let mut out = vec![T::ZERO; size];
    for mut k in 0..total {
        let mut index = vec![0; dims.len()];
        for (leg, &dim) in dims.iter().enumerate() {
            index[leg] = k % dim;
            k /= dim;
        }
        let product = tensors.iter().fold(T::ONE, |product, tensor| {
            let at: Vec<usize> = tensor.legs().iter().map(|&leg| index[leg as usize]).collect();
            product.times(tensor.value(&at))
        });
        let place = open.iter().fold(0, |place, &leg| place * dims[leg] + index[leg]);
        out[place] = out[place].plus(product);
    }
    out
}

fn below<R: Rng + ?Sized>(n: usize, rng: &mut R) -> usize {
    rng.random_range(0..n as u32) as usize
}

/// A random hypergraph; every leg belongs to some tensor.
fn random_network<R: Rng + ?Sized>(max_legs: usize, max_tensors: usize, open: bool, rng: &mut R) -> Network {
    loop {
        let n_legs = below(max_legs, rng) + 1;
        let dims: Vec<usize> = (0..n_legs).map(|_| [1, 2, 2, 2, 3][below(5, rng)]).collect();
        let n_tensors = below(max_tensors, rng) + 1;
        let tensors: Vec<Vec<Leg>> = (0..n_tensors)
            .map(|_| {
                let mut legs: Vec<Leg> = (0..n_legs as Leg).collect();
                let keep = below(5.min(n_legs + 1), rng);
                for i in 0..keep {
                    let j = i + below(n_legs - i, rng);
                    legs.swap(i, j);
                }
                legs.truncate(keep);
                legs
            })
            .collect();
        let used = |leg: &Leg| tensors.iter().any(|legs| legs.contains(leg));
        if (0..n_legs as Leg).all(|leg| used(&leg)) {
            let chosen = (0..n_legs as Leg).filter(|_| open && below(4, rng) == 0).collect();
            return Network::new(dims, tensors, chosen).unwrap();
        }
    }
}

fn random_tensors<T: Entry, R: Rng + ?Sized>(
    network: &Network,
    rng: &mut R,
    entry: &dyn Fn(&mut R) -> T,
) -> Vec<Tensor<T>> {
    let make = |legs: &Vec<Leg>, rng: &mut R| {
        let dims: Vec<usize> = legs.iter().map(|&leg| network.dims()[leg as usize]).collect();
        let data = (0..dims.iter().product()).map(|_| entry(rng)).collect();
        Tensor::new(legs.clone(), dims, data).with_ln_scale(rng.random_range(-0.5..0.5))
    };
    network.tensors().iter().map(|legs| make(legs, rng)).collect()
}

fn compare<T: Entry>(seed: u64, entry: &dyn Fn(&mut rand_chacha::ChaCha8Rng) -> T, distance: &dyn Fn(T, T) -> f64) {
    let mut rng = Streams::new(seed).stream(0);
    for trial in 0..150 {
        let network = random_network(9, 10, trial % 2 == 0, &mut rng);
        let tensors = random_tensors(&network, &mut rng, entry);
        let expected = brute_force(&network, &tensors);
        let params = OrderParams::default().with_seed(trial).with_effort(if trial % 3 == 0 { 1e9 } else { 1.0 });
        let tree = params.with_restarts(3).with_sweeps(100).find(&network).unwrap();
        let inner: Vec<Leg> = (0..network.dims().len() as Leg).filter(|leg| !network.open().contains(leg)).collect();
        for n_sliced in [0, inner.len().min(trial as usize % 4)] {
            let contraction = Contraction::with_slices(&network, &tree, &inner[..n_sliced]).unwrap();
            let value = contraction.run(&tensors).tensor.transposed(network.open());
            let scale = expected.iter().map(|&x| distance(x, T::ZERO)).fold(0.0, f64::max).max(1.0);
            for (&x, &y) in value.data().iter().zip(&expected) {
                let x = x.scaled(value.ln_scale());
                assert!(distance(x, y) < 1e-12 * scale, "trial {trial}, {network:?}, {n_sliced}: {x:?} and {y:?}");
            }
        }
    }
}

fn log_distance(x: f64, y: f64) -> f64 {
    // Minus infinity is a zero: it has to be met exactly.
    if y.is_finite() {
        (x - y).abs()
    } else if x.is_finite() {
        f64::INFINITY
    } else {
        0.0
    }
}

#[test]
fn random_hypergraphs_agree_with_brute_force() {
    compare::<f64>(1, &|rng| rng.random_range(-1.0..1.0), &|x, y| (x - y).abs());
    let complex =
        |rng: &mut rand_chacha::ChaCha8Rng| Complex64::new(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
    compare::<Complex64>(2, &complex, &|x, y| (x - y).norm());
    compare::<Logarithm>(3, &|rng| Logarithm(rng.random_range(-5.0..5.0)), &|x, y| log_distance(x.0, y.0));
    compare::<MaxPlus>(4, &|rng| MaxPlus(rng.random_range(-5.0..5.0)), &|x, y| log_distance(x.0, y.0));
}

/// Large enough for every kernel: absorbing with and without a copy, entrywise, products, both orders of the result.
#[test]
fn large_pairs_agree_with_loops() {
    let mut rng = Streams::new(7).stream(0);
    for trial in 0..60 {
        let n_legs = 12;
        let mut legs: Vec<Leg> = (0..n_legs).collect();
        let role: Vec<usize> = (0..n_legs).map(|_| [0, 0, 1, 1, 2, 3][below(6, &mut rng)]).collect();
        for i in 0..n_legs as usize {
            legs.swap(i, below(n_legs as usize, &mut rng));
        }
        let pick = |roles: &[usize], legs: &[Leg]| -> Vec<Leg> {
            legs.iter().copied().filter(|&leg| roles.contains(&role[leg as usize])).collect()
        };
        let a = pick(&[0, 2, 3], &legs);
        legs.reverse();
        let b = pick(&[1, 2, 3], &legs);
        let keep = pick(&[0, 1, 3], &legs);
        let network = Network::new(vec![2; n_legs as usize], vec![a, b], keep.clone()).unwrap();
        let tensors = random_tensors::<f64, _>(&network, &mut rng, &|rng| rng.random_range(-1.0..1.0));
        let expected = brute_force(&network, &tensors);
        let value = tensors[0].contract(&tensors[1], &keep).transposed(&keep);
        for (&x, &y) in value.data().iter().zip(&expected) {
            assert!((x.scaled(value.ln_scale()) - y).abs() < 1e-12 * (y.abs() + 10.0), "trial {trial}: {x} and {y}");
        }
    }
}

#[test]
fn shares_are_probabilities() {
    let mut rng = Streams::new(5).stream(0);
    for trial in 0..80usize {
        let network = random_network(8, 9, false, &mut rng);
        let tensors = random_tensors::<f64, _>(&network, &mut rng, &|rng| rng.random_range(0.1..1.0));
        let total = brute_force(&network, &tensors)[0];
        let tree = OrderParams::default().find(&network).unwrap();
        let sliced: Vec<Leg> = (0..network.dims().len().min(trial % 4) as Leg).collect();
        let contraction = Contraction::with_slices(&network, &tree, &sliced).unwrap();
        let shares = contraction.shares(&tensors, &mut ()).unwrap();
        assert!((shares.value.tensor.value(&[]) / total - 1.0).abs() < 1e-13);
        for (t, tensor) in tensors.iter().enumerate() {
            // By definition: the value with all other entries of the tensor set to zero.
            for place in 0..tensor.data().len() {
                let mut alone = tensors.clone();
                let entries = tensor.data().iter().enumerate();
                alone[t].data = entries.map(|(p, &x)| if p == place { x } else { 0.0 }).collect();
                let expected = brute_force(&network, &alone)[0] / total;
                let share = shares.leaves[t][place];
                assert!((share - expected).abs() < 1e-13, "trial {trial}, tensor {t}, {place}: {share} {expected}");
            }
        }
    }
}

/// Pearson's chi-squared against the naive sum; with ν degrees of freedom it is ν ± √(2ν), and the bound five of these.
#[test]
fn samples_follow_the_weights() {
    let (mut rng, count) = (Streams::new(31).stream(0), 4000);
    for trial in 0..24usize {
        let network = random_network(6, 7, false, &mut rng);
        // Every third entry is zero.
        let entry = |rng: &mut rand_chacha::ChaCha8Rng| [0.0, 1.0, 1.0][below(3, rng)] * rng.random_range(0.2..1.0);
        let tensors = random_tensors::<f64, _>(&network, &mut rng, &entry);
        let size: usize = network.dims().iter().product();
        let open = Network::new(
            network.dims().to_vec(),
            network.tensors().to_vec(),
            (0..network.dims().len() as Leg).collect(),
        );
        let weights = brute_force(&open.unwrap(), &tensors);
        let total: f64 = weights.iter().sum();
        if total == 0.0 {
            continue;
        }
        let tree = OrderParams::default().find(&network).unwrap();
        let sliced: Vec<Leg> = (0..network.dims().len().min(trial % 4) as Leg).collect();
        let contraction = Contraction::with_slices(&network, &tree, &sliced).unwrap();
        let places = if trial % 2 == 0 {
            contraction.samples(&tensors, count, &mut (), &mut rng).unwrap().places
        } else {
            let logarithm = |t: &Tensor<f64>| {
                let data = t.data().iter().map(|x| Logarithm(x.ln())).collect();
                Tensor::new(t.legs().to_vec(), t.dims().to_vec(), data).with_ln_scale(t.ln_scale())
            };
            let tensors: Vec<_> = tensors.iter().map(logarithm).collect();
            contraction.samples(&tensors, count, &mut (), &mut rng).unwrap().places
        };
        let mut seen = vec![0.0; size];
        for place in &places {
            seen[place.iter().zip(network.dims()).fold(0, |at, (&x, &dim)| at * dim + x)] += 1.0;
        }
        let (mut chi_squared, mut degrees, mut rare) = (0.0, -1.0f64, (0.0, 0.0));
        for (&weight, &seen) in weights.iter().zip(&seen) {
            let expected = weight / total * count as f64;
            if expected >= 5.0 {
                chi_squared += (seen - expected).powi(2) / expected;
                degrees += 1.0;
            } else {
                assert!(weight > 0.0 || seen == 0.0, "trial {trial}: an impossible sample");
                rare = (rare.0 + expected, rare.1 + seen);
            }
        }
        if rare.0 >= 5.0 {
            chi_squared += (rare.1 - rare.0) * (rare.1 - rare.0) / rare.0;
            degrees += 1.0;
        }
        let bound = degrees + 5.0 * (2.0 * degrees.max(1.0)).sqrt();
        assert!(chi_squared <= bound, "trial {trial}: chi-squared {chi_squared}, {degrees} degrees of freedom");
    }
}

#[test]
fn slices_are_summed_in_order() {
    let mut rng = Streams::new(8).stream(0);
    let legs = (0..12).map(|t| vec![t, (t + 1) % 12, (t + 5) % 12]).collect();
    let network = Network::new(vec![2; 12], legs, vec![]).unwrap();
    let tensors = random_tensors::<f64, _>(&network, &mut rng, &|rng| rng.random_range(0.1..1.0));
    let tree = OrderParams::default().find(&network).unwrap();
    let shape = tree.cost(&network);
    let budget = (8.0 * shape.log2_peak.exp2() / 5.0) as usize;
    let sliced = slice_to_budget(&network, &tree, 8, budget, Keep::Value).unwrap();
    assert!(!sliced.is_empty());
    let contraction = Contraction::with_slices(&network, &tree, &sliced).unwrap();
    let whole = Contraction::new(&network, &tree).unwrap().run(&tensors).tensor.value(&[]);
    let sum: f64 = (0..contraction.slices()).map(|k| contraction.run_slice(&tensors, k).tensor.value(&[])).sum();
    assert!((sum / whole - 1.0).abs() < 1e-13);
    assert_eq!(contraction.run(&tensors), contraction.run(&tensors));
    let error = slice_to_budget(&network, &tree, 8, 1, Keep::Value).unwrap_err();
    assert!(matches!(error, crate::Error::MemoryBudget { least, budget: 1 } if least >= 8.0));
}

#[test]
fn products_beyond_the_range_keep_their_scale() {
    // A thousand vectors of e^{-40}: the sum of 2 e^{-40000}.
    let network = Network::new(vec![2], vec![vec![0]; 1000], vec![]).unwrap();
    let tensors = vec![Tensor::new(vec![0], vec![2], vec![(-40f64).exp(); 2]); 1000];
    let tree = OrderParams::default().find(&network).unwrap();
    let value = Contraction::new(&network, &tree).unwrap().run(&tensors);
    let ln = value.tensor.data()[0].ln() + value.tensor.ln_scale();
    assert!((ln - (2f64.ln() - 40000.0)).abs() < 1e-9, "{ln}");
}

#[test]
fn stops_on_request() {
    let network = Network::new(vec![2; 11], (0..10).map(|t| vec![t, t + 1]).collect(), vec![]).unwrap();
    let tensors = vec![vec![1.0; 4]; 10].into_iter().zip(network.tensors());
    let tensors: Vec<_> = tensors.map(|(data, legs)| Tensor::new(legs.clone(), vec![2, 2], data)).collect();
    let tree = OrderParams::default().find(&network).unwrap();
    let contraction = Contraction::new(&network, &tree).unwrap();
    let mut stop = |event: &ContractionProgress| {
        if event.done == 3 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    };
    let error = contraction.run_observed(&tensors, &mut stop).unwrap_err();
    assert!(matches!(error, crate::Error::Stopped { done: 3, total: 9, .. }));
}

#[test]
fn bad_networks_and_trees_are_refused() {
    use crate::Error;
    assert!(matches!(Network::new(vec![2], vec![], vec![]), Err(Error::Empty { .. })));
    assert!(matches!(Network::new(vec![2], vec![vec![1]], vec![]), Err(Error::IndexOutOfBounds { index: 1, .. })));
    assert!(matches!(Network::new(vec![2], vec![vec![0, 0]], vec![]), Err(Error::Duplicate { index: 0, .. })));
    assert!(matches!(Network::new(vec![0], vec![vec![0]], vec![]), Err(Error::OutOfRange { .. })));
    assert!(matches!(ContractionTree::new(3, vec![[0, 1]]), Err(Error::TooShort { got: 1, needed: 2, .. })));
    assert!(matches!(ContractionTree::new(2, vec![[0, 2]]), Err(Error::IndexOutOfBounds { index: 2, .. })));
    assert!(matches!(ContractionTree::new(3, vec![[0, 1], [1, 2]]), Err(Error::Duplicate { index: 1, .. })));
}

#[test]
fn maxima_are_counted_and_found() {
    let mut rng = Streams::new(8).stream(0);
    for trial in 0..200 {
        let network = random_network(9, 8, false, &mut rng);
        let entry = |rng: &mut rand_chacha::ChaCha8Rng| MaxCount::one(f64::from(rng.random_range(-2..=2)));
        let dims = |legs: &[Leg]| -> Vec<usize> { legs.iter().map(|&leg| network.dims()[leg as usize]).collect() };
        let tensors: Vec<Tensor<MaxCount>> = network
            .tensors()
            .iter()
            .map(|legs| {
                let data = (0..dims(legs).iter().product()).map(|_| entry(&mut rng)).collect();
                Tensor::new(legs.clone(), dims(legs), data)
            })
            .collect();
        let expected = brute_force(&network, &tensors)[0];
        let tree = OrderParams::default().with_seed(trial).find(&network).unwrap();
        let legs: Vec<Leg> = (0..network.dims().len() as Leg).collect();
        for n_sliced in [0, legs.len().min(trial as usize % 4)] {
            let contraction = Contraction::with_slices(&network, &tree, &legs[..n_sliced]).unwrap();
            let found = contraction.maximum(&tensors, &mut ()).unwrap();
            assert!((found.exponent - expected.exponent).abs() < 1e-12, "{found:?} and {expected:?}");
            assert!(
                (found.ln_count.exp() - expected.count).abs() < 1e-9 * expected.count,
                "{found:?} and {expected:?}"
            );
            let at = |legs: &[Leg]| -> Vec<usize> { legs.iter().map(|&leg| found.place[leg as usize]).collect() };
            let there: f64 = tensors.iter().map(|tensor| tensor.value(&at(tensor.legs())).exponent).sum();
            assert!((there - expected.exponent).abs() < 1e-12, "{found:?} has {there}");
        }
    }
}

/// Two choices without consequence for each of 2000 tensors: 2^2000 maxima.
#[test]
fn counts_beyond_the_range_keep_their_scale() {
    let n = 2000;
    let legs = (0..n).map(|i| vec![i as Leg, i as Leg + 1]).collect();
    let network = Network::new(vec![2; n + 1], legs, vec![]).unwrap();
    let bonds: Vec<_> = network
        .tensors()
        .iter()
        .map(|legs| Tensor::new(legs.clone(), vec![2, 2], vec![MaxCount::one(0.25); 4]))
        .collect();
    let tree = OrderParams::default().find(&network).unwrap();
    let found = Contraction::new(&network, &tree).unwrap().maximum(&bonds, &mut ()).unwrap();
    assert!((found.exponent - 500.0).abs() < 1e-9);
    assert!((found.ln_count - (n + 1) as f64 * 2f64.ln()).abs() < 1e-9);
}

#[test]
fn simplified_networks_have_the_same_value_and_grow_nothing() {
    let mut rng = Streams::new(11).stream(0);
    let mut shorter = 0;
    for trial in 0..200 {
        let network = random_network(9, 10, trial % 2 == 0, &mut rng);
        let tensors = random_tensors(&network, &mut rng, &|rng| rng.random_range(-1.0..1.0));
        let simple = Simplification::new(&network).unwrap();
        let fewer = simple.run(&tensors);
        assert_eq!(fewer.len(), simple.network().tensors().len());
        assert_eq!(fewer.len() + simple.steps().len(), tensors.len());
        shorter += usize::from(fewer.len() < tensors.len());
        let largest = |tensors: &[Tensor<f64>]| tensors.iter().map(|tensor| tensor.data().len()).max();
        assert!(largest(&fewer) <= largest(&tensors));
        assert_eq!(simple.network().open(), network.open());
        let (found, expected) = (brute_force(simple.network(), &fewer), brute_force(&network, &tensors));
        let scale = expected.iter().fold(1.0, |scale: f64, x| scale.max(x.abs()));
        // Legs that are gone are counted as often as they have values by the sum over all combinations.
        let gone: f64 = (0..network.dims().len())
            .filter(|&leg| !simple.network().tensors().iter().any(|legs| legs.contains(&(leg as Leg))))
            .map(|leg| network.dims()[leg] as f64)
            .product();
        for (x, y) in found.iter().zip(&expected) {
            assert!((x / gone - y).abs() < 1e-12 * scale, "trial {trial}: {x} and {y}");
        }
        // Nothing is left to do.
        assert!(Simplification::new(simple.network()).unwrap().steps().is_empty());
    }
    assert!(shorter > 150, "{shorter}");
}

#[test]
fn threads_do_not_change_a_value() {
    let mut rng = Streams::new(12).stream(0);
    for trial in 0..30 {
        let network = random_network(9, 10, trial % 2 == 0, &mut rng);
        let tensors = random_tensors(&network, &mut rng, &|rng| rng.random_range(-1.0..1.0));
        let tree = OrderParams::default().with_restarts(1).with_sweeps(0).find(&network).unwrap();
        let inner = (0..network.dims().len() as Leg).filter(|leg| !network.open().contains(leg));
        let sliced: Vec<Leg> = inner.take(3).collect();
        let contraction = Contraction::with_slices(&network, &tree, &sliced).unwrap();
        let one = contraction.run(&tensors);
        for threads in [1, 2, 5] {
            assert_eq!(contraction.run_on_threads(&tensors, threads, &mut ()).unwrap(), one);
        }
        assert_eq!(contraction.slice_cost(), tree.cost(&network.without(&sliced)));
    }
}

#[test]
fn fixed_legs_are_entries() {
    let mut rng = Streams::new(13).stream(0);
    let network = Network::new(vec![2, 3, 2, 4], vec![vec![2, 1, 3, 0]], vec![]).unwrap();
    let tensor = &random_tensors(&network, &mut rng, &|rng| rng.random_range(-1.0..1.0))[0];
    for (place, &leg) in tensor.legs().iter().enumerate() {
        for index in 0..tensor.dims()[place] {
            let fixed = tensor.fixed(leg, index);
            assert_eq!(fixed.legs().len(), 3);
            let sizes = fixed.dims().to_vec();
            for mut k in 0..fixed.data().len() {
                let mut at = vec![0; 3];
                for (i, &dim) in at.iter_mut().zip(&sizes) {
                    *i = k % dim;
                    k /= dim;
                }
                let value = fixed.value(&at);
                at.insert(place, index);
                assert!((value - tensor.value(&at)).abs() < 1e-15);
            }
        }
    }
}

#[test]
fn a_slice_of_nothing_does_not_hide_a_small_one() {
    // Hundred tensors on one leg: the first allows 1 only, where the others have 1e-10.
    let network = Network::new(vec![2], vec![vec![0]; 100], vec![]).unwrap();
    let tree =
        ContractionTree::new(100, (0..99).map(|k| if k == 0 { [0, 1] } else { [99 + k, k + 1] }).collect()).unwrap();
    let of = |data: [f64; 2]| Tensor::new(vec![0], vec![2], data.to_vec());
    let tensors: Vec<_> = (0..100).map(|k| of(if k == 0 { [0.0, 1.0] } else { [1.0, 1e-10] })).collect();
    let exact = 99.0 * 1e-10f64.ln();
    for sliced in [&[][..], &[0]] {
        let contraction = Contraction::with_slices(&network, &tree, sliced).unwrap();
        let value = contraction.run(&tensors);
        let ln = value.tensor.data[0].ln() + value.tensor.ln_scale;
        assert!((ln - exact).abs() < 1e-9, "{ln} {exact}");
    }
    // Beside each other the two entries of the leg are too far apart for floats; in slices each has a scale of its own.
    let contraction = Contraction::with_slices(&network, &tree, &[0]).unwrap();
    let shares = contraction.shares(&tensors, &mut ()).unwrap();
    assert!(shares.leaves.iter().all(|leaf| leaf[0].abs() < 1e-300 && (leaf[1] - 1.0).abs() < 1e-9), "{shares:?}");
}
