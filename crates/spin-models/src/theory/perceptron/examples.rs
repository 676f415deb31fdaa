//! Inputs with labels.

use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::standard_normal;

use crate::{Error, Result, Spins};

/// The law of random inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Inputs {
    /// Independent standard Gaussian components.
    Gaussian,
    /// Independent components ±1.
    Signs,
}

/// Inputs of N components, each with a label of ±1.
///
/// ```
/// use spin_models::theory::perceptron::Examples;
///
/// let examples = Examples::new(2, vec![1.0, 0.5, -1.0, 2.0], vec![1, -1])?;
/// assert_eq!((examples.n_inputs(), examples.len(), examples.load()), (2, 2, 1.0));
/// assert_eq!(examples.input(1), [-1.0, 2.0]);
/// // The second label is missed by the weights (1, 1).
/// assert_eq!(examples.errors(&[1.0, 1.0]), 1);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Examples {
    n: usize,
    inputs: Vec<f64>,
    labels: Vec<i8>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n: usize,
    inputs: Vec<f64>,
    labels: Vec<i8>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Examples {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        Self::new(unchecked.n, unchecked.inputs, unchecked.labels)
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums side by side do not wait for one another.
    let (a_rows, a_rest) = a.as_chunks::<8>();
    let (b_rows, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_rows.iter().zip(b_rows) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

fn draw<R: Rng + ?Sized>(n: usize, m: usize, inputs: Inputs, rng: &mut R) -> Result<Vec<f64>> {
    if n == 0 {
        return Err(Error::NoSpins);
    }
    let Some(size) = n.checked_mul(m).filter(|&size| size <= isize::MAX as usize / 8) else {
        let bound = isize::MAX as usize / 8 / n;
        return Err(Error::TooLarge { solver: "examples", what: "number of examples", value: m, bound });
    };
    Ok(match inputs {
        Inputs::Gaussian => (0..size).map(|_| standard_normal(rng)).collect(),
        Inputs::Signs => Spins::random(size, rng).iter().map(|&s| f64::from(s)).collect(),
    })
}

impl Examples {
    /// Inputs as rows of `n` numbers with a label each; none is allowed.
    ///
    /// # Errors
    /// [`Error::NoSpins`] for no components; [`Error::WrongLength`] unless there are `n` numbers for each label; [`Error::NotFinite`];
    /// [`Error::Parameter`] for a label other than ±1.
    pub fn new(n: usize, inputs: Vec<f64>, labels: Vec<i8>) -> Result<Self> {
        if n == 0 {
            return Err(Error::NoSpins);
        }
        if labels.len().checked_mul(n) != Some(inputs.len()) {
            let expected = labels.len().saturating_mul(n);
            return Err(Error::WrongLength { what: "components of inputs", got: inputs.len(), expected });
        }
        if let Some(entry) = inputs.iter().position(|x| !x.is_finite()) {
            let (what, sites) = ("component of an input", vec![entry % n]);
            return Err(Error::NotFinite { what, entry, sites, value: inputs[entry] });
        }
        if let Some(k) = labels.iter().position(|&y| y != 1 && y != -1) {
            let value = format!("{} at example {k}", labels[k]);
            return Err(Error::Parameter { what: "label", value, expected: "-1 or 1" });
        }
        Ok(Self { n, inputs, labels })
    }

    /// `m` random inputs with random labels: patterns to be stored.
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::TooLarge`] if the inputs are more than memory can have.
    pub fn random<R: Rng + ?Sized>(n: usize, m: usize, inputs: Inputs, rng: &mut R) -> Result<Self> {
        let inputs = draw(n, m, inputs, rng)?;
        Ok(Self { n, inputs, labels: Spins::random(m, rng).into_vec() })
    }

    /// `m` random inputs labelled by a teacher, $`y = \mathrm{sign}(\frac{1}{\sqrt N} w^* \cdot x + \sqrt\Delta\, \xi)`$.
    ///
    /// # Errors
    /// As [`random`](Self::random); [`Error::NotFinite`] for a weight; [`Error::Parameter`] for a noise Δ that is negative or not finite.
    pub fn from_teacher<R: Rng + ?Sized>(
        teacher: &[f64],
        m: usize,
        inputs: Inputs,
        noise: f64,
        rng: &mut R,
    ) -> Result<Self> {
        if !(noise >= 0.0 && noise.is_finite()) {
            let value = noise.to_string();
            return Err(Error::Parameter { what: "noise", value, expected: "a finite number >= 0" });
        }
        if let Some(entry) = teacher.iter().position(|w| !w.is_finite()) {
            return Err(Error::NotFinite { what: "weight", entry, sites: vec![entry], value: teacher[entry] });
        }
        let n = teacher.len();
        let inputs = draw(n, m, inputs, rng)?;
        let mut label = |x: &[f64]| {
            let field = dot(teacher, x) / (n as f64).sqrt() + noise.sqrt() * standard_normal(rng);
            // A field of 0 is a tie.
            if field > 0.0 || field >= 0.0 && rng.random() { 1 } else { -1 }
        };
        let labels = inputs.chunks_exact(n).map(&mut label).collect();
        Ok(Self { n, inputs, labels })
    }

    /// Number of components N of an input.
    pub fn n_inputs(&self) -> usize {
        self.n
    }

    /// Number of examples M.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The load α = M/N.
    pub fn load(&self) -> f64 {
        self.len() as f64 / self.n as f64
    }

    /// The input of example `k`.
    ///
    /// # Panics
    /// If there is no such example.
    pub fn input(&self, k: usize) -> &[f64] {
        assert!(k < self.len(), "example {k} of {}", self.len());
        &self.inputs[k * self.n..(k + 1) * self.n]
    }

    /// All labels.
    pub fn labels(&self) -> &[i8] {
        &self.labels
    }

    /// All inputs, a row of N numbers each.
    pub(super) fn inputs(&self) -> &[f64] {
        &self.inputs
    }

    /// Examples with their labels.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[f64], i8)> {
        self.inputs.chunks_exact(self.n).zip(self.labels.iter().copied())
    }

    /// How many labels `sign(w·x)` misses; a field of 0 misses.
    ///
    /// # Panics
    /// If there are not N weights.
    pub fn errors(&self, weights: &[f64]) -> usize {
        assert_eq!(weights.len(), self.n, "{} weights for inputs of {}", weights.len(), self.n);
        // The complement of a positive product, so that NaN counts as missed.
        self.len() - self.iter().filter(|(x, y)| f64::from(*y) * dot(weights, x) > 0.0).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::stats::Running;

    /// A noiseless teacher misses none of its labels, one with Δ = 1 a quarter of them: arccos(1/√2)/π. 20000 labels, seed 40.
    #[test]
    fn teachers_label_as_they_should() {
        let mut rng = Streams::new(40).stream(0);
        let teacher: Vec<f64> = (0..50).map(|_| standard_normal(&mut rng)).collect();
        let norm = (dot(&teacher, &teacher) / 50.0).sqrt();
        let teacher: Vec<f64> = teacher.iter().map(|w| w / norm).collect();
        for inputs in [Inputs::Gaussian, Inputs::Signs] {
            assert_eq!(Examples::from_teacher(&teacher, 1000, inputs, 0.0, &mut rng).unwrap().errors(&teacher), 0);
        }
        let noisy = Examples::from_teacher(&teacher, 20_000, Inputs::Gaussian, 1.0, &mut rng).unwrap();
        let missed = noisy.errors(&teacher) as f64 / 2e4;
        assert!((missed - 0.25).abs() < 4.0 * (0.25f64 * 0.75 / 2e4).sqrt(), "{missed}");
        let random = Examples::random(50, 2000, Inputs::Signs, &mut rng).unwrap();
        let mean: Running = random.labels().iter().map(|&y| f64::from(y)).collect();
        assert!(mean.mean().abs() < 4.0 * mean.std_error());
    }

    #[test]
    fn bad_examples_are_named() {
        let text = |n, x, y| Examples::new(n, x, y).unwrap_err().to_string();
        assert_eq!(text(2, vec![1.0; 3], vec![1, 1]), "components of inputs: 3 values for 4");
        assert_eq!(text(1, vec![1.0, 2.0], vec![1, 0]), "label is 0 at example 1, expected -1 or 1");
        assert!(text(1, vec![f64::NAN], vec![1]).contains("NaN"));
        assert!(Examples::new(0, vec![], vec![]).is_err());
        let mut rng = Streams::new(0).stream(0);
        assert!(Examples::random(3, usize::MAX, Inputs::Signs, &mut rng).is_err());
        assert!(Examples::from_teacher(&[1.0], 1, Inputs::Signs, -1.0, &mut rng).is_err());
        assert!(Examples::from_teacher(&[f64::NAN], 1, Inputs::Signs, 0.0, &mut rng).is_err());
        assert!(Examples::from_teacher(&[], 1, Inputs::Signs, 0.0, &mut rng).is_err());
    }
}
