//! References without statistical error: oscillators in closed form, spectra, transfer matrices, propagation on a grid.

mod oscillator;
mod propagator;
mod spectrum;
mod transfer;

pub use oscillator::{Oscillator, OscillatorLattice, free_kernel};
pub use propagator::Propagator;
pub use spectrum::Spectrum;
pub use transfer::TransferMatrix;

use crate::error::{Error, Result};
use crate::potential::System;
use crate::reference::ReferenceOscillator;

/// Decay of a wave function, as an exponent, at which a grid may end.
const DECAY: f64 = 40.0;

/// Where the low states of a system with one coordinate live: out to $`e^{-40}`$ of the ground state by the WKB exponent.
pub(crate) fn extent(system: &System) -> Result<(f64, f64)> {
    if system.dim() != 1 {
        let reason = "a grid is chosen for one coordinate only: pass the axes";
        return Err(Error::NotApplicable { what: "an automatic grid", reason });
    }
    let reference = ReferenceOscillator::variational(system)?;
    let width = (system.hbar() / (2.0 * system.mass() * reference.frequency)).sqrt();
    let v = |x: f64| system.potential().value(&[x]);
    // The ground state lies below the best Gaussian, which has no more than V at two widths for convex potentials.
    let energy = v(reference.center).max(v(reference.center + width)) + 0.25 * system.hbar() * reference.frequency;
    let reach = |sign: f64| {
        let step = 0.1 * width;
        let (mut x, mut exponent) = (reference.center, 0.0);
        for _ in 0..100_000 {
            if exponent > DECAY {
                return Ok(x);
            }
            x += sign * step;
            let above = v(x) - energy;
            if above.is_nan() {
                return Err(Error::NotFinite { what: "potential at grid point", index: 0, value: above });
            }
            exponent += step * (2.0 * system.mass() * above.max(0.0)).sqrt() / system.hbar();
        }
        let reason = "the potential does not confine: no grid holds its states";
        Err(Error::NotApplicable { what: "an automatic grid", reason })
    };
    Ok((reach(-1.0)?, reach(1.0)?))
}
