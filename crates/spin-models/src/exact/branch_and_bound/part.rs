//! One connected part of a model, in the order in which its spins are fixed.

use linalg_core::Streams;

use super::search::{Rule, Search};
use crate::Result;
use crate::exact::enumeration::{TIE, commensurate};
use crate::mcmc::{AnnealingParams, simulated_annealing};
use crate::models::SherringtonKirkpatrick;

/// Spins whose couplings connect them, with a spin +1 that carries the fields among them where there are any.
#[derive(Debug)]
pub(super) struct Part {
    /// The sites, in the order of the search's numbers; `GHOST` is the spin of the fields.
    pub sites: Vec<usize>,
    /// The energy is this times that of the search.
    pub unit: f64,
    pub rule: Rule,
    pub search: Search,
}

/// The site that stands for the fields.
pub(super) const GHOST: usize = usize::MAX;

impl Part {
    /// A part from its sites, in any order, and the symmetric matrix of their couplings.
    pub fn new(sites: &[usize], matrix: &[f64]) -> Self {
        let n = sites.len();
        let order = order(n, matrix);
        let mut ordered: Vec<f64> = order.iter().flat_map(|&i| order.iter().map(move |&j| matrix[i * n + j])).collect();
        let weights: Vec<f64> = (0..n).flat_map(|j| ordered[j * n..j * n + j].to_vec()).collect();
        let mut unit = 1.0;
        // Energies that are whole numbers change by even ones.
        let mut rule = Rule { tolerance: 0.0, spacing: 2.0, count: false };
        if let Some(exact) = commensurate(&weights) {
            unit = exact.unit;
            ordered.iter_mut().for_each(|x| *x = (*x / unit).round());
        } else {
            rule.tolerance = TIE * weights.iter().map(|w| w.abs()).sum::<f64>();
            rule.spacing = 0.0;
        }
        let search = Search::new(n, &ordered, rule);
        Self { sites: order.iter().map(|&i| sites[i]).collect(), unit, rule, search }
    }

    /// A configuration of low energy by annealing, without a proof.
    pub fn start(&self) -> Result<Vec<f64>> {
        let n = self.sites.len();
        let mut signs = vec![1.0; n];
        if n > 2 {
            let params = AnnealingParams::default().with_sweeps(200).with_reads(16);
            let model = SherringtonKirkpatrick::from_couplings(n, &self.search.matrix())?;
            let found = simulated_annealing(&model, &params, Streams::new(0), &mut ())?;
            signs.iter_mut().zip(found.spins.iter()).for_each(|(sign, &s)| *sign = f64::from(s));
        }
        improve(&self.search, &mut signs);
        Ok(signs)
    }

    /// Signs by site from those of the search, mirrored so that the spin of the fields is +1.
    pub fn spins(&self, signs: &[f64], mut set: impl FnMut(usize, i8)) {
        let ghost = self.sites.iter().position(|&site| site == GHOST);
        let gauge = ghost.map_or(1.0, |place| signs[place]);
        for (&site, sign) in self.sites.iter().zip(signs) {
            if site != GHOST {
                set(site, if sign * gauge < 0.0 { -1 } else { 1 });
            }
        }
    }

    pub fn has_fields(&self) -> bool {
        self.sites.contains(&GHOST)
    }
}

/// The spins from the last to be fixed to the first. The first is that with the strongest couplings, each further one
/// that with the strongest couplings to those before it: its field is likely to be large, and so is what one loses
/// against it.
fn order(n: usize, matrix: &[f64]) -> Vec<usize> {
    let strength = |i: usize| -> f64 { matrix[i * n..(i + 1) * n].iter().map(|x| x.abs()).sum() };
    let totals: Vec<f64> = (0..n).map(strength).collect();
    let mut tied = vec![0.0; n];
    let mut left: Vec<usize> = (0..n).collect();
    let mut order = Vec::with_capacity(n);
    while !left.is_empty() {
        let key = |&i: &usize| (tied[i], totals[i]);
        let better = |a: (f64, f64), b: (f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
        let (place, _) =
            left.iter().enumerate().max_by(|a, b| better(key(a.1), key(b.1)).then(b.1.cmp(a.1))).expect("not empty");
        let next = left.remove(place);
        order.push(next);
        left.iter().for_each(|&i| tied[i] += matrix[next * n + i].abs());
    }
    order.reverse();
    order
}

/// Flips single spins while that lowers the energy; then tries the same after every single flip.
pub(super) fn improve(search: &Search, signs: &mut [f64]) {
    let n = signs.len();
    let mut fields = vec![0.0; n];
    for j in 0..n {
        for (i, x) in search.row(j).iter().enumerate() {
            fields[j] += x * signs[i];
            fields[i] += x * signs[j];
        }
    }
    let flip = |signs: &mut [f64], fields: &mut [f64], j: usize| -> f64 {
        let change = 2.0 * signs[j] * fields[j];
        signs[j] = -signs[j];
        let twice = 2.0 * signs[j];
        search.row(j).iter().zip(fields.iter_mut()).for_each(|(x, field)| *field += twice * x);
        for (k, field) in fields.iter_mut().enumerate().skip(j + 1) {
            *field += twice * search.row(k)[j];
        }
        change
    };
    // Rounding must not make two configurations look better than each other.
    let scale: f64 = fields.iter().map(|field| field.abs()).sum();
    let least = -1e-12 * scale;
    let descend = |signs: &mut [f64], fields: &mut [f64]| -> f64 {
        let mut gained = 0.0;
        loop {
            let gain = |j: usize, signs: &[f64], fields: &[f64]| 2.0 * signs[j] * fields[j];
            let best = (0..n).min_by(|&a, &b| gain(a, signs, fields).total_cmp(&gain(b, signs, fields)));
            match best {
                Some(j) if gain(j, signs, fields) < least => gained += flip(signs, fields, j),
                _ => return gained,
            }
        }
    };
    descend(signs, &mut fields);
    let mut first = 0;
    while first < n {
        let (mut other, mut other_fields) = (signs.to_vec(), fields.clone());
        let mut change = flip(&mut other, &mut other_fields, first);
        // The flipped spin would flip back at once: the steepest descent starts from its neighbours.
        let mut second: Vec<usize> = (0..n).filter(|&j| j != first).collect();
        second.sort_by(|&a, &b| (other[a] * other_fields[a]).total_cmp(&(other[b] * other_fields[b])));
        if let Some(&j) = second.first() {
            change += flip(&mut other, &mut other_fields, j);
        }
        change += descend(&mut other, &mut other_fields);
        if change < least {
            signs.copy_from_slice(&other);
            fields = other_fields;
            first = 0;
        } else {
            first += 1;
        }
    }
}
