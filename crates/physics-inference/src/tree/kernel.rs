//! The loops: blocks of targets against particles and against multipoles.

// Loops over dimensions are unrolled and loops over lanes vectorised as they stand.
#![allow(clippy::needless_range_loop)]

use linalg_core::simd::Work;

/// Targets that share a walk.
pub(super) const LANES: usize = 16;

/// Charge, dipole and quadrupole about `centre`: $`\sum c`$, $`\sum c u`$, $`\sum c\,u u^T`$ and its trace.
#[derive(Debug, Clone)]
pub(super) struct Moments<const D: usize> {
    pub centre: [f64; D],
    pub charge: f64,
    pub dipole: [f64; D],
    pub quadrupole: [[f64; D]; D],
    pub trace: f64,
}

impl<const D: usize> Moments<D> {
    pub fn new(centre: [f64; D]) -> Self {
        Self { centre, charge: 0.0, dipole: [0.0; D], quadrupole: [[0.0; D]; D], trace: 0.0 }
    }

    pub fn clear(&mut self) {
        *self = Self::new(self.centre);
    }

    /// Adds the moments of a part, which have another centre.
    pub fn add(&mut self, part: &Self) {
        let shift: [f64; D] = std::array::from_fn(|a| part.centre[a] - self.centre[a]);
        self.charge += part.charge;
        for a in 0..D {
            self.dipole[a] += part.dipole[a] + part.charge * shift[a];
            for b in 0..D {
                self.quadrupole[a][b] += part.quadrupole[a][b]
                    + part.dipole[a] * shift[b]
                    + shift[a] * part.dipole[b]
                    + part.charge * shift[a] * shift[b];
            }
        }
    }

    pub fn finish(&mut self) {
        self.trace = (0..D).map(|a| self.quadrupole[a][a]).sum();
    }
}

/// A block of targets and what is summed for them.
#[derive(Debug, Clone)]
pub(super) struct Block<const D: usize> {
    /// Coordinates, an array a dimension; the last block is filled up with copies.
    pub place: [[f64; LANES]; D],
    pub centre: [f64; D],
    pub radius: f64,
    pub potential: [f64; LANES],
    pub gradient: [[f64; LANES]; D],
}

/// Adds the sources in `range`; `GRADIENT` says whether gradients are wanted.
pub(super) struct Near<'a, const D: usize, const GRADIENT: bool> {
    pub block: &'a mut Block<D>,
    pub places: &'a [[f64; D]],
    pub charges: &'a [f64],
    pub softening2: f64,
}

impl<const D: usize, const GRADIENT: bool> Work for Near<'_, D, GRADIENT> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let place = &self.block.place;
        let mut potential = [0.0; LANES];
        let mut gradient = [[0.0; LANES]; D];
        for (y, &charge) in self.places.iter().zip(self.charges) {
            for lane in 0..LANES {
                let mut d = [0.0; D];
                let mut square = self.softening2;
                for a in 0..D {
                    d[a] = place[a][lane] - y[a];
                    square += d[a] * d[a];
                }
                let k = 1.0 / square.sqrt();
                potential[lane] += charge * k;
                if GRADIENT {
                    let slope = charge * k * k * k;
                    for a in 0..D {
                        gradient[a][lane] -= slope * d[a];
                    }
                }
            }
        }
        add(self.block, &potential, &gradient);
    }
}

/// Adds cells as multipoles.
pub(super) struct Far<'a, const D: usize, const GRADIENT: bool> {
    pub block: &'a mut Block<D>,
    pub moments: &'a [Moments<D>],
    pub list: &'a [u32],
    pub softening2: f64,
}

impl<const D: usize, const GRADIENT: bool> Work for Far<'_, D, GRADIENT> {
    type Output = ();

    /// $`\phi = M_0 k + (d\cdot M_1) k^3 + \tfrac12 [3\,d^T M_2 d\,k^5 - \operatorname{tr} M_2\,k^3]`$ with $`d`$ from the centre.
    #[inline(always)]
    fn run(self) {
        let place = &self.block.place;
        let mut potential = [0.0; LANES];
        let mut gradient = [[0.0; LANES]; D];
        for &cell in self.list {
            let m = &self.moments[cell as usize];
            for lane in 0..LANES {
                let mut d = [0.0; D];
                let mut square = self.softening2;
                let mut dipole = 0.0;
                for a in 0..D {
                    d[a] = place[a][lane] - m.centre[a];
                    square += d[a] * d[a];
                    dipole += d[a] * m.dipole[a];
                }
                let mut turned = [0.0; D];
                let mut quadrupole = 0.0;
                for a in 0..D {
                    for b in 0..D {
                        turned[a] += m.quadrupole[a][b] * d[b];
                    }
                    quadrupole += d[a] * turned[a];
                }
                let k2 = 1.0 / square;
                let k = k2.sqrt();
                let k3 = k * k2;
                let k5 = k3 * k2;
                let second = dipole - 0.5 * m.trace;
                potential[lane] += m.charge * k + second * k3 + 1.5 * quadrupole * k5;
                if GRADIENT {
                    let along = (m.charge + 3.0 * second * k2) * k3 + 7.5 * quadrupole * k5 * k2;
                    for a in 0..D {
                        gradient[a][lane] += m.dipole[a] * k3 + 3.0 * turned[a] * k5 - along * d[a];
                    }
                }
            }
        }
        add(self.block, &potential, &gradient);
    }
}

#[inline(always)]
fn add<const D: usize>(block: &mut Block<D>, potential: &[f64; LANES], gradient: &[[f64; LANES]; D]) {
    for lane in 0..LANES {
        block.potential[lane] += potential[lane];
    }
    for a in 0..D {
        for lane in 0..LANES {
            block.gradient[a][lane] += gradient[a][lane];
        }
    }
}
