//! Autocorrelation times against the number of slices: x²/2 + x⁴, a ring of length 8, the trapezoid.

use linalg_core::stats::{AutocorrelationTime, Windowing, autocorrelation_time_with};
use path_integral_nn::sampler::{Block, Chains, ChainsParams, LANES, Measurement, Method, Target};
use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};

/// The mean of every path after every step.
#[derive(Clone)]
struct PathMean(Vec<Vec<f64>>);

impl Measurement for PathMean {
    fn measure(&mut self, block: &Block) {
        let n = block.paths().len() / LANES;
        let mut sums = [0.0; LANES];
        for row in block.paths().chunks_exact(LANES) {
            sums.iter_mut().zip(row).for_each(|(s, x)| *s += x);
        }
        self.0.iter_mut().zip(sums).for_each(|(series, s)| series.push(s / n as f64));
    }
}

/// τ of the path mean in steps, force evaluations of a step, and seconds of a step of one chain.
fn measure(method: Method, slices: usize, steps: u64) -> (AutocorrelationTime, f64, f64) {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).unwrap()).unwrap();
    let action = Action::new(&system, &Ensemble::periodic(8.0, slices).unwrap(), Rule::Trapezoid).unwrap();
    let target = Target::variational(&action).unwrap();
    let mut chains = Chains::new(&target, method, ChainsParams::default().chains(2 * LANES)).unwrap();
    chains.thermalize(steps / 4, &mut ()).unwrap();
    let mut means = vec![PathMean(vec![Vec::new(); LANES]); 2];
    let start = std::time::Instant::now();
    chains.run(steps, &mut means, &mut ()).unwrap();
    let seconds = start.elapsed().as_secs_f64() / (steps as f64 * 2.0 * LANES as f64);
    let forces = chains.force_evaluations() / (steps as f64 * 2.0 * LANES as f64);
    let joined: Vec<f64> = means.iter().flat_map(|m| m.0.concat()).collect();
    (autocorrelation_time_with(&joined, Windowing::Sokal { c: 6.0 }).unwrap(), forces, seconds)
}

#[test]
fn effective_samples_per_force() {
    // Per force evaluation, relative to Metropolis: at least 15 at N = 64 and 60 at N = 128.
    for (slices, least, steps) in [(64, 15.0, 8000), (128, 60.0, 20_000)] {
        let (hmc, hmc_forces, _) = measure(Method::HmcReference, slices, 1500);
        let (metropolis, metropolis_forces, _) = measure(Method::Metropolis, slices, steps);
        assert!(hmc.tau_error < 0.1 * hmc.tau && metropolis.tau_error < 0.15 * metropolis.tau);
        let gain = metropolis.tau * metropolis_forces / (hmc.tau * hmc_forces);
        assert!(gain > least, "N = {slices}: {gain}, {hmc:?} of {hmc_forces} forces, {metropolis:?}");
    }
}

#[test]
fn mesh_independence() {
    // Steps of pCN and HMC with the reference are worth the same at N = 16 and 256, within 20 %.
    for (method, steps) in [(Method::HmcReference, 2500), (Method::Pcn, 12_000)] {
        let (coarse, ..) = measure(method, 16, steps);
        let (fine, ..) = measure(method, 256, steps);
        let ratio = fine.tau / coarse.tau;
        assert!((1.0 / 1.2..1.2).contains(&ratio), "{}: {coarse:?} {fine:?}", method.name());
    }
}

#[test]
#[ignore = "a table up to N = 4096, minutes; run by .ci/long"]
fn the_whole_table() {
    println!("{:<16}{:>6}{:>10}{:>8}{:>8}{:>14}", "method", "N", "tau", "±", "forces", "us a step");
    for (method, steps) in [(Method::HmcReference, 3000), (Method::Pcn, 12_000)] {
        let mut taus = Vec::new();
        for slices in [16, 32, 64, 256, 1024, 4096] {
            let (time, forces, seconds) = measure(method, slices, steps);
            println!(
                "{:<16}{slices:>6}{:>10.3}{:>8.3}{forces:>8.1}{:>14.2}",
                method.name(),
                time.tau,
                time.tau_error,
                1e6 * seconds
            );
            taus.push(time.tau);
        }
        let (low, high) = taus.iter().fold((f64::INFINITY, 0f64), |(l, h), t| (l.min(*t), h.max(*t)));
        assert!(high < 1.2 * low, "{}: {taus:?}", method.name());
    }
    let mut before = f64::NAN;
    for (slices, steps) in [(16, 20_000), (32, 20_000), (64, 40_000), (128, 80_000)] {
        let (time, forces, seconds) = measure(Method::Metropolis, slices, steps);
        println!(
            "metropolis      {slices:>6}{:>10.3}{:>8.3}{forces:>8.1}{:>14.2}",
            time.tau,
            time.tau_error,
            1e6 * seconds
        );
        if slices >= 64 {
            assert!((2.8..5.2).contains(&(time.tau / before)), "{}", time.tau / before);
        }
        before = time.tau;
    }
}
