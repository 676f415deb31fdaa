//! What can be read off the probabilities of classes.

use linalg_core::logspace::log_sum_exp;

use super::decoder::Prediction;

impl Prediction {
    /// ln of the probability of the syndrome, the sum over all classes; `None` without `ln_class`.
    pub fn ln_evidence(&self) -> Option<f64> {
        (!self.ln_class.is_empty()).then(|| log_sum_exp(&self.ln_class))
    }

    /// The complementary gap: how much more likely the best class is than all others together, as a difference of
    /// logarithms; negative if it has less than half of the probability. `None` without `ln_class`.
    ///
    /// A shot with a small gap may be discarded: the probability that the prediction is wrong is `1/(1 + e^gap)`, if the
    /// likelihoods are [converged](Prediction::converged).
    ///
    /// ```
    /// use quantum_ec::Prediction;
    ///
    /// let mut prediction = Prediction::new(1);
    /// prediction.ln_class = vec![0.08f64.ln(), 0.02f64.ln()];
    /// assert!((prediction.complementary_gap().unwrap() - 4f64.ln()).abs() < 1e-15);
    /// ```
    ///
    /// # References
    /// - C. Gidney, M. Newman, P. Brooks and C. Jones, arXiv:2312.04522, §3: gaps of matching decoders.
    pub fn complementary_gap(&self) -> Option<f64> {
        let best = self.best_class()?;
        let others: Vec<f64> =
            self.ln_class.iter().enumerate().filter(|&(class, _)| class != best).map(|(_, &ln)| ln).collect();
        Some(if others.is_empty() { f64::INFINITY } else { self.ln_class[best] - log_sum_exp(&others) })
    }

    /// The first of the most likely classes; `None` without `ln_class`.
    pub fn best_class(&self) -> Option<usize> {
        (!self.ln_class.is_empty()).then(|| crate::statmech::best(&self.ln_class))
    }

    /// The probability, given the syndrome, that each observable is flipped; `None` if neither this nor the classes
    /// were computed.
    ///
    /// ```
    /// use quantum_ec::Prediction;
    ///
    /// let mut prediction = Prediction::new(2);
    /// prediction.ln_class = [0.4f64, 0.3, 0.2, 0.1].map(f64::ln).to_vec();
    /// let marginals = prediction.marginals().unwrap();
    /// assert!((marginals[0] - 0.4).abs() < 1e-15 && (marginals[1] - 0.3).abs() < 1e-15);
    /// ```
    pub fn marginals(&self) -> Option<Vec<f64>> {
        let n = self.observables.len();
        if n > 0 && self.probabilities.len() == n {
            return Some(self.probabilities.clone());
        }
        let all = self.ln_evidence()?;
        Some(
            (0..n)
                .map(|i| {
                    let terms = self.ln_class.iter().enumerate().filter(|(class, _)| class >> i & 1 == 1);
                    terms.map(|(_, ln)| (ln - all).exp()).sum()
                })
                .collect(),
        )
    }
}
