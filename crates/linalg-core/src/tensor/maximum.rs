//! The largest term of a network.

use super::contraction::{Contraction, ContractionProgress, Run};
use super::dense::Tensor;
use super::entry::{MaxCount, Sealed};
use crate::Result;
use crate::observe::Observer;

/// The largest term of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Maximum {
    /// Its exponent.
    pub exponent: f64,
    /// The logarithm of the number of terms with this exponent.
    pub ln_count: f64,
    /// A value of every leg that gives one of them; 0 for a leg without tensors.
    pub place: Vec<usize>,
}

impl Contraction {
    /// The largest exponent, how many terms have it, and one of them.
    ///
    /// The contraction is traced back from its end: once the legs of a result are known, those summed in its last step
    /// follow from the two operands.
    ///
    /// # Cost
    /// That of the value, and once more for one slice where there are several; the memory of all intermediates.
    ///
    /// # Errors
    /// [`Error::Stopped`](crate::Error::Stopped).
    ///
    /// # Panics
    /// As [`run`](Self::run), and if the network has open legs.
    pub fn maximum(
        &self,
        tensors: &[Tensor<MaxCount>],
        observer: &mut dyn Observer<ContractionProgress>,
    ) -> Result<Maximum> {
        self.check(tensors);
        assert!(self.network.open().is_empty(), "{} open legs, expected none", self.network.open().len());
        let mut nobody = ();
        let mut run = Run::new(self, tensors, observer, 1);
        let mut best: Option<(u64, MaxCount, f64)> = None;
        for k in 0..self.slices() {
            run.forward(&self.digits(k), self.slices() == 1)?;
            let tensor = run.root().tensor;
            let (value, ln_scale) = (tensor.data[0], tensor.ln_scale);
            best = Some(match best {
                None => (k, value, ln_scale),
                Some((_, old, _)) if value.exponent > old.exponent => (k, value, ln_scale),
                Some(before @ (_, old, _)) if value.exponent < old.exponent => before,
                Some((at, old, old_scale)) => {
                    let scale = ln_scale.max(old_scale);
                    let sum = old.scaled(old_scale - scale).plus(value.scaled(ln_scale - scale));
                    (at, sum, scale)
                }
            });
        }
        let Some((k, value, ln_scale)) = best else { unreachable!("there is a slice") };
        let digits = self.digits(k);
        if self.slices() > 1 {
            // The slice with the maximum, its intermediates kept this time.
            run = Run::new(self, tensors, &mut nobody, 1);
            run.forward(&digits, true)?;
        }
        let place = self.trace_back(&run, &digits, &mut |products: &[MaxCount]| {
            let mut best = 0;
            for (x, product) in products.iter().enumerate() {
                if product.exponent > products[best].exponent {
                    best = x;
                }
            }
            best
        });
        let place = place.into_iter().map(|value| value.unwrap_or(0)).collect();
        Ok(Maximum { exponent: value.exponent, ln_count: value.count.ln() + ln_scale, place })
    }
}
