//! Asking for memory before it is needed.

use super::simd::Block;
use crate::{Error, Result};

/// Refuses work that needs more memory than there is.
///
/// # Errors
/// [`Error::TooLarge`] with both numbers.
pub(in crate::mcmc) fn check(solver: &'static str, bytes: u128) -> Result<()> {
    let bound = available().unwrap_or(usize::MAX as u64 / 2) as usize;
    let value = usize::try_from(bytes).unwrap_or(usize::MAX);
    if value > bound {
        return Err(Error::TooLarge { solver, what: "memory in bytes", value, bound });
    }
    Ok(())
}

/// Zeros, if the allocator has them.
pub(in crate::mcmc) fn blocks(solver: &'static str, n: usize) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let value = n.saturating_mul(size_of::<Block>());
    blocks.try_reserve_exact(n).map_err(|_| Error::TooLarge {
        solver,
        what: "memory in bytes",
        value,
        bound: available().map_or(value - 1, |bound| bound as usize),
    })?;
    blocks.resize(n, Block::ZERO);
    Ok(blocks)
}

/// Bytes that can be had without swapping, where the system tells.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
