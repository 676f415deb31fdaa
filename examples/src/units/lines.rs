//! Lists with a line of JSON a unit.

use std::collections::BTreeMap;
use std::path::Path;

use linalg_core::merge::Units;
use serde_json::Value;

use super::Outcome;
use crate::json::Line;

/// The beginning of the line of a unit: its task, the content hash of the problem, its number.
///
/// ```
/// use workspace_examples::units::{UnitLine, line_of_unit};
///
/// let text = line_of_unit("glass L=4", 0x1f, 3).number("energy", Some(-1.5)).finish();
/// let line = UnitLine::parse(&text)?;
/// assert_eq!((line.task.as_str(), line.problem, line.unit), ("glass L=4", 0x1f, 3));
/// assert_eq!(line.text, text);
/// # Ok::<(), String>(())
/// ```
pub fn line_of_unit(task: &str, problem: u64, unit: u64) -> Line {
    Line::new().text("task", task).text("problem", &format!("{problem:016x}")).count("unit", unit)
}

/// The line of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitLine {
    /// What was computed, in words: units of one task belong together.
    pub task: String,
    /// Content hash of everything that the numbers depend on, the unit apart.
    pub problem: u64,
    /// Number of the unit.
    pub unit: u64,
    /// The whole line, without its end.
    pub text: String,
}

impl UnitLine {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it: no JSON object, or no `task`, `problem` (16 hexadecimal digits) or `unit`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let found = |key: &str, expected: &str| format!("{key} is {}, expected {expected}", value[key]);
        let task = value["task"].as_str().ok_or_else(|| found("task", "text"))?.to_owned();
        let problem = value["problem"]
            .as_str()
            .filter(|digits| digits.len() == 16)
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| found("problem", "16 hexadecimal digits"))?;
        let unit = value["unit"].as_u64().filter(|&unit| unit < u64::MAX);
        let unit = unit.ok_or_else(|| found("unit", "a whole number below 2^64 - 1"))?;
        Ok(Self { task, problem, unit, text: text.to_owned() })
    }

    /// A list of `len` numbers that the line has under a key, read bit for bit as [`Line::numbers`] writes them.
    ///
    /// ```
    /// use workspace_examples::units::{UnitLine, line_of_unit};
    ///
    /// let text = line_of_unit("glass L=4", 0x1f, 3).numbers("q2", Some(&[0.1, 0.25])).finish();
    /// let line = UnitLine::parse(&text)?;
    /// assert_eq!(line.numbers("q2", 2)?, [0.1, 0.25]);
    /// assert_eq!(line.numbers("q2", 3).unwrap_err(), "q2 has 2 numbers, expected 3");
    /// assert_eq!(line.numbers("q4", 2).unwrap_err(), "q4 is missing");
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong: no list under this key, another number of items, or an item that is no number, such as null.
    pub fn numbers(&self, key: &str, len: usize) -> Result<Vec<f64>, String> {
        // From the text: the general parser rounds the last digit of some numbers otherwise than Rust does.
        let list = self.text.split_once(&format!("\"{key}\":[")).and_then(|(_, rest)| rest.split_once(']'));
        let (list, _) = list.ok_or_else(|| format!("{key} is missing"))?;
        let found = list.split(',').count();
        if found != len {
            return Err(format!("{key} has {found} numbers, expected {len}"));
        }
        let number = |item: &str| item.trim().parse().map_err(|_| format!("{item:?} in {key}, expected a number"));
        list.split(',').map(number).collect()
    }

    /// A whole number that the line has under a key.
    ///
    /// # Errors
    /// With what is there instead.
    pub fn count(&self, key: &str) -> Result<u64, String> {
        let value: Value = serde_json::from_str(&self.text).map_err(|error| error.to_string())?;
        value[key].as_u64().ok_or_else(|| format!("{key} is {}, expected a count", value[key]))
    }

    /// Refuses the line of another problem than `expected`.
    ///
    /// # Errors
    /// With both hashes.
    pub fn check_problem(&self, expected: u64) -> Result<(), String> {
        if self.problem == expected {
            return Ok(());
        }
        let Self { task, problem, .. } = self;
        Err(format!("{task:?} has the problem {problem:016x}, expected {expected:016x}"))
    }
}

/// Lines of units of several tasks, each unit once, and where they were read.
#[derive(Debug, Clone, Default)]
pub struct UnitLines {
    tasks: BTreeMap<String, Task>,
}

#[derive(Debug, Clone)]
struct Task {
    problem: u64,
    /// Where the first line was.
    first: String,
    lines: BTreeMap<u64, (UnitLine, String)>,
}

impl UnitLines {
    /// Adds a line that was found at `place`.
    ///
    /// # Errors
    /// Beginning with `place`: the task has another problem there than before, or the unit is there already.
    pub fn add(&mut self, line: UnitLine, place: &str) -> Result<(), String> {
        let new = || Task { problem: line.problem, first: place.to_owned(), lines: BTreeMap::new() };
        let task = self.tasks.entry(line.task.clone()).or_insert_with(new);
        line.check_problem(task.problem).map_err(|error| format!("{place}: {error} as in {}", task.first))?;
        if let Some((_, other)) = task.lines.get(&line.unit) {
            return Err(format!("{place}: unit {} of {:?} is in {other} already", line.unit, line.task));
        }
        task.lines.insert(line.unit, (line, place.to_owned()));
        Ok(())
    }

    /// Adds the lines of a file and says how many bytes they have. A last line without an end is what a kill has cut off: it is
    /// not read and not counted.
    ///
    /// # Errors
    /// As [`add`](Self::add), with file and line, and when the file cannot be read.
    pub fn read(&mut self, path: &Path) -> Outcome<u64> {
        let name = path.display();
        let text = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        for (k, line) in text[..whole].split_inclusive(|&byte| byte == b'\n').enumerate() {
            let place = format!("{name}:{}", k + 1);
            let line =
                std::str::from_utf8(line).map_err(|error| format!("{place}: {error}"))?.trim_end_matches(['\r', '\n']);
            if !line.trim().is_empty() {
                self.add(UnitLine::parse(line).map_err(|error| format!("{place}: {error}"))?, &place)?;
            }
        }
        Ok(whole as u64)
    }

    /// The line of a unit and where it was read.
    pub fn get(&self, task: &str, unit: u64) -> Option<(&UnitLine, &str)> {
        self.tasks.get(task)?.lines.get(&unit).map(|(line, place)| (line, place.as_str()))
    }

    /// Names of the tasks in alphabetical order, and the units of each.
    pub fn units(&self) -> impl Iterator<Item = (&str, Units)> {
        self.tasks.iter().map(|(name, task)| {
            let mut units = Units::new();
            task.lines.keys().for_each(|&unit| {
                units.insert(unit);
            });
            (name.as_str(), units)
        })
    }

    /// All lines, by task and unit: the order in which they were read does not matter.
    pub fn lines(&self) -> impl Iterator<Item = &UnitLine> {
        self.tasks.values().flat_map(|task| task.lines.values().map(|(line, _)| line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(task: &str, problem: u64, unit: u64) -> UnitLine {
        UnitLine::parse(&line_of_unit(task, problem, unit).finish()).unwrap()
    }

    #[test]
    fn what_does_not_belong_is_refused_with_its_place() {
        let mut lines = UnitLines::default();
        lines.add(line("b", 1, 5), "x:1").unwrap();
        lines.add(line("a", 2, 5), "x:2").unwrap();
        lines.add(line("b", 1, 4), "y:1").unwrap();
        assert_eq!(lines.add(line("b", 1, 5), "y:2").unwrap_err(), "y:2: unit 5 of \"b\" is in x:1 already");
        assert_eq!(
            lines.add(line("b", 2, 6), "y:3").unwrap_err(),
            "y:3: \"b\" has the problem 0000000000000002, expected 0000000000000001 as in x:1"
        );
        let order: Vec<(&str, u64)> = lines.lines().map(|line| (line.task.as_str(), line.unit)).collect();
        assert_eq!(order, [("a", 5), ("b", 4), ("b", 5)]);
        assert_eq!(lines.get("b", 4).unwrap().1, "y:1");
        assert!(lines.get("b", 6).is_none());
    }

    #[test]
    fn lines_that_are_none_are_named() {
        for (text, message) in [
            (r#"{"task":"a","problem":"1","unit":1}"#, r#"problem is "1", expected 16 hexadecimal digits"#),
            (r#"{"task":1}"#, "task is 1, expected text"),
            (
                r#"{"task":"a","problem":"0000000000000001","unit":-1}"#,
                "unit is -1, expected a whole number below 2^64 - 1",
            ),
        ] {
            assert_eq!(UnitLine::parse(text).unwrap_err(), message);
        }
        assert!(UnitLine::parse("{").is_err());
    }
}
