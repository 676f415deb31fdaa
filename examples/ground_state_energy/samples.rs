//! Ground states of random samples.

use linalg_core::{Observer, Streams};
use spin_models::exact::planar::{PlanarGroundState, PlanarGroundStatePlan};
use spin_models::{Boundary, Disorder, Ising, Lattice, Progress};
use workspace_examples::progress::Bar;

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

fn solve(
    plan: &mut PlanarGroundStatePlan,
    law: Law,
    l: usize,
    bonds: &[(usize, usize)],
    seed: u64,
    unit: u64,
) -> Result<Sample, spin_models::Error> {
    let mut rng = Streams::new(seed).stream(unit);
    let couplings = law.disorder().sample(bonds.len(), &mut rng)?;
    plan.set_couplings(&couplings)?;
    let energy = plan.find()?.energy;
    let listed: Vec<(usize, usize, f64)> = bonds.iter().zip(&couplings).map(|(&(i, j), &x)| (i, j, x)).collect();
    Ok(Sample { energy, controls: controls(law, l, &listed) })
}

/// All samples of a size, shared out to the threads; each has its own stream.
pub fn draw(args: &Args, law: Law, number: usize, l: usize) -> Result<Vec<Sample>, Failure> {
    let largest = args.sizes[args.sizes.len() - 1];
    let n = (args.samples as usize * largest * largest).div_ceil(l * l);
    let lattice = Lattice::square(l, Boundary::Free)?;
    let model = Ising::ferromagnet(&lattice, 1.0)?;
    let bonds: Vec<(usize, usize)> = model.couplings().map(|(i, j, _)| (i, j)).collect();
    let plan = PlanarGroundState::default().prepare(&model)?;
    let family = 2 * number as u64 + u64::from(law == Law::Gaussian);
    let mut bar = Bar::new(&format!("{} L = {l}", law.name()));
    let (send, receive) = std::sync::mpsc::channel();
    let mut samples: Vec<Option<Result<Sample, spin_models::Error>>> = (0..n).map(|_| None).collect();
    std::thread::scope(|scope| {
        for worker in 0..(args.threads as usize).min(n) {
            let (send, mut plan, bonds) = (send.clone(), plan.clone(), &bonds);
            scope.spawn(move || {
                for k in (worker..n).step_by(args.threads as usize) {
                    let unit = family << 40 | k as u64;
                    if send.send((k, solve(&mut plan, law, l, bonds, args.seed, unit))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (done, (k, sample)) in receive.iter().enumerate() {
            samples[k] = Some(sample);
            if done % 64 == 0 {
                let _ = bar.observe(&Progress::new("samples", done as u64 + 1, n as u64));
            }
        }
    });
    bar.finish();
    Ok(samples.into_iter().flatten().collect::<Result<Vec<_>, _>>()?)
}
