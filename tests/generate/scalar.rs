//! Rust's scalar types: their edge values, how they are written, how they are cut from hashed bits.

/// A scalar type.
pub trait Scalar: Copy + PartialEq + PartialOrd + 'static {
    /// Its name in the text form.
    const NAME: &'static str;
    /// Values at which operations behave in their own way.
    fn edges() -> Vec<Self>;
    /// How the text form writes it.
    fn text(self) -> String;
    /// Its bits, any NaN as the usual one, zero-extended, and their number of bytes.
    fn bits(self) -> (u64, usize);
    /// What the generator `hash` makes of a hash.
    fn of_hash(hash: u64) -> Self;
}

macro_rules! integers {
    ($($t:ident),*) => {$(
        impl Scalar for $t {
            const NAME: &'static str = stringify!($t);
            fn edges() -> Vec<$t> {
                let mut edges = vec![0, 1, 3, 65, $t::MAX / 2 + 1, $t::MAX - 1, $t::MAX];
                if $t::MIN != 0 {
                    edges.extend([$t::MIN, 0 as $t - ($t::MIN != 0) as $t]);
                }
                edges
            }
            fn text(self) -> String { self.to_string() }
            fn bits(self) -> (u64, usize) {
                let mut bytes = [0; 8];
                bytes[..size_of::<$t>()].copy_from_slice(&self.to_le_bytes());
                (u64::from_le_bytes(bytes), size_of::<$t>())
            }
            fn of_hash(hash: u64) -> $t { hash as $t }
        }
    )*};
}

impl Scalar for bool {
    const NAME: &'static str = "bool";
    fn edges() -> Vec<bool> {
        vec![false, true]
    }
    fn text(self) -> String {
        self.to_string()
    }
    fn bits(self) -> (u64, usize) {
        (self.into(), 1)
    }
    fn of_hash(hash: u64) -> bool {
        hash & 1 == 1
    }
}

macro_rules! floats {
    ($($t:ident $shift:literal $scale:literal),*) => {$(
        impl Scalar for $t {
            const NAME: &'static str = stringify!($t);
            fn edges() -> Vec<$t> {
                vec![
                    0.0, -0.0, 1.0, -1.5, 0.5, 2.5, $t::MIN_POSITIVE, -$t::MIN_POSITIVE / 4.0, $t::MAX, $t::MIN,
                    $t::INFINITY, $t::NEG_INFINITY, $t::NAN, 3e9,
                ]
            }
            fn text(self) -> String {
                match self {
                    v if v.is_nan() => "nan".into(),
                    v => format!("{v:?}"),
                }
            }
            fn bits(self) -> (u64, usize) {
                let usual = if self.is_nan() { $t::NAN } else { self };
                (usual.to_bits() as u64, size_of::<$t>())
            }
            fn of_hash(hash: u64) -> $t {
                (hash >> $shift) as $t / (1u64 << $scale) as $t - 1.0
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);
floats!(f32 40 23, f64 11 52);

/// The list, as run lines write it.
pub fn list<T: Scalar>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(|value| value.text()).collect();
    format!("[{}]", texts.join(", "))
}

/// `[…]` for a short list, `digest(…)` for a long one.
pub fn expected<T: Scalar>(values: &[T]) -> String {
    if values.len() <= 40 {
        return list(values);
    }
    let mut digest = 0xcbf2_9ce4_8422_2325u64;
    for value in values {
        let (bits, width) = value.bits();
        for byte in &bits.to_le_bytes()[..width] {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    format!("digest({digest:#018x})")
}

/// The generator `hash(seed, n)`.
pub fn hash<T: Scalar>(seed: u64, n: usize) -> Vec<T> {
    (0..n as u64).map(|k| T::of_hash(mix(seed, k))).collect()
}

/// The generator `below(m, seed, n)`.
pub fn below(m: u64, seed: u64, n: usize) -> Vec<u64> {
    (0..n as u64).map(|k| mix(seed, k) % m).collect()
}

/// SplitMix64, number `k` of the stream `seed`.
fn mix(seed: u64, k: u64) -> u64 {
    let step = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(k.wrapping_add(1));
    let mut z = seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(step);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
