//! Sixty-four replicas of one model in the bits of a word.

mod coin;
mod counters;

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Writer};
use linalg_core::rand::Rng;
use linalg_core::rng::{Streams, Xoshiro256PlusPlus};
use linalg_core::{Error as CoreError, Observer};

use super::{Dynamics, Observables, Order, heat_bath_acceptance, metropolis_acceptance};
use crate::error::check_beta;
use crate::model::{EnergyModel, Progress, Simulation, SweepStats};
use crate::spins::Spins;
use crate::{Error, Ising, Result};
use coin::{Coin, toss};
use counters::{BulkCounter, add_bit, equal};

const NAME: &str = "64 replicas";
const KIND: &str = "replicas64 1";

/// Bits of a local counter, and the most bonds and field units a site may have.
const PLANES: usize = 4;
const MOST_BONDS: usize = (1 << PLANES) - 1;

/// Sixty-four independent replicas of one ±J model at one temperature, one in each bit of a word.
///
/// For couplings of one modulus J and either sign, and fields that are whole multiples of J, with at most 15 couplings
/// and field units at a site. All replicas are updated together: the satisfied bonds of a site are counted by logic on
/// words, and the flip probabilities, which depend on that count alone, are compared with 64 independent random
/// numbers bit by bit. Each replica follows exactly the law of [`Metropolis`](super::Metropolis) or
/// [`HeatBath`](super::HeatBath), with probabilities rounded to 64 bits. A set bit is a spin -1.
///
/// A visit draws seven to eight random words for its 64 attempts.
///
/// Reference: L. Jacobs and C. Rebbi, J. Comput. Phys. 41, 203 (1981), for several systems in a word.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::{Dynamics, Observables, Order, Replicas64};
/// use spin_models::{Ising, Simulation};
///
/// // A frustrated ring of 3: P(E = 3) = 2 e^{-3β} / (2 e^{-3β} + 6 e^β), otherwise E = -1.
/// let ring = Ising::builder(3).coupling(0, 1, -1.0).coupling(1, 2, -1.0).coupling(0, 2, -1.0).build()?;
/// let mut replicas = Replicas64::new(&ring, Dynamics::HeatBath, Order::Sequential, 0.5, Streams::new(1), 0)?;
/// let mut averages = Observables::new(3, 64);
/// replicas.advance(10, &mut ());
/// replicas.run(1000, 1, &mut averages, &mut ());
///
/// let p = 1.0 / (1.0 + 3.0 * 2f64.exp());
/// let energy = averages.energy();
/// assert!((energy.value - (4.0 * p - 1.0)).abs() < 4.0 * energy.std_error.unwrap());
///
/// let unequal = Ising::builder(3).coupling(0, 1, 1.0).coupling(1, 2, 0.5).build()?;
/// let error = Replicas64::new(&unequal, Dynamics::HeatBath, Order::Sequential, 0.5, Streams::new(1), 0).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "64 replicas does not apply: coupling 1 (sites 1 and 2) is 0.5, coupling 0 has modulus 1"
/// );
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Replicas64 {
    bonds: Bonds,
    dynamics: Dynamics,
    order: Order,
    beta: f64,
    /// Flip probabilities by number of bonds.
    coins: Vec<Coins>,
    words: Vec<u64>,
    rng: Xoshiro256PlusPlus,
    sweeps: u64,
    problem: u64,
}

/// The model in integers.
#[derive(Debug, Clone)]
struct Bonds {
    n_spins: usize,
    unit: f64,
    offset: f64,
    row_start: Vec<usize>,
    /// Neighbour and sign mask (all ones for a negative coupling), by site.
    neighbors: Vec<(u32, u64)>,
    /// Field of every site in units of J.
    fields: Vec<i32>,
}

impl Bonds {
    #[allow(clippy::float_cmp, reason = "couplings of one modulus are equal to the last bit")]
    fn new(model: &Ising) -> Result<Self> {
        let refuse = |reason: String| Err(Error::NotApplicable { solver: NAME, reason });
        let n = model.n_spins();
        let first = model.couplings().enumerate().find(|(_, (_, _, coupling))| *coupling != 0.0);
        let first_field = model.fields().iter().copied().find(|&h| h != 0.0);
        let unit = first.map(|(_, (_, _, coupling))| coupling.abs()).or(first_field.map(f64::abs)).unwrap_or(1.0);
        for (a, (i, j, coupling)) in model.couplings().enumerate() {
            if coupling != 0.0 && coupling.abs() != unit {
                let first = first.map_or(0, |(a, _)| a);
                return refuse(format!(
                    "coupling {a} (sites {i} and {j}) is {coupling}, coupling {first} has modulus {unit}"
                ));
            }
        }
        let mut fields = Vec::with_capacity(n);
        for (i, &field) in model.fields().iter().enumerate() {
            let units = (field / unit).round();
            // A field written in decimals, 0.3 for J = 0.1, may miss the multiple by a rounding.
            if (field - units * unit).abs() > 4.0 * f64::EPSILON * field.abs() || units.abs() > MOST_BONDS as f64 {
                return refuse(format!("field {i} is {field}, expected a multiple of {unit} up to {MOST_BONDS} times"));
            }
            fields.push(units as i32);
        }
        let mut row_start = vec![0];
        let mut neighbors = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            let (sites, couplings) = model.row(i);
            let row = sites.iter().zip(couplings).filter(|&(_, &coupling)| coupling != 0.0);
            neighbors.extend(row.map(|(&j, &coupling)| (j, if coupling < 0.0 { u64::MAX } else { 0 })));
            let degree = neighbors.len() - row_start[i];
            if degree + field.unsigned_abs() as usize > MOST_BONDS {
                return refuse(format!(
                    "site {i} has {degree} couplings and a field of {field} units, at most {MOST_BONDS} in all"
                ));
            }
            row_start.push(neighbors.len());
        }
        Ok(Self { n_spins: n, unit, offset: model.offset(), row_start, neighbors, fields })
    }

    fn row(&self, i: usize) -> &[(u32, u64)] {
        &self.neighbors[self.row_start[i]..self.row_start[i + 1]]
    }

    /// Couplings and field units of site `i`.
    fn weight(&self, i: usize) -> usize {
        self.row(i).len() + self.fields[i].unsigned_abs() as usize
    }

    /// How many bonds and field units of site `i` are satisfied, for every lane.
    #[inline]
    fn satisfied(&self, words: &[u64], i: usize) -> [u64; PLANES] {
        let mut count = [0; PLANES];
        let mine = words[i];
        for &(j, negative) in self.row(i) {
            add_bit(&mut count, !(mine ^ words[j as usize] ^ negative));
        }
        // A positive field is satisfied by spin +1, a clear bit.
        let along = if self.fields[i] > 0 { !mine } else { mine };
        for _ in 0..self.fields[i].unsigned_abs() {
            add_bit(&mut count, along);
        }
        count
    }

    /// Energies of all lanes: `c - J (bonds - 2 unsatisfied)`, fields likewise.
    fn energies(&self, words: &[u64]) -> [f64; 64] {
        let mut unsatisfied = BulkCounter::default();
        let mut total = 0;
        for i in 0..self.n_spins {
            let mine = words[i];
            for &(j, negative) in self.row(i).iter().filter(|&&(j, _)| j as usize > i) {
                unsatisfied.add(mine ^ words[j as usize] ^ negative);
                total += 1;
            }
            let against = if self.fields[i] > 0 { mine } else { !mine };
            for _ in 0..self.fields[i].unsigned_abs() {
                unsatisfied.add(against);
                total += 1;
            }
        }
        unsatisfied.counts().map(|count| self.offset - self.unit * (f64::from(total) - 2.0 * count as f64))
    }
}

impl Replicas64 {
    /// Replicas with random spins, drawing from the fast stream `unit`.
    ///
    /// # Errors
    /// [`Error::Beta`], and [`Error::NotApplicable`] naming the first coupling of another modulus, field that is no
    /// multiple of it, or site with too many of both, and for random order, whose visits the replicas would share.
    ///
    /// # Panics
    /// If `order` is a colouring of another number of sites.
    pub fn new(
        model: &Ising,
        dynamics: Dynamics,
        order: Order,
        beta: f64,
        streams: Streams,
        unit: u64,
    ) -> Result<Self> {
        check_beta(beta)?;
        if order == Order::Random {
            let reason = "in random order all replicas would visit the same sites and not be independent".to_owned();
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        let bonds = Bonds::new(model)?;
        if let Order::Colored(coloring) = &order {
            let (sites, n) = (coloring.n_sites(), bonds.n_spins);
            assert_eq!(sites, n, "a colouring of {sites} sites for {n}");
        }
        let mut rng = streams.fast_stream(unit);
        let words = (0..bonds.n_spins).map(|_| rng.next_u64()).collect();
        let coins = coins(&bonds, dynamics, beta);
        Ok(Self { bonds, dynamics, order, beta, coins, words, rng, sweeps: 0, problem: model.content_hash() })
    }

    /// Goes to another temperature; the configurations stay.
    ///
    /// # Errors
    /// [`Error::Beta`] unless `beta` is finite and not negative.
    pub fn set_beta(&mut self, beta: f64) -> Result<()> {
        check_beta(beta)?;
        self.beta = beta;
        self.coins = coins(&self.bonds, self.dynamics, beta);
        Ok(())
    }

    /// The packed spins, a word a site: bit r is set where replica r has spin -1.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The configuration of one replica.
    ///
    /// # Panics
    /// If `lane` is not below 64.
    pub fn spins(&self, lane: usize) -> Vec<i8> {
        assert!(lane < 64, "lane {lane} of 64");
        self.words.iter().map(|word| 1 - 2 * ((word >> lane) & 1) as i8).collect()
    }

    /// The energies of all replicas.
    pub fn energies(&self) -> [f64; 64] {
        self.bonds.energies(&self.words)
    }

    fn sweep(&mut self) -> SweepStats {
        let n = self.bonds.n_spins;
        let Self { bonds, coins, words, rng, order, .. } = self;
        let mut flipped = 0;
        order.for_each(n, rng, |i, rng| {
            let satisfied = bonds.satisfied(words, i);
            let flips = coins[bonds.weight(i)].flips(&satisfied, rng);
            words[i] ^= flips;
            flipped += u64::from(flips.count_ones());
        });
        self.sweeps += 1;
        SweepStats { attempted: 64 * n as u64, accepted: flipped, flipped, clusters: 0 }
    }
}

/// The flip probabilities of sites with one number of bonds.
#[derive(Debug, Clone, Default)]
struct Coins {
    /// Numbers of satisfied bonds that flip for certain.
    certain: Vec<u8>,
    /// Numbers of satisfied bonds and thresholds of those that may flip.
    biased: Vec<(u8, u64)>,
}

impl Coins {
    /// Which lanes flip, given their numbers of satisfied bonds.
    #[inline]
    fn flips<R: Rng + ?Sized>(&self, satisfied: &[u64; PLANES], rng: &mut R) -> u64 {
        let certain = self.certain.iter().fold(0, |lanes, &count| lanes | equal(satisfied, count));
        certain | self.toss_from(0, satisfied, rng)
    }

    fn toss_from<R: Rng + ?Sized>(&self, first: usize, satisfied: &[u64; PLANES], rng: &mut R) -> u64 {
        match self.biased.len() - first {
            0 => 0,
            1 => self.toss::<1, R>(first, satisfied, rng),
            2 => self.toss::<2, R>(first, satisfied, rng),
            3 => self.toss::<3, R>(first, satisfied, rng),
            4 => self.toss::<4, R>(first, satisfied, rng),
            5 => self.toss::<5, R>(first, satisfied, rng),
            6 => self.toss::<6, R>(first, satisfied, rng),
            7 => self.toss::<7, R>(first, satisfied, rng),
            _ => self.toss::<8, R>(first, satisfied, rng) | self.toss_from(first + 8, satisfied, rng),
        }
    }

    /// Tosses the coins `first .. first + G`.
    #[inline]
    fn toss<const G: usize, R: Rng + ?Sized>(&self, first: usize, satisfied: &[u64; PLANES], rng: &mut R) -> u64 {
        let coins = &self.biased[first..first + G];
        let thresholds = std::array::from_fn(|g| coins[g].1);
        toss::<G, R>(thresholds, std::array::from_fn(|g| equal(satisfied, coins[g].0)), rng)
    }
}

/// Flip probabilities by number of bonds and of satisfied ones: `ΔE = 2J (2k - z)`.
fn coins(bonds: &Bonds, dynamics: Dynamics, beta: f64) -> Vec<Coins> {
    let rate = match dynamics {
        Dynamics::Metropolis => metropolis_acceptance,
        Dynamics::HeatBath => heat_bath_acceptance,
    };
    let largest = (0..bonds.n_spins).map(|i| bonds.weight(i)).max().unwrap_or(0);
    let of_weight = |z: usize| {
        let mut coins = Coins::default();
        for k in 0..=z {
            match Coin::new(rate(beta * 2.0 * bonds.unit * (2.0 * k as f64 - z as f64))) {
                Coin::Never => {}
                Coin::Always => coins.certain.push(k as u8),
                Coin::Biased(threshold) => coins.biased.push((k as u8, threshold)),
            }
        }
        coins
    };
    (0..=largest).map(of_weight).collect()
}

impl Simulation for Replicas64 {
    fn n_spins(&self) -> usize {
        self.bonds.n_spins
    }

    fn n_lanes(&self) -> usize {
        64
    }

    fn beta(&self, lane: usize) -> f64 {
        assert!(lane < 64, "lane {lane} of 64");
        self.beta
    }

    fn sweeps(&self) -> u64 {
        self.sweeps
    }

    fn configuration(&self, lane: usize) -> Spins {
        Spins::from_known_signs(self.spins(lane))
    }

    fn advance(&mut self, sweeps: u64, observer: &mut dyn Observer<Progress>) -> SweepStats {
        let mut stats = SweepStats::default();
        for done in 1..=sweeps {
            stats += self.sweep();
            if observer.observe(&Progress::new("sweeping", done, sweeps)).is_break() {
                break;
            }
        }
        stats
    }

    fn measure(&mut self, into: &mut Observables) {
        assert_eq!(into.n_lanes(), 64, "observables of {} lanes for 64 replicas", into.n_lanes());
        assert_eq!(into.n_spins(), self.n_spins(), "observables of {} spins for {}", into.n_spins(), self.n_spins());
        let energies = self.energies();
        if into.needs_spins() {
            for (lane, energy) in energies.into_iter().enumerate() {
                into.record(lane, energy, &self.spins(lane));
            }
            return;
        }
        let mut down = BulkCounter::default();
        self.words.iter().for_each(|&word| down.add(word));
        let n = self.n_spins() as i64;
        for (lane, (energy, down)) in energies.into_iter().zip(down.counts()).enumerate() {
            into.record_totals(lane, energy, n - 2 * down as i64);
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut state = Writer::new();
        state.write_f64(self.beta).write_u64s(&self.words).write_xoshiro(&self.rng).write_u64(self.sweeps);
        Checkpoint::new(KIND, self.problem, state)
    }

    fn restore(&mut self, from: &Checkpoint) -> Result<()> {
        let read = || {
            let mut reader = from.open(KIND, self.problem)?;
            let at = reader.position();
            let invalid = |what| CheckpointError::Invalid { what, at };
            let beta = reader.read_f64()?;
            check_beta(beta).map_err(|_| invalid("beta"))?;
            let words = reader.read_u64s()?;
            if words.len() != self.bonds.n_spins {
                return Err(invalid("number of words"));
            }
            let (rng, sweeps) = (reader.read_xoshiro()?, reader.read_u64()?);
            reader.finish()?;
            Ok((beta, words, rng, sweeps))
        };
        let (beta, words, rng, sweeps) = read().map_err(CoreError::from)?;
        self.set_beta(beta)?;
        (self.words, self.rng, self.sweeps) = (words, rng, sweeps);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spins;
    use linalg_core::rand::RngExt;

    fn random_model(n: usize, unit: f64, fields: bool, seed: u64) -> Ising {
        let mut rng = Streams::new(seed).stream(0);
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        let edges: Vec<_> = pairs.filter(|_| rng.random_bool(0.4)).collect();
        let sign = |rng: &mut linalg_core::rng::ChaCha8Rng| if rng.random_bool(0.5) { unit } else { -unit };
        let mut builder = Ising::builder(n).offset(0.75);
        for (i, j) in edges {
            builder = builder.coupling(i, j, sign(&mut rng));
        }
        for i in 0..n {
            builder = builder.field(i, if fields { f64::from(rng.random_range(-2..3)) * unit } else { 0.0 });
        }
        builder.build().unwrap()
    }

    #[test]
    fn energies_and_counts_are_those_of_the_model() {
        for seed in 0..5 {
            let model = random_model(9, 0.1, seed % 2 == 0, seed);
            let new = |order| Replicas64::new(&model, Dynamics::Metropolis, order, 2.0, Streams::new(seed), 0).unwrap();
            let mut replicas = new(Order::Sequential);
            replicas.advance(3, &mut ());
            let energies = replicas.energies();
            for (lane, energy) in energies.into_iter().enumerate() {
                let s = Spins::from_signs(&replicas.spins(lane)).unwrap();
                approx::assert_abs_diff_eq!(energy, model.energy(&s), epsilon = 1e-13);
                for i in 0..9 {
                    let planes = replicas.bonds.satisfied(&replicas.words, i);
                    let count: u64 = (0..PLANES).map(|k| ((planes[k] >> lane) & 1) << k).sum();
                    let delta = 0.2 * (2.0 * count as f64 - replicas.bonds.weight(i) as f64);
                    approx::assert_abs_diff_eq!(delta, model.delta_energy(&s, i), epsilon = 1e-13);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refuse = |builder: crate::models::IsingBuilder| {
            let model = builder.build().unwrap();
            let new = Replicas64::new(&model, Dynamics::HeatBath, Order::Sequential, 1.0, Streams::new(1), 0);
            new.unwrap_err().to_string()
        };
        let field = Ising::builder(2).coupling(0, 1, -2.0).field(1, 1.0);
        assert_eq!(refuse(field), "64 replicas does not apply: field 1 is 1, expected a multiple of 2 up to 15 times");
        let star = Ising::builder(17).couplings((1..17).map(|j| (0, j, 1.0)));
        let reason = "site 0 has 16 couplings and a field of 0 units, at most 15 in all";
        assert_eq!(refuse(star), format!("64 replicas does not apply: {reason}"));
        let strong = Ising::builder(2).coupling(0, 1, 1.0).field(0, 1e300);
        let free = Ising::builder(1).build().unwrap();
        let random = Replicas64::new(&free, Dynamics::HeatBath, Order::Random, 1.0, Streams::new(1), 0);
        assert!(matches!(random, Err(Error::NotApplicable { .. })));
        assert!(refuse(strong).starts_with("64 replicas does not apply: field 0 is 1000"));
    }

    #[test]
    fn empty_and_zero_couplings_are_free_spins() {
        let model = Ising::builder(3).coupling(0, 1, 0.0).build().unwrap();
        let mut replicas =
            Replicas64::new(&model, Dynamics::Metropolis, Order::Sequential, 3.0, Streams::new(1), 0).unwrap();
        let stats = replicas.advance(1000, &mut ());
        assert!((stats.acceptance() - 0.5).abs() < 4.0 / (4.0 * 192_000f64).sqrt());
        assert!(replicas.energies().iter().all(|&energy| energy == 0.0));
    }

    #[test]
    fn a_restored_run_goes_on_bit_for_bit() {
        let model = random_model(12, 1.0, true, 3);
        let new = |beta, seed| {
            Replicas64::new(&model, Dynamics::HeatBath, Order::Sequential, beta, Streams::new(seed), 0).unwrap()
        };
        let mut replicas = new(0.7, 1);
        replicas.advance(123, &mut ());
        let saved = Checkpoint::from_bytes(&replicas.checkpoint().to_bytes()).unwrap();
        let mut other = new(0.1, 2);
        other.restore(&saved).unwrap();
        replicas.advance(50, &mut ());
        other.advance(50, &mut ());
        assert_eq!(replicas.checkpoint(), other.checkpoint());
        let elsewhere = random_model(12, 1.0, true, 4);
        let mut elsewhere =
            Replicas64::new(&elsewhere, Dynamics::HeatBath, Order::Sequential, 0.7, Streams::new(1), 0).unwrap();
        assert!(matches!(
            elsewhere.restore(&saved),
            Err(Error::Numerics(CoreError::Checkpoint(CheckpointError::Problem { .. })))
        ));
        for end in 0..saved.payload.len() {
            let cut = Checkpoint { payload: saved.payload[..end].to_vec(), ..saved.clone() };
            assert!(other.restore(&cut).is_err());
        }
    }
}
