//! Studies that consist of numbered units.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use linalg_core::Observer;
use spin_models::Progress;

use super::{Outcome, UnitLine, UnitLog, line_of_unit};
use crate::json::Line;
use crate::progress::Bar;

/// What a computation of a unit returns; threads hand it on.
pub type Computed<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One problem, cut into units that any thread and any machine can compute.
pub trait Study: Sync {
    /// What is kept of a unit.
    type Record: Send;

    /// What a thread uses again from unit to unit.
    type Worker;

    /// The name of the problem, as in the lines of its units.
    fn task(&self) -> String;

    /// Content hash of everything that the records depend on, the unit apart.
    fn problem(&self) -> u64;

    /// A worker for a new thread.
    fn worker(&self) -> Self::Worker;

    /// Computes a unit, which must depend on its number and the study only.
    ///
    /// # Errors
    /// What went wrong in it.
    fn compute(&self, worker: &mut Self::Worker, unit: u64) -> Computed<Self::Record>;

    /// Adds a record to the line of its unit.
    fn write(&self, record: &Self::Record, line: Line) -> Line;

    /// The record of a line, bit for bit as it was written.
    ///
    /// # Errors
    /// What is wrong with the line.
    fn read(&self, line: &UnitLine) -> Result<Self::Record, String>;
}

impl UnitLog {
    /// The records of a range of units: those that the log holds are read, the others computed on `threads` threads and written,
    /// each as soon as all before it are. The records do not depend on the number of threads.
    ///
    /// # Errors
    /// Beginning with its place, for a line that is not of this study; the error of a unit; when a line cannot be written.
    pub fn run<S: Study>(&mut self, study: &S, units: Range<u64>, threads: usize) -> Outcome<Vec<S::Record>> {
        let (task, problem) = (study.task(), study.problem());
        let mut records: Vec<Option<S::Record>> = Vec::new();
        let n = usize::try_from(units.end.saturating_sub(units.start)).unwrap_or(usize::MAX);
        records
            .try_reserve_exact(n)
            .map_err(|_| format!("{task}: units {}..{} do not fit into memory", units.start, units.end))?;
        for unit in units.clone() {
            let Some((line, place)) = self.get(&task, unit) else {
                records.push(None);
                continue;
            };
            let record = study.read(line).and_then(|record| line.check_problem(problem).map(|()| record));
            records.push(Some(record.map_err(|error| format!("{place}: {error}"))?));
        }
        let place = |unit: u64| (unit - units.start) as usize;
        let missing: Vec<u64> = units.clone().filter(|&unit| records[place(unit)].is_none()).collect();
        let mut bar = Bar::new(&task);
        let next = AtomicUsize::new(0);
        let (send, receive) = mpsc::channel();
        std::thread::scope(|scope| -> Outcome<()> {
            for _ in 0..threads.clamp(1, missing.len().max(1)) {
                let (send, next, missing) = (send.clone(), &next, &missing);
                scope.spawn(move || {
                    let mut worker = study.worker();
                    while let Some(&unit) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // Who collects has failed and has dropped its end: nothing more is wanted.
                        if send.send((unit, study.compute(&mut worker, unit))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            let mut written = 0;
            // Dropped at the end of this closure, before the threads are waited for.
            let receive = receive;
            for (done, (unit, record)) in receive.iter().enumerate() {
                records[place(unit)] = Some(record.map_err(|error| -> Box<dyn std::error::Error> { error })?);
                while let Some((unit, Some(record))) = missing.get(written).map(|&unit| (unit, &records[place(unit)])) {
                    self.write(study.write(record, line_of_unit(&task, problem, unit)).finish())?;
                    written += 1;
                }
                let _ = bar.observe(&Progress::new("units", done as u64 + 1, missing.len() as u64));
            }
            Ok(())
        })?;
        bar.finish();
        Ok(records.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reciprocals of the numbers of the units.
    struct Reciprocals {
        broken: Option<u64>,
    }

    impl Study for Reciprocals {
        type Record = f64;
        type Worker = u64;

        fn task(&self) -> String {
            "reciprocals".to_owned()
        }

        fn problem(&self) -> u64 {
            9
        }

        fn worker(&self) -> u64 {
            0
        }

        fn compute(&self, computed: &mut u64, unit: u64) -> Computed<f64> {
            *computed += 1;
            // Later units are done first.
            std::thread::sleep(std::time::Duration::from_micros(200 * (20 - unit)));
            if self.broken == Some(unit) { Err("no reciprocal".into()) } else { Ok(1.0 / unit as f64) }
        }

        fn write(&self, record: &f64, line: Line) -> Line {
            line.numbers("x", Some(&[*record]))
        }

        fn read(&self, line: &UnitLine) -> Result<f64, String> {
            Ok(line.numbers("x", 1)?[0])
        }
    }

    #[test]
    fn records_come_and_are_written_in_order() {
        let path = std::env::temp_dir().join(format!("workspace-study-{}.jsonl", std::process::id()));
        let expected: Vec<f64> = (1..20).map(|unit| 1.0 / f64::from(unit)).collect();
        let study = Reciprocals { broken: None };
        let mut files = Vec::new();
        for threads in [1, 4] {
            let _ = std::fs::remove_file(&path);
            let mut log = UnitLog::open(Some(&path), false).unwrap();
            assert_eq!(log.run(&study, 1..20, threads).unwrap(), expected);
            drop(log);
            files.push(std::fs::read_to_string(&path).unwrap());
        }
        assert_eq!(files[0], files[1]);
        // A part of the units is read; a unit that fails leaves those before it.
        let start = files[0].split_inclusive('\n').take(5).collect::<String>();
        std::fs::write(&path, &start).unwrap();
        let mut log = UnitLog::open(Some(&path), true).unwrap();
        let error = log.run(&Reciprocals { broken: Some(9) }, 1..20, 1).unwrap_err();
        assert_eq!(error.to_string(), "no reciprocal");
        drop(log);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 8);
        let mut log = UnitLog::open(Some(&path), true).unwrap();
        assert_eq!(log.run(&study, 1..20, 3).unwrap(), expected);
        drop(log);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), files[0]);
        // Without a file nothing is kept; a range that no memory holds is refused.
        assert_eq!(UnitLog::default().run(&study, 1..20, 2).unwrap(), expected);
        assert!(UnitLog::default().run(&study, 0..u64::MAX, 2).is_err());
        // A line of another form is refused with its place.
        std::fs::write(&path, files[0].replacen("[1.", "[2e0,1.", 1)).unwrap();
        let error = UnitLog::open(Some(&path), true).unwrap().run(&study, 1..20, 1).unwrap_err();
        assert_eq!(error.to_string(), format!("{}:1: x has 2 numbers, expected 1", path.display()));
        std::fs::remove_file(&path).unwrap();
    }
}
