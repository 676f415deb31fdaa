//! Published numbers and identities that whole simulations must give: the critical Binder cumulant, the Nishimori line.

use linalg_core::Streams;
use linalg_core::stats::Running;
use spin_models::exact::onsager::CRITICAL_COUPLING;
use spin_models::mcmc::cluster::{TorusSwendsenWang, UniformTorus};
use spin_models::mcmc::multispin::DisorderSamples;
use spin_models::mcmc::{Chain, Dynamics, Observables};
use spin_models::{
    Boundary, Correlations, Disorder, EnergyModel, Enumeration, Ising, Lattice, Quantities, Simulation, Solve,
};

/// `1 - ⟨m⁴⟩/3⟨m²⟩²` of the infinite square torus at its transition is 0.61069014 (G. Kamieniarz and H. W. J. Blöte,
/// J. Phys. A 26, 201 (1993)); corrections fall as L^-7/4 and are below 2e-4 at L = 64. 60000 decompositions, seed 31.
#[test]
fn critical_binder_cumulant_of_the_square_torus() {
    let torus = UniformTorus::new(&[64, 64], 1.0).unwrap();
    let kernel = TorusSwendsenWang::new(&torus, CRITICAL_COUPLING).unwrap();
    let mut chain = Chain::new(torus, kernel, CRITICAL_COUPLING, Streams::new(31), 0).unwrap();
    chain.advance(500, &mut ());
    let mut averages = Observables::new(64 * 64, 1);
    chain.run(60_000, 1, &mut averages, &mut ());
    let binder = averages.binder_cumulant();
    let error = binder.std_error.unwrap();
    assert!(error < 1.5e-3, "{error}");
    assert!((binder.value - 0.610_690_14).abs() < 4.0 * error + 2e-4, "{binder}");
}

/// On the line `tanh βJ = 1 - 2p` the disorder average of the energy is `-(1 - 2p) J` a bond on any lattice (H. Nishimori,
/// J. Phys. C 13, 4071 (1980)). 512 samples of the 16 x 16 torus, p = 0.08, 0.15; equilibrium follows from starting in the
/// planted state, all up, which has the law of the disorder on this line. Seed 32; the error is that of the samples.
#[test]
fn energy_on_the_nishimori_line() {
    let lattice = Lattice::square(16, Boundary::Periodic).unwrap();
    for (p, dynamics) in [(0.08_f64, Dynamics::Metropolis), (0.15, Dynamics::HeatBath)] {
        let beta = 0.5 * ((1.0 - p) / p).ln();
        let streams = Streams::new(32);
        let sample = |k| {
            let disorder = Disorder::PlusMinus { j: 1.0, p_negative: p };
            Ising::edwards_anderson(&lattice, disorder, &mut streams.stream(k)).unwrap()
        };
        let samples: Vec<Ising> = (0..512).map(sample).collect();
        let mut simulation = DisorderSamples::new(&samples, dynamics, beta, Streams::new(33), 0).unwrap();
        (0..512).for_each(|k| simulation.set_spins(k, &[1; 256]));
        let mut averages = Observables::new(256, 512);
        simulation.advance(100, &mut ());
        simulation.run(500, 2, &mut averages, &mut ());
        let bonds = lattice.n_edges() as f64;
        // A random number is shared by the samples: their energies are correlated within a sweep, which 500 measurements
        // average out, and independent in the disorder, which does not.
        let per_bond: Running = (0..512).map(|k| averages.lane(k).energy().value / bonds).collect();
        let exact = -(1.0 - 2.0 * p);
        let z = (per_bond.mean() - exact) / (per_bond.variance() / 512.0).sqrt();
        assert!(z.abs() < 4.0, "p = {p}: {} a bond, exactly {exact}, z = {z}", per_bond.mean());
        assert_eq!(samples[0].n_spins(), 256);
    }
}

/// All disorder of seven bonds with its weights: on the line `[⟨E⟩] = -M J tanh βJ` and `[⟨s_i s_j⟩] = [⟨s_i s_j⟩²]` to rounding, the
/// overlap equal to the magnetization (H. Nishimori, J. Phys. C 13, 4071 (1980); Prog. Theor. Phys. 66, 1169 (1981)). Off the line neither.
#[test]
fn nishimori_identities_are_exact() {
    let bonds = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)];
    let p: f64 = 0.13;
    let line = 0.5 * ((1.0 - p) / p).ln();
    for (beta, on_line) in [(line, true), (1.3 * line, false)] {
        let (mut energy, mut first, mut second) = (0.0, [0.0; 15], [0.0; 15]);
        for disorder in 0..1u32 << bonds.len() {
            let sign = |a: usize| if disorder >> a & 1 == 1 { -1.0 } else { 1.0 };
            let negative = disorder.count_ones() as i32;
            let weight = p.powi(negative) * (1.0 - p).powi(bonds.len() as i32 - negative);
            let couplings = bonds.iter().enumerate().map(|(a, &(i, j))| (i, j, sign(a)));
            let model = Ising::builder(6).couplings(couplings).build().unwrap();
            let want = Quantities::all().with_correlations(Correlations::All);
            let solved = Enumeration::default().solve(&model, beta, want, &mut ()).unwrap();
            energy += weight * solved.energy.unwrap().value;
            for (k, c) in solved.correlations.unwrap().values.iter().enumerate() {
                first[k] += weight * c.value;
                second[k] += weight * c.value * c.value;
            }
        }
        let energy_off = (energy + 7.0 * beta.tanh()).abs();
        let overlap_off = first.iter().zip(&second).map(|(m, q)| (m - q).abs()).fold(0.0, f64::max);
        if on_line {
            assert!(energy_off < 1e-12 && overlap_off < 1e-12, "{energy_off}, {overlap_off}");
        } else {
            assert!(energy_off > 0.05 && overlap_off > 0.01, "{energy_off}, {overlap_off}");
        }
    }
}

/// `[⟨m²⟩] = [⟨q²⟩]` and `[⟨m⁴⟩] = [⟨q⁴⟩]` on the line: 512 samples of the 8 x 8 torus at p = 0.12, q between two simulations of the same
/// disorder; all start in the planted state, which has their law. Seeds 34 to 36; within 4σ of the scatter of the samples, and
/// m² itself is far from 0 and 1.
#[test]
fn overlap_is_magnetization_on_the_nishimori_line() {
    let lattice = Lattice::square(8, Boundary::Periodic).unwrap();
    let p: f64 = 0.12;
    let beta = 0.5 * ((1.0 - p) / p).ln();
    let disorder = Disorder::PlusMinus { j: 1.0, p_negative: p };
    let sample = |k| Ising::edwards_anderson(&lattice, disorder, &mut Streams::new(34).stream(k)).unwrap();
    let samples: Vec<Ising> = (0..512).map(sample).collect();
    let mut pair = [35, 36].map(|seed| {
        let mut simulation = DisorderSamples::new(&samples, Dynamics::HeatBath, beta, Streams::new(seed), 0).unwrap();
        (0..512).for_each(|k| simulation.set_spins(k, &[1; 64]));
        simulation.advance(200, &mut ());
        simulation
    });
    let mut means = vec![[0.0; 2]; 512];
    let mut level = 0.0;
    for _ in 0..100 {
        pair.iter_mut().for_each(|simulation| {
            simulation.advance(5, &mut ());
        });
        for (k, mean) in means.iter_mut().enumerate() {
            let (a, b) = (pair[0].configuration(k), pair[1].configuration(k));
            let (m, q) = (a.magnetization_per_spin().powi(2), a.overlap(&b).powi(2));
            *mean = [mean[0] + (m - q) / 100.0, mean[1] + (m * m - q * q) / 100.0];
            level += m / 51_200.0;
        }
    }
    for moment in 0..2 {
        let difference: Running = means.iter().map(|mean| mean[moment]).collect();
        let z = difference.mean() / difference.std_error();
        assert!(z.abs() < 4.0 && difference.std_error() < 0.02, "moment {moment}: {}, z = {z}", difference.estimate());
    }
    assert!(level > 0.2 && level < 0.9, "{level}");
}
