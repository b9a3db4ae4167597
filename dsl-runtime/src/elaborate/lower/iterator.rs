//! The iterator spelling. Chains are lazy: the item of a round is computed by whoever consumes the iterator, so that what
//! can fail fails in the order of the items. Adaptors that leave items out mark each round with whether it has one.

use super::env::{FALSE, TRUE};
use super::place::element_type;
use super::value::{Array, Item, ItemFn, Iter, Value};
use super::{Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, ScalarOp, ScalarType};
use std::rc::Rc;

impl Lower {
    /// A value as an iterator.
    pub(super) fn iterate(&mut self, value: &Value, ty: &Ty) -> R<Rc<Iter>> {
        match value {
            Value::Iter(iter) => Ok(iter.clone()),
            Value::Option(some, inner) => {
                let (some, inner) = (*some, inner.clone());
                Ok(Rc::new(Iter {
                    len: Atom::size(1),
                    elem: element_type(ty),
                    item: Rc::new(move |_, _| {
                        Ok(Item {
                            keep: Some(some),
                            value: (*inner).clone(),
                        })
                    }),
                    filtered: true,
                }))
            }
            _ => {
                let array = self.array(value, ty)?;
                if array.dims.len() > 1 {
                    return self.flat_elements(&array);
                }
                Ok(Rc::new(elements(array)))
            }
        }
    }

    /// The elements of an array of several dimensions, in row-major order.
    fn flat_elements(&mut self, array: &Rc<Array>) -> R<Rc<Iter>> {
        let dims = array.dims.clone();
        let mut len = Atom::size(1);
        for &dim in &dims {
            len = self.op(ScalarOp::Mul, &[len, dim]);
        }
        let array = array.clone();
        Ok(Rc::new(Iter {
            len,
            elem: array.elem.clone(),
            item: Rc::new(move |lower, at| {
                let at = lower.split_index(at, &dims);
                always(lower.element(&array, &at)?)
            }),
            filtered: false,
        }))
    }

    /// The indices of an array of this shape for a position in row-major order.
    pub(super) fn split_index(&mut self, at: Atom, dims: &[Atom]) -> Vec<Atom> {
        let mut rest = at;
        let mut all = vec![];
        for &dim in dims[1..].iter().rev() {
            all.push(self.op(ScalarOp::Rem, &[rest, dim]));
            rest = self.op(ScalarOp::Div, &[rest, dim]);
        }
        all.push(rest);
        all.reverse();
        all
    }

    /// An iterator whose rounds all have an item: one that leaves some out is collected first.
    pub(super) fn exact(&mut self, iter: &Rc<Iter>) -> R<Rc<Iter>> {
        if !iter.filtered {
            return Ok(iter.clone());
        }
        let kept = self.kept_items(iter)?;
        let ty = Ty::Seq(Box::new(iter.elem.clone()));
        let array = self.array(&kept, &ty)?;
        Ok(Rc::new(elements(array)))
    }

    /// An iterator over the same items in other rounds: round `i` is the one at `map(i)`.
    fn rounds(
        iter: &Rc<Iter>,
        len: Atom,
        map: impl Fn(&mut Lower, Atom) -> Atom + 'static,
    ) -> Value {
        let iter = iter.clone();
        Value::Iter(Rc::new(Iter {
            len,
            elem: iter.elem.clone(),
            filtered: iter.filtered,
            item: Rc::new(move |lower, at| {
                let at = map(lower, at);
                iter.round(lower, at)
            }),
        }))
    }

    /// An iterator whose items are made from another's.
    pub(super) fn adapt(
        iter: &Rc<Iter>,
        elem: Ty,
        filtered: bool,
        make: impl Fn(&mut Lower, Item) -> R<Item> + 'static,
    ) -> Value {
        let inner = iter.clone();
        let item: ItemFn = Rc::new(move |lower, at| {
            let item = inner.round(lower, at)?;
            make(lower, item)
        });
        Value::Iter(Rc::new(Iter {
            len: iter.len,
            elem,
            item,
            filtered: iter.filtered || filtered,
        }))
    }

    /// What `f` makes of an item, where there is one.
    pub(super) fn made(
        &mut self,
        item: Item,
        ty: &Ty,
        f: impl FnOnce(&mut Lower, Value) -> R<Value>,
    ) -> R<Item> {
        let Item { keep, value } = item;
        let value = match keep {
            None => f(self, value)?,
            Some(keep) => self.branch(keep, ty, |lower| f(lower, value), |_| Ok(Value::Undef))?,
        };
        Ok(Item { keep, value })
    }

    /// Items side by side; it ends with the shorter one.
    pub(super) fn zip_items(&mut self, a: &Rc<Iter>, b: &Rc<Iter>) -> R<Value> {
        let (a, b) = (self.exact(a)?, self.exact(b)?);
        let len = self.op(ScalarOp::Min, &[a.len, b.len]);
        let elem = Ty::Tuple(vec![a.elem.clone(), b.elem.clone()]);
        Ok(Value::Iter(Rc::new(Iter {
            len,
            elem,
            filtered: false,
            item: Rc::new(move |lower, at| {
                let (x, y) = (a.round(lower, at)?, b.round(lower, at)?);
                always(Value::tuple(vec![x.value, y.value]))
            }),
        })))
    }

    /// The items as a sequence.
    pub(super) fn collect_items(&mut self, iter: &Rc<Iter>) -> R<Value> {
        if iter.filtered {
            return self.kept_items(iter);
        }
        let (len, elem, iter) = (iter.len, iter.elem.clone(), iter.clone());
        let element = move |lower: &mut Lower, at: &[Atom]| Ok(iter.round(lower, at[0])?.value);
        self.rows(vec![len], elem, Rc::new(element))
    }

    /// A method of an iterator.
    #[allow(clippy::too_many_lines)]
    pub(super) fn iterator_method(
        &mut self,
        method: Method,
        iter: &Rc<Iter>,
        args: &[Value],
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        use Method as M;
        let iter = iter.clone();
        let item_ty = element_type(result);
        let count = |lower: &mut Lower, k: usize| -> R<Atom> {
            let atom = lower.atom(&args[k], &types[k])?;
            lower.size(atom)
        };
        match method {
            M::Same | M::Iter => Ok(Value::Iter(iter)),
            M::Len | M::CountItems => self.count_items(&iter),
            M::Map => {
                let (f, ty) = (args[0].clone(), item_ty.clone());
                Ok(Self::adapt(&iter, item_ty, false, move |lower, item| {
                    lower.made(item, &ty, |lower, value| lower.apply(&f, vec![value]))
                }))
            }
            M::Filter => {
                let test = self.predicate(&args[0]);
                Ok(Self::adapt(&iter, item_ty, true, move |lower, item| {
                    let value = item.value.clone();
                    let keep =
                        lower.and_then(item.keep.unwrap_or(TRUE), |lower| test(lower, &value))?;
                    Ok(Item {
                        keep: Some(keep),
                        value,
                    })
                }))
            }
            M::FilterMap => {
                let f = args[0].clone();
                let option = Ty::Option(Box::new(item_ty.clone()));
                Ok(Self::adapt(&iter, item_ty, true, move |lower, item| {
                    let keep = item.keep.unwrap_or(TRUE);
                    let made =
                        lower.made(item, &option, |lower, value| lower.apply(&f, vec![value]))?;
                    Ok(match made.value {
                        Value::Option(some, value) => Item {
                            keep: Some(lower.and(keep, some)),
                            value: (*value).clone(),
                        },
                        _ => Item {
                            keep: Some(FALSE),
                            value: Value::Undef,
                        },
                    })
                }))
            }
            M::FlatMap | M::Flatten => {
                let f = args.first().cloned();
                self.flat_items(&iter, f, types.first()).map(Value::Iter)
            }
            M::Zip => {
                let other = self.iterate(&args[0], &types[0])?;
                self.zip_items(&iter, &other)
            }
            M::Enumerate => {
                let iter = self.exact(&iter)?;
                Ok(Value::Iter(Rc::new(Iter {
                    len: iter.len,
                    elem: item_ty,
                    filtered: false,
                    item: Rc::new(move |lower, at| {
                        let item = iter.round(lower, at)?;
                        always(Value::tuple(vec![Value::Scalar(at), item.value]))
                    }),
                })))
            }
            M::Take => {
                let n = count(self, 0)?;
                let iter = self.exact(&iter)?;
                let len = self.op(ScalarOp::Min, &[iter.len, n]);
                Ok(Self::rounds(&iter, len, |_, at| at))
            }
            M::Skip => {
                let n = count(self, 0)?;
                let iter = self.exact(&iter)?;
                let skip = self.op(ScalarOp::Min, &[iter.len, n]);
                let len = self.op(ScalarOp::Sub, &[iter.len, skip]);
                self.limited(len, self.limit(iter.len));
                Ok(Self::rounds(&iter, len, move |lower, at| {
                    lower.op(ScalarOp::Add, &[at, skip])
                }))
            }
            M::Rev => {
                let len = iter.len;
                Ok(Self::rounds(&iter, len, move |lower, at| {
                    let last = lower.op(ScalarOp::Sub, &[len, Atom::size(1)]);
                    lower.op(ScalarOp::Sub, &[last, at])
                }))
            }
            M::StepBy => {
                let n = count(self, 0)?;
                let iter = self.exact(&iter)?;
                let len = self.steps(iter.len, n);
                Ok(Self::rounds(&iter, len, move |lower, at| {
                    lower.op(ScalarOp::Mul, &[at, n])
                }))
            }
            M::Chain => {
                let other = self.iterate(&args[0], &types[0])?;
                self.chain_items(&iter, &other)
            }
            M::TakeWhile | M::SkipWhile => self.while_items(method, &iter, &args[0]),
            M::Sum | M::Product => self.sum_items(method, &iter),
            M::MinItem | M::MaxItem | M::MinBy | M::MaxBy | M::MinByKey | M::MaxByKey => {
                self.extreme_item(method, &iter, args.first(), types.first())
            }
            M::Any | M::All | M::Position | M::Find | M::FindMap => {
                self.search(method, &iter, &args[0], result)
            }
            M::Last | M::Nth => {
                let array = self.collect_items(&iter)?;
                let ty = Ty::Seq(Box::new(iter.elem.clone()));
                let method = if method == M::Last { M::Last } else { M::Get };
                self.sequence_method(method, (&array, &ty), args, types, result)
            }
            M::Fold => self.fold(&iter, &args[0], result, &args[1]),
            M::ReduceOption => {
                let f = args[0].clone();
                self.reduce_option(&iter, &|lower, a, b| lower.apply(&f, vec![a, b]))
            }
            M::Collect => match result {
                Ty::Seq(_) | Ty::Nd(..) | Ty::Array(..) => self.collect_items(&iter),
                _ => Err(self.missing("an iterator is collected into a `Vec` here")),
            },
            M::Unzip => {
                let items = self.collect_items(&iter)?;
                let ty = Ty::Seq(Box::new(iter.elem.clone()));
                let array = self.array(&items, &ty)?;
                self.unzipped(&array)
            }
            M::Partition => {
                let items = self.collect_items(&iter)?;
                let ty = Ty::Seq(Box::new(iter.elem.clone()));
                self.sequence_method(method, (&items, &ty), args, types, result)
            }
            _ => Err(self.missing("this method cannot be used on an iterator here")),
        }
    }

    fn count_items(&mut self, iter: &Rc<Iter>) -> R<Value> {
        // The items are computed, for what may fail in them.
        let fails = self.round_fails(&|lower, at| iter.round(lower, at))?;
        if !iter.filtered && !fails {
            return Ok(Value::Scalar(iter.len));
        }
        let count = self.reduce_op(ScalarOp::Add, iter.len, Atom::size(0), &|lower, at| {
            let item = iter.round(lower, at)?;
            Ok(lower.cast(ScalarType::U64, item.keep.unwrap_or(TRUE)))
        })?;
        Ok(Value::Scalar(count))
    }

    fn chain_items(&mut self, a: &Rc<Iter>, b: &Rc<Iter>) -> R<Value> {
        let (a, b) = (a.clone(), b.clone());
        let first = a.len;
        let len = self.length_sum(first, b.len);
        let filtered = a.filtered || b.filtered;
        let elem = a.elem.clone();
        let pair = Ty::Tuple(vec![super::pattern::BOOL, elem.clone()]);
        Ok(Value::Iter(Rc::new(Iter {
            len,
            elem: elem.clone(),
            filtered,
            item: Rc::new(move |lower, at| {
                let left = lower.op(ScalarOp::Lt, &[at, first]);
                let pack = |item: Item| {
                    let keep = Value::Scalar(item.keep.unwrap_or(TRUE));
                    Value::tuple(vec![keep, item.value])
                };
                let item = lower.branch(
                    left,
                    &pair,
                    |lower| a.round(lower, at).map(pack),
                    |lower| {
                        let at = lower.op(ScalarOp::Sub, &[at, first]);
                        b.round(lower, at).map(pack)
                    },
                )?;
                let (keep, value) = (lower.member(&item, 0)?, lower.member(&item, 1)?);
                let keep = lower.atom(&keep, &super::pattern::BOOL)?;
                Ok(Item {
                    keep: filtered.then_some(keep),
                    value,
                })
            }),
        })))
    }

    /// `take_while`, `skip_while`: the first round whose item the test refuses divides the iterator.
    pub(super) fn while_items(&mut self, method: Method, iter: &Rc<Iter>, f: &Value) -> R<Value> {
        let iter = self.exact(iter)?;
        let test = self.predicate(f);
        let divide = self.first_round(&iter, &|lower, value| {
            let holds = test(lower, value)?;
            Ok(lower.not(holds))
        })?;
        let divide = self.op(ScalarOp::Min, &[divide, iter.len]);
        if method == Method::TakeWhile {
            return Ok(Self::rounds(&iter, divide, |_, at| at));
        }
        let len = self.op(ScalarOp::Sub, &[iter.len, divide]);
        Ok(Self::rounds(&iter, len, move |lower, at| {
            lower.op(ScalarOp::Add, &[at, divide])
        }))
    }
}

/// A round that has an item.
pub(super) fn always(value: Value) -> R<Item> {
    Ok(Item { keep: None, value })
}

/// The elements of a one-dimensional array.
fn elements(array: Rc<Array>) -> Iter {
    Iter {
        len: array.dims[0],
        elem: array.elem.clone(),
        filtered: false,
        item: Rc::new(move |lower, at| always(lower.element(&array, &[at])?)),
    }
}
