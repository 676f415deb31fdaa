//! Sums over successive stretches of a chain.

/// Complete blocks kept of a chain: from half of this number up to it.
pub(in crate::mcmc) const MOST_BLOCKS: usize = 128;

/// Sums over measurements of the six quantities that a chain averages.
pub(in crate::mcmc) type Sums = [f64; 6];

/// Measurements and their sums.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::mcmc) struct Block {
    pub count: u64,
    pub sums: Sums,
}

impl Block {
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, x)| *sum += x);
    }
}

/// Block sums of one chain: constant memory, whatever its length.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::mcmc) struct Blocks {
    /// Complete blocks of `length` measurements each, in order of time.
    pub complete: Vec<Block>,
    pub length: u64,
    /// The block that is being filled.
    pub current: Block,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { complete: Vec::new(), length: 1, current: Block::default() }
    }
}

impl Blocks {
    /// Adds a measurement.
    pub fn push(&mut self, values: Sums) {
        self.current.add(&Block { count: 1, sums: values });
        if self.current.count == self.length {
            self.complete.push(std::mem::take(&mut self.current));
            if self.complete.len() == MOST_BLOCKS {
                self.complete = coarsened(&self.complete, 2);
                self.length *= 2;
            }
        }
    }

    /// Everything measured.
    pub fn total(&self) -> Block {
        let mut total = self.current;
        self.complete.iter().for_each(|block| total.add(block));
        total
    }

    /// Blocks of at least `length` measurements, but at least four where there are as many; the last takes the rest.
    pub fn of_length(&self, length: f64) -> Vec<Block> {
        // Too long a length, or NaN, gives the coarsest blocks.
        let wanted = (length / self.length as f64).ceil().min(MOST_BLOCKS as f64) as usize;
        let factor = wanted.min(self.complete.len() / 4).max(1);
        let mut blocks = coarsened(&self.complete, factor);
        let complete = self.complete.len() / factor;
        // What does not fill a block goes to the last complete one.
        let rest = blocks.split_off(complete.min(blocks.len()));
        for part in rest.iter().chain(std::iter::once(&self.current)).filter(|part| part.count > 0) {
            match blocks.last_mut() {
                Some(last) => last.add(part),
                None => blocks.push(*part),
            }
        }
        blocks
    }
}

/// Joins `factor` successive blocks; the last may have fewer.
fn coarsened(blocks: &[Block], factor: usize) -> Vec<Block> {
    let join = |group: &[Block]| {
        let mut joined = Block::default();
        group.iter().for_each(|block| joined.add(block));
        joined
    };
    blocks.chunks(factor).map(join).collect()
}
