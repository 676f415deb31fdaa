//! The table and the JSON lines.

use linalg_core::stats::Estimate;
use spin_models::{EnergyModel, Ising, Kind, Solution};
use workspace_examples::json::Line;

use crate::args::Args;
use crate::methods;

/// What one method said.
pub struct Answer {
    /// Its name.
    pub method: &'static str,
    /// Its answers.
    pub solution: Solution,
    /// Wall time.
    pub seconds: f64,
}

impl Answer {
    fn is_exact(&self) -> bool {
        self.solution.ln_z.is_some_and(|ln_z| ln_z.kind.name() == "exact")
    }
}

/// Prints answers as they come.
pub struct Report<'a> {
    args: &'a Args,
    model: &'a Ising,
    answers: Vec<Answer>,
}

impl<'a> Report<'a> {
    /// Prints the head of the table, unless JSON is wanted.
    pub fn new(args: &'a Args, model: &'a Ising) -> Self {
        if !args.json {
            println!(
                "{} spins, {} couplings{}, beta = {}",
                model.n_spins(),
                model.n_couplings(),
                if model.has_fields() { ", fields" } else { "" },
                args.beta
            );
            println!(
                "{:<18} {:>18} {:>10} {:<13} {:>16} {:>10} {:>9} {:>9}",
                "method", "ln Z", "± ", "kind", "energy", "± ", "mean |m_i|", "seconds"
            );
        }
        Self { args, model, answers: Vec::new() }
    }

    /// Prints one answer.
    pub fn answer(&mut self, answer: Answer) {
        if self.args.json {
            println!("{}", self.json(&answer));
        } else {
            print_row(&answer);
        }
        self.answers.push(answer);
    }

    /// Prints the lowest energies that were met, and how far estimates lie from an exact answer.
    pub fn finish(&self) {
        for answer in self.answers.iter().filter(|_| !self.args.json) {
            if let Some(state) = &answer.solution.ground_state {
                println!("{}: lowest energy {:.8}", answer.method, state.energy);
            }
        }
        for answer in self.answers.iter().filter(|_| !self.args.json) {
            if let Some((converged, residual)) = residual(&answer.solution) {
                let what = if answer.method == "boundary-mps" { "discarded weight" } else { "last residual" };
                let not = if converged { "" } else { ", not converged" };
                println!("{}: {what} {residual:.1e}{not}", answer.method);
            }
        }
        let Some(exact) = self.answers.iter().find(|answer| answer.is_exact()) else { return };
        if self.args.json {
            return;
        }
        for answer in self.answers.iter().filter(|answer| !std::ptr::eq(*answer, exact)) {
            let (Some(reference), Some(ln_z)) = (exact.solution.ln_z, answer.solution.ln_z) else { continue };
            let difference = ln_z.value - reference.value;
            print!("{} - {}: ln Z differs by {difference:+.3e}", answer.method, exact.method);
            match ln_z.std_error {
                Some(error) if error > 0.0 => println!(", {:+.2} standard errors", difference / error),
                _ => println!(),
            }
        }
    }

    /// All answers so far.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    fn json(&self, answer: &Answer) -> String {
        let solution = &answer.solution;
        let magnetizations: Option<Vec<f64>> =
            solution.magnetizations.as_ref().map(|m| m.iter().map(|m| m.value).collect());
        let line = Line::new()
            .text("method", answer.method)
            .count("n_spins", self.model.n_spins() as u64)
            .count("n_couplings", self.model.n_couplings() as u64)
            .number("beta", Some(self.args.beta))
            .number("ln_z", solution.ln_z.map(|ln_z| ln_z.value))
            .text_or_null("kind", solution.ln_z.map(|ln_z| ln_z.kind.name()))
            .number("residual", residual(solution).map(|(_, residual)| residual))
            .number("std_error", solution.ln_z.and_then(|ln_z| ln_z.std_error))
            .number("energy", solution.energy.map(|energy| energy.value))
            .number("energy_std_error", solution.energy.and_then(|energy| energy.std_error))
            .numbers("magnetizations", magnetizations.as_deref())
            .number("lowest_energy", solution.ground_state.as_ref().map(|state| state.energy));
        let line = if self.args.correlations {
            let correlations: Option<Vec<(usize, usize, f64)>> = solution.correlations.as_ref().map(|correlations| {
                let values = correlations.values.iter().map(|c| c.value);
                correlations.pairs.iter().zip(values).map(|(&(i, j), value)| (i, j, value)).collect()
            });
            line.pairs("correlations", correlations.as_deref())
        } else {
            line
        };
        let line = if self.args.cost && answer.method == "tensor-network" {
            let cost = methods::tensor_network(self.args).cost(self.model).ok();
            line.number("log2_multiplications", cost.map(|cost| cost.log2_flops))
                .number("log2_largest_tensor", cost.map(|cost| cost.log2_size))
                .number("slices", cost.map(|cost| cost.slices as f64))
        } else {
            line
        };
        line.number("seconds", Some(answer.seconds)).finish()
    }
}

/// Whether an approximate ln Z has converged, and what it left out.
fn residual(solution: &Solution) -> Option<(bool, f64)> {
    match solution.ln_z?.kind {
        Kind::Approximation { converged, residual } => Some((converged, residual)),
        _ => None,
    }
}

fn print_row(answer: &Answer) {
    let solution = &answer.solution;
    let value = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |x| format!("{x:.digits$}"));
    let error = |estimate: Option<f64>| estimate.map_or(String::new(), |x| format!("{x:.1e}"));
    let mean_magnetization = solution
        .magnetizations
        .as_ref()
        .map(|m: &Vec<Estimate>| m.iter().map(|m| m.value.abs()).sum::<f64>() / m.len().max(1) as f64);
    println!(
        "{:<18} {:>18} {:>10} {:<13} {:>16} {:>10} {:>10} {:>9.3}",
        answer.method,
        value(solution.ln_z.map(|z| z.value), 10),
        error(solution.ln_z.and_then(|z| z.std_error)),
        solution.ln_z.map_or("-", |z| z.kind.name()),
        value(solution.energy.map(|e| e.value), 8),
        error(solution.energy.and_then(|e| e.std_error)),
        value(mean_magnetization, 5),
        answer.seconds,
    );
}
