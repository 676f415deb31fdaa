//! Machines whose visible layer holds a class label: the posterior of the class is exact.

use linalg_core::Streams;
use linalg_core::logspace::{log_sum_exp, sigmoid, softplus};
use linalg_core::optim::{Adam, AdamParams};
use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;

use crate::error::{check_finite, check_length};
use crate::rbm::dot;
use crate::units::Bernoulli;
use crate::{BitRows, Error, Rbm, Result};

/// A machine over 0/1 inputs x, one of K classes y and 0/1 hidden units,
///
/// ```math
/// -E(x, y, h) = d_y + \sum_j h_j (b_j + W_j x + U_{jy}), \qquad
/// P(y | x) \propto e^{d_y} \prod_j \left( 1 + e^{b_j + W_j x + U_{jy}} \right) .
/// ```
///
/// (Biases of the inputs would not change the posterior.) The posterior needs no ln Z, nor does its gradient: training it is exact. H. Larochelle and Y. Bengio, ICML 2008.
///
/// ```
/// use boltzmann::{BitRows, ClassRbm, ClassTraining};
/// use linalg_core::Streams;
///
/// // The exclusive or of two bits is the class.
/// let data = BitRows::from_bytes(&[0, 0, 0, 1, 1, 0, 1, 1], 2)?;
/// let labels = [0, 1, 1, 0];
/// let mut machine = ClassRbm::random(2, 2, 8, 0.5, &mut Streams::new(1).stream(0))?;
/// machine.fit(&data, &labels, &ClassTraining::default().updates(2000).learning_rate(0.05), Streams::new(2))?;
/// assert_eq!(machine.classify(&data)?, labels);
/// assert!(machine.log_posterior(&[1.0, 0.0])[1] > 0.9f64.ln());
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ClassRbm {
    n_inputs: usize,
    n_classes: usize,
    n_hidden: usize,
    /// W (hidden x inputs), U (hidden x classes), b, d.
    parameters: Vec<f64>,
}

/// Parameters of [`ClassRbm::fit`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClassTraining {
    /// Steps of Adam; default 1000.
    pub updates: u64,
    /// Rows of a batch, drawn with replacement; default 100.
    pub batch: usize,
    /// Step size of Adam; default 0.005.
    pub learning_rate: f64,
    /// Decoupled decay of all parameters; default 0.
    pub decay: f64,
    /// A weight for each class in the objective; default all 1.
    pub class_weights: Option<Vec<f64>>,
}

impl Default for ClassTraining {
    fn default() -> Self {
        Self { updates: 1000, batch: 100, learning_rate: 0.005, decay: 0.0, class_weights: None }
    }
}

impl ClassTraining {
    /// Sets the number of steps.
    pub fn updates(mut self, updates: u64) -> Self {
        self.updates = updates;
        self
    }
    /// Sets the rows of a batch.
    pub fn batch(mut self, rows: usize) -> Self {
        self.batch = rows;
        self
    }
    /// Sets the step size.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }
    /// Sets the decay.
    pub fn decay(mut self, decay: f64) -> Self {
        self.decay = decay;
        self
    }
    /// Sets the weights of the classes.
    pub fn class_weights(mut self, weights: Vec<f64>) -> Self {
        self.class_weights = Some(weights);
        self
    }
}

impl ClassRbm {
    /// A machine with Gaussian weights of standard deviation `std_dev` and no biases.
    ///
    /// # Errors
    /// [`Error::Empty`] for a layer without units, [`Error::Parameter`] for fewer than two classes or a bad standard deviation.
    pub fn random<R: Rng + ?Sized>(
        n_inputs: usize,
        n_classes: usize,
        n_hidden: usize,
        std_dev: f64,
        rng: &mut R,
    ) -> Result<Self> {
        if n_inputs == 0 || n_hidden == 0 {
            return Err(Error::Empty { what: if n_inputs == 0 { "input layer" } else { "hidden layer" } });
        }
        if n_classes < 2 {
            let value = n_classes.to_string();
            return Err(Error::Parameter { what: "number of classes", value, expected: "2 or more" });
        }
        if !(std_dev.is_finite() && std_dev >= 0.0) {
            let value = std_dev.to_string();
            let what = "standard deviation of the weights";
            return Err(Error::Parameter { what, value, expected: "a finite number >= 0" });
        }
        let n_weights = n_hidden * (n_inputs + n_classes);
        let mut parameters: Vec<f64> = (0..n_weights).map(|_| std_dev * standard_normal(rng)).collect();
        parameters.resize(n_weights + n_hidden + n_classes, 0.0);
        Ok(Self { n_inputs, n_classes, n_hidden, parameters })
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// W, U, b and d.
    fn parts(&self) -> [&[f64]; 4] {
        let (w, rest) = self.parameters.split_at(self.n_hidden * self.n_inputs);
        let (u, rest) = rest.split_at(self.n_hidden * self.n_classes);
        let (b, d) = rest.split_at(self.n_hidden);
        [w, u, b, d]
    }

    /// `b_j + W_j x`.
    fn fields(&self, x: &[f64]) -> Vec<f64> {
        let [w, _, b, _] = self.parts();
        w.chunks_exact(self.n_inputs).zip(b).map(|(row, b)| b + dot(row, x)).collect()
    }

    fn log_posterior_of_fields(&self, fields: &[f64]) -> Vec<f64> {
        let [_, u, _, d] = self.parts();
        let mut out: Vec<f64> = (0..self.n_classes)
            .map(|y| {
                let terms = fields.iter().zip(u.chunks_exact(self.n_classes));
                d[y] + terms.map(|(f, u)| softplus(f + u[y])).sum::<f64>()
            })
            .collect();
        let total = log_sum_exp(&out);
        out.iter_mut().for_each(|x| *x -= total);
        out
    }

    /// `ln P(y | x)` for every class.
    ///
    /// Cost: the number of weights, and a softplus a class and hidden unit.
    ///
    /// # Panics
    /// If `x` has not an entry for each input.
    pub fn log_posterior(&self, x: &[f64]) -> Vec<f64> {
        assert_eq!(x.len(), self.n_inputs, "{} inputs for a machine of {}", x.len(), self.n_inputs);
        self.log_posterior_of_fields(&self.fields(x))
    }

    /// The most likely class of every row.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for rows of another length.
    pub fn classify(&self, data: &BitRows) -> Result<Vec<usize>> {
        check_length("columns of the data", data.n_columns(), self.n_inputs)?;
        let best = |row: usize| {
            let posterior = self.log_posterior(&data.row_f64(row));
            (0..self.n_classes).fold(0, |best, y| if posterior[y] > posterior[best] { y } else { best })
        };
        Ok((0..data.n_rows()).map(best).collect())
    }

    /// Adds `weight` times the gradient of `-ln P(label | x)`; returns `-ln P`.
    fn add_gradient(&self, x: &[f64], label: usize, weight: f64, gradient: &mut [f64]) -> f64 {
        let fields = self.fields(x);
        let ln_p = self.log_posterior_of_fields(&fields);
        let (n_w, n_u) = (self.n_hidden * self.n_inputs, self.n_hidden * self.n_classes);
        let [_, u, _, _] = self.parts();
        for (j, field) in fields.iter().enumerate() {
            let mut total = 0.0;
            for (y, ln_p) in ln_p.iter().enumerate() {
                let excess = ln_p.exp() - f64::from(u8::from(y == label));
                let force = weight * excess * sigmoid(field + u[j * self.n_classes + y]);
                gradient[n_w + j * self.n_classes + y] += force;
                total += force;
            }
            gradient[n_w + n_u + j] += total;
            for (g, x) in gradient[j * self.n_inputs..][..self.n_inputs].iter_mut().zip(x) {
                *g += total * x;
            }
        }
        for (y, ln_p) in ln_p.iter().enumerate() {
            gradient[n_w + n_u + self.n_hidden + y] += weight * (ln_p.exp() - f64::from(u8::from(y == label)));
        }
        -ln_p[label]
    }

    /// Raises the mean log-posterior of the labels by steps of Adam along its exact gradient; returns the mean of `-ln P` over the
    /// last tenth of the steps, in nats.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there is a label for each row and a column for each input, [`Error::Alphabet`] for a label
    /// beyond the classes (its row), [`Error::Parameter`]; [`Error::Diverged`] when a parameter is not finite in the end: the
    /// machine is then the one before.
    pub fn fit(&mut self, data: &BitRows, labels: &[usize], params: &ClassTraining, streams: Streams) -> Result<f64> {
        check_length("columns of the data", data.n_columns(), self.n_inputs)?;
        check_length("labels", labels.len(), data.n_rows())?;
        if let Some(row) = labels.iter().position(|&y| y >= self.n_classes) {
            let value = labels[row] as f64;
            return Err(Error::Alphabet { row, entry: 0, value, expected: "a class below the number of classes" });
        }
        if params.batch == 0 || params.updates == 0 {
            let what = if params.batch == 0 { "rows of a batch" } else { "number of updates" };
            return Err(Error::Parameter { what, value: "0".to_owned(), expected: "1 or more" });
        }
        let ones = vec![1.0; self.n_classes];
        let class_weights = params.class_weights.as_ref().unwrap_or(&ones);
        check_length("class weights", class_weights.len(), self.n_classes)?;
        check_finite("class weights", class_weights)?;
        let adam = AdamParams::default().learning_rate(params.learning_rate).weight_decay(params.decay);
        let mut adam = Adam::new(adam, self.parameters.len())?;
        let before = self.parameters.clone();
        let mut rng = streams.fast_stream(0);
        let mut gradient = vec![0.0; self.parameters.len()];
        let mut loss = linalg_core::stats::Running::new();
        for update in 0..params.updates {
            gradient.fill(0.0);
            let mut sum = 0.0;
            for _ in 0..params.batch {
                let row = rng.random_range(0..data.n_rows() as u64) as usize;
                let weight = class_weights[labels[row]] / params.batch as f64;
                sum += self.add_gradient(&data.row_f64(row), labels[row], weight, &mut gradient);
            }
            if 10 * update >= 9 * params.updates {
                loss.push(sum / params.batch as f64);
            }
            let bad = gradient.iter().any(|g| !g.is_finite());
            if bad || adam.step(&mut self.parameters, &gradient).is_err() {
                self.parameters = before;
                return Err(Error::Diverged { update: update + 1, what: "a gradient is not finite", kept: 0 });
            }
        }
        Ok(loss.mean())
    }

    /// The machine over inputs and labels together: visible units x and then one for each class, of which exactly one must be 1.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a parameter is not.
    pub fn to_rbm(&self) -> Result<Rbm<Bernoulli, Bernoulli>> {
        let [w, u, b, d] = self.parts();
        let rows = w.chunks_exact(self.n_inputs).zip(u.chunks_exact(self.n_classes));
        let weights = rows.flat_map(|(w, u)| w.iter().chain(u).copied()).collect();
        let visible = vec![0.0; self.n_inputs].into_iter().chain(d.iter().copied()).collect();
        Rbm::new(Bernoulli, Bernoulli, weights, visible, b.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> ClassRbm {
        let mut machine = ClassRbm::random(4, 3, 5, 0.8, &mut Streams::new(3).stream(0)).unwrap();
        let mut rng = Streams::new(4).stream(0);
        machine.parameters.iter_mut().for_each(|x| *x += 0.3 * standard_normal(&mut rng));
        machine
    }

    #[test]
    fn the_posterior_is_that_of_the_joint_machine() {
        let machine = machine();
        let rbm = machine.to_rbm().unwrap();
        for state in 0..16 {
            let x: Vec<f64> = (0..4).map(|k| f64::from(state >> k & 1)).collect();
            let joint: Vec<f64> = (0..3)
                .map(|y| {
                    let mut v = x.clone();
                    v.extend((0..3).map(|k| f64::from(u8::from(k == y))));
                    -rbm.free_energy(&v, 1.0)
                })
                .collect();
            let total = log_sum_exp(&joint);
            for (got, joint) in machine.log_posterior(&x).iter().zip(&joint) {
                assert!((got - (joint - total)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let machine = machine();
        let x = [1.0, 0.0, 1.0, 1.0];
        let mut gradient = vec![0.0; machine.parameters.len()];
        let value = machine.add_gradient(&x, 2, 0.7, &mut gradient);
        assert!((value + machine.log_posterior(&x)[2]).abs() < 1e-14);
        let loss = |parameters: &[f64]| {
            let other = ClassRbm { parameters: parameters.to_vec(), ..machine.clone() };
            -0.7 * other.log_posterior(&x)[2]
        };
        let numeric = linalg_core::optim::finite_difference::gradient(loss, &machine.parameters);
        assert!(gradient.iter().zip(&numeric).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    #[test]
    fn bad_input_is_refused() {
        let data = BitRows::from_bytes(&[0, 0, 0, 1, 1, 0, 1, 1], 4).unwrap();
        let mut machine = machine();
        let before = machine.clone();
        let mut message = |labels: &[usize], params: ClassTraining| {
            machine.fit(&data, labels, &params, Streams::new(1)).unwrap_err().to_string()
        };
        assert_eq!(message(&[0], ClassTraining::default()), "labels: 1 values, expected 2");
        assert!(message(&[0, 3], ClassTraining::default()).starts_with("row 1, entry 0 is 3"));
        assert!(message(&[0, 1], ClassTraining::default().batch(0)).contains("rows of a batch is 0"));
        let weights = ClassTraining::default().class_weights(vec![1.0, f64::NAN, 1.0]);
        assert!(message(&[0, 1], weights).contains("class weights[1] is NaN"));
        assert!(message(&[0, 1], ClassTraining::default().learning_rate(f64::NAN)).contains("learning_rate"));
        assert_eq!(machine, before);
        assert!(ClassRbm::random(4, 1, 5, 0.1, &mut Streams::new(1).stream(0)).is_err());
        assert!(ClassRbm::random(0, 2, 5, 0.1, &mut Streams::new(1).stream(0)).is_err());
        let other = BitRows::from_bytes(&[0, 1], 2).unwrap();
        assert!(machine.classify(&other).is_err());
    }
}
