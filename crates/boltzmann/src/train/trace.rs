//! What a machine has learned, against the time of training.

use std::ops::ControlFlow;

use linalg_core::{Observer, Streams};

use super::TrainingProgress;
use crate::fast::SHARD;
use crate::{BitRows, CorrelationAgreement, Error, GibbsChains, PackedRbm, Result, compare_correlations};

/// One look at a machine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TracePoint {
    /// Updates before it.
    pub updates: u64,
    /// Singular values of the weights, the largest first.
    pub singular_values: Vec<f64>,
    /// Root mean square cosine between the weights of two hidden units; NaN for a single one.
    pub overlap: f64,
    /// The largest absolute cosine between the weights of two hidden units.
    pub largest_overlap: f64,
    /// Means and correlations of order 2 and 3 of rows that the chains have drawn, against the data.
    pub correlations: CorrelationAgreement,
}

/// Looks at a machine while it is trained: spectrum of the weights, overlaps of hidden units, correlations of what it generates.
///
/// It has chains of its own, which begin at rows of the data and go on from one look to the next. As an [`Observer`] of
/// [`Trainer::run`](super::Trainer::run) it looks at every epoch.
///
/// Learning shows as singular values that leave the bulk of Marchenko and Pastur one after another (A. Decelle, G. Fissore and C.
/// Furtlehner, EPL 119, 60001 (2017)).
///
/// ```
/// use boltzmann::train::{Trainer, TrainingParams, TrainingTrace};
/// use boltzmann::{BitRows, PackedRbm};
/// use linalg_core::Streams;
///
/// // Three bits that are always equal: one direction is learned.
/// let data = BitRows::from_bytes(&[0, 0, 0, 1, 1, 1].repeat(64), 3)?;
/// let start = PackedRbm::for_data(&data, 4, 0.01, &mut Streams::new(0).stream(0))?;
/// let mut trace = TrainingTrace::new(&data, &start, 128, Streams::new(1))?.sweeps(20);
/// let mut trainer = Trainer::new(&data, start, TrainingParams::default().epochs(1000).learning_rate(0.5))?;
/// trainer.run(&mut trace)?;
/// let points = trace.into_points()?;
/// let [first, last] = [&points[0], &points[999]];
/// assert!(last.singular_values[0] > 20.0 * first.singular_values[0]);
/// assert!(last.singular_values[0] > 5.0 * last.singular_values[1]);
/// // Pairs of the data have a covariance of 1/4; at first the machine has none.
/// assert!(last.correlations.difference[1] < 0.5 * first.correlations.difference[1]);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug)]
pub struct TrainingTrace<'a> {
    data: &'a BitRows,
    chains: GibbsChains,
    sweeps: u64,
    triples: usize,
    threads: usize,
    streams: Streams,
    points: Vec<TracePoint>,
    failed: Option<Error>,
}

impl<'a> TrainingTrace<'a> {
    /// A trace that compares `chains` rows drawn by the machine with `data`; 100 sweeps before each look, 1000 triples, one thread.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no chain, [`Error::WrongLength`] if the rows do not fit the machine.
    pub fn new(data: &'a BitRows, machine: &PackedRbm, chains: usize, streams: Streams) -> Result<Self> {
        let triples = if data.n_columns() < 3 { 0 } else { 1000 };
        let words: Vec<u64> = (0..chains).flat_map(|k| data.row(k % data.n_rows()).iter().copied()).collect();
        if chains == 0 {
            return Err(Error::Parameter { what: "number of chains", value: "0".to_owned(), expected: "1 or more" });
        }
        let rows = BitRows::from_words(words, data.n_columns());
        Ok(Self {
            chains: GibbsChains::at_rows(machine, &rows, streams)?,
            data,
            sweeps: 100,
            triples,
            threads: 1,
            // The shards of the chains have the streams before it.
            streams: streams.child(chains.div_ceil(SHARD) as u64),
            points: Vec::new(),
            failed: None,
        })
    }

    /// Sets the sweeps of the chains before each look.
    pub fn sweeps(mut self, sweeps: u64) -> Self {
        self.sweeps = sweeps;
        self
    }

    /// Sets the number of triples of columns, the same ones at every look; none for data of fewer than three columns.
    pub fn triples(mut self, triples: usize) -> Self {
        self.triples = if self.data.n_columns() < 3 { 0 } else { triples };
        self
    }

    /// Sets the number of threads of the chains, 0 for all there are. The numbers do not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Looks at a machine after so many updates.
    ///
    /// Cost: the sweeps of the chains, `O(n² N)` for the spectrum of n x N weights, and as
    /// [`compare_correlations`].
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a machine that has diverged; when the eigenvalues cannot be found.
    ///
    /// # Panics
    /// If the machine has another size than the one this was made for.
    pub fn record(&mut self, updates: u64, machine: &PackedRbm) -> Result<&TracePoint> {
        let rbm = machine.to_rbm()?;
        self.chains.advance(machine, self.sweeps, self.threads);
        let n = rbm.n_hidden();
        let overlaps = rbm.hidden_overlaps();
        let others = || overlaps.iter().enumerate().filter(|(k, _)| k / n != k % n).map(|(_, x)| *x);
        let point = TracePoint {
            updates,
            singular_values: rbm.singular_values()?,
            overlap: (others().map(|x| x * x).sum::<f64>() / (n * (n - 1)) as f64).sqrt(),
            largest_overlap: others().fold(0.0, |largest, x| largest.max(x.abs())),
            correlations: compare_correlations(self.data, &self.chains.visible(), self.triples, self.streams)?,
        };
        self.points.push(point);
        Ok(&self.points[self.points.len() - 1])
    }

    /// The looks so far.
    pub fn points(&self) -> &[TracePoint] {
        &self.points
    }

    /// All looks.
    ///
    /// # Errors
    /// What a look during the run ended with: the run stops there.
    pub fn into_points(self) -> Result<Vec<TracePoint>> {
        match self.failed {
            None => Ok(self.points),
            Some(error) => Err(error),
        }
    }
}

impl<'m> Observer<TrainingProgress<'m>> for TrainingTrace<'_> {
    fn observe(&mut self, event: &TrainingProgress<'m>) -> ControlFlow<()> {
        match self.record(event.updates, event.machine) {
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bernoulli;
    use crate::{Rbm, compare_correlations};

    /// A machine without couplings of hidden units with orthogonal weights, looked at twice, number by number.
    #[test]
    fn a_look_has_the_numbers_of_the_machine() {
        let weights = vec![3.0, 4.0, 0.0, -0.8, 0.6, 0.0];
        let rbm = Rbm::new(Bernoulli, Bernoulli, weights, vec![-3.5, -2.0, 0.5], vec![0.0; 2]).unwrap();
        let machine = PackedRbm::new(&rbm).unwrap();
        let data = BitRows::from_bytes(&[0, 0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1], 3).unwrap();
        let mut trace = TrainingTrace::new(&data, &machine, 40, Streams::new(3)).unwrap().sweeps(5).triples(10);
        let first = trace.record(7, &machine).unwrap().clone();
        assert_eq!(first.updates, 7);
        assert!((first.singular_values[0] - 5.0).abs() < 1e-6 && (first.singular_values[1] - 1.0).abs() < 1e-6);
        assert!(first.overlap < 1e-7 && first.largest_overlap < 1e-7);
        let drawn = trace.chains.visible();
        let expected = compare_correlations(&data, &drawn, 10, trace.streams).unwrap();
        assert_eq!(format!("{:?}", first.correlations), format!("{expected:?}"));
        // Chains go on: the next rows are others.
        trace.record(8, &machine).unwrap();
        assert_ne!(trace.chains.visible(), drawn);
        assert_eq!(trace.points().len(), 2);
        // Two units alike.
        let alike =
            Rbm::new(Bernoulli, Bernoulli, vec![1.0, 2.0, 0.5, 2.0, 4.0, 1.0], vec![0.0; 3], vec![0.0; 2]).unwrap();
        let point = trace.record(9, &PackedRbm::new(&alike).unwrap()).unwrap();
        assert!((point.overlap - 1.0).abs() < 1e-6 && (point.largest_overlap - 1.0).abs() < 1e-6);
        assert!(TrainingTrace::new(&data, &machine, 0, Streams::new(1)).is_err());
        let narrow = BitRows::from_bytes(&[0, 1], 2).unwrap();
        assert!(TrainingTrace::new(&narrow, &machine, 4, Streams::new(1)).is_err());
    }
}
