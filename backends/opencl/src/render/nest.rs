//! Pars inside a body: loops of one work-item.

use super::body::Body;
use crate::sink::{Feed, Goal, Part, fetch_stretches, rounds};
use dsl_runtime::ir::order::{BLOCK, SHORT};
use dsl_runtime::ir::{Level, Par, Var};

impl Body<'_> {
    /// A par, iteration by iteration.
    pub fn nest(&mut self, par: &Par, defs: &[Var]) {
        let mut defs = defs.iter().copied();
        let mut parts = vec![];
        for sink in &par.sinks {
            let feed = Feed {
                sink: sink.clone(),
                defs: defs.by_ref().take(sink.results()).collect(),
                index: par.index,
                extent: par.extent,
                inner: par.inner,
                goal: Goal::Here,
            };
            parts.push(Part::new(self, feed));
        }
        let position = self.position.take();
        parts.iter_mut().for_each(|part| part.before(self));
        let (i, n) = (self.name(par.index), self.atom(par.extent));
        // What an iteration takes from the stack goes back at its end.
        let mark = self.fresh("mark");
        let before = std::mem::replace(&mut self.stack, false);
        let outer = std::mem::take(&mut self.text);
        let stmts = &par.body.stmts;
        let each = |body: &mut Body<'_>, parts: &mut [Part]| body.round(par, parts, &mark);
        self.line("{");
        if self.ahead {
            fetch_stretches(self, par);
        }
        if parts.iter().any(Part::blocks) {
            let (block, stop) = (self.fresh("block"), self.fresh("stop"));
            self.line(format!(
                "for (ulong {block} = 0; {block} < {n}; {block} += {BLOCK}) {{"
            ));
            let number = format!("({block} / {BLOCK})");
            self.line(format!("const ulong {stop} = min({block} + {BLOCK}, {n});"));
            parts.iter_mut().for_each(|part| part.block(self, &number));
            rounds(self, par, stmts, &mut parts, (&i, &block, &stop), each);
            parts
                .iter_mut()
                .for_each(|part| part.block_end(self, &number));
            self.line("}");
        } else if parts.iter().any(Part::splits) {
            let mut few = par.clone();
            few.levels = vec![Level::Seq];
            self.line(format!("if ({n} <= {SHORT}) {{"));
            rounds(self, &few, stmts, &mut parts, (&i, "0", &n), &each);
            self.line("} else {");
            parts.iter_mut().for_each(|part| part.many(self));
            rounds(self, par, stmts, &mut parts, (&i, "0", &n), &each);
            parts.iter_mut().for_each(|part| part.many_end(self));
            self.line("}");
        } else {
            rounds(self, par, stmts, &mut parts, (&i, "0", &n), each);
        }
        self.line("}");
        let used = std::mem::replace(&mut self.stack, before);
        let inner = std::mem::replace(&mut self.text, outer);
        if used {
            self.stack = true;
            self.line(format!("const ulong {mark} = top;"));
        }
        self.text.include(inner);
        parts.iter_mut().for_each(|part| part.after(self));
        self.position = position;
    }

    fn round(&mut self, par: &Par, parts: &mut [Part], mark: &str) {
        self.block(&par.body);
        parts.iter_mut().for_each(|part| part.element(self));
        if self.stack {
            self.line(format!("top = {mark};"));
        }
    }
}
