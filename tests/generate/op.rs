//! One file for each scalar operation: every type that it takes, on all pairs of edge values, in a par.

use crate::scalar::{Scalar, list};

/// A file under way.
struct File {
    name: &'static str,
    text: String,
}

impl File {
    fn new(name: &'static str) -> File {
        File {
            name,
            text: String::new(),
        }
    }

    /// A function that applies the operation to arrays of these types, element by element, and its run line.
    fn elementwise(&mut self, types: &[&str], result: &str, arrays: &[String], expected: &str) {
        let op = self.name;
        let name = format!("{op}_{}", types[types.len().min(2) - 1]);
        self.func(&name, op, types, result);
        self.text += &format!("; run: @{name}({}) == {expected}\n\n", arrays.join(", "));
    }

    fn func(&mut self, name: &str, op: &str, types: &[&str], result: &str) {
        let each = |f: &dyn Fn(usize, &str) -> String, separator: &str| {
            let texts: Vec<String> = types.iter().enumerate().map(|(k, ty)| f(k, ty)).collect();
            texts.join(separator)
        };
        let params = each(&|k, ty| format!("%x{k}: [%n]{ty}"), ", ");
        let loads = each(&|k, ty| format!("    %v{k}: {ty} = index %x{k}[%i]\n"), "");
        let operands = each(&|k, _| format!("%v{k}"), ", ");
        self.text += &format!(
            "func @{name}[%n]({params}) -> [%n]{result} {{\n  %y: [%n]{result} = par (%i in 0..%n) {{\n{loads}    \
             %r: {result} = {op} {operands}\n    collect %r\n  }}\n  return %y\n}}\n"
        );
    }

    fn unary<T: Scalar, R: Scalar>(&mut self, f: impl Fn(T) -> R) {
        let edges = T::edges();
        let results: Vec<R> = edges.iter().map(|&a| f(a)).collect();
        self.elementwise(&[T::NAME], R::NAME, &[list(&edges)], &list(&results));
    }

    fn binary<T: Scalar, R: Scalar>(&mut self, f: impl Fn(T, T) -> Option<R>) {
        let (mut left, mut right, mut results) = (vec![], vec![], vec![]);
        for &a in &T::edges() {
            for &b in &T::edges() {
                if let Some(result) = f(a, b) {
                    left.push(a);
                    right.push(b);
                    results.push(result);
                }
            }
        }
        let arrays = [list(&left), list(&right)];
        self.elementwise(&[T::NAME, T::NAME], R::NAME, &arrays, &list(&results));
    }

    fn fails<T: Scalar>(&mut self, a: T, b: T, error: &str) {
        let (op, ty) = (self.name, T::NAME);
        let (a, b) = (a.text(), b.text());
        self.text += &format!("; run: @{op}_{ty}([1, {a}], [1, {b}]) error {error}\n\n");
    }
}

macro_rules! each {
    ([$($t:ident)*] $T:ident $body:block) => {$({ type $T = $t; $body })*};
}
macro_rules! signed { ($T:ident $body:block) => { each!([i8 i16 i32 i64] $T $body) }; }
macro_rules! integers { ($T:ident $body:block) => { each!([i8 i16 i32 i64 u8 u16 u32 u64] $T $body) }; }
macro_rules! floats { ($T:ident $body:block) => { each!([f32 f64] $T $body) }; }
macro_rules! scalars { ($T:ident $body:block) => { each!([bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64] $T $body) }; }

/// Integers one way, floats another.
fn arithmetic() -> Vec<File> {
    macro_rules! row {
        ($name:literal, $int:ident, $float:expr) => {{
            let mut file = File::new($name);
            integers!(T { file.binary(|a: T, b: T| Some(a.$int(b))); });
            floats!(T { let f: fn(T, T) -> T = $float; file.binary(|a: T, b: T| Some(f(a, b))); });
            file
        }};
    }
    vec![
        row!("add", wrapping_add, |a, b| a + b),
        row!("sub", wrapping_sub, |a, b| a - b),
        row!("mul", wrapping_mul, |a, b| a * b),
        row!("min", min, |a, b| least(a, b)),
        row!("max", max, |a, b| most(a, b)),
    ]
}

/// The smaller: a NaN only if both are, -0.0 before 0.0.
pub fn least<T: Scalar>(a: T, b: T) -> T {
    pick(a, b, |a, b| a < b, true)
}

/// The larger: a NaN only if both are, 0.0 before -0.0.
pub fn most<T: Scalar>(a: T, b: T) -> T {
    pick(a, b, |a, b| a > b, false)
}

fn pick<T: Scalar>(a: T, b: T, better: fn(&T, &T) -> bool, negative: bool) -> T {
    let sign = |v: T| {
        let (bits, width) = v.bits();
        bits >> (8 * width - 1) == 1
    };
    match () {
        _ if a != a => b,
        _ if b != b => a,
        _ if a == b => {
            if sign(a) == negative {
                a
            } else {
                b
            }
        }
        _ if better(&a, &b) => a,
        _ => b,
    }
}

fn division() -> Vec<File> {
    macro_rules! row {
        ($name:literal, $op:tt) => {{
            let mut file = File::new($name);
            integers!(T {
                // Rust's operator would panic where the operation fails: those pairs stand in lines of their own.
                let fails = |a: T, b: T| b == 0 || a == T::MIN && b.wrapping_add(1) == 0 && T::MIN != 0;
                file.binary(|a: T, b: T| if fails(a, b) { None } else { Some(a $op b) });
                file.fails(7 as T, 0 as T, "CU0202: division by zero");
            });
            signed!(T {
                let text = format!("CU0203: {} {} -1 does not fit its type", T::MIN, stringify!($op));
                file.fails(T::MIN, -1, &text);
            });
            floats!(T { file.binary(|a: T, b: T| Some(a $op b)); });
            file
        }};
    }
    vec![row!("div", /), row!("rem", %)]
}

fn bitwise() -> Vec<File> {
    macro_rules! row {
        ($name:literal, $op:tt) => {{
            let mut file = File::new($name);
            each!([bool i8 i16 i32 i64 u8 u16 u32 u64] T { file.binary(|a: T, b: T| Some(a $op b)); });
            file
        }};
    }
    let mut not = File::new("not");
    each!([bool i8 i16 i32 i64 u8 u16 u32 u64] T { not.unary(|a: T| !a); });
    // Two's complement: an amount modulo the width, which is a power of two, is its low bits.
    macro_rules! shift {
        ($name:literal, $f:expr) => {{
            let mut file = File::new($name);
            integers!(T {
                let f: fn(T, u32) -> T = $f;
                file.binary(|a: T, b: T| Some(f(a, (b as u8 as u32) & (T::BITS - 1))));
            });
            file
        }};
    }
    let mut high = File::new("mul_high");
    each!([i8 i16 i32 i64] T { high.binary(|a: T, b: T| Some(((a as i128 * b as i128) >> T::BITS) as T)); });
    each!([u8 u16 u32 u64] T { high.binary(|a: T, b: T| Some(((a as u128 * b as u128) >> T::BITS) as T)); });
    vec![
        row!("and", &),
        row!("or", |),
        row!("xor", ^),
        not,
        shift!("shl", |a, b| a << b),
        shift!("shr", |a, b| a >> b),
        shift!("rotate_left", |a, b| a.rotate_left(b)),
        high,
    ]
}

fn comparisons() -> Vec<File> {
    macro_rules! row {
        ($name:literal, $op:tt) => {{
            let mut file = File::new($name);
            scalars!(T { file.binary(|a: T, b: T| Some(a $op b)); });
            file
        }};
    }
    vec![
        row!("eq", ==),
        row!("ne", !=),
        row!("lt", <),
        row!("le", <=),
        row!("gt", >),
        row!("ge", >=),
    ]
}

fn unary() -> Vec<File> {
    let mut neg = File::new("neg");
    integers!(T { neg.unary(|a: T| (0 as T).wrapping_sub(a)); });
    floats!(T { neg.unary(|a: T| -a); });
    let mut abs = File::new("abs");
    signed!(T { abs.unary(|a: T| if a < 0 { (0 as T).wrapping_sub(a) } else { a }); });
    floats!(T { abs.unary(|a: T| if a.is_sign_negative() { -a } else { a }); });
    let mut files = vec![neg, abs];
    macro_rules! count {
        ($name:ident) => {{
            let mut file = File::new(stringify!($name));
            integers!(T { file.unary(|a: T| a.$name()); });
            files.push(file);
        }};
    }
    count!(count_ones);
    count!(leading_zeros);
    count!(trailing_zeros);
    macro_rules! round {
        ($name:literal, $method:ident) => {{
            let mut file = File::new($name);
            floats!(T { file.unary(|a: T| a.$method()); });
            floats!(T {
                // Halves, the largest fraction, the first integers without fractions: where rounding goes wrong.
                let whole = (1u64 << (T::MANTISSA_DIGITS - 1)) as T;
                let below = 0.5 - T::EPSILON / 4.0;
                let some = [0.4, -0.4, below, -below, -0.5, 1.5, -2.5, 3.5, 1e6 + 0.5, whole - 0.5, whole + 1.0, -whole];
                let results: Vec<T> = some.iter().map(|v| v.$method()).collect();
                let (ty, some) = (T::NAME, list(&some));
                file.text += &format!("; run: @{}_{ty}({some}) == {}\n\n", $name, list(&results));
            });
            files.push(file);
        }};
    }
    round!("sqrt", sqrt);
    round!("floor", floor);
    round!("ceil", ceil);
    round!("trunc", trunc);
    round!("nearest", round_ties_even);
    round!("round", round);
    files
}

fn others() -> Vec<File> {
    let mut copysign = File::new("copysign");
    floats!(T { copysign.binary(|a: T, b: T| Some(if b.is_sign_negative() == a.is_sign_negative() { a } else { -a })); });
    let mut select = File::new("select");
    scalars!(T {
        let edges = T::edges();
        let cond: Vec<bool> = (0..edges.len()).map(|k| k % 3 == 0).collect();
        let other: Vec<T> = edges.iter().rev().copied().collect();
        let result: Vec<T> = (0..edges.len()).map(|k| if cond[k] { edges[k] } else { other[k] }).collect();
        let arrays = [list(&cond), list(&edges), list(&other)];
        select.elementwise(&["bool", T::NAME, T::NAME], T::NAME, &arrays, &list(&result));
    });
    let mut fma = File::new("fma");
    floats!(T {
        let edges = [1.0 + T::EPSILON, -1.0, 0.0, -0.0, 3e9, T::MAX, T::INFINITY, T::NAN];
        let (mut a, mut b, mut c, mut results) = (vec![], vec![], vec![], vec![]);
        for (i, &x) in edges.iter().enumerate() {
            for (j, &y) in edges.iter().enumerate() {
                let z: T = if (i + j) % 2 == 0 { -(x * y) } else { edges[(i * 3 + j) % edges.len()] };
                a.push(x);
                b.push(y);
                c.push(z);
                results.push(x.mul_add(y, z));
            }
        }
        fma.elementwise(&[T::NAME; 3], T::NAME, &[list(&a), list(&b), list(&c)], &list(&results));
    });
    vec![copysign, select, fma]
}

/// The functions that are kernels of the language: at values where every right implementation gives the same bits. How
/// precise they are elsewhere is for the tests of `math`.
fn math() -> Vec<File> {
    let unary: &[(&str, &[(f64, f64)])] = &[
        (
            "exp",
            &[
                (0.0, 1.0),
                (-0.0, 1.0),
                (f64::INFINITY, f64::INFINITY),
                (f64::NEG_INFINITY, 0.0),
            ],
        ),
        (
            "ln",
            &[
                (1.0, 0.0),
                (0.0, f64::NEG_INFINITY),
                (f64::INFINITY, f64::INFINITY),
                (-1.0, f64::NAN),
            ],
        ),
        (
            "sin",
            &[(0.0, 0.0), (-0.0, -0.0), (f64::INFINITY, f64::NAN)],
        ),
        (
            "cos",
            &[(0.0, 1.0), (-0.0, 1.0), (f64::NEG_INFINITY, f64::NAN)],
        ),
        (
            "tanh",
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (f64::INFINITY, 1.0),
                (f64::NEG_INFINITY, -1.0),
                (50.0, 1.0),
            ],
        ),
        (
            "erf",
            &[
                (0.0, 0.0),
                (-0.0, -0.0),
                (f64::INFINITY, 1.0),
                (f64::NEG_INFINITY, -1.0),
                (9.0, 1.0),
            ],
        ),
    ];
    let mut files = vec![];
    for (name, pairs) in unary {
        let mut file = File::new(name);
        floats!(T {
            let (mut given, mut wanted) = (vec![T::NAN], vec![T::NAN]);
            for &(x, y) in *pairs {
                given.push(x as T);
                wanted.push(y as T);
            }
            file.elementwise(&[T::NAME], T::NAME, &[list(&given)], &list(&wanted));
        });
        files.push(file);
    }
    let mut powf = File::new("powf");
    floats!(T {
        let inf = T::INFINITY;
        let nan = T::NAN;
        let rows: [(T, T, T); 16] = [
            (2.0, 3.0, 8.0), (2.0, -2.0, 0.25), (0.0, 0.0, 1.0), (nan, 0.0, 1.0), (1.0, nan, 1.0), (-2.0, 3.0, -8.0),
            (-2.0, 2.0, 4.0), (-2.0, 0.5, nan), (0.0, -1.0, inf), (-0.0, -1.0, -inf), (-0.0, 3.0, -0.0), (inf, -1.0, 0.0),
            (-inf, 3.0, -inf), (0.5, inf, 0.0), (2.0, inf, inf), (4.0, 0.5, 2.0),
        ];
        let column = |k: usize| list(&rows.iter().map(|row| [row.0, row.1, row.2][k]).collect::<Vec<T>>());
        powf.elementwise(&[T::NAME; 2], T::NAME, &[column(0), column(1)], &column(2));
    });
    let mut powi = File::new("powi");
    floats!(T {
        let rows: [(T, i32, T); 9] = [
            (2.0, 10, 1024.0), (2.0, -2, 0.25), (T::NAN, 0, 1.0), (-3.0, 3, -27.0), (0.0, -1, T::INFINITY),
            (-0.0, -3, T::NEG_INFINITY), (1.5, 2, 2.25), (-1.0, i32::MIN, 1.0), (1.0, i32::MAX, 1.0),
        ];
        let x: Vec<T> = rows.iter().map(|row| row.0).collect();
        let n: Vec<i32> = rows.iter().map(|row| row.1).collect();
        let y: Vec<T> = rows.iter().map(|row| row.2).collect();
        let name = format!("powi_{}", T::NAME);
        powi.func(&name, "powi", &[T::NAME, "i32"], T::NAME);
        powi.text += &format!("; run: @{name}({}, {}) == {}\n\n", list(&x), list(&n), list(&y));
    });
    files.extend([powf, powi]);
    files
}

/// `cast` and `bits` are no rows, but every pair of types has a meaning of its own.
fn conversions() -> Vec<File> {
    let mut cast = File::new("cast");
    macro_rules! to {
        ($file:ident, $from:ident, [$($to:ident)*]) => {$({
            let edges = <$from>::edges();
            let results: Vec<$to> = edges.iter().map(|&v| v as $to).collect();
            conversion(&mut $file, "cast", &edges, &results);
        })*};
    }
    each!([i8 i16 i32 i64 u8 u16 u32 u64 f32 f64] T { to!(cast, T, [i8 i16 i32 i64 u8 u16 u32 u64 f32 f64]); });
    to!(cast, bool, [i8 i16 i32 i64 u8 u16 u32 u64]);
    let bools = bool::edges();
    conversion(&mut cast, "cast", &bools, &[0.0f32, 1.0]);
    conversion(&mut cast, "cast", &bools, &[0.0f64, 1.0]);
    let mut bits = File::new("bits");
    let floats = || f64::edges().into_iter().filter(|v| !v.is_nan());
    let wide: Vec<f64> = floats().collect();
    let narrow: Vec<f32> = f32::edges().into_iter().filter(|v| !v.is_nan()).collect();
    let wide_bits: Vec<u64> = wide.iter().map(|v| v.to_bits()).collect();
    let narrow_bits: Vec<u32> = narrow.iter().map(|v| v.to_bits()).collect();
    let narrow_signed: Vec<i32> = narrow_bits.iter().map(|&v| v as i32).collect();
    conversion(&mut bits, "bits", &wide, &wide_bits);
    conversion(&mut bits, "bits", &wide_bits, &wide);
    conversion(&mut bits, "bits", &narrow, &narrow_bits);
    conversion(&mut bits, "bits", &narrow, &narrow_signed);
    conversion(&mut bits, "bits", &narrow_signed, &narrow);
    let bytes = u8::edges();
    let signed: Vec<i8> = bytes.iter().map(|&v| v as i8).collect();
    conversion(&mut bits, "bits", &bytes, &signed);
    conversion(&mut bits, "bits", &signed, &bytes);
    vec![cast, bits]
}

fn conversion<A: Scalar, B: Scalar>(file: &mut File, op: &str, from: &[A], to: &[B]) {
    let name = format!("{op}_{}_{}", A::NAME, B::NAME);
    file.func(&name, &format!("{op} {}", B::NAME), &[A::NAME], B::NAME);
    file.text += &format!("; run: @{name}({}) == {}\n\n", list(from), list(to));
}

/// Names and texts of all files.
pub fn files() -> Vec<(String, String)> {
    let groups = [
        arithmetic(),
        division(),
        bitwise(),
        comparisons(),
        unary(),
        others(),
        math(),
        conversions(),
    ];
    let files = groups.into_iter().flatten();
    files
        .map(|file| (format!("op/{}.cup", file.name), file.text))
        .collect()
}
