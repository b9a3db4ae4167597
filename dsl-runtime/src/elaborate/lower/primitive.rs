//! The primitives on sequences: which method does what. Views are free; everything else is computed where it stands.

mod nested;
mod reduce;
mod scan;
mod scatter;
mod select;

use super::value::Value;
use super::{Code, Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, ScalarOp, ScalarType, SinkKind};
use crate::syntax::Scalar;

impl Lower {
    /// A method of a sequence.
    pub(super) fn sequence_method(
        &mut self,
        method: Method,
        (receiver, receiver_ty): (&Value, &Ty),
        args: &[Value],
        types: &[Ty],
        result: &Ty,
    ) -> R<Value> {
        use Method as M;
        let array = self.array(receiver, receiver_ty)?;
        let len = array.dims[0];
        let count = |lower: &mut Lower, k: usize| -> R<Atom> {
            let atom = lower.atom(&args[k], &types[k])?;
            lower.size(atom)
        };
        match method {
            M::Same | M::ToSeq => Ok(receiver.clone()),
            M::Len => Ok(Value::Scalar(len)),
            M::IsEmpty => Ok(Value::Scalar(self.op(ScalarOp::Eq, &[len, Atom::size(0)]))),
            M::Iter => self.iterate(receiver, receiver_ty).map(Value::Iter),
            M::First | M::Last => {
                let some = self.op(ScalarOp::Ne, &[len, Atom::size(0)]);
                self.optional(some, &array.elem.clone(), |lower| {
                    let at = match method {
                        M::First => Atom::size(0),
                        _ => lower.op(ScalarOp::Sub, &[len, Atom::size(1)]),
                    };
                    lower.element(&array, &[at])
                })
            }
            M::Get => {
                let at = count(self, 0)?;
                let some = self.op(ScalarOp::Lt, &[at, len]);
                self.optional(some, &array.elem.clone(), |lower| {
                    lower.element(&array, &[at])
                })
            }
            M::Contains => {
                let wanted = args[0].clone();
                self.test_any(&array, &|lower, element| {
                    lower.equal(element, &wanted, &array.elem)
                })
            }
            M::SplitAt => {
                let at = count(self, 0)?;
                let range = |low, high| super::value::Range {
                    low,
                    high,
                    inclusive: false,
                };
                let left = self.sub_slice(&array, &range(None, Some(at)))?;
                let right = self.sub_slice(&array, &range(Some(at), None))?;
                Ok(Value::tuple(vec![left, right]))
            }
            M::Map => {
                let elem = super::place::element_type(result);
                let f = args[0].clone();
                if let (Ty::Array(_, n), Ty::Array(..)) = (receiver_ty, result) {
                    return self.fixed_tabulate(*n, result, |lower, at| {
                        let element = lower.element(&array, &[at])?;
                        lower.apply(&f, vec![element])
                    });
                }
                let element = move |lower: &mut Lower, at: &[Atom]| {
                    let element = lower.element(&array, at)?;
                    lower.apply(&f, vec![element])
                };
                self.rows(vec![len], elem, std::rc::Rc::new(element))
            }
            M::Zip | M::Zip3 => {
                let mut arrays = vec![array];
                for (arg, ty) in args.iter().zip(types) {
                    arrays.push(self.array(arg, ty)?);
                }
                Ok(self.zipped(arrays))
            }
            M::Unzip => self.unzipped(&array),
            M::Enumerate => {
                let elem = Ty::Tuple(vec![Ty::Scalar(Scalar::Usize), array.elem.clone()]);
                Ok(Value::view(vec![len], elem, move |lower, at| {
                    let element = lower.element(&array, at)?;
                    Ok(Value::tuple(vec![Value::Scalar(at[0]), element]))
                }))
            }
            M::Reduce => self.reduce(&array, &args[0], &args[1]),
            M::Sum | M::Product | M::Minimum | M::Maximum => self.named(method, &array),
            M::Argmin | M::Argmax => self.arg(method, &array),
            M::Any => self.test_any(&array, &self.predicate(&args[0])),
            M::All => self.test_all(&array, &self.predicate(&args[0])),
            M::Count => self.count(&array, &self.predicate(&args[0])),
            M::Scan => self.scan(SinkKind::Scan, &array, &args[0], &args[1]),
            M::Exscan => self.scan(SinkKind::ExScan, &array, &args[0], &args[1]),
            M::Rscan => self.scan(SinkKind::RScan, &array, &args[0], &args[1]),
            M::Rexscan => self.scan(SinkKind::RExScan, &array, &args[0], &args[1]),
            M::Filter => self.filter(&array, &args[0], false),
            M::Partition => {
                let kept = self.filter(&array, &args[0], false)?;
                let others = self.filter(&array, &args[0], true)?;
                Ok(Value::tuple(vec![kept, others]))
            }
            M::FlatMap | M::Concat | M::Flatten => {
                let iter = self.iterate(receiver, receiver_ty)?;
                let f = args.first().cloned();
                let row = types.first().cloned();
                let items = self.flat_items(&iter, f, row.as_ref())?;
                self.collect_items(&items)
            }
            M::Gather => {
                let index = self.array(&args[0], &types[0])?;
                self.gather(&array, &index, None)
            }
            M::GatherOr => {
                let index = self.array(&args[0], &types[0])?;
                self.gather(&array, &index, Some(args[1].clone()))
            }
            M::Scatter => {
                let index = self.array(&args[0], &types[0])?;
                let values = self.array(&args[1], &types[1])?;
                self.scatter(&array, &index, &values)
            }
            M::Permute => {
                let index = self.array(&args[0], &types[0])?;
                self.permute(&array, &index)
            }
            M::ScatterWith => self.scatter_with(receiver, receiver_ty, args, types),
            M::Shift => {
                let by = self.atom(&args[0], &types[0])?;
                Ok(self.shifted(&array, by, args[1].clone()))
            }
            M::Rotate => {
                let by = self.atom(&args[0], &types[0])?;
                self.rotated(&array, by)
            }
            M::Rev => Ok(self.reversed(&array)),
            M::Take => {
                let n = count(self, 0)?;
                Ok(self.taken(&array, n))
            }
            M::Skip => {
                let n = count(self, 0)?;
                Ok(self.skipped(&array, n))
            }
            M::Chain => {
                let other = self.array(&args[0], &types[0])?;
                Ok(self.chained(&array, &other))
            }
            M::StepBy => {
                let n = count(self, 0)?;
                Ok(self.stepped(&array, n))
            }
            M::Replicate => {
                let n = count(self, 0)?;
                Ok(self.replicated(&array, n))
            }
            M::Interleave => {
                let other = self.array(&args[0], &types[0])?;
                Ok(self.interleaved(&array, &other))
            }
            M::WindowsMap | M::ChunksMap => {
                let n = count(self, 0)?;
                self.map_parts(method, &array, n, &args[1], result)
            }
            M::Windows | M::Chunks | M::ChunksExact => {
                let n = count(self, 0)?;
                let parts = self.parts(method, &array, n);
                let elem = Ty::Seq(Box::new(array.elem.clone()));
                self.iterate(&parts, &Ty::Seq(Box::new(elem)))
                    .map(Value::Iter)
            }
            _ => Err(self.missing("this method cannot be used on a sequence here")),
        }
    }

    /// A construct without a lowering in this combination.
    pub(super) fn missing(&self, text: &str) -> Box<crate::elaborate::ty::Mistake> {
        self.mistake(
            Code::Missing,
            text,
            "write it with `map`, `reduce`, or a loop over the indices",
        )
    }

    /// A closure as a test of an element.
    pub(super) fn predicate(&self, f: &Value) -> impl Fn(&mut Lower, &Value) -> R<Atom> + use<> {
        let f = f.clone();
        move |lower, element| {
            let value = lower.apply(&f, vec![element.clone()])?;
            lower.atom(&value, &super::pattern::BOOL)
        }
    }

    /// An index of any integer type as `u64`, tested against the length.
    pub(super) fn index_value(&mut self, value: &Value, len: Atom) -> R<Atom> {
        let atom = self.atom(value, &Ty::Scalar(Scalar::Usize))?;
        Ok(self.checked_index(atom, len))
    }

    /// An index of any integer type as `u64`: a negative one is beyond every length.
    pub(super) fn wide(&mut self, atom: Atom) -> Atom {
        self.cast(ScalarType::U64, atom)
    }
}
