//! Random numbers without state: a number is a function of a seed and a position, the same on every place and in every
//! order of evaluation.

use crate::syntax::Kernel;

/// Philox 4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC11): four random
/// words for each key and counter.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// assert_eq!(rng::philox([0; 2], [0; 4]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
/// ```
pub fn philox(key: [u32; 2], ctr: [u32; 4]) -> [u32; 4] {
    source::philox::plain(key, ctr)
}

/// Number `i` of the uniform distribution on [0, 1) with this seed: a multiple of 2^-53.
///
/// With `w = philox([seed, seed >> 32], [i, i >> 32, 0, 0])` (lower words first) it is the upper 53 bits of the 64-bit
/// integer of low word `w[0]` and high word `w[1]`, times 2^-53.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// let x = indices(1000).map(|i| rng::uniform(7, i as u64));
/// assert!(x.all(|v| 0.0 <= v && v < 1.0));
/// assert!((x.sum() / 1000.0 - 0.5).abs() < 0.03);
/// ```
pub fn uniform(seed: u64, i: u64) -> f64 {
    source::uniform::plain(seed, i)
}

/// Number `i` of the standard normal distribution with this seed, by Box and Muller's transform; at most 8.6 in magnitude.
///
/// With `w = philox([seed, seed >> 32], [i, i >> 32, 1, 0])`, and `u` and `v` made of `(w[0], w[1])` and `(w[2], w[3])` as
/// [`uniform`] makes its number, it is `sqrt(-2 ln(1 - u)) cos(2π v)`. It is independent of `uniform(seed, i)`.
///
/// ```
/// # use dsl_runtime::prelude::*;
/// let x = indices(1000).map(|i| rng::normal(7, i as u64));
/// assert!((x.sum() / 1000.0).abs() < 0.1);
/// ```
pub fn normal(seed: u64, i: u64) -> f64 {
    source::normal::plain(seed, i)
}

/// The kernel that a kernel's call of `rng::name` means.
pub(crate) fn kernel(name: &str) -> Option<&'static Kernel> {
    match name {
        "rng::philox" => Some(source::philox::__cuprous_tree()),
        "rng::uniform" => Some(source::uniform::__cuprous_tree()),
        "rng::normal" => Some(source::normal::__cuprous_tree()),
        _ => None,
    }
}

/// The functions themselves, as kernels.
mod source {
    use crate::kernel;

    #[kernel]
    pub fn philox(key: [u32; 2], ctr: [u32; 4]) -> [u32; 4] {
        let mut k0 = key[0];
        let mut k1 = key[1];
        let mut c0 = ctr[0];
        let mut c1 = ctr[1];
        let mut c2 = ctr[2];
        let mut c3 = ctr[3];
        for _ in 0..10 {
            let p = c0 as u64 * 0xD251_1F53;
            let q = c2 as u64 * 0xCD9E_8D57;
            c0 = (q >> 32) as u32 ^ c1 ^ k0;
            c1 = q as u32;
            c2 = (p >> 32) as u32 ^ c3 ^ k1;
            c3 = p as u32;
            k0 = k0.wrapping_add(0x9E37_79B9);
            k1 = k1.wrapping_add(0xBB67_AE85);
        }
        [c0, c1, c2, c3]
    }

    #[kernel]
    pub fn uniform(seed: u64, i: u64) -> f64 {
        let w = philox(
            [seed as u32, (seed >> 32) as u32],
            [i as u32, (i >> 32) as u32, 0, 0],
        );
        unit(w[0], w[1])
    }

    #[kernel]
    pub fn normal(seed: u64, i: u64) -> f64 {
        let w = philox(
            [seed as u32, (seed >> 32) as u32],
            [i as u32, (i >> 32) as u32, 1, 0],
        );
        let radius = (-2.0 * (1.0 - unit(w[0], w[1])).ln()).sqrt();
        radius * (std::f64::consts::TAU * unit(w[2], w[3])).cos()
    }

    /// The upper 53 bits of a 64-bit integer, as a fraction.
    #[kernel]
    pub fn unit(low: u32, high: u32) -> f64 {
        // 2^-53; the integer is exact in f64, and so is the product.
        ((((high as u64) << 32) | low as u64) >> 11) as f64 * 1.110_223_024_625_156_5e-16
    }
}

#[cfg(test)]
mod tests {
    use super::source::unit::plain as unit;
    use super::*;

    /// The known answers that come with the authors' Random123.
    #[test]
    fn philox_known_answers() {
        assert_eq!(
            philox([0, 0], [0, 0, 0, 0]),
            [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
        );
        assert_eq!(
            philox([!0, !0], [!0, !0, !0, !0]),
            [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
        );
        assert_eq!(
            philox(
                [0xa4093822, 0x299f31d0],
                [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]
            ),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn unit_covers_its_range() {
        assert_eq!(unit(0, 0), 0.0);
        assert_eq!(unit(1 << 11, 0), f64::EPSILON / 2.0);
        assert_eq!(unit(!0, !0), 1.0 - f64::EPSILON / 2.0);
        assert_eq!(unit(0, 1 << 31), 0.5);
    }

    #[test]
    fn seed_and_position_use_all_their_bits() {
        let base = uniform(1, 1);
        for bit in 0..64 {
            assert_ne!(uniform(1 ^ (1 << bit), 1), base);
            assert_ne!(uniform(1, 1 ^ (1 << bit)), base);
            assert_ne!(normal(1 ^ (1 << bit), 1), normal(1, 1));
        }
    }

    #[test]
    fn moments() {
        let n = 200_000u64;
        let moment =
            |x: &dyn Fn(u64) -> f64, k| (0..n).map(|i| x(i).powi(k)).sum::<f64>() / n as f64;
        let u = |i| uniform(3, i);
        let z = |i| normal(3, i);
        // Four standard deviations of each estimate.
        assert!((moment(&u, 1) - 0.5).abs() < 0.0026);
        assert!((moment(&u, 2) - 1.0 / 3.0).abs() < 0.0027);
        assert!(moment(&z, 1).abs() < 0.009);
        assert!((moment(&z, 2) - 1.0).abs() < 0.013);
        assert!((moment(&z, 4) - 3.0).abs() < 0.088);
        let both = (0..n).map(|i| u(i) * z(i)).sum::<f64>() / n as f64;
        assert!(both.abs() < 0.0052);
    }
}
