//! Decoding by a table of all syndromes.

use super::decoder::{Decoder, Prediction, check_syndrome};
use super::maximum_likelihood::set_class;
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::statmech::{SyndromeDistribution, best};

/// The most likely class of every syndrome, from a table; for at most 26 detectors and observables.
///
/// The table is the [`SyndromeDistribution`]: predictions are those of maximum likelihood, with the probabilities of all
/// classes. Syndromes of probability 0 are refused.
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
        let chosen = (0..1usize << distribution.n_detectors())
            .map(|syndrome| {
                let classes = distribution.classes(syndrome);
                let best = best(classes);
                if classes[best] > 0.0 { best as u32 } else { IMPOSSIBLE }
            })
            .collect();
        Self { distribution, chosen }
    }

    /// The distribution that the table was made from.
    pub fn distribution(&self) -> &SyndromeDistribution {
        &self.distribution
    }
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
            let reason = format!("syndrome {syndrome:#b} has probability 0");
            return Err(Error::NotApplicable { method: "lookup", reason });
        }
        out.ln_class.clear();
        out.ln_class.extend(self.distribution.classes(syndrome).iter().map(|p| p.ln()));
        set_class(&mut out.observables, self.distribution.n_observables(), chosen as usize);
        out.weight = f64::NAN;
        Ok(())
    }
}
