//! Every sampler against exact lattice values, and against itself by Geweke's joint test.

use linalg_core::stats::{Estimate, autocorrelation_time};
use path_integral_nn::exact::{OscillatorLattice, TransferMatrix};
use path_integral_nn::potential::Particles;
use path_integral_nn::sampler::{Block, Chains, ChainsParams, LANES, Measurement, Method, Target, importance};
use path_integral_nn::{Action, Ends, Ensemble, Error, Polynomial, Rule, System};

fn quartic() -> System {
    System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap()
}

/// ⟨x²⟩ and ⟨x⁴⟩ over points `from..to`, a series for each chain.
struct Moments {
    range: std::ops::Range<usize>,
    series: Vec<Vec<[f64; 2]>>,
}

impl Moments {
    fn new(range: std::ops::Range<usize>) -> Self {
        Self { range, series: vec![Vec::new(); LANES] }
    }
}

impl Measurement for Moments {
    fn measure(&mut self, block: &Block) {
        let n = self.range.len() as f64;
        for (lane, series) in self.series.iter_mut().enumerate() {
            let points = self.range.clone().map(|k| block.paths()[k * LANES + lane]);
            let sums = points.fold([0.0; 2], |s, x| [s[0] + x * x / n, s[1] + x.powi(4) / n]);
            series.push(sums);
        }
    }
}

fn estimates(target: &Target, method: Method, steps: u64, range: std::ops::Range<usize>) -> [Estimate; 2] {
    let mut chains = Chains::new(target, method, ChainsParams::default().chains(LANES).seed(5)).unwrap();
    chains.thermalize(steps / 4, &mut ()).unwrap();
    let mut moments = [Moments::new(range)];
    chains.run(steps, &mut moments, &mut ()).unwrap();
    [0, 1].map(|k| {
        let joined: Vec<f64> = moments[0].series.iter().flatten().map(|m| m[k]).collect();
        autocorrelation_time(&joined).unwrap().estimate()
    })
}

fn agrees(name: &str, got: &Estimate, exact: f64) {
    let error = got.std_error.unwrap();
    assert!(error < 0.02 * exact, "{name}: {got:?} has no power");
    assert!((got.value - exact).abs() < 4.0 * error, "{name}: {got:?}, exact {exact}");
}

/// Steps that give an error below 2 % at N = 16.
fn steps(method: Method) -> u64 {
    match method {
        Method::Metropolis => 20_000,
        Method::Staging | Method::Pcn | Method::Independence | Method::Langevin => 5000,
        _ => 1500,
    }
}

#[test]
fn all_samplers_on_a_ring() {
    let exact = TransferMatrix::new(&quartic(), Rule::Trapezoid, 0.125).unwrap();
    let expected = [2, 4].map(|p| exact.periodic_average(16, |x| x.powi(p)).unwrap());
    let action = Action::new(&quartic(), &Ensemble::periodic(2.0, 16).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::variational(&action).unwrap();
    for method in Method::ALL {
        let got = estimates(&target, method, steps(method), 0..16);
        for (a, b) in got.iter().zip(expected) {
            agrees(method.name(), a, b);
        }
    }
}

#[test]
fn all_samplers_with_open_ends_and_other_rules() {
    // A trial state and T = 6: the middle knows nothing of the ends (e^{-4.4·2.5}).
    let ends = Ends::Gaussian { frequency: 2.0, center: 0.0 };
    let ensemble = Ensemble::ground_state(6.0, 24).unwrap().with_ends(ends).unwrap();
    for method in Method::ALL {
        let rule = match method {
            Method::Hmc | Method::Staging => Rule::Midpoint,
            Method::Pcn => Rule::MidpointCorrected,
            _ => Rule::TakahashiImada,
        };
        let exact = TransferMatrix::new(&quartic(), rule, 0.25).unwrap();
        let target = Target::variational(&Action::new(&quartic(), &ensemble, rule).unwrap()).unwrap();
        let got = estimates(&target, method, 2 * steps(method), 10..15);
        for (a, p) in got.iter().zip([2, 4]) {
            agrees(method.name(), a, exact.average(|x| x.powi(p)));
        }
    }
}

#[test]
fn free_ends_and_fixed_ends_of_the_oscillator() {
    // Gaussian paths: the variance of every point in closed form, by products of kernels.
    let system = System::new(Polynomial::oscillator(1.3, 1.0).unwrap()).unwrap().with_mass(1.3).unwrap();
    let system = system.with_hbar(0.8).unwrap();
    let lattice = OscillatorLattice::new(1.3, 1.0, 0.8, Rule::Trapezoid, 0.25).unwrap();
    let fixed = Ensemble::fixed_ends(2.0, 8, &[0.3], &[-0.5]).unwrap();
    let free = Ensemble::ground_state(2.0, 8).unwrap();
    let grid: Vec<f64> = (-300..=300).map(|k| f64::from(k) * 0.02).collect();
    let k = |n: usize, x: f64, y: f64| lattice.kernel(n, x, y).unwrap();
    for (ensemble, name) in [(&fixed, "fixed"), (&free, "free")] {
        let weight = |z: f64| match name {
            "fixed" => k(4, 0.3, z) * k(4, z, -0.5),
            _ => grid.iter().step_by(5).map(|x| k(4, *x, z)).sum::<f64>().powi(2),
        };
        let weights: Vec<f64> = grid.iter().map(|z| weight(*z)).collect();
        let norm: f64 = weights.iter().sum();
        let x2 = grid.iter().zip(&weights).map(|(z, w)| z * z * w).sum::<f64>() / norm;
        let action = Action::new(&system, ensemble, Rule::Trapezoid).unwrap();
        let target = Target::new(&action, path_integral_nn::ReferenceOscillator::new(1.4, 0.1).unwrap()).unwrap();
        let middle = if name == "fixed" { 3 } else { 4 };
        for method in Method::ALL {
            let got = estimates(&target, method, 2 * steps(method), middle..middle + 1);
            agrees(&format!("{name} {}", method.name()), &got[0], x2);
        }
    }
}

#[test]
fn geweke() {
    // Paths of the exact Gaussian, an oscillator's, are invariant under every kernel: the distribution of the first point
    // after two steps is the one before, from independent starts; z-scores of two moments below 4.
    let system = System::new(Polynomial::oscillator(1.0, 1.5).unwrap()).unwrap();
    for ensemble in [
        Ensemble::periodic(1.0, 5).unwrap(),
        Ensemble::periodic(1.0, 1).unwrap(),
        Ensemble::ground_state(1.0, 1).unwrap(),
        // Bridges of two steps.
        Ensemble::periodic(1.0, 2).unwrap(),
        Ensemble::ground_state(1.0, 2).unwrap(),
    ] {
        let action = Action::new(&system, &ensemble, Rule::Trapezoid).unwrap();
        let exact = Target::new(&action, path_integral_nn::ReferenceOscillator::new(1.5, 0.0).unwrap()).unwrap();
        // Samplers with a wrong reference: all of them have to correct for it.
        let wrong = Target::new(&action, path_integral_nn::ReferenceOscillator::new(2.2, 0.3).unwrap()).unwrap();
        let variance = {
            let samples = importance(&exact, 4, linalg_core::Streams::new(1), |x| x[0]).unwrap();
            assert!(samples.effective_sample_size > 3.99);
            importance(&exact, 20_000, linalg_core::Streams::new(2), |x| x[0] * x[0]).unwrap().mean
        };
        for method in Method::ALL {
            if method == Method::Staging && ensemble.slices() == 1 && ensemble.is_periodic() {
                assert!(matches!(
                    Chains::new(&wrong, method, ChainsParams::default()),
                    Err(Error::NotApplicable { .. })
                ));
                continue;
            }
            let mut chains = Chains::new(&wrong, method, ChainsParams::default().chains(LANES)).unwrap();
            chains.thermalize(500, &mut ()).unwrap();
            let mut moments = [Moments::new(0..1)];
            chains.run(3000, &mut moments, &mut ()).unwrap();
            let squares: Vec<f64> = moments[0].series.iter().flatten().map(|m| m[0]).collect();
            let got = autocorrelation_time(&squares).unwrap().estimate();
            assert!(got.z_score(&variance).abs() < 4.0, "{} {ensemble:?}: {got} {variance}", method.name());
        }
    }
}

#[test]
fn two_coupled_particles() {
    // Normal modes of frequencies 1 and √3: ⟨x₁²⟩ is the mean of both modes' ⟨x²⟩.
    let mut pair = Particles::new();
    let oscillator = || Polynomial::oscillator(1.0, 1.0).unwrap();
    pair.add(oscillator()).unwrap();
    pair.add(oscillator()).unwrap();
    pair.couple(0, 1, Polynomial::new(&[0.0, 0.0, 0.5]).unwrap()).unwrap();
    let system = System::new(pair).unwrap();
    let mode = |w: f64| {
        OscillatorLattice::new(1.0, w, 1.0, Rule::Trapezoid, 0.25).unwrap().periodic_correlator(12, 0).unwrap()
    };
    let exact = 0.5 * (mode(1.0) + mode(3f64.sqrt()));
    let action = Action::new(&system, &Ensemble::periodic(3.0, 12).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::variational(&action).unwrap();
    for method in Method::ALL {
        let mut chains = Chains::new(&target, method, ChainsParams::default().chains(LANES).seed(3)).unwrap();
        chains.thermalize(steps(method) / 4, &mut ()).unwrap();
        let mut squares = vec![Vec::new(); LANES];
        for _ in 0..steps(method) {
            chains.advance(1, &mut ()).unwrap();
            let block = chains.blocks().next().unwrap();
            for (lane, series) in squares.iter_mut().enumerate() {
                let path = block.path(lane);
                series.push(path.iter().step_by(2).map(|x| x * x).sum::<f64>() / 12.0);
            }
        }
        agrees(method.name(), &autocorrelation_time(&squares.concat()).unwrap().estimate(), exact);
    }
}

#[test]
fn threads_and_checkpoints_change_no_bit() {
    let action = Action::new(&quartic(), &Ensemble::periodic(2.0, 16).unwrap(), Rule::TakahashiImada).unwrap();
    let target = Target::variational(&action).unwrap();
    for method in Method::ALL {
        let start =
            |threads| Chains::new(&target, method, ChainsParams::default().chains(48).threads(threads)).unwrap();
        let bits = |chains: &Chains| -> Vec<u64> {
            chains.blocks().flat_map(|b| b.paths().iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
        };
        let (mut one, mut three) = (start(1), start(3));
        for chains in [&mut one, &mut three] {
            chains.thermalize(70, &mut ()).unwrap();
            chains.advance(11, &mut ()).unwrap();
        }
        assert_eq!(bits(&one), bits(&three), "{}", method.name());
        let saved =
            path_integral_nn::linalg_core::checkpoint::Checkpoint::from_bytes(&one.checkpoint().to_bytes()).unwrap();
        one.advance(20, &mut ()).unwrap();
        let mut other = start(2);
        other.restore(&saved).unwrap();
        other.advance(20, &mut ()).unwrap();
        assert_eq!(bits(&one), bits(&other), "{}", method.name());
        let mut stranger = Chains::new(&target, method, ChainsParams::default().seed(9)).unwrap();
        assert!(matches!(stranger.restore(&saved), Err(Error::Checkpoint(_))));
    }
}

#[test]
fn an_observer_stops_a_run() {
    let action = Action::new(&quartic(), &Ensemble::periodic(2.0, 8).unwrap(), Rule::Trapezoid).unwrap();
    let mut chains = Chains::new(&Target::variational(&action).unwrap(), Method::Pcn, ChainsParams::default()).unwrap();
    let mut stop = |p: &path_integral_nn::sampler::Progress| {
        if p.done >= 64 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    };
    assert!(matches!(chains.advance(1000, &mut stop), Err(Error::Stopped { done: 64, total: 1000 })));
}

#[test]
fn weights_that_collapse_are_an_error() {
    // A deep double well against one broad Gaussian, for long times.
    let well = System::new(Polynomial::new(&[0.0, 0.0, -20.0, 0.0, 2.0]).unwrap()).unwrap();
    let action = Action::new(&well, &Ensemble::periodic(40.0, 400).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::variational(&action).unwrap();
    let result = importance(&target, 2000, linalg_core::Streams::new(1), |x| x[0]);
    assert!(matches!(result, Err(Error::EffectiveSampleSize { samples: 2000, .. })), "{result:?}");
}

#[test]
fn kernels_by_reweighting() {
    // The kernel of the quartic from weights: K itself, within 4 errors of the transfer matrix.
    let exact = TransferMatrix::new(&quartic(), Rule::Trapezoid, 0.125).unwrap().kernel(8, 0.3, -0.5).unwrap();
    let ensemble = Ensemble::fixed_ends(1.0, 8, &[0.3], &[-0.5]).unwrap();
    let action = Action::new(&quartic(), &ensemble, Rule::Trapezoid).unwrap();
    let result =
        importance(&Target::variational(&action).unwrap(), 20_000, linalg_core::Streams::new(4), |x| x[3]).unwrap();
    let error = result.ln_z.std_error.unwrap();
    assert!(error < 0.003 && (result.ln_z.value - exact.ln()).abs() < 4.0 * error, "{result:?} {}", exact.ln());
}
