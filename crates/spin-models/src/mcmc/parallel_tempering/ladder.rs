//! Sets of temperatures.

use linalg_core::special::normal_quantile;

use crate::error::check_beta;
use crate::{Error, Result};

/// Least part of an interval's weight, relative to equal parts, when a ladder is redistributed: noise in the measured
/// numbers cannot make temperatures coincide.
const LEAST_WEIGHT: f64 = 1e-3;

/// Inverse temperatures in increasing order: the hottest first.
///
/// ```
/// use spin_models::mcmc::Ladder;
///
/// let ladder = Ladder::geometric(0.25, 4.0, 5)?;
/// assert_eq!(ladder.betas(), [0.25, 0.5, 1.0, 2.0, 4.0]);
/// assert!(Ladder::new(vec![1.0, 0.5]).is_err());
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ladder {
    betas: Vec<f64>,
}

impl Ladder {
    /// A ladder of these inverse temperatures.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no temperature, or for one that is not above the one before it, with its position;
    /// [`Error::Beta`] for one that is not finite or negative.
    pub fn new(betas: Vec<f64>) -> Result<Self> {
        if betas.is_empty() {
            return Err(Error::Parameter {
                what: "temperature ladder",
                value: "empty".into(),
                expected: "at least one inverse temperature",
            });
        }
        betas.iter().try_for_each(|&beta| check_beta(beta))?;
        if let Some(k) = betas.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(Error::Parameter {
                what: "temperature ladder",
                value: format!("{} at position {} after {}", betas[k + 1], k + 1, betas[k]),
                expected: "inverse temperatures in increasing order",
            });
        }
        Ok(Self { betas })
    }

    /// `n` inverse temperatures at equal distances from `first` to `last`, both included; `first` alone for `n = 1`.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn linear(first: f64, last: f64, n: usize) -> Result<Self> {
        Self::interpolated(first, last, n, |t| first + t * (last - first))
    }

    /// `n` inverse temperatures at equal ratios from `first` to `last`, both included; `first` alone for `n = 1`.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and [`Error::Parameter`] when `first` is not positive.
    pub fn geometric(first: f64, last: f64, n: usize) -> Result<Self> {
        check_beta(first)?;
        if first <= 0.0 {
            return Err(Error::Parameter {
                what: "first inverse temperature of a geometric ladder",
                value: first.to_string(),
                expected: "a number > 0",
            });
        }
        Self::interpolated(first, last, n, |t| first * (last / first).powf(t))
    }

    fn interpolated(first: f64, last: f64, n: usize, at: impl Fn(f64) -> f64) -> Result<Self> {
        check_beta(first)?;
        check_beta(last)?;
        let betas = (0..n).map(|k| match k {
            0 => first,
            _ if k + 1 == n => last,
            _ => at(k as f64 / (n - 1) as f64),
        });
        Self::new(betas.collect())
    }

    /// The inverse temperatures.
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.betas.len()
    }

    /// Never true: a ladder has at least one temperature.
    pub fn is_empty(&self) -> bool {
        self.betas.is_empty()
    }

    /// As many temperatures between the same ends, such that all exchanges between neighbours become equally likely.
    ///
    /// `acceptances`: the measured acceptance of each pair of neighbours. For Gaussian energies of standard deviation
    /// σ the acceptance over an interval is $`A = \mathrm{erfc}(σΔβ/2)`$; so the distances
    /// $`d = \mathrm{erfc}^{-1}(A)`$ add up, and the new temperatures cut their sum into equal parts, linearly within
    /// the old intervals. Repeat it with a new measurement until nothing changes.
    ///
    /// Reference: Predescu, Predescu and Ciobanu, J. Chem. Phys. 120, 4119 (2004); Kofke, J. Chem. Phys. 117, 6911
    /// (2002).
    ///
    /// ```
    /// use linalg_core::special::erfc;
    /// use spin_models::mcmc::Ladder;
    ///
    /// // σ = 2: acceptances erfc(Δβ) over intervals of 0.2 and 0.6.
    /// let ladder = Ladder::new(vec![0.0, 0.2, 0.8])?.equalized(&[erfc(0.2), erfc(0.6)])?;
    /// assert!((ladder.betas()[1] - 0.4).abs() < 1e-12);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there is an acceptance for each pair of neighbours, [`Error::Parameter`] for one
    /// outside 0..=1.
    pub fn equalized(&self, acceptances: &[f64]) -> Result<Self> {
        self.check_parts("acceptances", acceptances, self.len() - 1)?;
        // erfc⁻¹(A) = -Φ⁻¹(A/2)/√2; an exchange that was never seen is taken as one in 10⁹.
        let distance = |a: &f64| -normal_quantile(0.5 * a.max(1e-9));
        Ok(self.redistributed(acceptances.iter().map(distance).collect()))
    }

    /// As many temperatures between the same ends, such that replicas diffuse between the ends as fast as they can.
    ///
    /// `flow`: for each temperature the fraction of replicas that visited the hottest end more recently than the
    /// coldest, see [`flow`](super::ParallelTempering::flow). The new density of temperatures is
    ///
    /// ```math
    /// η(β) ∝ \sqrt{\frac{1}{Δβ} \frac{|Δf|}{Δβ}}
    /// ```
    ///
    /// so that they gather where the flow is held up. The flow is made monotonous before its differences are taken.
    /// It needs many round trips to be meaningful; change the ladder and measure again, longer each time. It assumes
    /// that replicas diffuse. Where nearly all exchanges are accepted they run straight through in even and odd rounds,
    /// the flow between the ends is 1/2 and says nothing: [`equalized`](Self::equalized) is then the better choice.
    ///
    /// Reference: Katzgraber, Trebst, Huse and Troyer, J. Stat. Mech. (2006) P03018.
    ///
    /// ```
    /// use spin_models::mcmc::Ladder;
    ///
    /// // The flow drops in the second interval four times as much as in the first: weights 1 : 2.
    /// let ladder = Ladder::new(vec![0.0, 1.0, 2.0])?.fed_back(&[1.0, 0.8, 0.0])?;
    /// assert!((ladder.betas()[1] - 1.25).abs() < 1e-12);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there is a fraction for each temperature, [`Error::Parameter`] for one outside
    /// 0..=1.
    pub fn fed_back(&self, flow: &[f64]) -> Result<Self> {
        self.check_parts("flow", flow, self.len())?;
        let flow = decreasing(flow);
        Ok(self.redistributed(flow.windows(2).map(|pair| (pair[0] - pair[1]).sqrt()).collect()))
    }

    fn check_parts(&self, what: &'static str, values: &[f64], expected: usize) -> Result<()> {
        if values.len() != expected {
            return Err(Error::WrongLength { what, got: values.len(), expected });
        }
        match values.iter().position(|x| !(0.0..=1.0).contains(x)) {
            None => Ok(()),
            Some(k) => Err(Error::Parameter {
                what,
                value: format!("{} at position {k}", values[k]),
                expected: "a number from 0 to 1",
            }),
        }
    }

    /// Cuts the sum of the weights of the intervals into equal parts.
    fn redistributed(&self, mut weights: Vec<f64>) -> Self {
        let n = self.len();
        let least = LEAST_WEIGHT * weights.iter().sum::<f64>() / n as f64;
        // All weights 0: keep the ladder.
        weights.iter_mut().for_each(|w| *w = if least > 0.0 { w.max(least) } else { 1.0 });
        let part = weights.iter().sum::<f64>() / (n.max(2) - 1) as f64;
        let mut betas = self.betas.clone();
        let (mut interval, mut passed) = (0, 0.0);
        for (k, beta) in betas.iter_mut().enumerate().take(n - 1).skip(1) {
            let wanted = part * k as f64;
            while interval + 1 < weights.len() && passed + weights[interval] < wanted {
                passed += weights[interval];
                interval += 1;
            }
            let within = ((wanted - passed) / weights[interval]).clamp(0.0, 1.0);
            *beta = self.betas[interval] + within * (self.betas[interval + 1] - self.betas[interval]);
        }
        // In the rounding of very close temperatures two may coincide; the old ladder is then as good.
        Self::new(betas).unwrap_or_else(|_| self.clone())
    }
}

/// The closest decreasing sequence in the mean square (pool adjacent violators).
fn decreasing(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for &value in values {
        pools.push((value, 1));
        while let [.., (a, n), (b, m)] = pools[..]
            && a < b
        {
            pools.truncate(pools.len() - 2);
            pools.push(((a * n as f64 + b * m as f64) / (n + m) as f64, n + m));
        }
    }
    pools.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean, count)).collect()
}

#[cfg(test)]
mod tests {
    use linalg_core::special::erfc;

    use super::*;

    #[test]
    fn ends_are_exact_and_bad_ladders_refused() {
        let ladder = Ladder::geometric(0.3, 1.7, 9).unwrap();
        assert_eq!((ladder.betas()[0].to_bits(), ladder.betas()[8].to_bits()), (0.3f64.to_bits(), 1.7f64.to_bits()));
        assert_eq!(Ladder::linear(0.0, 1.0, 1).unwrap().len(), 1);
        let refuse = |betas: &[f64]| Ladder::new(betas.to_vec()).unwrap_err().to_string();
        assert_eq!(refuse(&[]), "temperature ladder is empty, expected at least one inverse temperature");
        assert!(refuse(&[0.1, 0.3, 0.3]).starts_with("temperature ladder is 0.3 at position 2 after 0.3"));
        assert_eq!(refuse(&[0.1, f64::NAN]), "beta is NaN, expected a finite number >= 0");
        assert!(Ladder::linear(1.0, 0.5, 3).is_err());
        assert!(Ladder::linear(0.5, f64::INFINITY, 3).is_err());
        assert!(Ladder::linear(0.5, 1.0, 0).is_err());
        assert!(Ladder::geometric(0.0, 1.0, 3).is_err());
    }

    /// Energies whose width changes along β: iterated, the acceptances become equal.
    #[test]
    fn equal_acceptances_are_a_fixed_point() {
        let sigma = |beta: f64| 3.0 / (0.3 + beta);
        let acceptances = |ladder: &Ladder| -> Vec<f64> {
            ladder.betas().windows(2).map(|b| erfc(sigma(0.5 * (b[0] + b[1])) * (b[1] - b[0]) / 2.0)).collect()
        };
        let mut ladder = Ladder::linear(0.1, 3.0, 12).unwrap();
        for _ in 0..20 {
            ladder = ladder.equalized(&acceptances(&ladder)).unwrap();
        }
        let a = acceptances(&ladder);
        let (low, high) = a.iter().fold((1.0f64, 0.0f64), |(low, high), &x| (low.min(x), high.max(x)));
        assert!(high - low < 1e-3, "{a:?}");
        assert_eq!((ladder.betas()[0].to_bits(), ladder.betas()[11].to_bits()), (0.1f64.to_bits(), 3.0f64.to_bits()));
    }

    #[test]
    fn extreme_measurements_leave_a_ladder() {
        let ladder = Ladder::linear(0.1, 1.0, 5).unwrap();
        for acceptances in [[0.0; 4], [1.0; 4], [1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]] {
            let new = ladder.equalized(&acceptances).unwrap();
            assert!(new.betas().windows(2).all(|b| b[0] < b[1]), "{new:?}");
        }
        for flow in [[1.0, 1.0, 1.0, 1.0, 1.0], [0.0, 0.2, 0.4, 0.6, 1.0], [1.0, 0.0, 1.0, 0.0, 1.0]] {
            let new = ladder.fed_back(&flow).unwrap();
            assert!(new.betas().windows(2).all(|b| b[0] < b[1]), "{new:?}");
        }
        // A flow linear in the position is what the optimum has.
        let same = ladder.fed_back(&[1.0, 0.75, 0.5, 0.25, 0.0]).unwrap();
        for (a, b) in same.betas().iter().zip(ladder.betas()) {
            approx::assert_abs_diff_eq!(*a, *b, epsilon = 1e-12);
        }
        assert!(matches!(ladder.equalized(&[0.5; 3]), Err(Error::WrongLength { got: 3, expected: 4, .. })));
        assert!(matches!(ladder.equalized(&[0.5, f64::NAN, 0.5, 0.5]), Err(Error::Parameter { .. })));
        assert!(matches!(ladder.fed_back(&[0.5; 4]), Err(Error::WrongLength { .. })));
        for n in [1, 2] {
            let short = Ladder::linear(0.1, 1.0, n).unwrap();
            assert_eq!(short.equalized(&vec![0.3; n - 1]).unwrap(), short);
            assert_eq!(short.fed_back(&vec![0.3; n]).unwrap(), short);
        }
    }

    #[test]
    fn pooling_gives_means() {
        assert_eq!(decreasing(&[1.0, 0.25, 0.75, 0.0]), [1.0, 0.5, 0.5, 0.0]);
        assert_eq!(decreasing(&[0.0, 0.5, 1.0]), [0.5; 3]);
    }
}
