//! Statements and expressions.

use crate::harness::{doubles, ints};
use cuprous::prelude::*;

#[kernel]
fn shadow(x: i32) -> i32 {
    let x = x + 1;
    let y = {
        let x = x * 2;
        x + 1
    };
    let x = x as i64 + y as i64;
    x as i32
}

#[kernel]
fn patterns(p: (i32, (f64, u8)), q: (i32, i32, i32, i32)) -> (f64, i32) {
    let (a, (b, c)) = p;
    let (first, .., last) = q;
    let (.., third, _) = q;
    let ((x, _), y) = ((a, b), c);
    (
        b + c as f64 + x as f64 + y as f64,
        first * 1000 + last * 10 + third,
    )
}

#[kernel]
fn destructuring(n: u64) -> (u64, u64, [u64; 2]) {
    let (mut a, mut b) = (0, 1);
    for _ in 0..n {
        (a, b) = (b, a + b);
    }
    let mut v = [0, 0];
    [v[0], v[1]] = [a, b];
    (v[1], _) = (v[1] + 5, 3);
    let mut t = (1, 2);
    (t.1, (t.0, _)) = (t.0 + 10, (t.1 + 20, ()));
    (a + t.0, b + t.1, v)
}

#[kernel]
fn compound(a: i32, b: i32) -> (i32, u32, f64, bool) {
    let mut x = a;
    x += b;
    x -= 3;
    x *= 2;
    x /= 3;
    x %= 17;
    x <<= 2;
    x >>= 1;
    x ^= 5;
    x |= 8;
    x &= !1;
    let mut u = x as u32;
    u >>= 3;
    let mut f = a as f64;
    f /= 4.0;
    f %= 2.0;
    let mut t = true;
    t &= a > 0;
    t |= b > 5;
    t ^= true;
    (x, u, f, t)
}

#[kernel]
fn let_else(x: &[i32], k: usize) -> i32 {
    let Some(v) = x.get(k) else {
        return -1;
    };
    let Some(w) = x.last().copied() else {
        return -2;
    };
    v + w
}

#[kernel]
fn chains(x: &[i32], k: usize) -> i32 {
    if let Some(v) = x.get(k)
        && *v > 0
        && let Some(w) = x.get(k + 1)
    {
        *w * 10
    } else if k > 5 {
        1
    } else {
        0
    }
}

#[kernel]
fn option_match(x: &[f64]) -> (f64, f64) {
    let first = match x.first() {
        Some(&v) if v > 2.0 => v,
        Some(v) => -*v,
        None => 99.0,
    };
    let place = match x.iter().position(|&v| v == 3.0) {
        Some(0) => 0.5,
        Some(k) => k as f64,
        None => -1.0,
    };
    (first, place)
}

#[kernel]
fn typed_none(x: f64) -> (bool, f64, u8) {
    let none = 2.0;
    let (mut found, other) = (None::<f64>, Option::<(u8, bool)>::None);
    if x > none {
        found = Some(x);
    }
    (
        found.is_none(),
        found.unwrap_or(none),
        other.map_or(7, |(v, _)| v),
    )
}

/// The `'a` of the macro is not that of its caller.
macro_rules! twice {
    ($name:ident, $n:ident, $count:ident, $label:lifetime, $inner:expr) => {
        #[kernel]
        fn $name($n: usize) -> usize {
            let mut $count = 0;
            $label: for _ in 0..$n {
                'a: for k in 0..$n {
                    if k > 3 {
                        continue 'a;
                    }
                    $count += 1;
                    $inner
                }
            }
            $count
        }
    };
}
twice!(labels_of_two, n, count, 'a, if count > 2 { break 'a });

#[kernel]
fn labels(h: usize, w: usize) -> (usize, i64) {
    let mut seen = 0;
    let found = 'rows: loop {
        let mut i = 0;
        while i < h {
            let mut j = 0;
            loop {
                if j == w {
                    break;
                }
                if i * j == 12 {
                    break 'rows (i * 100 + j) as i64;
                }
                if seen % 5 == 4 && j == 2 {
                    seen += 1;
                    continue 'rows;
                }
                seen += 1;
                j += 1;
                if seen > 200 {
                    break 'rows -7;
                }
            }
            i += 1;
        }
        break 'rows -1;
    };
    (seen, found)
}

#[kernel]
fn blocks(a: i32) -> i32 {
    let v = 'b: {
        if a < 0 {
            break 'b 10;
        }
        let w = 'c: {
            if a == 3 {
                break 'b 20;
            }
            if a == 4 {
                break 'c 30;
            }
            a
        };
        w + 1
    };
    v * 2
}

#[kernel]
fn returns(x: &[i32]) -> i32 {
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            if x[i] + x[j] == 0 {
                return (i * 1000 + j) as i32;
            }
        }
    }
    if x.len() > 3 {
        return -5;
    }
    -6
}

#[kernel]
fn returns_in_closures(x: &[i32]) -> Vec<i32> {
    let f = |v: i32| -> i32 {
        if v < 0 {
            return -v;
        }
        let mut k = 0;
        while k < 100 {
            k += 1;
            if k * k > v {
                return k;
            }
        }
        0
    };
    x.map(|v| {
        for d in 2..8 {
            if v % d == 0 {
                return d * 1000 + f(v);
            }
        }
        f(v)
    })
}

#[kernel]
fn captured(x: &[f64], a: f64) -> (Vec<f64>, f64) {
    let scale = a * 2.0;
    let f = |v: f64, k: usize| v * scale + k as f64;
    let g = |v| f(v, 3) - 1.0;
    let mut total = 0.0;
    for v in x {
        total += g(*v);
    }
    (x.enumerate().map(|(i, v)| f(v, i)), total)
}

#[kernel]
fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[kernel]
fn ackermann_like(n: i64, acc: i64) -> i64 {
    match n {
        0 => acc,
        n if n % 2 == 0 => ackermann_like(n / 2, acc + 1),
        _ => {
            let m = n - 1;
            return ackermann_like(m, acc + 100);
        }
    }
}

#[kernel]
fn uses_tail(x: &[u64], y: &[u64]) -> Vec<u64> {
    x.zip(y).map(|(a, b)| gcd(a, b))
}

#[kernel]
fn for_forms(n: usize) -> (usize, i32, i64, u8, usize) {
    let mut a = 0;
    for i in (0..n).rev() {
        a = a * 3 % 1009 + i;
    }
    let mut b = 0;
    for i in (-5..=5).step_by(3) {
        b = b * 10 + i;
    }
    let mut c = 0i64;
    for i in (0..n as i64).rev().step_by(2) {
        c = c * 7 % 1013 + i;
    }
    let mut d = 0u8;
    for i in 0..=255u8 {
        d = d.wrapping_mul(3).wrapping_add(i);
    }
    let mut e = 0;
    for i in (0..n).step_by(4).rev() {
        e = e * 5 % 1019 + i;
    }
    (a, b, c, d, e)
}

#[kernel]
fn for_over_sequences(x: &[i32], y: &[i32]) -> (i32, i32, i32) {
    let mut a = 0;
    for &v in x {
        a = a * 2 % 1009 + v;
    }
    let mut b = 0;
    for (i, (v, w)) in x.iter().zip(y.iter()).enumerate() {
        if i == 7 {
            continue;
        }
        b += v * w * i as i32;
    }
    let mut c = 0;
    for v in [3, 1, 4] {
        c = c * 10 + v;
    }
    (a, b, c)
}

#[kernel]
fn while_loops(n: u32) -> (u32, u32) {
    let mut k = n;
    let mut rounds = 0;
    while k > 1 && rounds < 500 {
        rounds += 1;
        if k % 2 == 1 {
            k = 3 * k + 1;
            continue;
        }
        k /= 2;
    }
    (k, rounds)
}

#[kernel]
fn matches(x: &[i32]) -> Vec<i32> {
    x.map(|v| match v {
        i32::MIN..=-51 => 1,
        -50..0 => 2,
        0 => 3,
        1 | 3 | 5 => 4,
        w @ 2..=10 => w * 100,
        w if w % 7 == 0 => w,
        50.. => 5,
        _ => 6,
    })
}

#[kernel]
fn tuple_match(a: i32, b: bool) -> i32 {
    match (a, b) {
        (0, true) => 1,
        (0, false) => 2,
        (n, true) if n > 3 => n,
        (1..=3, _) => 4,
        (_, false) => 5,
        _ => 6,
    }
}

#[kernel]
fn macro_words(a: i32, x: &[i32]) -> (bool, usize) {
    assert!(a != 77, "a is {} of {}", a, x.len());
    assert_eq!(x.len() % 2, 0, "odd");
    assert_ne!(a, 78);
    debug_assert!(a < 1000);
    if a == 79 {
        panic!("no {a}");
    }
    if a == 80 {
        unreachable!();
    }
    (matches!(a, 1 | 2 | 5..=9), vec![1.0; x.len()].len())
}

#[kernel]
fn carried_arrays(x: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = x.to_vec();
    let mut b = fill(x.len(), 0.0);
    for k in 0..n {
        let t = a.zip(&b).map(|(u, v)| u * 0.5 + v + k as f64);
        b = a;
        a = t;
        if k == 6 {
            break;
        }
    }
    (a, b)
}

#[kernel]
fn shrinking(x: &[i32]) -> (Vec<i32>, usize) {
    let mut v = x.to_vec();
    let mut rounds = 0;
    while v.len() > 1 {
        let half = v.len() / 2;
        let rest = v[2 * half..].to_vec();
        v = indices(half).map(|i| v[2 * i] ^ v[2 * i + 1]).chain(&rest);
        rounds += 1;
    }
    (v, rounds)
}

#[kernel]
fn sieve(n: usize) -> Vec<usize> {
    let mut prime = vec![true; n];
    let mut i = 2;
    while i * i < n {
        if prime[i] {
            let mut j = i * i;
            while j < n {
                prime[j] = false;
                j += i;
            }
        }
        i += 1;
    }
    indices(n).filter(|k| k > 1 && prime[k])
}

#[kernel]
fn sub_slices(x: &[i32], a: usize, b: usize) -> (i32, i32, i32, usize, bool) {
    let y = &x[a..b];
    (
        y.sum(),
        x[..a].iter().sum(),
        x[b..].product(),
        x[a..=b].len(),
        x[a..a].is_empty(),
    )
}

#[kernel]
fn slice_of_slice(x: &[i32]) -> Vec<i32> {
    let y = &x[1..];
    let z = &y[..y.len() - 1];
    let w = x.map(|v| v + 1);
    z.zip(&w[2..]).map(|(a, b)| a * b)
}

#[kernel]
fn unit(x: &mut [i32]) {
    for i in 0..x.len() {
        x[i] += 1;
    }
}

#[kernel]
fn nothing() {}

#[kernel]
fn no_arguments() -> (Vec<i32>, f64) {
    (vec![1, 2, 3], std::f64::consts::PI)
}

#[kernel]
fn in_parallel_bodies(n: usize) -> Vec<i64> {
    indices(n).map(|i| {
        let mut v = vec![0i64; i % 7 + 1];
        v[0] = i as i64;
        for k in 1..v.len() {
            v[k] = v[k - 1] * 3 + k as i64;
        }
        v.sum()
    })
}

#[kernel]
fn insertion(x: &[i32]) -> Vec<i32> {
    let mut y = x.to_vec();
    for i in 1..y.len() {
        let v = y[i];
        let mut j = i;
        while j > 0 && y[j - 1] > v {
            y[j] = y[j - 1];
            j -= 1;
        }
        y[j] = v;
    }
    y
}

#[kernel]
fn short_circuit(x: &[i32], i: usize) -> (bool, bool) {
    (i < x.len() && x[i] > 0, i >= x.len() || x[i] < 0)
}

#[kernel]
fn late(a: i32) -> i32 {
    let (x, y);
    if a > 0 {
        x = 1;
        y = a;
    } else {
        x = 2;
        y = -a;
    }
    x * 100 + y
}

#[kernel]
fn references(x: &[i32], k: &i32) -> i32 {
    let a = &x[0];
    let b = *a + *k;
    let c = &(b, 3);
    let d = x;
    d.len() as i32 + c.0 + c.1 + x[1].clone()
}

#[kernel]
fn nested_tuples(x: &[(i32, (f64, bool))]) -> Vec<((f64, i32), bool)> {
    x.map(|(a, (b, c))| ((b * 2.0, a), !c))
}

#[kernel]
fn if_let_value(x: &[i32]) -> i32 {
    let n = if let Some(m) = x.iter().copied().max() {
        m
    } else {
        0
    };
    let k = x
        .iter()
        .position(|v| *v == n)
        .map(|k| k as i32 * 2)
        .unwrap_or(-3);
    n * 100 + k
}

tests! {
    statements {
        agree!(shadow(3));
        agree!(typed_none(1.0));
        agree!(typed_none(3.0));
        agree!(patterns((3, (0.5, 7)), (1, 2, 3, 4)));
        agree!(destructuring(20));
        for (a, b) in [(5, 9), (-100, 3), (77, -8)] {
            agree!(compound(a, b));
        }
        agree!(blocks(-1));
        agree!(blocks(3));
        agree!(blocks(4));
        agree!(blocks(5));
        agree!(late(4));
        agree!(late(-4));
        agree!(references(&[1, 2, 3], &4));
        agree!(nested_tuples(&[(1, (2.5, true)), (3, (4.5, false))]));
        agree!(no_arguments());
        agree!(nothing());
    }
    options {
        for k in 0..4 {
            agree!(let_else(&[5, -6, 7], k));
            agree!(chains(&[5, -6, 7], k));
        }
        agree!(chains(&[5, -6, 7], 9));
        agree!(let_else(&[][..], 0));
        agree!(option_match(&[1.0, 3.0]));
        agree!(option_match(&[3.0, 3.0]));
        agree!(option_match(&[][..]));
        agree!(if_let_value(&[1, 9, 4]));
        agree!(if_let_value(&[][..]));
    }
    jumps {
        agree!(labels(3, 3));
        agree!(labels_of_two(3));
        agree!(labels_of_two(1));
        agree!(labels(9, 9));
        agree!(labels(0, 5));
        agree!(returns(&[1, 2, -2, 3]));
        agree!(returns(&[1, 2, 2, 3]));
        agree!(returns(&[1]));
        agree!(returns_in_closures(&ints(300)));
        agree!(while_loops(27));
        agree!(while_loops(1));
    }
    closures {
        agree!(captured(&doubles(50), 1.5));
    }
    recursion {
        agree!(gcd(462, 1071));
        agree!(ackermann_like(1_000_001, 0));
        agree!(uses_tail(&[12, 18, 7, 0, 100, 81, 64], &[8, 27, 7, 5, 75, 54, 48]));
    }
    loops {
        for n in [0, 1, 5, 100] {
            agree!(for_forms(n));
        }
        agree!(for_over_sequences(&ints(20), &ints(30)));
        agree!(matches(&ints(1000)));
        for a in 0..6 {
            agree!(tuple_match(a, a % 2 == 0));
            agree!(tuple_match(a, a % 2 == 1));
        }
    }
    assertions {
        agree!(macro_words(5, &[1, 2]));
        fails!(macro_words(77, &[1, 2]), "CU0209", "a is 77 of 2");
        fails!(macro_words(5, &[1]), "CU0209", "odd");
        fails!(macro_words(78, &[1, 2]), "CU0209", "78");
        fails!(macro_words(79, &[1, 2]), "CU0209", "no 79");
        fails!(macro_words(80, &[1, 2]), "CU0209", "unreachable");
    }
    arrays_in_loops {
        for n in [0, 1, 5, 20] {
            agree!(carried_arrays(&doubles(100), n));
        }
        for n in [0, 1, 2, 7, 1000] {
            agree!(shrinking(&ints(n)));
            agree!(insertion(&ints(n.min(100))));
            agree!(sieve(n));
            agree!(in_parallel_bodies(n));
        }
    }
    slices {
        agree!(sub_slices(&ints(20), 3, 15));
        fails!(sub_slices(&ints(20), 3, 21), "CU0210", "21");
        fails!(sub_slices(&ints(20), 15, 3), "CU0210", "15");
        agree!(slice_of_slice(&ints(500)));
        agree!(short_circuit(&[1, -2], 0));
        agree!(short_circuit(&[1, -2], 1));
        agree!(short_circuit(&[1, -2], 2));
    }
}

#[test]
fn mutable_parameters() {
    for place in crate::harness::compiled() {
        let mut x = ints(100);
        unit::call(&mut x).on(&place).run().unwrap();
        assert_eq!(
            x,
            ints(100).iter().map(|v| v + 1).collect::<Vec<_>>(),
            "{place}"
        );
    }
}
