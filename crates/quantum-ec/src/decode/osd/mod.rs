//! Ordered statistics decoding behind belief propagation.

mod elimination;
mod params;
mod reliability;
mod search;

#[cfg(test)]
mod tests;

pub(crate) use elimination::{Elimination, Offered};
pub use params::OsdOrder;
pub(crate) use reliability::{Reliability, key};
pub(crate) use search::Search;

use super::belief_propagation::{BpParams, FactorGraph, Rescue, Rescued, decode_by_inner};
use crate::error::{Error, Result};
use crate::problem::DecodingProblem;

/// Belief propagation, then ordered statistics decoding where it does not converge.
///
/// The columns of the check matrix are taken in the order of their posteriors, the most likely to have happened first, those
/// of equal posteriors by number. The first that are independent form a basis; order 0 predicts the one solution on this basis.
/// Higher orders add patterns of the other, free columns, and predict the solution of the least weight
/// $`\sum_j \ln((1 - p_j)/p_j)`$ among those of an [`OsdOrder`]. Every prediction has the syndrome.
///
/// Elimination ends where the syndrome is reached (order 0) or the rank; its cost follows the fill-in, and is at most
/// m²n/64 word operations for m detectors and n mechanisms. Combination sweeps look at all free columns once a shot.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::decode::{BpOsd, BpParams, Decoder, OsdOrder};
/// use quantum_ec::DecodingProblem;
///
/// // Two equal bits: belief propagation cannot tell which of them happened, and chooses none or both.
/// let checks = BinaryCsc::from_columns(1, [[0], [0]])?;
/// let observables = BinaryCsc::from_columns(1, [[0], [0]])?;
/// let problem = DecodingProblem::new(checks, observables, vec![0.1; 2])?;
/// let mut decoder = BpOsd::new(&problem, BpParams::default(), OsdOrder::Zero)?;
/// let prediction = decoder.decode(&"1".parse()?)?;
/// assert_eq!(decoder.chosen().to_string(), "10");
/// assert_eq!(prediction.observables.to_string(), "1");
/// assert!((prediction.weight - 9f64.ln()).abs() < 1e-14);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # References
/// - M. Fossorier and S. Lin, IEEE Trans. Inf. Theory 41, 1379 (1995).
/// - P. Panteleev and G. Kalachev, Quantum 5, 585 (2021).
/// - J. Roffe, D. R. White, S. Burton and E. Campbell, Phys. Rev. Res. 2, 043423 (2020): combination sweep.
#[derive(Debug, Clone)]
pub struct BpOsd {
    inner: Rescued<Osd>,
    order: OsdOrder,
}

impl BpOsd {
    /// A decoder of a problem.
    ///
    /// # Errors
    /// As [`BpParams::check`] and [`OsdOrder::check`].
    pub fn new(problem: &DecodingProblem, params: BpParams, order: OsdOrder) -> Result<Self> {
        order.check()?;
        let inner = Rescued::new(problem, params, |graph| Ok(Osd::new(graph, order)))?;
        Ok(Self { inner, order })
    }

    /// Which patterns of free columns are tried.
    pub fn order(&self) -> OsdOrder {
        self.order
    }
}

decode_by_inner!(BpOsd);

/// Ordered statistics decoding from posteriors.
#[derive(Debug, Clone)]
pub(crate) struct Osd {
    order: OsdOrder,
    elimination: Elimination,
    /// Of the check matrix; all ones where it is not needed.
    rank: usize,
    reliability: Reliability,
    posteriors: Vec<f32>,
    free: Vec<u32>,
    search: Search,
}

impl Osd {
    pub(crate) fn new(graph: &FactorGraph, order: OsdOrder) -> Self {
        let mut elimination = Elimination::new(graph.n_detectors);
        let mut rank = usize::MAX;
        if order != OsdOrder::Zero {
            elimination.restart(&vec![0; graph.n_detectors.div_ceil(64)]);
            for bit in 0..graph.n_bits() as u32 {
                elimination.offer(graph, bit);
            }
            rank = elimination.rank();
        }
        let n = graph.n_bits();
        Self {
            order,
            elimination,
            rank,
            reliability: Reliability::new(n),
            posteriors: Vec::with_capacity(n),
            free: Vec::with_capacity(n),
            search: Search::default(),
        }
    }
}

impl Rescue for Osd {
    fn rescue(
        &mut self,
        graph: &FactorGraph,
        syndrome: &[u64],
        posteriors: &dyn Fn(&mut Vec<f32>),
        bits: &mut Vec<u32>,
    ) -> Result<()> {
        posteriors(&mut self.posteriors);
        self.reliability.restart(&self.posteriors);
        self.elimination.restart(syndrome);
        self.free.clear();
        let zero = self.order == OsdOrder::Zero;
        while !(zero && self.elimination.is_solved()) {
            let Some(bit) = self.reliability.next() else { break };
            // Beyond the rank every column is free.
            if self.elimination.rank() == self.rank || self.elimination.offer(graph, bit) == Offered::Dependent && !zero
            {
                self.free.push(bit);
            }
        }
        if let Some(checks) = self.elimination.contradiction() {
            return Err(Error::ImpossibleSyndrome { checks });
        }
        self.elimination.solution(bits);
        if !zero {
            self.search.improve(graph, &self.elimination, &self.free, self.order, bits);
        }
        bits.sort_unstable();
        Ok(())
    }
}
