//! Decoding by a table of all syndromes.

use super::decoder::{Decoder, Prediction, check_syndrome};
use super::maximum_likelihood::set_class;
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::statmech::{SyndromeDistribution, best};

/// The most likely class of every syndrome, from a table; for at most 26 detectors and observables.
///
/// The table is the [`SyndromeDistribution`]: predictions are those of maximum likelihood, with the probabilities of all
/// classes. Syndromes of probability 0 are refused, with the checks that exclude them where a linear relation does.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{Decoder, Lookup};
/// use quantum_ec::DecodingProblem;
///
/// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 3])?;
/// let prediction = Lookup::new(&problem)?.decode(&"10".parse()?)?;
/// assert_eq!(prediction.observables.to_string(), "1");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Lookup {
    distribution: SyndromeDistribution,
    chosen: Vec<u32>,
    /// Sets of detectors, as bits, whose sum is the same in all possible syndromes.
    relations: Vec<(u32, bool)>,
}

/// No error of positive probability has the syndrome.
const IMPOSSIBLE: u32 = u32::MAX;

impl Lookup {
    /// Fills the table.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 26 detectors and observables.
    pub fn new(problem: &DecodingProblem) -> Result<Self> {
        Ok(Self::of_distribution(SyndromeDistribution::new(problem)?))
    }

    /// The table of a distribution, for example of Pauli errors.
    pub fn of_distribution(distribution: SyndromeDistribution) -> Self {
        let chosen: Vec<u32> = (0..1usize << distribution.n_detectors())
            .map(|syndrome| {
                let classes = distribution.classes(syndrome);
                let best = best(classes);
                if classes[best] > 0.0 { best as u32 } else { IMPOSSIBLE }
            })
            .collect();
        let relations = relations(distribution.n_detectors(), &chosen);
        Self { distribution, chosen, relations }
    }

    /// The distribution that the table was made from.
    pub fn distribution(&self) -> &SyndromeDistribution {
        &self.distribution
    }
}

/// The parities that all possible syndromes share.
fn relations(n_detectors: usize, chosen: &[u32]) -> Vec<(u32, bool)> {
    let mut possible = (0..chosen.len() as u32).filter(|&syndrome| chosen[syndrome as usize] != IMPOSSIBLE);
    let Some(first) = possible.next() else { return Vec::new() };
    // Differences of possible syndromes, each with its highest one in no other.
    let mut basis: Vec<u32> = Vec::new();
    for syndrome in possible {
        let mut rest = syndrome ^ first;
        for &row in &basis {
            rest ^= if rest >> row.ilog2() & 1 == 1 { row } else { 0 };
        }
        if rest != 0 {
            for row in &mut basis {
                *row ^= if *row >> rest.ilog2() & 1 == 1 { rest } else { 0 };
            }
            basis.push(rest);
            if basis.len() == n_detectors {
                return Vec::new();
            }
        }
    }
    let heads = basis.iter().fold(0, |heads, row| heads | 1 << row.ilog2());
    // One for each other detector: it and the heads of the differences that hold it.
    let free = (0..n_detectors as u32).filter(|i| heads >> i & 1u32 == 0);
    free.map(|i| {
        let holding = basis.iter().filter(|&&row| row >> i & 1 == 1);
        let set = holding.fold(1 << i, |set, row| set | 1 << row.ilog2());
        (set, (set & first).count_ones() % 2 == 1)
    })
    .collect()
}

impl Decoder for Lookup {
    fn n_detectors(&self) -> usize {
        self.distribution.n_detectors()
    }

    fn n_observables(&self) -> usize {
        self.distribution.n_observables()
    }

    fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
        check_syndrome(syndrome, self.n_detectors());
        let syndrome = syndrome.first().map_or(0, |&word| word as usize);
        let chosen = self.chosen[syndrome];
        if chosen == IMPOSSIBLE {
            let parity = |set: u32| (set & syndrome as u32).count_ones() % 2 == 1;
            if let Some((set, _)) = self.relations.iter().find(|&&(set, value)| parity(set) != value) {
                let checks = (0..self.n_detectors()).filter(|i| set >> i & 1 == 1).collect();
                return Err(Error::ImpossibleSyndrome { checks });
            }
            let reason = format!("syndrome {syndrome:#b} has probability 0");
            return Err(Error::NotApplicable { method: "lookup", reason });
        }
        out.probabilities.clear();
        out.ln_class.clear();
        out.ln_class.extend(self.distribution.classes(syndrome).iter().map(|p| p.ln()));
        set_class(&mut out.observables, self.distribution.n_observables(), chosen as usize);
        out.weight = f64::NAN;
        out.converged = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DetectorErrorModel;

    #[test]
    fn impossible_syndromes_name_their_checks() {
        // Detectors 1 and 2 fire together; detectors 3 and 4 differ, for the last mechanism is certain.
        let text = "error(0.1) D0 L0\nerror(0.1) D1 D2\nerror(0.2) D3 D4\nerror(1) D4";
        let problem = text.parse::<DetectorErrorModel>().unwrap().to_problem().unwrap();
        let mut lookup = Lookup::new(&problem).unwrap();
        let mut likelihood = crate::decode::MaximumLikelihood::automatic(&problem).unwrap();
        let mut out = Prediction { probabilities: vec![0.5], ..Prediction::new(1) };
        for syndrome in 0..32u64 {
            let parity = |set: u64| (set & syndrome).count_ones() % 2 == 1;
            let found = lookup.decode_into(&[syndrome], &mut out);
            let other = likelihood.decode_into(&[syndrome], &mut Prediction::new(1));
            assert_eq!(found.is_ok(), !parity(0b110) && parity(0b11000), "{syndrome:b}");
            assert_eq!(found.is_ok(), other.is_ok(), "{syndrome:b}");
            match found {
                Ok(()) => assert_eq!((out.ln_class.len(), out.probabilities.len()), (2, 0)),
                Err(Error::ImpossibleSyndrome { checks }) => {
                    let expected = [vec![1, 2], vec![3, 4]];
                    assert!(expected.contains(&checks), "{checks:?}");
                    assert_eq!(parity(checks.iter().fold(0, |set, i| set | 1 << i)), checks == [1, 2], "{syndrome:b}");
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}
