//! What to do with an interaction given twice.

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
pub(super) struct Collected<K> {
    pub keys: Vec<K>,
    pub weights: Vec<f64>,
}

/// A set of sites in ascending order, by which duplicates are recognised.
pub(super) trait SiteSet: Ord {
    fn sites(&self) -> Vec<usize>;
}

impl SiteSet for (u32, u32) {
    fn sites(&self) -> Vec<usize> {
        vec![self.0 as usize, self.1 as usize]
    }
}

impl SiteSet for Vec<u32> {
    fn sites(&self) -> Vec<usize> {
        self.iter().map(|&site| site as usize).collect()
    }
}

/// Checks pairs and resolves duplicates. Site numbers fit in `u32`: the builders bound the number of spins.
pub(super) fn collect_pairs(
    n_spins: usize,
    entries: &[(usize, usize, f64)],
    duplicates: Duplicates,
) -> Result<Collected<(u32, u32)>> {
    let what = "coupling";
    let mut collected =
        Collected { keys: Vec::with_capacity(entries.len()), weights: Vec::with_capacity(entries.len()) };
    for (entry, &(i, j, coupling)) in entries.iter().enumerate() {
        if let Some(site) = [i, j].into_iter().find(|&site| site >= n_spins) {
            return Err(Error::SiteOutOfBounds { what, entry, site, n_spins });
        }
        if i == j {
            return Err(Error::SelfCoupling { entry, site: i });
        }
        let (low, high) = (i.min(j), i.max(j));
        if !coupling.is_finite() {
            return Err(Error::NotFinite { what, entry, sites: vec![low, high], value: coupling });
        }
        collected.keys.push((low as u32, high as u32));
        collected.weights.push(coupling);
    }
    resolve(what, collected, duplicates)
}

/// Pairs and couplings from a file, as they are.
#[cfg(feature = "serde")]
pub(super) fn restore_pairs(n_spins: usize, pairs: &[(u32, u32)], couplings: &[f64]) -> Result<Collected<(u32, u32)>> {
    if couplings.len() != pairs.len() {
        return Err(Error::WrongLength { what: "couplings", got: couplings.len(), expected: pairs.len() });
    }
    let entries: Vec<(usize, usize, f64)> =
        pairs.iter().zip(couplings).map(|(&(i, j), &coupling)| (i as usize, j as usize, coupling)).collect();
    collect_pairs(n_spins, &entries, Duplicates::Keep)
}

/// For a file of which one part does not follow from another.
#[cfg(feature = "serde")]
pub(super) fn contradiction(what: &'static str, expected: &'static str) -> Error {
    Error::Parameter { what, value: "something else".to_owned(), expected }
}

/// Checks terms of any number of sites and resolves duplicates.
pub(super) fn collect_terms(
    n_spins: usize,
    entries: Vec<(Vec<usize>, f64)>,
    duplicates: Duplicates,
) -> Result<Collected<Vec<u32>>> {
    let what = "term";
    let mut collected =
        Collected { keys: Vec::with_capacity(entries.len()), weights: Vec::with_capacity(entries.len()) };
    for (entry, (mut sites, weight)) in entries.into_iter().enumerate() {
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
        collected.keys.push(sites.iter().map(|&site| site as u32).collect());
        collected.weights.push(weight);
    }
    resolve(what, collected, duplicates)
}

/// Refuses or adds entries of equal keys. Sorts entry numbers: no hashing of a million keys.
fn resolve<K: SiteSet>(what: &'static str, entries: Collected<K>, duplicates: Duplicates) -> Result<Collected<K>> {
    if duplicates == Duplicates::Keep {
        return Ok(entries);
    }
    let Collected { keys, weights } = entries;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_unstable_by(|&a, &b| keys[a].cmp(&keys[b]).then(a.cmp(&b)));
    let mut first: Vec<usize> = (0..keys.len()).collect();
    let mut any = false;
    for run in order.chunk_by(|&a, &b| keys[a] == keys[b]) {
        for &entry in &run[1..] {
            first[entry] = run[0];
            any = true;
        }
    }
    if !any {
        return Ok(Collected { keys, weights });
    }
    let mut place = vec![0; keys.len()];
    let mut resolved = Collected { keys: Vec::new(), weights: Vec::new() };
    for (entry, (key, weight)) in keys.into_iter().zip(weights).enumerate() {
        if first[entry] == entry {
            place[entry] = resolved.weights.len();
            resolved.keys.push(key);
            resolved.weights.push(weight);
            continue;
        }
        if duplicates == Duplicates::Refuse {
            return Err(Error::Duplicate { what, entry, first: first[entry], sites: key.sites() });
        }
        let sum = &mut resolved.weights[place[first[entry]]];
        *sum += weight;
        if !sum.is_finite() {
            return Err(Error::NotFinite { what, entry, sites: key.sites(), value: *sum });
        }
    }
    Ok(resolved)
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
