//! Message passing in the Hopfield model, pattern by pattern instead of pair by pair.

use linalg_core::Observer;
use spin_models::Progress;
use spin_models::hopfield::Patterns;

use crate::error::{check_beta, check_positive, check_range};
use crate::{Error, Result};

/// How the equations are iterated.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct HopfieldParams {
    /// Part of the old value that is kept, in `[0, 1)`; default 0.
    pub damping: f64,
    /// Converged when no magnetization changes by more than this; default 1e-10.
    pub tolerance: f64,
    /// Most iterations; default 1000.
    pub max_sweeps: u64,
}

impl Default for HopfieldParams {
    fn default() -> Self {
        Self { damping: 0.0, tolerance: 1e-10, max_sweeps: 1000 }
    }
}

impl HopfieldParams {
    /// Sets the part of the old value that is kept.
    pub fn damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    /// Sets the tolerance.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the number of iterations after which it is given up.
    pub fn max_sweeps(mut self, max_sweeps: u64) -> Self {
        self.max_sweeps = max_sweeps;
        self
    }

    fn validate(&self) -> Result<()> {
        check_range("damping", self.damping, 0.0, 1.0 - f64::EPSILON, "a number from 0 to below 1")?;
        check_range("tolerance", self.tolerance, 0.0, 1.0, "a number from 0 to 1")?;
        check_positive("max_sweeps", usize::try_from(self.max_sweeps).unwrap_or(usize::MAX))
    }
}

/// A fixed point, or the last iterate where there was none.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct HopfieldSolution {
    /// The TAP approximation of ln Z of the state at these magnetizations; not to be trusted unless converged.
    pub ln_z: f64,
    /// Its mean energy.
    pub energy: f64,
    /// The magnetizations.
    pub magnetizations: Vec<f64>,
    /// Their overlaps with the patterns.
    pub overlaps: Vec<f64>,
    /// Whether the last iteration changed no magnetization by more than the tolerance.
    pub converged: bool,
    /// The largest change of a magnetization in the last iteration, undamped. Infinite when the Gaussian integrals over the
    /// patterns ceased to exist, β (1 - q) ≥ 1, or fields the range of numbers, and the iteration ended before.
    pub residual: f64,
    /// Iterations done.
    pub sweeps: u64,
}

/// The TAP equations of the Hopfield model with the reaction term that its correlated couplings call for (Mézard, Phys.
/// Rev. E 95, 022117 (2017)).
///
/// ```math
/// m_i = \tanh\Bigl[ \beta \sum_{j \ne i} J_{ij} m_j - \alpha \beta \frac{\beta(1 - q)}{1 - \beta(1 - q)} m_i \Bigr], \qquad
/// q = \frac1N \sum_i m_i^2, \quad \alpha = P/N
/// ```
///
/// The reaction term of independent couplings, $`\alpha\beta^2(1 - q) m_i`$, is its first order and wrong here. The free
/// energy of which these are the stationary points is
///
/// ```math
/// \ln Z = \sum_i S(m_i) + \beta \sum_{i<j} J_{ij} m_i m_j - \tfrac{P}{2} \bigl[ \beta(1-q) + \ln(1 - \beta(1-q)) \bigr]
/// ```
///
/// The iteration keeps a field for every pattern, with the times that make its fluctuations those of a cavity: with
/// $`F_{\mu i} = \xi_i^\mu/\sqrt{N}`$, V = 1 - q and $`g_\mu = \beta \omega_\mu / (1 - \beta V)`$,
///
/// ```math
/// \omega^t = F m^t - V^t g^{t-1}, \qquad m^{t+1} = \tanh\bigl(F^T g^t - \tfrac{\alpha\beta}{1 - \beta V^t} m^t\bigr)
/// ```
///
/// One set of equations serves all patterns: which state is found depends on the start alone. Below $`T_g = 1 + \sqrt\alpha`$,
/// where patterns are not retrieved, the iteration does not settle; with damping it may at m = 0, a stationary point of the
/// free energy still, which is not the glass. Cost: `O(N P)` an iteration.
///
/// ```
/// use variational::mean_field::{HopfieldTap, Patterns};
///
/// // One pattern is a ferromagnet after a gauge: m = tanh(βm) up to 1/N.
/// let patterns = Patterns::new(2000, (0..2000).map(|i| if i % 3 == 0 { 1 } else { -1 }).collect())?;
/// let start: Vec<f64> = patterns.pattern(0).iter().map(|&s| 0.9 * f64::from(s)).collect();
/// let state = HopfieldTap::default().fit(&patterns, 1.5, &start, &mut ())?;
/// assert!(state.converged && (state.overlaps[0] - (1.5 * state.overlaps[0]).tanh()).abs() < 1e-3);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HopfieldTap {
    params: HopfieldParams,
}

/// Belief propagation between the spins and the patterns of a Hopfield model, with Gaussian messages.
///
/// Each pattern is a factor $`\exp(\frac{\beta}{2} z_\mu^2)`$ with $`z_\mu = \sum_i F_{\mu i} s_i`$, and by the central limit
/// theorem only mean and variance of z matter:
///
/// ```math
/// m_{i \to \mu} = \tanh \sum_{\nu \ne \mu} u_{\nu \to i}, \qquad
/// u_{\mu \to i} = F_{\mu i} \frac{\beta \sum_{j \ne i} F_{\mu j} m_{j \to \mu}}{1 - \beta V_{\mu \to i}}, \qquad
/// V_{\mu \to i} = \tfrac1N \sum_{j \ne i} (1 - m_{j \to \mu}^2)
/// ```
///
/// That holds for patterns of overlaps of the order $`1/\sqrt{N}`$. One that is retrieved acts on every spin with a finite
/// field, and its z is far from where the messages without it would put it; its auxiliary variable is concentrated, and it
/// acts as the mean field $`\beta \xi_i \frac{1}{N} \sum_{j \ne i} \xi_j m_j`$. So the equations must be told which pattern
/// condenses, where [`HopfieldTap`] has one set for all (Mézard); told wrongly they lose the state. With many patterns both
/// have the same fixed points, TAP in memory of the order N instead of N P. Cost: `O(N P)` an iteration.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HopfieldBp {
    params: HopfieldParams,
}

/// What the iterations share: the last magnetizations, their last change, and how many there were.
type End = (Vec<f64>, f64, u64);

fn check(params: &HopfieldParams, patterns: &Patterns, beta: f64, start: &[f64]) -> Result<()> {
    params.validate()?;
    check_beta(beta)?;
    if start.len() != patterns.n_spins() {
        return Err(Error::WrongLength {
            what: "first magnetizations",
            got: start.len(),
            expected: patterns.n_spins(),
        });
    }
    match start.iter().position(|m| !(-1.0..=1.0).contains(m)) {
        None => Ok(()),
        Some(i) => {
            let value = format!("{} at site {i}", start[i]);
            Err(Error::Parameter { what: "magnetization", value, expected: "a number from -1 to 1" })
        }
    }
}

fn mean_square(m: &[f64]) -> f64 {
    m.iter().map(|m| m * m).sum::<f64>() / m.len() as f64
}

/// The TAP free energy at these magnetizations.
fn report(patterns: &Patterns, beta: f64, (m, residual, sweeps): End, tolerance: f64) -> HopfieldSolution {
    let (n, p) = (patterns.n_spins() as f64, patterns.n_patterns() as f64);
    let overlaps = patterns.overlaps(&m);
    let spread = 1.0 - mean_square(&m);
    let half = |x: f64| if x > 0.0 { -x * x.ln() } else { 0.0 };
    let entropy: f64 = m.iter().map(|m| half(0.5 * (1.0 + m)) + half(0.5 * (1.0 - m))).sum();
    // Σ_{i<j} J m m: all pairs of each pattern less the diagonal.
    let pairs = 0.5 * (n * overlaps.iter().map(|o| o * o).sum::<f64>() - p * (1.0 - spread));
    let x = beta * spread;
    // Beyond 1 the Gaussian integral is infinite.
    let (volume, slope) = match (p > 0.0, x < 1.0) {
        (false, _) => (0.0, 0.0),
        (true, true) => (-0.5 * p * (x + (-x).ln_1p()), 0.5 * p * spread * x / (1.0 - x)),
        (true, false) => (f64::INFINITY, f64::INFINITY),
    };
    let ln_z = entropy + beta * pairs + volume;
    let energy = -pairs - slope;
    let converged = residual <= tolerance;
    HopfieldSolution { ln_z, energy, magnetizations: m, overlaps, converged, residual, sweeps }
}

/// Mixes in the new magnetizations; the largest change.
fn mix(m: &mut [f64], new: impl Iterator<Item = f64>, damping: f64) -> f64 {
    let mut residual: f64 = 0.0;
    for (m, new) in m.iter_mut().zip(new) {
        let change = (new - *m).abs();
        residual = residual.max(change);
        *m += (1.0 - damping) * (new - *m);
    }
    residual
}

impl HopfieldTap {
    /// With these parameters; they are checked when a model is solved.
    pub fn new(params: HopfieldParams) -> Self {
        Self { params }
    }

    /// Iterates from these magnetizations, for example from a pattern.
    ///
    /// # Errors
    /// [`Error::Parameter`] for parameters or magnetizations out of range; [`Error::WrongLength`] for another number of
    /// spins; β that is negative or not finite. A stop by the observer ends the iteration.
    pub fn fit(
        &self,
        patterns: &Patterns,
        beta: f64,
        start: &[f64],
        observer: &mut dyn Observer<Progress>,
    ) -> Result<HopfieldSolution> {
        check(&self.params, patterns, beta, start)?;
        let HopfieldParams { damping, tolerance, max_sweeps } = self.params;
        let (n, p) = (patterns.n_spins(), patterns.n_patterns());
        let root = 1.0 / (n as f64).sqrt();
        let mut m = start.to_vec();
        let mut g: Vec<f64> = vec![0.0; p];
        let mut field = vec![0.0; n];
        let (mut sweeps, mut residual) = (0, f64::INFINITY);
        while sweeps < max_sweeps {
            let spread = 1.0 - mean_square(&m);
            let room = 1.0 - beta * spread;
            if room <= 0.0 {
                residual = f64::INFINITY;
                break;
            }
            let reaction = p as f64 / n as f64 * beta / room;
            field.iter_mut().zip(&m).for_each(|(h, m)| *h = -reaction * m);
            for (g, row) in g.iter_mut().zip(patterns.iter()) {
                let sum = root * row.iter().zip(&m).map(|(&s, m)| f64::from(s) * m).sum::<f64>();
                let new = beta * (sum - spread * *g) / room;
                *g = if sweeps == 0 { beta * sum } else { *g + (1.0 - damping) * (new - *g) };
                let force = root * *g;
                field.iter_mut().zip(row).for_each(|(h, &s)| *h += force * f64::from(s));
            }
            if field.iter().any(|h| !h.is_finite()) {
                residual = f64::INFINITY;
                break;
            }
            residual = mix(&mut m, field.iter().map(|h| h.tanh()), damping);
            sweeps += 1;
            let stop = observer.observe(&Progress::new("iterating", sweeps, max_sweeps)).is_break();
            if residual <= tolerance || stop {
                break;
            }
        }
        Ok(report(patterns, beta, (m, residual, sweeps), tolerance))
    }
}

impl HopfieldBp {
    /// With these parameters; they are checked when a model is solved.
    pub fn new(params: HopfieldParams) -> Self {
        Self { params }
    }

    /// Iterates from messages of these magnetizations, with at most one pattern condensed.
    ///
    /// # Errors
    /// As [`HopfieldTap::fit`]; [`Error::Parameter`] for a pattern that does not exist.
    pub fn fit(
        &self,
        patterns: &Patterns,
        beta: f64,
        start: &[f64],
        condensed: Option<usize>,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<HopfieldSolution> {
        check(&self.params, patterns, beta, start)?;
        let HopfieldParams { damping, tolerance, max_sweeps } = self.params;
        let (n, p) = (patterns.n_spins(), patterns.n_patterns());
        if let Some(mu) = condensed.filter(|&mu| mu >= p) {
            let (what, value) = ("condensed pattern", mu.to_string());
            return Err(Error::Parameter { what, value, expected: "the number of a pattern" });
        }
        let (root, per) = (1.0 / (n as f64).sqrt(), 1.0 / n as f64);
        // Messages to each pattern, a row of spins.
        let mut messages: Vec<f64> = start.iter().copied().cycle().take(n * p).collect();
        let mut u = vec![0.0; n * p];
        let mut m = start.to_vec();
        let (mut sweeps, mut residual) = (0, f64::INFINITY);
        'iterate: while sweeps < max_sweeps {
            let mut field = vec![0.0; n];
            let rows = patterns.iter().zip(messages.chunks_exact(n)).zip(u.chunks_exact_mut(n));
            for (mu, ((row, messages), u)) in rows.enumerate() {
                if condensed == Some(mu) {
                    // Stays in the field of every message: u is 0.
                    let sum: f64 = row.iter().zip(&m).map(|(&s, m)| f64::from(s) * m).sum();
                    for ((h, &s), m) in field.iter_mut().zip(row).zip(&m) {
                        *h += beta * per * f64::from(s) * (sum - f64::from(s) * m);
                    }
                    continue;
                }
                let sum: f64 = row.iter().zip(messages).map(|(&s, m)| f64::from(s) * m).sum();
                let spread = 1.0 - mean_square(messages);
                for (i, u) in u.iter_mut().enumerate() {
                    let s = f64::from(row[i]);
                    let room = 1.0 - beta * (spread - per * (1.0 - messages[i] * messages[i]));
                    if room <= 0.0 {
                        residual = f64::INFINITY;
                        break 'iterate;
                    }
                    *u = root * s * beta * root * (sum - s * messages[i]) / room;
                    field[i] += *u;
                }
            }
            if field.iter().any(|h| !h.is_finite()) {
                residual = f64::INFINITY;
                break;
            }
            residual = mix(&mut m, field.iter().map(|h| h.tanh()), damping);
            for (messages, u) in messages.chunks_exact_mut(n).zip(u.chunks_exact(n)) {
                let new = field.iter().zip(u).map(|(h, u)| (h - u).tanh());
                residual = residual.max(mix(messages, new, damping));
            }
            sweeps += 1;
            let stop = observer.observe(&Progress::new("iterating", sweeps, max_sweeps)).is_break();
            if residual <= tolerance || stop {
                break;
            }
        }
        Ok(report(patterns, beta, (m, residual, sweeps), tolerance))
    }
}
