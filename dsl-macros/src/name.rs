//! Paths → what they name, as far as tokens alone can tell.
//!
//! Rust's own spelling rules decide where a name's scope does not: a constant is in upper case, a type begins with a capital,
//! a function is in lower case. rustc compiles the function as well, so a name that breaks these rules is an error there or
//! a message here, never another meaning; a constant in lower case that stands in a pattern is refused for this reason.

use crate::scope::text;
use syn::{Ident, Path};

/// Library functions by the name that a kernel calls them by: how a path to one may end, and its name in the tree.
const LIBRARY: &[(&[&str], &str)] = &[
    (&["indices"], "indices"),
    (&["fill"], "fill"),
    (&["tabulate"], "tabulate"),
    (&["tabulate2"], "tabulate2"),
    (&["tabulate3"], "tabulate3"),
    (&["histogram"], "histogram"),
    (&["rng", "uniform"], "rng::uniform"),
    (&["rng", "normal"], "rng::normal"),
    (&["rng", "philox"], "rng::philox"),
    (&["cmp", "min"], "min"),
    (&["cmp", "max"], "max"),
    (&["mem", "swap"], "swap"),
    (&["mem", "replace"], "replace"),
    (&["mem", "take"], "take"),
    (&["iter", "zip"], "zip"),
    (&["array", "from_fn"], "from_fn"),
];

/// Library functions that may also be called by their last name alone, after a `use`.
const IMPORTED: &[&str] = &[
    "uniform", "normal", "philox", "min", "max", "swap", "zip", "from_fn",
];

const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize", "f32", "f64",
];

/// The roots of paths into Rust's own library.
const STD: &[&str] = &["std", "core", "alloc"];

/// How a name is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `PI`.
    Upper,
    /// `Vec`.
    Capital,
    /// `map`.
    Lower,
}

/// The spelling of a name.
pub fn case(name: &Ident) -> Case {
    let text = text(name);
    let lower = text.chars().any(char::is_lowercase);
    match text.chars().find(|c| c.is_alphabetic()) {
        Some(first) if first.is_uppercase() && lower => Case::Capital,
        Some(first) if first.is_uppercase() => Case::Upper,
        _ => Case::Lower,
    }
}

/// What a path that is no variable names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// `PI`, `m::SIZE`, `f64::MAX`.
    Constant,
    /// `f64::max`, `Array2::zeros`, `T::of`: a member of the type that stands before the last segment.
    Member,
    /// `Wrapping`, `m::Colour`: a constructor.
    Constructor,
    /// A function: a kernel, or the library's function of this name if no kernel has it.
    Function(Option<&'static str>),
    /// A function of Rust's own library that kernels do not have.
    Std,
}

/// Tells what a path names.
pub fn meaning(path: &Path) -> Meaning {
    let names: Vec<&Ident> = path.segments.iter().map(|s| &s.ident).collect();
    let (last, prefix) = names.split_last().expect("a path has a segment");
    let typed = prefix.last().is_some_and(|n| names_a_type(n));
    match case(last) {
        Case::Upper => Meaning::Constant,
        Case::Capital => Meaning::Constructor,
        Case::Lower if typed => Meaning::Member,
        Case::Lower => {
            let library = library(&names);
            match prefix.first() {
                Some(root) if library.is_none() && STD.iter().any(|s| *root == s) => Meaning::Std,
                _ => Meaning::Function(library),
            }
        }
    }
}

/// Whether a segment is a type rather than a module: a primitive, or a name with a capital.
fn names_a_type(name: &Ident) -> bool {
    let text = text(name);
    PRIMITIVES.contains(&text.as_str()) || (case(name) != Case::Lower && text != "Self")
}

fn library(names: &[&Ident]) -> Option<&'static str> {
    let names: Vec<String> = names.iter().map(|n| text(n)).collect();
    LIBRARY.iter().find_map(|(end, own)| {
        let last = end.last().expect("a row has a name");
        let found = match names.as_slice() {
            [name] => name == last && (end.len() == 1 || IMPORTED.contains(last)),
            [.., parent, name] if end.len() == 2 => name == last && parent == end[0],
            [.., parent, name] => name == last && (parent == "prelude" || parent == "cuprous"),
            [] => false,
        };
        found.then_some(*own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Meaning {
        meaning(&syn::parse_str(path).unwrap())
    }

    #[test]
    fn spelling_decides() {
        assert_eq!(of("PI"), Meaning::Constant);
        assert_eq!(of("std::f64::consts::PI"), Meaning::Constant);
        assert_eq!(of("i32::MAX"), Meaning::Constant);
        assert_eq!(of("f64::max"), Meaning::Member);
        assert_eq!(of("Array2::from_shape_fn"), Meaning::Member);
        assert_eq!(of("T::of"), Meaning::Member);
        assert_eq!(of("Wrapping"), Meaning::Constructor);
        assert_eq!(of("helper"), Meaning::Function(None));
        assert_eq!(of("_helper"), Meaning::Function(None));
        assert_eq!(of("m::helper"), Meaning::Function(None));
    }

    #[test]
    fn library_functions_are_known_by_the_end_of_their_path() {
        assert_eq!(of("fill"), Meaning::Function(Some("fill")));
        assert_eq!(
            of("cuprous::prelude::fill"),
            Meaning::Function(Some("fill"))
        );
        assert_eq!(of("mine::fill"), Meaning::Function(None));
        assert_eq!(of("std::mem::swap"), Meaning::Function(Some("swap")));
        assert_eq!(of("swap"), Meaning::Function(Some("swap")));
        assert_eq!(of("take"), Meaning::Function(None));
        assert_eq!(of("rng::uniform"), Meaning::Function(Some("rng::uniform")));
        assert_eq!(of("std::fs::read"), Meaning::Std);
    }
}
