//! The transfer matrix against naive sums, closed forms and published values.

use std::ops::ControlFlow;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use linalg_core::Streams;
use linalg_core::rng::SplitMix64;
use proptest::prelude::*;
use spin_models::rand::{Rng, RngExt};
use spin_models::{
    Correlations, Duplicates, EnergyModel, Error, FrontierModel, InteractionModel, Ising, Kind, LogPartition, Progress,
    Quantities, Reweight, Solve, Spins, TransferMatrix, TransferMatrixParams,
};

/// Sums over all states, term by term.
struct Naive {
    ln_z: f64,
    energy: f64,
    magnetizations: Vec<f64>,
    /// Row-major, ones on the diagonal.
    pairs: Vec<f64>,
    lowest: f64,
    degeneracy: f64,
}

fn naive(model: &dyn EnergyModel, beta: f64) -> Naive {
    let n = model.n_spins();
    let states: Vec<Vec<i8>> = (0..1u64 << n).map(|state| Spins::from_state(state, n).into_vec()).collect();
    let energies: Vec<f64> = states.iter().map(|s| model.energy(s)).collect();
    let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|e| (-beta * (e - lowest)).exp()).collect();
    let z: f64 = weights.iter().sum();
    let mean = |f: &dyn Fn(usize) -> f64| weights.iter().enumerate().map(|(k, w)| w * f(k)).sum::<f64>() / z;
    let spin = |k: usize, i: usize| f64::from(states[k][i]);
    Naive {
        ln_z: z.ln() - beta * lowest,
        energy: mean(&|k| energies[k] - lowest) + lowest,
        magnetizations: (0..n).map(|i| mean(&|k| spin(k, i))).collect(),
        pairs: (0..n * n).map(|ij| mean(&|k| spin(k, ij / n) * spin(k, ij % n))).collect(),
        lowest,
        degeneracy: energies.iter().filter(|&&e| e - lowest < 1e-9).count() as f64,
    }
}

/// Random terms of one to four sites, about one and a half a spin.
fn random_model<R: Rng + ?Sized>(n: usize, rng: &mut R) -> InteractionModel {
    let mut builder = InteractionModel::builder(n).duplicates(Duplicates::Sum).offset(rng.random_range(-2.0..2.0));
    for _ in 0..rng.random_range(0..=2 * n) {
        let mut sites: Vec<usize> = (0..rng.random_range(0..=4)).map(|_| rng.random_range(0..n)).collect();
        sites.sort_unstable();
        sites.dedup();
        builder = builder.term(&sites, rng.random_range(-1.5..1.5));
    }
    builder.build().unwrap()
}

fn random_ising<R: Rng + ?Sized>(n: usize, degree: usize, rng: &mut R) -> Ising {
    let mut builder = Ising::builder(n).duplicates(Duplicates::Sum).offset(0.3);
    for _ in 0..n * degree / 2 {
        let (i, j) = (rng.random_range(0..n), rng.random_range(0..n));
        if i != j {
            builder = builder.coupling(i, j, rng.random_range(-1.5..1.5));
        }
    }
    for i in 0..n {
        if rng.random_bool(0.3) {
            builder = builder.field(i, rng.random_range(-1.0..1.0));
        }
    }
    builder.build().unwrap()
}

fn product(model: &InteractionModel, a: usize, s: &[i8]) -> f64 {
    model.term(a).iter().map(|&site| f64::from(s[site as usize])).product()
}

/// Everything the solver knows about a model against the naive sums.
fn check_everything<M: FrontierModel>(model: &M, terms: &InteractionModel, beta: f64, tolerance: f64) {
    let exact = naive(model, beta);
    let solver = TransferMatrix::default();
    let ln_z = solver.ln_z(model, beta).unwrap();
    assert_eq!(ln_z.kind, Kind::Exact);
    let scale = tolerance * exact.ln_z.abs().max(1.0);
    assert_abs_diff_eq!(ln_z.value, exact.ln_z, epsilon = scale);
    let want = Quantities::all().with_correlations(Correlations::All);
    let solution = solver.solve(model, beta, want, &mut ()).unwrap();
    assert_abs_diff_eq!(solution.ln_z.unwrap().value, exact.ln_z, epsilon = scale);
    assert_abs_diff_eq!(solution.energy.unwrap().value, exact.energy, epsilon = 10.0 * scale);
    for (m, exact) in solution.magnetizations.unwrap().iter().zip(&exact.magnetizations) {
        assert_abs_diff_eq!(m.value, *exact, epsilon = 10.0 * scale);
    }
    let n = model.n_spins();
    let correlations = solution.correlations.unwrap();
    assert_eq!(correlations.pairs.len(), n * (n - 1) / 2);
    for (&(i, j), value) in correlations.pairs.iter().zip(&correlations.values) {
        assert_abs_diff_eq!(value.value, exact.pairs[i * n + j], epsilon = 10.0 * scale);
    }
    let marginals = solver.marginals(model, beta, &mut ()).unwrap();
    assert_eq!(marginals.interactions.len(), model.n_interactions());
    let states: Vec<Vec<i8>> = (0..1u64 << n).map(|state| Spins::from_state(state, n).into_vec()).collect();
    for a in 0..terms.n_terms() {
        let mean: f64 =
            states.iter().map(|s| (-beta * model.energy(s) - exact.ln_z).exp() * product(terms, a, s)).sum();
        assert_abs_diff_eq!(marginals.interactions[a], mean, epsilon = 10.0 * scale);
    }
    let ground = solver.ground_state(model, &mut ()).unwrap();
    assert_abs_diff_eq!(ground.energy, exact.lowest, epsilon = 1e-11);
    assert_abs_diff_eq!(model.energy(&ground.spins), exact.lowest, epsilon = 1e-11);
    if let Some(degeneracy) = ground.degeneracy {
        assert_abs_diff_eq!(degeneracy, exact.degeneracy, epsilon = 0.0);
    }
}

#[test]
fn random_interactions_of_all_orders() {
    let mut rng = Streams::new(20).stream(0);
    for n in 1..=10 {
        for beta in [0.0, 0.4, 1.3] {
            for _ in 0..4 {
                let model = random_model(n, &mut rng);
                check_everything(&model, &model, beta, 1e-13);
            }
        }
    }
}

#[test]
fn random_graphs_with_fields() {
    let mut rng = Streams::new(21).stream(0);
    for n in 1..=10 {
        for degree in [0, 1, 2, 3, 6] {
            let model = random_ising(n, degree, &mut rng);
            // Couplings in their order, then every site that has a field: a prefix of the Reweight numbering.
            let pairs = model.couplings().map(|(i, j, w)| (vec![i, j], w));
            let terms = InteractionModel::builder(n).terms(pairs).build().unwrap();
            check_everything(&model, &terms, 0.8, 1e-13);
        }
    }
}

#[test]
fn zero_temperature_limit_in_logarithms() {
    let mut rng = Streams::new(22).stream(0);
    for beta in [50.0, 500.0, 1000.0] {
        for n in [2, 5, 9] {
            for _ in 0..4 {
                let model = random_model(n, &mut rng);
                check_everything(&model, &model, beta, 1e-13);
            }
            let signs = Ising::builder(n).couplings(
                (0..n)
                    .flat_map(|i| (0..i).map(move |j| (j, i)))
                    .map(|(i, j)| (i, j, if (i * 7 + j * 3) % 5 < 2 { 1.0 } else { -1.0 })),
            );
            let model = signs.build().unwrap();
            let terms = InteractionModel::from(&model);
            check_everything(&model, &terms, beta, 1e-13);
        }
    }
}

#[test]
fn dense_models_split_into_several_tables() {
    // Every spin meets every other: more interactions at once than one table holds.
    let mut rng = Streams::new(23).stream(0);
    let n = 13;
    let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (j, i)));
    let model = Ising::builder(n).couplings(pairs.map(|(i, j)| (i, j, rng.random_range(-0.5..0.5)))).field(3, 0.2);
    let model = model.build().unwrap();
    let exact = naive(&model, 0.7);
    let marginals = TransferMatrix::default().marginals(&model, 0.7, &mut ()).unwrap();
    assert_relative_eq!(marginals.ln_z, exact.ln_z, max_relative = 1e-14);
    assert_abs_diff_eq!(marginals.energy, exact.energy, epsilon = 1e-12);
    for (a, (i, j, _)) in model.couplings().enumerate() {
        assert_abs_diff_eq!(marginals.interactions[a], exact.pairs[i * n + j], epsilon = 1e-13);
    }
    // Three-body terms on all triples: two spins share more terms than one table holds.
    let mut builder = InteractionModel::builder(n);
    for i in 0..n {
        for j in 0..i {
            for k in 0..j {
                builder = builder.term(&[i, j, k], rng.random_range(-0.3..0.3));
            }
        }
    }
    let model = builder.build().unwrap();
    let exact = naive(&model, 0.9);
    let marginals = TransferMatrix::default().marginals(&model, 0.9, &mut ()).unwrap();
    assert_relative_eq!(marginals.ln_z, exact.ln_z, max_relative = 1e-14);
    assert_abs_diff_eq!(marginals.energy, exact.energy, epsilon = 1e-12);
    for (m, exact) in marginals.magnetizations.iter().zip(&exact.magnetizations) {
        assert_abs_diff_eq!(m, exact, epsilon = 1e-13);
    }
}

/// The ±J instances of the reference values: for every site its bond to the right, then the one down; -1 where the
/// SplitMix64 output is below 2^63.
fn plus_minus(rows: usize, columns: usize, seed: u64) -> Ising {
    let mut rng = SplitMix64::new(seed);
    let mut builder = Ising::builder(rows * columns);
    for r in 0..rows {
        for c in 0..columns {
            let site = r * columns + c;
            let mut bond = |other| {
                let sign = if rng.next_u64() < 1 << 63 { -1.0 } else { 1.0 };
                (site, other, sign)
            };
            let right = (c + 1 < columns).then(|| bond(site + 1));
            let down = (r + 1 < rows).then(|| bond(site + columns));
            builder = builder.couplings(right.into_iter().chain(down));
        }
    }
    builder.build().unwrap()
}

/// A rectangle of couplings 1, periodic where said.
fn rectangle(rows: usize, columns: usize, periodic: [bool; 2]) -> Ising {
    let mut builder = Ising::builder(rows * columns).duplicates(Duplicates::Sum);
    for r in 0..rows {
        for c in 0..columns {
            if c + 1 < columns || periodic[1] && columns > 1 {
                builder = builder.coupling(r * columns + c, r * columns + (c + 1) % columns, 1.0);
            }
            if r + 1 < rows || periodic[0] && rows > 1 {
                builder = builder.coupling(r * columns + c, (r + 1) % rows * columns + c, 1.0);
            }
        }
    }
    builder.build().unwrap()
}

const K_C: f64 = 0.440_686_793_509_771_5;

#[test]
fn free_ferromagnets() {
    // Pfaffians in 400-bit arithmetic.
    let reference = [
        (4, 0.2, 11.581_576_909_340_9),
        (4, 0.4, 13.186_573_417_462_913),
        (4, K_C, 13.676_315_241_392_142),
        (4, 0.5, 14.497_711_024_011_295),
        (4, 1.0, 24.817_644_410_412_71),
        (8, 0.2, 46.666_323_425_585_65),
        (8, 0.4, 54.443_625_528_488_17),
        (8, K_C, 56.924_442_203_019_21),
        (8, 0.5, 61.208_489_049_286_67),
        (8, 1.0, 112.873_200_453_989_13),
        (16, 0.2, 187.350_774_532_478_62),
        (16, 0.4, 221.373_266_162_149_1),
        (16, K_C, 232.599_610_205_688_07),
        (16, 0.5, 252.635_064_705_625_55),
        (16, 1.0, 481.022_430_374_686_17),
    ];
    for (l, k, ln_z) in reference {
        let value = TransferMatrix::default().ln_z(&rectangle(l, l, [false; 2]), k).unwrap().value;
        assert_relative_eq!(value, ln_z, max_relative = 1e-13);
    }
}

#[test]
fn free_plus_minus_j() {
    // Pfaffians in 400-bit arithmetic.
    let reference = [
        (4, 1, 0.5, 13.744_582_440_600_318),
        (4, 1, 1.0, 19.610_030_504_371_377),
        (4, 1, 2.0, 34.324_530_162_071_58),
        (4, 2026, 0.5, 14.353_619_570_007_975),
        (4, 2026, 1.0, 23.651_006_316_502_297),
        (4, 2026, 2.0, 45.406_216_675_050_764),
        (8, 1, 0.5, 57.610_429_427_990_54),
        (8, 1, 1.0, 89.107_044_843_298_43),
        (8, 1, 2.0, 164.427_135_346_105_13),
        (8, 2026, 0.5, 57.282_052_725_043_13),
        (8, 2026, 1.0, 87.642_175_157_294_19),
        (8, 2026, 2.0, 162.820_816_319_988_2),
        (16, 1, 0.5, 234.100_738_713_103_96),
        (16, 1, 1.0, 369.040_630_203_976_83),
        (16, 1, 2.0, 693.446_443_311_967_1),
        (16, 2026, 0.5, 234.325_852_106_932_08),
        (16, 2026, 1.0, 371.649_957_493_841_5),
        (16, 2026, 2.0, 703.991_433_563_694_2),
    ];
    for (l, seed, beta, ln_z) in reference {
        let model = plus_minus(l, l, seed);
        let value = TransferMatrix::default().ln_z(&model, beta).unwrap().value;
        assert_relative_eq!(value, ln_z, max_relative = 1e-13);
    }
    // Lowest energy and degeneracy of the small ones, by enumeration.
    for (seed, energy, degeneracy) in [(1, -16.0, 8.0), (2026, -22.0, 4.0)] {
        let ground = TransferMatrix::default().ground_state(&plus_minus(4, 4, seed), &mut ()).unwrap();
        assert_eq!((ground.energy, ground.degeneracy), (energy, Some(degeneracy)));
    }
}

#[test]
fn tori_against_kaufman() {
    // ln Z and energy per site of B. Kaufman, Phys. Rev. 76, 1232 (1949), evaluated with 60 digits.
    let reference = [
        (4, 0.2, 11.771_470_358_541_581, -0.456_135_369_542_847_2),
        (4, 0.4, 14.561_093_023_844_043, -1.379_116_482_259_349),
        (4, K_C, 15.521_915_458_755_283, -1.565_623_787_638_319),
        (4, 0.5, 17.105_367_118_731_582, -1.755_380_288_777_435),
        (4, 1.0, 32.698_721_401_879_325, -1.997_158_440_255_767),
        (8, 0.2, 47.010_147_422_388_27, -0.428_368_058_944_081_3),
        (8, 0.4, 56.599_388_760_425_37, -1.222_320_643_250_913),
        (8, K_C, 60.141_780_789_069_15, -1.491_589_107_439_707),
        (8, 0.5, 66.344_581_879_227_8, -1.745_683_170_293_2),
        (8, 1.0, 128.715_437_337_408_42, -1.997_160_204_110_51),
    ];
    for (l, k, ln_z, u) in reference {
        let marginals = TransferMatrix::default().marginals(&rectangle(l, l, [true; 2]), k, &mut ()).unwrap();
        assert_relative_eq!(marginals.ln_z, ln_z, max_relative = 1e-13);
        assert_relative_eq!(marginals.energy / (l * l) as f64, u, max_relative = 1e-12);
    }
}

/// ln Z of the n x m torus, parallel bonds added: B. Kaufman (1949).
fn kaufman(n: usize, m: usize, k: f64) -> f64 {
    let gamma = |j: usize| match j {
        0 => 2.0 * k + k.tanh().ln(),
        _ => {
            let x = (2.0 * k).cosh().powi(2) / (2.0 * k).sinh() - (std::f64::consts::PI * j as f64 / n as f64).cos();
            x.acosh()
        }
    };
    let half = |j: usize| 0.5 * m as f64 * gamma(j);
    let product = |first: usize, f: fn(f64) -> f64| (0..n).map(|r| 2.0 * f(half(2 * r + first))).product::<f64>();
    let sum = product(1, f64::cosh) + product(1, f64::sinh) + product(0, f64::cosh) + product(0, f64::sinh);
    0.5 * (n * m) as f64 * (2.0 * (2.0 * k).sinh()).ln() + sum.ln() - std::f64::consts::LN_2
}

#[test]
fn rectangular_tori_and_cylinders() {
    for (rows, columns) in [(2, 2), (2, 5), (3, 4), (10, 8), (9, 9)] {
        for k in [0.3, 0.6] {
            let value = TransferMatrix::default().ln_z(&rectangle(rows, columns, [true; 2]), k).unwrap().value;
            assert_relative_eq!(value, kaufman(columns, rows, k), max_relative = 1e-12);
        }
    }
    let solver = TransferMatrix::default();
    let frontier = |model: &Ising| solver.frontier(model).frontier_width();
    assert_eq!(frontier(&rectangle(30, 12, [false, true])), 12);
    assert_eq!(frontier(&rectangle(12, 30, [true, false])), 12);
    assert_eq!(frontier(&rectangle(20, 20, [false; 2])), 20);
    assert_eq!(frontier(&rectangle(40, 20, [false; 2])), 20);
    assert!(frontier(&rectangle(12, 12, [true; 2])) <= 24);
    let cylinder = rectangle(5, 3, [false, true]);
    let value = solver.ln_z(&cylinder, 0.45).unwrap().value;
    let exact = naive_ln_z(&cylinder, 0.45);
    assert_relative_eq!(value, exact, max_relative = 1e-13);
}

fn naive_ln_z(model: &dyn EnergyModel, beta: f64) -> f64 {
    let n = model.n_spins();
    let z: f64 = (0..1u64 << n).map(|state| (-beta * model.energy(&Spins::from_state(state, n))).exp()).sum();
    z.ln()
}

#[test]
fn order_of_the_sites_does_not_matter() {
    // The same lattice under a random numbering, with and without positions.
    let model = plus_minus(9, 7, 5);
    let exact = TransferMatrix::default().ln_z(&model, 0.8).unwrap().value;
    let mut rng = Streams::new(4).stream(0);
    let mut name: Vec<usize> = (0..63).collect();
    for i in (1..63).rev() {
        name.swap(i, rng.random_range(0..=i));
    }
    let mut positions = vec![[0.0; 3]; 63];
    for site in 0..63 {
        positions[name[site]] = [(site % 7) as f64, (site / 7) as f64, 0.0];
    }
    let couplings = model.couplings().map(|(i, j, w)| (name[i], name[j], w));
    let shuffled = Ising::builder(63).couplings(couplings).build().unwrap();
    let placed = shuffled.clone().with_positions(positions).unwrap();
    for model in [shuffled, placed] {
        let frontier = TransferMatrix::default().frontier(&model);
        assert!(frontier.frontier_width() <= 7, "frontier of {}", frontier.frontier_width());
        assert_relative_eq!(TransferMatrix::default().ln_z(&model, 0.8).unwrap().value, exact, max_relative = 1e-13);
    }
}

#[test]
fn infinite_temperature_is_exact() {
    for n in [1usize, 7, 100] {
        let model = plus_minus(n, 3, 1);
        let value = TransferMatrix::default().ln_z(&model, 0.0).unwrap().value;
        assert_eq!(value.to_bits(), ((3 * n) as f64 * std::f64::consts::LN_2).to_bits());
    }
    let free = Ising::builder(1000).build().unwrap();
    assert_eq!(
        TransferMatrix::default().ln_z(&free, 3.0).unwrap().value.to_bits(),
        (1000.0 * std::f64::consts::LN_2).to_bits()
    );
}

#[test]
fn means_are_derivatives() {
    // A lattice too large for the naive sum: central differences of ln Z, error O(h²) and rounding / h.
    let model = plus_minus(6, 6, 11);
    let fields = (0..36).map(|i| 0.3 * f64::from(i % 5) - 0.5);
    let builder = Ising::builder(36).couplings(model.couplings()).fields(fields);
    let model = builder.build().unwrap();
    let solver = TransferMatrix::default();
    let beta = 0.9;
    let marginals = solver.marginals(&model, beta, &mut ()).unwrap();
    let h = 1e-5;
    let difference = |a: usize| {
        let shifted = |h: f64| {
            let mut model = model.clone();
            model.set_weight(a, model.weight(a) + h).unwrap();
            solver.ln_z(&model, beta).unwrap().value
        };
        (shifted(h) - shifted(-h)) / (2.0 * h * beta)
    };
    for a in (0..model.n_interactions()).step_by(7) {
        assert_abs_diff_eq!(marginals.interactions[a], difference(a), epsilon = 1e-8);
    }
    let m = model.n_couplings();
    for i in 0..36 {
        assert_abs_diff_eq!(marginals.interactions[m + i], marginals.magnetizations[i], epsilon = 1e-14);
    }
    let energy = -(solver.ln_z(&model, beta + h).unwrap().value - solver.ln_z(&model, beta - h).unwrap().value);
    assert_abs_diff_eq!(marginals.energy, energy / (2.0 * h), epsilon = 1e-6);
}

#[test]
fn little_memory_gives_the_same_means() {
    let model = plus_minus(12, 12, 3);
    let plenty = TransferMatrix::default().marginals(&model, 1.1, &mut ()).unwrap();
    let bytes = 8 << 12;
    for vectors in [200, 20, 12, 8] {
        let solver = TransferMatrix::new(TransferMatrixParams::default().with_memory_bytes(vectors * bytes));
        assert_eq!(solver.marginals(&model, 1.1, &mut ()).unwrap(), plenty);
        // Its entries have twice the size.
        let ground = solver.ground_state(&model, &mut ());
        assert_eq!(ground.is_ok(), vectors > 8, "{vectors}");
    }
    let solver = TransferMatrix::new(TransferMatrixParams::default().with_memory_bytes(3 * bytes));
    let error = solver.marginals(&model, 1.1, &mut ()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "bytes of the backward pass", bound: 98_304, .. }), "{error}");
    assert!(solver.ln_z(&model, 1.1).is_ok());
    let solver = TransferMatrix::new(TransferMatrixParams::default().with_memory_bytes(bytes - 1));
    let error = solver.ln_z(&model, 1.1).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "bytes of the state vector", value: 32_768, .. }), "{error}");
}

#[test]
fn vectors_of_several_blocks() {
    // A frontier of 16 or 17 spins, in fields; plenty of memory and little.
    let model = plus_minus(17, 16, 4);
    let model = Ising::builder(272).couplings(model.couplings()).fields((0..272).map(|i| 0.01 * f64::from(i % 7)));
    let model = model.build().unwrap();
    let plenty = TransferMatrix::default().marginals(&model, 1.1, &mut ()).unwrap();
    let solver = TransferMatrix::new(TransferMatrixParams::default().with_memory_bytes(9 << 19));
    assert_eq!(solver.marginals(&model, 1.1, &mut ()).unwrap(), plenty);
    assert_relative_eq!(plenty.ln_z, solver.ln_z(&model, 1.1).unwrap().value, max_relative = 1e-14);
    let energy = -(solver.ln_z(&model, 1.1 + 1e-5).unwrap().value - solver.ln_z(&model, 1.1 - 1e-5).unwrap().value);
    assert_abs_diff_eq!(plenty.energy, energy / 2e-5, epsilon = 1e-5);
    for a in (0..model.n_interactions()).step_by(41) {
        let shifted = |h: f64| {
            let mut model = model.clone();
            model.set_weight(a, model.weight(a) + h).unwrap();
            solver.ln_z(&model, 1.1).unwrap().value
        };
        let difference = (shifted(1e-5) - shifted(-1e-5)) / 2.2e-5;
        assert_abs_diff_eq!(plenty.interactions[a], difference, epsilon = 1e-7);
    }
}

#[test]
fn refused_before_any_work() {
    let cube = {
        let mut builder = Ising::builder(1000);
        for i in 0..1000 {
            let steps = [(1, i % 10 < 9), (10, i / 10 % 10 < 9), (100, i < 900)];
            builder = builder.couplings(steps.iter().filter(|step| step.1).map(|step| (i, i + step.0, 1.0)));
        }
        builder.build().unwrap()
    };
    let solver = TransferMatrix::default();
    let width = solver.frontier(&cube).frontier_width();
    assert!(width > 50);
    let error = solver.ln_z(&cube, 1.0).unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { solver: "transfer-matrix", what: "frontier width", value, bound: 26 } if value == width),
        "{error}"
    );
    assert!(Solve::check(&solver, &cube, 1.0).is_err());
    let pair = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    for beta in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(solver.ln_z(&pair, beta), Err(Error::Beta { .. })));
        assert!(Solve::check(&solver, &pair, beta).is_err());
    }
    let huge = Ising::builder(2).coupling(0, 1, 1e308).build().unwrap();
    assert!(matches!(solver.ln_z(&huge, 1e3), Err(Error::Parameter { .. })));
    assert_relative_eq!(solver.ln_z(&huge, 1e-3).unwrap().value, 1e305, max_relative = 1e-15);
    let wide = TransferMatrix::new(TransferMatrixParams::default().with_max_frontier(41));
    assert!(matches!(wide.ln_z(&pair, 1.0), Err(Error::Parameter { what: "max_frontier", .. })));
    let all = Quantities::ln_z().with_correlations(Correlations::All);
    let error = solver.solve(&plus_minus(20, 20, 1), 1.0, all, &mut ()).unwrap_err();
    assert!(matches!(error, Error::NotApplicable { .. }), "{error}");
}

#[test]
fn width_24_is_within_the_limits() {
    let solver = TransferMatrix::default();
    for model in [
        plus_minus(24, 24, 1),
        rectangle(60, 24, [false, true]),
        rectangle(12, 12, [true; 2]),
        rectangle(40, 12, [true; 2]),
    ] {
        let order = solver.frontier(&model);
        assert!(order.frontier_width() <= 24, "{} spins", order.frontier_width());
        assert!(order.memory_bytes() <= 1 << 27);
        assert!(Solve::check(&solver, &model, 1.0).is_ok());
    }
    // A quarter of the memory: refused with the bytes.
    let small = TransferMatrix::new(TransferMatrixParams::default().with_memory_bytes(1 << 25));
    let refused = small.ln_z(&plus_minus(24, 24, 1), 1.0);
    assert!(
        matches!(refused, Err(Error::TooLarge { value, bound: 33_554_432, .. }) if value == 1 << 27),
        "{refused:?}"
    );
}

#[test]
#[ignore = "24 x 24 spins and a 12 x 12 torus: 40 s and 1.2 GB; run by .ci/long"]
fn width_24_agrees_with_pfaffians() {
    let solver = TransferMatrix::default();
    for (rows, columns, periodic) in [(24, 24, [false; 2]), (24, 24, [false, true]), (12, 12, [true; 2])] {
        let mut rng = linalg_core::Streams::new(24).stream(0);
        let ferromagnet = rectangle(rows, columns, periodic);
        let pairs = ferromagnet.couplings().map(|(i, j, _)| (i, j, if rng.random::<bool>() { 1.0 } else { -1.0 }));
        let model = Ising::builder(rows * columns).couplings(pairs.collect::<Vec<_>>()).build().unwrap();
        let start = std::time::Instant::now();
        let value = solver.ln_z(&model, 1.0).unwrap().value;
        let seconds = start.elapsed().as_secs_f64();
        let exact = spin_models::Planar::default().ln_z(&model, 1.0).unwrap().value;
        assert_relative_eq!(value, exact, max_relative = 1e-12);
        let marginals = solver.marginals(&model, 1.0, &mut ()).unwrap();
        assert_relative_eq!(marginals.ln_z, exact, max_relative = 1e-12);
        println!(
            "{rows} x {columns} {periodic:?}: ln Z {seconds} s, with all means {} s",
            start.elapsed().as_secs_f64()
        );
    }
}

#[test]
fn an_observer_can_stop_it() {
    let model = plus_minus(18, 18, 1);
    let mut calls = 0u64;
    let mut last = 0;
    let solver = TransferMatrix::default();
    let exact = solver.ln_z(&model, 1.0).unwrap().value;
    let mut observer = |progress: &Progress| {
        calls += 1;
        assert!(progress.done <= progress.total && progress.done >= last);
        last = progress.done;
        ControlFlow::Continue(())
    };
    assert_relative_eq!(solver.ln_z_observed(&model, 1.0, &mut observer).unwrap().value, exact, max_relative = 1e-15);
    assert!(calls > 1, "{calls} calls");
    for stop in 0..calls {
        let mut calls = 0;
        let mut observer = |_: &Progress| {
            calls += 1;
            if calls > stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let error = solver.ln_z_observed(&model, 1.0, &mut observer).unwrap_err();
        assert!(matches!(error, Error::Stopped { solver: "transfer-matrix", .. }), "{error}");
    }
    let mut stop = |_: &Progress| ControlFlow::Break(());
    assert!(solver.marginals(&model, 1.0, &mut stop).is_err());
    assert!(solver.ground_state(&model, &mut stop).is_err());
}

#[test]
fn coupled_pairs_come_in_the_models_order() {
    let model = plus_minus(3, 3, 7);
    let solution = TransferMatrix::default().solve(&model, 0.6, Quantities::all(), &mut ()).unwrap();
    let exact = naive(&model, 0.6);
    let correlations = solution.correlations.unwrap();
    assert!(model.couplings().map(|(i, j, _)| (i, j)).eq(correlations.pairs.iter().copied()));
    for (&(i, j), value) in correlations.pairs.iter().zip(&correlations.values) {
        assert_abs_diff_eq!(value.value, exact.pairs[i * 9 + j], epsilon = 1e-14);
    }
    assert!(solution.magnetizations.unwrap().iter().all(|m| m.value == 0.0 && m.std_error.is_none()));
}

#[test]
fn samples_follow_the_boltzmann_distribution() {
    // Frequencies of all states against their probabilities: χ² with 2^n - 1 degrees of freedom, within 4 σ.
    let mut rng = Streams::new(31).stream(0);
    let samples = 20_000;
    for beta in [0.5, 300.0] {
        for n in [1usize, 4, 6] {
            let model = random_model(n, &mut rng);
            let exact = naive(&model, beta);
            let rows = TransferMatrix::default().sample(&model, beta, samples, &mut rng).unwrap();
            let mut counts = vec![0u32; 1 << n];
            for row in &rows {
                counts[row.iter().enumerate().map(|(i, &s)| usize::from(s < 0) << i).sum::<usize>()] += 1;
            }
            let (mut chi2, mut freedom) = (0.0, -1.0);
            for (state, &count) in counts.iter().enumerate() {
                let p = (-beta * model.energy(&Spins::from_state(state as u64, n)) - exact.ln_z).exp();
                let expected = p * samples as f64;
                if expected > 5.0 {
                    chi2 += (f64::from(count) - expected).powi(2) / expected;
                    freedom += 1.0;
                } else {
                    assert!(count <= 30, "state {state}: {count} for {expected}");
                }
            }
            let sigma = (2.0 * f64::max(freedom, 1.0)).sqrt();
            assert!(chi2 < f64::max(freedom, 0.0) + 4.0 * sigma + 1.0, "χ² = {chi2} for {freedom} at {beta}, n = {n}");
        }
    }
    // On a lattice: the mean energy within 4 standard errors; and a second draw with the same stream is the same.
    let model = plus_minus(16, 17, 9);
    let draw = || TransferMatrix::default().sample(&model, 0.7, 4000, &mut Streams::new(5).stream(2)).unwrap();
    let rows = draw();
    assert_eq!(rows, draw());
    let exact = TransferMatrix::default().marginals(&model, 0.7, &mut ()).unwrap();
    let energies: Vec<f64> = rows.iter().map(|row| model.energy(row)).collect();
    let mean = energies.iter().sum::<f64>() / 4000.0;
    let variance = energies.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / 3999.0;
    let z = (mean - exact.energy) / (variance / 4000.0).sqrt();
    assert!(z.abs() < 4.0, "z = {z}");
}

#[test]
fn ground_states_of_lattices() {
    // At low temperature ln Z = -βE0 + ln g; the next energy is higher by 4.
    for (seed, rows) in [(1, 9), (2, 11), (3, 15)] {
        let model = plus_minus(rows, 16, seed);
        let ground = TransferMatrix::default().ground_state(&model, &mut ()).unwrap();
        assert_abs_diff_eq!(model.energy(&ground.spins), ground.energy, epsilon = 0.0);
        let ln_z = TransferMatrix::default().ln_z(&model, 30.0).unwrap().value;
        let expected = -30.0 * ground.energy + ground.degeneracy.unwrap().ln();
        assert_relative_eq!(ln_z, expected, max_relative = 1e-14);
    }
    let weights = plus_minus(3, 3, 1).couplings().map(|(i, j, w)| (i, j, 0.1 * w)).collect::<Vec<_>>();
    let model = Ising::builder(9).couplings(weights).build().unwrap();
    assert_eq!(TransferMatrix::default().ground_state(&model, &mut ()).unwrap().degeneracy, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn agrees_with_enumeration(seed in any::<u64>(), n in 1usize..15, beta in 0.0f64..3.0) {
        let mut rng = Streams::new(seed).stream(0);
        let model = random_model(n, &mut rng);
        let exact = naive(&model, beta);
        let value = TransferMatrix::default().ln_z(&model, beta).unwrap().value;
        prop_assert!((value - exact.ln_z).abs() <= 1e-13 * exact.ln_z.abs().max(1.0), "{value} {}", exact.ln_z);
    }

    #[test]
    fn gauge_transforms_leave_it_unchanged(seed in any::<u64>(), rows in 1usize..9, columns in 1usize..9) {
        let mut rng = Streams::new(seed).stream(1);
        let model = plus_minus(rows, columns, seed);
        let turned = model.gauge_transform(&Spins::random(rows * columns, &mut rng));
        let solver = TransferMatrix::default();
        let (a, b) = (solver.ln_z(&model, 0.9).unwrap().value, solver.ln_z(&turned, 0.9).unwrap().value);
        prop_assert!((a - b).abs() <= 1e-13 * a.abs());
    }
}
