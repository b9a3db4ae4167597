//! Methods of scalars that are reached through a trait: imported, in scope by the prelude, or from a bound. Nothing warns.

#![deny(warnings)]

use crate::harness::{doubles, ints};

mod operators {
    use cuprous::prelude::*;
    use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Shl, Shr, Sub};

    #[kernel]
    pub fn floats(x: &[f64]) -> Vec<f64> {
        x.map(|v| v.add(1.0).sub(0.5).mul(v).div(3.0).rem(2.0).neg())
    }

    #[kernel]
    pub fn integers(x: &[i32]) -> Vec<i32> {
        x.map(|v| {
            v.bitand(255)
                .bitor(3)
                .bitxor(5)
                .not()
                .shl(2u32)
                .shr(1u32)
                .neg()
        })
    }

    #[kernel]
    pub fn negation(x: &[i32]) -> Vec<bool> {
        x.map(|v| (v > 3).not().bitxor(v.rem(2).eq(&0)))
    }

    #[kernel]
    pub fn by_path(x: &[f64]) -> Vec<f64> {
        x.map(|v| f64::add(v, 1.0))
    }

    #[kernel]
    pub fn referenced(x: &[f64]) -> Vec<f64> {
        x.iter().map(|v| v.mul(2.0)).collect()
    }

    pub mod inner {
        use super::*;

        #[kernel]
        pub fn imported_above(x: &[f64]) -> f64 {
            floats(x).map(|v| v.add(1.0)).sum()
        }
    }
}

mod renamed {
    use cuprous::kernel;
    use std::ops::Add as _;

    #[kernel]
    pub fn unnamed(x: f64, y: f64) -> f64 {
        x.add(y)
    }
}

mod numbers {
    use cuprous::prelude::*;
    use num_traits::{One, ToPrimitive, Zero};

    #[kernel]
    pub fn tests(x: &[i32]) -> (usize, usize, f64) {
        (
            x.count(|v| v.is_zero()),
            x.iter().filter(|v| v.is_one()).count(),
            x.map(|v| v.to_f64().unwrap_or(-1.0)).sum(),
        )
    }

    #[kernel]
    pub fn conversions(x: &[f64]) -> Vec<u8> {
        x.map(|v| v.to_u8().unwrap_or(7))
    }

    #[kernel]
    pub fn comparisons(x: &[i32], y: i32) -> usize {
        x.count(|v| v.lt(&y) || v.cmp(&y).is_eq() || v.ne(&3) && v.to_usize().is_none())
    }
}

mod bounds {
    use cuprous::kernel;
    use cuprous::prelude::{Int, Real, Reduction, Scalar};

    #[kernel]
    pub fn number<T: Scalar>(x: T, y: T) -> (bool, T, f64) {
        (
            x.is_zero() || y.is_one(),
            x.add(y).mul(y),
            x.to_f64().unwrap_or(0.0),
        )
    }

    #[kernel]
    pub fn real<T: Real>(x: &[T]) -> T {
        x.sum().neg().erf()
    }

    #[kernel]
    pub fn int<T: Int>(x: T, y: T) -> T {
        x.bitand(y).bitor(x.not()).shr(1)
    }

    #[kernel]
    pub fn num<T>(x: T) -> bool
    where
        T: num_traits::Num + Copy + 'static + cuprous::Element + cuprous::syntax::Describe,
    {
        x.add(T::one()).is_one()
    }
}

mod made {
    use cuprous::prelude::*;
    use std::ops::{Add, Sub};

    macro_rules! shifts {
        ($($name:ident $method:ident $by:expr;)*) => {$(
            #[kernel]
            pub fn $name(x: f64) -> f64 {
                let shifted = |v: f64| v.$method($by).add(0.25);
                shifted(x).erf()
            }
        )*};
    }
    shifts! {
        up add 1.0;
        down sub 1.0;
    }
}

/// Traits of one's own do no harm where kernels do not call their methods, nor on types of one's own.
mod apart {
    use cuprous::prelude::*;
    use std::ops::Add;

    #[derive(Clone, Copy)]
    pub struct Metre(pub f64);

    pub trait Own {
        fn add(self, other: f64) -> Metre;
        fn is_zero(&self) -> bool;
        fn twice(self) -> f64;
    }

    impl Own for Metre {
        fn add(self, other: f64) -> Metre {
            Metre(self.0 + other)
        }
        fn is_zero(&self) -> bool {
            self.0 == 0.0
        }
        fn twice(self) -> f64 {
            2.0 * self.0
        }
    }

    #[kernel]
    pub fn beside<T: Real>(x: T, y: f64) -> bool {
        x.is_zero() || y.add(1.0) > 2.0
    }

    pub fn outside(x: f64) -> f64 {
        let m = Own::add(Metre(x), 1.0);
        if m.is_zero() { 0.0 } else { m.twice() }
    }
}

use apart::beside;
use bounds::{int, num, number, real};
use made::{down, up};
use numbers::{comparisons, conversions, tests};
use operators::inner::imported_above;
use operators::{by_path, floats, integers, negation, referenced};
use renamed::unnamed;

tests! {
    imported {
        agree!(floats(&doubles(50)));
        agree!(integers(&ints(50)));
        agree!(negation(&ints(50)));
        agree!(by_path(&doubles(50)));
        agree!(referenced(&doubles(50)));
        agree!(1e-9, imported_above(&doubles(50)));
        agree!(unnamed(1.0, 2.0));
        agree!(tests(&ints(50)));
        agree!(conversions(&doubles(50)));
        agree!(comparisons(&ints(50), 10));
    }
    bound {
        agree!(number(3.5, 1.0));
        agree!(number(0u8, 7));
        agree!(1e-12, real(&[0.25, 0.5]));
        agree!(1e-6, real(&[0.25f32, 0.5]));
        agree!(int(12u16, 10));
        agree!(int(-12i64, 10));
        agree!(num(0.0));
    }
    from_macros {
        agree!(1e-12, up(0.5));
        agree!(1e-12, down(0.5));
    }
    traits_apart {
        agree!(beside(1.0, 2.0));
        assert_eq!(apart::outside(2.0), 6.0);
    }
}
