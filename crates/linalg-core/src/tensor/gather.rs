//! Copying entries in another order.

/// Strides of a dense array with the last axis fastest.
pub(super) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for p in (1..dims.len()).rev() {
        strides[p - 1] = strides[p] * dims[p];
    }
    strides
}

/// Offsets of all index combinations of some axes, the last axis fastest.
pub(super) fn offsets(axes: &[(usize, usize)]) -> Vec<usize> {
    let mut all = vec![0];
    for &(dim, stride) in axes {
        all = all.iter().flat_map(|&base| (0..dim).map(move |i| base + i * stride)).collect();
    }
    all
}

/// Reads a strided array into a dense one: `out[(h, l, r)] = data[high[h] + low[l] + r]`.
#[derive(Debug, Clone)]
pub(super) struct Gather {
    high: Vec<usize>,
    low: Vec<usize>,
    run: usize,
}

/// Length of the inner table, small enough for the first cache.
const LOW: usize = 1024;

impl Gather {
    /// `dims` and `strides` of the source, in the order of the axes of the result.
    pub(super) fn new(dims: &[usize], strides: &[usize]) -> Self {
        let mut axes: Vec<(usize, usize)> = dims.iter().copied().zip(strides.iter().copied()).collect();
        let mut run = 1;
        while let Some(&(dim, stride)) = axes.last() {
            if dim == 1 || stride == run {
                run *= dim;
                axes.pop();
            } else {
                break;
            }
        }
        let mut split = axes.len();
        let mut size = 1;
        while split > 0 && size * axes[split - 1].0 <= LOW {
            split -= 1;
            size *= axes[split].0;
        }
        Self { high: offsets(&axes[..split]), low: offsets(&axes[split..]), run }
    }

    /// Whether this copies the source as it is.
    pub(super) fn is_identity(&self) -> bool {
        self.high.len() * self.low.len() == 1
    }

    pub(super) fn run<T: Copy>(&self, data: &[T], out: &mut Vec<T>) {
        out.clear();
        out.reserve(self.high.len() * self.low.len() * self.run);
        for &high in &self.high {
            if self.run == 1 {
                let block = &data[high..];
                out.extend(self.low.iter().map(|&low| block[low]));
            } else {
                for &low in &self.low {
                    out.extend_from_slice(&data[high + low..high + low + self.run]);
                }
            }
        }
    }

    /// Places in the source, entry by entry of the result.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.high
            .iter()
            .flat_map(move |&high| self.low.iter().flat_map(move |&low| (0..self.run).map(move |r| high + low + r)))
    }
}
