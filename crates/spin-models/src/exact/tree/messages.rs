//! Effective fields towards the roots and back.

use super::forest::Forest;
use crate::exact::compensated::Compensated;
use crate::models::Ising;

/// `½ ln [cosh(a + b) / cosh(a - b)] = artanh(tanh a tanh b)`.
///
/// For large arguments the ratio of exponentials is `min(|a|, |b|)` with a sign, and what is left is bounded by
/// ln 2 / 2; for small ones the hyperbolic tangents keep all digits.
fn combine(a: f64, b: f64) -> f64 {
    let least = a.abs().min(b.abs());
    if least < 0.5 {
        return (a.tanh() * b.tanh()).atanh();
    }
    let rest = |x: f64| (-2.0 * x.abs()).exp().ln_1p();
    let sign = if (a < 0.0) == (b < 0.0) { 1.0 } else { -1.0 };
    sign * least + 0.5 * (rest(a + b) - rest(a - b))
}

/// `½ [ln 2cosh(a + b) + ln 2cosh(a - b)]`, and nothing lost for large arguments.
fn half_sum(a: f64, b: f64) -> f64 {
    let rest = |x: f64| (-2.0 * x.abs()).exp().ln_1p();
    a.abs().max(b.abs()) + 0.5 * (rest(a + b) + rest(a - b))
}

/// What comes from the leaves.
#[derive(Debug)]
pub(super) struct Messages {
    /// `H_i`: the field of a site and of all that hangs below it, times β.
    below: Vec<f64>,
    /// `u_i`: the field that a site exerts on its parent, times β.
    up: Vec<f64>,
    ln_sum: f64,
}

impl Messages {
    /// Sums out all sites, children first.
    pub fn upwards(model: &Ising, forest: &Forest, beta: f64) -> Self {
        let n = model.fields().len();
        // A hub adds up the fields of many leaves.
        let mut fields = vec![Compensated::default(); n];
        for (sum, field) in fields.iter_mut().zip(model.fields()) {
            sum.add(beta * field);
        }
        let mut up = vec![0.0; n];
        let mut ln_sum = Compensated::default();
        for i in forest.upwards() {
            let (coupling, field) = (beta * forest.coupling[i], fields[i].value());
            up[i] = combine(coupling, field);
            ln_sum.add(half_sum(coupling, field));
            fields[forest.parent_of(i)].add(up[i]);
        }
        let below: Vec<f64> = fields.iter().map(|field| field.value()).collect();
        for i in (0..n).filter(|&i| forest.is_root(i)) {
            ln_sum.add(half_sum(below[i], 0.0));
        }
        Self { below, up, ln_sum: ln_sum.value() }
    }

    /// ln Z; `N ln 2` to the last bit at β = 0.
    pub fn ln_z(&self, model: &Ising, beta: f64) -> f64 {
        if beta == 0.0 {
            return self.below.len() as f64 * std::f64::consts::LN_2;
        }
        self.ln_sum - beta * model.offset()
    }
}

/// Averages at every site and along every edge.
#[derive(Debug)]
pub(super) struct Averages {
    pub magnetizations: Vec<f64>,
    /// `⟨s_i s_parent⟩`.
    edge: Vec<f64>,
    /// How the mean of a site follows its parent's spin: half the difference between the parent up and down.
    from_parent: Vec<f64>,
    /// How the mean of the parent follows the site's spin.
    from_child: Vec<f64>,
}

/// Half the difference of the means `tanh(a ± b)`.
fn response(a: f64, b: f64) -> f64 {
    0.5 * ((a + b).tanh() - (a - b).tanh())
}

impl Averages {
    /// Brings the fields from the roots' side down to all sites.
    pub fn downwards(model: &Ising, forest: &Forest, messages: Messages, beta: f64) -> Self {
        let Messages { below, up, .. } = messages;
        let n = model.fields().len();
        let mut field = below.clone();
        let (mut edge, mut from_parent, mut from_child) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        for i in forest.downwards() {
            let coupling = beta * forest.coupling[i];
            // The parent's field without what the site itself exerts.
            let above = field[forest.parent_of(i)] - up[i];
            field[i] += combine(coupling, above);
            edge[i] = (coupling + combine(below[i], above)).tanh();
            from_parent[i] = response(below[i], coupling);
            from_child[i] = response(above, coupling);
        }
        Self { magnetizations: field.iter().map(|x| x.tanh()).collect(), edge, from_parent, from_child }
    }

    /// `⟨E⟩`.
    pub fn energy(&self, model: &Ising, forest: &Forest) -> f64 {
        let mut sum = Compensated::default();
        sum.add(model.offset());
        for i in forest.downwards() {
            sum.add(-forest.coupling[i] * self.edge[i]);
        }
        for (field, m) in model.fields().iter().zip(&self.magnetizations) {
            sum.add(-field * m);
        }
        sum.value()
    }

    fn variance(&self, i: usize) -> f64 {
        let m = self.magnetizations[i];
        (1.0 - m) * (1.0 + m)
    }

    /// `⟨s_i s_j⟩` along the path between two sites: `O(1)` for an edge.
    ///
    /// On a tree the mean of the next site on a path depends on the spin before it alone, and linearly, so that the
    /// covariance is the variance of the first spin times the product of the responses.
    pub fn pair(&self, forest: &Forest, i: usize, j: usize) -> f64 {
        if !forest.is_root(i) && forest.parent_of(i) == j {
            return self.edge[i];
        }
        if !forest.is_root(j) && forest.parent_of(j) == i {
            return self.edge[j];
        }
        let mut covariance = self.variance(i);
        let (mut a, mut b) = (i, j);
        while a != b {
            if forest.depth[a] >= forest.depth[b] {
                if forest.is_root(a) {
                    return self.magnetizations[i] * self.magnetizations[j];
                }
                covariance *= self.from_child[a];
                a = forest.parent_of(a);
            } else {
                covariance *= self.from_parent[b];
                b = forest.parent_of(b);
            }
        }
        self.magnetizations[i] * self.magnetizations[j] + covariance
    }

    /// `⟨s_i s_j⟩` for all j: `O(N)`.
    pub fn row(&self, forest: &Forest, i: usize, out: &mut [f64]) {
        // Covariances: up from i to its root, then down from there.
        out.fill(0.0);
        out[i] = self.variance(i);
        let mut on_path = vec![i];
        let mut site = i;
        while !forest.is_root(site) {
            let parent = forest.parent_of(site);
            out[parent] = out[site] * self.from_child[site];
            site = parent;
            on_path.push(site);
        }
        let path: Vec<f64> = on_path.iter().map(|&site| out[site]).collect();
        for j in forest.downwards() {
            out[j] = out[forest.parent_of(j)] * self.from_parent[j];
            if forest.depth[j] <= forest.depth[i] {
                let step = (forest.depth[i] - forest.depth[j]) as usize;
                if on_path[step] == j {
                    out[j] = path[step];
                }
            }
        }
        for (j, x) in out.iter_mut().enumerate() {
            *x += self.magnetizations[i] * self.magnetizations[j];
        }
        out[i] = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combination_of_fields_in_all_ranges() {
        for (a, b) in [(0.3, 0.2), (-0.7, 2.0), (0.51, -0.52), (3.0, 3.0), (1e-9, 1e-9), (1e-9, 700.0)] {
            let exact = (f64::tanh(a) * f64::tanh(b)).atanh();
            approx::assert_relative_eq!(combine(a, b), exact, max_relative = 1e-14);
            approx::assert_relative_eq!(combine(b, -a), -exact, max_relative = 1e-14);
        }
        // artanh(tanh a tanh b) → min(|a|, |b|), less ln 2 / 2 where they are equal.
        approx::assert_relative_eq!(combine(1e5, -300.0), -300.0);
        approx::assert_relative_eq!(combine(1e5, 1e5), 1e5 - 0.5 * 2f64.ln());
        approx::assert_relative_eq!(half_sum(0.4, 1.1), 0.5 * (4.0 * 1.5f64.cosh() * 0.7f64.cosh()).ln());
        approx::assert_relative_eq!(half_sum(1e4, 2.0), 1e4);
    }
}
