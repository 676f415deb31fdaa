//! Blocks unrolled, one operation at a time.

use super::gate::Gate;
use super::model::{Circuit, Instruction};
use super::operation::Operation;

/// An operation and how much came before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlatOperation<'a> {
    /// The operation as it is in the circuit.
    pub operation: &'a Operation,
    /// Records before it: `rec[-k]` is record `measurements - k`.
    pub measurements: u64,
    /// Detectors before it: the number of this one, if it is one.
    pub detectors: u64,
    /// `TICK`s before it.
    pub ticks: u64,
}

/// The operations of a circuit with blocks unrolled lazily; made by [`Circuit::operations`].
#[derive(Debug, Clone)]
pub struct FlatOperations<'a> {
    /// The open blocks, innermost last.
    stack: Vec<Frame<'a>>,
    measurements: u64,
    detectors: u64,
    ticks: u64,
    shift: Vec<f64>,
    /// The shift of the last operation, which takes effect with the next one.
    pending: Option<&'a [f64]>,
}

#[derive(Debug, Clone)]
struct Frame<'a> {
    body: &'a [Instruction],
    next: usize,
    /// Repetitions after this one.
    left: u64,
}

impl Circuit {
    /// Walks through the circuit with blocks unrolled, annotations included.
    ///
    /// Memory: the open blocks. A block without operations is stepped over at once, however often it is repeated.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    ///
    /// let circuit: Circuit = "
    ///     REPEAT 2 {
    ///         M 0 1
    ///         DETECTOR rec[-1]
    ///     }
    /// ".parse()?;
    /// let lines: Vec<String> =
    ///     circuit.operations().map(|flat| format!("{}: {}", flat.measurements, flat.operation)).collect();
    /// assert_eq!(lines, ["0: M 0 1", "2: DETECTOR rec[-1]", "2: M 0 1", "4: DETECTOR rec[-1]"]);
    /// # Ok::<(), quantum_ec::Error>(())
    /// ```
    pub fn operations(&self) -> FlatOperations<'_> {
        let frame = Frame { body: self.instructions(), next: 0, left: 0 };
        FlatOperations { stack: vec![frame], measurements: 0, detectors: 0, ticks: 0, shift: Vec::new(), pending: None }
    }
}

impl<'a> FlatOperations<'a> {
    /// The arguments of an operation, such as the one yielded last, with the shift of coordinates in force added.
    pub fn coordinates(&self, operation: &Operation) -> Vec<f64> {
        let shift = self.shift.iter().copied().chain(std::iter::repeat(0.0));
        operation.arguments.iter().zip(shift).map(|(x, shift)| x + shift).collect()
    }
}

impl<'a> Iterator for FlatOperations<'a> {
    type Item = FlatOperation<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(terms) = self.pending.take() {
            if self.shift.len() < terms.len() {
                self.shift.resize(terms.len(), 0.0);
            }
            self.shift.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        loop {
            let frame = self.stack.last_mut()?;
            let Some(instruction) = frame.body.get(frame.next) else {
                if frame.left == 0 {
                    self.stack.pop();
                } else {
                    frame.left -= 1;
                    frame.next = 0;
                }
                continue;
            };
            frame.next += 1;
            match instruction {
                Instruction::Operation(operation) => {
                    let (measurements, detectors, ticks) = (self.measurements, self.detectors, self.ticks);
                    self.measurements = measurements.saturating_add(operation.n_records() as u64);
                    match operation.gate {
                        Gate::Detector => self.detectors = detectors.saturating_add(1),
                        Gate::Tick => self.ticks = ticks.saturating_add(1),
                        Gate::ShiftCoords => self.pending = Some(&operation.arguments),
                        _ => {}
                    }
                    return Some(FlatOperation { operation, measurements, detectors, ticks });
                }
                Instruction::Repeat(repeat) if repeat.body.counts().operations == 0 => {}
                Instruction::Repeat(repeat) => {
                    self.stack.push(Frame { body: repeat.body.instructions(), next: 0, left: repeat.count - 1 });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_add_up() {
        let circuit: Circuit =
            "REPEAT 3 {\nREPEAT 2 {\nDETECTOR(1, 2, 3)\nSHIFT_COORDS(0, 10)\n}\nSHIFT_COORDS(0, 0, 1, 7)\n}\nDETECTOR(0, 0)"
                .parse()
                .unwrap();
        let mut flat = circuit.operations();
        let mut places = Vec::new();
        while let Some(FlatOperation { operation, .. }) = flat.next() {
            if operation.gate == Gate::Detector {
                places.push(flat.coordinates(operation));
            }
        }
        assert_eq!(
            places,
            [
                vec![1.0, 2.0, 3.0],
                vec![1.0, 12.0, 3.0],
                vec![1.0, 22.0, 4.0],
                vec![1.0, 32.0, 4.0],
                vec![1.0, 42.0, 5.0],
                vec![1.0, 52.0, 5.0],
                vec![0.0, 60.0]
            ]
        );
    }

    #[test]
    fn nothing_is_expanded() {
        let circuit: Circuit =
            "REPEAT 1000000000000 {\nREPEAT 1000000000000 {\n}\n}\nREPEAT 1000000000000 {\nMPP X0*X1 Z2\nTICK\n}"
                .parse()
                .unwrap();
        let fourth = circuit.operations().nth(3).unwrap();
        assert_eq!((fourth.measurements, fourth.ticks, fourth.operation.gate), (4, 1, Gate::Tick));
    }
}
