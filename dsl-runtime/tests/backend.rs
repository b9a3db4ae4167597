//! Places of other people's backends: one that is broken, and one that is made of another.

extern crate dsl_runtime as cuprous;

use cuprous::array::{Arg, ArrayViewMut, Value};
use cuprous::backend::{BACKENDS, Backend, Caps, CompileError, Executable, Failure, Registration};
use cuprous::ir::{Const, Func, Level};
use cuprous::{Place, kernel};
use std::sync::Arc;

#[kernel]
fn one(x: &[f32]) -> usize {
    x.len()
}

fn caps() -> Caps {
    Caps {
        op: |_, _| true,
        sink: |_| true,
        levels: vec![Level::Seq],
        optimise: true,
    }
}

/// Panics when it compiles.
#[derive(Debug)]
struct Broken;

impl Backend for Broken {
    fn name(&self) -> String {
        "broken".into()
    }
    fn caps(&self) -> Caps {
        caps()
    }
    fn target(&self) -> String {
        "none".into()
    }
    fn compile(&self, func: &Func, _: &Arc<Func>) -> Result<Arc<dyn Executable>, CompileError> {
        unreachable!("{} has no such lane", func.name)
    }
}

/// A panic of a compiler is the call's error, each time, with the function that provoked it.
#[test]
fn a_compiler_that_panics() {
    let place = Place::from_backend(Arc::new(Broken));
    for _ in 0..2 {
        let error = one::call(&[1.0]).on(&place).run().unwrap_err();
        assert_eq!(error.code(), "CU0901");
        let text = error.to_string();
        assert!(text.contains("one has no such lane"), "{text}");
        assert!(text.contains("func @one"), "{text}");
        assert_eq!(error.kernel().as_deref(), Some("one"));
        assert_eq!(one::kernel().code(&place).unwrap_err().code(), "CU0901");
    }
    // The function itself, and other places, are none the worse.
    assert_eq!(one::call(&[1.0]).on(&Place::native()).run().unwrap(), 1);
}

/// Gives its number for every function; made when the place `inner` has been opened.
#[derive(Debug)]
struct Number(String, u64);

impl Backend for Number {
    fn name(&self) -> String {
        self.0.clone()
    }
    fn caps(&self) -> Caps {
        caps()
    }
    fn target(&self) -> String {
        "none".into()
    }
    fn compile(&self, _: &Func, _: &Arc<Func>) -> Result<Arc<dyn Executable>, CompileError> {
        Ok(Arc::new(Number(self.0.clone(), self.1)))
    }
}

impl Executable for Number {
    fn run(
        &self,
        _: &[Arg<'_>],
        _: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        Ok(vec![Value::Scalar(Const::u64(self.1))])
    }
    fn code(&self) -> String {
        self.1.to_string()
    }
}

#[linkme::distributed_slice(BACKENDS)]
static INNER: Registration = Registration {
    name: "inner",
    open: |_| Ok(Arc::new(Number("inner".into(), 7))),
    devices: || 0,
    rank: 8,
};

#[linkme::distributed_slice(BACKENDS)]
static OUTER: Registration = Registration {
    name: "outer",
    open: |_| {
        let inner = "inner"
            .parse::<Place>()
            .map_err(|error| error.to_string())?;
        Ok(Arc::new(Number(format!("outer of {inner}"), 8)))
    },
    devices: || 0,
    rank: 9,
};

#[test]
fn a_backend_opens_another_place() {
    let outer: Place = "outer".parse().unwrap();
    assert_eq!(one::call(&[1.0]).on(&outer).run().unwrap(), 8);
    assert_eq!(outer.backend().unwrap().unwrap().name(), "outer of inner");
    let inner: Place = "inner".parse().unwrap();
    assert_eq!(one::call(&[1.0]).on(&inner).run().unwrap(), 7);
}
