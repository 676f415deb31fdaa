//! Short cycles of Tanner graphs.

use linalg_core::gf2::BinaryCsc;

/// The number of cycles of length 4: pairs of columns with a pair of common rows.
///
/// On such cycles belief propagation counts the same evidence twice. Columns that share o rows count for $`\binom{o}{2}`$.
/// Cost: the sum of the squared row weights.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::code::four_cycles;
///
/// // Three columns with the same two rows: any two of them close a cycle.
/// let checks = BinaryCsc::from_columns(2, [[0, 1], [0, 1], [0, 1]])?;
/// assert_eq!(four_cycles(&checks), 3);
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn four_cycles(checks: &BinaryCsc) -> u64 {
    let rows = checks.transpose();
    let mut common = vec![0u64; checks.n_cols()];
    let mut met = Vec::new();
    let mut cycles = 0;
    for (j, column) in checks.columns().enumerate() {
        for &i in column {
            for &k in rows.column(i).iter().filter(|&&k| k > j) {
                if common[k] == 0 {
                    met.push(k);
                }
                common[k] += 1;
            }
        }
        for k in met.drain(..) {
            cycles += common[k] * (common[k] - 1) / 2;
            common[k] = 0;
        }
    }
    cycles
}

/// The length of the shortest cycle of the Tanner graph, an even number from 4; `None` for a forest.
///
/// A search from every column, which ends at the depth where nothing shorter can be found. Cost: at most columns times
/// ones; near the girth, the number of nodes within half of it of every column.
///
/// ```
/// use linalg_core::gf2::BinaryCsc;
/// use quantum_ec::code::girth;
///
/// // A ring of five checks and five bits, and the ring cut open.
/// let ring = BinaryCsc::from_columns(5, [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]])?;
/// let chain = BinaryCsc::from_columns(5, [[0, 1], [1, 2], [2, 3], [3, 4]])?;
/// assert_eq!((girth(&ring), girth(&chain)), (Some(10), None));
/// # Ok::<(), quantum_ec::Error>(())
/// ```
pub fn girth(checks: &BinaryCsc) -> Option<usize> {
    let (n, m) = (checks.n_cols(), checks.n_rows());
    let rows = checks.transpose();
    // Columns are nodes 0..n, rows follow.
    let neighbours = |node: usize| if node < n { checks.column(node) } else { rows.column(node - n) };
    let mut depth = vec![u32::MAX; n + m];
    let mut parent = vec![usize::MAX; n + m];
    let mut queue = Vec::new();
    let mut best = usize::MAX;
    for start in 0..n {
        queue.clear();
        queue.push(start);
        (depth[start], parent[start]) = (0, usize::MAX);
        let mut head = 0;
        while head < queue.len() {
            let node = queue[head];
            head += 1;
            let d = depth[node] as usize;
            // A cycle that closes from here on is no shorter.
            if best <= 2 * d + 1 {
                break;
            }
            for &next in neighbours(node) {
                let next = if node < n { next + n } else { next };
                if depth[next] == u32::MAX {
                    (depth[next], parent[next]) = (d as u32 + 1, node);
                    queue.push(next);
                } else if next != parent[node] {
                    best = best.min(d + depth[next] as usize + 1);
                }
            }
        }
        queue.iter().for_each(|&node| depth[node] = u32::MAX);
        if best == 4 {
            break;
        }
    }
    (best < usize::MAX).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code;
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    /// Cycles of length 4 by all pairs of columns; the girth by removing an edge and asking for the distance of its ends.
    fn slow(checks: &BinaryCsc) -> (u64, Option<usize>) {
        let n = checks.n_cols();
        let mut cycles = 0;
        for j in 0..n {
            for k in 0..j {
                let o = checks.column(j).iter().filter(|i| checks.column(k).contains(i)).count() as u64;
                cycles += o * o.saturating_sub(1) / 2;
            }
        }
        let edges: Vec<(usize, usize)> =
            (0..n).flat_map(|j| checks.column(j).iter().map(move |&i| (j, n + i))).collect();
        let mut best = None;
        for &(from, to) in &edges {
            let mut distance = vec![usize::MAX; n + checks.n_rows()];
            distance[from] = 0;
            for step in 0..distance.len() {
                for &(a, b) in edges.iter().filter(|&&edge| edge != (from, to)) {
                    for (a, b) in [(a, b), (b, a)] {
                        if distance[a] == step && distance[b] == usize::MAX {
                            distance[b] = step + 1;
                        }
                    }
                }
            }
            if distance[to] < usize::MAX {
                let length = distance[to] + 1;
                best = Some(best.map_or(length, |best: usize| best.min(length)));
            }
        }
        (cycles, best)
    }

    #[test]
    fn small_graphs_agree_with_a_slow_search() {
        let mut rng = Streams::new(41).stream(0);
        let (mut forests, mut long) = (0, 0);
        for _ in 0..200 {
            let (m, n, p) = (6, 7, rng.random_range(0.15..0.35));
            let columns: Vec<Vec<usize>> =
                (0..n).map(|_| (0..m).filter(|_| rng.random::<f64>() < p).collect()).collect();
            let checks = BinaryCsc::from_columns(m, columns).unwrap();
            let expected = slow(&checks);
            assert_eq!((four_cycles(&checks), girth(&checks)), expected);
            forests += usize::from(expected.1.is_none());
            long += usize::from(expected.1.is_some_and(|girth| girth > 4));
        }
        assert!(forests > 5 && long > 5, "{forests}, {long}");
    }

    #[test]
    fn known_codes() {
        // Gross code: girth 6. Surface codes: four qubits around a plaquette are in pairs of checks at most once.
        let gross = code::published_bivariate_bicycle(144, 12, 12).unwrap();
        let checks = BinaryCsc::from_matrix(gross.hz());
        assert_eq!((girth(&checks), four_cycles(&checks)), (Some(6), 0));
        let surface = BinaryCsc::from_matrix(code::rotated_surface(5).unwrap().hz());
        assert_eq!((girth(&surface), four_cycles(&surface)), (Some(8), 0));
        let hamming = code::LinearCode::hamming(3).unwrap().tanner_graph();
        assert_eq!(girth(&hamming), Some(4));
        assert_eq!(girth(&BinaryCsc::from_columns(0, Vec::<Vec<usize>>::new()).unwrap()), None);
    }
}
