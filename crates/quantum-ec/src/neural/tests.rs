//! Training, decoding and files together.

use linalg_core::Streams;
use linalg_core::gf2::BitVec;

use super::*;
use crate::code::parse;
use crate::decode::{Decoder, DecoderChoice, Lookup};
use crate::error::Error;
use crate::noise::{IsingNoise, Noise, independent_paulis};
use crate::shots::Shots;
use crate::statmech::SyndromeDistribution;

fn subject(code: &str, low: f64, high: f64) -> Subject {
    let noise = CodeNoise::Named { noise: Noise::Depolarizing, low, high };
    Subject::of_code(parse(code).unwrap(), noise).unwrap()
}

fn model(code: &str, network: &str) -> NeuralModel {
    NeuralModel::new(subject(code, 0.1, 0.1), network.parse().unwrap()).unwrap()
}

fn short(steps: u64) -> TrainingParams {
    TrainingParams::default().batch(128).steps(steps).learning_rate(0.01).warm_up(5)
}

#[test]
fn joint_probabilities_add_up() {
    // Two bits of syndrome, two of the class, two of the stabilizer part: all 64 errors of three qubits.
    for network in ["made:8x2:4x1:joint", "transformer:8x2x2:joint"] {
        sum_over_errors(network);
    }
}

fn sum_over_errors(network: &str) {
    let code = parse("repetition:3").unwrap();
    let subject = Subject::of_code(code, CodeNoise::fixed(Noise::Depolarizing, 0.2)).unwrap();
    let model = NeuralModel::new(subject, network.parse().unwrap()).unwrap();
    let mut trainer = NeuralTrainer::new(model, short(20)).unwrap();
    while trainer.steps() < 20 {
        trainer.step().unwrap();
    }
    let model = trainer.into_model();
    let basis = model.subject().basis().unwrap();
    let mut sum = 0.0;
    for all in 0..64u32 {
        let bit = |i: u32| 1 - 2 * (all >> i & 1) as i8;
        let unsigned = |bits: &[i8]| bits.iter().map(|s| u8::from(*s < 0)).collect::<Vec<u8>>();
        let syndrome = vec![bit(0), bit(1)];
        let logical = vec![bit(2), bit(3)];
        let gauge = vec![bit(4), bit(5)];
        let reference = basis.error(&unsigned(&syndrome), &unsigned(&logical), &[0, 0]).unwrap();
        let mut words = Vec::new();
        for q in 0..3 {
            words.extend([1 - 2 * i8::from(reference.x().get(q)), 1 - 2 * i8::from(reference.z().get(q))]);
        }
        let batch = Batch { shots: 1, syndrome, logical, reference: words, gauge, ..Batch::default() };
        sum += (-model.loss(&batch).iter().flatten().sum::<f64>()).exp();
    }
    assert!((sum - 1.0).abs() < 1e-5, "{network}: {sum}");
}

#[test]
fn samples_are_the_errors_of_the_noise() {
    let subject = subject("rotated-surface:3", 0.15, 0.15);
    let (shots, mut batch) = (20_000, Batch::default());
    subject.draw(shots, Streams::new(4), &mut batch).unwrap();
    let floor = -batch.ln_prob.iter().sum::<f64>() / shots as f64;
    let h = subject.entropy().unwrap();
    // Standard deviation of -ln P per qubit: ln(0.85/0.05) sqrt(0.15 0.85).
    let sigma = (17f64.ln() * (0.15f64 * 0.85).sqrt()) * (9.0 / shots as f64).sqrt();
    assert!((floor - h).abs() < 4.0 * sigma, "{floor} {h}");
    // Frequencies of syndrome and class against the sum over all errors.
    let code = subject.code().unwrap();
    let table = Noise::Depolarizing.table(9, 0.15).unwrap();
    let exact = SyndromeDistribution::stabilizer(code, table.rows()).unwrap();
    let generators = subject.basis().unwrap().generators();
    let mut counts = vec![0.0; 1 << 10];
    for (syndrome, logical) in batch.syndrome.chunks(8).zip(batch.logical.chunks(2)) {
        let s = syndrome.iter().zip(&generators).fold(0, |s, (b, g)| s | usize::from(*b < 0) << g);
        let turns = subject.observables(syndrome);
        let class = (0..2).fold(0, |c, j| c | usize::from((logical[j] < 0) != (turns[j] != 0)) << j);
        counts[s << 2 | class] += 1.0;
    }
    for (k, count) in counts.iter().enumerate() {
        let p = exact.probability(k >> 2, k & 3);
        let sigma = (p * (1.0 - p) * shots as f64).sqrt();
        assert!((count - p * shots as f64).abs() < 5.0 * sigma + 1.0, "{k}: {count} {p}");
    }
    // The error of the coordinates is the one whose probability is told.
    let basis = subject.basis().unwrap();
    let bits = |row: &[i8]| row.iter().map(|s| u8::from(*s < 0)).collect::<Vec<u8>>();
    for k in 0..50 {
        let [s, l, g] = [(&batch.syndrome, 8), (&batch.logical, 2), (&batch.gauge, 8)]
            .map(|(rows, n): (&Vec<i8>, usize)| bits(&rows[k * n..(k + 1) * n]));
        let error = basis.error(&s, &l, &g).unwrap();
        assert!((table.ln_prob(&error) - batch.ln_prob[k]).abs() < 1e-12);
    }
}

#[test]
fn a_trained_model_decodes_like_the_exact_one() {
    // Distance 3, all 256 syndromes: the failure rate is a sum, without sampling.
    // A causal prefix learns the parities of a syndrome slower: 0.0159 above the optimum after as many steps.
    for (network, excess, bound) in
        [("made:64x2:16x1", 0.01, 0.03), ("local:8x2:16x1", 0.01, 0.03), ("transformer:16x2x4", 0.02, 0.08)]
    {
        let model = NeuralModel::new(subject("rotated-surface:3", 0.15, 0.15), network.parse().unwrap()).unwrap();
        let params = TrainingParams::default().batch(512).steps(300).learning_rate(0.01).warm_up(20);
        let mut trainer = NeuralTrainer::new(model, params).unwrap();
        while trainer.steps() < 300 {
            trainer.step().unwrap();
        }
        let table = Noise::Depolarizing.table(9, 0.15).unwrap();
        let code = parse("rotated-surface:3").unwrap();
        let exact = SyndromeDistribution::stabilizer(&code, table.rows()).unwrap();
        let mut decoder = NeuralDecoder::new(trainer.into_model(), Search::Exact, None).unwrap();
        let mut divergence = 0.0;
        let rate = exact.failure_rate(|s, classes| {
            let syndrome = BitVec::from_words(vec![s as u64], 8).unwrap();
            let prediction = decoder.decode(&syndrome).unwrap();
            let total: f64 = classes.iter().sum();
            for (p, ln_q) in classes.iter().zip(&prediction.ln_class) {
                divergence += p * ((p / total).ln() - ln_q);
            }
            let chosen = prediction.observables.words()[0] as usize;
            assert_eq!(Some(chosen), prediction.best_class());
            chosen
        });
        let optimal = exact.optimal_failure_rate();
        assert!(rate >= optimal && rate < optimal + excess, "{network}: {rate} {optimal}");
        assert!(divergence > 0.0 && divergence < bound, "{network}: {divergence}");
    }
}

#[test]
fn searches_agree_where_they_should() {
    let mut trainer = NeuralTrainer::new(model("rotated-surface:3", "made:16x1:8x1"), short(30)).unwrap();
    while trainer.steps() < 30 {
        trainer.step().unwrap();
    }
    let model = std::sync::Arc::new(trainer.into_model());
    let of = |search| NeuralDecoder::new(model.clone(), search, None).unwrap();
    let (exact, greedy, beam) = (of(Search::Exact), of(Search::Greedy), of(Search::Beam(4)));
    let rows: Vec<i8> = (0..300 * 8).map(|k| if k * k % 7 < 3 { -1 } else { 1 }).collect();
    let all = [&exact, &greedy, &beam].map(|decoder| decoder.candidates(&rows).unwrap());
    for ((exact, greedy), beam) in all[0].iter().zip(&all[1]).zip(&all[2]) {
        assert_eq!((exact.len(), greedy.len()), (4, 1));
        assert_eq!(exact, beam);
        let sum: f64 = exact.iter().map(|c| c.ln_q.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        // The greedy class: the likelier first bit, then the likelier second.
        let mass = |s: i8| exact.iter().filter(|c| c.bits[0] == s).map(|c| c.ln_q.exp()).sum::<f64>();
        let first = if mass(1) >= mass(-1) { 1 } else { -1 };
        let best = exact.iter().find(|c| c.bits[0] == first).unwrap();
        assert!((best.ln_q - greedy[0].ln_q).abs() < 1e-6);
    }
    // One by one and in a batch; a syndrome that no error has is a failure of its shot.
    let mut shots = Shots::zeros(300, 8);
    for (k, bit) in rows.iter().enumerate() {
        shots.set(k / 8, k % 8, *bit < 0);
    }
    let mut decoder = exact.another();
    let mut out = Shots::zeros(300, 2);
    let report = decoder.decode_batch(shots.view(), &mut out.view_mut()).unwrap();
    assert_eq!((report.decoded, report.failures.len()), (300, 0));
    for k in 0..300 {
        let syndrome = BitVec::from_words(shots.row(k).to_vec(), 8).unwrap();
        assert_eq!(decoder.decode(&syndrome).unwrap().observables.words(), out.row(k));
    }
}

#[test]
fn syndrome_and_class_have_their_marginal() {
    // The 1024 probabilities of syndrome and class at distance 3, by enumeration, against q(γ) q(β | γ).
    for network in ["made:32x2:16x1:joint", "transformer:16x1x2:joint"] {
        let mut trainer = NeuralTrainer::new(model("rotated-surface:3", network), short(300).batch(256)).unwrap();
        while trainer.steps() < 300 {
            trainer.step().unwrap();
        }
        let table = Noise::Depolarizing.table(9, 0.1).unwrap();
        let exact = SyndromeDistribution::stabilizer(&parse("rotated-surface:3").unwrap(), table.rows()).unwrap();
        let mut decoder = NeuralDecoder::new(trainer.into_model(), Search::Exact, None).unwrap();
        let (mut total, mut cross) = (0.0, 0.0);
        for s in 0..256u64 {
            let mut row = Vec::new();
            decoder.model().subject().syndrome_row(&[s], &mut row).unwrap();
            let ln_evidence = decoder.ln_evidence(&row).unwrap()[0];
            let prediction = decoder.decode(&BitVec::from_words(vec![s], 8).unwrap()).unwrap();
            for (p, ln_class) in exact.classes(s as usize).iter().zip(&prediction.ln_class) {
                total += (ln_evidence + ln_class).exp();
                cross -= p * (ln_evidence + ln_class);
            }
        }
        assert!((total - 1.0).abs() < 1e-5, "{network}: {total}");
        // The mean of -ln q: the entropy is its floor, and training comes near it.
        let divergence = cross - exact.entropy();
        assert!(divergence > 0.0 && divergence < 0.15, "{network}: {divergence}");
    }
}

#[test]
fn correlated_errors_are_learnt_where_matching_takes_them_for_independent() {
    // X errors on 3 x 3 qubits that come together along one axis. Exact rates of maximum likelihood and of minimum weight with
    // the exact marginals, by a sum over 512 patterns in plain Python: 0.065983 and 0.086092 where the axis is that of the
    // logical operator which the errors flip, 0.223043 twice along the other one.
    let code = parse("rotated-surface:3").unwrap();
    let mut gaps = Vec::new();
    for couplings in [[0.8, 0.0], [0.0, 0.8]] {
        let noise = IsingNoise::nearest_neighbours(&code, crate::Pauli::X, 0.5, couplings).unwrap();
        let exact = weights(&code, &noise);
        let problem = independent_paulis(&code, &noise.marginals().unwrap()).unwrap();
        let mut matching = "matching".parse::<DecoderChoice>().unwrap().build(&problem).unwrap().decoder;
        let likeliest = failure_rate(&exact, |s| best(&exact[s]));
        let matched = failure_rate(&exact, |s| decoded(&mut *matching, s));
        gaps.push((noise, exact, likeliest, matched));
    }
    gaps.sort_by(|a, b| (b.3 - b.2).total_cmp(&(a.3 - a.2)));
    let expected = [(0.06598254550145011, 0.08609190172091673), (0.22304278160978963, 0.22304278160978963)];
    for (gap, (likeliest, matched)) in gaps.iter().zip(expected) {
        approx::assert_abs_diff_eq!(gap.2, likeliest, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(gap.3, matched, epsilon = 1e-12);
    }
    let (noise, exact, likeliest, matched) = gaps.swap_remove(0);
    let subject = Subject::of_code(code, CodeNoise::Ising { noise, sweeps: 40 }).unwrap();
    assert!(subject.entropy().is_none());
    let model = NeuralModel::new(subject, "made:32x2:16x1".parse().unwrap()).unwrap();
    let mut trainer = NeuralTrainer::new(model, short(300).batch(256)).unwrap();
    while trainer.steps() < 300 {
        trainer.step().unwrap();
    }
    let mut neural = NeuralDecoder::new(trainer.into_model(), Search::Exact, None).unwrap();
    let learnt = failure_rate(&exact, |s| decoded(&mut neural, s));
    assert!(learnt > likeliest - 1e-12 && learnt < 0.5 * (likeliest + matched), "{learnt}");
}

/// Probabilities of the four classes of every syndrome of nine qubits, by a sum over all patterns.
fn weights(code: &crate::StabilizerCode, noise: &IsingNoise) -> Vec<[f64; 4]> {
    let basis = crate::Decomposition::new(code);
    let mut sums = vec![[0.0; 4]; 256];
    for pattern in 0..1u64 << 9 {
        let error = crate::PauliString::x_type(&BitVec::from_words(vec![pattern], 9).unwrap());
        let class = basis.decompose(&error).applied().words()[0] as usize;
        sums[code.syndrome(&error).words()[0] as usize][class] += noise.ln_weight(&error).exp();
    }
    let total: f64 = sums.iter().flatten().sum();
    sums.iter_mut().flatten().for_each(|p| *p /= total);
    sums
}

fn best(classes: &[f64; 4]) -> usize {
    (1..4).fold(0, |best, class| if classes[class] > classes[best] { class } else { best })
}

fn decoded(decoder: &mut dyn Decoder, syndrome: usize) -> usize {
    let bits = BitVec::from_words(vec![syndrome as u64], 8).unwrap();
    decoder.decode(&bits).unwrap().observables.words()[0] as usize
}

/// The probability of a wrong class; syndromes without errors are left out.
fn failure_rate(exact: &[[f64; 4]], mut class: impl FnMut(usize) -> usize) -> f64 {
    let seen = exact.iter().enumerate().filter(|(_, classes)| classes.iter().sum::<f64>() > 0.0);
    seen.map(|(s, classes)| classes.iter().sum::<f64>() - classes[class(s)]).sum()
}

#[test]
fn impossible_syndromes_are_refused() {
    let code = parse("toric:3").unwrap();
    let subject = Subject::of_code(code, CodeNoise::fixed(Noise::Depolarizing, 0.1)).unwrap();
    let model = NeuralModel::new(subject, "made:8x1:4x1".parse().unwrap()).unwrap();
    let mut decoder = NeuralDecoder::new(model, Search::Greedy, None).unwrap();
    let mut shots = Shots::zeros(2, 18);
    shots.set(1, 0, true);
    let mut out = Shots::zeros(2, 4);
    let report = decoder.decode_batch(shots.view(), &mut out.view_mut()).unwrap();
    assert_eq!(report.decoded, 1);
    assert!(matches!(report.failures[..], [(1, Error::ImpossibleSyndrome { .. })]));
    // Two detectors that always fire together, and one beside them.
    let model: crate::DetectorErrorModel = "error(0.1) D0 D2 L0\nerror(0.2) D0 D2\nerror(0.1) D1".parse().unwrap();
    let subject = Subject::of_model(&model, "pair").unwrap();
    let mut rows = Vec::new();
    assert!(subject.syndrome_row(&[0b111], &mut rows).is_ok());
    let error = subject.syndrome_row(&[0b110], &mut rows).unwrap_err();
    assert!(matches!(&error, Error::ImpossibleSyndrome { checks } if checks[..] == [0, 2]), "{error}");
}

#[test]
fn training_goes_on_bit_for_bit() {
    goes_on("local:4x2:4x1:joint", "local:4x3:4x1:joint");
    goes_on("transformer:4x1x2:joint", "transformer:4x1x1:joint");
}

fn goes_on(network: &str, another: &str) {
    let start = || NeuralTrainer::new(model("rotated-surface:3", network), short(12)).unwrap();
    let mut through = start();
    for _ in 0..12 {
        through.step().unwrap();
    }
    let mut first = start();
    for _ in 0..5 {
        first.step().unwrap();
    }
    let saved = first.checkpoint();
    let mut second = start();
    second.restore(&saved).unwrap();
    assert_eq!(second.steps(), 5);
    for _ in 5..12 {
        second.step().unwrap();
    }
    for part in Part::ALL {
        let bits = |trainer: &NeuralTrainer| -> Vec<u64> {
            trainer.model().network(part).unwrap().parameters().iter().map(|p| p.to_bits()).collect()
        };
        assert_eq!(bits(&through), bits(&second), "{part:?}");
    }
    // Another code, other sizes, another seed, damage.
    let other = |code, network, params| NeuralTrainer::new(model(code, network), params).unwrap().restore(&saved);
    assert!(matches!(other("rotated-surface:5", network, short(12)), Err(Error::Numerics(_))));
    assert!(matches!(other("rotated-surface:3", another, short(12)), Err(Error::Model { .. })));
    assert!(matches!(other("rotated-surface:3", network, short(12).seed(2)), Err(Error::Model { .. })));
    let mut cut = saved.clone();
    cut.payload.truncate(cut.payload.len() - 3);
    assert!(matches!(start().restore(&cut), Err(Error::Numerics(_))));
}

#[test]
fn diverging_training_keeps_the_last_model() {
    let mut params = short(50);
    params.learning_rate = 1e36;
    params.warm_up = 1;
    for network in ["made:8x2:4x1", "made:8x2:4x1:joint", "transformer:8x1x2"] {
        let mut trainer = NeuralTrainer::new(model("rotated-surface:3", network), params).unwrap();
        let parameters = |trainer: &NeuralTrainer| -> Vec<f64> {
            let networks = Part::ALL.iter().filter_map(|&part| trainer.model().network(part));
            networks.flat_map(|network| network.parameters().to_vec()).collect()
        };
        // What a step began with has shown a finite loss once the step is done.
        let (mut proven, mut done) = (parameters(&trainer), 0);
        let mut last = None;
        let error = (0..50)
            .find_map(|_| {
                let before = (parameters(&trainer), trainer.steps());
                last = Some((before.clone(), trainer.checkpoint()));
                let failed = trainer.step().err();
                if failed.is_none() {
                    (proven, done) = before;
                }
                failed
            })
            .expect("steps of 1e36 overflow single precision");
        assert!(matches!(error, Error::Diverged { .. }), "{error}");
        assert_eq!((parameters(&trainer), trainer.steps()), (proven, done));
        // What a trainer did before it was restored is not what it goes back to.
        let mut other = NeuralTrainer::new(model("rotated-surface:3", network), params).unwrap();
        other.step().unwrap();
        let (state, checkpoint) = last.unwrap();
        other.restore(&checkpoint).unwrap();
        assert!(matches!(other.step(), Err(Error::Diverged { .. })));
        assert_eq!((parameters(&other), other.steps()), state);
    }
}

#[test]
fn files_name_what_they_are_for() {
    for network in ["made:8x1:4x1:joint", "transformer:4x1x2:joint"] {
        files_of(network);
    }
}

fn files_of(network: &str) {
    let model = model("rotated-surface:3", network);
    let mut file = Vec::new();
    model.write(&mut file).unwrap();
    let header = ModelHeader::read(&file[..]).unwrap();
    assert_eq!((header.name.as_str(), header.noise.as_str()), ("rotated-surface:3", "depolarizing:0.1:0.1"));
    assert_eq!(header.order, "syndrome,logical,gauge");
    let read = NeuralModel::read(subject("rotated-surface:3", 0.1, 0.1), &file[..]).unwrap();
    for part in Part::ALL {
        assert_eq!(read.network(part).unwrap().parameters(), model.network(part).unwrap().parameters());
    }
    let refused = |subject: Subject| NeuralModel::read(subject, &file[..]).unwrap_err().to_string();
    let other = refused(subject("rotated-surface:5", 0.1, 0.1));
    assert!(other.starts_with("the model was trained for code rotated-surface:3 ("), "{other}");
    let noise = refused(subject("rotated-surface:3", 0.1, 0.2));
    assert_eq!(noise, "the model was trained for noise depolarizing:0.1:0.1, expected depolarizing:0.1:0.2");
    // The surface code with X and Z exchanged has the same sizes.
    let turned = refused(subject("xzzx:3", 0.1, 0.1));
    assert!(turned.contains("expected xzzx:3 ("), "{turned}");
    for cut in [0, 7, file.len() / 2, file.len() - 1] {
        let error = NeuralModel::read(subject("rotated-surface:3", 0.1, 0.1), &file[..cut]).unwrap_err();
        assert!(matches!(error, Error::Network(_)), "{error}");
    }
}

#[test]
fn refinement_finds_the_exact_probabilities() {
    for network in ["made:32x1:16x1:joint", "transformer:8x1x2:joint"] {
        refines(network);
    }
}

fn refines(network: &str) {
    let start = model("rotated-surface:3", network);
    let mut trainer = NeuralTrainer::new(start, short(400).batch(256)).unwrap();
    while trainer.steps() < 400 {
        trainer.step().unwrap();
    }
    let decoder = NeuralDecoder::new(trainer.into_model(), Search::Exact, None).unwrap();
    let table = Noise::Depolarizing.table(9, 0.1).unwrap();
    let code = parse("rotated-surface:3").unwrap();
    let exact = SyndromeDistribution::stabilizer(&code, table.rows()).unwrap();
    let params = RefinementParams::default().samples(500, 1).least(1e-12);
    let mut refined = RefinedDecoder::new(decoder.clone(), Noise::Depolarizing, 0.1, params).unwrap();
    let subject = decoder.model().subject();
    for s in [0usize, 1, 37, 200] {
        let mut row = Vec::new();
        subject.syndrome_row(&[s as u64], &mut row).unwrap();
        let turns = subject.observables(&row);
        for class in refined.refine(&row).unwrap() {
            let index = (0..2).fold(0, |c, j| c | usize::from((class.bits[j] < 0) != (turns[j] != 0)) << j);
            let ln_p = exact.probability(s, index).ln();
            // 5σ of the estimate, whose error is itself estimated from the weights. Classes below e⁻⁷ are rare in training, too:
            // there q is far too small for some errors, which 500 samples miss together with their part of the error.
            let (off, rare) = (class.ln_probability - ln_p, ln_p < -7.0);
            let missed = if rare { 0.7 } else { 0.0 };
            assert!(off < 5.0 * class.std_error + 0.05, "{s}: {class:?} {ln_p}");
            assert!(off > -5.0 * class.std_error - 0.05 - missed, "{s}: {class:?} {ln_p}");
            assert!(class.samples == 500 && (rare || class.ess > 25.0), "{class:?}");
        }
    }
    // As a decoder: the same prediction for the same syndrome, and as good as the exact one up to ties.
    let mut refined = RefinedDecoder::new(decoder, Noise::Depolarizing, 0.1, RefinementParams::default()).unwrap();
    let mut lookup = Lookup::of_distribution(SyndromeDistribution::stabilizer(&code, table.rows()).unwrap());
    let mut lost = 0.0;
    for s in 0..256usize {
        let syndrome = BitVec::from_words(vec![s as u64], 8).unwrap();
        let prediction = refined.decode(&syndrome).unwrap();
        assert_eq!(prediction.observables, refined.decode(&syndrome).unwrap().observables);
        let of = |bits: &BitVec| exact.probability(s, bits.words()[0] as usize);
        lost += of(&lookup.decode(&syndrome).unwrap().observables) - of(&prediction.observables);
    }
    assert!((0.0..0.002).contains(&lost), "{lost}");
}

#[test]
fn a_range_of_p_is_seen() {
    for network in ["made:16x1:8x1", "transformer:8x1x2"] {
        sees_a_range(network);
    }
}

fn sees_a_range(network: &str) {
    let model = NeuralModel::new(subject("rotated-surface:3", 0.05, 0.15), network.parse().unwrap()).unwrap();
    let mut trainer = NeuralTrainer::new(model, short(40)).unwrap();
    while trainer.steps() < 40 {
        trainer.step().unwrap();
    }
    let model = std::sync::Arc::new(trainer.into_model());
    let missing = NeuralDecoder::new(model.clone(), Search::Greedy, None).unwrap_err().to_string();
    assert_eq!(missing, "p is missing for a model of a range, expected a number from 0 to 1");
    assert!(NeuralDecoder::new(model.clone(), Search::Greedy, Some(f64::NAN)).is_err());
    let at = |p: f64| {
        let mut decoder = NeuralDecoder::new(model.clone(), Search::Exact, Some(p)).unwrap();
        (decoder.decode(&BitVec::zeros(8)).unwrap().ln_class[0], decoder.outside_training())
    };
    let (low, high, beyond) = (at(0.05), at(0.15), at(0.3));
    assert!((low.0 - high.0).abs() > 1e-3, "{low:?} {high:?}");
    assert_eq!((low.1, high.1, beyond.1), (false, false, true));
}

#[test]
fn a_detector_error_model_is_learnt() {
    let model: crate::DetectorErrorModel =
        "error(0.1) D0 L0\nerror(0.2) D0 D1\nerror(0.05) D1\nerror(0.1) D0 D1 L0".parse().unwrap();
    let subject = Subject::of_model(&model, "four mechanisms").unwrap();
    assert_eq!((subject.n_syndrome(), subject.n_observables(), subject.n_gauge()), (2, 1, 0));
    let exact = SyndromeDistribution::new(&model.to_problem().unwrap()).unwrap();
    let neural = NeuralModel::new(subject, "made:32x2:16x1".parse().unwrap()).unwrap();
    let mut trainer = NeuralTrainer::new(neural, short(500).batch(512)).unwrap();
    while trainer.steps() < 500 {
        trainer.step().unwrap();
    }
    let mut decoder = NeuralDecoder::new(trainer.into_model(), Search::Exact, None).unwrap();
    for s in 0..4usize {
        let prediction = decoder.decode(&BitVec::from_words(vec![s as u64], 2).unwrap()).unwrap();
        let total: f64 = exact.classes(s).iter().sum();
        for (p, ln_q) in exact.classes(s).iter().zip(&prediction.ln_class) {
            assert!((p / total - ln_q.exp()).abs() < 0.03, "{s}: {p} {ln_q}");
        }
    }
}

#[test]
fn bad_subjects_are_refused() {
    let of = |noise| Subject::of_code(parse("rotated-surface:3").unwrap(), noise);
    assert!(matches!(of(CodeNoise::fixed(Noise::Depolarizing, 1.5)), Err(Error::Probability { .. })));
    assert!(matches!(of(CodeNoise::fixed(Noise::Erasure, 0.1)), Err(Error::Parameter { .. })));
    let empty = CodeNoise::Named { noise: Noise::BitFlip, low: 0.2, high: 0.1 };
    assert!(matches!(of(empty), Err(Error::Probability { .. })));
    let bare = crate::StabilizerCode::from_text(&["ZZI", "IZZ"]).unwrap();
    let bare = Subject::of_code(bare, CodeNoise::fixed(Noise::BitFlip, 0.1)).unwrap();
    let error = NeuralModel::new(bare, NetworkParams::new(Connection::Local)).unwrap_err();
    assert!(matches!(error, Error::NotApplicable { .. }), "{error}");
    let big = Subject::of_code(parse("bb:72,12,6").unwrap(), CodeNoise::fixed(Noise::Depolarizing, 0.06)).unwrap();
    let big = NeuralModel::new(big, "made:8x1:2x1".parse().unwrap()).unwrap();
    assert!(matches!(NeuralDecoder::new(big.clone(), Search::Exact, None), Err(Error::TooLarge { .. })));
    assert!(NeuralDecoder::new(big.clone(), Search::Beam(3), None).is_ok());
    let decoder = NeuralDecoder::new(big, Search::Greedy, None).unwrap();
    let refined = RefinedDecoder::new(decoder, Noise::Depolarizing, 0.06, RefinementParams::default());
    assert!(matches!(refined, Err(Error::NotApplicable { .. })));
    for (params, what) in [
        (TrainingParams::default().batch(0), "batch is 0, expected at least 1"),
        (TrainingParams::default().learning_rate(f64::NAN), "learning rate is NaN, expected a positive number"),
    ] {
        let error = NeuralTrainer::new(model("rotated-surface:3", "made:8x1:4x1"), params).unwrap_err();
        assert_eq!(error.to_string(), what);
    }
}

/// An average over the symmetries is the same for a syndrome and its images, and does not touch a network that has them.
#[test]
fn averages_have_the_symmetries() {
    use super::symmetry::Action;
    for (code, p_of) in [("unrotated-surface:3", 0.1), ("toric:2", 0.1)] {
        let subject = subject(code, p_of, p_of);
        let actions = Action::all(&subject, 1000).unwrap();
        let model = NeuralModel::new(subject, "made:8x2:4x1".parse::<NetworkParams>().unwrap()).unwrap();
        let decoder = NeuralDecoder::new(model, Search::Exact, None).unwrap().symmetrized(1000).unwrap();
        assert_eq!(decoder.n_symmetries(), actions.len());
        let (r, m) = (decoder.model().subject().n_syndrome(), decoder.model().subject().n_observables());
        let row: Vec<i8> = (0..r).map(|i| if i * i % 5 < 2 { -1 } else { 1 }).collect();
        let number = |bits: &[i8]| bits.iter().enumerate().fold(0, |n, (j, s)| n | usize::from(*s < 0) << j);
        let of = |row: &[i8]| {
            let mut out = vec![0.0; 1 << m];
            for candidate in &decoder.candidates(row).unwrap()[0] {
                out[number(&candidate.bits)] = candidate.ln_q;
            }
            out
        };
        let own = of(&row);
        assert!((own.iter().map(|q| q.exp()).sum::<f64>() - 1.0).abs() < 1e-9);
        for action in &actions {
            let mut image = Vec::new();
            let turn = action.syndrome(&row, &mut image);
            let there = of(&image);
            for (class, q) in own.iter().enumerate() {
                let image = action.logical(class) ^ turn;
                assert!((q - there[image]).abs() < 1e-5, "{code}: {q} {}", there[image]);
            }
        }
    }
    // Only what the noise shares: bit flips forbid the exchange of X and Z.
    let flips = CodeNoise::fixed(Noise::BitFlip, 0.1);
    let subject = Subject::of_code(parse("unrotated-surface:3").unwrap(), flips).unwrap();
    assert_eq!(Action::all(&subject, 1000).unwrap().len(), 4);
    let model = model("rotated-surface:3", "made:8x2:4x1");
    let greedy = NeuralDecoder::new(model, Search::Greedy, None).unwrap();
    assert!(matches!(greedy.symmetrized(8), Err(Error::NotApplicable { .. })));
}
