//! Shots of circuits.

use linalg_core::Streams;
use linalg_core::gf2::transpose_block;

use super::frame::{Frames, Random, Row, SHOTS, Sink};
use super::model::Circuit;
use super::program::Program;
use crate::dem::ziggurat::Ziggurat;
use crate::error::{Error, Result};
use crate::shots::{Shots, ShotsMut, words_per_row};

/// Most bits of a row of shots.
const MAX_BITS: u64 = 1 << 27;
/// Most observables, which are held for a unit at a time.
pub(super) const MAX_OBSERVABLES: u64 = 1 << 20;

/// Detection events, observables and heralds of shots.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionSamples {
    /// Which detectors differ from the run without noise, a row a shot.
    pub detectors: Shots,
    /// Which observables do.
    pub observables: Shots,
    /// Which heralds went off: the records of `HERALDED_ERASE` and `HERALDED_PAULI_CHANNEL_1` in order.
    pub heralds: Shots,
}

/// Draws shots from a circuit by Pauli frames, 1024 at a time.
///
/// A frame is the Pauli operator by which a shot differs from the run without noise; operations move frames of all shots of a
/// unit at once, a bit a shot, and noise multiplies those it hits. Errors are found by their waiting times, so that time is
/// spent on those that happen (Gidney, Quantum 5, 497 (2021), section 4). Resets and measurements multiply frames by what they
/// make undetectable, at random: records that are not certain come out random, and so do detectors that are not.
///
/// Unit k uses stream k: a shot depends on the seed and its number alone, not on how many are asked for or the threads. Sweep
/// bits are 0.
///
/// ```
/// use linalg_core::Streams;
/// use quantum_ec::Circuit;
/// use quantum_ec::circuit::CircuitSampler;
///
/// let circuit: Circuit = "
///     X_ERROR(0.25) 0
///     M 0
///     DETECTOR rec[-1]
///     X_ERROR(1) 0
///     M 0
///     OBSERVABLE_INCLUDE(0) rec[-1] rec[-2]
/// ".parse()?;
/// let samples = CircuitSampler::new(&circuit)?.sample(4000, &Streams::new(1));
/// let count = (0..4000).filter(|&shot| samples.detectors.get(shot, 0)).count();
/// assert!((900..1100).contains(&count));
/// assert!((0..4000).all(|shot| samples.observables.get(shot, 0)));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CircuitSampler {
    program: Program,
    ziggurat: Ziggurat,
    threads: usize,
}

impl CircuitSampler {
    /// Shots that share a random stream: starting points of [`sample_into`](Self::sample_into).
    pub const UNIT: usize = SHOTS;

    /// A sampler on one thread. Linear time in the text of the circuit.
    ///
    /// # Errors
    /// [`Error::CircuitInstruction`] for records before the beginning; [`Error::TooLarge`] for more than 2³⁶ operations, 2²⁷
    /// detectors or heralds, 2²⁰ observables, and records more than 2²⁰ back.
    pub fn new(circuit: &Circuit) -> Result<Self> {
        let program = Program::new(circuit)?;
        for (what, value, most) in [
            ("number of detectors", program.n_detectors, MAX_BITS),
            ("number of observables", program.n_observables, MAX_OBSERVABLES),
            ("number of heralds", program.n_heralds, MAX_BITS),
        ] {
            bound(what, value, most)?;
        }
        Ok(Self { program, ziggurat: Ziggurat::new(), threads: 1 })
    }

    /// Uses up to `threads` threads; the numbers do not depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Bits of a row of records.
    pub fn n_measurements(&self) -> u64 {
        self.program.n_measurements
    }

    /// Bits of a row of detection events.
    pub fn n_detectors(&self) -> usize {
        self.program.n_detectors as usize
    }

    /// Bits of a row of observables.
    pub fn n_observables(&self) -> usize {
        self.program.n_observables as usize
    }

    /// Bits of a row of heralds.
    pub fn n_heralds(&self) -> usize {
        self.program.n_heralds as usize
    }

    /// Detection events of the first `n_shots` shots of a seed.
    pub fn sample(&self, n_shots: usize, streams: &Streams) -> DetectionSamples {
        let mut samples = DetectionSamples {
            detectors: Shots::zeros(n_shots, self.n_detectors()),
            observables: Shots::zeros(n_shots, self.n_observables()),
            heralds: Shots::zeros(n_shots, self.n_heralds()),
        };
        let DetectionSamples { detectors, observables, heralds } = &mut samples;
        self.sample_into(0, streams, detectors.view_mut(), observables.view_mut(), Some(heralds.view_mut()));
        samples
    }

    /// Fills the tables with the shots from the beginning of unit `first_unit`; what was in them is lost.
    ///
    /// # Panics
    /// If a table has another width than the circuit's number of detectors, observables or heralds, or another number of rows
    /// than the first.
    pub fn sample_into(
        &self,
        first_unit: u64,
        streams: &Streams,
        detectors: ShotsMut<'_>,
        observables: ShotsMut<'_>,
        heralds: Option<ShotsMut<'_>>,
    ) {
        check("detectors", &detectors, self.n_detectors(), detectors.n_shots());
        check("observables", &observables, self.n_observables(), detectors.n_shots());
        if let Some(table) = &heralds {
            check("heralds", table, self.n_heralds(), detectors.n_shots());
        }
        let empty = vec![0; words_per_row(self.n_detectors().max(self.n_observables()).max(self.n_heralds()))];
        let tables = [Some(detectors), Some(observables), heralds];
        self.split(first_unit, tables, &|unit, frames, [detectors, observables, heralds]| {
            let [detectors, observables, heralds] =
                [detectors, observables, heralds].map(|table| table.map(|table| Columns::new(table, &empty)));
            let Some(mut observables) = observables else { unreachable!("a table of observables") };
            let mut sink = DetectionSink { detectors, heralds };
            frames.run(&self.program, &mut self.random(streams, unit), &mut sink);
            frames.observables.iter().for_each(|row| observables.push(row));
            observables.finish();
            for table in [sink.detectors, sink.heralds].into_iter().flatten() {
                table.finish();
            }
        });
    }

    /// Records of the first `n_shots` shots of a seed; `reference` are those of a run without noise.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than 2²⁷ records.
    ///
    /// # Panics
    /// As [`sample_measurements_into`](Self::sample_measurements_into).
    pub fn sample_measurements(&self, n_shots: usize, reference: &[u64], streams: &Streams) -> Result<Shots> {
        bound("number of records", self.program.n_measurements, MAX_BITS)?;
        let mut records = Shots::zeros(n_shots, self.program.n_measurements as usize);
        self.sample_measurements_into(0, streams, reference, records.view_mut());
        Ok(records)
    }

    /// Fills a table with the records of the shots from the beginning of unit `first_unit`, the same shots as those of
    /// [`sample_into`](Self::sample_into).
    ///
    /// # Panics
    /// If the table or the reference has another width than the circuit's number of records.
    pub fn sample_measurements_into(
        &self,
        first_unit: u64,
        streams: &Streams,
        reference: &[u64],
        records: ShotsMut<'_>,
    ) {
        check("records", &records, self.program.n_measurements as usize, records.n_shots());
        let width = words_per_row(records.n_bits());
        assert_eq!(reference.len(), width, "{} words of reference for {width}", reference.len());
        self.split(first_unit, [Some(records), None, None], &|unit, frames, [records, ..]| {
            let Some(records) = records else { unreachable!("a table of records") };
            let mut sink = RecordSink { records: Columns::new(records, reference) };
            frames.run(&self.program, &mut self.random(streams, unit), &mut sink);
            sink.records.finish();
        });
    }

    fn random(&self, streams: &Streams, unit: u64) -> Random<'_> {
        Random { rng: streams.fast_stream(unit), ziggurat: &self.ziggurat }
    }

    /// Gives every unit its part of the tables, on all threads.
    fn split(&self, first_unit: u64, tables: Tables<'_>, work: &(impl Fn(u64, &mut Frames, Tables<'_>) + Sync)) {
        let n = rows(&tables);
        let units = |first: u64, mut tables: Tables<'_>| {
            let mut frames = Frames::new(&self.program);
            let mut unit = first;
            while rows(&tables) > 0 {
                let (head, tail) = split_at(tables, SHOTS);
                work(unit, &mut frames, head);
                (unit, tables) = (unit.wrapping_add(1), tail);
            }
        };
        let share = n.div_ceil(SHOTS).div_ceil(self.threads).max(1);
        if share * SHOTS >= n {
            return units(first_unit, tables);
        }
        std::thread::scope(|scope| {
            let (mut unit, mut rest) = (first_unit, tables);
            while rows(&rest) > share * SHOTS {
                let (head, tail) = split_at(rest, share * SHOTS);
                scope.spawn(move || units(unit, head));
                (unit, rest) = (unit.wrapping_add(share as u64), tail);
            }
            // This thread works, too.
            units(unit, rest);
        });
    }
}

fn bound(what: &'static str, value: u64, most: u64) -> Result<()> {
    if value <= most {
        return Ok(());
    }
    let value = usize::try_from(value).unwrap_or(usize::MAX);
    Err(Error::TooLarge { method: "sampling a circuit", what, value, bound: most as usize })
}

fn check(what: &str, table: &ShotsMut<'_>, bits: usize, shots: usize) {
    assert_eq!(table.n_bits(), bits, "{} bits for {bits} {what}", table.n_bits());
    assert_eq!(table.n_shots(), shots, "{} rows of {what} for {shots} of detectors", table.n_shots());
}

/// Up to three tables with the same number of rows; the first is there.
type Tables<'a> = [Option<ShotsMut<'a>>; 3];

fn rows(tables: &Tables<'_>) -> usize {
    tables[0].as_ref().map_or(0, ShotsMut::n_shots)
}

fn split_at(tables: Tables<'_>, at: usize) -> (Tables<'_>, Tables<'_>) {
    let at = at.min(rows(&tables));
    let mut tails = [None, None, None];
    let mut heads = [None, None, None];
    for (k, table) in tables.into_iter().enumerate() {
        (heads[k], tails[k]) = table.map(|table| table.split_at(at)).unzip();
    }
    (heads, tails)
}

/// A table of shots that is filled column by column.
struct Columns<'a> {
    table: ShotsMut<'a>,
    /// Added to every shot.
    base: &'a [u64],
    /// The columns that do not yet make a word.
    buffer: Box<[Row; 64]>,
    filled: usize,
    word: usize,
}

impl<'a> Columns<'a> {
    fn new(table: ShotsMut<'a>, base: &'a [u64]) -> Self {
        Self { table, base, buffer: Box::new([[0; SHOTS / 64]; 64]), filled: 0, word: 0 }
    }

    #[inline]
    fn push(&mut self, row: &Row) {
        self.buffer[self.filled] = *row;
        self.filled += 1;
        if self.filled == 64 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let (n, width) = (self.table.n_shots(), words_per_row(self.table.n_bits()));
        let base = self.base[self.word];
        let words = self.table.words_mut();
        for block in 0..n.div_ceil(64) {
            let mut square: [u64; 64] = std::array::from_fn(|k| self.buffer[k][block]);
            transpose_block(&mut square);
            for (shot, bits) in (64 * block..n).zip(square) {
                words[shot * width + self.word] = bits ^ base;
            }
        }
        self.filled = 0;
        self.word += 1;
    }

    fn finish(mut self) {
        if self.filled > 0 {
            self.buffer[self.filled..].fill([0; SHOTS / 64]);
            self.flush();
        }
    }
}

struct DetectionSink<'a> {
    detectors: Option<Columns<'a>>,
    heralds: Option<Columns<'a>>,
}

impl Sink for DetectionSink<'_> {
    fn detector(&mut self, row: &Row) {
        if let Some(table) = &mut self.detectors {
            table.push(row);
        }
    }

    fn herald(&mut self, row: &Row) {
        if let Some(table) = &mut self.heralds {
            table.push(row);
        }
    }
}

struct RecordSink<'a> {
    records: Columns<'a>,
}

impl Sink for RecordSink<'_> {
    fn record(&mut self, row: &Row) {
        self.records.push(row);
    }
}
