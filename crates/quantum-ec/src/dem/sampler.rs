//! Drawing shots from independent mechanisms.

use linalg_core::Streams;
use linalg_core::rand::Rng;
use linalg_core::rng::Xoshiro256PlusPlus;

use super::model::DetectorErrorModel;
use super::ziggurat::Ziggurat;
use crate::error::Result;
use crate::problem::DecodingProblem;
use crate::shots::{Shots, ShotsMut, ones, words_per_row};

/// Shots of a work unit, each unit with a stream of its own.
const UNIT: usize = 1024;
/// Above this probability a mechanism draws a number for every shot.
const DENSE: f64 = 0.25;

/// Shots with what happened in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// Detection events, a row a shot.
    pub detectors: Shots,
    /// Observables flipped, a row a shot.
    pub observables: Shots,
    /// Mechanisms that happened, a row a shot, if asked for.
    pub mechanisms: Option<Shots>,
}

/// Draws shots from a [`DecodingProblem`]: every mechanism happens independently with its probability.
///
/// The events of all mechanisms in a unit of 1024 shots are the arrivals of one Poisson process: mechanism j has the rate
/// $`\mu_j = -\tfrac12 \ln(1 - 2 p_j)`$ in every shot, and it happens where the number of arrivals is odd, which has the
/// probability
///
/// ```math
/// \tfrac12 \left(1 - e^{-2\mu_j}\right) = p_j .
/// ```
///
/// So time goes by events, not by mechanisms times shots: one exponential number and one flip of the symptom each.
/// Mechanisms with $`p_j > 1/2`$ are drawn as what does not happen; with $`1/4 < p_j < 3/4`$, a number a shot.
///
/// Unit k uses stream k: a shot depends on the seed and its number alone, not on how many are asked for or the threads.
///
/// ```
/// use linalg_core::Streams;
/// use quantum_ec::DetectorErrorModel;
/// use quantum_ec::dem::Sampler;
///
/// let model: DetectorErrorModel = "
///     error(1) D0
///     error(0.25) D1 L0
/// ".parse()?;
/// let samples = Sampler::of_model(&model)?.sample(4000, &Streams::new(1));
/// let count = |bit| (0..4000).filter(|&shot| samples.detectors.get(shot, bit)).count();
/// assert_eq!(count(0), 4000);
/// assert!((900..1100).contains(&count(1)));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sampler {
    n_detectors: usize,
    n_observables: usize,
    n_mechanisms: usize,
    /// Mechanisms drawn as arrivals.
    rare: Vec<Rare>,
    /// Mechanisms that draw a number a shot, with the probability in units of 2⁻⁶⁴.
    dense: Vec<(usize, u64)>,
    /// Mechanism j flips `detectors[starts[j].0..starts[j + 1].0]` and likewise observables.
    starts: Vec<(u32, u32)>,
    detectors: Vec<Flip>,
    observables: Vec<Flip>,
    /// What is flipped in a shot without events: symptoms and numbers of mechanisms with p > 1/2.
    base: [Vec<u64>; 3],
    ziggurat: Ziggurat,
    record: bool,
    threads: usize,
}

#[derive(Debug, Clone)]
struct Rare {
    mechanism: usize,
    /// Arrivals expected in a unit, and shots an arrival.
    length: f64,
    scale: f64,
}

/// Bits of one word of a row.
#[derive(Debug, Clone, Copy)]
struct Flip {
    word: u32,
    mask: u64,
}

impl Sampler {
    /// Shots that share a random stream: starting points of [`sample_into`](Self::sample_into).
    pub const UNIT: usize = UNIT;

    /// A sampler of these mechanisms on one thread. Linear time in the ones of the matrices.
    ///
    /// # Panics
    /// If the matrices have 2³² ones or more.
    pub fn new(problem: &DecodingProblem) -> Self {
        let mut sampler = Self {
            n_detectors: problem.n_detectors(),
            n_observables: problem.n_observables(),
            n_mechanisms: problem.n_mechanisms(),
            rare: Vec::new(),
            dense: Vec::new(),
            starts: vec![(0, 0)],
            detectors: Vec::new(),
            observables: Vec::new(),
            base: [problem.n_detectors(), problem.n_observables(), problem.n_mechanisms()]
                .map(|bits| vec![0; words_per_row(bits)]),
            ziggurat: Ziggurat::new(),
            record: false,
            threads: 1,
        };
        for (j, &p) in problem.priors().iter().enumerate() {
            let (checks, observables) = (problem.checks().column(j), problem.observables().column(j));
            push_flips(&mut sampler.detectors, checks);
            push_flips(&mut sampler.observables, observables);
            let end = |flips: &[Flip]| u32::try_from(flips.len()).expect("fewer than 2^32 ones in the matrices");
            sampler.starts.push((end(&sampler.detectors), end(&sampler.observables)));
            let rarer = if p > 0.5 {
                let [base_detectors, base_observables, base_mechanisms] = &mut sampler.base;
                checks.iter().for_each(|&i| base_detectors[i / 64] ^= 1 << (i % 64));
                observables.iter().for_each(|&i| base_observables[i / 64] ^= 1 << (i % 64));
                base_mechanisms[j / 64] ^= 1 << (j % 64);
                1.0 - p
            } else {
                p
            };
            if rarer > DENSE {
                // Exact: a power of two times a probability of at most 1/2.
                sampler.dense.push((j, (rarer * 2f64.powi(64)) as u64));
            } else if rarer > 0.0 {
                let rate = -0.5 * libm::log1p(-2.0 * rarer);
                sampler.rare.push(Rare { mechanism: j, length: UNIT as f64 * rate, scale: rate.recip() });
            }
        }
        sampler
    }

    /// A sampler of an unrolled model.
    ///
    /// # Errors
    /// As [`DetectorErrorModel::to_problem`].
    pub fn of_model(model: &DetectorErrorModel) -> Result<Self> {
        Ok(Self::new(&model.to_problem()?))
    }

    /// Also yields the mechanisms that happened.
    pub fn with_mechanisms(mut self) -> Self {
        self.record = true;
        self
    }

    /// Uses up to `threads` threads; the numbers do not depend on it.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Bits of a row of detection events.
    pub fn n_detectors(&self) -> usize {
        self.n_detectors
    }

    /// Bits of a row of observables.
    pub fn n_observables(&self) -> usize {
        self.n_observables
    }

    /// The first `n_shots` shots of a seed.
    pub fn sample(&self, n_shots: usize, streams: &Streams) -> Samples {
        self.sample_from(0, n_shots, streams)
    }

    /// `n_shots` shots from the beginning of unit `first_unit`, which is shot `first_unit` times [`UNIT`](Self::UNIT).
    pub fn sample_from(&self, first_unit: u64, n_shots: usize, streams: &Streams) -> Samples {
        let mut detectors = Shots::zeros(n_shots, self.n_detectors);
        let mut observables = Shots::zeros(n_shots, self.n_observables);
        let mut mechanisms = self.record.then(|| Shots::zeros(n_shots, self.n_mechanisms));
        let recorded = mechanisms.as_mut().map(Shots::view_mut);
        self.sample_into(first_unit, streams, detectors.view_mut(), observables.view_mut(), recorded);
        Samples { detectors, observables, mechanisms }
    }

    /// Fills the tables with the shots from the beginning of unit `first_unit`; what was in them is lost.
    ///
    /// # Panics
    /// If a table has another width than the problem's number of detectors, observables or mechanisms, or another number
    /// of rows than the first.
    pub fn sample_into(
        &self,
        first_unit: u64,
        streams: &Streams,
        detectors: ShotsMut<'_>,
        observables: ShotsMut<'_>,
        mechanisms: Option<ShotsMut<'_>>,
    ) {
        let n = detectors.n_shots();
        let check = |what: &str, table: &ShotsMut<'_>, bits: usize| {
            assert_eq!(table.n_bits(), bits, "{} bits for {bits} {what}", table.n_bits());
            assert_eq!(table.n_shots(), n, "{} rows of {what} for {n} of detectors", table.n_shots());
        };
        check("detectors", &detectors, self.n_detectors);
        check("observables", &observables, self.n_observables);
        if let Some(table) = &mechanisms {
            check("mechanisms", table, self.n_mechanisms);
        }
        let tables = Tables { detectors, observables, mechanisms };
        let share = n.div_ceil(UNIT).div_ceil(self.threads).max(1);
        if share * UNIT >= n {
            return self.units(first_unit, streams, tables);
        }
        std::thread::scope(|scope| {
            let (mut unit, mut rest) = (first_unit, tables);
            while rest.detectors.n_shots() > share * UNIT {
                let (head, tail) = rest.split_at(share * UNIT);
                scope.spawn(move || self.units(unit, streams, head));
                (unit, rest) = (unit.wrapping_add(share as u64), tail);
            }
            // This thread works, too.
            self.units(unit, streams, rest);
        });
    }

    fn units(&self, first_unit: u64, streams: &Streams, mut tables: Tables<'_>) {
        let mut unit = first_unit;
        while tables.detectors.n_shots() > 0 {
            let (head, tail) = tables.split_at(UNIT);
            self.unit(&mut streams.fast_stream(unit), head);
            (unit, tables) = (unit.wrapping_add(1), tail);
        }
    }

    /// One unit, perhaps cut short; all its random numbers are drawn in any case.
    fn unit(&self, rng: &mut Xoshiro256PlusPlus, mut tables: Tables<'_>) {
        let n = tables.detectors.n_shots();
        let [base_detectors, base_observables, base_mechanisms] = &self.base;
        let mut rows = Rows {
            n,
            detectors: Table::new(&mut tables.detectors, base_detectors),
            observables: Table::new(&mut tables.observables, base_observables),
            mechanisms: tables.mechanisms.as_mut().map(|table| Table::new(table, base_mechanisms)),
        };
        // Time from the beginning of the mechanism to the next arrival.
        let mut gap = self.ziggurat.sample(rng);
        for rare in &self.rare {
            while gap < rare.length {
                // A rate below the smallest normal number has an infinite scale.
                let shot = ((gap * rare.scale) as usize).min(UNIT - 1);
                self.flip(&mut rows, shot, rare.mechanism);
                gap += self.ziggurat.sample(rng);
            }
            gap -= rare.length;
        }
        for &(mechanism, threshold) in &self.dense {
            for shot in 0..UNIT {
                if rng.next_u64() < threshold {
                    self.flip(&mut rows, shot, mechanism);
                }
            }
        }
    }

    #[inline]
    fn flip(&self, rows: &mut Rows<'_>, shot: usize, mechanism: usize) {
        if shot >= rows.n {
            return;
        }
        let (from, to) = (self.starts[mechanism], self.starts[mechanism + 1]);
        rows.detectors.flip(shot, &self.detectors[from.0 as usize..to.0 as usize]);
        rows.observables.flip(shot, &self.observables[from.1 as usize..to.1 as usize]);
        if let Some(table) = &mut rows.mechanisms {
            table.flip(shot, &[Flip { word: (mechanism / 64) as u32, mask: 1 << (mechanism % 64) }]);
        }
    }
}

/// Bits, ascending, as words with masks.
fn push_flips(flips: &mut Vec<Flip>, bits: &[usize]) {
    let start = flips.len();
    for &bit in bits {
        let word = u32::try_from(bit / 64).expect("fewer than 2^38 bits in a row");
        match flips[start..].last_mut() {
            Some(last) if last.word == word => last.mask |= 1 << (bit % 64),
            _ => flips.push(Flip { word, mask: 1 << (bit % 64) }),
        }
    }
}

struct Tables<'a> {
    detectors: ShotsMut<'a>,
    observables: ShotsMut<'a>,
    mechanisms: Option<ShotsMut<'a>>,
}

impl Tables<'_> {
    fn split_at(self, at: usize) -> (Self, Self) {
        let at = at.min(self.detectors.n_shots());
        let (detectors, detectors_tail) = self.detectors.split_at(at);
        let (observables, observables_tail) = self.observables.split_at(at);
        let (mechanisms, mechanisms_tail) = self.mechanisms.map(|table| table.split_at(at)).unzip();
        (
            Self { detectors, observables, mechanisms },
            Self { detectors: detectors_tail, observables: observables_tail, mechanisms: mechanisms_tail },
        )
    }
}

/// The tables of one unit as plain words.
struct Rows<'a> {
    n: usize,
    detectors: Table<'a>,
    observables: Table<'a>,
    mechanisms: Option<Table<'a>>,
}

struct Table<'a> {
    words: &'a mut [u64],
    width: usize,
}

impl<'a> Table<'a> {
    fn new(rows: &'a mut ShotsMut<'_>, base: &[u64]) -> Self {
        let words = rows.words_mut();
        if ones(base).next().is_none() {
            words.fill(0);
        } else {
            words.chunks_exact_mut(base.len()).for_each(|row| row.copy_from_slice(base));
        }
        Self { words, width: base.len() }
    }

    #[inline]
    fn flip(&mut self, shot: usize, flips: &[Flip]) {
        let row = &mut self.words[shot * self.width..(shot + 1) * self.width];
        for flip in flips {
            row[flip.word as usize] ^= flip.mask;
        }
    }
}
