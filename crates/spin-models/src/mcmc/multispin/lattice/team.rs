//! Several threads on one lattice.

use std::sync::atomic::{AtomicU64, Ordering};

use linalg_core::Observer;

use super::super::generator::Generator;
use super::super::simd::{Block, InstructionSet};
use super::bands::{Band, Edges, neighbors};
use super::sweep::{Half, Scratch, Update};
use crate::mcmc::barrier::{Barrier, Broken, together};
use crate::model::Progress;

/// Sweeps of a lattice in bands.
///
/// A thread updates one colour of its bands, shows the ends of them to their neighbours, waits for all others and looks
/// at the ends of theirs. Its spins stay in its own cache.
pub(super) struct Team<'a> {
    pub(super) update: Update<'a>,
    pub(super) instructions: InstructionSet,
    pub(super) threads: usize,
    pub(super) sweeps: u64,
    /// Sweeps between two reports.
    pub(super) interval: u64,
}

/// What belongs to one band.
struct Member<'a> {
    number: usize,
    band: &'a mut Band,
    spins: [&'a mut [Block]; 2],
    generators: &'a mut [Generator],
}

/// What belongs to all.
struct Common {
    /// For every band, of both colours.
    edges: Vec<[Edges; 2]>,
    /// The sweep after which the observer has asked to stop.
    stop: AtomicU64,
}

impl Team<'_> {
    /// Returns how many sweeps were done and how many spins changed.
    ///
    /// The observer is called on this thread, when its band has come to the end of a sweep.
    pub(super) fn advance(
        &self,
        spins: &mut [Vec<Block>; 2],
        bands: &mut [Band],
        generators: &mut [Generator],
        observer: &mut dyn Observer<Progress>,
    ) -> (u64, u64) {
        let edges = bands.iter().map(|_| Default::default()).collect();
        let common = &Common { edges, stop: AtomicU64::new(u64::MAX) };
        let mut members = members(spins, bands, generators);
        let share = members.len().div_ceil(self.threads.max(1)).max(1);
        let mut shares = members.chunks_mut(share);
        let own = shares.next().unwrap_or_default();
        let report = |done| observer.observe(&Progress::new("sweeping", done, self.sweeps)).is_break();
        let others = shares.map(|members| move |barrier: &Barrier| self.run(members, common, barrier, |_| false));
        let results = together(|barrier| self.run(own, common, barrier, report), others.collect());
        // A broken barrier has come out as a panic.
        let results = results.into_iter().flatten();
        results.fold((0, 0), |(_, flips), (done, more)| (done, flips + more))
    }

    fn run(
        &self,
        members: &mut [Member<'_>],
        common: &Common,
        barrier: &Barrier,
        mut report: impl FnMut(u64) -> bool,
    ) -> Result<(u64, u64), Broken> {
        let mut scratch = Box::new(Scratch::new());
        let mut flips = 0;
        for done in 1..=self.sweeps {
            let reported = done.is_multiple_of(self.interval) || done == self.sweeps;
            for color in 0..2 {
                for member in &mut *members {
                    flips += self.half(member, color, &mut scratch);
                    let Member { number, band, spins, .. } = member;
                    band.give(color, spins[color], &common.edges[*number][color]);
                }
                if reported && color == 1 && report(done) {
                    common.stop.store(done, Ordering::Relaxed);
                }
                barrier.wait()?;
                for Member { number, band, .. } in &mut *members {
                    let [before, after] = neighbors(*number, common.edges.len());
                    band.take(color, &common.edges[before][color], &common.edges[after][color]);
                }
            }
            if done == common.stop.load(Ordering::Relaxed) {
                return Ok((done, flips));
            }
        }
        Ok((self.sweeps, flips))
    }

    fn half(&self, member: &mut Member<'_>, color: usize, scratch: &mut Scratch) -> u64 {
        let Member { band, spins: [a, b], generators, .. } = member;
        let (spins, others) = if color == 0 { (&mut **a, &**b) } else { (&mut **b, &**a) };
        let (first, other) = (band.blocks.start, band.other(1 - color, others));
        self.instructions.run(Half { update: self.update, color, first, spins, other, generators, scratch })
    }
}

/// Cuts spins and generators as the bands are.
fn members<'a>(
    spins: &'a mut [Vec<Block>; 2],
    bands: &'a mut [Band],
    mut generators: &'a mut [Generator],
) -> Vec<Member<'a>> {
    let [a, b] = spins;
    let (mut a, mut b) = (&mut a[..], &mut b[..]);
    let mut members = Vec::with_capacity(bands.len());
    for (number, band) in bands.iter_mut().enumerate() {
        let n = band.blocks.len();
        let own = [split_off(&mut a, n), split_off(&mut b, n)];
        let generators = split_off(&mut generators, band.stripes().len());
        members.push(Member { number, band, spins: own, generators });
    }
    members
}

/// Takes the first `n` elements away.
fn split_off<'a, T>(slice: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (first, rest) = std::mem::take(slice).split_at_mut(n);
    *slice = rest;
    first
}
