//! What couples: variables, or means of signed clusters.

use linalg_core::checkpoint::ContentHash;

use crate::cluster::ClusterSet;

/// What becomes of variables outside clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Singles {
    /// Each is a unit of its own.
    Coupled,
    /// They couple to nothing but themselves.
    Alone,
}

/// A map from M variables to U units.
///
/// A unit is a variable, or a cluster with the mean of its signed members, $`z_u = \frac1{K_u} \sum_{i \in u} q_i b_i`$. The field of
/// a unit acts on each member with its sign.
///
/// ```
/// use physics_inference::predict::Units;
///
/// let units = Units::variables(3);
/// assert_eq!((units.n_variables(), units.n_units()), (3, 3));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Units {
    /// Unit of each variable.
    unit: Vec<Option<usize>>,
    sign: Vec<f64>,
    sizes: Vec<usize>,
}

impl Units {
    /// Each of `n` variables is a unit.
    pub fn variables(n: usize) -> Self {
        Self { unit: (0..n).map(Some).collect(), sign: vec![1.0; n], sizes: vec![1; n] }
    }

    /// Clusters come first, in their order, then coupled single variables.
    pub fn clusters(set: &ClusterSet, singles: Singles) -> Self {
        let n = set.n_series();
        let mut sizes: Vec<usize> = set.clusters().iter().map(|c| c.members.len()).collect();
        let mut unit = Vec::with_capacity(n);
        for i in 0..n {
            unit.push(match (set.cluster_of(i), singles) {
                (Some(c), _) => Some(c),
                (None, Singles::Alone) => None,
                (None, Singles::Coupled) => {
                    sizes.push(1);
                    Some(sizes.len() - 1)
                }
            });
        }
        Self { unit, sign: (0..n).map(|i| f64::from(set.sign(i))).collect(), sizes }
    }

    /// Number of variables.
    pub fn n_variables(&self) -> usize {
        self.unit.len()
    }

    /// Number of units.
    pub fn n_units(&self) -> usize {
        self.sizes.len()
    }

    /// Units of several members.
    pub(crate) fn compound(&self) -> Vec<usize> {
        (0..self.sizes.len()).filter(|&u| self.sizes[u] > 1).collect()
    }

    /// Variable of each unit of one member.
    pub(crate) fn single_variables(&self) -> Vec<Option<usize>> {
        let mut variables = vec![None; self.n_units()];
        for (i, unit) in self.unit.iter().enumerate() {
            if let Some(u) = unit.filter(|&u| self.sizes[u] == 1) {
                variables[u] = Some(i);
            }
        }
        variables
    }

    /// Unit of each variable.
    pub(crate) fn members(&self) -> &[Option<usize>] {
        &self.unit
    }

    /// Values of the units.
    pub(crate) fn inputs(&self, step: &[i8], z: &mut [f64]) {
        z.fill(0.0);
        for ((&b, unit), q) in step.iter().zip(&self.unit).zip(&self.sign) {
            if let Some(u) = *unit {
                z[u] += q * f64::from(b);
            }
        }
        z.iter_mut().zip(&self.sizes).for_each(|(z, &k)| *z /= k as f64);
    }

    /// Sums of signed residuals over the members.
    pub(crate) fn gather(&self, residuals: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for ((e, unit), q) in residuals.iter().zip(&self.unit).zip(&self.sign) {
            if let Some(u) = *unit {
                out[u] += q * e;
            }
        }
    }

    /// Adds the fields of the units to those of their members.
    pub(crate) fn spread(&self, fields: &[f64], out: &mut [f64]) {
        for ((f, unit), q) in out.iter_mut().zip(&self.unit).zip(&self.sign) {
            if let Some(u) = *unit {
                *f += q * fields[u];
            }
        }
    }

    pub(crate) fn write_hash(&self, hash: &mut ContentHash) {
        let unit: Vec<usize> = self.unit.iter().map(|u| u.unwrap_or(usize::MAX)).collect();
        hash.write_usizes(&unit).write_f64s(&self.sign).write_usizes(&self.sizes);
    }
}
