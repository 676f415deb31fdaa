//! Runs a program with numbers.

use std::cell::RefCell;

use super::double::Double;
use super::jet::Jet;
use super::number::{CarefulSum, Number};
use super::patch::{OutOfRange, Patch, Workspace, sew};
use super::program::{Program, Step};
use super::torus::Torus;
use super::torus_walls;
use super::wide::Wide;

/// The weight of all walls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eliminated {
    /// Its logarithm.
    pub ln_weight: f64,
    /// The relative error from the sum over four Pfaffians; 0 for a plane.
    pub loss: f64,
}

/// Values of ln Z that differ by less, relative to 1 or their size, agree: 1e-13, and up to 1e-12 where the terms of
/// ln Z, of size `scale`, are large and so many that plain numbers cannot do better.
fn tolerance(scale: f64) -> f64 {
    1e-13 * (scale / 1000.0).clamp(1.0, 10.0)
}

/// Probabilities that differ by less agree.
const PROBABILITY_TOLERANCE: f64 = 1e-12;

/// How a run treats its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Care {
    /// Whether amplitudes that may have lost all digits are raised to the last place of 1, or to 0.
    raise: bool,
    /// Changes of the reference that increase its weight by more are made.
    largest: f64,
    /// Whether walls at halves are counted in odd units, so that other roundings occur.
    units: bool,
}

impl Care {
    const OTHER: Self = Self { raise: true, largest: 4.0, units: true };
    const PLAIN: Self = Self { raise: false, largest: 4.0, units: false };
    const RAISED: Self = Self { raise: true, largest: 4.0, units: false };

    /// The unit of half h.
    pub(super) fn unit(self, h: u32) -> f64 {
        // Fractional parts of multiples of the golden ratio.
        if self.units { 1.0 + 0.5 * (0.618_033_988_749_894_9 * f64::from(h + 1)).fract() } else { 1.0 }
    }

    /// The logarithms of the weights in these units.
    pub(super) fn exponents(self, exponents: &[f64]) -> Vec<f64> {
        let ln_units = |side: u32| (self.unit(2 * side) * self.unit(2 * side + 1)).ln();
        (0..).zip(exponents).map(|(side, &x)| if self.units { x - ln_units(side) } else { x }).collect()
    }

    /// The same with lost amplitudes dropped.
    pub(super) fn dropping(self) -> Self {
        Self { raise: false, ..self }
    }

    pub(super) fn workspace<T: Number>(self) -> Workspace<T> {
        Workspace::new(if self.raise { T::floor() } else { T::ZERO }, self.largest)
    }
}

/// A result and how well the last two runs agree, relative.
#[derive(Debug, Clone)]
pub(super) struct Checked<R> {
    pub value: R,
    pub difference: f64,
}

/// Runs with more and more digits until two results agree.
///
/// Two runs in `f64` come first. They differ in the order of rounding, and in what they make of amplitudes that have
/// lost all their digits: one drops them, the other takes them as large as they can be. `None` when stopped.
fn until_agreement<R>(
    tolerance: f64,
    distance: impl Fn(&R, &R) -> f64,
    mut plain: impl FnMut(Care) -> Option<Result<R, OutOfRange>>,
    more: &mut [&mut dyn FnMut() -> Option<Result<R, OutOfRange>>],
) -> Option<Checked<R>> {
    let mut last: Option<R> = plain(Care::OTHER)?.ok();
    if let Some(before) = &last
        && let Ok(now) = plain(Care::PLAIN)?
    {
        let difference = distance(before, &now);
        if difference <= tolerance {
            return Some(Checked { value: now, difference });
        }
        last = Some(now);
    }
    let mut difference = f64::INFINITY;
    for run in more {
        let Ok(now) = run()? else { continue };
        if let Some(before) = &last {
            difference = distance(before, &now);
        }
        last = Some(now);
        if difference <= tolerance {
            break;
        }
    }
    last.map(|value| Checked { value, difference })
}

/// Infinite and NaN results agree with nothing.
fn finite(difference: f64) -> f64 {
    if difference.is_nan() { f64::INFINITY } else { difference }
}

fn relative(a: f64, b: f64, scale: f64) -> f64 {
    finite((a - b).abs() / scale.max(a.abs()).max(1.0))
}

/// The weight of walls, `e^x` for every side with exponent x, to an accuracy of [`tolerance`] relative to `scale`;
/// `None` when the observer of steps says stop. The sides that the program leaves open are closed by the torus.
pub(super) fn eliminate(
    program: &Program,
    exponents: &[f64],
    torus: Option<&Torus>,
    scale: f64,
    go_on: &RefCell<dyn FnMut(usize) -> bool + '_>,
) -> Option<Checked<Eliminated>> {
    fn run<T: Number<Sum = CarefulSum>>(
        program: &Program,
        exponents: &[f64],
        torus: Option<&Torus>,
        care: Care,
        go_on: &RefCell<dyn FnMut(usize) -> bool + '_>,
    ) -> Option<Result<Eliminated, OutOfRange>> {
        let done = closed::<T>(program, exponents, torus, care, &mut *go_on.borrow_mut())?;
        Some(done.map(|(sum, loss)| Eliminated { ln_weight: sum.value(), loss }))
    }
    until_agreement(
        tolerance(scale),
        |a: &Eliminated, b| {
            // Two runs may lose the same digits to the sum over Pfaffians.
            relative(a.ln_weight, b.ln_weight, scale).max(finite(b.loss / scale.max(b.ln_weight.abs()).max(1.0)))
        },
        |care| run::<f64>(program, exponents, torus, care, go_on),
        &mut [
            &mut || run::<Double>(program, exponents, torus, Care::OTHER, go_on),
            &mut || run::<Double>(program, exponents, torus, Care::PLAIN, go_on),
            &mut || run::<Wide<2>>(program, exponents, torus, Care::RAISED, go_on),
            &mut || run::<Wide<6>>(program, exponents, torus, Care::RAISED, go_on),
            &mut || run::<Wide<20>>(program, exponents, torus, Care::RAISED, go_on),
            &mut || run::<Wide<60>>(program, exponents, torus, Care::RAISED, go_on),
        ],
    )
}

/// All steps and the torus: the logarithm of the weight and the relative error by which the torus multiplies it.
fn closed<T: Number>(
    program: &Program,
    exponents: &[f64],
    torus: Option<&Torus>,
    care: Care,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Result<(T::Sum, f64), OutOfRange>> {
    let done = up::<T>(program, exponents, |_| false, care, go_on)?;
    Some(done.and_then(|(patches, mut sum)| {
        let open = torus.map(|torus| (torus, patches[program.roots[0].0 as usize].as_ref()));
        let Some((torus, Some(patch))) = open else { return Ok((sum, 0.0)) };
        let loss = torus
            .close(&program.roots, patch, &care.exponents(exponents), |h| care.unit(h), &mut sum)
            .ok_or(OutOfRange)?;
        Ok((sum, loss * T::floor().to_f64()))
    }))
}

/// ln of the weight of walls and its first two Taylor coefficients when all exponents grow in proportion.
///
/// The accuracy of the value is that of [`eliminate`]; that of the coefficients is the same relative to `scale`, for the
/// second relative to the sum of squares of the exponents. The last number is the error from the sum over four Pfaffians.
pub(super) fn eliminate_jets(
    program: &Program,
    exponents: &[f64],
    torus: Option<&Torus>,
    scale: f64,
    go_on: &RefCell<dyn FnMut(usize) -> bool + '_>,
) -> Option<Checked<([f64; 3], f64)>> {
    fn run<T: Number>(
        program: &Program,
        exponents: &[f64],
        torus: Option<&Torus>,
        care: Care,
        go_on: &RefCell<dyn FnMut(usize) -> bool + '_>,
    ) -> Option<Result<([f64; 3], f64), OutOfRange>> {
        let done = closed::<Jet<T>>(program, exponents, torus, care, &mut *go_on.borrow_mut())?;
        Some(done.map(|(sum, loss)| ([sum.value, sum.first, sum.second].map(CarefulSum::value), loss)))
    }
    // Units would be differentiated; another bound changes the order of rounding instead.
    let care = |care: Care| if care.units { Care { units: false, largest: 1.5, ..care } } else { care };
    let squares: f64 = exponents.iter().map(|x| x * x * (-x.abs()).exp()).sum();
    until_agreement(
        tolerance(scale),
        |(a, _): &([f64; 3], f64), (b, loss)| {
            let second = finite((a[2] - b[2]).abs() / squares.max(a[2].abs()).max(f64::MIN_POSITIVE));
            // The coefficients of the Pfaffians grow with the scale, so that their sum loses this much of it.
            relative(a[0], b[0], scale).max(relative(a[1], b[1], scale)).max(second * 1e-2).max(finite(*loss))
        },
        |plain| run::<f64>(program, exponents, torus, care(plain), go_on),
        &mut [
            &mut || run::<Double>(program, exponents, torus, care(Care::OTHER), go_on),
            &mut || run::<Double>(program, exponents, torus, Care::PLAIN, go_on),
            &mut || run::<Wide<2>>(program, exponents, torus, Care::RAISED, go_on),
            &mut || run::<Wide<6>>(program, exponents, torus, Care::RAISED, go_on),
            &mut || run::<Wide<20>>(program, exponents, torus, Care::RAISED, go_on),
            &mut || run::<Wide<60>>(program, exponents, torus, Care::RAISED, go_on),
        ],
    )
}

type Amplitudes<T> = (Vec<Option<Patch<T>>>, <T as Number>::Sum);

/// Carries out the upward steps; `None` when stopped. The patches that go into a step are dropped unless it says `keep`.
fn up<T: Number>(
    program: &Program,
    exponents: &[f64],
    keep: impl Fn(usize) -> bool,
    care: Care,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Result<Amplitudes<T>, OutOfRange>> {
    let exponents = &care.exponents(exponents)[..];
    if !exponents.iter().all(|&x| T::exp(x).is_safe() && T::exp(-x).is_safe()) {
        return Some(Err(OutOfRange));
    }
    let mut patches: Vec<Option<Patch<T>>> = vec![None; program.lengths.len()];
    let mut work = care.workspace();
    let mut sum = T::Sum::default();
    for (k, step) in program.up.iter().enumerate() {
        if !go_on(k) {
            return None;
        }
        for side in [step.left, step.right] {
            patches[side as usize].get_or_insert_with(|| program.cell(side, |h| T::from_f64(care.unit(h))));
        }
        match sew_at(step, &patches, exponents, &mut work, &mut sum) {
            Ok(patch) => patches[step.out as usize] = Some(patch),
            Err(error) => return Some(Err(error)),
        }
        if !keep(k) {
            patches[step.left as usize] = None;
            patches[step.right as usize] = None;
        }
    }
    Some(Ok((patches, sum)))
}

/// The amplitudes of the patches that go into steps to `keep`; `None` where one leaves the range of its numbers.
pub(super) fn kept_patches<T: Number>(
    program: &Program,
    exponents: &[f64],
    keep: impl Fn(usize) -> bool,
) -> Option<Vec<Option<Patch<T>>>> {
    let (patches, _) = up::<T>(program, exponents, keep, Care::PLAIN, &mut |_| true)?.ok()?;
    Some(patches)
}

/// Carries out a step on the patches that it names.
pub(super) fn sew_at<T: Number>(
    step: &Step,
    patches: &[Option<Patch<T>>],
    exponents: &[f64],
    work: &mut Workspace<T>,
    sum: &mut T::Sum,
) -> Result<Patch<T>, OutOfRange> {
    match (&patches[step.left as usize], &patches[step.right as usize]) {
        (Some(left), Some(right)) => sew(step, left, right, exponents, work, sum),
        _ => unreachable!("steps come after those that make their patches"),
    }
}

/// Walls through every side.
#[derive(Debug, Clone)]
pub(super) struct Walls {
    /// The logarithm of the weight of all walls.
    pub ln_weight: f64,
    /// The probability of a wall through every side; NaN for bridges.
    pub probabilities: Vec<f64>,
    /// Every side has two cells: how much the probabilities from both differ.
    pub mismatch: f64,
    /// The relative error from the sum over four choices of sign on a torus; 0 for a plane.
    pub loss: f64,
}

impl Walls {
    /// Takes down the probability of a wall at a half, from one of the two cells of the side.
    pub(super) fn note(&mut self, half: u32, probability: f64) {
        let known = &mut self.probabilities[half as usize / 2];
        if !known.is_nan() {
            self.mismatch = self.mismatch.max(finite((*known - probability).abs()));
        }
        *known = probability;
    }
}

/// The logarithm of the weight and for every side the probability of a wall through it, from the surroundings of every
/// cell; `None` when stopped. Accuracy as in [`eliminate`], for the probabilities absolute.
///
/// Two runs that lose the same amplitude may agree. The two cells of a side do not: their surroundings have different
/// histories.
///
/// The program must have its downward steps, and close all sides unless there is a torus.
pub(super) fn wall_probabilities(
    program: &Program,
    torus: Option<&Torus>,
    exponents: &[f64],
    scale: f64,
    go_on: &RefCell<dyn FnMut(usize) -> bool + '_>,
) -> Option<Checked<Walls>> {
    fn run<T: Number<Sum = CarefulSum>>(
        program: &Program,
        torus: Option<&Torus>,
        exponents: &[f64],
        care: Care,
        go_on: &RefCell<dyn FnMut(usize) -> bool + '_>,
    ) -> Option<Result<Walls, OutOfRange>> {
        let go_on = &mut *go_on.borrow_mut();
        match torus {
            None => probabilities::<T>(program, exponents, care, go_on),
            // Where signs cancel, two runs with too few digits may lose the same ones.
            Some(_) if coldest(exponents) > T::coldest() => Some(Err(OutOfRange)),
            Some(torus) => torus_walls::probabilities::<T>(program, torus, exponents, care, go_on),
        }
    }
    until_agreement(
        tolerance(scale),
        |a: &Walls, b| {
            // In units of the tolerance of ln Z.
            let walls = a.probabilities.iter().zip(&b.probabilities).filter(|(p, _)| !p.is_nan());
            let walls = walls.map(|(p, q)| finite((p - q).abs())).fold(finite(b.mismatch), f64::max).max(b.loss);
            (walls * (tolerance(scale) / PROBABILITY_TOLERANCE)).max(relative(a.ln_weight, b.ln_weight, scale))
        },
        |care| run::<f64>(program, torus, exponents, care, go_on),
        &mut [
            &mut || run::<Double>(program, torus, exponents, Care::OTHER, go_on),
            &mut || run::<Double>(program, torus, exponents, Care::PLAIN, go_on),
            &mut || run::<Wide<2>>(program, torus, exponents, Care::RAISED, go_on),
            &mut || run::<Wide<6>>(program, torus, exponents, Care::RAISED, go_on),
            &mut || run::<Wide<20>>(program, torus, exponents, Care::RAISED, go_on),
            &mut || run::<Wide<60>>(program, torus, exponents, Care::RAISED, go_on),
        ],
    )
}

fn probabilities<T: Number<Sum = CarefulSum>>(
    program: &Program,
    exponents: &[f64],
    care: Care,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Result<Walls, OutOfRange>> {
    let (mut patches, sum) = match up::<T>(program, exponents, |_| true, care, go_on)? {
        Ok(answer) => answer,
        Err(error) => return Some(Err(error)),
    };
    let exponents = &care.exponents(exponents)[..];
    let down = program.down.as_deref().unwrap_or_default();
    let last_use = last_uses(program, down);
    let mut work = care.workspace();
    let mut ignored = T::Sum::default();
    for (k, step) in down.iter().enumerate() {
        if !go_on(program.up.len() + k) {
            return None;
        }
        match sew_at(step, &patches, exponents, &mut work, &mut ignored) {
            Ok(patch) => patches[step.out as usize] = Some(patch),
            Err(error) => return Some(Err(error)),
        }
        for used in [step.left, step.right] {
            if last_use[used as usize] == k {
                patches[used as usize] = None;
            }
        }
    }
    let mut walls =
        Walls { ln_weight: sum.value(), probabilities: vec![f64::NAN; exponents.len()], mismatch: 0.0, loss: 0.0 };
    for (around, word) in &program.around {
        let Some(patch) = &patches[*around as usize] else { continue };
        let (total, changed) = cell_weights(patch, word, exponents, |h| T::from_f64(care.unit(h)));
        for ((&h, &x), &reference) in word.iter().zip(&changed).zip(&patch.walls) {
            let changed = (x / total).to_f64();
            walls.note(h, if reference { 1.0 - changed } else { changed });
        }
    }
    Some(Ok(walls))
}

/// The largest modulus of βJ.
fn coldest(exponents: &[f64]) -> f64 {
    0.5 * exponents.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}

/// The last of the downward steps that uses each patch; those around cells are kept.
pub(super) fn last_uses(program: &Program, down: &[Step]) -> Vec<usize> {
    let mut last_use = vec![usize::MAX; program.lengths.len()];
    for (k, step) in down.iter().enumerate() {
        last_use[step.left as usize] = k;
        last_use[step.right as usize] = k;
    }
    for (around, word) in &program.around {
        if !word.is_empty() {
            last_use[*around as usize] = usize::MAX;
        }
    }
    last_use
}

/// The weight of all walls at the sides of one cell, given the amplitudes of its surroundings, and for every side that of
/// those which change the reference there; relative to the weight of the reference.
pub(super) fn cell_weights<T: Number>(
    around: &Patch<T>,
    word: &[u32],
    exponents: &[f64],
    unit: impl Fn(u32) -> T,
) -> (T, Vec<T>) {
    let d = word.len();
    let w = |k: usize| {
        let weight = T::exp(exponents[word[k] as usize / 2]) * unit(word[k] ^ 1);
        if around.walls[k] { T::ONE / weight } else { weight }
    };
    let mut total = T::ONE;
    let mut through = vec![T::ZERO; d];
    for i in 0..d {
        for j in i + 1..d {
            let weight = w(i) * w(j) * around.at(i, j);
            total = total + weight;
            through[i] = through[i] + weight;
            through[j] = through[j] + weight;
        }
    }
    if d == 4 {
        let g = |i: usize, j: usize| around.at(i, j);
        let four = g(0, 1) * g(2, 3) - g(0, 2) * g(1, 3) + g(0, 3) * g(1, 2);
        let weight = w(0) * w(1) * w(2) * w(3) * four;
        total = total + weight;
        through.iter_mut().for_each(|x| *x = *x + weight);
    }
    (total, through)
}
