//! Sweeps by several threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use linalg_core::Observer;
use linalg_core::rng::{Xoshiro256PlusPlus, uniform_open01};

use super::graph::{Graph, SharedSpins};
use crate::mcmc::Dynamics;
use crate::mcmc::acceptance::{EXPONENTIAL, LOGISTIC};
use crate::mcmc::barrier::{Barrier, Broken, together};
use crate::mcmc::heat_bath::points_up;
use crate::mcmc::metropolis::accept;
use crate::model::Progress;

/// Places that draw from one generator.
pub(super) const SITES: usize = 256;

/// Some places of one class with their generator: what one thread updates at a time.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) class: usize,
    pub(super) places: Range<usize>,
    pub(super) rng: Xoshiro256PlusPlus,
}

/// Cuts every class into pieces of [`SITES`] places and a shorter one.
pub(super) fn pieces(graph: &Graph) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
    graph.class_start.windows(2).enumerate().flat_map(|(class, ends)| {
        (ends[0]..ends[1]).step_by(SITES).map(move |start| (class, start..(start + SITES).min(ends[1])))
    })
}

/// Sweeps of one chain.
pub(super) struct Team<'a> {
    pub(super) graph: &'a Graph,
    pub(super) spins: &'a SharedSpins,
    pub(super) dynamics: Dynamics,
    pub(super) beta: f64,
    pub(super) threads: usize,
    pub(super) sweeps: u64,
}

impl Team<'_> {
    /// Returns how many sweeps were done and how many spins changed. The observer is called on this thread.
    pub(super) fn advance(&self, blocks: &mut [Block], observer: &mut dyn Observer<Progress>) -> (u64, u64) {
        let stop = &AtomicU64::new(u64::MAX);
        let mut shares = self.shares(blocks).into_iter();
        let own = shares.next().unwrap_or_default();
        let report = |done| observer.observe(&Progress::new("sweeping", done, self.sweeps)).is_break();
        let others = shares.map(|share| move |barrier: &Barrier| self.run(share, stop, barrier, |_| false));
        let results = together(|barrier| self.run(own, stop, barrier, report), others.collect());
        // A broken barrier has come out as a panic.
        let results = results.into_iter().flatten();
        results.fold((0, 0), |(_, flips), (done, more)| (done, flips + more))
    }

    /// For every thread, and for every class, blocks that are neighbours; about the same work for all threads.
    fn shares<'b>(&self, blocks: &'b mut [Block]) -> Vec<Vec<&'b mut [Block]>> {
        let mut shares: Vec<Vec<&mut [Block]>> = (0..self.threads.max(1)).map(|_| Vec::new()).collect();
        for class in blocks.chunk_by_mut(|a, b| a.class == b.class) {
            let total: usize = class.iter().map(|block| self.graph.work(&block.places)).sum();
            let (mut rest, mut done, n) = (class, 0, shares.len());
            for (k, share) in shares.iter_mut().enumerate() {
                let target = total as u128 * (k as u128 + 1) / n as u128;
                let mut count = 0;
                while count < rest.len() && (done as u128) < target {
                    done += self.graph.work(&rest[count].places);
                    count += 1;
                }
                let (own, others) = rest.split_at_mut(count);
                share.push(own);
                rest = others;
            }
        }
        shares
    }

    fn run(
        &self,
        mut classes: Vec<&mut [Block]>,
        stop: &AtomicU64,
        barrier: &Barrier,
        mut report: impl FnMut(u64) -> bool,
    ) -> Result<(u64, u64), Broken> {
        let mut flips = 0;
        for done in 1..=self.sweeps {
            let last = classes.len().saturating_sub(1);
            for (k, class) in classes.iter_mut().enumerate() {
                for block in class.iter_mut() {
                    flips += match self.dynamics {
                        Dynamics::Metropolis => self.metropolis(block),
                        Dynamics::HeatBath => self.heat_bath(block),
                    };
                }
                if k == last && report(done) {
                    stop.store(done, Ordering::Relaxed);
                }
                barrier.wait()?;
            }
            // Some may see that of the next sweep already.
            if done == stop.load(Ordering::Relaxed) {
                return Ok((done, flips));
            }
        }
        Ok((self.sweeps, flips))
    }

    fn metropolis(&self, block: &mut Block) -> u64 {
        let exponential = &*EXPONENTIAL;
        let mut rng = block.rng.clone();
        let mut flips = 0;
        for place in block.places.clone() {
            let spin = self.spins.get(place);
            let x = self.beta * (2.0 * self.graph.local_field(place, self.spins) * f64::from(spin));
            if accept(exponential, x, uniform_open01(&mut rng)) {
                self.spins.set(place, -spin);
                flips += 1;
            }
        }
        block.rng = rng;
        flips
    }

    fn heat_bath(&self, block: &mut Block) -> u64 {
        let logistic = &*LOGISTIC;
        let mut rng = block.rng.clone();
        let mut flips = 0;
        for place in block.places.clone() {
            let spin = self.spins.get(place);
            let x = self.beta * (2.0 * self.graph.local_field(place, self.spins));
            let up = points_up(logistic, x, uniform_open01(&mut rng));
            if up != (spin > 0) && !x.is_nan() {
                self.spins.set(place, -spin);
                flips += 1;
            }
        }
        block.rng = rng;
        flips
    }
}
