//! What long computations report.

/// How far a computation is, and what it knows by now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done, for example `enumerating`.
    pub stage: &'static str,
    /// Steps of this stage that are done.
    pub done: u64,
    /// Steps of this stage in all.
    pub total: u64,
    /// The running estimate of the energy, where there is one.
    pub energy: Option<f64>,
    /// The running estimate of ln Z, where there is one.
    pub ln_z: Option<f64>,
}

impl Progress {
    /// `done` of `total` steps of a stage.
    pub fn new(stage: &'static str, done: u64, total: u64) -> Self {
        Self { stage, done, total, energy: None, ln_z: None }
    }

    /// The same with a running energy.
    pub fn with_energy(mut self, energy: f64) -> Self {
        self.energy = Some(energy);
        self
    }

    /// The same with a running ln Z.
    pub fn with_ln_z(mut self, ln_z: f64) -> Self {
        self.ln_z = Some(ln_z);
        self
    }
}
