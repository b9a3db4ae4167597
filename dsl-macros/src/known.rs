//! The methods that a function calls on scalars through a trait → items that rustc refuses where that trait is not the one
//! that a kernel means.
//!
//! A kernel knows methods by name. rustc finds `x.add(y)` among the traits in scope, and a trait of the user's may have an
//! `add` too; then the function as written and the compiled one would differ in silence. So for each such name that a kernel
//! uses, a function that nobody calls stands beside it, where the same traits are in scope:
//!
//! ```text
//! let x = outer::<f64, _>();
//! library(scope(&x), x.add(any()));
//! ```
//!
//! `Outer` has the library's traits and lends an `f64`. If the library's trait is in scope, the method is found on `Outer`, and
//! its second parameter is `InScope`. If not, rustc looks at the `f64`, and the parameter is `OutOfScope`: there must be nothing
//! then but `Absent`, whose `&mut self` makes it the last that is looked at. The types that are asked are those that the
//! elaborator knows the name on. In a kernel that has the method from a bound `T: Scalar` no import is needed, and none is
//! asked for; a trait of the user's that has the name on a scalar is refused there too.

use crate::scope::text;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

/// Which scalars have a method, and how it takes them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    /// Numbers and references to them, by value.
    Numbers,
    /// Integers, `bool` and references to them, by value.
    Bits,
    /// Numbers, by reference: rustc prefers a method that takes one by value.
    Lent,
    /// Floats, by value: where the receiver is a reference, rustc prefers a method that takes one.
    Floats,
}

/// A method of a scalar that is reached through a trait.
struct Row {
    names: &'static [&'static str],
    operands: usize,
    on: On,
    /// The trait, as a user imports it. None if it is in scope everywhere.
    library: Option<&'static str>,
    /// What else the user may write, with `or` behind it.
    instead: &'static str,
}

macro_rules! rows {
    ($($($name:ident)+, $operands:literal, $on:ident, $library:expr, $instead:literal;)*) => {
        &[$(Row {
            names: &[$(stringify!($name)),+],
            operands: $operands,
            on: On::$on,
            library: $library,
            instead: $instead,
        }),*]
    };
}

/// All of them but those that take the scalar by value and are its own or in scope everywhere: these go before any other, or
/// rustc itself says that there are two.
#[rustfmt::skip]
const METHODS: &[Row] = rows! {
    add, 1, Numbers, Some("std::ops::Add"), "write `a + b`, or ";
    sub, 1, Numbers, Some("std::ops::Sub"), "write `a - b`, or ";
    mul, 1, Numbers, Some("std::ops::Mul"), "write `a * b`, or ";
    div, 1, Numbers, Some("std::ops::Div"), "write `a / b`, or ";
    rem, 1, Numbers, Some("std::ops::Rem"), "write `a % b`, or ";
    neg, 0, Numbers, Some("std::ops::Neg"), "write `-a`, or ";
    not, 0, Bits, Some("std::ops::Not"), "write `!a`, or ";
    bitand, 1, Bits, Some("std::ops::BitAnd"), "write `a & b`, or ";
    bitor, 1, Bits, Some("std::ops::BitOr"), "write `a | b`, or ";
    bitxor, 1, Bits, Some("std::ops::BitXor"), "write `a ^ b`, or ";
    shl, 1, Bits, Some("std::ops::Shl"), "write `a << b`, or ";
    shr, 1, Bits, Some("std::ops::Shr"), "write `a >> b`, or ";
    is_zero, 0, Lent, Some("num_traits::Zero"), "compare with 0, or ";
    is_one, 0, Lent, Some("num_traits::One"), "compare with 1, or ";
    to_f32 to_f64 to_i8 to_i16 to_i32 to_i64 to_isize to_u8 to_u16 to_u32 to_u64 to_usize,
        0, Lent, Some("num_traits::ToPrimitive"), "convert with `as`, or ";
    eq ne lt le gt ge partial_cmp cmp total_cmp, 1, Lent, None, "";
    erf, 0, Floats, Some("cuprous::prelude::Special"), "";
};

impl On {
    fn scalars(self) -> &'static [&'static str] {
        const ALL: [&str; 13] = [
            "bool", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize", "f32",
            "f64",
        ];
        match self {
            On::Numbers => &ALL[1..],
            On::Lent => &ALL,
            On::Bits => &ALL[..11],
            On::Floats => &ALL[11..],
        }
    }
}

/// The methods of the table that a function calls, each where it is called first.
#[derive(Default)]
pub struct Known(Vec<(Ident, &'static Row)>);

impl Known {
    /// Notes a call, as a method or by its path.
    pub fn add(&mut self, method: &Ident) {
        let name = text(method);
        let row = METHODS
            .iter()
            .find(|row| row.names.contains(&name.as_str()));
        if let Some(row) = row
            && !self.0.iter().any(|(seen, _)| text(seen) == name)
        {
            self.0.push((method.clone(), row));
        }
    }

    /// The items that stand beside the function.
    pub fn items(&self) -> TokenStream {
        self.0.iter().map(|(name, row)| item(name, row)).collect()
    }
}

/// The item that asks for one method. Every token of it is at the method's name, and so is what rustc says.
fn item(name: &Ident, row: &Row) -> TokenStream {
    let span = name.span();
    let scalars: Vec<Scalar> = row
        .on
        .scalars()
        .iter()
        .map(|s| Scalar::new(s, span))
        .collect();
    let library = row
        .library
        .map(|library| behind(name, row, library, &scalars));
    let first = first(name, row, &scalars);
    quote_spanned! {span=>
        #[allow(
            dead_code, unused_mut, unused_variables, unstable_name_collisions, clippy::all, clippy::pedantic
        )]
        const _: () = {
            use ::cuprous::__private::known as __cuprous;
            fn known() {
                #library
                #first
            }
        };
    }
}

/// A type that is asked, and the variable that says where its method was found.
struct Scalar {
    ty: TokenStream,
    found: Ident,
}

impl Scalar {
    fn new(name: &str, span: Span) -> Scalar {
        let ty = Ident::new(name, span);
        Scalar {
            ty: quote_spanned!(span=> ::core::primitive::#ty),
            found: Ident::new(&format!("found_{name}"), span),
        }
    }
}

/// The question whether the method is the library's. It is asked of a type without methods too, for a trait of the user's that
/// every type has.
fn behind(name: &Ident, row: &Row, library: &str, scalars: &[Scalar]) -> TokenStream {
    let span = name.span();
    let (params, args) = operands(row, span);
    let shown = text(name);
    let message = format!("`{shown}` is another method here than the one that a kernel means");
    let label = format!("not that of `{library}`");
    let note = format!(
        "{}import `{library}`; a method of your own cannot be called in a kernel: make it a kernel and call that",
        row.instead
    );
    let asked = scalars.iter().map(|Scalar { ty, found }| {
        quote_spanned! {span=>
            let mut x = __cuprous::outer::<#ty, _>();
            let #found = __cuprous::scope(&x);
            library(#found, x.#name(#args));
        }
    });
    quote_spanned! {span=>
        #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
        trait Library<R> {}
        #[diagnostic::do_not_recommend]
        impl<R> Library<R> for __cuprous::InScope {}
        #[diagnostic::do_not_recommend]
        impl Library<__cuprous::Nothing> for __cuprous::OutOfScope {}
        // Were there but one, rustc would take the bound for a definition, and speak of mismatched types.
        #[diagnostic::do_not_recommend]
        impl Library<__cuprous::OutOfScope> for __cuprous::OutOfScope {}
        fn library<L: Library<R>, R>(_: L, _: R) {}

        trait Absent {
            fn #name(&mut self #params) -> __cuprous::Nothing {
                __cuprous::any()
            }
        }
        impl<T: __cuprous::Plain> Absent for T {}

        library(__cuprous::OutOfScope, __cuprous::Bare.#name(#args));
        #(#asked)*
    }
}

/// The question whether there is a method that rustc prefers to the library's, since it takes the receiver in another way: with
/// one of ours that takes it so, there would be two.
fn first(name: &Ident, row: &Row, scalars: &[Scalar]) -> TokenStream {
    let span = name.span();
    let (params, args) = operands(row, span);
    let (taken, receiver) = match row.on {
        On::Numbers | On::Bits => return TokenStream::new(),
        On::Lent => (quote_spanned!(span=> T), quote_spanned!(span=> x)),
        On::Floats => (quote_spanned!(span=> &T), quote_spanned!(span=> (&x))),
    };
    let asked = scalars.iter().map(|Scalar { ty, found }| {
        let x = match row.library {
            Some(_) => quote_spanned!(span=> __cuprous::rest::<#ty, _>(#found)),
            None => quote_spanned!(span=> __cuprous::any::<#ty>()),
        };
        quote_spanned! {span=>
            let x = #x;
            #receiver.#name(#args);
        }
    });
    quote_spanned! {span=> {
        trait KnownInKernels: Sized {
            fn #name(self #params) {}
        }
        impl<T> KnownInKernels for #taken {}
        #(#asked)*
    }}
}

/// The parameters behind `self`, and arguments for them.
fn operands(row: &Row, span: Span) -> (TokenStream, TokenStream) {
    match row.operands {
        0 => Default::default(),
        _ => (
            quote_spanned!(span=> , _: __cuprous::Nothing),
            quote_spanned!(span=> __cuprous::any()),
        ),
    }
}
