//! Scans: like reductions, with a result for each element.

use crate::elaborate::lower::merge::{spread_ty, unspread};
use crate::elaborate::lower::value::{Array, Value};
use crate::elaborate::lower::{Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, SinkKind};
use std::rc::Rc;

impl Lower {
    /// `scan`, `exscan`, `rscan`, `rexscan`.
    pub(in crate::elaborate::lower) fn scan(
        &mut self,
        kind: SinkKind,
        array: &Rc<Array>,
        start: &Value,
        f: &Value,
    ) -> R<Value> {
        let ty = array.elem.clone();
        let f = f.clone();
        let combines = self.combine_loose(&ty, &|lower, a, b| lower.apply(&f, vec![a, b]))?;
        let loose = spread_ty(&ty);
        let start = self.loosen(start, &ty)?;
        let outer: Vec<Atom> = self.flatten(&start, &loose)?;
        let len = array.dims[0];
        let defs = self.par(len, |lower, at| {
            let value = lower.element(array, &[at])?;
            let value = lower.loosen(&value, &ty)?;
            let values = lower.flatten(&value, &loose)?;
            Ok(lower.combining(kind, &combines, &outer, None, &values))
        })?;
        if loose == ty {
            return Ok(Value::stored(vec![len], ty, defs));
        }
        let parts = Value::stored(vec![len], loose.clone(), defs);
        let parts = self.array(&parts, &Ty::Seq(Box::new(loose)))?;
        Ok(Value::view(vec![len], ty.clone(), move |lower, at| {
            Ok(unspread(lower.element(&parts, at)?, &ty))
        }))
    }
}
