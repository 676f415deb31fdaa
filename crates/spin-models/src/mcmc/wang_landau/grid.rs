//! Energies cut into levels or bins.

use linalg_core::Streams;

use crate::model::CachedModel;
use crate::{Error, Result, Spins};

/// Where a grid is found: configurations looked at, and the share of the largest energy change by one flip below which
/// a common divisor of all changes is not believed.
const PROBES: usize = 64;
const FINEST: f64 = 1.0 / 4096.0;

/// Distance from a level, in spacings, up to which an energy counts as on it.
const ON_LEVEL: f64 = 1e-3;

/// Share of a width by which the lower edge of a bin is moved down: energies on the edge are in the bin above it however
/// they were rounded.
const EDGE: f64 = 1e-9;

/// How energies are told apart: levels on a grid, or bins.
///
/// ```
/// use linalg_core::Streams;
/// use spin_models::mcmc::EnergyGrid;
/// use spin_models::{Boundary, Ising};
///
/// // A flip on the square lattice changes the energy by a multiple of 4.
/// let torus = Ising::square(4, Boundary::Periodic, 1.0)?;
/// let grid = EnergyGrid::found(&torus, Streams::new(1))?;
/// assert_eq!(grid.spacing(), 4.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EnergyGrid {
    origin: f64,
    spacing: f64,
    /// 1 over the spacing.
    per_energy: f64,
    on_levels: bool,
    range: (f64, f64),
}

impl EnergyGrid {
    /// Levels `origin + k · spacing` for all integers k; other energies are an error of the run.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `origin` is finite and `spacing` finite and positive.
    pub fn levels(origin: f64, spacing: f64) -> Result<Self> {
        Self::new(origin, spacing, true)
    }

    /// Bins of this width, one of them with its middle at `origin`.
    ///
    /// # Errors
    /// As for [`levels`](Self::levels).
    pub fn bins(origin: f64, width: f64) -> Result<Self> {
        Self::new(origin, width, false)
    }

    fn new(origin: f64, spacing: f64, on_levels: bool) -> Result<Self> {
        if !origin.is_finite() {
            let value = origin.to_string();
            return Err(Error::Parameter { what: "origin of energies", value, expected: "a finite number" });
        }
        if !(spacing > 0.0 && spacing.is_finite() && (1.0 / spacing).is_finite()) {
            let value = spacing.to_string();
            return Err(Error::Parameter { what: "spacing of energies", value, expected: "a finite number > 0" });
        }
        Ok(Self { origin, spacing, per_energy: 1.0 / spacing, on_levels, range: (f64::NEG_INFINITY, f64::INFINITY) })
    }

    /// The same, with walkers kept at energies from `lowest` to `highest`. ln g is then normalised as if there were no
    /// others, which is right when next to none of the 2^N configurations lie outside.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `lowest < highest`.
    pub fn within(mut self, lowest: f64, highest: f64) -> Result<Self> {
        if lowest.is_nan() || highest.is_nan() || lowest >= highest {
            let value = format!("{lowest} to {highest}");
            return Err(Error::Parameter { what: "range of energies", value, expected: "an ascending range" });
        }
        self.range = (lowest, highest);
        Ok(self)
    }

    /// The grid of a model: levels where all energy changes by one flip that were met in 64 random configurations are
    /// multiples of one number, no less than 1/4096 of the largest; else bins of an eighth of their root mean square.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for an energy that is not.
    pub fn found<M: CachedModel>(model: &M, streams: Streams) -> Result<Self> {
        let mut rng = streams.fast_stream(0);
        let (mut changes, mut origin) = (Vec::new(), 0.0);
        for entry in 0..PROBES {
            let s = Spins::random(model.n_spins(), &mut rng);
            let cache = model.cache(&s);
            origin = model.energy_cached(&cache, &s);
            changes.extend((0..s.len()).map(|i| model.delta_cached(&cache, &s, i).abs()));
            if let Some(value) = changes.iter().copied().chain([origin]).find(|value| !value.is_finite()) {
                return Err(Error::NotFinite { what: "energy of configuration", entry, sites: Vec::new(), value });
            }
        }
        let largest = changes.iter().copied().fold(0.0, f64::max);
        if largest <= 0.0 {
            return Self::levels(origin, 1.0);
        }
        let least = FINEST * largest;
        let mut spacing = 0.0;
        // Changes that cancel leave a rounding.
        for &change in changes.iter().filter(|&&change| change > 1e-9 * largest) {
            spacing = common_divisor(change, spacing, 1e-9 * largest);
            if spacing > 0.0 && spacing < least {
                let square = changes.iter().map(|change| (change / largest).powi(2)).sum::<f64>();
                return Self::bins(origin, largest * (square / changes.len() as f64).sqrt() / 8.0);
            }
        }
        Self::levels(origin, spacing)
    }

    /// Distance between levels, or width of bins.
    pub fn spacing(&self) -> f64 {
        self.spacing
    }

    /// Whether energies lie on levels.
    pub fn on_levels(&self) -> bool {
        self.on_levels
    }

    /// The energy of a level, or the middle of a bin.
    pub(super) fn energy(&self, index: i64) -> f64 {
        self.origin + index as f64 * self.spacing
    }

    pub(super) fn numbers(&self) -> [f64; 5] {
        [self.origin, self.spacing, f64::from(u8::from(self.on_levels)), self.range.0, self.range.1]
    }

    pub(super) fn from_numbers(x: &[f64; 5]) -> Result<Self> {
        Self::new(x[0], x[1], x[2] > 0.5)?.within(x[3], x[4])
    }

    /// The index of an energy.
    #[inline]
    pub(super) fn index(&self, energy: f64) -> Spot {
        if !energy.is_finite() {
            return Spot::Off;
        }
        if !self.on_levels && (energy < self.range.0 || energy > self.range.1) {
            return Spot::Outside;
        }
        let x = (energy - self.origin) * self.per_energy;
        // Beyond 2^53 neighbouring levels are the same number.
        if x.abs() > 9e15 {
            return Spot::Off;
        }
        // To the nearest integer, without the library call that `round` is on plain x86-64.
        let above = x + (0.5 + EDGE);
        let cut = above as i64;
        let index = cut - i64::from(above < cut as f64);
        if self.on_levels && (x - index as f64).abs() > ON_LEVEL {
            return Spot::Off;
        }
        // A level is inside or outside however its energy was rounded on the way to it.
        let level = |energy: f64| (energy - self.origin) * self.per_energy;
        let (lowest, highest) = (level(self.range.0) - ON_LEVEL, level(self.range.1) + ON_LEVEL);
        if self.on_levels && !(lowest..=highest).contains(&(index as f64)) {
            return Spot::Outside;
        }
        Spot::At(index)
    }
}

/// Where an energy lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    At(i64),
    /// Beyond the range the walkers are kept in.
    Outside,
    /// Between two levels, or no number.
    Off,
}

/// Euclid's algorithm for numbers with rounding errors.
fn common_divisor(mut a: f64, mut b: f64, tolerance: f64) -> f64 {
    while b > tolerance {
        let mut rest = a % b;
        // A remainder just below the divisor is one of 0.
        if b - rest < tolerance {
            rest = 0.0;
        }
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Ising, SherringtonKirkpatrick};

    #[test]
    fn a_level_at_the_edge_is_inside_whatever_its_rounding() {
        // A ring of six spins with J = 0.1: the ground state has -0.6, and -0.2 - 0.4 is below that.
        let grid = EnergyGrid::levels(-0.2, 0.4).unwrap().within(-0.6, 0.6).unwrap();
        let reached = [-0.2, -0.4].iter().sum::<f64>();
        assert!(reached < -0.6);
        assert_eq!(grid.index(reached), grid.index(-0.6));
        assert_eq!((grid.index(-0.6), grid.index(0.6)), (Spot::At(-1), Spot::At(2)));
        assert_eq!((grid.index(-1.0), grid.index(1.0)), (Spot::Outside, Spot::Outside));
    }

    #[test]
    fn grids_are_found() {
        let scaled = Ising::square(4, Boundary::Free, 0.1).unwrap();
        let grid = EnergyGrid::found(&scaled, Streams::new(1)).unwrap();
        approx::assert_relative_eq!(grid.spacing(), 0.2, max_relative = 1e-9);
        assert!(grid.on_levels());
        let mixed =
            Ising::builder(3).couplings([(0, 1, 1.5), (1, 2, -0.75)]).field(2, 0.5).offset(7.0).build().unwrap();
        let grid = EnergyGrid::found(&mixed, Streams::new(1)).unwrap();
        // Changes 2 · {1.5, 2.25, 0.75, 1.25, 0.25}.
        approx::assert_relative_eq!(grid.spacing(), 0.5, max_relative = 1e-12);
        let real = SherringtonKirkpatrick::gaussian(12, &mut Streams::new(1).stream(0)).unwrap();
        assert!(!EnergyGrid::found(&real, Streams::new(1)).unwrap().on_levels());
        let free = Ising::builder(2).offset(3.0).build().unwrap();
        assert_eq!(EnergyGrid::found(&free, Streams::new(1)).unwrap(), EnergyGrid::levels(3.0, 1.0).unwrap());
    }

    #[test]
    fn an_energy_on_an_edge_is_in_the_bin_above_it_whatever_its_rounding() {
        let grid = EnergyGrid::bins(0.0, 0.4).unwrap();
        for noise in [-1e-15, 0.0, 1e-15] {
            assert_eq!(grid.index(-0.6 + noise), Spot::At(-1));
            assert_eq!(grid.index(0.2 + noise), Spot::At(1));
        }
    }

    #[test]
    fn changes_that_cancel_do_not_decide_the_grid() {
        // The field of spin 0 is 0 but for its rounding in a quarter of all configurations.
        let model = Ising::builder(4).couplings([(0, 1, 0.1), (0, 2, 0.2), (0, 3, -0.3)]).build().unwrap();
        for seed in 0..20 {
            let grid = EnergyGrid::found(&model, Streams::new(seed)).unwrap();
            assert!(grid.on_levels(), "seed {seed}");
            approx::assert_relative_eq!(grid.spacing(), 0.2, max_relative = 1e-6);
        }
    }

    #[test]
    fn energies_have_places() {
        let grid = EnergyGrid::levels(1.0, 2.0).unwrap().within(-5.0, 9.0).unwrap();
        assert_eq!(grid.index(-5.0), Spot::At(-3));
        assert_eq!(grid.index(5.0 + 1e-9), Spot::At(2));
        assert_eq!(grid.index(4.0), Spot::Off);
        assert_eq!(grid.index(11.0), Spot::Outside);
        assert_eq!(grid.index(f64::NAN), Spot::Off);
        let bins = EnergyGrid::bins(0.0, 0.5).unwrap();
        assert_eq!((bins.index(0.24), bins.index(0.26), bins.index(-0.3)), (Spot::At(0), Spot::At(1), Spot::At(-1)));
        assert_eq!(bins.index(1e300), Spot::Off);
        assert!(EnergyGrid::levels(f64::NAN, 1.0).is_err());
        for spacing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(EnergyGrid::bins(0.0, spacing).is_err());
        }
        assert!(bins.within(1.0, 1.0).is_err() && bins.within(f64::NAN, 1.0).is_err());
    }
}
