//! N-dimensional arrays: ndarray's own words. Rows, columns, transposes and slices are views.

use super::env::TRUE;
use super::place::element_type;
use super::value::{Array, Axis, Item, Iter, Value};
use super::{Code, Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Const, Fault, ScalarOp, ScalarType};
use std::rc::Rc;

impl Lower {
    /// A method of an N-dimensional array.
    pub(super) fn nd_method(
        &mut self,
        method: Method,
        (receiver, ty): (&Value, &Ty),
        args: &[Value],
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        use Method as M;
        let array = self.array(receiver, ty)?;
        let rank = array.dims.len();
        let dims = array.dims.clone();
        match method {
            M::Dim => Ok(match &dims[..] {
                [n] => Value::Scalar(*n),
                dims => Value::Tuple(dims.iter().map(|&n| Value::Scalar(n)).collect()),
            }),
            M::Shape => {
                let members = dims.iter().map(|&n| Value::Scalar(n)).collect();
                Ok(Value::Fixed(members))
            }
            M::Ndim => Ok(Value::Scalar(Atom::size(rank as u64))),
            M::Nrows => Ok(Value::Scalar(dims[0])),
            M::Ncols => Ok(Value::Scalar(dims[1])),
            M::Len if rank > 1 => {
                let len = self.product(&dims);
                Ok(Value::Scalar(len))
            }
            M::IsEmpty if rank > 1 => {
                let len = self.product(&dims);
                Ok(Value::Scalar(self.op(ScalarOp::Eq, &[len, Atom::size(0)])))
            }
            M::LenOf => {
                let axis = self.axis_of(&args[0], rank)?;
                Ok(Value::Scalar(dims[axis]))
            }
            M::Row => {
                let at = self.index_value(&args[0], dims[0])?;
                Ok(fixed_axis(&array, 0, at))
            }
            M::Column => {
                let at = self.index_value(&args[0], dims[1])?;
                Ok(fixed_axis(&array, 1, at))
            }
            M::IndexAxis => {
                let axis = self.axis_of(&args[0], rank)?;
                let at = self.index_value(&args[1], dims[axis])?;
                Ok(fixed_axis(&array, axis, at))
            }
            M::Rows | M::OuterIter if rank == 2 => Ok(self.lanes(&array, 0)),
            M::Columns if rank == 2 => Ok(self.lanes(&array, 1)),
            M::OuterIter => Ok(self.lanes(&array, 0)),
            M::AxisIter => {
                let axis = self.axis_of(&args[0], rank)?;
                Ok(self.lanes(&array, axis))
            }
            M::Transpose => {
                let mut turned = dims;
                turned.reverse();
                Ok(Value::view(turned, array.elem.clone(), move |lower, at| {
                    let at: Vec<Atom> = at.iter().rev().copied().collect();
                    lower.element(&array, &at)
                }))
            }
            M::Diag => {
                let n = self.op(ScalarOp::Min, &[dims[0], dims[1]]);
                Ok(Value::view(
                    vec![n],
                    array.elem.clone(),
                    move |lower, at| lower.element(&array, &[at[0], at[0]]),
                ))
            }
            M::Slice => match &args[0] {
                Value::Slice(axes) => self.sliced(&array, axes),
                _ => Err(self.missing("`slice` takes `s![…]`")),
            },
            M::Map => {
                let f = args[0].clone();
                self.eager(dims, element_type(result), &|lower, at| {
                    let element = lower.element(&array, at)?;
                    lower.apply(&f, vec![element])
                })
            }
            M::Iter => self.iterate(receiver, ty).map(Value::Iter),
            M::IndexedIter => {
                let elem = element_type(result);
                let iter = self.iterate(receiver, ty)?;
                Ok(Value::Iter(Rc::new(Iter {
                    len: iter.len,
                    elem,
                    filtered: false,
                    item: Rc::new(move |lower, at| {
                        let indices = lower.split_index(at, &dims);
                        let value = lower.element(&array, &indices)?;
                        let place = match &indices[..] {
                            [i] => Value::Scalar(*i),
                            all => Value::Tuple(all.iter().map(|&i| Value::Scalar(i)).collect()),
                        };
                        super::iterator::always(Value::tuple(vec![place, value]))
                    }),
                })))
            }
            M::Sum | M::Product if rank > 1 => {
                let flat = self.flat(receiver, ty)?;
                self.named(method, &flat)
            }
            M::Mean => {
                let flat = self.flat(receiver, ty)?;
                let some = self.op(ScalarOp::Ne, &[flat.dims[0], Atom::size(0)]);
                self.optional(some, &array.elem.clone(), |lower| lower.mean(&flat))
            }
            M::SumAxis | M::MapAxis | M::MeanAxis => self.reduce_axis(method, &array, args, result),
            M::Fold => {
                let iter = self.iterate(receiver, ty)?;
                self.fold(&iter, &args[0], result, &args[1])
            }
            M::Dot => {
                let other = self.array(&args[0], &types[0])?;
                self.dot(&array, &other, result)
            }
            M::Get if rank > 1 => {
                let indices = self.index_list(&args[0], &types[0])?;
                let mut inside = TRUE;
                for (&at, &n) in indices.iter().zip(&dims) {
                    let one = self.op(ScalarOp::Lt, &[at, n]);
                    inside = self.and(inside, one);
                }
                self.optional(inside, &array.elem.clone(), |lower| {
                    lower.element(&array, &indices)
                })
            }
            M::Reshape => {
                let shape = self.index_list(&args[0], &types[0])?;
                self.reshaped(receiver, ty, shape)
            }
            _ if rank == 1 => self.sequence_method(method, (receiver, ty), args, types, result),
            _ => Err(self.missing("this method cannot be used on an N-dimensional array here")),
        }
    }

    /// The product of sizes.
    pub(super) fn product(&mut self, dims: &[Atom]) -> Atom {
        let mut len = Atom::size(1);
        for &dim in dims {
            len = self.op(ScalarOp::Mul, &[len, dim]);
        }
        len
    }

    /// The number of an axis, which must be a constant.
    fn axis_of(&mut self, value: &Value, rank: usize) -> R<usize> {
        match value {
            Value::Scalar(Atom::Const(axis)) if axis.bits < rank as u64 => Ok(axis.bits as usize),
            _ => Err(self.mistake(
                Code::Shape,
                "the number of an axis is a constant below the number of dimensions",
                "write `Axis(0)` or `Axis(1)`",
            )),
        }
    }

    /// An iterator over the parts along an axis.
    fn lanes(&mut self, array: &Rc<Array>, axis: usize) -> Value {
        let elem = Ty::Nd(array.dims.len() - 1, Box::new(array.elem.clone()));
        let array = array.clone();
        Value::Iter(Rc::new(Iter {
            len: array.dims[axis],
            elem,
            filtered: false,
            item: Rc::new(move |_, at| {
                Ok(Item {
                    keep: None,
                    value: fixed_axis(&array, axis, at),
                })
            }),
        }))
    }

    /// The elements in row-major order.
    fn flat(&mut self, receiver: &Value, ty: &Ty) -> R<Rc<Array>> {
        let iter = self.iterate(receiver, ty)?;
        let view = Value::view(vec![iter.len], iter.elem.clone(), {
            let iter = iter.clone();
            move |lower, at| Ok(iter.round(lower, at[0])?.value)
        });
        self.array(&view, &Ty::Seq(Box::new(iter.elem.clone())))
    }

    fn mean(&mut self, array: &Rc<Array>) -> R<Value> {
        let sum = self.named(Method::Sum, array)?;
        let sum = self.atom(&sum, &array.elem.clone())?;
        let count = self.cast(self.elem(sum), array.dims[0]);
        Ok(Value::Scalar(self.op(ScalarOp::Div, &[sum, count])))
    }

    /// `sum_axis`, `mean_axis`, `map_axis`: one value for each lane along an axis.
    fn reduce_axis(
        &mut self,
        method: Method,
        array: &Rc<Array>,
        args: &[Value],
        result: &Ty,
    ) -> R<Value> {
        let rank = array.dims.len();
        let axis = self.axis_of(&args[0], rank)?;
        let len = array.dims[axis];
        let mut dims = array.dims.clone();
        dims.remove(axis);
        let inner = match result {
            Ty::Option(inner) => element_type(inner),
            other => element_type(other),
        };
        let lane = |array: &Rc<Array>, at: &[Atom]| {
            let (array, outer) = (array.clone(), at.to_vec());
            Rc::new(Array {
                dims: vec![len],
                elem: array.elem.clone(),
                source: super::value::Source::View(Rc::new(move |lower, at| {
                    let mut all = outer.clone();
                    all.insert(axis, at[0]);
                    lower.element(&array, &all)
                })),
                made: None,
            })
        };
        let compute = |lower: &mut Lower| {
            lower.eager(dims.clone(), inner.clone(), &|lower, at| {
                let lane = lane(array, at);
                match method {
                    Method::SumAxis => lower.named(Method::Sum, &lane),
                    Method::MeanAxis => lower.mean(&lane),
                    _ => lower.apply(&args[1], vec![Value::Array(lane)]),
                }
            })
        };
        let whole = Ty::Nd(rank - 1, Box::new(inner.clone()));
        if rank == 1 {
            let lane = lane(array, &[]);
            return match method {
                Method::SumAxis => self.named(Method::Sum, &lane),
                _ => self.apply(&args[1], vec![Value::Array(lane)]),
            };
        }
        if method == Method::MeanAxis {
            let some = self.op(ScalarOp::Ne, &[len, Atom::size(0)]);
            return self.optional(some, &whole, compute);
        }
        compute(self)
    }

    /// `u.dot(&v)`.
    fn dot(&mut self, a: &Rc<Array>, b: &Rc<Array>, result: &Ty) -> R<Value> {
        let inner = self.same(Fault::ShapeMismatch, a.dims[a.dims.len() - 1], b.dims[0]);
        let elem = a.elem.clone();
        let zero = self.number(0, &elem);
        let mut dims = a.dims[..a.dims.len() - 1].to_vec();
        dims.extend(&b.dims[1..]);
        let split = a.dims.len() - 1;
        let sum = |lower: &mut Lower, at: &[Atom]| -> R<Value> {
            let (rows, columns) = at.split_at(split);
            let total = lower.reduce_op(ScalarOp::Add, inner, zero, &|lower, k| {
                let mut left = rows.to_vec();
                left.push(k);
                let mut right = vec![k];
                right.extend(columns);
                let (x, y) = (lower.element(a, &left)?, lower.element(b, &right)?);
                let (x, y) = (lower.atom(&x, &elem)?, lower.atom(&y, &elem)?);
                Ok(lower.op(ScalarOp::Mul, &[x, y]))
            })?;
            Ok(Value::Scalar(total))
        };
        if dims.is_empty() {
            return sum(self, &[]);
        }
        self.shape(&dims);
        self.eager(dims, element_type(result), &sum)
    }

    /// The elements in row-major order under another shape, if their number agrees.
    fn reshaped(&mut self, receiver: &Value, ty: &Ty, shape: Vec<Atom>) -> R<Value> {
        let flat = self.flat(receiver, ty)?;
        self.under_shape(flat, shape)
    }

    /// `from_shape_vec`.
    pub(super) fn shape_vec(&mut self, shape: Vec<Atom>, value: &Value, ty: &Ty) -> R<Value> {
        let array = self.array(value, ty)?;
        self.under_shape(array, shape)
    }

    fn under_shape(&mut self, flat: Rc<Array>, shape: Vec<Atom>) -> R<Value> {
        let fits = self.shape_fits(&shape, flat.dims[0])?;
        let dims = shape.clone();
        let view = Value::view(shape, flat.elem.clone(), move |lower, at| {
            let mut place = at[0];
            for (&i, &n) in at[1..].iter().zip(&dims[1..]) {
                let row = lower.op(ScalarOp::Mul, &[place, n]);
                place = lower.op(ScalarOp::Add, &[row, i]);
            }
            lower.element(&flat, &[place])
        });
        Ok(Value::Option(fits, Rc::new(view)))
    }

    /// `Array1::linspace(a, b, n)`: ndarray's `a + step * i`, with a last element that is `b` itself.
    pub(super) fn linspace(&mut self, values: &[Value], of: &Ty) -> R<Value> {
        let elem = element_type(of);
        let (a, b) = (self.atom(&values[0], &elem)?, self.atom(&values[1], &elem)?);
        let n = self.atom(&values[2], &super::pattern::USIZE)?;
        let ty = self.elem(a);
        let one = self.op(ScalarOp::Max, &[n, Atom::size(2)]);
        let gaps = self.op(ScalarOp::Sub, &[one, Atom::size(1)]);
        let gaps = self.cast(ty, gaps);
        let span = self.op(ScalarOp::Sub, &[b, a]);
        let step = self.op(ScalarOp::Div, &[span, gaps]);
        let several = self.op(ScalarOp::Gt, &[n, Atom::size(1)]);
        let zero = self.number(0, &elem);
        let step = self.op(ScalarOp::Select, &[several, step, zero]);
        Ok(Value::view(vec![n], elem, move |lower, at| {
            let i = lower.cast(ty, at[0]);
            let product = lower.op(ScalarOp::Mul, &[step, i]);
            Ok(Value::Scalar(lower.op(ScalarOp::Add, &[a, product])))
        }))
    }

    /// `Array1::range(a, b, step)`.
    pub(super) fn arange(&mut self, values: &[Value], of: &Ty) -> R<Value> {
        let elem = element_type(of);
        let mut atom = |k: usize| self.atom(&values[k], &elem);
        let (a, b, step) = (atom(0)?, atom(1)?, atom(2)?);
        let ty = self.elem(a);
        let span = self.op(ScalarOp::Sub, &[b, a]);
        let steps = self.op(ScalarOp::Div, &[span, step]);
        let steps = self.op(ScalarOp::Ceil, &[steps]);
        let n = self.cast(ScalarType::U64, steps);
        Ok(Value::view(vec![n], elem, move |lower, at| {
            let i = lower.cast(ty, at[0]);
            let product = lower.op(ScalarOp::Mul, &[step, i]);
            Ok(Value::Scalar(lower.op(ScalarOp::Add, &[a, product])))
        }))
    }

    /// `u.slice(s![…])`.
    fn sliced(&mut self, array: &Rc<Array>, axes: &[Axis]) -> R<Value> {
        let mut dims = vec![];
        let mut maps = vec![];
        for (axis, &len) in axes.iter().zip(&array.dims) {
            match axis {
                Axis::At(at) => {
                    let at = self.position_of(*at, len);
                    let wide = self.cast(ScalarType::U64, at);
                    let inside = self.op(ScalarOp::Lt, &[wide, len]);
                    self.check(Fault::IndexOutOfBounds, inside, vec![at, len]);
                    maps.push((false, wide, Atom::size(0)));
                }
                Axis::Range {
                    low,
                    high,
                    inclusive,
                    step,
                } => {
                    let (count, first, step) =
                        self.slice_range(*low, *high, *inclusive, *step, len)?;
                    dims.push(count);
                    maps.push((true, first, step));
                }
            }
        }
        let array = array.clone();
        if dims.is_empty() {
            let at: Vec<Atom> = maps.iter().map(|&(_, at, _)| at).collect();
            let value = self.element(&array, &at)?;
            return Ok(value);
        }
        Ok(Value::view(dims, array.elem.clone(), move |lower, at| {
            let mut at = at.iter();
            let all: Vec<Atom> = maps
                .iter()
                .map(|&(range, first, step)| {
                    if !range {
                        return first;
                    }
                    let i = *at.next().expect("an index");
                    let moved = lower.op(ScalarOp::Mul, &[i, step]);
                    lower.op(ScalarOp::Add, &[first, moved])
                })
                .collect();
            lower.element(&array, &all)
        }))
    }

    /// A signed position, from the end where it is negative.
    fn position_of(&mut self, at: Atom, len: Atom) -> Atom {
        let wide = self.cast(ScalarType::I64, len);
        let negative = self.op(ScalarOp::Lt, &[at, Const::i64(0).into()]);
        let lifted = self.op(ScalarOp::Add, &[at, wide]);
        self.op(ScalarOp::Select, &[negative, lifted, at])
    }

    /// Of `low..high;step` along a dimension: the number of elements, the first one, and the step, all as `u64` that wrap.
    fn slice_range(
        &mut self,
        low: Option<Atom>,
        high: Option<Atom>,
        inclusive: bool,
        step: Option<Atom>,
        len: Atom,
    ) -> R<(Atom, Atom, Atom)> {
        let wide = self.cast(ScalarType::I64, len);
        let low = match low {
            Some(low) => self.position_of(low, len),
            None => Const::i64(0).into(),
        };
        let high = match high {
            Some(high) => {
                let high = self.position_of(high, len);
                if inclusive {
                    self.op(ScalarOp::Add, &[high, Const::i64(1).into()])
                } else {
                    high
                }
            }
            None => wide,
        };
        let zero: Atom = Const::i64(0).into();
        let mut fits = self.op(ScalarOp::Ge, &[low, zero]);
        for (a, b) in [(low, high), (high, wide)] {
            let one = self.op(ScalarOp::Le, &[a, b]);
            fits = self.and(fits, one);
        }
        self.check(Fault::SliceOutOfBounds, fits, vec![low, high, len]);
        let span = self.op(ScalarOp::Sub, &[high, low]);
        let span = self.cast(ScalarType::U64, span);
        let first = self.cast(ScalarType::U64, low);
        let Some(step) = step else {
            return Ok((span, first, Atom::size(1)));
        };
        let magnitude = self.op(ScalarOp::Abs, &[step]);
        let magnitude = self.cast(ScalarType::U64, magnitude);
        let count = self.steps(span, magnitude);
        // A negative step begins at the last element.
        let back = self.op(ScalarOp::Lt, &[step, zero]);
        let last = self.op(ScalarOp::Sub, &[high, Const::i64(1).into()]);
        let last = self.cast(ScalarType::U64, last);
        let first = self.op(ScalarOp::Select, &[back, last, first]);
        let step = self.cast(ScalarType::U64, step);
        Ok((count, first, step))
    }
}

/// The part of an array where one index is fixed.
fn fixed_axis(array: &Rc<Array>, axis: usize, at: Atom) -> Value {
    let mut dims = array.dims.clone();
    dims.remove(axis);
    let elem = array.elem.clone();
    let array = array.clone();
    Value::view(dims, elem, move |lower, rest| {
        let mut all = rest.to_vec();
        all.insert(axis, at);
        lower.element(&array, &all)
    })
}
