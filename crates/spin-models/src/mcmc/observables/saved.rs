//! Averages in checkpoints.

use linalg_core::Error as CoreError;
use linalg_core::checkpoint::{Checkpoint, CheckpointError, Reader, Writer};
use linalg_core::merge::{Merge, Units};
use linalg_core::stats::Binning;

use super::blocks::{Block, Blocks, MOST_BLOCKS};
use super::series::{PAIR_ROWS, SITE_ROWS, Series};
use super::signs::SignBlocks;
use super::{Chains, Observables};
use crate::Result;

const KIND: &str = "observables 2";

pub(in crate::mcmc) type Read<T> = std::result::Result<T, CheckpointError>;

pub(in crate::mcmc) fn invalid<T>(what: &'static str, at: usize) -> Read<T> {
    Err(CheckpointError::Invalid { what, at })
}

impl Observables {
    /// Everything measured, as bytes; [`from_checkpoint`](Self::from_checkpoint) takes it back bit for bit.
    ///
    /// ```
    /// use spin_models::mcmc::Observables;
    ///
    /// let mut averages = Observables::new(2, 1).with_sites();
    /// averages.record(0, -1.0, &[1, 1]);
    /// assert_eq!(Observables::from_checkpoint(&averages.checkpoint())?, averages);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        out.write_usize(self.n_spins).write_bool(self.with_sites);
        let pairs: Vec<u64> = self.pairs.iter().map(|&(i, j)| u64::from(i) << 32 | u64::from(j)).collect();
        let units: Vec<u64> = self.units.ranges().iter().flat_map(|&(a, b)| [a, b]).collect();
        out.write_u64s(&pairs).write_u64s(&units).write_usize(self.lanes.len());
        for lane in &self.lanes {
            for chains in [&lane.measured, &lane.merged] {
                out.write_usize(chains.len());
                chains.iter().for_each(|chain| write_series(chain, &mut out));
            }
        }
        Checkpoint::new(KIND, self.problem, out)
    }

    /// Reads what [`checkpoint`](Self::checkpoint) wrote.
    ///
    /// # Errors
    /// [`Error::Numerics`](crate::Error::Numerics) with a [`CheckpointError`] for anything else.
    pub fn from_checkpoint(from: &Checkpoint) -> Result<Self> {
        Ok(read_observables(from).map_err(CoreError::from)?)
    }
}

fn read_observables(from: &Checkpoint) -> Read<Observables> {
    let mut reader = from.open(KIND, from.problem)?;
    let at = reader.position();
    let (n_spins, with_sites) = (reader.read_usize()?, reader.read_bool()?);
    let pairs: Vec<(u32, u32)> =
        reader.read_u64s()?.into_iter().map(|pair| ((pair >> 32) as u32, pair as u32)).collect();
    if pairs.iter().any(|&(i, j)| i.max(j) as usize >= n_spins) {
        return invalid("pair", at);
    }
    let units = read_units(&mut reader, at)?;
    let n_sites = with_sites.then_some(n_spins);
    let n_pairs = (!pairs.is_empty()).then_some(pairs.len());
    let mut lanes = Vec::new();
    for _ in 0..counted(&mut reader, "number of lanes")? {
        lanes.push(read_lane(&mut reader, |reader| read_series(reader, n_sites, n_pairs))?);
    }
    reader.finish()?;
    Ok(Observables { n_spins, problem: from.problem, units, with_sites, pairs, lanes })
}

/// The chains of a lane: those measured, one at least, then those merged in.
pub(in crate::mcmc) fn read_lane<C>(
    reader: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Read<C>,
) -> Read<Chains<C>> {
    let chains = |reader: &mut Reader<'_>| -> Read<Vec<C>> {
        (0..counted(reader, "number of chains")?).map(|_| read(reader)).collect()
    };
    let (measured, merged) = (chains(reader)?, chains(reader)?);
    if measured.is_empty() {
        return invalid("number of chains", reader.position());
    }
    Ok(Chains { measured, merged })
}

/// Ranges of work units.
pub(in crate::mcmc) fn read_units(reader: &mut Reader<'_>, at: usize) -> Read<Units> {
    let mut units = Units::new();
    for range in reader.read_u64s()?.chunks(2) {
        let &[a, b] = range else { return invalid("units", at) };
        if a >= b || units.merge(&Units::range(a..b)).is_err() {
            return invalid("units", at);
        }
    }
    Ok(units)
}

/// A number of items of at least 8 bytes each, no more than can follow.
pub(in crate::mcmc) fn counted(reader: &mut Reader<'_>, what: &'static str) -> Read<usize> {
    let at = reader.position();
    let count = reader.read_usize()?;
    if count > reader.remaining() / 8 { invalid(what, at) } else { Ok(count) }
}

fn write_series(series: &Series, out: &mut Writer) {
    out.write_f64(series.reference).write_u64(series.blocks.length);
    for binning in [&series.energy, &series.magnetization, &series.abs_magnetization] {
        binning.write(out);
    }
    series.blocks.write(out);
    for signs in [&series.sites, &series.pairs].into_iter().flatten() {
        signs.write(out);
    }
}

fn read_series(reader: &mut Reader<'_>, n_sites: Option<usize>, n_pairs: Option<usize>) -> Read<Series> {
    let at = reader.position();
    let mut series = Series::new(None, None);
    series.reference = reader.read_f64()?;
    let length = reader.read_count()?;
    series.energy = Binning::read(reader)?;
    series.magnetization = Binning::read(reader)?;
    series.abs_magnetization = Binning::read(reader)?;
    let counts = [&series.energy, &series.magnetization, &series.abs_magnetization].map(Binning::count);
    series.blocks = Blocks::read(length, counts, at, reader)?;
    series.sites = n_sites.map(|width| SignBlocks::read(width, SITE_ROWS, counts[0], reader)).transpose()?;
    series.pairs = n_pairs.map(|width| SignBlocks::read(width, PAIR_ROWS, counts[0], reader)).transpose()?;
    Ok(series)
}

impl Blocks {
    /// Writes all but the length of a block.
    pub(in crate::mcmc) fn write(&self, out: &mut Writer) {
        out.write_usize(self.complete.len());
        for block in self.complete.iter().chain([&self.current]) {
            out.write_u64(block.count).write_f64s(&block.sums);
        }
    }

    /// Reads blocks of `length` measurements, of which all `counts` must agree on the number. `at`: where the chain begins.
    pub(in crate::mcmc) fn read(length: u64, counts: [u64; 3], at: usize, reader: &mut Reader<'_>) -> Read<Self> {
        let n_blocks = reader.read_usize()?;
        if n_blocks >= MOST_BLOCKS {
            return invalid("number of blocks", at);
        }
        let read_block = |reader: &mut Reader<'_>| {
            let mut block = Block { count: reader.read_count()?, ..Block::default() };
            reader.read_f64s_into(&mut block.sums)?;
            Ok(block)
        };
        let complete = (0..n_blocks).map(|_| read_block(reader)).collect::<Read<Vec<Block>>>()?;
        let current = read_block(reader)?;
        let whole = complete.iter().all(|block| block.count == length);
        let count = (n_blocks as u64).checked_mul(length).and_then(|n| n.checked_add(current.count));
        if !whole || current.count >= length || counts.iter().any(|&n| Some(n) != count) {
            return invalid("number of measurements", at);
        }
        Ok(Self { complete, length, current })
    }
}

impl SignBlocks {
    pub(in crate::mcmc) fn write(&self, out: &mut Writer) {
        let bytes = |sums: &[i32]| sums.iter().flat_map(|sum| sum.to_le_bytes()).collect::<Vec<u8>>();
        out.write_u64(self.block_length).write_u64(self.filled);
        out.write_u8s(&bytes(&self.rows)).write_u8s(&bytes(&self.current));
    }

    /// Reads the sums of a chain of `count` measurements. The width comes from the file: nothing is allocated by it.
    pub(in crate::mcmc) fn read(width: usize, most_rows: usize, count: u64, reader: &mut Reader<'_>) -> Read<Self> {
        let at = reader.position();
        let (block_length, filled) = (reader.read_count()?, reader.read_count()?);
        let sums = |bytes: Vec<u8>| -> Vec<i32> {
            let (words, _) = bytes.as_chunks::<4>();
            words.iter().map(|word| i32::from_le_bytes(*word)).collect()
        };
        let (rows, current) = (sums(reader.read_u8s()?), sums(reader.read_u8s()?));
        let n_rows = rows.len() / width.max(1);
        let held = (n_rows as u64).checked_mul(block_length).and_then(|n| n.checked_add(filled));
        let shape = current.len() == width && n_rows < most_rows && n_rows * width == rows.len();
        let bounded = |sums: &[i32], most: u64| sums.iter().all(|sum| u64::from(sum.unsigned_abs()) <= most);
        let sums = bounded(&rows, block_length) && bounded(&current, filled);
        if !shape || !sums || filled >= block_length || held != Some(count) {
            return invalid("block sums", at);
        }
        Ok(Self { width, most_rows, rows, block_length, current, filled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::rand::RngExt;

    fn measured(measurements: u32) -> Observables {
        let mut rng = Streams::new(1).stream(0);
        let mut averages = Observables::new(3, 2).with_sites().with_pairs([(0, 2), (1, 2)]).with_problem(77);
        for _ in 0..measurements {
            for lane in 0..2 {
                let s: [i8; 3] = std::array::from_fn(|_| if rng.random_bool(0.5) { 1 } else { -1 });
                averages.record(lane, rng.random::<f64>(), &s);
            }
        }
        averages
    }

    #[test]
    fn saved_averages_go_on_bit_for_bit() {
        for measurements in [0, 1, 127, 300] {
            let mut averages = measured(measurements);
            let mut other = measured(200).with_units(Units::range(4..9));
            other.merge(&averages).unwrap();
            for mut saved in [averages.clone(), other] {
                let bytes = saved.checkpoint().to_bytes();
                let mut restored = Observables::from_checkpoint(&Checkpoint::from_bytes(&bytes).unwrap()).unwrap();
                assert_eq!(saved, restored);
                for averages in [&mut saved, &mut restored] {
                    (0..500).for_each(|k| averages.record(0, f64::from(k), &[1, -1, 1]));
                }
                assert_eq!(saved, restored);
            }
            averages.clear();
        }
    }

    #[test]
    fn damaged_payloads_are_refused() {
        let saved = measured(70).checkpoint();
        for end in 0..saved.payload.len() {
            let cut = Checkpoint { payload: saved.payload[..end].to_vec(), ..saved.clone() };
            assert!(Observables::from_checkpoint(&cut).is_err(), "cut at {end}");
        }
        // Changed bytes may give other averages, but no panic in reading, recording or evaluating.
        for position in 0..saved.payload.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = saved.clone();
                changed.payload[position] = value;
                if let Ok(mut averages) = Observables::from_checkpoint(&changed)
                    && averages.n_spins() < 1000
                {
                    (0..averages.n_lanes()).for_each(|lane| averages.record(lane, 1.0, &vec![1; averages.n_spins()]));
                    let _ = (averages.specific_heat(1.0), averages.magnetizations(), averages.correlations());
                    let _ = averages.equilibrated();
                }
            }
        }
        assert!(Observables::from_checkpoint(&Checkpoint { kind: "chain 1".into(), ..saved }).is_err());
    }
}
