//! A compiled model with its numbers at one temperature, and what can be computed from both.

use linalg_core::gf2::BitVec;

use super::block::Step;
use super::engine::{Checkpoints, Engine, Watch};
use super::gradient::Gradient;
use super::interactions::{Interactions, ZeroCouplings};
use super::params::TransferMatrixParams;
use super::program::{Ordering, Program};
use super::sampling::Sampler;
use super::schedule::Schedule;
use super::semiring::{Linear, Logarithmic, Semiring};
use super::{NAME, params};
use crate::{Error, Result};

/// A model and its program.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub interactions: Interactions,
    pub program: Program,
}

/// What depends on temperature and the sizes of the weights, not on signs flipped later.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    /// `βw` of every interaction.
    pub exponents: Vec<f64>,
    beta: f64,
    pub schedule: Schedule,
    /// `e^{±βw}`, or `±βw` in logarithms.
    factors: Vec<[f64; 2]>,
}

/// Memory to reuse.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    vector: Vec<f64>,
    steps: Vec<Step<f64>>,
    block: Vec<f64>,
}

/// Means as they come from the backward pass, one site of each even component held at +1.
pub(super) struct Means {
    pub ln_z: f64,
    pub interactions: Vec<f64>,
    pub spins: Vec<f64>,
}

impl Compiled {
    /// Orders, checks and compiles a model.
    pub(super) fn new(interactions: Interactions, zero: ZeroCouplings, params: &TransferMatrixParams) -> Result<Self> {
        let active = interactions.active(zero);
        Self::with_active(interactions, active, params)
    }

    pub(super) fn with_active(
        interactions: Interactions,
        active: Vec<bool>,
        params: &TransferMatrixParams,
    ) -> Result<Self> {
        params.check()?;
        let ordering = Ordering::new(&interactions, &active);
        params.check_width(ordering.size.width)?;
        let program = Program::new(&interactions, active, ordering);
        params.check_width(program.width)?;
        params.check_bytes("bytes of the state vector", params::bytes::<f64>(program.width))?;
        Ok(Self { interactions, program })
    }

    /// The numbers for `beta`.
    pub(super) fn numbers(&self, beta: f64) -> Result<Numbers> {
        crate::error::check_beta(beta)?;
        let exponents: Vec<f64> = self.interactions.weights.iter().map(|w| beta * w).collect();
        let total: f64 = exponents.iter().map(|x| x.abs()).sum();
        if !total.is_finite() {
            let value = format!("{total} at beta = {beta}");
            return Err(Error::Parameter { what: "beta times the sum of weights", value, expected: "a finite number" });
        }
        let schedule = Schedule::new(&self.program, &exponents);
        let factors = if schedule.logarithmic {
            exponents.iter().map(|&x| [x, -x]).collect()
        } else {
            // Terms outside the vector may have any size: theirs are not used.
            exponents.iter().map(|&x| [x.exp(), (-x).exp()]).collect()
        };
        Ok(Numbers { exponents, beta, schedule, factors })
    }

    /// The exponent `βw` with its sign after the flips.
    fn signed(numbers: &Numbers, flips: Option<&BitVec>, a: u32) -> f64 {
        let x = numbers.exponents[a as usize];
        if flips.is_some_and(|flips| flips.get(a as usize)) { -x } else { x }
    }

    /// The sum of the exponents of a site that couples to no other.
    fn scalar_exponent(numbers: &Numbers, flips: Option<&BitVec>, terms: &[u32]) -> f64 {
        terms.iter().map(|&a| Self::signed(numbers, flips, a)).sum()
    }

    /// `ln` of what is not in the vector, and the powers of two apart.
    fn outside(&self, numbers: &Numbers, flips: Option<&BitVec>) -> (f64, i64) {
        let mut exponent = self.program.ordering.pinned.len() as i64;
        let mut ln = -numbers.beta * self.interactions.offset;
        for &a in &self.program.constants {
            ln += Self::signed(numbers, flips, a);
        }
        for scalar in &self.program.scalars {
            let x = Self::scalar_exponent(numbers, flips, &scalar.terms).abs();
            if x == 0.0 {
                exponent += 1;
            } else {
                ln += x + (-2.0 * x).exp().ln_1p();
            }
        }
        (ln, exponent)
    }

    fn engine<'a, 'o, S: Semiring<Value = f64>>(
        &'a self,
        semiring: S,
        numbers: &'a Numbers,
        scratch: &mut Scratch,
        watch: Watch<'o>,
    ) -> Engine<'a, 'o, S> {
        Engine {
            program: &self.program,
            semiring,
            schedule: &numbers.schedule,
            factors: &numbers.factors,
            flips: None,
            held: None,
            steps: std::mem::take(&mut scratch.steps),
            block: std::mem::take(&mut scratch.block),
            watch,
        }
    }

    /// ln Z.
    pub(super) fn ln_z(
        &self,
        numbers: &Numbers,
        flips: Option<&BitVec>,
        scratch: &mut Scratch,
        watch: Watch<'_>,
    ) -> Result<f64> {
        if numbers.schedule.logarithmic {
            self.ln_z_in(Logarithmic { ln_z: 0.0 }, numbers, flips, scratch, watch)
        } else {
            self.ln_z_in(Linear, numbers, flips, scratch, watch)
        }
    }

    fn ln_z_in<S: Semiring<Value = f64>>(
        &self,
        semiring: S,
        numbers: &Numbers,
        flips: Option<&BitVec>,
        scratch: &mut Scratch,
        watch: Watch<'_>,
    ) -> Result<f64> {
        let mut vector = std::mem::take(&mut scratch.vector);
        vector.reserve((1usize << self.program.width).saturating_sub(vector.len()));
        let mut engine = self.engine(semiring, numbers, scratch, watch);
        engine.flips = flips;
        let total = engine.forward("transfer matrix", &mut vector);
        (scratch.steps, scratch.block) = (engine.steps, engine.block);
        scratch.vector = vector;
        let (total, exponent) = total?;
        let (ln, twos) = self.outside(numbers, flips);
        Ok(semiring.ln(total, exponent + twos) + ln)
    }

    /// The vectors that a backward pass keeps within the memory budget.
    pub(super) fn checkpoints<V>(&self, schedule: &Schedule, params: &TransferMatrixParams) -> Result<Checkpoints> {
        let plan = Checkpoints::new(&self.program, schedule, params.memory_bytes / size_of::<V>());
        let bytes = plan.most_entries().saturating_mul(size_of::<V>());
        params.check_bytes("bytes of the backward pass", bytes)?;
        Ok(plan)
    }

    /// Means of all spins and interactions, with one site held at a value if asked.
    pub(super) fn means(
        &self,
        numbers: &Numbers,
        held: Option<(u32, usize)>,
        params: &TransferMatrixParams,
        watch: Watch<'_>,
    ) -> Result<Means> {
        let plan = self.checkpoints::<f64>(&numbers.schedule, params)?;
        if numbers.schedule.logarithmic {
            // The weights of single terms need the total first.
            let semiring = Logarithmic { ln_z: 0.0 };
            let mut scratch = Scratch::default();
            let mut engine = self.engine(semiring, numbers, &mut scratch, watch);
            engine.held = held;
            let mut vector = Vec::with_capacity(1 << self.program.width);
            let (total, _) = engine.forward("forward", &mut vector)?;
            drop(vector);
            engine.semiring = semiring.with_total(total);
            self.means_in(engine, numbers, &plan)
        } else {
            let mut engine = self.engine(Linear, numbers, &mut Scratch::default(), watch);
            engine.held = held;
            self.means_in(engine, numbers, &plan)
        }
    }

    fn means_in<S: Semiring<Value = f64>>(
        &self,
        mut engine: Engine<'_, '_, S>,
        numbers: &Numbers,
        plan: &Checkpoints,
    ) -> Result<Means> {
        let interactions = &self.interactions;
        let mut gradient = Gradient::new(engine.semiring, interactions.len(), interactions.n_spins);
        engine.backward(plan, &mut gradient)?;
        let (total, exponent) = gradient.total();
        let (ln, twos) = self.outside(numbers, None);
        let mut means = Means {
            ln_z: engine.semiring.ln(total, exponent + twos) + ln,
            interactions: gradient.interactions,
            spins: gradient.spins,
        };
        for &site in &self.program.ordering.pinned {
            means.spins[site as usize] = 1.0;
        }
        for &a in &self.program.constants {
            means.interactions[a as usize] = 1.0;
        }
        for scalar in &self.program.scalars {
            let mean = Self::scalar_exponent(numbers, None, &scalar.terms).tanh();
            means.spins[scalar.site as usize] = mean;
            for &a in &scalar.terms {
                means.interactions[a as usize] = mean;
            }
        }
        Ok(means)
    }

    /// Independent configurations from the Boltzmann distribution.
    pub(super) fn sample(
        &self,
        numbers: &Numbers,
        n_samples: usize,
        params: &TransferMatrixParams,
        watch: Watch<'_>,
        draw: &mut dyn FnMut() -> f64,
    ) -> Result<Vec<Vec<i8>>> {
        let plan = self.checkpoints::<f64>(&numbers.schedule, params)?;
        let mut scratch = Scratch::default();
        let mut spins = if numbers.schedule.logarithmic {
            let engine = self.engine(Logarithmic { ln_z: 0.0 }, numbers, &mut scratch, watch);
            self.trace_back(engine, n_samples, &plan, draw)?
        } else {
            let engine = self.engine(Linear, numbers, &mut scratch, watch);
            self.trace_back(engine, n_samples, &plan, draw)?
        };
        for scalar in &self.program.scalars {
            let up = 1.0 / (1.0 + (-2.0 * Self::scalar_exponent(numbers, None, &scalar.terms)).exp());
            for row in &mut spins {
                row[scalar.site as usize] = if draw() < up { 1 } else { -1 };
            }
        }
        // Components with one site held at +1 are turned as a whole with probability 1/2.
        let component = &self.program.ordering.component;
        let mut turn: Vec<i8> = vec![1; component.len()];
        for row in &mut spins {
            for &site in &self.program.ordering.pinned {
                turn[component[site as usize] as usize] = if draw() < 0.5 { 1 } else { -1 };
            }
            for (s, &c) in row.iter_mut().zip(component) {
                *s *= turn[c as usize];
            }
        }
        Ok(spins)
    }

    pub(super) fn trace_back<S: Semiring>(
        &self,
        mut engine: Engine<'_, '_, S>,
        n_samples: usize,
        plan: &Checkpoints,
        draw: &mut dyn FnMut() -> f64,
    ) -> Result<Vec<Vec<i8>>> {
        let mut sampler = Sampler::new(n_samples, self.interactions.n_spins, draw);
        engine.backward(plan, &mut sampler)?;
        Ok(sampler.spins)
    }

    /// Whether a site is alone, with no partner to correlate with.
    pub(super) fn component(&self, site: usize) -> u32 {
        self.program.ordering.component[site]
    }
}

/// The name under which errors appear.
pub(super) fn too_large(what: &'static str, value: usize, bound: usize) -> Error {
    Error::TooLarge { solver: NAME, what, value, bound }
}
