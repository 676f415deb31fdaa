//! The distribution of largest entropy with given averages.

use super::dual::{Dual, fisher_factor};
use super::{Moments, Reconstruction, Samples, exact};
use crate::models::InteractionModel;
use crate::{Error, Result};

/// Name in errors.
const NAME: &str = "maximum entropy";
/// Newton's method is used up to this many statistics.
const NEWTON: usize = 2000;

/// The statistics of a maximum-entropy model: products of spins over these sets.
///
/// The model is `P(s) = e^{Σ_a λ_a f_a(s)} / Z` with `f_a = Π_{i∈a} s_i`, and λ is the minimum of the convex dual
/// `ln Z(λ) - Σ λ_a ⟨f_a⟩_data`, whose value there is the entropy. Its derivatives are exact: a Walsh-Hadamard transform gives
/// all moments at once, those of products of statistics among them, so that Newton's method costs `n 2^n` an iteration and the
/// solution of its equations. At most 25 spins.
///
/// ```
/// use spin_models::inverse::{MaximumEntropy, Samples};
///
/// // A biased pair: with both means alone the spins are independent.
/// let samples = Samples::from_states(2, &[0.5, 0.25, 0.25, 0.0])?;
/// let model = MaximumEntropy::fields(2)?.fit(&samples)?;
/// let h = -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
/// assert!((model.entropy - 2.0 * h).abs() < 1e-9);
/// assert!((model.parameters[0] - 0.5f64.atanh()).abs() < 1e-9);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: E. T. Jaynes, Phys. Rev. 106, 620 (1957); E. Schneidman, S. Still, M. J. Berry and W. Bialek, Phys. Rev. Lett.
/// 91, 238701 (2003).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MaximumEntropy {
    n_spins: usize,
    sets: Vec<Vec<usize>>,
    tolerance: f64,
    max_iterations: usize,
}

impl MaximumEntropy {
    /// Products over these sets of spins.
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::TooLarge`] for more than 25 spins; [`Error::SiteOutOfBounds`]; [`Error::Duplicate`] for a
    /// set given twice; [`Error::Parameter`] for an empty set or one with a spin twice.
    pub fn new(n_spins: usize, sets: impl IntoIterator<Item = Vec<usize>>) -> Result<Self> {
        if n_spins == 0 {
            return Err(Error::NoSpins);
        }
        exact::check_size(NAME, n_spins)?;
        let mut sets: Vec<Vec<usize>> = sets.into_iter().collect();
        let mut seen = std::collections::HashMap::new();
        for (entry, set) in sets.iter_mut().enumerate() {
            if let Some(&site) = set.iter().find(|&&site| site >= n_spins) {
                return Err(Error::SiteOutOfBounds { what: "statistic", entry, site, n_spins });
            }
            set.sort_unstable();
            if set.is_empty() || set.windows(2).any(|pair| pair[0] == pair[1]) {
                let value = format!("{set:?} as number {entry}");
                return Err(Error::Parameter {
                    what: "statistic",
                    value,
                    expected: "a set of one or more different spins",
                });
            }
            if let Some(first) = seen.insert(set.clone(), entry) {
                return Err(Error::Duplicate { what: "statistic", entry, first, sites: set.clone() });
            }
        }
        Ok(Self { n_spins, sets, tolerance: 1e-10, max_iterations: 200 })
    }

    /// The means of all spins: the model of independent spins.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn fields(n_spins: usize) -> Result<Self> {
        Self::up_to(n_spins, 1)
    }

    /// Means and pair correlations: the Ising model.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn pairs(n_spins: usize) -> Result<Self> {
        Self::up_to(n_spins, 2)
    }

    /// All products of up to `order` spins, shorter ones first.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn up_to(n_spins: usize, order: usize) -> Result<Self> {
        exact::check_size(NAME, n_spins)?;
        let mut masks: Vec<u32> = (1..1u32 << n_spins).filter(|mask| mask.count_ones() as usize <= order).collect();
        masks.sort_by_key(|mask| mask.count_ones());
        let members = |mask: u32| (0..n_spins).filter(|i| (mask >> i) & 1 == 1).collect();
        Self::new(n_spins, masks.into_iter().map(members).collect::<Vec<_>>())
    }

    /// Sets the largest difference of an average that counts as none; default 1e-10.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the largest number of iterations; default 200.
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// The sets of the statistics.
    pub fn sets(&self) -> &[Vec<usize>] {
        &self.sets
    }

    /// The averages of the statistics in samples. `O(M P)` for P statistics.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for samples of another number of spins.
    pub fn averages(&self, samples: &Samples) -> Result<Vec<f64>> {
        if samples.n_spins() != self.n_spins {
            let (got, expected) = (samples.n_spins(), self.n_spins);
            return Err(Error::WrongLength { what: "spins of a sample", got, expected });
        }
        let merged = samples.merged();
        let masks = self.masks();
        let mut sums = vec![0.0; masks.len()];
        for (k, weight) in merged.weights().iter().enumerate() {
            let down = !merged.row(k)[0] as u32;
            for (sum, mask) in sums.iter_mut().zip(&masks) {
                *sum += if (down & mask).count_ones() % 2 == 1 { -weight } else { *weight };
            }
        }
        let total: f64 = merged.weights().iter().sum();
        sums.iter_mut().for_each(|sum| *sum /= total);
        Ok(sums)
    }

    /// The model with the averages of these samples; standard errors of its parameters are those of maximum likelihood,
    /// `√((χ⁻¹)_aa / M)` with the Fisher information `χ_ab = ⟨f_a f_b⟩ - ⟨f_a⟩⟨f_b⟩`.
    ///
    /// # Errors
    /// As [`averages`](Self::averages) and [`fit_averages`](Self::fit_averages).
    pub fn fit(&self, samples: &Samples) -> Result<MaximumEntropyModel> {
        let averages = self.averages(samples)?;
        self.solve(&averages, Some(samples.effective_number()))
    }

    /// The model with these averages.
    ///
    /// # Errors
    /// [`Error::WrongLength`]; [`Error::Moment`] with the set of an average that is not between -1 and 1; [`Error::Divergent`] with
    /// the products of spins whose parameters diverge and their signs, for averages that no distribution has, or only one that
    /// excludes configurations (within rounding, 1e-13 of the sum of the coefficients).
    pub fn fit_averages(&self, averages: &[f64]) -> Result<MaximumEntropyModel> {
        self.solve(averages, None)
    }

    fn masks(&self) -> Vec<u32> {
        self.sets.iter().map(|set| set.iter().map(|&i| 1u32 << i).sum()).collect()
    }

    fn solve(&self, averages: &[f64], number: Option<f64>) -> Result<MaximumEntropyModel> {
        let (n, p) = (self.n_spins, self.sets.len());
        if averages.len() != p {
            return Err(Error::WrongLength { what: "averages", got: averages.len(), expected: p });
        }
        if p > NEWTON {
            return Err(Error::TooLarge { solver: NAME, what: "number of statistics", value: p, bound: NEWTON });
        }
        super::check_positive("tolerance", self.tolerance)?;
        if let Some(a) = averages.iter().position(|x| x.is_nan() || x.abs() > 1.0) {
            let (what, expected) = ("average of the product of spins", "a number between -1 and 1".to_owned());
            return Err(Error::Moment { what, place: self.sets[a].clone(), value: averages[a], expected });
        }
        let masks = self.masks();
        let (tolerance, max_iterations) = (self.tolerance, self.max_iterations);
        let dual = Dual { n_spins: n, masks: &masks, averages, prior: &[], tolerance, max_iterations };
        let found = dual.minimize(vec![0.0; p])?;
        if let Some(face) = found.face {
            return Err(face.error(NAME, |a| self.sets[a].clone()));
        }
        let errors = match number {
            Some(number) => {
                let inverse = fisher_factor(&masks, &found.moments, &[])?.inverse();
                Some((0..p).map(|a| (inverse[a * p + a] / number).sqrt()).collect())
            }
            None => None,
        };
        Ok(MaximumEntropyModel {
            n_spins: n,
            sets: self.sets.clone(),
            entropy: found.value,
            averages: averages.to_vec(),
            parameters: found.parameters,
            errors,
            ln_z: found.ln_z,
            iterations: found.iterations,
            residual: found.residual,
            converged: found.residual <= self.tolerance,
        })
    }
}

/// A distribution of largest entropy.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MaximumEntropyModel {
    /// Number of spins.
    pub n_spins: usize,
    /// The sets of the statistics.
    pub sets: Vec<Vec<usize>>,
    /// The averages that were asked for.
    pub averages: Vec<f64>,
    /// The parameters λ.
    pub parameters: Vec<f64>,
    /// Standard errors of the parameters, where the averages are those of samples.
    pub errors: Option<Vec<f64>>,
    /// `ln Z`.
    pub ln_z: f64,
    /// The entropy `ln Z - Σ λ ⟨f⟩`, in nats.
    pub entropy: f64,
    /// Newton steps.
    pub iterations: usize,
    /// The largest difference between an average of the model and what was asked for.
    pub residual: f64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

impl MaximumEntropyModel {
    fn masks(&self) -> Vec<u32> {
        self.sets.iter().map(|set| set.iter().map(|&i| 1u32 << i).sum()).collect()
    }

    /// The probabilities of all `2^n` configurations; spin i of configuration k is `1 - 2 b_i`, b the bits of k.
    pub fn probabilities(&self) -> Vec<f64> {
        exact::probabilities(self.n_spins, &self.masks(), &self.parameters).0
    }

    /// What the model predicts for the average of another product of spins; any one costs `n 2^n` operations for all.
    ///
    /// # Errors
    /// [`Error::SiteOutOfBounds`].
    pub fn predict(&self, sets: &[Vec<usize>]) -> Result<Vec<f64>> {
        let n_spins = self.n_spins;
        let moments = exact::moments(self.probabilities());
        let mask = |(entry, set): (usize, &Vec<usize>)| match set.iter().find(|&&site| site >= n_spins) {
            Some(&site) => Err(Error::SiteOutOfBounds { what: "statistic", entry, site, n_spins }),
            // A spin that occurs twice cancels.
            None => Ok(moments[set.iter().fold(0u32, |mask, &i| mask ^ (1 << i)) as usize]),
        };
        sets.iter().enumerate().map(mask).collect()
    }

    /// The model with energy `-Σ λ_a f_a`.
    ///
    /// # Errors
    /// Those of building it.
    pub fn to_interactions(&self) -> Result<InteractionModel> {
        let terms = self.sets.iter().cloned().zip(self.parameters.iter().copied());
        InteractionModel::builder(self.n_spins).terms(terms).build()
    }

    /// Couplings and fields of a model with sets of at most two spins.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] naming a larger set.
    pub fn to_reconstruction(&self) -> Result<Reconstruction> {
        let n = self.n_spins;
        let (mut couplings, mut fields) = (vec![0.0; n * n], vec![0.0; n]);
        let (mut coupling_errors, mut field_errors) = (vec![0.0; n * n], vec![0.0; n]);
        for (a, set) in self.sets.iter().enumerate() {
            let error = self.errors.as_ref().map_or(0.0, |errors| errors[a]);
            match set[..] {
                [i] => (fields[i], field_errors[i]) = (self.parameters[a], error),
                [i, j] => {
                    for k in [i * n + j, j * n + i] {
                        (couplings[k], coupling_errors[k]) = (self.parameters[a], error);
                    }
                }
                _ => {
                    let reason = format!("statistic {a} is the product of spins {set:?}, more than two");
                    return Err(Error::NotApplicable { solver: "a pairwise model", reason });
                }
            }
        }
        let mut found = Reconstruction::new("maximum-entropy", couplings, fields);
        if self.errors.is_some() {
            found.coupling_errors = Some(coupling_errors);
            found.field_errors = Some(field_errors);
        }
        found.iterations = self.iterations;
        found.residual = self.residual;
        found.converged = self.converged;
        Ok(found)
    }
}

/// How much of what binds the spins together is pairwise.
///
/// With the entropies of independent spins `S_1`, of the pairwise maximum-entropy model `S_2` and of the data `S_N`, the
/// multi-information is `I_N = S_1 - S_N`, and `I_2 = S_1 - S_2` the part that pairs explain.
///
/// ```
/// use spin_models::inverse::{MultiInformation, Samples};
///
/// // Three spins of which the product is always 1: pairs know nothing of it.
/// let samples = Samples::from_states(3, &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0])?;
/// let information = MultiInformation::of(&samples)?;
/// assert!((information.total() - 2f64.ln()).abs() < 1e-12 && information.explained().abs() < 1e-9);
/// # Ok::<(), spin_models::Error>(())
/// ```
///
/// Reference: E. Schneidman, M. J. Berry, R. Segev and W. Bialek, Nature 440, 1007 (2006).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MultiInformation {
    /// `S_1`, nats.
    pub independent: f64,
    /// `S_2`, nats.
    pub pairwise: f64,
    /// `S_N`, nats: the plug-in entropy of the weights, which is too small by about (number of configurations)/2M.
    pub empirical: f64,
}

impl MultiInformation {
    /// Of samples of at most 25 spins.
    ///
    /// # Errors
    /// Those of [`MaximumEntropy::fit`].
    pub fn of(samples: &Samples) -> Result<Self> {
        let n = samples.n_spins();
        let merged = samples.merged();
        Moments::of_samples(&merged).check()?;
        let total: f64 = merged.weights().iter().sum();
        let entropy = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let independent = MaximumEntropy::fields(n)?.fit(&merged)?.entropy;
        let pairwise = MaximumEntropy::pairs(n)?.fit(&merged)?.entropy;
        let empirical = merged.weights().iter().map(|w| entropy(w / total)).sum();
        Ok(Self { independent, pairwise, empirical })
    }

    /// `I_N`.
    pub fn total(&self) -> f64 {
        self.independent - self.empirical
    }

    /// `I_2 / I_N`; 0 if the spins are independent, that is if `I_N` is rounding, at most 1e-12 of `S_1`.
    pub fn explained(&self) -> f64 {
        if self.total() > 1e-12 * self.independent { (self.independent - self.pairwise) / self.total() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::exact_samples;
    use super::*;
    use crate::models::Ising;

    fn entropy(p: &[f64]) -> f64 {
        p.iter().map(|&p| if p > 0.0 { -p * p.ln() } else { 0.0 }).sum()
    }

    #[test]
    fn parameters_come_back() {
        let sets: Vec<Vec<usize>> = vec![vec![0], vec![1, 2], vec![0, 2, 3], vec![0, 1, 2, 4], vec![3, 4], vec![4]];
        let truth = [0.4, -0.7, 0.5, 0.3, 0.8, -0.2];
        let problem = MaximumEntropy::new(5, sets).unwrap();
        let (p, ln_z) = exact::probabilities(5, &problem.masks(), &truth);
        let samples = Samples::from_states(5, &p).unwrap();
        let model = problem.fit(&samples).unwrap();
        assert!(model.converged && model.iterations < 20);
        for (found, truth) in model.parameters.iter().zip(truth) {
            approx::assert_abs_diff_eq!(*found, truth, epsilon = 1e-8);
        }
        approx::assert_abs_diff_eq!(model.ln_z, ln_z, epsilon = 1e-9);
        approx::assert_abs_diff_eq!(model.entropy, entropy(&p), epsilon = 1e-9);
        let predicted = model.predict(&[vec![0, 1], vec![1, 1]]).unwrap();
        let direct: f64 = p.iter().enumerate().map(|(k, p)| if (k ^ (k >> 1)) & 1 == 1 { -p } else { *p }).sum();
        approx::assert_abs_diff_eq!(predicted[0], direct, epsilon = 1e-9);
        approx::assert_abs_diff_eq!(predicted[1], 1.0, epsilon = 1e-12);
    }

    /// Any distribution with the same averages has less entropy: the data themselves, and the model moved along directions
    /// that leave the averages as they are.
    #[test]
    fn every_feasible_perturbation_lowers_the_entropy() {
        let weights: Vec<f64> = (0..32).map(|k| 1.0 + ((k * k + 3) % 17) as f64).collect();
        let samples = Samples::from_states(5, &weights).unwrap();
        let problem = MaximumEntropy::pairs(5).unwrap();
        let model = problem.fit(&samples).unwrap();
        let total: f64 = weights.iter().sum();
        let data: Vec<f64> = weights.iter().map(|w| w / total).collect();
        assert!(model.entropy > entropy(&data) + 1e-3);
        let p = model.probabilities();
        approx::assert_abs_diff_eq!(entropy(&p), model.entropy, epsilon = 1e-9);
        // Products of three and more spins are orthogonal to all statistics and to the sum.
        for mask in (0..32usize).filter(|mask| mask.count_ones() >= 3) {
            for share in [0.9, -0.9, 0.01, -0.01] {
                let sign = |k: usize| if (k & mask).count_ones() % 2 == 1 { -1.0 } else { 1.0 };
                let room = p.iter().copied().fold(f64::INFINITY, f64::min);
                let moved: Vec<f64> = p.iter().enumerate().map(|(k, p)| p + share * room * sign(k)).collect();
                assert!(moved.iter().all(|&p| p > 0.0));
                assert!(entropy(&moved) < model.entropy, "{mask} {share}");
            }
        }
    }

    #[test]
    fn errors_are_those_of_the_fisher_information() {
        // One spin: var(h) = 1/(M (1 - m²)).
        let samples = Samples::from_states(1, &[3.0, 1.0]).unwrap();
        let model = MaximumEntropy::fields(1).unwrap().fit(&samples).unwrap();
        let expected = (1.0 / (samples.effective_number() * 0.75)).sqrt();
        approx::assert_relative_eq!(model.errors.unwrap()[0], expected, max_relative = 1e-9);
    }

    #[test]
    fn pairwise_models_are_explained() {
        let model =
            Ising::builder(4).couplings([(0, 1, 0.5), (1, 2, -0.9), (2, 3, 0.4)]).fields([0.1; 4]).build().unwrap();
        let information = MultiInformation::of(&exact_samples(&model)).unwrap();
        assert!(information.total() > 0.1);
        approx::assert_abs_diff_eq!(information.explained(), 1.0, epsilon = 1e-8);
    }

    /// Nothing binds independent spins together, and nothing is explained.
    #[test]
    fn independent_spins_have_nothing_to_explain() {
        for fields in [[0.1, -0.7, 0.3, 0.0, 1.2], [0.4, 0.2, -0.2, 0.9, -1.1], [0.0; 5]] {
            let model = Ising::builder(5).fields(fields).build().unwrap();
            let information = MultiInformation::of(&exact_samples(&model)).unwrap();
            assert!(information.explained().abs() <= 0.0, "{information:?}");
        }
    }

    /// `f_a(s)` of all configurations, rows of configurations.
    fn statistics(problem: &MaximumEntropy) -> Vec<Vec<f64>> {
        let sign = |k: usize, mask: u32| if (k as u32 & mask).count_ones() % 2 == 1 { -1.0 } else { 1.0 };
        (0..1 << problem.n_spins).map(|k| problem.masks().iter().map(|&mask| sign(k, mask)).collect()).collect()
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    /// Data on every set of configurations of three spins, with weights 1, 2, 3. All facets of the marginal polytope of means and
    /// pairs have coefficients -1, 0 and 1 (those of the cut polytope of four points), so that trying them all decides whether a
    /// set is on a face. On it the error has a direction in which these configurations are the largest; mixed with a share of
    /// all configurations the same data have finite parameters.
    #[test]
    fn faces_are_refused_and_the_inside_is_not() {
        let problem = MaximumEntropy::pairs(3).unwrap();
        let f = statistics(&problem);
        let facets: Vec<Vec<f64>> =
            (1..3usize.pow(6)).map(|k| (0..6u32).map(|a| [0.0, 1.0, -1.0][k / 3usize.pow(a) % 3]).collect()).collect();
        let tops: Vec<Vec<bool>> = facets
            .iter()
            .map(|v| {
                let values: Vec<f64> = f.iter().map(|f| dot(v, f)).collect();
                let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                values.iter().map(|x| *x > top - 0.5).collect()
            })
            .collect();
        let mut faces = 0;
        for set in 1..256usize {
            let inside = |k: usize| (set >> k) & 1 == 1;
            let weights: Vec<f64> = (0..8).map(|k| if inside(k) { (k % 3 + 1) as f64 } else { 0.0 }).collect();
            let total: f64 = weights.iter().sum();
            let averages: Vec<f64> = (0..6).map(|a| (0..8).map(|k| weights[k] / total * f[k][a]).sum()).collect();
            let on_face = tops.iter().any(|top| (0..8).all(|k| top[k] || !inside(k)));
            faces += usize::from(on_face);
            match problem.fit_averages(&averages) {
                Ok(model) => assert!(!on_face && model.converged, "{set}: {model:?}"),
                Err(Error::Divergent { terms, value, bound, .. }) => {
                    assert!(on_face, "{set} is inside: {terms:?}");
                    let mut v = vec![0.0; 6];
                    for (set, x) in &terms {
                        v[problem.sets().iter().position(|known| known == set).unwrap()] = *x;
                    }
                    approx::assert_abs_diff_eq!(dot(&v, &averages), value, epsilon = 1e-12);
                    let values: Vec<f64> = f.iter().map(|f| dot(&v, f)).collect();
                    approx::assert_abs_diff_eq!(values.iter().copied().fold(-9.0, f64::max), bound, epsilon = 1e-12);
                    for (k, x) in values.iter().enumerate() {
                        assert!(!inside(k) || *x > bound - 1e-11, "{set} {k} {v:?}");
                    }
                }
                Err(other) => panic!("{set}: {other}"),
            }
            for share in [1e-2, 1e-6, 1e-10] {
                let mixed: Vec<f64> = averages.iter().map(|x| (1.0 - share) * x).collect();
                let model = problem.fit_averages(&mixed).unwrap_or_else(|error| panic!("{set} {share}: {error}"));
                assert!(model.converged, "{set} {share} {}", model.residual);
            }
        }
        assert!((50..255).contains(&faces), "{faces}");
    }

    /// With all products of four spins the law itself is asked for, `λ_a = 2^{-n} Σ_s f_a(s) ln p(s)`: parameters have to come back
    /// even where a probability is below the tolerance, and diverge along minus the indicators of what never occurs.
    #[test]
    fn rare_configurations_have_finite_parameters() {
        let problem = MaximumEntropy::up_to(4, 4).unwrap();
        let f = statistics(&problem);
        for rare in [1e-3, 1e-7, 1e-11] {
            let weights: Vec<f64> = (0..16).map(|k| if k % 5 == 0 { rare * (k + 1) as f64 } else { 1.0 }).collect();
            let model = problem.fit(&Samples::from_states(4, &weights).unwrap()).unwrap();
            assert!(model.converged);
            for (a, found) in model.parameters.iter().enumerate() {
                let truth = (0..16).map(|k| f[k][a] * weights[k].ln()).sum::<f64>() / 16.0;
                approx::assert_abs_diff_eq!(*found, truth, epsilon = 1e-3);
            }
        }
        let weights: Vec<f64> = (0..16).map(|k| if k == 5 || k == 12 { 0.0 } else { (k + 1) as f64 }).collect();
        match problem.fit(&Samples::from_states(4, &weights).unwrap()) {
            Err(Error::Divergent { terms, value, bound, .. }) => {
                approx::assert_abs_diff_eq!(value, bound, epsilon = 1e-10);
                for (set, x) in terms {
                    let a = problem.sets().iter().position(|known| *known == set).unwrap();
                    // -f_a(5) - f_a(12), or half of it.
                    assert!(x * (f[5][a] + f[12][a]) < 0.0, "{set:?} {x}");
                }
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_diverges_is_named_with_its_sign() {
        let problem = MaximumEntropy::pairs(3).unwrap();
        let text = |averages: &[f64]| problem.fit_averages(averages).unwrap_err().to_string();
        let error = text(&[0.1, 0.2, 0.0, -1.0 / 3.0, -1.0 / 3.0, -1.0 / 3.0]);
        let expected = "maximum entropy: -1 [0, 1] -1 [0, 2] -1 [1, 2] averages 1, and no configuration has more than 1: the \
                        parameters of these products of spins diverge, with these signs";
        assert_eq!(error, expected);
        // Spins 0 and 2 always opposite; a field and a coupling: p(+-) = (1 + m_0 - m_1 - c)/4 = 0.
        assert!(text(&[0.3, 0.1, -0.3, 0.1, -1.0, -0.1]).contains(": -1 [0, 2] averages 1,"));
        assert!(text(&[-0.2, 0.5, 0.1, 0.3, 0.0, 0.0]).contains(": -1 [0] +1 [1] +1 [0, 1] averages 1,"));
        assert!(text(&[0.0, 0.0, -1.0, 0.2, 0.0, 0.0]).contains(": -1 [2] averages 1,"));
        // Outside.
        assert!(
            text(&[0.0, 0.0, 0.0, -0.5, -0.5, -0.5]).contains("averages 1.5, and no configuration has more than 1:")
        );
    }

    #[test]
    fn impossible_averages_are_refused() {
        let problem = MaximumEntropy::pairs(3).unwrap();
        assert!(matches!(problem.fit_averages(&[0.0; 5]), Err(Error::WrongLength { .. })));
        assert!(matches!(problem.fit_averages(&[f64::NAN; 6]), Err(Error::Moment { .. })));
        assert!(matches!(problem.fit_averages(&[1.1, 0.0, 0.0, 0.0, 0.0, 0.0]), Err(Error::Moment { .. })));
        assert!(matches!(MaximumEntropy::new(2, [vec![2]]), Err(Error::SiteOutOfBounds { .. })));
        assert!(matches!(MaximumEntropy::new(2, [vec![1, 1]]), Err(Error::Parameter { .. })));
        assert!(matches!(MaximumEntropy::new(2, [vec![0, 1], vec![1, 0]]), Err(Error::Duplicate { .. })));
        assert!(matches!(MaximumEntropy::new(0, []), Err(Error::NoSpins)));
        assert!(matches!(MaximumEntropy::pairs(26), Err(Error::TooLarge { .. })));
    }
}
