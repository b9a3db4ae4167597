//! Filters: the elements that are kept, in order.

use crate::elaborate::lower::env::TRUE;
use crate::elaborate::lower::value::{Array, Item, Iter, Value};
use crate::elaborate::lower::{Lower, R};
use crate::ir::{Atom, SinkKind};
use std::rc::Rc;

impl Lower {
    /// `x.filter(p)`; with `inverted`, those that `p` refuses.
    pub(in crate::elaborate::lower) fn filter(
        &mut self,
        array: &Rc<Array>,
        f: &Value,
        inverted: bool,
    ) -> R<Value> {
        let test = self.predicate(f);
        let elem = array.elem.clone();
        self.kept(array.dims[0], &elem, &|lower, at| {
            let value = lower.element(array, &[at])?;
            let holds = test(lower, &value)?;
            let keep = if inverted { lower.not(holds) } else { holds };
            Ok(Item {
                keep: Some(keep),
                value,
            })
        })
    }

    /// The items of an iterator that leaves some out.
    pub(in crate::elaborate::lower) fn kept_items(&mut self, iter: &Iter) -> R<Value> {
        self.kept(iter.len, &iter.elem, &|lower, at| iter.round(lower, at))
    }

    fn kept(
        &mut self,
        len: Atom,
        elem: &crate::elaborate::ty::Ty,
        item: &dyn Fn(&mut Lower, Atom) -> R<Item>,
    ) -> R<Value> {
        let defs = self.par(len, |lower, at| {
            let item = item(lower, at)?;
            let mut values = vec![item.keep.unwrap_or(TRUE)];
            values.extend(lower.flatten(&item.value, elem)?);
            Ok(vec![lower.sink(SinkKind::Filter, None, vec![], values)])
        })?;
        Ok(Value::stored(
            vec![defs[0].into()],
            elem.clone(),
            defs[1..].to_vec(),
        ))
    }
}
