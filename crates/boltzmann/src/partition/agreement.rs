//! Whether several values of ln Z can all be right.

use std::fmt;

use spin_models::{Kind, LnZ};

/// Two values of ln Z that cannot both be right.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// Names of the two, the one that should be smaller or equal first.
    pub names: [String; 2],
    /// How far they are apart on the wrong side, in nats.
    pub gap: f64,
    /// The gap over the standard error of the difference; infinite where neither is random.
    pub z: f64,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = &self.names;
        write!(f, "ln Z by {low} lies {:.4} above ln Z by {high}, {:.1} standard errors", self.gap, self.z)
    }
}

/// The pairs among named values of ln Z that disagree by more than `z` standard errors: two that each claim to be the value, or a lower
/// bound above a value or an upper bound. Approximations claim nothing and are left out; where nothing is random, 1e-9 of the larger value
/// is rounding.
///
/// Annealed importance sampling in both directions and Bennett's ratio agree when the chains have equilibrated; a disagreement means that
/// more temperatures are needed, whatever the errors say.
///
/// ```
/// use boltzmann::partition::disagreements;
/// use spin_models::{Kind, LnZ};
///
/// let estimate = |value| LnZ { value, std_error: Some(0.1), kind: Kind::Estimate };
/// let found = disagreements(&[("a", estimate(10.0)), ("b", estimate(11.0)), ("exact", LnZ::exact(10.1))], 4.0);
/// // 1/√0.02 = 7.1 and 0.9/0.1 = 9 errors.
/// assert_eq!(found.len(), 2);
/// assert_eq!(found[0].names, ["b", "a"]);
/// assert!((found[0].z - 1.0 / 0.02f64.sqrt()).abs() < 1e-9);
/// ```
pub fn disagreements(values: &[(&str, LnZ)], z: f64) -> Vec<Disagreement> {
    let mut out = Vec::new();
    // Whether a value is at most, and at least, the true one.
    let claims = |value: &LnZ| match value.kind {
        Kind::Exact | Kind::Estimate => [true, true],
        Kind::Lower => [true, false],
        Kind::Upper => [false, true],
        _ => [false, false],
    };
    // An estimate without an error may be anywhere; exact values and bounds without one are no random numbers.
    let error_of = |value: &LnZ| match value.kind {
        Kind::Estimate => value.std_error.unwrap_or(f64::INFINITY),
        _ => value.std_error.unwrap_or(0.0),
    };
    for (k, (one, a)) in values.iter().enumerate() {
        for (other, b) in &values[k + 1..] {
            // The larger of the two must not be one that claims to be at most the truth while the smaller claims to be at least that.
            let ((high_name, high), (low_name, low)) =
                if a.value >= b.value { ((one, a), (other, b)) } else { ((other, b), (one, a)) };
            if !(claims(high)[0] && claims(low)[1]) {
                continue;
            }
            let gap = high.value - low.value;
            let error = error_of(high).hypot(error_of(low));
            let rounding = 1e-9 * high.value.abs().max(low.value.abs()).max(1.0);
            if gap.is_nan() || gap > z * error + rounding {
                let names = [(*high_name).to_owned(), (*low_name).to_owned()];
                out.push(Disagreement { names, gap, z: if error > 0.0 { gap / error } else { f64::INFINITY } });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_values_that_contradict_each_other_are_named() {
        let value = |value, std_error, kind| LnZ { value, std_error, kind };
        let exact = LnZ::exact(5.0);
        let lower = |x| value(x, None, Kind::Lower);
        let upper = |x| value(x, None, Kind::Upper);
        let rough = value(9.0, None, Kind::Approximation { converged: true, residual: 0.0 });
        let count = |values: &[(&str, LnZ)]| disagreements(values, 3.0).len();
        assert_eq!(count(&[("exact", exact), ("lower", lower(4.0)), ("upper", upper(6.0)), ("tap", rough)]), 0);
        // Two lower bounds may lie anywhere below.
        assert_eq!(count(&[("one", lower(4.0)), ("other", lower(3.0))]), 0);
        assert_eq!(count(&[("exact", exact), ("lower", lower(5.1))]), 1);
        assert_eq!(count(&[("upper", upper(4.9)), ("exact", exact)]), 1);
        assert_eq!(count(&[("lower", lower(5.1)), ("upper", upper(5.0))]), 1);
        assert_eq!(count(&[("exact", exact), ("again", LnZ::exact(5.0 + 1e-12))]), 0);
        let estimate = |x, error| value(x, Some(error), Kind::Estimate);
        assert_eq!(count(&[("exact", exact), ("near", estimate(5.2, 0.1))]), 0);
        let found = disagreements(&[("exact", exact), ("far", estimate(4.0, 0.1))], 3.0);
        assert_eq!(found[0].to_string(), "ln Z by exact lies 1.0000 above ln Z by far, 10.0 standard errors");
        assert_eq!(count(&[("exact", exact), ("nan", estimate(f64::NAN, 0.1))]), 1);
    }

    #[test]
    fn what_has_no_error_known_disagrees_with_nothing() {
        use crate::partition::{AisRun, bennett};
        let run = |reverse: bool, ln_weight: f64| AisRun { ln_weights: vec![ln_weight], reverse };
        let one = bennett(&run(false, 0.0), &run(true, 10.0)).unwrap();
        assert_eq!(one.std_error, Some(f64::INFINITY));
        let unknown = LnZ { value: 5.0, std_error: None, kind: Kind::Estimate };
        assert!(disagreements(&[("one", one), ("unknown", unknown), ("exact", LnZ::exact(7.0))], 3.0).is_empty());
    }
}
