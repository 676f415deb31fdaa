//! The loops: blocks of targets against particles and against multipoles.

// Loops over dimensions are unrolled and loops over lanes vectorised as they stand.
#![allow(clippy::needless_range_loop)]

use linalg_core::simd::Work;

/// Targets that share a walk.
pub(super) const LANES: usize = 16;

/// Charge, dipole, quadrupole and octupole about `centre`: $`\sum c`$, $`\sum c u`$, $`\sum c\,u u^T`$,
/// $`\sum c\,u u u`$, and the traces of the last two.
#[derive(Debug, Clone)]
pub(super) struct Moments<const D: usize> {
    pub centre: [f64; D],
    pub charge: f64,
    pub dipole: [f64; D],
    pub quadrupole: [[f64; D]; D],
    pub octupole: [[[f64; D]; D]; D],
    pub trace: f64,
    /// $`\sum c\,|u|^2 u`$.
    pub octupole_trace: [f64; D],
}

impl<const D: usize> Moments<D> {
    pub fn new(centre: [f64; D]) -> Self {
        Self {
            centre,
            charge: 0.0,
            dipole: [0.0; D],
            quadrupole: [[0.0; D]; D],
            octupole: [[[0.0; D]; D]; D],
            trace: 0.0,
            octupole_trace: [0.0; D],
        }
    }

    pub fn clear(&mut self) {
        *self = Self::new(self.centre);
    }

    /// Adds a charge.
    pub fn add_charge(&mut self, place: &[f64; D], charge: f64) {
        let u: [f64; D] = std::array::from_fn(|a| place[a] - self.centre[a]);
        self.charge += charge;
        for a in 0..D {
            let first = charge * u[a];
            self.dipole[a] += first;
            for b in 0..D {
                let second = first * u[b];
                self.quadrupole[a][b] += second;
                (0..D).for_each(|c| self.octupole[a][b][c] += second * u[c]);
            }
        }
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
                for c in 0..D {
                    self.octupole[a][b][c] += part.octupole[a][b][c]
                        + part.quadrupole[a][b] * shift[c]
                        + part.quadrupole[a][c] * shift[b]
                        + part.quadrupole[b][c] * shift[a]
                        + part.dipole[a] * shift[b] * shift[c]
                        + part.dipole[b] * shift[a] * shift[c]
                        + part.dipole[c] * shift[a] * shift[b]
                        + part.charge * shift[a] * shift[b] * shift[c];
                }
            }
        }
    }

    pub fn finish(&mut self) {
        self.trace = (0..D).map(|a| self.quadrupole[a][a]).sum();
        self.octupole_trace = std::array::from_fn(|a| (0..D).map(|b| self.octupole[a][b][b]).sum());
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

/// Adds the sources of all stretches; `GRADIENT` says whether gradients are wanted.
pub(super) struct Near<'a, const D: usize, const GRADIENT: bool> {
    pub block: &'a mut Block<D>,
    pub places: &'a [[f64; D]],
    pub charges: &'a [f64],
    /// First source and the one after the last of each.
    pub stretches: &'a [(u32, u32)],
    pub softening2: f64,
}

impl<const D: usize, const GRADIENT: bool> Work for Near<'_, D, GRADIENT> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let place = &self.block.place;
        let mut potential = [0.0; LANES];
        let mut gradient = [[0.0; LANES]; D];
        for &(first, last) in self.stretches {
            let range = first as usize..last as usize;
            for (y, &charge) in self.places[range.clone()].iter().zip(&self.charges[range]) {
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

    /// With $`d`$ from the centre and $`t_a = \sum_b M_{3,abb}`$,
    /// $`\phi = M_0 k + (d\cdot M_1) k^3 + \tfrac12 [3\,M_2 d d\,k^5 - \operatorname{tr} M_2\,k^3]
    /// + \tfrac12 [5\,M_3 d d d\,k^7 - 3\,(t\cdot d)\,k^5]`$.
    #[inline(always)]
    fn run(self) {
        let place = &self.block.place;
        let mut potential = [0.0; LANES];
        let mut gradient = [[0.0; LANES]; D];
        for &cell in self.list {
            let m = &self.moments[cell as usize];
            // Arrays over lanes and loops over lanes innermost: as one loop over lanes with small arrays inside, this is not
            // vectorised and four times slower.
            let mut d = [[0.0; LANES]; D];
            let (mut square, mut dipole, mut trace) = ([self.softening2; LANES], [0.0; LANES], [0.0; LANES]);
            for a in 0..D {
                for lane in 0..LANES {
                    d[a][lane] = place[a][lane] - m.centre[a];
                    square[lane] += d[a][lane] * d[a][lane];
                    dipole[lane] += d[a][lane] * m.dipole[a];
                    trace[lane] += d[a][lane] * m.octupole_trace[a];
                }
            }
            // M₂ d and M₃ d d; of the symmetric octupole every pair of indices is taken once, doubled when they differ.
            let (mut turned, mut twice) = ([[0.0; LANES]; D], [[0.0; LANES]; D]);
            for b in 0..D {
                for c in 0..=b {
                    let weight = if b == c { 1.0 } else { 2.0 };
                    let mut product = [0.0; LANES];
                    for lane in 0..LANES {
                        product[lane] = weight * d[b][lane] * d[c][lane];
                    }
                    for a in 0..D {
                        let o = m.octupole[a][b][c];
                        for lane in 0..LANES {
                            twice[a][lane] += o * product[lane];
                        }
                    }
                }
                for a in 0..D {
                    let q = m.quadrupole[a][b];
                    for lane in 0..LANES {
                        turned[a][lane] += q * d[b][lane];
                    }
                }
            }
            let mut along = [0.0; LANES];
            let mut powers = [[0.0; LANES]; 3];
            for lane in 0..LANES {
                let (mut quadrupole, mut octupole) = (0.0, 0.0);
                for a in 0..D {
                    quadrupole += d[a][lane] * turned[a][lane];
                    octupole += d[a][lane] * twice[a][lane];
                }
                let k2 = 1.0 / square[lane];
                let k = k2.sqrt();
                let k3 = k * k2;
                let k5 = k3 * k2;
                let k7 = k5 * k2;
                let second = dipole[lane] - 0.5 * m.trace;
                let third = 1.5 * (quadrupole - trace[lane]);
                potential[lane] += m.charge * k + second * k3 + third * k5 + 2.5 * octupole * k7;
                along[lane] = m.charge * k3 + 3.0 * second * k5 + (5.0 * third + 17.5 * octupole * k2) * k7;
                (powers[0][lane], powers[1][lane], powers[2][lane]) = (k3, k5, k7);
            }
            if GRADIENT {
                let [k3, k5, k7] = &powers;
                for a in 0..D {
                    for lane in 0..LANES {
                        let second = 3.0 * turned[a][lane] - 1.5 * m.octupole_trace[a];
                        let across = m.dipole[a] * k3[lane] + second * k5[lane] + 7.5 * twice[a][lane] * k7[lane];
                        gradient[a][lane] += across - along[lane] * d[a][lane];
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
