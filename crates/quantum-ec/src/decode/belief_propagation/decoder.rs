//! Belief propagation by itself.

use super::graph::FactorGraph;
use super::params::BpParams;
use super::rescued::{Rescue, Rescued, decode_by_inner};
use crate::error::Result;
use crate::problem::DecodingProblem;

/// Belief propagation on the Tanner graph of a problem: the hard decision of its posteriors.
///
/// With $`\lambda_j = \ln((1 - p_j)/p_j)`$, the message of check i to mechanism j is made from those of its other mechanisms,
///
/// ```math
/// u_{i \to j} = (-1)^{\sigma_i}\; 2 \operatorname{artanh} \prod_{k \in i \setminus j} \tanh \frac{v_{k \to i}}2,
/// \qquad v_{j \to i} = \lambda_j + \sum_{l \ni j,\, l \ne i} u_{l \to j},
/// ```
///
/// or by min-sum with the smallest magnitude in place of the product; the posterior is the sum over all checks. A mechanism
/// is chosen where it is negative. With [`BpParams::memory`] γ, the prior of the next iteration is
/// $`\lambda_j + \gamma (\Lambda_j - \lambda_j)`$ with the last posterior $`\Lambda_j`$.
///
/// If no iteration gives a hard decision with the syndrome, the last one is the prediction and [`report`](Self::report) says
/// so: unlike the decoders that add a second stage, this one may predict an error that has another syndrome.
///
/// Messages are single-precision numbers; those of min-sum end at 8192, those of sum-product near 88. [`decode_batch`](crate::Decoder::decode_batch) decodes
/// up to 16 shots side by side, in vector registers where the machine has them; its predictions are those of
/// [`decode_into`](crate::Decoder::decode_into). An iteration costs a few nanoseconds for each one of the check matrix.
/// Memory: about 100 bytes for each one and each mechanism, and 16 times the state of one shot once a batch is decoded.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{BeliefPropagation, BpMethod, BpParams, Decoder};
/// use quantum_ec::DecodingProblem;
///
/// // A repetition code of three bits; its Tanner graph is a tree, and sum-product is exact.
/// let checks = BinaryCsc::from_columns(2, [vec![0], vec![0, 1], vec![1]])?;
/// let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 3])?;
/// let params = BpParams::default().method(BpMethod::SumProduct).iterations(4).early_stopping(false);
/// let mut decoder = BeliefPropagation::new(&problem, params)?;
/// let prediction = decoder.decode(&"10".parse()?)?;
/// assert_eq!(prediction.observables.to_string(), "1");
/// assert!((prediction.weight - 9f64.ln()).abs() < 1e-14);
/// let mut posteriors = Vec::new();
/// decoder.posteriors_into(&mut posteriors);
/// // The first bit alone has probability 0.081, the other two 0.009: a ratio of 9 for every bit.
/// for (llr, sign) in posteriors.iter().zip([-1.0, 1.0, 1.0]) {
///     assert!((llr - sign * 9f64.ln()).abs() < 1e-5);
/// }
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - R. Gallager, Low-Density Parity-Check Codes (MIT Press, 1963).
/// - J. Chen et al., IEEE Trans. Commun. 53, 1288 (2005): corrections of min-sum.
/// - A. Kuo and C.-Y. Lai, npj Quantum Inf. 8, 111 (2022): memory.
#[derive(Debug, Clone)]
pub struct BeliefPropagation {
    inner: Rescued<HardDecision>,
}

/// Leaves the hard decision as it is.
#[derive(Debug, Clone)]
struct HardDecision;

impl Rescue for HardDecision {
    fn rescue(&mut self, _: &FactorGraph, _: &[u64], _: &dyn Fn(&mut Vec<f32>), _: &mut Vec<u32>) -> Result<()> {
        Ok(())
    }
}

impl BeliefPropagation {
    /// A decoder of a problem.
    ///
    /// # Errors
    /// As [`BpParams::check`].
    pub fn new(problem: &DecodingProblem, params: BpParams) -> Result<Self> {
        Ok(Self { inner: Rescued::new(problem, params, |_| Ok(HardDecision))? })
    }
}

decode_by_inner!(BeliefPropagation);
