//! One pairwise contraction, prepared.

use super::dense::Leg;
use super::entry::Entry;
use super::gather::{Gather, offsets, strides};

/// A contraction of two tensors of known legs: what to copy, which loops to run, the legs of the result.
///
/// Legs of both operands are batch legs (kept) or inner legs (summed); legs of one operand are kept.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// Legs of the result, slowest first.
    pub(super) legs: Vec<Leg>,
    /// Entries of the result.
    pub(super) size: usize,
    /// Whether the operands change places: below, x is the larger one and y the smaller.
    swapped: bool,
    copy: [Option<Gather>; 2],
    kernel: Kernel,
}

#[derive(Debug, Clone)]
enum Kernel {
    /// y has few entries: rows of x, `run` entries long, are multiplied by one coefficient each. The tables hold
    /// offsets in x and in y.
    Absorb { run: usize, outer: Vec<(usize, usize)>, inner: Vec<(usize, usize)>, new: Vec<usize> },
    /// Batch legs last: `C[i, j, :] = Σ_l X[i, l, :] Y[l, j, :]`.
    Entrywise { shape: [usize; 3], batch: usize },
    /// Batch legs first, a matrix product for each; with `flipped` it is `C^T = Y^T X^T`.
    Product { turned: [bool; 2], flipped: bool, shape: [usize; 3], batch: usize },
}

/// Memory for copied operands, reused.
#[derive(Debug, Clone)]
pub(super) struct PairScratch<T>([Vec<T>; 2]);

impl<T> Default for PairScratch<T> {
    fn default() -> Self {
        Self([Vec::new(), Vec::new()])
    }
}

/// Most entries of an operand that is absorbed, most coefficients a row of x meets, and shortest rows.
const ABSORB: usize = 4096;
const COEFFICIENTS: usize = 16;
const RUN: usize = 8;
/// In a large x the tables would take too much memory for short rows.
const LARGE: usize = 1 << 20;
const LARGE_RUN: usize = 64;

/// Fewest multiplications of one matrix product of a batch that pay for entering the kernels.
const PRODUCT: usize = 512;

type Dims<'a> = &'a dyn Fn(Leg) -> usize;

fn size(legs: &[Leg], dim: Dims) -> usize {
    legs.iter().map(|&leg| dim(leg)).product()
}

fn strides_of(legs: &[Leg], dim: Dims) -> Vec<usize> {
    strides(&legs.iter().map(|&leg| dim(leg)).collect::<Vec<_>>())
}

/// Dimension and stride of some legs in a tensor; stride 0 for legs that it does not have.
fn axes(legs: &[Leg], of: &[Leg], dim: Dims) -> Vec<(usize, usize)> {
    let strides = strides_of(of, dim);
    legs.iter().map(|&leg| (dim(leg), of.iter().position(|&own| own == leg).map_or(0, |p| strides[p]))).collect()
}

/// The copy that brings legs from one order into another; `None` where nothing moves.
pub(super) fn copy(from: &[Leg], to: &[Leg], dim: Dims) -> Option<Gather> {
    let (dims, strides): (Vec<usize>, Vec<usize>) = axes(to, from, dim).into_iter().unzip();
    Some(Gather::new(&dims, &strides)).filter(|gather| !gather.is_identity())
}

/// The legs of x and y by their role, each in the order of x, the columns in that of y.
struct Roles {
    batch: Vec<Leg>,
    rows: Vec<Leg>,
    inner: Vec<Leg>,
    cols: Vec<Leg>,
}

impl Roles {
    fn new(x: &[Leg], y: &[Leg], keep: &dyn Fn(Leg) -> bool) -> Self {
        let pick = |from: &[Leg], role: &dyn Fn(Leg) -> bool| from.iter().copied().filter(|&leg| role(leg)).collect();
        Self {
            batch: pick(x, &|leg| y.contains(&leg) && keep(leg)),
            rows: pick(x, &|leg| !y.contains(&leg)),
            inner: pick(x, &|leg| y.contains(&leg) && !keep(leg)),
            cols: pick(y, &|leg| !x.contains(&leg)),
        }
    }
}

impl Pair {
    /// Prepares the contraction. `suits` says whether the consumer of the result can use an order of its legs.
    pub(super) fn new(
        a: &[Leg],
        b: &[Leg],
        keep: &dyn Fn(Leg) -> bool,
        dim: Dims,
        suits: &dyn Fn(&[Leg]) -> bool,
    ) -> Self {
        let swapped = size(b, dim) > size(a, dim);
        let [x, y] = if swapped { [b, a] } else { [a, b] };
        let roles = Roles::new(x, y, keep);
        let [m, k, n] = [&roles.rows, &roles.inner, &roles.cols].map(|legs| size(legs, dim));
        let batch = size(&roles.batch, dim);
        let (legs, copy, kernel) = if size(y, dim) <= ABSORB && k * n <= COEFFICIENTS && m >= RUN {
            absorb(x, y, &roles, dim)
        } else if batch >= 4 && m * k * n < PRODUCT {
            entrywise(x, y, &roles, dim)
        } else {
            product(x, y, roles, keep, dim, suits)
        };
        Self { legs, size: m * n * batch, swapped, copy, kernel }
    }

    pub(super) fn run<T: Entry>(&self, a: &[T], b: &[T], out: &mut Vec<T>, scratch: &mut PairScratch<T>) {
        let [x, y] = if self.swapped { [b, a] } else { [a, b] };
        let [space_x, space_y] = &mut scratch.0;
        let x = gathered(self.copy[0].as_ref(), x, space_x);
        let y = gathered(self.copy[1].as_ref(), y, space_y);
        out.clear();
        out.resize(self.size, T::ZERO);
        match &self.kernel {
            Kernel::Absorb { run, outer, inner, new } => {
                let places = outer.iter().flat_map(|o| new.iter().map(move |n| (o, n)));
                for ((&(outer_x, outer_y), &new), row) in places.zip(out.chunks_exact_mut(*run)) {
                    for &(inner_x, inner_y) in inner {
                        let start = outer_x + inner_x;
                        T::add_multiple(row, &x[start..start + run], y[outer_y + inner_y + new]);
                    }
                }
            }
            &Kernel::Entrywise { shape: [m, k, n], batch } => {
                for (place, row) in out.chunks_exact_mut(batch).enumerate() {
                    let (i, j) = (place / n, place % n);
                    debug_assert!(i < m);
                    for l in 0..k {
                        let (p, q) = ((i * k + l) * batch, (l * n + j) * batch);
                        T::add_products(row, &x[p..p + batch], &y[q..q + batch]);
                    }
                }
            }
            &Kernel::Product { turned: [turned_x, turned_y], flipped, shape: [m, k, n], batch } => {
                for t in 0..batch {
                    let x = &x[t * m * k..(t + 1) * m * k];
                    let y = &y[t * k * n..(t + 1) * k * n];
                    let out = &mut out[t * m * n..(t + 1) * m * n];
                    if flipped {
                        T::matrix_product([n, k, m], (y, !turned_y), (x, !turned_x), out);
                    } else {
                        T::matrix_product([m, k, n], (x, turned_x), (y, turned_y), out);
                    }
                }
            }
        }
    }
}

fn gathered<'a, T: Copy>(gather: Option<&Gather>, data: &'a [T], space: &'a mut Vec<T>) -> &'a [T] {
    match gather {
        None => data,
        Some(gather) => {
            gather.run(data, space);
            space
        }
    }
}

type Prepared = (Vec<Leg>, [Option<Gather>; 2], Kernel);

fn absorb(x: &[Leg], y: &[Leg], roles: &Roles, dim: Dims) -> Prepared {
    let tail_of = |legs: &[Leg]| legs.iter().rev().take_while(|leg| !y.contains(leg)).count();
    let run_of = |legs: &[Leg]| size(&legs[legs.len() - tail_of(legs)..], dim);
    let shortest = if size(x, dim) >= LARGE { LARGE_RUN } else { RUN };
    // Bring the legs that y has to the front where the rows would be too short.
    let moved = if run_of(x) >= shortest.min(size(&roles.rows, dim)) {
        x.to_vec()
    } else {
        [&roles.batch[..], &roles.inner, &roles.rows].concat()
    };
    let (front, tail) = moved.split_at(moved.len() - tail_of(&moved));
    let outer: Vec<Leg> = front.iter().copied().filter(|leg| !roles.inner.contains(leg)).collect();
    let table = |legs: &[Leg]| -> Vec<(usize, usize)> {
        offsets(&axes(legs, &moved, dim)).into_iter().zip(offsets(&axes(legs, y, dim))).collect()
    };
    let kernel = Kernel::Absorb {
        run: size(tail, dim),
        outer: table(&outer),
        inner: table(&roles.inner),
        new: offsets(&axes(&roles.cols, y, dim)),
    };
    ([&outer[..], &roles.cols, tail].concat(), [copy(x, &moved, dim), None], kernel)
}

fn entrywise(x: &[Leg], y: &[Leg], roles: &Roles, dim: Dims) -> Prepared {
    let Roles { batch, rows, inner, cols } = roles;
    let copies = [copy(x, &[&rows[..], inner, batch].concat(), dim), copy(y, &[&inner[..], cols, batch].concat(), dim)];
    let shape = [rows, inner, cols].map(|legs| size(legs, dim));
    ([&rows[..], cols, batch].concat(), copies, Kernel::Entrywise { shape, batch: size(batch, dim) })
}

fn product(
    x: &[Leg],
    y: &[Leg],
    roles: Roles,
    keep: &dyn Fn(Leg) -> bool,
    dim: Dims,
    suits: &dyn Fn(&[Leg]) -> bool,
) -> Prepared {
    let Roles { mut batch, rows, mut inner, cols } = roles;
    // x as it stands where its legs come in blocks; otherwise copied, and in the order of y.
    let (copy_x, turned_x) = if x == [&batch[..], &rows, &inner].concat() {
        (None, false)
    } else if x == [&batch[..], &inner, &rows].concat() {
        (None, true)
    } else {
        batch = y.iter().copied().filter(|&leg| x.contains(&leg) && keep(leg)).collect();
        inner = y.iter().copied().filter(|&leg| x.contains(&leg) && !keep(leg)).collect();
        (copy(x, &[&batch[..], &rows, &inner].concat(), dim), false)
    };
    let turned_y = y == [&batch[..], &cols, &inner].concat();
    let copy_y = if turned_y { None } else { copy(y, &[&batch[..], &inner, &cols].concat(), dim) };
    let shape = [&rows, &inner, &cols].map(|legs| size(legs, dim));
    let legs = [&batch[..], &rows, &cols].concat();
    let other = [&batch[..], &cols, &rows].concat();
    let flipped = suits(&other) && !suits(&legs);
    let kernel = Kernel::Product { turned: [turned_x, turned_y], flipped, shape, batch: size(&batch, dim) };
    (if flipped { other } else { legs }, [copy_x, copy_y], kernel)
}

/// Whether a tensor with legs in this order can be contracted with the legs `other` without being copied.
pub(super) fn stands_well(legs: &[Leg], other: &[Leg], keep: &dyn Fn(Leg) -> bool) -> bool {
    let roles = Roles::new(legs, other, keep);
    let Roles { batch, rows, inner, .. } = roles;
    legs == [&batch[..], &rows, &inner].concat() || legs == [&batch[..], &inner, &rows].concat()
}
