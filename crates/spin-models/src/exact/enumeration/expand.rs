//! From coefficients of spin products to energies of all states.

use linalg_core::walsh_hadamard;

/// What the coefficients of one level of [`expand`] look like; known from the model's structure, not its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Level {
    /// No product has this spin as its last.
    Empty,
    /// Only the spin itself: a field.
    Field,
    /// Some products with earlier spins, which are expanded in turn.
    Products(Vec<Level>),
    /// So many of them that a Walsh-Hadamard transform is cheaper.
    Dense,
}

impl Level {
    /// Additions for level l.
    fn cost(&self, l: usize) -> usize {
        let of = |levels: &[Level]| levels.iter().enumerate().map(|(l, level)| level.cost(l)).sum::<usize>();
        match self {
            Self::Empty => 1 << l,
            Self::Field => 2 << l,
            Self::Products(levels) => (2 << l) + of(levels),
            Self::Dense => (2 + l) << l,
        }
    }
}

/// Sets to 0 what [`expand`] reads beyond the products that exist, but for `coefficients[0]`.
///
/// Those are the last spin alone where it has products, a field or not, and all products of a dense level.
pub(super) fn clear_unset(coefficients: &mut [f64], levels: &[Level]) {
    for (l, level) in levels.iter().enumerate() {
        let own = &mut coefficients[1 << l..2 << l];
        match level {
            Level::Empty | Level::Field => {}
            Level::Products(levels) => {
                own[0] = 0.0;
                clear_unset(own, levels);
            }
            Level::Dense => own.fill(0.0),
        }
    }
}

/// The levels of a set of products over `bits` spins, each product a bit mask.
pub(super) fn levels(products: impl Iterator<Item = usize>, bits: usize) -> Vec<Level> {
    let mut by_last = vec![Vec::new(); bits];
    for product in products.filter(|&product| product != 0) {
        let last = product.ilog2() as usize;
        by_last[last].push(product ^ 1 << last);
    }
    let level = |(l, rest): (usize, Vec<usize>)| {
        if rest.is_empty() {
            return Level::Empty;
        }
        if rest.iter().all(|&product| product == 0) {
            return Level::Field;
        }
        let products = Level::Products(levels(Box::new(rest.into_iter()) as Box<dyn Iterator<Item = usize>>, l));
        if products.cost(l) < Level::Dense.cost(l) { products } else { Level::Dense }
    };
    by_last.into_iter().enumerate().map(level).collect()
}

/// Writes `Σ_A c_A Π_{i∈A} s_i` for every state of `levels.len()` spins, bit i of the state set for `s_i = -1`.
///
/// `coefficients[A]` may be overwritten. Where there is no product, those that [`clear_unset`] sets and
/// `coefficients[0]` must be 0; others are not read. `scratch` has the length of `out`. A level of fields costs two
/// additions a state.
pub(super) fn expand(coefficients: &mut [f64], levels: &[Level], out: &mut [f64], scratch: &mut [f64]) {
    out[0] = coefficients[0];
    for (l, level) in levels.iter().enumerate() {
        let half = 1 << l;
        let (up, down) = out[..2 * half].split_at_mut(half);
        let products: &[f64] = match level {
            Level::Empty => {
                down.copy_from_slice(up);
                continue;
            }
            Level::Field => {
                let field = coefficients[half];
                for (up, down) in up.iter_mut().zip(down) {
                    *down = *up - field;
                    *up += field;
                }
                continue;
            }
            Level::Products(levels) => {
                let (products, scratch) = scratch.split_at_mut(half);
                expand(&mut coefficients[half..2 * half], levels, products, scratch);
                products
            }
            Level::Dense => {
                let products = &mut coefficients[half..2 * half];
                walsh_hadamard(products);
                products
            }
        };
        for ((up, down), product) in up.iter_mut().zip(down).zip(products) {
            *down = *up - product;
            *up += product;
        }
    }
}

/// The sum of a table and, for every bit l, the sum of the entries with that bit set; the table is used up.
///
/// Adds halves onto each other: two additions an entry, and sums as accurate as pairwise ones.
pub(super) fn fold(table: &mut [f64], down: &mut [f64]) -> f64 {
    let mut half = table.len();
    for down in down.iter_mut().rev() {
        half /= 2;
        let (a, b) = table[..2 * half].split_at_mut(half);
        let mut lanes = [0.0; 4];
        let (a4, a_rest) = a.as_chunks_mut::<4>();
        let (b4, b_rest) = b.as_chunks::<4>();
        for (a, b) in a4.iter_mut().zip(b4) {
            for j in 0..4 {
                lanes[j] += b[j];
                a[j] += b[j];
            }
        }
        let mut sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
        for (a, b) in a_rest.iter_mut().zip(b_rest) {
            sum += *b;
            *a += *b;
        }
        *down = sum;
    }
    table[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(mask: usize, state: usize) -> f64 {
        if (mask & state).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
    }

    #[test]
    fn all_kinds_of_levels_expand_to_the_direct_sum() {
        // Spin 0 free, 1 a field, 2 a field and a pair, 3 nothing, 4 a product without a field.
        let terms = [(0, 0.5), (0b10, 1.25), (0b100, -0.75), (0b110, 2.0), (0b10111, -3.5), (0b10001, 0.125)];
        let mut coefficients = vec![0.0; 32];
        for (mask, value) in terms {
            coefficients[mask] += value;
        }
        let levels = levels(terms.iter().map(|term| term.0), 5);
        assert_eq!(levels[..2], [Level::Empty, Level::Field]);
        assert_eq!(levels[2], Level::Products(vec![Level::Empty, Level::Field]));
        assert!(matches!(levels[4], Level::Products(_) | Level::Dense));
        let mut out = vec![0.0; 32];
        expand(&mut coefficients, &levels, &mut out, &mut [0.0; 32]);
        for (state, &energy) in out.iter().enumerate() {
            let direct: f64 = terms.iter().map(|&(mask, value)| value * product(mask, state)).sum();
            approx::assert_abs_diff_eq!(energy, direct, epsilon = 0.0);
        }
    }

    #[test]
    fn only_what_is_cleared_is_read_without_a_product() {
        // Products of spins 2, 3 and 5 without a field, nested ones too, and a dense level without one.
        let few = [0b110, 0b1101, 0b1_0000, 0b10_1101, 0b10_0011];
        let masks: Vec<usize> = few.into_iter().chain((1..64).map(|k| 0b100_0000 | k)).collect();
        let levels = levels(masks.iter().copied(), 7);
        assert!(matches!(levels[2], Level::Products(_)) && levels[6] == Level::Dense);
        let mut coefficients = vec![f64::NAN; 128];
        clear_unset(&mut coefficients, &levels);
        coefficients[0] = 0.0;
        for (k, &mask) in masks.iter().enumerate() {
            coefficients[mask] = k as f64 - 3.0;
        }
        let mut out = vec![f64::NAN; 128];
        expand(&mut coefficients, &levels, &mut out, &mut [f64::NAN; 128]);
        for (state, &energy) in out.iter().enumerate() {
            let direct: f64 = masks.iter().enumerate().map(|(k, &mask)| (k as f64 - 3.0) * product(mask, state)).sum();
            approx::assert_abs_diff_eq!(energy, direct, epsilon = 0.0);
        }
    }

    #[test]
    fn all_products_are_transformed() {
        let mut coefficients: Vec<f64> = (0..64).map(|k| f64::from(k * k % 23)).collect();
        let copy = coefficients.clone();
        let levels = levels(0..64, 6);
        assert!(levels[5] == Level::Dense);
        let mut out = vec![0.0; 64];
        expand(&mut coefficients, &levels, &mut out, &mut [0.0; 64]);
        for (state, &energy) in out.iter().enumerate() {
            let direct: f64 = copy.iter().enumerate().map(|(mask, c)| c * product(mask, state)).sum();
            approx::assert_abs_diff_eq!(energy, direct, epsilon = 0.0);
        }
    }

    #[test]
    fn fold_sums_every_bit() {
        for bits in 0..7 {
            let mut table: Vec<f64> = (0..1 << bits).map(|k| f64::from((k * k) % 17)).collect();
            let copy = table.clone();
            let mut down = vec![0.0; bits];
            let sum = fold(&mut table, &mut down);
            approx::assert_abs_diff_eq!(sum, copy.iter().sum(), epsilon = 0.0);
            for (l, &down) in down.iter().enumerate() {
                let direct: f64 = copy.iter().enumerate().filter(|(k, _)| k >> l & 1 == 1).map(|(_, x)| x).sum();
                approx::assert_abs_diff_eq!(down, direct, epsilon = 0.0);
            }
        }
    }
}
