//! Which unit of a conditional network sees which.

use linalg_core::checkpoint::ContentHash;

use crate::error::check_positive;
use crate::{Error, Result};

/// Site `to` of a layer sees site `from` of the layer below, by the weights of the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SiteLink {
    /// The site that sees.
    pub to: usize,
    /// The site that is seen.
    pub from: usize,
    /// Links of one class share their weights, as in a convolution; the sites seen must have equally many inputs.
    pub class: usize,
}

/// What a bit sees beyond the numbers that all see.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BitView {
    /// Sites of the context.
    pub sites: Vec<usize>,
    /// Earlier bits.
    pub bits: Vec<usize>,
}

/// The shape of a [`Conditional`](super::Conditional) network.
///
/// The context lies on sites. Its layers hold `channels` units a site; site i sees the sites that links name. The bits come
/// one after the other; each has `width` units in each of its layers and sees the last context layer at some sites, and
/// some of the bits before it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ConditionalShape {
    /// Bits of the context at every site; none for a distribution without context.
    pub sites: Vec<usize>,
    /// Real numbers that every site and every bit sees, such as a parameter of the distribution; default 0.
    pub globals: usize,
    /// Who sees whom between the layers of the context.
    pub links: Vec<SiteLink>,
    /// Units of a site; default 64.
    pub channels: usize,
    /// Layers of the context; default 3.
    pub context_depth: usize,
    /// What every bit sees.
    pub bits: Vec<BitView>,
    /// Units of a bit; default 16.
    pub width: usize,
    /// Hidden layers of the bits; default 1.
    pub depth: usize,
}

impl ConditionalShape {
    /// A shape on sites and links, with bits that see what is given.
    pub fn local(sites: Vec<usize>, links: Vec<SiteLink>, bits: Vec<BitView>) -> Self {
        Self { sites, globals: 0, links, channels: 64, context_depth: 3, bits, width: 16, depth: 1 }
    }

    /// Everything sees everything: one site with all bits of the context, every bit sees all before it.
    ///
    /// ```
    /// use variational::autoregressive::ConditionalShape;
    ///
    /// let shape = ConditionalShape::dense(4, 2).channels(32, 2);
    /// assert_eq!((shape.sites, shape.bits[1].bits.clone()), (vec![4], vec![0]));
    /// ```
    pub fn dense(n_context: usize, n_bits: usize) -> Self {
        let sites = if n_context > 0 { vec![n_context] } else { Vec::new() };
        let all: Vec<usize> = (0..sites.len()).collect();
        let links = all.iter().map(|&i| SiteLink { to: i, from: i, class: 0 }).collect();
        let bits = (0..n_bits).map(|j| BitView { sites: all.clone(), bits: (0..j).collect() }).collect();
        Self::local(sites, links, bits)
    }

    /// Sets units of a site and layers of the context.
    pub fn channels(mut self, channels: usize, depth: usize) -> Self {
        (self.channels, self.context_depth) = (channels, depth);
        self
    }

    /// Sets units of a bit and hidden layers of the bits.
    pub fn width(mut self, width: usize, depth: usize) -> Self {
        (self.width, self.depth) = (width, depth);
        self
    }

    /// Sets how many numbers all units see.
    pub fn globals(mut self, globals: usize) -> Self {
        self.globals = globals;
        self
    }

    /// Bits of the context.
    pub fn n_context(&self) -> usize {
        self.sites.iter().sum()
    }

    /// Number of bits.
    pub fn n_bits(&self) -> usize {
        self.bits.len()
    }

    pub(super) fn validate(&self) -> Result<()> {
        check_positive("number of bits", self.bits.len())?;
        check_positive("width", self.width)?;
        check_positive("depth", self.depth)?;
        let wrong = |what, value: usize, expected| Err(Error::Parameter { what, value: value.to_string(), expected });
        let n = self.sites.len();
        if n > 0 {
            check_positive("channels", self.channels)?;
            check_positive("context depth", self.context_depth)?;
        }
        let mut widths = std::collections::BTreeMap::new();
        for link in &self.links {
            if link.to.max(link.from) >= n {
                return wrong("site of a link", link.to.max(link.from), "a site of the context");
            }
            if *widths.entry(link.class).or_insert(self.sites[link.from]) != self.sites[link.from] {
                return wrong("class of a link", link.class, "sites with equally many bits in a class");
            }
        }
        for (j, view) in self.bits.iter().enumerate() {
            if let Some(&site) = view.sites.iter().find(|&&site| site >= n) {
                return wrong("site that a bit sees", site, "a site of the context");
            }
            if let Some(&bit) = view.bits.iter().find(|&&bit| bit >= j) {
                return wrong("bit that a bit sees", bit, "an earlier bit");
            }
        }
        Ok(())
    }

    /// A number that tells shapes apart.
    pub(super) fn content_hash(&self) -> u64 {
        let mut hash = ContentHash::new();
        hash.write_usizes(&self.sites);
        hash.write_usizes(&self.links.iter().flat_map(|l| [l.to, l.from, l.class]).collect::<Vec<_>>());
        for view in &self.bits {
            hash.write_usizes(&view.sites).write_usizes(&view.bits);
        }
        hash.finish()
    }
}

/// Sorted numbers as ranges.
pub(super) fn ranges(sorted: &[usize]) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    for &x in sorted {
        match out.last_mut() {
            Some(last) if last.end == x => last.end += 1,
            _ => out.push(x..x + 1),
        }
    }
    out
}
