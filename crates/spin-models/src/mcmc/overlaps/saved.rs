//! Overlaps in checkpoints.

use linalg_core::Error as CoreError;
use linalg_core::checkpoint::{Checkpoint, Reader, Writer};
use linalg_core::stats::Binning;

use super::chain::Chain;
use super::histogram::{Bins, ROWS};
use super::links::Links;
use super::{Overlaps, WaveVectors};
use crate::Result;
use crate::mcmc::observables::{Blocks, Read, SignBlocks, counted, invalid, read_lane, read_units};

const KIND: &str = "overlaps 2";

impl Overlaps {
    /// Everything measured, as bytes; [`from_checkpoint`](Self::from_checkpoint) takes it back bit for bit.
    ///
    /// ```
    /// use spin_models::mcmc::Overlaps;
    ///
    /// let mut overlaps = Overlaps::new(2, 1).with_links([(0, 1)]).with_histogram(3);
    /// overlaps.record(0, &[1, 1], &[1, -1]);
    /// assert_eq!(Overlaps::from_checkpoint(&overlaps.checkpoint())?, overlaps);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    pub fn checkpoint(&self) -> Checkpoint {
        let mut out = Writer::new();
        let edges: Vec<u64> = self.links.edges().iter().map(|&(i, j)| u64::from(i) << 32 | u64::from(j)).collect();
        let units: Vec<u64> = self.units.ranges().iter().flat_map(|&(a, b)| [a, b]).collect();
        out.write_usize(self.n_spins).write_u64s(&edges).write_u64s(&units);
        out.write_usize(self.bins.map_or(0, |bins| bins.count));
        out.write_usize(self.waves.as_ref().map_or(0, WaveVectors::len));
        if let Some(waves) = &self.waves {
            out.write_f64(waves.lattice_momentum()).write_f64(waves.length());
            waves.phases().for_each(|phases| {
                out.write_f64s(phases);
            });
        }
        out.write_usize(self.lanes.len());
        for lane in &self.lanes {
            for chains in [&lane.measured, &lane.merged] {
                out.write_usize(chains.len());
                chains.iter().for_each(|chain| write_chain(chain, &mut out));
            }
        }
        Checkpoint::new(KIND, self.problem, out)
    }

    /// Reads what [`checkpoint`](Self::checkpoint) wrote.
    ///
    /// # Errors
    /// [`Error::Numerics`](crate::Error::Numerics) with a
    /// [`CheckpointError`](linalg_core::checkpoint::CheckpointError) for anything else.
    pub fn from_checkpoint(from: &Checkpoint) -> Result<Self> {
        Ok(read_overlaps(from).map_err(CoreError::from)?)
    }
}

fn read_overlaps(from: &Checkpoint) -> Read<Overlaps> {
    let mut reader = from.open(KIND, from.problem)?;
    let at = reader.position();
    let n_spins = reader.read_usize()?;
    let edges: Vec<(usize, usize)> =
        reader.read_u64s()?.into_iter().map(|pair| ((pair >> 32) as usize, pair as u32 as usize)).collect();
    // Memory for the bits of all spins is asked for below: no more spins than a model can have.
    let sites = n_spins > 0 && n_spins <= u32::MAX as usize;
    if !sites || edges.iter().any(|&(i, j)| i.max(j) >= n_spins || i == j) {
        return invalid("number of spins or links", at);
    }
    let units = read_units(&mut reader, at)?;
    let count = reader.read_usize()?;
    let bins = (count > 0).then(|| Bins::new(n_spins, count));
    if bins.is_some_and(|bins| bins.count != count || count > reader.remaining()) {
        return invalid("number of bins", at);
    }
    let waves = read_waves(n_spins, &mut reader)?;
    let mut lanes = Vec::new();
    for _ in 0..counted(&mut reader, "number of lanes")? {
        lanes.push(read_lane(&mut reader, |reader| read_chain(reader, bins))?);
    }
    reader.finish()?;
    let links = Links::new(n_spins, edges);
    Ok(Overlaps { n_spins, problem: from.problem, units, links, waves, bins, lanes })
}

fn read_waves(n_spins: usize, reader: &mut Reader<'_>) -> Read<Option<WaveVectors>> {
    let at = reader.position();
    let count = counted(reader, "number of wave vectors")?;
    if count == 0 {
        return Ok(None);
    }
    let (momentum, length) = (reader.read_f64()?, reader.read_f64()?);
    let phases: Read<Vec<Vec<f64>>> = (0..count).map(|_| reader.read_f64s()).collect();
    match WaveVectors::new(momentum, length, phases?) {
        Ok(waves) if waves.n_sites() == n_spins => Ok(Some(waves)),
        _ => invalid("wave vectors", at),
    }
}

fn write_chain(chain: &Chain, out: &mut Writer) {
    out.write_u64(chain.blocks.length);
    for binning in [&chain.q, &chain.q2, &chain.link] {
        binning.write(out);
    }
    chain.blocks.write(out);
    if let Some(histogram) = &chain.histogram {
        histogram.write(out);
    }
}

fn read_chain(reader: &mut Reader<'_>, bins: Option<Bins>) -> Read<Chain> {
    let at = reader.position();
    let length = reader.read_count()?;
    let (q, q2, link) = (Binning::read(reader)?, Binning::read(reader)?, Binning::read(reader)?);
    let blocks = Blocks::read(length, [&q, &q2, &link].map(Binning::count), at, reader)?;
    let histogram = bins.map(|bins| SignBlocks::read(bins.count, ROWS, q.count(), reader)).transpose()?;
    Ok(Chain { q, q2, link, blocks, histogram })
}
