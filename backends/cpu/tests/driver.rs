//! The drivers by themselves: units written by hand against the contract of `abi`, and a literal implementation of the
//! canonical order, compared bit by bit on 1 to 8 threads and over sizes around every boundary.

use cuprous_cpu::abi::{FAULT, Frame, OK, SlotUse};
use cuprous_cpu::crew::Crew;
use cuprous_cpu::driver::room::Room;
use cuprous_cpu::driver::{Job, Target, Trouble, Workspace, run};
use cuprous_cpu::memory::RUNTIME;
use cuprous_cpu::rate::Rate;
use cuprous_cpu::unit::{ParUnit, ScanUnit};
use dsl_runtime::ir::order::{BLOCK, GROUP, LANES};
use dsl_runtime::ir::{Place, ScalarType, SinkKind};
use std::sync::OnceLock;

const SIZES: &[usize] = &[
    0,
    1,
    2,
    7,
    8,
    9,
    15,
    16,
    17,
    4095,
    4096,
    4097,
    3 * BLOCK,
    3 * BLOCK + 1,
    100_000,
];

fn crews() -> &'static [Crew] {
    static CREWS: OnceLock<Vec<Crew>> = OnceLock::new();
    CREWS.get_or_init(|| [1, 2, 3, 8].map(|n| Crew::of(n).unwrap()).into())
}

/// Pseudo-random values of very different sizes, so that every order gives other bits.
fn values(n: usize) -> Vec<f64> {
    (0..n as u64)
        .map(|i| {
            let h = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            ((h >> 33) as f64 - 1e9) * 2f64.powi((h & 31) as i32 - 16)
        })
        .collect()
}

fn unit(slots: &[(usize, SlotUse)], main: cuprous_cpu::abi::ChunkFn, values: &[usize]) -> ParUnit {
    ParUnit {
        env: vec![],
        slots: slots.to_vec(),
        main,
        count: None,
        scan: None,
        combine: vec![None; values.len()],
        sites: vec![],
        values: values.to_vec(),
    }
}

/// Where results of type `f64` go.
fn doubles(data: *mut f64) -> Target {
    Target {
        data: data.cast(),
        bytes: 8,
        elem: ScalarType::F64,
    }
}

/// Runs on every crew, as if each iteration were dear and as if it were cheap.
fn everywhere(
    unit: &ParUnit,
    env: &[u64],
    n: usize,
    mut lay: impl FnMut(&mut Workspace),
    mut check: impl FnMut(Result<(), Trouble>, &Workspace),
) {
    let mut space = Workspace::default();
    for crew in crews() {
        for guess in [0.0, 10_000.0] {
            space.clear();
            lay(&mut space);
            let rate = Rate::guess(guess);
            let job = Job {
                unit,
                env,
                extent: n as u64,
                crew,
                rate: &rate,
                runtime: &RUNTIME,
            };
            // SAFETY: the units below do what they say; `lay` makes room.
            let outcome = unsafe { run(&job, &mut space) };
            check(outcome, &space);
        }
    }
}

unsafe fn input<'a, T>(frame: *const Frame, lo: u64, hi: u64) -> &'a [T] {
    // SAFETY: the tests put the address of the input first.
    unsafe {
        let data = *(*frame).env as *const T;
        std::slice::from_raw_parts(data.add(lo as usize), (hi - lo) as usize)
    }
}

unsafe fn slot<T>(frame: *const Frame, k: usize) -> *mut T {
    // SAFETY: the tests ask for slots that exist.
    unsafe { (*(*frame).slots.add(k)).cast() }
}

extern "C" fn add(_: *const Frame, into: *mut u64, left: *const u64, right: *const u64) -> u64 {
    // SAFETY: one word each.
    unsafe { *into = (f64::from_bits(*left) + f64::from_bits(*right)).to_bits() };
    OK
}

/// One step of a linear recurrence: not commutative.
extern "C" fn chain(_: *const Frame, into: *mut u64, left: *const u64, right: *const u64) -> u64 {
    // SAFETY: two words each.
    unsafe {
        let (a, b) = (f64::from_bits(*left), f64::from_bits(*left.add(1)));
        let (c, d) = (f64::from_bits(*right), f64::from_bits(*right.add(1)));
        *into = (a * c).to_bits();
        *into.add(1) = (b * c + d).to_bits();
    }
    OK
}

fn lanes(block: &[f64]) -> f64 {
    let mut acc = [-0.0; LANES];
    for (k, v) in block.iter().enumerate() {
        acc[k % LANES] += v;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            acc[l] += acc[l + width];
        }
        width /= 2;
    }
    acc[0]
}

extern "C" fn sum_chunk(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    assert_eq!(lo as usize % BLOCK, 0);
    // SAFETY: as `input` and `slot`.
    unsafe {
        let totals = slot::<u64>(frame, 0).add(lo as usize / BLOCK);
        for (b, block) in input::<f64>(frame, lo, hi).chunks(BLOCK).enumerate() {
            *totals.add(b) = lanes(block).to_bits();
        }
    }
    OK
}

/// Joins block totals as `order` says.
fn tree<T: Copy>(mut totals: Vec<T>, op: impl Fn(T, T) -> T) -> Option<T> {
    while totals.len() > 1 {
        totals = totals
            .chunks(2)
            .map(|pair| {
                if pair.len() == 2 {
                    op(pair[0], pair[1])
                } else {
                    pair[0]
                }
            })
            .collect();
    }
    totals.first().copied()
}

#[test]
fn reduce_has_the_canonical_order() {
    for &n in SIZES {
        let x = values(n);
        let want = tree(x.chunks(BLOCK).map(lanes).collect(), |a, b| a + b)
            .map_or(0.5, |total| 0.5 + total);
        let mut unit = unit(&[(0, SlotUse::Partial)], sum_chunk, &[1]);
        unit.combine[0] = Some(add);
        everywhere(
            &unit,
            &[x.as_ptr() as u64],
            n,
            |space| {
                let e = std::iter::once(0.5f64.to_bits());
                space.add(SinkKind::Reduce, 1, 0, e, 0, n as u64).unwrap();
            },
            |outcome, space| {
                assert_eq!(outcome, Ok(()));
                assert_eq!(space.scalars(0), [want.to_bits()], "{n}");
            },
        );
    }
}

extern "C" fn fold_chunk(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as `input` and `slot`; two words a block.
    unsafe {
        let totals = slot::<u64>(frame, 0).add(2 * (lo as usize / BLOCK));
        for (b, block) in input::<f64>(frame, lo, hi).chunks(BLOCK).enumerate() {
            let total = fold(block);
            *totals.add(2 * b) = total.0.to_bits();
            *totals.add(2 * b + 1) = total.1.to_bits();
        }
    }
    OK
}

fn fold(block: &[f64]) -> (f64, f64) {
    let pair = |&v: &f64| (0.5, v);
    block.iter().map(pair).reduce(compose).unwrap()
}

fn compose(l: (f64, f64), r: (f64, f64)) -> (f64, f64) {
    (l.0 * r.0, l.1 * r.0 + r.1)
}

#[test]
fn reduce_of_pairs_that_do_not_commute() {
    for &n in SIZES {
        let x = values(n);
        let e = (1.0, 3.0);
        let want = tree(x.chunks(BLOCK).map(fold).collect(), compose).map_or(e, |t| compose(e, t));
        let mut unit = unit(&[(0, SlotUse::Partial)], fold_chunk, &[2]);
        unit.combine[0] = Some(chain);
        everywhere(
            &unit,
            &[x.as_ptr() as u64],
            n,
            |space| {
                let e = [e.0.to_bits(), e.1.to_bits()].into_iter();
                space.add(SinkKind::Reduce, 2, 0, e, 0, n as u64).unwrap();
            },
            |outcome, space| {
                assert_eq!(outcome, Ok(()));
                assert_eq!(
                    space.scalars(0),
                    [want.0.to_bits(), want.1.to_bits()],
                    "{n}"
                );
            },
        );
    }
}

/// The sums from each group's beginning.
fn groups(block: &[f64]) -> Vec<f64> {
    let mut sums = block.to_vec();
    for group in sums.chunks_mut(GROUP) {
        for d in [1, 2, 4] {
            let before = group.to_vec();
            for i in d..group.len() {
                group[i] = before[i - d] + before[i];
            }
        }
    }
    sums
}

fn group_total(block: &[f64]) -> f64 {
    let sums = groups(block);
    let lasts = sums.chunks(GROUP).map(|group| group[group.len() - 1]);
    lasts.reduce(|a, b| a + b).unwrap()
}

fn scanned(block: &[f64], carry: f64, out: &mut [f64]) {
    let sums = groups(block);
    let mut c = carry;
    for (group, out) in sums.chunks(GROUP).zip(out.chunks_mut(GROUP)) {
        for (s, y) in group.iter().zip(&mut *out) {
            *y = c + s;
        }
        c += group[group.len() - 1];
    }
}

extern "C" fn scan_totals(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as `input` and `slot`.
    unsafe {
        let totals = slot::<u64>(frame, 0).add(lo as usize / BLOCK);
        for (b, block) in input::<f64>(frame, lo, hi).chunks(BLOCK).enumerate() {
            *totals.add(b) = group_total(block).to_bits();
        }
    }
    OK
}

extern "C" fn scan_main(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as `input` and `slot`.
    unsafe {
        let carries = slot::<u64>(frame, 0).add(lo as usize / BLOCK);
        let out = slot::<f64>(frame, 1);
        for (b, block) in input::<f64>(frame, lo, hi).chunks(BLOCK).enumerate() {
            let to = out.add(lo as usize + b * BLOCK);
            let to = std::slice::from_raw_parts_mut(to, block.len());
            scanned(block, f64::from_bits(*carries.add(b)), to);
        }
    }
    OK
}

/// In place: `main` copies, the others work on the results.
extern "C" fn copy_main(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as `input` and `slot`.
    unsafe {
        let from = input::<f64>(frame, lo, hi);
        std::ptr::copy(
            from.as_ptr(),
            slot::<f64>(frame, 1).add(lo as usize),
            from.len(),
        );
    }
    OK
}

extern "C" fn placed_totals(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: a frame whose input is the result.
    unsafe {
        let env = [slot::<f64>(frame, 1) as u64];
        scan_totals(
            &Frame {
                env: env.as_ptr(),
                ..std::ptr::read(frame)
            },
            lo,
            hi,
        )
    }
}

extern "C" fn placed_finish(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as above; the values are read before they are overwritten.
    unsafe {
        let copy: Vec<f64> = {
            let data = slot::<f64>(frame, 1);
            std::slice::from_raw_parts(data, hi as usize).to_vec()
        };
        let env = [copy.as_ptr() as u64];
        scan_main(
            &Frame {
                env: env.as_ptr(),
                ..std::ptr::read(frame)
            },
            lo,
            hi,
        )
    }
}

#[test]
fn scan_has_the_canonical_order() {
    for &n in SIZES {
        let x = values(n);
        let mut want = vec![0.0; n];
        let mut carry = 2.5;
        for (block, out) in x.chunks(BLOCK).zip(want.chunks_mut(BLOCK)) {
            scanned(block, carry, out);
            carry += group_total(block);
        }
        let fused = ScanUnit {
            totals: scan_totals,
            finish: None,
        };
        let placed = ScanUnit {
            totals: placed_totals,
            finish: Some(placed_finish),
        };
        for (main, scan) in [
            (scan_main as cuprous_cpu::abi::ChunkFn, fused),
            (copy_main as _, placed),
        ] {
            let mut unit = unit(&[(0, SlotUse::Carry), (0, SlotUse::Result)], main, &[1]);
            unit.combine[0] = Some(add);
            unit.scan = Some(scan);
            let mut got = vec![0f64; n];
            let data = got.as_mut_ptr();
            everywhere(
                &unit,
                &[x.as_ptr() as u64],
                n,
                |space| {
                    space.targets.push(doubles(data));
                    let e = std::iter::once(2.5f64.to_bits());
                    space.add(SinkKind::Scan, 1, 0, e, 0, n as u64).unwrap();
                },
                |outcome, _| {
                    assert_eq!(outcome, Ok(()));
                    // SAFETY: `got` outlives the runs.
                    let got = unsafe { std::slice::from_raw_parts_mut(data, n) };
                    assert!(
                        got.iter()
                            .zip(&want)
                            .all(|(a, b)| a.to_bits() == b.to_bits()),
                        "{n}"
                    );
                    got.fill(0.0);
                },
            );
        }
    }
}

extern "C" fn filter_main(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as `input` and `slot`.
    unsafe {
        let room = *slot::<u64>(frame, 0);
        let mut kept = 0;
        for &v in input::<f64>(frame, lo, hi).iter().filter(|v| **v > 0.0) {
            assert!(kept < room);
            *slot::<f64>(frame, 1).add(kept as usize) = v;
            kept += 1;
        }
        *slot::<u64>(frame, 0) = kept;
    }
    OK
}

#[test]
fn filter_keeps_the_order() {
    for &n in SIZES {
        let x = values(n);
        let want: Vec<f64> = x.iter().copied().filter(|v| *v > 0.0).collect();
        let unit = unit(
            &[(0, SlotUse::Kept), (0, SlotUse::Values)],
            filter_main,
            &[1],
        );
        // Room for all, and too little, which grows.
        for room in [n, n / 3, 0] {
            everywhere(
                &unit,
                &[x.as_ptr() as u64],
                n,
                |space| {
                    space.targets.push(doubles(std::ptr::null_mut()));
                    let arrays = std::iter::once((1, 8));
                    let room = Room::new(room as u64, n as u64, arrays);
                    space.rooms.push(room.unwrap());
                    space
                        .add(SinkKind::Filter, 1, 0, std::iter::empty(), 0, n as u64)
                        .unwrap();
                },
                |outcome, space| {
                    assert_eq!(outcome, Ok(()));
                    assert_eq!(space.scalars(0), [want.len() as u64]);
                    let data = space.rooms[0].data(0).cast::<f64>();
                    // SAFETY: the room holds what was kept, aligned also where that is nothing.
                    let got = unsafe { std::slice::from_raw_parts(data, want.len()) };
                    assert_eq!(got, want);
                },
            );
        }
    }
}

/// `index = (i * 7919) mod 2 n`, the value `i`.
extern "C" fn stage_main(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as `input` and `slot`; the indices are the input.
    unsafe {
        for (j, &index) in input::<u64>(frame, lo, hi).iter().enumerate() {
            *slot::<u64>(frame, 0).add(j) = index;
            *slot::<f64>(frame, 1).add(j) = (lo + j as u64) as f64 + 0.125;
        }
    }
    OK
}

const STAGED: [(usize, SlotUse); 2] = [(0, SlotUse::Index), (0, SlotUse::Values)];

#[test]
fn scatter_writes_and_refuses() {
    for &n in SIZES.iter().filter(|&&n| n > 2) {
        let good: Vec<u64> = (0..n as u64).map(|i| (n as u64 - 1 - i) * 2).collect();
        let (mut twice, mut out) = (good.clone(), good.clone());
        twice[n - 1] = good[0];
        out[n / 2] = 2 * n as u64;
        let unit = unit(&STAGED, stage_main, &[1]);
        for (indices, fails) in [(&good, false), (&twice, true), (&out, true)] {
            let mut got = vec![-1f64; 2 * n];
            let data = got.as_mut_ptr();
            everywhere(
                &unit,
                &[indices.as_ptr() as u64],
                n,
                |space| {
                    space.targets.push(doubles(data));
                    let none = std::iter::empty();
                    space
                        .add(SinkKind::Scatter, 1, 0, none, 2 * n as u64, n as u64)
                        .unwrap();
                },
                |outcome, _| {
                    assert_eq!(outcome, if fails { Err(Trouble::Fault) } else { Ok(()) });
                    // SAFETY: `got` outlives the runs.
                    let got = unsafe { std::slice::from_raw_parts_mut(data, 2 * n) };
                    if !fails {
                        for (i, &index) in indices.iter().enumerate() {
                            assert_eq!(got[index as usize], i as f64 + 0.125);
                            assert_eq!(got[index as usize + 1], -1.0);
                        }
                    }
                    got.fill(-1.0);
                },
            );
        }
    }
}

/// Depends on the order.
extern "C" fn halve_and_add(
    _: *const Frame,
    into: *mut u64,
    left: *const u64,
    right: *const u64,
) -> u64 {
    // SAFETY: one word each.
    unsafe { *into = (f64::from_bits(*left) * 0.5 + f64::from_bits(*right)).to_bits() };
    OK
}

#[test]
fn scatter_with_combines_in_the_order_of_iterations() {
    for &n in SIZES {
        for len in [1usize, 3, 1000] {
            let indices: Vec<u64> = (0..n as u64).map(|i| i * i * 31 % len as u64).collect();
            let mut want = vec![1.0; len];
            for (i, &index) in indices.iter().enumerate() {
                let place = &mut want[index as usize];
                *place = *place * 0.5 + (i as f64 + 0.125);
            }
            let mut unit = unit(&STAGED, stage_main, &[1]);
            unit.combine[0] = Some(halve_and_add);
            let mut got = vec![1f64; len];
            let data = got.as_mut_ptr();
            everywhere(
                &unit,
                &[indices.as_ptr() as u64],
                n,
                |space| {
                    space.targets.push(doubles(data));
                    let none = std::iter::empty();
                    space
                        .add(SinkKind::ScatterWith, 1, 0, none, len as u64, n as u64)
                        .unwrap();
                },
                |outcome, _| {
                    assert_eq!(outcome, Ok(()));
                    // SAFETY: `got` outlives the runs.
                    let got = unsafe { std::slice::from_raw_parts_mut(data, len) };
                    assert_eq!(got, want, "{n} {len}");
                    got.fill(1.0);
                },
            );
        }
    }
}

extern "C" fn failing_main(frame: *const Frame, lo: u64, hi: u64) -> u64 {
    // SAFETY: as `input`.
    match unsafe { input::<f64>(frame, lo, hi) }.contains(&0.0) {
        true => FAULT,
        false => OK,
    }
}

#[test]
fn a_fault_ends_the_run() {
    let mut x = vec![1.0; 100_000];
    x[77_777] = 0.0;
    let mut unit = unit(&[(0, SlotUse::Result)], failing_main, &[1]);
    unit.sites.push(cuprous_cpu::abi::Site {
        fault: None,
        operands: vec![],
        place: Place::default(),
    });
    everywhere(
        &unit,
        &[x.as_ptr() as u64],
        x.len(),
        |space| {
            let data = std::ptr::without_provenance_mut(8);
            space.targets.push(doubles(data));
            space
                .add(SinkKind::Collect, 1, 0, std::iter::empty(), 0, 100_000)
                .unwrap();
        },
        |outcome, _| assert_eq!(outcome, Err(Trouble::Fault)),
    );
}
