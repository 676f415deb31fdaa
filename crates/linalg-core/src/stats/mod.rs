//! Error analysis of correlated data.
