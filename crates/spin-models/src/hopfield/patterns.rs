//! What is to be remembered.

use linalg_core::rand::{Rng, RngExt};
use linalg_core::rng::uniform_open01;

use crate::{Error, Result, Spins};

/// Patterns of ±1 over N spins, one after another.
///
/// ```
/// use spin_models::hopfield::Patterns;
///
/// let patterns = Patterns::new(2, vec![1, -1, 1, 1])?;
/// assert_eq!((patterns.n_spins(), patterns.n_patterns()), (2, 2));
/// assert_eq!(patterns.pattern(1), [1, 1]);
/// assert_eq!(patterns.overlaps(&[1.0, -1.0]), [1.0, 0.0]);
/// # Ok::<(), spin_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Patterns {
    n: usize,
    rows: Vec<i8>,
}

/// What a file may hold.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    n: usize,
    rows: Vec<i8>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Patterns {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        Self::new(unchecked.n, unchecked.rows)
    }
}

fn check_unit(what: &'static str, value: f64) -> Result<()> {
    if (-1.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Parameter { what, value: value.to_string(), expected: "a number from -1 to 1" })
}

fn check_size(n: usize, p: usize) -> Result<()> {
    if n == 0 {
        return Err(Error::NoSpins);
    }
    match n.checked_mul(p).filter(|&size| size <= isize::MAX as usize) {
        Some(_) => Ok(()),
        None => Err(Error::TooLarge { solver: "patterns", what: "patterns", value: p, bound: isize::MAX as usize / n }),
    }
}

impl Patterns {
    /// Patterns as rows of `n` spins; none is allowed.
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::WrongLength`] for rows that are not whole; [`Error::Parameter`] naming site and
    /// pattern of an entry other than ±1.
    pub fn new(n: usize, rows: Vec<i8>) -> Result<Self> {
        check_size(n, 0)?;
        if !rows.len().is_multiple_of(n) {
            let expected = rows.len().div_ceil(n) * n;
            return Err(Error::WrongLength { what: "entries of patterns", got: rows.len(), expected });
        }
        match rows.iter().position(|&s| s != 1 && s != -1) {
            None => Ok(Self { n, rows }),
            Some(k) => {
                let value = format!("{} at site {} of pattern {}", rows[k], k % n, k / n);
                Err(Error::Parameter { what: "spin", value, expected: "-1 or 1" })
            }
        }
    }

    /// `p` patterns of independent fair spins. One random word for 64 spins.
    ///
    /// # Errors
    /// [`Error::NoSpins`]; [`Error::TooLarge`] if the patterns are more than memory can have.
    pub fn random<R: Rng + ?Sized>(n: usize, p: usize, rng: &mut R) -> Result<Self> {
        check_size(n, p)?;
        Ok(Self { n, rows: Spins::random(n * p, rng).into_vec() })
    }

    /// `p` patterns of independent spins with mean `bias` in [-1, 1].
    ///
    /// Two patterns have the overlap bias², which Hebb's rule does not remove: it suits biases near 0.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::hopfield::Patterns;
    ///
    /// let up = Patterns::biased(5, 2, 1.0, &mut Streams::new(0).stream(0))?;
    /// assert_eq!(up.pattern(1), [1; 5]);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a bias out of range; as [`random`](Self::random).
    pub fn biased<R: Rng + ?Sized>(n: usize, p: usize, bias: f64, rng: &mut R) -> Result<Self> {
        check_size(n, p)?;
        check_unit("bias", bias)?;
        let up = 0.5 * (1.0 + bias);
        Ok(Self { n, rows: (0..n * p).map(|_| if uniform_open01(rng) < up { 1 } else { -1 }).collect() })
    }

    /// `p` patterns of mean overlap `overlap` in [0, 1] with each other: descendants of one random ancestor.
    ///
    /// Each spin is the ancestor's with probability (1 + √overlap)/2.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::hopfield::Patterns;
    ///
    /// let same = Patterns::correlated(6, 2, 1.0, &mut Streams::new(0).stream(0))?;
    /// assert_eq!(same.pattern(0), same.pattern(1));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for an overlap out of range; as [`random`](Self::random).
    pub fn correlated<R: Rng + ?Sized>(n: usize, p: usize, overlap: f64, rng: &mut R) -> Result<Self> {
        check_size(n, p)?;
        if !(0.0..=1.0).contains(&overlap) {
            let value = overlap.to_string();
            return Err(Error::Parameter { what: "mean overlap", value, expected: "a number from 0 to 1" });
        }
        let ancestor = Spins::random(n, rng);
        let same = 0.5 * (1.0 + overlap.sqrt());
        let mut rows = Vec::with_capacity(n * p);
        for _ in 0..p {
            rows.extend(ancestor.iter().map(|&s| if uniform_open01(rng) < same { s } else { -s }));
        }
        Ok(Self { n, rows })
    }

    /// Images of `n_pixels` grey values each; a pixel from `threshold` on is +1.
    ///
    /// ```
    /// use spin_models::hopfield::Patterns;
    ///
    /// let images = Patterns::from_images(&[0, 200, 128, 127], 2, 128)?;
    /// assert_eq!((images.pattern(0), images.pattern(1)), (&[-1, 1][..], &[1, -1][..]));
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSpins`] for no pixels; [`Error::WrongLength`] for images that are not whole.
    pub fn from_images(images: &[u8], n_pixels: usize, threshold: u8) -> Result<Self> {
        Self::new(n_pixels, images.iter().map(|&x| if x >= threshold { 1 } else { -1 }).collect())
    }

    /// Number of spins.
    pub fn n_spins(&self) -> usize {
        self.n
    }

    /// Number of patterns.
    pub fn n_patterns(&self) -> usize {
        self.rows.len() / self.n
    }

    /// The load α = P/N.
    pub fn load(&self) -> f64 {
        self.n_patterns() as f64 / self.n as f64
    }

    /// The pattern `mu`.
    ///
    /// # Panics
    /// If there is no such pattern.
    pub fn pattern(&self, mu: usize) -> &[i8] {
        assert!(mu < self.n_patterns(), "pattern {mu} of {}", self.n_patterns());
        &self.rows[mu * self.n..(mu + 1) * self.n]
    }

    /// All patterns in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[i8]> {
        self.rows.chunks_exact(self.n)
    }

    /// $`\frac{1}{N} \sum_i \xi_i^\mu m_i`$ for every pattern, of real magnetizations. `O(N P)`.
    ///
    /// # Panics
    /// If the number of magnetizations is not that of spins.
    pub fn overlaps(&self, m: &[f64]) -> Vec<f64> {
        assert_eq!(m.len(), self.n, "{} magnetizations for {} spins", m.len(), self.n);
        let dot = |row: &[i8]| row.iter().zip(m).map(|(&s, m)| f64::from(s) * m).sum::<f64>() / self.n as f64;
        self.iter().map(dot).collect()
    }

    /// The overlap of pattern `mu` with a configuration, $`\frac{1}{N} \sum_i \xi_i^\mu s_i`$.
    ///
    /// # Panics
    /// If there is no such pattern or the configuration has another number of spins.
    pub fn overlap(&self, mu: usize, s: &[i8]) -> f64 {
        assert_eq!(s.len(), self.n, "{} spins for patterns of {}", s.len(), self.n);
        let sum: i64 = self.pattern(mu).iter().zip(s).map(|(&x, &s)| i64::from(x * s)).sum();
        sum as f64 / self.n as f64
    }

    /// A copy of pattern `mu` in which randomly chosen spins are flipped so that its overlap is the possible value
    /// nearest to `overlap`: exactly round(N (1 - overlap)/2) flips.
    ///
    /// ```
    /// use linalg_core::Streams;
    /// use spin_models::hopfield::Patterns;
    ///
    /// let patterns = Patterns::new(4, vec![1, 1, -1, 1])?;
    /// let damaged = patterns.with_overlap(0, 0.5, &mut Streams::new(0).stream(0))?;
    /// assert_eq!(patterns.overlap(0, &damaged), 0.5);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for an overlap outside [-1, 1].
    ///
    /// # Panics
    /// If there is no such pattern.
    pub fn with_overlap<R: Rng + ?Sized>(&self, mu: usize, overlap: f64, rng: &mut R) -> Result<Spins> {
        check_unit("overlap", overlap)?;
        let mut s = self.pattern(mu).to_vec();
        let flips = (0.5 * (1.0 - overlap) * self.n as f64).round() as usize;
        // Selection sampling: each site is flipped with probability (flips left) / (sites left).
        let mut left = flips.min(self.n);
        for (i, s) in s.iter_mut().enumerate() {
            if rng.random_range(0..(self.n - i) as u64) < left as u64 {
                *s = -*s;
                left -= 1;
            }
        }
        Spins::from_signs(&s)
    }

    /// The symmetric mixture $`s_i = \mathrm{sign} \sum_k \sigma_k \xi_i^{\mu_k}`$ of an odd number of patterns
    /// with signs: the spurious states of small loads.
    ///
    /// ```
    /// use spin_models::hopfield::Patterns;
    ///
    /// let patterns = Patterns::new(4, vec![1, 1, 1, 1, 1, 1, -1, -1, 1, -1, 1, -1])?;
    /// assert_eq!(*patterns.mixture(&[(0, 1), (1, 1), (2, 1)])?, [1, 1, 1, -1]);
    /// # Ok::<(), spin_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for an even number, for a pattern that does not exist and for a sign other than ±1.
    pub fn mixture(&self, parts: &[(usize, i8)]) -> Result<Spins> {
        let bad = |what, value: String, expected| Err(Error::Parameter { what, value, expected });
        if parts.len().is_multiple_of(2) {
            return bad("number of patterns mixed", parts.len().to_string(), "an odd number");
        }
        if let Some((mu, _)) = parts.iter().find(|(mu, _)| *mu >= self.n_patterns()) {
            return bad("pattern of a mixture", mu.to_string(), "the number of a pattern");
        }
        if let Some((mu, sign)) = parts.iter().find(|(_, sign)| sign.abs() != 1) {
            return bad("sign of a mixture", format!("{sign} at pattern {mu}"), "-1 or 1");
        }
        let sum = |i: usize| parts.iter().map(|&(mu, sign)| i32::from(sign * self.rows[mu * self.n + i])).sum::<i32>();
        Spins::from_signs(&(0..self.n).map(|i| if sum(i) > 0 { 1 } else { -1 }).collect::<Vec<i8>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linalg_core::Streams;
    use linalg_core::stats::Running;

    /// 200 patterns of 1000 spins, seed 1: means within 4σ of bias and overlap.
    #[test]
    fn bias_and_correlation_are_those_asked_for() {
        let mut rng = Streams::new(1).stream(0);
        let patterns = Patterns::biased(1000, 200, 0.3, &mut rng).unwrap();
        let mean: Running = patterns.iter().flatten().map(|&s| f64::from(s)).collect();
        assert!(((mean.mean() - 0.3) / mean.std_error()).abs() < 4.0);
        let patterns = Patterns::correlated(1000, 200, 0.25, &mut rng).unwrap();
        // Pairs of distinct patterns are independent given the ancestor: 100 disjoint pairs.
        let pairs: Running = (0..100).map(|k| patterns.overlap(2 * k, patterns.pattern(2 * k + 1))).collect();
        assert!(((pairs.mean() - 0.25) / pairs.std_error()).abs() < 4.0, "{}", pairs.estimate());
    }

    #[test]
    fn damaged_patterns_have_the_overlap_exactly() {
        let mut rng = Streams::new(2).stream(0);
        let patterns = Patterns::random(100, 2, &mut rng).unwrap();
        for k in 0..=100i32 {
            let overlap = 1.0 - f64::from(k) / 50.0;
            let s = patterns.with_overlap(1, overlap, &mut rng).unwrap();
            approx::assert_abs_diff_eq!(patterns.overlap(1, &s), overlap, epsilon = 1e-12);
        }
        assert!(patterns.with_overlap(1, f64::NAN, &mut rng).is_err());
    }

    #[test]
    fn bad_patterns_are_named() {
        let text = |result: Result<Patterns>| result.unwrap_err().to_string();
        assert_eq!(text(Patterns::new(2, vec![1, 1, 1, 0])), "spin is 0 at site 1 of pattern 1, expected -1 or 1");
        assert_eq!(text(Patterns::new(2, vec![1, 1, 1])), "entries of patterns: 3 values for 4");
        assert_eq!(text(Patterns::new(0, vec![])), "a model needs at least one spin");
        let mut rng = Streams::new(0).stream(0);
        assert!(Patterns::random(usize::MAX, 3, &mut rng).is_err());
        assert!(Patterns::biased(3, 1, f64::NAN, &mut rng).is_err());
        assert!(Patterns::correlated(3, 1, -0.1, &mut rng).is_err());
        let two = Patterns::new(1, vec![1, -1]).unwrap();
        assert!(two.mixture(&[(0, 1), (1, 1)]).is_err() && two.mixture(&[(2, 1)]).is_err());
        assert!(two.mixture(&[(1, 0)]).is_err());
    }
}
