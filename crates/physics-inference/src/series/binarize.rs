//! Bits from real columns.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

use super::{BitSeries, SeriesError, Table};

/// Most bits of a binary code: levels are exact in a table of 2^16 entries.
const MOST_BITS: usize = 16;

/// How a real column becomes bits.
///
/// Every scheme cuts the line into levels and writes the level as bits: what survives is the level. `BitPlanes` and `Gray` give the
/// number itself back when the column has integers within a range of $`2^k`$ values, or any evenly spaced ones; see
/// [`Decoder::check_exact`].
///
/// ```
/// use physics_inference::series::{Binarize, Table};
///
/// let table = Table::read("n\n0\n3\n2\n1\n".as_bytes())?;
/// let decoder = Binarize::Gray(2).fit(&table)?;
/// let bits = decoder.encode(&table)?;
/// assert_eq!(bits.names(), ["n.0", "n.1"]);
/// // 0, 3, 2, 1 are 00, 10, 11, 01 in Gray code, high bit first.
/// assert_eq!([bits.get(0, 1), bits.get(1, 1)], [-1, 1]);
/// decoder.check_exact(&table)?;
/// assert_eq!(decoder.decode(&[1, -1])?, [1.0]);
/// # Ok::<(), physics_inference::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Binarize {
    /// One bit: not negative.
    Sign,
    /// One bit: above the threshold; the median of the column for `None`.
    Threshold(Option<f64>),
    /// k levels of equally many steps in a unary code: bit j says whether the number reaches edge j. Equal edges count once.
    Quantile(usize),
    /// $`2^k`$ evenly spaced levels between the extremes in the binary code, bit 0 the lowest.
    BitPlanes(usize),
    /// As `BitPlanes` in the reflected Gray code: neighbouring levels differ in one bit.
    Gray(usize),
}

impl Binarize {
    /// Learns the levels of each column; a bit that is the same in every step is left out.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a number of levels below 2, of bits outside 1..=16, or a threshold that is not finite;
    /// [`SeriesError::Constant`] for a column that leaves no bit.
    pub fn fit(self, table: &Table) -> Result<Decoder> {
        let size = |what, value: usize, range: std::ops::RangeInclusive<usize>, expected| {
            if range.contains(&value) { Ok(()) } else { Err(Error::Parameter { what, value: value as f64, expected }) }
        };
        match self {
            Self::Quantile(k) => size("number of quantile levels", k, 2..=1 << MOST_BITS, "2 to 65536")?,
            Self::BitPlanes(k) | Self::Gray(k) => size("number of bits", k, 1..=MOST_BITS, "1 to 16")?,
            Self::Threshold(Some(x)) if !x.is_finite() => {
                return Err(Error::Parameter { what: "threshold", value: x, expected: "a finite number" });
            }
            _ => {}
        }
        let columns = table.names().iter().enumerate().map(|(i, name)| Column::fit(self, i, name, table.column(i)));
        Ok(Decoder { scheme: self, columns: columns.collect::<Result<_>>()? })
    }
}

impl fmt::Display for Binarize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign => write!(f, "sign"),
            Self::Threshold(None) => write!(f, "threshold"),
            Self::Threshold(Some(x)) => write!(f, "threshold:{x}"),
            Self::Quantile(k) => write!(f, "quantile:{k}"),
            Self::BitPlanes(k) => write!(f, "bit-planes:{k}"),
            Self::Gray(k) => write!(f, "gray:{k}"),
        }
    }
}

impl FromStr for Binarize {
    type Err = String;

    /// `sign`, `threshold`, `threshold:X`, `quantile:K`, `bit-planes:K`, `gray:K`; without a number K is 4.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
        let count =
            || value.map_or(Ok(4), |v| v.parse::<usize>().map_err(|_| format!("{v:?} is no count in {text:?}")));
        match name {
            "sign" if value.is_none() => Ok(Self::Sign),
            "threshold" => match value {
                None => Ok(Self::Threshold(None)),
                Some(v) => {
                    v.parse().map(|x| Self::Threshold(Some(x))).map_err(|_| format!("{v:?} is no number in {text:?}"))
                }
            },
            "quantile" => Ok(Self::Quantile(count()?)),
            "bit-planes" => Ok(Self::BitPlanes(count()?)),
            "gray" => Ok(Self::Gray(count()?)),
            _ => Err("expected sign, threshold[:X], quantile[:K], bit-planes[:K] or gray[:K]".to_owned()),
        }
    }
}

/// The levels of fitted columns: from numbers to bits and back.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decoder {
    scheme: Binarize,
    columns: Vec<Column>,
}

/// Levels of one column.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Column {
    name: String,
    levels: Levels,
    /// Value of each bit that is left out because it never changes; `None` for a bit that is a series.
    fixed: Vec<Option<bool>>,
}

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Levels {
    /// Level = number of edges reached; a mean for each level.
    Edges { edges: Vec<f64>, means: Vec<f64> },
    /// Level l stands for `low + l * step`, l up to `last`.
    Even { low: f64, step: f64, last: usize },
}

impl Column {
    fn fit(scheme: Binarize, index: usize, name: &str, values: &[f64]) -> Result<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
            return Err(SeriesError::TooShort { found: 0, needed: 2 }.into());
        };
        let constant = || {
            let (column, name, value) = (index + 1, name.to_owned(), format!("{low} to {high}"));
            Error::from(SeriesError::Constant { column, name, value })
        };
        if low >= high {
            return Err(
                SeriesError::Constant { column: index + 1, name: name.to_owned(), value: low.to_string() }.into()
            );
        }
        // The first number above x: a bit then says "above x".
        let above = |x: f64| sorted[sorted.partition_point(|v| *v <= x).min(sorted.len() - 1)];
        let edges = |edges: Vec<f64>| {
            let mut edges: Vec<f64> = edges.into_iter().filter(|e| (low..=high).contains(e) && *e > low).collect();
            edges.dedup();
            let mut sums = vec![(0.0, 0u64); edges.len() + 1];
            for &x in values {
                let (sum, count) = &mut sums[edges.partition_point(|e| *e <= x)];
                *sum += x;
                *count += 1;
            }
            let means = sums.iter().map(|(sum, count)| sum / *count as f64).collect();
            Levels::Edges { edges, means }
        };
        let levels = match scheme {
            Binarize::Sign => edges(vec![0.0]),
            Binarize::Threshold(Some(x)) if x < high => edges(vec![above(x)]),
            Binarize::Threshold(Some(_)) => edges(Vec::new()),
            // Half of the steps or fewer lie above the median; with more than half at the maximum, those at it are the level.
            Binarize::Threshold(None) => {
                let median = sorted[(sorted.len() - 1) / 2];
                edges(vec![if median < high { above(median) } else { high }])
            }
            Binarize::Quantile(k) => edges((1..k).map(|j| sorted[j * sorted.len() / k]).collect()),
            Binarize::BitPlanes(k) | Binarize::Gray(k) => even(&sorted, (1 << k) - 1),
        };
        let bits = match (&levels, scheme) {
            (Levels::Edges { edges, .. }, _) => edges.len(),
            (_, Binarize::BitPlanes(k) | Binarize::Gray(k)) => k,
            _ => 0,
        };
        let mut column = Self { name: name.to_owned(), levels, fixed: vec![None; bits] };
        for bit in 0..bits {
            let first = column.bit(scheme, values[0], bit);
            if values.iter().all(|&x| column.bit(scheme, x, bit) == first) {
                column.fixed[bit] = Some(first);
            }
        }
        if column.fixed.iter().all(Option::is_some) { Err(constant()) } else { Ok(column) }
    }

    fn level(&self, x: f64) -> usize {
        match &self.levels {
            Levels::Edges { edges, .. } => edges.partition_point(|e| *e <= x),
            // A negative quotient becomes level 0.
            Levels::Even { low, step, last } => (((x - low) / step).round() as usize).min(*last),
        }
    }

    fn bit(&self, scheme: Binarize, x: f64, bit: usize) -> bool {
        let level = self.level(x);
        match scheme {
            Binarize::BitPlanes(_) => level >> bit & 1 == 1,
            Binarize::Gray(_) => (level ^ level >> 1) >> bit & 1 == 1,
            _ => level > bit,
        }
    }

    /// Level of these bits, with the left-out ones put in.
    fn read(&self, scheme: Binarize, bits: &[bool]) -> Option<usize> {
        match scheme {
            Binarize::BitPlanes(_) | Binarize::Gray(_) => {
                let mut level = bits.iter().rev().fold(0usize, |level, &b| 2 * level + usize::from(b));
                if matches!(scheme, Binarize::Gray(_)) {
                    let mut shift = 1;
                    while shift < usize::BITS {
                        level ^= level >> shift;
                        shift *= 2;
                    }
                }
                let Levels::Even { last, .. } = self.levels else { return None };
                (level <= last).then_some(level)
            }
            // A unary code has no 1 after a 0.
            _ => {
                let level = bits.iter().take_while(|&&b| b).count();
                bits[level..].iter().all(|&b| !b).then_some(level)
            }
        }
    }

    fn value(&self, level: usize) -> f64 {
        match &self.levels {
            Levels::Edges { means, .. } => means[level],
            Levels::Even { low, step, .. } => low + level as f64 * step,
        }
    }
}

/// Largest number that the gaps are multiples of; meaningless when there is none from `least` on.
fn common_step(gaps: impl Iterator<Item = f64>, least: f64) -> f64 {
    gaps.fold(0.0, |step: f64, gap| {
        let (mut a, mut b) = (gap.max(step), gap.min(step));
        // What is left of a division lies between -b/2 and b/2: less than half of the least step is rounding.
        while b > 0.5 * least {
            (a, b) = (b, (a - (a / b).round() * b).abs());
        }
        a
    })
}

/// Evenly spaced levels: the spacing of the numbers themselves when it is one and there are few enough, else the range over all.
fn even(sorted: &[f64], last: usize) -> Levels {
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let gaps = || sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0);
    // The least gap, or what it and the others are multiples of: 1 for 0, 2 and 5.
    for step in [gaps().fold(f64::INFINITY, f64::min), common_step(gaps(), (high - low) / last as f64)] {
        let count = ((high - low) / step).round();
        if count > last as f64 {
            continue;
        }
        // Rounding of decimal fractions must not shift a level by a part in 10^9.
        let step = (high - low) / count;
        let on_grid = |x: &f64| {
            let level = (x - low) / step;
            (level - level.round()).abs() < 1e-9
        };
        if sorted.iter().all(on_grid) {
            return Levels::Even { low, step, last: count as usize };
        }
    }
    Levels::Even { low, step: (high - low) / last as f64, last }
}

impl Decoder {
    /// The scheme it was fitted with.
    pub fn scheme(&self) -> Binarize {
        self.scheme
    }

    /// Number of bits a step.
    pub fn n_bits(&self) -> usize {
        self.columns.iter().flat_map(|c| &c.fixed).filter(|fixed| fixed.is_none()).count()
    }

    /// Bits of a table with the same columns. A series is named after its column, with `.bit` when there are several.
    ///
    /// Numbers outside the range seen by [`Binarize::fit`] take the nearest level.
    ///
    /// # Errors
    /// [`SeriesError::NoSuchColumn`]; [`SeriesError::Constant`] and [`SeriesError::TooShort`] as for
    /// [`BitSeries::check_varying`].
    pub fn encode(&self, table: &Table) -> Result<BitSeries> {
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        let table = table.select(&names)?;
        let mut labels = Vec::new();
        for column in &self.columns {
            let bits = column.fixed.len();
            let kept = (0..bits).filter(|&bit| column.fixed[bit].is_none());
            labels.extend(kept.map(|b| if bits == 1 { column.name.clone() } else { format!("{}.{b}", column.name) }));
        }
        let mut series = BitSeries::with_names(labels)?;
        series.reserve(table.n_steps());
        let mut step = Vec::with_capacity(series.n_series());
        for t in 0..table.n_steps() {
            step.clear();
            for (i, column) in self.columns.iter().enumerate() {
                let x = table.column(i)[t];
                let kept = (0..column.fixed.len()).filter(|&bit| column.fixed[bit].is_none());
                step.extend(kept.map(|bit| if column.bit(self.scheme, x, bit) { 1i8 } else { -1 }));
            }
            series.push(&step);
        }
        series.check_varying()?;
        Ok(series)
    }

    /// The numbers that the bits of a step stand for, one a column: the level itself for evenly spaced levels, the mean of the level
    /// otherwise.
    ///
    /// # Errors
    /// [`SeriesError::Value`] for bits that no number has, with line 1 for the step.
    ///
    /// # Panics
    /// If `step.len()` is not [`n_bits`](Self::n_bits).
    pub fn decode(&self, step: &[i8]) -> Result<Vec<f64>> {
        assert_eq!(step.len(), self.n_bits(), "step of {} for {} bits", step.len(), self.n_bits());
        let mut from = step.iter();
        let mut values = Vec::with_capacity(self.columns.len());
        for (i, column) in self.columns.iter().enumerate() {
            let bit = |fixed: &Option<bool>| fixed.unwrap_or_else(|| from.next().is_some_and(|b| *b > 0));
            let bits: Vec<bool> = column.fixed.iter().map(bit).collect();
            let Some(level) = column.read(self.scheme, &bits) else {
                let found = bits.iter().map(|&b| if b { '1' } else { '0' }).collect();
                let (name, expected) = (column.name.clone(), "the code of a level");
                return Err(SeriesError::Value { line: 1, column: i + 1, name, found, expected }.into());
            };
            values.push(column.value(level));
        }
        Ok(values)
    }

    /// Checks that no level is lost: every number of the table, encoded and decoded, lies in the level it came from.
    ///
    /// # Errors
    /// [`SeriesError::Lossy`] with the first that does not; this happens to numbers outside the range seen by
    /// [`Binarize::fit`], where a bit was left out.
    pub fn check_levels(&self, table: &Table) -> Result<()> {
        self.check(table, |column, x, decoded| column.level(x) == column.level(decoded))
    }

    /// Checks that nothing is lost at all: every number of the table comes back, within a part in $`10^9`$ of the range.
    ///
    /// # Errors
    /// [`SeriesError::Lossy`] with the first number that does not.
    pub fn check_exact(&self, table: &Table) -> Result<()> {
        self.check(table, |column, x, decoded| {
            let range = match &column.levels {
                Levels::Edges { means, .. } => means[means.len() - 1] - means[0],
                Levels::Even { step, last, .. } => step * *last as f64,
            };
            (x - decoded).abs() <= 1e-9 * range
        })
    }

    fn check(&self, table: &Table, same: impl Fn(&Column, f64, f64) -> bool) -> Result<()> {
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        let table = table.select(&names)?;
        for (i, column) in self.columns.iter().enumerate() {
            for (step, &value) in table.column(i).iter().enumerate() {
                let bit = |b: usize| column.fixed[b].unwrap_or_else(|| column.bit(self.scheme, value, b));
                let bits: Vec<bool> = (0..column.fixed.len()).map(bit).collect();
                let decoded = column.read(self.scheme, &bits).map_or(f64::NAN, |level| column.value(level));
                if !same(column, value, decoded) {
                    let (name, scheme) = (column.name.clone(), self.scheme.to_string());
                    return Err(SeriesError::Lossy { step, name, value, decoded, scheme }.into());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[f64]) -> Table {
        Table::new(vec!["v".into()], vec![values.to_vec()]).unwrap()
    }

    #[test]
    fn every_scheme_keeps_its_level() {
        let values: Vec<f64> = (0..200).map(|k| (f64::from(k) * 0.7).sin() * 3.0 + 0.2).collect();
        let table = table(&values);
        let schemes = [
            Binarize::Sign,
            Binarize::Threshold(None),
            Binarize::Threshold(Some(1.0)),
            Binarize::Quantile(5),
            Binarize::BitPlanes(3),
            Binarize::Gray(6),
        ];
        for (scheme, bits) in schemes.into_iter().zip([1, 1, 1, 4, 3, 6]) {
            let decoder = scheme.fit(&table).unwrap();
            decoder.check_levels(&table).unwrap();
            assert!(decoder.check_exact(&table).is_err(), "{scheme} cannot hold 200 numbers");
            let series = decoder.encode(&table).unwrap();
            assert_eq!(series.n_series(), bits);
            assert_eq!(scheme.to_string().parse::<Binarize>().unwrap(), scheme);
            let mut step = vec![0; bits];
            for (t, &x) in values.iter().enumerate() {
                series.step_into(t, &mut step);
                let back = decoder.decode(&step).unwrap()[0];
                assert_eq!(decoder.columns[0].level(back), decoder.columns[0].level(x), "{scheme} {x} {back}");
            }
        }
        let median = Binarize::Threshold(None).fit(&table).unwrap().encode(&table).unwrap();
        assert_eq!(median.count_up(0), 100);
    }

    #[test]
    fn integers_come_back() {
        let integers = table(&[-3.0, 4.0, 0.0, 2.0, -3.0, 1.0]);
        for scheme in [Binarize::BitPlanes(3), Binarize::Gray(3), Binarize::Gray(9), Binarize::Quantile(50)] {
            scheme.fit(&integers).unwrap().check_exact(&integers).unwrap();
        }
        // Six bits of nine never change and are no series.
        assert_eq!(Binarize::Gray(9).fit(&integers).unwrap().n_bits(), 3);
        let lossy = Binarize::Gray(2).fit(&integers).unwrap().check_exact(&integers).unwrap_err().to_string();
        assert!(lossy.starts_with("step ") && lossy.ends_with("after encoding with gray:2"), "{lossy}");
        let decimals = table(&[0.1, 0.3, 0.7, 0.2]);
        Binarize::BitPlanes(3).fit(&decimals).unwrap().check_exact(&decimals).unwrap();
        // No two numbers are one step apart.
        for (values, bits) in [
            (&[0.0, 2.0, 5.0][..], 3),
            (&[0.0, 6.0, 10.0], 3),
            (&[0.0, 6.0, 10.0, 21.0], 5),
            (&[-0.4, 0.6, 1.1], 2),
            (&[1e9, 1e9 + 6.0, 1e9 + 15.0], 3),
            (&[0.0, 30_000.0, 65_535.0, 65_533.0], 16),
        ] {
            let sparse = table(values);
            for scheme in [Binarize::BitPlanes(bits), Binarize::Gray(bits)] {
                scheme.fit(&sparse).unwrap().check_exact(&sparse).unwrap();
            }
        }
        // Too many levels: the range over all.
        let wide = table(&[0.0, 2.0, 9.0]);
        let levels = &Binarize::Gray(3).fit(&wide).unwrap().columns[0].levels;
        assert!(matches!(levels, Levels::Even { step, last: 7, .. } if (step - 9.0 / 7.0).abs() < 1e-15), "{levels:?}");
    }

    #[test]
    fn neighbouring_levels_differ_in_one_gray_bit() {
        let all = table(&(0..32).map(f64::from).collect::<Vec<_>>());
        let series = Binarize::Gray(5).fit(&all).unwrap().encode(&all).unwrap();
        for t in 1..32 {
            assert_eq!((0..5).filter(|&i| series.get(i, t) != series.get(i, t - 1)).count(), 1);
        }
    }

    #[test]
    fn bad_input() {
        let constant = Binarize::Sign.fit(&table(&[2.0, 2.0])).unwrap_err().to_string();
        assert_eq!(constant, "column 1 (v) is 2 in every step");
        let positive = Binarize::Sign.fit(&table(&[2.0, 3.0])).unwrap_err().to_string();
        assert_eq!(positive, "column 1 (v) is 2 to 3 in every step");
        let values = table(&[0.0, 1.0, 2.0]);
        for scheme in [
            Binarize::Quantile(1),
            Binarize::BitPlanes(0),
            Binarize::Gray(17),
            Binarize::Threshold(Some(f64::NAN)),
            Binarize::Threshold(Some(7.0)),
        ] {
            assert!(scheme.fit(&values).is_err(), "{scheme}");
        }
        for text in ["", "sign:2", "gray:x", "threshold:a", "median"] {
            assert!(text.parse::<Binarize>().is_err(), "{text}");
        }
        let decoder = Binarize::Quantile(3).fit(&values).unwrap();
        assert!(decoder.decode(&[-1, 1]).is_err());
        assert!(decoder.encode(&Table::new(vec!["w".into()], vec![vec![0.0, 1.0]]).unwrap()).is_err());
    }
}
