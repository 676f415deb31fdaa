//! How a check makes its messages.

use super::graph::FactorGraph;
use super::lanes::{Lane, Mask, Rows, SIGN, bits, map, xor, zip};
use super::phi::phi;

/// Magnitudes of messages end here. Min-sum on loops can grow them without bound; beyond, single precision would lose the
/// priors beside them.
pub(super) const LARGEST: f32 = 8192.0;

/// The magnitudes of the messages of all checks. Signs are kept by the engine.
pub(super) trait CheckRule<const L: usize> {
    /// What the check has seen of the incoming messages.
    type Sums: Copy;
    /// The magnitudes of the outgoing messages, ready to be told apart.
    type Stored: Copy;

    fn new(graph: &FactorGraph, offset: f32) -> Self;

    /// No messages in the lanes whose mask is all ones.
    fn reset(&mut self, mask: &Mask<L>);

    /// The magnitudes that check `i` has sent.
    fn stored(&self, i: usize) -> Self::Stored;

    /// The magnitude of the message on an edge, the `k`-th of its check.
    fn magnitude(&self, stored: &Self::Stored, edge: usize, k: usize) -> Mask<L>;

    fn begin() -> Self::Sums;

    /// Adds the `k`-th incoming message.
    fn push(&mut self, sums: &mut Self::Sums, k: usize, message: &Lane<L>);

    /// Makes the outgoing magnitudes of check `i`, whose `degree` edges start at `edge`.
    fn finish(&mut self, i: usize, edge: usize, degree: usize, sums: &Self::Sums, scale: &Lane<L>);
}

/// Two magnitudes a check: the smallest, and the second smallest for the edge that the smallest came from.
#[derive(Debug, Clone)]
pub(super) struct MinSum<const L: usize> {
    /// Bits of the smallest.
    smallest: Rows<u32, L>,
    /// Bits of the smallest, exclusive or those of the second.
    change: Rows<u32, L>,
    /// Which edge the smallest came from.
    argument: Rows<u32, L>,
    offset: f32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct TwoSmallest<const L: usize> {
    first: Lane<L>,
    second: Lane<L>,
    argument: Mask<L>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct TwoMagnitudes<const L: usize> {
    smallest: Mask<L>,
    change: Mask<L>,
    argument: Mask<L>,
}

impl<const L: usize> CheckRule<L> for MinSum<L> {
    type Sums = TwoSmallest<L>;
    type Stored = TwoMagnitudes<L>;

    fn new(graph: &FactorGraph, offset: f32) -> Self {
        let rows = || Rows::new(graph.n_detectors);
        Self { smallest: rows(), change: rows(), argument: rows(), offset }
    }

    #[inline(always)]
    fn reset(&mut self, mask: &Mask<L>) {
        self.smallest.get_mut().iter_mut().for_each(|row| super::lanes::clear(row, mask));
        self.change.get_mut().iter_mut().for_each(|row| super::lanes::clear(row, mask));
    }

    #[inline(always)]
    fn stored(&self, i: usize) -> TwoMagnitudes<L> {
        TwoMagnitudes {
            smallest: self.smallest.get()[i],
            change: self.change.get()[i],
            argument: self.argument.get()[i],
        }
    }

    #[inline(always)]
    fn magnitude(&self, stored: &TwoMagnitudes<L>, _: usize, k: usize) -> Mask<L> {
        // Arithmetic on bits: a choice between two arrays would become a gather.
        let own = map(&stored.argument, |argument| 0u32.wrapping_sub(u32::from(argument == k as u32)));
        xor(&stored.smallest, &zip(&own, &stored.change, |own, change| own & change))
    }

    #[inline(always)]
    fn begin() -> TwoSmallest<L> {
        TwoSmallest { first: [LARGEST; L], second: [LARGEST; L], argument: [0; L] }
    }

    #[inline(always)]
    fn push(&mut self, sums: &mut TwoSmallest<L>, k: usize, message: &Lane<L>) {
        let size = map(message, f32::abs);
        let nearer = zip(&size, &sums.first, |a, b| 0u32.wrapping_sub(u32::from(a < b)));
        sums.argument = zip(&nearer, &sums.argument, |nearer, old| (nearer & k as u32) | (!nearer & old));
        let larger = zip(&size, &sums.first, |a, b| if a > b { a } else { b });
        sums.second = zip(&larger, &sums.second, |a, b| if a < b { a } else { b });
        sums.first = zip(&size, &sums.first, |a, b| if a < b { a } else { b });
    }

    #[inline(always)]
    fn finish(&mut self, i: usize, _: usize, _: usize, sums: &TwoSmallest<L>, scale: &Lane<L>) {
        let offset = self.offset;
        let corrected = |size: f32, scale: f32| {
            let size = size * scale - offset;
            if size > 0.0 { size } else { 0.0 }
        };
        let (first, second) = (zip(&sums.first, scale, corrected), zip(&sums.second, scale, corrected));
        self.smallest.get_mut()[i] = bits(&first);
        self.change.get_mut()[i] = xor(&bits(&first), &bits(&second));
        self.argument.get_mut()[i] = sums.argument;
    }
}

/// A magnitude an edge, from sums of $`\phi(|v|)`$ over the other edges.
#[derive(Debug, Clone)]
pub(super) struct SumProduct<const L: usize> {
    /// Bits of the magnitudes.
    magnitudes: Rows<u32, L>,
    /// $`\phi`$ of the incoming messages of one check, then the sums over those that follow.
    incoming: Rows<f32, L>,
}

impl<const L: usize> CheckRule<L> for SumProduct<L> {
    type Sums = ();
    type Stored = ();

    fn new(graph: &FactorGraph, _: f32) -> Self {
        Self { magnitudes: Rows::new(graph.edge_bits.len()), incoming: Rows::new(graph.max_degree()) }
    }

    #[inline(always)]
    fn reset(&mut self, mask: &Mask<L>) {
        self.magnitudes.get_mut().iter_mut().for_each(|row| super::lanes::clear(row, mask));
    }

    #[inline(always)]
    fn stored(&self, _: usize) {}

    #[inline(always)]
    fn magnitude(&self, (): &(), edge: usize, _: usize) -> Mask<L> {
        self.magnitudes.get()[edge]
    }

    #[inline(always)]
    fn begin() {}

    #[inline(always)]
    fn push(&mut self, (): &mut (), k: usize, message: &Lane<L>) {
        self.incoming.get_mut()[k] = phi(&map(message, f32::abs));
    }

    #[inline(always)]
    fn finish(&mut self, _: usize, edge: usize, degree: usize, (): &(), _: &Lane<L>) {
        let incoming = &mut self.incoming.get_mut()[..degree];
        let magnitudes = &mut self.magnitudes.get_mut()[edge..edge + degree];
        // Sums before and after each edge: a difference from the total would cancel.
        let mut before = [0.0; L];
        for (magnitude, own) in magnitudes.iter_mut().zip(incoming.iter()) {
            *magnitude = bits(&before);
            before = super::lanes::add(&before, own);
        }
        let mut after = [0.0; L];
        for (magnitude, own) in magnitudes.iter_mut().zip(incoming.iter()).rev() {
            let others = super::lanes::add(&map(magnitude, f32::from_bits), &after);
            after = super::lanes::add(&after, own);
            // The sign belongs to the engine.
            *magnitude = map(&bits(&phi(&others)), |x| x & !SIGN);
        }
    }
}
