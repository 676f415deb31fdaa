//! Detector error models made at random.

use proptest::prelude::*;
use quantum_ec::dem::{Instruction, Target, merge_equal};
use quantum_ec::{DetectorErrorModel, dem::FlatInstruction};

fn components() -> impl Strategy<Value = Vec<Target>> {
    let target = prop_oneof![(0u64..12).prop_map(Target::Detector), (0u64..3).prop_map(Target::Observable)];
    let piece = prop::collection::vec(target, 1..4);
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.join(&Target::Separator))
}

fn tag() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z\\]\\[\\\\\n\r#λ{} ]{0,6}"]
}

fn coordinates() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![-10.0..10.0, any::<f64>().prop_filter("finite", |x| x.is_finite())], 0..4)
}

fn probability() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), Just(0.5), 0.0..1.0, (0.0..1.0f64).prop_map(|x| x.powi(40)), Just(5e-324)]
}

fn instruction() -> impl Strategy<Value = Instruction> {
    let leaf = prop_oneof![
        4 => (probability(), components(), tag())
            .prop_map(|(probability, targets, tag)| Instruction::Error { probability, targets, tag }),
        1 => (coordinates(), 0u64..12, tag())
            .prop_map(|(coordinates, detector, tag)| Instruction::Detector { coordinates, detector, tag }),
        1 => (0u64..3, tag()).prop_map(|(observable, tag)| Instruction::LogicalObservable { observable, tag }),
        1 => (coordinates(), 0u64..5, tag())
            .prop_map(|(coordinates, detectors, tag)| Instruction::ShiftDetectors { coordinates, detectors, tag }),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        (0u64..4, prop::collection::vec(inner, 0..4), tag()).prop_map(|(count, body, tag)| Instruction::Repeat {
            count,
            body: DetectorErrorModel::from_instructions(body).unwrap(),
            tag,
        })
    })
}

fn model() -> impl Strategy<Value = DetectorErrorModel> {
    prop::collection::vec(instruction(), 0..8).prop_map(|list| DetectorErrorModel::from_instructions(list).unwrap())
}

/// Unrolling by the definition: blocks one after another, recursively.
fn unroll(model: &DetectorErrorModel, shift: &mut u64, out: &mut Vec<(f64, Vec<Target>, u64)>) {
    for instruction in model.instructions() {
        match instruction {
            Instruction::Error { probability, targets, .. } => out.push((*probability, targets.clone(), *shift)),
            Instruction::ShiftDetectors { detectors, .. } => *shift += detectors,
            Instruction::Repeat { count, body, .. } => (0..*count).for_each(|_| unroll(body, shift, out)),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn print_then_read_is_identity(model in model()) {
        let text = model.to_string();
        let again: DetectorErrorModel = text.parse().unwrap();
        prop_assert_eq!(&again, &model);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn unrolling_follows_the_definition(model in model()) {
        let mut expected = Vec::new();
        unroll(&model, &mut 0, &mut expected);
        let flat: Vec<_> = model
            .flat_instructions()
            .filter_map(|instruction| match instruction {
                FlatInstruction::Error { probability, targets, shift, .. } => Some((probability, targets.to_vec(), shift)),
                _ => None,
            })
            .collect();
        prop_assert_eq!(&flat, &expected);
        prop_assert_eq!(model.n_errors(), expected.len() as u64);
        let problem = model.to_problem().unwrap();
        prop_assert_eq!(problem.n_mechanisms(), expected.len());
        // The components of a mechanism add up to its column.
        let mut columns = vec![(Vec::new(), Vec::new()); expected.len()];
        for component in model.to_components().unwrap().list {
            for (column, bits) in [(0, component.detectors), (1, component.observables)] {
                let sum = &mut columns[component.mechanism];
                let sum = if column == 0 { &mut sum.0 } else { &mut sum.1 };
                for bit in bits {
                    match sum.iter().position(|&b| b == bit) {
                        Some(at) => drop(sum.remove(at)),
                        None => sum.push(bit),
                    }
                }
            }
        }
        for (j, (mut detectors, mut observables)) in columns.into_iter().enumerate() {
            detectors.sort_unstable();
            observables.sort_unstable();
            prop_assert_eq!(problem.checks().column(j), &detectors[..]);
            prop_assert_eq!(problem.observables().column(j), &observables[..]);
        }
    }

    #[test]
    fn merging_keeps_the_law(model in model()) {
        // ⟨(-1)^(a·symptom)⟩ = Π (1 - 2p)^(a·column) for every set a of detectors and observables determines the law.
        let problem = model.to_problem().unwrap();
        let (merged, place) = merge_equal(&problem).unwrap();
        prop_assert_eq!(place.len(), problem.n_mechanisms());
        let mean = |problem: &quantum_ec::DecodingProblem, a: u64| -> f64 {
            let odd = |j: usize| {
                let detectors = problem.checks().column(j).iter().map(|&i| a >> (i % 40));
                let observables = problem.observables().column(j).iter().map(|&i| a >> (40 + i));
                detectors.chain(observables).fold(0, |sum, bit| sum ^ bit & 1) == 1
            };
            (0..problem.n_mechanisms()).filter(|&j| odd(j)).map(|j| 1.0 - 2.0 * problem.priors()[j]).product()
        };
        for k in 0..40u64 {
            let a = k.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            prop_assert!((mean(&problem, a) - mean(&merged, a)).abs() < 1e-12);
        }
        for (j, &at) in place.iter().enumerate() {
            prop_assert_eq!(problem.checks().column(j), merged.checks().column(at));
            prop_assert_eq!(problem.observables().column(j), merged.observables().column(at));
        }
        let (again, _) = merge_equal(&merged).unwrap();
        prop_assert_eq!(again, merged);
    }
}
