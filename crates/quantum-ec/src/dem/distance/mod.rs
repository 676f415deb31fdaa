//! Shortest undetectable errors that flip an observable.

mod graphlike;
mod information;
mod pairs;
mod projection;
mod search;

pub use graphlike::GraphlikeDistance;
pub use search::{LogicalErrorParams, LogicalErrorProgress, LogicalErrorSearch};

/// Errors that flip no detector together, and at least one observable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UndetectableError {
    /// What happens together, in the numbers of what was searched: components or mechanisms.
    pub members: Vec<usize>,
    /// Observables flipped, ascending; never empty.
    pub observables: Vec<usize>,
}

impl UndetectableError {
    /// The number of errors.
    pub fn weight(&self) -> usize {
        self.members.len()
    }
}

/// The sum of two ascending lists of bits.
fn xor(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while let (Some(&x), Some(&y)) = (a.get(i), b.get(j)) {
        if x != y {
            out.push(x.min(y));
        }
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    out.extend_from_slice(&a[i..]);
    out.extend_from_slice(&b[j..]);
    out
}
