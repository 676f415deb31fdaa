//! Preparation and measurement by evolution before and after.

use linalg_core::eigen::hermitian_eigen;
use linalg_core::num_complex::Complex64;

use super::matrix::{ZERO, adjoint, check_size, product};
use super::{DensityMatrix, positive};
use crate::{Error, Result};

/// Measurement operators $`O_m`$ with $`\sum_m O_m^\dagger O_m = 1`$, (49).
///
/// ```
/// use linalg_core::num_complex::Complex64;
/// use physics_inference::emergent::{DensityMatrix, Povm};
/// # use physics_inference::linalg_core;
///
/// // Left or right half of four positions.
/// let half = |keep: [f64; 4]| keep.map(Complex64::from).to_vec();
/// let sides = Povm::diagonal(&[half([1.0, 1.0, 0.0, 0.0]), half([0.0, 0.0, 1.0, 1.0])])?;
/// let p = sides.probabilities(&DensityMatrix::mixture(&[0.1, 0.2, 0.3, 0.4])?);
/// assert!((p[0] - 0.3).abs() < 1e-15 && (p[1] - 0.7).abs() < 1e-15);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Povm {
    n: usize,
    operators: Vec<Vec<Complex64>>,
}

/// Largest deviation from completeness, entry by entry.
const TOLERANCE: f64 = 1e-12;

/// An error unless the operators are complete within a tolerance.
pub(super) fn check_complete(operators: &[Vec<Complex64>], n: usize, tolerance: f64) -> Result<()> {
    let (index, difference) = deviation(operators, n);
    if difference <= tolerance {
        return Ok(());
    }
    Err(Error::IncompletePovm { row: index / n.max(1), column: index % n.max(1), difference, tolerance })
}

/// The worst entry of the sum minus one.
fn deviation(operators: &[Vec<Complex64>], n: usize) -> (usize, f64) {
    let mut sum = vec![ZERO; n * n];
    for o in operators {
        let square = product(&adjoint(o, n), o, n);
        sum.iter_mut().zip(&square).for_each(|(s, x)| *s += x);
    }
    sum.iter_mut().step_by(n + 1).for_each(|s| *s -= 1.0);
    let size = |z: &Complex64| if z.is_finite() { z.norm() } else { f64::INFINITY };
    sum.iter().map(size).enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

impl Povm {
    /// Operators of `n` rows, row-major.
    ///
    /// # Errors
    /// [`linalg_core::Error::Empty`] for none, [`Error::IncompletePovm`] when they do not add up to one within $`10^{-12}`$.
    ///
    /// # Panics
    /// When an operator has not `n * n` entries.
    pub fn new(operators: Vec<Vec<Complex64>>, n: usize) -> Result<Self> {
        if operators.is_empty() || n == 0 {
            return Err(linalg_core::Error::Empty { what: "measurement" }.into());
        }
        operators.iter().for_each(|o| check_size(o, n));
        check_complete(&operators, n, TOLERANCE)?;
        Ok(Self { n, operators })
    }

    /// Operators that are diagonal in the positions, which is what the paper's networks can measure.
    ///
    /// # Errors
    /// As [`Povm::new`].
    ///
    /// # Panics
    /// When the diagonals differ in length.
    pub fn diagonal(diagonals: &[Vec<Complex64>]) -> Result<Self> {
        let n = diagonals.first().map_or(0, Vec::len);
        diagonals.iter().for_each(|d| assert!(d.len() == n, "{} entries beside {n}", d.len()));
        Self::new(diagonals.iter().map(|d| super::matrix::diagonal(d)).collect(), n)
    }

    /// The operators, row-major.
    pub fn operators(&self) -> &[Vec<Complex64>] {
        &self.operators
    }

    /// Largest entry of $`\left|\sum_m O_m^\dagger O_m - 1\right|`$.
    pub fn deviation(&self) -> f64 {
        deviation(&self.operators, self.n).1
    }

    /// $`p(m) = \mathrm{tr}\,(O_m\rho O_m^\dagger)`$, (48).
    ///
    /// # Panics
    /// When the state has another number of positions.
    pub fn probabilities(&self, state: &DensityMatrix) -> Vec<f64> {
        let n = state.n_positions();
        assert!(n == self.n, "a state of {n} positions, operators of {}", self.n);
        self.operators.iter().map(|o| state.probability(o)).collect()
    }
}

/// $`e^{-iHt/\hbar}`$ of a Hermitian matrix of `n` rows, row-major. O(n³).
///
/// # Errors
/// Those of [`hermitian_eigen`]; [`Error::NotFinite`] for `t`, [`Error::Parameter`] for ħ.
///
/// # Panics
/// When there are not `n * n` entries.
pub fn unitary(h: &[Complex64], n: usize, t: f64, hbar: f64) -> Result<Vec<Complex64>> {
    let angle = super::finite("time", t)? / positive("hbar", hbar)?;
    Ok(hermitian_eigen(h, n)?.function(|e| Complex64::cis(-angle * e)))
}

/// The state after an evolution for a time `t` that precedes the experiment, (44) and (46).
///
/// # Errors
/// As [`unitary`].
///
/// # Panics
/// When the Hamiltonian has another size than the state.
pub fn prepare(start: &DensityMatrix, h: &[Complex64], t: f64, hbar: f64) -> Result<DensityMatrix> {
    start.evolve(&unitary(h, start.n_positions(), t, hbar)?)
}

/// The measurement that an evolution for a time `t` and then `readout` amount to: $`O_m = U^\dagger D_m U`$, (56).
///
/// ```
/// use linalg_core::num_complex::Complex64;
/// use physics_inference::emergent::{DensityMatrix, Povm, effective_povm, hopping_hamiltonian, prepare};
/// # use physics_inference::linalg_core;
///
/// let h = hopping_hamiltonian(1.0, &[0.0, 0.5]);
/// let place = |k: usize| (0..2).map(|i| Complex64::from(f64::from(u8::from(i == k)))).collect();
/// let readout = Povm::diagonal(&[place(0), place(1)])?;
/// let state = DensityMatrix::mixture(&[0.9, 0.1])?;
/// let later = readout.probabilities(&prepare(&state, &h, 0.7, 1.0)?);
/// let now = effective_povm(&readout, &h, 0.7, 1.0)?.probabilities(&state);
/// assert!((later[0] - now[0]).abs() < 1e-14);
/// # Ok::<(), physics_inference::Error>(())
/// ```
///
/// # Errors
/// As [`unitary`].
///
/// # Panics
/// When the Hamiltonian has another size than the operators.
pub fn effective_povm(readout: &Povm, h: &[Complex64], t: f64, hbar: f64) -> Result<Povm> {
    let n = readout.n;
    let back = unitary(h, n, -t, hbar)?;
    let operators = readout.operators.iter().map(|d| super::matrix::conjugate(&back, d, n)).collect();
    Povm::new(operators, n)
}

/// Hopping between neighbours of an open chain and a potential on its sites, row-major.
pub fn hopping_hamiltonian(hop: f64, potential: &[f64]) -> Vec<Complex64> {
    let n = potential.len();
    let mut h = super::matrix::diagonal(&potential.iter().map(|v| (*v).into()).collect::<Vec<_>>());
    for i in 1..n {
        h[i * n + i - 1] -= hop;
        h[(i - 1) * n + i] -= hop;
    }
    h
}

/// Dimension of the real Lie algebra that $`iH_1, iH_2, \dots`$ generate: $`n^2`$ when sequences of evolutions under them reach
/// every unitary, up to products of arbitrarily small steps.
///
/// With hopping fixed and any diagonal potential, four sites give 16 = u(4): every pure state can be prepared by a sequence of
/// potentials. One constant potential is not enough for more than three sites: with its time it has $`n + 1`$ real parameters, a
/// state has $`2n - 2`$. Commutators until nothing new appears, orthogonalised: $`O(n^6)`$ times the number of generators.
///
/// # Errors
/// [`linalg_core::Error::NotHermitian`] and [`linalg_core::Error::NotFinite`] for a generator.
///
/// # Panics
/// When a generator has not `n * n` entries.
pub fn lie_algebra_dimension(hamiltonians: &[Vec<Complex64>], n: usize) -> Result<usize> {
    let i = Complex64::new(0.0, 1.0);
    let mut basis: Vec<Vec<Complex64>> = Vec::new();
    // The real inner product of matrices; what is left of a unit matrix outside the span counts from 1e-9, and so does the
    // commutator of two of them.
    let insert = |basis: &mut Vec<Vec<Complex64>>, mut a: Vec<Complex64>| {
        let norm = |a: &[Complex64]| a.iter().map(Complex64::norm_sqr).sum::<f64>().sqrt();
        let size = norm(&a);
        if size <= 1e-9 {
            return;
        }
        a.iter_mut().for_each(|z| *z /= size);
        for _ in 0..2 {
            for b in basis.iter() {
                let overlap: f64 = b.iter().zip(&a).map(|(b, a)| (b.conj() * a).re).sum();
                a.iter_mut().zip(b).for_each(|(a, b)| *a -= overlap * b);
            }
        }
        let rest = norm(&a);
        if rest > 1e-9 {
            a.iter_mut().for_each(|z| *z /= rest);
            basis.push(a);
        }
    };
    for h in hamiltonians {
        check_size(h, n);
        // Refuses what is not Hermitian.
        hermitian_eigen(h, n)?;
        // A generator is as good as a multiple of it: only an exact 0 is none.
        let largest = h.iter().map(|z| z.re.abs().max(z.im.abs())).fold(0.0, f64::max);
        if largest > 0.0 {
            insert(&mut basis, h.iter().map(|z| i * z / largest).collect());
        }
    }
    let mut done = 0;
    while done < basis.len() {
        for other in 0..done {
            let (a, b) = (&basis[done], &basis[other]);
            let commutator = product(a, b, n).iter().zip(product(b, a, n)).map(|(x, y)| x - y).collect();
            insert(&mut basis, commutator);
        }
        done += 1;
    }
    Ok(basis.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rng::standard_normal;

    fn random_hermitian(n: usize, seed: u64) -> Vec<Complex64> {
        let mut rng = Streams::new(seed).stream(0);
        let a: Vec<Complex64> =
            (0..n * n).map(|_| Complex64::new(standard_normal(&mut rng), standard_normal(&mut rng))).collect();
        a.iter().zip(adjoint(&a, n)).map(|(x, y)| 0.5 * (x + y)).collect()
    }

    #[test]
    fn measuring_later_is_measuring_something_else_now() {
        for seed in 0..5 {
            let n = 5;
            let h = random_hermitian(n, seed);
            // Two random diagonal operators, complete.
            let mut rng = Streams::new(seed).stream(1);
            let angles: Vec<f64> = (0..n).map(|_| standard_normal(&mut rng)).collect();
            let phase = |k: f64| Complex64::cis(k);
            let first: Vec<Complex64> = angles.iter().map(|a| a.cos() * phase(3.0 * a)).collect();
            let second: Vec<Complex64> = angles.iter().map(|a| a.sin() * phase(-a)).collect();
            let readout = Povm::diagonal(&[first, second]).unwrap();
            let start = DensityMatrix::mixture(&[0.4, 0.3, 0.1, 0.1, 0.1]).unwrap();
            let state = prepare(&start, &random_hermitian(n, seed + 100), 0.9, 1.07).unwrap();
            assert!((state.purity() - start.purity()).abs() < 1e-13);
            assert!((state.entropy().unwrap() - start.entropy().unwrap()).abs() < 1e-12);
            let effective = effective_povm(&readout, &h, 0.6, 1.07).unwrap();
            assert!(effective.deviation() < 5e-15, "{}", effective.deviation());
            let later = readout.probabilities(&prepare(&state, &h, 0.6, 1.07).unwrap());
            let now = effective.probabilities(&state);
            assert!(later.iter().zip(&now).all(|(a, b)| (a - b).abs() < 1e-14));
            assert!((later.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            // It is not diagonal any more.
            assert!(effective.operators()[0][1].norm() > 1e-3);
        }
    }

    #[test]
    fn which_states_can_be_prepared() {
        // Any potentials: hopping and the n projectors generate u(n).
        for n in 2..=5 {
            let mut generators = vec![hopping_hamiltonian(1.0, &vec![0.0; n])];
            for k in 0..n {
                let mut v = vec![0.0; n];
                v[k] = 1.0;
                generators.push(super::super::matrix::diagonal(&v.iter().map(|v| (*v).into()).collect::<Vec<_>>()));
            }
            assert_eq!(lie_algebra_dimension(&generators, n).unwrap(), n * n);
        }
        // One constant Hamiltonian: a line; diagonal ones alone: phases only.
        assert_eq!(lie_algebra_dimension(&[hopping_hamiltonian(1.0, &[0.1, 0.2, 0.3, 0.4])], 4).unwrap(), 1);
        let diagonal = |v: [f64; 4]| super::super::matrix::diagonal(&v.map(Complex64::from));
        let phases = [diagonal([1.0, 0.0, 0.0, 0.0]), diagonal([0.0, 1.0, 2.0, 0.0])];
        assert_eq!(lie_algebra_dimension(&phases, 4).unwrap(), 2);
        assert_eq!(lie_algebra_dimension(&[], 4).unwrap(), 0);
        // The unit of energy does not matter; 0 generates nothing.
        let in_units =
            |size: f64| [hopping_hamiltonian(size, &[0.0; 4]), diagonal([size, 0.0, 0.0, 0.0]), diagonal([0.0; 4])];
        for size in [1e-30, 1e-10, 1.0, 1e100] {
            assert_eq!(lie_algebra_dimension(&in_units(size), 4).unwrap(), 16, "{size}");
        }
    }

    #[test]
    fn bad_input() {
        let one = Complex64::new(1.0, 0.0);
        assert!(Povm::new(vec![], 2).is_err());
        let half = Povm::diagonal(&[vec![one, one * 0.5]]);
        assert!(matches!(half, Err(Error::IncompletePovm { row: 1, column: 1, .. })));
        assert!(Povm::diagonal(&[vec![one * f64::NAN, one]]).is_err());
        assert!(unitary(&[one], 1, f64::NAN, 1.0).is_err() && unitary(&[one], 1, 1.0, 0.0).is_err());
        assert!(lie_algebra_dimension(&[vec![one, one, -one, one]], 2).is_err());
    }
}
