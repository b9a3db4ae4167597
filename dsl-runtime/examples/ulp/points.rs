//! Where a function is measured: regions → pseudo-random arguments, the same in every run.

use std::f64::consts::FRAC_PI_2;

/// A part of the range.
#[derive(Clone, Copy)]
pub enum Region {
    /// Any bits at all.
    Any,
    /// Uniform between two numbers.
    Line(f64, f64),
    /// Uniform in bits between two positive numbers, either sign.
    Bits(f64, f64),
    /// Within so many ulps of a number.
    Near(f64, u64),
    /// Within two ulps of a multiple of π/2, the multiple below 2^n for a random n up to this one.
    Turns(u32),
}

/// A number from a counter (Steele, Lea and Flood's splitmix).
pub fn random(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Uniform in [0, 1).
pub fn unit(counter: u64) -> f64 {
    (random(counter) >> 11) as f64 * 1.1102230246251565e-16
}

impl Region {
    /// The argument of that number.
    pub fn point(self, i: u64) -> f64 {
        let (a, b) = (random(2 * i), random(2 * i + 1));
        match self {
            Region::Any => f64::from_bits(a),
            Region::Line(from, to) => from + (to - from) * unit(2 * i),
            Region::Bits(from, to) => {
                let (from, to) = (from.to_bits(), to.to_bits());
                f64::from_bits((from + a % (to - from + 1)) | b << 63)
            }
            Region::Near(c, ulps) => {
                let bits = c
                    .to_bits()
                    .wrapping_sub(ulps)
                    .wrapping_add(a % (2 * ulps + 1));
                f64::from_bits(bits)
            }
            Region::Turns(n) => {
                let k = random(b) >> (64 - 1 - a % n as u64);
                let x = k as f64 * FRAC_PI_2;
                f64::from_bits((x.to_bits() + b % 5).saturating_sub(2))
            }
        }
    }
}

/// Where x^y is measured: pairs whose power is in the range, and any others.
pub fn pair_f64(i: u64) -> (f64, f64) {
    let (a, b) = (random(4 * i), random(4 * i + 1));
    let x = match i % 8 {
        0 => return (f64::from_bits(a), f64::from_bits(b)),
        1 | 2 => f64::from_bits(a >> 1).min(f64::MAX),
        3 | 4 => unit(4 * i) * 4.0,
        5 => 1.0 + (unit(4 * i) - 0.5) * 1e-3,
        6 => f64::from_bits(1f64.to_bits() - 1000 + a % 2001),
        _ => (a % 1000) as f64 / 8.0,
    };
    let y = match i % 7 {
        0 => (b % 129) as f64 - 64.0,
        1 => ((b % 257) as f64 - 128.0) / 4.0,
        2 => {
            (if b & 1 == 0 { 709.782 } else { -745.13 }) / x.ln()
                * (1.0 + 1e-3 * (unit(4 * i + 2) - 0.5))
        }
        _ => (unit(4 * i + 1) * 1460.0 - 748.0) / x.ln(),
    };
    (if b >> 63 == 1 && i % 7 < 2 { -x } else { x }, y)
}

/// The same for `f32`.
pub fn pair_f32(i: u64) -> (f32, f32) {
    let (a, b) = (random(4 * i), random(4 * i + 1));
    let x = match i % 8 {
        0 => return (f32::from_bits(a as u32), f32::from_bits(b as u32)),
        1..=3 => f32::from_bits(a as u32 >> 1).min(f32::MAX),
        4 | 5 => (unit(4 * i) * 4.0) as f32,
        6 => f32::from_bits(1f32.to_bits() - 1000 + (a % 2001) as u32),
        _ => (a % 1000) as f32 / 8.0,
    };
    let y = match i % 7 {
        0 => (b % 129) as f64 - 64.0,
        1 => ((b % 257) as f64 - 128.0) / 4.0,
        _ => (unit(4 * i + 1) * 194.0 - 104.5) / (x as f64).ln(),
    };
    (if b >> 63 == 1 && i % 7 < 2 { -x } else { x }, y as f32)
}
