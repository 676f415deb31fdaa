//! A configuration that walks through the energies.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};
use linalg_core::rand::RngExt;
use linalg_core::rng::{Xoshiro256PlusPlus, uniform_open01};

use super::grid::{EnergyGrid, Spot};
use crate::model::CachedModel;
use crate::{Error, Result, Spins};

/// Levels and bins at most.
const MOST_LEVELS: usize = 1 << 24;

/// The part of a grid that has a table: place `k` of the table is the index `first + k`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub grid: EnergyGrid,
    pub first: i64,
    pub len: usize,
}

impl Frame {
    /// The smallest frame around these indices.
    pub fn around(grid: EnergyGrid, indices: impl Iterator<Item = i64> + Clone) -> Result<Self> {
        let (first, last) = (indices.clone().min().unwrap_or(0), indices.max().unwrap_or(0));
        let len = usize::try_from(i128::from(last) - i128::from(first) + 1).unwrap_or(usize::MAX);
        if len > MOST_LEVELS {
            let (solver, what) = ("wang-landau", "number of energy levels");
            return Err(Error::TooLarge { solver, what, value: len, bound: MOST_LEVELS });
        }
        Ok(Self { grid, first, len })
    }

    pub fn energy(&self, place: usize) -> f64 {
        self.grid.energy(self.first + place as i64)
    }

    pub fn place(&self, index: i64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.first)?).ok().filter(|&place| place < self.len)
    }
}

/// Reads the index of the first level of a table: one that an energy can have, see [`EnergyGrid::index`].
pub(super) fn read_first(from: &mut Reader<'_>) -> std::result::Result<i64, CheckpointError> {
    let at = from.position();
    match from.read_i64()? {
        first if first.unsigned_abs() <= 1 << 53 => Ok(first),
        _ => Err(CheckpointError::Invalid { what: "index of the first level", at }),
    }
}

/// A configuration with its place in a table.
#[derive(Debug, Clone)]
pub(super) struct Walker<C> {
    pub spins: Spins,
    pub cache: C,
    pub rng: Xoshiro256PlusPlus,
    pub energy: f64,
    pub place: usize,
    pub magnetization: i64,
    /// Indices met that are not in the table.
    pub met: Vec<i64>,
    /// Proposals to such indices.
    pub refused: u64,
    /// An energy between the levels.
    pub off: Option<f64>,
    /// Whether the lowest level was visited after the highest one, and how often both were in turn.
    pub low_last: bool,
    pub round_trips: u64,
}

impl<C> Walker<C> {
    /// Random spins, brought into the range of the grid.
    pub fn new<M: CachedModel<Cache = C>>(model: &M, grid: &EnergyGrid, mut rng: Xoshiro256PlusPlus) -> Result<Self> {
        let spins = Spins::random(model.n_spins(), &mut rng);
        let cache = model.cache(&spins);
        let mut walker = Self {
            spins,
            cache,
            rng,
            energy: 0.0,
            place: 0,
            magnetization: 0,
            met: Vec::new(),
            refused: 0,
            off: None,
            low_last: false,
            round_trips: 0,
        };
        walker.refresh(model);
        walker.enter(model, grid)?;
        Ok(walker)
    }

    /// Computes the cache, the energy and the magnetization afresh.
    pub fn refresh<M: CachedModel<Cache = C>>(&mut self, model: &M) {
        model.refresh(&mut self.cache, &self.spins);
        self.energy = model.energy_cached(&self.cache, &self.spins);
        self.magnetization = self.spins.iter().map(|&s| i64::from(s)).sum();
    }

    /// The same, with the place of the energy in the table: what a walker has that comes from a checkpoint.
    pub fn refresh_in<M: CachedModel<Cache = C>>(&mut self, model: &M, frame: &Frame) {
        self.refresh(model);
        if let Spot::At(index) = frame.grid.index(self.energy) {
            self.place = frame.place(index).unwrap_or(self.place);
        }
    }

    fn flip<M: CachedModel<Cache = C>>(&mut self, model: &M, i: usize, change: f64) {
        self.magnetization -= 2 * i64::from(self.spins[i]);
        model.flip(&mut self.cache, &mut self.spins, i);
        self.energy += change;
    }

    fn propose<M: CachedModel<Cache = C>>(&mut self, model: &M) -> (usize, f64) {
        let i = self.rng.random_range(0..self.spins.len() as u32) as usize;
        (i, model.delta_cached(&self.cache, &self.spins, i))
    }

    /// Walks until the energy is one of the grid, downhill in the distance from its range except for one step in 20.
    fn enter<M: CachedModel<Cache = C>>(&mut self, model: &M, grid: &EnergyGrid) -> Result<()> {
        let [_, _, _, low, high] = grid.numbers();
        let distance = |energy: f64| (low - energy).max(energy - high).max(0.0);
        for attempt in 0..10_000 * self.spins.len() {
            if attempt % (100 * self.spins.len()) == 0 {
                self.refresh(model);
            }
            match grid.index(self.energy) {
                Spot::At(_) => {
                    self.refresh(model);
                    return Ok(());
                }
                Spot::Off => return Err(off_grid(self.energy, grid)),
                Spot::Outside => {}
            }
            let (i, change) = self.propose(model);
            let closer = distance(self.energy + change) <= distance(self.energy);
            if closer || self.rng.random_range(0..20u32) == 0 {
                self.flip(model, i, change);
            }
        }
        let reason = format!("no configuration with an energy from {low} to {high} was found");
        Err(Error::NotApplicable { solver: "wang-landau", reason })
    }

    /// A sweep of the Metropolis algorithm at any β, positive or negative; `seen` gets the index of every proposal.
    pub fn explore<M: CachedModel<Cache = C>>(
        &mut self,
        model: &M,
        grid: &EnergyGrid,
        beta: f64,
        seen: &mut impl FnMut(i64),
    ) {
        for _ in 0..self.spins.len() {
            let (i, change) = self.propose(model);
            match grid.index(self.energy + change) {
                Spot::At(index) => seen(index),
                Spot::Outside => continue,
                Spot::Off => {
                    self.off = Some(self.energy + change);
                    continue;
                }
            }
            if beta * change <= 0.0 || uniform_open01(&mut self.rng) < (-beta * change).exp() {
                self.flip(model, i, change);
            }
        }
    }

    /// Finds the place in a table; `false` if there is none.
    pub fn settle(&mut self, frame: &Frame) -> bool {
        let place = match frame.grid.index(self.energy) {
            Spot::At(index) => frame.place(index),
            _ => None,
        };
        self.place = place.unwrap_or(0);
        place.is_some()
    }

    /// One proposal with the weights `1 / g`; levels with `ln g = ∞` are not entered but noted.
    #[inline]
    pub fn step<M: CachedModel<Cache = C>>(&mut self, model: &M, frame: &Frame, ln_g: &[f64]) {
        let (i, change) = self.propose(model);
        let energy = self.energy + change;
        let index = match frame.grid.index(energy) {
            Spot::At(index) => index,
            Spot::Outside => return,
            Spot::Off => {
                self.off = Some(energy);
                return;
            }
        };
        let Some(place) = frame.place(index).filter(|&place| ln_g[place] < f64::INFINITY) else {
            self.refused += 1;
            if self.met.len() < 256 && !self.met.contains(&index) {
                self.met.push(index);
            }
            return;
        };
        let ln_ratio = ln_g[self.place] - ln_g[place];
        if ln_ratio >= 0.0 || uniform_open01(&mut self.rng) < ln_ratio.exp() {
            self.flip(model, i, change);
            self.place = place;
        }
    }

    /// Counts a round trip when the walker is at an end of the table.
    #[inline]
    pub fn note_ends(&mut self, lowest: usize, highest: usize) {
        if self.place == lowest {
            self.low_last = true;
        } else if self.place == highest && self.low_last {
            self.low_last = false;
            self.round_trips += 1;
        }
    }

    pub fn write(&self, out: &mut Writer) {
        out.write_i8s(&self.spins).write_xoshiro(&self.rng).write_u64(self.refused);
        out.write_bool(self.low_last).write_u64(self.round_trips);
    }

    /// Reads what [`write`](Self::write) wrote, for a run that stands between two rounds.
    pub fn read<M: CachedModel<Cache = C>>(
        model: &M,
        frame: &Frame,
        from: &mut Reader<'_>,
    ) -> std::result::Result<Self, CheckpointError> {
        let at = from.position();
        let invalid = |what| CheckpointError::Invalid { what, at };
        let mut signs = vec![0; model.n_spins()];
        from.read_i8s_into(&mut signs)?;
        let spins = Spins::from_signs(&signs).map_err(|_| invalid("spin"))?;
        let mut walker = Self {
            cache: model.cache(&spins),
            spins,
            rng: from.read_xoshiro()?,
            energy: 0.0,
            place: 0,
            magnetization: 0,
            met: Vec::new(),
            refused: from.read_count()?,
            off: None,
            low_last: from.read_bool()?,
            round_trips: from.read_count()?,
        };
        walker.refresh(model);
        if !walker.settle(frame) {
            return Err(invalid("configuration: its energy is not in the table"));
        }
        Ok(walker)
    }
}

/// The error of an energy that is not on a level.
pub(super) fn off_grid(energy: f64, grid: &EnergyGrid) -> Error {
    let reason = if energy.is_finite() {
        format!("energy {energy} is not on the levels {} + k · {}", grid.energy(0), grid.spacing())
    } else {
        format!("energy {energy} is not finite")
    };
    Error::NotApplicable { solver: "wang-landau", reason }
}
