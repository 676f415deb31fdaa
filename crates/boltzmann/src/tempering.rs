//! Parallel tempering of both layers.

use linalg_core::Streams;
use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rng::{Xoshiro256PlusPlus, uniform_open01};

use crate::error::check_beta;
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// Chains at several temperatures that exchange states by the *joint* energy, for any units.
///
/// Replica r samples `exp(-β_r E(v, h))` by block Gibbs sweeps; neighbours exchange their states with probability
/// `min(1, exp((β_r - β_s)(E_r - E_s)))`. (Tempering the free energy of the visible units alone has another law at every β but one.)
///
/// ```
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{JointTempering, Rbm};
/// use linalg_core::Streams;
///
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![3.0], vec![-1.5], vec![-1.5])?;
/// let mut chains = JointTempering::new(&rbm, vec![0.25, 0.5, 1.0], 1, Streams::new(1))?;
/// let mut ones = 0.0;
/// for _ in 0..20_000 {
///     chains.advance(&rbm, 1);
///     ones += chains.visible(2, 0)[0];
/// }
/// assert!((ones / 20_000.0 - 0.5).abs() < 0.02); // the machine does not change when all bits turn
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct JointTempering {
    betas: Vec<f64>,
    chains: usize,
    replicas: Vec<Replica>,
    rng: Xoshiro256PlusPlus,
    rounds: u64,
    exchanged: Vec<[u64; 2]>,
}

#[derive(Debug, Clone)]
pub(crate) struct Replica {
    pub(crate) v: Vec<f64>,
    pub(crate) h: Vec<f64>,
    pub(crate) rng: Xoshiro256PlusPlus,
}

impl Replica {
    pub(crate) fn save(&self, out: &mut Writer) {
        out.write_f64s(&self.v).write_f64s(&self.h).write_xoshiro(&self.rng);
    }

    pub(crate) fn read(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        from.read_f64s_into(&mut self.v)?;
        from.read_f64s_into(&mut self.h)?;
        self.rng = from.read_xoshiro()?;
        Ok(())
    }
}

impl JointTempering {
    /// `chains` chains at each of the temperatures, ascending β; they start in random states of free units.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the β are positive and ascend and there is a chain.
    pub fn new<V: Unit, H: Unit>(rbm: &Rbm<V, H>, betas: Vec<f64>, chains: usize, streams: Streams) -> Result<Self> {
        betas.iter().try_for_each(|&beta| check_beta(beta))?;
        if betas.is_empty() || betas.windows(2).any(|pair| pair[0] >= pair[1]) {
            let value = format!("{betas:?}");
            return Err(Error::Parameter { what: "betas", value, expected: "one or more, ascending" });
        }
        if chains == 0 {
            return Err(Error::Parameter { what: "number of chains", value: "0".to_owned(), expected: "1 or more" });
        }
        let replica = |k: usize| {
            let mut rng = streams.fast_stream(k as u64);
            let mut v = vec![0.0; rbm.visible_len()];
            let mut h = vec![0.0; rbm.hidden_len()];
            crate::rbm::layer_sample(rbm.visible(), rbm.visible_bias(), betas[k / chains], &mut v, &mut rng);
            rbm.sample_hidden(&v, betas[k / chains], &mut h, &mut rng);
            Replica { v, h, rng }
        };
        let replicas = (0..betas.len() * chains).map(replica).collect();
        let exchanged = vec![[0; 2]; betas.len().saturating_sub(1)];
        Ok(Self {
            chains,
            replicas,
            rng: Xoshiro256PlusPlus::from_state([seed(streams), 1, 2, 3])?,
            rounds: 0,
            exchanged,
            betas,
        })
    }

    /// The inverse temperatures.
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// The visible units of a chain at temperature number `r`.
    ///
    /// # Panics
    /// If there is no such temperature or chain.
    pub fn visible(&self, r: usize, chain: usize) -> &[f64] {
        &self.replica(r, chain).v
    }

    /// The hidden units of a chain at temperature number `r`.
    ///
    /// # Panics
    /// If there is no such temperature or chain.
    pub fn hidden(&self, r: usize, chain: usize) -> &[f64] {
        &self.replica(r, chain).h
    }

    fn replica(&self, r: usize, chain: usize) -> &Replica {
        assert!(
            r < self.betas.len() && chain < self.chains,
            "chain ({r}, {chain}) of {} x {}",
            self.betas.len(),
            self.chains
        );
        &self.replicas[r * self.chains + chain]
    }

    /// The accepted part of the exchanges between temperatures r and r + 1; NaN before the first.
    pub fn exchange_rates(&self) -> Vec<f64> {
        self.exchanged.iter().map(|[accepted, tried]| *accepted as f64 / *tried as f64).collect()
    }

    /// So many rounds: a sweep of every chain, then exchanges of the even or the odd pairs of temperatures in turn.
    ///
    /// # Panics
    /// If the machine has other sizes than the one this was made for.
    pub fn advance<V: Unit, H: Unit>(&mut self, rbm: &Rbm<V, H>, rounds: u64) {
        for _ in 0..rounds {
            for (k, replica) in self.replicas.iter_mut().enumerate() {
                let beta = self.betas[k / self.chains];
                rbm.gibbs_sweep(&mut replica.v, &mut replica.h, beta, &mut replica.rng);
            }
            for r in ((self.rounds % 2) as usize..self.betas.len() - 1).step_by(2) {
                let step = self.betas[r + 1] - self.betas[r];
                let (low, high) = self.replicas.split_at_mut((r + 1) * self.chains);
                for (low, high) in low[r * self.chains..].iter_mut().zip(high) {
                    let ln_ratio = step * (rbm.energy(&high.v, &high.h) - rbm.energy(&low.v, &low.h));
                    self.exchanged[r][1] += 1;
                    if uniform_open01(&mut self.rng).ln() < ln_ratio {
                        std::mem::swap(&mut low.v, &mut high.v);
                        std::mem::swap(&mut low.h, &mut high.h);
                        self.exchanged[r][0] += 1;
                    }
                }
            }
            self.rounds += 1;
        }
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.write_u64(self.rounds).write_xoshiro(&self.rng).write_u64s(self.exchanged.as_flattened());
        self.replicas.iter().for_each(|replica| replica.save(out));
    }

    /// Reads what was saved of chains of as many temperatures.
    pub(crate) fn read(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        self.rounds = from.read_count()?;
        self.rng = from.read_xoshiro()?;
        self.exchanged = read_exchanged(from, self.exchanged.len())?;
        self.replicas.iter_mut().try_for_each(|replica| replica.read(from))
    }
}

/// Reads the counts of exchanges of `pairs` pairs.
pub(crate) fn read_exchanged(
    from: &mut Reader<'_>,
    pairs: usize,
) -> std::result::Result<Vec<[u64; 2]>, CheckpointError> {
    let at = from.position();
    let counts = from.read_u64s()?;
    match counts.as_chunks() {
        (counts, []) if counts.len() == pairs => Ok(counts.to_vec()),
        _ => Err(CheckpointError::Length { at, expected: 2 * pairs, found: counts.len() as u64 }),
    }
}

pub(crate) fn seed(streams: Streams) -> u64 {
    use linalg_core::rand::Rng;
    streams.stream(0).next_u64()
}
