//! Arrays in the body of a kernel. What is small and of constant lengths is a value in private memory, copied where it is
//! assigned. Everything else is a pointer to device memory: an argument, a row of a result, or a piece of the work-item's
//! own stack, which is a part of a buffer. Elements always lie contiguous, row-major.

use super::body::Body;
use super::types;
use dsl_runtime::ir::{Atom, ScalarType, Type, Var};

/// More elements than this are never private.
const SMALL: u64 = 64;

/// How a name stands for an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// The expression of a pointer to device memory.
    Global(String),
    /// The name of an array in private memory.
    Private(String),
}

impl Held {
    /// What is written before an index.
    pub fn base(&self) -> &str {
        match self {
            Held::Global(text) | Held::Private(text) => text,
        }
    }
}

/// The number of elements, where the array is a value in private memory.
pub fn private(ty: &Type) -> Option<u64> {
    if ty.is_scalar() {
        return None;
    }
    let mut count = 1u64;
    for length in &ty.shape {
        count = count.checked_mul(length.as_const()?.bits)?;
    }
    (count <= SMALL).then_some(count)
}

impl Body<'_> {
    /// The number of elements of an array of this type; more than any memory holds where the product overflows.
    pub fn count(&self, shape: &[Atom]) -> String {
        let mut known = Some(1u64);
        let mut factors = vec![];
        for &length in shape {
            match length {
                Atom::Const(length) => {
                    known = known.and_then(|known| known.checked_mul(length.bits))
                }
                Atom::Var(_) => factors.push(self.atom(length)),
            }
        }
        let known = known.unwrap_or(u64::MAX);
        if known == 0 {
            return "0UL".into();
        }
        if known != 1 || factors.is_empty() {
            factors.push(format!("{known}UL"));
        }
        let first = factors.remove(0);
        let times = |product, factor| format!("times({product}, {factor})");
        factors.into_iter().fold(first, times)
    }

    /// The same where the array exists, so that nothing overflows.
    pub fn stride(&self, shape: &[Atom]) -> String {
        let factors: Vec<String> = shape.iter().map(|&length| self.atom(length)).collect();
        match factors.len() {
            0 => "1UL".into(),
            1 => factors[0].clone(),
            _ => format!("({})", factors.join(" * ")),
        }
    }

    /// The number of the first element that the indices reach.
    pub fn offset(&self, shape: &[Atom], indices: &[String]) -> String {
        let mut text = indices[0].clone();
        for (index, &length) in indices[1..].iter().zip(&shape[1..]) {
            text = format!("({text} * {} + {index})", self.atom(length));
        }
        match &shape[indices.len()..] {
            [] => text,
            rest => format!("{text} * {}", self.stride(rest)),
        }
    }

    /// Memory for an array that is about to be made: where its name is expected, in private memory, or on the stack.
    pub fn make(&mut self, var: Var) -> Held {
        let ty = self.func.ty(var).clone();
        let held = match self.homes.remove(&var) {
            Some(home) => Held::Global(home),
            None => {
                let name = self.name(var);
                self.room(&ty, &name)
            }
        };
        self.arrays.insert(var, held.clone());
        held
    }

    /// Memory for an array of this type, under this name.
    pub fn room(&mut self, ty: &Type, name: &str) -> Held {
        if let Some(count) = private(ty) {
            self.line(format!(
                "{} {name}[{}];",
                types::stored(ty.elem),
                count.max(1)
            ));
            return Held::Private(name.to_owned());
        }
        let count = self.count(&ty.shape);
        self.grab(ty.elem, name, &count);
        Held::Global(name.to_owned())
    }

    /// So many elements on the stack.
    pub fn grab(&mut self, elem: ScalarType, name: &str, count: &str) {
        self.stack = true;
        self.line(format!("GRAB({}, {name}, {count})", types::stored(elem)));
    }

    /// Writes a scalar to an element.
    pub fn put(&mut self, held: &Held, elem: ScalarType, at: &str, value: &str) {
        let value = types::to_memory(elem, value);
        let own = types::stored(elem);
        self.line(match held {
            Held::Private(name) => format!("{name}[{at}] = {value};"),
            Held::Global(base) => format!("((__global {own}*){base})[{at}] = {value};"),
        });
    }

    /// Writes a scalar, or all elements of an array, from element `at` on.
    pub fn store(&mut self, held: &Held, elem: ScalarType, at: &str, value: Atom) {
        let ty = self.func.atom_type(value);
        if ty.is_scalar() {
            let value = self.atom(value);
            return self.put(held, elem, at, &value);
        }
        let from = self.held(value.as_var().expect("arrays have names"));
        let count = self.stride(&ty.shape);
        if let (Held::Global(base), Held::Global(source)) = (held, &from)
            && *source == format!("({base} + {at})")
        {
            // It was made there.
            return;
        }
        let q = self.fresh("q");
        let own = types::stored(elem);
        let (to, from) = (
            match held {
                Held::Private(name) => name.clone(),
                Held::Global(base) => format!("((__global {own}*){base})"),
            },
            from.base().to_owned(),
        );
        self.line(format!(
            "for (ulong {q} = 0; {q} < {count}; {q}++) {to}[{at} + {q}] = {from}[{q}];"
        ));
    }
}
