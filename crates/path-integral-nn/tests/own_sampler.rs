//! Samplers written outside the crate: elliptical slices, and a wrapper that adds a global move.

use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader, Writer};
use linalg_core::stats::autocorrelation_time;
use path_integral_nn::exact::TransferMatrix;
use path_integral_nn::sampler::{Block, Chains, ChainsParams, LANES, Measurement, Method, Sampler, Target};
use path_integral_nn::{Action, Ensemble, Error, Polynomial, Result, Rule, System};

/// Elliptical slice sampling (Murray, Adams and MacKay, AISTATS 2010): a point of the ellipse through the path and a fresh path
/// of the reference, from an interval of angles that shrinks until the weight is above a level. No step size.
#[derive(Debug, Default)]
struct EllipticalSlice {
    proposals: u64,
}

impl Sampler for EllipticalSlice {
    fn step(&mut self, block: &mut Block) {
        let (length, dim) = (block.paths().len(), block.dim());
        let (mut y, mut xi, mut new) = (vec![0.0; length], vec![0.0; length], vec![0.0; length]);
        let (mut before, mut phi) = ([0.0; LANES], [0.0; LANES]);
        block.phi(&mut before);
        block.deviation(&mut y);
        block.draw_reference(&mut xi);
        let levels = block.uniforms();
        let first = block.uniforms();
        let full = 2.0 * std::f64::consts::PI;
        let mut angle: [f64; LANES] = std::array::from_fn(|l| full * first[l]);
        let mut low: [f64; LANES] = std::array::from_fn(|l| angle[l] - full);
        let mut high = angle;
        let mut settled = [false; LANES];
        while settled.contains(&false) {
            let points = y.chunks_exact(dim).zip(xi.chunks_exact(dim));
            for (k, (out, (y, xi))) in new.chunks_exact_mut(dim).zip(points).enumerate() {
                let (sin, cos) = angle[k % LANES].sin_cos();
                out.iter_mut().zip(y.iter().zip(xi)).for_each(|(n, (y, xi))| *n = cos * y + sin * xi);
            }
            block.set_from_deviation(&new);
            block.phi(&mut phi);
            self.proposals += 1;
            let u = block.uniforms();
            for l in 0..LANES {
                settled[l] = settled[l] || -phi[l] > levels[l].ln() - before[l];
                if !settled[l] {
                    if angle[l] < 0.0 {
                        low[l] = angle[l]
                    } else {
                        high[l] = angle[l]
                    }
                    angle[l] = low[l] + u[l] * (high[l] - low[l]);
                }
            }
        }
        block.count(&settled);
    }

    fn write(&self, out: &mut Writer) {
        out.write_u64(self.proposals);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        self.proposals = from.read_u64()?;
        Ok(())
    }
}

/// A sampler of the crate and after each step the offer of the mirror image.
#[derive(Debug)]
struct WithMirror(Box<dyn Sampler>);

impl Sampler for WithMirror {
    fn step(&mut self, block: &mut Block) {
        self.0.step(block);
        let (mut before, mut after) = ([0.0; LANES], [0.0; LANES]);
        block.action(&mut before);
        let old = block.paths().to_vec();
        block.paths_mut().iter_mut().for_each(|x| *x = -*x);
        block.action(&mut after);
        block.accept(&std::array::from_fn(|l| after[l] - before[l]), &old);
    }

    fn adapt(&mut self, acceptance: f64) {
        self.0.adapt(acceptance);
    }

    fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> std::result::Result<(), CheckpointError> {
        self.0.read(from)
    }
}

/// Means of x and x² of each path.
struct Moments(Vec<Vec<[f64; 2]>>);

impl Measurement for Moments {
    fn measure(&mut self, block: &Block) {
        for (lane, series) in self.0.iter_mut().enumerate() {
            let path = block.path(lane);
            let n = path.len() as f64;
            series.push([path.iter().sum::<f64>() / n, path.iter().map(|x| x * x).sum::<f64>() / n]);
        }
    }
}

fn check(mut chains: Chains, steps: u64, exact: [f64; 2], largest: f64) {
    chains.thermalize(200, &mut ()).unwrap();
    let mut moments = [Moments(vec![Vec::new(); LANES])];
    chains.run(steps, &mut moments, &mut ()).unwrap();
    for (k, exact) in exact.into_iter().enumerate() {
        let series: Vec<f64> = moments[0].0.iter().flatten().map(|m| m[k]).collect();
        let got = autocorrelation_time(&series).unwrap().estimate();
        let error = got.std_error.unwrap();
        assert!(error < largest, "{}: {got:?} has no power", chains.name());
        assert!((got.value - exact).abs() < 4.0 * error, "{}: {got:?}, exact {exact}", chains.name());
    }
}

fn one_block() -> ChainsParams {
    ChainsParams::default().chains(LANES).seed(8)
}

#[test]
fn elliptical_slices_of_a_quartic() {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
    let lattice = TransferMatrix::new(&system, Rule::Trapezoid, 0.125).unwrap();
    let exact = [0.0, lattice.periodic_average(16, |x| x * x).unwrap()];
    let action = Action::new(&system, &Ensemble::periodic(2.0, 16).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::variational(&action).unwrap();
    let make = |_: &Target| -> Result<Box<dyn Sampler>> { Ok(Box::new(EllipticalSlice::default())) };
    check(Chains::with_sampler(&target, "slices", one_block(), make).unwrap(), 4000, exact, 0.005);
}

#[test]
fn a_mirror_for_a_tilted_double_well() {
    // Barrier 4, tilt 0.1 x: a step of the reference alone crosses seldom. Both wells by their weights.
    let system = System::new(Polynomial::new(&[0.0, 0.1, -4.0, 0.0, 1.0]).unwrap()).unwrap();
    let lattice = TransferMatrix::new(&system, Rule::Trapezoid, 0.125).unwrap();
    let exact = [1, 2].map(|p| lattice.periodic_average(32, |x| x.powi(p)).unwrap());
    assert!(exact[0] < -0.1, "{exact:?}");
    let action = Action::new(&system, &Ensemble::periodic(4.0, 32).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::variational(&action).unwrap();
    for method in [Method::HmcReference, Method::Pcn, Method::Metropolis, Method::Staging] {
        let make =
            move |target: &Target| -> Result<Box<dyn Sampler>> { Ok(Box::new(WithMirror(method.sampler(target)?))) };
        let name = format!("mirror {}", method.name());
        check(Chains::with_sampler(&target, &name, one_block(), make).unwrap(), 4000, exact, 0.05);
    }
}

#[test]
fn threads_and_checkpoints_change_no_bit() {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
    let action = Action::new(&system, &Ensemble::periodic(2.0, 16).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::variational(&action).unwrap();
    let start = |name: &str, threads: usize| {
        let params = ChainsParams::default().chains(48).threads(threads);
        Chains::with_sampler(&target, name, params, |_| Ok(Box::new(EllipticalSlice::default()))).unwrap()
    };
    let bits = |chains: &Chains| -> Vec<u64> {
        chains.blocks().flat_map(|b| b.paths().iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
    };
    let (mut one, mut three) = (start("slices", 1), start("slices", 3));
    one.advance(11, &mut ()).unwrap();
    three.advance(11, &mut ()).unwrap();
    assert_eq!((bits(&one), one.steps()), (bits(&three), 11));
    let saved = Checkpoint::from_bytes(&one.checkpoint().to_bytes()).unwrap();
    one.advance(9, &mut ()).unwrap();
    let mut other = start("slices", 2);
    other.restore(&saved).unwrap();
    other.advance(9, &mut ()).unwrap();
    assert_eq!((bits(&one), other.steps()), (bits(&other), 20));
    // The name is part of the problem.
    assert!(matches!(start("ellipses", 1).restore(&saved), Err(Error::Checkpoint(_))));
}
