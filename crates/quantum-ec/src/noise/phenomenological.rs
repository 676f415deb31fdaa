//! Faulty data and faulty measurements.

use linalg_core::gf2::BinaryCsc;

use crate::dem::{DetectorErrorModel, Instruction, Target};
use crate::error::{Error, Result};

/// A memory of `rounds` rounds in which data and measurements fail.
///
/// Before every round each bit flips with probability `p`, given by the columns of the check matrix and of the matrix of
/// logical operators. Every round measures all checks, wrongly with probability `q` each; the last is without fault. Detector
/// $`m t + i`$ compares check i (of m) in rounds t and t - 1: a bit flips the detectors of its checks in its round, a wrong
/// measurement those of its check in its round and the next. One round is code capacity.
///
/// For a CSS code under bit flips the checks are the rows of $`H_z`$ and the observables the logical Z operators. Detectors are
/// declared with the coordinates (check, round). All rounds but the last are one repeat block, so that the model is as short
/// for a thousand rounds as for two.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::noise::phenomenological;
///
/// // The repetition code of three bits over two rounds.
/// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
/// let logicals = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
/// let model = phenomenological(&checks, &logicals, 2, 0.1, 0.01)?;
/// assert_eq!((model.n_detectors(), model.n_observables(), model.n_errors()), (4, 1, 3 + 2 + 3));
/// let problem = model.to_problem()?;
/// assert_eq!(problem.checks().column(3), [0, 2]); // the first check, measured wrongly
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # Errors
/// [`Error::WrongLength`] if the matrices have different numbers of columns, [`Error::Parameter`] for no round,
/// [`Error::Probability`] for `p` or `q` outside [0, 1], [`Error::OutOfBounds`] for more detectors than a model can hold.
pub fn phenomenological(
    checks: &BinaryCsc,
    logicals: &BinaryCsc,
    rounds: u64,
    p: f64,
    q: f64,
) -> Result<DetectorErrorModel> {
    if logicals.n_cols() != checks.n_cols() {
        let what = "columns of the matrix of logical operators";
        return Err(Error::WrongLength { what, got: logicals.n_cols(), expected: checks.n_cols() });
    }
    if rounds == 0 {
        return Err(Error::Parameter { what: "number of rounds", value: "0".to_owned(), expected: "at least 1" });
    }
    for (what, value) in [("data", p), ("measurement", q)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(Error::Probability { what, index: 0, value, expected: "a number from 0 to 1" });
        }
    }
    let m = checks.n_rows();
    let error = |probability, targets| Instruction::Error { probability, targets, tag: String::new() };
    let mut last = Vec::new();
    for (bits, observables) in checks.columns().zip(logicals.columns()) {
        let detectors = bits.iter().map(|&i| Target::Detector(i as u64));
        let observables = observables.iter().map(|&k| Target::Observable(k as u64));
        last.push(error(p, detectors.chain(observables).collect()));
    }
    for i in 0..m {
        let coordinates = vec![i as f64, 0.0];
        last.push(Instruction::Detector { coordinates, detector: i as u64, tag: String::new() });
    }
    for k in 0..logicals.n_rows() {
        last.push(Instruction::LogicalObservable { observable: k as u64, tag: String::new() });
    }
    let mut round = last.clone();
    let detector = |i: usize| Target::Detector(i as u64);
    round.extend((0..m).map(|i| error(q, vec![detector(i), detector(m + i)])));
    let coordinates = vec![0.0, 1.0];
    round.push(Instruction::ShiftDetectors { coordinates, detectors: m as u64, tag: String::new() });

    let mut model = DetectorErrorModel::new();
    if rounds > 1 {
        let body = DetectorErrorModel::from_instructions(round)?;
        model.push(Instruction::Repeat { count: rounds - 1, body, tag: String::new() })?;
    }
    for instruction in last {
        model.push(instruction)?;
    }
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::gf2::BitVec;

    fn repetition(d: usize) -> (BinaryCsc, BinaryCsc) {
        let column = |i: usize| [i.checked_sub(1), Some(i)].into_iter().flatten().filter(|&c| c < d - 1).collect();
        let checks = BinaryCsc::from_columns(d - 1, (0..d).map(column).collect::<Vec<Vec<usize>>>()).unwrap();
        let logical = (0..d).map(|i| if i == 0 { vec![0] } else { vec![] }).collect::<Vec<Vec<usize>>>();
        (checks, BinaryCsc::from_columns(1, logical).unwrap())
    }

    /// The rotated surface code of distance 3: four checks of Z type on nine bits, row by row, and a logical Z.
    fn rotated() -> (BinaryCsc, BinaryCsc) {
        let rows = [vec![0, 3], vec![1, 2, 4, 5], vec![3, 4, 6, 7], vec![5, 8]];
        let checks = BinaryCsc::from_columns(9, rows).unwrap().transpose();
        (checks, BinaryCsc::from_columns(9, [vec![0, 1, 2]]).unwrap().transpose())
    }

    #[test]
    fn detectors_compare_rounds() {
        // Oracle: run the memory. Data errors add up, syndromes are measured with faults, the last without.
        for (checks, logicals) in [repetition(4), rotated()] {
            let (n, m, rounds) = (checks.n_cols(), checks.n_rows(), 4);
            let model = phenomenological(&checks, &logicals, rounds as u64, 0.01, 0.02).unwrap();
            let problem = model.to_problem().unwrap();
            assert_eq!(problem.n_mechanisms(), rounds * n + (rounds - 1) * m);
            for j in 0..problem.n_mechanisms() {
                // Round by round: the bits, then the measurements.
                let (round, at) = (j / (n + m), j % (n + m));
                let mut data = BitVec::zeros(n);
                let mut before = BitVec::zeros(m);
                let mut detectors = Vec::new();
                for t in 0..rounds {
                    if t == round && at < n {
                        data.flip(at);
                    }
                    let mut measured = checks.mul_vec(&data);
                    if t == round && at >= n {
                        measured.flip(at - n);
                    }
                    let change: Vec<usize> = (0..m).filter(|&i| measured.get(i) != before.get(i)).collect();
                    detectors.extend(change.into_iter().map(|i| m * t + i));
                    before = measured;
                }
                assert_eq!(problem.checks().column(j), detectors, "mechanism {j}");
                let flipped: Vec<usize> = logicals.mul_vec(&data).iter_ones().collect();
                assert_eq!(problem.observables().column(j), flipped, "mechanism {j}");
                assert!((problem.priors()[j] - if at < n { 0.01 } else { 0.02 }).abs() < 1e-18);
            }
            let coordinates = model.coordinates().unwrap();
            assert_eq!(coordinates.len(), rounds * m);
            assert!(coordinates.iter().all(|(id, x)| (x[0] + m as f64 * x[1] - *id as f64).abs() < 1e-9));
        }
    }

    #[test]
    fn bad_arguments_are_named() {
        let (checks, logicals) = repetition(3);
        let message = |rounds, p, q| phenomenological(&checks, &logicals, rounds, p, q).unwrap_err().to_string();
        assert_eq!(message(0, 0.1, 0.1), "number of rounds is 0, expected at least 1");
        assert_eq!(message(1, -0.1, 0.1), "data 0 has probability -0.1, expected a number from 0 to 1");
        assert_eq!(message(1, 0.1, f64::NAN), "measurement 0 has probability NaN, expected a number from 0 to 1");
        assert!(phenomenological(&checks, &logicals, u64::MAX, 0.1, 0.1).is_err());
        assert!(phenomenological(&checks, &rotated().1, 1, 0.1, 0.1).is_err());
        // A thousand million rounds are as short as two.
        assert_eq!(phenomenological(&checks, &logicals, 1_000_000_000, 0.1, 0.1).unwrap().n_detectors(), 2_000_000_000);
    }
}
