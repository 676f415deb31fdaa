//! A potential with the corrections of a higher-order action.

use std::sync::Arc;

use super::{Potential, SECOND_DIFFERENCE};

/// $`V + a\,|\nabla V|^2 + b\,\nabla^2 V`$.
#[derive(Debug)]
struct Corrected {
    potential: Arc<dyn Potential>,
    gradient_squared: f64,
    laplacian: f64,
}

/// $`V + a\,|\nabla V|^2 + b\,\nabla^2 V`$, in closed form if the potential has one.
pub(crate) fn corrected(potential: &Arc<dyn Potential>, gradient_squared: f64, laplacian: f64) -> Arc<dyn Potential> {
    if gradient_squared == 0.0 && laplacian == 0.0 {
        return Arc::clone(potential);
    }
    potential
        .with_corrections(gradient_squared, laplacian)
        .unwrap_or_else(|| Arc::new(Corrected { potential: Arc::clone(potential), gradient_squared, laplacian }))
}

impl Potential for Corrected {
    fn dim(&self) -> usize {
        self.potential.dim()
    }

    fn value(&self, x: &[f64]) -> f64 {
        let mut sum = self.potential.value(x);
        if self.gradient_squared != 0.0 {
            let mut g = vec![0.0; x.len()];
            self.potential.gradient(x, &mut g);
            sum += self.gradient_squared * g.iter().map(|a| a * a).sum::<f64>();
        }
        if self.laplacian != 0.0 {
            sum += self.laplacian * self.potential.laplacian(x);
        }
        sum
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        let n = x.len();
        let mut work = vec![0.0; n];
        self.potential.gradient(x, out);
        if self.gradient_squared != 0.0 {
            let slope = out.to_vec();
            self.potential.hessian_product(x, &slope, &mut work);
            out.iter_mut().zip(&work).for_each(|(o, w)| *o += 2.0 * self.gradient_squared * w);
        }
        if self.laplacian != 0.0 {
            let mut point = x.to_vec();
            for i in 0..n {
                let h = SECOND_DIFFERENCE * (1.0 + x[i].abs());
                point[i] = x[i] + h;
                let above = self.potential.laplacian(&point);
                point[i] = x[i] - h;
                out[i] += self.laplacian * (above - self.potential.laplacian(&point)) / (2.0 * h);
                point[i] = x[i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::potential::{Closure, Polynomial};

    #[test]
    fn closed_form_agrees_with_composition() {
        let polynomial = Polynomial::new(&[0.1, -0.3, 0.5, 0.2, 1.0]).unwrap();
        let copy = polynomial.clone();
        let closure: Arc<dyn Potential> = Arc::new(Closure::one_dimensional(move |x| copy.value(&[x])));
        let exact = corrected(&(Arc::new(polynomial) as Arc<dyn Potential>), 0.02, 0.05);
        let composed = corrected(&closure, 0.02, 0.05);
        for x in [-1.3, 0.0, 0.4, 2.0] {
            let (a, b) = (exact.value(&[x]), composed.value(&[x]));
            assert!((a - b).abs() < 1e-6 * (1.0 + a.abs()), "{x}: {a} {b}");
            let (mut f, mut g) = ([0.0], [0.0]);
            exact.gradient(&[x], &mut f);
            composed.gradient(&[x], &mut g);
            assert!((f[0] - g[0]).abs() < 3e-4 * (1.0 + f[0].abs()), "{x}: {f:?} {g:?}");
        }
    }
}
