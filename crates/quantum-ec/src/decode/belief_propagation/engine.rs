//! Iterations of belief propagation on L shots side by side.

use std::sync::Arc;

use linalg_core::rand::{Rng, RngExt, SeedableRng};
use linalg_core::rng::Xoshiro256PlusPlus;

use super::graph::FactorGraph;
use super::lanes::{Lane, Mask, Rows, SIGN, add, bits, clear, map, or, replace, sub, xor, zip};
use super::params::{BpMethod, BpParams, Scaling, Schedule};
use super::rules::{CheckRule, MinSum, SumProduct};
use super::serial::Serial;

/// Seed of the orders of [`Schedule::Random`].
const ORDER_SEED: u64 = 0x6f72_6465_725f_6270;

/// Memory strengths of [`Engine`].
#[derive(Debug, Clone)]
pub(super) enum Memory<const L: usize> {
    None,
    /// The same for all.
    Uniform(f32),
    /// One for each mechanism of each shot.
    Disordered(Rows<f32, L>),
}

/// The messages, with the rule that makes them.
#[derive(Debug, Clone)]
enum Messages<const L: usize> {
    MinSum(ByChecks<MinSum<L>, L>),
    SumProduct(ByChecks<SumProduct<L>, L>),
    Serial(Serial<L>),
}

/// Messages by checks: magnitudes by the rule, signs 32 a word.
#[derive(Debug, Clone)]
struct ByChecks<R, const L: usize> {
    rule: R,
    /// Check i owns `word_starts[i]..word_starts[i + 1]` of the signs.
    word_starts: Vec<u32>,
    signs: Rows<u32, L>,
    /// Messages of one check to be completed.
    incoming: Rows<f32, L>,
}

/// The state of belief propagation of L shots.
#[derive(Debug, Clone)]
pub(super) struct Engine<const L: usize> {
    graph: Arc<FactorGraph>,
    params: BpParams,
    /// Prior log-likelihood ratios; decimation changes them.
    priors: Vec<f32>,
    posterior: Rows<f32, L>,
    next: Rows<f32, L>,
    memory: Memory<L>,
    /// What lanes that start a leg begin their first sums with, for disordered memory.
    carried: Rows<f32, L>,
    /// Lanes that have not done so yet.
    carries: Mask<L>,
    /// Signs of the syndromes.
    syndrome: Rows<u32, L>,
    messages: Messages<L>,
    /// The order of the checks of an iteration.
    order: Vec<u32>,
}

impl<const L: usize> Engine<L> {
    pub(super) fn new(graph: &Arc<FactorGraph>, params: BpParams, memory: Memory<L>) -> Self {
        let offset = match params.scaling {
            Scaling::Offset(x) => x as f32,
            _ => 0.0,
        };
        let messages = match (params.schedule, params.method) {
            (Schedule::Serial, _) => Messages::Serial(Serial::new(graph, params.method, offset)),
            (_, BpMethod::MinSum) => Messages::MinSum(ByChecks::new(graph, offset)),
            (_, BpMethod::SumProduct) => Messages::SumProduct(ByChecks::new(graph, offset)),
        };
        Self {
            priors: graph.priors.clone(),
            posterior: Rows::new(graph.n_bits()),
            next: Rows::new(if params.schedule == Schedule::Flooding { graph.n_bits() } else { 0 }),
            carried: Rows::new(if matches!(memory, Memory::Disordered(_)) { graph.n_bits() } else { 0 }),
            carries: [0; L],
            memory,
            syndrome: Rows::new(graph.n_detectors),
            messages,
            order: (0..graph.n_detectors as u32).collect(),
            graph: Arc::clone(graph),
            params,
        }
    }

    pub(super) fn graph(&self) -> &FactorGraph {
        &self.graph
    }

    pub(super) fn params(&self) -> &BpParams {
        &self.params
    }

    pub(super) fn priors_mut(&mut self) -> &mut [f32] {
        &mut self.priors
    }

    /// Whether all lanes have to be in the same iteration.
    pub(super) fn lock_step(&self) -> bool {
        self.params.schedule == Schedule::Random
    }

    /// Puts a syndrome into a lane.
    pub(super) fn set_syndrome(&mut self, lane: usize, syndrome: &[u64]) {
        for (i, row) in self.syndrome.get_mut().iter_mut().enumerate() {
            row[lane] = ((syndrome[i / 64] >> (i % 64) & 1) as u32) << 31;
        }
    }

    /// The memory strengths, to be changed; `None` if they are not one for each mechanism of each shot.
    pub(super) fn strengths_mut(&mut self) -> Option<&mut [Lane<L>]> {
        match &mut self.memory {
            Memory::Disordered(rows) => Some(rows.get_mut()),
            _ => None,
        }
    }

    /// The posteriors of a lane.
    pub(super) fn posteriors(&self, lane: usize, out: &mut Vec<f32>) {
        out.clear();
        out.extend(self.posterior.get().iter().map(|row| row[lane]));
    }

    /// Puts the posteriors of a lane that another engine had.
    pub(super) fn set_posteriors(&mut self, lane: usize, from: &[f32]) {
        self.posterior.get_mut().iter_mut().zip(from).for_each(|(row, &x)| row[lane] = x);
    }

    /// The lanes of the mask begin a leg with their new memory strengths: the first messages to the checks are the
    /// priors, the first sums remember the posteriors of the leg before.
    #[inline(always)]
    pub(super) fn relay(&mut self, mask: &Mask<L>) {
        if let Memory::Disordered(gamma) = &self.memory {
            let rows = self.carried.get_mut().iter_mut().zip(self.posterior.get()).zip(gamma.get()).zip(&self.priors);
            for (((carried, old), gamma), &prior) in rows {
                for l in 0..L {
                    let base = prior + gamma[l] * (old[l] - prior);
                    carried[l] = f32::from_bits(carried[l].to_bits() & !mask[l] | base.to_bits() & mask[l]);
                }
            }
        }
        self.reset(mask);
        self.carries = or(&self.carries, mask);
    }

    /// Messages are forgotten in the lanes of the mask, posteriors go back to the priors.
    #[inline(always)]
    pub(super) fn reset(&mut self, mask: &Mask<L>) {
        clear(&mut self.carries, mask);
        for (row, &prior) in self.posterior.get_mut().iter_mut().zip(&self.priors) {
            replace(row, mask, prior);
        }
        match &mut self.messages {
            Messages::MinSum(messages) => messages.reset(mask),
            Messages::SumProduct(messages) => messages.reset(mask),
            Messages::Serial(messages) => messages.reset(mask),
        }
    }

    /// Appends to `found` the bits that are negative in the lanes of the mask, ascending.
    #[inline(always)]
    pub(super) fn negative(&self, mask: &Mask<L>, found: &mut [Vec<u32>; L]) {
        let mask = map(mask, |x| x & SIGN);
        for (bit, row) in self.posterior.get().iter().enumerate() {
            let signs = zip(&bits(row), &mask, |a, b| a & b);
            if signs.iter().fold(0, |any, x| any | x) != 0 {
                for (found, sign) in found.iter_mut().zip(&signs) {
                    if *sign != 0 {
                        found.push(bit as u32);
                    }
                }
            }
        }
    }

    /// The highest bit of the lanes whose hard decision has another syndrome; others are not defined.
    ///
    /// Lanes out of the mask count as having it.
    #[inline(always)]
    pub(super) fn unsatisfied(&self, mask: &Mask<L>) -> Mask<L> {
        let posterior = self.posterior.get();
        let mut any = map(mask, |x| !x);
        for (i, syndrome) in self.syndrome.get().iter().enumerate() {
            let mut parity = *syndrome;
            for &bit in self.graph.check(i) {
                parity = xor(&parity, &bits(&posterior[bit as usize]));
            }
            any = or(&any, &parity);
            // Most often all are known after a few checks.
            if any.iter().fold(SIGN, |all, x| all & x) != 0 {
                break;
            }
        }
        zip(&any, mask, |x, m| x & m)
    }

    /// One iteration of all lanes, the `t`-th of each by number from 1.
    #[inline(always)]
    pub(super) fn step(&mut self, t: &[u32; L]) {
        let scale = match self.params.scaling {
            Scaling::Adaptive => map(t, |t| 1.0 - f32::from_bits(127u32.saturating_sub(t) << 23)),
            Scaling::Factor(x) => [x as f32; L],
            Scaling::Offset(_) => [1.0; L],
        };
        if self.params.schedule == Schedule::Random {
            shuffle(&mut self.order, t[0]);
        }
        let (graph, syndrome) = (&*self.graph, self.syndrome.get());
        match (&mut self.messages, self.params.schedule) {
            (Messages::Serial(messages), _) => {
                messages.sweep(graph, syndrome, &self.priors, self.posterior.get_mut(), &scale);
            }
            (messages, Schedule::Flooding) => {
                begin_next(&self.priors, &self.memory, self.posterior.get(), self.next.get_mut());
                if self.carries.iter().any(|&x| x != 0) {
                    for (new, carried) in self.next.get_mut().iter_mut().zip(self.carried.get()) {
                        for l in 0..L {
                            let (kept, taken) = (new[l].to_bits() & !self.carries[l], carried[l].to_bits());
                            new[l] = f32::from_bits(kept | taken & self.carries[l]);
                        }
                    }
                    self.carries = [0; L];
                }
                let (old, new) = (self.posterior.get(), self.next.get_mut());
                match messages {
                    Messages::MinSum(messages) => messages.flood(graph, syndrome, old, new, &scale),
                    Messages::SumProduct(messages) => messages.flood(graph, syndrome, old, new, &scale),
                    Messages::Serial(_) => {}
                }
                std::mem::swap(&mut self.posterior, &mut self.next);
            }
            (Messages::MinSum(messages), _) => {
                messages.layers(graph, syndrome, &self.order, self.posterior.get_mut(), &scale);
            }
            (Messages::SumProduct(messages), _) => {
                messages.layers(graph, syndrome, &self.order, self.posterior.get_mut(), &scale);
            }
        }
    }
}

/// The sums of the next iteration before any message: priors, mixed with the last posteriors by memory.
#[inline(always)]
fn begin_next<const L: usize>(priors: &[f32], memory: &Memory<L>, old: &[Lane<L>], new: &mut [Lane<L>]) {
    match memory {
        Memory::None => new.iter_mut().zip(priors).for_each(|(new, &prior)| *new = [prior; L]),
        Memory::Uniform(gamma) => {
            for ((new, &prior), old) in new.iter_mut().zip(priors).zip(old) {
                *new = map(old, |old| prior + gamma * (old - prior));
            }
        }
        Memory::Disordered(gamma) => {
            for (((new, &prior), old), gamma) in new.iter_mut().zip(priors).zip(old).zip(gamma.get()) {
                *new = zip(old, gamma, |old, gamma| prior + gamma * (old - prior));
            }
        }
    }
}

/// The order of the `t`-th iteration: a function of `t` alone.
fn shuffle(order: &mut [u32], t: u32) {
    order.iter_mut().enumerate().for_each(|(k, i)| *i = k as u32);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(ORDER_SEED ^ u64::from(t));
    shuffle_with(order, &mut rng);
}

fn shuffle_with<R: Rng + ?Sized>(order: &mut [u32], rng: &mut R) {
    for k in (1..order.len()).rev() {
        order.swap(k, rng.random_range(0..=k as u32) as usize);
    }
}

impl<R: CheckRule<L>, const L: usize> ByChecks<R, L> {
    fn new(graph: &FactorGraph, offset: f32) -> Self {
        let mut word_starts = vec![0];
        for i in 0..graph.n_detectors {
            word_starts.push(word_starts[i] + graph.check(i).len().div_ceil(32) as u32);
        }
        Self {
            rule: R::new(graph, offset),
            signs: Rows::new(word_starts[graph.n_detectors] as usize),
            word_starts,
            incoming: Rows::new(graph.max_degree()),
        }
    }

    #[inline(always)]
    fn reset(&mut self, mask: &Mask<L>) {
        self.rule.reset(mask);
        self.signs.get_mut().iter_mut().for_each(|row| clear(row, mask));
    }

    /// All checks from `old`; their messages are added to `new`.
    #[inline(always)]
    fn flood(
        &mut self,
        graph: &FactorGraph,
        syndrome: &[Mask<L>],
        old: &[Lane<L>],
        new: &mut [Lane<L>],
        scale: &Lane<L>,
    ) {
        for (i, syndrome) in syndrome.iter().enumerate() {
            let (edges, first) = (graph.check(i), graph.check_starts[i] as usize);
            let words = self.word_starts[i] as usize;
            let stored = self.rule.stored(i);
            let mut sums = R::begin();
            let mut parity = *syndrome;
            for (block, edges) in edges.chunks(32).enumerate() {
                let word = self.signs.get()[words + block];
                let mut signs = [0; L];
                for (b, &bit) in edges.iter().enumerate() {
                    let k = 32 * block + b;
                    let sent = signed(&self.rule.magnitude(&stored, first + k, k), &word, b as u32);
                    let message = sub(&old[bit as usize], &sent);
                    parity = xor(&parity, &bits(&message));
                    signs = with_sign(&signs, &message, b as u32);
                    self.rule.push(&mut sums, k, &message);
                }
                self.signs.get_mut()[words + block] = signs;
            }
            self.rule.finish(i, first, edges.len(), &sums, scale);
            // The sign of a message is the product of all signs but its own.
            let parity = map(&parity, |x| ((x as i32) >> 31) as u32);
            let stored = self.rule.stored(i);
            for (block, edges) in edges.chunks(32).enumerate() {
                let word = xor(&self.signs.get()[words + block], &parity);
                self.signs.get_mut()[words + block] = word;
                for (b, &bit) in edges.iter().enumerate() {
                    let k = 32 * block + b;
                    let sent = signed(&self.rule.magnitude(&stored, first + k, k), &word, b as u32);
                    let sum = &mut new[bit as usize];
                    *sum = add(sum, &sent);
                }
            }
        }
    }

    /// Check after check, the posteriors always up to date.
    #[inline(always)]
    fn layers(
        &mut self,
        graph: &FactorGraph,
        syndrome: &[Mask<L>],
        order: &[u32],
        posterior: &mut [Lane<L>],
        scale: &Lane<L>,
    ) {
        for &i in order {
            let i = i as usize;
            let (edges, first) = (graph.check(i), graph.check_starts[i] as usize);
            let words = self.word_starts[i] as usize;
            let stored = self.rule.stored(i);
            let mut sums = R::begin();
            let mut parity = syndrome[i];
            for (block, edges) in edges.chunks(32).enumerate() {
                let word = self.signs.get()[words + block];
                let mut signs = [0; L];
                for (b, &bit) in edges.iter().enumerate() {
                    let k = 32 * block + b;
                    let sent = signed(&self.rule.magnitude(&stored, first + k, k), &word, b as u32);
                    let message = sub(&posterior[bit as usize], &sent);
                    self.incoming.get_mut()[k] = message;
                    parity = xor(&parity, &bits(&message));
                    signs = with_sign(&signs, &message, b as u32);
                    self.rule.push(&mut sums, k, &message);
                }
                self.signs.get_mut()[words + block] = signs;
            }
            self.rule.finish(i, first, edges.len(), &sums, scale);
            let parity = map(&parity, |x| ((x as i32) >> 31) as u32);
            let stored = self.rule.stored(i);
            for (block, edges) in edges.chunks(32).enumerate() {
                let word = xor(&self.signs.get()[words + block], &parity);
                self.signs.get_mut()[words + block] = word;
                for (b, &bit) in edges.iter().enumerate() {
                    let k = 32 * block + b;
                    let sent = signed(&self.rule.magnitude(&stored, first + k, k), &word, b as u32);
                    posterior[bit as usize] = add(&self.incoming.get()[k], &sent);
                }
            }
        }
    }
}

/// A magnitude with the sign at place `b` of a word.
#[inline(always)]
fn signed<const L: usize>(magnitude: &Mask<L>, word: &Mask<L>, b: u32) -> Lane<L> {
    zip(magnitude, word, |magnitude, word| f32::from_bits(magnitude ^ (word << (31 - b) & SIGN)))
}

/// The word with the sign of a message at place `b`.
#[inline(always)]
fn with_sign<const L: usize>(word: &Mask<L>, message: &Lane<L>, b: u32) -> Mask<L> {
    zip(word, message, |word, message| word | message.to_bits() >> 31 << b)
}
