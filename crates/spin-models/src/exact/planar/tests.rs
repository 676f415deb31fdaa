//! Against enumeration and the reference numbers.

use super::reference::{FREE_FERROMAGNET, FREE_PLUS_MINUS, TORUS};
use super::*;
use crate::{Boundary, Disorder, Enumeration, Lattice};
use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use linalg_core::num_complex::Complex64;
use linalg_core::rand::{Rng, RngExt};

/// ln Z relative to the number of digits that its terms allow: |ln Z| and the energies are of one size.
fn assert_close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}: {a} and {b}, difference {:e}", a - b);
}

/// A random planar graph: points inserted one by one into a triangle of a triangulation, of which a random part of the
/// edges is kept, so that bridges, cut vertices and isolated vertices appear.
pub(super) fn random_planar(n: usize, keep: f64, rng: &mut impl Rng) -> Vec<(usize, usize)> {
    let mut faces = vec![[0, 1, 2], [0, 1, 2]];
    let mut edges = vec![(0, 1), (1, 2), (0, 2)];
    for v in 3..n {
        let k = rng.random_range(0..faces.len() as u32) as usize;
        let [a, b, c] = faces.swap_remove(k);
        faces.extend([[a, b, v], [b, c, v], [a, c, v]]);
        edges.extend([(a, v), (b, v), (c, v)]);
    }
    edges.retain(|&(i, j)| i.max(j) < n && rng.random::<f64>() < keep);
    edges
}

pub(super) fn random_model(n: usize, rng: &mut impl Rng) -> Ising {
    let keep = [0.4, 0.6, 0.8, 1.0][rng.random_range(0..4u32) as usize];
    let edges = random_planar(n, keep, rng);
    let kind = rng.random_range(0..3u32);
    let couplings = edges.into_iter().map(|(i, j)| {
        let coupling = match kind {
            0 => rng.random_range(-1.0..1.0),
            1 => {
                if rng.random() {
                    1.0
                } else {
                    -1.0
                }
            }
            _ => [0.0, 1.0, -1.0, 3.0][rng.random_range(0..4u32) as usize],
        };
        (i, j, coupling)
    });
    Ising::builder(n).couplings(couplings.collect::<Vec<_>>()).offset(0.5).build().unwrap()
}

#[test]
fn random_planar_graphs_agree_with_enumeration() {
    let mut rng = Streams::new(401).stream(0);
    for round in 0..400 {
        let n = rng.random_range(1..13u32) as usize;
        let model = random_model(n, &mut rng);
        for beta in [0.0, 0.3, 1.0, 3.0, 50.0] {
            let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
            let got = Planar::default().ln_z(&model, beta).unwrap();
            assert_close(got.value, exact, 2e-13, &format!("round {round}, beta {beta}, {model:?}"));
        }
    }
}

#[test]
fn reference_values() {
    for (l, beta, expected) in FREE_FERROMAGNET {
        let model = Ising::square(l, Boundary::Free, 1.0).unwrap();
        let got = Planar::default().ln_z(&model, beta).unwrap();
        assert_close(got.value, expected, 1e-12, &format!("ferromagnet, L = {l}, beta = {beta}"));
    }
    for (l, seed, beta, expected) in FREE_PLUS_MINUS {
        let model = Ising::plus_minus_splitmix(l, l, seed).unwrap();
        let got = Planar::default().ln_z(&model, beta).unwrap();
        assert_eq!(got.kind, crate::Kind::Exact);
        assert_close(got.value, expected, 1e-12, &format!("plus-minus J, L = {l}, seed {seed}, beta = {beta}"));
    }
    for (l, beta, expected) in TORUS {
        let model = Ising::square(l, Boundary::Periodic, 1.0).unwrap();
        let got = Planar::default().ln_z(&model, beta).unwrap();
        assert_eq!(got.kind, crate::Kind::Exact);
        assert_close(got.value, expected, 1e-12, &format!("torus, L = {l}, beta = {beta}"));
    }
}

#[test]
fn periodic_lattices_agree_with_enumeration() {
    let mut rng = Streams::new(402).stream(0);
    for (h, w) in [(3, 3), (3, 4), (4, 3), (3, 5), (2, 5), (4, 4)] {
        for periodic in
            [[Boundary::Periodic; 2], [Boundary::Free, Boundary::Periodic], [Boundary::Periodic, Boundary::Free]]
        {
            let lattice = Lattice::rectangle([h, w], periodic).unwrap();
            for dilution in [0.0, 0.2] {
                let couplings: Vec<f64> = (0..lattice.n_edges()).map(|_| rng.random_range(-1.0..1.0)).collect();
                let model = Ising::on_lattice(&lattice, &couplings).unwrap();
                let kept: Vec<_> = model.couplings().filter(|_| rng.random::<f64>() >= dilution).collect();
                let model = Ising::builder(h * w).couplings(kept).build().unwrap();
                for beta in [0.0, 0.4, 1.0, 2.0] {
                    let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
                    let got = match Planar::default().ln_z(&model, beta) {
                        // Dilution may leave too few bonds to see the lattice.
                        Err(Error::NotApplicable { .. }) if dilution > 0.0 => continue,
                        other => other.unwrap().value,
                    };
                    assert_close(got, exact, 1e-12, &format!("{h} x {w} {periodic:?} beta {beta} dilution {dilution}"));
                }
            }
        }
    }
}

/// Energy and correlations by summation over all configurations.
fn sums(model: &Ising, beta: f64) -> (f64, Vec<f64>) {
    let n = model.n_spins();
    let ln_z = Enumeration::default().ln_z(model, beta).unwrap().value;
    let mut energy = 0.0;
    let mut pairs = vec![0.0; model.n_couplings()];
    for state in 0..1u64 << n {
        let s = crate::Spins::from_state(state, n);
        let e = model.energy(&s);
        let p = (-beta * e - ln_z).exp();
        energy += p * e;
        for (sum, (i, j, _)) in pairs.iter_mut().zip(model.couplings()) {
            *sum += p * f64::from(s[i] * s[j]);
        }
    }
    (energy, pairs)
}

#[test]
fn correlations_agree_with_enumeration() {
    let mut rng = Streams::new(403).stream(0);
    for round in 0..150 {
        let n = rng.random_range(1..11u32) as usize;
        let model = random_model(n, &mut rng);
        for beta in [0.0, 0.3, 1.0, 3.0, 8.0, 20.0, 50.0] {
            let (energy, pairs) = sums(&model, beta);
            let got = Planar::default().solve(&model, beta, Quantities::all(), &mut ()).unwrap();
            let what = format!("round {round}, beta {beta}, {model:?}");
            assert_close(got.energy.unwrap().value, energy, 1e-11, &what);
            for (a, b) in got.correlations.unwrap().values.iter().zip(&pairs) {
                // The oracle divides by exp(ln Z), which is rounded.
                assert!((a.value - b).abs() < 1e-12 * (1.0 + beta), "{what}: {a:?} {b}");
            }
            assert!(got.magnetizations.unwrap().iter().all(|m| m.value.to_bits() == 0));
        }
    }
}

#[test]
fn dense_pfaffian_and_determinant_agree() {
    let mut rng = Streams::new(404).stream(0);
    for round in 0..150 {
        let n = rng.random_range(1..13u32) as usize;
        let model = random_model(n, &mut rng);
        for beta in [0.0, 0.3, 0.7] {
            let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
            assert_close(kasteleyn(&model, beta).unwrap().value, exact, 1e-12, &format!("round {round} {model:?}"));
            let z = kasteleyn_complex(&model, beta.into()).unwrap();
            assert_close(z.ln_abs, exact, 1e-12, "complex");
            assert!(z.phase.abs() < 1e-10);
        }
    }
    for (h, w) in [(1, 1), (1, 6), (3, 4), (7, 9)] {
        for lattice in [
            Lattice::rectangle([h, w], [Boundary::Free; 2]).unwrap(),
            Lattice::triangular([h, w], [Boundary::Free; 2]).unwrap(),
        ] {
            let couplings: Vec<f64> = (0..lattice.n_edges()).map(|_| rng.random_range(-1.0..1.0)).collect();
            let model = Ising::on_lattice(&lattice, &couplings).unwrap();
            for beta in [0.0, 0.2, 0.6] {
                let here = Planar::default().ln_z(&model, beta).unwrap().value;
                assert_close(kac_ward(&model, beta).unwrap().value, here, 1e-12, "determinant");
                assert_close(kasteleyn(&model, beta).unwrap().value, here, 1e-12, "Pfaffian");
            }
        }
    }
}

/// Z of a complex temperature by summation.
#[test]
fn complex_temperatures_agree_with_enumeration() {
    let model = Ising::plus_minus_splitmix(3, 4, 5).unwrap();
    for beta in [Complex64::new(0.2, 0.7), Complex64::new(-0.4, 1.1), Complex64::new(0.0, -2.0)] {
        let direct: Complex64 =
            (0..1u64 << 12).map(|state| (-beta * model.energy(&crate::Spins::from_state(state, 12))).exp()).sum();
        let z = kasteleyn_complex(&model, beta).unwrap().to_complex();
        // 4096 terms of modulus up to e^{0.4 * 17}.
        assert!((z - direct).norm() < 1e-9 * (1.0 + direct.norm()), "{z} {direct}");
    }
}

#[test]
fn a_plan_follows_signs_and_weights() {
    let mut rng = Streams::new(405).stream(0);
    let model = random_model(11, &mut rng);
    let m = model.n_couplings();
    let mut plan = Planar::default().prepare(&model).unwrap();
    assert_eq!(plan.n_interactions(), m + 11);
    let mut replan = crate::Replan::new(Planar::default(), model);
    for _ in 0..5 {
        let mut flips = BitVec::zeros(m + 11);
        (0..m).for_each(|a| flips.set(a, rng.random()));
        let (a, b) = (plan.ln_z_signed(&flips, 0.8).unwrap(), replan.ln_z_signed(&flips, 0.8).unwrap());
        assert_close(a.value, b.value, 1e-13, "signs");
        let mut weights: Vec<f64> = (0..m).map(|_| rng.random_range(-2.0..2.0)).collect();
        weights.resize(m + 11, 0.0);
        plan.set_weights(&weights).unwrap();
        replan.set_weights(&weights).unwrap();
    }
    let mut weights = vec![0.0; m + 11];
    weights[m + 3] = 0.5;
    let text = plan.set_weights(&weights).unwrap_err().to_string();
    assert_eq!(text, "planar does not apply: site 3 has the field 0.5, expected no fields");
    assert!(matches!(plan.set_weights(&[1.0]), Err(Error::WrongLength { got: 1, .. })));
    weights[0] = f64::NAN;
    assert!(matches!(plan.set_weights(&weights), Err(Error::NotFinite { entry: 0, .. })));
    assert!(matches!(plan.ln_z_signed(&BitVec::zeros(m + 11), f64::INFINITY), Err(Error::Beta { .. })));
}

#[test]
fn what_does_not_apply_is_refused() {
    let field = Ising::builder(3).coupling(0, 1, 1.0).field(2, 0.1).build().unwrap();
    let text = Planar::default().check(&field, 1.0).unwrap_err().to_string();
    assert_eq!(text, "planar does not apply: site 2 has the field 0.1, expected no fields");
    let k5 = Ising::complete(5, 1.0).unwrap();
    let text = Planar::default().ln_z(&k5, 1.0).unwrap_err().to_string();
    let reason = "the graph is not planar: sites 3 and 4 cannot be joined without a crossing";
    assert_eq!(text, format!("planar does not apply: {reason}"));
    let pair = Ising::builder(2).coupling(0, 1, 1e300).build().unwrap();
    assert!(matches!(Planar::default().ln_z(&pair, f64::NAN), Err(Error::Beta { .. })));
    assert!(matches!(Planar::default().ln_z(&pair, 2.0), Err(Error::Parameter { .. })));
    assert!(matches!(kac_ward(&pair, 0.1), Err(Error::NotApplicable { .. })));
    let lattice = Ising::square(8, Boundary::Free, 1.0).unwrap();
    let mut stop = |_: &Progress| std::ops::ControlFlow::Break(());
    let stopped = Planar::default().ln_z_observed(&lattice, 1.0, &mut stop);
    assert!(matches!(stopped, Err(Error::Stopped { solver: "planar", done: 0, .. })));
}

/// Large faces, long bridges, a hub of many cycles, and a ring whose two faces have all sides.
#[test]
fn extreme_shapes() {
    let n = 20_000;
    let k = 0.9f64;
    let (n_f, ln_2cosh) = (n as f64, (2.0 * k.cosh()).ln());
    let ring = Ising::ring(n, 1.0).unwrap();
    // tanh^n vanishes.
    assert_close(Planar::default().ln_z(&ring, k).unwrap().value, n_f * ln_2cosh, 1e-13, "ring");
    let star = Ising::builder(n).couplings((1..n).map(|i| (0, i, 1.0))).build().unwrap();
    let tree = std::f64::consts::LN_2 + (n_f - 1.0) * ln_2cosh;
    assert_close(Planar::default().ln_z(&star, k).unwrap().value, tree, 1e-13, "star");
    // Triangles with one common site.
    let fan = (0..n / 2).flat_map(|i| {
        let (a, b) = (2 * i + 1, 2 * i + 2);
        [(0, a, 1.0), (a, b, -1.0), (0, b, 1.0)]
    });
    let fan = Ising::builder(n + 1).couplings(fan).build().unwrap();
    let triangle = (6.0 * k.exp() + 2.0 * (-3.0 * k).exp()).ln() - std::f64::consts::LN_2;
    let expected = std::f64::consts::LN_2 + (n / 2) as f64 * triangle;
    assert_close(Planar::default().ln_z(&fan, k).unwrap().value, expected, 1e-13, "fan");
    // A wheel, by its transfer matrix with the hub up: the rim has a field K.
    let n = 500;
    let rim = (0..n).flat_map(|i| [(n, i, 1.0), (i, (i + 1) % n, 1.0)]);
    let wheel = Ising::builder(n + 1).couplings(rim.collect::<Vec<_>>()).build().unwrap();
    let root = (k.exp() * k.sinh()).hypot((-k).exp());
    let largest = k.exp() * k.cosh() + root;
    let other = k.exp() * k.cosh() - root;
    let expected = std::f64::consts::LN_2 + n as f64 * largest.ln() + (other / largest).powi(n as i32).ln_1p();
    assert_close(Planar::default().ln_z(&wheel, k).unwrap().value, expected, 1e-12, "wheel");
}

/// At β = 2 plain numbers lose digits on this lattice; the value is that of two runs with 106 bits, in other units and
/// with lost amplitudes raised or dropped, which agree to 1e-13.
#[test]
fn a_large_cold_lattice() {
    let model = Ising::plus_minus_splitmix(128, 128, 1).unwrap();
    let got = Planar::default().ln_z(&model, 2.0).unwrap();
    assert_eq!(got.kind, crate::Kind::Exact);
    assert_close(got.value, 46_903.293_402_250_16, 2e-12, "L = 128, beta = 2");
}

/// ln Z, energy and specific heat by summation over all configurations.
fn averages(model: &Ising, beta: f64) -> [f64; 3] {
    let n = model.n_spins();
    let ln_z = Enumeration::default().ln_z(model, beta).unwrap().value;
    let mut moments = [0.0; 3];
    let (lowest, _) = (0..1u64 << n)
        .map(|state| (model.energy(&crate::Spins::from_state(state, n)), state))
        .reduce(|a, b| if b.0 < a.0 { b } else { a })
        .unwrap();
    for state in 0..1u64 << n {
        let e = model.energy(&crate::Spins::from_state(state, n)) - lowest;
        let p = (-beta * (e + lowest) - ln_z).exp();
        for (k, moment) in moments.iter_mut().enumerate() {
            *moment += p * e.powi(k as i32);
        }
    }
    let mean = moments[1] / moments[0];
    [ln_z, mean + lowest, beta * beta * (moments[2] / moments[0] - mean * mean)]
}

#[test]
fn thermodynamics_agree_with_enumeration() {
    let mut rng = Streams::new(461).stream(0);
    let mut models: Vec<Ising> = (0..100).map(|_| random_model(rng.random_range(1..11), &mut rng)).collect();
    for (h, w) in [(3, 3), (3, 4), (4, 3)] {
        for periodic in [[Boundary::Periodic; 2], [Boundary::Free, Boundary::Periodic]] {
            let lattice = Lattice::rectangle([h, w], periodic).unwrap();
            let couplings: Vec<f64> = (0..lattice.n_edges()).map(|_| rng.random_range(-1.0..1.0)).collect();
            models.push(Ising::on_lattice(&lattice, &couplings).unwrap());
        }
        models.push(Ising::square(4, Boundary::Periodic, 1.0).unwrap());
    }
    for (round, model) in models.iter().enumerate() {
        for beta in [0.0, 0.01, 0.3, 1.0, 3.0, 20.0] {
            let [ln_z, energy, specific_heat] = averages(model, beta);
            let got = Planar::default().thermodynamics(model, beta).unwrap();
            let what = format!("model {round}, beta {beta}, {got:?}, {model:?}");
            assert_close(got.ln_z.value, ln_z, 1e-12, &what);
            // The oracle sums up to 65536 rounded probabilities.
            assert_close(got.energy, energy, 1e-10, &what);
            assert_close(got.entropy, ln_z + beta * energy, 1e-10 * (1.0 + beta), &what);
            // The oracle subtracts squares.
            assert!((got.specific_heat - specific_heat).abs() < 1e-10 * (1.0 + beta * beta), "{what}: {specific_heat}");
            let solved = Planar::default().solve(model, beta, Quantities::all(), &mut ()).unwrap();
            if let Some(solved) = solved.energy {
                assert_close(solved.value, energy, 1e-10, &what);
            }
        }
    }
}

/// Odd rings of an antiferromagnet are frustrated, and walls an odd number of times around would mend both directions: their
/// weight, which the four Pfaffians of the torus must cancel, is about exp(4 L β) of what is left, 1e36 for L = 7, β = 3.
#[test]
fn an_odd_antiferromagnet_is_what_is_left_of_four_pfaffians() {
    use crate::TransferMatrix;
    for (h, w) in [(5, 5), (7, 7), (5, 8)] {
        let lattice = Lattice::rectangle([h, w], [Boundary::Periodic; 2]).unwrap();
        let model = Ising::on_lattice(&lattice, &vec![-1.0; lattice.n_edges()]).unwrap();
        for beta in [0.5, 1.0, 3.0] {
            let what = format!("{h} x {w}, beta = {beta}");
            let exact = TransferMatrix::default().solve(&model, beta, Quantities::all(), &mut ()).unwrap();
            let energy = exact.energy.unwrap().value;
            let got = Planar::default().thermodynamics(&model, beta).unwrap();
            assert_eq!(got.ln_z.kind, crate::Kind::Exact, "{what}");
            assert_close(got.ln_z.value, exact.ln_z.unwrap().value, 1e-12, &what);
            assert_close(got.energy, energy, 1e-10, &what);
            let solved = Planar::default().solve(&model, beta, Quantities::all(), &mut ()).unwrap();
            assert_close(solved.energy.unwrap().value, energy, 1e-10, &what);
        }
    }
}

/// Kaufman's torus, of which energy and specific heat are known in closed form.
#[test]
fn a_torus_has_the_energy_of_kaufman() {
    use crate::exact::kaufman;
    let critical = 0.5 * 2f64.sqrt().ln_1p();
    for (h, w, beta) in [(8, 8, 0.3), (8, 8, critical), (5, 7, 0.5), (16, 16, 0.44), (16, 16, critical), (6, 9, 2.0)] {
        let lattice = Lattice::rectangle([h, w], [Boundary::Periodic; 2]).unwrap();
        let model = Ising::on_lattice(&lattice, &vec![1.0; lattice.n_edges()]).unwrap();
        let got = Planar::default().thermodynamics(&model, beta).unwrap();
        let n = (h * w) as f64;
        let what = format!("{h} x {w}, beta = {beta}");
        assert_eq!(got.ln_z.kind, crate::Kind::Exact);
        assert_close(got.ln_z.value, kaufman::ln_z(h, w, beta).unwrap(), 1e-12, &what);
        assert_close(got.energy / n, kaufman::energy_per_site(h, w, beta).unwrap(), 1e-11, &what);
        assert_close(got.specific_heat / n, kaufman::specific_heat(h, w, beta).unwrap(), 1e-10, &what);
    }
}

#[test]
fn pair_correlations_agree_with_enumeration() {
    let mut rng = Streams::new(471).stream(0);
    let mut models: Vec<Ising> = (0..80).map(|_| random_model(rng.random_range(1..11), &mut rng)).collect();
    for periodic in [[Boundary::Periodic; 2], [Boundary::Free, Boundary::Periodic], [Boundary::Free; 2]] {
        let lattice = Lattice::rectangle([3, 4], periodic).unwrap();
        let couplings: Vec<f64> = (0..lattice.n_edges()).map(|_| rng.random_range(-1.0..1.0)).collect();
        models.push(Ising::on_lattice(&lattice, &couplings).unwrap());
        models.push(Ising::on_lattice(&lattice, &vec![1.0; lattice.n_edges()]).unwrap());
    }
    for (round, model) in models.iter().enumerate() {
        let n = model.n_spins();
        let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
        for beta in [0.0, 0.3, 1.0, 4.0, 20.0] {
            let ln_z = Enumeration::default().ln_z(model, beta).unwrap().value;
            let mut expected = vec![0.0; pairs.len()];
            for state in 0..1u64 << n {
                let s = crate::Spins::from_state(state, n);
                let p = (-beta * model.energy(&s) - ln_z).exp();
                for (sum, &(i, j)) in expected.iter_mut().zip(&pairs) {
                    *sum += p * f64::from(s[i] * s[j]);
                }
            }
            let got = Planar::default().pair_correlations(model, beta, &pairs).unwrap();
            assert_eq!(got.pairs, pairs);
            for ((a, b), pair) in got.values.iter().zip(&expected).zip(&pairs) {
                // The oracle divides by exp(ln Z), which is rounded.
                assert!((a.value - b).abs() < 2e-12 * (1.0 + beta), "{round} {beta} {pair:?}: {a:?} {b} {model:?}");
            }
        }
    }
    let pair = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    let mut second = |progress: &Progress| match progress.done {
        0 => std::ops::ControlFlow::Continue(()),
        _ => std::ops::ControlFlow::Break(()),
    };
    let stopped = Planar::default().pair_correlations_observed(&pair, 1.0, &[(0, 1), (1, 0)], &mut second);
    assert!(matches!(stopped, Err(Error::Stopped { solver: "planar", done: 1, total: 2 })));
    let stopped = Planar::default()
        .thermodynamics_observed(&models[0], 1.0, &mut |_: &Progress| std::ops::ControlFlow::Break(()));
    assert!(models[0].n_couplings() == 0 || matches!(stopped, Err(Error::Stopped { done: 0, .. })));
    let error = Planar::default().pair_correlations(&pair, 1.0, &[(0, 1), (0, 2)]).unwrap_err();
    assert!(matches!(error, Error::SiteOutOfBounds { entry: 1, site: 2, .. }), "{error}");
    assert!(Planar::default().pair_correlations(&pair, f64::NAN, &[]).is_err());
}

/// The correlations of coupled pairs of a torus from the surroundings of all cells, against sums over configurations.
#[test]
fn coupled_pairs_of_a_torus_agree_with_enumeration() {
    let mut rng = Streams::new(481).stream(0);
    let mut models = Vec::new();
    for shape in [[3, 3], [3, 4], [4, 3], [4, 4]] {
        let lattice = Lattice::rectangle(shape, [Boundary::Periodic; 2]).unwrap();
        let n = lattice.n_edges();
        let couplings: Vec<f64> = (0..n).map(|_| rng.random_range(-1.0..1.0)).collect();
        models.push(Ising::on_lattice(&lattice, &couplings).unwrap());
        let signs: Vec<f64> = (0..n).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
        models.push(Ising::on_lattice(&lattice, &signs).unwrap());
        models.push(Ising::on_lattice(&lattice, &vec![-1.0; n]).unwrap());
    }
    let critical = 0.5 * 2f64.sqrt().ln_1p();
    for (round, model) in models.iter().enumerate() {
        for beta in [0.0, 0.3, critical, 1.0, 4.0, 20.0] {
            let want = Quantities { correlations: Correlations::Coupled, ..Quantities::ln_z() };
            let got = Planar::default().solve(model, beta, want, &mut ()).unwrap();
            let what = format!("model {round}, beta = {beta}");
            let exact = Enumeration::default().ln_z(model, beta).unwrap().value;
            let ln_z = got.ln_z.unwrap();
            assert_eq!(ln_z.kind, crate::Kind::Exact, "{what}");
            assert_close(ln_z.value, exact, 1e-12, &what);
            let got = got.correlations.unwrap();
            assert!(got.pairs.iter().copied().eq(model.couplings().map(|(i, j, _)| (i, j))));
            let n = model.n_spins();
            let mut expected = vec![0.0; got.pairs.len()];
            for state in 0..1u64 << n {
                let s = crate::Spins::from_state(state, n);
                let p = (-beta * model.energy(&s) - exact).exp();
                for (sum, &(i, j)) in expected.iter_mut().zip(&got.pairs) {
                    *sum += p * f64::from(s[i] * s[j]);
                }
            }
            for ((a, b), pair) in got.values.iter().zip(&expected).zip(&got.pairs) {
                // The oracle divides by exp(ln Z), which is rounded.
                assert!((a.value - b).abs() < 2e-12 * (1.0 + beta), "{what}, {pair:?}: {a:?} {b:?}");
            }
        }
    }
}

/// Larger tori: against changes of sign along paths, and the energy of Kaufman's ferromagnet.
#[test]
fn coupled_pairs_of_larger_tori() {
    let want = Quantities { correlations: Correlations::Coupled, ..Quantities::ln_z() };
    let lattice = Lattice::rectangle([7, 10], [Boundary::Periodic; 2]).unwrap();
    for (disorder, beta) in [(Disorder::gaussian(), 0.7), (Disorder::plus_minus(), 1.0), (Disorder::plus_minus(), 3.0)]
    {
        let model = Ising::edwards_anderson(&lattice, disorder, &mut Streams::new(483).stream(0)).unwrap();
        let solved = Planar::default().solve(&model, beta, want, &mut ()).unwrap();
        let ln_z = Planar::default().ln_z(&model, beta).unwrap();
        assert_close(solved.ln_z.unwrap().value, ln_z.value, 1e-12, "ln Z");
        let coupled = solved.correlations.unwrap();
        let by_paths = Planar::default().pair_correlations(&model, beta, &coupled.pairs).unwrap();
        for ((a, b), pair) in coupled.values.iter().zip(&by_paths.values).zip(&coupled.pairs) {
            assert!((a.value - b.value).abs() < 1e-11, "{beta} {pair:?}: {a:?} {b:?}");
        }
    }
    let critical = 0.5 * 2f64.sqrt().ln_1p();
    for (l, beta) in [(12, 0.3), (12, critical), (12, 0.6), (12, 2.0)] {
        let model = Ising::square(l, Boundary::Periodic, 1.0).unwrap();
        let solved = Planar::default().solve(&model, beta, want, &mut ()).unwrap();
        let expected = -0.5 * crate::exact::kaufman::energy_per_site(l, l, beta).unwrap();
        for value in solved.correlations.unwrap().values {
            assert!((value.value - expected).abs() < 1e-11, "{l} {beta}: {value:?} {expected}");
        }
    }
}

/// Those of coupled pairs are also known from the surroundings of all cells.
#[test]
fn pair_correlations_of_a_lattice() {
    let model = Ising::plus_minus_splitmix(12, 12, 1).unwrap();
    let solved = Planar::default().solve(&model, 1.0, Quantities::all(), &mut ()).unwrap().correlations.unwrap();
    let got = Planar::default().pair_correlations(&model, 1.0, &solved.pairs).unwrap();
    for (a, b) in got.values.iter().zip(&solved.values) {
        assert!((a.value - b.value).abs() < 1e-11, "{a:?} {b:?}");
    }
}
