//! Annealed importance sampling in units of 16 chains, kept in a file.

use boltzmann::PackedRbm;
use boltzmann::partition::{AisRun, AnnealedImportance};
use linalg_core::checkpoint::ContentHash;
use linalg_core::{Observer, Streams, threads};
use spin_models::{LnZ, Progress};
use workspace_examples::binary_images::Images;
use workspace_examples::units::{Outcome, UnitLog, line_of_unit};

use crate::Args;

const TASK: &str = "rbm_eval ln Z";

/// Everything that the weights of the chains depend on.
fn problem(args: &Args, machine: &PackedRbm, base: &[f64]) -> Outcome<u64> {
    let rbm = machine.to_rbm()?;
    let mut hash = ContentHash::new();
    hash.write_str("rbm_eval 1").write_u64(args.temperatures as u64).write_u64(args.seed);
    hash.write_f64s(rbm.weights()).write_f64s(rbm.visible_bias()).write_f64s(rbm.hidden_bias()).write_f64s(base);
    Ok(hash.finish())
}

/// ln Z from the units that were asked for: those that the file has are read, the others run and written.
pub fn ln_z(args: &Args, machine: &PackedRbm, images: &Images, observer: &mut dyn Observer<Progress>) -> Outcome<LnZ> {
    let base = AnnealedImportance::base_rate(&images.train);
    let problem = problem(args, machine, &base)?;
    let units = args.units.clone().unwrap_or(0..args.chains.div_ceil(AnnealedImportance::UNIT) as u64);
    let annealing = AnnealedImportance::new(args.temperatures, args.chains)?.threads(args.threads);
    let mut log = UnitLog::open(args.out.as_deref(), args.resume)?;
    let mut all = Vec::new();
    let mut unit = units.start;
    while unit < units.end {
        if let Some((line, place)) = log.get(TASK, unit) {
            let read = line.check_problem(problem).and_then(|()| line.numbers("ln_weights", AnnealedImportance::UNIT));
            all.extend(read.map_err(|error| format!("{place}: {error}"))?);
            unit += 1;
            continue;
        }
        // A unit for each thread, then they are written.
        let most = (unit + threads::count(args.threads).max(1) as u64).min(units.end);
        let end = (unit + 1..most).find(|&next| log.get(TASK, next).is_some()).unwrap_or(most);
        let run = annealing.clone().units(unit..end)?.run(machine, &base, Streams::new(args.seed), &mut ())?;
        if let Some(k) = run.ln_weights.iter().position(|weight| !weight.is_finite()) {
            return Err(format!("chain {k} after unit {unit} has the log-weight {}", run.ln_weights[k]).into());
        }
        for (k, weights) in (unit..).zip(run.ln_weights.chunks(AnnealedImportance::UNIT)) {
            log.write(line_of_unit(TASK, problem, k).numbers("ln_weights", Some(weights)).finish())?;
        }
        all.extend(run.ln_weights);
        unit = end;
        let _ = observer.observe(&Progress::new("units", unit - units.start, units.end - units.start));
    }
    Ok(AisRun { ln_weights: all, reverse: false }.estimate())
}
