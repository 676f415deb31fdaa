//! Averages over a Markov chain.

/// Averages of energy and magnetization over one or many replicas.
#[derive(Debug, Clone)]
pub struct Observables {}
