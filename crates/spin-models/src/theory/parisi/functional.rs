//! Parisi's functional of an order parameter with finitely many steps, with its gradient.

use linalg_core::logspace::ln_2cosh;
use linalg_core::special::{ln_normal_cdf, normal_pdf};

/// Half width of the grid of fields, beside the external field: what is beyond has weight below 1e-17.
const HALF_WIDTH: f64 = 9.0;
/// Standard deviations up to which a Gaussian is summed.
const REACH: f64 = 8.3;
/// Grid points at most to either side.
const MOST_POINTS: usize = 12_000;

/// An order parameter `γ(q) = β x(q)`: 0 below `q[0]`, `gamma[i]` between `q[i]` and `q[i + 1]`, β above the last one. At
/// T = 0 (`temperature` 0) the last value of `gamma` holds up to q = 1, and there is one as many as of q.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Steps {
    pub temperature: f64,
    pub field: f64,
    pub q: Vec<f64>,
    pub gamma: Vec<f64>,
}

/// The functional `P = φ(0, h) - ½ ∫ γ q dq`, whose minimum is minus the free energy, and its derivatives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evaluation {
    pub value: f64,
    pub d_q: Vec<f64>,
    pub d_gamma: Vec<f64>,
    /// `E[m²]` at the values of q.
    pub moments: Vec<f64>,
    /// `E[m]`, the magnetization.
    pub magnetization: f64,
    /// At T = 0: twice the density at 0 of the law of the field at q = 1, the limit of `∫γ dq` within T of q = 1; else 0.
    pub response_of_zero_fields: f64,
}

/// A function φ of the field on the grid, with its slope m; outside, φ = |y| + `offset` and m = ±1.
struct Profile {
    phi: Vec<f64>,
    slope: Vec<f64>,
    offset: f64,
}

struct Grid {
    spacing: f64,
    /// Points to either side of the middle one.
    half: usize,
    /// The field in the middle.
    middle: f64,
}

impl Grid {
    fn y(&self, j: isize) -> f64 {
        self.middle + (j - self.half as isize) as f64 * self.spacing
    }

    fn len(&self) -> usize {
        2 * self.half + 1
    }

    /// Weights of a Gaussian on the grid at distances 0, 1, …, as far as a tilt `e^{γ|y|}` leaves something of it.
    fn kernel(&self, variance: f64, gamma: f64) -> Vec<f64> {
        let std = variance.sqrt();
        let reach = (((REACH + gamma * std) * std / self.spacing).ceil() as usize).min(2 * self.half);
        let mut kernel: Vec<f64> =
            (0..=reach).map(|d| normal_pdf(d as f64 * self.spacing / std) * self.spacing / std).collect();
        let total = kernel[0] + 2.0 * kernel[1..].iter().sum::<f64>();
        kernel.iter_mut().for_each(|w| *w /= total);
        kernel
    }
}

/// Sums over a symmetric kernel of a padded array: `out[j] = Σ_d kernel[|d|] padded[pad + j + d]`.
fn convolve(kernel: &[f64], padded: &[f64], n: usize) -> Vec<f64> {
    let pad = kernel.len() - 1;
    let mut out: Vec<f64> = padded[pad..pad + n].iter().map(|x| kernel[0] * x).collect();
    for (d, &w) in kernel.iter().enumerate().skip(1) {
        let (below, above) = (&padded[pad - d..pad - d + n], &padded[pad + d..pad + d + n]);
        for ((out, a), b) in out.iter_mut().zip(below).zip(above) {
            *out += w * (a + b);
        }
    }
    out
}

/// `(1/γ) ln ∫Dz e^{γ|y + z√Δ|}`, its derivatives in y and γ.
fn smoothed_modulus(y: f64, gamma: f64, variance: f64) -> (f64, f64, f64) {
    let std = variance.sqrt();
    let size = y.abs();
    let up = ln_normal_cdf(size / std + gamma * std);
    let down = -2.0 * gamma * size + ln_normal_cdf(-size / std + gamma * std);
    let sum = linalg_core::logspace::log_add_exp(up, down);
    let (p, m) = ((up - sum).exp(), (down - sum).exp());
    let phi = size + 0.5 * gamma * variance + sum / gamma;
    // The mean of |y + z√Δ| under the tilted law.
    let edge = (-0.5 * (size / std).powi(2) - gamma * size - 0.5 * gamma * gamma * variance - sum).exp();
    let mean = (size + gamma * variance) * p
        + (gamma * variance - size) * m
        + 2.0 * std * edge / (2.0 * std::f64::consts::PI).sqrt();
    (phi, (p - m).copysign(y), (mean - phi) / gamma)
}

impl Steps {
    /// Largest product of γ and a field that the exponentials stand.
    pub const RANGE: f64 = 600.0;

    fn grid(&self) -> Grid {
        let widths = self.q.windows(2).map(|pair| (pair[1] - pair[0]).sqrt() / 1.6);
        let last = self.q.last().copied().unwrap_or(0.0);
        let end = if self.temperature > 0.0 { 0.3 * self.temperature } else { 0.55 * (1.0 - last).sqrt() };
        let start = if self.q[0] > 0.0 { self.q[0].sqrt() / 1.6 } else { f64::INFINITY };
        let reach = HALF_WIDTH + self.field.abs();
        let spacing = widths.fold(end.min(start).min(0.25), f64::min).max(reach / MOST_POINTS as f64);
        Grid { spacing, half: (reach / spacing).ceil() as usize, middle: self.field }
    }

    /// φ at the highest q, and its derivative in the γ above it at T = 0.
    fn end(&self, grid: &Grid) -> (Profile, Vec<f64>) {
        let above = 1.0 - self.q.last().copied().unwrap_or(0.0);
        let ys = (0..grid.len()).map(|j| grid.y(j as isize));
        if self.temperature > 0.0 {
            let offset = 0.5 * above / self.temperature;
            let phi = ys.clone().map(|y| self.temperature * ln_2cosh(y / self.temperature) + offset).collect();
            let slope = ys.map(|y| (y / self.temperature).tanh()).collect();
            return (Profile { phi, slope, offset }, Vec::new());
        }
        let gamma = self.gamma.last().copied().unwrap_or(0.0);
        let all: Vec<_> = ys.map(|y| smoothed_modulus(y, gamma, above)).collect();
        let profile = Profile {
            phi: all.iter().map(|a| a.0).collect(),
            slope: all.iter().map(|a| a.1).collect(),
            offset: 0.5 * gamma * above,
        };
        (profile, all.iter().map(|a| a.2).collect())
    }

    /// One step down in q by `variance` at constant γ; also the derivative of φ in γ.
    fn step(grid: &Grid, from: &Profile, gamma: f64, variance: f64) -> (Profile, Vec<f64>) {
        let kernel = grid.kernel(variance, gamma);
        let (n, pad) = (grid.len(), kernel.len() - 1);
        let at = |k: usize| {
            let j = k as isize - pad as isize;
            if (0..n as isize).contains(&j) {
                (from.phi[j as usize], from.slope[j as usize])
            } else {
                let y = grid.y(j);
                (y.abs() + from.offset, y.signum())
            }
        };
        let (mut weight, mut slope, mut value) = (Vec::new(), Vec::new(), Vec::new());
        for k in 0..n + 2 * pad {
            let (phi, m) = at(k);
            let w = (gamma * (phi - from.offset)).exp();
            weight.push(w);
            slope.push(w * m);
            value.push(w * (phi - from.offset));
        }
        let (weight, slope, value) =
            (convolve(&kernel, &weight, n), convolve(&kernel, &slope, n), convolve(&kernel, &value, n));
        let phi: Vec<f64> = weight.iter().map(|w| w.ln() / gamma + from.offset).collect();
        let slope = slope.iter().zip(&weight).map(|(m, w)| m / w).collect();
        let rise =
            value.iter().zip(&weight).zip(&phi).map(|((v, w), phi)| (v / w + from.offset - phi) / gamma).collect();
        (Profile { phi, slope, offset: from.offset + 0.5 * gamma * variance }, rise)
    }

    /// The functional and its derivatives. `O(k M W)` for a grid of M fields and Gaussians W points wide.
    pub fn evaluate(&self) -> Evaluation {
        let grid = self.grid();
        let (n, levels) = (grid.len(), self.q.len());
        let (end, end_rise) = self.end(&grid);
        let mut profiles = vec![end];
        let mut rises = Vec::new();
        for i in (1..levels).rev() {
            let variance = self.q[i] - self.q[i - 1];
            let (profile, rise) = Self::step(&grid, &profiles[profiles.len() - 1], self.gamma[i - 1], variance);
            profiles.push(profile);
            rises.push(rise);
        }
        profiles.reverse();
        rises.reverse();

        // Forward: the law of the field at the values of q.
        let mut law = vec![0.0; n];
        if self.q[0] > 0.0 {
            for (d, w) in grid.kernel(self.q[0], 0.0).into_iter().enumerate() {
                for j in [grid.half.checked_sub(d), Some(grid.half + d)].into_iter().flatten().filter(|j| *j < n) {
                    law[j] = w;
                }
            }
        } else {
            law[grid.half] = 1.0;
        }
        let mean = |law: &[f64], f: &dyn Fn(usize) -> f64| law.iter().enumerate().map(|(j, p)| p * f(j)).sum::<f64>();
        let mut value = mean(&law, &|j| profiles[0].phi[j]);
        let magnetization = mean(&law, &|j| profiles[0].slope[j]);
        let mut moments = vec![mean(&law, &|j| profiles[0].slope[j].powi(2))];
        let mut d_gamma = Vec::with_capacity(self.gamma.len());
        for i in 1..levels {
            let (gamma, low, high) = (self.gamma[i - 1], self.q[i - 1], self.q[i]);
            let square = high * high - low * low;
            value -= 0.25 * gamma * square;
            d_gamma.push(mean(&law, &|j| rises[i - 1][j]) - 0.25 * square);
            let (before, after) = (&profiles[i - 1], &profiles[i]);
            let kernel = grid.kernel(high - low, gamma);
            let pad = kernel.len() - 1;
            let mut source = vec![0.0; n + 2 * pad];
            for ((source, p), phi) in source[pad..].iter_mut().zip(&law).zip(&before.phi) {
                *source = p * (-gamma * (phi - after.offset)).exp();
            }
            law = convolve(&kernel, &source, n);
            for (p, phi) in law.iter_mut().zip(&after.phi) {
                *p *= (gamma * (phi - after.offset)).exp();
            }
            moments.push(mean(&law, &|j| after.slope[j].powi(2)));
        }
        let last = self.q[levels - 1];
        let mut response_of_zero_fields = 0.0;
        if self.temperature > 0.0 {
            value -= 0.25 * (1.0 - last * last) / self.temperature;
        } else {
            value -= 0.25 * self.gamma[levels - 1] * (1.0 - last * last);
            d_gamma.push(mean(&law, &|j| end_rise[j]) - 0.25 * (1.0 - last * last));
            let (gamma, std) = (self.gamma[levels - 1], (1.0 - last).sqrt());
            let end = &profiles[levels - 1].phi;
            let density = |j: usize| normal_pdf(grid.y(j as isize) / std) / std * (-gamma * end[j]).exp();
            response_of_zero_fields = 2.0 * mean(&law, &density);
        }
        let above = |i: usize| self.gamma.get(i).copied().unwrap_or(1.0 / self.temperature);
        let below = |i: usize| if i == 0 { 0.0 } else { self.gamma[i - 1] };
        let d_q = (0..levels).map(|i| 0.5 * (below(i) - above(i)) * (moments[i] - self.q[i])).collect();
        Evaluation { value, d_q, d_gamma, moments, magnetization, response_of_zero_fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn without_steps_it_is_replica_symmetric() {
        for (h, t) in [(0.3, 0.7), (0.0, 0.5), (-0.6, 1.4)] {
            let exact = crate::theory::ReplicaSymmetric::new(0.0, h).unwrap().at_temperature(t).unwrap();
            let steps = Steps { temperature: t, field: h, q: vec![exact.overlap], gamma: vec![] };
            let got = steps.evaluate();
            assert_relative_eq!(-got.value, exact.free_energy_per_spin, epsilon = 1e-12);
            assert_relative_eq!(got.moments[0], exact.overlap, epsilon = 1e-11);
            assert_relative_eq!(got.magnetization, exact.magnetization, epsilon = 1e-11);
            assert!(got.d_q[0].abs() < 1e-10);
        }
    }

    #[test]
    fn gradient_against_differences() {
        for steps in [
            Steps { temperature: 0.4, field: 0.0, q: vec![0.0, 0.3, 0.6], gamma: vec![0.4, 1.1] },
            Steps { temperature: 0.5, field: 0.3, q: vec![0.1, 0.3, 0.55], gamma: vec![0.4, 1.0] },
            Steps { temperature: 0.0, field: 0.0, q: vec![0.0, 0.4, 0.9], gamma: vec![0.3, 1.0, 2.5] },
            Steps { temperature: 0.0, field: 0.2, q: vec![0.2], gamma: vec![1.3] },
        ] {
            let at = steps.evaluate();
            let d = 1e-5;
            for i in 0..steps.q.len() {
                // The lowest overlap is held at 0 without a field.
                if steps.q[i] == 0.0 {
                    continue;
                }
                let value = |d: f64| {
                    let mut moved = steps.clone();
                    moved.q[i] += d;
                    moved.evaluate().value
                };
                assert_relative_eq!(at.d_q[i], (value(d) - value(-d)) / (2.0 * d), epsilon = 1e-6);
            }
            for i in 0..steps.gamma.len() {
                let value = |d: f64| {
                    let mut moved = steps.clone();
                    moved.gamma[i] += d;
                    moved.evaluate().value
                };
                assert_relative_eq!(at.d_gamma[i], (value(d) - value(-d)) / (2.0 * d), epsilon = 1e-6);
            }
        }
    }

    #[test]
    fn one_step_against_a_double_integral() {
        // P = (1/γ) ln ∫Dz (2cosh β√q z)^{γ/β} + β(1 - q)/2 - ½∫γq.
        let (t, q, gamma) = (0.4, 0.6, 0.9);
        let got = Steps { temperature: t, field: 0.0, q: vec![0.0, q], gamma: vec![gamma] }.evaluate().value;
        let integrand = |z: f64| normal_pdf(z) * (gamma * t * ln_2cosh(q.sqrt() * z / t)).exp();
        let integral = linalg_core::quadrature::integrate(integrand, -14.0, 14.0).unwrap();
        let exact = integral.value.ln() / gamma + 0.5 * (1.0 - q) / t - 0.25 * gamma * q * q - 0.25 * (1.0 - q * q) / t;
        assert_relative_eq!(got, exact, epsilon = 1e-11);
        // A finer step that does nothing changes nothing.
        let split = Steps { temperature: t, field: 0.0, q: vec![0.0, 0.2, q], gamma: vec![gamma, gamma] };
        assert_relative_eq!(split.evaluate().value, exact, epsilon = 1e-11);
    }
}
