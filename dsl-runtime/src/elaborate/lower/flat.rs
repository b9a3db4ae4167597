//! `flat_map`, `flatten`: a sequence of sequences becomes one. Where all inner ones have one length, an item's place tells
//! which one it belongs to; else the lengths are summed first.

use super::env::TRUE;
use super::iterator::always;
use super::pattern::USIZE;
use super::place::element_type;
use super::value::{Item, Iter, Value};
use super::{Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Combine, Const, ScalarOp, ScalarType, SinkKind, Type};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The inner iterator of a round of the outer one, and whether there is such a round.
type RowFn = Rc<dyn Fn(&mut Lower, Atom) -> R<(Atom, Rc<Iter>, bool)>>;

impl Lower {
    /// The items of all inner sequences: `f` of an item, or the item itself.
    pub(super) fn flat_items(
        &mut self,
        iter: &Rc<Iter>,
        f: Option<Value>,
        f_ty: Option<&Ty>,
    ) -> R<Rc<Iter>> {
        let row_ty = match f_ty {
            Some(Ty::Fn(_, result)) => (**result).clone(),
            _ => iter.elem.clone(),
        };
        let elem = element_type(&row_ty);
        let rows: RowFn = {
            let (iter, row_ty) = (iter.clone(), row_ty.clone());
            Rc::new(move |lower, at| {
                let item = iter.round(lower, at)?;
                let keep = item.keep.unwrap_or(TRUE);
                let value = match &f {
                    None => item.value,
                    Some(f) => {
                        let run = |lower: &mut Lower| {
                            let row = lower.apply(f, vec![item.value.clone()])?;
                            // Under a condition only what can be yielded can be kept.
                            if keep == TRUE {
                                return Ok(row);
                            }
                            let array = lower.array(&row, &row_ty)?;
                            Ok(Value::Array(array))
                        };
                        let seq = Ty::Seq(Box::new(element_type(&row_ty)));
                        lower.branch(keep, &seq, run, |_| Ok(Value::Undef))?
                    }
                };
                let stored = matches!(&value, Value::Array(array) if Lower::is_stored(array));
                Ok((keep, lower.iterate(&value, &row_ty)?, stored))
            })
        };
        // One round is run to see the length of its row; what it computes beside that is dropped.
        let saved = self.save();
        self.open();
        let at = self.var("i", Type::index());
        let (_, row, stored) = rows(self, at.into())?;
        let filtered = row.filtered || iter.filtered;
        let mut block = self.close(vec![]);
        let len = self.hoist(row.len, &mut block);
        let kept = stored && row.len.as_const().is_none();
        match len {
            Some(len) if !kept => Ok(self.even_rows(iter, rows, len, elem, filtered)),
            _ => {
                self.restore(saved);
                if stored || row.filtered {
                    self.copied_rows(iter, &rows, elem)
                } else {
                    self.uneven_rows(iter, rows, elem)
                }
            }
        }
    }

    fn even_rows(
        &mut self,
        iter: &Rc<Iter>,
        rows: RowFn,
        len: Atom,
        elem: Ty,
        filtered: bool,
    ) -> Rc<Iter> {
        let total = self.length_product(iter.len, len);
        Rc::new(Iter {
            len: total,
            elem,
            filtered,
            item: Rc::new(move |lower, at| {
                let row = lower.op(ScalarOp::Div, &[at, len]);
                let column = lower.op(ScalarOp::Rem, &[at, len]);
                let (keep, inner, _) = rows(lower, row)?;
                let item = inner.round(lower, column)?;
                let own = lower.and(keep, item.keep.unwrap_or(TRUE));
                Ok(Item {
                    keep: filtered.then_some(own),
                    value: item.value,
                })
            }),
        })
    }

    /// The lengths of the rows.
    fn row_lengths(&mut self, iter: &Rc<Iter>, rows: &RowFn) -> R<(Atom, Atom, Atom)> {
        let zero = Atom::size(0);
        let combine = || Some(Combine::Op(ScalarOp::Add));
        let most = self.limit(iter.len);
        let defs = self.par(iter.len, |lower, at| {
            let (keep, row, _) = rows(lower, at)?;
            let len = lower.op(ScalarOp::Select, &[keep, row.len, zero]);
            let mut sinks = vec![
                lower.sink(SinkKind::Collect, None, vec![], vec![len]),
                lower.sink(SinkKind::Scan, combine(), vec![zero], vec![len]),
                lower.sink(SinkKind::Reduce, combine(), vec![zero], vec![len]),
            ];
            if most.checked_mul(lower.limit(len)).is_none() {
                let (none, wide) = (Const::f64(0.0), lower.cast(ScalarType::F64, len));
                sinks.push(lower.sink(SinkKind::Reduce, combine(), vec![none.into()], vec![wide]));
            }
            Ok(sinks)
        })?;
        let mut total = defs[2].into();
        if let Some(&sum) = defs.get(3) {
            total = self.length_total(total, sum.into());
        }
        Ok((defs[0].into(), defs[1].into(), total))
    }

    /// Rows whose items are found by their place: which row, by bisection of the ends.
    fn uneven_rows(&mut self, iter: &Rc<Iter>, rows: RowFn, elem: Ty) -> R<Rc<Iter>> {
        let (lengths, ends, total) = self.row_lengths(iter, &rows)?;
        let (lengths, ends) = (
            lengths.as_var().expect("an array"),
            ends.as_var().expect("an array"),
        );
        let count = iter.len;
        Ok(Rc::new(Iter {
            len: total,
            elem,
            filtered: false,
            item: Rc::new(move |lower, at| {
                let mark = lower.env.slots.len();
                let low = lower.define("", USIZE, Value::Scalar(Atom::size(0)));
                let high = lower.define("", USIZE, Value::Scalar(count));
                let cond = |lower: &mut Lower| {
                    let (a, b) = (lower.flag(low), lower.flag(high));
                    Ok(lower.op(ScalarOp::Lt, &[a, b]))
                };
                let both = BTreeSet::from([low, high]);
                let rounds = super::repeat::Rounds::While(&cond);
                lower.repeat(&both, &BTreeSet::new(), rounds, &|lower, _| {
                    let (a, b) = (lower.flag(low), lower.flag(high));
                    let sum = lower.op(ScalarOp::Add, &[a, b]);
                    let middle = lower.op(ScalarOp::Shr, &[sum, Atom::size(1)]);
                    let end = lower.index(ends, vec![middle], false);
                    let beyond = lower.op(ScalarOp::Le, &[end, at]);
                    let next = lower.op(ScalarOp::Add, &[middle, Atom::size(1)]);
                    let a = lower.op(ScalarOp::Select, &[beyond, next, a]);
                    let b = lower.op(ScalarOp::Select, &[beyond, b, middle]);
                    lower.set(low, Value::Scalar(a));
                    lower.set(high, Value::Scalar(b));
                    Ok(())
                })?;
                let row = lower.flag(low);
                lower.env.slots.truncate(mark);
                let end = lower.index(ends, vec![row], false);
                let len = lower.index(lengths, vec![row], false);
                let start = lower.op(ScalarOp::Sub, &[end, len]);
                let column = lower.op(ScalarOp::Sub, &[at, start]);
                let (_, inner, _) = rows(lower, row)?;
                always(inner.round(lower, column)?.value)
            }),
        }))
    }

    /// Rows that are computed as a whole: one after the other is copied into the result.
    fn copied_rows(&mut self, iter: &Rc<Iter>, rows: &RowFn, elem: Ty) -> R<Rc<Iter>> {
        let (_, _, total) = self.row_lengths(iter, rows)?;
        let seq = Ty::Seq(Box::new(elem.clone()));
        let atoms = self.flatten(&Value::Undef, &elem)?;
        let zero = self.rebuild(&elem, &mut atoms.into_iter());
        let space = self.fill(vec![total], &zero, &seq)?;
        let mark = self.env.slots.len();
        let out = self.define("", seq.clone(), space);
        let next = self.define("", USIZE, Value::Scalar(Atom::size(0)));
        let slots = BTreeSet::from([out, next]);
        let every = Iter {
            len: iter.len,
            elem: USIZE,
            filtered: false,
            item: Rc::new(|_, at| always(Value::Scalar(at))),
        };
        self.each_item(&every, &slots, None, &|lower, _, at| {
            let (keep, row, _) = rows(lower, at)?;
            let unit = Ty::Tuple(vec![]);
            lower.branch(
                keep,
                &unit,
                |lower| {
                    lower.each_item(&row, &slots, None, &|lower, value, _| {
                        let at = lower.flag(next);
                        let old = lower.env.slots[out].value.clone();
                        let new = lower.with_element(&old, &seq, at, value)?;
                        lower.set(out, new);
                        let after = lower.op(ScalarOp::Add, &[at, Atom::size(1)]);
                        lower.set(next, Value::Scalar(after));
                        Ok(())
                    })?;
                    Ok(Value::unit())
                },
                |_| Ok(Value::unit()),
            )?;
            Ok(())
        })?;
        let (value, count) = (self.env.slots[out].value.clone(), self.flag(next));
        self.env.slots.truncate(mark);
        let array = self.array(&value, &seq)?;
        let taken = self.taken(&array, count);
        self.iterate(&taken, &seq)
    }
}
