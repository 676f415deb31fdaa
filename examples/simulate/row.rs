//! What is said about one temperature.

use linalg_core::stats::Estimate;
use workspace_examples::json::Line;

/// Averages at one temperature; `None` for what an engine does not measure.
pub struct Row {
    pub engine: &'static str,
    pub n_spins: usize,
    pub beta: f64,
    pub energy_per_spin: Option<Estimate>,
    pub specific_heat: Option<Estimate>,
    pub abs_magnetization: Option<Estimate>,
    pub susceptibility: Option<Estimate>,
    pub binder: Option<Estimate>,
    pub tau_energy: Option<f64>,
    pub tau_magnetization: Option<f64>,
    pub sweeps: u64,
    pub flips_per_second: Option<f64>,
    pub seconds: f64,
    pub equilibrated: bool,
    /// For disordered instances.
    pub glass: Option<Glass>,
    /// For parallel tempering.
    pub exchange: Option<Exchange>,
    /// For population annealing and the density of states.
    pub population: Option<Population>,
}

/// Overlaps of pairs of replicas.
pub struct Glass {
    pub q2: Estimate,
    pub q_link: Option<Estimate>,
    pub binder_q: Estimate,
    pub xi_over_l: Option<Estimate>,
}

/// Exchanges of a temperature with its neighbours.
pub struct Exchange {
    pub swap_acceptance: f64,
    pub round_trips: u64,
}

/// What engines give that come from infinite temperature.
pub struct Population {
    /// Mean-square family size of a population.
    pub rho_t: Option<f64>,
    pub ln_z: Estimate,
}

fn value(estimate: Option<Estimate>) -> Option<f64> {
    estimate.map(|estimate| estimate.value)
}

fn error(estimate: Option<Estimate>) -> Option<f64> {
    estimate.and_then(|estimate| estimate.std_error)
}

impl Row {
    /// The head of the table.
    pub fn head() {
        println!(
            "{:>9} {:>20} {:>16} {:>18} {:>12} {:>10} {:>9} {:>9}",
            "beta", "energy per spin", "specific heat", "|m|", "chi", "binder", "tau e", "tau m"
        );
    }

    /// One line of the table.
    pub fn print(&self) {
        let text = |estimate: Option<Estimate>| estimate.map_or("-".to_owned(), |estimate| estimate.to_string());
        let short = |x: Option<f64>, digits: usize| x.map_or("-".to_owned(), |x| format!("{x:.digits$}"));
        let mut notes = Vec::new();
        if let Some(glass) = &self.glass {
            notes.push(format!("q2 = {}", glass.q2));
            if let Some(xi) = glass.xi_over_l {
                notes.push(format!("xi/L = {xi}"));
            }
        }
        if let Some(exchange) = &self.exchange {
            notes.push(format!("swaps {:.2}", exchange.swap_acceptance));
        }
        if let Some(population) = &self.population {
            if let Some(rho_t) = population.rho_t {
                notes.push(format!("rho_t = {rho_t:.1}"));
            }
            notes.push(format!("ln Z = {}", population.ln_z));
        }
        if !self.equilibrated {
            notes.push("not equilibrated".to_owned());
        }
        println!(
            "{:>9.5} {:>20} {:>16} {:>18} {:>12} {:>10} {:>9} {:>9}  {}",
            self.beta,
            text(self.energy_per_spin),
            text(self.specific_heat),
            text(self.abs_magnetization),
            short(value(self.susceptibility), 4),
            short(value(self.binder), 5),
            short(self.tau_energy, 1),
            short(self.tau_magnetization, 1),
            notes.join(", ")
        );
    }

    /// The JSON line.
    pub fn json(&self) -> String {
        let mut line = Line::new()
            .text("engine", self.engine)
            .count("n_spins", self.n_spins as u64)
            .number("beta", Some(self.beta))
            .number("energy_per_spin", value(self.energy_per_spin))
            .number("energy_std_error", error(self.energy_per_spin))
            .number("specific_heat", value(self.specific_heat))
            .number("specific_heat_std_error", error(self.specific_heat))
            .number("abs_magnetization", value(self.abs_magnetization))
            .number("abs_magnetization_std_error", error(self.abs_magnetization))
            .number("susceptibility", value(self.susceptibility))
            .number("susceptibility_std_error", error(self.susceptibility))
            .number("binder", value(self.binder))
            .number("binder_std_error", error(self.binder))
            .number("tau_energy", self.tau_energy)
            .number("tau_magnetization", self.tau_magnetization)
            .count("sweeps", self.sweeps)
            .number("flips_per_second", self.flips_per_second)
            .number("seconds", Some(self.seconds))
            .flag("equilibrated", self.equilibrated);
        if let Some(glass) = &self.glass {
            line = line
                .number("q2", Some(glass.q2.value))
                .number("q2_std_error", glass.q2.std_error)
                .number("q_link", value(glass.q_link))
                .number("q_link_std_error", error(glass.q_link))
                .number("binder_q", Some(glass.binder_q.value))
                .number("binder_q_std_error", glass.binder_q.std_error)
                .number("xi_over_l", value(glass.xi_over_l))
                .number("xi_over_l_std_error", error(glass.xi_over_l));
        }
        if let Some(exchange) = &self.exchange {
            line = line
                .number("swap_acceptance", Some(exchange.swap_acceptance))
                .count("round_trips", exchange.round_trips);
        }
        if let Some(population) = &self.population {
            if let Some(rho_t) = population.rho_t {
                line = line.number("rho_t", Some(rho_t));
            }
            line = line.number("ln_z", Some(population.ln_z.value)).number("ln_z_std_error", population.ln_z.std_error);
        }
        line.finish()
    }
}
