//! Against enumeration, ln Z, published counts and exact zeros.

use super::super::tests::random_planar;
use super::*;
use crate::{Boundary, Lattice, LogPartition, Planar, Spins};
use linalg_core::Streams;
use linalg_core::num_complex::Complex64;
use linalg_core::rand::RngExt;

#[test]
fn random_planar_graphs_agree_with_enumeration() {
    let mut rng = Streams::new(601).stream(0);
    for round in 0..200 {
        let n = rng.random_range(1..12u32) as usize;
        let keep = [0.4, 0.6, 0.8, 1.0][rng.random_range(0..4u32) as usize];
        let values = if round % 2 == 0 { [0.5, -0.5, 0.0] } else { [2.0, -2.0, 2.0] };
        let couplings: Vec<(usize, usize, f64)> = (random_planar(n, keep, &mut rng).into_iter())
            .map(|(i, j)| (i, j, values[rng.random_range(0..3u32) as usize]))
            .collect();
        let model = Ising::builder(n).couplings(couplings).offset(0.25).build().unwrap();
        let density = DensityOfStates::of(&model).unwrap();
        let mut counts = vec![0u64; density.n_couplings() + 1];
        for state in 0..1u64 << n {
            let s = Spins::from_state(state, n);
            counts[model.couplings().filter(|&(i, j, x)| x * f64::from(s[i] * s[j]) < 0.0).count()] += 1;
        }
        let got: Vec<String> = density.counts().iter().map(Natural::to_string).collect();
        assert_eq!(got, counts.iter().map(u64::to_string).collect::<Vec<_>>(), "round {round} {model:?}");
        let lowest = (0..1u64 << n).map(|k| model.energy(&Spins::from_state(k, n))).fold(f64::INFINITY, f64::min);
        assert!((density.ground_states().0 - lowest).abs() < 1e-12);
    }
}

#[test]
fn larger_lattices_agree_with_ln_z() {
    for (rows, columns) in [(9, 10), (12, 12)] {
        let model = Ising::plus_minus_splitmix(rows, columns, 7).unwrap();
        let density = DensityOfStates::of(&model).unwrap();
        let mut total = Natural::default();
        total.mul_add(1, 1);
        (0..rows * columns).for_each(|_| total.mul_add(2, 0));
        assert!((density.ln_z(0.0).unwrap().value - total.ln()).abs() < 1e-11);
        // Counts read the same from both ends on a bipartite graph.
        assert!(density.counts().iter().eq(density.counts().iter().rev()));
        for beta in [0.3, 1.0, 4.0] {
            let expected = Planar::default().ln_z(&model, beta).unwrap().value;
            let got = density.ln_z(beta).unwrap().value;
            assert!((got - expected).abs() < 1e-12 * expected, "{beta}: {got} {expected}");
        }
        let lowest = super::super::PlanarGroundState::default().find(&model).unwrap().energy;
        assert!((density.ground_states().0 - lowest).abs() < 1e-12);
    }
    let model = Ising::plus_minus_splitmix(9, 10, 7).unwrap();
    let density = DensityOfStates::of(&model).unwrap();
    let want = crate::Quantities::all();
    let thermal = |beta: f64| density.thermodynamics(beta).unwrap();
    for beta in [0.4, 1.1] {
        let solution = crate::Solve::solve(&Planar::default(), &model, beta, want, &mut ()).unwrap();
        assert!((solution.energy.unwrap().value - thermal(beta).energy).abs() < 1e-10);
        // C = -β² dE/dβ, S' = β E'.
        let (low, high, h) = (thermal(beta - 1e-4), thermal(beta + 1e-4), 2e-4);
        let slope = (high.energy - low.energy) / h;
        assert!((thermal(beta).specific_heat + beta * beta * slope).abs() < 1e-5, "{beta}");
        assert!(((high.entropy - low.entropy) / h - beta * slope).abs() < 1e-5, "{beta}");
    }
    // Without two colours: a triangular lattice.
    let lattice = Lattice::triangular([6, 6], [Boundary::Free; 2]).unwrap();
    let model = Ising::ferromagnet(&lattice, -1.0).unwrap();
    let density = DensityOfStates::of(&model).unwrap();
    let expected = Planar::default().ln_z(&model, 1.3).unwrap().value;
    assert!((density.ln_z(1.3).unwrap().value - expected).abs() < 1e-11);
}

/// The lattice of Brascamp and Kunz: `rows` by `columns`, periodic along the rows, between a row of fixed spins +1 and
/// one of alternating spins. The fixed rows are two more sites, which can be turned over without changing Z: four times
/// their Z.
fn brascamp_kunz(rows: usize, columns: usize) -> Ising {
    let site = |r: usize, c: usize| r * columns + c % columns;
    let (plus, alternating) = (rows * columns, rows * columns + 1);
    let mut couplings = Vec::new();
    for r in 0..rows {
        for c in 0..columns {
            couplings.push((site(r, c), site(r, c + 1), 1.0));
            if r + 1 < rows {
                couplings.push((site(r, c), site(r + 1, c), 1.0));
            }
        }
    }
    for c in 0..columns {
        couplings.push((plus, site(0, c), 1.0));
        couplings.push((alternating, site(rows - 1, c), if c % 2 == 0 { 1.0 } else { -1.0 }));
    }
    Ising::builder(rows * columns + 2).couplings(couplings).build().unwrap()
}

/// H. J. Brascamp and H. Kunz, Journal of Mathematical Physics 15, 65 (1974): with M rows of 2 N sites
/// Z = 2^(2MN) Π_i Π_j (1 + z² - z (cos θ_i + cos φ_j)), z = sinh 2K, θ_i = (2 i - 1) π / 2 N, φ_j = j π / (M + 1).
#[test]
fn zeros_of_brascamp_and_kunz() {
    use std::f64::consts::PI;
    // No two angles are supplementary: all zeros are single.
    let (rows, half) = (4, 4);
    let model = brascamp_kunz(rows, 2 * half);
    let density = DensityOfStates::of(&model).unwrap();
    let factors: Vec<f64> = (1..=half)
        .flat_map(|i| {
            (1..=rows).map(move |j| {
                ((2 * i - 1) as f64 * PI / (2 * half) as f64).cos() + (j as f64 * PI / (rows + 1) as f64).cos()
            })
        })
        .collect();
    for beta in [0.2f64, 0.44, 1.0] {
        let z = (2.0 * beta).sinh();
        let product: f64 = factors.iter().map(|c| (1.0 + z * z - z * c).ln()).sum();
        let expected = (2 * rows * half + 2) as f64 * std::f64::consts::LN_2 + product;
        assert!((density.ln_z(beta).unwrap().value - expected).abs() < 1e-11, "{beta}");
    }
    let zeros = density.fisher_zeros();
    assert!(zeros.isolated && zeros.backward_error < 1e-38, "{}", zeros.backward_error);
    // Every factor vanishes at four values of x: z = (1/x - x) / 2.
    let mut expected = Vec::new();
    for c in &factors {
        let z = Complex64::new(c / 2.0, (1.0 - c * c / 4.0).sqrt());
        for z in [z, z.conj()] {
            let root = (z * z + 1.0).sqrt();
            expected.extend([-z + root, -z - root]);
        }
    }
    assert_eq!(zeros.x.len(), expected.len());
    for x in expected {
        let nearest = zeros.x.iter().map(|y| (x - y).norm()).fold(f64::INFINITY, f64::min);
        assert!(nearest < 1e-12, "{x}: {nearest}");
    }
    for v in zeros.tanh() {
        let circles = [(v - 1.0).norm(), (v + 1.0).norm()].map(|d| (d - 2f64.sqrt()).abs());
        assert!(circles[0].min(circles[1]) < 1e-11, "{v}");
    }
}

/// The sum of the zeros, of their inverses and the product, from the coefficients (F. Viète).
#[test]
fn zeros_of_a_lattice_have_the_known_sums() {
    let model = Ising::square(8, Boundary::Free, 1.0).unwrap();
    let density = DensityOfStates::of(&model).unwrap();
    let zeros = density.fisher_zeros();
    assert!(zeros.isolated && zeros.radii.iter().all(|r| *r < 1e-12));
    // The 24 sites of degree 3 can be paired along 12 couplings: the largest set of couplings with even degrees at all
    // sites leaves these out, and tanh K has the power 112 - 12.
    assert_eq!((zeros.x.len(), zeros.at_minus_one), (100, 12));
    // Power sums by Newton's identities: g_1 = 0, and the zeros multiply to 1.
    let sum: Complex64 = zeros.x.iter().sum::<Complex64>() - 12.0;
    let squares: Complex64 = zeros.x.iter().map(|x| x * x).sum::<Complex64>() + 12.0;
    let ln_product: f64 = zeros.x.iter().map(|x| x.norm().ln()).sum();
    assert!(sum.norm() < 1e-10 && ln_product.abs() < 1e-10);
    let corners = density.count(2).to_f64() / density.count(0).to_f64();
    assert!((corners - 4.0).abs() < 1e-15);
    assert!((squares + 2.0 * corners).norm() < 1e-9, "{squares}");
    // The ferromagnetic zeros come near 1 / (1 + √2) on the real axis from both sides.
    let nearest = zeros.x.iter().map(|x| (x - (2f64.sqrt() - 1.0)).norm()).fold(f64::INFINITY, f64::min);
    assert!(nearest < 0.2, "{nearest}");
}

#[test]
fn multiple_zeros() {
    // Z of a chain is (1 + x)^9 but for a factor; of plaquettes at one site (1 + 6 x² + x⁴)^3.
    let plaquettes = (0..3).flat_map(|k| {
        let [a, b, c] = [3 * k + 1, 3 * k + 2, 3 * k + 3];
        [(0, a, 1.0), (a, b, 1.0), (b, c, 1.0), (0, c, 1.0)]
    });
    let plaquettes = Ising::builder(10).couplings(plaquettes).build().unwrap();
    let zeros = DensityOfStates::of(&plaquettes).unwrap().fisher_zeros();
    assert!(!zeros.isolated);
    for x in zeros.x {
        assert!(((x * x + 3.0).norm() - 8f64.sqrt()).abs() < 1e-9, "{x}");
    }
    let chain = Ising::builder(10).couplings((1..10).map(|i| (i - 1, i, 1.0))).build().unwrap();
    let zeros = DensityOfStates::of(&chain).unwrap().fisher_zeros();
    assert_eq!((zeros.x.len(), zeros.at_minus_one), (0, 9));
    let free = DensityOfStates::of(&Ising::builder(3).build().unwrap()).unwrap();
    assert_eq!((free.count(0).to_string(), free.fisher_zeros().x.len()), ("8".to_owned(), 0));
}

#[test]
fn what_does_not_apply_is_refused() {
    let mixed = Ising::builder(3).couplings([(0, 1, 1.0), (1, 2, 0.0), (0, 2, -2.0)]).build().unwrap();
    let text = DensityOfStates::of(&mixed).unwrap_err().to_string();
    let reason = "coupling 2 of sites 0 and 2 is -2, expected ±1 as those before";
    assert_eq!(text, format!("density-of-states does not apply: {reason}"));
    let torus = Ising::square(4, Boundary::Periodic, 1.0).unwrap();
    assert!(matches!(DensityOfStates::of(&torus), Err(Error::NotApplicable { solver: "density-of-states", .. })));
    let mut stop = |_: &Progress| std::ops::ControlFlow::Break(());
    let model = Ising::square(4, Boundary::Free, 1.0).unwrap();
    assert!(matches!(DensityOfStates::of_observed(&model, &mut stop), Err(Error::Stopped { done: 0, total: 13, .. })));
    assert!(matches!(DensityOfStates::of(&model).unwrap().ln_z(f64::NAN), Err(Error::Beta { .. })));
}
