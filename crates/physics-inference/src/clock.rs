//! A clock for tests that measure.

use std::time::Instant;

/// Seconds of this thread on a processor, where the system tells; else of the clock. Other people's load does not count.
/// In steps of some milliseconds.
pub(crate) fn processor_seconds() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = stat.and_then(|s| s.split_whitespace().next().and_then(|x| x.parse::<f64>().ok()));
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |ns| 1e-9 * ns)
}
