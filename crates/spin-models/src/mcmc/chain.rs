//! One Markov chain of one model at one temperature.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
use linalg_core::rng::{Streams, Xoshiro256PlusPlus};
use linalg_core::{Error as CoreError, Observer};

use super::Observables;
use crate::error::check_beta;
use crate::model::{CachedModel, MarkovKernel, Progress, Simulation, SweepStats};
use crate::{Error, Result, Spins};

/// Sweeps after which the cache is computed afresh, so that rounding cannot build up.
const REFRESH: u64 = 1000;

const KIND: &str = "chain 1";

/// One Markov chain: a model, a kernel, a temperature, and the configuration with its cache and generator.
///
/// The cache is recomputed every 1000 sweeps. A checkpoint holds the state at that moment and the number of sweeps
/// since; [`restore`](Simulation::restore) repeats them, which reproduces every rounded bit of the cache for any model
/// and, since the result is compared with the configuration that was saved, notices another kernel if there were sweeps
/// since. Kernels whose sweeps depend on a state of their own are beyond it.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Chain, HeatBath, Observables};
/// use spin_models::{Ising, Simulation};
///
/// // A ring of 16 spins: e = -tanh β · (1 + t^14) / (1 + t^16) with t = tanh β.
/// let ring = Ising::builder(16).couplings((0..16).map(|i| (i, (i + 1) % 16, 1.0))).build()?;
/// let mut chain = Chain::new(&ring, HeatBath::default(), 0.5, Streams::new(1), 0)?;
/// let mut averages = Observables::new(16, 1);
/// chain.advance(100, &mut ());
/// chain.run(20_000, 1, &mut averages, &mut ());
///
/// let t = 0.5f64.tanh();
/// let exact = -t * (1.0 + t.powi(14)) / (1.0 + t.powi(16));
/// let e = averages.energy_per_spin();
/// assert!((e.value - exact).abs() < 4.0 * e.std_error.unwrap());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chain<M: CachedModel, K> {
    model: M,
    kernel: K,
    beta: f64,
    spins: Spins,
    cache: M::Cache,
    rng: Xoshiro256PlusPlus,
    sweeps: u64,
    /// Configuration and generator when the cache was last computed from scratch, and the sweeps done by then.
    fresh: (Spins, Xoshiro256PlusPlus, u64),
}

impl<M: CachedModel, K> Chain<M, K> {
    /// A chain that starts from random spins and draws from the fast stream `unit`.
    ///
    /// # Errors
    /// [`Error::Beta`] unless `beta` is finite and not negative.
    pub fn new(model: M, kernel: K, beta: f64, streams: Streams, unit: u64) -> Result<Self> {
        check_beta(beta)?;
        let mut rng = streams.fast_stream(unit);
        let spins = Spins::random(model.n_spins(), &mut rng);
        let cache = model.cache(&spins);
        let fresh = (spins.clone(), rng.clone(), 0);
        Ok(Self { model, kernel, beta, spins, cache, rng, sweeps: 0, fresh })
    }

    /// The same chain from these spins.
    ///
    /// # Errors
    /// [`Error::WrongLength`].
    pub fn with_spins(mut self, spins: Spins) -> Result<Self> {
        let expected = self.model.n_spins();
        if spins.len() != expected {
            return Err(Error::WrongLength { what: "spins", got: spins.len(), expected });
        }
        self.spins = spins;
        self.refresh();
        Ok(self)
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The configuration.
    pub fn spins(&self) -> &Spins {
        &self.spins
    }

    /// The energy of the configuration.
    pub fn energy(&self) -> f64 {
        self.model.energy_cached(&self.cache, &self.spins)
    }

    /// Goes to another temperature; the configuration stays.
    ///
    /// # Errors
    /// [`Error::Beta`] unless `beta` is finite and not negative.
    pub fn set_beta(&mut self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.beta = beta;
        // The sweeps before this one were made at another temperature and cannot be repeated.
        self.refresh();
        Ok(())
    }

    fn refresh(&mut self) {
        self.model.refresh(&mut self.cache, &self.spins);
        self.fresh = (self.spins.clone(), self.rng.clone(), self.sweeps);
    }

    /// One sweep without a report.
    pub(super) fn sweep(&mut self) -> SweepStats
    where
        K: MarkovKernel<M>,
    {
        if self.sweeps - self.fresh.2 >= REFRESH {
            self.refresh();
        }
        self.sweeps += 1;
        self.kernel.sweep(&self.model, self.beta, &mut self.spins, &mut self.cache, &mut self.rng)
    }
}

impl<M: CachedModel, K: MarkovKernel<M>> Chain<M, K> {
    /// One sweep at a temperature of its own, which becomes that of the chain; it cannot be repeated from a checkpoint
    /// taken before the next refresh, so this stays inside.
    pub(super) fn sweep_at(&mut self, beta: f64) {
        self.beta = beta;
        self.sweep();
    }
}

impl<M: CachedModel, K: MarkovKernel<M> + Clone> Chain<M, K> {
    /// Reads a checkpoint and repeats the sweeps since its last refresh.
    fn restored(&self, from: &Checkpoint) -> std::result::Result<RestoredState<M, K>, CheckpointError> {
        let n = self.model.n_spins();
        let mut reader = from.open(KIND, self.model.content_hash())?;
        let at = reader.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        let beta = reader.read_f64()?;
        check_beta(beta).map_err(|_| invalid("beta"))?;
        let mut read_spins = || {
            let mut signs = vec![0; n];
            reader.read_i8s_into(&mut signs)?;
            Spins::from_signs(&signs).map_err(|_| invalid("spin"))
        };
        let (mut spins, saved_spins) = (read_spins()?, read_spins()?);
        let (mut rng, saved_rng) = (reader.read_xoshiro()?, reader.read_xoshiro()?);
        let (fresh_sweeps, sweeps) = (reader.read_count()?, reader.read_count()?);
        reader.finish()?;
        if !(fresh_sweeps..=fresh_sweeps + REFRESH).contains(&sweeps) {
            return Err(invalid("number of sweeps"));
        }
        let fresh = (spins.clone(), rng.clone(), fresh_sweeps);
        let mut kernel = self.kernel.clone();
        let mut cache = self.model.cache(&spins);
        for _ in fresh_sweeps..sweeps {
            kernel.sweep(&self.model, beta, &mut spins, &mut cache, &mut rng);
        }
        if spins != saved_spins || rng != saved_rng {
            return Err(invalid("configuration: repeating the last sweeps with this kernel gives another"));
        }
        Ok(RestoredState { beta, kernel, spins, cache, rng, sweeps, fresh })
    }
}

struct RestoredState<M: CachedModel, K> {
    beta: f64,
    kernel: K,
    spins: Spins,
    cache: M::Cache,
    rng: Xoshiro256PlusPlus,
    sweeps: u64,
    fresh: (Spins, Xoshiro256PlusPlus, u64),
}

impl<M: CachedModel, K: MarkovKernel<M> + Clone> Simulation for Chain<M, K> {
    fn n_spins(&self) -> usize {
        self.model.n_spins()
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
        self.spins.clone()
    }

    fn advance(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> SweepStats {
        let mut stats = SweepStats::default();
        for done in 1..=sweeps {
            stats += self.sweep();
            if observer.observe(&Progress::new("sweeping", done, sweeps)).is_break() {
                break;
            }
        }
        stats
    }

    fn measure(&mut self, into: &mut Observables) {
        assert_eq!(into.n_lanes(), 1, "observables of {} lanes for a single chain", into.n_lanes());
        into.record(0, self.energy(), &self.spins);
    }

    fn checkpoint(&self) -> Checkpoint {
        let (fresh_spins, fresh_rng, fresh_sweeps) = &self.fresh;
        let mut state = Writer::new();
        state.write_f64(self.beta).write_i8s(fresh_spins).write_i8s(&self.spins);
        state.write_xoshiro(fresh_rng).write_xoshiro(&self.rng);
        state.write_u64(*fresh_sweeps).write_u64(self.sweeps);
        Checkpoint::new(KIND, self.model.content_hash(), state)
    }

    /// Repeats up to 1000 sweeps.
    fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let state = self.restored(from).map_err(CoreError::from)?;
        let RestoredState { beta, kernel, spins, cache, rng, sweeps, fresh } = state;
        (self.beta, self.kernel, self.spins, self.cache) = (beta, kernel, spins, cache);
        (self.rng, self.sweeps, self.fresh) = (rng, sweeps, fresh);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcmc::{HeatBath, Metropolis, Order};
    use crate::{EnergyModel, Ising, SherringtonKirkpatrick, Uncached};

    /// Couplings that are not exactly representable sums, so that the cache does gather rounding.
    fn glass(seed: u64) -> SherringtonKirkpatrick {
        SherringtonKirkpatrick::gaussian(20, &mut Streams::new(seed).stream(0)).unwrap()
    }

    #[test]
    fn a_restored_chain_goes_on_bit_for_bit() {
        let model = glass(1);
        for (sweeps, order) in [(0, Order::Sequential), (1000, Order::Sequential), (2718, Order::Random)] {
            let kernel = Metropolis::new(order);
            let mut chain = Chain::new(&model, kernel.clone(), 1.3, Streams::new(5), 3).unwrap();
            chain.advance(sweeps, &mut ());
            let saved = Checkpoint::from_bytes(&chain.checkpoint().to_bytes()).unwrap();
            let mut other = Chain::new(&model, kernel, 0.1, Streams::new(9), 0).unwrap();
            other.restore(&saved).unwrap();
            assert_eq!(other.checkpoint(), saved);
            let (mut a, mut b) = (Observables::new(20, 1), Observables::new(20, 1));
            chain.run(1500, 1, &mut a, &mut ());
            other.run(1500, 1, &mut b, &mut ());
            assert_eq!(a, b);
            // The caches too, bit for bit.
            assert_eq!(chain.cache, other.cache);
            assert_eq!(chain.checkpoint(), other.checkpoint());
        }
    }

    #[test]
    fn what_does_not_belong_is_refused() {
        let (model, other_model) = (glass(1), glass(2));
        let chain = |model, kernel| Chain::new(model, kernel, 1.0, Streams::new(5), 0).unwrap();
        let mut metropolis = chain(&model, Metropolis::default());
        metropolis.advance(10, &mut ());
        let saved = metropolis.checkpoint();
        let error = chain(&other_model, Metropolis::default()).restore(&saved).unwrap_err();
        assert!(matches!(error, Error::Numerics(CoreError::Checkpoint(CheckpointError::Problem { .. }))));
        let mut heat_bath = Chain::new(&model, HeatBath::default(), 1.0, Streams::new(5), 0).unwrap();
        let before = heat_bath.checkpoint();
        let error = heat_bath.restore(&saved).unwrap_err().to_string();
        assert!(error.contains("this kernel gives another"), "{error}");
        assert_eq!(heat_bath.checkpoint(), before);
        for end in 0..saved.payload.len() {
            let cut = Checkpoint { payload: saved.payload[..end].to_vec(), ..saved.clone() };
            assert!(metropolis.restore(&cut).is_err());
        }
        let other_kind = Checkpoint { kind: "replicas 1".into(), ..saved };
        assert!(metropolis.restore(&other_kind).is_err());
    }

    #[test]
    fn observer_stops_at_a_whole_sweep() {
        let model = glass(3);
        let mut chain = Chain::new(&model, HeatBath::default(), 1.0, Streams::new(5), 0).unwrap();
        let mut stop_at_seven = |progress: &Progress| {
            if progress.done == 7 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        };
        assert_eq!(chain.advance(100, &mut stop_at_seven).attempted, 7 * 20);
        assert_eq!(chain.sweeps(), 7);
    }

    #[test]
    fn bad_temperatures_and_spins_are_refused() {
        let model = glass(3);
        for beta in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(matches!(
                Chain::new(&model, HeatBath::default(), beta, Streams::new(5), 0),
                Err(Error::Beta { .. })
            ));
        }
        let chain = Chain::new(&model, HeatBath::default(), 1.0, Streams::new(5), 0).unwrap();
        assert!(matches!(chain.with_spins(Spins::up(3)), Err(Error::WrongLength { got: 3, expected: 20, .. })));
    }

    #[test]
    fn temperatures_at_both_ends() {
        let model = glass(4);
        let mut chain = Chain::new(&model, Metropolis::default(), 0.0, Streams::new(5), 0).unwrap();
        let stats = chain.advance(2000, &mut ());
        assert!((stats.acceptance() - 0.5).abs() < 4.0 / (4.0 * 40_000f64).sqrt());
        chain.set_beta(1e308).unwrap();
        chain.advance(200, &mut ());
        assert!((0..20).all(|i| model.delta_energy(chain.spins(), i) >= 0.0));
    }

    #[test]
    fn a_model_without_cache_or_with_nan_runs() {
        struct Broken;
        impl EnergyModel for Broken {
            fn n_spins(&self) -> usize {
                3
            }
            fn energy(&self, _s: &[i8]) -> f64 {
                f64::NAN
            }
            fn delta_energy(&self, _s: &[i8], _i: usize) -> f64 {
                f64::NAN
            }
        }
        for kernel in [Metropolis::default(), Metropolis::new(Order::Random)] {
            let mut chain = Chain::new(Uncached(&Broken), kernel, 1.0, Streams::new(5), 0).unwrap();
            assert_eq!(chain.advance(10, &mut ()).flipped, 0);
        }
        let mut chain = Chain::new(Uncached(&Broken), HeatBath::default(), 1.0, Streams::new(5), 0).unwrap();
        assert_eq!(chain.advance(10, &mut ()).flipped, 0);
        let plain = Ising::builder(1).build().unwrap();
        let mut chain = Chain::new(Uncached(&plain), HeatBath::default(), 1.0, Streams::new(5), 0).unwrap();
        assert!(chain.advance(100, &mut ()).flipped > 20);
    }
}
