//! A model laid out for packed updates: sites in sets of non-neighbours, neighbours as positions.

use std::collections::BTreeMap;
use std::ops::Range;

use super::simd::{Block, WORDS};
use super::units::IntegerModel;
use crate::{Error, Result};

/// Sites that are updated with the same kernel and have no coupling with each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    /// Blocks of these sites.
    pub(super) blocks: Range<usize>,
    /// Links of a site: couplings and fields, each as often as its absolute value says.
    pub(super) degree: usize,
    /// The last links of a site, which are its field.
    pub(super) fields: usize,
    /// Whether the couplings of these sites are to be counted: of one of two colours, or of all sites, which counts
    /// every coupling at both ends.
    pub(super) counts: bool,
    /// Where the links begin.
    pub(super) links: usize,
    /// Words of the last block that belong to sites.
    pub(super) last: Block,
}

/// Where the neighbours of a block are: word `k` of the vote is word `index[k]` of the spins, inverted by `sign`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub(super) index: [u32; WORDS],
    pub(super) sign: Block,
}

/// How many 64-bit words a site has, and who its neighbours are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Links {
    /// Eight words a site: one block. A link is twice the position of the neighbour, plus 1 if the coupling is negative.
    Wide(Vec<u32>),
    /// Fewer words: several sites share a block.
    Narrow(Vec<Link>),
}

/// The layout.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packing {
    pub(super) model: IntegerModel,
    /// 64-bit words of a site: 1, 2, 4 or 8.
    pub(super) words: usize,
    /// The position of every site; site p has the words `words * p ..` of all blocks.
    pub(super) positions: Vec<u32>,
    pub(super) segments: Vec<Segment>,
    pub(super) links: Links,
    /// Whether two sets of non-neighbours suffice.
    pub(super) bipartite: bool,
    /// Blocks of spins. One more block follows them, whose spins are up for ever.
    pub(super) n_blocks: usize,
}

impl Packing {
    /// # Errors
    /// [`Error::TooLarge`] for more positions than fit in 31 bits.
    pub(super) fn new(model: IntegerModel, words: usize, solver: &'static str) -> Result<Self> {
        let n = model.n_spins;
        let bound = (1 << 31) / WORDS - 1;
        if n > bound {
            return Err(Error::TooLarge { solver, what: "number of spins", value: n, bound });
        }
        let neighbors = Neighbors::of(&model);
        let (colors, bipartite) = neighbors.colors();
        let mut sets: BTreeMap<(u32, usize, usize), Vec<u32>> = BTreeMap::new();
        for (site, &color) in colors.iter().enumerate() {
            let fields = model.fields[site].unsigned_abs() as usize;
            let degree = neighbors.row(site).len() + fields;
            sets.entry((color, fields, degree)).or_default().push(site as u32);
        }
        let per_block = WORDS / words;
        let mut positions = vec![0; n];
        let mut segments: Vec<Segment> = Vec::with_capacity(sets.len());
        let (mut block, mut links) = (0, 0);
        for (&(color, fields, degree), sites) in &sets {
            for (k, &site) in sites.iter().enumerate() {
                positions[site as usize] = (block * per_block + k) as u32;
            }
            let end = block + sites.len().div_ceil(per_block);
            let filled = (sites.len() - 1) % per_block + 1;
            let last = Block(std::array::from_fn(|word| if word < filled * words { !0 } else { 0 }));
            let counts = !bipartite || color == 0;
            segments.push(Segment { blocks: block..end, degree, fields, counts, links, last });
            links += (end - block) * degree;
            block = end;
        }
        let mut packing =
            Self { model, words, positions, segments, links: Links::Wide(Vec::new()), bipartite, n_blocks: block };
        let ordered: Vec<&[u32]> = sets.values().map(|sites| sites.as_slice()).collect();
        packing.links = packing.link(&neighbors, &ordered);
        Ok(packing)
    }

    /// The links of all sites, `segments` of them, in order of position.
    fn link(&self, neighbors: &Neighbors, segments: &[&[u32]]) -> Links {
        let per_block = WORDS / self.words;
        // What never changes: the position after the last one.
        let up = (self.n_blocks * per_block) as u32;
        // (position, negative) of link k of a site.
        let link = |site: usize, k: usize| match neighbors.row(site).get(k) {
            Some(link) => {
                let (.., coupling) = self.model.couplings[link.coupling as usize];
                (self.positions[link.site as usize], coupling < 0)
            }
            None => (up, self.model.fields[site] < 0),
        };
        if self.words == WORDS {
            let mut links =
                Vec::with_capacity(segments.iter().zip(&self.segments).map(|(s, t)| s.len() * t.degree).sum());
            for (sites, segment) in segments.iter().zip(&self.segments) {
                for &site in *sites {
                    links.extend((0..segment.degree).map(|k| {
                        let (position, negative) = link(site as usize, k);
                        2 * position + u32::from(negative)
                    }));
                }
            }
            return Links::Wide(links);
        }
        let mut links = Vec::new();
        for (sites, segment) in segments.iter().zip(&self.segments) {
            for group in sites.chunks(per_block) {
                for k in 0..segment.degree {
                    let mut entry = Link { index: [0; WORDS], sign: Block::ZERO };
                    for word in 0..WORDS {
                        let (position, negative) =
                            group.get(word / self.words).map_or((up, false), |&site| link(site as usize, k));
                        entry.index[word] = position * self.words as u32 + (word % self.words) as u32;
                        entry.sign.0[word] = u64::from(negative).wrapping_neg();
                    }
                    links.push(entry);
                }
            }
        }
        Links::Narrow(links)
    }

    /// The links of [`Links::Wide`] as position of the neighbour and number of the interaction: couplings first, then the
    /// fields of all sites.
    pub(super) fn interactions(&self) -> Vec<(u32, u32)> {
        let mut sites = vec![u32::MAX; self.n_blocks];
        for (site, &position) in self.positions.iter().enumerate() {
            sites[position as usize] = site as u32;
        }
        let neighbors = Neighbors::of(&self.model);
        let mut links = Vec::new();
        for segment in &self.segments {
            for &site in &sites[segment.blocks.clone()] {
                let row = neighbors.row(site as usize);
                links.extend(row.iter().map(|link| (self.positions[link.site as usize], link.coupling)));
                let field = (self.n_blocks as u32, self.model.couplings.len() as u32 + site);
                links.extend(std::iter::repeat_n(field, segment.fields));
            }
        }
        links
    }

    /// Bytes of the links and positions.
    pub(super) fn bytes(model: &IntegerModel, words: usize) -> u128 {
        let ends: u128 = model.couplings.iter().map(|&(_, _, j)| 2 * u128::from(j.unsigned_abs())).sum();
        let links = ends + model.fields.iter().map(|&h| u128::from(h.unsigned_abs())).sum::<u128>();
        let per_link = if words == WORDS { 4 } else { (size_of::<Link>() * words / WORDS) as u128 };
        links * (per_link + 8) + 16 * model.n_spins as u128
    }

    /// Largest degree of a site.
    pub(super) fn max_degree(&self) -> usize {
        self.segments.iter().map(|segment| segment.degree).max().unwrap_or(0)
    }

    /// How often [`Segment::counts`] makes every coupling count.
    pub(super) fn ends(&self) -> u64 {
        if self.bipartite { 1 } else { 2 }
    }

    /// Block and word in which replica word `word` of a site lies.
    pub(super) fn place(&self, site: usize, word: usize) -> (usize, usize) {
        let index = self.positions[site] as usize * self.words + word;
        (index / WORDS, index % WORDS)
    }
}

/// The neighbours of every site; a coupling of k units is there k times.
struct Neighbors {
    starts: Vec<usize>,
    entries: Vec<Neighbor>,
}

#[derive(Clone, Copy)]
struct Neighbor {
    site: u32,
    /// Number of the coupling.
    coupling: u32,
}

impl Neighbors {
    fn of(model: &IntegerModel) -> Self {
        let mut starts = vec![0; model.n_spins + 1];
        for &(i, j, coupling) in &model.couplings {
            starts[i as usize + 1] += coupling.unsigned_abs() as usize;
            starts[j as usize + 1] += coupling.unsigned_abs() as usize;
        }
        for i in 0..model.n_spins {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut entries = vec![Neighbor { site: 0, coupling: 0 }; starts[model.n_spins]];
        for (entry, &(i, j, coupling)) in model.couplings.iter().enumerate() {
            for (here, there) in [(i, j), (j, i)] {
                let count = coupling.unsigned_abs() as usize;
                let place = &mut next[here as usize];
                entries[*place..*place + count].fill(Neighbor { site: there, coupling: entry as u32 });
                *place += count;
            }
        }
        Self { starts, entries }
    }

    fn row(&self, site: usize) -> &[Neighbor] {
        &self.entries[self.starts[site]..self.starts[site + 1]]
    }

    /// A colour for every site, other than those of its neighbours, and whether two sufficed: by a search of the graph
    /// where possible, else the smallest colour that is free, site by site.
    fn colors(&self) -> (Vec<u32>, bool) {
        if let Some(colors) = self.two_colors() {
            return (colors, true);
        }
        let n = self.starts.len() - 1;
        let mut colors = vec![u32::MAX; n];
        for site in 0..n {
            let mut taken = 0u32;
            for &Neighbor { site: neighbor, .. } in self.row(site) {
                if colors[neighbor as usize] != u32::MAX {
                    taken |= 1 << colors[neighbor as usize];
                }
            }
            // At most 16 neighbours: a colour below 17 is free.
            colors[site] = taken.trailing_ones();
        }
        (colors, false)
    }

    fn two_colors(&self) -> Option<Vec<u32>> {
        let n = self.starts.len() - 1;
        let mut colors = vec![u32::MAX; n];
        let mut queue = Vec::new();
        for start in 0..n {
            if colors[start] != u32::MAX {
                continue;
            }
            colors[start] = 0;
            queue.push(start);
            while let Some(site) = queue.pop() {
                let own = colors[site];
                for &Neighbor { site: neighbor, .. } in self.row(site) {
                    let color = &mut colors[neighbor as usize];
                    if *color == u32::MAX {
                        *color = 1 - own;
                        queue.push(neighbor as usize);
                    } else if *color == own {
                        return None;
                    }
                }
            }
        }
        Some(colors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Ising};

    fn packed(model: &Ising, words: usize) -> Packing {
        Packing::new(IntegerModel::new(model, "test").unwrap(), words, "test").unwrap()
    }

    /// Neighbour word, sign and number of times, of the word `word` of every site, from the links.
    fn links_of(packing: &Packing, site: usize, word: usize) -> Vec<(u32, bool)> {
        let (block, at) = packing.place(site, word);
        let segment = packing.segments.iter().find(|segment| segment.blocks.contains(&block)).unwrap();
        let first = segment.links + (block - segment.blocks.start) * segment.degree;
        let link = |k: usize| match &packing.links {
            Links::Wide(links) => (links[first + k] / 2 * 8 + at as u32, links[first + k] % 2 == 1),
            Links::Narrow(links) => (links[first + k].index[at], links[first + k].sign.0[at] != 0),
        };
        (0..segment.degree).map(link).collect()
    }

    #[test]
    fn links_lead_to_the_neighbours() {
        let lattice = Ising::square(5, Boundary::Periodic, -1.0).unwrap();
        let glass = Ising::builder(7)
            .couplings([(0, 1, 1.0), (1, 2, -2.0), (0, 2, 1.0), (3, 4, -1.0), (5, 3, 0.0)])
            .fields([0.0, -3.0, 0.0, 1.0, 0.0, 0.0, 0.0])
            .build()
            .unwrap();
        for model in [&lattice, &glass] {
            for words in [1, 2, 4, 8] {
                let packing = packed(model, words);
                let up = (packing.n_blocks * WORDS) as u32;
                for site in 0..packing.model.n_spins {
                    for word in 0..words {
                        let mut expected = Vec::new();
                        for &(i, j, coupling) in &packing.model.couplings {
                            for (here, there) in [(i, j), (j, i)] {
                                if here as usize == site {
                                    let (block, at) = packing.place(there as usize, word);
                                    let link = ((WORDS * block + at) as u32, coupling < 0);
                                    expected.extend(std::iter::repeat_n(link, coupling.unsigned_abs() as usize));
                                }
                            }
                        }
                        let field = packing.model.fields[site];
                        let link = (up + word as u32, field < 0);
                        expected.extend(std::iter::repeat_n(link, field.unsigned_abs() as usize));
                        let mut found = links_of(&packing, site, word);
                        found.sort_unstable();
                        expected.sort_unstable();
                        assert_eq!(found, expected, "site {site}, word {word} of {words}");
                    }
                }
            }
        }
    }

    #[test]
    fn segments_have_no_inner_couplings_and_cover_all_blocks() {
        let triangular = Ising::triangular(6, Boundary::Periodic, 1.0).unwrap();
        let square = Ising::square(4, Boundary::Free, 1.0).unwrap();
        for (model, bipartite, words) in [(&triangular, false, 8), (&square, true, 8), (&square, true, 1)] {
            let packing = packed(model, words);
            assert_eq!(packing.bipartite, bipartite);
            let segment_of = |site: u32| {
                let (block, _) = packing.place(site as usize, 0);
                packing.segments.iter().position(|segment| segment.blocks.contains(&block)).unwrap()
            };
            for &(i, j, _) in &packing.model.couplings {
                assert_ne!(segment_of(i), segment_of(j));
            }
            let mut end = 0;
            for segment in &packing.segments {
                assert_eq!(segment.blocks.start, end);
                end = segment.blocks.end;
            }
            assert_eq!(end, packing.n_blocks);
        }
    }
}
