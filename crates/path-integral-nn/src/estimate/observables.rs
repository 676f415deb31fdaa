//! Measurements on a block of chains.

use std::ops::Range;

use crate::action::{LANES, Rule, Scratch};
use crate::ensemble::{Ends, Kind};
use crate::error::{Error, Result};
use crate::estimate::Correlators;
use crate::potential::System;
use crate::sampler::{Block, Measurement, Target};
use linalg_core::checkpoint::ContentHash;
use linalg_core::merge::Units;
use linalg_core::simd::widest;

use super::kernels::{Filter, LaggedForces, Products, Weigh};

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ObservablesParams {
    /// Points of the path that are measured; `None`: all of a ring, the middle half of open paths.
    pub window: Option<Range<usize>>,
    /// Whether to record control variates.
    pub control_variates: bool,
    /// Whether to record correlators in time.
    pub correlators: bool,
    /// Samples of each chain in a bin of the correlators. Errors know of the autocorrelation of bins: they may be short.
    pub bin: u64,
    /// Measure after every so many steps.
    pub every: u64,
}

impl Default for ObservablesParams {
    /// Everything, in bins of 4, after every step.
    fn default() -> Self {
        Self { window: None, control_variates: true, correlators: true, bin: 4, every: 1 }
    }
}

impl ObservablesParams {
    /// Other points to measure.
    #[must_use]
    pub fn window(mut self, window: Range<usize>) -> Self {
        self.window = Some(window);
        self
    }

    /// Without or with control variates.
    #[must_use]
    pub fn control_variates(mut self, on: bool) -> Self {
        self.control_variates = on;
        self
    }

    /// Without or with correlators.
    #[must_use]
    pub fn correlators(mut self, on: bool) -> Self {
        self.correlators = on;
        self
    }

    /// Another number of samples in a bin.
    #[must_use]
    pub fn bin(mut self, bin: u64) -> Self {
        self.bin = bin.max(1);
        self
    }

    /// Another number of steps between measurements.
    #[must_use]
    pub fn every(mut self, every: u64) -> Self {
        self.every = every.max(1);
        self
    }
}

/// Series recorded besides the control variates.
pub(super) const SERIES: usize = 6;
/// Their places.
pub(super) const ENERGY: usize = 0;
pub(super) const THERMODYNAMIC: usize = 1;
pub(super) const X2: usize = 2;
pub(super) const X4: usize = 3;
pub(super) const MEAN: usize = 4;
pub(super) const MIXED: usize = 5;

/// Decay rates of the control variates in units of the reference frequency.
const RATES: [f64; 4] = [0.5, 1.0, 2.0, 4.0];

/// Control variates of the correlators for each rate: two lags, two operators.
const LAGGED: usize = 4;

/// Cells of the histogram, over six widths of the reference to both sides.
const CELLS: usize = 120;
const REACH: f64 = 6.0;

/// Records the quantities of the module's table for one block of chains.
///
/// A long run is stopped and resumed with [`checkpoint`](Self::checkpoint) and [`restore`](Self::restore); runs with other seeds are
/// added with [`Merge`](linalg_core::merge::Merge), or given to [`Report::new`](super::Report::new) side by side.
#[derive(Debug, Clone)]
pub struct Observables {
    pub(super) params: ObservablesParams,
    /// Hash of the target and of what is measured.
    pub(super) problem: u64,
    pub(super) units: Units,
    pub(super) window: Range<usize>,
    powers: Vec<i32>,
    pub(super) width: usize,
    /// For each chain, rows of `width` numbers: the chains of this block first, then those of merged ones.
    pub(super) series: Vec<Vec<f64>>,
    pub(super) correlators: Correlators,
    pub(super) histogram: Vec<u64>,
    pub(super) end_histogram: Vec<u64>,
    pub(super) center: f64,
    pub(super) spread: f64,
    pub(super) has_trial: bool,
    pub(super) calls: u64,
    /// Calls before the first bin that is still filled, and the place of that bin: bins of merged blocks lie before it.
    pub(super) bins_from: (u64, usize),
    scratch: Scratch,
    places: Vec<f64>,
    buffers: [Vec<f64>; 7],
}

impl Observables {
    /// For blocks of chains of a target.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a window that is empty or reaches beyond the path, and for bins or intervals of no samples.
    pub fn new(target: &Target, params: ObservablesParams) -> Result<Self> {
        let (system, ensemble) = (target.action().system(), target.action().ensemble());
        let n = ensemble.n_points();
        for (what, value) in [("samples in a bin", params.bin), ("steps between measurements", params.every)] {
            if value == 0 {
                return Err(Error::Parameter { what, value: 0.0, expected: "at least 1" });
            }
        }
        let window =
            params.window.clone().unwrap_or(if ensemble.is_periodic() { 0..n } else { n / 4..(3 * n).div_ceil(4) });
        if window.start >= window.end || window.end > n {
            let expected = "a range of points of the path that is not empty";
            return Err(Error::Parameter { what: "end of the window", value: window.end as f64, expected });
        }
        let oscillator = target.reference().oscillator();
        let frequency = if oscillator.frequency > 0.0 { oscillator.frequency } else { 1.0 / ensemble.time() };
        let spread = (system.hbar() / (2.0 * system.mass() * frequency)).sqrt();
        let powers = match (params.control_variates, symmetric(system, oscillator.center, spread)) {
            (false, _) => vec![],
            (true, true) => vec![1, 3, 5],
            (true, false) => vec![0, 1, 2, 3],
        };
        // The longest lag with a pair inside the window; a whole ring has all of them up to half of it.
        let available = match (ensemble.is_periodic(), window.len() == n) {
            (true, true) => n / 2,
            (true, false) => (window.len() - 1).min(n / 2),
            (false, _) => window.len() - 1,
        };
        let reference_lag = (1.0 / (frequency * ensemble.step())).round().max(1.0) as usize;
        let reference_lag = reference_lag.min(available / 2);
        let lags = if params.correlators { (3 * reference_lag + 1).max(2).min(available + 1) } else { 0 };
        let correlators = Correlators {
            lags,
            reference_lag,
            step: ensemble.step(),
            hbar: system.hbar(),
            ring: if ensemble.is_periodic() { n } else { 0 },
            variates: if lags > 2 * reference_lag && !powers.is_empty() { LAGGED * RATES.len() } else { 0 },
            bins: Vec::new(),
            counts: Vec::new(),
        };
        let width = SERIES + RATES.len() * powers.len();
        let mut hash = ContentHash::new();
        hash.write_u64(target.hash()).write_usizes(&[window.start, window.end, width, lags]);
        hash.write_u64s(&[params.bin, params.every]);
        Ok(Self {
            params,
            problem: hash.finish(),
            units: Units::new(),
            window,
            powers,
            width,
            series: vec![Vec::new(); LANES],
            correlators,
            histogram: vec![0; CELLS],
            end_histogram: vec![0; CELLS],
            center: oscillator.center,
            spread,
            has_trial: matches!(ensemble.kind, Kind::GroundState(Ends::Gaussian { .. })),
            calls: 0,
            bins_from: (0, 0),
            scratch: Scratch::default(),
            places: Vec::new(),
            buffers: Default::default(),
        })
    }

    /// Names the work units measured here, for example the chains of a seed, so that [`Merge`](linalg_core::merge::Merge) refuses to
    /// count one twice.
    #[must_use]
    pub fn with_units(mut self, units: Units) -> Self {
        self.units = units;
        self
    }

    /// The work units measured here.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Samples, over all chains.
    pub fn n_samples(&self) -> usize {
        self.series.iter().map(|s| s.len() / self.width).sum()
    }

    fn energies(&mut self, block: &Block, rows: &mut [f64]) {
        let action = block.target().action();
        let (system, ensemble, rule) = (action.system(), action.ensemble(), action.rule());
        let (dim, step) = (system.dim(), ensemble.step());
        let cols = LANES * dim;
        // Midpoint k lies between points k and k + 1; fixed ends shift it by one.
        let mut from = self.window.start;
        let mut count = self.window.len();
        let all = action.places(block.paths(), LANES, &mut self.places);
        if rule.at_midpoints() {
            // The last point of an open path has none after it.
            from = from.min(all.len() / cols - 1);
            count = count.min(all.len() / cols - from);
        }
        let places = &all[from * cols..(from + count) * cols];
        let [plain, effective, slope, force, ..] = &mut self.buffers;
        for values in [&mut *plain, &mut *effective] {
            values.resize(count * LANES, 0.0);
        }
        slope.resize(count * cols, 0.0);
        let power = match rule {
            Rule::Trapezoid | Rule::Midpoint => 0.0,
            Rule::MidpointCorrected => 1.0,
            Rule::TakahashiImada => 2.0,
        };
        system.potential().values(places, plain);
        action.effective_potential().values(places, effective);
        action.effective_potential().gradients(places, slope);
        let scale = 1.0 / count as f64;
        for k in 0..count {
            for l in 0..LANES {
                let (i, j) = (k * LANES + l, (k * LANES + l) * dim);
                let own = plain[i] + (power + 1.0) * (effective[i] - plain[i]);
                let virial: f64 = places[j..j + dim].iter().zip(&slope[j..j + dim]).map(|(x, g)| x * g).sum();
                rows[l * self.width + ENERGY] += scale * (own + 0.5 * virial);
                rows[l * self.width + THERMODYNAMIC] += scale * own;
            }
        }
        // Kinetic terms of the segments inside the window, all of a ring.
        let n = ensemble.n_points();
        let links: Vec<(usize, usize)> = if ensemble.is_periodic() && self.window.len() == n {
            (0..n).map(|k| (k, (k + 1) % n)).collect()
        } else {
            (self.window.start..self.window.end - 1).map(|k| (k, k + 1)).collect()
        };
        let x = block.paths();
        let (half, stiffness) = (0.5 * system.hbar() * dim as f64 / step, 0.5 * system.mass() / (step * step));
        let mut kinetic = vec![0.0; cols];
        let row = |k: usize| &x[k * cols..(k + 1) * cols];
        let mut n_links = links.len();
        for (a, b) in links {
            let pair = row(a).iter().zip(row(b));
            kinetic.iter_mut().zip(pair).for_each(|(sum, (a, b))| *sum += (a - b) * (a - b));
        }
        if n_links == 0 {
            // One point: the segments at its sides, up to fixed ends too.
            let k = self.window.start;
            let around = ensemble.is_periodic().then_some(n - 1);
            let before = k.checked_sub(1).or(around);
            let after = Some((k + 1) % n).filter(|&next| next > k || ensemble.is_periodic());
            let (from, to) = action.ends().unzip();
            for (point, end) in [(before, from), (after, to)] {
                let at = |c: usize| point.map(|k| row(k)[c]).or_else(|| end.map(|end: &[f64]| end[c % dim]));
                n_links += usize::from(at(0).is_some());
                for (c, sum) in kinetic.iter_mut().enumerate() {
                    *sum += at(c).map_or(0.0, |x| (row(k)[c] - x).powi(2));
                }
            }
        }
        let share = 1.0 / n_links.max(1) as f64;
        for (l, columns) in kinetic.chunks_exact(dim).enumerate() {
            rows[l * self.width + THERMODYNAMIC] += half - stiffness * share * columns.iter().sum::<f64>();
        }
        // Moments at the points, with their correction for Takahashi and Imada's rule.
        let window = &x[self.window.start * cols..self.window.end * cols];
        let correction = if rule == Rule::TakahashiImada { step * step / (12.0 * system.mass()) } else { 0.0 };
        if correction != 0.0 {
            force.resize(window.len(), 0.0);
            system.potential().gradients(window, force);
        }
        let scale = 1.0 / self.window.len() as f64;
        let mut moments = [vec![0.0; cols], vec![0.0; cols], vec![0.0; cols]];
        let [squares, fourth, means] = &mut moments;
        force.resize(if correction == 0.0 { cols } else { window.len() }, 0.0);
        for (k, points) in window.chunks_exact(cols).enumerate() {
            let slopes = if correction == 0.0 { &force[..cols] } else { &force[k * cols..(k + 1) * cols] };
            for c in 0..cols {
                let (x, slope) = (points[c], correction * slopes[c]);
                let square = x * x;
                squares[c] += square + 2.0 * x * slope;
                fourth[c] += square * square + 4.0 * square * x * slope;
                means[c] += x + slope;
            }
        }
        for (place, columns, scale) in [(X2, squares, scale), (X4, fourth, scale), (MEAN, means, scale / dim as f64)] {
            for (l, columns) in columns.chunks_exact(dim).enumerate() {
                rows[l * self.width + place] += scale * columns.iter().sum::<f64>();
            }
        }
    }

    fn mixed(&self, block: &Block, rows: &mut [f64]) {
        let action = block.target().action();
        let Kind::GroundState(Ends::Gaussian { frequency, center }) = action.ensemble().kind else { return };
        let system = action.system();
        let dim = system.dim();
        let last = action.ensemble().n_points() - 1;
        for l in 0..LANES {
            for point in [0, last] {
                let start = (point * LANES + l) * dim;
                let x = &block.paths()[start..start + dim];
                let square: f64 = x.iter().map(|x| (x - center) * (x - center)).sum();
                let local = system.potential().value(x) + 0.5 * system.hbar() * frequency * dim as f64
                    - 0.5 * system.mass() * frequency * frequency * square;
                rows[l * self.width + MIXED] += 0.5 * local;
            }
        }
    }

    /// The bin of this sample, made if it is the first of it.
    fn open_bin(&mut self) -> usize {
        let (before, first_bin) = self.bins_from;
        let bin = first_bin + ((self.calls - 1 - before) / self.params.every / self.params.bin) as usize;
        let width = self.correlators.width();
        if self.correlators.bins.len() <= bin {
            self.correlators.bins.resize(bin + 1, vec![0.0; width]);
            self.correlators.counts.resize(bin + 1, 0.0);
        }
        self.correlators.counts[bin] += 1.0;
        bin
    }

    fn variates(&mut self, block: &Block, rows: &mut [f64], bin: Option<usize>) {
        let action = block.target().action();
        let ensemble = action.ensemble();
        let dim = action.system().dim();
        let cols = LANES * dim;
        let frequency = action.system().hbar() / (2.0 * action.system().mass() * self.spread * self.spread);
        let [residual, filtered, sums, scaled, _, first_row, lagged] = &mut self.buffers;
        // The coordinates of the window, in widths from the centre.
        let window = &block.paths()[self.window.start * cols..self.window.end * cols];
        scaled.clear();
        scaled.extend(window.iter().map(|x| (x - self.center) / self.spread));
        residual.resize(block.paths().len(), 0.0);
        filtered.resize(block.paths().len(), 0.0);
        action.block_gradient(block.paths(), LANES, &mut self.scratch, residual);
        // In units of the width: g is a power of u = (x - c)/s.
        let scale = -self.spread / action.system().hbar();
        residual.iter_mut().for_each(|r| *r *= scale);
        let mut place = SERIES;
        let closed = ensemble.is_periodic() && self.window.len() == ensemble.n_points();
        let mut lagged_place = self.correlators.first_variate();
        // The first coordinate of every chain, in rows.
        first_row.clear();
        first_row.extend(scaled.iter().step_by(dim));
        for rate in RATES {
            let q = (-rate * frequency * ensemble.step()).exp();
            let n = ensemble.n_points();
            let (wrap, own) = match ensemble.is_periodic() {
                true => (1.0 / (1.0 - q.powi(n as i32)), (1.0 + q.powi(n as i32)) / (1.0 - q.powi(n as i32))),
                false => (0.0, 1.0),
            };
            for first in (0..cols).step_by(LANES) {
                widest(Filter { residual, filtered, cols, first, q, wrap });
            }
            let filtered = &filtered[self.window.start * cols..self.window.end * cols];
            sums.resize(self.powers.len() * cols, 0.0);
            sums.fill(0.0);
            for first in (0..cols).step_by(LANES) {
                let weigh = Weigh { powers: &self.powers, points: scaled, filtered, sums, cols, first, own };
                widest(weigh);
            }
            let factor = 1.0 / (self.window.len() as f64);
            if let (Some(bin), Some(lags)) =
                (bin.filter(|_| self.correlators.variates > 0), self.correlators.gap_lags())
            {
                lagged.clear();
                lagged.extend(filtered.iter().step_by(dim));
                for lag in lags {
                    // How much of the weight of one point is at the other: over all images of a ring.
                    let (lag_power, count) = (q.powi(lag as i32), self.window.len());
                    let back = if ensemble.is_periodic() { q.powi((n - lag) as i32) } else { 0.0 };
                    let own = (lag_power + back) * if wrap > 0.0 { wrap } else { 1.0 };
                    let pairs = if closed { count } else { count - lag };
                    let mut total = [0.0; 2];
                    widest(LaggedForces {
                        points: first_row,
                        forces: lagged,
                        lag,
                        pairs,
                        closed,
                        own,
                        total: &mut total,
                    });
                    for sum in total {
                        self.correlators.bins[bin][lagged_place] += sum / (pairs * LANES) as f64;
                        lagged_place += 1;
                    }
                }
            }
            for of_power in sums.chunks_exact(cols) {
                for (c, sum) in of_power.iter().enumerate() {
                    rows[c / dim * self.width + place] += factor * sum;
                }
                place += 1;
            }
        }
    }

    fn correlate(&mut self, block: &Block, bin: usize) {
        let dim = block.target().action().system().dim();
        let cols = LANES * dim;
        let lags = self.correlators.lags;
        let ring = self.correlators.ring;
        // The first coordinate of every chain, in rows.
        let [first, cube, ..] = &mut self.buffers;
        let count = self.window.len();
        first.resize(count * LANES, 0.0);
        cube.resize(count * LANES, 0.0);
        for (k, point) in self.window.clone().enumerate() {
            for l in 0..LANES {
                let u = block.paths()[point * cols + l * dim] - self.center;
                first[k * LANES + l] = u;
                cube[k * LANES + l] = u * u * u / (self.spread * self.spread);
            }
        }
        let sums = &mut self.correlators.bins[bin];
        let share = 1.0 / LANES as f64;
        for lag in 0..lags {
            let closed = ring > 0 && count == ring;
            let pairs = if closed { count } else { count - lag };
            let mut total = [0.0; 3];
            widest(Products { a: first, b: cube, lag, pairs, closed, total: &mut total });
            let scale = share / pairs as f64;
            total.iter().enumerate().for_each(|(k, t)| sums[3 * lag + k] += scale * t);
        }
        let scale = share / count as f64;
        sums[3 * lags] += scale * first.iter().sum::<f64>();
        sums[3 * lags + 1] += scale * cube.iter().sum::<f64>();
    }

    fn count_cells(&mut self, block: &Block) {
        let dim = block.target().action().system().dim();
        let cols = LANES * dim;
        let scale = CELLS as f64 / (2.0 * REACH * self.spread);
        let low = self.center - REACH * self.spread;
        let cell = |x: f64| {
            let place = ((x - low) * scale).floor();
            (place >= 0.0 && place < CELLS as f64).then_some(place as usize)
        };
        for x in block.paths()[self.window.start * cols..self.window.end * cols].iter().step_by(dim) {
            cell(*x).into_iter().for_each(|c| self.histogram[c] += 1);
        }
        for x in block.paths()[..cols].iter().chain(&block.paths()[block.paths().len() - cols..]).step_by(dim) {
            cell(*x).into_iter().for_each(|c| self.end_histogram[c] += 1);
        }
    }
}

/// Whether the potential is even about a point, by values.
fn symmetric(system: &System, center: f64, spread: f64) -> bool {
    let dim = system.dim();
    let v = |u: f64| {
        // Different distances on different axes.
        let point: Vec<f64> = (0..dim).map(|d| center + u * spread * (1.0 + 0.3 * d as f64)).collect();
        system.potential().value(&point)
    };
    [0.3, 1.0, 2.1].iter().all(|&u| (v(u) - v(-u)).abs() <= 1e-9 * (v(u).abs() + v(-u).abs() + 1e-300))
}

impl Measurement for Observables {
    fn measure(&mut self, block: &Block) {
        self.calls += 1;
        if !(self.calls - 1).is_multiple_of(self.params.every) {
            return;
        }
        let mut rows = vec![0.0; self.width * LANES];
        self.energies(block, &mut rows);
        self.mixed(block, &mut rows);
        let bin = self.params.correlators.then(|| self.open_bin());
        if !self.powers.is_empty() {
            self.variates(block, &mut rows, bin);
        }
        if let Some(bin) = bin {
            self.correlate(block, bin);
        }
        self.count_cells(block);
        for (series, row) in self.series.iter_mut().zip(rows.chunks_exact(self.width)) {
            series.extend_from_slice(row);
        }
    }
}
