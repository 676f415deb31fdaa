//! Named gates and their matrices.

use std::f64::consts::FRAC_1_SQRT_2;

use linalg_core::num_complex::Complex64;

use super::unitary::Unitary;

/// A gate of one or two qubits.
///
/// The roots of X, Y and of W = (X + Y)/√2 are rotations by a quarter turn, $`e^{-i\pi X/4}`$ and so on, as in Arute et al.; they
/// differ by a phase from other roots. All angles are in radians.
///
/// ```
/// use spin_models::amplitude::Gate;
///
/// // Two quarter turns are X up to the phase -i.
/// let root = Gate::SqrtX.matrix();
/// let square: f64 = (0..2).map(|k| (root[k] * root[2 * k + 1]).im).sum();
/// assert!((square + 1.0).abs() < 1e-15);
/// assert_eq!(Gate::FSim { theta: 0.5, phi: 0.25 }.n_qubits(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Gate {
    /// The identity.
    I,
    /// Pauli X, the bit flip.
    X,
    /// Pauli Y.
    Y,
    /// Pauli Z, diag(1, -1).
    Z,
    /// Hadamard.
    H,
    /// diag(1, i).
    S,
    /// diag(1, -i).
    Sdg,
    /// diag(1, e^{iπ/4}).
    T,
    /// diag(1, e^{-iπ/4}).
    Tdg,
    /// $`e^{-i\pi X/4}`$.
    SqrtX,
    /// $`e^{-i\pi Y/4}`$.
    SqrtY,
    /// $`e^{-i\pi W/4}`$ with W = (X + Y)/√2.
    SqrtW,
    /// $`e^{-i\theta X/2}`$.
    Rx(f64),
    /// $`e^{-i\theta Y/2}`$.
    Ry(f64),
    /// $`e^{-i\theta Z/2}`$.
    Rz(f64),
    /// diag(1, e^{iλ}).
    Phase(f64),
    /// $`\begin{pmatrix} \cos\frac\theta2 & -e^{i\lambda}\sin\frac\theta2 \\ e^{i\varphi}\sin\frac\theta2 & e^{i(\varphi+\lambda)}\cos\frac\theta2 \end{pmatrix}`$
    U3 {
        /// θ.
        theta: f64,
        /// φ.
        phi: f64,
        /// λ.
        lambda: f64,
    },
    /// diag(1, 1, 1, -1).
    Cz,
    /// Flips the second qubit where the first is 1.
    Cnot,
    /// Exchanges two qubits.
    Swap,
    /// Exchanges two qubits, with a phase i where they differ.
    ISwap,
    /// diag(1, 1, 1, e^{iλ}).
    CPhase(f64),
    /// $`e^{-i\theta Z Z/2}`$.
    Zz(f64),
    /// $`e^{-i\theta X X/2}`$.
    Xx(f64),
    /// $`e^{-i\theta Y Y/2}`$.
    Yy(f64),
    /// Rotates 01 and 10 into each other, $`\cos\theta`$ on the diagonal and $`-i\sin\theta`$ beside it, and multiplies 11 by
    /// $`e^{-i\varphi}`$.
    FSim {
        /// θ; π/2 exchanges the qubits.
        theta: f64,
        /// φ.
        phi: f64,
    },
    /// Any unitary matrix.
    Unitary(Unitary),
}

fn phase(angle: f64) -> Complex64 {
    Complex64::from_polar(1.0, angle)
}

impl Gate {
    /// A gate from a matrix row by row: 4 entries for one qubit, 16 for two.
    ///
    /// # Errors
    /// As [`Unitary::new`].
    pub fn unitary(entries: &[Complex64]) -> crate::Result<Self> {
        Unitary::new(entries).map(Self::Unitary)
    }

    /// How many qubits it acts on, 1 or 2.
    pub fn n_qubits(&self) -> usize {
        match self {
            Self::Unitary(unitary) => unitary.n_qubits(),
            Self::Cz
            | Self::Cnot
            | Self::Swap
            | Self::ISwap
            | Self::CPhase(_)
            | Self::Zz(_)
            | Self::Xx(_)
            | Self::Yy(_)
            | Self::FSim { .. } => 2,
            _ => 1,
        }
    }

    /// Its name in lower case, as in OpenQASM where it has one there.
    pub fn name(&self) -> &'static str {
        match self {
            Self::I => "id",
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
            Self::H => "h",
            Self::S => "s",
            Self::Sdg => "sdg",
            Self::T => "t",
            Self::Tdg => "tdg",
            Self::SqrtX => "sx",
            Self::SqrtY => "sy",
            Self::SqrtW => "sw",
            Self::Rx(_) => "rx",
            Self::Ry(_) => "ry",
            Self::Rz(_) => "rz",
            Self::Phase(_) => "u1",
            Self::U3 { .. } => "u3",
            Self::Cz => "cz",
            Self::Cnot => "cx",
            Self::Swap => "swap",
            Self::ISwap => "iswap",
            Self::CPhase(_) => "cu1",
            Self::Zz(_) => "rzz",
            Self::Xx(_) => "rxx",
            Self::Yy(_) => "ryy",
            Self::FSim { .. } => "fsim",
            Self::Unitary(_) => "unitary",
        }
    }

    /// Its angles in the order of its fields; none for gates without.
    pub fn angles(&self) -> Vec<f64> {
        match *self {
            Self::Rx(angle)
            | Self::Ry(angle)
            | Self::Rz(angle)
            | Self::Phase(angle)
            | Self::CPhase(angle)
            | Self::Zz(angle)
            | Self::Xx(angle)
            | Self::Yy(angle) => vec![angle],
            Self::U3 { theta, phi, lambda } => vec![theta, phi, lambda],
            Self::FSim { theta, phi } => vec![theta, phi],
            _ => Vec::new(),
        }
    }

    /// Its matrix row by row, 4 or 16 entries.
    pub fn matrix(&self) -> Vec<Complex64> {
        let real = |x: f64| Complex64::new(x, 0.0);
        let (zero, one, i) = (real(0.0), real(1.0), Complex64::i());
        let diagonal = |entries: &[Complex64]| -> Vec<Complex64> {
            let dim = entries.len();
            (0..dim * dim).map(|k| if k % (dim + 1) == 0 { entries[k / (dim + 1)] } else { zero }).collect()
        };
        // Of two qubits: the corners of the square 00, 11 and the block of 01, 10.
        let block = |[a, b]: [Complex64; 2], [c, d]: [Complex64; 2], last: Complex64| {
            vec![one, zero, zero, zero, zero, a, b, zero, zero, c, d, zero, zero, zero, zero, last]
        };
        let h = real(FRAC_1_SQRT_2);
        let halves = |theta: f64| (real((0.5 * theta).cos()), real((0.5 * theta).sin()));
        match *self {
            Self::I => diagonal(&[one, one]),
            Self::X => vec![zero, one, one, zero],
            Self::Y => vec![zero, -i, i, zero],
            Self::Z => diagonal(&[one, -one]),
            Self::H => vec![h, h, h, -h],
            Self::S => diagonal(&[one, i]),
            Self::Sdg => diagonal(&[one, -i]),
            Self::T => diagonal(&[one, (one + i) * h]),
            Self::Tdg => diagonal(&[one, (one - i) * h]),
            Self::SqrtX => vec![h, -i * h, -i * h, h],
            Self::SqrtY => vec![h, -h, h, h],
            // -i e^{∓iπ/4}/√2.
            Self::SqrtW => vec![h, Complex64::new(-0.5, -0.5), Complex64::new(0.5, -0.5), h],
            Self::Rx(theta) => {
                let (c, s) = halves(theta);
                vec![c, -i * s, -i * s, c]
            }
            Self::Ry(theta) => {
                let (c, s) = halves(theta);
                vec![c, -s, s, c]
            }
            Self::Rz(theta) => diagonal(&[phase(-0.5 * theta), phase(0.5 * theta)]),
            Self::Phase(lambda) => diagonal(&[one, phase(lambda)]),
            Self::U3 { theta, phi, lambda } => {
                let (c, s) = halves(theta);
                vec![c, -phase(lambda) * s, phase(phi) * s, phase(phi + lambda) * c]
            }
            Self::Cz => diagonal(&[one, one, one, -one]),
            Self::Cnot => {
                vec![one, zero, zero, zero, zero, one, zero, zero, zero, zero, zero, one, zero, zero, one, zero]
            }
            Self::Swap => block([zero, one], [one, zero], one),
            Self::ISwap => block([zero, i], [i, zero], one),
            Self::CPhase(lambda) => diagonal(&[one, one, one, phase(lambda)]),
            Self::Zz(theta) => {
                let (same, other) = (phase(-0.5 * theta), phase(0.5 * theta));
                diagonal(&[same, other, other, same])
            }
            Self::Xx(theta) => {
                let (c, s) = halves(theta);
                let m = -i * s;
                vec![c, zero, zero, m, zero, c, m, zero, zero, m, c, zero, m, zero, zero, c]
            }
            Self::Yy(theta) => {
                let (c, s) = halves(theta);
                let (m, p) = (-i * s, i * s);
                vec![c, zero, zero, p, zero, c, m, zero, zero, m, c, zero, p, zero, zero, c]
            }
            Self::FSim { theta, phi } => {
                let (c, s) = (real(theta.cos()), -i * theta.sin());
                block([c, s], [s, c], phase(-phi))
            }
            Self::Unitary(ref unitary) => unitary.entries().to_vec(),
        }
    }

    /// The gate that undoes it.
    ///
    /// ```
    /// use spin_models::amplitude::Gate;
    ///
    /// assert_eq!(Gate::T.inverse(), Gate::Tdg);
    /// assert_eq!(Gate::Rz(0.3).inverse(), Gate::Rz(-0.3));
    /// ```
    pub fn inverse(&self) -> Self {
        match *self {
            Self::S => Self::Sdg,
            Self::Sdg => Self::S,
            Self::T => Self::Tdg,
            Self::Tdg => Self::T,
            Self::Rx(theta) => Self::Rx(-theta),
            Self::Ry(theta) => Self::Ry(-theta),
            Self::Rz(theta) => Self::Rz(-theta),
            Self::Phase(lambda) => Self::Phase(-lambda),
            Self::U3 { theta, phi, lambda } => Self::U3 { theta: -theta, phi: -lambda, lambda: -phi },
            Self::CPhase(lambda) => Self::CPhase(-lambda),
            Self::Zz(theta) => Self::Zz(-theta),
            Self::Xx(theta) => Self::Xx(-theta),
            Self::Yy(theta) => Self::Yy(-theta),
            Self::FSim { theta, phi } => Self::FSim { theta: -theta, phi: -phi },
            Self::SqrtX => Self::Rx(-std::f64::consts::FRAC_PI_2),
            Self::SqrtY => Self::Ry(-std::f64::consts::FRAC_PI_2),
            Self::SqrtW | Self::ISwap => Self::Unitary(Unitary::trusted(self.matrix()).adjoint()),
            Self::Unitary(ref unitary) => Self::Unitary(unitary.adjoint()),
            _ => self.clone(),
        }
    }
}
