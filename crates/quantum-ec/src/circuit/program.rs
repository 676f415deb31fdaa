//! A circuit made ready for Pauli frames: qubits numbered without gaps, records as distances, lookups done.

use super::gate::{Gate, Kind};
use super::model::{Circuit, Instruction};
use super::operation::Operation;
use super::target::Target;
use crate::error::{Error, Result};
use crate::pauli::Pauli;

/// Most operations of a circuit that is run through, blocks unrolled.
const MAX_OPERATIONS: u64 = 1 << 36;
/// Most records of which the frames keep the last.
const MAX_WINDOW: u64 = 1 << 20;

/// What flips a row: pairs of (qubit, matrix).
pub(super) type Factors = Vec<(u32, Pauli)>;

/// Independent trials of one probability.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trials {
    /// `-ln(1 - p)`: a Poisson process of rate 1 has an event in this time with probability p.
    pub time: f64,
    /// Trials a unit of time.
    pub scale: f64,
}

impl Trials {
    fn new(p: f64) -> Self {
        // Smaller ones never happen; their inverse would overflow.
        let time = if p < 1e-300 { 0.0 } else { -libm::log1p(-p) };
        Self { time, scale: time.recip() }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Exchange of X and Z.
    Hadamard(Vec<u32>),
    /// X changes to Y and back.
    Phase(Vec<u32>),
    /// Any operation on one qubit: masks of what X, Z become.
    One {
        qubits: Vec<u32>,
        images: [u8; 2],
    },
    Cx(Vec<[u32; 2]>),
    Cz(Vec<[u32; 2]>),
    /// Any operation on two qubits: masks of what X0, Z0, X1, Z1 become, in these bits.
    Two {
        pairs: Vec<[u32; 2]>,
        images: [u8; 4],
    },
    /// A square root of a product.
    Rotate(Factors),
    /// A flip where a record is flipped.
    Feedback {
        back: u32,
        qubit: u32,
        pauli: Pauli,
    },
    Reset {
        basis: Pauli,
        qubits: Vec<u32>,
    },
    Measure {
        basis: Pauli,
        reset: bool,
        qubits: Vec<u32>,
    },
    MeasureProducts(Vec<Factors>),
    /// Records that are never flipped by frames.
    Records(u32),
    /// The last records are final.
    Emit(u32),
    /// Wrong records among the last ones.
    RecordFlips {
        count: u32,
        trials: Trials,
    },
    Flips {
        pauli: Pauli,
        qubits: Vec<u32>,
        trials: Trials,
    },
    Depolarize1 {
        qubits: Vec<u32>,
        trials: Trials,
    },
    Depolarize2 {
        pairs: Vec<[u32; 2]>,
        trials: Trials,
    },
    /// Cases with their upper ends in units of the sum, the four bits of the two matrices each.
    Channel1 {
        qubits: Vec<u32>,
        trials: Trials,
        cases: Vec<(f64, Pauli)>,
    },
    Channel2 {
        pairs: Vec<[u32; 2]>,
        trials: Trials,
        cases: Vec<(f64, [Pauli; 2])>,
    },
    Correlated {
        factors: Factors,
        trials: Trials,
        first: bool,
    },
    Heralded {
        qubits: Vec<u32>,
        trials: Trials,
        cases: Vec<(f64, Pauli)>,
    },
    Detector(Vec<u32>),
    /// Records and matrices that add to an observable.
    Observable {
        number: usize,
        records: Vec<u32>,
        factors: Factors,
    },
    Repeat {
        count: u64,
        body: Vec<Step>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub steps: Vec<Step>,
    pub n_qubits: usize,
    pub n_measurements: u64,
    pub n_detectors: u64,
    pub n_observables: u64,
    /// Records of heralds.
    pub n_heralds: u64,
    /// Records that must be kept, a power of two.
    pub window: usize,
}

struct Compiler {
    /// Numbers without gaps.
    numbers: Vec<u32>,
    next: u32,
    window: u64,
}

impl Program {
    pub fn new(circuit: &Circuit) -> Result<Self> {
        circuit.check_records()?;
        let counts = circuit.counts();
        let bound = |what, value: u64, bound: u64| {
            if value <= bound {
                return Ok(());
            }
            let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
            Err(Error::TooLarge { method: "sampling a circuit", what, value: size(value), bound: size(bound) })
        };
        bound("number of operations", counts.operations, MAX_OPERATIONS)?;
        let mut compiler = Compiler { numbers: vec![u32::MAX; counts.qubits as usize], next: 0, window: 1 };
        let (mut steps, mut heralds) = (Vec::new(), 0);
        compiler.circuit(circuit, &mut steps, &mut heralds)?;
        bound("records looked back", compiler.window, MAX_WINDOW)?;
        Ok(Self {
            steps,
            n_qubits: compiler.next as usize,
            n_measurements: counts.measurements,
            n_detectors: counts.detectors,
            n_observables: counts.observables,
            n_heralds: heralds,
            window: compiler.window.next_power_of_two() as usize,
        })
    }
}

impl Compiler {
    fn circuit(&mut self, circuit: &Circuit, steps: &mut Vec<Step>, heralds: &mut u64) -> Result<()> {
        for instruction in circuit.instructions() {
            match instruction {
                Instruction::Operation(operation) => {
                    if matches!(operation.gate, Gate::HeraldedErase | Gate::HeraldedPauliChannel1) {
                        *heralds = heralds.saturating_add(operation.targets.len() as u64);
                    }
                    self.window = self.window.max(operation.reach()).max(operation.n_records() as u64);
                    self.operation(operation, steps);
                }
                Instruction::Repeat(repeat) => {
                    let (mut body, mut inside) = (Vec::new(), 0u64);
                    self.circuit(&repeat.body, &mut body, &mut inside)?;
                    *heralds = heralds.saturating_add(inside.saturating_mul(repeat.count));
                    if !body.is_empty() {
                        steps.push(Step::Repeat { count: repeat.count, body });
                    }
                }
            }
        }
        Ok(())
    }

    fn number(&mut self, qubit: u32) -> u32 {
        let number = &mut self.numbers[qubit as usize];
        if *number == u32::MAX {
            *number = self.next;
            self.next += 1;
        }
        *number
    }

    fn qubits(&mut self, targets: &[Target]) -> Vec<u32> {
        targets.iter().filter_map(|target| target.qubit_number()).map(|qubit| self.number(qubit)).collect()
    }

    fn pairs(&mut self, operation: &Operation) -> Vec<[u32; 2]> {
        let both = |(a, b): (Target, Target)| Some([a.qubit_number()?, b.qubit_number()?]);
        operation.pairs().filter_map(both).map(|pair| pair.map(|qubit| self.number(qubit))).collect()
    }

    fn factors(&mut self, factors: &[(u32, Pauli)]) -> Factors {
        factors.iter().map(|&(qubit, pauli)| (self.number(qubit), pauli)).collect()
    }

    fn operation(&mut self, operation: &Operation, steps: &mut Vec<Step>) {
        let count = operation.n_records() as u32;
        match operation.gate.kind() {
            Kind::Unitary(clifford) => self.unitary(operation, clifford.images(), steps),
            Kind::RotateProduct => {
                for product in operation.products() {
                    steps.push(Step::Rotate(self.factors(&product.factors)));
                }
            }
            Kind::Reset(basis) => steps.push(Step::Reset { basis, qubits: self.qubits(&operation.targets) }),
            Kind::Measure(basis) => {
                steps.push(Step::Measure { basis, reset: false, qubits: self.qubits(&operation.targets) });
            }
            Kind::MeasureReset(basis) => {
                steps.push(Step::Measure { basis, reset: true, qubits: self.qubits(&operation.targets) });
            }
            Kind::MeasurePair(basis) => {
                let pairs = self.pairs(operation);
                steps.push(Step::MeasureProducts(pairs.iter().map(|pair| pair.map(|q| (q, basis)).to_vec()).collect()));
            }
            Kind::MeasureProduct => {
                let products = operation.products();
                steps.push(Step::MeasureProducts(products.iter().map(|p| self.factors(&p.factors)).collect()));
            }
            Kind::Pad => steps.push(Step::Records(operation.targets.len() as u32)),
            Kind::Noise => return self.noise(operation, steps),
            Kind::Annotation => return self.annotation(operation, steps),
        }
        if count > 0 {
            if operation.flip_probability() > 0.0 {
                steps.push(Step::RecordFlips { count, trials: Trials::new(operation.flip_probability()) });
            }
            steps.push(Step::Emit(count));
        }
    }

    fn unitary(&mut self, operation: &Operation, images: &[super::clifford::SignedPair], steps: &mut Vec<Step>) {
        let mask = |pauli: Pauli, shift: u32| {
            let (x, z) = pauli.bits();
            (u8::from(x) | u8::from(z) << 1) << shift
        };
        if images.len() == 2 {
            let images = [0, 1].map(|k| mask(images[k].paulis[0], 0));
            if images == [1, 2] {
                // Pauli matrices leave frames alone.
                return;
            }
            let qubits = self.qubits(&operation.targets);
            steps.push(match images {
                [2, 1] => Step::Hadamard(qubits),
                [3, 2] => Step::Phase(qubits),
                _ => Step::One { qubits, images },
            });
            return;
        }
        let images = [0, 1, 2, 3].map(|k| mask(images[k].paulis[0], 0) | mask(images[k].paulis[1], 2));
        // Feedback and operations on qubits in their order.
        let mut start = 0;
        let classical = |pair: &[Target]| pair.iter().any(|target| target.is_classical());
        let all: Vec<&[Target]> = operation.targets.chunks_exact(2).collect();
        while start < all.len() {
            if classical(all[start]) {
                for (control, target) in [(all[start][0], all[start][1]), (all[start][1], all[start][0])] {
                    if let (Target::Record(back), Some(qubit)) = (control, target.qubit_number()) {
                        let (qubit, pauli) = (self.number(qubit), controlled_pauli(operation.gate));
                        steps.push(Step::Feedback { back, qubit, pauli });
                    }
                }
                start += 1;
                continue;
            }
            let end = all[start..].iter().position(|pair| classical(pair)).map_or(all.len(), |n| start + n);
            let pairs: Vec<[u32; 2]> = all[start..end]
                .iter()
                .map(|pair| [self.number(number(pair[0])), self.number(number(pair[1]))])
                .collect();
            steps.push(match operation.gate {
                Gate::Ii => return,
                Gate::Cx => Step::Cx(pairs),
                Gate::Xcz => Step::Cx(pairs.into_iter().map(|[a, b]| [b, a]).collect()),
                Gate::Cz => Step::Cz(pairs),
                _ => Step::Two { pairs, images },
            });
            start = end;
        }
    }

    fn noise(&mut self, operation: &Operation, steps: &mut Vec<Step>) {
        let trials = Trials::new(operation.flip_probability());
        let sum: f64 = operation.arguments.iter().sum::<f64>().min(1.0);
        let qubits = |this: &mut Self| this.qubits(&operation.targets);
        let paulis = [Pauli::I, Pauli::X, Pauli::Y, Pauli::Z];
        let step = match operation.gate {
            Gate::XError => Step::Flips { pauli: Pauli::X, qubits: qubits(self), trials },
            Gate::YError => Step::Flips { pauli: Pauli::Y, qubits: qubits(self), trials },
            Gate::ZError => Step::Flips { pauli: Pauli::Z, qubits: qubits(self), trials },
            Gate::Depolarize1 => Step::Depolarize1 { qubits: qubits(self), trials },
            Gate::Depolarize2 => Step::Depolarize2 { pairs: self.pairs(operation), trials },
            Gate::PauliChannel1 => {
                let cases = cases(&operation.arguments, sum, |k| paulis[k + 1]);
                Step::Channel1 { qubits: qubits(self), trials: Trials::new(sum), cases }
            }
            Gate::PauliChannel2 => {
                let cases = cases(&operation.arguments, sum, |k| [paulis[(k + 1) / 4], paulis[(k + 1) % 4]]);
                Step::Channel2 { pairs: self.pairs(operation), trials: Trials::new(sum), cases }
            }
            Gate::CorrelatedError | Gate::ElseCorrelatedError => {
                let factors = operation.products().first().map_or(vec![], |product| self.factors(&product.factors));
                Step::Correlated { factors, trials, first: operation.gate == Gate::CorrelatedError }
            }
            Gate::HeraldedErase => {
                let cases = cases(&[0.25; 4], 1.0, |k| paulis[k]);
                Step::Heralded { qubits: qubits(self), trials, cases }
            }
            Gate::HeraldedPauliChannel1 => {
                let cases = cases(&operation.arguments, sum, |k| paulis[k]);
                Step::Heralded { qubits: qubits(self), trials: Trials::new(sum), cases }
            }
            // I_ERROR and II_ERROR.
            _ => return,
        };
        steps.push(step);
        if operation.gate.is_recorded() {
            steps.push(Step::Emit(operation.n_records() as u32));
        }
    }

    fn annotation(&mut self, operation: &Operation, steps: &mut Vec<Step>) {
        let records = || {
            let back = |target: &Target| if let Target::Record(back) = target { Some(*back) } else { None };
            operation.targets.iter().filter_map(back).collect()
        };
        match (operation.gate, operation.observable()) {
            (Gate::Detector, _) => steps.push(Step::Detector(records())),
            (_, Some(number)) => {
                let factors: Vec<(u32, Pauli)> = operation
                    .targets
                    .iter()
                    .filter_map(|target| match target {
                        Target::Pauli { pauli, qubit, .. } => Some((*qubit, *pauli)),
                        _ => None,
                    })
                    .collect();
                let factors = self.factors(&factors);
                steps.push(Step::Observable { number: number as usize, records: records(), factors });
            }
            _ => {}
        }
    }
}

/// What a controlled operation does to its quantum target.
pub(super) fn controlled_pauli(gate: Gate) -> Pauli {
    match gate {
        Gate::Cx | Gate::Xcz => Pauli::X,
        Gate::Cy | Gate::Ycz => Pauli::Y,
        _ => Pauli::Z,
    }
}

fn number(target: Target) -> u32 {
    target.qubit_number().expect("a qubit, since classical pairs are apart")
}

/// Upper ends of the cases in `[0, 1]`; the last one is open.
fn cases<T>(probabilities: &[f64], sum: f64, case: impl Fn(usize) -> T) -> Vec<(f64, T)> {
    let mut end = 0.0;
    let mut list = Vec::new();
    for (k, &p) in probabilities.iter().enumerate() {
        if p > 0.0 {
            end += p / sum;
            list.push((end, case(k)));
        }
    }
    if let Some(last) = list.last_mut() {
        last.0 = f64::INFINITY;
    }
    list
}
