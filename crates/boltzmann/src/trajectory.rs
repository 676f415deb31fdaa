//! Tempering along the trajectory of training.

use linalg_core::Streams;
use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rng::{Xoshiro256PlusPlus, uniform_open01};
use spin_models::LnZ;

use crate::partition::{AisRun, bennett};
use crate::tempering::{Replica, read_exchanged, seed};
use crate::train::{read_parameters, save_parameters};
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// Chains of several machines, such as the states of one during its training, that exchange configurations.
///
/// Each machine r samples its own law at β = 1 by block Gibbs sweeps. Neighbours exchange configurations with probability
///
/// ```math
/// \min\left(1, e^{E_r(x_r) + E_{r+1}(x_{r+1}) - E_r(x_{r+1}) - E_{r+1}(x_r)}\right)
/// ```
///
/// of the *joint* energies. Machines early in training mix fast, and where training goes through a continuous transition neighbours
/// overlap all along; a ladder of temperatures may have to pass a discontinuous one. N. Béreux, A. Decelle, C. Furtlehner, L. Rosset and B. Seoane,
/// arXiv:2405.15376 (2024).
///
/// ```
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{Rbm, TrajectoryTempering};
/// use linalg_core::Streams;
///
/// let machine = |w: f64| Rbm::new(Bernoulli, Bernoulli, vec![w], vec![-0.5 * w], vec![-0.5 * w]);
/// let mut chains = TrajectoryTempering::new(vec![machine(0.0)?, machine(3.0)?, machine(6.0)?], 10, Streams::new(1))?;
/// let mut ones = 0.0;
/// for _ in 0..5000 {
///     chains.advance(1);
///     ones += (0..10).map(|c| chains.visible(2, c)[0]).sum::<f64>();
/// }
/// assert!((ones / 50_000.0 - 0.5).abs() < 0.03); // the machine does not change when both bits turn
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TrajectoryTempering<V, H> {
    machines: Vec<Rbm<V, H>>,
    chains: usize,
    replicas: Vec<Replica>,
    rng: Xoshiro256PlusPlus,
    streams: Streams,
    rounds: u64,
    exchanged: Vec<[u64; 2]>,
}

impl<V: Unit + Clone, H: Unit + Clone> TrajectoryTempering<V, H> {
    /// `chains` chains of each machine; they start in states of free visible units.
    ///
    /// # Errors
    /// [`Error::Empty`] for no machine, [`Error::WrongLength`] for machines of different sizes, [`Error::Parameter`] for no chain.
    pub fn new(machines: Vec<Rbm<V, H>>, chains: usize, streams: Streams) -> Result<Self> {
        let Some(first) = machines.first() else { return Err(Error::Empty { what: "list of machines" }) };
        for other in &machines {
            crate::error::check_length("visible units of a machine", other.visible_len(), first.visible_len())?;
            crate::error::check_length("hidden units of a machine", other.hidden_len(), first.hidden_len())?;
        }
        if chains == 0 {
            return Err(Error::Parameter { what: "number of chains", value: "0".to_owned(), expected: "1 or more" });
        }
        let replica = |k: usize| {
            let rbm = &machines[k / chains];
            let mut rng = streams.fast_stream(k as u64);
            let (mut v, mut h) = (vec![0.0; rbm.visible_len()], vec![0.0; rbm.hidden_len()]);
            crate::rbm::layer_sample(rbm.visible(), rbm.visible_bias(), 1.0, &mut v, &mut rng);
            rbm.sample_hidden(&v, 1.0, &mut h, &mut rng);
            Replica { v, h, rng }
        };
        Ok(Self {
            replicas: (0..machines.len() * chains).map(replica).collect(),
            rng: Xoshiro256PlusPlus::from_state([seed(streams), 4, 5, 6])?,
            exchanged: vec![[0; 2]; machines.len() - 1],
            machines,
            chains,
            streams,
            rounds: 0,
        })
    }

    /// The machines, the earliest first.
    pub fn machines(&self) -> &[Rbm<V, H>] {
        &self.machines
    }

    /// Puts another machine in the place of the last one, for training; the chains stay.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a machine of another size.
    pub fn set_last(&mut self, machine: Rbm<V, H>) -> Result<()> {
        let last = self.machines.len() - 1;
        crate::error::check_length("visible units", machine.visible_len(), self.machines[last].visible_len())?;
        crate::error::check_length("hidden units", machine.hidden_len(), self.machines[last].hidden_len())?;
        self.machines[last] = machine;
        Ok(())
    }

    /// Adds a copy of the last machine and of its chains; the counts of exchanges begin again.
    pub fn push_last(&mut self) {
        let last = self.machines.len() - 1;
        let first = self.replicas.len();
        for c in 0..self.chains {
            let Replica { v, h, .. } = self.replicas[last * self.chains + c].clone();
            let rng = self.streams.fast_stream((first + c) as u64);
            self.replicas.push(Replica { v, h, rng });
        }
        self.machines.push(self.machines[last].clone());
        self.exchanged.push([0; 2]);
        self.exchanged.fill([0; 2]);
    }

    /// The visible units of a chain of machine number `r`.
    ///
    /// # Panics
    /// If there is no such machine or chain.
    pub fn visible(&self, r: usize, chain: usize) -> &[f64] {
        &self.replica(r, chain).v
    }

    /// The hidden units of a chain of machine number `r`.
    ///
    /// # Panics
    /// If there is no such machine or chain.
    pub fn hidden(&self, r: usize, chain: usize) -> &[f64] {
        &self.replica(r, chain).h
    }

    fn replica(&self, r: usize, chain: usize) -> &Replica {
        let n = self.machines.len();
        assert!(r < n && chain < self.chains, "chain ({r}, {chain}) of {n} x {}", self.chains);
        &self.replicas[r * self.chains + chain]
    }

    /// The accepted part of the exchanges between machines r and r + 1; NaN before the first. While a
    /// [`DenseTrainer`](crate::train::DenseTrainer) moves the last machine, the last pair counts since it was last decided about the ladder.
    pub fn exchange_rates(&self) -> Vec<f64> {
        self.exchanged.iter().map(|[accepted, tried]| *accepted as f64 / *tried as f64).collect()
    }

    /// Accepted and tried exchanges of the last pair, since the last machine was added or since [`forget_last`](Self::forget_last).
    pub(crate) fn last_exchanges(&self) -> [u64; 2] {
        self.exchanged.last().copied().unwrap_or([0; 2])
    }

    /// Counts the exchanges of the last pair anew.
    pub(crate) fn forget_last(&mut self) {
        if let Some(counts) = self.exchanged.last_mut() {
            *counts = [0; 2];
        }
    }

    /// So many rounds: a sweep of every chain, then exchanges of the even or the odd pairs of machines in turn.
    pub fn advance(&mut self, rounds: u64) {
        for _ in 0..rounds {
            for (k, replica) in self.replicas.iter_mut().enumerate() {
                self.machines[k / self.chains].gibbs_sweep(&mut replica.v, &mut replica.h, 1.0, &mut replica.rng);
            }
            for r in ((self.rounds % 2) as usize..self.machines.len() - 1).step_by(2) {
                let (low, high) = self.replicas.split_at_mut((r + 1) * self.chains);
                let [early, late] = [&self.machines[r], &self.machines[r + 1]];
                for (x, y) in low[r * self.chains..].iter_mut().zip(high) {
                    let ln_ratio = early.energy(&x.v, &x.h) + late.energy(&y.v, &y.h)
                        - early.energy(&y.v, &y.h)
                        - late.energy(&x.v, &x.h);
                    self.exchanged[r][1] += 1;
                    if uniform_open01(&mut self.rng).ln() < ln_ratio {
                        std::mem::swap(&mut x.v, &mut y.v);
                        std::mem::swap(&mut x.h, &mut y.h);
                        self.exchanged[r][0] += 1;
                    }
                }
            }
            self.rounds += 1;
        }
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.write_usize(self.machines.len()).write_u64(self.rounds).write_xoshiro(&self.rng);
        out.write_u64s(self.exchanged.as_flattened());
        self.machines.iter().for_each(|machine| save_parameters(machine, out));
        self.replicas.iter().for_each(|replica| replica.save(out));
    }

    /// Reads what was saved of a ladder of machines of the same units, of any length.
    pub(crate) fn read(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        let at = from.position();
        let n = from.read_usize()?;
        // A machine takes more bytes than this.
        if n == 0 || n > from.remaining() {
            return Err(CheckpointError::Invalid { what: "number of machines", at });
        }
        self.rounds = from.read_count()?;
        self.rng = from.read_xoshiro()?;
        self.exchanged = read_exchanged(from, n - 1)?;
        let (machine, replica) = (self.machines[0].clone(), self.replicas[0].clone());
        (self.machines, self.replicas) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let mut machine = machine.clone();
            read_parameters(&mut machine, from)?;
            self.machines.push(machine);
        }
        for _ in 0..n * self.chains {
            let mut replica = replica.clone();
            replica.read(from)?;
            self.replicas.push(replica);
        }
        Ok(())
    }

    /// Goes on by so many rounds and estimates $`\ln Z_{r+1} - \ln Z_r`$ of all neighbours by Bennett's ratio on the free energies of the
    /// chains. With ln Z of the first machine, of independent units say, the sum is ln Z of the last.
    ///
    /// The standard errors take successive states of a chain for independent. Neighbouring steps share the states of the machine between
    /// them, so that the error of a sum is not that of independent steps: take it from several runs.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no round, [`Error::NotFinite`] where a machine gives free energies that are not finite.
    pub fn ln_z_steps(&mut self, rounds: u64) -> Result<Vec<LnZ>> {
        if rounds == 0 {
            return Err(Error::Parameter { what: "rounds", value: "0".to_owned(), expected: "1 or more" });
        }
        let n = self.machines.len() - 1;
        let mut works = vec![[Vec::new(), Vec::new()]; n];
        for _ in 0..rounds {
            self.advance(1);
            for (r, works) in works.iter_mut().enumerate() {
                for (side, works) in works.iter_mut().enumerate() {
                    for c in 0..self.chains {
                        let v = self.visible(r + side, c);
                        let [early, late] = [&self.machines[r], &self.machines[r + 1]];
                        works.push(early.free_energy(v, 1.0) - late.free_energy(v, 1.0));
                    }
                }
            }
        }
        works
            .into_iter()
            .map(|[forward, reverse]| {
                let run = |ln_weights, reverse| AisRun { ln_weights, reverse };
                bennett(&run(forward, false), &run(reverse, true))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::exact_ln_z;
    use crate::units::{Bernoulli, Spin};
    use linalg_core::rng::standard_normal;

    fn machines() -> Vec<Rbm<Bernoulli, Spin>> {
        let mut rng = Streams::new(1).stream(0);
        let mut normals = |n: usize| (0..n).map(|_| standard_normal(&mut rng)).collect::<Vec<_>>();
        let (w, a, b) = (normals(12), normals(4), normals(3));
        let scaled = |x: &[f64], t: f64| x.iter().map(|x| t * x).collect::<Vec<_>>();
        // Weights grow faster than biases: not a path of temperatures.
        let machine =
            |t: f64| Rbm::new(Bernoulli, Spin, scaled(&w, 1.2 * t * t), scaled(&a, t), scaled(&b, t)).unwrap();
        [0.0, 0.6, 1.0].map(machine).to_vec()
    }

    #[test]
    fn every_machine_has_its_law() {
        let machines = machines();
        let mut chains = TrajectoryTempering::new(machines.clone(), 20, Streams::new(2)).unwrap();
        chains.advance(100);
        let mut counts = vec![[0.0; 16]; 3];
        // 2·10⁵ samples of each machine.
        for _ in 0..10_000 {
            chains.advance(1);
            for (r, counts) in counts.iter_mut().enumerate() {
                for c in 0..20 {
                    let state = chains.visible(r, c).iter().enumerate().map(|(k, &x)| (x as usize) << k).sum::<usize>();
                    counts[state] += 1.0 / 200_000.0;
                }
            }
        }
        for (rbm, counts) in machines.iter().zip(&counts) {
            let ln_z = exact_ln_z(rbm, 1.0).unwrap();
            let distance: f64 = (0..16)
                .map(|s| {
                    let v: Vec<f64> = (0..4).map(|k| f64::from(s >> k & 1)).collect();
                    0.5 * ((-rbm.free_energy(&v, 1.0) - ln_z).exp() - counts[s as usize]).abs()
                })
                .sum();
            assert!(distance < 0.01, "{distance}");
        }
        assert!(chains.exchange_rates().iter().all(|rate| (0.05..1.0).contains(rate)));
        let steps = chains.ln_z_steps(500).unwrap();
        for (step, pair) in steps.iter().zip(machines.windows(2)) {
            let exact = exact_ln_z(&pair[1], 1.0).unwrap() - exact_ln_z(&pair[0], 1.0).unwrap();
            // Successive states are correlated: three times the quoted error as one.
            assert!((step.value - exact).abs() < 9.0 * step.std_error.unwrap(), "{step:?} {exact}");
        }
    }

    #[test]
    fn ladders_grow_and_bad_ones_are_refused() {
        let mut chains = TrajectoryTempering::new(machines()[..1].to_vec(), 3, Streams::new(3)).unwrap();
        chains.push_last();
        chains.set_last(machines()[1].clone()).unwrap();
        chains.advance(10);
        assert_eq!((chains.machines().len(), chains.last_exchanges()[1]), (2, 15));
        chains.forget_last();
        assert_eq!(chains.last_exchanges(), [0; 2]);
        assert_eq!((chains.visible(1, 2).len(), chains.hidden(1, 2).len()), (4, 3));
        assert!(chains.ln_z_steps(0).is_err());
        let mut broken = machines()[1].clone();
        broken.parameters_mut().2[0] = f64::NAN;
        chains.set_last(broken).unwrap();
        let error = chains.ln_z_steps(1).unwrap_err().to_string();
        assert!(error.starts_with("log-weight of the forward run[0] is NaN"), "{error}");
        let small = Rbm::new(Bernoulli, Spin, vec![0.0], vec![0.0], vec![0.0]).unwrap();
        assert!(chains.set_last(small.clone()).is_err());
        assert!(TrajectoryTempering::<Bernoulli, Spin>::new(vec![], 1, Streams::new(1)).is_err());
        assert!(TrajectoryTempering::new(machines(), 0, Streams::new(1)).is_err());
        let mixed = vec![machines()[0].clone(), small];
        assert!(TrajectoryTempering::new(mixed, 1, Streams::new(1)).is_err());
    }
}
