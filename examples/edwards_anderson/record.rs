//! Samples as lines of JSON.

use serde_json::Value;
use spin_models::mcmc::OverlapMoments;
use workspace_examples::units::{UnitLog, line_of_unit};

use super::engine::{Plan, Sample};
use super::{Args, Failure};

/// The file of finished samples.
pub struct Log {
    log: UnitLog,
    plan: Plan,
}

fn task(size: usize) -> String {
    format!("edwards_anderson L={size}")
}

impl Log {
    /// Opens the file of `--out`, with what is in it on `--resume`.
    pub fn open(args: &Args, plan: &Plan) -> Result<Self, Failure> {
        Ok(Self { log: UnitLog::open(args.out.as_deref(), args.resume)?, plan: plan.clone() })
    }

    /// A sample that the file holds.
    pub fn take(&self, size: usize, number: u64) -> Result<Option<Sample>, Failure> {
        let Some((line, place)) = self.log.get(&task(size), number) else { return Ok(None) };
        let named = |error: Failure| Failure::from(format!("{place}: {error}"));
        let sample = read(&line.text, &self.plan).map_err(named)?;
        line.check_problem(self.plan.problem(size)).map_err(|error| named(error.into()))?;
        Ok(Some(sample))
    }

    /// Writes a sample through to the file.
    pub fn write(&mut self, sample: &Sample) -> std::io::Result<()> {
        let column = |pick: fn(&OverlapMoments) -> f64| sample.moments.iter().map(pick).collect::<Vec<f64>>();
        let line = line_of_unit(&task(sample.size), self.plan.problem(sample.size), sample.number)
            .count("size", sample.size as u64)
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
            .count("round_trips", sample.round_trips);
        self.log.write(line.finish())
    }
}

/// A sample of the same run from its line.
fn read(line: &str, plan: &Plan) -> Result<Sample, Failure> {
    let value: Value = serde_json::from_str(line)?;
    let count = |key: &str| value[key].as_u64().ok_or_else(|| format!("{key} is {}, expected a count", value[key]));
    // From the text: the general parser rounds the last digit of some numbers otherwise than Rust does.
    let list = |key: &str, len: usize| -> Result<Vec<f64>, Failure> {
        let start = format!("\"{key}\":[");
        let items = line.split_once(&start).and_then(|(_, rest)| rest.split_once(']')).map(|(items, _)| items);
        let items: Vec<&str> = items.ok_or_else(|| format!("{key} is missing"))?.split(',').collect();
        if items.len() != len {
            return Err(format!("{key} has {} numbers, expected {len}", items.len()).into());
        }
        let number = |item: &&str| item.parse().map_err(|_| format!("{item} in {key}, expected a number").into());
        items.iter().map(number).collect()
    };
    for (key, expected) in [("seed", plan.seed), ("sweeps", plan.sweeps)] {
        let found = count(key)?;
        if found != expected {
            return Err(format!("{key} is {found}, that of this run {expected}").into());
        }
    }
    let lanes = plan.ladder.len();
    let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits();
    if !list("betas", lanes)?.iter().zip(plan.ladder.betas()).all(same) {
        return Err("other temperatures than those of this run".into());
    }
    let columns = ["abs_q", "q2", "q4", "q_link", "q2_k"].map(|key| list(key, lanes));
    let [abs_q, q2, q4, link, q2_k] = columns;
    let (abs_q, q2, q4, link, q2_k) = (abs_q?, q2?, q4?, link?, q2_k?);
    let moments = (0..lanes).map(|k| OverlapMoments {
        abs_q: abs_q[k],
        q2: q2[k],
        q4: q4[k],
        link: Some(link[k]),
        q2_k: Some(q2_k[k]),
    });
    let windows = list("q2_windows", 3)?;
    Ok(Sample {
        size: count("size")? as usize,
        number: count("unit")?,
        moments: moments.collect(),
        energy_per_bond: list("energy_per_bond", lanes)?,
        swap_acceptance: list("swap_acceptance", lanes - 1)?,
        windows: [windows[0], windows[1], windows[2]],
        round_trips: count("round_trips")?,
    })
}
