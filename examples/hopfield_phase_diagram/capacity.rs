//! The load at T = 0 above which patterns are lost, from networks of several sizes.

use linalg_core::stats::Estimate;
use linalg_core::{Observer, Streams};
use spin_models::Progress;
use spin_models::hopfield::CapacityParams;
use workspace_examples::json::Line;

use super::{Args, CAPACITY, Failure};

/// Networks of each size, loads about where patterns are lost, and samples at each.
const SIZES: [usize; 5] = [250, 500, 1000, 2000, 4000];
const LOADS: [f64; 7] = [0.13, 0.14, 0.15, 0.16, 0.17, 0.18, 0.19];
const SAMPLES: u64 = 800;

/// Measures and prints, with the exponent 2/3 and with a free one.
pub fn run(args: &Args, observer: &mut dyn Observer<Progress>) -> Result<(), Failure> {
    let mut params = CapacityParams::default().sizes(&SIZES).loads(&LOADS).samples(SAMPLES).threads(args.threads);
    if args.quick {
        params = params.sizes(&SIZES[..3]).samples(40);
    }
    let measured = params.measure(&Streams::new(args.seed), observer)?;
    let free = measured.free.ok_or("fewer than two sizes lose patterns within the loads")?;
    if args.json {
        for half in &measured.halves {
            let line = Line::new()
                .count("spins", half.n_spins as u64)
                .number("half_load", Some(half.load.value))
                .number("half_load_std_error", half.load.std_error)
                .number("steepness", Some(half.steepness));
            println!("{}", line.finish());
        }
        let line = Line::new()
            .number("exponent", Some(params.exponent))
            .number("capacity", Some(measured.capacity.value))
            .number("capacity_std_error", measured.capacity.std_error)
            .number("chi_square", Some(measured.chi_square))
            .count("degrees_of_freedom", measured.degrees_of_freedom as u64)
            .number("free_exponent", Some(free.exponent))
            .number("free_exponent_low", Some(free.exponents.0))
            .number("free_exponent_high", Some(free.exponents.1))
            .number("free_capacity", Some(free.capacity))
            .number("free_capacity_low", Some(free.interval.0))
            .number("free_capacity_high", Some(free.interval.1))
            .number("free_chi_square", Some(free.chi_square))
            .number("capacity_reference", Some(CAPACITY.0));
        println!("{}", line.finish());
        return Ok(());
    }
    println!("{:>8}{:>22}{:>12}", "N", "half are kept at", "steepness");
    for half in &measured.halves {
        println!("{:>8}{:>22}{:>12.1}", half.n_spins, digits(&half.load), half.steepness);
    }
    println!();
    let freedom = measured.degrees_of_freedom;
    println!(
        "exponent {:.3}: alpha_c = {}, chi^2 {:.2} for {freedom}",
        params.exponent,
        digits(&measured.capacity),
        measured.chi_square
    );
    println!(
        "exponent free: alpha_c = {:.4} ({:.4} to {:.4}), x = {:.2} ({:.2} to {:.2}), chi^2 {:.2} for {}",
        free.capacity,
        free.interval.0,
        free.interval.1,
        free.exponent,
        free.exponents.0,
        free.exponents.1,
        free.chi_square,
        freedom.saturating_sub(1)
    );
    println!("replica symmetry: alpha_c = {:.9}", CAPACITY.0);
    Ok(())
}

fn digits(estimate: &Estimate) -> String {
    estimate.std_error.map_or_else(|| "-".to_owned(), |error| format!("{:.4} ± {error:.4}", estimate.value))
}
