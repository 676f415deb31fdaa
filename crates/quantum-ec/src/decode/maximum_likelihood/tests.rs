use linalg_core::Observer;
use linalg_core::gf2::{BinaryCsc, BitMatrix, BitVec};
use linalg_core::rand::RngExt;
use spin_models::{Kind, LnZ, LogPartition, LogPartitionPlan, Progress, TransferMatrix};

use super::*;
use crate::decode::tests::{repetition_circuit, rng};
use crate::decode::{DecoderChoice, MaximumLikelihoodMarginals, MaximumLikelihoodSequential, sequential_choice};
use crate::dem::Sampler;
use crate::sample::{CollectParams, Row, collect};
use crate::statmech::SyndromeDistribution;
use crate::{StabilizerCode, code};
use linalg_core::Streams;

/// A solver that does not stand by its values where the first interaction has another sign.
#[derive(Debug, Clone)]
struct Doubtful;

struct DoubtfulPlan(Box<dyn LogPartitionPlan>);

impl LogPartition<InteractionModel> for Doubtful {
    fn ln_z_observed(
        &self,
        model: &InteractionModel,
        beta: f64,
        observer: &mut dyn Observer<Progress>,
    ) -> spin_models::Result<LnZ> {
        TransferMatrix::default().ln_z_observed(model, beta, observer)
    }
}

impl PrepareLogPartition<InteractionModel> for Doubtful {
    fn prepare(&self, model: &InteractionModel) -> spin_models::Result<Box<dyn LogPartitionPlan>> {
        Ok(Box::new(DoubtfulPlan(TransferMatrix::default().prepare(model)?)))
    }
}

impl LogPartitionPlan for DoubtfulPlan {
    fn n_interactions(&self) -> usize {
        self.0.n_interactions()
    }

    fn ln_z_signed(&mut self, flips: &BitVec, beta: f64) -> spin_models::Result<LnZ> {
        let mut ln_z = self.0.ln_z_signed(flips, beta)?;
        ln_z.kind = Kind::Approximation { converged: !flips.get(0), residual: 1e-3 };
        Ok(ln_z)
    }

    fn set_weights(&mut self, weights: &[f64]) -> spin_models::Result<()> {
        self.0.set_weights(weights)
    }
}

/// Two bits, each seen by a detector of its own; nothing is summed over, nothing flips the sign of the other.
fn two_bits() -> DecodingProblem {
    let checks = BinaryCsc::from_columns(2, [[0], [1]]).unwrap();
    let observables = BinaryCsc::from_columns(1, [vec![], vec![0]]).unwrap();
    DecodingProblem::new(checks, observables, vec![0.125, 0.25]).unwrap()
}

#[test]
fn what_has_not_converged_is_said() {
    let coset = CosetModel::new(&two_bits()).unwrap();
    let mut decoder = MaximumLikelihood::new(Doubtful, coset.clone()).unwrap();
    let mut prediction = Prediction::new(1);
    for (syndrome, converged) in [(0b00, true), (0b01, false), (0b10, true), (0b11, false)] {
        decoder.decode_into(&[syndrome], &mut prediction).unwrap();
        assert_eq!(prediction.converged, converged, "{syndrome:02b}");
    }
    // Counted in batches, and in rows: the first bit is flipped in an eighth of the shots.
    let sampler = Sampler::new(&two_bits());
    let build = || -> Result<Box<dyn Decoder>> { Ok(Box::new(MaximumLikelihood::new(Doubtful, coset.clone())?)) };
    let params = CollectParams::default().max_shots(16 * 1024);
    let keep_all = |_: &Prediction| false;
    for discard in [None, Some(&keep_all as &(dyn Fn(&Prediction) -> bool + Sync))] {
        let mut row = Row::default();
        collect(&mut row, &sampler, &build, discard, &params, &Streams::new(5), &mut ()).unwrap();
        let (n, count) = (row.shots as f64, row.custom_counts["unconverged_shots"] as f64);
        assert!((count - 0.125 * n).abs() < 4.0 * (n * 0.125 * 0.875).sqrt(), "{count} of {n}");
        assert!(!row.custom_counts.contains_key("decoder_failures"));
    }
}

fn solver(name: &str) -> LikelihoodSolver {
    name.parse().unwrap()
}

/// ln of the exact probabilities and of those found; impossible classes are impossible in both.
fn check_classes(found: &[f64], exact: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), exact.len());
    for (class, (ln, p)) in found.iter().zip(exact).enumerate() {
        let same = if *p == 0.0 { *ln == f64::NEG_INFINITY } else { (ln - p.ln()).abs() < tolerance };
        assert!(same, "{what}, class {class}: {ln} for {}", p.ln());
    }
}

#[test]
fn erased_mechanisms_have_probability_one_half() {
    // Mechanisms that are impossible, certain, alike, and fully random before anything is erased.
    let mut rng = rng(11);
    let mut problem = repetition_circuit(3, 1, 0.07);
    let (checks, observables) = (problem.checks().clone(), problem.observables().clone());
    let n = problem.n_mechanisms();
    let mut priors = problem.priors().to_vec();
    (priors[0], priors[3], priors[5]) = (0.0, 1.0, 0.5);
    let twice = |matrix: &BinaryCsc| {
        let columns = matrix.columns().chain(matrix.columns().take(4)).map(<[usize]>::to_vec);
        BinaryCsc::from_columns(matrix.n_rows(), columns).unwrap()
    };
    priors.extend([0.0, 0.2, 0.3, 0.0]);
    problem = DecodingProblem::new(twice(&checks), twice(&observables), priors).unwrap();
    let names = ["enumeration", "transfer-matrix", "planar", "tensor-network", "boundary-mps:16"];
    let mut decoders: Vec<_> = names.map(|name| MaximumLikelihood::with_solver(solver(name), &problem).unwrap()).into();
    let mut sequential = MaximumLikelihoodSequential::new(&problem).unwrap();
    let mut marginals = MaximumLikelihoodMarginals::new(&problem).unwrap();
    let unerased = SyndromeDistribution::new(&problem).unwrap();
    let mut out = Prediction::new(1);
    for round in 0..40 {
        // Some rounds leave what is impossible or certain alone, and take the short way.
        let changed: Vec<usize> = (0..n + 4)
            .filter(|&j| rng.random_range(0..4) == 0 && (round % 2 == 0 || ![0, 3, n, n + 3].contains(&j)))
            .collect();
        let mut erased = [0u64];
        let mut priors = problem.priors().to_vec();
        for j in changed {
            erased[0] |= 1 << j;
            priors[j] = 0.5;
        }
        let given = DecodingProblem::new(problem.checks().clone(), problem.observables().clone(), priors).unwrap();
        let exact = SyndromeDistribution::new(&given).unwrap();
        let error: BitVec = given.priors().iter().map(|&p| rng.random::<f64>() < p).collect();
        let syndrome = problem.syndrome(&error);
        let classes = exact.classes(syndrome.words()[0] as usize);
        for (decoder, name) in decoders.iter_mut().zip(names) {
            decoder.decode_erased_into(syndrome.words(), &erased, &mut out).unwrap();
            check_classes(&out.ln_class, classes, 1e-11, name);
            // The next shot is as if nothing had been.
            let plain = unerased.classes(syndrome.words()[0] as usize);
            if plain.iter().sum::<f64>() > 0.0 {
                decoder.decode_into(syndrome.words(), &mut out).unwrap();
                check_classes(&out.ln_class, plain, 1e-11, name);
            }
        }
        sequential.decode_erased_into(syndrome.words(), &erased, &mut out).unwrap();
        let chosen = sequential_choice(classes);
        if (classes[0] - classes[1]).abs() > 1e-12 {
            assert_eq!(out.observables.get(0), chosen == 1);
        }
        approx::assert_abs_diff_eq!(sequential.ln_chosen(), classes[chosen].ln(), epsilon = 1e-11);
        marginals.decode_erased_into(syndrome.words(), &erased, &mut out).unwrap();
        approx::assert_abs_diff_eq!(out.probabilities[0], classes[1] / (classes[0] + classes[1]), epsilon = 1e-11);
    }
}

#[test]
#[should_panic(expected = "2 words of erasure flags for 1")]
fn too_many_flags() {
    let mut decoder = MaximumLikelihood::automatic(&two_bits()).unwrap();
    let _ = decoder.decode_erased_into(&[0], &[1, 0], &mut Prediction::new(1));
}

/// Random rows; of those of a number in `missing` this Pauli never happens.
fn table(n: usize, missing: &[usize], scale: f64, rng: &mut impl linalg_core::rand::Rng) -> Vec<[f64; 4]> {
    (0..n)
        .map(|q| {
            let mut row = [1.0, scale, scale, scale].map(|w| w * rng.random_range(0.2..1.0));
            if let Some(&missing) = missing.get(q % (missing.len() + 1)) {
                row[missing] = 0.0;
            }
            let sum: f64 = row.iter().sum();
            row.map(|w| w / sum)
        })
        .collect()
}

#[test]
fn three_of_four_paulis() {
    // Oracle: all errors folded into the distribution one qubit after the other, zeros included.
    let mut rng = rng(12);
    let names = ["enumeration", "transfer-matrix", "tensor-network", "boundary-mps:32"];
    let (mut doubtful, mut of_boundary) = (0, 0);
    for code in ["five-qubit", "steane", "rotated-surface:3"].map(|name| code::parse(name).unwrap()) {
        let n = code.n_qubits();
        for (missing, scale) in [(&[2][..], 0.3), (&[1, 3, 0, 2], 0.5), (&[2, 3], 1e-3), (&[0, 2, 2], 1e-9)] {
            let table = table(n, missing, scale, &mut rng);
            let exact = SyndromeDistribution::stabilizer(&code, &table).unwrap();
            let coset = CosetModel::stabilizer(&code, &table).unwrap();
            for name in names {
                // The boundary states of Steane's code, which does not lie in a plane strip, need not exist.
                let Ok(mut decoder) = MaximumLikelihood::new(solver(name), coset.clone()) else {
                    assert!(name.starts_with("boundary"));
                    continue;
                };
                for _ in 0..12 {
                    let syndrome = rng.random_range(0..1u64 << code.generators().len());
                    let bits = BitVec::from_words(vec![syndrome], code.generators().len()).unwrap();
                    let prediction = decoder.decode(&bits).unwrap();
                    let what = format!("{} {missing:?} {scale} {name} {syndrome:b}", code.name());
                    of_boundary += usize::from(name.starts_with("boundary"));
                    if name.starts_with("boundary") && !prediction.converged {
                        doubtful += 1;
                        continue;
                    }
                    assert!(prediction.converged, "{what}");
                    check_classes(&prediction.ln_class, exact.classes(syndrome as usize), 1e-9, &what);
                }
            }
        }
    }
    // Where forbidden errors leave a boundary state too little to work with, it says so.
    assert!(2 * doubtful < of_boundary, "{doubtful} of {of_boundary}");
}

#[test]
fn three_paulis_leave_classes_and_syndromes_impossible() {
    // Two qubits with the checks XX and ZZ; the second has no errors, the first no Y: the checks cannot both fire.
    let code = StabilizerCode::from_text(&["XX", "ZZ"]).unwrap();
    let table = [[0.5, 0.25, 0.0, 0.25], [1.0, 0.0, 0.0, 0.0]];
    let mut decoder = MaximumLikelihood::of_coset(CosetModel::stabilizer(&code, &table).unwrap()).unwrap();
    let ln_p: Vec<f64> =
        ["00", "10", "01"].map(|bits| decoder.decode(&bits.parse().unwrap()).unwrap().ln_class[0]).into();
    for (ln, p) in ln_p.iter().zip([0.5f64, 0.25, 0.25]) {
        approx::assert_abs_diff_eq!(*ln, p.ln(), epsilon = 1e-12);
    }
    assert_eq!(
        decoder.decode(&"11".parse().unwrap()).unwrap_err().to_string(),
        "maximum likelihood does not apply: the syndrome has probability 0 in all classes"
    );
    // The same from the decoders of single bits, for a code with a logical qubit: a third qubit without errors or checks.
    let code = StabilizerCode::from_text(&["XXI", "ZZI"]).unwrap();
    let coset = CosetModel::stabilizer(&code, &[table[0], table[1], table[1]]).unwrap();
    let sequential = MaximumLikelihoodSequential::of_coset(&coset).unwrap().decode(&"11".parse().unwrap());
    let marginals = MaximumLikelihoodMarginals::of_coset(&coset).unwrap().decode(&"11".parse().unwrap());
    for text in [sequential, marginals].map(|result| result.unwrap_err().to_string()) {
        assert!(text.ends_with("the syndrome has probability 0 in all classes"), "{text}");
    }
    let code = StabilizerCode::from_text(&["XX", "ZZ"]).unwrap();
    let matching: DecoderChoice = "matching".parse().unwrap();
    let coset = CosetModel::stabilizer(&code, &table).unwrap();
    let text = matching.build_of_coset(coset).unwrap_err().to_string();
    assert!(text.ends_with("; qubit 0 has three possible Paulis and never Y"), "{text}");
    // A single qubit without checks: the class of Y is impossible.
    let logicals = BitMatrix::from_text("01\n10").unwrap();
    let coset = CosetModel::paulis(&BitMatrix::zeros(0, 2), &logicals, &[[0.5, 0.25, 0.0, 0.25]]).unwrap();
    let classes = MaximumLikelihood::of_coset(coset).unwrap().decode(&BitVec::zeros(0)).unwrap().ln_class;
    check_classes(&classes, &[0.5, 0.25, 0.25, 0.0], 1e-12, "one qubit");
}

#[test]
fn erased_qubits_have_all_paulis() {
    let mut rng = rng(13);
    for code in ["steane", "rotated-surface:3"].map(|name| code::parse(name).unwrap()) {
        let n = code.n_qubits();
        let mut table = table(n, &[2, 3], 0.1, &mut rng);
        (table[0], table[1]) = ([1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]);
        let mut decoder = MaximumLikelihood::of_coset(CosetModel::stabilizer(&code, &table).unwrap()).unwrap();
        for _ in 0..10 {
            let erased = rng.random_range(0..1u64 << n);
            let rows: Vec<[f64; 4]> =
                table.iter().enumerate().map(|(q, row)| if erased >> q & 1 == 1 { [0.25; 4] } else { *row }).collect();
            let exact = SyndromeDistribution::stabilizer(&code, &rows).unwrap();
            let error = crate::PauliTable::new(rows).unwrap().sample(&mut rng);
            let syndrome = code.syndrome(&error);
            let mut out = Prediction::new(2);
            decoder.decode_erased_into(syndrome.words(), &[erased], &mut out).unwrap();
            let classes = exact.classes(syndrome.words()[0] as usize);
            check_classes(&out.ln_class, classes, 1e-10, code.name());
        }
    }
}

#[test]
fn one_logical_bit_after_the_other_on_codes() {
    // Exclusive Paulis, three of them on some qubits, and a correlated model.
    let mut rng = rng(14);
    for code in ["steane", "rotated-surface:3", "five-qubit"].map(|name| code::parse(name).unwrap()) {
        let table = table(code.n_qubits(), &[2], 0.4, &mut rng);
        let exact = SyndromeDistribution::stabilizer(&code, &table).unwrap();
        let coset = CosetModel::stabilizer(&code, &table).unwrap();
        let mut sequential = MaximumLikelihoodSequential::of_coset(&coset).unwrap();
        let mut marginals = MaximumLikelihoodMarginals::of_coset(&coset).unwrap();
        let d = code.generators().len();
        for _ in 0..20 {
            let syndrome = rng.random_range(0..1u64 << d);
            let bits = BitVec::from_words(vec![syndrome], d).unwrap();
            let classes = exact.classes(syndrome as usize);
            let chosen = sequential_choice(classes);
            let prediction = sequential.decode(&bits).unwrap();
            assert_eq!(prediction.observables.words(), [chosen as u64], "{} {syndrome:b}", code.name());
            approx::assert_abs_diff_eq!(sequential.ln_chosen(), classes[chosen].ln(), epsilon = 1e-10);
            let prediction = marginals.decode(&bits).unwrap();
            for (i, p) in prediction.probabilities.iter().enumerate() {
                let set: f64 = (0..4).filter(|class| class >> i & 1 == 1).map(|class: usize| classes[class]).sum();
                approx::assert_abs_diff_eq!(*p, set / classes.iter().sum::<f64>(), epsilon = 1e-10);
            }
        }
    }
    let chain = (0..7).fold(spin_models::Ising::builder(7), |b, i| b.field(i, 0.2 * i as f64));
    let chain = (0..6).fold(chain, |b, i| b.coupling(i, i + 1, 0.5)).build().unwrap();
    let noise = crate::noise::IsingNoise::new(chain, crate::Pauli::X).unwrap();
    let coset = noise.coset_model(&code::parse("steane").unwrap()).unwrap();
    let mut joint = MaximumLikelihood::of_coset(coset.clone()).unwrap();
    let mut sequential = MaximumLikelihoodSequential::of_coset(&coset).unwrap();
    for syndrome in 0..64u64 {
        let bits = BitVec::from_words(vec![syndrome], 6).unwrap();
        let Ok(expected) = joint.decode(&bits) else { continue };
        // The second bit is known: X errors apply no logical Z.
        assert_eq!(sequential.decode(&bits).unwrap().observables, expected.observables, "{syndrome:b}");
        approx::assert_abs_diff_eq!(
            sequential.ln_chosen(),
            expected.ln_class[expected.best_class().unwrap()],
            epsilon = 1e-10
        );
    }
}
