//! Many chains of a binary machine.

use linalg_core::Streams;

use crate::fast::shard::{Leave, Shard, sample_hidden, sample_visible};
use crate::fast::{BitRows, PackedRbm, SHARD};
use crate::{Error, Result};
use linalg_core::simd::{Work, widest};
use linalg_core::threads;

/// Block Gibbs chains of a machine with 0/1 units, 16 to a shard; shard k draws from stream k.
///
/// Cost: a sum of the rows of the weights that belong to ones, twice a sweep.
///
/// ```
/// use boltzmann::units::Bernoulli;
/// use boltzmann::{GibbsChains, PackedRbm, Rbm};
/// use linalg_core::Streams;
///
/// // A free unit with probability 3/4 of being 1.
/// let rbm = Rbm::new(Bernoulli, Bernoulli, vec![0.0], vec![3f64.ln()], vec![0.0])?;
/// let machine = PackedRbm::new(&rbm)?;
/// let mut chains = GibbsChains::new(&machine, 1000, Streams::new(1))?;
/// chains.advance(&machine, 10, 1);
/// let ones = chains.visible().count_ones() as f64 / 1000.0;
/// assert!((ones - 0.75).abs() < 0.06); // 4.4 standard deviations
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GibbsChains {
    shards: Vec<Shard>,
    n_visible: usize,
}

impl GibbsChains {
    /// `n` chains that start with all units 0.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no chain.
    pub fn new(machine: &PackedRbm, n: usize, streams: Streams) -> Result<Self> {
        if n == 0 {
            return Err(Error::Parameter { what: "number of chains", value: "0".to_owned(), expected: "1 or more" });
        }
        let shard = |k: usize| Shard::new(machine, SHARD.min(n - k * SHARD), &mut streams.stream(k as u64));
        Ok(Self { shards: (0..n.div_ceil(SHARD)).map(shard).collect(), n_visible: machine.n_visible() })
    }

    /// Chains that start at rows of data, one each.
    ///
    /// # Errors
    /// [`Error::WrongLength`] if the rows do not fit the machine.
    pub fn at_rows(machine: &PackedRbm, rows: &BitRows, streams: Streams) -> Result<Self> {
        crate::error::check_length("columns of the data", rows.n_columns(), machine.n_visible())?;
        let mut chains = Self::new(machine, rows.n_rows(), streams)?;
        for (k, shard) in chains.shards.iter_mut().enumerate() {
            (0..shard.n).for_each(|c| shard.set_visible(c, rows.row(k * SHARD + c)));
        }
        Ok(chains)
    }

    /// So many sweeps, hidden units then visible ones, on up to `threads` threads (0: all there are).
    ///
    /// # Panics
    /// If the machine has other sizes than the one this was made for.
    pub fn advance(&mut self, machine: &PackedRbm, sweeps: u64, threads: usize) {
        assert_eq!(machine.n_visible(), self.n_visible, "chains of {} units", self.n_visible);
        threads::for_pieces(threads::count(threads), &mut self.shards, |_, shards| {
            widest(Sweeps { machine, shards, sweeps });
        });
    }

    /// The visible units, a row for each chain.
    pub fn visible(&self) -> BitRows {
        let words = self.shards.iter().flat_map(|shard| (0..shard.n).flat_map(|c| shard.visible(c).iter().copied()));
        BitRows::from_words(words.collect(), self.n_visible)
    }
}

struct Sweeps<'a> {
    machine: &'a PackedRbm,
    shards: &'a mut [Shard],
    sweeps: u64,
}

impl Work for Sweeps<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut shards: Vec<&mut Shard> = self.shards.iter_mut().collect();
        for _ in 0..self.sweeps {
            sample_hidden(self.machine, &mut shards, Leave::Sample);
            sample_visible(self.machine, &mut shards);
        }
    }
}
