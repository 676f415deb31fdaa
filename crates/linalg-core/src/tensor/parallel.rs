//! Slices on several threads.

use super::contraction::{Contraction, ContractionProgress, Run, Value, add};
use super::dense::Tensor;
use super::entry::Entry;
use crate::observe::Observer;
use crate::{Error, Result, threads};

impl Contraction {
    /// [`run_observed`](Self::run_observed) with the slices on up to `threads` threads; the same numbers for any number of
    /// them. Reports come after every `threads` slices. Each thread needs the memory of a slice.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_on_threads<T: Entry>(
        &self,
        tensors: &[Tensor<T>],
        threads: usize,
        observer: &mut dyn Observer<ContractionProgress>,
    ) -> Result<Value<T>> {
        if threads <= 1 || self.slices() == 1 {
            return self.run_observed(tensors, observer);
        }
        self.check(tensors);
        let pairs = self.steps() as u64;
        let total = pairs.saturating_mul(self.slices());
        let mut sum: Option<Value<T>> = None;
        let mut first = 0;
        while first < self.slices() {
            let end = self.slices().min(first + threads as u64);
            let mut slots: Vec<(u64, Result<Option<Value<T>>>)> = (first..end).map(|k| (k, Ok(None))).collect();
            threads::for_each(threads, &mut slots, |(k, slot)| {
                *slot = Run::new(self, tensors, &mut (), 1).value(*k).map(Some);
            });
            for (_, slot) in slots {
                if let Some(value) = slot? {
                    sum = Some(match sum {
                        None => value,
                        Some(before) => add(before, value),
                    });
                }
            }
            first = end;
            let done = pairs.saturating_mul(first);
            if observer.observe(&ContractionProgress { done, total }).is_break() {
                return Err(Error::Stopped { what: "tensor contraction", done, total });
            }
        }
        let Some(sum) = sum else { unreachable!("at least one slice") };
        Ok(sum)
    }
}
