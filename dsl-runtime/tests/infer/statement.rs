//! Branches, loops, patterns and late `let`s.

use dsl_runtime::kernel;
use dsl_runtime::prelude::*;

#[kernel]
fn control(x: &[i64], n: usize, flag: bool) -> i64 {
    let late;
    if flag {
        late = 1i64;
    } else {
        late = 2;
    }
    let chosen = match n {
        0 => 0.5f32,
        1 | 2 => 1.5,
        3..=9 if flag => 2.5,
        _ => return -1,
    };
    let found = loop {
        if n > 3 {
            break Some(x[0]);
        }
        if flag {
            break None;
        }
    };
    let Some(value) = found else {
        return 0;
    };
    let labelled = 'a: {
        if flag {
            break 'a 3u8;
        }
        4
    };
    let mut steps = 0;
    let mut m = n;
    'outer: while m != 1 {
        m = if m % 2 == 0 { m / 2 } else { 3 * m + 1 };
        for _ in (0..m).rev().step_by(2) {
            steps += 1;
            if steps > 100 {
                break 'outer;
            }
            continue 'outer;
        }
    }
    let (mut a, mut b) = (0, 1u16);
    (a, b) = (b, a);
    let [p, q, r] = [1u8, 2, 3];
    let (first, .., last) = (1i8, 2.0, false, 4u32);
    let pair = (first, last);
    if let Some(i) = x.first()
        && *i > 0
    {
        let j: i64 = *i;
    }
    while let Some(i) = x.get(steps) {
        break;
    }
    let unit = {
        assert!(n > 0, "n is {n} and {:?}", flag);
    };
    let never_used = if flag { panic!("no") } else { 3u32 };
    value + steps as i64
}

#[test]
fn control_flow() {
    check! {
        control => "late: i64; chosen: f32; found: Option<i64>; labelled: u8; steps: usize; m: usize; pair: (i8, u32); \
            unit: (); never_used: u32; -> i64";
    }
}
