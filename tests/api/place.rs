//! Places by name, by scope and by environment.

use crate::{alone, is_alone};
use cuprous::prelude::*;
use std::ffi::OsStr;

#[kernel]
fn one() -> i32 {
    1
}

#[test]
fn spellings() {
    let rows = [
        (Place::cpu(), "cpu"),
        (Place::cpu_threads(4), "cpu:4"),
        (Place::interp(), "interp"),
        (Place::native(), "native"),
    ];
    for (place, name) in rows {
        assert_eq!(place.to_string(), name);
        assert!(format!("{place:?}").contains(name));
        assert_eq!(name.parse::<Place>().unwrap(), place);
        assert_eq!(place.clone(), place);
        assert_eq!(format!("[{place:>8}]").len(), 10);
    }
    assert_ne!(Place::cpu(), Place::interp());
    assert_ne!(Place::cpu_threads(1), Place::cpu_threads(2));
}

#[test]
fn wrong_spellings() {
    for name in [
        "", "CPU", "gpu", "cpu:", "cpu:x", "cpu:-1", "cpu:0", "cpu:4:4", "interp:2", "native:1",
        " cpu", "cpu :1", "opencl:x", "cpu:+4", "cpu:04", "cpu:00",
    ] {
        let error = name.parse::<Place>().expect_err(name);
        assert!(
            ["CU0304", "CU0305"].contains(&error.code()),
            "{name:?}: {error}"
        );
        assert!(
            error.to_string().contains("unsupported"),
            "{name:?}: {error}"
        );
    }
    let error = one::call().on(&Place::cpu_threads(0)).run().unwrap_err();
    assert_eq!(error.code(), "CU0304", "{error}");
}

#[test]
fn any_number_of_threads() {
    assert_eq!(one::call().on(&Place::cpu_threads(200)).run().unwrap(), 1);
    for n in [100_000_000, usize::MAX] {
        match one::call().on(&Place::cpu_threads(n)).run() {
            Ok(value) => assert_eq!(value, 1),
            Err(error) => assert_eq!(error.code(), "CU0304", "{error}"),
        }
    }
}

#[test]
fn what_is_not_there_is_unsupported() {
    let there = Place::available();
    for place in [Place::native(), Place::interp(), Place::cpu()] {
        assert!(there.contains(&place));
    }
    if Place::opencl_devices().is_empty() {
        for error in [
            Place::opencl().unwrap_err(),
            Place::opencl_device(0).unwrap_err(),
        ] {
            assert!(error.to_string().contains("unsupported"), "{error}");
        }
        assert!(
            !there
                .iter()
                .any(|place| place.to_string().starts_with("opencl"))
        );
    }
    for error in [
        one::kernel().code(&Place::native()).unwrap_err(),
        one::kernel().explain(&Place::native()).unwrap_err(),
    ] {
        assert!(error.to_string().contains("unsupported"), "{error}");
    }
}

#[test]
fn scopes_nest_and_belong_to_their_thread() {
    let outside = Place::current();
    Place::interp().scope(|| {
        assert_eq!(Place::current(), Place::interp());
        let value = Place::native().scope(|| {
            assert_eq!(Place::current(), Place::native());
            std::thread::scope(|s| assert_eq!(s.spawn(Place::current).join().unwrap(), outside));
            7
        });
        assert_eq!((value, Place::current()), (7, Place::interp()));
        let caught =
            std::panic::catch_unwind(|| Place::native().scope(|| std::panic::panic_any(1)));
        assert!(caught.is_err());
        assert_eq!(Place::current(), Place::interp());
        // A place in the call wins over the scope.
        assert_eq!(one::call().on(&Place::cpu()).run().unwrap(), 1);
    });
    assert_eq!(Place::current(), outside);
}

/// Each value of the variable in a process of its own, which says what it finds.
#[test]
fn environment() {
    if is_alone() {
        println!("<{}>", Place::current());
        match one::call().run() {
            Ok(value) => println!("<value {value}>"),
            Err(error) => println!("<{}: {error}>", error.code()),
        }
        return;
    }
    let run_os = |value: Option<&OsStr>| {
        let output = alone("place::environment", |command| {
            command.env_remove("CUPROUS_PLACE");
            command.envs(value.map(|value| ("CUPROUS_PLACE", value)));
        });
        String::from_utf8(output.stdout).unwrap()
    };
    let run = |value: Option<&str>| run_os(value.map(OsStr::new));
    let text = run(None);
    assert!(
        text.contains("<cpu>") && text.contains("<value 1>"),
        "{text}"
    );
    for name in ["cpu", "cpu:3", "interp", "native"] {
        let text = run(Some(name));
        assert!(
            text.contains(&format!("<{name}>")) && text.contains("<value 1>"),
            "{text}"
        );
    }
    for name in ["nowhere", "cpu:none"] {
        let text = run(Some(name));
        assert!(
            text.contains("<CU030") && text.contains("unsupported") && text.contains(name),
            "{text}"
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let text = run_os(Some(OsStr::from_bytes(b"cpu\xff")));
        assert!(
            text.contains("<CU0305")
                && text.contains("unsupported")
                && text.contains("cpu\u{fffd}"),
            "{text}"
        );
    }
}
