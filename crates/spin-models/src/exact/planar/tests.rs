//! Against enumeration and the reference numbers.

use super::*;
use crate::{Boundary, Enumeration, Lattice};
use linalg_core::Streams;
use linalg_core::rand::{Rng, RngExt};

/// ln Z relative to the number of digits that its terms allow: |ln Z| and the energies are of one size.
fn assert_close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}: {a} and {b}, difference {:e}", a - b);
}

/// A random planar graph: points inserted one by one into a triangle of a triangulation, of which a random part of the
/// edges is kept, so that bridges, cut vertices and isolated vertices appear.
fn random_planar(n: usize, keep: f64, rng: &mut impl Rng) -> Vec<(usize, usize)> {
    let mut faces = vec![[0, 1, 2], [0, 1, 2]];
    let mut edges = vec![(0, 1), (1, 2), (0, 2)];
    for v in 3..n {
        let k = rng.random_range(0..faces.len() as u32) as usize;
        let [a, b, c] = faces.swap_remove(k);
        faces.extend([[a, b, v], [b, c, v], [a, c, v]]);
        edges.extend([(a, v), (b, v), (c, v)]);
    }
    edges.retain(|&(i, j)| i.max(j) < n && rng.random::<f64>() < keep);
    edges
}

fn random_model(n: usize, rng: &mut impl Rng) -> Ising {
    let keep = [0.4, 0.6, 0.8, 1.0][rng.random_range(0..4u32) as usize];
    let edges = random_planar(n, keep, rng);
    let kind = rng.random_range(0..3u32);
    let couplings = edges.into_iter().map(|(i, j)| {
        let coupling = match kind {
            0 => rng.random_range(-1.0..1.0),
            1 => if rng.random() { 1.0 } else { -1.0 },
            _ => [0.0, 1.0, -1.0, 3.0][rng.random_range(0..4u32) as usize],
        };
        (i, j, coupling)
    });
    Ising::builder(n).couplings(couplings.collect::<Vec<_>>()).offset(0.5).build().unwrap()
}

#[test]
fn random_planar_graphs_agree_with_enumeration() {
    let mut rng = Streams::new(401).stream(0);
    for round in 0..400 {
        let n = rng.random_range(1..13u32) as usize;
        let model = random_model(n, &mut rng);
        for beta in [0.0, 0.3, 1.0, 3.0, 50.0] {
            let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
            let got = Planar::default().ln_z(&model, beta).unwrap();
            assert_close(got.value, exact, 2e-13, &format!("round {round}, beta {beta}, {model:?}"));
        }
    }
}

#[test]
fn reference_values_of_the_square_lattice() {
    for (l, beta, expected) in [
        (4, 0.5, 14.49771102401129516869),
        (8, 1.0, 112.8732004539891277395),
        (16, 0.5, 252.6350647056255498110),
        (32, 0.5, 1029.055350856679794981),
        (32, 1.0, 1985.454645681198830423),
    ] {
        let model = Ising::square(l, Boundary::Free, 1.0).unwrap();
        assert_close(Planar::default().ln_z(&model, beta).unwrap().value, expected, 1e-12, "ferromagnet");
    }
    for (l, seed, beta, expected) in [
        (4, 1, 0.5, 13.74458244060031858200),
        (4, 1, 2.0, 34.32453016207157993990),
        (4, 2026, 1.0, 23.65100631650229816566),
        (8, 1, 1.0, 89.10704484329843073541),
        (8, 2026, 2.0, 162.8208163199882146120),
        (16, 1, 0.5, 234.1007387131039698091),
        (16, 1, 1.0, 369.0406302039768531245),
        (16, 1, 2.0, 693.4464433119671228400),
        (16, 2026, 2.0, 703.9914335636941732685),
        (32, 1, 0.5, 948.7375118909968826157),
        (32, 1, 1.0, 1528.117797361173354587),
        (32, 1, 2.0, 2909.110549633316248094),
        (32, 2026, 1.0, 1497.737165614126926920),
        (32, 2026, 2.0, 2814.555552385496225151),
    ] {
        let model = Ising::plus_minus_splitmix(l, l, seed).unwrap();
        let got = Planar::default().ln_z(&model, beta).unwrap().value;
        println!("{l} {seed} {beta} {:e}", got / expected - 1.0);
        assert_close(got, expected, 1e-12, "plus-minus J");
    }
}

#[test]
fn kaufman_values_of_the_torus() {
    let critical = 0.5 * (1.0 + 2f64.sqrt()).ln();
    for (l, beta, expected) in [
        (4, 0.2, 11.77147035854158184904),
        (4, critical, 15.52191545875528319383),
        (4, 1.0, 32.6987214018793251511),
        (8, 0.4, 56.59938876042537327913),
        (8, 1.0, 128.7154373374084180044),
        (16, 0.5, 263.2962104340213176213),
        (16, critical, 238.6422566351328864999),
        (32, 0.2, 752.1595517709578701838),
        (32, critical, 952.6480795485428020547),
        (32, 1.0, 2049.04978969008727267),
    ] {
        let model = Ising::square(l, Boundary::Periodic, 1.0).unwrap();
        let got = Planar::default().ln_z(&model, beta).unwrap();
        println!("{l} {beta} {:e}", got.value / expected - 1.0);
        assert_close(got.value, expected, 1e-12, "torus");
    }
}

#[test]
fn periodic_lattices_agree_with_enumeration() {
    let mut rng = Streams::new(402).stream(0);
    for (h, w) in [(3, 3), (3, 4), (4, 3), (3, 5), (2, 5), (4, 4)] {
        for periodic in [[Boundary::Periodic; 2], [Boundary::Free, Boundary::Periodic], [Boundary::Periodic, Boundary::Free]]
        {
            let lattice = Lattice::rectangle([h, w], periodic).unwrap();
            for dilution in [0.0, 0.2] {
                let couplings: Vec<f64> = (0..lattice.n_edges()).map(|_| rng.random_range(-1.0..1.0)).collect();
                let model = Ising::on_lattice(&lattice, &couplings).unwrap();
                let kept: Vec<_> = model.couplings().filter(|_| rng.random::<f64>() >= dilution).collect();
                let model = Ising::builder(h * w).couplings(kept).build().unwrap();
                for beta in [0.0, 0.4, 1.0, 2.0] {
                    let exact = Enumeration::default().ln_z(&model, beta).unwrap().value;
                    let got = match Planar::default().ln_z(&model, beta) {
                        // Dilution may leave too few bonds to see the lattice.
                        Err(Error::NotApplicable { .. }) if dilution > 0.0 => continue,
                        other => other.unwrap().value,
                    };
                    assert_close(got, exact, 1e-12, &format!("{h} x {w} {periodic:?} beta {beta} dilution {dilution}"));
                }
            }
        }
    }
}

/// Energy and correlations by summation over all configurations.
fn sums(model: &Ising, beta: f64) -> (f64, Vec<f64>) {
    let n = model.n_spins();
    let ln_z = Enumeration::default().ln_z(model, beta).unwrap().value;
    let mut energy = 0.0;
    let mut pairs = vec![0.0; model.n_couplings()];
    for state in 0..1u64 << n {
        let s = crate::Spins::from_state(state, n);
        let e = model.energy(&s);
        let p = (-beta * e - ln_z).exp();
        energy += p * e;
        for (sum, (i, j, _)) in pairs.iter_mut().zip(model.couplings()) {
            *sum += p * f64::from(s[i] * s[j]);
        }
    }
    (energy, pairs)
}

#[test]
fn correlations_agree_with_enumeration() {
    let mut rng = Streams::new(403).stream(0);
    for round in 0..150 {
        let n = rng.random_range(1..11u32) as usize;
        let model = random_model(n, &mut rng);
        for beta in [0.0, 0.3, 1.0, 3.0, 50.0] {
            let (energy, pairs) = sums(&model, beta);
            let got = Planar::default().solve(&model, beta, Quantities::all(), &mut ()).unwrap();
            let what = format!("round {round}, beta {beta}, {model:?}");
            assert_close(got.energy.unwrap().value, energy, 1e-11, &what);
            for (a, b) in got.correlations.unwrap().values.iter().zip(&pairs) {
                // The oracle divides by exp(ln Z), which is rounded.
                assert!((a.value - b).abs() < 1e-12 * (1.0 + beta), "{what}: {a:?} {b}");
            }
            assert!(got.magnetizations.unwrap().iter().all(|m| m.value.to_bits() == 0));
        }
    }
}

#[test]
#[ignore = "timing"]
fn timing() {
    for (l, beta) in [(16, 1.0), (32, 1.0), (32, 2.0), (64, 0.5), (64, 1.0), (64, 2.0), (128, 0.5), (128, 1.0), (256, 0.5), (256, 1.0)] {
        let model = Ising::plus_minus_splitmix(l, l, 1).unwrap();
        let t = std::time::Instant::now();
        let p = Prepared::new(&model).unwrap();
        let prep = t.elapsed();
        let k = scaled(&model, beta);
        let t = std::time::Instant::now();
        let z = p.ln_z(&k, &mut ()).unwrap();
        println!("L {l} beta {beta} prepare {prep:?} ln_z {:?} {z:?}", t.elapsed());
    }
}
