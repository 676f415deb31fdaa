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
/// and cyclically; `λ_P` is the mean of the sign that P takes up. The q exist only if the product of the three λ is positive.
/// They are computed from logarithms, to rounding errors relative to $`p_X + p_Y + p_Z`$, which no λ near 0 must amplify.
/// The three $`1 - q`$ have the same table as the q; of the two solutions the one is taken with at most one q above 1/2.
/// A table with $`\lambda = 0`$ does not determine them: the fully mixed qubit, p = 1/4 each, is refused, although two
/// mechanisms of 1/2 have it. Tables of at most one kind of error are that mechanism for every p.
///
/// Detector i is stabilizer i; the observables are those of
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
/// independent mechanisms have or that determines none, for example `p_X = p_Z` without `p_Y`.
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
    // How often X, Y, Z anticommute with the error, and the means of their signs.
    let flips = [y + z, x + z, x + y];
    let signs = flips.map(|flip| 1.0 - 2.0 * flip);
    let positive = signs.iter().product::<f64>() > 0.0;
    if !positive {
        return Err(refused("the mean signs of X, Y and Z do not multiply to a positive number"));
    }
    // Where the sign is near 1 it has lost the digits of the probability.
    let ln = flips.map(|flip| if flip < 0.25 { (-2.0 * flip).ln_1p() } else { (1.0 - 2.0 * flip).abs().ln() });
    let least = signs.iter().fold(1.0f64, |least, sign| least.min(sign.abs()));
    let tolerance = 8.0 * f64::EPSILON * (x + y + z) / least;
    let mut q = [0.0; 3];
    for (i, q) in q.iter_mut().enumerate() {
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        // ln |1 - 2q|; an even number of signs is negative.
        let half = 0.5 * (ln[j] + ln[k] - ln[i]);
        let value = if signs[j] < 0.0 && signs[k] < 0.0 { 0.5 * (1.0 + half.exp()) } else { -0.5 * half.exp_m1() };
        if value < -tolerance || value > 1.0 + tolerance {
            return Err(refused("one kind of error is too rare beside the others"));
        }
        *q = if value <= tolerance { 0.0 } else { value.min(1.0) };
    }
    Ok(q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code;
    use crate::noise::Noise;
    use crate::statmech::SyndromeDistribution;
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    /// The table of independent X, Y, Z.
    fn table([x, y, z]: [f64; 3]) -> [f64; 4] {
        let [a, b, c] = [1.0 - x, 1.0 - y, 1.0 - z];
        [a * b * c + x * y * z, x * b * c + a * y * z, a * y * c + x * b * z, a * b * z + x * y * c]
    }

    #[test]
    fn tables_of_independent_errors_give_them_back() {
        let mut rng = Streams::new(31).stream(0);
        for exponent in 0..16 {
            let scale = 0.4 * 10f64.powi(-exponent);
            for _ in 0..50 {
                let q: [f64; 3] = std::array::from_fn(|_| scale * (0.1 + 0.9 * rng.random::<f64>()));
                for (found, expected) in mechanisms(0, table(q)).unwrap().iter().zip(q) {
                    approx::assert_relative_eq!(*found, expected, max_relative = 1e-12);
                }
                // One absent, one above 1/2.
                for q in [[q[0], 0.0, q[2]], [1.0 - q[0], q[1], q[2]]] {
                    for (found, expected) in mechanisms(0, table(q)).unwrap().iter().zip(q) {
                        approx::assert_abs_diff_eq!(*found, expected, epsilon = 1e-12 * q[0]);
                    }
                }
            }
        }
        // X with 0.9 and Z with 0.1.
        let found = mechanisms(0, [0.09, 0.81, 0.09, 0.01]).unwrap();
        found.iter().zip([0.9, 0.0, 0.1]).for_each(|(q, e)| approx::assert_abs_diff_eq!(*q, e, epsilon = 1e-14));
        // Certain X beside anything.
        let found = mechanisms(0, table([1.0, 0.0, 0.2])).unwrap();
        found.iter().zip([1.0, 0.0, 0.2]).for_each(|(q, e)| approx::assert_abs_diff_eq!(*q, e, epsilon = 1e-14));
        // Independent X and Z need Y, however rare they are.
        let message = mechanisms(7, [1.0 - 2e-8, 1e-8, 0.0, 1e-8]).unwrap_err().to_string();
        assert!(message.ends_with("one kind of error is too rare beside the others"), "{message}");
    }

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
        let error = independent_paulis(&code, &uniform).unwrap_err().to_string();
        assert!(error.ends_with("the mean signs of X, Y and Z do not multiply to a positive number"), "{error}");
        assert!(independent_paulis(&code, &PauliTable::bit_flip(4, 0.1).unwrap()).is_err());
        // Any single kind, up to certainty.
        assert_eq!(independent_paulis(&code, &PauliTable::bit_flip(5, 1.0).unwrap()).unwrap().priors(), [1.0; 5]);
    }
}
