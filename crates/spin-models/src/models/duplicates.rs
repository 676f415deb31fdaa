//! What to do with an interaction given twice.

use std::collections::HashMap;

use crate::{Error, Result};

/// What a builder does with an interaction that it is given twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Refuse it with the positions of both. The default, for files: a repeated line is usually a mistake.
    #[default]
    Refuse,
    /// Add the weights. Lattice constructors do this: a torus of length 2 has parallel bonds, 2J in all.
    Sum,
    /// Keep each as an interaction of its own. Mechanisms of a decoding problem that act on the same generators need
    /// this: each has its own weight and sign.
    Keep,
}

/// Weighted site sets after duplicates were refused or added, in order of first appearance.
pub(super) struct Collected {
    pub sites: Vec<Vec<u32>>,
    pub weights: Vec<f64>,
}

/// Checks interactions and resolves duplicates; `sites` of every entry come sorted out.
pub(super) fn collect(
    what: &'static str,
    n_spins: usize,
    entries: impl Iterator<Item = (Vec<usize>, f64)>,
    duplicates: Duplicates,
) -> Result<Collected> {
    let mut collected = Collected { sites: Vec::new(), weights: Vec::new() };
    let mut place: HashMap<Vec<u32>, (usize, usize)> = HashMap::new();
    for (entry, (mut sites, weight)) in entries.enumerate() {
        if let Some(&site) = sites.iter().find(|&&site| site >= n_spins) {
            return Err(Error::SiteOutOfBounds { what, entry, site, n_spins });
        }
        sites.sort_unstable();
        if let Some(pair) = sites.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::SelfCoupling { entry, site: pair[0] });
        }
        if !weight.is_finite() {
            return Err(Error::NotFinite { what, entry, sites, value: weight });
        }
        // Site numbers fit: they are below n_spins, which the builders bound by u32::MAX.
        let key: Vec<u32> = sites.iter().map(|&site| site as u32).collect();
        match (place.get(&key), duplicates) {
            (None, _) | (Some(_), Duplicates::Keep) => {
                place.insert(key.clone(), (collected.weights.len(), entry));
                collected.sites.push(key);
                collected.weights.push(weight);
            }
            (Some(&(_, first)), Duplicates::Refuse) => {
                return Err(Error::Duplicate { what, entry, first, sites });
            }
            (Some(&(k, _)), Duplicates::Sum) => {
                let sum = collected.weights[k] + weight;
                if !sum.is_finite() {
                    return Err(Error::NotFinite { what, entry, sites, value: sum });
                }
                collected.weights[k] = sum;
            }
        }
    }
    Ok(collected)
}

/// Checks the number of spins: at least one, and numbered by `u32`.
pub(super) fn check_n_spins(n_spins: usize) -> Result<()> {
    if n_spins == 0 {
        return Err(Error::NoSpins);
    }
    if n_spins > u32::MAX as usize {
        return Err(Error::TooLarge {
            solver: "model builder",
            what: "number of spins",
            value: n_spins,
            bound: u32::MAX as usize,
        });
    }
    Ok(())
}
