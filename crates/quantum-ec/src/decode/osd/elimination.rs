//! Elimination of a sparse matrix column by column, as far as it is needed.

use crate::decode::belief_propagation::FactorGraph;
use crate::shots::{ones, words_per_row};

/// Marks a row without a pivot.
const NONE: u32 = u32::MAX;

/// Gauss-Jordan elimination of the check matrix by the columns that are offered, in their order.
///
/// The product T of all row operations is kept by columns and by rows. The reduced form of a column h is $`T h`$, a sum of as
/// few columns of T as h has ones, and a pivot changes only the columns of T that its row meets: the work follows the
/// fill-in, not the size of the matrix. As long as the columns that were offered fall into separate parts, so does T.
#[derive(Debug, Clone)]
pub(crate) struct Elimination {
    n_checks: usize,
    words: usize,
    /// T by columns.
    columns: Vec<u64>,
    /// T by rows.
    rows: Vec<u64>,
    /// Rows with a pivot.
    pivots: Vec<u64>,
    /// The bit of the pivot of each row.
    owners: Vec<u32>,
    rank: usize,
    /// T times the syndrome.
    syndrome: Vec<u64>,
    /// The last reduced column.
    reduced: Vec<u64>,
    scratch: Vec<u64>,
}

/// What became of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is a sum of columns that have pivots.
    Dependent,
    /// It has a pivot now; the number of rows without pivot whose syndrome bit is one changed by this much.
    Pivot { unexplained: i64 },
}

impl Elimination {
    pub(crate) fn new(n_checks: usize) -> Self {
        let words = words_per_row(n_checks);
        let square = vec![0; n_checks * words];
        let row = vec![0; words];
        Self {
            n_checks,
            words,
            columns: square.clone(),
            rows: square,
            pivots: row.clone(),
            owners: vec![NONE; n_checks],
            rank: 0,
            syndrome: row.clone(),
            reduced: row.clone(),
            scratch: row,
        }
    }

    /// Forgets all columns and takes another syndrome.
    pub(crate) fn restart(&mut self, syndrome: &[u64]) {
        for matrix in [&mut self.columns, &mut self.rows] {
            matrix.fill(0);
            (0..self.n_checks).for_each(|i| matrix[i * self.words + i / 64] |= 1 << (i % 64));
        }
        self.pivots.fill(0);
        self.owners.fill(NONE);
        self.rank = 0;
        self.syndrome.copy_from_slice(syndrome);
    }

    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// Whether the columns with pivots add up to the syndrome.
    pub(crate) fn is_solved(&self) -> bool {
        self.syndrome.iter().zip(&self.pivots).all(|(s, p)| s & !p == 0)
    }

    /// The bits with pivots that add up to the syndrome, in the order of their rows.
    pub(crate) fn solution(&self, out: &mut Vec<u32>) {
        out.clear();
        out.extend(ones(&self.syndrome).map(|row| self.owners[row]).filter(|&bit| bit != NONE));
    }

    /// T times the syndrome: by rows, whether the bit of the pivot is in the solution.
    pub(crate) fn reduced_syndrome(&self) -> &[u64] {
        &self.syndrome
    }

    /// The bit of the pivot of a row.
    pub(crate) fn owner(&self, row: usize) -> Option<u32> {
        Some(self.owners[row]).filter(|&bit| bit != NONE)
    }

    /// Checks that add up to nothing on all columns offered, the syndrome to one; none if it is solved.
    pub(crate) fn contradiction(&self) -> Option<Vec<usize>> {
        let row = ones(&self.syndrome).find(|&row| self.owners[row] == NONE)?;
        Some(ones(&self.rows[row * self.words..(row + 1) * self.words]).collect())
    }

    /// Writes T times the column of a bit.
    pub(crate) fn reduce(&self, graph: &FactorGraph, bit: u32, out: &mut [u64]) {
        out.fill(0);
        for &i in graph.bit(bit as usize) {
            let column = &self.columns[i as usize * self.words..(i as usize + 1) * self.words];
            out.iter_mut().zip(column).for_each(|(a, b)| *a ^= b);
        }
    }

    /// Offers the column of a bit.
    pub(crate) fn offer(&mut self, graph: &FactorGraph, bit: u32) -> Offered {
        let mut reduced = std::mem::take(&mut self.reduced);
        self.reduce(graph, bit, &mut reduced);
        let offered = self.offer_reduced(bit, &mut reduced);
        self.reduced = reduced;
        offered
    }

    fn offer_reduced(&mut self, bit: u32, reduced: &mut [u64]) -> Offered {
        let words = self.words;
        let free = reduced.iter().zip(&self.pivots).position(|(r, p)| r & !p != 0);
        let Some(word) = free else { return Offered::Dependent };
        let place = (reduced[word] & !self.pivots[word]).trailing_zeros() as usize;
        let row = 64 * word + place;
        reduced[word] ^= 1 << place;

        let before = self.unexplained(reduced) + i64::from(self.syndrome[word] >> place & 1 == 1);
        if self.syndrome[word] >> place & 1 == 1 {
            self.syndrome.iter_mut().zip(&*reduced).for_each(|(s, r)| *s ^= r);
        }
        let after = self.unexplained(reduced);

        self.scratch.copy_from_slice(&self.rows[row * words..(row + 1) * words]);
        for column in ones(&self.scratch) {
            let column = &mut self.columns[column * words..(column + 1) * words];
            column.iter_mut().zip(&*reduced).for_each(|(a, b)| *a ^= b);
        }
        for other in ones(reduced) {
            let other = &mut self.rows[other * words..(other + 1) * words];
            other.iter_mut().zip(&self.scratch).for_each(|(a, b)| *a ^= b);
        }
        self.pivots[word] |= 1 << place;
        self.owners[row] = bit;
        self.rank += 1;
        Offered::Pivot { unexplained: after - before }
    }

    /// The rows of a column without pivot whose syndrome bit is one.
    fn unexplained(&self, reduced: &[u64]) -> i64 {
        let words = reduced.iter().zip(&self.pivots).zip(&self.syndrome);
        words.map(|((r, p), s)| i64::from((r & !p & s).count_ones())).sum()
    }
}
