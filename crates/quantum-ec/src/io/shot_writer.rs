//! Writing shots.

use std::io::Write;

use super::shot_format::{Layout, ShotFormat};
use crate::error::{Error, Result};
use crate::shots::{ShotsRef, ones, words_per_row};

/// Writes shots in one of the six formats.
///
/// ```
/// use quantum_ec::Shots;
/// use quantum_ec::io::{Layout, ShotFormat, ShotWriter};
///
/// let mut shots = Shots::zeros(2, 3);
/// shots.set(0, 0, true);
/// shots.set(0, 2, true);
/// let mut file = Vec::new();
/// let layout = Layout { detectors: 2, observables: 1, ..Layout::default() };
/// let mut writer = ShotWriter::new(&mut file, ShotFormat::Dets, layout)?;
/// writer.write(shots.view())?;
/// writer.finish()?;
/// assert_eq!(file, b"shot D0 L0\nshot\n");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug)]
pub struct ShotWriter<W> {
    writer: W,
    format: ShotFormat,
    layout: Layout,
    n_bits: usize,
    shots: u64,
    /// The bytes of one row.
    row: Vec<u8>,
    /// A word for every bit, of the shots that do not yet make 64; `ptb64` only.
    group: Vec<u64>,
}

impl<W: Write> ShotWriter<W> {
    /// A writer of rows of this layout.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more bits than [`MAX_ROW_BITS`](super::MAX_ROW_BITS).
    pub fn new(writer: W, format: ShotFormat, layout: Layout) -> Result<Self> {
        let n_bits = layout.checked()?;
        let group = if format == ShotFormat::Ptb64 { vec![0; n_bits] } else { Vec::new() };
        Ok(Self { writer, format, layout, n_bits, shots: 0, row: Vec::new(), group })
    }

    /// Appends all rows.
    ///
    /// # Errors
    /// [`Error::Io`].
    ///
    /// # Panics
    /// If the rows have another width than the layout.
    pub fn write(&mut self, shots: ShotsRef<'_>) -> Result<()> {
        assert_eq!(shots.n_bits(), self.n_bits, "rows of {} bits for {}", shots.n_bits(), self.n_bits);
        for shot in 0..shots.n_shots() {
            self.write_row(shots.row(shot))?;
        }
        Ok(())
    }

    /// Appends one packed row.
    ///
    /// # Errors
    /// [`Error::Io`].
    ///
    /// # Panics
    /// If the row has another number of words than the layout needs.
    pub fn write_row(&mut self, words: &[u64]) -> Result<()> {
        let width = words_per_row(self.n_bits);
        assert_eq!(words.len(), width, "a row of {} words for {width}", words.len());
        self.row.clear();
        match self.format {
            ShotFormat::Bits01 => {
                self.row.resize(self.n_bits, b'0');
                ones(words).for_each(|bit| self.row[bit] = b'1');
                self.row.push(b'\n');
            }
            ShotFormat::B8 => {
                self.row.extend(words.iter().flat_map(|word| word.to_le_bytes()));
                self.row.truncate(self.n_bits.div_ceil(8));
            }
            ShotFormat::R8 => {
                let mut start = 0;
                for bit in ones(words).chain([self.n_bits]) {
                    let gap = bit - start;
                    self.row.resize(self.row.len() + gap / 255, 255);
                    self.row.push((gap % 255) as u8);
                    start = bit + 1;
                }
            }
            ShotFormat::Hits => {
                for (k, bit) in ones(words).enumerate() {
                    write!(self.row, "{}{bit}", if k == 0 { "" } else { "," })?;
                }
                self.row.push(b'\n');
            }
            ShotFormat::Dets => {
                self.row.extend_from_slice(b"shot");
                let parts = self.layout.parts();
                for bit in ones(words) {
                    let (letter, first, _) =
                        parts.into_iter().rfind(|part| part.1 <= bit && part.2 > 0).unwrap_or(parts[0]);
                    write!(self.row, " {}{}", char::from(letter), bit - first)?;
                }
                self.row.push(b'\n');
            }
            ShotFormat::Ptb64 => {
                let place = self.shots % 64;
                ones(words).for_each(|bit| self.group[bit] |= 1 << place);
                if place == 63 {
                    for word in &mut self.group {
                        self.writer.write_all(&word.to_le_bytes())?;
                        *word = 0;
                    }
                }
            }
        }
        self.writer.write_all(&self.row)?;
        self.shots += 1;
        Ok(())
    }

    /// Number of shots written so far.
    pub fn n_shots(&self) -> u64 {
        self.shots
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for `ptb64` if the number of shots is not a multiple of 64: the last ones cannot be written;
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<W> {
        self.writer.flush()?;
        let left = self.shots % 64;
        if self.format == ShotFormat::Ptb64 && left != 0 {
            return Err(Error::WrongLength {
                what: "shots for ptb64, which holds multiples of 64",
                got: self.shots as usize,
                expected: (self.shots - left + 64) as usize,
            });
        }
        Ok(self.writer)
    }
}
