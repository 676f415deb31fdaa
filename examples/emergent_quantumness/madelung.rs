//! The fluid and the Schrödinger equation.

use std::f64::consts::TAU;

use linalg_core::grid::{Ends, GridAxis};
use linalg_core::num_complex::Complex64;
use physics_inference::Error;
use physics_inference::emergent::{
    Madelung, MadelungParams, QuantumMap, Ring, Schroedinger, Wave, gaussian_moments, gaussian_packet, vortex,
};
use workspace_examples::figure::{Curves, Points};

use crate::{Failure, Row, Settings, exact};

pub(crate) fn run(settings: &Settings) -> Result<Vec<Row>, Failure> {
    let wave = Wave::new(1.0, 1.0)?;
    let mut rows = Vec::new();
    let map = QuantumMap::new(1.3, settings.args.gamma, settings.args.diffusion, 2.2)?;
    rows.push(exact("lambda from mu and back", QuantumMap::from_mu(1.3, map.gamma, map.d, map.mu())?.lambda, 2.2));
    rows.push(exact("current velocity over drift velocity", map.current_velocity(1.0) / map.drift_velocity(1.0), 2.0));

    // A packet in a harmonic well.
    let axis = GridAxis::new(-12.0, 12.0, 512)?;
    let mut equation = Schroedinger::new(&[axis], wave, |x| 0.5 * x[0] * x[0])?;
    let mut psi = gaussian_packet(&[axis], &[1.0], 0.9, &[0.0]);
    let steps = settings.size(400, 1000);
    equation.strang(&mut psi, 2.0 / f64::from(steps), steps as usize)?;
    let (mean, variance) = gaussian_moments(wave, 1.0, 1.0, 0.9, 2.0);
    rows.push(exact("harmonic well, mean at t = 2", equation.mean(&psi, 0), mean));
    rows.push(exact("harmonic well, variance at t = 2", equation.variance(&psi, 0), variance));
    rows.push(exact("norm", equation.norm(&psi), 1.0));

    // Fluid against wave in a quartic well.
    let n = settings.size(128, 256);
    let axis = GridAxis::new(-5.0, 5.0, n)?;
    let well = |x: &[f64]| 0.25 * x[0].powi(4);
    let start = gaussian_packet(&[axis], &[0.3], 0.6, &[0.0]);
    let mut fluid = Madelung::from_psi(&[axis], Ends::Zero, MadelungParams::new(wave), well, &start)?;
    let mut equation = Schroedinger::new(&[axis], wave, well)?;
    let mut psi = start.clone();
    fluid.evolve(1.0)?;
    equation.strang(&mut psi, 0.001, 1000)?;
    let waved = Schroedinger::density(&psi);
    let flown = fluid.density();
    let distance: f64 = flown.iter().zip(&waved).map(|(a, b)| (a - b).abs() * axis.spacing()).sum();
    rows.push(exact("quartic well, L1 distance of fluid and wave at t = 1", distance, 0.0));

    // Where the fluid ends.
    let [a, b] = [-1.6, 1.6].map(|x| gaussian_packet(&[axis], &[x], 0.8, &[-1.5 * x]));
    let both: Vec<Complex64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
    let met = Madelung::from_psi(&[axis], Ends::Zero, MadelungParams::new(wave), |_| 0.0, &both);
    let ended = match met.and_then(|mut fluid| fluid.evolve(1.5)) {
        Ok(_) => 0.0,
        Err(Error::NodeInDensity { .. }) => 1.0,
        Err(other) => return Err(other.into()),
    };
    rows.push(exact("two packets that meet: the fluid ends at a node", ended, 1.0));

    // Circulation.
    let axes = [GridAxis::new(-5.05, 4.95, 100)?; 2];
    for l in 0..3u32 {
        let psi: Vec<Complex64> = (0..10_000)
            .map(|i| {
                let z = Complex64::new(-5.05 + 0.1 * f64::from(i / 100), -5.05 + 0.1 * f64::from(i % 100));
                z.powu(l) * (-0.5 * z.norm_sqr()).exp()
            })
            .collect();
        let around = vortex::circulation(&psi, &vortex::circle(&axes, [0.0; 2], 1.5), map.wave()?, 1e-12)?;
        let quanta = around * map.mass() / (TAU * map.hbar());
        rows.push(exact(format!("circulation of a vortex, l = {l}, in quanta"), quanta, f64::from(l)));
    }
    let ring = GridAxis::new(0.0, TAU, 64)?;
    let mut loose = Madelung::new(&[ring], Ends::Periodic, MadelungParams::new(wave), |_| 0.0, &[1.0; 64], &[0.0; 64])?;
    loose.set_winding(&[0.37])?;
    loose.evolve(0.1)?;
    let around: Vec<usize> = (0..64).collect();
    rows.push(exact("circulation of a fluid with any multivalued phase", loose.circulation(&around) / TAU, 0.37));

    // A ring with flux: the lattice against its own formula in the matrix, and against the continuum.
    for flux in [0.0, 0.3, 1.0] {
        let ring = Ring::new(64, wave, flux)?;
        let matrix = ring.energies_in(&[0.0; 64])?;
        rows.push(exact(format!("ring, flux {flux}, second energy"), matrix[1], ring.energies()[1]));
    }
    let line = |p: &[f64]| axis.points().zip(p.iter().copied()).filter(|(x, _)| x.abs() < 3.0).collect::<Vec<_>>();
    settings.draw(&Curves {
        title: "Quartic well at t = 1".into(),
        x_label: "x".into(),
        y_label: "density".into(),
        lines: vec![("start".into(), line(&Schroedinger::density(&start))), ("Schrödinger".into(), line(&waved))],
        points: vec![Points {
            name: "Madelung".into(),
            points: line(&flown).into_iter().step_by(3).map(|(x, p)| (x, p, 0.0)).collect(),
        }],
        ..Curves::default()
    })?;
    Ok(rows)
}
