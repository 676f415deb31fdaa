//! From coefficients of spin products to energies of all states.

/// What the coefficients of one level of [`expand`] look like; known from the model's structure, not its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// No product has this spin as its last.
    Empty,
    /// Only the spin itself: a field.
    Field,
    /// Products with earlier spins too.
    Products,
}

/// The levels of a set of products over `bits` spins, each product a bit mask.
pub(super) fn levels(products: impl Iterator<Item = usize>, bits: usize) -> Vec<Level> {
    let mut levels = vec![Level::Empty; bits];
    for product in products.filter(|&product| product != 0) {
        let last = product.ilog2() as usize;
        if product != 1 << last {
            levels[last] = Level::Products;
        } else if levels[last] == Level::Empty {
            levels[last] = Level::Field;
        }
    }
    levels
}

/// Writes `Σ_A c_A Π_{i∈A} s_i` for every state of `levels.len()` spins, bit i of the state set for `s_i = -1`.
///
/// `coefficients[A]` is overwritten. A level of fields costs two additions a state, a level of products a
/// Walsh-Hadamard transform of its half of the coefficients.
pub(super) fn expand(coefficients: &mut [f64], levels: &[Level], out: &mut [f64]) {
    out[0] = coefficients[0];
    for (l, level) in levels.iter().enumerate() {
        let half = 1 << l;
        let (up, down) = out[..2 * half].split_at_mut(half);
        match level {
            Level::Empty => down.copy_from_slice(up),
            Level::Field => {
                let field = coefficients[half];
                for (up, down) in up.iter_mut().zip(down) {
                    *down = *up - field;
                    *up += field;
                }
            }
            Level::Products => {
                let products = &mut coefficients[half..2 * half];
                walsh_hadamard(products);
                for ((up, down), product) in up.iter_mut().zip(down).zip(products) {
                    *down = *up - *product;
                    *up += *product;
                }
            }
        }
    }
}

/// `x_s → Σ_A x_A (-1)^{|A∩s|}` in place; the length is a power of two.
pub(super) fn walsh_hadamard(x: &mut [f64]) {
    let mut half = x.len() / 2;
    while half > 0 {
        for block in x.chunks_exact_mut(2 * half) {
            let (a, b) = block.split_at_mut(half);
            for (a, b) in a.iter_mut().zip(b) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half /= 2;
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
        if (mask & state).count_ones() % 2 == 0 { 1.0 } else { -1.0 }
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
        assert_eq!(levels, [Level::Empty, Level::Field, Level::Products, Level::Empty, Level::Products]);
        let mut out = vec![0.0; 32];
        expand(&mut coefficients, &levels, &mut out);
        for (state, &energy) in out.iter().enumerate() {
            let direct: f64 = terms.iter().map(|&(mask, value)| value * product(mask, state)).sum();
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
