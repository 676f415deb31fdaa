//! The predictor: fields, couplings, history.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, ContentHash, Writer};

use crate::Result;

use super::learner::{FrictionParams, Learner};
use super::{Coupling, DenseCoupling, Link, LowRankCoupling, NoCoupling, OnlinePredictor, Units};

/// Name and layout of the saved state.
const KIND: &str = "field predictor 1";

/// Each variable by itself: h, and s if asked for.
pub type SelfMarkov = FieldPredictor<NoCoupling>;
/// Free couplings.
pub type KineticIsing = FieldPredictor<DenseCoupling>;
/// Couplings of low rank.
pub type LowRank = FieldPredictor<LowRankCoupling>;

/// Predicts the next step from the present one (and delayed ones) by the formula of the [module](super).
///
/// Made by [`FieldPredictor::fit`], or with zero parameters by [`FieldPredictor::new`] for learning on the way.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FieldPredictor<C> {
    pub(super) units: Units,
    pub(super) lags: usize,
    pub(super) link: Link,
    pub(super) own: bool,
    /// h, then s if there is an own term, then the own coupling of units with several members.
    pub(super) base: Vec<f64>,
    pub(super) compound: Vec<usize>,
    pub(super) coupling: C,
    learner: Option<Learner>,
    /// Values of the last `lags + 1` steps, the latest first.
    history: Vec<i8>,
    seen: usize,
    inputs: Vec<f64>,
    fields: Vec<f64>,
    ready: bool,
}

impl<C: Coupling> FieldPredictor<C> {
    /// A predictor with h = s = 0 and the couplings as they are. `own` says whether there is a term $`s_i b_i`$.
    ///
    /// # Panics
    /// If the coupling is not of U units and U (lags + 1) inputs.
    pub fn new(coupling: C, units: Units, lags: usize, link: Link, own: bool) -> Self {
        let (m, u) = (units.n_variables(), units.n_units());
        let expected = (u, u * (lags + 1));
        assert_eq!(coupling.shape(), expected, "coupling of shape {:?}, expected {expected:?}", coupling.shape());
        // Without couplings a cluster has no field of its own either.
        let compound =
            if coupling.parameters().is_empty() && coupling.name() == "none" { Vec::new() } else { units.compound() };
        let base = vec![0.0; m * (1 + usize::from(own)) + compound.len()];
        Self {
            lags,
            link,
            own,
            base,
            compound,
            learner: None,
            history: vec![0; m * (lags + 1)],
            seen: 0,
            inputs: vec![0.0; coupling.shape().1],
            fields: vec![0.0; m],
            ready: false,
            units,
            coupling,
        }
    }

    /// Goes on learning from every step observed.
    ///
    /// # Errors
    /// Of [`Learner::new`].
    pub fn learning(mut self, params: FrictionParams) -> Result<Self> {
        self.learner = Some(Learner::new(self.base.len() + self.coupling.parameters().len(), params)?);
        Ok(self)
    }

    /// Stops learning.
    pub fn frozen(mut self) -> Self {
        self.learner = None;
        self
    }

    /// The couplings.
    pub fn coupling(&self) -> &C {
        &self.coupling
    }

    /// What couples.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Local fields h.
    pub fn fields(&self) -> &[f64] {
        &self.base[..self.units.n_variables()]
    }

    /// Own couplings s; empty when there are none.
    pub fn own_couplings(&self) -> &[f64] {
        let m = self.units.n_variables();
        &self.base[m..m + if self.own { m } else { 0 }]
    }

    /// Where the own couplings of compound units begin.
    pub(super) fn compound_start(&self) -> usize {
        self.units.n_variables() * (1 + usize::from(self.own))
    }

    fn compute(&mut self) {
        if self.ready {
            return;
        }
        let (m, u) = (self.units.n_variables(), self.units.n_units());
        if u > 0 {
            let steps = self.history.chunks_exact(m).zip(self.inputs.chunks_exact_mut(u));
            steps.for_each(|(step, z)| self.units.inputs(step, z));
        }
        let mut unit_fields = vec![0.0; u];
        self.coupling.fields(&self.inputs, &mut unit_fields);
        let own = &self.base[self.compound_start()..];
        self.compound.iter().zip(own).for_each(|(&u, d)| unit_fields[u] += d * self.inputs[u]);
        self.fields.copy_from_slice(&self.base[..m]);
        if self.own {
            let terms = self.base[m..2 * m].iter().zip(&self.history[..m]);
            self.fields.iter_mut().zip(terms).for_each(|(f, (s, &b))| *f += s * f64::from(b));
        }
        self.units.spread(&unit_fields, &mut self.fields);
        self.ready = true;
    }

    fn learn(&mut self, step: &[i8], weigh_only: bool) {
        self.compute();
        let m = self.units.n_variables();
        let residual = |(f, &b): (&f64, &i8)| self.link.loss(*f, f64::from(b)).1;
        let residuals: Vec<f64> = self.fields.iter().zip(step).map(residual).collect();
        let mut unit_residuals = vec![0.0; self.units.n_units()];
        self.units.gather(&residuals, &mut unit_residuals);
        let n_base = self.base.len();
        let mut force = vec![0.0; n_base + self.coupling.parameters().len()];
        force[..m].copy_from_slice(&residuals);
        if self.own {
            let own = residuals.iter().zip(&self.history[..m]);
            force[m..2 * m].iter_mut().zip(own).for_each(|(f, (e, &b))| *f = e * f64::from(b));
        }
        let start = self.compound_start();
        let compound = force[start..n_base].iter_mut().zip(&self.compound);
        compound.for_each(|(f, &u)| *f = unit_residuals[u] * self.inputs[u]);
        self.coupling.force(&self.inputs, &unit_residuals, &mut force[n_base..]);
        let Some(learner) = &mut self.learner else { return };
        if weigh_only {
            return learner.weigh(&force);
        }
        let mut theta = self.base.clone();
        theta.extend_from_slice(self.coupling.parameters());
        learner.step(&mut theta, &force);
        self.base.copy_from_slice(&theta[..n_base]);
        self.coupling.parameters_mut().copy_from_slice(&theta[n_base..]);
    }

    fn shift(&mut self, step: &[i8]) {
        let m = step.len();
        self.history.copy_within(..m * self.lags, m);
        self.history[..m].copy_from_slice(step);
        self.seen = (self.seen + 1).min(self.lags + 1);
        self.ready = false;
    }

    /// Shows a step without learning from it; masses of a learner settle.
    ///
    /// # Panics
    /// If the step is not of M values.
    pub fn warm_up(&mut self, step: &[i8]) {
        self.check_step(step);
        if self.learner.is_some() && self.seen == self.lags + 1 {
            self.learn(step, true);
        }
        self.shift(step);
    }

    fn check_step(&self, step: &[i8]) {
        let m = self.units.n_variables();
        assert_eq!(step.len(), m, "step of {} for {m} variables", step.len());
    }

    fn problem(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str(self.coupling.name()).write_str(self.link.name());
        hash.write_usizes(&[self.lags, usize::from(self.own)]);
        self.units.write_hash(&mut hash);
        self.coupling.write_hash(&mut hash);
        hash.finish()
    }
}

impl<C: Coupling> OnlinePredictor for FieldPredictor<C> {
    fn n_variables(&self) -> usize {
        self.units.n_variables()
    }

    fn n_parameters(&self) -> usize {
        let clip = usize::from(matches!(self.link, Link::Linear { .. }));
        self.base.len() + self.coupling.parameters().len() + clip
    }

    fn predict(&mut self, probabilities: &mut [f64]) {
        let m = self.n_variables();
        assert_eq!(probabilities.len(), m, "{} probabilities for {m} variables", probabilities.len());
        self.compute();
        probabilities.iter_mut().zip(&self.fields).for_each(|(p, f)| *p = self.link.probability(*f));
    }

    fn observe(&mut self, step: &[i8]) {
        self.check_step(step);
        // The first steps have no complete past to learn from.
        if self.learner.is_some() && self.seen == self.lags + 1 {
            self.learn(step, false);
        }
        self.shift(step);
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        state.write_f64s(&self.base).write_f64s(self.coupling.parameters());
        state.write_i8s(&self.history).write_usize(self.seen);
        if let Link::Linear { clip } = self.link {
            state.write_f64(clip);
        }
        state.write_bool(self.learner.is_some());
        if let Some(learner) = &self.learner {
            learner.write(&mut state);
        }
        Checkpoint::new(KIND, self.problem(), state)
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let mut reader = from.open(KIND, self.problem())?;
        let mut restored = self.clone();
        reader.read_f64s_into(&mut restored.base)?;
        reader.read_f64s_into(restored.coupling.parameters_mut())?;
        reader.read_i8s_into(&mut restored.history)?;
        restored.seen = reader.read_usize()?.min(restored.lags + 1);
        if let Link::Linear { clip } = &mut restored.link {
            let at = reader.position();
            *clip = reader.read_f64()?;
            if !(*clip > 0.0 && *clip < 0.5) {
                return Err(CheckpointError::Invalid { what: "clip", at }.into());
            }
        }
        let n = restored.base.len() + restored.coupling.parameters().len();
        restored.learner = if reader.read_bool()? { Some(Learner::read(n, &mut reader)?) } else { None };
        reader.finish()?;
        restored.ready = false;
        *self = restored;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::generate::coulomb_stream;
    use crate::predict::{CoulombCoupling, CoulombParams};
    use linalg_core::Streams;

    #[test]
    fn a_resumed_stream_continues_bit_for_bit() {
        let mut rng = Streams::new(4).stream(0);
        let series = coulomb_stream::<3, _>(5, 300, &mut rng).unwrap().series;
        let units = Units::variables(5);
        let mut charges = CoulombCoupling::<3>::new(5, 10, CoulombParams::default()).unwrap();
        charges.randomize(&mut rng);
        let fresh = || {
            let params = FrictionParams::default().horizon(50.0);
            FieldPredictor::new(charges.clone(), units.clone(), 1, Link::Tanh, true).learning(params).unwrap()
        };
        let run = |predictor: &mut dyn OnlinePredictor, range: std::ops::Range<usize>| -> Vec<u64> {
            let (mut p, mut step, mut bits) = (vec![0.0; 5], vec![0; 5], Vec::new());
            for t in range {
                predictor.predict(&mut p);
                bits.extend(p.iter().map(|p| p.to_bits()));
                series.step_into(t, &mut step);
                predictor.observe(&step);
            }
            bits
        };
        let mut whole = fresh();
        run(&mut whole, 0..137);
        let bytes = whole.checkpoint().to_bytes();
        let rest = run(&mut whole, 137..300);
        let mut resumed = fresh();
        resumed.restore(&Checkpoint::from_bytes(&bytes).unwrap()).unwrap();
        assert_eq!(run(&mut resumed, 137..300), rest);
        assert_eq!(resumed.checkpoint(), whole.checkpoint());
        // Another form of the model refuses the state.
        let other = CoulombCoupling::<2>::new(5, 10, CoulombParams::default()).unwrap();
        let mut other = FieldPredictor::new(other, units.clone(), 1, Link::Tanh, true);
        assert!(other.restore(&Checkpoint::from_bytes(&bytes).unwrap()).is_err());
    }
}
