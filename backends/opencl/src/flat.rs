//! A par that only makes rows, as one over all elements: on GPUs neighbouring work-items are to write neighbouring elements,
//! not rows that lie far apart.

use crate::render::array::{Held, private};
use crate::render::body::{Body, own_name};
use dsl_runtime::ir::{Atom, Expr, Func, Par, SinkKind, Stmt, Var};
use dsl_runtime::pass::effect;

/// A row's own statements may cost this much: each of its elements repeats them.
const LIGHT: u32 = 16;

/// Pars inside each other, the outermost first.
pub struct Flat {
    /// Their indices and extents: two or more.
    pub loops: Vec<(Var, Atom)>,
    /// What an element is made by.
    pub stmts: Vec<Stmt>,
    /// Per sink, the element. It may be a row, of a par that is not among these.
    pub values: Vec<Atom>,
}

impl Flat {
    /// Of a par whose body is light statements that cannot fail and one par that only collects, if it is one.
    pub fn of(func: &Func, par: &Par) -> Option<Flat> {
        let collects = |par: &Par| {
            let mut kinds = par.sinks.iter().map(|sink| sink.kind);
            !par.sinks.is_empty() && kinds.all(|kind| kind == SinkKind::Collect)
        };
        if !collects(par) {
            return None;
        }
        let mut flat = Flat {
            loops: vec![(par.index, par.extent)],
            stmts: par.body.stmts.clone(),
            values: par.sinks.iter().map(|sink| sink.values[0]).collect(),
        };
        while let Some((stmt, before)) = flat.stmts.split_last()
            && let Expr::Par(inner) = &stmt.expr
            && collects(inner)
            && !before.iter().any(|stmt| effect::can_fail(func, stmt))
            && before.iter().map(effect::cost).sum::<u32>() <= LIGHT
        {
            let element = |&value: &Atom| {
                let sink = stmt.defs.iter().position(|&def| Atom::Var(def) == value)?;
                Some(inner.sinks[sink].values[0])
            };
            let Some(values) = flat.values.iter().map(element).collect() else {
                break;
            };
            let stmts = [before, &inner.body.stmts].concat();
            flat.loops.push((inner.index, inner.extent));
            flat = Flat {
                values,
                stmts,
                ..flat
            };
        }
        (flat.loops.len() > 1).then_some(flat)
    }

    /// The loop of a work-item over its elements, which go to these arrays.
    pub fn render(&self, body: &mut Body<'_>, into: &[String]) {
        let func = body.func;
        let mut places = vec![];
        for (&value, into) in self.values.iter().zip(into) {
            let ty = func.atom_type(value);
            let at = match ty.is_scalar() {
                true => "e".to_owned(),
                false => format!("e * {}", body.stride(&ty.shape)),
            };
            if let (Some(var), false, None) = (value.as_var(), ty.is_scalar(), private(&ty)) {
                body.homes.insert(var, format!("({into} + {at})"));
            }
            places.push((value, ty.elem, Held::Global(into.clone()), at));
        }
        body.line("for (ulong e = get_global_id(0); e < n; e += get_global_size(0)) {");
        let mut rest = "e".to_owned();
        for (at, &(index, extent)) in self.loops.iter().enumerate().rev() {
            let (index, extent) = (own_name(func, index), body.atom(extent));
            match at {
                0 => body.line(format!("const ulong {index} = {rest};")),
                _ => {
                    body.line(format!("const ulong {index} = {rest} % {extent};"));
                    let above = body.fresh("e");
                    body.line(format!("const ulong {above} = {rest} / {extent};"));
                    rest = above;
                }
            }
        }
        self.stmts.iter().for_each(|stmt| body.stmt(stmt));
        for (value, elem, into, at) in places {
            body.store(&into, elem, &at, value);
        }
        if body.stack {
            body.line("top = 0;");
        }
        body.line("}");
    }
}
