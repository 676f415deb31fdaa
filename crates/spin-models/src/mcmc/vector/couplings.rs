//! A model with real couplings in the order of a colouring, in 32 and in 64 bits.

use std::ops::Range;

use crate::mcmc::Coloring;
use crate::models::Ising;

/// Half of the distance between 1 and the next 32-bit number.
const HALF_ULP: f64 = 1.0 / (1u64 << 24) as f64;

/// A coupling at a site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// Position of the neighbour.
    pub(super) position: u32,
    /// In the unit of the model.
    pub(super) coupling: f32,
}

/// Couplings and fields; sites stand at positions, class by class of a colouring, spins without any energy last.
///
/// Couplings of value 0 are left out. 12 bytes a coupling for either of its ends in addition to 64-bit copies.
#[derive(Debug, Clone)]
pub(super) struct RealModel {
    pub(super) n_spins: usize,
    pub(super) offset: f64,
    /// The largest absolute value of a coupling or field: what 32-bit numbers are multiples of.
    pub(super) unit: f64,
    /// Bound of the rounding error of a local field in 32 bits and of two products with it, in the unit.
    pub(super) rounding: f64,
    pub(super) position_of: Vec<u32>,
    /// Positions from here on are of spins without couplings and field.
    pub(super) n_held: usize,
    start: Vec<usize>,
    links: Vec<Link>,
    pub(super) fields: Vec<f32>,
    exact_couplings: Vec<f64>,
    pub(super) exact_fields: Vec<f64>,
}

impl RealModel {
    /// Bytes of the model, before anything is reserved.
    pub(super) fn bytes(model: &Ising) -> u128 {
        let (n, m) = (model.fields().len() as u128, model.n_couplings() as u128);
        2 * m * (8 + 8) + n * (4 + 8 + 4 + 8)
    }

    /// `O(N log N + M)`.
    pub(super) fn new(model: &Ising) -> Self {
        let n = model.fields().len();
        let links = |site: usize| {
            let (neighbors, couplings) = model.row(site);
            neighbors.iter().copied().zip(couplings.iter().copied()).filter(|&(_, coupling)| coupling != 0.0)
        };
        let is_free = |site: usize| model.fields()[site] == 0.0 && links(site).next().is_none();
        let coloring = Coloring::greedy(model);
        let in_classes = || coloring.classes().flatten().copied();
        let mut order: Vec<u32> = in_classes().filter(|&site| !is_free(site as usize)).collect();
        let n_held = order.len();
        order.extend(in_classes().filter(|&site| is_free(site as usize)));

        let mut position_of = vec![0; n];
        order.iter().zip(0u32..).for_each(|(&site, position)| position_of[site as usize] = position);
        let largest = model.couplings().map(|(.., coupling)| coupling.abs());
        let unit = largest.chain(model.fields().iter().map(|field| field.abs())).fold(0.0, f64::max);
        let unit = if unit > 0.0 { unit } else { 1.0 };

        let mut start = vec![0];
        let (mut all, mut exact_couplings, mut rounding) = (Vec::new(), Vec::new(), 0.0f64);
        for &site in &order {
            let site = site as usize;
            let mut sum = (model.fields()[site] / unit).abs();
            let mut terms = 1.0;
            for (neighbor, coupling) in links(site) {
                let scaled = coupling / unit;
                all.push(Link { position: position_of[neighbor as usize], coupling: scaled as f32 });
                exact_couplings.push(coupling);
                sum += scaled.abs();
                terms += 1.0;
            }
            // One rounding of every number, one of every sum, and a few of what comes after.
            rounding = rounding.max(sum * HALF_ULP * (terms + 6.0));
            start.push(all.len());
        }
        let exact_fields: Vec<f64> = order.iter().map(|&site| model.fields()[site as usize]).collect();
        let fields = exact_fields.iter().map(|field| (field / unit) as f32).collect();
        Self {
            n_spins: n,
            offset: model.offset(),
            unit,
            rounding,
            position_of,
            n_held,
            start,
            links: all,
            fields,
            exact_couplings,
            exact_fields,
        }
    }

    #[inline(always)]
    fn range(&self, position: usize) -> Range<usize> {
        self.start[position]..self.start[position + 1]
    }

    /// Couplings of the site at a position.
    #[inline(always)]
    pub(super) fn links(&self, position: usize) -> &[Link] {
        &self.links[self.range(position)]
    }

    /// The same with the couplings in 64 bits.
    #[inline(always)]
    pub(super) fn exact_links(&self, position: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.range(position);
        let couplings = &self.exact_couplings[range.clone()];
        self.links[range].iter().zip(couplings).map(|(link, &coupling)| (link.position as usize, coupling))
    }
}
