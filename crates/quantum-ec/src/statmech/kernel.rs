//! Sparse, local bases of the kernel of a sparse matrix.

use std::collections::{BTreeSet, HashMap};

use linalg_core::gf2::{BitMatrix, BitVec};
use linalg_core::rand::Rng;
use linalg_core::rng::SplitMix64;

use super::linear::symmetric_difference;
use crate::error::{Error, Result};

/// More connected triples than this are not looked at.
const MAX_TRIPLES: usize = 2_000_000;

/// Rows of so many bits that the squares of their numbers add up to more connect nothing.
const MAX_NEIGHBORS: usize = 1 << 24;

/// Words of the largest dense matrices: 2 GiB, 2^34 bits.
const MAX_WORDS: usize = 1 << 28;

/// Refuses dense matrices of more than 2^34 bits.
pub(super) fn check_dense(n_rows: usize, n_cols: usize) -> Result<()> {
    let value = n_rows.saturating_mul(n_cols.div_ceil(64));
    if value > MAX_WORDS {
        let what = "size of a dense matrix in words of 64 bits";
        return Err(Error::TooLarge { method: "coset model", what, value, bound: MAX_WORDS });
    }
    Ok(())
}

/// More connected pairs than this are not looked at.
const MAX_PAIRS: usize = 4_000_000;

/// Neighbourhoods are not looked at if the squares of their sizes add up to more.
const MAX_WORK: usize = 5_000_000;

/// Bases of the whole kernel with more vectors are not shortened before some of them are chosen.
const MAX_SHORTENED: usize = 500;

/// Neighbourhoods larger than this are replaced by the whole matrix.
const MAX_BALL: usize = 300;

/// A basis of the x with `A x = 0`, each vector as the ascending list of its ones.
///
/// Columns are given by their ascending rows; bits are neighbours if they share one of the first `n_local` rows. Sums of
/// up to three connected columns that agree give vectors of at most six ones, shortest first; what these do not span comes
/// from neighbourhoods of growing radius, and at last from the whole matrix, shortened by adding other vectors.
/// `hints` are vectors of the kernel that are known. Where too many bits share a row, all bits count as far apart.
///
/// # Errors
/// [`Error::TooLarge`] if a basis of the kernel does not fit in memory.
pub(super) fn sparse_kernel(
    columns: &[Vec<usize>],
    n_local: usize,
    n_rows: usize,
    hints: BTreeSet<(usize, Vec<usize>)>,
) -> Result<Vec<Vec<usize>>> {
    let n = columns.len();
    let mut dense = BitMatrix::zeros(n_rows, n);
    for (j, column) in columns.iter().enumerate() {
        for &i in column {
            dense.flip(i, j);
        }
    }
    let reduced = dense.row_reduce();
    let dimension = n - reduced.rank();
    if dimension == 0 {
        return Ok(Vec::new());
    }
    check_dense(dimension, n)?;
    let mut basis = Basis::new(n, reduced.pivots(), dimension);
    let near = neighbors(columns, n_local, n_rows);
    let mut candidates = short_vectors(columns, &near, n_rows);
    candidates.extend(hints);
    basis.offer(candidates);
    let (mut radius, mut reached) = (1, 0);
    while basis.vectors.len() < dimension {
        let mut candidates = BTreeSet::new();
        let balls: Vec<Vec<usize>> = (0..n).map(|center| ball(&near, center, radius)).collect();
        let size = balls.iter().map(Vec::len).sum();
        // Vectors that connect parts which share no row are in no ball.
        let work: usize = balls.iter().map(|ball| ball.len() * ball.len()).sum();
        let whole = size == reached || work > MAX_WORK || balls.iter().any(|ball| ball.len() > MAX_BALL);
        reached = size;
        for ball in balls.iter().filter(|_| !whole) {
            candidates.extend(local_kernel(columns, ball));
        }
        if whole {
            let all: Vec<Vec<usize>> = reduced.nullspace().rows().map(|row| row.iter_ones().collect()).collect();
            basis.offer(candidates);
            let all = if dimension <= MAX_SHORTENED { shorten(all, n) } else { all };
            basis.offer(all.into_iter().map(|v| (v.len(), v)).collect());
        } else {
            basis.offer(candidates);
        }
        radius += 1;
    }
    Ok(shorten(basis.vectors, n))
}

/// Independent vectors of a kernel, told by their bits outside the pivot columns.
struct Basis {
    /// Number of each column among those without pivot.
    free: Vec<Option<usize>>,
    dimension: usize,
    /// Row `i` has its first one at `i`.
    echelon: Vec<Option<BitVec>>,
    vectors: Vec<Vec<usize>>,
}

impl Basis {
    fn new(n: usize, pivots: &[usize], dimension: usize) -> Self {
        let mut free = vec![Some(0); n];
        for &pivot in pivots {
            free[pivot] = None;
        }
        for (number, place) in free.iter_mut().flatten().enumerate() {
            *place = number;
        }
        Self { free, dimension, echelon: vec![None; dimension], vectors: Vec::new() }
    }

    /// Takes what is independent of the vectors before, the shortest first.
    fn offer(&mut self, candidates: BTreeSet<(usize, Vec<usize>)>) {
        for (_, vector) in candidates {
            if self.vectors.len() == self.dimension {
                return;
            }
            let mut rest = BitVec::zeros(self.dimension);
            for &bit in &vector {
                if let Some(place) = self.free[bit] {
                    rest.flip(place);
                }
            }
            while let Some(first) = rest.first_one() {
                match &self.echelon[first] {
                    Some(row) => rest.xor_assign(row),
                    None => {
                        self.echelon[first] = Some(rest);
                        self.vectors.push(vector);
                        break;
                    }
                }
            }
        }
    }
}

/// The bits that share a row with each bit, ascending; none at all where these would be too many to list.
fn neighbors(columns: &[Vec<usize>], n_local: usize, n_rows: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); n_rows];
    for (j, column) in columns.iter().enumerate() {
        for &i in column {
            rows[i].push(j);
        }
    }
    let work = rows[..n_local].iter().fold(0usize, |sum, row| sum.saturating_add(row.len().saturating_mul(row.len())));
    if work > MAX_NEIGHBORS {
        return vec![Vec::new(); columns.len()];
    }
    columns
        .iter()
        .enumerate()
        .map(|(j, column)| {
            let mut near: Vec<usize> =
                column.iter().filter(|&&i| i < n_local).flat_map(|&i| rows[i].iter().copied()).collect();
            near.sort_unstable();
            near.dedup();
            near.retain(|&k| k != j);
            near
        })
        .collect()
}

/// A number for each row; sums of columns that agree have the same number.
fn labels(n_rows: usize) -> Vec<u128> {
    let mut random = SplitMix64::new(0);
    let mut next = || random.next_u64();
    (0..n_rows).map(|_| u128::from(next()) << 64 | u128::from(next())).collect()
}

pub(super) fn is_in_kernel(columns: &[Vec<usize>], vector: &[usize]) -> bool {
    vector.iter().fold(Vec::new(), |sum, &j| symmetric_difference(&sum, &columns[j])).is_empty()
}

/// Vectors of at most six ones: sums of one, two or three connected columns that agree.
fn short_vectors(columns: &[Vec<usize>], near: &[Vec<usize>], n_rows: usize) -> BTreeSet<(usize, Vec<usize>)> {
    let labels = labels(n_rows);
    let label: Vec<u128> = columns.iter().map(|c| c.iter().fold(0, |sum, &i| sum ^ labels[i])).collect();
    let mut found = BTreeSet::new();
    let mut first: HashMap<u128, Vec<usize>> = HashMap::new();
    let mut meet = |sum: u128, set: Vec<usize>| {
        if let Some(other) = first.get(&sum) {
            let vector = symmetric_difference(other, &set);
            if !vector.is_empty() && is_in_kernel(columns, &vector) {
                found.insert((vector.len(), vector));
            }
        } else {
            first.insert(sum, set);
        }
    };
    meet(0, Vec::new());
    for (j, &sum) in label.iter().enumerate() {
        meet(sum, vec![j]);
    }
    let pairs: usize = near.iter().map(Vec::len).sum::<usize>() / 2;
    if pairs > MAX_PAIRS {
        return found;
    }
    for (j, close) in near.iter().enumerate() {
        for &k in close.iter().filter(|&&k| k > j) {
            meet(label[j] ^ label[k], vec![j, k]);
        }
    }
    let triples: usize = near.iter().map(|close| close.len() * close.len() / 2).sum();
    if triples > MAX_TRIPLES {
        return found;
    }
    for (j, close) in near.iter().enumerate() {
        for (position, &k) in close.iter().enumerate() {
            for &l in &close[position + 1..] {
                let mut set = vec![j, k, l];
                set.sort_unstable();
                meet(label[j] ^ label[k] ^ label[l], set);
            }
        }
    }
    found
}

/// The bits within some steps of a bit, ascending.
fn ball(near: &[Vec<usize>], center: usize, radius: usize) -> Vec<usize> {
    let mut seen = BTreeSet::from([center]);
    let mut shell = vec![center];
    for _ in 0..radius {
        let mut next = Vec::new();
        for &j in &shell {
            for &k in &near[j] {
                if seen.insert(k) {
                    next.push(k);
                }
            }
        }
        if seen.len() > MAX_BALL {
            break;
        }
        shell = next;
    }
    seen.into_iter().collect()
}

/// The kernel of some columns.
fn local_kernel(columns: &[Vec<usize>], ball: &[usize]) -> BTreeSet<(usize, Vec<usize>)> {
    let mut place = HashMap::new();
    for &j in ball {
        for &i in &columns[j] {
            let next = place.len();
            place.entry(i).or_insert(next);
        }
    }
    let mut dense = BitMatrix::zeros(place.len(), ball.len());
    for (position, &j) in ball.iter().enumerate() {
        for i in &columns[j] {
            dense.flip(place[i], position);
        }
    }
    let kernel = dense.nullspace();
    let vectors = kernel.rows().map(|row| row.iter_ones().collect()).collect();
    shorten(vectors, ball.len())
        .into_iter()
        .map(|v| (v.len(), v.into_iter().map(|position| ball[position]).collect()))
        .collect()
}

/// Adds vectors to one another as long as that makes one shorter. The span stays.
fn shorten(mut vectors: Vec<Vec<usize>>, n: usize) -> Vec<Vec<usize>> {
    let mut containing: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); n];
    for (g, vector) in vectors.iter().enumerate() {
        for &bit in vector {
            containing[bit].insert(g);
        }
    }
    let mut pending: BTreeSet<(usize, usize)> = vectors.iter().enumerate().map(|(g, v)| (v.len(), g)).collect();
    while let Some((_, g)) = pending.pop_last() {
        let close: BTreeSet<usize> = vectors[g].iter().flat_map(|&bit| containing[bit].iter().copied()).collect();
        let sums = close.into_iter().filter(|&h| h != g).map(|h| symmetric_difference(&vectors[g], &vectors[h]));
        let Some(best) = sums.min_by_key(Vec::len).filter(|sum| sum.len() < vectors[g].len()) else { continue };
        for &bit in &vectors[g] {
            containing[bit].remove(&g);
        }
        for &bit in &best {
            containing[bit].insert(g);
            // A shorter vector may shorten those that it now meets.
            for &h in &containing[bit] {
                pending.insert((vectors[h].len(), h));
            }
        }
        pending.remove(&(vectors[g].len(), g));
        pending.insert((best.len(), g));
        vectors[g] = best;
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(columns: &[Vec<usize>], n_rows: usize, basis: &[Vec<usize>]) {
        let mut dense = BitMatrix::zeros(n_rows, columns.len());
        for (j, column) in columns.iter().enumerate() {
            for &i in column {
                dense.flip(i, j);
            }
        }
        let mut rows = BitMatrix::zeros(basis.len(), columns.len());
        for (g, vector) in basis.iter().enumerate() {
            assert!(is_in_kernel(columns, vector));
            for &bit in vector {
                rows.flip(g, bit);
            }
        }
        assert_eq!(rows.rank(), basis.len());
        assert_eq!(basis.len() + dense.rank(), columns.len());
    }

    #[test]
    fn a_grid_has_its_plaquettes() {
        // Vertices of an L x L grid are rows, edges are columns.
        let l = 6;
        let mut columns = Vec::new();
        for r in 0..l {
            for c in 0..l {
                if c + 1 < l {
                    columns.push(vec![r * l + c, r * l + c + 1]);
                }
                if r + 1 < l {
                    columns.push(vec![r * l + c, (r + 1) * l + c]);
                }
            }
        }
        let basis = sparse_kernel(&columns, l * l, l * l, BTreeSet::new()).unwrap();
        check(&columns, l * l, &basis);
        assert!(basis.iter().all(|v| v.len() == 4));
    }

    #[test]
    fn long_cycles_are_found_and_shortened() {
        // A ring of 32 with two chords of four edges, which cut it into three rings of 16.
        let mut columns: Vec<Vec<usize>> = (0..32).map(|v| vec![v, v + 1]).collect();
        columns[31] = vec![0, 31];
        columns.extend([vec![40, 6], vec![40, 41], vec![41, 42], vec![26, 42]]);
        columns.extend([vec![10, 43], vec![43, 44], vec![44, 45], vec![22, 45]]);
        for column in &mut columns {
            column.sort_unstable();
        }
        let basis = sparse_kernel(&columns, 46, 46, BTreeSet::new()).unwrap();
        check(&columns, 46, &basis);
        let mut lengths: Vec<usize> = basis.iter().map(Vec::len).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [16, 16, 16]);
    }

    #[test]
    fn a_crowded_row_connects_nothing() {
        // All bits share row 0; the last one closes a triangle.
        let n = 5000;
        let mut columns: Vec<Vec<usize>> = (1..n).map(|k| vec![0, k]).collect();
        columns.push(vec![1, 2]);
        assert!(neighbors(&columns, n, n).iter().all(Vec::is_empty));
        assert!(neighbors(&columns[..4000], n, n).iter().all(|near| near.len() == 3999));
        let basis = sparse_kernel(&columns, n, n, BTreeSet::new()).unwrap();
        assert_eq!(basis, [[0, 1, n - 1]]);
    }

    #[test]
    fn random_matrices_and_degenerate_shapes() {
        use linalg_core::rand::SeedableRng;
        let mut rng = linalg_core::rng::Xoshiro256PlusPlus::seed_from_u64(1);
        for n in [1, 5, 20, 40] {
            let matrix = BitMatrix::random(n / 2, n, &mut rng);
            let columns: Vec<Vec<usize>> = (0..n).map(|j| matrix.column(j).iter_ones().collect()).collect();
            check(&columns, n / 2, &sparse_kernel(&columns, n / 2, n / 2, BTreeSet::new()).unwrap());
        }
        assert!(sparse_kernel(&[], 0, 0, BTreeSet::new()).unwrap().is_empty());
        assert_eq!(sparse_kernel(&[vec![], vec![0]], 1, 1, BTreeSet::new()).unwrap(), [[0]]);
    }
}
