//! Parities of the sets of detectors that mechanisms flip, counted over shots.

use std::collections::{BTreeSet, HashMap};

use crate::error::{Error, Result};
use crate::problem::DecodingProblem;
use crate::shots::ShotsRef;

/// Blocks of shots, of which one at a time is left out to find the errors.
pub const FIT_BLOCKS: usize = 128;
/// Most detectors of a mechanism whose probability is fitted.
pub const MAX_FIT_DETECTORS: usize = 10;
/// Most sets of detectors of all mechanisms.
const MAX_SETS: usize = 1 << 22;
/// Shots that are counted at once: a word a block.
const BATCH: usize = 64 * FIT_BLOCKS;

/// Collects the moments of detection events from which the probabilities of mechanisms follow.
///
/// With $`s_i = 1 - 2 d_i`$ for detector i, independent mechanisms with probabilities $`p_m = \tfrac12 (1 - e^{-2\theta_m})`$
/// give every set S of detectors the mean sign
///
/// ```math
/// -\tfrac12 \ln \Big\langle \prod_{i \in S} s_i \Big\rangle = \sum_{m:\, |S \cap m| \text{ odd}} \theta_m ,
/// ```
///
/// and inclusion and exclusion over the subsets of the detectors M of one mechanism leave those that flip all of M:
///
/// ```math
/// \sum_{m \supseteq M} \theta_m
///   = 2^{1-|M|} \sum_{\emptyset \ne S \subseteq M} (-1)^{|S|+1} \Big( -\tfrac12 \ln \Big\langle \prod_{i \in S} s_i \Big\rangle \Big) .
/// ```
///
/// For pairs this is the formula of [Spitz et al., Adv. Quantum Technol. 1, 1800012 (2018)] and of
/// [Google Quantum AI, Nature 595, 383 (2021)], for one detector its boundary edge; it holds for hyperedges as well. From
/// the largest mechanisms down, those that flip more are subtracted. Exact for the law of the model, whatever the
/// probabilities below 1/2: the only error is that of the sample.
///
/// Mechanisms with equal detectors cannot be told apart by detection events, so observables play no part: such
/// mechanisms get one sum, shared out in the ratio of the probabilities of the structure.
///
/// Memory: [`FIT_BLOCKS`] counts for every set, as many words for every detector that a mechanism flips. Cost of a shot: a 64th of the number of detectors in all sets, in words.
///
/// ```
/// use linalg_core::Streams;
/// use quantum_ec::DetectorErrorModel;
/// use quantum_ec::dem::{Fit, Sampler};
///
/// let truth: DetectorErrorModel = "
///     error(0.1) D0
///     error(0.05) D0 D1
///     error(0.2) D1
/// ".parse()?;
/// let shots = Sampler::of_model(&truth)?.sample(100_000, &Streams::new(1)).detectors;
/// let structure: DetectorErrorModel = "
///     error(0.01) D0
///     error(0.01) D0 D1
///     error(0.01) D1
/// ".parse()?;
/// let mut fit = Fit::new(&structure.to_problem()?)?;
/// fit.add(shots.view());
/// let found = fit.finish();
/// for (m, p) in found.mechanisms.iter().zip([0.1, 0.05, 0.2]) {
///     assert!((m.probability.unwrap() - p).abs() < 4.0 * m.error.unwrap() && m.error.unwrap() < 0.005);
/// }
/// # Ok::<(), quantum_ec::Error>(())
/// ```
///
/// [Spitz et al., Adv. Quantum Technol. 1, 1800012 (2018)]: https://doi.org/10.1002/qute.201800012
/// [Google Quantum AI, Nature 595, 383 (2021)]: https://doi.org/10.1038/s41586-021-03588-y
#[derive(Debug, Clone)]
pub struct Fit {
    pub(super) priors: Vec<f64>,
    /// The group of a mechanism: those with the same detectors; none without detectors or probability.
    pub(super) group_of: Vec<Option<usize>>,
    /// The detectors of the groups, larger groups first.
    pub(super) groups: Vec<Vec<usize>>,
    /// The groups that flip all that a group flips and more.
    pub(super) above: Vec<Vec<usize>>,
    /// For every group its non-empty subsets, in the order of binary numbers.
    pub(super) subsets: Vec<Vec<u32>>,
    sets: Vec<Vec<usize>>,
    /// Shots with odd parity, a row of blocks a set.
    pub(super) odd: Vec<u64>,
    pub(super) shots: [u64; FIT_BLOCKS],
    n_detectors: usize,
    /// The row of each detector in the buffer; [`ABSENT`] for those in no set, and none beyond the last one in a set.
    rows: Vec<u32>,
    /// Shots not counted yet: a row of words a detector that is in a set.
    buffer: Vec<u64>,
    buffered: usize,
}

/// In place of a row of the buffer.
const ABSENT: u32 = u32::MAX;

impl Fit {
    /// The sets of detectors of a structure. Its probabilities matter only where mechanisms share their detectors; those of
    /// probability zero are left out of the model.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a mechanism of more than [`MAX_FIT_DETECTORS`] detectors and for more than 2²² sets.
    pub fn new(structure: &DecodingProblem) -> Result<Self> {
        const METHOD: &str = "fitting a detector error model";
        let too_large = |what, value, bound| Err(Error::TooLarge { method: METHOD, what, value, bound });
        let mut known: HashMap<&[usize], usize> = HashMap::new();
        let mut lists: Vec<&[usize]> = Vec::new();
        for (detectors, &p) in structure.checks().columns().zip(structure.priors()) {
            if detectors.len() > MAX_FIT_DETECTORS {
                return too_large("number of detectors of a mechanism", detectors.len(), MAX_FIT_DETECTORS);
            }
            if !detectors.is_empty() && p > 0.0 && !known.contains_key(detectors) {
                known.insert(detectors, 0);
                lists.push(detectors);
            }
        }
        lists.sort_by_key(|list| (std::cmp::Reverse(list.len()), *list));
        for (group, list) in lists.iter().enumerate() {
            known.insert(list, group);
        }
        let group_of = structure.checks().columns().zip(structure.priors());
        let group_of = group_of.map(|(list, &p)| known.get(list).copied().filter(|_| p > 0.0)).collect();

        let mut place: HashMap<Vec<usize>, u32> = HashMap::new();
        let mut sets: Vec<Vec<usize>> = Vec::new();
        let mut subsets = Vec::with_capacity(lists.len());
        let mut above = vec![Vec::new(); lists.len()];
        for (group, list) in lists.iter().enumerate() {
            let mut own = Vec::with_capacity((1 << list.len()) - 1);
            for mask in 1usize..1 << list.len() {
                let set: Vec<usize> =
                    list.iter().enumerate().filter(|(k, _)| mask >> k & 1 == 1).map(|(_, &d)| d).collect();
                if let Some(&below) = known.get(&set[..])
                    && below != group
                {
                    above[below].push(group);
                }
                own.push(*place.entry(set).or_insert_with_key(|set| {
                    sets.push(set.clone());
                    (sets.len() - 1) as u32
                }));
            }
            if sets.len() > MAX_SETS {
                return too_large("number of sets of detectors", sets.len(), MAX_SETS);
            }
            subsets.push(own);
        }
        // A set of its own for each of them: no more than MAX_SETS.
        let in_sets: BTreeSet<usize> = lists.iter().flat_map(|list| list.iter().copied()).collect();
        let mut rows = vec![ABSENT; in_sets.last().map_or(0, |last| last + 1)];
        for (row, &detector) in (0..).zip(&in_sets) {
            rows[detector] = row;
        }
        Ok(Self {
            priors: structure.priors().to_vec(),
            group_of,
            groups: lists.iter().map(|list| list.to_vec()).collect(),
            above,
            subsets,
            odd: vec![0; sets.len() * FIT_BLOCKS],
            sets,
            shots: [0; FIT_BLOCKS],
            n_detectors: structure.n_detectors(),
            rows,
            buffer: vec![0; in_sets.len() * FIT_BLOCKS],
            buffered: 0,
        })
    }

    /// Number of detectors, the width of shots.
    pub fn n_detectors(&self) -> usize {
        self.n_detectors
    }

    /// Number of shots added.
    pub fn n_shots(&self) -> u64 {
        self.shots.iter().sum::<u64>() + self.buffered as u64
    }

    /// Adds shots; how they are cut into pieces does not matter.
    ///
    /// # Panics
    /// If the width of the shots is not the number of detectors.
    pub fn add(&mut self, shots: ShotsRef<'_>) {
        let n = self.n_detectors();
        assert_eq!(shots.n_bits(), n, "shots of {} bits for {n} detectors", shots.n_bits());
        for shot in 0..shots.n_shots() {
            let (word, bit) = (self.buffered / 64, self.buffered % 64);
            for detector in shots.ones(shot) {
                if let Some(&row) = self.rows.get(detector).filter(|row| **row != ABSENT) {
                    self.buffer[row as usize * FIT_BLOCKS + word] |= 1 << bit;
                }
            }
            self.buffered += 1;
            if self.buffered == BATCH {
                self.flush();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn sets(&self) -> Vec<Vec<usize>> {
        self.sets.clone()
    }

    /// Counts what is in the buffer; words beyond the shots are zero and count nothing.
    pub(super) fn flush(&mut self) {
        let mut parity = [0u64; FIT_BLOCKS];
        for (set, odd) in self.sets.iter().zip(self.odd.chunks_exact_mut(FIT_BLOCKS)) {
            parity.fill(0);
            for &detector in set {
                let row = self.rows[detector] as usize;
                let row = &self.buffer[row * FIT_BLOCKS..(row + 1) * FIT_BLOCKS];
                parity.iter_mut().zip(row).for_each(|(p, word)| *p ^= word);
            }
            odd.iter_mut().zip(&parity).for_each(|(odd, p)| *odd += u64::from(p.count_ones()));
        }
        for (block, shots) in self.shots.iter_mut().enumerate() {
            *shots += self.buffered.saturating_sub(64 * block).min(64) as u64;
        }
        self.buffer.fill(0);
        self.buffered = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dem::DetectorErrorModel;
    use crate::shots::Shots;

    #[test]
    fn detectors_of_no_mechanism_take_no_memory() {
        let structure: DetectorErrorModel =
            "error(0.1) D1\nerror(0.1) D1 D3\nerror(0) D4\ndetector D1000000".parse().unwrap();
        let mut fit = Fit::new(&structure.to_problem().unwrap()).unwrap();
        assert_eq!(
            (fit.n_detectors(), fit.buffer.len(), &fit.rows[..]),
            (1_000_001, 2 * FIT_BLOCKS, &[ABSENT, 0, ABSENT, 1][..])
        );
        // Events of the others are no one's: D1 in 10 of 100 shots, D3 never.
        let mut shots = Shots::zeros(100, 1_000_001);
        for k in 0..10 {
            shots.set(k, 1, true);
            [0, 2, 4, 1_000_000].into_iter().for_each(|detector| shots.set(k, detector, true));
        }
        fit.add(shots.view());
        let found = fit.finish().mechanisms;
        assert!((found[0].probability.unwrap() - 0.1).abs() < 1e-12 && found[1].probability.unwrap().abs() < 1e-12);
    }
}
