//! Stabilizer states on many qubits, and runs with folded blocks, against what they must equal.

use linalg_core::Streams;
use linalg_core::gf2::BitVec;
use linalg_core::rand::{Rng, RngExt};
use quantum_ec::circuit::{BicycleMemory, Detectors, Gate, Memory, Operation, StabilizerSimulator, Target};
use quantum_ec::code::BIVARIATE_BICYCLES;
use quantum_ec::{Circuit, Pauli};

/// A random operation on few qubits.
fn operation<R: Rng + ?Sized>(n: u32, rng: &mut R) -> Operation {
    use Gate::{
        CXyz, Cx, CxSwap, Cy, Cz, H, Iswap, M, Mpp, Mr, Mrx, Mx, Mxx, My, Myy, Mzz, R, Rx, Ry, S, Spp, SqrtXDag,
        SqrtYy, Swap, X, Xcy, Z,
    };
    let a = rng.random_range(0..n);
    let b = (a + rng.random_range(1..n)) % n;
    let one = [H, S, SqrtXDag, CXyz, X, Z, M, Mx, My, Mr, Mrx, R, Rx, Ry];
    let two = [Cx, Cy, Cz, Swap, Iswap, CxSwap, Xcy, SqrtYy, Mxx, Myy, Mzz];
    match rng.random_range(0..20u32) {
        0..8 => Operation::on_qubits(one[rng.random_range(0..14u32) as usize], vec![], [a]),
        8..18 => Operation::on_qubits(two[rng.random_range(0..11u32) as usize], vec![], [a, b]),
        k => {
            let mut pauli = || Pauli::ERRORS[rng.random_range(0..3u32) as usize];
            let targets = vec![Target::pauli(pauli(), a), Target::Combiner, Target::pauli(pauli(), b)];
            Operation::new(if k == 18 { Mpp } else { Spp }, vec![], targets)
        }
    }
}

/// Six systems of five qubits far apart do what each does alone.
#[test]
fn many_qubits_are_many_times_few() {
    const SYSTEMS: usize = 6;
    let (n, mut rng) = (5, Streams::new(31).stream(0));
    let mut ones = 0;
    for case in 0..40 {
        let places: Vec<u32> = {
            let mut all: Vec<u32> = (0..300).collect();
            for i in (1..all.len()).rev() {
                all.swap(i, rng.random_range(0..=i as u64) as usize);
            }
            all
        };
        let moved = |target: &Target, system: usize| {
            let place = |qubit: u32| places[system * n as usize + qubit as usize];
            match *target {
                Target::Qubit { qubit, inverted } => Target::Qubit { qubit: place(qubit), inverted },
                Target::Pauli { pauli, qubit, inverted } => Target::Pauli { pauli, qubit: place(qubit), inverted },
                other => other,
            }
        };
        let mut all = StabilizerSimulator::new(300).unwrap();
        let mut alone: Vec<_> = (0..SYSTEMS).map(|_| StabilizerSimulator::new(n as usize).unwrap()).collect();
        // Gates and measurements in turn, or long runs of each.
        let mut last = 0;
        for step in 0..200 {
            let system = if step % (1 + case % 4) == 0 { rng.random_range(0..SYSTEMS as u64) as usize } else { last };
            last = system;
            let small = operation(n, &mut rng);
            let large =
                Operation { targets: small.targets.iter().map(|t| moved(t, system)).collect(), ..small.clone() };
            let guess = rng.random::<bool>();
            let mut asked = [0, 0];
            alone[system].run(&small, || {
                asked[0] += 1;
                guess
            });
            all.run(&large, || {
                asked[1] += 1;
                guess
            });
            assert_eq!(asked[0], asked[1], "case {case}, step {step}: {large}");
            let last = |records: &BitVec| records.len().checked_sub(1).map(|at| records.get(at));
            if small.n_records() > 0 {
                assert_eq!(last(all.records()), last(alone[system].records()), "case {case}, step {step}: {large}");
                ones += usize::from(last(all.records()) == Some(true));
            }
        }
    }
    assert!(ones > 500, "{ones}");
}

/// Records of all operations one after another.
fn unrolled(circuit: &Circuit) -> BitVec {
    let mut simulator = StabilizerSimulator::new(circuit.counts().qubits as usize).unwrap();
    circuit.operations().for_each(|flat| simulator.run(flat.operation, || false));
    simulator.records().clone()
}

#[test]
fn folded_blocks_are_those_unrolled() {
    let mut rng = Streams::new(32).stream(0);
    let (mut varied, n) = (0, 4);
    for case in 0..300 {
        let mut text = String::from("M 0 1 2 3\nX 1\nH 2\nCX 2 3\n");
        let lines = |text: &mut String, rng: &mut _| {
            for _ in 0..RngExt::random_range(rng, 2..9u32) {
                *text += &format!("{}\n", operation(n, rng));
                if RngExt::random_range(rng, 0..6u32) == 0 {
                    let (back, qubit) = (RngExt::random_range(rng, 1..5u32), RngExt::random_range(rng, 0..n));
                    let gate = ["CX", "CY", "CZ"][RngExt::random_range(rng, 0..3u32) as usize];
                    *text += &format!("{gate} rec[-{back}] {qubit}\n");
                }
            }
        };
        lines(&mut text, &mut rng);
        text += &format!("REPEAT {} {{\n", rng.random_range(1..60u32));
        lines(&mut text, &mut rng);
        if case % 3 == 0 {
            text += &format!("REPEAT {} {{\n", rng.random_range(1..20u32));
            lines(&mut text, &mut rng);
            text += "}\n";
            lines(&mut text, &mut rng);
        }
        text += "}\n";
        lines(&mut text, &mut rng);
        let circuit: Circuit = text.parse().unwrap();
        let expected = unrolled(&circuit);
        assert_eq!(circuit.reference_sample().unwrap(), expected, "{text}");
        varied += usize::from(expected.weight() > 5);
    }
    assert!(varied > 25, "{varied}");
}

#[test]
fn memories_fold() {
    let [x, z] = [Memory::RotatedSurfaceX, Memory::RotatedSurfaceZ];
    for (memory, distance) in
        [(x, 5), (z, 3), (Memory::UnrotatedSurfaceX, 3), (Memory::ColorXyz, 5), (Memory::Repetition, 9)]
    {
        let short = memory.circuit(distance, 40).unwrap();
        assert_eq!(short.reference_sample().unwrap(), unrolled(&short), "{memory:?}");
        // That many rounds one by one would take minutes.
        let long = memory.circuit(distance, 50_000).unwrap();
        assert_eq!(long.reference_sample().unwrap().len() as u64, long.counts().measurements);
    }
    let (_, orders, a, b) = BIVARIATE_BICYCLES[0];
    let short = BicycleMemory { orders, a, b }.circuit(8, Detectors::Both).unwrap();
    assert_eq!(short.reference_sample().unwrap(), unrolled(&short));
}
