//! What can go wrong while a program runs: the table of faults. One row gives the name in the text form, the code that
//! users see, what happened, and what to do.

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident $name:literal $code:literal, $text:literal, $remedy:literal;)*) => {
        /// A way in which a running program fails.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Fault {
            $($(#[$doc])* $variant,)*
            /// `assert!` or `panic!` of the user's: its message, `{}` and `{:spec}` standing for the operands.
            Assert(String),
        }

        impl Fault {
            /// The rows but `Assert`.
            pub const ALL: &[Fault] = &[$(Fault::$variant),*];
            /// The name in the text form.
            pub fn name(&self) -> &'static str {
                match self { $(Fault::$variant => $name,)* Fault::Assert(_) => "assert" }
            }
            /// The code that users see, such as `CU0201`.
            pub fn code(&self) -> &'static str {
                match self { $(Fault::$variant => $code,)* Fault::Assert(_) => "CU0209" }
            }
            /// What happened; `{0}`, `{1}` stand for the operands, `{1..}` for all from there on. Several faults may have one
            /// code: it says what kind of thing went wrong, the text what exactly.
            pub fn text(&self) -> &str {
                match self { $(Fault::$variant => $text,)* Fault::Assert(message) => message }
            }
            /// What to do.
            pub fn remedy(&self) -> &'static str {
                match self {
                    $(Fault::$variant => $remedy,)*
                    Fault::Assert(_) => "the kernel asserts this: check the arguments that lead here",
                }
            }
            /// The fault of that name (not `assert`).
            pub fn parse(name: &str) -> Option<Fault> {
                match name { $($name => Some(Fault::$variant),)* _ => None }
            }
        }
    };
}
faults! {
    /// An index at or beyond the length: the index, the length.
    IndexOutOfBounds "index" "CU0201", "index {0} is out of bounds for length {1}",
        "test the index against the length first; `get` and `gather_or` have an answer for what lies outside";
    /// Integer division or remainder by zero.
    DivideByZero "divide" "CU0202", "division by zero",
        "guard the division with an `if`, or divide by a value that cannot be zero";
    /// `MIN / -1`.
    DivideOverflow "overflow" "CU0203", "{0} / {1} does not fit its type",
        "use `wrapping_div`, or a wider type";
    /// `MIN % -1`.
    RemainderOverflow "remainder" "CU0203", "{0} % {1} does not fit its type",
        "use `wrapping_rem`, or a wider type";
    /// Two sequences that must be equally long are not: both lengths.
    LengthMismatch "length" "CU0204", "sequences of lengths {0} and {1} are used together",
        "make the lengths equal, for example with `take`";
    /// Two shapes that must agree do not: the lengths of one dimension.
    ShapeMismatch "shape" "CU0205", "a dimension of {0} does not fit one of {1}",
        "give arrays of the same shape";
    /// A new shape that has not as many elements as there are: how many there are, then the shape.
    Reshape "reshape" "CU0205", "an array of {0} elements cannot have the shape ({1..})",
        "give a shape whose lengths have the number of elements as their product";
    /// `unwrap` or `expect` of `None`.
    Nothing "none" "CU0206", "the `Option` is `None`: there is no value to unwrap",
        "test `is_some()` first, or use `unwrap_or` with a value of your own";
    /// `minimum`, `maximum`, `argmin` or `argmax` of nothing.
    Empty "empty" "CU0206", "an empty sequence has no such element",
        "test `is_empty()` first, or use `reduce` with a start value";
    /// The same destination twice: the index.
    DuplicateIndex "duplicate" "CU0207", "index {0} occurs more than once",
        "use `scatter_with` and say how duplicates combine";
    /// A step, chunk or window of zero.
    ZeroStep "step" "CU0208", "a step, window or chunk of length 0",
        "use a length of at least 1";
    /// A sub-slice whose ends do not fit: start, end, length.
    SliceOutOfBounds "slice" "CU0210", "range {0}..{1} does not fit length {2}",
        "keep 0 <= start <= end <= length";
    /// A size that no memory can hold, or an integer that is no size: the value.
    SizeOverflow "size" "CU0211", "{0} is too large for a length",
        "check the size that is asked for";
    /// A shape that no array can have: the shape.
    ShapeOverflow "volume" "CU0211", "an array of shape ({0..}) is larger than any memory",
        "check the size that is asked for";
}
