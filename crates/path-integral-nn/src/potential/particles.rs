//! Particles in given potentials, and their coupling.

use std::sync::Arc;

use super::Potential;
use crate::error::{Error, Result};

/// Particles on a line, each in a potential of its own, coupled in pairs.
///
/// $`V(x_1 \dots x_n) = \sum_i V_i(x_i) + \sum_{(i,j)} V_{ij}(x_i - x_j)`$.
///
/// ```
/// use path_integral_nn::potential::{Particles, Potential};
/// use path_integral_nn::Polynomial;
///
/// // Two oscillators and a spring between them.
/// let mut pair = Particles::new();
/// let (a, b) = (pair.add(Polynomial::oscillator(1.0, 1.0)?)?, pair.add(Polynomial::oscillator(1.0, 1.0)?)?);
/// pair.couple(a, b, Polynomial::new(&[0.0, 0.0, 0.5])?)?;
/// assert_eq!(pair.value(&[1.0, -1.0]), 3.0); // 1/2 + 1/2 + 2²/2
/// # Ok::<(), path_integral_nn::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Particles {
    own: Vec<Arc<dyn Potential>>,
    pairs: Vec<(usize, usize, Arc<dyn Potential>)>,
}

fn one_dimensional(potential: &dyn Potential) -> Result<()> {
    if potential.dim() == 1 {
        return Ok(());
    }
    let value = potential.dim() as f64;
    Err(Error::Parameter { what: "dimension of a particle's potential", value, expected: "1: a coordinate each" })
}

impl Particles {
    /// No particles yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a particle in a potential and returns its number.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the potential has one coordinate.
    pub fn add<P: Potential + 'static>(&mut self, potential: P) -> Result<usize> {
        one_dimensional(&potential)?;
        self.own.push(Arc::new(potential));
        Ok(self.own.len() - 1)
    }

    /// Couples two particles by a potential of $`x_i - x_j`$.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the potential has one coordinate and the particles exist and differ.
    pub fn couple<P: Potential + 'static>(&mut self, i: usize, j: usize, potential: P) -> Result<()> {
        one_dimensional(&potential)?;
        let largest = i.max(j);
        if largest >= self.own.len() || i == j {
            let expected = "two different particles that were added before";
            return Err(Error::Parameter { what: "particle", value: largest as f64, expected });
        }
        self.pairs.push((i, j, Arc::new(potential)));
        Ok(())
    }
}

impl Potential for Particles {
    fn dim(&self) -> usize {
        self.own.len()
    }

    fn value(&self, x: &[f64]) -> f64 {
        let own: f64 = self.own.iter().zip(x).map(|(v, x)| v.value(&[*x])).sum();
        own + self.pairs.iter().map(|(i, j, v)| v.value(&[x[*i] - x[*j]])).sum::<f64>()
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        for ((v, x), g) in self.own.iter().zip(x).zip(out.iter_mut()) {
            v.gradient(&[*x], std::slice::from_mut(g));
        }
        for (i, j, v) in &self.pairs {
            let mut slope = [0.0];
            v.gradient(&[x[*i] - x[*j]], &mut slope);
            out[*i] += slope[0];
            out[*j] -= slope[0];
        }
    }

    fn hessian_product(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        for (k, potential) in self.own.iter().enumerate() {
            potential.hessian_product(&x[k..=k], &v[k..=k], &mut out[k..=k]);
        }
        for (i, j, potential) in &self.pairs {
            let mut product = [0.0];
            potential.hessian_product(&[x[*i] - x[*j]], &[v[*i] - v[*j]], &mut product);
            out[*i] += product[0];
            out[*j] -= product[0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Polynomial;

    #[test]
    fn derivatives_by_differences() {
        let mut chain = Particles::new();
        for k in 0..3 {
            chain.add(Polynomial::new(&[0.0, 0.1 * f64::from(k), 0.5, 0.0, 1.0]).unwrap()).unwrap();
        }
        chain.couple(0, 1, Polynomial::new(&[0.0, 0.0, 0.7]).unwrap()).unwrap();
        chain.couple(2, 1, Polynomial::new(&[0.0, 0.2, 0.0, 0.0, 0.3]).unwrap()).unwrap();
        let x = [0.3, -0.8, 0.5];
        let check = linalg_core::optim::finite_difference::gradient(|x| chain.value(x), &x);
        let mut g = [0.0; 3];
        chain.gradient(&x, &mut g);
        assert!(g.iter().zip(&check).all(|(a, b)| (a - b).abs() < 1e-8), "{g:?} {check:?}");
        let v = [0.4, 1.0, -0.2];
        let mut product = [0.0; 3];
        chain.hessian_product(&x, &v, &mut product);
        for k in 0..3 {
            let along = linalg_core::optim::finite_difference::directional_derivative(
                |x| {
                    let mut g = [0.0; 3];
                    chain.gradient(x, &mut g);
                    g[k]
                },
                &x,
                &v,
            );
            assert!((product[k] - along).abs() < 1e-7);
        }
        assert!(chain.couple(0, 3, Polynomial::new(&[0.0, 0.0, 1.0]).unwrap()).is_err());
        assert!(chain.couple(1, 1, Polynomial::new(&[0.0, 0.0, 1.0]).unwrap()).is_err());
    }
}
