//! The factors of one operation, laid out for the kernels.

use super::program::{Kind, MAX_RANK, Member, Op};
use super::semiring::Semiring;

/// Entries that the kernels treat at once where the factors change from entry to entry.
pub(super) const TILE: usize = 8;
pub(super) const TILE_BITS: usize = 3;

/// Parity of the bits of an index.
const PARITY: [u8; 1 << MAX_RANK] = {
    let mut parity = [0u8; 1 << MAX_RANK];
    let mut i = 1;
    while i < parity.len() {
        parity[i] = parity[i >> 1] ^ (i & 1) as u8;
        i += 1;
    }
    parity
};

/// Sign of `pattern & mask`: 0 for +1 and 1 for -1.
#[inline]
pub(super) fn parity(pattern: usize, mask: u16) -> usize {
    PARITY[pattern & mask as usize & ((1 << MAX_RANK) - 1)] as usize
}

/// Factors by pattern, for the four values `(t, s) = (+,+), (+,-), (-,+), (-,-)`.
#[derive(Debug, Clone, Default)]
pub(super) struct Table<V> {
    pub rows: Vec<[V; 4]>,
    /// The same for [`TILE`] consecutive entries, by the pattern of their common bits; empty if not worth it.
    pub tiles: Vec<[[V; TILE]; 4]>,
    /// Pattern of the low bits of an entry.
    pub low: [u16; TILE],
}

impl<V: Copy + Default> Table<V> {
    /// Multiplies the factors of all members together: `2^rank` rows for each.
    ///
    /// `factor` gives `e^{βw}` and `e^{-βw}`. With `held`, the site that enters takes only the value of this index.
    pub(super) fn fill<S: Semiring<Value = V>>(
        &mut self,
        semiring: S,
        op: &Op,
        columns: &[u16],
        members: &[Member],
        factor: impl Fn(u32) -> [V; 2],
        held: Option<usize>,
    ) {
        self.rows.clear();
        self.rows.resize(1 << op.rank, [semiring.one(); 4]);
        for member in members {
            let f = factor(member.interaction);
            for (pattern, row) in self.rows.iter_mut().enumerate() {
                let sign = parity(pattern, member.pattern);
                let (same, opposite) = (f[sign], f[1 - sign]);
                let (across, along) = if member.with_leaving { (opposite, same) } else { (same, opposite) };
                row[0] = semiring.mul(row[0], same);
                row[1] = semiring.mul(row[1], across);
                row[2] = semiring.mul(row[2], opposite);
                row[3] = semiring.mul(row[3], along);
            }
        }
        if let Some(value) = held {
            for row in &mut self.rows {
                row[2 * (1 - value)] = semiring.zero();
                row[2 * (1 - value) + 1] = semiring.zero();
            }
        }
        self.fill_tiles(op, columns);
    }

    fn fill_tiles(&mut self, op: &Op, columns: &[u16]) {
        self.tiles.clear();
        let fixed = columns.iter().take_while(|&&column| column == 0).count();
        let run_bits = if op.kind == Kind::Replace { fixed.min(op.slot as usize) } else { fixed };
        let many = columns.len() > TILE_BITS + op.rank as usize;
        if !matches!(op.kind, Kind::Replace | Kind::Diagonal) || run_bits >= TILE_BITS || !many {
            return;
        }
        self.low = std::array::from_fn(|k| {
            (0..TILE_BITS).filter(|bit| k >> bit & 1 == 1).fold(0, |pattern, bit| pattern ^ columns[bit])
        });
        let rows = &self.rows;
        self.tiles.extend((0..rows.len()).map(|pattern| {
            std::array::from_fn(|ts| std::array::from_fn(|k| rows[pattern ^ self.low[k] as usize][ts]))
        }));
    }
}

/// The patterns of consecutive runs of `2^shift` entries.
pub(super) struct Patterns {
    pattern: u16,
    run: u32,
    /// Exclusive or of the columns up to a bit: what changes when a carry goes that far.
    prefix: [u16; 64],
}

impl Patterns {
    pub(super) fn new(columns: &[u16], shift: usize) -> Self {
        let mut prefix = [0; 64];
        let mut sum = 0;
        for (entry, &column) in prefix.iter_mut().zip(columns.get(shift..).unwrap_or(&[])) {
            sum ^= column;
            *entry = sum;
        }
        Self { pattern: 0, run: 0, prefix }
    }

    /// The pattern of this run; moves on to the next.
    #[inline(always)]
    pub(super) fn next(&mut self) -> usize {
        let pattern = self.pattern as usize;
        self.run = self.run.wrapping_add(1);
        self.pattern ^= self.prefix[(self.run.trailing_zeros() & 63) as usize];
        pattern
    }
}

/// Lowest bit on which the factors or the pairing depend: entries come in runs of two to this power.
pub(super) fn run_bits(op: &Op, columns: &[u16], block_bits: usize) -> usize {
    let fixed = columns.iter().take_while(|&&column| column == 0).count();
    match op.kind {
        Kind::Replace => fixed.min(op.slot as usize),
        Kind::Remove => op.slot as usize,
        Kind::Add | Kind::Diagonal => fixed.min(block_bits),
    }
}
