//! Kernels as functions: the forms that the macro emits, what may stand for a parameter, results at `native`.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]
#![deny(warnings)]

extern crate dsl_runtime as cuprous;

use cuprous::{Array, Error, Place, kernel};
use ndarray::{Array2, ArrayView1, ArrayView2, array, s};

/// Its documentation.
#[kernel]
fn saxpy(a: f32, x: &[f32], y: &[f32]) -> Vec<f32> {
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).map(|(x, y)| a * x + y).collect()
}

#[kernel]
fn pairs(x: &[(f32, i32)]) -> (Vec<(i32, f32)>, f32) {
    (
        x.iter().map(|&(a, b)| (b, a)).collect(),
        x.iter().map(|p| p.0).sum(),
    )
}

#[kernel]
fn transpose(u: &Array2<f64>) -> Array2<f64> {
    let (h, w) = u.dim();
    Array2::from_shape_fn((w, h), |(i, j)| u[[j, i]])
}

#[kernel]
fn trace(u: ArrayView2<'_, f64>) -> f64 {
    let mut t = 0.0;
    for i in 0..u.dim().0 {
        t += u[[i, i]];
    }
    t
}

#[kernel]
fn double(x: &mut [i32], by: [i32; 2]) {
    for i in 0..x.len() {
        x[i] = x[i] * by[0] + by[1];
    }
    assert!(x.len() < 3, "too long: {}", x.len());
}

#[kernel]
fn first<T: cuprous::Element + PartialOrd, const N: usize>(x: &[[T; N]], at: usize) -> T {
    x[0][at]
}

/// A function-valued parameter: for kernels to call.
#[kernel]
fn twice(f: impl Fn(f32) -> f32, x: f32) -> f32 {
    f(f(x))
}

#[kernel]
fn by_four<T>(r#type: &[T], scale: T) -> Vec<T>
where
    T: cuprous::scalar::Real,
{
    r#type.iter().map(|&v| scale * v * T::of(4.0)).collect()
}

#[kernel]
fn nothing() {}

#[kernel]
fn calls_others(x: &[f32]) -> Vec<f32> {
    let doubled = saxpy(1.0, x, x);
    doubled.iter().map(|&v| twice(|u| u + 1.0, v)).collect()
}

mod inner {
    use super::kernel;

    const OFFSET: i64 = 10;

    pub(super) mod deep {
        /// `super` in a kernel is what it is outside.
        #[super::kernel]
        pub(in super::super) fn shifted(x: &[i64]) -> Vec<i64> {
            x.iter().map(|&v| v + super::OFFSET).collect()
        }
    }

    #[kernel]
    pub(super) fn call(plain: &[i64]) -> Vec<i64> {
        deep::shifted(plain)
    }
}

fn all<R: PartialEq + std::fmt::Debug>(results: [R; 3]) {
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

#[test]
fn the_forms_agree() {
    Place::native().scope(|| {
        let (x, y) = (vec![1.0, 2.0], [3.0, 4.0]);
        all([
            saxpy(2.0, &x, &y),
            saxpy::plain(2.0, &x, &y),
            saxpy::call(2.0, &x, &y).to_host().unwrap(),
        ]);
        assert_eq!(saxpy(2.0, &[][..], &[]), []);
        assert_eq!(saxpy(2.0, &[1.0], &vec![0.5]), [2.5]);
        let call = saxpy::call(2.0, &x, &y);
        let device: Array<f32> = call.run().unwrap();
        assert_eq!(device.place(), &Place::native());
        assert_eq!(
            saxpy::call(1.0, &device, &device).to_host().unwrap(),
            [10.0, 16.0]
        );
        let mut out = vec![0.0; 2];
        call.run_into(&mut out).unwrap();
        assert_eq!(out, [5.0, 8.0]);
        call.run_into(out.as_mut_slice()).unwrap();
        let mut wide = ndarray::Array1::zeros(4);
        call.run_into(wide.slice_mut(s![..;2])).unwrap();
        assert_eq!(wide, array![5.0, 0.0, 8.0, 0.0]);
    });
}

#[test]
fn memory_of_another_shape_is_refused() {
    let mut out = vec![7.0; 3];
    let error = saxpy::call(2.0, &[1.0], &[2.0])
        .on(&Place::native())
        .run_into(&mut out)
        .unwrap_err();
    assert!(matches!(error, Error::ResultShape { .. }), "{error}");
    assert_eq!(out, [7.0; 3]);
}

#[test]
fn views_of_any_strides_stand_for_slices() {
    let x = array![1.0f32, 2.0, 3.0, 4.0];
    let back: ArrayView1<f32> = x.slice(s![..;-2]);
    Place::native().scope(|| {
        all([
            saxpy(1.0, back, x.slice(s![..2])),
            saxpy(1.0, &back, &x.slice(s![..2])),
            saxpy::plain(1.0, back, &x.slice(s![..2])),
        ]);
        assert_eq!(saxpy(1.0, back, &[0.0, 0.0]), [4.0, 2.0]);
    });
}

#[test]
fn tuples_and_matrices() {
    let native = Place::native();
    let x = [(1.5, 1), (2.5, 2)];
    let (swapped, sum) = pairs::call(&x).on(&native).run().unwrap();
    assert_eq!((swapped.to_vec(), sum), (vec![(1, 1.5), (2, 2.5)], 4.0));
    let again = pairs::call(&Array::from(x.to_vec()))
        .on(&native)
        .to_host()
        .unwrap();
    assert_eq!(again.0, [(1, 1.5), (2, 2.5)]);
    let mut into = (vec![(0, 0.0); 2], 0.0);
    pairs::call(&x)
        .on(&native)
        .run_into((&mut into.0, &mut into.1))
        .unwrap();
    assert_eq!(into, again);

    let u = array![[1.0, 2.0], [3.0, 4.0]];
    let t = native.scope(|| transpose(&u));
    assert_eq!(t, u.t());
    let flipped = u.slice(s![..;-1, ..]);
    assert_eq!(
        transpose::call(flipped).on(&native).to_host().unwrap(),
        flipped.t()
    );
    assert_eq!(trace::call(&u).on(&native).run().unwrap(), 5.0);
    assert_eq!(trace::plain(u.t()), 5.0);
    let device = Array::from_ndarray(u.t());
    assert_eq!(
        transpose::call(&device)
            .on(&native)
            .run()
            .unwrap()
            .to_ndarray(),
        u.into_dyn()
    );
    let error = transpose::call(&Array::from(vec![1.0]))
        .on(&native)
        .run()
        .unwrap_err();
    assert_eq!(error.code(), "CU0301");
}

#[test]
fn a_mutable_slice_is_written_only_on_success() {
    let native = Place::native();
    let mut x = vec![1, 2];
    double::call(&mut x, [2, 1]).on(&native).run().unwrap();
    assert_eq!(x, [3, 5]);
    let mut long = [1, 2, 3];
    let error = double::call(&mut long, [2, 1])
        .on(&native)
        .run()
        .unwrap_err();
    assert_eq!(long, [1, 2, 3]);
    let text = error.to_string();
    assert!(text.contains("error[CU0306]: too long: 3"), "{text}");
    assert!(text.contains("kernel `double`"), "{text}");
}

#[test]
fn generic_kernels_have_a_kernel_for_each_choice() {
    let x = [[1.5f64, 2.5]];
    assert_eq!(
        first::call(&x, 1).on(&Place::native()).to_host().unwrap(),
        2.5
    );
    assert_eq!(Place::native().scope(|| first(&[[1u8, 2, 3]], 2)), 3);
    let (a, b) = (first::kernel::<f32, 2>(), first::kernel::<f32, 3>());
    assert!(std::ptr::eq(a, first::kernel::<f32, 2>()) && !std::ptr::eq(a, b));
    assert_eq!(a.name(), "first");
}

#[test]
#[should_panic(expected = "error[CU0306]")]
fn the_function_panics_with_the_text() {
    Place::native().scope(|| saxpy(1.0, &[1.0], &[]));
}

#[test]
fn kernels_of_every_kind() {
    Place::native().scope(|| {
        assert_eq!(twice(|x| x * 3.0, 1.0), 9.0);
        assert_eq!(by_four(&[1.0f32], 2.0), [8.0]);
        assert_eq!(
            by_four::call(&array![1.0f64], 2.0).to_host().unwrap(),
            [8.0]
        );
        assert_eq!(by_four::<f64>(&[], 2.0), []);
        nothing();
        nothing::call().run_into(()).unwrap();
        assert_eq!(calls_others(&[1.0]), [4.0]);
        assert_eq!(inner::deep::shifted::plain(&[1]), [11]);
        assert_eq!(inner::call::call(&[1]).run().unwrap().into_vec(), [11]);
    });
}

#[test]
fn calls_go_to_other_threads() {
    let x = vec![1.0, 2.0];
    let call = saxpy::call(2.0, &x, &x).on(&Place::native());
    std::thread::scope(|scope| {
        let other = scope.spawn(|| call.to_host().unwrap());
        assert_eq!(other.join().unwrap(), [3.0, 6.0]);
    });
}

#[test]
fn a_panic_is_located() {
    let error = saxpy::call(1.0, &[1.0], &[])
        .on(&Place::native())
        .run()
        .unwrap_err();
    let site = error.site().unwrap();
    assert_eq!(site.file(), file!());
    assert!(
        site.source
            .line(site.line())
            .contains("assert_eq!(x.len(), y.len())"),
        "{error}"
    );
}

#[test]
fn places_by_name() {
    for place in Place::available() {
        assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        assert!(format!("{place:?}").contains(&place.to_string()));
    }
    let error = "abacus".parse::<Place>().unwrap_err();
    assert_eq!(error.code(), "CU0305");
    assert!(error.to_string().contains("native"), "{error}");
    assert!(
        Place::opencl()
            .unwrap_err()
            .to_string()
            .contains("unsupported")
    );
    assert!(Place::opencl_devices().is_empty());
    let error = saxpy::kernel().code(&Place::native()).unwrap_err();
    assert!(error.to_string().contains("unsupported"), "{error}");
}

#[test]
fn the_innermost_scope_counts_and_ends() {
    let outside = Place::current();
    let other = Place::cpu_threads(3);
    other.scope(|| {
        Place::native().scope(|| assert_eq!(Place::current(), Place::native()));
        assert_eq!(Place::current(), other);
        let caught = std::panic::catch_unwind(|| Place::native().scope(|| panic!("out")));
        assert!(caught.is_err());
        assert_eq!(Place::current(), other);
    });
    assert_eq!(Place::current(), outside);
}
