use super::*;
use crate::mcmc::{HeatBath, Ladder, Observables, ParallelTempering, ParallelTemperingParams};
use crate::model::{EnergyModel, Simulation};
use crate::models::{Boundary, Disorder, Ising, Lattice, Shape};
use linalg_core::Streams;
use linalg_core::checkpoint::Checkpoint;
use linalg_core::quadrature::GaussHermite;
use linalg_core::rand::RngExt;
use linalg_core::stats::Estimate;

fn random_signs(n: usize, up: f64, rng: &mut impl linalg_core::rand::Rng) -> Vec<i8> {
    (0..n).map(|_| if rng.random_bool(up) { 1 } else { -1 }).collect()
}

#[test]
fn packed_and_plain_spins_give_the_sums_over_sites() {
    let mut rng = Streams::new(1).stream(0);
    for lengths in [[3usize, 3], [8, 8], [5, 13], [9, 15]] {
        let lattice = Lattice::rectangle(lengths, [Boundary::Periodic; 2]).unwrap();
        let n = lattice.n_sites();
        let waves = WaveVectors::along(lattice.shape().unwrap(), 1).unwrap();
        let empty = Overlaps::new(n, 1).with_links(lattice.edges()).with_wave_vectors(waves).with_histogram(n + 1);
        let (mut plain, mut packed) = (empty.clone(), empty);
        let mut sums = [0.0; 5];
        for _ in 0..50 {
            let (a, b) = (random_signs(n, 0.3, &mut rng), random_signs(n, 0.2, &mut rng));
            plain.record(0, &a, &b);
            let pack = |s: &[i8]| {
                // Beyond the last spin anything may stand.
                let mut words = vec![rng.clone().random::<u64>(); n.div_ceil(64)];
                for (i, &s) in s.iter().enumerate() {
                    words[i / 64] = words[i / 64] & !(1 << (i % 64)) | u64::from(s > 0) << (i % 64);
                }
                words
            };
            packed.record_words(0, &pack(&a), &pack(&b));
            let t: Vec<f64> = a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).collect();
            let q = t.iter().sum::<f64>() / n as f64;
            let link = lattice.edges().map(|(i, j)| t[i] * t[j]).sum::<f64>() / lattice.n_edges() as f64;
            let wave = |f: fn(f64) -> f64| {
                let angle = |i: usize| std::f64::consts::TAU * (i % lengths[1]) as f64 / lengths[1] as f64;
                (t.iter().enumerate().map(|(i, t)| t * f(angle(i))).sum::<f64>() / n as f64).powi(2)
            };
            for (sum, x) in sums.iter_mut().zip([q.abs(), q * q, q.powi(4), link, wave(f64::cos) + wave(f64::sin)]) {
                *sum += x / 50.0;
            }
        }
        assert_eq!(plain, packed);
        let OverlapMoments { abs_q, q2, q4, link, q2_k } = plain.lane(0).moments();
        for (found, expected) in [abs_q, q2, q4, link.unwrap(), q2_k.unwrap()].into_iter().zip(sums) {
            approx::assert_relative_eq!(found, expected, max_relative = 1e-11);
        }
    }
}

/// Exact moments of the overlap of two replicas, by all pairs of configurations.
struct Exact {
    moments: OverlapMoments,
    probabilities: Vec<f64>,
}

fn enumerate_pairs(model: &Ising, lattice: &Lattice, beta: f64, waves: &WaveVectors) -> Exact {
    let n = model.n_spins();
    let configuration = |state: usize| crate::Spins::from_state(state as u64, n);
    let weights: Vec<f64> = (0..1usize << n).map(|state| (-beta * model.energy(&configuration(state))).exp()).collect();
    let z: f64 = weights.iter().sum();
    // The overlap depends on the exclusive or of the states only: its distribution is a correlation of the weights.
    let mut moments = [0.0; 5];
    let mut probabilities = vec![0.0; n + 1];
    for differ in 0..1usize << n {
        let p: f64 = (0..1usize << n).map(|a| weights[a] * weights[a ^ differ]).sum::<f64>() / (z * z);
        let t: Vec<f64> = configuration(differ).iter().map(|&t| f64::from(t)).collect();
        let q = t.iter().sum::<f64>() / n as f64;
        let link = lattice.edges().map(|(i, j)| t[i] * t[j]).sum::<f64>() / lattice.n_edges() as f64;
        let wave = waves.mean_square(&[differ as u64]) / (n * n) as f64;
        for (moment, x) in moments.iter_mut().zip([q.abs(), q * q, q.powi(4), link, wave]) {
            *moment += p * x;
        }
        probabilities[n - differ.count_ones() as usize] += p;
    }
    let [abs_q, q2, q4, link, wave] = moments;
    Exact { moments: OverlapMoments { abs_q, q2, q4, link: Some(link), q2_k: Some(wave) }, probabilities }
}

/// A ±J torus of 3 x 3 sites, its wave vectors and a run with pairs.
fn glass_run(sets: usize, threads: usize, sweeps: u64) -> (Ising, Lattice, Ladder, Overlaps) {
    let lattice = Lattice::square(3, Boundary::Periodic).unwrap();
    let model = Ising::edwards_anderson(&lattice, Disorder::plus_minus(), &mut Streams::new(3).stream(0)).unwrap();
    let ladder = Ladder::linear(0.3, 1.2, 3).unwrap();
    let params = ParallelTemperingParams::default().with_sets(sets).with_threads(threads);
    let mut tempering =
        ParallelTempering::new(&model, HeatBath::default(), ladder.clone(), params, Streams::new(11)).unwrap();
    let waves = WaveVectors::of_lattice(&lattice).unwrap();
    let mut overlaps = Overlaps::new(9, 3).with_links_of(&model).with_wave_vectors(waves).with_histogram(10);
    let mut averages = Observables::new(9, 3);
    tempering.advance(100, &mut ());
    tempering.run_pairs(sweeps, 1, &mut averages, &mut overlaps, &mut ());
    (model, lattice, ladder, overlaps)
}

#[test]
fn overlaps_of_a_small_glass_are_those_of_enumeration() {
    for (sets, sweeps) in [(2, 40_000), (3, 20_000)] {
        let (model, lattice, ladder, overlaps) = glass_run(sets, 1, sweeps);
        let waves = WaveVectors::of_lattice(&lattice).unwrap();
        for (lane, &beta) in ladder.betas().iter().enumerate() {
            let exact = enumerate_pairs(&model, &lattice, beta, &waves);
            let m = &exact.moments;
            let found = overlaps.lane(lane);
            let pairs = [
                (found.overlap(), 0.0),
                (found.abs_overlap(), m.abs_q),
                (found.q2(), m.q2),
                (found.q4(), m.q4),
                (found.binder_q(), 0.5 * (3.0 - m.q4 / (m.q2 * m.q2))),
                (found.susceptibility(), 9.0 * m.q2),
                (found.link_overlap().unwrap(), m.link.unwrap()),
                (found.susceptibility_k().unwrap(), 9.0 * m.q2_k.unwrap()),
                (found.xi_over_l().unwrap(), (m.q2 / m.q2_k.unwrap() - 1.0).sqrt() / (3.0 * 3f64.sqrt())),
            ];
            // Six hundred numbers in all: 4.5 standard errors are exceeded by chance once in 250 runs.
            for (k, (estimate, exact)) in pairs.into_iter().enumerate() {
                let z = estimate.z_score(&Estimate::exact(exact));
                assert!(z.abs() < 4.5, "quantity {k} at beta {beta}: {estimate} for {exact}");
                assert!(estimate.std_error.unwrap() < 0.03 * exact.abs().max(1.0), "{estimate} for {exact}");
            }
            let distribution = found.distribution().unwrap();
            assert_eq!(distribution.centers.len(), 10);
            for (k, density) in distribution.densities.iter().enumerate() {
                let exact = exact.probabilities[k] / distribution.widths[k];
                assert!(density.z_score(&Estimate::exact(exact)).abs() < 4.5, "bin {k}: {density} for {exact}");
            }
            let folded = found.folded_distribution().unwrap();
            let total: f64 = folded.densities.iter().zip(&folded.widths).map(|(p, w)| p.value * w).sum();
            approx::assert_relative_eq!(total, 1.0, max_relative = 1e-12);
            for (k, density) in folded.densities.iter().enumerate() {
                let exact = (exact.probabilities[5 + k] + exact.probabilities[4 - k]) / folded.widths[k];
                assert!(density.z_score(&Estimate::exact(exact)).abs() < 4.5, "bin {k}: {density} for {exact}");
            }
            assert!(found.equilibration().passed(), "{:?}", found.equilibration());
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let one = glass_run(3, 1, 500).3;
    for threads in [2, 5] {
        assert_eq!(glass_run(3, threads, 500).3, one);
    }
}

#[test]
fn gaussian_couplings_obey_the_link_identity() {
    // A triangle: three Gaussian couplings, integrated with 24 nodes each. Exact thermal averages.
    let rule = GaussHermite::new(24).unwrap();
    let edges = [(0, 1), (1, 2), (0, 2)];
    for (beta, deviation) in [(0.3, 1.0), (0.8, 0.7)] {
        let mut gap = 0.0;
        let mut size = 0.0;
        for (a, wa) in rule.nodes().iter().zip(rule.weights()) {
            for (b, wb) in rule.nodes().iter().zip(rule.weights()) {
                for (c, wc) in rule.nodes().iter().zip(rule.weights()) {
                    let couplings = [a, b, c].map(|x| deviation * x);
                    let list = edges.iter().zip(couplings).map(|(&(i, j), x)| (i, j, x));
                    let model = Ising::builder(3).couplings(list).build().unwrap();
                    let (mut z, mut energy, mut bonds) = (0.0, 0.0, [0.0; 3]);
                    for state in 0..8 {
                        let s = crate::Spins::from_state(state, 3);
                        let e = model.energy(&s);
                        let w = (-beta * e).exp();
                        z += w;
                        energy += w * e;
                        for (bond, &(i, j)) in bonds.iter_mut().zip(&edges) {
                            *bond += w * f64::from(s[i] * s[j]);
                        }
                    }
                    let link = bonds.iter().map(|bond| (bond / z).powi(2)).sum::<f64>() / 3.0;
                    gap += wa * wb * wc * link_identity_gap(beta, deviation * deviation, energy / z / 3.0, link);
                    size += wa * wb * wc * link;
                }
            }
        }
        // The quadrature converges geometrically in the number of nodes.
        assert!(gap.abs() < 1e-4 && size > 0.05, "{gap} beside {size}");
    }
}

#[test]
fn nothing_measured_and_single_pairs() {
    let shape = Shape::new(&[4], &[Boundary::Periodic]).unwrap();
    let mut overlaps = Overlaps::new(4, 2).with_wave_vectors(WaveVectors::periodic(&shape).unwrap());
    let unknown = |estimate: Estimate| estimate.value.is_nan() && estimate.std_error == Some(f64::INFINITY);
    let lane = overlaps.lane(1);
    assert!(unknown(lane.q2()) && unknown(lane.binder_q()) && unknown(lane.xi_over_l().unwrap()));
    assert!(lane.link_overlap().is_none() && lane.distribution().is_none() && !lane.equilibration().passed());
    overlaps.record(1, &[1; 4], &[1; 4]);
    assert_eq!(overlaps.lane(1).binder_q(), Estimate::new(1.0, f64::INFINITY));
    // A uniform overlap has no Fourier component.
    assert!(overlaps.lane(1).xi_over_l().unwrap().value > 1e6);
    assert!(std::panic::catch_unwind(|| Overlaps::new(3, 1).with_links([(0, 3)])).is_err());
    assert!(std::panic::catch_unwind(|| Overlaps::new(3, 1).with_links([(1, 1)])).is_err());
}

#[test]
fn chains_that_stop_differ_are_merged() {
    let part = |unit: u64| {
        let mut rng = Streams::new(8).stream(unit);
        let mut part = Overlaps::new(20, 1).with_histogram(5).with_units(Units::range(unit..unit + 1));
        for _ in 0..2000 {
            part.record(0, &random_signs(20, 0.5, &mut rng), &[1; 20]);
        }
        part
    };
    let mut merged = part(0);
    for unit in 1..4 {
        merged.merge(&part(unit)).unwrap();
    }
    assert_eq!((merged.lane(0).count(), merged.lane(0).n_chains(), merged.units().len()), (8000, 4, 4));
    // Twenty independent signs: ⟨q²⟩ = 1/20, ⟨q⁴⟩ = (3 · 20 · 19 + 20) / 20⁴.
    let q2 = merged.lane(0).q2();
    assert!(q2.z_score(&Estimate::exact(0.05)).abs() < 4.0, "{q2}");
    let q4 = merged.lane(0).q4();
    assert!(q4.z_score(&Estimate::exact(0.007_25)).abs() < 4.0, "{q4}");
    assert_eq!(merged.merge(&part(3)), Err(MergeError::OverlappingUnits { unit: 3 }));
    let other = |overlaps: Overlaps| overlaps.with_units(Units::range(9..10));
    let shape = |what| move |result: Result<(), MergeError>| matches!(result, Err(MergeError::Shape { what: w, .. }) if w == what);
    assert!(shape("number of bins")(merged.merge(&other(Overlaps::new(20, 1)))));
    assert!(shape("number of links")(merged.merge(&other(part(5).with_links([(0, 1)])))));
    assert!(matches!(merged.merge(&other(part(5).with_problem(4))), Err(MergeError::Problem { found: 4, .. })));
    let waves = WaveVectors::new(1.0, 4.0, vec![vec![0.5; 20]]).unwrap();
    assert!(merged.merge(&other(part(5).with_wave_vectors(waves))).is_err());
    let (mut a, b) = (part(6).with_links([(0, 1)]), other(part(7).with_links([(0, 2)])));
    assert!(shape("link list up to its difference")(a.merge(&b)));
}

#[test]
fn saved_overlaps_go_on_bit_for_bit_and_damage_is_refused() {
    let saved = glass_run(2, 1, 70).3.with_problem(9);
    let checkpoint = saved.checkpoint();
    let bytes = Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap();
    let (mut first, mut second) = (saved.clone(), Overlaps::from_checkpoint(&bytes).unwrap());
    for overlaps in [&mut first, &mut second] {
        (0..200).for_each(|_| overlaps.record(1, &[1; 9], &[1, 1, 1, 1, -1, 1, 1, -1, 1]));
    }
    assert_eq!(first, second);
    for end in 0..checkpoint.payload.len() {
        let cut = Checkpoint { payload: checkpoint.payload[..end].to_vec(), ..checkpoint.clone() };
        assert!(Overlaps::from_checkpoint(&cut).is_err(), "cut at {end}");
    }
    // Changed bytes may give other averages, but no panic.
    for position in 0..checkpoint.payload.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = checkpoint.clone();
            changed.payload[position] = value;
            if let Ok(mut overlaps) = Overlaps::from_checkpoint(&changed)
                && overlaps.n_spins() == 9
            {
                (0..overlaps.n_lanes()).for_each(|lane| overlaps.record(lane, &[1; 9], &[1; 9]));
                let lane = overlaps.lane(0);
                let _ = (lane.binder_q(), lane.xi_over_l(), lane.distribution(), lane.equilibration());
            }
        }
    }
    assert!(Overlaps::from_checkpoint(&Checkpoint { kind: "chain 1".into(), ..checkpoint }).is_err());
}

#[test]
fn averages_over_samples_refuse_what_does_not_belong() {
    let moments = |x: f64| OverlapMoments { abs_q: x, q2: x, q4: x, link: Some(x), q2_k: Some(x) };
    let waves = WaveVectors::new(1.0, 2.0, vec![vec![0.0; 4]]).unwrap();
    let mut averages = DisorderAverages::new(4, 2).with_wave_vectors(waves);
    assert!(averages.q2(0).value.is_nan() && averages.link_overlap(1).is_none());
    averages.add(5, vec![moments(0.5); 2]).unwrap();
    assert_eq!(averages.q2(0), Estimate::new(0.5, f64::INFINITY));
    let before = averages.clone();
    assert!(averages.add(5, vec![moments(0.5); 2]).unwrap_err().to_string().contains("sample is 5"));
    assert!(averages.add(6, vec![moments(0.5); 3]).is_err());
    assert!(averages.add(6, vec![moments(0.5), moments(f64::NAN)]).is_err());
    let other = OverlapMoments { link: None, ..moments(0.5) };
    assert!(averages.add(6, vec![moments(0.5), other]).is_err() && averages.add(6, vec![other; 2]).is_err());
    assert_eq!(averages, before);
    assert_eq!(averages.merge(&before), Err(MergeError::OverlappingUnits { unit: 5 }));
    assert!(averages.merge(&DisorderAverages::new(4, 1)).is_err());
    let waves = WaveVectors::new(1.0, 2.0, vec![vec![0.0; 4]]).unwrap();
    let mut more = DisorderAverages::new(4, 2).with_wave_vectors(waves);
    more.add(7, vec![moments(0.3); 2]).unwrap();
    averages.merge(&more).unwrap();
    assert_eq!(averages.n_samples(), 2);
    approx::assert_relative_eq!(averages.q2(1).value, 0.4, max_relative = 1e-12);
    // χ(0) = χ(k): no correlation.
    assert_eq!(averages.xi_over_l(0).unwrap(), Estimate::new(0.0, 0.0));
}

#[test]
fn disorder_average_of_ratios_is_that_of_the_means() {
    // Two samples of Gaussian overlaps of variances 1/10 and 3/10: [q⁴]/[q²]² is not 3.
    let sample = |v: f64| OverlapMoments { abs_q: v, q2: v, q4: 3.0 * v * v, link: None, q2_k: None };
    let mut averages = DisorderAverages::new(10, 1);
    for number in 0..1000u64 {
        averages.add(number, vec![sample(if number % 2 == 0 { 0.1 } else { 0.3 })]).unwrap();
    }
    // [q⁴] = 0.15, [q²] = 0.2: g = (3 - 3.75) / 2. The bias correction is of order 1/1000.
    let g = averages.binder_q(0);
    assert!((g.value + 0.375).abs() < 2e-3 && g.z_score(&Estimate::exact(-0.375)).abs() < 0.2, "{g}");
}

/// 64 pairs of 400 spins that never move, measured 60 times: each is in a valley of its own, and repeating a measurement
/// adds nothing to what 64 of them know.
#[test]
fn pairs_that_do_not_move_are_worth_one_measurement_each() {
    let mut rng = Streams::new(12).stream(0);
    let pairs: Vec<[Vec<i8>; 2]> =
        (0..64).map(|_| [random_signs(400, 0.5, &mut rng), random_signs(400, 0.5, &mut rng)]).collect();
    let mut overlaps = Overlaps::new(400, 1).with_histogram(21);
    for _ in 0..60 {
        for (number, [a, b]) in pairs.iter().enumerate() {
            overlaps.record_pair(0, number, a, b);
        }
    }
    let lane = overlaps.lane(0);
    assert_eq!((lane.count(), lane.n_chains()), (60 * 64, 64));
    // σ(q) = 1/20 of one pair: 1/160 of the mean of all, and no less where the chains are seen to disagree.
    let mean = lane.overlap();
    assert!(mean.std_error.unwrap() > 0.75 / 160.0, "{mean}");
    assert!(mean.value.abs() < 4.0 / 160.0);
    assert!(lane.q2().std_error.unwrap() > 0.5 * 0.0025 * 2f64.sqrt() / 8.0);
    assert!(!lane.equilibration().passed() || lane.q2().std_error.unwrap() > 1e-4);
    let saved = Checkpoint::from_bytes(&overlaps.checkpoint().to_bytes()).unwrap();
    assert_eq!(Overlaps::from_checkpoint(&saved).unwrap(), overlaps);
    // What is merged in does not take the places of pairs that are still measured.
    let mut merged = overlaps.clone();
    merged.merge(&overlaps.clone().with_units(Units::range(1..2))).unwrap();
    merged.record_pair(0, 63, &pairs[63][0], &pairs[63][1]);
    assert_eq!((merged.lane(0).n_chains(), merged.lane(0).count()), (128, 2 * 60 * 64 + 1));
    assert!(std::panic::catch_unwind(move || merged.record_pair(0, 65, &[1; 400], &[1; 400])).is_err());
}

#[test]
fn averages_over_disorder_take_no_others() {
    let shape = |lengths: [usize; 2]| Lattice::rectangle(lengths, [Boundary::Periodic; 2]).unwrap();
    let lattice = shape([4, 16]);
    let along = |axis| WaveVectors::along(lattice.shape().unwrap(), axis).unwrap();
    let moments = OverlapMoments { abs_q: 0.5, q2: 0.5, q4: 0.5, link: Some(0.5), q2_k: Some(0.1) };
    let mut rows = DisorderAverages::new(64, 2).with_wave_vectors(along(0));
    rows.add(0, vec![moments; 2]).unwrap();
    let mut columns = DisorderAverages::new(64, 2).with_wave_vectors(along(1));
    columns.add(1, vec![moments; 2]).unwrap();
    assert!(matches!(rows.merge(&columns), Err(MergeError::Shape { .. })));
    // The first sample, too, measures the same at all temperatures.
    let without = OverlapMoments { link: None, ..moments };
    assert!(DisorderAverages::new(64, 2).add(0, vec![moments, without]).is_err());
}

#[test]
fn centers_of_a_folded_distribution_are_means_of_its_values() {
    for (n, bins) in [(4, 5), (6, 3), (7, 4), (10, 3)] {
        let mut overlaps = Overlaps::new(n, 1).with_histogram(bins);
        overlaps.record(0, &vec![1; n], &vec![1; n]);
        let folded = overlaps.lane(0).folded_distribution().unwrap();
        let mut sums = vec![(0.0, 0); folded.centers.len()];
        let plain = overlaps.lane(0).distribution().unwrap();
        for k in 0..=n {
            let q = 1.0 - 2.0 * k as f64 / n as f64;
            let nearest = |x: f64| {
                let distance = |c: usize| (plain.centers[c] - x).abs() / plain.widths[c];
                (0..plain.centers.len()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap()
            };
            let bin = nearest(q.abs()) - (plain.centers.len() - folded.centers.len());
            sums[bin] = (sums[bin].0 + q.abs(), sums[bin].1 + 1);
        }
        for (center, (sum, count)) in folded.centers.iter().zip(sums) {
            approx::assert_abs_diff_eq!(*center, sum / f64::from(count), epsilon = 1e-12);
        }
    }
}
