//! Who meets whom: the part of a model on which the order of sites depends.

use super::interactions::Interactions;

/// Interactions of two or more sites, as compressed rows in both directions.
#[derive(Debug)]
pub(super) struct Graph {
    term_start: Vec<usize>,
    term_sites: Vec<u32>,
    site_start: Vec<usize>,
    site_terms: Vec<u32>,
}

impl Graph {
    /// The graph of the interactions marked in `active`.
    pub(super) fn new(interactions: &Interactions, active: &[bool]) -> Self {
        let mut term_start = vec![0];
        let mut term_sites = Vec::new();
        let mut site_start = vec![0usize; interactions.n_spins + 1];
        for a in (0..interactions.len()).filter(|&a| active[a] && interactions.sites(a).len() > 1) {
            term_sites.extend_from_slice(interactions.sites(a));
            term_start.push(term_sites.len());
            for &site in interactions.sites(a) {
                site_start[site as usize + 1] += 1;
            }
        }
        for i in 0..interactions.n_spins {
            site_start[i + 1] += site_start[i];
        }
        let mut next = site_start.clone();
        let mut site_terms = vec![0u32; term_sites.len()];
        for a in 0..term_start.len() - 1 {
            for &site in &term_sites[term_start[a]..term_start[a + 1]] {
                site_terms[next[site as usize]] = a as u32;
                next[site as usize] += 1;
            }
        }
        Self { term_start, term_sites, site_start, site_terms }
    }

    pub(super) fn n_sites(&self) -> usize {
        self.site_start.len() - 1
    }

    pub(super) fn n_terms(&self) -> usize {
        self.term_start.len() - 1
    }

    pub(super) fn term(&self, a: u32) -> &[u32] {
        &self.term_sites[self.term_start[a as usize]..self.term_start[a as usize + 1]]
    }

    pub(super) fn terms_of(&self, site: u32) -> &[u32] {
        &self.site_terms[self.site_start[site as usize]..self.site_start[site as usize + 1]]
    }

    /// Sites that share a term with `site`, with repetitions.
    pub(super) fn neighbors(&self, site: u32) -> impl Iterator<Item = u32> + '_ {
        self.terms_of(site).iter().flat_map(|&a| self.term(a)).copied().filter(move |&other| other != site)
    }

    /// The connected components, each with its sites ascending, by their first sites.
    pub(super) fn components(&self) -> Vec<Vec<u32>> {
        let mut seen = vec![false; self.n_sites()];
        let mut components = Vec::new();
        for first in 0..self.n_sites() as u32 {
            if std::mem::replace(&mut seen[first as usize], true) {
                continue;
            }
            let mut component = vec![first];
            let mut next = 0;
            while next < component.len() {
                let site = component[next];
                next += 1;
                for other in self.neighbors(site) {
                    if !std::mem::replace(&mut seen[other as usize], true) {
                        component.push(other);
                    }
                }
            }
            component.sort_unstable();
            components.push(component);
        }
        components
    }
}
