//! Diffusion, entropy production and the noise temperature of descent.

use linalg_core::Streams;
use linalg_core::grid::{Ends, GridAxis};
use linalg_core::rng::standard_normal;
use linalg_core::stats::{Estimate, Running};
use physics_inference::emergent::sgd::{
    EnsembleParams, Regression, SampleLoss, SmallMlp, calibrate, measure, stationary_variance,
};
use physics_inference::emergent::{
    FokkerPlanck, FpParams, LangevinParams, entropy_balance, entropy_production, langevin_ensemble,
};
use workspace_examples::figure::{Curves, Points};

use crate::{Failure, Row, Settings, exact, measured};

fn normal(axis: GridAxis, mean: f64, variance: f64) -> Vec<f64> {
    let scale = (std::f64::consts::TAU * variance).sqrt();
    axis.points().map(|x| (-(x - mean).powi(2) / (2.0 * variance)).exp() / scale).collect()
}

pub(crate) fn run(settings: &Settings) -> Result<Vec<Row>, Failure> {
    let (d, gamma) = (settings.args.diffusion, settings.args.gamma);
    let fp = FpParams::new(d, gamma)?;
    if gamma <= 0.0 {
        return Err(format!("--gamma is {gamma}, expected a number > 0: F = -q²/2 holds the ensemble together").into());
    }
    let (rest, time) = (d / gamma, 0.4);
    let decay = (-gamma * time).exp();
    let variance = rest + (2.0 - rest) * decay * decay;
    let width = 9.0 * variance.max(rest).max(2.0).sqrt();
    let axis = GridAxis::new(-width, width, settings.size(400, 1600))?;
    let well = |q: &[f64]| -0.5 * q[0] * q[0];
    let equation = FokkerPlanck::new(&[axis], Ends::Zero, fp, well)?;
    let mut rows = Vec::new();

    // Entropy production (5) at t = 0.4 of a Gaussian of variance 2.
    let production = entropy_production(&[axis], &normal(axis, 0.0, variance), fp, well)?;
    rows.push(exact("dS/dt = D I_F + gamma <Lap F> at t = 0.4", production.total, d / variance - gamma));
    let mut p = normal(axis, 0.0, 2.0);
    let balance = entropy_balance(&equation, &mut p, &[time], 16)?;
    rows.push(exact("entropy balance, residual at t = 0.4", balance[0].residual, 0.0));
    let moment = |p: &[f64]| axis.points().zip(p).map(|(x, p)| x * x * p * axis.spacing()).sum::<f64>();
    rows.push(exact("variance of the grid solution at t = 0.4", moment(&p), variance));
    rows.push(exact("variance in equilibrium", moment(&equation.equilibrium()), rest));

    // An ensemble of diffusing parameters.
    let members = settings.size(4000, 40_000);
    let streams = Streams::new(settings.args.seed);
    let mut rng = streams.child(0).fast_stream(u64::MAX);
    let mut q: Vec<f64> = (0..members).map(|_| 2f64.sqrt() * standard_normal(&mut rng)).collect();
    let steps = LangevinParams::new(fp, time / 200.0)?.steps(200).threads(settings.args.threads);
    langevin_ensemble(steps, &mut q, 1, |q, f| f[0] = -q[0], streams.child(0))?;
    let sample: Running = q.iter().copied().collect();
    let error = |running: &Running| running.variance() * (2.0 / running.count() as f64).sqrt();
    rows.push(measured(
        "variance of an ensemble at t = 0.4",
        Estimate::new(sample.variance(), error(&sample)),
        variance,
    ));

    // Descent on a quadratic: the discrete step widens it.
    let (descent, diffusion) = stationary_variance(0.1, 1.0, 4.0, 8)?;
    let chains = settings.size(2000, 20_000);
    let mut rng = streams.child(1).fast_stream(0);
    let ends: Running = (0..chains)
        .map(|_| (0..200).fold(0.0, |w, _| w - 0.1 * (w + 0.5f64.sqrt() * standard_normal(&mut rng))))
        .collect();
    let value = Estimate::new(ends.variance(), error(&ends));
    rows.push(measured("descent on a quadratic, variance", value, descent));
    rows.push(measured("descent on a quadratic, variance against D/(gamma h)", value, diffusion));

    // A 2-4-1 network.
    let mut rng = streams.child(2).fast_stream(0);
    let inputs: Vec<f64> = (0..64).map(|_| standard_normal(&mut rng)).collect();
    let targets =
        inputs.chunks(2).map(|x| (1.5 * x[0]).tanh() - 0.7 * x[1] + 0.3 * standard_normal(&mut rng)).collect();
    let model = SmallMlp { data: Regression::new(inputs, targets, 2)?, hidden: 4, ridge: 0.05 };
    let start: Vec<f64> = (0..model.n_parameters()).map(|_| standard_normal(&mut rng)).collect();
    let at = calibrate(&model, &start)?;
    let (runs, length) = settings.size((16, 1000), (200, 4000));
    let params = EnsembleParams::new(0.02, 8).runs(runs).steps(length, length).threads(settings.args.threads);
    let found = measure(&model, &at, params, streams.child(3))?;
    let (network, expected) = (at.fp(0.02, 8)?, at.spread(0.02, 8)?);
    rows.push(measured("2-4-1 network, gamma", found.gamma, network.gamma));
    rows.push(measured("2-4-1 network, D a parameter and step", found.d, network.d));
    rows.push(measured("2-4-1 network, trace of the covariance", found.spread, expected.0));

    let cells = 40;
    let cell = 8.0 / f64::from(cells);
    let bars = (0..cells).map(|k| {
        let low = -4.0 + f64::from(k) * cell;
        let count = q.iter().filter(|q| (low..low + cell).contains(*q)).count() as f64;
        let scale = 1.0 / (members as f64 * cell);
        (low + 0.5 * cell, count * scale, count.sqrt() * scale)
    });
    let visible = |p: Vec<f64>| axis.points().zip(p).filter(|(x, _)| x.abs() < 4.0).collect();
    settings.draw(&Curves {
        title: "Ornstein-Uhlenbeck process: grid and ensemble at t = 0.4".into(),
        x_label: "q".into(),
        y_label: "density".into(),
        lines: vec![
            ("start".into(), visible(normal(axis, 0.0, 2.0))),
            ("t = 0.4".into(), visible(p)),
            ("equilibrium".into(), visible(equation.equilibrium())),
        ],
        points: vec![Points { name: "ensemble".into(), points: bars.collect() }],
        ..Curves::default()
    })?;
    Ok(rows)
}
