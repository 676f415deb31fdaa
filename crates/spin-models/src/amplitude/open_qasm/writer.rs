//! Writing OpenQASM 2.

use std::fmt::Write;

use super::super::circuit::Circuit;
use super::super::gate::Gate;
use crate::{Error, Result};

/// Gates that qelib1.inc does not have, in terms of those it has; later ones use earlier ones.
const DEFINITIONS: [(&str, &str); 5] = [
    ("sy", "gate sy a { ry(pi/2) a; }"),
    ("sw", "gate sw a { rz(-pi/4) a; rx(pi/2) a; rz(pi/4) a; }"),
    ("ryy", "gate ryy(theta) a,b { sdg a; sdg b; rxx(theta) a,b; s a; s b; }"),
    ("iswap", "gate iswap a,b { rxx(-pi/2) a,b; ryy(-pi/2) a,b; }"),
    ("fsim", "gate fsim(theta,phi) a,b { rxx(theta) a,b; ryy(theta) a,b; cu1(-phi) a,b; }"),
];

/// Writes a circuit in OpenQASM 2, so that [`read_open_qasm`](super::read_open_qasm) gives it back.
///
/// Angles have all their digits. A unitary matrix of one qubit is written as `u3`, which leaves out a phase of the whole state.
/// Gates that qelib1.inc lacks are defined at the beginning.
///
/// ```
/// use spin_models::amplitude::{Circuit, Gate, read_open_qasm, write_open_qasm};
///
/// let circuit = Circuit::new(2)?.with(Gate::SqrtW, &[1])?.with(Gate::FSim { theta: 0.1, phi: 0.2 }, &[1, 0])?;
/// let text = write_open_qasm(&circuit)?;
/// assert!(text.ends_with("sw q[1];\nfsim(0.1,0.2) q[1],q[0];\n"));
/// assert_eq!(read_open_qasm(&text)?, circuit);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unrepresentable`] for a unitary matrix of two qubits.
pub fn write_open_qasm(circuit: &Circuit) -> Result<String> {
    let mut text = String::from("OPENQASM 2.0;\ninclude \"qelib1.inc\";\n");
    let used = |name: &str| circuit.operations().iter().any(|operation| operation.gate().name() == name);
    let needs = |name: &str| used(name) || name == "ryy" && (used("iswap") || used("fsim"));
    for (_, definition) in DEFINITIONS.iter().filter(|(name, _)| needs(name)) {
        text.push_str(definition);
        text.push('\n');
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "qreg q[{}];", circuit.n_qubits());
    for (place, operation) in circuit.operations().iter().enumerate() {
        let (name, angles) = match operation.gate() {
            Gate::Unitary(unitary) => match unitary.entries() {
                &[a, b, c, d] => ("u3", euler([a, b, c, d])),
                _ => {
                    let what = format!("the matrix of two qubits of operation {place}");
                    return Err(Error::Unrepresentable { format: "OpenQASM 2", what });
                }
            },
            gate => (gate.name(), gate.angles()),
        };
        text.push_str(name);
        for (k, angle) in angles.iter().enumerate() {
            let _ = write!(text, "{}{angle:?}", if k == 0 { "(" } else { "," });
        }
        text.push_str(if angles.is_empty() { "" } else { ")" });
        for (k, qubit) in operation.qubits().iter().enumerate() {
            let _ = write!(text, "{}q[{qubit}]", if k == 0 { " " } else { "," });
        }
        text.push_str(";\n");
    }
    Ok(text)
}

/// θ, φ, λ of a unitary matrix of one qubit up to a phase.
fn euler([a, b, c, d]: [linalg_core::num_complex::Complex64; 4]) -> Vec<f64> {
    let theta = 2.0 * c.norm().atan2(a.norm());
    if a.norm() >= c.norm() {
        // Phases against that of a, which is not small.
        let sum = d.arg() - a.arg();
        let phi = if c.norm() > 0.0 { c.arg() - a.arg() } else { 0.0 };
        vec![theta, phi, sum - phi]
    } else {
        let phi = if a.norm() > 0.0 { c.arg() - a.arg() } else { c.arg() };
        let start = c.arg() - phi;
        vec![theta, phi, (-b).arg() - start]
    }
}
