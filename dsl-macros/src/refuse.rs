//! What a kernel cannot hold → the message that says what to write instead.
//!
//! One table a kind of thing. A row is a name and a message; the place is the caller's.

/// A row: the names that are refused, and why.
type Row = (&'static [&'static str], &'static str);

const TYPE: &[Row] = &[
    (
        &["String", "str", "OsString", "PathBuf", "Path"],
        "text is not a type of the kernel language: pass numbers, and format them outside",
    ),
    (
        &["char"],
        "`char` is not a type of the kernel language: use `u32` or `u8`",
    ),
    (
        &["i128", "u128"],
        "128-bit integers are not types of the kernel language: use 64 bits, or two of them",
    ),
    (
        &["Box", "Rc", "Arc", "Cow"],
        "owning pointers are not types of the kernel language: use the value itself",
    ),
    (
        &["RefCell", "Cell", "Mutex", "RwLock", "OnceCell", "OnceLock"],
        "shared mutable state is not a type of the kernel language: pass values in and return the new ones",
    ),
    (
        &["HashMap", "HashSet", "BTreeMap", "BTreeSet"],
        "maps and sets are not types of the kernel language: sort and use `unique`, `reduce_by_key` or `histogram`",
    ),
    (
        &["VecDeque", "LinkedList", "BinaryHeap"],
        "only `Vec` grows sequences in the kernel language: use `Vec`, slices and arrays",
    ),
    (
        &["Result"],
        "`Result` is not a type of the kernel language: a kernel that fails says so by `assert!`, and its call returns the error",
    ),
    (
        &["Complex", "Complex32", "Complex64"],
        "complex numbers are not accepted by this version of the kernel language: use a tuple `(f64, f64)`",
    ),
    (
        &["f16", "bf16"],
        "half-precision floats are not accepted by this version of the kernel language: use `f32`",
    ),
    (
        &["Wrapping", "Saturating"],
        "wrapper types are not types of the kernel language: use the scalar; integer arithmetic wraps",
    ),
    (
        &["Ordering"],
        "`Ordering` is not a type of the kernel language: compare with `<` and `==`, or sort by a key",
    ),
    (&["Self"], "there is no `Self` in a kernel: write the type"),
    (
        &[
            "ArrayViewMut1",
            "ArrayViewMut2",
            "ArrayViewMut3",
            "ArrayViewMut4",
            "ArrayViewMutD",
            "ArrayViewMut",
        ],
        "a mutable view is not a type of the kernel language: take the array by reference and return the new one",
    ),
];

const MACRO: &[Row] = &[
    (
        &["println", "eprintln", "print", "eprint", "dbg"],
        "a kernel does no output: return the values and print them outside",
    ),
    (
        &[
            "format",
            "write",
            "writeln",
            "format_args",
            "concat",
            "stringify",
        ],
        "a kernel makes no text: return the values and format them outside",
    ),
    (
        &["todo", "compile_error"],
        "a kernel is compiled as a whole: write the missing part, or `panic!` with a message",
    ),
    (
        &[
            "include_str",
            "include_bytes",
            "include",
            "env",
            "option_env",
        ],
        "a kernel reads no files and no environment: pass the data as an argument, or name a constant",
    ),
    (
        &["array"],
        "`array!` is not known in a kernel: use `vec![…]`, `[…]` or `Array2::from_shape_fn`",
    ),
    (
        &["azip", "par_azip"],
        "`azip!` is not known in a kernel: use `zip` and `map`",
    ),
    (
        &["thread_local", "lazy_static"],
        "a kernel has no state of its own: pass it as an argument",
    ),
];

const METHOD: &[Row] = &[
    (
        &[
            "par_iter_mut",
            "chunks_mut",
            "chunks_exact_mut",
            "as_mut_slice",
            "as_mut",
            "split_at_mut",
            "get_mut",
            "first_mut",
            "last_mut",
            "mapv_inplace",
            "map_inplace",
            "view_mut",
            "row_mut",
            "column_mut",
            "slice_mut",
        ],
        "a kernel hands out no references to mutable state: `map` to a new array, or assign to `x[i]` in a loop",
    ),
    (
        &[
            "push",
            "push_back",
            "insert",
            "extend",
            "extend_from_slice",
            "append",
            "resize",
        ],
        "a sequence does not grow in place in a kernel: make it at once with `tabulate`, `map`, `filter`, `flat_map` or `chain`",
    ),
    (
        &[
            "pop",
            "remove",
            "swap_remove",
            "truncate",
            "clear",
            "drain",
            "retain",
            "dedup",
            "split_off",
        ],
        "a sequence does not shrink in place in a kernel: use `take`, `skip`, `filter` or `unique`",
    ),
    (
        &[
            "sort",
            "sort_unstable",
            "sort_by",
            "sort_unstable_by",
            "sort_by_key",
            "sort_unstable_by_key",
            "sort_by_cached_key",
        ],
        "a sequence is not sorted in place in a kernel: use `sorted()`, `sorted_by_key(f)` or `argsort()`",
    ),
    (
        &["par_iter", "into_par_iter", "par_bridge", "par_chunks"],
        "a kernel is parallel by itself: leave `par_` out",
    ),
    (
        &[
            "borrow",
            "borrow_mut",
            "lock",
            "read",
            "write",
            "load",
            "store",
            "fetch_add",
        ],
        "a kernel has no shared mutable state: pass values in and return the new ones",
    ),
    (
        &["to_string", "chars", "parse", "as_bytes"],
        "a kernel makes no text: return the values and format them outside",
    ),
    (
        &[
            "as_ptr",
            "as_mut_ptr",
            "get_unchecked",
            "get_unchecked_mut",
            "uget",
            "to_int_unchecked",
        ],
        "a kernel has no raw memory: index with `x[i]`; the check is moved out of loops where it can be",
    ),
    (
        &["spawn", "join"],
        "a kernel starts no threads: its primitives are parallel by themselves",
    ),
    (
        &["for_each"],
        "`for_each` only has effects, and a kernel's closures have none: use `map`, or a `for` loop",
    ),
    (
        &["ok_or", "ok_or_else", "ok", "err"],
        "`Result` is not a type of the kernel language: a kernel that fails says so by `assert!`, and its call returns the error",
    ),
];

const FUNCTION: &[Row] = &[
    (
        &["drop", "forget"],
        "values end with their block in a kernel: leave the call out",
    ),
    (
        &["catch_unwind", "resume_unwind", "exit", "abort"],
        "a kernel that fails says so by `assert!` or `panic!`",
    ),
    (
        &["spawn", "sleep"],
        "a kernel starts no threads: its primitives are parallel by themselves",
    ),
];

fn find(table: &[Row], name: &str) -> Option<&'static str> {
    let row = table.iter().find(|(names, _)| names.contains(&name));
    row.map(|(_, message)| *message)
}

/// The message for a type of this name.
pub fn of_type(name: &str) -> Option<&'static str> {
    find(TYPE, name)
}

/// The message for a macro of this name.
pub fn of_macro(name: &str) -> &'static str {
    find(MACRO, name).unwrap_or(
        "this macro is not known in a kernel: write what it stands for, or call a kernel; `assert!`, `panic!`, `vec!` and `s!` are known",
    )
}

/// The message for a method of this name.
pub fn of_method(name: &str) -> Option<&'static str> {
    find(METHOD, name)
}

/// The message for a function of this name.
pub fn of_function(name: &str) -> Option<&'static str> {
    find(FUNCTION, name)
}

/// Messages for forms of the language.
pub mod form {
    #![allow(missing_docs)]
    pub const ASYNC: &str =
        "a kernel cannot be `async` or wait: its calls return when the result is there";
    pub const UNSAFE: &str = "a kernel is safe code: `unsafe` cannot stand in it";
    pub const TRY: &str = "`?` cannot be used in a kernel: state what must hold with `assert!`, or `match` on the `Option`";
    pub const RAW: &str = "a kernel has no raw pointers: index with `x[i]`";
    pub const RECORD: &str =
        "structs and enums are not accepted by this version of the kernel language: use tuples";
    pub const METHOD: &str = "methods are not accepted by this version of the kernel language: write a function and pass the fields";
    pub const TEXT: &str =
        "text is not a value in a kernel: it can only be the message of `assert!` or `panic!`";
    pub const MUT_REF: &str = "a kernel makes no references to mutable state: assign to the variable itself; only `swap` and `&mut [T]` parameters take one";
    pub const CONST_BLOCK: &str =
        "a `const` block cannot stand in a kernel: make it a `const` item";
    pub const UNKNOWN: &str = "this form of expression is not known in a kernel";
    pub const CALLEE: &str =
        "only names can be called in a kernel: bind the closure to a name first";
    pub const NESTED_FN: &str = "a function cannot stand inside a kernel: make it a kernel of its own at module level, or a closure";
    pub const NESTED_ITEM: &str =
        "only `const` items can stand inside a kernel: move this one to module level";
    pub const STATIC_ITEM: &str =
        "a kernel has no state of its own: make it a `const`, or pass it as an argument";
    pub const STD: &str = "this function of the standard library is not known in a kernel: use a primitive, or write a kernel";
    pub const CFG: &str = "an attribute cannot switch parts of a kernel on and off: put it on the whole kernel, or test `cfg!` into a constant outside";
    pub const TURBOFISH_PATH: &str = "a function with type arguments cannot stand as a value in a kernel: write a closure that calls it";
    pub const CONST_ARG: &str = "a constant argument cannot be given in a kernel: it follows from the types of the arguments";
    pub const PATTERN: &str = "this form of pattern is not known in a kernel";
    pub const LOWER_CONSTANT: &str = "a name in lower case is a variable in the patterns of a kernel: write the constant's name in upper case";
    pub const REF_MUT: &str = "a kernel hands out no references to mutable state: bind the value and assign to the variable itself";
}
