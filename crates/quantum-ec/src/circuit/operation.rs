//! One instruction with its arguments and targets, and what is allowed in it.

use std::ops::RangeInclusive;

use super::clifford::times;
use super::gate::{Gate, Kind};
use super::target::{TARGET_BOUND, Target};
use crate::pauli::Pauli;

/// One past the largest observable number: 2³².
pub const OBSERVABLE_BOUND: u64 = 1 << 32;
/// Sums of disjoint probabilities may exceed 1 by rounded digits.
const SUM_BOUND: f64 = 1.0 + 1e-7;

/// A line of a circuit that is no block: `GATE[tag](arguments) targets`.
///
/// ```
/// use quantum_ec::circuit::{Circuit, Gate, Operation, Target};
///
/// let mut circuit = Circuit::new();
/// circuit.push_operation(Operation::on_qubits(Gate::Depolarize1, vec![0.01], [0, 5]))?;
/// assert_eq!(circuit.to_string(), "DEPOLARIZE1(0.01) 0 5\n");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What is done.
    pub gate: Gate,
    /// Free text in square brackets; empty if there is none.
    pub tag: String,
    /// Probabilities, coordinates or the number of an observable.
    pub arguments: Vec<f64>,
    /// On what.
    pub targets: Vec<Target>,
}

/// A product of Pauli matrices: the factors on different qubits and the sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Whether the record is that of minus the product.
    pub negative: bool,
    /// Qubits, ascending, with matrices that are not the identity.
    pub factors: Vec<(u32, Pauli)>,
}

/// What is wrong with an operation, and where in it.
#[derive(Debug)]
pub(super) struct Fault {
    pub place: Place,
    pub found: String,
    pub expected: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Arguments,
    Argument(usize),
    Target(usize),
    /// After the last target.
    End,
}

/// What stands after a gate.
enum Form {
    Nothing,
    Qubits,
    Invertible,
    Bits,
    Products,
    Paulis,
    Records,
    RecordsOrPaulis,
}

impl Operation {
    /// An operation without a tag.
    pub fn new(gate: Gate, arguments: Vec<f64>, targets: Vec<Target>) -> Self {
        Self { gate, tag: String::new(), arguments, targets }
    }

    /// An operation on qubits, without a tag.
    pub fn on_qubits(gate: Gate, arguments: Vec<f64>, qubits: impl IntoIterator<Item = u32>) -> Self {
        Self::new(gate, arguments, qubits.into_iter().map(Target::qubit).collect())
    }

    /// The targets two by two, for a gate on pairs.
    ///
    /// # Panics
    /// If the number of targets is odd.
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = (Target, Target)> + '_ {
        assert!(self.targets.len().is_multiple_of(2), "{} targets for pairs", self.targets.len());
        self.targets.chunks_exact(2).map(|pair| (pair[0], pair[1]))
    }

    /// The targets cut where no `*` stands between two of them: the products of `MPP` and `SPP`.
    pub fn groups(&self) -> impl Iterator<Item = &[Target]> {
        let mut rest = &self.targets[..];
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let mut end = 1;
            while rest.get(end) == Some(&Target::Combiner) {
                end += 2;
            }
            let (group, tail) = rest.split_at(end.min(rest.len()));
            rest = tail;
            Some(group)
        })
    }

    /// Products of Pauli matrices: those of `MPP` and `SPP`, or for a correlated error the one of all targets.
    ///
    /// Factors on the same qubit are multiplied; what is left of them is real, since `push` refuses others.
    pub fn products(&self) -> Vec<Product> {
        match self.gate {
            Gate::CorrelatedError | Gate::ElseCorrelatedError => vec![multiply(&self.targets).0],
            _ => self.groups().map(|group| multiply(group).0).collect(),
        }
    }

    /// Records that it adds.
    pub fn n_records(&self) -> usize {
        match self.gate.kind() {
            _ if !self.gate.is_recorded() => 0,
            Kind::MeasurePair(_) => self.targets.len() / 2,
            Kind::MeasureProduct => self.groups().count(),
            _ => self.targets.len(),
        }
    }

    /// The probability of a wrong record, 0 if none is given; for measurements.
    pub fn flip_probability(&self) -> f64 {
        self.arguments.first().copied().unwrap_or(0.0)
    }

    /// The number of the observable, for `OBSERVABLE_INCLUDE`.
    pub fn observable(&self) -> Option<u64> {
        // A whole number below 2³², as `push` checks.
        (self.gate == Gate::ObservableInclude).then(|| self.arguments[0] as u64)
    }

    /// How far back its records reach.
    pub(super) fn reach(&self) -> u64 {
        let back = |target: &Target| if let Target::Record(back) = target { u64::from(*back) } else { 0 };
        self.targets.iter().map(back).max().unwrap_or(0)
    }

    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.check_arguments()?;
        self.check_targets()
    }

    fn check_arguments(&self) -> Result<(), Fault> {
        let fault = |place, found: String, expected: String| Err(Fault { place, found, expected });
        let (counts, is_probability) = arguments(self.gate);
        if !counts.contains(&self.arguments.len()) {
            let expected = match (*counts.start(), *counts.end()) {
                (0, 0) => "no argument".to_owned(),
                (0, 1) => "at most one argument".to_owned(),
                (1, 1) => "one argument".to_owned(),
                (n, _) => format!("{n} arguments"),
            };
            let found =
                format!("{} argument{}", self.arguments.len(), if self.arguments.len() == 1 { "" } else { "s" });
            return fault(Place::Arguments, found, format!("{expected} of {}", self.gate));
        }
        for (k, &x) in self.arguments.iter().enumerate() {
            if is_probability && !(0.0..=1.0).contains(&x) {
                return fault(Place::Argument(k), x.to_string(), "a probability from 0 to 1".to_owned());
            }
            if !x.is_finite() {
                return fault(Place::Argument(k), x.to_string(), "a finite number".to_owned());
            }
        }
        let sum: f64 = self.arguments.iter().sum();
        if is_probability && sum > SUM_BOUND {
            let expected = "probabilities of disjoint cases that add up to 1 at most".to_owned();
            return fault(Place::Arguments, format!("the sum {sum}"), expected);
        }
        if self.gate == Gate::ObservableInclude {
            let x = self.arguments[0];
            if x < 0.0 || x.fract() > 0.0 || x >= OBSERVABLE_BOUND as f64 {
                let expected = format!("a whole number from 0, below {OBSERVABLE_BOUND}");
                return fault(Place::Argument(0), x.to_string(), expected);
            }
        }
        Ok(())
    }

    fn check_targets(&self) -> Result<(), Fault> {
        let form = form(self.gate);
        for (k, &target) in self.targets.iter().enumerate() {
            check_bound(k, target)?;
            if let Some(expected) = self.refusal(&form, k, target) {
                return Err(Fault { place: Place::Target(k), found: format!("\"{target}\""), expected });
            }
        }
        if self.gate.takes_pairs() {
            if !self.targets.len().is_multiple_of(2) {
                let found = format!("{} targets", self.targets.len());
                let expected = format!("another one: {} takes pairs", self.gate);
                return Err(Fault { place: Place::End, found, expected });
            }
            for (k, (a, b)) in self.pairs().enumerate() {
                let same = match (a.qubit_number(), b.qubit_number()) {
                    (Some(a), Some(b)) => a == b,
                    _ => a == b,
                };
                if same {
                    let (found, expected) =
                        (format!("\"{b}\""), format!("another target than \"{a}\" of the same pair"));
                    return Err(Fault { place: Place::Target(2 * k + 1), found, expected });
                }
            }
        }
        if matches!(form, Form::Products) {
            let mut at = 0;
            for group in self.groups() {
                if !multiply(group).1 {
                    let expected = "a product that is Hermitian: factors on one qubit have to commute".to_owned();
                    let found = group.iter().map(ToString::to_string).collect::<String>();
                    return Err(Fault { place: Place::Target(at), found: format!("\"{found}\""), expected });
                }
                at += group.len();
            }
        }
        Ok(())
    }

    /// Why target `k` cannot stand here.
    fn refusal(&self, form: &Form, k: usize, target: Target) -> Option<String> {
        let gate = self.gate;
        let neighbour = |k: Option<usize>| matches!(k.and_then(|k| self.targets.get(k)), Some(Target::Pauli { .. }));
        let (good, expected) = match form {
            Form::Nothing => (false, "no target"),
            Form::Qubits => {
                let side = gate.classical_sides();
                let classical = target.is_classical() && if k.is_multiple_of(2) { side.0 } else { side.1 };
                let expected = match side {
                    (false, false) => "a qubit",
                    (true, true) => "a qubit, rec[-k] or sweep[k]",
                    (true, false) if k.is_multiple_of(2) => "a qubit, rec[-k] or sweep[k]",
                    (false, true) if !k.is_multiple_of(2) => "a qubit, rec[-k] or sweep[k]",
                    (true, false) => "a qubit as the second of a pair",
                    (false, true) => "a qubit as the first of a pair",
                };
                (classical || matches!(target, Target::Qubit { inverted: false, .. }), expected)
            }
            Form::Invertible => (matches!(target, Target::Qubit { .. }), "a qubit or an inverted one"),
            Form::Bits => (matches!(target, Target::Qubit { qubit: 0 | 1, inverted: false }), "0 or 1"),
            Form::Products | Form::Paulis if target == Target::Combiner => {
                (neighbour(k.checked_sub(1)) && neighbour(Some(k + 1)), "\"*\" only between two Pauli targets")
            }
            Form::Products | Form::Paulis => (matches!(target, Target::Pauli { .. }), "a Pauli target such as X5"),
            Form::Records => (matches!(target, Target::Record(_)), "a record rec[-k]"),
            Form::RecordsOrPaulis => (
                matches!(target, Target::Record(_) | Target::Pauli { .. }),
                "a record rec[-k] or a Pauli target such as X5",
            ),
        };
        (!good).then(|| format!("{expected} for {gate}"))
    }
}

/// Numbers in range, and no identity among the Pauli matrices.
fn check_bound(k: usize, target: Target) -> Result<(), Fault> {
    let (number, least) = match target {
        Target::Qubit { qubit, .. } | Target::Pauli { qubit, .. } => (qubit, 0),
        Target::Record(back) => (back, 1),
        Target::Sweep(bit) => (bit, 0),
        Target::Combiner => return Ok(()),
    };
    let expected = match target {
        Target::Pauli { pauli: Pauli::I, .. } => "X, Y or Z".to_owned(),
        _ if (least..TARGET_BOUND).contains(&number) => return Ok(()),
        _ => format!("a number from {least}, below {TARGET_BOUND}"),
    };
    Err(Fault { place: Place::Target(k), found: format!("\"{target}\""), expected })
}

/// How many arguments, and whether they are disjoint probabilities.
fn arguments(gate: Gate) -> (RangeInclusive<usize>, bool) {
    match gate {
        Gate::PauliChannel1 => (3..=3, true),
        Gate::PauliChannel2 => (15..=15, true),
        Gate::HeraldedPauliChannel1 => (4..=4, true),
        Gate::IError | Gate::IiError => (0..=usize::MAX, true),
        Gate::Detector | Gate::QubitCoords | Gate::ShiftCoords => (0..=usize::MAX, false),
        Gate::ObservableInclude => (1..=1, false),
        _ => match gate.kind() {
            Kind::Noise => (1..=1, true),
            _ if gate.is_recorded() => (0..=1, true),
            _ => (0..=0, false),
        },
    }
}

fn form(gate: Gate) -> Form {
    match gate {
        Gate::CorrelatedError | Gate::ElseCorrelatedError => Form::Paulis,
        Gate::Detector => Form::Records,
        Gate::ObservableInclude => Form::RecordsOrPaulis,
        Gate::Tick | Gate::ShiftCoords => Form::Nothing,
        _ => match gate.kind() {
            Kind::Measure(_) | Kind::MeasureReset(_) | Kind::MeasurePair(_) => Form::Invertible,
            Kind::MeasureProduct | Kind::RotateProduct => Form::Products,
            Kind::Pad => Form::Bits,
            Kind::Unitary(_) | Kind::Reset(_) | Kind::Noise | Kind::Annotation => Form::Qubits,
        },
    }
}

/// The product of all Pauli targets, and whether it is Hermitian.
fn multiply(targets: &[Target]) -> (Product, bool) {
    let mut factors: Vec<(u32, Pauli)> = Vec::with_capacity(targets.len().div_ceil(2));
    let (mut negative, mut phase) = (false, 0);
    for &target in targets {
        let Target::Pauli { pauli, qubit, inverted } = target else { continue };
        negative ^= inverted;
        factors.push((qubit, pauli));
    }
    // Stable: factors on one qubit keep their order.
    factors.sort_by_key(|&(qubit, _)| qubit);
    factors.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            let (product, power) = times(earlier.1, later.1);
            (earlier.1, phase) = (product, (phase + power) % 4);
        }
        same
    });
    factors.retain(|&(_, pauli)| pauli != Pauli::I);
    (Product { negative: negative ^ (phase == 2), factors }, phase.is_multiple_of(2))
}
