//! Hamiltonian Monte Carlo with the precision of the reference as mass.

use linalg_core::checkpoint::{CheckpointError, Reader, Writer};

use super::{Block, Sampler};
use crate::action::LANES;
use crate::reference::GaussianReference;
use linalg_core::simd::{Work, widest};

/// With mass $`A`$ every mode of the reference turns at the same rate, so that a drift is $`y' = y\cos h + v\sin h`$ without any
/// transform, and a kick is $`v' = v - h\,A^{-1}\nabla\Phi`$: a tridiagonal solve.
#[derive(Debug, Clone)]
pub(super) struct HmcReference {
    kicks: usize,
    velocity: Vec<f64>,
    gradient: Vec<f64>,
    old: Vec<f64>,
}

/// A quarter period: successive paths of the reference alone would be independent.
const TRAJECTORY: f64 = std::f64::consts::FRAC_PI_2;

const MOST_KICKS: usize = 200;

impl HmcReference {
    pub fn new() -> Self {
        Self { kicks: 5, velocity: Vec::new(), gradient: Vec::new(), old: Vec::new() }
    }
}

impl Sampler for HmcReference {
    fn step(&mut self, block: &mut Block) {
        let n = block.x.len();
        let hbar = block.hbar();
        let target = block.shared_target();
        let (cols, dim) = (block.cols(), block.dim());
        self.velocity.resize(n, 0.0);
        self.gradient.resize(n, 0.0);
        self.old.resize(n, 0.0);
        self.old.copy_from_slice(&block.x);
        // The potential at the start is that at the end of the step before.
        let (before, mut after) = (block.phi_here(), [0.0; LANES]);
        block.draw_reference(&mut self.velocity);
        let h = TRAJECTORY / self.kicks as f64;
        let mut work = vec![0.0; cols];
        rotate(&target, &mut block.x, &mut self.velocity, dim, 0.5 * h);
        for kick in 0..self.kicks {
            block.potential_gradient(&mut self.gradient);
            let turn = if kick + 1 == self.kicks { 0.5 * h } else { h };
            let (x, v, g) = (&mut block.x[..], &mut self.velocity[..], &mut self.gradient[..]);
            let mut pass = Pass { reference: target.reference(), x, v, g, work: &mut work, dim, h, turn };
            let full = cols / LANES * LANES;
            for first in (0..full).step_by(LANES) {
                widest(Kick::<LANES> { pass: &mut pass, first });
            }
        }
        block.phi(&mut after);
        let mut d = [0.0; LANES];
        for l in 0..LANES {
            let kinetic: f64 = work[l * dim..(l + 1) * dim].iter().sum();
            d[l] = (after[l] - before[l] + kinetic) / hbar;
        }
        block.settle(&d, &self.old, &before, &after);
    }

    fn adapt(&mut self, acceptance: f64) {
        if acceptance < 0.75 {
            self.kicks = (self.kicks + 1 + self.kicks / 4).min(MOST_KICKS);
        } else if acceptance > 0.97 && self.kicks > 3 {
            self.kicks -= 1;
        }
    }

    fn write(&self, out: &mut Writer) {
        out.write_usize(self.kicks);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Result<(), CheckpointError> {
        let at = from.position();
        self.kicks = from.read_usize()?;
        if !(1..=MOST_KICKS).contains(&self.kicks) {
            return Err(CheckpointError::Invalid { what: "number of kicks", at });
        }
        Ok(())
    }
}

/// The exact motion of the reference by an angle.
fn rotate(target: &super::Target, x: &mut [f64], v: &mut [f64], dim: usize, angle: f64) {
    let (sin, cos) = angle.sin_cos();
    let cols = LANES * dim;
    let mean = target.reference().mean();
    for (k, (x, v)) in x.chunks_exact_mut(cols).zip(v.chunks_exact_mut(cols)).enumerate() {
        if dim == 1 {
            let m = mean[k];
            for (x, v) in x.iter_mut().zip(v) {
                let y = *x - m;
                (*x, *v) = (m + (cos * y + sin * *v), cos * *v - sin * y);
            }
            continue;
        }
        for (c, (x, v)) in x.iter_mut().zip(v).enumerate() {
            let m = mean[k * dim + c % dim];
            let y = *x - m;
            (*x, *v) = (m + (cos * y + sin * *v), cos * *v - sin * y);
        }
    }
}

/// All that a kick and the drift after it touch.
struct Pass<'a> {
    reference: &'a GaussianReference,
    x: &'a mut [f64],
    v: &'a mut [f64],
    /// Gradient of the potential part; overwritten.
    g: &'a mut [f64],
    /// Change of the kinetic energy of every column.
    work: &'a mut [f64],
    dim: usize,
    h: f64,
    turn: f64,
}

/// A kick and a drift of `W` columns in two passes over the path.
struct Kick<'a, 'b, const W: usize> {
    pass: &'a mut Pass<'b>,
    first: usize,
}

#[inline(always)]
fn row<const W: usize>(data: &[f64], start: usize) -> [f64; W] {
    let mut out = [0.0; W];
    out.copy_from_slice(&data[start..start + W]);
    out
}

impl<const W: usize> Work for Kick<'_, '_, W> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { pass, first } = self;
        let (cols, h, dim) = (LANES * pass.dim, pass.h, pass.dim);
        let (chain, border, inverse, springs) = pass.reference.factors();
        let center = pass.reference.oscillator().center;
        let mean = pass.reference.mean();
        let n = inverse.len();
        // Forward: A y = ∇Φ up to the division by D, with v·∇Φ and ∇Φ·A⁻¹∇Φ on the way.
        let (mut carry, mut bordered, mut work) = ([0.0; W], [0.0; W], [0.0; W]);
        for k in 0..n {
            let start = k * cols + first;
            let (x, v, mut y) = (row::<W>(pass.x, start), row::<W>(pass.v, start), row::<W>(pass.g, start));
            let scale = if k > 0 { chain[k - 1] } else { 0.0 };
            let half = 0.5 * h * inverse[k];
            for l in 0..W {
                y[l] -= springs[k] * (x[l] - center);
                work[l] -= v[l] * y[l];
                y[l] += scale * carry[l];
            }
            if !border.is_empty() {
                if k + 1 == n {
                    for l in 0..W {
                        y[l] += bordered[l];
                    }
                } else {
                    for l in 0..W {
                        bordered[l] += border[k] * y[l];
                    }
                }
            }
            carry = y;
            for l in 0..W {
                work[l] += half * y[l] * y[l];
                pass.g[start + l] = y[l] * inverse[k];
            }
        }
        pass.work[first..first + W].iter_mut().zip(work).for_each(|(sum, w)| *sum += h * w);
        // Backward: w = A⁻¹∇Φ, the kick and the rotation.
        let (sin, cos) = pass.turn.sin_cos();
        let last = row::<W>(pass.g, (n - 1) * cols + first);
        let mut carry = [0.0; W];
        for k in (0..n).rev() {
            let start = k * cols + first;
            let mut w = row::<W>(pass.g, start);
            if k + 1 < n {
                for l in 0..W {
                    w[l] += chain[k] * carry[l];
                }
                if !border.is_empty() {
                    for l in 0..W {
                        w[l] += border[k] * last[l];
                    }
                }
            }
            carry = w;
            let mut m = [mean[k * dim]; W];
            if dim > 1 {
                for (l, m) in m.iter_mut().enumerate() {
                    *m = mean[k * dim + (first + l) % dim];
                }
            }
            let (x, v) = (row::<W>(pass.x, start), row::<W>(pass.v, start));
            for l in 0..W {
                let moved = v[l] - h * w[l];
                let y = x[l] - m[l];
                pass.x[start + l] = m[l] + (cos * y + sin * moved);
                pass.v[start + l] = cos * moved - sin * y;
            }
        }
    }
}
