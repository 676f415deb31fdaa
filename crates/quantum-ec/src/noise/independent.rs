//! Pauli noise as independent mechanisms.

use linalg_core::gf2::BinaryCsc;

use super::PauliTable;
use crate::code::StabilizerCode;
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// Single-qubit noise on a code as independent X, Y and Z mechanisms, for samplers and decoders of mechanisms.
///
/// A qubit on which X, Y, Z happen independently with $`q_X, q_Y, q_Z`$ has the table p where
///
/// ```math
/// (1 - 2 q_X)^2 = \frac{\lambda_Y \lambda_Z}{\lambda_X}, \qquad \lambda_X = 1 - 2 (p_Y + p_Z) ,
/// ```
///
/// and cyclically; `λ_P` is the mean of the sign that P takes up. Tables of at most one kind of error are that mechanism for
/// every p. Detector i is stabilizer i; the observables are those of
/// [`CosetModel::stabilizer`](crate::statmech::CosetModel::stabilizer): logical X of every qubit was applied, then logical Z.
/// Mechanisms of probability zero are left out.
///
/// ```
/// use quantum_ec::StabilizerCode;
/// use quantum_ec::noise::{PauliTable, independent_paulis};
///
/// let code = StabilizerCode::from_text(&["XZZXI", "IXZZX", "XIXZZ", "ZXIXZ"])?;
/// let problem = independent_paulis(&code, &PauliTable::depolarizing(5, 0.12)?)?;
/// assert_eq!((problem.n_mechanisms(), problem.n_detectors(), problem.n_observables()), (15, 4, 2));
/// // (1 - 2q)² = 1 - 4p/3 = 0.84.
/// assert!((problem.priors()[0] - (1.0 - 0.84f64.sqrt()) / 2.0).abs() < 1e-15);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # Errors
/// [`Error::WrongLength`] for a table of another number of qubits; [`Error::NotApplicable`] naming a qubit whose table no
/// independent mechanisms have, for example `p_X = p_Z` without `p_Y`.
pub fn independent_paulis(code: &StabilizerCode, table: &PauliTable) -> Result<DecodingProblem> {
    let n = code.n_qubits();
    if table.n_qubits() != n {
        return Err(Error::WrongLength { what: "qubits of a noise table", got: table.n_qubits(), expected: n });
    }
    let k = code.n_logical();
    let mut detectors: [Vec<Vec<usize>>; 3] = std::array::from_fn(|_| vec![Vec::new(); n]);
    let mut observables = detectors.clone();
    let note = |of: &mut [Vec<Vec<usize>>; 3], row: usize, operator: &crate::PauliString| {
        for qubit in 0..n {
            let (x, z) = operator.get(qubit).bits();
            // X, Y, Z anticommute with what has Z; exactly one of both; X.
            for (columns, flipped) in of.iter_mut().zip([z, x != z, x]) {
                if flipped {
                    columns[qubit].push(row);
                }
            }
        }
    };
    for (row, generator) in code.generators().iter().enumerate() {
        note(&mut detectors, row, generator);
    }
    for i in 0..k {
        note(&mut observables, i, &code.logical_z()[i]);
        note(&mut observables, k + i, &code.logical_x()[i]);
    }
    let (mut columns, mut rows, mut priors) = (Vec::new(), Vec::new(), Vec::new());
    for qubit in 0..n {
        for (kind, q) in mechanisms(qubit, table.row(qubit))?.into_iter().enumerate() {
            if q > 0.0 {
                columns.push(std::mem::take(&mut detectors[kind][qubit]));
                rows.push(std::mem::take(&mut observables[kind][qubit]));
                priors.push(q);
            }
        }
    }
    let checks = BinaryCsc::from_columns(code.generators().len(), columns)?;
    DecodingProblem::new(checks, BinaryCsc::from_columns(2 * k, rows)?, priors)
}

/// Probabilities of independent X, Y, Z.
fn mechanisms(qubit: usize, [_, x, y, z]: [f64; 4]) -> Result<[f64; 3]> {
    if [x, y, z].iter().filter(|&&p| p > 0.0).count() <= 1 {
        return Ok([x, y, z]);
    }
    let refused = |why: &str| Error::NotApplicable {
        method: "independent Pauli mechanisms",
        reason: format!("qubit {qubit} has p_X = {x}, p_Y = {y}, p_Z = {z}: {why}"),
    };
    let signs = [1.0 - 2.0 * (y + z), 1.0 - 2.0 * (x + z), 1.0 - 2.0 * (x + y)];
    if signs.iter().any(|&sign| sign <= 0.0) {
        return Err(refused("a sign is as often negative as positive"));
    }
    let mut q = [0.0; 3];
    for (i, q) in q.iter_mut().enumerate() {
        let square = signs[(i + 1) % 3] * signs[(i + 2) % 3] / signs[i];
        *q = 0.5 * (1.0 - square.sqrt());
        if *q < -1e-15 {
            return Err(refused("one kind of error is too rare beside the others"));
        }
        *q = q.max(0.0);
    }
    Ok(q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code;
    use crate::noise::Noise;
    use crate::statmech::SyndromeDistribution;

    #[test]
    fn the_distribution_is_that_of_the_table() {
        for name in ["five-qubit", "steane", "rotated-surface:3", "xzzx:3"] {
            let code = code::parse(name).unwrap();
            for noise in ["bit-flip", "phase-flip", "y-only", "depolarizing", "biased:10", "biased:0.5", "erasure"] {
                let table = noise.parse::<Noise>().unwrap().table(code.n_qubits(), 0.17).unwrap();
                let problem = independent_paulis(&code, &table).unwrap();
                let independent = SyndromeDistribution::new(&problem).unwrap();
                let exact = SyndromeDistribution::stabilizer(&code, table.rows()).unwrap();
                for syndrome in 0..1 << exact.n_detectors() {
                    for (a, b) in independent.classes(syndrome).iter().zip(exact.classes(syndrome)) {
                        approx::assert_abs_diff_eq!(a, b, epsilon = 1e-14);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_independent_is_refused() {
        let code = code::parse("five-qubit").unwrap();
        let mut rows = vec![[1.0, 0.0, 0.0, 0.0]; 5];
        rows[3] = [0.8, 0.1, 0.0, 0.1];
        let error = independent_paulis(&code, &PauliTable::new(rows).unwrap()).unwrap_err().to_string();
        assert!(error.contains("qubit 3 has p_X = 0.1, p_Y = 0, p_Z = 0.1"), "{error}");
        let uniform = PauliTable::depolarizing(5, 0.75).unwrap();
        assert!(independent_paulis(&code, &uniform).is_err());
        assert!(independent_paulis(&code, &PauliTable::bit_flip(4, 0.1).unwrap()).is_err());
        // Any single kind, up to certainty.
        assert_eq!(independent_paulis(&code, &PauliTable::bit_flip(5, 1.0).unwrap()).unwrap().priors(), [1.0; 5]);
    }
}
