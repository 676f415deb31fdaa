//! Tables, JSON and the figure.

use std::f64::consts::{SQRT_2, TAU};

use linalg_core::num_complex::Complex64;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

use super::{Args, Failure, Family, Plane};

/// What was found on one lattice.
pub fn family(args: &Args, family: &Family) {
    let zeros = &family.zeros;
    let widest = zeros.radii.iter().copied().fold(0.0, f64::max);
    let nearest = family.nearest();
    if args.json {
        let points = family.points(args.plane);
        let part = |pick: fn(&Complex64) -> f64| points.iter().map(pick).collect::<Vec<f64>>();
        let line = Line::new()
            .text("boundaries", family.name)
            .count("size", args.size as u64)
            .text("plane", if args.plane == Plane::Tanh { "tanh K" } else { "exp(-2K)" })
            .count("zeros", points.len() as u64)
            .count("zeros_at_minus_one", zeros.at_minus_one as u64)
            .flag("isolated", zeros.isolated)
            .number("largest_radius", Some(widest))
            .number("backward_error", Some(zeros.backward_error))
            .number("largest_distance_from_circles", Some(family.off_circles()))
            .number("largest_distance_from_known", family.off_known())
            .numbers("nearest_critical_x", Some(&[nearest.re, nearest.im]))
            .numbers("re", Some(&part(|z| z.re)))
            .numbers("im", Some(&part(|z| z.im)))
            .number("seconds", Some(family.seconds));
        println!("{}", line.finish());
        return;
    }
    let l = args.size;
    println!("{l} x {l}, {}:", family.name);
    println!("  {} zeros in exp(-2K), and one of order {} at -1", zeros.x.len(), zeros.at_minus_one);
    let separate = if zeros.isolated { "disjoint" } else { "not disjoint" };
    println!("  in discs of radius {widest:.1e} at most, {separate}; backward error {:.1e}", zeros.backward_error);
    println!("  largest distance from |tanh K ± 1| = √2: {:.2e}", family.off_circles());
    if let Some(off) = family.off_known() {
        println!("  largest distance from the known zeros: {off:.2e}");
    }
    let critical = SQRT_2 - 1.0;
    println!("  nearest to the critical exp(-2K) = {critical:.6}: {:.6} + {:.6}i", nearest.re, nearest.im);
    println!("  {:.1} s\n", family.seconds);
}

/// The image of the circles |tanh K ± 1| = √2 in a plane. Both planes are exchanged by x = (1 - v) / (1 + v), which
/// maps either circle onto itself.
fn circle(center: f64) -> Vec<(f64, f64)> {
    (0..=240)
        .map(|k| {
            let angle = TAU * f64::from(k) / 240.0;
            (center + SQRT_2 * angle.cos(), SQRT_2 * angle.sin())
        })
        .collect()
}

/// Zeros and circles.
pub fn draw(args: &Args, families: &[Family]) -> Result<(), Failure> {
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("fisher_zeros", "svg")?,
    };
    let name = if args.plane == Plane::Tanh { "tanh K" } else { "exp(-2K)" };
    let inside = |z: &Complex64| z.re.abs() <= 3.5 && z.im.abs() <= 2.4;
    let points = |family: &Family| {
        let all = family.points(args.plane);
        let shown: Vec<(f64, f64, f64)> = all.iter().filter(|z| inside(z)).map(|z| (z.re, z.im, 0.0)).collect();
        if shown.len() < all.len() {
            eprintln!("{}: {} zeros lie outside the figure", family.name, all.len() - shown.len());
        }
        Points { name: family.name.to_owned(), points: shown }
    };
    let curves = Curves {
        title: format!("Zeros of Z of the {0} x {0} Ising model", args.size),
        x_label: format!("Re {name}"),
        y_label: format!("Im {name}"),
        lines: vec![(format!("|{name} - 1| = √2"), circle(1.0)), (format!("|{name} + 1| = √2"), circle(-1.0))],
        points: families.iter().map(points).collect(),
        ..Curves::default()
    };
    curves.write_svg(&file)?;
    curves.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}
