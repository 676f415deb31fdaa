use super::*;
use crate::emergent::{Schroedinger, gaussian_packet};

fn wave() -> Wave {
    Wave::new(1.0, 1.0).unwrap()
}

#[test]
fn follows_the_schroedinger_equation_without_nodes() {
    // Target of the specification: L1 distance below 1e-3 up to t = 1 in a quartic well, 256 points.
    let axis = GridAxis::new(-5.0, 5.0, 256).unwrap();
    let v = |x: &[f64]| 0.25 * x[0].powi(4);
    let psi = gaussian_packet(&[axis], &[0.3], 0.6, &[0.0]);
    let mut fluid = Madelung::from_psi(&[axis], Ends::Zero, MadelungParams::new(wave()), v, &psi).unwrap();
    let mut equation = Schroedinger::new(&[axis], wave(), v).unwrap();
    let mut psi = psi;
    for _ in 0..4 {
        fluid.evolve(0.25).unwrap();
        equation.strang(&mut psi, 0.00025, 1000).unwrap();
        let distance: f64 =
            fluid.density().iter().zip(&psi).map(|(p, z)| (p - z.norm_sqr()).abs() * axis.spacing()).sum();
        println!("L1 distance {distance:e}");
        assert!(distance < 2e-4, "{distance}");
    }
    assert!((fluid.mass() - 1.0).abs() < 1e-4);
    let again = fluid.to_psi().unwrap();
    let overlap: Complex64 = again.iter().zip(&psi).map(|(a, b)| a.conj() * b * axis.spacing()).sum();
    assert!((overlap.norm() - 1.0).abs() < 1e-4, "{overlap}");
}

#[test]
fn a_packet_that_spreads_fivefold() {
    // Without the filter short waves end this at t = 0.77.
    let axis = GridAxis::new(-12.0, 12.0, 320).unwrap();
    let psi = gaussian_packet(&[axis], &[1.0], 0.3, &[0.0]);
    let v = |x: &[f64]| 0.5 * x[0] * x[0];
    let mut fluid = Madelung::from_psi(&[axis], Ends::Zero, MadelungParams::new(wave()), v, &psi).unwrap();
    fluid.evolve(2.0).unwrap();
    let (p, h) = (fluid.density(), axis.spacing());
    let mean: f64 = axis.points().zip(&p).map(|(x, p)| x * p * h).sum();
    let variance: f64 = axis.points().zip(&p).map(|(x, p)| (x - mean).powi(2) * p * h).sum();
    let exact = crate::emergent::gaussian_moments(wave(), 1.0, 1.0, 0.3, 2.0);
    assert!((mean - exact.0).abs() < 1e-8 && (variance - exact.1).abs() < 1e-8, "{mean} {variance} {exact:?}");
}

#[test]
fn winding_on_a_ring() {
    let ring = GridAxis::new(0.0, TAU, 64).unwrap();
    let v = |x: &[f64]| 0.5 * x[0].cos();
    let root = |x: f64| (0.3 * (x - 1.0).cos()).exp();
    let psi: Vec<Complex64> = ring.points().map(|x| Complex64::from_polar(root(x), 2.0 * x + 0.2 * x.sin())).collect();
    let params = MadelungParams::new(wave());
    let mut fluid = Madelung::from_psi(&[ring], Ends::Periodic, params, v, &psi).unwrap();
    assert!((fluid.winding()[0] - 2.0).abs() < 1e-12);
    let around: Vec<usize> = (0..64).collect();
    assert!((fluid.circulation(&around) - 2.0 * TAU).abs() < 1e-12);
    let mut single = fluid.clone();
    single.set_winding(&[0.0]).unwrap();
    assert!(single.circulation(&around).abs() < 1e-12);
    fluid.evolve(0.5).unwrap();
    let mut equation = Schroedinger::new(&[ring], wave(), v).unwrap();
    let mut later = psi;
    equation.strang(&mut later, 0.0005, 1000).unwrap();
    let worst = fluid.density().iter().zip(&later).map(|(p, z)| (p - z.norm_sqr()).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-4, "{worst}");
    // Any real winding is a fluid, but no wave function.
    fluid.set_winding(&[0.37]).unwrap();
    fluid.evolve(0.1).unwrap();
    assert!((fluid.circulation(&around) - 0.37 * TAU).abs() < 1e-12);
    assert!(matches!(fluid.to_psi(), Err(Error::Parameter { what: "winding", .. })));
}

#[test]
fn two_axes() {
    let axes = [GridAxis::new(0.0, TAU, 24).unwrap(), GridAxis::new(0.0, TAU, 20).unwrap()];
    let v = |x: &[f64]| 0.2 * (x[0].cos() + (x[0] + x[1]).sin());
    let psi: Vec<Complex64> = (0..480)
        .map(|i| {
            let x = point(&axes, i);
            Complex64::from_polar((0.2 * x[0].cos() + 0.1 * x[1].sin()).exp(), x[1] + 0.1 * x[0].sin())
        })
        .collect();
    let mut fluid = Madelung::from_psi(&axes, Ends::Periodic, MadelungParams::new(wave()), v, &psi).unwrap();
    let winding = fluid.winding();
    assert!(winding[0].abs() < 1e-12 && (winding[1] - 1.0).abs() < 1e-12);
    fluid.evolve(0.2).unwrap();
    let mut later = psi;
    Schroedinger::new(&axes, wave(), v).unwrap().strang(&mut later, 0.001, 200).unwrap();
    let worst = fluid.density().iter().zip(&later).map(|(p, z)| (p - z.norm_sqr()).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-3, "{worst}");
    let loop_ = [0, 1, 21, 20];
    assert!(fluid.circulation(&loop_).abs() < 1e-12);
}

#[test]
fn stationary_states_balance_potential_and_quantum_potential() {
    let axis = GridAxis::new(-4.0, 4.0, 128).unwrap();
    let psi = gaussian_packet(&[axis], &[0.0], 0.5f64.sqrt(), &[0.0]);
    let v = |x: &[f64]| 0.5 * x[0] * x[0];
    let mut fluid = Madelung::from_psi(&[axis], Ends::Zero, MadelungParams::new(wave()), v, &psi).unwrap();
    for (q, x) in fluid.quantum_potential().iter().zip(axis.points()).skip(20).take(80) {
        assert!((q + 0.5 * x * x - 0.5).abs() < 1e-9);
    }
    fluid.evolve(0.3).unwrap();
    assert!(fluid.velocity(0)[30..90].iter().all(|u| u.abs() < 1e-8));
}

#[test]
fn nodes_are_refused() {
    let params = MadelungParams::new(wave());
    for n in [256, 257] {
        // On a point and between two.
        let axis = GridAxis::new(-6.0, 6.0, n).unwrap();
        let excited: Vec<Complex64> = axis.points().map(|x| (x * (-0.5 * x * x).exp()).into()).collect();
        let v = |x: &[f64]| 0.5 * x[0] * x[0];
        let refused = Madelung::from_psi(&[axis], Ends::Zero, params, v, &excited);
        assert!(matches!(refused, Err(Error::NodeInDensity { .. })));
    }
    // Two packets that meet.
    let axis = GridAxis::new(-8.0, 8.0, 256).unwrap();
    let [left, right] = [3.0, -3.0].map(|k| gaussian_packet(&[axis], &[0.0], 0.8, &[k]));
    let both: Vec<Complex64> = left.iter().zip(&right).map(|(a, b)| a + b).collect();
    assert!(matches!(
        Madelung::from_psi(&[axis], Ends::Zero, params, |_| 0.0, &both),
        Err(Error::NodeInDensity { .. })
    ));
    // Before they meet there is a gap, or none and a node forms on the way.
    let [left, right] = [-1.6, 1.6].map(|x| gaussian_packet(&[axis], &[x], 0.8, &[-1.5 * x]));
    let both: Vec<Complex64> = left.iter().zip(&right).map(|(a, b)| a + b).collect();
    let met = Madelung::from_psi(&[axis], Ends::Zero, params, |_| 0.0, &both).and_then(|mut f| f.evolve(1.0));
    assert!(matches!(met, Err(Error::NodeInDensity { .. })), "{met:?}");
    // A vortex has no phase at its core.
    let axes = [GridAxis::new(-4.0, 4.0, 32).unwrap(); 2];
    let vortex: Vec<Complex64> = (0..1024)
        .map(|i| {
            let x = point(&axes, i);
            Complex64::new((x[0] * TAU / 8.0).sin() + 0.02, (x[1] * TAU / 8.0).sin() + 0.03)
        })
        .collect();
    let refused = Madelung::from_psi(&axes, Ends::Periodic, params, |_| 0.0, &vortex);
    assert!(matches!(refused, Err(Error::NodeInDensity { .. })));
}

#[test]
fn bad_input() {
    let axis = GridAxis::new(-1.0, 1.0, 16).unwrap();
    let params = MadelungParams::new(wave());
    let flat = [1.0; 16];
    let make = |params, p: &[f64], s: &[f64]| Madelung::new(&[axis], Ends::Periodic, params, |_| 0.0, p, s);
    assert!(make(params, &flat, &[f64::NAN; 16]).is_err() && make(params, &[f64::NAN; 16], &flat).is_err());
    assert!(make(params.threshold(0.0), &flat, &flat).is_err());
    assert!(make(MadelungParams { filter: f64::NAN, ..params }, &flat, &flat).is_err());
    assert!(Madelung::new(&[axis; 2], Ends::Zero, params, |_| 0.0, &[1.0; 256], &[0.0; 256]).is_err());
    assert!(Madelung::new(&[axis], Ends::Zero, params, |_| f64::NAN, &flat, &flat).is_err());
    let mut fluid = make(params, &flat, &flat).unwrap();
    assert!(fluid.evolve(f64::NAN).is_err() && fluid.evolve(1e300).is_err());
    assert!(fluid.set_winding(&[f64::NAN]).is_err());
}
