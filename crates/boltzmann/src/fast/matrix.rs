//! Weights in panels of 64 hidden units, and the sums over set bits.

use linalg_core::rand::Rng;

use super::bits::{BitRows, for_ones};
use super::math::{SoftplusSum, sigmoid};
use super::{Lanes, Row, WIDTH, rows_of, valid};
use crate::units::Bernoulli;
use crate::{Error, Rbm, Result};
use linalg_core::simd::{Work, widest};

/// The weights and biases of 64 hidden units, both ways round.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    /// A row of 64 hidden units for each visible unit, filled up to a multiple of 64 rows.
    pub(crate) weights: Vec<Row>,
    /// Row `64 q + j`: the weights of hidden unit j with visible units `64 q .. 64 q + 64`.
    pub(crate) transposed: Vec<Row>,
    /// Biases of the hidden units.
    pub(crate) bias: Row,
}

impl Panel {
    /// Brings the transposed weights in line with the weights.
    #[inline(always)]
    pub(crate) fn transpose(&mut self) {
        for (from, to) in self.weights.chunks_exact(WIDTH).zip(self.transposed.chunks_exact_mut(WIDTH)) {
            transpose(from, to);
        }
    }
}

/// Transposes 64 x 64 numbers, in blocks that fit registers.
#[inline(always)]
fn transpose(from: &[Row], to: &mut [Row]) {
    const B: usize = 16;
    for i in (0..WIDTH).step_by(B) {
        for j in (0..WIDTH).step_by(B) {
            for jj in j..j + B {
                let row = &mut to[jj].0[i..i + B];
                for (k, x) in row.iter_mut().enumerate() {
                    *x = from[i + k].0[jj];
                }
            }
        }
    }
}

/// Adds the rows of the set bits of one mask.
#[inline(always)]
pub(crate) fn add_rows(sum: &mut Row, mut mask: u64, rows: &[Row]) {
    let rows = &rows[..WIDTH];
    while mask != 0 {
        let row = &rows[mask.trailing_zeros() as usize & (WIDTH - 1)].0;
        for k in 0..WIDTH {
            sum.0[k] += row[k];
        }
        mask &= mask - 1;
    }
}

/// The largest number of `f32` below 1.
const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;

/// Bit k is set with the probability `p[k]`, to a resolution of 2^-24; never where that is below 2^-25, and for certain where it is 1.
#[inline(always)]
pub(crate) fn sample_mask(p: &Row, lanes: &mut Lanes) -> u64 {
    let words = lanes.draw();
    let mut flags = [0u8; WIDTH];
    for k in 0..WIDTH {
        let u = ((words[k] >> 8) as i32 as f32 + 0.5) * (1.0 / 16_777_216.0);
        // The largest of the 2^24 words would round to 1, and miss a probability of 1.
        let u = if u < BELOW_ONE { u } else { BELOW_ONE };
        flags[k] = u8::from(u < p.0[k]);
    }
    let mut mask = 0;
    for (k, bytes) in flags.chunks_exact(8).enumerate() {
        let word = u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]);
        // The eight low bits of the bytes, gathered in the highest byte.
        mask |= (word.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * k);
    }
    mask
}

/// A machine with 0/1 units in both layers, weights in `f32`, laid out for speed.
///
/// What [`Trainer`](crate::train::Trainer), [`GibbsChains`](crate::GibbsChains) and annealed importance sampling run on.
/// Cost of a conditional: a sum of as many rows as there are ones on the other side.
///
/// ```
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{BitRows, PackedRbm, Rbm};
///
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![0.5, -1.0], vec![0.25, 0.0], vec![0.0])?;
/// let packed = PackedRbm::new(&rbm)?;
/// let data = BitRows::from_bytes(&[1, 0], 2)?;
/// // -F(v) = 1/4 + ln(1 + e^{1/2})
/// assert!((packed.free_energies(&data)[0] + 0.25 + (1.0 + 0.5f64.exp()).ln()).abs() < 1e-7);
/// assert_eq!(packed.to_rbm()?, rbm);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PackedRbm {
    pub(crate) n_visible: usize,
    pub(crate) n_hidden: usize,
    pub(crate) panels: Vec<Panel>,
    pub(crate) visible_bias: Vec<Row>,
}

impl PackedRbm {
    /// Packs a machine; weights and biases are rounded to `f32`, the offset is left out.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a number beyond the range of `f32`.
    pub fn new(rbm: &Rbm<Bernoulli, Bernoulli>) -> Result<Self> {
        let lists =
            [("weights", rbm.weights()), ("visible bias", rbm.visible_bias()), ("hidden bias", rbm.hidden_bias())];
        for (what, values) in lists {
            if let Some(index) = values.iter().position(|x| !(*x as f32).is_finite()) {
                return Err(Error::NotFinite { what, index, value: values[index] });
            }
        }
        let (nv, nh) = (rbm.n_visible(), rbm.n_hidden());
        let height = nv.div_ceil(WIDTH) * WIDTH;
        let biases = rows_of(rbm.hidden_bias().iter().map(|&x| x as f32), 0.0);
        let panels = biases.into_iter().enumerate().map(|(p, bias)| {
            let mut weights = vec![Row::ZERO; height];
            for j in 0..WIDTH.min(nh - p * WIDTH) {
                let row = &rbm.weights()[(p * WIDTH + j) * nv..][..nv];
                weights.iter_mut().zip(row).for_each(|(weights, &w)| weights.0[j] = w as f32);
            }
            let mut panel = Panel { weights, transposed: vec![Row::ZERO; height], bias };
            panel.transpose();
            panel
        });
        Ok(Self {
            n_visible: nv,
            n_hidden: nh,
            panels: panels.collect(),
            visible_bias: rows_of(rbm.visible_bias().iter().map(|&x| x as f32), 0.0),
        })
    }

    /// A machine with Gaussian weights of standard deviation `std_dev`, visible biases that alone reproduce the means of
    /// `data` (cut to 0.001 .. 0.999), and no hidden biases.
    ///
    /// # Errors
    /// As [`Rbm::random`].
    pub fn for_data<R: Rng + ?Sized>(data: &BitRows, n_hidden: usize, std_dev: f64, rng: &mut R) -> Result<Self> {
        let mut rbm = Rbm::random(Bernoulli, Bernoulli, data.n_columns(), n_hidden, std_dev, rng)?;
        for (a, p) in rbm.parameters_mut().1.iter_mut().zip(data.means()) {
            *a = linalg_core::logspace::logit(p.clamp(1e-3, 1.0 - 1e-3));
        }
        Self::new(&rbm)
    }

    /// The machine with its parameters in `f64`, exactly.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a parameter is not.
    pub fn to_rbm(&self) -> Result<Rbm<Bernoulli, Bernoulli>> {
        let (nv, nh) = (self.n_visible, self.n_hidden);
        let mut weights = vec![0.0; nv * nh];
        for (j, row) in weights.chunks_exact_mut(nv).enumerate() {
            let panel = &self.panels[j / WIDTH].weights;
            row.iter_mut().zip(panel).for_each(|(w, row)| *w = f64::from(row.0[j % WIDTH]));
        }
        let visible_bias = self.visible_bias.iter().flat_map(|row| row.0).take(nv).map(f64::from);
        let hidden_bias = self.panels.iter().flat_map(|panel| panel.bias.0).take(nh).map(f64::from);
        Rbm::new(Bernoulli, Bernoulli, weights, visible_bias.collect(), hidden_bias.collect())
    }

    /// Number of visible units.
    pub fn n_visible(&self) -> usize {
        self.n_visible
    }

    /// Number of hidden units.
    pub fn n_hidden(&self) -> usize {
        self.n_hidden
    }

    /// The fields of 64 hidden units.
    #[inline(always)]
    pub(crate) fn hidden_fields(&self, p: usize, v: &[u64]) -> Row {
        let panel = &self.panels[p];
        let mut sum = panel.bias;
        for (rows, &mask) in panel.weights.chunks_exact(WIDTH).zip(v) {
            add_rows(&mut sum, mask, rows);
        }
        sum
    }

    /// The fields of 64 visible units.
    #[inline(always)]
    pub(crate) fn visible_fields(&self, q: usize, h: &[u64]) -> Row {
        let mut sum = self.visible_bias[q];
        for (panel, &mask) in self.panels.iter().zip(h) {
            add_rows(&mut sum, mask, &panel.transposed[q * WIDTH..]);
        }
        sum
    }

    /// The sum of the visible biases of the set bits, in `f64`.
    pub(crate) fn visible_energy(&self, v: &[u64]) -> f64 {
        let mut sum = 0.0;
        for_ones(v, |k| sum += f64::from(self.visible_bias[k / WIDTH].0[k % WIDTH]));
        sum
    }

    /// The free energies of rows of data at β = 1: fields in `f32`, sums in `f64`.
    ///
    /// # Panics
    /// If the rows do not have a bit for each visible unit.
    pub fn free_energies(&self, data: &BitRows) -> Vec<f64> {
        assert_eq!(data.n_columns(), self.n_visible, "{} columns for {} units", data.n_columns(), self.n_visible);
        widest(FreeEnergies { rbm: self, data })
    }

    /// Whether all parameters are finite; else the name of those that are not.
    pub(crate) fn not_finite(&self) -> Option<&'static str> {
        let bad = |rows: &[Row]| rows.iter().any(|row| row.0.iter().any(|x| !x.is_finite()));
        if self.panels.iter().any(|panel| bad(&panel.weights)) {
            Some("a weight is not finite")
        } else if bad(&self.visible_bias) {
            Some("a visible bias is not finite")
        } else if self.panels.iter().any(|panel| bad(std::slice::from_ref(&panel.bias))) {
            Some("a hidden bias is not finite")
        } else {
            None
        }
    }
}

struct FreeEnergies<'a> {
    rbm: &'a PackedRbm,
    data: &'a BitRows,
}

impl Work for FreeEnergies<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run(self) -> Vec<f64> {
        let rbm = self.rbm;
        let mut sums = vec![SoftplusSum::ZERO; self.data.n_rows()];
        // A panel at a time: it stays in the cache for all rows.
        for p in 0..rbm.panels.len() {
            let n = valid(rbm.n_hidden, p).count_ones() as usize;
            for (row, sum) in sums.iter_mut().enumerate() {
                let fields = rbm.hidden_fields(p, self.data.row(row));
                sum.add(&fields.0, n, 1.0);
            }
        }
        let hidden = sums.into_iter().map(SoftplusSum::value);
        hidden.enumerate().map(|(row, hidden)| -hidden - rbm.visible_energy(self.data.row(row))).collect()
    }
}

/// The means of 64 units, 0 where there is no unit.
#[inline(always)]
pub(crate) fn means(fields: &Row, beta: f32, valid: u64) -> Row {
    let mut out = Row::ZERO;
    for k in 0..WIDTH {
        out.0[k] = sigmoid(beta * fields.0[k]);
    }
    if valid != u64::MAX {
        for k in valid.count_ones() as usize..WIDTH {
            out.0[k] = 0.0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1000 lit pixels of weight 1: a field far beyond what an exponential can hold.
    #[test]
    fn free_energies_of_strong_fields_are_those_of_the_machine() {
        let rbm = Rbm::new(Bernoulli, Bernoulli, vec![1.0; 1000], vec![0.0; 1000], vec![0.0]).unwrap();
        for ones in [0, 1, 30, 699, 701, 1000] {
            let v: Vec<f64> = (0..1000).map(|k| f64::from(u8::from(k < ones))).collect();
            let bytes: Vec<u8> = v.iter().map(|&x| x as u8).collect();
            let found = PackedRbm::new(&rbm).unwrap().free_energies(&BitRows::from_bytes(&bytes, 1000).unwrap())[0];
            let exact = rbm.free_energy(&v, 1.0);
            assert!((found / exact - 1.0).abs() < 1e-12, "{ones}: {found} {exact}");
        }
    }
}
