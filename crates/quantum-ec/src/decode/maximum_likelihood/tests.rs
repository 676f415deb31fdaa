use linalg_core::Observer;
use linalg_core::gf2::{BinaryCsc, BitVec};
use spin_models::{LogPartition, Progress, TransferMatrix};

use super::*;
use crate::dem::Sampler;
use crate::sample::{CollectParams, Row, collect};
use linalg_core::Streams;

/// A solver that does not stand by its values where the first interaction has another sign.
#[derive(Debug, Clone)]
struct Doubtful;

struct DoubtfulPlan(Box<dyn LogPartitionPlan>);

impl LogPartition<InteractionModel> for Doubtful {
    fn ln_z_observed(
        &self,
        model: &InteractionModel,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<LnZ> {
        TransferMatrix::default().ln_z_observed(model, beta, observer)
    }
}

impl PrepareLogPartition<InteractionModel> for Doubtful {
    fn prepare(&self, model: &InteractionModel) -> spin_models::Result<Box<dyn LogPartitionPlan>> {
        Ok(Box::new(DoubtfulPlan(TransferMatrix::default().prepare(model)?)))
    }
}

impl LogPartitionPlan for DoubtfulPlan {
    fn n_interactions(&self) -> usize {
        self.0.n_interactions()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> spin_models::Result<LnZ> {
        let mut ln_z = self.0.ln_z_signed(flips, beta)?;
        ln_z.kind = Kind::Approximation { converged: !flips.get(0), residual: 1e-3 };
        Ok(ln_z)
    }

    fn set_weights(&mut self, weights: &[f64]) -> spin_models::Result<()> {
        self.0.set_weights(weights)
    }
}

/// Two bits, each seen by a detector of its own; nothing is summed over, nothing flips the sign of the other.
fn two_bits() -> DecodingProblem {
    let checks = BinaryCsc::from_columns(2, [[0], [1]]).unwrap();
    let observables = BinaryCsc::from_columns(1, [vec![], vec![0]]).unwrap();
    DecodingProblem::new(checks, observables, vec![0.125, 0.25]).unwrap()
}

#[test]
fn what_has_not_converged_is_said() {
    let coset = CosetModel::new(&two_bits()).unwrap();
    let mut decoder = MaximumLikelihood::new(Doubtful, coset.clone()).unwrap();
    let mut prediction = Prediction::new(1);
    for (syndrome, converged) in [(0b00, true), (0b01, false), (0b10, true), (0b11, false)] {
        decoder.decode_into(&[syndrome], &mut prediction).unwrap();
        assert_eq!(prediction.converged, converged, "{syndrome:02b}");
    }
    // Counted in batches, and in rows: the first bit is flipped in an eighth of the shots.
    let sampler = Sampler::new(&two_bits());
    let build = || -> Result<Box<dyn Decoder>> { Ok(Box::new(MaximumLikelihood::new(Doubtful, coset.clone())?)) };
    let params = CollectParams::default().max_shots(16 * 1024);
    let keep_all = |_: &Prediction| false;
    for discard in [None, Some(&keep_all as &(dyn Fn(&Prediction) -> bool + Sync))] {
        let mut row = Row::default();
        collect(&mut row, &sampler, &build, discard, &params, &Streams::new(5), &mut ()).unwrap();
        let (n, count) = (row.shots as f64, row.custom_counts["unconverged_shots"] as f64);
        assert!((count - 0.125 * n).abs() < 4.0 * (n * 0.125 * 0.875).sqrt(), "{count} of {n}");
        assert!(!row.custom_counts.contains_key("decoder_failures"));
    }
}
