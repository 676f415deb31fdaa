//! Message passing in the Hopfield model against Monte Carlo and closed forms.

use approx::assert_abs_diff_eq;
use linalg_core::Streams;
use spin_models::rand::RngExt;
use variational::Error;
use variational::mean_field::{HopfieldBp, HopfieldParams, HopfieldSolution, HopfieldTap, Patterns};

fn patterns(n: usize, p: usize, seed: u64) -> Patterns {
    let mut rng = Streams::new(seed).stream(0);
    Patterns::new(n, (0..n * p).map(|_| if rng.random() { 1 } else { -1 }).collect()).unwrap()
}

fn start(patterns: &Patterns, mu: usize) -> Vec<f64> {
    patterns.pattern(mu).iter().map(|&s| 0.95 * f64::from(s)).collect()
}

/// Heat bath from a start: mean spins and mean energy, after a tenth of the sweeps.
fn monte_carlo(patterns: &Patterns, beta: f64, start: &[i8], sweeps: usize, seed: u64) -> (Vec<f64>, f64) {
    let (n, p) = (patterns.n_spins(), patterns.n_patterns());
    let mut rng = Streams::new(seed).stream(1);
    let mut s = start.to_vec();
    let mut sums: Vec<f64> = (0..p)
        .map(|mu| patterns.pattern(mu).iter().zip(&s).map(|(&x, &s)| f64::from(x * s)).sum::<f64>() / n as f64)
        .collect();
    let (mut mean, mut energy, mut count) = (vec![0.0; n], 0.0, 0.0);
    for sweep in 0..sweeps {
        for (i, spin) in s.iter_mut().enumerate() {
            let field: f64 = (0..p).map(|mu| f64::from(patterns.pattern(mu)[i]) * sums[mu]).sum::<f64>()
                - p as f64 / n as f64 * f64::from(*spin);
            let new = if rng.random::<f64>() < 1.0 / (1.0 + (-2.0 * beta * field).exp()) { 1 } else { -1 };
            if new != *spin {
                *spin = new;
                for (mu, sum) in sums.iter_mut().enumerate() {
                    *sum += 2.0 * f64::from(patterns.pattern(mu)[i] * new) / n as f64;
                }
            }
        }
        if sweep >= sweeps / 10 {
            count += 1.0;
            mean.iter_mut().zip(&s).for_each(|(m, &s)| *m += f64::from(s));
            energy -= 0.5 * (n as f64 * sums.iter().map(|o| o * o).sum::<f64>() - p as f64);
        }
    }
    mean.iter_mut().for_each(|m| *m /= count);
    (mean, energy / count)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    (a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64).sqrt()
}

/// `m = tanh(β Σ_{j≠i} J m_j - reaction m_i)` by damped iteration.
fn with_reaction(patterns: &Patterns, beta: f64, mut m: Vec<f64>, reaction: impl Fn(f64) -> f64) -> Vec<f64> {
    let (n, p) = (patterns.n_spins(), patterns.n_patterns());
    for _ in 0..2000 {
        let overlaps = patterns.overlaps(&m);
        let q = m.iter().map(|m| m * m).sum::<f64>() / n as f64;
        let field = |i: usize| {
            let sum: f64 = (0..p).map(|mu| f64::from(patterns.pattern(mu)[i]) * overlaps[mu]).sum();
            beta * (sum - p as f64 / n as f64 * m[i]) - reaction(q) * m[i]
        };
        m = (0..n).map(|i| 0.5 * m[i] + 0.5 * field(i).tanh()).collect();
    }
    m
}

#[test]
fn retrieval_states_are_those_of_monte_carlo() {
    let (n, p, beta) = (1000, 30, 2.0);
    let alpha = p as f64 / n as f64;
    let patterns = patterns(n, p, 1);
    let tap = HopfieldTap::default().fit(&patterns, beta, &start(&patterns, 0), &mut ()).unwrap();
    assert!(tap.converged, "{} {}", tap.residual, tap.overlaps[0]);
    // Replica-symmetric saddle point of Amit, Gutfreund and Sompolinsky at α = 0.03, T = 0.5.
    let (mut m, mut q) = (0.95, 0.95f64);
    for _ in 0..500 {
        let r = q / (1.0 - beta * (1.0 - q)).powi(2);
        let (mut a, mut b, mut norm) = (0.0, 0.0, 0.0);
        for k in -800..=800 {
            let z = f64::from(k) / 100.0;
            let (w, t) = ((-0.5 * z * z).exp(), (beta * (m + (alpha * r).sqrt() * z)).tanh());
            (a, b, norm) = (a + w * t, b + w * t * t, norm + w);
        }
        (m, q) = (a / norm, b / norm);
    }
    assert_abs_diff_eq!(tap.overlaps[0], m, epsilon = 0.01);
    let (mean, energy) = monte_carlo(&patterns, beta, patterns.pattern(0), 3000, 3);
    let far = distance(&tap.magnetizations, &mean);
    // 2700 correlated sweeps leave about 0.01 a spin.
    assert!(far < 0.03, "{far}");
    assert_abs_diff_eq!(tap.energy / n as f64, energy / n as f64, epsilon = 2e-3);

    // Both forms of the equations, and belief propagation.
    let right = |q: f64| alpha * beta * beta * (1.0 - q) / (1.0 - beta * (1.0 - q));
    let direct = with_reaction(&patterns, beta, start(&patterns, 0), right);
    assert!(distance(&tap.magnetizations, &direct) < 1e-8);
    let bp = HopfieldBp::default().fit(&patterns, beta, &start(&patterns, 0), Some(0), &mut ()).unwrap();
    let apart = distance(&bp.magnetizations, &tap.magnetizations);
    assert!(bp.converged && apart < 3e-3, "{apart}");
    assert_abs_diff_eq!(bp.ln_z / n as f64, tap.ln_z / n as f64, epsilon = 1e-4);
}

#[test]
fn the_reaction_of_independent_couplings_is_wrong() {
    // Warmer and fuller, where the two terms differ.
    let (n, p, beta) = (1000, 20, 1.6);
    let alpha = p as f64 / n as f64;
    let patterns = patterns(n, p, 4);
    let tap = HopfieldTap::default().fit(&patterns, beta, &start(&patterns, 2), &mut ()).unwrap();
    assert!(tap.converged && tap.overlaps[2] > 0.7, "{} {}", tap.residual, tap.overlaps[2]);
    let independent = with_reaction(&patterns, beta, start(&patterns, 2), |q| alpha * beta * beta * (1.0 - q));
    let (mean, _) = monte_carlo(&patterns, beta, patterns.pattern(2), 24_000, 5);
    let (right, wrong) = (distance(&tap.magnetizations, &mean), distance(&independent, &mean));
    assert!(right < 0.6 * wrong, "{right} and {wrong}");
}

#[test]
fn one_set_of_equations_serves_every_pattern() {
    let patterns = patterns(600, 12, 2);
    // Belief propagation must know the pattern: with no or another one condensed it loses the state.
    let bp = |condensed| HopfieldBp::default().fit(&patterns, 2.0, &start(&patterns, 0), condensed, &mut ()).unwrap();
    let told = bp(Some(0));
    assert!(told.converged && told.overlaps[0] > 0.9);
    for wrong in [bp(None), bp(Some(1))] {
        assert!(!wrong.converged || wrong.overlaps[0] < 0.5, "{} {}", wrong.converged, wrong.overlaps[0]);
    }
    for mu in 0..12 {
        let tap = HopfieldTap::default().fit(&patterns, 2.0, &start(&patterns, mu), &mut ()).unwrap();
        assert!(tap.converged && tap.overlaps[mu] > 0.9, "pattern {mu}: {}", tap.overlaps[mu]);
        let others = tap.overlaps.iter().enumerate().filter(|(nu, _)| *nu != mu).map(|(_, o)| o.abs());
        assert!(others.fold(0.0, f64::max) < 0.3);
    }
}

#[test]
fn the_free_energy_is_stationary_and_gives_the_energy() {
    let patterns = patterns(200, 10, 6);
    let fit = |beta: f64| {
        let tap = HopfieldTap::new(HopfieldParams::default().tolerance(1e-13));
        tap.fit(&patterns, beta, &start(&patterns, 0), &mut ()).unwrap()
    };
    let (beta, h) = (1.8, 1e-4);
    let at = fit(beta);
    assert!(at.converged);
    // Stationary in m: the derivative along β is minus the energy.
    assert_abs_diff_eq!((fit(beta + h).ln_z - fit(beta - h).ln_z) / (2.0 * h), -at.energy, epsilon = 1e-5);
}

#[test]
fn paramagnet_and_glass() {
    // Above T_g = 1 + √α the magnetizations vanish and ln Z is the closed form; the energy is that of Monte Carlo.
    let (n, p) = (800, 160);
    let patterns = patterns(n, p, 7);
    let hot = 0.5;
    let small: Vec<f64> = start(&patterns, 0).iter().map(|m| 0.1 * m).collect();
    let tap = HopfieldTap::default().fit(&patterns, hot, &small, &mut ()).unwrap();
    let closed = n as f64 * 2f64.ln() - 0.5 * p as f64 * (hot + (1.0 - hot).ln());
    assert!(tap.converged);
    assert_abs_diff_eq!(tap.ln_z, closed, epsilon = 1e-8);
    let (_, energy) = monte_carlo(&patterns, hot, patterns.pattern(0), 1500, 8);
    assert_abs_diff_eq!(tap.energy / n as f64, energy / n as f64, epsilon = 2e-3);
    // Below T_g = 1.447 at α = 0.2 patterns are not retrieved, and the equations do not settle: both methods say so.
    let beta = 1.0 / 1.2;
    let tap = HopfieldTap::default().fit(&patterns, beta, &start(&patterns, 0), &mut ()).unwrap();
    let bp = HopfieldBp::default().fit(&patterns, beta, &start(&patterns, 0), None, &mut ()).unwrap();
    assert!(!tap.converged && !bp.converged && tap.residual > 1e-3 && bp.residual > 1e-3);
    // Monte Carlo has lost the pattern; its energy is near to that of the last iterates, and above the paramagnet's.
    let (mean, energy) = monte_carlo(&patterns, beta, patterns.pattern(0), 1500, 9);
    assert!(patterns.overlaps(&mean)[0].abs() < 0.3);
    let paramagnet = -0.5 * 0.2 * beta / (1.0 - beta);
    println!("glass: Monte Carlo {}, TAP {}, paramagnet {paramagnet}", energy / 800.0, tap.energy / 800.0);
    assert!((tap.energy - energy).abs() / 800.0 < 0.08 && energy / 800.0 > paramagnet + 0.1);
    // Colder, the integrals cease to exist on the way; nothing that is no number comes out.
    for damping in [0.0, 0.5, 0.8] {
        let params = HopfieldParams::default().damping(damping);
        let cold = HopfieldTap::new(params).fit(&patterns, 1.25, &start(&patterns, 0), &mut ()).unwrap();
        assert!(!cold.converged && cold.magnetizations.iter().all(|m| m.is_finite()) && !cold.ln_z.is_nan());
    }
}

#[test]
fn bad_input_is_named() {
    let patterns = patterns(4, 2, 1);
    let tap = |beta, start: &[f64]| HopfieldTap::default().fit(&patterns, beta, start, &mut ());
    assert!(matches!(tap(1.0, &[0.0; 3]), Err(Error::WrongLength { got: 3, expected: 4, .. })));
    assert_eq!(
        tap(1.0, &[0.0, 2.0, 0.0, 0.0]).unwrap_err().to_string(),
        "magnetization is 2 at site 1, expected a number from -1 to 1"
    );
    assert!(tap(-1.0, &[0.0; 4]).is_err() && tap(f64::NAN, &[0.0; 4]).is_err() && tap(1.0, &[f64::NAN; 4]).is_err());
    // The Gaussian integral does not exist at m = 0 and β ≥ 1.
    let none: HopfieldSolution = tap(1.5, &[0.0; 4]).unwrap();
    assert!(!none.converged && none.residual.is_infinite() && none.sweeps == 0);
    for params in [HopfieldParams::default().damping(1.0), HopfieldParams::default().max_sweeps(0)] {
        assert!(HopfieldBp::new(params).fit(&patterns, 1.0, &[0.0; 4], None, &mut ()).is_err());
    }
    let wrong = HopfieldBp::default().fit(&patterns, 1.0, &[0.0; 4], Some(2), &mut ()).unwrap_err().to_string();
    assert_eq!(wrong, "condensed pattern is 2, expected the number of a pattern");
    // No patterns: free spins.
    let free = Patterns::new(3, Vec::new()).unwrap();
    let solution = HopfieldBp::default().fit(&free, 2.0, &[0.5; 3], None, &mut ()).unwrap();
    assert!(solution.converged && (solution.ln_z - 3.0 * 2f64.ln()).abs() < 1e-12);
}
