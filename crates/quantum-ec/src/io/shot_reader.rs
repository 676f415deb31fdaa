//! Reading shots.

use std::io::BufRead;

use spin_models::io::ParseError;

use super::lines::quote;
use super::shot_format::{Layout, ShotFormat};
use crate::error::{Error, Result};
use crate::shots::{Shots, words_per_row};

/// Reads shots in one of the six formats, one row at a time.
///
/// ```
/// use quantum_ec::io::{Layout, ShotFormat, ShotReader};
///
/// let mut reader = ShotReader::new(&b"101\n000\n"[..], ShotFormat::Bits01, Layout::detectors(3))?;
/// let shots = reader.read_all()?;
/// assert_eq!((shots.n_shots(), shots.row(0)), (2, &[0b101][..]));
///
/// let mut reader = ShotReader::new(&b"10\n"[..], ShotFormat::Bits01, Layout::detectors(3))?;
/// let error = reader.read_all().unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 3: found the end of the line, expected 3 characters a shot");
/// # Ok::<(), quantum_ec::Error>(())
/// ```
#[derive(Debug)]
pub struct ShotReader<R> {
    reader: R,
    format: ShotFormat,
    layout: Layout,
    n_bits: usize,
    /// Shots handed out.
    shots: u64,
    /// Bytes taken from the reader.
    bytes: u64,
    /// Bytes of this line before the next one to read.
    column: usize,
    /// The packed row.
    row: Vec<u64>,
    /// 64 shots side by side and how many of them are handed out; `ptb64` only.
    group: Vec<u64>,
    taken: u32,
    failed: bool,
}

impl<R: BufRead> ShotReader<R> {
    /// A reader of rows of this layout.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more bits than [`MAX_ROW_BITS`](super::MAX_ROW_BITS).
    pub fn new(reader: R, format: ShotFormat, layout: Layout) -> Result<Self> {
        let n_bits = layout.checked()?;
        let row = vec![0; words_per_row(n_bits)];
        let group = if format == ShotFormat::Ptb64 { vec![0; n_bits] } else { Vec::new() };
        let (shots, bytes, column, taken) = (0, 0, 0, 64);
        Ok(Self { reader, format, layout, n_bits, shots, bytes, column, row, group, taken, failed: false })
    }

    /// The next row, packed; `None` after the last. Nothing follows an error.
    ///
    /// Rows without bits take no space in `b8` and `ptb64` files, so that such a file holds no shots.
    ///
    /// # Errors
    /// [`Error::Parse`] with line and column in the text formats, [`Error::ShotFile`] with shot and byte in the others, for
    /// what is not a shot: a row cut short or too long, bits beyond the width, a position beyond the width or given
    /// twice, a run past the end; [`Error::Io`].
    pub fn next_row(&mut self) -> Result<Option<&[u64]>> {
        if self.failed {
            return Ok(None);
        }
        self.column = 0;
        self.row.fill(0);
        let read = match self.format {
            ShotFormat::Bits01 => self.bits01(),
            ShotFormat::B8 => self.b8(),
            ShotFormat::R8 => self.r8(),
            ShotFormat::Hits => self.hits(),
            ShotFormat::Dets => self.dets(),
            ShotFormat::Ptb64 => self.ptb64(),
        };
        match read {
            Ok(false) => Ok(None),
            Ok(true) => {
                self.shots += 1;
                Ok(Some(&self.row))
            }
            Err(error) => {
                self.failed = true;
                Err(error)
            }
        }
    }

    /// Up to `max_shots` of the next rows; fewer only at the end of the file.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    pub fn read_chunk(&mut self, max_shots: usize) -> Result<Shots> {
        let mut shots = Shots::new(self.n_bits);
        while shots.n_shots() < max_shots {
            match self.next_row()? {
                Some(row) => shots.push(row),
                None => break,
            }
        }
        Ok(shots)
    }

    /// All rows that are left.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row).
    pub fn read_all(&mut self) -> Result<Shots> {
        self.read_chunk(usize::MAX)
    }

    /// Number of shots handed out so far.
    pub fn n_shots(&self) -> u64 {
        self.shots
    }

    /// The next byte, which stays in the reader.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.reader.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn next_byte(&mut self) -> Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.reader.consume(1);
            self.bytes += 1;
            self.column += 1;
        }
        Ok(byte)
    }

    /// Fills `buffer`; how many bytes there were.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.bytes += filled as u64;
        Ok(filled)
    }

    /// An error of a binary file at the byte read last.
    fn bad_byte<T>(&self, found: impl ToString, expected: impl ToString) -> Result<T> {
        let (found, expected) = (found.to_string(), expected.to_string());
        let byte = self.bytes.saturating_sub(1);
        Err(Error::ShotFile { format: self.format.name(), shot: self.shots, byte, found, expected })
    }

    /// An error of a text file: `back` bytes before the end of what is read.
    fn bad_text<T>(&self, back: usize, found: impl ToString, expected: impl ToString) -> Result<T> {
        // A line a shot.
        let line = usize::try_from(self.shots).unwrap_or(usize::MAX).saturating_add(1);
        let column = self.column.saturating_sub(back) + 1;
        Err(ParseError { line, column, found: found.to_string(), expected: expected.to_string() }.into())
    }

    /// An error about the character read last, or the end of the file.
    fn bad_character<T>(&self, byte: Option<u8>, expected: impl ToString) -> Result<T> {
        match byte {
            None => self.bad_text(0, "the end of the file", expected),
            Some(b'\n') => self.bad_text(1, "the end of the line", expected),
            Some(byte) if byte.is_ascii() => self.bad_text(1, quote(&char::from(byte).to_string()), expected),
            Some(byte) => self.bad_text(1, format_args!("byte {byte:#04x}"), expected),
        }
    }

    fn set(&mut self, bit: usize) {
        self.row[bit / 64] |= 1 << (bit % 64);
    }

    /// Sets a bit that must not be set already; the number was `digits` bytes, before the byte read last.
    fn set_once(&mut self, bit: usize, digits: usize) -> Result<()> {
        if self.row[bit / 64] >> (bit % 64) & 1 == 1 {
            return self.bad_text(digits + 1, "a position given before", "every position once a shot");
        }
        self.set(bit);
        Ok(())
    }

    /// The end of a line after `\r`.
    fn line_feed(&mut self) -> Result<()> {
        match self.next_byte()? {
            Some(b'\n') => Ok(()),
            byte => self.bad_character(byte, "a line feed after the carriage return"),
        }
    }

    fn bits01(&mut self) -> Result<bool> {
        let mut bit = 0;
        loop {
            match self.next_byte()? {
                None if self.column == 0 => return Ok(false),
                Some(b'\n') if bit == self.n_bits => return Ok(true),
                Some(b'\r') if bit == self.n_bits => return self.line_feed().map(|()| true),
                Some(byte @ (b'0' | b'1')) if bit < self.n_bits => {
                    if byte == b'1' {
                        self.set(bit);
                    }
                    bit += 1;
                }
                byte if bit == self.n_bits => {
                    return self.bad_character(byte, format_args!("the end of the line after {bit} characters"));
                }
                byte @ (None | Some(b'\n' | b'\r')) => {
                    return self.bad_character(byte, format_args!("{} characters a shot", self.n_bits));
                }
                byte => return self.bad_character(byte, "\"0\" or \"1\""),
            }
        }
    }

    fn b8(&mut self) -> Result<bool> {
        let width = self.n_bits.div_ceil(8);
        if width == 0 {
            return match self.next_byte()? {
                None => Ok(false),
                Some(_) => self.bad_byte("a byte", "an empty file: rows have no bits"),
            };
        }
        let mut buffer = [0; 512];
        let mut done = 0;
        while done < width {
            let piece = &mut buffer[..(width - done).min(512)];
            let n = self.fill(piece)?;
            if n < piece.len() {
                if done + n == 0 {
                    return Ok(false);
                }
                self.bytes += 1;
                let found = format_args!("the end of the file after {} bytes of a shot", done + n);
                return self.bad_byte(found, format_args!("{width} bytes a shot"));
            }
            for (k, &byte) in piece.iter().enumerate() {
                let at = done + k;
                self.row[at / 8] |= u64::from(byte) << (8 * (at % 8));
            }
            done += n;
        }
        let used = self.n_bits % 64;
        if used != 0 && self.row.last().is_some_and(|last| last >> used != 0) {
            let beyond = format_args!("zeros beyond bit {}", self.n_bits);
            return self.bad_byte(format_args!("{:#04x}, with ones there", buffer[(width - 1) % 512]), beyond);
        }
        Ok(true)
    }

    fn r8(&mut self) -> Result<bool> {
        let mut bit = 0;
        let mut first = true;
        loop {
            let Some(run) = self.next_byte()? else {
                if first {
                    return Ok(false);
                }
                self.bytes += 1;
                let expected = format_args!("runs up to bit {}, {bit} are given", self.n_bits);
                return self.bad_byte("the end of the file", expected);
            };
            first = false;
            bit += usize::from(run);
            if bit > self.n_bits {
                let expected = format_args!("runs that end at bit {}", self.n_bits);
                return self.bad_byte(format_args!("a run of {run} to bit {bit}"), expected);
            }
            if run == 255 {
                continue;
            }
            if bit == self.n_bits {
                return Ok(true);
            }
            self.set(bit);
            bit += 1;
        }
    }

    /// A number, the byte after it and its count of digits.
    fn number(&mut self, bound: usize) -> Result<(usize, Option<u8>, usize)> {
        let (mut value, mut digits) = (0usize, 0);
        loop {
            match self.next_byte()? {
                Some(byte @ b'0'..=b'9') => {
                    value = value.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
                    digits += 1;
                    if value >= bound {
                        let expected = format!("a position below {bound}");
                        return self.bad_text(digits, format_args!("a number from {value}"), expected);
                    }
                    if digits > 20 {
                        return self.bad_text(digits, "more than 20 digits", "a position");
                    }
                }
                byte if digits == 0 => return self.bad_character(byte, "a position"),
                byte => return Ok((value, byte, digits)),
            }
        }
    }

    fn hits(&mut self) -> Result<bool> {
        // An empty line is a shot without ones; anything else begins with a number.
        match self.peek()? {
            None => return Ok(false),
            Some(b'\n') => return self.next_byte().map(|_| true),
            Some(b'\r') => {
                self.next_byte()?;
                return self.line_feed().map(|()| true);
            }
            Some(_) => {}
        }
        loop {
            let (bit, after, digits) = self.number(self.n_bits)?;
            self.set_once(bit, digits)?;
            match after {
                Some(b',') => {}
                Some(b'\n') => return Ok(true),
                Some(b'\r') => return self.line_feed().map(|()| true),
                byte => return self.bad_character(byte, "\",\" or the end of the line"),
            }
        }
    }

    fn dets(&mut self) -> Result<bool> {
        if self.peek()?.is_none() {
            return Ok(false);
        }
        for expected in *b"shot" {
            let byte = self.next_byte()?;
            if byte != Some(expected) {
                return self.bad_character(byte, "\"shot\" at the beginning of the line");
            }
        }
        let mut after = self.next_byte()?;
        loop {
            match after {
                Some(b' ') => {}
                Some(b'\n') => return Ok(true),
                Some(b'\r') => return self.line_feed().map(|()| true),
                byte => return self.bad_character(byte, "a space or the end of the line"),
            }
            let letter = self.next_byte()?;
            let part = self.layout.parts().into_iter().find(|part| letter == Some(part.0));
            let Some((_, first, n)) = part else {
                return self.bad_character(letter, "\"M\", \"D\" or \"L\"");
            };
            let (at, byte, digits) = self.number(n)?;
            self.set_once(first + at, digits)?;
            after = byte;
        }
    }

    fn ptb64(&mut self) -> Result<bool> {
        if self.taken == 64 {
            if self.n_bits == 0 {
                return match self.next_byte()? {
                    None => Ok(false),
                    Some(_) => self.bad_byte("a byte", "an empty file: rows have no bits"),
                };
            }
            for bit in 0..self.n_bits {
                let mut word = [0; 8];
                let n = self.fill(&mut word)?;
                if n < 8 {
                    if bit + n == 0 {
                        return Ok(false);
                    }
                    self.bytes += 1;
                    let found = format_args!("the end of the file after {} bytes of 64 shots", 8 * bit + n);
                    return self.bad_byte(found, format_args!("{} bytes for every 64 shots", 8 * self.n_bits));
                }
                self.group[bit] = u64::from_le_bytes(word);
            }
            self.taken = 0;
        }
        let shot = self.taken;
        for (word, bits) in self.row.iter_mut().zip(self.group.chunks(64)) {
            *word = bits.iter().enumerate().fold(0, |word, (k, column)| word | (column >> shot & 1) << k);
        }
        self.taken += 1;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ShotWriter;

    fn read(file: &[u8], format: ShotFormat, layout: Layout) -> Result<Vec<Vec<usize>>> {
        let shots = ShotReader::new(file, format, layout)?.read_all()?;
        Ok((0..shots.n_shots()).map(|shot| shots.view().ones(shot).collect()).collect())
    }

    #[test]
    fn what_is_not_a_shot_is_named() {
        use ShotFormat::{B8, Bits01, Dets, Hits, Ptb64, R8};
        let layout = Layout { detectors: 2, observables: 1, ..Layout::default() };
        for (file, format, message) in [
            (&b"10\n"[..], Bits01, "line 1, column 3: found the end of the line, expected 3 characters a shot"),
            (b"101\n10", Bits01, "line 2, column 3: found the end of the file, expected 3 characters a shot"),
            (b"1011\n", Bits01, "line 1, column 4: found \"1\", expected the end of the line after 3 characters"),
            (
                b"101",
                Bits01,
                "line 1, column 4: found the end of the file, expected the end of the line after 3 characters",
            ),
            (b"1x1\n", Bits01, "line 1, column 2: found \"x\", expected \"0\" or \"1\""),
            (b"\n", Bits01, "line 1, column 1: found the end of the line, expected 3 characters a shot"),
            (b"\x05\x08", B8, "b8 shot file, shot 1, byte 1: found 0x08, with ones there, expected zeros beyond bit 3"),
            (
                b"\x03\x04",
                R8,
                "r8 shot file, shot 1, byte 1: found a run of 4 to bit 4, expected runs that end at bit 3",
            ),
            (
                b"\x01",
                R8,
                "r8 shot file, shot 0, byte 1: found the end of the file, expected runs up to bit 3, 2 are given",
            ),
            (b"1,1\n", Hits, "line 1, column 3: found a position given before, expected every position once a shot"),
            (b"\n0,3\n", Hits, "line 2, column 3: found a number from 3, expected a position below 3"),
            (b"1,\n", Hits, "line 1, column 3: found the end of the line, expected a position"),
            (b"1", Hits, "line 1, column 2: found the end of the file, expected \",\" or the end of the line"),
            (b"1, 2\n", Hits, "line 1, column 3: found \" \", expected a position"),
            (b"1\xff\n", Hits, "line 1, column 2: found byte 0xff, expected \",\" or the end of the line"),
            (b"shot L1\n", Dets, "line 1, column 7: found a number from 1, expected a position below 1"),
            (b"shot M0\n", Dets, "line 1, column 7: found a number from 0, expected a position below 0"),
            (b"shot\nsho D0\n", Dets, "line 2, column 4: found \" \", expected \"shot\" at the beginning of the line"),
            (
                b"shot D0 D0\n",
                Dets,
                "line 1, column 10: found a position given before, expected every position once a shot",
            ),
            (b"shot X0\n", Dets, "line 1, column 6: found \"X\", expected \"M\", \"D\" or \"L\""),
            (b"shot D1", Dets, "line 1, column 8: found the end of the file, expected a space or the end of the line"),
            (
                &[7; 30],
                Ptb64,
                "ptb64 shot file, shot 64, byte 30: found the end of the file after 6 bytes of 64 shots, expected 24 bytes \
                 for every 64 shots",
            ),
        ] {
            assert_eq!(read(file, format, layout).unwrap_err().to_string(), message, "{file:?}");
        }
        let two_bytes = read(&[1, 0, 9], B8, Layout::detectors(9)).unwrap_err().to_string();
        assert_eq!(
            two_bytes,
            "b8 shot file, shot 1, byte 3: found the end of the file after 1 bytes of a shot, expected 2 bytes a shot"
        );
    }

    #[test]
    fn other_line_ends_and_orders_are_shots() {
        let layout = Layout { measurements: 1, detectors: 2, observables: 1 };
        assert_eq!(read(b"0110\r\n1000\n", ShotFormat::Bits01, layout).unwrap(), [vec![1, 2], vec![0]]);
        assert_eq!(read(b"2,0\r\n\n\r\n", ShotFormat::Hits, layout).unwrap(), [vec![0, 2], vec![], vec![]]);
        assert_eq!(read(b"shot L0 D01 M0\nshot\r\n", ShotFormat::Dets, layout).unwrap(), [vec![0, 2, 3], vec![]]);
        assert_eq!(read(b"", ShotFormat::Hits, layout).unwrap(), Vec::<Vec<usize>>::new());
    }

    /// A reader of single bytes that is interrupted before each of them.
    struct Interrupted<'a>(&'a [u8], bool);

    impl std::io::Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let first = self.fill_buf()?.to_vec();
            let n = first.len().min(buffer.len());
            buffer[..n].copy_from_slice(&first[..n]);
            self.consume(n);
            Ok(n)
        }
    }

    impl BufRead for Interrupted<'_> {
        fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
            self.1 = !self.1;
            if self.1 {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            Ok(&self.0[..self.0.len().min(1)])
        }

        fn consume(&mut self, n: usize) {
            self.0 = &self.0[n..];
        }
    }

    #[test]
    fn interruptions_are_no_errors() {
        let layout = Layout::detectors(9);
        let mut shots = Shots::new(9);
        (0..64u64).for_each(|shot| shots.push(&[shot * 5 % 512]));
        for format in ShotFormat::ALL {
            let mut writer = ShotWriter::new(Vec::new(), format, layout).unwrap();
            writer.write(shots.view()).unwrap();
            let file = writer.finish().unwrap();
            let again = ShotReader::new(Interrupted(&file, false), format, layout).unwrap().read_all().unwrap();
            assert_eq!(again, shots, "{format}");
        }
    }

    #[test]
    fn rows_without_bits() {
        let none = Layout::default();
        let mut shots = Shots::new(0);
        (0..64).for_each(|_| shots.push(&[]));
        for format in ShotFormat::ALL {
            let mut writer = ShotWriter::new(Vec::new(), format, none).unwrap();
            writer.write(shots.view()).unwrap();
            let file = writer.finish().unwrap();
            let expected = if matches!(format, ShotFormat::B8 | ShotFormat::Ptb64) { 0 } else { 64 };
            assert_eq!(read(&file, format, none).unwrap().len(), expected, "{format}");
            assert!(read(b"\x01", format, none).is_err(), "{format}");
        }
        assert!(ShotReader::new(&b""[..], ShotFormat::B8, Layout { detectors: usize::MAX, ..layout() }).is_err());
    }

    fn layout() -> Layout {
        Layout::observables(usize::MAX)
    }

    #[test]
    fn ptb64_takes_multiples_of_64() {
        let mut writer = ShotWriter::new(Vec::new(), ShotFormat::Ptb64, Layout::detectors(1)).unwrap();
        writer.write(Shots::zeros(65, 1).view()).unwrap();
        assert_eq!(
            writer.finish().unwrap_err().to_string(),
            "shots for ptb64, which holds multiples of 64: 65 given, 128 expected"
        );
    }
}
