//! Runs a piece of work compiled with the widest vectors of this machine: the one place with `unsafe`.
//!
//! The work itself is safe code over slices. Multiplications and additions are never fused, so that all instruction sets
//! give the same bits; [`Work::run`] called directly is the scalar twin.

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
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi1")
        {
            // SAFETY: the features of the function are present; AVX-512 implies AVX2.
            return unsafe { avx512(work) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") {
            // SAFETY: the features of the function are present.
            return unsafe { avx2(work) };
        }
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1")]
fn avx512<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1")]
fn avx2<W: Work>(work: W) -> W::Output {
    work.run()
}
