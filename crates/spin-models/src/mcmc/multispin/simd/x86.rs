//! AVX2 and AVX-512: the one module of this crate with `unsafe`.
//!
//! A value of [`Avx2`] or [`Avx512`] exists only after the machine was asked, and registers come only from such values;
//! that makes every instruction below available. Pointers come from references of the right length. Each operation has
//! its scalar twin in [`portable`](super::portable), with which the tests compare it.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::ops::{BitAnd, BitOr, BitXor};

use super::{Block, FLOATS, Float, Floats, Kernel, Mask, Simd, WORDS, Word};

/// Proof of AVX2, BMI1, BMI2, LZCNT and POPCNT.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

/// Proof of AVX-512F and everything in [`Avx2`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(());

impl Avx2 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        let present = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        present.then_some(Self(()))
    }
}

impl Avx512 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        let present = is_x86_feature_detected!("avx512f") && Avx2::detect().is_some();
        present.then_some(Self(()))
    }
}

/// A 256-bit register of a machine that has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Word256(__m256i);

/// A 512-bit register of a machine that has AVX-512F.
#[derive(Clone, Copy)]
pub(super) struct Word512(__m512i);

/// Functions of registers that are one intrinsic, or a fixed composition of some.
macro_rules! of_registers {
    ($word:ident: $(fn $name:ident($a:ident $(, $b:ident)*) = $value:expr;)*) => { $(
        #[inline(always)]
        fn $name(self $(, $b: Self)*) -> Self {
            let $a = self.0;
            $(let $b = $b.0;)*
            // SAFETY: the register exists, so the machine has the instructions; they touch no memory.
            $word(unsafe { $value })
        }
    )* };
}

macro_rules! binary_operator {
    ($word:ident: $($operator:ident::$name:ident = $intrinsic:ident;)*) => { $(
        impl $operator for $word {
            type Output = Self;
            of_registers! { $word: fn $name(a, b) = $intrinsic(a, b); }
        }
    )* };
}

binary_operator! { Word256:
    BitAnd::bitand = _mm256_and_si256;
    BitOr::bitor = _mm256_or_si256;
    BitXor::bitxor = _mm256_xor_si256;
}

binary_operator! { Word512:
    BitAnd::bitand = _mm512_and_si512;
    BitOr::bitor = _mm512_or_si512;
    BitXor::bitxor = _mm512_xor_si512;
}

/// Shifts; where the count is a constant after inlining, so is the instruction.
macro_rules! shifts {
    ($word:ident, $set1:ident, $sllv:ident, $srlv:ident) => {
        #[inline(always)]
        fn shl(self, n: u32) -> Self {
            // SAFETY: the register exists, so the machine has the instructions; they touch no memory.
            $word(unsafe { $sllv(self.0, $set1(i64::from(n))) })
        }

        #[inline(always)]
        fn shr(self, n: u32) -> Self {
            // SAFETY: the register exists, so the machine has the instructions; they touch no memory.
            $word(unsafe { $srlv(self.0, $set1(i64::from(n))) })
        }
    };
}

impl Word for Word256 {
    of_registers! { Word256:
        fn and_not(a, mask) = _mm256_andnot_si256(mask, a);
        fn add(a, b) = _mm256_add_epi64(a, b);
        // There are only signed comparisons: both sides move by 2⁶³.
        fn below(a, bound) = {
            let middle = _mm256_set1_epi64x(i64::MIN);
            _mm256_cmpgt_epi64(_mm256_xor_si256(bound, middle), _mm256_xor_si256(a, middle))
        };
    }

    shifts!(Word256, _mm256_set1_epi64x, _mm256_sllv_epi64, _mm256_srlv_epi64);

    #[inline(always)]
    fn rotate_left(self, n: u32) -> Self {
        self.shl(n) | self.shr(64 - n)
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        // SAFETY: the register exists, so the machine has the instruction; it touches no memory.
        unsafe { _mm256_testz_si256(self.0, self.0) == 1 }
    }
}

impl Word for Word512 {
    const TERNARY: bool = true;

    // The immediate of ternary logic is the truth table: bit 4a + 2b + c is the value at (a, b, c).
    of_registers! { Word512:
        fn and_not(a, mask) = _mm512_andnot_si512(mask, a);
        fn add(a, b) = _mm512_add_epi64(a, b);
        fn below(a, bound) = _mm512_maskz_set1_epi64(_mm512_cmplt_epu64_mask(a, bound), -1);
        fn select(mask, a, b) = _mm512_ternarylogic_epi64::<0b1100_1010>(mask, a, b);
        fn where_equal(mask, a, b) = _mm512_ternarylogic_epi64::<0b1001_0000>(mask, a, b);
        fn xor3(a, b, c) = _mm512_ternarylogic_epi64::<0b1001_0110>(a, b, c);
        fn or3(a, b, c) = _mm512_ternarylogic_epi64::<0b1111_1110>(a, b, c);
        fn or_and(a, b, c) = _mm512_ternarylogic_epi64::<0b1111_1000>(a, b, c);
    }

    #[inline(always)]
    fn full_adder(self, a: Self, b: Self) -> (Self, Self) {
        // SAFETY: the register exists, so the machine has the instruction; it touches no memory.
        let carry = unsafe { _mm512_ternarylogic_epi64::<0b1110_1000>(self.0, a.0, b.0) };
        (self.xor3(a, b), Word512(carry))
    }

    shifts!(Word512, _mm512_set1_epi64, _mm512_sllv_epi64, _mm512_srlv_epi64);

    #[inline(always)]
    fn rotate_left(self, n: u32) -> Self {
        // SAFETY: the register exists, so the machine has the instruction; it touches no memory.
        Word512(unsafe { _mm512_rolv_epi64(self.0, _mm512_set1_epi64(i64::from(n))) })
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        // SAFETY: the register exists, so the machine has the instruction; it touches no memory.
        unsafe { _mm512_test_epi64_mask(self.0, self.0) == 0 }
    }
}

/// 32-bit numbers in a 256-bit register of a machine that has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Float256(__m256);

/// All ones or all zeros for each of them.
#[derive(Clone, Copy)]
pub(super) struct Mask256(__m256);

/// 32-bit numbers in a 512-bit register of a machine that has AVX-512F.
#[derive(Clone, Copy)]
pub(super) struct Float512(__m512);

/// A bit for each of them, on a machine that has AVX-512F.
#[derive(Clone, Copy)]
pub(super) struct Mask512(__mmask16);

binary_operator! { Mask256:
    BitAnd::bitand = _mm256_and_ps;
    BitOr::bitor = _mm256_or_ps;
}

impl Mask for Mask256 {
    #[inline(always)]
    fn bits(self) -> u32 {
        // SAFETY: the register exists, so the machine has the instruction; it touches no memory.
        unsafe { _mm256_movemask_ps(self.0) as u32 }
    }
}

impl Float for Float256 {
    type Mask = Mask256;

    of_registers! { Float256:
        fn add(a, b) = _mm256_add_ps(a, b);
        fn sub(a, b) = _mm256_sub_ps(a, b);
        fn mul(a, b) = _mm256_mul_ps(a, b);
        fn min(a, b) = _mm256_min_ps(a, b);
        fn max(a, b) = _mm256_max_ps(a, b);
        fn abs(a) = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        fn with_sign_of(a, b) = {
            let sign = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, b))
        };
        fn lower_exponent(a, b) = _mm256_castsi256_ps(_mm256_sub_epi32(
            _mm256_castps_si256(a),
            _mm256_slli_epi32::<23>(_mm256_castps_si256(b)),
        ));
    }

    #[inline(always)]
    fn below(self, other: Self) -> Mask256 {
        // SAFETY: the registers exist, so the machine has the instruction; it touches no memory.
        Mask256(unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn or_where_not(self, mask: Mask256, other: Self) -> Self {
        // SAFETY: the registers exist, so the machine has the instruction; it touches no memory.
        Self(unsafe { _mm256_blendv_ps(other.0, self.0, mask.0) })
    }

    #[inline(always)]
    fn negate_where(self, mask: Mask256) -> Self {
        // SAFETY: the registers exist, so the machine has the instructions; they touch no memory.
        Self(unsafe { _mm256_xor_ps(self.0, _mm256_and_ps(mask.0, _mm256_set1_ps(-0.0))) })
    }
}

impl BitAnd for Mask512 {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Mask512 {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Mask for Mask512 {
    #[inline(always)]
    fn bits(self) -> u32 {
        self.0.into()
    }
}

impl Float for Float512 {
    type Mask = Mask512;

    // The exclusive or of floating-point registers is of another extension, so signs are changed as integers.
    of_registers! { Float512:
        fn add(a, b) = _mm512_add_ps(a, b);
        fn sub(a, b) = _mm512_sub_ps(a, b);
        fn mul(a, b) = _mm512_mul_ps(a, b);
        fn min(a, b) = _mm512_min_ps(a, b);
        fn max(a, b) = _mm512_max_ps(a, b);
        fn abs(a) = _mm512_abs_ps(a);
        fn with_sign_of(a, b) = {
            let (a, b, sign) = (_mm512_castps_si512(a), _mm512_castps_si512(b), _mm512_set1_epi32(i32::MIN));
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0b1100_1010>(sign, b, a))
        };
        fn lower_exponent(a, b) = _mm512_castsi512_ps(_mm512_sub_epi32(
            _mm512_castps_si512(a),
            _mm512_slli_epi32::<23>(_mm512_castps_si512(b)),
        ));
    }

    #[inline(always)]
    fn below(self, other: Self) -> Mask512 {
        // SAFETY: the registers exist, so the machine has the instruction; it touches no memory.
        Mask512(unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0) })
    }

    #[inline(always)]
    fn or_where_not(self, mask: Mask512, other: Self) -> Self {
        // SAFETY: the registers exist, so the machine has the instruction; it touches no memory.
        Self(unsafe { _mm512_mask_blend_ps(mask.0, other.0, self.0) })
    }

    #[inline(always)]
    fn negate_where(self, mask: Mask512) -> Self {
        // SAFETY: the registers exist, so the machine has the instructions; they touch no memory.
        Self(unsafe {
            let bits = _mm512_castps_si512(self.0);
            _mm512_castsi512_ps(_mm512_mask_xor_epi32(bits, mask.0, bits, _mm512_set1_epi32(i32::MIN)))
        })
    }
}

/// The four words of `words` from `at`.
#[inline(always)]
fn four(words: &[u64], at: usize) -> &[u64; 4] {
    words[at..].first_chunk().unwrap_or_else(|| panic!("4 words from {at} of {}", words.len()))
}

/// The eight words of `words` from `at`.
#[inline(always)]
fn eight(words: &[u64], at: usize) -> &[u64; WORDS] {
    words[at..].first_chunk().unwrap_or_else(|| panic!("8 words from {at} of {}", words.len()))
}

impl Avx2 {
    #[inline(always)]
    fn read(self, words: &[u64; 4]) -> Word256 {
        // SAFETY: `self` proves AVX2; the pointer is that of 32 readable bytes, alignment is not needed.
        Word256(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }
}

impl Simd for Avx2 {
    type Word = Word256;
    type Float = Float256;

    const PARTS: usize = 2;

    #[inline(always)]
    fn mask(self, bits: u32) -> Mask256 {
        // SAFETY: `self` proves AVX2; no memory is touched.
        Mask256(unsafe {
            let place = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(bits as i32), place);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, place))
        })
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> Float256 {
        // SAFETY: `self` proves AVX2; no memory is touched.
        Float256(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    fn load_floats(self, floats: &Floats, part: usize) -> Float256 {
        let eight = &floats.0[FLOATS / 2 * part..FLOATS / 2 * (part + 1)];
        // SAFETY: `self` proves AVX2; the pointer is that of 32 readable bytes, alignment is not needed.
        Float256(unsafe { _mm256_loadu_ps(eight.as_ptr()) })
    }

    #[inline(always)]
    fn store_floats(self, floats: &mut Floats, part: usize, float: Float256) {
        let eight = &mut floats.0[FLOATS / 2 * part..FLOATS / 2 * (part + 1)];
        // SAFETY: `self` proves AVX2; the pointer is that of 32 writable bytes, alignment is not needed.
        unsafe { _mm256_storeu_ps(eight.as_mut_ptr(), float.0) }
    }

    #[inline(always)]
    fn whole_numbers(self, word: Word256) -> Float256 {
        // SAFETY: `self` proves AVX2; no memory is touched.
        Float256(unsafe { _mm256_cvtepi32_ps(_mm256_srli_epi32::<1>(word.0)) })
    }

    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn run<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` proves these features.
        unsafe { run(self, kernel) }
    }

    #[inline(always)]
    fn splat(self, value: u64) -> Word256 {
        // SAFETY: `self` proves AVX2; no memory is touched.
        Word256(unsafe { _mm256_set1_epi64x(value as i64) })
    }

    #[inline(always)]
    fn load(self, block: &Block, part: usize) -> Word256 {
        self.read(four(&block.0, 4 * part))
    }

    #[inline(always)]
    fn store(self, block: &mut Block, part: usize, word: Word256) {
        let words: &mut [u64] = &mut block.0[4 * part..4 * part + 4];
        // SAFETY: `self` proves AVX2; the pointer is that of 32 writable bytes, alignment is not needed.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), word.0) }
    }

    #[inline(always)]
    fn load_at(self, words: &[u64], at: usize, part: usize) -> Word256 {
        self.read(four(words, at + 4 * part))
    }

    #[inline(always)]
    fn preceding(self, before: &Block, block: &Block, part: usize) -> Word256 {
        if part == 1 {
            return self.read(four(&block.0, 3));
        }
        let (block, entering) = (self.load(block, 0).0, self.splat(before.0[WORDS - 1]).0);
        // SAFETY: `self` proves AVX2; no memory is touched.
        Word256(unsafe { _mm256_blend_epi32::<0b11>(_mm256_permute4x64_epi64::<0b10_01_00_00>(block), entering) })
    }

    #[inline(always)]
    fn following(self, block: &Block, after: &Block, part: usize) -> Word256 {
        if part == 0 {
            return self.read(four(&block.0, 1));
        }
        let (block, entering) = (self.load(block, 1).0, self.splat(after.0[0]).0);
        // SAFETY: `self` proves AVX2; no memory is touched.
        Word256(unsafe {
            _mm256_blend_epi32::<0b1100_0000>(_mm256_permute4x64_epi64::<0b11_11_10_01>(block), entering)
        })
    }

    #[inline(always)]
    fn gather(self, blocks: &[Block], index: &[u32; WORDS], part: usize) -> Word256 {
        let word = |k: usize| Block::word(blocks, index[4 * part + k]);
        self.read(&[word(0), word(1), word(2), word(3)])
    }
}

impl Avx512 {
    #[inline(always)]
    fn read(self, words: &[u64; WORDS]) -> Word512 {
        // SAFETY: `self` proves AVX-512F; the pointer is that of 64 readable bytes, alignment is not needed.
        Word512(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }
}

impl Simd for Avx512 {
    type Word = Word512;
    type Float = Float512;

    const PARTS: usize = 1;

    #[inline(always)]
    fn mask(self, bits: u32) -> Mask512 {
        Mask512(bits as __mmask16)
    }

    #[inline(always)]
    fn splat_float(self, value: f32) -> Float512 {
        // SAFETY: `self` proves AVX-512F; no memory is touched.
        Float512(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    fn load_floats(self, floats: &Floats, _part: usize) -> Float512 {
        // SAFETY: `self` proves AVX-512F; the pointer is that of 64 readable bytes, alignment is not needed.
        Float512(unsafe { _mm512_loadu_ps(floats.0.as_ptr()) })
    }

    #[inline(always)]
    fn store_floats(self, floats: &mut Floats, _part: usize, float: Float512) {
        // SAFETY: `self` proves AVX-512F; the pointer is that of 64 writable bytes, alignment is not needed.
        unsafe { _mm512_storeu_ps(floats.0.as_mut_ptr(), float.0) }
    }

    #[inline(always)]
    fn whole_numbers(self, word: Word512) -> Float512 {
        // SAFETY: `self` proves AVX-512F; no memory is touched.
        Float512(unsafe { _mm512_cvtepi32_ps(_mm512_srli_epi32::<1>(word.0)) })
    }

    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn run<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` proves these features.
        unsafe { run(self, kernel) }
    }

    #[inline(always)]
    fn splat(self, value: u64) -> Word512 {
        // SAFETY: `self` proves AVX-512F; no memory is touched.
        Word512(unsafe { _mm512_set1_epi64(value as i64) })
    }

    #[inline(always)]
    fn load(self, block: &Block, _part: usize) -> Word512 {
        self.read(&block.0)
    }

    #[inline(always)]
    fn store(self, block: &mut Block, _part: usize, word: Word512) {
        // SAFETY: `self` proves AVX-512F; the pointer is that of 64 writable bytes, alignment is not needed.
        unsafe { _mm512_storeu_si512(block.0.as_mut_ptr().cast(), word.0) }
    }

    #[inline(always)]
    fn load_at(self, words: &[u64], at: usize, _part: usize) -> Word512 {
        self.read(eight(words, at))
    }

    #[inline(always)]
    fn preceding(self, before: &Block, block: &Block, _part: usize) -> Word512 {
        let (before, block) = (self.read(&before.0).0, self.read(&block.0).0);
        // SAFETY: `self` proves AVX-512F; no memory is touched.
        Word512(unsafe { _mm512_alignr_epi64::<7>(block, before) })
    }

    #[inline(always)]
    fn following(self, block: &Block, after: &Block, _part: usize) -> Word512 {
        let (block, after) = (self.read(&block.0).0, self.read(&after.0).0);
        // SAFETY: `self` proves AVX-512F; no memory is touched.
        Word512(unsafe { _mm512_alignr_epi64::<1>(after, block) })
    }

    #[inline(always)]
    fn gather(self, blocks: &[Block], index: &[u32; WORDS], _part: usize) -> Word512 {
        let word = |k: usize| Block::word(blocks, index[k]);
        self.read(&[word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7)])
    }
}
