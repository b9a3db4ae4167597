//! Values of the symbolic evaluation: what an expression of the surface language stands for while its kernel is lowered.
//! Scalars are atoms; aggregates are made of values; a sequence is a length and a way to get at an element, so that views
//! cost nothing and compose into the `index` of whoever reads them. `flatten` turns a value into the IR's atoms, one for
//! each leaf of its type, and `rebuild` is its inverse.

use super::{Code, Frame, Lower, R, env::Env};
use crate::elaborate::ty::{self, Ty};
use crate::ir::{Atom, Const, Data, Expr, Place, ScalarType, Sink, SinkKind, Type, Var};
use crate::syntax::{self, Pattern};
use std::rc::Rc;

/// What an expression stands for.
#[derive(Clone)]
pub(super) enum Value {
    /// A scalar, or an `Ordering` as an `i8`.
    Scalar(Atom),
    Tuple(Rc<[Value]>),
    /// `[T; N]` whose members are known one by one.
    Fixed(Rc<[Value]>),
    /// A sequence, an N-dimensional array, or a `[T; N]` that is one array.
    Array(Rc<Array>),
    Iter(Rc<Iter>),
    Closure(Rc<Closure>),
    /// Whether there is a value, and the value.
    Option(Atom, Rc<Value>),
    Range(Range),
    /// `s![…]`.
    Slice(Rc<[Axis]>),
    /// What nobody will look at: the value of a variable without one, of an expression that never ends, of `None`.
    Undef,
}

/// A sequence or an N-dimensional array.
pub(super) struct Array {
    /// The lengths, outermost first.
    pub dims: Vec<Atom>,
    /// The type of an element.
    pub elem: Ty,
    /// Where elements come from.
    pub source: Source,
    /// Of a view, the expression that made it: that is what needs memory if the view is to be stored.
    pub made: Option<Place>,
}

/// A function from indices that lie inside to the element there.
pub(super) type ElementFn = Rc<dyn Fn(&mut Lower, &[Atom]) -> R<Value>>;

/// Where the elements of an array come from.
#[derive(Clone)]
pub(super) enum Source {
    /// One array of the IR for each leaf of the element type; the array begins at these leading indices.
    Stored(Vec<Var>, Vec<Atom>),
    /// A view: nothing is stored, and getting an element twice costs no more than its indices.
    View(ElementFn),
}

/// A function from an index below the length to the item there.
pub(super) type ItemFn = Rc<dyn Fn(&mut Lower, Atom) -> R<Item>>;

/// A std iterator: lazy, so its items are computed where they are consumed, one after the other.
pub(super) struct Iter {
    /// The number of rounds; [`Iter::ENDLESS`] for `a..`.
    pub len: Atom,
    /// The type of an item.
    pub elem: Ty,
    /// See [`Iter::round`].
    pub item: ItemFn,
    /// Whether rounds may be without an item.
    pub filtered: bool,
}

/// What a round of an iterator gives.
pub(super) struct Item {
    /// Whether there is one; `None` for always.
    pub keep: Option<Atom>,
    pub value: Value,
}

/// A function as a value.
pub(super) enum Closure {
    /// A closure expression, with what it sees, and the kernel that it is written in.
    Expr {
        params: &'static [(Pattern, syntax::Type)],
        body: &'static syntax::Expr,
        /// Its own type.
        ty: Ty,
        env: Env,
        frame: Rc<Frame>,
    },
    /// A path to a function.
    Path {
        expr: &'static syntax::Expr,
        ty: Ty,
        callee: syntax::Callee,
        frame: Rc<Frame>,
    },
}

/// `low..high`, `low..=high`.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub low: Option<Atom>,
    pub high: Option<Atom>,
    pub inclusive: bool,
}

/// One member of `s![…]`.
#[derive(Clone)]
pub(super) enum Axis {
    At(Atom),
    Range {
        low: Option<Atom>,
        high: Option<Atom>,
        inclusive: bool,
        step: Option<Atom>,
    },
}

impl Iter {
    /// The item of round `at`.
    ///
    /// Never inlined: rustc (1.95 among others) hands a closure its argument where it stands instead of a copy, even if
    /// the caller uses it again, and a closure that changes it changes the caller's
    /// (<https://github.com/rust-lang/rust/issues/155241>). A call of a function does copy.
    #[inline(never)]
    pub fn round(&self, lower: &mut Lower, at: Atom) -> R<Item> {
        (self.item)(lower, at)
    }

    /// The length of an iterator without an end.
    pub const ENDLESS: Atom = Atom::Const(Const {
        ty: ScalarType::U64,
        bits: u64::MAX,
    });
}

impl Value {
    pub fn unit() -> Value {
        Value::Tuple(Rc::new([]))
    }
    pub fn tuple(members: Vec<Value>) -> Value {
        Value::Tuple(members.into())
    }
    pub fn some(value: Value) -> Value {
        Value::Option(Const::bool(true).into(), Rc::new(value))
    }
    pub fn none() -> Value {
        Value::Option(Const::bool(false).into(), Rc::new(Value::Undef))
    }
    pub fn view(
        dims: Vec<Atom>,
        elem: Ty,
        element: impl Fn(&mut Lower, &[Atom]) -> R<Value> + 'static,
    ) -> Value {
        Value::Array(Rc::new(Array {
            dims,
            elem,
            source: Source::View(Rc::new(element)),
            made: None,
        }))
    }
    pub fn stored(dims: Vec<Atom>, elem: Ty, arrays: Vec<Var>) -> Value {
        Value::Array(Rc::new(Array {
            dims,
            elem,
            source: Source::Stored(arrays, vec![]),
            made: None,
        }))
    }
}

/// The number of leaves of a value of this type; sequences inside have one for each leaf of their elements.
pub(super) fn width(ty: &Ty) -> usize {
    match ty {
        Ty::Tuple(members) => members.iter().map(width).sum(),
        Ty::Array(inner, _) | Ty::Seq(inner) | Ty::Nd(_, inner) => width(inner),
        Ty::Option(inner) => 1 + width(inner),
        Ty::Range(_) => 2,
        Ty::Scalar(_) | Ty::Ordering => 1,
        _ => 0,
    }
}

impl Lower {
    /// The scalar of a value.
    pub(super) fn atom(&mut self, value: &Value, ty: &Ty) -> R<Atom> {
        match value {
            Value::Scalar(atom) => Ok(*atom),
            Value::Undef => Ok(self.zero(ty)),
            _ => Err(self.mistake(
                Code::Number,
                "a single number is needed here",
                "reduce or index the sequence first; compare sequences, not iterators, by `==`",
            )),
        }
    }

    /// The zero of a scalar type.
    pub(super) fn zero(&self, ty: &Ty) -> Atom {
        let elem = match ty {
            Ty::Scalar(scalar) => ty::scalar(*scalar),
            Ty::Ordering => ScalarType::I8,
            _ => ScalarType::Bool,
        };
        Const { ty: elem, bits: 0 }.into()
    }

    /// The element at indices that lie inside.
    pub(super) fn element(&mut self, array: &Array, indices: &[Atom]) -> R<Value> {
        match &array.source {
            Source::View(element) => element.clone()(self, indices),
            Source::Stored(vars, prefix) => {
                let mut all = prefix.clone();
                all.extend_from_slice(indices);
                Ok(self.read(&array.elem, &mut vars.iter().copied(), &all))
            }
        }
    }

    fn read(&mut self, ty: &Ty, vars: &mut impl Iterator<Item = Var>, at: &[Atom]) -> Value {
        match ty {
            Ty::Tuple(members) => {
                let members = members.iter().map(|ty| self.read(ty, vars, at)).collect();
                Value::tuple(members)
            }
            Ty::Option(inner) => {
                let some = vars.next().expect("a leaf");
                let some = self.index(some, at.to_vec(), false);
                Value::Option(some, Rc::new(self.read(inner, vars, at)))
            }
            Ty::Array(inner, _) | Ty::Seq(inner) | Ty::Nd(_, inner) => {
                let leaves: Vec<Var> = vars.take(width(inner)).collect();
                let rank = match ty {
                    Ty::Nd(rank, _) => *rank,
                    _ => 1,
                };
                let dims = match ty {
                    Ty::Array(_, n) => vec![Atom::size(*n as u64)],
                    _ => self.func.ty(leaves[0]).shape[at.len()..at.len() + rank].to_vec(),
                };
                Value::Array(Rc::new(Array {
                    dims,
                    elem: (**inner).clone(),
                    source: Source::Stored(leaves, at.to_vec()),
                    made: None,
                }))
            }
            _ => {
                let var = vars.next().expect("a leaf");
                Value::Scalar(self.index(var, at.to_vec(), false))
            }
        }
    }

    /// One array of the IR for each leaf of the elements.
    pub(super) fn materialize(&mut self, array: &Array) -> R<Vec<Var>> {
        match &array.source {
            Source::Stored(vars, prefix) => Ok(vars
                .iter()
                .map(|&var| {
                    let whole = self.index(var, prefix.clone(), false);
                    whole.as_var().expect("an array")
                })
                .collect()),
            Source::View(element) => {
                let element = element.clone();
                let here = self.place;
                self.place = array.made.unwrap_or(here);
                let arrays =
                    self.collect(&array.dims, &array.elem, &|lower, at| element(lower, at));
                self.place = here;
                arrays
            }
        }
    }

    /// The arrays of the values of `element` at all indices below `dims`.
    pub(super) fn collect(
        &mut self,
        dims: &[Atom],
        elem: &Ty,
        element: &dyn Fn(&mut Lower, &[Atom]) -> R<Value>,
    ) -> R<Vec<Var>> {
        if width(elem) == 0 {
            return Err(self.mistake(
                Code::Element,
                "elements of this type cannot be stored",
                "let the closure return a number, a tuple or an array",
            ));
        }
        self.collect_under(&mut vec![], dims, elem, element)
    }

    fn collect_under(
        &mut self,
        prefix: &mut Vec<Atom>,
        dims: &[Atom],
        elem: &Ty,
        element: &dyn Fn(&mut Lower, &[Atom]) -> R<Value>,
    ) -> R<Vec<Var>> {
        self.par(dims[0], |lower, index| {
            prefix.push(index);
            let leaves = if dims.len() > 1 {
                let rows = lower.collect_under(prefix, &dims[1..], elem, element)?;
                rows.into_iter().map(Atom::Var).collect()
            } else {
                let value = element(lower, prefix)?;
                lower.flatten(&value, elem)?
            };
            prefix.pop();
            Ok(leaves
                .into_iter()
                .map(|leaf| lower.sink(SinkKind::Collect, None, vec![], vec![leaf]))
                .collect())
        })
    }

    /// A sink at the current place.
    pub(super) fn sink(
        &self,
        kind: SinkKind,
        combine: Option<crate::ir::Combine>,
        outer: Vec<Atom>,
        values: Vec<Atom>,
    ) -> Sink {
        Sink {
            kind,
            outer,
            values,
            combine,
            place: self.place,
        }
    }

    /// The atoms of a value, one for each leaf of its type: scalars, or whole arrays of the IR.
    pub(super) fn flatten(&mut self, value: &Value, ty: &Ty) -> R<Vec<Atom>> {
        match (value, ty) {
            (Value::Undef, _) => Ok(self.nothing(ty, &mut vec![])),
            (Value::Tuple(values), Ty::Tuple(types)) => {
                let mut all = vec![];
                for (value, ty) in values.iter().zip(types) {
                    all.extend(self.flatten(value, ty)?);
                }
                Ok(all)
            }
            (Value::Fixed(members), Ty::Array(inner, _)) => self.stack(members, inner),
            (Value::Fixed(members), Ty::Seq(inner)) => self.stack(members, inner),
            (Value::Array(array), _) => Ok(self
                .materialize(array)?
                .into_iter()
                .map(Atom::Var)
                .collect()),
            (Value::Option(some, inner), Ty::Option(ty)) => {
                let mut all = vec![*some];
                all.extend(self.flatten(inner, ty)?);
                Ok(all)
            }
            (Value::Range(range), Ty::Range(scalar)) => {
                let zero = self.zero(&Ty::Scalar(*scalar));
                let high = range.high.unwrap_or(zero);
                let one = Const {
                    bits: range.inclusive as u64,
                    ..zero.as_const().expect("a constant")
                };
                let high = self.op(crate::ir::ScalarOp::Add, &[high, one.into()]);
                Ok(vec![range.low.unwrap_or(zero), high])
            }
            (Value::Scalar(atom), _) => Ok(vec![*atom]),
            (Value::Iter(_) | Value::Closure(_) | Value::Slice(_), _) => Err(self.mistake(
                Code::Kept,
                "an iterator or a closure cannot be kept in a variable that changes, nor in a sequence",
                "`collect` the iterator first, or call the closure where it is defined",
            )),
            _ => Err(self.mistake(
                Code::Shape,
                "this value has not the shape that its type says",
                "write the value out, one part at a time",
            )),
        }
    }

    /// The arrays that hold these members one after the other.
    fn stack(&mut self, members: &[Value], inner: &Ty) -> R<Vec<Atom>> {
        if members.is_empty() {
            return Ok(self.nothing(&Ty::Array(Box::new(inner.clone()), 0), &mut vec![]));
        }
        let mut columns = vec![vec![]; width(inner)];
        for member in members {
            let leaves = self.flatten(member, inner)?;
            for (column, leaf) in columns.iter_mut().zip(leaves) {
                column.push(leaf);
            }
        }
        Ok(columns
            .into_iter()
            .map(|column| {
                let first = self.func.atom_type(column[0]);
                let mut shape = vec![Atom::size(column.len() as u64)];
                shape.extend(first.shape);
                let ty = Type::array(first.elem, shape);
                self.bind("t", ty, Expr::Array(column)).into()
            })
            .collect())
    }

    /// Atoms for a value that nobody will look at: zeros, and arrays without elements.
    fn nothing(&mut self, ty: &Ty, outer: &mut Vec<usize>) -> Vec<Atom> {
        match ty {
            Ty::Tuple(members) => members
                .iter()
                .flat_map(|ty| self.nothing(ty, outer))
                .collect(),
            Ty::Option(inner) => {
                let mut all = self.nothing(&Ty::Scalar(syntax::Scalar::Bool), outer);
                all.extend(self.nothing(inner, outer));
                all
            }
            Ty::Range(scalar) => [0; 2]
                .iter()
                .flat_map(|_| self.nothing(&Ty::Scalar(*scalar), outer))
                .collect(),
            Ty::Array(inner, _) | Ty::Seq(inner) | Ty::Nd(_, inner) => {
                let (rank, len) = match ty {
                    Ty::Array(_, n) => (1, *n),
                    Ty::Nd(rank, _) => (*rank, 0),
                    _ => (1, 0),
                };
                let depth = outer.len();
                outer.extend(std::iter::repeat_n(len, rank));
                let all = self.nothing(inner, outer);
                outer.truncate(depth);
                all
            }
            Ty::Scalar(_) | Ty::Ordering => {
                let zero = self.zero(ty);
                if outer.is_empty() {
                    return vec![zero];
                }
                vec![self.data(self.elem(zero), outer, vec![0; outer.iter().product()])]
            }
            _ => vec![],
        }
    }

    /// A constant array.
    pub(super) fn data(&mut self, elem: ScalarType, shape: &[usize], bits: Vec<u64>) -> Atom {
        let sizes: Vec<Atom> = shape.iter().map(|&n| Atom::size(n as u64)).collect();
        let data = Data {
            elem,
            shape: shape.to_vec(),
            bits: bits.into(),
        };
        self.bind("data", Type::array(elem, sizes), Expr::Data(data))
            .into()
    }

    /// The value of a type whose leaves these atoms are.
    pub(super) fn rebuild(&mut self, ty: &Ty, atoms: &mut dyn Iterator<Item = Atom>) -> Value {
        match ty {
            Ty::Tuple(members) => {
                Value::tuple(members.iter().map(|ty| self.rebuild(ty, atoms)).collect())
            }
            Ty::Option(inner) => {
                let some = atoms.next().expect("a leaf");
                Value::Option(some, Rc::new(self.rebuild(inner, atoms)))
            }
            Ty::Range(_) => Value::Range(Range {
                low: atoms.next(),
                high: atoms.next(),
                inclusive: false,
            }),
            Ty::Array(inner, _) | Ty::Seq(inner) | Ty::Nd(_, inner) => {
                let arrays: Vec<Var> = atoms
                    .take(width(inner))
                    .map(|atom| atom.as_var().expect("an array"))
                    .collect();
                let rank = match ty {
                    Ty::Nd(rank, _) => *rank,
                    _ => 1,
                };
                let dims = match (ty, arrays.first()) {
                    (Ty::Array(_, n), _) => vec![Atom::size(*n as u64)],
                    (_, Some(&var)) => self.func.ty(var).shape[..rank].to_vec(),
                    _ => vec![Atom::size(0); rank],
                };
                Value::stored(dims, (**inner).clone(), arrays)
            }
            Ty::Scalar(_) | Ty::Ordering => Value::Scalar(atoms.next().expect("a leaf")),
            _ => Value::Undef,
        }
    }
}

/// For each leaf of a type, for each of its dimensions, a number that is the same where the lengths are: those of one
/// sequence for all its leaves.
pub(super) fn dim_nodes(ty: &Ty) -> Vec<Vec<usize>> {
    fn visit(ty: &Ty, outer: &mut Vec<usize>, next: &mut usize, leaves: &mut Vec<Vec<usize>>) {
        let (rank, inner) = match ty {
            Ty::Tuple(members) => {
                members
                    .iter()
                    .for_each(|member| visit(member, outer, next, leaves));
                return;
            }
            Ty::Option(inner) => {
                leaves.push(outer.clone());
                return visit(inner, outer, next, leaves);
            }
            Ty::Range(_) => {
                leaves.push(outer.clone());
                leaves.push(outer.clone());
                return;
            }
            Ty::Scalar(_) | Ty::Ordering => {
                leaves.push(outer.clone());
                return;
            }
            Ty::Array(inner, _) | Ty::Seq(inner) => (1, inner),
            Ty::Nd(rank, inner) => (*rank, inner),
            _ => return,
        };
        let depth = outer.len();
        for _ in 0..rank {
            outer.push(*next);
            *next += 1;
        }
        visit(inner, outer, next, leaves);
        outer.truncate(depth);
    }
    let mut leaves = vec![];
    visit(ty, &mut vec![], &mut 0, &mut leaves);
    leaves
}
