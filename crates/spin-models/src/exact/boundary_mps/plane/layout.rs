//! Places in the plane for the sites and tables of a model, from the graph alone.

use linalg_core::Streams;
use rand::RngExt;

/// Eigenvectors of the Laplacian that are tried as coordinates.
pub(super) const COORDINATES: usize = 6;

/// Rounds of inverse iteration; neighbouring eigenvalues of grids differ by a factor, and coordinates need few digits.
const ROUNDS: usize = 12;

/// Adjacency lists of sites and tables, sites first: a table is next to its sites.
#[derive(Debug, Clone)]
pub(super) struct Incidence {
    neighbors: Vec<Vec<usize>>,
}

impl Incidence {
    /// `tables` in numbers of sites below `n_sites`.
    pub(super) fn new(n_sites: usize, tables: &[Vec<usize>]) -> Self {
        let mut neighbors = vec![Vec::new(); n_sites + tables.len()];
        for (t, sites) in tables.iter().enumerate() {
            for &site in sites {
                neighbors[site].push(n_sites + t);
                neighbors[n_sites + t].push(site);
            }
        }
        Self { neighbors }
    }

    /// `(L + shift) x` with the Laplacian `L`.
    fn apply(&self, shift: f64, x: &[f64], out: &mut [f64]) {
        for ((out, near), &own) in out.iter_mut().zip(&self.neighbors).zip(x) {
            *out = (near.len() as f64 + shift) * own - near.iter().map(|&v| x[v]).sum::<f64>();
        }
    }

    /// Solves `(L + shift) x = b` by conjugate gradients from `x = 0`.
    fn solve(&self, shift: f64, b: &[f64]) -> Vec<f64> {
        let n = b.len();
        let (mut x, mut rest, mut along) = (vec![0.0; n], b.to_vec(), b.to_vec());
        let mut image = vec![0.0; n];
        let mut square = dot(&rest, &rest);
        let goal = 1e-12 * square;
        for _ in 0..2 * n {
            if square <= goal {
                break;
            }
            self.apply(shift, &along, &mut image);
            let step = square / dot(&along, &image);
            for ((x, r), (p, q)) in x.iter_mut().zip(&mut rest).zip(along.iter().zip(&image)) {
                *x += step * p;
                *r -= step * q;
            }
            let new = dot(&rest, &rest);
            let ratio = new / square;
            along.iter_mut().zip(&rest).for_each(|(p, r)| *p = r + ratio * *p);
            square = new;
        }
        x
    }

    /// The lowest eigenvectors of the Laplacian of a connected graph, the constant one apart, in order; at most
    /// [`COORDINATES`].
    ///
    /// Inverse iteration of a few vectors together, orthogonal to the constant. On a grid these are products of cosines
    /// of the coordinates, the lowest ones of one coordinate alone.
    pub(super) fn coordinates(&self) -> Vec<Vec<f64>> {
        let n = self.neighbors.len();
        let count = (COORDINATES + 2).min(n.saturating_sub(1));
        let mut rng = Streams::new(0).stream(0);
        let mut basis: Vec<Vec<f64>> =
            (0..count).map(|_| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();
        // The shift makes the matrix definite; it is far below the lowest eigenvalue, which is above 1/n² or so.
        let shift = 1e-3 / (n * n) as f64;
        for _ in 0..ROUNDS {
            for k in 0..count {
                let mean = basis[k].iter().sum::<f64>() / n as f64;
                basis[k].iter_mut().for_each(|x| *x -= mean);
                let mut next = self.solve(shift, &basis[k]);
                let mean = next.iter().sum::<f64>() / n as f64;
                next.iter_mut().for_each(|x| *x -= mean);
                for other in &basis[..k] {
                    let share = dot(other, &next);
                    next.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
                }
                let length = dot(&next, &next).sqrt().max(f64::MIN_POSITIVE);
                next.iter_mut().for_each(|x| *x /= length);
                basis[k] = next;
            }
        }
        basis.truncate(COORDINATES);
        basis
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The coordinate on which a wave of half a period is this one: -1 to 1 becomes 0 to 1.
///
/// The lowest eigenvectors of grids are cosines, which are steep in the middle and flat at the ends.
pub(super) fn straighten(wave: &[f64]) -> Vec<f64> {
    let largest = wave.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    wave.iter().map(|x| (-x / largest).clamp(-1.0, 1.0).acos() / std::f64::consts::PI).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ladder of tables: the first coordinate ascends along it.
    #[test]
    fn the_first_coordinate_of_a_path_is_its_order() {
        let tables: Vec<Vec<usize>> = (0..19).map(|i| vec![i, i + 1]).collect();
        let coordinates = Incidence::new(20, &tables).coordinates();
        let place = straighten(&coordinates[0]);
        let place = if place[0] > place[19] { place.iter().map(|x| 1.0 - x).collect() } else { place };
        for (i, pair) in place[..20].windows(2).enumerate() {
            assert!((pair[1] - pair[0] - 2.0 / 38.0).abs() < 2e-2, "{i}: {pair:?}");
        }
    }
}
