//! Stochastic gradient ascent of the likelihood of a binary machine.

use linalg_core::Observer;
use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::rng::{ChaCha8Rng, uniform_open01};

use super::RowWeights;
use super::batches::Batches;
use super::gradient::{Model, PanelState, Step, Update, adam};
use super::params::{Method, Stepper, TrainingParams};
use crate::deep::Rates;
use crate::fast::mean_field::{Point, Solve};
use crate::fast::shard::{Leave, Shard, sample_hidden, sample_visible};
use crate::fast::{BitRows, PackedRbm, Panel, Row, SHARD, WIDTH, valid};
use crate::{Error, Result};
use linalg_core::simd::{Work, widest};
use linalg_core::threads;

/// Updates between two looks at all parameters.
const CHECK_EVERY: u64 = 256;

/// Streams of the trainer; the shards of the chains follow after the last.
const EXCHANGES: u64 = 0;
const ORDER: u64 = 1;
const CHAINS: u64 = 2;
const SHARDS: u64 = 16;

/// What an observer of a training run hears, once an epoch and at the end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrainingProgress<'a> {
    /// Updates done.
    pub updates: u64,
    /// Updates of the whole run.
    pub total: u64,
    /// Epochs completed.
    pub epoch: u64,
    /// Learning rate of the last update.
    pub learning_rate: f64,
    /// Norm of the gradient of the weights in the last update.
    pub gradient_norm: f64,
    /// Accepted part of the exchanges of temperatures since the last report, where there are any.
    pub exchange_rate: Option<f64>,
    /// The machine as it is.
    pub machine: &'a PackedRbm,
}

/// Trains a machine with 0/1 units on rows of bits.
///
/// An update costs the rows of the weights that belong to ones: of the data (once), of the chains (twice a sweep), and of
/// both for the gradient. The result is the same for any number of threads, and a run restored from a
/// [`checkpoint`](Self::checkpoint) goes on bit by bit.
///
/// ```
/// use boltzmann::train::{Trainer, TrainingParams};
/// use boltzmann::{BitRows, PackedRbm, partition::exact_ln_z};
/// use linalg_core::Streams;
///
/// // Two units that are always equal.
/// let data = BitRows::from_bytes(&[0, 0, 1, 1].repeat(64), 2)?;
/// let start = PackedRbm::for_data(&data, 2, 0.1, &mut Streams::new(0).stream(0))?;
/// let params = TrainingParams::default().epochs(2000).learning_rate(0.2);
/// let mut trainer = Trainer::new(&data, start, params)?;
/// trainer.run(&mut ())?;
/// let machine = trainer.machine().to_rbm()?;
/// let likelihood = -machine.free_energy(&[1.0, 1.0], 1.0) - exact_ln_z(&machine, 1.0)?;
/// assert!((likelihood - 0.5f64.ln()).abs() < 0.15);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trainer<'a> {
    data: &'a BitRows,
    params: TrainingParams,
    machine: PackedRbm,
    /// The machine with fast weights added.
    sampler: Option<PackedRbm>,
    states: Vec<PanelState>,
    visible_velocity: Vec<f32>,
    visible_square: Vec<f32>,
    visible_fast: Vec<f32>,
    /// Offsets of the visible units.
    offsets: Vec<f32>,
    /// Shards of the batch.
    batch: Vec<Shard>,
    /// Shards of the chains, those of the lowest β or of the earliest machine first.
    chains: Vec<Shard>,
    /// Earlier states of the machine, whose chains come before its own.
    ladder: Vec<PackedRbm>,
    /// Accepted and tried exchanges with the last of them, since it was last decided about a new one.
    recent: [u64; 2],
    /// Stationary points in place of chains.
    points: Vec<Point>,
    exchanges: ChaCha8Rng,
    exchanged: [u64; 2],
    batches: Batches,
    /// The last machine known to be finite, with its update.
    good: (u64, PackedRbm),
}

impl<'a> Trainer<'a> {
    /// A run that starts from `machine`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a parameter outside its range, [`Error::WrongLength`] if the data have other columns than the
    /// machine has visible units.
    pub fn new(data: &'a BitRows, machine: PackedRbm, params: TrainingParams) -> Result<Self> {
        crate::error::check_length("columns of the data", data.n_columns(), machine.n_visible())?;
        params.validate()?;
        let streams = Streams::new(params.seed);
        let batches = Batches::new(data.n_rows(), params.batch, params.epochs, streams.child(ORDER))?;
        let nv = machine.n_visible();
        let height = nv.div_ceil(WIDTH) * WIDTH;
        let fast = matches!(params.method, Method::FastPersistent { .. });
        let rows = |used: bool| if used { vec![Row::ZERO; height] } else { Vec::new() };
        let state = PanelState {
            velocity: rows(params.momentum > 0.0 || params.stepper == Stepper::Adam),
            bias_velocity: Row::ZERO,
            square: rows(params.stepper == Stepper::Adam),
            bias_square: Row::ZERO,
            offsets: Row::ZERO,
            fast: rows(fast),
            fast_bias: Row::ZERO,
            corrections: vec![0.0; nv],
            squares: 0.0,
        };
        let shards = |n: usize, first: u64| -> Vec<Shard> {
            let shard =
                |k: usize| Shard::new(&machine, SHARD.min(n - k * SHARD), &mut streams.stream(first + k as u64));
            (0..n.div_ceil(SHARD)).map(shard).collect()
        };
        let batch = shards(params.batch, SHARDS);
        let mut chains = Vec::new();
        let contrastive = matches!(params.method, Method::ContrastiveDivergence { .. });
        // Trajectory tempering begins with the first machine and, once more, with the one that learns.
        let trajectory = matches!(params.method, Method::TrajectoryTempering { .. });
        let betas = match params.method {
            Method::MeanField { .. } => Vec::new(),
            _ if trajectory => vec![1.0; 2],
            _ => params.betas(),
        };
        for beta in betas {
            let first = chains.len();
            let from = SHARDS + batch.len() as u64 + first as u64;
            chains.extend(shards(if contrastive { params.batch } else { params.chains }, from));
            chains[first..].iter_mut().for_each(|shard| shard.beta = beta as f32);
        }
        // Chains start at rows of the data, hidden units from them.
        let mut rng = streams.stream(CHAINS);
        for shard in &mut chains {
            for c in 0..shard.n {
                let row = rng.random_range(0..data.n_rows() as u64) as usize;
                shard.set_visible(c, data.row(row));
            }
        }
        widest(Start { machine: &machine, shards: &mut chains });
        let n_points = if let Method::MeanField { points, .. } = params.method { points } else { 0 };
        let points = (0..n_points)
            .map(|_| {
                let row = data.row(rng.random_range(0..data.n_rows() as u64) as usize);
                Point::at_row(&machine, row)
            })
            .collect();
        let n_panels = machine.panels.len();
        // 0 where there is no unit: nothing may move there.
        let units = |p: usize| if params.centred { valid(machine.n_hidden(), p) } else { 0 };
        let half = |p: usize| Row(std::array::from_fn(|k| if units(p) >> k & 1 == 1 { 0.5 } else { 0.0 }));
        Ok(Self {
            offsets: data.means().into_iter().map(|x| if params.centred { x as f32 } else { 0.0 }).collect(),
            data,
            sampler: fast.then(|| machine.clone()),
            states: (0..n_panels).map(|p| PanelState { offsets: half(p), ..state.clone() }).collect(),
            visible_velocity: vec![0.0; nv],
            visible_square: vec![0.0; nv],
            visible_fast: vec![0.0; nv],
            batch,
            chains,
            ladder: if trajectory { vec![machine.clone()] } else { Vec::new() },
            recent: [0; 2],
            points,
            exchanges: streams.stream(EXCHANGES),
            exchanged: [0; 2],
            batches,
            good: (0, machine.clone()),
            machine,
            params,
        })
    }

    /// The same run on rows that count as much as their weights say. The weights belong to the run: a checkpoint of other ones is
    /// refused.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there is a weight for each row.
    pub fn with_row_weights(mut self, weights: RowWeights) -> Result<Self> {
        self.batches.set_weights(weights)?;
        Ok(self)
    }

    /// The machine as it is.
    pub fn machine(&self) -> &PackedRbm {
        &self.machine
    }

    /// The machine, at the end.
    pub fn into_machine(self) -> PackedRbm {
        self.machine
    }

    /// Updates done.
    pub fn updates(&self) -> u64 {
        self.batches.updates()
    }

    /// Updates of the whole run.
    pub fn total_updates(&self) -> u64 {
        self.batches.total()
    }

    /// Updates of an epoch.
    pub fn updates_per_epoch(&self) -> u64 {
        self.batches.per_epoch()
    }

    /// The learning rate of the next update.
    pub fn learning_rate(&self) -> f64 {
        self.params.learning_rate * self.params.schedule.factor(self.batches.done())
    }

    /// Runs to the end, or until the observer stops it; the observer hears of every epoch.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a parameter becomes NaN or infinite: the machine is then the last one that was checked.
    pub fn run(&mut self, observer: &mut dyn for<'m> Observer<TrainingProgress<'m>>) -> Result<()> {
        while self.updates() < self.total_updates() {
            self.epoch()?;
            let stop = observer.observe(&self.progress()).is_break();
            self.exchanged = [0; 2];
            if stop {
                break;
            }
        }
        Ok(())
    }

    fn progress(&self) -> TrainingProgress<'_> {
        let [accepted, tried] = self.exchanged;
        TrainingProgress {
            updates: self.updates(),
            total: self.total_updates(),
            epoch: self.batches.epoch(),
            learning_rate: self.params.learning_rate * self.params.schedule.factor(self.batches.done_before()),
            gradient_norm: self.states.iter().map(|state| state.squares).sum::<f64>().sqrt(),
            exchange_rate: (tried > 0).then(|| accepted as f64 / tried as f64),
            machine: &self.machine,
        }
    }

    /// Updates up to the end of the present epoch.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn epoch(&mut self) -> Result<()> {
        self.advance(self.batches.left_of_epoch())
    }

    /// Makes so many updates, whatever the end of the run; after it the learning rate stays what it is at the end.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn advance(&mut self, updates: u64) -> Result<()> {
        for k in 0..updates {
            self.update();
            // NaN shows in the next gradient; an infinite parameter may not.
            let suspect = self.states.iter().any(|state| !state.squares.is_finite());
            if suspect || self.updates().is_multiple_of(CHECK_EVERY) || k + 1 == updates {
                self.check()?;
            }
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        match self.machine.not_finite() {
            None => {
                self.good.0 = self.updates();
                self.good.1.clone_from(&self.machine);
                Ok(())
            }
            Some(what) => {
                self.machine.clone_from(&self.good.1);
                Err(Error::Diverged { update: self.updates(), what, kept: self.good.0 })
            }
        }
    }

    /// The rows of the batch of this update: every epoch has its own order, from the stream of its number.
    fn load_batch(&mut self) {
        let rows = self.batches.present();
        for (shard, rows) in self.batch.iter_mut().zip(rows.chunks(SHARD)) {
            rows.iter().enumerate().for_each(|(c, &row)| shard.set_visible(c, self.data.row(row as usize)));
        }
    }

    /// Temperatures or machines with chains of their own.
    fn rungs(&self) -> usize {
        if self.ladder.is_empty() { self.params.betas().len() } else { self.ladder.len() + 1 }
    }

    /// The states of the machine on the ladder of trajectory tempering, the earliest first; empty for other methods.
    pub fn ladder(&self) -> &[PackedRbm] {
        &self.ladder
    }

    /// Where the chains begin that the gradient is made of: those at β = 1 of the machine that learns.
    fn first_learning(&self) -> usize {
        self.chains.len() / self.rungs() * (self.rungs() - 1)
    }

    fn update(&mut self) {
        self.load_batch();
        let threads = threads::count(self.params.threads);
        let rate = self.learning_rate() as f32;
        let first_learning = self.first_learning();
        let tempered = first_learning > 0;
        let per_rung = (self.chains.len() / self.rungs()).max(1);
        let samplers: Vec<&PackedRbm> =
            self.ladder.iter().chain([self.sampler.as_ref().unwrap_or(&self.machine)]).collect();
        let phase = Phase {
            machine: &self.machine,
            samplers: &samplers,
            sweeps: self.params.sweeps(),
            contrastive: matches!(self.params.method, Method::ContrastiveDivergence { .. }),
            leave: if tempered { Leave::Energy } else { Leave::Sample },
        };
        let mut batch = self.batch.iter_mut();
        let chains = self.chains.iter_mut().enumerate();
        let mut items: Vec<Item<'_>> = chains
            .map(|(k, chain)| {
                let sampler = if samplers.len() > 1 { k / per_rung } else { 0 };
                Item { data: batch.next(), chain: Some((chain, k >= first_learning)), sampler }
            })
            .collect();
        items.extend(batch.map(|data| Item { data: Some(data), chain: None, sampler: 0 }));
        threads::for_pieces(threads, &mut items, |_, items| widest(PhaseWork { phase, items }));
        if let Method::MeanField { order, iterations, .. } = self.params.method {
            let machine = &self.machine;
            threads::for_pieces(threads, &mut self.points, |_, points| {
                points.iter_mut().for_each(|point| widest(Solve { machine, order, iterations, point }));
            });
        }
        if let Method::TrajectoryTempering { rate, .. } = self.params.method {
            self.exchange_along_trajectory(rate, threads);
        } else if tempered {
            self.exchange();
        }
        self.step(rate, threads);
        self.batches.advance();
    }

    /// One round of exchanges between neighbouring temperatures, even pairs and odd pairs in turn.
    fn exchange(&mut self) {
        let betas = self.params.betas();
        let n = self.chains.len() / betas.len();
        for r in ((self.updates() % 2) as usize..betas.len() - 1).step_by(2) {
            let (low, high) = self.chains.split_at_mut((r + 1) * n);
            for (low, high) in low[r * n..].iter_mut().zip(high) {
                for c in 0..low.n {
                    // ln_weight is -E: the ratio of the joint laws before and after.
                    let ln_ratio = (betas[r + 1] - betas[r]) * (low.ln_weight[c] - high.ln_weight[c]);
                    self.exchanged[1] += 1;
                    if uniform_open01(&mut self.exchanges).ln() < ln_ratio {
                        low.exchange(high, c);
                        self.exchanged[0] += 1;
                    }
                }
            }
        }
    }

    /// The gradient from the means of both phases, and the step along it.
    fn step(&mut self, rate: f32, threads: usize) {
        let nv = self.machine.n_visible();
        let data = &self.batch[..];
        let model = match self.params.method {
            Method::MeanField { order, .. } => Model::Points(order, &self.points),
            _ => Model::Chains(&self.chains[self.first_learning()..]),
        };
        let weights = [Model::Chains(data), model].map(|phase| 1.0 / phase.len() as f32);
        let means: Vec<f32> = (0..nv).map(|i| weights[0] * Model::Chains(data).visible(i)).collect();
        let visible: Vec<f32> = means.iter().enumerate().map(|(i, m)| m - weights[1] * model.visible(i)).collect();
        let params = &self.params;
        if params.centred {
            for (offset, mean) in self.offsets.iter_mut().zip(&means) {
                *offset += params.offset_rate as f32 * (mean - *offset);
            }
        }
        let step = Step {
            rate,
            momentum: params.momentum as f32,
            adam: (params.stepper == Stepper::Adam).then(|| Rates::of_update(self.updates(), f64::from(rate), 0.0)),
            l2: params.l2 as f32,
            l1: params.l1 as f32,
            centred: params.centred,
            offset_rate: params.offset_rate as f32,
            sparsity: params.sparsity.map(|(target, strength)| (target as f32, strength as f32)),
            fast: match params.method {
                Method::FastPersistent { decay, rate, .. } => Some((rate as f32, decay as f32)),
                _ => None,
            },
            offsets: &self.offsets,
            visible: &visible,
            weights,
        };
        let mut samplers = self.sampler.iter_mut().flat_map(|sampler| &mut sampler.panels);
        let mut panels: Vec<(&mut Panel, Option<&mut Panel>, &mut PanelState)> = (self.machine.panels.iter_mut())
            .zip(&mut self.states)
            .map(|(panel, state)| (panel, samplers.next(), state))
            .collect();
        threads::for_pieces(threads, &mut panels, |first, panels| {
            for (k, (panel, sampler, state)) in panels.iter_mut().enumerate() {
                let sampler = sampler.as_deref_mut();
                widest(Update { p: first + k, panel, sampler, state, data, model, step });
            }
        });
        drop(panels);
        for (i, gradient) in visible.iter().enumerate() {
            let mut gradient = *gradient;
            if step.centred {
                gradient -= self.states.iter().map(|state| state.corrections[i]).sum::<f32>();
            }
            let velocity = &mut self.visible_velocity[i];
            let bias = &mut self.machine.visible_bias[i / WIDTH].0[i % WIDTH];
            if let Some(rates) = step.adam {
                *bias += adam(gradient, velocity, &mut self.visible_square[i], rates);
            } else {
                *velocity = step.momentum * *velocity + rate * gradient;
                *bias += *velocity;
            }
            if let (Some(sampler), Some((rate, decay))) = (&mut self.sampler, step.fast) {
                self.visible_fast[i] = decay * self.visible_fast[i] + rate * gradient;
                sampler.visible_bias[i / WIDTH].0[i % WIDTH] = *bias + self.visible_fast[i];
            }
        }
    }
}

/// First hidden states of the chains.
struct Start<'a> {
    machine: &'a PackedRbm,
    shards: &'a mut [Shard],
}

impl Work for Start<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut shards: Vec<&mut Shard> = self.shards.iter_mut().collect();
        sample_hidden(self.machine, &mut shards, Leave::Sample);
    }
}

/// A shard of the batch and a shard of the chains, with whether it counts in the gradient.
struct Item<'a> {
    data: Option<&'a mut Shard>,
    chain: Option<(&'a mut Shard, bool)>,
    /// Number of the machine that moves the chain.
    sampler: usize,
}

#[derive(Clone, Copy)]
struct Phase<'a> {
    machine: &'a PackedRbm,
    samplers: &'a [&'a PackedRbm],
    sweeps: usize,
    contrastive: bool,
    leave: Leave,
}

/// Both phases of an update, for some of the shards.
struct PhaseWork<'a, 'b> {
    phase: Phase<'a>,
    items: &'a mut [Item<'b>],
}

impl Work for PhaseWork<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Phase { machine, samplers, sweeps, contrastive, leave } = self.phase;
        // All shards together, so that a panel serves all of them while it is in the cache.
        let mut data: Vec<&mut Shard> = self.items.iter_mut().filter_map(|item| item.data.as_deref_mut()).collect();
        sample_hidden(machine, &mut data, if contrastive { Leave::Sample } else { Leave::Means });
        data.iter_mut().for_each(|shard| shard.turn());
        if contrastive {
            for item in self.items.iter_mut() {
                if let (Some(data), Some((chain, _))) = (&item.data, &mut item.chain) {
                    chain.h.copy_from_slice(&data.h);
                }
            }
        }
        for items in self.items.chunk_by_mut(|a, b| a.sampler == b.sampler) {
            let sampler = samplers[items[0].sampler];
            let mut shards: Vec<&mut Shard> =
                items.iter_mut().filter_map(|item| item.chain.as_mut().map(|(chain, _)| &mut **chain)).collect();
            for _ in 0..sweeps {
                sample_visible(sampler, &mut shards);
                sample_hidden(sampler, &mut shards, leave);
            }
        }
        for item in self.items {
            if let Some((chain, true)) = &mut item.chain {
                chain.turn();
            }
        }
    }
}

mod checkpoint;
mod ladder;
#[cfg(test)]
mod tests;
