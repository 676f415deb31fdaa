//! Pauli frames of many shots, a bit a shot.

use linalg_core::rand::Rng;
use linalg_core::rng::Xoshiro256PlusPlus;

use super::program::{Program, Step, Trials};
use crate::dem::ziggurat::Ziggurat;
use crate::pauli::Pauli;

/// Shots of a unit.
pub(super) const SHOTS: usize = 1024;
const WORDS: usize = SHOTS / 64;

/// A bit a shot.
pub(super) type Row = [u64; WORDS];

/// Where rows go as they come.
pub(super) trait Sink {
    fn record(&mut self, _row: &Row) {}
    fn detector(&mut self, _row: &Row) {}
    fn herald(&mut self, _row: &Row) {}
}

/// How a unit of shots differs from the run without noise: Pauli flips of the qubits, flips of records.
#[derive(Debug)]
pub(super) struct Frames {
    x: Vec<Row>,
    z: Vec<Row>,
    /// The last records, the number of all of them modulo the length being the next place.
    records: Vec<Row>,
    count: usize,
    pub observables: Vec<Row>,
    /// Whether a case of the chain of correlated errors has happened.
    chain: Row,
    /// Exponential time to the next event, in units in which an event is expected.
    gap: f64,
}

/// The generator and the table of exponentials.
pub(super) struct Random<'a> {
    pub rng: Xoshiro256PlusPlus,
    pub ziggurat: &'a Ziggurat,
}

impl Random<'_> {
    fn row(&mut self) -> Row {
        std::array::from_fn(|_| self.rng.next_u64())
    }

    /// A number below `n`, with a bias of n 2⁻³².
    fn below(&mut self, n: u64) -> u64 {
        ((self.rng.next_u64() >> 32) * n) >> 32
    }

    fn case<T: Copy>(&mut self, cases: &[(f64, T)]) -> T {
        let u = (self.rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
        cases.iter().find(|(end, _)| u < *end).expect("the last end is infinite").1
    }
}

#[inline]
fn xor(row: &mut Row, other: &Row) {
    for (a, b) in row.iter_mut().zip(other) {
        *a ^= b;
    }
}

#[inline]
fn flip(row: &mut Row, shot: usize) {
    row[shot / 64 % WORDS] ^= 1 << (shot % 64);
}

impl Frames {
    pub fn new(program: &Program) -> Self {
        Self {
            x: vec![[0; WORDS]; program.n_qubits],
            z: vec![[0; WORDS]; program.n_qubits],
            records: vec![[0; WORDS]; program.window],
            count: 0,
            observables: vec![[0; WORDS]; program.n_observables as usize],
            chain: [0; WORDS],
            gap: 0.0,
        }
    }

    /// Runs through the program from its beginning.
    pub fn run(&mut self, program: &Program, random: &mut Random<'_>, sink: &mut impl Sink) {
        self.x.fill([0; WORDS]);
        // Qubits begin in a state of Z, of which Z flips are no change.
        self.z.iter_mut().for_each(|row| *row = random.row());
        self.count = 0;
        self.observables.fill([0; WORDS]);
        self.chain = [0; WORDS];
        self.gap = random.ziggurat.sample(&mut random.rng);
        self.steps(&program.steps, random, sink);
    }

    fn steps(&mut self, steps: &[Step], random: &mut Random<'_>, sink: &mut impl Sink) {
        for step in steps {
            match step {
                Step::Repeat { count, body } => (0..*count).for_each(|_| self.steps(body, random, sink)),
                step => self.step(step, random, sink),
            }
        }
    }

    fn step(&mut self, step: &Step, random: &mut Random<'_>, sink: &mut impl Sink) {
        match step {
            Step::Hadamard(qubits) => {
                for &q in qubits {
                    std::mem::swap(&mut self.x[q as usize], &mut self.z[q as usize]);
                }
            }
            Step::Phase(qubits) => {
                for &q in qubits {
                    xor(&mut self.z[q as usize], &self.x[q as usize]);
                }
            }
            Step::One { qubits, images } => self.one(qubits, *images),
            Step::Cx(pairs) => {
                for &[a, b] in pairs {
                    let control = self.x[a as usize];
                    xor(&mut self.x[b as usize], &control);
                    let target = self.z[b as usize];
                    xor(&mut self.z[a as usize], &target);
                }
            }
            Step::Cz(pairs) => {
                for &[a, b] in pairs {
                    xor(&mut self.z[b as usize], &self.x[a as usize]);
                    xor(&mut self.z[a as usize], &self.x[b as usize]);
                }
            }
            Step::Two { pairs, images } => self.two(pairs, *images),
            Step::Rotate(factors) => {
                let anti = self.parity(factors);
                self.multiply(factors, &anti);
            }
            Step::Feedback { back, qubit, pauli } => {
                let row = *self.back(*back);
                self.multiply(&[(*qubit, *pauli)], &row);
            }
            Step::Reset { basis, qubits } => {
                for &q in qubits {
                    self.reset(q as usize, *basis, random);
                }
            }
            Step::Measure { basis, reset, qubits } => {
                for &q in qubits {
                    let row = self.parity(&[(q, *basis)]);
                    self.push(row);
                    if *reset {
                        self.reset(q as usize, *basis, random);
                    } else {
                        let random = random.row();
                        self.multiply(&[(q, *basis)], &random);
                    }
                }
            }
            Step::MeasureProducts(products) => {
                for factors in products {
                    let row = self.parity(factors);
                    self.push(row);
                    let random = random.row();
                    self.multiply(factors, &random);
                }
            }
            Step::Records(count) => (0..*count).for_each(|_| self.push([0; WORDS])),
            Step::Emit(count) => {
                let (first, mask) = (self.count - *count as usize, self.records.len() - 1);
                (0..*count as usize).for_each(|at| sink.record(&self.records[(first + at) & mask]));
            }
            Step::Detector(records) => {
                let mut row = [0; WORDS];
                records.iter().for_each(|&back| xor(&mut row, self.back(back)));
                sink.detector(&row);
            }
            Step::Observable { number, records, factors } => {
                let mut row = self.parity(factors);
                records.iter().for_each(|&back| xor(&mut row, self.back(back)));
                xor(&mut self.observables[*number], &row);
            }
            noise => self.noise(noise, random, sink),
        }
    }

    fn noise(&mut self, step: &Step, random: &mut Random<'_>, sink: &mut impl Sink) {
        match step {
            Step::RecordFlips { count, trials } => {
                let (first, mask) = (self.count - *count as usize, self.records.len() - 1);
                let records = &mut self.records;
                events(&mut self.gap, random, *count as usize, trials, |at, shot, _| {
                    flip(&mut records[(first + at) & mask], shot);
                });
            }
            Step::Flips { pauli, qubits, trials } => {
                let (x, z) = pauli.bits();
                let (xs, zs) = (&mut self.x, &mut self.z);
                events(&mut self.gap, random, qubits.len(), trials, |at, shot, _| {
                    let q = qubits[at] as usize;
                    if x {
                        flip(&mut xs[q], shot);
                    }
                    if z {
                        flip(&mut zs[q], shot);
                    }
                });
            }
            Step::Depolarize1 { qubits, trials } => {
                let (x, z) = (&mut self.x, &mut self.z);
                events(&mut self.gap, random, qubits.len(), trials, |at, shot, random| {
                    let (q, bits) = (qubits[at] as usize, 1 + random.below(3));
                    toggle(&mut x[q], shot, bits & 1);
                    toggle(&mut z[q], shot, bits >> 1);
                });
            }
            Step::Depolarize2 { pairs, trials } => {
                let (x, z) = (&mut self.x, &mut self.z);
                events(&mut self.gap, random, pairs.len(), trials, |at, shot, random| {
                    let ([a, b], bits) = (pairs[at].map(|q| q as usize), 1 + random.below(15));
                    toggle(&mut x[a], shot, bits & 1);
                    toggle(&mut z[a], shot, bits >> 1 & 1);
                    toggle(&mut x[b], shot, bits >> 2 & 1);
                    toggle(&mut z[b], shot, bits >> 3);
                });
            }
            Step::Channel1 { qubits, trials, cases } => {
                let (x, z) = (&mut self.x, &mut self.z);
                events(&mut self.gap, random, qubits.len(), trials, |at, shot, random| {
                    apply(x, z, qubits[at], shot, random.case(cases));
                });
            }
            Step::Channel2 { pairs, trials, cases } => {
                let (x, z) = (&mut self.x, &mut self.z);
                events(&mut self.gap, random, pairs.len(), trials, |at, shot, random| {
                    let paulis = random.case(cases);
                    for (&q, pauli) in pairs[at].iter().zip(paulis) {
                        apply(x, z, q, shot, pauli);
                    }
                });
            }
            Step::Correlated { factors, trials, first } => {
                if *first {
                    self.chain = [0; WORDS];
                }
                let mut row = [0; WORDS];
                events(&mut self.gap, random, 1, trials, |_, shot, _| flip(&mut row, shot));
                for (now, earlier) in row.iter_mut().zip(&mut self.chain) {
                    *now &= !*earlier;
                    *earlier |= *now;
                }
                self.multiply(factors, &row);
            }
            Step::Heralded { qubits, trials, cases } => {
                let (first, mask) = (self.count, self.records.len() - 1);
                qubits.iter().for_each(|_| self.push([0; WORDS]));
                let (x, z, records) = (&mut self.x, &mut self.z, &mut self.records);
                events(&mut self.gap, random, qubits.len(), trials, |at, shot, random| {
                    flip(&mut records[(first + at) & mask], shot);
                    apply(x, z, qubits[at], shot, random.case(cases));
                });
                (0..qubits.len()).for_each(|at| sink.herald(&self.records[(first + at) & mask]));
            }
            _ => unreachable!("no noise"),
        }
    }

    fn back(&self, back: u32) -> &Row {
        &self.records[(self.count - back as usize) & (self.records.len() - 1)]
    }

    fn push(&mut self, row: Row) {
        let mask = self.records.len() - 1;
        self.records[self.count & mask] = row;
        self.count += 1;
    }

    /// Shots whose frame anticommutes with the product.
    fn parity(&self, factors: &[(u32, Pauli)]) -> Row {
        let mut row = [0; WORDS];
        for &(q, pauli) in factors {
            let (x, z) = pauli.bits();
            if x {
                xor(&mut row, &self.z[q as usize]);
            }
            if z {
                xor(&mut row, &self.x[q as usize]);
            }
        }
        row
    }

    /// Multiplies the frames of the shots in `row` by the product.
    fn multiply(&mut self, factors: &[(u32, Pauli)], row: &Row) {
        for &(q, pauli) in factors {
            let (x, z) = pauli.bits();
            if x {
                xor(&mut self.x[q as usize], row);
            }
            if z {
                xor(&mut self.z[q as usize], row);
            }
        }
    }

    /// Afterwards only what does not change the state is left, at random.
    fn reset(&mut self, q: usize, basis: Pauli, random: &mut Random<'_>) {
        let (x, z) = basis.bits();
        let row = random.row();
        self.x[q] = if x { row } else { [0; WORDS] };
        self.z[q] = if z { row } else { [0; WORDS] };
    }

    fn one(&mut self, qubits: &[u32], images: [u8; 2]) {
        for &q in qubits {
            let (x, z) = (self.x[q as usize], self.z[q as usize]);
            let (mut new_x, mut new_z) = ([0; WORDS], [0; WORDS]);
            for (old, image) in [x, z].iter().zip(images) {
                if image & 1 != 0 {
                    xor(&mut new_x, old);
                }
                if image & 2 != 0 {
                    xor(&mut new_z, old);
                }
            }
            (self.x[q as usize], self.z[q as usize]) = (new_x, new_z);
        }
    }

    fn two(&mut self, pairs: &[[u32; 2]], images: [u8; 4]) {
        for pair in pairs {
            let [a, b] = pair.map(|q| q as usize);
            let old = [self.x[a], self.z[a], self.x[b], self.z[b]];
            let mut new = [[0; WORDS]; 4];
            for (old, image) in old.iter().zip(images) {
                for (k, row) in new.iter_mut().enumerate() {
                    if image >> k & 1 != 0 {
                        xor(row, old);
                    }
                }
            }
            [self.x[a], self.z[a], self.x[b], self.z[b]] = new;
        }
    }
}

#[inline]
fn toggle(row: &mut Row, shot: usize, bit: u64) {
    row[shot / 64 % WORDS] ^= bit << (shot % 64);
}

fn apply(x: &mut [Row], z: &mut [Row], q: u32, shot: usize, pauli: Pauli) {
    let bits = pauli.bits();
    toggle(&mut x[q as usize], shot, u64::from(bits.0));
    toggle(&mut z[q as usize], shot, u64::from(bits.1));
}

/// Calls `happen(place, shot, random)` for each of `places` times [`SHOTS`] trials that succeeds.
///
/// What is left of the gap after the last trial is as good as new for the next ones, whatever their probability.
#[inline]
fn events(
    gap: &mut f64,
    random: &mut Random<'_>,
    places: usize,
    trials: &Trials,
    mut happen: impl FnMut(usize, usize, &mut Random<'_>),
) {
    if places == 0 {
        return;
    }
    let n = places * SHOTS;
    let length = n as f64 * trials.time;
    if *gap >= length {
        *gap -= length;
        return;
    }
    if length.is_infinite() {
        (0..n).for_each(|at| happen(at / SHOTS, at % SHOTS, random));
        return;
    }
    let mut at = *gap * trials.scale;
    // Rounding may put the last event beyond the last trial.
    while at < n as f64 {
        let trial = at as usize;
        happen(trial / SHOTS, trial % SHOTS, random);
        at = (trial + 1) as f64 + random.ziggurat.sample(&mut random.rng) * trials.scale;
    }
    *gap = (at - n as f64) * trials.time;
}
