//! Contractions and spins against state vectors, state vectors against matrices and closed forms.

use std::f64::consts::{FRAC_PI_2, PI};
use std::ops::ControlFlow;

use linalg_core::Streams;
use linalg_core::num_complex::Complex64;
use linalg_core::tensor::OrderParams;
use rand::{Rng, RngExt};

use super::*;
use crate::{Error, Progress};

fn bits(index: usize, n: usize) -> Vec<bool> {
    (0..n).map(|q| index >> q & 1 == 1).collect()
}

/// A random unitary of `dim` rows by Gram and Schmidt.
fn random_unitary<R: Rng + ?Sized>(dim: usize, rng: &mut R) -> Gate {
    let mut rows: Vec<Vec<Complex64>> = Vec::new();
    while rows.len() < dim {
        let mut uniform = || rng.random::<f64>() - 0.5;
        let mut row: Vec<Complex64> = (0..dim).map(|_| Complex64::new(uniform(), uniform())).collect();
        // Twice for accuracy.
        for other in rows.iter().chain(&rows) {
            let overlap: Complex64 = other.iter().zip(&row).map(|(a, b)| a.conj() * b).sum();
            row.iter_mut().zip(other).for_each(|(x, a)| *x -= overlap * a);
        }
        let norm = row.iter().map(|x| x.norm_sqr()).sum::<f64>().sqrt();
        rows.push(row.iter().map(|x| x / norm).collect());
    }
    Gate::unitary(&rows.concat()).unwrap()
}

fn gates_of_one() -> Vec<Gate> {
    vec![
        Gate::I,
        Gate::X,
        Gate::Y,
        Gate::Z,
        Gate::H,
        Gate::S,
        Gate::Sdg,
        Gate::T,
        Gate::Tdg,
        Gate::SqrtX,
        Gate::SqrtY,
        Gate::SqrtW,
        Gate::Rx(0.3),
        Gate::Ry(-1.2),
        Gate::Rz(2.1),
        Gate::Phase(0.7),
        Gate::U3 { theta: 0.4, phi: -0.9, lambda: 1.7 },
    ]
}

fn gates_of_two() -> Vec<Gate> {
    vec![
        Gate::Cz,
        Gate::Cnot,
        Gate::Swap,
        Gate::ISwap,
        Gate::CPhase(0.8),
        Gate::Zz(-0.6),
        Gate::Xx(0.5),
        Gate::Yy(1.1),
        Gate::FSim { theta: FRAC_PI_2, phi: PI / 6.0 },
        Gate::FSim { theta: 0.4, phi: -0.3 },
    ]
}

/// Gates drawn from a list on random qubits.
fn random_circuit<R: Rng + ?Sized>(n: usize, count: usize, gates: &[Gate], rng: &mut R) -> Circuit {
    let mut circuit = Circuit::new(n).unwrap();
    for _ in 0..count {
        let gate = gates[rng.random_range(0..gates.len() as u32) as usize].clone();
        let a = rng.random_range(0..n as u32) as usize;
        let b = (a + 1 + rng.random_range(0..n as u32 - 1) as usize) % n;
        let qubits = &[a, b][..gate.n_qubits()];
        circuit.push(gate, qubits).unwrap();
    }
    circuit
}

fn assert_contraction_is_state(circuit: &Circuit, open: &[usize], params: &ContractionParams) {
    let n = circuit.n_qubits();
    let state = StateVector::run(circuit).unwrap();
    assert!((state.norm_squared() - 1.0).abs() < 1e-12);
    let contraction = Contraction::new(circuit, open, params).unwrap();
    let step = if n > 8 { 601 } else { 1 };
    for index in (0..1 << n).step_by(step) {
        let bits = bits(index, n);
        let found = contraction.batch(&bits).unwrap();
        assert_eq!(found.len(), 1 << open.len());
        for (k, amplitude) in found.iter().enumerate() {
            let mut there = bits.clone();
            open.iter().enumerate().for_each(|(j, &q)| there[q] = k >> j & 1 == 1);
            let expected = state.amplitude(&there);
            assert!((amplitude - expected).norm() < 1e-12, "{there:?}: {amplitude} and {expected}");
        }
        assert!((contraction.amplitude(&bits).unwrap() - state.amplitude(&bits)).norm() < 1e-12);
    }
}

/// The gate as a matrix on the whole state, entry by entry.
fn apply_slowly(state: &[Complex64], gate: &Gate, qubits: &[usize]) -> Vec<Complex64> {
    let (matrix, dim) = (gate.matrix(), 1 << qubits.len());
    let digits = |index: usize| qubits.iter().fold(0, |digits, &q| 2 * digits + (index >> q & 1));
    let mask: usize = qubits.iter().map(|&q| 1 << q).sum();
    let entry = |row: usize| {
        (0..state.len())
            .filter(|col| (row ^ col) & !mask == 0)
            .map(|col| matrix[digits(row) * dim + digits(col)] * state[col])
            .sum()
    };
    (0..state.len()).map(entry).collect()
}

#[test]
fn state_vectors_are_products_of_matrices() {
    let mut rng = Streams::new(1).stream(0);
    let mut gates = [gates_of_one(), gates_of_two()].concat();
    gates.extend([random_unitary(2, &mut rng), random_unitary(4, &mut rng)]);
    for n in [2, 3, 5] {
        let circuit = random_circuit(n, 150, &gates, &mut rng);
        let mut slow = vec![Complex64::ZERO; 1 << n];
        slow[0] = Complex64::ONE;
        for operation in circuit.operations() {
            slow = apply_slowly(&slow, operation.gate(), operation.qubits());
        }
        let state = StateVector::run(&circuit).unwrap();
        for (a, b) in state.amplitudes().iter().zip(&slow) {
            assert!((a - b).norm() < 1e-13);
        }
        let back = StateVector::run(&circuit.then(&circuit.inverse()).unwrap()).unwrap();
        assert!((back.amplitudes()[0] - 1.0).norm() < 1e-12);
    }
}

/// Relations between gates that do not use the tables they are written from.
#[test]
fn gates_are_what_their_names_say() {
    let close = |a: &[Complex64], b: &[Complex64], phase: Complex64| {
        a.iter().zip(b).all(|(a, b)| (a - b * phase).norm() < 1e-15)
    };
    let square = |gate: &Gate| unitary::product(&gate.matrix(), &gate.matrix(), 2);
    let (minus_i, one) = (-Complex64::i(), Complex64::ONE);
    assert!(close(&square(&Gate::SqrtX), &Gate::X.matrix(), minus_i));
    assert!(close(&square(&Gate::SqrtY), &Gate::Y.matrix(), minus_i));
    let w: Vec<Complex64> =
        Gate::X.matrix().iter().zip(&Gate::Y.matrix()).map(|(x, y)| (x + y) * 0.5f64.sqrt()).collect();
    assert!(close(&square(&Gate::SqrtW), &w, minus_i));
    assert!(close(&square(&Gate::T), &Gate::S.matrix(), one));
    assert!(close(&square(&Gate::S), &Gate::Z.matrix(), one));
    assert!(close(&square(&Gate::H), &Gate::I.matrix(), one));
    assert!(close(&Gate::Rx(FRAC_PI_2).matrix(), &Gate::SqrtX.matrix(), one));
    assert!(close(&Gate::Ry(FRAC_PI_2).matrix(), &Gate::SqrtY.matrix(), one));
    assert!(close(&Gate::FSim { theta: -FRAC_PI_2, phi: 0.0 }.matrix(), &Gate::ISwap.matrix(), one));
    assert!(close(&Gate::U3 { theta: FRAC_PI_2, phi: 0.0, lambda: PI }.matrix(), &Gate::H.matrix(), one));
    // fSim = e^{-iθ(XX + YY)/2} · controlled phase.
    let (theta, phi) = (0.7, 0.3);
    let rotations = unitary::product(&Gate::Xx(theta).matrix(), &Gate::Yy(theta).matrix(), 4);
    let product = unitary::product(&Gate::CPhase(-phi).matrix(), &rotations, 4);
    assert!(close(&product, &Gate::FSim { theta, phi }.matrix(), one));
    let turned = unitary::product(
        &unitary::kronecker(&Gate::H.matrix(), &Gate::H.matrix()),
        &unitary::product(&Gate::Zz(theta).matrix(), &unitary::kronecker(&Gate::H.matrix(), &Gate::H.matrix()), 4),
        4,
    );
    assert!(close(&turned, &Gate::Xx(theta).matrix(), one));
    for gate in [gates_of_one(), gates_of_two()].concat() {
        let dim = 1 << gate.n_qubits();
        let product = unitary::product(&gate.inverse().matrix(), &gate.matrix(), dim);
        let identity = |k: usize| if k.is_multiple_of(dim + 1) { 1.0 } else { 0.0 };
        assert!(product.iter().enumerate().all(|(k, x)| (x - identity(k)).norm() < 2e-15), "{gate:?}");
        assert!(Unitary::new(&gate.matrix()).is_ok(), "{gate:?}");
    }
}

/// The Fourier transform of a basis state is a plane wave.
#[test]
fn fourier_transform_by_hand() {
    let n = 5;
    let x = 0b10110usize;
    let mut circuit = Circuit::new(n).unwrap();
    for q in (0..n).filter(|q| x >> q & 1 == 1) {
        circuit.push(Gate::X, &[q]).unwrap();
    }
    for q in (0..n).rev() {
        circuit.push(Gate::H, &[q]).unwrap();
        for lower in 0..q {
            circuit.push(Gate::CPhase(PI / (1 << (q - lower)) as f64), &[lower, q]).unwrap();
        }
    }
    for q in 0..n / 2 {
        circuit.push(Gate::Swap, &[q, n - 1 - q]).unwrap();
    }
    let contraction = Contraction::new(&circuit, &[1, 4], &ContractionParams::default()).unwrap();
    for y in 0..1 << n {
        let angle = 2.0 * PI * (x * y % (1 << n)) as f64 / (1 << n) as f64;
        let expected = Complex64::from_polar((1.0 / (1 << n) as f64).sqrt(), angle);
        assert!((contraction.amplitude(&bits(y, n)).unwrap() - expected).norm() < 1e-14);
    }
    assert_contraction_is_state(&circuit, &[], &ContractionParams::default());
}

#[test]
fn every_gate_contracts_as_the_state_says() {
    let mut rng = Streams::new(2).stream(0);
    let mut pairs = gates_of_two();
    // Products, controlled gates either way round, and what is none of it.
    let product = unitary::kronecker(&Gate::SqrtW.matrix(), &random_unitary(2, &mut rng).matrix());
    let controlled = {
        let u = random_unitary(2, &mut rng).matrix();
        let mut matrix = Gate::I.matrix();
        matrix = unitary::kronecker(&matrix, &Gate::I.matrix());
        for k in 0..4 {
            matrix[(2 + k / 2) * 4 + 2 + k % 2] = u[k];
        }
        matrix
    };
    let exchanged = unitary::exchanged(&controlled);
    pairs.extend([product, controlled, exchanged].map(|matrix| Gate::unitary(&matrix).unwrap()));
    pairs.push(random_unitary(4, &mut rng));
    for gate in pairs {
        for qubits in [[0, 1], [2, 0]] {
            for single in gates_of_one() {
                let mut circuit = random_circuit(3, 6, &gates_of_one(), &mut rng);
                circuit.push(Gate::H, &[1]).unwrap();
                circuit.push(single.clone(), &[qubits[0]]).unwrap();
                circuit.push(gate.clone(), &qubits).unwrap();
                circuit.push(single, &[qubits[1]]).unwrap();
                circuit.push(gate.clone(), &[1, 2]).unwrap();
                assert_contraction_is_state(&circuit, &[2], &ContractionParams::default());
            }
        }
    }
}

#[test]
fn random_circuits_contract_as_the_state_says() {
    let mut rng = Streams::new(3).stream(0);
    let mut gates = [gates_of_one(), gates_of_two()].concat();
    gates.extend([random_unitary(2, &mut rng), random_unitary(4, &mut rng)]);
    for trial in 0..30 {
        let n = 2 + trial % 5;
        let circuit = random_circuit(n, 12 + 2 * trial, &gates, &mut rng);
        let open: Vec<usize> = (0..n).filter(|_| rng.random::<f64>() < 0.4).rev().collect();
        assert_contraction_is_state(&circuit, &open, &ContractionParams::default());
    }
    // Without gates, and with idle qubits.
    assert_contraction_is_state(&Circuit::new(1).unwrap(), &[], &ContractionParams::default());
    assert_contraction_is_state(&Circuit::new(3).unwrap(), &[2, 0], &ContractionParams::default());
    let one = Circuit::new(3).unwrap().with(Gate::H, &[1]).unwrap();
    assert_contraction_is_state(&one, &[1], &ContractionParams::default());
}

#[test]
fn grids_contract_as_the_state_says_with_slices_and_threads() {
    for (seed, entangler) in
        [(1, Entangler::default()), (2, Entangler::Cz), (3, Entangler::FSim { theta: 1.2, phi: 0.4 })]
    {
        let grid = RandomGrid::new(3, 4, 8).unwrap().with_entangler(entangler);
        let circuit = grid.circuit(&mut Streams::new(seed).stream(0)).unwrap();
        let whole = Contraction::new(&circuit, &[], &ContractionParams::default()).unwrap();
        assert_eq!(whole.cost().slices, 1);
        assert_contraction_is_state(&circuit, &[3, 8], &ContractionParams::default());
        let bytes = (whole.cost().peak_bytes / 16.0) as usize;
        let mut before: Option<Complex64> = None;
        for threads in [1, 3] {
            // The memory is shared among threads: the same slices.
            let params = ContractionParams::default().with_memory_bytes(threads * bytes).with_threads(threads);
            let sliced = Contraction::new(&circuit, &[], &params).unwrap();
            assert!(sliced.cost().slices >= 4 && sliced.cost().peak_bytes <= bytes as f64);
            assert!(sliced.cost().flops >= whole.cost().flops);
            assert_contraction_is_state(&circuit, &[], &params);
            let amplitude = sliced.amplitude(&bits(1234, 12)).unwrap();
            assert!(before.is_none_or(|before| before == amplitude));
            before = Some(amplitude);
        }
    }
}

#[test]
fn lists_of_amplitudes_and_other_orders_agree() {
    let circuit = RandomGrid::new(3, 3, 6).unwrap().circuit(&mut Streams::new(4).stream(0)).unwrap();
    let all: Vec<Vec<bool>> = (0..512).map(|index| bits(index, 9)).collect();
    let state = StateVector::run(&circuit).unwrap();
    for (threads, seed) in [(1, 1), (2, 2)] {
        let order = OrderParams::default().with_seed(seed);
        let params = ContractionParams::default().with_threads(threads).with_order(order);
        let contraction = Contraction::new(&circuit, &[5], &params).unwrap();
        let amplitudes = contraction.amplitudes(&all, &mut ()).unwrap();
        let norm: f64 = amplitudes.iter().map(|a| a.norm_sqr()).sum();
        assert!((norm - 1.0).abs() < 1e-12);
        assert!(amplitudes.iter().zip(state.amplitudes()).all(|(a, b)| (a - b).norm() < 1e-13));
    }
}

#[test]
fn grids_have_each_edge_twice_in_eight_cycles_and_no_root_twice_in_a_row() {
    for (rows, cols) in [(1, 1), (1, 5), (3, 4), (7, 7)] {
        let grid = RandomGrid::new(rows, cols, 8).unwrap();
        let mut pairs: Vec<[usize; 2]> = Vec::new();
        for cycle in 0..8 {
            let now = grid.pairs(cycle);
            let mut used: Vec<usize> = now.iter().flatten().copied().collect();
            used.sort_unstable();
            assert!(used.windows(2).all(|pair| pair[0] < pair[1]), "a qubit twice in cycle {cycle}");
            pairs.extend(now);
        }
        pairs.sort_unstable();
        let edges = rows * (cols - 1) + cols * (rows - 1);
        assert_eq!(pairs.len(), 2 * edges);
        assert!(pairs.chunks(2).all(|two| two[0] == two[1]));
    }
    let circuit = RandomGrid::new(2, 3, 40).unwrap().circuit(&mut Streams::new(5).stream(0)).unwrap();
    let mut counts = std::collections::HashMap::new();
    for q in 0..6 {
        let singles = circuit.operations().iter().filter(|operation| operation.qubits() == [q]);
        let names: Vec<&str> = singles.map(|operation| operation.gate().name()).collect();
        assert_eq!(names.len(), 41);
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        names.into_iter().for_each(|name| *counts.entry(name).or_insert(0) += 1);
    }
    assert!(counts.len() == 3 && counts.values().all(|&count| count > 50), "{counts:?}");
}

#[test]
fn spins_have_the_amplitude_as_partition_function() {
    let mut rng = Streams::new(6).stream(0);
    // IQP: Hadamard gates around diagonal ones; one spin a qubit.
    let diagonal = [Gate::Cz, Gate::CPhase(0.3), Gate::Zz(0.9), Gate::T, Gate::Rz(0.4), Gate::S, Gate::Z];
    for n in [2, 5, 10] {
        let mut circuit = Circuit::new(n).unwrap();
        let all = |circuit: &mut Circuit| (0..n).try_for_each(|q| circuit.push(Gate::H, &[q]));
        all(&mut circuit).unwrap();
        for q in 1..n {
            circuit.push(Gate::Cz, &[q - 1, q]).unwrap();
        }
        circuit = circuit.then(&random_circuit(n, 5 * n, &diagonal, &mut rng)).unwrap();
        all(&mut circuit).unwrap();
        let state = StateVector::run(&circuit).unwrap();
        for index in [0, 1, (1 << n) - 1, 2] {
            let model = ComplexIsing::amplitude(&circuit, &bits(index, n)).unwrap();
            assert_eq!(model.n_spins(), n);
            let expected = state.amplitudes()[index];
            assert!((model.partition_function().unwrap() - expected).norm() < 1e-12);
            assert!((model.contract(&ContractionParams::default(), &mut ()).unwrap() - expected).norm() < 1e-12);
        }
    }
    // All named gates, idle qubits and values that cannot occur among them.
    let gates = [gates_of_one(), gates_of_two()].concat();
    for trial in 0..60 {
        let n = 2 + trial % 3;
        let circuit = random_circuit(n, 3 + trial % 12, &gates, &mut rng);
        let state = StateVector::run(&circuit).unwrap();
        for index in 0..1 << n {
            let model = ComplexIsing::amplitude(&circuit, &bits(index, n)).unwrap();
            let expected = state.amplitudes()[index];
            let contracted = model.contract(&ContractionParams::default(), &mut ()).unwrap();
            assert!((contracted - expected).norm() < 1e-12, "{contracted} and {expected}: {circuit:?}");
            if model.n_spins() <= 14 {
                assert!((model.partition_function().unwrap() - expected).norm() < 1e-12);
            }
        }
    }
}

#[test]
fn real_couplings_are_an_ising_model() {
    use crate::{Enumeration, Ising, LogPartition};
    let mut rng = Streams::new(7).stream(0);
    let n = 7;
    let mut couplings: Vec<(usize, usize, f64)> = Vec::new();
    for j in 1..n {
        couplings.extend((0..j).map(|i| (i, j, rng.random::<f64>() - 0.5)));
    }
    let fields: Vec<f64> = (0..n).map(|_| rng.random::<f64>() - 0.5).collect();
    let complex: Vec<_> = couplings.iter().map(|&(i, j, c)| (i, j, c.into())).collect();
    let spins = ComplexIsing::new(Complex64::ZERO, fields.iter().map(|&h| h.into()).collect(), &complex).unwrap();
    let model = Ising::builder(n).couplings(couplings).fields(fields).build().unwrap();
    let ln_z = Enumeration::default().ln_z(&model, 1.0).unwrap().value;
    assert!((spins.partition_function().unwrap().ln() - ln_z).norm() < 1e-12);
    // Z as the sum of exponents, the other way round.
    let configurations =
        (0..1usize << n).map(|x| bits(x, n).iter().map(|&b| if b { -1 } else { 1 }).collect::<Vec<i8>>());
    let sum: Complex64 = configurations.map(|signs| spins.exponent(&signs).exp()).sum();
    assert!((sum.ln() - ln_z).norm() < 1e-12);
}

/// Chi-square of 3000 bitstrings of 6 qubits against the state vector: 63 degrees of freedom, bound at 4.5 standard deviations.
#[test]
fn samples_have_the_distribution_of_the_circuit() {
    let n = 6;
    let mut rng = Streams::new(8).stream(0);
    let gates = [gates_of_one(), gates_of_two()].concat();
    let circuit = random_circuit(n, 120, &gates, &mut rng);
    let state = StateVector::run(&circuit).unwrap();
    let count = 3000;
    let chi_square = |indices: &[usize]| {
        let mut counts = vec![0.0; 1 << n];
        indices.iter().for_each(|&index| counts[index] += 1.0);
        let cells = counts.iter().zip(state.amplitudes());
        cells
            .map(|(found, a)| (found - count as f64 * a.norm_sqr()).powi(2) / (count as f64 * a.norm_sqr()))
            .sum::<f64>()
    };
    let bound = 63.0 + 4.5 * (2.0 * 63.0f64).sqrt();
    let direct = chi_square(&state.sample(count, &mut rng));
    assert!(direct < bound, "{direct}");
    for open in [vec![], vec![5, 1, 3]] {
        let run = |threads: usize, count: usize| {
            let params = ContractionParams::default().with_threads(threads);
            let contraction = Contraction::new(&circuit, &open, &params).unwrap();
            Sampling::default().run(&contraction, count, Streams::new(9), &mut ()).unwrap()
        };
        assert_eq!(run(1, 100), run(2, 100));
        let report = run(1, count);
        assert!(report.complete && report.bitstrings.len() == count);
        let index = |bits: &Vec<bool>| bits.iter().rev().fold(0, |index, &bit| 2 * index + usize::from(bit));
        let indices: Vec<usize> = report.bitstrings.iter().map(index).collect();
        for (&index, p) in indices.iter().zip(&report.probabilities) {
            assert!((state.amplitudes()[index].norm_sqr() - p).abs() < 1e-13);
        }
        let found = chi_square(&indices);
        assert!(found < bound, "{open:?}: {found}");
        // The cross entropy of the circuit's own samples, within 5 standard errors.
        let xeb = linear_cross_entropy(n, &report.probabilities).unwrap();
        assert!(xeb.z_score(&state.self_cross_entropy().into()).abs() < 5.0, "{xeb}");
    }
}

/// GHZ: two bitstrings have everything, and the bound has to rise.
#[test]
fn peaked_distributions_raise_the_bound() {
    let mut ghz = Circuit::new(6).unwrap().with(Gate::H, &[0]).unwrap();
    (1..6).for_each(|q| ghz.push(Gate::Cnot, &[q - 1, q]).unwrap());
    let contraction = Contraction::new(&ghz, &[0, 2], &ContractionParams::default()).unwrap();
    let report = Sampling::default().run(&contraction, 200, Streams::new(10), &mut ()).unwrap();
    assert!(report.complete && report.bound >= 8.0 - 1e-9, "{report:?}");
    assert!(report.bitstrings.iter().all(|bits| bits.iter().all(|&bit| bit == bits[0])));
    let ones = report.bitstrings.iter().filter(|bits| bits[0]).count();
    assert!((60..=140).contains(&ones), "{ones} of 200: more than 5 standard deviations from 100");
    // Too few contractions: told, not hidden.
    let short = Sampling::default().with_max_batches(3).run(&contraction, 200, Streams::new(10), &mut ()).unwrap();
    assert!(!short.complete && short.batches == 3);
}

#[test]
fn bad_input_is_refused() {
    assert!(matches!(Circuit::new(0), Err(Error::Parameter { .. })));
    assert!(matches!(Circuit::new(usize::MAX), Err(Error::TooLarge { .. })));
    let mut circuit = Circuit::new(2).unwrap();
    assert!(matches!(circuit.push(Gate::H, &[]), Err(Error::WrongLength { got: 0, expected: 1, .. })));
    assert!(matches!(circuit.push(Gate::Rz(f64::NAN), &[0]), Err(Error::Parameter { .. })));
    let text = circuit.push(Gate::Cz, &[1, 1]).unwrap_err().to_string();
    assert_eq!(text, "operation 0 (cz) acts on qubit 1 twice");
    assert!(circuit.operations().is_empty());
    let nan = Unitary::new(&[Complex64::new(f64::NAN, 0.0); 4]);
    assert!(matches!(nan, Err(Error::NotUnitary { deviation, .. }) if deviation.is_nan()));
    assert!(matches!(Unitary::new(&[]), Err(Error::WrongLength { got: 0, .. })));
    let mut almost = Gate::Cz.matrix();
    almost[0].re = 1.001;
    let error = Gate::unitary(&almost).unwrap_err();
    assert!(matches!(error, Error::NotUnitary { n_qubits: 2, deviation, .. } if (deviation - 0.002001).abs() < 1e-12));

    assert!(matches!(RandomGrid::new(0, 3, 1), Err(Error::Parameter { what: "rows", .. })));
    assert!(matches!(RandomGrid::new(usize::MAX, 3, 1), Err(Error::TooLarge { .. })));
    let infinite = Entangler::FSim { theta: f64::INFINITY, phi: 0.0 };
    let grid = RandomGrid::new(2, 2, 1).unwrap().with_entangler(infinite);
    assert!(matches!(grid.circuit(&mut Streams::new(1).stream(0)), Err(Error::Parameter { .. })));

    let circuit = RandomGrid::new(3, 4, 8).unwrap().circuit(&mut Streams::new(1).stream(0)).unwrap();
    for open in [vec![12], vec![3, 3]] {
        let refused = Contraction::new(&circuit, &open, &ContractionParams::default());
        assert!(matches!(refused, Err(Error::Parameter { what: "open qubit", .. })));
    }
    // The least memory named is enough.
    let tight = ContractionParams::default().with_memory_bytes(0);
    let Err(Error::MemoryBudget { least, budget: 0, .. }) = Contraction::new(&circuit, &[], &tight) else {
        panic!("no memory at all")
    };
    let enough = ContractionParams::default().with_memory_bytes(least as usize);
    assert!(Contraction::new(&circuit, &[], &enough).is_ok());
    let contraction = Contraction::new(&circuit, &[], &enough).unwrap();
    assert!(matches!(contraction.amplitude(&[true]), Err(Error::WrongLength { got: 1, expected: 12, .. })));
    assert!(matches!(contraction.amplitudes(&[vec![]], &mut ()), Err(Error::WrongLength { got: 0, .. })));

    let mut rng = Streams::new(1).stream(1);
    let other =
        Circuit::new(3).unwrap().with(Gate::T, &[0]).unwrap().with(random_unitary(4, &mut rng), &[0, 2]).unwrap();
    let error = ComplexIsing::amplitude(&other, &[false; 3]).unwrap_err();
    assert!(error.to_string().contains("operation 1 (unitary)"), "{error}");
    let zero = Complex64::ZERO;
    assert!(matches!(ComplexIsing::new(zero, vec![zero], &[(0, 1, zero)]), Err(Error::SiteOutOfBounds { .. })));
    assert!(matches!(ComplexIsing::new(zero, vec![zero], &[(0, 0, zero)]), Err(Error::SelfCoupling { .. })));
    assert!(matches!(ComplexIsing::new(zero, vec![f64::NAN.into()], &[]), Err(Error::NotFinite { .. })));
    let large = ComplexIsing::new(zero, vec![zero; 27], &[]).unwrap();
    assert!(matches!(large.partition_function(), Err(Error::TooLarge { value: 27, bound: 26, .. })));

    assert!(matches!(linear_cross_entropy(3, &[0.5]), Err(Error::TooFewSamples { got: 1, .. })));
    assert!(matches!(linear_cross_entropy(3, &[0.5, f64::NAN]), Err(Error::Parameter { .. })));
    assert!(matches!(linear_cross_entropy(3, &[0.5, -0.1]), Err(Error::Parameter { .. })));
    assert!(matches!(linear_cross_entropy(2000, &[0.5, 0.1]), Err(Error::Parameter { .. })));
}

#[test]
fn long_work_stops_on_request() {
    let circuit = RandomGrid::new(3, 4, 8).unwrap().circuit(&mut Streams::new(1).stream(0)).unwrap();
    let params = ContractionParams::default().with_threads(2);
    let contraction = Contraction::new(&circuit, &[], &params).unwrap();
    let bytes = (contraction.cost().peak_bytes / 4.0) as usize;
    let sliced = Contraction::new(&circuit, &[], &params.clone().with_memory_bytes(bytes)).unwrap();
    for contraction in [contraction, sliced] {
        let mut seen = 0;
        let mut stop = |event: &Progress| {
            seen += 1;
            assert!(event.done <= event.total);
            if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let stopped = contraction.amplitude_observed(&[false; 12], &mut stop);
        assert!(matches!(stopped, Err(Error::Stopped { done, total, .. }) if done < total));
        let mut at_once = |_: &Progress| ControlFlow::Break(());
        let many = vec![vec![true; 12]; 300];
        let stopped = contraction.amplitudes(&many, &mut at_once);
        assert!(matches!(stopped, Err(Error::Stopped { done: 1..300, total: 300, .. })));
        let stopped = Sampling::default().run(&contraction, 10, Streams::new(1), &mut at_once);
        assert!(matches!(stopped, Err(Error::Stopped { solver: "sampling", .. })));
    }
    let mut at_once = |_: &Progress| ControlFlow::Break(());
    let stopped = StateVector::run_observed(&circuit, &mut at_once);
    assert!(matches!(stopped, Err(Error::Stopped { done: 1, .. })));
}
