//! Bit-packed shots: one row of bits a shot.

/// A table of bits, a row a shot: detection events, syndromes or predictions.
///
/// Every row starts at a word; bits beyond the width are zero. Bit `i` of a row is bit `i % 64` of its word `i / 64`.
///
/// ```
/// use quantum_ec::Shots;
///
/// let mut shots = Shots::zeros(2, 70);
/// shots.set(1, 69, true);
/// assert_eq!(shots.row(1), [0, 1 << 5]);
/// assert_eq!(shots.view().ones(1).collect::<Vec<_>>(), [69]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shots {
    n_shots: usize,
    n_bits: usize,
    words: Vec<u64>,
}

/// Words of a row of `n_bits` bits.
pub fn words_per_row(n_bits: usize) -> usize {
    n_bits.div_ceil(64)
}

impl Shots {
    /// `n_shots` rows of `n_bits` zeros.
    pub fn zeros(n_shots: usize, n_bits: usize) -> Self {
        Self { n_shots, n_bits, words: vec![0; n_shots * words_per_row(n_bits)] }
    }

    /// A table without rows, to which rows of `n_bits` bits are pushed.
    pub fn new(n_bits: usize) -> Self {
        Self::zeros(0, n_bits)
    }

    /// Number of rows.
    pub fn n_shots(&self) -> usize {
        self.n_shots
    }

    /// Bits of a row.
    pub fn n_bits(&self) -> usize {
        self.n_bits
    }

    /// The words of row `shot`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, shot: usize) -> &[u64] {
        self.view().row(shot)
    }

    /// The words of row `shot`, to be changed; bits beyond the width must stay zero.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_mut(&mut self, shot: usize) -> &mut [u64] {
        assert!(shot < self.n_shots, "shot {shot} of {}", self.n_shots);
        let width = words_per_row(self.n_bits);
        &mut self.words[shot * width..(shot + 1) * width]
    }

    /// Appends a row.
    ///
    /// # Panics
    /// If `row` has another number of words than a row, or ones beyond the width.
    pub fn push(&mut self, row: &[u64]) {
        let width = words_per_row(self.n_bits);
        assert_eq!(row.len(), width, "a row of {} words for {width}", row.len());
        assert!(is_clean(row, self.n_bits), "ones beyond bit {}", self.n_bits);
        self.words.extend_from_slice(row);
        self.n_shots += 1;
    }

    /// Bit `bit` of row `shot`.
    ///
    /// # Panics
    /// If there is no such bit.
    pub fn get(&self, shot: usize, bit: usize) -> bool {
        assert!(bit < self.n_bits, "bit {bit} of {}", self.n_bits);
        self.row(shot)[bit / 64] >> (bit % 64) & 1 == 1
    }

    /// Sets bit `bit` of row `shot`.
    ///
    /// # Panics
    /// If there is no such bit.
    pub fn set(&mut self, shot: usize, bit: usize, value: bool) {
        assert!(bit < self.n_bits, "bit {bit} of {}", self.n_bits);
        let word = &mut self.row_mut(shot)[bit / 64];
        *word = *word & !(1 << (bit % 64)) | u64::from(value) << (bit % 64);
    }

    /// The whole table, borrowed.
    pub fn view(&self) -> ShotsRef<'_> {
        ShotsRef { n_shots: self.n_shots, n_bits: self.n_bits, words: &self.words }
    }

    /// The whole table, borrowed to be changed.
    pub fn view_mut(&mut self) -> ShotsMut<'_> {
        ShotsMut { n_shots: self.n_shots, n_bits: self.n_bits, words: &mut self.words }
    }
}

/// Whether all bits from `n_bits` on are zero.
fn is_clean(row: &[u64], n_bits: usize) -> bool {
    n_bits.is_multiple_of(64) || row.last().is_none_or(|&last| last >> (n_bits % 64) == 0)
}

/// Borrowed rows of bits.
#[derive(Debug, Clone, Copy)]
pub struct ShotsRef<'a> {
    n_shots: usize,
    n_bits: usize,
    words: &'a [u64],
}

impl<'a> ShotsRef<'a> {
    /// Number of rows.
    pub fn n_shots(self) -> usize {
        self.n_shots
    }

    /// Bits of a row.
    pub fn n_bits(self) -> usize {
        self.n_bits
    }

    /// The words of row `shot`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(self, shot: usize) -> &'a [u64] {
        assert!(shot < self.n_shots, "shot {shot} of {}", self.n_shots);
        let width = words_per_row(self.n_bits);
        &self.words[shot * width..(shot + 1) * width]
    }

    /// The positions of ones in row `shot`, ascending.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn ones(self, shot: usize) -> impl Iterator<Item = usize> + 'a {
        ones(self.row(shot))
    }

    /// Rows `from..to`.
    ///
    /// # Panics
    /// If the range is not within the rows.
    pub fn rows(self, from: usize, to: usize) -> Self {
        assert!(from <= to && to <= self.n_shots, "rows {from}..{to} of {}", self.n_shots);
        let width = words_per_row(self.n_bits);
        Self { n_shots: to - from, n_bits: self.n_bits, words: &self.words[from * width..to * width] }
    }
}

/// Borrowed rows of bits, to be changed.
#[derive(Debug)]
pub struct ShotsMut<'a> {
    n_shots: usize,
    n_bits: usize,
    words: &'a mut [u64],
}

impl<'a> ShotsMut<'a> {
    /// Number of rows.
    pub fn n_shots(&self) -> usize {
        self.n_shots
    }

    /// Bits of a row.
    pub fn n_bits(&self) -> usize {
        self.n_bits
    }

    /// The words of row `shot`; bits beyond the width must stay zero.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_mut(&mut self, shot: usize) -> &mut [u64] {
        assert!(shot < self.n_shots, "shot {shot} of {}", self.n_shots);
        let width = words_per_row(self.n_bits);
        &mut self.words[shot * width..(shot + 1) * width]
    }

    /// All words, row after row.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        self.words
    }

    /// The first `at` rows and the rest, for threads.
    ///
    /// # Panics
    /// If there are fewer rows.
    pub fn split_at(self, at: usize) -> (ShotsMut<'a>, ShotsMut<'a>) {
        assert!(at <= self.n_shots, "row {at} of {}", self.n_shots);
        let (head, tail) = self.words.split_at_mut(at * words_per_row(self.n_bits));
        (
            ShotsMut { n_shots: at, n_bits: self.n_bits, words: head },
            ShotsMut { n_shots: self.n_shots - at, n_bits: self.n_bits, words: tail },
        )
    }
}

/// The positions of ones in packed words, ascending.
pub fn ones(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    words.iter().enumerate().flat_map(|(k, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros() as usize;
            (rest != 0).then(|| {
                rest &= rest - 1;
                64 * k + bit
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_apart() {
        let mut shots = Shots::zeros(3, 65);
        shots.set(0, 64, true);
        shots.set(1, 0, true);
        shots.set(1, 64, true);
        shots.set(1, 64, false);
        assert_eq!([shots.row(0), shots.row(1), shots.row(2)], [&[0, 1][..], &[1, 0], &[0, 0]]);
        assert!(shots.get(0, 64) && !shots.get(1, 64));
        let (mut head, mut tail) = shots.view_mut().split_at(1);
        head.row_mut(0)[0] = 6;
        tail.row_mut(1)[1] = 1;
        assert_eq!(shots.view().ones(0).collect::<Vec<_>>(), [1, 2, 64]);
        assert_eq!(shots.view().rows(1, 3).ones(1).collect::<Vec<_>>(), [64]);
    }

    #[test]
    fn no_bits_is_a_width() {
        let mut shots = Shots::new(0);
        shots.push(&[]);
        assert_eq!((shots.n_shots(), shots.view().ones(0).count()), (1, 0));
    }

    #[test]
    #[should_panic(expected = "ones beyond bit 3")]
    fn stray_bits_are_refused() {
        Shots::new(3).push(&[8]);
    }
}
