//! Dense tensors with named legs.

use super::entry::Entry;
use super::gather::{Gather, strides};
use super::pair::{Pair, PairScratch};

/// A leg, named by a number. Two tensors share a leg when both carry its number.
pub type Leg = u32;

/// A dense tensor: legs with their dimensions, entries with the last leg fastest, and a scale apart.
///
/// The value of an entry is `entry · exp(ln_scale)`, so that products of many tensors neither overflow nor underflow.
///
/// ```
/// use linalg_core::tensor::Tensor;
///
/// // A matrix over the legs 0 and 1 times a vector over leg 1.
/// let a = Tensor::new(vec![0, 1], vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]);
/// let x = Tensor::new(vec![1], vec![2], vec![10.0, 1.0]);
/// let y = a.contract(&x, &[0]);
/// assert_eq!(y.legs(), [0]);
/// assert!((y.value(&[0]) - 12.0).abs() < 1e-14 && (y.value(&[1]) - 34.0).abs() < 1e-14);
/// // Kept, a shared leg is a hyperedge: the columns of a times the entries of x.
/// let scaled = a.contract(&x, &[0, 1]);
/// assert!((scaled.transposed(&[0, 1]).value(&[1, 0]) - 30.0).abs() < 1e-14);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<T> {
    pub(super) legs: Vec<Leg>,
    pub(super) dims: Vec<usize>,
    pub(super) data: Vec<T>,
    pub(super) ln_scale: f64,
}

impl<T: Entry> Tensor<T> {
    /// A tensor from its entries, the last leg fastest.
    ///
    /// # Panics
    /// If `legs.len() != dims.len()`, if `data.len()` is not the product of the dimensions, or if a leg occurs twice.
    pub fn new(legs: Vec<Leg>, dims: Vec<usize>, data: Vec<T>) -> Self {
        assert_eq!(legs.len(), dims.len(), "{} legs, {} dimensions", legs.len(), dims.len());
        let size: usize = dims.iter().product();
        assert_eq!(data.len(), size, "{} entries for dimensions {dims:?}, which have {size}", data.len());
        let mut sorted = legs.clone();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]), "a leg occurs twice in {legs:?}");
        Self { legs, dims, data, ln_scale: 0.0 }
    }

    /// A number, a tensor without legs.
    pub fn scalar(value: T) -> Self {
        Self::new(Vec::new(), Vec::new(), vec![value])
    }

    /// The same entries times `exp(ln_scale)`.
    pub fn with_ln_scale(mut self, ln_scale: f64) -> Self {
        self.ln_scale += ln_scale;
        self
    }

    /// The legs, slowest first.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The dimensions of the legs.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The entries, to be multiplied by `exp(self.ln_scale())`.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The logarithm of the common factor of all entries.
    pub fn ln_scale(&self) -> f64 {
        self.ln_scale
    }

    /// The entry at these indices, scale included; it may overflow where the tensor does not.
    ///
    /// # Panics
    /// If there are not as many indices as legs, or an index is not below its dimension.
    pub fn value(&self, index: &[usize]) -> T {
        assert_eq!(index.len(), self.dims.len(), "{} indices for {} legs", index.len(), self.dims.len());
        let mut place = 0;
        for (&i, &dim) in index.iter().zip(&self.dims) {
            assert!(i < dim, "index {i} of a leg of dimension {dim}");
            place = place * dim + i;
        }
        self.data[place].scaled(self.ln_scale)
    }

    /// The same tensor with its legs in this order.
    ///
    /// # Panics
    /// If `legs` is not a permutation of the tensor's legs.
    pub fn transposed(&self, legs: &[Leg]) -> Self {
        assert_eq!(legs.len(), self.legs.len(), "{} legs given for {}", legs.len(), self.legs.len());
        let old = strides(&self.dims);
        let places: Vec<usize> = legs
            .iter()
            .map(|leg| self.legs.iter().position(|own| own == leg).unwrap_or_else(|| panic!("no leg {leg}")))
            .collect();
        let dims: Vec<usize> = places.iter().map(|&p| self.dims[p]).collect();
        let gather = Gather::new(&dims, &places.iter().map(|&p| old[p]).collect::<Vec<_>>());
        let mut data = Vec::new();
        gather.run(&self.data, &mut data);
        Self { legs: legs.to_vec(), dims, data, ln_scale: self.ln_scale }
    }

    /// The entries where a leg has one value; that leg is gone.
    ///
    /// ```
    /// use linalg_core::tensor::Tensor;
    ///
    /// let a = Tensor::new(vec![0, 1], vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(a.fixed(0, 1).data(), [3.0, 4.0]);
    /// assert_eq!(a.fixed(1, 0).data(), [1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If the tensor has no such leg, or `index` is not below its dimension.
    pub fn fixed(&self, leg: Leg, index: usize) -> Self {
        let p = self.legs.iter().position(|&own| own == leg).unwrap_or_else(|| panic!("no leg {leg}"));
        let dim = self.dims[p];
        assert!(index < dim, "index {index} of leg {leg} of dimension {dim}");
        let block: usize = self.dims[p + 1..].iter().product();
        let rows = self.data.chunks_exact(block * dim);
        let data = rows.flat_map(|row| row[index * block..(index + 1) * block].iter().copied()).collect();
        let (mut legs, mut dims) = (self.legs.clone(), self.dims.clone());
        legs.remove(p);
        dims.remove(p);
        Self { legs, dims, data, ln_scale: self.ln_scale }
    }

    /// The product of two tensors with every leg summed that is not in `keep`.
    ///
    /// A leg that both carry and that is kept is a batch leg, or hyperedge: entries are multiplied where it agrees.
    /// The legs of the result are `keep`, in an order of the engine's choice; it is normalised.
    ///
    /// # Cost
    /// As many multiplications as the product of the dimensions of all legs.
    ///
    /// # Panics
    /// If a leg has two dimensions, or `keep` names a leg that neither tensor has.
    pub fn contract(&self, other: &Self, keep: &[Leg]) -> Self {
        for leg in keep {
            assert!(self.legs.contains(leg) || other.legs.contains(leg), "no tensor has the leg {leg}");
        }
        let (a, b) = (self.sum_others(other, keep), other.sum_others(self, keep));
        let dim = |leg: Leg| {
            let find = |t: &Self| t.legs.iter().position(|&own| own == leg).map(|p| t.dims[p]);
            match (find(&a), find(&b)) {
                (Some(x), Some(y)) => {
                    assert_eq!(x, y, "leg {leg} has dimensions {x} and {y}");
                    x
                }
                (x, y) => x.or(y).unwrap_or(1),
            }
        };
        let pair = Pair::new(&a.legs, &b.legs, &|leg| keep.contains(&leg), &dim, &|_| false);
        let mut data = Vec::new();
        pair.run(&a.data, &b.data, &mut data, &mut PairScratch::default());
        let (ln_scale, _) = T::normalize(&mut data);
        let dims = pair.legs.iter().map(|&leg| dim(leg)).collect();
        Self { legs: pair.legs, dims, data, ln_scale: self.ln_scale + other.ln_scale + ln_scale }
    }

    /// Sums the legs that only this tensor has and nobody keeps.
    fn sum_others(&self, other: &Self, keep: &[Leg]) -> Self {
        self.summed(&|leg| keep.contains(&leg) || other.legs.contains(&leg))
    }

    /// Sums the legs that are not wanted.
    pub(super) fn summed(&self, wanted: &dyn Fn(Leg) -> bool) -> Self {
        if self.legs.iter().all(|&leg| wanted(leg)) {
            return self.clone();
        }
        let split =
            |keep: bool| -> Vec<usize> { (0..self.legs.len()).filter(|&p| wanted(self.legs[p]) == keep).collect() };
        let (kept, gone) = (split(true), split(false));
        let order: Vec<Leg> = kept.iter().chain(&gone).map(|&p| self.legs[p]).collect();
        let turned = self.transposed(&order);
        let block: usize = gone.iter().map(|&p| self.dims[p]).product();
        let legs = order[..kept.len()].to_vec();
        let dims: Vec<usize> = kept.iter().map(|&p| self.dims[p]).collect();
        let size = dims.iter().product();
        let data = (0..size)
            .map(|i| turned.data[i * block..(i + 1) * block].iter().fold(T::ZERO, |sum, &x| sum.plus(x)))
            .collect();
        Self { legs, dims, data, ln_scale: self.ln_scale }
    }
}
