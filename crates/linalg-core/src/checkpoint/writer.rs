//! Writing a payload.

use rand_chacha::ChaCha8Rng;

use crate::rng::{ChaChaState, SplitMix64, Xoshiro256PlusPlus};

/// Appends little-endian numbers, arrays, text and generators to a payload.
///
/// Arrays and text carry their length as a 64-bit number before them. What is written in some order is read back in
/// the same order by a [`Reader`](super::Reader).
///
/// ```
/// use linalg_core::checkpoint::{Reader, Writer};
///
/// let mut writer = Writer::new();
/// writer.write_u64(12).write_f64s(&[0.5, f64::NAN]).write_str("replica");
/// let payload = writer.into_bytes();
/// assert_eq!(payload.len(), 8 + (8 + 16) + (8 + 7));
///
/// let mut reader = Reader::new(&payload);
/// assert_eq!(reader.read_u64()?, 12);
/// assert_eq!(reader.read_f64s()?[0], 0.5);
/// assert_eq!(reader.read_str()?, "replica");
/// reader.finish()?;
/// # Ok::<(), linalg_core::checkpoint::CheckpointError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty payload.
    pub fn new() -> Self {
        Self::default()
    }

    /// The payload.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn push(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends a byte.
    pub fn write_u8(&mut self, value: u8) -> &mut Self {
        self.push(&[value])
    }

    /// Appends a flag as the byte 0 or 1.
    pub fn write_bool(&mut self, value: bool) -> &mut Self {
        self.write_u8(u8::from(value))
    }

    /// Appends a 32-bit integer.
    pub fn write_u32(&mut self, value: u32) -> &mut Self {
        self.push(&value.to_le_bytes())
    }

    /// Appends a 64-bit integer.
    pub fn write_u64(&mut self, value: u64) -> &mut Self {
        self.push(&value.to_le_bytes())
    }

    /// Appends a signed 64-bit integer.
    pub fn write_i64(&mut self, value: i64) -> &mut Self {
        self.push(&value.to_le_bytes())
    }

    /// Appends an index or a length as a 64-bit integer.
    pub fn write_usize(&mut self, value: usize) -> &mut Self {
        self.write_u64(value as u64)
    }

    /// Appends the bits of a float.
    pub fn write_f64(&mut self, value: f64) -> &mut Self {
        self.push(&value.to_le_bytes())
    }

    /// Appends text.
    pub fn write_str(&mut self, text: &str) -> &mut Self {
        self.write_u8s(text.as_bytes())
    }

    /// Appends an array of bytes.
    pub fn write_u8s(&mut self, values: &[u8]) -> &mut Self {
        self.write_usize(values.len()).push(values)
    }

    /// Appends an array of signed bytes, such as ±1 spins.
    pub fn write_i8s(&mut self, values: &[i8]) -> &mut Self {
        self.write_usize(values.len());
        self.bytes.extend(values.iter().map(|x| x.cast_unsigned()));
        self
    }

    /// Appends an array of 64-bit integers.
    pub fn write_u64s(&mut self, values: &[u64]) -> &mut Self {
        self.write_usize(values.len());
        self.bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        self
    }

    /// Appends an array of floats.
    pub fn write_f64s(&mut self, values: &[f64]) -> &mut Self {
        self.write_usize(values.len());
        self.bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        self
    }

    /// Appends an array of floats of 32 bits.
    pub fn write_f32s(&mut self, values: &[f32]) -> &mut Self {
        self.write_usize(values.len());
        self.bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        self
    }

    /// Appends the state of a ChaCha8 generator: key, stream, word position (56 bytes).
    pub fn write_chacha(&mut self, rng: &ChaCha8Rng) -> &mut Self {
        let state = ChaChaState::save(rng);
        self.push(&state.seed).write_u64(state.stream).push(&state.word_position.to_le_bytes())
    }

    /// Appends the state of a xoshiro256++ generator (32 bytes).
    pub fn write_xoshiro(&mut self, rng: &Xoshiro256PlusPlus) -> &mut Self {
        rng.state().iter().for_each(|&word| {
            self.write_u64(word);
        });
        self
    }

    /// Appends the state of a SplitMix64 generator (8 bytes).
    pub fn write_split_mix(&mut self, rng: &SplitMix64) -> &mut Self {
        self.write_u64(rng.state())
    }
}
