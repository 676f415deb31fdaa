//! Replicas with real couplings: what the engines have in common.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::{Rng, SeedableRng};
use linalg_core::rng::{Streams, Xoshiro256PlusPlus};

use super::couplings::RealModel;
use super::sweep::{Energies, Group, Magnetizations};
use crate::mcmc::multispin::InstructionSet;
use crate::mcmc::multispin::generator::Generator;
use crate::mcmc::multispin::memory;
use crate::mcmc::multispin::simd::{FLOATS, Floats};
use crate::mcmc::{Dynamics, threads};
use crate::model::EnergyModel;
use crate::models::Ising;
use crate::{Error, Result};

/// Groups of one model, all but the last with 16 replicas.
#[derive(Debug, Clone)]
pub(super) struct Population {
    pub(super) model: RealModel,
    pub(super) dynamics: Dynamics,
    pub(super) instructions: InstructionSet,
    pub(super) groups: Vec<Group>,
    pub(super) n_replicas: usize,
    pub(super) sweeps: u64,
    pub(super) threads: usize,
    /// Content hash of the instance.
    pub(super) problem: u64,
}

impl Population {
    /// Replicas with random spins; group k draws from stream k.
    pub(super) fn new(
        solver: &'static str,
        model: &Ising,
        n_replicas: usize,
        dynamics: Dynamics,
        streams: Streams,
    ) -> Result<Self> {
        if n_replicas == 0 {
            return Err(Error::Parameter { what: "number of replicas", value: "0".into(), expected: "at least 1" });
        }
        let n = model.n_spins();
        let n_groups = n_replicas.div_ceil(FLOATS);
        let spins = (n as u128) * (n_groups as u128) * size_of::<Floats>() as u128;
        let streams_of_groups = n_groups as u128 * size_of::<Group>() as u128;
        memory::check(solver, spins + streams_of_groups + RealModel::bytes(model))?;
        let problem = model.content_hash();
        let model = RealModel::new(model);
        let group = |k: usize| {
            let mut rng = streams.stream(k as u64);
            let generator = Generator::new(&mut rng);
            let further = std::array::from_fn(|_| Xoshiro256PlusPlus::from_rng(&mut rng));
            let replicas = FLOATS.min(n_replicas - FLOATS * k);
            let mut group = Group {
                spins: vec![Floats([1.0; FLOATS]); n],
                generator,
                further,
                used: ((1u64 << replicas) - 1) as u32,
            };
            for &position in &model.position_of {
                group.spins[position as usize] = unpacked(rng.next_u32() as u16);
            }
            group
        };
        let groups = (0..n_groups).map(group).collect();
        let instructions = InstructionSet::detect();
        Ok(Self { model, dynamics, instructions, groups, n_replicas, sweeps: 0, threads: 1, problem })
    }

    /// Threads for some sweeps.
    pub(super) fn threads(&self, sweeps: u64) -> usize {
        let updates = (self.n_spins() as u64 * self.n_replicas as u64).saturating_mul(sweeps);
        threads::worthwhile(self.threads, updates, 1 << 18)
    }

    pub(super) fn n_spins(&self) -> usize {
        self.model.n_spins
    }

    /// The spins of a replica in the order of the sites.
    fn of_replica(&self, replica: usize) -> impl Iterator<Item = f32> + '_ {
        assert!(replica < self.n_replicas, "replica {replica} of {}", self.n_replicas);
        let spins = &self.groups[replica / FLOATS].spins;
        self.model.position_of.iter().map(move |&position| spins[position as usize].0[replica % FLOATS])
    }

    pub(super) fn spins(&self, replica: usize) -> Vec<i8> {
        self.of_replica(replica).map(|spin| if spin < 0.0 { -1 } else { 1 }).collect()
    }

    /// The same in bits, 64 a word; 1 is down.
    pub(super) fn packed_spins(&self, replica: usize) -> Vec<u64> {
        let mut words = vec![0; self.n_spins().div_ceil(64)];
        for (site, spin) in self.of_replica(replica).enumerate() {
            words[site / 64] |= u64::from(spin < 0.0) << (site % 64);
        }
        words
    }

    pub(super) fn set_spins(&mut self, replica: usize, s: &[i8]) {
        assert!(replica < self.n_replicas, "replica {replica} of {}", self.n_replicas);
        assert_eq!(s.len(), self.n_spins(), "{} spins for a model of {}", s.len(), self.n_spins());
        let spins = &mut self.groups[replica / FLOATS].spins;
        for (&position, &spin) in self.model.position_of.iter().zip(s) {
            spins[position as usize].0[replica % FLOATS] = if spin < 0 { -1.0 } else { 1.0 };
        }
    }

    pub(super) fn energies(&self) -> Vec<f64> {
        let energies = |group: &Group| self.instructions.run(Energies { model: &self.model, spins: &group.spins });
        self.groups.iter().flat_map(energies).take(self.n_replicas).collect()
    }

    pub(super) fn magnetizations(&self) -> Vec<i64> {
        let sums = |group: &Group| self.instructions.run(Magnetizations(&group.spins));
        self.groups.iter().flat_map(sums).take(self.n_replicas).map(|sum| sum as i64).collect()
    }

    /// Appends dynamics, spins and generators.
    pub(super) fn write(&self, state: &mut Writer) {
        state.write_bool(self.dynamics == Dynamics::HeatBath);
        state.write_usize(self.n_replicas).write_u64(self.sweeps);
        for group in &self.groups {
            group.generator.write(state);
            group.further.iter().for_each(|rng| {
                state.write_xoshiro(rng);
            });
            for &position in &self.model.position_of {
                let [low, high] = packed(&group.spins[position as usize]).to_le_bytes();
                state.write_u8(low).write_u8(high);
            }
        }
    }

    /// The same population in the state written by [`write`](Self::write).
    pub(super) fn read(&self, state: &mut Reader<'_>) -> std::result::Result<Self, CheckpointError> {
        let mut read = self.clone();
        let at = state.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        if state.read_bool()? != (self.dynamics == Dynamics::HeatBath) {
            return Err(invalid("dynamics"));
        }
        if state.read_usize()? != self.n_replicas {
            return Err(invalid("number of replicas"));
        }
        read.sweeps = state.read_count()?;
        for group in &mut read.groups {
            group.generator = Generator::read(state)?;
            for rng in &mut group.further {
                *rng = state.read_xoshiro()?;
            }
            for &position in &self.model.position_of {
                let bits = u16::from_le_bytes([state.read_u8()?, state.read_u8()?]);
                group.spins[position as usize] = unpacked(bits);
            }
        }
        Ok(read)
    }
}

/// Bit k is set where spin k is down.
fn packed(spins: &Floats) -> u16 {
    spins.0.iter().enumerate().map(|(k, &spin)| u16::from(spin < 0.0) << k).sum()
}

fn unpacked(bits: u16) -> Floats {
    Floats(std::array::from_fn(|k| if bits >> k & 1 == 1 { -1.0 } else { 1.0 }))
}
