//! Tables, JSON and the figure.

use linalg_core::stats::Estimate;
use workspace_examples::figure::{self, Curves, Points};
use workspace_examples::json::Line;

use super::analysis::{Crossing, Size};
use super::engine::Plan;
use super::{Args, Failure};

/// The published transition temperature.
const T_C: Estimate = Estimate { value: 1.102, std_error: Some(0.003) };

/// The averages of one size, and whether they still drift.
pub fn size(args: &Args, plan: &Plan, size: &Size) -> Result<(), Failure> {
    let averages = &size.averages;
    let unknown = Estimate::new(f64::NAN, f64::INFINITY);
    if !args.json {
        println!("L = {}, {} samples", size.l, averages.n_samples());
        println!("{:>7} {:>18} {:>18} {:>18} {:>18}", "T", "ξ/L", "binder_q", "[<q²>]", "e per bond");
    }
    for (lane, temperature) in plan.temperatures().into_iter().enumerate() {
        let xi = averages.xi_over_l(lane).unwrap_or(unknown);
        let (g, q2, energy) = (averages.binder_q(lane), averages.q2(lane), size.energy_per_bond(lane));
        let link = averages.link_overlap(lane).unwrap_or(unknown);
        if args.json {
            let mut line = Line::new()
                .text("kind", "average")
                .count("size", size.l as u64)
                .number("temperature", Some(temperature))
                .count("samples", averages.n_samples() as u64);
            for (key, error_key, estimate) in [
                ("xi_over_l", "xi_over_l_std_error", xi),
                ("binder_q", "binder_q_std_error", g),
                ("q2", "q2_std_error", q2),
                ("q_link", "q_link_std_error", link),
                ("energy_per_bond", "energy_per_bond_std_error", energy),
            ] {
                line = line.number(key, Some(estimate.value)).number(error_key, estimate.std_error);
            }
            println!("{}", line.finish());
        } else {
            let [xi, g, q2, energy] = [xi, g, q2, energy].map(|estimate| estimate.to_string());
            println!("{temperature:>7.4} {xi:>18} {g:>18} {q2:>18} {energy:>18}");
        }
    }
    let drifts = size.drifts();
    let coldest = plan.temperatures().pop().unwrap_or(f64::NAN);
    let still = drifts[1].z_score(&Estimate::exact(0.0)).abs() <= 3.0;
    if args.json {
        let line = Line::new()
            .text("kind", "equilibration")
            .count("size", size.l as u64)
            .number("temperature", Some(coldest))
            .number("q2_drift", Some(drifts[1].value))
            .number("q2_drift_std_error", drifts[1].std_error)
            .flag("equilibrated", still);
        println!("{}", line.finish());
    } else {
        let verdict = if still { "within three errors" } else { "NOT in equilibrium: more sweeps" };
        println!(
            "change of [<q²>] at T = {coldest:.4} over the last two doublings: {}, {}; {verdict}\n",
            drifts[0], drifts[1]
        );
    }
    Ok(())
}

/// The crossings beside the published temperature.
pub fn crossings(args: &Args, crossings: &[Crossing]) {
    for Crossing { sizes: (a, b), temperature } in crossings {
        let z = temperature.map(|t| t.z_score(&T_C));
        if args.json {
            let line = Line::new()
                .text("kind", "crossing")
                .count("size", *a as u64)
                .count("larger_size", *b as u64)
                .number("temperature", temperature.map(|t| t.value))
                .number("temperature_std_error", temperature.and_then(|t| t.std_error))
                .number("reference_temperature", Some(T_C.value))
                .number("reference_std_error", T_C.std_error)
                .number("z", z);
            println!("{}", line.finish());
        } else {
            match temperature {
                Some(t) => {
                    println!("ξ/L of L = {a} and {b} cross at T = {t}; T_c = {T_C}, z = {:.1}", z.unwrap_or(f64::NAN))
                }
                None => println!("ξ/L of L = {a} and {b}: no crossing within the errors; more samples"),
            }
        }
    }
}

/// Draws ξ/L of all sizes.
pub fn draw(args: &Args, plan: &Plan, sizes: &[Size]) -> Result<(), Failure> {
    let series = |size: &Size| {
        let point = |(lane, t): (usize, f64)| {
            size.averages.xi_over_l(lane).map(|xi| (t, xi.value, xi.std_error.unwrap_or(0.0)))
        };
        let points = plan.temperatures().into_iter().enumerate().filter_map(point).collect();
        Points { name: format!("L = {}", size.l), points }
    };
    let points: Vec<Points> = sizes.iter().map(series).collect();
    let top = points.iter().flat_map(|p| p.points.iter().map(|point| point.1)).fold(0.0, f64::max);
    let curves = Curves {
        title: format!("3D ±J spin glass, {} samples of {} sweeps", args.samples, args.sweeps),
        x_label: "T".to_owned(),
        y_label: "ξ/L".to_owned(),
        lines: vec![("T_c = 1.102(3)".to_owned(), vec![(T_C.value, 0.0), (T_C.value, top)])],
        points,
        ..Curves::default()
    };
    let file = match &args.svg {
        Some(file) => file.clone(),
        None => figure::path("edwards_anderson", "svg")?,
    };
    curves.write_svg(&file)?;
    curves.write_csv(&file.with_extension("csv"))?;
    eprintln!("drawn to {}", file.display());
    Ok(())
}
