//! Simulated annealing of contraction trees.

use rand::{Rng, RngExt};

use super::network::Network;
use super::tree::{ContractionTree, Counted, leaf, merge, size_of, work_of};
use crate::Result;

/// A tree whose subtrees can change places.
#[derive(Debug, Clone)]
pub(super) struct Annealer<'a> {
    network: &'a Network,
    leaves: usize,
    children: Vec<[u32; 2]>,
    legs: Vec<Counted>,
    size: Vec<f64>,
    /// Work of the contraction that makes a node.
    work: Vec<f64>,
    root: u32,
}

impl<'a> Annealer<'a> {
    pub(super) fn new(network: &'a Network, tree: &ContractionTree) -> Self {
        let mut legs: Vec<Counted> = network.tensors().iter().map(|legs| leaf(network, legs)).collect();
        let mut size: Vec<f64> = legs.iter().map(|legs| size_of(network, legs)).collect();
        let mut work = vec![0.0; legs.len()];
        let mut children = vec![[0; 2]; legs.len()];
        for &[a, b] in tree.steps() {
            let (out, flops) = merge(network, &legs[a], &legs[b]);
            let out_size = size_of(network, &out);
            work.push(work_of(flops, size[a], size[b], out_size));
            children.push([a as u32, b as u32]);
            legs.push(out);
            size.push(out_size);
        }
        let root = legs.len() as u32 - 1;
        Self { network, leaves: tree.leaves(), children, legs, size, work, root }
    }

    pub(super) fn total_work(&self) -> f64 {
        self.work.iter().sum()
    }

    /// One move tried at every inner node: of the grandchildren below one child, one changes places with the other
    /// child. Accepted where the work of the two contractions falls, and with probability `(new/old)^(-1/T)` else.
    pub(super) fn sweep<R: Rng + ?Sized>(&mut self, temperature: f64, rng: &mut R) {
        for node in self.leaves..self.children.len() {
            let word = rng.next_u32();
            let side = (word & 1) as usize;
            let inner = self.children[node][side] as usize;
            let other = self.children[node][1 - side] as usize;
            if inner < self.leaves {
                continue;
            }
            let pick = (word >> 1 & 1) as usize;
            let stays = self.children[inner][pick] as usize;
            let leaves = self.children[inner][1 - pick] as usize;
            // (stays leaves) other → (stays other) leaves
            let (legs, flops) = merge(self.network, &self.legs[stays], &self.legs[other]);
            let size = size_of(self.network, &legs);
            let inner_work = work_of(flops, self.size[stays], self.size[other], size);
            let old = self.work[inner] + self.work[node];
            // A bound on what follows saves the second merge in most refusals at low temperature.
            if temperature <= 0.0 && inner_work > old {
                continue;
            }
            let (_, flops) = merge(self.network, &legs, &self.legs[leaves]);
            let node_work = work_of(flops, size, self.size[leaves], self.size[node]);
            let ratio = (inner_work + node_work) / old;
            if ratio <= 1.0 || temperature > 0.0 && rng.random::<f64>() < ratio.powf(-temperature.recip()) {
                self.children[inner] = [stays as u32, other as u32];
                self.children[node] = [inner as u32, leaves as u32];
                self.legs[inner] = legs;
                self.size[inner] = size;
                self.work[inner] = inner_work;
                self.work[node] = node_work;
            }
        }
    }

    /// The tree as it stands, children before parents.
    pub(super) fn tree(&self) -> Result<ContractionTree> {
        let mut order = Vec::with_capacity(self.children.len() - self.leaves);
        let mut stack = vec![self.root as usize];
        while let Some(node) = stack.pop() {
            if node >= self.leaves {
                order.push(node);
                stack.extend(self.children[node].map(|child| child as usize));
            }
        }
        order.reverse();
        let mut name: Vec<usize> = (0..self.children.len()).collect();
        for (s, &node) in order.iter().enumerate() {
            name[node] = self.leaves + s;
        }
        let steps = order.iter().map(|&node| self.children[node].map(|child| name[child as usize])).collect();
        ContractionTree::new(self.leaves, steps)
    }
}
