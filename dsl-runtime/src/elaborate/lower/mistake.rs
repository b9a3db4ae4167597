//! The mistakes that the lowering reports: a table of their codes.

use super::Lower;
use crate::elaborate::code::codes;
use crate::elaborate::ty::Mistake;

codes! {
    /// A kind of mistake that shows when a typed kernel is turned into the IR.
    Ragged "CU0140" "rows of different lengths where one array is needed";
    Number "CU0141" "a sequence where a single number is needed";
    Element "CU0142" "elements of a type that no array can hold";
    Kept "CU0143" "an iterator or a closure that is kept in a variable that changes";
    Shape "CU0144" "a value whose shape is known only at run time where it must be known before";
    Capture "CU0145" "a closure that changes what stands outside it";
    Recursion "CU0146" "recursion that is not a tail call of the kernel itself";
    Place "CU0147" "an assignment to something that is no variable or part of one";
    Missing "CU0148" "a construct that kernels do not have in this combination";
}

impl Lower {
    /// A mistake at the current place.
    pub(super) fn mistake(&self, code: Code, text: &str, remedy: &str) -> Box<Mistake> {
        Box::new(Mistake {
            code: code.code(),
            text: text.into(),
            remedy: remedy.into(),
            source: self.func.sources[self.place.source as usize],
            span: self.place.span,
        })
    }
}
