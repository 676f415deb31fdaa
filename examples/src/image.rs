//! Grey images as PNG files, without compression.

use std::io::Write;
use std::path::Path;

/// A grey image, row by row, 0 black to 255 white.
#[derive(Debug, Clone)]
pub struct Image {
    width: usize,
    pixels: Vec<u8>,
}

impl Image {
    /// Tiles of one size side by side, `columns` to a row, with a border of one pixel.
    ///
    /// # Panics
    /// If a tile has not `width * height` pixels.
    pub fn tiles(tiles: &[Vec<u8>], width: usize, height: usize, columns: usize) -> Self {
        let columns = columns.max(1);
        let rows = tiles.len().div_ceil(columns);
        let full = columns * (width + 1) + 1;
        let mut pixels = vec![64; full * (rows * (height + 1) + 1)];
        for (k, tile) in tiles.iter().enumerate() {
            assert_eq!(tile.len(), width * height, "{} pixels for {width} x {height}", tile.len());
            let (left, top) = ((k % columns) * (width + 1) + 1, (k / columns) * (height + 1) + 1);
            for (y, row) in tile.chunks(width).enumerate() {
                pixels[(top + y) * full + left..][..width].copy_from_slice(row);
            }
        }
        Self { width: full, pixels }
    }

    /// Writes the image.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_png(&self, file: &Path) -> std::io::Result<()> {
        let height = self.pixels.len() / self.width;
        let mut raw = Vec::new();
        for row in self.pixels.chunks(self.width) {
            raw.push(0);
            raw.extend_from_slice(row);
        }
        // A zlib stream of stored blocks.
        let mut data = vec![0x78, 0x01];
        let n = raw.len().div_ceil(65535);
        for (k, block) in raw.chunks(65535).enumerate() {
            data.push(u8::from(k + 1 == n));
            data.extend((block.len() as u16).to_le_bytes());
            data.extend((!(block.len() as u16)).to_le_bytes());
            data.extend_from_slice(block);
        }
        data.extend(adler(&raw).to_be_bytes());
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut header = Vec::new();
        header.extend((self.width as u32).to_be_bytes());
        header.extend((height as u32).to_be_bytes());
        header.extend([8, 0, 0, 0, 0]);
        for (kind, content) in [(b"IHDR", &header), (b"IDAT", &data), (b"IEND", &Vec::new())] {
            let chunk = [&kind[..], content].concat();
            out.extend((content.len() as u32).to_be_bytes());
            out.extend_from_slice(&chunk);
            out.extend(crc(&chunk).to_be_bytes());
        }
        std::fs::File::create(file)?.write_all(&out)
    }
}

fn adler(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    /// Published check values of both sums.
    #[test]
    fn checksums() {
        assert_eq!(super::crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(super::adler(b"Wikipedia"), 0x11e6_0398);
    }
}
