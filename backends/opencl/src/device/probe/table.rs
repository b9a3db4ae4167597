//! The operations that are asked, how OpenCL C spells them, and what Rust makes of them.

use std::fmt;

/// The numbers that an operation may take.
#[derive(Clone, Copy)]
pub(super) struct Input {
    /// `a`, `b`, `c`.
    pub f: [f32; 3],
    /// `p`, `q`, `r`.
    pub d: [f64; 3],
    /// `u64`, and as other types `i64`, `u32`, `i32`.
    pub k: u64,
}

/// An operation.
pub(super) struct Row {
    /// In OpenCL C, for numbers and for vectors: `TO(t, x)` is `convert_t`, `SAT(t, x)` is `convert_t_sat`,
    /// `NUMBER(t, x)` is `(x != x ? (t)0 : x)`: of a NaN OpenCL only says that it should become 0.
    pub code: &'static str,
    /// The unsigned type of the result's bits.
    pub bits: &'static str,
    /// Whether it needs double precision.
    pub double: bool,
    /// Whether the result is a float.
    float: bool,
    /// The bits that Rust gives.
    pub rust: fn(&Input) -> u64,
}

/// A result as bits.
trait Bits {
    const TYPE: &'static str;
    const FLOAT: bool = false;
    fn bits(self) -> u64;
}

macro_rules! bits {
    ($($ty:ty, $unsigned:ty, $name:literal;)*) => {$(
        impl Bits for $ty {
            const TYPE: &'static str = $name;
            fn bits(self) -> u64 {
                self as $unsigned as u64
            }
        }
    )*};
}
bits! {
    i8, u8, "uchar"; u8, u8, "uchar"; i16, u16, "ushort"; u16, u16, "ushort";
    i32, u32, "uint"; u32, u32, "uint"; i64, u64, "ulong"; u64, u64, "ulong";
}

impl Bits for f32 {
    const TYPE: &'static str = "uint";
    const FLOAT: bool = true;
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
}

impl Bits for f64 {
    const TYPE: &'static str = "ulong";
    const FLOAT: bool = true;
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

macro_rules! rows {
    (
        [$a:ident $b:ident $c:ident $p:ident $q:ident $r:ident $k:ident]
        $($double:literal { $($ty:ident $code:literal => $rust:expr;)* })*
    ) => {
        /// All operations.
        pub(super) const ROWS: &[Row] = &[$($({
            #[allow(unused_variables)]
            fn rust(input: &Input) -> u64 {
                let Input { f: [$a, $b, $c], d: [$p, $q, $r], k: $k } = *input;
                <$ty as Bits>::bits($rust)
            }
            Row {
                code: $code,
                bits: <$ty as Bits>::TYPE,
                double: $double,
                float: <$ty as Bits>::FLOAT,
                rust,
            }
        }),*),*];
    };
}
rows! {
    [a b c p q r k]
    false {
    f32 "a + b" => a + b;
    f32 "a - b" => a - b;
    f32 "a * b" => a * b;
    f32 "a / b" => a / b;
    f32 "b * c + a" => b * c + a;
    f32 "a - c * b" => a - c * b;
    f32 "sqrt(a)" => a.sqrt();
    f32 "fma(a, b, c)" => a.mul_add(b, c);
    f32 "rint(a)" => a.round_ties_even();
    f32 "trunc(a)" => a.trunc();
    f32 "floor(a)" => a.floor();
    f32 "ceil(a)" => a.ceil();
    f32 "round(a)" => a.round();
    i8 "SAT(char, NUMBER(float, a))" => a as i8;
    u8 "SAT(uchar, NUMBER(float, a))" => a as u8;
    i16 "SAT(short, NUMBER(float, a))" => a as i16;
    u16 "SAT(ushort, NUMBER(float, a))" => a as u16;
    i32 "SAT(int, NUMBER(float, a))" => a as i32;
    u32 "SAT(uint, NUMBER(float, a))" => a as u32;
    i64 "SAT(long, NUMBER(float, a))" => a as i64;
    u64 "SAT(ulong, NUMBER(float, a))" => a as u64;
    f32 "TO(float, i32)" => k as i32 as f32;
    f32 "TO(float, u32)" => k as u32 as f32;
    f32 "TO(float, i64)" => k as i64 as f32;
    f32 "TO(float, u64)" => k as f32;
    }
    true {
    f64 "p + q" => p + q;
    f64 "p - q" => p - q;
    f64 "p * q" => p * q;
    f64 "p / q" => p / q;
    f64 "q * r + p" => q * r + p;
    f64 "p - r * q" => p - r * q;
    f64 "sqrt(p)" => p.sqrt();
    f64 "fma(p, q, r)" => p.mul_add(q, r);
    f64 "rint(p)" => p.round_ties_even();
    f64 "trunc(p)" => p.trunc();
    f64 "floor(p)" => p.floor();
    f64 "ceil(p)" => p.ceil();
    f64 "round(p)" => p.round();
    i8 "SAT(char, NUMBER(double, p))" => p as i8;
    u8 "SAT(uchar, NUMBER(double, p))" => p as u8;
    i16 "SAT(short, NUMBER(double, p))" => p as i16;
    u16 "SAT(ushort, NUMBER(double, p))" => p as u16;
    i32 "SAT(int, NUMBER(double, p))" => p as i32;
    u32 "SAT(uint, NUMBER(double, p))" => p as u32;
    i64 "SAT(long, NUMBER(double, p))" => p as i64;
    u64 "SAT(ulong, NUMBER(double, p))" => p as u64;
    f32 "TO(float, p)" => p as f32;
    f64 "TO(double, a)" => a as f64;
    f64 "TO(double, i32)" => k as i32 as f64;
    f64 "TO(double, u32)" => k as u32 as f64;
    f64 "TO(double, i64)" => k as i64 as f64;
    f64 "TO(double, u64)" => k as f64;
    }
}

/// A result that differs from Rust's.
pub(super) struct Difference {
    pub code: &'static str,
    input: Input,
    found: u64,
    wanted: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Input {
            f: [a, b, c],
            d: [p, q, r],
            k,
        } = self.input;
        let (code, found, wanted) = (self.code, self.found, self.wanted);
        write!(f, "`{code}` is {found:#x} instead of {wanted:#x} (")?;
        write!(
            f,
            "a = {a:e}, b = {b:e}, c = {c:e}, p = {p:e}, q = {q:e}, r = {r:e}, u64 = {k})"
        )
    }
}

impl Row {
    /// The first result that is not Rust's.
    pub fn difference(&self, inputs: &[Input], found: &[u64]) -> Option<Difference> {
        inputs.iter().zip(found).find_map(|(&input, &found)| {
            let wanted = (self.rust)(&input);
            let same = found == wanted || self.is_nan(found) && self.is_nan(wanted);
            let code = self.code;
            (!same).then_some(Difference {
                code,
                input,
                found,
                wanted,
            })
        })
    }

    /// Whether the bits of a result are those of a NaN.
    pub fn is_nan(&self, bits: u64) -> bool {
        match self.bits {
            "uint" => self.float && f32::from_bits(bits as u32).is_nan(),
            _ => self.float && f64::from_bits(bits).is_nan(),
        }
    }
}

/// The bits of numbers at which arithmetic changes its ways: `f32`, `f64`, and integers.
pub(super) fn special() -> (Vec<u32>, Vec<u64>, Vec<u64>) {
    let limits = [7, 8, 15, 16, 31, 32, 63, 64].map(|bits| 2f64.powi(bits));
    let small = [0.0, 0.25, 0.5, 1.0, 1.5, 2.5, 3.0, 1.0 / 3.0, 1e-3, 1e10];
    let mut singles = vec![];
    let mut doubles = vec![];
    for value in limits.into_iter().chain(small) {
        let (near, far) = (value as f32, value);
        singles.extend([near, -near, near.next_down(), -near.next_up()].map(f32::to_bits));
        doubles.extend([far, -far, far.next_down(), -far.next_up()].map(f64::to_bits));
    }
    // The smallest, the largest, the first that has no fraction, and what is no number.
    let ends = [
        f32::MAX,
        f32::MIN_POSITIVE,
        f32::INFINITY,
        f32::NAN,
        8_388_609.0,
        16_777_217.0,
    ];
    singles.extend(ends.map(f32::to_bits));
    singles.extend([
        1,
        0x007f_ffff,
        0x0080_0001,
        0x8000_0001,
        0x7f80_0001,
        0x1f80_0001,
    ]);
    let ends = [
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::INFINITY,
        f64::NAN,
        4503599627370497.0,
    ];
    doubles.extend(ends.map(f64::to_bits));
    doubles.extend([f32::MAX as f64, f32::MIN_POSITIVE as f64, 1e-45, 1e39].map(f64::to_bits));
    doubles.extend([
        1,
        0x000f_ffff_ffff_ffff,
        0x8000_0000_0000_0001,
        0x1ff0_0000_0000_0001,
    ]);
    let around = (0..64).flat_map(|bit| {
        let power = 1u64 << bit;
        [power - 1, power, power + 1, !power, power.wrapping_neg()]
    });
    // Half way between neighbours of f32 and f64, and close to that.
    let ties = [24, 25, 40, 53, 54, 62].into_iter().flat_map(|bit| {
        let tie = [1u64 << (bit - 24), (1u64 << bit) >> 53, 3u64 << (bit - 24)];
        tie.into_iter()
            .flat_map(move |tie| [1u64 << bit | tie, (1u64 << bit | tie) + 1])
    });
    (singles, doubles, around.chain(ties).collect())
}
