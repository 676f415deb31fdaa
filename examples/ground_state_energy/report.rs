//! Tables, JSON and the figure.

use linalg_core::stats::Estimate;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

use super::analysis::{Fit, Point};
use super::{Args, Failure, Law};

/// The sizes of one law and their extrapolation beside the published value.
pub fn law(args: &Args, law: Law, points: &[Point], fit: &Fit) {
    let z = fit.energy.z_score(&Estimate::exact(law.reference()));
    if args.json {
        for point in points {
            let line = Line::new()
                .text("kind", "size")
                .text("law", law.name())
                .count("size", point.l as u64)
                .count("samples", point.samples as u64)
                .number("energy", Some(point.energy.value))
                .number("energy_std_error", point.energy.std_error)
                .number("fit", Some(fit.at(point.l as f64)));
            println!("{}", line.finish());
        }
        let line = Line::new()
            .text("kind", "extrapolation")
            .text("law", law.name())
            .number("energy", Some(fit.energy.value))
            .number("energy_std_error", fit.energy.std_error)
            .number("reference_energy", Some(law.reference()))
            .number("z", Some(z))
            .number("chi_square", Some(fit.chi_square))
            .count("degrees_of_freedom", fit.degrees as u64);
        println!("{}", line.finish());
        return;
    }
    println!("{} couplings, free boundaries:", law.name());
    println!("{:>6} {:>9} {:>22} {:>11} {:>18}", "L", "samples", "energy per spin", "fit", "error shorter by");
    for Point { l, samples, energy, gain } in points {
        println!("{l:>6} {samples:>9} {:>22} {:>11.5} {gain:>18.2}", energy.to_string(), fit.at(*l as f64));
    }
    println!("e + a/L + b/L² + c/L³: chi² = {:.1} for {} degrees of freedom", fit.chi_square, fit.degrees);
    println!("L -> ∞: {}, published {}, z = {z:+.1}\n", fit.energy, law.reference());
}

/// Energies against 1/L.
pub fn draw(args: &Args, results: &[(Law, Vec<Point>, Fit)]) -> Result<(), Failure> {
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("ground_state_energy", "svg")?,
    };
    let widest = 1.0 / args.sizes[0] as f64;
    let curve = |fit: &Fit| {
        let at = |k: u32| f64::from(k) / 50.0 * widest;
        let value = |x: f64| if x > 0.0 { fit.at(1.0 / x) } else { fit.energy.value };
        (0..=50).map(|k| (at(k), value(at(k)))).collect()
    };
    let measured = |points: &[Point]| {
        points.iter().map(|p| (1.0 / p.l as f64, p.energy.value, p.energy.std_error.unwrap_or(0.0))).collect()
    };
    let mut points: Vec<Points> = Vec::new();
    for (law, sizes, _) in results {
        points.push(Points { name: format!("{} couplings", law.name()), points: measured(sizes) });
    }
    let published = results.iter().map(|(law, ..)| (0.0, law.reference(), 0.0)).collect();
    points.push(Points { name: "published, L = ∞".to_owned(), points: published });
    let curves = Curves {
        title: "Ground states of two-dimensional spin glasses".to_owned(),
        x_label: "1 / L".to_owned(),
        y_label: "energy per spin".to_owned(),
        lines: results.iter().map(|(law, _, fit)| (format!("{}: fit", law.name()), curve(fit))).collect(),
        points,
        ..Curves::default()
    };
    curves.write_svg(&file)?;
    curves.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}
