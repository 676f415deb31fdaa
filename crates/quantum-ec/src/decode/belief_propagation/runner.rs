//! Shots through lanes: a lane that is done takes the next shot at once.

use std::sync::Arc;

use super::engine::{Engine, Memory};
use super::graph::FactorGraph;
use super::lanes::Rows;
use super::params::BpParams;
use super::simd::Simd;
use crate::shots::ShotsRef;

/// What is known when a lane stops.
pub(crate) struct End<'a> {
    pub(crate) lane: usize,
    pub(crate) shot: usize,
    /// Whether the hard decision has the syndrome.
    pub(crate) converged: bool,
    /// Iterations since the lane was last started.
    pub(crate) iterations: usize,
    /// The bits of the hard decision, ascending.
    pub(crate) chosen: &'a [u32],
    /// Copies the posteriors of all bits.
    pub(crate) posteriors: &'a dyn Fn(&mut Vec<f32>),
}

/// What a lane does next.
pub(crate) enum Next {
    /// It takes another shot.
    Shot,
    /// It starts again with the memory strengths of this number, remembers its posteriors, and takes at most so many
    /// iterations.
    Leg { number: usize, iterations: usize },
}

/// Decides what becomes of a lane.
pub(crate) trait Control {
    /// A shot without syndrome: nothing happened.
    fn trivial(&mut self, shot: usize);

    fn end(&mut self, end: &End<'_>) -> Next;
}

/// Memory strengths of [`Runner`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Strengths {
    None,
    Uniform(f64),
    /// One for each bit, by the number of the leg and the bit.
    Disordered(fn(&[f64; 4], usize, usize) -> f32, [f64; 4]),
}

/// L lanes and their shots.
#[derive(Debug, Clone)]
pub(crate) struct Runner<const L: usize> {
    simd: Simd,
    engine: Engine<L>,
    strengths: Strengths,
    t: [u32; L],
    limit: [u32; L],
    shot: [usize; L],
    chosen: [Vec<u32>; L],
    shifted: Vec<u64>,
    /// Whether all shots have been taken.
    drained: bool,
    /// What the first lane is called.
    first_lane: usize,
}

/// A lane that is to start again.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    lane: usize,
    shot: usize,
    number: usize,
    iterations: usize,
    posteriors: Vec<f32>,
}

impl<const L: usize> Runner<L> {
    pub(crate) fn new(simd: Simd, graph: &Arc<FactorGraph>, params: BpParams, strengths: Strengths) -> Self {
        let memory = match strengths {
            Strengths::None => Memory::None,
            Strengths::Uniform(gamma) => Memory::Uniform(gamma as f32),
            Strengths::Disordered(..) => Memory::Disordered(Rows::new(graph.n_bits())),
        };
        Self {
            simd,
            engine: Engine::new(graph, params, memory),
            strengths,
            t: [0; L],
            limit: [0; L],
            shot: [0; L],
            chosen: std::array::from_fn(|_| Vec::with_capacity(graph.n_bits())),
            shifted: Vec::new(),
            drained: false,
            first_lane: 0,
        }
    }

    fn set_strengths(&mut self, lane: usize, number: usize) {
        if let (Strengths::Disordered(strength, values), Some(rows)) = (self.strengths, self.engine.strengths_mut()) {
            rows.iter_mut().enumerate().for_each(|(bit, row)| row[lane] = strength(&values, number, bit));
        }
    }

    /// Puts the next shot with a syndrome into a lane; whether there was one.
    fn load<'a>(
        &mut self,
        lane: usize,
        shots: &mut impl Iterator<Item = (usize, &'a [u64])>,
        control: &mut dyn Control,
    ) -> bool {
        for (shot, syndrome) in shots {
            self.engine.graph().shifted(syndrome, &mut self.shifted);
            if self.shifted.iter().all(|&word| word == 0) && self.engine.params().early_stopping {
                control.trivial(shot);
                continue;
            }
            self.engine.set_syndrome(lane, &self.shifted);
            self.set_strengths(lane, 0);
            self.shot[lane] = shot;
            self.t[lane] = 0;
            self.limit[lane] = self.engine.params().iterations as u32;
            return true;
        }
        self.drained = true;
        false
    }

    /// Decodes all shots. The last lane, once it starts a leg alone, is given back: it is not worth the width.
    pub(super) fn run<'a>(
        &mut self,
        mut shots: impl Iterator<Item = (usize, &'a [u64])>,
        control: &mut dyn Control,
    ) -> Option<Leg> {
        let mut active = [0u32; L];
        (self.drained, self.first_lane) = (false, 0);
        for (lane, active) in active.iter_mut().enumerate() {
            *active = 0u32.wrapping_sub(u32::from(self.load(lane, &mut shots, control)));
        }
        self.simd.reset(&mut self.engine, &[!0; L]);
        self.iterate(active, shots, control)
    }

    /// Goes on in lane 0 with a leg that another runner gave back.
    fn resume(&mut self, leg: &Leg, syndrome: &[u64], control: &mut dyn Control) {
        let mut active = [0u32; L];
        active[0] = !0;
        (self.drained, self.first_lane) = (true, leg.lane);
        self.engine.graph().shifted(syndrome, &mut self.shifted);
        self.engine.set_syndrome(0, &self.shifted);
        self.set_strengths(0, leg.number);
        (self.shot[0], self.t[0], self.limit[0]) = (leg.shot, 0, leg.iterations as u32);
        self.engine.set_posteriors(0, &leg.posteriors);
        self.simd.relay(&mut self.engine, &[!0; L]);
        self.iterate(active, std::iter::empty(), control);
    }

    fn iterate<'a>(
        &mut self,
        mut active: [u32; L],
        mut shots: impl Iterator<Item = (usize, &'a [u64])>,
        control: &mut dyn Control,
    ) -> Option<Leg> {
        let early = self.engine.params().early_stopping;
        let lock_step = self.engine.lock_step();
        while active.iter().any(|&x| x != 0) {
            self.t.iter_mut().for_each(|t| *t += 1);
            self.simd.step(&mut self.engine, &self.t);
            // Which lanes are done: at their last iteration all that is asked is whether they converged.
            let last: [bool; L] = std::array::from_fn(|lane| self.t[lane] >= self.limit[lane]);
            let asked = std::array::from_fn(|lane| if early || last[lane] { active[lane] } else { 0 });
            if asked.iter().all(|&x| x == 0) {
                continue;
            }
            let unsatisfied = self.simd.unsatisfied(&self.engine, &asked);
            let converged: [bool; L] = std::array::from_fn(|lane| asked[lane] != 0 && unsatisfied[lane] >> 31 == 0);
            let done: [u32; L] = std::array::from_fn(|lane| {
                0u32.wrapping_sub(u32::from(asked[lane] != 0 && (converged[lane] || last[lane])))
            });
            if done.iter().all(|&x| x == 0) {
                continue;
            }
            self.chosen.iter_mut().for_each(Vec::clear);
            self.simd.negative(&self.engine, &done, &mut self.chosen);
            let (mut restart, mut again) = ([0u32; L], [0u32; L]);
            for lane in 0..L {
                if done[lane] == 0 {
                    continue;
                }
                let next = control.end(&End {
                    lane: self.first_lane + lane,
                    shot: self.shot[lane],
                    converged: converged[lane],
                    iterations: self.t[lane] as usize,
                    chosen: &self.chosen[lane],
                    posteriors: &|out| self.engine.posteriors(lane, out),
                });
                match next {
                    Next::Shot => active[lane] = 0,
                    Next::Leg { number, iterations } => {
                        if L > 1 && self.drained && active.iter().filter(|&&x| x != 0).count() == 1 {
                            let mut posteriors = Vec::new();
                            self.engine.posteriors(lane, &mut posteriors);
                            return Some(Leg { lane, shot: self.shot[lane], number, iterations, posteriors });
                        }
                        self.set_strengths(lane, number);
                        self.t[lane] = 0;
                        self.limit[lane] = iterations as u32;
                        again[lane] = !0;
                    }
                }
            }
            if !lock_step || active.iter().all(|&x| x == 0) {
                for lane in 0..L {
                    if active[lane] == 0 && self.load(lane, &mut shots, control) {
                        (active[lane], restart[lane]) = (!0, !0);
                    }
                }
            }
            if restart.iter().any(|&x| x != 0) {
                self.simd.reset(&mut self.engine, &restart);
            }
            if again.iter().any(|&x| x != 0) {
                self.simd.relay(&mut self.engine, &again);
            }
        }
        None
    }
}

/// As many lanes as the machine has use for.
#[derive(Debug, Clone)]
enum Wide {
    Four(Box<Runner<4>>),
    Eight(Box<Runner<8>>),
    Sixteen(Box<Runner<16>>),
}

/// One shot at once and many shots at once, with the same results.
#[derive(Debug, Clone)]
pub(crate) struct Lanes {
    graph: Arc<FactorGraph>,
    params: BpParams,
    strengths: Strengths,
    one: Runner<1>,
    /// Made when it is first needed.
    wide: Option<Wide>,
}

impl Lanes {
    pub(crate) fn new(graph: &Arc<FactorGraph>, params: BpParams, strengths: Strengths) -> Self {
        let one = Runner::new(Simd::PORTABLE, graph, params, strengths);
        Self { graph: Arc::clone(graph), params, strengths, one, wide: None }
    }

    pub(crate) fn graph(&self) -> &Arc<FactorGraph> {
        &self.graph
    }

    pub(crate) fn params(&self) -> &BpParams {
        &self.params
    }

    /// Decodes one shot, numbered 0.
    pub(crate) fn run_one(&mut self, syndrome: &[u64], control: &mut dyn Control) {
        self.one.run(std::iter::once((0, syndrome)), control);
    }

    /// Decodes many shots, in any order.
    pub(crate) fn run_many(&mut self, shots: ShotsRef<'_>, control: &mut dyn Control) {
        let rows = (0..shots.n_shots()).map(|shot| (shot, shots.row(shot)));
        if shots.n_shots() < 2 {
            self.one.run(rows, control);
            return;
        }
        let (graph, params, strengths) = (&self.graph, self.params, self.strengths);
        let wide = self.wide.get_or_insert_with(|| {
            let simd = Simd::best();
            match simd.lanes() {
                16 => Wide::Sixteen(Box::new(Runner::new(simd, graph, params, strengths))),
                8 => Wide::Eight(Box::new(Runner::new(simd, graph, params, strengths))),
                _ => Wide::Four(Box::new(Runner::new(simd, graph, params, strengths))),
            }
        });
        let left = match wide {
            Wide::Four(runner) => runner.run(rows, control),
            Wide::Eight(runner) => runner.run(rows, control),
            Wide::Sixteen(runner) => runner.run(rows, control),
        };
        if let Some(leg) = left {
            self.one.resume(&leg, shots.row(leg.shot), control);
        }
    }
}
