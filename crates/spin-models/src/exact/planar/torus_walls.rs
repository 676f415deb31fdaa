//! Walls through every side of a torus.
//!
//! The rectangle into which the torus is cut is surrounded by its joints, with four choices of sign. For each of them the
//! surroundings of every cell follow as in the plane, and weights, of either sign, are summed over the four before they
//! are divided.

use super::elimination::{Care, Walls, cell_weights, last_uses, sew_at};
use super::number::{CarefulSum, LogSum, Number};
use super::patch::{OutOfRange, Patch, Workspace};
use super::product::{Product, aligned};
use super::program::{Program, Step};
use super::signed::Signed;
use super::torus::{SECTORS, Torus};

/// The weights of a cell with some signs: of all walls, and of those with a wall at each of its sides.
#[derive(Debug, Clone, Copy)]
struct Weights<T> {
    all: Product<T>,
    through: [Product<T>; 4],
}

/// Patches and their weights without open walls.
struct Weighed<'a, T: Number> {
    exponents: &'a [f64],
    patches: Vec<Option<Patch<Signed<T>>>>,
    weights: Vec<Product<T>>,
}

impl<T: Number<Sum = CarefulSum>> Weighed<'_, T> {
    fn sew(&mut self, step: &Step, work: &mut Workspace<Signed<T>>) -> Result<(), OutOfRange> {
        let mut weight = self.weights[step.left as usize].times(&self.weights[step.right as usize]);
        let out = step.out as usize;
        self.patches[out] = Some(sew_at(step, &self.patches, self.exponents, work, &mut weight)?);
        self.weights[out] = weight;
        Ok(())
    }
}

/// Weight and probabilities; `None` when stopped.
pub(super) fn probabilities<T: Number<Sum = CarefulSum>>(
    program: &Program,
    torus: &Torus,
    exponents: &[f64],
    care: Care,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Result<Walls, OutOfRange>> {
    let exponents = &care.exponents(exponents)[..];
    if !exponents.iter().all(|&x| T::exp(x).is_safe() && T::exp(-x).is_safe()) {
        return Some(Err(OutOfRange));
    }
    let Some(outside) = program.outside.map(|patch| patch as usize) else { unreachable!("a torus has an outside") };
    let unit = |h: u32| Signed(T::from_f64(care.unit(h)));
    let n = program.words.len();
    let mut all = Weighed { exponents, patches: vec![None; n], weights: vec![Product::default(); n] };
    let mut work = care.workspace();
    for (k, step) in program.up.iter().enumerate() {
        if !go_on(k) {
            return None;
        }
        for side in [step.left, step.right] {
            all.patches[side as usize].get_or_insert_with(|| program.cell(side, unit));
        }
        if let Err(error) = all.sew(step, &mut work) {
            return Some(Err(error));
        }
    }
    // Amplitudes of surroundings may be 0 with these signs.
    let mut work = care.dropping().workspace();
    let down = program.down.as_deref().unwrap_or_default();
    let last_use = last_uses(program, down);
    let mut cells: Vec<Vec<Weights<T>>> = Vec::with_capacity(SECTORS);
    let mut reached = program.up.len();
    for sector in 0..SECTORS {
        all.patches[outside] = Some(torus.outside(sector, &program.words[outside], unit));
        for (k, step) in down.iter().enumerate() {
            if !go_on(reached) {
                return None;
            }
            reached += 1;
            if let Err(error) = all.sew(step, &mut work) {
                return Some(Err(error));
            }
            for used in [step.left as usize, step.right as usize] {
                if used >= outside && last_use[used] == k {
                    all.patches[used] = None;
                }
            }
        }
        let around = program.around.iter().map(|(around, word)| {
            let Some(patch) = all.patches[*around as usize].take() else { unreachable!("surroundings are kept") };
            weights_of_cell(&patch, word, &all.weights[*around as usize], exponents, unit)
        });
        cells.push(around.collect());
    }
    Some(combined(program, exponents.len(), &cells).ok_or(OutOfRange))
}

fn weights_of_cell<T: Number>(
    around: &Patch<Signed<T>>,
    word: &[u32],
    weight: &Product<T>,
    exponents: &[f64],
    unit: impl Fn(u32) -> Signed<T>,
) -> Weights<T> {
    let (total, changed) = cell_weights(around, word, exponents, &unit);
    let mut reference = *weight;
    for (&h, _) in word.iter().zip(&around.walls).filter(|&(_, &wall)| wall) {
        reference.exponent(exponents[h as usize / 2]);
        reference.multiply(unit(h ^ 1).0);
    }
    let weighed = |x: Signed<T>| {
        let mut product = reference;
        product.multiply(x.0);
        product
    };
    let through = |k: usize| match changed.get(k) {
        Some(&x) => weighed(if around.walls[k] { total - x } else { x }),
        None => weighed(Signed::ZERO),
    };
    Weights { all: weighed(total), through: std::array::from_fn(through) }
}

/// Sums over the choices of sign; `None` where nothing is left of them.
fn combined<T: Number>(program: &Program, n_sides: usize, cells: &[Vec<Weights<T>>]) -> Option<Walls> {
    let mut walls = Walls { ln_weight: f64::NAN, probabilities: vec![f64::NAN; n_sides], mismatch: 0.0, loss: 0.0 };
    for (cell, (_, word)) in program.around.iter().enumerate() {
        let here = |part: &dyn Fn(&Weights<T>) -> Product<T>| -> [Product<T>; SECTORS] {
            std::array::from_fn(|sector| part(&cells[sector][cell]))
        };
        let (all, scale) = aligned(&here(&|weights| weights.all));
        let sum = |terms: [T; SECTORS]| terms.iter().fold(T::ZERO, |sum, &x| sum + x);
        let total = sum(all);
        if !total.exceeds(T::ZERO) {
            return None;
        }
        if cell == 0 {
            // A quarter of the sum.
            walls.ln_weight = total.ln() + (scale - 2) as f64 * std::f64::consts::LN_2;
        }
        let loss = (sum(all.map(T::modulus)) / total).to_f64();
        walls.loss = walls.loss.max(loss * T::floor().to_f64());
        for (k, &h) in word.iter().enumerate() {
            let (through, top) = aligned(&here(&|weights| weights.through[k]));
            let probability = (sum(through) / total).scaled(top - scale).to_f64();
            walls.note(h, probability);
        }
    }
    // A side that was cut has one cell, its twin the other.
    Some(walls)
}
