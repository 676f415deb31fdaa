//! Runs a program with numbers.

use super::number::{CarefulSum, Number, Wide};
use super::patch::{OutOfRange, Patch, Workspace, sew};
use super::program::{Program, Step};

/// What the elimination of all closed sides leaves.
#[derive(Debug, Clone)]
pub(super) struct Eliminated {
    /// Logarithm of the weight of all walls that pass through closed sides only.
    pub ln_weight: f64,
    /// The patches with open sides, in the order of [`Program::roots`].
    pub open: Vec<Patch<f64>>,
}

/// The weight of walls, `e^x` for every side with exponent x; `None` when the observer of steps says stop.
///
/// Ordinary numbers first; where their range does not suffice, numbers with a wide exponent.
pub(super) fn eliminate(
    program: &Program,
    exponents: &[f64],
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Eliminated> {
    match up::<f64>(program, exponents, false, go_on)? {
        Ok((patches, sum)) => Some(leave(program, &patches, sum, 0.0)),
        Err(OutOfRange) => {
            let (patches, sum) = up::<Wide>(program, exponents, false, go_on)?.ok()?;
            Some(leave(program, &patches, sum, 0.0))
        }
    }
}

fn leave<T: Number>(program: &Program, patches: &[Option<Patch<T>>], sum: CarefulSum, shift: f64) -> Eliminated {
    let open = program.roots.iter().filter_map(|(root, _)| {
        let patch = patches[*root as usize].as_ref()?;
        Some(Patch { n: patch.n, g: patch.g.iter().map(|x| x.to_f64()).collect() })
    });
    Eliminated { ln_weight: sum.value() + shift, open: open.collect() }
}

type Amplitudes<T> = (Vec<Option<Patch<T>>>, CarefulSum);

/// Carries out the upward steps; `None` when stopped.
fn up<T: Number>(
    program: &Program,
    exponents: &[f64],
    keep: bool,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Result<Amplitudes<T>, OutOfRange>> {
    let weights: Vec<T> = exponents.iter().map(|&x| T::exp(x)).collect();
    if !weights.iter().all(|w| w.is_safe()) {
        return Some(Err(OutOfRange));
    }
    let mut patches: Vec<Option<Patch<T>>> = vec![None; program.lengths.len()];
    let mut work = Workspace::default();
    let mut sum = CarefulSum::default();
    for (k, step) in program.up.iter().enumerate() {
        if !go_on(k) {
            return None;
        }
        for side in [step.left, step.right] {
            patches[side as usize].get_or_insert_with(|| Patch::cell(program.lengths[side as usize] as usize));
        }
        match sew_at(step, &patches, &weights, &mut work, &mut sum) {
            Ok(patch) => patches[step.out as usize] = Some(patch),
            Err(error) => return Some(Err(error)),
        }
        if !keep {
            patches[step.left as usize] = None;
            patches[step.right as usize] = None;
        }
    }
    Some(Ok((patches, sum)))
}

fn sew_at<T: Number>(
    step: &Step,
    patches: &[Option<Patch<T>>],
    weights: &[T],
    work: &mut Workspace<T>,
    sum: &mut CarefulSum,
) -> Result<Patch<T>, OutOfRange> {
    match (&patches[step.left as usize], &patches[step.right as usize]) {
        (Some(left), Some(right)) => sew(step, left, right, weights, work, sum),
        _ => unreachable!("steps come after those that make their patches"),
    }
}

/// The logarithm of the weight and for every side the probability of a wall through it, from the surroundings of every
/// cell; `None` when stopped.
///
/// The program must have its downward steps and close all sides.
pub(super) fn wall_probabilities(
    program: &Program,
    halves: &[Vec<u32>],
    exponents: &[f64],
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<(f64, Vec<f64>)> {
    match probabilities::<f64>(program, halves, exponents, go_on)? {
        Ok(answer) => Some(answer),
        Err(OutOfRange) => probabilities::<Wide>(program, halves, exponents, go_on)?.ok(),
    }
}

fn probabilities<T: Number>(
    program: &Program,
    halves: &[Vec<u32>],
    exponents: &[f64],
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Result<(f64, Vec<f64>), OutOfRange>> {
    let (mut patches, sum) = match up::<T>(program, exponents, true, go_on)? {
        Ok(answer) => answer,
        Err(error) => return Some(Err(error)),
    };
    let weights: Vec<T> = exponents.iter().map(|&x| T::exp(x)).collect();
    let down = program.down.as_deref().unwrap_or_default();
    // Patches of the way down are dropped after their last use.
    let mut last_use = vec![usize::MAX; patches.len()];
    for (k, step) in down.iter().enumerate() {
        last_use[step.left as usize] = k;
        last_use[step.right as usize] = k;
    }
    for (cell, (around, _)) in program.around.iter().enumerate() {
        if halves[cell].len() > 1 {
            last_use[*around as usize] = usize::MAX;
        }
    }
    let mut work = Workspace::default();
    let mut ignored = CarefulSum::default();
    for (k, step) in down.iter().enumerate() {
        if !go_on(program.up.len() + k) {
            return None;
        }
        match sew_at(step, &patches, &weights, &mut work, &mut ignored) {
            Ok(patch) => patches[step.out as usize] = Some(patch),
            Err(error) => return Some(Err(error)),
        }
        for used in [step.left, step.right] {
            if last_use[used as usize] == k {
                patches[used as usize] = None;
            }
        }
    }
    let mut walls = vec![f64::NAN; exponents.len()];
    for (around, word) in &program.around {
        if let Some(patch) = &patches[*around as usize] {
            walls_of_cell(patch, word, &weights, &mut walls);
        }
    }
    Some(Ok((sum.value(), walls)))
}

/// The probabilities of walls through the sides of one cell, given the amplitudes of its surroundings.
fn walls_of_cell<T: Number>(around: &Patch<T>, word: &[u32], weights: &[T], walls: &mut [f64]) {
    let d = word.len();
    let w = |k: usize| weights[word[k] as usize / 2];
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
    for (k, &x) in through.iter().enumerate() {
        walls[word[k] as usize / 2] = (x / total).to_f64();
    }
}
