//! One point of a threshold: a code, a noise, where shots come from and who decodes them.

use linalg_core::Streams;
use quantum_ec::circuit::{CircuitNoise, KNOBS, PRESETS};
use quantum_ec::code::{self, CssCode, Kind, StabilizerCode};
use quantum_ec::decode::{ChosenDecoder, Decoder, DecoderChoice, ErasureDecoder};
use quantum_ec::dem::Sampler;
use quantum_ec::noise::{Erasure, Noise, css_problem, independent_paulis, phenomenological};
use quantum_ec::sample::{ErasureSource, Flagged, ShotSource, strong_id_of_table};
use quantum_ec::sensitivity::{Decompose, ModelParams};
use quantum_ec::shots::{ShotsMut, words_per_row};
use quantum_ec::statmech::CosetModel;
use quantum_ec::{DecodingProblem, DetectorErrorModel, Error, PauliTable, Prediction};

use crate::files::Outcome;
use crate::generate;

/// What is asked for, but for the distance and the rate.
pub struct Setting<'a> {
    /// The family of codes.
    pub code: &'a str,
    /// The name of the noise.
    pub noise: &'a str,
    /// Whether X is kept in memory.
    pub basis_x: bool,
    /// Rounds; the distance if absent.
    pub rounds: Option<u64>,
    pub decoder: DecoderChoice,
}

/// Everything that is needed for one point.
pub struct Task {
    pub distance: usize,
    pub p: f64,
    pub rounds: u64,
    /// The whole noise, for the name of the task.
    problem: DecodingProblem,
    source: Source,
    known: Known,
}

/// What the decoder is told.
enum Known {
    /// Independent mechanisms.
    Mechanisms,
    /// A model, perhaps with decompositions.
    Model(DetectorErrorModel),
    /// Paulis that exclude each other on a qubit.
    Paulis(PauliTable, Box<CosetModel>),
    /// Which qubits were erased, in every shot.
    Erased,
}

/// Where shots come from: for every noise from streams of its own, so that the failures of two points are independent, and for
/// all decoders of one noise from the same.
pub struct Source {
    key: u64,
    shots: Drawn,
}

enum Drawn {
    Mechanisms(Box<Sampler>),
    Erasure(ErasureSource),
}

impl Source {
    fn new(problem: &DecodingProblem, shots: Drawn) -> Self {
        Self { key: problem.content_hash(), shots }
    }
}

impl ShotSource for Source {
    fn n_detectors(&self) -> usize {
        match &self.shots {
            Drawn::Mechanisms(source) => source.n_detectors(),
            Drawn::Erasure(source) => source.n_detectors(),
        }
    }

    fn n_observables(&self) -> usize {
        match &self.shots {
            Drawn::Mechanisms(source) => source.n_observables(),
            Drawn::Erasure(source) => source.n_observables(),
        }
    }

    fn sample_unit(&self, unit: u64, streams: &Streams, detectors: ShotsMut<'_>, observables: ShotsMut<'_>) {
        let streams = streams.child(self.key);
        match &self.shots {
            Drawn::Mechanisms(source) => source.sample_unit(unit, &streams, detectors, observables),
            Drawn::Erasure(source) => source.sample_unit(unit, &streams, detectors, observables),
        }
    }
}

impl Task {
    pub fn new(setting: &Setting<'_>, distance: usize, p: f64) -> Outcome<Self> {
        let noise = setting.noise;
        let name = format!("{}:{distance}", setting.code);
        let repeated = noise == "phenomenological" || noise.starts_with("circuit:");
        if !repeated && setting.rounds.is_some_and(|rounds| rounds != 1) {
            return Err(format!("--rounds: {noise} noise has perfect measurements, one round").into());
        }
        let rounds = if repeated { setting.rounds.unwrap_or(distance as u64) } else { 1 };
        let of = |problem: DecodingProblem, known: Known| {
            let source = Source::new(&problem, Drawn::Mechanisms(Box::new(Sampler::new(&problem))));
            Self { distance, p, rounds, problem, source, known }
        };
        if noise.starts_with("circuit:") {
            let model = circuit_model(setting, &name, rounds, p)?;
            return Ok(of(model.to_problem()?, Known::Model(model)));
        }
        let code = code::parse(&name)?;
        if noise == "phenomenological" {
            let (code, kind) = (css(&code, noise)?, if setting.basis_x { Kind::Z } else { Kind::X });
            let sector = css_problem(&code, kind, vec![p; code.n_qubits()])?;
            let model = phenomenological(sector.checks(), sector.observables(), rounds, p, p)?;
            return Ok(of(model.to_problem()?, Known::Mechanisms));
        }
        let noise: Noise = noise.parse()?;
        Ok(match (noise, CssCode::from_stabilizer(&code)) {
            (Noise::BitFlip, Some(code)) => {
                of(css_problem(&code, Kind::X, vec![p; code.n_qubits()])?, Known::Mechanisms)
            }
            (Noise::PhaseFlip, Some(code)) => {
                of(css_problem(&code, Kind::Z, vec![p; code.n_qubits()])?, Known::Mechanisms)
            }
            (Noise::Erasure, _) => {
                let source = ErasureSource::new(&code, &Erasure::uniform(code.n_qubits(), p)?)?;
                let (checks, observables) = (source.problem().checks(), source.problem().observables());
                let all = vec![p; checks.n_cols()];
                let problem = DecodingProblem::new(checks.clone(), observables.clone(), all)?;
                let source = Source::new(&problem, Drawn::Erasure(source));
                Self { distance, p, rounds, problem, source, known: Known::Erased }
            }
            _ => {
                let table = noise.table(code.n_qubits(), p)?;
                let problem = independent_paulis(&code, &table)?;
                let known = if knows_paulis(setting.decoder) {
                    let coset = CosetModel::stabilizer(&code, table.rows())?;
                    Known::Paulis(table, Box::new(coset))
                } else {
                    Known::Mechanisms
                };
                of(problem, known)
            }
        })
    }

    /// Where shots come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The decoder, its name, and the choice that builds the same again without a search.
    pub fn decoder(&self, choice: DecoderChoice) -> Outcome<(Box<dyn Decoder>, String, DecoderChoice)> {
        let mut chosen = self.build(choice)?;
        if let Known::Erased = self.known {
            // Who does not take erasures says so before any shot.
            let d = chosen.decoder.n_detectors();
            let flagged = self.problem.n_mechanisms();
            let mut row = vec![0; words_per_row(d)];
            (d - flagged..d).for_each(|bit| row[bit / 64] |= 1 << (bit % 64));
            chosen.decoder.decode_into(&row, &mut Prediction::new(0))?;
            if choice == DecoderChoice::MaximumLikelihood(None) {
                return Ok((chosen.decoder, format!("{choice}:linear-algebra"), choice));
            }
        }
        Ok((chosen.decoder, chosen.choice.to_string(), chosen.choice))
    }

    /// The decoder of a choice.
    pub fn build(&self, choice: DecoderChoice) -> quantum_ec::Result<ChosenDecoder> {
        let Drawn::Erasure(source) = &self.source.shots else {
            return match &self.known {
                Known::Paulis(_, coset) => choice.build_of_coset((**coset).clone()),
                Known::Model(model) => choice.build_of_model(model),
                Known::Mechanisms | Known::Erased => choice.build(&self.problem),
            };
        };
        let n = source.problem().n_mechanisms();
        if choice == DecoderChoice::MaximumLikelihood(None) {
            let decoder = Flagged::new(ErasureDecoder::new(source.problem())?, n);
            return Ok(ChosenDecoder { choice, decoder: Box::new(decoder) });
        }
        let chosen = choice.build(source.problem())?;
        Ok(ChosenDecoder { choice: chosen.choice, decoder: Box::new(Flagged::new(chosen.decoder, n)) })
    }

    /// The name of the task in a table: of the whole noise, the decoder and the metadata.
    pub fn id(&self, decoder: &str, metadata: &str) -> String {
        let table: &[[f64; 4]] = match &self.known {
            Known::Paulis(table, _) => table.rows(),
            _ => &[],
        };
        strong_id_of_table(&self.problem, table, decoder, metadata)
    }
}

/// Whether a decoder takes Paulis that exclude each other on a qubit as what they are.
fn knows_paulis(decoder: DecoderChoice) -> bool {
    use DecoderChoice::{MaximumLikelihood, MaximumLikelihoodMarginals, MaximumLikelihoodSequential};
    matches!(decoder, MaximumLikelihood(_) | MaximumLikelihoodSequential | MaximumLikelihoodMarginals)
}

fn css(code: &StabilizerCode, noise: &str) -> Outcome<CssCode> {
    CssCode::from_stabilizer(code)
        .ok_or_else(|| format!("{noise} noise needs a CSS code, {} is none", code.name()).into())
}

/// The model of a memory experiment.
fn circuit_model(setting: &Setting<'_>, code: &str, rounds: u64, p: f64) -> Outcome<DetectorErrorModel> {
    let clean = generate::experiment(code, rounds, setting.basis_x, false)?;
    let decompose = match setting.decoder {
        DecoderChoice::Matching(_) | DecoderChoice::UnionFind | DecoderChoice::BeliefMatching(_) => {
            Decompose::Graphlike
        }
        _ => Decompose::Keep,
    };
    let noisy = circuit_noise(setting.noise, p)?.apply(&clean)?;
    Ok(noisy.to_model(&ModelParams::default().with_decompose(decompose))?.model)
}

/// `circuit:PRESET` with a list of `,knob=value`, or `circuit:KNOB+KNOB+..`, all at the rate p.
fn circuit_noise(name: &str, p: f64) -> quantum_ec::Result<CircuitNoise> {
    let (head, rest) = name.split_once(',').map_or((name, None), |(head, rest)| (head, Some(rest)));
    let first = head.strip_prefix("circuit:").unwrap_or(head);
    if PRESETS.contains(&first) || rest.is_some() {
        let rest = rest.map_or(String::new(), |rest| format!(",{rest}"));
        return format!("{head}:{p}{rest}").parse();
    }
    if let Some(name) = first.split('+').find(|name| !KNOBS.contains(name)) {
        return Err(Error::UnknownName {
            what: "circuit noise",
            name: name.to_owned(),
            known: format!("{}, or knobs joined by +: {}", PRESETS.join(", "), KNOBS.join(", ")),
        });
    }
    let mut noise = CircuitNoise::default();
    first.split('+').try_for_each(|knob| noise.set(knob, p))?;
    Ok(noise)
}

#[cfg(test)]
mod tests {
    use quantum_ec::Shots;

    use super::*;

    #[test]
    fn circuit_noise_has_presets_and_knobs() {
        let uniform = CircuitNoise::uniform(0.01).unwrap();
        assert_eq!(circuit_noise("circuit:uniform", 0.01).unwrap(), uniform);
        let mut expected = uniform;
        expected.before_round_data_depolarization = 0.0;
        let three = circuit_noise("circuit:uniform,before_round_data_depolarization=0", 0.01).unwrap();
        assert_eq!(three, expected);
        let knobs =
            "circuit:after_clifford_depolarization+before_measure_flip_probability+after_reset_flip_probability";
        let mut by_name = circuit_noise(knobs, 0.01).unwrap();
        by_name.idle_qubits = three.idle_qubits;
        assert_eq!(by_name, three);
        for wrong in
            ["circuit:", "circuit:none", "circuit:uniform:0.1", "circuit:uniform,none=1", "circuit:uniform+si1000"]
        {
            assert!(circuit_noise(wrong, 0.01).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tasks_of_different_noise_have_different_names() {
        let decoder = DecoderChoice::MaximumLikelihood(None);
        let id = |code: &str, noise: &str, d: usize, p: f64, rounds: Option<u64>| {
            let setting = Setting { code, noise, basis_x: false, rounds, decoder };
            Task::new(&setting, d, p).unwrap().id("x", "{}")
        };
        // Metadata and decoder are the same throughout: what differs is the noise.
        let ids = [
            id("rotated-surface", "depolarizing", 3, 0.1, None),
            id("rotated-surface", "depolarizing", 3, 0.1 + 1e-16, None),
            id("rotated-surface", "depolarizing", 5, 0.1, None),
            id("rotated-surface", "biased:0.6", 3, 0.1, None),
            id("rotated-surface", "bit-flip", 3, 0.1, None),
            id("rotated-surface", "phase-flip", 3, 0.1, None),
            id("rotated-surface", "y-only", 3, 0.1, None),
            id("rotated-surface", "erasure", 3, 0.1, None),
            id("rotated-surface", "phenomenological", 3, 0.1, None),
            id("rotated-surface", "phenomenological", 3, 0.1, Some(2)),
            id("rotated-surface", "circuit:uniform", 3, 0.1, Some(2)),
            id("rotated-surface", "circuit:si1000", 3, 0.1, Some(2)),
            id("repetition", "circuit:uniform", 3, 0.1, Some(2)),
            id("repetition", "circuit:uniform,before_round_data_depolarization=0", 3, 0.1, Some(2)),
            id("xzzx", "depolarizing", 3, 0.1, None),
        ];
        for (i, name) in ids.iter().enumerate() {
            assert_eq!(ids.iter().position(|other| other == name), Some(i), "{i}");
        }
    }

    #[test]
    fn points_draw_from_streams_of_their_own_and_decoders_from_the_same() {
        let point = |decoder: DecoderChoice, p: f64| {
            let setting = Setting { code: "toric", noise: "bit-flip", basis_x: false, rounds: None, decoder };
            Task::new(&setting, 4, p).unwrap()
        };
        // The number of defects of a unit, over units: neighbouring rates would rise and fall together if they shared streams.
        let defects = |task: &Task| -> Vec<f64> {
            let unit = |k: u64| {
                let mut detectors = Shots::zeros(Sampler::UNIT, task.source().n_detectors());
                let mut observables = Shots::zeros(Sampler::UNIT, task.source().n_observables());
                task.source().sample_unit(k, &Streams::new(1), detectors.view_mut(), observables.view_mut());
                let ones = |shot: usize| detectors.row(shot).iter().map(|word| word.count_ones()).sum::<u32>();
                f64::from((0..Sampler::UNIT).map(ones).sum::<u32>())
            };
            (0..400).map(unit).collect()
        };
        let matching: DecoderChoice = "matching".parse().unwrap();
        let a = defects(&point(matching, 0.1));
        let b = defects(&point(matching, 0.101));
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let covariance = |x: &[f64], y: &[f64]| {
            let (mx, my) = (mean(x), mean(y));
            x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / x.len() as f64
        };
        let correlation = covariance(&a, &b) / (covariance(&a, &a) * covariance(&b, &b)).sqrt();
        // 400 units: a standard error of 0.05.
        assert!(correlation.abs() < 0.2, "{correlation}");
        assert_eq!(a, defects(&point(DecoderChoice::UnionFind, 0.1)));
    }

    #[test]
    fn erasures_are_known_to_those_who_take_them() {
        for (name, expected) in [
            ("maximum-likelihood", Ok("maximum-likelihood:linear-algebra")),
            ("matching", Ok("matching")),
            ("lookup", Err("erasure does not apply: this decoder has no priors that change from shot to shot")),
        ] {
            let decoder = name.parse().unwrap();
            let setting = Setting { code: "toric", noise: "erasure", basis_x: false, rounds: None, decoder };
            let task = Task::new(&setting, 2, 0.3).unwrap();
            match (task.decoder(decoder), expected) {
                (Ok((_, found, _)), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert_eq!(found.to_string(), expected),
                (found, _) => panic!("{name}: {:?}", found.map(|found| found.1)),
            }
        }
    }
}
