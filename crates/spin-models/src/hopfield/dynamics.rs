//! Glauber dynamics of memories.

use std::ops::ControlFlow;

use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::uniform_open01;

use super::{Hopfield, Network};
use crate::mcmc::heat_bath_acceptance;
use crate::model::CachedModel;
use crate::{Error, Result, Spins};

/// Which units are updated when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Update {
    /// All at once, each in the field of the configuration before.
    Parallel,
    /// One after another, from the first to the last.
    Sequential,
    /// N times a unit drawn at random, with repetition: Glauber's dynamics in time 1.
    RandomSequential,
}

/// Glauber dynamics at an inverse temperature, infinity included.
///
/// ```math
/// P(s_i) = \frac{e^{\beta h_i s_i}}{2\cosh \beta h_i}
/// ```
///
/// At T = 0 a unit takes the sign of its field and keeps its value in a tie. For couplings that are symmetric with a diagonal that
/// is not negative, sequential dynamics at T = 0 ends in a fixed point and parallel dynamics in one or in a cycle of two. One unit after
/// another, the dynamics has the measure of Gibbs; in parallel it has another, whose energy is $`-\frac1\beta \sum_i \ln 2\cosh \beta h_i`$
/// (P. Peretto, Biol. Cybern. 50, 51 (1984)). For long runs with errors of means at finite temperature, use
/// [`mcmc::Chain`](crate::mcmc::Chain).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Glauber {
    update: Update,
    beta: f64,
}

/// How a recall ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Ending {
    /// No unit would change: a fixed point of the dynamics at T = 0.
    FixedPoint,
    /// Two configurations follow each other for ever, at T = 0 in parallel.
    Cycle,
    /// The sweeps were used up; at a finite temperature always.
    Unsettled,
}

/// Where a recall led.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Recall {
    /// The last configuration.
    pub spins: Spins,
    /// Sweeps done, one that found nothing to change included.
    pub sweeps: u64,
    /// Why it ended.
    pub ending: Ending,
}

impl Glauber {
    /// Dynamics at β, which may be infinite.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a β that is negative or NaN.
    pub fn new(update: Update, beta: f64) -> Result<Self> {
        if beta >= 0.0 {
            return Ok(Self { update, beta });
        }
        Err(Error::Parameter { what: "beta", value: beta.to_string(), expected: "a number >= 0 or infinity" })
    }

    /// Dynamics at T = 0: every unit takes the sign of its field.
    pub fn zero_temperature(update: Update) -> Self {
        Self { update, beta: f64::INFINITY }
    }

    /// Which units are updated when.
    pub fn update(&self) -> Update {
        self.update
    }

    /// The inverse temperature.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// Whether a unit of value `s` in the field `h` turns.
    #[inline]
    fn turns<R: Rng + ?Sized>(&self, s: i8, h: f64, rng: &mut R) -> bool {
        let along = f64::from(s) * h;
        if self.beta == f64::INFINITY {
            along < 0.0
        } else {
            uniform_open01(rng) < heat_bath_acceptance(2.0 * self.beta * along)
        }
    }

    fn visit<N: Network, R: Rng + ?Sized>(
        &self,
        network: &N,
        s: &mut [i8],
        cache: &mut N::Cache,
        i: usize,
        rng: &mut R,
    ) -> u64 {
        let turns = self.turns(s[i], network.local_field(cache, s, i), rng);
        if turns {
            network.turn(cache, s, i);
        }
        u64::from(turns)
    }

    /// One sweep; the number of units that turned. At T = 0 only a random order draws random numbers.
    ///
    /// # Panics
    /// If `s` has not as many entries as there are units.
    pub fn sweep<N: Network, R: Rng + ?Sized>(
        &self,
        network: &N,
        s: &mut [i8],
        cache: &mut N::Cache,
        rng: &mut R,
    ) -> u64 {
        let n = network.n_units();
        assert_eq!(s.len(), n, "{} spins for a network of {n}", s.len());
        match self.update {
            Update::Parallel => self.parallel(network, s, cache, rng),
            Update::Sequential => (0..n).map(|i| self.visit(network, s, cache, i, rng)).sum(),
            Update::RandomSequential => self.attempts(network, n as u64, s, cache, rng),
        }
    }

    /// Updates of `attempts` units drawn at random, attempts/N units of time; the number of units that turned.
    ///
    /// # Panics
    /// If there are no units.
    pub fn attempts<N: Network, R: Rng + ?Sized>(
        &self,
        network: &N,
        attempts: u64,
        s: &mut [i8],
        cache: &mut N::Cache,
        rng: &mut R,
    ) -> u64 {
        let n = network.n_units();
        assert!(n > 0, "updates of a network without units");
        (0..attempts)
            .map(|_| {
                let i = rng.random_range(0..n as u64) as usize;
                self.visit(network, s, cache, i, rng)
            })
            .sum()
    }

    fn parallel<N: Network, R: Rng + ?Sized>(
        &self,
        network: &N,
        s: &mut [i8],
        cache: &mut N::Cache,
        rng: &mut R,
    ) -> u64 {
        let mut fields = vec![0.0; s.len()];
        network.local_fields(cache, s, &mut fields);
        let mut turned = Vec::new();
        for (i, (&s, &h)) in s.iter().zip(&fields).enumerate() {
            if self.turns(s, h, rng) {
                turned.push(i);
            }
        }
        // A flip costs about as much in the cache as a new cache for 64 units, words of bits, or more.
        if turned.len() * 64 < s.len() {
            turned.iter().for_each(|&i| network.turn(cache, s, i));
        } else {
            turned.iter().for_each(|&i| s[i] = -s[i]);
            *cache = network.prepare(s);
        }
        turned.len() as u64
    }

    /// Calls `each(t, s, cache)` for t = 0 and after every sweep, until it breaks or `sweeps` are done; the sweeps done.
    ///
    /// # Panics
    /// If `s` has not as many entries as there are units.
    pub fn run<N: Network, R: Rng + ?Sized>(
        &self,
        network: &N,
        s: &mut [i8],
        sweeps: u64,
        rng: &mut R,
        mut each: impl FnMut(u64, &[i8], &N::Cache) -> ControlFlow<()>,
    ) -> u64 {
        let mut cache = network.prepare(s);
        let mut done = 0;
        while each(done, s, &cache).is_continue() && done < sweeps {
            self.sweep(network, s, &mut cache, rng);
            done += 1;
        }
        done
    }

    /// Runs from `start` until nothing changes any more or `max_sweeps` are done.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::hopfield::{Ending, Glauber, Hopfield, Patterns, Update};
    ///
    /// // Two spins that want to be equal, updated in parallel from (+, -): they exchange values for ever.
    /// let model = Hopfield::new(&Patterns::new(2, vec![1, 1])?)?;
    /// let rng = &mut Streams::new(0).stream(0);
    /// let parallel = Glauber::zero_temperature(Update::Parallel).recall(&model, &[1, -1], 10, rng);
    /// assert_eq!(parallel.ending, Ending::Cycle);
    /// let sequential = Glauber::zero_temperature(Update::Sequential).recall(&model, &[1, -1], 10, rng);
    /// assert_eq!((&*sequential.spins, sequential.ending), (&[-1, -1][..], Ending::FixedPoint));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `start` has not as many entries as there are units, or one that is not ±1.
    pub fn recall<N: Network, R: Rng + ?Sized>(
        &self,
        network: &N,
        start: &[i8],
        max_sweeps: u64,
        rng: &mut R,
    ) -> Recall {
        let mut s = Spins::from_signs(start).unwrap_or_else(|error| panic!("start of a recall: {error}"));
        let mut cache = network.prepare(&s);
        let cold = self.beta == f64::INFINITY;
        let (mut before, mut last) = (Spins::up(0), s.clone());
        let (mut sweeps, mut ending) = (0, Ending::Unsettled);
        while sweeps < max_sweeps && ending == Ending::Unsettled {
            let turned = self.sweep(network, &mut s, &mut cache, rng);
            sweeps += 1;
            if !cold {
                continue;
            }
            // Random visits may have missed the units that would turn.
            if turned == 0 && (self.update != Update::RandomSequential || settled(network, &s, &cache)) {
                ending = Ending::FixedPoint;
            } else if self.update == Update::Parallel && s == before {
                ending = Ending::Cycle;
            }
            before = std::mem::replace(&mut last, s.clone());
        }
        Recall { spins: s, sweeps, ending }
    }
}

/// Whether no unit is against its field.
fn settled<N: Network>(network: &N, s: &[i8], cache: &N::Cache) -> bool {
    let mut fields = vec![0.0; s.len()];
    network.local_fields(cache, s, &mut fields);
    s.iter().zip(&fields).all(|(&s, h)| f64::from(s) * h >= 0.0)
}

/// One moment of a run of the Hopfield model.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// Sweeps since the start.
    pub sweep: u64,
    /// The overlap m with the nominated pattern.
    pub overlap: f64,
    /// The noise r of the others, see [`Hopfield::crosstalk`].
    pub crosstalk: f64,
    /// The energy per spin.
    pub energy_per_spin: f64,
}

/// m(t), r(t) and the energy along a run, at t = 0 and after every sweep; the configuration is left in `s`.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::hopfield::{Glauber, Hopfield, Patterns, Update, overlap_trajectory};
///
/// let patterns = Patterns::new(4, vec![1, -1, -1, 1])?;
/// let model = Hopfield::new(&patterns)?;
/// let mut s = vec![1, -1, -1, -1];
/// let cold = Glauber::zero_temperature(Update::Sequential);
/// let run = overlap_trajectory(&model, &cold, 0, &mut s, 2, &mut Streams::new(0).stream(0))?;
/// let overlaps: Vec<f64> = run.iter().map(|at| at.overlap).collect();
/// assert_eq!(overlaps, [0.5, 1.0, 1.0]);
/// assert_eq!(run[2].energy_per_spin, -1.5 / 4.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] for a pattern that does not exist.
///
/// # Panics
/// If `s` has another number of spins.
pub fn overlap_trajectory<R: Rng + ?Sized>(
    model: &Hopfield,
    dynamics: &Glauber,
    pattern: usize,
    s: &mut [i8],
    sweeps: u64,
    rng: &mut R,
) -> Result<Vec<Snapshot>> {
    if pattern >= model.n_patterns() {
        let (what, value) = ("nominated pattern", pattern.to_string());
        return Err(Error::Parameter { what, value, expected: "the number of a pattern" });
    }
    let n = model.n_units() as f64;
    let mut snapshots = Vec::new();
    dynamics.run(model, s, sweeps, rng, |sweep, s, cache| {
        snapshots.push(Snapshot {
            sweep,
            overlap: f64::from(cache[pattern]) / n,
            crosstalk: model.crosstalk(cache, pattern),
            energy_per_spin: model.energy_cached(cache, s) / n,
        });
        ControlFlow::Continue(())
    });
    Ok(snapshots)
}
