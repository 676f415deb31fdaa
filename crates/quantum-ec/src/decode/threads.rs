//! Batches on several threads.

use std::thread;

use super::decoder::{BatchReport, Decoder};
use crate::error::Result;
use crate::shots::{ShotsMut, ShotsRef};

/// Decodes a batch with one decoder a thread, each taking consecutive rows. The predictions do not depend on the number of
/// decoders, as long as they decode the same problem.
///
/// # Errors
/// As [`Decoder::decode_batch`].
///
/// # Panics
/// If there is no decoder, or the tables do not fit the decoders.
pub fn decode_on_threads(
    decoders: &mut [Box<dyn Decoder>],
    shots: ShotsRef<'_>,
    out: ShotsMut<'_>,
) -> Result<BatchReport> {
    assert!(!decoders.is_empty(), "no decoder");
    assert_eq!(out.n_shots(), shots.n_shots(), "{} predictions for {} shots", out.n_shots(), shots.n_shots());
    let share = shots.n_shots().div_ceil(decoders.len()).max(1);
    let parts = thread::scope(|scope| {
        let mut rest = out;
        let mut workers = Vec::new();
        for (k, decoder) in decoders.iter_mut().enumerate() {
            let from = (k * share).min(shots.n_shots());
            let to = (from + share).min(shots.n_shots());
            let (mut rows, after) = rest.split_at(to - from);
            rest = after;
            let shots = shots.rows(from, to);
            workers.push((from, scope.spawn(move || decoder.decode_batch(shots, &mut rows))));
        }
        workers
            .into_iter()
            .map(|(from, worker)| (from, worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))))
            .collect::<Vec<_>>()
    });
    let mut total = BatchReport::default();
    for (from, report) in parts {
        let report = report?;
        total.decoded += report.decoded;
        total.unconverged += report.unconverged;
        total.failures.extend(report.failures.into_iter().map(|(shot, error)| (from + shot, error)));
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::DecoderChoice;
    use crate::problem::DecodingProblem;
    use crate::shots::Shots;
    use linalg_core::gf2::BinaryCsc;

    #[test]
    fn any_number_of_threads_gives_the_same() {
        // The third check repeats the sum of the first two, so that half of the syndromes are impossible.
        let checks = BinaryCsc::from_columns(3, [vec![0, 2], vec![0, 1], vec![1, 2]]).unwrap();
        let observables = BinaryCsc::from_columns(1, [vec![0], vec![], vec![]]).unwrap();
        let problem = DecodingProblem::new(checks, observables, vec![0.1; 3]).unwrap();
        let mut shots = Shots::new(3);
        (0..13).for_each(|k| shots.push(&[k % 8]));
        let run = |threads: usize| {
            let build = |_| DecoderChoice::Lookup.build(&problem).unwrap().decoder;
            let mut decoders: Vec<_> = (0..threads).map(build).collect();
            let mut out = Shots::zeros(13, 1);
            let report = decode_on_threads(&mut decoders, shots.view(), out.view_mut()).unwrap();
            (out, report.decoded, report.failures.iter().map(|(shot, _)| *shot).collect::<Vec<_>>())
        };
        let one = run(1);
        assert_eq!(one.2, [1, 2, 4, 7, 9, 10, 12]);
        for threads in [2, 3, 20] {
            assert_eq!(run(threads), one, "{threads} threads");
        }
    }
}
