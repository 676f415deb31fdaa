//! Inner loops of the measurements, over [`LANES`] columns at a time.

use linalg_core::simd::Work;

use crate::action::LANES;

/// Two-sided exponential filter of a column group: $`\sum_m q^{|n-m|} r_m`$, over all images of a ring.
pub(super) struct Filter<'a> {
    pub residual: &'a [f64],
    pub filtered: &'a mut [f64],
    pub cols: usize,
    pub first: usize,
    pub q: f64,
    /// $`1/(1-q^N)`$ for rings, 0 else.
    pub wrap: f64,
}

impl Work for Filter<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::needless_range_loop)]
    fn run(self) {
        let Self { residual, filtered, cols, first, q, wrap } = self;
        let n = residual.len() / cols;
        let (mut forth, mut back) = ([0.0; LANES], [0.0; LANES]);
        if wrap > 0.0 {
            // What the images before and after the ring contribute.
            for k in 0..n {
                let (a, b) = (k * cols + first, (n - 1 - k) * cols + first);
                for l in 0..LANES {
                    forth[l] = q * forth[l] + residual[a + l];
                    back[l] = q * (back[l] + residual[b + l]);
                }
            }
            for l in 0..LANES {
                forth[l] *= wrap;
                back[l] *= wrap;
            }
        }
        for k in 0..n {
            let start = k * cols + first;
            for l in 0..LANES {
                forth[l] = q * forth[l] + residual[start + l];
                filtered[start + l] = forth[l];
            }
        }
        for k in (0..n).rev() {
            let start = k * cols + first;
            for l in 0..LANES {
                filtered[start + l] += back[l];
                back[l] = q * (back[l] + residual[start + l]);
            }
        }
    }
}

/// Sums of $`a_0 g'(u) + g(u) R`$ over the window for each power $`g = u^p`$ and each column of a group.
pub(super) struct Weigh<'a> {
    pub powers: &'a [i32],
    pub points: &'a [f64],
    pub filtered: &'a [f64],
    pub sums: &'a mut [f64],
    pub cols: usize,
    pub first: usize,
    pub own: f64,
}

impl Weigh<'_> {
    #[inline(always)]
    fn add(&mut self, place: usize, function: impl Fn(f64) -> (f64, f64)) {
        let mut sums = [0.0; LANES];
        for (u, r) in self.points.chunks_exact(self.cols).zip(self.filtered.chunks_exact(self.cols)) {
            let (u, r) = (&u[self.first..self.first + LANES], &r[self.first..self.first + LANES]);
            for l in 0..LANES {
                let (g, slope) = function(u[l]);
                sums[l] += self.own * slope + g * r[l];
            }
        }
        let start = place * self.cols + self.first;
        self.sums[start..start + LANES].copy_from_slice(&sums);
    }
}

impl Work for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for (place, &power) in self.powers.iter().enumerate() {
            match power {
                0 => self.add(place, |_| (1.0, 0.0)),
                1 => self.add(place, |u| (u, 1.0)),
                2 => self.add(place, |u| (u * u, 2.0 * u)),
                3 => self.add(place, |u| (u * u * u, 3.0 * u * u)),
                _ => self.add(place, |u| (u * (u * u) * (u * u), 5.0 * (u * u) * (u * u))),
            }
        }
    }
}

/// Sums of $`a_t\,g'(u_0) + g(u_0)\,R_t`$ over pairs of points a lag $`t`$ apart in both directions, for $`g = u`$ and $`u^3`$; $`a_t`$ is `own`.
pub(super) struct LaggedForces<'a> {
    pub points: &'a [f64],
    pub forces: &'a [f64],
    pub lag: usize,
    pub pairs: usize,
    pub closed: bool,
    pub own: f64,
    pub total: &'a mut [f64; 2],
}

impl Work for LaggedForces<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { points, forces, lag, pairs, closed, own, total } = self;
        let n = points.len() / LANES;
        let mut sums = [[0.0; LANES]; 2];
        for k in 0..pairs {
            let other = if closed { (k + lag) % n } else { k + lag };
            let (i, j) = (k * LANES, other * LANES);
            let (u, v) = (&points[i..i + LANES], &points[j..j + LANES]);
            let (r, s) = (&forces[i..i + LANES], &forces[j..j + LANES]);
            for l in 0..LANES {
                let (square, other_square) = (u[l] * u[l], v[l] * v[l]);
                sums[0][l] += own + 0.5 * (u[l] * s[l] + v[l] * r[l]);
                sums[1][l] +=
                    1.5 * own * (square + other_square) + 0.5 * (square * u[l] * s[l] + other_square * v[l] * r[l]);
            }
        }
        for (t, s) in total.iter_mut().zip(&sums) {
            *t = s.iter().sum();
        }
    }
}

/// Sums of products of rows a lag apart.
pub(super) struct Products<'a> {
    pub a: &'a [f64],
    pub b: &'a [f64],
    pub lag: usize,
    pub pairs: usize,
    pub closed: bool,
    pub total: &'a mut [f64; 3],
}

impl Work for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { a, b, lag, pairs, closed, total } = self;
        let n = a.len() / LANES;
        let mut sums = [[0.0; LANES]; 3];
        for k in 0..pairs {
            let other = if closed { (k + lag) % n } else { k + lag };
            let (i, j) = (k * LANES, other * LANES);
            for l in 0..LANES {
                sums[0][l] += a[i + l] * a[j + l];
                sums[1][l] += 0.5 * (a[i + l] * b[j + l] + b[i + l] * a[j + l]);
                sums[2][l] += b[i + l] * b[j + l];
            }
        }
        for (t, s) in total.iter_mut().zip(&sums) {
            *t = s.iter().sum();
        }
    }
}
