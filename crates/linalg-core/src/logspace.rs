//! Sums of exponentials in log space.
