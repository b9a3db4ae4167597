//! The intermediate representation: typed, first order, A-normal form.
//!
//! A [`Func`] is a list of statements; a [`Stmt`] binds the results of one [`Expr`]; operands are [`Atom`]s. There are no
//! tuples, no calls and no mutation; every name is defined once and is visible from its definition to the end of its
//! block (and in the blocks inside). Sizes are ordinary `u64` values that stand in types: `[%n]f32`.
//!
//! There is one parallel construct, [`Par`], with many [`Sink`]s, and two tables: scalar operations ([`op`]) and sinks
//! ([`sink`]). The text form (`print`, `parse`) is the inverse of the data; `verify` states the rules in prose.
//!
//! `usize` is `u64` here and `isize` is `i64`; a tuple is several values; a sequence of tuples is several arrays; a fixed
//! array `[T; N]` inside a sequence is an inner dimension.

pub mod build;
pub mod fault;
pub mod hash;
mod lex;
pub mod op;
pub mod order;
pub mod parse;
pub mod print;
pub mod sink;
pub mod types;
pub mod verify;
pub mod walk;

pub use fault::Fault;
pub use op::ScalarOp;
pub use sink::{Combine, Lambda, Sink, SinkKind};
pub use types::{Const, FromConst, ScalarType, Type};

use crate::syntax::{Source, Span};
use std::collections::BTreeSet;

/// A name: an index into [`Func::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub u32);

/// An operand: a name or a constant scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// A name.
    Var(Var),
    /// A constant.
    Const(Const),
}

/// What is known of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct VarInfo {
    /// What the user called it, or what the text form calls it; printing makes it unique.
    pub name: String,
    /// Its type. The atoms in its shape are visible where the name is.
    pub ty: Type,
}

/// A function: the unit that is compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Func {
    /// Its name.
    pub name: String,
    /// Sizes bound by the shapes of the arguments, all `u64`; each stands in the shape of at least one parameter.
    /// A size that stands in several parameters is checked by whoever calls: unequal lengths are `ShapeMismatch`.
    pub sizes: Vec<Var>,
    /// The parameters.
    pub params: Vec<Var>,
    /// The statements; the block's results are the function's.
    pub body: Block,
    /// All names of the function.
    pub vars: Vec<VarInfo>,
    /// The sources that the spans refer to: the kernel's own first, then those of inlined kernels.
    pub sources: Vec<Source>,
}

/// Statements, then the values that the block yields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The statements, in order.
    pub stmts: Vec<Stmt>,
    /// What the block yields: `return` in a function, `yield` elsewhere. A par body yields nothing: its sinks do.
    pub results: Vec<Atom>,
}

impl Block {
    /// The statement at the block's own level that binds the name.
    ///
    /// ```
    /// use dsl_runtime::ir::{Var, parse::parse};
    ///
    /// let func = &parse("func @f(%x: f64) -> f64 {\n  %y: f64 = add %x, 1.0\n  return %y\n}\n").unwrap().funcs[0];
    /// let y = func.body.results[0].as_var().unwrap();
    /// assert_eq!(func.body.maker(y).unwrap().defs, [y]);
    /// assert!(func.body.maker(func.params[0]).is_none());
    /// ```
    pub fn maker(&self, var: Var) -> Option<&Stmt> {
        self.stmts.iter().find(|stmt| stmt.defs.contains(&var))
    }
}

/// A place in the user's source: which source of the function, and where there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// Index into [`Func::sources`].
    pub source: u16,
    /// The stretch; all zero if there is none (text files, compiler-made statements).
    pub span: Span,
}

/// `defs = expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// The names that it binds.
    pub defs: Vec<Var>,
    /// What it computes.
    pub expr: Expr,
    /// Where the user wrote it.
    pub place: Place,
}

/// What a statement computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A scalar operation, a row of the table [`op`].
    Op(ScalarOp, Vec<Atom>),
    /// `cast T %x`: Rust's `as` (float to integer saturates, NaN is 0).
    Cast(ScalarType, Atom),
    /// `bits T %x`: the same bits as another type of the same width (`to_bits`, `from_bits`).
    Bits(ScalarType, Atom),
    /// `index %x[%i, %j]`: one element, or with fewer indices than dimensions the sub-array there (a view: no copy).
    /// All indices are `u64`. Checked: out of bounds is [`Fault::IndexOutOfBounds`]. Unchecked (`index.in`): a pass or
    /// the elaborator has proven it inside.
    Index(Index),
    /// `update %x[%i] = %v`: `x` with one element (or sub-array) replaced. `x` itself remains what it was; a backend
    /// works in place where `x` is not used afterwards.
    Update(Index, Atom),
    /// `array [%a, %b]`: a 1-D array of these scalars, or of rank r+1 of these arrays of rank r and equal shape.
    Array(Vec<Atom>),
    /// `data [..]`: a constant array of the user's crate.
    Data(Data),
    /// `reshape %x [%n, %m]`: the same elements in row-major order under another shape; the verifier trusts, and the
    /// interpreter asserts, that the number of elements agrees.
    Reshape(Var, Vec<Atom>),
    /// `check fault %cond, operands`: fails with that fault where the condition is false. Binds nothing.
    Check(Check),
    /// `if %c { … } else { … }`.
    If(Atom, Block, Block),
    /// A sequential loop.
    Loop(Loop),
    /// The parallel construct. Binds the results of its sinks, in order.
    Par(Par),
}

/// Operands of an access to an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The array.
    pub array: Var,
    /// The indices, `u64`, outermost first.
    pub indices: Vec<Atom>,
    /// Whether they must be tested.
    pub checked: bool,
}

/// A constant array: row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths.
    pub shape: Vec<usize>,
    /// The elements' bits, zero-extended.
    pub bits: std::sync::Arc<[u64]>,
}

/// A condition that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The condition.
    pub cond: Atom,
    /// What is wrong where it is false.
    pub fault: Fault,
    /// The offending values, in the order of the fault's text (for an assertion: of its format arguments).
    pub operands: Vec<Atom>,
}

/// A sequential loop that carries values, arrays among them.
///
/// `loop for %i in 0..%n (%a: T = %init, …) { …; yield … }` and
/// `loop while (%a: T = %init, …) { …; yield %cond } { …; yield … }`.
/// The type of a carried array may name carried sizes that stand before it, so that arrays may change their length.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// Counted or conditional.
    pub kind: LoopKind,
    /// The carried names and their first values.
    pub carried: Vec<(Var, Atom)>,
    /// One round; it yields the next values, in the order of `carried`.
    pub body: Block,
}

/// How a loop ends.
#[derive(Clone, Debug, PartialEq)]
pub enum LoopKind {
    /// `%i` runs from 0 to the extent (exclusive), both `u64`.
    For {
        /// The counter.
        index: Var,
        /// The number of rounds.
        extent: Atom,
    },
    /// Before each round, the block (which sees the carried names) yields one `bool`.
    While(Block),
}

/// The parallel construct: for each index, run the statements and feed the sinks.
///
/// `par (%i in 0..%n) { …; collect %v; reduce add 0.0, %q }`. Iterations are independent but for the sinks.
#[derive(Clone, Debug, PartialEq)]
pub struct Par {
    /// The index, `u64`, from 0.
    pub index: Var,
    /// The number of iterations, `u64`.
    pub extent: Atom,
    /// The statements; it yields nothing.
    pub body: Block,
    /// What becomes of the values, in order.
    pub sinks: Vec<Sink>,
    /// Whether this stood inside another par when it was elaborated. It fixes the order of its float reductions
    /// (ARCHITECTURE.md, "Numbers"), whatever passes do later. Printed as `par.inner`.
    pub inner: bool,
    /// Set by `schedule`: where the iterations go, outermost first. Empty in the typed stage.
    pub levels: Vec<Level>,
}

macro_rules! levels {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// Where iterations go, outermost first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Level { $($(#[$doc])* $variant),* }

        impl Level {
            /// The name in the text form.
            pub fn name(self) -> &'static str {
                match self { $(Level::$variant => $name),* }
            }
            /// The level of that name.
            pub fn parse(name: &str) -> Option<Level> {
                match name { $($name => Some(Level::$variant),)* _ => None }
            }
        }
    };
}
levels! {
    /// Processes that share no memory.
    Ranks "ranks";
    /// The groups of a device.
    Grid "grid";
    /// The items of a group.
    Group "group";
    /// The threads of a processor.
    Threads "threads";
    /// The lanes of a vector.
    Simd "simd";
    /// One after the other.
    Seq "seq";
}

impl Func {
    /// A function without statements.
    pub fn empty(name: impl Into<String>) -> Func {
        Func {
            name: name.into(),
            sizes: vec![],
            params: vec![],
            body: Block::default(),
            vars: vec![],
            sources: vec![],
        }
    }

    /// Where a result is made: the place of its statement; none for a parameter or a constant.
    pub fn result_place(&self, result: usize) -> Place {
        let var = self
            .body
            .results
            .get(result)
            .and_then(|&atom| atom.as_var());
        let makes = |stmt: &&Stmt| var.is_some_and(|var| stmt.defs.contains(&var));
        let stmt = self.body.stmts.iter().find(makes);
        stmt.map_or(Place::default(), |stmt| stmt.place)
    }

    /// Makes a name.
    pub fn var(&mut self, name: impl Into<String>, ty: Type) -> Var {
        self.vars.push(VarInfo {
            name: name.into(),
            ty,
        });
        Var(self.vars.len() as u32 - 1)
    }

    /// The type of a name.
    pub fn ty(&self, var: Var) -> &Type {
        &self.vars[var.0 as usize].ty
    }

    /// The type of an operand.
    pub fn atom_type(&self, atom: Atom) -> Type {
        match atom {
            Atom::Var(var) => self.ty(var).clone(),
            Atom::Const(value) => Type::scalar(value.ty),
        }
    }

    /// The types of its results.
    pub fn result_types(&self) -> Vec<Type> {
        self.body
            .results
            .iter()
            .map(|&atom| self.atom_type(atom))
            .collect()
    }
}

impl Atom {
    /// The constant index or size `value`.
    pub fn size(value: u64) -> Atom {
        Atom::Const(Const::u64(value))
    }

    /// The name, if it is one.
    pub fn as_var(self) -> Option<Var> {
        match self {
            Atom::Var(var) => Some(var),
            Atom::Const(_) => None,
        }
    }

    /// The constant, if it is one.
    pub fn as_const(self) -> Option<Const> {
        match self {
            Atom::Const(value) => Some(value),
            Atom::Var(_) => None,
        }
    }
}

impl From<Var> for Atom {
    fn from(var: Var) -> Atom {
        Atom::Var(var)
    }
}

impl From<Const> for Atom {
    fn from(value: Const) -> Atom {
        Atom::Const(value)
    }
}

/// A set of names, ordered, so that what is derived from it is the same in every run.
pub type VarSet = BTreeSet<Var>;
