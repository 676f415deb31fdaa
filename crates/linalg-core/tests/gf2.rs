//! Linear algebra over GF(2) against slow implementations, exhaustive counts and its own definitions.

use linalg_core::gf2::{BinaryCsc, BitMatrix, BitVec};
use linalg_core::rng::Streams;
use proptest::prelude::*;
use rand::RngExt;

/// A matrix of at most the given rank; `density` of 1/2 for unbiased bits when the rank is not limited.
fn matrix(n_rows: usize, n_cols: usize, density: f64, rank: Option<usize>, seed: u64) -> BitMatrix {
    let mut rng = Streams::new(seed).stream(0);
    let mut draw = |rows: usize, cols: usize| {
        let mut m = BitMatrix::zeros(rows, cols);
        for i in 0..rows {
            for j in 0..cols {
                m.set(i, j, rng.random_bool(density));
            }
        }
        m
    };
    match rank {
        None => draw(n_rows, n_cols),
        Some(k) => multiply_naive(&draw(n_rows, k), &draw(k, n_cols)),
    }
}

fn multiply_naive(a: &BitMatrix, b: &BitMatrix) -> BitMatrix {
    let mut out = BitMatrix::zeros(a.n_rows(), b.n_cols());
    for i in 0..a.n_rows() {
        for j in 0..b.n_cols() {
            let sum = (0..a.n_cols()).filter(|&k| a.get(i, k) && b.get(k, j)).count();
            out.set(i, j, sum % 2 == 1);
        }
    }
    out
}

fn matrices(max: usize) -> impl Strategy<Value = BitMatrix> {
    let density = prop::sample::select(vec![0.0, 0.01, 0.05, 0.5, 0.95, 1.0]);
    let rank = prop::option::of(0..max / 2);
    (0..max, 0..max, density, rank, any::<u64>())
        .prop_map(|(rows, cols, density, rank, seed)| matrix(rows, cols, density, rank, seed))
}

/// Square with good odds of being invertible.
fn square(max: usize) -> impl Strategy<Value = BitMatrix> {
    (0..max, any::<u64>()).prop_map(|(n, seed)| BitMatrix::random(n, n, &mut Streams::new(seed).stream(0)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn elimination_agrees_with_one_column_at_a_time(a in matrices(200)) {
        let reduced = a.row_reduce();
        prop_assert_eq!(&reduced, &a.row_reduce_naive());
        prop_assert_eq!(a.rank(), a.rank_naive());
        prop_assert_eq!(a.rank(), reduced.rank());
        prop_assert_eq!(a.transpose().rank(), a.rank());
        // The definition of the reduced form.
        for (i, &j) in reduced.pivots().iter().enumerate() {
            prop_assert_eq!(reduced.matrix().row(i).first_one(), Some(j));
            prop_assert_eq!(reduced.matrix().column(j).weight(), 1);
        }
        for i in reduced.rank()..a.n_rows() {
            prop_assert!(reduced.matrix().row(i).is_zero());
        }
    }

    #[test]
    fn factor_keeps_the_row_operations(a in matrices(150)) {
        let factored = a.factor();
        prop_assert_eq!(factored.reduced(), &a.row_reduce_naive());
        prop_assert_eq!(&factored.transform().mul(&a), factored.reduced().matrix());
        prop_assert_eq!(factored.transform().rank_naive(), a.n_rows());
    }

    #[test]
    fn products_and_transposes(a in matrices(150), seed in any::<u64>(), width in 0usize..150) {
        let mut rng = Streams::new(seed).stream(1);
        let b = BitMatrix::random(a.n_cols(), width, &mut rng);
        let product = a.mul(&b);
        prop_assert_eq!(&product, &multiply_naive(&a, &b));
        let transposed = a.transpose();
        prop_assert_eq!((transposed.n_rows(), transposed.n_cols()), (a.n_cols(), a.n_rows()));
        for i in 0..a.n_rows() {
            for j in 0..a.n_cols() {
                prop_assert_eq!(a.get(i, j), transposed.get(j, i));
            }
        }
        prop_assert_eq!(product.transpose(), b.transpose().mul(&transposed));
        let x = BitVec::random(a.n_rows(), &mut rng);
        let row = BitMatrix::from_rows(a.n_rows(), std::slice::from_ref(&x));
        prop_assert_eq!(a.vec_mul(&x), multiply_naive(&row, &a).row(0).to_bitvec());
        prop_assert_eq!(transposed.mul_vec(&x), a.vec_mul(&x));
    }

    #[test]
    fn systems_are_solved_or_refuted(a in matrices(120), seed in any::<u64>()) {
        let mut rng = Streams::new(seed).stream(2);
        let factored = a.factor();
        let inside = a.mul_vec(&BitVec::random(a.n_cols(), &mut rng));
        let anywhere = BitVec::random(a.n_rows(), &mut rng);
        for b in [inside.clone(), anywhere] {
            let x = a.solve(&b);
            prop_assert_eq!(&x, &factored.solve(&b));
            match (x, a.inconsistency(&b)) {
                (Some(x), None) => prop_assert_eq!(a.mul_vec(&x), b),
                (None, Some(y)) => {
                    prop_assert!(a.vec_mul(&y).is_zero());
                    prop_assert!(y.dot(&b));
                }
                other => prop_assert!(false, "solution and refutation: {:?}", other),
            }
        }
        prop_assert!(a.solve(&inside).is_some());
    }

    #[test]
    fn spaces(a in matrices(120), seed in any::<u64>()) {
        let mut rng = Streams::new(seed).stream(3);
        let kernel = a.nullspace();
        prop_assert_eq!(kernel.n_rows() + a.rank_naive(), a.n_cols());
        prop_assert_eq!(kernel.rank_naive(), kernel.n_rows());
        prop_assert!(a.mul(&kernel.transpose()).is_zero());

        let (reduced, factored) = (a.row_reduce(), a.factor());
        let inside = a.vec_mul(&BitVec::random(a.n_rows(), &mut rng));
        let anywhere = BitVec::random(a.n_cols(), &mut rng);
        for v in [inside, anywhere] {
            // The rows span what is orthogonal to the null space.
            let member = kernel.mul_vec(&v).is_zero();
            prop_assert_eq!(a.row_space_contains(&v), member);
            prop_assert_eq!(reduced.contains(&v), member);
            for x in [a.row_space_coefficients(&v), factored.row_space_coefficients(&v)] {
                prop_assert_eq!(x.map(|x| a.vec_mul(&x)), member.then(|| v.clone()));
            }
            let rest = reduced.reduce(&v);
            prop_assert!(reduced.pivots().iter().all(|&j| !rest.get(j)));
            let mut removed = v.clone();
            removed.xor_assign(&rest);
            prop_assert!(reduced.contains(&removed));
        }
    }

    #[test]
    fn inverses(a in square(100)) {
        let n = a.n_rows();
        match a.inverse() {
            Some(inverse) => {
                prop_assert_eq!(multiply_naive(&a, &inverse), BitMatrix::identity(n));
                prop_assert_eq!(inverse.mul(&a), BitMatrix::identity(n));
            }
            None => prop_assert!(a.rank_naive() < n),
        }
    }

    #[test]
    fn blocks_are_put_together_and_taken_apart(a in matrices(150), width in 0usize..150, seed in any::<u64>()) {
        let b = BitMatrix::random(a.n_rows(), width, &mut Streams::new(seed).stream(4));
        let both = a.concat(&b);
        prop_assert_eq!(both.n_cols(), a.n_cols() + width);
        prop_assert_eq!(&both.columns(0..a.n_cols()), &a);
        prop_assert_eq!(&both.columns(a.n_cols()..a.n_cols() + width), &b);
        prop_assert_eq!(a.transpose().stack(&b.transpose()), both.transpose());
        prop_assert_eq!(BitMatrix::from_rows(a.n_cols(), &a.rows().map(|r| r.to_bitvec()).collect::<Vec<_>>()), a);
    }

    #[test]
    fn sparse_matrices_are_the_dense_ones(a in matrices(120), seed in any::<u64>()) {
        let mut rng = Streams::new(seed).stream(5);
        let sparse = BinaryCsc::from_matrix(&a);
        prop_assert_eq!(&sparse.to_matrix(), &a);
        prop_assert_eq!(sparse.transpose().to_matrix(), a.transpose());
        prop_assert_eq!(BinaryCsc::from_columns(a.n_rows(), sparse.columns()), Ok(sparse.clone()));
        let x = BitVec::random(a.n_cols(), &mut rng);
        prop_assert_eq!(sparse.mul_vec(&x), a.mul_vec(&x));
        let y = BitVec::random(a.n_rows(), &mut rng);
        prop_assert_eq!(sparse.vec_mul(&y), a.vec_mul(&y));
        let weights: Vec<_> = (0..a.n_cols()).map(|j| a.column(j).weight()).collect();
        prop_assert_eq!(sparse.column_weights(), weights);
        prop_assert_eq!(sparse.row_weights(), a.rows().map(|r| r.weight()).collect::<Vec<_>>());
        prop_assert_eq!(sparse.n_ones(), a.rows().map(|r| r.weight()).sum::<usize>());
    }

    #[test]
    fn vectors_against_lists_of_bits(bits in prop::collection::vec(any::<(bool, bool)>(), 0..200)) {
        let (a, b): (Vec<bool>, Vec<bool>) = bits.into_iter().unzip();
        let (x, y) = (BitVec::from_bools(&a), BitVec::from_bools(&b));
        prop_assert_eq!(x.iter().collect::<Vec<_>>(), a.clone());
        prop_assert_eq!(x.weight(), a.iter().filter(|&&bit| bit).count());
        let ones: Vec<usize> = (0..a.len()).filter(|&i| a[i]).collect();
        prop_assert_eq!(x.first_one(), ones.first().copied());
        prop_assert_eq!(x.iter_ones().collect::<Vec<_>>(), ones.clone());
        prop_assert_eq!(BitVec::from_ones(a.len(), ones), Ok(x.clone()));
        prop_assert_eq!(x.to_string().parse::<BitVec>(), Ok(x.clone()));
        prop_assert_eq!(BitVec::from_words(x.words().to_vec(), x.len()), Ok(x.clone()));
        let common = a.iter().zip(&b).filter(|&(&p, &q)| p && q).count();
        prop_assert_eq!(x.and(&y).weight(), common);
        prop_assert_eq!(x.dot(&y), common % 2 == 1);
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        let mut sum = x.clone();
        sum.xor_assign(&y);
        prop_assert_eq!(sum.iter().collect::<Vec<_>>(), a.iter().zip(&b).map(|(p, q)| p ^ q).collect::<Vec<_>>());
    }
}

/// The tables of bytes need 224 rows and a second block 4096 columns: random matrices of the other tests are smaller.
#[test]
fn large_matrices() {
    let mut rng = Streams::new(11).stream(0);
    for (n_rows, n_cols, rank) in [(300, 5000, None), (1000, 900, None), (700, 4500, Some(130)), (4200, 300, Some(257))]
    {
        let a = match rank {
            None => BitMatrix::random(n_rows, n_cols, &mut rng),
            Some(k) => {
                let (left, right) = (BitMatrix::random(n_rows, k, &mut rng), BitMatrix::random(k, n_cols, &mut rng));
                let product = left.mul(&right);
                for _ in 0..2000 {
                    let i = rng.random_range(0..n_rows as u32) as usize;
                    let j = rng.random_range(0..n_cols as u32) as usize;
                    let sum = (0..k).filter(|&l| left.get(i, l) && right.get(l, j)).count();
                    assert_eq!(product.get(i, j), sum % 2 == 1);
                }
                product
            }
        };
        assert_eq!(a.row_reduce(), a.row_reduce_naive(), "{n_rows} x {n_cols}");
        assert_eq!(a.rank(), a.rank_naive());
        if let Some(k) = rank {
            // Both factors have full rank but for a chance of 2^-43 or less.
            assert_eq!(a.rank(), k);
        }
    }
}

/// The number of n x n matrices of rank r over GF(2) is $`\prod_{i<r} (2^n - 2^i)^2 / (2^r - 2^i)`$.
#[test]
fn all_small_matrices_by_rank() {
    for n in 1usize..=4 {
        let mut count = vec![0u64; n + 1];
        for bits in 0..1u64 << (n * n) {
            let mut m = BitMatrix::zeros(n, n);
            for k in 0..n * n {
                m.set(k / n, k % n, bits >> k & 1 == 1);
            }
            count[m.rank()] += 1;
        }
        for (r, &found) in count.iter().enumerate() {
            let (mut above, mut below) = (1u64, 1u64);
            for i in 0..r {
                above *= ((1u64 << n) - (1 << i)).pow(2);
                below *= (1 << r) - (1 << i);
            }
            assert_eq!(found, above / below, "n = {n}, rank {r}");
        }
    }
}

/// A random square matrix is invertible with probability $`\prod_k (1 - 2^{-k}) = 0.288788`$. 4000 matrices, 4 sigma.
#[test]
fn random_matrices_are_unbiased() {
    let mut rng = Streams::new(3).stream(0);
    let (n, trials) = (70, 4000);
    let full = (0..trials).filter(|_| BitMatrix::random(n, n, &mut rng).rank() == n).count();
    let p = 0.288_788_095;
    let sigma = (p * (1.0 - p) / f64::from(trials)).sqrt();
    let z = (full as f64 / f64::from(trials) - p) / sigma;
    assert!(z.abs() < 4.0, "{full} of {trials}: z = {z}");
}

#[test]
fn matrices_without_rows_or_columns() {
    for (n_rows, n_cols) in [(0, 0), (0, 5), (5, 0), (0, 100), (100, 0)] {
        let a = BitMatrix::zeros(n_rows, n_cols);
        assert_eq!(a.rank(), 0);
        assert_eq!(a.rank_naive(), 0);
        assert_eq!(a.nullspace(), BitMatrix::identity(n_cols));
        assert_eq!(a.solve(&BitVec::zeros(n_rows)), Some(BitVec::zeros(n_cols)));
        assert_eq!(a.factor().transform(), &BitMatrix::identity(n_rows));
        assert_eq!(a.mul(&a.transpose()), BitMatrix::zeros(n_rows, n_rows));
        assert_eq!(a.transpose().transpose(), a);
        assert!(a.row_space_contains(&BitVec::zeros(n_cols)));
        let random = BitMatrix::random(n_rows, n_cols, &mut Streams::new(0).stream(0));
        assert_eq!(random, a);
    }
    assert_eq!(BitMatrix::from_text(""), Ok(BitMatrix::zeros(0, 0)));
    assert_eq!(BitMatrix::zeros(3, 2).inverse(), None);
    assert_eq!(BitMatrix::zeros(0, 0).inverse(), Some(BitMatrix::zeros(0, 0)));
    let mut b = BitVec::zeros(100);
    b.flip(40);
    assert_eq!(BitMatrix::zeros(100, 0).solve(&b), None);
    assert_eq!(BitMatrix::zeros(100, 0).inconsistency(&b), Some(b));
}

#[test]
fn swapping_and_adding_rows() {
    let mut rng = Streams::new(5).stream(0);
    let a = BitMatrix::random(5, 130, &mut rng);
    let mut b = a.clone();
    b.swap_rows(3, 1);
    b.swap_rows(2, 2);
    let order = [0, 3, 2, 1, 4];
    assert!(order.iter().enumerate().all(|(i, &j)| b.row(i) == a.row(j)));
    b.xor_row(0, a.row(0));
    assert!(b.row(0).is_zero());
    let v = BitVec::random(130, &mut rng);
    b.push_row(&v);
    assert_eq!((b.n_rows(), b.row(5).to_bitvec()), (6, v));
    // Random words leave nothing beyond the last column.
    assert_eq!(a.row(4).words()[2] >> 2, 0);
}

#[cfg(feature = "serde")]
#[test]
fn serialised_forms_are_checked() {
    let mut rng = Streams::new(9).stream(0);
    let v = BitVec::random(70, &mut rng);
    let m = BitMatrix::random(3, 70, &mut rng);
    let s = BinaryCsc::from_matrix(&m);
    assert_eq!(serde_json::from_str::<BitVec>(&serde_json::to_string(&v).unwrap()).unwrap(), v);
    assert_eq!(serde_json::from_str::<BitMatrix>(&serde_json::to_string(&m).unwrap()).unwrap(), m);
    assert_eq!(serde_json::from_str::<BinaryCsc>(&serde_json::to_string(&s).unwrap()).unwrap(), s);
    for bad in [r#"{"len":3,"words":[8]}"#, r#"{"len":3,"words":[]}"#, r#"{"len":3,"words":[1,0]}"#] {
        assert!(serde_json::from_str::<BitVec>(bad).is_err(), "{bad}");
    }
    for bad in [
        r#"{"n_rows":2,"n_cols":3,"words":[1]}"#,
        r#"{"n_rows":2,"n_cols":3,"words":[1,8]}"#,
        r#"{"n_rows":18446744073709551615,"n_cols":300,"words":[]}"#,
    ] {
        assert!(serde_json::from_str::<BitMatrix>(bad).is_err(), "{bad}");
    }
    assert!(serde_json::from_str::<BinaryCsc>(r#"{"n_rows":2,"columns":[[0,2]]}"#).is_err());
}
