//! Independent samples from the distribution that a network defines.

use rand::{Rng, RngExt};

use super::contraction::{Contraction, ContractionProgress, Run};
use super::dense::Tensor;
use super::entry::Weight;
use crate::observe::Observer;
use crate::{Error, Result};

/// An index below `weights.len()` with these weights; the last one that is not zero where rounding leaves the range.
fn draw<T: Weight, R: Rng + ?Sized>(weights: &[T], rng: &mut R) -> usize {
    let largest = weights.iter().copied().fold(T::ZERO, |high, x| if x > high { x } else { high });
    let total: f64 = weights.iter().map(|x| x.relative(largest)).sum();
    let mut left = rng.random::<f64>() * total;
    let mut last = 0;
    for (x, weight) in weights.iter().enumerate() {
        let weight = weight.relative(largest);
        if weight > 0.0 {
            last = x;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

impl Contraction {
    /// Independent values of all legs, each combination with a probability proportional to its product of entries.
    ///
    /// The contraction is done once with all intermediates kept. A sample traces it back from its end: once the legs of
    /// a result are known, those summed in its last step are drawn from the products of the two operands. Nothing is
    /// rejected and no sample depends on another one. A leg without tensors is uniform.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use linalg_core::tensor::{Contraction, ContractionTree, Network, Tensor};
    ///
    /// // Two legs, equal with probability 3/4.
    /// let network = Network::new(vec![2, 2], vec![vec![0, 1]], vec![])?;
    /// let bond = Tensor::new(vec![0, 1], vec![2, 2], vec![3.0, 1.0, 1.0, 3.0]);
    /// let tree = ContractionTree::new(1, vec![])?;
    /// let mut rng = Streams::new(1).stream(0);
    /// let samples = Contraction::new(&network, &tree)?.samples(&[bond], 1000, &mut (), &mut rng)?.places;
    /// let equal = samples.iter().filter(|s| s[0] == s[1]).count();
    /// // Four standard deviations are 55.
    /// assert!(equal.abs_diff(750) < 55);
    /// # Ok::<(), linalg_core::Error>(())
    /// ```
    ///
    /// # Cost
    /// That of the value and the memory of all intermediates; then, for each sample and step, as many operations as the
    /// legs summed in that step have combinations: 2²⁰ where 20 legs of two values join the last two tensors. With slices,
    /// the value once more for each slice that samples come from.
    ///
    /// # Errors
    /// [`Error::Stopped`]; [`Error::ZeroWeight`] if the value of the network is zero.
    ///
    /// # Panics
    /// As [`run`](Self::run), and if the network has open legs.
    pub fn samples<T: Weight, R: Rng + ?Sized>(
        &self,
        tensors: &[Tensor<T>],
        count: usize,
        observer: &mut dyn Observer<ContractionProgress>,
        rng: &mut R,
    ) -> Result<Samples> {
        self.check(tensors);
        assert!(self.network.open().is_empty(), "{} open legs, expected none", self.network.open().len());
        let whole = self.slices() == 1;
        let mut run = Run::new(self, tensors, observer, if whole { 1 } else { 2 });
        let mut values = Vec::new();
        for k in 0..self.slices() {
            run.forward(&self.digits(k), whole)?;
            let tensor = run.root().tensor;
            values.push((tensor.data[0], tensor.ln_scale));
        }
        let nonzero = values.iter().filter(|value| value.0 != T::ZERO);
        let scale = nonzero.map(|value| value.1).fold(f64::NEG_INFINITY, f64::max);
        if count > 0 && scale == f64::NEG_INFINITY {
            return Err(Error::ZeroWeight);
        }
        let weight =
            |&(value, ln_scale): &(T, f64)| if value == T::ZERO { value } else { value.scaled(ln_scale - scale) };
        let weights: Vec<T> = values.iter().map(weight).collect();
        // Which samples come from which slice.
        let mut of_slice: Vec<(usize, usize)> = (0..count).map(|sample| (draw(&weights, rng), sample)).collect();
        of_slice.sort_unstable();
        let mut places = vec![Vec::new(); count];
        for group in of_slice.chunk_by(|a, b| a.0 == b.0) {
            let digits = self.digits(group[0].0 as u64);
            if !whole {
                run.forward(&digits, true)?;
            }
            for &(_, sample) in group {
                let place = self.trace_back(&run, &digits, &mut |products: &[T]| draw(products, rng));
                let legs = place.into_iter().zip(self.network.dims());
                places[sample] = legs
                    .map(|(value, &dim)| value.unwrap_or_else(|| rng.random_range(0..dim as u64) as usize))
                    .collect();
            }
        }
        Ok(Samples { places, smallest: run.smallest })
    }
}

/// What [`Contraction::samples`] finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// For each sample the value of each leg.
    pub places: Vec<Vec<usize>>,
    /// As in [`Value`](super::Value): the smallest magnitude met in an intermediate tensor.
    pub smallest: f64,
}
