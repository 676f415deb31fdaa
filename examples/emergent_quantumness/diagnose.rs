//! Which description an ensemble follows.

use std::f64::consts::TAU;

use linalg_core::Streams;
use linalg_core::grid::{Ends, GridAxis};
use linalg_core::num_complex::Complex64;
use linalg_core::rng::standard_normal;
use linalg_core::stats::Estimate;
use physics_inference::emergent::{Description, Diagnose, FpParams, Setup, Snapshot, Verdict, Wave, gaussian_packet};
use workspace_examples::figure::Curves;

use crate::{Failure, Row, Settings, measured, open};

/// Shares of ensembles drawn from a description for which it is the verdict, and for which it is one of several that tie.
fn wins(
    diagnose: &Diagnose,
    truth: Description,
    time: f64,
    settings: &Settings,
    streams: Streams,
) -> Result<[f64; 2], Failure> {
    let trials = settings.size(50u64, 1000);
    let (mut won, mut tied) = (0.0, 0.0);
    for k in 0..trials {
        let positions = diagnose.sample(truth, 0, settings.args.samples as usize, &mut streams.fast_stream(k))?;
        match diagnose.compare(&[Snapshot { time, positions }])?.verdict {
            Verdict::One(description) => won += f64::from(u8::from(description == truth)),
            Verdict::Undecided(names) => tied += f64::from(u8::from(names.contains(&truth))),
        }
    }
    Ok([won / trials as f64, tied / trials as f64])
}

fn share(value: f64, settings: &Settings) -> Estimate {
    let n = settings.size(50.0, 1000.0);
    Estimate::new(value, (value * (1.0 - value) / n).sqrt())
}

pub(crate) fn run(settings: &Settings) -> Result<Vec<Row>, Failure> {
    let streams = Streams::new(settings.args.seed).child(40);
    let mut rows = Vec::new();

    // A ring: a lump with one quantum of circulation.
    let ring = GridAxis::new(0.0, TAU, 96)?;
    let time = 1.2;
    let setup = Setup::new(ring, Ends::Periodic, FpParams::new(0.15, 1.0)?, Wave::new(1.0, 1.3)?).dt(0.002);
    let start: Vec<Complex64> = ring.points().map(|x| Complex64::from_polar((x - 2.0).cos().exp(), x)).collect();
    let on_ring = Diagnose::new(&setup, &start, |x| 0.5 * x.cos(), &[time])?;
    for (k, truth) in Description::ALL.into_iter().enumerate() {
        let [won, _] = wins(&on_ring, truth, time, settings, streams.child(k as u64))?;
        rows.push(measured(format!("ring, {} recognised", truth.name()), share(won, settings), 1.0));
    }

    // A line: no circulation, so that two descriptions are one.
    let axis = GridAxis::new(-6.0, 6.0, 160)?;
    let setup = Setup::new(axis, Ends::Zero, FpParams::new(0.3, 1.0)?, Wave::new(1.0, 1.0)?).dt(0.01);
    let packet = gaussian_packet(&[axis], &[1.0], 0.6, &[0.0]);
    let on_line = Diagnose::new(&setup, &packet, |x| 0.5 * x * x, &[1.5])?;
    for (k, truth) in Description::ALL.into_iter().enumerate() {
        let [won, tied] = wins(&on_line, truth, 1.5, settings, streams.child(10 + k as u64))?;
        let same = matches!(truth, Description::Madelung | Description::Schroedinger);
        let (name, value) = if same { ("named as one of two that coincide", tied) } else { ("recognised", won) };
        rows.push(measured(format!("line, {} {name}", truth.name()), share(value, settings), 1.0));
    }

    // Descents on a quadratic loss, time in units of η: drift -q, D = η s²/2B.
    let (eta, noise, batch, t): (f64, f64, f64, f64) = (0.05, 1.0, 2.0, 2.0);
    let steps = (t / eta) as usize;
    let mut rng = streams.child(30).fast_stream(0);
    let positions: Vec<f64> = (0..settings.args.samples)
        .map(|_| {
            let first = 1.0 + 0.3 * standard_normal(&mut rng);
            (0..steps).fold(first, |w, _| w - eta * (w + (noise / batch).sqrt() * standard_normal(&mut rng)))
        })
        .collect();
    let mean = positions.iter().sum::<f64>() / positions.len() as f64;
    // Wide enough for the waves, too.
    let axis = GridAxis::new(-12.0, 12.0, 320)?;
    let setup =
        Setup::new(axis, Ends::Zero, FpParams::new(eta * noise / (2.0 * batch), 1.0)?, Wave::new(1.0, 1.0)?).dt(0.01);
    let packet = gaussian_packet(&[axis], &[1.0], 0.3, &[0.0]);
    let descents = Diagnose::new(&setup, &packet, |x| 0.5 * x * x, &[t])?;
    let comparison = descents.compare(&[Snapshot { time: t, positions: positions.clone() }])?;
    let spread = positions.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / positions.len() as f64;
    let mean = Estimate::new(mean, (spread / positions.len() as f64).sqrt());
    rows.push(measured("descents from 1, mean at t = 2 against exp(-2)", mean, (-2f64).exp()));
    rows.push(measured("descents from 1, mean at t = 2 against cos 2", mean, 2f64.cos()));
    let best = comparison.scores.iter().filter_map(|s| s.ln_likelihood).map(|e| e.value).fold(f64::MIN, f64::max);
    for score in &comparison.scores {
        let name = score.description.name();
        match score.ln_likelihood {
            Some(value) => rows.push(measured(format!("descents, ln likelihood a run, {name}"), value, best)),
            None => rows.push(open(format!("descents, {name} ended at a node"), Estimate::exact(f64::NAN))),
        }
    }
    let chosen = comparison.verdict == Verdict::One(Description::FokkerPlanck);
    rows.push(measured(
        "descents follow Fokker-Planck: 1 yes, 0 no",
        Estimate::exact(f64::from(u8::from(chosen))),
        1.0,
    ));

    let line = |d: Description| {
        let p = on_ring.prediction(d, 0).unwrap_or(&[]);
        (d.name().to_owned(), ring.points().zip(p.iter().copied()).collect())
    };
    settings.draw(&Curves {
        title: "A lump with circulation on a ring, t = 1.2".into(),
        x_label: "angle".into(),
        y_label: "density".into(),
        lines: Description::ALL.into_iter().map(line).collect(),
        ..Curves::default()
    })?;
    Ok(rows)
}
