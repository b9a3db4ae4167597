//! Types with unknowns, and their unification. A type is an [`Id`] into an arena; an unknown is bound by a link, so binding
//! it once changes it everywhere.

use super::describe::scalar_name;
use crate::elaborate::method::Receiver;
use crate::elaborate::ty::{GenericArg, Ty};
use crate::syntax::Scalar;

/// A type, possibly unknown in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(u32);

/// What an unknown may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Anything.
    Any,
    /// An integer: the type of `1`.
    Int,
    /// A float: the type of `1.0`.
    Float,
}

/// The outermost part of a type.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// An unknown.
    Var(Class),
    /// An unknown that was found out.
    Link(Id),
    Scalar(Scalar),
    Tuple(Vec<Id>),
    /// Element and length; a length is a [`Node::Len`] or an unknown.
    Array(Id, Id),
    Len(usize),
    Seq(Id),
    Nd(usize, Id),
    Range(Id),
    FullRange,
    Iter(Id),
    Option(Id),
    Ordering,
    Fn(Vec<Id>, Id),
    Slice(usize),
    Never,
}

/// Two types that cannot be the same.
#[derive(Debug)]
pub(super) struct Clash;

/// All types of one inference.
#[derive(Debug, Default)]
pub(super) struct Types {
    nodes: Vec<Node>,
}

impl Types {
    pub(super) fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        Id(self.nodes.len() as u32 - 1)
    }

    pub(super) fn var(&mut self, class: Class) -> Id {
        self.add(Node::Var(class))
    }

    pub(super) fn any(&mut self) -> Id {
        self.var(Class::Any)
    }

    pub(super) fn scalar(&mut self, scalar: Scalar) -> Id {
        self.add(Node::Scalar(scalar))
    }

    pub(super) fn unit(&mut self) -> Id {
        self.add(Node::Tuple(vec![]))
    }

    /// The representative of a type: itself, or what its unknown was bound to.
    pub(super) fn find(&self, mut id: Id) -> Id {
        while let Node::Link(next) = self.nodes[id.0 as usize] {
            id = next;
        }
        id
    }

    /// The outermost part; never a link.
    pub(super) fn get(&self, id: Id) -> &Node {
        &self.nodes[self.find(id).0 as usize]
    }

    pub(super) fn is_never(&self, id: Id) -> bool {
        matches!(self.get(id), Node::Never)
    }

    /// Whether nothing is known of the type.
    pub(super) fn is_unknown(&self, id: Id) -> bool {
        matches!(self.get(id), Node::Var(Class::Any))
    }

    /// Whether it is a scalar, or a number whose type is still open.
    pub(super) fn is_scalar(&self, id: Id) -> bool {
        matches!(
            self.get(id),
            Node::Scalar(_) | Node::Var(Class::Int | Class::Float)
        )
    }

    /// A type without unknowns.
    pub(super) fn import(&mut self, ty: &Ty) -> Id {
        let node = match ty {
            Ty::Scalar(s) => Node::Scalar(*s),
            Ty::Tuple(members) => Node::Tuple(self.import_all(members)),
            Ty::Array(element, n) => {
                let len = self.add(Node::Len(*n));
                Node::Array(self.import(element), len)
            }
            Ty::Seq(element) => Node::Seq(self.import(element)),
            Ty::Nd(rank, element) => Node::Nd(*rank, self.import(element)),
            Ty::Range(s) => Node::Range(self.scalar(*s)),
            Ty::FullRange => Node::FullRange,
            Ty::Iter(item) => Node::Iter(self.import(item)),
            Ty::Option(of) => Node::Option(self.import(of)),
            Ty::Ordering => Node::Ordering,
            Ty::Fn(params, result) => {
                let params = self.import_all(params);
                Node::Fn(params, self.import(result))
            }
            Ty::Slice(rank) => Node::Slice(*rank),
            Ty::Never => Node::Never,
        };
        self.add(node)
    }

    fn import_all(&mut self, types: &[Ty]) -> Vec<Id> {
        types.iter().map(|ty| self.import(ty)).collect()
    }

    /// A generic argument as a type; a const argument as a length.
    pub(super) fn generic(&mut self, arg: &GenericArg) -> Id {
        match arg {
            GenericArg::Type(ty) => self.import(ty),
            GenericArg::Const(n) => self.add(Node::Len(*n)),
        }
    }

    /// Makes two types the same.
    pub(super) fn unify(&mut self, a: Id, b: Id) -> Result<(), Clash> {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return Ok(());
        }
        let both = |xs: &[Id], ys: &[Id]| -> Option<Vec<(Id, Id)>> {
            (xs.len() == ys.len()).then(|| xs.iter().copied().zip(ys.iter().copied()).collect())
        };
        let pairs = match (&self.nodes[a.0 as usize], &self.nodes[b.0 as usize]) {
            (Node::Var(class), _) => return self.bind(a, *class, b),
            (_, Node::Var(class)) => return self.bind(b, *class, a),
            (Node::Scalar(x), Node::Scalar(y)) if x == y => vec![],
            (Node::Len(x), Node::Len(y)) if x == y => vec![],
            (Node::Slice(x), Node::Slice(y)) if x == y => vec![],
            (Node::FullRange, Node::FullRange)
            | (Node::Ordering, Node::Ordering)
            | (Node::Never, Node::Never) => vec![],
            (Node::Tuple(xs), Node::Tuple(ys)) => both(xs, ys).ok_or(Clash)?,
            (Node::Array(x, n), Node::Array(y, m)) => vec![(*x, *y), (*n, *m)],
            (Node::Nd(r, x), Node::Nd(s, y)) if r == s => vec![(*x, *y)],
            (Node::Seq(x), Node::Seq(y))
            | (Node::Range(x), Node::Range(y))
            | (Node::Iter(x), Node::Iter(y))
            | (Node::Option(x), Node::Option(y)) => vec![(*x, *y)],
            (Node::Fn(xs, x), Node::Fn(ys, y)) => {
                let mut pairs = both(xs, ys).ok_or(Clash)?;
                pairs.push((*x, *y));
                pairs
            }
            _ => return Err(Clash),
        };
        for (x, y) in pairs {
            self.unify(x, y)?;
        }
        Ok(())
    }

    fn bind(&mut self, var: Id, class: Class, to: Id) -> Result<(), Clash> {
        match (class, &self.nodes[to.0 as usize]) {
            (Class::Any, _) => {
                if self.contains(to, var) {
                    return Err(Clash);
                }
            }
            (class, Node::Var(other)) => match other {
                Class::Any => {
                    self.nodes[to.0 as usize] = Node::Link(var);
                    return Ok(());
                }
                other if *other == class => {}
                _ => return Err(Clash),
            },
            (Class::Int, Node::Scalar(s)) if is_integer(*s) => {}
            (Class::Float, Node::Scalar(Scalar::F32 | Scalar::F64)) => {}
            _ => return Err(Clash),
        }
        self.nodes[var.0 as usize] = Node::Link(to);
        Ok(())
    }

    /// Whether an unknown occurs in a type.
    fn contains(&self, ty: Id, var: Id) -> bool {
        let ty = self.find(ty);
        if ty == var {
            return true;
        }
        match &self.nodes[ty.0 as usize] {
            Node::Tuple(members) => members.iter().any(|m| self.contains(*m, var)),
            Node::Array(x, _)
            | Node::Seq(x)
            | Node::Nd(_, x)
            | Node::Range(x)
            | Node::Iter(x)
            | Node::Option(x) => self.contains(*x, var),
            Node::Fn(params, result) => {
                self.contains(*result, var) || params.iter().any(|p| self.contains(*p, var))
            }
            _ => false,
        }
    }

    /// The kinds of receivers that a type is, and the scalar if it is one; `None` while it is unknown.
    pub(super) fn kinds(&self, id: Id) -> Option<(&'static [Receiver], Option<Scalar>)> {
        use Receiver::{Any, Array, Iter, Matrix, Nd, Option, Ordering, Range, Seq, Vector};
        Some((
            match self.get(id) {
                Node::Var(_) | Node::Link(_) => return None,
                Node::Scalar(s) => return Some((Receiver::of_scalar(*s), Some(*s))),
                Node::Array(..) => &[Array, Seq, Any],
                Node::Seq(_) => &[Seq, Any],
                Node::Nd(1, _) => &[Vector, Nd, Seq, Any],
                Node::Nd(2, _) => &[Matrix, Nd, Any],
                Node::Nd(..) => &[Nd, Any],
                Node::Range(_) => &[Range, Iter, Any],
                Node::Iter(_) => &[Iter, Any],
                Node::Option(_) => &[Option, Any],
                Node::Ordering => &[Ordering, Any],
                _ => &[Any],
            },
            None,
        ))
    }

    /// The type of the elements, if it has any.
    pub(super) fn element(&self, id: Id) -> Option<Id> {
        match self.get(id) {
            Node::Array(x, _)
            | Node::Seq(x)
            | Node::Nd(_, x)
            | Node::Range(x)
            | Node::Iter(x)
            | Node::Option(x) => Some(*x),
            _ => None,
        }
    }

    /// The finished type: open numbers become `i32` and `f64`. `None` if something is still unknown.
    pub(super) fn export(&self, id: Id) -> Option<Ty> {
        let boxed = |id: Id| self.export(id).map(Box::new);
        let all =
            |ids: &[Id]| -> Option<Vec<Ty>> { ids.iter().map(|id| self.export(*id)).collect() };
        Some(match self.get(id) {
            Node::Var(Class::Int) => Ty::Scalar(Scalar::I32),
            Node::Var(Class::Float) => Ty::Scalar(Scalar::F64),
            Node::Var(Class::Any) | Node::Link(_) | Node::Len(_) => return None,
            Node::Scalar(s) => Ty::Scalar(*s),
            Node::Tuple(members) => Ty::Tuple(all(members)?),
            Node::Array(x, n) => Ty::Array(boxed(*x)?, self.len(*n)?),
            Node::Seq(x) => Ty::Seq(boxed(*x)?),
            Node::Nd(rank, x) => Ty::Nd(*rank, boxed(*x)?),
            Node::Range(x) => match self.export(*x)? {
                Ty::Scalar(s) => Ty::Range(s),
                _ => return None,
            },
            Node::FullRange => Ty::FullRange,
            Node::Iter(x) => Ty::Iter(boxed(*x)?),
            Node::Option(x) => Ty::Option(boxed(*x)?),
            Node::Ordering => Ty::Ordering,
            Node::Fn(params, result) => Ty::Fn(all(params)?, boxed(*result)?),
            Node::Slice(rank) => Ty::Slice(*rank),
            Node::Never => Ty::Never,
        })
    }

    /// The finished generic argument.
    pub(super) fn export_generic(&self, id: Id) -> Option<GenericArg> {
        match self.get(id) {
            Node::Len(n) => Some(GenericArg::Const(*n)),
            _ => self.export(id).map(GenericArg::Type),
        }
    }

    /// The length that a length is known to be.
    pub(super) fn len(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Node::Len(n) => Some(*n),
            _ => None,
        }
    }

    /// The type as a Rust programmer writes it, `_` for what is unknown.
    pub(super) fn spell(&self, id: Id) -> String {
        let list = |ids: &[Id]| {
            ids.iter()
                .map(|id| self.spell(*id))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self.get(id) {
            Node::Var(Class::Int) => "{integer}".to_string(),
            Node::Var(Class::Float) => "{float}".to_string(),
            Node::Var(Class::Any) | Node::Link(_) => "_".to_string(),
            Node::Scalar(s) => scalar_name(*s).to_string(),
            Node::Tuple(members) if members.len() == 1 => format!("({},)", self.spell(members[0])),
            Node::Tuple(members) => format!("({})", list(members)),
            Node::Array(x, n) => format!("[{}; {}]", self.spell(*x), self.spell(*n)),
            Node::Len(n) => n.to_string(),
            Node::Seq(x) => format!("[{}]", self.spell(*x)),
            Node::Nd(rank, x) => format!("Array{rank}<{}>", self.spell(*x)),
            Node::Range(x) => format!("Range<{}>", self.spell(*x)),
            Node::FullRange => "RangeFull".to_string(),
            Node::Iter(x) => format!("impl Iterator<Item = {}>", self.spell(*x)),
            Node::Option(x) => format!("Option<{}>", self.spell(*x)),
            Node::Ordering => "Ordering".to_string(),
            Node::Fn(params, result) => {
                format!("impl Fn({}) -> {}", list(params), self.spell(*result))
            }
            Node::Slice(rank) => format!("s![…] of {rank} dimensions"),
            Node::Never => "!".to_string(),
        }
    }
}

/// Whether it is an integer type.
pub(super) fn is_integer(scalar: Scalar) -> bool {
    !matches!(scalar, Scalar::Bool | Scalar::F32 | Scalar::F64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_take_the_type_of_their_partner() {
        let mut types = Types::default();
        let literal = types.var(Class::Float);
        let open = types.any();
        types.unify(open, literal).unwrap();
        let f32 = types.scalar(Scalar::F32);
        types.unify(literal, f32).unwrap();
        assert_eq!(types.export(open), Some(Ty::Scalar(Scalar::F32)));
        let int = types.var(Class::Int);
        assert!(types.unify(int, f32).is_err());
        assert_eq!(types.export(int), Some(Ty::Scalar(Scalar::I32)));
    }

    #[test]
    fn no_type_contains_itself() {
        let mut types = Types::default();
        let var = types.any();
        let seq = types.add(Node::Seq(var));
        assert!(types.unify(var, seq).is_err());
    }

    #[test]
    fn a_closure_shares_its_unknowns() {
        let mut types = Types::default();
        let (a, b) = (types.any(), types.any());
        let same = types.add(Node::Fn(vec![a], a));
        let u8 = types.scalar(Scalar::U8);
        let other = types.add(Node::Fn(vec![u8], b));
        types.unify(same, other).unwrap();
        assert_eq!(types.export(b), Some(Ty::Scalar(Scalar::U8)));
    }
}
