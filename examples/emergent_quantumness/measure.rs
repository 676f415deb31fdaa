//! Preparation and measurement.

use linalg_core::Streams;
use linalg_core::num_complex::Complex64;
use linalg_core::rand::RngExt;
use physics_inference::emergent::{
    DensityMatrix, Povm, effective_povm, hopping_hamiltonian, lie_algebra_dimension, prepare,
};
use workspace_examples::figure::{Curves, Points};

use crate::{Failure, Row, Settings, exact};

pub(crate) fn run(settings: &Settings) -> Result<Vec<Row>, Failure> {
    let mut rng = Streams::new(settings.args.seed).child(20).fast_stream(0);
    let n = settings.size(4usize, 8);
    let mut potential = || (0..n).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
    let (before, after) = (hopping_hamiltonian(1.0, &potential()), hopping_hamiltonian(1.0, &potential()));
    let share = potential();
    let first: Vec<Complex64> = share.iter().map(|s| s.cos().into()).collect();
    let second: Vec<Complex64> = share.iter().map(|s| Complex64::from_polar(s.sin(), 2.0 * s)).collect();
    let readout = Povm::diagonal(&[first, second])?;

    // A position, spread by the evolution before.
    let mut place = vec![0.0; n];
    place[0] = 1.0;
    let start = DensityMatrix::mixture(&place)?;
    let state = prepare(&start, &before, 1.3, 1.0)?;
    let later = readout.probabilities(&prepare(&state, &after, 0.7, 1.0)?);
    let effective = effective_povm(&readout, &after, 0.7, 1.0)?;
    let now = effective.probabilities(&state);
    let mut rows = vec![
        exact("completeness of the effective operators, worst entry", effective.deviation(), 0.0),
        exact("p(1) after the evolution against effective p(1)", later[0], now[0]),
        exact("p(2) after the evolution against effective p(2)", later[1], now[1]),
        exact("purity of the prepared state", state.purity(), 1.0),
    ];
    let mixed = DensityMatrix::mixture(&vec![1.0 / n as f64; n])?;
    let moved = prepare(&mixed, &before, 1.3, 1.0)?;
    rows.push(exact("entropy of a mixture, evolved", moved.entropy()?, (n as f64).ln()));
    for m in 2..=settings.size(4usize, 5) {
        let mut generators = vec![hopping_hamiltonian(1.0, &vec![0.0; m])];
        for k in 0..m {
            let mut h = vec![Complex64::new(0.0, 0.0); m * m];
            h[k * m + k] = 1.0.into();
            generators.push(h);
        }
        let dimension = lie_algebra_dimension(&generators, m)? as f64;
        rows.push(exact(format!("Lie algebra of hopping and potentials, {m} sites"), dimension, (m * m) as f64));
    }
    let bars = |p: Vec<f64>| p.into_iter().enumerate().map(|(k, p)| (k as f64, p, 0.0)).collect();
    settings.draw(&Curves {
        title: "A position, and what the evolution before makes of it".into(),
        x_label: "site".into(),
        y_label: "probability".into(),
        lines: Vec::new(),
        points: vec![
            Points { name: "start".into(), points: bars(start.probabilities()) },
            Points { name: "prepared".into(), points: bars(state.probabilities()) },
        ],
        ..Curves::default()
    })?;
    Ok(rows)
}
