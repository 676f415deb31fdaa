//! Runs a piece of work compiled with the widest vectors of this machine: the one place with `unsafe`.
//!
//! The work itself is safe code over slices. Multiplications and additions are never fused, so that all instruction
//! sets give the same bits; [`Work::run`] called directly is the scalar twin.

#![allow(unsafe_code)]

/// Work that is compiled once for every instruction set.
///
/// `run` and all it calls must be `#[inline(always)]`: only then is it compiled with the wide instructions.
pub(crate) trait Work {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs the work with the widest vectors there are.
#[inline]
pub(crate) fn widest<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx2") {
            // SAFETY: the features of the function are present.
            return unsafe { avx512(work) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the feature of the function is present.
            return unsafe { avx2(work) };
        }
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2")]
fn avx512<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

/// `y += a x`, for slices of one length.
pub(crate) struct AddScaled<'a> {
    pub y: &'a mut [f64],
    pub a: f64,
    pub x: &'a [f64],
}

impl Work for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y += self.a * x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_vectors_give_the_same_sums() {
        for n in [0, 1, 7, 8, 33, 100] {
            let x: Vec<f64> = (0..n).map(|k| (f64::from(k) + 0.1).sin()).collect();
            let mut wide: Vec<f64> = x.iter().map(|x| 1.0 / x).collect();
            let mut plain = wide.clone();
            widest(AddScaled { y: &mut wide, a: 0.3, x: &x });
            AddScaled { y: &mut plain, a: 0.3, x: &x }.run();
            let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&wide), bits(&plain));
        }
    }
}
