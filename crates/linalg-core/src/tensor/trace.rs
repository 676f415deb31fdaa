//! From a finished contraction back to values of its legs.

use super::contraction::{Contraction, Run, operand};
use super::dense::Leg;
use super::entry::Entry;
use super::gather::{offsets, strides};

impl Contraction {
    /// Values of the legs, step by step from the last: once the legs of a result are known, those summed in its step are
    /// chosen by `pick`, which gets the products of the two operands for all their combinations. The run has kept its
    /// intermediates. `None` for legs that no tensor has.
    pub(super) fn trace_back<T: Entry>(
        &self,
        run: &Run<'_, T>,
        digits: &[usize],
        pick: &mut dyn FnMut(&[T]) -> usize,
    ) -> Vec<Option<usize>> {
        let mut place: Vec<Option<usize>> = vec![None; self.network.dims().len()];
        for (&leg, &digit) in self.sliced.iter().zip(digits) {
            place[leg as usize] = Some(digit);
        }
        for step in self.steps.iter().rev() {
            let sides = [step.a, step.b]
                .map(|node| (&self.orders[node][..], operand(run.nodes[node].as_ref(), run.tensors, node).0));
            self.choose(&sides, &mut place, pick);
        }
        for (legs, tensor) in self.network.tensors().iter().zip(run.tensors) {
            self.choose(&[(legs, tensor.data())], &mut place, pick);
        }
        place
    }

    /// Gives values to the legs of some factors that have none yet.
    fn choose<T: Entry>(
        &self,
        factors: &[(&[Leg], &[T])],
        place: &mut [Option<usize>],
        pick: &mut dyn FnMut(&[T]) -> usize,
    ) {
        let mut free: Vec<Leg> = factors.iter().flat_map(|(legs, _)| legs.iter().copied()).collect();
        free.retain(|&leg| place[leg as usize].is_none());
        if free.is_empty() {
            return;
        }
        free.sort_unstable();
        free.dedup();
        let dims: Vec<usize> = free.iter().map(|&leg| self.network.dims()[leg as usize]).collect();
        let mut products = vec![T::ONE; dims.iter().product()];
        for (legs, data) in factors {
            let strides = strides(&legs.iter().map(|&leg| self.network.dims()[leg as usize]).collect::<Vec<_>>());
            let own = legs.iter().zip(&strides);
            let start: usize = own.map(|(&leg, stride)| place[leg as usize].unwrap_or(0) * stride).sum();
            let axis =
                |(leg, &dim): (&Leg, &usize)| (dim, legs.iter().position(|own| own == leg).map_or(0, |p| strides[p]));
            let offsets = offsets(&free.iter().zip(&dims).map(axis).collect::<Vec<_>>());
            for (product, offset) in products.iter_mut().zip(offsets) {
                *product = product.times(data[start + offset]);
            }
        }
        let mut chosen = pick(&products);
        for (&leg, &dim) in free.iter().zip(&dims).rev() {
            place[leg as usize] = Some(chosen % dim);
            chosen /= dim;
        }
    }
}
