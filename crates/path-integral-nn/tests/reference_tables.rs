//! Reference values that no other test holds, and where the others are.
//!
//! | values | test |
//! |---|---|
//! | levels and ⟨x²⟩ of six wells in the continuum | `exact::spectrum::tests::the_table`; ground states once more here, by imaginary time |
//! | splitting of a double well | `estimators::the_splitting_of_a_double_well` |
//! | lattice: E₀, gap, ⟨x²⟩, ⟨x⁴⟩ at five steps | `exact::transfer::tests::the_table_of_lattice_values` |
//! | rings of 40 and 20 slices: ⟨x²⟩, ⟨x⁴⟩, energy, ln Z | `exact::transfer::tests::the_table_of_rings`, `estimators::a_ring` |
//! | thermal energy of the continuum | `exact::spectrum::tests::the_table` |
//! | kernels of the oscillator, midpoint and trapezoid, real time | `exact::oscillator::tests::kernels_of_the_table` |
//! | the midpoint kernel without its last term | here |
//! | continuum and free kernels | examples of `exact::Oscillator` and `exact::free_kernel`, here on uneven knots |
//! | orders 1, 2, 2, 4 and the errors of the corrected rules | `exact::transfer::tests::orders_of_convergence` |
//! | Takahashi and Imada's estimators | `estimators::orders_of_takahashi_and_imadas_estimators` |
//! | ψ₀ with and without the potential at its point | here |
//! | conditioning of paths, velocities and accelerations | here |
//! | action of a cosine | `path::parametrization::tests::fixed_ends_and_the_cosine_action` |
//! | ⟨φ²⟩ of free fields | example of `field::ScalarField`, `field::hmc::tests` |
//! | designs of random networks | `nnft::tests::numbers_of_the_designs` and its neighbours |
//! | variance of Euler's scheme | `nelson::tests::oscillator` |
//! | expansion in cumulants | `cumulant::tests::against_the_spectrum` |
//! | autocorrelation times | `efficiency` |

use linalg_core::eigen::symmetric_eigen;
use linalg_core::grid::GridAxis;
use linalg_core::num_complex::Complex64;
use path_integral_nn::exact::{OscillatorLattice, Propagator, TransferMatrix, free_kernel};
use path_integral_nn::path::{Parametrization, PathNetwork, TimeGrid};
use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};

#[test]
fn ground_states_by_imaginary_time() {
    // The split-operator propagator on the table: -ln of the decay is E₀.
    for (coefficients, energy) in [
        ([0.0, 0.0, 0.5, 0.0, 1.0], 0.803_770_651_234_273_8),
        ([0.0, 0.0, 0.5, 0.0, 0.1], 0.559146327184),
        ([0.0, 0.0, 0.5, 0.0, 10.0], 1.504972407779),
        ([0.0, 0.0, 0.0, 0.0, 1.0], 0.667986259155777),
        ([0.0, 0.0, 0.0, 0.0, 0.5], 0.530181045242),
        ([0.0, 0.0, -2.0, 0.0, 1.0], -0.130419081065),
    ] {
        let system = System::new(Polynomial::new(&coefficients).unwrap()).unwrap();
        let reach = if coefficients[4] < 1.0 { 7.0 } else { 5.0 };
        let axis = GridAxis::new(-reach, reach, 160).unwrap();
        let mut propagator = Propagator::new(&system, &[axis]).unwrap();
        let mut psi: Vec<Complex64> = axis.points().map(|x| (-x * x).exp().into()).collect();
        propagator.euclidean(&mut psi, 12.0, 1200).unwrap();
        let before = propagator.overlap(&psi, &psi).re;
        propagator.euclidean(&mut psi, 1.0, 100).unwrap();
        let found = -0.5 * (propagator.overlap(&psi, &psi).re / before).ln();
        assert!((found - energy).abs() < 1e-10, "{coefficients:?}: {found}");
    }
}

#[test]
fn kernels_without_the_last_potential() {
    // N - 1 midpoint steps and a free one: what a sum that stops at N - 1 stands for.
    for (n, expected) in [(2, 0.253476692956), (8, 0.223148881405), (64, 0.212710518846)] {
        let step = 1.5 / f64::from(n);
        let lattice = OscillatorLattice::new(1.0, 1.0, 1.0, Rule::Midpoint, step).unwrap();
        // The free step is narrow: a fine grid.
        let spacing = 0.005;
        let sum: f64 = (-2000..=2000)
            .map(|k| {
                let z = spacing * f64::from(k);
                lattice.kernel(n as usize - 1, 0.3, z).unwrap() * free_kernel(1.0, 1.0, step, z, -0.5) * spacing
            })
            .sum();
        assert!((sum - expected).abs() < 1e-11, "{n}: {sum}");
    }
    let free = TimeGrid::new(&[0.0, 0.1, 0.5, 0.55, 1.5]).unwrap().free_kernel(1.0, 1.0, 0.3, -0.5).unwrap();
    assert!((free - 0.26315701214365).abs() < 1e-13, "{free}");
}

#[test]
fn the_wave_function_needs_half_the_potential_at_its_point() {
    // ψ₀ = e^{-cx²/2} of an oscillator at Δ = 1/2: c = √(1 + Δ²/4), and c - Δ/2 without the term (Δ/2) V(y).
    let system = System::new(Polynomial::oscillator(1.0, 1.0).unwrap()).unwrap();
    let lattice = TransferMatrix::new(&system, Rule::Trapezoid, 0.5).unwrap();
    let (x, psi) = (lattice.points(), lattice.wave_function(0));
    let middle = x.iter().position(|x| x.abs() < 1e-9).unwrap();
    let other = middle + 8;
    let exponent = -2.0 * (psi[other] / psi[middle]).ln() / x[other].powi(2);
    assert!((exponent - 1.0307764064).abs() < 1e-9, "{exponent}");
    let without = -2.0 * ((psi[other] / psi[middle]).ln() + 0.5 * 0.5 * 0.5 * x[other].powi(2)) / x[other].powi(2);
    assert!((without - 0.7807764064).abs() < 1e-9, "{without}");
}

#[test]
fn velocities_are_the_preconditioner() {
    // The kinetic action of free half-lines from 0 as a quadratic form in the points, the velocities W and the accelerations w: its
    // condition grows as N² in the first and the last, and is 1 in the velocities.
    let free = System::new(Polynomial::oscillator(1.0, 1e-9).unwrap()).unwrap();
    for (n, expected) in [(16usize, 4.4e2), (64, 6.7e3)] {
        let action = Action::new(&free, &Ensemble::ground_state(1.0, n).unwrap(), Rule::Trapezoid).unwrap();
        let grid = TimeGrid::uniform(0.0, 1.0, n).unwrap();
        let condition = |kind: Option<Parametrization>| {
            let paths: Vec<Vec<f64>> = (0..n)
                .map(|k| {
                    let mut unit = vec![0.0; n + 1];
                    unit[k + 1] = 1.0;
                    kind.map_or(unit.clone(), |kind| PathNetwork::new(kind, &grid).unwrap().to_path(&unit))
                })
                .collect();
            let of = |path: Vec<f64>| action.value(&path);
            let mut form = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    let sum = paths[i].iter().zip(&paths[j]).map(|(a, b)| a + b).collect();
                    let difference = paths[i].iter().zip(&paths[j]).map(|(a, b)| a - b).collect();
                    form[i * n + j] = 0.5 * (of(sum) - of(difference));
                }
            }
            let values = symmetric_eigen(&form, n).unwrap().values;
            values[n - 1] / values[0]
        };
        let (points, velocities, accelerations) =
            (condition(None), condition(Some(Parametrization::Step)), condition(Some(Parametrization::Relu)));
        assert!((points / expected - 1.0).abs() < 0.02, "{n}: {points}");
        assert!((velocities - 1.0).abs() < 1e-6, "{n}: {velocities}");
        assert!((accelerations / points - 1.0).abs() < 1e-4, "{n}: {accelerations} {points}");
    }
}
