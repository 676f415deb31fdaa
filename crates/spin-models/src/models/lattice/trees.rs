//! Trees: random, balanced, and the shells of the Bethe lattice.

use std::f64::consts::PI;

use linalg_core::rand::{Rng, RngExt};

use super::{Lattice, check_size};
use crate::models::duplicates::check_n_spins;
use crate::{Error, Result};

impl Lattice {
    /// A uniformly random labelled tree: each of the `n^(n-2)` trees with the same probability.
    ///
    /// A random Prüfer sequence of length n - 2 is decoded in `O(N)`. Drawn in circles around site 0.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::Lattice;
    ///
    /// let tree = Lattice::tree(10, &mut Streams::new(1).stream(0))?;
    /// assert_eq!(tree.n_edges(), 9);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSpins`] or [`Error::TooLarge`].
    pub fn tree<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Result<Self> {
        check_n_spins(n)?;
        let code: Vec<u32> = (0..n.saturating_sub(2)).map(|_| rng.random_range(0..n as u32)).collect();
        Ok(radial(n, from_prufer(n, &code)))
    }

    /// A random recursive tree: site i = 1, 2, … is attached to a uniformly chosen earlier site.
    ///
    /// Depth grows as e ln n, against √n for [`tree`](Self::tree). `O(N)`.
    ///
    /// # Errors
    /// [`Error::NoSpins`] or [`Error::TooLarge`].
    pub fn recursive_tree<R: Rng + ?Sized>(n: usize, rng: &mut R) -> Result<Self> {
        check_n_spins(n)?;
        let edges = (1..n as u32).map(|i| (rng.random_range(0..i), i)).collect();
        Ok(radial(n, edges))
    }

    /// The tree in which every site above depth `depth` has `branching` children; site 0 is the root.
    ///
    /// Sites are numbered level by level: the parent of i is `(i - 1) / branching`.
    ///
    /// ```text
    ///        0              balanced_tree(2, 2)
    ///      /   \
    ///     1     2
    ///    / \   / \
    ///   3   4 5   6
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a branching of 0, [`Error::TooLarge`].
    pub fn balanced_tree(branching: usize, depth: usize) -> Result<Self> {
        if branching == 0 {
            return Err(Error::Parameter { what: "branching", value: "0".into(), expected: "at least 1" });
        }
        shells(branching, branching, depth)
    }

    /// The first `shells` shells of the Bethe lattice (a Cayley tree): every inner site has `coordination`
    /// neighbours.
    ///
    /// Site 0 is the centre; it has z neighbours, every further site z - 1 children. Sites are numbered shell by
    /// shell; shell k > 0 has `z (z-1)^(k-1)` sites, so that most sites are at the surface. Thermodynamics of the
    /// Bethe lattice is that of the centre, not of the whole tree.
    ///
    /// ```text
    ///          4   5
    ///           \ /
    ///            1           bethe_shell(3, 2)
    ///            |
    ///      6 -2- 0 -3- 8     (2 carries 6 and 7, 3 carries 8 and 9)
    ///         |     |
    ///         7     9
    /// ```
    ///
    /// ```
    /// use spin_models::Lattice;
    ///
    /// let shells = Lattice::bethe_shell(3, 2)?;
    /// assert_eq!(shells.n_sites(), 1 + 3 + 6);
    /// assert_eq!((shells.degree(0), shells.degree(1), shells.degree(9)), (3, 3, 1));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// Reference: R. J. Baxter, Exactly Solved Models in Statistical Mechanics (1982), chapter 4.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a coordination below 2, [`Error::TooLarge`].
    pub fn bethe_shell(coordination: usize, shells: usize) -> Result<Self> {
        if coordination < 2 {
            let value = coordination.to_string();
            return Err(Error::Parameter { what: "coordination", value, expected: "at least 2" });
        }
        self::shells(coordination, coordination - 1, shells)
    }
}

/// A tree whose root has `first` children and every further site `later`, to this depth.
fn shells(first: usize, later: usize, depth: usize) -> Result<Lattice> {
    let mut total = Some(1usize);
    if later == 1 {
        total = first.checked_mul(depth).and_then(|sites| sites.checked_add(1));
    } else {
        // Shells at least double: the bound is passed within 32 of them.
        let mut shell = Some(1usize);
        for k in 0..depth {
            shell = shell.and_then(|size| size.checked_mul(if k == 0 { first } else { later }));
            total = total.and_then(|sum| sum.checked_add(shell?));
            check_size("tree", total)?;
        }
    }
    let n = check_size("tree", total)?;
    let mut edges = Vec::with_capacity(n - 1);
    for parent in 0..n as u32 {
        let children = if parent == 0 { first } else { later };
        let next = edges.len() as u32 + 1;
        edges.extend((next..n as u32).take(children).map(|child| (parent, child)));
    }
    Ok(radial(n, edges))
}

/// The tree of a Prüfer sequence: repeatedly the lowest leaf is joined to the next entry and removed.
fn from_prufer(n: usize, code: &[u32]) -> Vec<(u32, u32)> {
    if n < 2 {
        return Vec::new();
    }
    let mut degree = vec![1u32; n];
    for &site in code {
        degree[site as usize] += 1;
    }
    let mut edges = Vec::with_capacity(n - 1);
    let lowest_leaf = |degree: &[u32], from: usize| (from..n).find(|&i| degree[i] == 1).unwrap_or(n - 1);
    let mut pointer = lowest_leaf(&degree, 0);
    let mut leaf = pointer;
    for &site in code {
        edges.push((leaf as u32, site));
        degree[leaf] = 0;
        let site = site as usize;
        degree[site] -= 1;
        if degree[site] == 1 && site < pointer {
            // A new leaf below the pointer is the lowest one.
            leaf = site;
        } else {
            pointer = lowest_leaf(&degree, pointer + 1);
            leaf = pointer;
        }
    }
    // Two sites are left: this leaf and the highest site, which is never removed.
    edges.push((leaf as u32, n as u32 - 1));
    edges
}

/// Positions of a tree in circles around site 0: radius is the depth, angles are shared out by numbers of leaves.
fn radial(n: usize, edges: Vec<(u32, u32)>) -> Lattice {
    let mut lattice = Lattice::assemble(edges, vec![[0.0; 3]; n], None);
    let (start, neighbors) = lattice.rows();
    let mut order = vec![0usize];
    let mut parent = vec![usize::MAX; n];
    let mut depth = vec![0u32; n];
    let mut done = 0;
    while done < order.len() {
        let i = order[done];
        done += 1;
        for &j in &neighbors[start[i]..start[i + 1]] {
            let j = j as usize;
            if j != parent[i] {
                parent[j] = i;
                depth[j] = depth[i] + 1;
                order.push(j);
            }
        }
    }
    let mut leaves = vec![0u32; n];
    for &i in order.iter().rev() {
        leaves[i] = leaves[i].max(1);
        if i != 0 {
            leaves[parent[i]] += leaves[i];
        }
    }
    // The sector of a subtree starts at `from`, in units of leaves; children share it in order.
    let mut from = vec![0u32; n];
    let mut used = vec![0u32; n];
    for &i in &order {
        if i != 0 {
            let p = parent[i];
            from[i] = from[p] + used[p];
            used[p] += leaves[i];
        }
        let angle = 2.0 * PI * (f64::from(from[i]) + 0.5 * f64::from(leaves[i])) / f64::from(leaves[0]);
        let radius = f64::from(depth[i]);
        lattice.positions[i] = [radius * angle.cos(), radius * angle.sin(), 0.0];
    }
    lattice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::lattice::distance_squared;
    use linalg_core::Streams;
    use std::collections::HashMap;

    fn is_tree(lattice: &Lattice) -> bool {
        let n = lattice.n_sites();
        let mut component: Vec<usize> = (0..n).collect();
        for (i, j) in lattice.edges() {
            let (a, b) = (component[i], component[j]);
            if a == b {
                return false;
            }
            component.iter_mut().for_each(|c| {
                if *c == b {
                    *c = a
                }
            });
        }
        lattice.n_edges() == n - 1
    }

    #[test]
    fn all_of_them_are_trees() {
        let mut rng = Streams::new(40).stream(0);
        for n in 1..30 {
            assert!(is_tree(&Lattice::tree(n, &mut rng).unwrap()));
            assert!(is_tree(&Lattice::recursive_tree(n, &mut rng).unwrap()));
        }
        for (a, b) in [(1, 5), (2, 0), (2, 4), (3, 3)] {
            assert!(is_tree(&Lattice::balanced_tree(a, b).unwrap()));
            assert!(is_tree(&Lattice::bethe_shell(a + 1, b).unwrap()));
        }
        // A path of a million sites neither overflows the stack nor takes quadratic time.
        assert_eq!(Lattice::balanced_tree(1, 999_999).unwrap().n_edges(), 999_999);
    }

    /// The worked example of the definition: the sequence 4,4,4,5 (from 1) is the tree 1-4, 2-4, 3-4, 4-5, 5-6.
    #[test]
    fn prufer_sequence_of_a_known_tree() {
        assert_eq!(from_prufer(6, &[3, 3, 3, 4]), [(0, 3), (1, 3), (2, 3), (3, 4), (4, 5)]);
    }

    /// 5^3 = 125 labelled trees on 5 sites, from 125 sequences: all different, all trees, each once.
    #[test]
    fn sequences_and_trees_are_in_bijection() {
        let mut seen = std::collections::HashSet::new();
        for code in 0..125u32 {
            let mut edges: Vec<_> = from_prufer(5, &[code % 5, code / 5 % 5, code / 25])
                .iter()
                .map(|&(i, j)| (i.min(j), i.max(j)))
                .collect();
            edges.sort_unstable();
            assert!(is_tree(&Lattice::from_edges(5, edges.iter().map(|&(i, j)| (i as usize, j as usize))).unwrap()));
            assert!(seen.insert(edges));
        }
    }

    /// Recursive trees on 4 sites: the 6 choices of parents are equally likely. Pearson's statistic over 5 degrees
    /// of freedom, bound at mean plus 5 standard deviations, 5 + 5 √10.
    #[test]
    fn recursive_trees_choose_parents_uniformly() {
        let mut rng = Streams::new(41).stream(0);
        let samples = 12_000;
        let mut counts: HashMap<Vec<(u32, u32)>, u32> = HashMap::new();
        for _ in 0..samples {
            *counts.entry(Lattice::recursive_tree(4, &mut rng).unwrap().edges).or_default() += 1;
        }
        assert_eq!(counts.len(), 6);
        let expected = f64::from(samples) / 6.0;
        let statistic: f64 = counts.values().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        assert!(statistic < 5.0 + 5.0 * 10f64.sqrt(), "chi-squared {statistic} for 5");
    }

    #[test]
    fn shells_have_their_sizes() {
        for (z, k, n) in [(2, 4, 9), (3, 0, 1), (3, 3, 22), (4, 3, 53), (6, 2, 37)] {
            let tree = Lattice::bethe_shell(z, k).unwrap();
            assert_eq!(tree.n_sites(), n);
            let inner = (0..n).filter(|&i| tree.degree(i) == z).count();
            let surface = (0..n).filter(|&i| tree.degree(i) == 1).count();
            assert!(k == 0 || inner + surface == n);
        }
        assert!(Lattice::bethe_shell(1, 3).is_err());
        assert!(Lattice::bethe_shell(3, 100).is_err());
        assert!(Lattice::bethe_shell(2, usize::MAX).is_err());
        assert!(Lattice::balanced_tree(0, 1).is_err());
        assert!(Lattice::balanced_tree(usize::MAX, 2).is_err());
    }

    #[test]
    fn no_two_sites_are_drawn_on_one_place() {
        let mut rng = Streams::new(42).stream(0);
        for tree in [Lattice::tree(60, &mut rng).unwrap(), Lattice::bethe_shell(3, 4).unwrap()] {
            let p = tree.positions();
            for i in 0..p.len() {
                for j in 0..i {
                    assert!(distance_squared(p[i], p[j]) > 1e-6, "sites {i} and {j}");
                }
            }
        }
    }
}
