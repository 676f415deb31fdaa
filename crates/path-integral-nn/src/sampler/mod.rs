//! Samplers of paths, all behind one trait.
//!
//! | [`Method`] | proposal | cost of a step |
//! |---|---|---|
//! | `Metropolis` | one point after the other | one potential |
//! | `Staging` | free bridges over segments | one potential |
//! | `Pcn` | $`\sqrt{1-b^2}\,y + b\,\xi`$, $`\xi`$ from the reference | one potential |
//! | `Hmc` | leapfrog, unit mass | O(√(stiffest/softest)) forces |
//! | `HmcReference` | leapfrog around the exact rotation of the reference, whose precision is the mass | five forces and a potential |
//! | `Independence` | fresh paths of the reference | one potential |
//! | `Langevin` | preconditioned Langevin step with accept step | one force and a potential |
//!
//! The middle column says why mesh independence comes for free: the reference action carries the stiffness of the
//! kinetic term, and what is left, $`\Phi = S - S_{\mathrm{ref}}`$, does not know the time step. In the language of networks, the
//! weights of step functions (velocities) are the preconditioner.
//!
//! [`LANES`] chains run side by side in a block, one after the other in memory for each point of the path; chain `k` draws from
//! its own stream.

mod block;
mod chains;
mod gaussian;
mod hmc;
mod hmc_reference;
mod importance;
mod local;

use std::fmt;

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};

pub use crate::action::LANES;
pub use block::{Block, Target};
pub use chains::{Chains, ChainsParams, Measurement, Progress};
pub use importance::{Importance, importance};

use crate::error::{Error, Result};

/// A Markov kernel that leaves $`e^{-S/\hbar}`$ invariant, for a block of chains.
///
/// Those of [`Method`] come with the crate; [`Chains::with_sampler`] takes any other, and a step may call the step of another
/// sampler. A sampler with step sizes [writes](Self::write) and [reads](Self::read) them, else a restored run is another one.
pub trait Sampler: fmt::Debug + Send {
    /// One step of every chain of the block.
    fn step(&mut self, block: &mut Block);

    /// Changes step sizes after some steps with this rate of acceptance; called only while chains thermalise.
    fn adapt(&mut self, _acceptance: f64) {}

    /// Writes what [`adapt`](Self::adapt) and steps have changed.
    fn write(&self, _out: &mut Writer) {}

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// What the reader finds wrong.
    fn read(&mut self, _from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        Ok(())
    }
}

/// A sampler by name; [`HmcReference`](Self::HmcReference) is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Method {
    /// Single points, tuned to an acceptance of one half.
    Metropolis,
    /// Bridges of 8 steps, shortened when few are accepted.
    Staging,
    /// Preconditioned Crank-Nicolson (Cotter, Roberts, Stuart and White, Stat. Sci. 28, 424 (2013)).
    Pcn,
    /// Hamiltonian Monte Carlo in the points of the path, unit mass.
    Hmc,
    /// Hamiltonian Monte Carlo whose mass is the precision of the reference: a quarter period, five kicks.
    #[default]
    HmcReference,
    /// Fresh paths of the reference, accepted by the ratio of weights.
    Independence,
    /// Metropolis-adjusted preconditioned Langevin steps, Crank-Nicolson in the reference.
    Langevin,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Metropolis, Self::Staging, Self::Pcn, Self::Hmc, Self::HmcReference, Self::Independence, Self::Langevin];

    /// The name in output: `hmc-reference`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metropolis => "metropolis",
            Self::Staging => "staging",
            Self::Pcn => "pcn",
            Self::Hmc => "hmc",
            Self::HmcReference => "hmc-reference",
            Self::Independence => "independence",
            Self::Langevin => "langevin",
        }
    }

    /// The sampler of a name.
    ///
    /// ```
    /// use path_integral_nn::sampler::Method;
    ///
    /// assert_eq!(Method::from_name("pcn"), Some(Method::Pcn));
    /// assert_eq!(Method::from_name("gibbs"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// A sampler with its first step sizes.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for staging on a closed path of one slice.
    pub fn sampler(self, target: &Target) -> Result<Box<dyn Sampler>> {
        let slices = target.action().ensemble().slices();
        Ok(match self {
            Self::Metropolis => Box::new(local::Metropolis::new(target)),
            Self::Staging if slices == 1 && target.action().ensemble().is_periodic() => {
                let reason = "a closed path of one slice has no segments: take another sampler";
                return Err(Error::NotApplicable { what: "staging", reason });
            }
            Self::Staging => Box::new(local::Staging::new(target)),
            Self::Pcn => Box::new(gaussian::Pcn::new(1.0)),
            Self::Hmc => Box::new(hmc::Hmc::new(target)),
            Self::HmcReference => Box::new(hmc_reference::HmcReference::new()),
            Self::Independence => Box::new(gaussian::Independence::default()),
            Self::Langevin => Box::new(gaussian::Langevin::new()),
        })
    }
}
