//! From moments to probabilities and their errors.

use super::moments::{FIT_BLOCKS, Fit};
use crate::dem::flatten::FlatInstruction;
use crate::dem::model::{DetectorErrorModel, Instruction, Target};
use crate::error::{Error, Result};

/// The probability of a mechanism, as far as detection events tell.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MechanismFit {
    /// The estimate, which noise can make negative; `None` where the data do not tell: a mechanism without detectors, of
    /// probability zero in the structure, or at detectors whose mean sign is not positive.
    pub probability: Option<f64>,
    /// One standard deviation, from leaving out one block of shots at a time; `None` without an estimate or with fewer than
    /// two blocks, 128 shots.
    pub error: Option<f64>,
    /// Mechanisms with the same detectors, this one included: they share one estimate.
    pub shared_by: usize,
}

/// What [`Fit::finish`] returns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ModelFit {
    /// One entry a mechanism of the structure, in its order.
    pub mechanisms: Vec<MechanismFit>,
    /// Number of shots.
    pub n_shots: u64,
}

impl Fit {
    /// The estimates from the shots added so far.
    pub fn finish(mut self) -> ModelFit {
        self.flush();
        let n_shots = self.n_shots();
        let totals: Vec<u64> = self.odd.chunks_exact(FIT_BLOCKS).map(|row| row.iter().sum()).collect();
        let angles = self.angles(n_shots, |set| totals[set]);
        let probability = |angle: f64| -0.5 * libm::expm1(-2.0 * angle);

        let blocks: Vec<usize> = (0..FIT_BLOCKS).filter(|&b| self.shots[b] > 0).collect();
        // Sums of differences to the full estimate keep their digits.
        let (mut sums, mut squares) = (vec![0.0; self.groups.len()], vec![0.0; self.groups.len()]);
        if blocks.len() > 1 {
            for &b in &blocks {
                let without = self.angles(n_shots - self.shots[b], |set| totals[set] - self.odd[set * FIT_BLOCKS + b]);
                for (group, (&angle, &full)) in without.iter().zip(&angles).enumerate() {
                    let difference = probability(angle) - probability(full);
                    sums[group] += difference;
                    squares[group] += difference * difference;
                }
            }
        }
        let n = blocks.len() as f64;
        // Two whole blocks: a few shots in the second one would count as much as all of the first.
        let enough = blocks.len() > 1 && n_shots >= 128;
        let error = |group: usize| {
            let variance = (n - 1.0) / n * (squares[group] - sums[group] * sums[group] / n);
            (enough && variance.is_finite()).then(|| variance.max(0.0).sqrt())
        };

        // Shares go by angles, which add up where probabilities do not.
        let rate = |p: f64| -0.5 * libm::log1p(-2.0 * p.min(0.499_999));
        let (mut rates, mut members) = (vec![0.0; self.groups.len()], vec![0; self.groups.len()]);
        for (group, &p) in self.group_of.iter().zip(&self.priors) {
            if let Some(group) = *group {
                rates[group] += rate(p);
                members[group] += 1;
            }
        }
        let mechanisms = self.group_of.iter().zip(&self.priors).map(|(group, &p)| {
            let Some(group) = *group else { return MechanismFit { probability: None, error: None, shared_by: 1 } };
            let share = if members[group] == 1 { 1.0 } else { rate(p) / rates[group] };
            let angle = angles[group];
            if !angle.is_finite() {
                return MechanismFit { probability: None, error: None, shared_by: members[group] };
            }
            // dp = e^{-2θ} dθ, for the share and for the whole.
            let slope = share * libm::exp(2.0 * angle * (1.0 - share));
            MechanismFit {
                probability: Some(probability(share * angle)),
                error: error(group).map(|e| e * slope),
                shared_by: members[group],
            }
        });
        ModelFit { mechanisms: mechanisms.collect(), n_shots }
    }

    /// θ of every group; NaN or infinite where a mean sign is not positive.
    fn angles(&self, n_shots: u64, odd: impl Fn(usize) -> u64) -> Vec<f64> {
        let half_log = |set: u32| {
            let x = 2.0 * odd(set as usize) as f64 / n_shots as f64;
            if x < 1.0 { -0.5 * libm::log1p(-x) } else { f64::NAN }
        };
        let mut angles: Vec<f64> = Vec::with_capacity(self.groups.len());
        for (group, subsets) in self.subsets.iter().enumerate() {
            let size = self.groups[group].len();
            let sum: f64 = subsets.iter().enumerate().fold(0.0, |sum, (k, &set)| {
                let sign = if (k + 1).count_ones() % 2 == 1 { 1.0 } else { -1.0 };
                sum + sign * half_log(set)
            });
            // Larger groups come first and are known.
            let more: f64 = self.above[group].iter().map(|&g| angles[g]).sum();
            angles.push(sum * libm::exp2(1.0 - size as f64) - more);
        }
        angles
    }
}

impl ModelFit {
    /// The structure, unrolled, with the probabilities found: estimates below zero become zero; mechanisms without an
    /// estimate keep theirs.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a structure of another number of mechanisms.
    pub fn apply(&self, structure: &DetectorErrorModel) -> Result<DetectorErrorModel> {
        structure.check_size("unrolling a detector error model")?;
        if structure.n_errors() != self.mechanisms.len() as u64 {
            let (got, expected) = (structure.n_errors() as usize, self.mechanisms.len());
            return Err(Error::WrongLength { what: "mechanisms of a structure", got, expected });
        }
        let mut fitted = self.mechanisms.iter();
        let mut model = DetectorErrorModel::new();
        for instruction in structure.flat_instructions() {
            model.push(match instruction {
                FlatInstruction::Error { probability, targets, shift, tag } => {
                    let found = fitted.next().and_then(|m| m.probability);
                    let shifted = targets.iter().map(|target| match *target {
                        Target::Detector(d) => Target::Detector(d + shift),
                        other => other,
                    });
                    Instruction::Error {
                        probability: found.map_or(probability, |p| p.clamp(0.0, 1.0)),
                        targets: shifted.collect(),
                        tag: tag.to_owned(),
                    }
                }
                FlatInstruction::Detector { coordinates, detector, tag } => {
                    Instruction::Detector { coordinates, detector, tag: tag.to_owned() }
                }
                FlatInstruction::LogicalObservable { observable, tag } => {
                    Instruction::LogicalObservable { observable, tag: tag.to_owned() }
                }
            })?;
        }
        Ok(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dem::Sampler;
    use crate::shots::Shots;
    use linalg_core::rand::RngExt;
    use linalg_core::rng::Streams;

    fn model(text: &str) -> DetectorErrorModel {
        text.parse().unwrap()
    }

    /// Every outcome of five detectors as often as the model says, times 2^40: the law itself for data.
    #[test]
    fn the_law_gives_the_probabilities_back() {
        let text = "error(0.125) D0 D1 D2 D3\nerror(0.0625) D0 D1 D2\nerror(0.25) D1 D2\nerror(0.125) D0 D1\n\
                    error(0.0625) D2\nerror(0.125) D3 D4\nerror(0.3125) D4\nerror(0.25) D0";
        let problem = model(text).to_problem().unwrap();
        let mut weights = [0.0; 32];
        weights[0] = 1.0;
        for (column, &p) in problem.checks().columns().zip(problem.priors()) {
            let mask: usize = column.iter().map(|&d| 1 << d).sum();
            let before = weights;
            for (state, w) in weights.iter_mut().enumerate() {
                *w = (1.0 - p) * before[state] + p * before[state ^ mask];
            }
        }
        let mut fit = Fit::new(&problem).unwrap();
        let counts: Vec<u64> = weights.iter().map(|w| libm::round(w * (1u64 << 40) as f64) as u64).collect();
        for (set, odd) in fit.sets().iter().zip(0..) {
            let mask: usize = set.iter().map(|&d| 1 << d).sum();
            let parity = |state: usize| (state & mask).count_ones() % 2 == 1;
            fit.odd[odd * FIT_BLOCKS] = (0..32).filter(|&state| parity(state)).map(|state| counts[state]).sum();
        }
        fit.shots[0] = counts.iter().sum();
        let found = fit.finish();
        for (m, p) in found.mechanisms.iter().zip(problem.priors()) {
            assert!((m.probability.unwrap() - p).abs() < 1e-10, "{m:?} {p}");
            assert_eq!(m.error, None);
        }
    }

    #[test]
    fn a_million_shots_recover_hyperedges() {
        let mut rng = Streams::new(12).stream(0);
        let mut text = String::new();
        let mut p = || 0.002 + 0.02 * rng.random::<f64>();
        for d in 0..8 {
            text += &format!("error({}) D{d}\nerror({}) D{d} D{}\n", p(), p(), d + 1);
        }
        for d in [0, 2, 5] {
            text += &format!("error({}) D{d} D{} D{} L0\n", p(), d + 1, d + 3);
            text += &format!("error({}) D{d} D{} D{} D{}\n", p(), d + 1, d + 2, d + 3);
        }
        let truth = model(&text);
        let problem = truth.to_problem().unwrap();
        let shots = Sampler::new(&problem).sample(1_000_000, &Streams::new(7)).detectors;
        let mut fit = Fit::new(&problem).unwrap();
        fit.add(shots.view().rows(0, 77_777));
        fit.add(shots.view().rows(77_777, 1_000_000));
        let found = fit.finish();
        assert_eq!((found.n_shots, found.mechanisms.len()), (1_000_000, 22));
        let z: Vec<f64> = (found.mechanisms.iter().zip(problem.priors()))
            .map(|(m, p)| (m.probability.unwrap() - p) / m.error.unwrap())
            .collect();
        let mean_square = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
        // 22 normal numbers: none beyond 3, mean square 1 ± 0.3 (one standard deviation).
        assert!(z.iter().all(|z| z.abs() < 3.0) && (0.3..2.0).contains(&mean_square), "{z:?}");
        // No error is far from that of counting one mechanism alone.
        for (m, p) in found.mechanisms.iter().zip(problem.priors()) {
            let counting = (p / 1e6).sqrt();
            assert!((0.9..8.0).contains(&(m.error.unwrap() / counting)), "{m:?}");
        }
        let fitted = found.apply(&truth).unwrap();
        let merged = fitted.to_problem().unwrap();
        assert_eq!((merged.checks(), merged.observables()), (problem.checks(), problem.observables()));
        assert_eq!(Some(merged.priors()[3]), found.mechanisms[3].probability);
    }

    #[test]
    fn what_data_do_not_tell() {
        let truth = model("error(0.1) D0 L0\nerror(0.1) D0\nerror(0.1) L0\nerror(0) D1\nerror(0.5) D1\nerror(0.3) D2");
        let problem = truth.to_problem().unwrap();
        let fit = Fit::new(&problem).unwrap();
        let empty = fit.clone().finish();
        assert!(empty.mechanisms.iter().all(|m| m.probability.is_none() && m.error.is_none()));
        assert_eq!(empty.apply(&truth).unwrap(), truth);
        // D0 in 18 of 100, D1 always, D2 never.
        let mut shots = Shots::zeros(100, 3);
        (0..100).for_each(|k| shots.set(k, 1, true));
        (0..18).for_each(|k| shots.set(3 * k, 0, true));
        let mut fit = fit;
        fit.add(shots.view());
        let found = fit.finish();
        let p: Vec<Option<f64>> = found.mechanisms.iter().map(|m| m.probability).collect();
        assert!((p[0].unwrap() - 0.1).abs() < 1e-12 && (p[1].unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(p[2..], [None, None, None, Some(0.0)]);
        // Two blocks, but not two whole ones.
        assert!(found.mechanisms.iter().all(|m| m.error.is_none()), "{found:?}");
        let with = |n: usize| {
            let mut fit = Fit::new(&problem).unwrap();
            fit.add(shots.view());
            fit.add(shots.view().rows(0, n - 100));
            fit.finish().mechanisms[0].error
        };
        assert!(with(127).is_none() && with(128).unwrap() > 0.0);
        assert_eq!(found.mechanisms.iter().map(|m| m.shared_by).collect::<Vec<_>>(), [2, 2, 1, 1, 1, 1]);
        let other = found.apply(&model("error(0.1) D0")).unwrap_err().to_string();
        assert_eq!(other, "mechanisms of a structure: 1 given, 6 expected");
        let wide: String = (0..11).map(|d| format!(" D{d}")).collect();
        let error = Fit::new(&model(&format!("error(0.1){wide}")).to_problem().unwrap()).unwrap_err().to_string();
        assert_eq!(
            error,
            "fitting a detector error model: number of detectors of a mechanism is 11, at most 10 is possible"
        );
    }
}
