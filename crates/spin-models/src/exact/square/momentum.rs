//! One momentum of a row, with derivatives by both couplings.

use super::jet::Jet;

/// Hyperbolic functions of both couplings, divided by `e^{2K + 2K'}` so that nothing overflows.
///
/// Both couplings are non-negative. Derivatives by K come first, then those by K'.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Couplings {
    /// K, along the transfer direction.
    pub along: f64,
    /// K', within the row.
    pub across: f64,
    sinh_along: f64,
    cosh_along: f64,
    sinh_across: f64,
    cosh_across: f64,
    /// `sinh 2K sinh 2K'`, `cosh 2K cosh 2K'` and 1.
    sinh_sinh: f64,
    cosh_cosh: f64,
    one: f64,
    /// `cosh 2K cosh 2K' - sinh 2K - sinh 2K'`: D at ω = 0.
    gap: Jet,
}

/// What a momentum contributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Momentum {
    /// `ln(√P + √D) = ½ ln(2 sinh 2K) + γ/2`.
    pub ln: Jet,
    /// `e^{-γ} = (√P - √D) / (√P + √D)`.
    pub decay: Jet,
    /// γ itself; infinite at K = 0.
    pub gamma: f64,
}

impl Couplings {
    pub fn new(along: f64, across: f64) -> Self {
        let half =
            |k: f64, sign: f64| if sign < 0.0 { -0.5 * (-4.0 * k).exp_m1() } else { 0.5 * (1.0 + (-4.0 * k).exp()) };
        let (s, c) = (half(along, -1.0), half(along, 1.0));
        let (s2, c2) = (half(across, -1.0), half(across, 1.0));
        let (e, e2) = ((-2.0 * along).exp(), (-2.0 * across).exp());
        let mut couplings = Self {
            along,
            across,
            sinh_along: s * e2,
            cosh_along: c * e2,
            sinh_across: s2 * e,
            cosh_across: c2 * e,
            sinh_sinh: s * s2,
            cosh_cosh: c * c2,
            one: e * e2,
            gap: Jet::default(),
        };
        // cosh cosh - sinh - sinh = (1 - sinh sinh)² / (cosh cosh + sinh + sinh), and so on: no cancellation but that
        // of the distance from the critical point itself.
        let distance = couplings.distance();
        let sum = couplings.sinh_sinh + couplings.one;
        couplings.gap = Jet {
            value: distance * distance / (couplings.cosh_cosh + couplings.sinh_along + couplings.sinh_across),
            first: [
                2.0 * distance * sum / (s * c2 + couplings.cosh_along),
                2.0 * distance * sum / (c * s2 + couplings.cosh_across),
            ],
            second: [
                4.0 * (couplings.cosh_cosh - couplings.sinh_along),
                4.0 * couplings.sinh_sinh,
                4.0 * (couplings.cosh_cosh - couplings.sinh_across),
            ],
        };
        couplings
    }

    /// `sinh 2K sinh 2K' - 1` in the scaled units: positive below the critical temperature.
    fn distance(&self) -> f64 {
        self.sinh_sinh - self.one
    }

    /// `1 - 1 / (sinh 2K sinh 2K')`: positive in the ordered phase, minus infinity without order in one direction.
    pub fn order(&self) -> f64 {
        self.distance() / self.sinh_sinh
    }

    /// Whether K' is 0 or so small beside a large K that chains of K alone are left, to all digits and more: D is then of the
    /// order of `e^{-4K}` in the scaled units, and its root leaves the range of `f64`.
    pub fn is_decoupled(&self) -> bool {
        self.across == 0.0 || self.sinh_sinh.max(self.one) < 1e-100
    }

    /// `ln coth K - 2K'`: what an excitation costs a step in the disordered phase, minus half of it in the ordered one.
    ///
    /// Near the transition from $`\sinh(\ln\coth K - 2K') = (1 - k^2) / (\sinh 2K (\cosh 2K' + \cosh 2K \sinh 2K'))`$
    /// with $`k = \sinh 2K \sinh 2K'`$, where nothing cancels but the distance from it.
    pub fn excitation(&self) -> f64 {
        let x = (-2.0 * self.along).exp();
        let difference = x.ln_1p() - (-(-2.0 * self.along).exp_m1()).ln() - 2.0 * self.across;
        if difference.abs() > 0.5 {
            return difference;
        }
        // All numbers may be as small as e^{-2K}, but for their ratios: products of two of them are not formed.
        let sinh = -0.5 * (-4.0 * self.along).exp_m1();
        let cosh = 0.5 * (1.0 + (-4.0 * self.along).exp());
        let sinh_across = -0.5 * (-4.0 * self.across).exp_m1();
        let denominator = self.cosh_across + cosh * sinh_across;
        if denominator == 0.0 {
            // A chain so cold that the cost of a wall is less than the smallest number.
            return 0.0;
        }
        let sum = (self.sinh_sinh + self.one) / (-2.0 * self.across).exp();
        (-(self.distance() / sinh) * (sum / denominator)).asinh()
    }

    /// ln of `sinh 2K sinh 2K'`, without cancellation near the transition.
    pub fn ln_modulus(&self) -> f64 {
        let ratio = self.distance() / self.one;
        if ratio.abs() < 0.5 { ratio.ln_1p() } else { self.sinh_sinh.ln() + 2.0 * (self.along + self.across) }
    }

    /// The momentum with this `sin²(ω/2)`; it must not be 0 at the critical point.
    pub fn momentum(&self, sin_squared: f64) -> Momentum {
        let x = 2.0 * sin_squared;
        let mut d = self.gap;
        d.value += x * self.sinh_across;
        d.first[1] += 2.0 * x * self.cosh_across;
        d.second[2] += 4.0 * x * self.sinh_across;
        let twice_sinh = Jet {
            value: 2.0 * self.sinh_along,
            first: [4.0 * self.cosh_along, 0.0],
            second: [8.0 * self.sinh_along, 0.0, 0.0],
        };
        let sum = (d + twice_sinh).sqrt() + d.sqrt();
        let mut ln = sum.ln();
        // The scale is not differentiated: it is a constant in all quotients.
        ln.value += self.along + self.across;
        let gamma = 2.0 * (d.value / twice_sinh.value).sqrt().asinh();
        Momentum { ln, decay: twice_sinh * (sum * sum).recip(), gamma }
    }
}
