//! Pairs whose contraction makes nothing larger.

use super::dense::{Leg, Tensor};
use super::entry::Entry;
use super::network::Network;
use super::tree::{Counted, leaf, merge, size_of};
use crate::Result;

/// A network with all pairs contracted whose product has no more entries than the larger of the two.
///
/// Such steps make no tensor larger than those there are; the order with the fewest operations need not begin with them. With
/// them done first, the search for an order has fewer tensors to deal with, and tensors that stay the same from one contraction to the next are joined once.
///
/// ```
/// use linalg_core::tensor::{Network, Simplification, Tensor};
///
/// // vector - matrix - matrix - vector: one number.
/// let chain = Network::new(vec![2; 3], vec![vec![0], vec![0, 1], vec![1, 2], vec![2]], vec![])?;
/// let simple = Simplification::new(&chain)?;
/// assert_eq!(simple.network().tensors().len(), 1);
/// let v = |leg| Tensor::new(vec![leg], vec![2], vec![1.0, 2.0]);
/// let m = |legs: [u32; 2]| Tensor::new(legs.to_vec(), vec![2, 2], vec![0.0, 1.0, 1.0, 0.0]);
/// let tensors = simple.run(&[v(0), m([0, 1]), m([1, 2]), v(2)]);
/// assert!((tensors[0].value(&[]) - 5.0).abs() < 1e-14);
/// # Ok::<(), linalg_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simplification {
    n_tensors: usize,
    steps: Vec<[usize; 2]>,
    /// Legs of what each step makes.
    made: Vec<Vec<Leg>>,
    /// The node behind each tensor of the network that is left.
    nodes: Vec<usize>,
    network: Network,
}

impl Simplification {
    /// Finds the steps. `O(n d)` for n tensors with d partners each.
    ///
    /// # Errors
    /// None in practice: a network without tensors cannot be made.
    pub fn new(network: &Network) -> Result<Self> {
        let n = network.tensors().len();
        let mut state = State::new(network);
        while let Some(node) = state.waiting.pop() {
            if state.legs[node].is_some() {
                state.visit(node);
            }
        }
        state.join_numbers();
        let nodes: Vec<usize> = (0..state.legs.len()).filter(|&v| state.legs[v].is_some()).collect();
        let plain = |legs: &Counted| legs.iter().map(|&(leg, _)| leg).collect::<Vec<Leg>>();
        let made = state.made.iter().map(plain).collect();
        let tensors = nodes
            .iter()
            .map(|&v| match v.checked_sub(n) {
                None => network.tensors()[v].clone(),
                Some(step) => plain(&state.made[step]),
            })
            .collect();
        let network = Network::new(network.dims().to_vec(), tensors, network.open().to_vec())?;
        Ok(Self { n_tensors: n, steps: state.steps, made, nodes, network })
    }

    /// The network that is left; its legs have the numbers they had.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The steps: which two nodes are contracted. Node k below the number of tensors is tensor k, step s makes node
    /// `n + s`.
    pub fn steps(&self) -> &[[usize; 2]] {
        &self.steps
    }

    /// The tensors of the network that is left.
    ///
    /// # Panics
    /// If there are not as many tensors as the network had, or they do not have the legs they had there.
    pub fn run<T: Entry>(&self, tensors: &[Tensor<T>]) -> Vec<Tensor<T>> {
        assert_eq!(tensors.len(), self.n_tensors, "{} tensors for a network of {}", tensors.len(), self.n_tensors);
        let mut nodes: Vec<Option<Tensor<T>>> = tensors.iter().cloned().map(Some).collect();
        for (&[a, b], legs) in self.steps.iter().zip(&self.made) {
            let (Some(x), Some(y)) = (nodes[a].take(), nodes[b].take()) else { unreachable!("a node is used once") };
            nodes.push(Some(x.contract(&y, legs).transposed(legs)));
        }
        self.nodes.iter().filter_map(|&v| nodes[v].take()).collect()
    }
}

struct State<'a> {
    network: &'a Network,
    /// `None` for nodes that are used up.
    legs: Vec<Option<Counted>>,
    members: Vec<Vec<usize>>,
    waiting: Vec<usize>,
    steps: Vec<[usize; 2]>,
    made: Vec<Counted>,
}

impl<'a> State<'a> {
    fn new(network: &'a Network) -> Self {
        let legs: Vec<Option<Counted>> = network.tensors().iter().map(|legs| Some(leaf(network, legs))).collect();
        let mut members = vec![Vec::new(); network.dims().len()];
        for (node, legs) in legs.iter().enumerate() {
            for &(leg, _) in legs.iter().flatten() {
                members[leg as usize].push(node);
            }
        }
        let waiting = (0..legs.len()).rev().collect();
        Self { network, legs, members, waiting, steps: Vec::new(), made: Vec::new() }
    }

    /// Contracts a node with the first partner with which the product does not grow.
    fn visit(&mut self, node: usize) {
        let Some(own) = &self.legs[node] else { return };
        let size = size_of(self.network, own);
        let own: Vec<Leg> = own.iter().map(|&(leg, _)| leg).collect();
        for leg in own {
            self.members[leg as usize].retain(|&v| self.legs[v].is_some());
            for k in 0..self.members[leg as usize].len() {
                let other = self.members[leg as usize][k];
                let (Some(a), Some(b)) = (&self.legs[node], &self.legs[other]) else { continue };
                if other == node {
                    continue;
                }
                let (out, _) = merge(self.network, a, b);
                if size_of(self.network, &out) <= size.max(size_of(self.network, b)) {
                    return self.join(node, other, out);
                }
            }
        }
    }

    fn join(&mut self, a: usize, b: usize, out: Counted) {
        let node = self.legs.len();
        self.legs[a] = None;
        self.legs[b] = None;
        for &(leg, _) in &out {
            self.members[leg as usize].push(node);
        }
        self.steps.push([a, b]);
        self.made.push(out.clone());
        self.legs.push(Some(out));
        self.waiting.push(node);
    }

    /// Numbers go into one, and that into any other tensor.
    fn join_numbers(&mut self) {
        let living = (0..self.legs.len()).filter(|&v| self.legs[v].is_some());
        let (mut numbers, others): (Vec<usize>, Vec<usize>) =
            living.partition(|&v| self.legs[v].as_ref().is_some_and(Vec::is_empty));
        let Some(mut product) = numbers.pop() else { return };
        while let Some(next) = numbers.pop() {
            self.join(product, next, Counted::new());
            product = self.legs.len() - 1;
        }
        if let Some(&other) = others.first() {
            let Some(legs) = self.legs[other].clone() else { unreachable!("it is alive") };
            self.join(product, other, legs);
        }
    }
}
