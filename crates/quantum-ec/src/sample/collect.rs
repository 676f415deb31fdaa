//! Sampling and decoding in numbered units until enough is counted.

use std::ops::Range;
use std::time::Instant;

use linalg_core::Streams;
use linalg_core::observe::Observer;

use super::row::Row;
use super::source::ShotSource;
use super::units;
use crate::decode::{Decoder, Prediction};
use crate::dem::Sampler;
use crate::error::{Error, Result};
use crate::shots::Shots;

/// When to stop, and on how many threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectParams {
    /// Shots wanted in the row, rounded up to whole units of [`Sampler::UNIT`].
    pub max_shots: u64,
    /// Errors that are enough; the unit in which they are reached is the last.
    pub max_errors: u64,
    /// Threads; the counts do not depend on it.
    pub threads: usize,
    /// First unit that may be taken, and the one after the last; those that the row has already are passed over.
    pub units: (u64, u64),
}

impl Default for CollectParams {
    /// 2¹⁰ shots, any number of errors, one thread, units from 0 on.
    fn default() -> Self {
        Self { max_shots: 1024, max_errors: u64::MAX, threads: 1, units: (0, u64::MAX) }
    }
}

impl CollectParams {
    /// Sets the number of shots.
    pub fn max_shots(mut self, shots: u64) -> Self {
        self.max_shots = shots;
        self
    }

    /// Sets the number of errors.
    pub fn max_errors(mut self, errors: u64) -> Self {
        self.max_errors = errors;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the units that may be taken: the share of one machine.
    pub fn units(mut self, units: Range<u64>) -> Self {
        self.units = (units.start, units.end);
        self
    }
}

/// What an observer of [`collect`] sees after every round of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Shots in the row.
    pub shots: u64,
    /// Errors in the row.
    pub errors: u64,
}

/// Continues a row: samples shots, decodes them, counts those with any observable predicted wrongly.
///
/// Unit k holds the shots of stream k. The row remembers in its counts which [units](Row::units) of a seed are in it, and goes on
/// with the others in ascending order: a row that is interrupted and continued is the same as one that was not, apart from the
/// time. Runs on several machines take different [units](CollectParams::units) or seeds and add their rows up: the sum does not
/// depend on who had which units, as long as `max_errors` stops none of them early. `discard` gives up shots by their prediction.
/// Shots at which the decoder fails are errors, and are also counted as `decoder_failures`; those whose predictions are
/// not [converged](Prediction::converged) are also counted as `unconverged_shots`.
///
/// The observer may stop the collection; the row then holds what was counted so far.
///
/// ```
/// use linalg_core::Streams;
/// use linalg_core::gf2::BitVec;
/// use quantum_ec::dem::Sampler;
/// use quantum_ec::sample::{CollectParams, Row, collect};
/// use quantum_ec::{Decoder, DetectorErrorModel, Prediction, Result};
///
/// // Says that nothing happened.
/// struct Optimist;
/// impl Decoder for Optimist {
///     fn n_detectors(&self) -> usize { 1 }
///     fn n_observables(&self) -> usize { 1 }
///     fn decode_into(&mut self, _: &[u64], out: &mut Prediction) -> Result<()> {
///         out.observables.clear();
///         Ok(())
///     }
/// }
///
/// let model: DetectorErrorModel = "error(0.25) D0 L0".parse()?;
/// let mut row = Row::default();
/// let params = CollectParams::default().max_shots(10_000);
/// let decoder = || Ok(Box::new(Optimist) as Box<dyn Decoder>);
/// collect(&mut row, &Sampler::of_model(&model)?, &decoder, None, &params, &Streams::new(1), &mut ())?;
/// assert_eq!(row.shots, 10 * 1024);
/// assert!((row.rate() - 0.25).abs() < 0.02);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// # Errors
/// What making a decoder or a whole batch gives; [`Error::WrongLength`] if the decoder has other numbers of detectors or
/// observables than the source. The row is whole, with the units before.
#[allow(clippy::type_complexity, reason = "the type of a predicate on predictions")]
pub fn collect<S: ShotSource, O: Observer<Progress> + ?Sized>(
    row: &mut Row,
    source: &S,
    decoder: &(dyn Fn() -> Result<Box<dyn Decoder>> + Sync),
    discard: Option<&(dyn Fn(&Prediction) -> bool + Sync)>,
    params: &CollectParams,
    streams: &Streams,
    observer: &mut O,
) -> Result<()> {
    let mut done = row.units()?.remove(&streams.seed).unwrap_or_default();
    let mut workers = Vec::new();
    for _ in 0..params.threads.max(1) {
        workers.push(Worker::new(source, decoder()?, discard)?);
    }
    while row.shots < params.max_shots && row.errors < params.max_errors {
        // No more units than are missing.
        let missing = (params.max_shots - row.shots).div_ceil(Sampler::UNIT as u64);
        let active = usize::try_from(missing).unwrap_or(usize::MAX).min(workers.len());
        let (mut next, end) = params.units;
        let mut batch = Vec::new();
        while batch.len() < active {
            next = done.first_missing(next);
            if next >= end {
                break;
            }
            batch.push(next);
            next += 1;
        }
        if batch.is_empty() {
            break;
        }
        let counts: Vec<Result<Counts>> = std::thread::scope(|scope| {
            let (own, others) = workers[..batch.len()].split_first_mut().expect("at least one worker");
            let handles: Vec<_> = others
                .iter_mut()
                .zip(&batch[1..])
                .map(|(worker, &unit)| scope.spawn(move || worker.run(unit, streams)))
                .collect();
            let mut counts = vec![own.run(batch[0], streams)];
            counts.extend(handles.into_iter().map(|handle| match handle.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }));
            counts
        });
        // In the order of units, as one thread would: what comes after the last needed is dropped.
        for (unit, counts) in batch.into_iter().zip(counts) {
            let counts = counts?;
            row.shots += Sampler::UNIT as u64;
            row.errors += counts.errors;
            row.discards += counts.discards;
            row.seconds += counts.seconds;
            done.insert(unit);
            units::write(&mut row.custom_counts, streams.seed, &done);
            for (name, count) in [("decoder_failures", counts.failures), ("unconverged_shots", counts.unconverged)] {
                if count > 0 {
                    *row.custom_counts.entry(name.to_owned()).or_default() += count;
                }
            }
            if row.errors >= params.max_errors {
                break;
            }
        }
        if observer.observe(&Progress { shots: row.shots, errors: row.errors }).is_break() {
            break;
        }
    }
    Ok(())
}

struct Counts {
    errors: u64,
    discards: u64,
    failures: u64,
    unconverged: u64,
    seconds: f64,
}

struct Worker<'a, S> {
    source: &'a S,
    decoder: Box<dyn Decoder>,
    discard: Option<&'a (dyn Fn(&Prediction) -> bool + Sync)>,
    detectors: Shots,
    observables: Shots,
    predictions: Shots,
    prediction: Prediction,
}

impl<'a, S: ShotSource> Worker<'a, S> {
    fn new(
        source: &'a S,
        decoder: Box<dyn Decoder>,
        discard: Option<&'a (dyn Fn(&Prediction) -> bool + Sync)>,
    ) -> Result<Self> {
        let (d, l) = (source.n_detectors(), source.n_observables());
        for (what, got, expected) in [
            ("detectors of the decoder", decoder.n_detectors(), d),
            ("observables of the decoder", decoder.n_observables(), l),
        ] {
            if got != expected {
                return Err(Error::WrongLength { what, got, expected });
            }
        }
        let table = |bits| Shots::zeros(Sampler::UNIT, bits);
        let (detectors, observables, predictions) = (table(d), table(l), table(l));
        Ok(Self { source, decoder, discard, detectors, observables, predictions, prediction: Prediction::new(l) })
    }

    fn run(&mut self, unit: u64, streams: &Streams) -> Result<Counts> {
        let start = Instant::now();
        self.source.sample_unit(unit, streams, self.detectors.view_mut(), self.observables.view_mut());
        let mut counts = Counts { errors: 0, discards: 0, failures: 0, unconverged: 0, seconds: 0.0 };
        match self.discard {
            None => {
                let report = self.decoder.decode_batch(self.detectors.view(), &mut self.predictions.view_mut())?;
                let mut failed = report.failures.iter().map(|(shot, _)| *shot).peekable();
                counts.failures = report.failures.len() as u64;
                counts.unconverged = report.unconverged as u64;
                for shot in 0..Sampler::UNIT {
                    let failure = failed.next_if_eq(&shot).is_some();
                    counts.errors += u64::from(failure || self.predictions.row(shot) != self.observables.row(shot));
                }
            }
            Some(discard) => {
                for shot in 0..Sampler::UNIT {
                    let decoded = self.decoder.decode_into(self.detectors.row(shot), &mut self.prediction);
                    counts.unconverged += u64::from(decoded.is_ok() && !self.prediction.converged);
                    match decoded {
                        Ok(()) if discard(&self.prediction) => counts.discards += 1,
                        Ok(()) => {
                            let wrong = self.prediction.observables.words() != self.observables.row(shot);
                            counts.errors += u64::from(wrong);
                        }
                        Err(_) => {
                            counts.failures += 1;
                            counts.errors += 1;
                        }
                    }
                }
            }
        }
        counts.seconds = start.elapsed().as_secs_f64();
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DetectorErrorModel;
    use std::ops::ControlFlow;

    /// Repeats the first detector; refuses the second.
    struct Echo;

    impl Decoder for Echo {
        fn n_detectors(&self) -> usize {
            2
        }

        fn n_observables(&self) -> usize {
            1
        }

        fn decode_into(&mut self, syndrome: &[u64], out: &mut Prediction) -> Result<()> {
            if syndrome[0] & 2 != 0 {
                return Err(Error::ImpossibleSyndrome { checks: vec![1] });
            }
            out.observables.set(0, syndrome[0] & 1 == 1);
            out.weight = (syndrome[0] & 1) as f64;
            Ok(())
        }
    }

    fn echo() -> Result<Box<dyn Decoder>> {
        Ok(Box::new(Echo))
    }

    fn sampler(text: &str) -> Sampler {
        Sampler::of_model(&text.parse::<DetectorErrorModel>().unwrap()).unwrap()
    }

    const NOISE: &str = "error(0.25) D0 L0\nerror(0.02) L0\nerror(0.01) D1";

    fn run(row: &mut Row, params: CollectParams, seed: u64) {
        collect(row, &sampler(NOISE), &echo, None, &params, &Streams::new(seed), &mut ()).unwrap();
        row.seconds = 0.0;
    }

    #[test]
    fn interrupted_rows_are_the_same() {
        let params = CollectParams::default().max_shots(20_000);
        let mut whole = Row::default();
        run(&mut whole, params, 3);
        assert_eq!(whole.shots, 20 * 1024);
        for threads in [2, 7] {
            let mut pieces = Row::default();
            run(&mut pieces, params.max_shots(5_000), 3);
            let enough = pieces.errors + 100;
            run(&mut pieces, params.max_errors(enough).threads(threads), 3);
            assert!(pieces.shots < whole.shots);
            run(&mut pieces, params.threads(threads), 3);
            assert_eq!(pieces, whole);
        }
        // 0.02 with 0.01 of failures on top: 1 - 0.98 * 0.99.
        let (n, p) = (whole.shots as f64, 1.0 - 0.98 * 0.99);
        assert!((whole.rate() - p).abs() < 4.0 * (p * (1.0 - p) / n).sqrt(), "{}", whole.rate());
        let failures = whole.custom_counts["decoder_failures"] as f64;
        assert!((failures - 0.01 * n).abs() < 4.0 * (0.01 * n).sqrt());
        assert!(whole.interval(1.96).unwrap().contains(whole.rate()));
    }

    #[test]
    fn seeds_add_up() {
        let mut a = Row::default();
        run(&mut a, CollectParams::default().max_shots(3000), 1);
        let mut both = a.clone();
        run(&mut both, CollectParams::default().max_shots(6000), 2);
        assert_eq!(both.custom_counts["units_of_seed_1"], 3);
        assert_eq!(both.custom_counts["units_of_seed_2"], 3);
        let mut b = Row::default();
        run(&mut b, CollectParams::default().max_shots(3000), 2);
        a.merge(&b).unwrap();
        assert_eq!(a, both);
    }

    #[test]
    fn division_into_units_does_not_matter() {
        let all = CollectParams::default().max_shots(u64::MAX);
        let mut whole = Row::default();
        run(&mut whole, all.units(0..40), 5);
        assert_eq!((whole.shots, whole.custom_counts["units_of_seed_5"]), (40 * 1024, 40));
        // Three shares, the middle one interrupted and on three threads, the last one with a unit that is there already.
        let mut parts = [0..7, 7..33, 33..40].map(|units| {
            let mut row = Row::default();
            run(&mut row, CollectParams::default().max_shots(2000).units(units.clone()), 5);
            assert_eq!(row.shots, 2048);
            run(&mut row, all.threads(3).units(units.clone()), 5);
            run(&mut row, all.units(units), 5);
            row
        });
        let mut sum = Row::default();
        for row in parts.iter_mut().rev() {
            sum.merge(row).unwrap();
        }
        assert_eq!(sum, whole);
        // A row with a hole is filled.
        let mut hole = parts[0].clone();
        hole.merge(&parts[2]).unwrap();
        run(&mut hole, all.threads(2).units(0..40), 5);
        assert_eq!(hole, whole);
        run(&mut hole, all.units(0..40), 5);
        assert_eq!(hole, whole);
    }

    #[test]
    fn shots_may_be_discarded() {
        let mut row = Row::default();
        let heavy = |prediction: &Prediction| prediction.weight > 0.5;
        let params = CollectParams::default().max_shots(10 * 1024);
        collect(&mut row, &sampler(NOISE), &echo, Some(&heavy), &params, &Streams::new(1), &mut ()).unwrap();
        // 0.25 * 0.99 are discarded.
        let (n, p) = (row.shots as f64, 0.2475);
        assert!((row.discards as f64 - n * p).abs() < 4.0 * (n * p * (1.0 - p)).sqrt());
        assert!(row.errors > 0 && row.rate() < 0.05);
    }

    #[test]
    fn observers_stop_and_sizes_are_checked() {
        let mut row = Row::default();
        let mut stop = |progress: &Progress| {
            if progress.shots >= 2048 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let params = CollectParams::default().max_shots(u64::MAX);
        collect(&mut row, &sampler(NOISE), &echo, None, &params, &Streams::new(1), &mut stop).unwrap();
        assert_eq!(row.shots, 2048);
        let other = sampler("error(0.1) D0");
        assert_eq!(
            collect(&mut row, &other, &echo, None, &params, &Streams::new(1), &mut ()).unwrap_err().to_string(),
            "detectors of the decoder: 2 given, 1 expected"
        );
    }
}
