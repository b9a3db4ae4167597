//! Access by computed indices: gather, scatter, permute.

use crate::elaborate::lower::place::element_type;
use crate::elaborate::lower::value::{Array, Value};
use crate::elaborate::lower::{Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::types::Class;
use crate::ir::{Atom, Const, ScalarOp, ScalarType, SinkKind};
use std::rc::Rc;

impl Lower {
    /// `x.gather(idx)`; with a default, `x.gather_or(idx, default)`.
    pub(in crate::elaborate::lower) fn gather(
        &mut self,
        array: &Rc<Array>,
        index: &Rc<Array>,
        outside: Option<Value>,
    ) -> R<Value> {
        let len = array.dims[0];
        let elem = array.elem.clone();
        let (array, index) = (array.clone(), index.clone());
        self.eager(vec![index.dims[0]], elem, &move |lower, at| {
            let value = lower.element(&index, at)?;
            let atom = lower.atom(&value, &index.elem)?;
            match &outside {
                None => {
                    let whole = Ty::Seq(Box::new(array.elem.clone()));
                    lower.element_at(&Value::Array(array.clone()), &whole, &[atom], true)
                }
                Some(outside) => {
                    let inside = lower.is_inside(atom, len);
                    let wide = lower.wide(atom);
                    let outside = outside.clone();
                    lower.branch(
                        inside,
                        &array.elem,
                        |lower| lower.element(&array, &[wide]),
                        |_| Ok(outside),
                    )
                }
            }
        })
    }

    /// Whether an index of any integer type lies below the length.
    fn is_inside(&mut self, index: Atom, len: Atom) -> Atom {
        let ty = self.elem(index);
        let wide = self.wide(index);
        let below = self.op(ScalarOp::Lt, &[wide, len]);
        if ty.class() != Class::Signed {
            return below;
        }
        let natural = self.op(ScalarOp::Ge, &[index, Const { ty, bits: 0 }.into()]);
        self.and(natural, below)
    }

    /// `dest.scatter(idx, v)`.
    pub(in crate::elaborate::lower) fn scatter(
        &mut self,
        dest: &Rc<Array>,
        index: &Rc<Array>,
        values: &Rc<Array>,
    ) -> R<Value> {
        let len = self.same_length(index.dims[0], values.dims[0]);
        let elem = dest.elem.clone();
        let outer: Vec<Atom> = self.arrays(dest)?.into_iter().map(Atom::Var).collect();
        let defs = self.par(len, |lower, at| {
            let target = lower.target_index(index, at)?;
            let value = lower.element(values, &[at])?;
            let mut all = vec![target];
            all.extend(lower.flatten(&value, &elem)?);
            Ok(vec![lower.sink(
                SinkKind::Scatter,
                None,
                outer.clone(),
                all,
            )])
        })?;
        Ok(Value::stored(dest.dims.clone(), elem, defs))
    }

    /// The index that an element goes to, at its full width: the sink tests it, in the order of all that can fail there.
    fn target_index(&mut self, index: &Rc<Array>, at: Atom) -> R<Atom> {
        let value = self.element(index, &[at])?;
        let atom = self.atom(&value, &index.elem)?;
        Ok(match self.elem(atom).class() {
            Class::Signed => self.cast(ScalarType::I64, atom),
            _ => self.wide(atom),
        })
    }

    /// `x.permute(idx)`: `y[idx[k]] = x[k]`.
    pub(in crate::elaborate::lower) fn permute(
        &mut self,
        array: &Rc<Array>,
        index: &Rc<Array>,
    ) -> R<Value> {
        // Each destination is written once, so what it held before is never seen.
        let dest = Value::Array(array.clone());
        let dest = self.array(&dest, &Ty::Seq(Box::new(array.elem.clone())))?;
        self.scatter(&dest, index, array)
    }

    /// `dest.scatter_with(op, idx, v)`.
    pub(in crate::elaborate::lower) fn scatter_with(
        &mut self,
        dest: &Value,
        dest_ty: &Ty,
        args: &[Value],
        types: &[Ty],
    ) -> R<Value> {
        let dest = self.array(dest, dest_ty)?;
        let index = self.array(&args[1], &types[1])?;
        let values = self.array(&args[2], &types[2])?;
        let len = self.same_length(index.dims[0], values.dims[0]);
        let elem = dest.elem.clone();
        debug_assert_eq!(elem, element_type(dest_ty));
        let f = args[0].clone();
        let combines = self.combine(&elem, &|lower, a, b| lower.apply(&f, vec![a, b]))?;
        let outer: Vec<Atom> = self.arrays(&dest)?.into_iter().map(Atom::Var).collect();
        let defs = self.par(len, |lower, at| {
            let target = lower.target_index(&index, at)?;
            let value = lower.element(&values, &[at])?;
            let values = lower.flatten(&value, &elem)?;
            Ok(lower.combining(
                SinkKind::ScatterWith,
                &combines,
                &outer,
                Some(target),
                &values,
            ))
        })?;
        Ok(Value::stored(dest.dims.clone(), elem, defs))
    }
}
