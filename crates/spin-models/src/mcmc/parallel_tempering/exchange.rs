//! Who is at which temperature: exchanges, their acceptance, and the way of the replicas up and down the ladder.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::RngExt;
use linalg_core::rng::Xoshiro256PlusPlus;

/// Where a replica was last, of the two ends of the ladder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Origin {
    /// At neither so far.
    #[default]
    None,
    Hot,
    /// At the cold end, never at the hot one.
    ColdFirst,
    /// At the cold end, after the hot one: one half of a round trip.
    Cold,
}

impl Origin {
    const ALL: [Self; 4] = [Self::None, Self::Hot, Self::ColdFirst, Self::Cold];
}

/// The permutation of replicas over temperatures and its history: the part of parallel tempering that needs only energies.
///
/// [`ParallelTempering`](super::ParallelTempering) drives it; other drivers, whose replicas live in several processes, give it the
/// energies that they have gathered and the same generator, and all arrive at the same permutation.
///
/// Slot `k * sets + r` is temperature `k` of set `r`; only replicas of one set exchange. Replica `r * n + i` belongs
/// to set `r`. At the beginning replica `r * n + k` is at temperature `k`.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::ReplicaExchange;
///
/// let mut exchange = ReplicaExchange::new(3, 1, Streams::new(1).fast_stream(0));
/// // The colder replica has the higher energy: accepted with certainty. The coldest one waits for the next round.
/// exchange.round(&[0.5, 1.0, 2.0], &[-3.0, -1.0, -2.0]);
/// assert_eq!(exchange.replicas(), [1, 0, 2]);
/// assert_eq!(exchange.acceptances()[0], 1.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaExchange {
    n: usize,
    sets: usize,
    /// The replica of each slot.
    replica: Vec<usize>,
    /// For each replica.
    origin: Vec<Origin>,
    /// For each pair of neighbouring temperatures.
    attempted: Vec<u64>,
    accepted: Vec<u64>,
    /// For each temperature: visits of replicas that come from the hot end, from the cold end.
    from_hot: Vec<u64>,
    from_cold: Vec<u64>,
    round_trips: u64,
    /// Rounds of exchanges since the beginning.
    rounds: u64,
    rng: Xoshiro256PlusPlus,
}

impl ReplicaExchange {
    /// `n` temperatures with `sets` replicas each; exchanges draw from `rng`.
    ///
    /// # Panics
    /// Without a temperature or a set.
    pub fn new(n: usize, sets: usize, rng: Xoshiro256PlusPlus) -> Self {
        assert!(n > 0 && sets > 0, "{n} temperatures with {sets} replicas each");
        let mut exchange = Self {
            n,
            sets,
            replica: (0..n * sets).map(|slot| slot % sets * n + slot / sets).collect(),
            origin: Vec::new(),
            attempted: Vec::new(),
            accepted: Vec::new(),
            from_hot: Vec::new(),
            from_cold: Vec::new(),
            round_trips: 0,
            rounds: 0,
            rng,
        };
        exchange.reset();
        exchange
    }

    /// Forgets what was counted; the permutation stays.
    pub fn reset(&mut self) {
        let pairs = self.n - 1;
        self.origin = vec![Origin::None; self.n * self.sets];
        (self.attempted, self.accepted) = (vec![0; pairs], vec![0; pairs]);
        (self.from_hot, self.from_cold) = (vec![0; self.n], vec![0; self.n]);
        self.round_trips = 0;
        self.mark_ends();
    }

    /// The replica in a slot.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn replica(&self, slot: usize) -> usize {
        self.replica[slot]
    }

    /// The replica of each slot.
    pub fn replicas(&self) -> &[usize] {
        &self.replica
    }

    /// One round: the pairs (0, 1), (2, 3), … and in the next round (1, 2), (3, 4), ….
    ///
    /// A pair exchanges with probability $`\min(1, e^{(β_k - β_{k+1})(E_k - E_{k+1})})`$; a uniform number is drawn only where that is
    /// below 1. `energies`: one for each replica.
    ///
    /// # Panics
    /// If there are fewer `betas` than temperatures or fewer `energies` than replicas.
    pub fn round(&mut self, betas: &[f64], energies: &[f64]) {
        for k in ((self.rounds % 2) as usize..self.n.saturating_sub(1)).step_by(2) {
            for set in 0..self.sets {
                let (hot, cold) = (k * self.sets + set, (k + 1) * self.sets + set);
                let difference = energies[self.replica[hot]] - energies[self.replica[cold]];
                let exponent = (betas[k] - betas[k + 1]) * difference;
                self.attempted[k] += 1;
                // A NaN exchanges nothing.
                if exponent >= 0.0 || self.rng.random::<f64>() < exponent.exp() {
                    self.accepted[k] += 1;
                    self.replica.swap(hot, cold);
                }
            }
        }
        self.rounds += 1;
        self.mark_ends();
        for (slot, &replica) in self.replica.iter().enumerate() {
            match self.origin[replica] {
                Origin::None => {}
                Origin::Hot => self.from_hot[slot / self.sets] += 1,
                Origin::ColdFirst | Origin::Cold => self.from_cold[slot / self.sets] += 1,
            }
        }
    }

    fn mark_ends(&mut self) {
        if self.n < 2 {
            return;
        }
        for set in 0..self.sets {
            let hottest = &mut self.origin[self.replica[set]];
            self.round_trips += u64::from(*hottest == Origin::Cold);
            *hottest = Origin::Hot;
            let coldest = &mut self.origin[self.replica[(self.n - 1) * self.sets + set]];
            *coldest = match *coldest {
                Origin::Hot | Origin::Cold => Origin::Cold,
                Origin::None | Origin::ColdFirst => Origin::ColdFirst,
            };
        }
    }

    /// Accepted over attempted exchanges of each pair of neighbours; NaN before the first.
    pub fn acceptances(&self) -> Vec<f64> {
        self.accepted.iter().zip(&self.attempted).map(|(&a, &b)| a as f64 / b as f64).collect()
    }

    /// The fraction of visits from the hot end; NaN without visits.
    pub fn flow(&self) -> Vec<f64> {
        self.from_hot.iter().zip(&self.from_cold).map(|(&hot, &cold)| hot as f64 / (hot + cold) as f64).collect()
    }

    /// Number of times that a replica went from the hottest temperature to the coldest and back.
    pub fn round_trips(&self) -> u64 {
        self.round_trips
    }

    pub(super) fn write(&self, out: &mut Writer) {
        let numbers = |values: &[usize]| values.iter().map(|&x| x as u64).collect::<Vec<_>>();
        let origins: Vec<u8> = self.origin.iter().map(|&origin| origin as u8).collect();
        out.write_u64s(&numbers(&self.replica)).write_u8s(&origins);
        for counts in [&self.attempted, &self.accepted, &self.from_hot, &self.from_cold] {
            out.write_u64s(counts);
        }
        out.write_u64(self.round_trips).write_u64(self.rounds).write_xoshiro(&self.rng);
    }

    pub(super) fn read(n: usize, sets: usize, from: &mut Reader<'_>) -> Result<Self, CheckpointError> {
        let at = from.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        let replica: Vec<usize> =
            from.read_u64s()?.into_iter().map(|x| usize::try_from(x).unwrap_or(usize::MAX)).collect();
        // Every set in its own slots, every replica once.
        let mut seen = vec![false; n * sets];
        let fits = replica.len() == n * sets
            && replica
                .iter()
                .enumerate()
                .all(|(slot, &r)| r < n * sets && r / n == slot % sets && !std::mem::replace(&mut seen[r], true));
        if !fits {
            return Err(invalid("permutation of replicas"));
        }
        let origin: Option<Vec<Origin>> =
            from.read_u8s()?.into_iter().map(|x| Origin::ALL.get(usize::from(x)).copied()).collect();
        let origin = origin.filter(|origin| origin.len() == n * sets).ok_or(invalid("origin of replicas"))?;
        let mut counts = |len: usize| match from.read_counts()? {
            counts if counts.len() == len => Ok(counts),
            _ => Err(invalid("number of exchange counts")),
        };
        let (attempted, accepted, from_hot, from_cold) = (counts(n - 1)?, counts(n - 1)?, counts(n)?, counts(n)?);
        let (round_trips, rounds, rng) = (from.read_count()?, from.read_count()?, from.read_xoshiro()?);
        Ok(Self { n, sets, replica, origin, attempted, accepted, from_hot, from_cold, round_trips, rounds, rng })
    }
}

#[cfg(test)]
mod tests {
    use linalg_core::rng::Streams;

    use super::*;

    fn exchange(n: usize, sets: usize) -> ReplicaExchange {
        ReplicaExchange::new(n, sets, Streams::new(1).fast_stream(0))
    }

    /// Equal energies: every exchange is accepted, replicas run up and down, a round trip takes 2n rounds.
    #[test]
    fn free_replicas_run() {
        for (n, sets) in [(2, 1), (5, 1), (6, 3)] {
            let betas: Vec<f64> = (0..n).map(|k| k as f64).collect();
            let mut exchange = exchange(n, sets);
            let energies = vec![-3.0; n * sets];
            for _ in 0..2 * n * 50 {
                exchange.round(&betas, &energies);
            }
            assert!(exchange.acceptances().iter().all(|&a| a.to_bits() == 1f64.to_bits()));
            // Each of the n replicas of a set made 50 trips, less the start of the first.
            let trips = exchange.round_trips() as f64 / sets as f64;
            assert!(trips <= 50.0 * n as f64 && trips >= 48.0 * n as f64, "{trips} of n = {n}");
            let flow = exchange.flow();
            // Between the ends as many run up as down.
            for f in &flow[1..n - 1] {
                approx::assert_abs_diff_eq!(*f, 0.5, epsilon = 0.02);
            }
            assert_eq!((flow[0].to_bits(), flow[n - 1].to_bits()), (1f64.to_bits(), 0f64.to_bits()));
        }
    }

    /// Two levels: from equal starts the exchange is accepted with min(1, exp((β_0 - β_1)(E_0 - E_1))); 4σ of 10⁵.
    #[test]
    fn acceptance_is_metropolis() {
        let betas = [0.5, 1.2];
        for (energies, expected) in [([1.0, 2.0], 1.0), ([2.0, 1.0], (-0.7f64).exp()), ([1.5, 1.5], 1.0)] {
            let mut exchange = exchange(2, 1);
            let rounds = 100_000;
            let mut accepted = 0u32;
            for _ in 0..rounds {
                exchange.rounds = 0;
                exchange.replica = vec![0, 1];
                exchange.round(&betas, &energies);
                accepted += u32::from(exchange.replica[0] == 1);
            }
            let error = (expected * (1.0 - expected) / f64::from(rounds)).sqrt();
            assert!((f64::from(accepted) / f64::from(rounds) - expected).abs() <= 4.0 * error, "{energies:?}");
        }
    }

    #[test]
    fn sets_do_not_mix_and_nan_stays() {
        let mut exchange = exchange(3, 2);
        let betas = [0.1, 0.2, 0.3];
        for _ in 0..100 {
            exchange.round(&betas, &[0.0; 6]);
            assert!((0..6).all(|slot| exchange.replica(slot) / 3 == slot % 2));
        }
        let before = exchange.replicas().to_vec();
        exchange.round(&betas, &[f64::NAN; 6]);
        assert_eq!(exchange.replicas(), before);
        let mut alone = ReplicaExchange::new(1, 2, Streams::new(1).fast_stream(0));
        alone.round(&[0.5], &[0.0, 1.0]);
        assert_eq!((alone.round_trips(), alone.acceptances().len()), (0, 0));
    }

    #[test]
    fn what_was_written_is_read() {
        let mut exchange = exchange(4, 3);
        let energies: Vec<f64> = (0..12).map(f64::from).collect();
        for _ in 0..57 {
            exchange.round(&[0.1, 0.2, 0.3, 0.4], &energies);
        }
        let mut out = Writer::new();
        exchange.write(&mut out);
        let bytes = out.into_bytes();
        assert_eq!(ReplicaExchange::read(4, 3, &mut Reader::new(&bytes)).unwrap(), exchange);
        assert!(ReplicaExchange::read(3, 4, &mut Reader::new(&bytes)).is_err());
        for end in 0..bytes.len() {
            assert!(ReplicaExchange::read(4, 3, &mut Reader::new(&bytes[..end])).is_err());
        }
        // A replica twice.
        let mut twice = bytes.clone();
        let second: [u8; 8] = twice[16..24].try_into().unwrap();
        twice[8..16].copy_from_slice(&second);
        assert!(ReplicaExchange::read(4, 3, &mut Reader::new(&twice)).is_err());
    }
}
