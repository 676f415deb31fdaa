//! The simulation of one lattice.

use linalg_core::Observer;
use linalg_core::checkpoint::{Checkpoint, Writer};
use linalg_core::rand::Rng;
use linalg_core::rng::Streams;

use super::super::generator::Generator;
use super::super::local::effective;
use super::super::memory;
use super::super::population::{UPDATES_PER_THREAD, advance, record, sweeps_per_report};
use super::super::simd::{Block, InstructionSet};
use super::super::thresholds::Uniform;
use super::SOLVER;
use super::bands::Band;
use super::bonds::Lattice;
use super::geometry::{Geometry, get, set};
#[cfg(feature = "rayon")]
use super::sweep::Half;
use super::sweep::{STRIPE, Scratch, Sweeps, Unsatisfied, Update, thresholds};
use super::team::Team;
use crate::error::check_beta;
use crate::mcmc::saved_state::{read_progress, read_state};
use crate::mcmc::{Dynamics, Observables, threads};
use crate::model::{Progress, Simulation, SweepStats};
use crate::models::Ising;
use crate::spins::Spins;
use crate::{Error, Result};

const KIND: &str = "packed lattice 1";

/// One square, simple cubic or four-dimensional hypercubic lattice, 512 spins of one colour in a block.
///
/// The sites are coloured like a chessboard; a sweep updates all of one colour, then all of the other. For couplings
/// of one absolute value without fields: ferromagnet, antiferromagnet, ±J, with missing bonds; any lengths, free or
/// periodic, but even where periodic. A lattice is a replica, so [`n_lanes`](Simulation::n_lanes) is 1; for several
/// instances or smaller lattices see [`Replicas`](super::super::Replicas).
///
/// Square lattices whose rows are multiples of 1024 sites, with all bonds and of one sign, are fastest: 26 ns for 512 spins
/// with AVX-512, see the [module](super::super); with other lengths it takes half as long again, with missing bonds
/// three times as long.
///
/// Stripes of 131072 sites of each colour draw from the streams 0, 1, … of `streams.child(unit)`. With the feature `rayon`
/// stripes are updated in parallel, with the same result.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Dynamics, Observables, multispin::SquareLattice};
/// use spin_models::{Boundary, Ising, Simulation};
///
/// // The 4 x 4 torus at K = 0.4: u = -1.379116482259349 (B. Kaufman, Phys. Rev. 76, 1232 (1949)).
/// let model = Ising::square(4, Boundary::Periodic, 1.0)?;
/// let mut lattice = SquareLattice::new(&model, [4, 4], Dynamics::Metropolis, 0.4, Streams::new(5), 0)?;
/// let mut averages = Observables::new(16, 1);
/// lattice.advance(1000, &mut ());
/// lattice.run(20_000, 2, &mut averages, &mut ());
/// let e = averages.energy_per_spin();
/// assert!((e.value + 1.379116482259349).abs() < 4.0 * e.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HypercubicLattice {
    lattice: Lattice,
    dynamics: Dynamics,
    beta: f64,
    thresholds: Uniform,
    instructions: InstructionSet,
    /// The spins of both colours.
    spins: [Vec<Block>; 2],
    /// In how many parts the lattice is updated.
    bands: Vec<Band>,
    /// One for every stripe.
    generators: Vec<Generator>,
    sweeps: u64,
    problem: u64,
}

/// [`HypercubicLattice`] by its name in two dimensions, where lengths are `[rows, columns]`.
pub type SquareLattice = HypercubicLattice;

impl HypercubicLattice {
    /// The lattice of a model on a box of two to four `lengths`, the last coordinate of the sites counting fastest, with
    /// random spins.
    ///
    /// Couplings of value 0 are missing bonds. Where a direction has two sites there is one bond between them, which
    /// may not be twice as strong as others.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::Parameter`] for another number of lengths; [`Error::NoSpins`] for a length of 0;
    /// [`Error::WrongLength`] if the model has another number of spins; [`Error::NotApplicable`] naming
    /// a field, a coupling of another absolute value than the first, or one between sites that are no neighbours of
    /// different colour; [`Error::TooLarge`] if the memory is not there.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::mcmc::{Dynamics, multispin::SquareLattice};
    /// use spin_models::{Boundary, Ising};
    ///
    /// let odd = Ising::square(5, Boundary::Periodic, 1.0)?;
    /// let error = SquareLattice::new(&odd, [5, 5], Dynamics::HeatBath, 1.0, Streams::new(1), 0).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "packed lattice does not apply: coupling 8 joins sites 0 and 4, which are no neighbours of different \
    ///      colour on 5 x 5 sites"
    /// );
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn new(
        model: &Ising,
        lengths: impl AsRef<[usize]>,
        dynamics: Dynamics,
        beta: f64,
        streams: Streams,
        unit: u64,
    ) -> Result<Self> {
        check_beta(beta)?;
        Self::of(Lattice::new(model, lengths.as_ref())?, dynamics, beta, streams.child(unit))
    }

    /// A torus of two to four `lengths` with all couplings `j`, without the model, whose couplings would take much more
    /// memory than the spins: a bit a site for squares whose rows are multiples of 1024 sites, six to ten for others.
    ///
    /// # Errors
    /// [`Error::Beta`]; [`Error::NotFinite`] for `j`; [`Error::Parameter`] for a length that is odd or below 4, or for
    /// another number of lengths; [`Error::TooLarge`] if the memory is not there.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Simulation;
    /// use spin_models::mcmc::{Dynamics, multispin::HypercubicLattice};
    ///
    /// let mut lattice = HypercubicLattice::torus([1024, 1024], 1.0, Dynamics::Metropolis, 0.5, Streams::new(1), 0)?;
    /// lattice.set_spins(&[1; 1024 * 1024]);
    /// assert_eq!(lattice.energy(), -2.0 * 1024.0 * 1024.0);
    /// lattice.advance(10, &mut ());
    /// assert!(lattice.magnetization() < 1024 * 1024);
    ///
    /// let mut cubic = HypercubicLattice::torus([32; 3], 1.0, Dynamics::HeatBath, 0.2, Streams::new(1), 0)?;
    /// cubic.set_spins(&[1; 32 * 32 * 32]);
    /// assert_eq!(cubic.energy(), -3.0 * 32.0 * 32.0 * 32.0);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn torus(
        lengths: impl AsRef<[usize]>,
        j: f64,
        dynamics: Dynamics,
        beta: f64,
        streams: Streams,
        unit: u64,
    ) -> Result<Self> {
        check_beta(beta)?;
        if !j.is_finite() {
            return Err(Error::NotFinite { what: "coupling", entry: 0, sites: vec![0, 1], value: j });
        }
        let lengths = lengths.as_ref();
        if let Some(length) = lengths.iter().find(|&&length| length < 4 || !length.is_multiple_of(2)) {
            let expected = "an even number of at least 4 on a torus of two colours";
            return Err(Error::Parameter { what: "lattice length", value: length.to_string(), expected });
        }
        Self::of(Lattice::torus(Geometry::new(lengths, SOLVER)?, j)?, dynamics, beta, streams.child(unit))
    }

    fn of(lattice: Lattice, dynamics: Dynamics, beta: f64, streams: Streams) -> Result<Self> {
        let blocks = lattice.geometry.blocks();
        let mut generators = Vec::new();
        let mut spins = [memory::blocks(SOLVER, blocks)?, memory::blocks(SOLVER, blocks)?];
        let [a, b] = &mut spins;
        for (k, (a, b)) in a.chunks_mut(STRIPE).zip(b.chunks_mut(STRIPE)).enumerate() {
            let mut rng = streams.stream(k as u64);
            generators.push(Generator::new(&mut rng));
            for word in a.iter_mut().chain(b).flat_map(|block| &mut block.0) {
                *word = rng.next_u64();
            }
        }
        for (color, spins) in spins.iter_mut().enumerate() {
            lattice.clear_unused(color, spins);
        }
        let thresholds = thresholds(&lattice, effective(dynamics, beta, lattice.unit), beta);
        let bands = Band::cut(&lattice, 1);
        let instructions = InstructionSet::detect();
        let problem = lattice.content_hash();
        let mut simulation =
            Self { lattice, dynamics, beta, thresholds, instructions, spins, bands, generators, sweeps: 0, problem };
        simulation.publish();
        Ok(simulation)
    }

    /// Works with these instructions instead of the best ones; the spins do not depend on it.
    ///
    /// # Errors
    /// [`Error::Parameter`] if this machine does not have them.
    pub fn with_instructions(mut self, set: InstructionSet) -> Result<Self> {
        self.instructions = set.check()?;
        Ok(self)
    }

    /// Sweeps on up to this many threads, with a stripe of 131072 sites of each colour or more for each; the spins do not
    /// depend on it. With 1, the default, the feature `rayon` decides.
    ///
    /// The threads are started once for every [`advance`](Simulation::advance), which should be given ten sweeps
    /// or more where a lattice has less than ten million sites.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.bands = Band::cut(&self.lattice, threads.max(1));
        self.publish();
        self
    }

    /// The instructions that are used.
    pub fn instructions(&self) -> InstructionSet {
        self.instructions
    }

    /// Goes to another temperature; the configuration stays.
    ///
    /// # Errors
    /// [`Error::Beta`] unless `beta` is finite and not negative.
    pub fn set_beta(&mut self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.beta = beta;
        self.thresholds = thresholds(&self.lattice, effective(self.dynamics, beta, self.lattice.unit), beta);
        Ok(())
    }

    /// The energy. Takes about as long as a quarter of a sweep.
    pub fn energy(&self) -> f64 {
        let [spins, other] = &self.spins;
        let of_band = |band: &Band| {
            let (blocks, other) = (band.blocks.clone(), band.other(1, &other[band.blocks.clone()]));
            let (first, spins) = (blocks.start, &spins[blocks]);
            self.instructions.run(Unsatisfied { lattice: &self.lattice, first, spins, other })
        };
        let unsatisfied: u64 = self.bands.iter().map(of_band).sum();
        let units = 2 * unsatisfied as i64 - self.lattice.n_bonds as i64;
        self.lattice.offset + self.lattice.unit * units as f64
    }

    /// The sum of the spins.
    pub fn magnetization(&self) -> i64 {
        let down: u64 = self.spins.iter().flatten().map(|block| u64::from(block.count_ones())).sum();
        self.lattice.geometry.n_sites() as i64 - 2 * down as i64
    }

    /// The configuration, site by site.
    pub fn spins(&self) -> Vec<i8> {
        let geometry = self.lattice.geometry;
        let spin = |site| {
            let place = geometry.place(site);
            if get(&self.spins[place.color], place.bit) { -1 } else { 1 }
        };
        (0..geometry.n_sites()).map(spin).collect()
    }

    /// Replaces the configuration; values below 0 are down.
    ///
    /// # Panics
    /// If `s` has the wrong length.
    pub fn set_spins(&mut self, s: &[i8]) {
        let geometry = self.lattice.geometry;
        assert_eq!(s.len(), geometry.n_sites(), "{} spins for {} sites", s.len(), geometry.n_sites());
        for (site, &spin) in s.iter().enumerate() {
            let place = geometry.place(site);
            set(&mut self.spins[place.color], place.bit, spin < 0);
        }
        self.publish();
    }

    fn publish(&mut self) {
        Band::publish_all(&mut self.bands, &self.spins);
    }

    /// On this thread, or with the feature `rayon` on its pool.
    fn sweep(&mut self, sweeps: u64, scratch: &mut Scratch) -> u64 {
        self.sweeps += sweeps;
        let dynamics = effective(self.dynamics, self.beta, self.lattice.unit);
        let update = Update { lattice: &self.lattice, dynamics, thresholds: &self.thresholds };
        let (instructions, band) = (self.instructions, &mut self.bands[0]);
        let (spins, generators) = (&mut self.spins, &mut self.generators[..]);
        #[cfg(feature = "rayon")]
        if generators.len() > 1 {
            return pooled(update, instructions, spins, band, generators, sweeps);
        }
        instructions.run(Sweeps { update, spins, band, generators, scratch, sweeps })
    }
}

/// Sweeps whose stripes are updated by a pool of threads.
#[cfg(feature = "rayon")]
fn pooled(
    update: Update<'_>,
    instructions: InstructionSet,
    spins: &mut [Vec<Block>; 2],
    band: &mut Band,
    generators: &mut [Generator],
    sweeps: u64,
) -> u64 {
    use rayon::prelude::*;
    let [a, b] = spins;
    let mut flips = 0;
    for _ in 0..sweeps {
        for color in 0..2 {
            let (own, others) = if color == 0 { (&mut *a, &*b) } else { (&mut *b, &*a) };
            let other = band.other(1 - color, others);
            let stripes = own.par_chunks_mut(STRIPE).zip(&mut *generators).enumerate();
            flips += stripes
                .map_init(
                    || Box::new(Scratch::new()),
                    |scratch, (k, (spins, generator))| {
                        let (first, generators) = (k * STRIPE, std::slice::from_mut(generator));
                        instructions.run(Half { update, color, first, spins, other, generators, scratch })
                    },
                )
                .sum::<u64>();
            band.publish(color, own);
        }
    }
    flips
}

impl Simulation for HypercubicLattice {
    fn n_spins(&self) -> usize {
        self.lattice.geometry.n_sites()
    }

    fn n_lanes(&self) -> usize {
        1
    }

    fn beta(&self, lane: usize) -> f64 {
        assert!(lane == 0, "lane {lane} of 1");
        self.beta
    }

    fn sweeps(&self) -> u64 {
        self.sweeps
    }

    fn configuration(&self, lane: usize) -> Spins {
        assert_eq!(lane, 0, "lane {lane} of 1");
        Spins::from_known_signs(self.spins())
    }

    /// Reports after every four million updates, or after every sweep if that is longer.
    fn advance(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> SweepStats {
        let n = self.n_spins() as u64;
        if self.bands.len() == 1 {
            let mut scratch = Box::new(Scratch::new());
            return advance(sweeps, n, observer, |sweeps| self.sweep(sweeps, &mut scratch));
        }
        let dynamics = effective(self.dynamics, self.beta, self.lattice.unit);
        let update = Update { lattice: &self.lattice, dynamics, thresholds: &self.thresholds };
        let Self { instructions, spins, bands, generators, .. } = self;
        let threads = threads::worthwhile(bands.len(), n.saturating_mul(sweeps), UPDATES_PER_THREAD);
        let team = Team { update, instructions: *instructions, threads, sweeps, interval: sweeps_per_report(n) };
        let (done, flips) = team.advance(spins, bands, generators, observer);
        self.sweeps += done;
        SweepStats { attempted: done * n, accepted: flips, flipped: flips, clusters: 0 }
    }

    fn measure(&mut self, into: &mut Observables) {
        record(into, self.n_spins(), &[self.energy()], &[self.magnetization()], |_| self.spins());
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        state.write_f64(self.beta).write_bool(self.dynamics == Dynamics::HeatBath).write_u64(self.sweeps);
        self.generators.iter().for_each(|generator| generator.write(&mut state));
        self.spins.iter().flatten().flat_map(|block| block.0).for_each(|word| {
            state.write_u64(word);
        });
        Checkpoint::new(KIND, self.problem, state)
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let (beta, sweeps, generators, spins) = read_state(from, KIND, self.problem, |reader| {
            let (beta, sweeps) = read_progress(reader, self.dynamics)?;
            let mut generators = self.generators.clone();
            for generator in &mut generators {
                *generator = Generator::read(reader)?;
            }
            let mut spins = self.spins.clone();
            for word in spins.iter_mut().flatten().flat_map(|block| &mut block.0) {
                *word = reader.read_u64()?;
            }
            spins.iter_mut().enumerate().for_each(|(color, spins)| self.lattice.clear_unused(color, spins));
            Ok((beta, sweeps, generators, spins))
        })?;
        (self.sweeps, self.generators, self.spins) = (sweeps, generators, spins);
        self.publish();
        self.set_beta(beta)
    }
}
