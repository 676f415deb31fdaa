//! Runs a piece of work compiled with the widest vectors of this machine: the one place with `unsafe`.
//!
//! The work itself is safe code over slices. Multiplications and additions are never fused, so that all instruction
//! sets give the same bits; [`Work::run`] called directly is the scalar twin.

#![allow(unsafe_code)]

/// Work that is compiled once for every instruction set.
///
/// `run` and all it calls must be `#[inline(always)]`: only then is it compiled with the wide instructions.
pub(crate) trait Work {
    fn run(self);
}

/// Runs the work with the widest vectors there are.
#[inline]
pub(crate) fn widest<W: Work>(work: W) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx2")
        {
            // SAFETY: the features of the function are present.
            return unsafe { avx512(work) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the feature of the function is present.
            return unsafe { avx2(work) };
        }
    }
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2")]
fn avx512<W: Work>(work: W) {
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<W: Work>(work: W) {
    work.run();
}
