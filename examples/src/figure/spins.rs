//! Magnetizations on the sites of a model and correlations on its bonds.

use std::path::Path;

use plotters::prelude::*;
use spin_models::Ising;

/// Blue for -1, white for 0, red for +1.
fn shade(value: f64) -> RGBColor {
    let value = if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 };
    let fade = (255.0 * (1.0 - value.abs())) as u8;
    let full = (255.0 - 35.0 * value.abs()) as u8;
    if value >= 0.0 { RGBColor(full, fade, fade) } else { RGBColor(fade, fade, full) }
}

/// Sites on a circle, for graphs without known positions.
fn circle(n: usize) -> Vec<[f64; 3]> {
    (0..n)
        .map(|i| {
            let angle = std::f64::consts::TAU * i as f64 / n as f64;
            [angle.cos(), angle.sin(), 0.0]
        })
        .collect()
}

/// Draws the sites coloured by magnetization (blue -1, white 0, red +1) and the bonds: solid where the coupling is
/// positive, thin and dark where negative, coloured by `J ⟨s_i s_j⟩ / |J|` when correlations are given (red: satisfied,
/// blue: unsatisfied). `positions` default to the model's own, and those to a circle.
///
/// # Errors
/// When the file cannot be written.
///
/// # Panics
/// If there are fewer magnetizations than spins.
pub fn draw_spins(
    file: &Path,
    model: &Ising,
    positions: Option<&[[f64; 3]]>,
    magnetizations: &[f64],
    correlations: Option<&[f64]>,
) -> Result<(), Box<dyn std::error::Error>> {
    let n = magnetizations.len();
    let fallback;
    let positions = match positions.or(model.positions()) {
        Some(positions) => positions,
        None => {
            fallback = circle(n);
            &fallback
        }
    };
    // An oblique projection shows the third dimension.
    let flat: Vec<(f64, f64)> = positions.iter().map(|p| (p[0] + 0.35 * p[2], p[1] + 0.25 * p[2])).collect();
    let range = |pick: fn(&(f64, f64)) -> f64| {
        let low = flat.iter().map(pick).fold(f64::INFINITY, f64::min);
        let high = flat.iter().map(pick).fold(f64::NEG_INFINITY, f64::max);
        (low, (high - low).max(1e-9))
    };
    let ((left, width), (bottom, height)) = (range(|p| p.0), range(|p| p.1));
    let scale = 720.0 / width.max(height);
    let margin = 40.0;
    let size = (((width * scale).max(40.0) + 2.0 * margin) as u32, ((height * scale).max(40.0) + 2.0 * margin) as u32);
    // Rows run downwards, as they do in the site numbering of lattices.
    let place = |i: usize| {
        let (x, y) = flat[i];
        ((margin + (x - left) * scale) as i32, (margin + (y - bottom) * scale) as i32)
    };
    let radius = (0.3 * (720.0 * 720.0 / n as f64).sqrt()).clamp(2.0, 16.0) as i32;

    let area = SVGBackend::new(file, size).into_drawing_area();
    area.fill(&WHITE)?;
    // Bonds around the boundary of a periodic lattice would cross the whole figure.
    let longest = 0.5 * width.max(height);
    for (a, (i, j, coupling)) in model.couplings().enumerate() {
        let distance = (flat[i].0 - flat[j].0).hypot(flat[i].1 - flat[j].1);
        if model.positions().is_some() && n > 16 && distance > longest {
            continue;
        }
        let color = correlations.map_or(RGBColor(150, 150, 150), |c| shade(coupling.signum() * c[a]));
        let color = if color == shade(0.0) { RGBColor(225, 225, 225) } else { color };
        let stroke = if coupling < 0.0 { 1 } else { 3 };
        area.draw(&PathElement::new([place(i), place(j)], color.stroke_width(stroke)))?;
    }
    for (i, &m) in magnetizations.iter().enumerate() {
        area.draw(&Circle::new(place(i), radius, shade(m).filled()))?;
        area.draw(&Circle::new(place(i), radius, BLACK.stroke_width(1)))?;
    }
    area.present()?;
    Ok(())
}
