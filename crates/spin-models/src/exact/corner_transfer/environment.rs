//! Corners and edges, and how they grow.

use linalg_core::eigen::symmetric_eigen;
use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use super::site::{HORIZONTAL, Site, VERTICAL};
use crate::Result;

/// `A B` with possible transposes; shapes as in [`Matrix`].
pub(super) fn product(a: Matrix<'_, f64>, b: Matrix<'_, f64>) -> Vec<f64> {
    let (rows, cols) = (a.rows(), b.cols());
    let mut out = vec![0.0; rows * cols];
    gemm(1.0, a, b, 0.0, MatrixMut::row_major(&mut out, rows, cols));
    out
}

fn matrix(data: &[f64], rows: usize) -> Matrix<'_, f64> {
    Matrix::row_major(data, rows, data.len() / rows)
}

/// The matrix made symmetric: what rounding has done to one half is averaged.
fn symmetric(mut data: Vec<f64>, n: usize) -> Vec<f64> {
    for i in 0..n {
        for j in 0..i {
            let mean = 0.5 * (data[i * n + j] + data[j * n + i]);
            data[i * n + j] = mean;
            data[j * n + i] = mean;
        }
    }
    data
}

/// The lattice around a site: a corner and the edges of both directions.
///
/// States are those of a half-infinite cut, through vertical bonds for the first index of a corner, through horizontal
/// bonds for the second. Both reflections of the lattice are symmetries, so that one corner serves all four.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    /// Number of states of a horizontal and of a vertical cut.
    pub states: [usize; 2],
    /// Rows are states of the horizontal cut, columns those of the vertical one.
    pub corner: Vec<f64>,
    /// For either direction, for either value of the leg at its end: a symmetric matrix between the cuts on its sides.
    /// The row of sites is the edge with the direction `HORIZONTAL`.
    pub edges: [[Vec<f64>; 2]; 2],
}

/// One step of growth.
pub(super) struct Grown {
    pub environment: Environment,
    /// The share of the weight of the states that were cut, the larger one of both cuts.
    pub discarded: f64,
    /// The squared singular values of the corner, descending, with sum 1.
    pub spectrum: Vec<f64>,
}

/// States kept of one cut.
struct Kept {
    /// Orthonormal rows.
    basis: Vec<f64>,
    states: usize,
    discarded: f64,
    spectrum: Vec<f64>,
}

/// Singular values below this share of the largest, squared, are rounding errors.
const NEGLIGIBLE: f64 = 1e-14;

/// The strongest eigenvectors of `C Cᵗ`. The weight of a state is the square of its eigenvalue: four corners make the
/// density matrix of a cut.
fn keep(square: &[f64], n: usize, chi: usize) -> Result<Kept> {
    let eigen = symmetric_eigen(square, n)?;
    let values: Vec<f64> = eigen.values.iter().rev().map(|x| x.max(0.0)).collect();
    let least = NEGLIGIBLE * values[0];
    let states = values.iter().take(chi).take_while(|&&x| x > least).count().max(1);
    let mut basis = Vec::with_capacity(states * n);
    for k in 0..states {
        basis.extend_from_slice(eigen.vector(n - 1 - k));
    }
    let squares = |values: &[f64]| values.iter().rev().map(|x| x * x).sum::<f64>();
    let discarded = squares(&values[states..]) / squares(&values);
    let sum: f64 = values.iter().rev().sum();
    Ok(Kept { basis, states, discarded, spectrum: values[..states].iter().map(|x| x / sum).collect() })
}

fn largest(data: &[f64]) -> f64 {
    data.iter().fold(0.0, |most: f64, x| most.max(x.abs()))
}

impl Environment {
    /// No sites, but spins +1 behind every edge.
    pub(super) fn fixed(site: &Site) -> Self {
        let edges = [HORIZONTAL, VERTICAL].map(|direction| site.boundary(direction).map(|x| vec![x]));
        Self { states: [1, 1], corner: vec![1.0], edges }
    }

    /// Adds a row and a column of sites and keeps at most `chi` states of either cut.
    pub(super) fn grow(&self, site: &Site, chi: usize) -> Result<Grown> {
        let corner = self.larger_corner(site);
        let [n, m] = self.states.map(|states| 2 * states);
        let c = Matrix::row_major(&corner, n, m);
        let rows = keep(&symmetric(product(c, c.transposed()), n), n, chi)?;
        let columns = keep(&symmetric(product(c.transposed(), c), m), m, chi)?;
        let kept = [&rows, &columns];
        let [u, v] = kept.map(|kept| matrix(&kept.basis, kept.states));
        let mut corner = product(Matrix::row_major(&product(u, c), rows.states, m), v.transposed());
        let scale = largest(&corner);
        corner.iter_mut().for_each(|x| *x /= scale);
        let edges = [HORIZONTAL, VERTICAL].map(|direction| {
            let (basis, states) = ([u, v][direction], kept[direction].states);
            let grown = [0, 1].map(|end| {
                let edge = self.larger_edge(site, direction, end);
                let size = 2 * self.states[direction];
                let half = product(basis, Matrix::row_major(&edge, size, size));
                symmetric(product(Matrix::row_major(&half, states, size), basis.transposed()), states)
            });
            let scale = largest(&grown[0]).max(largest(&grown[1]));
            grown.map(|edge| edge.into_iter().map(|x| x / scale).collect())
        });
        let discarded = rows.discarded.max(columns.discarded);
        let states = [rows.states, columns.states];
        Ok(Grown { environment: Self { states, corner, edges }, discarded, spectrum: rows.spectrum })
    }

    /// The corner with one site more at its tip and the edges beside it: states `(leg down, old)` by `(leg left, old)`.
    fn larger_corner(&self, site: &Site) -> Vec<f64> {
        let [n, m] = self.states;
        let corner = Matrix::row_major(&self.corner, n, m);
        // The corner with an edge on one side, then on both.
        let mut parts: [[Vec<f64>; 2]; 2] = Default::default();
        for (right, parts) in parts.iter_mut().enumerate() {
            let below = product(Matrix::row_major(&self.edges[HORIZONTAL][right], n, n), corner);
            for (up, part) in parts.iter_mut().enumerate() {
                *part = product(Matrix::row_major(&below, n, m), Matrix::row_major(&self.edges[VERTICAL][up], m, m));
            }
        }
        let mut out = vec![0.0; 4 * n * m];
        for (down, rows) in out.chunks_exact_mut(2 * n * m).enumerate() {
            for left in 0..2 {
                for (right, parts) in parts.iter().enumerate() {
                    for (up, part) in parts.iter().enumerate() {
                        let weight = site.weight([up, down, left, right], 0);
                        for (row, part) in rows.chunks_exact_mut(2 * m).zip(part.chunks_exact(m)) {
                            row[left * m..][..m].iter_mut().zip(part).for_each(|(x, y)| *x += weight * y);
                        }
                    }
                }
            }
        }
        out
    }

    /// An edge with one site more at its end: states `(leg, old)` on both sides.
    fn larger_edge(&self, site: &Site, direction: usize, end: usize) -> Vec<f64> {
        let n = self.states[direction];
        let mut out = vec![0.0; 4 * n * n];
        for (one, rows) in out.chunks_exact_mut(2 * n * n).enumerate() {
            for other in 0..2 {
                for (behind, edge) in self.edges[direction].iter().enumerate() {
                    let legs =
                        if direction == HORIZONTAL { [one, other, end, behind] } else { [behind, end, one, other] };
                    let weight = site.weight(legs, 0);
                    for (row, edge) in rows.chunks_exact_mut(2 * n).zip(edge.chunks_exact(n)) {
                        row[other * n..][..n].iter_mut().zip(edge).for_each(|(x, y)| *x += weight * y);
                    }
                }
            }
        }
        out
    }

    /// Contracts the plane with no, one or two lines of sites through it.
    pub(super) fn contract(&self, site: &Site) -> Sums {
        let [n, m] = self.states;
        let corner = Matrix::row_major(&self.corner, n, m);
        // Two corners beside each other, along the cuts that they do not share.
        let half = [product(corner, corner.transposed()), product(corner.transposed(), corner)];
        let trace = |a: &[f64], b: &[f64], n: usize| -> f64 {
            // tr(A B), both n by n.
            (0..n).map(|i| (0..n).map(|j| a[i * n + j] * b[j * n + i]).sum::<f64>()).sum()
        };
        let corners = trace(&half[0], &half[0], n);
        let lines = [HORIZONTAL, VERTICAL].map(|direction| {
            let n = self.states[direction];
            let half = Matrix::row_major(&half[direction], n, n);
            [0, 1].map(|leg| {
                let line = product(Matrix::row_major(&self.edges[direction][leg], n, n), half);
                trace(&line, &line, n)
            })
        });
        // The upper half plane with the edge above the site, and an edge beside it.
        let quarters = [0, 1].map(|up| {
            let edge = product(corner, Matrix::row_major(&self.edges[VERTICAL][up], m, m));
            let above = product(Matrix::row_major(&edge, n, m), corner.transposed());
            [0, 1].map(|left| {
                product(Matrix::row_major(&above, n, n), Matrix::row_major(&self.edges[HORIZONTAL][left], n, n))
            })
        });
        let mut sites = [0.0; 2];
        for legs in 0..16 {
            let [up, down, left, right] = [0, 1, 2, 3].map(|k| legs >> k & 1);
            let around = trace(&quarters[up][left], &quarters[down][right], n);
            for (power, sum) in sites.iter_mut().enumerate() {
                *sum += site.weight([up, down, left, right], power) * around;
            }
        }
        Sums { corners, lines, sites }
    }
}

/// Weights of the plane, in units that drop out of ratios with as many corners and edges above as below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    /// Four corners.
    pub corners: f64,
    /// With a row of sites, or a column: by the value of the leg between its two edges.
    pub lines: [[f64; 2]; 2],
    /// With a row and a column and the site where they cross; and times its spin.
    pub sites: [f64; 2],
}

impl Sums {
    /// The mean of the spin.
    pub(super) fn magnetization(&self) -> f64 {
        self.sites[1] / self.sites[0]
    }
}
