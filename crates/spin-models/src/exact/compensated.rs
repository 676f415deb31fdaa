//! Sums that carry their rounding error along.

/// A running sum with the part that rounding took away (Neumaier's form of Kahan's sum).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    /// Adds a term.
    pub fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        let part = sum - self.sum;
        self.lost += (self.sum - (sum - part)) + (x - part);
        self.sum = sum;
    }

    /// The sum so far.
    pub fn value(self) -> f64 {
        self.sum + self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::Compensated;

    #[test]
    fn small_terms_survive_large_ones() {
        let mut sum = Compensated::default();
        for x in [1e16, 1.0, -1e16, 0.25, 1e100, -1e100] {
            sum.add(x);
        }
        approx::assert_abs_diff_eq!(sum.value(), 1.25, epsilon = 0.0);
    }
}
