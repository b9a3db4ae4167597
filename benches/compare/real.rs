//! What the baselines need of `f32` and `f64`: arithmetic, and elementary functions without branches that LLVM
//! vectorises (good to a few units in the last place, which the comparison's tolerances admit).

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// Lanes that are compacted at once.
pub const LANES: usize = 16;

/// A floating-point type.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + 'static
{
    /// Rounds.
    fn of(value: f64) -> Self;
    /// Widens.
    fn wide(self) -> f64;
    /// `self * b + c`, rounded once.
    fn fused(self, b: Self, c: Self) -> Self;
    /// Square root.
    fn root(self) -> Self;
    /// Magnitude.
    fn magnitude(self) -> Self;
    /// The library's exponential.
    fn std_exp(self) -> Self;
    /// The library's logarithm.
    fn std_ln(self) -> Self;
    /// An exponential without branches.
    fn fast_exp(self) -> Self;
    /// A logarithm without branches, of a positive normal number.
    fn fast_ln(self) -> Self;
    /// Stores the elements above `bound` densely; says how many. There is room for all, and for as many more.
    fn compact(from: &[Self; LANES], bound: Self, to: &mut [Self]) -> usize;
}

/// The polynomial with these coefficients, the highest first.
#[inline(always)]
fn horner<T: Real>(x: T, coefficients: &[T]) -> T {
    coefficients
        .iter()
        .fold(T::default(), |sum, &c| sum.fused(x, c))
}

macro_rules! real {
    ($t:ident, $bits:ident, $int:ident, mantissa $mantissa:literal, bias $bias:literal, round $round:expr,
     limit $limit:expr, ln2 ($high:expr, $low:expr), exp [$($exp:expr),*], ln [$($ln:expr),*], compact $compact:path) => {
        impl Real for $t {
            #[inline(always)]
            fn of(value: f64) -> $t {
                value as $t
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn fused(self, b: $t, c: $t) -> $t {
                self.mul_add(b, c)
            }
            #[inline(always)]
            fn root(self) -> $t {
                self.sqrt()
            }
            #[inline(always)]
            fn magnitude(self) -> $t {
                self.abs()
            }
            #[inline(always)]
            fn std_exp(self) -> $t {
                self.exp()
            }
            #[inline(always)]
            fn std_ln(self) -> $t {
                self.ln()
            }
            #[inline(always)]
            fn fast_exp(self) -> $t {
                let x = if self < $limit { self } else { $limit };
                let x = if x > -$limit { x } else { -$limit };
                // Adding `round` leaves the nearest integer in the low bits.
                let shifted = x.mul_add(std::$t::consts::LOG2_E, $round);
                let k = shifted - $round;
                let r = k.mul_add(-$low, k.mul_add(-$high, x));
                let power = shifted.to_bits().wrapping_add($bias) << $mantissa;
                horner(r, &[$($exp),*]) * $t::from_bits(power)
            }
            #[inline(always)]
            fn fast_ln(self) -> $t {
                // m in [sqrt(1/2), sqrt(2)), self = m * 2^k.
                let offset = std::$t::consts::FRAC_1_SQRT_2.to_bits();
                let moved = self.to_bits().wrapping_sub(offset);
                let k = ((moved as $int) >> $mantissa) as i32 as $t;
                let m = $t::from_bits((moved & ((1 << $mantissa) - 1)).wrapping_add(offset));
                let f = m - 1.0;
                let s = f / (f + 2.0);
                let z = s * s;
                let tail = z * horner(z, &[$($ln),*]);
                let half = 0.5 * f * f;
                k.mul_add(std::$t::consts::LN_2, s.mul_add(half + tail, f - half))
            }
            #[inline(always)]
            fn compact(from: &[$t; LANES], bound: $t, to: &mut [$t]) -> usize {
                $compact(from, bound, to)
            }
        }
    };
}

// exp: the Taylor series on [-ln 2 / 2, ln 2 / 2]; ln: 2 atanh(s) in powers of s^2.
real!(f32, u32, i32, mantissa 23, bias 127, round 12_582_912.0f32, limit 87.0f32, ln2 (0.693_359_4, -2.121_944_4e-4),
    exp [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0],
    ln [2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0], compact compress::single);
real!(f64, u64, i64, mantissa 52, bias 1023, round 6_755_399_441_055_744.0f64, limit 708.0f64,
    ln2 (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10),
    exp [1.0 / 6_227_020_800.0, 1.0 / 479_001_600.0, 1.0 / 39_916_800.0, 1.0 / 3_628_800.0, 1.0 / 362_880.0,
        1.0 / 40_320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0],
    ln [2.0 / 21.0, 2.0 / 19.0, 2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0],
    compact compress::double);

/// Compaction with the instructions that AVX-512 has for it.
#[cfg(target_feature = "avx512f")]
mod compress {
    use super::LANES;
    use std::arch::x86_64::*;

    #[inline(always)]
    pub fn single(from: &[f32; LANES], bound: f32, to: &mut [f32]) -> usize {
        assert!(to.len() >= LANES);
        // SAFETY: the feature is there; sixteen elements are read, and there is room for sixteen.
        unsafe {
            let v = _mm512_loadu_ps(from.as_ptr());
            let keep = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(v, _mm512_set1_ps(bound));
            _mm512_storeu_ps(to.as_mut_ptr(), _mm512_maskz_compress_ps(keep, v));
            keep.count_ones() as usize
        }
    }

    #[inline(always)]
    pub fn double(from: &[f64; LANES], bound: f64, to: &mut [f64]) -> usize {
        assert!(to.len() >= LANES);
        let mut kept = 0;
        for half in [0, 8] {
            // SAFETY: as above; eight elements each, behind at most eight kept ones.
            unsafe {
                let v = _mm512_loadu_pd(from.as_ptr().add(half));
                let keep = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(v, _mm512_set1_pd(bound));
                _mm512_storeu_pd(to.as_mut_ptr().add(kept), _mm512_maskz_compress_pd(keep, v));
                kept += keep.count_ones() as usize;
            }
        }
        kept
    }
}

/// Compaction without branches.
#[cfg(not(target_feature = "avx512f"))]
mod compress {
    use super::LANES;

    #[inline(always)]
    fn each<T: Copy + PartialOrd>(from: &[T; LANES], bound: T, to: &mut [T]) -> usize {
        let mut kept = 0;
        for &v in from {
            to[kept] = v;
            kept += (v > bound) as usize;
        }
        kept
    }
    pub use each as single;
    pub use each as double;
}
