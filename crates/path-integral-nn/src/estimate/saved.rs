//! Measurements in checkpoints, and sums of them over runs.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader, Writer};
use linalg_core::merge::{Merge, MergeError, Units};

use super::{Correlators, Observables};
use crate::action::LANES;
use crate::error::Result;

const KIND: &str = "path-integral observables 1";

type Read<T> = std::result::Result<T, CheckpointError>;

/// What a checkpoint holds.
struct Saved {
    calls: u64,
    bins_from: (u64, usize),
    units: Units,
    series: Vec<Vec<f64>>,
    bins: Vec<Vec<f64>>,
    counts: Vec<f64>,
    histograms: [Vec<u64>; 2],
}

impl Observables {
    /// Everything measured so far, as bytes; grows with the run, by some 150 bytes a sample.
    ///
    /// ```
    /// use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
    /// use path_integral_nn::sampler::{Chains, ChainsParams, Method, Target};
    /// use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
    ///
    /// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?;
    /// let action = Action::new(&system, &Ensemble::periodic(2.0, 16)?, Rule::Trapezoid)?;
    /// let target = Target::variational(&action)?;
    /// let start = || Chains::new(&target, Method::Pcn, ChainsParams::default().chains(16));
    /// let empty = || Observables::new(&target, ObservablesParams::default());
    /// let (mut chains, mut measured) = (start()?, [empty()?]);
    /// chains.run(30, &mut measured, &mut ())?;
    /// let saved = (chains.checkpoint(), measured[0].checkpoint()); // to files with `save`
    /// chains.run(20, &mut measured, &mut ())?;
    ///
    /// // Elsewhere, later: the same bits.
    /// let (mut resumed, mut again) = (start()?, [empty()?]);
    /// resumed.restore(&saved.0)?;
    /// again[0].restore(&saved.1)?;
    /// resumed.run(20, &mut again, &mut ())?;
    /// assert_eq!(Report::new(&again)?, Report::new(&measured)?);
    /// # Ok::<(), path_integral_nn::Error>(())
    /// ```
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        let units: Vec<u64> = self.units.ranges().iter().flat_map(|&(a, b)| [a, b]).collect();
        out.write_u64(self.calls).write_u64(self.bins_from.0).write_usize(self.bins_from.1).write_u64s(&units);
        out.write_usize(self.series.len());
        self.series.iter().for_each(|series| {
            out.write_f64s(series);
        });
        out.write_f64s(&self.correlators.bins.concat()).write_f64s(&self.correlators.counts);
        out.write_u64s(&self.histogram).write_u64s(&self.end_histogram);
        Checkpoint::new(KIND, self.problem, out)
    }

    /// Goes on from a checkpoint of the same target and parameters.
    ///
    /// # Errors
    /// [`Error::Checkpoint`](crate::Error::Checkpoint) for anything else, and for damaged bytes; the measurements are then as they were.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let saved = self.read(from)?;
        (self.calls, self.bins_from, self.units, self.series) =
            (saved.calls, saved.bins_from, saved.units, saved.series);
        (self.correlators.bins, self.correlators.counts) = (saved.bins, saved.counts);
        [self.histogram, self.end_histogram] = saved.histograms;
        Ok(())
    }

    fn read(&self, from: &Checkpoint) -> Read<Saved> {
        let mut reader = from.open(KIND, self.problem)?;
        let (calls, bins_from) = (reader.read_count()?, (reader.read_u64()?, reader.read_usize()?));
        let at = reader.position();
        let mut units = Units::new();
        for range in reader.read_u64s()?.chunks(2) {
            let added = matches!(range, [a, b] if a < b && units.merge(&Units::range(*a..*b)).is_ok());
            check(added, "work units", at)?;
        }
        let at = reader.position();
        let chains = reader.read_usize()?;
        check(chains >= LANES && chains <= reader.remaining() / 8, "number of chains", at)?;
        let mut series = Vec::with_capacity(chains);
        for _ in 0..chains {
            let at = reader.position();
            series.push(reader.read_f64s()?);
            check(series[series.len() - 1].len().is_multiple_of(self.width), "length of a series", at)?;
        }
        let at = reader.position();
        let (flat, counts) = (reader.read_f64s()?, reader.read_f64s()?);
        let width = self.correlators.width();
        check(flat.len() == counts.len() * width, "bins of the correlators", at)?;
        let later = calls.checked_sub(bins_from.0).map(|own| own / self.params.every / self.params.bin);
        let last = later.and_then(|bins| bins.checked_add(bins_from.1 as u64));
        check(!self.params.correlators || last.is_some_and(|bin| bin <= counts.len() as u64), "first bin", at)?;
        let at = reader.position();
        let histograms = [self.read_histogram(&mut reader, at)?, self.read_histogram(&mut reader, at)?];
        reader.finish()?;
        let bins = flat.chunks_exact(width).map(<[f64]>::to_vec).collect();
        Ok(Saved { calls, bins_from, units, series, bins, counts, histograms })
    }

    fn read_histogram(&self, reader: &mut Reader<'_>, at: usize) -> Read<Vec<u64>> {
        let cells = reader.read_u64s()?;
        // Points of paths: their sum over the cells of many blocks is a count.
        let counts = cells.iter().all(|&cell| cell <= 1 << 53);
        check(cells.len() == self.histogram.len() && counts, "cells of a histogram", at)?;
        Ok(cells)
    }
}

fn check(good: bool, what: &'static str, at: usize) -> Read<()> {
    if good { Ok(()) } else { Err(CheckpointError::Invalid { what, at }) }
}

/// Chains of other runs of the same target and parameters, in the order in which they are merged: a report of the sum is that of
/// all blocks together, bit for bit.
impl Merge for Observables {
    fn merge(&mut self, other: &Self) -> std::result::Result<(), MergeError> {
        if other.problem != self.problem {
            return Err(MergeError::Problem { expected: self.problem, found: other.problem });
        }
        self.units.merge(&other.units)?;
        self.series.extend(other.series.iter().cloned());
        self.correlators.append(&other.correlators);
        self.bins_from = (self.calls, self.correlators.bins.len());
        for (mine, theirs) in [(&mut self.histogram, &other.histogram), (&mut self.end_histogram, &other.end_histogram)]
        {
            mine.iter_mut().zip(theirs).for_each(|(sum, c)| *sum += c);
        }
        Ok(())
    }
}

impl Correlators {
    /// Adds the bins of another block.
    pub(super) fn append(&mut self, other: &Self) {
        self.bins.extend(other.bins.iter().cloned());
        self.counts.extend(&other.counts);
    }
}
