//! Restricted machines whose biases depend on a condition.

use linalg_core::Streams;
use linalg_core::rand::RngExt;

use crate::error::{check_finite, check_length};
use crate::partition::{exact, exact_ln_z};
use crate::rbm::{Statistics, dot};
use crate::units::Unit;
use crate::{Error, Rbm, Result};

/// A machine over v and h given a condition u, any numbers: the frames before, a label, a context,
///
/// ```math
/// P(v, h | u) \propto e^{-E(v, h) + v \cdot A u + h \cdot B u} .
/// ```
///
/// Given u it is a restricted machine with other biases ([`given`](Self::given)); ln Z depends on u, and its gradient needs no more than
/// the averages of that machine. G. W. Taylor, G. E. Hinton and S. T. Roweis, NIPS 2006.
///
/// ```
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{ConditionalRbm, Rbm};
///
/// // No couplings but the one of the condition with the visible unit: P(v = 1 | u) = σ(2u).
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![0.0], vec![0.0], vec![0.0])?;
/// let machine = ConditionalRbm::new(rbm, 1, vec![2.0], vec![0.0])?;
/// let p = machine.log_likelihood(&[1.0], &[1.0])?.exp();
/// assert!((p - 1.0 / (1.0 + (-2f64).exp())).abs() < 1e-14);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalRbm<V, H> {
    rbm: Rbm<V, H>,
    n_conditions: usize,
    /// A, visible x conditions.
    to_visible: Vec<f64>,
    /// B, hidden x conditions.
    to_hidden: Vec<f64>,
}

/// How [`ConditionalRbm::fit`] averages over the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ConditionalMethod {
    /// Exact sums over the smaller layer, for every row.
    Exact,
    /// So many sweeps from every row.
    ContrastiveDivergence {
        /// Sweeps.
        sweeps: usize,
    },
}

/// Parameters of [`ConditionalRbm::fit`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConditionalTraining {
    /// How the model is averaged; default one sweep of contrastive divergence.
    pub method: ConditionalMethod,
    /// Learning rate; default 0.05.
    pub learning_rate: f64,
    /// Updates; default 1000.
    pub updates: u64,
    /// Rows of a batch, drawn with replacement; default 100.
    pub batch: usize,
    /// L2 decay of W, A and B; default 0.
    pub l2: f64,
}

impl Default for ConditionalTraining {
    fn default() -> Self {
        let method = ConditionalMethod::ContrastiveDivergence { sweeps: 1 };
        Self { method, learning_rate: 0.05, updates: 1000, batch: 100, l2: 0.0 }
    }
}

impl ConditionalTraining {
    /// Sets how the model is averaged.
    pub fn method(mut self, method: ConditionalMethod) -> Self {
        self.method = method;
        self
    }
    /// Sets the learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }
    /// Sets the number of updates.
    pub fn updates(mut self, updates: u64) -> Self {
        self.updates = updates;
        self
    }
    /// Sets the rows of a batch.
    pub fn batch(mut self, rows: usize) -> Self {
        self.batch = rows;
        self
    }
    /// Sets the decay.
    pub fn l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
        self
    }
}

/// Derivatives of the mean `ln P(v | u)`: of the machine, of A, of B.
struct Gradient {
    machine: Statistics,
    to_visible: Vec<f64>,
    to_hidden: Vec<f64>,
}

impl<V: Unit + Clone, H: Unit + Clone> ConditionalRbm<V, H> {
    /// A machine with `n_conditions` numbers as condition; `to_visible` is A, visible x conditions, `to_hidden` B, hidden x conditions,
    /// both row-major.
    ///
    /// # Errors
    /// [`Error::Empty`] for no condition, [`Error::WrongLength`], [`Error::NotFinite`].
    pub fn new(rbm: Rbm<V, H>, n_conditions: usize, to_visible: Vec<f64>, to_hidden: Vec<f64>) -> Result<Self> {
        if n_conditions == 0 {
            return Err(Error::Empty { what: "condition" });
        }
        check_length("weights of conditions with visible units", to_visible.len(), rbm.visible_len() * n_conditions)?;
        check_length("weights of conditions with hidden units", to_hidden.len(), rbm.hidden_len() * n_conditions)?;
        check_finite("weights of conditions with visible units", &to_visible)?;
        check_finite("weights of conditions with hidden units", &to_hidden)?;
        Ok(Self { rbm, n_conditions, to_visible, to_hidden })
    }

    /// The machine without its condition.
    pub fn rbm(&self) -> &Rbm<V, H> {
        &self.rbm
    }

    /// Numbers of a condition.
    pub fn n_conditions(&self) -> usize {
        self.n_conditions
    }

    /// A and B.
    pub fn condition_weights(&self) -> (&[f64], &[f64]) {
        (&self.to_visible, &self.to_hidden)
    }

    /// The machine given a condition: biases `a + Au` and `b + Bu`.
    ///
    /// # Panics
    /// If `u` has the wrong length.
    pub fn given(&self, u: &[f64]) -> Rbm<V, H> {
        assert_eq!(u.len(), self.n_conditions, "{} numbers for a condition of {}", u.len(), self.n_conditions);
        let mut rbm = self.rbm.clone();
        let (_, a, b) = rbm.parameters_mut();
        a.iter_mut().zip(self.to_visible.chunks_exact(u.len())).for_each(|(a, row)| *a += dot(row, u));
        b.iter_mut().zip(self.to_hidden.chunks_exact(u.len())).for_each(|(b, row)| *b += dot(row, u));
        rbm
    }

    /// `ln P(v | u)`, exactly.
    ///
    /// # Errors
    /// As [`exact_ln_z`].
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn log_likelihood(&self, u: &[f64], v: &[f64]) -> Result<f64> {
        let rbm = self.given(u);
        Ok(-rbm.free_energy(v, 1.0) - exact_ln_z(&rbm, 1.0)?)
    }

    fn gradient<R: linalg_core::rand::Rng + ?Sized>(
        &self,
        rows: &[(&[f64], &[f64])],
        method: ConditionalMethod,
        rng: &mut R,
    ) -> Result<Gradient> {
        let (nv, nh, nu) = (self.rbm.visible_len(), self.rbm.hidden_len(), self.n_conditions);
        let mut sum = Gradient {
            machine: Statistics::zeros(nv, nh),
            to_visible: vec![0.0; nv * nu],
            to_hidden: vec![0.0; nh * nu],
        };
        let weight = 1.0 / rows.len() as f64;
        for (u, v) in rows {
            let rbm = self.given(u);
            let model = match method {
                ConditionalMethod::Exact => exact(&rbm, 1.0)?.statistics,
                ConditionalMethod::ContrastiveDivergence { sweeps } => {
                    let (mut v, mut h) = (v.to_vec(), vec![0.0; nh]);
                    (0..sweeps).for_each(|_| rbm.gibbs_sweep(&mut v, &mut h, 1.0, rng));
                    rbm.statistics(&v, 1.0)
                }
            };
            let row = rbm.statistics(v, 1.0).minus(&model);
            sum.machine.add_scaled(weight, &row);
            for (to, from) in [(&mut sum.to_visible, &row.visible), (&mut sum.to_hidden, &row.hidden)] {
                for (to, from) in to.chunks_exact_mut(nu).zip(from) {
                    to.iter_mut().zip(*u).for_each(|(to, u)| *to += weight * from * u);
                }
            }
        }
        Ok(sum)
    }

    /// Raises the mean `ln P(v | u)` over pairs of rows by gradient ascent.
    ///
    /// # Errors
    /// [`Error::Alphabet`] for data that the units cannot take, [`Error::WrongLength`] unless there is a condition for each row,
    /// [`Error::NotFinite`], [`Error::Parameter`], as [`exact`] for a machine that is too large; [`Error::Diverged`] when a parameter
    /// becomes NaN or infinite. On error the machine is what it was.
    pub fn fit(
        &mut self,
        conditions: &[f64],
        data: &[f64],
        params: &ConditionalTraining,
        streams: Streams,
    ) -> Result<()> {
        self.rbm.check_data(data)?;
        let (nv, nu) = (self.rbm.visible_len(), self.n_conditions);
        let n = data.len() / nv;
        check_length("conditions", conditions.len(), n * nu)?;
        check_finite("conditions", conditions)?;
        for (what, value) in [("learning rate", params.learning_rate), ("l2 decay", params.l2)] {
            if !(0.0..=1e3).contains(&value) {
                return Err(Error::Parameter { what, value: value.to_string(), expected: "0 to 1000" });
            }
        }
        if params.batch == 0 || params.method == (ConditionalMethod::ContrastiveDivergence { sweeps: 0 }) {
            let what = if params.batch == 0 { "rows of a batch" } else { "sweeps an update" };
            return Err(Error::Parameter { what, value: "0".to_owned(), expected: "1 or more" });
        }
        let before = self.clone();
        let mut rng = streams.fast_stream(0);
        for update in 0..params.updates {
            let rows: Vec<(&[f64], &[f64])> = (0..params.batch)
                .map(|_| {
                    let row = rng.random_range(0..n as u64) as usize;
                    (&conditions[row * nu..][..nu], &data[row * nv..][..nv])
                })
                .collect();
            let gradient = match self.gradient(&rows, params.method, &mut rng) {
                Ok(gradient) => gradient,
                Err(error) => {
                    *self = before;
                    return Err(error);
                }
            };
            let (w, a, b) = self.rbm.parameters_mut();
            let lists = [
                (w, &gradient.machine.weights, params.l2),
                (a, &gradient.machine.visible, 0.0),
                (b, &gradient.machine.hidden, 0.0),
                (&mut self.to_visible[..], &gradient.to_visible, params.l2),
                (&mut self.to_hidden[..], &gradient.to_hidden, params.l2),
            ];
            let mut finite = true;
            for (values, gradient, decay) in lists {
                for (x, g) in values.iter_mut().zip(gradient) {
                    *x += params.learning_rate * (g - decay * *x);
                    finite &= x.is_finite();
                }
            }
            if !finite {
                *self = before;
                let what = "a parameter is not finite";
                return Err(Error::Diverged { update: update + 1, what, kept: 0 });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bernoulli, Spin};
    use linalg_core::rng::standard_normal;

    fn machine() -> ConditionalRbm<Bernoulli, Spin> {
        let mut rng = Streams::new(1).stream(0);
        let mut normals = |n: usize| (0..n).map(|_| 0.5 * standard_normal(&mut rng)).collect::<Vec<_>>();
        let rbm = Rbm::new(Bernoulli, Spin, normals(6), normals(3), normals(2)).unwrap();
        ConditionalRbm::new(rbm, 2, normals(6), normals(4)).unwrap()
    }

    #[test]
    fn likelihoods_sum_to_one_and_gradients_are_exact() {
        let machine = machine();
        let u = [0.3, -1.2];
        let total: f64 = (0..8)
            .map(|s| (0..3).map(|k| f64::from(s >> k & 1)).collect::<Vec<_>>())
            .map(|v| machine.log_likelihood(&u, &v).unwrap().exp())
            .sum();
        assert!((total - 1.0).abs() < 1e-12);
        let rows = [([0.3, -1.2], [1.0, 0.0, 1.0]), ([2.0, 0.5], [0.0, 0.0, 1.0])];
        let slices: Vec<(&[f64], &[f64])> = rows.iter().map(|(u, v)| (&u[..], &v[..])).collect();
        let mut rng = Streams::new(2).stream(0);
        let gradient = machine.gradient(&slices, ConditionalMethod::Exact, &mut rng).unwrap();
        let all = [
            &gradient.machine.weights,
            &gradient.machine.visible,
            &gradient.machine.hidden,
            &gradient.to_visible,
            &gradient.to_hidden,
        ];
        let all: Vec<f64> = all.into_iter().flatten().copied().collect();
        let value = |x: &[f64]| {
            let rbm = Rbm::new(Bernoulli, Spin, x[..6].to_vec(), x[6..9].to_vec(), x[9..11].to_vec()).unwrap();
            let machine = ConditionalRbm::new(rbm, 2, x[11..17].to_vec(), x[17..].to_vec()).unwrap();
            rows.iter().map(|(u, v)| 0.5 * machine.log_likelihood(u, v).unwrap()).sum()
        };
        let x: Vec<f64> = [machine.rbm.weights(), machine.rbm.visible_bias(), machine.rbm.hidden_bias()]
            .concat()
            .into_iter()
            .chain(machine.to_visible.iter().copied())
            .chain(machine.to_hidden.iter().copied())
            .collect();
        let numeric = linalg_core::optim::finite_difference::gradient(value, &x);
        assert!(all.iter().zip(&numeric).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    /// The visible bit is the exclusive or of two conditions: A alone cannot do it, the hidden units can.
    #[test]
    fn both_methods_learn_an_exclusive_or() {
        let conditions = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        let data = [0.0, 1.0, 1.0, 0.0];
        for method in [ConditionalMethod::Exact, ConditionalMethod::ContrastiveDivergence { sweeps: 1 }] {
            let rbm = Rbm::random(Bernoulli, Bernoulli, 1, 6, 1.0, &mut Streams::new(3).stream(0)).unwrap();
            let mut rng = Streams::new(4).stream(0);
            let weights: Vec<f64> = (0..12).map(|_| standard_normal(&mut rng)).collect();
            let mut machine = ConditionalRbm::new(rbm, 2, vec![0.0; 2], weights).unwrap();
            let params = ConditionalTraining::default().method(method).learning_rate(0.5).updates(4000).batch(16);
            machine.fit(&conditions, &data, &params, Streams::new(5)).unwrap();
            for (u, v) in conditions.chunks(2).zip(data) {
                let p = machine.log_likelihood(u, &[v]).unwrap().exp();
                assert!(p > 0.8, "{method:?} {u:?} {p}");
            }
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let mut machine = machine();
        let before = machine.clone();
        let rbm = machine.rbm.clone();
        assert!(ConditionalRbm::new(rbm.clone(), 0, vec![], vec![]).is_err());
        let error = ConditionalRbm::new(rbm.clone(), 1, vec![0.0; 2], vec![0.0; 2]).unwrap_err().to_string();
        assert_eq!(error, "weights of conditions with visible units: 2 values, expected 3");
        assert!(ConditionalRbm::new(rbm, 1, vec![0.0; 3], vec![f64::NAN; 2]).is_err());
        let params = ConditionalTraining::default;
        let mut message = |u: &[f64], v: &[f64], params: ConditionalTraining| {
            machine.fit(u, v, &params, Streams::new(1)).unwrap_err().to_string()
        };
        assert_eq!(message(&[0.0], &[0.0; 3], params()), "conditions: 1 values, expected 2");
        assert!(message(&[0.0; 2], &[0.0, 0.5, 0.0], params()).starts_with("row 0, entry 1 is 0.5"));
        assert!(message(&[0.0, f64::INFINITY], &[0.0; 3], params()).starts_with("conditions[1] is inf"));
        assert!(message(&[0.0; 2], &[0.0; 3], params().batch(0)).contains("rows of a batch is 0"));
        let wild = params().l2(1e3).learning_rate(1e3).updates(200);
        assert!(message(&[0.0; 2], &[0.0; 3], wild).contains("training diverged"));
        assert_eq!(machine, before);
    }
}
