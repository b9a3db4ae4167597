//! Methods that rustc knows and kernels do not have → what to write instead.

use super::Receiver;

static REFUSED: &[(Receiver, &[&str], &str)] = &[
    (
        Receiver::Seq,
        &[
            "push",
            "extend",
            "insert",
            "append",
            "resize",
            "push_back",
            "extend_from_slice",
        ],
        "arrays do not grow in place: make the whole array with `map`, `flat_map`, `chain` or `tabulate`, or assign to the elements of `vec![v; n]`",
    ),
    (
        Receiver::Seq,
        &[
            "pop",
            "remove",
            "truncate",
            "clear",
            "retain",
            "drain",
            "dedup",
            "swap_remove",
        ],
        "arrays do not shrink in place: use `take`, `skip` or `filter`, which make a new one",
    ),
    (
        Receiver::Seq,
        &[
            "sort",
            "sort_by",
            "sort_by_key",
            "sort_unstable",
            "sort_unstable_by",
            "sorted",
            "sorted_by_key",
            "argsort",
        ],
        "sort before the call, and pass the sorted array",
    ),
    (
        Receiver::Seq,
        &[
            "chunks_mut",
            "chunks_exact_mut",
            "get_mut",
            "split_at_mut",
            "as_mut_slice",
        ],
        "write `x[i] = v` in a loop over the indices, or make a new array with `map`",
    ),
    (
        Receiver::Iter,
        &["for_each", "try_for_each", "inspect"],
        "write a `for` loop, or `map` and `collect`",
    ),
    (
        Receiver::Float,
        &[
            "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh", "acosh", "atanh",
            "exp2", "exp_m1", "ln_1p", "log", "log2", "log10", "cbrt", "hypot", "erfc", "lgamma",
            "tgamma",
        ],
        "express it by the functions that kernels have: `exp`, `ln`, `sin`, `cos`, `tanh`, `erf`, `powf`, `powi`, `sqrt`",
    ),
    (
        Receiver::Iter,
        &["scan"],
        "collect the items first and write `.scan(e, op)` on the sequence: `op` is associative and there is no state",
    ),
    (
        Receiver::Iter,
        &["try_fold", "map_while"],
        "write a `for` loop with `break`",
    ),
    (
        Receiver::Iter,
        &["next", "next_back", "peekable", "by_ref", "peek"],
        "iterators have no state here: use `first()`, `nth(k)`, `skip(k)` or an index",
    ),
    (
        Receiver::Iter,
        &["cycle"],
        "write `replicate(k)` on the sequence, or index it with `i % n`",
    ),
    (
        Receiver::Nd,
        &[
            "mapv_inplace",
            "map_inplace",
            "par_mapv_inplace",
            "zip_mut_with",
        ],
        "make a new array: `u = u.mapv(f)`, or `Array2::from_shape_fn(u.dim(), |(i, j)| ...)`",
    ),
    (
        Receiver::Nd,
        &[
            "view_mut",
            "row_mut",
            "column_mut",
            "slice_mut",
            "outer_iter_mut",
            "rows_mut",
            "axis_iter_mut",
            "indexed_iter_mut",
            "get_mut",
        ],
        "assign to the elements, `u[[i, j]] = v`, or make a new array with `from_shape_fn`",
    ),
    (
        Receiver::Nd,
        &[
            "exp",
            "ln",
            "sqrt",
            "abs",
            "sin",
            "cos",
            "tanh",
            "powi",
            "powf",
            "floor",
            "ceil",
            "round",
            "trunc",
            "recip",
            "signum",
            "fract",
            "clamp",
            "log2",
            "log10",
            "exp2",
            "to_degrees",
            "to_radians",
            "pow2",
        ],
        "apply the scalar's method to each element: `u.mapv(|x| ...)`",
    ),
];

/// What to write instead of a method that rustc knows on such a receiver and kernels do not have.
pub(in crate::elaborate) fn refused(kinds: &[Receiver], name: &str) -> Option<&'static str> {
    REFUSED
        .iter()
        .find(|(kind, names, _)| kinds.contains(kind) && names.contains(&name))
        .map(|(_, _, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elaborate::method::lookup;

    #[test]
    fn a_refused_name_has_no_row() {
        for (kind, names, remedy) in REFUSED {
            assert!(!remedy.is_empty());
            for name in *names {
                assert!(lookup(&[*kind], name).is_none(), "{kind:?} {name}");
            }
        }
    }
}
