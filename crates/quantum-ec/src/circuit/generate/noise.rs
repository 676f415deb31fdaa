//! Noise put into a clean circuit.

use std::str::FromStr;

use crate::circuit::gate::{Gate, Kind};
use crate::circuit::model::{Circuit, Instruction, Repeat};
use crate::circuit::operation::Operation;
use crate::circuit::target::Target;
use crate::error::{Error, Result};
use crate::pauli::Pauli;

/// The presets of [`CircuitNoise`], by name.
pub const PRESETS: [&str; 4] = ["uniform", "depolarizing", "si1000", "ion"];

/// The probabilities of [`CircuitNoise`], by name; `after_clifford_depolarization` stands for the first two together.
pub const KNOBS: [&str; 10] = [
    "single_qubit_depolarization",
    "two_qubit_depolarization",
    "after_clifford_depolarization",
    "before_round_data_depolarization",
    "before_measure_flip_probability",
    "record_flip_probability",
    "after_reset_flip_probability",
    "idle_depolarization",
    "idle_measure_depolarization",
    "idle_reset_depolarization",
];

/// The names of [`IdleQubits`], values of the knob `idle_qubits`.
pub const IDLE: [(&str, IdleQubits); 2] = [("data", IdleQubits::Data), ("all", IdleQubits::All)];

/// Which qubits suffer from waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum IdleQubits {
    /// Data: reset at most once and not measured before the last `TICK`.
    Data,
    /// All that the circuit acts on.
    #[default]
    All,
}

/// Probabilities of noise, a channel for each kind of operation.
///
/// Presets of one probability p:
///
/// | | one qubit | two qubits | data, once a round | measurement | reset | idle | idle while others are measured |
/// |---|---|---|---|---|---|---|---|
/// | [`uniform`](Self::uniform) | p | p | p | p | p | | |
/// | [`depolarizing`](Self::depolarizing) | p | p | | p | p | p (data) | p (data) |
/// | [`si1000`](Self::si1000) | p/10 | p | | 5p (record) | 2p | p/10 | 2p + p/10 |
/// | [`ion`](Self::ion) | p/10 | p | | p (record) | p | p/100 | p/100 |
///
/// Moments end at `TICK` and at the ends of blocks. A round begins with the first `TICK` after a measurement, or after a
/// reset unless the operations before it, in a moment of their own, are measurements or resets: a layer of measurements and
/// a layer of resets behind it end one round, not two.
///
/// ```
/// use quantum_ec::Circuit;
/// use quantum_ec::circuit::CircuitNoise;
///
/// let clean: Circuit = "
///     R 0 1
///     TICK
///     H 0
///     TICK
///     CX 0 1
///     TICK
///     M 0 1
/// ".parse()?;
/// let noisy = "circuit:si1000:0.001".parse::<CircuitNoise>()?.apply(&clean)?;
/// assert_eq!(noisy.to_string(), "\
/// R 0 1
/// X_ERROR(0.002) 0 1
/// TICK
/// H 0
/// DEPOLARIZE1(0.0001) 0 1
/// TICK
/// CX 0 1
/// DEPOLARIZE2(0.001) 0 1
/// TICK
/// M(0.005) 0 1
/// ");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CircuitNoise {
    /// `DEPOLARIZE1` after operations on one qubit.
    pub single_qubit_depolarization: f64,
    /// `DEPOLARIZE2` after operations on two qubits.
    pub two_qubit_depolarization: f64,
    /// `DEPOLARIZE1` on data at the beginning of a round.
    pub before_round_data_depolarization: f64,
    /// The flip that a measurement sees, before it.
    pub before_measure_flip_probability: f64,
    /// A wrong record, the argument of a measurement.
    pub record_flip_probability: f64,
    /// The flip that leaves the state, after a reset.
    pub after_reset_flip_probability: f64,
    /// `DEPOLARIZE1` on qubits idle in a moment of unitary operations alone.
    pub idle_depolarization: f64,
    /// `DEPOLARIZE1` on qubits idle in a moment with measurements, whatever else happens in it.
    pub idle_measure_depolarization: f64,
    /// `DEPOLARIZE1` on qubits idle in a moment with resets and no measurement.
    pub idle_reset_depolarization: f64,
    /// Which qubits the last three act on.
    pub idle_qubits: IdleQubits,
}

impl CircuitNoise {
    /// The four knobs of `stim gen`, all of probability p.
    ///
    /// # Errors
    /// [`Error::Parameter`] if p is not in `[0, 1]`.
    pub fn uniform(p: f64) -> Result<Self> {
        Self {
            single_qubit_depolarization: p,
            two_qubit_depolarization: p,
            before_round_data_depolarization: p,
            before_measure_flip_probability: p,
            after_reset_flip_probability: p,
            idle_qubits: IdleQubits::Data,
            ..Self::default()
        }
        .checked()
    }

    /// Every operation with probability p, waiting data included: the noise of the bivariate bicycle papers (Bravyi et
    /// al., Nature 627, 778 (2024)).
    ///
    /// # Errors
    /// As [`uniform`](Self::uniform).
    pub fn depolarizing(p: f64) -> Result<Self> {
        Self {
            before_round_data_depolarization: 0.0,
            idle_depolarization: p,
            idle_measure_depolarization: p,
            ..Self::uniform(p)?
        }
        .checked()
    }

    /// Superconducting-inspired noise with a cycle of 1000 ns (Gidney, Newman, Fowler, Broughton, Quantum 5, 605 (2021),
    /// arXiv:2108.10457).
    ///
    /// There two-qubit operations are CZ; here all others count as one.
    ///
    /// # Errors
    /// [`Error::Parameter`] if p is not in `[0, 1/5]`.
    pub fn si1000(p: f64) -> Result<Self> {
        let both = p / 10.0 + 2.0 * p - 4.0 / 3.0 * (p / 10.0) * (2.0 * p);
        Self {
            single_qubit_depolarization: p / 10.0,
            two_qubit_depolarization: p,
            record_flip_probability: 5.0 * p,
            after_reset_flip_probability: 2.0 * p,
            idle_depolarization: p / 10.0,
            // A moment of waiting and the resonators of others: two depolarizing channels in a row.
            idle_measure_depolarization: both,
            idle_reset_depolarization: both,
            ..Self::default()
        }
        .checked()
    }

    /// Ion-like: two-qubit gates, measurements and resets of probability p, single-qubit gates a tenth, waiting a hundredth.
    ///
    /// The ratios stand for trapped ions in general, not for one machine.
    ///
    /// # Errors
    /// As [`uniform`](Self::uniform).
    pub fn ion(p: f64) -> Result<Self> {
        Self {
            single_qubit_depolarization: p / 10.0,
            two_qubit_depolarization: p,
            record_flip_probability: p,
            after_reset_flip_probability: p,
            idle_depolarization: p / 100.0,
            idle_measure_depolarization: p / 100.0,
            idle_reset_depolarization: p / 100.0,
            ..Self::default()
        }
        .checked()
    }

    /// Sets the probability with a name of [`KNOBS`].
    ///
    /// # Errors
    /// [`Error::UnknownName`], [`Error::Parameter`] if the value is not in `[0, 1]`.
    pub fn set(&mut self, knob: &str, value: f64) -> Result<()> {
        let before = *self;
        match knob {
            "single_qubit_depolarization" => self.single_qubit_depolarization = value,
            "two_qubit_depolarization" => self.two_qubit_depolarization = value,
            "after_clifford_depolarization" => {
                (self.single_qubit_depolarization, self.two_qubit_depolarization) = (value, value);
            }
            "before_round_data_depolarization" => self.before_round_data_depolarization = value,
            "before_measure_flip_probability" => self.before_measure_flip_probability = value,
            "record_flip_probability" => self.record_flip_probability = value,
            "after_reset_flip_probability" => self.after_reset_flip_probability = value,
            "idle_depolarization" => self.idle_depolarization = value,
            "idle_measure_depolarization" => self.idle_measure_depolarization = value,
            "idle_reset_depolarization" => self.idle_reset_depolarization = value,
            _ => {
                let known = KNOBS.join(", ");
                return Err(Error::UnknownName { what: "probability of circuit noise", name: knob.to_owned(), known });
            }
        }
        self.checked().map(|_| ()).inspect_err(|_| *self = before)
    }

    fn checked(self) -> Result<Self> {
        let all = [
            ("single_qubit_depolarization", self.single_qubit_depolarization),
            ("two_qubit_depolarization", self.two_qubit_depolarization),
            ("before_round_data_depolarization", self.before_round_data_depolarization),
            ("before_measure_flip_probability", self.before_measure_flip_probability),
            ("record_flip_probability", self.record_flip_probability),
            ("after_reset_flip_probability", self.after_reset_flip_probability),
            ("idle_depolarization", self.idle_depolarization),
            ("idle_measure_depolarization", self.idle_measure_depolarization),
            ("idle_reset_depolarization", self.idle_reset_depolarization),
        ];
        match all.into_iter().find(|(_, p)| !(0.0..=1.0).contains(p)) {
            None => Ok(self),
            Some((what, p)) => {
                Err(Error::Parameter { what, value: p.to_string(), expected: "a probability from 0 to 1" })
            }
        }
    }

    /// The circuit with this noise; equal instructions in a row are joined. Noise that is there stays.
    ///
    /// Where rounds begin at other places in the first repetitions of a block than in the later ones, as when the block ends
    /// with a measurement and the circuit before it with a gate, those come out by themselves, and what is left as a block.
    ///
    /// Flips are those of another Pauli matrix than the one measured or reset: X for Z and Y, Z for X. Products of one, two
    /// and more factors get the noise of one qubit, of two, and of two on each by itself; measurements of products get the
    /// flip before them in their record. Operations controlled by records or sweep bits are free of noise.
    ///
    /// # Errors
    /// [`Error::Parameter`] for probabilities outside `[0, 1]`; [`Error::TooLarge`] for more than 2²² instructions in
    /// repetitions that come out by themselves, which takes blocks nested deeply.
    pub fn apply(&self, circuit: &Circuit) -> Result<Circuit> {
        self.checked()?;
        let mut qubits = Qubits::new(circuit);
        qubits.scan(circuit, 1, &mut false);
        let data = qubits.list(|q| q.used && q.resets < 2 && !q.early);
        let idle = match self.idle_qubits {
            IdleQubits::Data => data.clone(),
            IdleQubits::All => qubits.list(|q| q.used),
        };
        let touched = vec![false; qubits.list.len()];
        let mut pass = Pass { noise: self, data, idle, touched, rounds: Rounds::default(), unrolled: 0 };
        pass.circuit(circuit)
    }
}

/// `circuit:PRESET:P` with a list of `,knob=value` after it.
impl FromStr for CircuitNoise {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| {
            text.parse::<f64>().map_err(|_| Error::Parameter {
                what: "probability of circuit noise",
                value: format!("{text:?}"),
                expected: "a number from 0 to 1",
            })
        };
        let unknown = |name: &str| Error::UnknownName {
            what: "circuit noise",
            name: name.to_owned(),
            known: format!("circuit:{}:P with any of ,knob=value for {}", PRESETS.join("|"), KNOBS.join(", ")),
        };
        let rest = text.strip_prefix("circuit:").ok_or_else(|| unknown(text))?;
        let mut parts = rest.split(',');
        let (preset, p) = parts.next().and_then(|first| first.split_once(':')).ok_or_else(|| unknown(text))?;
        let p = number(p)?;
        let mut noise = match preset {
            "uniform" => Self::uniform(p),
            "depolarizing" => Self::depolarizing(p),
            "si1000" => Self::si1000(p),
            "ion" => Self::ion(p),
            _ => Err(unknown(text)),
        }?;
        for part in parts {
            match part.split_once('=').ok_or_else(|| unknown(text))? {
                ("idle_qubits", value) => {
                    let found = IDLE.iter().find(|(name, _)| *name == value);
                    noise.idle_qubits = found.ok_or_else(|| unknown(text))?.1;
                }
                (knob, value) => noise.set(knob, number(value)?)?,
            }
        }
        Ok(noise)
    }
}

#[derive(Clone, Copy, Default)]
struct Qubit {
    used: bool,
    /// Measured before the last `TICK`.
    early: bool,
    /// 0, 1, or more.
    resets: u8,
}

struct Qubits {
    list: Vec<Qubit>,
}

impl Qubits {
    fn new(circuit: &Circuit) -> Self {
        Self { list: vec![Qubit::default(); circuit.counts().qubits as usize] }
    }

    /// Goes backwards through `times` repetitions; `later` tells whether a `TICK` follows.
    fn scan(&mut self, circuit: &Circuit, times: u64, later: &mut bool) {
        if times > 1 && circuit.counts().ticks > 0 {
            *later = true;
        }
        for instruction in circuit.instructions().iter().rev() {
            let operation = match instruction {
                Instruction::Operation(operation) => operation,
                Instruction::Repeat(repeat) => {
                    self.scan(&repeat.body, times.saturating_mul(repeat.count), later);
                    continue;
                }
            };
            *later |= operation.gate == Gate::Tick;
            let kind = operation.gate.kind();
            let measured = operation.gate.is_recorded() && kind != Kind::Noise;
            let reset = matches!(kind, Kind::Reset(_) | Kind::MeasureReset(_));
            if matches!(kind, Kind::Annotation | Kind::Pad) {
                continue;
            }
            for number in operation.targets.iter().filter_map(|target| target.qubit_number()) {
                let qubit = &mut self.list[number as usize];
                qubit.used = true;
                qubit.early |= measured && *later;
                if reset {
                    qubit.resets = qubit.resets.saturating_add(times.min(2) as u8);
                }
            }
        }
    }

    fn list(&self, keep: impl Fn(&Qubit) -> bool) -> Vec<u32> {
        (0..).zip(&self.list).filter(|(_, qubit)| keep(qubit)).map(|(number, _)| number).collect()
    }
}

struct Pass<'a> {
    noise: &'a CircuitNoise,
    data: Vec<u32>,
    idle: Vec<u32>,
    touched: Vec<bool>,
    rounds: Rounds,
    /// Instructions of the repetitions that were taken out of blocks.
    unrolled: usize,
}

/// Where the pass is between two rounds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Rounds {
    /// A round begins with the next `TICK`.
    next: bool,
    /// The last moment with operations has measurements or resets.
    between: bool,
}

/// Most instructions of repetitions that are taken out of blocks.
const MAX_UNROLLED: usize = 1 << 22;

/// What a moment holds.
#[derive(Default)]
struct Contents {
    measured: bool,
    reset: bool,
}

impl Pass<'_> {
    fn circuit(&mut self, clean: &Circuit) -> Result<Circuit> {
        let mut noisy = Circuit::new();
        let mut moment: Vec<&Operation> = Vec::new();
        for instruction in clean.instructions() {
            match instruction {
                Instruction::Operation(operation) if operation.gate == Gate::Tick => {
                    self.moment(&std::mem::take(&mut moment), &mut noisy)?;
                    noisy.append(operation.clone())?;
                    if std::mem::take(&mut self.rounds.next) {
                        let p = self.noise.before_round_data_depolarization;
                        channel(&mut noisy, Gate::Depolarize1, p, self.data.iter().copied())?;
                    }
                }
                Instruction::Operation(operation) => moment.push(operation),
                Instruction::Repeat(repeat) => {
                    self.moment(&std::mem::take(&mut moment), &mut noisy)?;
                    self.repeat(repeat, &mut noisy)?;
                }
            }
        }
        self.moment(&moment, &mut noisy)?;
        Ok(noisy)
    }

    /// A block. Repetitions that are entered in another state than they are left in come out by themselves: two or three,
    /// since what a repetition ends with depends little on what it begins with.
    fn repeat(&mut self, repeat: &Repeat, noisy: &mut Circuit) -> Result<()> {
        let noise_of_rounds = self.noise.before_round_data_depolarization > 0.0 && !self.data.is_empty();
        let mut left = repeat.count;
        loop {
            let before = self.rounds;
            let body = self.circuit(&repeat.body)?;
            if left <= 1 || before == self.rounds || !noise_of_rounds {
                return noisy.push_repeat(Repeat { count: left, tag: repeat.tag.clone(), body });
            }
            left -= 1;
            self.unrolled += n_instructions(&body);
            if self.unrolled > MAX_UNROLLED {
                let (what, value) = ("number of instructions out of blocks", self.unrolled);
                return Err(Error::TooLarge { method: "circuit noise", what, value, bound: MAX_UNROLLED });
            }
            for instruction in body.instructions() {
                match instruction {
                    Instruction::Operation(operation) => noisy.append(operation.clone())?,
                    Instruction::Repeat(repeat) => noisy.push_repeat(repeat.clone())?,
                }
            }
        }
    }

    /// What happens at one time.
    fn moment(&mut self, operations: &[&Operation], noisy: &mut Circuit) -> Result<()> {
        let mut contents = Contents::default();
        let physical =
            |operation: &&Operation| !matches!(operation.gate.kind(), Kind::Annotation | Kind::Pad | Kind::Noise);
        let last = operations.iter().rposition(physical);
        for (at, operation) in operations.iter().enumerate() {
            self.operation(operation, &mut contents, noisy)?;
            if Some(at) == last {
                self.waiting(&contents, noisy)?;
            }
        }
        self.touched.fill(false);
        self.rounds.next |= contents.measured || contents.reset && !self.rounds.between;
        if last.is_some() {
            self.rounds.between = contents.measured || contents.reset;
        }
        Ok(())
    }

    fn waiting(&self, contents: &Contents, noisy: &mut Circuit) -> Result<()> {
        let noise = self.noise;
        let p = if contents.measured {
            noise.idle_measure_depolarization
        } else if contents.reset {
            noise.idle_reset_depolarization
        } else {
            noise.idle_depolarization
        };
        let waiting = self.idle.iter().copied().filter(|&qubit| !self.touched[qubit as usize]);
        channel(noisy, Gate::Depolarize1, p, waiting)
    }

    fn operation(&mut self, operation: &Operation, contents: &mut Contents, noisy: &mut Circuit) -> Result<()> {
        let noise = self.noise;
        let kind = operation.gate.kind();
        if matches!(kind, Kind::Annotation | Kind::Pad | Kind::Noise) {
            return noisy.append(operation.clone());
        }
        for qubit in operation.targets.iter().filter_map(|target| target.qubit_number()) {
            self.touched[qubit as usize] = true;
        }
        let qubits = || operation.targets.iter().filter_map(|target| target.qubit_number());
        match kind {
            Kind::Unitary(clifford) => {
                noisy.append(operation.clone())?;
                if clifford.n_qubits() == 1 {
                    return channel(noisy, Gate::Depolarize1, noise.single_qubit_depolarization, qubits());
                }
                let both = |(a, b): (Target, Target)| Some([a.qubit_number()?, b.qubit_number()?]);
                let pairs = operation.pairs().filter_map(both).flatten();
                channel(noisy, Gate::Depolarize2, noise.two_qubit_depolarization, pairs)
            }
            Kind::RotateProduct => {
                noisy.append(operation.clone())?;
                for product in operation.products() {
                    let (gate, p) = match product.factors.len() {
                        1 => (Gate::Depolarize1, noise.single_qubit_depolarization),
                        2 => (Gate::Depolarize2, noise.two_qubit_depolarization),
                        _ => (Gate::Depolarize1, noise.two_qubit_depolarization),
                    };
                    channel(noisy, gate, p, product.factors.iter().map(|&(qubit, _)| qubit))?;
                }
                Ok(())
            }
            Kind::Reset(basis) => {
                contents.reset = true;
                noisy.append(operation.clone())?;
                channel(noisy, flip(basis), noise.after_reset_flip_probability, qubits())
            }
            Kind::Measure(basis) | Kind::MeasureReset(basis) => {
                contents.measured = true;
                channel(noisy, flip(basis), noise.before_measure_flip_probability, qubits())?;
                noisy.append(with_flip(operation, noise.record_flip_probability))?;
                match kind {
                    Kind::MeasureReset(_) => channel(noisy, flip(basis), noise.after_reset_flip_probability, qubits()),
                    _ => Ok(()),
                }
            }
            Kind::MeasurePair(_) | Kind::MeasureProduct => {
                contents.measured = true;
                let p = either(noise.before_measure_flip_probability, noise.record_flip_probability);
                noisy.append(with_flip(operation, p))
            }
            Kind::Annotation | Kind::Pad | Kind::Noise => unreachable!("these have no noise"),
        }
    }
}

/// Instructions as they are written, blocks and what is in them.
fn n_instructions(circuit: &Circuit) -> usize {
    let instructions = circuit.instructions().iter().map(|instruction| match instruction {
        Instruction::Operation(_) => 1,
        Instruction::Repeat(repeat) => 1 + n_instructions(&repeat.body),
    });
    instructions.sum()
}

/// The flip that is seen by a measurement in a basis.
fn flip(basis: Pauli) -> Gate {
    if basis == Pauli::X { Gate::ZError } else { Gate::XError }
}

/// The probability that exactly one of two happens.
fn either(p: f64, q: f64) -> f64 {
    p * (1.0 - q) + q * (1.0 - p)
}

fn with_flip(operation: &Operation, p: f64) -> Operation {
    let mut operation = operation.clone();
    if p > 0.0 {
        operation.arguments = vec![either(operation.flip_probability(), p)];
    }
    operation
}

fn channel(noisy: &mut Circuit, gate: Gate, p: f64, qubits: impl Iterator<Item = u32>) -> Result<()> {
    if p > 0.0 {
        let operation = Operation::on_qubits(gate, vec![p], qubits);
        if !operation.targets.is_empty() {
            noisy.append(operation)?;
        }
    }
    Ok(())
}
