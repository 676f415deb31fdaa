use num_complex::Complex64;
use rand::{Rng, RngExt};

use super::*;
use crate::rng::Streams;

trait Random: GemmScalar + std::fmt::Debug {
    const ROUNDING: f64;
    fn random<R: Rng + ?Sized>(rng: &mut R) -> Self;
    fn distance(self, other: Self) -> f64;
}

impl Random for f32 {
    const ROUNDING: f64 = f32::EPSILON as f64;
    fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
        rng.random_range(-1.0..1.0)
    }
    fn distance(self, other: Self) -> f64 {
        f64::from((self - other).abs())
    }
}

impl Random for f64 {
    const ROUNDING: f64 = f64::EPSILON;
    fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
        rng.random_range(-1.0..1.0)
    }
    fn distance(self, other: Self) -> f64 {
        (self - other).abs()
    }
}

impl Random for Complex64 {
    const ROUNDING: f64 = f64::EPSILON;
    fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self::new(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0))
    }
    fn distance(self, other: Self) -> f64 {
        (self - other).norm()
    }
}

fn random<T: Random, R: Rng + ?Sized>(len: usize, rng: &mut R) -> Vec<T> {
    (0..len).map(|_| T::random(rng)).collect()
}

/// Strides of a random injective layout of a batch: an order of the axes, with gaps.
fn strides<R: Rng + ?Sized>(sizes: [usize; 3], rng: &mut R) -> ([usize; 3], usize) {
    let mut order = [0, 1, 2];
    for i in 0..2 {
        order.swap(i, i + rng.random_range(0..3 - i as u32) as usize);
    }
    let mut strides = [0; 3];
    let mut next = 1;
    for axis in order {
        strides[axis] = next + rng.random_range(0..2u32) as usize;
        next = strides[axis] * sizes[axis].max(1);
    }
    (strides, next)
}

fn agrees<T: Random>(seed: u64) {
    let mut rng = Streams::new(seed).stream(0);
    for trial in 0..250 {
        let mut size = |top: u32| rng.random_range(0..=top) as usize;
        let top = [2, 9, 70][trial % 3];
        let (m, k, n, batch) = (size(top), size(top), size(top), size(3));
        let (sa, la) = strides([m, k, batch], &mut rng);
        let (sb, lb) = strides([k, n, batch], &mut rng);
        let (sc, lc) = strides([m, n, batch], &mut rng);
        let (a, b, before): (Vec<T>, Vec<T>, Vec<T>) =
            (random(la, &mut rng), random(lb, &mut rng), random(lc, &mut rng));
        let (alpha, mut beta) = (T::random(&mut rng), T::random(&mut rng));
        if trial % 2 == 0 {
            beta = T::ZERO;
        }
        let mut c = before.clone();
        gemm_batched(
            batch,
            alpha,
            (Matrix::strided(&a, m, k, sa[0], sa[1]), sa[2]),
            (Matrix::strided(&b, k, n, sb[0], sb[1]), sb[2]),
            beta,
            (MatrixMut::strided(&mut c, m, n, sc[0], sc[1]), sc[2]),
        );
        let mut expected = before;
        for t in 0..batch {
            for i in 0..m {
                for j in 0..n {
                    let mut sum = T::ZERO;
                    for l in 0..k {
                        sum = sum + a[i * sa[0] + l * sa[1] + t * sa[2]] * b[l * sb[0] + j * sb[1] + t * sb[2]];
                    }
                    let place = i * sc[0] + j * sc[1] + t * sc[2];
                    expected[place] = alpha * sum + beta * expected[place];
                }
            }
        }
        // Sums of k products of size about one, in another order: a few roundings each.
        let bound = 4.0 * (k + 4) as f64 * T::ROUNDING;
        for (place, (&x, &y)) in c.iter().zip(&expected).enumerate() {
            assert!(x.distance(y) <= bound, "trial {trial}, {m} x {k} x {n}, entry {place}: {x:?} and {y:?}");
        }
    }
}

#[test]
fn agrees_with_loops_over_random_shapes_and_strides() {
    agrees::<f32>(1);
    agrees::<f64>(2);
    agrees::<Complex64>(3);
}

#[test]
fn old_content_is_not_read_when_beta_is_zero() {
    for n in [1, 20] {
        let a = vec![1.0; n * n];
        let mut c = vec![f64::NAN; n * n];
        gemm(1.0, Matrix::row_major(&a, n, n), Matrix::col_major(&a, n, n), 0.0, MatrixMut::row_major(&mut c, n, n));
        assert!(c.iter().all(|&x| (x - n as f64).abs() < 1e-12));
    }
}

#[test]
fn an_empty_inner_dimension_scales() {
    let mut c = [1.0f64, 2.0];
    gemm(5.0, Matrix::row_major(&[], 1, 0), Matrix::row_major(&[], 0, 2), 3.0, MatrixMut::row_major(&mut c, 1, 2));
    assert!((c[0] - 3.0).abs() < 1e-15 && (c[1] - 6.0).abs() < 1e-15);
}

#[test]
fn nan_and_infinity_pass_through() {
    let a = [f64::INFINITY; 400];
    let mut b = [1.0; 400];
    b[0] = f64::NAN;
    let mut c = [0.0; 400];
    gemm(1.0, Matrix::row_major(&a, 20, 20), Matrix::row_major(&b, 20, 20), 0.0, MatrixMut::row_major(&mut c, 20, 20));
    assert!((0..20).all(|i| c[20 * i].is_nan() && c[20 * i + 1] == f64::INFINITY));
}

#[test]
#[should_panic(expected = "a has 3 columns, b has 2 rows")]
fn shapes_must_fit() {
    let x = [0.0; 6];
    let mut c = [0.0; 4];
    gemm(1.0, Matrix::row_major(&x, 2, 3), Matrix::row_major(&x, 2, 2), 0.0, MatrixMut::row_major(&mut c, 2, 2));
}

#[test]
#[should_panic(expected = "needs 6 entries, got 5")]
fn slices_must_be_long_enough() {
    Matrix::row_major(&[0.0; 5], 2, 3);
}

#[test]
#[should_panic(expected = "c: entries overlap")]
fn overlapping_rows_are_refused() {
    MatrixMut::strided(&mut [0.0; 9], 3, 3, 2, 1);
}

#[test]
#[should_panic(expected = "c: entries overlap")]
fn a_batch_on_one_matrix_is_refused() {
    let x = [0.0; 4];
    let mut c = [0.0; 4];
    let a = Matrix::row_major(&x, 2, 2);
    gemm_batched(2, 1.0, (a, 0), (a, 0), 0.0, (MatrixMut::row_major(&mut c, 2, 2), 0));
}

#[test]
#[should_panic(expected = "needs too many entries, got 1")]
fn huge_strides_are_refused() {
    Matrix::strided(&[0.0], 3, 3, usize::MAX / 2, 1);
}
