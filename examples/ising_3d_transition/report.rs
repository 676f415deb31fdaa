//! Tables, JSON and figures.

use linalg_core::stats::Estimate;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

use super::analysis::{Crossing, binder};
use super::{Args, BETA_OVER_NU, BINDER, Failure, K_C, Size};

/// |m| L^(β/ν).
fn scaled_magnetization(size: &Size, k: f64) -> Result<Estimate, Failure> {
    let factor = (size.l as f64).powf(BETA_OVER_NU);
    let m = size.mbar.at(k)?.observable(0);
    Ok(Estimate { value: factor * m.value, std_error: m.std_error.map(|error| factor * error) })
}

/// Binder cumulants at K_c and how well the runs overlap.
pub fn curves(args: &Args, sizes: &[Size]) -> Result<(), Failure> {
    if !args.json {
        println!("at K_c = {K_C}:");
        println!("{:>4} {:>22} {:>10} {:>20} {:>12}", "L", "Binder cumulant", "L = ∞", "|m| L^(β/ν)", "eff. samples");
    }
    for size in sizes {
        let (u, m) = (binder(size, K_C)?, scaled_magnetization(size, K_C)?);
        let effective = size.mbar.at(K_C)?.effective_samples();
        if args.json {
            let line = Line::new()
                .text("kind", "size")
                .count("size", size.l as u64)
                .number("k", Some(K_C))
                .number("binder", Some(u.value))
                .number("binder_std_error", u.std_error)
                .number("reference_binder", Some(BINDER))
                .number("scaled_magnetization", Some(m.value))
                .number("scaled_magnetization_std_error", m.std_error)
                .number("effective_samples", Some(effective));
            println!("{}", line.finish());
        } else {
            println!("{:>4} {:>22} {BINDER:>10} {:>20} {effective:>12.0}", size.l, u.to_string(), m.to_string());
        }
    }
    Ok(())
}

/// The crossings and their extrapolation beside K_c.
pub fn crossings(args: &Args, crossings: &[Crossing], extrapolated: &Option<Estimate>) {
    let reference = Estimate::exact(K_C);
    if !args.json {
        println!("\n{:>9} {:>24} {:>12} {:>7} {:>9}", "sizes", "crossing K", "K_c", "z", "U there");
    }
    for Crossing { lengths: (a, b), k, binder, .. } in crossings {
        let z = k.z_score(&reference);
        if args.json {
            let line = Line::new()
                .text("kind", "crossing")
                .count("size", *a as u64)
                .count("larger_size", *b as u64)
                .number("k", Some(k.value))
                .number("k_std_error", k.std_error)
                .number("reference_k", Some(K_C))
                .number("z", Some(z))
                .number("binder", Some(*binder));
            println!("{}", line.finish());
        } else {
            println!("{:>9} {:>24} {K_C:>12} {z:>7.1} {binder:>9.4}", format!("{a}, {b}"), k.to_string());
        }
    }
    let Some(k) = extrapolated else { return };
    let z = k.z_score(&reference);
    if args.json {
        let line = Line::new()
            .text("kind", "extrapolation")
            .number("k", Some(k.value))
            .number("k_std_error", k.std_error)
            .number("reference_k", Some(K_C))
            .number("z", Some(z));
        println!("{}", line.finish());
    } else {
        println!("{:>9} {:>24} {K_C:>12} {z:>7.1}", "L -> ∞", k.to_string());
    }
}

/// |m| L^(β/ν) of every size at equal (K - K_c) L^(1/ν).
pub fn collapse(args: &Args, sizes: &[Size]) -> Result<(), Failure> {
    if !args.json {
        print!("\n|m| L^(β/ν) at x = (K - K_c) L^(1/ν):\n{:>6}", "x");
        sizes.iter().for_each(|size| print!(" {:>18}", format!("L = {}", size.l)));
        println!();
    }
    for step in -3..=3 {
        let x = 0.2 * f64::from(step);
        let values: Vec<Estimate> =
            sizes.iter().map(|size| scaled_magnetization(size, K_C + x / size.scale())).collect::<Result<_, _>>()?;
        if args.json {
            let column = |pick: fn(&Estimate) -> f64| values.iter().map(pick).collect::<Vec<f64>>();
            let line = Line::new()
                .text("kind", "collapse")
                .number("x", Some(x))
                .numbers("sizes", Some(&sizes.iter().map(|size| size.l as f64).collect::<Vec<_>>()))
                .numbers("scaled_magnetization", Some(&column(|m| m.value)))
                .numbers("std_error", Some(&column(|m| m.std_error.unwrap_or(f64::NAN))));
            println!("{}", line.finish());
        } else {
            print!("{x:>6.1}");
            values.iter().for_each(|m| print!(" {:>18}", m.to_string()));
            println!();
        }
    }
    Ok(())
}

/// Draws the cumulants, and the collapse into a second file.
pub fn draw(args: &Args, sizes: &[Size]) -> Result<(), Failure> {
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("ising_3d_transition", "svg")?,
    };
    let widest = 0.4 / sizes[sizes.len() / 2].scale();
    let mut cumulants = Vec::new();
    let mut collapsed = Vec::new();
    for size in sizes {
        let (mut plain, mut scaled) = (Vec::new(), Vec::new());
        for step in -10..=10 {
            let t = 0.1 * f64::from(step);
            let k = K_C + t * widest;
            let u = binder(size, k)?;
            plain.push((k, u.value, u.std_error.unwrap_or(0.0)));
            let x = 0.6 * t;
            let m = scaled_magnetization(size, K_C + x / size.scale())?;
            scaled.push((x, m.value, m.std_error.unwrap_or(0.0)));
        }
        cumulants.push(Points { name: format!("L = {}", size.l), points: plain });
        collapsed.push(Points { name: format!("L = {}", size.l), points: scaled });
    }
    let bounds = cumulants.iter().flat_map(|points| points.points.iter().map(|point| point.1));
    let (low, high) = bounds.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), u| (a.min(u), b.max(u)));
    let binders = Curves {
        title: format!("3D Ising model: Binder cumulant, {} sweeps", args.sweeps),
        x_label: "K".to_owned(),
        y_label: "1 - <m⁴> / 3<m²>²".to_owned(),
        lines: vec![("K_c".to_owned(), vec![(K_C, low), (K_C, high)])],
        points: cumulants,
        ..Curves::default()
    };
    let collapse = Curves {
        title: "3D Ising model: data collapse".to_owned(),
        x_label: "(K - K_c) L^(1/ν)".to_owned(),
        y_label: "|m| L^(β/ν)".to_owned(),
        lines: Vec::new(),
        points: collapsed,
        ..Curves::default()
    };
    let name = file.file_stem().map_or_else(|| "figure".into(), |stem| stem.to_string_lossy().into_owned());
    let second = file.with_file_name(format!("{name}_collapse.svg"));
    for (curves, file) in [(binders, &file), (collapse, &second)] {
        curves.write_svg(file)?;
        curves.write_csv(&file.with_extension("csv"))?;
        eprintln!("drawn to {}", file.display());
    }
    Ok(())
}
