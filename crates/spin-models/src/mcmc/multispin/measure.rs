//! Energies, magnetizations and overlaps of all replicas at once.

use super::counter::Counter;
use super::packing::{Links, Packing, Segment};
use super::simd::{BITS, Block, Kernel, Simd, WORDS};

/// Energies of the replicas of one unit, without the constant, in units of the model.
pub(super) struct Energies<'a> {
    pub(super) packing: &'a Packing,
    pub(super) spins: &'a [Block],
}

impl Kernel for Energies<'_> {
    type Output = Vec<i64>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<i64> {
        let packing = self.packing;
        let mut couplings = Counter::new();
        let mut fields = Counter::new();
        for_links(
            packing,
            #[inline(always)]
            |segment, at, link, is_field| {
                let counter = if is_field { &mut fields } else { &mut couplings };
                if is_field || segment.counts {
                    unsatisfied(simd, packing, self.spins, at, link, counter.next());
                    counter.push(simd);
                }
            },
        );
        let couplings = couplings.counts(simd);
        let fields = fields.counts(simd);
        let total = packing.model.interactions() as i64;
        let of_replica = |(c, f)| 2 * (c / packing.ends() + f) as i64 - total;
        let couplings = per_replica(&couplings, packing.words);
        couplings.into_iter().zip(per_replica(&fields, packing.words)).map(of_replica).collect()
    }
}

/// Sums of the spins of the replicas of one unit.
pub(super) struct Magnetizations<'a> {
    pub(super) packing: &'a Packing,
    pub(super) spins: &'a [Block],
}

impl Kernel for Magnetizations<'_> {
    type Output = Vec<i64>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Vec<i64> {
        let mut down = Counter::new();
        down.add(simd, &self.spins[..self.packing.n_blocks]);
        let n = self.packing.model.n_spins as i64;
        let down = per_replica(&down.counts(simd), self.packing.words);
        down.into_iter().map(|down| n - 2 * down as i64).collect()
    }
}

/// How many spins, and how many products of coupled spins, differ between replica r and replica r + distance of the
/// same unit. Entries of replicas without such a partner mean nothing.
pub(super) struct Differences<'a> {
    pub(super) packing: &'a Packing,
    pub(super) spins: &'a [Block],
    pub(super) distance: usize,
}

impl Kernel for Differences<'_> {
    type Output = (Vec<u64>, Vec<u64>);

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> (Vec<u64>, Vec<u64>) {
        let packing = self.packing;
        let compared = |block: &Block| {
            let other = shifted_down(block, self.distance, packing.words);
            Block(std::array::from_fn(|word| block.0[word] ^ other.0[word]))
        };
        let mut sites = Counter::new();
        for block in &self.spins[..packing.n_blocks] {
            *sites.next() = compared(block);
            sites.push(simd);
        }
        let mut links = Counter::new();
        for_links(
            packing,
            #[inline(always)]
            |segment, at, link, is_field| {
                if segment.counts && !is_field {
                    // The sign of the coupling is the same in both replicas.
                    let mut product = Block::ZERO;
                    unsatisfied(simd, packing, self.spins, at, link, &mut product);
                    *links.next() = compared(&product);
                    links.push(simd);
                }
            },
        );
        let sites = per_replica(&sites.counts(simd), packing.words);
        let links = per_replica(&links.counts(simd), packing.words);
        (sites, links.into_iter().map(|count| count / packing.ends()).collect())
    }
}

/// Calls `work` with the segment, block and number of every link, and whether it is a field.
#[inline(always)]
fn for_links(packing: &Packing, mut work: impl FnMut(&Segment, usize, usize, bool)) {
    for segment in &packing.segments {
        for (k, at) in segment.blocks.clone().enumerate() {
            for link in 0..segment.degree {
                let is_field = link + segment.fields >= segment.degree;
                work(segment, at, segment.links + k * segment.degree + link, is_field);
            }
        }
    }
}

/// Sets the bits of the replicas in which a link of block `at` is not satisfied.
#[inline(always)]
fn unsatisfied<S: Simd>(simd: S, packing: &Packing, spins: &[Block], at: usize, link: usize, out: &mut Block) {
    for part in 0..S::PARTS {
        let vote = match &packing.links {
            Links::Wide(links) => {
                let sign = simd.splat(u64::from(links[link] % 2).wrapping_neg());
                simd.load(&spins[links[link] as usize / 2], part) ^ sign
            }
            Links::Narrow(links) => {
                let link = &links[link];
                simd.gather(spins, &link.index, part) ^ simd.load(&link.sign, part)
            }
        };
        simd.store(out, part, simd.load(&spins[at], part) ^ vote);
    }
}

/// Adds up the counts of the sites that share a block.
fn per_replica(counts: &[u64; BITS], words: usize) -> Vec<u64> {
    let replicas = 64 * words;
    (0..replicas).map(|replica| counts[replica..].iter().step_by(replicas).sum()).collect()
}

/// Moves the replica `r + distance` of every site to the place of replica `r`, for sites of `words` words.
fn shifted_down(block: &Block, distance: usize, words: usize) -> Block {
    let (skip, shift) = (distance / 64, distance % 64);
    let word = |site: usize, k: usize| if k < words { block.0[site + k] } else { 0 };
    Block(std::array::from_fn(|at: usize| {
        let (site, k) = (at / words * words, at % words);
        debug_assert!(site + k < WORDS);
        let low = word(site, k + skip);
        if shift == 0 { low } else { low >> shift | word(site, k + skip + 1) << (64 - shift) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_move_within_their_site() {
        let block = Block([1 << 63, 0b110, 7, 8, 1, 1, u64::MAX, 0]);
        assert_eq!(shifted_down(&block, 0, 2), block);
        let moved = shifted_down(&block, 1, 2);
        assert_eq!(moved, Block([1 << 62, 3, 3, 4, 1 << 63, 0, u64::MAX >> 1, 0]));
        assert_eq!(shifted_down(&block, 64, 2), Block([6, 0, 8, 0, 1, 0, 0, 0]));
        assert_eq!(shifted_down(&block, 65, 4).0[..4], [3 | 1 << 63, 3, 4, 0]);
        for bit in 0..BITS {
            for distance in [1, 63, 64, 100, 511] {
                let mut block = Block::ZERO;
                block.set_bit(bit, true);
                let moved = shifted_down(&block, distance, WORDS);
                assert_eq!(moved.count_ones(), u32::from(bit >= distance));
                assert!(bit < distance || moved.bit(bit - distance));
            }
        }
    }
}
