//! Views of matrices in slices.

/// Shape and strides of a matrix in a slice: entry (i, j) is at `i * row_stride + j * col_stride`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

impl Layout {
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0 || self.cols == 0
    }

    /// One past the last entry of a batch, `None` where it cannot be counted. `isize` is the bound of the kernels.
    fn extent(&self, batch: usize, step: usize) -> Option<usize> {
        if self.is_empty() || batch == 0 {
            return Some(0);
        }
        let row = (self.rows - 1).checked_mul(self.row_stride)?;
        let col = (self.cols - 1).checked_mul(self.col_stride)?;
        let last = (batch - 1).checked_mul(step)?;
        row.checked_add(col)?.checked_add(last)?.checked_add(1).filter(|&end| isize::try_from(end).is_ok())
    }

    pub(super) fn check_batch(&self, name: &str, batch: usize, step: usize, len: usize) {
        let needed = self.extent(batch, step);
        assert!(
            needed.is_some_and(|needed| needed <= len),
            "{name}: a batch of {batch} matrices {} x {} with strides {}, {} and step {step} needs {} entries, got {len}",
            self.rows,
            self.cols,
            self.row_stride,
            self.col_stride,
            needed.map_or("too many".to_owned(), |needed| needed.to_string()),
        );
    }

    /// Refuses layouts in which two entries may be the same.
    pub(super) fn check_disjoint(&self, batch: usize, step: usize) {
        if self.is_empty() {
            return;
        }
        let mut axes = [(self.row_stride, self.rows), (self.col_stride, self.cols), (step, batch)];
        axes.sort_unstable();
        let mut reach = 0;
        for (stride, size) in axes {
            if size > 1 {
                assert!(
                    stride > reach,
                    "c: entries overlap in {batch} matrices {} x {} with strides {}, {} and step {step}",
                    self.rows,
                    self.cols,
                    self.row_stride,
                    self.col_stride,
                );
                reach += stride * (size - 1);
            }
        }
    }

    pub(super) fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride }
    }
}

/// A matrix to read: a slice, a shape and two strides.
///
/// ```
/// use linalg_core::gemm::Matrix;
///
/// let data = [1, 2, 3, 4, 5, 6].map(f64::from);
/// let a = Matrix::row_major(&data, 2, 3);
/// assert_eq!((a.get(1, 0), a.transposed().get(0, 1)), (4.0, 4.0));
/// assert_eq!(Matrix::col_major(&data, 2, 3).get(1, 0), 2.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix<'a, T> {
    pub(super) data: &'a [T],
    pub(super) layout: Layout,
}

impl<'a, T: Copy> Matrix<'a, T> {
    /// Rows one after another.
    ///
    /// # Panics
    /// If `data.len() < rows * cols`.
    pub fn row_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols, 1)
    }

    /// Columns one after another.
    ///
    /// # Panics
    /// If `data.len() < rows * cols`.
    pub fn col_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, 1, rows)
    }

    /// Entry (i, j) at `i * row_stride + j * col_stride`. Entries to read may coincide; a stride of 0 repeats them.
    ///
    /// # Panics
    /// If the slice ends before the last entry; the message has both lengths.
    pub fn strided(data: &'a [T], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        let layout = Layout { rows, cols, row_stride, col_stride };
        layout.check_batch("matrix", 1, 0, data.len());
        Self { data, layout }
    }

    /// The transpose: the same entries with the strides exchanged.
    pub fn transposed(self) -> Self {
        Self { data: self.data, layout: self.layout.transposed() }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.layout.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.layout.cols
    }

    /// Entry (i, j).
    ///
    /// # Panics
    /// If `i >= self.rows()` or `j >= self.cols()`.
    pub fn get(&self, i: usize, j: usize) -> T {
        let Layout { rows, cols, row_stride, col_stride } = self.layout;
        assert!(i < rows && j < cols, "entry ({i}, {j}) of a matrix {rows} x {cols}");
        self.data[i * row_stride + j * col_stride]
    }
}

/// A matrix to write: a slice, a shape and two strides.
#[derive(Debug, PartialEq)]
pub struct MatrixMut<'a, T> {
    pub(super) data: &'a mut [T],
    pub(super) layout: Layout,
}

impl<'a, T: Copy> MatrixMut<'a, T> {
    /// Rows one after another.
    ///
    /// # Panics
    /// If `data.len() < rows * cols`.
    pub fn row_major(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols, 1)
    }

    /// Columns one after another.
    ///
    /// # Panics
    /// If `data.len() < rows * cols`.
    pub fn col_major(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, 1, rows)
    }

    /// Entry (i, j) at `i * row_stride + j * col_stride`.
    ///
    /// # Panics
    /// If the slice ends before the last entry, or if entries coincide: the larger stride must exceed the reach of the
    /// smaller one.
    pub fn strided(data: &'a mut [T], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        let layout = Layout { rows, cols, row_stride, col_stride };
        layout.check_batch("matrix", 1, 0, data.len());
        layout.check_disjoint(1, 0);
        Self { data, layout }
    }

    /// The transpose: the same entries with the strides exchanged.
    pub fn transposed(self) -> Self {
        Self { layout: self.layout.transposed(), data: self.data }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.layout.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.layout.cols
    }
}
