//! Wave vectors for Fourier components of the overlap.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use crate::models::{Boundary, Lattice, Shape};
use crate::{Error, Result};

const NAME: &str = "fourier component of the overlap";

/// The smallest wave vectors of a lattice, as a phase at every site.
///
/// The vectors of one set are equivalent by symmetry: they share the lattice momentum $`\hat k`$, and quantities are
/// averaged over them. On a hypercubic torus of length L in every direction they are
/// $`k = 2π/L`$ along each of the d directions, with $`\hat k = 2 \sin(k/2)`$.
///
/// Sites of equal phase are counted together, by bits: a component costs `O(N / 64 + planes)` where the sites of a
/// plane fill words, and never more than `O(N)`.
///
/// ```
/// use spin_models::mcmc::WaveVectors;
/// use spin_models::{Boundary, Shape};
///
/// let torus = Shape::new(&[4, 4, 4], &[Boundary::Periodic; 3])?;
/// let vectors = WaveVectors::periodic(&torus)?;
/// assert_eq!((vectors.len(), vectors.n_sites()), (3, 64));
/// assert!((vectors.lattice_momentum() - 2f64.sqrt()).abs() < 1e-15); // 2 sin(π/4)
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WaveVectors {
    lattice_momentum: f64,
    length: f64,
    vectors: Vec<Component>,
}

/// One wave vector: the sites of each phase.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Component {
    phases: Vec<f64>,
    classes: Vec<Class>,
}

/// Sites of equal phase.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Class {
    cos: f64,
    sin: f64,
    sites: u64,
    /// Words with sites of the class, and which bits of them are.
    words: Vec<(u32, u64)>,
}

impl Component {
    fn new(phases: Vec<f64>) -> Self {
        let mut groups: BTreeMap<u64, BTreeMap<u32, u64>> = BTreeMap::new();
        for (i, phase) in phases.iter().enumerate() {
            *groups.entry(phase.to_bits()).or_default().entry((i / 64) as u32).or_default() |= 1 << (i % 64);
        }
        let class = |(phase, words): (u64, BTreeMap<u32, u64>)| {
            let (sin, cos) = f64::from_bits(phase).sin_cos();
            let words: Vec<(u32, u64)> = words.into_iter().collect();
            let sites = words.iter().map(|(_, mask)| u64::from(mask.count_ones())).sum();
            Class { cos, sin, sites, words }
        };
        Self { phases, classes: groups.into_iter().map(class).collect() }
    }

    /// `|Σ t_i exp(i φ_i)|²`.
    fn square(&self, differ: &[u64]) -> f64 {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for class in &self.classes {
            let words = class.words.iter();
            let minus: u64 = words.map(|&(w, mask)| u64::from((differ[w as usize] & mask).count_ones())).sum();
            let total = (class.sites as i64 - 2 * minus as i64) as f64;
            real += class.cos * total;
            imaginary += class.sin * total;
        }
        real * real + imaginary * imaginary
    }
}

impl WaveVectors {
    /// Any set of equivalent wave vectors: `phases[a][i]` is $`k_a \cdot r_i`$ in radians, `lattice_momentum` is
    /// $`\hat k`$ and `length` the L of ξ/L.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no vector or no site, and for a momentum or length that is not positive and finite;
    /// [`Error::WrongLength`] for unequal numbers of phases; [`Error::NotFinite`].
    pub fn new(lattice_momentum: f64, length: f64, phases: Vec<Vec<f64>>) -> Result<Self> {
        for (what, value) in [("lattice momentum", lattice_momentum), ("length", length)] {
            if !(value > 0.0 && value.is_finite()) {
                let expected = "a finite number above 0";
                return Err(Error::Parameter { what, value: value.to_string(), expected });
            }
        }
        let expected = phases.first().map_or(0, Vec::len);
        if expected == 0 {
            let expected = "at least one, with a phase at every site";
            return Err(Error::Parameter { what: "number of wave vectors", value: "0".into(), expected });
        }
        for vector in &phases {
            if vector.len() != expected {
                return Err(Error::WrongLength { what: "phases of a wave vector", got: vector.len(), expected });
            }
            if let Some(site) = vector.iter().position(|phase| !phase.is_finite()) {
                return Err(Error::NotFinite { what: "phase", entry: site, sites: vec![site], value: vector[site] });
            }
        }
        Ok(Self { lattice_momentum, length, vectors: phases.into_iter().map(Component::new).collect() })
    }

    /// $`2π/L`$ along every direction of a hypercubic torus of equal lengths.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a free boundary or unequal lengths; use [`along`](Self::along) for one direction.
    pub fn periodic(shape: &Shape) -> Result<Self> {
        let lengths = shape.lengths();
        if let Some(a) = lengths.iter().position(|&length| length != lengths[0]) {
            let reason = format!("length {} in direction 0 and {} in direction {a}", lengths[0], lengths[a]);
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        Self::in_directions(shape, 0..shape.dimension())
    }

    /// $`2π/L`$ along one direction of a hypercubic lattice, which must be periodic.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a free boundary or a direction that does not exist.
    pub fn along(shape: &Shape, direction: usize) -> Result<Self> {
        if direction >= shape.dimension() {
            let reason = format!("direction {direction} in {} dimensions", shape.dimension());
            return Err(Error::NotApplicable { solver: NAME, reason });
        }
        Self::in_directions(shape, direction..direction + 1)
    }

    /// The wave vectors of a lattice that knows its shape, as [`periodic`](Self::periodic).
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a lattice without a shape or not a torus of equal lengths.
    pub fn of_lattice(lattice: &Lattice) -> Result<Self> {
        let reason = || "the lattice is not hypercubic: give the phases".to_owned();
        Self::periodic(lattice.shape().ok_or_else(|| Error::NotApplicable { solver: NAME, reason: reason() })?)
    }

    fn in_directions(shape: &Shape, directions: std::ops::Range<usize>) -> Result<Self> {
        for a in directions.clone() {
            if shape.boundaries()[a] == Boundary::Free {
                let reason = format!("direction {a} has a free boundary");
                return Err(Error::NotApplicable { solver: NAME, reason });
            }
        }
        let length = shape.lengths()[directions.start];
        let coordinates: Vec<Vec<usize>> = (0..shape.n_sites()).map(|site| shape.coordinates(site)).collect();
        let phases = directions.map(|a| coordinates.iter().map(|x| angle(x[a], length)).collect()).collect();
        Self::new(2.0 * (0.5 * TAU / length as f64).sin(), length as f64, phases)
    }

    /// The three smallest wave vectors of the triangular torus of `length` rows and columns, numbered as by
    /// [`Lattice::triangular`].
    ///
    /// With unit bonds $`e_1, e_2, e_3`$ the lattice momentum is
    ///
    /// ```math
    /// \hat k^2 = \tfrac23 \sum_{a=1}^{3} 4 \sin^2 \tfrac{k \cdot e_a}{2} = \tfrac{16}{3} \sin^2 \tfrac{π}{L} ,
    /// ```
    ///
    /// which is $`|k|^2`$ for small k.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a length below 2.
    pub fn triangular(length: usize) -> Result<Self> {
        if length < 2 {
            let expected = "at least 2";
            return Err(Error::Parameter { what: "lattice length", value: length.to_string(), expected });
        }
        let phases = |pick: fn(usize, usize) -> usize| {
            let sites = (0..length).flat_map(|r| (0..length).map(move |c| (r, c)));
            sites.map(|(r, c)| angle(pick(r, c) % length, length)).collect()
        };
        let vectors = vec![phases(|r, _| r), phases(|_, c| c), phases(|r, c| r + c)];
        Self::new(4.0 / 3f64.sqrt() * (0.5 * TAU / length as f64).sin(), length as f64, vectors)
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.vectors[0].phases.len()
    }

    /// Number of wave vectors.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Never: a set has at least one wave vector.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// $`\hat k`$.
    pub fn lattice_momentum(&self) -> f64 {
        self.lattice_momentum
    }

    /// The L of ξ/L.
    pub fn length(&self) -> f64 {
        self.length
    }

    /// The second-moment correlation length in units of L from $`χ(0)`$ and $`χ(k)`$, or any multiples of both; 0 for
    /// $`χ(0) ≤ χ(k)`$, which noise gives far from order.
    ///
    /// ```math
    /// \frac{ξ}{L} = \frac{1}{\hat k L} \sqrt{\frac{χ(0)}{χ(k)} - 1}
    /// ```
    pub fn xi_over_l(&self, chi_0: f64, chi_k: f64) -> f64 {
        // A maximum would turn NaN into 0.
        let excess = chi_0 / chi_k - 1.0;
        let excess = if excess < 0.0 { 0.0 } else { excess };
        excess.sqrt() / (self.lattice_momentum * self.length)
    }

    /// The phases of every vector.
    pub(super) fn phases(&self) -> impl Iterator<Item = &[f64]> {
        self.vectors.iter().map(|vector| vector.phases.as_slice())
    }

    /// `|Σ t_i exp(i k r_i)|²`, averaged over the vectors.
    pub(super) fn mean_square(&self, differ: &[u64]) -> f64 {
        self.vectors.iter().map(|vector| vector.square(differ)).sum::<f64>() / self.len() as f64
    }
}

/// `2π x / L`.
fn angle(x: usize, length: usize) -> f64 {
    TAU * x as f64 / length as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    #[test]
    fn components_are_the_plain_sums() {
        let mut rng = Streams::new(2).stream(0);
        let cubic = WaveVectors::periodic(&Shape::new(&[5; 3], &[Boundary::Periodic; 3]).unwrap()).unwrap();
        let irregular: Vec<f64> = (0..70).map(|i| 0.37 * f64::from(i * i)).collect();
        for vectors in
            [cubic, WaveVectors::triangular(9).unwrap(), WaveVectors::new(1.0, 2.0, vec![irregular]).unwrap()]
        {
            let n = vectors.n_sites();
            let t: Vec<f64> = (0..n).map(|_| if rng.random_bool(0.3) { -1.0 } else { 1.0 }).collect();
            let mut words = vec![0u64; n.div_ceil(64)];
            (0..n).filter(|&i| t[i] < 0.0).for_each(|i| words[i / 64] |= 1 << (i % 64));
            let square = |phases: &[f64]| {
                let part = |f: fn(f64) -> f64| t.iter().zip(phases).map(|(t, &p)| t * f(p)).sum::<f64>().powi(2);
                part(f64::cos) + part(f64::sin)
            };
            let plain = vectors.phases().map(square).sum::<f64>() / vectors.len() as f64;
            approx::assert_relative_eq!(vectors.mean_square(&words), plain, max_relative = 1e-10);
        }
    }

    #[test]
    fn triangular_vectors_see_the_three_bonds_alike() {
        // k e over the bonds (r, c+1), (r+1, c), (r+1, c-1): Σ sin² agrees for the three vectors.
        let l = 7;
        let vectors = WaveVectors::triangular(l).unwrap();
        let at = |r: usize, c: usize| (r % l) * l + c % l;
        for phases in vectors.phases() {
            let steps = [at(0, 1), at(1, 0), at(1, l - 1)].map(|site| phases[site] - phases[0]);
            let sum: f64 = steps.iter().map(|step| 4.0 * (0.5 * step).sin().powi(2)).sum();
            approx::assert_relative_eq!(2.0 / 3.0 * sum, vectors.lattice_momentum().powi(2), max_relative = 1e-12);
        }
    }

    #[test]
    fn bad_vectors_are_named() {
        let text = |result: Result<WaveVectors>| result.unwrap_err().to_string();
        assert!(text(WaveVectors::new(0.0, 4.0, vec![vec![0.0]])).contains("lattice momentum is 0"));
        assert!(text(WaveVectors::new(1.0, f64::NAN, vec![vec![0.0]])).contains("length is NaN"));
        assert!(text(WaveVectors::new(1.0, 4.0, vec![])).contains("number of wave vectors"));
        assert!(matches!(
            WaveVectors::new(1.0, 4.0, vec![vec![0.0, 1.0], vec![0.0]]),
            Err(Error::WrongLength { got: 1, expected: 2, .. })
        ));
        assert!(matches!(
            WaveVectors::new(1.0, 4.0, vec![vec![0.0, f64::NAN]]),
            Err(Error::NotFinite { entry: 1, .. })
        ));
        let open = Shape::new(&[4, 4], &[Boundary::Periodic, Boundary::Free]).unwrap();
        assert!(text(WaveVectors::periodic(&open)).contains("direction 1 has a free boundary"));
        assert!(WaveVectors::along(&open, 0).is_ok() && WaveVectors::along(&open, 2).is_err());
        let long = Shape::new(&[4, 6], &[Boundary::Periodic; 2]).unwrap();
        assert!(text(WaveVectors::periodic(&long)).contains("6 in direction 1"));
        assert!(WaveVectors::triangular(1).is_err());
    }
}
