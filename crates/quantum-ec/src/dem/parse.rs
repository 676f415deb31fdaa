//! Reading `.dem` text, a line at a time.

use std::io::BufRead;
use std::str::FromStr;

use spin_models::io::ParseError;

use super::model::{DEPTH_BOUND, DETECTOR_BOUND, DetectorErrorModel, Instruction, OBSERVABLE_BOUND, Target};
use crate::error::{Error, Result};
use crate::io::lines::{Lines, nearest, quote};
use crate::io::scan::{Line, parse_error};

/// Names of all instructions.
const NAMES: [&str; 5] = ["error", "detector", "logical_observable", "shift_detectors", "repeat"];

impl DetectorErrorModel {
    /// Reads a `.dem` file to its end, a line at a time.
    ///
    /// Names of instructions and the letters of targets may be in upper or lower case. What is read, printed and read again
    /// is the same model. Memory: the model and one line.
    ///
    /// ```
    /// use quantum_ec::DetectorErrorModel;
    ///
    /// let error = DetectorErrorModel::read(&b"error(0.1) D0\nerror(1.5) D1\n"[..]).unwrap_err();
    /// assert_eq!(error.to_string(), "line 2, column 7: found \"1.5\", expected a probability from 0 to 1");
    /// ```
    ///
    /// # Errors
    /// [`Error::Parse`] with line and column of what cannot be read; [`Error::Io`].
    pub fn read(reader: impl BufRead) -> Result<Self> {
        let mut lines = Lines::new(reader);
        // The instructions of the file and of every open block, with what opened it.
        let mut model = Self::new();
        let mut open: Vec<Block> = Vec::new();
        while let Some((number, text)) = lines.next_line()? {
            let mut line = Line::new(number, text);
            while line.skip_space() {
                if line.text[line.at..].starts_with('}') {
                    let Some(block) = open.pop() else {
                        return Err(line.error(line.at, "\"}\"", "an instruction: no block is open here").into());
                    };
                    line.at += 1;
                    let body = std::mem::replace(&mut model, block.outer);
                    push(&mut model, Instruction::Repeat { count: block.count, body, tag: block.tag }, block.place)?;
                    continue;
                }
                let start = line.place(line.at);
                match statement(&mut line)? {
                    Statement::Instruction(instruction) => push(&mut model, instruction, start)?,
                    Statement::Open { count, tag } => {
                        if open.len() == DEPTH_BOUND {
                            let expected = format!("at most {DEPTH_BOUND} nested blocks");
                            return Err(parse_error(start, "another block", expected).into());
                        }
                        let outer = std::mem::take(&mut model);
                        open.push(Block { outer, count, tag, place: start });
                    }
                }
            }
        }
        match open.pop() {
            None => Ok(model),
            Some(Block { place: (line, column), .. }) => {
                let expected = format!("\"}}\" for the block opened in line {line}, column {column}");
                Err(parse_error(lines.end(), "the end of the file", expected).into())
            }
        }
    }
}

impl FromStr for DetectorErrorModel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text.as_bytes())
    }
}

struct Block {
    outer: DetectorErrorModel,
    count: u64,
    tag: String,
    place: (usize, usize),
}

enum Statement {
    Instruction(Instruction),
    Open { count: u64, tag: String },
}

/// Pushes; what the model itself refuses gets the place of the instruction.
fn push(model: &mut DetectorErrorModel, instruction: Instruction, place: (usize, usize)) -> Result<()> {
    model.push(instruction).map_err(|error| match error {
        Error::OutOfBounds { what, index, bound } => {
            let expected = format!("a number below {bound} in every repetition");
            parse_error(place, format_args!("an instruction that brings the {what} to {index}"), expected).into()
        }
        other => other,
    })
}

fn statement(line: &mut Line<'_>) -> std::result::Result<Statement, ParseError> {
    let start = line.at;
    let name = line.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_ascii_lowercase();
    if name.is_empty() {
        return Err(line.unexpected(start, "the name of an instruction"));
    }
    if !NAMES.contains(&name.as_str()) {
        let expected = format!("{:?}, the nearest of {}", nearest(&name, &NAMES), NAMES.join(", "));
        return Err(line.error(start, format_args!("the instruction {}", quote(&name)), expected));
    }
    let tag = line.tag()?;
    let arguments_at = line.at;
    let arguments = line.arguments()?;
    let refuse_arguments = |line: &Line<'_>| match arguments {
        None => Ok(()),
        Some(_) => Err(line.error(arguments_at, "\"(\"", format_args!("no argument of {name}"))),
    };
    let instruction = match name.as_str() {
        "error" => {
            let [(at, probability)] = arguments.as_deref().unwrap_or_default() else {
                return Err(line.unexpected(arguments_at, "one probability in parentheses"));
            };
            if !(0.0..=1.0).contains(probability) {
                let end = line.text[*at..].find([',', ')', ' ', '\t']).map_or(line.text.len(), |n| at + n);
                return Err(line.error(*at, quote(&line.text[*at..end]), "a probability from 0 to 1"));
            }
            Instruction::Error { probability: *probability, targets: line.error_targets()?, tag }
        }
        "detector" => {
            let detector = line.numbered('D', DETECTOR_BOUND)?;
            Instruction::Detector { coordinates: values(arguments), detector, tag }
        }
        "logical_observable" => {
            refuse_arguments(line)?;
            Instruction::LogicalObservable { observable: line.numbered('L', OBSERVABLE_BOUND)?, tag }
        }
        "shift_detectors" => {
            let detectors = line.count("the number of detectors to shift by", DETECTOR_BOUND)?;
            Instruction::ShiftDetectors { coordinates: values(arguments), detectors, tag }
        }
        _ => {
            refuse_arguments(line)?;
            let count = line.count("the number of repetitions", u64::MAX)?;
            if !(line.skip_space() && line.text[line.at..].starts_with('{')) {
                return Err(line.unexpected(line.at, "\"{\""));
            }
            line.at += 1;
            return Ok(Statement::Open { count, tag });
        }
    };
    if line.skip_space() {
        return Err(line.unexpected(line.at, format_args!("the end of the line after this {name}")));
    }
    Ok(Statement::Instruction(instruction))
}

fn values(arguments: Option<Vec<(usize, f64)>>) -> Vec<f64> {
    arguments.unwrap_or_default().into_iter().map(|(_, value)| value).collect()
}

impl Line<'_> {
    fn error_targets(&mut self) -> std::result::Result<Vec<Target>, ParseError> {
        let mut targets = Vec::new();
        let mut last = 0;
        while let Some((start, word)) = self.word()? {
            let target = self.target(start, word)?;
            if target == Target::Separator && matches!(targets.last(), None | Some(Target::Separator)) {
                return Err(self.error(start, "\"^\"", "a detector D# or an observable L# first"));
            }
            targets.push(target);
            last = start;
        }
        if targets.last() == Some(&Target::Separator) {
            return Err(self.error(last, "\"^\" at the end", "another component after it"));
        }
        Ok(targets)
    }

    fn target(&self, start: usize, word: &str) -> std::result::Result<Target, ParseError> {
        let number = |bound| self.number(start + 1, &word[1..], bound);
        match word.as_bytes()[0] {
            b'D' | b'd' => Ok(Target::Detector(number(DETECTOR_BOUND)?)),
            b'L' | b'l' => Ok(Target::Observable(number(OBSERVABLE_BOUND)?)),
            b'^' if word.len() == 1 => Ok(Target::Separator),
            _ => Err(self.error(start, quote(word), "a target D#, L# or ^")),
        }
    }

    /// The one target of a declaration.
    fn numbered(&mut self, letter: char, bound: u64) -> std::result::Result<u64, ParseError> {
        let expected = format!("one target {letter}#");
        match self.word()? {
            None => Err(self.unexpected(self.at, expected)),
            Some((start, word)) if word.starts_with([letter, letter.to_ascii_lowercase()]) => {
                self.number(start + 1, &word[1..], bound)
            }
            Some((start, word)) => Err(self.error(start, quote(word), expected)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        match DetectorErrorModel::read(text.as_bytes()) {
            Err(Error::Parse(error)) => error.to_string(),
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    #[test]
    fn every_form_is_read_and_printed() {
        let text = r"
            # A comment.
            ERROR[a\B\C\n](0.125) d0 D1 ^ D2 L0 L0 # another
            error( 1e-3 )
            repeat[again] 3 { error(0) D0
                detector(1, -2.5) D4
                repeat 0 {
                }
            } logical_observable L7
            shift_detectors 5
            shift_detectors(0, 1e-300) 0";
        let model: DetectorErrorModel = text.parse().unwrap();
        let printed = concat!(
            "error[a\\B\\C\\n](0.125) D0 D1 ^ D2 L0 L0\n",
            "error(0.001)\n",
            "repeat[again] 3 {\n",
            "    error(0) D0\n",
            "    detector(1, -2.5) D4\n",
            "    repeat 0 {\n",
            "    }\n",
            "}\n",
            "logical_observable L7\n",
            "shift_detectors 5\n",
            "shift_detectors(0, 1e-300) 0\n",
        );
        assert_eq!(model.to_string(), printed);
        assert_eq!(printed.parse::<DetectorErrorModel>().unwrap(), model);
        assert_eq!((model.n_detectors(), model.n_observables(), model.n_errors()), (5, 8, 5));
        assert_eq!("\u{feff}error(1) D0\r\n".parse::<DetectorErrorModel>().unwrap().n_errors(), 1);
        assert_eq!("".parse::<DetectorErrorModel>().unwrap(), DetectorErrorModel::new());
    }

    #[test]
    fn errors_have_places() {
        for (text, expected) in [
            ("error(1.01) D0", "line 1, column 7: found \"1.01\", expected a probability from 0 to 1"),
            ("error( -1e-9 ) D0", "line 1, column 8: found \"-1e-9\", expected a probability from 0 to 1"),
            ("error(nan) D0", "line 1, column 7: found \"nan\", expected a finite number"),
            ("error(1e999) D0", "line 1, column 7: found \"1e999\", expected a finite number"),
            ("error D0", "line 1, column 6: found \" D0\", expected one probability in parentheses"),
            ("error() D0", "line 1, column 7: found \")\", expected a number"),
            ("error(0.1, 0.2) D0", "line 1, column 6: found \"(0.1,\", expected one probability in parentheses"),
            ("error(0.1", "line 1, column 10: found the end of the line, expected \",\" or \")\""),
            ("error(0.1)D0", "line 1, column 11: found \"D0\", expected a space"),
            ("error(0.1) ^ D0", "line 1, column 12: found \"^\", expected a detector D# or an observable L# first"),
            ("error(0.1) D0 ^", "line 1, column 15: found \"^\" at the end, expected another component after it"),
            (
                "error(0.1) D0 ^ ^ D1",
                "line 1, column 17: found \"^\", expected a detector D# or an observable L# first",
            ),
            ("error(0.1) D-1", "line 1, column 13: found \"-1\", expected a whole number from 0"),
            ("error(0.1) D", "line 1, column 13: found nothing, expected a whole number from 0"),
            ("error(0.1) 5", "line 1, column 12: found \"5\", expected a target D#, L# or ^"),
            ("error(0.1) L4294967296", "line 1, column 13: found \"4294967296\", expected a number below 4294967296"),
            (
                "\n  eror(0.1) D0",
                "line 2, column 3: found the instruction \"eror\", expected \"error\", the nearest of error, detector, \
                 logical_observable, shift_detectors, repeat",
            ),
            ("error[λ](0.1) D0 X1", "line 1, column 18: found \"X1\", expected a target D#, L# or ^"),
            ("error[a(0.1) D0", "line 1, column 16: found the end of the line, expected \"]\" at the end of the tag"),
            (
                "error[a\\x](0.1) D0",
                "line 1, column 8: found \"\\\\x\", expected one of \\n, \\r, \\B (for \\), \\C (for ])",
            ),
            ("detector", "line 1, column 9: found the end of the line, expected one target D#"),
            ("detector D0 D1", "line 1, column 13: found \"D1\", expected the end of the line after this detector"),
            ("logical_observable D0", "line 1, column 20: found \"D0\", expected one target L#"),
            ("logical_observable(1) L0", "line 1, column 19: found \"(\", expected no argument of logical_observable"),
            ("shift_detectors -3", "line 1, column 17: found \"-3\", expected a whole number from 0"),
            ("repeat -2 {\n}", "line 1, column 8: found \"-2\", expected a whole number from 0"),
            ("repeat 2\n{", "line 1, column 9: found the end of the line, expected \"{\""),
            ("repeat 2 3 {", "line 1, column 10: found \"3\", expected \"{\""),
            ("repeat {", "line 1, column 8: found \"{\", expected the number of repetitions"),
            (
                "\nrepeat 2 {\n error(0.1) D0\n",
                "line 4, column 1: found the end of the file, expected \"}\" for the block opened in line 2, column 1",
            ),
            ("}", "line 1, column 1: found \"}\", expected an instruction: no block is open here"),
            ("*", "line 1, column 1: found \"*\", expected the name of an instruction"),
            (
                "repeat 1000000 {\n  shift_detectors 1000000000000\n  error(0.1) D0\n}\nrepeat 10 {\nshift_detectors 900000000000000000\n}",
                "line 5, column 1: found an instruction that brings the shift to detector to 10000000000000000000, \
                 expected a number below 1152921504606846976 in every repetition",
            ),
        ] {
            assert_eq!(message(text), expected);
        }
        assert_eq!(
            DetectorErrorModel::read(&b"error(0.1) D0\n# \xff"[..]).unwrap_err().to_string(),
            "line 2, column 3: found byte 0xff, expected UTF-8 text"
        );
        let deep = "repeat 1 {\n".repeat(70);
        assert_eq!(message(&deep), "line 65, column 1: found another block, expected at most 64 nested blocks");
    }
}
