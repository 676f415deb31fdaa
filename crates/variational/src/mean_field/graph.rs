//! A pairwise model in compressed rows, times β.

use spin_models::PairwiseModel;

use crate::{Error, Result};

/// The couplings and fields of a pairwise model, each multiplied by β.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    /// Constant of the energy (not multiplied by β).
    pub(crate) offset: f64,
    /// `β h_i`.
    pub(crate) fields: Vec<f64>,
    row_start: Vec<usize>,
    neighbor: Vec<u32>,
    coupling: Vec<f64>,
}

impl Graph {
    /// `O(N + M)`.
    pub(crate) fn new<M: PairwiseModel + ?Sized>(model: &M, beta: f64) -> Result<Self> {
        crate::error::check_beta(beta)?;
        let n = model.n_spins();
        if u32::try_from(n).is_err() {
            return Err(Error::TooLarge {
                method: "mean field",
                what: "number of spins",
                value: n,
                bound: u32::MAX as usize,
            });
        }
        let mut fields = Vec::with_capacity(n);
        let mut row_start = Vec::with_capacity(n + 1);
        row_start.push(0);
        let (mut neighbor, mut coupling) = (Vec::<u32>::new(), Vec::<f64>::new());
        // Where the last row that a site was met in has it: couplings kept twice on a pair are one.
        let mut place = vec![usize::MAX; n];
        let mut highest = 0.0;
        for i in 0..n {
            let field = beta * model.field(i);
            if !field.is_finite() {
                return Err(Error::NotFinite { what: "beta times field of site", index: i, value: field });
            }
            highest -= model.field(i);
            fields.push(field);
            for (j, value) in model.neighbors(i) {
                let value = (value, beta * value);
                if !value.1.is_finite() {
                    return Err(Error::NotFinite { what: "beta times coupling at site", index: i, value: value.1 });
                }
                if j != i && value.0 != 0.0 {
                    if (row_start[i]..neighbor.len()).contains(&place[j]) {
                        coupling[place[j]] += value.1;
                    } else {
                        place[j] = neighbor.len();
                        neighbor.push(j as u32);
                        coupling.push(value.1);
                    }
                    if j > i {
                        highest -= value.0;
                    }
                }
            }
            if let Some(&value) = coupling[row_start[i]..].iter().find(|k| !k.is_finite()) {
                return Err(Error::NotFinite { what: "beta times couplings at site", index: i, value });
            }
            row_start.push(neighbor.len());
        }
        let up = model.energy(&vec![1i8; n]);
        if !up.is_finite() {
            return Err(Error::NotFinite { what: "energy of configuration", index: 0, value: up });
        }
        // What the energy has beside couplings and fields; rounding of the two sums is no constant.
        let offset = up - highest;
        let scale =
            up.abs() + highest.abs() + fields.iter().map(|h| h.abs()).sum::<f64>() / beta.max(f64::MIN_POSITIVE);
        let offset = if offset.abs() <= 1e-13 * scale { 0.0 } else { offset };
        Ok(Self { offset, fields, row_start, neighbor, coupling })
    }

    pub(crate) fn n(&self) -> usize {
        self.fields.len()
    }

    /// Neighbours of `i` and `β J_ij`.
    #[inline]
    pub(crate) fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.row_start[i]..self.row_start[i + 1];
        (&self.neighbor[range.clone()], &self.coupling[range])
    }

    /// Every pair `i < j` once.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        (0..self.n()).flat_map(move |i| {
            let (neighbors, couplings) = self.row(i);
            neighbors
                .iter()
                .zip(couplings)
                .filter(move |&(&j, _)| j as usize > i)
                .map(move |(&j, &k)| (i, j as usize, k))
        })
    }

    /// The triangles `(i, j, k, β³ J_ij J_jk J_ki)` with `i < j < k`; `None` when there are more than `most`.
    pub(crate) fn triangles(&self, most: usize) -> Option<Vec<(u32, u32, u32, f64)>> {
        let mut found = Vec::new();
        // A coupling of the present site to every other one.
        let mut to = vec![0.0; self.n()];
        for i in 0..self.n() {
            let (neighbors, couplings) = self.row(i);
            for (&j, &k) in neighbors.iter().zip(couplings) {
                to[j as usize] += k;
            }
            for (&j, &first) in neighbors.iter().zip(couplings).filter(|&(&j, _)| j as usize > i) {
                let (others, seconds) = self.row(j as usize);
                for (&k, &second) in others.iter().zip(seconds).filter(|&(&k, _)| k > j && to[k as usize] != 0.0) {
                    if found.len() == most {
                        return None;
                    }
                    found.push((i as u32, j, k, first * second * to[k as usize]));
                }
            }
            for &j in neighbors {
                to[j as usize] = 0.0;
            }
        }
        Some(found)
    }
}
