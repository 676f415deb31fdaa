//! Sums over the configurations of sites with any alphabet.

use linalg_core::Observer;

use super::NAME;
use super::boltzmann::{WeightSums, lowest, weigh};
use super::drive::Job;
use crate::exact::compensated::Compensated;
use crate::model::{DiscreteModel, LnZ, Progress};
use crate::{Error, Result};

/// Exact averages of a [`DiscreteModel`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DiscreteSums {
    /// ln Z.
    pub ln_z: LnZ,
    /// The mean energy.
    pub energy: f64,
    /// The variance of the energy; the heat capacity is `β²` times it.
    pub energy_variance: f64,
    /// `p(s_i = a)`: a row for each site, an entry for each of its states.
    pub marginals: Vec<Vec<f64>>,
    /// The lowest energy.
    pub lowest_energy: f64,
    /// The first configuration that was found to have it.
    pub lowest: Vec<u8>,
}

/// Most states of a block: their energies and weights stay in the cache.
const BLOCK: usize = 1 << 12;

/// Blocks between two reports, and in one partial sum.
const UNIT: u64 = 1 << 6;

/// Sums relative to the lowest energy met.
struct Accumulator {
    reference: f64,
    of: WeightSums,
    /// The weight of every state of the low sites.
    table: Vec<f64>,
    /// The weights of the states of the other sites, one after the other.
    high: Vec<f64>,
}

impl Accumulator {
    fn new(table: usize, high: usize) -> Self {
        let of = WeightSums::default();
        Self { reference: f64::INFINITY, of, table: vec![0.0; table], high: vec![0.0; high] }
    }

    fn lower_reference(&mut self, reference: f64, beta: f64) {
        let shift = self.reference - reference;
        self.reference = reference;
        if shift.is_infinite() {
            return;
        }
        let factor = (-beta * shift).exp();
        self.of = self.of.shifted(shift, factor);
        self.table.iter_mut().chain(&mut self.high).for_each(|x| *x *= factor);
    }

    fn merge(&mut self, mut other: Self, beta: f64) {
        if other.reference < self.reference {
            self.lower_reference(other.reference, beta);
        } else if other.reference > self.reference {
            other.lower_reference(self.reference, beta);
        }
        self.of.add(other.of);
        self.table.iter_mut().zip(other.table).for_each(|(x, y)| *x += y);
        self.high.iter_mut().zip(other.high).for_each(|(x, y)| *x += y);
    }
}

/// A configuration that walks through all states of its low sites, in an order in which one site changes at a time.
struct Walk<'a> {
    model: &'a dyn DiscreteModel,
    radix: Vec<usize>,
    low: usize,
    s: Vec<u8>,
}

impl Walk<'_> {
    /// Puts the other sites into the state of this number.
    fn go_to(&mut self, mut block: u64) {
        for (s, &q) in self.s.iter_mut().zip(&self.radix).skip(self.low) {
            *s = (block % q as u64) as u8;
            block /= q as u64;
        }
    }

    /// Energies of all states of the low sites; the first site's state is the fastest digit of the index.
    ///
    /// Reflected mixed-radix Gray code, with the rounding errors of the energy carried along.
    fn energies(&mut self, out: &mut [f64]) {
        self.s[..self.low].fill(0);
        let mut upwards = vec![true; self.low];
        let mut energy = Compensated::default();
        energy.add(self.model.energy(&self.s));
        let mut index = 0usize;
        out[0] = energy.value();
        for _ in 1..out.len() {
            let mut stride = 1;
            // Sites at the end of their run turn round; the first that is not moves on.
            let mut i = 0;
            while self.s[i] as usize == if upwards[i] { self.radix[i] - 1 } else { 0 } {
                upwards[i] = !upwards[i];
                stride *= self.radix[i];
                i += 1;
            }
            let new = if upwards[i] { self.s[i] + 1 } else { self.s[i] - 1 };
            energy.add(self.model.delta_energy(&self.s, i, new));
            index = if upwards[i] { index + stride } else { index - stride };
            self.s[i] = new;
            out[index] = energy.value();
        }
    }
}

/// Checks the alphabets; the number of states of every site and of the whole.
pub(super) fn count_states(model: &dyn DiscreteModel, max_spins: usize) -> Result<(Vec<usize>, u64)> {
    let n = model.n_sites();
    if n == 0 {
        return Err(Error::NoSpins);
    }
    let bound = 1u64 << max_spins;
    let mut radix = Vec::new();
    let mut states = 1u64;
    for i in 0..n {
        let q = model.n_states(i);
        if !(1..=256).contains(&q) {
            let value = format!("{q} at site {i}");
            return Err(Error::Parameter { what: "number of states", value, expected: "1 to 256" });
        }
        states = states.saturating_mul(q as u64);
        if states > bound {
            let value = usize::try_from(states).unwrap_or(usize::MAX);
            let what = "number of configurations of the first sites";
            return Err(Error::TooLarge { solver: NAME, what, value, bound: bound as usize });
        }
        radix.push(q);
    }
    Ok((radix, states))
}

/// Sums over all configurations.
pub(super) fn discrete_sums(
    model: &dyn DiscreteModel,
    beta: f64,
    max_spins: usize,
    observer: &mut dyn Observer<Progress>,
) -> Result<DiscreteSums> {
    let (radix, states) = count_states(model, max_spins)?;
    let n = radix.len();
    let mut block_states = 1;
    let mut low = 0;
    while low < n && block_states * radix[low] <= BLOCK {
        block_states *= radix[low];
        low += 1;
    }
    let blocks = states / block_states as u64;
    let offsets: Vec<usize> = radix[low..]
        .iter()
        .scan(0, |offset, &q| {
            *offset += q;
            Some(*offset - q)
        })
        .collect();
    let n_high = radix[low..].iter().sum();
    let mut walk = Walk { model, low, s: vec![0; n], radix };
    let mut total = Accumulator::new(block_states, n_high);
    let mut energies = vec![0.0; block_states];
    let (mut lowest_energy, mut ground) = (f64::INFINITY, Vec::new());
    let job =
        Job { stage: "enumerating", units: blocks.div_ceil(UNIT), unit_states: UNIT.min(blocks) * block_states as u64 };
    job.run_sequential(observer, |unit| {
        let mut sums = Accumulator::new(block_states, n_high);
        for block in unit * UNIT..blocks.min((unit + 1) * UNIT) {
            walk.go_to(block);
            walk.energies(&mut energies);
            let minimum = lowest(&energies);
            if minimum < lowest_energy {
                lowest_energy = minimum;
                let mut index = energies.iter().position(|&e| e <= minimum).unwrap_or(0);
                ground.clone_from(&walk.s);
                for (s, q) in ground.iter_mut().zip(&walk.radix).take(low) {
                    *s = (index % q) as u8;
                    index /= q;
                }
            }
            if minimum < sums.reference {
                sums.lower_reference(minimum, beta);
            }
            let of = weigh(&mut energies, sums.reference, beta);
            sums.of.add(of);
            sums.table.iter_mut().zip(&energies).for_each(|(sum, weight)| *sum += weight);
            for (&s, offset) in walk.s[low..].iter().zip(&offsets) {
                sums.high[offset + s as usize] += of.weight;
            }
        }
        total.merge(sums, beta);
    })?;
    if ground.is_empty() || !lowest_energy.is_finite() {
        let reason = format!("the lowest energy is {lowest_energy}: energies are beyond the range of f64");
        return Err(Error::NotApplicable { solver: NAME, reason });
    }
    let weight = total.of.weight;
    let excess = total.of.energy / weight;
    let mut marginals = Vec::with_capacity(n);
    let mut stride = 1;
    for &q in &walk.radix[..low] {
        let mut marginal = vec![0.0; q];
        for (index, w) in total.table.iter().enumerate() {
            marginal[index / stride % q] += w / weight;
        }
        marginals.push(marginal);
        stride *= q;
    }
    for (&q, &offset) in walk.radix[low..].iter().zip(&offsets) {
        marginals.push(total.high[offset..offset + q].iter().map(|w| w / weight).collect());
    }
    let ln_z = if beta == 0.0 {
        walk.radix.iter().map(|&q| (q as f64).ln()).sum()
    } else {
        weight.ln() - beta * total.reference
    };
    Ok(DiscreteSums {
        ln_z: LnZ::exact(ln_z),
        energy: total.reference + excess,
        energy_variance: (total.of.square / weight - excess * excess).max(0.0),
        marginals,
        lowest_energy: model.energy(&ground),
        lowest: ground,
    })
}
