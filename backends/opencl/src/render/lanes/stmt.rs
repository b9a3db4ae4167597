//! The statements of lanes.

use super::Lanes;
use super::value::{Kind, mask, vector};
use crate::render::op;
use crate::render::types;
use dsl_runtime::ir::order::{INNER_LANES, SHORT};
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{
    Atom, Block, Combine, Const, Expr, Loop, LoopKind, Par, ScalarOp, ScalarType, Sink, Stmt, Var,
    walk,
};
use dsl_runtime::pass::effect;

impl Lanes<'_, '_> {
    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        self.body.text.from(stmt.place);
        let mut all_same = true;
        walk::operands(&stmt.expr, &mut |atom| all_same &= self.same(atom));
        match &stmt.expr {
            Expr::Op(_, _) | Expr::Cast(..) | Expr::Bits(..) | Expr::Check(_) if all_same => {
                self.body.stmt(stmt);
            }
            Expr::Op(op, operands) => self.op(stmt.defs[0], *op, operands),
            Expr::Cast(to, from) => self.cast(stmt.defs[0], *to, *from),
            Expr::Bits(to, from) => {
                let value = format!("as_{}({})", vector(*to, self.count), self.vector(*from));
                self.bind(stmt.defs[0], &value, 0);
            }
            Expr::Check(check) => {
                let size = self.mask_size(check.cond);
                let wrong = format!("~{}", self.mask(check.cond, size));
                self.fail_where(&wrong, size);
            }
            Expr::Index(index) => match self.body.func.ty(stmt.defs[0]).is_scalar() {
                true => self.index(stmt.defs[0], index),
                false => self.body.stmt(stmt),
            },
            Expr::If(cond, then, other) => self.branch(*cond, then, other, &stmt.defs),
            Expr::Loop(inner) => self.looping(inner, &stmt.defs),
            Expr::Par(par) => self.nest(par, &stmt.defs),
            Expr::Update(..) | Expr::Array(_) | Expr::Data(_) | Expr::Reshape(..) => {
                unreachable!("lanes have no arrays of their own")
            }
        }
    }

    fn op(&mut self, def: Var, op: ScalarOp, operands: &[Atom]) {
        use ScalarOp::*;
        let last = *operands.last().expect("an operand");
        let ty = self.body.func.atom_type(last).elem;
        if let (Add | Sub, ScalarType::U64 | ScalarType::I64) = (op, ty)
            && let Some(first) = self.moved(op, operands)
        {
            let name = self.body.name(def);
            let own = types::name(ty);
            self.line(format!("const {own} {name} = {first};"));
            return self.set(def, Kind::Near(name));
        }
        if op == Select {
            return self.select(def, operands, ty);
        }
        if ty == ScalarType::Bool {
            let size = operands
                .iter()
                .map(|&x| self.mask_size(x))
                .max()
                .unwrap_or(4);
            let x: Vec<String> = operands.iter().map(|&x| self.mask(x, size)).collect();
            let value = match op {
                And => format!("{} & {}", x[0], x[1]),
                Or => format!("{} | {}", x[0], x[1]),
                Xor | Ne => format!("{} ^ {}", x[0], x[1]),
                Eq => format!("~({} ^ {})", x[0], x[1]),
                Not => format!("~{}", x[0]),
                _ => unreachable!("other operations on truth values do not fit"),
            };
            return self.bind(def, &value, size);
        }
        let mut x: Vec<String> = operands.iter().map(|&x| self.vector(x)).collect();
        if op.can_fail(ty) {
            self.divisor(ty, operands, &mut x);
        }
        let value = op::vector(op, ty, self.count, &x);
        self.bind(def, &value, ty.bytes());
    }

    /// The first lane's value where each further lane has one more.
    fn moved(&self, op: ScalarOp, operands: &[Atom]) -> Option<String> {
        let near = |atom: Atom| match atom.as_var().and_then(|var| self.kind(var)) {
            Some(Kind::Near(first)) => Some(first.clone()),
            _ => None,
        };
        let ty = self.body.func.atom_type(operands[0]).elem;
        let x = match (op, near(operands[0]), near(operands[1])) {
            (_, Some(first), None) if self.same(operands[1]) => {
                [first, self.body.atom(operands[1])]
            }
            (ScalarOp::Add, None, Some(first)) if self.same(operands[0]) => {
                [self.body.atom(operands[0]), first]
            }
            _ => return None,
        };
        Some(op::expression(op, ty, &x))
    }

    fn select(&mut self, def: Var, operands: &[Atom], ty: ScalarType) {
        let bytes = ty.bytes();
        if ty == ScalarType::Bool {
            let size = operands
                .iter()
                .map(|&x| self.mask_size(x))
                .max()
                .unwrap_or(4);
            let x: Vec<String> = operands.iter().map(|&x| self.mask(x, size)).collect();
            let value = format!("({0} & {1}) | (~{0} & {2})", x[0], x[1], x[2]);
            return self.bind(def, &value, size);
        }
        let (yes, no) = (self.vector(operands[1]), self.vector(operands[2]));
        let value = format!("{} ? {yes} : {no}", self.mask(operands[0], bytes));
        self.bind(def, &value, 0);
    }

    /// Tests divisors, and gives lanes that are not on their way one that divides everything.
    fn divisor(&mut self, ty: ScalarType, operands: &[Atom], x: &mut [String]) {
        let bytes = ty.bytes();
        let divisor = operands[1].as_const();
        let own = vector(ty, self.count);
        if divisor.is_none_or(|divisor| divisor.bits == 0) {
            self.fail_where(&format!("({} == ({own})(0))", x[1]), bytes);
        }
        let ones = u64::MAX >> (64 - ty.bits());
        let signed = ty.class() == Class::Signed;
        if signed && divisor.is_none_or(|divisor| divisor.bits == ones) {
            let least = types::constant(Const {
                ty,
                bits: 1 << (ty.bits() - 1),
            });
            let over = format!(
                "(({} == ({own})({least})) & ({} == ({own})(-1)))",
                x[0], x[1]
            );
            self.fail_where(&over, bytes);
        }
        if divisor.is_none()
            && let Some(on) = self.on(bytes)
        {
            x[1] = format!("({on} ? {} : ({own})(1))", x[1]);
        }
    }

    fn cast(&mut self, def: Var, to: ScalarType, from: Atom) {
        let ty = self.body.func.atom_type(from).elem;
        if let (ScalarType::U64 | ScalarType::I64, ScalarType::U64 | ScalarType::I64) = (ty, to)
            && let Some(Kind::Near(first)) = from.as_var().and_then(|var| self.kind(var)).cloned()
        {
            let name = self.body.name(def);
            let own = types::name(to);
            self.line(format!("const {own} {name} = ({own}){first};"));
            return self.set(def, Kind::Near(name));
        }
        let own = vector(to, self.count);
        let value = match (ty, to) {
            (ScalarType::Bool, ScalarType::Bool) => {
                let size = self.mask_size(from);
                let value = self.mask(from, size);
                return self.bind(def, &value, size);
            }
            (ScalarType::Bool, _) => {
                let size = self.mask_size(from);
                format!("convert_{own}(-{})", self.mask(from, size))
            }
            (ty, ScalarType::Bool) => {
                let zero = vector(ty, self.count);
                let value = format!("({} != ({zero})(0))", self.vector(from));
                return self.bind(def, &value, ty.bytes());
            }
            _ => {
                let x = self.vector(from);
                if ty == to {
                    x
                } else if ty.is_float() && to.is_integer() {
                    format!(
                        "convert_{own}_sat({x} != {x} ? ({})(0) : {x})",
                        vector(ty, self.count)
                    )
                } else {
                    format!("convert_{own}({x})")
                }
            }
        };
        self.bind(def, &value, 0);
    }

    /// A variable for a name that differs; of a truth value, a mask of four bytes.
    fn declare(&mut self, var: Var) {
        let ty = self.body.func.ty(var).elem;
        let name = self.body.name(var);
        let (own, kind) = match ty {
            ScalarType::Bool => (mask(4, self.count), Kind::Mask(4)),
            ty => (vector(ty, self.count), Kind::Vector),
        };
        self.line(format!("{own} {name};"));
        self.set(var, kind);
    }

    /// The operand as its variable wants it.
    fn value(&self, atom: Atom) -> String {
        match self.body.func.atom_type(atom).elem {
            ScalarType::Bool => self.mask(atom, 4),
            _ => self.vector(atom),
        }
    }

    /// The mask of lanes that are on their way and for which the truth value holds, as a name.
    fn narrowed(&mut self, holds: &str) -> String {
        let name = self.body.fresh("on");
        let all = match &self.mask {
            None => holds.to_owned(),
            Some(on) => format!("{on} & {holds}"),
        };
        self.line(format!("const {} {name} = {all};", mask(4, self.count)));
        name
    }

    fn branch(&mut self, cond: Atom, then: &Block, other: &Block, defs: &[Var]) {
        defs.iter().for_each(|&def| self.declare(def));
        let same = self.same(cond);
        let sides = [(then, false), (other, true)];
        if same {
            let cond = self.body.atom(cond);
            self.line(format!("if ({cond}) {{"));
            for (block, last) in sides {
                self.stmts(&block.stmts);
                for (&def, &result) in defs.iter().zip(&block.results) {
                    let (name, value) = (self.body.name(def), self.value(result));
                    self.line(format!("{name} = {value};"));
                }
                self.line(if last { "}" } else { "} else {" });
            }
            return;
        }
        let holds = self.mask(cond, 4);
        for &def in defs {
            let name = self.body.name(def);
            let own = match self.body.func.ty(def).elem {
                ScalarType::Bool => mask(4, self.count),
                ty => vector(ty, self.count),
            };
            self.line(format!("{name} = ({own})(0);"));
        }
        for (block, last) in sides {
            let holds = if last {
                format!("~{holds}")
            } else {
                holds.clone()
            };
            let on = self.narrowed(&holds);
            self.line(format!("if (any({on})) {{"));
            self.under(on.clone(), |lanes| {
                lanes.stmts(&block.stmts);
                for (&def, &result) in defs.iter().zip(&block.results) {
                    let name = lanes.body.name(def);
                    let value = lanes.value(result);
                    let bytes = match lanes.body.func.ty(def).elem {
                        ScalarType::Bool => 4,
                        ty => ty.bytes(),
                    };
                    let on = lanes.resized(&on, 4, bytes);
                    lanes.line(format!("{name} = {on} ? {value} : {name};"));
                }
            });
            self.line("}");
        }
    }

    fn looping(&mut self, inner: &Loop, defs: &[Var]) {
        for &(var, init) in &inner.carried {
            let value = self.value(init);
            self.declare(var);
            let name = self.body.name(var);
            self.line(format!("{name} = {value};"));
        }
        match &inner.kind {
            LoopKind::For { index, extent } => {
                let (i, n) = (self.body.name(*index), self.body.atom(*extent));
                self.line(format!("for (ulong {i} = 0; {i} < {n}; {i}++) {{"));
                self.stmts(&inner.body.stmts);
                self.next(inner, None);
                self.line("}");
            }
            LoopKind::While(cond) => {
                let active = self.body.fresh("active");
                let own = mask(4, self.count);
                let begin = match &self.mask {
                    None => format!("({own})(-1)"),
                    Some(on) => on.clone(),
                };
                self.line(format!("{own} {active} = {begin};"));
                self.line("for (;;) {");
                self.under(active.clone(), |lanes| {
                    lanes.stmts(&cond.stmts);
                    let holds = lanes.mask(cond.results[0], 4);
                    lanes.line(format!("{active} &= {holds};"));
                    lanes.line(format!("if (!any({active})) break;"));
                    lanes.stmts(&inner.body.stmts);
                    lanes.next(inner, Some(&active));
                });
                self.line("}");
            }
        }
        for (&def, &(var, _)) in defs.iter().zip(&inner.carried) {
            let name = self.body.name(var);
            self.body.alias(def, name);
            let kind = self.kind(var).cloned().expect("it was declared");
            self.set(def, kind);
        }
    }

    /// The carried names take their next values: all at once, and only in lanes that are still active.
    fn next(&mut self, inner: &Loop, active: Option<&str>) {
        let carried: Vec<Var> = inner.carried.iter().map(|&(var, _)| var).collect();
        let mut news = vec![];
        for (at, &result) in inner.body.results.iter().enumerate() {
            let value = self.value(result);
            let changed = result.as_var().is_some_and(|var| {
                carried[..at]
                    .iter()
                    .any(|&c| self.body.name(c) == self.body.name(var))
            });
            if changed {
                let name = self.body.fresh("next");
                let own = match self.body.func.atom_type(result).elem {
                    ScalarType::Bool => mask(4, self.count),
                    ty => vector(ty, self.count),
                };
                self.line(format!("const {own} {name} = {value};"));
                news.push(name);
            } else {
                news.push(value);
            }
        }
        for (&var, value) in carried.iter().zip(news) {
            let name = self.body.name(var);
            let bytes = match self.body.func.ty(var).elem {
                ScalarType::Bool => 4,
                ty => ty.bytes(),
            };
            let value = match active {
                Some(active) => {
                    format!("{} ? {value} : {name}", self.resized(active, 4, bytes))
                }
                None => value,
            };
            if value != name {
                self.line(format!("{name} = {value};"));
            }
        }
    }

    /// A reduction that each lane does for itself. Where the order asks for interleaved sums, one after the other is
    /// summed: each takes its values in the same order as if all were summed together.
    fn nest(&mut self, par: &Par, defs: &[Var]) {
        let short = par
            .extent
            .as_const()
            .is_some_and(|n| n.bits <= SHORT as u64);
        let spread = |sink: &Sink| {
            matches!(sink.combine, Some(Combine::Op(_)))
                && effect::shows_order(self.body.func, sink)
                && !short
        };
        let any = par.sinks.iter().any(spread);
        let n = self.body.atom(par.extent);
        let i = self.body.name(par.index);
        let stem = self.body.fresh("r");
        let mut defs = defs.iter().copied();
        let mut all: Vec<(Sink, Vec<String>, Vec<Var>, bool)> = vec![];
        for (s, sink) in par.sinks.iter().enumerate() {
            let spread = spread(sink);
            let mut names = vec![];
            for (k, &start) in sink.outer.iter().enumerate() {
                let own = vector(self.body.func.atom_type(start).elem, self.count);
                let name = format!("{stem}_{s}_{k}");
                let value = self.vector(start);
                self.line(format!("{own} {name} = {value};"));
                names.push(name);
            }
            let defs = defs.by_ref().take(sink.results()).collect();
            all.push((sink.clone(), names, defs, spread));
        }
        let sums = |name: &String| format!("{name}_s");
        if any {
            self.line(format!(
                "const ulong {stem}_way = {n} > {SHORT} ? {INNER_LANES} : 1;"
            ));
            for (sink, names, _, _) in all.iter().filter(|one| one.3) {
                let own = vector(self.body.func.atom_type(sink.outer[0]).elem, self.count);
                self.line(format!("{own} {}[{INNER_LANES}];", sums(&names[0])));
            }
            self.line(format!("for (ulong l = 0; l < {stem}_way; l++) {{"));
            for (sink, names, _, _) in all.iter().filter(|one| one.3) {
                let ty = self.body.func.atom_type(sink.outer[0]).elem;
                let own = vector(ty, self.count);
                let Some(Combine::Op(op)) = sink.combine else {
                    unreachable!()
                };
                let identity = types::constant(op.identity(ty).expect("what reduces has one"));
                let start = self.vector(sink.outer[0]);
                let name = &names[0];
                self.line(format!(
                    "{own} {name}_a = {stem}_way > 1 ? ({own})({identity}) : {start};"
                ));
            }
            self.line(format!(
                "for (ulong {i} = l; {i} < {n}; {i} += {stem}_way) {{"
            ));
        } else {
            self.line(format!("for (ulong {i} = 0; {i} < {n}; {i}++) {{"));
        }
        self.stmts(&par.body.stmts);
        for (sink, names, _, spread) in &all {
            let to: Vec<String> = match spread {
                true => vec![format!("{}_a", names[0])],
                false => names.clone(),
            };
            self.combine(sink, &to);
        }
        self.line("}");
        if any {
            for (_, names, _, _) in all.iter().filter(|one| one.3) {
                self.line(format!("{}[l] = {}_a;", sums(&names[0]), names[0]));
            }
            self.line("}");
            for (sink, names, _, _) in all.iter().filter(|one| one.3) {
                let ty = self.body.func.atom_type(sink.outer[0]).elem;
                let Some(Combine::Op(op)) = sink.combine else {
                    unreachable!()
                };
                let s = sums(&names[0]);
                self.line(format!("if ({stem}_way > 1) {{"));
                let mut half = INNER_LANES / 2;
                while half > 0 {
                    for l in 0..half {
                        let x = [format!("{s}[{l}]"), format!("{s}[{}]", l + half)];
                        let value = op::vector(op, ty, self.count, &x);
                        self.line(format!("{s}[{l}] = {value};"));
                    }
                    half /= 2;
                }
                let start = self.vector(sink.outer[0]);
                let value = op::vector(op, ty, self.count, &[start, format!("{s}[0]")]);
                self.line(format!("{} = {value};", names[0]));
                self.line("} else {");
                self.line(format!("{} = {s}[0];\n}}", names[0]));
            }
        }
        for (_, names, defs, _) in all {
            for (def, name) in defs.into_iter().zip(names) {
                self.body.alias(def, name);
                self.set(def, Kind::Vector);
            }
        }
    }

    /// `to = to op values`.
    fn combine(&mut self, sink: &Sink, to: &[String]) {
        match sink.combine.as_ref().expect("a reduction combines") {
            Combine::Op(op) => {
                let ty = self.body.func.atom_type(sink.values[0]).elem;
                let x = [to[0].clone(), self.vector(sink.values[0])];
                let value = op::vector(*op, ty, self.count, &x);
                self.line(format!("{} = {value};", to[0]));
            }
            Combine::Lambda(lambda) => {
                self.line("{");
                let values: Vec<String> = sink.values.iter().map(|&v| self.vector(v)).collect();
                for (&param, value) in lambda.params.iter().zip(to.iter().chain(&values)) {
                    self.bind(param, value, 4);
                }
                self.stmts(&lambda.body.stmts);
                for (to, &result) in to.iter().zip(&lambda.body.results) {
                    let value = self.vector(result);
                    self.line(format!("{to} = {value};"));
                }
                self.line("}");
            }
        }
    }
}
