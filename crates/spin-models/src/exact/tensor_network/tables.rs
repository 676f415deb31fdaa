//! From interactions to tables: the tensors of the network.

use super::NAME;
use crate::exact::transfer_matrix::interactions::Interactions;
use crate::{Error, Result};

/// Most sites of one interaction; its table has two to this power entries.
const MAX_ORDER: usize = 20;

/// A tensor over some sites with the interactions it holds.
#[derive(Debug, Clone)]
pub(in crate::exact) struct Table {
    pub(in crate::exact) sites: Vec<u32>,
    /// Interactions with the positions of their sites in the table as bits of its index.
    pub(in crate::exact) terms: Vec<(usize, usize)>,
}

impl Table {
    /// Exponents `β Σ w Π s` of all entries; bit 0 of a site is spin +1, the last site is the lowest bit.
    pub(in crate::exact) fn exponents(&self, weight: &dyn Fn(usize) -> f64, out: &mut Vec<f64>) {
        out.clear();
        out.resize(1 << self.sites.len(), 0.0);
        for &(a, mask) in &self.terms {
            let w = weight(a);
            for (x, entry) in out.iter_mut().enumerate() {
                *entry += if (x & mask).count_ones() & 1 == 0 { w } else { -w };
            }
        }
    }

    /// `Σ_x p(x) Π_{i in mask} s_i`.
    pub(in crate::exact) fn mean(&self, mask: usize, p: &[f64]) -> f64 {
        let (mut even, mut odd) = (0.0, 0.0);
        for (x, &p) in p.iter().enumerate() {
            if (x & mask).count_ones() & 1 == 0 { even += p } else { odd += p }
        }
        (even - odd) / (even + odd)
    }

    /// The bit of the site at a position.
    pub(in crate::exact) fn bit(&self, position: usize) -> usize {
        1 << (self.sites.len() - 1 - position)
    }
}

/// All interactions in as few tables as hold them without growing.
#[derive(Debug, Clone)]
pub(in crate::exact) struct Tables {
    /// Tables of two or more sites.
    pub(in crate::exact) tables: Vec<Table>,
    /// Sites in no table, with their fields: a factor `2 cosh` each.
    pub(in crate::exact) alone: Vec<(u32, Vec<usize>)>,
    /// Interactions without sites.
    pub(in crate::exact) constants: Vec<usize>,
    /// A table of each site and the position there.
    pub(in crate::exact) place: Vec<Option<(u32, u32)>>,
}

impl Tables {
    /// An interaction joins a table that has all its sites; the largest interactions make the tables.
    pub(in crate::exact) fn new(interactions: &Interactions, active: &dyn Fn(usize) -> bool) -> Result<Self> {
        let n = interactions.n_spins;
        let mut order: Vec<usize> = (0..interactions.len()).filter(|&a| active(a)).collect();
        order.sort_by_key(|&a| (std::cmp::Reverse(interactions.sites(a).len()), a));
        let mut tables: Vec<Table> = Vec::new();
        let mut at_site: Vec<Vec<u32>> = vec![Vec::new(); n];
        let mut constants = Vec::new();
        let mut fields: Vec<Vec<usize>> = vec![Vec::new(); n];
        for a in order {
            let sites = interactions.sites(a);
            match sites {
                [] => constants.push(a),
                &[site] => fields[site as usize].push(a),
                _ if sites.len() > MAX_ORDER => {
                    let (what, value) = ("number of sites in an interaction", sites.len());
                    return Err(Error::TooLarge { solver: NAME, what, value, bound: MAX_ORDER });
                }
                _ => {
                    let rarest = sites.iter().min_by_key(|&&site| at_site[site as usize].len());
                    let near = rarest.map_or(&[][..], |&site| &at_site[site as usize][..]);
                    let host = near
                        .iter()
                        .copied()
                        .find(|&t| sites.iter().all(|site| tables[t as usize].sites.contains(site)));
                    let host = host.unwrap_or_else(|| {
                        for &site in sites {
                            at_site[site as usize].push(tables.len() as u32);
                        }
                        tables.push(Table { sites: sites.to_vec(), terms: Vec::new() });
                        tables.len() as u32 - 1
                    });
                    tables[host as usize].take(a, sites);
                }
            }
        }
        let mut alone = Vec::new();
        let mut place = vec![None; n];
        for (site, fields) in fields.into_iter().enumerate() {
            let Some(&host) = at_site[site].first() else {
                alone.push((site as u32, fields));
                continue;
            };
            let table = &mut tables[host as usize];
            place[site] = table.sites.iter().position(|&own| own as usize == site).map(|p| (host, p as u32));
            for a in fields {
                table.take(a, &[site as u32]);
            }
        }
        Ok(Self { tables, alone, constants, place })
    }
}

impl Table {
    fn take(&mut self, a: usize, sites: &[u32]) {
        let positions = (0..self.sites.len()).filter(|&p| sites.contains(&self.sites[p]));
        let mask = positions.map(|p| self.bit(p)).sum();
        self.terms.push((a, mask));
    }
}
