//! What waits for a type to become known, and how the waiting ends: by progress elsewhere, else by the weakest assumption
//! that Rust would make.

use super::mistake::OWN;
use super::unify::{Class, Id, Node};
use super::{Checked, Code, Infer};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Mistake;
use crate::syntax::{Binary, Scalar, Span, Type};

/// A relation between types that cannot be decided before one of them is known.
#[derive(Clone, Debug)]
pub(super) enum Obligation {
    /// `receiver.name(args)`.
    Method {
        receiver: Id,
        name: &'static str,
        turbofish: &'static [Type],
        args: Vec<(Id, Span)>,
        result: Id,
        span: Span,
    },
    /// The result of a method whose signature is no row of the table.
    Special {
        method: Method,
        receiver: Id,
        args: Vec<Id>,
        result: Id,
        span: Span,
    },
    /// `base.name`.
    Field {
        base: Id,
        name: &'static str,
        result: Id,
        span: Span,
    },
    /// `base[index]`.
    Index {
        base: Id,
        index: Id,
        result: Id,
        span: Span,
    },
    /// `left op right`, which no comparison and no shift is.
    Operator {
        op: Binary,
        left: Id,
        right: Id,
        result: Id,
        span: Span,
    },
    /// `ty` is a sequence of `element`.
    Sequence { ty: Id, element: Id, span: Span },
    /// `ty` can be iterated, with these items.
    Iterate { ty: Id, item: Id, span: Span },
}

impl Infer {
    /// Decides a relation now or later.
    pub(super) fn require(&mut self, obligation: Obligation) -> Checked<()> {
        if !self.attempt(&obligation)? {
            self.waiting.push(obligation);
        }
        Ok(())
    }

    /// Decides it if enough is known.
    fn attempt(&mut self, obligation: &Obligation) -> Checked<bool> {
        match obligation {
            Obligation::Method {
                receiver,
                name,
                turbofish,
                args,
                result,
                span,
            } => self.method_later(*receiver, name, turbofish, args, *result, *span),
            Obligation::Special {
                method,
                receiver,
                args,
                result,
                span,
            } => self.special(*method, *receiver, args, *result, *span),
            Obligation::Field {
                base,
                name,
                result,
                span,
            } => self.field(*base, name, *result, *span),
            Obligation::Index {
                base,
                index,
                result,
                span,
            } => self.index(*base, *index, *result, *span),
            Obligation::Operator {
                op,
                left,
                right,
                result,
                span,
            } => self.operator(*op, *left, *right, *result, *span),
            Obligation::Sequence { ty, element, span } => self.sequence(*ty, *element, *span),
            Obligation::Iterate { ty, item, span } => self.iterate(*ty, *item, *span),
        }
    }

    fn sequence(&mut self, ty: Id, element: Id, span: Span) -> Checked<bool> {
        let found = match self.types.get(ty) {
            Node::Var(_) => return Ok(false),
            Node::Never => return Ok(true),
            Node::Seq(x) | Node::Array(x, _) | Node::Nd(1, x) | Node::Range(x) | Node::Iter(x) => {
                *x
            }
            _ => {
                let text = format!("`{}` is not a sequence", self.types.spell(ty));
                let remedy = format!(
                    "use a slice, a `Vec`, a fixed array, a 1-D ndarray array or a range{OWN}"
                );
                return Err(self.mistake(Code::Iterate, span, text, remedy));
            }
        };
        self.unify(found, element, span)?;
        Ok(true)
    }

    fn iterate(&mut self, ty: Id, item: Id, span: Span) -> Checked<bool> {
        let found = match self.types.get(ty) {
            Node::Var(Class::Any) => return Ok(false),
            Node::Never => return Ok(true),
            _ => self.types.element(ty),
        };
        let Some(found) = found else {
            let text = format!("`{}` has no elements to run over", self.types.spell(ty));
            let remedy = format!("run over a range, a sequence or an iterator{OWN}");
            return Err(self.mistake(Code::Iterate, span, text, remedy));
        };
        self.unify(found, item, span)?;
        Ok(true)
    }

    /// Decides whatever can be decided; whether anything was.
    pub(super) fn progress(&mut self) -> Checked<bool> {
        let mut any = false;
        loop {
            let mut moved = false;
            for obligation in std::mem::take(&mut self.waiting) {
                if self.attempt(&obligation)? {
                    moved = true;
                } else {
                    self.waiting.push(obligation);
                }
            }
            if !moved {
                return Ok(any);
            }
            any = true;
        }
    }

    /// The type after all that can be decided now.
    pub(super) fn known(&mut self, ty: Id) -> Checked<Id> {
        if matches!(self.types.get(ty), Node::Var(_)) && !self.waiting.is_empty() {
            self.progress()?;
        }
        Ok(self.types.find(ty))
    }

    /// Decides everything, at the end of the kernel.
    pub(super) fn settle_all(&mut self) -> Checked<()> {
        loop {
            self.progress()?;
            if self.waiting.is_empty() {
                return Ok(());
            }
            if !self.assume()? {
                return Err(self.undecided(&self.waiting[0]));
            }
        }
    }

    /// Makes the one assumption that is safest; whether there was one to make.
    fn assume(&mut self) -> Checked<bool> {
        const RANKS: usize = 5;
        for rank in 0..RANKS {
            for i in 0..self.waiting.len() {
                let obligation = self.waiting[i].clone();
                if self.assume_of(&obligation, rank)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn assume_of(&mut self, obligation: &Obligation, rank: usize) -> Checked<bool> {
        match (rank, obligation) {
            // An operator with a scalar on one side: the scalars' own operator.
            (
                0,
                Obligation::Operator {
                    left, right, span, ..
                },
            ) if self.types.is_scalar(*left) || self.types.is_scalar(*right) => {
                self.unify(*right, *left, *span)?;
            }
            (
                0,
                Obligation::Index {
                    base, index, span, ..
                },
            ) if self.types.element(*base).is_some() && self.types.is_unknown(*index) => {
                let usize = self.usize();
                self.unify(*index, usize, *span)?;
            }
            (
                1,
                Obligation::Special {
                    method: Method::Collect,
                    receiver,
                    result,
                    span,
                    ..
                },
            ) => {
                let Some(item) = self.types.element(*receiver) else {
                    return Ok(false);
                };
                let seq = self.seq(item);
                self.unify(*result, seq, *span)?;
            }
            // A method of a literal.
            (2, Obligation::Method { receiver, span, .. }) => {
                let scalar = match self.types.get(*receiver) {
                    Node::Var(Class::Int) => Scalar::I32,
                    Node::Var(Class::Float) => Scalar::F64,
                    _ => return Ok(false),
                };
                let scalar = self.types.scalar(scalar);
                self.unify(*receiver, scalar, *span)?;
            }
            (3, Obligation::Sequence { ty, element, span }) => {
                let seq = self.seq(*element);
                self.unify(*ty, seq, *span)?;
            }
            (
                4,
                Obligation::Operator {
                    left, right, span, ..
                },
            ) if *left != *right => {
                if self.types.find(*left) == self.types.find(*right) {
                    return Ok(false);
                }
                self.unify(*right, *left, *span)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What to say of a relation that stays open.
    fn undecided(&self, obligation: &Obligation) -> Mistake {
        let (ty, span) = match obligation {
            Obligation::Method { receiver, span, .. }
            | Obligation::Special { receiver, span, .. } => (*receiver, *span),
            Obligation::Field { base, span, .. } | Obligation::Index { base, span, .. } => {
                (*base, *span)
            }
            Obligation::Operator { left, span, .. } => (*left, *span),
            Obligation::Sequence { ty, span, .. } | Obligation::Iterate { ty, span, .. } => {
                (*ty, *span)
            }
        };
        self.unknown(ty, span)
    }

    /// A type that cannot be found out.
    pub(super) fn unknown(&self, ty: Id, span: Span) -> Mistake {
        self.mistake(
            Code::Unknown,
            span,
            format!(
                "the type here cannot be inferred: `{}`",
                self.types.spell(ty)
            ),
            "write the type: `let x: T = …`, `|x: T| -> T { … }` or `::<T>`",
        )
    }
}
