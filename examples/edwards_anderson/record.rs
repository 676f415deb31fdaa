//! Samples as lines of JSON.

use spin_models::mcmc::OverlapMoments;
use workspace_examples::json::Line;
use workspace_examples::units::{Computed, Study, UnitLine};

use super::engine::{self, Plan, Sample};

/// The samples of one size.
pub struct OfSize<'a> {
    pub plan: &'a Plan,
    pub l: usize,
}

impl Study for OfSize<'_> {
    type Record = Sample;
    type Worker = ();

    fn task(&self) -> String {
        format!("edwards_anderson L={}", self.l)
    }

    fn problem(&self) -> u64 {
        self.plan.problem(self.l)
    }

    fn worker(&self) {}

    fn compute(&self, (): &mut (), number: u64) -> Computed<Sample> {
        Ok(engine::simulate(self.plan, self.l, number)?)
    }

    fn write(&self, sample: &Sample, line: Line) -> Line {
        let column = |pick: fn(&OverlapMoments) -> f64| sample.moments.iter().map(pick).collect::<Vec<f64>>();
        line.count("size", self.l as u64)
            .count("seed", self.plan.seed)
            .count("sweeps", self.plan.sweeps)
            .numbers("betas", Some(self.plan.ladder.betas()))
            .numbers("abs_q", Some(&column(|m| m.abs_q)))
            .numbers("q2", Some(&column(|m| m.q2)))
            .numbers("q4", Some(&column(|m| m.q4)))
            .numbers("q_link", Some(&column(|m| m.link.unwrap_or(f64::NAN))))
            .numbers("q2_k", Some(&column(|m| m.q2_k.unwrap_or(f64::NAN))))
            .numbers("energy_per_bond", Some(&sample.energy_per_bond))
            .numbers("swap_acceptance", Some(&sample.swap_acceptance))
            .numbers("q2_windows", Some(&sample.windows))
            .count("round_trips", sample.round_trips)
    }

    fn read(&self, line: &UnitLine) -> Result<Sample, String> {
        for (key, expected) in [("seed", self.plan.seed), ("sweeps", self.plan.sweeps)] {
            let found = line.count(key)?;
            if found != expected {
                return Err(format!("{key} is {found}, that of this run {expected}"));
            }
        }
        let lanes = self.plan.ladder.len();
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
        if !line.numbers("betas", lanes)?.iter().zip(self.plan.ladder.betas()).all(same) {
            return Err("other temperatures than those of this run".to_owned());
        }
        let columns = ["abs_q", "q2", "q4", "q_link", "q2_k"].map(|key| line.numbers(key, lanes));
        let [abs_q, q2, q4, link, q2_k] = columns;
        let (abs_q, q2, q4, link, q2_k) = (abs_q?, q2?, q4?, link?, q2_k?);
        let moments = (0..lanes).map(|k| OverlapMoments {
            abs_q: abs_q[k],
            q2: q2[k],
            q4: q4[k],
            link: Some(link[k]),
            q2_k: Some(q2_k[k]),
        });
        let windows = line.numbers("q2_windows", 3)?;
        Ok(Sample {
            number: line.unit,
            moments: moments.collect(),
            energy_per_bond: line.numbers("energy_per_bond", lanes)?,
            swap_acceptance: line.numbers("swap_acceptance", lanes - 1)?,
            windows: [windows[0], windows[1], windows[2]],
            round_trips: line.count("round_trips")?,
        })
    }
}
