//! The figure: magnetizations on the sites, satisfaction on the bonds.

use std::path::PathBuf;

use spin_models::{EnergyModel, Ising, Shape};
use workspace_examples::figure;

use crate::args::Args;
use crate::report::Answer;

/// Draws the first answer that has magnetizations; says where on standard error.
pub fn draw(args: &Args, model: &Ising, answers: &[Answer]) -> Result<(), Box<dyn std::error::Error>> {
    let recognized = recognized_positions(model);
    let known = model.positions().or(recognized.as_deref());
    let file: PathBuf = match &args.svg {
        Some(file) => file.clone(),
        None if args.json || known.is_none() => return Ok(()),
        None => figure::path("solve", "svg")?,
    };
    let Some(answer) = answers.iter().find(|answer| answer.solution.magnetizations.is_some()) else {
        eprintln!("nothing to draw: no method gave magnetizations");
        return Ok(());
    };
    let magnetizations: Vec<f64> =
        answer.solution.magnetizations.iter().flatten().map(|magnetization| magnetization.value).collect();
    let correlations: Option<Vec<f64>> = answer
        .solution
        .correlations
        .as_ref()
        .filter(|c| c.values.len() == model.n_couplings())
        .map(|c| c.values.iter().map(|c| c.value).collect());
    figure::draw_spins(&file, model, known, &magnetizations, correlations.as_deref())?;
    eprintln!("{} drawn to {}", answer.method, file.display());
    Ok(())
}

/// An edge list has no positions; a square lattice in row-major order shows itself.
fn recognized_positions(model: &Ising) -> Option<Vec<[f64; 3]>> {
    let edges = model.couplings().map(|(i, j, _)| (i, j));
    Shape::recognize(model.n_spins(), edges).map(|shape| shape.positions())
}
