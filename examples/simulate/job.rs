//! Running a simulation with its measurements, and keeping its state.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use linalg_core::checkpoint::{Checkpoint, Reader, Writer};
use linalg_core::merge::{Merge, Units};
use spin_models::mcmc::{Engine, Observables, Overlaps};
use spin_models::{EnergyModel, SweepStats};

use crate::args::Args;
use crate::engines::{Running, attempted_flips};
use crate::row::{Exchange, Glass, Row};
use crate::subject::Subject;

/// Sweeps between two looks at the clock, if they are quick.
const CHUNK: u64 = 64;

/// Between two writings of the state.
const SAVE: Duration = Duration::from_secs(30);

/// Set on interruption.
pub static STOP: AtomicBool = AtomicBool::new(false);

/// A simulation at the temperatures `betas`, its averages and how far it is.
pub struct Job<'a> {
    subject: &'a Subject,
    name: &'static str,
    engine: Option<Engine>,
    betas: Vec<f64>,
    running: Running<'a>,
    averages: Vec<Observables>,
    overlaps: Option<Overlaps>,
    burn_in: u64,
    sweeps: u64,
    interval: u64,
    overlap_interval: u64,
    burned: u64,
    measured: u64,
    attempted: u64,
    kernel_seconds: f64,
    seconds: f64,
}

impl<'a> Job<'a> {
    pub fn new(
        args: &Args,
        subject: &'a Subject,
        name: &'static str,
        engine: Option<Engine>,
        betas: Vec<f64>,
        mut running: Running<'a>,
    ) -> Self {
        let n = subject.model.n_spins();
        let overlaps = subject.disordered.then(|| {
            let overlaps = Overlaps::new(n, betas.len() * running.pairs_per_beta()).with_links_of(&subject.model);
            match &subject.waves {
                Some(waves) => overlaps.with_wave_vectors(waves.clone()),
                None => overlaps,
            }
        });
        let parts = running.parts();
        let averages = |(copy, part): (usize, &&mut dyn spin_models::Simulation)| {
            Observables::new(n, part.n_lanes()).with_units(Units::range(copy as u64..copy as u64 + 1))
        };
        let averages = parts.iter().enumerate().map(averages).collect();
        Self {
            subject,
            name,
            engine,
            betas,
            running,
            averages,
            overlaps,
            burn_in: args.burn_in(),
            sweeps: args.sweeps(),
            interval: args.interval(),
            overlap_interval: args.overlap_interval(),
            burned: 0,
            measured: 0,
            attempted: 0,
            kernel_seconds: 0.0,
            seconds: 0.0,
        }
    }

    /// Sweeps still to do, for the progress bar.
    pub fn total(&self) -> u64 {
        self.burn_in + self.sweeps
    }

    /// Runs to the end or until stopped. `progress` hears of sweeps done, `save` takes the state now and then.
    pub fn run(&mut self, mut progress: impl FnMut(u64), mut save: impl FnMut(Vec<u8>)) {
        let mut saved = Instant::now();
        progress(self.burned + self.measured);
        while self.burned < self.burn_in {
            if STOP.load(Ordering::Relaxed) {
                break;
            }
            let sweeps = CHUNK.min(self.burn_in - self.burned);
            let start = Instant::now();
            self.running.parts().iter_mut().for_each(|part| {
                part.advance(sweeps, &mut ());
            });
            self.burned += sweeps;
            self.seconds += start.elapsed().as_secs_f64();
            progress(sweeps);
            if saved.elapsed() > SAVE {
                save(self.state());
                saved = Instant::now();
            }
        }
        while self.measured < self.sweeps && self.burned == self.burn_in {
            if STOP.load(Ordering::Relaxed) {
                break;
            }
            let start = Instant::now();
            let mut done = 0;
            while done < CHUNK && self.measured + done < self.sweeps {
                let at = self.measured + done;
                // A run that ends between two measurements goes on to the next one when it is made longer.
                let sweeps = (self.interval - at % self.interval).min(self.sweeps - at);
                let full = (at + sweeps).is_multiple_of(self.interval);
                self.advance(sweeps, full);
                done += sweeps;
                let count = (at + sweeps) / self.interval;
                if let Some(overlaps) = &mut self.overlaps
                    && full
                    && count.is_multiple_of(self.overlap_interval)
                {
                    self.running.measure_overlaps(overlaps);
                }
                if start.elapsed() > Duration::from_secs(1) {
                    break;
                }
            }
            self.measured += done;
            self.seconds += start.elapsed().as_secs_f64();
            progress(done);
            if saved.elapsed() > SAVE {
                save(self.state());
                saved = Instant::now();
            }
        }
        save(self.state());
    }

    fn advance(&mut self, sweeps: u64, measure: bool) {
        for (part, averages) in self.running.parts().into_iter().zip(&mut self.averages) {
            let start = Instant::now();
            let SweepStats { attempted, flipped, .. } = part.advance(sweeps, &mut ());
            self.kernel_seconds += start.elapsed().as_secs_f64();
            self.attempted += attempted_flips(self.engine, &self.subject.model, attempted, flipped, sweeps);
            if measure {
                part.measure(averages);
            }
        }
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.measured < self.interval
    }

    fn state(&mut self) -> Vec<u8> {
        let mut out = Writer::new();
        out.write_u64(self.burned).write_u64(self.measured).write_u64(self.attempted);
        out.write_f64(self.kernel_seconds).write_f64(self.seconds);
        for (part, averages) in self.running.parts().into_iter().zip(&self.averages) {
            out.write_u8s(&part.checkpoint().to_bytes()).write_u8s(&averages.checkpoint().to_bytes());
        }
        if let Some(overlaps) = &self.overlaps {
            out.write_u8s(&overlaps.checkpoint().to_bytes());
        }
        out.into_bytes()
    }

    /// Takes up a state; the job is unchanged if it does not fit.
    pub fn restore(&mut self, state: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
        let mut from = Reader::new(state);
        let (burned, measured, attempted) = (from.read_u64()?, from.read_u64()?, from.read_u64()?);
        let (kernel_seconds, seconds) = (from.read_f64()?, from.read_f64()?);
        let mut averages = Vec::new();
        for part in self.running.parts() {
            part.restore(&Checkpoint::from_bytes(&from.read_u8s()?)?)?;
            averages.push(Observables::from_checkpoint(&Checkpoint::from_bytes(&from.read_u8s()?)?)?);
        }
        if self.overlaps.is_some() {
            let mut overlaps = Overlaps::from_checkpoint(&Checkpoint::from_bytes(&from.read_u8s()?)?)?;
            if let Some(waves) = &self.subject.waves
                && overlaps.wave_vectors().is_none()
            {
                overlaps = overlaps.with_wave_vectors(waves.clone());
            }
            self.overlaps = Some(overlaps);
        }
        from.finish()?;
        if burned > 0 && measured > 0 {
            // What was equilibrated stays so, also where another run would take longer.
            self.burn_in = burned;
        }
        (self.burned, self.measured, self.attempted) = (burned.min(self.burn_in), measured, attempted);
        (self.kernel_seconds, self.seconds, self.averages) = (kernel_seconds, seconds, averages);
        Ok(())
    }

    /// What was measured, a row a temperature.
    pub fn rows(&self) -> Result<Vec<Row>, Box<dyn std::error::Error>> {
        let mut averages = self.averages[0].clone();
        for copy in &self.averages[1..] {
            averages.merge(copy)?;
        }
        let lanes = averages.n_lanes() / self.betas.len();
        let pairs = self.running.pairs_per_beta();
        let exchanges = self.running.exchanges();
        let row = |(k, &beta): (usize, &f64)| {
            let at = averages.lanes(k * lanes..(k + 1) * lanes);
            let glass = self.overlaps.as_ref().map(|overlaps| {
                let at = overlaps.lanes(k * pairs..(k + 1) * pairs);
                Glass {
                    q2: at.q2(),
                    q_link: at.link_overlap(),
                    binder_q: at.binder_q(),
                    xi_over_l: self.subject.waves.as_ref().and_then(|_| at.xi_over_l()),
                }
            });
            let exchange = exchanges.as_ref().map(|exchanges| {
                // With the neighbours on both sides.
                let all = &exchanges.acceptances;
                let near = &all[k.saturating_sub(1)..(k + 1).min(all.len())];
                let mean = near.iter().sum::<f64>() / near.len() as f64;
                Exchange { swap_acceptance: mean, round_trips: exchanges.round_trips }
            });
            let interval = self.interval as f64;
            Row {
                engine: self.name,
                n_spins: self.subject.model.n_spins(),
                beta,
                energy_per_spin: Some(at.energy_per_spin()),
                specific_heat: Some(at.specific_heat(beta)),
                abs_magnetization: Some(at.abs_magnetization()),
                susceptibility: Some(at.susceptibility(beta)),
                binder: Some(at.binder_cumulant()),
                tau_energy: Some(interval * at.tau_energy().value),
                tau_magnetization: Some(interval * at.tau_magnetization().value),
                sweeps: self.measured,
                flips_per_second: Some(self.attempted as f64 / self.kernel_seconds),
                seconds: self.seconds,
                equilibrated: at.equilibrated(),
                glass,
                exchange,
                population: None,
            }
        };
        Ok(self.betas.iter().enumerate().map(row).collect())
    }
}
