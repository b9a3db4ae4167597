//! Windows and chunks: a sequence of parts of a sequence, each a view.

use crate::elaborate::lower::place::element_type;
use crate::elaborate::lower::value::{Array, Value};
use crate::elaborate::lower::{Lower, R};
use crate::elaborate::method::Method;
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, ScalarOp};
use std::rc::Rc;

impl Lower {
    /// The parts of a sequence, as a sequence of views.
    pub(in crate::elaborate::lower) fn parts(
        &mut self,
        method: Method,
        array: &Rc<Array>,
        size: Atom,
    ) -> Value {
        let len = array.dims[0];
        let windows = matches!(method, Method::Windows | Method::WindowsMap);
        let whole = matches!(method, Method::ChunksExact);
        let count = if windows {
            self.nonzero(size);
            let enough = self.op(ScalarOp::Le, &[size, len]);
            let last = self.op(ScalarOp::Sub, &[len, size]);
            let count = self.op(ScalarOp::Add, &[last, Atom::size(1)]);
            self.op(ScalarOp::Select, &[enough, count, Atom::size(0)])
        } else if whole {
            self.nonzero(size);
            self.op(ScalarOp::Div, &[len, size])
        } else {
            self.steps(len, size)
        };
        let elem = Ty::Seq(Box::new(array.elem.clone()));
        let array = array.clone();
        Value::view(vec![count], elem, move |lower, at| {
            if windows {
                return Ok(lower.window(&array, at[0], size));
            }
            let start = lower.op(ScalarOp::Mul, &[at[0], size]);
            let part = if whole {
                size
            } else {
                let rest = lower.op(ScalarOp::Sub, &[len, start]);
                lower.op(ScalarOp::Min, &[rest, size])
            };
            Ok(lower.window(&array, start, part))
        })
    }

    /// `windows_map`, `chunks_map`.
    pub(in crate::elaborate::lower) fn map_parts(
        &mut self,
        method: Method,
        array: &Rc<Array>,
        size: Atom,
        f: &Value,
        result: &Ty,
    ) -> R<Value> {
        let parts = self.parts(method, array, size);
        let ty = Ty::Seq(Box::new(Ty::Seq(Box::new(array.elem.clone()))));
        let parts = self.array(&parts, &ty)?;
        let f = f.clone();
        self.eager(
            vec![parts.dims[0]],
            element_type(result),
            &move |lower, at| {
                let part = lower.element(&parts, at)?;
                lower.apply(&f, vec![part])
            },
        )
    }
}
