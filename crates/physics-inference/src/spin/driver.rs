//! Spins among charges that move.

use super::half::SpinHalf;
use super::pauli::{MovingCharges, PauliHamiltonian};
use crate::dynamics::{HamiltonianSystem, State};
use crate::{Error, Result, check};

/// A binary variable as a spin at a fixed place, with charge and mass.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BinarySpin {
    /// The state.
    pub spin: SpinHalf,
    /// Where it is.
    pub place: [f64; 3],
    /// Charge $`q_b`$.
    pub charge: f64,
    /// Mass $`m_b`$.
    pub mass: f64,
    /// Planck's constant over 2π.
    pub hbar: f64,
    /// Values $`x_n`$ of the clusters and the axis ν of the measurement term, if there is one.
    pub measured: Option<(Vec<f64>, [f64; 3])>,
}

impl BinarySpin {
    /// A spin without a measurement term; ħ is 1.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a coordinate or the charge, [`Error::Parameter`] for a mass that is not above 0.
    pub fn new(spin: SpinHalf, place: [f64; 3], charge: f64, mass: f64) -> Result<Self> {
        check::finite("coordinate of the spin", &place)?;
        check::finite("charge", &[charge])?;
        check::positive_parameter("mass", mass)?;
        Ok(Self { spin, place, charge, mass, hbar: 1.0, measured: None })
    }

    /// With the term $`-g\,\sigma\cdot\nu`$, $`g = \sum_n q_b q_n x_n k(r_{bn})/(m_b m_n)`$.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a value or a component of the axis.
    pub fn measuring(mut self, values: Vec<f64>, axis: [f64; 3]) -> Result<Self> {
        check::finite("value of cluster", &values)?;
        check::finite("component of the axis", &axis)?;
        self.measured = Some((values, axis));
        Ok(self)
    }

    /// $`H`$ in the fields of the charges as they are.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a field, which a charge at the place of the spin without softening has.
    ///
    /// # Panics
    /// When the state does not belong to the system, or there is not one value for every charge.
    pub fn hamiltonian(&self, system: &HamiltonianSystem<3>, state: &State) -> Result<PauliHamiltonian> {
        let n = system.len();
        let (positions, momenta) = (state.positions.as_chunks::<3>().0, state.momenta.as_chunks::<3>().0);
        assert!(positions.len() == n && momenta.len() == n, "a state of {} for {n} charges", positions.len());
        let velocities: Vec<[f64; 3]> = momenta.iter().zip(system.masses()).map(|(p, m)| p.map(|p| p / m)).collect();
        let (charges, softening) = (system.charges(), system.softening());
        let moving = MovingCharges { charges, positions, velocities: &velocities, softening };
        let h =
            PauliHamiltonian::new(self.charge, self.mass, self.hbar)?.with_field(moving.magnetic_field(&self.place))?;
        let Some((values, axis)) = &self.measured else { return Ok(h) };
        assert_eq!(values.len(), n, "{} values for {n} charges", values.len());
        let mut g = 0.0;
        for ((r, q), (m, x)) in positions.iter().zip(charges).zip(system.masses().iter().zip(values)) {
            let square: f64 = r.iter().zip(&self.place).map(|(r, b)| (r - b) * (r - b)).sum();
            g += self.charge * q * x / (self.mass * m * (square + softening * softening).sqrt());
        }
        h.with_measurement(g, *axis)
    }
}

impl HamiltonianSystem<3> {
    /// Charges and spins together by Strang's splitting: half a step of Verlet, the exact rotation of every spin in the fields as they
    /// then are, half a step of Verlet.
    ///
    /// Of second order, norms are exact, and a run with `-dt` goes back. The charges do not feel the spins: $`B`$ is a classical field
    /// (see [`PauliHamiltonian`]). $`O(N^2 + N S)`$ a step for S spins.
    ///
    /// ```
    /// use physics_inference::dynamics::{HamiltonianSystem, Kinetics, Sign};
    /// use physics_inference::spin::{BinarySpin, SpinHalf};
    ///
    /// // One charge flies past along x at speed 0.5; the spin at distance 2 precesses about z by the integral of v d/r³: 2v/(v d) = 1.
    /// let system = HamiltonianSystem::new(vec![1.0], vec![1.0], 0.0, Sign::Electrodynamics { eps2: 1.0 })?;
    /// let mut state = system.state(&[[-1000.0, 0.0, 0.0]], &[[0.5, 0.0, 0.0]], Kinetics::Newton)?;
    /// let spin = SpinHalf::from_bloch([1.0, 0.0, 0.0])?;
    /// let mut spins = [BinarySpin::new(spin, [0.0, 2.0, 0.0], 1.0, 1.0)?];
    /// system.verlet_with_spins(&mut state, &mut spins, 0.5, 8000)?;
    /// let [x, y, _] = spins[0].spin.bloch();
    /// assert!((y.atan2(x).abs() - 1.0).abs() < 1e-4);
    /// # Ok::<(), physics_inference::Error>(())
    /// ```
    ///
    /// # Errors
    /// Of [`HamiltonianSystem::verlet`] and [`BinarySpin::hamiltonian`]; state and spins are then as before the run.
    ///
    /// # Panics
    /// As [`HamiltonianSystem::verlet`] and [`BinarySpin::hamiltonian`].
    pub fn verlet_with_spins(&self, state: &mut State, spins: &mut [BinarySpin], dt: f64, steps: usize) -> Result<()> {
        if !dt.is_finite() || 0.5 * dt == 0.0 {
            return Err(Error::Parameter { what: "dt", value: dt, expected: "a finite number that is not 0" });
        }
        let (mut end, mut turned) = (state.clone(), spins.to_vec());
        for _ in 0..steps {
            self.verlet(&mut end, 0.5 * dt, 1)?;
            for spin in &mut turned {
                spin.spin = spin.hamiltonian(self, &end)?.propagate(&spin.spin, dt)?;
            }
            self.verlet(&mut end, 0.5 * dt, 1)?;
        }
        *state = end;
        spins.clone_from_slice(&turned);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Kinetics, Sign};

    /// Three charges that move and two spins among them, one of which is measured.
    fn start() -> (HamiltonianSystem, State, Vec<BinarySpin>) {
        let sign = Sign::LossAsEnergy { eps2: 0.5 };
        let system = HamiltonianSystem::new(vec![2.0, 1.5, 3.0], vec![1.0, -1.0, 1.5], 0.4, sign).unwrap();
        let at = [[0.0, 0.0, 0.0], [1.5, 0.0, 0.3], [0.0, 1.2, 0.0]];
        let v = [[0.1, 0.4, 0.0], [0.3, -0.5, 0.0], [0.6, -0.1, -0.3]];
        let state = system.state(&at, &v, Kinetics::Newton).unwrap();
        let spin = |bloch| SpinHalf::from_bloch(bloch).unwrap();
        let free = BinarySpin::new(spin([1.0, 0.0, 0.0]), [0.4, 0.5, 0.2], 2.0, 0.7).unwrap();
        let measured = BinarySpin::new(spin([0.48, -0.36, 0.8]), [-0.3, 0.2, 0.6], -1.0, 1.3).unwrap();
        let measured = measured.measuring(vec![0.5, -1.0, 0.8], [-0.6, -0.8, 0.0]).unwrap();
        (system, state, vec![free, measured])
    }

    fn apart(a: &[BinarySpin], b: &[BinarySpin]) -> f64 {
        let pairs = a.iter().zip(b).flat_map(|(a, b)| {
            let (a, b) = (a.spin.bloch(), b.spin.bloch());
            (0..3).map(move |k| (a[k] - b[k]).abs())
        });
        pairs.fold(0.0, f64::max)
    }

    #[test]
    fn second_order_in_the_step() {
        let end = |steps: usize| {
            let (system, mut state, mut spins) = start();
            system.verlet_with_spins(&mut state, &mut spins, 4.0 / steps as f64, steps).unwrap();
            spins
        };
        let exact = end(6400);
        let (first, second, third) = (apart(&end(100), &exact), apart(&end(200), &exact), apart(&end(400), &exact));
        assert!(first < 1e-2 && apart(&exact, &start().2) > 0.3, "{first}");
        assert!((first / second - 4.0).abs() < 0.4 && (second / third - 4.0).abs() < 0.2, "{first} {second} {third}");
    }

    #[test]
    fn the_run_goes_back() {
        let (system, mut state, mut spins) = start();
        let before = state.clone();
        system.verlet_with_spins(&mut state, &mut spins, 0.02, 500).unwrap();
        for spin in &spins {
            let [x, y, z] = spin.spin.bloch();
            assert!((x * x + y * y + z * z - 1.0).abs() < 1e-13);
        }
        system.verlet_with_spins(&mut state, &mut spins, -0.02, 500).unwrap();
        let (_, _, first) = start();
        assert!(apart(&spins, &first) < 1e-11, "{}", apart(&spins, &first));
        let off = state.positions.iter().zip(&before.positions).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
        assert!(off < 1e-11, "{off}");
    }

    #[test]
    fn the_charges_do_not_feel_the_spins() {
        let (system, mut state, mut spins) = start();
        let mut alone = state.clone();
        system.verlet_with_spins(&mut state, &mut spins, 0.02, 50).unwrap();
        system.verlet(&mut alone, 0.01, 100).unwrap();
        // Forces at the joints are computed twice from the same places.
        let off = state.positions.iter().zip(&alone.positions).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
        assert!(off < 1e-13, "{off}");
    }

    #[test]
    fn bad_input() {
        let (system, mut state, mut spins) = start();
        let before = (state.clone(), spins.clone());
        for dt in [0.0, f64::NAN, f64::INFINITY, 5e-324] {
            let result = system.verlet_with_spins(&mut state, &mut spins, dt, 3);
            assert!(matches!(result, Err(Error::Parameter { what: "dt", .. })));
        }
        // A spin on a charge, nothing softened.
        let bare = HamiltonianSystem::new(vec![1.0], vec![1.0], 0.0, Sign::Electrodynamics { eps2: 1.0 }).unwrap();
        let mut moving = bare.state(&[[-0.1, 0.0, 0.0]], &[[1.0, 0.0, 0.0]], Kinetics::Newton).unwrap();
        spins[0].place = [0.0; 3];
        let result = bare.verlet_with_spins(&mut moving, &mut spins[..1], 0.2, 1);
        assert!(matches!(result, Err(Error::NotFinite { .. })) && moving.positions[0] < -0.05, "{result:?}");
        spins[0].place = before.1[0].place;
        assert!(state == before.0 && spins == before.1);
        assert!(BinarySpin::new(spins[0].spin, [f64::NAN; 3], 1.0, 1.0).is_err());
        assert!(BinarySpin::new(spins[0].spin, [0.0; 3], 1.0, 0.0).is_err());
        assert!(spins[0].clone().measuring(vec![f64::NAN], [1.0, 0.0, 0.0]).is_err());
    }
}
