//! Couplings from first and second moments in closed form.

use super::{Moments, Reconstruction, Samples};
use crate::Result;

/// Approximations that invert the relation between moments and couplings in closed form.
///
/// With the connected correlations C and their inverse K = C⁻¹, and p_i = 1 - m_i²:
///
/// ```math
/// \begin{aligned}
/// \text{naive} &: J_{ij} = -K_{ij} \\
/// \text{TAP} &: K_{ij} = -J_{ij} - 2 J_{ij}^2 m_i m_j \\
/// \text{Bethe} &: \tanh J_{ij} = -\frac{2K_{ij}}{b + \sqrt{b^2 - 4K_{ij}^2}}, \quad
///    b = \sqrt{1 + 4 p_i p_j K_{ij}^2} - 2 m_i m_j K_{ij} \\
/// \text{pair} &: J_{ij} = \tfrac14 \ln \frac{P_{++}P_{--}}{P_{+-}P_{-+}} \\
/// \text{Sessak-Monasson} &: J_{ij} = -K_{ij} + J^\text{pair}_{ij} - \frac{C_{ij}}{p_i p_j - C_{ij}^2}
/// \end{aligned}
/// ```
///
/// Naive mean field and TAP are right to first and second order in the couplings, Bethe is exact on trees, the independent
/// pair for two spins, Sessak-Monasson sums the loops and the pairs and takes off what both contain.
///
/// Cost: `N³` operations for the inverse.
///
/// ```
/// use spin_models::inverse::{MeanField, Moments};
///
/// // A chain of three spins with tanh J = 1/2: correlations multiply along it, and Bethe is exact.
/// let chain = Moments::new(&[0.0; 3], &[1.0, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 1.0])?;
/// let found = MeanField::Bethe.infer(&chain)?;
/// assert!((found.coupling(0, 1) - 0.5f64.atanh()).abs() < 1e-12 && found.coupling(0, 2).abs() < 1e-12);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// References: H. J. Kappen and F. B. Rodríguez, Neural Comput. 10, 1137 (1998); T. Tanaka, Phys. Rev. E 58, 2302 (1998);
/// V. Sessak and R. Monasson, J. Phys. A 42, 055001 (2009); F. Ricci-Tersenghi, J. Stat. Mech. P08015 (2012).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum MeanField {
    /// Linear response of naive mean field; fields `artanh m_i - Σ J_ij m_j`.
    Naive,
    /// Linear response of the Thouless-Anderson-Palmer equations; fields with Onsager's reaction term `+ m_i Σ J_ij² p_j`.
    Tap,
    /// Linear response of the Bethe approximation (susceptibility propagation); fields of its cavity equations.
    Bethe,
    /// The small-correlation expansion with loops and pairs summed; fields as for TAP.
    SessakMonasson,
    /// Every pair as if alone; fields are sums of what each pair adds.
    IndependentPair,
}

impl MeanField {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Naive, Self::Tap, Self::Bethe, Self::SessakMonasson, Self::IndependentPair];

    /// The name used in reports and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "nmf",
            Self::Tap => "tap",
            Self::Bethe => "bethe",
            Self::SessakMonasson => "sessak-monasson",
            Self::IndependentPair => "independent-pair",
        }
    }

    /// Couplings and fields from moments.
    ///
    /// Where an equation has no real solution (TAP and Bethe at strong correlations) the root is taken at the edge, where its
    /// argument is 0, and the pair is listed in [`unsolvable`](Reconstruction::unsolvable).
    ///
    /// # Errors
    /// [`Error::ConstantSpin`](crate::Error::ConstantSpin) and [`Error::PerfectCorrelation`](crate::Error::PerfectCorrelation)
    /// naming the spins; [`Error::Numerics`](crate::Error::Numerics) for a covariance that has no inverse, naming the spin;
    /// [`Error::Moment`](crate::Error::Moment) for a pair on the boundary of what is possible, where the independent pair and
    /// Sessak-Monasson diverge.
    pub fn infer(self, moments: &Moments) -> Result<Reconstruction> {
        moments.check()?;
        let n = moments.n_spins();
        let m = moments.magnetizations();
        let connected = moments.connected();
        let inverse = match self {
            Self::IndependentPair => Vec::new(),
            _ => moments.inverse_covariance()?,
        };
        let mut unsolvable = Vec::new();
        let mut couplings = vec![0.0; n * n];
        for i in 0..n {
            for j in i + 1..n {
                let (mm, pp) = (m[i] * m[j], (1.0 - m[i] * m[i]) * (1.0 - m[j] * m[j]));
                let (c, k) = (connected[i * n + j], inverse.get(i * n + j).copied().unwrap_or(0.0));
                let mut root = |x: f64| {
                    if x < 0.0 {
                        unsolvable.push((i, j));
                    }
                    x.max(0.0).sqrt()
                };
                let coupling = match self {
                    Self::Naive => -k,
                    Self::Tap => -2.0 * k / (1.0 + root(1.0 - 8.0 * mm * k)),
                    Self::Bethe => {
                        let b = (1.0 + 4.0 * pp * k * k).sqrt() - 2.0 * mm * k;
                        let root = root(if b < 0.0 { -1.0 } else { b * b - 4.0 * k * k });
                        // The edge of solvability is b = 2|K|.
                        let t = -2.0 * k / (b.max(2.0 * k.abs()) + root);
                        // |t| is 1 at the edge of solvability.
                        t.clamp(-LARGEST_TANH, LARGEST_TANH).atanh()
                    }
                    Self::SessakMonasson => -k + pair(moments, i, j)?.0 - c / (pp - c * c),
                    Self::IndependentPair => pair(moments, i, j)?.0,
                };
                couplings[i * n + j] = coupling;
                couplings[j * n + i] = coupling;
            }
        }
        let fields = (0..n).map(|i| self.field(moments, &couplings, i)).collect::<Result<_>>()?;
        let mut found = Reconstruction::new(self.name(), couplings, fields);
        found.unsolvable = unsolvable;
        Ok(found)
    }

    /// [`infer`](Self::infer) with the moments of samples, and their score.
    ///
    /// # Errors
    /// As `infer`; [`Error::TooFewSamples`](crate::Error::TooFewSamples) for fewer than N + 1 different samples where the
    /// covariance has to be inverted.
    pub fn reconstruct(self, samples: &Samples) -> Result<Reconstruction> {
        let merged = samples.merged();
        let moments = Moments::of_samples(&merged);
        moments.check()?;
        let needed = if self == Self::IndependentPair { 1 } else { samples.n_spins() + 1 };
        super::check_different_samples(self.name(), &merged, needed)?;
        self.infer(&moments)?.scored(&merged, 1)
    }

    fn field(self, moments: &Moments, couplings: &[f64], i: usize) -> Result<f64> {
        let n = moments.n_spins();
        let m = moments.magnetizations();
        let others = (0..n).filter(|&j| j != i).map(|j| (j, couplings[i * n + j]));
        let mean: f64 = others.clone().map(|(j, coupling)| coupling * m[j]).sum();
        Ok(match self {
            Self::Naive => m[i].atanh() - mean,
            Self::Tap | Self::SessakMonasson => {
                let reaction: f64 = others.map(|(j, coupling)| coupling * coupling * (1.0 - m[j] * m[j])).sum();
                m[i].atanh() - mean + m[i] * reaction
            }
            Self::Bethe => {
                // The bias on i from the magnetization that j has without i.
                let bias = |(j, coupling): (usize, f64)| {
                    let t = coupling.tanh();
                    let (a, b) = (m[j] - m[i] * t, m[i] - m[j] * t);
                    let square = (1.0 - t * t).powi(2) - 4.0 * t * a * b;
                    let cavity = 2.0 * a / (1.0 - t * t + square.max(0.0).sqrt());
                    (t * cavity).clamp(-LARGEST_TANH, LARGEST_TANH).atanh()
                };
                m[i].atanh() - others.map(bias).sum::<f64>()
            }
            Self::IndependentPair => {
                let alone = m[i].atanh();
                let mut field = alone;
                for (j, _) in others {
                    field += pair(moments, i, j)?.1 - alone;
                }
                field
            }
        })
    }
}

/// Largest hyperbolic tangent that leaves a finite coupling.
const LARGEST_TANH: f64 = 1.0 - f64::EPSILON;

/// Coupling of two spins that are alone with their moments, and the field on the first.
fn pair(moments: &Moments, i: usize, j: usize) -> Result<(f64, f64)> {
    let (m, c) = (moments.magnetizations(), moments.correlation(i, j));
    let ln_p = |si: f64, sj: f64| {
        let four = 1.0 + si * m[i] + sj * m[j] + si * sj * c;
        if four > 1e-12 {
            return Ok(four.ln());
        }
        Err(crate::Error::Moment {
            what: "probability of opposite or equal spins, times 4,",
            place: vec![i, j],
            value: four,
            expected: "a number > 0: a pair with a configuration that never occurs has an infinite coupling".to_owned(),
        })
    };
    let (pp, pm, mp, mm) = (ln_p(1.0, 1.0)?, ln_p(1.0, -1.0)?, ln_p(-1.0, 1.0)?, ln_p(-1.0, -1.0)?);
    Ok((0.25 * (pp + mm - pm - mp), 0.25 * (pp + pm - mp - mm)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::exact_samples;
    use super::*;
    use crate::models::Ising;

    fn largest_error(method: MeanField, model: &Ising) -> (f64, f64) {
        let moments = Moments::of_samples(&exact_samples(model));
        let comparison = method.infer(&moments).unwrap().compare(model).unwrap();
        (comparison.largest_error, comparison.field_error)
    }

    #[test]
    fn bethe_is_exact_on_trees() {
        let tree = Ising::builder(6)
            .couplings([(0, 1, 0.7), (1, 2, -0.4), (1, 3, 0.9), (3, 4, 0.3), (3, 5, -1.1)])
            .fields([0.3, -0.2, 0.1, 0.0, 0.5, -0.4])
            .build()
            .unwrap();
        let (couplings, fields) = largest_error(MeanField::Bethe, &tree);
        assert!(couplings < 1e-10 && fields < 1e-10, "{couplings} {fields}");
        assert!(largest_error(MeanField::Naive, &tree).0 > 0.05);
    }

    #[test]
    fn a_pair_is_exact_for_four_of_five() {
        let model = Ising::builder(2).coupling(0, 1, -0.8).fields([0.4, -0.3]).build().unwrap();
        for method in [MeanField::IndependentPair, MeanField::Bethe] {
            let (couplings, fields) = largest_error(method, &model);
            assert!(couplings < 1e-12 && fields < 1e-12, "{method:?} {couplings} {fields}");
        }
        // The loops of two spins are the pair once more.
        assert!(largest_error(MeanField::SessakMonasson, &model).0 < 1e-12);
        assert!(largest_error(MeanField::Naive, &model).0 > 0.1);
    }

    /// The order in the couplings to which a method is right: its error at β and at β/2.
    #[test]
    fn errors_fall_with_the_order_of_the_expansion() {
        let couplings = [(0, 1, 1.0), (1, 2, -0.7), (0, 2, 0.5), (2, 3, 0.9), (1, 3, 0.6), (0, 3, -0.8)];
        let model = |beta: f64| {
            let scaled = couplings.map(|(i, j, x)| (i, j, beta * x));
            Ising::builder(4).couplings(scaled).fields([0.4, -0.3, 0.5, 0.2]).build().unwrap()
        };
        // For the pair alone the loops are missing, of second order in the other couplings.
        for (method, order) in [
            (MeanField::Naive, 2.0),
            (MeanField::Tap, 3.0),
            (MeanField::Bethe, 3.0),
            (MeanField::SessakMonasson, 4.0),
            (MeanField::IndependentPair, 2.0),
        ] {
            let [coarse, fine] = [0.04, 0.02].map(|beta| largest_error(method, &model(beta)).0);
            let found = (coarse / fine).log2();
            assert!((found - order).abs() < 0.25, "{method:?}: order {found}");
        }
    }

    #[test]
    fn edges_are_reported() {
        // Strong frustrated correlations: TAP's square root turns imaginary.
        let strong =
            Ising::builder(3).couplings([(0, 1, 2.0), (1, 2, 2.0), (0, 2, -2.0)]).fields([0.5; 3]).build().unwrap();
        let moments = Moments::of_samples(&exact_samples(&strong));
        for method in MeanField::ALL {
            let found = method.infer(&moments).unwrap();
            assert!(found.couplings.iter().chain(&found.fields).all(|x| x.is_finite()), "{found:?}");
        }
        assert!(!MeanField::Tap.infer(&moments).unwrap().unsolvable.is_empty());
        // A configuration of a pair that never occurs.
        let edge = Moments::new(&[0.5, 0.5], &[1.0, 0.0, 0.0, 1.0]).unwrap();
        assert!(matches!(MeanField::IndependentPair.infer(&edge), Err(crate::Error::Moment { .. })));
        assert!(MeanField::Naive.infer(&edge).is_ok());
    }

    #[test]
    fn bethe_beyond_its_edge_has_the_sign_of_the_covariance() {
        // b = -0.94 for the first pair, whose inverse covariance is positive: the coupling is negative.
        let moments = Moments::new(&[0.9; 3], &[1.0, 0.922, 0.96, 0.922, 1.0, 0.96, 0.96, 0.96, 1.0]).unwrap();
        let [bethe, naive] = [MeanField::Bethe, MeanField::Naive].map(|method| method.infer(&moments).unwrap());
        assert!(naive.couplings[1] < 0.0 && bethe.couplings[1] < 0.0, "{} {}", naive.couplings[1], bethe.couplings[1]);
        assert!(bethe.unsolvable.contains(&(0, 1)));
    }
}
