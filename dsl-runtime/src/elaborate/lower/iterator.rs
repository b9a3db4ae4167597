//! The iterator spelling. Chains are lazy: the item of a round is computed by whoever consumes the iterator, so that what
//! can fail fails in the order of the items. Adaptors that leave items out mark each round with whether it has one.

use super::env::{FALSE, TRUE};
use super::place::element_type;
use super::pattern::USIZE;
use super::value::{Array, Item, Iter, ItemFn, Value};
use super::{Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, ScalarOp, ScalarType};
use crate::syntax::{Callee, Expr};
use std::collections::BTreeSet;
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
    fn exact(&mut self, iter: &Rc<Iter>) -> R<Rc<Iter>> {
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
                (iter.item)(lower, at)
            }),
        }))
    }

    /// An iterator whose items are made from another's.
    fn adapt(
        iter: &Rc<Iter>,
        elem: Ty,
        filtered: bool,
        make: impl Fn(&mut Lower, Item) -> R<Item> + 'static,
    ) -> Value {
        let inner = iter.clone();
        let item: ItemFn = Rc::new(move |lower, at| {
            let item = (inner.item)(lower, at)?;
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
    fn made(
        &mut self,
        item: Item,
        ty: &Ty,
        f: impl FnOnce(&mut Lower, Value) -> R<Value>,
    ) -> R<Item> {
        let Item { keep, value } = item;
        let value = match keep {
            None => f(self, value)?,
            Some(keep) => self.branch(
                keep,
                ty,
                |lower| f(lower, value),
                |_| Ok(Value::Undef),
            )?,
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
                let (x, y) = ((a.item)(lower, at)?, (b.item)(lower, at)?);
                always(Value::tuple(vec![x.value, y.value]))
            }),
        })))
    }

    /// The items as a sequence.
    pub(super) fn collect_items(&mut self, iter: &Rc<Iter>) -> R<Value> {
        if iter.filtered {
            return self.kept_items(iter);
        }
        self.eager(vec![iter.len], iter.elem.clone(), &|lower, at| {
            Ok((iter.item)(lower, at[0])?.value)
        })
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
                    let keep = lower.and_then(item.keep.unwrap_or(TRUE), |lower| {
                        test(lower, &value)
                    })?;
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
                    let made = lower.made(item, &option, |lower, value| {
                        lower.apply(&f, vec![value])
                    })?;
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
                        let item = (iter.item)(lower, at)?;
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
        let fails = self
            .rehearse(|lower| {
                let at = lower.var("i", crate::ir::Type::index());
                (iter.item)(lower, at.into())
            })?
            .1;
        if !iter.filtered && !fails {
            return Ok(Value::Scalar(iter.len));
        }
        let count = self.reduce_op(ScalarOp::Add, iter.len, Atom::size(0), &|lower, at| {
            let item = (iter.item)(lower, at)?;
            Ok(lower.cast(ScalarType::U64, item.keep.unwrap_or(TRUE)))
        })?;
        Ok(Value::Scalar(count))
    }

    fn chain_items(&mut self, a: &Rc<Iter>, b: &Rc<Iter>) -> R<Value> {
        let (a, b) = (a.clone(), b.clone());
        let first = a.len;
        let len = if b.len == Iter::ENDLESS {
            Iter::ENDLESS
        } else {
            self.op(ScalarOp::Add, &[first, b.len])
        };
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
                    |lower| (a.item)(lower, at).map(pack),
                    |lower| {
                        let at = lower.op(ScalarOp::Sub, &[at, first]);
                        (b.item)(lower, at).map(pack)
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
    fn while_items(&mut self, method: Method, iter: &Rc<Iter>, f: &Value) -> R<Value> {
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

    fn sum_items(&mut self, method: Method, iter: &Rc<Iter>) -> R<Value> {
        let (op, start) = match method {
            Method::Sum => (ScalarOp::Add, 0),
            _ => (ScalarOp::Mul, 1),
        };
        let start = self.number(start, &iter.elem);
        // Where items are left out, the order of a float sum is that of the items that remain.
        let iter = if self.elem(start).is_float() {
            self.exact(iter)?
        } else {
            iter.clone()
        };
        self.reduce_items(op, &iter, start).map(Value::Scalar)
    }

    /// The first round whose item has a property; `u64::MAX` if none has. It looks no further than it must where looking
    /// could fail.
    fn first_round(
        &mut self,
        iter: &Rc<Iter>,
        test: &dyn Fn(&mut Lower, &Value) -> R<Atom>,
    ) -> R<Atom> {
        let holds = |lower: &mut Lower, at: Atom| -> R<Atom> {
            let item = (iter.item)(lower, at)?;
            let value = item.value;
            lower.and_then(item.keep.unwrap_or(TRUE), |lower| test(lower, &value))
        };
        let fails = self
            .rehearse(|lower| {
                let at = lower.var("i", crate::ir::Type::index());
                holds(lower, at.into())
            })?
            .1;
        let none = Atom::size(u64::MAX);
        if !fails && iter.len != Iter::ENDLESS {
            return self.reduce_op(ScalarOp::Min, iter.len, none, &|lower, at| {
                let holds = holds(lower, at)?;
                Ok(lower.op(ScalarOp::Select, &[holds, at, none]))
            });
        }
        let mark = self.env.slots.len();
        let found = self.define("", USIZE, Value::Scalar(none));
        let stop = self.define("", super::pattern::BOOL, Value::Scalar(FALSE));
        let every = Iter {
            len: iter.len,
            elem: USIZE,
            filtered: false,
            item: Rc::new(|_, at| always(Value::Scalar(at))),
        };
        self.each_item(&every, &BTreeSet::from([found]), Some(stop), &|lower, _, at| {
            let holds = holds(lower, at)?;
            let next = lower.op(ScalarOp::Select, &[holds, at, none]);
            lower.set(found, Value::Scalar(next));
            lower.set(stop, Value::Scalar(holds));
            Ok(())
        })?;
        let found = self.flag(found);
        self.env.slots.truncate(mark);
        Ok(found)
    }

    fn search(&mut self, method: Method, iter: &Rc<Iter>, f: &Value, result: &Ty) -> R<Value> {
        let none = Atom::size(u64::MAX);
        // Positions count the items, not the rounds.
        let iter = match method {
            Method::Position => self.exact(iter)?,
            _ => iter.clone(),
        };
        if method == Method::FindMap {
            let elem = element_type(result);
            let option = Ty::Option(Box::new(elem.clone()));
            let (g, ty) = (f.clone(), option.clone());
            let mapped = Self::adapt(&iter, option.clone(), false, move |lower, item| {
                lower.made(item, &ty, |lower, value| lower.apply(&g, vec![value]))
            });
            let mapped = self.iterate(&mapped, &Ty::Iter(Box::new(option.clone())))?;
            let at = self.first_round(&mapped, &|lower, value| match value {
                Value::Option(some, _) => Ok(*some),
                _ => Ok(lower.not(TRUE)),
            })?;
            let some = self.op(ScalarOp::Ne, &[at, none]);
            return self.optional(some, &elem, |lower| {
                Ok(match (mapped.item)(lower, at)?.value {
                    Value::Option(_, value) => (*value).clone(),
                    _ => Value::Undef,
                })
            });
        }
        let test = self.predicate(f);
        let inverted = method == Method::All;
        let at = self.first_round(&iter, &|lower, value| {
            let holds = test(lower, value)?;
            Ok(if inverted { lower.not(holds) } else { holds })
        })?;
        let some = self.op(ScalarOp::Ne, &[at, none]);
        match method {
            Method::Any => Ok(Value::Scalar(some)),
            Method::All => Ok(Value::Scalar(self.not(some))),
            Method::Position => Ok(Value::Option(some, Rc::new(Value::Scalar(at)))),
            _ => {
                let elem = iter.elem.clone();
                self.optional(some, &elem, |lower| Ok((iter.item)(lower, at)?.value))
            }
        }
    }

    /// `fold`: by definition one item after the other.
    pub(super) fn fold(
        &mut self,
        iter: &Rc<Iter>,
        start: &Value,
        ty: &Ty,
        f: &Value,
    ) -> R<Value> {
        let mark = self.env.slots.len();
        let slot = self.define("", ty.clone(), start.clone());
        self.each_item(iter, &BTreeSet::from([slot]), None, &|lower, value, _| {
            let old = lower.env.slots[slot].value.clone();
            let next = lower.apply(f, vec![old, value])?;
            lower.set(slot, next);
            Ok(())
        })?;
        let value = self.env.slots[slot].value.clone();
        self.env.slots.truncate(mark);
        Ok(value)
    }

    /// The combination of all items, if there is one: a reduction over pairs of "is there one" and the item.
    fn reduce_option(
        &mut self,
        iter: &Rc<Iter>,
        f: &dyn Fn(&mut Lower, Value, Value) -> R<Value>,
    ) -> R<Value> {
        let elem = iter.elem.clone();
        let option = Ty::Option(Box::new(elem.clone()));
        let combine = |lower: &mut Lower, a: Value, b: Value| -> R<Value> {
            let (Value::Option(has_a, x), Value::Option(has_b, y)) = (a, b) else {
                return Ok(Value::none());
            };
            let both = lower.and(has_a, has_b);
            let (left, right) = ((*x).clone(), (*y).clone());
            let value = lower.branch(
                both,
                &elem,
                |lower| f(lower, left.clone(), right.clone()),
                |lower| {
                    lower.branch(has_a, &elem, |_| Ok((*x).clone()), |_| Ok((*y).clone()))
                },
            )?;
            Ok(Value::Option(lower.or(has_a, has_b), Rc::new(value)))
        };
        self.reduce_values(iter.len, &Value::none(), &option, &combine, &|lower, at| {
            let item = (iter.item)(lower, at)?;
            Ok(Value::Option(item.keep.unwrap_or(TRUE), Rc::new(item.value)))
        })
    }

    /// `min`, `max_by`, `min_by_key`, …: of equal items, the first for a minimum and the last for a maximum.
    fn extreme_item(
        &mut self,
        method: Method,
        iter: &Rc<Iter>,
        f: Option<&Value>,
        f_ty: Option<&Ty>,
    ) -> R<Value> {
        use Method as M;
        let minimum = matches!(method, M::MinItem | M::MinBy | M::MinByKey);
        let total = f.is_some_and(|f| self.is_total_cmp(f));
        if let Ty::Scalar(_) = iter.elem
            && (matches!(method, M::MinItem | M::MaxItem) || total)
        {
            return self.extreme_scalar(minimum, iter);
        }
        let elem = iter.elem.clone();
        if matches!(method, M::MinByKey | M::MaxByKey) {
            let key = match f_ty {
                Some(Ty::Fn(_, result)) => (**result).clone(),
                _ => Ty::Never,
            };
            let f = f.cloned().unwrap_or(Value::Undef);
            let pair = Ty::Tuple(vec![key.clone(), elem.clone()]);
            let ty = pair.clone();
            let keyed = Self::adapt(iter, pair.clone(), false, move |lower, item| {
                lower.made(item, &ty, |lower, value| {
                    let key = lower.apply(&f, vec![value.clone()])?;
                    Ok(Value::tuple(vec![key, value]))
                })
            });
            let keyed = self.iterate(&keyed, &Ty::Iter(Box::new(pair.clone())))?;
            let best = self.reduce_option(&keyed, &|lower, a, b| {
                let (x, y) = (lower.member(&a, 0)?, lower.member(&b, 0)?);
                let first = if minimum {
                    lower.ordered(ScalarOp::Le, &x, &y, &key)?
                } else {
                    lower.ordered(ScalarOp::Gt, &x, &y, &key)?
                };
                lower.branch(first, &pair, |_| Ok(a), |_| Ok(b))
            })?;
            return Ok(match best {
                Value::Option(some, pair) => {
                    let value = self.member(&pair, 1)?;
                    Value::Option(some, Rc::new(value))
                }
                other => other,
            });
        }
        let f = f.cloned();
        self.reduce_option(iter, &|lower, a, b| {
            let order = match &f {
                Some(f) => {
                    let order = lower.apply(f, vec![a.clone(), b.clone()])?;
                    lower.atom(&order, &Ty::Ordering)?
                }
                None => lower.compare(&a, &b, &elem)?,
            };
            let zero = lower.zero(&Ty::Ordering);
            let op = if minimum { ScalarOp::Le } else { ScalarOp::Gt };
            let first = lower.op(op, &[order, zero]);
            lower.branch(first, &elem, |_| Ok(a), |_| Ok(b))
        })
    }

    /// The extreme scalar: equal ones are the same bits, so the operation of the table serves, floats by their order.
    fn extreme_scalar(&mut self, minimum: bool, iter: &Rc<Iter>) -> R<Value> {
        let op = if minimum {
            ScalarOp::Min
        } else {
            ScalarOp::Max
        };
        let zero = self.number(0, &iter.elem);
        let ty = self.elem(zero);
        let key_ty = match ty {
            ScalarType::F32 => ScalarType::I32,
            ScalarType::F64 => ScalarType::I64,
            ScalarType::Bool => ScalarType::U8,
            other => other,
        };
        let start: Atom = op.identity(key_ty).expect("it reduces").into();
        let combine = |op| Some(crate::ir::Combine::Op(op));
        let defs = self.par(iter.len, |lower, at| {
            let item = (iter.item)(lower, at)?;
            let value = lower.atom(&item.value, &iter.elem)?;
            let key = match ty {
                ScalarType::F32 | ScalarType::F64 => lower.order_key(value),
                ScalarType::Bool => lower.cast(key_ty, value),
                _ => value,
            };
            let key = match item.keep {
                None => key,
                Some(keep) => lower.op(ScalarOp::Select, &[keep, key, start]),
            };
            let kind = crate::ir::SinkKind::Reduce;
            let mut sinks = vec![lower.sink(kind, combine(op), vec![start], vec![key])];
            if let Some(keep) = item.keep {
                sinks.push(lower.sink(kind, combine(ScalarOp::Or), vec![FALSE], vec![keep]));
            }
            Ok(sinks)
        })?;
        let key: Atom = defs[0].into();
        let value = match ty {
            ScalarType::F32 | ScalarType::F64 => self.from_order_key(key, ty),
            ScalarType::Bool => self.op(ScalarOp::Ne, &[key, crate::ir::Const::u8(0).into()]),
            _ => key,
        };
        let some = match defs.get(1) {
            Some(&some) => some.into(),
            None => self.op(ScalarOp::Ne, &[iter.len, Atom::size(0)]),
        };
        Ok(Value::Option(some, Rc::new(Value::Scalar(value))))
    }

    /// Whether a closure is `|a, b| a.total_cmp(b)` or the path to it.
    fn is_total_cmp(&self, f: &Value) -> bool {
        use super::value::Closure;
        use crate::syntax::{ExprKind as K, PatternKind as P};
        fn local(expr: &Expr) -> Option<&'static str> {
            match &expr.kind {
                K::Local(name) => Some(name),
                K::Unary(_, inner) => local(inner),
                _ => None,
            }
        }
        fn name(pattern: &crate::syntax::Pattern) -> Option<&'static str> {
            match &pattern.kind {
                P::Bind { name, .. } => Some(name),
                P::Ref(inner) => name_of(inner),
                _ => None,
            }
        }
        fn name_of(pattern: &crate::syntax::Pattern) -> Option<&'static str> {
            name(pattern)
        }
        let Value::Closure(closure) = f else {
            return false;
        };
        match &**closure {
            Closure::Path { callee, .. } => {
                matches!(callee, Callee::Assoc(_, "total_cmp" | "cmp"))
            }
            Closure::Expr { params, body, .. } => {
                let K::Method {
                    receiver,
                    name: "total_cmp" | "cmp",
                    args: [arg],
                    ..
                } = &body.kind
                else {
                    return false;
                };
                let [(a, _), (b, _)] = params else {
                    return false;
                };
                local(receiver).is_some()
                    && local(receiver) == name(a)
                    && local(arg).is_some()
                    && local(arg) == name(b)
            }
        }
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
