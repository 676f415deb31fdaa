//! Interactions of more than two spins.

use std::collections::BTreeMap;

use linalg_core::threads;

use super::local::{Columns, Evaluation, Fit, Losses, Neighborhood, Settings, evaluate_losses, loss_hessian, minimize};
use super::{Loss, Moments, Penalty, Samples};
use crate::models::InteractionModel;
use crate::{Error, Result};

/// Largest number of products a spin may take part in.
const LARGEST: usize = 20_000;

/// Interaction screening for products of up to `order` spins: the law `P(s) ∝ exp(Σ_a J_a Π_{i∈a} s_i)`.
///
/// The loss of spin i is `⟨e^{-u}⟩` with `u = Σ_{a∋i} J_a Π_{j∈a} s_j`, convex in its parameters; pseudolikelihood works in the
/// same way. A product of k spins is fitted k times, by each of its spins, and gets the mean.
///
/// Products are packed to bits as spins are. Cost: `O(M F²)` for a Hessian of a spin with F products, of which there are about
/// `N^{k-1}/(k-1)!`.
///
/// ```
/// use spin_models::inverse::{HigherOrderParams, Samples};
///
/// // Three spins with a triangle term 0.4 s_0 s_1 s_2 and a pair term -0.3 s_0 s_1.
/// let weight = |k: usize| {
///     let s = [0, 1, 2].map(|i| 1.0 - 2.0 * ((k >> i) & 1) as f64);
///     (0.4 * s[0] * s[1] * s[2] - 0.3 * s[0] * s[1]).exp()
/// };
/// let samples = Samples::from_states(3, &(0..8).map(weight).collect::<Vec<_>>())?;
/// let found = HigherOrderParams::new(3).reconstruct(&samples)?;
/// assert_eq!(found.terms(0.1).iter().map(|term| &term.0[..]).collect::<Vec<_>>(), [&[0, 1][..], &[0, 1, 2]]);
/// assert!((found.terms(0.1)[1].1 - 0.4).abs() < 1e-6);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: M. Vuffray, S. Misra and A. Lokhov, "Efficient learning of discrete graphical models", NeurIPS (2020).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct HigherOrderParams {
    /// Spins in the largest product.
    pub order: usize,
    /// What is minimised; default interaction screening.
    pub loss: Loss,
    /// What is added to it, for all but the fields; default none.
    pub penalty: Penalty,
    /// Largest derivative that counts as 0; default 1e-7.
    pub tolerance: f64,
    /// Largest number of steps of a spin; default 200.
    pub max_iterations: usize,
    /// Threads, 0 for all; default 0.
    pub threads: usize,
}

impl HigherOrderParams {
    /// Products of up to `order` spins.
    pub fn new(order: usize) -> Self {
        let (loss, penalty) = (Loss::InteractionScreening, Penalty::None);
        Self { order, loss, penalty, tolerance: 1e-7, max_iterations: 200, threads: 0 }
    }

    /// Sets what is minimised.
    pub fn loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// Sets the penalty.
    pub fn penalty(mut self, penalty: Penalty) -> Self {
        self.penalty = penalty;
        self
    }

    /// Sets the tolerance of derivatives.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the number of threads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The parameters of all products.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an order of 0 or beyond the number of spins; [`Error::TooLarge`] for more than 20000 products
    /// of a spin; [`Error::ConstantSpin`]; without penalty [`Error::TooFewSamples`] for fewer different samples than products of
    /// a spin, and [`Error::Separable`].
    pub fn reconstruct(&self, samples: &Samples) -> Result<HigherOrderReconstruction> {
        const NAME: &str = "higher-order screening";
        let n = samples.n_spins();
        if self.order == 0 || self.order > n {
            let expected = "between 1 and the number of spins";
            return Err(Error::Parameter { what: "order", value: self.order.to_string(), expected });
        }
        super::check_positive("tolerance", self.tolerance)?;
        self.penalty.validate()?;
        let mut count = 1.0;
        let mut size = 1.0;
        for k in 1..self.order {
            size *= (n - k) as f64 / k as f64;
            count += size;
        }
        if count > LARGEST as f64 {
            let value = count as usize;
            return Err(Error::TooLarge { solver: NAME, what: "number of products of a spin", value, bound: LARGEST });
        }
        match Moments::of_samples(samples).check() {
            Err(Error::PerfectCorrelation { .. }) => {}
            other => other?,
        }
        let (l1, l2) = self.penalty.strengths(n, samples.effective_number());
        let columns = Columns::new(samples);
        if l1 <= 0.0 && l2 <= 0.0 {
            super::check_different(NAME, columns.n_samples, count as usize)?;
        }
        let settings = Settings { l1, l2, tolerance: self.tolerance, max_iterations: self.max_iterations };
        type Item = (usize, Vec<Vec<usize>>, Option<Fit>);
        let mut items: Vec<Item> = (0..n).map(|spin| (spin, products_of(n, spin, self.order), None)).collect();
        threads::for_each(threads::count(self.threads), &mut items, |(spin, products, fit)| {
            // The spin itself comes last and stands for its field.
            let own = products.len() - 1;
            let mut factors: Vec<Vec<usize>> =
                products.iter().map(|set| set.iter().copied().filter(|i| i != spin).collect()).collect();
            factors[own] = vec![*spin];
            let columns = columns.products(&factors);
            let neighborhood = Neighborhood { spin: own, variables: (0..=own).collect() };
            let spin = Spin { columns: &columns, loss: self.loss, neighborhood };
            *fit = minimize(&spin, vec![vec![0.0; own + 1]], settings).pop();
        });
        let mut sums: BTreeMap<(usize, Vec<usize>), Vec<f64>> = BTreeMap::new();
        let (mut iterations, mut residual, mut converged) = (0, 0.0f64, true);
        for (spin, products, fit) in items {
            let Some(fit) = fit else { continue };
            if fit.separable {
                return Err(Error::Separable { method: NAME, spin });
            }
            iterations = iterations.max(fit.iterations);
            residual = residual.max(fit.residual);
            converged &= fit.converged;
            for (set, x) in products.into_iter().zip(fit.point) {
                sums.entry((set.len(), set)).or_default().push(x);
            }
        }
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let spread = sums.values().map(|x| {
            let mean = mean(x);
            x.iter().fold(0.0f64, |s, x| s.max((x - mean).abs()))
        });
        Ok(HigherOrderReconstruction {
            n_spins: n,
            spread: spread.fold(0.0, f64::max),
            parameters: sums.iter().map(|((_, set), x)| (set.clone(), mean(x))).collect(),
            iterations,
            residual,
            converged,
        })
    }
}

/// Sets of up to `order` spins with `spin` among them, that of `spin` alone last.
fn products_of(n: usize, spin: usize, order: usize) -> Vec<Vec<usize>> {
    let mut sets = Vec::new();
    let mut layer: Vec<Vec<usize>> = vec![vec![]];
    for _ in 1..order {
        layer = layer
            .iter()
            .flat_map(|set| {
                let first = set.last().map_or(0, |last| last + 1);
                (first..n).filter(|&j| j != spin).map(|j| [&set[..], &[j]].concat())
            })
            .collect();
        sets.extend(layer.iter().map(|set| {
            let mut set = [&set[..], &[spin]].concat();
            set.sort_unstable();
            set
        }));
    }
    sets.push(vec![spin]);
    sets
}

/// One spin with its products.
struct Spin<'a> {
    columns: &'a Columns,
    loss: Loss,
    neighborhood: Neighborhood,
}

impl Losses for Spin<'_> {
    fn is_penalized(&self, _problem: usize, variable: usize) -> bool {
        variable != self.neighborhood.spin
    }

    fn evaluate(&self, requests: &[(usize, &[f64])]) -> Vec<Evaluation> {
        let problems: Vec<(&Neighborhood, &[f64])> =
            requests.iter().map(|&(_, point)| (&self.neighborhood, point)).collect();
        evaluate_losses(self.columns, self.loss, &problems)
    }

    fn hessian(&self, _problem: usize, point: &[f64], _effort: u32) -> Vec<f64> {
        loss_hessian::<f64>(self.columns, self.loss, &self.neighborhood, point, self.columns.n_samples)
    }

    fn full_effort(&self) -> u32 {
        0
    }
}

/// Parameters of products of spins.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct HigherOrderReconstruction {
    /// Number of spins.
    pub n_spins: usize,
    /// Sets with their parameters, smaller sets first.
    pub parameters: Vec<(Vec<usize>, f64)>,
    /// The largest difference between the fit of one spin and the mean over the spins of a product.
    pub spread: f64,
    /// The largest number of iterations of any spin.
    pub iterations: usize,
    /// The largest remaining derivative.
    pub residual: f64,
    /// Whether all are within the tolerance.
    pub converged: bool,
}

impl HigherOrderReconstruction {
    /// The sets with parameters larger than `threshold`, absolutely.
    pub fn terms(&self, threshold: f64) -> Vec<(Vec<usize>, f64)> {
        self.parameters.iter().filter(|term| term.1.abs() > threshold).cloned().collect()
    }

    /// The model with these terms; its law is that at β = 1.
    ///
    /// # Errors
    /// Those of building it.
    pub fn to_interactions(&self, threshold: f64) -> Result<InteractionModel> {
        InteractionModel::builder(self.n_spins).terms(self.terms(threshold)).build()
    }
}

#[cfg(test)]
mod tests {
    use super::super::exact;
    use super::*;

    #[test]
    fn interactions_of_four_spins_come_back() {
        let terms: [(&[usize], f64); 5] =
            [(&[0], 0.2), (&[1, 3], -0.5), (&[0, 2, 4], 0.6), (&[1, 2, 3, 5], -0.4), (&[5], 0.3)];
        let masks: Vec<u32> = terms.iter().map(|(set, _)| set.iter().map(|&i| 1u32 << i).sum()).collect();
        let (p, _) = exact::probabilities(6, &masks, &terms.map(|term| term.1));
        let samples = Samples::from_states(6, &p).unwrap();
        for loss in [Loss::InteractionScreening, Loss::PseudoLikelihood, Loss::LogInteractionScreening] {
            let found = HigherOrderParams::new(4).loss(loss).tolerance(1e-10).reconstruct(&samples).unwrap();
            assert!(found.converged && found.spread < 1e-6, "{loss:?} {} {}", found.residual, found.spread);
            let large = found.terms(1e-6);
            assert_eq!(large.len(), terms.len());
            for (set, x) in &large {
                let (_, truth) = terms.iter().find(|(known, _)| known == set).unwrap();
                approx::assert_abs_diff_eq!(*x, *truth, epsilon = 1e-6);
            }
            assert_eq!(found.to_interactions(1e-6).unwrap().n_terms(), 5);
        }
        // All products of up to four of six spins: 6 + 15 + 20 + 15.
        assert_eq!(HigherOrderParams::new(4).reconstruct(&samples).unwrap().parameters.len(), 56);
        let pairs = HigherOrderParams::new(2).reconstruct(&samples).unwrap();
        assert!(pairs.spread > 1e-5, "{}: a model that is too small is noticed", pairs.spread);
    }

    #[test]
    fn bad_orders_are_named() {
        let samples = Samples::from_states(3, &[1.0; 8]).unwrap();
        for order in [0, 4] {
            assert!(matches!(HigherOrderParams::new(order).reconstruct(&samples), Err(Error::Parameter { .. })));
        }
        let few = Samples::from_spins(3, &[1, 1, 1, -1, -1, -1]).unwrap();
        assert!(matches!(HigherOrderParams::new(3).reconstruct(&few), Err(Error::TooFewSamples { .. })));
        let wide = Samples::from_states(2, &[1.0; 4]).unwrap();
        assert!(HigherOrderParams::new(2).reconstruct(&wide).is_ok());
    }
}
