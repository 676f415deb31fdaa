//! The Hamiltonians and their conserved quantities.

use crate::coulomb::CoulombCovariance;
use crate::{Error, Result, check};

/// Which potential the charges move in.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Sign {
    /// Reading (A): the loss is the energy, $`U = -\varepsilon^2 \sum_{i<j} q_i q_j k`$; like charges attract.
    LossAsEnergy {
        /// $`\varepsilon^2`$.
        eps2: f64,
    },
    /// Reading (B): electrodynamics, $`U = +\varepsilon^2 \sum_{i<j} q_i q_j k`$; like charges repel.
    Electrodynamics {
        /// $`\varepsilon^2`$.
        eps2: f64,
    },
    /// The second-order loss of data: Coulomb attraction with a core, Kratzer's potential for every pair.
    Kratzer {
        /// Second moments $`S`$, n × n row-major.
        moments: Vec<f64>,
    },
}

/// Which kinetic energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Kinetics {
    /// $`\sum_i p_i^2/2m_i`$.
    Newton,
    /// $`\tfrac12 \sum_d P^{(d)T} K(r)^{-1} P^{(d)}`$ with the canonical momentum $`P = K v`$.
    Darwin,
}

/// Positions and momenta, flat: coordinate d of particle i is at `D i + d`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct State {
    /// Positions.
    pub positions: Vec<f64>,
    /// Momenta, canonical ones for [`Kinetics::Darwin`].
    pub momenta: Vec<f64>,
}

impl State {
    /// From points and momenta.
    pub fn new<const D: usize>(positions: &[[f64; D]], momenta: &[[f64; D]]) -> Self {
        Self { positions: positions.as_flattened().to_vec(), momenta: momenta.as_flattened().to_vec() }
    }
}

/// What the exact motion keeps, and the loss beside it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Conserved {
    /// $`T + U`$.
    pub energy: f64,
    /// The loss that the potential stands for: $`T - V`$, or the energy itself for `Kratzer`. Not conserved in reading (B).
    pub loss: f64,
    /// Total momentum, a number a dimension.
    pub momentum: Vec<f64>,
    /// $`\sum_i (r_{ia} p_{ib} - r_{ib} p_{ia})`$ for a < b; in three dimensions the components z, −y, x.
    pub angular_momentum: Vec<f64>,
}

/// Charges with masses in `D` dimensions.
///
/// ```
/// use physics_inference::dynamics::{HamiltonianSystem, Kinetics, Sign, State};
///
/// // Two unit charges at distance 2 at rest: V = eps²/2.
/// let system = |sign| HamiltonianSystem::<1>::new(vec![1.0; 2], vec![1.0; 2], 0.0, sign);
/// let state = State::new(&[[0.0], [2.0]], &[[0.0], [0.0]]);
/// let repelling = system(Sign::Electrodynamics { eps2: 0.5 })?;
/// assert_eq!(repelling.conserved(&state, Kinetics::Newton)?.energy, 0.25);
/// let attracting = system(Sign::LossAsEnergy { eps2: 0.5 })?;
/// assert_eq!(attracting.conserved(&state, Kinetics::Newton)?.energy, -0.25);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Unchecked", into = "Unchecked")
)]
pub struct HamiltonianSystem<const D: usize = 3> {
    masses: Vec<f64>,
    charges: Vec<f64>,
    softening: f64,
    sign: Sign,
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Unchecked {
    masses: Vec<f64>,
    charges: Vec<f64>,
    softening: f64,
    sign: Sign,
}

#[cfg(feature = "serde")]
impl<const D: usize> From<HamiltonianSystem<D>> for Unchecked {
    fn from(system: HamiltonianSystem<D>) -> Self {
        let HamiltonianSystem { masses, charges, softening, sign } = system;
        Self { masses, charges, softening, sign }
    }
}

#[cfg(feature = "serde")]
impl<const D: usize> TryFrom<Unchecked> for HamiltonianSystem<D> {
    type Error = String;

    fn try_from(from: Unchecked) -> std::result::Result<Self, String> {
        let (n, charges) = (from.masses.len(), from.charges.len());
        if charges != n {
            return Err(format!("{charges} charges for {n} masses"));
        }
        if let Sign::Kratzer { moments } = &from.sign
            && moments.len() != n * n
        {
            return Err(format!("{} second moments for {n} particles", moments.len()));
        }
        Self::new(from.masses, from.charges, from.softening, from.sign).map_err(|e| e.to_string())
    }
}

impl<const D: usize> HamiltonianSystem<D> {
    /// Masses, charges, softening length and potential.
    ///
    /// # Errors
    /// [`Error::Entry`] for a mass that is not a finite number above 0, [`Error::NotFinite`] for a charge or a moment,
    /// [`Error::Parameter`] for a negative softening or an `eps2` that is not above 0.
    ///
    /// # Panics
    /// When masses and charges differ in length, or the moments are not n².
    pub fn new(masses: Vec<f64>, charges: Vec<f64>, softening: f64, sign: Sign) -> Result<Self> {
        let n = masses.len();
        assert_eq!(charges.len(), n, "{} charges for {n} masses", charges.len());
        check::positive("mass", &masses)?;
        check::finite("charge", &charges)?;
        check::not_negative_parameter("softening", softening)?;
        match &sign {
            Sign::LossAsEnergy { eps2 } | Sign::Electrodynamics { eps2 } => check::positive_parameter("eps2", *eps2)?,
            Sign::Kratzer { moments } => {
                assert_eq!(moments.len(), n * n, "{} second moments for {n} particles", moments.len());
                check::finite("second moment", moments)?;
            }
        }
        Ok(Self { masses, charges, softening, sign })
    }

    /// Number of particles.
    pub fn len(&self) -> usize {
        self.masses.len()
    }

    /// Whether there is no particle.
    pub fn is_empty(&self) -> bool {
        self.masses.is_empty()
    }

    /// Masses.
    pub fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// Charges.
    pub fn charges(&self) -> &[f64] {
        &self.charges
    }

    /// Softening length.
    pub fn softening(&self) -> f64 {
        self.softening
    }

    /// The potential's kind.
    pub fn sign(&self) -> &Sign {
        &self.sign
    }

    /// The covariance that the charges have at these positions.
    ///
    /// # Errors
    /// As [`CoulombCovariance::new`] for positions.
    ///
    /// # Panics
    /// When there are not `D` coordinates for every particle.
    pub fn covariance(&self, positions: &[f64]) -> Result<CoulombCovariance<D>> {
        self.check_len(positions, "coordinates");
        let points = positions.chunks_exact(D).map(|r| std::array::from_fn(|d| r[d])).collect();
        CoulombCovariance::new(self.masses.clone(), self.charges.clone(), points, self.softening)
    }

    /// The state with velocities `v`: $`p = m v`$ or $`P = K v`$.
    ///
    /// # Errors
    /// As [`CoulombCovariance::new`] for positions, and [`Error::NotFinite`] for a velocity.
    ///
    /// # Panics
    /// When there is not one position and one velocity for every particle.
    pub fn state(&self, positions: &[[f64; D]], v: &[[f64; D]], kinetics: Kinetics) -> Result<State> {
        let k = self.covariance(positions.as_flattened())?;
        assert_eq!(v.len(), self.len(), "{} velocities for {} particles", v.len(), self.len());
        check::points("velocity of particle", v)?;
        let momenta = match kinetics {
            Kinetics::Newton => v.iter().zip(&self.masses).map(|(v, m)| v.map(|x| m * x)).collect(),
            Kinetics::Darwin => k.momenta(v),
        };
        Ok(State::new(positions, &momenta))
    }

    /// A lower bound of the period of small oscillations: $`2\pi/\omega`$ with
    /// $`\omega^2 = \max_i \sum_{j\ne i} \varepsilon^2 |q_i q_j| (1/m_i + 1/m_j)/a^3`$; `None` where nothing bounds it (no
    /// softening, or a Kratzer potential).
    ///
    /// Two bodies at the bottom of their softened well have exactly this period.
    pub fn shortest_period(&self) -> Option<f64> {
        let (Sign::LossAsEnergy { eps2 } | Sign::Electrodynamics { eps2 }) = self.sign else { return None };
        let n = self.len();
        let stiffness = |i: usize| {
            let pair =
                |j: usize| (self.charges[i] * self.charges[j]).abs() * (1.0 / self.masses[i] + 1.0 / self.masses[j]);
            (0..n).filter(|&j| j != i).map(pair).sum::<f64>() * eps2 / self.softening.powi(3)
        };
        let largest = (0..n).map(stiffness).fold(0.0, f64::max);
        (largest > 0.0 && largest.is_finite()).then(|| std::f64::consts::TAU / largest.sqrt())
    }

    /// Potential energy $`U(r)`$; writes $`-\partial U/\partial r`$ to `force`. $`O(N^2)`$.
    ///
    /// # Panics
    /// When there are not `D` coordinates and forces for every particle.
    pub fn potential_and_force(&self, positions: &[f64], force: &mut [f64]) -> f64 {
        self.check_len(positions, "coordinates");
        self.check_len(force, "forces");
        force.fill(0.0);
        self.pairs(positions, |i, j, difference, k| {
            let (value, slope) = self.pair_potential(i, j, k);
            let along = slope * k * k * k;
            for d in 0..D {
                force[D * i + d] += along * difference[d];
                force[D * j + d] -= along * difference[d];
            }
            value
        })
    }

    /// Potential energy $`U(r)`$. $`O(N^2)`$.
    ///
    /// # Panics
    /// When there are not `D` coordinates for every particle.
    pub fn potential(&self, positions: &[f64]) -> f64 {
        self.check_len(positions, "coordinates");
        self.pairs(positions, |i, j, _, k| self.pair_potential(i, j, k).0)
    }

    /// The potential of a pair and its derivative by the kernel.
    fn pair_potential(&self, i: usize, j: usize, k: f64) -> (f64, f64) {
        let product = self.charges[i] * self.charges[j];
        match &self.sign {
            Sign::LossAsEnergy { eps2 } => (-eps2 * product * k, -eps2 * product),
            Sign::Electrodynamics { eps2 } => (eps2 * product * k, eps2 * product),
            Sign::Kratzer { moments } => {
                let n = self.len();
                let s = 0.5 * (moments[i * n + j] + moments[j * n + i]);
                let (covariance, scale) = (product * k, 1.0 / (self.masses[i] * self.masses[j]));
                (0.5 * scale * (covariance - 2.0 * s) * covariance, scale * (covariance - s) * product)
            }
        }
    }

    /// Sums a function of index, index, difference and kernel over pairs.
    pub(crate) fn pairs(&self, positions: &[f64], mut term: impl FnMut(usize, usize, &[f64; D], f64) -> f64) -> f64 {
        let softening2 = self.softening * self.softening;
        let mut sum = 0.0;
        for i in 0..self.len() {
            for j in 0..i {
                let difference: [f64; D] = std::array::from_fn(|d| positions[D * i + d] - positions[D * j + d]);
                let square: f64 = difference.iter().map(|x| x * x).sum();
                sum += term(i, j, &difference, 1.0 / (square + softening2).sqrt());
            }
        }
        sum
    }

    /// Kinetic energy. $`O(N)`$ for [`Kinetics::Newton`], $`O(N^3)`$ for [`Kinetics::Darwin`].
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for a covariance that is no inertia, and as [`Self::covariance`].
    ///
    /// # Panics
    /// When there are not `D` coordinates and momenta for every particle.
    pub fn kinetic(&self, state: &State, kinetics: Kinetics) -> Result<f64> {
        self.check_len(&state.momenta, "momenta");
        let p = &state.momenta;
        match kinetics {
            Kinetics::Newton => Ok(p
                .chunks_exact(D)
                .zip(&self.masses)
                .map(|(p, m)| p.iter().map(|p| p * p).sum::<f64>() / (2.0 * m))
                .sum()),
            Kinetics::Darwin => {
                let mut v = p.clone();
                self.velocities(&state.positions, &mut v)?;
                Ok(0.5 * p.iter().zip(&v).map(|(p, v)| p * v).sum::<f64>())
            }
        }
    }

    /// Turns canonical momenta into velocities $`K^{-1} P`$ in place.
    pub(crate) fn velocities(&self, positions: &[f64], momenta: &mut [f64]) -> Result<()> {
        let n = self.len();
        let factor = self.covariance(positions)?.factor()?;
        let mut column = vec![0.0; n];
        for d in 0..D {
            (0..n).for_each(|i| column[i] = momenta[D * i + d]);
            factor.solve(&mut column);
            (0..n).for_each(|i| momenta[D * i + d] = column[i]);
        }
        Ok(())
    }

    /// Energy, loss, momentum and angular momentum of a state.
    ///
    /// # Errors
    /// As [`Self::kinetic`].
    ///
    /// # Panics
    /// When there are not `D` coordinates and momenta for every particle.
    pub fn conserved(&self, state: &State, kinetics: Kinetics) -> Result<Conserved> {
        let (kinetic, potential) = (self.kinetic(state, kinetics)?, self.potential(&state.positions));
        let energy = kinetic + potential;
        let loss = if matches!(self.sign, Sign::Electrodynamics { .. }) { kinetic - potential } else { energy };
        let (r, p) = (&state.positions, &state.momenta);
        let momentum = (0..D).map(|d| p.iter().skip(d).step_by(D).sum()).collect();
        let mut angular_momentum = Vec::new();
        for a in 0..D {
            for b in a + 1..D {
                let term = |i: usize| r[D * i + a] * p[D * i + b] - r[D * i + b] * p[D * i + a];
                angular_momentum.push((0..self.len()).map(term).sum());
            }
        }
        Ok(Conserved { energy, loss, momentum, angular_momentum })
    }

    /// A state that can be started from.
    pub(crate) fn check_state(&self, state: &State) -> Result<()> {
        self.check_len(&state.momenta, "momenta");
        self.covariance(&state.positions)?;
        check::finite("momentum component", &state.momenta)
    }

    /// A state that has not run away; the index is that of the coordinate.
    pub(crate) fn check_end(&self, state: &State) -> Result<()> {
        check::finite("position component after the run", &state.positions)?;
        check::finite("momentum component after the run", &state.momenta)
    }

    fn check_len(&self, values: &[f64], what: &str) {
        let n = self.len();
        assert_eq!(values.len(), D * n, "{} {what} for {n} particles in {D} dimensions", values.len());
    }
}

/// A step length.
pub(crate) fn check_step(dt: f64) -> Result<()> {
    if dt.is_finite() && dt != 0.0 {
        Ok(())
    } else {
        Err(Error::Parameter { what: "dt", value: dt, expected: "a finite number that is not 0" })
    }
}
