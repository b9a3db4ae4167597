//! What becomes of the values of a [`super::Par`]: the table of sinks.

use super::{Atom, Block, Place, ScalarOp, Var};

/// One sink of a par.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// The row of the table.
    pub kind: SinkKind,
    /// Whole arrays or scalars from outside the par: start values of reduce and scan (k of them), destinations of
    /// scatter (k of them).
    pub outer: Vec<Atom>,
    /// Per-iteration values; see the row for their number and order.
    pub values: Vec<Atom>,
    /// How values combine, where the row says so.
    pub combine: Option<Combine>,
    /// Where the user wrote it.
    pub place: Place,
}

impl Sink {
    /// The number of results.
    pub fn results(&self) -> usize {
        match self.kind {
            SinkKind::Reduce | SinkKind::Scatter | SinkKind::ScatterWith => self.outer.len(),
            _ => self.values.len(),
        }
    }
}

/// How two values become one.
#[derive(Clone, Debug, PartialEq)]
pub enum Combine {
    /// A binary operation of the table whose row says that it is associative and commutative: the backend may keep
    /// interleaved lanes in the canonical order.
    Op(ScalarOp),
    /// Any function: a left fold.
    Lambda(Lambda),
}

/// A function of 2k scalars to k scalars: the left operand's k, then the right operand's k.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambda {
    /// The 2k parameters.
    pub params: Vec<Var>,
    /// The body; yields k values.
    pub body: Block,
}

macro_rules! sinks {
    ($($(#[$doc:meta])* $variant:ident $name:literal, combine $combine:literal;)*) => {
        /// The table of sinks: its variant, its name in the text form, whether it takes a combining function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum SinkKind { $($(#[$doc])* $variant),* }

        impl SinkKind {
            /// All rows.
            pub const ALL: &[SinkKind] = &[$(SinkKind::$variant),*];
            /// The name in the text form, of the file in each backend, and of the conformance folder.
            pub fn name(self) -> &'static str {
                match self { $(SinkKind::$variant => $name),* }
            }
            /// Whether it takes a combining function.
            pub fn combines(self) -> bool {
                match self { $(SinkKind::$variant => $combine),* }
            }
            /// The row of that name.
            pub fn parse(name: &str) -> Option<SinkKind> {
                match name { $($name => Some(SinkKind::$variant),)* _ => None }
            }
        }
    };
}
sinks! {
    /// `collect %v`: one array; if `v` is an array of shape `s`, of shape `[n] ++ s` (`s` must not vary: its atoms are
    /// visible outside the par).
    Collect "collect", combine false;
    /// `reduce OP e…, v…`: k scalars; `e op (all values in the canonical order)`; `e` alone if there are none.
    Reduce "reduce", combine true;
    /// `scan OP e…, v…`: k arrays; `y[i] = e op v[0] op … op v[i]`.
    Scan "scan", combine true;
    /// `exscan OP e…, v…`: k arrays; `y[0] = e`, `y[i] = e op v[0] op … op v[i-1]`.
    ExScan "exscan", combine true;
    /// `rscan OP e…, v…`: `y[i] = v[i] op (v[i+1] op … (v[n-1] op e))`.
    RScan "rscan", combine true;
    /// `rexscan OP e…, v…`: `y[n-1] = e`, `y[i] = v[i+1] op (… op e)`.
    RExScan "rexscan", combine true;
    /// `filter %p, v…`: first the number kept (`u64`), then k arrays of that length, in order. `values[0]` is the
    /// predicate, the others are scalars or arrays of a shape that does not vary.
    Filter "filter", combine false;
    /// `scatter dest…, %i, v…`: k arrays of the shapes of `dest`; `y[i] = v`. `values[0]` is the index (`u64` or `i64`).
    /// Faults: index out of bounds, duplicate index.
    Scatter "scatter", combine false;
    /// `scatter_with OP dest…, %i, v…`: `y[i] = y[i] op v`, duplicates in sequential order of the iterations.
    ScatterWith "scatter_with", combine true;
}
