//! The cost model: α for each message, β for each byte.

use std::fmt;

/// What a rank sends. Messages follow each other unless it is said that they do not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub messages: f64,
    pub bytes: f64,
}

impl std::ops::Add for Cost {
    type Output = Cost;
    fn add(self, other: Cost) -> Cost {
        Cost {
            messages: self.messages + other.messages,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// What a message and a byte take.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    /// Seconds a message.
    pub alpha: f64,
    /// Seconds a byte.
    pub beta: f64,
}

impl Constants {
    /// Assumed of a network between hosts.
    pub const TYPICAL: Constants = Constants {
        alpha: 1.5e-6,
        beta: 1.0 / 12e9,
    };

    /// Least squares of ln(measured / model) over pairs of bytes and seconds: twice as long counts as much as half as long, and
    /// short messages as much as long ones. By Gauss and Newton, in ln α and ln β.
    pub fn fit(points: &[(f64, f64)]) -> Constants {
        let (first, last) = (points[0], points[points.len() - 1]);
        let (mut alpha, mut beta) = (first.1, last.1 / last.0);
        for _ in 0..100 {
            let [mut aa, mut ab, mut bb, mut ar, mut br] = [0.0; 5];
            for &(bytes, seconds) in points {
                let model = alpha + beta * bytes;
                let (a, b, rest) = (alpha / model, beta * bytes / model, (seconds / model).ln());
                aa += a * a;
                ab += a * b;
                bb += b * b;
                ar += a * rest;
                br += b * rest;
            }
            let determinant = aa * bb - ab * ab;
            // Shorter steps than Newton's, at most by e: far from the end his go too far.
            let step = |by: f64| (by / determinant / 2.0).clamp(-1.0, 1.0).exp();
            alpha *= step(ar * bb - br * ab);
            beta *= step(br * aa - ar * ab);
        }
        Constants { alpha, beta }
    }

    /// The time of a cost.
    pub fn seconds(&self, cost: Cost) -> f64 {
        self.alpha * cost.messages + self.beta * cost.bytes
    }
}

impl fmt::Display for Constants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (alpha, beta) = (self.alpha * 1e6, self.beta * 1e9);
        let speed = 1e-9 / self.beta;
        write!(
            f,
            "α = {alpha:.2} µs a message, β = {beta:.4} ns a byte ({speed:.2} GB/s)"
        )
    }
}

/// The constants of one machine: ranks of one host copy what fits in a cache much faster than what does not.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Of messages up to [`Machine::SHORT`].
    pub short: Constants,
    /// Of longer ones.
    pub long: Constants,
}

impl Machine {
    /// How long a short message may be.
    pub const SHORT: f64 = (256 << 10) as f64;

    /// Fits both.
    pub fn fit(points: &[(f64, f64)]) -> Machine {
        let (short, long): (Vec<_>, Vec<_>) = points
            .iter()
            .partition(|(bytes, _)| *bytes <= Machine::SHORT);
        Machine {
            short: Constants::fit(&short),
            long: Constants::fit(&long),
        }
    }

    /// The time of a cost, by the constants for its messages if all are equally long.
    pub fn seconds(&self, cost: Cost) -> f64 {
        match cost.bytes <= cost.messages * Machine::SHORT {
            true => self.short.seconds(cost),
            false => self.long.seconds(cost),
        }
    }
}

/// ⌈log₂ p⌉.
pub fn levels(ranks: usize) -> f64 {
    f64::from(ranks.next_power_of_two().trailing_zeros())
}
