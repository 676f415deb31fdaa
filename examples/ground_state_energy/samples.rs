//! Ground states of random samples.

use std::ops::Range;

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use spin_models::exact::planar::{PlanarGroundState, PlanarGroundStatePlan};
use spin_models::{Boundary, Disorder, Ising, Lattice};
use workspace_examples::json::Line;
use workspace_examples::units::{Computed, Study, UnitLine};

use super::{Args, Failure};

/// Laws of the couplings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    PlusMinus,
    Gaussian,
}

impl Law {
    pub fn name(self) -> &'static str {
        match self {
            Self::PlusMinus => "±1",
            Self::Gaussian => "Gaussian",
        }
    }

    /// Energy per spin of the infinite lattice: Campbell, Hartmann and Katzgraber (2004).
    pub fn reference(self) -> f64 {
        match self {
            Self::PlusMinus => -1.401_94,
            Self::Gaussian => -1.314_79,
        }
    }

    /// The mean of |J|.
    fn mean_modulus(self) -> f64 {
        match self {
            Self::PlusMinus => 1.0,
            Self::Gaussian => std::f64::consts::FRAC_2_PI.sqrt(),
        }
    }

    fn disorder(self) -> Disorder {
        match self {
            Self::PlusMinus => Disorder::plus_minus(),
            Self::Gaussian => Disorder::gaussian(),
        }
    }
}

/// Energy of a ground state, and what else is known of the sample.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub energy: f64,
    /// Quantities of mean 0 that vary with the energy.
    pub controls: [f64; 3],
}

/// Frustrated plaquettes, pairs of neighbours among them and the sum of |J|, each minus its mean.
///
/// The frustrations of the plaquettes of a free lattice are independent coin tosses, and independent of |J|.
fn controls(law: Law, l: usize, couplings: &[(usize, usize, f64)]) -> [f64; 3] {
    let mut right = vec![false; l * l];
    let mut down = vec![false; l * l];
    let mut moduli = 0.0;
    for &(i, j, coupling) in couplings {
        moduli += coupling.abs();
        if j == i + 1 {
            right[i] = coupling < 0.0;
        } else {
            down[i] = coupling < 0.0;
        }
    }
    let frustrated = |r: usize, c: usize| {
        let i = r * l + c;
        right[i] ^ right[i + l] ^ down[i] ^ down[i + 1]
    };
    let (mut number, mut neighbors) = (0.0, 0.0);
    let n = l - 1;
    for r in 0..n {
        for c in 0..n {
            if frustrated(r, c) {
                number += 1.0;
                neighbors += f64::from(u8::from(r + 1 < n && frustrated(r + 1, c)));
                neighbors += f64::from(u8::from(c + 1 < n && frustrated(r, c + 1)));
            }
        }
    }
    let n = n as f64;
    [number - 0.5 * n * n, neighbors - 0.5 * n * (n - 1.0), moduli - law.mean_modulus() * couplings.len() as f64]
}

/// The samples of one law and size. A unit holds as many spins as one sample of the largest size.
pub struct OfSize {
    law: Law,
    l: usize,
    largest: usize,
    seed: u64,
    /// Distinguishes the streams of law and size.
    family: u64,
    bonds: Vec<(usize, usize)>,
    plan: PlanarGroundStatePlan,
}

impl OfSize {
    /// The samples of the size at place `number` of the list.
    pub fn new(args: &Args, law: Law, number: usize) -> Result<Self, Failure> {
        let (l, largest) = (args.sizes[number], args.sizes[args.sizes.len() - 1]);
        let model = Ising::ferromagnet(&Lattice::square(l, Boundary::Free)?, 1.0)?;
        let bonds = model.couplings().map(|(i, j, _)| (i, j)).collect();
        let plan = PlanarGroundState::default().prepare(&model)?;
        let family = 2 * number as u64 + u64::from(law == Law::Gaussian);
        Ok(Self { law, l, largest, seed: args.seed, family, bonds, plan })
    }

    /// Numbers of the samples of a unit: k L²/l² to (k + 1) L²/l² with L the largest size, rounded up.
    fn numbers(&self, unit: u64) -> Range<u64> {
        let first = |unit: u64| (unit * (self.largest * self.largest) as u64).div_ceil((self.l * self.l) as u64);
        first(unit)..first(unit + 1)
    }

    fn solve(&self, plan: &mut PlanarGroundStatePlan, number: u64) -> Result<Sample, spin_models::Error> {
        let mut rng = Streams::new(self.seed).stream(self.family << 40 | number);
        let couplings = self.law.disorder().sample(self.bonds.len(), &mut rng)?;
        plan.set_couplings(&couplings)?;
        let energy = plan.find()?.energy;
        let listed: Vec<(usize, usize, f64)> =
            self.bonds.iter().zip(&couplings).map(|(&(i, j), &x)| (i, j, x)).collect();
        Ok(Sample { energy, controls: controls(self.law, self.l, &listed) })
    }
}

impl Study for OfSize {
    type Record = Vec<Sample>;
    type Worker = PlanarGroundStatePlan;

    fn task(&self) -> String {
        format!("ground_state_energy {} L={}", self.law.name(), self.l)
    }

    fn problem(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("ground_state_energy 1").write_str(self.law.name());
        hash.write_u64s(&[self.l as u64, self.largest as u64, self.seed, self.family]).finish()
    }

    fn worker(&self) -> PlanarGroundStatePlan {
        self.plan.clone()
    }

    fn compute(&self, plan: &mut PlanarGroundStatePlan, unit: u64) -> Computed<Vec<Sample>> {
        Ok(self.numbers(unit).map(|number| self.solve(plan, number)).collect::<Result<_, _>>()?)
    }

    fn write(&self, samples: &Vec<Sample>, line: Line) -> Line {
        let column = |pick: &dyn Fn(&Sample) -> f64| samples.iter().map(pick).collect::<Vec<f64>>();
        line.count("size", self.l as u64)
            .count("seed", self.seed)
            .numbers("energy", Some(&column(&|sample| sample.energy)))
            .numbers("frustrated", Some(&column(&|sample| sample.controls[0])))
            .numbers("frustrated_neighbors", Some(&column(&|sample| sample.controls[1])))
            .numbers("moduli", Some(&column(&|sample| sample.controls[2])))
    }

    fn read(&self, line: &UnitLine) -> Result<Vec<Sample>, String> {
        line.check_problem(self.problem())?;
        let numbers = self.numbers(line.unit);
        let n = (numbers.end - numbers.start) as usize;
        let column = |key: &str| line.numbers(key, n);
        let (energy, frustrated) = (column("energy")?, column("frustrated")?);
        let (neighbors, moduli) = (column("frustrated_neighbors")?, column("moduli")?);
        let sample = |k: usize| Sample { energy: energy[k], controls: [frustrated[k], neighbors[k], moduli[k]] };
        Ok((0..n).map(sample).collect())
    }
}
