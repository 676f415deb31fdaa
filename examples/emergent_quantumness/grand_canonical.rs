//! Hidden neurons at a chemical potential.

use linalg_core::Streams;
use linalg_core::rng::standard_normal;
use linalg_core::stats::Estimate;
use physics_inference::emergent::losses::{LossParams, compare};
use physics_inference::emergent::neurons::{BirthDeathTraining, optimality};
use physics_inference::emergent::sgd::Regression;
use physics_inference::emergent::thermodynamics::{Potentials, laws};
use physics_inference::emergent::{BirthDeath, GrandCanonical, IndependentNeurons};
use workspace_examples::figure::Curves;

use crate::{Failure, Row, Settings, exact, measured, open};

/// A noisy sine, to learn and to test.
fn data(streams: Streams) -> physics_inference::Result<(Regression, Regression)> {
    let make = |k: u64, n: usize| {
        let mut rng = streams.stream(1000 + k);
        let inputs: Vec<f64> = (0..n).map(|_| 2.0 * standard_normal(&mut rng)).collect();
        let targets = inputs.iter().map(|x| (1.5 * x).sin() + 0.3 * standard_normal(&mut rng)).collect();
        Regression::new(inputs, targets, 1)
    };
    Ok((make(0, 50)?, make(1, 200)?))
}

pub(crate) fn run(settings: &Settings) -> Result<Vec<Row>, Failure> {
    let (t, mu) = (settings.args.temperature, settings.args.mu);
    let streams = Streams::new(settings.args.seed).child(10);
    let mut rows = Vec::new();

    // Fifty free neurons.
    let make = |t: f64, mu: f64| GrandCanonical::new(IndependentNeurons::new(vec![0.0; 50])?, t, mu);
    let ensemble = make(t, mu)?;
    let moments = ensemble.independent();
    let active = 1.0 / (1.0 + (-mu / t).exp());
    rows.push(exact("free neurons, variance of N", moments.variance_n, 50.0 * active * (1.0 - active)));
    let mut chain = BirthDeath::new(&ensemble)?;
    let moves = settings.size(60_000, 1_000_000);
    let sampled = chain.run(5000, moves, &mut (), &mut streams.fast_stream(0));
    rows.push(measured("free neurons, <N> by birth and death", sampled.mean_n, moments.mean_n));
    rows.push(measured("free neurons, Delta N by birth and death", sampled.delta_n, moments.delta_n()));
    let entropies = moments.number_entropy();
    rows.push(exact("Delta S as printed, 2 Delta N", entropies.printed, 2.0 * moments.delta_n()));
    rows.push(exact("Delta S of 2 Delta N two-state units", entropies.two_state_units, entropies.printed * 2f64.ln()));
    rows.push(exact("Delta S of the number itself", entropies.of_number, entropies.of_number_gaussian));
    let potentials = Potentials::of(&moments, t, mu);
    rows.push(exact("U = F + T S", potentials.loss(), moments.energy));
    rows.push(exact("U = F - T S as printed", potentials.loss_as_printed(), moments.energy));
    let laws = laws(|t, mu| Ok(make(t, mu)?.independent()), t, mu, 1e-3 * t)?;
    rows.push(exact("dF - mu dN, over dmu", laws.first_law, 0.0));
    rows.push(exact("dU - T dS at constant N, over dT", laws.canonical, 0.0));
    rows.push(exact("dU - T dS - mu dN, over dT", laws.grand_canonical, 0.0));

    // Training with births and deaths.
    let (train, test) = data(streams.child(0))?;
    let training = BirthDeathTraining::default();
    let (warm_up, steps) = settings.size((800, 800), (6000, 12_000));
    let trace = training.tuned(&train, Some(&test), warm_up, steps, &mut streams.fast_stream(1))?;
    rows.push(measured("training, <N> with tuned mu", trace.mean_n, training.centre));
    rows.push(open("training, Delta N", Estimate::exact(trace.delta_n)));
    let (birth, death) = trace.mean_jumps();
    rows.push(measured("training, jump of the loss at a birth against mu", birth, trace.mu));
    rows.push(measured("training, jump of the loss at a death against -mu", death, -trace.mu));
    rows.push(exact("training, scatter of the jumps, 0 if quantised", trace.jump_scatter(), 0.0));
    if !settings.args.quick {
        let result = optimality(
            &training,
            &[0.0, 0.1, 0.5, 4.0],
            8,
            data,
            warm_up,
            steps,
            settings.args.threads,
            streams.child(1),
        )?;
        for rung in &result.rungs {
            let name = format!("kappa {}: Delta N at <N> = {:.2}", rung.confinement, rung.mean_n.value);
            rows.push(open(name, rung.delta_n));
            rows.push(open(format!("kappa {}: test error", rung.confinement), rung.test_error));
        }
        rows.push(open("slope of the test error over Delta N, < 0 is the claim", result.slope));
    }

    // Jumps of the boundary and of the bulk loss.
    for (name, batch) in [("all samples", 0), ("batches of 4", 4)] {
        let params = LossParams::default().steps(settings.size(300, 2000)).batch(batch);
        let jumps = compare(settings.size(6, 100), 4, 16, &params, settings.args.threads, streams.child(2))?;
        let difference = Estimate::new(jumps.difference, jumps.std_error);
        rows.push(open(format!("jumps in 1000 steps, boundary minus bulk, {name}"), difference));
        let claim = Estimate::exact(f64::from(u8::from(jumps.claim)));
        rows.push(open(format!("claim: the boundary jumps more (1: at 95 %), {name}"), claim));
    }
    let line = trace.number.iter().enumerate().map(|(step, n)| (step as f64, *n as f64)).collect();
    settings.draw(&Curves {
        title: "Hidden neurons born and dying in training".into(),
        x_label: "step".into(),
        y_label: "N".into(),
        lines: vec![("N(t)".into(), line)],
        ..Curves::default()
    })?;
    Ok(rows)
}
