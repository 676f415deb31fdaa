//! Points in the order of a Hilbert curve.

/// Bits of a key for every dimension: all keys fit into 63 bits.
pub(super) const fn bits<const D: usize>() -> u32 {
    let bits = 63 / D;
    if bits > 31 { 31 } else { bits as u32 }
}

/// The number of a cell along the curve; the first `D l` bits number the cell of level `l` around it.
///
/// J. Skilling, AIP Conf. Proc. 707, 381 (2004): undo the excess work of the levels, Gray code, interleave.
fn key<const D: usize>(mut x: [u32; D]) -> u64 {
    let bits = bits::<D>();
    for level in (1..bits).rev() {
        let (bit, below) = (1 << level, (1 << level) - 1);
        for a in 0..D {
            if x[a] & bit != 0 {
                x[0] ^= below;
            } else {
                let exchanged = (x[0] ^ x[a]) & below;
                x[0] ^= exchanged;
                x[a] ^= exchanged;
            }
        }
    }
    for a in 1..D {
        x[a] ^= x[a - 1];
    }
    let mut flipped = 0;
    for level in (1..bits).rev() {
        if x[D - 1] & (1 << level) != 0 {
            flipped ^= (1 << level) - 1;
        }
    }
    let mut key = 0;
    for level in (0..bits).rev() {
        for x in &x {
            key = key << 1 | u64::from((x ^ flipped) >> level & 1);
        }
    }
    key
}

/// Keys in ascending order with the numbers of their points.
pub(super) fn sorted<const D: usize>(points: &[[f64; D]]) -> Vec<(u64, u32)> {
    assert!(D > 0 && D < 64, "{D} dimensions, expected 1 to 63");
    let mut low = [f64::INFINITY; D];
    let mut high = [f64::NEG_INFINITY; D];
    for point in points {
        for a in 0..D {
            low[a] = low[a].min(point[a]);
            high[a] = high[a].max(point[a]);
        }
    }
    let side = (0..D).fold(0.0, |side: f64, a| side.max(high[a] - low[a]));
    // A side of 0 or ∞ makes NaN or 0 of the quotient and one cell of all: then the sum is direct.
    let scale = f64::from(1u32 << bits::<D>());
    let last = (1u32 << bits::<D>()) - 1;
    let cell = |point: &[f64; D]| {
        let mut x = [0; D];
        for a in 0..D {
            x[a] = (((point[a] - low[a]) / side * scale) as u32).min(last);
        }
        x
    };
    let mut keys: Vec<(u64, u32)> = points.iter().enumerate().map(|(i, p)| (key(cell(p)), i as u32)).collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_on_the_curve_are_neighbours_in_space() {
        // All cells of the coarsest levels, in the order of their keys.
        let side = 8u32;
        let points: Vec<[f64; 3]> =
            (0..side.pow(3)).map(|k| [k % side, k / side % side, k / side / side].map(f64::from)).collect();
        let mut seen = vec![false; points.len()];
        let order = sorted(&points);
        for pair in order.windows(2) {
            let (a, b) = (points[pair[0].1 as usize], points[pair[1].1 as usize]);
            let steps: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
            assert!((steps - 1.0).abs() < 1e-12, "{a:?} {b:?}");
        }
        order.iter().for_each(|&(_, i)| seen[i as usize] = true);
        assert!(seen.iter().all(|&s| s));
    }
}
