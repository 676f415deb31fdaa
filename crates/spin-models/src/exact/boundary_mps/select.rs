//! The span of some vectors, cut to the directions that weigh most.

/// Vectors of one charge, one after another.
#[derive(Debug, Clone)]
pub(super) struct Vectors {
    pub(super) data: Vec<f64>,
    pub(super) length: usize,
    pub(super) charge: f64,
}

/// Directions of a smaller share of the whole squared norm are rounding errors.
const NEGLIGIBLE: f64 = 1e-32;

#[inline]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (x, y) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = x.remainder().iter().zip(y.remainder()).map(|(a, b)| a * b).sum();
    for (x, y) in x.zip(y) {
        for ((lane, a), b) in lanes.iter_mut().zip(x).zip(y) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// `row -= share other`; the new squared norm of `row`.
#[inline]
fn subtract(row: &mut [f64], share: f64, other: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let whole = row.len() / 8 * 8;
    let (x, x_rest) = row.split_at_mut(whole);
    let (y, y_rest) = other.split_at(whole);
    for (x, y) in x.chunks_exact_mut(8).zip(y.chunks_exact(8)) {
        for ((lane, a), b) in lanes.iter_mut().zip(x).zip(y) {
            *a -= share * b;
            *lane += *a * *a;
        }
    }
    let mut rest = 0.0;
    for (a, b) in x_rest.iter_mut().zip(y_rest) {
        *a -= share * b;
        rest += *a * *a;
    }
    lanes.iter().sum::<f64>() + rest
}

/// An orthonormal basis of at most `most` directions, the charges of its vectors, and the share of the squared norm of
/// all vectors that lies outside of its span.
///
/// Orthogonalisation with pivoting (rank-revealing QR): the longest remainder comes next. All vectors have one length.
pub(super) fn select(mut all: Vec<Vectors>, most: usize) -> (Vec<f64>, Vec<f64>, f64) {
    let length = all[0].length;
    let mut norms: Vec<Vec<f64>> =
        all.iter().map(|vectors| vectors.data.chunks_exact(length).map(|v| dot(v, v)).collect()).collect();
    let total: f64 = norms.iter().flatten().sum();
    let (mut basis, mut charges): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    while charges.len() < most {
        // The longest remainder: block, place, squared norm.
        let mut best = (0, 0, NEGLIGIBLE * total);
        for (block, norms) in norms.iter().enumerate() {
            for (place, &norm) in norms.iter().enumerate() {
                if norm > best.2 {
                    best = (block, place, norm);
                }
            }
        }
        let (block, place, norm) = best;
        if norms[block].is_empty() || norms[block][place] < norm || norm == 0.0 {
            break;
        }
        let vectors = &mut all[block];
        let count = norms[block].len();
        // The chosen one goes last and is taken off.
        norms[block].swap_remove(place);
        let (front, last) = vectors.data.split_at_mut((count - 1) * length);
        if place < count - 1 {
            front[place * length..(place + 1) * length].swap_with_slice(last);
        }
        let mut chosen = last.to_vec();
        for (other, _) in basis.chunks_exact(length).zip(&charges).filter(|(_, charge)| **charge * vectors.charge > 0.0)
        {
            let share = dot(other, &chosen);
            subtract(&mut chosen, share, other);
        }
        vectors.data.truncate((count - 1) * length);
        let left = dot(&chosen, &chosen);
        // What vanishes under a second projection was rounding.
        if left <= 0.25 * norm {
            continue;
        }
        let inverse = left.sqrt().recip();
        chosen.iter_mut().for_each(|x| *x *= inverse);
        for (row, norm) in vectors.data.chunks_exact_mut(length).zip(&mut norms[block]) {
            let share = dot(row, &chosen);
            *norm = subtract(row, share, &chosen);
        }
        basis.extend_from_slice(&chosen);
        charges.push(vectors.charge);
    }
    if charges.is_empty() {
        // A function that is zero, or lost: any direction will do.
        basis.resize(length, 0.0);
        basis[0] = 1.0;
        charges.push(all[0].charge);
        return (basis, charges, 0.0);
    }
    let left: f64 = norms.iter().flatten().sum();
    (basis, charges, left / total)
}
