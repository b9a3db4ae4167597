//! Every way to fail, the same on each place, and what its text says.

use cuprous::Error;
use cuprous::prelude::*;

#[kernel]
fn pick(x: &[f32], idx: &[i64]) -> Vec<f32> {
    idx.map(|i| x[i as usize])
}
#[kernel]
fn gathered(x: &[f32], idx: &[i64]) -> Vec<f32> {
    x.gather(idx)
}
#[kernel]
fn divided(x: &[i32], y: &[i32]) -> Vec<i32> {
    x.zip(y).map(|(x, y)| x / y)
}
#[kernel]
fn rest(x: &[i64], y: &[i64]) -> Vec<i64> {
    x.zip(y).map(|(x, y)| x % y)
}
#[kernel]
fn zipped(x: &[i32], y: &[i32], z: &[i32]) -> Vec<i32> {
    x.zip3(y, z).map(|(x, y, z)| x + y + z)
}
#[kernel]
fn shapes(u: &Array2<f32>, v: &Array2<f32>) -> Array2<f32> {
    u + v
}
#[kernel]
fn extremes(x: &[f32], which: u32) -> f32 {
    match which {
        0 => x.minimum(),
        1 => x.maximum(),
        2 => x.argmin() as f32,
        _ => x.argmax() as f32,
    }
}
#[kernel]
fn scattered(x: &[f32], idx: &[u32], v: &[f32]) -> Vec<f32> {
    x.scatter(idx, v)
}
#[kernel]
fn permuted(x: &[f32], idx: &[usize]) -> Vec<f32> {
    x.permute(idx)
}
#[kernel]
fn steps(x: &[f32], k: usize, which: u32) -> Vec<f32> {
    if which == 0 {
        x.step_by(k).map(|v| v)
    } else if which == 1 {
        x.windows_map(k, |w| w.sum())
    } else {
        x.chunks_map(k, |w| w.sum())
    }
}
#[kernel]
fn asserted(x: &[f32], limit: f32) -> Vec<f32> {
    x.map(|v| {
        assert!(v < limit, "{v} is not below {limit:.2}");
        v.sqrt()
    })
}
#[kernel]
fn panics(n: i32) -> i32 {
    if n > 3 {
        panic!("{n} is more than {}", 3);
    }
    assert_eq!(n % 2, 0, "odd");
    n
}
#[kernel]
fn part(x: &[f32], a: usize, b: usize) -> f32 {
    x[a..b].sum()
}
#[kernel]
fn sized(n: usize) -> Vec<u16> {
    fill(n, 7)
}
#[kernel]
fn square(n: usize) -> Array2<f64> {
    Array2::zeros((n, n))
}
#[kernel]
fn repeated(x: &[f64], k: usize) -> f64 {
    x.replicate(k).map(|v| v * 2.0).sum()
}
#[kernel]
fn unused(x: &[i32], y: &[i32]) -> usize {
    let _never_read = x.zip(y).map(|(x, y)| x / y);
    x.len()
}
#[kernel]
fn local(n: usize) -> f64 {
    let mut v = vec![0.0; n];
    v[0] = 1.0;
    v[n - 1] += 1.0;
    v.sum()
}
#[kernel]
fn inner(x: &[f32], i: usize) -> f32 {
    x[i + 1]
}
#[kernel]
fn outer(x: &[f32]) -> Vec<f32> {
    indices(x.len()).map(|i| inner(x, i))
}
#[kernel]
fn stages(x: &[i32], y: &[i32], idx: &[usize]) -> Vec<i32> {
    let a = x.zip(y).map(|(x, y)| x / y);
    a.gather(idx)
}
#[kernel]
fn several(x: &[i32]) -> Vec<i32> {
    x.map(|v| {
        assert!(v != 7, "seven");
        100 / v
    })
}
#[kernel]
fn option(x: &[i32], v: i32) -> usize {
    x.iter().position(|&e| e == v).unwrap()
}

#[kernel]
fn letters(été: &[f32], i: usize) -> f32 {
    let ß = /* größer */ été[i];
    ß + /* tab before */ été[i + 1]
}
#[kernel]
fn lines(x: &[i32], y: &[i32]) -> Vec<i32> {
    x.zip(y).map(|(x, y)| (x + 1) / y)
}
macro_rules! made {
    ($name:ident $e:expr) => {
        #[kernel]
        fn $name(x: &[f32]) -> f32 {
            x[$e]
        }
    };
}
made! { fourth 3 }

/// The same error at the interpreter, from compiled code on 1, 2, 3 and 8 threads, and on devices.
fn fails<R: std::fmt::Debug>(code: &str, words: &[&str], run: impl Fn(&Place) -> Result<R, Error>) {
    let want = run(&Place::interp()).unwrap_err();
    let text = want.to_string();
    assert_eq!(want.code(), code, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in\n{text}");
    }
    for threads in [1, 2, 3, 8] {
        let error = run(&Place::cpu_threads(threads)).unwrap_err();
        assert_eq!(error.to_string(), text, "{threads} threads");
    }
    for place in [Place::cpu()].into_iter().chain(Place::opencl_devices()) {
        assert_eq!(run(&place).unwrap_err().to_string(), text, "{place}");
    }
    let native = run(&Place::native()).unwrap_err();
    assert!(["CU0306", code].contains(&native.code()), "{native}");
}

#[test]
fn indices_out_of_bounds() {
    fails(
        "CU0201",
        &["index 3", "length 3", "failure.rs:8:", "pick", "^"],
        |p| pick::call(&[1.0; 3], &[0, 3, 9]).on(p).run(),
    );
    fails("CU0201", &["length 3"], |p| {
        pick::call(&[1.0; 3], &[-1]).on(p).run()
    });
    fails("CU0201", &["-1", "length 3", "gathered"], |p| {
        gathered::call(&[1.0; 3], &[0, -1, 5]).on(p).run()
    });
    fails("CU0201", &["index 4", "length 0"], |p| {
        gathered::call(&[], &[4]).on(p).run()
    });
    let mut idx = vec![0i64; 100_000];
    (idx[70_001], idx[70_000], idx[99_999], idx[50_017]) = (8, 7, 9, 6);
    fails("CU0201", &["index 6"], |p| {
        gathered::call(&[1.0; 3], &idx).on(p).run()
    });
    fails("CU0201", &["index 6"], |p| {
        pick::call(&[1.0; 3], &idx).on(p).run()
    });
    fails("CU0201", &["index 5", "length 3"], |p| {
        scattered::call(&[1.0; 3], &[0, 5], &[1.0, 2.0]).on(p).run()
    });
}

#[test]
fn integers() {
    fails("CU0202", &["zero", "x / y"], |p| {
        divided::call(&[1, 2], &[1, 0]).on(p).run()
    });
    fails("CU0202", &["zero", "x % y"], |p| {
        rest::call(&[1, 2], &[1, 0]).on(p).run()
    });
    fails("CU0203", &["-2147483648", "-1"], |p| {
        divided::call(&[1, i32::MIN], &[1, -1]).on(p).run()
    });
    fails("CU0203", &["-1"], |p| {
        rest::call(&[i64::MIN], &[-1]).on(p).run()
    });
    fails("CU0202", &["unused"], |p| {
        unused::call(&[1; 5], &[1, 1, 0, 1, 1]).on(p).run()
    });
    let x: Vec<i32> = (0..50_000)
        .map(|i| {
            if i == 40_000 {
                7
            } else if i == 40_001 {
                0
            } else {
                1
            }
        })
        .collect();
    fails("CU0209", &["seven"], |p| several::call(&x).on(p).run());
    let x: Vec<i32> = (0..50_000)
        .map(|i| {
            if i == 40_000 {
                0
            } else if i == 40_001 {
                7
            } else {
                1
            }
        })
        .collect();
    fails("CU0202", &["zero"], |p| several::call(&x).on(p).run());
}

#[test]
fn lengths_and_shapes() {
    fails("CU0204", &["3", "2"], |p| {
        divided::call(&[1; 3], &[1; 2]).on(p).run()
    });
    fails("CU0204", &["3", "4"], |p| {
        zipped::call(&[1; 3], &[1; 3], &[1; 4]).on(p).run()
    });
    fails("CU0204", &["0", "1"], |p| {
        zipped::call(&[], &[1], &[]).on(p).run()
    });
    fails("CU0204", &["2", "1"], |p| {
        scattered::call(&[1.0; 3], &[0, 1], &[1.0]).on(p).run()
    });
    let (u, v) = (Array2::zeros((2, 3)), Array2::zeros((3, 2)));
    fails("CU0205", &["2", "3"], |p| shapes::call(&u, &v).on(p).run());
    fails("CU0210", &["2..4", "length 3"], |p| {
        part::call(&[1.0; 3], 2, 4).on(p).run()
    });
    fails("CU0210", &["2..1"], |p| {
        part::call(&[1.0; 3], 2, 1).on(p).run()
    });
}

#[test]
fn empties_duplicates_steps() {
    for which in 0..4 {
        fails("CU0206", &["empty"], |p| {
            extremes::call(&[], which).on(p).run()
        });
    }
    fails("CU0206", &["option"], |p| {
        option::call(&[1, 2], 3).on(p).run()
    });
    fails("CU0207", &["index 1"], |p| {
        scattered::call(&[1.0; 3], &[1, 0, 1, 0], &[1.0; 4])
            .on(p)
            .run()
    });
    fails("CU0207", &["index 0"], |p| {
        permuted::call(&[1.0; 2], &[0, 0]).on(p).run()
    });
    for which in 0..3 {
        fails("CU0208", &["0"], |p| {
            steps::call(&[1.0; 3], 0, which).on(p).run()
        });
        fails("CU0208", &["0"], |p| steps::call(&[], 0, which).on(p).run());
    }
}

#[test]
fn assertions() {
    fails("CU0209", &["2.5 is not below 2.00", "asserted"], |p| {
        asserted::call(&[1.0, 2.5, 3.0], 2.0).on(p).run()
    });
    fails("CU0209", &["4 is more than 3", "panic!"], |p| {
        panics::call(4).on(p).run()
    });
    fails("CU0209", &["odd"], |p| panics::call(3).on(p).run());
}

#[test]
fn memory_that_cannot_be_had() {
    for n in [1 << 45, 1 << 58, usize::MAX / 2, usize::MAX] {
        for place in crate::compiled() {
            let errors = [
                sized::call(n).on(&place).run().unwrap_err(),
                local::call(n).on(&place).run().unwrap_err(),
                square::call(n).on(&place).run().unwrap_err(),
                sized::call(n).on(&place).run_into(&mut [0; 3]).unwrap_err(),
            ];
            for error in errors {
                // A device says how much it has.
                assert!(
                    ["CU0303", "CU0211", "CU0302", "CU0308"].contains(&error.code()),
                    "{place}, {n}: {error}"
                );
            }
        }
    }
    for place in crate::compiled() {
        let error = repeated::call(&[1.0, 2.0, 3.0], usize::MAX / 2)
            .on(&place)
            .run()
            .unwrap_err();
        assert_eq!(error.code(), "CU0211", "{place}: {error}");
    }
}

#[test]
fn kernels_inside_kernels() {
    fails(
        "CU0201",
        &["x[i + 1]", "in kernel `outer`", "index 3"],
        |p| outer::call(&[1.0; 3]).on(p).run(),
    );
    // Of fused stages, the earlier one's failure.
    fails("CU0202", &["x / y"], |p| {
        stages::call(&[1, 1], &[1, 0], &[5, 0]).on(p).run()
    });
    fails("CU0201", &["index 5"], |p| {
        stages::call(&[1, 1], &[1, 1], &[5, 0]).on(p).run()
    });
}

#[test]
fn texts() {
    let error = pick::call(&[1.0; 3], &[0, 3]).run().unwrap_err();
    let want = "error[CU0201]: index 3 is out of bounds for length 3
 --> tests/api/failure.rs:8:17
  |
8 |     idx.map(|i| x[i as usize])
  |                 ^^^^^^^^^^^^^
  = in kernel `pick`
  = help: test the index against the length first; `get` and `gather_or` have an answer for what lies outside";
    assert_eq!(error.to_string(), want);
    let site = error.site().unwrap();
    assert_eq!(
        (site.file(), site.line(), site.column()),
        ("tests/api/failure.rs", 8, 17)
    );
    assert_eq!(error.kernel().as_deref(), Some("pick"));
    let panicked = std::panic::catch_unwind(|| pick(&[1.0; 3], &[0, 3])).unwrap_err();
    assert!(panicked.downcast_ref::<String>().unwrap().contains(want));
    let error = outer::call(&[1.0]).run().unwrap_err();
    assert_eq!(error.kernel().as_deref(), Some("outer"));
    let line = error.site().unwrap().line() as usize;
    assert_eq!(
        include_str!("failure.rs")
            .lines()
            .nth(line - 1)
            .unwrap()
            .trim(),
        "x[i + 1]"
    );
}

#[test]
fn carets_stand_below_characters() {
    let text = letters::call(&[1.0], 1).run().unwrap_err().to_string();
    assert!(
        text.contains("| \x20   let ß = /* größer */ été[i];\n")
            || text.contains("let ß = /* größer */ été[i];\n"),
        "{text}"
    );
    let shown: Vec<&str> = text.lines().collect();
    let at = |line: &str, what: char| line.chars().position(|c| c == what).unwrap();
    assert_eq!(
        at(shown[4], '^'),
        shown[3].chars().count() - "été[i];".chars().count(),
        "{text}"
    );
    let text = letters::call(&[1.0], 0).run().unwrap_err().to_string();
    let shown: Vec<&str> = text.lines().collect();
    assert_eq!(
        at(shown[4], '^'),
        shown[3].chars().count() - "été[i + 1]".chars().count(),
        "{text}"
    );
    let text = lines::call(&[1], &[0]).run().unwrap_err().to_string();
    assert!(
        text.contains("(x + 1)") && text.contains("CU0202"),
        "{text}"
    );
    let error = fourth::call(&[1.0]).run().unwrap_err();
    assert!(
        error.to_string().contains("index 3") && error.site().unwrap().line() > 0,
        "{error}"
    );
}

#[test]
fn panics_of_the_plain_function_are_errors() {
    let error = pick::call(&[1.0; 3], &[3])
        .on(&Place::native())
        .run()
        .unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), "CU0306");
    for word in [
        "index out of bounds: the len is 3 but the index is 3",
        "`pick`",
        "failure.rs:8",
    ] {
        assert!(text.contains(word), "{text}");
    }
    let error = asserted::call(&[3.0], 2.0)
        .on(&Place::native())
        .to_host()
        .unwrap_err();
    assert!(error.to_string().contains("3 is not below 2.00"), "{error}");
    let error = outer::call(&[3.0])
        .on(&Place::native())
        .to_host()
        .unwrap_err();
    assert!(error.to_string().contains("`outer`"), "{error}");
}

/// The first call of a process at `native`, in a destructor, while a panic unwinds: the hook of panics cannot be changed then.
#[test]
fn native_while_unwinding() {
    struct Calls;
    impl Drop for Calls {
        fn drop(&mut self) {
            let native = Place::native();
            println!(
                "<{}>",
                asserted::call(&[4.0], 5.0).on(&native).to_host().unwrap()[0]
            );
            let error = asserted::call(&[4.0], 3.0).on(&native).run().unwrap_err();
            println!("<{}: {}>", error.code(), error.message());
        }
    }
    if crate::is_alone() {
        let unwound = std::panic::catch_unwind(|| {
            let _calls = Calls;
            panic!("on purpose");
        });
        assert!(unwound.is_err());
        // Afterwards a panic is caught as ever: silently, with its place.
        let error = asserted::call(&[4.0], 3.0)
            .on(&Place::native())
            .run()
            .unwrap_err();
        println!("<line {}>", error.site().unwrap().line());
        return;
    }
    let output = crate::alone("failure::native_while_unwinding", |_| ());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("<2>") && text.contains("<CU0306: 4 is not below 3.00>"),
        "{text}"
    );
    assert!(
        text.contains("<line ") && !text.contains("<line 0>"),
        "{text}"
    );
}

#[kernel]
fn returned(n: usize, v: f64) -> Vec<f64> {
    let w = v + 1.0;
    fill(n, w)
}

#[kernel]
fn repeated_value(n: usize) -> Vec<f64> {
    vec![0.5; n]
}

#[kernel]
fn stored(n: usize, k: usize) -> f64 {
    let mut t = vec![0.0; n];
    for i in 0..k {
        t[i] = i as f64;
    }
    t[k]
}

#[kernel]
fn tabulated(n: usize) -> Vec<f64> {
    tabulate(n, |i| i as f64 + 0.5)
}

#[kernel]
fn collected(n: usize) -> Vec<u16> {
    (0..n).map(|i| i as u16).collect()
}

#[kernel]
fn plane(h: usize, w: usize) -> Array2<f64> {
    tabulate2((h, w), |(i, j)| i as f64 + j as f64)
}

/// As [`fails`], but for the plain function, whose `vec!` aborts where there is no memory.
fn no_memory<R: std::fmt::Debug>(words: &[&str], run: impl Fn(&Place) -> Result<R, Error>) {
    let text = run(&Place::interp()).unwrap_err().to_string();
    for word in words.iter().chain(&["error[CU0303]"]) {
        assert!(text.contains(word), "`{word}` is not in\n{text}");
    }
    for place in [Place::cpu(), Place::cpu_threads(1), Place::cpu_threads(3)] {
        assert_eq!(run(&place).unwrap_err().to_string(), text, "{place}");
    }
}

/// How many bytes, and where: the same everywhere.
#[test]
fn places_of_memory_that_cannot_be_had() {
    let huge = "an array is larger than any memory";
    for (n, text) in [
        (1 << 58, "2305843009213693952 bytes"),
        (1 << 61, huge),
        (usize::MAX / 2, huge),
        (usize::MAX, huge),
    ] {
        let words = |what| [text, what, "^"];
        no_memory(&words(" |     ^^^^^^^^^^"), |p| {
            returned::call(n, 1.0).on(p).run()
        });
        no_memory(&words(" |     ^^^^^^^^^^^^"), |p| {
            repeated_value::call(n).on(p).run()
        });
        no_memory(&words(" |                 ^^^^^^^^^^^^"), |p| {
            stored::call(n, 3).on(p).run()
        });
        no_memory(&words("tabulate(n, |i| i as f64 + 0.5)"), |p| {
            tabulated::call(n).on(p).run()
        });
        no_memory(&["(0..n).map(|i| i as u16).collect()"], |p| {
            collected::call(n).on(p).run()
        });
    }
    no_memory(&["4611686018427387904 bytes", "tabulate2"], |p| {
        plane::call(1 << 40, 1 << 19).on(p).run()
    });
    no_memory(&[huge, "tabulate2"], |p| {
        plane::call(1 << 40, 1 << 22).on(p).run()
    });
    let mut out = [0.0; 3];
    for place in [Place::interp(), Place::cpu(), Place::cpu_threads(3)] {
        let call = returned::call(2, 1.0);
        let error = call.on(&place).run_into(&mut out).unwrap_err();
        assert_eq!(error.code(), "CU0302");
        let text = error.to_string();
        assert!(
            text.contains("fill(n, w)\n") && text.contains(" |     ^^^^^^^^^^\n"),
            "{text}"
        );
    }
}
