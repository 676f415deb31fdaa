//! Reading what checkpoints of simulations have in common.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader};

use super::Dynamics;
use crate::Result;
use crate::error::check_beta;

/// Opens a checkpoint, reads its state to the end and nothing less.
pub(super) fn read_state<T>(
    from: &Checkpoint,
    kind: &str,
    problem: u64,
    read: impl FnOnce(&mut Reader<'_>) -> std::result::Result<T, CheckpointError>,
) -> Result<T> {
    let read = || {
        let mut reader = from.open(kind, problem)?;
        let state = read(&mut reader)?;
        reader.finish()?;
        Ok(state)
    };
    read().map_err(|error: CheckpointError| linalg_core::Error::from(error).into())
}

/// Reads a temperature that a simulation may have.
pub(super) fn read_beta(reader: &mut Reader<'_>) -> std::result::Result<f64, CheckpointError> {
    let at = reader.position();
    let beta = reader.read_f64()?;
    check_beta(beta).map_err(|_| CheckpointError::Invalid { what: "beta", at })?;
    Ok(beta)
}

/// Reads a temperature, past dynamics that must be these, and the number of sweeps.
pub(super) fn read_progress(
    reader: &mut Reader<'_>,
    dynamics: Dynamics,
) -> std::result::Result<(f64, u64), CheckpointError> {
    let at = reader.position();
    let beta = read_beta(reader)?;
    if reader.read_bool()? != (dynamics == Dynamics::HeatBath) {
        return Err(CheckpointError::Invalid { what: "dynamics", at });
    }
    Ok((beta, reader.read_count()?))
}

/// Reads past a ladder of temperatures and an interval of exchanges that must be these.
pub(super) fn read_same_ladder(
    reader: &mut Reader<'_>,
    betas: &[f64],
    interval: u64,
) -> std::result::Result<(), CheckpointError> {
    let at = reader.position();
    let invalid = |what| CheckpointError::Invalid { what, at };
    let saved = reader.read_f64s()?;
    if saved.len() != betas.len() || saved.iter().zip(betas).any(|(a, b)| a.to_bits() != b.to_bits()) {
        return Err(invalid("ladder of temperatures"));
    }
    if reader.read_u64()? != interval {
        return Err(invalid("swap interval"));
    }
    Ok(())
}
