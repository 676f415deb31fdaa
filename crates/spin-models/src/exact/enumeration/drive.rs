//! Running through the units, in parallel where asked, with reports and stops.

use linalg_core::Observer;

use super::NAME;
use crate::model::Progress;
use crate::{Error, Result};

/// Units between two reports. Fixed, so that results do not depend on the number of threads.
const BATCH: u64 = 16;

/// A computation cut into units, numbered from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    /// What is being done.
    pub stage: &'static str,
    pub units: u64,
    pub unit_states: u64,
}

impl Job {
    fn report(&self, done: u64, observer: &mut dyn Observer<Progress>) -> Result<()> {
        let (states, total) = (done * self.unit_states, self.units * self.unit_states);
        let flow = observer.observe(&Progress::new(self.stage, states, total));
        if flow.is_break() && done < self.units {
            return Err(Error::Stopped { solver: NAME, done: states, total });
        }
        Ok(())
    }

    /// Runs all units; `unit` sees what `sink` has made of the batches before its own.
    ///
    /// With the `rayon` feature the units of a batch run in parallel, each worker with its own scratch space. The
    /// results reach `sink` in the order of the units in any case.
    pub fn run<S, W, P>(
        &self,
        state: &mut S,
        work: &mut W,
        observer: &mut dyn Observer<Progress>,
        unit: impl Fn(u64, &S, &mut W) -> P + Sync,
        mut sink: impl FnMut(P, &mut S),
    ) -> Result<()>
    where
        S: Sync,
        W: Default,
        P: Send,
    {
        let mut done = 0;
        while done < self.units {
            self.report(done, observer)?;
            let end = self.units.min(done + BATCH);
            for result in batch(done, end, state, work, &unit) {
                sink(result, state);
            }
            done = end;
        }
        self.report(done, observer)
    }

    /// The same without parallel work, for what cannot be shared between threads.
    pub fn run_sequential(&self, observer: &mut dyn Observer<Progress>, mut unit: impl FnMut(u64)) -> Result<()> {
        for k in 0..self.units {
            if k % BATCH == 0 {
                self.report(k, observer)?;
            }
            unit(k);
        }
        self.report(self.units, observer)
    }
}

#[cfg(feature = "rayon")]
fn batch<S, W, P>(
    start: u64,
    end: u64,
    state: &S,
    work: &mut W,
    unit: &(impl Fn(u64, &S, &mut W) -> P + Sync),
) -> Vec<P>
where
    S: Sync,
    W: Default,
    P: Send,
{
    use rayon::prelude::*;
    if end - start == 1 {
        return vec![unit(start, state, work)];
    }
    (start..end).into_par_iter().map_init(W::default, |work, k| unit(k, state, work)).collect()
}

#[cfg(not(feature = "rayon"))]
fn batch<S, W, P>(
    start: u64,
    end: u64,
    state: &S,
    work: &mut W,
    unit: &(impl Fn(u64, &S, &mut W) -> P + Sync),
) -> Vec<P>
where
    S: Sync,
    W: Default,
    P: Send,
{
    (start..end).map(|k| unit(k, state, work)).collect()
}
