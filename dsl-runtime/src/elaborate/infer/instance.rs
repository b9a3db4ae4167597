//! Signatures of the tables → types for one call of them.

use super::unify::{Class, Id, Node};
use super::wait::Obligation;
use super::{Checked, Infer};
use crate::elaborate::method::signature::{Signature, Term};
use crate::syntax::{Scalar, Span};

/// The types that the letters of a signature stand for in one call.
struct Letters {
    /// The receiver.
    own: Id,
    known: Vec<(u8, Id)>,
}

/// A signature for one call.
pub(super) struct Instance {
    pub(super) params: Vec<Id>,
    pub(super) result: Id,
}

impl Infer {
    /// A signature with types for its letters.
    pub(super) fn instantiate(
        &mut self,
        own: Id,
        signature: &Signature,
        span: Span,
    ) -> Checked<Instance> {
        let mut letters = Letters { own, known: vec![] };
        if let Some(element) = self.types.element(own) {
            letters.known.push((b'T', element));
        }
        if let Node::Array(_, len) = self.types.get(own) {
            letters.known.push((b'N', *len));
        }
        let params = signature
            .params
            .iter()
            .map(|term| self.term(term, &mut letters, span))
            .collect::<Checked<_>>()?;
        let result = self.term(&signature.result, &mut letters, span)?;
        Ok(Instance { params, result })
    }

    fn term(&mut self, term: &Term, letters: &mut Letters, span: Span) -> Checked<Id> {
        let node = match term {
            Term::Own => return Ok(letters.own),
            Term::Var(letter) => {
                if let Some((_, id)) = letters.known.iter().find(|(l, _)| l == letter) {
                    return Ok(*id);
                }
                let id = self.types.any();
                letters.known.push((*letter, id));
                return Ok(id);
            }
            Term::Scalar(s) => Node::Scalar(*s),
            Term::Tuple(members) => Node::Tuple(self.terms(members, letters, span)?),
            Term::Seq(element) => Node::Seq(self.term(element, letters, span)?),
            Term::Array(element, len) => {
                let element = self.term(element, letters, span)?;
                Node::Array(element, self.term(len, letters, span)?)
            }
            Term::Len(n) => Node::Len(*n),
            Term::Iter(item) => Node::Iter(self.term(item, letters, span)?),
            Term::Option(of) => Node::Option(self.term(of, letters, span)?),
            Term::Ordering => Node::Ordering,
            Term::Fn(params, result) => {
                let params = self.terms(params, letters, span)?;
                Node::Fn(params, self.term(result, letters, span)?)
            }
            Term::SeqLike(element) => {
                let element = self.term(element, letters, span)?;
                let ty = self.types.any();
                self.waiting
                    .push(Obligation::Sequence { ty, element, span });
                return Ok(ty);
            }
            Term::IntoIter(item) => {
                let item = self.term(item, letters, span)?;
                let ty = self.types.any();
                self.waiting.push(Obligation::Iterate { ty, item, span });
                return Ok(ty);
            }
            Term::Int(of) => {
                let of = self.term(of, letters, span)?;
                self.shift_amount(of, span)?;
                return Ok(of);
            }
            Term::Unsigned(of) => Node::Scalar(self.resized(of, letters, unsigned)?),
            Term::Signed(of) => Node::Scalar(self.resized(of, letters, signed)?),
            Term::Nd(less, element) => {
                let rank = self.rank(letters.own).saturating_sub(*less);
                Node::Nd(rank, self.term(element, letters, span)?)
            }
            Term::Ranked(rank, element) => Node::Nd(*rank, self.term(element, letters, span)?),
            Term::Shape => match self.rank(letters.own) {
                1 => Node::Scalar(Scalar::Usize),
                rank => {
                    let members = (0..rank).map(|_| self.usize()).collect();
                    Node::Tuple(members)
                }
            },
            Term::Slice => Node::Var(Class::Any),
        };
        Ok(self.add(node))
    }

    fn terms(&mut self, terms: &[Term], letters: &mut Letters, span: Span) -> Checked<Vec<Id>> {
        terms
            .iter()
            .map(|term| self.term(term, letters, span))
            .collect()
    }

    /// The scalar of the same width that a scalar receiver has beside it.
    fn resized(
        &mut self,
        term: &Term,
        letters: &mut Letters,
        to: fn(Scalar) -> Scalar,
    ) -> Checked<Scalar> {
        let id = self.term(term, letters, Span::default())?;
        Ok(match self.types.get(id) {
            Node::Scalar(s) => to(*s),
            _ => to(Scalar::I32),
        })
    }

    pub(super) fn rank(&self, array: Id) -> usize {
        match self.types.get(array) {
            Node::Nd(rank, _) => *rank,
            _ => 1,
        }
    }
}

fn unsigned(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::I8 => Scalar::U8,
        Scalar::I16 => Scalar::U16,
        Scalar::I32 | Scalar::F32 => Scalar::U32,
        Scalar::I64 | Scalar::F64 => Scalar::U64,
        Scalar::Isize => Scalar::Usize,
        other => other,
    }
}

fn signed(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::U8 => Scalar::I8,
        Scalar::U16 => Scalar::I16,
        Scalar::U32 => Scalar::I32,
        Scalar::U64 => Scalar::I64,
        Scalar::Usize => Scalar::Isize,
        other => other,
    }
}
