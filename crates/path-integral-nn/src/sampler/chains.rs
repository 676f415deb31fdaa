//! Many chains on several threads.

use std::fmt;
use std::sync::Arc;

use linalg_core::Observer;
use linalg_core::checkpoint::{Checkpoint, Writer};
use linalg_core::rng::Streams;

use super::{Block, Method, Sampler, Target};
use crate::action::LANES;
use crate::error::{Error, Result, at_least_one};
use linalg_core::threads;

/// Name of the checkpoints of this layout.
const KIND: &str = "path-integral chains 1";

/// Steps between looks at the observer and adaptations.
const STRIDE: u64 = 32;

/// How many chains, from which seed, on how many threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ChainsParams {
    /// Number of chains, rounded up to a multiple of [`LANES`].
    pub chains: usize,
    /// The seed; chain `k` uses the fast stream `k`.
    pub seed: u64,
    /// Threads; results do not depend on it.
    pub threads: usize,
}

impl Default for ChainsParams {
    /// 32 chains, seed 1, one thread.
    fn default() -> Self {
        Self { chains: 2 * LANES, seed: 1, threads: 1 }
    }
}

impl ChainsParams {
    /// Another number of chains.
    #[must_use]
    pub fn chains(mut self, chains: usize) -> Self {
        self.chains = chains;
        self
    }

    /// Another seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Another number of threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Progress {
    /// Steps done in this call.
    pub done: u64,
    /// Steps planned in this call.
    pub total: u64,
    /// Accepted over proposed moves since the last reset.
    pub acceptance: f64,
}

/// Looks at the paths of one block of chains after each step.
pub trait Measurement: Send {
    /// Called after each step.
    fn measure(&mut self, block: &Block);
}

impl Measurement for () {
    fn measure(&mut self, _block: &Block) {}
}

/// Markov chains of paths in blocks of [`LANES`].
///
/// ```
/// use path_integral_nn::sampler::{Chains, ChainsParams, Method, Target};
/// use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
///
/// let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0])?)?;
/// let action = Action::new(&system, &Ensemble::periodic(4.0, 40)?, Rule::Trapezoid)?;
/// let target = Target::variational(&action)?;
/// let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default())?;
/// chains.thermalize(100, &mut ())?;
/// let mut sum = 0.0;
/// for _ in 0..200 {
///     chains.advance(1, &mut ())?;
///     sum += chains.blocks().map(|b| b.paths().iter().map(|x| x * x).sum::<f64>()).sum::<f64>();
/// }
/// let x2 = sum / (200.0 * 32.0 * 40.0);
/// assert!((x2 - 0.25664).abs() < 0.01); // the value of this lattice
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
pub struct Chains {
    blocks: Vec<(Block, Box<dyn Sampler>)>,
    name: String,
    factory: Factory,
    threads: usize,
    seed: u64,
    /// Step of each block since its start.
    steps: u64,
}

/// Makes the sampler of a block.
type Factory = Box<dyn Fn(&Target) -> Result<Box<dyn Sampler>> + Send + Sync>;

impl fmt::Debug for Chains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Chains");
        out.field("name", &self.name).field("seed", &self.seed).field("steps", &self.steps);
        out.field("n_chains", &self.n_chains()).finish_non_exhaustive()
    }
}

impl Chains {
    /// Starts chains from paths of the reference.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no chains, [`Error::PathNotFinite`], [`Error::NotApplicable`] from [`Method::sampler`].
    pub fn new(target: &Target, method: Method, params: ChainsParams) -> Result<Self> {
        Self::with_sampler(target, method.name(), params, move |target| method.sampler(target))
    }

    /// Starts chains with a sampler from elsewhere, made by `factory` for each block.
    ///
    /// The name stands for the sampler in checkpoints: two that differ in what they do should differ in name.
    ///
    /// ```
    /// use path_integral_nn::sampler::{Block, Chains, ChainsParams, LANES, Sampler, Target};
    /// use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
    ///
    /// /// Offers every path its mirror image.
    /// #[derive(Debug)]
    /// struct Mirror;
    ///
    /// impl Sampler for Mirror {
    ///     fn step(&mut self, block: &mut Block) {
    ///         let (mut before, mut after) = ([0.0; LANES], [0.0; LANES]);
    ///         block.action(&mut before);
    ///         let old = block.paths().to_vec();
    ///         block.paths_mut().iter_mut().for_each(|x| *x = -*x);
    ///         block.action(&mut after);
    ///         let difference = std::array::from_fn(|l| after[l] - before[l]); // over ħ = 1
    ///         block.accept(&difference, &old);
    ///     }
    /// }
    ///
    /// let system = System::new(Polynomial::oscillator(1.0, 1.0)?)?;
    /// let action = Action::new(&system, &Ensemble::periodic(2.0, 8)?, Rule::Trapezoid)?;
    /// let target = Target::variational(&action)?;
    /// let mut chains = Chains::with_sampler(&target, "mirror", ChainsParams::default(), |_| Ok(Box::new(Mirror)))?;
    /// let before = chains.blocks().next().map(|b| b.paths()[0]);
    /// chains.advance(1, &mut ())?;
    /// assert_eq!(chains.blocks().next().map(|b| -b.paths()[0]), before); // a symmetric well: always accepted
    /// # Ok::<(), path_integral_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new), and those of the factory.
    pub fn with_sampler<F>(target: &Target, name: &str, params: ChainsParams, factory: F) -> Result<Self>
    where
        F: Fn(&Target) -> Result<Box<dyn Sampler>> + Send + Sync + 'static,
    {
        at_least_one("number of chains", params.chains)?;
        let target = Arc::new(target.clone());
        let streams = Streams::new(params.seed);
        let block = |k: usize| Ok((Block::new(&target, streams, (k * LANES) as u64)?, factory(&target)?));
        let blocks = (0..params.chains.div_ceil(LANES)).map(block).collect::<Result<_>>()?;
        let (name, factory) = (name.to_owned(), Box::new(factory));
        Ok(Self { blocks, name, factory, threads: params.threads.max(1), seed: params.seed, steps: 0 })
    }

    /// Number of chains.
    pub fn n_chains(&self) -> usize {
        self.blocks.len() * LANES
    }

    /// The blocks of [`LANES`] chains.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().map(|(block, _)| block)
    }

    /// Name of the sampler.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Steps of every chain since the start, those of the thermalisation among them.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Accepted over proposed moves since the last thermalisation; NaN without any.
    pub fn acceptance(&self) -> f64 {
        let sum = |f: fn(&Block) -> u64| self.blocks().map(f).sum::<u64>() as f64;
        sum(|b| b.accepted) / sum(|b| b.proposed)
    }

    /// Forces and potentials of whole paths since the last thermalisation, summed over chains.
    pub fn force_evaluations(&self) -> f64 {
        self.blocks().map(|b| b.evaluations * LANES as f64).sum()
    }

    /// Steps while step sizes adapt; counters are reset at the end.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the observer asks for it.
    pub fn thermalize(&mut self, steps: u64, observer: &mut dyn Observer<Progress>) -> Result<()> {
        let result = self.drive(steps, true, &mut [], observer);
        for (block, _) in &mut self.blocks {
            (block.proposed, block.accepted, block.evaluations) = (0, 0, 0.0);
        }
        result
    }

    /// Steps.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the observer asks for it; the chains are then after a whole number of steps.
    pub fn advance(&mut self, steps: u64, observer: &mut dyn Observer<Progress>) -> Result<()> {
        self.drive(steps, false, &mut [], observer)
    }

    /// Steps with a measurement after each, one measurement for each block.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    ///
    /// # Panics
    /// When there are not as many measurements as blocks.
    pub fn run<M: Measurement>(
        &mut self,
        steps: u64,
        measurements: &mut [M],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<()> {
        let (got, expected) = (measurements.len(), self.blocks.len());
        assert!(got == expected, "{got} measurements for {expected} blocks");
        let mut list: Vec<&mut dyn Measurement> = measurements.iter_mut().map(|m| m as &mut dyn Measurement).collect();
        self.drive(steps, false, &mut list, observer)
    }

    fn drive(
        &mut self,
        steps: u64,
        adapt: bool,
        measurements: &mut [&mut dyn Measurement],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<()> {
        let mut done = 0;
        while done < steps {
            let now = STRIDE.min(steps - done);
            let mut looks = measurements.iter_mut().map(Some).chain(std::iter::repeat_with(|| None));
            let mut items: Vec<_> = self.blocks.iter_mut().map(|block| (block, looks.next().flatten())).collect();
            threads::for_each(self.threads, &mut items, |((block, sampler), look)| {
                let (proposed, accepted) = (block.proposed, block.accepted);
                for _ in 0..now {
                    sampler.step(block);
                    if let Some(look) = look {
                        look.measure(block);
                    }
                }
                if adapt && block.proposed > proposed {
                    sampler.adapt((block.accepted - accepted) as f64 / (block.proposed - proposed) as f64);
                }
            });
            done += now;
            self.steps += now;
            let event = Progress { done, total: steps, acceptance: self.acceptance() };
            if observer.observe(&event).is_break() && done < steps {
                return Err(Error::Stopped { done, total: steps });
            }
        }
        Ok(())
    }

    fn problem(&self) -> u64 {
        let target = self.blocks[0].0.target().hash();
        let mut hash = linalg_core::checkpoint::ContentHash::new();
        hash.write_u64(target).write_str(&self.name).write_u64(self.seed).write_usizes(&[self.blocks.len()]);
        hash.finish()
    }

    /// Everything needed to go on: a restored run gives the same bits.
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_u64(self.steps);
        for (block, sampler) in &self.blocks {
            block.write(&mut out);
            sampler.write(&mut out);
        }
        Checkpoint::new(KIND, self.problem(), out)
    }

    /// Goes on from a checkpoint of the same problem, sampler by name, seed and number of chains.
    ///
    /// # Errors
    /// [`Error::Checkpoint`]; the chains are then as they were.
    pub fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let mut reader = from.open(KIND, self.problem())?;
        let steps = reader.read_count()?;
        let target = self.blocks[0].0.shared_target();
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for (block, _) in &self.blocks {
            let (mut block, mut sampler) = (block.clone(), (self.factory)(&target)?);
            block.read(&mut reader)?;
            sampler.read(&mut reader)?;
            blocks.push((block, sampler));
        }
        reader.finish()?;
        (self.blocks, self.steps) = (blocks, steps);
        Ok(())
    }
}
