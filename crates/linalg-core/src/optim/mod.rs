//! Minimisers over flat slices.
