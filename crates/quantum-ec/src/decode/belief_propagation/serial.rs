//! Belief propagation mechanism by mechanism.

use super::graph::FactorGraph;
use super::lanes::{Lane, Mask, Rows, SIGN, add, map, sub, zip};
use super::params::BpMethod;
use super::phi::phi;

/// Messages from mechanisms to checks, each made from the newest messages of the others.
///
/// For sum-product $`\phi`$ of a magnitude is kept, and its sign.
#[derive(Debug, Clone)]
pub(super) struct Serial<const L: usize> {
    method: BpMethod,
    offset: f32,
    /// By the edges of the checks.
    incoming: Rows<f32, L>,
    /// Lanes whose messages are still to be made from the priors.
    fresh: Mask<L>,
    /// The messages to one mechanism.
    outgoing: Rows<f32, L>,
}

impl<const L: usize> Serial<L> {
    pub(super) fn new(graph: &FactorGraph, method: BpMethod, offset: f32) -> Self {
        let most = graph.bit_starts.windows(2).map(|w| (w[1] - w[0]) as usize).max().unwrap_or(0);
        Self { method, offset, incoming: Rows::new(graph.edge_bits.len()), fresh: [0; L], outgoing: Rows::new(most) }
    }

    #[inline(always)]
    pub(super) fn reset(&mut self, mask: &Mask<L>) {
        self.fresh = zip(&self.fresh, mask, |a, b| a | b);
    }

    #[inline(always)]
    fn stored(method: BpMethod, message: &Lane<L>) -> Lane<L> {
        match method {
            BpMethod::MinSum => *message,
            BpMethod::SumProduct => {
                zip(&phi(&map(message, f32::abs)), message, |size, sign| with_sign_of(size, sign.to_bits()))
            }
        }
    }

    /// Updates all mechanisms in order.
    #[inline(always)]
    pub(super) fn sweep(
        &mut self,
        graph: &FactorGraph,
        syndrome: &[Mask<L>],
        priors: &[f32],
        posterior: &mut [Lane<L>],
        scale: &Lane<L>,
    ) {
        if self.fresh.iter().any(|&x| x != 0) {
            for (row, &bit) in self.incoming.get_mut().iter_mut().zip(&graph.edge_bits) {
                let first = Self::stored(self.method, &[priors[bit as usize]; L]);
                for l in 0..L {
                    row[l] = if self.fresh[l] != 0 { first[l] } else { row[l] };
                }
            }
            self.fresh = [0; L];
        }
        for bit in 0..graph.n_bits() {
            let own = graph.bit_starts[bit] as usize..graph.bit_starts[bit + 1] as usize;
            let (checks, edges) = (&graph.bit_checks[own.clone()], &graph.bit_edges[own]);
            let mut sum = [priors[bit]; L];
            for (k, (&i, &edge)) in checks.iter().zip(edges).enumerate() {
                let sent = self.message(graph, i as usize, edge as usize, &syndrome[i as usize], scale);
                self.outgoing.get_mut()[k] = sent;
                sum = add(&sum, &sent);
            }
            for (k, &edge) in edges.iter().enumerate() {
                let message = sub(&sum, &self.outgoing.get()[k]);
                self.incoming.get_mut()[edge as usize] = Self::stored(self.method, &message);
            }
            posterior[bit] = sum;
        }
    }

    /// What check `i` says on one of its edges.
    #[inline(always)]
    fn message(&self, graph: &FactorGraph, i: usize, own: usize, syndrome: &Mask<L>, scale: &Lane<L>) -> Lane<L> {
        let edges = graph.check_starts[i] as usize..graph.check_starts[i + 1] as usize;
        let others = edges.filter(|&edge| edge != own).map(|edge| &self.incoming.get()[edge]);
        let mut sign = *syndrome;
        let size = match self.method {
            BpMethod::MinSum => {
                let mut least = [super::rules::LARGEST; L];
                for other in others {
                    sign = zip(&sign, other, |sign, x| sign ^ x.to_bits());
                    least = zip(&least, other, |least, x| if x.abs() < least { x.abs() } else { least });
                }
                let offset = self.offset;
                zip(&least, scale, |least, scale| {
                    let size = least * scale - offset;
                    if size > 0.0 { size } else { 0.0 }
                })
            }
            BpMethod::SumProduct => {
                let mut total = [0.0; L];
                for other in others {
                    sign = zip(&sign, other, |sign, x| sign ^ x.to_bits());
                    total = zip(&total, other, |total, x| total + x.abs());
                }
                phi(&total)
            }
        };
        zip(&size, &sign, with_sign_of)
    }
}

/// A magnitude with the sign of another number.
#[inline(always)]
fn with_sign_of(size: f32, sign: u32) -> f32 {
    f32::from_bits(size.to_bits() & !SIGN | sign & SIGN)
}
