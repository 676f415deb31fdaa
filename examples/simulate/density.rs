//! All temperatures at once from the density of states.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use linalg_core::checkpoint::Checkpoint;
use linalg_core::stats::Estimate;
use spin_models::mcmc::{DensityOfStates, WangLandauSolver};
use spin_models::{EnergyModel, Progress};

use crate::args::Args;
use crate::job::STOP;
use crate::row::{Population, Row};
use crate::subject::Subject;

/// Measured sweeps a walker where they are not given.
const SWEEPS: u64 = 20_000;

/// Sweeps a walker: every attempted flip is a visit.
fn measured_sweeps(density: &DensityOfStates) -> u64 {
    let visits: f64 = density.histogram().iter().map(|(_, visits)| visits).sum();
    (visits / (density.n_walkers() * density.n_spins()) as f64).round() as u64
}

/// Learns the weights, measures, and reweights to every temperature. A state is that of a measurement, which has no weights to
/// go on with.
pub fn run(
    args: &Args,
    subject: &Subject,
    state: Option<&[u8]>,
    mut progress: impl FnMut(&Progress),
    mut save: impl FnMut(Vec<u8>),
) -> Result<Vec<Row>, Box<dyn std::error::Error>> {
    let start = Instant::now();
    let betas = &args.beta.0;
    let sweeps = args.sweeps.unwrap_or(if args.quick { SWEEPS / 10 } else { SWEEPS });
    let solver = WangLandauSolver::default().with_seed(args.seed).with_sweeps(sweeps).with_threads(args.threads.into());
    let solver = if args.quick { solver.quick() } else { solver };
    let density = match state {
        Some(bytes) => {
            let density = DensityOfStates::from_checkpoint(&Checkpoint::from_bytes(bytes)?)?;
            let done = measured_sweeps(&density);
            if args.sweeps.is_some_and(|asked| asked > done) {
                let reason = "a measurement of wang-landau cannot be made longer: leave --resume out to begin anew";
                return Err(format!("the checkpoint has {done} sweeps, --sweeps is {sweeps}; {reason}").into());
            }
            density
        }
        None => solver.density(&subject.model, betas[betas.len() - 1], &mut |event: &Progress| {
            progress(event);
            if STOP.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?,
    };
    save(density.checkpoint().to_bytes());
    let seconds = start.elapsed().as_secs_f64();
    let n = subject.model.n_spins();
    let size = n as f64;
    let per_spin = |estimate: Estimate| Estimate {
        value: estimate.value / size,
        std_error: estimate.std_error.map(|error| error / size),
    };
    let plain = |value: f64| Some(Estimate { value, std_error: None });
    let row = |&beta: &f64| -> Result<Row, Box<dyn std::error::Error>> {
        let [m, m2, m4] = density.magnetization_moments(beta)?;
        let ln_z = density.ln_z(beta)?;
        Ok(Row {
            engine: "wang-landau",
            n_spins: n,
            beta,
            energy_per_spin: Some(per_spin(density.energy(beta)?)),
            specific_heat: Some(per_spin(density.heat_capacity(beta)?)),
            abs_magnetization: Some(m),
            susceptibility: plain(beta * size * (m2.value - m.value * m.value)),
            binder: plain(1.0 - m4.value / (3.0 * m2.value * m2.value)),
            tau_energy: None,
            tau_magnetization: None,
            sweeps: measured_sweeps(&density),
            flips_per_second: None,
            seconds,
            // Walkers that crossed the whole range have forgotten where they began.
            equilibrated: density.round_trips() >= density.n_walkers() as u64,
            glass: None,
            exchange: None,
            population: Some(Population {
                rho_t: None,
                ln_z: Estimate { value: ln_z.value, std_error: ln_z.std_error },
            }),
        })
    };
    betas.iter().map(row).collect()
}
