//! Spins outside a feedback vertex set, summed exactly.

use linalg_core::Streams;
use linalg_core::checkpoint::ContentHash;
use linalg_core::logspace::{ln_2cosh, sigmoid};
use rand::{Rng, RngExt};
use spin_models::{EnergyModel, Ising};

use crate::error::check_beta;
use crate::normalized::{Normalized, check_batch};
use crate::{Error, Result};

/// A spin of the forest, in an order in which children come before their parents.
#[derive(Debug, Clone)]
struct Leaf {
    site: usize,
    /// Place of the parent in the order, and β times the coupling to it.
    parent: Option<(usize, f64)>,
    /// β times the field.
    field: f64,
    /// Spins of the set that act on it: place in the set, and β times the coupling.
    acted_on: Vec<(usize, f64)>,
}

/// A pairwise model with the spins outside a feedback vertex set summed exactly, at one inverse temperature.
///
/// Without the spins A of the set the couplings form a forest, so that
///
/// ```math
/// E_\beta(s_A) = -\frac1\beta \ln \sum_{s_{\bar A}} e^{-\beta E(s_A, s_{\bar A})}
/// ```
///
/// takes one message along every edge (Pan, Zhou, Zhou, Zhou and Zhang, Phys. Rev. E 103, 012103 (2021), for networks on
/// these sets). It is an [`EnergyModel`] of the spins of the set with the partition function of the whole model, for any
/// method; [`complete`](Self::complete) draws the other spins from their exact conditional distribution, and [`Completed`]
/// makes a distribution of all spins of one of the set.
///
/// Cost: `O(N + M)` for an energy, with one logarithm and exponential for every spin of the forest.
///
/// ```
/// use spin_models::{EnergyModel, Ising};
/// use variational::FeedbackReduction;
///
/// // A ring of four: one spin cuts it. What is left is a chain between its two ends.
/// let ring = Ising::ring(4, 1.0)?;
/// let reduced = FeedbackReduction::new(&ring, 0.7, &[0])?;
/// let half = (4.0 * (2.0 * 0.7f64.cosh()).ln() + (1.0 + 0.7f64.tanh().powi(4)).ln()) - 2f64.ln();
/// assert!((-0.7 * reduced.energy(&[1]) - half).abs() < 1e-13);
/// assert_eq!(FeedbackReduction::greedy_set(&ring).len(), 1);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FeedbackReduction {
    n: usize,
    beta: f64,
    set: Vec<usize>,
    forest: Vec<Leaf>,
    /// Couplings within the set, places and value, as they are.
    couplings: Vec<(usize, usize, f64)>,
    fields: Vec<f64>,
    offset: f64,
    hash: u64,
}

impl FeedbackReduction {
    /// A small set whose removal leaves a forest: leaves are peeled off, and where there is none the spin with most
    /// neighbours left joins the set. Sorted. `O(N² + M)`.
    pub fn greedy_set(model: &Ising) -> Vec<usize> {
        let neighbours = neighbours(model);
        let n = neighbours.len();
        let mut degree: Vec<usize> = neighbours.iter().map(Vec::len).collect();
        let (mut gone, mut set) = (vec![false; n], Vec::new());
        let mut leaves: Vec<usize> = (0..n).filter(|&i| degree[i] <= 1).collect();
        loop {
            let next = match leaves.pop() {
                Some(i) if gone[i] => continue,
                Some(i) => i,
                None => {
                    let Some(i) = (0..n).filter(|&i| !gone[i]).max_by_key(|&i| (degree[i], n - i)) else { break };
                    set.push(i);
                    i
                }
            };
            gone[next] = true;
            for &j in neighbours[next].iter().filter(|&&j| !gone[j]) {
                degree[j] -= 1;
                if degree[j] <= 1 {
                    leaves.push(j);
                }
            }
        }
        set.sort_unstable();
        set
    }

    /// Keeps the spins of `set`, in this order, and sums over the others at `beta`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a set that is empty, repeats a spin or has one that does not exist; [`Error::NotApplicable`]
    /// for couplings outside the set that are no forest; β that is negative or not finite, or 0, where there is no such
    /// energy.
    pub fn new(model: &Ising, beta: f64, set: &[usize]) -> Result<Self> {
        check_beta(beta)?;
        if beta < f64::MIN_POSITIVE {
            return Err(Error::Parameter { what: "beta", value: beta.to_string(), expected: "a number above 0" });
        }
        let n = model.n_spins();
        let mut place = vec![None; n];
        for (k, &i) in set.iter().enumerate() {
            if i >= n || place[i].is_some() {
                let value = format!("spin {i} at place {k}");
                return Err(Error::Parameter { what: "feedback set", value, expected: "distinct spins of the model" });
            }
            place[i] = Some(k);
        }
        if set.is_empty() {
            let (what, value) = ("feedback set", "empty".to_owned());
            return Err(Error::Parameter { what, value, expected: "at least one spin" });
        }
        // Breadth first from every root; the reverse order has children before parents.
        let neighbours = neighbours(model);
        let (mut order, mut parent, mut seen) = (Vec::new(), vec![None; n], vec![false; n]);
        for root in (0..n).filter(|&i| place[i].is_none()) {
            if seen[root] {
                continue;
            }
            seen[root] = true;
            let mut next = order.len();
            order.push(root);
            while next < order.len() {
                let i: usize = order[next];
                let above = parent[i];
                for &j in neighbours[i].iter().filter(|&&j| place[j].is_none() && above != Some(j)) {
                    if seen[j] {
                        let reason = format!("spins {i} and {j} close a loop outside the set");
                        return Err(Error::NotApplicable { method: "feedback reduction", reason });
                    }
                    (seen[j], parent[j]) = (true, Some(i));
                    order.push(j);
                }
                next += 1;
            }
        }
        order.reverse();
        let mut at = vec![0; n];
        order.iter().enumerate().for_each(|(k, &i)| at[i] = k);
        let mut forest: Vec<Leaf> = order
            .iter()
            .map(|&site| Leaf {
                site,
                parent: parent[site].map(|p: usize| (at[p], 0.0)),
                field: beta * model.fields()[site],
                acted_on: Vec::new(),
            })
            .collect();
        let mut couplings = Vec::new();
        for (i, j, coupling) in model.couplings() {
            match (place[i], place[j]) {
                (Some(a), Some(b)) => couplings.push((a, b, coupling)),
                (Some(a), None) => forest[at[j]].acted_on.push((a, beta * coupling)),
                (None, Some(b)) => forest[at[i]].acted_on.push((b, beta * coupling)),
                (None, None) => {
                    let child = if parent[i] == Some(j) { i } else { j };
                    if let Some((_, value)) = &mut forest[at[child]].parent {
                        *value += beta * coupling;
                    }
                }
            }
        }
        let mut hash = ContentHash::new();
        hash.write_str("feedback reduction").write_u64(model.content_hash()).write_f64(beta).write_usizes(set);
        let fields = set.iter().map(|&i| model.fields()[i]).collect();
        let (set, offset, hash) = (set.to_vec(), model.offset(), hash.finish());
        Ok(Self { n, beta, set, forest, couplings, fields, offset, hash })
    }

    /// The inverse temperature at which the others are summed.
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// The spins that are kept.
    pub fn set(&self) -> &[usize] {
        &self.set
    }

    /// Number of spins of the whole model.
    pub fn n_all(&self) -> usize {
        self.n
    }

    /// Effective fields on the forest at these spins of the set, in its order; returns the logarithm of its sum.
    fn sum(&self, s: &[i8], field: &mut Vec<f64>) -> f64 {
        field.clear();
        field.extend(self.forest.iter().map(|leaf| {
            leaf.field + leaf.acted_on.iter().map(|&(a, coupling)| coupling * f64::from(s[a])).sum::<f64>()
        }));
        let mut ln = 0.0;
        for (k, leaf) in self.forest.iter().enumerate() {
            match leaf.parent {
                None => ln += ln_2cosh(field[k]),
                Some((parent, coupling)) => {
                    let (plus, minus) = (ln_2cosh(field[k] + coupling), ln_2cosh(field[k] - coupling));
                    ln += 0.5 * (plus + minus);
                    field[parent] += 0.5 * (plus - minus);
                }
            }
        }
        ln
    }

    /// Writes the spins of the set into a configuration of all and draws the others given them. Returns the logarithm of the
    /// probability of what was drawn.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn complete<R: Rng + ?Sized>(&self, s: &[i8], out: &mut [i8], rng: &mut R) -> f64 {
        check_batch(out.len(), 1, self.n);
        self.set.iter().zip(s).for_each(|(&i, &s)| out[i] = s);
        self.walk(s, out, |up| if rng.random::<f64>() < up { 1 } else { -1 })
    }

    /// The logarithm of the probability of the spins outside the set given those in it.
    fn ln_rest(&self, s: &[i8], all: &mut [i8]) -> f64 {
        let given: Vec<i8> = self.forest.iter().rev().map(|leaf| all[leaf.site]).collect();
        let mut given = given.into_iter();
        self.walk(s, all, |_| given.next().unwrap_or(1))
    }

    /// From the roots down: `choose` gets the probability of +1.
    fn walk(&self, s: &[i8], out: &mut [i8], mut choose: impl FnMut(f64) -> i8) -> f64 {
        check_batch(s.len(), 1, self.set.len());
        let mut field = Vec::with_capacity(self.forest.len());
        self.sum(s, &mut field);
        let mut ln = 0.0;
        for (leaf, field) in self.forest.iter().zip(&field).rev() {
            let above = leaf.parent.map_or(0.0, |(p, coupling)| coupling * f64::from(out[self.forest[p].site]));
            let total = field + above;
            let spin = choose(sigmoid(2.0 * total));
            out[leaf.site] = spin;
            ln += f64::from(spin) * total - ln_2cosh(total);
        }
        ln
    }
}

fn neighbours(model: &Ising) -> Vec<Vec<usize>> {
    let row = |i: usize| {
        let mut row: Vec<usize> = model.row(i).0.iter().map(|&j| j as usize).collect();
        row.sort_unstable();
        row.dedup();
        row
    };
    (0..model.n_spins()).map(row).collect()
}

impl EnergyModel for FeedbackReduction {
    fn n_spins(&self) -> usize {
        self.set.len()
    }

    fn energy(&self, s: &[i8]) -> f64 {
        check_batch(s.len(), 1, self.set.len());
        let pairs: f64 = self.couplings.iter().map(|&(i, j, coupling)| coupling * f64::from(s[i] * s[j])).sum();
        let own: f64 = self.fields.iter().zip(s).map(|(h, &s)| h * f64::from(s)).sum();
        self.offset - pairs - own - self.sum(s, &mut Vec::with_capacity(self.forest.len())) / self.beta
    }

    fn delta_energy(&self, s: &[i8], i: usize) -> f64 {
        let mut flipped = s.to_vec();
        flipped[i] = -flipped[i];
        self.energy(&flipped) - self.energy(s)
    }

    fn content_hash(&self) -> u64 {
        self.hash
    }
}

/// A distribution of all spins: one of the feedback set, completed by the exact conditional distribution of the others.
///
/// ```math
/// q(s) = q_A(s_A)\, p(s_{\bar A} \mid s_A)
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Completed<'r, Q> {
    reduction: &'r FeedbackReduction,
    network: Q,
}

impl<'r, Q: Normalized> Completed<'r, Q> {
    /// Completes a distribution of the spins of the set.
    ///
    /// # Errors
    /// [`Error::WrongLength`] when the two differ in spins.
    pub fn new(reduction: &'r FeedbackReduction, network: Q) -> Result<Self> {
        let (got, expected) = (network.n_spins(), reduction.set.len());
        if got != expected {
            return Err(Error::WrongLength { what: "spins of the network", got, expected });
        }
        Ok(Self { reduction, network })
    }
}

impl<Q: Normalized> Normalized for Completed<'_, Q> {
    fn n_spins(&self) -> usize {
        self.reduction.n
    }

    fn ln_prob_batch(&self, batch: &[i8], out: &mut [f64]) {
        let n = self.reduction.n;
        check_batch(batch.len(), out.len(), n);
        let mut all = vec![0; n];
        let kept: Vec<i8> = batch.chunks_exact(n).flat_map(|row| self.reduction.set.iter().map(|&i| row[i])).collect();
        self.network.ln_prob_batch(&kept, out);
        let rows = batch.chunks_exact(n).zip(kept.chunks_exact(self.reduction.set.len()));
        for ((row, kept), ln_q) in rows.zip(out) {
            all.copy_from_slice(row);
            *ln_q += self.reduction.ln_rest(kept, &mut all);
        }
    }

    fn sample_batch(&self, streams: Streams, out: &mut [i8], ln_q: &mut [f64]) {
        let (n, kept) = (self.reduction.n, self.reduction.set.len());
        check_batch(out.len(), ln_q.len(), n);
        let mut rows = vec![0; kept * ln_q.len()];
        self.network.sample_batch(streams.child(0), &mut rows, ln_q);
        let mut rng = streams.child(1).fast_stream(0);
        for ((row, out), ln_q) in rows.chunks_exact(kept).zip(out.chunks_exact_mut(n)).zip(ln_q) {
            *ln_q += self.reduction.complete(row, out, &mut rng);
        }
    }

    fn sample<R: Rng + ?Sized>(&self, s: &mut [i8], rng: &mut R) -> f64 {
        let mut kept = vec![0; self.reduction.set.len()];
        let ln_q = self.network.sample(&mut kept, rng);
        ln_q + self.reduction.complete(&kept, s, rng)
    }
}
