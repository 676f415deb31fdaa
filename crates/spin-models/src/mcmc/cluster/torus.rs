//! The uniform ferromagnet on a periodic lattice, without stored couplings.

use linalg_core::checkpoint::ContentHash;

use crate::model::{CachedModel, EnergyModel};
use crate::models::{Duplicates, Ising};
use crate::{Error, Result};

/// The most dimensions a [`UniformTorus`] has.
pub(super) const MAX_DIMENSIONS: usize = 4;

/// The nearest-neighbour ferromagnet on a periodic hypercubic lattice, one coupling $`J ≥ 0`$ and no field.
///
/// ```math
/// E(s) = -J \sum_{x} \sum_{a=1}^{d} s_x s_{x + e_a}
/// ```
///
/// Sites are numbered as in [`Lattice`](crate::Lattice), the last direction fastest. Every site has a bond in every
/// direction, so that a direction of length 2 has two bonds between the same spins, together 2J. The couplings are
/// not stored: this is the model that [`TorusWolff`](super::TorusWolff) and
/// [`TorusSwendsenWang`](super::TorusSwendsenWang) simulate.
///
/// ```
/// use spin_models::EnergyModel;
/// use spin_models::mcmc::cluster::UniformTorus;
///
/// let torus = UniformTorus::new(&[2, 3], 1.0)?;
/// assert_eq!(torus.energy(&[1; 6]), -12.0);
/// // One spin turned: its four bonds are broken.
/// assert_eq!(torus.energy(&[1, -1, 1, 1, 1, 1]), -4.0);
/// assert_eq!(torus.delta_energy(&[1; 6], 1), 8.0);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UniformTorus {
    lengths: Vec<usize>,
    coupling: f64,
    /// A constant in the energy, that of a recognised model.
    offset: f64,
}

impl UniformTorus {
    /// A lattice of the given lengths, one to four of them, each at least 2.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no or too many lengths, a length below 2 or a coupling that is not finite or
    /// negative; [`Error::TooLarge`] above 2³¹ sites.
    pub fn new(lengths: &[usize], coupling: f64) -> Result<Self> {
        if lengths.is_empty() || lengths.len() > MAX_DIMENSIONS {
            return Err(Error::Parameter {
                what: "number of lengths of a torus",
                value: lengths.len().to_string(),
                expected: "1 to 4",
            });
        }
        if let Some((axis, &length)) = lengths.iter().enumerate().find(|&(_, &length)| length < 2) {
            return Err(Error::Parameter {
                what: "length of a torus",
                value: format!("{length} in direction {axis}"),
                expected: "at least 2",
            });
        }
        let bound = 1usize << 31;
        let n = lengths.iter().try_fold(1usize, |n, &length| n.checked_mul(length)).unwrap_or(usize::MAX);
        if n > bound {
            return Err(Error::TooLarge { solver: "uniform torus", what: "number of sites", value: n, bound });
        }
        if !coupling.is_finite() || coupling < 0.0 {
            return Err(Error::Parameter {
                what: "coupling of a torus",
                value: coupling.to_string(),
                expected: "a finite number >= 0",
            });
        }
        Ok(Self { lengths: lengths.to_vec(), coupling, offset: 0.0 })
    }

    /// The lengths, in the order of [`new`](Self::new).
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The lengths, that of the fastest direction first.
    pub(super) fn fastest_first(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.lengths.iter().rev().copied()
    }

    /// The coupling J.
    pub fn coupling(&self) -> f64 {
        self.coupling
    }

    /// The constant in the energy: 0, or that of the model that was [recognised](Self::recognize).
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// The same model as a graph, with the sites in this order; parallel bonds are added.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when twice the coupling overflows.
    pub fn to_ising(&self) -> Result<Ising> {
        let n = self.n_spins();
        let bonds = (0..n).flat_map(|i| (0..self.lengths.len()).map(move |axis| (i, axis)));
        let couplings = bonds.map(|(i, axis)| (i, self.neighbors(i, axis)[1], self.coupling));
        Ising::builder(n).duplicates(Duplicates::Sum).couplings(couplings).offset(self.offset).build()
    }

    /// Whether `model` is this one, up to the constant in its energy: for choosing the fast kernels.
    ///
    /// ```
    /// use spin_models::mcmc::cluster::UniformTorus;
    ///
    /// let torus = UniformTorus::new(&[4, 3], 0.5)?;
    /// assert!(torus.describes(&torus.to_ising()?));
    /// assert!(!UniformTorus::new(&[3, 4], 0.5)?.describes(&torus.to_ising()?));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn describes(&self, model: &Ising) -> bool {
        if model.n_spins() != self.n_spins() || model.has_fields() {
            return false;
        }
        // Each bond that is met must be among those of the lattice, and none may be missing.
        let parallel = |length: usize| if length == 2 { 1 } else { 2 };
        let degree: usize = self.lengths.iter().map(|&length| parallel(length)).sum();
        let of_axis = |length: usize| if length == 2 { 2.0 * self.coupling } else { self.coupling };
        (0..self.n_spins()).all(|i| {
            model.degree(i) == degree
                && (0..self.lengths.len()).all(|axis| {
                    let (neighbors, couplings) = model.row(i);
                    self.neighbors(i, axis).into_iter().all(|j| {
                        let place = neighbors.iter().position(|&k| k as usize == j);
                        place.is_some_and(|k| couplings[k].to_bits() == of_axis(self.lengths[axis]).to_bits())
                    })
                })
        })
    }

    /// The torus that `model` is, with the constant in its energy, read off from the numbers of the neighbours.
    ///
    /// `None` for anything but a uniform ferromagnet whose sites are numbered as here. `O(N)`.
    ///
    /// ```
    /// use spin_models::mcmc::cluster::UniformTorus;
    /// use spin_models::{Boundary, Ising};
    ///
    /// let torus = UniformTorus::recognize(&Ising::cubic(4, Boundary::Periodic, 1.0)?);
    /// assert_eq!(torus, Some(UniformTorus::new(&[4, 4, 4], 1.0)?));
    /// assert_eq!(UniformTorus::recognize(&Ising::cubic(4, Boundary::Free, 1.0)?), None);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn recognize(model: &Ising) -> Option<Self> {
        let (neighbors, couplings) = model.row(0);
        if neighbors.len() > 2 * MAX_DIMENSIONS {
            return None;
        }
        let mut bonds: Vec<(usize, f64)> =
            neighbors.iter().map(|&j| j as usize).zip(couplings.iter().copied()).collect();
        bonds.sort_by_key(|&(j, _)| j);
        let mut lengths = Vec::new();
        Self::search(model, &bonds, 1, &mut lengths)
    }

    /// Completes `lengths`, the fastest first, whose product is `stride`; `bonds` are those of site 0 not yet explained.
    fn search(model: &Ising, bonds: &[(usize, f64)], stride: usize, lengths: &mut Vec<usize>) -> Option<Self> {
        let Some((&(j, coupling), rest)) = bonds.split_first() else {
            let slowest_first: Vec<usize> = lengths.iter().rev().copied().collect();
            let (neighbors, couplings) = model.row(0);
            let fastest = couplings[neighbors.iter().position(|&j| j == 1)?];
            let coupling = if *lengths.first()? == 2 { fastest / 2.0 } else { fastest };
            let torus = Self::new(&slowest_first, coupling).ok()?;
            return torus.describes(model).then_some(Self { offset: model.offset(), ..torus });
        };
        if j != stride || lengths.len() == MAX_DIMENSIONS || coupling < 0.0 {
            return None;
        }
        // A direction of length 2 has one neighbour; any other has a second one at the far end.
        let far = rest.iter().enumerate().filter(|(_, far)| far.0.is_multiple_of(stride));
        let longer: Vec<(usize, usize)> = far.map(|(k, far)| (k, far.0 / stride + 1)).collect();
        for (k, length) in longer {
            let mut others = rest.to_vec();
            others.remove(k);
            lengths.push(length);
            if let Some(torus) = Self::search(model, &others, stride * length, lengths) {
                return Some(torus);
            }
            lengths.pop();
        }
        lengths.push(2);
        let torus = Self::search(model, rest, 2 * stride, lengths);
        if torus.is_none() {
            lengths.pop();
        }
        torus
    }

    /// The neighbours of site `i` down and up a direction.
    fn neighbors(&self, i: usize, axis: usize) -> [usize; 2] {
        let stride: usize = self.lengths[axis + 1..].iter().product();
        let length = self.lengths[axis];
        let x = i / stride % length;
        let down = if x == 0 { i + stride * (length - 1) } else { i - stride };
        let up = if x + 1 == length { i + stride - stride * length } else { i + stride };
        [down, up]
    }
}

fn products(a: &[i8], b: &[i8]) -> i64 {
    // Sums of up to 64 products fit in a byte, which lets the loop run over whole registers.
    a.chunks(64)
        .zip(b.chunks(64))
        .map(|(a, b)| i64::from(a.iter().zip(b).fold(0i8, |sum, (&a, &b)| sum.wrapping_add(a.wrapping_mul(b)))))
        .sum()
}

impl EnergyModel for UniformTorus {
    fn n_spins(&self) -> usize {
        self.lengths.iter().product()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        let n = self.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
        let mut sum = 0;
        let mut stride = 1;
        for length in self.fastest_first() {
            // Along a direction the lattice is a row of blocks, each `length` slabs of `stride` sites.
            for block in s.chunks_exact(stride * length) {
                sum += products(block, &block[stride..]);
                sum += products(&block[stride * (length - 1)..], &block[..stride]);
            }
            stride *= length;
        }
        self.offset - self.coupling * sum as f64
    }

    fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("uniform torus").write_usizes(&self.lengths).write_f64(self.coupling);
        if self.offset != 0.0 {
            hash.write_f64(self.offset);
        }
        hash.finish()
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        let n = self.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
        let sum: i32 = (0..self.lengths.len()).flat_map(|axis| self.neighbors(i, axis)).map(|j| i32::from(s[j])).sum();
        2.0 * self.coupling * f64::from(i32::from(s[i]) * sum)
    }
}

impl CachedModel for UniformTorus {
    /// Nothing is kept: the neighbours of a site are known from its index.
    type Cache = ();

    fn cache(&self, s: &[i8]) {
        let n = self.n_spins();
        assert_eq!(s.len(), n, "{} spins for a model of {n}", s.len());
    }

    fn delta_cached(&self, _cache: &(), s: &[i8], i: usize) -> f64 {
        self.delta_energy(s, i)
    }

    fn flip(&self, _cache: &mut (), s: &mut [i8], i: usize) {
        s[i] = -s[i];
    }
}

#[cfg(test)]
mod tests {
    use linalg_core::rng::Streams;

    use super::*;
    use crate::models::{Boundary, Lattice};
    use crate::spins::Spins;

    #[test]
    fn energies_are_those_of_the_graph() {
        for lengths in [&[2][..], &[7], &[200], &[2, 2], &[5, 3], &[130, 2], &[3, 4, 5], &[2, 3, 2, 4]] {
            let torus = UniformTorus::new(lengths, 0.75).unwrap();
            let graph = torus.to_ising().unwrap();
            assert!(torus.describes(&graph));
            assert_eq!(UniformTorus::recognize(&graph).as_ref(), Some(&torus));
            assert!(!UniformTorus::new(lengths, 0.5).unwrap().describes(&graph));
            let mut rng = Streams::new(3).stream(lengths.len() as u64);
            for _ in 0..5 {
                let s = Spins::random(torus.n_spins(), &mut rng);
                approx::assert_abs_diff_eq!(torus.energy(&s), graph.energy(&s), epsilon = 1e-9);
                for i in 0..s.len() {
                    approx::assert_abs_diff_eq!(torus.delta_energy(&s, i), graph.delta_energy(&s, i), epsilon = 1e-9);
                }
            }
            let lattice = Lattice::hypercubic(lengths, &vec![Boundary::Periodic; lengths.len()]).unwrap();
            assert!(torus.describes(&Ising::ferromagnet(&lattice, 0.75).unwrap()));
            let up = Spins::up(torus.n_spins());
            approx::assert_abs_diff_eq!(torus.energy(&up), -0.75 * (lengths.len() * up.len()) as f64, epsilon = 1e-9);
        }
    }

    #[test]
    fn other_models_are_not_described() {
        let torus = UniformTorus::new(&[4, 4], 1.0).unwrap();
        let couplings: Vec<_> = torus.to_ising().unwrap().couplings().collect();
        let build = |couplings: &[(usize, usize, f64)]| {
            Ising::builder(16).duplicates(Duplicates::Sum).couplings(couplings.iter().copied())
        };
        assert!(torus.describes(&build(&couplings).offset(7.0).build().unwrap()));
        assert!(!torus.describes(&build(&couplings).field(3, 0.1).build().unwrap()));
        assert!(!torus.describes(&build(&couplings[1..]).build().unwrap()));
        assert!(!torus.describes(&build(&[&couplings[..], &[(0, 5, 1.0)]].concat()).build().unwrap()));
        let mut turned = couplings.clone();
        turned[9].2 = -1.0;
        assert!(!torus.describes(&build(&turned).build().unwrap()));
        assert_eq!(UniformTorus::recognize(&build(&turned).build().unwrap()), None);
        assert_eq!(UniformTorus::recognize(&build(&couplings[1..]).build().unwrap()), None);
        assert_eq!(UniformTorus::recognize(&build(&[]).build().unwrap()), None);
        let complete = Ising::ferromagnet(&Lattice::complete(9).unwrap(), 1.0).unwrap();
        assert_eq!(UniformTorus::recognize(&complete), None);
    }

    #[test]
    fn bad_lattices_are_refused() {
        let refuse = |lengths: &[usize], coupling| UniformTorus::new(lengths, coupling).unwrap_err().to_string();
        assert_eq!(refuse(&[], 1.0), "number of lengths of a torus is 0, expected 1 to 4");
        assert_eq!(refuse(&[4, 1], 1.0), "length of a torus is 1 in direction 1, expected at least 2");
        assert_eq!(refuse(&[4, 0], 1.0), "length of a torus is 0 in direction 1, expected at least 2");
        assert_eq!(refuse(&[4, 4], f64::NAN), "coupling of a torus is NaN, expected a finite number >= 0");
        assert_eq!(refuse(&[4, 4], -1.0), "coupling of a torus is -1, expected a finite number >= 0");
        assert!(refuse(&[usize::MAX, usize::MAX], 1.0).starts_with("uniform torus: number of sites is"));
    }
}
