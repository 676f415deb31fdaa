//! The walls through one seam, given those around the two patches that it joins.
//!
//! Walls at a set S of the open sides of a patch have the weight $`\mathrm{Pf}(A_S)`$, A the skew matrix with the pair
//! amplitudes above its diagonal. What is known of the walls around both patches enters by Schur complements. The sides
//! of the seam remain, in pairs (a, b) with weights w. Closing the pairs one after the other sums over their walls:
//!
//! ```math
//! A' = A + \kappa (v u^T - u v^T), \qquad \kappa = \frac{w}{1 + w A_{ab}},
//! ```
//!
//! u and v the rows of a and b. The pairs are then drawn in the opposite order. With the pairs D that are known to be
//! changed, and $`X = (A'_{DD})^{-1}`$, pair (a, b) is unchanged with the probability
//!
//! ```math
//! \frac{1 - \kappa\, u_D^T X v_D}{1 + w A_{ab}},
//! ```
//!
//! and X follows by a change of rank 2, which divides by the probability of what was drawn. A seam of k sides costs
//! O(k³) operations.

use super::super::number::Number;
use super::super::patch::{Patch, gather, pivot, settle};
use super::super::program::Step;

/// Changes of the reference that increase its weight by more are made.
const LARGEST: f64 = 4.0;

/// Probabilities may leave the unit interval by this much.
const SLACK: f64 = 1e-6;

/// What a step needs besides the amplitudes.
pub(super) struct Seam<'a> {
    pub step: &'a Step,
    /// The words of both patches.
    pub words: [&'a [u32]; 2],
    pub exponents: &'a [f64],
    /// One number of the unit interval for every side.
    pub uniforms: &'a [f64],
}

/// A pair of halves of one side: positions in the word of both patches together.
#[derive(Debug, Clone, Copy)]
struct Pair {
    a: usize,
    b: usize,
    side: u32,
}

impl Seam<'_> {
    /// The sides that this step closes, in the order in which it does.
    fn pairs(&self) -> Vec<Pair> {
        let n1 = self.words[0].len();
        let length = self.step.seam.len();
        let at = |k: u32| if (k as usize) < n1 - length { k as usize } else { k as usize + 2 * length };
        let kept = &self.step.kept;
        let seam = self.step.seam.iter().enumerate().map(|(k, &side)| Pair { a: n1 - 1 - k, b: n1 + k, side });
        let closings = self.step.closings.iter().map(|&(a, b, side)| Pair { a: at(a), b: at(b), side });
        let wraps = self.step.wraps.iter().enumerate();
        let wraps = wraps.map(|(k, &side)| Pair { a: at(kept[k]), b: at(kept[kept.len() - 1 - k]), side });
        seam.chain(closings).chain(wraps).collect()
    }

    /// Draws the walls through all sides that the step closes and returns the logarithm of their probability; `None`
    /// where the numbers have lost all digits.
    pub(super) fn draw<T: Number>(&self, patches: [&Patch<T>; 2], wall: &mut [bool]) -> Option<f64> {
        let mut pairs = self.pairs();
        let n1 = self.words[0].len();
        let n = n1 + self.words[1].len();
        let mut open = vec![false; n];
        for pair in &pairs {
            open[pair.a] = true;
            open[pair.b] = true;
        }
        let starts = [self.step.left_start as usize, self.step.right_start as usize];
        let left = conditioned(patches[0], self.words[0], starts[0], &open[..n1], wall);
        let right = conditioned(patches[1], self.words[1], starts[1], &open[n1..], wall);
        // From here on positions are those among the open ones.
        let mut index = vec![0; n];
        let mut count = 0;
        for (index, &open) in index.iter_mut().zip(&open) {
            *index = count;
            count += usize::from(open);
        }
        for pair in &mut pairs {
            (pair.a, pair.b) = (index[pair.a], index[pair.b]);
        }
        let mut table = Joined::new(&left, &right);
        if !table.agree(&pairs) {
            return None;
        }
        table.settle(&pairs, self.exponents);
        let changed = |pair: &Pair| table.walls[pair.a];
        let weights: Vec<T> = pairs
            .iter()
            .map(|pair| {
                let x = self.exponents[pair.side as usize];
                T::exp(if changed(pair) { -x } else { x })
            })
            .collect();
        let mut closed = Closed::new(&table, &pairs, &weights);
        let mut drawn = Drawn::new();
        let mut ln_probability = 0.0;
        for (k, pair) in pairs.iter().enumerate().rev() {
            let here = closed.weigh(k, &drawn);
            let same = here.unchanged.to_f64();
            if !(-SLACK..=1.0 + SLACK).contains(&same) {
                return None;
            }
            let uniform = self.uniforms[pair.side as usize];
            let reference = table.walls[pair.a];
            // One number means one wall, whatever the reference.
            let has_wall = uniform < if reference { same } else { 1.0 - same };
            wall[pair.side as usize] = has_wall;
            let probability = if has_wall == reference { here.unchanged } else { T::ONE - here.unchanged };
            if !probability.exceeds(T::ZERO) {
                return None;
            }
            ln_probability += probability.ln();
            closed.follow(k, &here, has_wall != reference, &mut drawn);
        }
        ln_probability.is_finite().then_some(ln_probability)
    }
}

/// The amplitudes of the open positions of a patch, given the walls at all others. Positions count from `start`.
fn conditioned<T: Number>(patch: &Patch<T>, word: &[u32], start: usize, open: &[bool], wall: &[bool]) -> Patch<T> {
    let n = patch.n;
    let at = |c: usize| (start + c) % n;
    let remaining: Vec<usize> = (0..n).filter(|&c| open[c]).collect();
    let mut changed: Vec<usize> =
        (0..n).filter(|&c| !open[c] && patch.walls[at(c)] != wall[word[at(c)] as usize / 2]).collect();
    let (d, k) = (changed.len(), remaining.len());
    // The skew matrix: rows of changed positions, then the part above the diagonal for those that remain.
    let entry = |i: usize, j: usize| {
        let x = patch.at(at(i), at(j));
        match i.cmp(&j) {
            std::cmp::Ordering::Less => x,
            std::cmp::Ordering::Equal => T::ZERO,
            std::cmp::Ordering::Greater => T::ZERO - x,
        }
    };
    let m = d + k;
    let mut rows: Vec<T> = Vec::with_capacity(d * m);
    for &i in &changed {
        rows.extend(changed.iter().chain(&remaining).map(|&j| entry(i, j)));
    }
    let mut pivots = Vec::with_capacity(d / 2);
    let mut done = 0;
    while done + 2 <= d {
        let mut best = (T::ZERO, done, done + 1);
        for i in done..d {
            for j in i + 1..d {
                let x = rows[i * m + j].modulus();
                if x.exceeds(best.0) {
                    best = (x, i, j);
                }
            }
        }
        let (_, p, q) = best;
        // p < q, so that the second exchange does not move what the first put in place.
        for (to, from) in [(done, p), (done + 1, q)] {
            if to == from {
                continue;
            }
            changed.swap(to, from);
            for c in 0..m {
                rows.swap(to * m + c, from * m + c);
            }
            for r in 0..d {
                rows.swap(r * m + to, r * m + from);
            }
        }
        let (head, tail) = rows.split_at_mut((done + 2) * m);
        let (u, v) = head[done * m..].split_at(m);
        let inverse = T::ONE / u[done + 1];
        pivots.push(inverse);
        for row in tail.chunks_exact_mut(m) {
            // A_pi = -A_ip
            let (c, e) = (inverse * row[done], inverse * row[done + 1]);
            for ((x, &u), &v) in row[done + 2..].iter_mut().zip(&u[done + 2..]).zip(&v[done + 2..]) {
                *x = *x + (c * v - e * u);
            }
        }
        done += 2;
    }
    // Pfaffians count positions in their order: one changes sign with every eliminated position before it.
    let eliminated = &changed[..done];
    let odd = |c: usize| eliminated.iter().filter(|&&e| e < c).count() % 2 == 1;
    let last = changed.get(done).copied();
    let order: Vec<usize> = {
        let mut order: Vec<usize> = remaining.iter().copied().chain(last).collect();
        order.sort_unstable();
        order
    };
    let size = order.len();
    let mut g = vec![T::ZERO; size * size];
    let signs: Vec<bool> = order.iter().map(|&c| odd(c)).collect();
    let place = last.map(|c| order.iter().position(|&x| x == c).expect("it was put there"));
    let slots: Vec<usize> = (0..size).filter(|&s| Some(s) != place).collect();
    let mut line = vec![T::ZERO; k];
    for (i, &c) in remaining.iter().enumerate() {
        for (x, &other) in line[i + 1..].iter_mut().zip(&remaining[i + 1..]) {
            *x = patch.at(at(c), at(other));
        }
        for (t, &inverse) in pivots.iter().enumerate() {
            let (u, v) = (&rows[2 * t * m + d..][..k], &rows[(2 * t + 1) * m + d..][..k]);
            let (c, e) = (inverse * u[i], inverse * v[i]);
            for ((x, &u), &v) in line[i + 1..].iter_mut().zip(&u[i + 1..]).zip(&v[i + 1..]) {
                *x = *x - (c * v - e * u);
            }
        }
        let slot = slots[i];
        for (j, &x) in line.iter().enumerate().skip(i + 1) {
            let other = slots[j];
            g[slot * size + other] = if signs[slot] == signs[other] { x } else { T::ZERO - x };
        }
    }
    let mut walls: Vec<bool> = order.iter().map(|&c| patch.walls[at(c)]).collect();
    if let Some(p) = place {
        for (j, &slot) in slots.iter().enumerate() {
            let x = rows[done * m + d + j];
            let flip = (signs[slot] != signs[p]) != (slot < p);
            g[slot.min(p) * size + slot.max(p)] = if flip { T::ZERO - x } else { x };
        }
        let amplitude = |&s: &usize| g[s.min(p) * size + s.max(p)];
        let best = slots.iter().copied().reduce(|a, b| if amplitude(&b).exceeds(amplitude(&a)) { b } else { a });
        let Some(s) = best else { unreachable!("the walls around a patch are even in number") };
        pivot(&mut g, size, 0..size, s.min(p), s.max(p), &mut walls);
        let mut out = gather(&g, size, &slots, &walls);
        settle(&mut out, T::from_f64(LARGEST), &mut T::Sum::default());
        return out;
    }
    let mut out = Patch { n: size, g, walls };
    settle(&mut out, T::from_f64(LARGEST), &mut T::Sum::default());
    out
}

/// Two patches side by side.
struct Joined<T> {
    n: usize,
    /// Positions of the left patch.
    n1: usize,
    g: Vec<T>,
    walls: Vec<bool>,
}

impl<T: Number> Joined<T> {
    fn new(left: &Patch<T>, right: &Patch<T>) -> Self {
        let n = left.n + right.n;
        let mut g = vec![T::ZERO; n * n];
        for (patch, offset) in [(left, 0), (right, left.n)] {
            for i in 0..patch.n {
                g[(offset + i) * n + offset..][..patch.n].copy_from_slice(&patch.g[i * patch.n..][..patch.n]);
            }
        }
        let walls = left.walls.iter().chain(&right.walls).copied().collect();
        Self { n, n1: left.n, g, walls }
    }

    /// Changes the references until both halves of every pair have or have not a wall, by the largest amplitudes. `false`
    /// where a wall was drawn whose probability is zero but for rounding: the number of walls is odd.
    fn agree(&mut self, pairs: &[Pair]) -> bool {
        let Self { n, n1, .. } = *self;
        let block = |p: usize| if p < n1 { 0..n1 } else { n1..n };
        let across = |pair: &Pair| pair.a < n1 && pair.b >= n1;
        // Pairs within a patch first: what they exchange with may be any half of a pair that joins the two.
        for inside in [true, false] {
            while let Some(k) =
                pairs.iter().position(|pair| across(pair) != inside && self.walls[pair.a] != self.walls[pair.b])
            {
                let mut best: Option<(T, usize, usize)> = None;
                for p in [pairs[k].a, pairs[k].b] {
                    for (other, pair) in pairs.iter().enumerate() {
                        let differs = self.walls[pair.a] != self.walls[pair.b];
                        if other == k || !(differs || (inside && across(pair))) {
                            continue;
                        }
                        for q in [pair.a, pair.b].into_iter().filter(|&q| block(p) == block(q)) {
                            let (p, q) = (p.min(q), p.max(q));
                            let x = self.g[p * n + q];
                            if best.is_none_or(|(y, ..)| x.exceeds(y)) {
                                best = Some((x, p, q));
                            }
                        }
                    }
                }
                let Some((_, p, q)) = best else { return false };
                pivot(&mut self.g, n, block(p), p, q, &mut self.walls);
            }
        }
        true
    }
}

impl<T: Number> Joined<T> {
    /// Changes the references of both patches at two pairs while that makes them much more likely together.
    fn settle(&mut self, pairs: &[Pair], exponents: &[f64]) {
        let Self { n, n1, .. } = *self;
        let across: Vec<Pair> = pairs.iter().copied().filter(|pair| pair.a < n1 && pair.b >= n1).collect();
        let bound = T::from_f64(LARGEST);
        let weight = |walls: &[bool], pair: &Pair| {
            let x = exponents[pair.side as usize];
            T::exp(if walls[pair.a] { -x } else { x })
        };
        let mut weights: Vec<T> = across.iter().map(|pair| weight(&self.walls, pair)).collect();
        // Every change increases the weight at least by the bound, so that this ends.
        for _ in 0..4 * n {
            let mut best = (bound, 0, 0);
            for (i, first) in across.iter().enumerate() {
                for (j, second) in across.iter().enumerate().skip(i + 1) {
                    let left = self.g[first.a.min(second.a) * n + first.a.max(second.a)];
                    let right = self.g[first.b.min(second.b) * n + first.b.max(second.b)];
                    let x = weights[i] * weights[j] * left * right;
                    if x.exceeds(best.0) {
                        best = (x, i, j);
                    }
                }
            }
            let (_, i, j) = best;
            if i == j {
                return;
            }
            for (block, p, q) in [(0..n1, across[i].a, across[j].a), (n1..n, across[i].b, across[j].b)] {
                pivot(&mut self.g, n, block, p.min(q), p.max(q), &mut self.walls);
            }
            for k in [i, j] {
                weights[k] = weight(&self.walls, &across[k]);
            }
        }
    }
}

/// The skew matrix in the order of the pairs, above the diagonal; rows are those at the time when their pair is closed.
struct Closed<T> {
    n: usize,
    a: Vec<T>,
    weights: Vec<T>,
    kappa: Vec<T>,
}

/// One pair before it is drawn.
struct Weighed<T> {
    unchanged: T,
    /// X u, X v and $`u^T X v`$.
    p: Vec<T>,
    q: Vec<T>,
    s: T,
}

/// The changed positions so far and the inverse of their part of the matrix, row-major.
struct Drawn<T> {
    positions: Vec<usize>,
    inverse: Vec<T>,
}

impl<T: Number> Drawn<T> {
    fn new() -> Self {
        Self { positions: Vec::new(), inverse: Vec::new() }
    }
}

impl<T: Number> Closed<T> {
    fn new(table: &Joined<T>, pairs: &[Pair], weights: &[T]) -> Self {
        let n = table.n;
        let order: Vec<usize> = pairs.iter().flat_map(|pair| [pair.a, pair.b]).collect();
        let mut a = vec![T::ZERO; n * n];
        for (i, &p) in order.iter().enumerate() {
            for (j, &q) in order.iter().enumerate().skip(i + 1) {
                let x = table.g[p.min(q) * n + p.max(q)];
                a[i * n + j] = if p < q { x } else { T::ZERO - x };
            }
        }
        let mut kappa = Vec::with_capacity(pairs.len());
        for (k, &w) in weights.iter().enumerate() {
            let (head, tail) = a.split_at_mut((2 * k + 2) * n);
            let (u, v) = head[2 * k * n..].split_at(n);
            let factor = w / (T::ONE + w * u[2 * k + 1]);
            kappa.push(factor);
            for (i, row) in tail.chunks_exact_mut(n).enumerate() {
                let i = i + 2 * k + 2;
                let (c, d) = (factor * v[i], factor * u[i]);
                for ((x, &u), &v) in row[i + 1..].iter_mut().zip(&u[i + 1..]).zip(&v[i + 1..]) {
                    *x = *x + (c * u - d * v);
                }
            }
        }
        Self { n, a, weights: weights.to_vec(), kappa }
    }

    fn weigh(&self, k: usize, drawn: &Drawn<T>) -> Weighed<T> {
        let n = self.n;
        let (u, v) = (&self.a[2 * k * n..][..n], &self.a[(2 * k + 1) * n..][..n]);
        let m = drawn.positions.len();
        let (mut p, mut q) = (vec![T::ZERO; m], vec![T::ZERO; m]);
        // X is skew: X u = -(u^T X)^T, row by row.
        for (row, &position) in drawn.inverse.chunks_exact(m.max(1)).zip(&drawn.positions) {
            let (c, d) = (u[position], v[position]);
            for ((p, q), &x) in p.iter_mut().zip(&mut q).zip(row) {
                *p = *p - c * x;
                *q = *q - d * x;
            }
        }
        let s = drawn.positions.iter().zip(&q).fold(T::ZERO, |sum, (&i, &q)| sum + u[i] * q);
        let unchanged = (T::ONE - self.kappa[k] * s) / (T::ONE + self.weights[k] * u[2 * k + 1]);
        Weighed { unchanged, p, q, s }
    }

    /// Takes what was drawn for pair k into account.
    fn follow(&mut self, k: usize, here: &Weighed<T>, changed: bool, drawn: &mut Drawn<T>) {
        let kappa = self.kappa[k];
        let m = drawn.positions.len();
        let Weighed { unchanged, p, q, s } = here;
        if !changed {
            let factor = kappa / (T::ONE - kappa * *s);
            for (i, row) in drawn.inverse.chunks_exact_mut(m.max(1)).enumerate() {
                let (c, d) = (factor * p[i], factor * q[i]);
                for ((x, &p), &q) in row.iter_mut().zip(p).zip(q) {
                    *x = *x + (c * q - d * p);
                }
            }
            return;
        }
        // The inverse with a and b added, their entry raised by 1 / w, has the columns κ q and -κ p, and -e for a, b.
        let e = kappa * (T::ONE - kappa * *s);
        let column_a: Vec<T> = q.iter().map(|&q| kappa * q).chain([T::ZERO, e]).collect();
        let column_b: Vec<T> = p.iter().map(|&p| T::ZERO - kappa * p).chain([T::ZERO - e, T::ZERO]).collect();
        let factor = T::ONE / (self.weights[k] * (T::ONE - *unchanged));
        let size = m + 2;
        let mut inverse = vec![T::ZERO; size * size];
        for i in 0..size {
            let row = &mut inverse[i * size..][..size];
            if i < m {
                row[..m].copy_from_slice(&drawn.inverse[i * m..][..m]);
                row[m] = column_a[i];
                row[m + 1] = column_b[i];
            } else {
                let column = if i == m { &column_a } else { &column_b };
                for (x, &y) in row.iter_mut().zip(column) {
                    *x = T::ZERO - y;
                }
            }
            let (c, d) = (factor * column_a[i], factor * column_b[i]);
            for ((x, &a), &b) in row.iter_mut().zip(&column_a).zip(&column_b) {
                *x = *x - (c * b - d * a);
            }
        }
        drawn.inverse = inverse;
        drawn.positions.extend([2 * k, 2 * k + 1]);
    }
}
