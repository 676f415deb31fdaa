//! The action of a relativistic particle.

use crate::error::{Error, Result, all_finite};

/// $`-m\int\sqrt{(\dot X^0)^2 - |\dot{\mathbf X}|^2}\,d\lambda`$ of a polygon of events: $`-m`$ times its proper time.
///
/// It depends on the events only: neither their parametrisation nor an event inserted on a segment changes it, so that the knots
/// of a network are a gauge choice. `events` holds `1 + d` numbers each, time first.
///
/// ```
/// use path_integral_nn::relativistic_action;
///
/// // At rest for 2, then with v = 0.6 for 1: proper times 2 and 0.8.
/// let action = relativistic_action(1.5, &[0.0, 0.0, 2.0, 0.0, 3.0, 0.6], 1)?;
/// assert!((action + 1.5 * 2.8).abs() < 1e-14);
/// // One more event on the first segment.
/// let finer = relativistic_action(1.5, &[0.0, 0.0, 0.7, 0.0, 2.0, 0.0, 3.0, 0.6], 1)?;
/// assert!((finer - action).abs() < 1e-14);
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::NotAscending`] when time does not increase; [`Error::Parameter`] for a segment outside the light
/// cone or a mass that is not positive.
///
/// # Panics
/// When the number of values is not a multiple of `1 + d`.
pub fn relativistic_action(mass: f64, events: &[f64], d: usize) -> Result<f64> {
    crate::error::positive("mass", mass)?;
    all_finite("coordinate of events", events)?;
    assert!(events.len().is_multiple_of(d + 1), "{} numbers are not events of {}", events.len(), d + 1);
    let mut proper = 0.0;
    let rows: Vec<&[f64]> = events.chunks_exact(d + 1).collect();
    for (k, pair) in rows.windows(2).enumerate() {
        let time = pair[1][0] - pair[0][0];
        if time <= 0.0 {
            return Err(Error::NotAscending {
                what: "time of event",
                index: k + 1,
                previous: pair[0][0],
                value: pair[1][0],
            });
        }
        let square: f64 = pair[0][1..].iter().zip(&pair[1][1..]).map(|(a, b)| (b - a) * (b - a)).sum();
        let interval = time * time - square;
        if interval < 0.0 {
            let expected = "at least 0: move slower than light";
            return Err(Error::Parameter { what: "squared interval", value: interval, expected });
        }
        proper += interval.sqrt();
    }
    Ok(-mass * proper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_the_light_cone() {
        assert!(matches!(relativistic_action(1.0, &[0.0, 0.0, 1.0, 1.1], 1), Err(Error::Parameter { .. })));
        assert!(matches!(relativistic_action(1.0, &[0.0, 0.0, 0.0, 0.0], 1), Err(Error::NotAscending { .. })));
        assert!(relativistic_action(-1.0, &[0.0, 0.0, 1.0, 0.0], 1).is_err());
        // Boosts leave it alone.
        let (c, s) = (0.7f64.cosh(), 0.7f64.sinh());
        let events = [0.0, 0.0, 1.0, 0.3, 2.5, -0.4];
        let boosted: Vec<f64> = events.chunks(2).flat_map(|e| [c * e[0] + s * e[1], s * e[0] + c * e[1]]).collect();
        let [a, b] = [&events[..], &boosted[..]].map(|e| relativistic_action(1.0, e, 1).unwrap());
        assert!((a - b).abs() < 1e-14);
    }
}
