//! Proposals from the reference: Crank-Nicolson, independent paths, Langevin steps.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};

use super::block::lane_dots;
use super::{Block, Sampler};
use crate::action::LANES;

/// Reads a step size.
fn read_size(from: &mut Reader<'_>, most: f64) -> Result<f64, CheckpointError> {
    let at = from.position();
    let size = from.read_f64()?;
    if size > 0.0 && size <= most {
        return Ok(size);
    }
    Err(CheckpointError::Invalid { what: "step size", at })
}

/// Preconditioned Crank-Nicolson: $`y' = \sqrt{1-b^2}\,y + b\,\xi`$, accepted with $`\min(1, e^{-(\Phi'-\Phi)/\hbar})`$.
#[derive(Debug, Clone)]
pub(super) struct Pcn {
    b: f64,
    xi: Vec<f64>,
    y: Vec<f64>,
    old: Vec<f64>,
}

impl Pcn {
    pub fn new(b: f64) -> Self {
        Self { b, xi: Vec::new(), y: Vec::new(), old: Vec::new() }
    }
}

impl Sampler for Pcn {
    fn step(&mut self, block: &mut Block) {
        let n = block.x.len();
        [&mut self.xi, &mut self.y, &mut self.old].into_iter().for_each(|v| v.resize(n, 0.0));
        let (before, mut after) = (block.phi_here(), [0.0; LANES]);
        self.old.copy_from_slice(&block.x);
        block.draw_reference(&mut self.xi);
        block.deviation(&mut self.y);
        let keep = (1.0 - self.b * self.b).sqrt();
        self.y.iter_mut().zip(&self.xi).for_each(|(y, xi)| *y = keep * *y + self.b * xi);
        block.set_from_deviation(&self.y);
        block.phi(&mut after);
        let hbar = block.hbar();
        let mut d = [0.0; LANES];
        (0..LANES).for_each(|l| d[l] = (after[l] - before[l]) / hbar);
        block.settle(&d, &self.old, &before, &after);
    }

    fn adapt(&mut self, acceptance: f64) {
        self.b = (self.b * (1.0 + acceptance - 0.4)).clamp(1e-4, 1.0);
    }

    fn write(&self, out: &mut Writer) {
        out.write_f64(self.b);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Result<(), CheckpointError> {
        self.b = read_size(from, 1.0)?;
        Ok(())
    }
}

/// Fresh paths of the reference: Crank-Nicolson with $`b = 1`$.
#[derive(Debug, Clone)]
pub(super) struct Independence(Pcn);

impl Default for Independence {
    fn default() -> Self {
        Self(Pcn::new(1.0))
    }
}

impl Sampler for Independence {
    fn step(&mut self, block: &mut Block) {
        self.0.step(block);
    }
}

/// The semi-implicit Langevin step of Cotter et al. with the reference covariance $`C = \hbar A^{-1}`$ as preconditioner,
/// $`(2+\delta)\,y' = (2-\delta)\,y - 2\delta\,C\nabla\Phi/\hbar + \sqrt{8\delta}\,\xi`$, with accept step.
#[derive(Debug, Clone)]
pub(super) struct Langevin {
    delta: f64,
    xi: Vec<f64>,
    gradient: Vec<f64>,
    solved: Vec<f64>,
    y: Vec<f64>,
    new: Vec<f64>,
    old: Vec<f64>,
}

impl Langevin {
    pub fn new() -> Self {
        let empty = Vec::new;
        Self { delta: 0.5, xi: empty(), gradient: empty(), solved: empty(), y: empty(), new: empty(), old: empty() }
    }

    /// $`\rho(u, v)`$ without its first term, times ħ: $`\tfrac12(v-u)\cdot g + \tfrac\delta4 (u+v)\cdot g + \tfrac\delta4\, g\cdot A^{-1} g`$,
    /// with `from` and `to` the deviations and the gradient taken at `from`.
    fn rho(&self, from: &[f64], to: &[f64], dim: usize) -> [f64; LANES] {
        let (a, b) = (lane_dots(from, &self.gradient, dim), lane_dots(to, &self.gradient, dim));
        let c = lane_dots(&self.solved, &self.gradient, dim);
        let mut out = [0.0; LANES];
        for l in 0..LANES {
            out[l] = 0.5 * (b[l] - a[l]) + 0.25 * self.delta * (a[l] + b[l] + c[l]);
        }
        out
    }

    fn gradient_at(&mut self, block: &mut Block) {
        block.phi_gradient(&mut self.gradient);
        self.solved.copy_from_slice(&self.gradient);
        let (target, cols) = (block.shared_target(), block.cols());
        target.reference().solve(&mut self.solved, cols);
    }
}

impl Sampler for Langevin {
    fn step(&mut self, block: &mut Block) {
        let (n, dim, hbar) = (block.x.len(), block.dim(), block.hbar());
        for v in [&mut self.xi, &mut self.gradient, &mut self.solved, &mut self.y, &mut self.new, &mut self.old] {
            v.resize(n, 0.0);
        }
        let (before, mut after) = (block.phi_here(), [0.0; LANES]);
        self.gradient_at(block);
        // It is that of the end of the step before.
        block.evaluations -= 1.0;
        self.old.copy_from_slice(&block.x);
        block.deviation(&mut self.y);
        block.draw_reference(&mut self.xi);
        let delta = self.delta;
        let scale = 1.0 / (2.0 + delta);
        for i in 0..n {
            let drift = (2.0 - delta) * self.y[i] - 2.0 * delta * self.solved[i];
            self.new[i] = scale * (drift + (8.0 * delta).sqrt() * self.xi[i]);
        }
        let forth = self.rho(&self.y, &self.new, dim);
        let new = std::mem::take(&mut self.new);
        block.set_from_deviation(&new);
        self.new = new;
        block.phi(&mut after);
        self.gradient_at(block);
        let back = self.rho(&self.new, &self.y, dim);
        let mut d = [0.0; LANES];
        for l in 0..LANES {
            d[l] = (after[l] + back[l] - before[l] - forth[l]) / hbar;
        }
        block.settle(&d, &self.old, &before, &after);
    }

    fn adapt(&mut self, acceptance: f64) {
        self.delta = (self.delta * (1.0 + acceptance - 0.6)).clamp(1e-5, 2.0);
    }

    fn write(&self, out: &mut Writer) {
        out.write_f64(self.delta);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Result<(), CheckpointError> {
        self.delta = read_size(from, 2.0)?;
        Ok(())
    }
}
