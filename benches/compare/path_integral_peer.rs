//! Effective samples a second of closed paths in x²/2 + x⁴ at β = 8: this crate and `scirs2_integrate::pimc`, one thread each.
//!
//! Built outside the workspace by `path_integral.py`. The peer runs the sweep of its own `PimcSimulator`, N single-bead moves
//! and a move of the centre of mass, through its public moves, so that the path can be looked at after every sweep.

use std::time::Instant;

use linalg_core::stats::{AutocorrelationTime, Windowing, autocorrelation_time_with};
use path_integral_nn::estimate::{Observables, ObservablesParams, Report};
use path_integral_nn::exact::TransferMatrix;
use path_integral_nn::sampler::{Block, Chains, ChainsParams, LANES, Measurement, Method, Target};
use path_integral_nn::{Action, Ensemble, Polynomial, Rule, System};
use scirs2_core::random::seeded_rng;
use scirs2_integrate::pimc::{
    BisectionMove, CenterOfMassMove, PimcConfig, PimcMove, PimcSimulator, RingPolymer, SingleBeadMove,
};

const BETA: f64 = 8.0;

/// A clock that stands while others have the processor: the time of this thread on Linux, else the wall's.
struct Clock {
    wall: Instant,
    processor: Option<f64>,
}

fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(1e-9 * text.split_whitespace().next()?.parse::<f64>().ok()?)
}

impl Clock {
    fn now() -> Self {
        Self { wall: Instant::now(), processor: processor_seconds() }
    }

    fn seconds(&self) -> f64 {
        match (self.processor, processor_seconds()) {
            (Some(before), Some(now)) => now - before,
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// The path mean and the mean of x² after every step, each a list for every chain; the thermodynamic energy for the peer.
#[derive(Clone, Default)]
struct Series {
    mean: Vec<Vec<f64>>,
    x2: Vec<Vec<f64>>,
    energy: Vec<f64>,
}

impl Series {
    fn chains(n: usize) -> Self {
        Self { mean: vec![Vec::new(); n], x2: vec![Vec::new(); n], energy: Vec::new() }
    }
}

impl Measurement for Series {
    fn measure(&mut self, block: &Block) {
        let n = (block.paths().len() / LANES) as f64;
        let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
        for row in block.paths().chunks_exact(LANES) {
            for l in 0..LANES {
                sums[l] += row[l];
                squares[l] += row[l] * row[l];
            }
        }
        for l in 0..LANES {
            self.mean[l].push(sums[l] / n);
            self.x2[l].push(squares[l] / n);
        }
    }
}

struct Result {
    mean: AutocorrelationTime,
    x2: AutocorrelationTime,
    energy: Option<AutocorrelationTime>,
    steps: f64,
    seconds: f64,
}

impl Result {
    fn new(series: &[Series], seconds: f64) -> Self {
        let tau = |pick: fn(&Series) -> &Vec<Vec<f64>>| {
            let joined: Vec<f64> = series.iter().flat_map(|s| pick(s).concat()).collect();
            (joined.len() as f64, autocorrelation_time_with(&joined, Windowing::Sokal { c: 6.0 }).expect("a series"))
        };
        let ((steps, mean), (_, x2)) = (tau(|s| &s.mean), tau(|s| &s.x2));
        let energies: Vec<f64> = series.iter().flat_map(|s| s.energy.iter().copied()).collect();
        let energy = (!energies.is_empty())
            .then(|| autocorrelation_time_with(&energies, Windowing::Sokal { c: 6.0 }).expect("a series"));
        Self { mean, x2, energy, steps, seconds }
    }

    /// Effective samples a second of the path mean and of x².
    fn rates(&self) -> [f64; 2] {
        [self.mean.tau, self.x2.tau].map(|tau| self.steps / (2.0 * tau * self.seconds))
    }
}

fn potential(r: &[f64]) -> f64 {
    let s = r[0] * r[0];
    s * (0.5 + s)
}

/// `sweeps` sweeps of the peer after a tenth of them unmeasured; with a level, a bisection move for every segment of the path too.
fn peer(n: usize, displacement: f64, bisection: Option<usize>, sweeps: usize) -> Result {
    let config = PimcConfig { n_slices: n, beta: BETA, max_displacement: displacement, ..PimcConfig::default() };
    let mut rng = seeded_rng(1);
    let mut polymer = RingPolymer::new_random(&config, &mut rng);
    let bead = SingleBeadMove { max_displacement: displacement };
    let centre = CenterOfMassMove { max_displacement: 0.5 * displacement };
    let tau = BETA / n as f64;
    let mut series = Series::chains(1);
    let mut start = Clock::now();
    for sweep in 0..sweeps + sweeps / 10 {
        if sweep == sweeps / 10 {
            start = Clock::now();
        }
        for _ in 0..n {
            bead.propose_and_accept(&mut polymer, &potential, 1.0, tau, &mut rng);
        }
        centre.propose_and_accept(&mut polymer, &potential, 1.0, tau, &mut rng);
        if let Some(max_level) = bisection {
            let segment = BisectionMove { max_level };
            for _ in 0..n >> max_level {
                segment.propose_and_accept(&mut polymer, &potential, 1.0, tau, &mut rng);
            }
        }
        if sweep >= sweeps / 10 {
            let beads = &polymer.beads[0];
            series.mean[0].push(beads.iter().map(|r| r[0]).sum::<f64>() / n as f64);
            series.x2[0].push(beads.iter().map(|r| r[0] * r[0]).sum::<f64>() / n as f64);
            // Its estimator: d/2τ - (m/2τ²) mean |Δr|² + mean V.
            let springs: f64 = (0..n).map(|k| (beads[(k + 1) % n][0] - beads[k][0]).powi(2)).sum();
            let potentials: f64 = beads.iter().map(|r| potential(r)).sum();
            series.energy.push(0.5 / tau - springs / (2.0 * tau * tau * n as f64) + potentials / n as f64);
        }
    }
    Result::new(&[series], start.seconds())
}

/// Seconds of a sweep of the peer's own driver.
fn peer_driver(n: usize, displacement: f64) -> f64 {
    let config = PimcConfig {
        n_slices: n,
        beta: BETA,
        max_displacement: displacement,
        n_steps: 2000,
        n_thermalize: 0,
        estimator_interval: 1000,
        ..PimcConfig::default()
    };
    let mut simulator = PimcSimulator::new(config, Box::new(potential)).expect("a configuration");
    let start = Clock::now();
    simulator.run().expect("a run");
    start.seconds() / 2000.0
}

fn ours(n: usize, steps: u64) -> Result {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).expect("bounded")).expect("a system");
    let ring = Ensemble::periodic(BETA, n).expect("a ring");
    let action = Action::new(&system, &ring, Rule::Trapezoid).expect("an action");
    let target = Target::variational(&action).expect("a reference");
    let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default()).expect("finite paths");
    chains.thermalize(200, &mut ()).expect("no stop");
    let mut series = vec![Series::chains(LANES); 2];
    let start = Clock::now();
    chains.run(steps, &mut series, &mut ()).expect("no stop");
    Result::new(&series, start.seconds())
}

/// Energy, its error and the seconds of a run with everything that a report needs, evaluation included.
fn our_energy(n: usize, steps: u64) -> (f64, f64, f64) {
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).expect("bounded")).expect("a system");
    let ring = Ensemble::periodic(BETA, n).expect("a ring");
    let action = Action::new(&system, &ring, Rule::Trapezoid).expect("an action");
    let target = Target::variational(&action).expect("a reference");
    let mut chains = Chains::new(&target, Method::HmcReference, ChainsParams::default()).expect("finite paths");
    chains.thermalize(200, &mut ()).expect("no stop");
    let params = ObservablesParams::default().correlators(false);
    let mut observables = vec![Observables::new(&target, params).expect("a window"); 2];
    let start = Clock::now();
    chains.run(steps, &mut observables, &mut ()).expect("no stop");
    let energy = Report::new(&observables).expect("samples").energy.estimate;
    (energy.value, energy.std_error.unwrap_or(f64::NAN), start.seconds())
}

fn row(name: &str, n: usize, exact: f64, result: &Result, ours: Option<[f64; 2]>) {
    let [mean, x2] = result.rates();
    let pull = (result.x2.mean - exact) / result.x2.std_error();
    let ratios = ours.map_or("1 | 1".to_owned(), |o| format!("{:.0} | {:.0}", o[0] / mean, o[1] / x2));
    println!(
        "| {n} | {name} | {:.1} | {:.2} ± {:.2} | {:.2} ± {:.2} | {mean:.3e} | {x2:.3e} | {ratios} | {:.5} ± {:.5} ({pull:+.1}) |",
        1e6 * result.seconds / result.steps,
        result.mean.tau,
        result.mean.tau_error,
        result.x2.tau,
        result.x2.tau_error,
        result.x2.mean,
        result.x2.std_error(),
    );
}

fn main() {
    let scale: f64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1.0);
    println!(
        "| N | program | µs a path | τ of the mean | τ of x² | mean, effective a second | x², effective a second | ratio, mean | ratio, x² | <x²> (errors off) |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let system = System::new(Polynomial::new(&[0.0, 0.0, 0.5, 0.0, 1.0]).expect("bounded")).expect("a system");
    let mut energies = Vec::new();
    for n in [32usize, 64, 128] {
        let lattice = TransferMatrix::new(&system, Rule::Trapezoid, BETA / n as f64).expect("a lattice");
        let exact = lattice.periodic_average(n, |x| x * x).expect("an average");
        let ours_before = ours(n, (4000.0 * scale) as u64);
        // The displacement with the most effective samples of the path mean a second, from short runs.
        let width = (BETA / n as f64).sqrt();
        let tried: Vec<(f64, f64)> = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0]
            .into_iter()
            .map(|k| (k * width, peer(n, k * width, None, (20_000.0 * scale) as usize).rates()[0]))
            .collect();
        let best = tried.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).expect("several").0;
        let own = peer(n, best, None, (200_000.0 * scale) as usize);
        let default = peer(n, 0.5, None, (100_000.0 * scale) as usize);
        let with_segments = peer(n, best, Some(3), (50_000.0 * scale) as usize);
        let energy_before = our_energy(n, (2000.0 * scale) as u64);
        let energy_after = our_energy(n, (2000.0 * scale) as u64);
        let ours_after = ours(n, (4000.0 * scale) as u64);
        // The slower of the two runs of this crate, before and after the peer.
        let of_ours = if ours_before.rates()[0] < ours_after.rates()[0] { ours_before } else { ours_after };
        let rates = of_ours.rates();
        row("path-integral-nn, hmc-reference", n, exact, &of_ours, None);
        row(&format!("pimc, displacement {best:.2} (tuned)"), n, exact, &own, Some(rates));
        row("pimc, displacement 0.5 (its default)", n, exact, &default, Some(rates));
        row("pimc, tuned, with bisection moves", n, exact, &with_segments, Some(rates));
        // Seconds of one thread for an error of 1e-3.
        let needed = |(_, error, seconds): (f64, f64, f64)| seconds * (error / 1e-3).powi(2);
        let our_seconds = needed(energy_before).max(needed(energy_after));
        let exact = lattice.virial_energy(Some(n)).expect("an energy");
        let peer = own.energy.expect("recorded");
        let their_seconds = needed((peer.mean, peer.std_error(), own.seconds));
        energies.push(format!(
            "| {n} | {exact:.6} | {:.6} ± {:.6} | {our_seconds:.2e} | {:.4} ± {:.4} | {their_seconds:.2} | {:.0} |",
            energy_before.0,
            energy_before.1,
            peer.mean,
            peer.std_error(),
            their_seconds / our_seconds
        ));
        eprintln!(
            "N = {n}: a sweep of PimcSimulator::run takes {:.1} us, tried {tried:.2?}",
            1e6 * peer_driver(n, best)
        );
    }
    println!(
        "\n| N | energy of the lattice | path-integral-nn | seconds for ± 1e-3 | pimc, tuned | seconds for ± 1e-3 | ratio |"
    );
    println!("|---|---|---|---|---|---|---|");
    energies.iter().for_each(|row| println!("{row}"));
}
