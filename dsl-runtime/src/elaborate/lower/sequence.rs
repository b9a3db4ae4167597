//! Sequences: how values become arrays that can be read, and the views, which compute nothing but indices.

use super::env::{FALSE, TRUE};
use super::place::element_type;
use super::value::{Array, ElementFn, Range, Source, Value};
use super::{Code, Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Combine, Const, Fault, ScalarOp, ScalarType, SinkKind, Var};
use std::rc::Rc;

/// The largest fixed array whose members are computed one by one where a closure makes them.
const UNROLL: usize = 16;

impl Lower {
    /// A value as an array: sequences, fixed arrays, ranges.
    pub(super) fn array(&mut self, value: &Value, ty: &Ty) -> R<Rc<Array>> {
        match value {
            Value::Array(array) => Ok(array.clone()),
            Value::Fixed(members) => {
                let elem = element_type(ty);
                let atoms = self.flatten(value, ty)?;
                let arrays = atoms.into_iter().filter_map(Atom::as_var).collect();
                Ok(Rc::new(Array {
                    dims: vec![Atom::size(members.len() as u64)],
                    elem,
                    source: Source::Stored(arrays, vec![]),
                    made: None,
                }))
            }
            Value::Range(range) => {
                let (len, first) = self.range_bounds(range);
                let elem = self.elem(first);
                let element: ElementFn = Rc::new(move |lower, at| {
                    let step = lower.cast(elem, at[0]);
                    Ok(Value::Scalar(lower.op(ScalarOp::Add, &[first, step])))
                });
                Ok(Rc::new(Array {
                    dims: vec![len],
                    elem: element_type(ty),
                    source: Source::View(element),
                    made: None,
                }))
            }
            Value::Iter(iter) => {
                let value = self.collect_items(&iter.clone())?;
                let elem = iter.elem.clone();
                self.array(&value, &Ty::Seq(Box::new(elem)))
            }
            Value::Undef => {
                let atoms = self.flatten(value, ty)?;
                let value = self.rebuild(ty, &mut atoms.into_iter());
                match value {
                    Value::Array(array) => Ok(array),
                    _ => Err(self.no_array()),
                }
            }
            _ => Err(self.no_array()),
        }
    }

    fn no_array(&self) -> Box<crate::elaborate::ty::Mistake> {
        self.mistake(
            Code::Missing,
            "this is no sequence",
            "give a slice, a `Vec` or an array",
        )
    }

    /// The number of values of a range, and the first one.
    pub(super) fn range_bounds(&mut self, range: &Range) -> (Atom, Atom) {
        let ty = [range.low, range.high]
            .into_iter()
            .flatten()
            .map(|end| self.elem(end))
            .next()
            .unwrap_or(ScalarType::U64);
        let low = range.low.unwrap_or(Const { ty, bits: 0 }.into());
        let Some(high) = range.high else {
            return (super::value::Iter::ENDLESS, low);
        };
        let wide = match ty.class() {
            crate::ir::types::Class::Signed => ScalarType::I64,
            _ => ScalarType::U64,
        };
        let (from, to) = (self.cast(wide, low), self.cast(wide, high));
        let span = self.op(ScalarOp::Sub, &[to, from]);
        let mut span = self.cast(ScalarType::U64, span);
        let mut op = ScalarOp::Lt;
        if range.inclusive {
            if ty.bits() == 64 {
                // Of all 2^64 values, the last one is out of everybody's reach.
                span = self.op(ScalarOp::Min, &[span, Atom::size(u64::MAX - 1)]);
            }
            span = self.op(ScalarOp::Add, &[span, Atom::size(1)]);
            op = ScalarOp::Le;
        }
        if low == (Const { ty, bits: 0 }).into() && ty == ScalarType::U64 && !range.inclusive {
            return (high, low);
        }
        let some = self.op(op, &[low, high]);
        (self.op(ScalarOp::Select, &[some, span, Atom::size(0)]), low)
    }

    /// The array of the values of `element` at all indices, computed here and now.
    pub(super) fn eager(
        &mut self,
        dims: Vec<Atom>,
        elem: Ty,
        element: &dyn Fn(&mut Lower, &[Atom]) -> R<Value>,
    ) -> R<Value> {
        let arrays = self.collect(&dims, &elem, element)?;
        Ok(Value::stored(dims, elem, arrays))
    }

    /// The array of the values of `element`, computed here and now; where they are sequences of different lengths, what can
    /// fail in them fails here, and they are computed again where they are read.
    pub(super) fn rows(&mut self, dims: Vec<Atom>, elem: Ty, element: ElementFn) -> R<Value> {
        if !matches!(elem, Ty::Seq(_)) {
            return self.eager(dims, elem, &|lower, at| element(lower, at));
        }
        let saved = self.save();
        match self.eager(dims.clone(), elem.clone(), &|lower, at| element(lower, at)) {
            Err(mistake) if mistake.code == Code::Ragged.code() => self.restore(saved),
            other => return other,
        }
        let fails = self.round_fails(&|lower, at| element(lower, &[at]))?;
        if fails {
            self.par(dims[0], |lower, at| {
                let row = element(lower, &[at])?;
                let row = lower.array(&row, &elem)?;
                Ok(vec![lower.sink(
                    SinkKind::Collect,
                    None,
                    vec![],
                    vec![row.dims[0]],
                )])
            })?;
        }
        Ok(Value::Array(Rc::new(Array {
            dims,
            elem,
            source: Source::View(element),
            made: None,
        })))
    }

    /// An array of one value; nothing is stored.
    pub(super) fn fill(&mut self, dims: Vec<Atom>, value: &Value, ty: &Ty) -> R<Value> {
        let dims = dims
            .into_iter()
            .map(|n| self.size(n))
            .collect::<R<Vec<_>>>()?;
        self.shape(&dims);
        let value = value.clone();
        Ok(Value::view(dims, element_type(ty), move |_, _| {
            Ok(value.clone())
        }))
    }

    /// `[v; n]`.
    pub(super) fn fixed_fill(&mut self, value: Value, n: usize, ty: &Ty) -> R<Value> {
        if n <= UNROLL {
            return Ok(Value::Fixed(vec![value; n].into()));
        }
        self.fill(vec![Atom::size(n as u64)], &value, ty)
    }

    /// A fixed array whose members `f` computes.
    pub(super) fn fixed_tabulate(
        &mut self,
        n: usize,
        ty: &Ty,
        f: impl Fn(&mut Lower, Atom) -> R<Value>,
    ) -> R<Value> {
        if n <= UNROLL {
            let members = (0..n as u64)
                .map(|k| f(self, Atom::size(k)))
                .collect::<R<Vec<_>>>()?;
            return Ok(Value::Fixed(members.into()));
        }
        self.eager(
            vec![Atom::size(n as u64)],
            element_type(ty),
            &|lower, at| f(lower, at[0]),
        )
    }

    /// `vec![a, b, c]`.
    pub(super) fn listed(&mut self, values: Vec<Value>, ty: &Ty) -> R<Value> {
        let n = values.len();
        let inner = element_type(ty);
        let fixed = Ty::Array(Box::new(inner.clone()), n);
        let atoms = self.flatten(&Value::Fixed(values.into()), &fixed)?;
        let arrays = atoms.into_iter().filter_map(Atom::as_var).collect();
        Ok(Value::stored(vec![Atom::size(n as u64)], inner, arrays))
    }

    /// Whether `holds` is true at all indices.
    pub(super) fn all_indices(
        &mut self,
        dims: &[Atom],
        holds: &dyn Fn(&mut Lower, &[Atom]) -> R<Atom>,
    ) -> R<Atom> {
        self.all_under(&mut vec![], dims, holds)
    }

    fn all_under(
        &mut self,
        prefix: &mut Vec<Atom>,
        dims: &[Atom],
        holds: &dyn Fn(&mut Lower, &[Atom]) -> R<Atom>,
    ) -> R<Atom> {
        let Some((&len, rest)) = dims.split_first() else {
            return holds(self, prefix);
        };
        let result = self.par(len, |lower, at| {
            prefix.push(at);
            let one = lower.all_under(prefix, rest, holds)?;
            prefix.pop();
            let combine = Some(Combine::Op(ScalarOp::And));
            Ok(vec![lower.sink(
                SinkKind::Reduce,
                combine,
                vec![TRUE],
                vec![one],
            )])
        })?;
        Ok(result[0].into())
    }

    /// `x[a..b]`.
    pub(super) fn sub_slice(&mut self, array: &Rc<Array>, range: &Range) -> R<Value> {
        let len = array.dims[0];
        let low = match range.low {
            Some(low) => self.cast(ScalarType::U64, low),
            None => Atom::size(0),
        };
        let (high, inside, shown) = match range.high {
            Some(last) => {
                let last = self.cast(ScalarType::U64, last);
                if range.inclusive {
                    let high = self.op(ScalarOp::Add, &[last, Atom::size(1)]);
                    let inside = self.op(ScalarOp::Lt, &[last, len]);
                    // The end behind the largest number is shown as that number.
                    let shown = self.op(ScalarOp::Max, &[last, high]);
                    (high, inside, shown)
                } else {
                    let inside = self.op(ScalarOp::Le, &[last, len]);
                    (last, inside, last)
                }
            }
            None => (len, TRUE, len),
        };
        let ordered = self.op(ScalarOp::Le, &[low, high]);
        let fits = self.and(ordered, inside);
        self.check(Fault::SliceOutOfBounds, fits, vec![low, shown, len]);
        let count = self.op(ScalarOp::Sub, &[high, low]);
        Ok(self.moved(array, count, move |lower, at| {
            Ok(lower.op(ScalarOp::Add, &[low, at]))
        }))
    }

    /// A view of `len` elements of another array: element `i` is the one at `map(i)`.
    pub(super) fn moved(
        &mut self,
        array: &Rc<Array>,
        len: Atom,
        map: impl Fn(&mut Lower, Atom) -> R<Atom> + 'static,
    ) -> Value {
        let elem = array.elem.clone();
        let array = array.clone();
        let mut dims = array.dims.clone();
        dims[0] = len;
        Value::view(dims, elem, move |lower, at| {
            let mut at = at.to_vec();
            at[0] = map(lower, at[0])?;
            lower.element(&array, &at)
        })
    }

    /// `x.rev()`.
    pub(super) fn reversed(&mut self, array: &Rc<Array>) -> Value {
        let len = array.dims[0];
        self.moved(array, len, move |lower, at| {
            let last = lower.op(ScalarOp::Sub, &[len, Atom::size(1)]);
            Ok(lower.op(ScalarOp::Sub, &[last, at]))
        })
    }

    /// `x.take(k)`.
    pub(super) fn taken(&mut self, array: &Rc<Array>, count: Atom) -> Value {
        let len = self.op(ScalarOp::Min, &[array.dims[0], count]);
        self.moved(array, len, |_, at| Ok(at))
    }

    /// `x.skip(k)`.
    pub(super) fn skipped(&mut self, array: &Rc<Array>, count: Atom) -> Value {
        let len = array.dims[0];
        let skip = self.op(ScalarOp::Min, &[len, count]);
        let rest = self.op(ScalarOp::Sub, &[len, skip]);
        self.limited(rest, self.limit(len));
        self.moved(array, rest, move |lower, at| {
            Ok(lower.op(ScalarOp::Add, &[at, skip]))
        })
    }

    /// `x.chain(y)`.
    pub(super) fn chained(&mut self, a: &Rc<Array>, b: &Rc<Array>) -> Value {
        let (first, second) = (a.dims[0], b.dims[0]);
        let len = self.length_sum(first, second);
        let (a, b) = (a.clone(), b.clone());
        let elem = a.elem.clone();
        Value::view(vec![len], elem, move |lower, at| {
            let left = lower.op(ScalarOp::Lt, &[at[0], first]);
            lower.branch(
                left,
                &a.elem,
                |lower| lower.element(&a, at),
                |lower| {
                    let at = lower.op(ScalarOp::Sub, &[at[0], first]);
                    lower.element(&b, &[at])
                },
            )
        })
    }

    /// The number of steps of `k` in `len`; a step of zero is a failure.
    pub(super) fn steps(&mut self, len: Atom, step: Atom) -> Atom {
        self.nonzero(step);
        // ceil(len / step), without overflow.
        let empty = self.op(ScalarOp::Eq, &[len, Atom::size(0)]);
        let last = self.op(ScalarOp::Sub, &[len, Atom::size(1)]);
        let last = self.op(ScalarOp::Div, &[last, step]);
        let count = self.op(ScalarOp::Add, &[last, Atom::size(1)]);
        let count = self.op(ScalarOp::Select, &[empty, Atom::size(0), count]);
        self.limited(count, self.limit(len));
        count
    }

    /// Fails where a step, window or chunk is zero.
    pub(super) fn nonzero(&mut self, step: Atom) {
        let fine = self.op(ScalarOp::Ne, &[step, Atom::size(0)]);
        self.check(Fault::ZeroStep, fine, vec![]);
    }

    /// `x.step_by(k)`.
    pub(super) fn stepped(&mut self, array: &Rc<Array>, step: Atom) -> Value {
        let len = self.steps(array.dims[0], step);
        self.moved(array, len, move |lower, at| {
            Ok(lower.op(ScalarOp::Mul, &[at, step]))
        })
    }

    /// `x.replicate(k)`.
    pub(super) fn replicated(&mut self, array: &Rc<Array>, times: Atom) -> Value {
        let len = array.dims[0];
        let total = self.length_product(len, times);
        self.moved(array, total, move |lower, at| {
            Ok(lower.op(ScalarOp::Rem, &[at, len]))
        })
    }

    /// `x.interleave(y)`.
    pub(super) fn interleaved(&mut self, a: &Rc<Array>, b: &Rc<Array>) -> Value {
        let len = self.same_length(a.dims[0], b.dims[0]);
        let total = self.length_sum(len, len);
        let (a, b) = (a.clone(), b.clone());
        Value::view(vec![total], a.elem.clone(), move |lower, at| {
            let odd = lower.op(ScalarOp::And, &[at[0], Atom::size(1)]);
            let even = lower.op(ScalarOp::Eq, &[odd, Atom::size(0)]);
            let half = lower.op(ScalarOp::Shr, &[at[0], Atom::size(1)]);
            lower.branch(
                even,
                &a.elem,
                |lower| lower.element(&a, &[half]),
                |lower| lower.element(&b, &[half]),
            )
        })
    }

    /// `x.shift(k, v)`: `y[i] = x[i + k]`, `v` outside.
    pub(super) fn shifted(&mut self, array: &Rc<Array>, by: Atom, outside: Value) -> Value {
        let len = array.dims[0];
        let by = self.cast(ScalarType::I64, by);
        let by = self.cast(ScalarType::U64, by);
        let array = array.clone();
        Value::view(vec![len], array.elem.clone(), move |lower, at| {
            // In 64 bits that wrap, an index before the beginning is a large one; no length comes near.
            let from = lower.op(ScalarOp::Add, &[at[0], by]);
            let inside = lower.op(ScalarOp::Lt, &[from, len]);
            let outside = outside.clone();
            lower.branch(
                inside,
                &array.elem,
                |lower| lower.element(&array, &[from]),
                |_| Ok(outside),
            )
        })
    }

    /// `x.rotate(k)`: `y[i] = x[(i + k) mod n]`.
    pub(super) fn rotated(&mut self, array: &Rc<Array>, by: Atom) -> R<Value> {
        let len = array.dims[0];
        let by = self.cast(ScalarType::I64, by);
        // k mod n, in 0..n; nothing is read where n is 0.
        let one = self.op(ScalarOp::Max, &[len, Atom::size(1)]);
        let signed = self.cast(ScalarType::I64, one);
        let rest = self.op(ScalarOp::Rem, &[by, signed]);
        let negative = self.op(ScalarOp::Lt, &[rest, Const::i64(0).into()]);
        let lifted = self.op(ScalarOp::Add, &[rest, signed]);
        let by = self.op(ScalarOp::Select, &[negative, lifted, rest]);
        let by = self.cast(ScalarType::U64, by);
        Ok(self.moved(array, len, move |lower, at| {
            let sum = lower.op(ScalarOp::Add, &[at, by]);
            let beyond = lower.op(ScalarOp::Ge, &[sum, len]);
            let wrapped = lower.op(ScalarOp::Sub, &[sum, len]);
            Ok(lower.op(ScalarOp::Select, &[beyond, wrapped, sum]))
        }))
    }

    /// `x.zip(y)`, `x.zip3(y, z)`: unequal lengths are a failure.
    pub(super) fn zipped(&mut self, arrays: Vec<Rc<Array>>) -> Value {
        let mut len = arrays[0].dims[0];
        for array in &arrays[1..] {
            len = self.same_length(len, array.dims[0]);
        }
        let elem = Ty::Tuple(arrays.iter().map(|array| array.elem.clone()).collect());
        Value::view(vec![len], elem, move |lower, at| {
            let members = arrays
                .iter()
                .map(|array| lower.element(array, at))
                .collect::<R<Vec<_>>>()?;
            Ok(Value::tuple(members))
        })
    }

    /// `x.unzip()`: a sequence for each member of the elements.
    pub(super) fn unzipped(&mut self, array: &Rc<Array>) -> R<Value> {
        let Ty::Tuple(types) = array.elem.clone() else {
            return Err(self.no_array());
        };
        let parts = types.into_iter().enumerate().map(|(k, ty)| {
            let array = array.clone();
            Value::view(vec![array.dims[0]], ty, move |lower, at| {
                let element = lower.element(&array, at)?;
                lower.member(&element, k)
            })
        });
        Ok(Value::Tuple(parts.collect()))
    }

    /// Part of an array from `start`, `len` elements long, known to lie inside.
    pub(super) fn window(&mut self, array: &Rc<Array>, start: Atom, len: Atom) -> Value {
        self.moved(array, len, move |lower, at| {
            Ok(lower.op(ScalarOp::Add, &[start, at]))
        })
    }

    /// The arrays of the IR that hold an array's elements; a view is computed.
    pub(super) fn arrays(&mut self, array: &Rc<Array>) -> R<Vec<Var>> {
        self.materialize(array)
    }

    /// The value of an `Option` that holds an element where `some` is true.
    pub(super) fn optional(
        &mut self,
        some: Atom,
        ty: &Ty,
        value: impl FnOnce(&mut Lower) -> R<Value>,
    ) -> R<Value> {
        if some == FALSE {
            return Ok(Value::none());
        }
        let value = self.branch(some, ty, value, |_| Ok(Value::Undef))?;
        Ok(Value::Option(some, Rc::new(value)))
    }
}
