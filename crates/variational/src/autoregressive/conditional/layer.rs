//! Affine layers made of blocks.

use std::ops::Range;

use linalg_core::gemm::{Matrix, MatrixMut, gemm};

use crate::kernels::sum;
use crate::scalar::Scalar;

/// Weights from neighbouring units of the input to the units of one node; blocks may share their weights.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Node of the output.
    pub to: usize,
    /// Units of the input.
    pub from: Range<usize>,
    /// Where the weights begin, units of the node x units of the input.
    pub weight: usize,
}

/// `z = b + W a` with W made of blocks; units x samples.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Units of every node.
    nodes: Vec<Range<usize>>,
    /// Sorted by node.
    blocks: Vec<Block>,
    /// Blocks of node j: `first[j] .. first[j + 1]`.
    first: Vec<usize>,
    /// Where the biases begin, one a unit.
    bias: Option<usize>,
}

impl Layer {
    /// A layer of nodes of `width` units each.
    pub fn new(nodes: usize, width: usize, mut blocks: Vec<Block>, bias: Option<usize>) -> Self {
        blocks.sort_by_key(|block| block.to);
        let first = (0..=nodes).map(|j| blocks.partition_point(|block| block.to < j)).collect();
        Self { nodes: (0..nodes).map(|j| j * width..(j + 1) * width).collect(), blocks, first, bias }
    }

    /// Units of the output.
    pub fn units(&self) -> usize {
        self.nodes.last().map_or(0, |last| last.end)
    }

    /// Where the biases are.
    #[cfg(test)]
    pub fn bias(&self) -> Option<Range<usize>> {
        self.bias.map(|first| first..first + self.units())
    }

    /// Units of a range of nodes.
    pub fn units_of(&self, nodes: &Range<usize>) -> Range<usize> {
        if nodes.is_empty() { 0..0 } else { self.nodes[nodes.start].start..self.nodes[nodes.end - 1].end }
    }

    /// `z = z + b` at these nodes.
    pub fn add_bias<T: Scalar>(&self, theta: &[T], nodes: &Range<usize>, b: usize, z: &mut [T]) {
        let units = self.units_of(nodes);
        if let Some(bias) = self.bias {
            let rows = z[units.start * b..units.end * b].chunks_exact_mut(b);
            for (row, &bias) in rows.zip(&theta[bias + units.start..bias + units.end]) {
                row.iter_mut().for_each(|z| *z = *z + bias);
            }
        }
    }

    /// `z = z + W a` at these nodes.
    pub fn add_products<T: Scalar>(&self, theta: &[T], nodes: &Range<usize>, a: &[T], b: usize, z: &mut [T]) {
        for block in &self.blocks[self.first[nodes.start]..self.first[nodes.end]] {
            let units = &self.nodes[block.to];
            let (rows, cols) = (units.len(), block.from.len());
            gemm(
                T::ONE,
                Matrix::row_major(&theta[block.weight..block.weight + rows * cols], rows, cols),
                Matrix::row_major(&a[block.from.start * b..block.from.end * b], cols, b),
                T::ONE,
                MatrixMut::row_major(&mut z[units.start * b..units.end * b], rows, b),
            );
        }
    }

    /// Adds the gradient of weights and biases, and, where asked for, that of the input, from the gradient `delta` of z.
    pub fn backward<T: Scalar>(
        &self,
        theta: &[T],
        a: &[T],
        delta: &[T],
        b: usize,
        gradient: &mut [T],
        mut back: Option<&mut [T]>,
    ) {
        if let Some(bias) = self.bias {
            for (g, row) in gradient[bias..].iter_mut().zip(delta.chunks_exact(b)) {
                *g = *g + sum(row);
            }
        }
        for block in &self.blocks {
            let units = &self.nodes[block.to];
            let (rows, cols) = (units.len(), block.from.len());
            let weights = block.weight..block.weight + rows * cols;
            let inputs = block.from.start * b..block.from.end * b;
            let delta = Matrix::row_major(&delta[units.start * b..units.end * b], rows, b);
            let input = Matrix::row_major(&a[inputs.clone()], cols, b);
            let sum = MatrixMut::row_major(&mut gradient[weights.clone()], rows, cols);
            gemm(T::ONE, delta, input.transposed(), T::ONE, sum);
            if let Some(back) = back.as_deref_mut() {
                let w = Matrix::row_major(&theta[weights], rows, cols);
                gemm(T::ONE, w.transposed(), delta, T::ONE, MatrixMut::row_major(&mut back[inputs], cols, b));
            }
        }
    }
}
