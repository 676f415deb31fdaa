//! The chains of one lane.

/// What was measured at one temperature: own chains and those of other runs.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::mcmc) struct Chains<C> {
    /// A chain for every replica, or pair of them, that is measured here; one at least.
    pub measured: Vec<C>,
    /// Those of other runs.
    pub merged: Vec<C>,
}

impl<C> Chains<C> {
    pub fn new(first: C) -> Self {
        Self { measured: vec![first], merged: Vec::new() }
    }

    /// The own chain of this number, which may be the next one.
    ///
    /// # Panics
    /// If `number` is beyond the next one.
    #[inline]
    pub fn at(&mut self, number: usize, new: impl FnOnce() -> C) -> &mut C {
        let count = self.measured.len();
        assert!(number <= count, "chain {number} of a lane with {count}");
        if number == count {
            self.measured.push(new());
        }
        &mut self.measured[number]
    }

    pub fn iter(&self) -> impl Iterator<Item = &C> {
        self.measured.iter().chain(&self.merged)
    }
}
