//! The same loops compiled for the instruction sets of the machine: the one module of this crate with `unsafe`.
//!
//! The functions below are safe code; only that the machine has the instructions must be known before they are called, and
//! a [`Simd`] other than `Portable` exists only after the machine was asked.
#![allow(unsafe_code)]

use super::engine::Engine;
use super::lanes::Mask;

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Simd(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Simd {
    /// What every machine has.
    pub(super) const PORTABLE: Self = Self(Set::Portable);

    /// The widest of this machine.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2");
            let vl = is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512dq");
            if avx2 && vl && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                return Self(Set::Avx512);
            }
            if avx2 {
                return Self(Set::Avx2);
            }
        }
        Self::PORTABLE
    }

    /// The lanes that suit it.
    pub(super) fn lanes(self) -> usize {
        match self.0 {
            Set::Portable => 4,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => 8,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => 16,
        }
    }
}

/// A method of [`Engine`] for every instruction set.
macro_rules! dispatched {
    ($name:ident, $avx2:ident, $avx512:ident, ($($arg:ident: $type:ty),*), $engine:ty $(, $out:ty)?) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,bmi2")]
        fn $avx2<const L: usize>(engine: $engine, $($arg: $type),*) $(-> $out)? {
            engine.$name($($arg),*)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,bmi2,avx512f,avx512vl,avx512dq,avx512bw")]
        fn $avx512<const L: usize>(engine: $engine, $($arg: $type),*) $(-> $out)? {
            engine.$name($($arg),*)
        }

        impl Simd {
            pub(super) fn $name<const L: usize>(self, engine: $engine, $($arg: $type),*) $(-> $out)? {
                match self.0 {
                    Set::Portable => engine.$name($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the value exists, so the machine was found to have AVX2 and BMI2.
                    Set::Avx2 => unsafe { $avx2(engine, $($arg),*) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the value exists, so the machine was found to have these sets.
                    Set::Avx512 => unsafe { $avx512(engine, $($arg),*) },
                }
            }
        }
    };
}

dispatched!(step, step_avx2, step_avx512, (t: &[u32; L]), &mut Engine<L>);
dispatched!(reset, reset_avx2, reset_avx512, (mask: &Mask<L>), &mut Engine<L>);
dispatched!(relay, relay_avx2, relay_avx512, (mask: &Mask<L>), &mut Engine<L>);
dispatched!(unsatisfied, unsatisfied_avx2, unsatisfied_avx512, (mask: &Mask<L>), &Engine<L>, Mask<L>);
dispatched!(negative, negative_avx2, negative_avx512, (mask: &Mask<L>, found: &mut [Vec<u32>; L]), &Engine<L>);
