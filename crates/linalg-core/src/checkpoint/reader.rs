//! Reading a payload.

use rand_chacha::ChaCha8Rng;

use crate::rng::{ChaChaState, SplitMix64, Xoshiro256PlusPlus};

use super::CheckpointError;

/// Takes values out of a payload in the order in which a [`Writer`](super::Writer) put them in.
///
/// Every method fails with a typed error instead of panicking, and checks a stored length against the bytes that are
/// left before it allocates. After an error the reader has not moved past the item it could not read. Call
/// [`finish`](Self::finish) at the end.
///
/// ```
/// use linalg_core::checkpoint::{CheckpointError, Reader};
///
/// // A length of 2^60 floats, and no float.
/// let mut payload = Reader::new(&[0, 0, 0, 0, 0, 0, 0, 16]);
/// assert_eq!(
///     payload.read_f64s(),
///     Err(CheckpointError::Truncated { at: 8, needed: 1 << 63, available: 0 })
/// );
/// ```
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

type Result<T> = std::result::Result<T, CheckpointError>;

/// The largest count.
const MOST: u64 = 1 << 53;

impl<'a> Reader<'a> {
    /// A reader at the beginning of `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { bytes: payload, position: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`CheckpointError::Trailing`] when bytes are left.
    pub fn finish(self) -> Result<()> {
        match self.remaining() {
            0 => Ok(()),
            extra => Err(CheckpointError::Trailing { at: self.position, extra }),
        }
    }

    /// Runs `read` and goes back to where it started if it fails.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let start = self.position;
        read(self).inspect_err(|_| self.position = start)
    }

    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8]> {
        let available = self.remaining();
        match usize::try_from(count) {
            Ok(count) if count <= available => {
                let start = self.position;
                self.position += count;
                Ok(&self.bytes[start..self.position])
            }
            _ => Err(CheckpointError::Truncated { at: self.position, needed: count, available }),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N as u64)?;
        let mut array = [0; N];
        array.copy_from_slice(bytes);
        Ok(array)
    }

    /// The bytes of an array whose items have `N` bytes.
    fn items<const N: usize>(&mut self) -> Result<&'a [[u8; N]]> {
        self.attempt(|this| {
            let count = this.read_u64()?;
            // Saturation cannot be mistaken for a length: no slice has u64::MAX bytes.
            let bytes = this.take(count.saturating_mul(N as u64))?;
            Ok(bytes.as_chunks().0)
        })
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`], as for all numbers.
    pub fn read_u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// Reads a flag.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`]; [`CheckpointError::Invalid`] for a byte other than 0 and 1.
    pub fn read_bool(&mut self) -> Result<bool> {
        self.attempt(|this| {
            let at = this.position;
            match this.read_u8()? {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(CheckpointError::Invalid { what: "flag", at }),
            }
        })
    }

    /// Reads a 32-bit integer.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads a 64-bit integer.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads the number of something done or seen, such as steps: a 64-bit integer up to 2⁵³, which no run reaches, floats hold
    /// exactly, and whoever goes on from it can count on without overflow.
    ///
    /// ```
    /// use linalg_core::checkpoint::{Reader, Writer};
    ///
    /// let mut state = Writer::new();
    /// state.write_u64(7).write_u64(u64::MAX);
    /// let bytes = state.into_bytes();
    /// let mut reader = Reader::new(&bytes);
    /// assert_eq!(reader.read_count()?, 7);
    /// assert_eq!(reader.read_count().unwrap_err().to_string(), "invalid count at byte 8");
    /// assert_eq!(reader.position(), 8);
    /// # Ok::<(), linalg_core::checkpoint::CheckpointError>(())
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`], [`CheckpointError::Invalid`] for a larger one.
    pub fn read_count(&mut self) -> Result<u64> {
        self.attempt(|this| {
            let at = this.position;
            let count = this.read_u64()?;
            if count > MOST { Err(CheckpointError::Invalid { what: "count", at }) } else { Ok(count) }
        })
    }

    /// Reads a signed 64-bit integer.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// Reads an index or a length.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`]; [`CheckpointError::Invalid`] when it does not fit this platform's `usize`.
    pub fn read_usize(&mut self) -> Result<usize> {
        self.attempt(|this| {
            let at = this.position;
            let what = "length";
            usize::try_from(this.read_u64()?).map_err(|_| CheckpointError::Invalid { what, at })
        })
    }

    /// Reads a float, bit for bit.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// Reads text.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`]; [`CheckpointError::Invalid`] when it is not UTF-8.
    pub fn read_str(&mut self) -> Result<&'a str> {
        self.attempt(|this| {
            let at = this.position + 8;
            let count = this.read_u64()?;
            let bytes = this.take(count)?;
            std::str::from_utf8(bytes).map_err(|_| CheckpointError::Invalid { what: "text", at })
        })
    }

    /// Reads an array of bytes.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`], as for all arrays.
    pub fn read_u8s(&mut self) -> Result<Vec<u8>> {
        Ok(self.items::<1>()?.as_flattened().to_vec())
    }

    /// Reads an array of signed bytes.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_i8s(&mut self) -> Result<Vec<i8>> {
        Ok(self.items()?.iter().copied().map(i8::from_le_bytes).collect())
    }

    /// Reads an array of 64-bit integers.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_u64s(&mut self) -> Result<Vec<u64>> {
        Ok(self.items()?.iter().copied().map(u64::from_le_bytes).collect())
    }

    /// Reads an array of counts, as [`read_count`](Self::read_count).
    ///
    /// ```
    /// use linalg_core::checkpoint::{Reader, Writer};
    ///
    /// let mut state = Writer::new();
    /// state.write_u64s(&[7, 8]).write_u64s(&[7, u64::MAX]);
    /// let bytes = state.into_bytes();
    /// let mut reader = Reader::new(&bytes);
    /// assert_eq!(reader.read_counts()?, [7, 8]);
    /// assert_eq!(reader.read_counts().unwrap_err().to_string(), "invalid count at byte 40");
    /// # Ok::<(), linalg_core::checkpoint::CheckpointError>(())
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`], [`CheckpointError::Invalid`] for a larger one.
    pub fn read_counts(&mut self) -> Result<Vec<u64>> {
        self.attempt(|this| {
            let counts = this.read_u64s()?;
            match counts.iter().position(|&count| count > MOST) {
                Some(k) => Err(CheckpointError::Invalid { what: "count", at: this.position - 8 * (counts.len() - k) }),
                None => Ok(counts),
            }
        })
    }

    /// Reads an array of floats.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_f64s(&mut self) -> Result<Vec<f64>> {
        Ok(self.items()?.iter().copied().map(f64::from_le_bytes).collect())
    }

    /// Reads an array of floats of a length known beforehand into `out`.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`]; [`CheckpointError::Length`] when the stored length is not `out.len()`. `out` is
    /// unchanged then.
    pub fn read_f64s_into(&mut self, out: &mut [f64]) -> Result<()> {
        let items = self.items_of_length(out.len())?;
        out.iter_mut().zip(items).for_each(|(x, b)| *x = f64::from_le_bytes(*b));
        Ok(())
    }

    /// Reads an array of floats of 32 bits of a length known beforehand into `out`.
    ///
    /// # Errors
    /// As [`read_f64s_into`](Self::read_f64s_into).
    pub fn read_f32s_into(&mut self, out: &mut [f32]) -> Result<()> {
        let items = self.items_of_length(out.len())?;
        out.iter_mut().zip(items).for_each(|(x, b)| *x = f32::from_le_bytes(*b));
        Ok(())
    }

    /// Reads an array of signed bytes of a length known beforehand into `out`, such as a spin configuration.
    ///
    /// # Errors
    /// As [`read_f64s_into`](Self::read_f64s_into).
    pub fn read_i8s_into(&mut self, out: &mut [i8]) -> Result<()> {
        let items = self.items_of_length(out.len())?;
        out.iter_mut().zip(items).for_each(|(x, b)| *x = i8::from_le_bytes(*b));
        Ok(())
    }

    fn items_of_length<const N: usize>(&mut self, expected: usize) -> Result<&'a [[u8; N]]> {
        self.attempt(|this| {
            let at = this.position;
            let items = this.items()?;
            if items.len() == expected {
                return Ok(items);
            }
            Err(CheckpointError::Length { at, expected, found: items.len() as u64 })
        })
    }

    /// Reads the state of a ChaCha8 generator.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_chacha(&mut self) -> Result<ChaCha8Rng> {
        self.attempt(|this| {
            let state = ChaChaState {
                seed: this.array()?,
                stream: this.read_u64()?,
                word_position: this.array().map(u128::from_le_bytes)?,
            };
            Ok(state.restore())
        })
    }

    /// Reads the state of a xoshiro256++ generator.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`]; [`CheckpointError::Invalid`] for the zero state.
    pub fn read_xoshiro(&mut self) -> Result<Xoshiro256PlusPlus> {
        self.attempt(|this| {
            let at = this.position;
            let mut state = [0; 4];
            for word in &mut state {
                *word = this.read_u64()?;
            }
            let what = "xoshiro256++ state";
            Xoshiro256PlusPlus::from_state(state).map_err(|_| CheckpointError::Invalid { what, at })
        })
    }

    /// Reads the state of a SplitMix64 generator.
    ///
    /// # Errors
    /// [`CheckpointError::Truncated`].
    pub fn read_split_mix(&mut self) -> Result<SplitMix64> {
        self.read_u64().map(SplitMix64::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Streams;
    use crate::checkpoint::Writer;
    use rand::Rng;

    #[test]
    fn everything_comes_back_bit_for_bit() {
        let mut chacha = Streams::new(3).stream(4);
        let mut fast = Streams::new(3).fast_stream(4);
        let mut split = SplitMix64::new(8);
        chacha.next_u32();
        let floats = [0.0, -0.0, f64::NAN, f64::NEG_INFINITY, 5e-324];
        let mut writer = Writer::new();
        writer
            .write_u8(200)
            .write_bool(true)
            .write_u32(u32::MAX)
            .write_u64(u64::MAX - 1)
            .write_i64(i64::MIN)
            .write_usize(17)
            .write_f64(-0.0)
            .write_str("β = ½")
            .write_u8s(&[])
            .write_i8s(&[1, -1, i8::MIN])
            .write_u64s(&[1, 2, 3])
            .write_f64s(&floats)
            .write_chacha(&chacha)
            .write_xoshiro(&fast)
            .write_split_mix(&split)
            .write_f64s(&[1.0, 2.0])
            .write_f32s(&[-0.0, f32::MAX])
            .write_i8s(&[1, -1]);
        let bytes = writer.into_bytes();

        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.read_u8().unwrap(), 200);
        assert!(reader.read_bool().unwrap());
        assert_eq!(reader.read_u32().unwrap(), u32::MAX);
        assert_eq!(reader.read_u64().unwrap(), u64::MAX - 1);
        assert_eq!(reader.read_i64().unwrap(), i64::MIN);
        assert_eq!(reader.read_usize().unwrap(), 17);
        assert_eq!(reader.read_f64().unwrap().to_bits(), (-0.0f64).to_bits());
        assert_eq!(reader.read_str().unwrap(), "β = ½");
        assert_eq!(reader.read_u8s().unwrap(), []);
        assert_eq!(reader.read_i8s().unwrap(), [1, -1, i8::MIN]);
        assert_eq!(reader.read_u64s().unwrap(), [1, 2, 3]);
        let read = reader.read_f64s().unwrap();
        assert_eq!(read.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), floats.map(f64::to_bits));
        assert_eq!(reader.read_chacha().unwrap().next_u64(), chacha.next_u64());
        assert_eq!(reader.read_xoshiro().unwrap().next_u64(), fast.next_u64());
        assert_eq!(reader.read_split_mix().unwrap().next_u64(), split.next_u64());
        let mut two = [0.0; 2];
        reader.read_f64s_into(&mut two).unwrap();
        assert_eq!(two.map(f64::to_bits), [1.0, 2.0].map(f64::to_bits));
        let mut short = [0.0f32; 2];
        reader.read_f32s_into(&mut short).unwrap();
        assert_eq!(short.map(f32::to_bits), [-0.0, f32::MAX].map(f32::to_bits));
        let mut three = [0; 3];
        let at = reader.position();
        let error = reader.read_i8s_into(&mut three).unwrap_err();
        assert_eq!(error, CheckpointError::Length { at, expected: 3, found: 2 });
        // Nothing was consumed.
        assert_eq!(reader.read_i8s().unwrap(), [1, -1]);
        reader.finish().unwrap();
    }

    #[test]
    fn bad_payloads() {
        assert_eq!(
            Reader::new(&[1, 2, 3]).read_u64().unwrap_err(),
            CheckpointError::Truncated { at: 0, needed: 8, available: 3 }
        );
        assert_eq!(Reader::new(&[7]).read_bool().unwrap_err(), CheckpointError::Invalid { what: "flag", at: 0 });
        let mut text = Writer::new();
        text.write_u8s(&[0xff, 0xfe]);
        let bytes = text.into_bytes();
        assert_eq!(Reader::new(&bytes).read_str().unwrap_err(), CheckpointError::Invalid { what: "text", at: 8 });
        assert_eq!(
            Reader::new(&[0; 32]).read_xoshiro().unwrap_err(),
            CheckpointError::Invalid { what: "xoshiro256++ state", at: 0 }
        );
        assert_eq!(Reader::new(&[0; 3]).finish().unwrap_err(), CheckpointError::Trailing { at: 0, extra: 3 });
        // Lengths whose size in bytes overflows.
        for length in [u64::MAX, u64::MAX / 8 + 1, 1 << 61, i64::MAX as u64] {
            let bytes = length.to_le_bytes();
            assert!(matches!(
                Reader::new(&bytes).read_f64s().unwrap_err(),
                CheckpointError::Truncated { at: 8, available: 0, .. }
            ));
            assert!(Reader::new(&bytes).read_str().is_err());
        }
    }
}
