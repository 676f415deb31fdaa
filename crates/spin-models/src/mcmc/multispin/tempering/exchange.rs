//! Exchanges between neighbouring temperatures.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::RngExt;
use linalg_core::rng::Xoshiro256PlusPlus;

use super::super::simd::{Block, Kernel, Simd, WORDS};

/// The exchanges of the ladders of one unit.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::mcmc) struct Exchange {
    rng: Xoshiro256PlusPlus,
    n_temperatures: usize,
    /// Which configuration, by the place where it began, is at each place now.
    pub(in crate::mcmc) walkers: Vec<u32>,
    /// Which end of its ladder each configuration has seen last.
    ends: Vec<End>,
    /// Ladders once up and down.
    pub(in crate::mcmc) round_trips: u64,
    /// Exchanges of temperatures t and t + 1 that were proposed, and those that were accepted.
    pub(in crate::mcmc) proposed: Vec<u64>,
    pub(in crate::mcmc) accepted: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Neither,
    Hot,
    Cold,
}

impl Exchange {
    pub(in crate::mcmc) fn new(rng: Xoshiro256PlusPlus, n_temperatures: usize, n_replicas: usize) -> Self {
        let pairs = n_temperatures - 1;
        let mut exchange = Self {
            rng,
            n_temperatures,
            walkers: (0..n_replicas as u32).collect(),
            ends: vec![End::Neither; n_replicas],
            round_trips: 0,
            proposed: vec![0; pairs],
            accepted: vec![0; pairs],
        };
        exchange.visit_ends();
        exchange
    }

    pub(in crate::mcmc) fn n_replicas(&self) -> usize {
        self.walkers.len()
    }

    /// Proposes to exchange temperatures t and t + 1 for every t of a parity; the places of the accepted t. Energies are in
    /// units of `unit`.
    pub(in crate::mcmc) fn propose(
        &mut self,
        betas: &[f64],
        energies: &mut [f64],
        unit: f64,
        parity: usize,
    ) -> Vec<usize> {
        let k = self.n_temperatures;
        let mut exchanged = Vec::new();
        for ladder in (0..energies.len()).step_by(k) {
            for t in (parity..k - 1).step_by(2) {
                let place = ladder + t;
                let gap = energies[place + 1] - energies[place];
                // The weight of both configurations after the exchange over that before.
                let x = (betas[t + 1] - betas[t]) * (unit * gap);
                self.proposed[t] += 1;
                if x >= 0.0 || self.rng.random::<f64>() < x.exp() {
                    self.accepted[t] += 1;
                    energies.swap(place, place + 1);
                    self.walkers.swap(place, place + 1);
                    exchanged.push(place);
                }
            }
        }
        self.visit_ends();
        exchanged
    }

    fn visit_ends(&mut self) {
        let k = self.n_temperatures;
        if k < 2 {
            return;
        }
        for ladder in self.walkers.chunks_exact(k) {
            self.ends[ladder[k - 1] as usize] = match self.ends[ladder[k - 1] as usize] {
                End::Neither => End::Neither,
                End::Hot | End::Cold => End::Cold,
            };
            let hot = &mut self.ends[ladder[0] as usize];
            self.round_trips += u64::from(*hot == End::Cold);
            *hot = End::Hot;
        }
    }

    pub(in crate::mcmc) fn write(&self, state: &mut Writer) {
        state.write_xoshiro(&self.rng).write_u64(self.round_trips);
        self.walkers.iter().for_each(|&walker| {
            state.write_u64(walker.into());
        });
        self.ends.iter().for_each(|&end| {
            state.write_u8(end as u8);
        });
        state.write_u64s(&self.proposed).write_u64s(&self.accepted);
    }

    /// The same exchanges in the state written by [`write`](Self::write).
    pub(in crate::mcmc) fn read(&self, state: &mut Reader<'_>) -> Result<Self, CheckpointError> {
        let mut read = self.clone();
        let at = state.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        read.rng = state.read_xoshiro()?;
        read.round_trips = state.read_count()?;
        let n = self.walkers.len();
        let mut seen = vec![false; n];
        for (place, walker) in read.walkers.iter_mut().enumerate() {
            let value = state.read_u64()? as usize;
            // A permutation within every ladder.
            if value >= n || value / self.n_temperatures != place / self.n_temperatures || seen[value] {
                return Err(invalid("place of a configuration"));
            }
            seen[value] = true;
            *walker = value as u32;
        }
        for end in &mut read.ends {
            *end = match state.read_u8()? {
                0 => End::Neither,
                1 => End::Hot,
                2 => End::Cold,
                _ => return Err(invalid("end of a ladder")),
            };
        }
        (read.proposed, read.accepted) = (state.read_counts()?, state.read_counts()?);
        let pairs = self.n_temperatures - 1;
        if read.proposed.len() != pairs || read.accepted.len() != pairs {
            return Err(invalid("counts of exchanges"));
        }
        Ok(read)
    }
}

/// Exchanges the configurations of replicas r and r + 1 where bit r of the mask is set, in sites of `words` words.
pub(super) struct Swap<'a> {
    pub(super) spins: &'a mut [Block],
    pub(super) mask: &'a Block,
}

impl<'a> Swap<'a> {
    /// The mask of places, repeated for every site of a block.
    pub(super) fn mask(places: &[usize], words: usize) -> Block {
        let mut mask = Block::ZERO;
        for &place in places {
            for site in 0..WORDS / words {
                mask.set_bit(64 * words * site + place, true);
            }
        }
        mask
    }
}

impl Kernel for Swap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        // Plain loops over eight words, which the compiler turns into the instructions of the set.
        for block in self.spins {
            let words = &mut block.0;
            let mut after = [0; WORDS];
            after[..WORDS - 1].copy_from_slice(&words[1..]);
            let mut differ = [0; WORDS];
            for k in 0..WORDS {
                differ[k] = (words[k] ^ (words[k] >> 1 | after[k] << 63)) & self.mask.0[k];
            }
            let mut before = [0; WORDS];
            before[1..].copy_from_slice(&differ[..WORDS - 1]);
            for k in 0..WORDS {
                words[k] ^= differ[k] ^ (differ[k] << 1 | before[k] >> 63);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::simd::{BITS, InstructionSet};
    use super::*;
    use linalg_core::rand::Rng;
    use linalg_core::rng::Streams;

    #[test]
    fn masked_neighbours_are_exchanged() {
        let mut rng = Streams::new(3).stream(0);
        let before: Vec<Block> = (0..5).map(|_| Block(std::array::from_fn(|_| rng.next_u64()))).collect();
        let places = [0, 5, 62, 64, 126];
        let mask = Swap::mask(&places, 2);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            let mut after = before.clone();
            set.run(Swap { spins: &mut after, mask: &mask });
            for (before, after) in before.iter().zip(&after) {
                for bit in 0..BITS {
                    let place = bit % 128;
                    let from = if places.contains(&place) {
                        bit + 1
                    } else if place > 0 && places.contains(&(place - 1)) {
                        bit - 1
                    } else {
                        bit
                    };
                    assert_eq!(after.bit(bit), before.bit(from), "bit {bit}");
                }
            }
        }
    }

    #[test]
    fn round_trips_are_counted_from_hot_to_cold_and_back() {
        let rng = Xoshiro256PlusPlus::from_state([1, 2, 3, 4]).unwrap();
        let mut exchange = Exchange::new(rng, 3, 3);
        let betas = [0.0, 1.0, 2.0];
        // A falling energy with falling beta is always exchanged: the configuration of place 0 walks down and up.
        let mut step = |energies: [i64; 3], parity: usize| {
            let exchanged = exchange.propose(&betas, &mut energies.map(|energy| energy as f64), 1.0, parity);
            (exchanged, exchange.walkers.clone(), exchange.round_trips)
        };
        assert_eq!(step([0, 1, 9], 0), (vec![0], vec![1, 0, 2], 0));
        assert_eq!(step([0, 1, 2], 1), (vec![1], vec![1, 2, 0], 0));
        assert_eq!(step([0, 1, 2], 1), (vec![1], vec![1, 0, 2], 0));
        assert_eq!(step([0, 1, 2], 0), (vec![0], vec![0, 1, 2], 1));
        // The configuration that began cold has not been hot yet.
        assert_eq!(step([0, 1, 2], 1).2, 1);
        assert_eq!(exchange.proposed, [2, 3]);
    }
}
