//! The solver and the traits it implements.

use linalg_core::Observer;
use linalg_core::stats::Estimate;

use super::NAME;
use super::chain::{Chain, Row, sandwich};
use super::compress::multiply;
use super::grid::Grid;
use super::plan::BoundaryMpsPlan;
use crate::error::check_beta;
use crate::model::{
    Correlations, Kind, LnZ, LogPartition, LogPartitionPlan, PairCorrelations, PrepareLogPartition, Progress,
    Quantities, Solution, Solve,
};
use crate::models::Ising;
use crate::{Error, Result};

/// ln Z of a square lattice with free boundaries, row by row, in a matrix product state of bounded bond dimension χ.
///
/// The sum over all rows above one is a function of the spins of that row,
///
/// ```math
/// \psi(s_1, \ldots, s_W) = A_1(s_1) A_2(s_2) \cdots A_W(s_W),
/// ```
///
/// with matrices of at most χ rows and columns. One row more doubles them, and they are cut back to the χ states that
/// weigh most. Rows are added from both ends, and what meets in the middle is multiplied. Any couplings and fields; without
/// fields the symmetry under the flip of all spins halves the matrices.
///
/// # What is lost
/// The discarded weight is the sum, over all cuts, of the share of the squared norm of ψ that was left out. What it does
/// to ln Z depends on the other half of the lattice. On ±J lattices of 32 x 32 at K = 1, the weight for seed 1, the error
/// as a root mean square over seeds 1 to 5:
///
/// | χ | discarded weight | error of ln Z |
/// |---|---|---|
/// | 8 | 2e-7 | 3e-4 |
/// | 16 | 2e-12 | 3e-6 |
/// | 24 | 2e-15 | 4e-8 |
/// | 32 | 2e-18 | 2e-9 |
/// | 48 | 4e-23 | 2e-11 |
/// | 64 | 1e-26 | 8e-13 |
///
/// [`converge`](Self::converge) makes such a table. The cuts are made in the metric halfway between two rows, with the
/// square root of the couplings between them on either side.
/// The bond dimension of an exact result is at most 2 to the power of half the shorter side. The result is an
/// [`Approximation`](Kind::Approximation) with the discarded weight as its residual, or `Exact` where nothing was cut.
///
/// Rounding errors grow with falling temperature: on ±J lattices up to 32 x 32 ln Z is good to about 1e-11 at K = 2, 1e-7
/// at K = 3, 1e-3 at K = 4. Above K = 1.5 the lattice is contracted a second time from the opposite corner; the
/// difference joins the residual, and one above 10⁻³ is an error. It is an estimate and not a bound: at K = 3.5 the error
/// was more than ten times as large.
///
/// # Cost
/// $`O(N \chi^3)`$ time and $`O(W \chi^2)`$ memory, W the shorter side.
///
/// ```
/// use spin_models::{BoundaryMps, Ising, LogPartition};
///
/// // A spin glass of 16 by 16 with free boundaries: ln Z known to 60 digits.
/// let glass = Ising::plus_minus_splitmix(16, 16, 1)?;
/// let ln_z = BoundaryMps::new(24).ln_z(&glass, 1.0)?;
/// assert!((ln_z.value - 369.0406302039768531).abs() < 1e-9);
/// assert_eq!(ln_z.kind.name(), "approximation");
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// # References
/// - F. Verstraete and J. I. Cirac, arXiv:cond-mat/0407066: boundary states of two-dimensional networks.
/// - U. Schollwöck, Annals of Physics 326, 96 (2011), §4 and §5: products of row operators and states, compression.
/// - M. Gu and S. C. Eisenstat, SIAM J. Sci. Comput. 17, 848 (1996): rank-revealing QR, which makes the cuts here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BoundaryMps {
    chi: usize,
}

/// 32 states a bond.
impl Default for BoundaryMps {
    fn default() -> Self {
        Self { chi: 32 }
    }
}

/// What [`BoundaryMps::contract`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BoundaryMpsReport {
    /// ln Z with what kind of value it is.
    pub ln_z: LnZ,
    /// Sum over all cuts of the share of the squared norm that was left out.
    pub discarded_weight: f64,
    /// How far a second contraction from the opposite corner of the lattice is from the first, in ln Z: an estimate of
    /// what truncation and rounding do together, not a bound. `None` where no coupling or field times β exceeds 1.5. By
    /// [`contract_interactions`](BoundaryMps::contract_interactions): how far overlaps at single cuts are from the result.
    pub difference: Option<f64>,
    /// The largest bond dimension that was used.
    pub bond_dimension: usize,
}

/// Relative rounding errors above this make a result an approximation.
const EXACT: f64 = 1e-11;

/// From this βJ on rounding errors are measured by a second contraction.
pub(super) const COLD: f64 = 1.5;

/// Rounding errors of ln Z above this are refused.
pub(super) const LOST: f64 = 1e-3;

/// βJ and βh that can be added.
pub(super) fn check_scaled(scaled: &[f64], offset: f64) -> Result<()> {
    let total = scaled.iter().map(|k| k.abs()).sum::<f64>() + offset.abs();
    if total.is_finite() {
        return Ok(());
    }
    let value = total.to_string();
    Err(Error::Parameter { what: "beta times the sum of weights", value, expected: "a finite number" })
}

/// The lattice, its couplings and its fields times β.
pub(super) fn read(model: &Ising, beta: f64) -> Result<(Grid, Vec<f64>, Vec<f64>)> {
    check_beta(beta)?;
    let grid = Grid::new(model)?;
    let couplings: Vec<f64> = model.couplings().map(|(_, _, j)| beta * j).collect();
    let fields: Vec<f64> = model.fields().iter().map(|h| beta * h).collect();
    check_scaled(&couplings, beta * model.offset())?;
    check_scaled(&fields, 0.0)?;
    Ok((grid, couplings, fields))
}

impl BoundaryMps {
    /// A solver with at most `chi` states a bond, at least one.
    ///
    /// # Panics
    /// If `chi` is 0.
    pub fn new(chi: usize) -> Self {
        assert!(chi > 0, "chi is 0, expected at least 1");
        Self { chi }
    }

    /// The largest bond dimension.
    pub fn chi(&self) -> usize {
        self.chi
    }

    /// ln Z with the losses.
    ///
    /// ```
    /// use spin_models::{BoundaryMps, Ising};
    ///
    /// // A ladder of two rows is exact with two states: nothing is discarded.
    /// let ladder = Ising::plus_minus_splitmix(2, 50, 1)?;
    /// let report = BoundaryMps::new(2).contract(&ladder, 0.5, &mut ())?;
    /// assert_eq!((report.discarded_weight, report.ln_z.kind.name()), (0.0, "exact"));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotApplicable`] where the couplings are not those of a square lattice with free boundaries, numbered row
    /// by row, and where rounding has taken all digits; [`Error::Beta`]; [`Error::Parameter`] where β times the weights is
    /// not finite; [`Error::Stopped`].
    pub fn contract(
        &self,
        model: &Ising,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<BoundaryMpsReport> {
        let (grid, couplings, fields) = read(model, beta)?;
        self.contract_grid(&grid, &couplings, &fields, beta * model.offset(), observer)
    }

    /// The reports for several bond dimensions, in their order: how ln Z and the discarded weight converge.
    ///
    /// ```
    /// use spin_models::{BoundaryMps, Ising};
    ///
    /// let glass = Ising::plus_minus_splitmix(16, 16, 1)?;
    /// let reports = BoundaryMps::converge(&glass, 1.0, &[4, 8, 16, 32], &mut ())?;
    /// let errors: Vec<f64> = reports.iter().map(|report| (report.ln_z.value - 369.0406302039768531).abs()).collect();
    /// assert!(errors[0] < 0.1 && errors[1] < 1e-3 && errors[2] < 1e-6 && errors[3] < 1e-11);
    /// // Where the true value is not known, the steps and the weights tell.
    /// assert!(reports.windows(2).all(|pair| pair[1].discarded_weight < pair[0].discarded_weight));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`contract`](Self::contract); [`Error::Parameter`] for a bond dimension of 0.
    pub fn converge(
        model: &Ising,
        beta: f64,
        chis: &[usize],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Vec<BoundaryMpsReport>> {
        if chis.contains(&0) {
            let value = "0".to_owned();
            return Err(Error::Parameter { what: "bond dimension", value, expected: "at least 1" });
        }
        chis.iter().map(|&chi| Self::new(chi).contract(model, beta, observer)).collect()
    }

    pub(super) fn contract_grid(
        &self,
        grid: &Grid,
        couplings: &[f64],
        fields: &[f64],
        offset: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<BoundaryMpsReport> {
        let (mut rows, mut below) = grid.rows(couplings, fields);
        let symmetric = fields.iter().all(|&h| h == 0.0);
        let total = grid.height as u64;
        // A file may say 0.
        let mut sweep = Sweep { chi: self.chi.max(1), symmetric, discarded_weight: 0.0, done: 0, total, observer };
        let found = sweep.contract(&rows, &below)?;
        let discarded_weight = sweep.discarded_weight;
        let mut difference = None;
        if couplings.iter().chain(fields).any(|k| k.abs() > COLD) {
            // From the opposite corner the rounding errors are others.
            rows.reverse();
            rows.iter_mut().for_each(Row::reverse);
            below.pop();
            below.reverse();
            below.iter_mut().for_each(|couplings| couplings.reverse());
            below.push(vec![0.0; grid.width]);
            sweep.total += total;
            let other = sweep.contract(&rows, &below)?;
            difference = Some((other.ln_z - found.ln_z).abs());
        }
        let error = difference.unwrap_or(0.0);
        check_digits(found.ln_z, error, couplings)?;
        let ln_z = LnZ { value: found.ln_z - offset, std_error: None, kind: kind(found.ln_z, discarded_weight, error) };
        Ok(BoundaryMpsReport { ln_z, discarded_weight, difference, bond_dimension: found.bond_dimension })
    }
}

/// What a result is, by its discarded weight and the difference of two contractions.
pub(super) fn kind(ln_z: f64, discarded_weight: f64, difference: f64) -> Kind {
    if discarded_weight == 0.0 && difference <= EXACT * ln_z.abs() {
        Kind::Exact
    } else {
        Kind::Approximation { converged: true, residual: discarded_weight.max(difference) }
    }
}

/// Refuses what rounding has destroyed; a NaN too.
pub(super) fn check_digits(ln_z: f64, difference: f64, couplings: &[f64]) -> Result<()> {
    if ln_z.is_finite() && difference <= LOST {
        return Ok(());
    }
    let reason = format!(
        "rounding left no digits: two contractions differ by {difference:e} in ln Z, couplings times beta up to {:e}",
        couplings.iter().fold(0.0, |k: f64, other| k.max(other.abs()))
    );
    Err(Error::NotApplicable { solver: NAME, reason })
}

/// What one contraction finds; ln Z is NaN where the result is not positive.
struct Found {
    ln_z: f64,
    bond_dimension: usize,
}

/// Rows that are added from one end.
pub(super) struct Sweep<'a> {
    pub(super) chi: usize,
    pub(super) symmetric: bool,
    pub(super) discarded_weight: f64,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) observer: &'a mut dyn Observer<Progress>,
}

impl Sweep<'_> {
    pub(super) fn report(&mut self) -> Result<()> {
        self.done += 1;
        if self.observer.observe(&Progress::new("rows", self.done, self.total)).is_break() {
            return Err(Error::Stopped { solver: NAME, done: self.done, total: self.total });
        }
        Ok(())
    }

    /// All rows, from both ends to the middle.
    fn contract(&mut self, rows: &[Row], below: &[Vec<f64>]) -> Result<Found> {
        let middle = rows.len() / 2;
        let width = rows[middle].fields.len();
        let top = self.absorb(width, (0..middle).map(|r| (&rows[r], &below[r])))?;
        let bottom = self.absorb(width, (middle + 1..rows.len()).rev().map(|r| (&rows[r], &below[r - 1])))?;
        let (sign, ln_z) = sandwich(&top, &rows[middle], &bottom);
        self.report()?;
        let bond_dimension = top.bond_dimension().max(bottom.bond_dimension());
        Ok(Found { ln_z: if sign > 0.0 { ln_z } else { f64::NAN }, bond_dimension })
    }

    /// Sums over rows in their order, each with its couplings to the next one.
    fn absorb<'r>(&mut self, width: usize, rows: impl Iterator<Item = (&'r Row, &'r Vec<f64>)>) -> Result<Chain> {
        self.absorb_each(width, rows, &mut |_, _| ())
    }

    /// The same; `after` gets the function of the spins of each next row, and whether they are in the opposite order.
    pub(super) fn absorb_each<'r>(
        &mut self,
        width: usize,
        rows: impl Iterator<Item = (&'r Row, &'r Vec<f64>)>,
        after: &mut dyn FnMut(&Chain, bool),
    ) -> Result<Chain> {
        let mut chain = Chain::ones(width, self.symmetric);
        let mut opposite = false;
        for (row, below) in rows {
            let (mut row, mut below) = (row.clone(), below.clone());
            if opposite {
                row.reverse();
                below.reverse();
            }
            let (next, discarded) = multiply(&chain, &row, &below, self.chi);
            chain = next;
            self.discarded_weight += discarded;
            opposite = !opposite;
            after(&chain, opposite);
            self.report()?;
        }
        Ok(if opposite { chain.reversed() } else { chain })
    }
}

impl LogPartition<Ising> for BoundaryMps {
    fn ln_z_observed(&self, model: &Ising, beta: f64, observer: &mut dyn Observer<Progress>) -> Result<LnZ> {
        Ok(self.contract(model, beta, observer)?.ln_z)
    }
}

impl PrepareLogPartition<Ising> for BoundaryMps {
    fn prepare(&self, model: &Ising) -> Result<Box<dyn LogPartitionPlan>> {
        Ok(Box::new(BoundaryMpsPlan::new(*self, model)?))
    }
}

impl Solve<Ising> for BoundaryMps {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, model: &Ising, beta: f64) -> Result<()> {
        read(model, beta).map(|_| ())
    }

    /// Correlations of coupled pairs only: `None` for all pairs. The kind of ln Z is that of the means too.
    fn solve(
        &self,
        model: &Ising,
        beta: f64,
        want: Quantities,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Solution> {
        let mut solution = Solution::default();
        if !want.energy && !want.magnetizations && want.correlations != Correlations::Coupled {
            solution.ln_z = Some(self.ln_z_observed(model, beta, observer)?);
            return Ok(solution);
        }
        let means = self.marginals(model, beta, observer)?;
        solution.ln_z = Some(means.ln_z);
        solution.energy = want.energy.then(|| Estimate::exact(means.energy));
        solution.magnetizations =
            want.magnetizations.then(|| means.magnetizations.into_iter().map(Estimate::exact).collect());
        if want.correlations == Correlations::Coupled {
            let pairs = model.couplings().map(|(i, j, _)| (i, j)).collect();
            let values = means.correlations.into_iter().map(Estimate::exact).collect();
            solution.correlations = Some(PairCorrelations { pairs, values });
        }
        Ok(solution)
    }
}
