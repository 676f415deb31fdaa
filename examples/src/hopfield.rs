//! Sequential Glauber dynamics of the Hopfield model with packed patterns, without a matrix of couplings.

use linalg_core::Streams;
use linalg_core::rand::Rng;
use linalg_core::rng::Xoshiro256PlusPlus;

/// Patterns to a word.
const WORD: usize = 32;

/// The bits of a word, so that a lane asks for its own by a constant.
const BITS: [u32; WORD] = {
    let mut bits = [0; WORD];
    let mut k = 0;
    while k < WORD {
        bits[k] = 1 << k;
        k += 1;
    }
    bits
};

/// N spins with one condensed pattern, all +1 by gauge, and P random ones besides.
///
/// With overlaps `M_μ = Σ_i ξ_i s_i` the local field is `h_i = Σ_μ ξ_i M_μ/N` less the spin's own part; a flip moves all M: P
/// additions each, and no matrix.
#[derive(Debug, Clone)]
pub struct Network {
    n: usize,
    n_patterns: usize,
    /// A row of words for each spin; bit 1 is +1.
    patterns: Vec<u32>,
    spins: Vec<i32>,
    /// Overlaps with the random patterns, padded to full words.
    overlaps: Vec<i32>,
    /// Overlap with the condensed pattern.
    condensed: i32,
    rng: Xoshiro256PlusPlus,
}

/// `u` in `[0, 1)`.
fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

impl Network {
    /// N spins with overlap m₀ with the condensed pattern, else random.
    pub fn new(n: usize, n_patterns: usize, m0: f64, seed: u64, sample: u64) -> Self {
        let mut rng = Streams::new(seed).fast_stream(sample);
        let words = n_patterns.div_ceil(WORD);
        let patterns = (0..n * words).map(|_| (rng.next_u64() >> 32) as u32).collect();
        let spins = (0..n).map(|_| if uniform(&mut rng) < 0.5 * (1.0 + m0) { 1 } else { -1 }).collect();
        let mut network = Self { n, n_patterns, patterns, spins, overlaps: vec![0; words * WORD], condensed: 0, rng };
        network.condensed = network.spins.iter().sum();
        for i in 0..n {
            network.add(i, network.spins[i]);
        }
        network
    }

    fn row(&self, i: usize) -> &[u32] {
        let words = self.overlaps.len() / WORD;
        &self.patterns[i * words..(i + 1) * words]
    }

    /// Adds `amount ξ_i` to the overlaps.
    fn add(&mut self, i: usize, amount: i32) {
        let words = self.overlaps.len() / WORD;
        let row = &self.patterns[i * words..(i + 1) * words];
        for (&word, overlaps) in row.iter().zip(self.overlaps.as_chunks_mut::<WORD>().0) {
            for (overlap, bit) in overlaps.iter_mut().zip(BITS) {
                *overlap += if word & bit != 0 { amount } else { -amount };
            }
        }
        // The patterns that pad the last word do not exist.
        self.overlaps[self.n_patterns..].fill(0);
    }

    /// `Σ_μ ξ_i M_μ`.
    fn sum(&self, i: usize) -> i64 {
        let mut total = 0i64;
        for (&word, overlaps) in self.row(i).iter().zip(self.overlaps.as_chunks::<WORD>().0) {
            let mut part = 0i32;
            for (overlap, bit) in overlaps.iter().zip(BITS) {
                part += if word & bit != 0 { *overlap } else { -*overlap };
            }
            total += i64::from(part);
        }
        total
    }

    /// N updates of random spins at temperature T ≥ 0: one sweep, the unit of time.
    pub fn sweep(&mut self, temperature: f64) {
        for _ in 0..self.n {
            let i = (uniform(&mut self.rng) * self.n as f64) as usize;
            let s = self.spins[i];
            // Without the spin's own part, one for each pattern.
            let field = (i64::from(self.condensed) + self.sum(i) - i64::from(s) * (self.n_patterns as i64 + 1)) as f64
                / self.n as f64;
            let new = if temperature > 0.0 {
                let up = 1.0 / (1.0 + (-2.0 * field / temperature).exp());
                if uniform(&mut self.rng) < up { 1 } else { -1 }
            } else if field > 0.0 || (field >= 0.0 && s > 0) {
                1
            } else {
                -1
            };
            if new != s {
                self.spins[i] = new;
                self.condensed += new - s;
                self.add(i, new - s);
            }
        }
    }

    /// m.
    pub fn magnetization(&self) -> f64 {
        f64::from(self.condensed) / self.n as f64
    }

    /// `E/N = (α - m² - α r)/2`, α counting the condensed pattern where it is the self-energy that is taken off.
    pub fn energy_per_spin(&self) -> f64 {
        let load = self.n_patterns as f64 / self.n as f64;
        let own = (self.n_patterns + 1) as f64 / self.n as f64;
        0.5 * (own - self.magnetization().powi(2) - load * self.crosstalk())
    }

    /// The spins, ±1.
    pub fn spins(&self) -> &[i32] {
        &self.spins
    }

    /// `r = Σ_μ M_μ²/(N P)`.
    pub fn crosstalk(&self) -> f64 {
        let squares: f64 = self.overlaps.iter().map(|&m| f64::from(m) * f64::from(m)).sum();
        squares / (self.n as f64 * self.n_patterns as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Overlaps and energy afresh from patterns and spins.
    fn afresh(network: &Network) -> (Vec<i32>, f64) {
        let bit = |i: usize, mu: usize| if network.row(i)[mu / WORD] >> (mu % WORD) & 1 == 1 { 1 } else { -1 };
        let overlaps: Vec<i32> =
            (0..network.n_patterns).map(|mu| (0..network.n).map(|i| bit(i, mu) * network.spins[i]).sum()).collect();
        let mut energy = 0.0;
        for i in 0..network.n {
            for j in 0..i {
                let coupling: i32 = 1 + (0..network.n_patterns).map(|mu| bit(i, mu) * bit(j, mu)).sum::<i32>();
                energy -= f64::from(coupling * network.spins[i] * network.spins[j]) / network.n as f64;
            }
        }
        (overlaps, energy / network.n as f64)
    }

    #[test]
    fn overlaps_and_energy_stay_right() {
        // 37 patterns leave part of a word unused.
        let mut network = Network::new(60, 37, 0.4, 5, 0);
        for temperature in [1.0, 0.3, 0.0] {
            network.sweep(temperature);
            let (overlaps, energy) = afresh(&network);
            assert_eq!(overlaps, network.overlaps[..37]);
            assert!((energy - network.energy_per_spin()).abs() < 1e-12);
        }
        // Downhill at T = 0.
        let mut before = network.energy_per_spin();
        for _ in 0..5 {
            network.sweep(0.0);
            assert!(network.energy_per_spin() <= before + 1e-12);
            before = network.energy_per_spin();
        }
    }
}
