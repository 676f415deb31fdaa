//! Hamiltonian Monte Carlo with unit mass.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};

use super::block::lane_dots;
use super::{Block, Sampler, Target};
use crate::action::LANES;

/// Leapfrog in the points of the path: the stiffest mode limits the step, the softest asks for the length.
#[derive(Debug, Clone)]
pub(super) struct Hmc {
    dt: f64,
    length: f64,
    momentum: Vec<f64>,
    gradient: Vec<f64>,
    old: Vec<f64>,
}

const MOST_STEPS: f64 = 10_000.0;

impl Hmc {
    pub fn new(target: &Target) -> Self {
        let (system, ensemble) = (target.action().system(), target.action().ensemble());
        let frequency = target.reference().oscillator().frequency;
        let curvature = system.mass() * frequency * frequency * ensemble.step() / system.hbar();
        let stiffest = 4.0 * system.mass() / (ensemble.step() * system.hbar()) + curvature;
        // The softest mode of a short path is that of its length.
        let modes = std::f64::consts::PI / ensemble.time();
        let softest = curvature + system.mass() * modes * modes * ensemble.step() / system.hbar() * 0.1;
        let length = std::f64::consts::FRAC_PI_2 / softest.sqrt();
        Self { dt: 1.2 / stiffest.sqrt(), length, momentum: Vec::new(), gradient: Vec::new(), old: Vec::new() }
    }

    fn energy(&mut self, block: &mut Block) -> [f64; LANES] {
        let hbar = block.hbar();
        let target = block.shared_target();
        let mut sums = [0.0; LANES];
        target.action().potential_part(&block.x, LANES, &mut block.scratch, &mut sums);
        let kinetic = lane_dots(&self.momentum, &self.momentum, block.dim());
        for l in 0..LANES {
            sums[l] = (sums[l] + target.action().quadratic_part(&block.x, l)) / hbar + 0.5 * kinetic[l];
        }
        sums
    }

    fn force(&mut self, block: &mut Block) {
        let target = block.shared_target();
        target.action().block_gradient(&block.x, LANES, &mut block.scratch, &mut self.gradient);
        block.evaluations += 1.0;
    }
}

impl Sampler for Hmc {
    fn step(&mut self, block: &mut Block) {
        let n = block.x.len();
        [&mut self.momentum, &mut self.gradient, &mut self.old].into_iter().for_each(|v| v.resize(n, 0.0));
        block.normals(&mut self.momentum);
        self.old.copy_from_slice(&block.x);
        let before = self.energy(block);
        let steps = (self.length / self.dt).ceil().clamp(1.0, MOST_STEPS) as usize;
        let scale = 1.0 / block.hbar();
        for step in 0..=steps {
            self.force(block);
            let inner = step > 0 && step < steps;
            let kick = if inner { self.dt } else { 0.5 * self.dt } * scale;
            self.momentum.iter_mut().zip(&self.gradient).for_each(|(p, g)| *p -= kick * g);
            if step < steps {
                block.x.iter_mut().zip(&self.momentum).for_each(|(x, p)| *x += self.dt * p);
            }
        }
        let after = self.energy(block);
        let mut d = [0.0; LANES];
        (0..LANES).for_each(|l| d[l] = after[l] - before[l]);
        block.accept(&d, &self.old);
    }

    fn adapt(&mut self, acceptance: f64) {
        self.dt = (self.dt * (1.0 + 0.5 * (acceptance - 0.8))).max(self.length / MOST_STEPS);
    }

    fn write(&self, out: &mut Writer) {
        out.write_f64(self.dt);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Result<(), CheckpointError> {
        let at = from.position();
        self.dt = from.read_f64()?;
        if !(self.dt > 0.0 && self.dt.is_finite()) {
            return Err(CheckpointError::Invalid { what: "step size", at });
        }
        Ok(())
    }
}
