//! General Boltzmann machines: any couplings, some units hidden.

use linalg_core::rand::Rng;
use spin_models::mcmc::heat_bath_acceptance;
use spin_models::{CachedModel, EnergyModel, Enumerable, Enumeration, InteractionModel, Ising, PairwiseModel};

use crate::error::check_beta;
use crate::{Error, Result};

/// An Ising model of which the first `n_visible` spins are data and the others hidden.
///
/// It *is* that [`Ising`] model: samplers and solvers of `spin-models` and `variational` take it, or
/// [`ising`](Self::ising), as any other. Lateral couplings are allowed in both layers.
///
/// D. H. Ackley, G. E. Hinton and T. J. Sejnowski, Cognitive Science 9, 147 (1985).
///
/// ```
/// use boltzmann::BoltzmannMachine;
/// use spin_models::{Enumeration, Ising, LogPartition};
///
/// let pair = Ising::builder(2).coupling(0, 1, 1.0).build()?;
/// let machine = BoltzmannMachine::new(pair, 1)?;
/// let ln_z = Enumeration::default().ln_z(machine.ising(), 0.5)?.value;
/// assert!((ln_z - (4.0 * 0.5f64.cosh()).ln()).abs() < 1e-14);
/// // One visible spin: Σ over the hidden one is 2 cosh β.
/// assert!((machine.log_likelihood(&[1], 0.5)? - 0.5f64.ln()).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BoltzmannMachine {
    ising: Ising,
    n_visible: usize,
}

/// Means of spins and of products of coupled spins, in the order of [`Ising::couplings`]: a gradient is a difference of two.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MachineStatistics {
    /// Means of `s_i s_j` for each coupling.
    pub couplings: Vec<f64>,
    /// Means of `s_i`.
    pub fields: Vec<f64>,
}

/// How the hidden units of a data row are averaged.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum PositivePhase {
    /// Over all their states: at most 20 hidden units.
    Exact,
    /// By Gibbs sampling: sweeps thrown away, then sweeps averaged.
    Gibbs {
        /// Sweeps before the first that counts.
        discard: usize,
        /// Sweeps averaged.
        sweeps: usize,
    },
    /// By naive mean field, `m_j = tanh β(h_j + Σ J m)`, iterated until no m changes by more than the tolerance.
    MeanField {
        /// The largest change allowed at the end.
        tolerance: f64,
        /// Iterations at most.
        max_iterations: usize,
    },
}

impl BoltzmannMachine {
    /// The model `ising` with its first `n_visible` spins visible.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `n_visible` is from 1 to the number of spins.
    pub fn new(ising: Ising, n_visible: usize) -> Result<Self> {
        if n_visible == 0 || n_visible > ising.n_spins() {
            return Err(Error::Parameter {
                what: "number of visible units",
                value: n_visible.to_string(),
                expected: "1 to the number of spins",
            });
        }
        Ok(Self { ising, n_visible })
    }

    /// The model.
    pub fn ising(&self) -> &Ising {
        &self.ising
    }

    /// The model, without the machine around it.
    pub fn into_ising(self) -> Ising {
        self.ising
    }

    /// Number of visible spins, the first ones.
    pub fn n_visible(&self) -> usize {
        self.n_visible
    }

    /// Number of hidden spins, the last ones.
    pub fn n_hidden(&self) -> usize {
        self.ising.n_spins() - self.n_visible
    }

    fn check_row(&self, row: usize, v: &[i8]) -> Result<()> {
        if v.len() != self.n_visible {
            return Err(Error::WrongLength { what: "visible spins", got: v.len(), expected: self.n_visible });
        }
        match v.iter().position(|&s| s != 1 && s != -1) {
            None => Ok(()),
            Some(entry) => Err(Error::Alphabet { row, entry, value: f64::from(v[entry]), expected: "-1 or 1" }),
        }
    }

    /// The hidden spins as a model of their own, with the visible ones held at `v`.
    ///
    /// # Errors
    /// [`Error::WrongLength`], [`Error::Alphabet`]; [`Error::NotApplicable`] without hidden units.
    pub fn clamped(&self, v: &[i8]) -> Result<Ising> {
        self.check_row(0, v)?;
        let n = self.n_visible;
        if self.n_hidden() == 0 {
            return Err(Error::NotApplicable { method: "clamped model", reason: "the machine has no hidden units" });
        }
        let mut fields = self.ising.fields()[n..].to_vec();
        let mut offset = self.ising.offset();
        offset -= self.ising.fields()[..n].iter().zip(v).map(|(h, &s)| h * f64::from(s)).sum::<f64>();
        let mut couplings = Vec::new();
        for (i, k, j) in self.ising.couplings() {
            match (i < n, k < n) {
                (true, true) => offset -= j * f64::from(v[i]) * f64::from(v[k]),
                (true, false) => fields[k - n] += j * f64::from(v[i]),
                (false, true) => fields[i - n] += j * f64::from(v[k]),
                (false, false) => couplings.push((i - n, k - n, j)),
            }
        }
        Ok(Ising::builder(fields.len()).couplings(couplings).fields(fields).offset(offset).build()?)
    }

    /// `ln Σ_h e^{-βE(v, h)}`: exact, by enumeration of the hidden units.
    ///
    /// # Errors
    /// As [`clamped`](Self::clamped); when there are too many hidden units to enumerate.
    pub fn ln_weight(&self, v: &[i8], beta: f64) -> Result<f64> {
        use spin_models::LogPartition;
        check_beta(beta)?;
        self.check_row(0, v)?;
        if self.n_hidden() == 0 {
            return Ok(-beta * self.ising.energy(v));
        }
        Ok(Enumeration::default().ln_z(&self.clamped(v)?, beta)?.value)
    }

    /// `ln P(v)`: exact, by enumeration of all units and of the hidden ones.
    ///
    /// # Errors
    /// As [`ln_weight`](Self::ln_weight).
    pub fn log_likelihood(&self, v: &[i8], beta: f64) -> Result<f64> {
        use spin_models::LogPartition;
        Ok(self.ln_weight(v, beta)? - Enumeration::default().ln_z(&self.ising, beta)?.value)
    }

    fn zeros(&self) -> MachineStatistics {
        MachineStatistics { couplings: vec![0.0; self.ising.n_couplings()], fields: vec![0.0; self.ising.n_spins()] }
    }

    /// Adds `weight` times the statistics of independent spins of these means.
    fn add_means(&self, into: &mut MachineStatistics, weight: f64, means: &[f64]) {
        into.fields.iter_mut().zip(means).for_each(|(sum, m)| *sum += weight * m);
        for (sum, (i, k, _)) in into.couplings.iter_mut().zip(self.ising.couplings()) {
            *sum += weight * means[i] * means[k];
        }
    }

    /// The statistics of the whole machine, exact.
    ///
    /// # Errors
    /// When there are too many units to enumerate (24).
    pub fn model_statistics(&self, beta: f64) -> Result<MachineStatistics> {
        check_beta(beta)?;
        let distribution = Enumeration::default().distribution(&self.ising, beta)?;
        let mut sums = self.zeros();
        for (state, &p) in distribution.probabilities().iter().enumerate() {
            let means: Vec<f64> = distribution.configuration(state).iter().map(|&s| f64::from(s)).collect();
            self.add_means(&mut sums, p, &means);
        }
        Ok(sums)
    }

    /// The mean statistics of data rows, hidden units averaged given the visible ones.
    ///
    /// The mean field positive phase gives the gradient of a lower bound of the likelihood. It may not converge; what it
    /// has after its iterations is used.
    ///
    /// # Errors
    /// [`Error::Empty`]; [`Error::Alphabet`] with row and entry; for [`PositivePhase::Exact`] too many hidden units.
    pub fn data_statistics<R: Rng + ?Sized>(
        &self,
        data: &[i8],
        beta: f64,
        phase: PositivePhase,
        rng: &mut R,
    ) -> Result<MachineStatistics> {
        check_beta(beta)?;
        if data.is_empty() {
            return Err(Error::Empty { what: "data" });
        }
        if !data.len().is_multiple_of(self.n_visible) {
            let expected = data.len().div_ceil(self.n_visible) * self.n_visible;
            return Err(Error::WrongLength { what: "data", got: data.len(), expected });
        }
        let rows = data.len() / self.n_visible;
        let weight = 1.0 / rows as f64;
        let mut sums = self.zeros();
        for (row, v) in data.chunks_exact(self.n_visible).enumerate() {
            self.check_row(row, v)?;
            let mut means: Vec<f64> = v.iter().map(|&s| f64::from(s)).collect();
            if self.n_hidden() == 0 {
                self.add_means(&mut sums, weight, &means);
                continue;
            }
            let clamped = self.clamped(v)?;
            means.resize(self.ising.n_spins(), 0.0);
            match phase {
                PositivePhase::Exact => {
                    let distribution = Enumeration::default().with_max_spins(20).distribution(&clamped, beta)?;
                    for (state, &p) in distribution.probabilities().iter().enumerate() {
                        self.set_hidden(&mut means, &distribution.configuration(state));
                        self.add_means(&mut sums, weight * p, &means);
                    }
                }
                PositivePhase::Gibbs { discard, sweeps } => {
                    let mut h = spin_models::Spins::random(self.n_hidden(), rng);
                    for sweep in 0..discard + sweeps.max(1) {
                        gibbs_sweep(&clamped, &mut h, beta, rng);
                        if sweep >= discard {
                            self.set_hidden(&mut means, &h);
                            self.add_means(&mut sums, weight / sweeps.max(1) as f64, &means);
                        }
                    }
                }
                PositivePhase::MeanField { tolerance, max_iterations } => {
                    mean_field(&clamped, &mut means[self.n_visible..], beta, tolerance, max_iterations);
                    self.add_means(&mut sums, weight, &means);
                }
            }
        }
        Ok(sums)
    }

    fn set_hidden(&self, means: &mut [f64], h: &[i8]) {
        means[self.n_visible..].iter_mut().zip(h).for_each(|(m, &s)| *m = f64::from(s));
    }

    /// The machine after a step `rate · β · (data - model)` along the gradient of the log-likelihood.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for statistics of another machine; when a parameter becomes NaN or infinite.
    pub fn stepped(&self, rate: f64, beta: f64, data: &MachineStatistics, model: &MachineStatistics) -> Result<Self> {
        for statistics in [data, model] {
            let (got, expected) = (statistics.couplings.len(), self.ising.n_couplings());
            if got != expected {
                return Err(Error::WrongLength { what: "statistics of couplings", got, expected });
            }
            let (got, expected) = (statistics.fields.len(), self.ising.n_spins());
            if got != expected {
                return Err(Error::WrongLength { what: "statistics of fields", got, expected });
            }
        }
        let eta = rate * beta;
        let couplings = self.ising.couplings().enumerate();
        let couplings = couplings.map(|(c, (i, k, j))| (i, k, j + eta * (data.couplings[c] - model.couplings[c])));
        let fields = self.ising.fields().iter().zip(data.fields.iter().zip(&model.fields));
        let ising = Ising::builder(self.ising.n_spins())
            .couplings(couplings.collect::<Vec<_>>())
            .fields(fields.map(|(h, (d, m))| h + eta * (d - m)).collect::<Vec<_>>())
            .offset(self.ising.offset())
            .build()?;
        Self::new(ising, self.n_visible)
    }
}

fn gibbs_sweep<R: Rng + ?Sized>(model: &Ising, s: &mut [i8], beta: f64, rng: &mut R) {
    for i in 0..s.len() {
        let delta = 2.0 * f64::from(s[i]) * model.local_field(s, i);
        if linalg_core::rng::uniform_open01(rng) < heat_bath_acceptance(beta * delta) {
            s[i] = -s[i];
        }
    }
}

/// Naive mean field; returns whether it converged.
fn mean_field(model: &Ising, m: &mut [f64], beta: f64, tolerance: f64, max_iterations: usize) -> bool {
    m.iter_mut().enumerate().for_each(|(i, m)| *m = (beta * model.fields()[i]).tanh());
    for _ in 0..max_iterations {
        let mut change = 0.0f64;
        for i in 0..m.len() {
            let field = model.fields()[i] + model.neighbors(i).map(|(k, j)| j * m[k]).sum::<f64>();
            let new = (beta * field).tanh();
            change = change.max((new - m[i]).abs());
            m[i] = new;
        }
        if change <= tolerance {
            return true;
        }
    }
    false
}

impl EnergyModel for BoltzmannMachine {
    fn n_spins(&self) -> usize {
        self.ising.n_spins()
    }
    fn energy(&self, s: &[i8]) -> f64 {
        self.ising.energy(s)
    }
    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        self.ising.delta_energy(s, i)
    }
    fn energies(&self, batch: &[i8], out: &mut [f64]) {
        self.ising.energies(batch, out);
    }
    fn content_hash(&self) -> u64 {
        self.ising.content_hash()
    }
}

impl CachedModel for BoltzmannMachine {
    type Cache = <Ising as CachedModel>::Cache;

    fn cache(&self, s: &[i8]) -> Self::Cache {
        self.ising.cache(s)
    }
    fn delta_cached(&self, cache: &Self::Cache, s: &[i8], i: usize) -> f64 {
        self.ising.delta_cached(cache, s, i)
    }
    fn flip(&self, cache: &mut Self::Cache, s: &mut [i8], i: usize) {
        self.ising.flip(cache, s, i);
    }
    fn energy_cached(&self, cache: &Self::Cache, s: &[i8]) -> f64 {
        self.ising.energy_cached(cache, s)
    }
    fn refresh(&self, cache: &mut Self::Cache, s: &[i8]) {
        self.ising.refresh(cache, s);
    }
}

impl PairwiseModel for BoltzmannMachine {
    fn field(&self, i: usize) -> f64 {
        self.ising.field(i)
    }
    fn neighbors(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        PairwiseModel::neighbors(&self.ising, i)
    }
}

impl Enumerable for BoltzmannMachine {
    fn interactions(&self) -> Option<std::borrow::Cow<'_, InteractionModel>> {
        self.ising.interactions()
    }
}
