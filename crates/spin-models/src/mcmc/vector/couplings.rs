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
    /// What the 32-bit numbers are multiples of: the smallest or the largest absolute value of a coupling or field.
    pub(super) unit: f64,
    /// Whether local fields have no rounding error in the unit, so that a 0 is a 0.
    pub(super) is_exact: bool,
    /// Bound of the rounding error of a local field in 32 bits and of two products with it, in the unit.
    pub(super) rounding: f64,
    pub(super) position_of: Vec<u32>,
    /// Positions from here on are of spins without couplings and field.
    pub(super) n_held: usize,
    start: Vec<usize>,
    /// Where in its row the couplings to later positions begin.
    middle: Vec<usize>,
    links: Vec<Link>,
    pub(super) fields: Vec<f32>,
    exact_couplings: Vec<f64>,
    pub(super) exact_fields: Vec<f64>,
}

impl RealModel {
    /// Bytes of the model, before anything is reserved.
    pub(super) fn bytes(model: &Ising) -> u128 {
        let (n, m) = (model.fields().len() as u128, model.n_couplings() as u128);
        2 * m * (8 + 8) + n * (4 + 8 + 8 + 4 + 8)
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
        let numbers = || model.couplings().map(|(.., j)| j).chain(model.fields().iter().copied());
        let sizes = || numbers().map(f64::abs).filter(|&size| size > 0.0);
        let largest = sizes().fold(0.0, f64::max);
        // Powers of two divide without rounding.
        let power = largest.log2().floor().exp2();
        let units = [sizes().fold(f64::INFINITY, f64::min), largest, power];
        let exact = units.into_iter().find(|&unit| unit.is_normal() && is_exact(model, unit));
        let unit = exact.unwrap_or(if largest > 0.0 { largest } else { 1.0 });

        let (mut start, mut middle) = (vec![0], Vec::new());
        let (mut all, mut exact_couplings, mut rounding) = (Vec::new(), Vec::new(), 0.0f64);
        for &site in &order {
            let site = site as usize;
            let mut sum = (model.fields()[site] / unit).abs();
            let mut terms = 1.0;
            let position = position_of[site];
            let placed = || links(site).map(|(neighbor, coupling)| (position_of[neighbor as usize], coupling));
            let (earlier, later) =
                (placed().filter(|&(at, _)| at < position), placed().filter(|&(at, _)| at >= position));
            middle.push(all.len() + earlier.clone().count());
            for (position, coupling) in earlier.chain(later) {
                let scaled = coupling / unit;
                all.push(Link { position, coupling: scaled as f32 });
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
            is_exact: exact.is_some(),
            rounding,
            position_of,
            n_held,
            start,
            middle,
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
        self.exact(self.range(position))
    }

    /// Those to earlier positions: every coupling once in all.
    #[inline(always)]
    pub(super) fn earlier_links(&self, position: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.exact(self.start[position]..self.middle[position])
    }

    #[inline(always)]
    fn exact(&self, range: Range<usize>) -> impl Iterator<Item = (usize, f64)> + '_ {
        let couplings = &self.exact_couplings[range.clone()];
        self.links[range].iter().zip(couplings).map(|(link, &coupling)| (link.position as usize, coupling))
    }
}

/// Whether all sums of couplings and fields at a site are exact in 32 bits: multiples of one power of two, and fewer than
/// 2²⁴ of them.
fn is_exact(model: &Ising, unit: f64) -> bool {
    let mut step = f64::INFINITY;
    let mut largest = 0.0f64;
    for site in 0..model.fields().len() {
        let mut sum = 0.0;
        for &number in model.row(site).1.iter().chain([&model.fields()[site]]) {
            let scaled = number / unit;
            if number != 0.0 {
                if !(scaled as f32).is_normal() || f64::from(scaled as f32).to_bits() != scaled.to_bits() {
                    return false;
                }
                // The value of the lowest bit that is set.
                let bits = scaled.abs().to_bits();
                let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
                step = step.min(((bits >> 52) as f64 - 1075.0 + f64::from(mantissa.trailing_zeros())).exp2());
            }
            sum += scaled.abs();
        }
        largest = largest.max(sum);
    }
    largest <= step * (1u32 << 24) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sums_are_recognized() {
        let path = |j: &[f64]| {
            let couplings = j.iter().enumerate().map(|(i, &j)| (i, i + 1, j));
            RealModel::new(&Ising::builder(j.len() + 1).couplings(couplings).build().unwrap())
        };
        for j in
            [&[0.1, -0.1, 0.1][..], &[1.0, 3.0], &[0.3, 0.0, 0.3], &[2f64.sqrt(), 2.0 * 2f64.sqrt()], &[0.75, 1.25]]
        {
            assert!(path(j).is_exact, "{j:?}");
        }
        for j in [&[1.0, 2f64.sqrt()][..], &[1.0, 1e9], &[0.1, 0.3001]] {
            assert!(!path(j).is_exact, "{j:?}");
        }
        assert!(path(&[1.0, 2f64.powi(23)]).is_exact);
        assert!(!path(&[1.0, 2f64.powi(24)]).is_exact);
        // Nothing to sum, numbers out of range.
        assert_eq!(path(&[0.0]).unit.to_bits(), 1f64.to_bits());
        assert!(!path(&[f64::MAX, 1e-300]).is_exact);
    }
}
