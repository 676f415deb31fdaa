//! A contraction made ready and carried out.

use std::sync::OnceLock;

use super::dense::{Leg, Tensor};
use super::entry::Entry;
use super::gather::{Gather, strides};
use super::network::Network;
use super::pair::{Pair, PairScratch, copy, stands_well};
use super::tree::{ContractionTree, Cost, Counted, Shape};
use crate::observe::Observer;
use crate::{Error, Result};

/// Steps of a contraction that are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContractionProgress {
    /// Pairs contracted.
    pub done: u64,
    /// Pairs to contract, in all slices.
    pub total: u64,
}

/// The value of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Value<T> {
    /// The tensor over the open legs.
    pub tensor: Tensor<T>,
    /// The smallest magnitude met in an intermediate tensor, the largest of the same tensor being near 1.
    ///
    /// Where all entries are positive, a value above 1e-250 proves that nothing was lost to underflow.
    pub smallest: f64,
}

/// The value of a network without open legs and what every entry of every tensor contributes to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares<T> {
    /// The value.
    pub value: Value<T>,
    /// For each tensor its entries times the derivative of ln of the value with respect to them.
    ///
    /// For positive numbers these are the probabilities of the index combinations of that tensor; their sum is 1. With
    /// [`MaxPlus`](super::MaxPlus) the entries are 0 that belong to a maximum and negative else.
    pub leaves: Vec<Vec<T>>,
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) a: usize,
    pub(super) b: usize,
    pair: Pair,
}

#[derive(Debug, Clone)]
struct Leaf {
    /// Strides of the sliced legs that the tensor has, zero for the others.
    slices: Vec<usize>,
    /// Entries of one slice, the legs that are summed at once last; `None` where the tensor is used as it is.
    gather: Option<Gather>,
    /// Entries that are summed at once.
    summed: usize,
}

/// A network, an order and the legs to slice, prepared: only numbers are missing.
///
/// Slices are numbered work units: [`run_slice`](Self::run_slice) does one, and their sum in order of numbers is the
/// value, whoever computed them.
///
/// ```
/// use linalg_core::tensor::{Contraction, Network, OrderParams, Tensor};
///
/// // The trace of a product of two matrices.
/// let network = Network::new(vec![2, 2], vec![vec![0, 1], vec![1, 0]], vec![])?;
/// let tree = OrderParams::default().find(&network)?;
/// let contraction = Contraction::new(&network, &tree)?;
/// let a = Tensor::new(vec![0, 1], vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]);
/// let b = Tensor::new(vec![1, 0], vec![2, 2], vec![5.0, 6.0, 7.0, 8.0]);
/// let tensors = [a, b];
/// assert!((contraction.run(&tensors).tensor.value(&[]) - 69.0).abs() < 1e-12);
/// // a_00 b_00 is 5 of 69.
/// let shares = contraction.shares(&tensors, &mut ())?;
/// assert!((shares.leaves[0][0] - 5.0 / 69.0).abs() < 1e-15);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Contraction {
    /// The network as given, for checks.
    pub(super) network: Network,
    pub(super) sliced: Vec<Leg>,
    slices: u64,
    leaves: Vec<Leaf>,
    pub(super) steps: Vec<Step>,
    /// The legs of each node in their order, sliced ones and those summed at once left out.
    pub(super) orders: Vec<Vec<Leg>>,
    /// Prepared when it is first asked for: it takes twice as long as all the rest.
    backward: OnceLock<Backward>,
    root_legs: Vec<Leg>,
    cost: Cost,
}

#[derive(Debug, Clone)]
struct Backward {
    /// The pass in its order: adjoints of a and b of each step.
    steps: Vec<[Pair; 2]>,
    /// Copies that bring the adjoints of the leaves into the order of their legs.
    turn: Vec<Option<Gather>>,
}

impl Contraction {
    /// Prepares an unsliced contraction.
    ///
    /// # Errors
    /// As [`with_slices`](Self::with_slices).
    pub fn new(network: &Network, tree: &ContractionTree) -> Result<Self> {
        Self::with_slices(network, tree, &[])
    }

    /// Prepares a contraction that fixes some legs, as [`slice_to_budget`](super::slice_to_budget) names them.
    ///
    /// # Errors
    /// [`Error::IndexOutOfBounds`] for a sliced leg that does not exist, [`Error::Duplicate`] for one that is open or
    /// named twice, [`Error::OutOfRange`] for more than 2⁶³ slices.
    ///
    /// # Panics
    /// If the tree has another number of leaves than the network has tensors.
    pub fn with_slices(network: &Network, tree: &ContractionTree, sliced: &[Leg]) -> Result<Self> {
        let mut slices = 1u64;
        for (p, &leg) in sliced.iter().enumerate() {
            if leg as usize >= network.dims().len() {
                return Err(Error::IndexOutOfBounds { what: "leg", index: leg as usize, bound: network.dims().len() });
            }
            if sliced[..p].contains(&leg) || network.open().contains(&leg) {
                return Err(Error::Duplicate { what: "leg", index: leg as usize });
            }
            slices = slices.checked_mul(network.dim(leg) as u64).filter(|&s| s < 1 << 63).ok_or(Error::OutOfRange {
                what: "number of slices",
                value: f64::INFINITY,
                low: 1.0,
                high: 2f64.powi(63),
            })?;
        }
        let small = network.without(sliced);
        let shape = Shape::new(&small, tree);
        let leaves = network.tensors().iter().map(|legs| Leaf::new(network, legs, sliced)).collect();
        let (steps, orders) = forward(&small, tree, &shape.legs);
        let root_legs = orders[orders.len() - 1].clone();
        let (network, sliced, cost) = (network.clone(), sliced.to_vec(), shape.cost());
        Ok(Self { network, sliced, slices, leaves, steps, orders, backward: OnceLock::new(), root_legs, cost })
    }

    /// Number of slices, 1 where nothing is sliced.
    pub fn slices(&self) -> u64 {
        self.slices
    }

    /// What one slice costs.
    pub fn slice_cost(&self) -> Cost {
        self.cost
    }

    /// Pairs contracted in one slice.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The value of the network, all slices added in order.
    ///
    /// # Panics
    /// If `tensors` are not those of the network: their number, and the legs and dimensions of each.
    pub fn run<T: Entry>(&self, tensors: &[Tensor<T>]) -> Value<T> {
        match self.run_observed(tensors, &mut ()) {
            Ok(value) => value,
            Err(_) => unreachable!("nobody stops it"),
        }
    }

    /// The same with reports after each pair, and the possibility to stop.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_observed<T: Entry>(
        &self,
        tensors: &[Tensor<T>],
        observer: &mut dyn Observer<ContractionProgress>,
    ) -> Result<Value<T>> {
        self.check(tensors);
        let mut run = Run::new(self, tensors, observer, 1);
        let mut sum = run.value(0)?;
        for k in 1..self.slices {
            let next = run.value(k)?;
            sum = add(sum, next);
        }
        Ok(sum)
    }

    /// One slice of the value.
    ///
    /// # Panics
    /// As [`run`](Self::run), and if `k` is not a slice.
    pub fn run_slice<T: Entry>(&self, tensors: &[Tensor<T>], k: u64) -> Value<T> {
        assert!(k < self.slices, "slice {k} of {}", self.slices);
        self.check(tensors);
        match Run::new(self, tensors, &mut (), 1).value(k) {
            Ok(value) => value,
            Err(_) => unreachable!("nobody stops it"),
        }
    }

    /// The value and the share of every entry in it, by one backward pass (reverse-mode differentiation) a slice.
    ///
    /// # Cost
    /// Three times that of the value, and the memory of all intermediates.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    ///
    /// # Panics
    /// As [`run`](Self::run), and if the network has open legs.
    pub fn shares<T: Entry>(
        &self,
        tensors: &[Tensor<T>],
        observer: &mut dyn Observer<ContractionProgress>,
    ) -> Result<Shares<T>> {
        assert!(self.network.open().is_empty(), "{} open legs", self.network.open().len());
        self.check(tensors);
        let mut leaves: Vec<Vec<T>> = tensors.iter().map(|t| vec![T::ZERO; t.data.len()]).collect();
        let mut run = Run::new(self, tensors, observer, 3);
        let mut sum: Option<Value<T>> = None;
        for k in 0..self.slices {
            let (value, shares) = run.shares(k)?;
            let z = (value.tensor.data[0], value.tensor.ln_scale);
            let total = match sum {
                None => value,
                Some(before) => add(before, value),
            };
            // Old shares belong to the old sum, new ones to this slice.
            let part = |(x, ln): (T, f64)| {
                let nothing = x == T::ZERO || total.tensor.data[0] == T::ZERO;
                if nothing { T::ZERO } else { x.scaled(ln - total.tensor.ln_scale).over(total.tensor.data[0]) }
            };
            if let Some(old) = run.last {
                let weight = part(old);
                for x in leaves.iter_mut().flatten() {
                    *x = x.times(weight);
                }
            }
            let weight = part(z);
            let digits = self.digits(k);
            if weight == T::ZERO {
                run.last = Some((total.tensor.data[0], total.tensor.ln_scale));
                sum = Some(total);
                continue;
            }
            for ((leaf, out), new) in self.leaves.iter().zip(&mut leaves).zip(shares) {
                leaf.add(&digits, &new, weight, out);
            }
            run.last = Some((total.tensor.data[0], total.tensor.ln_scale));
            sum = Some(total);
        }
        let Some(value) = sum else { unreachable!("at least one slice") };
        Ok(Shares { value, leaves })
    }

    pub(super) fn check<T: Entry>(&self, tensors: &[Tensor<T>]) {
        let expected = self.network.tensors();
        assert_eq!(tensors.len(), expected.len(), "{} tensors for a network of {}", tensors.len(), expected.len());
        for (t, (tensor, legs)) in tensors.iter().zip(expected).enumerate() {
            assert_eq!(tensor.legs(), legs, "legs of tensor {t}");
            let fits = legs.iter().zip(tensor.dims()).all(|(&leg, &dim)| self.network.dim(leg) == dim);
            assert!(fits, "dimensions {:?} of tensor {t} with legs {legs:?}", tensor.dims());
        }
    }

    /// Values of the sliced legs in slice k, the last leg fastest.
    pub(super) fn digits(&self, mut k: u64) -> Vec<usize> {
        let mut digits = vec![0; self.sliced.len()];
        for (digit, &leg) in digits.iter_mut().zip(&self.sliced).rev() {
            let dim = self.network.dim(leg) as u64;
            *digit = (k % dim) as usize;
            k /= dim;
        }
        digits
    }

    /// Prepares the backward pass: the adjoint of an operand is that of the result contracted with the other operand.
    fn prepare_backward(&self) -> Backward {
        let (n, orders) = (self.leaves.len(), &self.orders);
        let dim = |leg: Leg| self.network.dim(leg);
        let mut adjoint: Vec<Vec<Leg>> = vec![Vec::new(); orders.len()];
        let mut steps = Vec::with_capacity(self.steps.len());
        for (s, step) in self.steps.iter().enumerate().rev() {
            let out = adjoint[n + s].clone();
            let pairs = [(step.a, step.b), (step.b, step.a)]
                .map(|(to, from)| Pair::new(&out, &orders[from], &|leg| orders[to].contains(&leg), &dim, &|_| false));
            adjoint[step.a] = pairs[0].legs.clone();
            adjoint[step.b] = pairs[1].legs.clone();
            steps.push(pairs);
        }
        Backward { steps, turn: (0..n).map(|t| copy(&adjoint[t], &orders[t], &dim)).collect() }
    }
}

/// Prepares the steps; also the order of legs of each node.
fn forward(network: &Network, tree: &ContractionTree, legs: &[Counted]) -> (Vec<Step>, Vec<Vec<Leg>>) {
    let n = tree.leaves();
    let dim = |leg: Leg| network.dim(leg);
    let mut consumer = vec![None; n + tree.steps().len()];
    for (s, &[a, b]) in tree.steps().iter().enumerate() {
        consumer[a] = Some((s, b));
        consumer[b] = Some((s, a));
    }
    let mut orders: Vec<Vec<Leg>> = network
        .tensors()
        .iter()
        .map(|legs| legs.iter().copied().filter(|&leg| network.degree(leg) > 1).collect())
        .collect();
    let has = |node: usize, leg: Leg| legs[node].binary_search_by_key(&leg, |&(own, _)| own).is_ok();
    let mut steps = Vec::with_capacity(tree.steps().len());
    for (s, &[a, b]) in tree.steps().iter().enumerate() {
        let suits = |order: &[Leg]| {
            consumer[n + s].is_none_or(|(next, sibling)| {
                let other: Vec<Leg> = legs[sibling].iter().map(|&(leg, _)| leg).collect();
                stands_well(order, &other, &|leg| has(n + next, leg))
            })
        };
        let pair = Pair::new(&orders[a], &orders[b], &|leg| has(n + s, leg), &dim, &suits);
        orders.push(pair.legs.clone());
        steps.push(Step { a, b, pair });
    }
    (steps, orders)
}

impl Leaf {
    fn new(network: &Network, legs: &[Leg], sliced: &[Leg]) -> Self {
        let dims: Vec<usize> = legs.iter().map(|&leg| network.dim(leg)).collect();
        let strides = strides(&dims);
        let stride = |leg: &Leg| legs.iter().position(|own| own == leg).map_or(0, |p| strides[p]);
        let free = |leg: &Leg| !sliced.contains(leg);
        let kept = legs.iter().filter(|leg| free(leg) && network.degree(**leg) > 1);
        let gone: Vec<Leg> = legs.iter().copied().filter(|leg| free(leg) && network.degree(*leg) == 1).collect();
        let order: Vec<Leg> = kept.chain(&gone).copied().collect();
        let dims: Vec<usize> = order.iter().map(|&leg| network.dim(leg)).collect();
        let gather = Gather::new(&dims, &order.iter().map(stride).collect::<Vec<_>>());
        let slices: Vec<usize> = sliced.iter().map(stride).collect();
        let plain = gather.is_identity() && slices.iter().all(|&stride| stride == 0) && gone.is_empty();
        let summed = gone.iter().map(|&leg| network.dim(leg)).product();
        Self { slices, gather: if plain { None } else { Some(gather) }, summed }
    }

    fn start(&self, digits: &[usize]) -> usize {
        self.slices.iter().zip(digits).map(|(&stride, &digit)| stride * digit).sum()
    }

    /// The entries of a slice, sums over dangling legs done.
    fn read<T: Entry>(&self, digits: &[usize], data: &[T]) -> Option<Vec<T>> {
        let gather = self.gather.as_ref()?;
        let mut out = Vec::new();
        gather.run(&data[self.start(digits)..], &mut out);
        if self.summed > 1 {
            out = out.chunks_exact(self.summed).map(|row| row.iter().fold(T::ZERO, |sum, &x| sum.plus(x))).collect();
        }
        Some(out)
    }

    /// Adds the shares of a slice to those of the tensor.
    fn add<T: Entry>(&self, digits: &[usize], new: &[T], weight: T, out: &mut [T]) {
        match &self.gather {
            None => T::add_multiple(out, new, weight),
            Some(gather) => {
                let start = self.start(digits);
                for (place, &x) in gather.places().zip(new) {
                    out[start + place] = out[start + place].plus(x.times(weight));
                }
            }
        }
    }
}

/// Adds two tensors of one order of legs.
pub(super) fn add<T: Entry>(a: Value<T>, b: Value<T>) -> Value<T> {
    let smallest = a.smallest.min(b.smallest);
    // A tensor of zeros has no scale; that of the other one may be anywhere.
    let nothing = |value: &Value<T>| value.tensor.data.iter().all(|x| *x == T::ZERO);
    if nothing(&a) || nothing(&b) {
        let tensor = if nothing(&a) { b.tensor } else { a.tensor };
        return Value { tensor, smallest };
    }
    let ln_scale = a.tensor.ln_scale.max(b.tensor.ln_scale);
    let (x, y) = (a.tensor, b.tensor);
    let mut data: Vec<T> = x
        .data
        .iter()
        .zip(&y.data)
        .map(|(&p, &q)| p.scaled(x.ln_scale - ln_scale).plus(q.scaled(y.ln_scale - ln_scale)))
        .collect();
    let (more, _) = T::normalize(&mut data);
    let tensor = Tensor { legs: x.legs, dims: x.dims, data, ln_scale: ln_scale + more };
    Value { tensor, smallest }
}

/// Entries with their scale.
pub(super) type Scaled<T> = (Vec<T>, f64);

/// The memory of a contraction that is being carried out.
pub(super) struct Run<'a, T> {
    plan: &'a Contraction,
    pub(super) tensors: &'a [Tensor<T>],
    observer: &'a mut dyn Observer<ContractionProgress>,
    done: u64,
    total: u64,
    scratch: PairScratch<T>,
    pub(super) nodes: Vec<Option<Scaled<T>>>,
    free: Vec<Vec<T>>,
    pub(super) smallest: f64,
    /// Value and scale of the sum of the slices before.
    last: Option<(T, f64)>,
}

impl<'a, T: Entry> Run<'a, T> {
    pub(super) fn new(
        plan: &'a Contraction,
        tensors: &'a [Tensor<T>],
        observer: &'a mut dyn Observer<ContractionProgress>,
        passes: u64,
    ) -> Self {
        let total = (plan.steps.len() as u64 * passes).saturating_mul(plan.slices);
        let nodes = vec![None; plan.leaves.len() + plan.steps.len()];
        let (scratch, free) = (PairScratch::default(), Vec::new());
        Self { plan, tensors, observer, done: 0, total, scratch, nodes, free, smallest: 1.0, last: None }
    }

    fn report(&mut self) -> Result<()> {
        self.done += 1;
        let event = ContractionProgress { done: self.done, total: self.total };
        if self.observer.observe(&event).is_break() {
            return Err(Error::Stopped { what: "tensor contraction", done: self.done, total: self.total });
        }
        Ok(())
    }

    /// Contracts one pair, `from` being the slots or, for a leaf used as it is, the tensor.
    fn pair(&mut self, pair: &Pair, x: (&[T], f64), y: (&[T], f64)) -> Result<Scaled<T>> {
        let mut out = self.free.pop().unwrap_or_default();
        pair.run(x.0, y.0, &mut out, &mut self.scratch);
        let (ln_scale, low) = T::normalize(&mut out);
        self.smallest = self.smallest.min(low);
        self.report()?;
        Ok((out, x.1 + y.1 + ln_scale))
    }

    fn load(&mut self, digits: &[usize]) {
        for (t, (leaf, tensor)) in self.plan.leaves.iter().zip(self.tensors).enumerate() {
            self.nodes[t] = leaf.read(digits, &tensor.data).map(|data| (data, tensor.ln_scale));
        }
    }

    pub(super) fn forward(&mut self, digits: &[usize], keep: bool) -> Result<()> {
        let plan = self.plan;
        let n = plan.leaves.len();
        self.load(digits);
        for (s, step) in plan.steps.iter().enumerate() {
            let (a, b) = (self.nodes[step.a].take(), self.nodes[step.b].take());
            let out = {
                let x = operand(a.as_ref(), self.tensors, step.a);
                let y = operand(b.as_ref(), self.tensors, step.b);
                self.pair(&step.pair, x, y)?
            };
            if keep {
                self.nodes[step.a] = a;
                self.nodes[step.b] = b;
            } else {
                self.recycle(a);
                self.recycle(b);
            }
            self.nodes[n + s] = Some(out);
        }
        Ok(())
    }

    /// Keeps the larger buffers for the next results.
    fn recycle(&mut self, node: Option<Scaled<T>>) {
        if let Some((data, _)) = node
            && self.free.len() < 2
        {
            self.free.push(data);
        }
    }

    pub(super) fn root(&self) -> Value<T> {
        let node = self.nodes.len() - 1;
        let (data, ln_scale) = operand(self.nodes[node].as_ref(), self.tensors, node);
        let legs = self.plan.root_legs.clone();
        let dims = legs.iter().map(|&leg| self.plan.network.dim(leg)).collect();
        let tensor = Tensor { legs, dims, data: data.to_vec(), ln_scale };
        Value { tensor, smallest: self.smallest }
    }

    pub(super) fn value(&mut self, k: u64) -> Result<Value<T>> {
        self.forward(&self.plan.digits(k), false)?;
        Ok(self.root())
    }

    /// The value of a slice and the shares of the entries of each tensor in it.
    fn shares(&mut self, k: u64) -> Result<(Value<T>, Vec<Vec<T>>)> {
        let plan = self.plan;
        let n = plan.leaves.len();
        let digits = plan.digits(k);
        self.forward(&digits, true)?;
        let value = self.root();
        let (z, ln_z) = (value.tensor.data[0], value.tensor.ln_scale);
        let mut adjoints: Vec<Option<Scaled<T>>> = vec![None; self.nodes.len()];
        if let Some(last) = adjoints.last_mut() {
            *last = Some((vec![T::ONE], 0.0));
        }
        let backward = plan.backward.get_or_init(|| plan.prepare_backward());
        for (pairs, (s, step)) in backward.steps.iter().zip(plan.steps.iter().enumerate().rev()) {
            let Some(out) = adjoints[n + s].take() else { unreachable!("every node has a consumer") };
            let (a, b) = (self.nodes[step.a].take(), self.nodes[step.b].take());
            let x = operand(a.as_ref(), self.tensors, step.a);
            let y = operand(b.as_ref(), self.tensors, step.b);
            let for_a = self.pair(&pairs[0], (&out.0, out.1), y)?;
            let for_b = self.pair(&pairs[1], (&out.0, out.1), x)?;
            adjoints[step.a] = Some(for_a);
            adjoints[step.b] = Some(for_b);
            self.recycle(Some(out));
            self.recycle(a);
            self.recycle(b);
        }
        let shares = (0..n)
            .map(|t| {
                let Some((adjoint, ln_adjoint)) = &adjoints[t] else { unreachable!("every tensor has a consumer") };
                self.leaf_shares(t, &digits, (adjoint, &backward.turn[t]), *ln_adjoint - ln_z, z)
            })
            .collect();
        Ok((value, shares))
    }

    fn leaf_shares(
        &self,
        t: usize,
        digits: &[usize],
        (adjoint, turn): (&[T], &Option<Gather>),
        ln_factor: f64,
        z: T,
    ) -> Vec<T> {
        let (leaf, tensor) = (&self.plan.leaves[t], &self.tensors[t]);
        let ln_factor = ln_factor + tensor.ln_scale;
        let mut entries = Vec::new();
        let entries = match &leaf.gather {
            None => &tensor.data[..],
            Some(gather) => {
                gather.run(&tensor.data[leaf.start(digits)..], &mut entries);
                &entries
            }
        };
        // Bring the adjoint into the order of the entries first.
        let mut turned = Vec::new();
        let adjoint = match turn {
            None => adjoint,
            Some(gather) => {
                gather.run(adjoint, &mut turned);
                &turned
            }
        };
        let rows = entries.chunks_exact(leaf.summed).zip(adjoint);
        rows.flat_map(|(row, &adjoint)| row.iter().map(move |&x| x.times(adjoint).scaled(ln_factor).over(z))).collect()
    }
}

/// What a node holds: its own entries, or those of the tensor given.
pub(super) fn operand<'a, T: Entry>(
    node: Option<&'a Scaled<T>>,
    tensors: &'a [Tensor<T>],
    number: usize,
) -> (&'a [T], f64) {
    match node {
        Some((data, ln_scale)) => (data, *ln_scale),
        None => (&tensors[number].data, tensors[number].ln_scale),
    }
}
