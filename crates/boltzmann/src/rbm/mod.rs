//! Restricted Boltzmann machines: two layers of any units.

mod alphabet;
mod batch;
mod hopfield;
mod low_rank;
mod marginal;
mod spectrum;
mod statistics;

pub use marginal::{Marginal, MarginalCache};
pub use statistics::Statistics;

use linalg_core::checkpoint::ContentHash;
use linalg_core::rand::Rng;
use linalg_core::rng::standard_normal;

use crate::error::{check_finite, check_length};
use crate::units::Unit;
use crate::{Error, Result};

/// Visible and hidden units with couplings between the layers only.
///
/// ```math
/// E(v, h) = U_v(v) + U_h(h) - a \cdot v - b \cdot h - h \cdot W v + E_0, \qquad
/// P(v, h) = \frac{m(v)\, m(h)}{Z}\, e^{-\beta E(v, h)}
/// ```
///
/// `U` and `m` belong to the units ([`crate::units`]). Weights are stored hidden by visible, row-major; a layer of units of
/// width w (Potts) has w numbers a unit everywhere. `E_0` is the [`offset`](Self::offset), 0 but after conversions.
///
/// ```
/// use boltzmann::Rbm;
/// use boltzmann::units::Bernoulli;
///
/// // One unit each, W = ln 2: Z = 1 + 1 + 1 + 2.
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![2f64.ln()], vec![0.0], vec![0.0])?;
/// assert_eq!(rbm.energy(&[1.0], &[1.0]), -2f64.ln());
/// assert!((rbm.free_energy(&[1.0], 1.0) + 3f64.ln()).abs() < 1e-15);
/// assert!((boltzmann::partition::exact_ln_z(&rbm, 1.0)? - 5f64.ln()).abs() < 1e-14);
/// # Ok::<(), boltzmann::Error>(())
/// ```
///
/// P. Smolensky, in Parallel Distributed Processing (1986); G. E. Hinton, Neural Comput. 14, 1771 (2002).
#[derive(Debug, Clone, PartialEq)]
pub struct Rbm<V, H> {
    visible: V,
    hidden: H,
    weights: Vec<f64>,
    visible_bias: Vec<f64>,
    hidden_bias: Vec<f64>,
    offset: f64,
}

fn units_in(what: &'static str, numbers: usize, width: usize) -> Result<usize> {
    if numbers == 0 {
        return Err(Error::Empty { what });
    }
    if !numbers.is_multiple_of(width) {
        return Err(Error::WrongLength { what, got: numbers, expected: numbers.div_ceil(width) * width });
    }
    Ok(numbers / width)
}

impl<V: Unit, H: Unit> Rbm<V, H> {
    /// A machine with these parameters: `weights` hidden x visible, row-major. The biases give the sizes of the layers.
    ///
    /// # Errors
    /// [`Error::Empty`] for a layer without units, [`Error::WrongLength`] for lists that do not fit, [`Error::NotFinite`];
    /// what [`Unit::check`] refuses.
    pub fn new(
        visible: V,
        hidden: H,
        weights: Vec<f64>,
        visible_bias: Vec<f64>,
        hidden_bias: Vec<f64>,
    ) -> Result<Self> {
        visible.check(units_in("visible bias", visible_bias.len(), visible.width())?)?;
        hidden.check(units_in("hidden bias", hidden_bias.len(), hidden.width())?)?;
        let expected = visible_bias.len().checked_mul(hidden_bias.len()).ok_or(Error::TooLarge {
            method: "rbm",
            what: "number of hidden units",
            value: hidden_bias.len(),
            bound: usize::MAX / visible_bias.len(),
        })?;
        check_length("weights", weights.len(), expected)?;
        check_finite("weights", &weights)?;
        check_finite("visible bias", &visible_bias)?;
        check_finite("hidden bias", &hidden_bias)?;
        Ok(Self { visible, hidden, weights, visible_bias, hidden_bias, offset: 0.0 })
    }

    /// A machine of `n_visible` and `n_hidden` units with Gaussian weights of standard deviation `std_dev` and no biases.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Parameter`] if `std_dev` is negative or not finite.
    pub fn random<R: Rng + ?Sized>(
        visible: V,
        hidden: H,
        n_visible: usize,
        n_hidden: usize,
        std_dev: f64,
        rng: &mut R,
    ) -> Result<Self> {
        if !(std_dev.is_finite() && std_dev >= 0.0) {
            return Err(Error::Parameter {
                what: "standard deviation of the weights",
                value: std_dev.to_string(),
                expected: "a finite number >= 0",
            });
        }
        let (nv, nh) = (n_visible * visible.width(), n_hidden * hidden.width());
        let weights = (0..nv * nh).map(|_| std_dev * standard_normal(rng)).collect();
        Self::new(visible, hidden, weights, vec![0.0; nv], vec![0.0; nh])
    }

    /// The visible units.
    pub fn visible(&self) -> &V {
        &self.visible
    }

    /// The hidden units.
    pub fn hidden(&self) -> &H {
        &self.hidden
    }

    /// Number of visible units.
    pub fn n_visible(&self) -> usize {
        self.visible_bias.len() / self.visible.width()
    }

    /// Number of hidden units.
    pub fn n_hidden(&self) -> usize {
        self.hidden_bias.len() / self.hidden.width()
    }

    /// Numbers that describe the visible layer: units times width.
    pub fn visible_len(&self) -> usize {
        self.visible_bias.len()
    }

    /// Numbers that describe the hidden layer: units times width.
    pub fn hidden_len(&self) -> usize {
        self.hidden_bias.len()
    }

    /// The couplings W, hidden x visible, row-major.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The fields a on visible units.
    pub fn visible_bias(&self) -> &[f64] {
        &self.visible_bias
    }

    /// The fields b on hidden units.
    pub fn hidden_bias(&self) -> &[f64] {
        &self.hidden_bias
    }

    /// The constant `E_0` of the energy.
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// The same machine with another constant.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn with_offset(mut self, offset: f64) -> Result<Self> {
        check_finite("offset", &[offset])?;
        self.offset = offset;
        Ok(self)
    }

    /// The parameters for a change in place: weights, visible bias, hidden bias.
    ///
    /// Whoever writes NaN or infinities here gets them back from every method.
    pub fn parameters_mut(&mut self) -> (&mut [f64], &mut [f64], &mut [f64]) {
        (&mut self.weights, &mut self.visible_bias, &mut self.hidden_bias)
    }

    /// Other units of the same sizes, for precisions that are learned.
    ///
    /// # Errors
    /// What [`Unit::check`] refuses; [`Error::WrongLength`] for units of another width.
    pub fn with_visible(mut self, visible: V) -> Result<Self> {
        check_length("width of the visible units", visible.width(), self.visible.width())?;
        visible.check(self.n_visible())?;
        self.visible = visible;
        Ok(self)
    }

    /// A hash of parameters and kinds of units: what ties checkpoints and results to a machine.
    pub fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_str("rbm").write_str(self.visible.name()).write_str(self.hidden.name());
        hash.write_f64s(&self.weights).write_f64s(&self.visible_bias).write_f64s(&self.hidden_bias);
        hash.write_f64(self.offset);
        // Parameters of the units show in their response to a field.
        for (unit, n) in [(&self.visible as &dyn Unit, self.n_visible()), (&self.hidden, self.n_hidden())] {
            let field = vec![0.25; unit.width()];
            (0..n).for_each(|i| {
                hash.write_f64(unit.ln_z(i, &field, 1.0));
            });
        }
        hash.finish()
    }

    fn check_visible(&self, v: &[f64]) {
        let n = self.visible_len();
        assert_eq!(v.len(), n, "{} visible numbers for a machine of {n}", v.len());
    }

    fn check_hidden(&self, h: &[f64]) {
        let n = self.hidden_len();
        assert_eq!(h.len(), n, "{} hidden numbers for a machine of {n}", h.len());
    }

    /// The joint energy `E(v, h)`; the multiplicities are not part of it.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn energy(&self, v: &[f64], h: &[f64]) -> f64 {
        self.check_visible(v);
        self.check_hidden(h);
        let mut energy = self.offset + layer_energy(&self.visible, v) + layer_energy(&self.hidden, h);
        energy -= dot(&self.visible_bias, v) + dot(&self.hidden_bias, h);
        for (row, h) in self.weights.chunks_exact(v.len()).zip(h) {
            energy -= h * dot(row, v);
        }
        energy
    }

    /// The fields `b + W v` on the hidden units.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn hidden_fields(&self, v: &[f64], out: &mut [f64]) {
        self.check_visible(v);
        self.check_hidden(out);
        for ((out, b), row) in out.iter_mut().zip(&self.hidden_bias).zip(self.weights.chunks_exact(v.len())) {
            *out = b + dot(row, v);
        }
    }

    /// The fields `a + h W` on the visible units.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn visible_fields(&self, h: &[f64], out: &mut [f64]) {
        self.check_hidden(h);
        self.check_visible(out);
        out.copy_from_slice(&self.visible_bias);
        for (row, &h) in self.weights.chunks_exact(out.len()).zip(h) {
            if h != 0.0 {
                out.iter_mut().zip(row).for_each(|(out, w)| *out += h * w);
            }
        }
    }

    /// The free energy of a visible configuration, `F(v) = -(1/β) ln Σ_h m(v) m(h) e^{-βE(v, h)}`.
    ///
    /// `-βF(v) - ln Z` is the log-likelihood of `v`. Cost: the number of weights.
    ///
    /// # Panics
    /// If `v` has the wrong length.
    pub fn free_energy(&self, v: &[f64], beta: f64) -> f64 {
        let mut fields = vec![0.0; self.hidden_len()];
        self.hidden_fields(v, &mut fields);
        self.free_energy_of_fields(v, &fields, beta)
    }

    /// The free energy of `v` where `b + W v` is known.
    pub(crate) fn free_energy_of_fields(&self, v: &[f64], fields: &[f64], beta: f64) -> f64 {
        self.offset + layer_energy(&self.visible, v)
            - dot(&self.visible_bias, v)
            - (layer_ln_multiplicity(&self.visible, v) + layer_ln_z(&self.hidden, fields, beta)) / beta
    }

    /// The free energy of a hidden configuration, with the visible units summed out.
    ///
    /// # Panics
    /// If `h` has the wrong length.
    pub fn free_energy_hidden(&self, h: &[f64], beta: f64) -> f64 {
        let mut fields = vec![0.0; self.visible_len()];
        self.visible_fields(h, &mut fields);
        self.offset + layer_energy(&self.hidden, h)
            - dot(&self.hidden_bias, h)
            - (layer_ln_multiplicity(&self.hidden, h) + layer_ln_z(&self.visible, &fields, beta)) / beta
    }

    /// The means of the hidden units given the visible ones.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn hidden_mean(&self, v: &[f64], beta: f64, out: &mut [f64]) {
        let mut fields = vec![0.0; self.hidden_len()];
        self.hidden_fields(v, &mut fields);
        layer_mean(&self.hidden, &fields, beta, out);
    }

    /// The means of the visible units given the hidden ones.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn visible_mean(&self, h: &[f64], beta: f64, out: &mut [f64]) {
        let mut fields = vec![0.0; self.visible_len()];
        self.visible_fields(h, &mut fields);
        layer_mean(&self.visible, &fields, beta, out);
    }

    /// Draws the hidden units given the visible ones.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn sample_hidden<R: Rng + ?Sized>(&self, v: &[f64], beta: f64, out: &mut [f64], rng: &mut R) {
        let mut fields = vec![0.0; self.hidden_len()];
        self.hidden_fields(v, &mut fields);
        layer_sample(&self.hidden, &fields, beta, out, rng);
    }

    /// Draws the visible units given the hidden ones.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn sample_visible<R: Rng + ?Sized>(&self, h: &[f64], beta: f64, out: &mut [f64], rng: &mut R) {
        let mut fields = vec![0.0; self.visible_len()];
        self.visible_fields(h, &mut fields);
        layer_sample(&self.visible, &fields, beta, out, rng);
    }

    /// One sweep of block Gibbs sampling: new hidden units from `v`, then new `v` from them.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn gibbs_sweep<R: Rng + ?Sized>(&self, v: &mut [f64], h: &mut [f64], beta: f64, rng: &mut R) {
        self.sample_hidden(v, beta, h, rng);
        self.sample_visible(h, beta, v, rng);
    }

    /// The zero-temperature limit of a sweep: each layer in turn takes its value of lowest energy given the other.
    ///
    /// Returns the energy after it; repeated, it descends to a local minimum.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn descend(&self, v: &mut [f64], h: &mut [f64]) -> f64 {
        let mut fields = vec![0.0; self.hidden_len()];
        self.hidden_fields(v, &mut fields);
        layer_mode(&self.hidden, &fields, h);
        let mut fields = vec![0.0; self.visible_len()];
        self.visible_fields(h, &mut fields);
        layer_mode(&self.visible, &fields, v);
        self.energy(v, h)
    }

    /// The largest eigenvalue of `Γ_h^{-1/2} W Γ_v^{-1} Wᵀ Γ_h^{-1/2}` where both layers are Gaussian; `None` elsewhere.
    ///
    /// From 1 on the energy has no lower bound.
    ///
    /// # Errors
    /// When the eigenvalues cannot be found.
    pub fn normalisability(&self) -> Result<Option<f64>> {
        let precisions = |unit: &dyn Unit, n: usize| (0..n).map(|i| unit.precision(i)).collect::<Option<Vec<f64>>>();
        let (Some(gamma_v), Some(gamma_h)) =
            (precisions(&self.visible, self.n_visible()), precisions(&self.hidden, self.n_hidden()))
        else {
            return Ok(None);
        };
        let n = gamma_h.len();
        let scaled: Vec<Vec<f64>> = self
            .weights
            .chunks_exact(gamma_v.len())
            .zip(&gamma_h)
            .map(|(row, gh)| row.iter().zip(&gamma_v).map(|(w, gv)| w / (gh * gv).sqrt()).collect())
            .collect();
        let mut product = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                product[i * n + j] = dot(&scaled[i], &scaled[j]);
                product[j * n + i] = product[i * n + j];
            }
        }
        let eigenvalues = linalg_core::eigen::symmetric_eigenvalues(&product, n)?;
        Ok(eigenvalues.into_iter().reduce(f64::max))
    }

    /// Checks that a value of every visible unit is one it can have.
    ///
    /// # Errors
    /// [`Error::Alphabet`] with row and entry; [`Error::WrongLength`] for a part of a row; [`Error::Empty`].
    pub fn check_data(&self, data: &[f64]) -> Result<()> {
        check_rows(&self.visible, data, self.visible_len())
    }
}

pub(crate) fn check_rows(unit: &dyn Unit, data: &[f64], len: usize) -> Result<()> {
    if data.is_empty() {
        return Err(Error::Empty { what: "data" });
    }
    if !data.len().is_multiple_of(len) {
        return Err(Error::WrongLength { what: "data", got: data.len(), expected: data.len().div_ceil(len) * len });
    }
    let width = unit.width();
    for (k, x) in data.chunks_exact(width).enumerate() {
        if !unit.contains(x) {
            let entry = k * width;
            let wrong = x.iter().position(|x| *x != 0.0).unwrap_or(0);
            return Err(Error::Alphabet {
                row: entry / len,
                entry: entry % len,
                value: x[wrong],
                expected: unit.alphabet(),
            });
        }
    }
    Ok(())
}

pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

pub(crate) fn layer_energy<U: Unit + ?Sized>(units: &U, x: &[f64]) -> f64 {
    x.chunks_exact(units.width()).enumerate().map(|(i, x)| units.energy(i, x)).sum()
}

pub(crate) fn layer_ln_multiplicity<U: Unit + ?Sized>(units: &U, x: &[f64]) -> f64 {
    x.chunks_exact(units.width()).enumerate().map(|(i, x)| units.ln_multiplicity(i, x)).sum()
}

pub(crate) fn layer_ln_z<U: Unit + ?Sized>(units: &U, fields: &[f64], beta: f64) -> f64 {
    fields.chunks_exact(units.width()).enumerate().map(|(i, f)| units.ln_z(i, f, beta)).sum()
}

pub(crate) fn layer_mean<U: Unit + ?Sized>(units: &U, fields: &[f64], beta: f64, out: &mut [f64]) {
    let width = units.width();
    for (i, (f, out)) in fields.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate() {
        units.mean(i, f, beta, out);
    }
}

pub(crate) fn layer_mode<U: Unit + ?Sized>(units: &U, fields: &[f64], out: &mut [f64]) {
    let width = units.width();
    for (i, (f, out)) in fields.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate() {
        units.mode(i, f, out);
    }
}

pub(crate) fn layer_sample<U: Unit + ?Sized, R: Rng + ?Sized>(
    units: &U,
    fields: &[f64],
    beta: f64,
    out: &mut [f64],
    mut rng: &mut R,
) {
    let width = units.width();
    let rng: &mut dyn Rng = &mut rng;
    for (i, (f, out)) in fields.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate() {
        units.sample(i, f, beta, rng, out);
    }
}
