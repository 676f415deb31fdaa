//! A solver in a crate above: its own error, its own method, the traits of this crate.

use std::fmt;

use approx::{assert_abs_diff_eq, assert_relative_eq};
use linalg_core::stats::Estimate;
use linalg_core::{Observer, Streams};
use proptest::prelude::*;
use spin_models::rand::RngExt;
use spin_models::{
    EnergyModel, Enumeration, Error, InteractionModel, Ising, Kind, LnZ, LogPartition, PairwiseModel, Progress,
    Quantities, SherringtonKirkpatrick, Solution, Solve, Spins, TransferMatrix, Uncached,
};

/// What goes wrong in the crate above.
#[derive(Debug, PartialEq)]
enum MeanFieldError {
    /// A damping outside `0 ..= 1`.
    Damping(f64),
    /// An iteration that left the numbers.
    Diverged { site: usize },
}

impl fmt::Display for MeanFieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damping(value) => write!(f, "damping is {value}, expected a number from 0 to 1"),
            Self::Diverged { site } => write!(f, "the magnetization of site {site} is not a number"),
        }
    }
}

impl std::error::Error for MeanFieldError {}

/// Naive mean field: the product distribution closest to the model, by damped iteration of
/// `m_i = tanh β(h_i + Σ_j J_ij m_j)`.
struct MeanField {
    damping: f64,
    sweeps: usize,
}

const NAME: &str = "naive-mean-field";

impl Default for MeanField {
    fn default() -> Self {
        Self { damping: 0.3, sweeps: 400 }
    }
}

/// The answer in the terms of the crate above.
struct Fixed {
    magnetizations: Vec<f64>,
    ln_z: f64,
    energy: f64,
}

impl MeanField {
    fn fit<M: PairwiseModel + ?Sized>(&self, model: &M, beta: f64) -> Result<Fixed, MeanFieldError> {
        if !(0.0..=1.0).contains(&self.damping) {
            return Err(MeanFieldError::Damping(self.damping));
        }
        let n = model.n_spins();
        let local = |m: &[f64], i: usize| model.field(i) + model.neighbors(i).map(|(j, w)| w * m[j]).sum::<f64>();
        let mut m: Vec<f64> = (0..n).map(|i| if model.field(i) < 0.0 { -0.5 } else { 0.5 }).collect();
        for _ in 0..self.sweeps {
            for i in 0..n {
                m[i] = self.damping * m[i] + (1.0 - self.damping) * (beta * local(&m, i)).tanh();
                if m[i].is_nan() {
                    return Err(MeanFieldError::Diverged { site: i });
                }
            }
        }
        // The constant of the energy, from one configuration.
        let up = vec![1i8; n];
        let ones = vec![1.0; n];
        let pair_and_field = |m: &[f64]| (0..n).map(|i| 0.5 * m[i] * (local(m, i) + model.field(i))).sum::<f64>();
        let constant = model.energy(&up) + pair_and_field(&ones);
        let energy = constant - pair_and_field(&m);
        let entropy = |m: f64| {
            let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
            part(0.5 * (1.0 + m)) + part(0.5 * (1.0 - m))
        };
        let ln_z = m.iter().map(|&m| entropy(m)).sum::<f64>() - beta * energy;
        Ok(Fixed { magnetizations: m, ln_z, energy })
    }
}

/// Gibbs and Bogoliubov: a lower bound at any magnetizations, converged or not.
fn lower(value: f64) -> LnZ {
    LnZ { value, std_error: None, kind: Kind::Lower }
}

impl<M: PairwiseModel + ?Sized> LogPartition<M> for MeanField {
    fn ln_z_observed(&self, model: &M, beta: f64, _: &mut dyn Observer<Progress>) -> spin_models::Result<LnZ> {
        let fixed = self.fit(model, beta).map_err(|error| Error::solver(NAME, error))?;
        Ok(lower(fixed.ln_z))
    }
}

impl<M: PairwiseModel + ?Sized> Solve<M> for MeanField {
    fn name(&self) -> &'static str {
        NAME
    }

    fn solve(
        &self,
        model: &M,
        beta: f64,
        want: Quantities,
        _: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<Solution> {
        let fixed = self.fit(model, beta).map_err(|error| Error::solver(NAME, error))?;
        let mut solution = Solution::default();
        solution.ln_z = want.ln_z.then(|| lower(fixed.ln_z));
        solution.energy = want.energy.then(|| Estimate::exact(fixed.energy));
        solution.magnetizations =
            want.magnetizations.then(|| fixed.magnetizations.iter().map(|&m| Estimate::exact(m)).collect());
        Ok(solution)
    }
}

fn ring(n: usize, field: f64) -> Ising {
    let couplings = (0..n).map(|i| (i, (i + 1) % n, 0.5));
    Ising::builder(n).couplings(couplings).fields(vec![field; n]).offset(-1.5).build().unwrap()
}

#[test]
fn one_list_of_methods_of_two_crates() {
    let methods: Vec<Box<dyn Solve<Ising>>> =
        vec![Box::new(TransferMatrix::default()), Box::new(Enumeration::default()), Box::new(MeanField::default())];
    let model = ring(10, 0.4);
    let mut answers = Vec::new();
    for method in &methods {
        method.check(&model, 0.7).unwrap();
        let mut seen = 0u32;
        let mut observer = |_: &Progress| {
            seen += 1;
            std::ops::ControlFlow::Continue(())
        };
        answers.push((method.name(), method.solve(&model, 0.7, Quantities::all(), &mut observer).unwrap()));
    }
    let names: Vec<&str> = answers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["transfer-matrix", "enumerate", "naive-mean-field"]);
    let ln_z: Vec<LnZ> = answers.iter().map(|(_, solution)| solution.ln_z.unwrap()).collect();
    assert_relative_eq!(ln_z[0].value, ln_z[1].value, max_relative = 1e-14);
    assert_eq!(ln_z[2].kind, Kind::Lower);
    assert!(ln_z[2].value < ln_z[0].value);
    // A ferromagnet in a field: mean field sees more order than there is.
    let magnetization = |k: usize| answers[k].1.magnetizations.as_ref().unwrap()[0].value;
    assert!(magnetization(2) > magnetization(0) && magnetization(0) > 0.0);
    assert!(answers[2].1.correlations.is_none());
}

#[test]
fn errors_of_the_crate_above_come_through_with_their_type() {
    let bad = MeanField { damping: 1.5, ..MeanField::default() };
    let error = bad.ln_z(&ring(4, 0.0), 1.0).unwrap_err();
    assert_eq!(error.to_string(), "naive-mean-field: damping is 1.5, expected a number from 0 to 1");
    match error {
        Error::Solver { solver, source } => {
            assert_eq!(solver, NAME);
            assert_eq!(source.downcast_ref::<MeanFieldError>(), Some(&MeanFieldError::Damping(1.5)));
        }
        other => panic!("{other}"),
    }
    let error: Box<dyn std::error::Error + Send + Sync> = bad.ln_z(&ring(4, 0.0), 1.0).unwrap_err().into();
    assert!(error.source().is_some());
    // At an infinite temperature factor the iteration ends in NaN: 0 · inf.
    let pair = Ising::builder(2).coupling(0, 1, 0.0).build().unwrap();
    let error = MeanField::default().ln_z(&pair, f64::INFINITY).unwrap_err();
    assert!(error.to_string().contains("site 0 is not a number"), "{error}");
}

#[test]
fn one_implementation_serves_sparse_and_dense_models() {
    let mut rng = Streams::new(3).stream(0);
    let dense = SherringtonKirkpatrick::gaussian(12, &mut rng).unwrap();
    let dense = dense.with_fields((0..12).map(|_| rng.random_range(-0.5..0.5)).collect()).unwrap();
    let sparse = dense.to_ising().unwrap();
    let mean_field = MeanField::default();
    let (a, b) = (mean_field.ln_z(&dense, 0.8).unwrap(), mean_field.ln_z(&sparse, 0.8).unwrap());
    assert_relative_eq!(a.value, b.value, max_relative = 1e-12);
    let exact = TransferMatrix::default().ln_z(&sparse, 0.8).unwrap();
    assert!(a.value < exact.value);
    // A list for dense models, from the same types.
    let methods: Vec<Box<dyn Solve<SherringtonKirkpatrick>>> =
        vec![Box::new(MeanField::default()), Box::new(Enumeration::default())];
    let solved = methods.iter().map(|method| method.solve(&dense, 0.8, Quantities::ln_z(), &mut ()).unwrap());
    let values: Vec<f64> = solved.map(|solution| solution.ln_z.unwrap().value).collect();
    assert!(values[0] < values[1]);
    assert_relative_eq!(values[1], exact.value, max_relative = 1e-13);
}

#[test]
fn without_couplings_the_bound_is_tight() {
    let model = Ising::builder(5).fields([0.3, -1.0, 0.0, 2.0, -0.1]).offset(0.7).build().unwrap();
    let exact = TransferMatrix::default().ln_z(&model, 1.3).unwrap().value;
    assert_abs_diff_eq!(MeanField::default().ln_z(&model, 1.3).unwrap().value, exact, epsilon = 1e-13);
}

/// An energy of the crate above that is no sum of pairs: `-|M|³` with the total magnetization M.
struct Cubed(usize);

impl EnergyModel for Cubed {
    fn n_spins(&self) -> usize {
        self.0
    }

    fn energy(&self, s: &[i8]) -> f64 {
        assert_eq!(s.len(), self.0, "{} spins for a model of {}", s.len(), self.0);
        -f64::from(s.iter().map(|&s| i32::from(s)).sum::<i32>().abs()).powi(3)
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        let mut flipped = s.to_vec();
        flipped[i] = -s[i];
        self.energy(&flipped) - self.energy(s)
    }
}

#[test]
fn any_energy_behind_a_reference() {
    let pair = Ising::builder(2).coupling(0, 1, 1.0).build().unwrap();
    let triple = InteractionModel::builder(3).term(&[0, 1, 2], 1.0).build().unwrap();
    let cubed = Cubed(4);
    let beta = 0.3f64;
    let binomial = |energy: f64, count: f64| count * (-beta * energy).exp();
    let exact = [
        (4.0 * beta.cosh()).ln(),
        (8.0 * beta.cosh()).ln(),
        (binomial(-64.0, 2.0) + binomial(-8.0, 8.0) + binomial(0.0, 6.0)).ln(),
    ];
    let models: [&dyn EnergyModel; 3] = [&pair, &triple, &cubed];
    for (model, exact) in models.into_iter().zip(exact) {
        let value = Enumeration::default().ln_z(&Uncached(model), beta).unwrap().value;
        assert_relative_eq!(value, exact, max_relative = 1e-14);
        let n = model.n_spins();
        let mut energies = vec![0.0; 1 << n];
        let batch: Vec<i8> = (0..1u64 << n).flat_map(|state| Spins::from_state(state, n).into_vec()).collect();
        model.energies(&batch, &mut energies);
        let z: f64 = energies.iter().map(|energy| (-beta * energy).exp()).sum();
        assert_relative_eq!(z.ln(), exact, max_relative = 1e-14);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn mean_field_is_a_lower_bound(seed in any::<u64>(), n in 2usize..12, beta in 0.0f64..2.0) {
        let mut rng = Streams::new(seed).stream(0);
        let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (j, i))).filter(|_| rng.random_bool(0.6)).collect::<Vec<_>>();
        let model = Ising::builder(n)
            .couplings(pairs.into_iter().map(|(i, j)| (i, j, rng.random_range(-1.0..1.0))).collect::<Vec<_>>())
            .fields((0..n).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<_>>())
            .build()
            .unwrap();
        let exact = TransferMatrix::default().ln_z(&model, beta).unwrap().value;
        let bound = MeanField::default().ln_z(&model, beta).unwrap().value;
        prop_assert!(bound <= exact + 1e-12 * exact.abs(), "{bound} > {exact}");
    }
}
