//! The file in which a run is kept.

use std::path::PathBuf;
use std::sync::Mutex;

use linalg_core::checkpoint::{Checkpoint, ContentHash, Writer};
use spin_models::EnergyModel;

use crate::args::{Args, EngineName};
use crate::subject::Subject;

const KIND: &str = "simulate 1";

/// The states of all jobs, in memory and, if wanted, in a file.
pub struct State {
    file: Option<PathBuf>,
    problem: u64,
    jobs: Mutex<Vec<Vec<u8>>>,
}

impl State {
    /// Reads the file if the run is to go on and the file is there.
    pub fn open(args: &Args, subject: &Subject, name: EngineName) -> Result<Self, Box<dyn std::error::Error>> {
        let mut hash = ContentHash::new();
        hash.write_u64(subject.model.content_hash()).write_str(&format!("{name:?}")).write_f64s(&args.beta.0);
        hash.write_u64(args.seed).write_u64(args.interval()).write_u64(args.overlap_interval());
        hash.write_bytes(&[u8::from(args.houdayer)]);
        let problem = hash.finish();
        let n = args.beta.0.len();
        let mut jobs = vec![Vec::new(); n];
        if let Some(file) = args.checkpoint.as_ref().filter(|file| args.resume && file.exists()) {
            let read = || -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
                let checkpoint = Checkpoint::load(file)?;
                let mut from = checkpoint.open(KIND, problem)?;
                let jobs: Result<Vec<_>, _> = (0..n).map(|_| from.read_u8s()).collect();
                let jobs = jobs?;
                from.finish()?;
                Ok(jobs)
            };
            jobs = read().map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(Self { file: args.checkpoint.clone(), problem, jobs: Mutex::new(jobs) })
    }

    /// The state of a job, if it has one.
    pub fn get(&self, job: usize) -> Option<Vec<u8>> {
        self.jobs.lock().ok().map(|jobs| jobs[job].clone()).filter(|bytes| !bytes.is_empty())
    }

    /// Keeps the state of a job and writes the file. A file that cannot be written is a warning: the run goes on.
    pub fn put(&self, job: usize, bytes: Vec<u8>) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs[job] = bytes;
        }
        if let Err(error) = self.write() {
            eprintln!("warning: {error}");
        }
    }

    /// Writes the file.
    pub fn write(&self) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let Ok(jobs) = self.jobs.lock() else { return Ok(()) };
        let mut out = Writer::new();
        for job in jobs.iter() {
            out.write_u8s(job);
        }
        Checkpoint::new(KIND, self.problem, out).save(file).map_err(|error| format!("{}: {error}", file.display()))
    }
}
