//! Whether so many sweeps bring chains of a machine to its law.

use linalg_core::Streams;
use linalg_core::rand::RngExt;
use linalg_core::stats::{Estimate, Running};

use crate::{BitRows, CorrelationAgreement, GibbsChains, PackedRbm, Result, compare_correlations};

/// Chains that began at rows of the data beside as many that began at random bits, after the same sweeps.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Equilibrium {
    /// Mean free energy of the chains from the data.
    pub from_data: Estimate,
    /// Mean free energy of the chains from random bits.
    pub from_noise: Estimate,
    /// Means and correlations of order 2 and 3 of the two sets of chains against each other.
    pub correlations: CorrelationAgreement,
}

impl Equilibrium {
    /// The difference of the two energies in standard errors; beyond 4, say, the sweeps were too few for one of the two beginnings.
    pub fn z(&self) -> f64 {
        self.from_noise.z_score(&self.from_data)
    }
}

/// Runs chains of `machine` for `sweeps` sweeps from `rows` and from random bits, and compares where they are.
///
/// Machines trained with short chains often draw good rows from the data's neighbourhood, or after as many sweeps as they were
/// trained with, while their law is another; the two beginnings then disagree. Agreement is necessary, not sufficient: both may miss
/// a part of the law.
///
/// Cost: two chains a row, `sweeps` sweeps each, and as [`compare_correlations`].
///
/// ```
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{BitRows, PackedRbm, Rbm, equilibrium};
/// use linalg_core::Streams;
///
/// // Eight bits that a strong hidden unit holds together: zeros are unlikely, but are not left within ten sweeps.
/// let machine = |w: f64| {
///     PackedRbm::new(&Rbm::new(Bernoulli, Bernoulli, vec![w; 8], vec![-0.5 * w; 8], vec![5.0 - 4.0 * w])?)
/// };
/// let zeros = BitRows::from_bytes(&[0; 8 * 400], 8)?;
/// let slow = equilibrium(&machine(6.0)?, &zeros, 10, Streams::new(1), 1)?;
/// let fast = equilibrium(&machine(0.5)?, &zeros, 10, Streams::new(1), 1)?;
/// assert!(slow.z() < -10.0 && fast.z().abs() < 4.0);
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// A. Decelle, C. Furtlehner and B. Seoane, "Equilibrium and non-equilibrium regimes in the learning of restricted Boltzmann machines",
/// NeurIPS 2021.
///
/// # Errors
/// [`Error::WrongLength`](crate::Error::WrongLength) if the rows do not fit the machine.
pub fn equilibrium(
    machine: &PackedRbm,
    rows: &BitRows,
    sweeps: u64,
    streams: Streams,
    threads: usize,
) -> Result<Equilibrium> {
    let n = rows.n_columns();
    let mut rng = streams.fast_stream(0);
    let noise: Vec<u8> = (0..n * rows.n_rows()).map(|_| rng.random_range(0..2u64) as u8).collect();
    let run = |start: &BitRows, child: u64| -> Result<BitRows> {
        let mut chains = GibbsChains::at_rows(machine, start, streams.child(child))?;
        chains.advance(machine, sweeps, threads);
        Ok(chains.visible())
    };
    let (data, noise) = (run(rows, 1)?, run(&BitRows::from_bytes(&noise, n)?, 2)?);
    let energy = |rows: &BitRows| {
        let mut mean = Running::new();
        machine.free_energies(rows).into_iter().for_each(|x| mean.push(x));
        mean.estimate()
    };
    let triples = if n < 3 { 0 } else { 1000 };
    Ok(Equilibrium {
        from_data: energy(&data),
        from_noise: energy(&noise),
        correlations: compare_correlations(&data, &noise, triples, streams.child(3))?,
    })
}
