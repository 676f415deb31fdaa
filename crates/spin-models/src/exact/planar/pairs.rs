//! Correlations of any two spins, by a change of signs along a path.

use std::collections::VecDeque;

use super::double::Double;
use super::elimination::sew_at;
use super::number::Number;
use super::patch::{Patch, Workspace};
use super::prepared::Prepared;
use super::product::Product;
use super::signed::Signed;
use super::wide::Wide;
use super::{NAME, Planar, scaled, stopped};
use crate::error::check_beta;
use crate::model::{PairCorrelations, Progress};
use crate::models::Ising;
use crate::{EnergyModel, Error, Result};
use linalg_core::Observer;
use linalg_core::stats::Estimate;

/// Two values of a correlation that differ by less agree.
const TOLERANCE: f64 = 1e-12;

/// Multiples of these numbers have fractional parts that make units.
const UNITS: [f64; 2] = [0.618_033_988_749_894_9, std::f64::consts::SQRT_2];

/// Changes of the reference that increase its weight by more are made.
const LARGEST: f64 = 4.0;

impl Planar {
    /// Correlations $`\langle s_i s_j \rangle`$ of any pairs of sites, coupled or not, on plane graphs and on tori.
    ///
    /// Walls that cross a path from i to j are counted with a minus sign:
    ///
    /// ```math
    /// \langle s_i s_j \rangle = \frac{Z'}{Z}, \qquad e^{-2 K_e} \to -e^{-2 K_e} \text{ along the path}
    /// ```
    ///
    /// (L. P. Kadanoff and H. Ceva, Physical Review B 3, 3918 (1971)). A bridge on the path gives a factor tanh K, sites
    /// of different components have the correlation 0. Discs off the path are eliminated once for all pairs; a pair costs
    /// at most one elimination, $`O(N^{3/2})`$, and much less if the sites are close. Signs may cancel: every pair is
    /// computed twice in different units, with more digits until the values agree to 1e-12.
    ///
    /// # Errors
    /// As [`Planar`]; [`Error::SiteOutOfBounds`] with the position of the pair.
    ///
    /// ```
    /// use spin_models::{Ising, Planar};
    ///
    /// // A ring of four: ⟨s0 s2⟩ = 2 t² / (1 + t⁴), t = tanh K.
    /// let ring = Ising::ring(4, 1.0)?;
    /// let t = 0.6f64.tanh();
    /// let got = Planar::default().pair_correlations(&ring, 0.6, &[(0, 2)])?;
    /// assert!((got.values[0].value - 2.0 * t * t / (1.0 + t.powi(4))).abs() < 1e-13);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn pair_correlations(&self, model: &Ising, beta: f64, pairs: &[(usize, usize)]) -> Result<PairCorrelations> {
        self.pair_correlations_observed(model, beta, pairs, &mut ())
    }

    /// The same with an observer, which sees every pair.
    ///
    /// # Errors
    /// As [`pair_correlations`](Self::pair_correlations); [`Error::Stopped`] with the number of pairs that are done.
    pub fn pair_correlations_observed(
        &self,
        model: &Ising,
        beta: f64,
        pairs: &[(usize, usize)],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<PairCorrelations> {
        check_beta(beta)?;
        let n = model.n_spins();
        for (entry, &(i, j)) in pairs.iter().enumerate() {
            if let Some(site) = [i, j].into_iter().find(|&site| site >= n) {
                return Err(Error::SiteOutOfBounds { what: "pair", entry, site, n_spins: n });
            }
        }
        let prepared = Prepared::new(model)?;
        let k = scaled(model, beta);
        let mut lines = Lines::new(&prepared, &k)?;
        let total = pairs.len() as u64;
        let one = |(&(i, j), done): (&(usize, usize), u64)| {
            if observer.observe(&Progress::new("correlations", done, total)).is_break() {
                return Err(stopped(done, total));
            }
            lines.correlation(i, j).map(Estimate::exact)
        };
        let values = pairs.iter().zip(0..).map(one).collect::<Result<_>>()?;
        Ok(PairCorrelations { pairs: pairs.to_vec(), values })
    }

    /// Correlations of one site with all, that with itself being 1; as [`pair_correlations`](Self::pair_correlations).
    ///
    /// # Errors
    /// As there, entry 0 being the site.
    ///
    /// ```
    /// use spin_models::{Ising, Planar};
    ///
    /// // An open chain: ⟨s0 sj⟩ = tanh^j K.
    /// let chain = Ising::builder(4).couplings([(0, 1, 1.0), (1, 2, 1.0), (2, 3, -1.0)]).build()?;
    /// let got = Planar::default().correlations_with(&chain, 0.5, 0)?;
    /// let t = 0.5f64.tanh();
    /// for (value, expected) in got.iter().zip([1.0, t, t * t, -t * t * t]) {
    ///     assert!((value - expected).abs() < 1e-15);
    /// }
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn correlations_with(&self, model: &Ising, beta: f64, site: usize) -> Result<Vec<f64>> {
        let pairs: Vec<(usize, usize)> = (0..model.n_spins()).map(|other| (site, other)).collect();
        let correlations = self.pair_correlations(model, beta, &pairs)?;
        Ok(correlations.values.iter().map(|c| c.value).collect())
    }
}

/// An elimination without signs, of which parts are used again.
struct Base<T> {
    units: f64,
    /// What amplitudes that have lost their digits are raised to.
    floor: Signed<T>,
    exponents: Vec<f64>,
    patches: Vec<Option<Patch<Signed<T>>>>,
    /// The factor of every step, and at the end that of the torus.
    factors: Vec<Product<T>>,
}

/// The elimination in one kind of numbers, `None` where they leave their range.
type Made<T> = Option<Option<Base<T>>>;

/// Correlations along paths.
struct Lines<'a> {
    prepared: &'a Prepared,
    k: &'a [f64],
    spins: Vec<i8>,
    exponents: Vec<f64>,
    is_bridge: Vec<bool>,
    /// The cell of the first half of every side; none for bridges.
    cell: Vec<u32>,
    /// The tree of shortest paths from one site, made when another is asked for.
    root: usize,
    parent: Vec<Option<(usize, usize)>>,
    plain: [Made<f64>; 2],
    double: [Made<Double>; 2],
    wide6: Made<Wide<6>>,
    wide20: Made<Wide<20>>,
    wide60: Made<Wide<60>>,
}

impl<'a> Lines<'a> {
    fn new(prepared: &'a Prepared, k: &'a [f64]) -> Result<Self> {
        let reference = prepared.configuration(k)?;
        let mut is_bridge = vec![false; prepared.n_sides()];
        for &bridge in prepared.bridges() {
            is_bridge[bridge] = true;
        }
        let mut cell = vec![u32::MAX; prepared.n_sides()];
        for (number, halves) in prepared.cell_halves().iter().enumerate() {
            for &h in halves.iter().filter(|&h| h % 2 == 0) {
                cell[h as usize / 2] = number as u32;
            }
        }
        Ok(Self {
            prepared,
            k,
            spins: reference.spins,
            exponents: reference.exponents,
            is_bridge,
            cell,
            root: usize::MAX,
            parent: Vec::new(),
            plain: [None, None],
            double: [None, None],
            wide6: None,
            wide20: None,
            wide60: None,
        })
    }

    /// Breadth first from a site.
    fn grow(&mut self, root: usize) {
        if self.root == root {
            return;
        }
        let graph = &self.prepared.graph;
        self.root = root;
        self.parent = vec![None; graph.n_vertices()];
        let mut seen = vec![false; graph.n_vertices()];
        seen[root] = true;
        let mut queue = VecDeque::from([root]);
        while let Some(v) = queue.pop_front() {
            for next in graph.neighbors(v) {
                if !seen[next.vertex] {
                    seen[next.vertex] = true;
                    self.parent[next.vertex] = Some((v, next.edge));
                    queue.push_back(next.vertex);
                }
            }
        }
    }

    fn correlation(&mut self, i: usize, j: usize) -> Result<f64> {
        if i == j {
            return Ok(1.0);
        }
        self.grow(i);
        let mut factor = 1.0;
        let mut path = Vec::new();
        let mut at = j;
        while at != i {
            let Some((before, edge)) = self.parent[at] else { return Ok(0.0) };
            if self.is_bridge[edge] {
                factor *= self.k[edge].tanh();
            } else {
                factor *= f64::from(self.spins[at] * self.spins[before]);
                path.push(edge as u32);
            }
            at = before;
        }
        if path.is_empty() {
            return Ok(factor);
        }
        let (prepared, x, cells) = (self.prepared, &self.exponents[..], &self.cell[..]);
        let agree = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) if (a - b).abs() <= TOLERANCE && b.abs() <= 1.0 + TOLERANCE => Some(b.clamp(-1.0, 1.0)),
            _ => None,
        };
        // Where it is cold, two runs with too few digits may lose the same ones.
        let coldest = self.k.iter().fold(0.0, |most: f64, k| most.max(k.abs()));
        let mut found = None;
        if coldest <= f64::coldest() {
            let [a, b] = &mut self.plain;
            found = agree(ratio(a, prepared, x, cells, &path, 0), ratio(b, prepared, x, cells, &path, 1));
        }
        if found.is_none() && coldest <= Double::coldest() {
            let [a, b] = &mut self.double;
            found = agree(ratio(a, prepared, x, cells, &path, 0), ratio(b, prepared, x, cells, &path, 1));
        }
        if found.is_none() {
            let first = ratio(&mut self.wide6, prepared, x, cells, &path, 0);
            let second = ratio(&mut self.wide20, prepared, x, cells, &path, 1);
            found =
                agree(first, second).or_else(|| agree(second, ratio(&mut self.wide60, prepared, x, cells, &path, 0)));
        }
        found.map(|ratio| factor * ratio).ok_or_else(|| {
            let reason = format!("the correlation of sites {i} and {j} needs more than 3840 bits");
            Error::NotApplicable { solver: NAME, reason }
        })
    }
}

/// The unit of a half.
fn unit(units: f64, h: u32) -> f64 {
    1.0 + 0.5 * (units * f64::from(h + 1)).fract()
}

/// The weight with signs along the path, relative to that without.
fn ratio<T: Number>(
    made: &mut Made<T>,
    prepared: &Prepared,
    exponents: &[f64],
    cells: &[u32],
    path: &[u32],
    units: usize,
) -> Option<f64> {
    let base = made.get_or_insert_with(|| Base::new(prepared, exponents, units)).as_ref()?;
    base.ratio(prepared, cells, path)
}

impl<T: Number> Base<T> {
    fn new(prepared: &Prepared, exponents: &[f64], units: usize) -> Option<Self> {
        // The two runs of a pair differ in the order of rounding and in what they make of lost digits.
        let floor = if units == 0 { Signed::<T>::ZERO } else { Signed::floor() };
        let units = UNITS[units];
        let program = prepared.program();
        let ln_units = |side: u32| (unit(units, 2 * side) * unit(units, 2 * side + 1)).ln();
        let exponents: Vec<f64> = (0..).zip(exponents).map(|(side, &x)| x - ln_units(side)).collect();
        if !exponents.iter().all(|&x| T::exp(x).is_safe() && T::exp(-x).is_safe()) {
            return None;
        }
        let mut work = Workspace::new(floor, LARGEST);
        let mut patches: Vec<Option<Patch<Signed<T>>>> = vec![None; program.lengths.len()];
        let mut factors = Vec::with_capacity(program.up.len() + 1);
        for step in &program.up {
            for side in [step.left, step.right] {
                patches[side as usize].get_or_insert_with(|| program.cell(side, |h| Signed::from_f64(unit(units, h))));
            }
            let mut factor = Product::default();
            patches[step.out as usize] = Some(sew_at(step, &patches, &exponents, &mut work, &mut factor).ok()?);
            factors.push(factor);
        }
        let mut base = Self { units, floor, exponents, patches, factors };
        let torus = base.close(prepared, &base.patches)?;
        base.factors.push(torus);
        Some(base)
    }

    /// The factor of the torus; 1 for a plane.
    fn close(&self, prepared: &Prepared, patches: &[Option<Patch<Signed<T>>>]) -> Option<Product<T>> {
        let mut factor = Product::default();
        if let Some(torus) = prepared.torus() {
            let roots = &prepared.program().roots;
            let open = patches[roots[0].0 as usize].as_ref()?;
            torus.close(roots, open, &self.exponents, |h| unit(self.units, h), &mut factor)?;
        }
        Some(factor)
    }

    fn ratio(&self, prepared: &Prepared, cells: &[u32], path: &[u32]) -> Option<f64> {
        let program = prepared.program();
        let mut changed = vec![false; program.lengths.len()];
        let mut patches: Vec<Option<Patch<Signed<T>>>> = vec![None; program.lengths.len()];
        for &side in path {
            let cell = cells[side as usize] as usize;
            changed[cell] = true;
            patches[cell] = Some(program.cell(cell as u32, |h| {
                let unit = Signed::<T>::from_f64(unit(self.units, h));
                if h % 2 == 0 && path.contains(&(h / 2)) { Signed::ZERO - unit } else { unit }
            }));
        }
        let mut work = Workspace::new(self.floor, LARGEST);
        let (mut now, mut before) = (Product::default(), Product::default());
        for (step, old) in program.up.iter().zip(&self.factors) {
            if !changed[step.left as usize] && !changed[step.right as usize] {
                continue;
            }
            for side in [step.left, step.right] {
                if !changed[side as usize] {
                    patches[side as usize] = self.patches[side as usize].clone();
                }
            }
            patches[step.out as usize] = Some(sew_at(step, &patches, &self.exponents, &mut work, &mut now).ok()?);
            changed[step.out as usize] = true;
            patches[step.left as usize] = None;
            patches[step.right as usize] = None;
            before = before.times(old);
        }
        if prepared.torus().is_some() {
            now = now.times(&self.close(prepared, &patches)?);
            before = before.times(&self.factors[program.up.len()]);
        }
        let ratio = now.over(&before).number().to_f64();
        (!ratio.is_nan()).then_some(ratio)
    }
}
