//! Arrays that stay where they are: what moves between host memory and devices, how often, and what happens when it cannot.

extern crate dsl_runtime as cuprous;

use cuprous::array::{Arg, ArrayView, ArrayViewMut, Dense, Remote, Stored, Value, new_owner};
use cuprous::backend::{Backend, Caps, CompileError, Executable, Failure};
use cuprous::ir::{Const, Func, Level, ScalarType};
use cuprous::prelude::*;
use cuprous::{Array, Error, Place, kernel};
use ndarray::{Array1, s};
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};

#[kernel]
fn double(x: &[f32]) -> Vec<f32> {
    x.map(|v| v + v)
}

#[kernel]
fn double_pairs(x: &[(f32, i32)]) -> Vec<(f32, i32)> {
    x.map(|(a, b)| (a + a, b + b))
}

#[kernel]
fn double_both(x: &[f32], y: &mut [f32]) -> Vec<f32> {
    y[0] += y[0];
    x.map(|v| v + v)
}

/// What a device has done.
#[derive(Debug, Default)]
struct Count {
    uploads: AtomicUsize,
    views: AtomicUsize,
    fetches: AtomicUsize,
    /// It gives nothing any more.
    lost: AtomicBool,
}

impl Count {
    /// Uploads of arrays, uploads of views, fetches.
    fn moved(&self) -> [usize; 3] {
        [&self.uploads, &self.views, &self.fetches].map(|count| count.load(SeqCst))
    }
}

/// A device with memory of its own. Whatever the kernel, it doubles its arguments.
#[derive(Clone, Debug)]
struct Device {
    owner: u64,
    count: Arc<Count>,
    /// Whether it reads host memory where it is.
    shares: bool,
}

/// Elements in its memory.
#[derive(Debug)]
struct Buffer {
    elem: ScalarType,
    shape: Vec<usize>,
    memory: Vec<u64>,
    count: Arc<Count>,
    /// The host's memory, where it is shared.
    #[expect(dead_code)]
    host: Option<Dense>,
}

impl Remote for Buffer {
    fn fetch(&self) -> Result<Dense, Failure> {
        self.count.fetches.fetch_add(1, SeqCst);
        if self.count.lost.load(SeqCst) {
            let text = "`far` was removed".into();
            return Err(Failure::Device { text });
        }
        let bits = self.memory.iter().copied();
        Ok(Dense::from_bits(self.elem, self.shape.clone(), bits).unwrap())
    }
}

fn doubled(elem: ScalarType, bits: u64) -> u64 {
    match elem {
        ScalarType::F32 => (2.0 * f32::from_bits(bits as u32)).to_bits().into(),
        _ => u64::from(2 * bits as u32),
    }
}

impl Device {
    fn place() -> (Place, Arc<Count>) {
        Device::made(false)
    }

    fn made(shares: bool) -> (Place, Arc<Count>) {
        let count = Arc::<Count>::default();
        let device = Device {
            owner: new_owner(),
            count: count.clone(),
            shares,
        };
        (Place::from_backend(Arc::new(device)), count)
    }

    fn buffer(&self, view: &ArrayView<'_>, host: Option<Dense>) -> Arc<Buffer> {
        Arc::new(Buffer {
            elem: view.elem(),
            shape: view.shape().to_vec(),
            memory: view.iter().map(|value| value.bits).collect(),
            count: self.count.clone(),
            host,
        })
    }
}

impl Backend for Device {
    fn name(&self) -> String {
        format!("far:{}", self.owner)
    }
    fn caps(&self) -> Caps {
        caps()
    }
    fn target(&self) -> String {
        "none".into()
    }
    fn resident(&self) -> bool {
        true
    }
    fn compile(&self, _: &Func, _: &Arc<Func>) -> Result<Arc<dyn Executable>, CompileError> {
        Ok(Arc::new(self.clone()))
    }
}

impl Executable for Device {
    fn run(
        &self,
        args: &[Arg<'_>],
        _: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let results = args.iter().map(|arg| {
            let argument = match arg {
                Arg::Scalar(_) => unreachable!("no kernel here has a scalar"),
                Arg::Array(view) => {
                    self.count.views.fetch_add(1, SeqCst);
                    self.buffer(view, None)
                }
                Arg::Stored(stored) => {
                    let remote = stored.remote_or(self.owner, |host| {
                        self.count.uploads.fetch_add(1, SeqCst);
                        Ok(self.buffer(&host.view(), self.shares.then(|| host.clone())))
                    })?;
                    remote.downcast::<Buffer>().unwrap()
                }
            };
            let elem = argument.elem;
            let memory = argument.memory.iter().map(|&bits| doubled(elem, bits));
            let result = Buffer {
                elem,
                shape: argument.shape.clone(),
                memory: memory.collect(),
                count: self.count.clone(),
                host: None,
            };
            let shape = &argument.shape[..];
            let stored = Stored::from_remote(elem, shape, self.owner, Arc::new(result));
            Ok(Value::Stored(stored))
        });
        results.collect()
    }
    fn code(&self) -> String {
        String::new()
    }
}

/// A backend that knows only host memory, and doubles its arguments.
#[derive(Debug)]
struct Near;

impl Backend for Near {
    fn name(&self) -> String {
        "near".into()
    }
    fn caps(&self) -> Caps {
        caps()
    }
    fn target(&self) -> String {
        "none".into()
    }
    fn compile(&self, _: &Func, _: &Arc<Func>) -> Result<Arc<dyn Executable>, CompileError> {
        Ok(Arc::new(Near))
    }
}

impl Executable for Near {
    fn run(
        &self,
        args: &[Arg<'_>],
        _: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let results = args.iter().map(|arg| match arg {
            Arg::Array(view) => {
                let bits = view.iter().map(|value| doubled(value.ty, value.bits));
                let dense = Dense::from_bits(view.elem(), view.shape().to_vec(), bits);
                Value::Array(dense.unwrap())
            }
            other => unreachable!("{other:?} is no view of host memory"),
        });
        Ok(results.collect())
    }
    fn code(&self) -> String {
        String::new()
    }
}

fn near() -> Place {
    Place::from_backend(Arc::new(Near))
}

fn caps() -> Caps {
    Caps {
        op: |_, _| true,
        sink: |_| true,
        levels: vec![Level::Seq],
        optimise: true,
    }
}

/// Runs this at once on many threads.
fn at_once(body: impl Fn() + Sync) {
    let barrier = Barrier::new(16);
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| {
                barrier.wait();
                body();
            });
        }
    });
}

#[test]
fn a_chain_of_calls_moves_nothing() {
    let (far, count) = Device::place();
    let mut x = double::call(&Array::from(vec![1.0, 2.0]))
        .on(&far)
        .run()
        .unwrap();
    assert_eq!(count.moved(), [1, 0, 0]);
    for _ in 0..10 {
        x = double::call(&x).on(&far).run().unwrap();
        assert_eq!(x.place(), &far);
    }
    assert_eq!(count.moved(), [1, 0, 0]);
    let clone = x.clone();
    assert_eq!(x.to_vec(), [2048.0, 4096.0]);
    assert_eq!(clone.as_slice(), Some(&[2048.0, 4096.0][..]));
    assert_eq!(clone.to_ndarray().into_raw_vec_and_offset().0, x.to_vec());
    assert_eq!(count.moved(), [1, 0, 1]);
}

#[test]
fn each_leaf_stays() {
    let (far, count) = Device::place();
    let x = Array::from(vec![(1.0, 1), (2.0, 2)]);
    let y = double_pairs::call(&x).on(&far).run().unwrap();
    let z = double_pairs::call(&y).on(&far).run().unwrap();
    assert_eq!(count.moved(), [2, 0, 0]);
    assert_eq!(z.to_vec(), [(4.0, 4), (8.0, 8)]);
    assert_eq!(count.moved(), [2, 0, 2]);
    assert_eq!(z.as_slice(), None);
}

#[test]
fn another_place_fetches_once() {
    let (far, count) = Device::place();
    let x = double::call(&[1.0]).on(&far).run().unwrap();
    let near = near();
    at_once(|| {
        let x = x.clone();
        assert_eq!(double::call(&x).on(&near).to_host().unwrap(), [4.0]);
        assert_eq!(x.as_slice(), Some(&[2.0][..]));
    });
    assert_eq!(
        double::call(&x).on(&Place::native()).to_host().unwrap(),
        [4.0]
    );
    assert_eq!(double::plain(&x), [4.0]);
    assert_eq!(count.moved(), [0, 1, 1]);
}

#[test]
fn a_second_use_uploads_nothing() {
    let (far, count) = Device::place();
    let x = Array::from(vec![3.0]);
    at_once(|| {
        let y = double::call(&x.clone()).on(&far).run().unwrap();
        assert_eq!(y.shape(), [1]);
    });
    assert_eq!(count.moved(), [1, 0, 0]);
    assert_eq!(x.to_vec(), [3.0]);
    assert_eq!(count.moved(), [1, 0, 0]);
}

#[test]
fn each_device_has_its_copy() {
    let ((a, of_a), (b, of_b)) = (Device::place(), Device::place());
    let x = double::call(&[1.0]).on(&a).run().unwrap();
    for _ in 0..3 {
        let y = double::call(&x).on(&b).run().unwrap();
        assert_eq!(double::call(&y).on(&b).to_host().unwrap(), [8.0]);
        assert_eq!(double::call(&x).on(&a).to_host().unwrap(), [4.0]);
    }
    // What came from there was fetched: `x` once, the results of `to_host`.
    assert_eq!(of_a.moved(), [0, 1, 1 + 3]);
    assert_eq!(of_b.moved(), [1, 0, 3]);
}

#[test]
fn borrowed_arguments_are_views() {
    let (far, count) = Device::place();
    let x = Array1::from(vec![1.0, 2.0, 3.0]);
    let y = double::call(x.slice(s![..;-2])).on(&far).to_host().unwrap();
    assert_eq!(y, [6.0, 2.0]);
    assert_eq!(double::call(&vec![1.0]).on(&far).to_host().unwrap(), [2.0]);
    assert_eq!(count.moved(), [0, 2, 2]);
}

#[test]
fn the_only_owner_copies_nothing() {
    let (far, count) = Device::place();
    let x = double::call(&[1.0, 2.0]).on(&far).run().unwrap();
    let memory = x.as_slice().unwrap().as_ptr();
    let clone = x.clone();
    let copy = clone.into_vec();
    assert_ne!(copy.as_ptr(), memory);
    let moved = x.into_vec();
    assert_eq!(moved.as_ptr(), memory);
    assert_eq!(count.moved(), [0, 1, 1]);
    // Even where a device shares the memory.
    let (far, count) = Device::made(true);
    let x = vec![1.0, 2.0];
    let memory = x.as_ptr();
    let x = Array::from(x);
    assert_eq!(double::call(&x).on(&far).to_host().unwrap(), [2.0, 4.0]);
    assert_eq!(count.moved(), [1, 0, 1]);
    let moved = x.into_vec();
    assert_eq!(moved.as_ptr(), memory);
}

#[test]
fn a_fetch_that_fails_is_tried_again() {
    let (far, count) = Device::place();
    let x = double::call(&[1.0]).on(&far).run().unwrap();
    count.lost.store(true, SeqCst);
    let failed = |result: Result<Vec<f32>, Error>| {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "CU0309", "{error}");
        assert_eq!(error.kernel().as_deref(), Some("double"));
        assert!(error.to_string().contains("`far` was removed"), "{error}");
    };
    let near = near();
    failed(double::call(&x).on(&near).to_host());
    failed(double::call(&x).on(&Place::native()).to_host());
    failed(double::call(&x).on(&far).to_host());
    assert_eq!(format!("{x:?}"), format!("Array, shape=[1] at {far}"));
    let panic = std::panic::catch_unwind(|| x.to_vec()).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("error[CU0309]: "), "{text}");
    assert!(std::panic::catch_unwind(|| x.as_slice().is_some()).is_err());
    // On the device nothing need be fetched.
    let y = double::call(&x).on(&far).run().unwrap();
    count.lost.store(false, SeqCst);
    assert_eq!(double::call(&x).on(&near).to_host().unwrap(), [4.0]);
    assert_eq!((x.to_vec(), y.to_vec()), (vec![2.0], vec![4.0]));
}

#[test]
fn results_come_to_the_callers_memory() {
    let (far, count) = Device::place();
    let (mut out, mut y) = ([0.0; 2], [3.0; 1]);
    let mut call = || {
        let call = double_both::call(&[1.0, 2.0], &mut y).on(&far);
        call.run_into(&mut out)
    };
    call().unwrap();
    count.lost.store(true, SeqCst);
    assert_eq!(call().unwrap_err().code(), "CU0309");
    count.lost.store(false, SeqCst);
    assert_eq!((out, y), ([2.0, 4.0], [6.0]));

    let mut short = [7.0; 1];
    let call = double_both::call(&[1.0, 2.0], &mut y).on(&far);
    let error = call.run_into(&mut short).unwrap_err();
    drop(call);
    assert_eq!(error.code(), "CU0302", "{error}");
    assert_eq!((short, y), ([7.0], [6.0]));
}

/// Gives what it is made of, whatever is wanted.
#[derive(Debug)]
struct Wrong(Dense);

impl Remote for Wrong {
    fn fetch(&self) -> Result<Dense, Failure> {
        Ok(self.0.clone())
    }
}

#[test]
fn elements_of_another_array_are_refused() {
    let bytes = Dense::from_bits(ScalarType::U8, vec![2], [1, 2]).unwrap();
    let owner = new_owner();
    let wrong = Arc::new(Wrong(bytes));
    for (elem, shape) in [(ScalarType::U8, &[3][..]), (ScalarType::I8, &[2])] {
        let stored = Stored::from_remote(elem, shape, owner, wrong.clone());
        assert!(matches!(stored.dense(), Err(Failure::Internal(_))));
        assert!(stored.host().is_none());
        assert!(matches!(stored.into_dense(), Err(Failure::Internal(_))));
    }
    // Another device that has the elements is asked too; a copy that is there is not replaced.
    let stored = Stored::from_remote(ScalarType::U8, [1].as_slice(), owner, wrong.clone());
    let right = Dense::from_bits(ScalarType::U8, vec![1], [7]).unwrap();
    stored.keep(owner, Arc::new(Wrong(right.clone())));
    assert!(stored.dense().is_err());
    stored.keep(new_owner(), Arc::new(Wrong(right)));
    assert_eq!(stored.dense().unwrap().view().get(&[0]), Const::u8(7));
    let kept = stored.remote(owner).unwrap().downcast::<Wrong>().unwrap();
    assert!(Arc::ptr_eq(&kept, &wrong));
}

/// A device whose compiler, or memory, refuses everything.
#[derive(Debug)]
struct Refuses {
    build: bool,
}

impl Backend for Refuses {
    fn name(&self) -> String {
        "refuses".into()
    }
    fn caps(&self) -> Caps {
        caps()
    }
    fn target(&self) -> String {
        "none".into()
    }
    fn compile(&self, func: &Func, _: &Arc<Func>) -> Result<Arc<dyn Executable>, CompileError> {
        match self.build {
            false => Ok(Arc::new(Refuses { build: false })),
            true => Err(CompileError::Build {
                device: "a device".into(),
                log: "1:1: unknown type\n1:2: stopped\n".into(),
                place: func.result_place(0),
            }),
        }
    }
}

impl Executable for Refuses {
    fn run(
        &self,
        _: &[Arg<'_>],
        _: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        Err(Failure::TooLarge {
            bytes: 6 << 30,
            free: 3 << 29,
            limit: 512 << 20,
            device: "a device".into(),
            place: Default::default(),
        })
    }
    fn code(&self) -> String {
        String::new()
    }
}

#[test]
fn errors_of_devices_say_what_to_do() {
    let error = |build| {
        let place = Place::from_backend(Arc::new(Refuses { build }));
        double::call(&[1.0]).on(&place).run().unwrap_err()
    };
    let build = error(true);
    assert_eq!(build.code(), "CU0310");
    let text = build.to_string();
    assert!(
        text.starts_with(
            "error[CU0310]: the compiler of `a device` refuses the code that was generated for it: \
             1:1: unknown type\n1:2: stopped\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("| fn double(x: &[f32])") || text.contains("|     x.map("),
        "{text}"
    );
    assert!(text.contains("= help: use another place"), "{text}");
    let large = error(false);
    assert_eq!(large.code(), "CU0308");
    assert_eq!(
        large.message(),
        "6.0 GiB of arrays do not fit the memory of `a device`, where 1.5 GiB are free and one array has at most 512.0 MiB"
    );
    assert!(large.remedy().contains("smaller pieces"));
}

#[test]
fn arrays_go_everywhere() {
    fn anywhere<T: Clone + Debug + Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    anywhere::<Stored>();
    anywhere::<Array<f32>>();
}
