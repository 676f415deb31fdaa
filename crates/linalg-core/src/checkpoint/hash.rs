//! Content hashes that identify a problem.

/// FNV-1a with 64 bits, over a well-defined sequence of bytes.
///
/// Identifies instances, parameters and code versions in checkpoints and result files. The value depends on the content
/// alone, not on the platform: numbers enter as little-endian bytes, floats by their bits (0.0 and -0.0 differ, NaNs
/// by payload), slices and text with their length before them. Accidental collisions among $`n`$ problems have
/// probability $`n^2\,2^{-65}`$; it is no defence against intent. About one byte a nanosecond.
///
/// ```
/// use linalg_core::checkpoint::ContentHash;
///
/// let mut hash = ContentHash::new();
/// hash.write_bytes(b"foobar");
/// assert_eq!(hash.finish(), 0x85944171f73967e8); // published FNV-1a value
///
/// let mut couplings = ContentHash::new();
/// couplings.write_f64s(&[1.0, -1.0]);
/// let mut other = ContentHash::new();
/// other.write_f64s(&[1.0]).write_f64s(&[-1.0]);
/// assert_ne!(couplings.finish(), other.finish());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHash {
    state: u64,
}

impl Default for ContentHash {
    fn default() -> Self {
        Self::new()
    }
}

impl ContentHash {
    /// The hash of nothing.
    pub fn new() -> Self {
        Self { state: 0xcbf2_9ce4_8422_2325 }
    }

    /// Hash of one run of bytes.
    pub fn of_bytes(bytes: &[u8]) -> u64 {
        Self::new().write_bytes(bytes).finish()
    }

    /// Adds bytes, without their number.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for &byte in bytes {
            self.state = (self.state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }

    /// Adds an integer.
    pub fn write_u64(&mut self, value: u64) -> &mut Self {
        self.write_bytes(&value.to_le_bytes())
    }

    /// Adds a signed integer.
    pub fn write_i64(&mut self, value: i64) -> &mut Self {
        self.write_bytes(&value.to_le_bytes())
    }

    /// Adds a float by its bits.
    pub fn write_f64(&mut self, value: f64) -> &mut Self {
        self.write_u64(value.to_bits())
    }

    /// Adds text and its length in bytes.
    pub fn write_str(&mut self, text: &str) -> &mut Self {
        self.write_u64(text.len() as u64).write_bytes(text.as_bytes())
    }

    /// Adds the number of floats and the floats.
    pub fn write_f64s(&mut self, values: &[f64]) -> &mut Self {
        self.write_u64(values.len() as u64);
        values.iter().for_each(|&x| {
            self.write_f64(x);
        });
        self
    }

    /// Adds the number of floats of 32 bits and the floats.
    pub fn write_f32s(&mut self, values: &[f32]) -> &mut Self {
        self.write_u64(values.len() as u64);
        values.iter().for_each(|x| {
            self.write_u64(u64::from(x.to_bits()));
        });
        self
    }

    /// Adds the number of integers and the integers.
    pub fn write_u64s(&mut self, values: &[u64]) -> &mut Self {
        self.write_u64(values.len() as u64);
        values.iter().for_each(|&x| {
            self.write_u64(x);
        });
        self
    }

    /// Adds the number of indices and the indices, as 64-bit integers.
    pub fn write_usizes(&mut self, values: &[usize]) -> &mut Self {
        self.write_u64(values.len() as u64);
        values.iter().for_each(|&x| {
            self.write_u64(x as u64);
        });
        self
    }

    /// Adds the number of bytes and the bytes, two's complement.
    pub fn write_i8s(&mut self, values: &[i8]) -> &mut Self {
        self.write_u64(values.len() as u64);
        values.iter().for_each(|&x| {
            self.write_bytes(&x.to_le_bytes());
        });
        self
    }

    /// The hash so far; more can be added afterwards.
    pub fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // Fowler, Noll, Vo: test vectors of draft-eastlake-fnv.
        assert_eq!(ContentHash::of_bytes(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(ContentHash::of_bytes(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(ContentHash::of_bytes(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn structure_matters() {
        let hash = |f: &dyn Fn(&mut ContentHash)| {
            let mut hash = ContentHash::new();
            f(&mut hash);
            hash.finish()
        };
        let all = [
            hash(&|h| _ = h.write_f64(0.0)),
            hash(&|h| _ = h.write_f64(-0.0)),
            hash(&|h| _ = h.write_f64s(&[])),
            hash(&|h| _ = h.write_f64s(&[0.0])),
            hash(&|h| _ = h.write_f64s(&[0.0, 0.0])),
            hash(&|h| _ = h.write_i8s(&[1, -1])),
            hash(&|h| _ = h.write_i8s(&[-1, 1])),
            hash(&|h| _ = h.write_str("ab").write_str("c")),
            hash(&|h| _ = h.write_str("a").write_str("bc")),
        ];
        let mut distinct = all.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        // write_f64(0.0) and write_f64s(&[]) are the same eight zero bytes.
        assert_eq!(all[0], all[2]);
        assert_eq!(distinct.len(), all.len() - 1);
        assert_eq!(hash(&|h| _ = h.write_u64s(&[3, 4])), hash(&|h| _ = h.write_usizes(&[3, 4])));
        assert_eq!(hash(&|h| _ = h.write_i64(-1)), hash(&|h| _ = h.write_u64(u64::MAX)));
    }
}
