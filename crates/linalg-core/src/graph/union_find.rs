//! Disjoint sets.

/// A partition of `0..n` into disjoint sets that only ever grow together.
///
/// Union by size with path halving: any sequence of m operations costs $`O(m \alpha(n))`$, with the inverse
/// Ackermann function $`\alpha(n) \le 4`$ for any n that fits into memory.
///
/// ```
/// use linalg_core::graph::UnionFind;
///
/// let mut sets = UnionFind::new(4);
/// assert!(sets.union(0, 1));
/// assert!(sets.union(2, 1));
/// assert!(!sets.union(0, 2)); // already together
/// assert!(sets.same(0, 2) && !sets.same(0, 3));
/// assert_eq!(sets.size(2), 3);
/// assert_eq!(sets.n_sets(), 2);
/// ```
///
/// # References
/// - R. E. Tarjan and J. van Leeuwen, "Worst-case analysis of set union algorithms", J. ACM 31, 245 (1984).
#[derive(Debug, Clone)]
pub struct UnionFind {
    parent: Vec<usize>,
    /// Valid at roots.
    size: Vec<usize>,
    n_sets: usize,
}

impl UnionFind {
    /// `n` sets of one element each.
    pub fn new(n: usize) -> Self {
        Self { parent: (0..n).collect(), size: vec![1; n], n_sets: n }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.parent.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.parent.is_empty()
    }

    /// Number of sets.
    pub fn n_sets(&self) -> usize {
        self.n_sets
    }

    /// The representative of the set of `i`; it changes only when that set is united with another.
    ///
    /// # Panics
    /// If `i >= len`.
    #[inline]
    pub fn find(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    /// Unites the sets of `i` and `j`; `false` if they are one set already. The representative of the larger set
    /// stays, that of the set of `i` when both are of one size.
    ///
    /// # Panics
    /// If `i >= len` or `j >= len`.
    #[inline]
    pub fn union(&mut self, i: usize, j: usize) -> bool {
        let (i, j) = (self.find(i), self.find(j));
        if i == j {
            return false;
        }
        let (large, small) = if self.size[i] >= self.size[j] { (i, j) } else { (j, i) };
        self.parent[small] = large;
        self.size[large] += self.size[small];
        self.n_sets -= 1;
        true
    }

    /// Whether `i` and `j` are in one set.
    ///
    /// # Panics
    /// If `i >= len` or `j >= len`.
    pub fn same(&mut self, i: usize, j: usize) -> bool {
        self.find(i) == self.find(j)
    }

    /// Number of elements in the set of `i`.
    ///
    /// # Panics
    /// If `i >= len`.
    pub fn size(&mut self, i: usize) -> usize {
        let root = self.find(i);
        self.size[root]
    }
}
