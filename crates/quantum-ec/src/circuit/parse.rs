//! Reading `.stim` text, a line at a time.

use std::io::BufRead;
use std::str::FromStr;

use super::gate::Gate;
use super::model::{Circuit, DEPTH_BOUND, Repeat};
use super::operation::{Operation, Place};
use super::target::{TARGET_BOUND, Target};
use crate::error::{Error, Result};
use crate::io::ParseError;
use crate::io::lines::{Lines, quote};
use crate::io::scan::{Line, parse_error};
use crate::pauli::Pauli;

impl Circuit {
    /// Reads a `.stim` file to its end, a line at a time.
    ///
    /// Names of gates may be in upper or lower case. Lines stay as they are: two lines of the same gate are not joined. What
    /// is read, printed and read again is the same circuit. Memory: the circuit and one line.
    ///
    /// ```
    /// use quantum_ec::Circuit;
    ///
    /// let error = Circuit::read(&b"H 0\nCNTO 0 1\n"[..]).unwrap_err();
    /// assert_eq!(error.to_string(), "line 2, column 1: found the gate \"CNTO\", expected a gate, perhaps \"CNOT\"");
    /// let error = Circuit::read(&b"M 0\nDETECTOR rec[-1] rec[-2]\n"[..]).unwrap_err();
    /// assert_eq!(error.to_string(), "line 2, column 18: found \"rec[-2]\", expected one of the 1 records before it");
    /// ```
    ///
    /// # Errors
    /// [`Error::Parse`] with line and column of what cannot be read, including all that [`push`](Self::push) refuses and
    /// records before the beginning; [`Error::Io`].
    pub fn read(reader: impl BufRead) -> Result<Self> {
        let mut lines = Lines::new(reader);
        let mut circuit = Self::new();
        // The blocks that are open, and the records before the first repetition of the innermost.
        let mut open: Vec<Block> = Vec::new();
        let mut before = 0u64;
        while let Some((number, text)) = lines.next_line()? {
            let mut line = Line::new(number, text);
            while line.skip_space() {
                if line.text[line.at..].starts_with('}') {
                    let Some(block) = open.pop() else {
                        return Err(line.error(line.at, "\"}\"", "an instruction: no block is open here").into());
                    };
                    line.at += 1;
                    let body = std::mem::replace(&mut circuit, block.outer);
                    before = block.before;
                    circuit.note_place(block.place);
                    circuit.push_repeat(Repeat { count: block.count, tag: block.tag, body })?;
                    continue;
                }
                let start = line.place(line.at);
                match statement(&mut line, before.saturating_add(circuit.counts().measurements))? {
                    Statement::Operation(operation) => {
                        circuit.note_place(start);
                        circuit.push_checked(operation);
                    }
                    Statement::Open { count, tag } => {
                        if open.len() == DEPTH_BOUND {
                            let expected = format!("at most {DEPTH_BOUND} nested blocks");
                            return Err(parse_error(start, "another block", expected).into());
                        }
                        let outer = std::mem::take(&mut circuit);
                        let inside = before.saturating_add(outer.counts().measurements);
                        open.push(Block { outer, count, tag, place: start, before });
                        before = inside;
                    }
                }
            }
        }
        match open.pop() {
            None => Ok(circuit),
            Some(Block { place: (line, column), .. }) => {
                let expected = format!("\"}}\" for the block opened in line {line}, column {column}");
                Err(parse_error(lines.end(), "the end of the file", expected).into())
            }
        }
    }
}

impl FromStr for Circuit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text.as_bytes())
    }
}

struct Block {
    outer: Circuit,
    count: u64,
    tag: String,
    place: (usize, usize),
    /// Records before the beginning of `outer`, in its first repetition.
    before: u64,
}

enum Statement {
    Operation(Operation),
    Open { count: u64, tag: String },
}

type Parsed<T> = std::result::Result<T, ParseError>;

/// One instruction; `records` are before it.
fn statement(line: &mut Line<'_>, records: u64) -> Parsed<Statement> {
    let start = line.at;
    let name = line.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
    if name.is_empty() {
        return Err(line.unexpected(start, "the name of a gate"));
    }
    if name.eq_ignore_ascii_case("REPEAT") {
        return block(line);
    }
    let Some(gate) = Gate::from_name(name) else {
        let expected = format!("a gate, perhaps {:?}", Gate::nearest_name(name));
        return Err(line.error(start, format_args!("the gate {}", quote(name)), expected));
    };
    let tag = line.tag()?;
    let arguments_at = line.at;
    let arguments = line.arguments()?.unwrap_or_default();
    let (places, targets) = targets(line)?;
    let values = arguments.iter().map(|&(_, value)| value).collect();
    let operation = Operation { gate, tag, arguments: values, targets };
    if let Err(fault) = operation.check() {
        let at = match fault.place {
            Place::Arguments => arguments_at,
            Place::Argument(k) => arguments[k].0,
            Place::Target(k) => places[k],
            Place::End => line.at,
        };
        return Err(line.error(at, fault.found, fault.expected));
    }
    let missing = |target: &&Target| matches!(target, Target::Record(back) if u64::from(*back) > records);
    if let Some((target, &at)) = operation.targets.iter().zip(&places).find(|(target, _)| missing(target)) {
        return Err(line.error(
            at,
            format_args!("\"{target}\""),
            format_args!("one of the {records} records before it"),
        ));
    }
    Ok(Statement::Operation(operation))
}

/// What follows after REPEAT.
fn block(line: &mut Line<'_>) -> Parsed<Statement> {
    let tag = line.tag()?;
    if line.text[line.at..].starts_with('(') {
        return Err(line.error(line.at, "\"(\"", "no argument of REPEAT"));
    }
    let count = line.count("the number of repetitions", u64::MAX)?;
    if count == 0 {
        let at = line.text[..line.at].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
        return Err(line.error(at, "0 repetitions", "at least one"));
    }
    if !(line.skip_space() && line.text[line.at..].starts_with('{')) {
        return Err(line.unexpected(line.at, "\"{\""));
    }
    line.at += 1;
    Ok(Statement::Open { count, tag })
}

/// All targets to the end of the line, with their places.
fn targets(line: &mut Line<'_>) -> Parsed<(Vec<usize>, Vec<Target>)> {
    let (mut places, mut targets) = (Vec::new(), Vec::new());
    loop {
        let before = line.at;
        if !line.skip_space() {
            return Ok((places, targets));
        }
        let start = line.at;
        if line.text[start..].starts_with('*') {
            line.at += 1;
            targets.push(Target::Combiner);
        } else if start == before && targets.last() != Some(&Target::Combiner) {
            return Err(line.unexpected(start, "a space"));
        } else {
            targets.push(target(line)?);
        }
        places.push(start);
    }
}

fn target(line: &mut Line<'_>) -> Parsed<Target> {
    let start = line.at;
    let rest = &line.text[start..];
    for (prefix, sweep) in [("rec[-", false), ("sweep[", true)] {
        if rest.starts_with(prefix) {
            line.at += prefix.len();
            let number = number(line)?;
            if !line.text[line.at..].starts_with(']') {
                return Err(line.unexpected(line.at, "\"]\""));
            }
            line.at += 1;
            return Ok(if sweep { Target::Sweep(number) } else { Target::Record(number) });
        }
    }
    let inverted = rest.starts_with('!');
    line.at += usize::from(inverted);
    let pauli = match line.text.as_bytes().get(line.at) {
        Some(b'X' | b'x') => Some(Pauli::X),
        Some(b'Y' | b'y') => Some(Pauli::Y),
        Some(b'Z' | b'z') => Some(Pauli::Z),
        Some(b'0'..=b'9') => None,
        _ => {
            line.at = start;
            return Err(line.unexpected(start, "a target such as 5, !5, X5, rec[-5] or sweep[5]"));
        }
    };
    line.at += usize::from(pauli.is_some());
    let qubit = number(line)?;
    Ok(match pauli {
        Some(pauli) => Target::Pauli { pauli, qubit, inverted },
        None => Target::Qubit { qubit, inverted },
    })
}

fn number(line: &mut Line<'_>) -> Parsed<u32> {
    let start = line.at;
    let digits = line.take_while(|c| c.is_ascii_digit());
    if digits.is_empty() {
        return Err(line.unexpected(start, "a whole number from 0"));
    }
    // Below the bound, hence of 32 bits.
    Ok(line.number(start, digits, u64::from(TARGET_BOUND))? as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        match Circuit::read(text.as_bytes()) {
            Err(Error::Parse(error)) => error.to_string(),
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    #[test]
    fn every_form_is_read_and_printed() {
        let text = r"
            # A comment.
            qubit_coords[a\B\C\n](0.5, -1e-7) 0 1 # another
            h_xz 0#c
            Cnot 0 1 rec[-1] 2"
            .replace("rec[-1] 2", "2 3")
            + r"
            X_ERROR( 1e-3 ) 0
            MPP(0.25) x1*Z2*!Y3 !X1 * X4 Z5
            REPEAT[again] 3 { M !0 1
                CX rec[-1] 1 sweep[3] 2
                CZ 1 rec[-3]
                REPEAT 2{
                }
            } TICK
            MPAD 0 1
            E(0.1) X1 Y2
            ELSE_CORRELATED_ERROR(0.5) Z1*Z2
            DETECTOR(1, 2.5) rec[-1] rec[-2]
            OBSERVABLE_INCLUDE(7) X1 rec[-1]
            SHIFT_COORDS(0, 1)
            MXX 0 !1";
        let circuit: Circuit = text.parse().unwrap();
        let printed = concat!(
            "QUBIT_COORDS[a\\B\\C\\n](0.5, -1e-7) 0 1\n",
            "H 0\n",
            "CX 0 1 2 3\n",
            "X_ERROR(0.001) 0\n",
            "MPP(0.25) X1*Z2*!Y3 !X1*X4 Z5\n",
            "REPEAT[again] 3 {\n",
            "    M !0 1\n",
            "    CX rec[-1] 1 sweep[3] 2\n",
            "    CZ 1 rec[-3]\n",
            "    REPEAT 2 {\n",
            "    }\n",
            "}\n",
            "TICK\n",
            "MPAD 0 1\n",
            "E(0.1) X1 Y2\n",
            "ELSE_CORRELATED_ERROR(0.5) Z1*Z2\n",
            "DETECTOR(1, 2.5) rec[-1] rec[-2]\n",
            "OBSERVABLE_INCLUDE(7) X1 rec[-1]\n",
            "SHIFT_COORDS(0, 1)\n",
            "MXX 0 !1\n",
        );
        assert_eq!(circuit.to_string(), printed);
        assert_eq!(printed.parse::<Circuit>().unwrap(), circuit);
        let counts = circuit.counts();
        assert_eq!((counts.measurements, counts.observables, counts.ticks, counts.sweep_bits), (12, 8, 1, 4));
        assert_eq!("\u{feff}H 0\r\n".parse::<Circuit>().unwrap().counts().qubits, 1);
        assert_eq!("".parse::<Circuit>().unwrap(), Circuit::new());
    }

    #[test]
    fn products_are_multiplied() {
        let circuit: Circuit = "MPP X1*X1 !X3*Y2*!Z3*Z2*X5\nSPP X1*Y1*Z1*Z2*X2*Y2".parse().unwrap();
        let products: Vec<_> = circuit.operations().map(|flat| flat.operation.products()).collect();
        // X3 Z3 = -i Y3 and Y2 Z2 = i X2; X Y Z = i and Z X Y = i.
        assert_eq!(products[0][0].factors, []);
        assert_eq!(products[0][1].factors, [(2, Pauli::X), (3, Pauli::Y), (5, Pauli::X)]);
        assert_eq!([products[0][0].negative, products[0][1].negative, products[1][0].negative], [false, false, true]);
    }

    #[test]
    fn errors_have_places() {
        for (text, expected) in [
            ("X_ERROR(1.01) 0", "line 1, column 9: found 1.01, expected a probability from 0 to 1"),
            ("X_ERROR( -1e-9 ) 0", "line 1, column 10: found -0.000000001, expected a probability from 0 to 1"),
            ("X_ERROR(nan) 0", "line 1, column 9: found \"nan\", expected a finite number"),
            ("X_ERROR 0", "line 1, column 8: found 0 arguments, expected one argument of X_ERROR"),
            ("H(0.1) 0", "line 1, column 2: found 1 argument, expected no argument of H"),
            ("M(0.1, 0.2) 0", "line 1, column 2: found 2 arguments, expected at most one argument of M"),
            (
                "PAULI_CHANNEL_1(0.5, 0.5, 0.5) 0",
                "line 1, column 16: found the sum 1.5, expected probabilities of disjoint cases that add up to 1 at most",
            ),
            (
                "PAULI_CHANNEL_2(0.5) 0 1",
                "line 1, column 16: found 1 argument, expected 15 arguments of PAULI_CHANNEL_2",
            ),
            ("CX 0 1 2", "line 1, column 9: found 3 targets, expected another one: CX takes pairs"),
            ("CX 0 1 2 2", "line 1, column 10: found \"2\", expected another target than \"2\" of the same pair"),
            ("H !0", "line 1, column 3: found \"!0\", expected a qubit for H"),
            (
                "M 0\nCX 1 rec[-1]",
                "line 2, column 6: found \"rec[-1]\", expected a qubit as the second of a pair for CX",
            ),
            ("M 0\nSWAP 1 rec[-1]", "line 2, column 8: found \"rec[-1]\", expected a qubit for SWAP"),
            ("H 16777216", "line 1, column 3: found \"16777216\", expected a number below 16777216"),
            ("H -1", "line 1, column 3: found \"-1\", expected a target such as 5, !5, X5, rec[-5] or sweep[5]"),
            (
                "M 0\nDETECTOR rec[0]",
                "line 2, column 10: found \"rec[0]\", expected a target such as 5, !5, X5, rec[-5] or sweep[5]",
            ),
            ("M 0\nDETECTOR rec[-0]", "line 2, column 10: found \"rec[-0]\", expected a number from 1, below 16777216"),
            ("DETECTOR rec[-1]", "line 1, column 10: found \"rec[-1]\", expected one of the 0 records before it"),
            (
                "M 0 1\nREPEAT 5 {\nREPEAT 3 {\nM 0\n}\nREPEAT 2 {\nM 0\nDETECTOR rec[-7]\n}\n}",
                "line 8, column 10: found \"rec[-7]\", expected one of the 6 records before it",
            ),
            ("MPP X1*", "line 1, column 7: found \"*\", expected \"*\" only between two Pauli targets for MPP"),
            ("MPP X1**X2", "line 1, column 7: found \"*\", expected \"*\" only between two Pauli targets for MPP"),
            ("MPP *X1", "line 1, column 5: found \"*\", expected \"*\" only between two Pauli targets for MPP"),
            (
                "MPP X0 X1*Z1*X2",
                "line 1, column 8: found \"X1*Z1*X2\", expected a product that is Hermitian: factors on one qubit have \
                 to commute",
            ),
            ("MPP 1", "line 1, column 5: found \"1\", expected a Pauli target such as X5 for MPP"),
            ("MPP X", "line 1, column 6: found the end of the line, expected a whole number from 0"),
            ("MPAD 2", "line 1, column 6: found \"2\", expected 0 or 1 for MPAD"),
            ("TICK 1", "line 1, column 6: found \"1\", expected no target for TICK"),
            ("DETECTOR 1", "line 1, column 10: found \"1\", expected a record rec[-k] for DETECTOR"),
            (
                "OBSERVABLE_INCLUDE(0.5)",
                "line 1, column 20: found 0.5, expected a whole number from 0, below 4294967296",
            ),
            ("OBSERVABLE_INCLUDE(-1)", "line 1, column 20: found -1, expected a whole number from 0, below 4294967296"),
            ("OBSERVABLE_INCLUDE", "line 1, column 19: found 0 arguments, expected one argument of OBSERVABLE_INCLUDE"),
            ("H 0,1", "line 1, column 4: found \",1\", expected a space"),
            ("H[a]0", "line 1, column 5: found \"0\", expected a space"),
            ("H[a 0", "line 1, column 6: found the end of the line, expected \"]\" at the end of the tag"),
            (
                "DEPOLARISE1(0.1) 0",
                "line 1, column 1: found the gate \"DEPOLARISE1\", expected a gate, perhaps \"DEPOLARIZE1\"",
            ),
            ("  repeet 3 {", "line 1, column 3: found the gate \"repeet\", expected a gate, perhaps \"REPEAT\""),
            ("REPEAT -2 {\n}", "line 1, column 8: found \"-2\", expected a whole number from 0"),
            ("REPEAT 0 {\n}", "line 1, column 8: found 0 repetitions, expected at least one"),
            ("REPEAT 2\n{", "line 1, column 9: found the end of the line, expected \"{\""),
            ("REPEAT(3) 2 {", "line 1, column 7: found \"(\", expected no argument of REPEAT"),
            (
                "\nREPEAT 2 {\n H 0\n",
                "line 4, column 1: found the end of the file, expected \"}\" for the block opened in line 2, column 1",
            ),
            ("}", "line 1, column 1: found \"}\", expected an instruction: no block is open here"),
            (
                "REPEAT 3 { H 0 }",
                "line 1, column 16: found \"}\", expected a target such as 5, !5, X5, rec[-5] or sweep[5]",
            ),
            ("*", "line 1, column 1: found \"*\", expected the name of a gate"),
        ] {
            assert_eq!(message(text), expected);
        }
        let deep = "REPEAT 1 {\n".repeat(70);
        assert_eq!(message(&deep), "line 65, column 1: found another block, expected at most 64 nested blocks");
    }
}
