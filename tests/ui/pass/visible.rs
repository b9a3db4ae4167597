//! Kernels that are more visible than the module that they stand in, under lints that say so.
#![deny(unreachable_pub, dead_code, unused_imports)]

mod inner {
    use cuprous::prelude::*;

    #[kernel]
    pub fn sum(x: &[f64]) -> f64 {
        x.sum()
    }

    #[deny(unreachable_pub)]
    #[kernel]
    pub fn apply(x: f64, f: impl Fn(f64) -> f64) -> f64 {
        f(sum(&[x, 1.0]))
    }

    #[kernel]
    #[deny(unreachable_pub)]
    pub(crate) fn twice<T: Real, const N: usize>(x: [T; N]) -> T {
        x.map(|v| v + v).sum()
    }

    macro_rules! kernels {
        ($($vis:vis $name:ident)*) => {$(
            #[kernel]
            $vis fn $name(x: f64) -> f64 {
                apply(x, |v| v * 2.0)
            }
        )*};
    }
    kernels! { pub one pub(crate) two pub(super) three }
}

fn main() {
    assert_eq!(inner::sum(&[1.0]) + inner::sum::plain(&[1.0]), 2.0);
    assert_eq!(inner::apply(1.0, |v| v), 2.0);
    assert_eq!(inner::twice([1.0, 2.0]), 6.0);
    assert_eq!(inner::one(0.0) + inner::two(0.0) + inner::three(0.0), 6.0);
}
