//! The ground state of a forest: messages at zero temperature.

use super::forest::Forest;
use crate::model::{EnergyModel, GroundState};
use crate::models::Ising;

/// Local fields up to this fraction of all that acts on a site count as 0.
const TIE: f64 = 1.0 / (1u64 << 46) as f64;

/// The lowest energy, its number of configurations, and one of them.
pub(super) fn ground_state(model: &Ising, forest: &Forest) -> GroundState {
    let n = model.n_spins();
    // Field of a site and what hangs below it: a spin aligns with it, or with its parent if that is stronger.
    let mut below = model.fields().to_vec();
    let mut size: Vec<f64> = below.iter().map(|h| h.abs()).collect();
    for (i, j, coupling) in model.couplings() {
        size[i] += coupling.abs();
        size[j] += coupling.abs();
    }
    // Ground states of what hangs below a site, given that its spin is up or down.
    let mut ways = vec![[1.0f64; 2]; n];
    let optimal = |field: f64, i: usize, ways: [f64; 2]| {
        if field.abs() <= TIE * size[i] { ways[0] + ways[1] } else { ways[usize::from(field < 0.0)] }
    };
    for i in forest.upwards() {
        let (coupling, parent) = (forest.coupling[i], forest.parent_of(i));
        let given = [coupling, -coupling].map(|from_parent| optimal(below[i] + from_parent, i, ways[i]));
        ways[parent] = [ways[parent][0] * given[0], ways[parent][1] * given[1]];
        let exerted = coupling.abs().min(below[i].abs());
        below[parent] += if (coupling < 0.0) == (below[i] < 0.0) { exerted } else { -exerted };
    }
    let mut degeneracy = 1.0;
    let mut spins = vec![1i8; n];
    for &i in &forest.order {
        let i = i as usize;
        let field = if forest.is_root(i) {
            degeneracy *= optimal(below[i], i, ways[i]);
            below[i]
        } else {
            below[i] + forest.coupling[i] * f64::from(spins[forest.parent_of(i)])
        };
        // A field that only rounding keeps from 0 leaves the spin up.
        if field < -TIE * size[i] {
            spins[i] = -1;
        }
    }
    let degeneracy = f64::is_finite(degeneracy).then_some(degeneracy);
    GroundState { energy: model.energy(&spins), degeneracy, spins }
}
