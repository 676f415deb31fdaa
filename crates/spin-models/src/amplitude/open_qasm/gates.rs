//! The gates that need no definition: those of qelib1.inc, and some more.

use linalg_core::num_complex::Complex64;

use super::super::gate::Gate;
use super::super::unitary::Unitary;

/// Gates on qubits.
pub(super) type Gates = Vec<(Gate, &'static [usize])>;

/// A gate by name.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) n_parameters: usize,
    pub(super) n_qubits: usize,
    /// The gates it stands for.
    pub(super) make: fn(&[f64]) -> Gates,
}

/// The gate of this name.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

macro_rules! one {
    ($name:literal, $gate:expr) => {
        Known { name: $name, n_parameters: 0, n_qubits: 1, make: |_| vec![($gate, &[0])] }
    };
    ($name:literal, $count:literal, $make:expr) => {
        Known { name: $name, n_parameters: $count, n_qubits: 1, make: |p| vec![($make(p), &[0])] }
    };
}

macro_rules! two {
    ($name:literal, $count:literal, $make:expr) => {
        Known { name: $name, n_parameters: $count, n_qubits: 2, make: |p| vec![($make(p), &[0, 1])] }
    };
}

fn u3(p: &[f64]) -> Gate {
    Gate::U3 { theta: p[0], phi: p[1], lambda: p[2] }
}

/// A gate on the second qubit where the first is 1.
fn controlled(gate: &Gate) -> Gate {
    let matrix = gate.matrix();
    let entry = |k: usize| match (k / 4, k % 4) {
        (row @ 2.., col @ 2..) => matrix[(row - 2) * 2 + col - 2],
        (row, col) if row == col => Complex64::ONE,
        _ => Complex64::ZERO,
    };
    Gate::Unitary(Unitary::trusted((0..16).map(entry).collect()))
}

/// Six CNOT gates and seven T gates.
fn toffoli([a, b, c]: [&'static [usize]; 3], pairs: [&'static [usize]; 3]) -> Gates {
    let [ab, ac, bc] = pairs;
    vec![
        (Gate::H, c),
        (Gate::Cnot, bc),
        (Gate::Tdg, c),
        (Gate::Cnot, ac),
        (Gate::T, c),
        (Gate::Cnot, bc),
        (Gate::Tdg, c),
        (Gate::Cnot, ac),
        (Gate::T, b),
        (Gate::T, c),
        (Gate::H, c),
        (Gate::Cnot, ab),
        (Gate::T, a),
        (Gate::Tdg, b),
        (Gate::Cnot, ab),
    ]
}

fn ccx() -> Gates {
    toffoli([&[0], &[1], &[2]], [&[0, 1], &[0, 2], &[1, 2]])
}

static KNOWN: &[Known] = &[
    one!("U", 3, u3),
    one!("u", 3, u3),
    one!("u3", 3, u3),
    one!("u2", 2, |p: &[f64]| u3(&[std::f64::consts::FRAC_PI_2, p[0], p[1]])),
    one!("u1", 1, |p: &[f64]| Gate::Phase(p[0])),
    one!("p", 1, |p: &[f64]| Gate::Phase(p[0])),
    one!("u0", 1, |_: &[f64]| Gate::I),
    one!("id", Gate::I),
    one!("x", Gate::X),
    one!("y", Gate::Y),
    one!("z", Gate::Z),
    one!("h", Gate::H),
    one!("s", Gate::S),
    one!("sdg", Gate::Sdg),
    one!("t", Gate::T),
    one!("tdg", Gate::Tdg),
    one!("sx", Gate::SqrtX),
    one!("sxdg", Gate::SqrtX.inverse()),
    one!("sy", Gate::SqrtY),
    one!("sw", Gate::SqrtW),
    one!("rx", 1, |p: &[f64]| Gate::Rx(p[0])),
    one!("ry", 1, |p: &[f64]| Gate::Ry(p[0])),
    one!("rz", 1, |p: &[f64]| Gate::Rz(p[0])),
    two!("CX", 0, |_: &[f64]| Gate::Cnot),
    two!("cx", 0, |_: &[f64]| Gate::Cnot),
    two!("cz", 0, |_: &[f64]| Gate::Cz),
    two!("cy", 0, |_: &[f64]| controlled(&Gate::Y)),
    two!("ch", 0, |_: &[f64]| controlled(&Gate::H)),
    two!("swap", 0, |_: &[f64]| Gate::Swap),
    two!("iswap", 0, |_: &[f64]| Gate::ISwap),
    two!("crx", 1, |p: &[f64]| controlled(&Gate::Rx(p[0]))),
    two!("cry", 1, |p: &[f64]| controlled(&Gate::Ry(p[0]))),
    two!("crz", 1, |p: &[f64]| controlled(&Gate::Rz(p[0]))),
    two!("cu1", 1, |p: &[f64]| Gate::CPhase(p[0])),
    two!("cp", 1, |p: &[f64]| Gate::CPhase(p[0])),
    two!("cu3", 3, |p: &[f64]| controlled(&u3(p))),
    two!("rxx", 1, |p: &[f64]| Gate::Xx(p[0])),
    two!("ryy", 1, |p: &[f64]| Gate::Yy(p[0])),
    two!("rzz", 1, |p: &[f64]| Gate::Zz(p[0])),
    two!("fsim", 2, |p: &[f64]| Gate::FSim { theta: p[0], phi: p[1] }),
    Known { name: "ccx", n_parameters: 0, n_qubits: 3, make: |_| ccx() },
    Known {
        name: "cswap",
        n_parameters: 0,
        n_qubits: 3,
        make: |_| {
            let turn: &'static [usize] = &[2, 1];
            let around = (Gate::Cnot, turn);
            [vec![around.clone()], ccx(), vec![around]].concat()
        },
    },
];
