//! Continuous distributions.

use std::sync::LazyLock;

use rand::Rng;

/// A uniform number in the open interval (0, 1).
///
/// The 52 upper bits of a word, centred in their cells: $`(k + \tfrac12)\,2^{-52}`$. Never 0 or 1, symmetric about
/// 1/2, so it is safe under logarithms from both sides. One 64-bit word.
///
/// ```
/// use linalg_core::Streams;
/// use linalg_core::rng::uniform_open01;
///
/// let u = uniform_open01(&mut Streams::new(0).stream(0));
/// assert!(0.0 < u && u < 1.0);
/// ```
#[inline]
pub fn uniform_open01<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    // 53 bits and a half would round up to 1.
    ((rng.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// An exponential number with mean 1, density $`e^{-x}`$ for $`x > 0`$.
///
/// Inversion of [`uniform_open01`]: $`-\ln u`$. One 64-bit word; between $`2^{-53}`$ and $`53 \ln 2`$.
///
/// ```
/// use linalg_core::Streams;
/// use linalg_core::rng::exponential;
///
/// let mut rng = Streams::new(0).stream(0);
/// let waiting_time = exponential(&mut rng) / 4.0; // rate 4
/// assert!(waiting_time > 0.0);
/// ```
#[inline]
pub fn exponential<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    -libm::log(uniform_open01(rng))
}

/// Layers of the ziggurat, all of the same area.
const LAYERS: usize = 256;
/// Where the tail begins, and the area of a layer under exp(-x²/2): with these 256 layers close exactly at the top.
/// Solved with 40 digits.
const TAIL: f64 = 3.654152885361009;
const AREA: f64 = 0.004928673233974655;

/// Right edges of the layers and the density there.
struct Ziggurat {
    x: [f64; LAYERS + 1],
    f: [f64; LAYERS + 1],
}

static ZIGGURAT: LazyLock<Ziggurat> = LazyLock::new(|| {
    let density = |x: f64| libm::exp(-0.5 * x * x);
    let mut x = [0.0; LAYERS + 1];
    // Layer 0 is the base strip with the tail, as wide as a rectangle of the same area and height.
    x[0] = AREA / density(TAIL);
    x[1] = TAIL;
    for i in 2..LAYERS {
        let height = AREA / x[i - 1] + density(x[i - 1]);
        x[i] = libm::sqrt(-2.0 * libm::log(height));
    }
    Ziggurat { x, f: x.map(density) }
});

/// A standard Gaussian number, density $`e^{-x^2/2}/\sqrt{2\pi}`$.
///
/// The ziggurat method of Marsaglia and Tsang (J. Stat. Softw. 5, 8 (2000)) with 256 layers, the layer and the
/// position from disjoint bits of one word (as Doornik, "An improved ziggurat method", 2005, advises). Exact up to the
/// 53 bits of the position. One 64-bit word in 98.5 % of the calls; the tail is exact to any distance.
///
/// ```
/// use linalg_core::Streams;
/// use linalg_core::rng::standard_normal;
///
/// let mut rng = Streams::new(0).stream(0);
/// let coupling = 0.5 + 2.0 * standard_normal(&mut rng); // mean 1/2, standard deviation 2
/// assert!(coupling.is_finite());
/// ```
#[inline]
pub fn standard_normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let table = &*ZIGGURAT;
    loop {
        let word = rng.next_u64();
        let layer = (word & 0xff) as usize;
        // Odd multiples of 2^-53: symmetric, never zero.
        let u = ((word >> 12) as f64 + 0.5) * (1.0 / (1u64 << 51) as f64) - 1.0;
        let x = u * table.x[layer];
        if x.abs() < table.x[layer + 1] {
            return x;
        }
        if layer == 0 {
            return tail(u < 0.0, rng);
        }
        let (low, high) = (table.f[layer], table.f[layer + 1]);
        if low + (high - low) * uniform_open01(rng) < libm::exp(-0.5 * x * x) {
            return x;
        }
    }
}

/// A Gaussian number beyond the base strip, by Marsaglia's method of 1964.
#[cold]
fn tail<R: Rng + ?Sized>(negative: bool, rng: &mut R) -> f64 {
    loop {
        let x = exponential(rng) / TAIL;
        let y = exponential(rng);
        if 2.0 * y > x * x {
            return if negative { -(TAIL + x) } else { TAIL + x };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;
    use crate::stats::Running;

    #[test]
    fn the_ziggurat_closes() {
        let table = &*ZIGGURAT;
        assert!(table.x.windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!(table.x[LAYERS].to_bits(), 0);
        for i in 1..LAYERS {
            let area = table.x[i] * (table.f[i + 1] - table.f[i]);
            assert!((area / AREA - 1.0).abs() < 1e-10, "layer {i}: {area}");
        }
        // Strip and tail: r f(r) + sqrt(π/2) erfc(r/sqrt 2).
        let base = TAIL * table.f[1] + (std::f64::consts::PI / 2.0).sqrt() * libm::erfc(TAIL / 2f64.sqrt());
        assert!((base / AREA - 1.0).abs() < 1e-12);
    }

    #[test]
    fn moments_of_the_gaussian() {
        // Seed fixed, n = 10^6, |z| < 4: variances of the k-th moments are 1, 2, 15, 96 over n.
        let n = 1_000_000u32;
        let mut rng = Streams::new(60).fast_stream(0);
        let sample: Running = (0..n).map(|_| standard_normal(&mut rng)).collect();
        for (k, (mean, variance)) in [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)].iter().enumerate() {
            let z = (sample.raw_moment(k + 1) - mean) / (variance / f64::from(n)).sqrt();
            assert!(z.abs() < 4.0, "moment {}: z = {z}", k + 1);
        }
    }

    #[test]
    fn histogram_of_the_gaussian() {
        // 10^6 values in cells of probability 2 % by the exact quantiles, cells beyond the tail mark added.
        let n = 1_000_000;
        let mut rng = Streams::new(61).fast_stream(0);
        let cdf = |x: f64| 0.5 * libm::erfc(-x / 2f64.sqrt());
        let mut cells = [0u32; 50];
        let mut beyond = 0u32;
        for _ in 0..n {
            let x = standard_normal(&mut rng);
            cells[((cdf(x) * 50.0) as usize).min(49)] += 1;
            beyond += u32::from(x.abs() > TAIL);
        }
        // Chi-square with 49 degrees of freedom: 49 ± 4·sqrt(98).
        let expected = f64::from(n) / 50.0;
        let chi2: f64 = cells.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        assert!((chi2 - 49.0).abs() < 40.0, "{chi2}");
        let tail = f64::from(n) * libm::erfc(TAIL / 2f64.sqrt());
        assert!((f64::from(beyond) - tail).abs() < 4.0 * tail.sqrt(), "{beyond} for {tail}");
    }

    #[test]
    fn the_tail_has_the_right_shape() {
        // E[x | x > r] = φ(r)/Q(r); 10^5 draws, the spread is below 0.27.
        let mut rng = Streams::new(62).fast_stream(0);
        let sample: Running = (0..100_000).map(|_| tail(false, &mut rng)).collect();
        let density = libm::exp(-0.5 * TAIL * TAIL) / std::f64::consts::TAU.sqrt();
        let mean = density / (0.5 * libm::erfc(TAIL / 2f64.sqrt()));
        assert!((sample.mean() - mean).abs() < 4.0 * sample.std_error());
        assert!(sample.std_error() < 1e-3 && sample.central_moment(2) > 0.04);
        assert!(tail(true, &mut rng) < -TAIL);
    }

    #[test]
    fn moments_of_the_exponential() {
        // E x = 1 with variance 1; E x² = 2 with variance 20.
        let n = 200_000u32;
        let mut rng = Streams::new(63).stream(0);
        let sample: Running = (0..n).map(|_| exponential(&mut rng)).collect();
        assert!((sample.mean() - 1.0).abs() < 4.0 / f64::from(n).sqrt());
        assert!((sample.raw_moment(2) - 2.0).abs() < 4.0 * (20.0 / f64::from(n)).sqrt());
    }

    /// A generator that repeats one word.
    struct Constant(u64);

    impl rand::TryRng for Constant {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.0 as u32)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(self.0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(self.0 as u8);
            Ok(())
        }
    }

    #[test]
    fn the_open_interval_is_open() {
        let ends = [u64::MIN, u64::MAX].map(|word| uniform_open01(&mut Constant(word)));
        assert_eq!(ends.map(f64::to_bits), [0.5f64.powi(53), 1.0 - 0.5f64.powi(53)].map(f64::to_bits));
        assert!(exponential(&mut Constant(u64::MAX)) > 0.0);
        assert!(exponential(&mut Constant(0)).is_finite());
    }
}
